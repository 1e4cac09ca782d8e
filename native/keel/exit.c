#include "exit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "journal.h"
#include "log.h"
#include "program.h"
#include "state_file.h"

/* How long to wait for exec'd processes and others' ends of the container's pipes, once the exit program has run. */
#define DRAIN_MS 2000
/* How long a client may take no byte of what it is still to get, and how long that goes on at most. */
#define FLUSH_MS 5000
#define FLUSH_ALL_MS 30000

struct monitor monitor;

static enum {
	ALIVE,
	CLEANING, /* the exit program runs */
	DRAINING, /* waiting for the last output */
	FLUSHING, /* all is announced */
} stage;

static struct source channel = { .fd = -1 };
static int64_t deadline;     /* of DRAINING and FLUSHING, milliseconds on the monotonic clock */
static int64_t last_deadline; /* of FLUSHING */
static uint64_t flushed;     /* what clients had been sent when the deadline was set */

/* Reads events of the exit program. Returns whether it goes on. */
static bool cleaning(int fd)
{
	for (;;) {
		struct program_event event = { .kind = PROGRAM_AGAIN, .fd = -1 };
		program_next(fd, &event);
		switch (event.kind) {
		case PROGRAM_AGAIN:
			return true;
		case PROGRAM_FAILED:
		case PROGRAM_EXECUTED:
			return false;
		case PROGRAM_TERMINAL:
			close(event.fd);
			break;
		case PROGRAM_RESULT:
			free(event.data);
			break;
		case PROGRAM_CREATED:
			program_start(fd);
			break;
		case PROGRAM_CHILD:
			break;
		}
	}
}

static void channel_ready(struct source *source, uint32_t events)
{
	(void)events;
	if (!cleaning(source->fd))
		loop_close(source);
}

/* The exit program without its first cgroups, where these are empty and so gone at once: most often that is all of it. */
static struct wire_program remaining(void)
{
	struct wire_program program = monitor.create->exit_program;
	while (program.count > 0 && program.items->number == OP_CGROUP_REMOVE &&
	       (rmdir(program.items->u.cgroup_remove.path) == 0 || errno == ENOENT)) {
		program.items++;
		program.count--;
	}
	return program;
}

static int spawn(pid_t *executor)
{
	struct wire_program program = remaining();
	struct program_options options = {
		.program = &program,
		.stdio = { -1, -1, -1 },
		.container_pidfd = -1,
	};
	return program.count == 0 ? -1 : program_spawn(&options, executor);
}

void exit_program_now(void)
{
	pid_t executor;
	int fd = spawn(&executor);
	if (fd >= 0) {
		cleaning(fd);
		close(fd);
		/* Whoever this process's children are left to is not to find it. */
		waitpid(executor, NULL, __WALL);
	}
}

static void clean(void)
{
	struct outcome *outcome = &monitor.container->outcome;
	if (monitor.container->failed_status != 0)
		*outcome = (struct outcome){ .status = monitor.container->failed_status, .time = outcome->time };
	/* Now: the exit program may remove the cgroup. */
	outcome->oom_killed = oom_kills(monitor.create->oom_file) > 0;
	journal_unwatch(monitor.create);
	pid_t executor;
	channel = (struct source){ .fd = spawn(&executor), .ready = channel_ready };
	if (channel.fd < 0)
		return;
	fcntl(channel.fd, F_SETFL, O_RDWR | O_NONBLOCK);
	if (loop_want(&channel, EPOLLIN) < 0) {
		/* Out of memory. Waiting for it here keeps the order of things at least. */
		fcntl(channel.fd, F_SETFL, O_RDWR);
		cleaning(channel.fd);
		loop_close(&channel);
	}
}

static void start_command(void)
{
	const struct wire_list_string *command = &monitor.create->exit_command;
	if (command->count == 0)
		return;
	char **arguments = calloc((size_t)command->count + 1, sizeof(*arguments));
	if (arguments == NULL)
		return;
	for (uint32_t i = 0; i < command->count; i++)
		arguments[i] = (char *)(uintptr_t)command->items[i];
	pid_t child = fork();
	if (child == 0) {
		/* Forked once more, so that nobody ever has to wait for it. */
		if (fork() != 0)
			_exit(0);
		setsid();
		sigset_t none;
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		signal(SIGPIPE, SIG_DFL);
		int null = open("/dev/null", O_RDWR);
		for (int fd = 0; fd < 3 && null >= 0; fd++)
			dup2(null, fd);
		close_range(3, ~0u, 0);
		execvp(arguments[0], arguments);
		_exit(127);
	}
	if (child > 0)
		waitpid(child, NULL, 0);
	free(arguments);
}

static void announce(void)
{
	struct session *container = monitor.container;
	struct outcome *outcome = &container->outcome;
	sessions_end();
	char text[80];
	snprintf(text, sizeof(text), "%u %u %d %lld %09ld", outcome->status, outcome->signal, outcome->oom_killed ? 1 : 0,
		 (long long)outcome->time.tv_sec, outcome->time.tv_nsec);
	/* In this order: whoever hears of the end from the journal finds the file. */
	state_file_write(monitor.directory, "exit", "%s\n", text);
	journal_exit(monitor.create, text);
	if (monitor.log->lost > 0)
		state_file_write(monitor.directory, "log-lost", "%llu\n", (unsigned long long)monitor.log->lost);
	monitor.over = true;
	bool told = false;
	while (container->attachments != NULL) {
		struct attachment *a = container->attachments;
		if (a->pending) {
			client_failed(a->client, a->request, -1, ESRCH, "", "");
		} else {
			client_exited(a->client, a->request, outcome);
			told = true;
		}
		attachment_free(a);
	}
	/* Whoever was told looks after what is left. */
	if (!told)
		start_command();
}

static void wait_for_clients(void)
{
	flushed = clients_sent();
	deadline = now_ms() + FLUSH_MS;
}

void exit_progress(void)
{
	struct session *container = monitor.container;
	/* Where another runtime made the container's process, the program waits for the start of what has ended. */
	if (stage == ALIVE && container->reaped && container->state == SESSION_CREATED && container->pid != container->executor)
		loop_close(&container->channel);
	if (stage == ALIVE && container->reaped && container->channel.fd < 0) {
		stage = CLEANING;
		clean();
	}
	if (stage == CLEANING && channel.fd < 0) {
		stage = DRAINING;
		sessions_kill();
		deadline = now_ms() + DRAIN_MS;
	}
	if (stage == DRAINING && (!sessions_busy() || now_ms() >= deadline)) {
		stage = FLUSHING;
		announce();
		wait_for_clients();
		last_deadline = now_ms() + FLUSH_ALL_MS;
	}
	if (stage == FLUSHING && clients_sent() != flushed)
		wait_for_clients();
}

int exit_timeout(void)
{
	if (stage != DRAINING && stage != FLUSHING)
		return -1;
	/* Nothing is left to be sent: whoever has asked before is answered, but nobody is waited for. */
	if (stage == FLUSHING && clients_flushed())
		return 0;
	int64_t left = (stage == FLUSHING && last_deadline < deadline ? last_deadline : deadline) - now_ms();
	return left > 0 ? (int)left : 0;
}

bool exit_complete(void)
{
	if (stage != FLUSHING)
		return false;
	int64_t now = now_ms();
	return clients_flushed() || now >= deadline || now >= last_deadline;
}
