import { parseResources, type Resources } from "#spec";
import { describe, expect, it } from "vitest";
import { hostV1, hostV2 } from "../testing/samples.ts";
import { freshLimits, type CurrentLimits } from "./current-limits.ts";
import { planUpdate, type Update } from "./plan-update.ts";

const v1 = new Map(["cpu", "cpuset", "memory", "pids", "devices", "blkio"].map((name) => [name, `/${name}`]));
const v2 = new Map(["", "cpu", "cpuset", "memory", "pids", "io"].map((name) => [name, "/cg"]));

const before = parseResources({
  memory: { limit: 1000, swap: 3000 },
  cpu: { shares: 512, quota: 50000, period: 100000 },
  pids: { limit: 10 },
  blockIO: { weightDevice: [{ major: 8, minor: 0, weight: 100, leafWeight: 50 }] },
});
const current: CurrentLimits = { ...freshLimits, memory: 1000n, swap: 3000n, quota: 50_000n, memoryUsage: 800n };

function update(
  version: 1 | 2,
  json: object,
  now: Partial<CurrentLimits> = {},
  old: Resources | undefined = before,
): Update {
  const options = { before: old, cgroupPaths: version === 1 ? v1 : v2, current: { ...current, ...now } };
  return planUpdate(parseResources(json), version === 1 ? hostV1 : hostV2, options);
}

const writes = ({ steps }: Update): string[] =>
  steps.map(({ operation: o }) => {
    if (o.op === "write-first")
      return `${o.directory} ${o.choices.map(({ name }) => name).join("|")} ${o.choices[0]?.data}`;
    return o.op === "write-file" ? `${o.path} ${o.data}` : o.op;
  });

describe("planUpdate() on v1", () => {
  it("raises memory and swap together before memory, and lowers it after", () => {
    expect(writes(update(1, { memory: { limit: 4000, swap: 5000 } }))).toEqual([
      "/memory/memory.memsw.limit_in_bytes 5000",
      "/memory/memory.limit_in_bytes 4000",
    ]);
    expect(writes(update(1, { memory: { limit: 400, swap: 500 } }))).toEqual([
      "/memory/memory.limit_in_bytes 400",
      "/memory/memory.memsw.limit_in_bytes 500",
    ]);
    expect(writes(update(1, { memory: { limit: -1 } }))).toEqual([
      "/memory/memory.memsw.limit_in_bytes -1",
      "/memory/memory.limit_in_bytes -1",
    ]);
  });

  it("keeps the other one of memory and swap, and refuses where they do not fit", () => {
    expect(writes(update(1, { memory: { swap: 2000 } }))).toEqual([
      "/memory/memory.memsw.limit_in_bytes 2000",
      "/memory/memory.limit_in_bytes 1000",
    ]);
    expect(() => update(1, { memory: { limit: 5000 } })).toThrow(
      'Cannot limit swap to "3000": memory and swap together',
    );
  });

  it("writes quota, period and burst in an order that the kernel takes, both ways", () => {
    const cpu = (json: object, now: Partial<CurrentLimits> = {}): string[] =>
      writes(update(1, { cpu: json }, now)).map((text) => text.replace("/cpu/cpu.cfs_", ""));
    expect(cpu({ quota: 20000, period: 10000 })).toEqual(["quota_us 20000", "period_us 10000"]);
    expect(cpu({ quota: 20000, period: 200000 })).toEqual(["period_us 200000", "quota_us 20000"]);
    expect(cpu({ quota: 90000, burst: 70000 })).toEqual(["period_us 100000", "quota_us 90000", "burst_us 70000"]);
    expect(cpu({ quota: 9000, burst: 7000 }, { burst: 40_000n })).toEqual([
      "burst_us 7000",
      "period_us 100000",
      "quota_us 9000",
    ]);
    expect(cpu({ period: 50000 })).toEqual(["quota_us 50000", "period_us 50000"]);
  });

  it("changes weights and rates of single devices, and keeps the rest", () => {
    const blockIO = {
      weightDevice: [{ major: 8, minor: 0, weight: 200 }],
      throttleReadIOPSDevice: [{ major: 8, minor: 16, rate: 5 }],
    };
    const done = update(1, { blockIO });
    expect(writes(done)).toEqual([
      "/blkio blkio.weight_device|blkio.bfq.weight_device 8:0 200",
      "/blkio/blkio.throttle.read_iops_device 8:16 5",
    ]);
    expect(done.resources).toEqual({
      ...before,
      blockIO: {
        ...before.blockIO,
        weightDevice: [{ major: 8, minor: 0, weight: 200, leafWeight: 50 }],
        throttleReadIOPSDevice: [{ major: 8, minor: 16, rate: 5n }],
      },
    });
  });

  it("writes the difference of device rules, and none when none are given", () => {
    const devices = [{ allow: true, type: "c", major: 10, minor: 229, access: "rwm" }];
    const allowed = update(1, { devices });
    expect(writes(allowed)).toEqual(["/devices/devices.allow c 10:229 rwm"]);
    expect(writes(update(1, { devices: [{ allow: false, access: "rwm" }] }, {}, allowed.resources))).toEqual([
      "/devices/devices.deny c 10:229 rwm",
    ]);
    expect(writes(update(1, { pids: { limit: -1 } }))).toEqual(["/pids/pids.max max"]);
  });

  it("moves the container to other processors and memory nodes", () => {
    expect(writes(update(1, { cpu: { cpus: "1", mems: "0" } }))).toEqual([
      "/cpuset/cpuset.cpus 1",
      "/cpuset/cpuset.mems 0",
    ]);
  });
});

