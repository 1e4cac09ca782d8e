/** Conditions on arguments. An argument has 64 bits, and BPF compares 32: the high half first, then the low one. */
import type { SeccompCondition } from "#spec";
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

function draft({ index, op, value, valueTwo }: SeccompCondition, narrow: boolean): Draft[] {
  const low = Number(value & 0xffff_ffffn);
  const high = Number(value >> 32n);
  const loadLow = load(offset.low(index));
  const loadHigh = load(offset.high(index));
  const when = (code: number, k: number, yes: Target, no: Target): Draft => ({ code, k, yes, no });
  /** The low half decides when the high halves are equal; above or below they have decided. */
  const ordered = (above: Target, below: Target, code: number, yes: Target, no: Target): Draft[] => {
    const last = [loadLow, when(code, low, yes, no)];
    if (narrow) return last;
    return [
      loadHigh,
      when(opcode.jumpGreater, high, above, "next"),
      when(opcode.jumpEqual, high, "next", below),
      ...last,
    ];
  };
  switch (op) {
    case "SCMP_CMP_EQ": {
      const last = [loadLow, when(opcode.jumpEqual, low, "holds", "fails")];
      return narrow ? last : [loadHigh, when(opcode.jumpEqual, high, "next", "fails"), ...last];
    }
    case "SCMP_CMP_NE": {
      const last = [loadLow, when(opcode.jumpEqual, low, "fails", "holds")];
      return narrow ? last : [loadHigh, when(opcode.jumpEqual, high, "next", "holds"), ...last];
    }
    case "SCMP_CMP_GT":
      return ordered("holds", "fails", opcode.jumpGreater, "holds", "fails");
    case "SCMP_CMP_GE":
      return ordered("holds", "fails", opcode.jumpGreaterEqual, "holds", "fails");
    case "SCMP_CMP_LT":
      return ordered("fails", "holds", opcode.jumpGreaterEqual, "fails", "holds");
    case "SCMP_CMP_LE":
      return ordered("fails", "holds", opcode.jumpGreater, "fails", "holds");
    case "SCMP_CMP_MASKED_EQ": {
      const wantedLow = Number(valueTwo & 0xffff_ffffn);
      const wantedHigh = Number(valueTwo >> 32n);
      const last = [loadLow, and(low), when(opcode.jumpEqual, wantedLow, "holds", "fails")];
      if (narrow || (high === 0 && wantedHigh === 0)) return last;
      return [loadHigh, and(high), when(opcode.jumpEqual, wantedHigh, "next", "fails"), ...last];
    }
  }
}
