/*
 * test_store.c - the state's file: made, refused, recovered, shared
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/io.h"
#include "store/store_private.h"

static char root[256];		/* the work directory of a test */
static char dir[300];		/* the state, not made yet */
static char file[400];		/* its state.db */
static struct tw_err err;

static void setup(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(root, sizeof root, "%s/towerify-store.XXXXXX",
	    tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(root));
	snprintf(dir, sizeof dir, "%s/state", root);
	snprintf(file, sizeof file, "%s/state.db", dir);
	memset(&err, 0, sizeof err);
}

static void teardown(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		execlp("rm", "rm", "-rf", root, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

#define OK(call) ck_assert_msg((call) == TW_OK, "%s", err.msg)

static struct tw_store *create(void)
{
	struct tw_store *s;

	OK(tw_store_open(dir, TW_STORE_CREATE, &s, &err));
	return s;
}

static void make(void)
{
	tw_store_close(create());
}

/* Runs SQL on the file behind the library's back. */
static void raw(const char *path, const char *sql)
{
	char *msg = NULL;
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, &msg) == SQLITE_OK,
	    "%s", msg ? msg : "?");
	sqlite3_close(db);
}

static int64_t count(struct tw_store *s, const char *sql)
{
	int64_t n = -1;

	OK(tw_store_pragma(s, sql, &n, &err));
	return n;
}

/* The SHA-256 of a file's bytes, or "" when there is none. */
static void digest(const char *path, char out[TW_SHA256_HEX])
{
	struct tw_buf b = TW_BUF_INIT;

	out[0] = '\0';
	if (access(path, F_OK) != 0)
		return;
	OK(tw_io_read_file(path, &b, &err));
	tw_sha256_hex(b.data, b.len, out);
	tw_buf_release(&b);
}

static void write_file(const char *path, const char *text)
{
	OK(tw_io_write_file(path, text, strlen(text), 0600, &err));
}

/* Opening in each mode fails so, and leaves the file as it was. */
static void refuse(enum tw_status want, const char *message)
{
	static const enum tw_store_mode modes[] = {
		TW_STORE_READ, TW_STORE_WRITE, TW_STORE_CREATE,
	};
	char before[TW_SHA256_HEX], after[TW_SHA256_HEX];
	struct tw_store *s;
	size_t i;

	for (i = 0; i < 3; i++) {
		digest(file, before);
		err.msg[0] = '\0';
		ck_assert_int_eq(tw_store_open(dir, modes[i], &s, &err),
		    want);
		ck_assert_ptr_null(s);
		ck_assert_msg(strstr(err.msg, message) != NULL,
		    "'%s' in '%s'", message, err.msg);
		digest(file, after);
		ck_assert_str_eq(before, after);
	}
}

/* --- making ------------------------------------------------------------ */

