import type { PodOptions } from "#engine";
import type { LinuxContainerResources } from "../gen/runtime/v1/common_pb.ts";
import type { LinuxPodSandboxConfig } from "../gen/runtime/v1/pods_pb.ts";

type Limits = NonNullable<PodOptions["limits"]>;

/**
 * Limits of the pod as a whole: what its containers sum up to, and its overhead. 0 is no limit. Processors as the shortest period
 * of the two counts them.
 */
export function podLimits(linux: Pick<LinuxPodSandboxConfig, "overhead" | "resources"> | undefined): {
  readonly limits?: Limits;
} {
  const resources = linux?.resources;
  // An overhead alone limits nothing: it is in addition to what is not limited.
  if (resources === undefined) return {};
  const overhead = linux?.overhead;
  const limits: Limits = {
    ...sum("memory", resources, overhead, ({ memoryLimitInBytes }) => memoryLimitInBytes),
    ...sum("cpuShares", resources, overhead, ({ cpuShares }) => cpuShares),
    ...quota(resources, overhead),
    ...(resources.cpusetCpus !== "" && { cpusetCpus: resources.cpusetCpus }),
    ...(resources.cpusetMems !== "" && { cpusetMems: resources.cpusetMems }),
  };
  return Object.keys(limits).length === 0 ? {} : { limits };
}

function sum<K extends string>(
  name: K,
  resources: LinuxContainerResources,
  overhead: LinuxContainerResources | undefined,
  value: (of: LinuxContainerResources) => bigint,
): { readonly [P in K]?: number } {
  const own = value(resources);
  if (own <= 0n) return {};
  const more = overhead === undefined ? 0n : value(overhead);
  return { [name]: Number(own + (more > 0n ? more : 0n)) } as { readonly [P in K]: number };
}

/** Microseconds of each period: kubelets have one period for all. */
const defaultPeriod = 100_000n;

function quota(
  resources: LinuxContainerResources,
  overhead: LinuxContainerResources | undefined,
): Pick<Limits, "cpuQuota" | "cpuPeriod"> {
  if (resources.cpuQuota <= 0n) return {};
  const period = resources.cpuPeriod > 0n ? resources.cpuPeriod : defaultPeriod;
  const { cpuQuota: more = 0n, cpuPeriod: own = 0n } = overhead ?? {};
  const added = more > 0n ? (more * period) / (own > 0n ? own : defaultPeriod) : 0n;
  return { cpuQuota: Number(resources.cpuQuota + added), cpuPeriod: Number(period) };
}
