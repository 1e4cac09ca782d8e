import { parseNumber, parseNumbers, parseRanges, parseTable, readText, unlimited, type ReadText } from "./files.ts";
import { parseBlkio, parseIoStat, parsePressure, parseUsageAll, ticksToNanoseconds } from "./parse-stats.ts";
import type {
  BlkioEntry,
  BlkioStats,
  CgroupStats,
  CpusetStats,
  CpuStats,
  HugetlbStats,
  MemoryCounter,
  MemoryStats,
} from "./stats-types.ts";

type Paths = ReadonlyMap<string, string>;

/**
 * What a container uses. Counters of controllers or kernels that are not there are 0; a group that is gone has none but
 * these.
 *
 * @param paths controller → the container's directory; on v2 also the empty name
 * @param hugepageSizes of {@link HostFacts}
 */
export function readCgroupStats(
  paths: Paths,
  hugepageSizes: readonly string[],
  read: ReadText = readText,
): CgroupStats {
  const files = new Files(paths, read);
  const version2 = paths.has("");
  const limit = files.number("pids", "pids.max") ?? unlimited;
  return {
    cpu: version2 ? cpuV2(files) : cpuV1(files),
    cpuset: version2 ? undefined : cpuset(files),
    memory: version2 ? memoryV2(files) : memoryV1(files),
    pids: {
      current: files.number("pids", "pids.current") ?? BigInt(files.lines(version2 ? "" : "devices", "cgroup.procs")),
      limit: limit === unlimited ? 0n : limit,
    },
    blkio: version2 ? ioV2(files) : blkioV1(files),
    hugetlb: hugetlb(files, hugepageSizes, version2),
  };
}

class Files {
  readonly #paths: Paths;
  readonly #read: ReadText;

  constructor(paths: Paths, read: ReadText) {
    this.#paths = paths;
    this.#read = read;
  }

  text(controller: string, file: string): string | undefined {
    const directory = this.#paths.get(controller);
    return directory === undefined ? undefined : this.#read(`${directory}/${file}`);
  }

  number(controller: string, file: string): bigint | undefined {
    return parseNumber(this.text(controller, file));
  }

  table(controller: string, file: string): ReadonlyMap<string, bigint> {
    return parseTable(this.text(controller, file));
  }

  /** How many there are. */
  lines(controller: string, file: string): number {
    return (this.text(controller, file) ?? "").split("\n").length - 1;
  }
}

function cpuV1(files: Files): CpuStats {
  const throttling = files.table("cpu", "cpu.stat");
  const modes = files.table("cpuacct", "cpuacct.stat");
  const all = parseUsageAll(files.text("cpuacct", "cpuacct.usage_all"));
  return {
    total: files.number("cpuacct", "cpuacct.usage") ?? 0n,
    user: ticksToNanoseconds(modes.get("user")),
    kernel: ticksToNanoseconds(modes.get("system")),
    percpu: parseNumbers(files.text("cpuacct", "cpuacct.usage_percpu")),
    percpuUser: all.user,
    percpuKernel: all.kernel,
    periods: throttling.get("nr_periods") ?? 0n,
    throttledPeriods: throttling.get("nr_throttled") ?? 0n,
    throttledTime: throttling.get("throttled_time") ?? 0n,
  };
}

/** cpu.stat is there without the controller too. */
function cpuV2(files: Files): CpuStats {
  const stat = files.table("", "cpu.stat");
  const nanoseconds = (name: string): bigint => (stat.get(name) ?? 0n) * 1000n;
  return {
    total: nanoseconds("usage_usec"),
    user: nanoseconds("user_usec"),
    kernel: nanoseconds("system_usec"),
    percpu: [],
    percpuUser: [],
    percpuKernel: [],
    periods: stat.get("nr_periods") ?? 0n,
    throttledPeriods: stat.get("nr_throttled") ?? 0n,
    throttledTime: nanoseconds("throttled_usec"),
    psi: parsePressure(files.text("", "cpu.pressure")),
  };
}

const cpusetFlags = [
  "cpu_exclusive",
  "mem_hardwall",
  "mem_exclusive",
  "memory_migrate",
  "memory_spread_page",
  "memory_spread_slab",
  "memory_pressure",
  "sched_load_balance",
];

function cpuset(files: Files): CpusetStats | undefined {
  const cpus = files.text("cpuset", "cpuset.cpus");
  if (cpus === undefined) return undefined;
  const flags = new Map(cpusetFlags.map((name) => [name, files.number("cpuset", `cpuset.${name}`) ?? 0n]));
  const level = files.text("cpuset", "cpuset.sched_relax_domain_level")?.trim() ?? "0";
  flags.set("sched_relax_domain_level", /^-?\d{1,5}$/.test(level) ? BigInt(level) : 0n);
  return { cpus: parseRanges(cpus), mems: parseRanges(files.text("cpuset", "cpuset.mems")), flags };
}

