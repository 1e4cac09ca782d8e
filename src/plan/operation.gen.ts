// Generated from native/keel/wire/declaration.ts by `npm run generate`. Do not edit.

/** One line of uid_map or gid_map (user_namespaces(7)) */
export interface IdMap {
  /** first id inside the user namespace */
  readonly inside: number;
  /** first id outside */
  readonly outside: number;
  /** how many ids */
  readonly count: number;
}

/** One fsconfig(2) parameter; an empty value is FSCONFIG_SET_FLAG, any other FSCONFIG_SET_STRING */
export interface MountParameter {
  /** parameter name, e.g. `size` */
  readonly key: string;
  /** its value, or empty for a flag */
  readonly value: string;
}

/** A namespaced kernel parameter */
export interface Setting {
  /** path below /proc/sys */
  readonly key: string;
  /** what is written to it */
  readonly value: string;
}

/** What a process may do with a file or with all below a directory */
export interface LandlockPath {
  /** path in the root */
  readonly path: string;
  /** LANDLOCK_ACCESS_FS_*; of a file that is no directory, those that files have */
  readonly access: bigint;
}

/** What a process may do with a TCP port */
export interface LandlockPort {
  /** port number */
  readonly port: number;
  /** LANDLOCK_ACCESS_NET_* */
  readonly access: bigint;
}

/** One extended attribute */
export interface Xattr {
  /** with its prefix, e.g. `security.capability` */
  readonly name: string;
  /** raw value */
  readonly value: Uint8Array;
}

/** A file that may be there, and what to write to it */
export interface FileChoice {
  /** without any slash */
  readonly name: string;
  /** what to write, in one write(2) */
  readonly data: string;
}

/** A time as the kernel stores it */
export interface Timestamp {
  /** since the epoch, may be negative */
  readonly seconds: bigint;
  /** 0 to 999,999,999 */
  readonly nanoseconds: number;
}

/** A part of a file that is data and no hole */
export interface Segment {
  /** position in the file */
  readonly offset: bigint;
  /** bytes */
  readonly size: bigint;
}

/** A line of the journal: `before`, what the monitor has to tell, and `after`; none when `before` is empty */
export interface Record {
  /** its beginning */
  readonly before: string;
  /** its end */
  readonly after: string;
}

/** What one operation gave back (only `read-file`, `netlink`, `helper` and `peer-credentials` give anything) */
export interface Result {
  /** index of the operation in its program, from 0 */
  readonly step: number;
  /** what it read */
  readonly data: Uint8Array;
}

/** One step of a container's program, as keel executes it. */
/** Create the container's process, in new namespaces */
export interface OperationClone {
  readonly op: "clone";
  /** CLONE_NEW* flags: pid, mnt, net, ipc, uts, user, cgroup, time. Time is entered by unshare and setns after clone; cgroup is unshared by a `join-cgroup` operation after it has joined, or by clone when there is none */
  readonly namespaces: bigint;
  /** cgroup v2 directory to be born in (CLONE_INTO_CGROUP), or empty */
  readonly cgroup: string;
}

/** Enter one existing namespace by its file */
export interface OperationJoinNamespace {
  readonly op: "join-namespace";
  /** the CLONE_NEW* flag it must be (setns(2) nstype) */
  readonly kind: bigint;
  /** e.g. /proc/42/ns/net */
  readonly path: string;
}

/** Enter namespaces of the monitor's own container, through its pidfd (exec) */
export interface OperationJoinContainer {
  readonly op: "join-container";
  /** CLONE_NEW* flags */
  readonly namespaces: bigint;
}

/** Report that the container is created, and wait for `start`; after a `start-socket`, for whoever connects there */
export interface OperationWaitStart {
  readonly op: "wait-start";
}

/** Become the container's program. Every descriptor but 0, 1, 2 and those that `create` preserves is closed */
export interface OperationExec {
  readonly op: "exec";
  /** argv; argv[0] without a slash is looked up in PATH of `environment`, as the user set before */
  readonly arguments: readonly string[];
  /** NAME=value */
  readonly environment: readonly string[];
  /** run it below keel as pid 1, which forwards signals and reaps (`--init`) */
  readonly init: boolean;
}

/** Find what `exec` will run, so that a missing command is an error of create and not of start */
export interface OperationFindExecutable {
  readonly op: "find-executable";
  /** argv[0] */
  readonly command: string;
  /** value of PATH, or empty for the default */
  readonly path: string;
  /** working directory that a relative command is resolved against */
  readonly directory: string;
}

/** Have the kernel signal this process when its monitor dies (prctl PR_SET_PDEATHSIG). Not for an orphan */
export interface OperationParentDeathSignal {
  readonly op: "parent-death-signal";
  /** signal number */
  readonly signal: number;
}

/** Start a new session (setsid) */
export interface OperationSession {
  readonly op: "session";
}

/** Open a terminal of the container's own devpts, make it stdin, stdout, stderr and the controlling terminal, give the master to the monitor */
export interface OperationTerminal {
  readonly op: "terminal";
  /** width, 0 to leave it */
  readonly columns: number;
  /** height, 0 to leave it */
  readonly rows: number;
  /** also bind the terminal to /dev/console, by descriptor */
  readonly console: boolean;
}

/** Give the stdio pipes to the container's user, so that /dev/stdout can be opened anew */
export interface OperationStdioOwner {
  readonly op: "stdio-owner";
  /** owner inside the container */
  readonly uid: number;
  /** group inside the container */
  readonly gid: number;
}

/** Before `clone`: listen on start.sock (mode 0600) in a host directory, for the `wait-start` of a container whose monitor does not stay. Whoever is connected first starts it: it is answered by `done` at once, then by `failed` if an operation fails, exec included, or by the connection's end when exec has succeeded. All others see their connection end without a word */
export interface OperationStartSocket {
  readonly op: "start-socket";
  /** absolute host directory. The socket is not removed from it: that is left to who starts it */
  readonly directory: string;
}

/** Run a program outside of the container's own, and wait for its end: a hook of the runtime-spec. It fails when its status is not 0. It has no descriptor but 0, 1 and 2, and its stdout goes nowhere */
export interface OperationHook {
  readonly op: "hook";
  /** by the parent, with the host's namespaces, as they were before the first operation; otherwise with the container's */
  readonly parent: boolean;
  /** absolute path of the program */
  readonly path: string;
  /** argv; empty for the path alone */
  readonly arguments: readonly string[];
  /** NAME=value, nothing is added */
  readonly environment: readonly string[];
  /** working directory, or empty to leave it */
  readonly directory: string;
  /** milliseconds until it and its process group are killed, 0 for none */
  readonly timeout: number;
  /** its stdin: this, the host's pid of the container's process in decimal, and `after` */
  readonly before: string;
  /** see `before` */
  readonly after: string;
}

