/**
 * The server's side of a SPDY 3.1 connection, as far as Kubernetes' streams need it: the client opens streams, both sides send
 * data on them, either may end or reset one.
 *
 * Nothing is buffered without bound: a stream that is not read stops the reading of the connection, and what is written waits
 * for the socket. Windows are kept for peers that keep them. Kubernetes' own client does not (it never sends a
 * WINDOW_UPDATE), and would wait for ever for what a window held back; so they count from the first sign of them on.
 */
import type { Duplex } from "node:stream";
import { invalidArgument, unavailable } from "#errdefs";
import {
  decodeHead,
  encodeControl,
  encodeDataHead,
  flagFin,
  frameType,
  headSize,
  initialWindowSetting,
  resetStatus,
  word,
  words,
} from "./frames.ts";
import { HeaderDecoder, HeaderEncoder } from "./headers.ts";
import { SpdyStream, type StreamOwner } from "./stream.ts";

export interface SpdyOptions {
  /** A stream that the client opened; it has been accepted. */
  readonly onStream: (stream: SpdyStream) => void;
  /** Streams that may be open at once. */
  readonly maxStreams: number;
}

const initialWindow = 64 * 1024;
/** Bytes of one data frame: small enough for streams to take turns. */
const maxData = 32 * 1024;

interface Waiting {
  readonly stream: SpdyStream;
  readonly go: () => void;
}

export class SpdyConnection implements StreamOwner {
  readonly #socket: Duplex;
  readonly #options: SpdyOptions;
  readonly #streams = new Map<number, SpdyStream>();
  readonly #decoder = new HeaderDecoder();
  readonly #encoder = new HeaderEncoder();
  #lastStream = 0;
  #windowsKept = false;
  #window = initialWindow;
  #peerInitialWindow = initialWindow;
  #waiting: Waiting[] = [];
  #closed = false;

  constructor(socket: Duplex, options: SpdyOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.on("error", () => undefined);
  }

  /** Serves the connection until it ends. Never rejects: streams get the error. */
  async run(): Promise<void> {
    let failure: Error | undefined;
    try {
      await this.#read();
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
      if (!this.#socket.destroyed) this.#socket.end(encodeControl(frameType.goAway, 0, words(this.#lastStream, 1)));
    }
    this.#shut(failure);
  }

  /** Says that no more streams are taken, and closes when all that is written has been sent. */
  close(): void {
    if (this.#closed) return;
    this.#socket.end(encodeControl(frameType.goAway, 0, words(this.#lastStream, 0)));
    this.#shut(undefined);
  }

  #shut(failure: Error | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#decoder.close();
    this.#encoder.close();
    const gone = failure ?? unavailable("Cannot go on with a stream: its connection has been closed");
    for (const stream of this.#streams.values()) {
      // A reader sees the end of what arrived, a writer the error.
      if (!stream.readableEnded) stream.destroy(gone);
      else if (!stream.writableFinished) stream.destroy(gone);
    }
    this.#streams.clear();
    for (const { go } of this.#waiting.splice(0)) go();
  }

  async #read(): Promise<void> {
    let held: Buffer = Buffer.alloc(0);
    /** Bytes left of the data frame that is being read. */
    let left = 0;
    let stream: SpdyStream | undefined;
    let fin = false;
    for await (const chunk of this.#socket as AsyncIterable<Buffer>) {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      while (held.length > 0) {
        if (left > 0) {
          const part = held.subarray(0, left);
          held = held.subarray(part.length);
          left -= part.length;
          await stream?.receive(part);
          if (left === 0 && fin) this.#ended(stream);
          continue;
        }
        if (held.length < headSize) break;
        const head = decodeHead(held);
        if (head.control) {
          if (held.length < headSize + head.length) break;
          const body = held.subarray(headSize, headSize + head.length);
          held = held.subarray(headSize + head.length);
          await this.#control(head.type, head.flags, body);
          continue;
        }
        held = held.subarray(headSize);
        stream = this.#streams.get(head.stream);
        if (stream === undefined && head.stream > this.#lastStream) this.#reset(head.stream, resetStatus.invalidStream);
        left = head.length;
        fin = (head.flags & flagFin) !== 0;
        if (left === 0 && fin) this.#ended(stream);
      }
    }
  }

  async #control(type: number, flags: number, body: Buffer): Promise<void> {
    switch (type) {
      case frameType.synStream:
        return await this.#open(word(body, 0) & 0x7fff_ffff, flags, body.subarray(10));
      case frameType.rstStream: {
        const stream = this.#forget(word(body, 0));
        stream?.destroy(unavailable(`Cannot go on with a stream: the client has reset it (status ${word(body, 1)})`));
        return;
      }
      case frameType.settings:
        this.#settings(body);
        return;
      case frameType.ping:
        // The client's pings have odd ids; an even one is the answer to one of ours.
        if (word(body, 0) % 2 === 1) this.#socket.write(encodeControl(frameType.ping, 0, body.subarray(0, 4)));
        return;
      case frameType.windowUpdate:
        this.#windowUpdate(word(body, 0) & 0x7fff_ffff, word(body, 1) & 0x7fff_ffff);
        return;
      case frameType.headers: {
        // Only read: the blocks of a connection are one compressed text.
        await this.#decoder.decode(body.subarray(4));
        if ((flags & flagFin) !== 0) this.#ended(this.#streams.get(word(body, 0)));
        return;
      }
      case frameType.synReply:
        throw invalidArgument("Cannot read a SPDY frame: a reply came where nothing was asked");
      default:
        // GOAWAY tells that no stream follows; what else may come is passed over (2.2.1).
        return;
    }
  }

