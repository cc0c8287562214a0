/*
 * table_print.c - rows to people, JSON, TSV: the printing; see table.h
 *
 * JSON goes out a row at a time, so that a long list is never in memory twice.
 * Write errors are left to tw_out_close(): stdio remembers them.
 */
#include <inttypes.h>
#include <jansson.h>
#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"
#include "out/escape.h"
#include "out/table_private.h"

#define JSON_FLAGS (JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15))
#define DEFAULT_WIDTH 80

static const struct tw_column *column(const struct tw_table *t, size_t slot)
{
	return &t->columns[t->selected[slot]];
}

static const struct table_cell *cell(const struct tw_table *t, size_t row,
    size_t slot)
{
	return &t->cells[row * t->nselected + slot];
}

static bool is_terminal(FILE *f)
{
	return isatty(fileno(f));
}

static size_t terminal_width(const struct tw_table *t, FILE *f)
{
	struct winsize w;

	if (t->options.width)
		return t->options.width;
	if (!is_terminal(f))
		return 0;
	if (ioctl(fileno(f), TIOCGWINSZ, &w) < 0 || w.ws_col == 0)
		return DEFAULT_WIDTH;
	return w.ws_col;
}

static double ratio_of(const struct table_cell *c)
{
	return (double)c->number / TW_TABLE_RATIO_ONE;
}

/* A cell as people read it; b is empty before. */
static void put_people(const struct tw_column *col,
    const struct table_cell *c, struct tw_buf *b)
{
	char time[TW_TIME_MAX];
	const char *own;

	if (!c->is_set) {
		tw_buf_addc(b, '-');
		return;
	}
	switch (col->type) {
	case TW_COL_WORD:
		own = tw_text_in(TW_TEXT_WORD, c->text);
		tw_escape(own, strlen(own),
		    TW_ESCAPE_ONE_LINE | tw_escape_locale(), b);
		return;
	case TW_COL_TEXT:
	case TW_COL_JSON:
		tw_escape(c->text, c->len,
		    TW_ESCAPE_ONE_LINE | tw_escape_locale(), b);
		return;
	case TW_COL_INT:
		tw_buf_addf(b, "%" PRId64, c->number);
		return;
	case TW_COL_BOOL:
		tw_buf_adds(b, c->number ? tw_text_in("word", "yes") :
		    tw_text_in("word", "no"));
		return;
	case TW_COL_RATIO:
		tw_buf_addf(b, "%.1f%%", 100 * ratio_of(c));
		return;
	case TW_COL_TIME:
		tw_time_local(c->number, time);
		break;
	case TW_COL_SPAN:
		tw_span_format(c->number, time);
		break;
	default:
		abort();
	}
	tw_buf_adds(b, time);
}

/* A cell as programs read it, nothing escaped. */
static void put_plain(const struct tw_column *col,
    const struct table_cell *c, struct tw_buf *b)
{
	char time[TW_TIME_MAX];

	if (!c->is_set)
		return;
	switch (col->type) {
	case TW_COL_TEXT:
	case TW_COL_WORD:
	case TW_COL_JSON:
		tw_buf_add(b, c->text, c->len);
		return;
	case TW_COL_INT:
	case TW_COL_SPAN:
		tw_buf_addf(b, "%" PRId64, c->number);
		return;
	case TW_COL_RATIO:
		tw_buf_addf(b, "%g", ratio_of(c));
		return;
	case TW_COL_BOOL:
		tw_buf_adds(b, c->number ? "true" : "false");
		return;
	case TW_COL_TIME:
		tw_time_rfc3339(c->number, time);
		tw_buf_adds(b, time);
		return;
	default:
		abort();
	}
}

static json_t *json_string_of(const char *p, size_t n)
{
	struct tw_buf b = TW_BUF_INIT;
	json_t *j = NULL;

	tw_escape_utf8(p, n, &b);
	if (!b.failed)
		j = json_stringn_nocheck(tw_buf_str(&b), b.len);
	tw_buf_release(&b);
	return j;
}

/* The value of JSON text, or the text where it is none; NULL: no memory. */
static json_t *json_value_of(const char *p, size_t n)
{
	const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
	size_t mark = tw_json_mark();
	json_t *j = json_loadb(p, n, flags, NULL);

	return j || tw_json_missed(mark) ? j : json_string_of(p, n);
}

