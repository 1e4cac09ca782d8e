/** Where keel's binary is: below the package's root, of the sources as of the bundle. */
import { existsSync } from "node:fs";
import { failedPrecondition } from "#errdefs";

const candidates = ["../build/native/keel", "../../build/native/keel"];

/** Absolute path of keel; `SAMPAN_KEEL` names another one (tests use the sanitized build). */
export function keelPath(): string {
  const named = process.env["SAMPAN_KEEL"];
  if (named !== undefined && named !== "") return named;
  for (const candidate of candidates) {
    const path = new URL(candidate, import.meta.url).pathname;
    if (existsSync(path)) return path;
  }
  throw failedPrecondition("Cannot find keel: it has not been built", { remedy: "Run npm run build in the checkout" });
}
