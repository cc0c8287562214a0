/*
 * source.h - the text of a file: which characters it may hold, where its lines
 * begin
 */
#ifndef TW_SPEC_SOURCE_H
#define TW_SPEC_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "spec/diag.h"

struct tw_source {
	char *text;		/* owned copy, without a byte order mark */
	size_t len;
	size_t *lines;		/* owned; offset of each line */
	size_t nlines;		/* at least 1 */
};

/* Copies text, checks it and finds its lines.  False: problems in ds (or no
 * memory, which ds says too); the source is then empty. */
bool tw_source_init(struct tw_source *s, const char *text, size_t len,
    size_t max, struct tw_diags *ds);
void tw_source_release(struct tw_source *s);

/* The bytes of a line (from 1, line break included); "" beyond the end. */
const char *tw_source_line(const struct tw_source *s, size_t line,
    size_t *len);

#endif
