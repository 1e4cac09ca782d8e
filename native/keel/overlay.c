/* Layers on top of each other: the root filesystem, and what is mounted in one. */
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

/* Attaches layers where nobody else sees it for a moment: a part of them can be cloned only of what is attached. */
static int clone_part(struct context *c, const struct op_mount_layers *op, int whole)
{
	const char *place = op->lower.items[0];
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	scoped_fd directory = open(place, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (directory < 0)
		return fail(c, "open", place);
	if (whole >= 0 && attach_mount(whole, directory) < 0)
		return fail(c, "move_mount", place);
	int tree = -1;
	scoped_fd part = (int)syscall(SYS_openat2, whole >= 0 ? whole : directory, op->subpath, &how, sizeof(how));
	if (part < 0)
		fail(c, "openat2", op->subpath);
	else if ((tree = open_tree(part, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)) < 0)
		fail(c, "open_tree", op->subpath);
	if (whole >= 0 && umount2(place, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && tree >= 0) {
		close_scope(&tree);
		return fail(c, "umount2", place);
	}
	errno = (int)c->failure.error;
	return tree;
}

/* The mount that is wanted, attached nowhere. */
static int open_layers(struct context *c, const struct op_mount_layers *op)
{
	const struct op_root_overlay layers = { .lower = op->lower, .upper = "", .work = "", .target = op->target };
	if (op->lower.count == 0 || op->lower.count > MAX_LAYERS)
		return fail_with(c, EINVAL, "fsconfig", "number of layers");
	if (op->lower.count > 1) {
		scoped_fd whole = overlay_mount(c, &layers);
		if (whole < 0)
			return -1;
		return op->subpath[0] == 0 ? fcntl(whole, F_DUPFD_CLOEXEC, 0) : clone_part(c, op, whole);
	}
	if (op->subpath[0] != 0)
		return clone_part(c, op, -1);
	int tree = open_tree(AT_FDCWD, op->lower.items[0], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return tree < 0 ? fail(c, "open_tree", op->lower.items[0]) : tree;
}

int op_mount_layers(struct context *c, const struct op_mount_layers *op)
{
	struct stat s;
	scoped_fd mount = open_layers(c, op);
	if (mount < 0)
		return -1;
	if (fstat(mount, &s) < 0)
		return fail(c, "fstat", op->target);
	if (set_mount_attributes(mount, 0, op->attributes | MOUNT_ATTR_RDONLY, 0, 0) < 0)
		return fail(c, "mount_setattr", op->target);
	const struct make make = { .file = !S_ISDIR(s.st_mode), .mode = S_ISDIR(s.st_mode) ? 0755 : 0644 };
	scoped_fd target = root_make_target(c, op->target, &make);
	if (target < 0)
		return fail(c, "openat2", op->target);
	if (attach_mount(mount, target) < 0)
		return fail(c, "move_mount", op->target);
	return 0;
}

int op_root_alone(struct context *c, const struct op_root_alone *op)
{
	if (root_directory(c) < 0)
		return fail(c, "open", "/");
	int tree = open_tree(c->root, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return fail(c, "open_tree", "/");
	if (op->read_only && set_mount_attributes(tree, 0, MOUNT_ATTR_RDONLY, 0, 0) < 0) {
		close_scope(&tree);
		return fail(c, "mount_setattr", "/");
	}
	root_replace(c, tree);
	return 0;
}
