/* The operation `helper`: a program of the host that is run and waited for, and whose words are given back. */
#include <errno.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>

#include "clock.h"
#include "compat.h"
#include "host_program.h"

/* How often a lock that somebody holds is tried. */
#define LOCK_PAUSE_NS (5L * 1000 * 1000)

/* `u32 wait status`, `u32 size of stdout`, stdout, the end of stderr. */
static int give_back(struct context *c, const struct host_program *p)
{
	scoped_fd memory = memfd_create("result", MFD_CLOEXEC);
	if (memory < 0)
		return fail(c, "memfd_create", "");
	const uint32_t head[2] = { (uint32_t)p->status, (uint32_t)p->said_size };
	if (write(memory, head, sizeof(head)) != (ssize_t)sizeof(head) ||
	    write(memory, p->said, p->said_size) != (ssize_t)p->said_size ||
	    write(memory, p->tail, p->tail_size) != (ssize_t)p->tail_size)
		return fail(c, "write", "");
	return tell_monitor(c, MESSAGE_RESULT, (int32_t)c->step, memory) < 0 ? fail(c, "sendmsg", "") : 0;
}

/* Waits for whoever has the lock: a helper whose client has gone runs on, and it must not be run beside another one. */
static int take_lock(struct context *c, const char *path, int64_t deadline, int *lock)
{
	if (path[0] == 0)
		return 0;
	*lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
	if (*lock < 0)
		return fail(c, "open", path);
	while (flock(*lock, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return fail(c, "flock", path);
		if (now_ms() >= deadline)
			return fail_with(c, ETIMEDOUT, "flock", path);
		nanosleep(&(struct timespec){ .tv_nsec = LOCK_PAUSE_NS }, NULL);
	}
	return 0;
}

int op_helper(struct context *c, const struct op_helper *op)
{
	if (op->limit > MAX_RESULT - PROGRAM_TAIL_MAX - 8)
		return fail_with(c, E2BIG, "helper", "its limit");
	struct host_program p = {
		.path = op->path,
		.arguments = &op->arguments,
		.environment = &op->environment,
		.directory = "/",
		.input = op->input.data,
		.input_size = op->input.size,
		.deadline = op->timeout == 0 ? INT64_MAX : now_ms() + op->timeout,
		.limit = op->limit,
	};
	scoped_fd lock = -1;
	if (take_lock(c, op->lock, p.deadline, &lock) < 0)
		return -1;
	p.said = malloc(p.limit + 1);
	if (p.said == NULL)
		return fail_with(c, ENOMEM, "malloc", op->path);
	int result = host_program_run(c, &p);
	if (result > 0)
		result = fail_with(c, result, "helper", op->path);
	else if (result == 0 && op->succeed && p.status != 0)
		result = fail_with(c, ECANCELED, "helper", op->path);
	else if (result == 0)
		result = give_back(c, &p);
	free(p.said);
	return result;
}
