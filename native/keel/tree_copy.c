#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tree.h"
#include "walk.h"

/* Largest list of names and largest value that the kernel takes (linux/limits.h). */
#define XATTR_LIMIT 65536
#define BLOCK (128u << 10)

/* A directory that is being copied. */
struct level {
	int from; /* -1 while closed, on a deep walk */
	int to;
	struct walk_id from_id;
	struct walk_id to_id;
	int64_t next; /* offset behind the entry that was descended into */
	size_t path;  /* length of the path to it */
};

/* The first copy of a file that has several names. */
struct linked {
	struct walk_id id;
	char *path; /* NULL for a free slot */
};

struct copy {
	struct level *levels;
	size_t depth;
	size_t level_capacity;
	struct linked *links; /* open addressing, a power of two slots */
	size_t link_count;
	size_t link_capacity;
	char *path; /* of the current directory, below the destination */
	size_t path_capacity;
	bool cannot_clone; /* FICLONE has failed: this pair of filesystems never can */
	char *block;
	char *names;
	char *value;
	struct walk_reader reader;
	struct tree_error *error;
};

static int fail(struct copy *c, const char *name, const char *what)
{
	int saved = errno;
	c->error->syscall = name;
	snprintf(c->error->detail, sizeof(c->error->detail), "%s", what);
	errno = saved;
	return -1;
}

static struct linked *link_slot(struct linked *links, size_t capacity, const struct walk_id *id)
{
	uint64_t hash = ((uint64_t)id->inode ^ (uint64_t)id->device << 32) * 0x9e3779b97f4a7c15u;
	size_t i = (size_t)(hash >> 32) & (capacity - 1);
	while (links[i].path != NULL && (links[i].id.inode != id->inode || links[i].id.device != id->device))
		i = (i + 1) & (capacity - 1);
	return &links[i];
}

static int grow_links(struct copy *c)
{
	size_t capacity = c->link_capacity == 0 ? 256 : c->link_capacity * 2;
	struct linked *grown = calloc(capacity, sizeof(*grown));
	if (grown == NULL)
		return fail(c, "calloc", "");
	for (size_t i = 0; i < c->link_capacity; i++) {
		if (c->links[i].path != NULL)
			*link_slot(grown, capacity, &c->links[i].id) = c->links[i];
	}
	free(c->links);
	c->links = grown;
	c->link_capacity = capacity;
	return 0;
}

/* Opens the directory of a path below the destination by one component after the other, as it may be longer than PATH_MAX. */
static int open_directory_of(const struct copy *c, char *path, const char **name)
{
	int at = fcntl(c->levels[0].to, F_DUPFD_CLOEXEC, 0);
	for (char *slash; at >= 0 && (slash = strchr(path, '/')) != NULL; path = slash + 1) {
		*slash = '\0';
		int next = openat(at, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		*slash = '/';
		close(at);
		at = next;
	}
	*name = path;
	return at;
}

/* Returns 1 when it made a hard link to an earlier copy, 0 when this is the first name of the file. */
static int link_earlier(struct copy *c, const struct level *level, const struct stat *st, const char *name)
{
	if ((c->link_count + 1) * 2 > c->link_capacity && grow_links(c) < 0)
		return -1;
	struct walk_id id = { .device = st->st_dev, .inode = st->st_ino };
	struct linked *slot = link_slot(c->links, c->link_capacity, &id);
	if (slot->path == NULL) {
		size_t size = strlen(name) + 1;
		slot->path = malloc(level->path + size);
		if (slot->path == NULL)
			return fail(c, "malloc", name);
		memcpy(slot->path, c->path, level->path);
		memcpy(slot->path + level->path, name, size);
		slot->id = id;
		c->link_count += 1;
		return 0;
	}
	const char *first;
	int at = open_directory_of(c, slot->path, &first);
	if (at < 0)
		return fail(c, "openat", slot->path);
	int made = linkat(at, first, level->to, name, 0);
	int saved = errno;
	close(at);
	errno = saved;
	if (made < 0 && errno == ENOENT) /* the first name was left out */
		return 0;
	return made < 0 ? fail(c, "linkat", name) : 1;
}

static int write_all(int fd, const char *data, size_t size, off_t at)
{
	while (size > 0) {
		ssize_t n = pwrite(fd, data, size, at);
		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0) {
			data += n;
			size -= (size_t)n;
			at += n;
		}
	}
	return 0;
}

