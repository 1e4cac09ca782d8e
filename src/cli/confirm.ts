/** Asks before something is deleted for good. */
import { createInterface } from "node:readline/promises";
import { failedPrecondition } from "#errdefs";

/**
 * @param warning what would be deleted, a line each
 * @returns whether the user says yes
 * @throws SampanError `failed-precondition` when there is no terminal to ask on
 */
export async function confirm(what: string, warning: readonly string[]): Promise<boolean> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) {
    throw failedPrecondition(`Cannot ask before ${what}: there is no terminal`, { remedy: "Give --force" });
  }
  stderr.write(`This deletes\n${warning.map((line) => `  - ${line}\n`).join("")}`);
  const lines = createInterface({ input: stdin, output: stderr });
  try {
    return /^y(es)?$/i.test((await lines.question("Go on? [y/N] ")).trim());
  } finally {
    lines.close();
  }
}
