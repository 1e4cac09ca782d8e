/** Figures of cgroups under cAdvisor's names. */
import { readlinkSync } from "node:fs";
import { basename } from "node:path";
import type { BlkioEntry, BlkioStats, CgroupStats, CpuStats, MemoryStats, Pressure } from "#host";
import type { MetricName } from "./metric-descriptors.ts";
import type { Figure } from "./metrics.ts";

const second = 1_000_000_000n;

export function cpuFigures(cpu: CpuStats): readonly Figure[] {
  return [
    ["container_cpu_user_seconds_total", cpu.user / second],
    ["container_cpu_system_seconds_total", cpu.kernel / second],
    ["container_cpu_usage_seconds_total", cpu.total / second, "total"],
    ["container_cpu_cfs_periods_total", cpu.periods],
    ["container_cpu_cfs_throttled_periods_total", cpu.throttledPeriods],
    ["container_cpu_cfs_throttled_seconds_total", cpu.throttledTime / second],
  ];
}

export function memoryFigures({ raw, usage, swap, kernel, cache }: MemoryStats): readonly Figure[] {
  // v1 has figures of all below the group with a prefix, and others of the group alone; v2's are all of the first kind.
  const version1 = raw.has("total_rss");
  const own = (name: string): bigint => raw.get(name) ?? 0n;
  const all = (name: string): bigint => own(version1 ? `total_${name}` : name);
  const inactive = all("inactive_file");
  const [faults, majorFaults] = ["pgfault", "pgmajfault"] as const;
  return [
    ["container_memory_cache", version1 ? own("total_cache") : cache],
    ["container_memory_rss", all(version1 ? "rss" : "anon")],
    ["container_memory_kernel_usage", version1 ? kernel.usage : own("kernel")],
    ["container_memory_mapped_file", all(version1 ? "mapped_file" : "file_mapped")],
    ["container_memory_swap", swap.usage > usage.usage ? swap.usage - usage.usage : 0n],
    ["container_memory_failcnt", usage.failcnt],
    ["container_memory_usage_bytes", usage.usage],
    ["container_memory_max_usage_bytes", usage.max],
    ["container_memory_working_set_bytes", usage.usage > inactive ? usage.usage - inactive : 0n],
    ["container_memory_total_active_file_bytes", all("active_file")],
    ["container_memory_total_inactive_file_bytes", inactive],
    ["container_memory_failures_total", own(faults), faults, "container"],
    ["container_memory_failures_total", own(majorFaults), majorFaults, "container"],
    ["container_memory_failures_total", all(faults), faults, "hierarchy"],
    ["container_memory_failures_total", all(majorFaults), majorFaults, "hierarchy"],
  ];
}

/** None where the kernel tells no pressure. */
export function pressureFigures({ cpu, memory, blkio }: CgroupStats): readonly Figure[] {
  const figures = (pressure: Pressure | undefined, stalled: MetricName, waiting: MetricName): Figure[] =>
    pressure === undefined
      ? []
      : [
          [stalled, pressure.full.total / 1_000_000n],
          [waiting, pressure.some.total / 1_000_000n],
        ];
  return [
    ...figures(cpu.psi, "container_pressure_cpu_stalled_seconds_total", "container_pressure_cpu_waiting_seconds_total"),
    ...figures(
      memory.psi,
      "container_pressure_memory_stalled_seconds_total",
      "container_pressure_memory_waiting_seconds_total",
    ),
    ...figures(blkio.psi, "container_pressure_io_stalled_seconds_total", "container_pressure_io_waiting_seconds_total"),
  ];
}

const directions: ReadonlyMap<string, readonly [bytes: MetricName, count: MetricName]> = new Map([
  ["read", ["container_fs_reads_bytes_total", "container_fs_reads_total"]],
  ["write", ["container_fs_writes_bytes_total", "container_fs_writes_total"]],
]);

/** @param nameOf a block device's name in /dev */
export function deviceFigures(
  { serviceBytes, serviced }: BlkioStats,
  nameOf: (entry: BlkioEntry) => string = deviceName,
): readonly Figure[] {
  const figures: Figure[] = [];
  for (const [entries, which] of [
    [serviceBytes, 0],
    [serviced, 1],
  ] as const) {
    for (const entry of entries) {
      const names = directions.get(entry.op.toLowerCase());
      if (names !== undefined) figures.push([names[which], entry.value, nameOf(entry)]);
    }
  }
  for (const entry of serviceBytes) {
    const [major, minor] = [String(entry.major), String(entry.minor)];
    figures.push(["container_blkio_device_usage_total", entry.value, nameOf(entry), major, minor, entry.op]);
  }
  return figures;
}

/** Its number where the kernel has no name, as for one that is gone. */
function deviceName({ major, minor }: BlkioEntry): string {
  try {
    return `/dev/${basename(readlinkSync(`/sys/dev/block/${major}:${minor}`))}`;
  } catch {
    return `${major}:${minor}`;
  }
}
