/** Limits, updates, pauses and counters of containers on this machine's cgroup v1; v2 is tested in vm.test.ts. */
import { existsSync, readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Scenario } from "../support/cgroup-scenario.ts";

const v1 = existsSync("/sys/fs/cgroup/memory/memory.limit_in_bytes");
const files = [
  "memory.limit_in_bytes",
  "memory.memsw.limit_in_bytes",
  "memory.soft_limit_in_bytes",
  "cpu.shares",
  "cpu.cfs_quota_us",
  "cpu.cfs_period_us",
  "cpu.cfs_burst_us",
  "cpuset.cpus",
  "cpuset.mems",
  "pids.max",
  "blkio.throttle.write_bps_device",
  "blkio.throttle.read_iops_device",
];

/** The first whole disk that is not a loop or RAM disk. */
function disk(): { readonly major: number; readonly minor: number } {
  const [, major, minor] = /^ *(\d+) +(\d+) +\d+ (?:vd|sd|xvd|nvme\dn)[a-z0-9]$/m.exec(
    readFileSync("/proc/partitions", "utf8"),
  ) ?? ["", "8", "0"];
  return { major: Number(major), minor: Number(minor) };
}

describe.runIf(v1)("containers on cgroup v1", () => {
  let scenario: Scenario;
  beforeEach(() => {
    scenario = new Scenario(files, disk());
  });
  afterEach(() => scenario[Symbol.asyncDispose]());

  it("have the limits of their config, and those of updates, up and down", async () => {
    const { major, minor } = disk();
    const always = { "memory.soft_limit_in_bytes": "16777216", "cpuset.mems": "0" };
    expect(await scenario.limits()).toEqual([
      {
        device: "denied",
        limits: {
          ...always,
          "memory.limit_in_bytes": "67108864",
          "memory.memsw.limit_in_bytes": "100663296",
          "cpu.shares": "512",
          "cpu.cfs_quota_us": "50000",
          "cpu.cfs_period_us": "100000",
          "cpu.cfs_burst_us": "10000",
          "cpuset.cpus": "0",
          "pids.max": "50",
          "blkio.throttle.write_bps_device": `${major}:${minor} 1048576`,
          "blkio.throttle.read_iops_device": "",
        },
      },
      {
        device: "allowed",
        limits: {
          ...always,
          "memory.limit_in_bytes": "134217728",
          "memory.memsw.limit_in_bytes": "268435456",
          "cpu.shares": "2048",
          "cpu.cfs_quota_us": "200000",
          "cpu.cfs_period_us": "50000",
          "cpu.cfs_burst_us": "100000",
          "cpuset.cpus": "0-1",
          "pids.max": "60",
          "blkio.throttle.write_bps_device": `${major}:${minor} 1048576`,
          "blkio.throttle.read_iops_device": `${major}:${minor} 500`,
        },
      },
      {
        device: "denied",
        limits: {
          ...always,
          "memory.limit_in_bytes": "33554432",
          "memory.memsw.limit_in_bytes": "33554432",
          "cpu.shares": "2048",
          "cpu.cfs_quota_us": "40000",
          "cpu.cfs_period_us": "100000",
          "cpu.cfs_burst_us": "1000",
          "cpuset.cpus": "1",
          "pids.max": "max",
          "blkio.throttle.write_bps_device": "",
          "blkio.throttle.read_iops_device": `${major}:${minor} 500`,
        },
      },
    ]);
  });

  it("are paused, resumed, joined, counted, and killed while paused", async () => {
    expect(await scenario.life()).toEqual({
      frozen: true,
      still: true,
      thawed: true,
      joined: "N:pids:/below",
      counted: { cpu: true, memory: true, raw: true, pids: true, network: true },
      processes: true,
      status: 137,
      left: [],
    });
  });

  it("take another program when they have all processes that they may, which then cannot fork", async () => {
    expect(await scenario.full()).toEqual({ output: ["in", "sh: can't fork: Resource temporarily unavailable", ""] });
  });

  it("tell of kills for want of memory", async () => {
    expect(await scenario.oom()).toEqual({ kills: 1, oomKilled: true, output: ["Killed", "137"] });
  });

  it("use groups that are there and empty, and leave them; others are refused", async () => {
    expect(await scenario.existing()).toEqual({
      messages: ["Cannot use cgroup GROUP: it is frozen", "Cannot use cgroup GROUP: 1 process is in it"],
      stays: true,
    });
  });
});
