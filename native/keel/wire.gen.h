/* Generated from native/keel/wire/declaration.ts by `npm run generate`. Do not edit. */
#ifndef KEEL_WIRE_GEN_H
#define KEEL_WIRE_GEN_H

#include "wire.h"

#define WIRE_VERSION 1u
#define WIRE_MAX_FRAME 8388608u

/* One line of uid_map or gid_map (user_namespaces(7)) */
struct wire_id_map {
	uint32_t inside; /* first id inside the user namespace */
	uint32_t outside; /* first id outside */
	uint32_t count; /* how many ids */
};

/* One fsconfig(2) parameter; an empty value is FSCONFIG_SET_FLAG, any other FSCONFIG_SET_STRING */
struct wire_mount_parameter {
	const char *key; /* parameter name, e.g. `size` */
	const char *value; /* its value, or empty for a flag */
};

/* A namespaced kernel parameter */
struct wire_setting {
	const char *key; /* path below /proc/sys */
	const char *value; /* what is written to it */
};

/* What a process may do with a file or with all below a directory */
struct wire_landlock_path {
	const char *path; /* path in the root */
	uint64_t access; /* LANDLOCK_ACCESS_FS_*; of a file that is no directory, those that files have */
};

/* What a process may do with a TCP port */
struct wire_landlock_port {
	uint16_t port; /* port number */
	uint64_t access; /* LANDLOCK_ACCESS_NET_* */
};

/* One extended attribute */
struct wire_xattr {
	const char *name; /* with its prefix, e.g. `security.capability` */
	struct wire_bytes value; /* raw value */
};

/* A file that may be there, and what to write to it */
struct wire_file_choice {
	const char *name; /* without any slash */
	const char *data; /* what to write, in one write(2) */
};

/* A time as the kernel stores it */
struct wire_timestamp {
	int64_t seconds; /* since the epoch, may be negative */
	uint32_t nanoseconds; /* 0 to 999,999,999 */
};

/* A part of a file that is data and no hole */
struct wire_segment {
	uint64_t offset; /* position in the file */
	uint64_t size; /* bytes */
};

/* A line of the journal: `before`, what the monitor has to tell, and `after`; none when `before` is empty */
struct wire_record {
	const char *before; /* its beginning */
	const char *after; /* its end */
};

/* What one operation gave back (only `read-file`, `netlink`, `helper` and `peer-credentials` give anything) */
struct wire_result {
	uint32_t step; /* index of the operation in its program, from 0 */
	struct wire_bytes data; /* what it read */
};

struct wire_list_string {
	const char **items;
	uint32_t count;
};

struct wire_list_file_choice {
	struct wire_file_choice *items;
	uint32_t count;
};

struct wire_list_mount_parameter {
	struct wire_mount_parameter *items;
	uint32_t count;
};

struct wire_list_id_map {
	struct wire_id_map *items;
	uint32_t count;
};

struct wire_list_u32 {
	uint32_t *items;
	uint32_t count;
};

struct wire_list_landlock_path {
	struct wire_landlock_path *items;
	uint32_t count;
};

struct wire_list_landlock_port {
	struct wire_landlock_port *items;
	uint32_t count;
};

struct wire_list_setting {
	struct wire_setting *items;
	uint32_t count;
};

struct wire_list_xattr {
	struct wire_xattr *items;
	uint32_t count;
};

struct wire_list_result {
	struct wire_result *items;
	uint32_t count;
};

struct wire_list_segment {
	struct wire_segment *items;
	uint32_t count;
};

enum wire_operation_number {
	OP_CLONE = 1,
	OP_JOIN_NAMESPACE = 2,
	OP_JOIN_CONTAINER = 3,
	OP_WAIT_START = 4,
	OP_EXEC = 5,
	OP_FIND_EXECUTABLE = 6,
	OP_PARENT_DEATH_SIGNAL = 7,
	OP_SESSION = 8,
	OP_TERMINAL = 9,
	OP_STDIO_OWNER = 10,
	OP_START_SOCKET = 11,
	OP_HOOK = 12,
	OP_SECCOMP_LISTENER = 13,
	OP_CGROUP_CREATE = 20,
	OP_JOIN_CGROUP = 21,
	OP_WRITE_FILE = 22,
	OP_CGROUP_DEVICE_FILTER = 23,
	OP_CGROUP_KILL = 24,
	OP_CGROUP_REMOVE = 25,
	OP_FREEZE = 26,
	OP_WRITE_FIRST = 27,
	OP_CGROUP_OWNER = 28,
	OP_PROPAGATION = 30,
	OP_ROOT_OVERLAY = 31,
	OP_ROOT_BIND = 32,
	OP_ROOT_DIRECTORY = 33,
	OP_MOUNT = 34,
	OP_BIND = 35,
	OP_MOUNT_ATTRIBUTES = 36,
	OP_DIRECTORY = 37,
	OP_SYMLINK = 38,
	OP_DEVICE = 39,
	OP_MASK = 40,
	OP_READ_ONLY_PATH = 41,
	OP_COPY_TREE = 42,
	OP_READ_FILE = 43,
	OP_PIVOT_ROOT = 44,
	OP_OPEN_SOURCE = 45,
	OP_ATTACH_SOURCE = 46,
	OP_MOUNT_OVER = 47,
	OP_MOUNT_PROPAGATION = 48,
	OP_RECONFIGURE = 49,
	OP_MOVE_ROOT = 50,
	OP_UNMOUNT_PATH = 51,
	OP_ID_MAP = 60,
	OP_TIME_OFFSET = 61,
	OP_TIME_NAMESPACE = 62,
	OP_ENTER_TIME_NAMESPACE = 63,
	OP_HOSTNAME = 64,
	OP_DOMAINNAME = 65,
	OP_SYSCTL = 66,
	OP_LOOPBACK_UP = 67,
	OP_RLIMIT = 68,
	OP_KEYRING = 69,
	OP_USER = 70,
	OP_BOUNDING_SET = 71,
	OP_CAPABILITIES = 72,
	OP_NO_NEW_PRIVILEGES = 73,
	OP_SECCOMP = 74,
	OP_WORKING_DIRECTORY = 75,
	OP_SCHEDULER = 80,
	OP_IO_PRIORITY = 81,
	OP_CPU_AFFINITY = 82,
	OP_PERSONALITY = 83,
	OP_MEMORY_POLICY = 84,
	OP_SECURITY_ATTRIBUTE = 85,
	OP_REMOVE_DIRECTORY = 86,
	OP_DIRECTORY_XATTR = 87,
	OP_MOVE_NETWORK_DEVICE = 88,
	OP_LANDLOCK = 89,
	OP_REMOVE_TREE = 90,
	OP_UNMOUNT = 91,
	OP_HOST_DIRECTORY = 92,
	OP_NETLINK = 100,
	OP_FORWARD_PORT = 101,
	OP_FORWARD_NAMESPACE = 130,
	OP_MEMORY_FILE = 110,
	OP_PIN_NAMESPACES = 111,
	OP_ROOT_ALONE = 120,
	OP_MOUNT_LAYERS = 121,
	OP_PEER_CREDENTIALS = 125,
	OP_NOTIFY_SERVICE = 126,
	OP_HELPER = 155,
};

