import { opcode, type BackwardAssembler, type Label } from "./bpf.ts";

/** Values from `first` up to the next range's lead to the same target; the first range starts at 0. */
export interface Range {
  readonly first: number;
  readonly target: number;
}

/** Neighbours with the same target become one; of several ranges with the same start the last holds. */
export function mergeRanges(ranges: readonly Range[]): readonly Range[] {
  const merged: Range[] = [];
  for (const range of ranges) {
    if (merged.at(-1)?.first === range.first) merged.pop();
    if (merged.at(-1)?.target !== range.target) merged.push(range);
  }
  return merged;
}

/**
 * Puts a binary search for the accumulator's range.
 *
 * @param put puts what a target stands for; its label may be anywhere
 */
export function putSearch(
  program: BackwardAssembler,
  ranges: readonly Range[],
  put: (target: number) => Label,
  from = 0,
  to = ranges.length,
): Label {
  const at = (index: number): Range => ranges[index] ?? { first: 0, target: 0 };
  if (to - from === 1) return put(at(from).target);
  const single = at(from + 1);
  if (to - from === 3 && at(from).target === at(from + 2).target && at(from + 2).first === single.first + 1) {
    const other = put(at(from).target);
    return program.test(opcode.jumpEqual, single.first, put(single.target), other);
  }
  const middle = (from + to) >> 1;
  const above = putSearch(program, ranges, put, middle, to);
  const below = putSearch(program, ranges, put, from, middle);
  return program.test(opcode.jumpGreaterEqual, at(middle).first, above, below);
}
