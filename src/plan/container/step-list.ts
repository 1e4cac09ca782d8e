import type { Operation } from "../operation.gen.ts";
import type { Step } from "../plan.ts";

/** Steps as they are put together. */
export class StepList {
  readonly steps: Step[] = [];
  readonly warnings: string[] = [];
  /** Where steps that are added come from, until it is set anew. */
  config: string | undefined;

  add(operation: Operation, why: string, source?: string): void {
    this.steps.push({
      operation,
      why,
      ...(source === undefined ? {} : { source }),
      ...(this.config === undefined ? {} : { config: this.config }),
    });
  }

  append(steps: readonly Step[]): void {
    for (const step of steps) this.steps.push(step);
  }
}
