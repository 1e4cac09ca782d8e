/** Looks at the kernel, once, and gives the planner its facts. A few reads of /proc and /sys, no process, no privilege. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { arch, release } from "node:os";
import { unsupported } from "#errdefs";
import type { CgroupFacts, HostFacts, ResctrlFacts } from "#plan";
import type { NamespaceType } from "#spec";
import { parseMountInfo, type MountInfo } from "./mountinfo.ts";

/** Names in /proc/self/ns → the runtime-spec's. */
const namespaceFiles: readonly (readonly [file: string, type: NamespaceType])[] = [
  ["pid", "pid"],
  ["net", "network"],
  ["mnt", "mount"],
  ["ipc", "ipc"],
  ["uts", "uts"],
  ["user", "user"],
  ["cgroup", "cgroup"],
  ["time", "time"],
];

/** Facts that can be had without any set-up. Throws `unsupported` on a processor that Sampan has no tables for. */
export function probeHost(): HostFacts {
  const mounts = parseMountInfo(read("/proc/self/mountinfo"));
  const cgroup = cgroupFacts(mounts);
  const status = read("/proc/self/status");
  const uid = Number(/^Uid:\t(\d+)/m.exec(status)?.[1] ?? 0);
  const ns = new Set(list("/proc/self/ns"));
  return {
    cgroup,
    architecture: architecture(),
    kernel: kernelVersion(release()),
    lastCapability: Number(read("/proc/sys/kernel/cap_last_cap") || 40),
    capabilities: capabilityMask(status, "CapBnd") & capabilityMask(status, "CapPrm"),
    seccomp: /^Seccomp:/m.test(status),
    namespaces: new Set(namespaceFiles.filter(([file]) => ns.has(file)).map(([, type]) => type)),
    lsm: securityModules(),
    resctrl: probeResctrl(mounts),
    swapAccounting: hasSwapAccounting(cgroup),
    hugepageSizes: list("/sys/kernel/mm/hugepages").map(hugepageSize),
    delegateFiles: cgroup.version === 2 ? delegateFiles(read("/sys/kernel/cgroup/delegate")) : [],
    thermalThrottle: list("/sys/devices/system/cpu")
      .filter((name) => /^cpu\d+$/.test(name))
      .map((name) => `/sys/devices/system/cpu/${name}/thermal_throttle`)
      .filter((path) => existsSync(path)),
    uid,
    rootless: uid !== 0 || !isInitialUserNamespace(read("/proc/self/uid_map")),
  };
}

/** Without securityfs, AppArmor and SELinux are seen by what they show of themselves. */
function securityModules(): readonly string[] {
  const listed = read("/sys/kernel/security/lsm").trim();
  if (listed !== "") return listed.split(",");
  const found: string[] = [];
  if (read("/sys/module/apparmor/parameters/enabled").startsWith("Y")) found.push("apparmor");
  if (existsSync("/sys/fs/selinux/enforce")) found.push("selinux");
  return found;
}

/** Looked at anew for a container that wants it: anybody may make groups at any time. */
export function probeResctrl(mounts = parseMountInfo(read("/proc/self/mountinfo"))): ResctrlFacts | undefined {
  const mount = mounts.find(({ type }) => type === "resctrl")?.mountPoint;
  if (mount === undefined) return undefined;
  const groups = list(mount).flatMap((name): [string, string][] => {
    const schemata = read(`${mount}/${name}/schemata`);
    return schemata === "" ? [] : [[name, schemata]];
  });
  return { mount, rootSchemata: read(`${mount}/schemata`), groups: new Map(groups) };
}

function architecture(): HostFacts["architecture"] {
  const name = arch();
  if (name === "x64") return "x86_64";
  if (name === "arm64") return "aarch64";
  throw unsupported(`Cannot run on processor "${name}": only x86-64 and arm64 are supported`);
}

/** `6.18.44-fc` → [6, 18]. */
export function kernelVersion(text: string): readonly [major: number, minor: number] {
  const found = /^(\d+)\.(\d+)/.exec(text);
  return [Number(found?.[1] ?? 0), Number(found?.[2] ?? 0)];
}

/** A cgroup v1 controller that is mounted anywhere makes the host v1 (or hybrid): its v2 hierarchy can't have it too. */
export function cgroupFacts(mounts: readonly MountInfo[]): CgroupFacts {
  const controllers = new Map<string, string>();
  let unified: string | undefined;
  for (const mount of mounts) {
    // Only whole hierarchies below /sys/fs/cgroup: a container's own view of one may be mounted elsewhere.
    if (!mount.mountPoint.startsWith("/sys/fs/cgroup")) continue;
    if (mount.type === "cgroup2") unified ??= mount.mountPoint;
    if (mount.type !== "cgroup") continue;
    for (const option of mount.superOptions)
      if (knownControllers.has(option) || option.startsWith("name=")) controllers.set(option, mount.mountPoint);
  }
  if ([...controllers.keys()].some((c) => !c.startsWith("name="))) return { version: 1, controllers, hybrid: unified };
  if (unified !== undefined)
    return {
      version: 2,
      mount: unified,
      controllers: read(`${unified}/cgroup.controllers`).trim().split(" ").filter(Boolean),
    };
  return { version: 1, controllers, hybrid: undefined };
}

const knownControllers = new Set([
  "cpu",
  "cpuacct",
  "cpuset",
  "memory",
  "devices",
  "freezer",
  "net_cls",
  "net_prio",
  "blkio",
  "perf_event",
  "hugetlb",
  "pids",
  "rdma",
  "misc",
]);

function hasSwapAccounting(cgroup: CgroupFacts): boolean {
  if (cgroup.version === 1) {
    const memory = cgroup.controllers.get("memory");
    return memory !== undefined && existsSync(`${memory}/memory.memsw.limit_in_bytes`);
  }
  // The root cgroup has no memory.swap.max; any child has it when the kernel accounts for swap.
  if (!cgroup.controllers.includes("memory")) return false;
  const child = list(cgroup.mount).find((name) => existsSync(`${cgroup.mount}/${name}/memory.max`));
  return child === undefined || existsSync(`${cgroup.mount}/${child}/memory.swap.max`);
}

/** `hugepages-2048kB` → `2MB`, as the hugetlb controller names its files. */
export function hugepageSize(directory: string): string {
  let size = Number(/^hugepages-(\d+)kB$/.exec(directory)?.[1] ?? 0);
  let unit = 0;
  while (size >= 1024 && unit < 2) {
    size /= 1024;
    unit += 1;
  }
  return `${size}${["KB", "MB", "GB"][unit] ?? ""}`;
}

/** What is delegated where the kernel has no such list, which came with Linux 4.15. */
function delegateFiles(text: string): readonly string[] {
  const names = text.split("\n").filter((name) => name !== "" && !name.includes("/"));
  return names.length > 0 ? names : ["cgroup.procs", "cgroup.threads", "cgroup.subtree_control"];
}

function capabilityMask(status: string, name: string): bigint {
  const digits = new RegExp(`^${name}:\\t([0-9a-f]+)$`, "m").exec(status)?.[1];
  return digits === undefined ? 0n : BigInt(`0x${digits}`);
}

/** The initial user namespace maps all ids to themselves. */
function isInitialUserNamespace(map: string): boolean {
  return /^\s*0\s+0\s+4294967295\s*$/.test(map);
}

/** Empty for a file that isn't there or may not be read. */
function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
