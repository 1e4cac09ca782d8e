/** Scheduling, labels, devices and rules that only some containers have. */
import { f, type Declared } from "../field.ts";

export const attributeOperations: readonly Declared[] = [
  // -- attributes of the process -------------------------------------------------------------------------------------
  {
    number: 80,
    name: "scheduler",
    doc: "Set the scheduling policy (sched_setattr). By the parent for a process born in a new user namespace: real-time policies and low nice values need privilege outside",
    fields: [
      f("policy", "u32", "SCHED_* number"),
      f("flags", "u64", "SCHED_FLAG_*"),
      f("nice", "i32", "-20 to 19, for SCHED_OTHER and SCHED_BATCH"),
      f("priority", "u32", "1 to 99 for SCHED_FIFO and SCHED_RR, otherwise 0"),
      f("runtime", "u64", "nanoseconds of a period, for SCHED_DEADLINE"),
      f("deadline", "u64", "nanoseconds, likewise"),
      f("period", "u64", "nanoseconds, likewise"),
    ],
  },
  {
    number: 81,
    name: "io-priority",
    doc: "Set the I/O priority (ioprio_set). By the parent like `scheduler`",
    fields: [f("class", "u32", "1 real-time, 2 best effort, 3 idle"), f("level", "u32", "0, the highest, to 7")],
  },
  {
    number: 82,
    name: "cpu-affinity",
    doc: "Bind this process to processors (sched_setaffinity); the cgroup's cpuset limits them further",
    fields: [f("processors", "list<u32>", "their numbers; none for all, which is then no failure where it is refused")],
  },
  {
    number: 83,
    name: "personality",
    doc: "Set the execution domain (personality)",
    fields: [f("domain", "u64", "PER_* number")],
  },
  {
    number: 84,
    name: "memory-policy",
    doc: "Set the NUMA memory policy (set_mempolicy)",
    fields: [f("mode", "u32", "MPOL_* with MPOL_F_* flags"), f("nodes", "list<u32>", "memory nodes, 0 to 1023")],
  },
  {
    number: 85,
    name: "security-attribute",
    doc: "Write an attribute of this process for a security module (/proc/thread-self/attr, of a /proc that is checked to be procfs); where the module has no directory of its own there, the common one",
    fields: [
      f("module", "string", "its directory in attr, e.g. `apparmor`, or empty for the common one"),
      f("attribute", "string", "`exec` or `keycreate`"),
      f("value", "string", "what to write; nothing clears it"),
    ],
  },
  {
    number: 86,
    name: "remove-directory",
    doc: "Remove a host directory that is empty, or as good as (a resctrl group). A missing one is no failure",
    fields: [f("path", "string", "absolute path")],
  },
  {
    number: 87,
    name: "directory-xattr",
    doc: "Set an extended attribute of a directory in the root",
    fields: [
      f("path", "string", "path in the root"),
      f("name", "string", "with its prefix, e.g. `security.selinux`"),
      f("value", "string", "its value"),
    ],
  },
  {
    number: 88,
    name: "move-network-device",
    doc: "Move a network device of the host into the container's network namespace, with its permanent addresses of global scope, and bring it up. By the parent. After a failure it is moved back",
    fields: [
      f("name", "string", "name on the host"),
      f("newName", "string", "name in the container; `%d` in it becomes the first number that is free"),
    ],
  },
  {
    number: 89,
    name: "landlock",
    doc: "Restrict this process and its children (landlock(7)); takes no_new_privs or CAP_SYS_ADMIN",
    fields: [
      f("handledFiles", "u64", "LANDLOCK_ACCESS_FS_* that are denied where no rule allows them"),
      f("handledNetwork", "u64", "LANDLOCK_ACCESS_NET_*, likewise"),
      f("scoped", "u64", "LANDLOCK_SCOPE_*"),
      f("bestEffort", "bool", "leave out what the kernel does not have, instead of failing with EOPNOTSUPP"),
      f("paths", "list<LandlockPath>", "rules for files"),
      f("ports", "list<LandlockPort>", "rules for the network"),
    ],
  },
  // -- files of the host's side, for clean-up and set-up ---------------------------------------------------------
  {
    number: 90,
    name: "remove-tree",
    doc: "Remove a host directory and all below it, by descriptor, following no link and crossing no mount. A missing one is no failure",
    fields: [f("path", "string", "absolute path")],
  },
  {
    number: 91,
    name: "unmount",
    doc: "Detach a mount (umount2 MNT_DETACH, UMOUNT_NOFOLLOW). A path that is no mount is no failure",
    fields: [f("path", "string", "absolute path")],
  },
  {
    number: 92,
    name: "host-directory",
    doc: "Make a host directory; an existing one is left as it is",
    fields: [
      f("path", "string", "absolute path whose parent exists"),
      f("mode", "u32", "permission bits (not subject to umask)"),
      f("uid", "u32", "owner"),
      f("gid", "u32", "group"),
    ],
  },
];
