/** Conditions on arguments. An argument has 64 bits, and BPF compares 32: the high half first, then the low one. */
import type { SeccompCondition, SeccompOperator } from "#spec";
import { offset, opcode, type BackwardAssembler, type Label } from "./bpf.ts";

type Target = "holds" | "fails";

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

/**
 * Puts the test of one condition before what is written.
 *
 * @param narrow compare the low 32 bits only
 * @param holds where the program goes on when it holds
 * @param fails where it goes on when not
 */
export function putCondition(
  to: BackwardAssembler,
  { index, op, value, valueTwo }: SeccompCondition,
  narrow: boolean,
  holds: Label,
  fails: Label,
): Label {
  const low = Number(value & 0xffff_ffffn);
  const high = Number(value >> 32n);
  if (op === "SCMP_CMP_MASKED_EQ") {
    const wantedHigh = Number(valueTwo >> 32n);
    to.test(opcode.jumpEqual, Number(valueTwo & 0xffff_ffffn), holds, fails);
    to.and(low);
    const lowHalf = to.load(offset.low(index));
    if (narrow || (high === 0 && wantedHigh === 0)) return lowHalf;
    to.test(opcode.jumpEqual, wantedHigh, lowHalf, fails);
    to.and(high);
    return to.load(offset.high(index));
  }
  const labels: Readonly<Record<Target, Label>> = { holds, fails };
  const { above, below, code, yes, no } = comparisons[op];
  to.test(code, low, labels[yes], labels[no]);
  const lowHalf = to.load(offset.low(index));
  if (narrow) return lowHalf;
  const equal = to.test(opcode.jumpEqual, high, lowHalf, labels[below]);
  if (above !== below) to.test(opcode.jumpGreater, high, labels[above], equal);
  return to.load(offset.high(index));
}
