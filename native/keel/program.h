/*
 * Running a program: a list of operations, in processes made for it.
 *
 *   M (caller: monitor, or the runner of one `execute`)
 *   │ program_spawn: fork
 *   ├── X executor: operations before `clone`, then those that C asks it for; ends when C needs it no more
 *   └── C container process (clone3 with CLONE_PARENT): operations after `clone`
 *
 *          M                     X                     C
 *          │<──── CHILD pid ─────│── clone3 ──────────>│
 *          │                     │<─── by the parent ──│   (id-map)
 *          │                     │──── done ──────────>│
 *          │<──────────────── TERMINAL + master fd ────│
 *          │<──────────────── CREATED ─────────────────│   wait-start
 *          │───────────────── start ──────────────────>│
 *          │<──────────────── end of file ─────────────│   exec closed it: EXECUTED
 *          │<──────────────── FAILED ──────────────────│   any operation failed, exec included
 *
 * The channel to M is a SOCK_SEQPACKET socket pair; X and C share the other end. All descriptors are close-on-exec.
 */
#ifndef KEEL_PROGRAM_H
#define KEEL_PROGRAM_H

#include <sys/types.h>

#include "wire.gen.h"

struct program_options {
	const struct wire_program *program;
	/* Become 0, 1 and 2 of the container process; each -1 for /dev/null. A `terminal` operation replaces them. */
	int stdio[3];
	/* For `join-container`: pidfd of the container's first process, else -1. */
	int container_pidfd;
	/* How many descriptors from PRESERVED_FD on (context.h) the program's exec keeps, as 3, 4, … */
	uint32_t preserve;
};

enum program_event_kind {
	PROGRAM_CHILD,	  /* the container process exists: pid */
	PROGRAM_CREATED,  /* it waits for program_start */
	PROGRAM_TERMINAL, /* fd is the terminal's master; the receiver owns it */
	PROGRAM_RESULT,	  /* step and data: what a read-file read (at most 1 MiB; arrives in one event) */
	PROGRAM_FAILED,	  /* step, error, syscall, detail; nothing follows, X and C are ending */
	PROGRAM_EXECUTED, /* the program ran to its end, or C has become what it execs; nothing follows */
	PROGRAM_AGAIN,	  /* nothing to read now (non-blocking channel) */
};

struct program_event {
	enum program_event_kind kind;
	pid_t pid;
	int fd;
	int32_t step; /* index in the program, -1 when none was at fault */
	uint32_t error; /* errno */
	char syscall[32];
	char detail[256];
	uint8_t *data; /* malloc'd by program_next for PROGRAM_RESULT, else NULL */
	uint32_t size;
};

/*
 * Starts a program. Returns M's end of the channel (blocking, close-on-exec), or -1 with errno. The executor is a child
 * of the caller and must be reaped; so is the container process, whose pid comes with PROGRAM_CHILD.
 */
int program_spawn(const struct program_options *options, pid_t *executor);

/* Reads the next event. When C is killed before its exec without a word, the event is FAILED with error EPIPE. */
void program_next(int channel, struct program_event *event);

/* Lets the container process go on from wait-start. Returns 0, or -1 with errno. */
int program_start(int channel);

/*
 * For modules with operations: each operation is one function that returns 0, or -1 after fail(). `fail` records
 * errno, the system call's name and a detail for the report.
 */
struct context; /* context.h */

#endif
