/* app_look.c - the catalogue and the instances; see app.h */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "base/json.h"
#include "model/instance.h"

/* --- list -------------------------------------------------------------------------- */

enum { L_NAME, L_VERSION, L_SOURCE, L_STATE, L_LEVEL, L_CATEGORY, L_INSTANCES,
	L_TITLE, L_DESCRIPTION, L_ARCHS, L_ADDED, L_BY };
const struct tw_column app_list_columns[] = {
	{ "name", N_("NAME"), TW_COL_TEXT, true, N_("the app") },
	{ "version", N_("VERSION"), TW_COL_TEXT, true, N_("of it") },
	{ "source", N_("SOURCE"), TW_COL_TEXT, true, N_("file, or yunohost") },
	{ "state", N_("STATE"), TW_COL_TEXT, true,
	    N_("as YunoHost judges it: working, ...") },
	{ "level", N_("LEVEL"), TW_COL_INT, true, N_("and how well, to 10") },
	{ "category", N_("CATEGORY"), TW_COL_TEXT, true, N_("what it is for") },
	{ "instances", N_("INSTANCES"), TW_COL_INT, true,
	    N_("of that version") },
	{ "title", N_("TITLE"), TW_COL_TEXT, true, N_("its title") },
	{ "description", N_("DESCRIPTION"), TW_COL_TEXT, false,
	    N_("what it does") },
	{ "archs", N_("ARCHS"), TW_COL_TEXT, false,
	    N_("what it runs on; none: anything") },
	{ "added", N_("ADDED"), TW_COL_TIME, false, N_("when it came so") },
	{ "by", N_("BY"), TW_COL_TEXT, false, N_("who added it") },
	{ 0 }
};

static enum tw_status fill_list(struct tw_table *t, const struct tw_app *a,
    struct tw_err *err)
{
	tw_table_cell_text(t, L_NAME, a->name);
	tw_table_cell_text(t, L_VERSION, a->version[0] ? a->version : NULL);
	tw_table_cell_text(t, L_SOURCE, tw_app_source_name(a->source));
	tw_table_cell_text(t, L_STATE, a->state);
	if (a->level >= 0)
		tw_table_cell_int(t, L_LEVEL, a->level);
	tw_table_cell_text(t, L_CATEGORY, a->category);
	tw_table_cell_int(t, L_INSTANCES, a->instances);
	tw_table_cell_text(t, L_TITLE, a->title);
	tw_table_cell_text(t, L_DESCRIPTION, a->description);
	tw_table_cell_text(t, L_ARCHS, a->archs);
	tw_table_cell_time(t, L_ADDED, a->added);
	tw_table_cell_text(t, L_BY, a->added_by);
	return tw_table_row_end(t, err);
}

int app_list(struct tw_cli *cli, int argc, char **argv)
{
	struct tw_app_filter f = { .pattern = argc > 0 ? argv[0] : NULL,
	    .state = tw_cli_opt(cli, "status"),
	    .category = tw_cli_opt(cli, "category"),
	    .arch = tw_cli_opt(cli, "arch") };
	const char *level = tw_cli_opt(cli, "level");
	struct tw_table_options o = cli->table;
	struct tower *t = cli->context;
	struct tw_table *table = NULL;
	struct tw_app *apps = NULL;
	struct tw_err err = { 0 };
	enum tw_status st = TW_OK;
	size_t n = 0, i;
	int least = 0;

	o.noun = "apps";
	if (level)
		st = tower_count("level", level, 1, 10, &least, &err);
	f.level = least;
	if (!st)
		st = tw_table_new(app_list_columns, &o, &table, &err);
	if (!st)
		st = tw_app_select(t->store, &t->who, &f, &apps, &n, &err);
	for (i = 0; i < n && !st; i++)
		st = fill_list(table, &apps[i], &err);
	if (!st)
		st = tw_table_print(table, stdout, &err);
	tw_table_free(table);
	tw_apps_free(apps, n);
	return st ? tw_cli_error(cli, &err) : TW_OK;
}

/* --- show -------------------------------------------------------------------------- */

enum { S_NAME, S_VERSION, S_SOURCE, S_TITLE, S_DESCRIPTION, S_STATE, S_LEVEL,
	S_CATEGORY, S_ARCHS, S_REQUIRES, S_ACTIONS, S_PARAMS, S_EXPORTS,
	S_INSTANCES, S_ADDED, S_BY, S_DETAIL, S_FILE };
