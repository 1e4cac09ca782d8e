/*
 * The operations `forward-port`: a process that listens on a port of the host and passes all on to a container's. The kernel
 * translates no address of IPv6's loopback, so that a port on ::1 needs this. And `forward-namespace`: one that is in a network
 * namespace, and connects whoever comes to its socket on the host to a port there.
 *
 *     X ──fork──▶ intermediate ──fork──▶ forwarder: nobody's child, in a session of its own, without privilege
 *
 * It listens when the operation is done, and ends with the process that it is for, or when its file is removed.
 */
#include "forward.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "compat.h"
#include "context.h"
#include "loop.h"
#include "unix_socket.h"

#define SWEEP_MS 30000
#define NOBODY 65534
/* Two sockets and two pipes for each connection. */
#define DESCRIPTORS (MAX_FLOWS * 6 + 64)

static int parse(const char *text, uint32_t port, struct forward_address *address)
{
	*address = (struct forward_address){ 0 };
	struct sockaddr_in *four = (struct sockaddr_in *)(void *)&address->storage;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)&address->storage;
	if (port == 0 || port > UINT16_MAX) {
		errno = EINVAL;
		return -1;
	}
	if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons((uint16_t)port);
		address->size = sizeof(*four);
		return 0;
	}
	if (inet_pton(AF_INET6, text, &six->sin6_addr) != 1) {
		errno = EINVAL;
		return -1;
	}
	six->sin6_family = AF_INET6;
	six->sin6_port = htons((uint16_t)port);
	address->size = sizeof(*six);
	return 0;
}

static int open_listener(struct context *c, const struct op_forward_port *op)
{
	struct forward_address own;
	const int on = 1;
	if (op->protocol != IPPROTO_TCP && op->protocol != IPPROTO_UDP)
		return fail_with(c, EPROTONOSUPPORT, "socket", "");
	if (parse(op->address, op->port, &own) < 0)
		return fail(c, "inet_pton", op->address);
	int type = op->protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM;
	scoped_fd fd = socket(own.storage.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(c, "socket", "");
	if (type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (own.storage.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&own.storage, own.size) < 0)
		return fail(c, "bind", op->address);
	/* So that nobody else can take the port between this and the forwarder. */
	if (type == SOCK_STREAM && listen(fd, SOMAXCONN) < 0)
		return fail(c, "listen", op->address);
	int result = fd;
	fd = -1;
	return result;
}

/* Makes the file, and watches for its removal. */
static int open_watch(struct context *c, const char *path)
{
	scoped_fd file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file < 0)
		return fail(c, "open", path);
	scoped_fd watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch < 0 || inotify_add_watch(watch, path, IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF) < 0) {
		fail(c, "inotify_add_watch", path);
		unlink(path);
		return -1;
	}
	int result = watch;
	watch = -1;
	return result;
}

static void end_ready(struct source *source, uint32_t events)
{
	(void)source;
	(void)events;
	_exit(0);
}

static void give_up_privilege(void)
{
	const struct rlimit files = { .rlim_cur = DESCRIPTORS, .rlim_max = DESCRIPTORS };
	setrlimit(RLIMIT_NOFILE, &files);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
			       setresuid(NOBODY, NOBODY, NOBODY) < 0))
		_exit(1);
	/* An identity that changed makes it readable for its user, which others have too. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static _Noreturn void run(uint32_t protocol, const int descriptors[3], const struct forward_address *target)
{
	setsid();
	prctl(PR_SET_NAME, "keel-forward", 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
	/* Nothing of who has started it stays open. */
	int kept[3];
	for (int i = 0; i < 3; i++)
		kept[i] = fcntl(descriptors[i], F_DUPFD_CLOEXEC, 1000);
	int null = open("/dev/null", O_RDWR | O_NOCTTY);
	for (int fd = 0; fd < 3; fd++) {
		if (null >= 0)
			dup2(null, fd);
		if (kept[fd] < 0 || dup3(kept[fd], 3 + fd, O_CLOEXEC) < 0)
			_exit(1);
	}
	close_range(6, ~0U, 0);
	if (chdir("/") < 0)
		_exit(1);
	give_up_privilege();
	static struct source container, file;
	container = (struct source){ .fd = 4, .ready = end_ready };
	file = (struct source){ .fd = 5, .ready = end_ready };
	if (loop_open() < 0 || loop_want(&container, EPOLLIN) < 0 || loop_want(&file, EPOLLIN) < 0 ||
	    (protocol == IPPROTO_TCP ? forward_streams : forward_datagrams)(3, target) < 0)
		_exit(1);
	for (;;)
		if (!loop_turn(SWEEP_MS))
			forward_sweep();
}

static int start(struct context *c, uint32_t protocol, const int descriptors[3], const struct forward_address *target)
{
	pid_t intermediate = fork();
	if (intermediate == 0) {
		pid_t forwarder = fork();
		if (forwarder == 0)
			run(protocol, descriptors, target);
		_exit(forwarder < 0 ? 1 : 0);
	}
	int status = 1;
	if (intermediate > 0)
		while (waitpid(intermediate, &status, __WALL) < 0 && errno == EINTR)
			;
	return status == 0 ? 0 : fail_with(c, EAGAIN, "fork", "");
}

int op_forward_port(struct context *c, const struct op_forward_port *op)
{
	struct forward_address target;
	if (parse(op->target, op->target_port, &target) < 0)
		return fail(c, "inet_pton", op->target);
	scoped_fd container = pidfd_open((pid_t)op->pid, 0);
	if (container < 0)
		return fail(c, "pidfd_open", "the container's process");
	scoped_fd listener = open_listener(c, op);
	if (listener < 0)
		return -1;
	scoped_fd watch = open_watch(c, op->file);
	if (watch < 0)
		return -1;
	if (start(c, op->protocol, (const int[3]){ listener, container, watch }, &target) == 0)
		return 0;
	unlink(op->file);
	return -1;
}

int op_forward_namespace(struct context *c, const struct op_forward_namespace *op)
{
	const struct forward_address asked = { 0 };
	scoped_fd process = pidfd_open((pid_t)op->pid, 0);
	if (process < 0)
		return fail(c, "pidfd_open", "the process that it is for");
	scoped_fd directory = open(op->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return fail(c, "open", op->directory);
	scoped_fd listener = unix_listen(directory, op->name, SOMAXCONN);
	if (listener < 0)
		return fail(c, "bind", op->name);
	TEXT(path, 4200);
	text_add(&path, op->directory);
	text_add(&path, "/");
	text_add(&path, op->name);
	scoped_fd watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch < 0 || inotify_add_watch(watch, path.data, IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF) < 0)
		return fail(c, "inotify_add_watch", path.data);
	/* What is left of this process only starts the forwarder, which inherits the namespace. */
	if (op->network[0] != 0) {
		scoped_fd network = open(op->network, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (network < 0 || setns(network, CLONE_NEWNET) < 0)
			return fail(c, "setns", op->network);
	}
	return start(c, IPPROTO_TCP, (const int[3]){ listener, process, watch }, &asked);
}