static json_t *json_of(const struct tw_column *col,
    const struct table_cell *c)
{
	char time[TW_TIME_MAX];

	if (!c->is_set)
		return json_null();
	switch (col->type) {
	case TW_COL_JSON:
		return json_value_of(c->text, c->len);
	case TW_COL_TEXT:
	case TW_COL_WORD:
		return json_string_of(c->text, c->len);
	case TW_COL_INT:
	case TW_COL_SPAN:
		return json_integer(c->number);
	case TW_COL_RATIO:
		return json_real(ratio_of(c));
	case TW_COL_BOOL:
		return json_boolean(c->number);
	case TW_COL_TIME:
		tw_time_rfc3339(c->number, time);
		return json_string(time);
	default:
		abort();
	}
}

/* A row as a JSON object's text, to be freed; NULL: no memory. */
static char *row_json(const struct tw_table *t, size_t row, bool has_schema,
    size_t flags)
{
	size_t i, mark = tw_json_mark();
	json_t *o = json_object();
	char *text = NULL;
	bool ok = o != NULL;

	if (ok && has_schema)
		ok = json_object_set_new(o, "schema", json_integer(1)) == 0;
	for (i = 0; ok && i < t->nselected; i++)
		ok = json_object_set_new(o, column(t, i)->name,
		    json_of(column(t, i), cell(t, row, i))) == 0;
	if (ok)
		text = tw_json_dump(o, JSON_FLAGS | flags, mark);
	json_decref(o);
	return text;
}

static enum tw_status print_objects(const struct tw_table *t, FILE *f,
    bool has_schema, const char *separator, struct tw_err *err)
{
	size_t i, flags = is_terminal(f) ? JSON_ENSURE_ASCII : 0;
	char *text;

	for (i = 0; i < t->nrows; i++) {
		text = row_json(t, i, has_schema, flags);
		if (!text)
			return tw_err_nomem(err);
		fprintf(f, "%s%s", text, i + 1 < t->nrows ? separator : "\n");
		free(text);
	}
	return TW_OK;
}

static enum tw_status print_json(const struct tw_table *t, FILE *f,
    struct tw_err *err)
{
	enum tw_status s;

	fprintf(f, "{\"schema\":1,\"%s\":[%s", t->options.noun,
	    t->nrows ? "\n" : "");
	s = print_objects(t, f, false, ",\n", err);
	if (!s)
		fputs("]}\n", f);
	return s;
}

/* What is left of a text once nothing in it ends a field or a line. */
static void put_tsv_text(const struct tw_buf *in, struct tw_buf *out)
{
	const char *from = "\t\n\r\\", *to = "tnr\\", *hit;
	size_t i;

	for (i = 0; i < in->len; i++) {
		hit = in->data[i] ? strchr(from, in->data[i]) : NULL;
		if (hit) {
			tw_buf_addc(out, '\\');
			tw_buf_addc(out, to[hit - from]);
		} else {
			tw_buf_addc(out, in->data[i]);
		}
	}
}

static void put_tsv_row(const struct tw_table *t, size_t row, bool safe,
    struct tw_buf *out)
{
	struct tw_buf one = TW_BUF_INIT, plain = TW_BUF_INIT;
	size_t i;

	for (i = 0; i < t->nselected; i++) {
		tw_buf_reset(&plain);
		tw_buf_reset(&one);
		put_plain(column(t, i), cell(t, row, i), &plain);
		put_tsv_text(&plain, &one);
		if (i)
			tw_buf_addc(out, '\t');
		if (safe)
			tw_escape(tw_buf_str(&one), one.len, 0, out);
		else
			tw_buf_add(out, tw_buf_str(&one), one.len);
		out->failed |= one.failed || plain.failed;
	}
	tw_buf_addc(out, '\n');
	tw_buf_release(&one);
	tw_buf_release(&plain);
}

static void put_nul_row(const struct tw_table *t, size_t row, bool safe,
    struct tw_buf *out)
{
	struct tw_buf plain = TW_BUF_INIT;

