/** Who is at the other end of a connection. */
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { KeelExecutor } from "#keel";
import type { Peer } from "./policy.ts";

export class Peers implements AsyncDisposable {
  readonly #executor = new KeelExecutor();

  /** Never rejects: a client that can't be told is one that is nobody. */
  async of(socket: Socket): Promise<Peer> {
    if (socket instanceof TLSSocket) {
      const name = socket.authorized ? socket.getPeerCertificate()?.subject?.CN : undefined;
      return typeof name === "string" ? { certificate: name } : {};
    }
    const descriptor = descriptorOf(socket);
    // A TCP socket without TLS is the metrics' one.
    if (descriptor === undefined || socket.remoteAddress !== undefined) return {};
    try {
      const results = await this.#executor.execute([{ op: "peer-credentials", pid: process.pid, descriptor }]);
      // Once it is closed, its number may be another connection's: what was read may be of that one.
      if (socket.destroyed || descriptorOf(socket) !== descriptor) return {};
      const [pid, uid, gid] = new TextDecoder().decode(results.get(0)).split(" ").map(Number);
      if (pid === undefined || uid === undefined || gid === undefined) return {};
      return { pid, uid, gid };
    } catch {
      return {};
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#executor[Symbol.asyncDispose]();
  }
}

function descriptorOf(socket: Socket): number | undefined {
  const { _handle } = socket as unknown as { readonly _handle?: { readonly fd?: number } | null };
  const descriptor = _handle?.fd;
  return descriptor === undefined || descriptor < 0 ? undefined : descriptor;
}
