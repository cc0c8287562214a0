/* param_read.c - parameters: their definitions; see param.h */
#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "spec/node.h"
#include "spec/param.h"
#include "spec/pattern.h"

static const char *const known[] = {
	"type", "required", "default", "min", "max", "pattern", "values",
	"description", NULL
};

/* In the order of enum tw_param_type. */
static const char *const types[] = {
	"string", "integer", "boolean", "enum", "secret", "file", "command"
};

/* What a file may say, and what it means. */
struct choice {
	const char *words[7];		/* NULL-terminated */
	enum tw_param_type types[6];
	const char *hint;
};

static const struct choice of_change = {
	{ "string", "integer", "boolean", "enum", "secret", NULL },
	{ TW_PARAM_STRING, TW_PARAM_INTEGER, TW_PARAM_BOOLEAN, TW_PARAM_ENUM,
	    TW_PARAM_SECRET },
	N_("one of string, integer, boolean, enum, secret"),
};

static const struct choice of_kind = {
	{ "string", "integer", "boolean", "enum", "file", "command", NULL },
	{ TW_PARAM_STRING, TW_PARAM_INTEGER, TW_PARAM_BOOLEAN, TW_PARAM_ENUM,
	    TW_PARAM_FILE, TW_PARAM_COMMAND },
	N_("one of string, integer, boolean, enum, file, command"),
};

#define DESCRIPTION_MAX 500	/* bytes */

struct reading {
	struct tw_yaml_doc *doc;
	const struct tw_yaml_node *n;	/* the definition */
	struct tw_param *p;
	struct tw_diags *ds;
	const struct choice *choice;
	bool bad;			/* a default cannot be judged */
};

static bool read_type(struct reading *r)
{
	const struct tw_yaml_node *n = tw_node_get(r->n, "type");
	size_t type;

	if (!n) {
		tw_diags_add(r->ds, r->n->key->line, r->n->key->col,
		    r->choice->hint, "parameter '%s' has no type", r->p->name);
		return false;
	}
	if (!tw_node_enum(n, "type", r->choice->words, &type, r->ds))
		return false;
	r->p->type = r->choice->types[type];
	return true;
}

/* The value of a key that only some types take; NULL when it is not there or
 * not allowed. */
static const struct tw_yaml_node *get_for(struct reading *r, const char *key,
    bool allowed)
{
	const struct tw_yaml_node *n = tw_node_get(r->n, key);

	if (!n || allowed)
		return n;
	tw_diags_add(r->ds, n->key->line, n->key->col, NULL,
	    "a parameter of type %s takes no '%s'", types[r->p->type], key);
	return NULL;
}

/* A secret is judged as a string is. */
static bool is_text(const struct tw_param *p)
{
	return p->type == TW_PARAM_STRING || p->type == TW_PARAM_SECRET;
}

static void read_bounds(struct reading *r)
{
	bool is_string = is_text(r->p);
	bool takes = is_string || r->p->type == TW_PARAM_INTEGER;
	int64_t least = is_string ? 0 : INT64_MIN;
	int64_t most = is_string ? (int64_t)TW_PARAM_VALUE_MAX : INT64_MAX;
	const struct tw_yaml_node *n;

	n = get_for(r, "min", takes);
	if (n)
		r->p->has_min = tw_node_int(n, "min", least, most,
		    &r->p->min, r->ds);
	r->bad |= n && !r->p->has_min;
	n = get_for(r, "max", takes);
	if (n)
		r->p->has_max = tw_node_int(n, "max", least, most,
		    &r->p->max, r->ds);
	r->bad |= n && !r->p->has_max;
	if (!r->p->has_min || !r->p->has_max || r->p->min <= r->p->max)
		return;
	tw_diags_add(r->ds, n->line, n->col, NULL, "max is less than min");
	r->bad = true;
}

static enum tw_status read_pattern(struct reading *r, struct tw_err *err)
{
	const struct tw_yaml_node *n;
	struct tw_err why;
	enum tw_status st;
	const char *text;

	n = get_for(r, "pattern", is_text(r->p));
	if (!n)
		return TW_OK;
	r->bad = true;
	if (!tw_node_text(n, "pattern", &text, r->ds))
		return TW_OK;
	r->p->re = calloc(1, sizeof *r->p->re);
	if (!r->p->re)
		return tw_err_nomem(err);
	st = tw_pattern_compile(text, r->p->re, &why);
	if (st != TW_OK) {
		free(r->p->re);
		r->p->re = NULL;
	}
	if (st == TW_NOMEM)
		return tw_err_nomem(err);
	if (st != TW_OK) {
		tw_diags_add(r->ds, n->line, n->col, NULL,
		    "pattern is no extended regular expression: %s", why.msg);
		return TW_OK;
	}
	r->p->pattern = text;
	r->bad = false;
	return TW_OK;
}

static void check_value(struct reading *r, const struct tw_yaml_node *n,
    const char *const *before, const char *text)
{
	struct tw_quote q;

	if (strlen(text) > TW_PARAM_VALUE_MAX)
		tw_diags_add(r->ds, n->line, n->col, NULL,
		    "a value is longer than 64 KiB");
	for (; *before; before++)
		if (strcmp(*before, text) == 0)
			tw_diags_add(r->ds, n->line, n->col, NULL,
			    "the value %s is there twice",
			    tw_quote(&q, text, strlen(text)));
}

