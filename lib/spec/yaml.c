/*
 * yaml.c - YAML text to a tree of nodes; see yaml.h
 *
 * libyaml's events build the tree; no function here calls itself, so depth is
 * bounded by TW_YAML_DEPTH_MAX alone.
 */
#include "spec/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "spec/source.h"
#include "spec/utf8.h"
#include "spec/yaml_words.h"

struct tw_yaml_doc {
	struct tw_arena arena;
	struct tw_source src;
	struct tw_yaml_node *root;
};

struct level {			/* a sequence or mapping that is open */
	struct tw_yaml_node *node;
	struct tw_yaml_node *last;
	struct tw_yaml_node *key;	/* its value comes next */
	bool is_complex_key;
};

struct reader {
	struct tw_yaml_doc *doc;
	struct tw_diags *ds;
	const char *const *commands;
	yaml_parser_t parser;
	struct level stack[TW_YAML_DEPTH_MAX];
	size_t depth;
	size_t nodes;
	size_t documents;
	bool nomem;
	bool stop;		/* what follows cannot be read */
};

static const char *command_key(const struct reader *r, const char *s, size_t n)
{
	size_t i;

	for (i = 0; r->commands && r->commands[i]; i++)
		if (strlen(r->commands[i]) == n &&
		    memcmp(r->commands[i], s, n) == 0)
			return r->commands[i];
	return NULL;
}

void tw_yaml_command_hint(const char *key, char out[TW_YAML_HINT_MAX])
{
	snprintf(out, TW_YAML_HINT_MAX, tw_text("write `%.20s: |` and the "
	    "command on the next lines"), key);
}

/* The hint for the command whose value is being read, or fallback. */
static const char *value_hint(const struct reader *r, const char *fallback,
    char hint[TW_YAML_HINT_MAX])
{
	const struct tw_yaml_node *key;
	const char *name;

	key = r->depth ? r->stack[r->depth - 1].key : NULL;
	name = key ? command_key(r, key->text, key->len) : NULL;
	if (!name)
		return fallback;
	tw_yaml_command_hint(name, hint);
	return hint;
}

/* The command key a line of the source begins with ("- run: ..."). */
static const char *line_key(const struct reader *r, size_t line)
{
	size_t n, len;
	const char *p = tw_source_line(&r->doc->src, line, &n);

	while (n && (*p == ' ' || *p == '-'))
		p++, n--;
	for (len = 0; len < n && p[len] != ':'; len++)
		;
	return len < n ? command_key(r, p, len) : NULL;
}

/* Where libyaml means.  The end of a last line without a newline is to it on
 * the next line, which the file has not. */
static void find_mark(const struct reader *r, const yaml_mark_t *m,
    size_t *line, size_t *col)
{
	const struct tw_source *src = &r->doc->src;
	const char *last;
	size_t n;

	*line = m->line + 1;
	*col = m->column + 1;
	if (*line <= src->nlines)
		return;
	*line = src->nlines;
	last = tw_source_line(src, *line, &n);
	*col = tw_utf8_count(last, n) + 1;
}

static void syntax_error(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	size_t line, col;
	char hint[TW_YAML_HINT_MAX];
	struct tw_yaml_words words;
	const char *key;

	if (p->error == YAML_MEMORY_ERROR) {
		r->nomem = true;
		return;
	}
	tw_yaml_words(p->problem, p->context, &words);
	find_mark(r, &p->problem_mark, &line, &col);
	key = line_key(r, line);
	if (p->context && strncmp(p->context, "while scanning", 14) == 0) {
		if (!key)
			key = line_key(r, p->context_mark.line + 1);
		if (words.at_context)
			find_mark(r, &p->context_mark, &line, &col);
	}
	if (key)
		tw_yaml_command_hint(key, hint);
	tw_diags_add(r->ds, line, col, key ? hint : words.hint, "%s",
	    words.text);
	r->stop = true;
}

static void check_properties(struct reader *r, const yaml_event_t *e,
    const yaml_char_t *anchor, const yaml_char_t *tag)
{
	size_t line = e->start_mark.line + 1, col = e->start_mark.column + 1;
	char buf[TW_YAML_HINT_MAX];
	const char *hint = value_hint(r, N_("put the text in quotes"),
	    buf);

	if (anchor)
		tw_diags_add(r->ds, line, col, hint,
		    "anchors ('&') are refused");
	if (tag)
		tw_diags_add(r->ds, line, col, hint, "tags ('!') are refused");
}

static struct tw_yaml_node *new_node(struct reader *r, const yaml_event_t *e,
    enum tw_yaml_type type)
{
	struct tw_yaml_node *n;

