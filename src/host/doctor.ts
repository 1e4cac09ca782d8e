/** What `sampan doctor` finds: each fact about the host that matters to containers, and the remedy where one is wrong. */
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import type { HostFacts } from "#plan";
import { kernelVersion } from "./probe.ts";

export interface Finding {
  readonly level: "ok" | "note" | "problem";
  readonly what: string;
  /** What follows from it, for a note or problem. */
  readonly effect?: string;
  readonly remedy?: string;
}

/** The oldest Linux whose system calls keel uses: mount_setattr came with 5.12. */
const oldestKernel: readonly [number, number] = [5, 12];

/** Limits of a default container that need these controllers. */
const wantedControllers = ["memory", "cpu", "cpuset", "pids", "devices", "freezer", "blkio"];

const capSysAdmin = 21n;
const capSysResource = 24n;

/** @param release the kernel's own name, e.g. `6.18.44` */
export function examineHost(facts: HostFacts, release: string, filesystems: string): Finding[] {
  return [
    privilege(facts),
    kernel(release),
    ...namespaces(facts),
    cgroups(facts),
    ...controllers(facts),
    overlay(filesystems),
    seccomp(facts),
    ...resources(facts),
    lsm(facts),
  ];
}

/** {@link examineHost} on this host. */
export function doctor(facts: HostFacts, release: string): Finding[] {
  let filesystems = "";
  try {
    filesystems = readFileSync("/proc/filesystems", "latin1");
  } catch {
    // Without /proc the other findings say what is wrong.
  }
  return [...examineHost(facts, release, filesystems), ...devices()];
}

const ok = (what: string): Finding => ({ level: "ok", what });

function privilege(facts: HostFacts): Finding {
  if (facts.uid !== 0)
    return {
      level: "problem",
      what: `This is user ${facts.uid}, not root`,
      effect: "containers cannot be started",
      remedy: "Run sampan as root (sudo sampan …); containers without root come in a later version",
    };
  if ((facts.capabilities & (1n << capSysAdmin)) === 0n)
    return {
      level: "problem",
      what: "root here lacks CAP_SYS_ADMIN",
      effect: "no namespace and no mount can be made",
      remedy: "If this is itself a container, start it with --privileged",
    };
  if (facts.rootless)
    return {
      level: "note",
      what: "This is root of a user namespace",
      effect: "device nodes are bound from the host, and some mounts may be refused",
    };
  return ok("root of the initial user namespace");
}

function kernel(release: string): Finding {
  const [major, minor] = kernelVersion(release);
  if (major > oldestKernel[0] || (major === oldestKernel[0] && minor >= oldestKernel[1])) return ok(`Linux ${release}`);
  return {
    level: "problem",
    what: `Linux ${release} is older than ${oldestKernel.join(".")}`,
    effect: "mounts cannot be made safely",
    remedy: "Start a newer kernel",
  };
}

function namespaces(facts: HostFacts): Finding[] {
  const wanted = ["pid", "mount", "network", "ipc", "uts", "cgroup"] as const;
  const missing = wanted.filter((n) => !facts.namespaces.has(n));
  const found: Finding[] =
    missing.length === 0
      ? [ok(`namespaces: ${[...facts.namespaces].join(", ")}`)]
      : [
          {
            level: "problem",
            what: `The kernel has no ${missing.join(", ")} namespace`,
            effect: "containers cannot be isolated",
            remedy: "Start a kernel built with CONFIG_NAMESPACES and all its options",
          },
        ];
  return found;
}

function cgroups(facts: HostFacts): Finding {
  if (facts.cgroup.version === 2) return ok(`cgroup v2 on ${facts.cgroup.mount}`);
  if (facts.cgroup.controllers.size === 0)
    return {
      level: "problem",
      what: "No cgroup hierarchy is mounted below /sys/fs/cgroup",
      effect: "nothing can be limited",
      remedy: "Mount it: mount -t cgroup2 none /sys/fs/cgroup",
    };
  return ok(
    facts.cgroup.hybrid === undefined ? "cgroup v1" : "cgroup v1, with an empty v2 hierarchy beside it (hybrid)",
  );
}

function controllers(facts: HostFacts): Finding[] {
  const has = (name: string): boolean =>
    facts.cgroup.version === 1
      ? facts.cgroup.controllers.has(name)
      : name === "devices" || name === "freezer" || facts.cgroup.controllers.includes(name === "blkio" ? "io" : name);
  const missing = wantedControllers.filter((name) => !has(name));
  const found: Finding[] = [];
  if (missing.length > 0)
    found.push({
      level: "note",
      what: `cgroup controllers that are missing: ${missing.join(", ")}`,
      effect: "limits that need them are refused",
      remedy: "Enable them in the kernel's configuration or command line (cgroup_enable=memory)",
    });
  if (has("memory") && !facts.swapAccounting)
    found.push({
      level: "note",
      what: "The kernel does not account for swap",
      effect: "--memory-swap has no effect",
      remedy: "Start the kernel with swapaccount=1",
    });
  return found;
}

function overlay(filesystems: string): Finding {
  if (/\toverlay$/m.test(filesystems)) return ok("overlay filesystem");
  return {
    level: "problem",
    what: "The kernel has not loaded the overlay filesystem",
    effect: "images cannot be stacked",
    remedy: "Load it: modprobe overlay",
  };
}

function seccomp(facts: HostFacts): Finding {
  if (facts.seccomp) return ok("system call filters (seccomp)");
  return {
    level: "problem",
    what: "The kernel has no system call filters",
    effect: "containers start only with --security-opt seccomp=unconfined",
    remedy: "Start a kernel built with CONFIG_SECCOMP_FILTER",
  };
}

function resources(facts: HostFacts): Finding[] {
  if (facts.uid !== 0 || (facts.capabilities & (1n << capSysResource)) !== 0n) return [];
  return [
    {
      level: "note",
      what: "root here lacks CAP_SYS_RESOURCE",
      effect: "hard limits cannot be raised (--ulimit) and oom_score_adj cannot be lowered",
    },
  ];
}

function lsm(facts: HostFacts): Finding {
  const active = facts.lsm.filter((l) => l === "apparmor" || l === "selinux");
  if (active.length > 0) return ok(`security modules: ${facts.lsm.join(", ")}`);
  return {
    level: "note",
    what: "Neither AppArmor nor SELinux is active",
    effect: "containers are held by namespaces, capabilities and the system call filter alone",
  };
}

function devices(): Finding[] {
  if (!existsSync("/dev/null"))
    return [
      {
        level: "problem",
        what: "/dev/null is missing",
        effect: "paths cannot be masked",
        remedy: "Mount devtmpfs on /dev",
      },
    ];
  try {
    accessSync("/dev/null", constants.R_OK | constants.W_OK);
    return [];
  } catch {
    return [{ level: "problem", what: "/dev/null cannot be opened", effect: "paths cannot be masked" }];
  }
}
