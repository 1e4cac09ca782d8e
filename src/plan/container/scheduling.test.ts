import { describe, expect, it } from "vitest";
import { parseRuntimeConfig, type ProcessConfig } from "#spec";
import { briefly, brieflySteps } from "../testing/brief.ts";
import { operationsOf } from "../explain/explain.ts";
import { hostV2, options, sampleConfig } from "../testing/samples.ts";
import { planContainer } from "./plan-container.ts";
import { planExec } from "./plan-exec.ts";

const attributes = {
  scheduler: { policy: "SCHED_FIFO", priority: 10, flags: ["SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_KEEP_PARAMS"] },
  ioPriority: { class: "IOPRIO_CLASS_BE", priority: 4 },
  execCPUAffinity: { initial: "0-1", final: "1" },
  user: { uid: 999, gid: 999, umask: 0o027 },
};
const linux = {
  personality: { domain: "LINUX32" },
  memoryPolicy: { mode: "MPOL_INTERLEAVE", nodes: "0-1", flags: ["MPOL_F_RELATIVE_NODES"] },
};
const config = sampleConfig(attributes, linux);
const about = /^(personality|memory-policy|io-priority|scheduler|cpu-affinity|clone|join-container|bounding-set)/;

function processOf(process: object): ProcessConfig {
  const parsed = parseRuntimeConfig({ ociVersion: "1.3.0", process: { cwd: "/", args: ["x"], ...process } }).process;
  if (parsed === undefined) throw new Error("no process");
  return parsed;
}

const exec = (process: object): string[] => {
  const { cgroupPaths } = planContainer(config, hostV2, options);
  return briefly(operationsOf(planExec(processOf(process), config, hostV2, cgroupPaths, {})));
};

describe("planContainer()", () => {
  it("sets scheduling while it is privileged; processors are only for exec", () => {
    expect(brieflySteps(planContainer(config, hostV2, options).steps).filter((line) => about.test(line))).toEqual([
      "clone namespaces=0x6c020000 cgroup=/sys/fs/cgroup/sampan/abc",
      "cpu-affinity processors=[]",
      "personality domain=0x8",
      "memory-policy mode=040003 nodes=[0 1]",
      "io-priority class=2 level=4",
      "scheduler policy=1 flags=0x11 nice=0 priority=10 runtime=0 deadline=0 period=0",
      "bounding-set keep=0xa80425fb",
    ]);
  });

  it("refuses a policy that no Linux has", () => {
    const iso = sampleConfig({ scheduler: { policy: "SCHED_ISO" } });
    expect(() => planContainer(iso, hostV2, options)).toThrow("Cannot schedule the process by SCHED_ISO");
  });
});

describe("planExec()", () => {
  it("takes over what the process leaves open, its processors before and after it enters the cgroup", () => {
    expect(exec({}).filter((line) => about.test(line) || line.startsWith("user"))).toEqual([
      "cpu-affinity processors=[0 1]",
      "join-container namespaces=0x6e020000",
      "clone namespaces=0 cgroup=/sys/fs/cgroup/sampan/abc",
      "cpu-affinity processors=[1]",
      "personality domain=0x8",
      "memory-policy mode=040003 nodes=[0 1]",
      "io-priority class=2 level=4",
      "scheduler policy=1 flags=0x11 nice=0 priority=10 runtime=0 deadline=0 period=0",
      "bounding-set keep=0",
      "user uid=0 gid=0 groups=[] umask=027",
    ]);
  });

  it("follows the process where it says something", () => {
    const process = {
      scheduler: { policy: "SCHED_IDLE" },
      ioPriority: { class: "IOPRIO_CLASS_IDLE" },
      execCPUAffinity: { initial: "0" },
      user: { umask: 0 },
    };
    expect(exec(process).filter((line) => /^(io-|sched|cpu|user)/.test(line))).toEqual([
      "cpu-affinity processors=[0]",
      "io-priority class=3 level=0",
      "scheduler policy=5 flags=0 nice=0 priority=0 runtime=0 deadline=0 period=0",
      "user uid=0 gid=0 groups=[] umask=00",
    ]);
    expect(exec({ execCPUAffinity: {} }).filter((line) => line.startsWith("cpu"))).toEqual([
      "cpu-affinity processors=[]",
    ]);
  });
});
