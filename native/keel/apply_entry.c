#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "apply_layer.h"
#include "tree.h"

int layer_fail(struct layer *l, const char *call, const char *path)
{
	int saved = errno;
	l->syscall = call;
	snprintf(l->detail, sizeof(l->detail), "%s", path);
	errno = saved;
	return -1;
}

void layer_close(struct layer *l)
{
	layer_forget(l, NULL);
	layer_abandon(l);
	free(l->file.xattrs.items);
	if (l->root >= 0)
		close(l->root);
	for (size_t i = 0; i < l->time_count; i++)
		free(l->times[i].path);
	free(l->times);
	free(l->made);
}

int layer_open(struct layer *l, const struct msg_apply_open *m)
{
	l->overlay = m->overlay;
	l->uid = geteuid();
	l->gid = getegid();
	l->root = open(m->root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (l->root < 0)
		return layer_fail(l, "open", m->root);
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	int fd = (int)syscall(SYS_openat2, l->root, ".", &how, sizeof(how));
	if (fd >= 0) {
		close(fd);
		return 0;
	}
	/* A kernel before 5.6, or a seccomp filter that does not know it. This process does nothing else: a root of its own
	 * confines its paths as well. */
	if (errno != ENOSYS && errno != EPERM)
		return layer_fail(l, "openat2", m->root);
	if (fchdir(l->root) < 0 || chroot(".") < 0)
		return layer_fail(l, "chroot", m->root);
	l->chrooted = true;
	return 0;
}

int layer_remove(struct layer *l, const struct layer_parent *parent, const char *name, const char *path)
{
	struct tree_error error;
	struct stat st;
	if (fstatat(parent->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : layer_fail(l, "fstatat", path);
	if (l->merge && S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return layer_fail(l, "unlinkat", path);
	}
	if (S_ISDIR(st.st_mode) ? tree_remove(parent->fd, name, &error) < 0 : unlinkat(parent->fd, name, 0) < 0)
		return layer_fail(l, S_ISDIR(st.st_mode) ? error.syscall : "unlinkat", path);
	if (S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode))
		layer_forget(l, parent);
	return 0;
}

static int modified_time(struct layer *l, const struct wire_timestamp *t, struct timespec *out, const char *path)
{
	/* Larger ones are flags of utimensat(2). */
	if (t->nanoseconds > 999999999) {
		errno = EINVAL;
		return layer_fail(l, "utimensat", path);
	}
	*out = (struct timespec){ .tv_sec = t->seconds, .tv_nsec = t->nanoseconds };
	return 0;
}

static int remember_time(struct layer *l, const char *path, uint64_t inode, const struct timespec *modified)
{
	if (l->time_count == l->time_capacity) {
		size_t capacity = l->time_capacity == 0 ? 256 : l->time_capacity * 2;
		struct layer_time *grown = reallocarray(l->times, capacity, sizeof(*grown));
		if (grown == NULL)
			return layer_fail(l, "realloc", path);
		l->times = grown;
		l->time_capacity = capacity;
	}
	char *copy = strdup(path);
	if (copy == NULL)
		return layer_fail(l, "strdup", path);
	l->times[l->time_count++] = (struct layer_time){ .inode = inode, .modified = *modified, .path = copy };
	return 0;
}

/* Makes the directory, or takes the one that is there. Returns a descriptor; *existed says which. */
static int make_directory(struct layer *l, const struct msg_apply_directory *m, bool *existed)
{
	const char *name;
	*existed = true;
	if (strcmp(m->path, ".") == 0) {
		int fd = fcntl(l->root, F_DUPFD_CLOEXEC, 0);
		return fd < 0 ? layer_fail(l, "fcntl", m->path) : fd;
	}
	struct layer_parent *parent = layer_parent(l, m->path, true, &name);
	if (parent == NULL)
		return -1;
	bool replaced = false;
	if (mkdirat(parent->fd, name, m->mode & 0777) == 0) {
		*existed = false;
	} else {
		struct stat st;
		if (errno != EEXIST)
			return layer_fail(l, "mkdirat", m->path);
		if (fstatat(parent->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return layer_fail(l, "fstatat", m->path);
		replaced = !S_ISDIR(st.st_mode);
		if (replaced && l->merge) {
			errno = ENOTDIR;
			return layer_fail(l, "mkdirat", m->path);
		}
		if (replaced) {
			if (layer_remove(l, parent, name, m->path) < 0)
				return -1;
			if (mkdirat(parent->fd, name, m->mode & 0777) < 0)
				return layer_fail(l, "mkdirat", m->path);
			*existed = false;
		}
	}
	if (layer_made(l, parent->inode, name) < 0)
		return -1;
	int fd = openat(parent->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return layer_fail(l, "openat", m->path);
	if (!*existed && parent->inherits)
		layer_drop_inherited(fd);
	/* What was there, a whiteout or anything else, hid what lower layers have. So must the directory. */
	if (replaced && l->overlay && layer_mark_opaque(l, fd, m->path) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int describe_directory(struct layer *l, const struct msg_apply_directory *m, int fd, bool existed, struct stat *st)
{
	struct timespec modified;
	uint32_t mode = m->mode & 07777;
	if (fstat(fd, st) < 0)
		return layer_fail(l, "fstat", m->path);
	/* Somebody else's: a copy into /tmp must not take its sticky bit away. */
	if (existed && l->merge)
		return 0;
	bool owned = st->st_uid == m->uid && st->st_gid == m->gid;
	if (!owned && fchown(fd, m->uid, m->gid) < 0)
		return layer_fail(l, "fchown", m->path);
	if ((!owned || (st->st_mode & 07777) != mode) && fchmod(fd, mode) < 0)
		return layer_fail(l, "fchmod", m->path);
	st->st_mode = S_IFDIR | mode;
	/* A layer's own directory, described twice, has at most more attributes than it should. */
	if (existed && !l->overlay && layer_clear_xattrs(l, fd, m->path) < 0)
		return -1;
	if (layer_set_xattrs(l, fd, &m->xattrs, m->path) < 0 || modified_time(l, &m->modified, &modified, m->path) < 0)
		return -1;
	return remember_time(l, m->path, st->st_ino, &modified);
}

int layer_directory(struct layer *l, const struct msg_apply_directory *m)
{
	bool existed;
	struct stat st;
	int fd = make_directory(l, m, &existed);
	if (fd < 0)
		return -1;
	if (describe_directory(l, m, fd, existed, &st) < 0) {
		close(fd);
		return -1;
	}
	/* Most likely the next entries are in it. */
	bool default_acl = (existed || m->xattrs.count > 0) && layer_has_default_acl(fd);
	size_t size = strcmp(m->path, ".") == 0 ? 0 : strlen(m->path);
	layer_remember(l, m->path, size, fd, &st, default_acl);
	return 0;
}

int layer_symlink(struct layer *l, const struct msg_apply_symlink *m)
{
	const char *name;
	struct timespec times[2];
	struct layer_parent *parent = layer_parent(l, m->path, true, &name);
	if (parent == NULL || modified_time(l, &m->modified, &times[1], m->path) < 0)
		return -1;
	if (symlinkat(m->target, parent->fd, name) < 0) {
		if (errno != EEXIST)
			return layer_fail(l, "symlinkat", m->path);
		if (layer_remove(l, parent, name, m->path) < 0)
			return -1;
		if (symlinkat(m->target, parent->fd, name) < 0)
			return layer_fail(l, "symlinkat", m->path);
	}
	if (layer_made(l, parent->inode, name) < 0)
		return -1;
	if ((m->uid != l->uid || m->gid != l->gid || parent->inherits) &&
	    fchownat(parent->fd, name, m->uid, m->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return layer_fail(l, "fchownat", m->path);
	if (layer_set_xattrs_at(l, parent->fd, name, &m->xattrs, m->path) < 0)
		return -1;
	times[0] = times[1];
	return utimensat(parent->fd, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? layer_fail(l, "utimensat", m->path) : 0;
}

/*
 * The node was made just now, and in a layer nobody else is here. With `merge` a container may have put a link in its place,
 * which fchmodat(2) would follow: setuid and sticky bits mean nothing on a node, and are not worth that.
 */
static int change_mode(const struct layer *l, int dirfd, const char *name, mode_t mode)
{
	return l->merge ? 0 : fchmodat(dirfd, name, mode, 0);
}

int layer_node(struct layer *l, const struct msg_apply_node *m)
{
	const char *name;
	struct timespec times[2];
	mode_t type = m->mode & S_IFMT;
	dev_t device = type == S_IFIFO ? 0 : makedev(m->major, m->minor);
	if ((type != S_IFCHR && type != S_IFBLK && type != S_IFIFO) || (l->overlay && type == S_IFCHR && device == 0)) {
		errno = EINVAL;
		return layer_fail(l, "mknodat", m->path);
	}
	struct layer_parent *parent = layer_parent(l, m->path, true, &name);
	if (parent == NULL || modified_time(l, &m->modified, &times[1], m->path) < 0)
		return -1;
	if (mknodat(parent->fd, name, type | (m->mode & 0777), device) < 0) {
		if (errno != EEXIST)
			return layer_fail(l, "mknodat", m->path);
		if (layer_remove(l, parent, name, m->path) < 0)
			return -1;
		if (mknodat(parent->fd, name, type | (m->mode & 0777), device) < 0)
			return layer_fail(l, "mknodat", m->path);
	}
	if (layer_made(l, parent->inode, name) < 0)
		return -1;
	if ((m->uid != l->uid || m->gid != l->gid || parent->inherits) &&
	    fchownat(parent->fd, name, m->uid, m->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return layer_fail(l, "fchownat", m->path);
	if (((m->mode & 07000) != 0 || parent->inherits) && change_mode(l, parent->fd, name, m->mode & 07777) < 0)
		return layer_fail(l, "fchmodat", m->path);
	if (layer_set_xattrs_at(l, parent->fd, name, &m->xattrs, m->path) < 0)
		return -1;
	times[0] = times[1];
	return utimensat(parent->fd, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? layer_fail(l, "utimensat", m->path) : 0;
}

/* A hard link's failure names both paths. */
static int fail_link(struct layer *l, const char *call, const struct msg_apply_hardlink *m)
{
	int saved = errno;
	l->syscall = call;
	snprintf(l->detail, sizeof(l->detail), "%s (hard link to %s)", m->path, m->target);
	errno = saved;
	return -1;
}

int layer_hardlink(struct layer *l, const struct msg_apply_hardlink *m)
{
	const char *name, *target;
	struct stat st, old;
	struct layer_parent *parent = layer_parent(l, m->path, true, &name);
	if (parent == NULL)
		return -1;
	/* Looked up after the other, which stays open: it is newer than what is given up for it. */
	struct layer_parent *from = layer_parent(l, m->target, false, &target);
	if (from == NULL)
		return fail_link(l, "linkat", m);
	if (fstatat(from->fd, target, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail_link(l, "linkat", m);
	if (l->overlay && layer_is_whiteout(&st)) {
		errno = ENOENT;
		return fail_link(l, "linkat", m);
	}
	if (linkat(from->fd, target, parent->fd, name, 0) < 0) {
		if (errno != EEXIST)
			return fail_link(l, "linkat", m);
		if (fstatat(parent->fd, name, &old, AT_SYMLINK_NOFOLLOW) < 0)
			return layer_fail(l, "fstatat", m->path);
		if (old.st_ino != st.st_ino) {
			/* The removal may forget `from`, and take the target away: then there is nothing to link to. */
			if (layer_remove(l, parent, name, m->path) < 0)
				return -1;
			from = layer_parent(l, m->target, false, &target);
			if (from == NULL || linkat(from->fd, target, parent->fd, name, 0) < 0)
				return fail_link(l, "linkat", m);
		}
	}
	return layer_made(l, parent->inode, name);
}

static int set_time(struct layer *l, const struct layer_time *t)
{
	struct timespec times[2] = { t->modified, t->modified };
	struct stat st;
	const char *name;
	if (strcmp(t->path, ".") == 0)
		return futimens(l->root, times) < 0 ? layer_fail(l, "futimens", t->path) : 0;
	struct layer_parent *parent = layer_parent(l, t->path, false, &name);
	if (parent == NULL || fstatat(parent->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		/* A later entry of the layer has replaced it, or a directory above. */
		if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
			return layer_fail(l, "fstatat", t->path);
		l->syscall = NULL;
		return 0;
	}
	if (!S_ISDIR(st.st_mode) || st.st_ino != t->inode)
		return 0;
	return utimensat(parent->fd, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? layer_fail(l, "utimensat", t->path) : 0;
}

int layer_finish(struct layer *l, const struct msg_apply_finish *m)
{
	for (size_t i = 0; i < l->time_count; i++) {
		if (set_time(l, &l->times[i]) < 0)
			return -1;
	}
	return m->sync && syncfs(l->root) < 0 ? layer_fail(l, "syncfs", ".") : 0;
}
