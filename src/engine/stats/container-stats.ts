/** What containers use: figures of their cgroups and interfaces, and how fast they grow. */
import { availableParallelism, totalmem } from "node:os";
import {
  readCgroupStats,
  readNetworkStats,
  type BlkioEntry,
  type CgroupStats,
  type NetworkInterfaceStats,
} from "#host";

export interface ContainerStats {
  readonly id: string;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly cpu: {
    /** Nanoseconds since its start. */
    readonly total: bigint;
    /** Of one processor since the sample before: 250 is two and a half processors. 0 in the first sample. */
    readonly percent: number;
    /** Processors of the host. */
    readonly processors: number;
  };
  /** Bytes. */
  readonly memory: {
    /** Without what could be given back at once: files that were read once. */
    readonly usage: number;
    /** The host's memory where there is no limit. */
    readonly limit: number;
    /** Of the limit. */
    readonly percent: number;
  };
  readonly pids: {
    readonly current: number;
    /** 0 for none. */
    readonly limit: number;
  };
  /** Bytes since its start. */
  readonly blockIo: { readonly read: bigint; readonly written: bigint };
  /** Bytes since its start, of all interfaces but lo. */
  readonly network: { readonly received: bigint; readonly sent: bigint };
}

export interface Sample {
  readonly at: number;
  /** Nanoseconds of a clock that is never set. */
  readonly clock: bigint;
  readonly groups: CgroupStats;
  readonly interfaces: readonly NetworkInterfaceStats[];
}

export function takeSample(
  cgroups: ReadonlyMap<string, string>,
  pid: number,
  hugepageSizes: readonly string[],
): Sample {
  return {
    at: Date.now(),
    clock: process.hrtime.bigint(),
    groups: readCgroupStats(cgroups, hugepageSizes),
    interfaces: readNetworkStats(pid),
  };
}

/** @param before the sample before of the same run, undefined for the first */
export function statsOf(
  container: { readonly id: string; readonly name: string },
  sample: Sample,
  before: Sample | undefined,
  host: { readonly memory: number; readonly processors: number } = {
    memory: totalmem(),
    processors: availableParallelism(),
  },
): ContainerStats {
  const { groups, interfaces, clock, at } = sample;
  const elapsed = before === undefined ? 0n : clock - before.clock;
  const used = before === undefined ? 0n : groups.cpu.total - before.groups.cpu.total;
  const { usage, limit } = memory(groups, host.memory);
  const sum = (read: (i: NetworkInterfaceStats) => bigint): bigint =>
    interfaces.filter((i) => i.name !== "lo").reduce((total, i) => total + read(i), 0n);
  return {
    id: container.id,
    name: container.name,
    at,
    cpu: {
      total: groups.cpu.total,
      percent: elapsed > 0n && used > 0n ? (Number(used) / Number(elapsed)) * 100 : 0,
      processors: host.processors,
    },
    memory: { usage, limit, percent: limit > 0 ? (usage / limit) * 100 : 0 },
    pids: { current: Number(groups.pids.current), limit: Number(groups.pids.limit) },
    blockIo: { read: bytes(groups.blkio.serviceBytes, "read"), written: bytes(groups.blkio.serviceBytes, "write") },
    network: { received: sum((i) => i.rxBytes), sent: sum((i) => i.txBytes) },
  };
}

function memory({ memory: m }: CgroupStats, total: number): { readonly usage: number; readonly limit: number } {
  // v1's counter of this group alone has no prefix.
  const inactive = m.raw.get("total_inactive_file") ?? m.raw.get("inactive_file") ?? 0n;
  const usage = m.usage.usage > inactive ? m.usage.usage - inactive : m.usage.usage;
  const limit = m.usage.limit === 0n || m.usage.limit > BigInt(total) ? total : Number(m.usage.limit);
  return { usage: Number(usage), limit };
}

function bytes(entries: readonly BlkioEntry[], op: string): bigint {
  return entries.filter((e) => e.op.toLowerCase() === op).reduce((sum, e) => sum + e.value, 0n);
}
