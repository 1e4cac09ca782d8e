/** Options before the command. */
import { invalidArgument, unsupported } from "#errdefs";
import type { OciGlobals } from "./command.ts";

const defaultRoot = "/run/sampan-oci";

type Request = { readonly kind: "help" | "version" } | { readonly kind: "command"; readonly words: readonly string[] };

export interface ParsedGlobals {
  readonly globals: OciGlobals;
  readonly request: Request;
}

const withValue = ["--root", "--log", "--log-format", "--rootless", "--criu"] as const;
const flags = ["--debug", "--systemd-cgroup"] as const;
const includes = <T extends string>(list: readonly T[], word: string): word is T =>
  (list as readonly string[]).includes(word);

/**
 * Reads the options up to the command. `globals` is filled in as far as that went, so that a mistake can be logged where
 * the log was asked for.
 *
 * @throws SampanError `invalid-argument`
 */
export function parseGlobals(argv: readonly string[], found: { globals: OciGlobals }): ParsedGlobals {
  let at = 0;
  for (; at < argv.length; at += 1) {
    const arg = argv[at] ?? "";
    if (arg === "--help" || arg === "-h") return { globals: found.globals, request: { kind: "help" } };
    if (arg === "--version" || arg === "-v") return { globals: found.globals, request: { kind: "version" } };
    if (!arg.startsWith("-")) break;
    const [word = "", inline] = arg.split(/=(.*)/s, 2);
    if (includes(withValue, word)) {
      const value = inline ?? argv[++at];
      if (value === undefined || value === "") throw invalidArgument(`Cannot parse "${word}": it needs a value`);
      found.globals = set(found.globals, word, value);
    } else if (includes(flags, word)) {
      const on = inline === undefined || inline === "true" || inline === "1";
      if (!on && inline !== "false" && inline !== "0")
        throw invalidArgument(`Cannot parse "${arg}": ${word} takes true or false`);
      found.globals = { ...found.globals, [word === "--debug" ? "debug" : "systemdCgroup"]: on };
    } else
      throw invalidArgument(`Cannot parse "${arg}": sampan-oci has no such option`, {
        remedy: "See sampan-oci --help",
      });
  }
  return { globals: found.globals, request: { kind: "command", words: argv.slice(at) } };
}

export const initialGlobals: OciGlobals = {
  root: defaultRoot,
  log: undefined,
  logFormat: "text",
  debug: false,
  systemdCgroup: false,
};

function set(globals: OciGlobals, word: (typeof withValue)[number], value: string): OciGlobals {
  switch (word) {
    case "--root":
      return { ...globals, root: value };
    case "--log":
      return { ...globals, log: value === "/dev/stderr" ? undefined : value };
    case "--log-format":
      if (value !== "text" && value !== "json")
        throw invalidArgument(`Cannot parse --log-format "${value}": it is text or json`);
      return { ...globals, logFormat: value };
    case "--rootless":
      if (!["true", "false", "auto"].includes(value))
        throw invalidArgument(`Cannot parse --rootless "${value}": it is true, false or auto`);
      if (value === "true") throw unsupported("Cannot run rootless: it is not supported yet");
      return globals;
    case "--criu":
      // runc ignores it too: criu is found in PATH.
      return globals;
  }
}
