import { parseRuntimeConfig, type Resources } from "#spec";
import { describe, expect, it } from "vitest";
import type { Operation } from "../operation.gen.ts";
import type { Step } from "../plan.ts";
import { blkioToIoWeight, sharesToWeight } from "./convert.ts";
import { checkCgroupPath, cgroupDirectories, createSteps } from "./directories.ts";
import { hostV1 } from "../testing/samples.ts";
import { writeV1 } from "./write-v1.ts";
import { writeV2 } from "./write-v2.ts";

const controllers = ["cpu", "cpuset", "memory", "pids", "devices", "blkio", "hugetlb", "net_cls", "net_prio", "rdma"];
const v1 = new Map(controllers.map((name) => [name, `/cg/${name}/x`]));
const v2 = new Map(["", "cpu", "cpuset", "memory", "pids", "io", "hugetlb", "rdma"].map((name) => [name, "/cg/x"]));

/** Resources from JSON, with all devices allowed so that only the rest shows. */
function resources(json: Record<string, unknown>): Resources {
  const all = { devices: [{ allow: true, access: "rwm" }], ...json };
  const parsed = parseRuntimeConfig({ ociVersion: "1.3.0", linux: { resources: all } }).linux.resources;
  if (parsed === undefined) throw new Error("no resources");
  return parsed;
}

const writes = (steps: readonly Step[]): string[] =>
  steps.map(({ operation: o }) => {
    if (o.op === "write-first")
      return `${o.directory}/ ${o.choices.map(({ name, data }) => `${name} ${data}`).join(" or ")}`;
    return o.op === "write-file" ? `${o.path} ${o.data}${o.tolerate ? " ?" : ""}` : o.op;
  });

const everything = {
  memory: { limit: 268435456, reservation: 134217728, swap: 536870912, swappiness: 10 },
  cpu: { shares: 512, quota: 50000, period: 100000, burst: 1000, cpus: "0-1", mems: "0" },
  pids: { limit: 100 },
  blockIO: {
    weight: 500,
    leafWeight: 20,
    weightDevice: [{ major: 8, minor: 0, weight: 10, leafWeight: 30 }],
    throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1048576 }],
    throttleWriteIOPSDevice: [{ major: 8, minor: 16, rate: 100 }],
  },
  hugepageLimits: [{ pageSize: "2MB", limit: 4194304 }],
};

