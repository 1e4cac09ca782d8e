/** A writer of tar archives for tests: exact control over each header, right or wrong. */
import { blockSize, padding } from "./header.ts";

export interface WrittenEntry {
  readonly name: string | Uint8Array;
  /** `0` by default. */
  readonly type?: string;
  readonly linkname?: string | Uint8Array;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly major?: number;
  readonly minor?: number;
  readonly data?: Uint8Array | string;
  /** What the header says, when it is not the data's size. */
  readonly size?: number | string;
  readonly format?: "ustar" | "gnu" | "v7";
  /** PAX records in a header before this one. */
  readonly pax?: readonly (readonly [key: string, value: string | Uint8Array])[];
  /** Changes the block before its checksum is made. */
  readonly patch?: (block: Buffer) => void;
  /** Added to the checksum. */
  readonly wrongBy?: number;
}

const bytesOf = (value: string | Uint8Array): Buffer => Buffer.from(value as string);

/** Octal where it fits into the field, base 256 where not. */
function putNumber(block: Buffer, at: number, size: number, value: number): void {
  const octal = value >= 0 ? value.toString(8) : "";
  if (value >= 0 && octal.length < size) {
    block.write(octal.padStart(size - 1, "0"), at, "latin1");
    return;
  }
  let left = BigInt.asUintN(size * 8, BigInt(value));
  for (let i = size - 1; i >= 0; i -= 1) {
    block[at + i] = Number(left & 0xffn);
    left >>= 8n;
  }
  block[at] = (block[at] ?? 0) | 0x80;
}

function padded(data: Buffer): Buffer {
  return Buffer.concat([data, Buffer.alloc(padding(data.length))]);
}

export function paxData(records: readonly (readonly [key: string, value: string | Uint8Array])[]): Buffer {
  return Buffer.concat(
    records.map(([key, value]) => {
      const body = Buffer.concat([Buffer.from(` ${key}=`), bytesOf(value), Buffer.from("\n")]);
      let length = body.length + 1;
      while (length !== body.length + String(length).length) length = body.length + String(length).length;
      return Buffer.concat([Buffer.from(String(length)), body]);
    }),
  );
}

/** One entry: its headers, its data and the padding. */
export function tarEntry(entry: WrittenEntry): Buffer {
  const data = bytesOf(entry.data ?? "");
  const block = Buffer.alloc(blockSize);
  bytesOf(entry.name).copy(block, 0, 0, 100);
  putNumber(block, 100, 8, entry.mode ?? 0o644);
  putNumber(block, 108, 8, entry.uid ?? 0);
  putNumber(block, 116, 8, entry.gid ?? 0);
  if (typeof entry.size === "string") block.write(entry.size, 124, "latin1");
  else putNumber(block, 124, 12, entry.size ?? data.length);
  putNumber(block, 136, 12, entry.mtime ?? 0);
  block.write(entry.type ?? "0", 156, "latin1");
  bytesOf(entry.linkname ?? "").copy(block, 157, 0, 100);
  if (entry.format !== "v7") {
    block.write(entry.format === "gnu" ? "ustar  \0" : "ustar\x0000", 257, "latin1");
    putNumber(block, 329, 8, entry.major ?? 0);
    putNumber(block, 337, 8, entry.minor ?? 0);
  }
  entry.patch?.(block);
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, entry.wrongBy ?? 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  const before = entry.pax === undefined ? [] : [tarEntry({ name: "pax", type: "x", data: paxData(entry.pax) })];
  return Buffer.concat([...before, block, padded(data)]);
}

/** A whole archive, with its end. */
export function tarOf(...entries: readonly WrittenEntry[]): Buffer {
  return Buffer.concat([...entries.map(tarEntry), Buffer.alloc(2 * blockSize)]);
}

/** The archive as a stream, in chunks of `size` bytes, each of which is spoilt once the next one is asked for. */
export async function* chunked(data: Uint8Array, size = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += size) {
    // A Buffer, as decoders give: its slice() does not copy.
    const chunk = Buffer.from(data.subarray(at, at + size));
    yield chunk;
    chunk.fill(0xa5);
  }
}
