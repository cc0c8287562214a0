/*
 * stmt.c - prepared statements, kept by the address of their text; errors of
 *          SQLite told as ours
 */
#include "store/store_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_MIN 128		/* slots; a power of two */

static enum tw_status damaged(const char *name, const char *what,
    const char *why, struct tw_err *err)
{
	tw_err_set(err, TW_CONFIG, "%s: %s: %s", name, what, why);
	/* a disk that can't read (EIO) is among these, to SQLite */
	tw_err_hint(err, "look for errors of the disk (dmesg), then "
	    "restore it from a backup");
	return TW_CONFIG;
}

/* Ours are static statements on tables of our own making: one that fails is a
 * fault of this program's, or of the file. */
static enum tw_status unexpected(struct tw_store *s, const char *name,
    const char *why, int rc, struct tw_err *err)
{
	char kept[256];		/* SQLite's text lives until the next call */
	const char *what;

	snprintf(kept, sizeof kept, "%s", why);
	what = s->db ? tw_store_damage(s) : NULL;
	if (what)
		return damaged(name, what, kept, err);
	return tw_err_set(err, TW_BUG, "%s: %s (%d)", name, kept, rc);
}

enum tw_status tw_store_fail(struct tw_store *s, int rc, struct tw_err *err)
{
	const char *name = s->path ? s->path : TW_STORE_FILE;
	const char *why = s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(rc);
	int e = s->db ? sqlite3_system_errno(s->db) : 0;

	if (rc == SQLITE_IOERR_NOMEM)
		return tw_err_nomem(err);
	switch (rc & 0xff) {
	case SQLITE_NOMEM:
		return tw_err_nomem(err);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return tw_err_set(err, TW_AGAIN,
		    "%s: busy, another program is writing to it", name);
	case SQLITE_FULL:
		return tw_err_set(err, TW_CONFIG, "%s: the disk is full",
		    name);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return damaged(name, W_("is damaged"), why, err);
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		if (e)
			return tw_err_sys(err, TW_CONFIG, e, "%s: %s", name,
			    why);
		return tw_err_set(err, TW_CONFIG, "%s: %s", name, why);
	case SQLITE_READONLY:
		if (s->mode == TW_STORE_READ)
			return tw_err_set(err, TW_BUG,
			    "%s: written to, but opened for reading", name);
		return tw_err_set(err, TW_CONFIG, "%s: %s", name, why);
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return tw_err_set(err, TW_CONFIG, "%s: %s", name, why);
	default:
		return unexpected(s, name, why, rc, err);
	}
}

enum tw_status tw_store_exec(struct tw_store *s, const char *sql,
    struct tw_err *err)
{
	int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? TW_OK : tw_store_fail(s, rc, err);
}

/* --- the table of statements -------------------------------------------- */

static size_t slot_of(struct tw_stmt *const *table, size_t cap,
    const char *sql)
{
	size_t i;

	/* the multiplier spreads neighbouring addresses (Fibonacci hashing) */
	i = (size_t)(((uint64_t)(uintptr_t)sql * 0x9e3779b97f4a7c15u) >> 32);
	for (i &= cap - 1; table[i] && table[i]->sql != sql;
	    i = (i + 1) & (cap - 1))
		;
	return i;
}

static bool grow(struct tw_store *s)
{
	size_t cap = s->cap ? s->cap * 2 : TABLE_MIN, i;
	struct tw_stmt **table;

	table = calloc(cap, sizeof *table);
	if (!table)
		return false;
	for (i = 0; i < s->cap; i++)
		if (s->stmts[i])
			table[slot_of(table, cap, s->stmts[i]->sql)] =
			    s->stmts[i];
	free(s->stmts);
	s->stmts = table;
	s->cap = cap;
	return true;
}

void tw_stmt_free_all(struct tw_store *s)
{
	size_t i;

	for (i = 0; i < s->cap; i++)
		if (s->stmts[i]) {
			sqlite3_finalize(s->stmts[i]->st);
			free(s->stmts[i]);
		}
	free(s->stmts);
	s->stmts = NULL;
	s->nstmts = s->cap = 0;
}

