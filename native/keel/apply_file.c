#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apply_layer.h"

/* The frame that they are in is gone when the file is complete, and they are set then: writing removes some of them. */
static int keep_xattrs(struct layer *l, const struct wire_list_xattr *xattrs, const char *path)
{
	size_t size = xattrs->count * sizeof(*xattrs->items);
	for (uint32_t i = 0; i < xattrs->count; i++)
		size += strlen(xattrs->items[i].name) + 1 + xattrs->items[i].value.size;
	free(l->file.xattrs.items);
	l->file.xattrs = (struct wire_list_xattr){ .items = NULL };
	if (xattrs->count == 0)
		return 0;
	struct wire_xattr *items = malloc(size);
	if (items == NULL)
		return layer_fail(l, "malloc", path);
	char *next = (char *)(items + xattrs->count);
	for (uint32_t i = 0; i < xattrs->count; i++) {
		const struct wire_xattr *x = &xattrs->items[i];
		size_t name = strlen(x->name) + 1;
		memcpy(next, x->name, name);
		memcpy(next + name, x->value.data, x->value.size);
		items[i].name = next;
		items[i].value.data = (const uint8_t *)next + name;
		items[i].value.size = x->value.size;
		next += name + x->value.size;
	}
	l->file.xattrs.items = items;
	l->file.xattrs.count = xattrs->count;
	return 0;
}

/*
 * What is there stays until the new file is complete: a copy that fails half-way takes nothing away, and no program sees the
 * half of a file.
 */
static int open_temporary(struct layer *l, const struct layer_parent *parent, const char *name,
			  const struct msg_apply_file *m, int flags)
{
	struct layer_file *f = &l->file;
	struct stat st;
	if (fstatat(parent->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return layer_fail(l, "openat", m->path);
	}
	do {
		snprintf(f->temporary, sizeof(f->temporary), ".sampan-%d-%u", (int)getpid(), l->temporaries++);
		f->fd = openat(parent->fd, f->temporary, flags, m->mode & 0777);
	} while (f->fd < 0 && errno == EEXIST && l->temporaries < 1000000);
	if (f->fd < 0)
		return layer_fail(l, "openat", m->path);
	f->directory = fcntl(parent->fd, F_DUPFD_CLOEXEC, 0);
	if (f->directory >= 0)
		return 0;
	layer_fail(l, "fcntl", m->path);
	int saved = errno;
	unlinkat(parent->fd, f->temporary, 0);
	close(f->fd);
	f->fd = -1;
	errno = saved;
	return -1;
}

/* The name at the end of a path. */
static const char *last_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash == NULL ? path : slash + 1;
}

void layer_abandon(struct layer *l)
{
	struct layer_file *f = &l->file;
	int saved = errno;
	if (f->directory >= 0) {
		unlinkat(f->directory, f->temporary, 0);
		close(f->directory);
		f->directory = -1;
	}
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	errno = saved;
}

int layer_file(struct layer *l, const struct msg_apply_file *m)
{
	const char *name;
	struct layer_file *f = &l->file;
	if (m->modified.nanoseconds > 999999999 || m->size > INT64_MAX) {
		errno = EINVAL;
		return layer_fail(l, "openat", m->path);
	}
	struct layer_parent *parent = layer_parent(l, m->path, true, &name);
	if (parent == NULL || keep_xattrs(l, &m->xattrs, m->path) < 0)
		return -1;
	/* O_EXCL: never an existing file, and never through a link. */
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	if (l->merge) {
		if (open_temporary(l, parent, name, m, flags) < 0)
			return -1;
	} else
		f->fd = openat(parent->fd, name, flags, m->mode & 0777);
	if (f->fd < 0 && errno == EEXIST && !l->merge) {
		if (layer_remove(l, parent, name, m->path) < 0)
			return -1;
		f->fd = openat(parent->fd, name, flags, m->mode & 0777);
	}
	if (f->fd < 0)
		return layer_fail(l, "openat", m->path);
	f->size = m->size;
	f->end = 0;
	f->mode = m->mode & 07777;
	f->uid = m->uid;
	f->gid = m->gid;
	f->modified = (struct timespec){ .tv_sec = m->modified.seconds, .tv_nsec = m->modified.nanoseconds };
	f->inherits = parent->inherits;
	strcpy(f->path, m->path);
	return layer_made(l, parent->inode, name);
}

int layer_data(struct layer *l, const struct msg_apply_data *m)
{
	struct layer_file *f = &l->file;
	const uint8_t *data = m->data.data;
	size_t left = m->data.size;
	uint64_t at = m->offset;
	if (at > f->size || left > f->size - at) {
		errno = EINVAL;
		return layer_fail(l, "pwrite", f->path);
	}
	while (left > 0) {
		ssize_t n = pwrite(f->fd, data, left, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return layer_fail(l, "pwrite", f->path);
		data += n;
		left -= (size_t)n;
		at += (uint64_t)n;
	}
	if (at > f->end)
		f->end = at;
	return 0;
}

/* Owner before mode: chown clears setuid and setgid. Both before attributes: chown removes security.capability. */
static int complete(struct layer *l)
{
	const struct layer_file *f = &l->file;
	struct timespec times[2] = { f->modified, f->modified };
	if (f->end < f->size && ftruncate(f->fd, (off_t)f->size) < 0)
		return layer_fail(l, "ftruncate", f->path);
	if (f->inherits)
		layer_drop_inherited(f->fd);
	bool owned = f->uid == l->uid && f->gid == l->gid && !f->inherits;
	if (!owned && fchown(f->fd, f->uid, f->gid) < 0)
		return layer_fail(l, "fchown", f->path);
	if (((f->mode & 07000) != 0 || f->inherits) && fchmod(f->fd, f->mode) < 0)
		return layer_fail(l, "fchmod", f->path);
	if (layer_set_xattrs(l, f->fd, &f->xattrs, f->path) < 0)
		return -1;
	return futimens(f->fd, times) < 0 ? layer_fail(l, "futimens", f->path) : 0;
}

int layer_end(struct layer *l)
{
	struct layer_file *f = &l->file;
	int result = complete(l);
	int saved = errno;
	int closed = close(f->fd);
	f->fd = -1;
	/* Some filesystems tell only now that there was no space. */
	if (result == 0 && closed < 0) {
		result = layer_fail(l, "close", f->path);
		saved = errno;
	}
	if (result == 0 && f->directory >= 0) {
		if (renameat(f->directory, f->temporary, f->directory, last_of(f->path)) < 0)
			return layer_fail(l, "renameat", f->path);
		close(f->directory);
		f->directory = -1;
	}
	errno = saved;
	return result;
}
