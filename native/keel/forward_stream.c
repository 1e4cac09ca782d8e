/*
 * TCP connections, passed on byte by byte: each direction through a pipe, so that the bytes stay in the kernel (splice(2)).
 *
 *     client ── sides[0] ══ pipe of side 0 ══▶ sides[1] ── target
 *                        ◀══ pipe of side 1 ══
 *
 * Where there is no fixed target, a client says first which port of the loopback interface it wants, and hears how that went:
 *
 *     client ── port, 2 bytes, big endian ──▶
 *            ◀── 0, or errno, 1 byte ──      and then as above
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forward.h"
#include "loop.h"

/* What a pipe holds by default. */
#define CHUNK 65536

struct side {
	struct source source; /* a socket */
	int pipe[2]; /* what was read from it, for the other side */
	size_t held; /* bytes in the pipe */
	bool ended; /* nothing more comes from it */
	bool shut; /* the other side was told so */
};

enum state { ASKING, CONNECTING, JOINED };

struct flow {
	struct side sides[2];
	enum state state;
	/* Of a client that asks. */
	uint8_t port[2];
	size_t received;
	int refused; /* errno of the first family that was tried */
};

static struct source listening = { .fd = -1 };
/* Its size is 0 where each client asks for a port. */
static struct forward_address target;
static unsigned int flows;

static void flow_free(struct flow *f)
{
	for (int i = 0; i < 2; i++) {
		loop_close(&f->sides[i].source);
		for (int end = 0; end < 2; end++)
			if (f->sides[i].pipe[end] >= 0)
				close(f->sides[i].pipe[end]);
	}
	free(f);
	flows--;
	if (listening.events == 0)
		loop_want(&listening, EPOLLIN);
}