/* Create the container's process, in new namespaces */
struct op_clone {
	uint64_t namespaces; /* CLONE_NEW* flags: pid, mnt, net, ipc, uts, user, cgroup, time. Time is entered by unshare and setns after clone; cgroup is unshared by a `join-cgroup` operation after it has joined, or by clone when there is none */
	const char *cgroup; /* cgroup v2 directory to be born in (CLONE_INTO_CGROUP), or empty */
};

/* Enter one existing namespace by its file */
struct op_join_namespace {
	uint64_t kind; /* the CLONE_NEW* flag it must be (setns(2) nstype) */
	const char *path; /* e.g. /proc/42/ns/net */
};

/* Enter namespaces of the monitor's own container, through its pidfd (exec) */
struct op_join_container {
	uint64_t namespaces; /* CLONE_NEW* flags */
};

/* Report that the container is created, and wait for `start`; after a `start-socket`, for whoever connects there */
struct op_wait_start {
	char empty; /* no fields */
};

/* Become the container's program. Every descriptor but 0, 1, 2 and those that `create` preserves is closed */
struct op_exec {
	struct wire_list_string arguments; /* argv; argv[0] without a slash is looked up in PATH of `environment`, as the user set before */
	struct wire_list_string environment; /* NAME=value */
	bool init; /* run it below keel as pid 1, which forwards signals and reaps (`--init`) */
};

/* Find what `exec` will run, so that a missing command is an error of create and not of start */
struct op_find_executable {
	const char *command; /* argv[0] */
	const char *path; /* value of PATH, or empty for the default */
	const char *directory; /* working directory that a relative command is resolved against */
};

/* Have the kernel signal this process when its monitor dies (prctl PR_SET_PDEATHSIG). Not for an orphan */
struct op_parent_death_signal {
	uint32_t signal; /* signal number */
};

/* Start a new session (setsid) */
struct op_session {
	char empty; /* no fields */
};

/* Open a terminal of the container's own devpts, make it stdin, stdout, stderr and the controlling terminal, give the master to the monitor */
struct op_terminal {
	uint32_t columns; /* width, 0 to leave it */
	uint32_t rows; /* height, 0 to leave it */
	bool console; /* also bind the terminal to /dev/console, by descriptor */
};

/* Give the stdio pipes to the container's user, so that /dev/stdout can be opened anew */
struct op_stdio_owner {
	uint32_t uid; /* owner inside the container */
	uint32_t gid; /* group inside the container */
};

/* Before `clone`: listen on start.sock (mode 0600) in a host directory, for the `wait-start` of a container whose monitor does not stay. Whoever is connected first starts it: it is answered by `done` at once, then by `failed` if an operation fails, exec included, or by the connection's end when exec has succeeded. All others see their connection end without a word */
struct op_start_socket {
	const char *directory; /* absolute host directory. The socket is not removed from it: that is left to who starts it */
};

/* Run a program outside of the container's own, and wait for its end: a hook of the runtime-spec. It fails when its status is not 0. It has no descriptor but 0, 1 and 2, and its stdout goes nowhere */
struct op_hook {
	bool parent; /* by the parent, with the host's namespaces, as they were before the first operation; otherwise with the container's */
	const char *path; /* absolute path of the program */
	struct wire_list_string arguments; /* argv; empty for the path alone */
	struct wire_list_string environment; /* NAME=value, nothing is added */
	const char *directory; /* working directory, or empty to leave it */
	uint32_t timeout; /* milliseconds until it and its process group are killed, 0 for none */
	const char *before; /* its stdin: this, the host's pid of the container's process in decimal, and `after` */
	const char *after; /* see `before` */
};

/* Before `clone`: connect to the agent that gets the descriptor of a `seccomp` operation with SECCOMP_FILTER_FLAG_NEW_LISTENER. It is sent (SCM_RIGHTS) with `before`, the host's pid of the container's process in decimal, and `after`; or with `before`, pid, `between`, pid, `after` */
struct op_seccomp_listener {
	const char *path; /* host path of a unix stream socket */
	const char *before; /* beginning of the runtime-spec's containerProcessState, in JSON */
	const char *between; /* what stands between two places for the pid; empty when there is one only */
	const char *after; /* its end */
	bool pidfd; /* send a pidfd of the container's process as a second descriptor */
};

/* Create a cgroup directory with its parents */
struct op_cgroup_create {
	const char *path; /* absolute directory below a cgroup mount */
	const char *mount; /* the cgroup mount it is below */
	bool cpuset; /* v1 cpuset: fill empty cpuset.cpus and cpuset.mems from the parent on each level */
	struct wire_list_string controllers; /* v2: controllers to enable in cgroup.subtree_control of each parent, those that the kernel has and lets be enabled; empty on v1 */
};

/* Move this process into cgroups, by writing 0 to each tasks (v1) or cgroup.procs (v2) file. Their files are opened before `clone`. Then unshare the cgroup namespace if asked */
struct op_join_cgroup {
	struct wire_list_string paths; /* cgroup directories */
	bool unshare; /* then enter a new cgroup namespace */
};

/* Write a kernel file of the host's side (cgroup, /proc) in one write(2) */
struct op_write_file {
	const char *path; /* absolute path, opened without following a final symbolic link and never created */
	const char *data; /* what to write */
	bool tolerate; /* a missing file, or a value that this host may not set (ENOENT, EPERM, EACCES), is no failure */
};

/* Attach an eBPF device program to a cgroup v2 directory (BPF_CGROUP_DEVICE), in place of those attached before */
struct op_cgroup_device_filter {
	const char *path; /* cgroup directory */
	struct wire_bytes program; /* struct bpf_insn array, 8 bytes each */
};

