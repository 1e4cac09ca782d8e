#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "browse_limits.h"
#include "browse_tree.h"

/* `fd` as a name in the directory of this process's descriptors. */
static void descriptor_name(char name[16], int fd)
{
	snprintf(name, 16, "%d", fd);
}

int browse_reopen(const struct browse *b, int fd, int flags)
{
	char name[16];
	descriptor_name(name, fd);
	return openat(b->descriptors, name, flags | O_CLOEXEC | O_NOCTTY);
}

/*
 * Reads all attributes. An O_PATH descriptor takes no fgetxattr(2), but its name in /proc leads to the file itself, whatever
 * kind it is: this process's working directory is for nothing else than that.
 */
static int read_xattrs(struct browse *b, int fd, const char *path, struct wire_xattr *items, uint32_t *count)
{
	char name[16];
	*count = 0;
	descriptor_name(name, fd);
	if (fchdir(b->descriptors) < 0)
		return browse_fail(b, "fchdir", path);
	ssize_t listed = listxattr(name, b->names, BROWSE_NAMES);
	if (listed < 0)
		return errno == EOPNOTSUPP ? 0 : browse_fail(b, "listxattr", path);
	size_t used = 0;
	for (const char *at = b->names; at < b->names + listed; at += strlen(at) + 1) {
		if (*count == BROWSE_XATTRS || used + BROWSE_VALUE > BROWSE_VALUES) {
			errno = E2BIG;
			return browse_fail(b, "getxattr", path);
		}
		ssize_t size = getxattr(name, at, b->values + used, BROWSE_VALUE);
		/* It has gone meanwhile, or may not be read as the file is here: such as those of a security module. */
		if (size < 0 && (errno == ENODATA || errno == EOPNOTSUPP || errno == EPERM || errno == EACCES))
			continue;
		if (size < 0)
			return browse_fail(b, "getxattr", path);
		items[*count].name = at;
		items[*count].value = (struct wire_bytes){ .data = b->values + used, .size = (uint32_t)size };
		*count += 1;
		used += (size_t)size;
	}
	return 0;
}

/* Finds what is data of a file that has holes. Where that cannot be told, or there are too many, the rest is data. */
static uint32_t find_segments(int file, uint64_t size, struct wire_segment *items)
{
	uint32_t count = 0;
	off_t at = 0;
	while ((uint64_t)at < size) {
		off_t data = lseek(file, at, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break;
		off_t end = data < 0 ? -1 : lseek(file, data, SEEK_HOLE);
		bool known = data >= at && end > data && count + 1 < BROWSE_SEGMENTS;
		if (!known) {
			data = at;
			end = (off_t)size;
		}
		if ((uint64_t)data >= size)
			break;
		if ((uint64_t)end > size)
			end = (off_t)size;
		items[count].offset = (uint64_t)data;
		items[count].size = (uint64_t)(end - data);
		count += 1;
		at = end;
	}
	return count;
}

static int send_segment(struct browse *b, int file, const struct wire_segment *s, const char *path, bool *ended)
{
	uint64_t at = s->offset;
	uint64_t left = s->size;
	while (left > 0) {
		size_t want = left < BROWSE_DATA ? (size_t)left : BROWSE_DATA;
		ssize_t n = pread(file, b->buffer, want, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return browse_fail(b, "pread", path);
		if (n == 0) {
			*ended = true;
			return 0;
		}
		struct wire_bytes data = { .data = b->buffer, .size = (uint32_t)n };
		wire_encode_found_data(&b->out, b->request, data);
		if (browse_flush(b, false) < 0)
			return -1;
		at += (uint64_t)n;
		left -= (uint64_t)n;
	}
	return 0;
}

static int send_file(struct browse *b, int file, const struct wire_list_segment *segments, const char *path)
{
	bool ended = false;
	for (uint32_t i = 0; i < segments->count && !ended; i++)
		if (send_segment(b, file, &segments->items[i], path, &ended) < 0)
			return -1;
	wire_encode_found_end(&b->out, b->request);
	return browse_flush(b, false);
}

static int tell(struct browse *b, int fd, const struct stat *st, const char *path, const char *link, int file)
{
	char target[PATH_MAX] = "";
	struct wire_xattr xattrs[BROWSE_XATTRS];
	struct wire_list_xattr attributes = { .items = xattrs };
	struct wire_segment one = { .offset = 0, .size = (uint64_t)st->st_size };
	struct wire_list_segment segments = { .items = &one, .count = st->st_size > 0 ? 1 : 0 };
	struct wire_segment *found = NULL;
	if (S_ISLNK(st->st_mode)) {
		ssize_t n = readlinkat(fd, "", target, sizeof(target) - 1);
		if (n < 0)
			return browse_fail(b, "readlinkat", path);
		target[n] = 0;
	}
	if (link[0] == 0 && read_xattrs(b, fd, path, xattrs, &attributes.count) < 0)
		return -1;
	if (file >= 0 && st->st_blocks * 512 < st->st_size) {
		found = malloc(BROWSE_SEGMENTS * sizeof(*found));
		if (found == NULL)
			return browse_fail(b, "malloc", path);
		segments.items = found;
		segments.count = find_segments(file, (uint64_t)st->st_size, found);
	}
	if (file < 0)
		segments.count = 0;
	wire_encode_found(&b->out, b->request, path, link, st->st_mode, st->st_uid, st->st_gid, major(st->st_rdev),
			  minor(st->st_rdev), (uint64_t)st->st_size, st->st_mtim.tv_sec, (uint32_t)st->st_mtim.tv_nsec,
			  target, attributes, segments);
	int result = file < 0 ? browse_flush(b, false) : send_file(b, file, &segments, path);
	free(found);
	return result;
}

int browse_found(struct browse *b, int fd, const struct stat *st, const char *path, const char *link, bool content)
{
	if (!content || link[0] != 0 || !S_ISREG(st->st_mode))
		return tell(b, fd, st, path, link, -1);
	int file = browse_reopen(b, fd, O_RDONLY);
	if (file < 0)
		return browse_fail(b, "openat", path);
	/* Its size may be another by now than when it was found. */
	struct stat now;
	int result = fstat(file, &now) < 0 ? browse_fail(b, "fstat", path) : tell(b, fd, &now, path, link, file);
	int saved = errno;
	close(file);
	errno = saved;
	return result;
}
