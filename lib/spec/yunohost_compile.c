/*
 * yunohost_compile.c - an app of YunoHost's catalogue as an app file; see
 * yunohost_compile.h
 *
 * Values are never part of the file: the steps name parameters, whose values
 * are percent-encoded on the host.  So the file is the same for every
 * instance, and a password stands nowhere in it.
 */
#include "spec/yunohost_compile.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/utf8.h"
#include "spec/yunohost_private.h"

#define TITLE_MAX 150			/* bytes */
#define DESCRIPTION_MAX 450
#define INSTANCE_MAX 4			/* digits of a number */

/* --- names ---------------------------------------------------------------- */

/* Names that are an app file's own, or would hide the argument of a kind. */
static bool is_taken(const char *name)
{
	return strncmp(name, "arg_", 4) == 0 || strncmp(name, "app_", 4) == 0;
}

void tw_yunohost_param(const struct tw_yunohost_app *app, size_t i,
    char name[TW_PARAM_NAME_MAX + 1])
{
	const char *id = app->questions[i].id;
	size_t n, k;

	if (tw_name_param_ok(id) && !is_taken(id)) {
		snprintf(name, TW_PARAM_NAME_MAX + 1, "%s", id);
		return;
	}
	snprintf(name, TW_PARAM_NAME_MAX + 1, "q%zu_%s", i + 1, id);
	n = strlen(name);
	for (k = 0; k < n; k++)
		name[k] = name[k] == '-' ? '_' :
		    (char)tolower((unsigned char)name[k]);
}

enum tw_status tw_yunohost_instance_check(const struct tw_yunohost_app *app,
    const char *instance, struct tw_err *err)
{
	size_t n = strlen(app->id);
	const char *number = instance + n + 2;

	if (strcmp(instance, app->id) == 0)
		return TW_OK;
	if (strncmp(instance, app->id, n) != 0 ||
	    strncmp(instance + n, "__", 2) != 0 || *number < '1' ||
	    *number > '9' || strcmp(number, "1") == 0 ||
	    strspn(number, "0123456789") != strlen(number) ||
	    strlen(number) > INSTANCE_MAX)
		return tw_err_set(err, TW_NO, "YunoHost does not take '%s' "
		    "for a name: its instances of %s are %s, %s__2, %s__3 ...",
		    instance, app->id, app->id, app->id, app->id);
	if (!app->multi_instance)
		return tw_err_set(err, TW_NO, "%s can be on a host only once",
		    app->id);
	return TW_OK;
}

enum tw_status tw_yunohost_install_check(const struct tw_yunohost_app *app,
    struct tw_err *err)
{
	bool is_working = !app->state || strcmp(app->state, "working") == 0;

	if (!app->has_questions) {
		tw_err_set(err, TW_NO, "what %s asks is not known: YunoHost's "
		    "list of apps does not say", app->id);
		if (app->url && app->url[0])
			tw_err_hint(err, "curl -fsSL %s/raw/%s/manifest.toml | "
			    "towerify-app add -", app->url,
			    app->branch ? app->branch : "HEAD");
		return TW_NO;
	}
	if (is_working && (app->level < 0 || app->level >= 5))
		return TW_OK;
	tw_err_set(err, TW_NO, "YunoHost would ask a person before it installs "
	    "%s: its state is %s, its level %d", app->id,
	    app->state ? app->state : "unknown", app->level);
	tw_err_hint(err, "a change file with the kind yunohost-app and force: "
	    "true installs it");
	return TW_NO;
}

/* --- given values ------------------------------------------------------------- */

static bool is_blank(const struct tw_param_given *g)
{
	size_t i;

	for (i = 0; i < g->len; i++)
		if (!strchr(" \t\r\n", g->value[i]) || !g->value[i])
			return false;
	return true;
}

/* The app with the names of its parameters for those of its questions. */
static enum tw_status rename_all(const struct tw_yunohost_app *app,
    struct tw_yunohost_app *out, char (**names)[TW_PARAM_NAME_MAX + 1],
    struct tw_err *err)
{
	size_t i;

