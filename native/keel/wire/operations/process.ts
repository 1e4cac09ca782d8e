/** Namespaces, identity and rights of the process. */
import { f, type Declared } from "../field.ts";

export const processOperations: readonly Declared[] = [
  // -- identity and limits of the process ----------------------------------------------------------------------
  {
    number: 60,
    name: "id-map",
    doc: "Write the user namespace's id maps. By the parent",
    fields: [
      f("uids", "list<IdMap>", "uid_map"),
      f("gids", "list<IdMap>", "gid_map"),
      f("denySetgroups", "bool", "write deny to setgroups first (needed without privilege)"),
    ],
  },
  {
    number: 61,
    name: "time-offset",
    doc: "Offset clocks of a new time namespace (time_namespaces(7)); stands before `enter-time-namespace`",
    fields: [
      f("clock", "string", "`monotonic` or `boottime`"),
      f("seconds", "i64", "offset"),
      f("nanoseconds", "u32", "0 to 999,999,999"),
    ],
  },
  {
    number: 62,
    name: "time-namespace",
    doc: "Create a time namespace for this process to enter (unshare)",
    fields: [],
  },
  {
    number: 63,
    name: "enter-time-namespace",
    doc: "Enter the time namespace made before (setns on time_for_children)",
    fields: [],
  },
  {
    number: 64,
    name: "hostname",
    doc: "Set the host name (sethostname)",
    fields: [f("name", "string", "at most 64 bytes")],
  },
  {
    number: 65,
    name: "domainname",
    doc: "Set the NIS domain name (setdomainname)",
    fields: [f("name", "string", "at most 64 bytes")],
  },
  {
    number: 66,
    name: "sysctl",
    doc: "Set a namespaced kernel parameter, through a /proc that is checked to be procfs, before pivot_root",
    fields: [
      f("key", "string", "path below /proc/sys, e.g. net/ipv4/ip_forward"),
      f("value", "string", "what to write"),
    ],
  },
  { number: 67, name: "loopback-up", doc: "Bring the loopback interface up", fields: [] },
  {
    number: 68,
    name: "rlimit",
    doc: "Set a resource limit (prlimit)",
    fields: [
      f("resource", "u32", "RLIMIT_* number"),
      f("soft", "u64", "2^64-1 for unlimited"),
      f("hard", "u64", "2^64-1 for unlimited"),
    ],
  },
  {
    number: 69,
    name: "keyring",
    doc: "Join a new session keyring, so that the host's is not seen. A kernel without keys, or out of quota, is no failure",
    fields: [f("name", "string", "keyring name")],
  },
  {
    number: 70,
    name: "user",
    doc: "Set supplementary groups, group, user and umask, keeping permitted capabilities for `capabilities`",
    fields: [
      f("uid", "u32", "user inside"),
      f("gid", "u32", "group inside"),
      f("groups", "list<u32>", "supplementary groups"),
      f("umask", "u32", "file mode creation mask"),
    ],
  },
  {
    number: 71,
    name: "bounding-set",
    doc: "Drop every capability that is not in the mask from the bounding set",
    fields: [f("keep", "u64", "bit n is capability n")],
  },
  {
    number: 72,
    name: "capabilities",
    doc: "Set the effective, permitted, inheritable and ambient sets",
    fields: [
      f("effective", "u64", "bit n is capability n"),
      f("permitted", "u64", "likewise"),
      f("inheritable", "u64", "likewise"),
      f("ambient", "u64", "likewise"),
    ],
  },
  { number: 73, name: "no-new-privileges", doc: "Forbid gaining privilege by exec (PR_SET_NO_NEW_PRIVS)", fields: [] },
  {
    number: 74,
    name: "seccomp",
    doc: "Install a system call filter (seccomp(2))",
    fields: [
      f("program", "bytes", "struct sock_filter array, 8 bytes each"),
      f("flags", "u32", "SECCOMP_FILTER_FLAG_*"),
    ],
  },
  {
    number: 75,
    name: "working-directory",
    doc: "Change directory inside the container; it must lie inside the root (getcwd is checked)",
    fields: [f("path", "string", "absolute path")],
  },
];
