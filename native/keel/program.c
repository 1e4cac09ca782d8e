/* The side of M: starting a program, and reading what its processes report. */
#include "program.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "compat.h"
#include "context.h"
#include "execute.h"

/*
 * Channels whose last message was MESSAGE_EXECUTING. Only then does end of file mean that exec succeeded; otherwise the
 * process was killed. A set by descriptor, so that program_next needs no state from its caller.
 */
#define MAX_CHANNEL 4096
static uint64_t executing[MAX_CHANNEL / 64];

static void set_executing(int channel, bool on)
{
	uint64_t bit = UINT64_C(1) << (channel % 64);
	if (on)
		executing[channel / 64] |= bit;
	else
		executing[channel / 64] &= ~bit;
}

static bool is_executing(int channel)
{
	return (executing[channel / 64] >> (channel % 64) & 1) != 0;
}

/*
 * Making an address space takes longer than most operations. An executor that only makes a container's process, and then
 * ends, needs none: it runs on a stack of its own in the caller's, which waits, as with vfork(2). Its descriptors, signal
 * handlers, working directory and umask are its own; what it changes in memory is of no use to anybody later. Not where
 * it stays to work for C, which would keep the caller waiting for what C does, nor where it enters namespaces (the kernel
 * refuses some to processes that share memory).
 */
#define STACK_SIZE ((size_t)256 << 10)

static bool shares_memory(const struct program_options *options)
{
#ifdef __SANITIZE_ADDRESS__
	/* The address sanitizer knows no other stacks, and takes what an earlier one left in its shadow for a fault. */
	return options == NULL;
#endif
	const struct wire_program *p = options->program;
	bool clones = false;
	for (uint32_t i = 0; i < p->count; i++) {
		const struct wire_operation *o = &p->items[i];
		switch (o->number) {
		case OP_CLONE:
			if ((o->u.clone.namespaces & CLONE_NEWUSER) != 0)
				return false;
			clones = true;
			break;
		case OP_JOIN_NAMESPACE:
		case OP_JOIN_CONTAINER:
			if (!clones)
				return false;
			break;
		case OP_HOOK:
			if (o->u.hook.parent)
				return false;
			break;
		case OP_ID_MAP:
		case OP_TIME_OFFSET:
		case OP_MOVE_NETWORK_DEVICE:
			return false;
		default:
			break;
		}
	}
	return clones;
}

struct sharing {
	const struct program_options *options;
	int channel;
};

static int run_sharing(void *argument)
{
	const struct sharing *s = argument;
	execute_program(s->options, s->channel);
}

static pid_t spawn_sharing(const struct program_options *options, int channel)
{
	void *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return -1;
	struct sharing argument = { .options = options, .channel = channel };
	pid_t pid = clone(run_sharing, (uint8_t *)stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | SIGCHLD, &argument);
	int saved = errno;
	munmap(stack, STACK_SIZE);
	errno = saved;
	return pid;
}

int program_spawn(const struct program_options *options, pid_t *executor)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	if (ends[0] >= MAX_CHANNEL) {
		close(ends[0]);
		close(ends[1]);
		errno = EMFILE;
		return -1;
	}
	pid_t pid = shares_memory(options) ? spawn_sharing(options, ends[1]) : _Fork();
	if (pid == 0)
		execute_program(options, ends[1]);
	int saved = errno;
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		errno = saved;
		return -1;
	}
	set_executing(ends[0], false);
	*executor = pid;
	return ends[0];
}

static void failed(struct program_event *event, int error, const char *syscall)
{
	event->kind = PROGRAM_FAILED;
	event->step = -1;
	event->error = (uint32_t)error;
	strcpy(event->syscall, syscall);
}

/* The data of a `read-file`, from its memfd. */
static void read_result(struct program_event *event, int fd)
{
	struct stat s;
	if (fd < 0 || fstat(fd, &s) < 0 || s.st_size > MAX_RESULT)
		return failed(event, EPROTO, "fstat");
	uint32_t size = (uint32_t)s.st_size;
	uint8_t *data = malloc(size == 0 ? 1 : size);
	if (data == NULL)
		return failed(event, ENOMEM, "malloc");
	if (pread(fd, data, size, 0) != (ssize_t)size) {
		free(data);
		return failed(event, EIO, "pread");
	}
	event->kind = PROGRAM_RESULT;
	event->data = data;
	event->size = size;
}

void program_next(int channel, struct program_event *event)
{
	struct message m;
	int fd;
	memset(event, 0, sizeof(*event));
	event->fd = -1;
	int got = message_receive(channel, &m, &fd);
	if (got == 1 && m.kind == MESSAGE_EXECUTING) {
		set_executing(channel, true);
		got = message_receive(channel, &m, &fd);
	}
	if (got < 0 && errno == EAGAIN) {
		event->kind = PROGRAM_AGAIN;
		return;
	}
	if (got != 1) {
		if (got == 0 && is_executing(channel))
			event->kind = PROGRAM_EXECUTED;
		else
			failed(event, got < 0 ? errno : EPIPE, "recvmsg");
		return;
	}
	switch (m.kind) {
	case MESSAGE_CHILD:
		event->kind = PROGRAM_CHILD;
		event->pid = m.value;
		break;
	case MESSAGE_CREATED:
		event->kind = PROGRAM_CREATED;
		break;
	case MESSAGE_TERMINAL:
		event->kind = PROGRAM_TERMINAL;
		event->fd = fd;
		return;
	case MESSAGE_RESULT:
		event->step = m.value;
		read_result(event, fd);
		break;
	case MESSAGE_EXECUTED:
		event->kind = PROGRAM_EXECUTED;
		break;
	case MESSAGE_FAILED:
		event->kind = PROGRAM_FAILED;
		event->step = m.value;
		event->error = m.failure.error;
		memcpy(event->syscall, m.failure.syscall, sizeof(event->syscall));
		memcpy(event->detail, m.failure.detail, sizeof(event->detail));
		break;
	default:
		failed(event, EPROTO, "recvmsg");
	}
	close_scope(&fd);
}

int program_start(int channel)
{
	struct message m = { .kind = MESSAGE_START };
	return message_send(channel, &m, -1);
}