/* Kill every process of a cgroup and its children (cgroup.kill on v2; signalled until empty on v1). A missing directory is no failure */
struct op_cgroup_kill {
	const char *path; /* cgroup directory */
};

/* Remove a cgroup directory and its children. Waits briefly while the kernel still counts dying tasks. A missing directory is no failure */
struct op_cgroup_remove {
	const char *path; /* cgroup directory */
};

/* Stop every process of a cgroup and its children, or let them go on (freezer.state on v1, cgroup.freeze on v2). Waits up to 10 s until all are stopped; if they are not by then (ETIMEDOUT), they go on */
struct op_freeze {
	const char *path; /* cgroup directory; on v1 of the freezer hierarchy */
	bool frozen; /* stop them */
};

/* Write the first of some files of a cgroup that this kernel has. Fails (ENOENT) when it has none */
struct op_write_first {
	const char *directory; /* cgroup directory */
	struct wire_list_file_choice choices; /* files in order of preference, each with what to write to it */
};

/* Give a cgroup v2 directory, and those of its files that a delegate may write, to a user. A missing file is no failure */
struct op_cgroup_owner {
	const char *path; /* cgroup directory */
	uint32_t uid; /* owner, on the host */
	uint32_t gid; /* group, on the host; 2^32-1 to leave it */
	struct wire_list_string files; /* names of files in it */
};

/* Set mount propagation recursively from the current root */
struct op_propagation {
	uint64_t mode; /* MS_SLAVE, MS_PRIVATE, MS_SHARED or MS_UNBINDABLE */
	bool recursive; /* with all mounts below */
};

/* Mount an overlay and make it the root directory of what follows */
struct op_root_overlay {
	struct wire_list_string lower; /* read-only layers, top first */
	const char *upper; /* writable directory, or empty for a read-only overlay */
	const char *work; /* overlayfs' own directory, on upper's filesystem */
	struct wire_list_mount_parameter parameters; /* further overlay parameters */
	const char *target; /* existing host directory to attach it to, in the private mount namespace only */
};

/* Bind an existing directory onto itself and make it the root directory of what follows */
struct op_root_bind {
	const char *path; /* absolute host directory */
	bool recursive; /* with mounts below it */
};

/* Use an existing directory as the root of what follows, without any mount (`/` for the current root) */
struct op_root_directory {
	const char *path; /* absolute directory */
};

/* Mount a new filesystem in the root (fsopen, fsconfig, fsmount, move_mount) */
struct op_mount {
	const char *type; /* filesystem type, e.g. `proc` */
	const char *source; /* source, or empty */
	const char *target; /* path in the root; missing directories are created */
	uint64_t attributes; /* MOUNT_ATTR_* flags */
	struct wire_list_mount_parameter parameters; /* filesystem parameters */
	uint32_t mode; /* mode for directories that have to be created */
};

/* Bind a host path into the root (open_tree, mount_setattr, move_mount) */
struct op_bind {
	const char *source; /* absolute host path */
	const char *target; /* path in the root; created as a directory or an empty file, like the source, when missing */
	bool recursive; /* with mounts below the source */
	uint64_t set; /* MOUNT_ATTR_* to set on it */
	uint64_t clear; /* MOUNT_ATTR_* to clear on it */
	uint64_t set_recursive; /* MOUNT_ATTR_* to set on it and all mounts below */
	uint64_t clear_recursive; /* MOUNT_ATTR_* to clear on it and all mounts below */
	uint64_t propagation; /* MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE, 0 to leave it */
	bool propagation_recursive; /* propagation for mounts below too */
};

/* Change attributes of a mount that is already in the root (mount_setattr) */
struct op_mount_attributes {
	const char *path; /* path in the root */
	uint64_t set; /* MOUNT_ATTR_* to set */
	uint64_t clear; /* MOUNT_ATTR_* to clear */
	bool recursive; /* and all mounts below */
};

/* Make a directory in the root with its parents; an existing one is left as it is */
struct op_directory {
	const char *path; /* path in the root */
	uint32_t mode; /* permission bits */
	uint32_t uid; /* owner */
	uint32_t gid; /* group */
};

/* Make a symbolic link in the root; an existing link with that target is left */
struct op_symlink {
	const char *target; /* what it points to */
	const char *path; /* path in the root */
};

/* Make a device node or FIFO in the root; one that exists must be the same device */
struct op_device {
	const char *path; /* path in the root */
	uint32_t mode; /* S_IFCHR, S_IFBLK or S_IFIFO, and permission bits (not subject to umask) */
	uint32_t major; /* device major number */
	uint32_t minor; /* device minor number */
	uint32_t uid; /* owner */
	uint32_t gid; /* group */
};

/* Hide a path in the root: /dev/null (checked to be device 1:3) over a file, an empty read-only tmpfs over a directory. A missing path is no failure */
struct op_mask {
	const char *path; /* path in the root */
};

/* Make a path in the root read-only by a bind mount onto itself. A missing path is no failure */
struct op_read_only_path {
	const char *path; /* path in the root */
};

/* Copy a directory of the root into an empty host directory, with owners, modes, times, xattrs, hard links and device nodes. Does nothing when the source is missing or no directory, or the destination is not empty */
struct op_copy_tree {
	const char *source; /* path in the root */
	const char *destination; /* absolute host directory; takes the source's owner and mode */
};

/* Give back the content of a regular file in the root. A missing file gives nothing */
struct op_read_file {
	const char *path; /* path in the root */
	uint32_t limit; /* largest size in bytes; a longer file is a failure (EFBIG) */
};

/* Make the root directory the root of the mount namespace and let go of the old one (pivot_root, umount2) */
struct op_pivot_root {
	char empty; /* no fields */
};

/* Take a copy of the mount at a host path, for `attach-source`, which may stand behind `clone` or `join-namespace`. In a container with a user namespace of its own by the parent, who enters the container's mount namespace for it */
struct op_open_source {
	uint32_t slot; /* number that `attach-source` names it by, from 0 to 255 */
	const char *source; /* absolute host path */
	bool recursive; /* with mounts below the source */
	bool no_follow; /* a symbolic link at the end of the path is itself the source */
	bool peer; /* stay a peer of the source's mount: what is mounted below either appears in both */
	uint64_t set; /* MOUNT_ATTR_* to set on it */
	uint64_t clear; /* MOUNT_ATTR_* to clear on it */
	uint64_t set_recursive; /* MOUNT_ATTR_* to set on it and all mounts below */
	uint64_t clear_recursive; /* MOUNT_ATTR_* to clear on it and all mounts below */
	uint64_t propagation; /* MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE, 0 to leave it */
	bool propagation_recursive; /* propagation for mounts below too */
	struct wire_list_id_map uids; /* ids of its files (inside) as they show (outside); none without an id map */
	struct wire_list_id_map gids; /* likewise, of groups */
	const char *user_namespace; /* file of a user namespace whose maps are taken in place of `uids` and `gids`, or empty */
	bool map_recursive; /* map ids of mounts below too */
};

