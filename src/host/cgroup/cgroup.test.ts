import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseMountInfo } from "../mountinfo.ts";
import { readCurrentLimits } from "./current-limits.ts";
import { parseNumber, parseRanges, unlimited } from "./files.ts";
import { containerProcesses, findCgroups, groupsOf, isFrozen, oomKills } from "./groups.ts";
import { parseNetDev } from "./network.ts";
import { parseBlkio, parseIoStat, parsePressure } from "./parse-stats.ts";
import { readCgroupStats } from "./read-stats.ts";
import { readV1, readV2, v1Paths, v2Paths } from "../testing/cgroup-samples.ts";

const none = { usage: 0n, max: 0n, failcnt: 0n, limit: 0n };
const noBlkio = { queued: [], serviceTime: [], waitTime: [], merged: [], time: [], sectors: [] };
const calm = { avg10: 0, avg60: 0, avg300: 0, total: 0n };

describe("readCgroupStats()", () => {
  it("reads v2", () => {
    expect(readCgroupStats(v2Paths, ["2MB", "1GB"], readV2)).toEqual({
      cpu: {
        total: 1_176_635_000n,
        user: 929_136_000n,
        kernel: 247_499_000n,
        percpu: [],
        percpuUser: [],
        percpuKernel: [],
        periods: 58n,
        throttledPeriods: 57n,
        throttledTime: 4_607_045_000n,
        psi: { some: { avg10: 21.15, avg60: 4.17, avg300: 0.88, total: 4_118_674n }, full: calm },
      },
      cpuset: undefined,
      memory: {
        cache: 5_005_312n,
        usage: { usage: 6_139_904n, max: 6_234_112n, failcnt: 0n, limit: 104_857_600n },
        swap: { ...none, usage: 6_144_000n, limit: unlimited },
        kernel: none,
        kernelTCP: none,
        raw: new Map([
          ["anon", 65_536n],
          ["file", 5_005_312n],
          ["kernel", 651_264n],
          ["pgfault", 346n],
        ]),
        psi: undefined,
      },
      pids: { current: 2n, limit: 0n },
      blkio: {
        ...noBlkio,
        serviceBytes: [
          { major: 254n, minor: 0n, op: "Read", value: 0n },
          { major: 254n, minor: 0n, op: "Write", value: 0n },
          { major: 254n, minor: 16n, op: "Read", value: 1024n },
          { major: 254n, minor: 16n, op: "Write", value: 5_000_192n },
        ],
        serviced: [
          { major: 254n, minor: 0n, op: "Read", value: 0n },
          { major: 254n, minor: 0n, op: "Write", value: 1n },
          { major: 254n, minor: 16n, op: "Read", value: 1n },
          { major: 254n, minor: 16n, op: "Write", value: 6n },
        ],
        psi: { some: { ...calm, total: 730n }, full: { ...calm, total: 730n } },
      },
      hugetlb: new Map([["2MB", { usage: 4_194_304n, max: 0n, failcnt: 7n }]]),
    });
  });

  it("reads v1", () => {
    expect(readCgroupStats(v1Paths, ["2MB"], readV1)).toEqual({
      cpu: {
        total: 1_731_257_639_777n,
        user: 1_103_240_000_000n,
        kernel: 627_940_000_000n,
        percpu: [831_361_471_949n, 899_896_167_828n],
        percpuUser: [519_912_000_000n, 569_484_000_000n],
        percpuKernel: [298_144_000_000n, 321_928_000_000n],
        periods: 10n,
        throttledPeriods: 4n,
        throttledTime: 123_456n,
      },
      cpuset: {
        cpus: [0, 1, 2, 5],
        mems: [0],
        flags: new Map([
          ["cpu_exclusive", 0n],
          ["mem_hardwall", 0n],
          ["mem_exclusive", 0n],
          ["memory_migrate", 0n],
          ["memory_spread_page", 0n],
          ["memory_spread_slab", 0n],
          ["memory_pressure", 0n],
          ["sched_load_balance", 1n],
          ["sched_relax_domain_level", -1n],
        ]),
      },
      memory: {
        cache: 4096n,
        usage: { usage: 20_480n, max: 24_576n, failcnt: 3n, limit: 1_048_576n },
        swap: { usage: 20_480n, max: 24_576n, failcnt: 0n, limit: 9_223_372_036_854_771_712n },
        kernel: none,
        kernelTCP: none,
        raw: new Map([
          ["cache", 4096n],
          ["rss", 8192n],
          ["hierarchical_memory_limit", 9_223_372_036_854_771_712n],
        ]),
      },
      pids: { current: 3n, limit: 100n },
      blkio: {
        ...noBlkio,
        serviced: [
          { major: 8n, minor: 0n, op: "Read", value: 124n },
          { major: 8n, minor: 0n, op: "Write", value: 104n },
          { major: 8n, minor: 0n, op: "Total", value: 228n },
        ],
        serviceBytes: [
          { major: 8n, minor: 0n, op: "Read", value: 1_282_048n },
          { major: 8n, minor: 0n, op: "Write", value: 2_195_456n },
        ],
      },
      hugetlb: new Map([["2MB", { usage: 0n, max: 2_097_152n, failcnt: 1n }]]),
    });
  });

  it("reads nothing but zeros of a group that is gone", () => {
    const stats = readCgroupStats(v2Paths, ["2MB"], () => undefined);
    expect([stats.cpu.total, stats.memory.usage, stats.pids, stats.hugetlb.size]).toEqual([
      0n,
      none,
      { current: 0n, limit: 0n },
      0,
    ]);
  });

  it("never throws, whatever a file says", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        readCgroupStats(v1Paths, ["2MB"], () => text);
        readCgroupStats(v2Paths, ["2MB"], () => text);
        readCurrentLimits(v2Paths, () => text);
        parseNetDev(text);
      }),
    );
  });
});

