#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "browse_tree.h"
#include "compat.h"
#include "walk.h"

/* A directory that is being gone through. */
struct level {
	int fd; /* readable */
	char **names;
	size_t count;
	size_t next;
	size_t path_size; /* of its path, without a slash behind it; 0 for where the walk starts */
};

struct walk {
	struct browse *b;
	const struct msg_browse_walk *wanted;
	struct browse_links links;
	struct level *levels;
	size_t depth;
	size_t capacity;
	char path[PATH_MAX];
};

/* statfs(2) f_type of filesystems that are the kernel's own windows (linux/magic.h). What is in them is no file to copy. */
static const uint64_t kernel_filesystems[] = {
	MAGIC_PROC, MAGIC_DEVPTS, MAGIC_NSFS, MAGIC_CGROUP, MAGIC_CGROUP2, 0x62656572 /* sysfs */,
	0x19800202 /* mqueue */, 0x64626720 /* debugfs */, 0x74726163 /* tracefs */, 0x73636673 /* securityfs */,
	0xcafe4a11 /* bpf */, 0x6165676c /* pstore */, 0xde5e81e4 /* efivarfs */, 0x62656570 /* configfs */,
	0xf97cff8c /* selinuxfs */, 0x42494e4d /* binfmt_misc */, 0x65735543 /* fusectl */,
};

static bool is_kernels(int fd)
{
	struct statfs s;
	if (fstatfs(fd, &s) < 0)
		return false;
	for (size_t i = 0; i < sizeof(kernel_filesystems) / sizeof(*kernel_filesystems); i++)
		if ((uint64_t)s.f_type == kernel_filesystems[i])
			return true;
	return false;
}

static bool is_mount_point(int fd)
{
	struct statx s;
	return statx(fd, "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_INO, &s) == 0 &&
	       (s.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void release(struct level *l)
{
	for (size_t i = l->next; i < l->count; i++)
		free(l->names[i]);
	free(l->names);
	close(l->fd);
}

/* Reads all names of a directory, so that they can be told in order, and no one twice. */
static int read_names(struct walk *w, struct level *l)
{
	struct walk_reader reader = { .at = 0 };
	const struct walk_entry *entry;
	size_t capacity = 0;
	while ((entry = walk_next(&reader, l->fd)) != NULL) {
		if (l->count == capacity) {
			capacity = capacity == 0 ? 32 : capacity * 2;
			char **grown = reallocarray(l->names, capacity, sizeof(*grown));
			if (grown == NULL)
				return browse_fail(w->b, "realloc", w->path);
			l->names = grown;
		}
		l->names[l->count] = strdup(entry->name);
		if (l->names[l->count] == NULL)
			return browse_fail(w->b, "strdup", w->path);
		l->count += 1;
	}
	/* A directory that was removed meanwhile has no names any more. */
	if (errno != 0 && errno != ENOENT)
		return browse_fail(w->b, "getdents64", w->path);
	if (l->count > 1)
		qsort(l->names, l->count, sizeof(*l->names), compare);
	return 0;
}

/* Goes into the directory `fd` (O_PATH), whose path is in w->path. */
static int enter(struct walk *w, int fd, size_t path_size)
{
	if (w->depth == w->capacity) {
		size_t capacity = w->capacity == 0 ? 16 : w->capacity * 2;
		struct level *grown = reallocarray(w->levels, capacity, sizeof(*grown));
		if (grown == NULL)
			return browse_fail(w->b, "realloc", w->path);
		w->levels = grown;
		w->capacity = capacity;
	}
	struct level *l = &w->levels[w->depth];
	*l = (struct level){ .fd = browse_reopen(w->b, fd, O_RDONLY | O_DIRECTORY), .path_size = path_size };
	if (l->fd < 0)
		return errno == ENOENT ? 0 : browse_fail(w->b, "openat", w->path);
	w->depth += 1;
	return read_names(w, l);
}

static int visit(struct walk *w, int fd, size_t path_size)
{
	struct stat st;
	const char *link = "";
	const struct msg_browse_walk *m = w->wanted;
	if (fstat(fd, &st) < 0)
		return browse_fail(w->b, "fstat", w->path);
	if (st.st_nlink > 1 && !S_ISDIR(st.st_mode)) {
		bool failed;
		const char *found = browse_linked(&w->links, &st, w->path, &failed);
		if (failed)
			return browse_fail(w->b, "malloc", w->path);
		if (found != NULL)
			link = found;
	}
	if (browse_found(w->b, fd, &st, w->path, link, m->content) < 0)
		return -1;
	if (!S_ISDIR(st.st_mode) || (m->depth < 2 && w->depth >= m->depth))
		return 0;
	if (w->depth > 0 && is_mount_point(fd) && (!m->cross || is_kernels(fd)))
		return 0;
	return enter(w, fd, path_size);
}

/* Appends a name to the path of `l`; its whole size, or -1 when it gets too long to be named. */
static ssize_t extend(struct walk *w, const struct level *l, const char *name)
{
	size_t start = l->path_size == 0 ? 0 : l->path_size + 1;
	size_t size = strlen(name);
	if (start + size >= sizeof(w->path)) {
		w->path[l->path_size] = 0;
		errno = ENAMETOOLONG;
		return browse_fail(w->b, "openat", w->path);
	}
	if (start > 0)
		w->path[l->path_size] = '/';
	memcpy(w->path + start, name, size + 1);
	return (ssize_t)(start + size);
}

static int step(struct walk *w)
{
	struct level *l = &w->levels[w->depth - 1];
	if (l->next == l->count) {
		w->depth -= 1;
		release(l);
		return 0;
	}
	char *name = l->names[l->next++];
	ssize_t size = extend(w, l, name);
	int fd = size < 0 ? -1 : openat(l->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	free(name);
	if (size < 0)
		return -1;
	if (fd < 0)
		return errno == ENOENT ? 0 : browse_fail(w->b, "openat", w->path);
	int result = visit(w, fd, (size_t)size);
	int saved = errno;
	close(fd);
	errno = saved;
	return result;
}

int browse_walk(struct browse *b, const struct msg_browse_walk *m)
{
	struct walk *w = calloc(1, sizeof(*w));
	if (w == NULL)
		return browse_fail(b, "calloc", m->path);
	w->b = b;
	w->wanted = m;
	strcpy(w->path, ".");
	int start = browse_resolve(b, m->path, m->follow);
	int result = start < 0 ? browse_fail(b, "openat2", m->path) : visit(w, start, 0);
	while (result == 0 && w->depth > 0)
		result = step(w);
	int saved = errno;
	if (start >= 0)
		close(start);
	while (w->depth > 0)
		release(&w->levels[--w->depth]);
	browse_forget_links(&w->links);
	free(w->levels);
	free(w);
	errno = saved;
	return result;
}
