/**
 * The wire between TypeScript and keel, declared once. `generate.ts` writes from it:
 *
 * - `src/plan/operation.gen.ts`   the types of the operations and messages (pure)
 * - `src/keel/wire.gen.ts`        the TypeScript encoder and decoder
 * - `native/keel/wire.gen.h/.c`   the C structures, decoder and encoder
 *
 * A frame is `u32 length` (of what follows), `u32 request` (chosen by the asker, echoed in every answer; 0 for
 * what nobody asked for), `u16 kind` (the message's number), then the message's fields in order. Little endian.
 *
 *   u8 u16 u32 i32 u64 i64   fixed width; u64 and i64 are bigint in TypeScript
 *   bool                     u8, 0 or 1, anything else is malformed
 *   string                   u32 length in bytes, the bytes, one NUL; no NUL within (so that C uses it in place)
 *   bytes                    u32 length, the bytes
 *   list<T>                  u32 count, the items
 *   NAME                     a struct declared below, its fields in order
 *   operations               u32 count, each `u16 operation number`, its fields in order
 *
 * Numbers are never reused; a new field or operation raises `version`.
 */

type FieldType = string;

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  /** Meaning and unit; becomes the field's comment. */
  readonly doc: string;
}

export interface Declared {
  readonly number: number;
  readonly name: string;
  readonly doc: string;
  readonly fields: readonly Field[];
}

const f = (name: string, type: FieldType, doc: string): Field => ({ name, type, doc });

/** Raised by every change that an older keel or client would misread. */
export const version = 1;

/** Largest frame that either side accepts, in bytes. */
export const maxFrame = 8 * 1024 * 1024;

export const structs: readonly Omit<Declared, "number">[] = [
  {
    name: "IdMap",
    doc: "One line of uid_map or gid_map (user_namespaces(7))",
    fields: [
      f("inside", "u32", "first id inside the user namespace"),
      f("outside", "u32", "first id outside"),
      f("count", "u32", "how many ids"),
    ],
  },
  {
    name: "MountParameter",
    doc: "One fsconfig(2) parameter; an empty value is FSCONFIG_SET_FLAG, any other FSCONFIG_SET_STRING",
    fields: [f("key", "string", "parameter name, e.g. `size`"), f("value", "string", "its value, or empty for a flag")],
  },
  {
    name: "LandlockPath",
    doc: "What a process may do with a file or with all below a directory",
    fields: [
      f("path", "string", "path in the root"),
      f("access", "u64", "LANDLOCK_ACCESS_FS_*; of a file that is no directory, those that files have"),
    ],
  },
  {
    name: "LandlockPort",
    doc: "What a process may do with a TCP port",
    fields: [f("port", "u16", "port number"), f("access", "u64", "LANDLOCK_ACCESS_NET_*")],
  },
  {
    name: "Xattr",
    doc: "One extended attribute",
    fields: [f("name", "string", "with its prefix, e.g. `security.capability`"), f("value", "bytes", "raw value")],
  },
  {
    name: "FileChoice",
    doc: "A file that may be there, and what to write to it",
    fields: [f("name", "string", "without any slash"), f("data", "string", "what to write, in one write(2)")],
  },
  {
    name: "Timestamp",
    doc: "A time as the kernel stores it",
    fields: [f("seconds", "i64", "since the epoch, may be negative"), f("nanoseconds", "u32", "0 to 999,999,999")],
  },
  {
    name: "Segment",
    doc: "A part of a file that is data and no hole",
    fields: [f("offset", "u64", "position in the file"), f("size", "u64", "bytes")],
  },
  {
    name: "Record",
    doc: "A line of the journal: `before`, what the monitor has to tell, and `after`; none when `before` is empty",
    fields: [f("before", "string", "its beginning"), f("after", "string", "its end")],
  },
  {
    name: "Result",
    doc: "What one operation gave back (only `read-file`, `netlink` and `peer-credentials` give anything)",
    fields: [f("step", "u32", "index of the operation in its program, from 0"), f("data", "bytes", "what it read")],
  },
];

/*
 * Where operations run
 *
 *   keel serve ──fork──> monitor M (or, for `execute`, a runner)
 *                          │ fork
 *                          ▼
 *                        executor X: runs the operations before `clone`, on the host's side
 *                          │ clone3(CLONE_PARENT | namespaces): C's parent is M
 *                          ▼
 *                        container process C: runs the operations after `clone`
 *
 * Operations marked "by the parent" stand after `clone` but C asks X to run them while it waits (id maps need
 * privilege outside). Without a `clone` X runs everything. When C reaches `exec` the program is over.
 * A failed operation ends the program: {step, errno, syscall, detail} reach whoever asked, and C and X are gone.
 *
 * "In the root" is below the root directory that `root-*` opened: the kernel resolves such a path with
 * openat2(RESOLVE_IN_ROOT), so that no symbolic link or `..` leaves it, and every use is by that descriptor.
 */
