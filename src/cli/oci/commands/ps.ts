import { spawnSync } from "node:child_process";
import { failedPrecondition, invalidArgument } from "#errdefs";
import { containerProcesses } from "#host";
import { ociCommand } from "../command.ts";

export const ps = ociCommand(
  {
    name: "ps",
    summary: "List the processes of a container",
    usage: "CONTAINER [PS-OPTION...]",
    positionals: [1, Infinity],
    passthrough: true,
    options: {
      format: { type: "string", short: "f", value: "table|json", help: "form of the output (default table)" },
    },
    examples: ["sampan-oci ps web", "sampan-oci ps --format json web", "sampan-oci ps web -o pid,args"],
  },
  async (values, [id = "", ...options], context) => {
    const format = values.format ?? "table";
    if (format !== "json" && format !== "table")
      throw invalidArgument(`Cannot parse --format "${format}": it is json or table`);
    const container = context.runtime().get(id);
    if (container.state.pid === 0)
      throw failedPrecondition(`Cannot list processes of container "${id}": container not running`);
    const pids = containerProcesses(new Map(container.record.cgroups));
    if (format === "json") process.stdout.write(`${JSON.stringify(pids)}\n`);
    else process.stdout.write(table(options.length === 0 ? ["-ef"] : options, pids));
    await Promise.resolve();
    return 0;
  },
);

/** The lines of the host's ps that are about the container's processes. */
function table(options: readonly string[], pids: readonly number[]): string {
  const { stdout, stderr, status, error } = spawnSync("ps", options, {
    encoding: "utf8",
    env: { ...process.env, COLUMNS: "10000" },
  });
  if (error !== undefined) throw failedPrecondition("Cannot run ps: it is not installed", { cause: error });
  if (status !== 0) throw invalidArgument(`Cannot run ps: ${stderr.trim()}`);
  const [header = "", ...lines] = stdout.trimEnd().split("\n");
  const column = header.trim().split(/\s+/).indexOf("PID");
  if (column < 0) throw invalidArgument(`Cannot list processes: ps ${options.join(" ")} prints no PID`);
  const wanted = new Set(pids.map(String));
  const own = lines.filter((line) => wanted.has(line.trim().split(/\s+/)[column] ?? ""));
  return `${[header, ...own].join("\n")}\n`;
}
