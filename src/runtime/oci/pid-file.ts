import { renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Writes a pid for whoever asked for it; the file is there whole or not at all. */
export function writePidFile(file: string, pid: number): void {
  const temporary = join(dirname(file), `.${basename(file)}`);
  writeFileSync(temporary, String(pid), { mode: 0o644 });
  renameSync(temporary, file);
}
