/*
 * What tree.c and tree_copy.c share: a stack of open directories for walking a tree of any depth.
 *
 * The walk is iterative, so that a tree deeper than the C stack is no problem, and keeps few descriptors open, so that one
 * deeper than RLIMIT_NOFILE is none either: below WALK_KEEP levels the directory above is closed, and opened again by
 * `..` on the way back, where device and inode number must be those seen on the way down.
 */
#ifndef KEEL_WALK_H
#define KEEL_WALK_H

#include <stdint.h>
#include <sys/types.h>

#define WALK_KEEP 48
#define WALK_BUFFER 8192

struct walk_id {
	dev_t device;
	ino_t inode;
};

/* One entry of a directory, as getdents64(2) writes it. */
struct walk_entry {
	uint64_t inode;
	int64_t offset; /* of the next entry */
	uint16_t size;
	uint8_t type;
	char name[];
};

/* Reads one directory's entries, of one that may change meanwhile. */
struct walk_reader {
	long filled;
	long at;
	_Alignas(8) char buffer[WALK_BUFFER];
};

/* Position of the next entry is `offset` (0 for the first). Returns NULL at the end with errno 0, or with errno. */
const struct walk_entry *walk_next(struct walk_reader *reader, int fd);

/* Continues `fd` behind the entry with this offset, after other directories were read. */
int walk_seek(struct walk_reader *reader, int fd, int64_t offset);

/* Opens a directory, or with `flags` another file, of `dirfd`; fails with EXDEV when it is a mount point. */
int walk_open(int dirfd, const char *name, int flags);

/* Fills `id`; returns 0, or -1 with errno. */
int walk_identify(int fd, struct walk_id *id);

/* Opens the directory above `fd`; fails with ESTALE when it is not `expected`. */
int walk_up(int fd, const struct walk_id *expected);

#endif
