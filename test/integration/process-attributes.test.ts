/** Attributes of processes, on the real kernel: what the config says must be what the process sees. */
import { spawnSync } from "node:child_process";
import { readFileSync, symlinkSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { defaultNamespaces } from "#plan";
import { buildKeel } from "../support/monitored.ts";
import { PlannedBox } from "../support/planned-box.ts";

beforeAll(buildKeel);

const commands = ["ionice", "grep", "uname", "head", "cut", "id", "touch", "stat", "stty", "tr", "ls"];
const users = {
  namespaces: [...defaultNamespaces, { type: "user" }],
  uidMappings: [{ containerID: 0, hostID: 100_000, size: 65_536 }],
  gidMappings: [{ containerID: 0, hostID: 100_000, size: 65_536 }],
};
/** Nice value, real-time priority and policy of the shell itself: fields 19, 40 and 41 of proc_pid_stat(5). */
const scheduling = "cut -d')' -f2 /proc/$$/stat | cut -d' ' -f18,39,40; ionice -p $$";
const allowed = "grep Cpus_allowed_list /proc/self/status | cut -f2";

describe("scheduling", () => {
  it("is applied to the container, taken over by exec, and can be other there", async () => {
    await using box = new PlannedBox(commands);
    const process = {
      scheduler: { policy: "SCHED_BATCH", nice: 19 },
      ioPriority: { class: "IOPRIO_CLASS_BE", priority: 4 },
    };
    expect((await box.run(box.config(scheduling, process))).lines).toEqual(["19 0 3", "best-effort: prio 4"]);
    const waiting = await box.wait(process);
    expect((await box.exec(waiting, scheduling)).lines).toEqual(["19 0 3", "best-effort: prio 4"]);
    const other = { scheduler: { policy: "SCHED_IDLE" }, ioPriority: { class: "IOPRIO_CLASS_IDLE" } };
    expect((await box.exec(waiting, scheduling, other)).lines).toEqual(["0 0 5", "idle"]);
    const deadline = {
      policy: "SCHED_DEADLINE",
      flags: ["SCHED_FLAG_RESET_ON_FORK"],
      runtime: 1_000_000,
      deadline: 10_000_000,
      period: 20_000_000,
    };
    expect((await box.exec(waiting, scheduling, { scheduler: deadline })).lines[0]).toBe("0 0 6");
  });

  it("gives a container with a user namespace what needs privilege outside", async () => {
    await using box = new PlannedBox(commands);
    const process = {
      scheduler: { policy: "SCHED_BATCH", nice: -7 },
      ioPriority: { class: "IOPRIO_CLASS_RT", priority: 2 },
    };
    expect((await box.run(box.config(scheduling, process, users))).lines).toEqual(["-7 0 3", "realtime: prio 2"]);
  });

  it("says what is missing where the kernel only refuses", async () => {
    await using box = new PlannedBox(commands);
    await expect(
      box.run(box.config("", { scheduler: { policy: "SCHED_DEADLINE", runtime: 1024, deadline: 2000 } }, users)),
    ).rejects.toMatchObject({ message: expect.stringMatching(/^Cannot set the scheduling policy: /) as string });
    // On a cgroup v1 host that groups real-time processes, a group has no time for them unless it is given some.
    const { cgroup } = box.facts;
    if (cgroup.version !== 1) return;
    const config = box.config(scheduling, { scheduler: { policy: "SCHED_FIFO", priority: 5 } });
    await expect(box.run(config)).rejects.toMatchObject({
      code: "permission-denied",
      fields: { remedy: expect.stringContaining("linux.resources.cpu.realtimeRuntime") as string },
    });
    const controllers = new Map([...cgroup.controllers].filter(([name]) => !name.startsWith("cpu")));
    box.facts = { ...box.facts, cgroup: { ...cgroup, controllers } };
    expect((await box.run(config)).lines[0]).toBe("0 5 1");
  });
});

describe("identity", () => {
  it("holds the umask, also in exec, which may have its own", async () => {
    await using box = new PlannedBox(commands);
    const script = "umask; touch /tmp/x; stat -c %a /tmp/x";
    const mounts = { mounts: [{ destination: "/tmp", type: "tmpfs" }, ...box.config("").mounts] };
    expect((await box.run(box.config(script, { user: { umask: 0o137 } }, {}, mounts))).lines).toEqual(["0137", "640"]);
    const waiting = await box.wait({ user: { umask: 0o077 } });
    expect((await box.exec(waiting, "umask")).lines).toEqual(["0077"]);
    expect((await box.exec(waiting, "umask", { user: { umask: 0 } })).lines).toEqual(["0000"]);
  });

  it("sets the OOM score of the container and of an exec'd process each by its own", async () => {
    await using box = new PlannedBox(commands);
    const waiting = await box.wait({ oomScoreAdj: 300 });
    const score = "cat /proc/1/oom_score_adj /proc/self/oom_score_adj";
    expect((await box.exec(waiting, score, { oomScoreAdj: 400 })).lines).toEqual(["300", "400"]);
    const own = readFileSync("/proc/self/oom_score_adj", "utf8").trim();
    expect((await box.exec(waiting, score)).lines).toEqual(["300", own]);
  });

  it("gives capabilities by set, inheritable ones only when asked, and leaves out unknown ones", async () => {
    await using box = new PlannedBox(commands);
    const two = ["CAP_CHOWN", "CAP_KILL", "CAP_FROM_THE_FUTURE"];
    const script = "grep -E '^Cap(Inh|Prm|Eff|Bnd|Amb)' /proc/self/status | tr '\\t' ' '";
    const of = async (capabilities: object): Promise<readonly string[]> =>
      (await box.run(box.config(script, { capabilities, user: { uid: 5, gid: 5 } }))).lines;
    const set = (bits: string): string => bits.padStart(16, "0");
    expect(await of({ bounding: two, permitted: two, effective: ["CAP_KILL"] })).toEqual([
      `CapInh: ${set("0")}`,
      // A user other than root keeps none through exec, but ambient ones.
      `CapPrm: ${set("0")}`,
      `CapEff: ${set("0")}`,
      `CapBnd: ${set("21")}`,
      `CapAmb: ${set("0")}`,
    ]);
    expect(await of({ bounding: two, permitted: two, inheritable: two, ambient: ["CAP_KILL"] })).toEqual([
      `CapInh: ${set("21")}`,
      `CapPrm: ${set("20")}`,
      `CapEff: ${set("20")}`,
      `CapBnd: ${set("21")}`,
      `CapAmb: ${set("20")}`,
    ]);
  });

  it("makes a working directory that is missing, and never leaves the root for it", async () => {
    await using box = new PlannedBox(commands);
    expect((await box.run(box.config("pwd; stat -c %a:%u .", { cwd: "/made/here" }))).lines).toEqual([
      "/made/here",
      "755:0",
    ]);
    symlinkSync("/", join(box.root, "out"));
    symlinkSync(box.root, join(box.root, "itself"));
    expect((await box.run(box.config("pwd", { cwd: "/out" }))).lines).toEqual(["/"]);
    // The link names a directory of the host; in the root it leads to one of that name, which is made.
    expect((await box.run(box.config("pwd; ls -A", { cwd: "/itself" }))).lines).toEqual([box.root]);
  });

  it("sets parameters of a user namespace for the container alone", async () => {
    await using box = new PlannedBox(commands);
    const linux = { ...users, sysctl: { "user.max_mnt_namespaces": "7" } };
    const before = readFileSync("/proc/sys/user/max_mnt_namespaces", "utf8");
    expect((await box.run(box.config("cat /proc/sys/user/max_mnt_namespaces", {}, linux))).lines).toEqual(["7"]);
    expect(readFileSync("/proc/sys/user/max_mnt_namespaces", "utf8")).toBe(before);
  });

  it("gives a terminal its size, and no size to what is no terminal", async () => {
    await using box = new PlannedBox(commands);
    const consoleSize = { width: 132, height: 43 };
    expect((await box.run(box.config("stty size", { terminal: true, consoleSize }))).lines).toEqual(["43 132"]);
    expect((await box.run(box.config("stty size 2>/dev/null || echo none", { consoleSize }))).lines).toEqual(["none"]);
  });
});

describe("processors", () => {
  it.skipIf(availableParallelism() < 2)("binds an exec'd process, and nothing when it is not asked", async () => {
    await using box = new PlannedBox(commands);
    const waiting = await box.wait();
    const bound = async (execCPUAffinity: object | undefined): Promise<string | undefined> =>
      (await box.exec(waiting, allowed, execCPUAffinity === undefined ? {} : { execCPUAffinity })).lines[0];
    const all = await bound(undefined);
    expect([
      await bound({ initial: "1" }),
      await bound({ initial: "0", final: "1" }),
      await bound({ final: "0-1" }),
      await bound({}),
    ]).toEqual(["1", "1", "0-1", all]);
    await expect(bound({ final: "4000" })).rejects.toMatchObject({
      message: "Cannot run on processor 4000: invalid argument",
      fields: { remedy: "The cgroup's cpuset has none of these processors" },
    });
  });

  it.skipIf(availableParallelism() < 2)("are all given back when the caller is bound to one", async () => {
    const bind = (list: string): string =>
      spawnSync("taskset", ["-a", "-pc", list, String(process.pid)], { encoding: "utf8" }).stdout;
    const before = /list: (\S+)$/m.exec(bind("0"))?.[1] ?? "";
    const all = readFileSync("/sys/devices/system/cpu/online", "utf8").trim();
    try {
      // Its keel starts bound.
      await using box = new PlannedBox(commands);
      expect((await box.run(box.config(allowed))).lines).toEqual([all]);
      const waiting = await box.wait({}, { resources: { cpu: { cpus: "1" } } });
      expect((await box.exec(waiting, allowed)).lines).toEqual(["1"]);
    } finally {
      bind(before);
    }
  });
});

describe("personality and memory", () => {
  const policy = "head -n 1 /proc/self/numa_maps | cut -d' ' -f2";

  it("tells programs of a 32-bit machine, also behind a filter that forbids personality, and in exec", async () => {
    await using box = new PlannedBox(commands);
    const seccomp = {
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [{ names: ["personality", "set_mempolicy"], action: "SCMP_ACT_ERRNO" }],
    };
    const name = box.facts.architecture === "x86_64" ? "i686" : "armv8l";
    const linux = { personality: { domain: "LINUX32" }, seccomp };
    expect((await box.run(box.config("uname -m", {}, linux))).lines).toEqual([name]);
    expect((await box.exec(await box.wait({}, linux), "uname -m")).lines).toEqual([name]);
    expect((await box.run(box.config("uname -m", {}, { personality: { domain: "LINUX" } }))).lines).toEqual([
      box.facts.architecture,
    ]);
  });

  it("takes memory where the policy says, also in exec", async () => {
    await using box = new PlannedBox(commands);
    const of = async (memoryPolicy: object): Promise<string | undefined> =>
      (await box.run(box.config(policy, {}, { memoryPolicy }))).lines[0];
    expect([
      await of({ mode: "MPOL_INTERLEAVE", nodes: "0" }),
      await of({ mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"] }),
      await of({ mode: "MPOL_PREFERRED" }),
      await of({ mode: "MPOL_LOCAL" }),
      await of({ mode: "MPOL_DEFAULT" }),
    ]).toEqual(["interleave:0", "bind=static:0", "local", "local", "default"]);
    const memoryPolicy = { mode: "MPOL_PREFERRED", nodes: "0", flags: ["MPOL_F_RELATIVE_NODES"] };
    expect((await box.exec(await box.wait({}, { memoryPolicy }), policy)).lines).toEqual(["prefer=relative:0"]);
    await expect(of({ mode: "MPOL_BIND", nodes: "1000" })).rejects.toMatchObject({
      message: "Cannot set the memory policy: invalid argument",
      fields: { remedy: expect.stringContaining("none of these memory nodes") as string },
    });
  });
});
