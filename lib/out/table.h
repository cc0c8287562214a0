/*
 * table.h - rows to people, JSON, TSV: one array of columns drives them all
 *
 * A tool describes each of its lists by one array of struct tw_column; the
 * headings, -o, --list-columns, --json, --tsv and the man page all come from
 * it.  Rows are kept until they are printed, selected columns only.
 *
 * Unless -o says otherwise people and -0 get the default columns, JSON and TSV
 * all of them: programs must not notice when the defaults change.
 *
 *            people            JSON               TSV, -0
 * text       escaped           string (U+FFFD)    raw; in TSV \t \n \r \\
 * word       translated        as text            as text
 * int        right-aligned     number             digits
 * bool       yes / no          true / false       true / false
 * time       local             RFC 3339 UTC       RFC 3339 UTC
 * span       "1.2s"            milliseconds       milliseconds
 * ratio      "12.5%"            number 0.125       digits
 * JSON       compact text      the value          compact text
 * null       -                 null               empty
 *
 * Headings and helps are looked up in the reader's language where people are
 * to read them, and so are words: texts of few values that are ours, marked
 * NC_("word", "…") where they are made.  On a terminal TSV and -0 escape text
 * too, and JSON is pure ASCII.
 */
#ifndef TW_OUT_TABLE_H
#define TW_OUT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"	/* N_(), for columns */

enum tw_column_type {
	TW_COL_TEXT,
	TW_COL_WORD,
	TW_COL_INT,
	TW_COL_BOOL,
	TW_COL_TIME,
	TW_COL_SPAN,
	TW_COL_RATIO,
	TW_COL_JSON,
};

struct tw_column {		/* arrays end with a NULL name */
	const char *name;	/* of -o, JSON and TSV: [a-z_] */
	const char *title;	/* of the table's heading */
	enum tw_column_type type;
	bool is_default;
	const char *help;	/* one line, no full stop */
};

enum tw_table_mode {
	TW_TABLE_PEOPLE,
	TW_TABLE_JSON,
	TW_TABLE_TSV,
	TW_TABLE_NUL,		/* the first column, each value NUL-ended */
};

struct tw_table_options {
	enum tw_table_mode mode;
	const char *output;	/* "COL,…", "+COL,…" (more than default), NULL */
	bool all_columns;	/* the default is all, for a single thing */
	bool no_headings;
	const char *noun;	/* JSON: the array's key, "hosts" */
	size_t width;		/* columns of the terminal; 0: ask it */
};

struct tw_table;

/* TW_USAGE: unknown column (the nearest offered) or one named twice.  Columns
 * and options->noun must outlive the table; the rest is copied. */
enum tw_status tw_table_new(const struct tw_column *columns,
    const struct tw_table_options *options, struct tw_table **out,
    struct tw_err *err);
void tw_table_free(struct tw_table *t);

/* True when the column, an index of the array, will be shown: lets a caller
 * skip what is costly to find out. */
bool tw_table_wants(const struct tw_table *t, size_t col);

/*
 * Cells of the row that is being made, in any order; one not set is null.  The
 * call must fit the column's type (a word is set as a text).  Text is copied; a
 * NULL text is null, and so
 * is a time of 0.  Lack of memory shows at tw_table_row_end() or print.
 */
void tw_table_cell_text(struct tw_table *t, size_t col, const char *s);
void tw_table_cell_bytes(struct tw_table *t, size_t col, const void *p,
    size_t n);
void tw_table_cell_buf(struct tw_table *t, size_t col,
    const struct tw_buf *b);	/* one that failed shows at the end too */
void tw_table_cell_int(struct tw_table *t, size_t col, int64_t n);
void tw_table_cell_bool(struct tw_table *t, size_t col, bool yes);
void tw_table_cell_time(struct tw_table *t, size_t col, int64_t time);
void tw_table_cell_span(struct tw_table *t, size_t col, int64_t span);
/* part of whole, to the millionth; of nothing it is null. */
void tw_table_cell_ratio(struct tw_table *t, size_t col, int64_t part,
    int64_t whole);
/* s is JSON text ("" and NULL: null); text that is not is kept as a string. */
void tw_table_cell_json(struct tw_table *t, size_t col, const char *s);
void tw_table_cell_null(struct tw_table *t, size_t col);
enum tw_status tw_table_row_end(struct tw_table *t, struct tw_err *err);

/* All rows as one list: {"schema":1,"NOUN":[…]} in JSON.  Write errors are
 * found by tw_out_close(). */
enum tw_status tw_table_print(struct tw_table *t, FILE *f,
    struct tw_err *err);
/* The rows as they are, each on its own, and forgets them: an object a line in
 * JSON; in TSV lines with the headings once at the beginning, for people lines
 * of blank-separated cells without headings.  For streams; may be repeated. */
enum tw_status tw_table_stream(struct tw_table *t, FILE *f,
    struct tw_err *err);
/* The rows as single things (there is one as a rule): {"schema":1,…} in JSON,
 * "TITLE: value" lines for people, else as tw_table_print(). */
enum tw_status tw_table_show(struct tw_table *t, FILE *f,
    struct tw_err *err);
/* Appends the rows as a JSON array, whatever the mode: a value for
 * tw_table_cell_json() of another table. */
enum tw_status tw_table_array(struct tw_table *t, struct tw_buf *b,
    struct tw_err *err);

/* --list-columns: the columns themselves as a table. */
enum tw_status tw_table_list_columns(const struct tw_column *columns,
    const struct tw_table_options *options, FILE *f, struct tw_err *err);

/* "text", "int"…: the type's name in --list-columns. */
const char *tw_column_type_name(enum tw_column_type type);

/* Appends n bytes as a JSON string, quotes included. */
void tw_json_text(struct tw_buf *b, const void *p, size_t n);

#endif
