/*
 * A filter whose decisions are somebody else's (seccomp_unotify(2)): the descriptor that tells of them goes to the agent.
 *
 * From the moment the filter is on, any system call of this thread may wait for an agent that has no descriptor yet. So a
 * second thread, made before and without the filter, does the sending: this one finds it out by looking at memory, and makes
 * no system call until its exec. That ends the second thread, and leaves nothing to be reaped.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <time.h>

#include "compat.h"
#include "context.h"
#include "unix_socket.h"

#define STACK_SIZE ((size_t)64 << 10)
/* How often the second thread looks whether there is something to do. */
#define LOOK_NS 50000

enum stage {
	STAGE_WAITING,
	STAGE_CANCELLED, /* there is no filter */
	STAGE_INSTALLED, /* there is, and a descriptor */
	STAGE_SENT,
	STAGE_FAILED, /* exec has failed */
};

/*
 * Both threads have one errno. It is safe: of two calls that could fail at the same time, none is made. While one of them
 * works, the other looks at `stage`, or sleeps, which without signal handlers does not fail.
 */
static struct {
	_Atomic enum stage stage;
	int fds[2]; /* the listener's, the pidfd */
	struct text text;
} n;

int op_seccomp_listener(struct context *c, const struct op_seccomp_listener *op)
{
	if (c->container || c->agent >= 0)
		return fail_with(c, EINVAL, "connect", "an agent after clone, or a second one");
	c->agent = unix_connect(op->path);
	c->agent_operation = op;
	return c->agent < 0 ? fail(c, "connect", op->path) : 0;
}

static int prepare_text(struct context *c)
{
	const struct op_seccomp_listener *op = c->agent_operation;
	const size_t capacity = strlen(op->before) + strlen(op->between) + strlen(op->after) + 64;
	n.text = (struct text){ .data = malloc(capacity), .size = capacity };
	if (n.text.data == NULL)
		return fail(c, "malloc", "");
	if (wait_announced(c) < 0)
		return fail_with(c, EPIPE, "recvmsg", "");
	text_add(&n.text, op->before);
	text_add_number(&n.text, (uint64_t)c->host_pid);
	if (op->between[0] != 0) {
		text_add(&n.text, op->between);
		text_add_number(&n.text, (uint64_t)c->host_pid);
	}
	text_add(&n.text, op->after);
	return 0;
}

static enum stage stage_after(enum stage stage)
{
	const struct timespec look = { .tv_nsec = LOOK_NS };
	enum stage now;
	while ((now = atomic_load(&n.stage)) == stage)
		nanosleep(&look, NULL);
	return now;
}

static _Noreturn void report(struct context *c)
{
	tell_monitor(c, MESSAGE_FAILED, (int32_t)c->step, -1);
	/* Both threads. */
	_exit(1);
}

/* The second thread. */
static int attend(void *argument)
{
	struct context *c = argument;
	if (stage_after(STAGE_WAITING) == STAGE_CANCELLED)
		return 0;
	const struct op_seccomp_listener *op = c->agent_operation;
	if (unix_send(c->agent, n.text.data, n.text.used, n.fds, op->pidfd ? 2 : 1) < 0) {
		fail(c, "sendmsg", op->path);
		report(c);
	}
	/* Descriptors are shared. The end of the connection tells the agent that this is all. */
	close(n.fds[0]);
	close_scope(&n.fds[1]);
	close(c->agent);
	/* Otherwise the other thread goes on under its filter, as its program says. */
	const bool stay = c->exec_prepared;
	c->attended = stay;
	atomic_store(&n.stage, STAGE_SENT);
	if (!stay)
		return 0;
	stage_after(STAGE_SENT);
	report(c);
}

int install_notifying(struct context *c, uint32_t flags, const void *program)
{
	if (c->agent < 0)
		return fail_with(c, EINVAL, "seccomp", "a filter that notifies, without an agent");
	if (prepare_text(c) < 0)
		return -1;
	n.fds[1] = c->agent_operation->pidfd ? pidfd_open(getpid(), 0) : -1;
	if (n.fds[1] < 0 && c->agent_operation->pidfd)
		return fail(c, "pidfd_open", "");
	uint8_t *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return fail(c, "mmap", "");
	const int sharing = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
	if (clone(attend, stack + STACK_SIZE, sharing, c) < 0)
		return fail(c, "clone", "");
	/* The second thread is not to have it. */
	flags &= ~(uint32_t)(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH);
	long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program);
	if (fd < 0) {
		fail(c, "seccomp", "");
		atomic_store(&n.stage, STAGE_CANCELLED);
		return -1;
	}
	n.fds[0] = (int)fd;
	atomic_store(&n.stage, STAGE_INSTALLED);
	/* Not by a system call. It takes microseconds. */
	while (atomic_load(&n.stage) == STAGE_INSTALLED)
		;
	return 0;
}

void fail_attended(void)
{
	atomic_store(&n.stage, STAGE_FAILED);
	for (;;)
		;
}
