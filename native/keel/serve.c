#include "serve.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/socket.h>

#include "compat.h"
#include "context.h"
#include "monitor.h"
#include "orphan.h"
#include "program.h"
#include "self.h"

/* Requests that run at once; more wait in the socket. */
#define MAX_REQUESTS 256
/* While this much waits to be sent, no further request is read. */
#define MAX_PENDING (1u << 20)
/* Results of one program, all together: they are one frame. */
#define MAX_RESULTS (WIRE_MAX_FRAME / 2)
#define FIRST_BUFFER (64u << 10)
/* A larger input buffer is given back after use: each fork would have to copy its page tables. */
#define KEPT_BUFFER (256u << 10)
#define LENGTH_SIZE sizeof(uint32_t)

struct request {
	uint32_t id;
	int fd; /* the program's channel, or the monitor's reply */
	bool monitor;
	int orphaner; /* pidfd of a monitor that does not stay, or -1 */
	struct wire_list_result results; /* of an execute */
	size_t results_size;
	struct wire_writer reply; /* of a monitor: what came of its frame so far */
};

static struct {
	int client;
	struct request requests[MAX_REQUESTS]; /* the first `count` are running */
	uint32_t count;
	uint8_t *input;
	size_t input_start;
	size_t input_end;
	size_t input_capacity;
	struct wire_writer output;
	size_t sent;
	int spare; /* a process that waits to become the next monitor, or -1 */
	bool created; /* a container has been made since fork_spare */
	bool busy;    /* more than one has been: more are to be expected */
} s = { .spare = -1 };

static void reply_failed(uint32_t id, int error, const char *syscall)
{
	wire_encode_failed(&s.output, id, -1, (uint32_t)error, syscall, "");
}

/* Ends a request; the last one takes its place. */
static void end_request(struct request *r)
{
	for (uint32_t i = 0; i < r->results.count; i++)
		free((void *)r->results.items[i].data.data);
	free(r->results.items);
	wire_release(&r->reply);
	close(r->fd);
	close_scope(&r->orphaner);
	struct request *last = &s.requests[--s.count];
	if (r != last)
		*r = *last;
}

static void add_request(uint32_t id, int fd, bool monitor)
{
	fcntl(fd, F_SETFL, O_NONBLOCK);
	s.requests[s.count++] = (struct request){ .id = id, .fd = fd, .monitor = monitor, .orphaner = -1 };
}

static void start_execute(const struct wire_message *m)
{
	const struct program_options options = {
		.program = &m->u.execute.program,
		.stdio = { -1, -1, -1 },
		.container_pidfd = -1,
	};
	pid_t executor;
	int channel = program_spawn(&options, &executor);
	if (channel < 0)
		reply_failed(m->request, errno, "fork");
	else
		add_request(m->request, channel, false);
}

/* In a new child: lets go of all that is serve's. `reply` takes the client's place; SELF_FD and what is preserved stay. */
static void leave_serve(int reply)
{
	signal(SIGCHLD, SIG_DFL);
	if (dup3(reply, s.client, O_CLOEXEC) < 0)
		_exit(1);
	close_range(PRESERVED_FD + preserved_descriptors, ~0U, 0);
}

static bool send_whole(int fd, const uint8_t *data, size_t size)
{
	while (size > 0) {
		ssize_t n = send(fd, data, size, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		size -= (size_t)n;
	}
	return true;
}

static bool receive_whole(int fd, uint8_t *data, size_t size)
{
	while (size > 0) {
		ssize_t n = recv(fd, data, size, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		size -= (size_t)n;
	}
	return true;
}

static _Noreturn void become_monitor(uint32_t request, const struct msg_create *create)
{
	if (create->orphan)
		orphan_main(request, create, s.client);
	monitor_main(request, create, s.client);
}

/* A spare monitor's life: it waits for a request to create, or for serve's end. */
static _Noreturn void wait_to_be_monitor(int reply)
{
	uint32_t length;
	leave_serve(reply);
	if (!receive_whole(s.client, (uint8_t *)&length, sizeof(length)))
		_exit(0);
	uint8_t *frame = malloc(length);
	struct wire_arena arena = { 0 };
	struct wire_message m;
	if (frame == NULL || !receive_whole(s.client, frame, length) || !wire_decode_message(frame, length, &arena, &m))
		_exit(1);
	become_monitor(m.request, &m.u.create);
}

/* Forks the monitor for `m`, or a spare one where that is NULL. Returns the end of a connection to it, or -1. */
static int fork_monitor(const struct wire_message *m, pid_t *monitor)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	pid_t pid = _Fork();
	if (pid == 0) {
		if (m == NULL)
			wait_to_be_monitor(ends[1]);
		leave_serve(ends[1]);
		become_monitor(m->request, &m->u.create);
	}
	int error = errno;
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		errno = error;
		return -1;
	}
	*monitor = pid;
	return ends[0];
}