export const operations: readonly Declared[] = [
  // -- control -------------------------------------------------------------------------------------------------
  {
    number: 1,
    name: "clone",
    doc: "Create the container's process, in new namespaces",
    fields: [
      f(
        "namespaces",
        "u64",
        "CLONE_NEW* flags: pid, mnt, net, ipc, uts, user, cgroup, time. Time is entered by unshare and setns after clone; cgroup is unshared by a `join-cgroup` operation after it has joined, or by clone when there is none",
      ),
      f("cgroup", "string", "cgroup v2 directory to be born in (CLONE_INTO_CGROUP), or empty"),
    ],
  },
  {
    number: 2,
    name: "join-namespace",
    doc: "Enter one existing namespace by its file",
    fields: [
      f("kind", "u64", "the CLONE_NEW* flag it must be (setns(2) nstype)"),
      f("path", "string", "e.g. /proc/42/ns/net"),
    ],
  },
  {
    number: 3,
    name: "join-container",
    doc: "Enter namespaces of the monitor's own container, through its pidfd (exec)",
    fields: [f("namespaces", "u64", "CLONE_NEW* flags")],
  },
  {
    number: 4,
    name: "wait-start",
    doc: "Report that the container is created, and wait for `start`; after a `start-socket`, for whoever connects there",
    fields: [],
  },
  {
    number: 5,
    name: "exec",
    doc: "Become the container's program. Every descriptor but 0, 1, 2 and those that `create` preserves is closed",
    fields: [
      f(
        "arguments",
        "list<string>",
        "argv; argv[0] without a slash is looked up in PATH of `environment`, as the user set before",
      ),
      f("environment", "list<string>", "NAME=value"),
      f("init", "bool", "run it below keel as pid 1, which forwards signals and reaps (`--init`)"),
    ],
  },
  {
    number: 6,
    name: "find-executable",
    doc: "Find what `exec` will run, so that a missing command is an error of create and not of start",
    fields: [
      f("command", "string", "argv[0]"),
      f("path", "string", "value of PATH, or empty for the default"),
      f("directory", "string", "working directory that a relative command is resolved against"),
    ],
  },
  {
    number: 7,
    name: "parent-death-signal",
    doc: "Have the kernel signal this process when its monitor dies (prctl PR_SET_PDEATHSIG). Not for an orphan",
    fields: [f("signal", "u32", "signal number")],
  },
  {
    number: 8,
    name: "session",
    doc: "Start a new session (setsid)",
    fields: [],
  },
  {
    number: 9,
    name: "terminal",
    doc: "Open a terminal of the container's own devpts, make it stdin, stdout, stderr and the controlling terminal, give the master to the monitor",
    fields: [
      f("columns", "u32", "width, 0 to leave it"),
      f("rows", "u32", "height, 0 to leave it"),
      f("console", "bool", "also bind the terminal to /dev/console, by descriptor"),
    ],
  },
  {
    number: 10,
    name: "stdio-owner",
    doc: "Give the stdio pipes to the container's user, so that /dev/stdout can be opened anew",
    fields: [f("uid", "u32", "owner inside the container"), f("gid", "u32", "group inside the container")],
  },
  {
    number: 11,
    name: "start-socket",
    doc: "Before `clone`: listen on start.sock (mode 0600) in a host directory, for the `wait-start` of a container whose monitor does not stay. Whoever is connected first starts it: it is answered by `done` at once, then by `failed` if an operation fails, exec included, or by the connection's end when exec has succeeded. All others see their connection end without a word",
    fields: [
      f(
        "directory",
        "string",
        "absolute host directory. The socket is not removed from it: that is left to who starts it",
      ),
    ],
  },
  {
    number: 12,
    name: "hook",
    doc: "Run a program outside of the container's own, and wait for its end: a hook of the runtime-spec. It fails when its status is not 0. It has no descriptor but 0, 1 and 2, and its stdout goes nowhere",
    fields: [
      f(
        "parent",
        "bool",
        "by the parent, with the host's namespaces, as they were before the first operation; otherwise with the container's",
      ),
      f("path", "string", "absolute path of the program"),
      f("arguments", "list<string>", "argv; empty for the path alone"),
      f("environment", "list<string>", "NAME=value, nothing is added"),
      f("directory", "string", "working directory, or empty to leave it"),
      f("timeout", "u32", "milliseconds until it and its process group are killed, 0 for none"),
      f("before", "string", "its stdin: this, the host's pid of the container's process in decimal, and `after`"),
      f("after", "string", "see `before`"),
    ],
  },
  {
    number: 13,
    name: "seccomp-listener",
    doc: "Before `clone`: connect to the agent that gets the descriptor of a `seccomp` operation with SECCOMP_FILTER_FLAG_NEW_LISTENER. It is sent (SCM_RIGHTS) with `before`, the host's pid of the container's process in decimal, and `after`; or with `before`, pid, `between`, pid, `after`",
    fields: [
      f("path", "string", "host path of a unix stream socket"),
      f("before", "string", "beginning of the runtime-spec's containerProcessState, in JSON"),
      f("between", "string", "what stands between two places for the pid; empty when there is one only"),
      f("after", "string", "its end"),
      f("pidfd", "bool", "send a pidfd of the container's process as a second descriptor"),
    ],
  },
  // -- cgroups -------------------------------------------------------------------------------------------------
  {
    number: 20,
    name: "cgroup-create",
    doc: "Create a cgroup directory with its parents",
    fields: [
      f("path", "string", "absolute directory below a cgroup mount"),
      f("mount", "string", "the cgroup mount it is below"),
      f("cpuset", "bool", "v1 cpuset: fill empty cpuset.cpus and cpuset.mems from the parent on each level"),
      f(
        "controllers",
        "list<string>",
        "v2: controllers to enable in cgroup.subtree_control of each parent, those that the kernel has and lets be enabled; empty on v1",
      ),
    ],
  },
  {
    number: 21,
    name: "join-cgroup",
    doc: "Move this process into cgroups, by writing 0 to each tasks (v1) or cgroup.procs (v2) file. Their files are opened before `clone`. Then unshare the cgroup namespace if asked",
    fields: [
      f("paths", "list<string>", "cgroup directories"),
      f("unshare", "bool", "then enter a new cgroup namespace"),
    ],
  },
  {
    number: 22,
    name: "write-file",
    doc: "Write a kernel file of the host's side (cgroup, /proc) in one write(2)",
    fields: [
      f("path", "string", "absolute path, opened without following a final symbolic link and never created"),
      f("data", "string", "what to write"),
      f(
        "tolerate",
        "bool",
        "a missing file, or a value that this host may not set (ENOENT, EPERM, EACCES), is no failure",
      ),
    ],
  },
  {
    number: 23,
    name: "cgroup-device-filter",
    doc: "Attach an eBPF device program to a cgroup v2 directory (BPF_CGROUP_DEVICE), in place of those attached before",
    fields: [f("path", "string", "cgroup directory"), f("program", "bytes", "struct bpf_insn array, 8 bytes each")],
  },
  {
    number: 24,
    name: "cgroup-kill",
    doc: "Kill every process of a cgroup and its children (cgroup.kill on v2; signalled until empty on v1). A missing directory is no failure",
    fields: [f("path", "string", "cgroup directory")],
  },
  {
    number: 25,
    name: "cgroup-remove",
    doc: "Remove a cgroup directory and its children. Waits briefly while the kernel still counts dying tasks. A missing directory is no failure",
    fields: [f("path", "string", "cgroup directory")],
  },
  {
    number: 26,
    name: "freeze",
    doc: "Stop every process of a cgroup and its children, or let them go on (freezer.state on v1, cgroup.freeze on v2). Waits up to 10 s until all are stopped; if they are not by then (ETIMEDOUT), they go on",
    fields: [f("path", "string", "cgroup directory; on v1 of the freezer hierarchy"), f("frozen", "bool", "stop them")],
  },
  {
    number: 27,
    name: "write-first",
    doc: "Write the first of some files of a cgroup that this kernel has. Fails (ENOENT) when it has none",
    fields: [
      f("directory", "string", "cgroup directory"),
      f("choices", "list<FileChoice>", "files in order of preference, each with what to write to it"),
    ],
  },
  {
    number: 28,
    name: "cgroup-owner",
    doc: "Give a cgroup v2 directory, and those of its files that a delegate may write, to a user. A missing file is no failure",
    fields: [
      f("path", "string", "cgroup directory"),
      f("uid", "u32", "owner, on the host"),
      f("gid", "u32", "group, on the host; 2^32-1 to leave it"),
      f("files", "list<string>", "names of files in it"),
    ],
  },
  // -- the root filesystem -------------------------------------------------------------------------------------
  {
    number: 30,
    name: "propagation",
    doc: "Set mount propagation recursively from the current root",
    fields: [
      f("mode", "u64", "MS_SLAVE, MS_PRIVATE, MS_SHARED or MS_UNBINDABLE"),
      f("recursive", "bool", "with all mounts below"),
    ],
  },
  {
    number: 31,
    name: "root-overlay",
    doc: "Mount an overlay and make it the root directory of what follows",
    fields: [
      f("lower", "list<string>", "read-only layers, top first"),
      f("upper", "string", "writable directory, or empty for a read-only overlay"),
      f("work", "string", "overlayfs' own directory, on upper's filesystem"),
      f("parameters", "list<MountParameter>", "further overlay parameters"),
      f("target", "string", "existing host directory to attach it to, in the private mount namespace only"),
    ],
  },
  {
    number: 32,
    name: "root-bind",
    doc: "Bind an existing directory onto itself and make it the root directory of what follows",
    fields: [f("path", "string", "absolute host directory"), f("recursive", "bool", "with mounts below it")],
  },
  {
    number: 33,
    name: "root-directory",
    doc: "Use an existing directory as the root of what follows, without any mount (`/` for the current root)",
    fields: [f("path", "string", "absolute directory")],
  },
  {
    number: 34,
    name: "mount",
    doc: "Mount a new filesystem in the root (fsopen, fsconfig, fsmount, move_mount)",
    fields: [
      f("type", "string", "filesystem type, e.g. `proc`"),
      f("source", "string", "source, or empty"),
      f("target", "string", "path in the root; missing directories are created"),
      f("attributes", "u64", "MOUNT_ATTR_* flags"),
      f("parameters", "list<MountParameter>", "filesystem parameters"),
      f("mode", "u32", "mode for directories that have to be created"),
    ],
  },
  {
    number: 35,
    name: "bind",
    doc: "Bind a host path into the root (open_tree, mount_setattr, move_mount)",
    fields: [
      f("source", "string", "absolute host path"),
      f("target", "string", "path in the root; created as a directory or an empty file, like the source, when missing"),
      f("recursive", "bool", "with mounts below the source"),
      f("set", "u64", "MOUNT_ATTR_* to set on it"),
      f("clear", "u64", "MOUNT_ATTR_* to clear on it"),
      f("setRecursive", "u64", "MOUNT_ATTR_* to set on it and all mounts below"),
      f("clearRecursive", "u64", "MOUNT_ATTR_* to clear on it and all mounts below"),
      f("propagation", "u64", "MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE, 0 to leave it"),
      f("propagationRecursive", "bool", "propagation for mounts below too"),
    ],
  },
  {
    number: 36,
    name: "mount-attributes",
    doc: "Change attributes of a mount that is already in the root (mount_setattr)",
    fields: [
      f("path", "string", "path in the root"),
      f("set", "u64", "MOUNT_ATTR_* to set"),
      f("clear", "u64", "MOUNT_ATTR_* to clear"),
      f("recursive", "bool", "and all mounts below"),
    ],
  },
  {
    number: 37,
    name: "directory",
    doc: "Make a directory in the root with its parents; an existing one is left as it is",
    fields: [
      f("path", "string", "path in the root"),
      f("mode", "u32", "permission bits"),
      f("uid", "u32", "owner"),
      f("gid", "u32", "group"),
    ],
  },
  {
    number: 38,
    name: "symlink",
    doc: "Make a symbolic link in the root; an existing link with that target is left",
    fields: [f("target", "string", "what it points to"), f("path", "string", "path in the root")],
  },
  {
    number: 39,
    name: "device",
    doc: "Make a device node or FIFO in the root; one that exists must be the same device",
    fields: [
      f("path", "string", "path in the root"),
      f("mode", "u32", "S_IFCHR, S_IFBLK or S_IFIFO, and permission bits (not subject to umask)"),
      f("major", "u32", "device major number"),
      f("minor", "u32", "device minor number"),
      f("uid", "u32", "owner"),
      f("gid", "u32", "group"),
    ],
  },
  {
    number: 40,
    name: "mask",
    doc: "Hide a path in the root: /dev/null (checked to be device 1:3) over a file, an empty read-only tmpfs over a directory. A missing path is no failure",
    fields: [f("path", "string", "path in the root")],
  },
  {
    number: 41,
    name: "read-only-path",
    doc: "Make a path in the root read-only by a bind mount onto itself. A missing path is no failure",
    fields: [f("path", "string", "path in the root")],
  },
  {
    number: 42,
    name: "copy-tree",
    doc: "Copy a directory of the root into an empty host directory, with owners, modes, times, xattrs, hard links and device nodes. Does nothing when the source is missing or no directory, or the destination is not empty",
    fields: [
      f("source", "string", "path in the root"),
      f("destination", "string", "absolute host directory; takes the source's owner and mode"),
    ],
  },
  {
    number: 43,
    name: "read-file",
    doc: "Give back the content of a regular file in the root. A missing file gives nothing",
    fields: [
      f("path", "string", "path in the root"),
      f("limit", "u32", "largest size in bytes; a longer file is a failure (EFBIG)"),
    ],
  },
  {
    number: 44,
    name: "pivot-root",
    doc: "Make the root directory the root of the mount namespace and let go of the old one (pivot_root, umount2)",
    fields: [],
  },
  {
    number: 45,
    name: "open-source",
    doc: "Take a copy of the mount at a host path, for `attach-source`, which may stand behind `clone` or `join-namespace`. In a container with a user namespace of its own by the parent, who enters the container's mount namespace for it",
    fields: [
      f("slot", "u32", "number that `attach-source` names it by, from 0 to 255"),
      f("source", "string", "absolute host path"),
      f("recursive", "bool", "with mounts below the source"),
      f("noFollow", "bool", "a symbolic link at the end of the path is itself the source"),
      f("peer", "bool", "stay a peer of the source's mount: what is mounted below either appears in both"),
      f("set", "u64", "MOUNT_ATTR_* to set on it"),
      f("clear", "u64", "MOUNT_ATTR_* to clear on it"),
      f("setRecursive", "u64", "MOUNT_ATTR_* to set on it and all mounts below"),
      f("clearRecursive", "u64", "MOUNT_ATTR_* to clear on it and all mounts below"),
      f("propagation", "u64", "MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE, 0 to leave it"),
      f("propagationRecursive", "bool", "propagation for mounts below too"),
      f("uids", "list<IdMap>", "ids of its files (inside) as they show (outside); none without an id map"),
      f("gids", "list<IdMap>", "likewise, of groups"),
      f(
        "userNamespace",
        "string",
        "file of a user namespace whose maps are taken in place of `uids` and `gids`, or empty",
      ),
      f("mapRecursive", "bool", "map ids of mounts below too"),
    ],
  },
  {
    number: 46,
    name: "attach-source",
    doc: "Attach what `open-source` took (move_mount)",
    fields: [
      f("slot", "u32", "the number of `open-source`"),
      f("target", "string", "path in the root; created as a directory or an empty file, like the source, when missing"),
      f("noFollow", "bool", "a symbolic link at the end of the target is mounted over, and not followed"),
      f("copyLink", "bool", "where the source is a symbolic link, make the same link at the target and mount nothing"),
    ],
  },
  {
    number: 47,
    name: "mount-over",
    doc: "Like `mount`, for a filesystem that takes over what it covers",
    fields: [
      f("type", "string", "filesystem type, e.g. `tmpfs`"),
      f("source", "string", "source, or empty"),
      f("target", "string", "path in the root; missing directories are created"),
      f("attributes", "u64", "MOUNT_ATTR_* flags"),
      f("parameters", "list<MountParameter>", "filesystem parameters"),
      f("mode", "u32", "mode for directories that have to be created"),
      f("keepMode", "bool", "its root gets the permission bits of the directory that it covers, when there is one"),
      f("copy", "bool", "it starts with a copy of what it covers, with owners, modes, times and xattrs"),
    ],
  },
  {
    number: 48,
    name: "mount-propagation",
    doc: "Set the propagation of a mount that is already in the root",
    fields: [
      f("path", "string", "path in the root"),
      f("mode", "u64", "MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE"),
      f("recursive", "bool", "and of all mounts below"),
    ],
  },
  {
    number: 49,
    name: "reconfigure",
    doc: "Change parameters of the filesystem that is mounted at a path in the root (fspick, fsconfig)",
    fields: [f("path", "string", "path in the root"), f("parameters", "list<MountParameter>", "filesystem parameters")],
  },
  {
    number: 50,
    name: "move-root",
    doc: "In place of `pivot-root`, where the host's root is a ramdisk, which cannot be let go of: detach the host's procfs and sysfs, move the root directory's mount over the host's root, and chroot to it",
    fields: [],
  },
  {
    number: 51,
    name: "unmount-path",
    doc: "Detach the mount at a path in the root. A path that is no mount is a failure (EINVAL)",
    fields: [f("path", "string", "path in the root; a symbolic link at its end is not followed")],
  },
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
  // -- the network -----------------------------------------------------------------------------------------------
  {
    number: 100,
    name: "netlink",
    doc: "Send netlink messages and read the answers, which are given back without acknowledgements (nothing when there are none). Each message is sent when the one before has succeeded; netfilter's batches at once. The first refusal is the failure, its detail `message N`, N being the sequence number, and `: ` with the kernel's words where it has any. EINTR when what a dump lists changed meanwhile",
    fields: [
      f("protocol", "u32", "0 NETLINK_ROUTE, 4 NETLINK_SOCK_DIAG, 12 NETLINK_NETFILTER"),
      f("messages", "bytes", "struct nlmsghdr and payload of each, with NLM_F_ACK where its answer is waited for"),
      f("networkNamespace", "string", "file of the network namespace to do it in, or empty for the own one"),
      f(
        "descriptors",
        "list<string>",
        "files of namespaces that messages name by descriptor: the first is open as 200, the next as 201, at most 8",
      ),
      f("purpose", "string", "what the messages are to do, in words that continue `Cannot`"),
    ],
  },
  {
    number: 101,
    name: "forward-port",
    doc: "Listen on a port of the host and pass all that comes to another address, in a process of its own that ends with the container's process, or when its file is removed. It listens when this is done",
    fields: [
      f("protocol", "u32", "6 TCP, 17 UDP"),
      f("address", "string", "IPv4 or IPv6 address to listen on"),
      f("port", "u32", "1 to 65535"),
      f("target", "string", "IPv4 or IPv6 address, of any family"),
      f("targetPort", "u32", "1 to 65535"),
      f("pid", "u32", "the container's process"),
      f("file", "string", "absolute path of a file to make; its removal ends the forwarding"),
    ],
  },
  // -- the life of containers ------------------------------------------------------------------------------------
  {
    number: 110,
    name: "memory-file",
    doc: "Mount a read-only file on a path of the root that is in memory only: a tmpfs of its own, which holds nothing else",
    fields: [
      f("path", "string", "path in the root; created as an empty file when missing"),
      f("data", "bytes", "its content"),
      f("mode", "u32", "permission bits"),
      f("uid", "u32", "owner"),
      f("gid", "u32", "group"),
    ],
  },
  {
    number: 111,
    name: "pin-namespaces",
    doc: "Make namespaces that live without a process, each held by a file of its name (`net`, `ipc`, `uts`), for `join-namespace`; the network has its loopback interface up. `unmount` lets go of one. When it fails, files that were made stay",
    fields: [
      f("namespaces", "u64", "CLONE_NEWNET, CLONE_NEWIPC and CLONE_NEWUTS, those that are wanted"),
      f("directory", "string", "absolute, existing host directory, in which none of the files is"),
      f("hostname", "string", "host name of the uts namespace, or empty"),
    ],
  },
  // -- trees of files --------------------------------------------------------------------------------------------
  {
    number: 120,
    name: "root-alone",
    doc: "Make the root directory a copy of its mount alone, which is attached nowhere: what is mounted on it is not seen, and what it covers is",
    fields: [f("readOnly", "bool", "nothing can be changed through it")],
  },
  {
    number: 121,
    name: "mount-layers",
    doc: "Mount read-only layers on top of each other at a path in the root, or only a directory or file of them",
    fields: [
      f("lower", "list<string>", "absolute host directories, top first"),
      f("subpath", "string", "path in the layers' root of what is mounted, resolved in there; empty for all"),
      f("target", "string", "path in the root; created as a directory or an empty file when missing"),
      f("attributes", "u64", "MOUNT_ATTR_* to set on it; it is read-only in any case"),
    ],
  },
  // -- a service -------------------------------------------------------------------------------------------------
  {
    number: 125,
    name: "peer-credentials",
    doc: "Give back `PID UID GID` of the process that connected to a unix socket, as they were then (SO_PEERCRED)",
    fields: [
      f("pid", "u32", "process that has accepted the connection"),
      f("descriptor", "u32", "the connection's descriptor there"),
    ],
  },
  {
    number: 126,
    name: "notify-service",
    doc: "Tell the service manager how a service is: one datagram (sd_notify(3))",
    fields: [
      f("path", "string", "its socket, NOTIFY_SOCKET: absolute, or abstract with `@` first"),
      f("pid", "u32", "main process of the service"),
      f("text", "string", "lines of NAME=VALUE"),
    ],
  },
];