/* Moves what there is from a side to the other one. -1 when the connection is over. */
static int move(struct side *from, struct side *to)
{
	for (;;) {
		if (from->held == 0 && !from->ended) {
			ssize_t n = splice(from->source.fd, NULL, from->pipe[1], NULL, CHUNK, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
			if (n < 0)
				return errno == EAGAIN || errno == EINTR ? 0 : -1;
			from->ended = n == 0;
			from->held = (size_t)n;
		}
		if (from->held == 0) {
			if (!from->shut && shutdown(to->source.fd, SHUT_WR) < 0)
				return -1;
			from->shut = true;
			return 0;
		}
		ssize_t n = splice(from->pipe[0], NULL, to->source.fd, NULL, from->held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -1;
		from->held -= (size_t)n;
	}
}

/* Waits for what each side is to bring or take next. -1 when nothing is to come any more, or with errno. */
static int want(struct flow *f)
{
	struct side *a = &f->sides[0], *b = &f->sides[1];
	if (f->state == ASKING)
		return loop_want(&a->source, EPOLLIN);
	if (f->state == CONNECTING)
		return loop_want(&a->source, 0) < 0 ? -1 : loop_want(&b->source, EPOLLOUT);
	if (a->shut && b->shut)
		return -1;
	for (int i = 0; i < 2; i++) {
		struct side *own = &f->sides[i], *other = &f->sides[1 - i];
		uint32_t events = (own->held == 0 && !own->ended ? EPOLLIN : 0u) | (other->held > 0 ? EPOLLOUT : 0u);
		if (loop_want(&own->source, events) < 0)
			return -1;
	}
	return 0;
}

static void settle(int fd)
{
	const int on = 1;
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* Begins to connect. -1 with errno. */
static int reach(struct flow *f, const struct forward_address *to)
{
	struct side *side = &f->sides[1];
	loop_close(&side->source);
	f->state = CONNECTING;
	side->source.fd = socket(to->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (side->source.fd < 0)
		return -1;
	settle(side->source.fd);
	if (connect(side->source.fd, (const struct sockaddr *)&to->storage, to->size) < 0 && errno != EINPROGRESS)
		return -1;
	return 0;
}

static int answer(const struct flow *f, int error)
{
	const uint8_t told = (uint8_t)error;
	return send(f->sides[0].source.fd, &told, 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1 ? 0 : -1;
}

/* The loopback interface of IPv4, and of IPv6 where nobody listens on that one. */
static int reach_asked(struct flow *f, bool six)
{
	struct forward_address to = { 0 };
	struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&to.storage;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)&to.storage;
	if (six) {
		v6->sin6_family = AF_INET6;
		v6->sin6_addr = in6addr_loopback;
		memcpy(&v6->sin6_port, f->port, sizeof(f->port));
		to.size = sizeof(*v6);
	} else {
		v4->sin_family = AF_INET;
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		memcpy(&v4->sin_port, f->port, sizeof(f->port));
		to.size = sizeof(*v4);
	}
	return reach(f, &to);
}

/* Another family is tried, or the client is told. -1 when the flow is over. */
static int refused(struct flow *f, int error)
{
	if (target.size != 0)
		return -1;
	if (f->refused == 0) {
		f->refused = error;
		if (reach_asked(f, true) == 0)
			return 0;
	}
	answer(f, f->refused);
	return -1;
}

static int take_port(struct flow *f)
{
	ssize_t n = recv(f->sides[0].source.fd, f->port + f->received, sizeof(f->port) - f->received, 0);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	f->received += (size_t)n;
	if (n == 0)
		return -1;
	if (f->received < sizeof(f->port))
		return 0;
	return reach_asked(f, false) < 0 ? refused(f, errno) : 0;
}

static int take_connection(struct flow *f)
{
	int error = 0;
	socklen_t size = sizeof(error);
	if (getsockopt(f->sides[1].source.fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		error = errno;
	if (error != 0)
		return refused(f, error);
	f->state = JOINED;
	return target.size == 0 ? answer(f, 0) : 0;
}

static void progress(struct flow *f)
{
	int result = 0;
	if (f->state == ASKING)
		result = take_port(f);
	else if (f->state == CONNECTING)
		result = take_connection(f);
	if (result == 0 && f->state == JOINED)
		result = move(&f->sides[0], &f->sides[1]) < 0 ? -1 : move(&f->sides[1], &f->sides[0]);
	if (result < 0 || want(f) < 0)
		flow_free(f);
}

static void client_ready(struct source *source, uint32_t events)
{
	(void)events;
	progress(OWNER(source, struct flow, sides[0].source));
}

static void target_ready(struct source *source, uint32_t events)
{
	(void)events;
	progress(OWNER(source, struct flow, sides[1].source));
}

static int flow_open(struct flow *f, int client)
{
	for (int i = 0; i < 2; i++)
		f->sides[i] = (struct side){ .source = { .fd = -1 }, .pipe = { -1, -1 } };
	f->sides[0].source = (struct source){ .fd = client, .ready = client_ready };
	f->sides[1].source.ready = target_ready;
	for (int i = 0; i < 2; i++)
		if (pipe2(f->sides[i].pipe, O_CLOEXEC | O_NONBLOCK) < 0)
			return -1;
	if (target.size != 0) {
		settle(client);
		if (reach(f, &target) < 0)
			return -1;
	}
	return want(f);
}

static void accept_ready(struct source *source, uint32_t events)
{
	(void)events;
	int client = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (client < 0)
		return;
	struct flow *f = calloc(1, sizeof(*f));
	if (f == NULL) {
		close(client);
		return;
	}
	flows++;
	if (flows >= MAX_FLOWS)
		loop_want(&listening, 0);
	if (flow_open(f, client) < 0)
		flow_free(f);
}

int forward_streams(int listener, const struct forward_address *to)
{
	target = *to;
	listening = (struct source){ .fd = listener, .ready = accept_ready };
	return listen(listener, SOMAXCONN) < 0 ? -1 : loop_want(&listening, EPOLLIN);
}
