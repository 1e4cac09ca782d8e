import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";
import { checkout } from "../support/checkout.ts";
import { runInVm, sampanFiles } from "../support/vm.ts";

/** Output of the commands that the machine ran, by name. A boot takes longer than they all: it is shared. */
const seen = new Map<string, string>();

const limits = `["memory.max", "pids.max", "cpu.max"].map((name) => fs.readFileSync("/sys/fs/cgroup/" + name, "utf8").trim())`;
const flags = "--rm --network none --memory 128m --pids-limit 50 --cpus 0.5";
const commands: readonly (readonly [name: string, command: string])[] = [
  ["controllers", "cat /sys/fs/cgroup/cgroup.controllers"],
  ["mounts", "grep cgroup /proc/mounts"],
  ["node", "node -p '6*7'"],
  ["given", "cat given/file"],
  ["run", `./sampan/sampan run ${flags} localhost/node -p '${limits}.join()'`],
  ["left", "find /sys/fs/cgroup/sampan -mindepth 1 -type d"],
  ["scenario", "mkdir -p /var/tmp; SAMPAN_KEEL=/files/sampan/build/native/keel node scenario.mjs"],
  ["oci", "SAMPAN_KEEL=/files/sampan/build/native/keel node oci.mjs life unknown devices kill oom"],
  ["ramdisk", "cat .ramdisk-output"],
  ["groups", "find /sys/fs/cgroup -name 'sampan-cgroups*'"],
];

/** What became of a machine whose command does not end. It sleeps most of the time: the other one runs beside it. */
let hung: unknown;

/** A program as one file: the machine has no sources. */
async function bundle(directory: string, name: string): Promise<string> {
  const outfile = join(directory, `${name}.mjs`);
  const entry = join(checkout, `test/support/${name}-vm-main.ts`);
  await build({ entryPoints: [entry], outfile, bundle: true, format: "esm", platform: "node", target: "node26" });
  return outfile;
}

