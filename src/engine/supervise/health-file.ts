/** The health of a running container, a file in its state directory that goes with it. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Health } from "./health.ts";

/** Undefined before the first probe. */
export function readHealth(stateDirectory: string): Health | undefined {
  try {
    return JSON.parse(readFileSync(join(stateDirectory, "health"), "utf8")) as Health;
  } catch {
    return undefined;
  }
}

/** Does nothing when the directory has gone, with the container. */
export function writeHealth(stateDirectory: string, health: Health): void {
  const path = join(stateDirectory, "health");
  try {
    writeFileSync(`${path}.new`, JSON.stringify(health), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
