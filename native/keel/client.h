/*
 * Clients of a monitor: connections to <state>/monitor.sock, and what they are attached to.
 *
 * A client reads slowly: its frames queue up, and beyond a limit the processes it watches are not read from any more
 * (session.c), so that nothing is lost. A client sends input faster than the process reads: it isn't read from itself.
 * A client that is gone is only marked, and freed by clients_sweep between two events, so that whoever walks through
 * the lists needs no care.
 */
#ifndef KEEL_CLIENT_H
#define KEEL_CLIENT_H

#include <stdbool.h>

#include "loop.h"
#include "queue.h"
#include "wire.gen.h"

#define OUTPUT_MAX 65536u /* bytes in one `output` or `input` */

struct session;

struct client {
	struct client *next;
	struct source source;
	struct queue queue;   /* frames for it */
	uint8_t *partial;     /* a frame that has begun, and is not whole */
	size_t have;	      /* bytes of it, length included */
	size_t room;
	bool sends;	      /* it has been attached with input */
	bool deaf;	      /* it takes no more output, but what it sent is still read */
	bool ended;	      /* to be freed */
	struct attachment *attachments;
	unsigned int attached;
};

enum attachment_kind {
	ATTACH_OUTPUT, /* an `attach` */
	ATTACH_EXEC,   /* an `exec`; until exec-started it is `pending` */
	ATTACH_START,  /* a `start` not yet answered */
	ATTACH_WAIT,   /* a `wait` */
};

/* What one request of a client has to do with one session. */
struct attachment {
	struct attachment *of_client;  /* next of the same client */
	struct attachment *of_session; /* next of the same session */
	struct client *client;
	struct session *session;
	uint32_t request;
	enum attachment_kind kind;
	bool input;
	bool output;
	bool pending;
};

/* Creates monitor.sock in the directory, mode 0600, whatever the length of its path. Returns 0, or -1 with errno. */
int clients_listen(int directory);

/* Starts accepting clients. Returns 0, or -1 with errno. */
int clients_accept(void);

/* Milliseconds until clients_sweep has something to do even without an event, or -1. */
int clients_timeout(void);

/* Frees clients that are gone. */
void clients_sweep(void);

/*
 * Whether all that was sent is out, and those that send input have seen the end and gone: to close a connection while the
 * other side still writes would cost it what it has not read yet.
 */
bool clients_flushed(void);

/* Bytes sent to clients so far, to see progress. */
uint64_t clients_sent(void);

/* Asks epoll for what the client's state allows: reading unless a session's input is full, writing while it has frames. */
void client_update(struct client *client);

void client_done(struct client *client, uint32_t request);
void client_failed(struct client *client, uint32_t request, int32_t step, uint32_t error, const char *syscall,
		   const char *detail);
void client_exec_started(struct client *client, uint32_t request, uint32_t pid);
void client_status(struct client *client, uint32_t request, uint8_t state, uint32_t pid, struct wire_list_u32 execs);

struct outcome;
void client_exited(struct client *client, uint32_t request, const struct outcome *outcome);

/* Sends at most OUTPUT_MAX bytes; copies only what the socket doesn't take at once. */
void client_output(struct client *client, uint32_t request, uint8_t stream, const uint8_t *data, size_t size);

/* The attachment of this request, or NULL. */
struct attachment *client_attachment(struct client *client, uint32_t request);

/* Returns NULL with errno: EEXIST when the request is attached already, EAGAIN when the client has too many, ENOMEM. */
struct attachment *attachment_new(struct client *client, struct session *session, uint32_t request,
				  enum attachment_kind kind);

/* Unlinks and frees. The session's input ends when this was what it came from (session_detached). */
void attachment_free(struct attachment *attachment);

/* One whole frame (without its length). Returns false when it is malformed: the connection is then of no more use. */
bool request_handle(struct client *client, const uint8_t *frame, size_t size);

#endif