const struct tw_column app_show_columns[] = {
	{ "name", N_("Name"), TW_COL_TEXT, true, N_("the app") },
	{ "version", N_("Version"), TW_COL_TEXT, true, N_("of it") },
	{ "source", N_("Source"), TW_COL_TEXT, true, N_("file, or yunohost") },
	{ "title", N_("Title"), TW_COL_TEXT, true, N_("its title") },
	{ "description", N_("Description"), TW_COL_TEXT, true,
	    N_("what it does") },
	{ "state", N_("State"), TW_COL_TEXT, true,
	    N_("as YunoHost judges it: working, ...") },
	{ "level", N_("Level"), TW_COL_INT, true, N_("and how well, to 10") },
	{ "category", N_("Category"), TW_COL_TEXT, true, N_("what it is for") },
	{ "archs", N_("Architectures"), TW_COL_TEXT, true,
	    N_("what it runs on; none: anything") },
	{ "requires", N_("Requires"), TW_COL_TEXT, true,
	    N_("what hosts must have") },
	{ "actions", N_("Actions"), TW_COL_TEXT, true,
	    N_("what it has steps for") },
	{ "params", N_("Parameters"), TW_COL_JSON, false,
	    N_("what deploy takes") },
	{ "exports", N_("Exports"), TW_COL_JSON, true,
	    N_("what will be known of its instances") },
	{ "instances", N_("Instances"), TW_COL_INT, true,
	    N_("of that version") },
	{ "added", N_("Added"), TW_COL_TIME, true, N_("when it came so") },
	{ "by", N_("By"), TW_COL_TEXT, true, N_("who added it") },
	{ "detail", N_("Detail"), TW_COL_JSON, false,
	    N_("what else YunoHost's catalogue says") },
	{ "file", N_("File"), TW_COL_TEXT, false,
	    N_("the app file, or what YunoHost's app becomes") },
	{ 0 }
};

/* What the app file says beside what is in the catalogue's row. */
static enum tw_status fill_file(struct tw_table *t, const struct app_text *x,
    struct tw_err *err)
{
	struct tw_buf requires = TW_BUF_INIT, actions = TW_BUF_INIT;
	struct tw_buf exports = TW_BUF_INIT;
	char *params = app_params_json(&x->spec->params);
	enum tw_status st;
	size_t i;

	tw_requires_describe(&x->spec->requires, &requires);
	for (i = 0; i < TW_APP_ACTIONS; i++)
		if (x->spec->actions[i].n)
			tw_buf_addf(&actions, "%s%s", actions.len ? "," : "",
			    tw_app_action_words[i]);
	st = params ? tw_buf_check(&requires, err) : tw_err_nomem(err);
	if (!st)
		st = tw_buf_check(&actions, err);
	if (!st && x->spec->nexports)
		st = tw_app_exports(x->spec, NULL, NULL, &exports, err);
	if (requires.len)
		tw_table_cell_text(t, S_REQUIRES, tw_buf_str(&requires));
	tw_table_cell_text(t, S_ACTIONS, tw_buf_str(&actions));
	tw_table_cell_json(t, S_PARAMS, params);
	if (exports.len)
		tw_table_cell_json(t, S_EXPORTS, tw_buf_str(&exports));
	tw_table_cell_text(t, S_FILE, tw_buf_str(&x->file));
	tw_buf_release(&requires);
	tw_buf_release(&actions);
	tw_buf_release(&exports);
	free(params);
	return st;
}

static void fill_show(struct tw_table *t, const struct tw_app *a)
{
	tw_table_cell_text(t, S_NAME, a->name);
	tw_table_cell_text(t, S_VERSION, a->version[0] ? a->version : NULL);
	tw_table_cell_text(t, S_SOURCE, tw_app_source_name(a->source));
	tw_table_cell_text(t, S_TITLE, a->title);
	tw_table_cell_text(t, S_DESCRIPTION, a->description);
	tw_table_cell_text(t, S_STATE, a->state);
	if (a->level >= 0)
		tw_table_cell_int(t, S_LEVEL, a->level);
	tw_table_cell_text(t, S_CATEGORY, a->category);
	tw_table_cell_text(t, S_ARCHS, a->archs);
	tw_table_cell_int(t, S_INSTANCES, a->instances);
	tw_table_cell_time(t, S_ADDED, a->added);
	tw_table_cell_text(t, S_BY, a->added_by);
	tw_table_cell_json(t, S_DETAIL, a->detail);
}

