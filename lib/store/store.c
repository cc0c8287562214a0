/*
 * store.c - opening state.db, and transactions
 *
 * The journal is PERSIST with synchronous=FULL: a commit ends when the
 * journal's header has been zeroed and synced.  Five syncs a commit, as with
 * DELETE and EXTRA, but no directory changes.  1,000 small commits (two rows
 * and an index entry each; ext4 on a virtual disk, three runs) took
 *	PERSIST FULL	0.60 0.66 0.71 s
 *	DELETE EXTRA	0.72 0.88 0.87 s
 * WAL is out: before SQLite 3.51.3 one shared by several processes can
 * corrupt.
 *
 * A state for reading is opened read-write in SQLite's terms, with query_only:
 * no statement writes, but what a killed writer left half done (a hot journal)
 * is rolled back by whoever comes next, a reader too.
 *
 * A new state is made under another name and renamed when it is complete, so
 * state.db is never empty or half made, and an empty one is somebody's error.
 */
#include "store/store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER_LEN 100		/* of SQLite's file format, section 1.3 */
#define HEADER_WRITE_VERSION 18	/* 1: rollback journal, 2: WAL */
#define HEADER_APP_ID 68
#define HEADER_MAGIC "SQLite format 3"	/* with its NUL */

static const char new_suffix[] = ".new";

/* The journal file keeps its size between commits, up to the limit.  What is
 * erased is overwritten: secrets are. */
static const char pragmas[] =
    "PRAGMA journal_mode = PERSIST;"
    "PRAGMA journal_size_limit = 4194304;"
    "PRAGMA synchronous = FULL;"
    "PRAGMA foreign_keys = ON;"
    "PRAGMA secure_delete = ON;"
    "PRAGMA trusted_schema = OFF;"
    "PRAGMA cell_size_check = ON;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA cache_size = -16384;";	/* KiB: a filing for 10,000 hosts */

static const char pragmas_read[] = "PRAGMA query_only = ON;";

/* auto_vacuum must come before the first table. */
static const char pragmas_new[] =
    "PRAGMA journal_mode = MEMORY;"
    "PRAGMA synchronous = FULL;"
    "PRAGMA secure_delete = ON;"
    "PRAGMA auto_vacuum = INCREMENTAL;";

enum tw_status tw_store_connect(struct tw_store *s, const char *path,
    struct tw_err *err)
{
	int rc;

	rc = sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
	    SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE, NULL);
	if (rc != SQLITE_OK)
		return tw_store_fail(s, rc, err);
	/* where it can't, SQLite opens for reading without a word */
	if (sqlite3_db_readonly(s->db, "main") == 1) {
		if (access(path, W_OK) < 0)
			return tw_err_sys(err, TW_CONFIG, errno,
			    "%s: cannot be opened for writing", path);
		return tw_err_set(err, TW_CONFIG,
		    "%s: cannot be opened for writing", path);
	}
	sqlite3_busy_timeout(s->db, TW_STORE_BUSY_MS);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	return TW_OK;
}

static enum tw_status foreign(struct tw_store *s, const char *what,
    struct tw_err *err)
{
	return tw_err_set(err, TW_CONFIG, "%s: is not a tower's %s", s->path,
	    what);
}

/*
 * Is this a file of ours at all?  Read through SQLite's handle, because
 * closing a descriptor of our own would drop its locks, and before any
 * statement, because that might roll back a journal we have no business with.
 */
enum tw_status tw_store_check_header(struct tw_store *s, unsigned long app_id,
    const char *what, struct tw_err *err)
{
	unsigned char h[HEADER_LEN];
	sqlite3_file *file = NULL;
	sqlite3_int64 size = 0;
	unsigned long id;
	int rc;

	rc = sqlite3_file_control(s->db, "main", SQLITE_FCNTL_FILE_POINTER,
	    &file);
	if (rc != SQLITE_OK || !file || !file->pMethods)
		return tw_err_set(err, TW_BUG, "%s: no file handle", s->path);
	rc = file->pMethods->xFileSize(file, &size);
	if (rc != SQLITE_OK)
		return tw_store_fail(s, rc, err);
	if (size == 0)
		return tw_err_set(err, TW_CONFIG, "%s: is empty, not a "
		    "tower's %s", s->path, what);
	if (size < HEADER_LEN)
		return foreign(s, what, err);
	rc = file->pMethods->xRead(file, h, sizeof h, 0);
	if (rc != SQLITE_OK)
		return tw_store_fail(s, rc, err);
	id = (unsigned long)h[HEADER_APP_ID] << 24 |
	    (unsigned long)h[HEADER_APP_ID + 1] << 16 |
	    (unsigned long)h[HEADER_APP_ID + 2] << 8 | h[HEADER_APP_ID + 3];
	if (memcmp(h, HEADER_MAGIC, sizeof HEADER_MAGIC) != 0 ||
	    id != app_id)
		return foreign(s, what, err);
	if (h[HEADER_WRITE_VERSION] != 1)
		return tw_err_set(err, TW_CONFIG, "%s: was switched to a "
		    "journal mode that is not safe here (WAL)", s->path);
	return TW_OK;
}

