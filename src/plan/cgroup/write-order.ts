/** In which order limits that the kernel checks against each other are written, so that each write is a valid one. */
import { failedPrecondition } from "#errdefs";
import type { CpuResources } from "#spec";
import type { CurrentLimits } from "./current-limits.ts";

/** One value for one file of the CPU controller. */
export type CpuWrite = "shares" | "idle" | "quota" | "period" | "burst" | "realtimeRuntime" | "realtimePeriod";

/**
 * Whether v1's limit of memory and swap together is written before that of memory alone, which may never be above it:
 * first where they grow, last where they shrink. Negative is unlimited.
 */
export function swapFirst(memory: bigint, swap: bigint, current: CurrentLimits): boolean {
  if (swap < 0n) return true;
  // Without a limit now, it would fall below memory's.
  if (current.memory === undefined) return false;
  return current.memory <= swap && memory <= swap;
}

/** v1's files of the CPU controller, in order. What is undefined or, for most, zero is not written. */
export function cpuOrder(cpu: CpuResources, current: CurrentLimits): readonly CpuWrite[] {
  return [...idleOrder(cpu, current), ...bandwidthOrder(cpu, current), ...realtimeOrder(cpu, current)];
}

/** An idle group takes no shares: these are set before it becomes one, or after it has ceased to be. */
export function idleOrder({ shares, idle }: CpuResources, current: CurrentLimits): readonly CpuWrite[] {
  const order: CpuWrite[] = idle === undefined ? [] : ["idle"];
  if (shares === undefined || shares === 0n) return order;
  if (current.idle && idle === undefined)
    throw failedPrecondition(`Cannot set CPU shares to "${shares}": the container only runs when the host is idle`, {
      remedy: "Set the CPU's idle to 0 too",
    });
  if (idle === undefined || idle === 0) return [...order, "shares"];
  // One that is idle already takes none, and would not show them.
  return current.idle ? order : ["shares", ...order];
}

/** A burst may not be above the quota. The share of time, quota / period, must never be above the parent's. */
function bandwidthOrder({ quota, period, burst }: CpuResources, current: CurrentLimits): readonly CpuWrite[] {
  const order: CpuWrite[] = quota === undefined || quota === 0n ? [] : ["quota"];
  if (period !== undefined && period !== 0n)
    if (period >= current.period) order.unshift("period");
    else order.push("period");
  if (burst === undefined) return order;
  return burstFirst(burst, current) ? ["burst", ...order] : [...order, "burst"];
}

export const burstFirst = (burst: bigint, current: CurrentLimits): boolean =>
  current.quota === undefined || burst <= current.quota;

/** As with the quota; the runtime may not be above the period. */
function realtimeOrder({ realtimeRuntime, realtimePeriod }: CpuResources, current: CurrentLimits): readonly CpuWrite[] {
  const order: CpuWrite[] = realtimeRuntime === undefined || realtimeRuntime === 0n ? [] : ["realtimeRuntime"];
  if (realtimePeriod === undefined || realtimePeriod === 0n) return order;
  return realtimePeriod >= current.realtimePeriod ? ["realtimePeriod", ...order] : [...order, "realtimePeriod"];
}
