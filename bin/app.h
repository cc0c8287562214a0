/* app.h - the verbs of towerify-app, by file */
#ifndef TW_BIN_APP_H
#define TW_BIN_APP_H

#include "cli.h"
#include "model/app.h"
#include "spec/app_spec.h"
#include "tower.h"

/* app_add.c: into the catalogue, and out of it */
int app_add(struct tw_cli *cli, int argc, char **argv);
int app_remove(struct tw_cli *cli, int argc, char **argv);
/* app_import.c: YunoHost's catalogue */
int app_import(struct tw_cli *cli, int argc, char **argv);
/* app_look.c: looking */
int app_list(struct tw_cli *cli, int argc, char **argv);
int app_show(struct tw_cli *cli, int argc, char **argv);
int app_instances(struct tw_cli *cli, int argc, char **argv);
extern const struct tw_column app_list_columns[], app_show_columns[];
extern const struct tw_column app_instances_columns[];
/* app_file.c: filing what brings an app to hosts, or does something with it
 * there; the verb's name is that of the action */
int app_act(struct tw_cli *cli, int argc, char **argv);

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
void app_text_release(struct app_text *x);

#endif
