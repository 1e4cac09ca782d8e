/* Files that are in memory only, for secrets: each is mounted by itself, where the container wants it. */
#include <errno.h>
#include <sys/stat.h>

#include "compat.h"
#include "context.h"

/* More would be pages that nobody asked for. One page is for the directory. */
static int new_memory(struct context *c, const struct op_memory_file *op)
{
	TEXT(size, 24);
	text_add_number(&size, (uint64_t)op->data.size + 4096);
	scoped_fd context = fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, "mode", "700", 0) < 0 ||
	    fsconfig(context, FSCONFIG_SET_STRING, "nr_inodes", "2", 0) < 0 ||
	    fsconfig(context, FSCONFIG_SET_STRING, "size", size.data, 0) < 0 ||
	    fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fail(c, "fsconfig", "tmpfs");
	int mount = fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return mount < 0 ? fail(c, "fsmount", "tmpfs") : mount;
}

static int write_content(struct context *c, int directory, const struct op_memory_file *op)
{
	scoped_fd file = openat(directory, "file", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file < 0)
		return fail(c, "openat", op->path);
	for (size_t done = 0; done < op->data.size;) {
		ssize_t n = write(file, op->data.data + done, op->data.size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail(c, "write", op->path);
		done += (size_t)n;
	}
	/* In this order: chown takes setuid bits away, which have no business here anyway. */
	if (fchown(file, op->uid, op->gid) < 0)
		return fail(c, "fchown", op->path);
	if (fchmod(file, op->mode) < 0)
		return fail(c, "fchmod", op->path);
	return 0;
}

/*
 * A mount of the file alone. Before Linux 6.15 a part of a mount can be taken only while that is attached somewhere: over this
 * process's own root it is in nobody's way, as no path is looked up through what covers that, and it does not stay.
 */
static int take_file(struct context *c, int memory, const char *path)
{
	scoped_fd root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	scoped_fd before = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || before < 0)
		return fail(c, "open", "/");
	if (attach_mount(memory, root) < 0)
		return fail(c, "move_mount", path);
	int file = open_tree(memory, "file", OPEN_TREE_CLONE | (unsigned int)OPEN_TREE_CLOEXEC);
	int error = errno;
	bool gone = fchdir(memory) == 0 && umount2(".", MNT_DETACH) == 0;
	int saved = errno;
	bool back = fchdir(before) == 0;
	if (file < 0)
		return fail_with(c, error, "open_tree", path);
	if (!gone || !back) {
		close(file);
		return fail_with(c, gone ? errno : saved, "umount2", path);
	}
	return file;
}

int op_memory_file(struct context *c, const struct op_memory_file *op)
{
	scoped_fd memory = new_memory(c, op);
	if (memory < 0 || write_content(c, memory, op) < 0)
		return -1;
	scoped_fd file = take_file(c, memory, op->path);
	if (file < 0)
		return -1;
	if (set_mount_attributes(file, 0, MOUNT_ATTR_RDONLY, 0, MS_PRIVATE) < 0)
		return fail(c, "mount_setattr", op->path);
	const struct make make = { .file = true, .mode = 0644 };
	scoped_fd target = root_make_target(c, op->path, &make);
	if (target < 0)
		return fail(c, "openat2", op->path);
	return attach_mount(file, target) < 0 ? fail(c, "move_mount", op->path) : 0;
}
