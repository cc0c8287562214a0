/*
 * restore.c - a state directory from a backup; see backup.h
 *
 * The new state stands under another name until all of it is there and checked;
 * keys go to their places before, where they do no harm without a state.
 */
#include "store/backup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "store/backup_private.h"

static const char kept_sql[] =
    "SELECT name, bytes FROM kept WHERE name > ?1 ORDER BY name LIMIT 1";
static const char drop_sql[] = "DROP TABLE kept";
static const char id_sql[] =
    "PRAGMA application_id = 0x746f7772";	/* TW_STORE_APP_ID */

/* Names of files that a backup may hold: relative, without "..". */
static bool name_ok(const char *name)
{
	const char *p = name, *end;
	int depth = 0;

	for (;; p = end + 1) {
		end = strchrnul(p, '/');
		if (end == p || depth++ > TW_BACKUP_DEPTH ||
		    (end - p == 1 && p[0] == '.') ||
		    (end - p == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		if (!*end)
			return !tw_backup_leaves_out(name);
	}
}

/* The directories above path, below s->dir. */
static enum tw_status make_above(struct tw_store *s, char *path,
    struct tw_err *err)
{
	char *slash = path + strlen(s->dir) + 1;
	enum tw_status status = TW_OK;

	while (status == TW_OK && (slash = strchr(slash, '/'))) {
		*slash = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			status = tw_err_sys(err, TW_CONFIG, errno, "%s", path);
		if (status == TW_OK)
			status = tw_store_check_file(path, err);
		*slash++ = '/';
	}
	return status;
}

/* Is the file there with other bytes? */
static enum tw_status check_in_the_way(const char *path, const void *p,
    size_t n, bool *is_there, struct tw_err *err)
{
	struct tw_buf have = TW_BUF_INIT;
	enum tw_status status;
	struct stat st;

	*is_there = false;
	if (lstat(path, &st) < 0)
		return TW_OK;
	*is_there = true;
	have.is_secret = true;
	have.max = TW_BACKUP_FILE_MAX;
	status = tw_io_read_file(path, &have, err);
	if (status == TW_OK && (have.len != n ||
	    (n > 0 && memcmp(have.data, p, n) != 0)))
		status = tw_err_set(err, TW_NO, "%s: is there already, and "
		    "differs from what the backup holds", path);
	tw_buf_release(&have);
	return status;
}

static enum tw_status put_file(struct tw_store *s, const char *name,
    const void *p, size_t n, struct tw_err *err)
{
	enum tw_status status;
	bool is_there;
	char *path;

	if (!name_ok(name))
		return tw_err_set(err, TW_CONFIG, "the backup holds a file of "
		    "a name that can't be");
	if (asprintf(&path, "%s/%s", s->dir, name) < 0)
		return tw_err_nomem(err);
	status = make_above(s, path, err);
	if (status == TW_OK)
		status = check_in_the_way(path, p, n, &is_there, err);
	if (status == TW_OK && !is_there)
		status = tw_io_write_file(path, p, n, 0600, err);
	free(path);
	return status;
}

/* The file whose name follows *last, which becomes its name; TW_NO with *last
 * NULL: there is none. */
static enum tw_status put_next(struct tw_store *s, char **last,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;
	const void *p;
	size_t n;

	status = tw_stmt_get(s, kept_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_text(st, 1, *last);
	free(*last);
	*last = NULL;
	status = tw_stmt_step(st, err);
	if (status != TW_OK)
		return status;
	*last = strdup(tw_stmt_col_text(st, 0));
	p = tw_stmt_col_blob(st, 1, &n);
	status = *last ? put_file(s, *last, p, n, err) : tw_err_nomem(err);
	tw_stmt_reset(st);
	return status;
}

static enum tw_status put_files(struct tw_store *s, struct tw_err *err)
{
	enum tw_status status = TW_OK;
	char *last = strdup("");

	if (!last)
		return tw_err_nomem(err);
	while (status == TW_OK)
		status = put_next(s, &last, err);
	if (status == TW_NO && !last)
		status = tw_store_exec(s, drop_sql, err);
	free(last);
	return status;
}

struct restore {
	const char *path;
	enum tw_status (*settle)(struct tw_store *s, void *arg,
	    struct tw_err *err);
	void *arg;
	bool was_filled;
};

/* Copies the backup's pages into s, which is open and empty. */
static enum tw_status take_backup(struct tw_store *s, const char *path,
    struct tw_err *err)
{
	struct tw_store from = { .mode = TW_STORE_READ, .dir = s->dir };
	enum tw_status status;

	from.path = strdup(path);
	if (!from.path)
		return tw_err_nomem(err);
	status = tw_store_connect(&from, path, err);
	if (status == TW_OK)
		status = tw_store_check_header(&from, TW_BACKUP_APP_ID,
		    "backup", err);
	if (status == TW_OK)
		status = tw_backup_check_sum(path, err);
	if (status == TW_OK)
		status = tw_store_check(&from, err);
	if (status == TW_OK)
		status = tw_backup_pages(&from, s, err);
	status = tw_store_disconnect(&from, status, err);
	free(from.path);
	return status;
}

static enum tw_status fill_restored(struct tw_store *s, const char *path,
    void *arg, struct tw_err *err)
{
	const struct tw_migration *list;
	struct restore *r = arg;
	enum tw_status status;
	size_t n;

	r->was_filled = true;
	list = tw_store_migrations(&n);
	status = tw_store_connect_new(s, path, err);
	if (status == TW_OK)
		status = take_backup(s, r->path, err);
	if (status == TW_OK)
		status = tw_store_migrate(s, list, n, err);
	if (status == TW_OK)
		status = tw_store_begin(s, err);
	if (status == TW_OK)
		status = put_files(s, err);
	if (status == TW_OK)
		status = r->settle(s, r->arg, err);
	if (status == TW_OK)
		status = tw_store_exec(s, id_sql, err);
	if (status == TW_OK)
		status = tw_store_commit(s, err);
	if (status == TW_OK)
		status = tw_store_check(s, err);
	return tw_store_disconnect(s, status, err);
}

enum tw_status tw_store_restore(const char *dir, const char *path,
    enum tw_status (*settle)(struct tw_store *s, void *arg,
    struct tw_err *err), void *arg, struct tw_err *err)
{
	struct tw_store s = { .mode = TW_STORE_CREATE };
	struct restore r = { path, settle, arg, false };
	enum tw_status status;
	struct stat st;

	if (lstat(path, &st) < 0)
		return tw_err_sys(err, TW_CONFIG, errno, "%s", path);
	status = tw_store_prepare_dir(dir, TW_STORE_CREATE, &s.dir, err);
	if (status == TW_OK && asprintf(&s.path, "%s/%s", s.dir,
	    TW_STORE_FILE) < 0) {
		s.path = NULL;
		status = tw_err_nomem(err);
	}
	if (status == TW_OK)
		status = tw_store_create(&s, fill_restored, &r, err);
	if (status == TW_OK && !r.was_filled)
		status = tw_err_set(err, TW_NO,
		    "%s: there is a state here already", s.dir);
	free(s.dir);
	free(s.path);
	return status;
}
