/** Sparse files: which parts of a file are in the archive. The rest of it are holes. */
import { headerNumber, decimal } from "./numbers.ts";

export interface Segment {
  readonly offset: number;
  readonly size: number;
}

export interface SparseMap {
  readonly segments: readonly Segment[];
  /** Bytes of the whole file. */
  readonly size: number;
}

/**
 * GNU's old form has 4 segments in the header (at 386) and 21 in each block that follows it: 12 bytes for the offset and
 * 12 for the size. Returns false at the first unused one.
 */
export function oldSegments(block: Uint8Array, start: number, count: number, into: Segment[]): boolean | undefined {
  for (let i = 0; i < count; i += 1) {
    const at = start + i * 24;
    if (block[at] === 0) return false;
    const offset = headerNumber(block, at, 12);
    const size = headerNumber(block, at + 12, 12);
    if (offset === undefined || size === undefined) return undefined;
    into.push({ offset, size });
  }
  return true;
}

/** Format 0.1's record `GNU.sparse.map`: `OFFSET,SIZE,OFFSET,SIZE…`. */
export function mapRecord(text: string): Segment[] | undefined {
  if (text === "") return [];
  return pairs(text.split(","));
}

/** Offsets and sizes in turn. */
export function pairs(numbers: readonly string[]): Segment[] | undefined {
  if (numbers.length % 2 !== 0) return undefined;
  const segments: Segment[] = [];
  for (let i = 0; i < numbers.length; i += 2) {
    const offset = decimal(numbers[i] ?? "");
    const size = decimal(numbers[i + 1] ?? "");
    if (offset === undefined || size === undefined) return undefined;
    segments.push({ offset, size });
  }
  return segments;
}

/** What is wrong with a map, if anything: segments must be in order, apart, in the file, and together what is stored. */
export function sparseProblem(map: SparseMap, stored: number): string | undefined {
  let end = 0;
  let total = 0;
  for (const { offset, size } of map.segments) {
    if (offset < end || size < 0 || offset + size > map.size)
      return "its sparse map has overlapping or misplaced parts";
    end = offset + size;
    total += size;
  }
  return total === stored ? undefined : "its sparse map does not match its size";
}
