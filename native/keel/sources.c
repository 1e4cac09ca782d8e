/* Mounts of host paths that are taken in one namespace and attached in another, with their ids mapped where asked for. */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "compat.h"
#include "context.h"
#include "mountinfo.h"

static bool same_maps(const struct wire_list_id_map *a, const struct wire_list_id_map *b)
{
	return a->count == b->count && memcmp(a->items, b->items, a->count * sizeof(a->items[0])) == 0;
}

/* What the process of a new user namespace tells of itself: who it is for the /proc that is mounted here, and its namespace. */
struct born {
	uint64_t pid; /* 0 when it failed */
	int fd;
};

static _Noreturn void tell_namespace(int out)
{
	struct born b = { .fd = -1 };
	char link[24];
	/* Nobody else would end it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	int proc = open_proc();
	ssize_t n = proc < 0 ? -1 : readlinkat(proc, "self", link, sizeof(link) - 1);
	if (n > 0) {
		const char *at = link;
		link[n] = 0;
		b.fd = openat(proc, "self/ns/user", O_RDONLY | O_CLOEXEC);
		if (b.fd < 0 || !text_read_number(&at, &b.pid))
			b.pid = 0;
	}
	/* The table of descriptors is the other process's, too. */
	close_scope(&proc);
	if (write(out, &b, sizeof(b)) == (ssize_t)sizeof(b))
		for (;;)
			pause();
	_exit(1);
}

/*
 * A user namespace with the maps of an operation. It needs a process to be made, which shares the table of descriptors with
 * this one, so that the namespace's file is here at once: to open it by the process's pid would take the right to trace.
 */
