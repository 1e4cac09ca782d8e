import { invalidArgument } from "#errdefs";
import type { GlobalOptions } from "../command.ts";

/** Options before the command that take a value; those that choose a daemon or a time mean nothing here. */
const withValue: ReadonlyMap<string, "namespace" | "ignored"> = new Map([
  ["--namespace", "namespace"],
  ["-n", "namespace"],
  ["--address", "ignored"],
  ["-a", "ignored"],
  ["--timeout", "ignored"],
  ["--connect-timeout", "ignored"],
]);

/** `CONTAINERD_NAMESPACE` stands in for `--namespace`. */
export function parseGlobals(
  argv: readonly string[],
  outer: GlobalOptions,
): { readonly globals: GlobalOptions; readonly words: readonly string[]; readonly help: boolean } {
  let namespace = outer.namespace ?? (process.env["CONTAINERD_NAMESPACE"] || undefined);
  let help = false;
  let at = 0;
  for (; at < argv.length; at += 1) {
    const arg = argv[at] ?? "";
    if (!arg.startsWith("-")) break;
    const [word = "", inline] = arg.startsWith("--") ? arg.split(/=(.*)/s, 2) : [arg];
    const kind = withValue.get(word);
    if (kind !== undefined) {
      const value = inline ?? argv[++at];
      if (value === undefined || value === "") throw invalidArgument(`Cannot parse "${word}": it needs a value`);
      if (kind === "namespace") namespace = value;
    } else if (arg === "--help" || arg === "-h") help = true;
    else if (arg !== "--debug")
      throw invalidArgument(`Cannot parse "${arg}": sampan ctr has no such option`, {
        remedy: "See sampan ctr --help",
      });
  }
  return { globals: { ...outer, namespace }, words: argv.slice(at), help };
}
