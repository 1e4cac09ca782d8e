import { readFileSync } from "node:fs";
import { hostname, release, totalmem, availableParallelism } from "node:os";
import type { Engine } from "#engine";
import { command } from "../command.ts";
import { openEngine } from "../open.ts";

export const info = command(
  {
    name: "info",
    summary: "Show what this installation is, what it holds, and which runtimes there are",
    usage: "",
    positionals: [0, 0],
    options: { format: { type: "string", value: "FORMAT", help: "json, or a template such as '{{.KernelVersion}}'" } },
    examples: ["sampan info", "sampan info --format '{{range .Runtimes}}{{.name}} {{.version}}{{\"\\n\"}}{{end}}'"],
  },
  async (values, _, globals) => {
    const { detailsPrinter } = await import("../format/print-details.ts");
    const print = values.format === undefined ? describe : detailsPrinter(values.format);
    await using engine = await openEngine(globals);
    process.stdout.write(print([await collect(engine, globals.root)]));
    return 0;
  },
);

type Info = Awaited<ReturnType<typeof collect>>;

async function collect(engine: Engine, root: string | undefined) {
  const { describeRuntimes, enginePaths, humanSize } = await import("#engine");
  const { packageFile } = await import("../package.ts");
  const { version } = JSON.parse(readFileSync(packageFile(), "utf8")) as { version: string };
  const { architecture, cgroup, lsm, seccomp, swapAccounting } = engine.facts;
  const states = engine.list().map(({ state }) => state.status);
  const count = (status: string): number => states.filter((one) => one === status).length;
  const running = count("running");
  const paused = count("paused");
  return {
    ServerVersion: version,
    Name: hostname(),
    Containers: states.length,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: states.length - running - paused,
    Images: engine.images().length,
    RootDir: enginePaths(root, undefined).root,
    KernelVersion: release(),
    Architecture: architecture,
    NCPU: availableParallelism(),
    MemTotal: totalmem(),
    Memory: humanSize(totalmem()),
    CgroupVersion: String(cgroup.version),
    SecurityOptions: [...(seccomp ? ["seccomp"] : []), ...lsm],
    SwapAccounting: swapAccounting,
    DefaultRuntime: "sampan",
    Runtimes: await describeRuntimes(engine.handlers),
  };
}

function describe(found: readonly object[]): string {
  const lines = (found as readonly Info[]).flatMap((info) => [
    `Version:          ${info.ServerVersion}`,
    `Host:             ${info.Name}, Linux ${info.KernelVersion}, ${info.Architecture}, ${info.NCPU} processors, ${info.Memory}`,
    `Cgroups:          v${info.CgroupVersion}${info.SwapAccounting ? "" : ", which do not count swap"}`,
    `Security:         ${info.SecurityOptions.join(", ") || "none"}`,
    `Root directory:   ${info.RootDir}`,
    `Containers:       ${info.Containers} (${info.ContainersRunning} running, ${info.ContainersPaused} paused, ${info.ContainersStopped} not)`,
    `Images:           ${info.Images}`,
    "Runtimes:",
    ...info.Runtimes.map(({ name, path, version, problem }) =>
      `  ${name.padEnd(15)} ${problem ?? [version, path].filter((text) => text !== "").join(", ")}`.trimEnd(),
    ),
  ]);
  return `${lines.join("\n")}\n`;
}
