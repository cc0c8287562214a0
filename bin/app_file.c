/*
 * app_file.c - deploy and its kin: what moves an app on hosts; see app.h
 *
 * One filing for all hosts, of one program for each kind of instance there:
 * hosts whose instances have the same version and parameters share it.  All that
 * could be in the way is asked first, and all of it is said.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "base/json.h"
#include "base/version.h"
#include "file.h"
#include "filing.h"
#include "given.h"
#include "model/instance.h"

/* An app to a version, and what it becomes where instances are alike. */
struct group {
	struct tw_app app;
	const struct tw_instance *like;	/* NULL: there is none yet */
	struct tw_yunohost_catalog *yunohost;	/* of that one app, or NULL */
	struct app_text text;
	struct tw_change_spec *change;
	struct change_file file;
};

struct one {			/* a host's part */
	const struct tw_instance *instance;	/* NULL: none */
	size_t group;
	struct tw_instance_act act;
	struct tw_filing filing;
};

struct deed {			/* a verb on many hosts */
	struct tw_cli *cli;
	struct tower *t;
	enum tw_instance_action action;
	char *name;		/* of the instance */
	char *wanted;		/* APP[@VERSION]; of others the version */
	struct tw_host *hosts;
	struct one *ones;
	size_t n;
	struct tw_instance *instances;
	size_t ninstances;
	struct group *groups;
	size_t ngroups;
	struct given given;
	struct tw_buf asked;
	struct tw_secret *apart;	/* of given, by name; borrowed */
	struct tw_filing common;
	char times[FILING_TIMES];
};

static void deed_release(struct deed *d)
{
	size_t i;

	for (i = 0; i < d->ngroups; i++) {
		struct group *g = &d->groups[i];

		change_file_release(&g->file);
		tw_change_spec_free(g->change);
		app_text_release(&g->text);
		tw_yunohost_free(g->yunohost);
		tw_app_release(&g->app);
	}
	for (i = 0; d->apart && d->apart[i].name; i++)
		free((char *)d->apart[i].name);
	free(d->apart);
	free(d->groups);
	free(d->ones);
	tw_instances_free(d->instances, d->ninstances);
	tw_host_list_free(d->hosts, d->n);
	tw_buf_release(&d->asked);
	given_release(&d->given);
	free(d->name);
	free(d->wanted);
}

/* --- what was asked for --------------------------------------------------------------- */

