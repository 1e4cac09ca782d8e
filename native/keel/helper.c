/* The operation `helper`: a program of the host that is run and waited for, and whose words are given back. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "compat.h"
#include "context.h"

/* Of its stderr, the end is kept. */
#define TAIL_MAX ((size_t)4096)
/* How often a lock that somebody holds is tried. */
#define LOCK_PAUSE_NS (5L * 1000 * 1000)
/* Reads of what is left when it has ended; somebody else may go on writing. */
#define LAST_READS 64

struct helper {
	const struct op_helper *op;
	int64_t deadline;
	pid_t pid;
	int ended; /* pidfd */
	int input; /* -1 when all is written */
	int output;
	int errors;
	size_t written;
	uint8_t *said; /* its stdout, room for limit bytes and one more */
	size_t said_size;
	char tail[TAIL_MAX];
	size_t tail_size;
};

/* The child's ends of the pipes. */
struct ends {
	int input;
	int output;
	int errors;
	int report; /* errno of what keeps it from running */
};

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static _Noreturn void become_helper(const struct op_helper *op, const struct ends *ends, char *const argv[], char *const envp[])
{
	/* Alone in its process group, so that it can be killed with all that it has started. */
	setsid();
	signal(SIGPIPE, SIG_DFL);
	umask(022);
	if (dup2(ends->input, 0) >= 0 && dup2(ends->output, 1) >= 0 && dup2(ends->errors, 2) >= 0 && chdir("/") == 0) {
		close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
		execve(op->path, argv, envp);
	}
	ssize_t written = write(ends->report, &errno, sizeof(errno));
	(void)written;
	_exit(127);
}

/* Starts it. `report` gives its errno, or end of file when it runs. */
static int spawn(struct context *c, struct helper *h, int *report)
{
	const struct op_helper *op = h->op;
	char **argv = string_pointers(&op->arguments, op->arguments.count == 0 ? 1 : 0);
	char **envp = string_pointers(&op->environment, 0);
	if (argv == NULL || envp == NULL)
		return fail_with(c, ENOMEM, "malloc", op->path);
	if (op->arguments.count == 0)
		argv[0] = (char *)(uintptr_t)op->path;
	int input[2], output[2], errors[2], reports[2];
	if (pipe2(input, O_CLOEXEC) < 0 || pipe2(output, O_CLOEXEC) < 0 || pipe2(errors, O_CLOEXEC) < 0 ||
	    pipe2(reports, O_CLOEXEC) < 0)
		return fail(c, "pipe2", op->path);
	fcntl(input[1], F_SETFL, O_WRONLY | O_NONBLOCK);
	fcntl(output[0], F_SETFL, O_RDONLY | O_NONBLOCK);
	fcntl(errors[0], F_SETFL, O_RDONLY | O_NONBLOCK);
	const struct ends ends = { .input = input[0], .output = output[1], .errors = errors[1], .report = reports[1] };
	h->pid = _Fork();
	if (h->pid == 0)
		become_helper(op, &ends, argv, envp);
	int error = errno;
	close(input[0]);
	close(output[1]);
	close(errors[1]);
	close(reports[1]);
	h->input = input[1];
	h->output = output[0];
	h->errors = errors[0];
	*report = reports[0];
	free(argv);
	free(envp);
	if (h->pid < 0)
		return fail_with(c, error, "fork", op->path);
	h->ended = pidfd_open(h->pid, 0);
	return h->ended < 0 ? fail(c, "pidfd_open", op->path) : 0;
}

