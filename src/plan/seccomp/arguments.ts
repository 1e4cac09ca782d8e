/**
 * Conditions on one argument. Each operator holds for some ranges of values, so that any number of conditions becomes one
 * list of ranges, and a search in it. An argument has 64 bits and BPF compares 32: the high half goes first.
 */
import type { SeccompCondition } from "#spec";
import type { BackwardAssembler, Label } from "./bpf.ts";
import { mergeRanges, putSearch, type Range } from "./search.ts";

const max32 = 0xffff_ffffn;
const max64 = 0xffff_ffff_ffff_ffffn;

/** The bits of an argument that a condition is about. */
export interface Subject {
  readonly index: number;
  readonly mask: bigint;
}

/** @param narrow arguments have 32 bits */
export function subjectOf({ index, op, value }: SeccompCondition, narrow: boolean): Subject {
  const all = narrow ? max32 : max64;
  return { index, mask: op === "SCMP_CMP_MASKED_EQ" ? value & all : all };
}

export interface Case {
  readonly condition: SeccompCondition;
  /** Where the program goes on when the condition holds. */
  readonly put: () => Label;
}

/**
 * Puts the choice among conditions with the same subject: the first that holds decides.
 *
 * @param otherwise where the program goes on when none holds
 */
export function putCases(
  program: BackwardAssembler,
  { index, mask }: Subject,
  cases: readonly Case[],
  narrow: boolean,
  otherwise: Label,
): Label {
  const put = (target: number): Label => (target === 0 ? otherwise : (cases[target - 1]?.put() ?? otherwise));
  const wide = mask > max32;
  const pieces = partition(cases, wide ? max64 : max32, narrow);
  const lowMask = Number(mask & max32);
  const load = { low: () => program.loadLow(index), high: () => program.loadHigh(index) };
  if (!wide) return putHalf(program, toRanges(pieces), lowMask, load.low, put);

  const highs = splitHalves(pieces);
  const putHigh = (target: number): Label => {
    const low = highs[target]?.low ?? [];
    return putHalf(program, low, lowMask, load.low, put);
  };
  const numbered = highs.map(({ first, low }, i) => ({ first, target: firstAlike(highs, low, i) }));
  return putHalf(program, mergeRanges(numbered), Number(mask >> 32n), load.high, putHigh);
}

/** Puts the search in one half of an argument. */
function putHalf(
  program: BackwardAssembler,
  ranges: readonly Range[],
  mask: number,
  load: () => Label,
  put: (target: number) => Label,
): Label {
  const start = putSearch(program, ranges, put);
  // Without a choice there is nothing to look at.
  if (ranges.length === 1) return start;
  if (mask !== 0xffff_ffff) program.and(mask);
  return load();
}

interface Piece {
  readonly first: bigint;
  readonly target: number;
}

const toRanges = (pieces: readonly Piece[]): readonly Range[] =>
  pieces.map(({ first, target }) => ({ first: Number(first), target }));

/** All values up to `max`, by what decides for them: 0 for none, n for the case n - 1. */
function partition(cases: readonly Case[], max: bigint, narrow: boolean): readonly Piece[] {
  const held = cases.map(({ condition }) => heldRanges(condition, max, narrow));
  const starts = [...new Set([0n, ...held.flat(2)])].filter((start) => start <= max);
  starts.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const places = new Map(starts.map((start, i) => [start, i]));
  const targets = starts.map(() => 0);
  // From the last to the first, so that the first is what remains.
  for (const [i, ranges] of [...held.entries()].toReversed())
    for (const [from, end] of ranges)
      targets.fill(i + 1, places.get(from) ?? starts.length, places.get(end) ?? starts.length);
  const pieces: Piece[] = [];
  for (const [i, first] of starts.entries()) {
    const target = targets[i] ?? 0;
    if (pieces.at(-1)?.target !== target) pieces.push({ first, target });
  }
  return pieces;
}

/** The values that a condition holds for: from the first of each pair up to the second, which is not in it. */
function heldRanges(
  { op, value, valueTwo }: SeccompCondition,
  max: bigint,
  narrow: boolean,
): readonly (readonly [from: bigint, end: bigint])[] {
  const wanted = (op === "SCMP_CMP_MASKED_EQ" ? valueTwo : value) & (narrow ? max32 : max64);
  const end = max + 1n;
  switch (op) {
    case "SCMP_CMP_EQ":
    case "SCMP_CMP_MASKED_EQ":
      return [[wanted, wanted + 1n]];
    case "SCMP_CMP_NE":
      return [
        [0n, wanted],
        [wanted + 1n, end],
      ];
    case "SCMP_CMP_LT":
      return [[0n, wanted]];
    case "SCMP_CMP_LE":
      return [[0n, wanted + 1n]];
    case "SCMP_CMP_GE":
      return [[wanted, end]];
    case "SCMP_CMP_GT":
      return [[wanted + 1n, end]];
  }
}

/** What the low half says for high halves from `first` up to the next one's. */
interface HighPiece {
  readonly first: number;
  readonly low: readonly Range[];
}

function splitHalves(pieces: readonly Piece[]): readonly HighPiece[] {
  const highs: { first: number; low: Range[] }[] = [];
  let before = 0;
  for (const { first, target } of pieces) {
    const high = Number(first >> 32n);
    const low = Number(first & max32);
    const last = highs.at(-1);
    if (last?.first === high) last.low.push({ first: low, target });
    else {
      // Between two high halves that are named, all low halves have the same target.
      if (last !== undefined && last.first + 1 < high)
        highs.push({ first: last.first + 1, low: [{ first: 0, target: before }] });
      highs.push({
        first: high,
        low:
          low === 0
            ? [{ first: 0, target }]
            : [
                { first: 0, target: before },
                { first: low, target },
              ],
      });
    }
    before = target;
  }
  const last = highs.at(-1);
  if (last !== undefined && last.first < 0xffff_ffff)
    highs.push({ first: last.first + 1, low: [{ first: 0, target: before }] });
  return highs;
}

/** The first piece that says the same of all low halves: searches lead to it, so that they see what is equal. */
function firstAlike(highs: readonly HighPiece[], low: readonly Range[], index: number): number {
  if (low.length > 1) return index;
  return highs.findIndex((piece) => piece.low.length === 1 && piece.low[0]?.target === low[0]?.target);
}
