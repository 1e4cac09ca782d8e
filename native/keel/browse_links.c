#include <stdlib.h>
#include <string.h>

#include "browse_tree.h"

static struct browse_link *slot(struct browse_link *slots, size_t capacity, uint64_t device, uint64_t inode)
{
	size_t i = (size_t)((inode ^ (device << 32)) * 0x9e3779b97f4a7c15u >> 20) & (capacity - 1);
	while (slots[i].path != NULL && (slots[i].device != device || slots[i].inode != inode))
		i = (i + 1) & (capacity - 1);
	return &slots[i];
}

static bool grow(struct browse_links *links)
{
	size_t capacity = links->capacity == 0 ? 256 : links->capacity * 2;
	struct browse_link *grown = calloc(capacity, sizeof(*grown));
	if (grown == NULL)
		return false;
	for (size_t i = 0; i < links->capacity; i++) {
		const struct browse_link *old = &links->slots[i];
		if (old->path != NULL)
			*slot(grown, capacity, old->device, old->inode) = *old;
	}
	free(links->slots);
	links->slots = grown;
	links->capacity = capacity;
	return true;
}

const char *browse_linked(struct browse_links *links, const struct stat *st, const char *path, bool *failed)
{
	*failed = true;
	if ((links->count + 1) * 2 > links->capacity && !grow(links))
		return NULL;
	struct browse_link *place = slot(links->slots, links->capacity, st->st_dev, st->st_ino);
	if (place->path == NULL) {
		place->path = strdup(path);
		if (place->path == NULL)
			return NULL;
		place->device = st->st_dev;
		place->inode = st->st_ino;
		links->count += 1;
		*failed = false;
		return NULL;
	}
	*failed = false;
	return place->path;
}

void browse_forget_links(struct browse_links *links)
{
	for (size_t i = 0; i < links->capacity; i++)
		free(links->slots[i].path);
	free(links->slots);
	*links = (struct browse_links){ .slots = NULL };
}
