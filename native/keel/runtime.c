/*
 * Commands of another container runtime: they make processes of a container, or do something with it, and end. What they
 * say is theirs: only their status, a file with a pid, a terminal's master and, where the container's process is not a
 * process of this kernel, a number in the output of a command that waits for it are looked at.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "clock.h"
#include "compat.h"
#include "context.h"
#include "unix_socket.h"

#define CONSOLE_ARGUMENT "@console"
#define CONSOLE_NAME "console.sock"
/* What the end of its stderr tells of a failure. */
#define TOLD_MAX ((size_t)160)
/* Of the output of who waits for a container. */
#define REPORT_MAX 4096

struct command {
	const struct wire_list_string *words;
	const struct wire_list_string *environment;
	const char *console; /* what takes the place of CONSOLE_ARGUMENT, or NULL */
	int stdio[3];	     /* -1 for /dev/null */
	uint32_t timeout;    /* milliseconds, 0 for none */
};

static _Noreturn void become(const struct command *command, char *const argv[], char *const envp[], int report)
{
	/* Alone in its process group, so that it can be killed with all that it has started. */
	setsid();
	signal(SIGPIPE, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	umask(022);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);
	bool placed = true;
	for (int i = 0; i < 3; i++) {
		int from = command->stdio[i] < 0 ? null : command->stdio[i];
		/* dup2 onto itself leaves close-on-exec as it is. */
		placed = placed && (from == i ? fcntl(i, F_SETFD, 0) : dup2(from, i)) >= 0;
	}
	if (placed) {
		close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
		execve(argv[0], argv, envp);
	}
	ssize_t written = write(report, &errno, sizeof(errno));
	(void)written;
	_exit(127);
}

/* Starts it. -1 after fail(), also when it can't be executed. */
static pid_t start(struct context *c, const struct command *command)
{
	char **argv = string_pointers(command->words, 0);
	char **envp = string_pointers(command->environment, 0);
	const char *name = command->words->count > 0 ? command->words->items[0] : "";
	int reports[2];
	if (argv == NULL || envp == NULL || pipe2(reports, O_CLOEXEC) < 0) {
		free(argv);
		free(envp);
		return fail(c, "pipe2", name);
	}
	for (uint32_t i = 0; i < command->words->count; i++) {
		if (command->console != NULL && strcmp(argv[i], CONSOLE_ARGUMENT) == 0)
			argv[i] = (char *)(uintptr_t)command->console;
	}
	pid_t pid = _Fork();
	if (pid == 0)
		become(command, argv, envp, reports[1]);
	int error = errno;
	close(reports[1]);
	free(argv);
	free(envp);
	int refused = 0;
	if (pid > 0 && read(reports[0], &refused, sizeof(refused)) == sizeof(refused)) {
		waitpid(pid, NULL, 0);
		pid = -1;
		error = refused;
	}
	close(reports[0]);
	return pid < 0 ? fail_with(c, error, "execve", name) : pid;
}

static void stop(pid_t pid)
{
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
}

/* "exited with status N: the end of its stderr" */
static int fail_status(struct context *c, int status, const char *told, size_t size)
{
	TEXT(detail, sizeof(c->failure.detail));
	text_add(&detail, WIFSIGNALED(status) ? "killed by signal " : "exited with status ");
	text_add_number(&detail, (uint64_t)(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)));
	while (size > 0 && (unsigned char)told[size - 1] <= ' ')
		size--;
	size_t from = size > TOLD_MAX ? size - TOLD_MAX : 0;
	if (size > from) {
		text_add(&detail, ": ");
		text_add_bytes(&detail, told + from, size - from);
	}
	return fail_with(c, ECANCELED, "runtime", detail.data);
}

static int fail_timeout(struct context *c, uint32_t timeout)
{
	TEXT(detail, 64);
	text_add(&detail, "did not end within ");
	text_add_number(&detail, timeout);
	text_add(&detail, " ms");
	return fail_with(c, ETIMEDOUT, "runtime", detail.data);
}

/* Milliseconds for poll(2) until the deadline; 0 for none is -1. */
static int left(int64_t deadline)
{
	if (deadline == 0)
		return -1;
	int64_t rest = deadline - now_ms();
	return rest < 0 ? 0 : rest > INT32_MAX ? INT32_MAX : (int)rest;
}

