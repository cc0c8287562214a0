/*
 * table.c - rows to people, JSON, TSV: columns and cells; see table.h
 *
 * One allocation per text cell; the row being made is the one after the last.
 */
#include "out/table.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "out/table_private.h"

static size_t count_columns(const struct tw_column *columns)
{
	size_t n = 0;

	while (columns[n].name)
		n++;
	return n;
}

static void select_column(struct tw_table *t, size_t col)
{
	t->slot[col] = t->nselected;
	t->selected[t->nselected++] = col;
}

static void select_defaults(struct tw_table *t, bool all)
{
	size_t i;

	for (i = 0; i < t->ncolumns; i++)
		if (all || t->columns[i].is_default)
			select_column(t, i);
}

static enum tw_status unknown_column(const struct tw_table *t,
    const char *name, struct tw_err *err)
{
	const char **names, *near;
	size_t i;

	tw_err_set(err, TW_USAGE, "unknown column '%s'", name);
	names = calloc(t->ncolumns + 1, sizeof *names);
	if (!names)
		return TW_USAGE;
	for (i = 0; i < t->ncolumns; i++)
		names[i] = t->columns[i].name;
	near = tw_name_nearest(name, names);
	if (near)
		tw_err_hint(err, "did you mean '%s'?", near);
	else
		tw_err_hint(err, "--list-columns prints the columns");
	free(names);
	return TW_USAGE;
}

/* -o: "a,b" these; "+a,b" the defaults and these. */
static enum tw_status select_named(struct tw_table *t, const char *output,
    struct tw_err *err)
{
	bool more = output[0] == '+';
	char *copy, *rest, *name;
	enum tw_status s = TW_OK;
	size_t i;

	copy = rest = strdup(output + more);
	if (!copy)
		return tw_err_nomem(err);
	if (more)
		select_defaults(t, false);
	while (!s && (name = strsep(&rest, ","))) {
		for (i = 0; i < t->ncolumns; i++)
			if (strcasecmp(t->columns[i].name, name) == 0)
				break;
		if (i == t->ncolumns)
			s = unknown_column(t, name, err);
		else if (t->slot[i] == SIZE_MAX)
			select_column(t, i);
		else if (!more)
			s = tw_err_set(err, TW_USAGE,
			    "column '%s' is named twice", name);
	}
	free(copy);
	return s;
}

enum tw_status tw_table_new(const struct tw_column *columns,
    const struct tw_table_options *options, struct tw_table **out,
    struct tw_err *err)
{
	struct tw_table *t;
	enum tw_status s = TW_OK;
	size_t i;

	*out = NULL;
	t = calloc(1, sizeof *t);
	if (!t)
		return tw_err_nomem(err);
	t->columns = columns;
	t->ncolumns = count_columns(columns);
	t->options = *options;
	t->options.output = NULL;
	t->selected = calloc(t->ncolumns + 1, sizeof *t->selected);
	t->slot = calloc(t->ncolumns + 1, sizeof *t->slot);
	if (!t->selected || !t->slot) {
		s = tw_err_nomem(err);
		goto out;
	}
	for (i = 0; i < t->ncolumns; i++)
		t->slot[i] = SIZE_MAX;
	if (options->output)
		s = select_named(t, options->output, err);
	else
		select_defaults(t, options->all_columns ||
		    options->mode == TW_TABLE_JSON ||
		    options->mode == TW_TABLE_TSV);
out:
	if (s)
		tw_table_free(t);
	else
		*out = t;
	return s;
}

void tw_table_free(struct tw_table *t)
{
	if (!t)
		return;
	if (t->cells)
		tw_table_drop_rows(t, t->nrows + 1);
	free(t->cells);
	free(t->selected);
	free(t->slot);
	free(t);
}

void tw_table_drop_rows(struct tw_table *t, size_t n)
{
	size_t i, gone = n * t->nselected,
	    all = (t->nrows + 1) * t->nselected;

	for (i = 0; i < gone; i++)
		free(t->cells[i].text);
	memmove(t->cells, t->cells + gone, (all - gone) * sizeof *t->cells);
	memset(t->cells + (all - gone), 0, gone * sizeof *t->cells);
	t->nrows -= n > t->nrows ? t->nrows : n;
}

bool tw_table_wants(const struct tw_table *t, size_t col)
{
	assert(col < t->ncolumns);
	return t->slot[col] != SIZE_MAX;
}

/* Room for one row more than there are. */
static bool reserve_row(struct tw_table *t)
{
	size_t capacity = t->capacity ? t->capacity * 2 : 16;
	struct table_cell *cells;

	if (t->nrows < t->capacity)
		return true;
	if (t->nomem || SIZE_MAX / capacity < t->nselected + 1)
		return false;
	cells = reallocarray(t->cells, capacity * (t->nselected + 1),
	    sizeof *cells);
	if (!cells) {
		t->nomem = true;
		return false;
	}
	memset(cells + t->capacity * t->nselected, 0,
	    (capacity - t->capacity) * t->nselected * sizeof *cells);
	t->cells = cells;
	t->capacity = capacity;
	return true;
}

/* The cell to fill, emptied, or NULL when it isn't wanted. */
static struct table_cell *cell_at(struct tw_table *t, size_t col,
    enum tw_column_type type)
{
	struct table_cell *c;

