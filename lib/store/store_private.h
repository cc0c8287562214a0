/*
 * store_private.h - what the files of lib/store share; nobody else includes
 *                   it, but for the tests of lib/store
 */
#ifndef TW_STORE_PRIVATE_H
#define TW_STORE_PRIVATE_H

#include <sqlite3.h>

#include "store/store.h"

#define TW_STORE_FILE "state.db"
#define TW_STORE_LOCK "run.lock"
#define TW_STORE_APP_ID 0x746f7772	/* "towr"; 0001.sql sets the same */

struct tw_stmt {
	struct tw_store *store;
	sqlite3_stmt *st;
	const char *sql;	/* the key, by address */
	int bind_rc;		/* the first binding that failed */
};

struct tw_store {
	sqlite3 *db;
	char *dir;		/* absolute, without symbolic links */
	char *path;		/* of the file, for messages */
	enum tw_store_mode mode;
	bool in_tx;		/* begin was called, commit not yet */
	bool was_looked_at;	/* by tw_store_damage(), which said damage */
	const char *damage;
	struct tw_stmt **stmts;	/* hash table by address; NULL: free */
	size_t nstmts, cap;	/* cap is a power of two, or 0 */
};

struct tw_migration {		/* in ascending order of version */
	int version;
	const char *sql;	/* sets user_version itself, at its end */
};

/* The migrations compiled in; *n is their number. */
const struct tw_migration *tw_store_migrations(size_t *n);

/* Brings the state to the last version of list.  TW_CONFIG: it is newer than
 * that, or older and the store was opened for reading.  TW_AGAIN: it is older
 * and a runner is active. */
enum tw_status tw_store_migrate(struct tw_store *s,
    const struct tw_migration *list, size_t n, struct tw_err *err);

/* Runs a migration's statements in the transaction that is open. */
enum tw_status tw_store_apply(struct tw_store *s, const struct tw_migration *m,
    struct tw_err *err);

/* Fills err for an SQLite result code; see tw_stmt_step() for the statuses. */
enum tw_status tw_store_fail(struct tw_store *s, int rc, struct tw_err *err);
/* Has the open file been changed by others than SQLite?  Static text that says
 * what it is, or NULL.  Asked when a statement that is right fails; reads all of
 * the file, so only once while it is open. */
const char *tw_store_damage(struct tw_store *s);
/* Runs static text that gives no rows or whose rows don't matter. */
enum tw_status tw_store_exec(struct tw_store *s, const char *sql,
    struct tw_err *err);
/* The single integer that a static pragma gives. */
enum tw_status tw_store_pragma(struct tw_store *s, const char *sql,
    int64_t *out, struct tw_err *err);

/* Opens a file that exists; s->db is NULL before.  _new: one that nobody else
 * knows yet and that is thrown away when it breaks. */
enum tw_status tw_store_connect(struct tw_store *s, const char *path,
    struct tw_err *err);
enum tw_status tw_store_connect_new(struct tw_store *s, const char *path,
    struct tw_err *err);
/* Rolls back, closes; the status to return. */
enum tw_status tw_store_disconnect(struct tw_store *s, enum tw_status status,
    struct tw_err *err);
/* Is the open file one of ours ("state", "backup")?  TW_CONFIG: no. */
enum tw_status tw_store_check_header(struct tw_store *s, unsigned long app_id,
    const char *what, struct tw_err *err);
/* An empty file, 0600, in place of one that may be there. */
enum tw_status tw_store_make_file(const char *path, struct tw_err *err);

/* Fills the empty file path; s->db is NULL before and after. */
typedef enum tw_status tw_store_fill(struct tw_store *s, const char *path,
    void *arg, struct tw_err *err);
/* Makes s->path, whose directory is there: under another name first, renamed when
 * fill is done.  Another who does it at the same time is waited for.  TW_OK
 * without fill being called: it is there already. */
enum tw_status tw_store_create(struct tw_store *s, tw_store_fill *fill,
    void *arg, struct tw_err *err);

void tw_stmt_free_all(struct tw_store *s);

/* The directory's half of tw_store_open(): makes it when mode says so, checks
 * it; *out is its absolute path, malloc'd. */
enum tw_status tw_store_prepare_dir(const char *dir, enum tw_store_mode mode,
    char **out, struct tw_err *err);
/* Owner, mode, kind and links of a file or directory just examined. */
enum tw_status tw_store_check_file(const char *path, struct tw_err *err);
/* fsync of a directory. */
enum tw_status tw_store_sync_dir(const char *dir, struct tw_err *err);

/* tw_state_dir() with the system's directory as an argument. */
enum tw_status tw_state_dir_from(const char *system, const char *dir,
    char **out, bool *home, struct tw_err *err);

#endif
