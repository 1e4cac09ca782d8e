/** What a container has when nobody says otherwise: as with Docker. */
import type { DeviceRule, MountConfig, NamespaceConfig } from "#spec";
import type { HostFacts } from "./host-facts.ts";

/** The capabilities of a container's root, out of the 41 that root of the host has. */
export const defaultCapabilities: readonly string[] = [
  "CAP_AUDIT_WRITE",
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_MKNOD",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_RAW",
  "CAP_SETFCAP",
  "CAP_SETGID",
  "CAP_SETPCAP",
  "CAP_SETUID",
  "CAP_SYS_CHROOT",
];

const maskedPaths: readonly string[] = [
  "/proc/acpi",
  "/proc/asound",
  // Timing of interrupts tells what others type.
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/timer_list",
  "/proc/timer_stats",
  // Power consumption tells what others compute (GHSA-7ww5-4wqc-m92c).
  "/sys/devices/virtual/powercap",
  "/sys/firmware",
];

/** Paths that are hidden, with the thermal counters of each CPU that has them. */
export const defaultMaskedPaths = (facts: Pick<HostFacts, "thermalThrottle">): readonly string[] =>
  facts.thermalThrottle.length === 0 ? maskedPaths : [...maskedPaths, ...facts.thermalThrottle];

export const defaultReadonlyPaths: readonly string[] = [
  "/proc/bus",
  "/proc/fs",
  "/proc/irq",
  "/proc/sys",
  "/proc/sysrq-trigger",
];

/** All but user and time. */
export const defaultNamespaces: readonly NamespaceConfig[] = [
  { type: "mount" },
  { type: "pid" },
  { type: "network" },
  { type: "ipc" },
  { type: "uts" },
  { type: "cgroup" },
];

/** Docker's size of /dev/shm, in bytes. */
export const defaultShmSize = 64n * 1024n * 1024n;

export interface DefaultMounts {
  /** Size of /dev/shm in bytes; `defaultShmSize` when undefined, no /dev/shm when 0. */
  readonly shmSize?: bigint;
  /** /sys and /sys/fs/cgroup may be written to. */
  readonly privileged?: boolean;
}

const filesystem = (destination: string, type: string, source: string, options: readonly string[]): MountConfig => ({
  destination,
  type,
  source,
  options,
  uidMappings: [],
  gidMappings: [],
});

/** The filesystems that programs expect. */
export function defaultMounts({ shmSize = defaultShmSize, privileged = false }: DefaultMounts = {}): MountConfig[] {
  const readOnly = privileged ? [] : ["ro"];
  const mounts = [
    filesystem("/proc", "proc", "proc", ["nosuid", "noexec", "nodev"]),
    filesystem("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
    filesystem("/dev/pts", "devpts", "devpts", [
      "nosuid",
      "noexec",
      "newinstance",
      "ptmxmode=0666",
      "mode=0620",
      "gid=5",
    ]),
    filesystem("/sys", "sysfs", "sysfs", ["nosuid", "noexec", "nodev", ...readOnly]),
    filesystem("/sys/fs/cgroup", "cgroup", "cgroup", ["nosuid", "noexec", "nodev", ...readOnly]),
    filesystem("/dev/mqueue", "mqueue", "mqueue", ["nosuid", "noexec", "nodev"]),
  ];
  if (shmSize > 0n)
    mounts.push(filesystem("/dev/shm", "tmpfs", "shm", ["nosuid", "noexec", "nodev", "mode=1777", `size=${shmSize}`]));
  return mounts;
}

/** Device rules of a privileged container. */
export const privilegedDeviceRules: readonly DeviceRule[] = [{ allow: true, type: "a", access: "rwm" }];
