#include "orphan.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "context.h"
#include "creation.h"
#include "exit.h"
#include "program.h"
#include "state_file.h"
#include "unix_socket.h"

static struct {
	const struct msg_create *create;
	int directory; /* the state directory, or -1 */
	int console;   /* who gets the terminal's master, or -1 */
	int receiver;  /* who gets the pidfd, or -1 */
	int container; /* pidfd of the container that is joined, or -1 */
	pid_t executor;
	pid_t pid; /* of the container's process, 0 until known */
} o = { .directory = -1, .console = -1, .receiver = -1, .container = -1 };

/* What is asked for, but can't be done. */
static int check(struct fault *f)
{
	const struct msg_create *create = o.create;
	const char *wrong = NULL;
	if (create->terminal && create->console_socket[0] == 0)
		wrong = "a terminal without a console socket";
	else if (!create->terminal && create->console_socket[0] != 0)
		wrong = "a console socket without a terminal";
	else if (program_has(&create->program, OP_PARENT_DEATH_SIGNAL))
		wrong = "the monitor's end would be its process's";
	if (wrong == NULL)
		return 0;
	errno = EINVAL;
	return fault(f, "", wrong);
}

static int set_up(int *reply, struct fault *f)
{
	const struct msg_create *create = o.create;
	setsid();
	prctl(PR_SET_NAME, "keel-orphan");
	signal(SIGPIPE, SIG_IGN);
	if (close_inherited(create, reply, !create->terminal, f) < 0 || check(f) < 0)
		return -1;
	if (create->state_directory[0] != 0) {
		o.directory = open(create->state_directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (o.directory < 0)
			return fault(f, "open", create->state_directory);
	}
	if (open_container(create, &o.container, f) < 0 || connect_receiver(create->console_socket, &o.console, f) < 0 ||
	    connect_receiver(create->pidfd_socket, &o.receiver, f) < 0)
		return -1;
	return chdir("/") < 0 ? fault(f, "chdir", "/") : 0;
}

static int send_console(int master, struct fault *f)
{
	unsigned int number;
	TEXT(name, 32);
	if (ioctl(master, TIOCGPTN, &number) < 0)
		return fault(f, "ioctl TIOCGPTN", "");
	text_add(&name, "/dev/pts/");
	text_add_number(&name, number);
	if (unix_send(o.console, name.data, name.used, &master, 1) < 0)
		return fault(f, "sendmsg", o.create->console_socket);
	return 0;
}

/* The container's process is complete, and nothing of it runs yet, or it has just exec'd. */
static int note(struct fault *f)
{
	/* A program without `clone` runs in the executor. */
	if (o.pid == 0)
		o.pid = o.executor;
	/* Nobody else is to have to reap it. */
	else if (waitpid(o.executor, NULL, __WALL) < 0)
		return fault(f, "waitpid", "");
	if (o.receiver >= 0) {
		scoped_fd pidfd = pidfd_open(o.pid, 0);
		if (pidfd < 0)
			return fault(f, "pidfd_open", "");
		if (send_pidfd(o.receiver, pidfd) < 0)
			return fault(f, "sendmsg", o.create->pidfd_socket);
	}
	if (o.directory >= 0 &&
	    state_file_write(o.directory, "pid", "%d %llu 0 0\n", (int)o.pid, start_time(o.pid)) < 0)
		return fault(f, "rename", "pid");
	return 0;
}

/* Follows the program until the container waits for its start, or runs. */
static int follow(int channel, struct fault *f)
{
	static struct program_event event;
	const bool starts_itself = !program_has(&o.create->program, OP_START_SOCKET);
	bool noted = false;
	for (;;) {
		program_next(channel, &event);
		switch (event.kind) {
		case PROGRAM_CHILD:
			o.pid = event.pid;
			break;
		case PROGRAM_TERMINAL: {
			scoped_fd master = event.fd;
			if (send_console(master, f) < 0)
				return -1;
			break;
		}
		case PROGRAM_RESULT:
			free(event.data);
			break;
		case PROGRAM_CREATED:
			if (note(f) < 0)
				return -1;
			noted = true;
			if (program_start(channel) < 0)
				return fault(f, "sendmsg", "");
			if (!starts_itself)
				return 0;
			break;
		case PROGRAM_EXECUTED:
			return noted ? 0 : note(f);
		case PROGRAM_FAILED:
			*f = (struct fault){ event.step, event.error, event.syscall, event.detail };
			return -1;
		case PROGRAM_AGAIN:
			break;
		}
	}
}

static int create_container(struct fault *f)
{
	const struct msg_create *create = o.create;
	const bool terminal = create->terminal;
	const struct program_options options = {
		.program = &create->program,
		.stdio = { terminal ? -1 : 0, terminal ? -1 : 1, terminal ? -1 : 2 },
		.container_pidfd = o.container,
		.preserve = create->preserve,
	};
	int channel = program_spawn(&options, &o.executor);
	if (channel < 0)
		return fault(f, "fork", "");
	return follow(channel, f);
}

static void undo(void)
{
	if (o.executor > 0) {
		if (o.pid != 0)
			kill(o.pid, SIGKILL);
		else
			kill(o.executor, SIGKILL);
		while (waitpid(-1, NULL, __WALL) > 0)
			;
	}
	monitor.create = o.create;
	if (o.executor > 0)
		exit_program_now();
	if (o.directory >= 0)
		unlinkat(o.directory, "pid", 0);
}

_Noreturn void orphan_main(uint32_t request, const struct msg_create *create, int reply)
{
	struct wire_writer frame = { 0 };
	struct fault f;
	o.create = create;
	bool created = set_up(&reply, &f) == 0 && create_container(&f) == 0;
	if (created) {
		wire_encode_created(&frame, request, (uint32_t)o.pid, 0);
	} else {
		undo();
		wire_encode_failed(&frame, request, f.step, f.error, f.syscall, f.detail);
	}
	reply_write(reply, &frame);
	_exit(created ? 0 : 1);
}
