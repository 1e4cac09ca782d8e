/**
 * Connections into pods, to ports of their loopback interface. A process of keel in the pod's network namespace makes them
 * (`forward-namespace`): one for each pod that has any, which ends with the last of them, or with this process.
 */
import { mkdirSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { getSystemErrorName } from "node:util";
import { cancelled, failedPrecondition, unavailable } from "#errdefs";
import type { EngineCore } from "../core.ts";

interface Forwarder {
  /** Its socket, when it listens. */
  readonly path: Promise<string>;
  users: number;
}

export class PodForwards {
  readonly #core: EngineCore;
  readonly #forwarders = new Map<string, Forwarder>();

  constructor(core: EngineCore) {
    this.#core = core;
  }

  /**
   * @param id of the pod
   * @throws SampanError `failed-precondition` when the pod is not up, `unavailable` when nobody listens on the port
   */
  async connect(id: string, port: number, signal?: AbortSignal): Promise<Socket> {
    const pod = this.#core.pods.find(id);
    if (!this.#core.pods.isUp(pod.id))
      throw failedPrecondition(`Cannot connect to pod "${pod.name}": it is not running`);
    const forwarder = this.#use(pod.id, pod.options.network === "host");
    let socket: Socket | undefined;
    try {
      socket = connect({ path: await forwarder.path, allowHalfOpen: true });
      const code = await ask(socket, port, signal);
      if (code !== 0) {
        const name = getSystemErrorName(-code);
        const state = name === "ECONNREFUSED" ? "nobody listens on it" : name;
        throw unavailable(`Cannot connect to port ${port} of pod "${pod.name}": ${state}`, { errno: code });
      }
    } catch (error) {
      socket?.destroy();
      this.#leave(pod.id, forwarder);
      throw error;
    }
    socket.once("close", () => this.#leave(pod.id, forwarder));
    return socket;
  }

  #use(id: string, isHost: boolean): Forwarder {
    const known = this.#forwarders.get(id);
    if (known !== undefined) {
      known.users += 1;
      return known;
    }
    const forwarder = { path: this.#start(id, isHost), users: 1 };
    this.#forwarders.set(id, forwarder);
    return forwarder;
  }

  async #start(id: string, isHost: boolean): Promise<string> {
    const directory = join(this.#core.paths.state, "..", "forwards");
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const name = `${id.slice(0, 12)}-${process.pid}`;
    const network = isHost ? "" : join(this.#core.pods.directory(id), "net");
    await this.#core.executor.execute([{ op: "forward-namespace", directory, name, network, pid: process.pid }]);
    return join(directory, name);
  }

  #leave(id: string, forwarder: Forwarder): void {
    forwarder.users -= 1;
    if (forwarder.users === 0) this.#end(id, forwarder);
  }

  #end(id: string, forwarder: Forwarder): void {
    if (this.#forwarders.get(id) !== forwarder) return;
    this.#forwarders.delete(id);
    forwarder.path.then(
      (path) => rmSync(path, { force: true }),
      () => undefined,
    );
  }

  /** Ends all connections into a pod: they would keep its network alive. */
  close(id: string): void {
    const forwarder = this.#forwarders.get(id);
    if (forwarder !== undefined) this.#end(id, forwarder);
  }
}

/** Names the port, and resolves with 0 when it is connected, or with an errno. */
async function ask(socket: Socket, port: number, signal: AbortSignal | undefined): Promise<number> {
  socket.write(Buffer.from([port >> 8, port & 0xff]));
  return await new Promise((resolve, reject) => {
    const stop = (): void => {
      socket.off("readable", onReadable);
      socket.off("error", onEnd);
      socket.off("close", onEnd);
      signal?.removeEventListener("abort", onAbort);
    };
    const onReadable = (): void => {
      const answer = socket.read(1) as Buffer | null;
      if (answer === null) return;
      stop();
      resolve(answer[0] ?? 0);
    };
    const onEnd = (error?: unknown): void => {
      stop();
      reject(unavailable(`Cannot connect to port ${port}: the pod's forwarder has gone`, { cause: error }));
    };
    const onAbort = (): void => {
      stop();
      reject(cancelled(`Cannot connect to port ${port}: the client has gone`));
    };
    socket.on("readable", onReadable);
    socket.on("error", onEnd);
    socket.on("close", onEnd);
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
  });
}