/** Before `clone`: connect to the agent that gets the descriptor of a `seccomp` operation with SECCOMP_FILTER_FLAG_NEW_LISTENER. It is sent (SCM_RIGHTS) with `before`, the host's pid of the container's process in decimal, and `after`; or with `before`, pid, `between`, pid, `after` */
export interface OperationSeccompListener {
  readonly op: "seccomp-listener";
  /** host path of a unix stream socket */
  readonly path: string;
  /** beginning of the runtime-spec's containerProcessState, in JSON */
  readonly before: string;
  /** what stands between two places for the pid; empty when there is one only */
  readonly between: string;
  /** its end */
  readonly after: string;
  /** send a pidfd of the container's process as a second descriptor */
  readonly pidfd: boolean;
}

/** Create a cgroup directory with its parents */
export interface OperationCgroupCreate {
  readonly op: "cgroup-create";
  /** absolute directory below a cgroup mount */
  readonly path: string;
  /** the cgroup mount it is below */
  readonly mount: string;
  /** v1 cpuset: fill empty cpuset.cpus and cpuset.mems from the parent on each level */
  readonly cpuset: boolean;
  /** v2: controllers to enable in cgroup.subtree_control of each parent, those that the kernel has and lets be enabled; empty on v1 */
  readonly controllers: readonly string[];
}

/** Move this process into cgroups, by writing 0 to each tasks (v1) or cgroup.procs (v2) file. Their files are opened before `clone`. Then unshare the cgroup namespace if asked */
export interface OperationJoinCgroup {
  readonly op: "join-cgroup";
  /** cgroup directories */
  readonly paths: readonly string[];
  /** then enter a new cgroup namespace */
  readonly unshare: boolean;
}

/** Write a kernel file of the host's side (cgroup, /proc) in one write(2) */
export interface OperationWriteFile {
  readonly op: "write-file";
  /** absolute path, opened without following a final symbolic link and never created */
  readonly path: string;
  /** what to write */
  readonly data: string;
  /** a missing file, or a value that this host may not set (ENOENT, EPERM, EACCES), is no failure */
  readonly tolerate: boolean;
}

/** Attach an eBPF device program to a cgroup v2 directory (BPF_CGROUP_DEVICE), in place of those attached before */
export interface OperationCgroupDeviceFilter {
  readonly op: "cgroup-device-filter";
  /** cgroup directory */
  readonly path: string;
  /** struct bpf_insn array, 8 bytes each */
  readonly program: Uint8Array;
}

/** Kill every process of a cgroup and its children (cgroup.kill on v2; signalled until empty on v1). A missing directory is no failure */
export interface OperationCgroupKill {
  readonly op: "cgroup-kill";
  /** cgroup directory */
  readonly path: string;
}

/** Remove a cgroup directory and its children. Waits briefly while the kernel still counts dying tasks. A missing directory is no failure */
export interface OperationCgroupRemove {
  readonly op: "cgroup-remove";
  /** cgroup directory */
  readonly path: string;
}

/** Stop every process of a cgroup and its children, or let them go on (freezer.state on v1, cgroup.freeze on v2). Waits up to 10 s until all are stopped; if they are not by then (ETIMEDOUT), they go on */
export interface OperationFreeze {
  readonly op: "freeze";
  /** cgroup directory; on v1 of the freezer hierarchy */
  readonly path: string;
  /** stop them */
  readonly frozen: boolean;
}

/** Write the first of some files of a cgroup that this kernel has. Fails (ENOENT) when it has none */
export interface OperationWriteFirst {
  readonly op: "write-first";
  /** cgroup directory */
  readonly directory: string;
  /** files in order of preference, each with what to write to it */
  readonly choices: readonly FileChoice[];
}

/** Give a cgroup v2 directory, and those of its files that a delegate may write, to a user. A missing file is no failure */
export interface OperationCgroupOwner {
  readonly op: "cgroup-owner";
  /** cgroup directory */
  readonly path: string;
  /** owner, on the host */
  readonly uid: number;
  /** group, on the host; 2^32-1 to leave it */
  readonly gid: number;
  /** names of files in it */
  readonly files: readonly string[];
}

/** Set mount propagation recursively from the current root */
export interface OperationPropagation {
  readonly op: "propagation";
  /** MS_SLAVE, MS_PRIVATE, MS_SHARED or MS_UNBINDABLE */
  readonly mode: bigint;
  /** with all mounts below */
  readonly recursive: boolean;
}

/** Mount an overlay and make it the root directory of what follows */
export interface OperationRootOverlay {
  readonly op: "root-overlay";
  /** read-only layers, top first */
  readonly lower: readonly string[];
  /** writable directory, or empty for a read-only overlay */
  readonly upper: string;
  /** overlayfs' own directory, on upper's filesystem */
  readonly work: string;
  /** further overlay parameters */
  readonly parameters: readonly MountParameter[];
  /** existing host directory to attach it to, in the private mount namespace only */
  readonly target: string;
}

/** Bind an existing directory onto itself and make it the root directory of what follows */
export interface OperationRootBind {
  readonly op: "root-bind";
  /** absolute host directory */
  readonly path: string;
  /** with mounts below it */
  readonly recursive: boolean;
}

/** Use an existing directory as the root of what follows, without any mount (`/` for the current root) */
export interface OperationRootDirectory {
  readonly op: "root-directory";
  /** absolute directory */
  readonly path: string;
}

/** Mount a new filesystem in the root (fsopen, fsconfig, fsmount, move_mount) */
export interface OperationMount {
  readonly op: "mount";
  /** filesystem type, e.g. `proc` */
  readonly type: string;
  /** source, or empty */
  readonly source: string;
  /** path in the root; missing directories are created */
  readonly target: string;
  /** MOUNT_ATTR_* flags */
  readonly attributes: bigint;
  /** filesystem parameters */
  readonly parameters: readonly MountParameter[];
  /** mode for directories that have to be created */
  readonly mode: number;
}