	if (r->nodes == TW_YAML_NODES_MAX) {
		tw_diags_add(r->ds, e->start_mark.line + 1,
		    e->start_mark.column + 1, NULL,
		    "more than %d keys and values", TW_YAML_NODES_MAX);
		r->stop = true;
		return NULL;
	}
	n = tw_arena_alloc(&r->doc->arena, sizeof *n);
	if (!n) {
		r->nomem = true;
		return NULL;
	}
	r->nodes++;
	n->type = type;
	find_mark(r, &e->start_mark, &n->line, &n->col);
	n->text = "";
	return n;
}

static void refuse_complex_key(struct reader *r, struct tw_yaml_node *n)
{
	tw_diags_add(r->ds, n->line, n->col, NULL,
	    "a key must be text, not a %s",
	    n->type == TW_YAML_SEQUENCE ? W_("list") : W_("mapping"));
	n->type = TW_YAML_SCALAR;
	n->broken = true;
}

/* Puts a finished scalar, or a sequence or mapping that begins, where it
 * belongs. */
static void attach(struct reader *r, struct tw_yaml_node *n)
{
	struct level *l;

	if (r->depth == 0) {
		r->doc->root = n;
		return;
	}
	l = &r->stack[r->depth - 1];
	if (l->node->type == TW_YAML_MAPPING && !l->key) {
		l->key = n;
		return;
	}
	n->key = l->key;
	l->key = NULL;
	if (l->last)
		l->last->next = n;
	else
		l->node->first = n;
	l->last = n;
	l->node->count++;
}

static void check_nul(struct reader *r, const struct tw_yaml_node *n)
{
	if (memchr(n->text, '\0', n->len))
		tw_diags_add(r->ds, n->line, n->col, NULL,
		    "a NUL character is not allowed in a text");
}

static void on_scalar(struct reader *r, const yaml_event_t *e)
{
	struct tw_yaml_node *n = new_node(r, e, TW_YAML_SCALAR);

	if (!n)
		return;
	check_properties(r, e, e->data.scalar.anchor, e->data.scalar.tag);
	n->len = e->data.scalar.length;
	n->text = tw_arena_copy(&r->doc->arena,
	    (const char *)e->data.scalar.value, n->len);
	if (!n->text) {
		r->nomem = true;
		return;
	}
	switch (e->data.scalar.style) {
	case YAML_LITERAL_SCALAR_STYLE:
		n->style = TW_YAML_BLOCK;
		break;
	case YAML_FOLDED_SCALAR_STYLE:
		n->style = TW_YAML_FOLDED;
		break;
	case YAML_SINGLE_QUOTED_SCALAR_STYLE:
	case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
		n->style = TW_YAML_QUOTED;
		break;
	default:
		n->style = TW_YAML_PLAIN;
	}
	n->lines = (n->style == TW_YAML_PLAIN || n->style == TW_YAML_QUOTED) &&
	    e->start_mark.line != e->end_mark.line;
	check_nul(r, n);
	attach(r, n);
}

static void on_alias(struct reader *r, const yaml_event_t *e)
{
	struct tw_yaml_node *n = new_node(r, e, TW_YAML_SCALAR);
	char hint[TW_YAML_HINT_MAX];

	if (!n)
		return;
	n->broken = true;
	tw_diags_add(r->ds, n->line, n->col,
	    value_hint(r, "put the text in quotes", hint),
	    "aliases ('*') are refused");
	attach(r, n);
}

static void on_open(struct reader *r, const yaml_event_t *e,
    enum tw_yaml_type type, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	struct tw_yaml_node *n = new_node(r, e, type);
	struct level *l;

	if (!n)
		return;
	check_properties(r, e, anchor, tag);
	if (r->depth == TW_YAML_DEPTH_MAX) {
		tw_diags_add(r->ds, n->line, n->col, NULL,
		    "more than %d levels", TW_YAML_DEPTH_MAX);
		r->stop = true;
		return;
	}
	l = r->depth ? &r->stack[r->depth - 1] : NULL;
	r->stack[r->depth].is_complex_key = l &&
	    l->node->type == TW_YAML_MAPPING && !l->key;
	attach(r, n);
	l = &r->stack[r->depth++];
	l->node = n;
	l->last = NULL;
	l->key = NULL;
}

static int cmp_keys(const void *a, const void *b)
{
	const struct tw_yaml_node *x = *(const struct tw_yaml_node *const *)a;
	const struct tw_yaml_node *y = *(const struct tw_yaml_node *const *)b;
	size_t n = x->len < y->len ? x->len : y->len;
	int c = memcmp(x->text, y->text, n);

	if (c)
		return c;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->col < y->col ? -1 : x->col > y->col;
}

