import { setTimeout as sleep } from "node:timers/promises";
import { failedPrecondition } from "#errdefs";
import { readCgroupStats, readNetworkStats } from "#host";
import { oomEvent, statsEvent, watchOomKills, type OciContainer } from "#runtime";
import { ociCommand, type OciContext } from "../command.ts";
import { readDuration } from "../duration.ts";

export const events = ociCommand(
  {
    name: "events",
    summary: "Print counters of a container, and kills for want of memory, as lines of JSON",
    usage: "CONTAINER",
    positionals: [1, 1],
    options: {
      stats: { type: "boolean", help: "print the counters once and end" },
      interval: { type: "string", value: "DURATION", help: "time between counters (default 5s)" },
    },
    examples: ["sampan-oci events --stats web", "sampan-oci events --interval 1s web"],
  },
  async (values, [id = ""], context) => {
    const interval = readDuration(values.interval ?? "5s");
    const runtime = context.runtime();
    const container = runtime.get(id);
    if (container.state.pid === 0)
      throw failedPrecondition(`Cannot read events of container "${id}": container not running`);
    const sizes = runtime.facts.hugepageSizes;
    const stats = (): void => void process.stdout.write(`${statsLine(container, sizes)}\n`);
    if (values.stats === true) {
      stats();
      return 0;
    }
    await follow(container, interval, stats, context);
    return 0;
  },
);

function statsLine({ id, record, state }: OciContainer, hugepageSizes: readonly string[]): string {
  return statsEvent(id, readCgroupStats(new Map(record.cgroups), hugepageSizes), readNetworkStats(state.pid));
}

async function follow(
  { id, record }: OciContainer,
  interval: number,
  stats: () => void,
  context: OciContext,
): Promise<void> {
  const ended = new AbortController();
  const ticks = (async () => {
    for (;;) {
      try {
        await sleep(interval, undefined, { signal: ended.signal });
      } catch {
        return;
      }
      stats();
    }
  })();
  try {
    for await (const count of watchOomKills(new Map(record.cgroups)))
      for (let i = 0; i < count; i++) process.stdout.write(`${oomEvent(id)}\n`);
    context.debug(`container "${id}" has ended`);
  } finally {
    ended.abort();
    await ticks;
  }
}
