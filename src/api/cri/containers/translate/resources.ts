/** Limits of containers, as the engine has them. */
import type { ContainerOptions, UpdateOptions } from "#engine";
import { failedPrecondition } from "#errdefs";
import type { LinuxContainerResources } from "../../gen/runtime/v1/common_pb.ts";
import { inRange, largest, refuse } from "./check.ts";

/** What limits depend on. */
export interface ResourceFacts {
  readonly cgroupVersion: 1 | 2;
  /** Sizes of huge pages that can be limited, as `2MB`; none without the controller. */
  readonly hugepageSizes: readonly string[];
  /** Without CAP_SYS_RESOURCE no score below this one can be given; undefined where any can. */
  readonly leastOomScore: number | undefined;
}

/** As the engine: no process can start in less. */
const leastMemory = 512n * 1024n;

type Limits = Pick<
  UpdateOptions,
  | "cpuPeriod"
  | "cpuQuota"
  | "cpuShares"
  | "cpusetCpus"
  | "cpusetMems"
  | "memory"
  | "memorySwap"
  | "hugepages"
  | "cgroupFiles"
>;

/**
 * What is 0 or empty is left as it is.
 *
 * @param path of the message in the request
 * @throws SampanError `invalid-argument`, `failed-precondition` for what this host can't limit
 */
export function limits(path: string, resources: LinuxContainerResources | undefined, facts: ResourceFacts): Limits {
  if (resources === undefined) return {};
  const number = (name: string, value: bigint, least: bigint, most: bigint): number =>
    inRange(`${path}.${name}`, value, least, most);
  const { cpuPeriod, cpuQuota, cpuShares, cpusetCpus, cpusetMems, unified, hugepageLimits } = resources;
  const memory = resources.memoryLimitInBytes;
  if (memory !== 0n) number("memory_limit_in_bytes", memory, leastMemory, largest);
  const isQuota = cpuQuota !== 0n;
  if (cpuQuota > 0n) number("cpu_quota", cpuQuota, 1000n, largest);
  const hugepages = hugepageOptions(path, hugepageLimits, facts);
  const files = Object.keys(unified);
  if (files.length > 0 && facts.cgroupVersion === 1)
    throw failedPrecondition(`Cannot use ${path}.unified: this host has cgroup v1, which has no file "${files[0]}"`);
  for (const name of files)
    if (!/^[a-z][a-z0-9_]*(\.[a-zA-Z0-9_]+)+$/.test(name)) refuse(`${path}.unified`, name, "it is no file of a cgroup");
  return {
    ...(cpuPeriod !== 0n && { cpuPeriod: number("cpu_period", cpuPeriod, 1000n, 1_000_000n) }),
    ...(isQuota && { cpuQuota: cpuQuota < 0n ? -1 : Number(cpuQuota) }),
    ...(cpuShares !== 0n && { cpuShares: number("cpu_shares", cpuShares, 2n, 262_144n) }),
    ...(cpusetCpus !== "" && { cpusetCpus: cpuList(`${path}.cpuset_cpus`, cpusetCpus) }),
    ...(cpusetMems !== "" && { cpusetMems: cpuList(`${path}.cpuset_mems`, cpusetMems) }),
    ...(memory !== 0n && { memory: Number(memory) }),
    ...swap(path, memory, resources.memorySwapLimitInBytes),
    ...(Object.keys(hugepages).length > 0 && { hugepages }),
    ...(files.length > 0 && { cgroupFiles: { ...unified } }),
  };
}

/** With a memory limit and no word of swap there is none. */
function swap(path: string, memory: bigint, limit: bigint): Pick<Limits, "memorySwap"> {
  if (limit === 0n) return memory === 0n ? {} : { memorySwap: Number(memory) };
  if (limit < 0n) return memory === 0n ? {} : { memorySwap: -1 };
  const field = `${path}.memory_swap_limit_in_bytes`;
  if (memory === 0n) refuse(field, limit, "it counts memory too, and memory_limit_in_bytes is not given");
  return { memorySwap: inRange(field, limit, memory, largest) };
}

function cpuList(field: string, list: string): string {
  return /^\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*$/.test(list) ? list : refuse(field, list, "it is no list as 0-2,7");
}

function hugepageOptions(
  path: string,
  list: LinuxContainerResources["hugepageLimits"],
  { hugepageSizes }: ResourceFacts,
): Record<string, number> {
  const options: Record<string, number> = {};
  for (const [index, { pageSize, limit }] of list.entries()) {
    const field = `${path}.hugepage_limits[${index}]`;
    if (!/^\d{1,9}[KMGTP]B$/.test(pageSize)) refuse(`${field}.page_size`, pageSize, "it is no size as 2MB");
    if (hugepageSizes.includes(pageSize)) options[pageSize] = inRange(`${field}.limit`, limit, 0n, largest);
    // A kubelet names all the sizes there are, with 0 for none: what the host does not have is not used anyway.
    else if (limit > 0n)
      throw failedPrecondition(`Cannot use ${field}.page_size "${pageSize}": this host can't limit such pages`);
  }
  return options;
}

/** The lowest score that can be given stands in for a lower one. */
export function oomScore(
  path: string,
  resources: LinuxContainerResources | undefined,
  { leastOomScore }: ResourceFacts,
): Pick<ContainerOptions, "oomScoreAdj"> {
  if (resources === undefined || resources.oomScoreAdj === 0n) return {};
  const score = inRange(`${path}.oom_score_adj`, resources.oomScoreAdj, -1000n, 1000n);
  return { oomScoreAdj: leastOomScore === undefined ? score : Math.max(score, leastOomScore) };
}
