/* The container's terminal and stdio. */
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>

#include "compat.h"
#include "context.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

/* Major numbers of the slaves of devpts (Documentation/admin-guide/devices.txt). */
#define PTS_MAJOR_FIRST 136
#define PTS_MAJOR_LAST 143

/*
 * Opens the multiplexer of the container's devpts. The path /dev/ptmx is the image's to choose; the filesystem at /dev/pts is
 * checked to be what it must be, and ptmx is taken from there.
 */
static int open_multiplexer(struct context *c)
{
	scoped_fd pts = root_open(c, "/dev/pts", O_PATH | O_DIRECTORY, 0);
	if (pts < 0)
		return fail(c, "openat2", "/dev/pts");
	if (filesystem_type(pts) != MAGIC_DEVPTS)
		return fail_with(c, ENODEV, "fstatfs", "/dev/pts");
	scoped_fd master = openat(pts, "ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
	if (master < 0)
		return fail(c, "openat", "/dev/pts/ptmx");
	if (filesystem_type(master) != MAGIC_DEVPTS)
		return fail_with(c, ENODEV, "fstatfs", "/dev/pts/ptmx");
	return fcntl(master, F_DUPFD_CLOEXEC, 0);
}

/* Binds the terminal itself, by descriptor, onto /dev/console in the root. */
static int bind_console(struct context *c, int slave)
{
	char name[NAME_MAX + 1];
	scoped_fd parent = root_make_parent(c, "/dev/console", name);
	if (parent < 0)
		return fail(c, "openat2", "/dev");
	int made = openat(parent, name, O_CREAT | O_EXCL | O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (made >= 0)
		close(made);
	else if (errno != EEXIST)
		return fail(c, "openat", "/dev/console");
	scoped_fd target = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat s;
	if (target < 0 || fstat(target, &s) < 0)
		return fail(c, "openat", "/dev/console");
	if (S_ISLNK(s.st_mode))
		return fail_with(c, ELOOP, "openat", "/dev/console");
	scoped_fd tree = open_tree(slave, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return fail(c, "open_tree", "/dev/console");
	if (attach_mount(tree, target) < 0)
		return fail(c, "move_mount", "/dev/console");
	return 0;
}

int op_terminal(struct context *c, const struct op_terminal *op)
{
	scoped_fd master = open_multiplexer(c);
	if (master < 0)
		return -1;
	int locked = 0;
	if (ioctl(master, TIOCSPTLCK, &locked) < 0)
		return fail(c, "ioctl TIOCSPTLCK", "");
	scoped_fd slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return fail(c, "ioctl TIOCGPTPEER", "");
	if (op->columns > 0 && op->rows > 0) {
		const struct winsize size = { .ws_row = (unsigned short)op->rows, .ws_col = (unsigned short)op->columns };
		if (ioctl(slave, TIOCSWINSZ, &size) < 0)
			return fail(c, "ioctl TIOCSWINSZ", "");
	}
	if (op->console && bind_console(c, slave) < 0)
		return -1;
	if (getsid(0) != getpid() && setsid() < 0)
		return fail(c, "setsid", "");
	if (ioctl(slave, TIOCSCTTY, 0) < 0)
		return fail(c, "ioctl TIOCSCTTY", "");
	for (int i = 0; i < 3; i++)
		if (dup2(slave, i) < 0)
			return fail(c, "dup2", "");
	if (tell_monitor(c, MESSAGE_TERMINAL, 0, master) < 0)
		return fail(c, "sendmsg", "");
	return 0;
}

int op_stdio_owner(struct context *c, const struct op_stdio_owner *op)
{
	for (int i = 0; i < 3; i++) {
		struct stat s;
		if (fstat(i, &s) < 0)
			continue;
		/* A pipe or a pseudo terminal; /dev/null and files of the host stay whose they are. */
		bool terminal = S_ISCHR(s.st_mode) && major(s.st_rdev) >= PTS_MAJOR_FIRST && major(s.st_rdev) <= PTS_MAJOR_LAST;
		if (!terminal && !S_ISFIFO(s.st_mode))
			continue;
		/* A terminal's group is `tty`, as mesg(1) and wall(1) expect. */
		gid_t group = terminal ? s.st_gid : op->gid;
		if (s.st_uid == op->uid && s.st_gid == group)
			continue;
		/* Somebody else's in a user namespace, or an id without a mapping there: it works without, only not anew. */
		if (fchown(i, op->uid, group) < 0 && errno != EPERM && errno != EINVAL)
			return fail(c, "fchown", "");
	}
	return 0;
}