/** Bind a host path into the root (open_tree, mount_setattr, move_mount) */
export interface OperationBind {
  readonly op: "bind";
  /** absolute host path */
  readonly source: string;
  /** path in the root; created as a directory or an empty file, like the source, when missing */
  readonly target: string;
  /** with mounts below the source */
  readonly recursive: boolean;
  /** MOUNT_ATTR_* to set on it */
  readonly set: bigint;
  /** MOUNT_ATTR_* to clear on it */
  readonly clear: bigint;
  /** MOUNT_ATTR_* to set on it and all mounts below */
  readonly setRecursive: bigint;
  /** MOUNT_ATTR_* to clear on it and all mounts below */
  readonly clearRecursive: bigint;
  /** MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE, 0 to leave it */
  readonly propagation: bigint;
  /** propagation for mounts below too */
  readonly propagationRecursive: boolean;
}

/** Change attributes of a mount that is already in the root (mount_setattr) */
export interface OperationMountAttributes {
  readonly op: "mount-attributes";
  /** path in the root */
  readonly path: string;
  /** MOUNT_ATTR_* to set */
  readonly set: bigint;
  /** MOUNT_ATTR_* to clear */
  readonly clear: bigint;
  /** and all mounts below */
  readonly recursive: boolean;
}

/** Make a directory in the root with its parents; an existing one is left as it is */
export interface OperationDirectory {
  readonly op: "directory";
  /** path in the root */
  readonly path: string;
  /** permission bits */
  readonly mode: number;
  /** owner */
  readonly uid: number;
  /** group */
  readonly gid: number;
}

/** Make a symbolic link in the root; an existing link with that target is left */
export interface OperationSymlink {
  readonly op: "symlink";
  /** what it points to */
  readonly target: string;
  /** path in the root */
  readonly path: string;
}

/** Make a device node or FIFO in the root; one that exists must be the same device */
export interface OperationDevice {
  readonly op: "device";
  /** path in the root */
  readonly path: string;
  /** S_IFCHR, S_IFBLK or S_IFIFO, and permission bits (not subject to umask) */
  readonly mode: number;
  /** device major number */
  readonly major: number;
  /** device minor number */
  readonly minor: number;
  /** owner */
  readonly uid: number;
  /** group */
  readonly gid: number;
}

/** Hide a path in the root: /dev/null (checked to be device 1:3) over a file, an empty read-only tmpfs over a directory. A missing path is no failure */
export interface OperationMask {
  readonly op: "mask";
  /** path in the root */
  readonly path: string;
}

/** Make a path in the root read-only by a bind mount onto itself. A missing path is no failure */
export interface OperationReadOnlyPath {
  readonly op: "read-only-path";
  /** path in the root */
  readonly path: string;
}

/** Copy a directory of the root into an empty host directory, with owners, modes, times, xattrs, hard links and device nodes. Does nothing when the source is missing or no directory, or the destination is not empty */
export interface OperationCopyTree {
  readonly op: "copy-tree";
  /** path in the root */
  readonly source: string;
  /** absolute host directory; takes the source's owner and mode */
  readonly destination: string;
}

/** Give back the content of a regular file in the root. A missing file gives nothing */
export interface OperationReadFile {
  readonly op: "read-file";
  /** path in the root */
  readonly path: string;
  /** largest size in bytes; a longer file is a failure (EFBIG) */
  readonly limit: number;
}

/** Make the root directory the root of the mount namespace and let go of the old one (pivot_root, umount2) */
export interface OperationPivotRoot {
  readonly op: "pivot-root";
}

/** Take a copy of the mount at a host path, for `attach-source`, which may stand behind `clone` or `join-namespace`. In a container with a user namespace of its own by the parent, who enters the container's mount namespace for it */
export interface OperationOpenSource {
  readonly op: "open-source";
  /** number that `attach-source` names it by, from 0 to 255 */
  readonly slot: number;
  /** absolute host path */
  readonly source: string;
  /** with mounts below the source */
  readonly recursive: boolean;
  /** a symbolic link at the end of the path is itself the source */
  readonly noFollow: boolean;
  /** stay a peer of the source's mount: what is mounted below either appears in both */
  readonly peer: boolean;
  /** MOUNT_ATTR_* to set on it */
  readonly set: bigint;
  /** MOUNT_ATTR_* to clear on it */
  readonly clear: bigint;
  /** MOUNT_ATTR_* to set on it and all mounts below */
  readonly setRecursive: bigint;
  /** MOUNT_ATTR_* to clear on it and all mounts below */
  readonly clearRecursive: bigint;
  /** MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE, 0 to leave it */
  readonly propagation: bigint;
  /** propagation for mounts below too */
  readonly propagationRecursive: boolean;
  /** ids of its files (inside) as they show (outside); none without an id map */
  readonly uids: readonly IdMap[];
  /** likewise, of groups */
  readonly gids: readonly IdMap[];
  /** file of a user namespace whose maps are taken in place of `uids` and `gids`, or empty */
  readonly userNamespace: string;
  /** map ids of mounts below too */
  readonly mapRecursive: boolean;
}

/** Attach what `open-source` took (move_mount) */
export interface OperationAttachSource {
  readonly op: "attach-source";
  /** the number of `open-source` */
  readonly slot: number;
  /** path in the root; created as a directory or an empty file, like the source, when missing */
  readonly target: string;
  /** a symbolic link at the end of the target is mounted over, and not followed */
  readonly noFollow: boolean;
  /** where the source is a symbolic link, make the same link at the target and mount nothing */
  readonly copyLink: boolean;
}

/** Like `mount`, for a filesystem that takes over what it covers */
export interface OperationMountOver {
  readonly op: "mount-over";
  /** filesystem type, e.g. `tmpfs` */
  readonly type: string;
  /** source, or empty */
  readonly source: string;
  /** path in the root; missing directories are created */
  readonly target: string;
  /** MOUNT_ATTR_* flags */
  readonly attributes: bigint;
  /** filesystem parameters */
  readonly parameters: readonly MountParameter[];
  /** mode for directories that have to be created */
  readonly mode: number;
  /** its root gets the permission bits of the directory that it covers, when there is one */
  readonly keepMode: boolean;
  /** it starts with a copy of what it covers, with owners, modes, times and xattrs */
  readonly copy: boolean;
}

/** Set the propagation of a mount that is already in the root */
export interface OperationMountPropagation {
  readonly op: "mount-propagation";
  /** path in the root */
  readonly path: string;
  /** MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE */
  readonly mode: bigint;
  /** and of all mounts below */
  readonly recursive: boolean;
}

/** Change parameters of the filesystem that is mounted at a path in the root (fspick, fsconfig) */
export interface OperationReconfigure {
  readonly op: "reconfigure";
  /** path in the root */
  readonly path: string;
  /** filesystem parameters */
  readonly parameters: readonly MountParameter[];
}

