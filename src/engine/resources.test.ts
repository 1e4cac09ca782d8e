import { describe, expect, it } from "vitest";
import type { ContainerOptions } from "./options.ts";
import { containerResources, oomScore } from "./resources.ts";

const resources = (options: Omit<ContainerOptions, "image">): ReturnType<typeof containerResources> =>
  containerResources({ image: "x", ...options }, []);

describe("containerResources()", () => {
  it("puts all options into the spec's words", () => {
    const given = resources({
      memory: "64m",
      memorySwap: "-1",
      memoryReservation: "32m",
      memorySwappiness: 10,
      oomKillDisable: true,
      cpuShares: 512,
      cpuPeriod: 50_000,
      cpuQuota: 25_000,
      cpuRtPeriod: 1000,
      cpuRtRuntime: 500,
      cpusetCpus: "0-1",
      pidsLimit: 20,
      blkioWeight: 300,
      hugepages: { "2MB": "4m" },
      cgroupFiles: { "memory.high": "1000" },
      deviceRules: ["c 42:* mr", "a *:* w"],
    });
    expect(given).toStrictEqual({
      devices: [
        { allow: true, type: "c", major: 42, minor: undefined, access: "rm" },
        { allow: true, type: "a", major: undefined, minor: undefined, access: "w" },
      ],
      memory: {
        limit: 67_108_864n,
        swap: -1n,
        reservation: 33_554_432n,
        swappiness: 10,
        disableOOMKiller: true,
      },
      cpu: {
        shares: 512n,
        quota: 25_000n,
        period: 50_000n,
        realtimeRuntime: 500n,
        realtimePeriod: 1000n,
        cpus: "0-1",
        mems: undefined,
      },
      pids: { limit: 20n },
      blockIO: {
        weight: 300,
        weightDevice: [],
        throttleReadBpsDevice: [],
        throttleWriteBpsDevice: [],
        throttleReadIOPSDevice: [],
        throttleWriteIOPSDevice: [],
      },
      hugepageLimits: [{ pageSize: "2MB", limit: 4_194_304n }],
      rdma: new Map(),
      unified: new Map([["memory.high", "1000"]]),
    });
    expect(oomScore({ image: "x", oomScoreAdj: -5 })).toBe(-5);
  });

  it("leaves what is not given, and takes 0 and -1 for no limit as Docker does", () => {
    const none = { memory: undefined, pids: undefined, blockIO: undefined };
    expect(resources({})).toMatchObject(none);
    expect(resources({ pidsLimit: -1, blkioWeight: 0, memorySwappiness: -1, cpuShares: 0 })).toMatchObject(none);
    expect(resources({ memory: "64m" }).memory).toMatchObject({ limit: 67_108_864n, swap: 134_217_728n });
  });

  it.each([
    [{ cpus: 1, cpuPeriod: 1000 }, "both say the same"],
    [{ cpuQuota: 10 }, "the kernel's smallest is 1000"],
    [{ cpuPeriod: 10 }, "from 1000 to 1000000"],
    [{ memorySwap: "1g" }, "--memory must be set too"],
    [{ memory: "64m", memorySwap: "32m" }, "it counts memory too, and is below --memory"],
    [{ memory: "64m", memoryReservation: "65m" }, "it is above --memory, 64m"],
    [{ cpusetCpus: "a" }, "it is not a list such as 0-2,4"],
    [{ blkioWeight: 5 }, "from 10 to 1000"],
    [{ deviceRules: ["c x:1 r"] }, "it is not TYPE MAJOR:MINOR ACCESS"],
    [{ deviceReadBps: [{ path: "/dev/null", rate: 1 }] }, "it is no block device"],
  ])("refuses %j", (options, problem) => {
    expect(() => resources(options)).toThrow(problem);
  });
});