/* Runs it to its end; what it says to stderr is kept from the end. */
static int run(struct context *c, struct command *command)
{
	int errors[2];
	if (pipe2(errors, O_CLOEXEC) < 0)
		return fail(c, "pipe2", "");
	fcntl(errors[0], F_SETFL, O_RDONLY | O_NONBLOCK);
	if (command->stdio[2] < 0)
		command->stdio[2] = errors[1];
	pid_t pid = start(c, command);
	close(errors[1]);
	scoped_fd reader = errors[0];
	if (pid < 0)
		return -1;
	scoped_fd ended = pidfd_open(pid, 0);
	const int64_t deadline = command->timeout == 0 ? 0 : now_ms() + command->timeout;
	char told[512];
	size_t size = 0;
	bool late = false;
	for (bool over = false; !over;) {
		struct pollfd polled[] = { { .fd = ended, .events = POLLIN }, { .fd = reader, .events = POLLIN } };
		if (poll(polled, 2, left(deadline)) == 0) {
			late = true;
			break;
		}
		over = polled[0].revents != 0;
		if (polled[1].revents != 0) {
			if (size > sizeof(told) / 2) {
				memmove(told, told + size - sizeof(told) / 2, sizeof(told) / 2);
				size = sizeof(told) / 2;
			}
			ssize_t n = read(reader, told + size, sizeof(told) - size);
			if (n > 0)
				size += (size_t)n;
			else if (n == 0 || errno != EAGAIN)
				close_scope(&reader), reader = -1;
		}
	}
	if (late)
		stop(pid);
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (late)
		return fail_timeout(c, command->timeout);
	return status == 0 ? 0 : fail_status(c, status, told, size);
}

/* What a command has made half-way is its runtime's to remove. */
static void undo(const struct wire_list_string *words, const struct wire_list_string *environment, uint32_t timeout)
{
	if (words->count == 0)
		return;
	static struct context own;
	struct command command = {
		.words = words,
		.environment = environment,
		.stdio = { -1, -1, -1 },
		.timeout = timeout,
	};
	run(&own, &command);
}

int op_run_command(struct context *c, const struct op_run_command *op)
{
	struct command command = {
		.words = &op->arguments,
		.environment = &op->environment,
		.stdio = { -1, -1, -1 },
		.timeout = op->timeout,
	};
	for (int i = 0; i < 3 && op->streams; i++)
		command.stdio[i] = i;
	int result = run(c, &command);
	if (result == 0 && op->release && c->waiter >= 0) {
		close(c->waiter);
		c->waiter = -1;
	}
	if (result < 0)
		undo(&op->undo, &op->environment, op->timeout);
	if (result < 0 && op->tolerate) {
		c->failure.error = 0;
		return 0;
	}
	return result;
}

