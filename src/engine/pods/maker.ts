import { readFileSync } from "node:fs";
import { join } from "node:path";
import { processIsAlive } from "#host";

/** Whether the process that is bringing a pod up lives; it is known shortly after the directory is there. */
export function makerIsAlive(directory: string): boolean {
  try {
    const [pid, start] = readFileSync(join(directory, "maker"), "latin1").split(" ");
    return processIsAlive(Number(pid), BigInt(start ?? 0));
  } catch {
    return false;
  }
}
