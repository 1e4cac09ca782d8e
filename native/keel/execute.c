/* The processes X and C: run a program's operations one after another. */
#include "execute.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "compat.h"
#include "context.h"

/* Where X keeps its descriptors: this one, SELF_FD, those to preserve, and the container's pidfd. All above are closed. */
#define CHANNEL_FD 3

static bool has_operation(const struct wire_program *program, uint32_t from, uint16_t number)
{
	for (uint32_t i = from; i < program->count; i++)
		if (program->items[i].number == number)
			return true;
	return false;
}

/* What a process that execs, or whose stdio operations touch, gets as 0, 1 and 2. */
static int set_stdio(const int stdio[3], int above)
{
	int source[3];
	for (int i = 0; i < 3; i++) {
		source[i] = stdio[i] < 0 ? open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY)
					 : fcntl(stdio[i], F_DUPFD_CLOEXEC, above);
		if (source[i] < 0)
			return -1;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(source[i], i) < 0)
			return -1;
	return 0;
}

/*
 * Leaves the channel, keel's executable, what the program keeps, the container's pidfd and stdio open, and nothing else: what
 * the caller has for other requests must not stay open here.
 */
static int settle_descriptors(struct context *c, const struct program_options *options)
{
	const struct wire_program *p = options->program;
	const int container_fd = PRESERVED_FD + (int)options->preserve;
	int channel = fcntl(c->channel, F_DUPFD_CLOEXEC, container_fd + 1);
	int container = -1;
	if (options->container_pidfd >= 0)
		container = fcntl(options->container_pidfd, F_DUPFD_CLOEXEC, container_fd + 1);
	if (channel < 0 || (container < 0 && options->container_pidfd >= 0))
		return -1;
	/* Failures are reported on it from here on. */
	c->channel = channel;
	if ((has_operation(p, 0, OP_EXEC) || has_operation(p, 0, OP_RUNTIME_CREATE) || has_operation(p, 0, OP_TERMINAL) || has_operation(p, 0, OP_STDIO_OWNER)) &&
	    set_stdio(options->stdio, container_fd + 1) < 0)
		return -1;
	if (dup3(channel, CHANNEL_FD, O_CLOEXEC) < 0)
		return -1;
	c->channel = CHANNEL_FD;
	if (container >= 0 && dup3(container, container_fd, O_CLOEXEC) < 0)
		return -1;
	c->container_pidfd = container >= 0 ? container_fd : -1;
	close_range((unsigned int)(container >= 0 ? container_fd + 1 : container_fd), ~0U, 0);
	return 0;
}

static void reset_signals(void)
{
	const struct sigaction standard = { .sa_handler = SIG_DFL };
	for (int n = 1; n < NSIG; n++)
		sigaction(n, &standard, NULL);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* X, once C runs: does for C what needs privilege outside, until C lets go of the socket. */
static _Noreturn void serve_container(struct context *c)
{
	struct message m;
	int fd;
	while (message_receive(c->peer, &m, &fd) == 1 && m.kind == MESSAGE_ASK && m.value >= 0 &&
	       (uint32_t)m.value < c->program->count) {
		close_scope(&fd);
		c->failure.error = 0;
		if (parent_operation(c, &c->program->items[m.value], &fd) < 0 && c->failure.error == 0)
			fail(c, "", "");
		m.kind = MESSAGE_ANSWER;
		m.failure = c->failure;
		if (message_send(c->peer, &m, fd) < 0)
			break;
		close_scope(&fd);
	}
	end_hooks(c);
	_exit(0);
}

static bool needs_parent(const struct context *c)
{
	uint32_t next = c->step + 1;
	if (hooks_by_parent(c->program, next))
		return true;
	return has_operation(c->program, next, OP_ID_MAP) || has_operation(c->program, next, OP_TIME_OFFSET) ||
	       has_operation(c->program, next, OP_MOVE_NETWORK_DEVICE) ||
	       (c->user_namespace &&
		(has_operation(c->program, next, OP_BIND) || has_operation(c->program, next, OP_OPEN_SOURCE) ||
		 has_operation(c->program, next, OP_SCHEDULER) || has_operation(c->program, next, OP_IO_PRIORITY)));
}

/* Of join-cgroup operations after this step: does one unshare the cgroup namespace? */
static bool unshares_cgroup_later(const struct context *c)
{
	for (uint32_t i = c->step + 1; i < c->program->count; i++) {
		const struct wire_operation *o = &c->program->items[i];
		if (o->number == OP_JOIN_CGROUP && o->u.join_cgroup.unshare)
			return true;
	}
	return false;
}

/* C's first steps. */
static int begin_container(struct context *c, uint64_t namespaces)
{
	c->container = true;
	c->announced = false;
	/* X alone speaks to who runs hooks, so that its end is theirs. */
	if (c->hooks >= 0)
		close(c->hooks);
	c->hooks = -1;
	/* Not by clone3: there the namespace's root would be X's cgroup, not the one that C is born in. */
	if ((namespaces & CLONE_NEWCGROUP) != 0 && !unshares_cgroup_later(c) && unshare(CLONE_NEWCGROUP) < 0)
		return fail(c, "unshare", "cgroup");
	return 0;
}

/* Returns in C; X ends here. In X, -1 when there is no C. */
static int clone_container(struct context *c, const struct op_clone *op)
{
	if (c->container)
		return fail_with(c, EINVAL, "clone3", "a second clone");
	const uint64_t allowed = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWUSER |
				 CLONE_NEWCGROUP | CLONE_NEWTIME;
	if ((op->namespaces & ~allowed) != 0)
		return fail_with(c, EINVAL, "clone3", "no namespace flags");
	if (open_cgroups(c) < 0)
		return -1;
	int peers[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, peers) < 0)
		return fail(c, "socketpair", "");
	c->user_namespace = (op->namespaces & CLONE_NEWUSER) != 0;
	c->unprivileged = geteuid() != 0;
	struct clone_arguments arguments = {
		.flags = CLONE_PARENT | (op->namespaces & ~(uint64_t)(CLONE_NEWCGROUP | CLONE_NEWTIME)),
	};
	if (c->clone_cgroup >= 0) {
		arguments.flags |= CLONE_INTO_CGROUP;
		arguments.cgroup = (uint64_t)c->clone_cgroup;
	}
	long pid = syscall(SYS_clone3, &arguments, sizeof(arguments));
	int procs = -1;
	/* A group at its pids.max bears no process, but takes one from outside: an exec into a container that is full. */
	if (pid < 0 && errno == EAGAIN && c->clone_cgroup >= 0 &&
	    (procs = openat(c->clone_cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC | O_NOFOLLOW)) >= 0) {
		arguments.flags &= ~CLONE_INTO_CGROUP;
		arguments.cgroup = 0;
		pid = syscall(SYS_clone3, &arguments, sizeof(arguments));
	}
	if (pid < 0)
		return fail(c, "clone3", op->cgroup);
	if (pid == 0) {
		close(peers[0]);
		c->peer = peers[1];
		if (procs >= 0 && write(procs, "0", 1) != 1)
			return fail(c, "write", op->cgroup);
		close_scope(&procs);
		return begin_container(c, op->namespaces);
	}
	close_scope(&procs);
	close(peers[1]);
	/* C's alone, so that their other ends see what C does. */
	close_scope(&c->listener);
	close_scope(&c->agent);
	c->peer = peers[0];
	c->child = (pid_t)pid;
	struct message m = { .kind = MESSAGE_CHILD, .value = (int32_t)pid };
	if (c->hooks >= 0)
		message_send(c->hooks, &m, -1);
	m.kind = MESSAGE_ANNOUNCED;
	if (tell_monitor(c, MESSAGE_CHILD, (int32_t)pid, -1) == 0)
		message_send(c->peer, &m, -1);
	close(c->channel);
	if (!needs_parent(c))
		_exit(0);
	serve_container(c);
}

