/* json.c - JSON that others wrote, as a tree; see json.h */
#include "spec/json.h"

#include <jansson.h>
#include <string.h>

#include "base/json.h"

struct reader {
	struct tw_tree *tree;
	struct tw_diags *ds;
};

static bool convert(struct reader *r, struct tw_tree_node *parent,
    const char *key, const json_t *v, size_t depth);

static enum tw_tree_type type_of(const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return TW_TREE_TABLE;
	case JSON_ARRAY:
		return TW_TREE_LIST;
	case JSON_STRING:
		return TW_TREE_TEXT;
	case JSON_INTEGER:
		return TW_TREE_INTEGER;
	case JSON_REAL:
		return TW_TREE_FLOAT;
	case JSON_TRUE:
	case JSON_FALSE:
		return TW_TREE_BOOLEAN;
	default:
		return TW_TREE_NULL;
	}
}

static bool convert_members(struct reader *r, struct tw_tree_node *n,
    const json_t *v, size_t depth)
{
	const char *key;
	json_t *object = (json_t *)v, *member;
	size_t i;

	if (depth > TW_TREE_DEPTH_MAX) {
		tw_tree_bad(r->ds, n, NULL, "is nested deeper than %d levels",
		    TW_TREE_DEPTH_MAX);
		return true;
	}
	json_array_foreach(v, i, member)
		if (!convert(r, n, NULL, member, depth))
			return false;
	json_object_foreach(object, key, member)
		if (!convert(r, n, key, member, depth))
			return false;
	return true;
}

/* False: no memory, or too many values. */
static bool convert(struct reader *r, struct tw_tree_node *parent,
    const char *key, const json_t *v, size_t depth)
{
	struct tw_tree_node *n;

	n = tw_tree_add(r->tree, parent, type_of(v), key,
	    key ? strlen(key) : 0);
	if (!n)
		return false;
	switch (n->type) {
	case TW_TREE_BOOLEAN:
		n->boolean = json_is_true(v);
		return true;
	case TW_TREE_INTEGER:
		n->integer = json_integer_value(v);
		return true;
	case TW_TREE_FLOAT:
		n->number = json_real_value(v);
		return true;
	case TW_TREE_TEXT:
		n->len = json_string_length(v);
		n->text = tw_arena_copy(&r->tree->arena, json_string_value(v),
		    n->len);
		return n->text != NULL;
	default:
		return convert_members(r, n, v, depth + 1);
	}
}

/* jansson's own words quote the document as it is. */
static void refuse(const json_error_t *e, struct tw_diags *ds)
{
	struct tw_buf b = TW_BUF_INIT;
	size_t line = e->line > 0 ? (size_t)e->line : 0;

	tw_diag_escape(&b, e->text, strlen(e->text), 120);
	tw_diags_add(ds, line, e->column > 0 ? (size_t)e->column : 1, NULL,
	    "this is no JSON that can be read: %s", tw_buf_str(&b));
	tw_buf_release(&b);
}

enum tw_status tw_json_parse(const char *text, size_t len,
    struct tw_diags *ds, struct tw_tree *out, struct tw_err *err)
{
	struct reader r = { out, ds };
	size_t before = ds->n + ds->more, mark = tw_json_mark();
	json_error_t e;
	json_t *v;
	bool ok;

	if (len > TW_JSON_BYTES_MAX) {
		tw_diags_add(ds, 0, 0, NULL, "has more than %zu MiB",
		    TW_JSON_BYTES_MAX >> 20);
		return tw_diags_check(ds, TW_DATA, err);
	}
	v = json_loadb(text ? text : "", len, JSON_REJECT_DUPLICATES, &e);
	if (!v) {
		if (tw_json_missed(mark))
			return tw_err_nomem(err);
		refuse(&e, ds);
		return tw_diags_check(ds, TW_DATA, err);
	}
	ok = convert(&r, NULL, NULL, v, 0);
	json_decref(v);
	if (!ok && out->nodes < TW_TREE_NODES_MAX)
		return tw_err_nomem(err);
	if (!ok)
		tw_diags_add(ds, 0, 0, NULL, "has more than %d values",
		    TW_TREE_NODES_MAX);
	if (ds->failed || ds->n + ds->more > before)
		return tw_diags_check(ds, TW_DATA, err);
	return TW_OK;
}
