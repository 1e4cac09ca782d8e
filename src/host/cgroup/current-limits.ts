import type { CurrentLimits } from "#plan";
import { parseNumber, readText, unlimited, type ReadText } from "./files.ts";

/** v1 writes the largest number of pages that it can count, in bytes, for what has no limit. */
const endless = 1n << 62n;

/** Of a new group, in microseconds. */
const period = 100_000n;
const realtimePeriod = 1_000_000n;

const limit = (value: bigint | undefined): bigint | undefined =>
  value === undefined || value >= endless ? undefined : value;

/** What a container's groups say now, for the planner of an update. What can't be read is as in a new group. */
export function readCurrentLimits(paths: ReadonlyMap<string, string>, read: ReadText = readText): CurrentLimits {
  const number = (controller: string, file: string): bigint | undefined => {
    const directory = paths.get(controller);
    return directory === undefined ? undefined : parseNumber(read(`${directory}/${file}`));
  };
  const version2 = paths.has("");
  if (version2) {
    const cpu = paths.get("cpu");
    const [quota, ofTime] = (cpu === undefined ? "" : (read(`${cpu}/cpu.max`) ?? "")).trim().split(" ");
    return {
      memory: limit(number("memory", "memory.max")),
      swap: limit(number("memory", "memory.swap.max")),
      memoryUsage: number("memory", "memory.current") ?? 0n,
      quota: limit(parseNumber(quota)),
      period: parseNumber(ofTime) ?? period,
      burst: number("cpu", "cpu.max.burst") ?? 0n,
      realtimeRuntime: 0n,
      realtimePeriod,
      idle: number("cpu", "cpu.idle") === 1n,
    };
  }
  return {
    memory: limit(number("memory", "memory.limit_in_bytes")),
    swap: limit(number("memory", "memory.memsw.limit_in_bytes")),
    memoryUsage: number("memory", "memory.usage_in_bytes") ?? 0n,
    quota: limit(number("cpu", "cpu.cfs_quota_us")),
    period: number("cpu", "cpu.cfs_period_us") ?? period,
    burst: number("cpu", "cpu.cfs_burst_us") ?? 0n,
    realtimeRuntime: realtime(number("cpu", "cpu.rt_runtime_us")),
    realtimePeriod: number("cpu", "cpu.rt_period_us") ?? realtimePeriod,
    idle: number("cpu", "cpu.idle") === 1n,
  };
}

/** -1 is all the time there is. */
const realtime = (value: bigint | undefined): bigint => (value === unlimited ? realtimePeriod : (value ?? 0n));