/** In place of `pivot-root`, where the host's root is a ramdisk, which cannot be let go of: detach the host's procfs and sysfs, move the root directory's mount over the host's root, and chroot to it */
export interface OperationMoveRoot {
  readonly op: "move-root";
}

/** Detach the mount at a path in the root. A path that is no mount is a failure (EINVAL) */
export interface OperationUnmountPath {
  readonly op: "unmount-path";
  /** path in the root; a symbolic link at its end is not followed */
  readonly path: string;
}

/** Write the user namespace's id maps. By the parent */
export interface OperationIdMap {
  readonly op: "id-map";
  /** uid_map */
  readonly uids: readonly IdMap[];
  /** gid_map */
  readonly gids: readonly IdMap[];
  /** write deny to setgroups first (needed without privilege) */
  readonly denySetgroups: boolean;
}

/** Offset clocks of a new time namespace (time_namespaces(7)); stands before `enter-time-namespace` */
export interface OperationTimeOffset {
  readonly op: "time-offset";
  /** `monotonic` or `boottime` */
  readonly clock: string;
  /** offset */
  readonly seconds: bigint;
  /** 0 to 999,999,999 */
  readonly nanoseconds: number;
}

/** Create a time namespace for this process to enter (unshare) */
export interface OperationTimeNamespace {
  readonly op: "time-namespace";
}

/** Enter the time namespace made before (setns on time_for_children) */
export interface OperationEnterTimeNamespace {
  readonly op: "enter-time-namespace";
}

/** Set the host name (sethostname) */
export interface OperationHostname {
  readonly op: "hostname";
  /** at most 64 bytes */
  readonly name: string;
}

/** Set the NIS domain name (setdomainname) */
export interface OperationDomainname {
  readonly op: "domainname";
  /** at most 64 bytes */
  readonly name: string;
}

/** Set a namespaced kernel parameter, through a /proc that is checked to be procfs, before pivot_root */
export interface OperationSysctl {
  readonly op: "sysctl";
  /** path below /proc/sys, e.g. net/ipv4/ip_forward */
  readonly key: string;
  /** what to write */
  readonly value: string;
}

/** Bring the loopback interface up */
export interface OperationLoopbackUp {
  readonly op: "loopback-up";
}

/** Set a resource limit (prlimit) */
export interface OperationRlimit {
  readonly op: "rlimit";
  /** RLIMIT_* number */
  readonly resource: number;
  /** 2^64-1 for unlimited */
  readonly soft: bigint;
  /** 2^64-1 for unlimited */
  readonly hard: bigint;
}

/** Join a new session keyring, so that the host's is not seen. A kernel without keys, or out of quota, is no failure */
export interface OperationKeyring {
  readonly op: "keyring";
  /** keyring name */
  readonly name: string;
}

/** Set supplementary groups, group, user and umask, keeping permitted capabilities for `capabilities` */
export interface OperationUser {
  readonly op: "user";
  /** user inside */
  readonly uid: number;
  /** group inside */
  readonly gid: number;
  /** supplementary groups */
  readonly groups: readonly number[];
  /** file mode creation mask */
  readonly umask: number;
}

/** Drop every capability that is not in the mask from the bounding set */
export interface OperationBoundingSet {
  readonly op: "bounding-set";
  /** bit n is capability n */
  readonly keep: bigint;
}

/** Set the effective, permitted, inheritable and ambient sets */
export interface OperationCapabilities {
  readonly op: "capabilities";
  /** bit n is capability n */
  readonly effective: bigint;
  /** likewise */
  readonly permitted: bigint;
  /** likewise */
  readonly inheritable: bigint;
  /** likewise */
  readonly ambient: bigint;
}

/** Forbid gaining privilege by exec (PR_SET_NO_NEW_PRIVS) */
export interface OperationNoNewPrivileges {
  readonly op: "no-new-privileges";
}

/** Install a system call filter (seccomp(2)) */
export interface OperationSeccomp {
  readonly op: "seccomp";
  /** struct sock_filter array, 8 bytes each */
  readonly program: Uint8Array;
  /** SECCOMP_FILTER_FLAG_* */
  readonly flags: number;
}

/** Change directory inside the container; it must lie inside the root (getcwd is checked) */
export interface OperationWorkingDirectory {
  readonly op: "working-directory";
  /** absolute path */
  readonly path: string;
}

/** Set the scheduling policy (sched_setattr). By the parent for a process born in a new user namespace: real-time policies and low nice values need privilege outside */
export interface OperationScheduler {
  readonly op: "scheduler";
  /** SCHED_* number */
  readonly policy: number;
  /** SCHED_FLAG_* */
  readonly flags: bigint;
  /** -20 to 19, for SCHED_OTHER and SCHED_BATCH */
  readonly nice: number;
  /** 1 to 99 for SCHED_FIFO and SCHED_RR, otherwise 0 */
  readonly priority: number;
  /** nanoseconds of a period, for SCHED_DEADLINE */
  readonly runtime: bigint;
  /** nanoseconds, likewise */
  readonly deadline: bigint;
  /** nanoseconds, likewise */
  readonly period: bigint;
}

/** Set the I/O priority (ioprio_set). By the parent like `scheduler` */
export interface OperationIoPriority {
  readonly op: "io-priority";
  /** 1 real-time, 2 best effort, 3 idle */
  readonly class: number;
  /** 0, the highest, to 7 */
  readonly level: number;
}

/** Bind this process to processors (sched_setaffinity); the cgroup's cpuset limits them further */
export interface OperationCpuAffinity {
  readonly op: "cpu-affinity";
  /** their numbers; none for all, which is then no failure where it is refused */
  readonly processors: readonly number[];
}

/** Set the execution domain (personality) */
export interface OperationPersonality {
  readonly op: "personality";
  /** PER_* number */
  readonly domain: bigint;
}

/** Set the NUMA memory policy (set_mempolicy) */
export interface OperationMemoryPolicy {
  readonly op: "memory-policy";
  /** MPOL_* with MPOL_F_* flags */
  readonly mode: number;
  /** memory nodes, 0 to 1023 */
  readonly nodes: readonly number[];
}

/** Write an attribute of this process for a security module (/proc/thread-self/attr, of a /proc that is checked to be procfs); where the module has no directory of its own there, the common one */
export interface OperationSecurityAttribute {
  readonly op: "security-attribute";
  /** its directory in attr, e.g. `apparmor`, or empty for the common one */
  readonly module: string;
  /** `exec` or `keycreate` */
  readonly attribute: string;
  /** what to write; nothing clears it */
  readonly value: string;
}