beforeAll(async () => {
  const directory = await mkdtemp("/var/tmp/sampan-scenario-");
  try {
    const files = {
      ...sampanFiles,
      "given/file": "/etc/debian_version",
      "scenario.mjs": await bundle(directory, "cgroup"),
      "oci.mjs": await bundle(directory, "oci"),
    };
    const script = commands.map(([name, command]) => `echo "--- ${name}"; ${command}; [ $? = 0 ] || echo "failed"`);
    const command = `${script.join("\n")}\necho problem >&2\nexit 3`;
    const hanging = runInVm({ command: "echo on the console >/dev/console; sleep 1000", timeout: 60_000 }).catch(
      (error: unknown) => error,
    );
    const { stdout, stderr, code } = await runInVm({
      files,
      command,
      ramdisk: "SAMPAN_KEEL=/files/sampan/build/native/keel node oci.mjs ramdisk",
      timeout: 700_000,
    });
    hung = await hanging;
    for (const part of stdout.split(/^--- /m).slice(1)) {
      const end = part.indexOf("\n");
      seen.set(part.slice(0, end), part.slice(end + 1));
    }
    seen.set("end", `${code} ${stderr}`);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}, 720_000);

describe("runInVm()", () => {
  it("runs commands on a machine with cgroup v2 alone, all controllers and the pinned Node", () => {
    expect((seen.get("controllers") ?? "").trim().split(" ")).toStrictEqual(
      expect.arrayContaining(["cpuset", "cpu", "io", "memory", "pids", "hugetlb"]),
    );
    expect([seen.get("mounts"), seen.get("node"), seen.get("end")]).toStrictEqual([
      "cgroup2 /sys/fs/cgroup cgroup2 rw,relatime 0 0\n",
      "42\n",
      "3 problem\n",
    ]);
    expect(seen.get("given")).toMatch(/^\S+\n$/);
  });

  it("says what the console showed when the command does not end", () => {
    expect(String(hung)).toMatch(/it ran for 60000 ms[^]*on the console/);
  });
});

describe("containers on cgroup v2", () => {
  const step = (name: string): unknown => {
    const lines = (seen.get("scenario") ?? "").trim().split("\n");
    const found = lines.map((line) => JSON.parse(line) as { step: string; seen: unknown }).find((l) => l.step === name);
    return found?.seen;
  };

  it("are run by ./sampan with limits that hold", () => {
    expect([seen.get("run"), seen.get("left"), seen.get("groups")]).toStrictEqual([
      "134217728,50,50000 100000\n",
      "",
      "",
    ]);
  });

  it("have the limits of their config, and those of updates, up and down", () => {
    const always = {
      "memory.low": "16777216",
      "memory.high": "50331648",
      "memory.oom.group": "1",
      "cpuset.mems": "0",
      "hugetlb.2MB.max": "2097152",
      "hugetlb.2MB.rsvd.max": "2097152",
    };
    expect(step("limits")).toEqual([
      {
        device: "denied",
        limits: {
          ...always,
          "memory.max": "67108864",
          "memory.swap.max": "33554432",
          "cpu.weight": "59",
          "cpu.max": "50000 100000",
          "cpu.max.burst": "10000",
          "cpuset.cpus": "0",
          "pids.max": "50",
          "io.max": "254:16 rbps=max wbps=1048576 riops=max wiops=max",
        },
      },
      {
        device: "allowed",
        limits: {
          ...always,
          "memory.max": "134217728",
          "memory.swap.max": "134217728",
          "cpu.weight": "174",
          "cpu.max": "200000 50000",
          "cpu.max.burst": "100000",
          "cpuset.cpus": "0-1",
          "pids.max": "60",
          "io.max": "254:16 rbps=max wbps=1048576 riops=500 wiops=max",
        },
      },
      {
        device: "denied",
        limits: {
          ...always,
          "memory.max": "33554432",
          "memory.swap.max": "0",
          "cpu.weight": "174",
          "cpu.max": "40000 100000",
          "cpu.max.burst": "1000",
          "cpuset.cpus": "1",
          "pids.max": "max",
          "io.max": "254:16 rbps=max wbps=max riops=500 wiops=max",
        },
      },
    ]);
  });

  it("are paused, resumed, joined, counted, and killed while paused", () => {
    expect(step("life")).toEqual({
      frozen: true,
      still: true,
      thawed: true,
      joined: "N::/below",
      counted: { cpu: true, memory: true, raw: true, pids: true, network: true },
      processes: true,
      status: 137,
      left: [],
    });
  });

  it("take another program when they have all processes that they may, which then cannot fork", () => {
    expect(step("full")).toEqual({ output: ["in", "sh: can't fork: Resource temporarily unavailable", ""] });
  });

  it("tell of kills for want of memory", () => {
    expect(step("oom")).toEqual({ kills: 1, oomKilled: true, output: ["Killed", "137"] });
  });

  it("use groups that are there and empty, and leave them; others are refused", () => {
    expect(step("existing")).toEqual({
      messages: ["Cannot use cgroup GROUP: it is frozen", "Cannot use cgroup GROUP: 1 process is in it"],
      stays: true,
    });
  });

  it("own their group, and what is below it, where they have a user namespace and may write it", () => {
    expect(step("delegation")).toEqual([
      ["0::/", "0", "0", "65534", "0::/child", "enabled"],
      ["0::/payload", "0", "0", "65534", "0::/child", "enabled"],
    ]);
  });
});

describe("sampan-oci on cgroup v2", () => {
  const step = (name: string, part = "oci"): unknown => {
    const lines = (seen.get(part) ?? "").trim().split("\n");
    return lines.map((line) => JSON.parse(line) as { step: string; seen: unknown }).find((l) => l.step === name)?.seen;
  };

  it("creates, starts, enters, updates, pauses, counts, kills and deletes, with unified limits", () => {
    expect(step("life")).toEqual({
      codes: [0, 7, 0, 255, 0],
      states: ["created", "running", "paused", "running", "stopped"],
      unifiedSeen: ["67108864", "44", "77"],
      limits: ["67108864", "33554432", "50", "50000 100000"],
      frozen: "1",
      exec: ["0::/"],
      counted: [{ current: 1, limit: 50 }, 67_108_864],
      left: [],
    });
    expect(step("unknown")).toEqual({ code: 1, named: true, left: [] });
    expect(step("groups")).toEqual([]);
  });

  it("guards devices by a program, which an update replaces, and one that fails leaves as it was, with all limits", () => {
    expect(step("devices")).toEqual({ seen: ["1", "1", "0"], failed: [1, true], same: true, updated: 0, left: [] });
  });

  it("kills all processes of a container without a pid namespace", () => {
    expect(step("kill")).toEqual({ code: 0, ended: true, stopped: true, left: [] });
  });

  it("tells of kills for want of memory", () => {
    expect(step("oom")).toEqual({ code: 0, events: '{"type":"oom","id":"oom"}', left: [] });
  });

  it("moves the root where that is a ramdisk, when it is asked to, and says why it can't pivot", () => {
    const inside = ["bin", "dev", "out", "proc", "sys", "tmp"];
    expect(step("ramdisk", "ramdisk")).toEqual({
      root: "rootfs",
      pivoted: [1, true],
      moved: [0, ["1", ...inside, "ls: /../files: No such file or directory", ...inside]],
      left: [],
    });
  });
});
