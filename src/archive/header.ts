/** One header block of a tar archive: POSIX ustar, GNU, star and the old V7 form. */
import { headerNumber } from "./numbers.ts";

export const blockSize = 512;

/** Bytes from one header's end to the next block. */
export const padding = (size: number): number => (blockSize - (size % blockSize)) % blockSize;

export interface Header {
  /** One character; NUL is an old regular file. */
  readonly type: string;
  readonly name: Uint8Array;
  readonly linkname: Uint8Array;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes that follow, before padding. */
  readonly size: number;
  /** Seconds since the epoch. */
  readonly mtime: number;
  readonly major: number;
  readonly minor: number;
}

export function isZero(block: Uint8Array): boolean {
  for (let i = 0; i < blockSize; i += 1) if (block[i] !== 0) return false;
  return true;
}

const checksumStart = 148;
const checksumSize = 8;

/** POSIX sums unsigned bytes; some old programs summed signed ones. */
function checksumMatches(block: Uint8Array): boolean {
  const stored = headerNumber(block, checksumStart, checksumSize);
  let unsigned = 0x20 * checksumSize;
  let high = 0;
  for (let i = 0; i < blockSize; i += 1) {
    const byte = block[i] ?? 0;
    unsigned += byte;
    high += byte >> 7;
  }
  for (let i = checksumStart; i < checksumStart + checksumSize; i += 1) {
    const byte = block[i] ?? 0;
    unsigned -= byte;
    high -= byte >> 7;
  }
  return stored === unsigned || stored === unsigned - 256 * high;
}

/** A field up to its first NUL. */
export function field(block: Uint8Array, start: number, size: number): Uint8Array {
  const end = block.subarray(start, start + size).indexOf(0);
  return block.subarray(start, start + (end < 0 ? size : end));
}

const matches = (block: Uint8Array, at: number, text: string): boolean => {
  for (let i = 0; i < text.length; i += 1) if (block[at + i] !== text.charCodeAt(i)) return false;
  return true;
};

/** The part of the name before the last `/`, where it does not fit into 100 bytes. GNU has other fields there. */
function prefixOf(block: Uint8Array): Uint8Array {
  if (!matches(block, 257, "ustar\0")) return new Uint8Array(0);
  return field(block, 345, matches(block, 508, "tar\0") ? 131 : 155);
}

function fullName(block: Uint8Array): Uint8Array {
  const name = field(block, 0, 100);
  const prefix = prefixOf(block);
  if (prefix.length === 0) return name;
  const whole = new Uint8Array(prefix.length + 1 + name.length);
  whole.set(prefix);
  whole[prefix.length] = 0x2f;
  whole.set(name, prefix.length + 1);
  return whole;
}

/** Returns what is wrong with it as a string. */
export function parseHeader(block: Uint8Array): Header | string {
  if (!checksumMatches(block)) return "the header's checksum does not match";
  const type = String.fromCharCode(block[156] ?? 0);
  const device = type === "3" || type === "4";
  const mode = headerNumber(block, 100, 8);
  const uid = headerNumber(block, 108, 8);
  const gid = headerNumber(block, 116, 8);
  const size = headerNumber(block, 124, 12);
  const mtime = headerNumber(block, 136, 12);
  // Only devices have these; other writers leave anything there.
  const major = device ? headerNumber(block, 329, 8) : 0;
  const minor = device ? headerNumber(block, 337, 8) : 0;
  if (mode === undefined) return "the header's mode is not a number";
  if (uid === undefined || gid === undefined) return "the header's owner is not a number";
  if (size === undefined || size < 0) return "the header's size is not a size";
  if (mtime === undefined) return "the header's time is not a number";
  if (major === undefined || minor === undefined || major < 0 || minor < 0)
    return "the header's device number is not a number";
  return { type, name: fullName(block), linkname: field(block, 157, 100), mode, uid, gid, size, mtime, major, minor };
}
