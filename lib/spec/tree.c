/* tree.c - a document in somebody else's format, as a tree; see tree.h */
#include "spec/tree.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "spec/utf8.h"

void tw_tree_release(struct tw_tree *t)
{
	tw_arena_release(&t->arena);
	t->root = NULL;
	t->nodes = 0;
}

struct tw_tree_node *tw_tree_add(struct tw_tree *t,
    struct tw_tree_node *parent, enum tw_tree_type type, const char *key,
    size_t key_len)
{
	struct tw_tree_node *n;

	if (t->nodes == TW_TREE_NODES_MAX)
		return NULL;
	n = tw_arena_alloc(&t->arena, sizeof *n);
	if (!n)
		return NULL;
	n->type = type;
	n->parent = parent;
	if (key) {
		n->key = tw_arena_copy(&t->arena, key, key_len);
		if (!n->key)
			return NULL;
	}
	t->nodes++;
	if (!parent) {
		t->root = n;
		return n;
	}
	n->index = parent->count++;
	if (parent->last)
		parent->last->next = n;
	else
		parent->first = n;
	parent->last = n;
	return n;
}

/* A key as it stands in a path: short, and nothing that a terminal obeys. */
static void add_key(struct tw_buf *b, const char *key)
{
	tw_diag_escape(b, key, strlen(key), TW_DIAG_CUT);
}

static void add_path(struct tw_buf *b, const struct tw_tree_node *n)
{
	const struct tw_tree_node *up[TW_TREE_DEPTH_MAX + 1];
	size_t depth = 0;

	for (; n->parent && depth <= TW_TREE_DEPTH_MAX; n = n->parent)
		up[depth++] = n;
	while (depth--) {
		if (!up[depth]->key)
			tw_buf_addf(b, "[%zu]", up[depth]->index);
		else if (b->len)
			tw_buf_addc(b, '.');
		if (up[depth]->key)
			add_key(b, up[depth]->key);
	}
}

void tw_tree_bad(struct tw_diags *ds, const struct tw_tree_node *n,
    const char *hint, const char *fmt, ...)
{
	struct tw_buf path = TW_BUF_INIT, text = TW_BUF_INIT,
	    own = TW_BUF_INIT;
	va_list ap;

	add_path(&path, n);
	if (path.len > TW_TREE_PATH_MAX)
		tw_buf_addf(&text, "\xe2\x80\xa6%s: ",
		    path.data + path.len - TW_TREE_PATH_MAX);
	else if (path.len)
		tw_buf_addf(&text, "%s: ", path.data);
	tw_buf_adds(&own, tw_buf_str(&text));
	va_start(ap, fmt);
	tw_buf_addv(&text, fmt, ap);
	va_end(ap);
	va_start(ap, fmt);
	tw_buf_addv(&own, tw_text(fmt), ap);
	va_end(ap);
	if (path.failed || text.failed || own.failed)
		ds->failed = true;
	else
		tw_diags_add_text(ds, n->line, n->col, hint,
		    tw_buf_str(&text), tw_buf_str(&own));
	tw_buf_release(&path);
	tw_buf_release(&text);
	tw_buf_release(&own);
}

const char *tw_tree_type_word(enum tw_tree_type type)
{
	switch (type) {
	case TW_TREE_NULL:
		return "null";
	case TW_TREE_BOOLEAN:
		return W_("a boolean");
	case TW_TREE_INTEGER:
		return W_("a whole number");
	case TW_TREE_FLOAT:
		return W_("a number");
	case TW_TREE_TEXT:
		return W_("a text");
	case TW_TREE_TIME:
		return W_("a date or time");
	case TW_TREE_LIST:
		return W_("a list");
	case TW_TREE_TABLE:
		return W_("a table");
	}
	return W_("something else");
}

const struct tw_tree_node *tw_tree_get(const struct tw_tree_node *table,
    const char *key)
{
	const struct tw_tree_node *n;

	for (n = table->first; n; n = n->next)
		if (n->key && strcmp(n->key, key) == 0)
			return n;
	return NULL;
}

/* The member when it is of that type. */
static const struct tw_tree_node *typed(const struct tw_tree_node *table,
    const char *key, enum tw_tree_type type, struct tw_diags *ds)
{
	const struct tw_tree_node *n = tw_tree_get(table, key);

	if (!n || n->type == TW_TREE_NULL)
		return NULL;
	if (n->type == type)
		return n;
	tw_tree_bad(ds, n, NULL, "must be %s, not %s", tw_tree_type_word(type),
	    tw_tree_type_word(n->type));
	return NULL;
}

bool tw_tree_text(const struct tw_tree_node *table, const char *key,
    const char **out, struct tw_diags *ds)
{
	const struct tw_tree_node *n = typed(table, key, TW_TREE_TEXT, ds);

	if (!n)
		return false;
	*out = n->text;
	return true;
}

bool tw_tree_integer(const struct tw_tree_node *table, const char *key,
    int64_t *out, struct tw_diags *ds)
{
	const struct tw_tree_node *n = typed(table, key, TW_TREE_INTEGER, ds);

	if (!n)
		return false;
	*out = n->integer;
	return true;
}

bool tw_tree_boolean(const struct tw_tree_node *table, const char *key,
    bool *out, struct tw_diags *ds)
{
	const struct tw_tree_node *n = typed(table, key, TW_TREE_BOOLEAN, ds);

	if (!n)
		return false;
	*out = n->boolean;
	return true;
}

bool tw_tree_table(const struct tw_tree_node *table, const char *key,
    const struct tw_tree_node **out, struct tw_diags *ds)
{
	const struct tw_tree_node *n = typed(table, key, TW_TREE_TABLE, ds);

	if (!n)
		return false;
	*out = n;
	return true;
}

bool tw_tree_list(const struct tw_tree_node *table, const char *key,
    const struct tw_tree_node **out, struct tw_diags *ds)
{
	const struct tw_tree_node *n = typed(table, key, TW_TREE_LIST, ds);

	if (!n)
		return false;
	*out = n;
	return true;
}

bool tw_tree_is_line(const char *s, size_t n)
{
	uint32_t cp = 0;
	size_t len;

	for (; n; s += len, n -= len) {
		len = tw_utf8_next(s, n, &cp);
		if (!len || !tw_utf8_is_plain(cp))
			return false;
	}
	return true;
}

bool tw_tree_line(const struct tw_tree_node *table, const char *key,
    size_t max, const char **out, struct tw_diags *ds)
{
	const struct tw_tree_node *n = typed(table, key, TW_TREE_TEXT, ds);

	if (!n)
		return false;
	if (n->len == 0)
		tw_tree_bad(ds, n, NULL, "is empty");
	else if (n->len > max)
		tw_tree_bad(ds, n, NULL, "has %zu bytes, more than %zu",
		    n->len, max);
	else if (!tw_tree_is_line(n->text, n->len))
		tw_tree_bad(ds, n, NULL,
		    "must be one line without control characters");
	else {
		*out = n->text;
		return true;
	}
	return false;
}
