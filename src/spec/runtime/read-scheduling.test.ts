import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseRuntimeConfig } from "./parse.ts";
import { readNumberList } from "./number-list.ts";

const parse = (process: object, linux: object = {}) =>
  parseRuntimeConfig({ ociVersion: "1.3.0", process: { cwd: "/", args: ["sh"], ...process }, linux });
const scheduler = (config: object) => parse({ scheduler: config }).process?.scheduler;
const memoryPolicy = (config: object) => parse({}, { memoryPolicy: config }).linux.memoryPolicy;

describe("parseRuntimeConfig()", () => {
  it("reads a scheduler, an I/O priority and processors for exec", () => {
    const { process } = parse({
      scheduler: {
        policy: "SCHED_DEADLINE",
        flags: ["SCHED_FLAG_RESET_ON_FORK"],
        nice: 19,
        priority: 0,
        runtime: 42000,
        deadline: 100000,
        period: 1000000,
      },
      ioPriority: { class: "IOPRIO_CLASS_IDLE" },
      execCPUAffinity: { initial: "0-2,7", final: "" },
    });
    expect([process?.scheduler, process?.ioPriority, process?.execCPUAffinity]).toEqual([
      {
        policy: "SCHED_DEADLINE",
        flags: ["SCHED_FLAG_RESET_ON_FORK"],
        nice: 19,
        priority: 0,
        runtime: 42000n,
        deadline: 100000n,
        period: 1000000n,
      },
      { class: "IOPRIO_CLASS_IDLE", priority: 0 },
      { initial: [0, 1, 2, 7], final: [] },
    ]);
    expect(scheduler({ policy: "SCHED_BATCH" })).toEqual({
      policy: "SCHED_BATCH",
      flags: [],
      nice: 0,
      priority: 0,
      runtime: 0n,
      deadline: 0n,
      period: 0n,
    });
  });

  it("reads a personality and memory policies", () => {
    expect(parse({}, { personality: { domain: "LINUX32", flags: [] } }).linux.personality).toEqual({
      domain: "LINUX32",
    });
    expect(memoryPolicy({ mode: "MPOL_BIND", nodes: "2-3", flags: ["MPOL_F_STATIC_NODES"] })).toEqual({
      mode: "MPOL_BIND",
      nodes: [2, 3],
      flags: ["MPOL_F_STATIC_NODES"],
    });
    expect(memoryPolicy({ mode: "MPOL_PREFERRED", nodes: "" })).toEqual({
      mode: "MPOL_PREFERRED",
      nodes: [],
      flags: [],
    });
  });

  const deadline = { policy: "SCHED_DEADLINE", runtime: 2000, deadline: 3000, period: 4000 };
  const refusals: readonly (readonly [read: () => unknown, message: string])[] = [
    [() => scheduler({}), "process.scheduler.policy must be one of SCHED_OTHER, SCHED_FIFO"],
    [() => scheduler({ policy: "SCHED_OTHER", nice: 20 }), "process.scheduler.nice must be an integer from -20 to 19"],
    [() => scheduler({ policy: "SCHED_OTHER", priority: 1 }), "process.scheduler.priority must be 0 with SCHED_OTHER"],
    [() => scheduler({ policy: "SCHED_RR" }), "process.scheduler.priority must be from 1 to 99 with SCHED_RR"],
    [() => scheduler({ policy: "SCHED_IDLE", period: 1 }), "process.scheduler.period must be 0 with SCHED_IDLE"],
    [() => scheduler({ policy: "SCHED_IDLE", flags: ["X"] }), "process.scheduler.flags[0] must be one of SCHED_FLAG_"],
    [() => scheduler({ ...deadline, runtime: 1000 }), "process.scheduler.runtime must be at least 1024"],
    [() => scheduler({ ...deadline, runtime: 3001 }), "process.scheduler.runtime must not be above deadline"],
    [() => scheduler({ ...deadline, deadline: 4001 }), "process.scheduler.deadline must not be above period"],
    [() => scheduler({ ...deadline, deadline: 2n ** 63n, period: 0 }), "process.scheduler.deadline must be below 2^63"],
    [() => parse({ ioPriority: { class: "BE" } }), "process.ioPriority.class must be one of IOPRIO_CLASS_RT"],
    [
      () => parse({ ioPriority: { class: "IOPRIO_CLASS_BE", priority: 8 } }),
      "process.ioPriority.priority must be an integer from 0 to 7",
    ],
    [
      () => parse({ execCPUAffinity: { final: "1-0" } }),
      "process.execCPUAffinity.final must be a list of numbers from 0 to 8191, such as 0-3,7",
    ],
    [
      () => parse({}, { personality: { domain: "LINUX", flags: ["ADDR_NO_RANDOMIZE"] } }),
      "linux.personality.flags must be empty: the runtime-spec defines no flag",
    ],
    [() => parse({}, { personality: {} }), "linux.personality.domain must be one of LINUX, LINUX32"],
    [() => memoryPolicy({ nodes: "0-7" }), "linux.memoryPolicy.mode must be one of MPOL_DEFAULT"],
    [() => memoryPolicy({ mode: "INTERLEAVE", nodes: "0" }), "linux.memoryPolicy.mode must be one of MPOL_DEFAULT"],
    [() => memoryPolicy({ mode: "MPOL_BIND" }), "linux.memoryPolicy.nodes must name a node with MPOL_BIND"],
    [
      () => memoryPolicy({ mode: "MPOL_PREFERRED", flags: ["MPOL_F_STATIC_NODES"] }),
      "linux.memoryPolicy.nodes must name a node with MPOL_PREFERRED and MPOL_F_STATIC_NODES",
    ],
    [
      () => memoryPolicy({ mode: "MPOL_DEFAULT", nodes: "0-7" }),
      "linux.memoryPolicy.nodes must be empty with MPOL_DEFAULT",
    ],
    [
      () => memoryPolicy({ mode: "MPOL_BIND", nodes: "0-9876543210" }),
      "linux.memoryPolicy.nodes must be a list of numbers from 0 to 1023",
    ],
    [
      () => memoryPolicy({ mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES"] }),
      "linux.memoryPolicy.flags must not have both",
    ],
    [
      () => memoryPolicy({ mode: "MPOL_INTERLEAVE", nodes: "0", flags: ["MPOL_F_NUMA_BALANCING"] }),
      "linux.memoryPolicy.flags must not have MPOL_F_NUMA_BALANCING with MPOL_INTERLEAVE",
    ],
    [
      () => memoryPolicy({ mode: "MPOL_BIND", nodes: "0", flags: ["badflag"] }),
      "linux.memoryPolicy.flags[0] must be one of MPOL_F_NUMA_BALANCING",
    ],
  ];
  for (const [read, message] of refusals)
    it(`refuses with "${message}"`, () => {
      expect(read).toThrow(`Cannot read config: ${message}`);
    });
});

describe("readNumberList()", () => {
  it("gives each number once, in order", () => {
    expect(["3,1,1-2", " 5 , ,0-1,", "", "1023"].map((text) => readNumberList(text, "x", 1023))).toEqual([
      [1, 2, 3],
      [0, 1, 5],
      [],
      [1023],
    ]);
  });

  it("refuses what is no list, or names a number that is too large", () => {
    for (const text of ["a", "-1", "1-", "1--2", "2-1", "1024", "0-1024", "1 2", "0x1", "99999999999999999999"])
      expect(() => readNumberList(text, "x", 1023)).toThrow("x must be a list of numbers from 0 to 1023");
  });

  it("reads back any list that is written by it", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(500)), (numbers) => {
        expect(readNumberList(numbers.join(","), "x", 500)).toEqual(numbers.toSorted((a, b) => a - b));
      }),
    );
  });
});