/*
 * Is the last page whole?  SQLite itself reads one that was cut as if zeros
 * followed, and goes on.  Asked with a lock that keeps writers out, after what
 * a killed one left was rolled back.
 */
static enum tw_status check_size(struct tw_store *s, struct tw_err *err)
{
	sqlite3_file *file = NULL;
	sqlite3_int64 size = 0;
	enum tw_status status;
	int64_t page = 0, n;
	int rc = SQLITE_OK;

	status = tw_store_exec(s, "BEGIN", err);
	if (status != TW_OK)
		return status;
	status = tw_store_pragma(s, "PRAGMA page_size", &page, err);
	/* reads the file, and so takes the lock */
	if (status == TW_OK)
		status = tw_store_pragma(s, "PRAGMA user_version", &n, err);
	if (status == TW_OK)
		rc = sqlite3_file_control(s->db, "main",
		    SQLITE_FCNTL_FILE_POINTER, &file);
	if (status == TW_OK && rc == SQLITE_OK)
		rc = file->pMethods->xFileSize(file, &size);
	if (status == TW_OK && rc != SQLITE_OK)
		status = tw_store_fail(s, rc, err);
	if (status == TW_OK && page > 0 && size % page != 0)
		status = tw_err_set(err, TW_CONFIG, "%s: is damaged: its end "
		    "is missing", s->path);
	tw_store_exec(s, "COMMIT", NULL);
	return status;
}

enum tw_status tw_store_connect_new(struct tw_store *s, const char *path,
    struct tw_err *err)
{
	enum tw_status status = tw_store_connect(s, path, err);

	return status == TW_OK ? tw_store_exec(s, pragmas_new, err) : status;
}

enum tw_status tw_store_disconnect(struct tw_store *s, enum tw_status status,
    struct tw_err *err)
{
	tw_store_rollback(s);
	tw_stmt_free_all(s);
	if (sqlite3_close(s->db) != SQLITE_OK && status == TW_OK)
		status = tw_err_set(err, TW_BUG, "%s: cannot close", s->path);
	s->db = NULL;
	return status;
}

/* The schema, version by version. */
static enum tw_status fill_new(struct tw_store *s, const char *path, void *arg,
    struct tw_err *err)
{
	const struct tw_migration *list;
	enum tw_status status;
	size_t i, n;

	(void)arg;
	list = tw_store_migrations(&n);
	status = tw_store_connect_new(s, path, err);
	for (i = 0; status == TW_OK && i < n; i++) {
		status = tw_store_begin(s, err);
		if (status == TW_OK)
			status = tw_store_apply(s, &list[i], err);
		if (status == TW_OK)
			status = tw_store_commit(s, err);
		else
			tw_store_rollback(s);
	}
	return tw_store_disconnect(s, status, err);
}

enum tw_status tw_store_make_file(const char *path, struct tw_err *err)
{
	enum tw_status status = TW_OK;
	int fd;

	if (unlink(path) < 0 && errno != ENOENT)
		return tw_err_sys(err, TW_CONFIG, errno, "%s", path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (fd < 0 || fchmod(fd, 0600) < 0)
		status = tw_err_sys(err, TW_CONFIG, errno, "%s", path);
	if (fd >= 0)
		close(fd);
	return status;
}

/* The directory is locked: makes PATH.new, fills it, renames it. */
static enum tw_status create_locked(struct tw_store *s, tw_store_fill *fill,
    void *arg, struct tw_err *err)
{
	enum tw_status status;
	char *path;

	if (asprintf(&path, "%s%s", s->path, new_suffix) < 0)
		return tw_err_nomem(err);
	status = tw_store_make_file(path, err);
	if (status != TW_OK)
		goto out;
	status = fill(s, path, arg, err);
	if (status == TW_OK && rename(path, s->path) < 0)
		status = tw_err_sys(err, TW_CONFIG, errno, "%s", s->path);
	if (status == TW_OK)
		status = tw_store_sync_dir(s->dir, err);
	else
		unlink(path);
out:
	free(path);
	return status;
}

/* An old journal beside a new file would be played back into it. */
static enum tw_status check_no_journal(struct tw_store *s, struct tw_err *err)
{
	enum tw_status status = TW_OK;
	struct stat st;
	char *path;

	if (asprintf(&path, "%s-journal", s->path) < 0)
		return tw_err_nomem(err);
	if (lstat(path, &st) == 0) {
		status = tw_err_set(err, TW_CONFIG,
		    "%s: is missing, but its journal is there", s->path);
		tw_err_hint(err, "put the file back, or move %s away", path);
	}
	free(path);
	return status;
}

/* Two may come at once: the kernel's lock on the directory lets one make the
 * file, and the other finds it. */
enum tw_status tw_store_create(struct tw_store *s, tw_store_fill *fill,
    void *arg, struct tw_err *err)
{
	enum tw_status status = TW_OK;
	struct stat st;
	int fd;

	fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return tw_err_sys(err, TW_CONFIG, errno, "%s", s->dir);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR) {
			status = tw_err_sys(err, TW_CONFIG, errno,
			    "%s: cannot lock", s->dir);
			goto out;
		}
	if (lstat(s->path, &st) == 0)
		goto out;
	status = check_no_journal(s, err);
	if (status == TW_OK)
		status = create_locked(s, fill, arg, err);
out:
	close(fd);
	return status;
}