function memoryV1(files: Files): MemoryStats {
  const counter = (name: string): MemoryCounter => ({
    usage: files.number("memory", `${name}.usage_in_bytes`) ?? 0n,
    max: files.number("memory", `${name}.max_usage_in_bytes`) ?? 0n,
    failcnt: files.number("memory", `${name}.failcnt`) ?? 0n,
    limit: files.number("memory", `${name}.limit_in_bytes`) ?? 0n,
  });
  const raw = files.table("memory", "memory.stat");
  return {
    cache: raw.get("cache") ?? 0n,
    usage: counter("memory"),
    swap: counter("memory.memsw"),
    kernel: counter("memory.kmem"),
    kernelTCP: counter("memory.kmem.tcp"),
    raw,
  };
}

const noCounter: MemoryCounter = { usage: 0n, max: 0n, failcnt: 0n, limit: 0n };

function memoryV2(files: Files): MemoryStats {
  const raw = files.table("memory", "memory.stat");
  const usage: MemoryCounter = {
    usage: files.number("memory", "memory.current") ?? 0n,
    max: files.number("memory", "memory.peak") ?? 0n,
    failcnt: 0n,
    limit: files.number("memory", "memory.max") ?? 0n,
  };
  const swapLimit = files.number("memory", "memory.swap.max") ?? 0n;
  return {
    cache: raw.get("file") ?? 0n,
    usage,
    // As on v1, memory and swap together.
    swap: {
      ...noCounter,
      usage: usage.usage + (files.number("memory", "memory.swap.current") ?? 0n),
      limit: swapLimit === unlimited || usage.limit === unlimited ? unlimited : usage.limit + swapLimit,
    },
    kernel: noCounter,
    kernelTCP: noCounter,
    raw,
    psi: parsePressure(files.text("memory", "memory.pressure")),
  };
}

const noBlkio: BlkioStats = {
  serviceBytes: [],
  serviced: [],
  queued: [],
  serviceTime: [],
  waitTime: [],
  merged: [],
  time: [],
  sectors: [],
};

/** Which files there are depends on the scheduler: BFQ's, CFQ's (before Linux 5.0), or what throttling counts for all. */
function blkioV1(files: Files): BlkioStats {
  const entries = (file: string): readonly BlkioEntry[] => parseBlkio(files.text("blkio", `blkio.${file}`));
  for (const [prefix, suffix] of [
    ["bfq.", "_recursive"],
    ["", "_recursive"],
    ["throttle.", "_recursive"],
    ["throttle.", ""],
  ] as const) {
    const serviced = entries(`${prefix}io_serviced${suffix}`);
    if (serviced.length === 0) continue;
    return {
      serviced,
      serviceBytes: entries(`${prefix}io_service_bytes${suffix}`),
      queued: entries(`${prefix}io_queued${suffix}`),
      serviceTime: entries(`${prefix}io_service_time${suffix}`),
      waitTime: entries(`${prefix}io_wait_time${suffix}`),
      merged: entries(`${prefix}io_merged${suffix}`),
      time: entries(`${prefix}time${suffix}`),
      sectors: entries(`${prefix}sectors${suffix}`),
    };
  }
  return noBlkio;
}

function ioV2(files: Files): BlkioStats {
  const { bytes, operations } = parseIoStat(files.text("io", "io.stat"));
  return {
    ...noBlkio,
    serviceBytes: bytes,
    serviced: operations,
    psi: parsePressure(files.text("io", "io.pressure")),
  };
}

/** The counters of reservations where the kernel has them (Linux 5.7). */
function hugetlb(files: Files, sizes: readonly string[], version2: boolean): ReadonlyMap<string, HugetlbStats> {
  const stats = new Map<string, HugetlbStats>();
  const usageFile = version2 ? "current" : "usage_in_bytes";
  for (const size of sizes) {
    const name = [`hugetlb.${size}.rsvd`, `hugetlb.${size}`].find(
      (prefix) => files.text("hugetlb", `${prefix}.${usageFile}`) !== undefined,
    );
    if (name === undefined) continue;
    const number = (file: string): bigint => files.number("hugetlb", `${name}.${file}`) ?? 0n;
    stats.set(size, {
      usage: number(usageFile),
      max: version2 ? 0n : number("max_usage_in_bytes"),
      failcnt: version2 ? (files.table("hugetlb", `hugetlb.${size}.events`).get("max") ?? 0n) : number("failcnt"),
    });
  }
  return stats;
}
