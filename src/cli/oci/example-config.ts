/** What `spec` writes: a shell on a terminal, isolated, with few capabilities. The values are those of runc's example. */
import { specVersion } from "./help.ts";

const capabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];

const hidden = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/sys/firmware",
  "/proc/scsi",
];
const readOnly = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

interface Mount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options?: readonly string[];
}

const safe = ["nosuid", "noexec", "nodev"];
const sysfs: Mount = { destination: "/sys", type: "sysfs", source: "sysfs", options: [...safe, "ro"] };
const hostSys: Mount = {
  destination: "/sys",
  type: "none",
  source: "/sys",
  options: ["rbind", "nosuid", "noexec", "nodev", "ro"],
};

/** @param user the user without privilege that it is for, by the ids of the host */
export function exampleConfig(user?: { readonly uid: number; readonly gid: number }): unknown {
  const rootless = user !== undefined;
  const devptsGroup = rootless ? [] : ["gid=5"];
  const mounts: readonly Mount[] = [
    { destination: "/proc", type: "proc", source: "proc" },
    {
      destination: "/dev",
      type: "tmpfs",
      source: "tmpfs",
      options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
    },
    {
      destination: "/dev/pts",
      type: "devpts",
      source: "devpts",
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", ...devptsGroup],
    },
    { destination: "/dev/shm", type: "tmpfs", source: "shm", options: [...safe, "mode=1777", "size=65536k"] },
    { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: safe },
    rootless ? hostSys : sysfs,
    { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: [...safe, "relatime", "ro"] },
  ];
  const kinds = [
    "pid",
    ...(rootless ? [] : ["network"]),
    "ipc",
    "uts",
    "mount",
    "cgroup",
    ...(rootless ? ["user"] : []),
  ];
  return {
    ociVersion: specVersion,
    process: {
      terminal: true,
      user: { uid: 0, gid: 0 },
      args: ["sh"],
      env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
      cwd: "/",
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      rlimits: [{ type: "RLIMIT_NOFILE", hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: "rootfs", readonly: true },
    hostname: programHostname,
    mounts,
    linux: {
      ...(user === undefined
        ? { resources: { devices: [{ allow: false, access: "rwm" }] } }
        : {
            uidMappings: [{ containerID: 0, hostID: user.uid, size: 1 }],
            gidMappings: [{ containerID: 0, hostID: user.gid, size: 1 }],
          }),
      namespaces: kinds.map((type) => ({ type })),
      maskedPaths: hidden,
      readonlyPaths: readOnly,
    },
  };
}

const programHostname = "sampan";
