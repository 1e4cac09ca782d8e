/*
 * Making the entries of one layer below one root directory; inside `keel apply` only.
 *
 *   apply.c         reads frames, calls apply_entry.c, answers
 *   apply_entry.c   makes what an entry says
 *   apply_file.c    a regular file, over several frames
 *   apply_hide.c    whiteouts
 *   apply_parent.c  finds or makes the directory that an entry is in
 *   apply_made.c    remembers which names are the layer's own
 *   apply_xattr.c   extended attributes
 *
 * Every path is resolved by the kernel below the root; the last component is never followed. What an entry replaces is
 * removed first, except for a directory over a directory, which keeps its content and takes the new attributes.
 *
 * Whiteouts hide what lower layers have, and never what this layer has, in whatever order they come (image-spec layer.md).
 * With `overlay` the root holds nothing but this layer, so that whatever exists is the layer's own. Without it the lower
 * layers' files are in the root too, and `made` tells them apart.
 *
 * Nobody else writes below a layer's root meanwhile: it is a directory that only its maker knows yet. The descriptors guard
 * against what the layer itself has put there. With `merge` (browse.c) the root is a container's, which may run: whatever it
 * puts in place of a path between two calls, nothing outside of the root is reached, as no call follows a link.
 */
#ifndef KEEL_APPLY_LAYER_H
#define KEEL_APPLY_LAYER_H

#include <limits.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#include "wire.gen.h"

/* How many directories stay open for the entries to come. */
#define LAYER_PARENTS 8

/* A directory in which entries are made. */
struct layer_parent {
	int fd; /* readable directory, -1 for a free slot */
	uint64_t inode;
	bool inherits; /* what is made in it does not get keel's group or the mode asked for: setgid, or a default ACL */
	uint64_t used; /* when, for choosing the slot to give up */
	size_t size;   /* of path */
	char path[PATH_MAX];
};

/* A directory's time, set when all entries are made. */
struct layer_time {
	uint64_t inode;
	struct timespec modified;
	char *path;
};

struct layer_file {
	int fd; /* -1: none is open */
	uint64_t size;
	uint64_t end; /* of what was written so far */
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	struct timespec modified;
	bool inherits;
	struct wire_list_xattr xattrs; /* own copy */
	int directory;		       /* with `merge` where it is made under another name until it is complete, or -1 */
	char temporary[32];	       /* that name */
	char path[PATH_MAX];
};

struct layer {
	int root; /* -1 before apply-open */
	bool overlay;
	bool merge;    /* what is there may be somebody's: see browse-write */
	bool chrooted; /* the process's root is the layer's, for a kernel without openat2 */
	uid_t uid;     /* what is made belongs to these first */
	gid_t gid;
	uint64_t clock;
	struct layer_parent parents[LAYER_PARENTS];
	uint64_t *made; /* open addressing, a power of two slots, 0 for a free one */
	size_t made_count;
	size_t made_capacity;
	struct layer_time *times;
	size_t time_count;
	size_t time_capacity;
	struct layer_file file;
	uint32_t temporaries; /* names that were used up */
	/* What failed. */
	const char *syscall;
	char detail[2 * PATH_MAX + 64];
};

/* Each of these returns 0 (or what it says), or -1 with errno after layer_fail. */

int layer_fail(struct layer *l, const char *call, const char *path);
void layer_close(struct layer *l);

/* apply.c */

/* Without a root yet; NULL without memory. To be freed after layer_close. */
struct layer *layer_new(void);
/* Makes what one message says. */
int layer_entry(struct layer *l, const struct wire_message *m);

/* apply_parent.c */

/* The directory of the last component of `path`, and that component. Missing ones are made when `make` is set. */
struct layer_parent *layer_parent(struct layer *l, const char *path, bool make, const char **name);

/* The directory `path`, "." for the root. Missing ones are made, for opaque directories that are not described. */
struct layer_parent *layer_directory_at(struct layer *l, const char *path);

/* Takes over `fd`, of a directory that was just made or opened, for the entries in it. Never fails. */
struct layer_parent *layer_remember(struct layer *l, const char *path, size_t size, int fd, const struct stat *st,
				    bool default_acl);

/* Something that may have been a directory or a link is gone: closes all remembered directories but `except`. */
void layer_forget(struct layer *l, const struct layer_parent *except);

/* EINVAL for what the TypeScript side must not send: an empty, absolute or unclean path. */
int layer_check_path(struct layer *l, const char *path);

/* True for overlayfs' mark of a name that is hidden. */
static inline bool layer_is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

/* apply_entry.c */
int layer_open(struct layer *l, const struct msg_apply_open *m);
int layer_directory(struct layer *l, const struct msg_apply_directory *m);
int layer_symlink(struct layer *l, const struct msg_apply_symlink *m);
int layer_hardlink(struct layer *l, const struct msg_apply_hardlink *m);
int layer_node(struct layer *l, const struct msg_apply_node *m);
int layer_finish(struct layer *l, const struct msg_apply_finish *m);

/* Removes what is there, to make something that is no directory, or `path`'s parent. */
int layer_remove(struct layer *l, const struct layer_parent *parent, const char *name, const char *path);

/* apply_file.c */
int layer_file(struct layer *l, const struct msg_apply_file *m);
int layer_data(struct layer *l, const struct msg_apply_data *m);
int layer_end(struct layer *l);
/* Closes what is open of a file that does not become complete, and removes what was made under another name. */
void layer_abandon(struct layer *l);

/* apply_hide.c */
int layer_whiteout(struct layer *l, const struct msg_apply_whiteout *m);
int layer_opaque(struct layer *l, const struct msg_apply_opaque *m);
/* Marks a directory as hiding what lower layers have there; only with `overlay`. */
int layer_mark_opaque(struct layer *l, int fd, const char *path);

/* apply_made.c */
int layer_made(struct layer *l, uint64_t parent, const char *name);
/* A tree_keep; the context is the layer. */
bool layer_is_made(void *layer, uint64_t parent, const char *name);

/* apply_xattr.c */

/* Sets them on an open file or directory. */
int layer_set_xattrs(struct layer *l, int fd, const struct wire_list_xattr *xattrs, const char *path);
/* Sets them on `name`, which is a symbolic link, device node or FIFO. */
int layer_set_xattrs_at(struct layer *l, int dirfd, const char *name, const struct wire_list_xattr *xattrs,
			const char *path);
/* Removes ACLs that a new file or directory has from its parent. */
void layer_drop_inherited(int fd);
/* Removes what an existing directory has and a layer can set. */
int layer_clear_xattrs(struct layer *l, int fd, const char *path);
bool layer_has_default_acl(int fd);

#endif
