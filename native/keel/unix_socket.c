#include "unix_socket.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "compat.h"
#include "context.h"

/* `/proc/self/fd/FD`, then `/NAME` unless that is NULL. False when the name is too long. */
static bool address_below(struct sockaddr_un *address, int fd, const char *name)
{
	struct text path = { .data = address->sun_path, .size = sizeof(address->sun_path) };
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	text_add(&path, "/proc/self/fd/");
	text_add_number(&path, (uint64_t)fd);
	if (name != NULL) {
		text_add(&path, "/");
		text_add(&path, name);
	}
	return !path.truncated;
}

int unix_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct text plain = { .data = address.sun_path, .size = sizeof(address.sun_path) };
	text_add(&plain, path);
	scoped_fd file = -1;
	if (plain.truncated) {
		/* The link of a descriptor leads to the socket itself. */
		file = open(path, O_PATH | O_CLOEXEC);
		if (file < 0)
			return -1;
		address_below(&address, file, NULL);
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	int result;
	do {
		result = connect(fd, (const struct sockaddr *)&address, sizeof(address));
	} while (result < 0 && errno == EINTR);
	if (result < 0) {
		close_scope(&fd);
		return -1;
	}
	return fd;
}

int unix_listen(int directory, const char *name, int backlog)
{
	struct sockaddr_un address;
	if (!address_below(&address, directory, name)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (unlinkat(directory, name, 0) < 0 && errno != ENOENT)
		return -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	/* The socket file takes the mode of the descriptor, so that it never is there with another. */
	if (fchmod(fd, 0600) < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, backlog) < 0) {
		close_scope(&fd);
		return -1;
	}
	return fd;
}

int unix_send(int socket, const void *data, size_t size, const int *fds, unsigned int count)
{
	union {
		char data[CMSG_SPACE(UNIX_SEND_MAX * sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec part = { .iov_base = (void *)(uintptr_t)data, .iov_len = size };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
	if (count > 0) {
		header.msg_control = control.data;
		header.msg_controllen = CMSG_SPACE(count * sizeof(int));
		struct cmsghdr *m = CMSG_FIRSTHDR(&header);
		m->cmsg_level = SOL_SOCKET;
		m->cmsg_type = SCM_RIGHTS;
		m->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(m), fds, count * sizeof(int));
	}
	while (part.iov_len > 0) {
		ssize_t n = sendmsg(socket, &header, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		part.iov_base = (char *)part.iov_base + n;
		part.iov_len -= (size_t)n;
		/* They went along with the first byte. */
		header.msg_control = NULL;
		header.msg_controllen = 0;
	}
	return 0;
}