static void refuse_duplicates(struct reader *r, const struct tw_yaml_node *map)
{
	const struct tw_yaml_node **keys, *n;
	struct tw_quote q;
	size_t i = 0;

	if (map->count < 2)
		return;
	keys = calloc(map->count, sizeof *keys);
	if (!keys) {
		r->nomem = true;
		return;
	}
	for (n = map->first; n; n = n->next)
		if (!n->key->broken)
			keys[i++] = n->key;
	if (i)
		qsort(keys, i, sizeof *keys, cmp_keys);
	while (i-- > 1) {
		if (keys[i]->len != keys[i - 1]->len || memcmp(keys[i]->text,
		    keys[i - 1]->text, keys[i]->len) != 0)
			continue;
		tw_diags_add(r->ds, keys[i]->line, keys[i]->col, NULL,
		    "the key %s stands here again, after line %zu",
		    tw_quote(&q, keys[i]->text, keys[i]->len),
		    keys[i - 1]->line);
	}
	free(keys);
}

static void on_close(struct reader *r)
{
	struct level *l = &r->stack[--r->depth];

	if (l->node->type == TW_YAML_MAPPING)
		refuse_duplicates(r, l->node);
	if (l->is_complex_key)
		refuse_complex_key(r, l->node);
}

static void on_document(struct reader *r, const yaml_event_t *e)
{
	size_t line = e->start_mark.line + 1, col = e->start_mark.column + 1;

	if (++r->documents > 1) {
		tw_diags_add(r->ds, line, col, N_("make it a file of its own"),
		    "a second document begins here");
		r->stop = true;
	}
	if (e->data.document_start.tag_directives.start !=
	    e->data.document_start.tag_directives.end)
		tw_diags_add(r->ds, line, col, NULL, "tags ('!') are refused");
}

static void on_event(struct reader *r, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		on_document(r, e);
		break;
	case YAML_SCALAR_EVENT:
		on_scalar(r, e);
		break;
	case YAML_ALIAS_EVENT:
		on_alias(r, e);
		break;
	case YAML_SEQUENCE_START_EVENT:
		on_open(r, e, TW_YAML_SEQUENCE, e->data.sequence_start.anchor,
		    e->data.sequence_start.tag);
		break;
	case YAML_MAPPING_START_EVENT:
		on_open(r, e, TW_YAML_MAPPING, e->data.mapping_start.anchor,
		    e->data.mapping_start.tag);
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		on_close(r);
		break;
	default:		/* stream and document ends say nothing */
		break;
	}
}

static void read_events(struct reader *r)
{
	yaml_event_t e;
	bool end = false;

	if (!yaml_parser_initialize(&r->parser)) {
		r->nomem = true;
		return;
	}
	yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r->parser,
	    (const unsigned char *)r->doc->src.text, r->doc->src.len);
	while (!end && !r->stop && !r->nomem) {
		if (!yaml_parser_parse(&r->parser, &e)) {
			syntax_error(r);
			break;
		}
		end = e.type == YAML_STREAM_END_EVENT;
		on_event(r, &e);
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&r->parser);
}

enum tw_status tw_yaml_parse(const char *text, size_t len,
    const char *const *commands, struct tw_diags *ds,
    struct tw_yaml_doc **out, struct tw_err *err)
{
	enum tw_status st = TW_OK;
	struct reader r;

	*out = NULL;
	memset(&r, 0, sizeof r);
	r.ds = ds;
	r.commands = commands;
	r.doc = calloc(1, sizeof *r.doc);
	if (!r.doc)
		return tw_err_nomem(err);
	r.stop = !tw_source_init(&r.doc->src, text, len, TW_YAML_BYTES_MAX,
	    ds);
	if (!r.stop)
		read_events(&r);
	if (!r.stop && !r.nomem && !r.doc->root) {
		tw_diags_add(ds, 1, 1, NULL, "the file is empty");
		r.stop = true;
	}
	if (r.nomem || ds->failed)
		st = tw_err_nomem(err);
	else if (r.stop)
		st = tw_diags_check(ds, TW_DATA, err);
	if (st == TW_OK)
		*out = r.doc;
	else
		tw_yaml_free(r.doc);
	return st;
}

void tw_yaml_free(struct tw_yaml_doc *doc)
{
	if (!doc)
		return;
	tw_arena_release(&doc->arena);
	tw_source_release(&doc->src);
	free(doc);
}

const struct tw_yaml_node *tw_yaml_root(const struct tw_yaml_doc *doc)
{
	return doc->root;
}

struct tw_arena *tw_yaml_arena(struct tw_yaml_doc *doc)
{
	return &doc->arena;
}

void tw_yaml_text_pos(const struct tw_yaml_doc *doc,
    const struct tw_yaml_node *n, size_t nth, size_t *line, size_t *col)
{
	const char *p;
	size_t len, i;

	*line = n->line;
	*col = n->col;
	if (n->style != TW_YAML_BLOCK)
		return;
	*line = n->line + 1 + nth;
	p = tw_source_line(&doc->src, *line, &len);
	for (i = 0; i < len && p[i] == ' '; i++)
		;
	*col = i < len && p[i] != '\n' && p[i] != '\r' ? i + 1 : 1;
}
