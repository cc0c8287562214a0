/* use_read.c - the arguments of a step of a kind; see change_read.h */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "spec/change_read.h"
#include "spec/node.h"

/* A literal value against its definition. */
static void judge(struct tw_change_read *r, const struct tw_yaml_node *n,
    const struct tw_arg_spec *arg)
{
	char why[TW_PARAM_WHY_MAX];
	struct tw_quote q;

	if (strlen(arg->text) > TW_PARAM_VALUE_MAX)
		tw_diags_add(r->ds, n->line, n->col, NULL,
		    "%s is longer than 64 KiB", arg->def->name);
	else if (tw_param_why_not(arg->def, arg->text, why, r->ds))
		tw_diags_add(r->ds, n->line, n->col, arg->def->description,
		    "%s %s, not %s", arg->def->name, why,
		    tw_quote(&q, arg->text, strlen(arg->text)));
}

static void read_text(struct tw_change_read *r, const struct tw_kind *kind,
    const struct tw_yaml_node *n, struct tw_arg_spec *arg)
{
	bool is_template = tw_kind_lists(kind->templates, arg->def->name);
	const char *name = arg->def->name;
	size_t before = r->ds->n + r->ds->more;

	if (!n->broken && n->type == TW_YAML_MAPPING) {
		tw_diags_add(r->ds, n->line, n->col,
		    N_("a value that begins with {{ needs quotes"),
		    "%s must be text, not a mapping", name);
		return;
	}
	if (!tw_node_text(n, name, &arg->raw, r->ds))
		return;
	if (n->style == TW_YAML_PLAIN && n->lines)
		tw_diags_add(r->ds, n->line, n->col,
		    N_("write `|` and the text on the next lines"),
		    "%s goes over several lines, which YAML would join", name);
	arg->given = true;
	arg->text = arg->content = arg->raw;
	arg->len = n->len;
	tw_use_check_holes(r, kind, n, arg);
	if (r->ds->n + r->ds->more != before || arg->has_holes)
		return;
	if (!is_template)
		r->st = tw_use_fill(r->spec, NULL, arg, SIZE_MAX, r->err);
	if (r->st == TW_OK)
		judge(r, n, arg);
}

static void read_file(struct tw_change_read *r, const struct tw_kind *kind,
    const struct tw_yaml_node *n, struct tw_arg_spec *arg)
{
	if (!tw_node_line(n, arg->def->name, TW_FILE_PATH_MAX, &arg->raw,
	    r->ds))
		return;
	arg->given = true;
	if (strstr(arg->raw, "{{")) {
		tw_diags_add(r->ds, n->line, n->col, NULL,
		    "no value is put into the name of a file");
		return;
	}
	arg->content = "";
	tw_file_read_source(r, n, &arg->content, &arg->len);
	arg->text = arg->raw;
	if (!tw_kind_lists(kind->templates, arg->def->name))
		return;
	tw_use_check_holes(r, kind, n, arg);
	if (memchr(arg->content, '\0', arg->len))
		tw_diags_add(r->ds, n->line, n->col, NULL,
		    "%s: holds a NUL: a template must be text", arg->raw);
}

static void read_arg(struct tw_change_read *r, const struct tw_kind *kind,
    const struct tw_yaml_node *map, struct tw_arg_spec *arg)
{
	const char *name = arg->def->name;
	const struct tw_yaml_node *n = tw_node_get(map, name);

	arg->text = arg->def->fallback ? arg->def->fallback : "";
	if (!n) {
		if (arg->def->required)
			tw_diags_add(r->ds, map->key->line, map->key->col,
			    arg->def->description, "%s needs '%s'",
			    kind->name, name);
		return;
	}
	switch (arg->def->type) {
	case TW_PARAM_FILE:
		read_file(r, kind, n, arg);
		break;
	case TW_PARAM_COMMAND:
		arg->raw = tw_step_read_command(r, map, name);
		if (arg->raw) {
			arg->text = arg->raw;
			arg->given = true;
		}
		break;
	default:
		read_text(r, kind, n, arg);
		break;
	}
}