/*
 * Messages
 *
 *  client                       keel serve                      monitor (unix socket)
 *    │── execute ────────────────>│ runs a program to its end
 *    │<─ executed / failed ───────│
 *    │── create ─────────────────>│── fork ──────────────────────>│ runs up to wait-start
 *    │<─ created / failed ────────│<──────────────────────────────│ listens on <state>/monitor.sock
 *    │── attach ─────────────────────────────────────────────────>│
 *    │<─ output … ────────────────────────────────────────────────│
 *    │── start ──────────────────────────────────────────────────>│ lets C go on to exec
 *    │<─ done / failed ───────────────────────────────────────────│
 *    │── wait ───────────────────────────────────────────────────>│
 *    │<─ exited ──────────────────────────────────────────────────│ runs the exit program, writes <state>/exit
 *
 *  keel apply (one process a layer, over its own socket pair)
 *    │── apply-open, apply-* …, apply-data … ────────────────────>│ no answer unless it fails
 *    │── apply-finish ───────────────────────────────────────────>│
 *    │<─ done / failed ───────────────────────────────────────────│
 *
 *  keel browse (one process a tree of files, over its own socket pair)
 *    │── browse-open ────────────────────────────────────────────>│ runs a program that makes the tree its root
 *    │<─ done / failed ───────────────────────────────────────────│
 *    │── browse-look ────────────────────────────────────────────>│
 *    │<─ found / failed ──────────────────────────────────────────│
 *    │── browse-walk ────────────────────────────────────────────>│
 *    │<─ found, found-data …, found-end … done / failed ──────────│
 *    │── browse-write, apply-*, apply-data …, apply-finish ───────>│ no answer unless it fails
 *    │<─ done / failed ───────────────────────────────────────────│
 */