static int by_word(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/* The hosts in any order, those that will turn out to have nothing to do
 * too. */
static enum tw_status ask_hosts(struct deed *d, struct tw_err *err)
{
	const char **names = calloc(d->n, sizeof *names);
	size_t i;

	if (!names)
		return tw_err_nomem(err);
	for (i = 0; i < d->n; i++)
		names[i] = d->hosts[i].name;
	qsort(names, d->n, sizeof *names, by_word);
	for (i = 0; i < d->n; i++)
		tw_buf_addf(&d->asked, "%s\n", names[i]);
	free(names);
	return TW_OK;
}

static int by_param(const void *a, const void *b)
{
	const struct tw_param_given *x = a, *y = b;
	size_t n = x->name_len < y->name_len ? x->name_len : y->name_len;
	int order = memcmp(x->name, y->name, n);

	return order ? order : (x->name_len > y->name_len) -
	    (x->name_len < y->name_len);
}

/* What --key compares: what the command line asks for, in any order, but for
 * values that are read from files, which are kept apart. */
static enum tw_status read_asked(struct deed *d, struct tw_err *err)
{
	const char *flags = tw_cli_flag(d->cli, "no-backup") ?
	    "no-backup" : "";
	enum tw_status st;
	size_t i, n = 0;

	tw_buf_addf(&d->asked, "%s\n%s\n%s\n%s\n",
	    tw_instance_action_name(d->action), d->name,
	    d->wanted ? d->wanted : "", flags);
	st = ask_hosts(d, err);
	if (st)
		return st;
	if (d->given.n)
		qsort(d->given.v, d->given.n, sizeof *d->given.v, by_param);
	d->apart = calloc(d->given.n + 1, sizeof *d->apart);
	if (!d->apart)
		return tw_err_nomem(err);
	for (i = 0; i < d->given.n; i++) {
		const struct tw_param_given *g = &d->given.v[i];

		if (!g->is_private) {
			tw_buf_addf(&d->asked, "%.*s=%zu:%.*s\n",
			    (int)g->name_len, g->name, g->len, (int)g->len,
			    g->value);
			continue;
		}
		d->apart[n].name = strndup(g->name, g->name_len);
		d->apart[n].value = g->value;
		if (!d->apart[n++].name)
			return tw_err_nomem(err);
	}
	d->common.asked = tw_buf_str(&d->asked);
	d->common.apart = d->apart;
	d->common.napart = n;
	return tw_buf_check(&d->asked, err);
}

/* deploy: APP[@VERSION]; upgrade: INSTANCE[@VERSION]; else INSTANCE. */
static enum tw_status read_names(struct deed *d, const char *arg,
    struct tw_err *err)
{
	const char *name = tw_cli_opt(d->cli, "name");
	size_t n = strcspn(arg, "@");

	if (d->action == TW_INSTANCE_DEPLOY) {
		d->wanted = strdup(arg);
		d->name = name ? strdup(name) : strndup(arg, n);
		if (!d->wanted)
			return tw_err_nomem(err);
	} else {
		d->name = strndup(arg, n);
		if (arg[n] && !(d->wanted = strdup(arg + n + 1)))
			return tw_err_nomem(err);
	}
	if (!d->name)
		return tw_err_nomem(err);
	if (d->wanted && d->action != TW_INSTANCE_DEPLOY &&
	    d->action != TW_INSTANCE_UPGRADE)
		return tw_err_set(err, TW_USAGE, "%s takes no version: '%s'",
		    tw_instance_action_name(d->action), arg);
	if (arg[n] && !arg[n + 1])
		return tw_err_set(err, TW_USAGE, "'%s' names no version", arg);
	if (!tw_app_name_ok(d->name))
		return tw_err_set(err, TW_USAGE, "'%s' is not a name",
		    d->name);
	return TW_OK;
}

/* The instances of that name on the hosts. */
static enum tw_status read_instances(struct deed *d, struct tw_err *err)
{
	struct tw_instance_filter f = { .hosts = d->hosts, .nhosts = d->n,
	    .name = d->name };
	enum tw_status st;
	size_t i, k;

	st = tw_instance_select(d->t->store, &d->t->who, &f, &d->instances,
	    &d->ninstances, err);
	d->ones = st ? NULL : calloc(d->n, sizeof *d->ones);
	if (!d->ones)
		return st ? st : tw_err_nomem(err);
	for (i = 0; i < d->n; i++)
		for (k = 0; k < d->ninstances; k++)
			if (d->instances[k].host_id == d->hosts[i].id)
				d->ones[i].instance = &d->instances[k];
	return TW_OK;
}

static enum tw_status read_all(struct deed *d, char **argv,
    struct tw_err *err)
{
	enum tw_status st;

	if (strcmp(argv[1], "-") == 0 && given_wants_stdin(d->cli))
		return tw_err_set(err, TW_USAGE, "standard input can't be "
		    "both TARGETS and a parameter");
	st = read_names(d, argv[0], err);
	if (!st)
		st = filing_read(d->cli, &d->common, d->times, err);
	if (!st)
		st = tower_select_live(d->cli, argv[1], &d->hosts, &d->n,
		    err);
	if (!st && d->n == 0)
		st = tw_err_set(err, TW_NO, "'%s' selects no host: nothing "
		    "was filed", argv[1]);
	if (!st)
		st = given_read(d->cli, false, NULL, 0, &d->given, err);
	return st ? st : read_asked(d, err);
}

/* --- which app, in which version --------------------------------------------------- */

/* YunoHost's catalogue has one version of an app, or none any more: what an
 * instance is is enough to move it. */
static enum tw_status as_it_is(const struct tw_instance *i,
    struct tw_app *out, struct tw_err *err)
{
	memset(out, 0, sizeof *out);
	out->source = i->source;
	out->level = -1;
	out->name = strdup(i->app);
	out->version = strdup(i->version);
	return out->name && out->version ? TW_OK : tw_err_nomem(err);
}

/* What the hosts' instances are of, or are to be: *out, to release. */
static enum tw_status find_app(struct deed *d, const struct tw_instance *i,
    struct tw_app *out, struct tw_err *err)
{
	struct tw_store *s = d->t->store;
	const char *version;

	if (d->action == TW_INSTANCE_DEPLOY)
		return tw_app_find(s, &d->t->who, d->wanted, out, err);
	if (i->source == TW_APP_YUNOHOST && d->action != TW_INSTANCE_UPGRADE)
		return as_it_is(i, out, err);
	version = d->action == TW_INSTANCE_UPGRADE ? d->wanted : i->version;
	return tw_app_get(s, &d->t->who, i->app, version, i->source, out,
	    err);
}

static bool is_alike(const struct group *g, const struct tw_instance *i)
{
	if (!g->like || !i)
		return !g->like && !i;
	return strcmp(g->like->app, i->app) == 0 &&
	    strcmp(g->like->version, i->version) == 0 &&
	    g->like->source == i->source &&
	    strcmp(g->like->params, i->params) == 0;
}

static enum tw_status put_in_group(struct deed *d, struct one *o,
    struct tw_err *err)
{
	struct group *more;
	enum tw_status st;

	for (o->group = 0; o->group < d->ngroups; o->group++)
		if (is_alike(&d->groups[o->group], o->instance))
			return TW_OK;
	more = reallocarray(d->groups, d->ngroups + 1, sizeof *more);
	if (!more)
		return tw_err_nomem(err);
	d->groups = more;
	more += d->ngroups;
	memset(more, 0, sizeof *more);
	st = find_app(d, o->instance, &more->app, err);
	if (st)
		return st;
	more->like = o->instance;
	d->ngroups++;
	return TW_OK;
}

/* A complaint about one host; the others are looked at too. */
static void complain(struct deed *d, const struct tw_err *err,
    enum tw_status st, enum tw_status *worst)
{
	tw_cli_error(d->cli, err);
	*worst = tw_status_worse(*worst, st);
}

/* An upgrade to what is there already is nothing to do, unless parameters or the
 * version were given. */
static bool is_current(const struct deed *d, const struct one *o)
{
	const struct tw_app *a = &d->groups[o->group].app;

	return d->action == TW_INSTANCE_UPGRADE && !d->wanted &&
	    d->given.n == 0 && o->instance->state == TW_INSTANCE_RUNNING &&
	    !o->instance->next_version &&
	    tw_version_cmp(a->version, o->instance->version) <= 0;
}

/* Takes the hosts out that have nothing to do. */
static void drop_current(struct deed *d)
{
	size_t i, n = 0;

	for (i = 0; i < d->n; i++) {
		struct tw_host host = d->hosts[i];

		if (is_current(d, &d->ones[i])) {
			tw_cli_say(d->cli, "%s on %s is at %s: nothing to do",
			    d->name, host.name,
			    d->ones[i].instance->version);
			tw_host_release(&host);
			continue;
		}
		d->hosts[n] = host;
		d->ones[n++] = d->ones[i];
	}
	d->n = n;
}

/* All that is wrong with the instances there are. */
static enum tw_status group_hosts(struct deed *d, struct tw_err *err)
{
	enum tw_status st = TW_OK, worst = TW_OK;
	size_t i;

	for (i = 0; i < d->n; i++) {
		st = tw_instance_check(d->ones[i].instance, d->action, d->name,
		    d->hosts[i].name, err);
		if (st == TW_NO)
			complain(d, err, st, &worst);
		else if (!st && !worst)
			st = put_in_group(d, &d->ones[i], err);
		if (st && st != TW_NO)
			return st;
		if (st == TW_NO && !worst)
			return st;
	}
	err->msg[0] = '\0';
	if (!worst)
		drop_current(d);
	return worst;
}

/* --- may it, can it ------------------------------------------------------------------- */

/* Instances of one name need not be of one app. */
static enum tw_status check_rights(struct deed *d, struct tw_err *err)
{
	const char **apps = calloc(d->n, sizeof *apps);
	enum tw_status st;
	size_t i;

	if (!apps)
		return tw_err_nomem(err);
	for (i = 0; i < d->n; i++)
		apps[i] = d->groups[d->ones[i].group].app.name;
	st = tw_host_permit_apps(d->t->store, &d->t->who, TW_MAY_DEPLOY, apps,
	    d->hosts, d->n, NULL, err);
	free(apps);
	return st;
}

/* Whether every host has what the app requires; all that is missing is said. */
static enum tw_status check_hosts(struct deed *d, struct tw_err *err)
{
	enum tw_status st, worst = TW_OK;
	size_t i;

	if (d->action != TW_INSTANCE_DEPLOY &&
	    d->action != TW_INSTANCE_UPGRADE)
		return TW_OK;
	for (i = 0; i < d->n; i++) {
		const struct group *g = &d->groups[d->ones[i].group];

		st = requires_say(d->cli, &g->text.spec->requires,
		    &d->hosts[i], err);
		if (st && st != TW_NO)
			return st;
		worst = tw_status_worse(worst, st);
	}
	return worst;
}

/* --- programs --------------------------------------------------------------------------- */

static const enum tw_app_action actions[TW_INSTANCE_ACTIONS] = {
	[TW_INSTANCE_DEPLOY] = TW_APP_DEPLOY,
	[TW_INSTANCE_START] = TW_APP_START,
	[TW_INSTANCE_STOP] = TW_APP_STOP,
	[TW_INSTANCE_UPGRADE] = TW_APP_UPGRADE,
	[TW_INSTANCE_UNDEPLOY] = TW_APP_UNDEPLOY,
	[TW_INSTANCE_BACKUP] = TW_APP_BACKUP,
	[TW_INSTANCE_RESTORE] = TW_APP_RESTORE,
	[TW_INSTANCE_CHECK] = TW_APP_CHECK,
};

static bool has_param(const struct tw_params *p, const char *name)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (strcmp(p->v[i].name, name) == 0)
			return true;
	return false;
}

