#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "apply_layer.h"

/* Symbolic links that the kernel follows in one path; as many are followed to make missing directories. */
#define LINK_LIMIT 40
#define NAME_LIMIT 255

int layer_check_path(struct layer *l, const char *path)
{
	size_t size = 0;
	for (const char *c = path;; c++) {
		if (*c != '/' && *c != '\0') {
			size += 1;
			continue;
		}
		const char *name = c - size;
		bool dots = (size == 1 || size == 2) && name[0] == '.' && (size == 1 || name[1] == '.');
		if (size == 0 || dots || size > NAME_LIMIT || c - path >= PATH_MAX) {
			errno = size > NAME_LIMIT || c - path >= PATH_MAX ? ENAMETOOLONG : EINVAL;
			return layer_fail(l, "openat2", path);
		}
		if (*c == '\0')
			return 0;
		size = 0;
	}
}

/* Opens a directory below the root; an absolute link in it starts at the root, and `..` ends there. */
static int open_below(const struct layer *l, const char *path, int flags)
{
	flags |= O_DIRECTORY | O_CLOEXEC;
	/* The process's root is the layer's, so that links stay in it too. */
	if (l->chrooted)
		return openat(l->root, path, flags);
	struct open_how how = { .flags = (uint64_t)flags, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	for (int i = 0;; i++) {
		int fd = (int)syscall(SYS_openat2, l->root, path, &how, sizeof(how));
		/* EAGAIN: something on the machine was renamed while the kernel resolved a `..` */
		if (fd >= 0 || errno != EAGAIN || i == 1000)
			return fd;
	}
}

static struct layer_parent *find(struct layer *l, const char *path, size_t size)
{
	for (size_t i = 0; i < LAYER_PARENTS; i++) {
		struct layer_parent *p = &l->parents[i];
		if (p->fd >= 0 && p->size == size && memcmp(p->path, path, size) == 0) {
			p->used = ++l->clock;
			return p;
		}
	}
	return NULL;
}

struct layer_parent *layer_remember(struct layer *l, const char *path, size_t size, int fd, const struct stat *st,
				    bool default_acl)
{
	struct layer_parent *p = find(l, path, size);
	for (size_t i = 0; p == NULL && i < LAYER_PARENTS; i++) {
		if (l->parents[i].fd < 0)
			p = &l->parents[i];
	}
	if (p == NULL) {
		p = &l->parents[0];
		for (size_t i = 1; i < LAYER_PARENTS; i++) {
			if (l->parents[i].used < p->used)
				p = &l->parents[i];
		}
	}
	if (p->fd >= 0)
		close(p->fd);
	p->fd = fd;
	p->inode = st->st_ino;
	p->inherits = (st->st_mode & S_ISGID) != 0 || default_acl;
	p->used = ++l->clock;
	p->size = size;
	memcpy(p->path, path, size);
	return p;
}

void layer_forget(struct layer *l, const struct layer_parent *except)
{
	for (size_t i = 0; i < LAYER_PARENTS; i++) {
		struct layer_parent *p = &l->parents[i];
		if (p != except && p->fd >= 0) {
			close(p->fd);
			p->fd = -1;
		}
	}
}

/* Makes one directory that the layer has not described: owned by root, mode 0755, with nothing inherited. */
static int make_one(struct layer *l, int dirfd, const char *name, bool opaque, const char *path)
{
	struct stat st;
	if (mkdirat(dirfd, name, 0755) < 0)
		return -1; /* the caller looks at EEXIST */
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return layer_fail(l, "openat", path);
	layer_drop_inherited(fd);
	int result = 0;
	if (fchown(fd, 0, 0) < 0)
		result = layer_fail(l, "fchown", path);
	else if (fchmod(fd, 0755) < 0)
		result = layer_fail(l, "fchmod", path);
	else if (opaque)
		result = layer_mark_opaque(l, fd, path);
	if (result == 0 && fstat(dirfd, &st) == 0)
		result = layer_made(l, st.st_ino, name);
	int saved = errno;
	close(fd);
	errno = saved;
	return result;
}

static int make_path(struct layer *l, const char *path, int links);

/* A component could not be opened: makes it, or what the symbolic link there points to. `prefix` ends with `name`. */
static int make_component(struct layer *l, int dirfd, const char *prefix, const char *name, int links)
{
	char target[2 * PATH_MAX];
	struct stat st;
	if (make_one(l, dirfd, name, false, prefix) == 0)
		return 0;
	if (errno != EEXIST || l->syscall != NULL)
		return l->syscall != NULL ? -1 : layer_fail(l, "mkdirat", prefix);
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return layer_fail(l, "fstatat", prefix);
	if (l->overlay && layer_is_whiteout(&st)) {
		/* Hidden by the layer, and then described anew: nothing of lower layers shows through. */
		if (unlinkat(dirfd, name, 0) < 0)
			return layer_fail(l, "unlinkat", prefix);
		if (make_one(l, dirfd, name, true, prefix) == 0)
			return 0;
		return l->syscall != NULL ? -1 : layer_fail(l, "mkdirat", prefix);
	}
	if (!S_ISLNK(st.st_mode) || links >= LINK_LIMIT) {
		errno = S_ISLNK(st.st_mode) ? ELOOP : ENOTDIR;
		return layer_fail(l, "openat2", prefix);
	}
	/* A link whose target is missing: it is made inside the root, like the kernel would resolve it. */
	size_t above = (size_t)(name - prefix);
	ssize_t size = readlinkat(dirfd, name, target + above, PATH_MAX);
	if (size < 0)
		return layer_fail(l, "readlinkat", prefix);
	char *start = target + above;
	start[size] = '\0';
	if (start[0] != '/') {
		memcpy(target, prefix, above);
		start = target;
	}
	return make_path(l, start, links + 1);
}

/*
 * Opens the directory `name` of `dirfd`, which `prefix` ends with. Only what is no ordinary directory is resolved from the
 * root again: a path of 2000 components would otherwise take a million steps.
 */
static int open_next(const struct layer *l, int dirfd, const char *prefix, const char *name)
{
	if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
		int fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 || errno != ENOTDIR)
			return fd;
	}
	return open_below(l, prefix, O_PATH);
}

