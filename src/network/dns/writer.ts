/** Writes one message, and remembers where names stand in it. */
import { malformed } from "./malformed.ts";

/** Largest message: TCP gives its length in 16 bits. */
const maximumMessage = 65_535;
/** A pointer has 14 bits. */
const reach = 0x4000;

/** What is written goes here first; one message at a time, without anything else in between. */
const scratch = new Uint8Array(maximumMessage);
const view = new DataView(scratch.buffer);

export class MessageWriter {
  #at = 0;
  readonly #names = new Map<string, number>();

  get length(): number {
    return this.#at;
  }

  #advance(size: number): number {
    const at = this.#at;
    if (at + size > maximumMessage) throw malformed("it is longer than 65535 bytes");
    this.#at = at + size;
    return at;
  }

  u8(value: number): void {
    scratch[this.#advance(1)] = value;
  }

  u16(value: number): void {
    view.setUint16(this.#advance(2), value);
  }

  u32(value: number): void {
    view.setUint32(this.#advance(4), value);
  }

  bytes(value: Uint8Array): void {
    scratch.set(value, this.#advance(value.length));
  }

  /** Fills in two bytes that were left for it. */
  patch(at: number, value: number): void {
    view.setUint16(at, value);
  }

  /** Notes that a name is about to be written here. */
  remember(name: string): void {
    if (this.#at < reach && !this.#names.has(name)) this.#names.set(name, this.#at);
  }

  /** Where a name stands, with the same capitals. */
  offsetOf(name: string): number | undefined {
    return this.#names.get(name);
  }

  finish(): Uint8Array<ArrayBuffer> {
    return scratch.slice(0, this.#at);
  }
}