START_TEST(a_new_state_is_ours_alone_and_sound)
{
	mode_t old = umask(0);
	char path[500];
	struct tw_store *s;
	struct stat st;

	s = create();
	umask(old);
	ck_assert_int_eq(stat(dir, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(stat(file, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	snprintf(path, sizeof path, "%s.new", file);
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert_int_eq(count(s, "PRAGMA application_id"), TW_STORE_APP_ID);
	ck_assert_int_eq(count(s, "PRAGMA user_version"), 1);
	ck_assert_int_eq(count(s, "PRAGMA auto_vacuum"), 2);
	ck_assert_int_eq(count(s, "PRAGMA foreign_keys"), 1);
	ck_assert_int_eq(count(s, "PRAGMA trusted_schema"), 0);
	ck_assert_int_eq(count(s, "PRAGMA synchronous"), 2);
	OK(tw_store_check(s, &err));
	tw_store_close(s);
}
END_TEST

START_TEST(a_umask_of_everything_does_no_harm)
{
	mode_t old = umask(0777);
	struct stat st;

	make();
	umask(old);
	ck_assert_int_eq(stat(dir, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(stat(file, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
}
END_TEST

START_TEST(what_is_committed_is_there_after_reopening)
{
	struct tw_store *s = create();
	struct tw_stmt *st;

	OK(tw_store_begin(s, &err));
	OK(tw_stmt_get(s, "INSERT INTO org (name, created) VALUES (?1, 1)",
	    &st, &err));
	tw_stmt_text(st, 1, "acme");
	OK(tw_stmt_run(st, &err));
	OK(tw_store_commit(s, &err));
	OK(tw_store_begin(s, &err));
	tw_stmt_text(st, 1, "lost");
	OK(tw_stmt_run(st, &err));
	tw_store_close(s);		/* rolls back */
	OK(tw_store_open(dir, TW_STORE_READ, &s, &err));
	ck_assert_int_eq(count(s, "SELECT count(*) FROM org"), 1);
	tw_store_close(s);
}
END_TEST

START_TEST(only_create_makes_a_state)
{
	struct tw_store *s;

	ck_assert_int_eq(tw_store_open(dir, TW_STORE_READ, &s, &err),
	    TW_CONFIG);
	ck_assert_ptr_nonnull(strstr(err.msg, "there is no state here yet"));
	ck_assert_int_eq(tw_store_open(dir, TW_STORE_WRITE, &s, &err),
	    TW_CONFIG);
	ck_assert_int_ne(access(dir, F_OK), 0);
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	ck_assert_int_eq(tw_store_open(dir, TW_STORE_WRITE, &s, &err),
	    TW_CONFIG);
	ck_assert_int_ne(access(file, F_OK), 0);
}
END_TEST

START_TEST(many_processes_may_create_at_once)
{
	struct tw_store *s;
	int i, status;
	pid_t pid;

	for (i = 0; i < 6; i++) {
		pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid == 0)
			_exit(tw_store_open(dir, TW_STORE_CREATE, &s, &err));
	}
	for (i = 0; i < 6; i++) {
		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	make();
}
END_TEST

START_TEST(a_left_over_of_a_killed_creation_is_replaced)
{
	char path[500];

	ck_assert_int_eq(mkdir(dir, 0700), 0);
	snprintf(path, sizeof path, "%s.new", file);
	write_file(path, "half");
	make();
	ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

/* --- refusing ---------------------------------------------------------- */

START_TEST(a_newer_version_is_refused)
{
	make();
	raw(file, "PRAGMA user_version = 99");
	refuse(TW_CONFIG, "is of version 99, this program knows up to 1");
}
END_TEST

START_TEST(a_database_of_another_program_is_refused)
{
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	raw(file, "CREATE TABLE t (x); PRAGMA application_id = 7");
	ck_assert_int_eq(chmod(file, 0600), 0);
	refuse(TW_CONFIG, "is not a tower's state");
}
END_TEST

START_TEST(a_journal_of_another_program_is_not_played_back)
{
	char path[500], before[TW_SHA256_HEX], after[TW_SHA256_HEX];
	static const char hot[] =
	    "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7 and so on";

	ck_assert_int_eq(mkdir(dir, 0700), 0);
	raw(file, "CREATE TABLE t (x); PRAGMA application_id = 7");
	ck_assert_int_eq(chmod(file, 0600), 0);
	snprintf(path, sizeof path, "%s-journal", file);
	write_file(path, hot);
	digest(path, before);
	refuse(TW_CONFIG, "is not a tower's state");
	digest(path, after);
	ck_assert_str_eq(before, after);
}
END_TEST

START_TEST(an_empty_file_is_refused)
{
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	write_file(file, "");
	refuse(TW_CONFIG, "is empty, not a tower's state");
}
END_TEST

START_TEST(a_text_is_refused)
{
	char text[5000];

	ck_assert_int_eq(mkdir(dir, 0700), 0);
	write_file(file, "hello\n");
	refuse(TW_CONFIG, "is not a tower's state");
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	write_file(file, text);
	refuse(TW_CONFIG, "is not a tower's state");
}
END_TEST

START_TEST(a_truncated_file_is_refused)
{
	struct stat st;

	make();
	ck_assert_int_eq(stat(file, &st), 0);
	ck_assert_int_eq(truncate(file, st.st_size - 4096), 0);
	refuse(TW_CONFIG, "is damaged");
	ck_assert_int_eq(truncate(file, 4096), 0);
	refuse(TW_CONFIG, "is damaged");
	ck_assert_int_eq(truncate(file, 60), 0);
	refuse(TW_CONFIG, "is not a tower's state");
}
END_TEST

START_TEST(a_state_in_wal_mode_is_refused)
{
	make();
	raw(file, "PRAGMA journal_mode = WAL");
	refuse(TW_CONFIG, "(WAL)");
}
END_TEST

START_TEST(links_are_refused)
{
	char path[500];

	make();
	snprintf(path, sizeof path, "%s/second", root);
	ck_assert_int_eq(link(file, path), 0);
	refuse(TW_CONFIG, "has 2 hard links instead of one");
	ck_assert_int_eq(unlink(file), 0);
	ck_assert_int_eq(symlink(path, file), 0);
	refuse(TW_CONFIG, "is a symbolic link");
	ck_assert_int_eq(unlink(file), 0);
	ck_assert_int_eq(rename(path, file), 0);
	snprintf(path, sizeof path, "%s/real", root);
	ck_assert_int_eq(rename(dir, path), 0);
	ck_assert_int_eq(symlink("real", dir), 0);
	refuse(TW_CONFIG, "is a symbolic link");
	dir[strlen(dir) + 1] = '\0';	/* lstat alone would follow it now */
	dir[strlen(dir)] = '/';
	refuse(TW_CONFIG, "is a symbolic link");
}
END_TEST

START_TEST(what_others_may_open_is_refused)
{
	make();
	ck_assert_int_eq(chmod(file, 0640), 0);
	refuse(TW_CONFIG, "state.db: is open to others (mode 0640)");
	ck_assert_int_eq(chmod(file, 0600), 0);
	ck_assert_int_eq(chmod(dir, 0755), 0);
	refuse(TW_CONFIG, "state: is open to others (mode 0755)");
	ck_assert_ptr_nonnull(strstr(err.hint, "chmod go= "));
}
END_TEST

START_TEST(what_belongs_to_another_is_refused)
{
	if (geteuid() != 0) {
		fprintf(stderr, "SKIPPED %s: not root\n", __func__);
		return;
	}
	make();
	ck_assert_int_eq(chown(file, 65534, 65534), 0);
	refuse(TW_CONFIG, "belongs to another user (uid 65534)");
	ck_assert_int_eq(chown(file, 0, 0), 0);
	ck_assert_int_eq(chown(dir, 65534, 65534), 0);
	refuse(TW_CONFIG, "belongs to another user (uid 65534)");
}
END_TEST

START_TEST(a_journal_without_its_file_is_refused)
{
	struct tw_store *s;
	char path[500];

	make();
	snprintf(path, sizeof path, "%s-journal", file);
	write_file(path, "x");
	ck_assert_int_eq(unlink(file), 0);
	ck_assert_int_eq(tw_store_open(dir, TW_STORE_CREATE, &s, &err),
	    TW_CONFIG);
	ck_assert_ptr_nonnull(strstr(err.msg,
	    "is missing, but its journal is there"));
	ck_assert_int_ne(access(file, F_OK), 0);
}
END_TEST

START_TEST(a_damaged_page_is_found_by_check)
{
	struct tw_store *s;
	int fd;

	make();
	fd = open(file, O_RDWR);
	ck_assert_int_ge(fd, 0);
	/* the third page: behind the pointer map of auto_vacuum */
	ck_assert_int_eq(pwrite(fd, "\xff\xff\xff\xff\xff\xff\xff\xff", 8,
	    2 * 4096), 8);
	close(fd);
	OK(tw_store_open(dir, TW_STORE_READ, &s, &err));
	ck_assert_int_eq(tw_store_check(s, &err), TW_CONFIG);
	tw_store_close(s);
}
END_TEST

START_TEST(a_changed_definition_is_damage)
{
	static const char broken[] = "UPDATE sqlite_schema "
	    "SET sql = replace(sql, 'login', 'lugin') WHERE name = 'operator'";
	static const char sql[] = "SELECT login FROM operator";
	struct tw_store *s;
	struct tw_stmt *st;

	make();
	s = NULL;
	OK(tw_store_open(dir, TW_STORE_WRITE, &s, &err));
	ck_assert_int_eq(sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 0,
	    NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(s->db, "PRAGMA writable_schema = ON",
	    NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(s->db, broken, NULL, NULL, NULL),
	    SQLITE_OK);
	tw_store_close(s);
	OK(tw_store_open(dir, TW_STORE_READ, &s, &err));
	ck_assert_int_eq(tw_stmt_get(s, sql, &st, &err), TW_CONFIG);
	ck_assert_ptr_nonnull(strstr(err.msg, "is damaged, or of "
	    "another build of towerify: no such column"));
	tw_store_close(s);
}
END_TEST

START_TEST(a_wrong_statement_is_no_damage)
{
	static const char sql[] = "SELECT lugin FROM operator";
	struct tw_store *s;
	struct tw_stmt *st;

	make();
	OK(tw_store_open(dir, TW_STORE_READ, &s, &err));
	ck_assert_int_eq(tw_stmt_get(s, sql, &st, &err), TW_BUG);
	tw_store_close(s);
}
END_TEST

/* --- several processes ------------------------------------------------- */

/* A child that begins, writes, says so, and waits until told to commit. */
static pid_t writer(int said[2], int told[2], bool spill)
{
	struct tw_store *s;
	struct tw_stmt *st;
	pid_t pid;
	char c;
	int i;

	ck_assert_int_eq(pipe(said), 0);
	ck_assert_int_eq(pipe(told), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid)
		return pid;
	close(told[1]);
	if (tw_store_open(dir, TW_STORE_WRITE, &s, &err) != TW_OK)
		_exit(1);
	if (spill)
		tw_store_exec(s, "PRAGMA cache_size = 5", NULL);
	if (tw_store_begin(s, &err) != TW_OK ||
	    tw_stmt_get(s, "INSERT INTO org (name, created) VALUES (?1, "
	    "length(randomblob(9)))", &st, &err) != TW_OK)
		_exit(2);
	for (i = 0; i < (spill ? 20000 : 1); i++) {
		char name[40];

		snprintf(name, sizeof name, "org-%d-%d", i, (int)getpid());
		tw_stmt_text(st, 1, name);
		if (tw_stmt_run(st, &err) != TW_OK)
			_exit(3);
	}
	if (write(said[1], "x", 1) != 1 || read(told[0], &c, 1) != 1)
		_exit(4);
	_exit(tw_store_commit(s, &err));
}

START_TEST(a_second_writer_is_told_to_try_again)
{
	int said[2], told[2], status;
	struct tw_store *s, *reader;
	char c;
	pid_t pid;

	make();
	pid = writer(said, told, false);
	ck_assert_int_eq(read(said[0], &c, 1), 1);
	OK(tw_store_open(dir, TW_STORE_WRITE, &s, &err));
	tw_store_busy_limit(s, 0);
	ck_assert_int_eq(tw_store_begin(s, &err), TW_AGAIN);
	ck_assert_ptr_nonnull(strstr(err.msg,
	    "busy, another program is writing to it"));
	ck_assert(!tw_store_in_tx(s));
	/* readers are not disturbed */
	OK(tw_store_open(dir, TW_STORE_READ, &reader, &err));
	ck_assert_int_eq(count(reader, "SELECT count(*) FROM org"), 0);
	ck_assert_int_eq(write(told[1], "x", 1), 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(count(reader, "SELECT count(*) FROM org"), 1);
	OK(tw_store_begin(s, &err));
	OK(tw_store_commit(s, &err));
	tw_store_close(reader);
	tw_store_close(s);
}
END_TEST

START_TEST(a_killed_writer_is_rolled_back_by_a_reader)
{
	char before[TW_SHA256_HEX], after[TW_SHA256_HEX];
	int said[2], told[2], status;
	struct tw_store *s;
	char c;
	pid_t pid;

	make();
	digest(file, before);
	pid = writer(said, told, true);
	ck_assert_int_eq(read(said[0], &c, 1), 1);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	digest(file, after);
	ck_assert_str_ne(before, after);	/* it was half written */
	OK(tw_store_open(dir, TW_STORE_READ, &s, &err));
	ck_assert_int_eq(count(s, "SELECT count(*) FROM org"), 0);
	OK(tw_store_check(s, &err));
	tw_store_close(s);
	digest(file, after);
	ck_assert_str_eq(before, after);
}
END_TEST

START_TEST(a_reader_writes_nothing)
{
	char before[TW_SHA256_HEX], after[TW_SHA256_HEX];
	struct stat st, now;
	struct tw_store *s;
	struct tw_stmt *stmt;

	make();
	digest(file, before);
	ck_assert_int_eq(stat(file, &st), 0);
	OK(tw_store_open(dir, TW_STORE_READ, &s, &err));
	ck_assert(!tw_store_can_write(s));
	ck_assert_int_eq(tw_store_begin(s, &err), TW_BUG);
	OK(tw_stmt_get(s, "INSERT INTO org (name, created) VALUES ('x', 1)",
	    &stmt, &err));
	ck_assert_int_eq(tw_stmt_run(stmt, &err), TW_BUG);
	ck_assert_ptr_nonnull(strstr(err.msg, "opened for reading"));
	tw_store_close(s);
	digest(file, after);
	ck_assert_str_eq(before, after);
	ck_assert_int_eq(stat(file, &now), 0);
	ck_assert_int_eq(st.st_mtim.tv_nsec, now.st_mtim.tv_nsec);
}
END_TEST

/* Fills the file system that holds path, but for nothing. */
static void fill_disk(const char *path)
{
	static char block[4096];
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	while (write(fd, block, sizeof block) > 0)
		;
	ck_assert_int_eq(errno, ENOSPC);
	close(fd);
}

START_TEST(a_full_disk_fails_the_commit_and_nothing_else)
{
	struct tw_store *s;
	struct tw_stmt *st;
	enum tw_status status = TW_OK;
	char ballast[400];

	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", root, "tmpfs", 0, "size=2m,mode=0700") < 0) {
		fprintf(stderr, "SKIPPED %s: can't mount a tmpfs\n", __func__);
		return;
	}
	s = create();
	snprintf(ballast, sizeof ballast, "%s/ballast", root);
	fill_disk(ballast);
	OK(tw_stmt_get(s, "INSERT INTO content (hash, data) VALUES "
	    "(randomblob(32), zeroblob(100000))", &st, &err));
	status = tw_store_begin(s, &err);
	if (status == TW_OK)
		status = tw_stmt_run(st, &err);
	if (status == TW_OK)
		status = tw_store_commit(s, &err);
	ck_assert_int_eq(status, TW_CONFIG);
	ck_assert_msg(strstr(err.msg, "the disk is full") != NULL, "%s",
	    err.msg);
	tw_store_rollback(s);
	ck_assert_int_eq(count(s, "SELECT count(*) FROM content"), 0);
	OK(tw_store_check(s, &err));
	ck_assert_int_eq(unlink(ballast), 0);
	OK(tw_store_begin(s, &err));
	OK(tw_stmt_run(st, &err));
	OK(tw_store_commit(s, &err));
	ck_assert_int_eq(count(s, "SELECT count(*) FROM content"), 1);
	tw_store_close(s);
	umount2(root, MNT_DETACH);
}
END_TEST

/* --- statements and transactions --------------------------------------- */

START_TEST(transactions_do_not_nest)
{
	struct tw_store *s = create();

	OK(tw_store_begin(s, &err));
	ck_assert_int_eq(tw_store_begin(s, &err), TW_BUG);
	tw_store_rollback(s);
	ck_assert_int_eq(tw_store_commit(s, &err), TW_BUG);
	tw_store_close(s);
}
END_TEST

START_TEST(a_failed_constraint_is_a_bug)
{
	struct tw_store *s = create();
	struct tw_stmt *st;

	OK(tw_stmt_get(s, "INSERT INTO member VALUES (1, 1, 1)", &st, &err));
	ck_assert_int_eq(tw_stmt_run(st, &err), TW_BUG);
	OK(tw_stmt_get(s, "INSERT INTO org (name, created) VALUES (NULL, 1)",
	    &st, &err));
	ck_assert_int_eq(tw_stmt_run(st, &err), TW_BUG);
	ck_assert_int_eq(tw_stmt_get(s, "SELECT \"no such column\"", &st,
	    &err), TW_BUG);
	tw_store_close(s);
}
END_TEST

START_TEST(nothing_runs_in_a_transaction_that_is_gone)
{
	struct tw_store *s = create();
	struct tw_stmt *st;

	OK(tw_store_begin(s, &err));
	OK(tw_stmt_get(s, "INSERT OR ROLLBACK INTO org (name, created)"
	    " VALUES (NULL, 1)", &st, &err));
	ck_assert_int_eq(tw_stmt_run(st, &err), TW_BUG);
	OK(tw_stmt_get(s, "INSERT INTO org (name, created) VALUES ('a', 1)",
	    &st, &err));
	ck_assert_int_eq(tw_stmt_run(st, &err), TW_CONFIG);
	ck_assert_int_eq(tw_store_commit(s, &err), TW_CONFIG);
	ck_assert_int_eq(count(s, "SELECT count(*) FROM org"), 0);
	tw_store_close(s);
}
END_TEST

START_TEST(columns_and_bindings_keep_what_they_are_given)
{
	static const char sql[] = "SELECT ?1, ?2, ?3, ?4, ?5, ?6";
	struct tw_store *s = create();
	struct tw_stmt *st;
	size_t n;

	OK(tw_stmt_get(s, sql, &st, &err));
	tw_stmt_int(st, 1, INT64_MIN);
	tw_stmt_text(st, 2, NULL);
	tw_stmt_text(st, 3, "caf\xc3\xa9");
	tw_stmt_blob(st, 4, "a\0b", 3);
	tw_stmt_blob(st, 5, "", 0);
	tw_stmt_time(st, 6, 0);
	OK(tw_stmt_step(st, &err));
	ck_assert_int_eq(tw_stmt_col_int(st, 0), INT64_MIN);
	ck_assert_str_eq(tw_stmt_col_text(st, 1), "");
	ck_assert(tw_stmt_col_is_null(st, 1));
	ck_assert_str_eq(tw_stmt_col_text(st, 2), "caf\xc3\xa9");
	ck_assert_mem_eq(tw_stmt_col_blob(st, 3, &n), "a\0b", 3);
	ck_assert_uint_eq(n, 3);
	ck_assert(!tw_stmt_col_is_null(st, 4));
	ck_assert_ptr_null(tw_stmt_col_blob(st, 4, &n));
	ck_assert_uint_eq(n, 0);
	ck_assert(tw_stmt_col_is_null(st, 5));
	/* the same text again: the same statement, its bindings cleared */
	OK(tw_stmt_get(s, sql, &st, &err));
	OK(tw_stmt_step(st, &err));
	ck_assert(tw_stmt_col_is_null(st, 2));
	ck_assert_int_eq(tw_stmt_step(st, &err), TW_NO);
	tw_store_close(s);
}
END_TEST

START_TEST(free_pages_are_given_back)
{
	struct tw_store *s = create();
	struct stat st, small, large;
	bool more;

	ck_assert_int_eq(stat(file, &small), 0);
	OK(tw_store_trim(s, 10, &more, &err));
	ck_assert(!more);
	OK(tw_store_begin(s, &err));
	OK(tw_store_exec(s, "INSERT INTO content VALUES"
	    " (zeroblob(32), zeroblob(1000000))", &err));
	OK(tw_store_commit(s, &err));
	ck_assert_int_eq(stat(file, &large), 0);
	ck_assert_int_gt(large.st_size, 1000000);
	OK(tw_store_exec(s, "DELETE FROM content", &err));
	OK(tw_store_trim(s, 10, &more, &err));
	ck_assert(more);
	ck_assert_int_eq(stat(file, &st), 0);
	ck_assert_int_ge(st.st_size, large.st_size - 11 * 4096);
	OK(tw_store_trim(s, 100000, &more, &err));
	ck_assert(!more);
	ck_assert_int_eq(stat(file, &st), 0);
	ck_assert_int_eq(st.st_size, small.st_size);
	OK(tw_store_check(s, &err));
	tw_store_close(s);
}
END_TEST

/* --- migrations -------------------------------------------------------- */

static const struct tw_migration good[] = {
	{ 1, "" },
	{ 2, "CREATE TABLE two (x INTEGER) STRICT; PRAGMA user_version = 2" },
	{ 3, "ALTER TABLE two ADD COLUMN y TEXT; PRAGMA user_version = 3" },
};
static const struct tw_migration broken[] = {
	{ 1, "" },
	{ 2, "CREATE TABLE two (x INTEGER) STRICT; PRAGMA user_version = 2" },
	{ 3, "CREATE TABLE three (x) STRICT; PRAGMA user_version = 3" },
};

START_TEST(an_older_state_is_brought_up_to_date)
{
	struct tw_store *s = create();

	OK(tw_store_migrate(s, good, 3, &err));
	ck_assert_int_eq(count(s, "PRAGMA user_version"), 3);
	ck_assert_int_eq(count(s, "PRAGMA foreign_keys"), 1);
	ck_assert_int_eq(count(s, "SELECT count(y) FROM two"), 0);
	OK(tw_store_migrate(s, good, 3, &err));
	tw_store_close(s);
}
END_TEST

START_TEST(a_broken_migration_changes_nothing_of_its_step)
{
	struct tw_store *s = create();

	ck_assert_int_eq(tw_store_migrate(s, broken, 3, &err), TW_BUG);
	ck_assert_int_eq(count(s, "PRAGMA user_version"), 2);
	ck_assert_int_eq(count(s, "SELECT count(*) FROM sqlite_schema"
	    " WHERE name = 'three'"), 0);
	ck_assert(!tw_store_in_tx(s));
	tw_store_close(s);
}
END_TEST

START_TEST(a_migration_needs_the_runners_lock)
{
	struct tw_store *s = create();
	struct tw_runlock *l;
	int64_t age;

	OK(tw_runlock_take(dir, false, 0, &l, &age, &err));
	ck_assert_int_eq(tw_store_migrate(s, good, 3, &err), TW_AGAIN);
	ck_assert_int_eq(count(s, "PRAGMA user_version"), 1);
	tw_runlock_release(l, NULL);
	OK(tw_store_migrate(s, good, 3, &err));
	tw_store_close(s);
}
END_TEST

START_TEST(a_reader_does_not_migrate)
{
	struct tw_store *s;

	make();
	OK(tw_store_open(dir, TW_STORE_READ, &s, &err));
	ck_assert_int_eq(tw_store_migrate(s, good, 3, &err), TW_CONFIG);
	ck_assert_ptr_nonnull(strstr(err.msg,
	    "is of version 1, this program needs 3"));
	tw_store_close(s);
}
END_TEST

/* --- the runner's lock ------------------------------------------------- */

START_TEST(one_runner_at_a_time)
{
	struct tw_runlock *l, *second;
	bool running;
	int64_t age;
	char *note;

	make();
	OK(tw_runlock_note(dir, &note, &running, &age, &err));
	ck_assert_str_eq(note, "");
	ck_assert(!running);
	free(note);
	OK(tw_runlock_take(dir, false, 0, &l, &age, &err));
	ck_assert_int_eq(tw_runlock_take(dir, false, 0, &second, &age, &err), TW_AGAIN);
	ck_assert_ptr_null(second);
	ck_assert_int_lt(age, 60000);
	OK(tw_runlock_note(dir, &note, &running, &age, &err));
	ck_assert(running);
	free(note);
	/* asking and being refused did not unlock it */
	ck_assert_int_eq(tw_runlock_take(dir, false, 0, &second, &age, &err), TW_AGAIN);
	tw_runlock_release(l, "1 2 a longer note\n");
	OK(tw_runlock_take(dir, false, 0, &l, &age, &err));
	OK(tw_runlock_note(dir, &note, &running, &age, &err));
	ck_assert_str_eq(note, "1 2 a longer note\n");
	ck_assert(running);
	free(note);
	tw_runlock_release(l, "3 4 ok\n");
	OK(tw_runlock_note(dir, &note, &running, &age, &err));
	ck_assert_str_eq(note, "3 4 ok\n");
	ck_assert(!running);
	free(note);
}
END_TEST

START_TEST(a_stale_runner_shows_its_age_until_it_moves)
{
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	struct tw_runlock *l, *second;
	char path[400];
	int64_t age;

	make();
	OK(tw_runlock_take(dir, false, 0, &l, &age, &err));
	snprintf(path, sizeof path, "%s/run.lock", dir);
	ck_assert_int_eq(utimensat(AT_FDCWD, path, old, 0), 0);
	ck_assert_int_eq(tw_runlock_take(dir, false, 0, &second, &age, &err), TW_AGAIN);
	ck_assert_int_gt(age, 1000000);
	tw_runlock_touch(l);
	ck_assert_int_eq(tw_runlock_take(dir, false, 0, &second, &age, &err), TW_AGAIN);
	ck_assert_int_lt(age, 1000000);
	tw_runlock_release(l, NULL);
}
END_TEST

START_TEST(a_killed_runner_leaves_no_lock)
{
	struct tw_runlock *l;
	int said[2], status;
	int64_t age;
	pid_t pid;
	char c;

	make();
	ck_assert_int_eq(pipe(said), 0);
	pid = fork();
	if (pid == 0) {
		if (tw_runlock_take(dir, false, 0, &l, &age, &err) != TW_OK ||
		    write(said[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(said[0], &c, 1), 1);
	ck_assert_int_eq(tw_runlock_take(dir, false, 0, &l, &age, &err), TW_AGAIN);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	OK(tw_runlock_take(dir, false, 0, &l, &age, &err));
	tw_runlock_release(l, NULL);
}
END_TEST

START_TEST(a_limited_runner_is_asked_to_step_aside)
{
	struct tw_runlock *l, *second;
	bool running;
	int64_t age;
	char *note, c;
	int said[2], status;
	pid_t pid;

	make();
	OK(tw_runlock_take(dir, true, 0, &l, &age, &err));
	ck_assert(!tw_runlock_is_asked(l));
	ck_assert_int_eq(tw_runlock_take(dir, false, 0, &second, &age, &err),
	    TW_AGAIN);
	ck_assert_int_eq(tw_runlock_take(dir, false, 120, &second, &age, &err),
	    TW_WAITING);
	ck_assert_ptr_null(second);
	ck_assert(!tw_runlock_is_asked(l));
	ck_assert_int_eq(tw_runlock_take(dir, true, 120, &second, &age, &err),
	    TW_AGAIN);
	ck_assert(!tw_runlock_is_asked(l));
	ck_assert_int_eq(pipe(said), 0);
	pid = fork();
	if (pid == 0)
		_exit(tw_runlock_take(dir, false, 20000, &second, &age, &err) ||
		    write(said[1], "x", 1) != 1 || pause() != -1);
	while (!tw_runlock_is_asked(l))
		usleep(1000);
	tw_runlock_yield(l);
	ck_assert_int_eq(read(said[0], &c, 1), 1);
	tw_runlock_release(l, "not written");
	OK(tw_runlock_note(dir, &note, &running, &age, &err));
	ck_assert_str_eq(note, "");
	ck_assert(running);
	free(note);
	/* it is no limited one: nobody waits */
	ck_assert_int_eq(tw_runlock_take(dir, false, 20000, &second, &age,
	    &err), TW_AGAIN);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
}
END_TEST

START_TEST(who_waits_goes_first_and_a_killed_one_asks_nothing)
{
	struct tw_runlock *l, *second;
	int64_t age;
	int status;
	pid_t pid;

	make();
	OK(tw_runlock_take(dir, true, 0, &l, &age, &err));
	pid = fork();
	if (pid == 0)
		_exit(tw_runlock_take(dir, false, 20000, &second, &age, &err));
	while (!tw_runlock_is_asked(l))
		usleep(1000);
	ck_assert_int_eq(kill(pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
	tw_runlock_release(l, NULL);
	ck_assert_int_eq(tw_runlock_take(dir, true, 0, &l, &age, &err),
	    TW_AGAIN);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	OK(tw_runlock_take(dir, true, 0, &l, &age, &err));
	ck_assert(!tw_runlock_is_asked(l));
	tw_runlock_release(l, NULL);
}
END_TEST

/* --- which directory --------------------------------------------------- */

START_TEST(the_directory_is_the_one_named_the_systems_or_ones_own)
{
	char *out, sys[300];
	bool home;

	snprintf(sys, sizeof sys, "%s/system", root);
	OK(tw_state_dir_from(sys, "/x/y", &out, &home, &err));
	ck_assert_str_eq(out, "/x/y");
	ck_assert(!home);
	free(out);
	ck_assert_int_eq(tw_state_dir_from(sys, "", &out, &home, &err),
	    TW_USAGE);
	setenv("XDG_STATE_HOME", "/xdg", 1);
	OK(tw_state_dir_from(sys, NULL, &out, &home, &err));
	ck_assert_str_eq(out, "/xdg/towerify");
	ck_assert(home);
	free(out);
	setenv("XDG_STATE_HOME", "relative", 1);
	setenv("HOME", "/home/alice", 1);
	OK(tw_state_dir_from(sys, NULL, &out, &home, &err));
	ck_assert_str_eq(out, "/home/alice/.local/state/towerify");
	free(out);
	ck_assert_int_eq(mkdir(sys, 0700), 0);
	OK(tw_state_dir_from(sys, NULL, &out, &home, &err));
	ck_assert_str_eq(out, sys);
	ck_assert(!home);
	free(out);
}
END_TEST

/* In a child that is nobody: the exit status is the result. */
static int as_nobody(const char *sys)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		char *out;
		bool home;

		if (setresuid(65534, 65534, 65534) != 0)
			_exit(1);
		status = tw_state_dir_from(sys, NULL, &out, &home, &err);
		if (status == TW_DENIED && !strstr(err.hint, "sudo -u root "))
			status = 2;
		_exit(status);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

START_TEST(others_are_told_to_use_sudo)
{
	char sys[300];

	if (geteuid() != 0) {
		fprintf(stderr, "SKIPPED %s: not root\n", __func__);
		return;
	}
	ck_assert_int_eq(chmod(root, 0711), 0);
	snprintf(sys, sizeof sys, "%s/system", root);
	ck_assert_int_eq(mkdir(sys, 0700), 0);
	ck_assert_int_eq(as_nobody(sys), TW_DENIED);
	ck_assert_int_eq(chown(sys, 65534, 65534), 0);
	ck_assert_int_eq(as_nobody(sys), TW_OK);
}
END_TEST

START_TEST(root_becomes_the_owner_for_good)
{
	int status;
	pid_t pid;

	if (geteuid() != 0) {
		fprintf(stderr, "SKIPPED %s: not root\n", __func__);
		return;
	}
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	OK(tw_state_become(dir, &err));
	ck_assert_int_eq(geteuid(), 0);
	ck_assert_int_eq(chown(dir, 65534, 65534), 0);
	pid = fork();
	if (pid == 0) {
		gid_t groups[4];

		if (tw_state_become(dir, &err) != TW_OK)
			_exit(1);
		if (getuid() != 65534 || geteuid() != 65534)
			_exit(2);
		if (getgroups(4, groups) != 1 || groups[0] != getgid())
			_exit(3);
		if (setuid(0) == 0 || seteuid(0) == 0)
			_exit(4);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("store");
	TCase *t = tcase_create("store");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_new_state_is_ours_alone_and_sound);
	tcase_add_test(t, a_umask_of_everything_does_no_harm);
	tcase_add_test(t, what_is_committed_is_there_after_reopening);
	tcase_add_test(t, only_create_makes_a_state);
	tcase_add_test(t, many_processes_may_create_at_once);
	tcase_add_test(t, a_left_over_of_a_killed_creation_is_replaced);
	tcase_add_test(t, a_newer_version_is_refused);
	tcase_add_test(t, a_database_of_another_program_is_refused);
	tcase_add_test(t, a_journal_of_another_program_is_not_played_back);
	tcase_add_test(t, an_empty_file_is_refused);
	tcase_add_test(t, a_text_is_refused);
	tcase_add_test(t, a_truncated_file_is_refused);
	tcase_add_test(t, a_state_in_wal_mode_is_refused);
	tcase_add_test(t, links_are_refused);
	tcase_add_test(t, what_others_may_open_is_refused);
	tcase_add_test(t, what_belongs_to_another_is_refused);
	tcase_add_test(t, a_journal_without_its_file_is_refused);
	tcase_add_test(t, a_damaged_page_is_found_by_check);
	tcase_add_test(t, a_changed_definition_is_damage);
	tcase_add_test(t, a_wrong_statement_is_no_damage);
	tcase_add_test(t, a_second_writer_is_told_to_try_again);
	tcase_add_test(t, a_killed_writer_is_rolled_back_by_a_reader);
	tcase_add_test(t, a_reader_writes_nothing);
	tcase_add_test(t, a_full_disk_fails_the_commit_and_nothing_else);
	tcase_add_test(t, transactions_do_not_nest);
	tcase_add_test(t, a_failed_constraint_is_a_bug);
	tcase_add_test(t, nothing_runs_in_a_transaction_that_is_gone);
	tcase_add_test(t, columns_and_bindings_keep_what_they_are_given);
	tcase_add_test(t, free_pages_are_given_back);
	tcase_add_test(t, an_older_state_is_brought_up_to_date);
	tcase_add_test(t, a_broken_migration_changes_nothing_of_its_step);
	tcase_add_test(t, a_migration_needs_the_runners_lock);
	tcase_add_test(t, a_reader_does_not_migrate);
	tcase_add_test(t, one_runner_at_a_time);
	tcase_add_test(t, a_stale_runner_shows_its_age_until_it_moves);
	tcase_add_test(t, a_killed_runner_leaves_no_lock);
	tcase_add_test(t, a_limited_runner_is_asked_to_step_aside);
	tcase_add_test(t, who_waits_goes_first_and_a_killed_one_asks_nothing);
	tcase_add_test(t,
	    the_directory_is_the_one_named_the_systems_or_ones_own);
	tcase_add_test(t, others_are_told_to_use_sudo);
	tcase_add_test(t, root_becomes_the_owner_for_good);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(suite());
	int failed;

	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
