/* app.h - the verbs of towerify-app, by file */
#ifndef TW_BIN_APP_H
#define TW_BIN_APP_H

#include "cli.h"
#include "given.h"
#include "model/app.h"
#include "spec/app_spec.h"
#include "spec/yunohost_compile.h"
#include "tower.h"

/* app_add.c: into the catalogue, and out of it */
int app_add(struct tw_cli *cli, int argc, char **argv);
int app_remove(struct tw_cli *cli, int argc, char **argv);
/* app_import.c: YunoHost's catalogue */
int app_import(struct tw_cli *cli, int argc, char **argv);
/* Whether a text is a manifest of YunoHost rather than an app file, and taking
 * it over; name is for messages. */
bool app_is_manifest(const struct tw_buf *text);
enum tw_status app_manifest(struct tw_cli *cli, const char *name,
    const struct tw_buf *text, struct tw_err *err);
/* app_look.c: looking */
int app_list(struct tw_cli *cli, int argc, char **argv);
int app_show(struct tw_cli *cli, int argc, char **argv);
int app_instances(struct tw_cli *cli, int argc, char **argv);
extern const struct tw_column app_list_columns[], app_show_columns[];
extern const struct tw_column app_instances_columns[];
/* app_file.c: filing what brings an app to hosts, or does something with it
 * there; the verb's name is that of the action */
int app_act(struct tw_cli *cli, int argc, char **argv);

/* app_params.c: what an app asks for.  A JSON array, malloc'd; NULL: no
 * memory. */
char *app_params_json(const struct tw_params *p);
/* A table of it on standard output. */
enum tw_status app_params_print(struct tw_cli *cli, const struct tw_params *p,
    struct tw_err *err);

/* app_add.c: a stored app file, read again; release with app_text_release(). */
struct app_text {
	struct tw_buf file, bundle;
	struct tw_kinds *kinds;
	struct tw_app_spec *spec;
};
/* TW_DATA: this version of the tools, or of a kind, does not take it any more;
 * the problems are said, err is empty. */
enum tw_status app_text_read(struct tw_cli *cli, struct tower *t,
    const struct tw_app *a, struct app_text *out, struct tw_err *err);
/* The same where out->file is there already; name is for messages. */
enum tw_status app_text_parse(struct tw_cli *cli, const char *name,
    struct app_text *x, struct tw_err *err);
void app_text_release(struct app_text *x);

/* app_yunohost.c: apps of YunoHost's catalogue.  The one app of *out, which
 * the caller frees with tw_yunohost_free(). */
enum tw_status app_yunohost_read(const struct tw_app *a,
    struct tw_yunohost_catalog **out, struct tw_err *err);
/* As an app file; *out as app_text_read(). */
enum tw_status app_yunohost_text(struct tw_cli *cli,
    const struct tw_yunohost_app *app, const struct tw_yunohost_act *act,
    struct app_text *out, struct tw_err *err);
/* The same for an instance that keeps its parameters (JSON, or NULL). */
enum tw_status app_yunohost_kept(struct tw_cli *cli,
    const struct tw_yunohost_app *app, const struct tw_yunohost_act *act,
    const char *params, struct app_text *out, struct tw_err *err);
/* Checks the values given for an install against the questions, and makes of
 * them what the app file takes.  TW_USAGE: all problems are said, err is
 * empty. */
enum tw_status app_yunohost_given(struct tw_cli *cli,
    const struct tw_yunohost_app *app, struct given *given,
    struct tw_err *err);

#endif
