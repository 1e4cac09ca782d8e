/* Mounts that are in the root already, and filesystems that take over what they cover. */
#include <errno.h>
#include <sys/stat.h>

#include "compat.h"
#include "context.h"
#include "tree.h"

/* fsconfig(2) takes strings below this size. */
#define MAX_STRING 256

/* MS_* of mount(2) for MOUNT_ATTR_*. */
static unsigned long mount_flags(uint64_t attributes)
{
	static const struct {
		uint64_t attribute;
		unsigned long flag;
	} table[] = {
		{ MOUNT_ATTR_RDONLY, MS_RDONLY },	    { MOUNT_ATTR_NOSUID, MS_NOSUID },
		{ MOUNT_ATTR_NODEV, MS_NODEV },		    { MOUNT_ATTR_NOEXEC, MS_NOEXEC },
		{ MOUNT_ATTR_NOATIME, MS_NOATIME },	    { MOUNT_ATTR_STRICTATIME, MS_STRICTATIME },
		{ MOUNT_ATTR_NODIRATIME, MS_NODIRATIME },   { MOUNT_ATTR_NOSYMFOLLOW, MS_NOSYMFOLLOW },
	};
	unsigned long flags = 0;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if ((attributes & table[i].attribute) != 0)
			flags |= table[i].flag;
	return flags;
}

bool has_long_parameter(const struct wire_list_mount_parameter *parameters)
{
	for (uint32_t i = 0; i < parameters->count; i++)
		if (strlen(parameters->items[i].value) >= MAX_STRING)
			return true;
	return false;
}

int mount_by_options(struct context *c, const struct op_mount *op, int target)
{
	TEXT(options, 4096);
	unsigned long flags = mount_flags(op->attributes);
	for (uint32_t i = 0; i < op->parameters.count; i++) {
		const struct wire_mount_parameter *p = &op->parameters.items[i];
		if (options.used > 0)
			text_add(&options, ",");
		text_add(&options, p->key);
		if (p->value[0] != 0) {
			text_add(&options, "=");
			text_add(&options, p->value);
		}
	}
	if (options.truncated)
		return fail_with(c, E2BIG, "mount", op->type);
	TEXT(place, 32);
	text_add(&place, "/proc/self/fd/");
	text_add_number(&place, (uint64_t)target);
	if (mount(op->source, place.data, op->type, flags, options.data) < 0)
		return fail(c, "mount", op->type);
	return 0;
}

static int set_mode(struct context *c, const char *path, int mount, mode_t mode)
{
	scoped_fd directory = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return fail(c, "openat", path);
	return fchmod(directory, mode & 07777) < 0 ? fail(c, "fchmod", path) : 0;
}

int op_mount_over(struct context *c, const struct op_mount_over *op)
{
	const struct op_mount plain = {
		.type = op->type,
		.source = op->source,
		.target = op->target,
		.attributes = op->attributes,
		.parameters = op->parameters,
		.mode = op->mode,
	};
	/* What is covered is opened once, and used by that descriptor. */
	scoped_fd covered = root_open(c, op->target, O_PATH | O_DIRECTORY, 0);
	if (covered < 0) {
		if (errno == ENOENT)
			return op_mount(c, &plain);
		return fail(c, "openat2", op->target);
	}
	struct stat s;
	if (fstat(covered, &s) < 0)
		return fail(c, "fstat", op->target);
	scoped_fd mount = new_filesystem(c, &plain);
	if (mount < 0)
		return -1;
	struct tree_error error = { .syscall = "" };
	if (op->copy && tree_copy(covered, mount, &error) < 0)
		return fail(c, error.syscall, error.detail[0] != 0 ? error.detail : op->target);
	if (op->keep_mode && set_mode(c, op->target, mount, s.st_mode) < 0)
		return -1;
	/* Only now, as it may be read-only. */
	if (set_mount_attributes(mount, 0, op->attributes, 0, 0) < 0)
		return fail(c, "mount_setattr", op->target);
	if (root_check_target(c, op->target, covered) < 0)
		return fail(c, "openat2", op->target);
	return attach_mount(mount, covered) < 0 ? fail(c, "move_mount", op->target) : 0;
}

int op_mount_propagation(struct context *c, const struct op_mount_propagation *op)
{
	scoped_fd fd = root_open(c, op->path, O_PATH, 0);
	if (fd < 0)
		return fail(c, "openat2", op->path);
	if (set_mount_attributes(fd, op->recursive ? AT_RECURSIVE : 0, 0, 0, op->mode) < 0)
		return fail(c, "mount_setattr", op->path);
	return 0;
}

int op_reconfigure(struct context *c, const struct op_reconfigure *op)
{
	scoped_fd fd = root_open(c, op->path, O_PATH, 0);
	if (fd < 0)
		return fail(c, "openat2", op->path);
	scoped_fd context = fspick(fd, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC);
	if (context < 0)
		return fail(c, "fspick", op->path);
	if (configure_filesystem(c, context, &op->parameters) < 0)
		return -1;
	if (fsconfig(context, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
		return fail_filesystem(c, context, "fsconfig", op->path);
	return 0;
}

int op_unmount_path(struct context *c, const struct op_unmount_path *op)
{
	char name[NAME_MAX + 1];
	scoped_fd parent = root_open_parent(c, op->path, name);
	if (parent < 0)
		return fail(c, "openat2", op->path);
	/* There is no umount by descriptor. A name without slashes, not followed, stays in its directory. */
	if (fchdir(parent) < 0)
		return fail(c, "fchdir", op->path);
	int result = umount2(name, MNT_DETACH | UMOUNT_NOFOLLOW);
	int saved = errno;
	if (chdir("/") < 0)
		return fail(c, "chdir", "/");
	return result < 0 ? fail_with(c, saved, "umount2", op->path) : 0;
}
