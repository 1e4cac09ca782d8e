import { readFileSync } from "node:fs";

/** A process, told apart from later ones with the same pid by its start time: `<pid>-<start time in clock ticks>`. */
export type Owner = string;

let self: Owner | undefined;

/** This process. */
export function currentOwner(): Owner {
  self ??= `${process.pid}-${startTime(process.pid) ?? 0}`;
  return self;
}

/** Whether the process still runs. What is no owner's name counts as dead. */
export function isOwnerAlive(owner: Owner): boolean {
  const match = /^(\d+)-(\d+)$/.exec(owner);
  if (match === null) return false;
  return startTime(Number(match[1])) === match[2];
}

/** Field 22 of /proc/PID/stat (proc(5)); the name in field 2 may hold spaces and parentheses. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}
