/* Datagrams: each peer has a socket of its own to the target, by which answers are told apart. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "forward.h"
#include "loop.h"

/* A peer that is silent for so long, in seconds, is forgotten: as long as the kernel keeps track of UDP streams. */
#define SILENCE 120
#define LARGEST 65536

struct peer {
	struct source source; /* to the target; fd -1 when the place is free */
	struct forward_address address;
	time_t heard;
};

static struct source listening = { .fd = -1 };
static struct forward_address target;
static struct peer *peers; /* MAX_FLOWS */
static char buffer[LARGEST];

static time_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static void answer_ready(struct source *source, uint32_t events)
{
	(void)events;
	struct peer *p = OWNER(source, struct peer, source);
	ssize_t n = recv(source->fd, buffer, sizeof(buffer), MSG_DONTWAIT);
	/* The target may refuse, and be there later. */
	if (n < 0)
		return;
	p->heard = now();
	sendto(listening.fd, buffer, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&p->address.storage,
	       p->address.size);
}

/* The peer of an address, or a place for it: a free one, or that of who has been silent longest. */
static struct peer *place_of(const struct forward_address *address, bool *known)
{
	struct peer *place = &peers[0];
	for (struct peer *p = peers; p < peers + MAX_FLOWS; p++) {
		bool used = p->source.fd >= 0;
		*known = used && p->address.size == address->size &&
			 memcmp(&p->address.storage, &address->storage, address->size) == 0;
		if (*known)
			return p;
		if (place->source.fd >= 0 && (!used || p->heard < place->heard))
			place = p;
	}
	return place;
}

static int peer_open(struct peer *p, const struct forward_address *address)
{
	loop_close(&p->source);
	p->source = (struct source){ .ready = answer_ready };
	p->source.fd = socket(target.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	p->address = *address;
	if (p->source.fd < 0)
		return -1;
	if (connect(p->source.fd, (const struct sockaddr *)&target.storage, target.size) == 0 &&
	    loop_want(&p->source, EPOLLIN) == 0)
		return 0;
	loop_close(&p->source);
	return -1;
}

static void datagram_ready(struct source *source, uint32_t events)
{
	(void)events;
	struct forward_address from = { .size = sizeof(from.storage) };
	ssize_t n = recvfrom(source->fd, buffer, sizeof(buffer), MSG_DONTWAIT, (struct sockaddr *)&from.storage, &from.size);
	if (n < 0)
		return;
	bool known;
	struct peer *p = place_of(&from, &known);
	if (!known && peer_open(p, &from) < 0)
		return;
	p->heard = now();
	send(p->source.fd, buffer, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void forward_sweep(void)
{
	if (peers == NULL)
		return;
	time_t oldest = now() - SILENCE;
	for (struct peer *p = peers; p < peers + MAX_FLOWS; p++)
		if (p->source.fd >= 0 && p->heard < oldest)
			loop_close(&p->source);
}

int forward_datagrams(int listener, const struct forward_address *to)
{
	peers = calloc(MAX_FLOWS, sizeof(*peers));
	if (peers == NULL)
		return -1;
	for (struct peer *p = peers; p < peers + MAX_FLOWS; p++)
		p->source.fd = -1;
	target = *to;
	listening = (struct source){ .fd = listener, .ready = datagram_ready };
	return loop_want(&listening, EPOLLIN);
}
