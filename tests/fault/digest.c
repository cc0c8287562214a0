/*
 * digest.c - a state's contents as text, and whether it is sound; see stage.h
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "stage.h"

/* Columns that differ between two runs that did the same. */
enum { EXACT, WHETHER, AWAY };

static const struct {
	const char *name;
	int how;
} columns[] = {
	/* when: whether it is known */
	{ "created", WHETHER }, { "removed", WHETHER }, { "since", WHETHER },
	{ "filed", WHETHER }, { "joins", WHETHER }, { "started", WHETHER },
	{ "accepted", WHETHER }, { "ended", WHETHER }, { "at", WHETHER },
	{ "added", WHETHER }, { "changed", WHETHER },
	{ "held_since", WHETHER }, { "cancel_at", WHETHER },
	{ "undo_started", WHETHER }, { "undo_ended", WHETHER },
	{ "wait", WHETHER }, { "run", WHETHER },
	/* random, or made of what is */
	{ "uid", WHETHER }, { "nonce", WHETHER }, { "queue_id", WHETHER },
	{ "spool_id", WHETHER }, { "sealed", WHETHER }, { "prev", WHETHER },
	{ "facts", WHETHER },
	/* how often it was tried, and how far the stream was read at the time
	 * of the last look */
	{ "failures", AWAY }, { "next_attempt", AWAY }, { "last_error", AWAY },
	{ "last_error_at", AWAY }, { "last_seen", AWAY }, { "facts_at", AWAY },
	{ "acked_seq", AWAY }, { "fence_epoch", AWAY }, { "fence_seq", AWAY },
	{ "offset", AWAY }, { "life", AWAY }, { "clock", AWAY },
	{ "next_event", AWAY }, { "cur_step", AWAY }, { "seq", AWAY },
};

static int how_of(const char *table, const char *column)
{
	size_t i;

	if (strncmp(table, "audit", 5) == 0 && strcmp(column, "hash") == 0)
		return WHETHER;
	for (i = 0; i < sizeof columns / sizeof *columns; i++)
		if (strcmp(columns[i].name, column) == 0)
			return columns[i].how;
	return EXACT;
}

static sqlite3 *open_state(const char *state)
{
	sqlite3 *db = NULL;
	char *path;

	if (asprintf(&path, "%s/state.db", state) < 0)
		stage_die("no memory");
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) !=
	    SQLITE_OK) {
		sqlite3_close(db);
		db = NULL;
	}
	free(path);
	return db;
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		stage_die("%s: %s", sql, sqlite3_errmsg(db));
	return st;
}

/* Organisations have random ids: their names stand for them. */
static void put_org(sqlite3 *db, sqlite3_int64 id, struct tw_buf *b)
{
	sqlite3_stmt *st = prepare(db, "SELECT name FROM org WHERE id = ?");

	sqlite3_bind_int64(st, 1, id);
	if (sqlite3_step(st) == SQLITE_ROW)
		tw_buf_addf(b, "org %s", (const char *)
		    sqlite3_column_text(st, 0));
	else
		tw_buf_addf(b, "org %s", id ? "unknown" : "tower");
	sqlite3_finalize(st);
}

/* An audit record may name a new chain or a new spool: random. */
static void put_text(const char *text, struct tw_buf *b)
{
	static const char *const keys[] = { "\"chain\":\"",
		"\"spool_id\":\"" };
	const char *at = NULL;
	size_t i;

	for (i = 0; !at && i < sizeof keys / sizeof *keys; i++) {
		at = strstr(text, keys[i]);
		if (at)
			at += strlen(keys[i]);
	}
	if (at) {
		tw_buf_add(b, text, (size_t)(at - text));
		text = at + strspn(at, "0123456789abcdef");
	}
	tw_buf_adds(b, text);
}

static void put_value(sqlite3_stmt *st, int c, struct tw_buf *b)
{
	const unsigned char *p;
	int i, n;

	switch (sqlite3_column_type(st, c)) {
	case SQLITE_NULL:
		tw_buf_adds(b, "-");
		break;
	case SQLITE_BLOB:
		p = sqlite3_column_blob(st, c);
		n = sqlite3_column_bytes(st, c);
		tw_buf_addf(b, "%d:", n);
		for (i = 0; i < n && i < 32; i++)
			tw_buf_addf(b, "%02x", p[i]);
		break;
	default:
		put_text((const char *)sqlite3_column_text(st, c), b);
	}
}

static void put_row(sqlite3 *db, const char *table, sqlite3_stmt *st,
    struct tw_buf *b)
{
	int c, how;