/** Remove a host directory that is empty, or as good as (a resctrl group). A missing one is no failure */
export interface OperationRemoveDirectory {
  readonly op: "remove-directory";
  /** absolute path */
  readonly path: string;
}

/** Set an extended attribute of a directory in the root */
export interface OperationDirectoryXattr {
  readonly op: "directory-xattr";
  /** path in the root */
  readonly path: string;
  /** with its prefix, e.g. `security.selinux` */
  readonly name: string;
  /** its value */
  readonly value: string;
}

/** Move a network device of the host into the container's network namespace, with its permanent addresses of global scope, and bring it up. By the parent. After a failure it is moved back */
export interface OperationMoveNetworkDevice {
  readonly op: "move-network-device";
  /** name on the host */
  readonly name: string;
  /** name in the container; `%d` in it becomes the first number that is free */
  readonly newName: string;
}

/** Restrict this process and its children (landlock(7)); takes no_new_privs or CAP_SYS_ADMIN */
export interface OperationLandlock {
  readonly op: "landlock";
  /** LANDLOCK_ACCESS_FS_* that are denied where no rule allows them */
  readonly handledFiles: bigint;
  /** LANDLOCK_ACCESS_NET_*, likewise */
  readonly handledNetwork: bigint;
  /** LANDLOCK_SCOPE_* */
  readonly scoped: bigint;
  /** leave out what the kernel does not have, instead of failing with EOPNOTSUPP */
  readonly bestEffort: boolean;
  /** rules for files */
  readonly paths: readonly LandlockPath[];
  /** rules for the network */
  readonly ports: readonly LandlockPort[];
}

/** Remove a host directory and all below it, by descriptor, following no link and crossing no mount. A missing one is no failure */
export interface OperationRemoveTree {
  readonly op: "remove-tree";
  /** absolute path */
  readonly path: string;
}

/** Detach a mount (umount2 MNT_DETACH, UMOUNT_NOFOLLOW). A path that is no mount is no failure */
export interface OperationUnmount {
  readonly op: "unmount";
  /** absolute path */
  readonly path: string;
}

/** Make a host directory; an existing one is left as it is */
export interface OperationHostDirectory {
  readonly op: "host-directory";
  /** absolute path whose parent exists */
  readonly path: string;
  /** permission bits (not subject to umask) */
  readonly mode: number;
  /** owner */
  readonly uid: number;
  /** group */
  readonly gid: number;
}

/** Send netlink messages and read the answers, which are given back without acknowledgements (nothing when there are none). Each message is sent when the one before has succeeded; netfilter's batches at once. The first refusal is the failure, its detail `message N`, N being the sequence number, and `: ` with the kernel's words where it has any. EINTR when what a dump lists changed meanwhile */
export interface OperationNetlink {
  readonly op: "netlink";
  /** 0 NETLINK_ROUTE, 4 NETLINK_SOCK_DIAG, 12 NETLINK_NETFILTER */
  readonly protocol: number;
  /** struct nlmsghdr and payload of each, with NLM_F_ACK where its answer is waited for */
  readonly messages: Uint8Array;
  /** file of the network namespace to do it in, or empty for the own one */
  readonly networkNamespace: string;
  /** files of namespaces that messages name by descriptor: the first is open as 200, the next as 201, at most 8 */
  readonly descriptors: readonly string[];
  /** what the messages are to do, in words that continue `Cannot` */
  readonly purpose: string;
}

/** Listen on a port of the host and pass all that comes to another address, in a process of its own that ends with the container's process, or when its file is removed. It listens when this is done */
export interface OperationForwardPort {
  readonly op: "forward-port";
  /** 6 TCP, 17 UDP */
  readonly protocol: number;
  /** IPv4 or IPv6 address to listen on */
  readonly address: string;
  /** 1 to 65535 */
  readonly port: number;
  /** IPv4 or IPv6 address, of any family */
  readonly target: string;
  /** 1 to 65535 */
  readonly targetPort: number;
  /** the container's process */
  readonly pid: number;
  /** absolute path of a file to make; its removal ends the forwarding */
  readonly file: string;
}

/** Listen on a unix socket and connect whoever comes there to TCP ports of the loopback interface in a network namespace, in a process of its own that ends with another one, or when the socket's file is removed. A client sends the port (2 bytes, big endian) and gets one byte: 0, or errno. It listens when this is done */
export interface OperationForwardNamespace {
  readonly op: "forward-namespace";
  /** absolute, existing directory of the socket */
  readonly directory: string;
  /** the socket's; only its owner may connect */
  readonly name: string;
  /** file of the network namespace, or empty for the own one */
  readonly network: string;
  /** the process that it ends with */
  readonly pid: number;
}

/** Mount a read-only file on a path of the root that is in memory only: a tmpfs of its own, which holds nothing else */
export interface OperationMemoryFile {
  readonly op: "memory-file";
  /** path in the root; created as an empty file when missing */
  readonly path: string;
  /** its content */
  readonly data: Uint8Array;
  /** permission bits */
  readonly mode: number;
  /** owner */
  readonly uid: number;
  /** group */
  readonly gid: number;
}

/** Make namespaces that live without a container's process, each held by a file of its name (`user`, `pid`, `net`, `ipc`, `uts`), for `join-namespace`; the network has its loopback interface up. `unmount` lets go of one. A pid namespace has a first process, which reaps and does nothing else: it stays where this process is (cgroups), without its files, and ends by SIGKILL; the file `holder` there says `PID START` of it. When it fails, files that were made stay */
export interface OperationPinNamespaces {
  readonly op: "pin-namespaces";
  /** CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC and CLONE_NEWUTS, those that are wanted */
  readonly namespaces: bigint;
  /** absolute, existing host directory, in which none of the files is */
  readonly directory: string;
  /** host name of the uts namespace, or empty */
  readonly hostname: string;
  /** user ids of the user namespace, which owns the others; empty without one */
  readonly uids: readonly IdMap[];
  /** likewise group ids */
  readonly gids: readonly IdMap[];
  /** parameters of these namespaces */
  readonly sysctls: readonly Setting[];
}

/** Make the root directory a copy of its mount alone, which is attached nowhere: what is mounted on it is not seen, and what it covers is */
export interface OperationRootAlone {
  readonly op: "root-alone";
  /** nothing can be changed through it */
  readonly readOnly: boolean;
}

