#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exit.h"
#include "journal.h"
#include "streams.h"

/* How long to wait for the end of a dead process's output while someone else holds its pipes. */
#define LINGER_MS 2000
#define STRAYS 16u

struct session *sessions;

/* Sessions whose process has ended, but not its output: those have a deadline. */
static unsigned int lingering;

/* Children that ended before their program told of them, the newest last. */
static struct {
	pid_t pid;
	struct outcome outcome;
} strays[STRAYS];
static unsigned int stray;

static struct rlimit original = { .rlim_max = 0 };

bool descriptors_more(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
		return false;
	if (original.rlim_max == 0)
		original = limit;
	limit.rlim_cur = limit.rlim_cur * 2 < limit.rlim_max ? limit.rlim_cur * 2 : limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

static void channel_ready(struct source *source, uint32_t events)
{
	(void)events;
	session_events(OWNER(source, struct session, channel), NULL);
}

static void session_free(struct session *session)
{
	while (session->attachments != NULL)
		attachment_free(session->attachments);
	loop_close(&session->channel);
	streams_close(session);
	struct session **at = &sessions;
	while (*at != session)
		at = &(*at)->next;
	*at = session->next;
	free(session);
}

/* One whose program failed; its processes end by themselves. */
static void session_discard(struct session *session)
{
	if (session->reaped && !session->announced)
		lingering--;
	session_free(session);
}

/* Whether some program has not told yet which its process is. */
static bool starting(void)
{
	for (struct session *session = sessions; session != NULL; session = session->next) {
		if (session->pid == 0 && session->channel.fd >= 0)
			return true;
	}
	return false;
}

struct session *session_spawn(const struct session_options *options, const char **syscall)
{
	struct session *session = calloc(1, sizeof(*session));
	if (session == NULL) {
		*syscall = "malloc";
		return NULL;
	}
	session->pidfd = -1;
	session->slave = -1;
	/* Pids come round again. */
	if (!starting())
		memset(strays, 0, sizeof(strays));
	int theirs[3];
	if (streams_open(session, options, theirs) < 0) {
		int error = errno;
		free(session);
		*syscall = "pipe2";
		errno = error;
		return NULL;
	}
	struct program_options program = {
		.program = options->program,
		.stdio = { theirs[0], theirs[1], theirs[2] },
		.container_pidfd = options->container_pidfd,
		.preserve = options->preserve,
	};
	int channel = program_spawn(&program, &session->executor);
	if (channel < 0 && errno == EMFILE && descriptors_more())
		channel = program_spawn(&program, &session->executor);
	int error = errno;
	for (int i = 0; i < 3 && !options->inherit; i++) {
		if (theirs[i] >= 0)
			close(theirs[i]);
	}
	if (channel < 0) {
		streams_close(session);
		free(session);
		*syscall = "fork";
		errno = error;
		return NULL;
	}
	/* The raised limit is the monitor's own. The executor hasn't come to its `clone` yet. */
	if (original.rlim_max != 0)
		prlimit(session->executor, RLIMIT_NOFILE, &original, NULL);
	session->channel = (struct source){ .fd = channel, .ready = channel_ready };
	session->next = sessions;
	sessions = session;
	return session;
}

void session_watch(struct session *session)
{
	/* It has been closed already where the program had no wait-start. */
	if (session->channel.fd >= 0) {
		fcntl(session->channel.fd, F_SETFL, O_RDWR | O_NONBLOCK);
		loop_want(&session->channel, EPOLLIN);
	}
	session_update(session);
}

static void session_reaped(struct session *session, const struct outcome *outcome)
{
	session->reaped = true;
	session->outcome = *outcome;
	session->deadline = now_ms() + LINGER_MS;
	if (!session->container)
		lingering++;
	if (session->state == SESSION_RUNNING || session->container)
		streams_drain(session);
}

static void child_known(struct session *session, pid_t pid)
{
	session->pid = pid;
	for (unsigned int i = 0; i < STRAYS; i++) {
		if (strays[i].pid == pid) {
			strays[i].pid = 0;
			session_reaped(session, &strays[i].outcome);
		}
	}
	/* Another program named a process that never was a child of this one's. */
	if (!session->reaped && kill(pid, 0) < 0 && errno == ESRCH) {
		struct outcome unknown = { .status = 255 };
		clock_gettime(CLOCK_REALTIME, &unknown.time);
		session_reaped(session, &unknown);
	}
}

/* Becomes the container's status: what a shell reports for a command that it can't run. */
static uint32_t exec_status(uint32_t error)
{
	return error == ENOENT ? 127 : 126;
}

static void session_failed(struct session *session, const struct program_event *event)
{
	for (struct attachment *a = session->attachments; a != NULL;) {
		struct attachment *next = a->of_session;
		if (a->pending) {
			client_failed(a->client, a->request, event->step, event->error, event->syscall, event->detail);
			attachment_free(a);
		}
		a = next;
	}
	/* EPIPE: the process was killed, which has a status of its own. */
	if (session->state == SESSION_RELEASED && event->error != EPIPE)
		session->failed_status = exec_status(event->error);
}

static void session_executed(struct session *session)
{
	session->state = SESSION_RUNNING;
	if (session->container && monitor.noted)
		journal_start(monitor.create);
	session->awaits_terminal = false;
	/* A program without `clone` runs in the executor. */
	if (session->pid == 0) {
		session->pid = session->executor;
		if (session->executor_reaped)
			session_reaped(session, &session->executor_outcome);
	}
	for (struct attachment *a = session->attachments; a != NULL;) {
		struct attachment *next = a->of_session;
		if (a->pending) {
			a->pending = false;
			if (a->kind == ATTACH_EXEC) {
				client_exec_started(a->client, a->request, (uint32_t)session->pid);
			} else {
				client_done(a->client, a->request);
				attachment_free(a);
			}
		}
		a = next;
	}
	if (session->reaped)
		streams_drain(session);
	session_update(session);
}

bool session_events(struct session *session, struct program_event *failed)
{
	while (session->channel.fd >= 0) {
		struct program_event event = { .kind = PROGRAM_AGAIN, .fd = -1 };
		program_next(session->channel.fd, &event);
		switch (event.kind) {
		case PROGRAM_AGAIN:
			return true;
		case PROGRAM_CHILD:
			child_known(session, event.pid);
			break;
		case PROGRAM_TERMINAL:
			streams_terminal(session, event.fd);
			session_update(session);
			break;
		case PROGRAM_RESULT:
			free(event.data);
			break;
		case PROGRAM_CREATED:
			session->state = SESSION_CREATED;
			if (session->container)
				return true;
			/* Nobody starts an exec'd process a second time. */
			program_start(session->channel.fd);
			break;
		case PROGRAM_FAILED:
			loop_close(&session->channel);
			session_failed(session, &event);
			if (failed != NULL)
				*failed = event;
			if (!session->container)
				session_discard(session);
			return false;
		case PROGRAM_EXECUTED:
			loop_close(&session->channel);
			session_executed(session);
			session_progress(session);
			return true;
		}
	}
	return false;
}

static void announce(struct session *session)
{
	session->announced = true;
	while (session->attachments != NULL) {
		struct attachment *a = session->attachments;
		client_exited(a->client, a->request, &session->outcome);
		attachment_free(a);
	}
}

void session_progress(struct session *session)
{
	/* The container's own end is looked after by exit_progress. */
	if (session->container || !session->reaped || session->channel.fd >= 0)
		return;
	if (!session->announced) {
		if (!streams_ended(session) && now_ms() < session->deadline)
			return;
		announce(session);
		lingering--;
	}
	/* Processes that it left behind may still write: their output is thrown away, so that they don't get SIGPIPE. */
	if (streams_ended(session))
		session_free(session);
}

/* The session whose process this is, or NULL. Keeps what it learns about executors. */
static struct session *session_of(pid_t pid, const struct outcome *outcome)
{
	for (struct session *session = sessions; session != NULL; session = session->next) {
		if (session->pid == pid && !session->reaped)
			return session;
		if (session->executor == pid && !session->executor_reaped) {
			session->executor_reaped = true;
			session->executor_outcome = *outcome;
			return NULL;
		}
	}
	/* An orphan of the container, or a process that its program has not told of yet. */
	if (starting()) {
		strays[stray % STRAYS].pid = pid;
		strays[stray++ % STRAYS].outcome = *outcome;
	}
	return NULL;
}

void sessions_reap(void)
{
	/* What the programs said comes before their ends. */
	for (struct session *session = sessions; session != NULL;) {
		struct session *next = session->next;
		if (session->channel.fd >= 0)
			session_events(session, NULL);
		session = next;
	}
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG | __WALL);
		if (pid <= 0)
			return;
		struct outcome outcome = { .status = (uint32_t)WEXITSTATUS(status) };
		if (WIFSIGNALED(status)) {
			outcome.signal = (uint32_t)WTERMSIG(status);
			outcome.status = 128 + outcome.signal;
		}
		clock_gettime(CLOCK_REALTIME, &outcome.time);
		struct session *session = session_of(pid, &outcome);
		if (session != NULL) {
			session_reaped(session, &outcome);
			session_progress(session);
		}
	}
}