enum tw_status tw_stmt_get(struct tw_store *s, const char *sql,
    struct tw_stmt **out, struct tw_err *err)
{
	struct tw_stmt *st;
	size_t i;
	int rc;

	*out = NULL;
	if (s->nstmts * 2 >= s->cap && !grow(s))
		return tw_err_nomem(err);
	i = slot_of(s->stmts, s->cap, sql);
	st = s->stmts[i];
	if (!st) {
		st = calloc(1, sizeof *st);
		if (!st)
			return tw_err_nomem(err);
		rc = sqlite3_prepare_v3(s->db, sql, -1,
		    SQLITE_PREPARE_PERSISTENT, &st->st, NULL);
		if (rc != SQLITE_OK) {
			free(st);
			return tw_store_fail(s, rc, err);
		}
		st->store = s;
		st->sql = sql;
		s->stmts[i] = st;
		s->nstmts++;
	} else {
		sqlite3_reset(st->st);
		sqlite3_clear_bindings(st->st);
	}
	st->bind_rc = SQLITE_OK;
	*out = st;
	return TW_OK;
}

/* --- bindings ----------------------------------------------------------- */

static void note(struct tw_stmt *st, int rc)
{
	if (st->bind_rc == SQLITE_OK)
		st->bind_rc = rc;
}

void tw_stmt_int(struct tw_stmt *st, int i, int64_t v)
{
	note(st, sqlite3_bind_int64(st->st, i, v));
}

void tw_stmt_text(struct tw_stmt *st, int i, const char *v)
{
	note(st, sqlite3_bind_text(st->st, i, v, -1, SQLITE_TRANSIENT));
}

void tw_stmt_blob(struct tw_stmt *st, int i, const void *p, size_t n)
{
	note(st, sqlite3_bind_blob64(st->st, i, p, n, SQLITE_TRANSIENT));
}

void tw_stmt_null(struct tw_stmt *st, int i)
{
	note(st, sqlite3_bind_null(st->st, i));
}

void tw_stmt_time(struct tw_stmt *st, int i, int64_t v)
{
	if (v)
		tw_stmt_int(st, i, v);
	else
		tw_stmt_null(st, i);
}

/* --- running ------------------------------------------------------------ */

enum tw_status tw_stmt_step(struct tw_stmt *st, struct tw_err *err)
{
	struct tw_store *s = st->store;
	enum tw_status status;
	int rc = st->bind_rc;

	if (s->in_tx && sqlite3_get_autocommit(s->db)) {
		/* SQLite rolled back after an error that somebody overlooked:
		 * this statement would be committed on its own. */
		return tw_err_set(err, TW_CONFIG,
		    "%s: the transaction was rolled back after an error",
		    s->path);
	}
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st->st);
	if (rc == SQLITE_ROW)
		return TW_OK;
	if (rc == SQLITE_DONE)
		status = TW_NO;
	else
		status = tw_store_fail(s, rc, err);
	sqlite3_reset(st->st);
	return status;
}

enum tw_status tw_stmt_run(struct tw_stmt *st, struct tw_err *err)
{
	enum tw_status status = tw_stmt_step(st, err);

	if (status == TW_NO)
		return TW_OK;
	if (status == TW_OK) {
		sqlite3_reset(st->st);
		return tw_err_set(err, TW_BUG, "%s: unexpected row from: %s",
		    st->store->path, st->sql);
	}
	return status;
}

void tw_stmt_reset(struct tw_stmt *st)
{
	sqlite3_reset(st->st);
}

int64_t tw_stmt_col_int(struct tw_stmt *st, int c)
{
	return sqlite3_column_int64(st->st, c);
}

const char *tw_stmt_col_text(struct tw_stmt *st, int c)
{
	const unsigned char *v = sqlite3_column_text(st->st, c);

	return v ? (const char *)v : "";
}

const void *tw_stmt_col_blob(struct tw_stmt *st, int c, size_t *n)
{
	const void *p = sqlite3_column_blob(st->st, c);

	*n = p ? (size_t)sqlite3_column_bytes(st->st, c) : 0;
	return p;
}

bool tw_stmt_col_is_null(struct tw_stmt *st, int c)
{
	return sqlite3_column_type(st->st, c) == SQLITE_NULL;
}
