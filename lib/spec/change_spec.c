/*
 * change_spec.c - the change file, read and checked; see change_spec.h
 *
 * Steps are read in step_read.c, file steps in file_read.c, steps of kinds in
 * use_read.c and use_fill.c, the successor in successor_read.c.
 */
#include "spec/change_spec.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "spec/change_read.h"
#include "spec/fill.h"
#include "spec/node.h"
#include "spec/shell.h"

static const char *const top_keys[] = {
	"towerify", "title", "params", "requires", "successor", "defaults",
	"steps", NULL
};

static const char *const default_keys[] = {
	"timeout", "retries", "retry_delay", NULL
};

const char *const tw_command_keys[] = {
	"check", "unless", "verify", "run", "undo", NULL
};

bool tw_version_read(struct tw_change_read *r, const struct tw_yaml_node *root,
    const char *key, const char *what)
{
	const struct tw_yaml_node *n = tw_node_get(root, key);
	struct tw_quote q;
	char hint[80];
	int64_t v;

	if (!n) {
		snprintf(hint, sizeof hint,
		    tw_text("begin the file with `%s: 1`"), key);
		tw_diags_add(r->ds, root->line, root->col, hint,
		    "the version is missing");
		return true;
	}
	if (!tw_node_int(n, key, 0, INT64_MAX, &v, r->ds))
		return true;
	if (v == 1)
		return true;
	snprintf(hint, sizeof hint, tw_text("this version reads `%s: 1`"),
	    key);
	tw_diags_add(r->ds, n->line, n->col, hint,
	    "version %s of the %s is not known here",
	    tw_quote(&q, n->text, n->len), what);
	return false;
}

void tw_defaults_read(struct tw_change_read *r,
    const struct tw_yaml_node *root)
{
	const struct tw_yaml_node *n = tw_node_get(root, "defaults");

	if (n && tw_node_mapping(n, "defaults", default_keys, r->ds))
		tw_step_read_limits(r, n, &r->timeout_ms, &r->retries,
		    &r->retry_delay_ms);
}

void tw_steps_read(struct tw_change_read *r, const struct tw_yaml_node *n,
    const char *key)
{
	struct tw_change_spec *spec = r->spec;
	const struct tw_yaml_node *item;
	struct tw_step_spec *p;
	size_t i = 0;

	r->list = key;
	if (!tw_node_sequence(n, key, r->ds))
		return;
	if (n->count == 0) {
		tw_diags_add(r->ds, n->line, n->col, NULL,
		    "%s is empty", key);
		return;
	}
	if (spec->nsteps + n->count > TW_STEPS_MAX) {
		tw_diags_add(r->ds, n->line, n->col, NULL,
		    "%zu steps, more than %d", spec->nsteps + n->count,
		    TW_STEPS_MAX);
		return;
	}
	p = reallocarray(spec->steps, spec->nsteps + n->count, sizeof *p);
	if (!p) {
		r->st = tw_err_nomem(r->err);
		return;
	}
	spec->steps = p;
	p += spec->nsteps;
	memset(p, 0, n->count * sizeof *p);
	spec->nsteps += n->count;
	for (item = n->first; item && r->st == TW_OK; item = item->next, i++)
		tw_step_read(r, item, i + 1, &p[i]);
}

void tw_commands_check(struct tw_change_read *r)
{
	struct tw_shell_text *v;
	const struct tw_command *c;
	size_t i, line, col;

	if (r->ncommands == 0)
		return;
	v = calloc(r->ncommands, sizeof *v);
	if (!v) {
		r->st = tw_err_nomem(r->err);
		return;
	}
	for (i = 0; i < r->ncommands; i++)
		v[i].text = r->commands[i].n->text;
	r->st = tw_shell_check(v, r->ncommands, r->err);
	for (i = 0; i < r->ncommands && r->st == TW_OK; i++) {
		c = &r->commands[i];
		if (v[i].line == 0)
			continue;
		tw_yaml_text_pos(r->spec->doc, c->n, v[i].line - 1, &line,
		    &col);
		tw_diags_add(r->ds, line, col, NULL, "%s: %s", c->what,
		    v[i].why);
	}
	free(v);
}

