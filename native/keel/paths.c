/* Paths in the root: resolved by the kernel, used by descriptor. */
#include <errno.h>
#include <sys/stat.h>

#include "compat.h"
#include "context.h"

/* openat2 gives EAGAIN when a rename or mount races with the resolution of `..`; then it is tried again, this often. */
#define RACE_TRIES 128
/* Symbolic links that the kernel follows in one path (MAXSYMLINKS). */
#define MAX_LINKS 40

int root_directory(struct context *c)
{
	if (c->root < 0)
		c->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return c->root;
}

void root_replace(struct context *c, int fd)
{
	if (c->root >= 0)
		close(c->root);
	c->root = fd;
}

int root_open(struct context *c, const char *path, int flags, uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve,
	};
	if (root_directory(c) < 0)
		return -1;
	long fd = -1;
	for (int i = 0; i < RACE_TRIES; i++) {
		fd = syscall(SYS_openat2, c->root, path[0] == 0 ? "/" : path, &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return (int)fd;
}

/* Makes one entry of a directory that is held by descriptor, and opens it. */
static int make_entry(int parent, const char *name, bool last, const struct make *make)
{
	bool file = last && make->file;
	uint32_t mode = last ? make->mode : 0755;
	if (file) {
		int fd = openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, (mode_t)mode);
		if (fd < 0)
			return -1;
		close(fd);
	} else if (mkdirat(parent, name, (mode_t)mode & 01777) < 0) {
		return -1;
	}
	scoped_fd fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC | (file ? 0 : O_DIRECTORY));
	if (fd < 0)
		return -1;
	if (last && (make->uid != 0 || make->gid != 0) &&
	    fchownat(fd, "", make->uid, make->gid, AT_EMPTY_PATH) < 0)
		return -1;
	if (!file && (mode & 06000) != 0) {
		scoped_fd directory = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (directory < 0 || fchmod(directory, (mode_t)mode & 07777) < 0)
			return -1;
	}
	return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

/* Puts what link `target`, at `start` in `path`, stands for in its place; `rest` follows. */
static int expand_link(char path[PATH_MAX], size_t start, const char *target, const char *rest)
{
	TEXT(expanded, PATH_MAX);
	if (target[0] != '/')
		text_add_bytes(&expanded, path, start);
	text_add(&expanded, target);
	text_add(&expanded, "/");
	text_add(&expanded, rest);
	if (expanded.truncated) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(path, expanded.data, expanded.used + 1);
	return 0;
}

/*
 * Walks down from the root. Each prefix of the path is resolved by the kernel; the first that is missing is made in its
 * parent, by descriptor. Made directories are real, so that later prefixes find them.
 */
static int make_path(struct context *c, char path[PATH_MAX], const struct make *make)
{
	int links = 0;
	int races = 0;
	size_t at = 0;
	int parent = root_open(c, "/", O_PATH | O_DIRECTORY, 0);
	while (parent >= 0) {
		size_t start = at + strspn(path + at, "/");
		if (path[start] == 0)
			return parent;
		size_t end = start + strcspn(path + start, "/");
		const char *rest = path + end + strspn(path + end, "/");
		char kept = path[end];
		path[end] = 0;
		const char *name = path + start;
		int next = root_open(c, path, O_PATH, 0);
		if (next < 0 && errno == ENOENT) {
			char target[PATH_MAX];
			ssize_t size = readlinkat(parent, name, target, sizeof(target) - 1);
			if (size >= 0) {
				target[size] = 0;
				if (++links > MAX_LINKS) {
					errno = ELOOP;
				} else if (expand_link(path, start, target, rest) == 0) {
					close(parent);
					parent = root_open(c, "/", O_PATH | O_DIRECTORY, 0);
					at = 0;
					continue;
				}
			} else {
				next = make_entry(parent, name, rest[0] == 0, make);
				if (next < 0 && errno == EEXIST && ++races < RACE_TRIES) {
					path[end] = kept;
					continue;
				}
			}
		}
		close_scope(&parent);
		path[end] = kept;
		parent = next;
		at = end;
	}
	return -1;
}

int root_make(struct context *c, const char *path, const struct make *make)
{
	int fd = root_open(c, path, O_PATH | (make->no_follow ? O_NOFOLLOW : 0), 0);
	if (fd >= 0 || errno != ENOENT)
		return fd;
	char copy[PATH_MAX];
	size_t size = strlen(path);
	if (size >= sizeof(copy)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(copy, path, size + 1);
	return make_path(c, copy, make);
}

/* Splits a path before its last component, which must be a name. */
static int split_path(const char *path, char parent[PATH_MAX], char name[NAME_MAX + 1])
{
	size_t size = strlen(path);
	while (size > 0 && path[size - 1] == '/')
		size--;
	size_t start = size;
	while (start > 0 && path[start - 1] != '/')
		start--;
	size_t length = size - start;
	if (length > NAME_MAX || start >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(name, path + start, length);
	name[length] = 0;
	if (length == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		errno = EINVAL;
		return -1;
	}
	memcpy(parent, path, start);
	parent[start] = 0;
	return 0;
}

int root_open_parent(struct context *c, const char *path, char name[NAME_MAX + 1])
{
	char parent[PATH_MAX];
	return split_path(path, parent, name) < 0 ? -1 : root_open(c, parent, O_PATH | O_DIRECTORY, 0);
}

int root_make_parent(struct context *c, const char *path, char name[NAME_MAX + 1])
{
	char parent[PATH_MAX];
	if (split_path(path, parent, name) < 0)
		return -1;
	const struct make make = { .mode = 0755 };
	int fd = root_open(c, parent, O_PATH | O_DIRECTORY, 0);
	return fd >= 0 || errno != ENOENT ? fd : make_path(c, parent, &make);
}

/* Whether a path is /proc or below it by its text, whatever its links are. */
static bool names_proc(const char *path)
{
	path += strspn(path, "/");
	return strncmp(path, "proc", 4) == 0 && (path[4] == '/' || path[4] == 0);
}

int root_check_target(struct context *c, const char *path, int fd)
{
	/*
	 * The planner decides by the text of a path what may be mounted in /proc. A link of the image must not lead there under
	 * another name: what is mounted would stand for the kernel's files (CVE-2019-16884).
	 */
	if (!names_proc(path) && filesystem_type(fd) == MAGIC_PROC) {
		errno = ELOOP;
		return -1;
	}
	struct statx root, target;
	const unsigned int what = STATX_INO | STATX_MNT_ID;
	if (statx(c->root, "", AT_EMPTY_PATH, what, &root) < 0 || statx(fd, "", AT_EMPTY_PATH, what, &target) < 0)
		return -1;
	if (root.stx_ino == target.stx_ino && root.stx_mnt_id == target.stx_mnt_id) {
		errno = EBUSY;
		return -1;
	}
	return 0;
}

int root_make_target(struct context *c, const char *path, const struct make *make)
{
	int fd = root_make(c, path, make);
	if (fd >= 0 && root_check_target(c, path, fd) < 0) {
		close_scope(&fd);
		return -1;
	}
	return fd;
}
