#include "state_file.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int state_file_write(int directory, const char *name, const char *format, ...)
{
	char text[128];
	va_list list;
	va_start(list, format);
	int size = vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	char temporary[32];
	snprintf(temporary, sizeof(temporary), ".%s.new", name);
	int fd = openat(directory, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -1;
	bool written = write(fd, text, (size_t)size) == size;
	close(fd);
	if (written && renameat(directory, temporary, directory, name) == 0)
		return 0;
	unlinkat(directory, temporary, 0);
	return -1;
}

/* Reads a small file, NUL-terminated. Returns false when it can't. */
static bool read_small(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, text, size - 1);
	close(fd);
	if (n < 0)
		return false;
	text[n] = 0;
	return true;
}

unsigned long long start_time(pid_t pid)
{
	char path[32];
	char text[1024];
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (!read_small(path, text, sizeof(text)))
		return 0;
	/* Field 2, the name, may hold spaces and parentheses; field 3 follows the last of them. */
	const char *at = strrchr(text, ')');
	for (int field = 2; at != NULL && field < 22; field++) {
		at = strchr(at, ' ');
		if (at != NULL)
			at++;
	}
	return at == NULL ? 0 : strtoull(at, NULL, 10);
}

unsigned long long oom_kills(const char *path)
{
	char text[512];
	if (path[0] == 0 || !read_small(path, text, sizeof(text)))
		return 0;
	for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
		if (*line == '\n')
			line++;
		if (strncmp(line, "oom_kill ", 9) == 0)
			return strtoull(line + 9, NULL, 10);
	}
	return 0;
}