describe("writeV1()", () => {
  it("writes every limit, the memory limit before memory+swap, the period before the quota", () => {
    const warnings: string[] = [];
    const network = { classID: 1048577, priorities: [{ name: "eth0", priority: 5 }] };
    const cpu = { ...everything.cpu, realtimePeriod: 1000000, realtimeRuntime: 950000 };
    const rdma = { mlx5_0: { hcaHandles: 3, hcaObjects: 100 }, mlx4_0: { hcaObjects: 7 } };
    expect(writes(writeV1(resources({ ...everything, cpu, network, rdma }), v1, hostV1, warnings))).toEqual([
      "/cg/memory/x/memory.limit_in_bytes 268435456",
      "/cg/memory/x/memory.memsw.limit_in_bytes 536870912",
      "/cg/memory/x/memory.soft_limit_in_bytes 134217728",
      "/cg/memory/x/memory.swappiness 10",
      "/cg/cpu/x/cpu.shares 512",
      "/cg/cpu/x/cpu.cfs_burst_us 1000",
      "/cg/cpu/x/cpu.cfs_period_us 100000",
      "/cg/cpu/x/cpu.cfs_quota_us 50000",
      "/cg/cpu/x/cpu.rt_period_us 1000000",
      "/cg/cpu/x/cpu.rt_runtime_us 950000",
      "/cg/cpuset/x/cpuset.cpus 0-1",
      "/cg/cpuset/x/cpuset.mems 0",
      "/cg/pids/x/pids.max 100",
      "/cg/blkio/x/ blkio.weight 500 or blkio.bfq.weight 500",
      "/cg/blkio/x/blkio.leaf_weight 20",
      "/cg/blkio/x/ blkio.weight_device 8:0 10 or blkio.bfq.weight_device 8:0 10",
      "/cg/blkio/x/blkio.leaf_weight_device 8:0 30",
      "/cg/blkio/x/blkio.throttle.read_bps_device 8:0 1048576",
      "/cg/blkio/x/blkio.throttle.write_iops_device 8:16 100",
      "/cg/hugetlb/x/hugetlb.2MB.rsvd.limit_in_bytes 4194304 ?",
      "/cg/hugetlb/x/hugetlb.2MB.limit_in_bytes 4194304",
      "/cg/net_cls/x/net_cls.classid 1048577",
      "/cg/net_prio/x/net_prio.ifpriomap eth0 5",
      "/cg/rdma/x/rdma.max mlx5_0 hca_handle=3 hca_object=100",
      "/cg/rdma/x/rdma.max mlx4_0 hca_object=7",
    ]);
    expect(warnings).toEqual([]);
  });

  it("denies all devices first, then allows those of the config and the defaults", () => {
    const devices = [{ allow: true, type: "c", major: 10, minor: 200, access: "rw" }];
    expect(writes(writeV1(resources({ devices }), v1, hostV1, [])).slice(0, 3)).toEqual([
      "/cg/devices/x/devices.deny a",
      "/cg/devices/x/devices.allow c 10:200 rw",
      "/cg/devices/x/devices.allow c *:* m",
    ]);
  });

  it("names the controller that a limit needs and the host does not have", () => {
    expect(() => writeV1(resources({ pids: { limit: 5 } }), new Map(), hostV1, [])).toThrow(
      'Cannot limit processes: this host has no "pids" cgroup controller',
    );
  });

  it("leaves a swap limit out, with a warning, where the kernel does not account for swap", () => {
    const warnings: string[] = [];
    const steps = writeV1(
      resources({ memory: { limit: 1000, swap: 2000 } }),
      v1,
      { ...hostV1, swapAccounting: false },
      warnings,
    );
    expect([writes(steps), warnings]).toEqual([
      ["/cg/memory/x/memory.limit_in_bytes 1000"],
      ["The swap limit is left out, because this kernel does not account for swap"],
    ]);
  });

  it("turns the OOM killer off, and takes 0 processes for no more than there is", () => {
    const all = { memory: { disableOOMKiller: true, limit: -1 }, pids: { limit: 0 }, cpu: { idle: 1, shares: 2 } };
    expect(writes(writeV1(resources(all), v1, hostV1, []))).toEqual([
      "/cg/memory/x/memory.memsw.limit_in_bytes -1",
      "/cg/memory/x/memory.limit_in_bytes -1",
      "/cg/memory/x/memory.oom_control 1",
      "/cg/cpu/x/cpu.shares 2",
      "/cg/cpu/x/cpu.idle 1",
      "/cg/pids/x/pids.max 1",
    ]);
  });

  it("refuses what the kernel would round or has no file for", () => {
    const write = (json: Record<string, unknown>) => () => writeV1(resources(json), v1, hostV1, []);
    expect(write({ cpu: { shares: 1 } })).toThrow('Cannot set CPU shares to "1": they are from 2 to 262144');
    expect(write({ memory: { swappiness: 101 } })).toThrow("Cannot set swappiness 101: cgroup v1 takes 0 to 100");
    expect(write({ unified: { "memory.max": "1" } })).toThrow("Cannot set unified resources: this host has cgroup v1");
    expect(write({ rdma: { mlx: {} } })).toThrow('Cannot limit RDMA device "mlx": neither handles nor objects');
    expect(write({ rdma: { "a b": { hcaHandles: 1 } } })).toThrow('Cannot limit RDMA device "a b": it is no name');
    expect(write({ hugepageLimits: [{ pageSize: "3MB", limit: 0 }] })).toThrow(
      'Cannot limit huge pages of "3MB": this host has huge pages of 2MB and 1GB',
    );
  });

  it("refuses memory+swap below memory, and without it", () => {
    const write = (memory: object) => () => writeV1(resources({ memory }), v1, hostV1, []);
    expect(write({ limit: 2000, swap: 1000 })).toThrow('Cannot limit swap to "1000"');
    expect(write({ swap: 1000 })).toThrow("Cannot limit swap: memory and swap together need a memory limit too");
  });
});

