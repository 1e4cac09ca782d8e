#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "apply_layer.h"

#define ACCESS_ACL "system.posix_acl_access"
#define DEFAULT_ACL "system.posix_acl_default"
/* Largest list of names that the kernel gives (linux/limits.h). */
#define LIST_LIMIT 65536

static bool starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/*
 * A filesystem that does not know an attribute at all is no reason to refuse the layer, as with tar, containerd and docker.
 * File capabilities are: without them a program fails much later, and nobody would look here. User attributes are not
 * permitted on links and devices (xattr(7)), and some archives have them there.
 */
static bool tolerated(int error, const char *name, bool special)
{
	if (error == EOPNOTSUPP)
		return strcmp(name, "security.capability") != 0;
	return error == EPERM && special && starts(name, "user.");
}

int layer_set_xattrs(struct layer *l, int fd, const struct wire_list_xattr *xattrs, const char *path)
{
	for (uint32_t i = 0; i < xattrs->count; i++) {
		const struct wire_xattr *x = &xattrs->items[i];
		if (fsetxattr(fd, x->name, x->value.data, x->value.size, 0) < 0 && !tolerated(errno, x->name, false))
			return layer_fail(l, "fsetxattr", path);
	}
	return 0;
}

int layer_set_xattrs_at(struct layer *l, int dirfd, const char *name, const struct wire_list_xattr *xattrs,
			const char *path)
{
	if (xattrs->count == 0)
		return 0;
	/* There is no call by directory and name before Linux 6.13; this process needs no working directory of its own. */
	if (fchdir(dirfd) < 0)
		return layer_fail(l, "fchdir", path);
	for (uint32_t i = 0; i < xattrs->count; i++) {
		const struct wire_xattr *x = &xattrs->items[i];
		if (lsetxattr(name, x->name, x->value.data, x->value.size, 0) < 0 && !tolerated(errno, x->name, true))
			return layer_fail(l, "lsetxattr", path);
	}
	return 0;
}

void layer_drop_inherited(int fd)
{
	/* ENODATA and EOPNOTSUPP are what is wanted, and no other failure is possible for the owner. */
	fremovexattr(fd, ACCESS_ACL);
	fremovexattr(fd, DEFAULT_ACL);
}

int layer_clear_xattrs(struct layer *l, int fd, const char *path)
{
	char *names = malloc(LIST_LIMIT);
	if (names == NULL)
		return layer_fail(l, "malloc", path);
	ssize_t size = flistxattr(fd, names, LIST_LIMIT);
	int result = size < 0 && errno != EOPNOTSUPP ? layer_fail(l, "flistxattr", path) : 0;
	for (const char *name = names; result == 0 && name < names + size; name += strlen(name) + 1) {
		bool mine = starts(name, "user.") || strcmp(name, ACCESS_ACL) == 0 || strcmp(name, DEFAULT_ACL) == 0 ||
			    (starts(name, "trusted.") && !starts(name, "trusted.overlay."));
		if (mine && fremovexattr(fd, name) < 0 && errno != ENODATA)
			result = layer_fail(l, "fremovexattr", path);
	}
	free(names);
	return result;
}

bool layer_has_default_acl(int fd)
{
	return fgetxattr(fd, DEFAULT_ACL, NULL, 0) > 0;
}