	tw_buf_addf(b, "%s", table);
	for (c = 0; c < sqlite3_column_count(st); c++) {
		const char *name = sqlite3_column_name(st, c);

		how = how_of(table, name);
		if (how == AWAY)
			continue;
		tw_buf_addf(b, "|%s=", name);
		if (how == WHETHER)
			tw_buf_adds(b, sqlite3_column_type(st, c) ==
			    SQLITE_NULL ? "-" : "set");
		else if (strcmp(name, "org_id") == 0 ||
		    strcmp(name, "chain") == 0 ||
		    (strcmp(name, "id") == 0 && strcmp(table, "org") == 0))
			put_org(db, sqlite3_column_int64(st, c), b);
		else
			put_value(st, c, b);
	}
	tw_buf_addc(b, '\n');
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lines added since from, sorted: random ids gave them their order. */
static void sort_from(struct tw_buf *b, size_t from)
{
	char *text = strdup(tw_buf_str(b) + from), *save = NULL, *line;
	char **lines = NULL;
	size_t n = 0, i;

	for (line = strtok_r(text, "\n", &save); line;
	    line = strtok_r(NULL, "\n", &save)) {
		lines = reallocarray(lines, n + 1, sizeof *lines);
		lines[n++] = line;
	}
	if (n)
		qsort(lines, n, sizeof *lines, by_text);
	b->len = from;
	for (i = 0; i < n; i++)
		tw_buf_addf(b, "%s\n", lines[i]);
	free(lines);
	free(text);
}

static void put_table(sqlite3 *db, const char *table, struct tw_buf *b)
{
	size_t from = b->len;
	sqlite3_stmt *st;
	char *sql;

	/* output comes in pieces as the host's came: only the whole counts */
	if (strcmp(table, "output") == 0)
		sql = strdup("SELECT change_id, k, phase, group_concat("
		    "CAST(data AS TEXT), '') AS data FROM (SELECT * FROM "
		    "output ORDER BY id) GROUP BY 1, 2, 3");
	else if (strcmp(table, "audit") == 0)
		/* records of several hosts come in any order; of a pruning
		 * that was begun again the last one tells */
		sql = strdup("SELECT row_number() OVER (PARTITION BY chain, "
		    "ifnull(host, '') ORDER BY seq) AS nth, chain, seq, at, "
		    "operator, action, host, change_num, iif(action = "
		    "'audit.prune', '', detail) AS detail, prev, hash "
		    "FROM audit a WHERE action <> 'audit.prune' OR NOT EXISTS "
		    "(SELECT 1 FROM audit b WHERE b.chain = a.chain "
		    "AND b.seq > a.seq AND b.action = 'audit.prune')");
	else
		sql = sqlite3_mprintf("SELECT * FROM \"%w\"", table);
	st = prepare(db, sql);
	while (sqlite3_step(st) == SQLITE_ROW)
		put_row(db, table, st, b);
	sqlite3_finalize(st);
	if (strcmp(table, "output") == 0 || strcmp(table, "audit") == 0)
		free(sql);
	else
		sqlite3_free(sql);
	sort_from(b, from);
}

void stage_digest(const char *state, struct tw_buf *b)
{
	sqlite3 *db = open_state(state);
	sqlite3_stmt *st;

	tw_buf_reset(b);
	if (!db) {
		tw_buf_adds(b, "no state\n");
		return;
	}
	st = prepare(db, "SELECT name FROM sqlite_schema WHERE type = 'table'"
	    " ORDER BY name");
	while (sqlite3_step(st) == SQLITE_ROW)
		put_table(db, (const char *)sqlite3_column_text(st, 0), b);
	sqlite3_finalize(st);
	sqlite3_close(db);
	if (b->failed)
		stage_die("no memory");
}

/* --- soundness -------------------------------------------------------------- */

static bool answers(sqlite3 *db, const char *pragma, const char *wanted,
    struct tw_buf *why)
{
	sqlite3_stmt *st = NULL;
	const char *text = NULL;
	bool is_fine;
	int rc;

	rc = sqlite3_prepare_v2(db, pragma, -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		text = (const char *)sqlite3_column_text(st, 0);
	else if (rc != SQLITE_DONE)
		text = sqlite3_errmsg(db);
	is_fine = wanted ? text && strcmp(text, wanted) == 0 : !text;
	if (!is_fine)
		tw_buf_addf(why, "%s: %s\n", pragma, text ? text : "nothing");
	sqlite3_finalize(st);
	return is_fine;
}

static bool verifies(struct stage *s, const char *state, const char *which,
    struct tw_buf *why)
{
	static char tool[] = "towerify-audit", verb[] = "verify";
	static char option[] = "--state";
	char *argv[6] = { tool, verb, option, NULL, NULL, NULL };
	char *dir = strdup(state), *extra = which ? strdup(which) : NULL;
	int status;

	argv[3] = dir;
	argv[4] = extra;
	status = stage_run(s, argv, NULL, NULL);
	if (status != 0)
		tw_buf_addf(why, "towerify-audit verify %s: %s\n",
		    which ? which : "", tw_buf_str(&s->err));
	free(dir);
	free(extra);
	return status == 0;
}

bool stage_sound(struct stage *s, const char *state, struct tw_buf *why)
{
	struct tw_buf nobody = TW_BUF_INIT;
	bool is_fine = true;
	sqlite3 *db;

	db = open_state(state);
	if (!db) {
		tw_buf_adds(why, "the state can't be opened\n");
		return false;
	}
	/* in a tower just made nobody may ask yet */
	if (answers(db, "SELECT 1 FROM operator", "1", &nobody))
		is_fine = verifies(s, state, NULL, why) &&
		    verifies(s, state, "--tower", why);
	tw_buf_release(&nobody);
	is_fine = answers(db, "PRAGMA integrity_check", "ok", why) && is_fine;
	is_fine = answers(db, "PRAGMA foreign_key_check", NULL, why) &&
	    is_fine;
	sqlite3_close(db);
	return is_fine;
}
