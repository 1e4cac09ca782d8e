/* Mounts in the root, by the mount API of Linux 5.2 and later. */
#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "compat.h"
#include "context.h"

#define ATIME_FLAGS ((uint64_t)MOUNT_ATTR__ATIME)

int set_mount_attributes(int fd, unsigned int flags, uint64_t set, uint64_t clear, uint64_t propagation)
{
	/* The atime settings are one value in three bits: a new one goes only in place of the old one. */
	if ((set & ATIME_FLAGS) != 0)
		clear |= ATIME_FLAGS;
	if (set == 0 && clear == 0 && propagation == 0)
		return 0;
	struct mount_attr attr = { .attr_set = set, .attr_clr = clear, .propagation = propagation };
	return mount_setattr(fd, "", AT_EMPTY_PATH | flags, &attr, sizeof(attr));
}

int attach_mount(int mount, int target)
{
	return move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

int fail_filesystem(struct context *c, int context, const char *syscall, const char *subject)
{
	int error = errno;
	TEXT(detail, sizeof(c->failure.detail));
	text_add(&detail, subject);
	/* Each read gives one message, `LEVEL TEXT`; level e is an error. */
	char message[200];
	ssize_t n;
	while ((n = read(context, message, sizeof(message))) > 0) {
		if (n < 3 || message[0] != 'e')
			continue;
		text_add(&detail, ": ");
		text_add_bytes(&detail, message + 2, (size_t)n - 2 - (message[n - 1] == '\n'));
		break;
	}
	return fail_with(c, error, syscall, detail.data);
}

int configure_filesystem(struct context *c, int context, const struct wire_list_mount_parameter *parameters)
{
	for (uint32_t i = 0; i < parameters->count; i++) {
		const struct wire_mount_parameter *p = &parameters->items[i];
		bool flag = p->value[0] == 0;
		if (fsconfig(context, flag ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING, p->key, flag ? NULL : p->value, 0) == 0)
			continue;
		TEXT(subject, 128);
		text_add(&subject, p->key);
		if (!flag) {
			text_add(&subject, "=");
			text_add(&subject, p->value);
		}
		return fail_filesystem(c, context, "fsconfig", subject.data);
	}
	return 0;
}

int op_propagation(struct context *c, const struct op_propagation *op)
{
	if (mount(NULL, "/", NULL, op->mode | (op->recursive ? (uint64_t)MS_REC : 0), NULL) < 0)
		return fail(c, "mount", "/");
	return 0;
}

int new_filesystem(struct context *c, const struct op_mount *op)
{
	scoped_fd context = fsopen(op->type, FSOPEN_CLOEXEC);
	if (context < 0)
		return fail(c, "fsopen", op->type);
	if (op->source[0] != 0 && fsconfig(context, FSCONFIG_SET_STRING, "source", op->source, 0) < 0)
		return fail_filesystem(c, context, "fsconfig", op->source);
	if (configure_filesystem(c, context, &op->parameters) < 0)
		return -1;
	if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fail_filesystem(c, context, "fsconfig", op->type);
	int made = fsmount(context, FSMOUNT_CLOEXEC, 0);
	return made < 0 ? fail_filesystem(c, context, "fsmount", op->type) : made;
}

int op_mount(struct context *c, const struct op_mount *op)
{
	const bool by_options = has_long_parameter(&op->parameters);
	scoped_fd made = by_options ? -1 : new_filesystem(c, op);
	if (made < 0 && !by_options)
		return -1;
	/* All attributes by one call, that knows more of them than fsmount. */
	if (!by_options && set_mount_attributes(made, 0, op->attributes, 0, 0) < 0)
		return fail(c, "mount_setattr", op->target);
	const struct make make = { .mode = op->mode };
	scoped_fd target = root_make_target(c, op->target, &make);
	if (target < 0)
		return fail(c, "openat2", op->target);
	/*
	 * Where /proc or /sys were a symbolic link, what the runtime and the container take for them would be something that
	 * the image can change.
	 */
	if (strcmp(op->type, "proc") == 0 || strcmp(op->type, "sysfs") == 0) {
		scoped_fd real = root_open(c, op->target, O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
		if (real < 0)
			return fail(c, "openat2", op->target);
	}
	if (by_options)
		return mount_by_options(c, op, target);
	if (attach_mount(made, target) < 0)
		return fail(c, "move_mount", op->target);
	return 0;
}

int open_bind_source(struct context *c, const struct op_bind *op, int *fd)
{
	*fd = open_tree(AT_FDCWD, op->source,
			OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (op->recursive ? (unsigned int)AT_RECURSIVE : 0));
	if (*fd < 0)
		return fail(c, "open_tree", op->source);
	/* Whatever the container mounts below must not come back to this side's mount namespace. */
	if (set_mount_attributes(*fd, AT_RECURSIVE, 0, 0, MS_SLAVE) < 0)
		return fail(c, "mount_setattr", op->source);
	return 0;
}

int op_bind(struct context *c, const struct op_bind *op)
{
	int tree = open_tree(AT_FDCWD, op->source,
			     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (op->recursive ? (unsigned int)AT_RECURSIVE : 0));
	if (tree < 0) {
		/*
		 * Root of a user namespace may lack permission for a directory on the way, and may not take a part of the
		 * host's mounts without what is mounted below it. X may.
		 */
		if ((errno != EACCES && (errno != EINVAL || op->recursive)) || !c->container || !c->user_namespace || c->peer < 0)
			return fail(c, "open_tree", op->source);
		if (ask_parent(c, &tree) < 0)
			return -1;
	}
	scoped_fd mount = tree;
	struct stat s;
	if (fstat(mount, &s) < 0)
		return fail(c, "fstat", op->source);
	if (set_mount_attributes(mount, 0, op->set, op->clear, op->propagation_recursive ? 0 : op->propagation) < 0 ||
	    set_mount_attributes(mount, AT_RECURSIVE, op->set_recursive, op->clear_recursive,
				 op->propagation_recursive ? op->propagation : 0) < 0)
		return fail(c, "mount_setattr", op->target);
	const struct make make = { .file = !S_ISDIR(s.st_mode), .mode = S_ISDIR(s.st_mode) ? 0755 : 0644 };
	scoped_fd target = root_make_target(c, op->target, &make);
	if (target < 0)
		return fail(c, "openat2", op->target);
	if (attach_mount(mount, target) < 0)
		return fail(c, "move_mount", op->target);
	return 0;
}

int op_mount_attributes(struct context *c, const struct op_mount_attributes *op)
{
	scoped_fd fd = root_open(c, op->path, O_PATH, 0);
	if (fd < 0)
		return fail(c, "openat2", op->path);
	if (set_mount_attributes(fd, op->recursive ? AT_RECURSIVE : 0, op->set, op->clear, 0) < 0)
		return fail(c, "mount_setattr", op->path);
	return 0;
}

/* A path that is not there needs no hiding. */
static bool is_missing(int error)
{
	return error == ENOENT || error == ENOTDIR;
}

/*
 * What is to be hidden or made read-only. An image that has a symbolic link in its place would have something else shielded,
 * and the link could be changed later.
 */
static int open_shielded(struct context *c, const char *path)
{
	int fd = root_open(c, path, O_PATH | O_NOFOLLOW, 0);
	struct stat s;
	if (fd >= 0 && fstat(fd, &s) == 0 && S_ISLNK(s.st_mode)) {
		close(fd);
		errno = ELOOP;
		return -1;
	}
	return fd;
}

/*
 * /dev/null, checked by descriptor: an image or another container that can change /dev must not get a file of its choice
 * mounted over what is to be hidden (CVE-2025-31133).
 */
static int null_device(struct context *c)
{
	if (c->null_device >= 0)
		return c->null_device;
	int fd = open("/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat s;
	if (fd < 0 || fstat(fd, &s) < 0) {
		close_scope(&fd);
		return fail(c, "open", "/dev/null");
	}
	if (!S_ISCHR(s.st_mode) || s.st_rdev != makedev(1, 3)) {
		close(fd);
		return fail_with(c, ENODEV, "fstat", "/dev/null");
	}
	c->null_device = fd;
	return fd;
}

/* A new empty tmpfs that nobody can write to, or another mount of the first one. */
static int empty_directory(struct context *c)
{
	if (c->empty_directory >= 0)
		return open_tree(c->empty_directory, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	scoped_fd context = fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, "mode", "755", 0) < 0 ||
	    fsconfig(context, FSCONFIG_SET_STRING, "nr_inodes", "1", 0) < 0 ||
	    fsconfig(context, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0 ||
	    fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(context, FSOPEN_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

int op_mask(struct context *c, const struct op_mask *op)
{
	scoped_fd target = open_shielded(c, op->path);
	if (target < 0)
		return is_missing(errno) ? 0 : fail(c, "openat2", op->path);
	struct stat s;
	if (fstat(target, &s) < 0)
		return fail(c, "fstat", op->path);
	if (S_ISDIR(s.st_mode)) {
		int empty = empty_directory(c);
		if (empty < 0)
			return fail(c, "fsmount", "tmpfs");
		if (attach_mount(empty, target) < 0) {
			close_scope(&empty);
			return fail(c, "move_mount", op->path);
		}
		if (c->empty_directory < 0)
			c->empty_directory = empty;
		else
			close(empty);
		return 0;
	}
	int null = null_device(c);
	if (null < 0)
		return -1;
	scoped_fd tree = open_tree(null, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return fail(c, "open_tree", "/dev/null");
	if (attach_mount(tree, target) < 0)
		return fail(c, "move_mount", op->path);
	return 0;
}

int op_read_only_path(struct context *c, const struct op_read_only_path *op)
{
	scoped_fd target = open_shielded(c, op->path);
	if (target < 0)
		return is_missing(errno) ? 0 : fail(c, "openat2", op->path);
	scoped_fd tree =
		open_tree(target, "", AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | (unsigned int)OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return fail(c, "open_tree", op->path);
	if (set_mount_attributes(tree, AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0, 0) < 0)
		return fail(c, "mount_setattr", op->path);
	if (attach_mount(tree, target) < 0)
		return fail(c, "move_mount", op->path);
	return 0;
}
