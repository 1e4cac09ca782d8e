/* What a monitor does to create a container, whether it stays (monitor.c) or not (orphan.c). */
#ifndef KEEL_CREATION_H
#define KEEL_CREATION_H

#include <stdbool.h>
#include <sys/types.h>

#include "wire.gen.h"

/* Where a step of setting up failed, for `failed`. */
struct fault {
	int32_t step;
	uint32_t error;
	const char *syscall;
	const char *detail;
};

/* Fills it from errno. Always -1. */
int fault(struct fault *fault, const char *syscall, const char *detail);

/* Makes 0, 1 and 2 /dev/null. -1 with errno. */
int null_stdio(void);

/*
 * Lets go of all that serve has open, but for keel's executable, `*reply` (which moves), the standard streams if they are to
 * stay, and the descriptors that the program is to keep. -1 after fault().
 */
int close_inherited(const struct msg_create *create, int *reply, bool keep_stdio, struct fault *f);

/* Lets go of what the program keeps: it is the program's alone. */
void close_preserved(const struct msg_create *create);

/* A pidfd of the running container that the program joins, in `*pidfd`, or -1 when it joins none. -1 after fault(). */
int open_container(const struct msg_create *create, int *pidfd, struct fault *f);

/* Connects to a socket that a descriptor is to be sent to, in `*fd`, or -1 for an empty path. -1 after fault(). */
int connect_receiver(const char *path, int *fd, struct fault *f);

/* Sends a pidfd to such a socket, unless that is -1. -1 with errno. */
int send_pidfd(int receiver, int pidfd);

bool program_has(const struct wire_program *program, uint16_t number);

/* Answers on `reply`, and closes it. */
void reply_write(int reply, const struct wire_writer *frame);

#endif
