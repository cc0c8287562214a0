/*
 * param.c - parameters: the values given; see param.h
 *
 * Definitions are read in param_read.c.
 */
#include "spec/param.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "spec/node.h"
#include "spec/pattern.h"
#include "spec/utf8.h"

void tw_params_release(struct tw_params *p)
{
	size_t i;

	for (i = 0; i < p->n; i++) {
		if (p->v[i].re) {
			regfree(p->v[i].re);
			free(p->v[i].re);
		}
	}
	free(p->v);
	p->v = NULL;
	p->n = 0;
}

void tw_param_values_release(struct tw_param_values *v)
{
	size_t i;

	for (i = 0; i < v->n; i++) {
		if (v->v[i].text)
			explicit_bzero(v->v[i].text, strlen(v->v[i].text));
		free(v->v[i].text);
	}
	free(v->v);
	v->v = NULL;
	v->n = 0;
}

enum tw_status tw_param_given_split(const char *arg,
    struct tw_param_given *out, struct tw_err *err)
{
	const char *eq = strchr(arg, '=');
	struct tw_quote q;

	if (!eq)
		return tw_err_set(err, TW_USAGE,
		    "parameter %s has no value: wanted NAME=VALUE",
		    tw_quote(&q, arg, strlen(arg)));
	out->name = arg;
	out->name_len = (size_t)(eq - arg);
	out->value = eq + 1;
	out->len = strlen(eq + 1);
	out->is_private = false;
	return TW_OK;
}

static const char *bounds(const struct tw_param *p, int64_t v,
    const char *least, const char *most, const char *unit,
    char why[TW_PARAM_WHY_MAX])
{
	if (p->has_min && v < p->min)
		snprintf(why, TW_PARAM_WHY_MAX, "%s%" PRId64 "%s", least,
		    p->min, unit);
	else if (p->has_max && v > p->max)
		snprintf(why, TW_PARAM_WHY_MAX, "%s%" PRId64 "%s", most,
		    p->max, unit);
	else
		return NULL;
	return why;
}

static const char *why_not_string(const struct tw_param *p, const char *text,
    char why[TW_PARAM_WHY_MAX], struct tw_diags *ds)
{
	size_t count = tw_utf8_count(text, strlen(text));
	struct tw_quote q;

	if (bounds(p, (int64_t)count, W_("must have at least "),
	    W_("must have at most "), W_(" characters"), why))
		return why;
	if (!p->pattern)
		return NULL;
	switch (tw_pattern_match(p->re, text, NULL)) {
	case TW_OK:
		return NULL;
	case TW_NO:
		snprintf(why, TW_PARAM_WHY_MAX, "%s%s",
		    W_("must match the pattern "), tw_quote(&q, p->pattern,
		    strlen(p->pattern)));
		return why;
	default:
		ds->failed = true;
		return NULL;
	}
}

static const char *why_not_enum(const struct tw_param *p, const char *text,
    char why[TW_PARAM_WHY_MAX])
{
	struct tw_quote q;
	size_t i, n = 0;

	for (i = 0; p->values[i]; i++)
		if (strcmp(p->values[i], text) == 0)
			return NULL;
	n += (size_t)snprintf(why, TW_PARAM_WHY_MAX, "%s",
	    W_("must be one of "));
	for (i = 0; p->values[i] && n < TW_PARAM_WHY_MAX; i++)
		n += (size_t)snprintf(why + n, TW_PARAM_WHY_MAX - n, "%s%s",
		    i ? ", " : "", tw_quote(&q, p->values[i],
		    strlen(p->values[i])));
	return why;
}

const char *tw_param_why_not(const struct tw_param *p, const char *text,
    char why[TW_PARAM_WHY_MAX], struct tw_diags *ds)
{
	int64_t v;

	switch (p->type) {
	case TW_PARAM_STRING:
	case TW_PARAM_SECRET:
	case TW_PARAM_FILE:
	case TW_PARAM_COMMAND:
		return why_not_string(p, text, why, ds);
	case TW_PARAM_INTEGER:
		if (tw_int_parse(text, &v))
			return bounds(p, v, W_("must be at least "),
			    W_("must be at most "), "", why);
		snprintf(why, TW_PARAM_WHY_MAX, "%s",
		    W_("must be a whole number"));
		return why;
	case TW_PARAM_BOOLEAN:
		if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
			return NULL;
		snprintf(why, TW_PARAM_WHY_MAX, "%s",
		    W_("must be true or false"));
		return why;
	case TW_PARAM_ENUM:
		return why_not_enum(p, text, why);
	}
	snprintf(why, TW_PARAM_WHY_MAX, "%s", W_("has an unknown type"));
	return why;
}

static const struct tw_param *find(const struct tw_params *p,
    const struct tw_param_given *g)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (strlen(p->v[i].name) == g->name_len &&
		    memcmp(p->v[i].name, g->name, g->name_len) == 0)
			return &p->v[i];
	return NULL;
}

