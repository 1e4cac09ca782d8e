/* Files of a cgroup: those that not every kernel has, and whom they belong to. */
#include <errno.h>

#include "compat.h"
#include "context.h"

static int open_group(struct context *c, const char *path)
{
	int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return fail(c, "open", path);
	uint64_t type = filesystem_type(directory);
	if (type == MAGIC_CGROUP || type == MAGIC_CGROUP2)
		return directory;
	close(directory);
	return fail_with(c, EINVAL, "fstatfs", path);
}

int op_write_first(struct context *c, const struct op_write_first *op)
{
	scoped_fd directory = open_group(c, op->directory);
	if (directory < 0)
		return -1;
	for (uint32_t i = 0; i < op->choices.count; i++) {
		const struct wire_file_choice *choice = &op->choices.items[i];
		if (strchr(choice->name, '/') != NULL)
			return fail_with(c, EINVAL, "openat", choice->name);
		if (write_small(directory, choice->name, choice->data, strlen(choice->data)) == 0)
			return 0;
		if (errno != ENOENT)
			return fail(c, "write", choice->name);
	}
	return fail_with(c, ENOENT, "openat", op->choices.count > 0 ? op->choices.items[0].name : op->directory);
}

int op_cgroup_owner(struct context *c, const struct op_cgroup_owner *op)
{
	scoped_fd directory = open_group(c, op->path);
	if (directory < 0)
		return -1;
	if (fchown(directory, op->uid, op->gid) < 0)
		return fail(c, "fchown", op->path);
	for (uint32_t i = 0; i < op->files.count; i++) {
		const char *name = op->files.items[i];
		if (strchr(name, '/') != NULL)
			return fail_with(c, EINVAL, "fchownat", name);
		if (fchownat(directory, name, op->uid, op->gid, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
			return fail(c, "fchownat", name);
	}
	return 0;
}
