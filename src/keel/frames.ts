/**
 * Frames on a byte stream, for both clients of keel: `u32 length`, `u32 request`, `u16 kind`, the message's fields.
 * `length` counts what follows it.
 */
import { internal, invalidArgument } from "#errdefs";
import type { Request } from "#plan";
import { encodeRequest, maxFrame } from "./wire.gen.ts";
import { Reader, Writer } from "./wire.ts";

const prefixSize = 4;
/** Request id and kind: the least that a frame holds. */
const headerSize = 6;

export interface Frame {
  /** The request it answers, 0 for what nobody asked for. */
  readonly request: number;
  /** The message's number, for `decodeReply`. */
  readonly kind: number;
  /** Stands at the first field. Bytes that it gives are views of the received chunk. */
  readonly body: Reader;
}

/**
 * Encodes one request in its frame.
 *
 * @throws SampanError `invalid-argument` when the frame exceeds what keel accepts (`maxFrame` bytes)
 */
export function encodeFrame(request: number, message: Request): Uint8Array<ArrayBuffer> {
  const payload = message.kind === "input" || message.kind === "apply-data" ? message.data.length : 0;
  const writer = new Writer(payload + 128);
  appendFrame(writer, request, message);
  return writer.written;
}

/** Like {@link encodeFrame}, behind the frames that are in the writer already. */
export function appendFrame(writer: Writer, request: number, message: Request): void {
  const start = writer.written.length;
  writer.u32(0);
  writer.u32(request);
  encodeRequest(writer, message);
  const length = writer.written.length - start - prefixSize;
  if (length > maxFrame) {
    throw invalidArgument(`Cannot send "${message.kind}" to keel: ${length} bytes exceed ${maxFrame}`);
  }
  writer.patchU32(start, length);
}

/**
 * Splits a byte stream into frames. A frame that lies within one chunk is not copied; one that spans chunks is copied
 * once, into a buffer of its own size.
 */
export class FrameReader {
  readonly #limit: number;
  /** What is unread of the newest chunk. */
  #chunk: Uint8Array = new Uint8Array(0);
  /** The length of a frame, while it lies in more than one chunk. */
  readonly #prefix = new Uint8Array(prefixSize);
  #prefixFilled = 0;
  /** The frame that began in an earlier chunk. */
  #partial: Uint8Array | undefined;
  #partialFilled = 0;

  /** @param limit largest `length` in bytes; a larger one is an error, because the stream is out of step */
  constructor(limit: number = maxFrame) {
    this.#limit = limit;
  }

  /** Whether the stream may end here: no frame has begun. */
  get atBoundary(): boolean {
    return this.#chunk.length === 0 && this.#prefixFilled === 0 && this.#partial === undefined;
  }

  /**
   * Takes a chunk and gives the frames that it completes, in order. Consume them all before the next chunk.
   *
   * @throws SampanError `internal` when a length is impossible; the stream is then of no more use
   */
  *push(chunk: Uint8Array): Generator<Frame, void, undefined> {
    this.#chunk = chunk;
    for (;;) {
      const frame = this.#next();
      if (frame === undefined) return;
      yield open(frame);
    }
  }

  #next(): Uint8Array | undefined {
    if (this.#partial !== undefined) return this.#resume(this.#partial);
    const length = this.#length();
    if (length === undefined) return undefined;
    if (this.#chunk.length >= length) return this.#take(length);
    this.#partial = new Uint8Array(length);
    this.#partialFilled = 0;
    return this.#resume(this.#partial);
  }

  #length(): number | undefined {
    const part = this.#take(Math.min(prefixSize - this.#prefixFilled, this.#chunk.length));
    this.#prefix.set(part, this.#prefixFilled);
    this.#prefixFilled += part.length;
    if (this.#prefixFilled < prefixSize) return undefined;
    this.#prefixFilled = 0;
    const length = new DataView(this.#prefix.buffer).getUint32(0, true);
    if (length < headerSize || length > this.#limit) {
      throw internal(`Cannot read a frame from keel: its length is ${length}`);
    }
    return length;
  }

  #resume(partial: Uint8Array): Uint8Array | undefined {
    const part = this.#take(Math.min(partial.length - this.#partialFilled, this.#chunk.length));
    partial.set(part, this.#partialFilled);
    this.#partialFilled += part.length;
    if (this.#partialFilled < partial.length) return undefined;
    this.#partial = undefined;
    return partial;
  }

  #take(size: number): Uint8Array {
    const taken = this.#chunk.subarray(0, size);
    this.#chunk = this.#chunk.subarray(size);
    return taken;
  }
}

function open(frame: Uint8Array): Frame {
  const body = new Reader(frame);
  return { request: body.u32(), kind: body.u16(), body };
}
