/* use_fill.c - {{name}} in the arguments of kinds; see change_read.h */
#include <stdio.h>
#include <string.h>

#include "spec/change_read.h"
#include "spec/fill.h"
#include "spec/node.h"

static const char fact[] = "fact.";
#define FACT_LEN (sizeof fact - 1)

static const struct tw_param *find_param(const struct tw_params *p,
    const struct tw_hole *h)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (strlen(p->v[i].name) == h->len &&
		    memcmp(p->v[i].name, h->name, h->len) == 0)
			return &p->v[i];
	return NULL;
}

/* One hole of one argument, being looked at. */
struct looking {
	struct tw_change_read *r;
	const struct tw_kind *kind;
	const struct tw_yaml_node *n;
	struct tw_arg_spec *arg;
	bool is_template;
	char where[64];		/* "NAME line N: ", of a file's content */
	size_t line, col;
	size_t seen, lines;	/* bytes looked at, and newlines in them */
};

/* Where a hole stands: in the change file, or in a file that it names.  The
 * holes come in their order, and there may be very many. */
static void find_place(struct looking *l, const struct tw_hole *h)
{
	const char *p = l->arg->content + l->seen;
	const char *end = l->arg->content + h->at;
	size_t lines;

	while ((p = memchr(p, '\n', (size_t)(end - p)))) {
		l->lines++;
		p++;
	}
	l->seen = h->at;
	lines = l->lines;
	l->line = l->n->line;
	l->col = l->n->col;
	l->where[0] = '\0';
	if (l->arg->def->type == TW_PARAM_FILE)
		snprintf(l->where, sizeof l->where, "%s%s%zu: ",
		    l->arg->def->name, W_(" line "), lines + 1);
	else
		tw_yaml_text_pos(l->r->spec->doc, l->n, lines, &l->line,
		    &l->col);
}

static void unknown(struct looking *l, const struct tw_hole *h)
{
	bool is_fact = h->len > FACT_LEN &&
	    memcmp(h->name, fact, FACT_LEN) == 0;
	const char *names[TW_PARAMS_MAX + 1], *hint = NULL;
	char near[TW_NEAREST_MAX], word[64];
	struct tw_quote q;
	size_t i, skip = is_fact ? FACT_LEN : 0;

	for (i = 0; i < l->r->spec->params.n; i++)
		names[i] = l->r->spec->params.v[i].name;
	names[i] = NULL;
	snprintf(word, sizeof word, "%.*s", (int)(h->len - skip < 63 ?
	    h->len - skip : 63), h->name + skip);
	if (is_fact && !l->is_template)
		hint = N_("facts of a host are filled in by a template only");
	else if (!is_fact || l->kind->facts)
		hint = tw_nearest_hint(word, is_fact ? l->kind->facts : names,
		    near);
	tw_diags_add(l->r->ds, l->line, l->col, hint, "%sunknown %s %s",
	    l->where, is_fact ? W_("fact") : W_("parameter"),
	    tw_quote(&q, h->name + skip, h->len - skip));
}

static void check_hole(struct looking *l, const struct tw_hole *h)
{
	const struct tw_param *p = find_param(&l->r->spec->params, h);
	char name[64];

	if (h->len > FACT_LEN && h->len < sizeof name && l->is_template &&
	    memcmp(h->name, fact, FACT_LEN) == 0) {
		snprintf(name, sizeof name, "%.*s", (int)(h->len - FACT_LEN),
		    h->name + FACT_LEN);
		if (tw_kind_lists(l->kind->facts, name))
			return;
	}
	if (!p)
		unknown(l, h);
	else if (p->type == TW_PARAM_SECRET && !l->is_template)
		tw_diags_add(l->r->ds, l->line, l->col,
		    N_("a secret goes into a "
		    "template, or into the environment of a command"),
		    "secret '%s' cannot stand in an argument: it would be "
		    "stored", p->name);
	else if (!l->is_template)
		l->arg->has_holes = true;
}