/* Makes the missing directories of a path, which may have `.` and `..`. */
static int make_path(struct layer *l, const char *path, int links)
{
	char prefix[PATH_MAX];
	size_t at = 0;
	if (strlen(path) >= sizeof(prefix)) {
		errno = ENAMETOOLONG;
		return layer_fail(l, "openat2", path);
	}
	int dirfd = open_below(l, ".", O_PATH);
	if (dirfd < 0)
		return layer_fail(l, "openat2", ".");
	while (path[at] != '\0') {
		size_t start = at;
		while (path[start] == '/')
			start += 1;
		size_t end = start + strcspn(path + start, "/");
		if (end == start)
			break;
		memcpy(prefix, path, end);
		prefix[end] = '\0';
		int fd = open_next(l, dirfd, prefix, prefix + start);
		if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
			if (make_component(l, dirfd, prefix, prefix + start, links) < 0)
				break;
			fd = open_below(l, prefix, O_PATH);
		}
		if (fd < 0) {
			layer_fail(l, "openat2", prefix);
			break;
		}
		close(dirfd);
		dirfd = fd;
		at = end;
	}
	int saved = errno;
	close(dirfd);
	errno = saved;
	return l->syscall == NULL ? 0 : -1;
}

/* The directory with the first `size` bytes of `path`, of none of them the root. */
static struct layer_parent *directory(struct layer *l, const char *path, size_t size, bool make)
{
	struct layer_parent *p = find(l, path, size);
	if (p != NULL)
		return p;
	char prefix[PATH_MAX];
	struct stat st;
	memcpy(prefix, path, size);
	prefix[size] = '\0';
	const char *below = size == 0 ? "." : prefix;
	int fd = open_below(l, below, O_RDONLY);
	if (fd < 0 && make && (errno == ENOENT || errno == ENOTDIR)) {
		if (make_path(l, prefix, 0) < 0)
			return NULL;
		fd = open_below(l, below, O_RDONLY);
	}
	if (fd < 0) {
		layer_fail(l, "openat2", below);
		return NULL;
	}
	if (fstat(fd, &st) < 0) {
		layer_fail(l, "fstat", below);
		close(fd);
		return NULL;
	}
	return layer_remember(l, path, size, fd, &st, layer_has_default_acl(fd));
}

struct layer_parent *layer_parent(struct layer *l, const char *path, bool make, const char **name)
{
	if (layer_check_path(l, path) < 0)
		return NULL;
	const char *slash = strrchr(path, '/');
	*name = slash == NULL ? path : slash + 1;
	return directory(l, path, slash == NULL ? 0 : (size_t)(slash - path), make);
}

struct layer_parent *layer_directory_at(struct layer *l, const char *path)
{
	if (strcmp(path, ".") == 0)
		return directory(l, path, 0, true);
	return layer_check_path(l, path) < 0 ? NULL : directory(l, path, strlen(path), true);
}