static bool is_given(const struct given *g, const char *name)
{
	size_t i;

	for (i = 0; i < g->n; i++)
		if (g->v[i].name_len == strlen(name) &&
		    strncmp(g->v[i].name, name, strlen(name)) == 0)
			return true;
	return false;
}

/* YunoHost asks when it installs an app, and never again. */
static enum tw_status refuse_given(const struct deed *d, struct tw_err *err)
{
	const struct tw_param_given *g = d->given.v;

	if (d->given.n == 0)
		return TW_OK;
	tw_err_set(err, TW_USAGE, "%s leaves parameter '%.*s' as it is",
	    tw_instance_action_name(d->action), (int)g->name_len, g->name);
	tw_err_hint(err, "an app of YunoHost is asked when it is installed; "
	    "later it is configured on its host");
	return TW_USAGE;
}

/* The parameters of a running app are changed by an upgrade alone. */
static enum tw_status check_given(const struct deed *d,
    const struct group *g, const struct tw_params *p, struct tw_err *err)
{
	size_t i;

	if (g->app.source == TW_APP_YUNOHOST && d->action !=
	    TW_INSTANCE_DEPLOY)
		return refuse_given(d, err);
	if (d->action == TW_INSTANCE_DEPLOY ||
	    d->action == TW_INSTANCE_UPGRADE)
		return TW_OK;
	for (i = 0; i < p->n; i++) {
		if (p->v[i].type == TW_PARAM_SECRET ||
		    !is_given(&d->given, p->v[i].name))
			continue;
		tw_err_set(err, TW_USAGE, "%s leaves parameter '%s' as it is",
		    tw_instance_action_name(d->action), p->v[i].name);
		tw_err_hint(err, "towerify-app upgrade %s changes it",
		    d->name);
		return TW_USAGE;
	}
	return TW_OK;
}