/* Makes the file if told to, and checks it from outside. */
static enum tw_status prepare_file(struct tw_store *s, struct tw_err *err)
{
	enum tw_status status;
	struct stat st;

	if (lstat(s->path, &st) < 0 && errno == ENOENT) {
		if (s->mode != TW_STORE_CREATE) {
			tw_err_set(err, TW_CONFIG,
			    "%s: there is no state here yet", s->dir);
			tw_err_hint(err, "`towerify-host add` makes it");
			return TW_CONFIG;
		}
		status = tw_store_create(s, fill_new, NULL, err);
		if (status != TW_OK)
			return status;
	}
	status = tw_store_check_file(s->path, err);
	if (status == TW_OK && lstat(s->path, &st) == 0 &&
	    !S_ISREG(st.st_mode))
		status = tw_err_set(err, TW_CONFIG, "%s: is not a file",
		    s->path);
	return status;
}

enum tw_status tw_store_open(const char *dir, enum tw_store_mode mode,
    struct tw_store **out, struct tw_err *err)
{
	const struct tw_migration *list;
	enum tw_status status;
	struct tw_store *s;
	size_t n;

	*out = NULL;
	s = calloc(1, sizeof *s);
	if (!s)
		return tw_err_nomem(err);
	s->mode = mode;
	status = tw_store_prepare_dir(dir, mode, &s->dir, err);
	if (status != TW_OK)
		goto out;
	if (asprintf(&s->path, "%s/%s", s->dir, TW_STORE_FILE) < 0) {
		s->path = NULL;
		status = tw_err_nomem(err);
		goto out;
	}
	status = prepare_file(s, err);
	if (status == TW_OK)
		status = tw_store_connect(s, s->path, err);
	if (status == TW_OK)
		status = tw_store_check_header(s, TW_STORE_APP_ID, "state", err);
	if (status == TW_OK)
		status = tw_store_exec(s, pragmas, err);
	if (status == TW_OK)
		status = check_size(s, err);
	if (status == TW_OK) {
		list = tw_store_migrations(&n);
		status = tw_store_migrate(s, list, n, err);
	}
	if (status == TW_OK && mode == TW_STORE_READ)
		status = tw_store_exec(s, pragmas_read, err);
out:
	if (status == TW_OK)
		*out = s;
	else
		tw_store_close(s);
	return status;
}

void tw_store_close(struct tw_store *s)
{
	if (!s)
		return;
	tw_store_rollback(s);
	tw_stmt_free_all(s);
	sqlite3_close(s->db);
	free(s->dir);
	free(s->path);
	free(s);
}

const char *tw_store_dir(const struct tw_store *s)
{
	return s->dir;
}

bool tw_store_can_write(const struct tw_store *s)
{
	return s->mode != TW_STORE_READ;
}

void tw_store_busy_limit(struct tw_store *s, int ms)
{
	sqlite3_busy_timeout(s->db, ms);
}

/* --- transactions ------------------------------------------------------ */

enum tw_status tw_store_begin(struct tw_store *s, struct tw_err *err)
{
	enum tw_status status;

	if (s->in_tx)
		return tw_err_set(err, TW_BUG,
		    "%s: a transaction within another", s->path);
	if (s->mode == TW_STORE_READ)
		return tw_err_set(err, TW_BUG,
		    "%s: was opened for reading", s->path);
	status = tw_store_exec(s, "BEGIN IMMEDIATE", err);
	if (status == TW_OK)
		s->in_tx = true;
	return status;
}

enum tw_status tw_store_commit(struct tw_store *s, struct tw_err *err)
{
	enum tw_status status;

	if (!s->in_tx)
		return tw_err_set(err, TW_BUG,
		    "%s: no transaction to commit", s->path);
	if (sqlite3_get_autocommit(s->db))
		status = tw_err_set(err, TW_CONFIG,
		    "%s: the transaction was rolled back after an error",
		    s->path);
	else
		status = tw_store_exec(s, "COMMIT", err);
	if (status == TW_OK)
		s->in_tx = false;
	else
		tw_store_rollback(s);
	return status;
}

void tw_store_rollback(struct tw_store *s)
{
	/* After some errors SQLite has done it already.  Should this fail the
	 * journal stays hot, and whoever comes next rolls back. */
	if (s->in_tx && !sqlite3_get_autocommit(s->db))
		(void)tw_store_exec(s, "ROLLBACK", NULL);
	s->in_tx = false;
}

bool tw_store_in_tx(const struct tw_store *s)
{
	return s->in_tx;
}

int tw_store_changes(struct tw_store *s)
{
	return sqlite3_changes(s->db);
}

int64_t tw_store_last_id(struct tw_store *s)
{
	return sqlite3_last_insert_rowid(s->db);
}
