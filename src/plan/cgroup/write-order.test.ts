import type { CpuResources } from "#spec";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { freshLimits, type CurrentLimits } from "./current-limits.ts";
import { cpuOrder, swapFirst } from "./write-order.ts";

const infinite = 1n << 62n;

/** The kernel's checks of memory.limit_in_bytes and memory.memsw.limit_in_bytes. */
function writeMemory(first: "memory" | "swap", memory: bigint, swap: bigint, current: CurrentLimits): boolean {
  const now = { memory: current.memory ?? infinite, swap: current.swap ?? infinite };
  const order = first === "swap" ? (["swap", "memory"] as const) : (["memory", "swap"] as const);
  return order.every((key) => {
    now[key] = key === "memory" ? memory : swap;
    if (now[key] < 0n) now[key] = infinite;
    return now.memory <= now.swap;
  });
}

const amount = fc.bigInt({ min: 1n, max: 20n });
const maybe = fc.option(amount, { nil: undefined });

describe("swapFirst()", () => {
  it("orders the two limits so that memory is never above both together, whatever they were", () => {
    fc.assert(
      fc.property(maybe, maybe, amount, fc.option(amount, { nil: -1n }), (oldMemory, oldSwap, memory, swap) => {
        fc.pre(swap < 0n || memory <= swap);
        fc.pre((oldMemory ?? infinite) <= (oldSwap ?? infinite));
        const current = { ...freshLimits, memory: oldMemory, swap: oldSwap };
        expect(writeMemory(swapFirst(memory, swap, current) ? "swap" : "memory", memory, swap, current)).toBe(true);
      }),
    );
  });
});

/** The kernel's checks of a group whose parent has a share of `parent`: each write must be valid. */
function writeCpu(cpu: CpuResources, current: CurrentLimits, parent: number): boolean {
  const now = { quota: current.quota ?? -1n, period: current.period, burst: current.burst };
  return cpuOrder(cpu, current).every((key) => {
    if (key !== "quota" && key !== "period" && key !== "burst") throw new Error(`unexpected ${key}`);
    now[key] = cpu[key] ?? 0n;
    if (now.quota < 0n) return true;
    return now.burst <= now.quota && Number(now.quota) / Number(now.period) <= parent;
  });
}

describe("cpuOrder()", () => {
  it("orders quota, period and burst so that each write is valid, up and down", () => {
    const quota = fc.bigInt({ min: 1n, max: 30n });
    fc.assert(
      fc.property(
        fc.record({ quota: fc.option(quota, { nil: undefined }), period: quota, burst: quota }),
        fc.record({ quota: fc.option(quota, { nil: -1n }), period: quota, burst: quota }),
        (before, after) => {
          fc.pre(before.quota === undefined || before.burst <= before.quota);
          fc.pre(after.quota < 0n || after.burst <= after.quota);
          const share = (q: bigint, p: bigint): number => (q < 0n ? 0 : Number(q) / Number(p));
          const parent = Math.max(share(before.quota ?? -1n, before.period), share(after.quota, after.period));
          expect(writeCpu(after, { ...freshLimits, ...before }, parent)).toBe(true);
        },
      ),
    );
  });

  it("sets shares while the group is not idle", () => {
    const order = (cpu: CpuResources, idle: boolean) => cpuOrder(cpu, { ...freshLimits, idle });
    expect(order({ shares: 5n, idle: 1 }, false)).toEqual(["shares", "idle"]);
    expect(order({ shares: 5n, idle: 0 }, true)).toEqual(["idle", "shares"]);
    expect(order({ shares: 5n, idle: 1 }, true)).toEqual(["idle"]);
    expect(order({ idle: 1 }, false)).toEqual(["idle"]);
    expect(() => order({ shares: 5n }, true)).toThrow('Cannot set CPU shares to "5": the container only runs when');
  });

  it("keeps the real-time runtime within the period", () => {
    const order = (realtimeRuntime: bigint, realtimePeriod: bigint) =>
      cpuOrder({ realtimeRuntime, realtimePeriod }, { ...freshLimits, realtimeRuntime: 500n, realtimePeriod: 1000n });
    expect(order(1500n, 2000n)).toEqual(["realtimePeriod", "realtimeRuntime"]);
    expect(order(100n, 200n)).toEqual(["realtimeRuntime", "realtimePeriod"]);
  });
});