	*out = *app;
	*names = calloc(app->nquestions + 1, sizeof **names);
	out->questions = calloc(app->nquestions + 1, sizeof *out->questions);
	if (!*names || !out->questions)
		return tw_err_nomem(err);
	for (i = 0; i < app->nquestions; i++) {
		tw_yunohost_param(app, i, (*names)[i]);
		out->questions[i] = app->questions[i];
		out->questions[i].id = (*names)[i];
	}
	return TW_OK;
}

static const struct tw_yunohost_question *find(
    const struct tw_yunohost_app *app, const struct tw_param_given *g)
{
	size_t i;

	for (i = 0; i < app->nquestions; i++)
		if (strlen(app->questions[i].id) == g->name_len &&
		    memcmp(app->questions[i].id, g->name, g->name_len) == 0)
			return &app->questions[i];
	return NULL;
}

static struct tw_param_given normal(const struct tw_yunohost_question *q,
    const struct tw_param_given *g)
{
	struct tw_param_given out = *g;
	char word[TW_YUNOHOST_WORD_MAX + 1];

	if (q->type != TW_YUNOHOST_BOOLEAN)
		return out;
	snprintf(word, sizeof word, "%.*s", (int)g->len, g->value);
	out.value = tw_yunohost_is_yes(q, word) ? "true" : "false";
	out.len = strlen(out.value);
	return out;
}

enum tw_status tw_yunohost_given(const struct tw_yunohost_app *app,
    const struct tw_param_given *given, size_t n, struct tw_diags *ds,
    struct tw_param_given *out, size_t *nout, struct tw_err *err)
{
	char (*names)[TW_PARAM_NAME_MAX + 1] = NULL;
	struct tw_buf text = { .is_secret = true };
	struct tw_yunohost_app named;
	enum tw_status st;
	size_t i;

	*nout = 0;
	st = rename_all(app, &named, &names, err);
	if (st == TW_OK)
		st = tw_yunohost_args(&named, given, n, ds, &text, err);
	for (i = 0; st == TW_OK && i < n; i++)
		if (!is_blank(&given[i]))
			out[(*nout)++] = normal(find(&named, &given[i]),
			    &given[i]);
	tw_buf_release(&text);
	free(named.questions);
	free(names);
	return st;
}

/* --- the file ------------------------------------------------------------- */

/* One word of YAML, at most max bytes of it. */
static void add_word(struct tw_buf *out, const char *s, size_t max)
{
	size_t n = strlen(s), i, len;
	uint32_t cp;

	tw_buf_addc(out, '"');
	for (i = 0; i < n && i < max; i += len) {
		len = tw_utf8_next(s + i, n - i, &cp);
		if (len == 0 || i + len > max)
			break;
		if (cp == '"' || cp == '\\')
			tw_buf_addf(out, "\\%c", (int)cp);
		else if (tw_utf8_is_plain(cp))
			tw_buf_add(out, s + i, len);
		else
			tw_buf_addf(out, cp < 0x10000 ? "\\u%04" PRIX32 :
			    "\\U%08" PRIX32, cp);
	}
	tw_buf_addc(out, '"');
}

static bool is_choice(const struct tw_yunohost_words *w, const char *s)
{
	size_t i;

	for (i = 0; i < w->n; i++)
		if (strcmp(w->v[i], s) == 0)
			return true;
	return false;
}

static void add_enum(struct tw_buf *out, const struct tw_yunohost_words *w)
{
	const char *comma = "";
	size_t i;

	tw_buf_adds(out, "enum, values: [");
	for (i = 0; i < w->n; i++) {
		const struct tw_yunohost_words before = { w->v, i };

		if (is_choice(&before, w->v[i]))
			continue;
		tw_buf_adds(out, comma);
		add_word(out, w->v[i], TW_YUNOHOST_TEXT_MAX);
		comma = ", ";
	}
	tw_buf_addc(out, ']');
}

