import { invalidArgument, isSampanError } from "#errdefs";
import { commandHelp, generalHelp } from "./help.ts";
import type { CommandDefinition, CommandRunner, GlobalOptions, OptionDefinitions } from "./command.ts";
import { nearest, parseCommand } from "./parse.ts";
import { commands } from "./commands.ts";

/** A command's definition with the loader of its code. */
export interface CommandEntry<D extends OptionDefinitions = OptionDefinitions> {
  readonly definition: CommandDefinition<D>;
  readonly load: () => Promise<{ readonly run: CommandRunner<D> }>;
}

/** Exit code for what fails before or beside the container's own command (docker's). */
const failureCode = (name: string): number => (name === "run" || name === "exec" ? 125 : 1);

export async function main(argv: readonly string[]): Promise<void> {
  let name = "";
  try {
    const { globals, rest, done } = parseGlobals(argv);
    if (done) return;
    name = rest[0] ?? "";
    const entry = commands.get(name);
    if (entry === undefined) {
      if (name === "") {
        process.stdout.write(generalHelp([...commands.values()].map((c) => c.definition)));
        return;
      }
      const near = nearest(name, [...commands.keys()]);
      name = "";
      throw invalidArgument(`Cannot run "${rest[0]}": sampan has no such command`, {
        remedy: near === undefined ? "See sampan --help" : `Did you mean sampan ${near}`,
      });
    }
    const parsed = parseCommand(entry.definition, rest.slice(1));
    if (parsed.help) {
      process.stdout.write(commandHelp(entry.definition));
      return;
    }
    const { run } = await entry.load();
    process.exitCode = await run(parsed.options, parsed.positionals, globals);
  } catch (error) {
    printError(error);
    process.exitCode = commandCode(error) ?? failureCode(name);
  }
}

function parseGlobals(argv: readonly string[]): { globals: GlobalOptions; rest: readonly string[]; done: boolean } {
  let root: string | undefined;
  let state: string | undefined;
  let at = 0;
  for (; at < argv.length; at += 1) {
    const arg = argv[at] ?? "";
    const [word = "", inline] = arg.startsWith("--") ? arg.split(/=(.*)/s, 2) : [arg];
    if (word === "--root" || word === "--state") {
      const value = inline ?? argv[++at];
      if (value === undefined || value === "") throw invalidArgument(`Cannot parse "${word}": it needs a directory`);
      if (word === "--root") root = value;
      else state = value;
    } else if (arg === "--help" || arg === "-h" || arg === "help") {
      const asked = commands.get(argv[at + 1] ?? "");
      const definitions = [...commands.values()].map((c) => c.definition);
      process.stdout.write(asked === undefined ? generalHelp(definitions) : commandHelp(asked.definition));
      return { globals: { root, state }, rest: [], done: true };
    } else if (arg === "--version" || arg === "-v") {
      return { globals: { root, state }, rest: ["version"], done: false };
    } else if (arg.startsWith("-")) {
      throw invalidArgument(`Cannot parse "${arg}": sampan has no such option`, { remedy: "See sampan --help" });
    } else break;
  }
  return { globals: { root, state }, rest: argv.slice(at), done: false };
}

/** One line: what, why, and what to do. */
export function printError(error: unknown): void {
  if (isSampanError(error)) {
    const remedy = error.fields.remedy === undefined ? "" : `. ${error.fields.remedy}`;
    process.stderr.write(`sampan: ${error.message}${remedy}\n`);
  } else {
    process.stderr.write(
      `sampan: internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
  }
  if (process.env["SAMPAN_DEBUG"] !== undefined && error instanceof Error && isSampanError(error))
    process.stderr.write(`${error.stack}\n${error.cause === undefined ? "" : `caused by ${String(error.cause)}\n`}`);
}

/** 127 when the container's command was not found, 126 when it can't be run. */
function commandCode(error: unknown): number | undefined {
  if (!isSampanError(error) || error.fields.command !== true) return undefined;
  return error.fields.errno === 2 ? 127 : 126;
}
