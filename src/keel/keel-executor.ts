/** The real executor: one `keel serve`, and one `keel apply` for each layer, over socket pairs. */
import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import { internal, SampanError, unavailable } from "#errdefs";
import type { Operation, Reply, ReplyCreated, Request } from "#plan";
import {
  createDefaults,
  type CreateOptions,
  type Executor,
  type FinishOptions,
  type LayerEntry,
  type LayerSink,
} from "./executor.ts";
import { failure } from "./failure.ts";
import { appendFrame, encodeFrame, FrameReader } from "./frames.ts";
import { FileTree, type TreeOptions } from "./file-tree.ts";
import { keelPath } from "./location.ts";
import { ended, start } from "./mode.ts";
import { decodeReply } from "./wire.gen.ts";
import { Writer } from "./wire.ts";

interface Pending {
  readonly program: readonly Operation[] | undefined;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: SampanError) => void;
}

export interface KeelOptions {
  /** keel's binary; the package's own without it. */
  readonly path?: string;
  /**
   * keel has this process's stdin, stdout and stderr, and with it containers that are created with `inheritStdio` or
   * `orphan`. They should not have been used here: Node makes pipes and terminals that it reads from non-blocking, for all
   * who share them. The executor's disposal then waits for keel's end, so that nobody inherits it.
   */
  readonly inheritStdio?: boolean;
  /** Descriptors of this process for the programs of containers that are created with `preserve`, in this order. */
  readonly preserve?: readonly number[];
}

export class KeelExecutor implements Executor {
  readonly #options: KeelOptions;
  readonly #pending = new Map<number, Pending>();
  #child: ChildProcess | undefined;
  #socket: Socket | undefined;
  #nextRequest = 1;

  /** Nothing is started before the first request. A text is keel's path. */
  constructor(options: string | KeelOptions = {}) {
    this.#options = typeof options === "string" ? { path: options } : options;
  }

  async execute(program: readonly Operation[]): Promise<ReadonlyMap<number, Uint8Array>> {
    const reply = await this.#request({ kind: "execute", program }, program);
    if (reply.kind !== "executed") throw unexpected(reply);
    return new Map(reply.results.map((r) => [r.step, r.data]));
  }

  async create(options: CreateOptions): Promise<ReplyCreated> {
    const reply = await this.#request({ kind: "create", ...createDefaults, ...options }, options.program);
    if (reply.kind !== "created") throw unexpected(reply);
    return reply;
  }

