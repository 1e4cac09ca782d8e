/** Facts about processes from /proc. A process is told apart from a later one with the same pid by its start time. */
import { readFileSync } from "node:fs";

/** Start time in clock ticks since boot (field 22 of /proc/PID/stat), undefined when there is no such process. */
export function processStartTime(pid: number): bigint | undefined {
  const fields = statFields(pid);
  // A zombie has ended; only its parent hasn't noticed.
  return fields === undefined || fields[0] === "Z" || fields[0] === "X" ? undefined : BigInt(fields[19] ?? "0");
}

/** True when the process that had `pid` at `start` is still there. */
export function processIsAlive(pid: number, start: bigint): boolean {
  return processStartTime(pid) === start;
}

/** Fields of /proc/PID/stat from the third on (state first): the second may contain anything. */
function statFields(pid: number): string[] | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return undefined;
  }
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}
