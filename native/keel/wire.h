/*
 * Reading and writing frames. The messages themselves are in wire.gen.h.
 *
 * The reader never reads past its end and never trusts a count: a list's items are allocated only when the bytes
 * for them can be there. After the first malformed byte it only gives zeros, and `failed` stays set.
 */
#ifndef KEEL_WIRE_H
#define KEEL_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct wire_bytes {
	const uint8_t *data;
	uint32_t size;
};

/* Memory for one message's lists, freed at once. Zero-initialised is empty. */
struct wire_arena {
	struct wire_chunk *chunks;
	size_t total;
};

void *wire_alloc(struct wire_arena *arena, size_t size);
void wire_free(struct wire_arena *arena);

struct wire_reader {
	const uint8_t *next;
	const uint8_t *end;
	struct wire_arena *arena;
	bool failed;
};

uint8_t wire_read_u8(struct wire_reader *r);
uint16_t wire_read_u16(struct wire_reader *r);
uint32_t wire_read_u32(struct wire_reader *r);
int32_t wire_read_i32(struct wire_reader *r);
uint64_t wire_read_u64(struct wire_reader *r);
int64_t wire_read_i64(struct wire_reader *r);
bool wire_read_bool(struct wire_reader *r);
/* Points into the frame; never NULL. */
const char *wire_read_string(struct wire_reader *r);
struct wire_bytes wire_read_bytes(struct wire_reader *r);
/* Zeroed room for `*count` items of `size` bytes, which it reads the number of. */
void *wire_read_list(struct wire_reader *r, size_t size, uint32_t *count);

/* A growing buffer of whole frames. Zero-initialised is empty; running out of memory sets `failed`. */
struct wire_writer {
	uint8_t *data;
	size_t size;
	size_t capacity;
	bool failed;
};

size_t wire_begin(struct wire_writer *w, uint32_t request, uint16_t kind);
void wire_finish(struct wire_writer *w, size_t start);
void wire_release(struct wire_writer *w);
/* Appends bytes of a frame as they are. */
void wire_write_frame(struct wire_writer *w, const uint8_t *data, size_t size);
void wire_write_u8(struct wire_writer *w, uint8_t v);
void wire_write_u16(struct wire_writer *w, uint16_t v);
void wire_write_u32(struct wire_writer *w, uint32_t v);
void wire_write_i32(struct wire_writer *w, int32_t v);
void wire_write_u64(struct wire_writer *w, uint64_t v);
void wire_write_i64(struct wire_writer *w, int64_t v);
void wire_write_bool(struct wire_writer *w, bool v);
void wire_write_string(struct wire_writer *w, const char *v);
void wire_write_bytes(struct wire_writer *w, struct wire_bytes v);

#endif
