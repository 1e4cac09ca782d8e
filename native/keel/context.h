/*
 * What the processes X and C of a program (program.h) know, and the helpers that their operations share. Each operation is
 * one function `op_NAME`: it returns 0, or -1 after fail().
 */
#ifndef KEEL_CONTEXT_H
#define KEEL_CONTEXT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "wire.gen.h"

/* Where every process of keel keeps its own sealed executable (self.h). */
#define SELF_FD 4

/* The first of those that keel was given for a container's program (self.h). */
#define PRESERVED_FD 5

/* Mounts that one program may hold between `open-source` and `attach-source`. */
#define MAX_SOURCES 256

/* Cgroups that one program may join. */
#define MAX_CGROUPS 32

/* Largest file that `read-file` gives back. */
#define MAX_RESULT (1u << 20)

struct failure {
	uint32_t error; /* errno */
	char syscall[32];
	char detail[256];
};

struct context {
	const struct wire_program *program;
	uint32_t step;
	int channel; /* to M; -1 once a starter is there instead */
	int listener; /* start.sock, or -1 */
	int starter; /* who connected there, or -1 */
	int peer; /* between X and C, or -1 */
	bool container; /* this process is C */
	bool announced; /* M knows C's pid, so that C may speak to it */
	bool exec_prepared;
	bool user_namespace; /* C was born in a new one */
	bool unprivileged; /* X is not root: see ask_parent */
	pid_t child; /* X: pid of C */
	pid_t host_pid; /* C: its own pid as X sees it, once it is announced */
	int hooks; /* X: to the process that runs the hooks of the parent, or -1 */
	pid_t hook_runner; /* X: that process */
	int agent; /* who gets the listener of a filter that notifies, or -1 */
	const struct op_seccomp_listener *agent_operation;
	bool attended; /* C: a second thread reports the failure of exec (notify.c) */
	int root; /* O_PATH descriptor of the root directory, or -1 for `/` */
	int container_pidfd;
	uint32_t preserve; /* descriptors from PRESERVED_FD on are for the program */
	int self; /* SELF_FD, or where exec has moved it */
	int null_device; /* O_PATH descriptor of a /dev/null that was checked, or -1 */
	int empty_directory; /* mounted empty tmpfs of the first `mask` of a directory, or -1 */
	int sources[MAX_SOURCES]; /* detached mounts of `open-source`, or -1 */
	int map_namespace; /* user namespace of the last map of ids, or -1; made for `map_source` */
	const struct op_open_source *map_source;
	uint32_t umask; /* for exec; until then it is 0, so that modes are what operations say */
	uint32_t death_signal;
	bool cgroups_open;
	bool cgroup_is_v2[MAX_CGROUPS];
	int cgroup_files[MAX_CGROUPS]; /* of the join-cgroup operations that follow, in order */
	uint32_t cgroup_next;
	uint32_t cgroup_count;
	int clone_cgroup; /* directory of `clone`, or -1 */
	char **argv; /* of `exec`, NULL-terminated */
	char **envp;
	struct failure failure;
};

/* Records errno for the report. Always -1; errno stays as it is. */
int fail(struct context *c, const char *syscall, const char *detail);
/* The same with a given errno, for what no system call refused. */
int fail_with(struct context *c, int error, const char *syscall, const char *detail);

/* -- channel (channel.c) ------------------------------------------------------------------------------------------ */
enum message_kind {
	MESSAGE_CHILD = 1,
	MESSAGE_CREATED,
	MESSAGE_TERMINAL, /* with the master */
	MESSAGE_RESULT, /* with a memfd of the data */
	MESSAGE_FAILED,
	MESSAGE_EXECUTED,
	MESSAGE_EXECUTING, /* exec follows: end of file now means that it succeeded */
	MESSAGE_START, /* M to C */
	MESSAGE_ANNOUNCED, /* X to C: M knows the pid, which this is */
	MESSAGE_ASK, /* C to X: do this step */
	MESSAGE_ANSWER, /* X to C */
};

struct message {
	uint32_t kind;
	int32_t value; /* pid, or step */
	struct failure failure;
};

/* Sends one message, with a descriptor unless it is -1. -1 with errno. */
int message_send(int socket, const struct message *message, int fd);
/* Receives one. 1, or 0 at end of file, or -1 with errno. `*fd` is -1 when none came; otherwise it is the caller's. */
int message_receive(int socket, struct message *message, int *fd);
/* From X or C to M, or C's starter. C first waits until M knows it. */
int tell_monitor(struct context *c, enum message_kind kind, int32_t value, int fd);
/*
 * C has X perform its part of the current operation. With `fd`, X's answer may carry a descriptor. -1 after fail(): also
 * when there is no X any more.
 */
