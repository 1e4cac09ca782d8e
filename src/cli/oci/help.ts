/** `--help` and `--version` of sampan-oci. */
import { readFileSync } from "node:fs";
import type { CommandDefinition } from "../command.ts";
import { columns } from "../help.ts";
import { packageFile } from "../package.ts";
import { programName } from "./command.ts";

/** Version of the runtime-spec that is followed. */
export const specVersion = "1.3.0";

/** In the form of runc's, which engines read. */
export function versionText(): string {
  const { version } = JSON.parse(readFileSync(packageFile(), "utf8")) as { version: string };
  return `${programName} version ${version}\nspec: ${specVersion}\nnode: ${process.version}\n`;
}

export function generalHelp(commands: readonly CommandDefinition[]): string {
  return [
    `Usage: ${programName} [OPTIONS] COMMAND`,
    "",
    "Runs containers from OCI bundles, with runc's command line: engines can use it in place of runc.",
    "",
    "Commands:",
    ...columns(commands.map((c) => [`  ${c.name}`, c.summary])),
    "",
    "Options:",
    ...columns([
      ["  --root DIR", "where the state of containers is kept (default /run/sampan-oci)"],
      ["  --log FILE", "write errors and warnings to a file"],
      ["  --log-format text|json", "form of the log (default text)"],
      ["  --debug", "log more"],
      ["  --systemd-cgroup", "have systemd make the cgroups (not supported yet)"],
      ["  --rootless true|false|auto", "run without root (true is not supported yet)"],
      ["  --version", "print the version"],
    ]),
    "",
    `See ${programName} COMMAND --help for a command's options and examples.`,
    "",
  ].join("\n");
}
