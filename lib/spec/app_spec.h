/*
 * app_spec.h - the app file (towerify-app(5)), read and checked, and the
 * changes it compiles to
 *
 * An app's step lists become changes like any other: tw_app_compile() makes a
 * struct tw_change_spec, with which everything in change_spec.h, param.h and
 * program.h works.
 */
#ifndef TW_SPEC_APP_SPEC_H
#define TW_SPEC_APP_SPEC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "spec/change_spec.h"
#include "spec/diag.h"
#include "spec/param.h"
#include "spec/requires.h"

#define TW_APP_NAME_MAX 64		/* bytes */
#define TW_APP_VERSION_MAX 48		/* bytes */
#define TW_APP_TEXT_MAX 4000		/* bytes of a description */
#define TW_APP_EXPORTS_MAX 64

enum tw_app_action {
	TW_APP_DEPLOY,
	TW_APP_START,
	TW_APP_STOP,
	TW_APP_UPGRADE,
	TW_APP_UNDEPLOY,
	TW_APP_BACKUP,
	TW_APP_RESTORE,
	TW_APP_CHECK,
};
#define TW_APP_ACTIONS 8

/* "deploy", "start" ..., NULL-terminated: the keys of the step lists. */
extern const char *const tw_app_action_words[TW_APP_ACTIONS + 1];

struct tw_app_list {		/* a part of the app's steps */
	size_t first, n;	/* n 0: the app has no such list */
};

struct tw_app_export {
	const char *name;
	struct tw_arg_spec text;	/* .raw as it was written */
};

struct tw_app_spec {
	const char *app, *version;
	const char *title;		/* "" when the file has none */
	const char *description;	/* "" when the file has none */
	struct tw_params params;	/* as the file has them; borrowed from
					 * whole */
	struct tw_requires requires;
	struct tw_app_export *exports;	/* in the file's order */
	size_t nexports;
	struct tw_app_list actions[TW_APP_ACTIONS];
	struct tw_step_spec health;	/* .use NULL: there is none */
	/* All steps of the file, and its parameters with those of every app
	 * (app_instance, app_version, app_from) after them; owned. */
	struct tw_change_spec *whole;
};

/* Whether s can be an app's version: letters, digits and . + ~ : _ -, a letter
 * or digit first, at most TW_APP_VERSION_MAX bytes. */
bool tw_app_version_ok(const char *s);
/* Whether s can be an app's name: a name (base/name.h) of at most
 * TW_APP_NAME_MAX bytes. */
bool tw_app_name_ok(const char *s);

/* Reads len bytes of an app file; reader as for tw_change_spec_parse(), and as
 * that: TW_OK and *out (the caller frees it); TW_DATA: every problem is in ds,
 * *out is NULL; TW_CONFIG: /bin/sh cannot be run; TW_NOMEM. */
enum tw_status tw_app_spec_parse(const char *text, size_t len,
    const struct tw_spec_reader *reader, struct tw_diags *ds,
    struct tw_app_spec **out, struct tw_err *err);
void tw_app_spec_free(struct tw_app_spec *s);	/* NULL is fine */

/* What is to be done with which instance; text is borrowed, and copied. */
struct tw_app_act {
	enum tw_app_action action;
	const char *instance;		/* its name */
	const char *from;		/* of an upgrade: the version that is
					 * there; else NULL */
	bool no_backup;			/* of an undeploy */
};

/* Makes the change of an action.  Its steps: those of the list; before them
 * those of backup for upgrade and undeploy, where the app has it; after them
 * the health, for deploy, start, upgrade, restore and check.  The rollback of
 * an upgrade runs restore, where the app has it.  Its params: those of the app
 * without the secrets that no step of it names, so an action asks for what it
 * needs and no more; and those of every app, whose values are set: they are
 * "not given" among the values, and nobody can give others.
 *
 * Next come tw_params_check() with (*out)->params, tw_change_spec_fill(), and
 * tw_program_make() or tw_program_describe().  *out is freed by the caller with
 * tw_change_spec_free(), before app.  Filling one change of an app fills the
 * others of it: finish one before the next.
 * TW_NO: the app has no such list ("wiki 1.0 has no 'stop'"); TW_NOMEM. */
enum tw_status tw_app_compile(struct tw_app_spec *app,
    const struct tw_app_act *act, struct tw_change_spec **out,
    struct tw_err *err);

/* Appends the exports as a JSON object of texts, as an instance of that name has
 * them: params are its values, a JSON object; what it lacks is at its default.
 * instance NULL: as they were written.  TW_OK, TW_NOMEM. */
enum tw_status tw_app_exports(struct tw_app_spec *app, const char *instance,
    const char *params, struct tw_buf *out, struct tw_err *err);

#endif
