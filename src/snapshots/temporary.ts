/**
 * Directories for what is not finished, named after the process that owns them: `PID-START-RANDOM`, where START is when it
 * started (field 22 of /proc/PID/stat), so that another process that gets the number later is not taken for it.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

function startOf(pid: string): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command's name, in parentheses, may have anything in it.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

let owner: string | undefined;
let count = 0;

/** A name of this process's that nobody else uses. */
export function ownedName(): string {
  owner ??= `${process.pid}-${startOf("self") ?? "0"}`;
  // Another thread, or another copy of this module, is a process's too. node:crypto would cost a command more than a container.
  const random = Math.floor(Math.random() * 2 ** 52).toString(16);
  return `${owner}-${(count += 1)}${random.padStart(13, "0")}`;
}

/** A path in `directory` that nobody else uses; nothing is made. */
export function temporaryPath(directory: string): string {
  return join(directory, ownedName());
}

/** Whether the process that has made such a name has ended. */
export function isAbandoned(name: string): boolean {
  const [pid = "", start] = name.split("-");
  return !/^[0-9]+$/.test(pid) || startOf(pid) !== start;
}

/** What processes that have ended left in `directory`. */
export function abandoned(directory: string): string[] {
  return readdirSync(directory)
    .filter(isAbandoned)
    .map((name) => join(directory, name));
}