	if (!t->nselected)
		return;
	put_plain(column(t, 0), cell(t, row, 0), &plain);
	if (safe)
		tw_escape(tw_buf_str(&plain), plain.len, TW_ESCAPE_ONE_LINE,
		    out);
	else	/* what follows a NUL inside would look like a value */
		tw_buf_adds(out, tw_buf_str(&plain));
	out->failed |= plain.failed;
	tw_buf_addc(out, '\0');
	tw_buf_release(&plain);
}

static void put_people_line(const struct tw_table *t, size_t row, bool safe,
    struct tw_buf *out)
{
	struct tw_buf one = TW_BUF_INIT;
	size_t i;

	(void)safe;		/* people's cells always are */
	for (i = 0; i < t->nselected; i++) {
		tw_buf_reset(&one);
		put_people(column(t, i), cell(t, row, i), &one);
		tw_buf_addf(out, "%s%s", i ? "  " : "", tw_buf_str(&one));
		out->failed |= one.failed;
	}
	tw_buf_addc(out, '\n');
	tw_buf_release(&one);
}

/* "TITLE: ", as wide as the widest title. */
static void put_title(const char *title, size_t wide, struct tw_buf *out)
{
	tw_buf_addf(out, tw_text_in("title", "%s:"), title);
	tw_buf_addf(out, "%*s", (int)(wide - tw_escape_width(title)) + 1, "");
}

static void put_people_record(const struct tw_table *t, size_t row,
    bool safe, struct tw_buf *out)
{
	struct tw_buf one = TW_BUF_INIT;
	size_t i, wide = 0, n;

	(void)safe;
	for (i = 0; i < t->nselected; i++)
		if ((n = tw_escape_width(tw_text(column(t, i)->title))) > wide)
			wide = n;
	for (i = 0; i < t->nselected; i++) {
		tw_buf_reset(&one);
		put_people(column(t, i), cell(t, row, i), &one);
		if (!t->options.no_headings)
			put_title(tw_text(column(t, i)->title), wide, out);
		tw_buf_addf(out, "%s\n", tw_buf_str(&one));
		out->failed |= one.failed;
	}
	tw_buf_release(&one);
}

/* Prints each row by put(). */
static enum tw_status print_rows(const struct tw_table *t, FILE *f,
    void (*put)(const struct tw_table *, size_t, bool, struct tw_buf *),
    struct tw_err *err)
{
	struct tw_buf b = TW_BUF_INIT;
	bool safe = is_terminal(f), failed = false;
	size_t row;

	for (row = 0; row < t->nrows && !failed; row++) {
		tw_buf_reset(&b);
		put(t, row, safe, &b);
		failed = b.failed;
		if (!failed)
			fwrite(tw_buf_str(&b), 1, b.len, f);
	}
	tw_buf_release(&b);
	return failed ? tw_err_nomem(err) : TW_OK;
}

static void print_tsv_headings(struct tw_table *t, FILE *f)
{
	size_t i;

	if (t->options.no_headings || t->has_headings)
		return;
	for (i = 0; i < t->nselected; i++)
		fprintf(f, "%s%s", i ? "\t" : "", column(t, i)->name);
	putc('\n', f);
	t->has_headings = true;
}

static bool add_column(struct libscols_table *sc,
    const struct tw_column *col, bool is_first, bool has_heading)
{
	int flags = 0;

	if (col->type == TW_COL_INT || col->type == TW_COL_SPAN ||
	    col->type == TW_COL_RATIO)
		flags = SCOLS_FL_RIGHT;
	else if (!is_first &&
	    (col->type == TW_COL_TEXT || col->type == TW_COL_WORD ||
	    col->type == TW_COL_JSON))
		flags = SCOLS_FL_TRUNC;
	/* A heading that isn't printed would still widen its column. */
	return scols_table_new_column(sc, has_heading ? tw_text(col->title) :
	    "", 0,
	    flags) != NULL;
}

static bool add_line(struct libscols_table *sc, const struct tw_table *t,
    size_t row)
{
	struct libscols_line *line = scols_table_new_line(sc, NULL);
	struct tw_buf b = TW_BUF_INIT;
	bool ok = line != NULL;
	size_t i;

	for (i = 0; ok && i < t->nselected; i++) {
		tw_buf_reset(&b);
		put_people(column(t, i), cell(t, row, i), &b);
		ok = !b.failed &&
		    scols_line_set_data(line, i, tw_buf_str(&b)) == 0;
	}
	tw_buf_release(&b);
	return ok;
}

