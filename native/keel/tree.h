/* Whole directory trees, by descriptor: no symbolic link is followed and no mount is crossed. */
#ifndef KEEL_TREE_H
#define KEEL_TREE_H

/* Each returns 0, or -1 with errno, and then the system call and the name it failed on, if it has one. */
struct tree_error {
	const char *syscall;
	char detail[256];
};

/* Removes `name` in the directory `dirfd` and all below it. A missing one is no failure. */
int tree_remove(int dirfd, const char *name, struct tree_error *error);

/*
 * Copies what is in directory `source` to the empty directory `destination`, and then its owner, mode, times and xattrs:
 * hard links within the tree stay hard links, holes stay holes, device nodes and FIFOs are made anew, sockets are left out.
 */
int tree_copy(int source, int destination, struct tree_error *error);

#endif
