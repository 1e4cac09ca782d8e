/** Hosts and configs for the tests of the planner. */
import { parseRuntimeConfig, type RuntimeConfig } from "#spec";
import {
  defaultCapabilities,
  defaultMaskedPaths,
  defaultMounts,
  defaultNamespaces,
  defaultReadonlyPaths,
} from "../defaults.ts";
import type { HostFacts } from "../host-facts.ts";
import type { PlanOptions } from "../plan.ts";

/** A host with cgroup v1, two controllers of which share a hierarchy. */
export const hostV1: HostFacts = {
  cgroup: {
    version: 1,
    controllers: new Map([
      ["cpu", "/sys/fs/cgroup/cpu,cpuacct"],
      ["cpuacct", "/sys/fs/cgroup/cpu,cpuacct"],
      ["memory", "/sys/fs/cgroup/memory"],
      ["devices", "/sys/fs/cgroup/devices"],
      ["pids", "/sys/fs/cgroup/pids"],
      ["cpuset", "/sys/fs/cgroup/cpuset"],
      ["name=systemd", "/sys/fs/cgroup/systemd"],
    ]),
    hybrid: undefined,
  },
  architecture: "x86_64",
  kernel: [6, 18],
  lastCapability: 40,
  capabilities: (1n << 41n) - 1n,
  seccomp: true,
  namespaces: new Set(["pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time"]),
  lsm: [],
  swapAccounting: true,
  hugepageSizes: ["2MB", "1GB"],
  delegateFiles: [],
  thermalThrottle: [],
  uid: 0,
  rootless: false,
};

export const hostV2: HostFacts = {
  ...hostV1,
  cgroup: { version: 2, mount: "/sys/fs/cgroup", controllers: ["cpuset", "cpu", "io", "memory", "pids"] },
  delegateFiles: ["cgroup.procs", "cgroup.threads", "cgroup.subtree_control"],
};

export const options: PlanOptions = {
  root: { kind: "overlay", lower: ["/l/2", "/l/1"], upper: "/c/upper", work: "/c/work", target: "/c/root" },
  cgroupPath: "/sampan/abc",
  keyring: "abc",
};

/** Docker's default container, with limits. Parts may be replaced. */
export function sampleConfig(process: object = {}, linux: object = {}, rest: object = {}): RuntimeConfig {
  return parseRuntimeConfig({
    ociVersion: "1.3.0",
    hostname: "abc",
    mounts: defaultMounts(),
    process: {
      args: ["redis-server", "--port", "6379"],
      env: ["PATH=/usr/local/bin:/usr/bin:/bin", "A=1", "A=2"],
      cwd: "/data",
      user: { uid: 999, gid: 999, additionalGids: [1000] },
      capabilities: {
        bounding: defaultCapabilities,
        effective: defaultCapabilities,
        permitted: defaultCapabilities,
      },
      rlimits: [{ type: "RLIMIT_NOFILE", soft: 1024, hard: 524288 }],
      ...process,
    },
    linux: {
      namespaces: defaultNamespaces,
      maskedPaths: defaultMaskedPaths({ thermalThrottle: [] }),
      readonlyPaths: defaultReadonlyPaths,
      resources: { memory: { limit: 268435456 }, pids: { limit: 100 } },
      seccomp: { defaultAction: "SCMP_ACT_ERRNO", syscalls: [{ names: ["read"], action: "SCMP_ACT_ALLOW" }] },
      sysctl: { "net.ipv4.ip_forward": "1" },
      ...linux,
    },
    ...rest,
  });
}
