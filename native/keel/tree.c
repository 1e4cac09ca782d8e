#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "walk.h"

/* A directory that is being emptied. */
struct level {
	int fd; /* -1 while closed, on a deep walk */
	struct walk_id id;
	int64_t next;	/* offset behind the entry that was descended into */
	bool kept;	/* it stays, or something in it does */
	unsigned again; /* further passes over its entries */
	char *name;	/* in the directory above */
};

struct removal {
	struct level *levels;
	size_t depth;
	size_t capacity;
	int dirfd; /* where the whole tree is */
	tree_keep *keep;
	void *context;
	struct walk_reader reader;
	struct tree_error *error;
};

static int fail(struct removal *r, const char *name, const char *what)
{
	int saved = errno;
	r->error->syscall = name;
	snprintf(r->error->detail, sizeof(r->error->detail), "%s", what);
	errno = saved;
	return -1;
}

static int parent_fd(const struct removal *r, size_t depth)
{
	return depth == 0 ? r->dirfd : r->levels[depth - 1].fd;
}

/* Makes `fd` the directory to be emptied next; it is closed on failure. */
static int push(struct removal *r, int fd, const char *name, bool kept)
{
	struct level level = { .fd = fd, .kept = kept, .name = strdup(name) };
	if (r->depth == r->capacity) {
		size_t capacity = r->capacity == 0 ? 16 : r->capacity * 2;
		struct level *grown = reallocarray(r->levels, capacity, sizeof(*grown));
		if (grown != NULL) {
			r->levels = grown;
			r->capacity = capacity;
		}
	}
	if (r->depth == r->capacity || level.name == NULL || walk_identify(fd, &level.id) < 0) {
		fail(r, "fstat", name);
		free(level.name);
		close(fd);
		return -1;
	}
	r->levels[r->depth++] = level;
	r->reader.at = r->reader.filled = 0;
	return 0;
}

/* Goes down into `name`, whose entry in the directory above is followed by the one at `next`. */
static int descend(struct removal *r, const char *name, int64_t next, bool kept)
{
	int above = parent_fd(r, r->depth);
	int fd = walk_open(above, name, O_RDONLY | O_DIRECTORY);
	/* Without CAP_DAC_OVERRIDE the owner may still take the right. */
	if (fd < 0 && errno == EACCES && fchmodat(above, name, 0700, 0) == 0)
		fd = walk_open(above, name, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fail(r, "openat2", name);
	if (push(r, fd, name, kept) < 0)
		return -1;
	if (r->depth > 1) {
		struct level *up = &r->levels[r->depth - 2];
		up->next = next;
		if (r->depth > WALK_KEEP) {
			close(up->fd);
			up->fd = -1;
		}
	}
	return 0;
}

/* The top directory is empty, but for what is kept: back to the one above. */
static int ascend(struct removal *r)
{
	struct level *level = &r->levels[r->depth - 1];
	struct level *up = r->depth > 1 ? level - 1 : NULL;
	if (up != NULL && up->fd < 0) {
		up->fd = walk_up(level->fd, &up->id);
		if (up->fd < 0)
			return fail(r, "openat", "..");
	}
	bool kept = level->kept;
	if (!kept && unlinkat(parent_fd(r, r->depth - 1), level->name, AT_REMOVEDIR) < 0 && errno != ENOENT) {
		/* Some filesystems leave entries out when others are removed while reading; others may add some. */
		if ((errno != ENOTEMPTY && errno != EEXIST) || level->again == 3)
			return fail(r, "unlinkat", level->name);
		level->again += 1;
		return walk_seek(&r->reader, level->fd, 0) < 0 ? fail(r, "lseek", level->name) : 0;
	}
	close(level->fd);
	free(level->name);
	r->depth -= 1;
	if (up == NULL)
		return 0;
	if (kept)
		up->kept = true;
	return walk_seek(&r->reader, up->fd, up->next) < 0 ? fail(r, "lseek", up->name) : 0;
}

static int remove_entry(struct removal *r, const struct walk_entry *entry)
{
	struct level *level = &r->levels[r->depth - 1];
	bool keep = r->keep != NULL && r->keep(r->context, level->id.inode, entry->name);
	if (keep) {
		level->kept = true;
		struct stat st;
		if (entry->type != DT_DIR && entry->type != DT_UNKNOWN)
			return 0;
		if (fstatat(level->fd, entry->name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
			return 0;
		return descend(r, entry->name, entry->offset, true);
	}
	/* An unlink of a directory fails without harm, and often there are more files than directories. */
	if (unlinkat(level->fd, entry->name, entry->type == DT_DIR ? AT_REMOVEDIR : 0) == 0 || errno == ENOENT)
		return 0;
	if (errno == EISDIR || errno == ENOTEMPTY || errno == EEXIST)
		return descend(r, entry->name, entry->offset, false);
	return fail(r, "unlinkat", entry->name);
}

/* Empties the only level, and what comes below it. */
static int empty_all(struct removal *r)
{
	int result = 0;
	while (result == 0 && r->depth > 0) {
		struct level *level = &r->levels[r->depth - 1];
		const struct walk_entry *entry = walk_next(&r->reader, level->fd);
		if (entry == NULL && errno != 0)
			result = fail(r, "getdents64", level->name);
		else
			result = entry == NULL ? ascend(r) : remove_entry(r, entry);
	}
	int saved = errno;
	for (size_t i = 0; i < r->depth; i++) {
		if (r->levels[i].fd >= 0)
			close(r->levels[i].fd);
		free(r->levels[i].name);
	}
	free(r->levels);
	errno = saved;
	return result;
}

int tree_clear_except(int fd, tree_keep *keep, void *context, struct tree_error *error)
{
	struct removal r = { .dirfd = -1, .keep = keep, .context = context, .error = error };
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (own < 0)
		return fail(&r, "openat", ".");
	int pushed = push(&r, own, ".", true);
	int emptied = empty_all(&r);
	return pushed < 0 ? pushed : emptied;
}

int tree_remove_except(int dirfd, const char *name, tree_keep *keep, void *context, struct tree_error *error)
{
	struct removal r = { .dirfd = dirfd, .keep = keep, .context = context, .error = error };
	struct stat st;
	bool kept = false;
	if (keep != NULL) {
		if (fstat(dirfd, &st) < 0)
			return fail(&r, "fstat", name);
		kept = keep(context, st.st_ino, name);
	}
	if (!kept && unlinkat(dirfd, name, 0) == 0)
		return 0;
	if (kept) {
		if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return errno == ENOENT ? 0 : fail(&r, "fstatat", name);
		if (!S_ISDIR(st.st_mode))
			return 0;
	} else if (errno == ENOENT) {
		return 0;
	} else if (errno != EISDIR) {
		return fail(&r, "unlinkat", name);
	}
	return descend(&r, name, 0, kept) < 0 ? -1 : empty_all(&r);
}

int tree_remove(int dirfd, const char *name, struct tree_error *error)
{
	return tree_remove_except(dirfd, name, NULL, NULL, error);
}