/* Attach what `open-source` took (move_mount) */
struct op_attach_source {
	uint32_t slot; /* the number of `open-source` */
	const char *target; /* path in the root; created as a directory or an empty file, like the source, when missing */
	bool no_follow; /* a symbolic link at the end of the target is mounted over, and not followed */
	bool copy_link; /* where the source is a symbolic link, make the same link at the target and mount nothing */
};

/* Like `mount`, for a filesystem that takes over what it covers */
struct op_mount_over {
	const char *type; /* filesystem type, e.g. `tmpfs` */
	const char *source; /* source, or empty */
	const char *target; /* path in the root; missing directories are created */
	uint64_t attributes; /* MOUNT_ATTR_* flags */
	struct wire_list_mount_parameter parameters; /* filesystem parameters */
	uint32_t mode; /* mode for directories that have to be created */
	bool keep_mode; /* its root gets the permission bits of the directory that it covers, when there is one */
	bool copy; /* it starts with a copy of what it covers, with owners, modes, times and xattrs */
};

/* Set the propagation of a mount that is already in the root */
struct op_mount_propagation {
	const char *path; /* path in the root */
	uint64_t mode; /* MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE */
	bool recursive; /* and of all mounts below */
};

/* Change parameters of the filesystem that is mounted at a path in the root (fspick, fsconfig) */
struct op_reconfigure {
	const char *path; /* path in the root */
	struct wire_list_mount_parameter parameters; /* filesystem parameters */
};

/* In place of `pivot-root`, where the host's root is a ramdisk, which cannot be let go of: detach the host's procfs and sysfs, move the root directory's mount over the host's root, and chroot to it */
struct op_move_root {
	char empty; /* no fields */
};

/* Detach the mount at a path in the root. A path that is no mount is a failure (EINVAL) */
struct op_unmount_path {
	const char *path; /* path in the root; a symbolic link at its end is not followed */
};

/* Write the user namespace's id maps. By the parent */
struct op_id_map {
	struct wire_list_id_map uids; /* uid_map */
	struct wire_list_id_map gids; /* gid_map */
	bool deny_setgroups; /* write deny to setgroups first (needed without privilege) */
};

/* Offset clocks of a new time namespace (time_namespaces(7)); stands before `enter-time-namespace` */
struct op_time_offset {
	const char *clock; /* `monotonic` or `boottime` */
	int64_t seconds; /* offset */
	uint32_t nanoseconds; /* 0 to 999,999,999 */
};

/* Create a time namespace for this process to enter (unshare) */
struct op_time_namespace {
	char empty; /* no fields */
};

/* Enter the time namespace made before (setns on time_for_children) */
struct op_enter_time_namespace {
	char empty; /* no fields */
};

/* Set the host name (sethostname) */
struct op_hostname {
	const char *name; /* at most 64 bytes */
};

/* Set the NIS domain name (setdomainname) */
struct op_domainname {
	const char *name; /* at most 64 bytes */
};

/* Set a namespaced kernel parameter, through a /proc that is checked to be procfs, before pivot_root */
struct op_sysctl {
	const char *key; /* path below /proc/sys, e.g. net/ipv4/ip_forward */
	const char *value; /* what to write */
};

/* Bring the loopback interface up */
struct op_loopback_up {
	char empty; /* no fields */
};

/* Set a resource limit (prlimit) */
struct op_rlimit {
	uint32_t resource; /* RLIMIT_* number */
	uint64_t soft; /* 2^64-1 for unlimited */
	uint64_t hard; /* 2^64-1 for unlimited */
};

/* Join a new session keyring, so that the host's is not seen. A kernel without keys, or out of quota, is no failure */
struct op_keyring {
	const char *name; /* keyring name */
};

/* Set supplementary groups, group, user and umask, keeping permitted capabilities for `capabilities` */
struct op_user {
	uint32_t uid; /* user inside */
	uint32_t gid; /* group inside */
	struct wire_list_u32 groups; /* supplementary groups */
	uint32_t umask; /* file mode creation mask */
};

/* Drop every capability that is not in the mask from the bounding set */
struct op_bounding_set {
	uint64_t keep; /* bit n is capability n */
};

/* Set the effective, permitted, inheritable and ambient sets */
struct op_capabilities {
	uint64_t effective; /* bit n is capability n */
	uint64_t permitted; /* likewise */
	uint64_t inheritable; /* likewise */
	uint64_t ambient; /* likewise */
};

/* Forbid gaining privilege by exec (PR_SET_NO_NEW_PRIVS) */
struct op_no_new_privileges {
	char empty; /* no fields */
};

/* Install a system call filter (seccomp(2)) */
struct op_seccomp {
	struct wire_bytes program; /* struct sock_filter array, 8 bytes each */
	uint32_t flags; /* SECCOMP_FILTER_FLAG_* */
};

/* Change directory inside the container; it must lie inside the root (getcwd is checked) */
struct op_working_directory {
	const char *path; /* absolute path */
};

/* Set the scheduling policy (sched_setattr). By the parent for a process born in a new user namespace: real-time policies and low nice values need privilege outside */
struct op_scheduler {
	uint32_t policy; /* SCHED_* number */
	uint64_t flags; /* SCHED_FLAG_* */
	int32_t nice; /* -20 to 19, for SCHED_OTHER and SCHED_BATCH */
	uint32_t priority; /* 1 to 99 for SCHED_FIFO and SCHED_RR, otherwise 0 */
	uint64_t runtime; /* nanoseconds of a period, for SCHED_DEADLINE */
	uint64_t deadline; /* nanoseconds, likewise */
	uint64_t period; /* nanoseconds, likewise */
};

/* Set the I/O priority (ioprio_set). By the parent like `scheduler` */
struct op_io_priority {
	uint32_t class; /* 1 real-time, 2 best effort, 3 idle */
	uint32_t level; /* 0, the highest, to 7 */
};

