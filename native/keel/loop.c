#include "loop.h"

#include <errno.h>
#include <unistd.h>

static int set = -1;

int loop_open(void)
{
	set = epoll_create1(EPOLL_CLOEXEC);
	return set < 0 ? -1 : 0;
}

int loop_want(struct source *source, uint32_t events)
{
	if (source->fd < 0 || source->events == events)
		return 0;
	struct epoll_event event = { .events = events, .data.ptr = source };
	int operation = EPOLL_CTL_MOD;
	if (source->events == 0)
		operation = EPOLL_CTL_ADD;
	else if (events == 0)
		operation = EPOLL_CTL_DEL;
	if (epoll_ctl(set, operation, source->fd, &event) < 0)
		return -1;
	source->events = events;
	return 0;
}

void loop_close(struct source *source)
{
	if (source->fd < 0)
		return;
	/* Explicitly: a child may still hold the descriptor, and then closing it alone would leave it in the set. */
	loop_want(source, 0);
	close(source->fd);
	source->fd = -1;
	source->events = 0;
}

bool loop_turn(int timeout)
{
	struct epoll_event event;
	int n = epoll_wait(set, &event, 1, timeout);
	if (n <= 0)
		return n < 0 && errno == EINTR;
	struct source *source = event.data.ptr;
	source->ready(source, event.events);
	return true;
}