static bool is_named(const struct tw_change_spec *s,
    const struct tw_step_spec *more, const char *param)
{
	size_t k;

	for (k = 0; k < s->nsteps; k++)
		if (tw_step_spec_names(&s->steps[k], param))
			return true;
	return more && tw_step_spec_names(more, param);
}

/* A secret that reaches no step is a mistake: most likely in its name. */
void tw_secrets_check(struct tw_change_read *r, const struct tw_yaml_node *n,
    const struct tw_step_spec *more)
{
	const struct tw_yaml_node *def;
	const struct tw_param *p;
	char hint[TW_NAME_MAX + 40];
	size_t i;

	if (r->reader && r->reader->is_blind)
		return;
	for (i = 0; i < r->spec->params.n; i++) {
		p = &r->spec->params.v[i];
		if (p->type != TW_PARAM_SECRET || !tw_name_param_ok(p->name) ||
		    is_named(r->spec, more, p->name))
			continue;
		def = tw_node_get(n, p->name);
		snprintf(hint, sizeof hint,
		    tw_text("name it in a command, as \"$%s\""),
		    p->name);
		tw_diags_add(r->ds, def->key->line, def->key->col, hint,
		    "no step uses secret '%s'", p->name);
	}
}

void tw_change_read_init(struct tw_change_read *r, struct tw_change_spec *spec,
    const struct tw_spec_reader *reader, struct tw_diags *ds,
    struct tw_err *err)
{
	memset(r, 0, sizeof *r);
	r->spec = spec;
	r->reader = reader;
	r->ds = ds;
	r->err = err;
	r->timeout_ms = TW_TIMEOUT_DEFAULT;
	r->retry_delay_ms = TW_RETRY_DELAY_DEFAULT;
}

/* What it says of the host: needed before, the login after. */
static void read_host(struct tw_change_read *r, const struct tw_yaml_node *root)
{
	const struct tw_yaml_node *n = tw_node_get(root, "requires");

	if (n && r->st == TW_OK)
		r->st = tw_requires_read(r->spec->doc, n, r->ds,
		    &r->spec->requires, r->err);
	n = tw_node_get(root, "successor");
	if (n && r->st == TW_OK)
		tw_successor_read_spec(r, n);
}

static void read_file(struct tw_change_read *r)
{
	const struct tw_yaml_node *root = tw_yaml_root(r->spec->doc), *n, *steps;
	size_t before;

	if (!tw_node_mapping(root, W_("the file"), NULL, r->ds) ||
	    !tw_version_read(r, root, "towerify", W_("change file")))
		return;
	tw_node_mapping(root, W_("the file"), top_keys, r->ds);
	r->spec->title = "";
	n = tw_node_get(root, "title");
	if (n)
		tw_node_line(n, "title", TW_TITLE_MAX, &r->spec->title, r->ds);
	n = tw_node_get(root, "params");
	if (n)
		r->st = tw_params_read(r->spec->doc, n, r->ds,
		    &r->spec->params, r->err);
	read_host(r, root);
	tw_defaults_read(r, root);
	before = r->ds->n + r->ds->more;
	steps = tw_node_get(root, "steps");
	if (!steps)
		tw_diags_add(r->ds, root->line, root->col, NULL,
		    "there are no steps: 'steps' is missing");
	else if (r->st == TW_OK)
		tw_steps_read(r, steps, "steps");
	if (r->st == TW_OK && n && r->ds->n + r->ds->more == before)
		tw_secrets_check(r, n, NULL);
	if (r->st == TW_OK)
		tw_commands_check(r);
}

enum tw_status tw_change_spec_parse(const char *text, size_t len,
    const struct tw_spec_reader *reader, struct tw_diags *ds,
    struct tw_change_spec **out, struct tw_err *err)
{
	struct tw_change_read r;

