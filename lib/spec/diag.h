/*
 * diag.h - the problems found in a file, all of them, with positions
 *
 * Whoever reads a file adds what is wrong with it to a list and goes on, so
 * that a person sees everything at once.  The list keeps itself sorted by
 * position, keeps the first TW_DIAG_KEPT and counts the rest, and drops exact
 * repetitions.  Formats and hints are looked up in the reader's language here
 * (base/text.h).  It never prints: tw_diags_print() makes the text.
 *
 * A zeroed struct tw_diags is valid and empty.  Not finding memory is sticky
 * and comes out of tw_diags_check().
 */
#ifndef TW_SPEC_DIAG_H
#define TW_SPEC_DIAG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define TW_DIAG_KEPT 100	/* problems kept in a list */
#define TW_DIAG_CUT 60		/* characters quoted from a file */

struct tw_diag {
	const char *file;	/* borrowed from the list, or NULL */
	size_t line;		/* from 1; 0: no position */
	size_t col;		/* in characters, from 1 */
	char *msg;		/* owned; lower case, no full stop; English */
	char *said;		/* owned; msg in the reader's language, or
				 * NULL: English */
	char *hint;		/* owned; what to do, or NULL */
};

struct tw_diags {
	const char *file;	/* name for problems added from now on, or
				 * NULL; must outlive the list */
	struct tw_diag *v;	/* owned; sorted by file, line and column */
	size_t n;
	size_t more;		/* how many were not kept */
	bool failed;		/* found no memory */
};

/* Adds a problem; line 0 where there is no position; hint may be NULL.
 * Whatever comes from a file goes through tw_quote() first. */
void tw_diags_add(struct tw_diags *ds, size_t line, size_t col,
    const char *hint, const char *fmt, ...) TW_PRINTF(5, 6);

/* The same of a text that was put together, and what it is in the reader's
 * language; both may hold parts (W_). */
void tw_diags_add_text(struct tw_diags *ds, size_t line, size_t col,
    const char *hint, const char *msg, const char *said);

/* What is wrong, for a person. */
const char *tw_diag_text(const struct tw_diag *d);

/* Appends "FILE:LINE:COL: what" lines, each with its "hint: ..." line, and
 * "and N more" at the end where some were not kept. */
void tw_diags_print(const struct tw_diags *ds, struct tw_buf *out);

/* TW_OK for an empty list; else status (TW_DATA, TW_USAGE) with the first
 * problem and the count of the others as the message; TW_NOMEM. */
enum tw_status tw_diags_check(const struct tw_diags *ds,
    enum tw_status status, struct tw_err *err);

void tw_diags_release(struct tw_diags *ds);

/* Room for TW_DIAG_CUT characters, two quotes, an ellipsis and the NUL. */
struct tw_quote {
	char s[TW_DIAG_CUT * 4 + 8];
};

/* 'TEXT' for a message: n bytes made safe to show and cut; returns q->s. */
const char *tw_quote(struct tw_quote *q, const char *s, size_t n);

/* Appends n bytes made safe to show on a terminal, at most max characters and
 * an ellipsis (0: all of them): what is not UTF-8 or not plain becomes \xNN,
 * byte by byte. */
void tw_diag_escape(struct tw_buf *out, const char *s, size_t n, size_t max);

#endif