describe("readCurrentLimits()", () => {
  it("reads what decides the order of writes", () => {
    expect(readCurrentLimits(v2Paths, readV2)).toEqual({
      memory: 104_857_600n,
      swap: undefined,
      memoryUsage: 6_139_904n,
      quota: 20_000n,
      period: 100_000n,
      burst: 1000n,
      realtimeRuntime: 0n,
      realtimePeriod: 1_000_000n,
      idle: true,
    });
    expect(readCurrentLimits(v1Paths, readV1)).toEqual({
      memory: 1_048_576n,
      swap: undefined,
      memoryUsage: 20_480n,
      quota: undefined,
      period: 50_000n,
      burst: 0n,
      realtimeRuntime: 950_000n,
      realtimePeriod: 1_000_000n,
      idle: false,
    });
  });
});

describe("groupsOf()", () => {
  const facts = {
    version: 1 as const,
    controllers: new Map([
      ["cpu", "/sys/fs/cgroup/cpu,cpuacct"],
      ["cpuacct", "/sys/fs/cgroup/cpu,cpuacct"],
      ["memory", "/sys/fs/cgroup/memory"],
      ["name=systemd", "/sys/fs/cgroup/systemd"],
    ]),
    hybrid: undefined,
  };
  const membership = "9:name=systemd:/a:b\n4:memory:/docker/1/x\n2:cpu,cpuacct:/\n1:freezer:/f\n0::/u\n";

  it("finds each controller's directory, also below a mount that shows part of the hierarchy", () => {
    const mounts = parseMountInfo("34 30 0:31 /docker/1 /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory");
    expect(groupsOf(membership, facts, mounts)).toEqual(
      new Map([
        ["name=systemd", "/sys/fs/cgroup/systemd/a:b"],
        ["memory", "/sys/fs/cgroup/memory/x"],
        ["cpu", "/sys/fs/cgroup/cpu,cpuacct"],
        ["cpuacct", "/sys/fs/cgroup/cpu,cpuacct"],
      ]),
    );
  });

  it("finds the one group of v2", () => {
    const v2 = { version: 2 as const, mount: "/sys/fs/cgroup", controllers: ["memory"] };
    expect(groupsOf("0::/user.slice/x\n", v2, [])).toEqual(new Map([["", "/sys/fs/cgroup/user.slice/x"]]));
    expect(groupsOf("0::/\n", v2, [])).toEqual(new Map([["", "/sys/fs/cgroup"]]));
  });
});

describe("isFrozen()", () => {
  it("tells a group that is frozen itself from one below a frozen one", () => {
    expect([isFrozen(v1Paths, readV1), isFrozen(v2Paths, readV2)]).toEqual([true, true]);
    const below = (path: string) => (path.endsWith("self_freezing") ? "0\n" : readV1(path));
    expect(isFrozen(v1Paths, below)).toBe(false);
    expect(isFrozen(v1Paths, () => "THAWED\n")).toBe(false);
    expect(isFrozen(v2Paths, () => "0\n")).toBe(false);
    expect(isFrozen(new Map(), readV1)).toBe(false);
  });
});

describe("oomKills()", () => {
  it("reads the counter of either version", () => {
    expect([oomKills(v1Paths, readV1), oomKills(v2Paths, readV2), oomKills(new Map(), readV1)]).toEqual([
      5,
      2,
      undefined,
    ]);
  });
});

describe("groups that are not there", () => {
  it("have no processes, and are not found", () => {
    const paths = new Map([["", "/sys/fs/cgroup/no-such-group"]]);
    expect([containerProcesses(paths), findCgroups(paths).size, containerProcesses(new Map())]).toEqual([[], 0, []]);
  });
});

describe("parsers", () => {
  it("parseNumber() and parseRanges() leave out what is no number", () => {
    expect(["max\n", "-1\n", "7\n", "", "x", "-5", undefined].map(parseNumber)).toEqual([
      unlimited,
      unlimited,
      7n,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(["0-2,5\n", "", "3-1", "a,1"].map(parseRanges)).toEqual([[0, 1, 2, 5], [], [], [1]]);
  });

  it("parsePressure(), parseBlkio() and parseIoStat() pass over lines that they do not know", () => {
    expect(parsePressure("some avg10=x\nother 1\n")).toEqual({ some: calm, full: calm });
    expect(parsePressure(undefined)).toBeUndefined();
    expect(parseBlkio("8:0 5\nx:0 Read 5\n8:1 Read x\n")).toEqual([{ major: 8n, minor: 0n, op: "", value: 5n }]);
    expect(parseIoStat("8:0 rbytes=x foo=1 wios=2\nnone rbytes=1\n")).toEqual({
      bytes: [],
      operations: [{ major: 8n, minor: 0n, op: "Write", value: 2n }],
    });
  });

  it("parseNetDev() reads names with colons and numbers without blanks before", () => {
    const text = `Inter-|   Receive                            |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
  eth0: 271080404    8767    1    2    0     0          0         0   448831    5393    3    4    0     0       0          0
 a:b:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16
`;
    const eth0 = { rxBytes: 271_080_404n, rxPackets: 8767n, rxErrors: 1n, rxDropped: 2n };
    expect(parseNetDev(text)).toEqual([
      { name: "eth0", ...eth0, txBytes: 448_831n, txPackets: 5393n, txErrors: 3n, txDropped: 4n },
      {
        name: "a:b",
        rxBytes: 1n,
        rxPackets: 2n,
        rxErrors: 3n,
        rxDropped: 4n,
        txBytes: 9n,
        txPackets: 10n,
        txErrors: 11n,
        txDropped: 12n,
      },
    ]);
  });
});