/* An app of YunoHost whose questions are known is as good as a file. */
static enum tw_status read_text(struct tw_cli *cli, const struct tw_app *a,
    struct app_text *x, struct tw_err *err)
{
	const struct tw_yunohost_act act = { .action = TW_APP_DEPLOY,
	    .instance = a->name };
	struct tw_yunohost_catalog *c = NULL;
	enum tw_status st;

	if (a->source == TW_APP_FILE)
		return app_text_read(cli, cli->context, a, x, err);
	st = app_yunohost_read(a, &c, err);
	if (!st && c->apps->has_questions && tw_app_version_ok(a->version))
		st = app_yunohost_text(cli, c->apps, &act, x, err);
	tw_yunohost_free(c);
	return st;
}

static enum tw_status show(struct tw_cli *cli, const struct tw_app *a,
    struct tw_err *err)
{
	struct tw_table_options o = cli->table;
	struct tw_table *table = NULL;
	struct app_text x = { 0 };
	enum tw_status st;

	o.noun = "apps";
	o.all_columns = o.mode != TW_TABLE_PEOPLE;
	st = tw_table_new(app_show_columns, &o, &table, err);
	if (!st)
		st = read_text(cli, a, &x, err);
	if (!st) {
		fill_show(table, a);
		if (x.spec)
			st = fill_file(table, &x, err);
	}
	if (!st)
		st = tw_table_row_end(table, err);
	if (!st)
		st = tw_table_show(table, stdout, err);
	/* for people a table of their own, below */
	if (!st && x.spec && x.spec->params.n > 0 &&
	    o.mode == TW_TABLE_PEOPLE && !o.output)
		st = app_params_print(cli, &x.spec->params, err);
	app_text_release(&x);
	tw_table_free(table);
	return st;
}

int app_show(struct tw_cli *cli, int argc, char **argv)
{
	struct tower *t = cli->context;
	struct tw_app a = { 0 };
	struct tw_err err = { 0 };
	enum tw_status st;

	(void)argc;
	st = tw_app_find(t->store, &t->who, argv[0], &a, &err);
	if (!st)
		st = show(cli, &a, &err);
	tw_app_release(&a);
	return st && err.msg[0] ? tw_cli_error(cli, &err) :
	    tw_status_exit(st);
}

/* --- instances ------------------------------------------------------------------------ */

enum { I_HOST, I_NAME, I_APP, I_VERSION, I_STATE, I_CHANGE, I_ACTION, I_NEXT,
	I_PARAMS, I_EXPORTS, I_SOURCE, I_CREATED, I_CHANGED };
const struct tw_column app_instances_columns[] = {
	{ "host", N_("HOST"), TW_COL_TEXT, true, N_("where it is") },
	{ "name", N_("NAME"), TW_COL_TEXT, true, N_("its name there") },
	{ "app", N_("APP"), TW_COL_TEXT, true, N_("of which app") },
	{ "version", N_("VERSION"), TW_COL_TEXT, true,
	    N_("the one that is there") },
	{ "state", N_("STATE"), TW_COL_TEXT, true,
	    N_("deploying, running, stopped, upgrading, undeploying, failed, "
	    "gone") },
	{ "change", N_("CHANGE"), TW_COL_INT, true, N_("its latest change") },
	{ "action", N_("ACTION"), TW_COL_TEXT, false,
	    N_("what that does or did") },
	{ "next", N_("NEXT"), TW_COL_TEXT, false,
	    N_("the version an upgrade was to bring that has not succeeded") },
	{ "params", N_("PARAMS"), TW_COL_JSON, false, N_("its parameters") },
	{ "exports", N_("EXPORTS"), TW_COL_JSON, false,
	    N_("what its app says of it, with its parameters") },
	{ "source", N_("SOURCE"), TW_COL_TEXT, false, N_("file, or yunohost") },
	{ "created", N_("CREATED"), TW_COL_TIME, false,
	    N_("when it was asked for") },
	{ "changed", N_("SINCE"), TW_COL_TIME, true,
	    N_("when its state came") },
	{ 0 }
};

/* The apps of instances, each read once. */
struct known {
	struct known_app {
		char *name, *version;
		struct app_text text;	/* .spec NULL: it can't be read */
	} *v;
	size_t n;
};

static void known_release(struct known *k)
{
	size_t i;

	for (i = 0; i < k->n; i++) {
		free(k->v[i].name);
		free(k->v[i].version);
		app_text_release(&k->v[i].text);
	}
	free(k->v);
}

/* What can't be read any more has no exports, and is no reason not to list the
 * others. */
static enum tw_status read_known(struct tw_cli *cli, struct known_app *k,
    enum tw_app_source source, struct tw_err *err)
{
	struct tower *t = cli->context;
	struct tw_app a = { 0 };
	enum tw_status st;

