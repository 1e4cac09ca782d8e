/** `sampan ctr`: containerd's client, with its words and its output, over the engine. */
import { fromSystemError, isSampanError } from "#errdefs";
import type { GlobalOptions } from "../command.ts";
import { printError } from "../errors.ts";
import { commandHelp } from "../help.ts";
import { nearest, parseCommand } from "../parse.ts";
import { programName } from "./command.ts";
import { findCommand, groupNames, groups } from "./commands.ts";
import { CtrContext, CtrFailure } from "./context.ts";
import { parseGlobals } from "./globals.ts";
import { generalHelp, groupHelp } from "./help.ts";

/** What containerd's client gives for a word that it does not know. */
const unknownWord = 3;

/** Runs one command line; the exit code is left in `process.exitCode`. */
export async function main(argv: readonly string[], outer: GlobalOptions): Promise<void> {
  try {
    const { globals, words, help } = parseGlobals(argv, outer);
    await using context = new CtrContext(globals);
    process.exitCode = await run(words, help, context);
  } catch (error) {
    if (error instanceof CtrFailure) process.stderr.write(`ctr: ${error.message}\n`);
    else if (fromSystemError(error) === undefined) printError(error);
    else process.stderr.write(`ctr: ${describe(error)}\n`);
    process.exitCode = 1;
  }
}

async function run(words: readonly string[], help: boolean, context: CtrContext): Promise<number> {
  const [first = ""] = words;
  if (help || first === "" || first === "help" || first === "h") {
    process.stdout.write(generalHelp());
    return 0;
  }
  const group = groupNames.get(first);
  const second = words[1] ?? "";
  if (group !== undefined && ["", "help", "h", "--help", "-h"].includes(second)) {
    process.stdout.write(groupHelp(group));
    return 0;
  }
  const found = findCommand(words);
  if (found === undefined) {
    const word = group === undefined ? first : second;
    const known = group === undefined ? [...groupNames.keys(), "run", "version"] : (groups.get(group) ?? []);
    const near = nearest(word, known);
    const hint = near === undefined ? `See ${programName} --help` : `Did you mean ${near}`;
    process.stderr.write(`No help topic for '${word}'. ${hint}\n`);
    return unknownWord;
  }
  const { command, rest } = found;
  const parsed = parseCommand(command.definition, rest);
  if (parsed.help) {
    process.stdout.write(commandHelp(command.definition));
    return 0;
  }
  return await command.run(parsed.options as never, parsed.positionals, context);
}

function describe(error: unknown): string {
  const known = fromSystemError(error);
  const remedy = known?.fields.remedy === undefined ? "" : `. ${known.fields.remedy}`;
  // What is quoted may come from outside: a line stays a line.
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  const text = `${known?.message ?? String(error)}${remedy}`.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ");
  return isSampanError(error, "not-found") && !text.includes("not found") ? `${text}: not found` : text;
}