static enum tw_status print_people(const struct tw_table *t, FILE *f,
    struct tw_err *err)
{
	struct libscols_table *sc = scols_new_table();
	size_t i, width = terminal_width(t, f);
	bool ok = sc != NULL;

	for (i = 0; ok && i < t->nselected; i++)
		ok = add_column(sc, column(t, i), i == 0,
		    !t->options.no_headings);
	for (i = 0; ok && i < t->nrows; i++)
		ok = add_line(sc, t, i);
	if (!ok) {
		scols_unref_table(sc);
		return tw_err_nomem(err);
	}
	scols_table_enable_noheadings(sc, t->options.no_headings);
	/* The cells are safe already; encoding would double backslashes. */
	scols_table_enable_noencoding(sc, 1);
	scols_table_set_stream(sc, f);
	/* libsmartcols would ask standard output, whatever f is. */
	scols_table_set_termforce(sc, width ? SCOLS_TERMFORCE_ALWAYS :
	    SCOLS_TERMFORCE_NEVER);
	if (width)
		scols_table_set_termwidth(sc, width);
	/* Failing here is no memory or a write error; stdio knows which. */
	ok = scols_print_table(sc) == 0 || ferror(f);
	scols_unref_table(sc);
	return ok ? TW_OK : tw_err_nomem(err);
}

enum tw_status tw_table_print(struct tw_table *t, FILE *f,
    struct tw_err *err)
{
	if (t->nomem)
		return tw_err_nomem(err);
	switch (t->options.mode) {
	case TW_TABLE_JSON:
		return print_json(t, f, err);
	case TW_TABLE_TSV:
		print_tsv_headings(t, f);
		return print_rows(t, f, put_tsv_row, err);
	case TW_TABLE_NUL:
		return print_rows(t, f, put_nul_row, err);
	case TW_TABLE_PEOPLE:
		return print_people(t, f, err);
	default:
		return tw_err_set(err, TW_BUG, "unknown output mode");
	}
}

enum tw_status tw_table_stream(struct tw_table *t, FILE *f,
    struct tw_err *err)
{
	enum tw_status s;

	if (t->nomem)
		return tw_err_nomem(err);
	if (t->options.mode == TW_TABLE_JSON)
		s = print_objects(t, f, false, "\n", err);
	else if (t->options.mode == TW_TABLE_PEOPLE)
		s = print_rows(t, f, put_people_line, err);
	else
		s = tw_table_print(t, f, err);
	if (!s && t->nrows)
		tw_table_drop_rows(t, t->nrows);
	return s;
}

enum tw_status tw_table_show(struct tw_table *t, FILE *f,
    struct tw_err *err)
{
	if (t->nomem)
		return tw_err_nomem(err);
	if (t->options.mode == TW_TABLE_JSON)
		return print_objects(t, f, true, "\n", err);
	if (t->options.mode == TW_TABLE_PEOPLE)
		return print_rows(t, f, put_people_record, err);
	return tw_table_print(t, f, err);
}

enum tw_status tw_table_array(struct tw_table *t, struct tw_buf *b,
    struct tw_err *err)
{
	char *text;
	size_t i;

	if (t->nomem)
		return tw_err_nomem(err);
	tw_buf_addc(b, '[');
	for (i = 0; i < t->nrows; i++) {
		text = row_json(t, i, false, 0);
		if (!text)
			return tw_err_nomem(err);
		tw_buf_addf(b, "%s%s", i ? "," : "", text);
		free(text);
	}
	tw_buf_addc(b, ']');
	return tw_buf_check(b, err);
}

void tw_json_text(struct tw_buf *b, const void *p, size_t n)
{
	size_t mark = tw_json_mark();
	json_t *j = json_string_of(p, n);
	char *text = tw_json_dump(j, JSON_FLAGS, mark);

	if (text)
		tw_buf_adds(b, text);
	else
		b->failed = true;
	free(text);
	json_decref(j);
}