describe("planUpdate() on v2", () => {
  it("counts swap anew when memory changes", () => {
    expect(writes(update(2, { memory: { limit: 2000 } }))).toEqual(["/cg/memory.max 2000", "/cg/memory.swap.max 1000"]);
    expect(writes(update(2, { memory: { swap: 2000 } }))).toEqual(["/cg/memory.max 1000", "/cg/memory.swap.max 1000"]);
    expect(writes(update(2, { memory: { reservation: 5 } }))).toEqual(["/cg/memory.low 5"]);
    expect(writes(update(2, { memory: { limit: -1 } }))).toEqual(["/cg/memory.max max", "/cg/memory.swap.max max"]);
  });

  it("refuses to go below what is in use when asked to look, and does so when not", () => {
    const memory = { limit: 700, swap: 900 };
    expect(() => update(2, { memory: { ...memory, checkBeforeUpdate: true } })).toThrow(
      'Cannot limit memory to "700": 800 bytes are in use',
    );
    expect(writes(update(2, { memory }))).toEqual(["/cg/memory.max 700", "/cg/memory.swap.max 200"]);
    expect(writes(update(2, { memory: { ...memory, checkBeforeUpdate: true } }, { memoryUsage: 600n }))).toHaveLength(
      2,
    );
  });

  it("writes quota and period at once, the burst before or after", () => {
    const cpu = (json: object): string[] =>
      writes(update(2, { cpu: json })).map((text) => text.replace("/cg/cpu.", ""));
    expect(cpu({ period: 50000 })).toEqual(["max 50000 50000"]);
    expect(cpu({ quota: -1 })).toEqual(["max max 100000"]);
    expect(cpu({ quota: 90000, burst: 60000 })).toEqual(["max 90000 100000", "max.burst 60000"]);
    expect(cpu({ quota: 9000, burst: 6000 })).toEqual(["max.burst 6000", "max 9000 100000"]);
    expect(cpu({ shares: 2048 })).toEqual(["weight 174"]);
  });

  it("takes the quota that holds where nobody knows of one", () => {
    expect(writes(update(2, { cpu: { period: 20000 } }, {}, parseResources({})))).toEqual(["/cg/cpu.max 50000 20000"]);
  });

  it("puts another device filter in place, also one that allows everything", () => {
    expect(writes(update(2, { devices: [{ allow: true, access: "rwm" }] }))).toEqual(["cgroup-device-filter"]);
  });
});
