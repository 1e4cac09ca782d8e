/* The end of a cgroup: killing what is in it, and removing it. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <time.h>

#include "compat.h"
#include "context.h"

/* Dying tasks are counted until the kernel has let go of them. */
#define PATIENCE_NS 2000000000LL
#define FIRST_PAUSE_NS 50000L
#define LONGEST_PAUSE_NS 10000000L

/* Deeper nesting is refused (v2's default cgroup.max.depth is unlimited). */
#define MAX_DEPTH 64

struct patience {
	int64_t deadline;
	long pause;
};

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Sleeps a little, longer each time. False when patience is at its end. */
static bool wait_more(struct patience *p)
{
	int64_t time = now();
	if (p->pause == 0) {
		p->pause = FIRST_PAUSE_NS;
		p->deadline = time + PATIENCE_NS;
	} else if (time >= p->deadline) {
		return false;
	}
	const struct timespec t = { .tv_nsec = p->pause };
	nanosleep(&t, NULL);
	p->pause = p->pause * 2 < LONGEST_PAUSE_NS ? p->pause * 2 : LONGEST_PAUSE_NS;
	return true;
}

/* Signals the processes of one cgroup: how many there were, or -1 with errno. */
static int signal_processes(int directory)
{
	scoped_fd fd = openat(directory, "cgroup.procs", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -1;
	char buffer[4096];
	size_t used = 0;
	int count = 0;
	ssize_t n;
	while ((n = read(fd, buffer + used, sizeof(buffer) - 1 - used)) > 0) {
		used += (size_t)n;
		buffer[used] = 0;
		const char *at = buffer;
		const char *end;
		/* A number may be cut at the end of the buffer. */
		while ((end = strchr(at, '\n')) != NULL) {
			uint64_t pid;
			/* 0 is a process outside of this pid namespace: kill(0) would hit keel's own group. */
			if (text_read_number(&at, &pid) && pid > 0 && pid <= INT32_MAX)
				kill((pid_t)pid, SIGKILL);
			count++;
			at = end + 1;
		}
		used -= (size_t)(at - buffer);
		memmove(buffer, at, used);
	}
	return n < 0 && errno != ENODEV ? -1 : count;
}

struct walk {
	int (*visit)(int directory, struct walk *walk);
	int depth;
	int total;
};

/* Visits a cgroup's children, then itself. */
static int walk_down(int directory, struct walk *walk);

static int walk_entry(int directory, const char *name, unsigned char type, void *argument)
{
	struct walk *walk = argument;
	if (type != DT_DIR)
		return 0;
	scoped_fd child = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (child < 0)
		return errno == ENOENT ? 0 : -1;
	if (walk->depth == MAX_DEPTH) {
		errno = ELOOP;
		return -1;
	}
	walk->depth++;
	int result = walk_down(child, walk);
	walk->depth--;
	return result;
}

static int walk_down(int directory, struct walk *walk)
{
	/* Somebody else may be removing it: one that is gone has no entries and no processes. */
	if (each_entry(directory, walk_entry, walk) < 0)
		return errno == ENOENT || errno == ENODEV ? 0 : -1;
	return walk->visit(directory, walk);
}

static int kill_visit(int directory, struct walk *walk)
{
	/* A frozen task does not die (v1 freezer). */
	write_small(directory, "freezer.state", "THAWED", 6);
	int count = signal_processes(directory);
	if (count < 0)
		return errno == ENOENT ? 0 : -1;
	walk->total += count;
	return 0;
}

int op_cgroup_kill(struct context *c, const struct op_cgroup_kill *op)
{
	scoped_fd directory = open(op->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return errno == ENOENT ? 0 : fail(c, "open", op->path);
	/* v2 since Linux 5.14: all at once, children included, and no fork gets away. */
	if (write_small(directory, "cgroup.kill", "1", 1) == 0)
		return 0;
	if (errno != ENOENT)
		return fail(c, "write", op->path);
	struct patience patience = { 0 };
	for (;;) {
		struct walk walk = { .visit = kill_visit };
		lseek(directory, 0, SEEK_SET);
		if (walk_down(directory, &walk) < 0)
			return fail(c, "kill", op->path);
		if (walk.total == 0)
			return 0;
		if (!wait_more(&patience))
			return fail_with(c, EBUSY, "kill", op->path);
	}
}

static int remove_entry(int directory, const char *name, unsigned char type, void *argument)
{
	int *depth = argument;
	if (type != DT_DIR)
		return 0;
	if (unlinkat(directory, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	/* Busy: with processes, or with children. */
	if (errno != EBUSY && errno != ENOTEMPTY)
		return -1;
	scoped_fd child = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (child < 0)
		return errno == ENOENT ? 0 : -1;
	if (*depth == MAX_DEPTH) {
		errno = ELOOP;
		return -1;
	}
	++*depth;
	int result = each_entry(child, remove_entry, depth);
	--*depth;
	if (result < 0)
		return -1;
	return unlinkat(directory, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -1;
}

int op_cgroup_remove(struct context *c, const struct op_cgroup_remove *op)
{
	struct patience patience = { 0 };
	for (;;) {
		if (rmdir(op->path) == 0 || errno == ENOENT)
			return 0;
		if (errno != EBUSY && errno != ENOTEMPTY)
			return fail(c, "rmdir", op->path);
		scoped_fd directory = open(op->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (directory < 0)
			return errno == ENOENT ? 0 : fail(c, "open", op->path);
		uint64_t type = filesystem_type(directory);
		if (type != MAGIC_CGROUP && type != MAGIC_CGROUP2)
			return fail_with(c, EINVAL, "fstatfs", op->path);
		int depth = 0;
		int result = each_entry(directory, remove_entry, &depth);
		if (result < 0 && errno != EBUSY && errno != ENOTEMPTY && errno != ENOENT)
			return fail(c, "rmdir", op->path);
		if (rmdir(op->path) == 0 || errno == ENOENT)
			return 0;
		if (!wait_more(&patience))
			return fail_with(c, EBUSY, "rmdir", op->path);
	}
}
