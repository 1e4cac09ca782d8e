#include "creation.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "context.h"
#include "self.h"
#include "state_file.h"
#include "unix_socket.h"

int fault(struct fault *fault, const char *syscall, const char *detail)
{
	*fault = (struct fault){ .step = -1, .error = (uint32_t)errno, .syscall = syscall, .detail = detail };
	return -1;
}

int null_stdio(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return -1;
	for (int fd = 0; fd < 3; fd++) {
		if (dup2(null, fd) < 0)
			return -1;
	}
	if (null > 2)
		close(null);
	return 0;
}

int close_inherited(const struct msg_create *create, int *reply, bool keep_stdio, struct fault *f)
{
	if (create->preserve > preserved_descriptors) {
		errno = EBADF;
		return fault(f, "dup3", "descriptors to preserve");
	}
	int end = PRESERVED_FD + (int)create->preserve;
	int moved = fcntl(*reply, F_DUPFD_CLOEXEC, end);
	if (moved < 0)
		return fault(f, "fcntl", "");
	close(*reply);
	*reply = moved;
	for (int fd = 3; fd < moved; fd++) {
		if (fd != SELF_FD && (fd < PRESERVED_FD || fd >= end))
			close(fd);
	}
	close_range((unsigned int)moved + 1, ~0u, 0);
	return keep_stdio || null_stdio() == 0 ? 0 : fault(f, "open", "/dev/null");
}

void close_preserved(const struct msg_create *create)
{
	if (create->preserve > 0)
		close_range(PRESERVED_FD, PRESERVED_FD + create->preserve - 1, 0);
}

int open_container(const struct msg_create *create, int *pidfd, struct fault *f)
{
	*pidfd = -1;
	if (create->container == 0)
		return 0;
	pid_t pid = (pid_t)create->container;
	*pidfd = pidfd_open(pid, 0);
	if (*pidfd < 0)
		return fault(f, "pidfd_open", "the container's process");
	/* Read after it was opened: a pid that has come round again belongs to a process that started later. */
	if (start_time(pid) != create->container_start) {
		errno = ESRCH;
		return fault(f, "pidfd_open", "the container's process");
	}
	return 0;
}

int connect_receiver(const char *path, int *fd, struct fault *f)
{
	*fd = path[0] == 0 ? -1 : unix_connect(path);
	return *fd < 0 && path[0] != 0 ? fault(f, "connect", path) : 0;
}

int send_pidfd(int receiver, int pidfd)
{
	static const char text[] = "pidfd";
	return receiver < 0 ? 0 : unix_send(receiver, text, sizeof(text) - 1, &pidfd, 1);
}

bool program_has(const struct wire_program *program, uint16_t number)
{
	for (uint32_t i = 0; i < program->count; i++)
		if (program->items[i].number == number)
			return true;
	return false;
}

void reply_write(int reply, const struct wire_writer *frame)
{
	/* When nobody is there to take it, `pid` tells of the container, or nothing is left of it. */
	for (size_t done = 0; done < frame->size;) {
		ssize_t n = write(reply, frame->data + done, frame->size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	close(reply);
}
