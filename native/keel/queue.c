#include "queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SMALLEST 4096u

bool queue_put(struct queue *queue, const void *data, size_t size)
{
	if (size == 0)
		return true;
	if (queue->capacity - queue->tail < size) {
		size_t held = queue_size(queue);
		/* Moving is worth it once half of the room lies before the head: then each byte moves once on average. */
		if (queue->head >= queue->capacity / 2 && queue->capacity - held >= size) {
			memmove(queue->data, queue->data + queue->head, held);
		} else {
			size_t capacity = queue->capacity == 0 ? SMALLEST : queue->capacity;
			while (capacity - held < size)
				capacity *= 2;
			uint8_t *grown = malloc(capacity);
			if (grown == NULL)
				return false;
			if (held > 0)
				memcpy(grown, queue->data + queue->head, held);
			free(queue->data);
			queue->data = grown;
			queue->capacity = capacity;
		}
		queue->head = 0;
		queue->tail = held;
	}
	memcpy(queue->data + queue->tail, data, size);
	queue->tail += size;
	return true;
}

int queue_write(struct queue *queue, int fd)
{
	while (queue_size(queue) > 0) {
		ssize_t n = write(fd, queue->data + queue->head, queue_size(queue));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -1;
		queue->head += (size_t)n;
	}
	queue_clear(queue);
	return 0;
}

void queue_clear(struct queue *queue)
{
	free(queue->data);
	memset(queue, 0, sizeof(*queue));
}
