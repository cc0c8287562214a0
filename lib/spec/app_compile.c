/*
 * app_compile.c - an action of an app as a change; see app_spec.h
 *
 * The rollback of an upgrade is the undo of its steps, the last first, and
 * then, before what backup did is undone, restore: it is the undo of a step of
 * its own that does nothing, the way back.  Each command of restore is a word
 * there, handed to a shell as it is in a step of its own; its checks are asked
 * as there, its retries are not made, nor is it confirmed.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/json.h"
#include "spec/app_read.h"
#include "spec/node.h"
#include "spec/program.h"

/* What an action consists of. */
static const struct recipe {
	bool has_backup;	/* first */
	bool has_way_back;
	bool has_health;	/* last */
	bool is_harmless;	/* steps that say nothing of undo need none */
} recipes[TW_APP_ACTIONS] = {
	[TW_APP_DEPLOY] = { .has_health = true },
	[TW_APP_START] = { .has_health = true },
	[TW_APP_UPGRADE] = { .has_backup = true, .has_way_back = true,
	    .has_health = true },
	[TW_APP_UNDEPLOY] = { .has_backup = true },
	[TW_APP_BACKUP] = { .is_harmless = true },
	[TW_APP_RESTORE] = { .has_health = true },
	[TW_APP_CHECK] = { .has_health = true, .is_harmless = true },
};

/* A change being made. */
struct making {
	struct tw_app_spec *app;
	const struct tw_app_act *act;
	struct tw_change_spec *out;
	struct tw_arena *arena;
	struct tw_err *err;
	enum tw_status st;
};

static const char *copy(struct making *m, const char *s)
{
	const char *own = tw_arena_copy(m->arena, s, strlen(s));

	if (!own)
		m->st = tw_err_nomem(m->err);
	return own;
}

static struct tw_step_spec *add_step(struct making *m,
    const struct tw_step_spec *s)
{
	m->out->steps[m->out->nsteps] = *s;
	return &m->out->steps[m->out->nsteps++];
}

static void add_list(struct making *m, enum tw_app_action action,
    bool is_harmless)
{
	const struct tw_app_list *list = &m->app->actions[action];
	struct tw_step_spec *s;
	size_t i;

	for (i = 0; i < list->n; i++) {
		s = add_step(m, &m->app->whole->steps[list->first + i]);
		if (is_harmless && s->undo_kind == TW_UNDO_NONE)
			s->undo_kind = TW_UNDO_NOTHING;
	}
}

/* --- the way back --------------------------------------------------------- */

static void add_shell(struct tw_buf *b, const char *before, const char *text,
    const char *after)
{
	tw_buf_addf(b, "%ssh -euc ", before);
	tw_program_quote(b, text, strlen(text));
	tw_buf_adds(b, after);
}

static void add_restore(struct tw_buf *b, const struct tw_step_spec *s)
{
	const char *before = s->check ? s->check : s->unless;
	const char *after = s->check ? s->check : s->verify;

	if (before)
		add_shell(b, "if ! ", before, "; then\n");
	add_shell(b, "", s->run, "\n");
	if (after)
		add_shell(b, "", after, "\n");
	if (before)
		tw_buf_adds(b, "fi\n");
}

static int64_t time_of(const struct tw_step_spec *s)
{
	return s->timeout_ms * (1 + (s->check || s->unless) +
	    (s->check || s->verify));
}

static void add_way_back(struct making *m)
{
	const struct tw_app_list *list = &m->app->actions[TW_APP_RESTORE];
	struct tw_step_spec way = { .name = "way back to what runs now",
	    .kind = TW_STEP_RUN, .run = ":", .undo_kind = TW_UNDO_SCRIPT };
	struct tw_buf b = TW_BUF_INIT;
	const struct tw_step_spec *s;
	size_t i;

	for (i = 0; i < list->n; i++) {
		s = &m->app->whole->steps[list->first + i];
		add_restore(&b, s);
		way.timeout_ms += time_of(s);
	}
	if (way.timeout_ms > TW_TIMEOUT_MAX)
		way.timeout_ms = TW_TIMEOUT_MAX;
	m->st = tw_buf_check(&b, m->err);
	if (m->st == TW_OK)
		way.undo = copy(m, tw_buf_str(&b));
	tw_buf_release(&b);
	if (m->st == TW_OK)
		add_step(m, &way);
}

/* --- steps and parameters ------------------------------------------------- */

static void add_steps(struct making *m)
{
	const struct tw_app_spec *app = m->app;
	const struct recipe *recipe = &recipes[m->act->action];
	bool has_way_back = recipe->has_way_back &&
	    app->actions[TW_APP_RESTORE].n;

	/* all of the app's, a way back and the health */
	m->out->steps = calloc(app->whole->nsteps + 2, sizeof *m->out->steps);
	if (!m->out->steps) {
		m->st = tw_err_nomem(m->err);
		return;
	}
	if (recipe->has_backup && !m->act->no_backup)
		add_list(m, TW_APP_BACKUP, true);
	if (has_way_back)
		add_way_back(m);
	if (m->st != TW_OK)
		return;
	add_list(m, m->act->action, recipe->is_harmless || has_way_back);
	if (recipe->has_health && app->health.use)
		add_step(m, &app->health);
}

