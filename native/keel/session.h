/*
 * A session: a process that runs in the container, the container's own first process or an exec'd one, with its program's
 * channel, its standard streams or terminal, and those attached to it.
 *
 *   STARTING ──CREATED──> CREATED ──start──> RELEASED ──EXECUTED──> RUNNING ──> ended
 *       │                                        │                                  (reaped, output drained, announced)
 *       └───EXECUTED (an exec has no wait-start)─┴──FAILED──> ended
 */
#ifndef KEEL_SESSION_H
#define KEEL_SESSION_H

#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <time.h>

#include "client.h"
#include "clock.h"
#include "loop.h"
#include "program.h"
#include "queue.h"

enum session_state {
	SESSION_STARTING,
	SESSION_CREATED,
	SESSION_RELEASED,
	SESSION_RUNNING,
};

/* How a process ended, as in `exited`. */
struct outcome {
	uint32_t status; /* exit code, or 128 + signal */
	uint32_t signal;
	bool oom_killed;
	struct timespec time;
};

struct stream {
	struct source source;
	struct session *session;
	uint8_t number; /* 1 stdout or terminal, 2 stderr */
};

struct input {
	struct source source;
	struct queue queue;
	bool ending; /* close it once the queue is written */
};

struct session {
	struct session *next;
	enum session_state state;
	bool container; /* the container's first process: its output is logged, and its end is the container's */
	bool awaits_terminal; /* input is queued until the master comes */
	bool terminal;	/* streams[0] and input are a pty's master */
	bool keep_input; /* end of a client's input is not the end of stdin */
	pid_t executor;
	pid_t pid; /* 0 until known */
	int pidfd; /* container only */
	int slave; /* held open so that the master knows no hang-up before the process has ended; -1 */
	struct source channel;
	struct stream streams[2];
	struct input input;
	struct winsize size;
	bool resized;
	bool reaped;
	bool announced;		/* `exited` was sent */
	struct outcome outcome; /* valid once reaped */
	uint32_t failed_status; /* overrides the status when exec itself failed, else 0 */
	bool executor_reaped;
	struct outcome executor_outcome;
	int64_t deadline; /* milliseconds on the monotonic clock; when to stop waiting for the end of output */
	struct attachment *attachments;
};

/* All sessions; the container's own is the last. */
extern struct session *sessions;

struct session_options {
	const struct wire_program *program;
	bool terminal;
	bool open_stdin;
	bool output;	  /* give it pipes for stdout and stderr, /dev/null otherwise */
	bool inherit;	  /* descriptors 0, 1 and 2 as they are */
	int container_pidfd;
	uint32_t preserve; /* as in program_options */
};

/*
 * Makes the standard streams and spawns the program. The channel is blocking still. Returns NULL with errno and the system
 * call's name in `syscall`.
 */
struct session *session_spawn(const struct session_options *options, const char **syscall);

/* From now on the channel is read by the event loop. */
void session_watch(struct session *session);

/*
 * Handles what the program said: one event of a blocking channel, all there are of a non-blocking one. Returns false at
 * the channel's end, and fills `failed` (may be NULL) when the program failed. The session may be freed then, unless it is
 * the container's.
 */
bool session_events(struct session *session, struct program_event *failed);

/*
 * Goes on with an exec'd session's end as far as it can: when the process has ended and its output is drained, `exited` is
 * sent. May free the session.
 */
void session_progress(struct session *session);

/* Reaps all children that have ended. */
void sessions_reap(void);

/* Milliseconds until the next deadline, or -1; and acts on those that have passed. */
int sessions_timeout(void);
void sessions_expire(void);

/* Sends SIGKILL to all exec'd processes that still run. */
void sessions_kill(void);

/* Whether an exec'd process or the output of the container is still to come to its end. */
bool sessions_busy(void);

/* Announces whatever is not announced, and closes all streams. Nothing follows. */
void sessions_end(void);

unsigned int sessions_count(void);

/*
 * Raises this process's soft limit of open files for the sake of many sessions and clients. Processes spawned later get the
 * old one. Returns false when that is no use.
 */
bool descriptors_more(void);

/* Input of at most OUTPUT_MAX bytes; what stdin doesn't take is queued. Thrown away when stdin is closed. */
void session_input(struct session *session, const uint8_t *data, size_t size);

/* Whether no more input should be read from clients for now. */
bool session_input_full(const struct session *session);

/* The input of one client has ended: closes stdin once all is written, unless it is kept, or a terminal. */
void session_input_end(struct session *session);

/* Sets the terminal's size, now or when there is one. */
void session_resize(struct session *session, uint32_t columns, uint32_t rows);

/* Returns 0, or -1 with errno. */
int session_signal(const struct session *session, int signal);

/* Reads from the process if nobody attached is too slow, and not otherwise. */
void session_update(struct session *session);

#endif
