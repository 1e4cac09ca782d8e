/* Messages between the processes of a program. */
#include <errno.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "compat.h"
#include "context.h"

int fail(struct context *c, const char *syscall, const char *detail)
{
	return fail_with(c, errno, syscall, detail);
}

int fail_with(struct context *c, int error, const char *syscall, const char *detail)
{
	struct failure *f = &c->failure;
	f->error = (uint32_t)error;
	struct text name = { .data = f->syscall, .size = sizeof(f->syscall) };
	text_add(&name, syscall);
	struct text text = { .data = f->detail, .size = sizeof(f->detail) };
	text_add(&text, detail);
	errno = error;
	return -1;
}

union control {
	char data[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

int message_send(int socket, const struct message *message, int fd)
{
	struct iovec part = { .iov_base = (void *)message, .iov_len = sizeof(*message) };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
	union control control = { 0 };
	if (fd >= 0) {
		header.msg_control = control.data;
		header.msg_controllen = sizeof(control.data);
		struct cmsghdr *m = CMSG_FIRSTHDR(&header);
		m->cmsg_level = SOL_SOCKET;
		m->cmsg_type = SCM_RIGHTS;
		m->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(m), &fd, sizeof(fd));
	}
	ssize_t n;
	do {
		n = sendmsg(socket, &header, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -1 : 0;
}

int message_receive(int socket, struct message *message, int *fd)
{
	struct iovec part = { .iov_base = message, .iov_len = sizeof(*message) };
	union control control;
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.data,
		.msg_controllen = sizeof(control.data),
	};
	ssize_t n;
	do {
		n = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	*fd = -1;
	if (n < 0)
		return -1;
	const struct cmsghdr *m = n > 0 ? CMSG_FIRSTHDR(&header) : NULL;
	if (m != NULL && m->cmsg_level == SOL_SOCKET && m->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(m), sizeof(*fd));
	return n == (ssize_t)sizeof(*message);
}

/* X tells C on their socket that M has the pid; it is the first message there. */
int wait_announced(struct context *c)
{
	struct message m;
	int fd;
	if (c->announced)
		return 0;
	if (c->peer < 0 || message_receive(c->peer, &m, &fd) != 1)
		return -1;
	c->announced = true;
	c->host_pid = m.value;
	return 0;
}

int tell_monitor(struct context *c, enum message_kind kind, int32_t value, int fd)
{
	struct message m = { .kind = kind, .value = value };
	if (c->starter >= 0)
		return tell_starter(c, kind);
	if (kind == MESSAGE_FAILED)
		m.failure = c->failure;
	if (wait_announced(c) < 0)
		return -1;
	/* A seccomp filter may be on by now: of all ways to send, write(2) is the one that filters let pass. */
	if (c->exec_prepared && fd < 0)
		return write(c->channel, &m, sizeof(m)) < 0 ? -1 : 0;
	return message_send(c->channel, &m, fd);
}

int ask_parent(struct context *c, int *fd)
{
	struct message m = { .kind = MESSAGE_ASK, .value = (int32_t)c->step };
	int received = -1;
	/*
	 * Without privilege, X may write C's files in /proc only while C is dumpable. Nobody can make use of it: C's new user
	 * namespace has no other process, and whoever could trace C from outside could trace X as well.
	 */
	if (c->unprivileged)
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	bool answered =
		wait_announced(c) == 0 && message_send(c->peer, &m, -1) == 0 && message_receive(c->peer, &m, &received) == 1;
	if (c->unprivileged)
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (fd != NULL)
		*fd = received;
	else
		close_scope(&received);
	if (!answered)
		return fail_with(c, EPIPE, "recvmsg", "");
	if (m.failure.error != 0) {
		c->failure = m.failure;
		errno = (int)m.failure.error;
		return -1;
	}
	return 0;
}
