/*
 * yunohost.h - YunoHost's catalogue of apps, and the arguments of an install
 *
 * The catalogue comes in two forms.  `apps.json', version 3, is what
 * https://app.yunohost.org/default/v3/apps.json publishes: state, level and a
 * manifest without questions for every app.  A checkout is the repository
 * github.com/YunoHost/apps: apps.toml, and manifest.toml files where there
 * are some, which hold the questions.
 *
 * The format is foreign: unknown keys and unknown words are fine, what can't
 * be understood of a text (a size of "?") is unknown.  A wrong type, a name
 * that is none, a URL that is no https URL are refused, and with one fault the
 * whole catalogue is.
 */
#ifndef TW_SPEC_YUNOHOST_H
#define TW_SPEC_YUNOHOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "spec/change_spec.h"
#include "spec/diag.h"
#include "spec/tree.h"

#define TW_YUNOHOST_APPS_MAX 10000		/* in a catalogue */
#define TW_YUNOHOST_ID_MAX 64			/* bytes */
#define TW_YUNOHOST_WORD_MAX 100		/* bytes of state, category… */
#define TW_YUNOHOST_NAME_MAX 200		/* bytes */
#define TW_YUNOHOST_URL_MAX 500			/* bytes */
#define TW_YUNOHOST_LIST_MAX 200		/* subtags, antifeatures… */
#define TW_YUNOHOST_QUESTIONS_MAX 100		/* of an app */
#define TW_YUNOHOST_CHOICES_MAX 1000		/* of a question */
#define TW_YUNOHOST_TEXT_MAX ((size_t)16 << 10)	/* bytes of a long text */
#define TW_YUNOHOST_MANIFEST_MAX ((size_t)1 << 20) /* bytes of a file */

/* The types of YunoHost's src/utils/form.py. */
enum tw_yunohost_type {
	TW_YUNOHOST_SHOWN,	/* markdown, alert, display_text, button, or
				 * readonly: nothing is asked */
	TW_YUNOHOST_STRING,
	TW_YUNOHOST_TEXT,	/* of several lines */
	TW_YUNOHOST_PASSWORD,
	TW_YUNOHOST_COLOR,
	TW_YUNOHOST_NUMBER,	/* number, range */
	TW_YUNOHOST_BOOLEAN,
	TW_YUNOHOST_DATE,
	TW_YUNOHOST_TIME,
	TW_YUNOHOST_EMAIL,
	TW_YUNOHOST_PATH,	/* of a URL */
	TW_YUNOHOST_URL,
	TW_YUNOHOST_FILE,	/* on the host */
	TW_YUNOHOST_SELECT,
	TW_YUNOHOST_TAGS,
	TW_YUNOHOST_DOMAIN,
	TW_YUNOHOST_APP,
	TW_YUNOHOST_USER,
	TW_YUNOHOST_GROUP,
	TW_YUNOHOST_OTHER,	/* a type that this version doesn't know */
};

struct tw_yunohost_words {
	const char *const *v;
	size_t n;
};

struct tw_yunohost_question {	/* text is NULL where there is none */
	const char *id;
	enum tw_yunohost_type type;
	const char *type_word;	/* as the manifest has it */
	const char *ask;	/* in English, else in the first language */
	const char *help;
	const char *example;
	const char *fallback;	/* its default as text; a boolean: 1 or 0 */
	const char *pattern;	/* a Python expression, for YunoHost to check */
	struct tw_yunohost_words choices;
	bool optional;
	bool conditional;	/* asked only sometimes ("visible") */
	bool has_min, has_max;
	int64_t min, max;	/* of a number */
	const char *yes, *no;	/* further words of a boolean */
};

