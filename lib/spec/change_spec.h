/*
 * change_spec.h - the change file (towerify-change(5)), read and checked
 */
#ifndef TW_SPEC_CHANGE_SPEC_H
#define TW_SPEC_CHANGE_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "spec/diag.h"
#include "spec/param.h"

#define TW_STEPS_MAX 1000
#define TW_STEP_NAME_MAX 200			/* bytes */
#define TW_TITLE_MAX 200			/* bytes */
#define TW_FILE_PATH_MAX 4000			/* bytes */
#define TW_FILE_MAX ((size_t)16 << 20)		/* bytes of one content */
#define TW_FILES_TOTAL_MAX ((size_t)64 << 20)	/* bytes of all contents */
#define TW_RETRIES_MAX 100
#define TW_TIMEOUT_MIN INT64_C(1000)		/* milliseconds from here */
#define TW_TIMEOUT_MAX INT64_C(86400000)
#define TW_TIMEOUT_DEFAULT INT64_C(600000)
#define TW_RETRY_DELAY_MAX INT64_C(3600000)
#define TW_RETRY_DELAY_DEFAULT INT64_C(5000)

enum tw_step_kind {
	TW_STEP_RUN,
	TW_STEP_FILE,
	TW_STEP_REBOOT,
};

enum tw_undo {
	TW_UNDO_NONE,		/* the file says nothing of it */
	TW_UNDO_NOTHING,	/* there is nothing to undo */
	TW_UNDO_IMPOSSIBLE,	/* declared irreversible */
	TW_UNDO_SCRIPT,		/* undo holds the command */
	TW_UNDO_AUTO,		/* a file step: the executor knows how */
};

struct tw_file_spec {
	const char *path;	/* absolute */
	const char *content;	/* may hold any byte */
	size_t len;
	char mode[5];		/* four octal digits, or "" */
	const char *owner;	/* user[:group], or NULL */
};

struct tw_step_spec {		/* text is NULL where the file has none */
	const char *name;
	enum tw_step_kind kind;
	const char *check, *unless, *verify, *run, *undo;
	enum tw_undo undo_kind;
	int64_t timeout_ms;	/* whole seconds */
	int64_t retry_delay_ms;	/* whole seconds */
	int retries;
	struct tw_file_spec file;
	size_t line;		/* in the change file */
};

struct tw_change_spec {
	const char *title;	/* "" when the file has none */
	struct tw_params params;
	struct tw_step_spec *steps;	/* owned */
	size_t nsteps;
	struct tw_yaml_doc *doc;	/* owned; all text lives in it */
};

/* Opens the files that `source:` names, relative to the change file; the
 * caller decides which may be opened.  read appends the content of path to out
 * (out->max is set) and returns TW_OK, TW_NOMEM, or another status with a
 * message that says why not. */
struct tw_spec_reader {
	enum tw_status (*read)(void *arg, const char *path,
	    struct tw_buf *out, struct tw_err *err);
	void *arg;
};

/* Reads len bytes of a change file.  reader NULL: `source:` is refused.
 * Commands are checked with `sh -n`.  TW_OK and *out (the caller frees it);
 * TW_DATA: every problem is in ds (whose .file names the file), *out is NULL;
 * TW_CONFIG: /bin/sh cannot be run; TW_NOMEM. */
enum tw_status tw_change_spec_parse(const char *text, size_t len,
    const struct tw_spec_reader *reader, struct tw_diags *ds,
    struct tw_change_spec **out, struct tw_err *err);
void tw_change_spec_free(struct tw_change_spec *s);	/* NULL is fine */

/* Whether a rollback over this step leaves the host as it was: false for run
 * steps without undo or with `undo: impossible`. */
bool tw_step_spec_has_undo(const struct tw_step_spec *s);

/* The names of the secrets a file declares, in its order: up to max of them to
 * names, borrowed from s.  Returns how many there are. */
size_t tw_change_spec_secrets(const struct tw_change_spec *s,
    const char **names, size_t max);

/* Whether a step names a parameter, as a whole word in any of its commands:
 * such a step gets a secret of that name, others don't. */
bool tw_step_spec_names(const struct tw_step_spec *s, const char *param);

/* Appends a line "step K: NAME" for each step without undo (with
 * ", declared impossible" after those that say so); returns how many. */
size_t tw_change_spec_without_undo(const struct tw_change_spec *s,
    struct tw_buf *out);

#endif
