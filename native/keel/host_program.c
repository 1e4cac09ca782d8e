#include "host_program.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "clock.h"
#include "compat.h"

/* Reads of what is left when it has ended; somebody else may go on writing. */
#define LAST_READS 64

/* This process's ends of the pipes, -1 when they are done with. */
struct ends {
	pid_t pid;
	int ended; /* pidfd */
	int input;
	int output;
	int errors;
	int report; /* errno of what keeps it from running, or end of file when it runs */
	size_t written;
};

static _Noreturn void become(const struct host_program *p, const int stdio[3], int report, char *const argv[], char *const envp[])
{
	/* Alone in its process group, so that it can be killed with all that it has started. */
	setsid();
	signal(SIGPIPE, SIG_DFL);
	umask(022);
	int output = stdio[1];
	if (output < 0) {
		/* A container need not have it; then stdout goes where stderr goes. */
		output = open("/dev/null", O_WRONLY | O_CLOEXEC | O_NOCTTY);
		if (output < 0)
			output = stdio[2];
	}
	if (dup2(stdio[0], 0) >= 0 && dup2(output, 1) >= 0 && dup2(stdio[2], 2) >= 0 &&
	    (p->directory[0] == 0 || chdir(p->directory) == 0)) {
		close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
		execve(p->path, argv, envp);
	}
	ssize_t written = write(report, &errno, sizeof(errno));
	(void)written;
	_exit(127);
}

static int spawn(struct context *c, const struct host_program *p, struct ends *e)
{
	char **argv = string_pointers(p->arguments, p->arguments->count == 0 ? 1 : 0);
	char **envp = string_pointers(p->environment, 0);
	if (argv == NULL || envp == NULL)
		return fail_with(c, ENOMEM, "malloc", p->path);
	if (p->arguments->count == 0)
		argv[0] = (char *)(uintptr_t)p->path;
	int input[2], output[2] = { -1, -1 }, errors[2], reports[2];
	if (pipe2(input, O_CLOEXEC) < 0 || pipe2(errors, O_CLOEXEC) < 0 || pipe2(reports, O_CLOEXEC) < 0 ||
	    (p->said != NULL && pipe2(output, O_CLOEXEC) < 0))
		return fail(c, "pipe2", p->path);
	fcntl(input[1], F_SETFL, O_WRONLY | O_NONBLOCK);
	fcntl(errors[0], F_SETFL, O_RDONLY | O_NONBLOCK);
	if (output[0] >= 0)
		fcntl(output[0], F_SETFL, O_RDONLY | O_NONBLOCK);
	e->pid = _Fork();
	if (e->pid == 0)
		become(p, (int[]){ input[0], output[1], errors[1] }, reports[1], argv, envp);
	int error = errno;
	close(input[0]);
	close_scope(&output[1]);
	close(errors[1]);
	close(reports[1]);
	e->input = input[1];
	e->output = output[0];
	e->errors = errors[0];
	e->report = reports[0];
	free(argv);
	free(envp);
	if (e->pid < 0)
		return fail_with(c, error, "fork", p->path);
	e->ended = pidfd_open(e->pid, 0);
	return e->ended < 0 ? fail(c, "pidfd_open", p->path) : 0;
}

static void write_input(const struct host_program *p, struct ends *e)
{
	const size_t left = p->input_size - e->written;
	ssize_t n = left > 0 ? write(e->input, (const char *)p->input + e->written, left) : 0;
	if (n > 0)
		e->written += (size_t)n;
	/* It may well not read it. */
	if (e->written == p->input_size || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_scope(&e->input);
}

/* One read into `buffer`. 0 when there is nothing to read for now, or ever. */
static size_t read_some(int *fd, void *buffer, size_t size)
{
	ssize_t n = *fd < 0 ? 0 : read(*fd, buffer, size);
	if (n > 0)
		return (size_t)n;
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		close_scope(fd);
	return 0;
}

/* False when there is nothing to read for now. */
static bool read_errors(struct host_program *p, struct ends *e)
{
	char part[PROGRAM_TAIL_MAX / 2];
	const size_t n = read_some(&e->errors, part, sizeof(part));
	if (p->tail_size + n > sizeof(p->tail)) {
		const size_t kept = sizeof(p->tail) - n;
		memmove(p->tail, p->tail + p->tail_size - kept, kept);
		p->tail_size = kept;
	}
	memcpy(p->tail + p->tail_size, part, n);
	p->tail_size += n;
	return n > 0;
}

/* False when there is nothing to read for now, or too much. */
static bool read_output(struct host_program *p, struct ends *e)
{
	const size_t room = p->said == NULL ? 0 : p->limit + 1 - p->said_size;
	const size_t n = room == 0 ? 0 : read_some(&e->output, p->said + p->said_size, room);
	p->said_size += n;
	return n > 0;
}

static bool said_too_much(const struct host_program *p)
{
	return p->said != NULL && p->said_size > p->limit;
}

/* Feeds it until it has ended. The errno of why it is to be killed, or 0. */
static int await_end(struct host_program *p, struct ends *e)
{
	for (;;) {
		struct pollfd polled[] = {
			{ .fd = e->ended, .events = POLLIN },
			{ .fd = e->input, .events = POLLOUT },
			{ .fd = e->output, .events = POLLIN },
			{ .fd = e->errors, .events = POLLIN },
		};
		const int64_t left = p->deadline - now_ms();
		if (left <= 0)
			return ETIMEDOUT;
		poll(polled, 4, left > INT32_MAX ? -1 : (int)left);
		if (polled[1].revents != 0)
			write_input(p, e);
		if (polled[2].revents != 0)
			read_output(p, e);
		if (said_too_much(p))
			return EFBIG;
		if (polled[3].revents != 0)
			read_errors(p, e);
		if (polled[0].revents == 0)
			continue;
		for (int i = 0; i < LAST_READS && read_output(p, e); i++)
			;
		for (int i = 0; i < LAST_READS && read_errors(p, e); i++)
			;
		return said_too_much(p) ? EFBIG : 0;
	}
}

static int finish(struct context *c, struct host_program *p, struct ends *e)
{
	const int killed = await_end(p, e);
	if (killed != 0) {
		kill(-e->pid, SIGKILL);
		/* It may not have come to its setsid. */
		kill(e->pid, SIGKILL);
	}
	while (waitpid(e->pid, &p->status, 0) < 0)
		if (errno != EINTR)
			return fail(c, "waitpid", p->path);
	int error;
	if (killed == 0 && read(e->report, &error, sizeof(error)) == sizeof(error))
		return fail_with(c, error, "execve", p->path);
	return killed;
}

int host_program_run(struct context *c, struct host_program *p)
{
	struct ends e = { .pid = -1, .ended = -1, .input = -1, .output = -1, .errors = -1, .report = -1 };
	/* One that does not read its stdin. */
	signal(SIGPIPE, SIG_IGN);
	int result = spawn(c, p, &e);
	if (result == 0)
		result = finish(c, p, &e);
	signal(SIGPIPE, SIG_DFL);
	close_scope(&e.ended);
	close_scope(&e.input);
	close_scope(&e.output);
	close_scope(&e.errors);
	close_scope(&e.report);
	return result;
}