static void write_input(struct helper *h)
{
	const size_t left = h->op->input.size - h->written;
	ssize_t n = left > 0 ? write(h->input, h->op->input.data + h->written, left) : 0;
	if (n > 0)
		h->written += (size_t)n;
	/* It may well not read it. */
	if (h->written == h->op->input.size || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_scope(&h->input);
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
static bool read_errors(struct helper *h)
{
	char part[TAIL_MAX / 2];
	const size_t n = read_some(&h->errors, part, sizeof(part));
	if (h->tail_size + n > sizeof(h->tail)) {
		const size_t kept = sizeof(h->tail) - n;
		memmove(h->tail, h->tail + h->tail_size - kept, kept);
		h->tail_size = kept;
	}
	memcpy(h->tail + h->tail_size, part, n);
	h->tail_size += n;
	return n > 0;
}

/* False when there is nothing to read for now, or too much. */
static bool read_output(struct helper *h)
{
	const size_t room = (size_t)h->op->limit + 1 - h->said_size;
	const size_t n = room == 0 ? 0 : read_some(&h->output, h->said + h->said_size, room);
	h->said_size += n;
	return n > 0;
}

/* Feeds it until it has ended. The errno of why it is to be killed, or 0. */
static int await_end(struct helper *h)
{
	for (;;) {
		struct pollfd polled[] = {
			{ .fd = h->ended, .events = POLLIN },
			{ .fd = h->input, .events = POLLOUT },
			{ .fd = h->output, .events = POLLIN },
			{ .fd = h->errors, .events = POLLIN },
		};
		const int64_t left = h->deadline - now();
		if (left <= 0)
			return ETIMEDOUT;
		poll(polled, 4, left > INT32_MAX ? -1 : (int)left);
		if (polled[1].revents != 0)
			write_input(h);
		if (polled[2].revents != 0)
			read_output(h);
		if (h->said_size > h->op->limit)
			return EFBIG;
		if (polled[3].revents != 0)
			read_errors(h);
		if (polled[0].revents == 0)
			continue;
		for (int i = 0; i < LAST_READS && read_output(h); i++)
			;
		for (int i = 0; i < LAST_READS && read_errors(h); i++)
			;
		return h->said_size > h->op->limit ? EFBIG : 0;
	}
}

/* `u32 wait status`, `u32 size of stdout`, stdout, the end of stderr. */
static int give_back(struct context *c, const struct helper *h, int status)
{
	scoped_fd memory = memfd_create("result", MFD_CLOEXEC);
	if (memory < 0)
		return fail(c, "memfd_create", "");
	const uint32_t head[2] = { (uint32_t)status, (uint32_t)h->said_size };
	if (write(memory, head, sizeof(head)) != (ssize_t)sizeof(head) ||
	    write(memory, h->said, h->said_size) != (ssize_t)h->said_size ||
	    write(memory, h->tail, h->tail_size) != (ssize_t)h->tail_size)
		return fail(c, "write", "");
	return tell_monitor(c, MESSAGE_RESULT, (int32_t)c->step, memory) < 0 ? fail(c, "sendmsg", "") : 0;
}

static int finish(struct context *c, struct helper *h, int report)
{
	const struct op_helper *op = h->op;
	const int killed = await_end(h);
	if (killed != 0) {
		kill(-h->pid, SIGKILL);
		/* It may not have come to its setsid. */
		kill(h->pid, SIGKILL);
	}
	int status, error;
	while (waitpid(h->pid, &status, 0) < 0)
		if (errno != EINTR)
			return fail(c, "waitpid", op->path);
	if (killed != 0)
		return fail_with(c, killed, "helper", op->path);
	if (read(report, &error, sizeof(error)) == sizeof(error))
		return fail_with(c, error, "execve", op->path);
	if (op->succeed && status != 0)
		return fail_with(c, ECANCELED, "helper", op->path);
	return give_back(c, h, status);
}

/* Waits for whoever has the lock: a helper whose client has gone runs on, and it must not be run beside another one. */
static int take_lock(struct context *c, const struct helper *h, int *lock)
{
	const char *path = h->op->lock;
	if (path[0] == 0)
		return 0;
	*lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
	if (*lock < 0)
		return fail(c, "open", path);
	while (flock(*lock, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return fail(c, "flock", path);
		if (now() >= h->deadline)
			return fail_with(c, ETIMEDOUT, "flock", path);
		nanosleep(&(struct timespec){ .tv_nsec = LOCK_PAUSE_NS }, NULL);
	}
	return 0;
}

int op_helper(struct context *c, const struct op_helper *op)
{
	if (op->limit > MAX_RESULT - TAIL_MAX - 8)
		return fail_with(c, E2BIG, "helper", "its limit");
	const int64_t deadline = op->timeout == 0 ? INT64_MAX : now() + op->timeout;
	struct helper h = { .op = op, .deadline = deadline, .pid = -1, .ended = -1, .input = -1, .output = -1, .errors = -1 };
	scoped_fd lock = -1;
	if (take_lock(c, &h, &lock) < 0)
		return -1;
	h.said = malloc((size_t)op->limit + 1);
	if (h.said == NULL)
		return fail_with(c, ENOMEM, "malloc", op->path);
	/* One that does not read its stdin. */
	signal(SIGPIPE, SIG_IGN);
	scoped_fd report = -1;
	int result = spawn(c, &h, &report);
	if (result == 0)
		result = finish(c, &h, report);
	signal(SIGPIPE, SIG_DFL);
	close_scope(&h.ended);
	close_scope(&h.input);
	close_scope(&h.output);
	close_scope(&h.errors);
	free(h.said);
	return result;
}
