/*
 * backup.c - the state directory in one file, and back; see backup.h
 *
 * What others write while pages are copied makes SQLite begin again.  A few
 * times that is fine; then the rest is copied under one lock.
 */
#include "store/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "store/backup_private.h"

#define PIECE 256			/* pages copied under one lock */
#define PIECE_PAUSE 5			/* milliseconds for others, between */
#define STARTS_MAX 4			/* beginnings before all in one go */

static const char part_suffix[] = ".part";

/* What is no part of a backup: the state itself, what a pass keeps, what can be
 * fetched again, backups on their way out. */
static const char *const left_out[] = {
	TW_STORE_FILE, TW_STORE_FILE "-journal", TW_STORE_FILE ".new",
	TW_STORE_LOCK, TW_STATE_SAID, "cache", TW_BACKUP_DIR,
};

/* --- pages ---------------------------------------------------------------- */

enum tw_status tw_backup_pages(struct tw_store *from, struct tw_store *to,
    struct tw_err *err)
{
	int rc, last = -1, left, starts = 1, busy = 0;
	sqlite3_backup *b;

	b = sqlite3_backup_init(to->db, "main", from->db, "main");
	if (!b)
		return tw_store_fail(to, sqlite3_extended_errcode(to->db), err);
	do {
		rc = sqlite3_backup_step(b, starts > STARTS_MAX ? -1 : PIECE);
		left = sqlite3_backup_remaining(b);
		if (last >= 0 && left > last)
			starts++;
		last = left;
		if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
			busy += PIECE_PAUSE;
		if (rc != SQLITE_DONE)
			sqlite3_sleep(PIECE_PAUSE);
	} while (rc == SQLITE_OK || ((rc == SQLITE_BUSY ||
	    rc == SQLITE_LOCKED) && busy < TW_STORE_BUSY_MS));
	sqlite3_backup_finish(b);
	if (rc == SQLITE_DONE)
		return TW_OK;
	return tw_store_fail((rc & 0xff) == SQLITE_BUSY ? from : to, rc, err);
}

/* --- the other files -------------------------------------------------------- */

static const char kept_table[] =
    "CREATE TABLE kept ("
    "    name TEXT PRIMARY KEY,"	/* below the state directory */
    "    bytes BLOB NOT NULL"
    ") STRICT";
static const char keep_sql[] =
    "INSERT INTO kept (name, bytes) VALUES (?1, ?2)";
static const char id_sql[] =
    "PRAGMA application_id = 0x746f7762";	/* TW_BACKUP_APP_ID */

bool tw_backup_leaves_out(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof left_out / sizeof *left_out; i++)
		if (strcmp(name, left_out[i]) == 0)
			return true;
	return false;
}

