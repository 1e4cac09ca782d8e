/*
 * TCP connections, passed on byte by byte: each direction through a pipe, so that the bytes stay in the kernel (splice(2)).
 *
 *     client ── ends[0] ══ pipe of side 0 ══▶ ends[1] ── target
 *                       ◀══ pipe of side 1 ══
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdlib.h>
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

struct flow {
	struct side sides[2];
	bool connected;
};

static struct source listening = { .fd = -1 };
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
	if (!f->connected)
		return loop_want(&b->source, EPOLLOUT);
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

static int connected(struct flow *f)
{
	int error = 0;
	socklen_t size = sizeof(error);
	if (getsockopt(f->sides[1].source.fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error != 0)
		return -1;
	f->connected = true;
	return 0;
}

static void progress(struct flow *f)
{
	if ((!f->connected && connected(f) < 0) || move(&f->sides[0], &f->sides[1]) < 0 ||
	    move(&f->sides[1], &f->sides[0]) < 0 || want(f) < 0)
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

static void settle(int fd)
{
	const int on = 1;
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static int flow_open(struct flow *f, int client)
{
	for (int i = 0; i < 2; i++)
		f->sides[i] = (struct side){ .source = { .fd = -1 }, .pipe = { -1, -1 } };
	f->sides[0].source = (struct source){ .fd = client, .ready = client_ready };
	f->sides[1].source = (struct source){ .ready = target_ready };
	f->sides[1].source.fd = socket(target.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (f->sides[1].source.fd < 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		settle(f->sides[i].source.fd);
		if (pipe2(f->sides[i].pipe, O_CLOEXEC | O_NONBLOCK) < 0)
			return -1;
	}
	if (connect(f->sides[1].source.fd, (const struct sockaddr *)&target.storage, target.size) < 0 &&
	    errno != EINPROGRESS)
		return -1;
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