/* Bind this process to processors (sched_setaffinity); the cgroup's cpuset limits them further */
struct op_cpu_affinity {
	struct wire_list_u32 processors; /* their numbers; none for all, which is then no failure where it is refused */
};

/* Set the execution domain (personality) */
struct op_personality {
	uint64_t domain; /* PER_* number */
};

/* Set the NUMA memory policy (set_mempolicy) */
struct op_memory_policy {
	uint32_t mode; /* MPOL_* with MPOL_F_* flags */
	struct wire_list_u32 nodes; /* memory nodes, 0 to 1023 */
};

/* Write an attribute of this process for a security module (/proc/thread-self/attr, of a /proc that is checked to be procfs); where the module has no directory of its own there, the common one */
struct op_security_attribute {
	const char *module; /* its directory in attr, e.g. `apparmor`, or empty for the common one */
	const char *attribute; /* `exec` or `keycreate` */
	const char *value; /* what to write; nothing clears it */
};

/* Remove a host directory that is empty, or as good as (a resctrl group). A missing one is no failure */
struct op_remove_directory {
	const char *path; /* absolute path */
};

/* Set an extended attribute of a directory in the root */
struct op_directory_xattr {
	const char *path; /* path in the root */
	const char *name; /* with its prefix, e.g. `security.selinux` */
	const char *value; /* its value */
};

/* Move a network device of the host into the container's network namespace, with its permanent addresses of global scope, and bring it up. By the parent. After a failure it is moved back */
struct op_move_network_device {
	const char *name; /* name on the host */
	const char *new_name; /* name in the container; `%d` in it becomes the first number that is free */
};

/* Restrict this process and its children (landlock(7)); takes no_new_privs or CAP_SYS_ADMIN */
struct op_landlock {
	uint64_t handled_files; /* LANDLOCK_ACCESS_FS_* that are denied where no rule allows them */
	uint64_t handled_network; /* LANDLOCK_ACCESS_NET_*, likewise */
	uint64_t scoped; /* LANDLOCK_SCOPE_* */
	bool best_effort; /* leave out what the kernel does not have, instead of failing with EOPNOTSUPP */
	struct wire_list_landlock_path paths; /* rules for files */
	struct wire_list_landlock_port ports; /* rules for the network */
};

/* Remove a host directory and all below it, by descriptor, following no link and crossing no mount. A missing one is no failure */
struct op_remove_tree {
	const char *path; /* absolute path */
};

/* Detach a mount (umount2 MNT_DETACH, UMOUNT_NOFOLLOW). A path that is no mount is no failure */
struct op_unmount {
	const char *path; /* absolute path */
};

/* Make a host directory; an existing one is left as it is */
struct op_host_directory {
	const char *path; /* absolute path whose parent exists */
	uint32_t mode; /* permission bits (not subject to umask) */
	uint32_t uid; /* owner */
	uint32_t gid; /* group */
};

/* Send netlink messages and read the answers, which are given back without acknowledgements (nothing when there are none). Each message is sent when the one before has succeeded; netfilter's batches at once. The first refusal is the failure, its detail `message N`, N being the sequence number, and `: ` with the kernel's words where it has any. EINTR when what a dump lists changed meanwhile */
struct op_netlink {
	uint32_t protocol; /* 0 NETLINK_ROUTE, 4 NETLINK_SOCK_DIAG, 12 NETLINK_NETFILTER */
	struct wire_bytes messages; /* struct nlmsghdr and payload of each, with NLM_F_ACK where its answer is waited for */
	const char *network_namespace; /* file of the network namespace to do it in, or empty for the own one */
	struct wire_list_string descriptors; /* files of namespaces that messages name by descriptor: the first is open as 200, the next as 201, at most 8 */
	const char *purpose; /* what the messages are to do, in words that continue `Cannot` */
};

/* Listen on a port of the host and pass all that comes to another address, in a process of its own that ends with the container's process, or when its file is removed. It listens when this is done */
struct op_forward_port {
	uint32_t protocol; /* 6 TCP, 17 UDP */
	const char *address; /* IPv4 or IPv6 address to listen on */
	uint32_t port; /* 1 to 65535 */
	const char *target; /* IPv4 or IPv6 address, of any family */
	uint32_t target_port; /* 1 to 65535 */
	uint32_t pid; /* the container's process */
	const char *file; /* absolute path of a file to make; its removal ends the forwarding */
};

/* Listen on a unix socket and connect whoever comes there to TCP ports of the loopback interface in a network namespace, in a process of its own that ends with another one, or when the socket's file is removed. A client sends the port (2 bytes, big endian) and gets one byte: 0, or errno. It listens when this is done */
struct op_forward_namespace {
	const char *directory; /* absolute, existing directory of the socket */
	const char *name; /* the socket's; only its owner may connect */
	const char *network; /* file of the network namespace, or empty for the own one */
	uint32_t pid; /* the process that it ends with */
};

/* Mount a read-only file on a path of the root that is in memory only: a tmpfs of its own, which holds nothing else */
struct op_memory_file {
	const char *path; /* path in the root; created as an empty file when missing */
	struct wire_bytes data; /* its content */
	uint32_t mode; /* permission bits */
	uint32_t uid; /* owner */
	uint32_t gid; /* group */
};

/* Make namespaces that live without a container's process, each held by a file of its name (`user`, `pid`, `net`, `ipc`, `uts`), for `join-namespace`; the network has its loopback interface up. `unmount` lets go of one. A pid namespace has a first process, which reaps and does nothing else: it stays where this process is (cgroups), without its files, and ends by SIGKILL; the file `holder` there says `PID START` of it. When it fails, files that were made stay */
struct op_pin_namespaces {
	uint64_t namespaces; /* CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC and CLONE_NEWUTS, those that are wanted */
	const char *directory; /* absolute, existing host directory, in which none of the files is */
	const char *hostname; /* host name of the uts namespace, or empty */
	struct wire_list_id_map uids; /* user ids of the user namespace, which owns the others; empty without one */
	struct wire_list_id_map gids; /* likewise group ids */
	struct wire_list_setting sysctls; /* parameters of these namespaces */
};

/* Make the root directory a copy of its mount alone, which is attached nowhere: what is mounted on it is not seen, and what it covers is */
struct op_root_alone {
	bool read_only; /* nothing can be changed through it */
};

