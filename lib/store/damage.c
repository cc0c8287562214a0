/*
 * damage.c - whether a file that SQLite can read holds what it should
 *
 * SQLite's pages have no checksums.  A bit that flips in the text of a table's
 * definition shows as "no such column" in a statement that is right; one in an
 * index, as a broken constraint.  Asked only after such an error, so it may
 * take its time.
 */
#include "store/store_private.h"

#include <string.h>

/* Has the file what the model has?  Both are sorted by name; what else the file
 * has, as a copy does, is no matter. */
static bool has_rows(sqlite3_stmt *is, sqlite3_stmt *should)
{
	enum { NAME, TYPE, TABLE, SQL, COLUMNS };
	const char *x, *y;
	int i, rc, order;

	while ((rc = sqlite3_step(should)) == SQLITE_ROW) {
		do {
			if (sqlite3_step(is) != SQLITE_ROW)
				return false;
			x = (const char *)sqlite3_column_text(is, NAME);
			y = (const char *)sqlite3_column_text(should, NAME);
			order = x && y ? strcmp(x, y) : 1;
		} while (order < 0);
		for (i = NAME; i < COLUMNS; i++) {
			x = (const char *)sqlite3_column_text(is, i);
			y = (const char *)sqlite3_column_text(should, i);
			if (!x || !y || strcmp(x, y) != 0)
				return false;
		}
	}
	return rc == SQLITE_DONE;
}

/* Are the definitions those that the migrations up to this file's version make?
 * True as well when that can't be found out, as of a version that is to come:
 * nothing is known then. */
static bool schema_is_ours(sqlite3 *db, int64_t version)
{
	static const char sql[] =
	    "SELECT name, type, tbl_name, sql FROM sqlite_schema "
	    "WHERE name NOT LIKE 'sqlite#_%' ESCAPE '#' ORDER BY name";
	const struct tw_migration *list;
	sqlite3_stmt *is = NULL, *should = NULL;
	sqlite3 *model = NULL;
	bool ours = true;
	size_t i, n;
	int rc;

	list = tw_store_migrations(&n);
	if (version > list[n - 1].version)
		return true;
	rc = sqlite3_open_v2(":memory:", &model, SQLITE_OPEN_READWRITE, NULL);
	for (i = 0; rc == SQLITE_OK && i < n && list[i].version <= version; i++)
		rc = sqlite3_exec(model, list[i].sql, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(model, sql, -1, &should, NULL);
	if (rc == SQLITE_OK)
		ours = sqlite3_prepare_v2(db, sql, -1, &is, NULL) == SQLITE_OK &&
		    has_rows(is, should);
	sqlite3_finalize(is);
	sqlite3_finalize(should);
	sqlite3_close(model);
	return ours;
}

/* The first column of a pragma's first row; valid until *st is finalized. */
static const char *ask(sqlite3 *db, const char *sql, sqlite3_stmt **st)
{
	if (sqlite3_prepare_v2(db, sql, -1, st, NULL) != SQLITE_OK ||
	    sqlite3_step(*st) != SQLITE_ROW)
		return NULL;
	return (const char *)sqlite3_column_text(*st, 0);
}

/* What is wrong with the file; NULL: nothing that is known. */
static const char *look(sqlite3 *db)
{
	sqlite3_stmt *st = NULL;
	const char *said, *found = NULL;
	int64_t version = 0;

	said = ask(db, "PRAGMA user_version", &st);
	if (said)
		version = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	if (version < 1)
		return NULL;
	if (!schema_is_ours(db, version))
		return W_("is damaged, or of another build of towerify");
	said = ask(db, "PRAGMA integrity_check(1)", &st);
	if (said && strcmp(said, "ok") != 0)
		found = W_("is damaged");
	sqlite3_finalize(st);
	return found;
}

const char *tw_store_damage(struct tw_store *s)
{
	if (!s->was_looked_at)
		s->damage = look(s->db);
	s->was_looked_at = true;
	return s->damage;
}