	assert(col < t->ncolumns && (t->columns[col].type == type ||
	    (t->columns[col].type == TW_COL_WORD && type == TW_COL_TEXT)));
	if (t->slot[col] == SIZE_MAX || !reserve_row(t))
		return NULL;
	c = &t->cells[t->nrows * t->nselected + t->slot[col]];
	free(c->text);
	memset(c, 0, sizeof *c);
	return c;
}

static void set_text(struct tw_table *t, struct table_cell *c, const void *p,
    size_t n)
{
	if (!c || !p)
		return;
	c->text = malloc(n + 1);
	if (!c->text) {
		t->nomem = true;
		return;
	}
	if (n)
		memcpy(c->text, p, n);
	c->text[n] = '\0';
	c->len = n;
	c->is_set = true;
}

static void set_number(struct table_cell *c, int64_t n, bool is_set)
{
	if (!c)
		return;
	c->number = n;
	c->is_set = is_set;
}

void tw_table_cell_text(struct tw_table *t, size_t col, const char *s)
{
	set_text(t, cell_at(t, col, TW_COL_TEXT), s, s ? strlen(s) : 0);
}

void tw_table_cell_bytes(struct tw_table *t, size_t col, const void *p,
    size_t n)
{
	set_text(t, cell_at(t, col, TW_COL_TEXT), p, n);
}

void tw_table_cell_buf(struct tw_table *t, size_t col, const struct tw_buf *b)
{
	t->nomem |= b->failed;
	tw_table_cell_bytes(t, col, tw_buf_str(b), b->len);
}

void tw_table_cell_int(struct tw_table *t, size_t col, int64_t n)
{
	set_number(cell_at(t, col, TW_COL_INT), n, true);
}

void tw_table_cell_bool(struct tw_table *t, size_t col, bool yes)
{
	set_number(cell_at(t, col, TW_COL_BOOL), yes, true);
}

void tw_table_cell_time(struct tw_table *t, size_t col, int64_t time)
{
	set_number(cell_at(t, col, TW_COL_TIME), time, time != 0);
}

void tw_table_cell_span(struct tw_table *t, size_t col, int64_t span)
{
	set_number(cell_at(t, col, TW_COL_SPAN), span, true);
}

void tw_table_cell_ratio(struct tw_table *t, size_t col, int64_t part,
    int64_t whole)
{
	double millionths = whole ? (double)part / (double)whole *
	    TW_TABLE_RATIO_ONE : 0;

	set_number(cell_at(t, col, TW_COL_RATIO), (int64_t)(millionths + 0.5),
	    whole != 0);
}

void tw_table_cell_json(struct tw_table *t, size_t col, const char *s)
{
	set_text(t, cell_at(t, col, TW_COL_JSON), s && *s ? s : NULL,
	    s ? strlen(s) : 0);
}

void tw_table_cell_null(struct tw_table *t, size_t col)
{
	assert(col < t->ncolumns);
	cell_at(t, col, t->columns[col].type);
}

enum tw_status tw_table_row_end(struct tw_table *t, struct tw_err *err)
{
	if (!reserve_row(t) || t->nomem)
		return tw_err_nomem(err);
	t->nrows++;
	/* drop_rows() counts on the row after the last being there. */
	if (!reserve_row(t)) {
		t->nrows--;
		return tw_err_nomem(err);
	}
	return TW_OK;
}

const char *tw_column_type_name(enum tw_column_type type)
{
	static const char *const names[] = { "text", "text", "int", "bool",
	    "time", "span", "ratio", "json" };

	return (size_t)type < sizeof names / sizeof names[0] ? names[type] :
	    "?";
}

enum tw_status tw_table_list_columns(const struct tw_column *columns,
    const struct tw_table_options *options, FILE *f, struct tw_err *err)
{
	enum { NAME, TYPE, DEFAULT, HELP };
	static const struct tw_column own[] = {
		{ "name", N_("NAME"), TW_COL_TEXT, true,
		    N_("the name for -o") },
		{ "type", N_("TYPE"), TW_COL_TEXT, true,
		    N_("the type in JSON") },
		{ "default", N_("DEFAULT"), TW_COL_BOOL, true,
		    N_("shown without -o") },
		{ "help", N_("HELP"), TW_COL_TEXT, true, N_("what it holds") },
		{ NULL, NULL, TW_COL_TEXT, false, NULL },
	};
	struct tw_table_options o = *options;
	struct tw_table *t;
	enum tw_status s;

	o.output = NULL;
	o.noun = "columns";
	s = tw_table_new(own, &o, &t, err);
	for (; !s && columns->name; columns++) {
		tw_table_cell_text(t, NAME, columns->name);
		tw_table_cell_text(t, TYPE,
		    tw_column_type_name(columns->type));
		tw_table_cell_bool(t, DEFAULT, columns->is_default);
		tw_table_cell_text(t, HELP, o.mode == TW_TABLE_PEOPLE ?
		    tw_text(columns->help) : columns->help);
		s = tw_table_row_end(t, err);
	}
	if (!s)
		s = tw_table_print(t, f, err);
	tw_table_free(t);
	return s;
}