/* Has a monitor ready for the next container, while the one before starts: a fork is a good part of what serve does. */
static void fork_spare(void)
{
	pid_t monitor;
	if (s.busy && s.spare < 0)
		s.spare = fork_monitor(NULL, &monitor);
	s.busy = true;
	s.created = false;
}

/* Gives a frame to the spare monitor. False when there is none, or when it takes no frame any more. */
static bool use_spare(uint32_t id, const uint8_t *data, uint32_t size)
{
	int fd = s.spare;
	s.spare = -1;
	if (fd < 0)
		return false;
	if (!send_whole(fd, (const uint8_t *)&size, sizeof(size)) || !send_whole(fd, data, size)) {
		close(fd);
		return false;
	}
	add_request(id, fd, true);
	return true;
}

static void start_create(const struct wire_message *m, const uint8_t *data, uint32_t size)
{
	const bool orphan = m->u.create.orphan;
	if (!orphan && use_spare(m->request, data, size))
		return;
	pid_t monitor;
	int fd = fork_monitor(m, &monitor);
	if (fd < 0) {
		reply_failed(m->request, errno, "fork");
		return;
	}
	add_request(m->request, fd, true);
	if (orphan)
		s.requests[s.count - 1].orphaner = pidfd_open(monitor, 0);
}

static void start_request(const uint8_t *data, size_t size)
{
	struct wire_arena arena = { 0 };
	struct wire_message m;
	if (!wire_decode_message(data, size, &arena, &m))
		reply_failed(m.request, EPROTO, "decode");
	else if (m.kind == MSG_EXECUTE)
		start_execute(&m);
	else if (m.kind == MSG_CREATE)
		start_create(&m, data, (uint32_t)size);
	else
		reply_failed(m.request, EPROTO, "decode");
	wire_free(&arena);
}

/* Whether an `execute` request goes on after an event. */
static bool take_event(struct request *r, struct program_event *e)
{
	switch (e->kind) {
	case PROGRAM_CREATED:
		/* Nobody else could start it. */
		program_start(r->fd);
		return true;
	case PROGRAM_TERMINAL:
		close(e->fd);
		return true;
	case PROGRAM_RESULT: {
		struct wire_result *grown = NULL;
		if (r->results_size + e->size <= MAX_RESULTS)
			grown = realloc(r->results.items, (r->results.count + 1) * sizeof(*grown));
		if (grown == NULL) {
			free(e->data);
			wire_encode_failed(&s.output, r->id, e->step, E2BIG, "read", "results of the program");
			return false;
		}
		r->results.items = grown;
		grown[r->results.count++] =
			(struct wire_result){ .step = (uint32_t)e->step, .data = { .data = e->data, .size = e->size } };
		r->results_size += e->size;
		return true;
	}
	case PROGRAM_FAILED:
		wire_encode_failed(&s.output, r->id, e->step, e->error, e->syscall, e->detail);
		return false;
	case PROGRAM_EXECUTED:
		wire_encode_executed(&s.output, r->id, r->results);
		return false;
	default:
		return true;
	}
}

static void read_channel(struct request *r)
{
	struct program_event e;
	do {
		program_next(r->fd, &e);
		if (e.kind == PROGRAM_AGAIN)
			return;
	} while (take_event(r, &e));
	end_request(r);
}

/* How long a monitor that does not stay may take to end once it has answered. */
#define END_MS 5000

/*
 * Only when such a monitor has ended is the container's process the child of whom it was left to, and no process of keel's
 * can become that one's child any more. The client is told then.
 */
static void await_end(int orphaner)
{
	struct pollfd ended = { .fd = orphaner, .events = POLLIN };
	if (orphaner >= 0)
		poll(&ended, 1, END_MS);
}

/* Reads the monitor's one frame, and no more. */
static void read_reply(struct request *r)
{
	for (;;) {
		uint32_t length = 0;
		if (r->reply.size >= LENGTH_SIZE)
			memcpy(&length, r->reply.data, LENGTH_SIZE);
		size_t whole = LENGTH_SIZE + length;
		if (length > WIRE_MAX_FRAME)
			break;
		if (length > 0 && r->reply.size == whole) {
			wire_write_frame(&s.output, r->reply.data, whole);
			await_end(r->orphaner);
			s.created = r->orphaner < 0;
			end_request(r);
			return;
		}
		uint8_t buffer[4096];
		size_t want = whole - r->reply.size;
		ssize_t n = recv(r->fd, buffer, want < sizeof(buffer) ? want : sizeof(buffer), 0);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0)
			break;
		wire_write_frame(&r->reply, buffer, (size_t)n);
	}
	reply_failed(r->id, EPIPE, "recv");
	end_request(r);
}