  async #open(id: number, flags: number, block: Buffer): Promise<void> {
    const headers = await this.#decoder.decode(block);
    if (id % 2 === 0 || id <= this.#lastStream)
      throw invalidArgument(`Cannot open SPDY stream ${id}: ${id % 2 === 0 ? "its number is even" : "it was used"}`);
    this.#lastStream = id;
    if (this.#streams.size >= this.#options.maxStreams) {
      this.#reset(id, resetStatus.refusedStream);
      return;
    }
    const stream = new SpdyStream(this, id, headers, this.#peerInitialWindow);
    stream.on("error", () => undefined);
    this.#streams.set(id, stream);
    const reply = await this.#encoder.encode(new Map());
    this.#socket.write(encodeControl(frameType.synReply, 0, Buffer.concat([words(id), reply])));
    this.#options.onStream(stream);
    if ((flags & flagFin) !== 0) this.#ended(stream);
  }

  #ended(stream: SpdyStream | undefined): void {
    stream?.receiveEnd();
  }

  #settings(body: Buffer): void {
    const count = word(body, 0);
    for (let index = 0; index < count; index += 1) {
      const id = word(body, 1 + index * 2) & 0xff_ffff;
      if (id !== initialWindowSetting) continue;
      const size = word(body, 2 + index * 2);
      for (const stream of this.#streams.values()) stream.window += size - this.#peerInitialWindow;
      this.#peerInitialWindow = size;
      this.#windowsKept = true;
    }
    this.#goOn();
  }

  #windowUpdate(id: number, delta: number): void {
    this.#windowsKept = true;
    if (id === 0) this.#window += delta;
    else {
      const stream = this.#streams.get(id);
      if (stream !== undefined) stream.window += delta;
    }
    this.#goOn();
  }

  #goOn(): void {
    for (const { go } of this.#waiting.splice(0)) go();
  }

  send(stream: SpdyStream, data: Buffer, done: (error?: Error | null) => void): void {
    if (this.#closed || !this.#streams.has(stream.id)) {
      done(unavailable("Cannot write to a stream: its connection has been closed"));
      return;
    }
    const room = this.#windowsKept ? Math.min(stream.window, this.#window) : maxData;
    if (room <= 0) {
      this.#waiting.push({ stream, go: () => this.send(stream, data, done) });
      return;
    }
    const part = data.subarray(0, Math.min(room, maxData));
    const rest = data.subarray(part.length);
    stream.window -= part.length;
    this.#window -= part.length;
    this.#socket.cork();
    this.#socket.write(encodeDataHead(stream.id, 0, part.length));
    this.#socket.write(part, (error) => {
      if (error !== null && error !== undefined) done(error);
      else if (rest.length > 0) this.send(stream, rest, done);
      else done();
    });
    this.#socket.uncork();
  }

  finish(stream: SpdyStream, done: (error?: Error | null) => void): void {
    if (this.#closed || this.#socket.destroyed || !this.#streams.has(stream.id)) done();
    else this.#socket.write(encodeDataHead(stream.id, flagFin, 0), () => done());
  }

  consumed(stream: SpdyStream, bytes: number): void {
    if (this.#closed || this.#socket.destroyed) return;
    for (const id of [stream.id, 0]) this.#socket.write(encodeControl(frameType.windowUpdate, 0, words(id, bytes)));
  }

  abandon(stream: SpdyStream): void {
    if (this.#forget(stream.id) === undefined || this.#closed) return;
    if (!stream.readableEnded || !stream.writableFinished) this.#reset(stream.id, resetStatus.cancel);
  }

  #forget(id: number): SpdyStream | undefined {
    const stream = this.#streams.get(id);
    this.#streams.delete(id);
    return stream;
  }

  #reset(id: number, status: number): void {
    if (!this.#socket.destroyed) this.#socket.write(encodeControl(frameType.rstStream, 0, words(id, status)));
  }
}