describe("writeV2()", () => {
  it("writes every limit in v2's units", () => {
    const warnings: string[] = [];
    const rdma = { mlx5_0: { hcaHandles: 3 } };
    const unified = { "memory.high": "100", "io.max": "8:0 rbps=1\n8:1 rbps=2" };
    expect(writes(writeV2(resources({ ...everything, rdma, unified }), v2, hostV1, warnings))).toEqual([
      "/cg/x/memory.max 268435456",
      "/cg/x/memory.swap.max 268435456",
      "/cg/x/memory.low 134217728",
      "/cg/x/cpu.weight 59",
      "/cg/x/cpu.max.burst 1000",
      "/cg/x/cpu.max 50000 100000",
      "/cg/x/cpuset.cpus 0-1",
      "/cg/x/cpuset.mems 0",
      "/cg/x/pids.max 100",
      "/cg/x/ io.bfq.weight 500 or io.weight default 4950",
      "/cg/x/ io.bfq.weight 8:0 10 or io.weight 8:0 1",
      "/cg/x/io.max 8:0 rbps=1048576",
      "/cg/x/io.max 8:16 wiops=100",
      "/cg/x/hugetlb.2MB.rsvd.max 4194304 ?",
      "/cg/x/hugetlb.2MB.max 4194304",
      "/cg/x/rdma.max mlx5_0 hca_handle=3",
      "/cg/x/memory.high 100",
      "/cg/x/io.max 8:0 rbps=1",
      "/cg/x/io.max 8:1 rbps=2",
    ]);
    expect(warnings).toEqual([
      "Swappiness is left out, because cgroup v2 has no such setting",
      "Leaf weights are left out, because cgroup v2 has no such setting",
    ]);
  });

  it("writes unlimited as max", () => {
    const unlimited = { memory: { limit: -1, swap: -1 }, pids: { limit: -1 }, cpu: { quota: -1, period: 5000 } };
    expect(writes(writeV2(resources(unlimited), v2, hostV1, []))).toEqual([
      "/cg/x/memory.max max",
      "/cg/x/memory.swap.max max",
      "/cg/x/cpu.max max 5000",
      "/cg/x/pids.max max",
    ]);
  });

  it("writes unified keys as they are given, also those that it does not know", () => {
    const unified = {
      "memory.oom.group": "1",
      "cgroup.max.depth": "2",
      "pids.new_one": "x y",
      "cpu.max": "",
      "hugetlb.2MB.max": "0",
    };
    expect(writes(writeV2(resources({ unified }), v2, hostV1, []))).toEqual([
      "/cg/x/memory.oom.group 1",
      "/cg/x/cgroup.max.depth 2",
      "/cg/x/pids.new_one x y",
      "/cg/x/hugetlb.2MB.max 0",
    ]);
  });

  it("refuses unified keys that are no names of files, or of a controller that is not there", () => {
    const write = (key: string) => () => writeV2(resources({ unified: { [key]: "1" } }), v2, hostV1, []);
    for (const key of ["../memory.max", "memory", "memory.max/x", "..", "."])
      expect(write(key)).toThrow(`Cannot set unified resource "${key}"`);
    expect(write("misc.max")).toThrow('Cannot limit "misc.max" of the unified resources: this host has no "misc"');
  });

  it("takes a limit of memory and swap together for one of swap where memory has none", () => {
    const write = (memory: object) => writes(writeV2(resources({ memory }), v2, hostV1, []));
    expect(write({ limit: -1, swap: 1000 })).toEqual(["/cg/x/memory.max max", "/cg/x/memory.swap.max 1000"]);
    expect(write({ limit: -1 })).toEqual(["/cg/x/memory.max max", "/cg/x/memory.swap.max max"]);
    expect(write({ limit: 500, swap: 500 })).toEqual(["/cg/x/memory.max 500", "/cg/x/memory.swap.max 0"]);
    expect(write({ limit: 0, swap: 0, reservation: 0 })).toEqual([]);
  });

  it("takes a limit of swap off with a throttle of 0, as v1 does", () => {
    const blockIO = { throttleWriteBpsDevice: [{ major: 8, minor: 0, rate: 0 }] };
    expect(writes(writeV2(resources({ blockIO }), v2, hostV1, []))).toEqual(["/cg/x/io.max 8:0 wbps=max"]);
  });

  it("refuses real-time limits, and warns of other things that v2 has not", () => {
    expect(() => writeV2(resources({ cpu: { realtimeRuntime: 5 } }), v2, hostV1, [])).toThrow(
      "Cannot limit real-time CPU: cgroup v2 has no such limit",
    );
    const warnings: string[] = [];
    const all = {
      memory: { kernel: 1, disableOOMKiller: true, useHierarchy: false },
      network: { classID: 5 },
      cpu: { realtimeRuntime: 0 },
    };
    expect([writes(writeV2(resources(all), v2, hostV1, warnings)), warnings]).toEqual([
      [],
      [
        "The OOM killer is left on, because cgroup v2 cannot turn it off",
        "The kernel memory limit is left out, because the kernel counts it as the container's memory anyway",
        "The memory of child groups is counted all the same: the kernel knows no other way",
        "Network class and priority are left out, because cgroup v2 has no such controllers",
      ],
    ]);
  });

  it("attaches the devices' program", () => {
    expect(writes(writeV2(undefined, v2, hostV1, []))).toEqual(["cgroup-device-filter"]);
  });
});

