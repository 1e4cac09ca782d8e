/** `sampan-oci`: runc's command line over the runtime layer. It loads nothing of the engine. */
import { resolve } from "node:path";
import { fromSystemError, invalidArgument, isSampanError } from "#errdefs";
import { probeHost } from "#host";
import { KeelExecutor } from "#keel";
import { OciRuntime } from "#runtime";
import { commandHelp } from "../help.ts";
import { nearest, parseCommand } from "../parse.ts";
import { programName, type OciContext } from "./command.ts";
import { commands } from "./commands.ts";
import { initialGlobals, parseGlobals } from "./globals.ts";
import { generalHelp, versionText } from "./help.ts";
import { logTo } from "./log.ts";

/** Runs one command line; the exit code is left in `process.exitCode`. */
export async function main(argv: readonly string[]): Promise<void> {
  const found = { globals: initialGlobals };
  let name = "";
  await using stack = new AsyncDisposableStack();
  try {
    const { globals, request } = parseGlobals(argv, found);
    if (request.kind === "version") {
      process.stdout.write(versionText());
      return;
    }
    const words = request.kind === "command" ? request.words : [];
    name = words[0] ?? "";
    if (request.kind === "help" || name === "" || name === "help") {
      process.stdout.write(generalHelp([...commands.values()].map((c) => c.definition)));
      return;
    }
    const entry = commands.get(name);
    if (entry === undefined) {
      const near = nearest(name, [...commands.keys()]);
      throw invalidArgument(`Cannot run "${name}": ${programName} has no such command`, {
        remedy: near === undefined ? `See ${programName} --help` : `Did you mean ${programName} ${near}`,
      });
    }
    const parsed = parseCommand(entry.definition, words.slice(1));
    if (parsed.help) {
      process.stdout.write(commandHelp(entry.definition));
      return;
    }
    const context: OciContext = {
      globals,
      warn: (text) => logTo(globals, "warning", text),
      debug: (text) => void (globals.debug && logTo(globals, "debug", text)),
      runtime: (preserve = 0) => {
        const descriptors = Array.from({ length: preserve }, (_, i) => i + 3);
        const executor = stack.use(new KeelExecutor({ inheritStdio: true, preserve: descriptors }));
        return new OciRuntime({
          root: resolve(globals.root),
          executor,
          facts: probeHost(),
          warn: (text) => logTo(globals, "warning", text),
        });
      },
    };
    process.exitCode = await entry.run(parsed.options as never, parsed.positionals, context);
  } catch (error) {
    const text = describe(error);
    logTo(found.globals, "error", text);
    // A log file is read by programs; whoever sees the command sees stderr.
    if (found.globals.log !== undefined) process.stderr.write(`${text}\n`);
    if (process.env["SAMPAN_DEBUG"] !== undefined && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    process.exitCode = name === "exec" ? 255 : 1;
  }
}

/** One line. Engines look for runc's words for a command that isn't there, and turn them into exit code 127. */
function describe(error: unknown): string {
  const known = fromSystemError(error);
  if (known === undefined) return `internal error: ${error instanceof Error ? error.message : String(error)}`;
  const remedy = known.fields.remedy === undefined ? "" : `. ${known.fields.remedy}`;
  const { command, errno, path } = known.fields;
  if (isSampanError(known) && command === true && errno === 2 && path?.includes("/") !== true)
    return `${known.message}: executable file not found in $PATH${remedy}`;
  return `${known.message}${remedy}`;
}
