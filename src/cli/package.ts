import { existsSync } from "node:fs";
import { internal } from "#errdefs";

/** Absolute path of the package's own package.json, of the sources as of the bundle. */
export function packageFile(): string {
  for (const candidate of ["../package.json", "../../package.json"]) {
    const path = new URL(candidate, import.meta.url).pathname;
    if (existsSync(path)) return path;
  }
  throw internal("Cannot find package.json: the installation is incomplete");
}
