/** Conditions on arguments. An argument has 64 bits, and BPF compares 32: the high half first, then the low one. */
import type { SeccompCondition, SeccompOperator } from "#spec";
import { and, finish, load, offset, opcode, test, type Instruction } from "./bpf.ts";

/** Where a jump goes: to the next instruction, or, in one condition, to its end (it holds) or the rule's (it fails). */
type Target = "next" | "holds" | "fails";
type Draft = Instruction | { readonly code: number; readonly k: number; readonly yes: Target; readonly no: Target };

/**
 * One rule: when all conditions hold the filter returns `value`, otherwise the program goes on behind it.
 *
 * @param narrow compare the low 32 bits only
 */
export function compileRule(conditions: readonly SeccompCondition[], value: number, narrow: boolean): Instruction[] {
  const blocks = conditions.map((condition) => draft(condition, narrow));
  let left = blocks.reduce((sum, block) => sum + block.length, 1);
  const code: Instruction[] = [];
  for (const block of blocks)
    for (const [index, line] of block.entries()) {
      left--;
      const distance = { next: 0, holds: block.length - index - 1, fails: left };
      code.push("yes" in line ? test(line.code, line.k, distance[line.yes], distance[line.no]) : line);
    }
  code.push(finish(value));
  return code;
}

const when = (code: number, k: number, yes: Target, no: Target): Draft => ({ code, k, yes, no });

/** How a comparison ends: when the high half is above or below, and by which test of the low half when it is equal. */
interface Comparison {
  readonly above: Target;
  readonly below: Target;
  readonly code: number;
  readonly yes: Target;
  readonly no: Target;
}

const comparisons: Readonly<Record<Exclude<SeccompOperator, "SCMP_CMP_MASKED_EQ">, Comparison>> = {
  SCMP_CMP_EQ: { above: "fails", below: "fails", code: opcode.jumpEqual, yes: "holds", no: "fails" },
  SCMP_CMP_NE: { above: "holds", below: "holds", code: opcode.jumpEqual, yes: "fails", no: "holds" },
  SCMP_CMP_GT: { above: "holds", below: "fails", code: opcode.jumpGreater, yes: "holds", no: "fails" },
  SCMP_CMP_GE: { above: "holds", below: "fails", code: opcode.jumpGreaterEqual, yes: "holds", no: "fails" },
  SCMP_CMP_LT: { above: "fails", below: "holds", code: opcode.jumpGreaterEqual, yes: "fails", no: "holds" },
  SCMP_CMP_LE: { above: "fails", below: "holds", code: opcode.jumpGreater, yes: "fails", no: "holds" },
};

function draft({ index, op, value, valueTwo }: SeccompCondition, narrow: boolean): Draft[] {
  const low = Number(value & 0xffff_ffffn);
  const high = Number(value >> 32n);
  const loadLow = load(offset.low(index));
  const loadHigh = load(offset.high(index));
  if (op === "SCMP_CMP_MASKED_EQ") {
    const wantedLow = Number(valueTwo & 0xffff_ffffn);
    const wantedHigh = Number(valueTwo >> 32n);
    const last = [loadLow, and(low), when(opcode.jumpEqual, wantedLow, "holds", "fails")];
    if (narrow || (high === 0 && wantedHigh === 0)) return last;
    return [loadHigh, and(high), when(opcode.jumpEqual, wantedHigh, "next", "fails"), ...last];
  }
  const { above, below, code, yes, no } = comparisons[op];
  const last = [loadLow, when(code, low, yes, no)];
  if (narrow) return last;
  if (above === below) return [loadHigh, when(opcode.jumpEqual, high, "next", above), ...last];
  return [
    loadHigh,
    when(opcode.jumpGreater, high, above, "next"),
    when(opcode.jumpEqual, high, "next", below),
    ...last,
  ];
}
