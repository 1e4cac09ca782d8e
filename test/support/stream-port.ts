/** A port of this process's loopback that leads to one of a test host's, whose network is another one. */
import { once } from "node:events";
import { createServer, connect, type AddressInfo, type Server } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream";
import type { TestHost } from "./testhost.ts";

export class StreamPort implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(host: TestHost, port: number): Promise<StreamPort> {
    const path = join(host.files, `port-${port}`);
    host.spawn(["socat", `UNIX-LISTEN:${path},fork,backlog=64`, `TCP:127.0.0.1:${port}`]);
    const server = createServer({ allowHalfOpen: true }, (client) => {
      const inside = connect({ path, allowHalfOpen: true });
      pipeline(client, inside, () => undefined);
      pipeline(inside, client, () => undefined);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new StreamPort(server);
  }

  /** An address that names the host's port, by this one. */
  through(url: string): string {
    const { port } = this.#server.address() as AddressInfo;
    return url.replace(/^(\w+:\/\/)[^/]+/, `$1127.0.0.1:${port}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