int ask_parent(struct context *c, int *fd);
/* X's part of an operation, by its step. `*fd` is what goes along with the answer. */
int parent_operation(struct context *c, const struct wire_operation *operation, int *fd);

/* C waits until M knows it; from then on it knows its pid outside. -1 when X has gone. */
int wait_announced(struct context *c);

/*
 * hook.c: the parent's hooks are run by a process that X forks at its start, since X itself may enter namespaces before
 * `clone`. It is told C's pid (MESSAGE_CHILD), and a step for each hook (MESSAGE_ASK, answered by MESSAGE_ANSWER).
 */
bool hooks_by_parent(const struct wire_program *program, uint32_t from);
int start_hooks(struct context *c);
int ask_hooks(struct context *c, const struct wire_operation *operation);
void end_hooks(struct context *c);

/* starter.c: waits until somebody starts the container; to whom failures are told from then on. */
int await_starter(struct context *c);
int tell_starter(const struct context *c, enum message_kind kind);

/* notify.c: installs a filter with a listener, which the agent has got when this returns. */
int install_notifying(struct context *c, uint32_t flags, const void *program);
/*
 * Has the other thread report c->failure, and ends both. Does not return, but is not declared so: the address sanitizer makes
 * a system call before it calls what does not.
 */
void fail_attended(void);

/* Runs one operation in this process; not for clone and exec. */
int operation_run(struct context *c, const struct wire_operation *operation);

/* Closes `*fd` at the end of its scope, unless it is negative; errno stays. */
void close_scope(const int *fd);
#define scoped_fd __attribute__((cleanup(close_scope))) int

/* -- text (text.c): bounded strings without printf ------------------------------------------------------------------ */
struct text {
	char *data; /* always NUL-terminated */
	size_t size; /* of data */
	size_t used; /* without the NUL */
	bool truncated;
};

