#include "mountinfo.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "compat.h"

/* Far more than the kernel's limit of 100,000 mounts takes (fs.mount-max), with ordinary paths. */
#define MAX_FILE ((size_t)64 << 20)

/* The whole file, NUL-terminated, to be freed; NULL with errno. */
static char *read_mountinfo(void)
{
	scoped_fd proc = open_proc();
	if (proc < 0)
		return NULL;
	scoped_fd fd = openat(proc, "self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	char *data = NULL;
	size_t used = 0, size = 0;
	for (;;) {
		if (used + 1 >= size) {
			size = size == 0 ? 16384 : size * 2;
			char *grown = size > MAX_FILE ? NULL : realloc(data, size);
			if (grown == NULL) {
				free(data);
				errno = ENOMEM;
				return NULL;
			}
			data = grown;
		}
		ssize_t n = read(fd, data + used, size - used - 1);
		if (n < 0) {
			int saved = errno;
			free(data);
			errno = saved;
			return NULL;
		}
		if (n == 0)
			break;
		used += (size_t)n;
	}
	data[used] = 0;
	return data;
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

static void undo_escapes(char *s)
{
	char *to = s;
	for (const char *from = s; *from != 0;) {
		if (from[0] == '\\' && is_octal(from[1]) && is_octal(from[2]) && is_octal(from[3])) {
			*to++ = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	*to = 0;
}

/* Cuts `ID PARENT MAJOR:MINOR ROOT TARGET OPTIONS … - TYPE …` apart. */
static bool read_line(char *line, struct mount_line *m)
{
	char *separator = strstr(line, " - ");
	if (separator == NULL)
		return false;
	*separator = 0;
	char *type = separator + 3;
	type[strcspn(type, " ")] = 0;
	m->type = type;
	const char *id = line;
	if (!text_read_number(&id, &m->id))
		return false;
	char *field[5];
	char *at = line;
	for (int i = 0; i < 5; i++) {
		field[i] = at;
		at += strcspn(at, " ");
		if (*at == 0)
			return false;
		*at++ = 0;
	}
	m->root = field[3];
	m->target = field[4];
	undo_escapes(m->root);
	undo_escapes(m->target);
	return true;
}

int each_mount(int (*each)(const struct mount_line *line, void *argument), void *argument)
{
	char *data = read_mountinfo();
	if (data == NULL)
		return -1;
	int result = 0;
	char *next;
	for (char *line = data; result == 0 && *line != 0; line = next) {
		size_t size = strcspn(line, "\n");
		next = line + size + (line[size] == '\n');
		line[size] = 0;
		struct mount_line m;
		if (read_line(line, &m))
			result = each(&m, argument);
	}
	int saved = errno;
	free(data);
	errno = saved;
	return result;
}

struct wanted {
	uint64_t id;
	struct text *type;
};

static int add_type(const struct mount_line *line, void *argument)
{
	const struct wanted *w = argument;
	if (line->id != w->id)
		return 0;
	text_add(w->type, line->type);
	return 1;
}

bool mount_filesystem(const char *path, struct text *type)
{
	struct statx s;
	if (statx(AT_FDCWD, path, AT_NO_AUTOMOUNT, STATX_MNT_ID, &s) < 0 || (s.stx_mask & STATX_MNT_ID) == 0)
		return false;
	struct wanted w = { .id = s.stx_mnt_id, .type = type };
	return each_mount(add_type, &w) == 1;
}
