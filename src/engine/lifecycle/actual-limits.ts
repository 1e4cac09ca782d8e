/** Limits that are in force: what the kernel says, in the words of cgroup v1 that the CRI speaks too. */
import { readText } from "#host";
import type { EngineCore } from "../core.ts";
import type { ContainerRecord } from "../records.ts";

/** Undefined for what has no limit, or what the host does not count. */
export interface ActualLimits {
  readonly cpuShares?: number | undefined;
  /** Microseconds. */
  readonly cpuPeriod?: number | undefined;
  /** Microseconds; -1 without limit. */
  readonly cpuQuota?: number | undefined;
  /** Bytes. */
  readonly memory?: number | undefined;
  /** Memory and swap together, in bytes. */
  readonly memorySwap?: number | undefined;
  readonly cpusetCpus?: string | undefined;
  readonly cpusetMems?: string | undefined;
  /** Bytes by page size. */
  readonly hugepages: Readonly<Record<string, bigint>>;
  /** Of cgroup v2, those that were given. */
  readonly cgroupFiles: Readonly<Record<string, string>>;
  /** Of its first process. */
  readonly oomScoreAdj?: number | undefined;
}

/** v1 writes the largest number of pages that it can count, in bytes, for what has no limit. */
const endless = 2 ** 62;

/**
 * @param pid of its first process
 * @param read for tests
 */
export function actualLimits(
  core: Pick<EngineCore, "facts" | "cgroups">,
  record: ContainerRecord,
  pid: number,
  read: (path: string) => string | undefined = readText,
): ActualLimits {
  const paths = core.cgroups(record);
  const file = (controller: string, name: string): string | undefined => {
    const directory = paths.get(controller);
    return directory === undefined ? undefined : read(`${directory}/${name}`)?.trim();
  };
  const number = (text: string | undefined): number | undefined => {
    if (text === undefined || text === "" || text === "max") return undefined;
    const value = Number(text);
    return value >= endless ? undefined : value;
  };
  const isVersion2 = core.facts.cgroup.version === 2;
  const hugepages = core.facts.hugepageSizes.flatMap((size): [string, bigint][] => {
    const text = file("hugetlb", isVersion2 ? `hugetlb.${size}.max` : `hugetlb.${size}.limit_in_bytes`);
    const limit = number(text);
    return limit === undefined ? [] : [[size, BigInt(text ?? 0)]];
  });
  const shared = {
    // An empty list is that of the group above.
    cpusetCpus: file("cpuset", "cpuset.cpus") || undefined,
    cpusetMems: file("cpuset", "cpuset.mems") || undefined,
    hugepages: Object.fromEntries(hugepages),
    oomScoreAdj: number(read(`/proc/${pid}/oom_score_adj`)?.trim()),
  };
  if (!isVersion2)
    return {
      ...shared,
      cpuShares: number(file("cpu", "cpu.shares")),
      cpuPeriod: number(file("cpu", "cpu.cfs_period_us")),
      cpuQuota: number(file("cpu", "cpu.cfs_quota_us")),
      memory: number(file("memory", "memory.limit_in_bytes")),
      memorySwap: number(file("memory", "memory.memsw.limit_in_bytes")),
      cgroupFiles: {},
    };
  const [quota, period] = file("cpu", "cpu.max")?.split(" ") ?? [];
  const memory = number(file("memory", "memory.max"));
  const swap = number(file("memory", "memory.swap.max"));
  const given = Object.keys(record.options.cgroupFiles ?? {});
  return {
    ...shared,
    cpuShares: sharesOf(number(file("cpu", "cpu.weight")), record.options.cpuShares),
    cpuPeriod: number(period),
    cpuQuota: quota === "max" ? -1 : number(quota),
    memory,
    memorySwap: memory === undefined || swap === undefined ? undefined : memory + swap,
    cgroupFiles: Object.fromEntries(
      given.flatMap((name) => {
        const text = file("", name);
        return text === undefined ? [] : [[name, text]];
      }),
    ),
  };
}

/** The curve of runc and crun from shares to weights, and back; the exact inverse is among several shares of a weight. */
function sharesOf(weight: number | undefined, given: number | undefined): number | undefined {
  if (weight === undefined) return undefined;
  const weightOf = (shares: number): number => {
    const log = Math.log2(shares);
    return Math.ceil(Number((10 ** ((log * log + 125 * log) / 612 - 7 / 34)).toFixed(9)));
  };
  if (given !== undefined && weightOf(Math.max(2, given)) === weight) return given;
  let low = 2;
  let high = 262_144;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (weightOf(middle) >= weight) high = middle;
    else low = middle + 1;
  }
  return low;
}