static enum tw_status insert_file(struct tw_store *copy, const char *name,
    struct tw_buf *bytes, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(copy, keep_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_text(st, 1, name);
	tw_stmt_blob(st, 2, tw_buf_str(bytes), bytes->len);
	return tw_stmt_run(st, err);
}

/* What a backup can't hold is no backup without it. */
static enum tw_status refuse_entry(const char *path, mode_t mode,
    struct tw_err *err)
{
	tw_err_set(err, TW_CONFIG, "%s: %s, which a backup does not hold", path,
	    S_ISLNK(mode) ? W_("is a symbolic link") :
	    S_ISDIR(mode) ? W_("is a directory too deep down") :
	    W_("is neither file nor directory"));
	tw_err_hint(err, "move it out of the state directory");
	return TW_CONFIG;
}

static enum tw_status keep_files(struct tw_store *copy, const char *dir,
    const char *below, int depth, struct tw_err *err);

/* dir/name, whatever it is.  What is gone by now was on its way: passed over. */
static enum tw_status keep_entry(struct tw_store *copy, const char *dir,
    const char *name, int depth, struct tw_err *err)
{
	struct tw_buf bytes = { .max = TW_BACKUP_FILE_MAX, .is_secret = true };
	enum tw_status status;
	bool is_there;
	struct stat st;
	char *path;
	int fd = -1;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return tw_err_nomem(err);
	is_there = lstat(path, &st) == 0;
	if (is_there && S_ISREG(st.st_mode)) {
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		is_there = fd >= 0;
	}
	if (!is_there)
		status = errno == ENOENT ? TW_OK : tw_err_sys(err, TW_CONFIG,
		    errno, "%s", path);
	else if (S_ISDIR(st.st_mode) && depth < TW_BACKUP_DEPTH)
		status = keep_files(copy, dir, name, depth + 1, err);
	else if (fd < 0)
		status = refuse_entry(path, st.st_mode, err);
	else
		status = tw_io_read_fd(fd, path, &bytes, err);
	if (status == TW_OK && fd >= 0)
		status = insert_file(copy, name, &bytes, err);
	if (fd >= 0)
		close(fd);
	tw_buf_release(&bytes);
	free(path);
	return status;
}

/* All files below dir/below ("" at the top). */
static enum tw_status keep_files(struct tw_store *copy, const char *dir,
    const char *below, int depth, struct tw_err *err)
{
	enum tw_status status = TW_OK;
	struct dirent *e;
	char *path, *name;
	DIR *d;

	if (asprintf(&path, "%s/%s", dir, below) < 0)
		return tw_err_nomem(err);
	d = opendir(path);
	if (!d && (errno != ENOENT || !*below))
		status = tw_err_sys(err, TW_CONFIG, errno, "%s", path);
	while (status == TW_OK && d && (errno = 0, e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0 ||
		    (!*below && tw_backup_leaves_out(e->d_name)))
			continue;
		if (asprintf(&name, "%s%s%s", below, *below ? "/" : "",
		    e->d_name) < 0) {
			status = tw_err_nomem(err);
			break;
		}
		status = keep_entry(copy, dir, name, depth, err);
		free(name);
	}
	if (status == TW_OK && d && errno)
		status = tw_err_sys(err, TW_CONFIG, errno, "%s", path);
	if (d)
		closedir(d);
	free(path);
	return status;
}

/* --- making one -------------------------------------------------------------- */

static enum tw_status fill_backup(struct tw_store *s, struct tw_store *copy,
    struct tw_err *err)
{
	enum tw_status status;

	status = tw_store_connect_new(copy, copy->path, err);
	if (status == TW_OK)
		status = tw_backup_pages(s, copy, err);
	if (status == TW_OK)
		status = tw_store_check(copy, err);
	if (status == TW_OK)
		status = tw_store_begin(copy, err);
	if (status != TW_OK)
		return tw_store_disconnect(copy, status, err);
	status = tw_store_exec(copy, kept_table, err);
	if (status == TW_OK)
		status = keep_files(copy, s->dir, "", 0, err);
	if (status == TW_OK)
		status = tw_store_exec(copy, id_sql, err);
	if (status == TW_OK)
		status = tw_store_commit(copy, err);
	return tw_store_disconnect(copy, status, err);
}

/* The directory that path stands in, malloc'd. */
static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* A backup among what is backed up would be in the next one. */
static enum tw_status check_place(struct tw_store *s, const char *dir,
    struct tw_err *err)
{
	size_t n = strlen(s->dir), m = sizeof TW_BACKUP_DIR - 1;
	enum tw_status status = TW_OK;
	char *real = realpath(dir, NULL);

	if (!real)
		return tw_err_sys(err, TW_CONFIG, errno, "%s", dir);
	if (strncmp(real, s->dir, n) == 0 && (!real[n] || real[n] == '/') &&
	    !(real[n] && strncmp(real + n + 1, TW_BACKUP_DIR, m) == 0 &&
	    !real[n + 1 + m]))
		status = tw_err_set(err, TW_NO, "%s: a backup can't be kept "
		    "in the state directory itself", dir);
	free(real);
	return status;
}

enum tw_status tw_store_backup(struct tw_store *s, const char *path,
    struct tw_err *err)
{
	struct tw_store copy = { .mode = TW_STORE_CREATE, .dir = s->dir };
	enum tw_status status = TW_OK;
	char *dir = directory_of(path);
	struct stat st;

	if (!dir || asprintf(&copy.path, "%s%s", path, part_suffix) < 0) {
		free(dir);
		return tw_err_nomem(err);
	}
	if (lstat(path, &st) == 0)
		status = tw_err_set(err, TW_NO, "%s: is there already", path);
	if (status == TW_OK)
		status = check_place(s, dir, err);
	if (status == TW_OK)
		status = tw_store_make_file(copy.path, err);
	if (status != TW_OK)
		goto out;
	status = fill_backup(s, &copy, err);
	if (status == TW_OK)
		status = tw_backup_add_sum(copy.path, err);
	if (status == TW_OK && rename(copy.path, path) < 0)
		status = tw_err_sys(err, TW_CONFIG, errno, "%s", path);
	if (status == TW_OK)
		status = tw_store_sync_dir(dir, err);
	else
		unlink(copy.path);
out:
	free(copy.path);
	free(dir);
	return status;
}
