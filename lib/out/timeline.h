/*
 * timeline.h - what ran where and when, as an SVG picture
 *
 * A row a host, a bar a change.  How it ended shows by colour, by pattern and,
 * where it did not succeed, by a mark above the bar, so that it can be told
 * without colours and where a bar is but a hair.  Light or dark follows the
 * reader's preference, words are in his language.  Text of any bytes is made
 * safe: control characters are shown, markup is quoted.
 */
#ifndef TW_OUT_TIMELINE_H
#define TW_OUT_TIMELINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define TW_TIMELINE_ROWS 200	/* more hosts are counted, not drawn */

enum tw_timeline_kind {		/* in the order of the legend */
	TW_BAR_SUCCEEDED,
	TW_BAR_ROLLED_BACK,
	TW_BAR_FAILED,
	TW_BAR_CANCELLED,
	TW_BAR_LOST,
	TW_BAR_RUNNING,
};
#define TW_BAR_KINDS (TW_BAR_RUNNING + 1)

struct tw_timeline_bar {
	const char *row;	/* the host */
	enum tw_timeline_kind kind;
	int64_t from, to;	/* cut to the picture */
	const char *tip;	/* shown on hovering; lines end with \n */
};

struct tw_timeline {
	int64_t since, until;	/* since < until */
	const struct tw_timeline_bar *bars;
	size_t n;
	const char *note;	/* what isn't shown, or NULL */
};

/* Appends the picture to b. */
enum tw_status tw_timeline_draw(const struct tw_timeline *t, struct tw_buf *b,
    struct tw_err *err);

#endif
