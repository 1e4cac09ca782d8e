/* The start of a container whose monitor has not stayed: C itself listens to whoever starts it. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "compat.h"
#include "context.h"
#include "unix_socket.h"

#define BACKLOG 16
/* A `failed` frame: its head, three numbers, and the two texts with their lengths and ends. */
#define MAX_REPORT (64 + sizeof(struct failure))

int op_start_socket(struct context *c, const struct op_start_socket *op)
{
	if (c->container || c->listener >= 0)
		return fail_with(c, EINVAL, "listen", "a start socket after clone, or a second one");
	scoped_fd directory = open(op->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return fail(c, "open", op->directory);
	c->listener = unix_listen(directory, "start.sock", BACKLOG);
	return c->listener < 0 ? fail(c, "bind", op->directory) : 0;
}

/* False when the other end has been closed, so that nobody would know of the start. */
static bool answer_done(int fd)
{
	struct pollfd gone = { .fd = fd };
	if (poll(&gone, 1, 0) > 0)
		return false;
	/* Room for one frame: nothing is allocated. */
	uint8_t buffer[16];
	struct wire_writer frame = { .data = buffer, .capacity = sizeof(buffer) };
	wire_encode_done(&frame, 0);
	return unix_send(fd, frame.data, frame.size, NULL, 0) == 0;
}

int await_starter(struct context *c)
{
	/* The monitor has ended, or will. */
	close(c->channel);
	c->channel = -1;
	while (c->starter < 0) {
		int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0) {
			if (errno == EINTR || errno == ECONNABORTED)
				continue;
			return fail(c, "accept4", "start.sock");
		}
		if (answer_done(fd))
			c->starter = fd;
		else
			close(fd);
	}
	/* Those who came later see the end of their connection. */
	close(c->listener);
	c->listener = -1;
	return 0;
}

int tell_starter(const struct context *c, enum message_kind kind)
{
	if (kind == MESSAGE_EXECUTING)
		return 0;
	if (kind != MESSAGE_FAILED) {
		errno = EPIPE;
		return -1;
	}
	const struct failure *f = &c->failure;
	uint8_t buffer[MAX_REPORT];
	struct wire_writer frame = { .data = buffer, .capacity = sizeof(buffer) };
	wire_encode_failed(&frame, 0, (int32_t)c->step, f->error, f->syscall, f->detail);
	/* See tell_monitor. */
	if (c->exec_prepared)
		return write(c->starter, frame.data, frame.size) < 0 ? -1 : 0;
	return unix_send(c->starter, frame.data, frame.size, NULL, 0);
}