  async openLayer(root: string, options: { readonly overlay: boolean }): Promise<LayerSink> {
    const sink = new KeelLayerSink(this.#path);
    await sink.send({ kind: "apply-open", root, overlay: options.overlay });
    return sink;
  }

  openTree(options: TreeOptions): Promise<FileTree> {
    return FileTree.open(this.#path, options);
  }

  /** Ends `keel serve`. Monitors, and the containers they hold, go on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket?.end();
    this.#socket?.destroy();
    const child = this.#child;
    this.#socket = undefined;
    this.#child = undefined;
    if (this.#options.inheritStdio === true && child !== undefined) await ended(child);
  }

  get #path(): string {
    return this.#options.path ?? keelPath();
  }

  #request(request: Request, program: readonly Operation[] | undefined): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const socket = this.#connect();
      const id = this.#nextRequest;
      this.#nextRequest = id === 0xffff_ffff ? 1 : id + 1;
      const frame = encodeFrame(id, request);
      this.#pending.set(id, { program, resolve, reject });
      if (this.#pending.size === 1) {
        this.#child?.ref();
        socket.ref();
      }
      socket.write(frame);
    });
  }

  /** The process is held only while an answer is awaited, so that an idle library keeps nobody from exiting. */
  #settled(): void {
    if (this.#pending.size > 0) return;
    this.#child?.unref();
    this.#socket?.unref();
  }

  #connect(): Socket {
    if (this.#socket !== undefined) return this.#socket;
    const { inheritStdio = false, preserve = [] } = this.#options;
    const child = start(this.#path, "serve", inheritStdio, preserve);
    const socket = child.stdio[3] as Socket;
    const reader = new FrameReader();
    socket.on("data", (chunk: Buffer) => {
      try {
        for (const frame of reader.push(chunk)) {
          const reply = decodeReply(frame.kind, frame.body);
          const pending = this.#pending.get(frame.request);
          if (reply === undefined || pending === undefined) continue;
          this.#pending.delete(frame.request);
          if (reply.kind === "failed") pending.reject(failure(reply, pending.program));
          else pending.resolve(reply);
        }
        this.#settled();
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
    const lost = (cause?: unknown): void => {
      if (this.#socket === socket) {
        this.#socket = undefined;
        this.#child = undefined;
      }
      const error = unavailable("Cannot reach keel: it has ended", cause === undefined ? {} : { cause });
      for (const pending of this.#pending.values()) pending.reject(error);
      this.#pending.clear();
    };
    socket.on("error", lost);
    socket.on("close", () => lost());
    child.on("error", lost);
    this.#child = child;
    this.#socket = socket;
    this.#settled();
    return socket;
  }
}

/** Frames of a layer are sent together when they are this many bytes: a small file has three. */
const batchSize = 128 * 1024;

/** Entries go to keel without an answer each; the first failure ends the sink. */
class KeelLayerSink implements LayerSink {
  readonly #child: ChildProcess;
  readonly #socket: Socket;
  readonly #answer: Promise<Reply | SampanError>;
  #failed: SampanError | undefined;
  #drained: Promise<void> | undefined;
  #batch = new Writer(batchSize * 2);
  #spare: Writer | undefined;

  constructor(path: string) {
    this.#child = start(path, "apply");
    const socket = this.#child.stdio[3] as Socket;
    this.#socket = socket;
    const reader = new FrameReader();
    this.#answer = new Promise((resolve) => {
      const end = (error: SampanError): void => {
        this.#failed ??= error;
        resolve(this.#failed);
      };
      socket.on("data", (chunk: Buffer) => {
        for (const frame of reader.push(chunk)) {
          const reply = decodeReply(frame.kind, frame.body);
          if (reply?.kind === "failed") end(layerFailure(failure(reply, undefined)));
          else if (reply !== undefined) resolve(reply);
        }
      });
      socket.on("error", (cause) => end(unavailable("Cannot unpack the layer: keel has ended", { cause })));
      socket.on("close", () => end(unavailable("Cannot unpack the layer: keel has ended")));
      this.#child.on("error", (cause) => end(unavailable("Cannot unpack the layer: keel does not start", { cause })));
    });
  }

  async send(entry: Request): Promise<void> {
    if (this.#failed !== undefined) throw this.#failed;
    appendFrame(this.#batch, 1, entry);
    if (this.#batch.written.length >= batchSize) await this.#flush();
  }

  /** One batch is on its way while the next one is filled. */
  async #flush(): Promise<void> {
    await this.#drained;
    if (this.#failed !== undefined) throw this.#failed;
    const full = this.#batch;
    this.#batch = this.#spare ?? new Writer(batchSize * 2);
    this.#spare = undefined;
    const sent = (): void => {
      full.clear();
      this.#spare = full;
    };
    if (!this.#socket.write(full.written, sent))
      this.#drained ??= new Promise<void>((resolve) => {
        const done = (): void => {
          this.#socket.off("drain", done);
          this.#socket.off("close", done);
          this.#drained = undefined;
          resolve();
        };
        this.#socket.on("drain", done);
        this.#socket.on("close", done);
      });
  }

  write(entry: LayerEntry): Promise<void> {
    return this.send(entry);
  }

  async finish({ sync, marks = [] }: FinishOptions): Promise<void> {
    await this.send({ kind: "apply-finish", sync, marks });
    await this.#flush();
    const answer = await this.#answer;
    if (answer instanceof Error) throw answer;
    if (answer.kind !== "done") throw unexpected(answer);
    if (marks.length === 0) return await this[Symbol.asyncDispose]();
    this.#socket.destroy();
    this.#child.unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.destroyed) return;
    this.#socket.destroy();
    // Until keel has gone it may still be making entries.
    await ended(this.#child);
  }
}

function layerFailure(error: SampanError): SampanError {
  return new SampanError(error.code, `Cannot unpack the layer: ${error.message.replace(/^Cannot /, "cannot ")}`, {
    ...error.fields,
    cause: error,
  });
}

function unexpected(reply: Reply): SampanError {
  return internal(`Cannot understand keel: it answered "${reply.kind}"`);
}
