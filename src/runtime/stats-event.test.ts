import { readCgroupStats } from "#host";
import { describe, expect, it } from "vitest";
import { readV1, readV2, v1Paths, v2Paths } from "../host/testing/cgroup-samples.ts";
import { oomEvent, statsEvent } from "./stats-event.ts";

const eth0 = {
  name: "eth0",
  rxBytes: 1n,
  rxPackets: 2n,
  rxErrors: 0n,
  rxDropped: 0n,
  txBytes: 18_446_744_073_709_551_615n,
  txPackets: 4n,
  txErrors: 0n,
  txDropped: 0n,
};
const flags = `"mem_hardwall":0,"mem_exclusive":0,"memory_migrate":0,"memory_spread_page":0,"memory_spread_slab":0,"memory_pressure":0`;

describe("statsEvent()", () => {
  it("prints v2 in runc's words, with all digits", () => {
    const io = (major: string, ...values: string[]): string =>
      values.map((value) => `{"major":254,${major}${value}}`).join();
    expect(statsEvent("c1", readCgroupStats(v2Paths, ["2MB"], readV2), [eth0])).toBe(
      [
        `{"type":"stats","id":"c1","data":{"cpu":{"usage":{"total":1176635000,"kernel":247499000,"user":929136000}`,
        `"throttling":{"periods":58,"throttledPeriods":57,"throttledTime":4607045000}`,
        `"psi":{"some":{"avg10":21.15,"avg60":4.17,"avg300":0.88,"total":4118674}}}`,
        `"cpuset":{"cpu_exclusive":0,${flags},"sched_load_balance":0,"sched_relax_domain_level":0}`,
        `"memory":{"cache":5005312,"usage":{"limit":104857600,"usage":6139904,"max":6234112,"failcnt":0}`,
        `"swap":{"limit":18446744073709551615,"usage":6144000,"failcnt":0}`,
        `"raw":{"anon":65536,"file":5005312,"kernel":651264,"pgfault":346}},"pids":{"current":2}`,
        `"blkio":{"ioServiceBytesRecursive":[${io("", `"op":"Read"`, `"op":"Write"`)}`,
        `${io(`"minor":16,`, `"op":"Read","value":1024`, `"op":"Write","value":5000192`)}]`,
        `"ioServicedRecursive":[${io("", `"op":"Read"`, `"op":"Write","value":1`)}`,
        `${io(`"minor":16,`, `"op":"Read","value":1`, `"op":"Write","value":6`)}]`,
        `"psi":{"some":{"avg10":0,"avg60":0,"avg300":0,"total":730},"full":{"avg10":0,"avg60":0,"avg300":0,"total":730}}}`,
        `"hugetlb":{"2MB":{"usage":4194304,"failcnt":7}},"intel_rdt":{}`,
        `"network_interfaces":[{"Name":"eth0","RxBytes":1,"RxPackets":2,"RxErrors":0,"RxDropped":0`,
        `"TxBytes":18446744073709551615,"TxPackets":4,"TxErrors":0,"TxDropped":0}]}}`,
      ].join(),
    );
  });

  it("prints v1 with what only v1 counts", () => {
    const { data } = JSON.parse(statsEvent("c1", readCgroupStats(v1Paths, ["2MB"], readV1), [])) as {
      data: Record<string, unknown>;
    };
    expect({ ...data, memory: undefined, blkio: undefined }).toEqual({
      cpu: {
        usage: {
          total: 1_731_257_639_777,
          percpu: [831_361_471_949, 899_896_167_828],
          percpu_kernel: [298_144_000_000, 321_928_000_000],
          percpu_user: [519_912_000_000, 569_484_000_000],
          kernel: 627_940_000_000,
          user: 1_103_240_000_000,
        },
        throttling: { periods: 10, throttledPeriods: 4, throttledTime: 123_456 },
      },
      cpuset: {
        cpus: [0, 1, 2, 5],
        cpu_exclusive: 0,
        mems: [0],
        mem_hardwall: 0,
        mem_exclusive: 0,
        memory_migrate: 0,
        memory_spread_page: 0,
        memory_spread_slab: 0,
        memory_pressure: 0,
        sched_load_balance: 1,
        sched_relax_domain_level: -1,
      },
      pids: { current: 3, limit: 100 },
      hugetlb: { "2MB": { max: 2_097_152, failcnt: 1 } },
      intel_rdt: {},
      network_interfaces: [],
    });
  });

  it("leaves out what is zero, as Go does", () => {
    expect(
      statsEvent(
        "c",
        readCgroupStats(v2Paths, [], () => undefined),
        [],
      ),
    ).toBe(
      [
        `{"type":"stats","id":"c","data":{"cpu":{},"cpuset":{"cpu_exclusive":0,${flags}`,
        `"sched_load_balance":0,"sched_relax_domain_level":0},"memory":{},"pids":{},"blkio":{},"hugetlb":{}`,
        `"intel_rdt":{},"network_interfaces":[]}}`,
      ].join(),
    );
    expect(oomEvent("c")).toBe(`{"type":"oom","id":"c"}`);
  });
});
