/* Hooks of the runtime-spec: programs that are run and waited for while the container is made. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "compat.h"
#include "context.h"

/* Of the end of a hook's stderr, what a failure tells. */
#define TOLD_MAX ((size_t)160)
/* Of the path, so that the rest has room in the detail. */
#define PATH_TOLD ((size_t)64)
/* Reads of what is left when the hook has ended; somebody else may go on writing. */
#define LAST_READS 64

struct hook {
	const struct op_hook *op;
	pid_t pid;
	int ended; /* pidfd */
	int input; /* -1 when all is written */
	int errors;
	char *text; /* its stdin */
	size_t size;
	size_t written;
	char tail[512]; /* the end of its stderr */
	size_t told;
};

/* The child's ends of the pipes. */
struct ends {
	int input;
	int errors;
	int report; /* errno of what keeps it from running */
};

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static _Noreturn void become_hook(const struct op_hook *op, const struct ends *ends, char *const argv[], char *const envp[])
{
	/* Alone in its process group, so that it can be killed with all that it has started. */
	setsid();
	signal(SIGPIPE, SIG_DFL);
	umask(022);
	/* A container need not have it; then stdout goes where stderr goes. */
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (dup2(ends->input, 0) >= 0 && dup2(null >= 0 ? null : ends->errors, 1) >= 0 && dup2(ends->errors, 2) >= 0 &&
	    (op->directory[0] == 0 || chdir(op->directory) == 0)) {
		close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
		execve(op->path, argv, envp);
	}
	ssize_t written = write(ends->report, &errno, sizeof(errno));
	(void)written;
	_exit(127);
}

/* Starts it. `report` gives its errno, or end of file when it runs. */
static int spawn(struct context *c, struct hook *h, int *report)
{
	const struct op_hook *op = h->op;
	char **argv = string_pointers(&op->arguments, op->arguments.count == 0 ? 1 : 0);
	char **envp = string_pointers(&op->environment, 0);
	if (argv == NULL || envp == NULL)
		return fail_with(c, ENOMEM, "malloc", op->path);
	if (op->arguments.count == 0)
		argv[0] = (char *)(uintptr_t)op->path;
	int input[2], errors[2], reports[2];
	if (pipe2(input, O_CLOEXEC) < 0 || pipe2(errors, O_CLOEXEC) < 0 || pipe2(reports, O_CLOEXEC) < 0)
		return fail(c, "pipe2", op->path);
	fcntl(input[1], F_SETFL, O_WRONLY | O_NONBLOCK);
	fcntl(errors[0], F_SETFL, O_RDONLY | O_NONBLOCK);
	const struct ends ends = { .input = input[0], .errors = errors[1], .report = reports[1] };
	h->pid = _Fork();
	if (h->pid == 0)
		become_hook(op, &ends, argv, envp);
	int error = errno;
	close(input[0]);
	close(errors[1]);
	close(reports[1]);
	h->input = input[1];
	h->errors = errors[0];
	*report = reports[0];
	free(argv);
	free(envp);
	if (h->pid < 0)
		return fail_with(c, error, "fork", op->path);
	h->ended = pidfd_open(h->pid, 0);
	return h->ended < 0 ? fail(c, "pidfd_open", op->path) : 0;
}

static void write_input(struct hook *h)
{
	ssize_t n = h->written < h->size ? write(h->input, h->text + h->written, h->size - h->written) : 0;
	if (n > 0)
		h->written += (size_t)n;
	/* It may well not read it. */
	if (h->written == h->size || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		close(h->input);
		h->input = -1;
	}
}

/* False when there is nothing to read for now. */
static bool read_errors(struct hook *h)
{
	char part[sizeof(h->tail) / 2];
	ssize_t n = read(h->errors, part, sizeof(part));
	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
			close(h->errors);
			h->errors = -1;
		}
		return false;
	}
	if (h->told + (size_t)n > sizeof(h->tail)) {
		const size_t kept = sizeof(h->tail) - (size_t)n;
		memmove(h->tail, h->tail + h->told - kept, kept);
		h->told = kept;
	}
	memcpy(h->tail + h->told, part, (size_t)n);
	h->told += (size_t)n;
	return true;
}

/* Feeds it until it has ended. False when it takes too long. */
static bool await_end(struct hook *h)
{
	const int64_t deadline = h->op->timeout == 0 ? INT64_MAX : now() + h->op->timeout;
	for (;;) {
		struct pollfd polled[] = {
			{ .fd = h->ended, .events = POLLIN },
			{ .fd = h->input, .events = POLLOUT },
			{ .fd = h->errors, .events = POLLIN },
		};
		int64_t left = deadline - now();
		if (left <= 0)
			return false;
		poll(polled, 3, h->op->timeout == 0 ? -1 : left > INT32_MAX ? INT32_MAX : (int)left);
		if (polled[1].revents != 0)
			write_input(h);
		if (polled[2].revents != 0)
			read_errors(h);
		if (polled[0].revents == 0)
			continue;
		for (int i = 0; i < LAST_READS && h->errors >= 0 && read_errors(h); i++)
			;
		return true;
	}
}

