/** All commands of sampan-oci, in the order of `--help`. */
import type { OciCommand } from "./command.ts";
import { create } from "./commands/create.ts";
import { deleteContainer } from "./commands/delete.ts";
import { exec } from "./commands/exec.ts";
import { kill } from "./commands/kill.ts";
import { list } from "./commands/list.ts";
import { ps } from "./commands/ps.ts";
import { run } from "./commands/run.ts";
import { spec } from "./commands/spec.ts";
import { start } from "./commands/start.ts";
import { state } from "./commands/state.ts";

export const commands: ReadonlyMap<string, OciCommand> = new Map(
  [create, start, run, state, kill, deleteContainer, exec, list, ps, spec].map((c) => [c.definition.name, c]),
);
