/* Stopping all processes of a cgroup, and letting them go on. */
#include <errno.h>
#include <poll.h>
#include <time.h>

#include "compat.h"
#include "context.h"

/* What the freezer gets to stop all processes. One that waits for a dead network filesystem cannot be stopped. */
#define TIME_LIMIT_NS 10000000000LL
/* v1: so many looks, one after another and then with a pause, until freezing begins anew. */
#define LOOKS 50
#define PAUSE_NS 200000L
#define THAWED_PAUSE_NS 10000000L

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void pause_for(long nanoseconds)
{
	const struct timespec t = { .tv_nsec = nanoseconds };
	nanosleep(&t, NULL);
}

static int write_state(struct context *c, int directory, const char *state, const char *path)
{
	return write_small(directory, "freezer.state", state, strlen(state)) < 0 ? fail(c, "write", path) : 0;
}

/*
 * v1's freezer may miss a process that is forked meanwhile, and stays at FREEZING then: asking again takes it in, and
 * where two processes wait for each other only letting them go on for a moment helps.
 */
static int freeze_v1(struct context *c, int directory, const char *path)
{
	const int64_t deadline = now() + TIME_LIMIT_NS;
	for (int look = 1;; look++) {
		if (write_state(c, directory, "FROZEN", path) < 0)
			return -1;
		char state[16];
		if (read_small(directory, "freezer.state", state, sizeof(state)) < 0)
			return fail(c, "read", path);
		if (strcmp(state, "FROZEN\n") == 0)
			return 0;
		if (now() >= deadline)
			return fail_with(c, ETIMEDOUT, "freeze", path);
		if (look % LOOKS == 0) {
			if (write_state(c, directory, "THAWED", path) < 0)
				return -1;
			pause_for(THAWED_PAUSE_NS);
		} else if (look > LOOKS / 2) {
			pause_for(PAUSE_NS);
		}
	}
}

/* Whether cgroup.events, a line `name value` for each fact, says that all processes are stopped; -1 with errno. */
static int is_frozen(int events)
{
	char text[256];
	ssize_t size = pread(events, text, sizeof(text) - 1, 0);
	if (size < 0)
		return -1;
	text[size] = 0;
	return strstr(text, "frozen 1\n") != NULL;
}

/* The kernel tells of a change of cgroup.events by POLLPRI. */
static int freeze_v2(struct context *c, int directory, const char *path)
{
	scoped_fd events = openat(directory, "cgroup.events", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (events < 0)
		return fail(c, "openat", path);
	if (write_small(directory, "cgroup.freeze", "1", 1) < 0)
		return fail(c, "write", path);
	const int64_t deadline = now() + TIME_LIMIT_NS;
	for (;;) {
		int frozen = is_frozen(events);
		if (frozen < 0)
			return fail(c, "pread", path);
		if (frozen > 0)
			return 0;
		int64_t left = deadline - now();
		if (left <= 0)
			return fail_with(c, ETIMEDOUT, "freeze", path);
		struct pollfd p = { .fd = events, .events = POLLPRI };
		poll(&p, 1, (int)(left / 1000000) + 1);
	}
}

int op_freeze(struct context *c, const struct op_freeze *op)
{
	scoped_fd directory = open(op->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return fail(c, "open", op->path);
	uint64_t type = filesystem_type(directory);
	if (type != MAGIC_CGROUP && type != MAGIC_CGROUP2)
		return fail_with(c, EINVAL, "fstatfs", op->path);
	const bool v2 = type == MAGIC_CGROUP2;
	const char *file = v2 ? "cgroup.freeze" : "freezer.state";
	const char *thawed = v2 ? "0" : "THAWED";
	if (!op->frozen)
		return write_small(directory, file, thawed, strlen(thawed)) < 0 ? fail(c, "write", op->path) : 0;
	int result = v2 ? freeze_v2(c, directory, op->path) : freeze_v1(c, directory, op->path);
	if (result < 0)
		write_small(directory, file, thawed, strlen(thawed));
	return result;
}
