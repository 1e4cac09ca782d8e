#include "context.h"

void text_add_bytes(struct text *t, const char *s, size_t size)
{
	size_t room = t->size - 1 - t->used;
	if (size > room) {
		size = room;
		t->truncated = true;
	}
	memcpy(t->data + t->used, s, size);
	t->used += size;
	t->data[t->used] = 0;
}

void text_add(struct text *t, const char *s)
{
	text_add_bytes(t, s, strlen(s));
}

void text_add_number(struct text *t, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);
	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	text_add_bytes(t, digits + at, sizeof(digits) - at);
}

void text_add_signed(struct text *t, int64_t n)
{
	if (n < 0)
		text_add(t, "-");
	text_add_number(t, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

bool text_read_number(const char **s, uint64_t *n)
{
	const char *at = *s;
	uint64_t v = 0;
	while (*at >= '0' && *at <= '9') {
		if (v > (UINT64_MAX - 9) / 10)
			return false;
		v = v * 10 + (uint64_t)(*at++ - '0');
	}
	if (at == *s)
		return false;
	*s = at;
	*n = v;
	return true;
}
