#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "apply_layer.h"
#include "tree.h"

int layer_mark_opaque(struct layer *l, int fd, const char *path)
{
	/* In a user namespace overlayfs is mounted with `userxattr`, and reads the other. */
	if (fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0) == 0)
		return 0;
	if (errno == EPERM && fsetxattr(fd, "user.overlay.opaque", "y", 1, 0) == 0)
		return 0;
	return layer_fail(l, "fsetxattr", path);
}

static int hide(struct layer *l, const char *path)
{
	const char *name;
	struct stat st;
	struct layer_parent *parent = layer_parent(l, path, true, &name);
	if (parent == NULL)
		return -1;
	if (mknodat(parent->fd, name, S_IFCHR, 0) == 0)
		return 0;
	if (errno != EEXIST)
		return layer_fail(l, "mknodat", path);
	/* The layer's own: it is not hidden. A directory must not be merged with a lower one, anything else never is. */
	if (fstatat(parent->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return layer_fail(l, "fstatat", path);
	if (!S_ISDIR(st.st_mode))
		return 0;
	int fd = openat(parent->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return layer_fail(l, "openat", path);
	int result = layer_mark_opaque(l, fd, path);
	int saved = errno;
	close(fd);
	errno = saved;
	return result;
}

int layer_whiteout(struct layer *l, const struct msg_apply_whiteout *m)
{
	const char *name;
	struct tree_error error;
	if (l->overlay)
		return hide(l, m->path);
	struct layer_parent *parent = layer_parent(l, m->path, false, &name);
	if (parent == NULL) {
		/* Nothing there to be hidden. */
		if (errno != ENOENT && errno != ENOTDIR)
			return -1;
		l->syscall = NULL;
		return 0;
	}
	if (tree_remove_except(parent->fd, name, layer_is_made, l, &error) < 0)
		return layer_fail(l, error.syscall, m->path);
	layer_forget(l, parent);
	return 0;
}

int layer_opaque(struct layer *l, const struct msg_apply_opaque *m)
{
	struct tree_error error;
	struct layer_parent *directory = layer_directory_at(l, m->path);
	if (directory == NULL)
		return -1;
	if (l->overlay)
		return layer_mark_opaque(l, directory->fd, m->path);
	if (tree_clear_except(directory->fd, layer_is_made, l, &error) < 0)
		return layer_fail(l, error.syscall, m->path);
	layer_forget(l, directory);
	return 0;
}
