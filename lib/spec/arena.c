/* arena.c - memory that is freed all at once; see arena.h */
#include "spec/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK ((size_t)16 << 10)

struct tw_arena_chunk {
	struct tw_arena_chunk *next;
	size_t used;
	size_t size;
	max_align_t data[];
};

void *tw_arena_alloc(struct tw_arena *a, size_t n)
{
	const size_t unit = sizeof(max_align_t);
	struct tw_arena_chunk *c = a->head;
	size_t size;
	char *p;

	if (n > SIZE_MAX / 2)
		return NULL;
	n = (n + unit - 1) / unit * unit;
	if (!c || c->size - c->used < n) {
		size = n > CHUNK ? n : CHUNK;
		c = malloc(sizeof *c + size);
		if (!c)
			return NULL;
		c->used = 0;
		c->size = size;
		c->next = a->head;
		a->head = c;
	}
	p = (char *)c->data + c->used;
	c->used += n;
	memset(p, 0, n);
	return p;
}

char *tw_arena_copy(struct tw_arena *a, const char *s, size_t n)
{
	char *p = tw_arena_alloc(a, n + 1);

	if (p && n)
		memcpy(p, s, n);
	return p;
}

void tw_arena_release(struct tw_arena *a)
{
	struct tw_arena_chunk *c, *next;

	for (c = a->head; c; c = next) {
		next = c->next;
		free(c);
	}
	a->head = NULL;
}
