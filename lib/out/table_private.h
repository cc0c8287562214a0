/*
 * table_private.h - the inside of a table, shared by table.c (which collects)
 * and table_print.c (which prints); nobody else includes it
 */
#ifndef TW_OUT_TABLE_PRIVATE_H
#define TW_OUT_TABLE_PRIVATE_H

#include "out/table.h"

#define TW_TABLE_RATIO_ONE 1000000	/* the number that means 1 */

struct table_cell {
	bool is_set;		/* else null */
	int64_t number;		/* int, bool, time, span, ratio */
	char *text;		/* text, JSON; owned, NUL-terminated */
	size_t len;
};

struct tw_table {
	const struct tw_column *columns;
	size_t ncolumns;
	struct tw_table_options options;	/* .output is not kept */
	size_t *selected;	/* indices of columns, in order */
	size_t nselected;
	size_t *slot;		/* column to place in selected, or SIZE_MAX */
	struct table_cell *cells;	/* nrows * nselected and one row more */
	size_t nrows, capacity;		/* rows */
	bool nomem;
	bool has_headings;	/* a stream's are printed */
};

/* Frees the rows from the first on, n of them, and closes up. */
void tw_table_drop_rows(struct tw_table *t, size_t n);

#endif
