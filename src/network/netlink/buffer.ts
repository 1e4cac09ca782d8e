/**
 * Bytes of netlink messages. Numbers are in the host's byte order, which is little endian on every machine that Sampan
 * runs on; those that the kernel keeps in network order say so by their name.
 */
import { SampanError } from "#errdefs";

/** An error for bytes that are no message: what sent them is not the kernel we know. */
export function malformed(what: string): SampanError {
  return new SampanError("data-loss", `Cannot decode a netlink message: ${what}`);
}

/** Lengths are rounded up to this (NLMSG_ALIGNTO, NLA_ALIGNTO). */
export const align = (size: number): number => (size + 3) & ~3;

/** A growing buffer, always padded to four bytes after each attribute. */
export class ByteWriter {
  #buffer = new Uint8Array(1024);
  #view = new DataView(this.#buffer.buffer);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** A copy of all that was written. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#buffer.slice(0, this.#size);
  }

  /** Adds zeros. Returns where they begin. */
  skip(size: number): number {
    const at = this.#size;
    const need = at + size;
    if (need > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(need, this.#buffer.length * 2));
      grown.set(this.#buffer.subarray(0, at));
      this.#buffer = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#size = need;
    return at;
  }

  pad(): void {
    this.skip(align(this.#size) - this.#size);
  }

  u8(value: number): void {
    const at = this.skip(1);
    this.#view.setUint8(at, value);
  }

  u16(value: number): void {
    const at = this.skip(2);
    this.#view.setUint16(at, value, true);
  }

  u32(value: number): void {
    const at = this.skip(4);
    this.#view.setUint32(at, value, true);
  }

  u64(value: bigint): void {
    const at = this.skip(8);
    this.#view.setBigUint64(at, value, true);
  }

  be16(value: number): void {
    const at = this.skip(2);
    this.#view.setUint16(at, value);
  }

  be32(value: number): void {
    const at = this.skip(4);
    this.#view.setUint32(at, value);
  }

  be64(value: bigint): void {
    const at = this.skip(8);
    this.#view.setBigUint64(at, value);
  }

  bytes(value: Uint8Array): void {
    const at = this.skip(value.length);
    this.#buffer.set(value, at);
  }

  /** Overwrites two bytes written before. */
  patchU16(at: number, value: number): void {
    this.#view.setUint16(at, value, true);
  }

  /** Overwrites four bytes written before. */
  patchU32(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }
}

export const viewOf = (data: Uint8Array): DataView => new DataView(data.buffer, data.byteOffset, data.byteLength);