static void add_integer(struct tw_buf *out,
    const struct tw_yunohost_question *q)
{
	tw_buf_adds(out, "integer");
	if (q->has_min)
		tw_buf_addf(out, ", min: %" PRId64, q->min);
	if (q->has_max)
		tw_buf_addf(out, ", max: %" PRId64, q->max);
}

/* Its type, or a text where its default would not do for that: YunoHost judges
 * no default. */
static void add_type(struct tw_buf *out, const struct tw_yunohost_question *q)
{
	char why[TW_YUNOHOST_WHY_MAX];
	bool is_good = !q->fallback ||
	    !tw_yunohost_why_not(q, q->fallback, why);

	tw_buf_adds(out, "{type: ");
	if (q->type == TW_YUNOHOST_PASSWORD)
		tw_buf_adds(out, "secret");
	else if (q->type == TW_YUNOHOST_BOOLEAN)
		tw_buf_adds(out, "boolean");
	else if (q->type == TW_YUNOHOST_NUMBER && is_good &&
	    !(q->has_min && q->has_max && q->min > q->max))
		add_integer(out, q);
	else if (q->type == TW_YUNOHOST_SELECT && is_good && q->choices.n > 0 &&
	    q->choices.n <= TW_PARAMS_MAX)
		add_enum(out, &q->choices);
	else
		tw_buf_adds(out, "string");
}

static void add_param(struct tw_buf *out, const struct tw_yunohost_app *app,
    size_t i)
{
	const struct tw_yunohost_question *q = &app->questions[i];
	bool has_default = q->fallback && !q->conditional &&
	    q->type != TW_YUNOHOST_PASSWORD;
	char name[TW_PARAM_NAME_MAX + 1];

	tw_yunohost_param(app, i, name);
	tw_buf_addf(out, "  %s: ", name);
	add_type(out, q);
	if (tw_yunohost_is_required(q))
		tw_buf_adds(out, ", required: true");
	if (has_default && q->type == TW_YUNOHOST_BOOLEAN) {
		tw_buf_addf(out, ", default: %s",
		    tw_yunohost_is_yes(q, q->fallback) ? "true" : "false");
	} else if (has_default) {
		tw_buf_adds(out, ", default: ");
		add_word(out, q->fallback, TW_YUNOHOST_TEXT_MAX);
	}
	tw_buf_adds(out, ", description: ");
	add_word(out, q->ask && q->ask[0] ? q->ask : q->type_word,
	    DESCRIPTION_MAX);
	tw_buf_adds(out, "}\n");
}

static void add_params(struct tw_buf *out, const struct tw_yunohost_app *app,
    const struct tw_yunohost_act *act)
{
	bool is_deploy = act->action == TW_APP_DEPLOY;
	size_t n = is_deploy ? app->nquestions : act->nkept, i;
	bool has_head = false;

	for (i = 0; i < n; i++) {
		if (is_deploy && app->questions[i].type == TW_YUNOHOST_SHOWN)
			continue;
		if (!has_head)
			tw_buf_adds(out, "params:\n");
		has_head = true;
		if (is_deploy)
			add_param(out, app, i);
		else
			tw_buf_addf(out, "  %s: {type: string}\n",
			    act->kept[i]);
	}
}

static void add_size(struct tw_buf *out, const char *key, int64_t bytes)
{
	if (bytes >= INT64_C(1) << 20)
		tw_buf_addf(out, ", %s: %" PRId64 "M", key, bytes >> 20);
}

static void add_archs(struct tw_buf *out, const struct tw_yunohost_words *w)
{
	static const char *const kernel[][2] = {
		{ "amd64", "x86_64" }, { "arm64", "aarch64" },
		{ "armhf", "armv7l" }, { "i386", "i686" },
	};
	const char *before = ", arch: [";
	size_t i, k;

	for (i = 0; i < w->n; i++)
		for (k = 0; k < sizeof kernel / sizeof *kernel; k++)
			if (strcmp(w->v[i], kernel[k][0]) == 0) {
				tw_buf_addf(out, "%s%s", before, kernel[k][1]);
				before = ", ";
			}
	if (*before == ',' && before[2] == '\0')
		tw_buf_addc(out, ']');
}

