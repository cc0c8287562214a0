/*
 * fill.h - texts with {{name}} in them
 *
 * A hole is "{{", blanks, a name, blanks, "}}"; "{{{{" stands for "{{" itself.
 * What comes into a hole is never looked at again.
 */
#ifndef TW_SPEC_FILL_H
#define TW_SPEC_FILL_H

#include <stdbool.h>
#include <stddef.h>

enum tw_hole_kind {
	TW_HOLE_NAME,
	TW_HOLE_BRACES,		/* "{{{{" */
	TW_HOLE_OPEN,		/* not closed on its line */
};

struct tw_hole {
	enum tw_hole_kind kind;
	size_t at, end;		/* its first byte, and the one after it */
	const char *name;	/* of TW_HOLE_NAME: without blanks, in s */
	size_t len;
};

/* The first hole of the n bytes at s that begins at from or later; false when
 * there is none. */
bool tw_hole_next(const char *s, size_t n, size_t from, struct tw_hole *out);

/* Whether a text has a hole of this name. */
bool tw_hole_names(const char *s, size_t n, const char *name);

#endif
