/* The process that passes connections to a port of the host on, where the kernel's packet filter can't (forward.c). */
#ifndef KEEL_FORWARD_H
#define KEEL_FORWARD_H

#include <stdbool.h>
#include <sys/socket.h>

/* At most so many connections, or peers of UDP, at once. */
#define MAX_FLOWS 1024

struct forward_address {
	struct sockaddr_storage storage;
	socklen_t size;
};

/*
 * forward_stream.c and forward_datagram.c: passes on what comes at `listener`, in the loop of loop.h. -1 with errno. A stream
 * target of size 0 lets each client say which port it wants.
 */
int forward_streams(int listener, const struct forward_address *target);
int forward_datagrams(int listener, const struct forward_address *target);
/* Forgets peers of UDP that have been silent for long. */
void forward_sweep(void);

#endif
