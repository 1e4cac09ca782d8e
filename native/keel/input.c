#include "input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Fits what a socket pair holds, and the processor's cache; a larger frame makes it grow. */
#define BUFFER (256u << 10)
/* Length, request id, kind. */
#define PREFIX 4u
#define HEADER 6u

/* Makes `size` bytes ready. Returns 1, 0 at the end before the first of them, or -1 with errno. */
static int need(struct input *in, size_t size)
{
	while (in->end - in->start < size) {
		if (in->start + size > in->capacity) {
			memmove(in->data, in->data + in->start, in->end - in->start);
			in->end -= in->start;
			in->start = 0;
		}
		if (size > in->capacity) {
			uint8_t *grown = realloc(in->data, size);
			if (grown == NULL)
				return -1;
			in->data = grown;
			in->capacity = size;
		}
		ssize_t n = read(in->fd, in->data + in->end, in->capacity - in->end);
		if (n < 0 && errno != EINTR)
			return -1;
		if (n == 0) {
			errno = EPIPE;
			return in->end == in->start ? 0 : -1;
		}
		if (n > 0)
			in->end += (size_t)n;
	}
	return 1;
}

int input_next(struct input *in, const uint8_t **data, size_t *size)
{
	uint32_t length;
	if (in->start == in->end)
		in->start = in->end = 0;
	int ready = need(in, PREFIX);
	if (ready <= 0)
		return ready;
	memcpy(&length, in->data + in->start, PREFIX);
	if (length < HEADER || length > WIRE_MAX_FRAME) {
		errno = EPROTO;
		return -1;
	}
	ready = need(in, PREFIX + (size_t)length);
	if (ready <= 0)
		return -1;
	*data = in->data + in->start + PREFIX;
	*size = length;
	in->start += PREFIX + (size_t)length;
	return 1;
}

void input_drain(struct input *in)
{
	ssize_t n;
	do
		n = read(in->fd, in->data, in->capacity);
	while (n > 0 || (n < 0 && errno == EINTR));
}

int input_answer(const struct input *in, struct wire_writer *w)
{
	size_t at = 0;
	while (!w->failed && at < w->size) {
		ssize_t n = write(in->fd, w->data + at, w->size - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		at += (size_t)n;
	}
	int result = w->failed || at < w->size ? -1 : 0;
	wire_release(w);
	return result;
}

int input_start(struct input *in)
{
	in->data = malloc(BUFFER);
	in->capacity = BUFFER;
	return in->data == NULL ? -1 : 0;
}

void input_end(struct input *in)
{
	free(in->data);
}