static int wait_start(struct context *c)
{
	struct message m;
	int fd;
	if (tell_monitor(c, MESSAGE_CREATED, 0, -1) < 0)
		return fail(c, "sendmsg", "");
	/* X need not stay; nothing is asked of it from here on. */
	if (c->peer >= 0) {
		close(c->peer);
		c->peer = -1;
	}
	if (message_receive(c->channel, &m, &fd) != 1 || m.kind != MESSAGE_START)
		_exit(1); /* the monitor has gone, and nobody else can start this container */
	close_scope(&fd);
	return c->listener < 0 ? 0 : await_starter(c);
}

static int run_step(struct context *c, const struct wire_operation *o)
{
	switch (o->number) {
	case OP_CLONE:
		return clone_container(c, &o->u.clone);
	case OP_WAIT_START:
		return wait_start(c);
	case OP_EXEC:
		return op_exec(c, &o->u.exec);
	case OP_SECCOMP: {
		/* After it, only what the filter allows can be done: prepare for exec now. */
		const struct wire_operation *next = o + 1;
		if (c->step + 1 < c->program->count && next->number == OP_EXEC && prepare_exec(c, &next->u.exec) < 0)
			return -1;
		return op_seccomp(c, &o->u.seccomp);
	}
	default:
		return operation_run(c, o);
	}
}

_Noreturn void execute_program(const struct program_options *options, int channel)
{
	struct context c = {
		.program = options->program,
		.channel = channel,
		.listener = -1,
		.starter = -1,
		.peer = -1,
		.announced = true,
		.root = -1,
		.hooks = -1,
		.agent = -1,
		.container_pidfd = -1,
		.preserve = options->preserve,
		.self = SELF_FD,
		.null_device = -1,
		.empty_directory = -1,
		.waiter = -1,
		.sources = { [0 ... MAX_SOURCES - 1] = -1 },
		.map_namespace = -1,
		.clone_cgroup = -1,
		.umask = 022,
	};
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	reset_signals();
	umask(0);
	if (settle_descriptors(&c, options) < 0) {
		fail(&c, "dup", "");
		tell_monitor(&c, MESSAGE_FAILED, -1, -1);
		_exit(1);
	}
	if (hooks_by_parent(c.program, 0) && start_hooks(&c) < 0) {
		tell_monitor(&c, MESSAGE_FAILED, -1, -1);
		_exit(1);
	}
	for (; c.step < c.program->count; c.step++) {
		if (run_step(&c, &c.program->items[c.step]) == 0)
			continue;
		if (c.attended)
			fail_attended();
		tell_monitor(&c, MESSAGE_FAILED, (int32_t)c.step, -1);
		end_hooks(&c);
		_exit(1);
	}
	tell_monitor(&c, MESSAGE_EXECUTED, 0, -1);
	_exit(0);
}
