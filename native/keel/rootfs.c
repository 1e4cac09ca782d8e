/* The root directory, and what is made in it. */
#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "compat.h"
#include "context.h"
#include "tree.h"

int op_root_bind(struct context *c, const struct op_root_bind *op)
{
	scoped_fd path = open(op->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (path < 0)
		return fail(c, "open", op->path);
	int tree = open_tree(path, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
					       (op->recursive ? (unsigned int)AT_RECURSIVE : 0));
	if (tree < 0)
		return fail(c, "open_tree", op->path);
	if (attach_mount(tree, path) < 0) {
		close_scope(&tree);
		return fail(c, "move_mount", op->path);
	}
	root_replace(c, tree);
	return 0;
}

int op_root_directory(struct context *c, const struct op_root_directory *op)
{
	int fd = open(op->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail(c, "open", op->path);
	root_replace(c, fd);
	return 0;
}

int op_pivot_root(struct context *c)
{
	if (root_directory(c) < 0)
		return fail(c, "open", "/");
	scoped_fd old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (old < 0)
		return fail(c, "open", "/");
	if (fchdir(c->root) < 0)
		return fail(c, "fchdir", "");
	/* With both the same directory, the old root ends up mounted over the new one; no directory for it is needed. */
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return fail(c, "pivot_root", "");
	if (fchdir(old) < 0)
		return fail(c, "fchdir", "");
	/* What is unmounted here must stay mounted on the host, whatever the propagation was. */
	if (mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return fail(c, "mount", "the old root");
	if (umount2(".", MNT_DETACH) < 0)
		return fail(c, "umount2", "the old root");
	if (chdir("/") < 0)
		return fail(c, "chdir", "/");
	root_replace(c, -1);
	return 0;
}

int op_directory(struct context *c, const struct op_directory *op)
{
	const struct make make = { .mode = op->mode, .uid = op->uid, .gid = op->gid };
	scoped_fd fd = root_make(c, op->path, &make);
	struct stat s;
	if (fd < 0 || fstat(fd, &s) < 0)
		return fail(c, "mkdirat", op->path);
	if (!S_ISDIR(s.st_mode))
		return fail_with(c, ENOTDIR, "mkdirat", op->path);
	return 0;
}

int op_symlink(struct context *c, const struct op_symlink *op)
{
	char name[NAME_MAX + 1];
	scoped_fd parent = root_make_parent(c, op->path, name);
	if (parent < 0)
		return fail(c, "openat2", op->path);
	if (symlinkat(op->target, parent, name) == 0)
		return 0;
	int error = errno;
	char target[PATH_MAX];
	ssize_t size = error == EEXIST ? readlinkat(parent, name, target, sizeof(target)) : -1;
	if (size >= 0 && (size_t)size == strlen(op->target) && memcmp(target, op->target, (size_t)size) == 0)
		return 0;
	return fail_with(c, error, "symlinkat", op->path);
}

int op_device(struct context *c, const struct op_device *op)
{
	const mode_t type = (mode_t)op->mode & S_IFMT;
	if (type != S_IFCHR && type != S_IFBLK && type != S_IFIFO)
		return fail_with(c, EINVAL, "mknodat", op->path);
	char name[NAME_MAX + 1];
	scoped_fd parent = root_make_parent(c, op->path, name);
	if (parent < 0)
		return fail(c, "openat2", op->path);
	const dev_t device = type == S_IFIFO ? 0 : makedev(op->major, op->minor);
	bool made = mknodat(parent, name, (mode_t)op->mode, device) == 0;
	if (!made && errno != EEXIST)
		return fail(c, "mknodat", op->path);
	scoped_fd node = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat s;
	if (node < 0 || fstat(node, &s) < 0)
		return fail(c, "openat", op->path);
	if ((s.st_mode & S_IFMT) != type || (type != S_IFIFO && s.st_rdev != device))
		return fail_with(c, EEXIST, "mknodat", op->path);
	if (made && (op->uid != 0 || op->gid != 0) && fchownat(node, "", op->uid, op->gid, AT_EMPTY_PATH) < 0)
		return fail(c, "fchownat", op->path);
	return 0;
}

static int any_entry(int directory, const char *name, unsigned char type, void *argument)
{
	(void)directory, (void)name, (void)type, (void)argument;
	return 1;
}

int op_copy_tree(struct context *c, const struct op_copy_tree *op)
{
	scoped_fd source = root_open(c, op->source, O_RDONLY | O_DIRECTORY, 0);
	if (source < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : fail(c, "openat2", op->source);
	scoped_fd destination = open(op->destination, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (destination < 0)
		return fail(c, "open", op->destination);
	int entries = each_entry(destination, any_entry, NULL);
	if (entries < 0)
		return fail(c, "getdents64", op->destination);
	if (entries > 0)
		return 0;
	struct tree_error error = { .syscall = "" };
	if (tree_copy(source, destination, &error) < 0)
		return fail(c, error.syscall, error.detail[0] != 0 ? error.detail : op->destination);
	return 0;
}

/* In a memfd: a message of the channel has no room for it. */
static int give_result(struct context *c, int file, const char *path, size_t limit)
{
	scoped_fd memory = memfd_create("result", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
	if (memory < 0 && errno == EINVAL)
		memory = memfd_create("result", MFD_CLOEXEC);
	if (memory < 0)
		return fail(c, "memfd_create", "");
	/* Up to the end of the file, whatever its size said: it may grow, and files of procfs have none. */
	char buffer[16384];
	size_t copied = 0;
	ssize_t n;
	while ((n = read(file, buffer, sizeof(buffer))) > 0) {
		copied += (size_t)n;
		if (copied > limit)
			return fail_with(c, EFBIG, "read", path);
		if (write(memory, buffer, (size_t)n) != n)
			return fail(c, "write", path);
	}
	if (n < 0)
		return fail(c, "read", path);
	if (tell_monitor(c, MESSAGE_RESULT, (int32_t)c->step, memory) < 0)
		return fail(c, "sendmsg", "");
	return 0;
}

int op_read_file(struct context *c, const struct op_read_file *op)
{
	/* First without opening it for reading: the image may have a device or FIFO in its place. */
	scoped_fd path = root_open(c, op->path, O_PATH, 0);
	if (path < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : fail(c, "openat2", op->path);
	struct stat before, s;
	if (fstat(path, &before) < 0)
		return fail(c, "fstat", op->path);
	if (!S_ISREG(before.st_mode))
		return fail_with(c, S_ISDIR(before.st_mode) ? EISDIR : EINVAL, "openat2", op->path);
	scoped_fd file = root_open(c, op->path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
	if (file < 0 || fstat(file, &s) < 0)
		return fail(c, "openat2", op->path);
	if (!S_ISREG(s.st_mode))
		return fail_with(c, EINVAL, "openat2", op->path);
	return give_result(c, file, op->path, op->limit < MAX_RESULT ? op->limit : MAX_RESULT);
}
