/** The daemon: one engine, and the sockets it is served at. */
import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync, renameSync } from "node:fs";
import { createServer as createHttp1, type RequestListener } from "node:http";
import { createServer as createHttp2 } from "node:http2";
import { createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { callInterceptor, nativeRoutes } from "#api-native";
import { Engine, enginePaths } from "#engine";
import { failedPrecondition } from "#errdefs";
import { serveEither } from "./protocols.ts";

export interface DaemonOptions {
  readonly root?: string | undefined;
  readonly state?: string | undefined;
  readonly version: string;
}

export class Daemon implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #server: Server;
  readonly #connections = new Set<Socket>();
  readonly #shutdown = new AbortController();
  readonly socketPath: string;

  private constructor(engine: Engine, options: DaemonOptions, root: string, state: string) {
    this.#engine = engine;
    this.socketPath = join(state, "sampan.sock");
    const handler = connectNodeAdapter({
      routes: nativeRoutes({ engine, root, state, version: options.version, startedAt: Date.now() }),
      interceptors: [callInterceptor(() => undefined)],
      shutdownSignal: this.#shutdown.signal,
      readMaxBytes: 16 * 1024 * 1024,
    });
    const http1 = createHttp1(handler as RequestListener);
    const http2 = createHttp2(handler);
    this.#server = createServer((socket) => {
      this.#connections.add(socket);
      socket.once("close", () => this.#connections.delete(socket));
      serveEither(socket, http1, http2);
    });
  }

  static async start(options: DaemonOptions): Promise<Daemon> {
    const paths = enginePaths(options.root, options.state);
    const state = dirname(paths.state);
    const engine = await Engine.open({ root: paths.root, state });
    mkdirSync(state, { recursive: true, mode: 0o711 });
    const daemon = new Daemon(engine, options, paths.root, state);
    await daemon.#listen(paths.root, state);
    return daemon;
  }

  async #listen(root: string, state: string): Promise<void> {
    rmSync(this.socketPath, { force: true });
    const mask = process.umask(0o177);
    try {
      this.#server.listen({ path: this.socketPath });
      await once(this.#server, "listening");
    } finally {
      process.umask(mask);
    }
    chmodSync(this.socketPath, 0o600);
    void chownSync;
    void failedPrecondition;
    const file = join(state, "daemon.json");
    writeFileSync(`${file}.new`, `${JSON.stringify({ pid: process.pid, root, socket: this.socketPath })}\n`);
    renameSync(`${file}.new`, file);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#shutdown.abort();
    for (const socket of this.#connections) socket.destroy();
    await this.#engine[Symbol.asyncDispose]();
  }
}
