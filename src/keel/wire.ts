/** Reader and writer of the wire's scalar types; the messages are in `wire.gen.ts`. */
import { internal } from "#errdefs";
import { decodeName } from "./raw-text.ts";

const encoder = new TextEncoder();

/** A growing buffer. `written` is a view of what was written; it is valid until the next write. */
export class Writer {
  #buffer: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #size = 0;

  constructor(capacity = 4096) {
    this.#buffer = new Uint8Array(capacity);
    this.#view = new DataView(this.#buffer.buffer);
  }

  get written(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(0, this.#size);
  }

  /** Starts again with an empty buffer, in the same memory. */
  clear(): void {
    this.#size = 0;
  }

  #reserve(size: number): number {
    const at = this.#size;
    const need = at + size;
    if (need > this.#buffer.length) {
      let capacity = this.#buffer.length * 2;
      while (capacity < need) capacity *= 2;
      const grown = new Uint8Array(capacity);
      grown.set(this.#buffer.subarray(0, at));
      this.#buffer = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#size = need;
    return at;
  }

  /** Overwrites four bytes written before. */
  patchU32(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  u8(value: number): void {
    const at = this.#reserve(1);
    this.#view.setUint8(at, value);
  }

  u16(value: number): void {
    const at = this.#reserve(2);
    this.#view.setUint16(at, value, true);
  }

  u32(value: number): void {
    const at = this.#reserve(4);
    this.#view.setUint32(at, value, true);
  }

  i32(value: number): void {
    const at = this.#reserve(4);
    this.#view.setInt32(at, value, true);
  }

  u64(value: bigint): void {
    const at = this.#reserve(8);
    this.#view.setBigUint64(at, value, true);
  }

  i64(value: bigint): void {
    const at = this.#reserve(8);
    this.#view.setBigInt64(at, value, true);
  }

  bool(value: boolean): void {
    this.u8(value ? 1 : 0);
  }

  /**
   * Lone surrogates U+DC80 to U+DCFF become the bytes 0x80 to 0xFF: that is how `#archive` has the bytes of a file's name
   * that are not UTF-8 (as in Python, PEP 383).
   */
  string(value: string): void {
    if (value.includes("\0")) throw internal(`Cannot encode ${JSON.stringify(value)}: it contains a NUL character`);
    // A UTF-16 code unit takes at most three bytes of UTF-8.
    const at = this.#reserve(4 + value.length * 3 + 1);
    const target = this.#buffer.subarray(at + 4);
    const written = value.isWellFormed() ? encoder.encodeInto(value, target).written : encodeRaw(value, target);
    this.#view.setUint32(at, written, true);
    this.#buffer[at + 4 + written] = 0;
    this.#size = at + 4 + written + 1;
  }

  bytes(value: Uint8Array): void {
    const at = this.#reserve(4 + value.length);
    this.#view.setUint32(at, value.length, true);
    this.#buffer.set(value, at + 4);
  }
}

function encodeRaw(value: string, target: Uint8Array): number {
  let at = 0;
  for (const character of value) {
    const code = character.charCodeAt(0);
    if (code >= 0xdc80 && code <= 0xdcff) {
      target[at] = code - 0xdc00;
      at += 1;
    } else at += encoder.encodeInto(character, target.subarray(at)).written;
  }
  return at;
}

/** Reads what keel wrote. Running past the end throws: keel and its client always come from one build. */
export class Reader {
  readonly #data: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(data: Uint8Array) {
    this.#data = data;
    this.#view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  }

  #take(size: number): number {
    const at = this.#at;
    if (at + size > this.#data.length) throw internal("Cannot decode a frame from keel: it ends too early");
    this.#at = at + size;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#take(8), true);
  }

  bool(): boolean {
    return this.u8() !== 0;
  }

  /** Bytes that are not UTF-8 become lone surrogates, which {@link Writer.string} turns back. */
  string(): string {
    const size = this.u32();
    const at = this.#take(size + 1);
    return decodeName(this.#data.subarray(at, at + size));
  }

  /** A view of the frame, not a copy. */
  bytes(): Uint8Array {
    const size = this.u32();
    const at = this.#take(size);
    return this.#data.subarray(at, at + size);
  }

  list<T>(item: () => T): T[] {
    const count = this.u32();
    const items: T[] = [];
    for (let i = 0; i < count; i += 1) items.push(item());
    return items;
  }
}
