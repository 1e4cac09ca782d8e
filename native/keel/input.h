/* Frames of a client, one after another, for the modes that serve one client each: `apply` and `browse`. */
#ifndef KEEL_INPUT_H
#define KEEL_INPUT_H

#include "wire.gen.h"

struct input {
	int fd;
	uint8_t *data;
	size_t capacity;
	size_t start; /* of what was read and is not used */
	size_t end;
};

/* Takes a buffer; -1 with errno. */
int input_start(struct input *in);
void input_end(struct input *in);

/* The next frame's content, which stays until the next call. Returns 1, 0 at the end, or -1 with errno. */
int input_next(struct input *in, const uint8_t **data, size_t *size);

/* Ends with the client: one that still sends would otherwise get a broken pipe, and not see the answer. */
void input_drain(struct input *in);

/* Sends all that was written, and releases it. -1 when that fails. */
int input_answer(const struct input *in, struct wire_writer *w);

#endif
