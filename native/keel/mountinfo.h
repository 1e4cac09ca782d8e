/* /proc/self/mountinfo, line by line (proc_pid_mountinfo(5)). */
#ifndef KEEL_MOUNTINFO_H
#define KEEL_MOUNTINFO_H

#include <stdbool.h>
#include <stdint.h>

#include "context.h"

struct mount_line {
	uint64_t id;
	char *root; /* of the filesystem; escapes like \040 are undone */
	char *target;
	const char *type;
};

/*
 * Calls `each` for every mount of this namespace, from a copy of the file, so that mounts may change meanwhile. Stops when
 * it gives anything but 0, and gives that. -1 with errno.
 */
int each_mount(int (*each)(const struct mount_line *line, void *argument), void *argument);

/* Adds the type of the filesystem that a path is on; false when that cannot be found. */
bool mount_filesystem(const char *path, struct text *type);

#endif
