/* Bytes that wait until a descriptor takes them. */
#ifndef KEEL_QUEUE_H
#define KEEL_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialised is empty. Holds no memory while it is empty. */
struct queue {
	uint8_t *data;
	size_t head; /* first byte not yet written */
	size_t tail;
	size_t capacity;
};

static inline size_t queue_size(const struct queue *queue)
{
	return queue->tail - queue->head;
}

/* Appends. Returns false when out of memory; nothing is appended then. */
bool queue_put(struct queue *queue, const void *data, size_t size);

/*
 * Writes as much as a non-blocking descriptor takes. Returns 0 when it is empty or the descriptor is full, -1 with errno
 * when writing failed.
 */
int queue_write(struct queue *queue, int fd);

/* Forgets all. */
void queue_clear(struct queue *queue);

#endif