	st = tw_app_get(t->store, &t->who, k->name, k->version, source, &a,
	    err);
	if (!st)
		st = app_text_read(cli, t, &a, &k->text, err);
	tw_app_release(&a);
	if (st != TW_NO && st != TW_DATA)
		return st;
	err->msg[0] = '\0';
	return TW_OK;
}

static enum tw_status know(struct tw_cli *cli, struct known *k,
    const struct tw_instance *i, struct tw_app_spec **out, struct tw_err *err)
{
	struct known_app *v;
	enum tw_status st;
	size_t j;

	*out = NULL;
	for (j = 0; j < k->n; j++) {
		v = &k->v[j];
		if (strcmp(v->name, i->app) == 0 &&
		    strcmp(v->version, i->version) == 0) {
			*out = v->text.spec;
			return TW_OK;
		}
	}
	v = reallocarray(k->v, k->n + 1, sizeof *v);
	if (!v)
		return tw_err_nomem(err);
	k->v = v;
	v += k->n++;
	memset(v, 0, sizeof *v);
	v->name = strdup(i->app);
	v->version = strdup(i->version);
	st = v->name && v->version ? read_known(cli, v, i->source, err) :
	    tw_err_nomem(err);
	*out = v->text.spec;
	return st;
}

static enum tw_status fill_exports(struct tw_cli *cli, struct tw_table *t,
    struct known *k, const struct tw_instance *i, struct tw_err *err)
{
	struct tw_buf exports = TW_BUF_INIT;
	struct tw_app_spec *app;
	enum tw_status st;

	if (!tw_table_wants(t, I_EXPORTS) || i->source != TW_APP_FILE)
		return TW_OK;
	st = know(cli, k, i, &app, err);
	if (!st && app && app->nexports) {
		st = tw_app_exports(app, i->name, i->params, &exports, err);
		tw_table_cell_json(t, I_EXPORTS, tw_buf_str(&exports));
	}
	tw_buf_release(&exports);
	return st;
}

static enum tw_status fill_instance(struct tw_cli *cli, struct tw_table *t,
    struct known *k, const struct tw_instance *i, struct tw_err *err)
{
	enum tw_status st;

	tw_table_cell_text(t, I_HOST, i->host);
	tw_table_cell_text(t, I_NAME, i->name);
	tw_table_cell_text(t, I_APP, i->app);
	tw_table_cell_text(t, I_VERSION, i->version);
	tw_table_cell_text(t, I_STATE, tw_instance_state_name(i->state));
	if (i->change)
		tw_table_cell_int(t, I_CHANGE, i->change);
	tw_table_cell_text(t, I_ACTION, i->action);
	tw_table_cell_text(t, I_NEXT, i->next_version);
	tw_table_cell_json(t, I_PARAMS, i->params);
	tw_table_cell_text(t, I_SOURCE, tw_app_source_name(i->source));
	tw_table_cell_time(t, I_CREATED, i->created);
	tw_table_cell_time(t, I_CHANGED, i->changed);
	st = fill_exports(cli, t, k, i, err);
	return st ? st : tw_table_row_end(t, err);
}

int app_instances(struct tw_cli *cli, int argc, char **argv)
{
	struct tw_instance_filter f = { .app = tw_cli_opt(cli, "app"),
	    .all = tw_cli_flag(cli, "all") };
	struct tw_table_options o = cli->table;
	struct tower *t = cli->context;
	struct tw_instance *list = NULL;
	struct known known = { 0 };
	struct tw_table *table = NULL;
	struct tw_host *hosts = NULL;
	struct tw_err err = { 0 };
	size_t nhosts = 0, n = 0, i;
	enum tw_status st;

	o.noun = "instances";
	st = tw_table_new(app_instances_columns, &o, &table, &err);
	if (!st && argc > 0)
		st = tower_select(cli, argv[0], &hosts, &nhosts, &err);
	f.hosts = hosts;
	f.nhosts = nhosts;
	if (!st)
		st = tw_instance_select(t->store, &t->who, &f, &list, &n,
		    &err);
	for (i = 0; i < n && !st; i++)
		st = fill_instance(cli, table, &known, &list[i], &err);
	if (!st)
		st = tw_table_print(table, stdout, &err);
	known_release(&known);
	tw_table_free(table);
	tw_instances_free(list, n);
	tw_host_list_free(hosts, nhosts);
	return st ? tw_cli_error(cli, &err) : TW_OK;
}
