/*
 * Reading files below one root; inside `keel browse` only.
 *
 *   browse.c         reads frames and answers; runs the program that makes the root
 *   browse_walk.c    goes through a tree
 *   browse_file.c    tells what a file is, and sends its content
 *   browse_links.c   remembers files that have several names
 *
 * The root may be a running container's, which changes it meanwhile. A path from the client is resolved by the kernel in the
 * root, and from there on names are looked up one by one in open directories, never through a link. A file is opened without
 * any effect first (O_PATH), and for reading only when it is seen to be a regular file or a directory: a device or a FIFO
 * is never opened. All of it goes by this program's own descriptors: nothing of the root is run or loaded.
 */
#ifndef KEEL_BROWSE_TREE_H
#define KEEL_BROWSE_TREE_H

#include <limits.h>
#include <sys/stat.h>

#include "input.h"

struct browse_link {
	uint64_t device;
	uint64_t inode;
	char *path; /* NULL for a free slot */
};

/* Open addressing, a power of two slots. */
struct browse_links {
	struct browse_link *slots;
	size_t count;
	size_t capacity;
};

struct browse {
	struct input in;
	struct wire_writer out; /* frames that were not sent yet */
	uint32_t request;	/* that is being answered */
	int root;		/* -1 before browse-open */
	int descriptors;	/* this process's directory of /proc/self/fd, of the host's procfs */
	int frozen;		/* cgroup that the program has stopped, or -1 */
	uint8_t *buffer;	/* for content */
	char *names;		/* for lists of attributes */
	uint8_t *values;	/* for their values */
	/* What failed. */
	const char *syscall;
	char call[32]; /* of an operation's failure */
	char detail[2 * PATH_MAX + 64];
};

/* Each of these returns 0 (or what it says), or -1 with errno after browse_fail. */

int browse_fail(struct browse *b, const char *call, const char *path);
/* Opens a path in the root (O_PATH); -1 with errno. */
int browse_resolve(const struct browse *b, const char *path, bool follow);
/* Sends what was written, when that is much. */
int browse_flush(struct browse *b, bool all);

/* browse_walk.c */
int browse_walk(struct browse *b, const struct msg_browse_walk *m);

/* browse_file.c */

/* Writes `found` of `fd` (O_PATH), with its content where that is wanted and it has any. */
int browse_found(struct browse *b, int fd, const struct stat *st, const char *path, const char *link, bool content);
/* Opens what `fd` (O_PATH) is of for reading: `flags` O_RDONLY, with O_DIRECTORY. -1 with errno. */
int browse_reopen(const struct browse *b, int fd, int flags);

/* browse_links.c */

/* The path that the file was remembered with, or NULL after remembering it with this one; *failed without memory. */
const char *browse_linked(struct browse_links *links, const struct stat *st, const char *path, bool *failed);
void browse_forget_links(struct browse_links *links);

#endif
