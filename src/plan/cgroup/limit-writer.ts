import { failedPrecondition } from "#errdefs";
import type { FileChoice, Operation } from "../operation.gen.ts";
import type { Step } from "../plan.ts";
import { needController } from "./directories.ts";

const source = "runtime-spec config-linux.md#control-groups";

/** Collects writes to the files of controllers, which the host must have. */
export class LimitWriter {
  readonly steps: Step[] = [];
  readonly paths: ReadonlyMap<string, string>;
  readonly warnings: string[];

  /** @param paths controller → the container's directory */
  constructor(paths: ReadonlyMap<string, string>, warnings: string[]) {
    this.paths = paths;
    this.warnings = warnings;
  }

  /** @param limit what is limited, in the words of an error */
  write(controller: string, limit: string, file: string, data: string, why: string, tolerate = false): void {
    const path = `${needController(this.paths, controller, limit)}/${file}`;
    this.add({ op: "write-file", path, data, tolerate }, why);
  }

  /** Writes the first of some files that the kernel has; it must have one of them. */
  writeFirst(controller: string, limit: string, choices: readonly FileChoice[], why: string): void {
    this.add({ op: "write-first", directory: needController(this.paths, controller, limit), choices }, why);
  }

  add(operation: Operation, why: string): void {
    this.steps.push({ operation, why, source });
  }
}

/** The kernel has files for the sizes of huge pages that the processor has, and no others. */
export function checkPageSize(pageSize: string, known: readonly string[]): void {
  if (known.includes(pageSize)) return;
  const sizes = known.length === 0 ? "no huge pages" : `huge pages of ${known.join(" and ")}`;
  throw failedPrecondition(`Cannot limit huge pages of "${pageSize}": this host has ${sizes}`);
}
