import type { CgroupStats } from "#host";
import { invalidArgument } from "#errdefs";
import { ctrCommand } from "./command.ts";
import { CtrFailure } from "./context.ts";
import { table } from "./table.ts";

export const taskMetrics = ctrCommand(
  {
    name: "tasks metrics",
    aliases: ["metric"],
    summary: "what a container uses at this moment",
    usage: "CONTAINER",
    options: { format: { type: "string", value: "table|json", help: "how it is printed" } },
    examples: ["sampan ctr tasks metrics redis"],
  },
  async ({ format = "table" }, [id = ""], context) => {
    if (format !== "table" && format !== "json")
      throw invalidArgument(`Cannot parse --format "${format}": it is table or json`);
    const container = await context.container(id);
    if (container.state.status !== "running")
      throw new CtrFailure(`no running task found: task ${container.name} not found: not found`);
    const engine = await context.engine();
    const figures = metrics((await engine.measurements()).counters(container.id), engine.facts.cgroup.version === 2);
    const time = timeText();
    if (format === "json") {
      const values = Object.fromEntries(figures);
      process.stdout.write(`${JSON.stringify({ id: container.name, timestamp: time, ...values })}\n`);
      return 0;
    }
    const head = table(
      [
        ["ID", "TIMESTAMP"],
        [container.name, time],
      ],
      { padding: 4 },
    );
    const body = table([["METRIC", "VALUE"], ...figures], { padding: 4 });
    process.stdout.write(`${head}\n${body}`);
    return 0;
  },
);

/** `2026-11-24 17:21:40.913 +0000 UTC`, as Go prints a time. */
const timeText = (): string => new Date().toISOString().replace("T", " ").replace("Z", " +0000 UTC");

function metrics({ cpu, memory, pids }: CgroupStats, version2: boolean): readonly (readonly [string, string])[] {
  const { usage, swap, raw } = memory;
  const tasks = [
    ["pids.current", String(pids.current)],
    ["pids.limit", String(pids.limit)],
  ] as const;
  if (!version2)
    return [
      ["memory.usage_in_bytes", String(usage.usage)],
      ["memory.limit_in_bytes", String(usage.limit)],
      ["memory.stat.cache", String(raw.get("total_cache") ?? 0n)],
      ["cpuacct.usage", String(cpu.total)],
      ["cpuacct.usage_percpu", `[${cpu.percpu.join(" ")}]`],
      ...tasks,
    ];
  const microseconds = (nanoseconds: bigint): string => String(nanoseconds / 1000n);
  const swapUsage = swap.usage > usage.usage ? swap.usage - usage.usage : 0n;
  return [
    ...tasks,
    ["cpu.usage_usec", microseconds(cpu.total)],
    ["cpu.user_usec", microseconds(cpu.user)],
    ["cpu.system_usec", microseconds(cpu.kernel)],
    ["cpu.nr_periods", String(cpu.periods)],
    ["cpu.nr_throttled", String(cpu.throttledPeriods)],
    ["cpu.throttled_usec", microseconds(cpu.throttledTime)],
    ["memory.usage", String(usage.usage)],
    ["memory.usage_limit", String(usage.limit)],
    ["memory.swap_usage", String(swapUsage)],
    ...[...raw].map(([name, value]) => [`memory.${name}`, String(value)] as const),
  ];
}
