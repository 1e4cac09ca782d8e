import { invalidArgument } from "#errdefs";
import { commandCode, printError } from "./errors.ts";
import { commandHelp, generalHelp } from "./help.ts";
import type { GlobalOptions } from "./command.ts";
import { nearest, parseCommand } from "./parse.ts";
import { commands, findCommand } from "./commands.ts";

/** Exit code for what fails before or beside the container's own command (docker's). */
const failureCode = (name: string): number => (name === "run" || name === "exec" ? 125 : 1);

export async function main(argv: readonly string[]): Promise<void> {
  let name = "";
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      // Whoever read our output has gone (`sampan logs web | head`): there is nobody to tell.
      if (error.code !== "EPIPE") throw error;
    });
  try {
    const { globals, rest, done } = parseGlobals(argv);
    if (done) return;
    name = rest[0] ?? "";
    if (name === "oci") {
      const { main: oci } = await import("./oci/program.ts");
      await oci(rest.slice(1));
      return;
    }
    if (name === "ctr") {
      const { main: ctr } = await import("./ctr/program.ts");
      await ctr(rest.slice(1), globals);
      return;
    }
    const found = findCommand(rest);
    if (found === undefined) {
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
    const { command: entry, words } = found;
    const parsed = parseCommand(entry.definition, rest.slice(words));
    if (parsed.help) {
      process.stdout.write(commandHelp(entry.definition));
      return;
    }
    process.exitCode = await entry.run(parsed.options as never, parsed.positionals, globals);
  } catch (error) {
    printError(error);
    process.exitCode = commandCode(error) ?? failureCode(name);
  }
}

function parseGlobals(argv: readonly string[]): { globals: GlobalOptions; rest: readonly string[]; done: boolean } {
  let root: string | undefined;
  let state: string | undefined;
  let host: string | undefined;
  let context: string | undefined;
  let namespace: string | undefined;
  let at = 0;
  for (; at < argv.length; at += 1) {
    const arg = argv[at] ?? "";
    const [word = "", inline] = arg.startsWith("--") ? arg.split(/=(.*)/s, 2) : [arg];
    if (word === "--context") {
      context = inline ?? argv[++at];
      if (context === undefined || context === "") throw invalidArgument(`Cannot parse "${word}": it needs a name`);
    } else if (word === "--host" || word === "-H") {
      host = inline ?? argv[++at];
      if (host === undefined || host === "") throw invalidArgument(`Cannot parse "${word}": it needs an address`);
    } else if (word === "--root" || word === "--state") {
      const value = inline ?? argv[++at];
      if (value === undefined || value === "") throw invalidArgument(`Cannot parse "${word}": it needs a directory`);
      if (word === "--root") root = value;
      else state = value;
    } else if (word === "--namespace") {
      namespace = inline ?? argv[++at];
      if (namespace === undefined || namespace === "") throw invalidArgument(`Cannot parse "${word}": it needs a name`);
    } else if (arg === "--help" || arg === "-h" || arg === "help") {
      const asked = findCommand(argv.slice(at + 1))?.command;
      const definitions = [...commands.values()].map((c) => c.definition);
      process.stdout.write(asked === undefined ? generalHelp(definitions) : commandHelp(asked.definition));
      return { globals: { root, state, host, context, namespace }, rest: [], done: true };
    } else if (arg === "--version" || arg === "-v") {
      return { globals: { root, state, host, context, namespace }, rest: ["version"], done: false };
    } else if (arg.startsWith("-")) {
      throw invalidArgument(`Cannot parse "${arg}": sampan has no such option`, { remedy: "See sampan --help" });
    } else break;
  }
  return { globals: { root, state, host, context, namespace }, rest: argv.slice(at), done: false };
}
