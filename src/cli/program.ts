import { invalidArgument } from "#errdefs";
import { commandCode, printError } from "./errors.ts";
import type { Command, GlobalOptions } from "./command.ts";
import { nearest, parseCommand } from "./parse.ts";
import { commandNames, findCommand, loadCommands } from "./commands.ts";

/** Exit code for what fails before or beside the container's own command (docker's). */
const failureCode = (name: string): number => (name === "run" || name === "exec" ? 125 : 1);

export async function main(argv: readonly string[]): Promise<void> {
  let name = "";
  endQuietly("stdout");
  endQuietly("stderr");
  try {
    const { globals, rest, help } = parseGlobals(argv);
    if (help) {
      await showHelp(await findCommand(rest)?.load());
      return;
    }
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
        await showHelp(undefined);
        return;
      }
      const near = nearest(name, commandNames);
      name = "";
      throw invalidArgument(`Cannot run "${rest[0]}": sampan has no such command`, {
        remedy: near === undefined ? "See sampan --help" : `Did you mean sampan ${near}`,
      });
    }
    const entry = await found.load();
    const parsed = parseCommand(entry.definition, rest.slice(found.words));
    if (parsed.help) {
      await showHelp(entry);
      return;
    }
    process.exitCode = await entry.run(parsed.options as never, parsed.positionals, globals);
  } catch (error) {
    printError(error);
    process.exitCode = commandCode(error) ?? failureCode(name);
  }
}

/** Whoever reads our output may go (`sampan logs web | head`): there is nobody to tell then. The stream is made when it is used. */
function endQuietly(name: "stdout" | "stderr"): void {
  const descriptor = Object.getOwnPropertyDescriptor(process, name);
  let stream: NodeJS.WriteStream | undefined;
  const get = (): NodeJS.WriteStream => {
    if (stream !== undefined) return stream;
    stream = descriptor?.get?.call(process) as NodeJS.WriteStream;
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
    return stream;
  };
  Object.defineProperty(process, name, { configurable: true, enumerable: true, get });
}

/** The help of one command, or the list of all. */
async function showHelp(entry: Command | undefined): Promise<void> {
  const { commandHelp, generalHelp } = await import("./help.ts");
  const text =
    entry === undefined
      ? generalHelp([...(await loadCommands()).values()].map((c) => c.definition))
      : commandHelp(entry.definition);
  process.stdout.write(text);
}

function parseGlobals(argv: readonly string[]): { globals: GlobalOptions; rest: readonly string[]; help: boolean } {
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
      return { globals: { root, state, host, context, namespace }, rest: argv.slice(at + 1), help: true };
    } else if (arg === "--version" || arg === "-v") {
      return { globals: { root, state, host, context, namespace }, rest: ["version"], help: false };
    } else if (arg.startsWith("-")) {
      throw invalidArgument(`Cannot parse "${arg}": sampan has no such option`, { remedy: "See sampan --help" });
    } else break;
  }
  return { globals: { root, state, host, context, namespace }, rest: argv.slice(at), help: false };
}
