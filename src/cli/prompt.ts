/** Questions on the terminal. */
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { failedPrecondition } from "#errdefs";

/**
 * @param hidden the answer is not shown
 * @throws SampanError `failed-precondition` when there is no terminal
 */
export async function prompt(question: string, hidden: boolean): Promise<string> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) {
    throw failedPrecondition(`Cannot ask for "${question.trim().replace(/:$/, "")}": there is no terminal`, {
      remedy: "Give --username and --password-stdin",
    });
  }
  stderr.write(question);
  const nowhere = new Writable({ write: (_, __, done) => done() });
  const lines = createInterface({ input: stdin, output: hidden ? nowhere : stderr, terminal: true });
  try {
    return await lines.question("");
  } finally {
    lines.close();
    if (hidden) stderr.write("\n");
  }
}
