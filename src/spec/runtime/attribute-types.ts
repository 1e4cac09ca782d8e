/** Types of how the kernel serves a process, and of what of the host it gets beside files (runtime-spec 1.3). */

export type SchedulerPolicy =
  | "SCHED_OTHER"
  | "SCHED_FIFO"
  | "SCHED_RR"
  | "SCHED_BATCH"
  | "SCHED_ISO"
  | "SCHED_IDLE"
  | "SCHED_DEADLINE";

export type SchedulerFlag =
  | "SCHED_FLAG_RESET_ON_FORK"
  | "SCHED_FLAG_RECLAIM"
  | "SCHED_FLAG_DL_OVERRUN"
  | "SCHED_FLAG_KEEP_POLICY"
  | "SCHED_FLAG_KEEP_PARAMS"
  | "SCHED_FLAG_UTIL_CLAMP_MIN"
  | "SCHED_FLAG_UTIL_CLAMP_MAX";

/** config.md#linux-process; durations in nanoseconds. */
export interface SchedulerConfig {
  readonly policy: SchedulerPolicy;
  readonly nice: number;
  readonly priority: number;
  readonly flags: readonly SchedulerFlag[];
  readonly runtime: bigint;
  readonly deadline: bigint;
  readonly period: bigint;
}

export interface IoPriorityConfig {
  readonly class: "IOPRIO_CLASS_RT" | "IOPRIO_CLASS_BE" | "IOPRIO_CLASS_IDLE";
  /** 0, the highest, to 7. */
  readonly priority: number;
}

/** Numbers of processors, for `exec` only; empty: not set. */
export interface CpuAffinityConfig {
  /** Before the process enters the container's cgroup. */
  readonly initial: readonly number[];
  /** Afterwards. */
  readonly final: readonly number[];
}

/** config-linux.md#personality; no flags are defined. */
export interface PersonalityConfig {
  readonly domain: "LINUX" | "LINUX32";
}

export type MemoryPolicyMode =
  | "MPOL_DEFAULT"
  | "MPOL_BIND"
  | "MPOL_INTERLEAVE"
  | "MPOL_WEIGHTED_INTERLEAVE"
  | "MPOL_PREFERRED"
  | "MPOL_PREFERRED_MANY"
  | "MPOL_LOCAL";

export type MemoryPolicyFlag = "MPOL_F_NUMA_BALANCING" | "MPOL_F_RELATIVE_NODES" | "MPOL_F_STATIC_NODES";

/** config-linux.md#memory-policy */
export interface MemoryPolicyConfig {
  readonly mode: MemoryPolicyMode;
  readonly nodes: readonly number[];
  readonly flags: readonly MemoryPolicyFlag[];
}

/** config-linux.md#intelrdt */
export interface IntelRdtConfig {
  /** Class of service: a directory of the resctrl filesystem, or `/` for its root; undefined for one of its own. */
  readonly closID?: string | undefined;
  readonly l3CacheSchema?: string | undefined;
  readonly memBwSchema?: string | undefined;
  /** Lines of the `schemata` file. */
  readonly schemata: readonly string[];
  readonly enableMonitoring: boolean;
}

/** config-linux.md#network-devices */
export interface NetDeviceConfig {
  /** Name in the container, maybe with a `%d`; that on the host when undefined. */
  readonly name?: string | undefined;
}
