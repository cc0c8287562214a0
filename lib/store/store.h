/*
 * store.h - the state directory and its one SQLite file
 *
 * Opens, checks and migrates state.db; transactions; prepared statements that
 * are kept by the address of their text.  Knows no table.  sqlite3.h is
 * included in lib/store alone.
 */
#ifndef TW_STORE_STORE_H
#define TW_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct tw_store;
struct tw_stmt;

enum tw_store_mode {
	TW_STORE_READ,		/* must exist; nothing is written */
	TW_STORE_WRITE,		/* must exist; migrated if older */
	TW_STORE_CREATE,	/* made if absent */
};

#define TW_STATE_SYSTEM "/var/lib/towerify"	/* of a packaged tower */
#define TW_STATE_SAID "cron.said"	/* bin/cron.c's note, below it */

/* Which directory holds the state (design.md section 4): dir if not NULL
 * (--state or TOWERIFY_STATE), else /var/lib/towerify where it exists, else
 * $XDG_STATE_HOME/towerify or ~/.local/state/towerify.  *home is true in the
 * last case: the first caller may become its administrator.  out is malloc'd.
 * TW_DENIED, with the sudo line to type as the hint, when /var/lib/towerify
 * belongs to somebody else (root becomes its owner: see tw_state_become). */
enum tw_status tw_state_dir(const char *dir, char **out, bool *home,
    struct tw_err *err);
/* Root becomes the directory's owner for good (setgroups, setgid, setuid)
 * when that is somebody else; nothing otherwise. */
enum tw_status tw_state_become(const char *dir, struct tw_err *err);
/* Has nobody begun a state there?  False where that can't be told, and where a
 * pass has been at work: a state that vanished was one. */
bool tw_state_is_unborn(const char *dir);

/* TW_CONFIG: not there (hint), not a directory of ours (owner, mode 0700,
 * symlink, hard links), not a towerify state (application_id), newer than this
 * program, corrupt, on NFS.  TW_AGAIN: busy, or the state is older and a runner
 * is active (so a runner opens first and takes its lock then).  The file is
 * untouched then.  After TW_STORE_READ nothing is written but the rollback of
 * what a killed writer left half done. */
enum tw_status tw_store_open(const char *dir, enum tw_store_mode mode,
    struct tw_store **out, struct tw_err *err);
void tw_store_close(struct tw_store *s);	/* rolls back; NULL is fine */
/* Absolute and without symbolic links; lives as long as the store. */
const char *tw_store_dir(const struct tw_store *s);
bool tw_store_can_write(const struct tw_store *s);
#define TW_STORE_BUSY_MS 10000	/* how long others may hold the state */
/* Another busy limit than that, in milliseconds. */
void tw_store_busy_limit(struct tw_store *s, int ms);

/* BEGIN IMMEDIATE … COMMIT.  begin: TW_AGAIN when others hold it for longer
 * than the busy limit (10 s).  Transactions do not nest: tw_store_in_tx().
 * A failed commit has rolled back. */
enum tw_status tw_store_begin(struct tw_store *s, struct tw_err *err);
enum tw_status tw_store_commit(struct tw_store *s, struct tw_err *err);
void tw_store_rollback(struct tw_store *s);
bool tw_store_in_tx(const struct tw_store *s);
/* Number of rows the last statement changed. */
int tw_store_changes(struct tw_store *s);
int64_t tw_store_last_id(struct tw_store *s);
/* PRAGMA integrity_check and foreign_key_check; TW_CONFIG with the first
 * complaint. */
enum tw_status tw_store_check(struct tw_store *s, struct tw_err *err);
/* Gives at most so many free pages back to the file system (incremental
 * vacuum), in a transaction of its own; *more: some are left. */
enum tw_status tw_store_trim(struct tw_store *s, int pages, bool *more,
    struct tw_err *err);

/* The statement for sql, which must be a static string (it is the key of the
 * cache): reset, bindings cleared, owned by the store. */
enum tw_status tw_stmt_get(struct tw_store *s, const char *sql,
    struct tw_stmt **out, struct tw_err *err);
/* Bindings count from 1; text and blob are copied; NULL binds NULL. */
void tw_stmt_int(struct tw_stmt *st, int i, int64_t v);
void tw_stmt_text(struct tw_stmt *st, int i, const char *v);
void tw_stmt_blob(struct tw_stmt *st, int i, const void *p, size_t n);
void tw_stmt_null(struct tw_stmt *st, int i);
/* An instant: 0 binds NULL. */
void tw_stmt_time(struct tw_stmt *st, int i, int64_t v);
/* TW_OK: a row stands ready.  TW_NO: done (and reset).  Else an error, reset:
 * TW_AGAIN busy; TW_CONFIG disk full, input/output error, file damaged;
 * TW_BUG a constraint that failed, wrong SQL. */
enum tw_status tw_stmt_step(struct tw_stmt *st, struct tw_err *err);
/* Runs a statement that gives no rows. */
enum tw_status tw_stmt_run(struct tw_stmt *st, struct tw_err *err);
void tw_stmt_reset(struct tw_stmt *st);
/* Columns count from 0; text is never NULL ("" for NULL) and lives until the
 * next step or reset, as does blob (NULL when empty). */
int64_t tw_stmt_col_int(struct tw_stmt *st, int c);
const char *tw_stmt_col_text(struct tw_stmt *st, int c);
const void *tw_stmt_col_blob(struct tw_stmt *st, int c, size_t *n);
bool tw_stmt_col_is_null(struct tw_stmt *st, int c);

/* The runner's lock: a kernel lock on DIR/run.lock, with a line of its own.
 * TW_AGAIN when another holds it (*age: milliseconds since it was touched).
 *
 * A limited runner, which does not look after all hosts, is asked to step aside
 * by one that does and waits for it, at most `wait` ms (0: it does not ask);
 * TW_WAITING when that was too short.  While somebody waits, no other limited
 * one gets the lock: TW_AGAIN. */
struct tw_runlock;
enum tw_status tw_runlock_take(const char *dir, bool is_limited, int64_t wait,
    struct tw_runlock **out, int64_t *age, struct tw_err *err);
/* Does somebody wait for this limited runner?  One system call. */
bool tw_runlock_is_asked(const struct tw_runlock *l);
/* Unlocks before tw_runlock_release(), which writes no note then. */
void tw_runlock_yield(struct tw_runlock *l);
void tw_runlock_touch(struct tw_runlock *l);
/* Writes the note that --status reads ("STARTED ENDED STATUS …"), unlocks. */
void tw_runlock_release(struct tw_runlock *l, const char *note);
/* The note of the last pass, malloc'd; *running when one holds the lock now. */
enum tw_status tw_runlock_note(const char *dir, char **note, bool *running,
    int64_t *age, struct tw_err *err);

#endif
