#include <errno.h>
#include <stdlib.h>

#include "apply_layer.h"

/*
 * FNV-1a over the name, from the directory's inode number. An image whose maker looks for a collision can at most keep a
 * name of a lower layer of the same image from being hidden.
 */
static uint64_t hash(uint64_t parent, const char *name)
{
	uint64_t h = (0xcbf29ce484222325u ^ parent) * 0x100000001b3u;
	for (; *name != '\0'; name++)
		h = (h ^ (uint8_t)*name) * 0x100000001b3u;
	h ^= h >> 32;
	return h == 0 ? 1 : h;
}

static uint64_t *slot(uint64_t *made, size_t capacity, uint64_t h)
{
	size_t i = (size_t)h & (capacity - 1);
	while (made[i] != 0 && made[i] != h)
		i = (i + 1) & (capacity - 1);
	return &made[i];
}

int layer_made(struct layer *l, uint64_t parent, const char *name)
{
	if (l->overlay || l->merge)
		return 0;
	if ((l->made_count + 1) * 2 > l->made_capacity) {
		size_t capacity = l->made_capacity == 0 ? 1024 : l->made_capacity * 2;
		uint64_t *grown = calloc(capacity, sizeof(*grown));
		if (grown == NULL)
			return layer_fail(l, "calloc", name);
		for (size_t i = 0; i < l->made_capacity; i++) {
			if (l->made[i] != 0)
				*slot(grown, capacity, l->made[i]) = l->made[i];
		}
		free(l->made);
		l->made = grown;
		l->made_capacity = capacity;
	}
	uint64_t h = hash(parent, name);
	uint64_t *place = slot(l->made, l->made_capacity, h);
	if (*place == 0)
		l->made_count += 1;
	*place = h;
	return 0;
}

bool layer_is_made(void *layer, uint64_t parent, const char *name)
{
	const struct layer *l = layer;
	return l->made_capacity > 0 && *slot(l->made, l->made_capacity, hash(parent, name)) != 0;
}
