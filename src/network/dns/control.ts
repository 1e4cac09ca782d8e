/**
 * How engines speak to the one process that answers names, over a unix socket in its directory.
 *
 *     engine                                     name server
 *       │── {"version":"1.2","command":[…]} ───────>│  looks at the networks, and listens on gateways that are new
 *       │<─ {} or {"error":"…"} ────────────────────│
 *                                                   │  of another version: starts `command` with its own sockets, and ends
 *
 * When nobody listens, an engine binds the sockets itself, this one as well, and starts the process with them: questions that
 * come before it is ready wait in the sockets. The ports are the lock: who has bound the first one starts the process.
 */
import { spawn } from "node:child_process";
import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, renameSync, statSync } from "node:fs";
import { once } from "node:events";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { descriptorOf, type Listener } from "./sockets.ts";

export interface ControlRequest {
  readonly version: string;
  readonly command: readonly string[];
}

export interface ControlReply {
  readonly error?: string;
}

const socketName = "control.sock";
/** Milliseconds. The process may just be starting, on a busy machine. */
const patience = 10_000;
/** Longest line, in characters. */
const longest = 65_536;

/**
 * Asks the process to look at the networks.
 *
 * @returns undefined when none listens
 */
export async function askControl(directory: string, request: ControlRequest): Promise<ControlReply | undefined> {
  const socket = connect(join(directory, socketName));
  const timer = setTimeout(() => socket.destroy(), patience);
  try {
    socket.write(`${JSON.stringify(request)}\n`);
    let heard = "";
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      heard += chunk.toString();
      if (heard.endsWith("\n")) return JSON.parse(heard) as ControlReply;
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!["ENOENT", "ECONNREFUSED", "ECONNRESET", "EPIPE"].includes(code ?? "")) throw error;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
  return undefined;
}

/** Binds the control socket in place of one that nobody listens to any more. */
export async function bindControl(directory: string): Promise<Server> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const server = createServer();
  // Closing removes the name that it was bound with, which is not the one that it is found by.
  const name = join(directory, `${process.pid}.${Math.random().toString(36).slice(2, 10)}`);
  const listening = once(server, "listening");
  server.listen(name);
  await listening;
  renameSync(name, join(directory, socketName));
  return server;
}

/** Another one when another process has bound the socket since. */
export function controlIdentity(directory: string): string | undefined {
  const found = statSync(join(directory, socketName), { throwIfNoEntry: false });
  return found === undefined ? undefined : `${found.ino} ${found.ctimeMs}`;
}

/** Answers requests. */
export function serveControl(server: Server, answer: (request: ControlRequest) => Promise<ControlReply>): void {
  server.on("connection", (socket) => {
    let heard = "";
    socket.on("error", () => socket.destroy());
    socket.setTimeout(patience, () => socket.destroy());
    socket.on("data", (chunk) => {
      heard += chunk.toString();
      if (heard.length > longest) socket.destroy();
      if (!heard.endsWith("\n")) return;
      const request = JSON.parse(heard) as ControlRequest;
      heard = "";
      void answer(request)
        .catch((error: unknown) => ({ error: (error as Error).message }))
        .then((reply) => socket.end(`${JSON.stringify(reply)}\n`));
    });
  });
}

/** Bytes of the file that its errors go to. */
const longestLog = 1 << 20;

/** The descriptors that the process gets: the control socket as 3, and from 4 on UDP and TCP of each address. */
export const firstDescriptor = 3;

/**
 * Starts the process with sockets, which are its own as well from then on. It belongs to nobody's terminal.
 *
 * @param command gets the addresses as its last argument, joined by commas; without it, it has to bind the sockets itself
 * @returns whether it has got the sockets
 */
export function spawnServer(
  directory: string,
  command: readonly string[],
  control: Server,
  listeners: readonly Listener[],
): boolean {
  const [program = "", ...args] = command;
  const log = join(directory, "log");
  const errors = openSync(log, "a", 0o600);
  try {
    if (fstatSync(errors).size > longestLog) ftruncateSync(errors);
    const sockets = [control, ...listeners.flatMap(({ udp, tcp }) => [udp, tcp])]
      .map(descriptorOf)
      .filter((fd) => fd !== undefined);
    const areThere = sockets.length === 1 + listeners.length * 2;
    const addresses = areThere ? [listeners.map(({ address }) => address).join(",")] : [];
    const child = spawn(program, [...args, ...addresses], {
      stdio: ["ignore", "ignore", errors, ...(areThere ? sockets : [])],
      detached: true,
      cwd: "/",
      env: {},
    });
    child.on("error", () => undefined);
    child.unref();
    return areThere;
  } finally {
    closeSync(errors);
  }
}
