/* app_yunohost.c - apps of YunoHost's catalogue as app files; see app.h */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "file.h"
#include "spec/yunohost_compile.h"

enum tw_status app_yunohost_read(const struct tw_app *a,
    struct tw_yunohost_catalog **out, struct tw_err *err)
{
	const struct tw_yunohost_row row = { .id = a->name, .name = a->title,
	    .version = a->version, .description = a->description,
	    .state = a->state, .archs = a->archs, .detail = a->detail,
	    .level = (int)a->level };

	return tw_yunohost_stored(&row, out, err);
}

enum tw_status app_yunohost_text(struct tw_cli *cli,
    const struct tw_yunohost_app *app, const struct tw_yunohost_act *act,
    struct app_text *out, struct tw_err *err)
{
	struct tw_buf name = TW_BUF_INIT;
	enum tw_status st;

	memset(out, 0, sizeof *out);
	tw_buf_addf(&name, "%s@%s", app->id, app->version ? app->version :
	    "");
	st = tw_yunohost_compile(app, act, &out->file, err);
	if (!st)
		st = app_text_parse(cli, tw_buf_str(&name), out, err);
	tw_buf_release(&name);
	if (st)
		app_text_release(out);
	return st;
}

/* The names in a JSON object of parameters, borrowed from o. */
static enum tw_status read_names(json_t *o, const char ***names,
    size_t *n, struct tw_err *err)
{
	const char *key = NULL;
	json_t *value;

	*n = 0;
	*names = calloc(json_object_size(o) + 1, sizeof **names);
	if (!*names)
		return tw_err_nomem(err);
	json_object_foreach(o, key, value)
		(*names)[(*n)++] = key;
	return TW_OK;
}

enum tw_status app_yunohost_kept(struct tw_cli *cli,
    const struct tw_yunohost_app *app, const struct tw_yunohost_act *act,
    const char *params, struct app_text *out, struct tw_err *err)
{
	json_t *o = params ? json_loads(params, 0, NULL) : NULL;
	struct tw_yunohost_act with = *act;
	const char **names = NULL;
	enum tw_status st;

	st = read_names(o, &names, &with.nkept, err);
	with.kept = names;
	if (!st)
		st = app_yunohost_text(cli, app, &with, out, err);
	free(names);
	json_decref(o);
	return st;
}

enum tw_status app_yunohost_given(struct tw_cli *cli,
    const struct tw_yunohost_app *app, struct given *given,
    struct tw_err *err)
{
	struct tw_param_given *out = calloc(given->n + 1, sizeof *out);
	struct tw_diags ds = { 0 };
	enum tw_status st;
	size_t n = 0;

	if (!out)
		return tw_err_nomem(err);
	st = tw_yunohost_given(app, given->v, given->n, &ds, out, &n, err);
	if (st == TW_USAGE)
		change_file_problems(cli, &ds, err);
	tw_diags_release(&ds);
	if (!st) {
		memcpy(given->v, out, n * sizeof *out);
		given->n = n;
	}
	free(out);
	return st;
}