/* `struct text name` over an array. */
#define TEXT(name, capacity)                                                                                           \
	char name##_data[capacity];                                                                                    \
	struct text name = { .data = name##_data, .size = sizeof(name##_data) };                                       \
	name##_data[0] = 0

void text_add(struct text *t, const char *s);
void text_add_bytes(struct text *t, const char *s, size_t size);
void text_add_number(struct text *t, uint64_t n);
void text_add_signed(struct text *t, int64_t n);
/* Reads a decimal number at `*s` and moves past it; false when there is none, or it is too large. */
bool text_read_number(const char **s, uint64_t *n);

/* -- files (files.c) ----------------------------------------------------------------------------------------------- */
/* Reads a small file into `buffer`, NUL-terminated; its size, or -1 with errno (EFBIG when it does not fit). */
ssize_t read_small(int directory, const char *name, char *buffer, size_t size);
/* Writes in one write(2), without following a final link. -1 with errno. */
int write_small(int directory, const char *name, const char *data, size_t size);
/* Calls `each` for every entry but `.` and `..`; stops when it gives anything but 0, and gives that. -1 with errno. */
int each_entry(int directory, int (*each)(int directory, const char *name, unsigned char type, void *argument),
	       void *argument);
/* Directory of a /proc that is checked to be procfs, O_PATH; -1 with errno. The caller closes it. */
int open_proc(void);
/* Filesystem type of a descriptor (statfs f_type), or 0. */
uint64_t filesystem_type(int fd);
/* A path without `..` components, for what must stay below its start. */
bool has_parent_reference(const char *path);

/* -- paths in the root (paths.c) ------------------------------------------------------------------------------------ */
/* The root directory's descriptor, owned by the context; -1 with errno. */
int root_directory(struct context *c);
/* Makes `fd` the root directory (-1: `/` when next asked for). */
void root_replace(struct context *c, int fd);
/*
 * Opens a path in the root: openat2(2) with RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | `resolve`. O_CLOEXEC is added.
 * -1 with errno.
 */
int root_open(struct context *c, const char *path, int flags, uint64_t resolve);

struct make {
	bool file; /* an empty regular file instead of a directory */
	uint32_t mode; /* of what is made last; parents get 0755 */
	uint32_t uid;
	uint32_t gid;
	bool no_follow; /* a symbolic link at the end of the path is what is meant */
};

/*
 * Opens what is at a path in the root (O_PATH), and makes it and its parents when missing: step by step, each below the
 * directory before. A dangling link is followed as the kernel would: inside the root. -1 with errno.
 */
int root_make(struct context *c, const char *path, const struct make *make);
/* Opens (O_PATH) the parent of a path in the root, made when missing; `*name` is the last component. -1 with errno. */
int root_make_parent(struct context *c, const char *path, char name[NAME_MAX + 1]);
/* Opens (O_PATH) the parent of a path in the root; `*name` is the last component. -1 with errno. */
int root_open_parent(struct context *c, const char *path, char name[NAME_MAX + 1]);
/* Refuses to mount over the root itself (EBUSY), or in procfs where the path does not say so (ELOOP). -1 with errno. */
int root_check_target(struct context *c, const char *path, int fd);
/* Like root_make, for what is going to be mounted over: with root_check_target. */
int root_make_target(struct context *c, const char *path, const struct make *make);

/* -- shared by topic ------------------------------------------------------------------------------------------------ */
/* mounts.c */
int set_mount_attributes(int fd, unsigned int flags, uint64_t set, uint64_t clear, uint64_t propagation);
int attach_mount(int mount, int target);
/* fail(), with the filesystem context's first error message in the detail. */
int fail_filesystem(struct context *c, int context, const char *syscall, const char *subject);
int configure_filesystem(struct context *c, int context, const struct wire_list_mount_parameter *parameters);
/* A filesystem that is mounted nowhere yet, without attributes; -1 after fail(). */
int new_filesystem(struct context *c, const struct op_mount *op);
/* remount.c: fsconfig(2) takes no longer string than 255 bytes; then mount(2) does it all, over a descriptor's path. */
bool has_long_parameter(const struct wire_list_mount_parameter *parameters);
int mount_by_options(struct context *c, const struct op_mount *op, int target);
/* sources.c: X's part of `open-source`. */
int open_container_source(struct context *c, const struct op_open_source *op, int *fd);
/* X's part of `bind`: a detached copy of the source's mount. */
int open_bind_source(struct context *c, const struct op_bind *op, int *fd);
/* cgroup.c: opens what `clone` and `join-cgroup` operations from here on need; nothing when done before. */
int open_cgroups(struct context *c);
/* namespaces.c: become root of the user namespace just entered, where it has one. */
void become_namespace_root(void);
int write_id_map(struct context *c, const struct op_id_map *op, pid_t pid);
int write_time_offset(struct context *c, const struct op_time_offset *op, pid_t pid);
/* namespaces.c: a file of /proc/PID, or with pid 0 of this process; -1 with errno. */
int open_process_file(pid_t pid, const char *name, int flags);
/* network_device.c: X's part */
int move_network_device(struct context *c, const struct op_move_network_device *op, pid_t pid);
/* scheduling.c: X's part */
int set_scheduler(struct context *c, const struct op_scheduler *op, pid_t pid);
int set_io_priority(struct context *c, const struct op_io_priority *op, pid_t pid);
/* process.c */
/* A NULL-terminated array with room for `before` more at its beginning; NULL when out of memory. The caller frees it. */
char **string_pointers(const struct wire_list_string *list, uint32_t before);
int prepare_exec(struct context *c, const struct op_exec *op);
int op_exec(struct context *c, const struct op_exec *op);
/* Runs `argv` by execve(2), looking argv[0] up in `path` when it has no slash. Returns only after a failure: errno. */
int exec_search(char *const argv[], char *const envp[], const char *path);
extern const char default_path[];

/* -- operations ----------------------------------------------------------------------------------------------------- */
int op_join_namespace(struct context *c, const struct op_join_namespace *op);
int op_join_container(struct context *c, const struct op_join_container *op);
int op_find_executable(struct context *c, const struct op_find_executable *op);
int op_parent_death_signal(struct context *c, const struct op_parent_death_signal *op);
int op_session(struct context *c);
int op_terminal(struct context *c, const struct op_terminal *op);
int op_stdio_owner(struct context *c, const struct op_stdio_owner *op);
int op_hook(struct context *c, const struct op_hook *op);
int op_seccomp_listener(struct context *c, const struct op_seccomp_listener *op);
int op_start_socket(struct context *c, const struct op_start_socket *op);
int op_cgroup_create(struct context *c, const struct op_cgroup_create *op);
int op_join_cgroup(struct context *c, const struct op_join_cgroup *op);
int op_write_file(struct context *c, const struct op_write_file *op);
int op_cgroup_device_filter(struct context *c, const struct op_cgroup_device_filter *op);
int op_cgroup_kill(struct context *c, const struct op_cgroup_kill *op);
int op_cgroup_remove(struct context *c, const struct op_cgroup_remove *op);
int op_freeze(struct context *c, const struct op_freeze *op);
int op_write_first(struct context *c, const struct op_write_first *op);
int op_cgroup_owner(struct context *c, const struct op_cgroup_owner *op);
int op_propagation(struct context *c, const struct op_propagation *op);
int op_root_overlay(struct context *c, const struct op_root_overlay *op);
int op_root_bind(struct context *c, const struct op_root_bind *op);
int op_root_directory(struct context *c, const struct op_root_directory *op);
int op_mount(struct context *c, const struct op_mount *op);
int op_bind(struct context *c, const struct op_bind *op);
int op_mount_attributes(struct context *c, const struct op_mount_attributes *op);
int op_directory(struct context *c, const struct op_directory *op);
int op_symlink(struct context *c, const struct op_symlink *op);
int op_device(struct context *c, const struct op_device *op);
int op_mask(struct context *c, const struct op_mask *op);
int op_read_only_path(struct context *c, const struct op_read_only_path *op);
int op_copy_tree(struct context *c, const struct op_copy_tree *op);
int op_read_file(struct context *c, const struct op_read_file *op);
int op_pivot_root(struct context *c);
int op_open_source(struct context *c, const struct op_open_source *op);
int op_attach_source(struct context *c, const struct op_attach_source *op);
/* pin.c */
int op_pin_namespaces(struct context *c, const struct op_pin_namespaces *op);
/* memory_file.c */
int op_memory_file(struct context *c, const struct op_memory_file *op);
int op_mount_over(struct context *c, const struct op_mount_over *op);
int op_mount_propagation(struct context *c, const struct op_mount_propagation *op);
int op_reconfigure(struct context *c, const struct op_reconfigure *op);
int op_move_root(struct context *c);
int op_unmount_path(struct context *c, const struct op_unmount_path *op);
int op_id_map(struct context *c, const struct op_id_map *op);
int op_time_offset(struct context *c, const struct op_time_offset *op);
int op_time_namespace(struct context *c);
int op_enter_time_namespace(struct context *c);
int op_hostname(struct context *c, const struct op_hostname *op);
int op_domainname(struct context *c, const struct op_domainname *op);
int op_sysctl(struct context *c, const struct op_sysctl *op);
int op_loopback_up(struct context *c);
int op_rlimit(struct context *c, const struct op_rlimit *op);
int op_keyring(struct context *c, const struct op_keyring *op);
int op_user(struct context *c, const struct op_user *op);
int op_bounding_set(struct context *c, const struct op_bounding_set *op);
int op_capabilities(struct context *c, const struct op_capabilities *op);
int op_no_new_privileges(struct context *c);
int op_seccomp(struct context *c, const struct op_seccomp *op);
int op_working_directory(struct context *c, const struct op_working_directory *op);
int op_scheduler(struct context *c, const struct op_scheduler *op);
int op_io_priority(struct context *c, const struct op_io_priority *op);
int op_cpu_affinity(struct context *c, const struct op_cpu_affinity *op);
int op_personality(struct context *c, const struct op_personality *op);
int op_memory_policy(struct context *c, const struct op_memory_policy *op);
int op_security_attribute(struct context *c, const struct op_security_attribute *op);
int op_remove_directory(struct context *c, const struct op_remove_directory *op);
int op_directory_xattr(struct context *c, const struct op_directory_xattr *op);
int op_move_network_device(struct context *c, const struct op_move_network_device *op);
int op_landlock(struct context *c, const struct op_landlock *op);
int op_remove_tree(struct context *c, const struct op_remove_tree *op);
int op_unmount(struct context *c, const struct op_unmount *op);
int op_host_directory(struct context *c, const struct op_host_directory *op);
int op_root_alone(struct context *c, const struct op_root_alone *op);
int op_mount_layers(struct context *c, const struct op_mount_layers *op);
int op_netlink(struct context *c, const struct op_netlink *op);
int op_helper(struct context *c, const struct op_helper *op);
int op_peer_credentials(struct context *c, const struct op_peer_credentials *op);
int op_notify_service(struct context *c, const struct op_notify_service *op);
int op_forward_port(struct context *c, const struct op_forward_port *op);
int op_forward_namespace(struct context *c, const struct op_forward_namespace *op);

#endif
