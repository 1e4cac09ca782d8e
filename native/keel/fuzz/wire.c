/*
 * libFuzzer target: decodes a frame's content twice. Both must agree, and everything that the decoder hands out must lie in the
 * frame or the arena: the sum over all of it reads every byte.
 */
#include <stdlib.h>

#include "../wire.gen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t sum(const void *data, size_t size, uint64_t start)
{
	const uint8_t *bytes = data;
	for (size_t i = 0; i < size; i++)
		start = start * 31 + bytes[i];
	return start;
}

/* Every list item and field was allocated whole: reading the arena and the message is in bounds, or the sanitizer tells. */
static uint64_t touch_program(const struct wire_program *p)
{
	uint64_t total = p->count;
	for (uint32_t i = 0; i < p->count; i++) {
		const struct wire_operation *o = &p->items[i];
		total += o->number;
		if (wire_operation_name(o->number) == NULL)
			abort();
		switch (o->number) {
		case OP_EXEC:
			for (uint32_t j = 0; j < o->u.exec.arguments.count; j++)
				total = sum(o->u.exec.arguments.items[j], strlen(o->u.exec.arguments.items[j]), total);
			for (uint32_t j = 0; j < o->u.exec.environment.count; j++)
				total = sum(o->u.exec.environment.items[j], strlen(o->u.exec.environment.items[j]), total);
			break;
		case OP_MOUNT:
			total = sum(o->u.mount.target, strlen(o->u.mount.target), total);
			for (uint32_t j = 0; j < o->u.mount.parameters.count; j++) {
				const struct wire_mount_parameter *m = &o->u.mount.parameters.items[j];
				total = sum(m->key, strlen(m->key), sum(m->value, strlen(m->value), total));
			}
			break;
		case OP_ID_MAP:
			for (uint32_t j = 0; j < o->u.id_map.uids.count; j++)
				total += o->u.id_map.uids.items[j].count;
			break;
		case OP_USER:
			for (uint32_t j = 0; j < o->u.user.groups.count; j++)
				total += o->u.user.groups.items[j];
			break;
		case OP_SECCOMP:
			total = sum(o->u.seccomp.program.data, o->u.seccomp.program.size, total);
			break;
		default:
			break;
		}
	}
	return total;
}

static uint64_t touch_xattrs(const struct wire_list_xattr *list, uint64_t total)
{
	for (uint32_t i = 0; i < list->count; i++)
		total = sum(list->items[i].value.data, list->items[i].value.size,
			    sum(list->items[i].name, strlen(list->items[i].name), total));
	return total;
}

static bool decode(const uint8_t *data, size_t size, uint64_t *total)
{
	struct wire_arena arena = { 0 };
	struct wire_message m;
	bool good = wire_decode_message(data, size, &arena, &m);
	*total = m.request + m.kind;
	if (good) {
		switch (m.kind) {
		case MSG_EXECUTE:
			*total += touch_program(&m.u.execute.program);
			break;
		case MSG_CREATE:
			*total += touch_program(&m.u.create.program) + touch_program(&m.u.create.exit_program);
			*total = sum(m.u.create.state_directory, strlen(m.u.create.state_directory), *total);
			break;
		case MSG_EXEC:
			*total += touch_program(&m.u.exec.program);
			break;
		case MSG_INPUT:
			*total = sum(m.u.input.data.data, m.u.input.data.size, *total);
			break;
		case MSG_APPLY_DATA:
			*total = sum(m.u.apply_data.data.data, m.u.apply_data.data.size, *total);
			break;
		case MSG_APPLY_DIRECTORY:
			*total = touch_xattrs(&m.u.apply_directory.xattrs, *total);
			break;
		case MSG_APPLY_FILE:
			*total = touch_xattrs(&m.u.apply_file.xattrs, *total);
			break;
		default:
			break;
		}
	}
	wire_free(&arena);
	return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t first, second;
	/* A copy of just that size: reading behind its end is seen. */
	uint8_t *copy = malloc(size == 0 ? 1 : size);
	memcpy(copy, data, size);
	bool good = decode(copy, size, &first);
	if (decode(copy, size, &second) != good || first != second)
		abort();
	free(copy);
	return 0;
}
