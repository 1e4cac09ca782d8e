/* The root filesystem as an overlay of layers. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "compat.h"
#include "context.h"

/* fsconfig(2) takes strings below this size. */
#define MAX_STRING 256
/* OVL_MAX_STACK of the kernel. */
#define MAX_LAYERS 500

/*
 * A layer's path as overlayfs may get it. Too long ones, and those with characters that overlayfs unescapes, go by
 * descriptor (kept open in `*fd` meanwhile). `short_path` has room for "/proc/self/fd/" and a number.
 */
static const char *layer_path(const char *path, bool always, char short_path[32], int *fd)
{
	if (!always && strlen(path) < MAX_STRING && strpbrk(path, "\\:,") == NULL)
		return path;
	*fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0)
		return NULL;
	struct text t = { .data = short_path, .size = 32 };
	text_add(&t, "/proc/self/fd/");
	text_add_number(&t, (uint64_t)*fd);
	return short_path;
}

static int set_layer(struct context *c, int context, const char *key, const char *path)
{
	char name[32];
	scoped_fd fd = -1;
	const char *value = layer_path(path, false, name, &fd);
	if (value == NULL)
		return fail(c, "open", path);
	if (fsconfig(context, FSCONFIG_SET_STRING, key, value, 0) < 0)
		return fail_filesystem(c, context, "fsconfig", path);
	return 0;
}

/* One call a layer (`lowerdir+`, since Linux 6.5): no limit on the sum of their lengths, no escapes. */
static int overlay_mount(struct context *c, const struct op_root_overlay *op)
{
	scoped_fd context = fsopen("overlay", FSOPEN_CLOEXEC);
	if (context < 0)
		return fail(c, "fsopen", "overlay");
	for (uint32_t i = 0; i < op->lower.count; i++)
		if (set_layer(c, context, "lowerdir+", op->lower.items[i]) < 0)
			return -1;
	if (op->upper[0] != 0 &&
	    (set_layer(c, context, "upperdir", op->upper) < 0 || set_layer(c, context, "workdir", op->work) < 0))
		return -1;
	if (configure_filesystem(c, context, &op->parameters) < 0)
		return -1;
	if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fail_filesystem(c, context, "fsconfig", "overlay");
	int made = fsmount(context, FSOPEN_CLOEXEC, 0);
	if (made < 0)
		return fail_filesystem(c, context, "fsmount", "overlay");
	return made;
}

static bool add_layer(struct text *options, const char *key, const char *path)
{
	char name[32];
	int fd = -1; /* stays open: mount(2) needs it, and exec closes it */
	const char *value = layer_path(path, true, name, &fd);
	if (value == NULL)
		return false;
	text_add(options, key);
	text_add(options, value);
	return true;
}

/*
 * mount(2) with all options in one page, for kernels without `lowerdir+`. Layers are named by descriptor, which takes 17
 * bytes each whatever their paths are. Leaves the recorded failure alone, unless this is the one to tell.
 */
static int overlay_mount_legacy(struct context *c, const struct op_root_overlay *op, int target)
{
	TEXT(options, 4096);
	for (uint32_t i = 0; i < op->lower.count; i++)
		if (!add_layer(&options, i == 0 ? "lowerdir=" : ":", op->lower.items[i]))
			return fail(c, "open", op->lower.items[i]);
	if (op->upper[0] != 0 && !add_layer(&options, ",upperdir=", op->upper))
		return fail(c, "open", op->upper);
	if (op->upper[0] != 0 && !add_layer(&options, ",workdir=", op->work))
		return fail(c, "open", op->work);
	for (uint32_t i = 0; i < op->parameters.count; i++) {
		const struct wire_mount_parameter *p = &op->parameters.items[i];
		text_add(&options, ",");
		text_add(&options, p->key);
		if (p->value[0] != 0) {
			text_add(&options, "=");
			text_add(&options, p->value);
		}
	}
	if (options.truncated)
		return fail_with(c, E2BIG, "mount", "overlay");
	TEXT(place, 32);
	text_add(&place, "/proc/self/fd/");
	text_add_number(&place, (uint64_t)target);
	return mount("overlay", place.data, "overlay", 0, options.data);
}

static int mount_writable(struct context *c, const struct op_root_overlay *op, int target)
{
	int made = overlay_mount(c, op);
	if (made >= 0) {
		if (attach_mount(made, target) == 0)
			return made;
		close_scope(&made);
		return fail(c, "move_mount", op->target);
	}
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (overlay_mount_legacy(c, op, target) < 0) {
		errno = (int)c->failure.error;
		return -1;
	}
	/* The new mount is what its path now leads to. */
	made = open(op->target, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return made < 0 ? fail(c, "open", op->target) : made;
}

/* One layer alone needs no overlay. */
static int mount_single(struct context *c, const struct op_root_overlay *op, int target)
{
	scoped_fd tree = open_tree(AT_FDCWD, op->lower.items[0], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return fail(c, "open_tree", op->lower.items[0]);
	if (set_mount_attributes(tree, 0, MOUNT_ATTR_RDONLY, 0, 0) < 0)
		return fail(c, "mount_setattr", op->lower.items[0]);
	if (attach_mount(tree, target) < 0)
		return fail(c, "move_mount", op->target);
	return fcntl(tree, F_DUPFD_CLOEXEC, 0);
}

int op_root_overlay(struct context *c, const struct op_root_overlay *op)
{
	if (op->lower.count == 0 || op->lower.count > MAX_LAYERS)
		return fail_with(c, EINVAL, "fsconfig", "number of layers");
	scoped_fd target = open(op->target, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (target < 0)
		return fail(c, "open", op->target);
	int root = op->upper[0] == 0 && op->lower.count == 1 ? mount_single(c, op, target) : mount_writable(c, op, target);
	if (root < 0)
		return -1;
	root_replace(c, root);
	return 0;
}
