/** Where the content of a walked file belongs: it comes without its holes. */
import type { FoundFile } from "#keel";

interface Part {
  readonly offset: bigint;
  readonly data: Uint8Array;
}

/** Gives the places of data that comes in the order of the segments, and may cross from one into the next. */
export function segmentParts(segments: FoundFile["segments"]): (data: Uint8Array) => Generator<Part> {
  let index = 0;
  let inSegment = 0;
  return function* parts(data) {
    for (let left = data; left.length > 0;) {
      const segment = segments[index];
      if (segment === undefined) return;
      const part = left.subarray(0, Number(segment.size) - inSegment);
      if (part.length > 0) yield { offset: segment.offset + BigInt(inSegment), data: part };
      left = left.subarray(part.length);
      inSegment += part.length;
      if (BigInt(inSegment) < segment.size) return;
      index += 1;
      inSegment = 0;
    }
  };
}