static bool is_needed(const struct tw_change_spec *s, const struct tw_param *p)
{
	size_t k;

	if (p->type != TW_PARAM_SECRET)
		return true;
	for (k = 0; k < s->nsteps; k++)
		if (tw_step_spec_names(&s->steps[k], p->name))
			return true;
	return false;
}

/* A parameter of every app: of all texts just this one. */
static void set_own(struct making *m, struct tw_param *p, const char *text)
{
	const char **values = tw_arena_alloc(m->arena, 2 * sizeof *values);

	if (!values) {
		m->st = tw_err_nomem(m->err);
		return;
	}
	p->fallback = values[0] = copy(m, text);
	p->values = (const char *const *)values;
}

static void add_params(struct making *m)
{
	const struct tw_params *all = &m->app->whole->params;
	const char *texts[TW_APP_OWN] = {
		[TW_APP_OWN_INSTANCE] = m->act->instance ? m->act->instance :
		    m->app->app,
		[TW_APP_OWN_VERSION] = m->app->version,
		[TW_APP_OWN_FROM] = m->act->from ? m->act->from : "",
	};
	struct tw_params *p = &m->out->params;
	size_t i, own = all->n - TW_APP_OWN;

	p->v = calloc(all->n, sizeof *p->v);
	if (!p->v) {
		m->st = tw_err_nomem(m->err);
		return;
	}
	for (i = 0; i < all->n && m->st == TW_OK; i++) {
		if (!is_needed(m->out, &all->v[i]))
			continue;
		p->v[p->n] = all->v[i];
		if (i >= own)
			set_own(m, &p->v[p->n], texts[i - own]);
		p->n++;
	}
}

static void set_title(struct making *m)
{
	const struct tw_app_spec *app = m->app;
	bool is_upgrade = m->act->action == TW_APP_UPGRADE;
	char title[TW_TITLE_MAX + 1];

	snprintf(title, sizeof title, "%s %s %s%s",
	    tw_app_action_words[m->act->action], app->app,
	    is_upgrade ? "to " : "", app->version);
	m->out->title = copy(m, title);
}

enum tw_status tw_app_compile(struct tw_app_spec *app,
    const struct tw_app_act *act, struct tw_change_spec **out,
    struct tw_err *err)
{
	struct making m = { .app = app, .act = act, .err = err };

	*out = NULL;
	if (app->actions[act->action].n == 0)
		return tw_err_set(err, TW_NO, "%s %s has no '%s'", app->app,
		    app->version, tw_app_action_words[act->action]);
	m.out = calloc(1, sizeof *m.out);
	if (!m.out)
		return tw_err_nomem(err);
	m.out->is_part = true;
	m.out->doc = app->whole->doc;
	m.arena = tw_yaml_arena(app->whole->doc);
	set_title(&m);
	if (m.st == TW_OK)
		add_steps(&m);
	if (m.st == TW_OK)
		add_params(&m);
	if (m.st == TW_OK)
		*out = m.out;
	else
		tw_change_spec_free(m.out);
	return m.st;
}

/* --- exports -------------------------------------------------------------- */

/* The value of each parameter for exports; they are only read. */
static void set_values(const struct tw_app_spec *app, const char *instance,
    json_t *given, struct tw_param_values *out)
{
	const struct tw_params *all = &app->whole->params;
	const char *text;
	size_t i, own = all->n - TW_APP_OWN;

	for (i = 0; i < own; i++) {
		text = json_string_value(json_object_get(given,
		    all->v[i].name));
		if (!text)
			text = all->v[i].fallback;
		out->v[i].text = (char *)(text ? text : "");
	}
	out->v[own + TW_APP_OWN_INSTANCE].text = (char *)instance;
	out->v[own + TW_APP_OWN_VERSION].text = (char *)app->version;
	out->v[own + TW_APP_OWN_FROM].text = (char *)"";
	out->n = all->n;
}

static enum tw_status fill_exports(struct tw_app_spec *app,
    const struct tw_param_values *values, json_t *out, struct tw_err *err)
{
	enum tw_status st = TW_OK;
	struct tw_arg_spec *arg;
	size_t i;

	for (i = 0; i < app->nexports && st == TW_OK; i++) {
		arg = &app->exports[i].text;
		if (values)
			st = tw_use_fill(app->whole, values, arg, SIZE_MAX, err);
		if (st == TW_OK && json_object_set_new(out,
		    app->exports[i].name, json_string(values ? arg->text :
		    arg->raw)) != 0)
			st = tw_err_nomem(err);
	}
	return st;
}

enum tw_status tw_app_exports(struct tw_app_spec *app, const char *instance,
    const char *params, struct tw_buf *out, struct tw_err *err)
{
	size_t mark = tw_json_mark();
	json_t *o = json_object(), *given = json_loads(params ? params : "{}",
	    0, NULL);
	struct tw_param_values values = { calloc(app->whole->params.n,
	    sizeof *values.v), 0 };
	char *text = NULL;
	enum tw_status st;

	if (o && given && values.v) {
		if (instance)
			set_values(app, instance, given, &values);
		st = fill_exports(app, instance ? &values : NULL, o, err);
		if (st == TW_OK)
			text = tw_json_dump(o, JSON_COMPACT |
			    JSON_PRESERVE_ORDER, mark);
	}
	tw_buf_adds(out, text ? text : "");
	st = text ? tw_buf_check(out, err) : tw_err_nomem(err);
	free(text);
	free(values.v);
	json_decref(given);
	json_decref(o);
	return st;
}