struct tw_yunohost_app {	/* text is NULL where there is none */
	const char *id;
	const char *name;	/* never NULL: the id where there is none */
	const char *version;
	const char *state;	/* "working", "notworking"… */
	const char *category;
	const char *description; /* as ask */
	const char *url, *branch, *revision;	/* url is never NULL */
	const char *yunohost;	/* the version it needs: ">= 12.1.39" */
	int level;		/* 0 to 10, -1: unknown */
	int64_t disk, ram_build, ram_runtime;	/* bytes, -1: unknown */
	bool ram_swap;		/* swap counts too */
	struct tw_yunohost_words subtags;
	struct tw_yunohost_words antifeatures;
	struct tw_yunohost_words architectures;	/* none: all */
	bool multi_instance;
	bool high_quality;
	bool maintained;
	bool has_manifest;	/* name, version, description… are known */
	bool has_questions;	/* the manifest was read whole */
	bool has_data_dir;	/* keeps data outside, for `remove --purge' */
	struct tw_yunohost_question *questions;	/* in the manifest's order */
	size_t nquestions;
};

struct tw_yunohost_catalog {
	struct tw_yunohost_app *apps;	/* sorted by id */
	size_t n;
	struct tw_arena arena;		/* owns all of it */
};

/* Reads len bytes of apps.json.  TW_OK and *out (the caller frees it);
 * TW_DATA: every problem is in ds (whose .file names the file; JSON has only
 * paths), *out is NULL; TW_NOMEM. */
enum tw_status tw_yunohost_json(const char *text, size_t len,
    struct tw_diags *ds, struct tw_yunohost_catalog **out,
    struct tw_err *err);

/* Reads a checkout: "apps.toml", and for each app the first that is there of
 *	manifests/ID.toml
 *	ID_ynh/manifest.toml		clones of the apps' repositories
 *	.apps_cache/ID/manifest.toml	those of YunoHost's own tools
 * reader opens files relative to the checkout and says TW_NO for one that is
 * not there.  An app without manifest is known by its id.  As tw_yunohost_json;
 * names: where the names of files that ds mentions live: the caller releases it
 * after ds. */
enum tw_status tw_yunohost_checkout(const struct tw_spec_reader *reader,
    struct tw_arena *names, struct tw_diags *ds,
    struct tw_yunohost_catalog **out, struct tw_err *err);

/* Reads len bytes of a manifest.toml as a catalogue of one app, whose url is
 * "" and whose state, category and level are unknown: for the questions of an
 * app that apps.json names.  As tw_yunohost_json. */
enum tw_status tw_yunohost_manifest(const char *text, size_t len,
    struct tw_diags *ds, struct tw_yunohost_catalog **out,
    struct tw_err *err);

void tw_yunohost_free(struct tw_yunohost_catalog *c);	/* NULL is fine */

/* The app of that id, or NULL. */
const struct tw_yunohost_app *tw_yunohost_find(
    const struct tw_yunohost_catalog *c, const char *id);

/* An app's id: [a-z0-9][a-z0-9_-]*, at most TW_YUNOHOST_ID_MAX bytes, without
 * "__" (which numbers instances). */
bool tw_yunohost_id_ok(const char *s);

/* Checks n given values against an app's questions, puts defaults in, and
 * appends to out what `yunohost app install --args' takes.  TW_USAGE: every
 * problem is in ds, without position, and out is as it was; no value of a
 * password is ever in them.  TW_NOMEM.  out may hold passwords: the caller
 * overwrites it; this function leaves no other copy. */
enum tw_status tw_yunohost_args(const struct tw_yunohost_app *app,
    const struct tw_param_given *given, size_t n, struct tw_diags *ds,
    struct tw_buf *out, struct tw_err *err);

/* One value against one question: NULL when it is fine or empty, else what it
 * must be, in why ("must begin with '/'", for tw_text_settle()), without the
 * value. */
#define TW_YUNOHOST_WHY_MAX 400
const char *tw_yunohost_why_not(const struct tw_yunohost_question *q,
    const char *value, char why[TW_YUNOHOST_WHY_MAX]);

#endif
