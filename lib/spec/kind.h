/*
 * kind.h - step kinds (towerify-kinds(7)): files of shell functions that bring
 * a state about, ask whether it holds, and take it back
 *
 * A set knows the directories in which kinds are looked for, and keeps those
 * that were asked for.
 */
#ifndef TW_SPEC_KIND_H
#define TW_SPEC_KIND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "spec/diag.h"
#include "spec/param.h"

#define TW_KIND_MAX ((size_t)256 << 10)	/* bytes of a kind's file */
#define TW_KIND_FETCHED "fetched"	/* the argument with the path, on the
					 * host, of what was downloaded */

enum tw_undo {
	TW_UNDO_NONE,		/* the file says nothing of it */
	TW_UNDO_NOTHING,	/* there is nothing to undo */
	TW_UNDO_IMPOSSIBLE,	/* declared irreversible */
	TW_UNDO_SCRIPT,		/* undo holds the command */
	TW_UNDO_AUTO,		/* a file step, or the kind knows how */
};

struct tw_kind {		/* lives as long as its set */
	const char *name;
	const char *text;	/* the whole file, behind the library that it
				 * uses; ends with a newline */
	struct tw_params args;
	/* NULL-terminated, or NULL where the file has none */
	const char *const *one_of;	/* just one of these must be given */
	const char *const *templates;	/* holes filled in on the host */
	const char *const *facts;	/* names for fact.NAME in those */
	const char *const *fetch;	/* two: with the address of a file that
					 * the tower downloads, and with its
					 * SHA-256 */
	enum tw_undo undo;	/* AUTO, NOTHING or IMPOSSIBLE */
};

struct tw_kinds;

/* dirs is NULL-terminated, copied, and searched in its order; none of them
 * need be there.  TW_OK and *out (the caller frees it), TW_NOMEM. */
enum tw_status tw_kinds_new(const char *const *dirs, struct tw_kinds **out,
    struct tw_err *err);
void tw_kinds_free(struct tw_kinds *s);		/* NULL is fine */

/* The names of all kinds, NULL-terminated, and the directories, with commas;
 * they live as long as the set. */
const char *const *tw_kinds_names(const struct tw_kinds *s);
const char *tw_kinds_where(const struct tw_kinds *s);

/* Reads and checks a kind, the first time it is asked for.  TW_OK and *out:
 * NULL when there is no such kind, or when it is wrong, of which every problem
 * is in ds under the name of its own file; TW_CONFIG: a file or /bin/sh can't
 * be read; TW_NOMEM. */
enum tw_status tw_kinds_find(struct tw_kinds *s, const char *name,
    struct tw_diags *ds, const struct tw_kind **out, struct tw_err *err);

/* Whether name is one of words; NULL is no words. */
bool tw_kind_lists(const char *const *words, const char *name);

#endif
