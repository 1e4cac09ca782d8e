/* The container's end: from the death of its first process to the monitor's own exit. */
#ifndef KEEL_EXIT_H
#define KEEL_EXIT_H

#include "client.h"
#include "session.h"

/* What monitor_main sets up. */
struct monitor {
	const struct msg_create *create;
	int directory;		   /* the state directory */
	struct session *container; /* its first process; never freed */
	struct log *log;
	bool noted; /* the file `pid` is there */
	bool over; /* `exited` has been announced: outcome is valid, and container only good to be asked */
};

extern struct monitor monitor;

/* Goes on with the container's end as far as it can. Called whenever something it may wait for has happened. */
void exit_progress(void);

/* Milliseconds until exit_progress must be called even without an event, or -1. */
int exit_timeout(void);

/* Whether the monitor may exit. */
bool exit_complete(void);

/* Runs the exit program to its end, blocking, its result ignored: for a container that could not be created. */
void exit_program_now(void);

#endif
