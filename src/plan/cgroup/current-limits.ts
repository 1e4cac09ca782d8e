/**
 * What the files of a group say now, as far as it decides in which order new limits can be written: the kernel checks each
 * write against the others. The host reads it; a group that has just been made has {@link freshLimits}.
 */
export interface CurrentLimits {
  /** Bytes; undefined for unlimited, here and below. */
  readonly memory?: bigint | undefined;
  /** Bytes: memory and swap together on v1, swap alone on v2. */
  readonly swap?: bigint | undefined;
  /** Bytes in use now. */
  readonly memoryUsage: bigint;
  /** Microseconds in each period. */
  readonly quota?: bigint | undefined;
  /** Microseconds. */
  readonly period: bigint;
  /** Microseconds. */
  readonly burst: bigint;
  /** Microseconds; v1 only. */
  readonly realtimeRuntime: bigint;
  /** Microseconds; v1 only. */
  readonly realtimePeriod: bigint;
  /** Its processes run only when no other does (SCHED_IDLE). */
  readonly idle: boolean;
}

/** What the kernel gives to a new group. */
export const freshLimits: CurrentLimits = {
  memoryUsage: 0n,
  period: 100_000n,
  burst: 0n,
  realtimeRuntime: 0n,
  realtimePeriod: 1_000_000n,
  idle: false,
};