/* Mount read-only layers on top of each other at a path in the root, or only a directory or file of them */
struct op_mount_layers {
	struct wire_list_string lower; /* absolute host directories, top first */
	const char *subpath; /* path in the layers' root of what is mounted, resolved in there; empty for all */
	const char *target; /* path in the root; created as a directory or an empty file when missing */
	uint64_t attributes; /* MOUNT_ATTR_* to set on it; it is read-only in any case */
};

/* Give back `PID UID GID` of the process that connected to a unix socket, as they were then (SO_PEERCRED) */
struct op_peer_credentials {
	uint32_t pid; /* process that has accepted the connection */
	uint32_t descriptor; /* the connection's descriptor there */
};

/* Tell the service manager how a service is: one datagram (sd_notify(3)) */
struct op_notify_service {
	const char *path; /* its socket, NOTIFY_SOCKET: absolute, or abstract with `@` first */
	uint32_t pid; /* main process of the service */
	const char *text; /* lines of NAME=VALUE */
};

/* Run a program of the host and wait for its end, however it ends. It is given back as `u32` wait status (wait(2)), `u32` size of its stdout, its stdout, and the last 4 KiB of its stderr. It has no descriptor but 0, 1 and 2, and `/` for working directory. ETIMEDOUT when it takes too long, EFBIG when it says more than `limit`: then it was killed with its process group. It runs on when the client goes */
struct op_helper {
	const char *path; /* absolute path of the program */
	struct wire_list_string arguments; /* argv; empty for the path alone */
	struct wire_list_string environment; /* NAME=value, nothing is added */
	struct wire_bytes input; /* its stdin */
	uint32_t timeout; /* milliseconds, waiting for the lock included; 0 for none */
	uint32_t limit; /* bytes of stdout, at most 1000000 */
	bool succeed; /* fail with ECANCELED when its status is not 0 */
	const char *lock; /* absolute path of a file that only one helper has at a time; made when missing. Empty for none */
};

struct wire_operation {
	uint16_t number; /* enum wire_operation_number */
	union {
		struct op_clone clone;
		struct op_join_namespace join_namespace;
		struct op_join_container join_container;
		struct op_wait_start wait_start;
		struct op_exec exec;
		struct op_find_executable find_executable;
		struct op_parent_death_signal parent_death_signal;
		struct op_session session;
		struct op_terminal terminal;
		struct op_stdio_owner stdio_owner;
		struct op_start_socket start_socket;
		struct op_hook hook;
		struct op_seccomp_listener seccomp_listener;
		struct op_cgroup_create cgroup_create;
		struct op_join_cgroup join_cgroup;
		struct op_write_file write_file;
		struct op_cgroup_device_filter cgroup_device_filter;
		struct op_cgroup_kill cgroup_kill;
		struct op_cgroup_remove cgroup_remove;
		struct op_freeze freeze;
		struct op_write_first write_first;
		struct op_cgroup_owner cgroup_owner;
		struct op_propagation propagation;
		struct op_root_overlay root_overlay;
		struct op_root_bind root_bind;
		struct op_root_directory root_directory;
		struct op_mount mount;
		struct op_bind bind;
		struct op_mount_attributes mount_attributes;
		struct op_directory directory;
		struct op_symlink symlink;
		struct op_device device;
		struct op_mask mask;
		struct op_read_only_path read_only_path;
		struct op_copy_tree copy_tree;
		struct op_read_file read_file;
		struct op_pivot_root pivot_root;
		struct op_open_source open_source;
		struct op_attach_source attach_source;
		struct op_mount_over mount_over;
		struct op_mount_propagation mount_propagation;
		struct op_reconfigure reconfigure;
		struct op_move_root move_root;
		struct op_unmount_path unmount_path;
		struct op_id_map id_map;
		struct op_time_offset time_offset;
		struct op_time_namespace time_namespace;
		struct op_enter_time_namespace enter_time_namespace;
		struct op_hostname hostname;
		struct op_domainname domainname;
		struct op_sysctl sysctl;
		struct op_loopback_up loopback_up;
		struct op_rlimit rlimit;
		struct op_keyring keyring;
		struct op_user user;
		struct op_bounding_set bounding_set;
		struct op_capabilities capabilities;
		struct op_no_new_privileges no_new_privileges;
		struct op_seccomp seccomp;
		struct op_working_directory working_directory;
		struct op_scheduler scheduler;
		struct op_io_priority io_priority;
		struct op_cpu_affinity cpu_affinity;
		struct op_personality personality;
		struct op_memory_policy memory_policy;
		struct op_security_attribute security_attribute;
		struct op_remove_directory remove_directory;
		struct op_directory_xattr directory_xattr;
		struct op_move_network_device move_network_device;
		struct op_landlock landlock;
		struct op_remove_tree remove_tree;
		struct op_unmount unmount;
		struct op_host_directory host_directory;
		struct op_netlink netlink;
		struct op_forward_port forward_port;
		struct op_forward_namespace forward_namespace;
		struct op_memory_file memory_file;
		struct op_pin_namespaces pin_namespaces;
		struct op_root_alone root_alone;
		struct op_mount_layers mount_layers;
		struct op_peer_credentials peer_credentials;
		struct op_notify_service notify_service;
		struct op_helper helper;
	} u;
};

struct wire_program {
	struct wire_operation *items;
	uint32_t count;
};

enum wire_message_number {
	MSG_EXECUTE = 1,
	MSG_CREATE = 2,
	MSG_START = 10,
	MSG_ATTACH = 11,
	MSG_INPUT = 12,
	MSG_CLOSE_INPUT = 13,
	MSG_RESIZE = 14,
	MSG_SIGNAL = 15,
	MSG_WAIT = 16,
	MSG_STATUS = 17,
	MSG_EXEC = 18,
	MSG_REOPEN_LOG = 19,
	MSG_APPLY_OPEN = 30,
	MSG_APPLY_DIRECTORY = 31,
	MSG_APPLY_FILE = 32,
	MSG_APPLY_DATA = 33,
	MSG_APPLY_END = 34,
	MSG_APPLY_SYMLINK = 35,
	MSG_APPLY_HARDLINK = 36,
	MSG_APPLY_NODE = 37,
	MSG_APPLY_WHITEOUT = 38,
	MSG_APPLY_OPAQUE = 39,
	MSG_APPLY_FINISH = 40,
	MSG_BROWSE_OPEN = 60,
	MSG_BROWSE_LOOK = 61,
	MSG_BROWSE_WALK = 62,
	MSG_BROWSE_WRITE = 63,
	MSG_DONE = 100,
	MSG_FAILED = 101,
	MSG_EXECUTED = 102,
	MSG_CREATED = 103,
	MSG_OUTPUT = 104,
	MSG_EXITED = 105,
	MSG_EXEC_STARTED = 106,
	MSG_STATUS_IS = 107,
	MSG_FOUND = 120,
	MSG_FOUND_DATA = 121,
	MSG_FOUND_END = 122,
};