int sessions_timeout(void)
{
	if (lingering == 0)
		return -1;
	int64_t now = now_ms();
	int64_t least = LINGER_MS;
	for (struct session *session = sessions; session != NULL; session = session->next) {
		if (!session->container && session->reaped && !session->announced && session->deadline - now < least)
			least = session->deadline - now;
	}
	return least > 0 ? (int)least : 0;
}

void sessions_expire(void)
{
	if (lingering == 0)
		return;
	int64_t now = now_ms();
	for (struct session *session = sessions; session != NULL;) {
		struct session *next = session->next;
		if (!session->container && session->reaped && !session->announced && session->deadline <= now) {
			/* A slow client is no reason to cut its output off. */
			if (streams_blocked(session))
				session->deadline = now + LINGER_MS;
			else
				session_progress(session);
		}
		session = next;
	}
}

void sessions_kill(void)
{
	for (struct session *session = sessions; session != NULL; session = session->next) {
		if (session->container || session->reaped)
			continue;
		if (session->pid != 0)
			kill(session->pid, SIGKILL);
		else if (!session->executor_reaped)
			kill(session->executor, SIGKILL);
	}
}

bool sessions_busy(void)
{
	for (struct session *session = sessions; session != NULL; session = session->next) {
		if (session->container ? !streams_ended(session) : !session->announced)
			return true;
	}
	return false;
}

void sessions_end(void)
{
	for (struct session *session = sessions; session != NULL;) {
		struct session *next = session->next;
		streams_close(session);
		if (!session->container) {
			if (!session->reaped) {
				session->outcome = (struct outcome){ .status = 128 + SIGKILL, .signal = SIGKILL };
				clock_gettime(CLOCK_REALTIME, &session->outcome.time);
			}
			announce(session);
			session_free(session);
		}
		session = next;
	}
	lingering = 0;
}

unsigned int sessions_count(void)
{
	unsigned int n = 0;
	for (struct session *session = sessions; session != NULL; session = session->next)
		n++;
	return n;
}

int session_signal(const struct session *session, int signal)
{
	if (session->reaped || session->pid == 0) {
		errno = ESRCH;
		return -1;
	}
	if (session->pidfd >= 0)
		return pidfd_send_signal(session->pidfd, signal, NULL, 0);
	/* Not reaped yet, so that the pid is still its own. */
	return kill(session->pid, signal);
}
