/* What a service needs of the kernel that Node has no call for: who is at the other end of a socket, and word to systemd. */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "context.h"

/* `PID UID GID` of the process that connected, as they were then (unix(7), SO_PEERCRED). */
int op_peer_credentials(struct context *c, const struct op_peer_credentials *op)
{
	scoped_fd process = (int)syscall(SYS_pidfd_open, (pid_t)op->pid, 0);
	if (process < 0)
		return fail(c, "pidfd_open", "");
	scoped_fd socket = (int)syscall(SYS_pidfd_getfd, process, (int)op->descriptor, 0);
	if (socket < 0)
		return fail(c, "pidfd_getfd", "");
	struct ucred peer;
	socklen_t size = sizeof(peer);
	if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return fail(c, "getsockopt", "SO_PEERCRED");
	TEXT(answer, 48);
	text_add_number(&answer, (uint64_t)peer.pid);
	text_add(&answer, " ");
	text_add_number(&answer, peer.uid);
	text_add(&answer, " ");
	text_add_number(&answer, peer.gid);
	scoped_fd memory = memfd_create("result", MFD_CLOEXEC);
	if (memory < 0)
		return fail(c, "memfd_create", "");
	if (write(memory, answer.data, answer.used) != (ssize_t)answer.used)
		return fail(c, "write", "");
	return tell_monitor(c, MESSAGE_RESULT, (int32_t)c->step, memory) < 0 ? fail(c, "sendmsg", "") : 0;
}

/*
 * Sends one datagram (sd_notify(3)). It carries the credentials of the service's own process, for whom systemd knows the
 * service by; root may send another's.
 */
int op_notify_service(struct context *c, const struct op_notify_service *op)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(op->path);
	if (length == 0 || length >= sizeof(address.sun_path))
		return fail_with(c, ENAMETOOLONG, "sendmsg", op->path);
	memcpy(address.sun_path, op->path, length);
	/* An abstract name begins with a NUL, and is not ended by one. */
	if (op->path[0] == '@')
		address.sun_path[0] = 0;
	scoped_fd fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(c, "socket", op->path);
	union {
		char data[CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} control = { .data = { 0 } };
	struct iovec text = { .iov_base = (void *)op->text, .iov_len = strlen(op->text) };
	struct msghdr message = {
		.msg_name = &address,
		.msg_namelen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length),
		.msg_iov = &text,
		.msg_iovlen = 1,
		.msg_control = control.data,
		.msg_controllen = sizeof(control.data),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_CREDENTIALS;
	header->cmsg_len = CMSG_LEN(sizeof(struct ucred));
	const struct ucred own = { .pid = (pid_t)op->pid, .uid = getuid(), .gid = getgid() };
	memcpy(CMSG_DATA(header), &own, sizeof(own));
	return sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? fail(c, "sendmsg", op->path) : 0;
}
