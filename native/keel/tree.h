/* Whole directory trees, by descriptor: no symbolic link is followed and no mount is crossed. */
#ifndef KEEL_TREE_H
#define KEEL_TREE_H

#include <stdbool.h>
#include <stdint.h>

/* Each returns 0, or -1 with errno, and then the system call and the name it failed on, if it has one. */
struct tree_error {
	const char *syscall;
	char detail[256];
};

/* Removes `name` in the directory `dirfd` and all below it. A missing one is no failure. */
int tree_remove(int dirfd, const char *name, struct tree_error *error);

/* True when `name` in the directory with inode number `parent` is to stay. */
typedef bool tree_keep(void *context, uint64_t parent, const char *name);

/*
 * Like tree_remove, but what `keep` names stays, and so do the directories it is in. A directory that is kept is cleared of
 * what is not.
 */
int tree_remove_except(int dirfd, const char *name, tree_keep *keep, void *context, struct tree_error *error);

/* Removes what is in a directory, in the same way; the directory itself stays. */
int tree_clear_except(int fd, tree_keep *keep, void *context, struct tree_error *error);

/*
 * Copies what is in directory `source` to the empty directory `destination`, and then its owner, mode, times and xattrs:
 * hard links within the tree stay hard links, holes stay holes, device nodes and FIFOs are made anew, sockets are left out.
 * What is mounted in the source is not copied: its mount point becomes an empty directory, a file mounted over is left out.
 */
int tree_copy(int source, int destination, struct tree_error *error);

#endif
