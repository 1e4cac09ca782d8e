/** Where a daemon is: `unix:///run/sampan/sampan.sock`, `/run/sampan/sampan.sock`, `tcp://host:port` (mutual TLS). */
import { connect as connectTcp, type Socket } from "node:net";
import { once } from "node:events";
import { invalidArgument, permissionDenied, unavailable } from "#errdefs";

export type DaemonHost =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

/** @throws SampanError `invalid-argument` */
export function parseHost(text: string): DaemonHost {
  if (text.startsWith("/")) return { kind: "unix", path: text };
  const [, scheme, rest = ""] = /^([a-z]+):\/\/(.*)$/s.exec(text) ?? [];
  if (scheme === "unix" && rest.startsWith("/")) return { kind: "unix", path: rest };
  if (scheme === "tcp" || scheme === "https") {
    const [, host = "", port = ""] = /^(\[[0-9a-fA-F:.]+\]|[^:/[\]]+):(\d{1,5})\/?$/.exec(rest) ?? [];
    if (host !== "" && Number(port) > 0 && Number(port) < 65_536)
      return { kind: "tcp", host: host.replace(/^\[|\]$/g, ""), port: Number(port) };
  }
  throw invalidArgument(`Cannot parse host "${text}": it is neither a socket nor an address`, {
    remedy: "Write unix:///run/sampan/sampan.sock or tcp://HOST:PORT",
  });
}

export function formatHost(host: DaemonHost): string {
  if (host.kind === "unix") return `unix://${host.path}`;
  return `tcp://${host.host.includes(":") ? `[${host.host}]` : host.host}:${host.port}`;
}

/**
 * Connects to a unix socket.
 *
 * @throws SampanError `unavailable` where nobody listens, `permission-denied`
 */
export async function connectSocket(path: string): Promise<Socket> {
  const socket = connectTcp({ path });
  try {
    await once(socket, "connect");
  } catch (cause) {
    socket.destroy();
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "EACCES" || code === "EPERM")
      throw permissionDenied(`Cannot reach the daemon at "${path}": permission denied`, {
        path,
        cause,
        remedy: "Run as root, or as a member of the socket's group",
      });
    throw unavailable(`Cannot reach the daemon at "${path}": nobody listens there`, {
      path,
      cause,
      remedy: "Start one with sampan daemon",
    });
  }
  return socket;
}
