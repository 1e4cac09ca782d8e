import { existsSync, rmSync } from "node:fs";

/**
 * Removes a directory with all that is in it, if it is there, while a monitor that ends may be removing its own files of it.
 * When one goes between reading the directory and removing it, `rmSync` (Node 26) says nothing and leaves the directory.
 */
export function removeDirectory(path: string): void {
  do rmSync(path, { recursive: true, force: true });
  while (existsSync(path));
}
