import type { Operation } from "../operation.gen.ts";
import type { Program } from "../plan.ts";
import { describeOperation } from "./describe.ts";

/**
 * A program as text, one line a step: its number from 1, what it does, why, and where that is written. Control characters
 * of names are escaped, so that a line is a line and a terminal takes no orders from an image.
 */
export function explainPlan(plan: Program): string[] {
  const width = String(plan.steps.length).length;
  return plan.steps.map(({ operation, why, source }, index) => {
    const number = String(index + 1).padStart(width);
    return printable(
      `${number}. ${describeOperation(operation)} — ${why}${source === undefined ? "" : ` [${source}]`}`,
    );
  });
}

/** The operations alone, as keel takes them. */
export const operationsOf = (plan: Program): readonly Operation[] => plan.steps.map(({ operation }) => operation);

// oxlint-disable-next-line no-control-regex -- they are what is looked for
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

function printable(text: string): string {
  return text.replace(control, (c) => `\\x${(c.codePointAt(0) ?? 0).toString(16).padStart(2, "0")}`);
}
