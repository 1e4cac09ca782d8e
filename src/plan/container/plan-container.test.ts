import { describe, expect, it } from "vitest";
import type { HostFacts } from "../host-facts.ts";
import { operationsOf } from "../explain/explain.ts";
import { brieflySteps } from "../testing/brief.ts";
import { hostV1, hostV2, options, sampleConfig } from "../testing/samples.ts";
import { planContainer } from "./plan-container.ts";

const namespacesBut = (...without: string[]): object => ({
  namespaces: ["mount", "pid", "network", "ipc", "uts", "cgroup"]
    .filter((type) => !without.includes(type))
    .map((type) => ({ type })),
});
const plan = (process: object = {}, linux: object = {}, rest: object = {}, facts: HostFacts = hostV1) =>
  planContainer(sampleConfig(process, linux, rest), facts, options);
const lines = (...args: Parameters<typeof plan>): string[] => brieflySteps(plan(...args).steps);
const mounts = (mount: object): object => ({ mounts: [mount] });

describe("planContainer()", () => {
  it("joins namespaces of others: pid and user before clone, network after", () => {
    const linux = {
      namespaces: [
        { type: "mount" },
        { type: "pid", path: "/proc/7/ns/pid" },
        { type: "network", path: "/proc/7/ns/net" },
        { type: "user", path: "/proc/7/ns/user" },
      ],
      sysctl: {},
    };
    expect(
      lines({}, linux, { hostname: "" }, hostV2).filter((line) => /^(join|clone|user|loopback|id-map)/.test(line)),
    ).toEqual([
      "join-namespace kind=0x20000000 path=/proc/7/ns/pid",
      "join-namespace kind=0x10000000 path=/proc/7/ns/user",
      "clone namespaces=0x20000 cgroup=/sys/fs/cgroup/sampan/abc",
      "user uid=0 gid=0 groups=[] umask=022",
      "join-namespace kind=0x40000000 path=/proc/7/ns/net",
      "user uid=999 gid=999 groups=[1000] umask=022",
    ]);
  });

  it("kills by cgroup at the end when there is no pid namespace to do it", () => {
    expect(planContainer(sampleConfig({}, namespacesBut("pid")), hostV2, options).exit).toEqual([
      { op: "cgroup-kill", path: "/sys/fs/cgroup/sampan/abc" },
      { op: "cgroup-remove", path: "/sys/fs/cgroup/sampan/abc" },
    ]);
  });

  it("copies what the image has for a volume before any mount hides it", () => {
    const copied = planContainer(
      sampleConfig(
        {},
        {},
        mounts({ destination: "/data", type: "bind", source: "/v/1", options: ["rbind", "rprivate"] }),
      ),
      hostV1,
      { ...options, copyUps: [{ path: "/data", directory: "/v/1" }] },
    );
    expect(brieflySteps(copied.steps).filter((line) => /^(root|copy|bind)/.test(line))).toEqual([
      "root-overlay lower=[/l/2 /l/1] upper=/c/upper work=/c/work parameters=[] target=/c/root",
      "copy-tree source=/data destination=/v/1",
      "bind source=/v/1 target=/data recursive=true set=0 clear=0 setRecursive=0 clearRecursive=0 propagation=0x40000 propagationRecursive=true",
    ]);
  });

  it("makes a read-only root and a read-only /dev after all that goes into them", () => {
    const rest = {
      root: { path: "rootfs", readonly: true },
      mounts: [{ destination: "/dev", type: "tmpfs", options: ["ro", "nosuid"] }],
    };
    expect(lines({}, {}, rest).filter((line) => /^mount|pivot|\/dev\/null|ptmx/.test(line))).toEqual([
      "mount-over type=tmpfs source=tmpfs target=/dev attributes=0x2 parameters=[] mode=0755 keepMode=true copy=false",
      "device path=/dev/null mode=020666 major=1 minor=3 uid=0 gid=0",
      "symlink target=pts/ptmx path=/dev/ptmx",
      "mount-attributes path=/dev set=0x1 clear=0 recursive=false",
      "pivot-root",
      "mount-attributes path=/ set=0x1 clear=0 recursive=false",
    ]);
  });

  it("binds a directory as the root, and shares it after pivot_root when asked", () => {
    const shared = planContainer(sampleConfig({}, { rootfsPropagation: "rshared" }), hostV1, {
      ...options,
      root: { kind: "bind", path: "/r" },
    });
    expect(brieflySteps(shared.steps).filter((line) => /^(propagation|root|pivot)/.test(line))).toEqual([
      "propagation mode=0x80000 recursive=true",
      "root-bind path=/r recursive=true",
      "pivot-root",
      "propagation mode=0x100000 recursive=true",
    ]);
  });

  it("leaves /dev alone when the host's is bound there", () => {
    const bound = lines({}, {}, mounts({ destination: "/dev/", type: "bind", source: "/dev", options: ["rbind"] }));
    expect(bound.filter((line) => /^(device|symlink)/.test(line))).toEqual([]);
  });

  it("makes extra devices in directories of their own; the config's win over the defaults, but for ptmx", () => {
    const devices = [
      { path: "/dev/net/tun", type: "c", major: 10, minor: 200, fileMode: 0o600, uid: 1, gid: 2 },
      { path: "/dev/ptmx", type: "c", major: 5, minor: 2 },
      { path: "/dev/pipe", type: "p" },
      { path: "/dev/null", type: "c", major: 1, minor: 3, fileMode: 0o600 },
    ];
    expect(lines({}, { devices }).filter((line) => /^(device|directory \S+\/dev)|tun|pipe/.test(line))).toEqual([
      "device path=/dev/null mode=020600 major=1 minor=3 uid=0 gid=0",
      "device path=/dev/zero mode=020666 major=1 minor=5 uid=0 gid=0",
      "device path=/dev/full mode=020666 major=1 minor=7 uid=0 gid=0",
      "device path=/dev/random mode=020666 major=1 minor=8 uid=0 gid=0",
      "device path=/dev/urandom mode=020666 major=1 minor=9 uid=0 gid=0",
      "device path=/dev/tty mode=020666 major=5 minor=0 uid=0 gid=0",
      "directory path=/dev/net mode=0755 uid=0 gid=0",
      "device path=/dev/net/tun mode=020600 major=10 minor=200 uid=1 gid=2",
      "device path=/dev/pipe mode=010666 major=0 minor=0 uid=0 gid=0",
    ]);
  });

  it("leaves out capabilities that are unknown or that it does not have, with a warning", () => {
    const caps = ["CAP_CHOWN", "CAP_SYS_RESOURCE", "CAP_MOON"];
    const facts = { ...hostV1, capabilities: hostV1.capabilities & ~(1n << 24n) };
    const result = plan({ capabilities: { bounding: caps, effective: caps, permitted: caps } }, {}, {}, facts);
    expect(result.warnings).toEqual([
      "Capability CAP_MOON is left out, because this kernel does not have it",
      "Capability CAP_SYS_RESOURCE is left out, because Sampan itself does not have it",
    ]);
    expect(operationsOf(result).find(({ op }) => op === "capabilities")).toEqual({
      op: "capabilities",
      effective: 1n,
      permitted: 1n,
      inheritable: 0n,
      ambient: 0n,
    });
  });

  it("gives a process without capabilities in its config none", () => {
    expect(lines({ capabilities: null }).filter((line) => /^(bounding|capabilities)/.test(line))).toEqual([
      "bounding-set keep=0",
      "capabilities effective=0 permitted=0 inheritable=0 ambient=0",
    ]);
  });

  it("moves network devices once the container's network is there", () => {
    const all = lines({}, { netDevices: { eth1: {}, eth2: { name: "net%d" } } });
    const at = all.indexOf("loopback-up");
    expect(all.slice(at, at + 4)).toEqual([
      "loopback-up",
      "move-network-device name=eth1 newName=eth1",
      "move-network-device name=eth2 newName=net%d",
      "hostname name=abc",
    ]);
  });

  it("sets the OOM score on the host's side, before clone", () => {
    const all = lines({ oomScoreAdj: 500 });
    const score = all.indexOf("write-file path=/proc/self/oom_score_adj data=500 tolerate=false");
    expect(score).toBeGreaterThan(0);
    expect(score).toBeLessThan(all.findIndex((line) => line.startsWith("clone")));
  });

  it("explains every step", () => {
    for (const { why, source } of plan().steps) {
      expect(why).toMatch(/^[A-Z].*[^.]$/);
      if (source !== undefined) expect(source).toMatch(/^(runtime-spec [a-z-]+\.md#[a-z-]+|[a-z_]+\([1-8]\))$/);
    }
  });
});

describe("planContainer(), asked for what it must not do,", () => {
  const refusals: readonly (readonly [name: string, message: string, ...Parameters<typeof plan>])[] = [
    [
      "a tmpfs over /proc (CVE-2019-16884)",
      'Cannot mount on "/proc"',
      {},
      {},
      mounts({ destination: "/proc", type: "tmpfs" }),
    ],
    [
      "a bind over /proc/self/attr (CVE-2019-16884)",
      'Cannot mount on "/proc/self/attr"',
      {},
      {},
      mounts({ destination: "/./proc//self/attr", type: "bind", source: "/x" }),
    ],
    ["a mount on /", 'Cannot mount on "/"', {}, {}, mounts({ destination: "/.", type: "tmpfs" })],
    [
      "a bind over /proc/self/attr by way of `..` (CVE-2019-16884)",
      'Cannot mount on "/proc/self/attr"',
      {},
      {},
      mounts({ destination: "/a/../../proc/self/attr", type: "bind", source: "/x" }),
    ],
    [
      "a bind without source",
      'Cannot bind to "/a": the mount has no source',
      {},
      {},
      mounts({ destination: "/a", type: "bind" }),
    ],
    [
      "a relative bind source without bundle",
      'Cannot bind "x"',
      {},
      {},
      mounts({ destination: "/a", type: "bind", source: "x" }),
    ],
    ["a mount without type", "the mount has no type", {}, {}, mounts({ destination: "/a", source: "x" })],
    [
      "a malformed option",
      'option "=x" is malformed',
      {},
      {},
      mounts({ destination: "/a", type: "tmpfs", options: ["=x"] }),
    ],
    [
      "a relative masked path",
      'Cannot mask "proc/kcore": the path is not absolute',
      {},
      { maskedPaths: ["proc/kcore"] },
    ],
    [
      "a sysctl of the host (CVE-2022-0811)",
      'Cannot set sysctl "kernel.core_pattern"',
      {},
      { sysctl: { "kernel.core_pattern": "x" } },
    ],
    [
      "a sysctl with the host's network (GHSA-w2j5-3rcx-vx7x)",
      "no network namespace of its own",
      {},
      namespacesBut("network"),
    ],
    [
      "a sysctl in a shared namespace",
      "no ipc namespace of its own",
      {},
      { ...namespacesBut("ipc"), sysctl: { "kernel.shmmax": "1" } },
    ],
    [
      "a sysctl out of /proc/sys",
      "it is no name of a kernel parameter",
      {},
      { sysctl: { "net/../kernel/core_pattern": "x" } },
    ],
    ["a sysctl value of two lines", "is not one line", {}, { sysctl: { "net.ipv4.ip_forward": "1\n2" } }],
    ["a host name without uts namespace", 'Cannot set host name "abc"', {}, namespacesBut("uts")],
    ["a long host name", "longer than 64 bytes", {}, {}, { hostname: "x".repeat(65) }],
    ["to touch the host's mounts", "without a mount namespace", {}, namespacesBut("mount")],
    ["an empty command", "process.args names no program", { args: [] }],
    ["environment without =", 'Cannot set environment "HOME"', { env: ["HOME"] }],
    ["an unknown resource limit", 'Cannot limit "RLIMIT_X"', { rlimits: [{ type: "RLIMIT_X", soft: 1, hard: 1 }] }],
    [
      "an AppArmor profile without AppArmor",
      'Cannot apply AppArmor profile "x": AppArmor is not active on this host',
      { apparmorProfile: "x" },
    ],
    ["a label without SELinux", 'Cannot apply process.selinuxLabel "x": SELinux is not active', { selinuxLabel: "x" }],
    ["a label of mounts without SELinux", 'Cannot apply linux.mountLabel "x"', {}, { mountLabel: "x" }],
    ["cache limits without resctrl", "no resctrl filesystem mounted", {}, { intelRdt: { closID: "x" } }],
    [
      "a network device in the host's network",
      'Cannot move network device "eth1": the container has no network namespace',
      {},
      { ...namespacesBut("network"), netDevices: { eth1: {} }, sysctl: {} },
    ],
    [
      "a network device without root",
      'Cannot move network device "eth1": only root of the host may take it away',
      {},
      { netDevices: { eth1: {} } },
      {},
      { ...hostV1, rootless: true },
    ],
    [
      "a user namespace that does not map root",
      "does not map uid 0",
      {},
      {
        namespaces: [{ type: "mount" }, { type: "user" }],
        uidMappings: [{ containerID: 1, hostID: 1, size: 1 }],
        sysctl: {},
      },
      { hostname: "" },
    ],
    [
      "a namespace that the kernel lacks",
      "Cannot use a cgroup namespace",
      {},
      {},
      {},
      { ...hostV1, namespaces: new Set(["mount", "pid", "network", "ipc", "uts"]) },
    ],
    [
      "a profile without seccomp in the kernel",
      "this kernel has no seccomp filters",
      {},
      {},
      {},
      { ...hostV1, seccomp: false },
    ],
    [
      "clock offsets without time namespace",
      "needs a new time namespace",
      {},
      { timeOffsets: { boottime: { secs: 1 } } },
    ],
  ];
  for (const [name, message, ...args] of refusals)
    it(`refuses ${name}`, () => {
      expect(() => plan(...args)).toThrow(message);
    });

  it("refuses NUL characters, which would cut a string short", () => {
    const config = sampleConfig();
    const { process } = config;
    if (process === undefined) throw new Error("no process");
    for (const bad of [
      { ...config, process: { ...process, args: ["a\0b"] } },
      { ...config, process: { ...process, env: ["A=\0"] } },
      { ...config, process: { ...process, cwd: "/a\0" } },
      { ...config, hostname: "a\0" },
    ])
      expect(() => planContainer(bad, hostV1, options)).toThrow("NUL character");
  });
});
