#include "monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"
#include "context.h"
#include "creation.h"
#include "exit.h"
#include "journal.h"
#include "log.h"
#include "loop.h"
#include "self.h"
#include "session.h"
#include "state_file.h"

/* What is sent to the monitor is meant for the container. */
static const int forwarded[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT };

static struct log container_log = { .fd = -1 };
static struct source signals = { .fd = -1 };

static void signals_ready(struct source *source, uint32_t events)
{
	(void)events;
	struct signalfd_siginfo info;
	if (read(source->fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGCHLD)
		sessions_reap();
	else
		session_signal(monitor.container, (int)info.ssi_signo);
}

static int watch_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (size_t i = 0; i < sizeof(forwarded) / sizeof(*forwarded); i++)
		sigaddset(&set, forwarded[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -1;
	signal(SIGPIPE, SIG_IGN);
	signals = (struct source){ .fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), .ready = signals_ready };
	return signals.fd < 0 ? -1 : 0;
}

static int set_up(const struct msg_create *create, int *reply, struct fault *f)
{
	/* Alone in its session, so that no terminal's signals reach it; children of the container become its own. */
	setsid();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_NAME, "keel-monitor");
	/* Large blocks go back to the kernel at once when they are freed. */
	mallopt(M_MMAP_THRESHOLD, 32 << 10);
	mallopt(M_TRIM_THRESHOLD, 32 << 10);
	if (close_inherited(create, reply, create->inherit_stdio, f) < 0)
		return -1;
	if (create->console_socket[0] != 0 || program_has(&create->program, OP_START_SOCKET)) {
		/* The monitor keeps the terminal, and is asked to start. */
		errno = EINVAL;
		return fault(f, "", "a console or start socket of a monitor that stays");
	}
	if (watch_signals() < 0)
		return fault(f, "signalfd", "");
	if (loop_open() < 0 || loop_want(&signals, EPOLLIN) < 0)
		return fault(f, "epoll_create1", "");
	monitor.directory = open(create->state_directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (monitor.directory < 0)
		return fault(f, "open", create->state_directory);
	if (chdir("/") < 0)
		return fault(f, "chdir", "/");
	if (create->log[0] != 0 && !create->inherit_stdio && log_open(&container_log, create) < 0)
		return fault(f, "open", create->log);
	if (clients_listen(monitor.directory) < 0)
		return fault(f, "bind", "monitor.sock");
	return 0;
}

/* Runs the container's program up to wait-start. */
static int create_container(const struct msg_create *create, struct fault *f)
{
	static struct program_event failed;
	scoped_fd receiver = -1;
	scoped_fd container = -1;
	if (open_container(create, &container, f) < 0 || connect_receiver(create->pidfd_socket, &receiver, f) < 0)
		return -1;
	struct session_options options = {
		.program = &create->program,
		.terminal = create->terminal,
		.open_stdin = create->open_stdin,
		.output = true,
		.inherit = create->inherit_stdio,
		.container_pidfd = container,
		.preserve = create->preserve,
	};
	const char *syscall = "";
	struct session *session = session_spawn(&options, &syscall);
	if (session == NULL)
		return fault(f, syscall, "");
	monitor.container = session;
	session->container = true;
	session->keep_input = !create->stdin_once;
	if (!session_events(session, &failed)) {
		*f = (struct fault){ failed.step, failed.error, failed.syscall, failed.detail };
		return -1;
	}
	session->pidfd = pidfd_open(session->pid, 0);
	if (session->pidfd < 0)
		return fault(f, "pidfd_open", "");
	if (send_pidfd(receiver, session->pidfd) < 0)
		return fault(f, "sendmsg", create->pidfd_socket);
	/* The monitor's too: until it has noted the end of the container's process, that isn't one nobody saw. */
	if (state_file_write(monitor.directory, "pid", "%d %llu %d %llu\n", (int)session->pid, start_time(session->pid),
			     (int)getpid(), start_time(getpid())) < 0)
		return fault(f, "rename", "pid");
	monitor.noted = true;
	if (session->state == SESSION_RUNNING)
		journal_start(create);
	/* The container's alone: whoever reads them is to see their end. */
	if (create->inherit_stdio)
		null_stdio();
	close_preserved(create);
	session_watch(session);
	if (clients_accept() < 0)
		return fault(f, "epoll_ctl", "");
	return 0;
}

/* How long to wait for processes that another runtime has left. */
#define UNDO_MS 2000

static void reap_within(int64_t milliseconds)
{
	int64_t end = now_ms() + milliseconds;
	while (waitpid(-1, NULL, __WALL | WNOHANG) >= 0 && now_ms() < end)
		poll(NULL, 0, 5);
}

/* Undoes what set_up and create_container did. */
static void undo(void)
{
	if (monitor.container != NULL) {
		/* Also when it was the monitor that failed, and not the program. */
		if (monitor.container->pid != 0)
			kill(monitor.container->pid, SIGKILL);
		else
			kill(monitor.container->executor, SIGKILL);
		loop_close(&monitor.container->channel);
		if (program_has(&monitor.create->program, OP_RUNTIME_CREATE)) {
			/* What another runtime has made half-way need not end by itself. */
			exit_program_now();
			reap_within(UNDO_MS);
		} else {
			while (waitpid(-1, NULL, __WALL) > 0)
				;
			exit_program_now();
		}
	}
	if (monitor.directory >= 0) {
		unlinkat(monitor.directory, "monitor.sock", 0);
		unlinkat(monitor.directory, "pid", 0);
	}
}

/* How long a container must have run until its monitor takes the trouble to become small. */
#define SETTLED_MS 1000
static int earlier(int a, int b)
{
	if (a < 0)
		return b;
	return b < 0 || a < b ? a : b;
}

_Noreturn void monitor_main(uint32_t request, const struct msg_create *create, int reply)
{
	struct wire_writer frame = { 0 };
	struct fault f;
	monitor.create = create;
	monitor.directory = -1;
	monitor.log = &container_log;
	if (set_up(create, &reply, &f) < 0 || create_container(create, &f) < 0) {
		undo();
		wire_encode_failed(&frame, request, f.step, f.error, f.syscall, f.detail);
		reply_write(reply, &frame);
		_exit(1);
	}
	wire_encode_created(&frame, request, (uint32_t)monitor.container->pid, (uint32_t)getpid());
	reply_write(reply, &frame);
	wire_release(&frame);

	/* At the end, turns go on for as long as there is something to do at once. */
	int64_t settled = now_ms() + SETTLED_MS;
	for (bool busy = true; busy || !exit_complete();) {
		int timeout = earlier(earlier(sessions_timeout(), clients_timeout()), earlier(exit_timeout(), journal_timeout()));
		if (settled != 0) {
			int64_t left = settled - now_ms();
			timeout = earlier(timeout, left > 0 ? (int)left : 0);
		}
		busy = loop_turn(timeout);
		if (settled != 0 && now_ms() >= settled) {
			settled = 0;
			/* Shorter lives are looked at in the end only. */
			if (!monitor.container->reaped)
				journal_watch(create);
			release_code();
		}
		sessions_expire();
		journal_progress(create);
		clients_sweep();
		exit_progress();
	}
	unlinkat(monitor.directory, "monitor.sock", 0);
	_exit(0);
}