static enum tw_status read_values(struct reading *r, struct tw_err *err)
{
	bool is_enum = r->p->type == TW_PARAM_ENUM;
	const struct tw_yaml_node *n = get_for(r, "values", is_enum), *item;
	const char **v, *text;
	size_t i = 0;

	if (!is_enum)
		return TW_OK;
	if (!n) {
		tw_diags_add(r->ds, r->n->key->line, r->n->key->col,
		    N_("add values: [a, b]"),
		    "parameter '%s' is an enum without "
		    "values", r->p->name);
		r->bad = true;
		return TW_OK;
	}
	r->bad = true;
	if (!tw_node_sequence(n, "values", r->ds))
		return TW_OK;
	if (n->count == 0 || n->count > TW_PARAMS_MAX) {
		tw_diags_add(r->ds, n->line, n->col, NULL,
		    "values must be 1 to %d texts", TW_PARAMS_MAX);
		return TW_OK;
	}
	v = tw_arena_alloc(tw_yaml_arena(r->doc),
	    (n->count + 1) * sizeof *v);
	if (!v)
		return tw_err_nomem(err);
	for (item = n->first; item; item = item->next) {
		if (!tw_node_text(item, W_("a value"), &text, r->ds))
			continue;
		check_value(r, item, v, text);
		v[i++] = text;
	}
	r->p->values = (const char *const *)v;
	r->bad = i != n->count;
	return TW_OK;
}

static void read_default(struct reading *r)
{
	const struct tw_yaml_node *n = tw_node_get(r->n, "required"), *d;
	char why[TW_PARAM_WHY_MAX];
	struct tw_quote q;
	const char *text;

	if (n)
		tw_node_bool(n, "required", &r->p->required, r->ds);
	/* what stands there for a secret is never repeated */
	d = get_for(r, "default", r->p->type != TW_PARAM_SECRET);
	if (!d || !tw_node_text(d, "default", &text, r->ds))
		return;
	if (r->p->required)
		tw_diags_add(r->ds, d->key->line, d->key->col,
		    N_("leave out one of the two"),
		    "a required parameter takes no default");
	if (d->len > TW_PARAM_VALUE_MAX)
		tw_diags_add(r->ds, d->line, d->col, NULL,
		    "default is longer than 64 KiB");
	else if (!r->bad && tw_param_why_not(r->p, text, why, r->ds))
		tw_diags_add(r->ds, d->line, d->col, NULL,
		    "default %s, not %s", why, tw_quote(&q, text, d->len));
	r->p->fallback = text;
}

static enum tw_status read_one(struct reading *r, struct tw_err *err)
{
	const struct tw_yaml_node *n;
	enum tw_status st;

	if (!tw_node_mapping(r->n, W_("the parameter's definition"), known,
	    r->ds))
		return TW_OK;
	n = tw_node_get(r->n, "description");
	if (n)
		tw_node_line(n, "description", DESCRIPTION_MAX,
		    &r->p->description, r->ds);
	if (!read_type(r))
		return TW_OK;
	read_bounds(r);
	st = read_pattern(r, err);
	if (st == TW_OK)
		st = read_values(r, err);
	if (st == TW_OK)
		read_default(r);
	return st;
}

static enum tw_status read_all(struct tw_yaml_doc *doc,
    const struct tw_yaml_node *n, const char *what,
    const struct choice *choice, struct tw_diags *ds, struct tw_params *out,
    struct tw_err *err)
{
	struct reading r = { doc, NULL, NULL, ds, choice, false };
	enum tw_status st = TW_OK;
	struct tw_quote q;

	out->v = NULL;
	out->n = 0;
	if (!tw_node_mapping(n, what, NULL, ds) || n->count == 0)
		return TW_OK;
	if (n->count > TW_PARAMS_MAX) {
		tw_diags_add(ds, n->line, n->col, NULL,
		    "%zu parameters, more than %d", n->count, TW_PARAMS_MAX);
		return TW_OK;
	}
	out->v = calloc(n->count, sizeof *out->v);
	if (!out->v)
		return tw_err_nomem(err);
	for (n = n->first; n && st == TW_OK; n = n->next) {
		if (n->key->broken)
			continue;
		if (!tw_name_param_ok(n->key->text))
			tw_diags_add(ds, n->key->line, n->key->col,
			    N_("small letters, digits and '_', a letter first, "
			    "at "
			    "most 31"), "%s cannot name a parameter",
			    tw_quote(&q, n->key->text, n->key->len));
		r.n = n;
		r.p = &out->v[out->n++];
		r.p->name = n->key->text;
		r.bad = false;
		st = read_one(&r, err);
	}
	return st;
}

enum tw_status tw_params_read(struct tw_yaml_doc *doc,
    const struct tw_yaml_node *n, struct tw_diags *ds, struct tw_params *out,
    struct tw_err *err)
{
	return read_all(doc, n, "params", &of_change, ds, out, err);
}

enum tw_status tw_args_read(struct tw_yaml_doc *doc,
    const struct tw_yaml_node *n, struct tw_diags *ds, struct tw_params *out,
    struct tw_err *err)
{
	return read_all(doc, n, "args", &of_kind, ds, out, err);
}
