/*
 * app.h - the catalogue: versions of apps that an organisation may deploy
 *
 * An app of a file is stored with the files that its steps name, and never
 * changed: another content is another version.  YunoHost's catalogue is replaced
 * as a whole.  Looking needs `view' anywhere; adding, importing and removing
 * need `change' in the whole organisation, since what an app holds is run as
 * root by those who deploy it.
 */
#ifndef TW_MODEL_APP_H
#define TW_MODEL_APP_H

#include "base/buf.h"
#include "base/hash.h"
#include "model/who.h"

enum tw_app_source {
	TW_APP_FILE,		/* an app file, with steps */
	TW_APP_YUNOHOST,	/* YunoHost's catalogue */
};
/* "file", "yunohost" */
const char *tw_app_source_name(enum tw_app_source s);

struct tw_app {			/* strings owned; NULL where none */
	int64_t id;
	char *name;
	char *version;		/* "": the catalogue does not say */
	enum tw_app_source source;
	char *title, *description, *state, *category;
	char *archs;		/* with commas; NULL: any */
	int64_t level;		/* -1: none */
	int64_t added;
	char *added_by;
	int64_t instances;	/* of that version, that are not gone and that
				 * the caller may see */
	/* not filled by select */
	char *detail;		/* JSON */
	uint8_t file[TW_SHA256_LEN], bundle[TW_SHA256_LEN];	/* zeros: none */
};
void tw_app_release(struct tw_app *a);
void tw_apps_free(struct tw_app *a, size_t n);

/* --- looking ----------------------------------------------------------- */

struct tw_app_filter {		/* zeroed: everything; text NULL: any */
	const char *pattern;	/* of names, with * and ? */
	const char *state, *category;
	const char *arch;	/* that it runs on */
	int64_t level;		/* at least; 0: any, or none */
};
/* By name, the newest version first; *out for tw_apps_free(). */
enum tw_status tw_app_select(struct tw_store *s, const struct tw_who *who,
    const struct tw_app_filter *f, struct tw_app **out, size_t *n,
    struct tw_err *err);
/* "NAME" (the newest, and one of a file rather than YunoHost's) or
 * "NAME@VERSION".  TW_NO: "no app 'x'", "no version 'y' of app 'x'", with the
 * nearest as the hint; TW_USAGE: not of that form. */
enum tw_status tw_app_find(struct tw_store *s, const struct tw_who *who,
    const char *name_version, struct tw_app *out, struct tw_err *err);
/* One of those, of that source.  TW_NO as above. */
enum tw_status tw_app_get(struct tw_store *s, const struct tw_who *who,
    const char *name, const char *version, enum tw_app_source source,
    struct tw_app *out, struct tw_err *err);
/* Appends the app file's text and the files of its steps. */
enum tw_status tw_app_read(struct tw_store *s, const struct tw_app *a,
    struct tw_buf *file, struct tw_buf *bundle, struct tw_err *err);

/* --- acts, each with its audit record ------------------------------------- */

struct tw_app_entry {		/* what is added; text NULL where none */
	const char *name, *version, *title, *description;
	const char *state, *category, *archs, *detail;	/* of YunoHost's */
	int64_t level;
	const void *file; size_t file_len;	/* of a file's */
	const void *bundle; size_t bundle_len;	/* 0: none */
};
/* Audit "app.add".  The same content again: *again, and nothing is done.
 * TW_NO: that version is there with another content. */
enum tw_status tw_app_add(struct tw_store *s, const struct tw_who *who,
    const struct tw_app_entry *a, bool *again, struct tw_err *err);

struct tw_app_import {
	size_t before, added, changed, removed;
};
/* The n entries take the place of YunoHost's catalogue as it was, but for the
 * questions that a manifest told: an entry without any keeps them while version
 * and revision stay what they were (one not known is no other).  Audit
 * "app.import" with these numbers and the hash (of what was read).  The same
 * again writes nothing. */
enum tw_status tw_app_import(struct tw_store *s, const struct tw_who *who,
    const struct tw_app_entry *apps, size_t n,
    const uint8_t hash[TW_SHA256_LEN], struct tw_app_import *result,
    struct tw_err *err);

/* One app of YunoHost's catalogue, there already or not, is what its manifest
 * says, until the next import (see there); audit "app.manifest" with the hash of what was
 * read.  The same again: *again, and nothing is done. */
enum tw_status tw_app_manifest(struct tw_store *s, const struct tw_who *who,
    const struct tw_app_entry *a, const uint8_t hash[TW_SHA256_LEN],
    bool *again, struct tw_err *err);

/* "NAME" (all its versions) or "NAME@VERSION", of files and of YunoHost's
 * until its next import; audit "app.remove" for each.  TW_NO: there is none,
 * or an instance of it is ("wiki@1.0 is deployed on web1"). */
enum tw_status tw_app_remove(struct tw_store *s, const struct tw_who *who,
    const char *name_version, struct tw_err *err);

#endif