/** Mount read-only layers on top of each other at a path in the root, or only a directory or file of them */
export interface OperationMountLayers {
  readonly op: "mount-layers";
  /** absolute host directories, top first */
  readonly lower: readonly string[];
  /** path in the layers' root of what is mounted, resolved in there; empty for all */
  readonly subpath: string;
  /** path in the root; created as a directory or an empty file when missing */
  readonly target: string;
  /** MOUNT_ATTR_* to set on it; it is read-only in any case */
  readonly attributes: bigint;
}

/** Give back `PID UID GID` of the process that connected to a unix socket, as they were then (SO_PEERCRED) */
export interface OperationPeerCredentials {
  readonly op: "peer-credentials";
  /** process that has accepted the connection */
  readonly pid: number;
  /** the connection's descriptor there */
  readonly descriptor: number;
}

/** Tell the service manager how a service is: one datagram (sd_notify(3)) */
export interface OperationNotifyService {
  readonly op: "notify-service";
  /** its socket, NOTIFY_SOCKET: absolute, or abstract with `@` first */
  readonly path: string;
  /** main process of the service */
  readonly pid: number;
  /** lines of NAME=VALUE */
  readonly text: string;
}

/** Run a program of the host and wait for its end, however it ends. It is given back as `u32` wait status (wait(2)), `u32` size of its stdout, its stdout, and the last 4 KiB of its stderr. It has no descriptor but 0, 1 and 2, and `/` for working directory. ETIMEDOUT when it takes too long, EFBIG when it says more than `limit`: then it was killed with its process group. It runs on when the client goes */
export interface OperationHelper {
  readonly op: "helper";
  /** absolute path of the program */
  readonly path: string;
  /** argv; empty for the path alone */
  readonly arguments: readonly string[];
  /** NAME=value, nothing is added */
  readonly environment: readonly string[];
  /** its stdin */
  readonly input: Uint8Array;
  /** milliseconds, waiting for the lock included; 0 for none */
  readonly timeout: number;
  /** bytes of stdout, at most 1000000 */
  readonly limit: number;
  /** fail with ECANCELED when its status is not 0 */
  readonly succeed: boolean;
  /** absolute path of a file that only one helper has at a time; made when missing. Empty for none */
  readonly lock: string;
}

export type Operation =
  | OperationClone
  | OperationJoinNamespace
  | OperationJoinContainer
  | OperationWaitStart
  | OperationExec
  | OperationFindExecutable
  | OperationParentDeathSignal
  | OperationSession
  | OperationTerminal
  | OperationStdioOwner
  | OperationStartSocket
  | OperationHook
  | OperationSeccompListener
  | OperationCgroupCreate
  | OperationJoinCgroup
  | OperationWriteFile
  | OperationCgroupDeviceFilter
  | OperationCgroupKill
  | OperationCgroupRemove
  | OperationFreeze
  | OperationWriteFirst
  | OperationCgroupOwner
  | OperationPropagation
  | OperationRootOverlay
  | OperationRootBind
  | OperationRootDirectory
  | OperationMount
  | OperationBind
  | OperationMountAttributes
  | OperationDirectory
  | OperationSymlink
  | OperationDevice
  | OperationMask
  | OperationReadOnlyPath
  | OperationCopyTree
  | OperationReadFile
  | OperationPivotRoot
  | OperationOpenSource
  | OperationAttachSource
  | OperationMountOver
  | OperationMountPropagation
  | OperationReconfigure
  | OperationMoveRoot
  | OperationUnmountPath
  | OperationIdMap
  | OperationTimeOffset
  | OperationTimeNamespace
  | OperationEnterTimeNamespace
  | OperationHostname
  | OperationDomainname
  | OperationSysctl
  | OperationLoopbackUp
  | OperationRlimit
  | OperationKeyring
  | OperationUser
  | OperationBoundingSet
  | OperationCapabilities
  | OperationNoNewPrivileges
  | OperationSeccomp
  | OperationWorkingDirectory
  | OperationScheduler
  | OperationIoPriority
  | OperationCpuAffinity
  | OperationPersonality
  | OperationMemoryPolicy
  | OperationSecurityAttribute
  | OperationRemoveDirectory
  | OperationDirectoryXattr
  | OperationMoveNetworkDevice
  | OperationLandlock
  | OperationRemoveTree
  | OperationUnmount
  | OperationHostDirectory
  | OperationNetlink
  | OperationForwardPort
  | OperationForwardNamespace
  | OperationMemoryFile
  | OperationPinNamespaces
  | OperationRootAlone
  | OperationMountLayers
  | OperationPeerCredentials
  | OperationNotifyService
  | OperationHelper;

/** Run a program to its end in a forked process; answered by `executed` or `failed` */
export interface RequestExecute {
  readonly kind: "execute";
  /** what to run */
  readonly program: readonly Operation[];
}

/** Start a monitor, and run a container's program up to `wait-start`, or to its exec when it has no `wait-start`; answered by `created` or `failed`. After a failure nothing is left but cgroups that the program made (the exit program is run for them) */
export interface RequestCreate {
  readonly kind: "create";
  /** existing host directory for monitor.sock, pid, and exit; empty for an orphan that needs no pid file */
  readonly stateDirectory: string;
  /** log file to append to, in CRI's format; empty for none */
  readonly log: string;
  /** the program has a `terminal` operation: output is one stream */
  readonly terminal: boolean;
  /** give the process an open stdin; /dev/null otherwise */
  readonly openStdin: boolean;
  /** close stdin when the first attached client's input ends */
  readonly stdinOnce: boolean;
  /** the process uses keel's own stdin, stdout and stderr as they are (no log, no attach) */
  readonly inheritStdio: boolean;
  /** v1 memory.oom_control or v2 memory.events of its cgroup, read at exit for oom_kill; empty for none */
  readonly oomFile: string;
  /** the container */
  readonly program: readonly Operation[];
  /** run by the monitor after the container's exit, before anybody is told; failures are ignored */
  readonly exitProgram: readonly Operation[];
  /** program and arguments started by the monitor after all is done, with /dev/null as stdio, when no client was told of the end by `exited`; empty for none */
  readonly exitCommand: readonly string[];
  /** the monitor does not stay: it ends when the container is created, and leaves it to the nearest subreaper. There is no monitor.sock, log, or exit program after that, and stdio is keel's own unless there is a terminal */
  readonly orphan: boolean;
  /** orphan only: host path of a unix stream socket that receives the terminal's master (SCM_RIGHTS, with the terminal's name inside); empty for none */
  readonly consoleSocket: string;
  /** host path of a unix stream socket that receives a pidfd of the container's process (SCM_RIGHTS); empty for none */
  readonly pidfdSocket: string;
  /** how many of the descriptors that keel was given the program gets as 3, 4, … */
  readonly preserve: number;
  /** pid of a running container that `join-container` enters; 0 for none */
  readonly container: number;
  /** its start time in clock ticks (field 22 of /proc/PID/stat), by which it is told from others */
  readonly containerStart: bigint;
  /** file that records are appended to, each in one write(2), made with mode 0600 when missing; empty for none */
  readonly journal: string;
  /** the container's program executes: `SECONDS NANOSECONDS`, the time */
  readonly startRecord: Record;
  /** the container has ended: what the file `exit` says, without its newline */
  readonly exitRecord: Record;
  /** kills for want of memory in its cgroup: `COUNT SECONDS NANOSECONDS`, how many since the record before, and the time */
  readonly oomRecord: Record;
  /** bytes beyond which the log is renamed to LOG.1, LOG.1 to LOG.2 and so on, and a new one begun; 0 for no limit */
  readonly logMaxSize: bigint;
  /** how many files of the log there may be; what is older is removed */
  readonly logMaxFiles: number;
}