/* Run a program to its end in a forked process; answered by `executed` or `failed` */
struct msg_execute {
	struct wire_program program; /* what to run */
};

/* Start a monitor, and run a container's program up to `wait-start`, or to its exec when it has no `wait-start`; answered by `created` or `failed`. After a failure nothing is left but cgroups that the program made (the exit program is run for them) */
struct msg_create {
	const char *state_directory; /* existing host directory for monitor.sock, pid, and exit; empty for an orphan that needs no pid file */
	const char *log; /* log file to append to, in CRI's format; empty for none */
	bool terminal; /* the program has a `terminal` operation: output is one stream */
	bool open_stdin; /* give the process an open stdin; /dev/null otherwise */
	bool stdin_once; /* close stdin when the first attached client's input ends */
	bool inherit_stdio; /* the process uses keel's own stdin, stdout and stderr as they are (no log, no attach) */
	const char *oom_file; /* v1 memory.oom_control or v2 memory.events of its cgroup, read at exit for oom_kill; empty for none */
	struct wire_program program; /* the container */
	struct wire_program exit_program; /* run by the monitor after the container's exit, before anybody is told; failures are ignored */
	struct wire_list_string exit_command; /* program and arguments started by the monitor after all is done, with /dev/null as stdio, when no client was told of the end by `exited`; empty for none */
	bool orphan; /* the monitor does not stay: it ends when the container is created, and leaves it to the nearest subreaper. There is no monitor.sock, log, or exit program after that, and stdio is keel's own unless there is a terminal */
	const char *console_socket; /* orphan only: host path of a unix stream socket that receives the terminal's master (SCM_RIGHTS, with the terminal's name inside); empty for none */
	const char *pidfd_socket; /* host path of a unix stream socket that receives a pidfd of the container's process (SCM_RIGHTS); empty for none */
	uint32_t preserve; /* how many of the descriptors that keel was given the program gets as 3, 4, … */
	uint32_t container; /* pid of a running container that `join-container` enters; 0 for none */
	uint64_t container_start; /* its start time in clock ticks (field 22 of /proc/PID/stat), by which it is told from others */
	const char *journal; /* file that records are appended to, each in one write(2), made with mode 0600 when missing; empty for none */
	struct wire_record start_record; /* the container's program executes: `SECONDS NANOSECONDS`, the time */
	struct wire_record exit_record; /* the container has ended: what the file `exit` says, without its newline */
	struct wire_record oom_record; /* kills for want of memory in its cgroup: `COUNT SECONDS NANOSECONDS`, how many since the record before, and the time */
	uint64_t log_max_size; /* bytes beyond which the log is renamed to LOG.1, LOG.1 to LOG.2 and so on, and a new one begun; 0 for no limit */
	uint32_t log_max_files; /* how many files of the log there may be; what is older is removed */
};

/* Let the created container exec; answered by `done`, or `failed` when exec fails */
struct msg_start {
	char empty; /* no fields */
};

/* Send output from now on as `output`; `input`, `close-input` and `resize` with this request id go to the process. Answered by `done`, and `exited` at its end after all output */
struct msg_attach {
	bool stdin; /* this client sends input */
	bool output; /* this client wants output */
};

/* Bytes for stdin of what this request is attached to. Not answered */
struct msg_input {
	struct wire_bytes data; /* at most 64 KiB */
};

/* End of stdin of what this request is attached to. Not answered */
struct msg_close_input {
	char empty; /* no fields */
};

/* Window size for the terminal of what this request is attached to, or of the container. Not answered */
struct msg_resize {
	uint32_t columns; /* width */
	uint32_t rows; /* height */
};

/* Signal the container's first process through its pidfd, or (process not 0) one exec session; answered by `done` or `failed` (ESRCH when it has ended) */
struct msg_signal {
	uint32_t signal; /* signal number */
	uint32_t process; /* pid of an exec session in the host's pid namespace, or 0 */
};

/* Answered by `exited` when the container has ended and its exit program has run */
struct msg_wait {
	char empty; /* no fields */
};

/* Answered by `status-is` */
struct msg_status {
	char empty; /* no fields */
};

/* Start another process in the container, attached to this request; answered by `exec-started` or `failed`, then `output` and `exited`. The process outlives the connection */
struct msg_exec {
	bool terminal; /* the program has a `terminal` operation */
	bool open_stdin; /* this client sends input; /dev/null otherwise */
	bool output; /* this client wants output; otherwise it is thrown away (exec -d). `exited` comes either way */
	struct wire_program program; /* with join-container, clone, …, exec */
};

/* Go on in a new log file at the same path, after the old one was renamed; answered by `done`, or by `failed`, and the old one is kept then. Nothing is lost or written twice */
struct msg_reopen_log {
	char empty; /* no fields */
};

/* Open the directory that all further paths are in. Every path is resolved below it; a symbolic link as a parent is resolved inside it */
struct msg_apply_open {
	const char *root; /* absolute, existing directory */
	bool overlay; /* write whiteouts as overlayfs does (0:0 devices and trusted.overlay.opaque); otherwise remove what they name */
};

/* A directory: made, or an existing one given these attributes */
struct msg_apply_directory {
	const char *path; /* path in the root */
	uint32_t mode; /* permission bits with setuid, setgid and sticky */
	uint32_t uid; /* owner */
	uint32_t gid; /* group */
	struct wire_timestamp modified; /* mtime, set at `apply-finish` */
	struct wire_list_xattr xattrs; /* extended attributes */
};

/* A regular file; `apply-data` frames with its content follow, then `apply-end`. Replaces whatever is there */
struct msg_apply_file {
	const char *path; /* path in the root */
	uint64_t size; /* bytes to come; it is pre-sized, holes are left where nothing is written */
	uint32_t mode; /* permission bits with setuid, setgid and sticky */
	uint32_t uid; /* owner */
	uint32_t gid; /* group */
	struct wire_timestamp modified; /* mtime */
	struct wire_list_xattr xattrs; /* extended attributes */
};

