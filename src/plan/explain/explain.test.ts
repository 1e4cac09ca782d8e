import { describe, expect, it } from "vitest";
import { planContainer } from "../container/plan-container.ts";
import { hostV1, hostV2, options, sampleConfig } from "../testing/samples.ts";
import type { Operation } from "../operation.gen.ts";
import { describeOperation } from "./describe.ts";
import { explainPlan } from "./explain.ts";

describe("explainPlan()", () => {
  it("writes one numbered line a step, in words", () => {
    const lines = explainPlan(planContainer(sampleConfig({ args: ["sh", "-c", "echo 'hi'"] }), hostV2, options));
    expect(lines.slice(0, 2)).toEqual([
      " 1. create cgroup /sys/fs/cgroup/sampan/abc with cpuset, cpu, io, memory and pids — The kernel limits and counts what a group of processes uses; this is the container's group [cgroups(7)]",
      " 2. attach a device filter of 73 instructions to cgroup /sys/fs/cgroup/sampan/abc — A container may use no device of the host but those that are allowed one by one [runtime-spec config-linux.md#control-groups]",
    ]);
    expect(lines.find((line) => line.includes("mount proc"))).toBe(
      "14. mount proc on /proc (setuid programs get no rights, no device files, no programs run from it) — Programs look here for processes, and see only those of the container [runtime-spec config.md#mounts]",
    );
    expect(lines.at(-1)).toBe(
      String.raw`62. run sh -c 'echo '\''hi'\''' — The program takes the place of keel in this process [runtime-spec config.md#process]`,
    );
  });

  it("keeps a line a line, and gives the terminal no orders of an image", () => {
    const lines = explainPlan(planContainer(sampleConfig({ args: ["a\nb\u001b[2J\u009b"] }), hostV1, options));
    expect(lines.every((line) => /^[^\p{Cc}]*$/u.test(line))).toBe(true);
    expect(lines.at(-1)).toContain(String.raw`run 'a\x0ab\x1b[2J\x9b'`);
  });
});

describe("describeOperation()", () => {
  it('continues "Cannot …" for the operations that no sample plan has', () => {
    const operations: readonly Operation[] = [
      { op: "join-namespace", kind: 0x4000_0000n, path: "/proc/7/ns/net" },
      {
        op: "id-map",
        uids: [{ inside: 0, outside: 100_000, count: 65_536 }],
        gids: [{ inside: 0, outside: 5, count: 1 }],
        denySetgroups: false,
      },
      {
        op: "bind",
        source: "/v",
        target: "/data",
        recursive: true,
        set: 1n,
        clear: 0n,
        setRecursive: 0n,
        clearRecursive: 0n,
        propagation: 0x4_0000n,
        propagationRecursive: true,
      },
      { op: "rlimit", resource: 7, soft: 1024n, hard: 0xffff_ffff_ffff_ffffn },
      { op: "device", path: "/dev/sda", mode: 0o060_600, major: 8, minor: 0, uid: 0, gid: 0 },
      { op: "device", path: "/p", mode: 0o010_600, major: 0, minor: 0, uid: 0, gid: 0 },
      { op: "time-offset", clock: "boottime", seconds: 5n, nanoseconds: 20 },
      { op: "bounding-set", keep: 0n },
      { op: "parent-death-signal", signal: 9 },
      { op: "terminal", columns: 80, rows: 24, console: true },
      {
        op: "scheduler",
        policy: 6,
        flags: 1n,
        nice: 0,
        priority: 0,
        runtime: 42_000n,
        deadline: 100_000n,
        period: 1_000_000n,
      },
      { op: "scheduler", policy: 3, flags: 0n, nice: 19, priority: 0, runtime: 0n, deadline: 0n, period: 0n },
      { op: "io-priority", class: 2, level: 4 },
      { op: "cpu-affinity", processors: [0, 1, 2, 7] },
      { op: "personality", domain: 8n },
      { op: "memory-policy", mode: 0x8003, nodes: [2, 3] },
      { op: "memory-policy", mode: 4, nodes: [] },
      { op: "security-attribute", module: "apparmor", attribute: "exec", value: "exec mine" },
      { op: "security-attribute", module: "", attribute: "keycreate", value: "" },
      { op: "remove-directory", path: "/sys/fs/resctrl/a" },
      { op: "directory-xattr", path: "/dev/mqueue", name: "security.selinux", value: "u:r:t:s0" },
      { op: "move-network-device", name: "eth1", newName: "eth0" },
      {
        op: "landlock",
        handledFiles: 6n,
        handledNetwork: 2n,
        scoped: 2n,
        bestEffort: true,
        paths: [{ path: "/tmp", access: 6n }],
        ports: [{ port: 443, access: 2n }],
      },
    ];
    expect(operations.map(describeOperation)).toEqual([
      "join the network namespace /proc/7/ns/net",
      "map user ids 0-65535 → 100000-165535 and group ids 0 → 5",
      "bind /v of the host to /data with what is mounted below it (read-only, private: changes neither come nor go)",
      "limit RLIMIT_NOFILE to 1024, at most unlimited",
      "make block device 8:0 /dev/sda",
      "make FIFO /p",
      "set the boottime clock 5.000000020 s off",
      "give up for ever all capabilities but none",
      "ask for SIGKILL when the monitor dies",
      "open a terminal of 80×24 characters, also as /dev/console",
      "schedule it by SCHED_DEADLINE, 42000 ns within 100000 ns of each 1000000 ns, SCHED_FLAG_RESET_ON_FORK",
      "schedule it by SCHED_BATCH, nice 19",
      "take I/O priority IOPRIO_CLASS_BE 4",
      "run on processors 0-2,7",
      "take the personality LINUX32",
      "take memory by MPOL_INTERLEAVE, MPOL_F_STATIC_NODES on nodes 2-3",
      "take memory by MPOL_LOCAL",
      'set the security attribute exec to "exec mine"',
      "clear the security attribute keycreate",
      "remove directory /sys/fs/resctrl/a",
      "label /dev/mqueue as u:r:t:s0",
      "move network device eth1 of the host into the container, as eth0",
      "forbid with Landlock, as far as the kernel has it: write_file, read_file, connect_tcp, signal to the outside; but allow write_file read_file in /tmp, connect_tcp on port 443",
    ]);
  });
});
