import type { NamespaceType } from "#spec";

export type Architecture = "x86_64" | "aarch64";

/** Where cgroups are. A hybrid host (v1 controllers, and an empty v2 hierarchy) is version 1. */
export type CgroupFacts =
  | {
      readonly version: 1;
      /**
       * Controller → directory that its hierarchy is mounted on. Controllers of one hierarchy (`cpu`, `cpuacct`) have
       * the same directory; the named hierarchy of systemd is `name=systemd`.
       */
      readonly controllers: ReadonlyMap<string, string>;
      /** Directory of the v2 hierarchy of a hybrid host. */
      readonly hybrid: string | undefined;
    }
  | {
      readonly version: 2;
      /** Directory that cgroup2 is mounted on. */
      readonly mount: string;
      /** What cgroup.controllers lists there. */
      readonly controllers: readonly string[];
    };

/** The resctrl filesystem, as it is now. */
export interface ResctrlFacts {
  /** Directory that it is mounted on. */
  readonly mount: string;
  /** The `schemata` file of the default class. */
  readonly rootSchemata: string;
  /** That of each further class by its name. */
  readonly groups: ReadonlyMap<string, string>;
}

/** What the planner has to know of the host. Pure data: the `host` layer fills it, a test writes it by hand. */
export interface HostFacts {
  readonly cgroup: CgroupFacts;
  readonly architecture: Architecture;
  /** Linux version, e.g. [6, 18]. */
  readonly kernel: readonly [major: number, minor: number];
  /** Number of the last capability of this kernel (/proc/sys/kernel/cap_last_cap). */
  readonly lastCapability: number;
  /** Capabilities that keel has and can pass on: its bounding and permitted sets. Bit n is capability n. */
  readonly capabilities: bigint;
  /** The kernel has seccomp filters. */
  readonly seccomp: boolean;
  /** Kinds of namespaces that the kernel has (/proc/self/ns). */
  readonly namespaces: ReadonlySet<NamespaceType>;
  /** Active security modules (/sys/kernel/security/lsm, or what shows of AppArmor and SELinux where that is not mounted). */
  readonly lsm: readonly string[];
  /** The resctrl filesystem (Intel RDT, AMD QoS), where it is mounted. */
  readonly resctrl?: ResctrlFacts | undefined;
  /** The kernel accounts for swap (memory.memsw.* on v1, memory.swap.* on v2). */
  readonly swapAccounting: boolean;
  /** Sizes of huge pages, as the files of the hugetlb controller are named: `2MB`, `1GB`. */
  readonly hugepageSizes: readonly string[];
  /** Files of a v2 cgroup that go to whom it is delegated to (/sys/kernel/cgroup/delegate); none on v1. */
  readonly delegateFiles: readonly string[];
  /** Directories /sys/devices/system/cpu/cpuN/thermal_throttle that exist; none on most virtual machines. */
  readonly thermalThrottle: readonly string[];
  /** Effective user id of keel. */
  readonly uid: number;
  /** keel is in a user namespace other than the initial one, or is no root: it can make no device nodes. */
  readonly rootless: boolean;
}
