/*
 * yunohost_compile.h - an app of YunoHost's catalogue as an app file
 *
 * What an app of the catalogue becomes is text as towerify-app(5) has it: steps
 * of the kinds that drive YunoHost, and a parameter for each question.  So all
 * that holds for app files holds for it.
 */
#ifndef TW_SPEC_YUNOHOST_COMPILE_H
#define TW_SPEC_YUNOHOST_COMPILE_H

#include "base/buf.h"
#include "base/name.h"
#include "spec/app_spec.h"
#include "spec/yunohost.h"

struct tw_yunohost_row {	/* an app as the state keeps it; text is
				 * borrowed, NULL where there is none */
	const char *id, *name, *version, *description, *state;
	const char *archs;	/* with commas */
	const char *detail;	/* a JSON object; its "questions" are read */
	int level;		/* -1: unknown */
};

/* A catalogue of that one app, as it was imported.  TW_OK and *out (the caller
 * frees it with tw_yunohost_free()); TW_CONFIG: detail is not what an import
 * has written; TW_NOMEM. */
enum tw_status tw_yunohost_stored(const struct tw_yunohost_row *row,
    struct tw_yunohost_catalog **out, struct tw_err *err);

/* The name of the parameter for question number i: its id where that can name
 * one. */
void tw_yunohost_param(const struct tw_yunohost_app *app, size_t i,
    char name[TW_PARAM_NAME_MAX + 1]);

/* Whether an instance of the app may be called so on a host: ID, or of one
 * that may be there more than once ID__2, ID__3 ...  TW_NO: why not. */
enum tw_status tw_yunohost_instance_check(const struct tw_yunohost_app *app,
    const char *instance, struct tw_err *err);

/* Whether YunoHost installs the app without asking a person.  TW_NO: why
 * not. */
enum tw_status tw_yunohost_install_check(const struct tw_yunohost_app *app,
    struct tw_err *err);

/* The n given values, by the names of parameters, against the questions:
 * TW_USAGE: every problem is in ds, without position; TW_NOMEM.  TW_OK: *out
 * (room for n) and *nout are those that the app file takes: blanks are no
 * answer, and a boolean is true or false; borrowed from given. */
enum tw_status tw_yunohost_given(const struct tw_yunohost_app *app,
    const struct tw_param_given *given, size_t n, struct tw_diags *ds,
    struct tw_param_given *out, size_t *nout, struct tw_err *err);

struct tw_yunohost_act {
	enum tw_app_action action;	/* what the file is for; others may be
					 * there too */
	const char *instance;		/* its id on the host */
	bool no_backup;			/* of an undeployment */
	/* Parameters that an instance has and keeps: of all actions but deploy,
	 * which has those of the questions. */
	const char *const *kept;
	size_t nkept;
};

/* Appends the app file.  TW_OK; TW_NO: the app has no version, or one that
 * can't be told apart; TW_NOMEM. */
enum tw_status tw_yunohost_compile(const struct tw_yunohost_app *app,
    const struct tw_yunohost_act *act, struct tw_buf *out,
    struct tw_err *err);

#endif
