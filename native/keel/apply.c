#include "apply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apply_layer.h"
#include "input.h"

static int protocol_error(struct layer *l)
{
	errno = EPROTO;
	return layer_fail(l, "read", "");
}

int layer_entry(struct layer *l, const struct wire_message *m)
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

/* What says of files that they may not be on the disk yet goes when they are. Nobody waits for that. */
static void settle(const struct layer *l, const struct wire_list_string *marks)
{
	if (marks->count == 0 || syncfs(l->root) < 0)
		return;
	for (uint32_t i = 0; i < marks->count; i++)
		unlink(marks->items[i]);
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
		int ready = input_next(in, &data, &size);
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
			result = layer_entry(l, &message);
		}
		uint32_t error = (uint32_t)errno;
		if (result == 0 && message.kind == MSG_APPLY_FINISH) {
			wire_encode_done(&reply, message.request);
			finished = input_answer(in, &reply) == 0;
			if (finished)
				settle(l, &message.u.apply_finish.marks);
		}
		wire_free(&arena);
		if (result < 0) {
			int32_t at = ready > 0 && message.kind != MSG_APPLY_FINISH ? step : -1;
			wire_encode_failed(&reply, message.request, at, error, l->syscall, l->detail);
			input_answer(in, &reply);
			input_drain(in);
			return false;
		}
		if (message.kind == MSG_APPLY_FINISH && !finished)
			return false;
	}
}

struct layer *layer_new(void)
{
	struct layer *l = calloc(1, sizeof(*l));
	if (l == NULL)
		return NULL;
	l->root = l->file.fd = l->file.directory = -1;
	for (size_t i = 0; i < LAYER_PARENTS; i++)
		l->parents[i].fd = -1;
	return l;
}

int apply_main(int socket)
{
	struct input in = { .fd = socket };
	struct layer *l = layer_new();
	bool finished = false;
	if (input_start(&in) == 0 && l != NULL) {
		umask(0);
		finished = run(&in, l);
		layer_close(l);
	}
	free(l);
	input_end(&in);
	return finished ? 0 : 1;
}
