/** How this program is started again, by monitors and for the background. */
import { existsSync } from "node:fs";
import type { EnginePaths } from "./paths.ts";

/** The bundled program, run by a monitor to remove its container; nothing where there is no bundle. */
export function removeCommand(paths: EnginePaths, id: string): readonly string[] {
  return ownCommand(paths, ["rm", "--force", "--volumes", id]);
}

/** The bundled program with the directories of these paths and further words; nothing where there is no bundle. */
export function ownCommand(paths: EnginePaths, words: readonly string[]): readonly string[] {
  for (const candidate of ["./sampan.cjs", "../sampan.cjs", "../../dist/sampan.cjs"]) {
    const program = new URL(candidate, import.meta.url).pathname;
    if (!existsSync(program)) continue;
    const state = paths.state.slice(0, -"/containers".length);
    const globals = ["--root", paths.root, "--state", state, "--namespace", paths.namespace];
    return [process.execPath, program, ...globals, ...words];
  }
  return [];
}
