import { describe, expect, it } from "vitest";
import type { CgroupStats } from "#host";
import { statsOf, type Sample } from "./container-stats.ts";

const none = { usage: 0n, max: 0n, failcnt: 0n, limit: 0n };
const groups = (cpu: bigint, usage: bigint, limit: bigint): CgroupStats =>
  ({
    cpu: { total: cpu },
    memory: { usage: { ...none, usage, limit }, raw: new Map([["total_inactive_file", 1000n]]) },
    pids: { current: 7n, limit: 0n },
    blkio: {
      serviceBytes: [
        { major: 8, minor: 0, op: "Read", value: 10n },
        { major: 8, minor: 1, op: "Read", value: 5n },
        { major: 8, minor: 0, op: "Write", value: 3n },
        { major: 8, minor: 0, op: "Total", value: 13n },
      ],
    },
  }) as unknown as CgroupStats;
const counters = { rxPackets: 0n, rxErrors: 0n, rxDropped: 0n, txPackets: 0n, txErrors: 0n, txDropped: 0n };
const sample = (clock: bigint, cpu: bigint, limit = 2n ** 63n): Sample => ({
  at: 5,
  clock,
  groups: groups(cpu, 5000n, limit),
  interfaces: [
    { name: "lo", rxBytes: 100n, txBytes: 100n, ...counters },
    { name: "eth0", rxBytes: 7n, txBytes: 9n, ...counters },
  ],
});
const host = { memory: 16_000, processors: 4 };
const container = { id: "i", name: "n" };

describe("statsOf()", () => {
  it("tells the rate since the sample before, the host's memory as limit, and sums of devices and interfaces", () => {
    expect(
      statsOf(container, sample(2_000_000_000n, 3_500_000_000n), sample(1_000_000_000n, 1_000_000_000n), host),
    ).toEqual({
      id: "i",
      name: "n",
      at: 5,
      cpu: { total: 3_500_000_000n, percent: 250, processors: 4 },
      memory: { usage: 4000, limit: 16_000, percent: 25 },
      pids: { current: 7, limit: 0 },
      blockIo: { read: 15n, written: 3n },
      network: { received: 7n, sent: 9n },
    });
  });

  it("has no rate in the first sample, and takes a limit below the host's memory", () => {
    expect(statsOf(container, sample(1n, 1n, 8000n), undefined, host)).toMatchObject({
      cpu: { percent: 0 },
      memory: { limit: 8000, percent: 50 },
    });
  });
});
