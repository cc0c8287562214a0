/*
 * arena.h - memory that is freed all at once
 *
 * A zeroed struct tw_arena is valid and empty.
 */
#ifndef TW_SPEC_ARENA_H
#define TW_SPEC_ARENA_H

#include <stddef.h>

struct tw_arena_chunk;

struct tw_arena {
	struct tw_arena_chunk *head;	/* owned */
};

/* n zeroed bytes, aligned for any object; NULL: no memory.  They live until
 * tw_arena_release(). */
void *tw_arena_alloc(struct tw_arena *a, size_t n);
/* A NUL-terminated copy of n bytes; NULL: no memory. */
char *tw_arena_copy(struct tw_arena *a, const char *s, size_t n);
/* Frees everything; the arena is empty then. */
void tw_arena_release(struct tw_arena *a);

#endif