/* Copies the bytes from `at` up to `end`. */
static int copy_range(struct copy *c, int from, int to, off_t at, off_t end)
{
	/* In the kernel where it can; a short range costs less by read and write. */
	while (end - at > (off_t)BLOCK) {
		loff_t in = at, out = at;
		ssize_t n = copy_file_range(from, &in, to, &out, (size_t)(end - at), 0);
		if (n < 0 && errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP && errno != EPERM)
			return -1;
		if (n <= 0)
			break;
		at += n;
	}
	while (at < end) {
		size_t want = end - at < (off_t)BLOCK ? (size_t)(end - at) : BLOCK;
		ssize_t n = pread(from, c->block, want, at);
		if (n == 0) /* it was made shorter meanwhile */
			break;
		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0 && write_all(to, c->block, (size_t)n, at) < 0)
			return -1;
		if (n > 0)
			at += n;
	}
	return 0;
}

static int copy_content(struct copy *c, int from, int to, off_t size)
{
	if (size == 0)
		return 0;
	if (!c->cannot_clone) {
		if (ioctl(to, FICLONE, from) == 0)
			return 0;
		c->cannot_clone = true;
	}
	off_t at = 0;
	while (at < size) {
		off_t data = lseek(from, at, SEEK_DATA);
		if (data < 0 && errno == ENXIO) /* a hole up to the end */
			break;
		off_t end = data < 0 ? size : lseek(from, data, SEEK_HOLE);
		if (data < 0)
			data = at;
		if (end < 0 || end > size)
			end = size;
		if (copy_range(c, from, to, data, end) < 0)
			return -1;
		at = end;
	}
	return ftruncate(to, size);
}

/*
 * Where an extended attribute is copied: from one file to another, or, for what cannot be opened, from a name in one
 * directory to the same name in another. For that there are no system calls with a directory before Linux 6.13, and a /proc
 * with this process in it may be missing, so that the working directory is changed.
 */
struct xattr_access {
	int from;
	int to;
	const char *name; /* NULL: from and to are the files */
};

static ssize_t list_xattrs(const struct xattr_access *a, char *names)
{
	if (a->name == NULL)
		return flistxattr(a->from, names, XATTR_LIMIT);
	return fchdir(a->from) < 0 ? -1 : llistxattr(a->name, names, XATTR_LIMIT);
}

static ssize_t get_xattr(const struct xattr_access *a, const char *key, char *value)
{
	if (a->name == NULL)
		return fgetxattr(a->from, key, value, XATTR_LIMIT);
	return fchdir(a->from) < 0 ? -1 : lgetxattr(a->name, key, value, XATTR_LIMIT);
}

static int set_xattr(const struct xattr_access *a, const char *key, const char *value, size_t size)
{
	if (a->name == NULL)
		return fsetxattr(a->to, key, value, size, 0);
	return fchdir(a->to) < 0 ? -1 : lsetxattr(a->name, key, value, size, 0);
}

static int copy_xattrs(struct copy *c, const struct xattr_access *a, const char *what)
{
	ssize_t size = list_xattrs(a, c->names);
	if (size < 0)
		return errno == EOPNOTSUPP ? 0 : fail(c, "listxattr", what);
	for (const char *key = c->names; key < c->names + size; key += strlen(key) + 1) {
		ssize_t n = get_xattr(a, key, c->value);
		if (n < 0 && (errno == ENODATA || errno == EOPNOTSUPP))
			continue;
		if (n < 0)
			return fail(c, "getxattr", what);
		if (set_xattr(a, key, c->value, (size_t)n) < 0 &&
		    (errno != EOPNOTSUPP || strcmp(key, "security.capability") == 0))
			return fail(c, "setxattr", what);
	}
	return 0;
}

