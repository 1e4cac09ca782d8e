/** One of a SPDY connection's streams. Both directions end on their own. */
import { Duplex } from "node:stream";
import type { Headers } from "./headers.ts";

/** What a stream needs of its connection. */
export interface StreamOwner {
  send(stream: SpdyStream, data: Buffer, done: (error?: Error | null) => void): void;
  finish(stream: SpdyStream, done: (error?: Error | null) => void): void;
  consumed(stream: SpdyStream, bytes: number): void;
  abandon(stream: SpdyStream): void;
}

/** Bytes of one stream that wait to be read before the whole connection waits. */
const highWaterMark = 256 * 1024;

/** Bytes read until the peer is told that it may send as many more: a quarter of the first window. */
const reportAfter = 16 * 1024;

export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: Headers;
  /** Bytes that the peer takes; counts only where the peer keeps windows at all. */
  window: number;
  readonly #owner: StreamOwner;
  #roomWanted: (() => void) | undefined;
  #unreported = 0;

  constructor(owner: StreamOwner, id: number, headers: Headers, window: number) {
    super({ highWaterMark, allowHalfOpen: true, emitClose: true });
    this.#owner = owner;
    this.id = id;
    this.headers = headers;
    this.window = window;
  }

  /** Gives data to the reader; what it returns is to be awaited before more is read from the peer. */
  receive(data: Buffer): Promise<void> | undefined {
    if (this.destroyed || this.readableEnded) return undefined;
    this.#unreported += data.length;
    if (this.push(data)) return undefined;
    return new Promise((resolve) => {
      this.#roomWanted = resolve;
    });
  }

  receiveEnd(): void {
    if (!this.destroyed) this.push(null);
  }

  override _read(): void {
    this.#release();
    if (this.#unreported < reportAfter) return;
    this.#owner.consumed(this, this.#unreported);
    this.#unreported = 0;
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#owner.send(this, chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#owner.finish(this, done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#release();
    this.#owner.abandon(this);
    done(error);
  }

  #release(): void {
    this.#roomWanted?.();
    this.#roomWanted = undefined;
  }
}
