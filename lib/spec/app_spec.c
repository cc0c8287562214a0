/* app_spec.c - the app file, read and checked; see app_spec.h */
#include "spec/app_spec.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "spec/app_read.h"
#include "spec/node.h"

/* Bytes of a command that a rollback hands to sh as one word. */
#define RESTORE_MAX ((size_t)64 << 10)

const char *const tw_app_action_words[TW_APP_ACTIONS + 1] = {
	"deploy", "start", "stop", "upgrade", "undeploy", "backup", "restore",
	"check", NULL
};

static const char *const top_keys[] = {
	"towerify-app", "app", "version", "title", "description", "params",
	"requires", "exports", "health", "defaults", "deploy", "start", "stop",
	"upgrade", "undeploy", "backup", "restore", "check", NULL
};

bool tw_app_name_ok(const char *s)
{
	return tw_name_ok(s) && strlen(s) <= TW_APP_NAME_MAX;
}

bool tw_app_version_ok(const char *s)
{
	const char *p;

	if (!isalnum((unsigned char)*s))
		return false;
	for (p = s; isalnum((unsigned char)*p) || (*p && strchr(".+~:_-", *p));
	    p++)
		;
	return *p == '\0' && p - s <= TW_APP_VERSION_MAX;
}

/* A text that is required and of a grammar; "" when it is not there or wrong. */
static const char *read_word(struct tw_change_read *r,
    const struct tw_yaml_node *root, const char *key, bool (*ok)(const char *),
    const char *hint)
{
	const struct tw_yaml_node *n = tw_node_get(root, key);
	const char *text = "";
	struct tw_quote q;

	if (!n)
		tw_diags_add(r->ds, root->line, root->col, NULL,
		    "'%s' is missing", key);
	else if (tw_node_text(n, key, &text, r->ds) && !ok(text))
		tw_diags_add(r->ds, n->line, n->col, hint, "%s cannot be the %s",
		    tw_quote(&q, text, n->len),
		    *key == 'a' ? W_("name of an app") :
		    W_("version of an app"));
	return text;
}

static void read_about(struct tw_change_read *r,
    const struct tw_yaml_node *root, struct tw_app_spec *app)
{
	const struct tw_yaml_node *n;

	app->app = read_word(r, root, "app", tw_app_name_ok,
	    N_("letters, digits and . _ -, a letter or digit first, at most "
	    "64"));
	app->version = read_word(r, root, "version", tw_app_version_ok,
	    N_("letters, digits and . + ~ : _ -, a letter or digit first, at "
	    "most "
	    "48"));
	app->title = app->description = "";
	n = tw_node_get(root, "title");
	if (n)
		tw_node_line(n, "title", TW_TITLE_MAX, &app->title, r->ds);
	n = tw_node_get(root, "description");
	if (n && tw_node_text(n, "description", &app->description, r->ds) &&
	    n->len > TW_APP_TEXT_MAX)
		tw_diags_add(r->ds, n->line, n->col, NULL,
		    "description has %zu bytes, more than %d", n->len,
		    TW_APP_TEXT_MAX);
}

/* What a rollback of an upgrade has to run as one command. */
static void check_restore(struct tw_change_read *r,
    const struct tw_yaml_node *n, const struct tw_app_list *list)
{
	const struct tw_step_spec *s = &r->spec->steps[list->first];
	const char *texts[4];
	size_t i;

	for (n = n->first; n; n = n->next, s++) {
		if (s->kind != TW_STEP_RUN) {
			tw_diags_add(r->ds, n->line, n->col, N_("write what it "
			    "does as commands"),
			    "restore takes run steps only: "
			    "the rollback of an upgrade is made of them");
			continue;
		}
		texts[0] = s->check ? s->check : "";
		texts[1] = s->unless ? s->unless : "";
		texts[2] = s->run ? s->run : "";
		texts[3] = s->verify ? s->verify : "";
		for (i = 0; i < 4; i++)
			if (strlen(texts[i]) > RESTORE_MAX)
				tw_diags_add(r->ds, n->line, n->col, NULL,
				    "a command of restore is longer than "
				    "64 KiB");
	}
}