/* The terminal's master, from whoever connected. */
static int take_master(struct context *c, int listener)
{
	scoped_fd peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (peer < 0)
		return fail(c, "accept4", CONSOLE_NAME);
	char name[256];
	union {
		char data[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec part = { .iov_base = name, .iov_len = sizeof(name) };
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.data,
		.msg_controllen = sizeof(control.data),
	};
	struct timeval patience = { .tv_sec = 10 };
	setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (recvmsg(peer, &header, MSG_CMSG_CLOEXEC) <= 0)
		return fail_with(c, EPROTO, "recvmsg", CONSOLE_NAME);
	const struct cmsghdr *m = CMSG_FIRSTHDR(&header);
	if (m == NULL || m->cmsg_level != SOL_SOCKET || m->cmsg_type != SCM_RIGHTS)
		return fail_with(c, EPROTO, "recvmsg", CONSOLE_NAME);
	scoped_fd master = -1;
	memcpy(&master, CMSG_DATA(m), sizeof(master));
	if (tell_monitor(c, MESSAGE_TERMINAL, 0, master) < 0)
		return fail(c, "sendmsg", "");
	return 0;
}

/* Waits for the command's end, and takes the terminal on the way. */
static int attend(struct context *c, const struct op_runtime_create *op, pid_t pid, int listener)
{
	scoped_fd ended = pidfd_open(pid, 0);
	const int64_t deadline = op->timeout == 0 ? 0 : now_ms() + op->timeout;
	bool late = false;
	int result = 0;
	for (bool over = false; !over && result == 0;) {
		struct pollfd polled[] = { { .fd = ended, .events = POLLIN }, { .fd = listener, .events = POLLIN } };
		if (poll(polled, 2, left(deadline)) == 0) {
			late = true;
			break;
		}
		over = polled[0].revents != 0;
		if (polled[1].revents != 0)
			result = take_master(c, listener);
	}
	if (late || result < 0)
		stop(pid);
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (result < 0)
		return -1;
	if (late)
		return fail_timeout(c, op->timeout);
	return status == 0 ? 0 : fail_status(c, status, "", 0);
}

/*
 * A number and nothing else, and a process that there is. One that waits for nothing may be over, and reaped by the monitor,
 * which then knows how it ended.
 */
static pid_t read_pid(struct context *c, int directory, const char *name, bool waits)
{
	char text[32];
	ssize_t size = read_small(directory, name, text, sizeof(text));
	if (size < 0)
		return fail(c, "open", name);
	const char *at = text;
	uint64_t pid;
	bool good = text_read_number(&at, &pid) && pid > 1 && pid < INT32_MAX;
	while (*at == '\n' || *at == ' ')
		at++;
	if (!good || *at != 0)
		return fail_with(c, EPROTO, "read", name);
	if (kill((pid_t)pid, 0) < 0 && (errno != ESRCH || waits))
		return fail(c, "kill", name);
	return (pid_t)pid;
}

/* Decimal number behind the mark, as a status; 255 when there is none. */
static int reported_status(const char *text, const char *mark)
{
	const char *at = strstr(text, mark);
	uint64_t status;
	if (at == NULL)
		return 255;
	at += strlen(mark);
	while (*at == ' ')
		at++;
	return text_read_number(&at, &status) ? (int)(status & 255) : 255;
}

/* Stands for the container's process towards the monitor: lives as long as that, and ends with its status. */
static _Noreturn void be_waiter(const struct op_runtime_create *op, int released)
{
	static struct context own;
	setsid();
	prctl(PR_SET_NAME, "keel-waiter");
	char byte;
	/* Nothing was started when the other end is closed without a word by a process that has failed: then nothing waits. */
	if (read(released, &byte, 1) < 0)
		_exit(255);
	int output[2];
	if (pipe2(output, O_CLOEXEC) < 0)
		_exit(255);
	struct command command = {
		.words = &op->waiter,
		.environment = &op->environment,
		.stdio = { -1, output[1], -1 },
	};
	pid_t pid = start(&own, &command);
	close(output[1]);
	static char text[REPORT_MAX];
	size_t size = 0;
	ssize_t n;
	while (pid > 0 && size < sizeof(text) - 1 && (n = read(output[0], text + size, sizeof(text) - 1 - size)) > 0)
		size += (size_t)n;
	if (pid > 0)
		waitpid(pid, NULL, 0);
	_exit(reported_status(text, op->mark));
}

static pid_t start_waiter(struct context *c, const struct op_runtime_create *op)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail(c, "pipe2", "");
	pid_t pid = _Fork();
	if (pid == 0) {
		if (dup3(ends[0], 3, O_CLOEXEC) < 0)
			_exit(255);
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);
		for (int i = 0; i < 3; i++)
			dup2(null, i);
		close_range(4, ~0U, 0);
		be_waiter(op, 3);
	}
	int error = errno;
	close(ends[0]);
	if (pid < 0) {
		close(ends[1]);
		return fail_with(c, error, "fork", "");
	}
	c->waiter = ends[1];
	return pid;
}

/* Path of a socket in a directory that is open here, short enough for sun_path whatever the directory's is. */
static void console_path(struct text *path, int directory)
{
	text_add(path, "/proc/");
	text_add_number(path, (uint64_t)getpid());
	text_add(path, "/fd/");
	text_add_number(path, (uint64_t)directory);
	text_add(path, "/" CONSOLE_NAME);
}

static int create(struct context *c, const struct op_runtime_create *op, int directory)
{
	scoped_fd listener = -1;
	TEXT(console, 64);
	struct command command = {
		.words = &op->arguments,
		.environment = &op->environment,
		.stdio = { 0, 1, 2 },
	};
	if (op->terminal) {
		listener = unix_listen(directory, CONSOLE_NAME, 1);
		if (listener < 0)
			return fail(c, "bind", CONSOLE_NAME);
		console_path(&console, directory);
		command.console = console.data;
		/* It speaks there itself until it has handed the terminal over. */
		for (int i = 0; i < 3; i++)
			command.stdio[i] = -1;
	}
	pid_t pid = start(c, &command);
	int result = pid < 0 ? -1 : attend(c, op, pid, listener);
	if (op->terminal)
		unlinkat(directory, CONSOLE_NAME, 0);
	if (result < 0)
		return -1;
	/* Who is asked to undo something has made a container, which waits for its start. */
	bool waits = op->undo.count > 0;
	pid_t made = op->waiter.count > 0 ? start_waiter(c, op) : read_pid(c, directory, op->pid_file, waits);
	if (made < 0)
		return -1;
	if (tell_monitor(c, MESSAGE_CHILD, (int32_t)made, -1) < 0)
		return fail(c, "sendmsg", "");
	return 0;
}

int op_runtime_create(struct context *c, const struct op_runtime_create *op)
{
	scoped_fd directory = open(op->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return fail(c, "open", op->directory);
	unlinkat(directory, op->pid_file, 0);
	int result = create(c, op, directory);
	unlinkat(directory, op->pid_file, 0);
	if (result < 0)
		undo(&op->undo, &op->environment, op->timeout);
	return result;
}