export const messages: readonly (Declared & { readonly to: "keel" | "client" | "both" })[] = [
  // -- to keel serve ---------------------------------------------------------------------------------------------
  {
    number: 1,
    name: "execute",
    to: "keel",
    doc: "Run a program to its end in a forked process; answered by `executed` or `failed`",
    fields: [f("program", "operations", "what to run")],
  },
  {
    number: 2,
    name: "create",
    to: "keel",
    doc: "Start a monitor, and run a container's program up to `wait-start`, or to its exec when it has no `wait-start`; answered by `created` or `failed`. After a failure nothing is left but cgroups that the program made (the exit program is run for them)",
    fields: [
      f(
        "stateDirectory",
        "string",
        "existing host directory for monitor.sock, pid, and exit; empty for an orphan that needs no pid file",
      ),
      f("log", "string", "log file to append to, in CRI's format; empty for none"),
      f("terminal", "bool", "the program has a `terminal` operation: output is one stream"),
      f("openStdin", "bool", "give the process an open stdin; /dev/null otherwise"),
      f("stdinOnce", "bool", "close stdin when the first attached client's input ends"),
      f("inheritStdio", "bool", "the process uses keel's own stdin, stdout and stderr as they are (no log, no attach)"),
      f(
        "oomFile",
        "string",
        "v1 memory.oom_control or v2 memory.events of its cgroup, read at exit for oom_kill; empty for none",
      ),
      f("program", "operations", "the container"),
      f(
        "exitProgram",
        "operations",
        "run by the monitor after the container's exit, before anybody is told; failures are ignored",
      ),
      f(
        "exitCommand",
        "list<string>",
        "program and arguments started by the monitor after all is done, with /dev/null as stdio, when no client was told of the end by `exited`; empty for none",
      ),
      f(
        "orphan",
        "bool",
        "the monitor does not stay: it ends when the container is created, and leaves it to the nearest subreaper. There is no monitor.sock, log, or exit program after that, and stdio is keel's own unless there is a terminal",
      ),
      f(
        "consoleSocket",
        "string",
        "orphan only: host path of a unix stream socket that receives the terminal's master (SCM_RIGHTS, with the terminal's name inside); empty for none",
      ),
      f(
        "pidfdSocket",
        "string",
        "host path of a unix stream socket that receives a pidfd of the container's process (SCM_RIGHTS); empty for none",
      ),
      f("preserve", "u32", "how many of the descriptors that keel was given the program gets as 3, 4, …"),
      f("container", "u32", "pid of a running container that `join-container` enters; 0 for none"),
      f(
        "containerStart",
        "u64",
        "its start time in clock ticks (field 22 of /proc/PID/stat), by which it is told from others",
      ),
      f(
        "journal",
        "string",
        "file that records are appended to, each in one write(2), made with mode 0600 when missing; empty for none",
      ),
      f("startRecord", "Record", "the container's program executes: `SECONDS NANOSECONDS`, the time"),
      f("exitRecord", "Record", "the container has ended: what the file `exit` says, without its newline"),
      f(
        "oomRecord",
        "Record",
        "kills for want of memory in its cgroup: `COUNT SECONDS NANOSECONDS`, how many since the record before, and the time",
      ),
      f(
        "logMaxSize",
        "u64",
        "bytes beyond which the log is renamed to LOG.1, LOG.1 to LOG.2 and so on, and a new one begun; 0 for no limit",
      ),
      f("logMaxFiles", "u32", "how many files of the log there may be; what is older is removed"),
    ],
  },
  // -- to a monitor ------------------------------------------------------------------------------------------------
  {
    number: 10,
    name: "start",
    to: "keel",
    doc: "Let the created container exec; answered by `done`, or `failed` when exec fails",
    fields: [],
  },
  {
    number: 11,
    name: "attach",
    to: "keel",
    doc: "Send output from now on as `output`; `input`, `close-input` and `resize` with this request id go to the process. Answered by `done`, and `exited` at its end after all output",
    fields: [f("stdin", "bool", "this client sends input"), f("output", "bool", "this client wants output")],
  },
  {
    number: 12,
    name: "input",
    to: "keel",
    doc: "Bytes for stdin of what this request is attached to. Not answered",
    fields: [f("data", "bytes", "at most 64 KiB")],
  },
  {
    number: 13,
    name: "close-input",
    to: "keel",
    doc: "End of stdin of what this request is attached to. Not answered",
    fields: [],
  },
  {
    number: 14,
    name: "resize",
    to: "keel",
    doc: "Window size for the terminal of what this request is attached to, or of the container. Not answered",
    fields: [f("columns", "u32", "width"), f("rows", "u32", "height")],
  },
  {
    number: 15,
    name: "signal",
    to: "keel",
    doc: "Signal the container's first process through its pidfd, or (process not 0) one exec session; answered by `done` or `failed` (ESRCH when it has ended)",
    fields: [
      f("signal", "u32", "signal number"),
      f("process", "u32", "pid of an exec session in the host's pid namespace, or 0"),
    ],
  },
  {
    number: 16,
    name: "wait",
    to: "keel",
    doc: "Answered by `exited` when the container has ended and its exit program has run",
    fields: [],
  },
  { number: 17, name: "status", to: "keel", doc: "Answered by `status-is`", fields: [] },
  {
    number: 18,
    name: "exec",
    to: "keel",
    doc: "Start another process in the container, attached to this request; answered by `exec-started` or `failed`, then `output` and `exited`. The process outlives the connection",
    fields: [
      f("terminal", "bool", "the program has a `terminal` operation"),
      f("openStdin", "bool", "this client sends input; /dev/null otherwise"),
      f("output", "bool", "this client wants output; otherwise it is thrown away (exec -d). `exited` comes either way"),
      f("program", "operations", "with join-container, clone, …, exec"),
    ],
  },
  // -- to keel apply: entries of a layer, made below one root directory ----------------------------------------------
  {
    number: 30,
    name: "apply-open",
    to: "keel",
    doc: "Open the directory that all further paths are in. Every path is resolved below it; a symbolic link as a parent is resolved inside it",
    fields: [
      f("root", "string", "absolute, existing directory"),
      f(
        "overlay",
        "bool",
        "write whiteouts as overlayfs does (0:0 devices and trusted.overlay.opaque); otherwise remove what they name",
      ),
    ],
  },
  {
    number: 31,
    name: "apply-directory",
    to: "keel",
    doc: "A directory: made, or an existing one given these attributes",
    fields: [
      f("path", "string", "path in the root"),
      f("mode", "u32", "permission bits with setuid, setgid and sticky"),
      f("uid", "u32", "owner"),
      f("gid", "u32", "group"),
      f("modified", "Timestamp", "mtime, set at `apply-finish`"),
      f("xattrs", "list<Xattr>", "extended attributes"),
    ],
  },
  {
    number: 32,
    name: "apply-file",
    to: "keel",
    doc: "A regular file; `apply-data` frames with its content follow, then `apply-end`. Replaces whatever is there",
    fields: [
      f("path", "string", "path in the root"),
      f("size", "u64", "bytes to come; it is pre-sized, holes are left where nothing is written"),
      f("mode", "u32", "permission bits with setuid, setgid and sticky"),
      f("uid", "u32", "owner"),
      f("gid", "u32", "group"),
      f("modified", "Timestamp", "mtime"),
      f("xattrs", "list<Xattr>", "extended attributes"),
    ],
  },
  {
    number: 33,
    name: "apply-data",
    to: "keel",
    doc: "Content of the file opened last, at an offset",
    fields: [f("offset", "u64", "position in the file"), f("data", "bytes", "at most 1 MiB")],
  },
  {
    number: 34,
    name: "apply-end",
    to: "keel",
    doc: "The file opened last is complete: owner, mode, xattrs and times are set",
    fields: [],
  },
  {
    number: 35,
    name: "apply-symlink",
    to: "keel",
    doc: "A symbolic link. Replaces whatever is there",
    fields: [
      f("path", "string", "path in the root"),
      f("target", "string", "as stored"),
      f("uid", "u32", "owner"),
      f("gid", "u32", "group"),
      f("modified", "Timestamp", "mtime"),
      f("xattrs", "list<Xattr>", "extended attributes"),
    ],
  },
  {
    number: 36,
    name: "apply-hardlink",
    to: "keel",
    doc: "Another name of a file of the same layer. Replaces whatever is there",
    fields: [
      f("path", "string", "path in the root"),
      f("target", "string", "path in the root of the existing file; a symbolic link itself, not what it points to"),
    ],
  },
  {
    number: 37,
    name: "apply-node",
    to: "keel",
    doc: "A device node or FIFO. Replaces whatever is there",
    fields: [
      f("path", "string", "path in the root"),
      f("mode", "u32", "S_IFCHR, S_IFBLK or S_IFIFO and permission bits"),
      f("major", "u32", "device major"),
      f("minor", "u32", "device minor"),
      f("uid", "u32", "owner"),
      f("gid", "u32", "group"),
      f("modified", "Timestamp", "mtime"),
      f("xattrs", "list<Xattr>", "extended attributes"),
    ],
  },
  {
    number: 38,
    name: "apply-whiteout",
    to: "keel",
    doc: "Hide a name of lower layers",
    fields: [f("path", "string", "path in the root of what is hidden")],
  },
  {
    number: 39,
    name: "apply-opaque",
    to: "keel",
    doc: "Hide all that lower layers have in a directory",
    fields: [f("path", "string", "the directory")],
  },
  {
    number: 40,
    name: "apply-finish",
    to: "keel",
    doc: "Set directory times, flush the filesystem if asked; answered by `done`",
    fields: [f("sync", "bool", "syncfs the root's filesystem before answering")],
  },
  // -- to keel browse: reading and writing below one root --------------------------------------------------------------
  {
    number: 60,
    name: "browse-open",
    to: "keel",
    doc: "Run operations in this process, and stay in the root that they leave: every path of the messages to come is resolved in it, whatever links lead to. No process is made, and no program run. What a `freeze` has stopped goes on when this process ends, however that comes. Answered by `done` or `failed`",
    fields: [
      f("mounts", "bool", "first enter a mount namespace of its own, which ends with the process"),
      f("program", "operations", "without any that makes a process"),
    ],
  },
  {
    number: 61,
    name: "browse-look",
    to: "keel",
    doc: "Tell what is at a path; answered by `found`, whose path is `.`, or by `failed`",
    fields: [
      f("path", "string", "path in the root"),
      f("follow", "bool", "what a symbolic link at its end leads to, and not the link"),
    ],
  },
  {
    number: 62,
    name: "browse-walk",
    to: "keel",
    doc: "Tell what is at a path and below it, a directory before what is in it and the names of each in the order of their bytes; each by `found`, and then `done`, or `failed`. What has gone meanwhile is left out",
    fields: [
      f("path", "string", "path in the root"),
      f("follow", "bool", "start at what a symbolic link at its end leads to"),
      f("depth", "u8", "0 for the path alone, 1 with what is in it, 2 with all below"),
      f(
        "cross",
        "bool",
        "go into what is mounted below, but for filesystems that are the kernel's own, such as procfs",
      ),
      f("content", "bool", "the files' content too: `found-data` and then `found-end` after each file's `found`"),
    ],
  },
  {
    number: 63,
    name: "browse-write",
    to: "keel",
    doc: "Take the entries of an `apply`, up to its `apply-finish`, in the root. A directory that is there stays as it is, and is never replaced by anything else; nothing else is replaced by a directory. A failure is the last answer",
    fields: [],
  },
  // -- from keel ---------------------------------------------------------------------------------------------------
  { number: 100, name: "done", to: "client", doc: "The request succeeded", fields: [] },
  {
    number: 101,
    name: "failed",
    to: "client",
    doc: "The request failed",
    fields: [
      f("step", "i32", "index of the failed operation in its program, or -1 when none was at fault"),
      f("errno", "u32", "Linux errno"),
      f("syscall", "string", "system call that failed"),
      f("detail", "string", "path or other value it failed on, may be empty"),
    ],
  },
  {
    number: 102,
    name: "executed",
    to: "client",
    doc: "The program ended well",
    fields: [f("results", "list<Result>", "what operations gave back")],
  },
  {
    number: 103,
    name: "created",
    to: "client",
    doc: "The container waits for start",
    fields: [f("pid", "u32", "its first process, in keel's pid namespace"), f("monitor", "u32", "pid of the monitor")],
  },
  {
    number: 104,
    name: "output",
    to: "client",
    doc: "Output of what the request is attached to",
    fields: [f("stream", "u8", "1 stdout or terminal, 2 stderr"), f("data", "bytes", "at most 64 KiB")],
  },
  {
    number: 105,
    name: "exited",
    to: "client",
    doc: "The process has ended",
    fields: [
      f("status", "u32", "exit code, or 128 + signal"),
      f("signal", "u32", "signal that ended it, or 0"),
      f("oomKilled", "bool", "its cgroup has had an OOM kill"),
      f("seconds", "i64", "when, since the epoch"),
      f("nanoseconds", "u32", "0 to 999,999,999"),
    ],
  },
  {
    number: 106,
    name: "exec-started",
    to: "client",
    doc: "The exec'd process runs",
    fields: [f("pid", "u32", "in keel's pid namespace")],
  },
  {
    number: 107,
    name: "status-is",
    to: "client",
    doc: "How the container is",
    fields: [
      f("state", "u8", "1 created, 2 running, 3 exited"),
      f("pid", "u32", "its first process, 0 when exited"),
      f("execs", "list<u32>", "pids of running exec sessions"),
    ],
  },
  {
    number: 120,
    name: "found",
    to: "client",
    doc: "A file of any kind",
    fields: [
      f("path", "string", "below what was asked for, `.` for that itself"),
      f("link", "string", "path by which this walk has found the same file before, or empty"),
      f("mode", "u32", "st_mode: type and permission bits"),
      f("uid", "u32", "owner"),
      f("gid", "u32", "group"),
      f("major", "u32", "of a device node"),
      f("minor", "u32", "of a device node"),
      f("size", "u64", "st_size"),
      f("seconds", "i64", "mtime since the epoch"),
      f("nanoseconds", "u32", "0 to 999,999,999"),
      f("target", "string", "of a symbolic link"),
      f("xattrs", "list<Xattr>", "extended attributes"),
      f("segments", "list<Segment>", "of a file whose content follows: what is no hole of it, in order"),
    ],
  },
  {
    number: 121,
    name: "found-data",
    to: "client",
    doc: "Content of the file found last, in order",
    fields: [f("data", "bytes", "at most 256 KiB")],
  },
  {
    number: 122,
    name: "found-end",
    to: "client",
    doc: "The file found last ends here; when less came than its segments say, it has become shorter",
    fields: [],
  },
];
