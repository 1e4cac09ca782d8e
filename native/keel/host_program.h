/* Programs of the host that are run and waited for: hooks, plugins. */
#ifndef KEEL_HOST_PROGRAM_H
#define KEEL_HOST_PROGRAM_H

#include "context.h"

/* Of its stderr, the end is kept. */
#define PROGRAM_TAIL_MAX ((size_t)4096)

struct host_program {
	const char *path;
	const struct wire_list_string *arguments;   /* from argv[0] on; none is the path alone */
	const struct wire_list_string *environment; /* nothing is added */
	const char *directory;			    /* "" is this process's own */
	const void *input;			    /* its stdin */
	size_t input_size;
	int64_t deadline; /* as now_ms() has it; INT64_MAX for none */
	uint8_t *said;	  /* takes its stdout, `limit` bytes and one more; NULL throws it away */
	size_t limit;

	/* When it has ended. */
	size_t said_size;
	char tail[PROGRAM_TAIL_MAX];
	size_t tail_size;
	int status; /* as waitpid(2) has it */
};

/*
 * Runs it to its end, alone in a process group. 0 when it has ended by itself; ETIMEDOUT or EFBIG when it has been killed, with
 * its group, for that it took too long or said too much; -1 after fail(), also when it can't be executed.
 */
int host_program_run(struct context *c, struct host_program *p);

#endif