describe("sharesToWeight()", () => {
  it("goes through 2, 1024 and 262144 shares at weights 1, 100 and 10000", () => {
    expect([0n, 2n, 512n, 1024n, 2048n, 262_144n, 1_000_000n].map(sharesToWeight)).toEqual([
      1, 1, 59, 100, 174, 10_000, 10_000,
    ]);
  });
});

describe("blkioToIoWeight()", () => {
  it("maps 10 to 1 and 1000 to 10000", () => {
    expect([10, 100, 1000].map(blkioToIoWeight)).toEqual([1, 910, 10_000]);
  });
});

describe("cgroupDirectories()", () => {
  it("gives one directory for controllers of one hierarchy on v1", () => {
    const facts = {
      version: 1 as const,
      controllers: new Map([
        ["cpu", "/cg/cpu,cpuacct"],
        ["cpuacct", "/cg/cpu,cpuacct"],
        ["name=systemd", "/cg/systemd"],
      ]),
      hybrid: undefined,
    };
    expect(cgroupDirectories(facts, "/sampan/a").directories).toEqual([
      "/cg/cpu,cpuacct/sampan/a",
      "/cg/systemd/sampan/a",
    ]);
    expect(createSteps(facts, cgroupDirectories(facts, "/sampan/a")).map(({ operation }) => operation)).toEqual<
      Operation[]
    >([
      {
        op: "cgroup-create",
        path: "/cg/cpu,cpuacct/sampan/a",
        mount: "/cg/cpu,cpuacct",
        cpuset: false,
        controllers: [],
      },
      { op: "cgroup-create", path: "/cg/systemd/sampan/a", mount: "/cg/systemd", cpuset: false, controllers: [] },
    ]);
  });
});

describe("checkCgroupPath()", () => {
  it("refuses what is not absolute and plain", () => {
    for (const path of ["", "a", "/", "/a/", "/a/../b", "//a", "/a/.", "/a\nb", "/a\0"])
      expect(() => checkCgroupPath(path)).toThrow("Cannot use cgroup");
    expect(checkCgroupPath("/sampan/a-b.c")).toBe("/sampan/a-b.c");
  });
});