	*out = NULL;
	tw_change_read_init(&r, calloc(1, sizeof *r.spec), reader, ds, err);
	if (!r.spec)
		return tw_err_nomem(err);
	r.st = tw_yaml_parse(text, len, tw_command_keys, ds, &r.spec->doc, err);
	if (r.st == TW_OK)
		read_file(&r);
	if (r.st == TW_OK)
		r.st = tw_diags_check(ds, TW_DATA, err);
	free(r.commands);
	if (r.st == TW_OK)
		*out = r.spec;
	else
		tw_change_spec_free(r.spec);
	return r.st;
}

void tw_change_spec_free(struct tw_change_spec *s)
{
	if (!s)
		return;
	if (s->is_part) {
		free(s->params.v);
	} else {
		tw_params_release(&s->params);
		tw_yaml_free(s->doc);
	}
	free(s->steps);
	free(s);
}

bool tw_step_spec_has_undo(const struct tw_step_spec *s)
{
	return s->undo_kind != TW_UNDO_NONE &&
	    s->undo_kind != TW_UNDO_IMPOSSIBLE;
}

size_t tw_change_spec_secrets(const struct tw_change_spec *s,
    const char **names, size_t max)
{
	size_t i, n = 0;

	for (i = 0; i < s->params.n; i++) {
		if (s->params.v[i].type != TW_PARAM_SECRET)
			continue;
		if (n < max)
			names[n] = s->params.v[i].name;
		n++;
	}
	return n;
}

static bool is_word_byte(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static bool has_word(const char *text, const char *word)
{
	size_t n = strlen(word);
	const char *p;

	for (p = text; p && (p = strstr(p, word)); p++)
		if ((p == text || !is_word_byte(p[-1])) && !is_word_byte(p[n]))
			return true;
	return false;
}

static bool use_names(const struct tw_step_spec *s, const char *param)
{
	const struct tw_arg_spec *a;
	size_t i;

	for (i = 0; s->args && i < s->use->args.n; i++) {
		a = &s->args[i];
		if (a->def->type == TW_PARAM_COMMAND && a->text &&
		    has_word(a->text, param))
			return true;
		if (a->given && tw_kind_lists(s->use->templates, a->def->name) &&
		    tw_hole_names(a->content, a->len, param))
			return true;
	}
	return false;
}

bool tw_step_spec_names(const struct tw_step_spec *s, const char *param)
{
	return has_word(s->check, param) || has_word(s->unless, param) ||
	    has_word(s->verify, param) || has_word(s->run, param) ||
	    has_word(s->undo, param) ||
	    (s->kind == TW_STEP_KIND && use_names(s, param));
}

int64_t tw_step_spec_longest(const struct tw_step_spec *s)
{
	bool is_built_in = s->kind == TW_STEP_KIND || s->kind == TW_STEP_FILE;
	int64_t phases = 1;

	if (s->kind == TW_STEP_REBOOT)
		return s->timeout_ms;
	if (is_built_in || s->check || s->unless)
		phases++;
	if (is_built_in || s->check || s->verify)
		phases++;
	return phases * s->timeout_ms * (1 + s->retries) +
	    s->retry_delay_ms * s->retries;
}

size_t tw_change_spec_without_undo(const struct tw_change_spec *s,
    struct tw_buf *out)
{
	size_t i, n = 0;

	for (i = 0; i < s->nsteps; i++) {
		if (tw_step_spec_has_undo(&s->steps[i]))
			continue;
		n++;
		tw_buf_addf(out, "step %zu: ", i + 1);
		tw_diag_escape(out, s->steps[i].name, strlen(s->steps[i].name), 0);
		if (s->steps[i].undo_kind == TW_UNDO_IMPOSSIBLE)
			tw_buf_adds(out, ", declared impossible");
		tw_buf_addc(out, '\n');
	}
	return n;
}
