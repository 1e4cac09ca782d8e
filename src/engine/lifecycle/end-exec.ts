/** Ending a process that was exec'd, with what it has started. */
import { readFileSync } from "node:fs";
import { containerProcesses } from "#host";
import type { EngineCore } from "../core.ts";
import type { ContainerRecord } from "../records.ts";

/**
 * Kills the processes of a container that are in the session of an exec'd one, which leads a session of its own. What has left
 * it, as a daemon does, goes on.
 */
export function endExec(core: EngineCore, record: ContainerRecord, leader: number): void {
  for (const pid of containerProcesses(core.cgroups(record)))
    if (sessionOf(pid) === leader)
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended.
      }
}

/** Field 6 of /proc/PID/stat; the second is a name in parentheses, which may have anything in it. */
function sessionOf(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[3]);
  } catch {
    return undefined;
  }
}
