#include "wire.h"

#include <stdlib.h>

/* Lists of one message may take this much; the largest frame of ordinary operations needs far less. */
#define ARENA_LIMIT (64u << 20)
#define CHUNK_SIZE (16u << 10)

struct wire_chunk {
	struct wire_chunk *next;
	size_t used;
	size_t size;
	_Alignas(16) uint8_t data[];
};

void *wire_alloc(struct wire_arena *arena, size_t size)
{
	if (size > ARENA_LIMIT)
		return NULL;
	size = (size + 15) & ~(size_t)15;
	struct wire_chunk *c = arena->chunks;
	if (c == NULL || c->size - c->used < size) {
		size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
		if (arena->total + room > ARENA_LIMIT)
			return NULL;
		c = malloc(sizeof(*c) + room);
		if (c == NULL)
			return NULL;
		c->next = arena->chunks;
		c->used = 0;
		c->size = room;
		arena->chunks = c;
		arena->total += room;
	}
	void *p = c->data + c->used;
	c->used += size;
	memset(p, 0, size);
	return p;
}

void wire_free(struct wire_arena *arena)
{
	while (arena->chunks != NULL) {
		struct wire_chunk *next = arena->chunks->next;
		free(arena->chunks);
		arena->chunks = next;
	}
	arena->total = 0;
}

static const uint8_t *take(struct wire_reader *r, size_t size)
{
	if (r->failed || (size_t)(r->end - r->next) < size) {
		r->failed = true;
		return NULL;
	}
	const uint8_t *p = r->next;
	r->next += size;
	return p;
}

/* x86-64 and aarch64 are little endian, as the wire is: a copy is the value. */
#define READ(type, name)                                   \
	type wire_read_##name(struct wire_reader *r)       \
	{                                                  \
		type v = 0;                                \
		const uint8_t *p = take(r, sizeof(v));     \
		if (p != NULL)                             \
			memcpy(&v, p, sizeof(v));          \
		return v;                                  \
	}

READ(uint8_t, u8)
READ(uint16_t, u16)
READ(uint32_t, u32)
READ(int32_t, i32)
READ(uint64_t, u64)
READ(int64_t, i64)

bool wire_read_bool(struct wire_reader *r)
{
	uint8_t v = wire_read_u8(r);
	if (v > 1)
		r->failed = true;
	return v == 1;
}

const char *wire_read_string(struct wire_reader *r)
{
	uint32_t size = wire_read_u32(r);
	const uint8_t *p = take(r, (size_t)size + 1);
	if (p == NULL)
		return "";
	if (p[size] != 0 || memchr(p, 0, size) != NULL) {
		r->failed = true;
		return "";
	}
	return (const char *)p;
}

struct wire_bytes wire_read_bytes(struct wire_reader *r)
{
	struct wire_bytes v = { .data = (const uint8_t *)"", .size = 0 };
	uint32_t size = wire_read_u32(r);
	const uint8_t *p = take(r, size);
	if (p != NULL) {
		v.data = p;
		v.size = size;
	}
	return v;
}

void *wire_read_list(struct wire_reader *r, size_t size, uint32_t *count)
{
	*count = 0;
	uint32_t n = wire_read_u32(r);
	/* The smallest item, an operation without fields, takes two bytes. */
	if (r->failed || n > (size_t)(r->end - r->next) / 2) {
		r->failed = true;
		return NULL;
	}
	if (n == 0)
		return NULL;
	void *items = wire_alloc(r->arena, (size_t)n * size);
	if (items == NULL) {
		r->failed = true;
		return NULL;
	}
	*count = n;
	return items;
}

static void put(struct wire_writer *w, const void *data, size_t size)
{
	if (w->failed)
		return;
	if (w->capacity - w->size < size) {
		size_t capacity = w->capacity == 0 ? 512 : w->capacity * 2;
		while (capacity - w->size < size)
			capacity *= 2;
		uint8_t *grown = realloc(w->data, capacity);
		if (grown == NULL) {
			w->failed = true;
			return;
		}
		w->data = grown;
		w->capacity = capacity;
	}
	if (size > 0)
		memcpy(w->data + w->size, data, size);
	w->size += size;
}

size_t wire_begin(struct wire_writer *w, uint32_t request, uint16_t kind)
{
	size_t start = w->size;
	wire_write_u32(w, 0);
	wire_write_u32(w, request);
	wire_write_u16(w, kind);
	return start;
}

void wire_finish(struct wire_writer *w, size_t start)
{
	if (w->failed)
		return;
	uint32_t length = (uint32_t)(w->size - start - sizeof(length));
	memcpy(w->data + start, &length, sizeof(length));
}

void wire_release(struct wire_writer *w)
{
	free(w->data);
	memset(w, 0, sizeof(*w));
}

void wire_write_frame(struct wire_writer *w, const uint8_t *data, size_t size)
{
	put(w, data, size);
}

#define WRITE(type, name)                                          \
	void wire_write_##name(struct wire_writer *w, type v)      \
	{                                                          \
		put(w, &v, sizeof(v));                             \
	}

WRITE(uint8_t, u8)
WRITE(uint16_t, u16)
WRITE(uint32_t, u32)
WRITE(int32_t, i32)
WRITE(uint64_t, u64)
WRITE(int64_t, i64)

void wire_write_bool(struct wire_writer *w, bool v)
{
	wire_write_u8(w, v ? 1 : 0);
}

void wire_write_string(struct wire_writer *w, const char *v)
{
	size_t size = strlen(v);
	wire_write_u32(w, (uint32_t)size);
	put(w, v, size + 1);
}

void wire_write_bytes(struct wire_writer *w, struct wire_bytes v)
{
	wire_write_u32(w, v.size);
	put(w, v.data, v.size);
}
