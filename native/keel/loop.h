/*
 * The monitor's event loop: epoll, level triggered, one event a turn. Taking one at a time means that a handler may
 * close any source without leaving a stale event behind; the kernel rotates its ready list, so that all get their turn.
 */
#ifndef KEEL_LOOP_H
#define KEEL_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

/* A watched descriptor, a member of what it belongs to. `fd` is -1 when closed. */
struct source {
	int fd;
	uint32_t events; /* as asked for last; 0 when epoll doesn't watch it */
	void (*ready)(struct source *source, uint32_t events);
};

#define OWNER(pointer, type, member) ((type *)(void *)((char *)(pointer) - offsetof(type, member)))

/* Returns 0, or -1 with errno. */
int loop_open(void);

/*
 * Watches for `events`. 0 takes the descriptor out of the set altogether, as epoll reports a hang-up even for an empty
 * mask. Returns 0, or -1 with errno (out of memory, or of the user's epoll watches).
 */
int loop_want(struct source *source, uint32_t events);

/* Stops watching and closes. Does nothing when it is closed already. */
void loop_close(struct source *source);

/*
 * Waits up to `timeout` milliseconds (-1 for ever, 0 for not at all) and handles one event. Returns false when there
 * was none.
 */
bool loop_turn(int timeout);

#endif