void tw_use_check_holes(struct tw_change_read *r, const struct tw_kind *kind,
    const struct tw_yaml_node *n, struct tw_arg_spec *arg)
{
	struct looking l = { .r = r, .kind = kind, .n = n, .arg = arg };
	struct tw_hole h;
	size_t at;

	l.is_template = tw_kind_lists(kind->templates, arg->def->name);
	for (at = 0; tw_hole_next(arg->content, arg->len, at, &h); at = h.end) {
		find_place(&l, &h);
		if (h.kind == TW_HOLE_NAME)
			check_hole(&l, &h);
		else if (h.kind == TW_HOLE_OPEN)
			tw_diags_add(r->ds, l.line, l.col,
			    N_("write {{name}}, or {{{{ for two braces"),
			    "%s{{ is not closed on its line", l.where);
	}
}

enum tw_status tw_use_fill(struct tw_change_spec *spec,
    const struct tw_param_values *values, struct tw_arg_spec *arg,
    size_t max, struct tw_err *err)
{
	struct tw_buf b = TW_BUF_INIT;
	size_t at, n = strlen(arg->raw);
	const struct tw_param *p;
	enum tw_status st;
	struct tw_hole h;

	for (at = 0; tw_hole_next(arg->raw, n, at, &h); at = h.end) {
		if (b.len > max)
			break;
		tw_buf_add(&b, arg->raw + at, h.at - at);
		if (h.kind == TW_HOLE_BRACES) {
			tw_buf_adds(&b, "{{");
			continue;
		}
		p = find_param(&spec->params, &h);
		if (p && values)
			tw_buf_adds(&b, values->v[p - spec->params.v].text);
	}
	tw_buf_add(&b, arg->raw + at, n - at);
	st = tw_buf_check(&b, err);
	if (st == TW_OK) {
		arg->text = tw_arena_copy(tw_yaml_arena(spec->doc),
		    tw_buf_str(&b), b.len);
		st = arg->text ? TW_OK : tw_err_nomem(err);
	}
	tw_buf_release(&b);
	return st;
}

static void judge(const struct tw_step_spec *s, size_t k,
    const struct tw_arg_spec *arg, struct tw_diags *ds)
{
	char why[TW_PARAM_WHY_MAX];
	struct tw_quote q;

	if (strlen(arg->text) > TW_PARAM_VALUE_MAX)
		tw_diags_add(ds, 0, 0, NULL, "step %zu: %s: %s is longer than "
		    "64 KiB", k, s->use->name, arg->def->name);
	else if (tw_param_why_not(arg->def, arg->text, why, ds))
		tw_diags_add(ds, 0, 0, arg->def->description,
		    "step %zu: %s: %s %s, not %s", k, s->use->name,
		    arg->def->name, why,
		    tw_quote(&q, arg->text, strlen(arg->text)));
}

enum tw_status tw_change_spec_fill(struct tw_change_spec *s,
    const struct tw_param_values *values, struct tw_diags *ds,
    struct tw_err *err)
{
	struct tw_step_spec *step;
	enum tw_status st;
	size_t i, k, total;

	st = tw_successor_fill(s, values, ds, err);
	if (st != TW_OK)
		return st;
	for (k = 0; k < s->nsteps && !ds->more; k++) {
		step = &s->steps[k];
		total = 0;
		for (i = 0; step->args && i < step->use->args.n; i++) {
			if (step->args[i].has_holes) {
				st = tw_use_fill(s, values, &step->args[i],
				    TW_PARAM_VALUE_MAX, err);
				if (st != TW_OK)
					return st;
				judge(step, k + 1, &step->args[i], ds);
			}
			total += strlen(step->args[i].text);
		}
		if (total > TW_ARGS_TOTAL_MAX)
			tw_diags_add(ds, 0, 0, NULL, "step %zu: the arguments "
			    "have %zu bytes together, more than %zu", k + 1,
			    total, TW_ARGS_TOTAL_MAX);
	}
	return tw_diags_check(ds, TW_USAGE, err);
}
