#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "compat.h"
#include "context.h"

void close_scope(const int *fd)
{
	if (*fd >= 0) {
		int saved = errno;
		close(*fd);
		errno = saved;
	}
}

ssize_t read_small(int directory, const char *name, char *buffer, size_t size)
{
	scoped_fd fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	if (fd < 0)
		return -1;
	size_t used = 0;
	for (;;) {
		ssize_t n = read(fd, buffer + used, size - used);
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		used += (size_t)n;
		if (used == size) {
			errno = EFBIG;
			return -1;
		}
	}
	buffer[used] = 0;
	return (ssize_t)used;
}

int write_small(int directory, const char *name, const char *data, size_t size)
{
	scoped_fd fd = openat(directory, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	if (fd < 0)
		return -1;
	ssize_t n = write(fd, data, size);
	if (n < 0)
		return -1;
	if ((size_t)n != size) {
		errno = EIO;
		return -1;
	}
	return 0;
}

struct entry {
	uint64_t inode;
	int64_t offset;
	uint16_t size;
	uint8_t type;
	char name[];
};

int each_entry(int directory, int (*each)(int directory, const char *name, unsigned char type, void *argument),
	       void *argument)
{
	_Alignas(struct entry) char buffer[4096];
	for (;;) {
		long n = syscall(SYS_getdents64, directory, buffer, sizeof(buffer));
		if (n <= 0)
			return (int)n;
		for (long at = 0; at < n;) {
			const struct entry *e = (const struct entry *)(const void *)(buffer + at);
			at += e->size;
			if (e->name[0] == '.' && (e->name[1] == 0 || (e->name[1] == '.' && e->name[2] == 0)))
				continue;
			int result = each(directory, e->name, e->type, argument);
			if (result != 0)
				return result;
		}
	}
}

uint64_t filesystem_type(int fd)
{
	struct statfs s;
	return fstatfs(fd, &s) == 0 ? (uint64_t)s.f_type : 0;
}

int open_proc(void)
{
	int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -1;
	struct stat s;
	if (filesystem_type(fd) != MAGIC_PROC || fstat(fd, &s) < 0 || s.st_ino != PROC_ROOT_INODE) {
		close(fd);
		errno = EXDEV;
		return -1;
	}
	return fd;
}

bool has_parent_reference(const char *path)
{
	for (const char *at = path; *at != 0;) {
		while (*at == '/')
			at++;
		size_t size = strcspn(at, "/");
		if (size == 2 && at[0] == '.' && at[1] == '.')
			return true;
		at += size;
	}
	return false;
}