static void add_requires(struct tw_buf *out, const struct tw_yunohost_app *app)
{
	int64_t ram = app->ram_build > app->ram_runtime ? app->ram_build :
	    app->ram_runtime;

	tw_buf_adds(out, "requires: {os: debian, systemd: true, root: true");
	add_archs(out, &app->architectures);
	if (!app->ram_swap)
		add_size(out, "memory", ram);
	add_size(out, "disk", app->disk);
	tw_buf_adds(out, "}\n");
}

/* What an install is given: "domain={{domain}}&path={{path}}". */
static void add_answers(struct tw_buf *out, const struct tw_yunohost_app *app)
{
	char name[TW_PARAM_NAME_MAX + 1];
	const char *before = ", args: \"";
	size_t i;

	for (i = 0; i < app->nquestions; i++) {
		if (app->questions[i].type == TW_YUNOHOST_SHOWN)
			continue;
		tw_yunohost_param(app, i, name);
		tw_buf_addf(out, "%s%s={{%s}}", before,
		    app->questions[i].id, name);
		before = "&";
	}
	if (*before == '&')
		tw_buf_addc(out, '"');
}

static void add_app_step(struct tw_buf *out, const char *action,
    const char *what, const char *more, const char *id)
{
	tw_buf_addf(out, "%s:\n  - name: %s\n%s    yunohost-app: {id: %s",
	    action, what, more, id);
}

static void add_service(struct tw_buf *out, const char *action,
    const char *state, const char *id)
{
	tw_buf_addf(out, "%s:\n  - name: its services\n    timeout: 15m\n"
	    "    yunohost-service: {app: %s, state: %s}\n", action, id, state);
}

static void add_steps(struct tw_buf *out, const struct tw_yunohost_app *app,
    const struct tw_yunohost_act *act)
{
	const char *id = act->instance;

	add_app_step(out, "deploy", "it is installed", "", id);
	tw_buf_addf(out, ", version: \"%s\"", app->version);
	if (act->action == TW_APP_DEPLOY)
		add_answers(out, app);
	tw_buf_adds(out, "}\n");
	add_service(out, "start", "running", id);
	add_service(out, "stop", "stopped", id);
	add_app_step(out, "upgrade", "it is upgraded", "", id);
	tw_buf_addf(out, ", version: \"%s\"}\n", app->version);
	add_app_step(out, "undeploy", act->no_backup ? "it is gone" :
	    "it is saved, and gone", act->no_backup ?
	    "    undo: impossible\n" : "", id);
	tw_buf_addf(out, ", state: absent%s}\n",
	    act->no_backup ? ", backup: false" : "");
}

enum tw_status tw_yunohost_compile(const struct tw_yunohost_app *app,
    const struct tw_yunohost_act *act, struct tw_buf *out,
    struct tw_err *err)
{
	if (!app->version || !tw_app_version_ok(app->version))
		return tw_err_set(err, TW_NO, "%s has no version that can be "
		    "told apart from others", app->id);
	tw_buf_addf(out, "towerify-app: 1\napp: %s\nversion: \"%s\"\ntitle: ",
	    app->id, app->version);
	add_word(out, app->name && app->name[0] ? app->name : app->id,
	    TITLE_MAX);
	if (app->description && app->description[0]) {
		tw_buf_adds(out, "\ndescription: ");
		add_word(out, app->description, TW_APP_TEXT_MAX);
	}
	tw_buf_addc(out, '\n');
	add_params(out, app, act);
	add_requires(out, app);
	tw_buf_adds(out, "defaults: {timeout: 2h}\n");
	add_steps(out, app, act);
	return tw_buf_check(out, err);
}
