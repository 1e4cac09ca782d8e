#include "apply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apply_layer.h"

/* Fits what a socket pair holds, and the processor's cache; a larger frame makes it grow. */
#define BUFFER (256u << 10)
/* Length, request id, kind. */
#define PREFIX 4u
#define HEADER 6u

struct input {
	int fd;
	uint8_t *data;
	size_t capacity;
	size_t start; /* of what was read and is not used */
	size_t end;
};

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

/* The next frame's content, which stays until the next call. Returns like need(). */
static int next_frame(struct input *in, const uint8_t **data, size_t *size)
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

/* Ends with the client: one that still sends would otherwise get a broken pipe, and not see the answer. */
static void drain(struct input *in)
{
	ssize_t n;
	do
		n = read(in->fd, in->data, in->capacity);
	while (n > 0 || (n < 0 && errno == EINTR));
}

static int send_all(int fd, struct wire_writer *w)
{
	size_t at = 0;
	while (!w->failed && at < w->size) {
		ssize_t n = write(fd, w->data + at, w->size - at);
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

static int protocol_error(struct layer *l)
{
	errno = EPROTO;
	return layer_fail(l, "read", "");
}

static int make(struct layer *l, const struct wire_message *m)
{
	bool content = m->kind == MSG_APPLY_DATA || m->kind == MSG_APPLY_END;
	if ((l->root < 0) != (m->kind == MSG_APPLY_OPEN) || (l->file.fd >= 0) != content)
		return protocol_error(l);
	switch (m->kind) {
	case MSG_APPLY_OPEN:
		return layer_open(l, &m->u.apply_open);
	case MSG_APPLY_DIRECTORY:
		return layer_directory(l, &m->u.apply_directory);
	case MSG_APPLY_FILE:
		return layer_file(l, &m->u.apply_file);
	case MSG_APPLY_DATA:
		return layer_data(l, &m->u.apply_data);
	case MSG_APPLY_END:
		return layer_end(l);
	case MSG_APPLY_SYMLINK:
		return layer_symlink(l, &m->u.apply_symlink);
	case MSG_APPLY_HARDLINK:
		return layer_hardlink(l, &m->u.apply_hardlink);
	case MSG_APPLY_NODE:
		return layer_node(l, &m->u.apply_node);
	case MSG_APPLY_WHITEOUT:
		return layer_whiteout(l, &m->u.apply_whiteout);
	case MSG_APPLY_OPAQUE:
		return layer_opaque(l, &m->u.apply_opaque);
	case MSG_APPLY_FINISH:
		return layer_finish(l, &m->u.apply_finish);
	default:
		return protocol_error(l);
	}
}

/* Reads and makes entries until the end, or until one fails. True when the layer is finished. */
static bool run(struct input *in, struct layer *l)
{
	struct wire_message message = { .request = 0 };
	struct wire_writer reply = { .data = NULL };
	const uint8_t *data;
	size_t size;
	int32_t step = -1; /* of the entry that is being made */
	bool finished = false;
	for (;;) {
		struct wire_arena arena = { .chunks = NULL };
		int ready = next_frame(in, &data, &size);
		if (ready == 0)
			return finished;
		int result = -1;
		if (ready < 0)
			layer_fail(l, "read", "");
		else if (finished || !wire_decode_message(data, size, &arena, &message))
			protocol_error(l);
		else {
			if (message.kind != MSG_APPLY_OPEN && message.kind != MSG_APPLY_DATA &&
			    message.kind != MSG_APPLY_END && message.kind != MSG_APPLY_FINISH)
				step += 1;
			result = make(l, &message);
		}
		uint32_t error = (uint32_t)errno;
		wire_free(&arena);
		if (result < 0) {
			int32_t at = ready > 0 && message.kind != MSG_APPLY_FINISH ? step : -1;
			wire_encode_failed(&reply, message.request, at, error, l->syscall, l->detail);
			send_all(in->fd, &reply);
			drain(in);
			return false;
		}
		if (message.kind != MSG_APPLY_FINISH)
			continue;
		wire_encode_done(&reply, message.request);
		if (send_all(in->fd, &reply) < 0)
			return false;
		finished = true;
	}
}

int apply_main(int socket)
{
	struct input in = { .fd = socket, .data = malloc(BUFFER), .capacity = BUFFER };
	struct layer *l = calloc(1, sizeof(*l));
	bool finished = false;
	if (in.data != NULL && l != NULL) {
		l->root = l->file.fd = -1;
		for (size_t i = 0; i < LAYER_PARENTS; i++)
			l->parents[i].fd = -1;
		umask(0);
		finished = run(&in, l);
		layer_close(l);
	}
	free(l);
	free(in.data);
	return finished ? 0 : 1;
}
