/**
 * What `events` prints: one line of JSON an event, in the words of runc's package `types`, which containerd and Docker
 * parse. A property that Go would leave out because it is empty is left out here too, and the order is the same.
 */
import type { BlkioEntry, CgroupStats, MemoryCounter, NetworkInterfaceStats, Pressure } from "#host";

/** Amounts are bigint, and may pass what a number holds: they are written with all their digits. */
type Json = bigint | number | string | readonly Json[] | { readonly [name: string]: Json | undefined };

/** JSON.rawJSON of ECMAScript 2026, which Node has and TypeScript's library does not yet. */
const { rawJSON } = JSON as unknown as { rawJSON(this: void, text: string): unknown };

const text = (value: Json): string =>
  JSON.stringify(value, (_key, item: unknown) => (typeof item === "bigint" ? rawJSON(item.toString()) : item));

export const oomEvent = (id: string): string => text({ type: "oom", id });

export function statsEvent(id: string, stats: CgroupStats, interfaces: readonly NetworkInterfaceStats[]): string {
  return text({ type: "stats", id, data: statsData(stats, interfaces) });
}

/** Undefined for what Go leaves out: zero, and what is empty. */
const some = (value: bigint): bigint | undefined => (value === 0n ? undefined : value);
const list = <T extends Json>(items: readonly T[]): readonly T[] | undefined =>
  items.length === 0 ? undefined : items;

function statsData(stats: CgroupStats, interfaces: readonly NetworkInterfaceStats[]): Json {
  return {
    cpu: cpu(stats),
    cpuset: cpuset(stats),
    memory: memory(stats),
    pids: { current: some(stats.pids.current), limit: some(stats.pids.limit) },
    blkio: blkio(stats),
    hugetlb: Object.fromEntries(
      [...stats.hugetlb].map(([size, { usage, max, failcnt }]) => [
        size,
        { usage: some(usage), max: some(max), failcnt },
      ]),
    ),
    intel_rdt: {},
    network_interfaces: interfaces.map((i) => ({
      Name: i.name,
      RxBytes: i.rxBytes,
      RxPackets: i.rxPackets,
      RxErrors: i.rxErrors,
      RxDropped: i.rxDropped,
      TxBytes: i.txBytes,
      TxPackets: i.txPackets,
      TxErrors: i.txErrors,
      TxDropped: i.txDropped,
    })),
  };
}

function cpu({ cpu: c }: CgroupStats): Json {
  const throttled = c.periods !== 0n || c.throttledPeriods !== 0n || c.throttledTime !== 0n;
  const used = c.total !== 0n || c.user !== 0n || c.kernel !== 0n || c.percpu.length > 0;
  return {
    usage: used
      ? {
          total: some(c.total),
          percpu: list(c.percpu),
          percpu_kernel: list(c.percpuKernel),
          percpu_user: list(c.percpuUser),
          kernel: c.kernel,
          user: c.user,
        }
      : undefined,
    throttling: throttled
      ? { periods: some(c.periods), throttledPeriods: some(c.throttledPeriods), throttledTime: some(c.throttledTime) }
      : undefined,
    psi: pressure(c.psi),
  };
}

/** v2 has no such counters: they are all 0 there. */
function cpuset({ cpuset: set }: CgroupStats): Json {
  const flag = (name: string): bigint => set?.flags.get(name) ?? 0n;
  return {
    cpus: list(set?.cpus ?? []),
    cpu_exclusive: flag("cpu_exclusive"),
    mems: list(set?.mems ?? []),
    mem_hardwall: flag("mem_hardwall"),
    mem_exclusive: flag("mem_exclusive"),
    memory_migrate: flag("memory_migrate"),
    memory_spread_page: flag("memory_spread_page"),
    memory_spread_slab: flag("memory_spread_slab"),
    memory_pressure: flag("memory_pressure"),
    sched_load_balance: flag("sched_load_balance"),
    sched_relax_domain_level: flag("sched_relax_domain_level"),
  };
}

function memory({ memory: m }: CgroupStats): Json {
  return {
    cache: some(m.cache),
    usage: counter(m.usage),
    swap: counter(m.swap),
    kernel: counter(m.kernel),
    kernelTCP: counter(m.kernelTCP),
    // Go writes maps in the order of their keys.
    raw: m.raw.size === 0 ? undefined : Object.fromEntries([...m.raw].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    psi: pressure(m.psi),
  };
}

function counter({ limit, usage, max, failcnt }: MemoryCounter): Json | undefined {
  if (limit === 0n && usage === 0n && max === 0n && failcnt === 0n) return undefined;
  return { limit, usage: some(usage), max: some(max), failcnt };
}

function blkio({ blkio: b }: CgroupStats): Json {
  const entries = (items: readonly BlkioEntry[]): readonly Json[] | undefined =>
    list(
      items.map(({ major, minor, op, value }) => ({
        major: some(major),
        minor: some(minor),
        op: op === "" ? undefined : op,
        value: some(value),
      })),
    );
  return {
    ioServiceBytesRecursive: entries(b.serviceBytes),
    ioServicedRecursive: entries(b.serviced),
    ioQueueRecursive: entries(b.queued),
    ioServiceTimeRecursive: entries(b.serviceTime),
    ioWaitTimeRecursive: entries(b.waitTime),
    ioMergedRecursive: entries(b.merged),
    ioTimeRecursive: entries(b.time),
    sectorsRecursive: entries(b.sectors),
    psi: pressure(b.psi),
  };
}

function pressure(psi: Pressure | undefined): Json | undefined {
  if (psi === undefined) return undefined;
  const line = ({ avg10, avg60, avg300, total }: Pressure["some"]): Json | undefined =>
    avg10 === 0 && avg60 === 0 && avg300 === 0 && total === 0n ? undefined : { avg10, avg60, avg300, total };
  return { some: line(psi.some), full: line(psi.full) };
}
