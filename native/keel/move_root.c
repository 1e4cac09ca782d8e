/* Changing the root where pivot_root(2) cannot: the initial ramdisk's mount is no one's to let go of. */
#include <errno.h>
#include <sys/stat.h>

#include "compat.h"
#include "context.h"
#include "mountinfo.h"

static bool is_below(const char *path, const char *directory)
{
	size_t size = strlen(directory);
	return strncmp(path, directory, size) == 0 && (path[size] == '/' || path[size] == 0);
}

struct detachment {
	struct context *context;
	const char *root; /* of the container, as a path of the host */
};

/*
 * The old root stays in the namespace, below the new one. A whole procfs or sysfs in it would let a user namespace made in
 * the container mount one of its own without the masks of the container's. So they go, or, where a namespace with more
 * rights has locked them, are covered.
 */
static int detach(const struct mount_line *line, void *argument)
{
	const struct detachment *d = argument;
	if (strcmp(line->root, "/") != 0 || (strcmp(line->type, "proc") != 0 && strcmp(line->type, "sysfs") != 0) ||
	    is_below(line->target, d->root))
		return 0;
	/* Whatever the propagation was, the host keeps its own. */
	if (mount(NULL, line->target, NULL, MS_SLAVE | MS_REC, NULL) < 0) {
		/* It was below one that is gone by now. */
		if (errno == ENOENT || errno == EINVAL)
			return 0;
		return fail(d->context, "mount", line->target);
	}
	if (umount2(line->target, MNT_DETACH) == 0)
		return 0;
	if (errno != EINVAL && errno != EPERM)
		return fail(d->context, "umount2", line->target);
	if (mount("tmpfs", line->target, "tmpfs", MS_RDONLY, "nr_inodes=2") < 0)
		return fail(d->context, "mount", line->target);
	return 0;
}

int op_move_root(struct context *c)
{
	if (root_directory(c) < 0)
		return fail(c, "open", "/");
	TEXT(name, 32);
	text_add(&name, "/proc/self/fd/");
	text_add_number(&name, (uint64_t)c->root);
	char root[PATH_MAX];
	ssize_t size = readlink(name.data, root, sizeof(root) - 1);
	if (size < 0)
		return fail(c, "readlink", name.data);
	root[size] = 0;
	struct detachment d = { .context = c, .root = root };
	c->failure.error = 0;
	if (each_mount(detach, &d) < 0)
		return c->failure.error != 0 ? -1 : fail(c, "open", "/proc/self/mountinfo");
	if (fchdir(c->root) < 0)
		return fail(c, "fchdir", root);
	if (mount(root, "/", NULL, MS_MOVE, NULL) < 0)
		return fail(c, "mount", root);
	if (chroot(".") < 0)
		return fail(c, "chroot", root);
	if (chdir("/") < 0)
		return fail(c, "chdir", "/");
	root_replace(c, -1);
	return 0;
}