/* Owner before mode, because chown clears setuid and setgid, and before security.capability, which it removes. */
static int copy_attributes(struct copy *c, int from, int to, const struct stat *st, const char *what)
{
	struct xattr_access access = { .from = from, .to = to };
	struct timespec times[2] = { st->st_atim, st->st_mtim };
	if (fchown(to, st->st_uid, st->st_gid) < 0)
		return fail(c, "fchown", what);
	if (fchmod(to, st->st_mode & 07777) < 0)
		return fail(c, "fchmod", what);
	if (copy_xattrs(c, &access, what) < 0)
		return -1;
	return futimens(to, times) < 0 ? fail(c, "futimens", what) : 0;
}

static int copy_file(struct copy *c, const struct level *level, const char *name)
{
	struct stat st;
	int result = -1;
	int from = walk_open(level->from, name, O_RDONLY | O_NONBLOCK);
	if (from < 0)
		return errno == EXDEV ? 0 : fail(c, "openat2", name);
	int to = -1;
	if (fstat(from, &st) < 0)
		fail(c, "fstat", name);
	else if ((to = openat(level->to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0)
		fail(c, "openat", name);
	else if (copy_content(c, from, to, st.st_size) < 0)
		fail(c, "copy_file_range", name);
	else
		result = copy_attributes(c, from, to, &st, name);
	int saved = errno;
	close(from);
	if (to >= 0 && close(to) < 0 && result == 0)
		return fail(c, "close", name);
	errno = saved;
	return result;
}

static int copy_other(struct copy *c, const struct level *level, const struct stat *st, const char *name)
{
	struct timespec times[2] = { st->st_atim, st->st_mtim };
	if (S_ISLNK(st->st_mode)) {
		char *target = c->block;
		ssize_t n = readlinkat(level->from, name, target, BLOCK - 1);
		if (n < 0)
			return fail(c, "readlinkat", name);
		target[n] = '\0';
		if (symlinkat(target, level->to, name) < 0)
			return fail(c, "symlinkat", name);
	} else if (mknodat(level->to, name, st->st_mode & (S_IFMT | 0777), st->st_rdev) < 0) {
		return fail(c, "mknodat", name);
	}
	if (fchownat(level->to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(c, "fchownat", name);
	if (!S_ISLNK(st->st_mode) && fchmodat(level->to, name, st->st_mode & 07777, 0) < 0)
		return fail(c, "fchmodat", name);
	struct xattr_access access = { .from = level->from, .to = level->to, .name = name };
	if (copy_xattrs(c, &access, name) < 0)
		return -1;
	return utimensat(level->to, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? fail(c, "utimensat", name) : 0;
}

static int push(struct copy *c, int from, int to, size_t path)
{
	if (c->depth == c->level_capacity) {
		size_t capacity = c->level_capacity == 0 ? 16 : c->level_capacity * 2;
		struct level *grown = reallocarray(c->levels, capacity, sizeof(*grown));
		if (grown == NULL)
			return fail(c, "realloc", "");
		c->levels = grown;
		c->level_capacity = capacity;
	}
	struct level *level = &c->levels[c->depth];
	*level = (struct level){ .from = from, .to = to, .path = path };
	if (walk_identify(from, &level->from_id) < 0 || walk_identify(to, &level->to_id) < 0)
		return fail(c, "fstat", "");
	c->depth += 1;
	c->reader.at = c->reader.filled = 0;
	return 0;
}

/* Appends `name/` to the path, whose first `at` bytes stay. */
static int extend_path(struct copy *c, size_t at, const char *name)
{
	size_t size = strlen(name);
	if (at + size + 1 > c->path_capacity) {
		size_t capacity = (at + size + 1) * 2;
		char *grown = realloc(c->path, capacity);
		if (grown == NULL)
			return fail(c, "realloc", name);
		c->path = grown;
		c->path_capacity = capacity;
	}
	memcpy(c->path + at, name, size);
	c->path[at + size] = '/';
	return 0;
}

static int copy_directory(struct copy *c, struct level *level, const struct stat *st, const struct walk_entry *entry)
{
	const char *name = entry->name;
	size_t path = level->path + strlen(name) + 1;
	if (mkdirat(level->to, name, 0700) < 0)
		return fail(c, "mkdirat", name);
	int from = walk_open(level->from, name, O_RDONLY | O_DIRECTORY);
	if (from < 0 && errno == EXDEV) {
		if (fchownat(level->to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
			return fail(c, "fchownat", name);
		return fchmodat(level->to, name, st->st_mode & 07777, 0) < 0 ? fail(c, "fchmodat", name) : 0;
	}
	if (from < 0)
		return fail(c, "openat2", name);
	int to = walk_open(level->to, name, O_RDONLY | O_DIRECTORY);
	if (to < 0) {
		fail(c, "openat2", name);
		close(from);
		return -1;
	}
	level->next = entry->offset;
	size_t above = c->depth - 1;
	if (extend_path(c, level->path, name) < 0 || push(c, from, to, path) < 0) {
		close(from);
		close(to);
		return -1;
	}
	if (above >= WALK_KEEP) {
		level = &c->levels[above];
		close(level->from);
		close(level->to);
		level->from = level->to = -1;
	}
	return 0;
}

/* The top directory is complete: its attributes, then back to the one above. */
static int ascend(struct copy *c)
{
	struct level *level = &c->levels[c->depth - 1];
	struct stat st;
	if (fstat(level->from, &st) < 0)
		return fail(c, "fstat", "");
	if (copy_attributes(c, level->from, level->to, &st, "") < 0)
		return -1;
	if (c->depth == 1) {
		c->depth = 0;
		return 0;
	}
	struct level *up = level - 1;
	if (up->from < 0) {
		up->from = walk_up(level->from, &up->from_id);
		up->to = walk_up(level->to, &up->to_id);
		if (up->from < 0 || up->to < 0)
			return fail(c, "openat", "..");
	}
	close(level->from);
	close(level->to);
	c->depth -= 1;
	return walk_seek(&c->reader, up->from, up->next) < 0 ? fail(c, "lseek", "") : 0;
}

static int copy_entry(struct copy *c, const struct walk_entry *entry)
{
	struct level *level = &c->levels[c->depth - 1];
	const char *name = entry->name;
	struct stat st;
	if (fstatat(level->from, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
		return errno == ENOENT ? 0 : fail(c, "fstatat", name);
	if (S_ISSOCK(st.st_mode))
		return 0;
	if (S_ISDIR(st.st_mode))
		return copy_directory(c, level, &st, entry);
	if (st.st_nlink > 1) {
		int linked = link_earlier(c, level, &st, name);
		if (linked != 0)
			return linked < 0 ? -1 : 0;
	}
	return S_ISREG(st.st_mode) ? copy_file(c, level, name) : copy_other(c, level, &st, name);
}

static int copy_all(struct copy *c)
{
	while (c->depth > 0) {
		const struct walk_entry *entry = walk_next(&c->reader, c->levels[c->depth - 1].from);
		if (entry == NULL && errno != 0)
			return fail(c, "getdents64", "");
		if ((entry == NULL ? ascend(c) : copy_entry(c, entry)) < 0)
			return -1;
	}
	return 0;
}

int tree_copy(int source, int destination, struct tree_error *error)
{
	struct copy c = { .error = error };
	int result = -1;
	c.block = malloc(BLOCK);
	c.names = malloc(XATTR_LIMIT);
	c.value = malloc(XATTR_LIMIT);
	/* The caller's descriptors may be O_PATH, or somewhere in the middle of the directory. */
	int from = openat(source, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int to = openat(destination, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int working = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (from < 0 || to < 0 || working < 0)
		fail(&c, "openat", ".");
	else if (c.block == NULL || c.names == NULL || c.value == NULL)
		fail(&c, "malloc", "");
	else if (push(&c, from, to, 0) == 0)
		result = copy_all(&c);
	if (result == 0 && fchdir(working) < 0)
		result = fail(&c, "fchdir", "");
	int saved = errno;
	if (working >= 0)
		close(working);
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	for (size_t i = 1; i < c.depth; i++) {
		if (c.levels[i].from >= 0)
			close(c.levels[i].from);
		if (c.levels[i].to >= 0)
			close(c.levels[i].to);
	}
	for (size_t i = 0; i < c.link_capacity; i++)
		free(c.links[i].path);
	free(c.links);
	free(c.levels);
	free(c.path);
	free(c.block);
	free(c.names);
	free(c.value);
	errno = saved;
	return result;
}
