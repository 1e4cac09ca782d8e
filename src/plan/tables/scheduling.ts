/** Numbers of scheduling, from include/uapi/linux/{sched,ioprio,mempolicy,personality}.h. */
import type {
  IoPriorityConfig,
  MemoryPolicyFlag,
  MemoryPolicyMode,
  PersonalityConfig,
  SchedulerFlag,
  SchedulerPolicy,
} from "#spec";

export const schedulerPolicies: Readonly<Record<SchedulerPolicy, number>> = {
  SCHED_OTHER: 0,
  SCHED_FIFO: 1,
  SCHED_RR: 2,
  SCHED_BATCH: 3,
  SCHED_ISO: 4,
  SCHED_IDLE: 5,
  SCHED_DEADLINE: 6,
};

export const schedulerFlags: Readonly<Record<SchedulerFlag, bigint>> = {
  SCHED_FLAG_RESET_ON_FORK: 0x01n,
  SCHED_FLAG_RECLAIM: 0x02n,
  SCHED_FLAG_DL_OVERRUN: 0x04n,
  SCHED_FLAG_KEEP_POLICY: 0x08n,
  SCHED_FLAG_KEEP_PARAMS: 0x10n,
  SCHED_FLAG_UTIL_CLAMP_MIN: 0x20n,
  SCHED_FLAG_UTIL_CLAMP_MAX: 0x40n,
};

export const ioPriorityClasses: Readonly<Record<IoPriorityConfig["class"], number>> = {
  IOPRIO_CLASS_RT: 1,
  IOPRIO_CLASS_BE: 2,
  IOPRIO_CLASS_IDLE: 3,
};

export const personalities: Readonly<Record<PersonalityConfig["domain"], bigint>> = { LINUX: 0n, LINUX32: 8n };

export const memoryPolicyModes: Readonly<Record<MemoryPolicyMode, number>> = {
  MPOL_DEFAULT: 0,
  MPOL_PREFERRED: 1,
  MPOL_BIND: 2,
  MPOL_INTERLEAVE: 3,
  MPOL_LOCAL: 4,
  MPOL_PREFERRED_MANY: 5,
  MPOL_WEIGHTED_INTERLEAVE: 6,
};

export const memoryPolicyFlags: Readonly<Record<MemoryPolicyFlag, number>> = {
  MPOL_F_NUMA_BALANCING: 1 << 13,
  MPOL_F_RELATIVE_NODES: 1 << 14,
  MPOL_F_STATIC_NODES: 1 << 15,
};

/** The name that a table has for a number. */
export const nameOf = (table: Readonly<Record<string, number | bigint>>, number: number | bigint): string =>
  Object.entries(table).find(([, value]) => value === number)?.[0] ?? String(number);
