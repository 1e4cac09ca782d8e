/* Hooks of the runtime-spec: programs that are run and waited for while the container is made. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "clock.h"
#include "compat.h"
#include "host_program.h"

/* Of the end of a hook's stderr, what a failure tells. */
#define TOLD_MAX ((size_t)160)
/* Of the path, so that the rest has room in the detail. */
#define PATH_TOLD ((size_t)64)

/* "PATH HOW: the end of its stderr" */
static int fail_hook(struct context *c, struct host_program *p, int error, const char *how, uint64_t number, const char *unit)
{
	TEXT(detail, sizeof(c->failure.detail));
	const size_t path = strlen(p->path);
	text_add_bytes(&detail, p->path, path < PATH_TOLD ? path : PATH_TOLD);
	text_add(&detail, how);
	text_add_number(&detail, number);
	text_add(&detail, unit);
	for (size_t i = 0; i < p->tail_size; i++)
		if ((unsigned char)p->tail[i] < ' ')
			p->tail[i] = ' ';
	while (p->tail_size > 0 && p->tail[p->tail_size - 1] == ' ')
		p->tail_size--;
	size_t start = p->tail_size > TOLD_MAX ? p->tail_size - TOLD_MAX : 0;
	/* Not in the middle of a character (UTF-8). */
	while (start > 0 && start < p->tail_size && ((unsigned char)p->tail[start] & 0xc0) == 0x80)
		start++;
	while (start < p->tail_size && p->tail[start] == ' ')
		start++;
	if (start < p->tail_size) {
		text_add(&detail, ": ");
		text_add_bytes(&detail, p->tail + start, p->tail_size - start);
	}
	return fail_with(c, error, "hook", detail.data);
}

static int run_hook(struct context *c, const struct op_hook *op)
{
	const size_t capacity = strlen(op->before) + strlen(op->after) + 32;
	struct text text = { .data = malloc(capacity), .size = capacity };
	if (text.data == NULL)
		return fail(c, "malloc", op->path);
	text_add(&text, op->before);
	text_add_number(&text, (uint64_t)c->host_pid);
	text_add(&text, op->after);
	struct host_program p = {
		.path = op->path,
		.arguments = &op->arguments,
		.environment = &op->environment,
		.directory = op->directory,
		.input = text.data,
		.input_size = text.used,
		.deadline = op->timeout == 0 ? INT64_MAX : now_ms() + op->timeout,
	};
	int result = host_program_run(c, &p);
	free(text.data);
	if (result > 0)
		return fail_hook(c, &p, ETIMEDOUT, " did not end within ", op->timeout, " ms");
	if (result == 0 && WIFSIGNALED(p.status))
		return fail_hook(c, &p, ECANCELED, " was killed by signal ", (uint64_t)WTERMSIG(p.status), "");
	if (result == 0 && WEXITSTATUS(p.status) != 0)
		return fail_hook(c, &p, ECANCELED, " exited with status ", (uint64_t)WEXITSTATUS(p.status), "");
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