static void read_actions(struct tw_change_read *r,
    const struct tw_yaml_node *root, struct tw_app_spec *app)
{
	const struct tw_yaml_node *n;
	struct tw_app_list *list;
	size_t i;

	for (i = 0; i < TW_APP_ACTIONS && r->st == TW_OK; i++) {
		n = tw_node_get(root, tw_app_action_words[i]);
		list = &app->actions[i];
		list->first = r->spec->nsteps;
		if (n)
			tw_steps_read(r, n, tw_app_action_words[i]);
		else if (i == TW_APP_DEPLOY || i == TW_APP_UNDEPLOY)
			tw_diags_add(r->ds, root->line, root->col, NULL,
			    "'%s' is missing: an app needs a list of steps "
			    "there", tw_app_action_words[i]);
		list->n = r->spec->nsteps - list->first;
		if (i == TW_APP_RESTORE && list->n && r->st == TW_OK)
			check_restore(r, n, list);
		if (i == TW_APP_RESTORE && n &&
		    !tw_node_get(root, tw_app_action_words[TW_APP_BACKUP]))
			tw_diags_add(r->ds, n->line, n->col, NULL, "'restore' "
			    "without 'backup': nothing would make what it puts "
			    "back");
	}
}

static void read_file(struct tw_change_read *r, struct tw_app_spec *app)
{
	const struct tw_yaml_node *root = tw_yaml_root(r->spec->doc), *n, *p;
	size_t before;

	if (!tw_node_mapping(root, W_("the file"), NULL, r->ds) ||
	    !tw_version_read(r, root, "towerify-app", W_("app file")))
		return;
	tw_node_mapping(root, W_("the file"), top_keys, r->ds);
	r->spec->title = "";
	read_about(r, root, app);
	p = tw_node_get(root, "params");
	tw_app_read_params(r, p, app);
	n = tw_node_get(root, "requires");
	if (n && r->st == TW_OK)
		r->st = tw_requires_read(r->spec->doc, n, r->ds,
		    &app->requires, r->err);
	tw_defaults_read(r, root);
	before = r->ds->n + r->ds->more;
	n = tw_node_get(root, "exports");
	if (n && r->st == TW_OK)
		tw_app_read_exports(r, n, app);
	n = tw_node_get(root, "health");
	if (n && r->st == TW_OK)
		tw_app_read_health(r, n, app);
	if (r->st == TW_OK)
		read_actions(r, root, app);
	if (r->st == TW_OK && p && r->ds->n + r->ds->more == before)
		tw_secrets_check(r, p, app->health.use ? &app->health : NULL);
	if (r->st == TW_OK)
		tw_commands_check(r);
}

enum tw_status tw_app_spec_parse(const char *text, size_t len,
    const struct tw_spec_reader *reader, struct tw_diags *ds,
    struct tw_app_spec **out, struct tw_err *err)
{
	struct tw_app_spec *app = calloc(1, sizeof *app);
	struct tw_change_read r;

	*out = NULL;
	if (!app)
		return tw_err_nomem(err);
	app->whole = calloc(1, sizeof *app->whole);
	if (!app->whole) {
		free(app);
		return tw_err_nomem(err);
	}
	tw_change_read_init(&r, app->whole, reader, ds, err);
	r.st = tw_yaml_parse(text, len, tw_command_keys, ds, &app->whole->doc,
	    err);
	if (r.st == TW_OK)
		read_file(&r, app);
	if (r.st == TW_OK)
		r.st = tw_diags_check(ds, TW_DATA, err);
	free(r.commands);
	if (r.st == TW_OK)
		*out = app;
	else
		tw_app_spec_free(app);
	return r.st;
}

void tw_app_spec_free(struct tw_app_spec *s)
{
	if (!s)
		return;
	tw_change_spec_free(s->whole);
	free(s);
}