static void refuse_unknown(const struct tw_params *p,
    const struct tw_param_given *g, struct tw_diags *ds)
{
	const char *names[TW_PARAMS_MAX + 1];
	char near[TW_NEAREST_MAX], word[TW_NAME_MAX + 1];
	const char *hint = NULL;
	struct tw_quote q;
	size_t i;

	for (i = 0; i < p->n; i++)
		names[i] = p->v[i].name;
	names[i] = NULL;
	if (g->name_len < sizeof word) {
		memcpy(word, g->name, g->name_len);
		word[g->name_len] = '\0';
		hint = tw_nearest_hint(word, names, near);
	}
	tw_diags_add(ds, 0, 0, hint, "unknown parameter %s",
	    tw_quote(&q, g->name, g->name_len));
}

/* A value's form: what holds for any type.  NULL when it is fine. */
static const char *bad_form(const struct tw_param_given *g)
{
	if (g->len > TW_PARAM_VALUE_MAX)
		return W_("is longer than 64 KiB");
	if (g->len && memchr(g->value, '\0', g->len))
		return W_("holds a NUL byte");
	if (!tw_utf8_ok(g->value, g->len))
		return W_("is not UTF-8");
	return NULL;
}

/* A secret given as NAME=VALUE stands in the process list. */
static void refuse_public(const struct tw_param *d, struct tw_diags *ds)
{
	char hint[2 * TW_NAME_MAX + 40];

	snprintf(hint, sizeof hint, tw_text("give it as -p %s@FILE or "
	    "-p %s@-"), d->name, d->name);
	tw_diags_add(ds, 0, 0, hint,
	    "parameter '%s' is a secret: it would show in ps", d->name);
}

static void take_given(const struct tw_params *p,
    const struct tw_param_given *g, struct tw_diags *ds,
    struct tw_param_values *out)
{
	const struct tw_param *d = find(p, g);
	char why[TW_PARAM_WHY_MAX];
	struct tw_param_value *v;
	const char *bad;
	struct tw_quote q;

	if (!d) {
		refuse_unknown(p, g, ds);
		return;
	}
	v = &out->v[d - p->v];
	if (v->given) {
		tw_diags_add(ds, 0, 0, NULL, "parameter '%s' is given twice",
		    d->name);
		return;
	}
	v->given = true;
	if (d->type == TW_PARAM_SECRET && !g->is_private) {
		refuse_public(d, ds);
		return;
	}
	bad = bad_form(g);
	if (bad) {
		tw_diags_add(ds, 0, 0, NULL, "parameter '%s' %s", d->name,
		    bad);
		return;
	}
	v->text = strndup(g->len ? g->value : "", g->len);
	if (!v->text) {
		ds->failed = true;
		return;
	}
	bad = tw_param_why_not(d, v->text, why, ds);
	if (bad && d->type == TW_PARAM_SECRET)
		tw_diags_add(ds, 0, 0, d->description, "parameter '%s' %s",
		    d->name, bad);
	else if (bad)
		tw_diags_add(ds, 0, 0, d->description, "parameter '%s' %s, "
		    "not %s", d->name, bad, tw_quote(&q, v->text, g->len));
}

static void take_default(const struct tw_param *d, struct tw_diags *ds,
    struct tw_param_value *v)
{
	if (d->required) {
		tw_diags_add(ds, 0, 0, d->description,
		    "parameter '%s' is required", d->name);
		return;
	}
	v->text = strdup(d->fallback ? d->fallback : "");
	if (!v->text)
		ds->failed = true;
}

static void check_totals(const struct tw_params *p,
    const struct tw_param_values *values, struct tw_diags *ds)
{
	size_t i, n, total = 0, secret = 0;

	for (i = 0; i < p->n; i++) {
		n = values->v[i].text ? strlen(values->v[i].text) : 0;
		total += n;
		if (p->v[i].type == TW_PARAM_SECRET)
			secret += n;
	}
	if (total > TW_PARAM_TOTAL_MAX)
		tw_diags_add(ds, 0, 0, NULL,
		    "the parameters have %zu bytes together, more than %zu",
		    total, TW_PARAM_TOTAL_MAX);
	if (secret > TW_SECRET_TOTAL_MAX)
		tw_diags_add(ds, 0, 0, NULL,
		    "the secrets have %zu bytes together, more than %zu",
		    secret, TW_SECRET_TOTAL_MAX);
}

enum tw_status tw_params_check(const struct tw_params *p,
    const struct tw_param_given *given, size_t n, struct tw_diags *ds,
    struct tw_param_values *out, struct tw_err *err)
{
	enum tw_status st;
	size_t i;

	out->n = 0;
	out->v = calloc(p->n ? p->n : 1, sizeof *out->v);
	if (!out->v)
		return tw_err_nomem(err);
	out->n = p->n;
	for (i = 0; i < n; i++)
		take_given(p, &given[i], ds, out);
	for (i = 0; i < p->n; i++)
		if (!out->v[i].given)
			take_default(&p->v[i], ds, &out->v[i]);
	check_totals(p, out, ds);
	st = tw_diags_check(ds, TW_USAGE, err);
	if (st != TW_OK)
		tw_param_values_release(out);
	return st;
}