/* "PATH HOW: the end of its stderr" */
static int fail_hook(struct context *c, struct hook *h, int error, const char *how, uint64_t number, const char *unit)
{
	TEXT(detail, sizeof(c->failure.detail));
	const size_t path = strlen(h->op->path);
	text_add_bytes(&detail, h->op->path, path < PATH_TOLD ? path : PATH_TOLD);
	text_add(&detail, how);
	text_add_number(&detail, number);
	text_add(&detail, unit);
	for (size_t i = 0; i < h->told; i++)
		if ((unsigned char)h->tail[i] < ' ')
			h->tail[i] = ' ';
	while (h->told > 0 && h->tail[h->told - 1] == ' ')
		h->told--;
	size_t start = h->told > TOLD_MAX ? h->told - TOLD_MAX : 0;
	/* Not in the middle of a character (UTF-8). */
	while (start > 0 && start < h->told && ((unsigned char)h->tail[start] & 0xc0) == 0x80)
		start++;
	while (start < h->told && h->tail[start] == ' ')
		start++;
	if (start < h->told) {
		text_add(&detail, ": ");
		text_add_bytes(&detail, h->tail + start, h->told - start);
	}
	return fail_with(c, error, "hook", detail.data);
}

static int finish(struct context *c, struct hook *h, int report)
{
	const struct op_hook *op = h->op;
	bool in_time = await_end(h);
	if (!in_time) {
		kill(-h->pid, SIGKILL);
		/* It may not have come to its setsid. */
		kill(h->pid, SIGKILL);
	}
	int status, error;
	while (waitpid(h->pid, &status, 0) < 0)
		if (errno != EINTR)
			return fail(c, "waitpid", op->path);
	if (!in_time)
		return fail_hook(c, h, ETIMEDOUT, " did not end within ", op->timeout, " ms");
	if (read(report, &error, sizeof(error)) == sizeof(error))
		return fail_with(c, error, "execve", op->path);
	if (WIFSIGNALED(status))
		return fail_hook(c, h, ECANCELED, " was killed by signal ", (uint64_t)WTERMSIG(status), "");
	if (WEXITSTATUS(status) != 0)
		return fail_hook(c, h, ECANCELED, " exited with status ", (uint64_t)WEXITSTATUS(status), "");
	return 0;
}

static int run_hook(struct context *c, const struct op_hook *op)
{
	struct hook h = { .op = op, .pid = -1, .ended = -1, .input = -1, .errors = -1 };
	const size_t capacity = strlen(op->before) + strlen(op->after) + 32;
	struct text text = { .data = malloc(capacity), .size = capacity };
	if (text.data == NULL)
		return fail(c, "malloc", op->path);
	text_add(&text, op->before);
	text_add_number(&text, (uint64_t)c->host_pid);
	text_add(&text, op->after);
	h.text = text.data;
	h.size = text.used;
	/* A hook that does not read its stdin. */
	signal(SIGPIPE, SIG_IGN);
	scoped_fd report = -1;
	int result = spawn(c, &h, &report);
	if (result == 0)
		result = finish(c, &h, report);
	signal(SIGPIPE, SIG_DFL);
	close_scope(&h.ended);
	close_scope(&h.input);
	close_scope(&h.errors);
	free(text.data);
	return result;
}

int op_hook(struct context *c, const struct op_hook *op)
{
	if (c->container && op->parent)
		return ask_parent(c, NULL);
	if (!c->container)
		return fail_with(c, EINVAL, "hook", "a hook before clone");
	if (wait_announced(c) < 0)
		return fail_with(c, EPIPE, "recvmsg", "");
	int result = run_hook(c, op);
	/* What it has left behind, where this is its PID namespace's first process. */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return result;
}

bool hooks_by_parent(const struct wire_program *program, uint32_t from)
{
	for (uint32_t i = from; i < program->count; i++)
		if (program->items[i].number == OP_HOOK && program->items[i].u.hook.parent)
			return true;
	return false;
}

static _Noreturn void run_hooks(struct context *c, int socket)
{
	struct message m;
	int fd;
	if (dup3(socket, 3, O_CLOEXEC) < 0)
		_exit(1);
	close_range(4, ~0U, 0);
	while (message_receive(3, &m, &fd) == 1) {
		close_scope(&fd);
		if (m.kind == MESSAGE_CHILD) {
			c->host_pid = m.value;
			continue;
		}
		c->failure.error = 0;
		if (run_hook(c, &c->program->items[m.value].u.hook) < 0 && c->failure.error == 0)
			fail(c, "hook", "");
		m.kind = MESSAGE_ANSWER;
		m.failure = c->failure;
		if (message_send(3, &m, -1) < 0)
			break;
	}
	_exit(0);
}

int start_hooks(struct context *c)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return fail(c, "socketpair", "");
	c->hook_runner = _Fork();
	if (c->hook_runner == 0)
		run_hooks(c, ends[1]);
	int error = errno;
	close(ends[1]);
	c->hooks = ends[0];
	return c->hook_runner < 0 ? fail_with(c, error, "fork", "") : 0;
}

int ask_hooks(struct context *c, const struct wire_operation *operation)
{
	struct message m = { .kind = MESSAGE_ASK, .value = (int32_t)(operation - c->program->items) };
	int fd;
	if (message_send(c->hooks, &m, -1) < 0 || message_receive(c->hooks, &m, &fd) != 1)
		return fail_with(c, EPIPE, "recvmsg", operation->u.hook.path);
	close_scope(&fd);
	c->failure = m.failure;
	return m.failure.error == 0 ? 0 : -1;
}

void end_hooks(struct context *c)
{
	if (c->hooks < 0)
		return;
	close(c->hooks);
	c->hooks = -1;
	/* Otherwise it would become a child of somebody who knows nothing of it. */
	if (c->hook_runner > 0)
		waitpid(c->hook_runner, NULL, 0);
}
