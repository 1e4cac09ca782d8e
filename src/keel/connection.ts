/** One connection to keel: requests out, frames in, each given to whoever made the request. */
import type { Socket } from "node:net";
import { internal, unavailable } from "#errdefs";
import type { Reply, Request } from "#plan";
import { encodeFrame, FrameReader, type Frame } from "./frames.ts";
import { decodeReply } from "./wire.gen.ts";

/** Takes one reply to a request. Nothing more is read from the connection while a returned promise is pending. */
export type ReplyHandler = (reply: Reply) => Promise<void> | undefined | void;

interface Pending {
  readonly reply: ReplyHandler;
  readonly fail: (error: unknown) => void;
}

export class Connection {
  readonly #socket: Socket;
  readonly #frames = new FrameReader();
  readonly #pending = new Map<number, Pending>();
  #last = 0;
  #ended: unknown;
  #drained: PromiseWithResolvers<void> | undefined;

  /** @param socket connected; it belongs to the connection from now on */
  constructor(socket: Socket) {
    this.#socket = socket;
    socket.unref();
    socket.on("data", (chunk: Buffer) => this.#take(this.#frames.push(chunk)));
    socket.on("drain", () => this.#release());
    socket.on("error", (cause) => this.#end(unavailable("Cannot reach keel: the connection failed", { cause })));
    const closed = (): void => this.#end(unavailable("Cannot reach keel: the connection is closed"));
    socket.on("close", closed);
    // It may have been closed since it was made; no event tells so any more.
    if (socket.destroyed) closed();
  }

  /** Whether the connection is of no more use. */
  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /**
   * Sends a request whose replies go to `reply`, until {@link forget}.
   *
   * @param fail called once at most, with the reason why no reply comes any more
   * @returns the request's id
   */
  open(request: Request, reply: ReplyHandler, fail: (error: unknown) => void): number {
    this.#last += 1;
    const id = this.#last;
    if (this.#ended !== undefined) {
      fail(this.#ended);
      return id;
    }
    const frame = encodeFrame(id, request);
    this.#pending.set(id, { reply, fail });
    this.#socket.ref();
    this.#socket.write(frame);
    return id;
  }

  /** Sends a request that has one reply. */
  async ask(request: Request): Promise<Reply> {
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const id = this.open(request, resolve, reject);
    try {
      return await promise;
    } finally {
      this.forget(id);
    }
  }

  /**
   * Sends a message that belongs to an open request and has no reply.
   *
   * @returns a promise when the caller should not send more before it resolves; it does at the connection's end too
   */
  send(id: number, request: Request): Promise<void> | undefined {
    if (this.#ended !== undefined || this.#socket.write(encodeFrame(id, request))) return undefined;
    this.#drained ??= Promise.withResolvers<void>();
    return this.#drained.promise;
  }

  /** Wants no more replies. A connection without any open request keeps no process from ending. */
  forget(id: number): void {
    this.#pending.delete(id);
    if (this.#pending.size === 0) this.#socket.unref();
  }

  /** Ends the connection once what was sent is out; requests that are open fail with `reason`, at once. */
  close(reason: unknown): void {
    if (this.#ended !== undefined) return;
    this.#socket.end();
    this.#settle(reason);
    // Whatever still comes is thrown away, until the other side has seen the end.
    this.#socket.resume();
    this.#socket.unref();
  }

  /** Ends the connection at once. */
  destroy(reason: unknown): void {
    this.#end(reason);
  }

  #release(): void {
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  #end(reason: unknown): void {
    this.#socket.destroy();
    this.#settle(reason);
  }

  #settle(reason: unknown): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#release();
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { fail } of pending) fail(reason);
  }

  /** Hands out frames until a handler wants to be waited for; goes on, with the frames that are left, after it. */
  #take(frames: Generator<Frame, void, undefined>): void {
    if (this.#ended !== undefined) return;
    try {
      for (let next = frames.next(); next.done !== true; next = frames.next()) {
        const waiting = this.#dispatch(next.value);
        if (this.#ended !== undefined) return;
        if (waiting !== undefined) {
          this.#socket.pause();
          void this.#resume(waiting, frames);
          return;
        }
      }
    } catch (error) {
      this.#end(error);
    }
  }

  async #resume(waiting: Promise<void>, frames: Generator<Frame, void, undefined>): Promise<void> {
    try {
      await waiting;
    } catch (error) {
      this.#end(error);
    }
    if (this.#ended !== undefined) return;
    this.#socket.resume();
    this.#take(frames);
  }

  #dispatch({ request, kind, body }: Frame): Promise<void> | undefined {
    const pending = this.#pending.get(request);
    // Replies to a request that was given up meanwhile.
    if (pending === undefined) return undefined;
    const reply = decodeReply(kind, body);
    if (reply === undefined) throw internal(`Cannot read a frame from keel: its kind is ${kind}`);
    return pending.reply(reply) ?? undefined;
  }
}
