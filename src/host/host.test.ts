import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { examineHost } from "./doctor.ts";
import { parseMountInfo } from "./mountinfo.ts";
import { cgroupFacts, hugepageSize, kernelVersion, probeHost, probeResctrl } from "./probe.ts";
import { processIsAlive, processStartTime } from "./process.ts";

const v1 = [
  "30 22 0:27 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755",
  "31 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:5 - cgroup cgroup rw,cpu,cpuacct",
  "34 30 0:31 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory",
  "39 30 0:36 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd",
  "40 30 0:37 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw",
  "41 30 0:31 /x /mnt/other rw - cgroup cgroup rw,freezer",
].join("\n");

test("parseMountInfo() takes optional fields and escapes apart", () => {
  expect(
    parseMountInfo("1 2 0:3 /a\\040b /c\\134d ro,nosuid shared:1 master:2 - ext4 /dev/x rw\nnot a mount\n"),
  ).toEqual([
    {
      id: 1,
      parent: 2,
      root: "/a b",
      mountPoint: "/c\\d",
      options: ["ro", "nosuid"],
      propagation: ["shared:1", "master:2"],
      type: "ext4",
      source: "/dev/x",
      superOptions: ["rw"],
    },
  ]);
});

test("cgroupFacts() sees a hybrid host as v1, comounted controllers with one directory", () => {
  expect(cgroupFacts(parseMountInfo(v1))).toEqual({
    version: 1,
    controllers: new Map([
      ["cpu", "/sys/fs/cgroup/cpu,cpuacct"],
      ["cpuacct", "/sys/fs/cgroup/cpu,cpuacct"],
      ["memory", "/sys/fs/cgroup/memory"],
      ["name=systemd", "/sys/fs/cgroup/systemd"],
    ]),
    hybrid: "/sys/fs/cgroup/unified",
  });
});

test("cgroupFacts() sees a single cgroup2 mount as v2, and no mount as v1 without controllers", () => {
  expect(cgroupFacts(parseMountInfo("1 2 0:3 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw"))).toMatchObject({
    version: 2,
    mount: "/sys/fs/cgroup",
  });
  expect(cgroupFacts([])).toEqual({ version: 1, controllers: new Map(), hybrid: undefined });
});

test("hugepageSize() names sizes as the hugetlb controller does", () => {
  expect(
    ["hugepages-2048kB", "hugepages-1048576kB", "hugepages-64kB", "hugepages-16777216kB"].map(hugepageSize),
  ).toEqual(["2MB", "1GB", "64KB", "16GB"]);
});

test("kernelVersion() reads major and minor", () => {
  expect(["6.18.44-fc", "5.9", "x"].map(kernelVersion)).toEqual([
    [6, 18],
    [5, 9],
    [0, 0],
  ]);
});

test("processIsAlive() tells a process from a later one with its pid", () => {
  const start = processStartTime(process.pid);
  expect(start).toBeTypeOf("bigint");
  expect(processIsAlive(process.pid, start ?? -1n)).toBe(true);
  expect(processIsAlive(process.pid, (start ?? 0n) + 1n)).toBe(false);
  expect(processStartTime(2 ** 22 + 1)).toBeUndefined();
});

test("probeResctrl() reads the schemata of each class, and nothing where it is not mounted", () => {
  const directory = mkdtempSync(join(tmpdir(), "resctrl-"));
  try {
    for (const [name, text] of [
      [".", "L3:0=f\n"],
      ["gold", "L3:0=3\n"],
    ] as const) {
      mkdirSync(join(directory, name), { recursive: true });
      writeFileSync(join(directory, name, "schemata"), text);
    }
    mkdirSync(join(directory, "info"));
    expect(probeResctrl(parseMountInfo(`1 2 0:3 / ${directory} rw - resctrl resctrl rw`))).toEqual({
      mount: directory,
      rootSchemata: "L3:0=f\n",
      groups: new Map([["gold", "L3:0=3\n"]]),
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
  expect(probeResctrl([])).toBeUndefined();
});

test("examineHost() gives a remedy for each problem", () => {
  const facts = { ...probeHost(), uid: 1000, seccomp: false, namespaces: new Set<never>(), capabilities: 0n };
  const problems = examineHost(
    { ...facts, cgroup: { version: 1, controllers: new Map(), hybrid: undefined } },
    "4.19.0",
    "",
  ).filter((f) => f.level === "problem");
  expect(problems.map((f) => f.what)).toEqual([
    "This is user 1000, not root",
    "Linux 4.19.0 is older than 5.12",
    "The kernel has no pid, mount, network, ipc, uts, cgroup namespace",
    "No cgroup hierarchy is mounted below /sys/fs/cgroup",
    "The kernel has not loaded the overlay filesystem",
    "The kernel has no system call filters",
  ]);
  expect(problems.every((f) => f.remedy !== undefined)).toBe(true);
});
