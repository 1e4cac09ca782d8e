/** All commands, in the order of `--help`. */
import type { Command } from "./command.ts";
import { attach } from "./commands/attach.ts";
import { doctor } from "./commands/doctor.ts";
import { exec } from "./commands/exec.ts";
import { explain } from "./commands/explain.ts";
import { images } from "./commands/images.ts";
import { inspect } from "./commands/inspect.ts";
import { kill } from "./commands/kill.ts";
import { logs } from "./commands/logs.ts";
import { ps } from "./commands/ps.ts";
import { pull } from "./commands/pull.ts";
import { rm } from "./commands/rm.ts";
import { rmi } from "./commands/rmi.ts";
import { run } from "./commands/run.ts";
import { start } from "./commands/start.ts";
import { stop } from "./commands/stop.ts";
import { version } from "./commands/version.ts";
import { wait } from "./commands/wait.ts";

export const commands: ReadonlyMap<string, Command> = new Map(
  [run, exec, attach, ps, logs, start, stop, kill, wait, rm, inspect, pull, images, rmi, explain, doctor, version].map(
    (c) => [c.definition.name, c],
  ),
);