static size_t pending(void)
{
	return s.output.size - s.sent;
}

/* False when the client has gone. */
static bool send_output(void)
{
	while (pending() > 0) {
		ssize_t n = send(s.client, s.output.data + s.sent, pending(), MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		s.sent += (size_t)n;
	}
	s.sent = 0;
	if (s.output.capacity > KEPT_BUFFER)
		wire_release(&s.output);
	s.output.size = 0;
	return !s.output.failed;
}

static bool may_start(void)
{
	return s.count < MAX_REQUESTS && pending() < MAX_PENDING;
}

/* Starts the requests that are there in whole. False when framing is lost. */
static bool take_input(void)
{
	while (may_start()) {
		size_t have = s.input_end - s.input_start;
		const uint8_t *frame = s.input + s.input_start;
		uint32_t length;
		if (have < LENGTH_SIZE)
			return true;
		memcpy(&length, frame, LENGTH_SIZE);
		if (length > WIRE_MAX_FRAME) {
			uint32_t id = 0;
			if (have >= LENGTH_SIZE + sizeof(id))
				memcpy(&id, frame + LENGTH_SIZE, sizeof(id));
			reply_failed(id, EMSGSIZE, "recv");
			return false;
		}
		if (have - LENGTH_SIZE < length)
			return true;
		s.input_start += LENGTH_SIZE + length;
		start_request(frame + LENGTH_SIZE, length);
	}
	return true;
}

/* Room for the frame that has begun. */
static bool make_room(void)
{
	size_t have = s.input_end - s.input_start;
	size_t need = FIRST_BUFFER;
	uint32_t length;
	if (have >= LENGTH_SIZE) {
		memcpy(&length, s.input + s.input_start, LENGTH_SIZE);
		if (length <= WIRE_MAX_FRAME && LENGTH_SIZE + length > need)
			need = LENGTH_SIZE + length;
	}
	if (s.input_capacity - s.input_start >= need && s.input_end < s.input_capacity)
		return true;
	if (have > 0)
		memmove(s.input, s.input + s.input_start, have);
	s.input_start = 0;
	s.input_end = have;
	if (need > s.input_capacity || (s.input_capacity > KEPT_BUFFER && need <= KEPT_BUFFER && have < FIRST_BUFFER)) {
		uint8_t *moved = realloc(s.input, need);
		if (moved == NULL)
			return false;
		s.input = moved;
		s.input_capacity = need;
	}
	return true;
}

/* False when the client has gone. */
static bool read_client(void)
{
	if (!make_room())
		return false;
	ssize_t n = recv(s.client, s.input + s.input_end, s.input_capacity - s.input_end, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	s.input_end += (size_t)n;
	return true;
}

int serve_main(int client)
{
	s.client = client;
	/* The kernel reaps every child by itself. */
	signal(SIGCHLD, SIG_IGN);
	struct pollfd polled[MAX_REQUESTS + 1];
	for (;;) {
		if (!take_input()) {
			send_output();
			return 1;
		}
		if (!send_output())
			return 0;
		if (s.created)
			fork_spare();
		uint32_t count = s.count;
		polled[0] = (struct pollfd){
			.fd = client,
			.events = (short)((may_start() ? POLLIN : 0) | (pending() > 0 ? POLLOUT : 0)),
		};
		for (uint32_t i = 0; i < count; i++)
			polled[i + 1] = (struct pollfd){ .fd = s.requests[i].fd, .events = POLLIN };
		if (poll(polled, count + 1, -1) < 0) {
			if (errno == EINTR)
				continue;
			return 1;
		}
		/* From the end: a request that ends is replaced by one that was looked at already. */
		for (uint32_t i = count; i-- > 0;) {
			if (polled[i + 1].revents == 0)
				continue;
			struct request *r = &s.requests[i];
			if (r->monitor)
				read_reply(r);
			else
				read_channel(r);
		}
		if ((polled[0].revents & POLLIN) != 0) {
			if (!read_client())
				return 0;
		} else if ((polled[0].revents & (POLLHUP | POLLERR)) != 0) {
			return 0;
		}
	}
}
