/** All commands of sampan-oci, in the order of `--help`. */
import type { OciCommand } from "./command.ts";
import { create } from "./commands/create.ts";
import { deleteContainer } from "./commands/delete.ts";
import { events } from "./commands/events.ts";
import { exec } from "./commands/exec.ts";
import { features } from "./commands/features.ts";
import { kill } from "./commands/kill.ts";
import { list } from "./commands/list.ts";
import { mounts } from "./commands/mounts.ts";
import { pause } from "./commands/pause.ts";
import { ps } from "./commands/ps.ts";
import { resume } from "./commands/resume.ts";
import { run } from "./commands/run.ts";
import { spec } from "./commands/spec.ts";
import { start } from "./commands/start.ts";
import { state } from "./commands/state.ts";
import { update } from "./commands/update.ts";

export const commands: ReadonlyMap<string, OciCommand> = new Map(
  [
    create,
    start,
    run,
    state,
    kill,
    deleteContainer,
    exec,
    list,
    ps,
    pause,
    resume,
    update,
    events,
    mounts,
    spec,
    features,
  ].map((c) => [c.definition.name, c]),
);
