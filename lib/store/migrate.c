/*
 * migrate.c - the versions of the schema, and the upkeep of the file
 *
 * Each version is one file of share/schema/, compiled in; it sets user_version
 * itself as its last statement and is applied in one transaction.  There is no
 * way back: a newer state is refused.
 */
#include "store/store_private.h"

#include <string.h>

extern const char tw_schema_0001[];	/* share/schema/0001.sql, by embed.sh */

static const struct tw_migration migrations[] = {
	{ 1, tw_schema_0001 },
};

const struct tw_migration *tw_store_migrations(size_t *n)
{
	*n = sizeof migrations / sizeof *migrations;
	return migrations;
}

enum tw_status tw_store_pragma(struct tw_store *s, const char *sql,
    int64_t *out, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, sql, &st, err);
	if (status == TW_OK)
		status = tw_stmt_step(st, err);
	if (status == TW_NO)
		return tw_err_set(err, TW_BUG, "no answer to: %s", sql);
	if (status == TW_OK) {
		*out = tw_stmt_col_int(st, 0);
		tw_stmt_reset(st);
	}
	return status;
}

static const char version_sql[] = "PRAGMA user_version";
static const char foreign_key_sql[] = "PRAGMA foreign_key_check";
static const char integrity_sql[] = "PRAGMA integrity_check(1)";

/* The first broken reference, as an error. */
static enum tw_status check_references(struct tw_store *s, struct tw_err *err)
{
	enum { TABLE, ROWID, PARENT };
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, foreign_key_sql, &st, err);
	if (status == TW_OK)
		status = tw_stmt_step(st, err);
	if (status == TW_NO)
		return TW_OK;
	if (status == TW_OK) {
		status = tw_err_set(err, TW_CONFIG, "%s: row %lld of %s "
		    "refers to a row of %s that is not there", s->path,
		    (long long)tw_stmt_col_int(st, ROWID),
		    tw_stmt_col_text(st, TABLE), tw_stmt_col_text(st, PARENT));
		tw_stmt_reset(st);
	}
	return status;
}

enum tw_status tw_store_apply(struct tw_store *s, const struct tw_migration *m,
    struct tw_err *err)
{
	enum tw_status status;
	int64_t version = 0;

	status = tw_store_exec(s, m->sql, err);
	if (status == TW_OK)
		status = check_references(s, err);
	if (status == TW_OK)
		status = tw_store_pragma(s, version_sql, &version, err);
	if (status == TW_OK && version != m->version)
		status = tw_err_set(err, TW_BUG,
		    "schema %d left the state at version %lld", m->version,
		    (long long)version);
	return status;
}

/* One step up, unless somebody was faster. */
static enum tw_status step_up(struct tw_store *s, const struct tw_migration *m,
    struct tw_err *err)
{
	enum tw_status status;
	int64_t version = 0;

	status = tw_store_begin(s, err);
	if (status != TW_OK)
		return status;
	status = tw_store_pragma(s, version_sql, &version, err);
	if (status == TW_OK && version < m->version)
		status = tw_store_apply(s, m, err);
	if (status == TW_OK)
		return tw_store_commit(s, err);
	tw_store_rollback(s);
	return status;
}

static enum tw_status migrate_all(struct tw_store *s,
    const struct tw_migration *list, size_t n, struct tw_err *err)
{
	enum tw_status status, last;
	struct tw_runlock *lock;
	int64_t age;
	size_t i;

	status = tw_runlock_take(s->dir, false, 0, &lock, &age, err);
	if (status == TW_AGAIN)
		return tw_err_prefix(err, "the state is of an older version "
		    "and can't be brought up to date now");
	if (status != TW_OK)
		return status;
	/* A migration may rebuild tables that others refer to; it has no
	 * effect within a transaction, so it is set around them. */
	status = tw_store_exec(s, "PRAGMA foreign_keys = OFF", err);
	for (i = 0; status == TW_OK && i < n; i++)
		status = step_up(s, &list[i], err);
	last = tw_store_exec(s, "PRAGMA foreign_keys = ON",
	    status == TW_OK ? err : NULL);
	tw_runlock_release(lock, NULL);
	return status == TW_OK ? last : status;
}

enum tw_status tw_store_migrate(struct tw_store *s,
    const struct tw_migration *list, size_t n, struct tw_err *err)
{
	int newest = list[n - 1].version;
	enum tw_status status;
	int64_t version = 0;

	status = tw_store_pragma(s, version_sql, &version, err);
	if (status != TW_OK || version == newest)
		return status;
	if (version > newest)
		return tw_err_set(err, TW_CONFIG, "%s: is of version %lld, "
		    "this program knows up to %d", s->path,
		    (long long)version, newest);
	if (version < 1)
		return tw_err_set(err, TW_CONFIG,
		    "%s: is not a tower's state (version %lld)", s->path,
		    (long long)version);
	if (s->mode == TW_STORE_READ) {
		tw_err_set(err, TW_CONFIG, "%s: is of version %lld, this "
		    "program needs %d", s->path, (long long)version, newest);
		tw_err_hint(err, "towerify-run brings it up to date");
		return TW_CONFIG;
	}
	return migrate_all(s, list, n, err);
}

/* --- upkeep ------------------------------------------------------------- */

enum tw_status tw_store_check(struct tw_store *s, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, integrity_sql, &st, err);
	if (status == TW_OK)
		status = tw_stmt_step(st, err);
	if (status == TW_NO)
		return tw_err_set(err, TW_BUG, "no answer to: %s",
		    integrity_sql);
	if (status != TW_OK)
		return status;
	if (strcmp(tw_stmt_col_text(st, 0), "ok") != 0)
		status = tw_err_set(err, TW_CONFIG, "%s: is damaged: %s",
		    s->path, tw_stmt_col_text(st, 0));
	tw_stmt_reset(st);
	return status == TW_OK ? check_references(s, err) : status;
}

enum tw_status tw_store_trim(struct tw_store *s, int pages, bool *more,
    struct tw_err *err)
{
	static const char sql[] = "PRAGMA incremental_vacuum";
	static const char free_sql[] = "PRAGMA freelist_count";
	enum tw_status status;
	int64_t unused = 0;
	struct tw_stmt *st;

	*more = false;
	status = tw_store_pragma(s, free_sql, &unused, err);
	if (status != TW_OK || unused == 0)
		return status;
	*more = unused > pages;
	status = tw_stmt_get(s, sql, &st, err);
	/* each step gives back one page; the reset ends and commits it */
	while (status == TW_OK && pages-- > 0)
		status = tw_stmt_step(st, err);
	if (status == TW_OK)
		tw_stmt_reset(st);
	return status == TW_NO ? TW_OK : status;
}