/* Content of the file opened last, at an offset */
struct msg_apply_data {
	uint64_t offset; /* position in the file */
	struct wire_bytes data; /* at most 1 MiB */
};

/* The file opened last is complete: owner, mode, xattrs and times are set */
struct msg_apply_end {
	char empty; /* no fields */
};

/* A symbolic link. Replaces whatever is there */
struct msg_apply_symlink {
	const char *path; /* path in the root */
	const char *target; /* as stored */
	uint32_t uid; /* owner */
	uint32_t gid; /* group */
	struct wire_timestamp modified; /* mtime */
	struct wire_list_xattr xattrs; /* extended attributes */
};

/* Another name of a file of the same layer. Replaces whatever is there */
struct msg_apply_hardlink {
	const char *path; /* path in the root */
	const char *target; /* path in the root of the existing file; a symbolic link itself, not what it points to */
};

/* A device node or FIFO. Replaces whatever is there */
struct msg_apply_node {
	const char *path; /* path in the root */
	uint32_t mode; /* S_IFCHR, S_IFBLK or S_IFIFO and permission bits */
	uint32_t major; /* device major */
	uint32_t minor; /* device minor */
	uint32_t uid; /* owner */
	uint32_t gid; /* group */
	struct wire_timestamp modified; /* mtime */
	struct wire_list_xattr xattrs; /* extended attributes */
};

/* Hide a name of lower layers */
struct msg_apply_whiteout {
	const char *path; /* path in the root of what is hidden */
};

/* Hide all that lower layers have in a directory */
struct msg_apply_opaque {
	const char *path; /* the directory */
};

/* Set directory times, flush the filesystem if asked; answered by `done` */
struct msg_apply_finish {
	bool sync; /* syncfs the root's filesystem before answering */
	struct wire_list_string marks; /* absolute paths that are removed once the root's filesystem was flushed, after the answer */
};

/* Run operations in this process, and stay in the root that they leave: every path of the messages to come is resolved in it, whatever links lead to. No process is made, and no program run. What a `freeze` has stopped goes on when this process ends, however that comes. Answered by `done` or `failed` */
struct msg_browse_open {
	bool mounts; /* first enter a mount namespace of its own, which ends with the process */
	struct wire_program program; /* without any that makes a process */
};

/* Tell what is at a path; answered by `found`, whose path is `.`, or by `failed` */
struct msg_browse_look {
	const char *path; /* path in the root */
	bool follow; /* what a symbolic link at its end leads to, and not the link */
};

/* Tell what is at a path and below it, a directory before what is in it and the names of each in the order of their bytes; each by `found`, and then `done`, or `failed`. What has gone meanwhile is left out */
struct msg_browse_walk {
	const char *path; /* path in the root */
	bool follow; /* start at what a symbolic link at its end leads to */
	uint8_t depth; /* 0 for the path alone, 1 with what is in it, 2 with all below */
	bool cross; /* go into what is mounted below, but for filesystems that are the kernel's own, such as procfs */
	bool content; /* the files' content too: `found-data` and then `found-end` after each file's `found` */
};

/* Take the entries of an `apply`, up to its `apply-finish`, in the root. A directory that is there stays as it is, and is never replaced by anything else; nothing else is replaced by a directory. A failure is the last answer */
struct msg_browse_write {
	char empty; /* no fields */
};

struct wire_message {
	uint32_t request;
	uint16_t kind; /* enum wire_message_number */
	union {
		struct msg_execute execute;
		struct msg_create create;
		struct msg_start start;
		struct msg_attach attach;
		struct msg_input input;
		struct msg_close_input close_input;
		struct msg_resize resize;
		struct msg_signal signal;
		struct msg_wait wait;
		struct msg_status status;
		struct msg_exec exec;
		struct msg_reopen_log reopen_log;
		struct msg_apply_open apply_open;
		struct msg_apply_directory apply_directory;
		struct msg_apply_file apply_file;
		struct msg_apply_data apply_data;
		struct msg_apply_end apply_end;
		struct msg_apply_symlink apply_symlink;
		struct msg_apply_hardlink apply_hardlink;
		struct msg_apply_node apply_node;
		struct msg_apply_whiteout apply_whiteout;
		struct msg_apply_opaque apply_opaque;
		struct msg_apply_finish apply_finish;
		struct msg_browse_open browse_open;
		struct msg_browse_look browse_look;
		struct msg_browse_walk browse_walk;
		struct msg_browse_write browse_write;
	} u;
};

/* Name of an operation as the plan prints it, or NULL. */
const char *wire_operation_name(uint16_t number);

/*
 * Decodes a frame's content after its length: request id, kind, fields. False when it is malformed or of an
 * unknown kind; `out` then still has the request id when that much was there. Strings and bytes point into the
 * frame, lists into the arena.
 */
bool wire_decode_message(const uint8_t *data, size_t size, struct wire_arena *arena, struct wire_message *out);

/* Each writes one whole frame, length included. */
void wire_encode_done(struct wire_writer *w, uint32_t request);
void wire_encode_failed(struct wire_writer *w, uint32_t request, int32_t step, uint32_t error, const char *syscall, const char *detail);
void wire_encode_executed(struct wire_writer *w, uint32_t request, struct wire_list_result results);
void wire_encode_created(struct wire_writer *w, uint32_t request, uint32_t pid, uint32_t monitor);
void wire_encode_output(struct wire_writer *w, uint32_t request, uint8_t stream, struct wire_bytes data);
void wire_encode_exited(struct wire_writer *w, uint32_t request, uint32_t status, uint32_t signal, bool oom_killed, int64_t seconds, uint32_t nanoseconds);
void wire_encode_exec_started(struct wire_writer *w, uint32_t request, uint32_t pid);
void wire_encode_status_is(struct wire_writer *w, uint32_t request, uint8_t state, uint32_t pid, struct wire_list_u32 execs);
void wire_encode_found(struct wire_writer *w, uint32_t request, const char *path, const char *link, uint32_t mode, uint32_t uid, uint32_t gid, uint32_t major, uint32_t minor, uint64_t size, int64_t seconds, uint32_t nanoseconds, const char *target, struct wire_list_xattr xattrs, struct wire_list_segment segments);
void wire_encode_found_data(struct wire_writer *w, uint32_t request, struct wire_bytes data);
void wire_encode_found_end(struct wire_writer *w, uint32_t request);

#endif
