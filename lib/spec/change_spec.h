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
#include "spec/kind.h"
#include "spec/param.h"
#include "spec/requires.h"

#define TW_STEPS_MAX 1000
#define TW_STEP_NAME_MAX 200			/* bytes */
#define TW_TITLE_MAX 200			/* bytes */
#define TW_FILE_PATH_MAX 4000			/* bytes */
#define TW_FILE_MAX ((size_t)16 << 20)		/* bytes of one content */
#define TW_FILES_TOTAL_MAX ((size_t)64 << 20)	/* bytes of all contents */
#define TW_ARGS_TOTAL_MAX ((size_t)512 << 10)	/* bytes of a step's values */
#define TW_RETRIES_MAX 100
#define TW_TIMEOUT_MIN INT64_C(1000)		/* milliseconds from here */
#define TW_TIMEOUT_MAX INT64_C(86400000)
#define TW_TIMEOUT_DEFAULT INT64_C(600000)
#define TW_CONFIRM_MIN INT64_C(5000)
#define TW_CONFIRM_MAX INT64_C(3600000)
#define TW_RETRY_DELAY_MAX INT64_C(3600000)
#define TW_RETRY_DELAY_DEFAULT INT64_C(5000)

enum tw_step_kind {
	TW_STEP_RUN,
	TW_STEP_FILE,
	TW_STEP_REBOOT,
	TW_STEP_KIND,
};

struct tw_file_spec {
	const char *path;	/* absolute */
	const char *content;	/* may hold any byte */
	size_t len;
	char mode[5];		/* four octal digits, or "" */
	const char *owner;	/* user[:group], or NULL */
};

struct tw_arg_spec {		/* an argument of a step of a kind */
	const struct tw_param *def;
	bool given;
	bool has_holes;		/* text is to be made of raw */
	const char *raw;	/* as it was written */
	const char *text;	/* the value; of TW_PARAM_FILE the name, and */
	const char *content;	/* what is in it, any bytes */
	size_t len;
};

struct tw_step_spec {		/* text is NULL where the file has none */
	const char *name;
	enum tw_step_kind kind;
	const char *check, *unless, *verify, *run, *undo;
	enum tw_undo undo_kind;
	int64_t timeout_ms;	/* whole seconds */
	int64_t retry_delay_ms;	/* whole seconds */
	int64_t confirm_ms;	/* whole seconds; 0: needs none */
	int retries;
	struct tw_file_spec file;
	const struct tw_kind *use;	/* of TW_STEP_KIND */
	struct tw_arg_spec *args;	/* its, in the order of use->args */
	const char *fetched;	/* what was downloaded for it, any bytes; NULL:
				 * nothing */
	size_t fetched_len;
	size_t line;		/* in the change file */
};

struct tw_successor_spec {	/* the login after the change; zeroed: the same */
	bool given;
	struct tw_arg_spec user;	/* .given; .text once it was filled */
	int64_t port;			/* 0: as it is */
	bool has_sudo, sudo;		/* not has_sudo: as it is */
};

struct tw_change_spec {
	const char *title;	/* "" when the file has none */
	struct tw_params params;
	struct tw_requires requires;	/* of a host */
	struct tw_successor_spec successor;
	struct tw_step_spec *steps;	/* owned */
	size_t nsteps;
	struct tw_yaml_doc *doc;	/* owned; all text lives in it */
	bool is_part;			/* of an app, which owns doc and what
					 * params point to */
};

/* What a change file may draw upon.  read opens the files that `source:` and
 * arguments of kinds name, relative to the change file; the caller decides
 * which may be opened: it appends the content of path to out (out->max is set)
 * and returns TW_OK, TW_NOMEM, or another status with a message that says why
 * not.  NULL: none is read. */
struct tw_spec_reader {
	enum tw_status (*read)(void *arg, const char *path,
	    struct tw_buf *out, struct tw_err *err);
	void *arg;
	struct tw_kinds *kinds;		/* or NULL: none is known */
	bool is_blind;			/* what read gives is not the content */
};

/* Reads len bytes of a change file.  reader NULL: `source:` is refused and no
 * kind known; its kinds must outlive *out and ds.
 * Commands are checked with `sh -n`.  TW_OK and *out (the caller frees it);
 * TW_DATA: every problem is in ds (whose .file names the file), *out is NULL;
 * TW_CONFIG: /bin/sh cannot be run; TW_NOMEM. */
enum tw_status tw_change_spec_parse(const char *text, size_t len,
    const struct tw_spec_reader *reader, struct tw_diags *ds,
    struct tw_change_spec **out, struct tw_err *err);
void tw_change_spec_free(struct tw_change_spec *s);	/* NULL is fine */

/* Puts values into what names parameters, the arguments of kinds and the
 * successor's user; to be called
 * before tw_program_make() and tw_program_describe().  TW_USAGE: a value makes
 * one of them wrong, every such problem is in ds, without position; TW_NOMEM. */
enum tw_status tw_change_spec_fill(struct tw_change_spec *s,
    const struct tw_param_values *values, struct tw_diags *ds,
    struct tw_err *err);

/* Downloads what steps of kinds want; after tw_change_spec_fill().  get appends
 * what is at url, max bytes at most, to out, and returns TW_OK, or another
 * status with a message.  The first failure ends it: its status, and the
 * message with the step before it.  Without this call the program lacks these
 * contents, and nothing else. */
enum tw_status tw_change_spec_fetch(struct tw_change_spec *s,
    enum tw_status (*get)(void *arg, const char *url, const char *sha256,
    size_t max, struct tw_buf *out, struct tw_err *err), void *arg,
    struct tw_err *err);
/* Does any step want that? */
bool tw_change_spec_wants_fetch(const struct tw_change_spec *s);

/* Whether a rollback over this step leaves the host as it was: false for run
 * steps without undo or with `undo: impossible`. */
bool tw_step_spec_has_undo(const struct tw_step_spec *s);

/* How long such a step may take, milliseconds: each phase of each attempt, and the
 * pauses; but no confirmation and no undo. */
int64_t tw_step_spec_longest(const struct tw_step_spec *s);

/* The names of the secrets a file declares, in its order: up to max of them to
 * names, borrowed from s.  Returns how many there are. */
size_t tw_change_spec_secrets(const struct tw_change_spec *s,
    const char **names, size_t max);

/* Whether a step names a parameter, as a whole word in any of its commands or
 * as {{NAME}} in a template: such a step gets a secret of that name, others
 * don't. */
bool tw_step_spec_names(const struct tw_step_spec *s, const char *param);

/* Appends a line "step K: NAME" for each step without undo (with
 * ", declared impossible" after those that say so); returns how many. */
size_t tw_change_spec_without_undo(const struct tw_change_spec *s,
    struct tw_buf *out);

#endif