/* -p, and beneath it the parameters that are there and that the version still
 * knows.  o owns the latter; *out borrows all of it. */
static enum tw_status merge_given(const struct deed *d,
    const struct group *g, json_t *o, struct given *out, struct tw_err *err)
{
	const char *key;
	json_t *value;

	*out = (struct given){ .v = calloc(d->given.n + json_object_size(o) +
	    1, sizeof *out->v) };
	if (!out->v)
		return tw_err_nomem(err);
	if (d->given.n)
		memcpy(out->v, d->given.v, d->given.n * sizeof *out->v);
	out->n = d->given.n;
	json_object_foreach(o, key, value) {
		if (!json_is_string(value) || is_given(&d->given, key) ||
		    !has_param(&g->change->params, key))
			continue;
		out->v[out->n++] = (struct tw_param_given){ key, strlen(key),
		    json_string_value(value), json_string_length(value),
		    false };
	}
	return TW_OK;
}

static enum tw_status compile(struct deed *d, struct group *g,
    struct tw_err *err)
{
	const struct tw_app_act act = { .action = actions[d->action],
	    .instance = d->name,
	    .from = d->action == TW_INSTANCE_UPGRADE && g->like ?
		g->like->version : NULL,
	    .no_backup = tw_cli_flag(d->cli, "no-backup") };
	struct given given = { 0 };
	enum tw_status st = TW_OK;
	json_t *o = NULL;