static int make_map_namespace(struct context *c, const struct op_open_source *op)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail(c, "pipe2", "");
	struct clone_arguments arguments = { .flags = CLONE_NEWUSER | CLONE_FILES, .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &arguments, sizeof(arguments));
	if (pid == 0)
		tell_namespace(ends[1]);
	struct born b = { .fd = -1 };
	int result = -1;
	if (pid < 0)
		fail(c, "clone3", "a user namespace for ids");
	else if (read(ends[0], &b, sizeof(b)) != (ssize_t)sizeof(b) || b.pid == 0)
		fail_with(c, ESRCH, "clone3", "a user namespace for ids");
	else
		result = write_id_map(c, &(struct op_id_map){ .uids = op->uids, .gids = op->gids }, (pid_t)b.pid);
	int saved = errno;
	if (pid > 0) {
		kill((pid_t)pid, SIGKILL);
		while (waitpid((pid_t)pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close(ends[0]);
	close(ends[1]);
	if (result < 0)
		close_scope(&b.fd);
	errno = saved;
	return result < 0 ? -1 : b.fd;
}

/* The user namespace whose maps an operation wants; owned by the context. */
static int map_namespace(struct context *c, const struct op_open_source *op)
{
	const struct op_open_source *last = c->map_source;
	if (c->map_namespace >= 0 && strcmp(last->user_namespace, op->user_namespace) == 0 &&
	    same_maps(&last->uids, &op->uids) && same_maps(&last->gids, &op->gids))
		return c->map_namespace;
	close_scope(&c->map_namespace);
	c->map_namespace = -1;
	if (op->user_namespace[0] == 0) {
		c->map_namespace = make_map_namespace(c, op);
	} else {
		c->map_namespace = open(op->user_namespace, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (c->map_namespace < 0)
			return fail(c, "open", op->user_namespace);
	}
	c->map_source = op;
	return c->map_namespace;
}

static int map_ids(struct context *c, const struct op_open_source *op, int tree)
{
	if (op->uids.count == 0 && op->gids.count == 0 && op->user_namespace[0] == 0)
		return 0;
	int namespace = map_namespace(c, op);
	if (namespace < 0)
		return -1;
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)namespace };
	if (mount_setattr(tree, "", AT_EMPTY_PATH | (op->map_recursive ? AT_RECURSIVE : 0), &attr, sizeof(attr)) == 0)
		return 0;
	if (errno != EINVAL)
		return fail(c, "mount_setattr", op->source);
	/* The usual reason for it: not every filesystem can. */
	TEXT(detail, 200);
	text_add(&detail, op->source);
	text_add(&detail, ": ids cannot be mapped on a filesystem of type ");
	if (!mount_filesystem(op->source, &detail))
		text_add(&detail, "unknown");
	return fail_with(c, EOPNOTSUPP, "mount_setattr", detail.data);
}

static int open_tree_of(const struct op_open_source *op)
{
	unsigned int flags = OPEN_TREE_CLONE | (unsigned int)OPEN_TREE_CLOEXEC;
	if (op->recursive)
		flags |= AT_RECURSIVE;
	if (op->no_follow)
		flags |= AT_SYMLINK_NOFOLLOW;
	return open_tree(AT_FDCWD, op->source, flags);
}

/* Attributes, ids and propagation of a tree that is not attached yet. */
static int prepare_tree(struct context *c, const struct op_open_source *op, int tree)
{
	/* What the container mounts below must not come back to the source, unless that is wanted. */
	if (!op->peer && set_mount_attributes(tree, AT_RECURSIVE, 0, 0, MS_SLAVE) < 0)
		return fail(c, "mount_setattr", op->source);
	if (map_ids(c, op, tree) < 0)
		return -1;
	if (set_mount_attributes(tree, 0, op->set, op->clear, op->propagation_recursive ? 0 : op->propagation) < 0 ||
	    set_mount_attributes(tree, AT_RECURSIVE, op->set_recursive, op->clear_recursive,
				 op->propagation_recursive ? op->propagation : 0) < 0)
		return fail(c, "mount_setattr", op->source);
	return 0;
}

/*
 * X's part: it has the rights that mapping takes. It looks at paths as the container sees them now, where earlier mounts may
 * be part of the source. Only there mounts of the host are locked to what is below them, so that a part alone comes from the
 * host's own namespace.
 */
int open_container_source(struct context *c, const struct op_open_source *op, int *fd)
{
	scoped_fd own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	TEXT(path, 64);
	text_add(&path, "/proc/");
	text_add_number(&path, (uint64_t)c->child);
	text_add(&path, "/ns/mnt");
	scoped_fd container = open(path.data, O_RDONLY | O_CLOEXEC);
	if (own < 0 || container < 0)
		return fail(c, "open", path.data);
	if (setns(container, CLONE_NEWNS) < 0)
		return fail(c, "setns", path.data);
	*fd = open_tree_of(op);
	int error = errno;
	if (setns(own, CLONE_NEWNS) < 0)
		return fail(c, "setns", "/proc/self/ns/mnt");
	if (*fd < 0 && error == EINVAL && !op->recursive) {
		*fd = open_tree_of(op);
		error = errno;
	}
	if (*fd < 0)
		return fail_with(c, error, "open_tree", op->source);
	return prepare_tree(c, op, *fd);
}

int op_open_source(struct context *c, const struct op_open_source *op)
{
	if (op->slot >= MAX_SOURCES || c->sources[op->slot] >= 0)
		return fail_with(c, EINVAL, "open_tree", "slot");
	int tree = -1;
	if (c->container && c->user_namespace) {
		if (ask_parent(c, &tree) < 0)
			return -1;
	} else {
		tree = open_tree_of(op);
		if (tree < 0)
			return fail(c, "open_tree", op->source);
		if (prepare_tree(c, op, tree) < 0) {
			close_scope(&tree);
			return -1;
		}
	}
	c->sources[op->slot] = tree;
	return 0;
}

/* The same symbolic link as the source at the target; an existing one must be equal. */
static int copy_link(struct context *c, const struct op_attach_source *op, int tree)
{
	char target[PATH_MAX];
	ssize_t size = readlinkat(tree, "", target, sizeof(target) - 1);
	if (size < 0)
		return fail(c, "readlinkat", op->target);
	target[size] = 0;
	return op_symlink(c, &(struct op_symlink){ .target = target, .path = op->target });
}

int op_attach_source(struct context *c, const struct op_attach_source *op)
{
	if (op->slot >= MAX_SOURCES || c->sources[op->slot] < 0)
		return fail_with(c, EINVAL, "move_mount", "slot");
	scoped_fd tree = c->sources[op->slot];
	c->sources[op->slot] = -1;
	struct stat s;
	if (fstat(tree, &s) < 0)
		return fail(c, "fstat", op->target);
	if (op->copy_link && S_ISLNK(s.st_mode))
		return copy_link(c, op, tree);
	const struct make make = {
		.file = !S_ISDIR(s.st_mode),
		.mode = S_ISDIR(s.st_mode) ? 0755 : 0644,
		.no_follow = op->no_follow,
	};
	scoped_fd target = root_make_target(c, op->target, &make);
	if (target < 0)
		return fail(c, "openat2", op->target);
	if (attach_mount(tree, target) < 0)
		return fail(c, "move_mount", op->target);
	return 0;
}