/* Of some arguments just one must be there. */
static void check_one_of(struct tw_change_read *r, const struct tw_kind *kind,
    const struct tw_yaml_node *map)
{
	struct tw_buf words = TW_BUF_INIT;
	const char *const *w;
	size_t n = 0;

	for (w = kind->one_of; w && *w; w++) {
		n += tw_node_get(map, *w) != NULL;
		tw_buf_addf(&words, "%s%s", w == kind->one_of ? "" : ", ", *w);
	}
	if (kind->one_of && n != 1)
		tw_diags_add(r->ds, map->key->line, map->key->col, NULL,
		    "%s needs %s of %s", kind->name,
		    n ? W_("only one") : W_("one"), tw_buf_str(&words));
	if (words.failed)
		r->st = tw_err_nomem(r->err);
	tw_buf_release(&words);
}

/* A parameter "arg_path" would be overruled by the argument "path". */
static void check_params(struct tw_change_read *r,
    const struct tw_kind *kind, const struct tw_yaml_node *map)
{
	const char *param, *name;
	size_t i, k;

	for (i = 0; i < r->spec->params.n; i++) {
		param = r->spec->params.v[i].name;
		if (strncmp(param, "arg_", 4) != 0)
			continue;
		for (k = 0; k < kind->args.n; k++) {
			name = kind->args.v[k].name;
			if (strcmp(param + 4, name) == 0)
				tw_diags_add(r->ds, map->key->line,
				    map->key->col, N_("rename the parameter"),
				    "parameter '%s' would hide argument '%s' "
				    "of %s", param, name, kind->name);
		}
	}
}

/* A secret that goes into a file must not be for all to read by default. */
static void check_mode(struct tw_change_read *r, const struct tw_kind *kind,
    const struct tw_yaml_node *map, const struct tw_step_spec *out)
{
	const struct tw_param *p;
	size_t i, k;

	for (k = 0; k < kind->args.n; k++)
		if (strcmp(kind->args.v[k].name, "mode") == 0)
			break;
	if (!kind->templates || k == kind->args.n || out->args[k].given)
		return;
	for (i = 0; i < r->spec->params.n; i++) {
		p = &r->spec->params.v[i];
		if (p->type == TW_PARAM_SECRET && tw_step_spec_names(out, p->name))
			tw_diags_add(r->ds, map->key->line, map->key->col,
			    N_("such as mode: 0600"),
			    "%s with secret '%s' needs "
			    "a mode: who may read it", kind->name, p->name);
	}
}

void tw_use_read(struct tw_change_read *r, const struct tw_yaml_node *n,
    const struct tw_kind *kind, struct tw_step_spec *out)
{
	const char *names[TW_PARAMS_MAX + 1];
	size_t i, total = 0;

	for (i = 0; i < kind->args.n; i++)
		names[i] = kind->args.v[i].name;
	names[i] = NULL;
	out->args = tw_arena_alloc(tw_yaml_arena(r->spec->doc),
	    (kind->args.n + 1) * sizeof *out->args);
	if (!out->args) {
		r->st = tw_err_nomem(r->err);
		return;
	}
	for (i = 0; i < kind->args.n; i++)
		out->args[i].def = &kind->args.v[i];
	if (!tw_node_mapping(n, kind->name, names, r->ds))
		return;
	for (i = 0; i < kind->args.n && r->st == TW_OK; i++) {
		read_arg(r, kind, n, &out->args[i]);
		total += out->args[i].raw ? strlen(out->args[i].raw) : 0;
	}
	if (total > TW_ARGS_TOTAL_MAX)
		tw_diags_add(r->ds, n->line, n->col, NULL,
		    "the arguments have %zu bytes together, more than %zu",
		    total, TW_ARGS_TOTAL_MAX);
	check_one_of(r, kind, n);
	check_params(r, kind, n);
	check_mode(r, kind, n, out);
}
