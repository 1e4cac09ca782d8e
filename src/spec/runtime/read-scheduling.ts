import type {
  CpuAffinityConfig,
  IoPriorityConfig,
  MemoryPolicyConfig,
  PersonalityConfig,
  SchedulerConfig,
} from "./attribute-types.ts";
import { readNumberList } from "./number-list.ts";
import { malformed, optional, readInteger, readList, readObject, readOneOf, readStrings, readU64 } from "./reader.ts";

/** Largest CONFIG_NR_CPUS, and 2^CONFIG_NODES_SHIFT. */
const lastProcessor = 8191;
const lastNode = 1023;

/** The least runtime of SCHED_DEADLINE that the kernel can count: 2^DL_SCALE nanoseconds (kernel/sched/deadline.c). */
const leastRuntime = 1024n;

const policies = [
  "SCHED_OTHER",
  "SCHED_FIFO",
  "SCHED_RR",
  "SCHED_BATCH",
  "SCHED_ISO",
  "SCHED_IDLE",
  "SCHED_DEADLINE",
] as const;
const schedulerFlags = [
  "SCHED_FLAG_RESET_ON_FORK",
  "SCHED_FLAG_RECLAIM",
  "SCHED_FLAG_DL_OVERRUN",
  "SCHED_FLAG_KEEP_POLICY",
  "SCHED_FLAG_KEEP_PARAMS",
  "SCHED_FLAG_UTIL_CLAMP_MIN",
  "SCHED_FLAG_UTIL_CLAMP_MAX",
] as const;

const memoryModes = [
  "MPOL_DEFAULT",
  "MPOL_BIND",
  "MPOL_INTERLEAVE",
  "MPOL_WEIGHTED_INTERLEAVE",
  "MPOL_PREFERRED",
  "MPOL_PREFERRED_MANY",
  "MPOL_LOCAL",
] as const;
const memoryFlags = ["MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES"] as const;

/** `process.scheduler`, with the rules of sched_setattr(2), which itself would only say EINVAL. */
export function readScheduler(value: unknown, path: string): SchedulerConfig {
  const o = readObject(value, path);
  const policy = readOneOf(o["policy"], `${path}.policy`, policies);
  const time = (name: string): bigint => optional(o[name], `${path}.${name}`, readU64) ?? 0n;
  const config: SchedulerConfig = {
    policy,
    nice: optional(o["nice"], `${path}.nice`, (x, p) => readInteger(x, p, -20, 19)) ?? 0,
    priority: optional(o["priority"], `${path}.priority`, (x, p) => readInteger(x, p, 0, 99)) ?? 0,
    flags: readList(o["flags"], `${path}.flags`, (x, p) => readOneOf(x, p, schedulerFlags)),
    runtime: time("runtime"),
    deadline: time("deadline"),
    period: time("period"),
  };
  const realTime = policy === "SCHED_FIFO" || policy === "SCHED_RR";
  if (realTime && config.priority === 0) throw malformed(`${path}.priority`, `must be from 1 to 99 with ${policy}`);
  if (!realTime && config.priority !== 0)
    throw malformed(`${path}.priority`, `must be 0 with ${policy}: only SCHED_FIFO and SCHED_RR have priorities`);
  if (policy === "SCHED_DEADLINE") checkDeadline(config, path);
  else
    for (const name of ["runtime", "deadline", "period"] as const)
      if (config[name] !== 0n) throw malformed(`${path}.${name}`, `must be 0 with ${policy}: it is for SCHED_DEADLINE`);
  return config;
}

function checkDeadline({ runtime, deadline, period }: SchedulerConfig, path: string): void {
  if (runtime < leastRuntime)
    throw malformed(`${path}.runtime`, `must be at least ${leastRuntime} with SCHED_DEADLINE`);
  if (runtime > deadline) throw malformed(`${path}.runtime`, "must not be above deadline");
  if (deadline > 0x7fff_ffff_ffff_ffffn) throw malformed(`${path}.deadline`, "must be below 2^63");
  // A period of 0 is that of the deadline.
  if (period !== 0n && deadline > period) throw malformed(`${path}.deadline`, "must not be above period");
  if (period > 0x7fff_ffff_ffff_ffffn) throw malformed(`${path}.period`, "must be below 2^63");
}

/** `process.ioPriority`. The spec wants a priority; runc takes a missing one, which means nothing for IDLE, as 0. */
export function readIoPriority(value: unknown, path: string): IoPriorityConfig {
  const o = readObject(value, path);
  return {
    class: readOneOf(o["class"], `${path}.class`, ["IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"]),
    priority: optional(o["priority"], `${path}.priority`, (x, p) => readInteger(x, p, 0, 7)) ?? 0,
  };
}

export function readCpuAffinity(value: unknown, path: string): CpuAffinityConfig {
  const o = readObject(value, path);
  const list = (name: string): readonly number[] =>
    optional(o[name], `${path}.${name}`, (x, p) => readNumberList(x, p, lastProcessor)) ?? [];
  return { initial: list("initial"), final: list("final") };
}

export function readPersonality(value: unknown, path: string): PersonalityConfig {
  const o = readObject(value, path);
  if (readStrings(o["flags"], `${path}.flags`).length > 0)
    throw malformed(`${path}.flags`, "must be empty: the runtime-spec defines no flag");
  return { domain: readOneOf(o["domain"], `${path}.domain`, ["LINUX", "LINUX32"]) };
}

/** `linux.memoryPolicy`, with the rules of set_mempolicy(2). */
export function readMemoryPolicy(value: unknown, path: string): MemoryPolicyConfig {
  const o = readObject(value, path);
  const mode = readOneOf(o["mode"], `${path}.mode`, memoryModes);
  const nodes = optional(o["nodes"], `${path}.nodes`, (x, p) => readNumberList(x, p, lastNode)) ?? [];
  const flags = readList(o["flags"], `${path}.flags`, (x, p) => readOneOf(x, p, memoryFlags));
  const onNodes = flags.filter((flag) => flag !== "MPOL_F_NUMA_BALANCING");
  if (mode === "MPOL_DEFAULT" || mode === "MPOL_LOCAL") {
    if (nodes.length > 0) throw malformed(`${path}.nodes`, `must be empty with ${mode}`);
  } else if (nodes.length === 0 && (mode !== "MPOL_PREFERRED" || onNodes.length > 0)) {
    throw malformed(`${path}.nodes`, `must name a node with ${[mode, ...onNodes].join(" and ")}`);
  }
  if (mode === "MPOL_LOCAL" && onNodes.length > 0)
    throw malformed(`${path}.flags`, "must not be about nodes with MPOL_LOCAL");
  if (new Set(onNodes).size > 1)
    throw malformed(`${path}.flags`, "must not have both MPOL_F_RELATIVE_NODES and MPOL_F_STATIC_NODES");
  if (onNodes.length < flags.length && mode !== "MPOL_BIND" && mode !== "MPOL_PREFERRED_MANY")
    throw malformed(`${path}.flags`, `must not have MPOL_F_NUMA_BALANCING with ${mode}`);
  return { mode, nodes, flags };
}