/** Let the created container exec; answered by `done`, or `failed` when exec fails */
export interface RequestStart {
  readonly kind: "start";
}

/** Send output from now on as `output`; `input`, `close-input` and `resize` with this request id go to the process. Answered by `done`, and `exited` at its end after all output */
export interface RequestAttach {
  readonly kind: "attach";
  /** this client sends input */
  readonly stdin: boolean;
  /** this client wants output */
  readonly output: boolean;
}

/** Bytes for stdin of what this request is attached to. Not answered */
export interface RequestInput {
  readonly kind: "input";
  /** at most 64 KiB */
  readonly data: Uint8Array;
}

/** End of stdin of what this request is attached to. Not answered */
export interface RequestCloseInput {
  readonly kind: "close-input";
}

/** Window size for the terminal of what this request is attached to, or of the container. Not answered */
export interface RequestResize {
  readonly kind: "resize";
  /** width */
  readonly columns: number;
  /** height */
  readonly rows: number;
}

/** Signal the container's first process through its pidfd, or (process not 0) one exec session; answered by `done` or `failed` (ESRCH when it has ended) */
export interface RequestSignal {
  readonly kind: "signal";
  /** signal number */
  readonly signal: number;
  /** pid of an exec session in the host's pid namespace, or 0 */
  readonly process: number;
}

/** Answered by `exited` when the container has ended and its exit program has run */
export interface RequestWait {
  readonly kind: "wait";
}

/** Answered by `status-is` */
export interface RequestStatus {
  readonly kind: "status";
}

/** Start another process in the container, attached to this request; answered by `exec-started` or `failed`, then `output` and `exited`. The process outlives the connection */
export interface RequestExec {
  readonly kind: "exec";
  /** the program has a `terminal` operation */
  readonly terminal: boolean;
  /** this client sends input; /dev/null otherwise */
  readonly openStdin: boolean;
  /** this client wants output; otherwise it is thrown away (exec -d). `exited` comes either way */
  readonly output: boolean;
  /** with join-container, clone, …, exec */
  readonly program: readonly Operation[];
}

/** Go on in a new log file at the same path, after the old one was renamed; answered by `done`, or by `failed`, and the old one is kept then. Nothing is lost or written twice */
export interface RequestReopenLog {
  readonly kind: "reopen-log";
}

/** Open the directory that all further paths are in. Every path is resolved below it; a symbolic link as a parent is resolved inside it */
export interface RequestApplyOpen {
  readonly kind: "apply-open";
  /** absolute, existing directory */
  readonly root: string;
  /** write whiteouts as overlayfs does (0:0 devices and trusted.overlay.opaque); otherwise remove what they name */
  readonly overlay: boolean;
}

/** A directory: made, or an existing one given these attributes */
export interface RequestApplyDirectory {
  readonly kind: "apply-directory";
  /** path in the root */
  readonly path: string;
  /** permission bits with setuid, setgid and sticky */
  readonly mode: number;
  /** owner */
  readonly uid: number;
  /** group */
  readonly gid: number;
  /** mtime, set at `apply-finish` */
  readonly modified: Timestamp;
  /** extended attributes */
  readonly xattrs: readonly Xattr[];
}

/** A regular file; `apply-data` frames with its content follow, then `apply-end`. Replaces whatever is there */
export interface RequestApplyFile {
  readonly kind: "apply-file";
  /** path in the root */
  readonly path: string;
  /** bytes to come; it is pre-sized, holes are left where nothing is written */
  readonly size: bigint;
  /** permission bits with setuid, setgid and sticky */
  readonly mode: number;
  /** owner */
  readonly uid: number;
  /** group */
  readonly gid: number;
  /** mtime */
  readonly modified: Timestamp;
  /** extended attributes */
  readonly xattrs: readonly Xattr[];
}

/** Content of the file opened last, at an offset */
export interface RequestApplyData {
  readonly kind: "apply-data";
  /** position in the file */
  readonly offset: bigint;
  /** at most 1 MiB */
  readonly data: Uint8Array;
}

/** The file opened last is complete: owner, mode, xattrs and times are set */
export interface RequestApplyEnd {
  readonly kind: "apply-end";
}

/** A symbolic link. Replaces whatever is there */
export interface RequestApplySymlink {
  readonly kind: "apply-symlink";
  /** path in the root */
  readonly path: string;
  /** as stored */
  readonly target: string;
  /** owner */
  readonly uid: number;
  /** group */
  readonly gid: number;
  /** mtime */
  readonly modified: Timestamp;
  /** extended attributes */
  readonly xattrs: readonly Xattr[];
}

/** Another name of a file of the same layer. Replaces whatever is there */
export interface RequestApplyHardlink {
  readonly kind: "apply-hardlink";
  /** path in the root */
  readonly path: string;
  /** path in the root of the existing file; a symbolic link itself, not what it points to */
  readonly target: string;
}

/** A device node or FIFO. Replaces whatever is there */
export interface RequestApplyNode {
  readonly kind: "apply-node";
  /** path in the root */
  readonly path: string;
  /** S_IFCHR, S_IFBLK or S_IFIFO and permission bits */
  readonly mode: number;
  /** device major */
  readonly major: number;
  /** device minor */
  readonly minor: number;
  /** owner */
  readonly uid: number;
  /** group */
  readonly gid: number;
  /** mtime */
  readonly modified: Timestamp;
  /** extended attributes */
  readonly xattrs: readonly Xattr[];
}

