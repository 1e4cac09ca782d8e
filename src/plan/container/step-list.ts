import type { Operation } from "../operation.gen.ts";
import type { Step } from "../plan.ts";

/** Steps as they are put together. */
export class StepList {
  readonly steps: Step[] = [];
  readonly warnings: string[] = [];

  add(operation: Operation, why: string, source?: string): void {
    this.steps.push(source === undefined ? { operation, why } : { operation, why, source });
  }

  append(steps: readonly Step[]): void {
    for (const step of steps) this.steps.push(step);
  }
}