	if (g->like)
		st = tw_json_load(g->like->params, d->name, &o, err);
	if (!st)
		st = tw_app_compile(g->text.spec, &act, &g->change, err);
	if (!st)
		st = check_given(d, g, &g->text.spec->params, err);
	if (!st)
		st = merge_given(d, g, o, &given, err);
	if (!st && g->yunohost && d->action == TW_INSTANCE_DEPLOY)
		st = app_yunohost_given(d->cli, g->yunohost->apps, &given,
		    err);
	if (!st)
		st = change_file_of(d->cli, g->change, &given, &g->file, err);
	free(given.v);
	json_decref(o);
	return st;
}

/* An app of YunoHost as an app file, for the one instance. */
static enum tw_status read_yunohost(struct deed *d, struct group *g,
    struct tw_err *err)
{
	const struct tw_yunohost_act act = { .action = actions[d->action],
	    .instance = d->name,
	    .no_backup = tw_cli_flag(d->cli, "no-backup") };
	bool is_deploy = d->action == TW_INSTANCE_DEPLOY;
	enum tw_status st;

	st = app_yunohost_read(&g->app, &g->yunohost, err);
	if (!st && is_deploy)
		st = tw_yunohost_install_check(g->yunohost->apps, err);
	if (!st && is_deploy)
		st = tw_yunohost_instance_check(g->yunohost->apps, d->name,
		    err);
	if (!st)
		st = app_yunohost_kept(d->cli, g->yunohost->apps, &act,
		    g->like ? g->like->params : NULL, &g->text, err);
	return st;
}

static enum tw_status read_texts(struct deed *d, struct tw_err *err)
{
	enum tw_status st = TW_OK;
	size_t i;

	for (i = 0; i < d->ngroups && !st; i++) {
		struct group *g = &d->groups[i];

		st = g->app.source == TW_APP_YUNOHOST ?
		    read_yunohost(d, g, err) :
		    app_text_read(d->cli, d->t, &g->app, &g->text, err);
	}
	return st;
}

static enum tw_status compile_all(struct deed *d, struct tw_err *err)
{
	enum tw_status st = TW_OK;
	size_t i;

	for (i = 0; i < d->ngroups && !st; i++) {
		st = compile(d, &d->groups[i], err);
		if (!st)
			change_file_say(d->cli, &d->groups[i].file);
	}
	return st;
}

/* --- filing ------------------------------------------------------------------------------ */

static void fill(const struct deed *d, struct one *o)
{
	const struct group *g = &d->groups[o->group];

	o->act = (struct tw_instance_act){ .action = d->action,
	    .app = g->app.name, .version = g->app.version,
	    .source = g->app.source, .instance = d->name,
	    .latest = o->instance ? o->instance->latest : 0 };
	o->filing = d->common;
	change_file_filing(&g->file, &o->filing);
	o->filing.file = g->text.file.data;
	o->filing.file_len = g->text.file.len;
	o->filing.act = &o->act;
}

static enum tw_status file(struct deed *d, struct tw_err *err)
{
	const struct tw_filing **each = calloc(d->n + 1, sizeof *each);
	enum tw_status st;
	size_t i;

	if (!each)
		return tw_err_nomem(err);
	for (i = 0; i < d->n; i++) {
		fill(d, &d->ones[i]);
		each[i] = &d->ones[i].filing;
	}
	st = filing_each(d->cli, d->t, each, d->hosts, d->n, err);
	free(each);
	return st;
}

static enum tw_status prepare(struct deed *d, struct tw_err *err)
{
	enum tw_status st;

	st = read_instances(d, err);
	if (!st)
		st = group_hosts(d, err);
	if (st || d->n == 0)
		return st;
	st = check_rights(d, err);
	if (!st)
		st = read_texts(d, err);
	if (!st)
		st = check_hosts(d, err);
	return st ? st : compile_all(d, err);
}

int app_act(struct tw_cli *cli, int argc, char **argv)
{
	struct deed d = { .cli = cli, .t = cli->context };
	struct tw_err err = { 0 };
	bool again = false;
	enum tw_status st;

	(void)argc;
	if (!tw_instance_action_parse(cli->verb->name, &d.action))
		st = tw_err_set(&err, TW_BUG, "%s is no action",
		    cli->verb->name);
	else
		st = read_all(&d, argv, &err);
	if (!st)
		st = filing_again(cli, d.t, &d.common, d.hosts, d.n, &again,
		    &err);
	if (!st && !again)
		st = prepare(&d, &err);
	if (!st && !again && d.n > 0)
		st = file(&d, &err);
	deed_release(&d);
	return filing_finish(cli, st, &err);
}
