#include "walk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

const struct walk_entry *walk_next(struct walk_reader *reader, int fd)
{
	for (;;) {
		if (reader->at >= reader->filled) {
			reader->at = 0;
			reader->filled = syscall(SYS_getdents64, fd, reader->buffer, sizeof(reader->buffer));
			if (reader->filled <= 0) {
				if (reader->filled == 0)
					errno = 0;
				reader->filled = 0;
				return NULL;
			}
		}
		const struct walk_entry *entry = (const void *)(reader->buffer + reader->at);
		reader->at += entry->size;
		if (strcmp(entry->name, ".") != 0 && strcmp(entry->name, "..") != 0)
			return entry;
	}
}

int walk_seek(struct walk_reader *reader, int fd, int64_t offset)
{
	reader->at = reader->filled = 0;
	return lseek(fd, offset, SEEK_SET) < 0 ? -1 : 0;
}

int walk_open(int dirfd, const char *name, int flags)
{
	flags |= O_NOFOLLOW | O_CLOEXEC;
	struct open_how how = { .flags = (uint64_t)flags, .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS };
	int fd = (int)syscall(SYS_openat2, dirfd, name, &how, sizeof(how));
	/* An old seccomp filter answers EPERM for a system call that it does not know. */
	if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
		return fd;
	struct stat above, st;
	if (fstat(dirfd, &above) < 0)
		return -1;
	fd = openat(dirfd, name, flags);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && st.st_dev == above.st_dev)
		return fd;
	close(fd);
	errno = EXDEV;
	return -1;
}

int walk_identify(int fd, struct walk_id *id)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -1;
	id->device = st.st_dev;
	id->inode = st.st_ino;
	return 0;
}

int walk_up(int fd, const struct walk_id *expected)
{
	struct walk_id id;
	int up = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (up < 0)
		return -1;
	if (walk_identify(up, &id) == 0 && id.device == expected->device && id.inode == expected->inode)
		return up;
	close(up);
	errno = ESTALE;
	return -1;
}
