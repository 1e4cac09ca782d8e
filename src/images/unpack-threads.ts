/**
 * Threads in which large layers are unpacked: Node's own thread takes the bytes from the network then, and verifies and
 * stores them, while others verify what they unpack to, read the archive and talk to keel. On two processors a
 * pull of 242 MB took 5.1 s with zstd and 6.8 s with gzip, and 220 MB of memory; without them 5.7 s, 5.8 s and 140 MB. So they
 * are only for who asks for them.
 */
import { existsSync } from "node:fs";
import { MessageChannel, Worker } from "node:worker_threads";
import { internal } from "#errdefs";
import type { LayerJob, UnpackedLayer } from "./layer-work.ts";
import { errorOf, type FromThread, type ThreadRequest, type ToThread } from "./thread-messages.ts";

/** Bytes of one message: each costs a turn of both threads. */
const chunkSize = 256 * 1024;
/** Chunks on their way for one layer. */
const window = 4;
/** Each has memory of its own; with more, a pull of four large layers takes more than 200 MB. */
const maxThreads = 2;

/** The thread's program: beside this file, or of the bundle. */
function programPath(): URL | undefined {
  for (const candidate of ["./unpack-thread.ts", "./unpack/program.cjs", "../unpack/program.cjs"]) {
    const url = new URL(candidate, import.meta.url);
    if (existsSync(url)) return url;
  }
  return undefined;
}

interface Thread {
  readonly worker: Worker;
  layers: number;
}

export class UnpackThreads implements AsyncDisposable {
  readonly #threads: Thread[];
  #lost: Error | undefined;
  readonly #onLost = new Set<(error: Error) => void>();

  private constructor(program: URL, count: number) {
    this.#threads = Array.from({ length: count }, () => {
      const worker = new Worker(program, { resourceLimits: { maxYoungGenerationSizeMb: 4 } });
      worker.on("error", (cause: unknown) => {
        this.#lost ??= internal("Cannot unpack the layer: its thread has failed", { cause });
        for (const tell of this.#onLost) tell(this.#lost);
      });
      return { worker, layers: 0 };
    });
  }

  /** @returns undefined where the program is not to be found */
  static start(layers: number): UnpackThreads | undefined {
    const program = programPath();
    return program && new UnpackThreads(program, Math.min(layers, maxThreads));
  }

  /**
   * Unpacks a layer as `unpackInto` does, in the thread that has least to do.
   *
   * @throws what the stream throws; otherwise like `unpackInto`
   */
  async unpack(job: LayerJob, compressed: AsyncIterable<Uint8Array>): Promise<UnpackedLayer> {
    const [thread] = this.#threads.toSorted((a, b) => a.layers - b.layers);
    if (thread === undefined) throw internal("Cannot unpack the layer: there is no thread");
    thread.layers += 1;
    try {
      return await this.#unpack(thread.worker, job, compressed);
    } finally {
      thread.layers -= 1;
    }
  }

  async #unpack(worker: Worker, job: LayerJob, compressed: AsyncIterable<Uint8Array>): Promise<UnpackedLayer> {
    const { port1: port, port2 } = new MessageChannel();
    const { promise: answer, resolve, reject } = Promise.withResolvers<UnpackedLayer>();
    // It may come while nobody waits for it.
    answer.catch(() => undefined);
    let sent = 0;
    let over = false;
    let wake = (): void => {};
    const end = (): void => {
      over = true;
      wake();
    };
    const lost = (error: Error): void => {
      reject(error);
      end();
    };
    port.on("message", (message: FromThread) => {
      if (message.kind === "taken") sent -= 1;
      else if (message.kind === "done") resolve(message.layer);
      else reject(errorOf(message.error));
      if (message.kind === "taken") wake();
      else end();
    });
    if (this.#lost !== undefined) lost(this.#lost);
    this.#onLost.add(lost);
    const send = (message: ToThread, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);
    worker.postMessage({ job, port: port2 } satisfies ThreadRequest, [port2]);
    try {
      for await (const chunk of gathered(compressed)) {
        // oxlint-disable-next-line typescript/no-unnecessary-condition, eslint/no-unmodified-loop-condition -- set by an event
        while (sent === window && !over) await new Promise<void>((resolve) => (wake = resolve));
        // oxlint-disable-next-line typescript/no-unnecessary-condition -- set by an event
        if (over) break;
        sent += 1;
        send({ kind: "chunk", chunk }, [chunk.buffer]);
      }
      send({ kind: "end" });
      return await answer;
    } catch (error) {
      send({ kind: "failed" });
      await answer.catch(() => undefined);
      throw error;
    } finally {
      this.#onLost.delete(lost);
      port.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }
}

/** Copies, since a chunk from elsewhere may share its memory with others, which can't be given away then. */
async function* gathered(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let buffer = new Uint8Array(new ArrayBuffer(chunkSize));
  let filled = 0;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length;) {
      const part = Math.min(chunkSize - filled, chunk.length - at);
      buffer.set(chunk.subarray(at, at + part), filled);
      filled += part;
      at += part;
      if (filled < chunkSize) continue;
      yield buffer;
      buffer = new Uint8Array(new ArrayBuffer(chunkSize));
      filled = 0;
    }
  }
  if (filled > 0) yield buffer.subarray(0, filled);
}
