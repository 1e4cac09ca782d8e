/* Files of the host's side. */
#include <errno.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "compat.h"
#include "context.h"
#include "tree.h"

int op_write_file(struct context *c, const struct op_write_file *op)
{
	/* Without privilege, a process that is not dumpable may not write its own files in /proc (oom_score_adj). */
	bool own = geteuid() != 0 && strncmp(op->path, "/proc/self/", 11) == 0;
	if (own)
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	int result = write_small(AT_FDCWD, op->path, op->data, strlen(op->data));
	if (own)
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (result == 0)
		return 0;
	if (op->tolerate && (errno == ENOENT || errno == EPERM || errno == EACCES))
		return 0;
	return fail(c, "write", op->path);
}

/* Opens the directory that a path's last component is in. */
static int open_parent(const char *path, char name[NAME_MAX + 1])
{
	char parent[PATH_MAX];
	size_t size = strlen(path);
	while (size > 1 && path[size - 1] == '/')
		size--;
	size_t start = size;
	while (start > 0 && path[start - 1] != '/')
		start--;
	if (path[0] != '/' || start >= sizeof(parent) || size - start > NAME_MAX) {
		errno = path[0] != '/' ? EINVAL : ENAMETOOLONG;
		return -1;
	}
	memcpy(name, path + start, size - start);
	name[size - start] = 0;
	memcpy(parent, path, start);
	parent[start] = 0;
	if (name[0] == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		errno = EINVAL;
		return -1;
	}
	return open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int op_remove_tree(struct context *c, const struct op_remove_tree *op)
{
	char name[NAME_MAX + 1];
	scoped_fd parent = open_parent(op->path, name);
	if (parent < 0)
		return errno == ENOENT ? 0 : fail(c, "open", op->path);
	struct tree_error error = { .syscall = "" };
	if (tree_remove(parent, name, &error) < 0)
		return fail(c, error.syscall, error.detail[0] != 0 ? error.detail : op->path);
	return 0;
}

int op_remove_directory(struct context *c, const struct op_remove_directory *op)
{
	return rmdir(op->path) == 0 || errno == ENOENT ? 0 : fail(c, "rmdir", op->path);
}

int op_unmount(struct context *c, const struct op_unmount *op)
{
	if (umount2(op->path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0 || errno == EINVAL || errno == ENOENT)
		return 0;
	return fail(c, "umount2", op->path);
}

int op_host_directory(struct context *c, const struct op_host_directory *op)
{
	char name[NAME_MAX + 1];
	scoped_fd parent = open_parent(op->path, name);
	if (parent < 0)
		return fail(c, "open", op->path);
	bool made = mkdirat(parent, name, 0700) == 0;
	if (!made && errno != EEXIST)
		return fail(c, "mkdirat", op->path);
	scoped_fd fd = openat(parent, name, O_DIRECTORY | O_CLOEXEC | (made ? O_RDONLY | O_NOFOLLOW : O_PATH));
	if (fd < 0)
		return fail(c, "open", op->path);
	if (!made)
		return 0;
	struct stat s;
	if (fstat(fd, &s) < 0)
		return fail(c, "fstat", op->path);
	if ((s.st_uid != op->uid || s.st_gid != op->gid) && fchown(fd, op->uid, op->gid) < 0)
		return fail(c, "fchown", op->path);
	if (fchmod(fd, (mode_t)op->mode & 07777) < 0)
		return fail(c, "fchmod", op->path);
	return 0;
}
