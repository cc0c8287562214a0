/*
 * escape.h - bytes from hosts made safe for a terminal
 *
 * What could move the cursor, change the terminal, reorder or hide text is
 * shown as an escape: bytes of invalid UTF-8 and control characters as \xNN,
 * other characters as \uNNNN.  Newlines and tabs stay, "\r\n" becomes a
 * newline.  A backslash stays as it is: this is for eyes, not for parsing.
 */
#ifndef TW_OUT_ESCAPE_H
#define TW_OUT_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define TW_ESCAPE_ONE_LINE 1	/* newline and tab become \n and \t */
#define TW_ESCAPE_ASCII 2	/* all beyond ASCII becomes \uNNNN */

/* A text in pieces; zeroed it is at the beginning. */
struct tw_escape {
	unsigned flags;
	unsigned char part[4];	/* an unfinished UTF-8 sequence */
	unsigned npart;
	bool cr;		/* a \r waits for what follows it */
};

/* Appends the safe form of the next n bytes to out (sticky failure there).  A
 * character split between two calls is kept until it is whole. */
void tw_escape_add(struct tw_escape *e, const void *p, size_t n,
    struct tw_buf *out);
/* Appends what was still waiting; e is at the beginning again. */
void tw_escape_end(struct tw_escape *e, struct tw_buf *out);

/* In one go. */
void tw_escape(const void *p, size_t n, unsigned flags, struct tw_buf *out);

/* The same for a text that is UTF-8 no matter what: invalid bytes become
 * U+FFFD, everything else stays (for JSON). */
void tw_escape_utf8(const void *p, size_t n, struct tw_buf *out);

/* TW_ESCAPE_ASCII when the locale is not UTF-8, else 0. */
unsigned tw_escape_locale(void);

/* Columns that a safe one-line UTF-8 text takes on a terminal. */
size_t tw_escape_width(const char *s);
/* Appends the safe one-line form of s, cut to at most this many columns, its
 * end then marked "~". */
void tw_escape_cut(const char *s, size_t columns, unsigned flags,
    struct tw_buf *out);

#endif