/** Hide a name of lower layers */
export interface RequestApplyWhiteout {
  readonly kind: "apply-whiteout";
  /** path in the root of what is hidden */
  readonly path: string;
}

/** Hide all that lower layers have in a directory */
export interface RequestApplyOpaque {
  readonly kind: "apply-opaque";
  /** the directory */
  readonly path: string;
}

/** Set directory times, flush the filesystem if asked; answered by `done` */
export interface RequestApplyFinish {
  readonly kind: "apply-finish";
  /** syncfs the root's filesystem before answering */
  readonly sync: boolean;
  /** absolute paths that are removed once the root's filesystem was flushed, after the answer */
  readonly marks: readonly string[];
}

/** Run operations in this process, and stay in the root that they leave: every path of the messages to come is resolved in it, whatever links lead to. No process is made, and no program run. What a `freeze` has stopped goes on when this process ends, however that comes. Answered by `done` or `failed` */
export interface RequestBrowseOpen {
  readonly kind: "browse-open";
  /** first enter a mount namespace of its own, which ends with the process */
  readonly mounts: boolean;
  /** without any that makes a process */
  readonly program: readonly Operation[];
}

/** Tell what is at a path; answered by `found`, whose path is `.`, or by `failed` */
export interface RequestBrowseLook {
  readonly kind: "browse-look";
  /** path in the root */
  readonly path: string;
  /** what a symbolic link at its end leads to, and not the link */
  readonly follow: boolean;
}

/** Tell what is at a path and below it, a directory before what is in it and the names of each in the order of their bytes; each by `found`, and then `done`, or `failed`. What has gone meanwhile is left out */
export interface RequestBrowseWalk {
  readonly kind: "browse-walk";
  /** path in the root */
  readonly path: string;
  /** start at what a symbolic link at its end leads to */
  readonly follow: boolean;
  /** 0 for the path alone, 1 with what is in it, 2 with all below */
  readonly depth: number;
  /** go into what is mounted below, but for filesystems that are the kernel's own, such as procfs */
  readonly cross: boolean;
  /** the files' content too: `found-data` and then `found-end` after each file's `found` */
  readonly content: boolean;
}

/** Take the entries of an `apply`, up to its `apply-finish`, in the root. A directory that is there stays as it is, and is never replaced by anything else; nothing else is replaced by a directory. A failure is the last answer */
export interface RequestBrowseWrite {
  readonly kind: "browse-write";
}

export type Request =
  | RequestExecute
  | RequestCreate
  | RequestStart
  | RequestAttach
  | RequestInput
  | RequestCloseInput
  | RequestResize
  | RequestSignal
  | RequestWait
  | RequestStatus
  | RequestExec
  | RequestReopenLog
  | RequestApplyOpen
  | RequestApplyDirectory
  | RequestApplyFile
  | RequestApplyData
  | RequestApplyEnd
  | RequestApplySymlink
  | RequestApplyHardlink
  | RequestApplyNode
  | RequestApplyWhiteout
  | RequestApplyOpaque
  | RequestApplyFinish
  | RequestBrowseOpen
  | RequestBrowseLook
  | RequestBrowseWalk
  | RequestBrowseWrite;

/** The request succeeded */
export interface ReplyDone {
  readonly kind: "done";
}

/** The request failed */
export interface ReplyFailed {
  readonly kind: "failed";
  /** index of the failed operation in its program, or -1 when none was at fault */
  readonly step: number;
  /** Linux errno */
  readonly errno: number;
  /** system call that failed */
  readonly syscall: string;
  /** path or other value it failed on, may be empty */
  readonly detail: string;
}

/** The program ended well */
export interface ReplyExecuted {
  readonly kind: "executed";
  /** what operations gave back */
  readonly results: readonly Result[];
}

/** The container waits for start */
export interface ReplyCreated {
  readonly kind: "created";
  /** its first process, in keel's pid namespace */
  readonly pid: number;
  /** pid of the monitor */
  readonly monitor: number;
}

/** Output of what the request is attached to */
export interface ReplyOutput {
  readonly kind: "output";
  /** 1 stdout or terminal, 2 stderr */
  readonly stream: number;
  /** at most 64 KiB */
  readonly data: Uint8Array;
}

/** The process has ended */
export interface ReplyExited {
  readonly kind: "exited";
  /** exit code, or 128 + signal */
  readonly status: number;
  /** signal that ended it, or 0 */
  readonly signal: number;
  /** its cgroup has had an OOM kill */
  readonly oomKilled: boolean;
  /** when, since the epoch */
  readonly seconds: bigint;
  /** 0 to 999,999,999 */
  readonly nanoseconds: number;
}

/** The exec'd process runs */
export interface ReplyExecStarted {
  readonly kind: "exec-started";
  /** in keel's pid namespace */
  readonly pid: number;
}

/** How the container is */
export interface ReplyStatusIs {
  readonly kind: "status-is";
  /** 1 created, 2 running, 3 exited */
  readonly state: number;
  /** its first process, 0 when exited */
  readonly pid: number;
  /** pids of running exec sessions */
  readonly execs: readonly number[];
}

/** A file of any kind */
export interface ReplyFound {
  readonly kind: "found";
  /** below what was asked for, `.` for that itself */
  readonly path: string;
  /** path by which this walk has found the same file before, or empty */
  readonly link: string;
  /** st_mode: type and permission bits */
  readonly mode: number;
  /** owner */
  readonly uid: number;
  /** group */
  readonly gid: number;
  /** of a device node */
  readonly major: number;
  /** of a device node */
  readonly minor: number;
  /** st_size */
  readonly size: bigint;
  /** mtime since the epoch */
  readonly seconds: bigint;
  /** 0 to 999,999,999 */
  readonly nanoseconds: number;
  /** of a symbolic link */
  readonly target: string;
  /** extended attributes */
  readonly xattrs: readonly Xattr[];
  /** of a file whose content follows: what is no hole of it, in order */
  readonly segments: readonly Segment[];
}

/** Content of the file found last, in order */
export interface ReplyFoundData {
  readonly kind: "found-data";
  /** at most 256 KiB */
  readonly data: Uint8Array;
}

/** The file found last ends here; when less came than its segments say, it has become shorter */
export interface ReplyFoundEnd {
  readonly kind: "found-end";
}

export type Reply =
  | ReplyDone
  | ReplyFailed
  | ReplyExecuted
  | ReplyCreated
  | ReplyOutput
  | ReplyExited
  | ReplyExecStarted
  | ReplyStatusIs
  | ReplyFound
  | ReplyFoundData
  | ReplyFoundEnd;
