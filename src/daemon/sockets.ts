/** The sockets that the daemon listens at. */
import { chmodSync, chownSync, lstatSync, mkdirSync, readFileSync, unlinkSync } from "node:fs";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { failedPrecondition, invalidArgument } from "#errdefs";
import { groupId } from "./group.ts";

/** @param onConnection gets each connection */
export async function listenUnix(path: string, group: string, onConnection: (socket: Socket) => void): Promise<Server> {
  const gid = group === "" ? undefined : groupId(group);
  mkdirSync(dirname(path), { recursive: true, mode: 0o711 });
  await removeStale(path);
  const server = createServer(onConnection);
  // For nobody but its owner from its first moment on.
  const mask = process.umask(0o177);
  try {
    server.listen({ path });
    await once(server, "listening");
  } finally {
    process.umask(mask);
  }
  if (gid !== undefined) {
    chownSync(path, -1, gid);
    chmodSync(path, 0o660);
  }
  return server;
}

/** @param descriptor of a socket that listens already */
export async function listenGiven(descriptor: number, onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer(onConnection);
  server.listen({ fd: descriptor });
  await once(server, "listening");
  return server;
}

/** What a daemon that was killed has left goes; one that lives stays. */
async function removeStale(path: string): Promise<void> {
  try {
    if (!lstatSync(path).isSocket())
      throw failedPrecondition(`Cannot listen at "${path}": something else is there`, { path });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  if (await answers(path))
    throw failedPrecondition(`Cannot listen at "${path}": another daemon does`, {
      path,
      remedy: "End that one first, or give this one another socket",
    });
  unlinkSync(path);
}

async function answers(path: string): Promise<boolean> {
  const socket = connect({ path });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

export interface TlsSettings {
  readonly address: string;
  readonly certificate: string;
  readonly key: string;
  readonly clientCa: string;
}

/** Host and port of an address. */
export function parseAddress(text: string): { readonly host: string; readonly port: number } {
  const [, host = "", port = ""] = /^(\[[^\]]+\]|[^:]*):(\d{1,5})$/.exec(text) ?? [];
  if (port === "" || Number(port) > 65_535)
    throw invalidArgument(`Cannot listen at "${text}": it is not HOST:PORT`, { path: text });
  return { host: host.replace(/^\[|\]$/g, "") || "::", port: Number(port) };
}

/** What node:tls wants: both sides show a certificate. */
export function tlsOptions({ certificate, key, clientCa, address }: TlsSettings) {
  if (certificate === "" || key === "" || clientCa === "")
    throw invalidArgument(`Cannot listen at "${address}": tcp.certificate, tcp.key and tcp.client-ca are needed`, {
      remedy: "A daemon without mutual TLS would give everybody root",
    });
  return {
    cert: readFileSync(certificate),
    key: readFileSync(key),
    ca: readFileSync(clientCa),
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: "TLSv1.3" as const,
  };
}
