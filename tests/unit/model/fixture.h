/*
 * fixture.h - a state with an operator, hosts and changes, for the tests of
 *             lib/model; each test program includes it once
 */
#ifndef TW_TEST_MODEL_FIXTURE_H
#define TW_TEST_MODEL_FIXTURE_H

#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "model/audit.h"
#include "model/change.h"
#include "model/grant.h"
#include "model/operator.h"
#include "store/store.h"

#define UNUSED __attribute__((unused))
#define OK(call) ck_assert_msg((call) == TW_OK, "%s", err.msg)

static char fix_root[256], fix_dir[300];
static struct tw_store *store;
static struct tw_who alice;	/* works for "default" */
static struct tw_err err;

/* An operator, found by login; of an empty state the founder. */
static UNUSED struct tw_who who_is(const char *login, const char *org)
{
	struct tw_caller caller = { .login = (char *)login };
	struct tw_who who;

	OK(tw_who_get(store, &caller, org, TW_WHO_FOUNDER, &who, &err));
	return who;
}

/* Why not. */
static UNUSED enum tw_status who_refused(const char *login, const char *org,
    enum tw_who_mode mode)
{
	struct tw_caller caller = { .login = (char *)login };
	struct tw_who who;

	return tw_who_get(store, &caller, org, mode, &who, &err);
}

static void setup(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(fix_root, sizeof fix_root, "%s/towerify-model.XXXXXX",
	    tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(fix_root));
	snprintf(fix_dir, sizeof fix_dir, "%s/state", fix_root);
	memset(&err, 0, sizeof err);
	OK(tw_store_open(fix_dir, TW_STORE_CREATE, &store, &err));
	alice = who_is("alice", NULL);
}

static void teardown(void)
{
	pid_t pid;

	tw_who_release(&alice);
	tw_store_close(store);
	pid = fork();
	if (pid == 0) {
		/* an executor of a test may still be tidying up in there */
		execlp("sh", "sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do "
		    "rm -rf \"$0\" 2>/dev/null && exit; sleep 0.2; done",
		    fix_root, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

/* An operator of an organisation of their own, with all permissions there. */
static UNUSED struct tw_who other_tenant(void)
{
	struct tw_who who;
	int64_t org;

	OK(tw_org_add(store, &alice, "acme", "bob", &org, &err));
	who = who_is("bob", "acme");
	ck_assert_int_eq(who.org_id, org);
	return who;
}

/* Runs SQL on the file behind the library's back; triggers too. */
static UNUSED void raw(const char *sql)
{
	char path[400], *msg = NULL;
	sqlite3 *db;

	snprintf(path, sizeof path, "%s/state.db", fix_dir);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, &msg) == SQLITE_OK,
	    "%s: %s", sql, msg ? msg : "?");
	sqlite3_close(db);
}

/* What SQL says that is refused. */
static UNUSED void raw_refused(const char *sql, const char *want)
{
	char path[400], *msg = NULL;
	sqlite3 *db;

	snprintf(path, sizeof path, "%s/state.db", fix_dir);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, &msg),
	    SQLITE_CONSTRAINT);
	ck_assert_str_eq(msg, want);
	sqlite3_free(msg);
	sqlite3_close(db);
}

static UNUSED int64_t number(const char *sql)
{
	struct tw_stmt *st;
	int64_t n;

	OK(tw_stmt_get(store, sql, &st, &err));
	OK(tw_stmt_step(st, &err));
	n = tw_stmt_col_int(st, 0);
	tw_stmt_reset(st);
	return n;
}

/* A host that is pinned; its id. */
static UNUSED int64_t add_host_for(const struct tw_who *who, const char *name)
{
	struct tw_host h = { 0 };
	int64_t id;

	h.name = strdup(name);
	h.address = strdup("192.0.2.7");
	h.port = 22;
	h.user = strdup("root");
	h.hostkey = strdup("ssh-ed25519 AAAA");
	h.spool_id = strdup("0123456789abcdef0123456789abcdef");
	OK(tw_host_add(store, who, &h, &err));
	id = h.id;
	tw_host_release(&h);
	return id;
}

static UNUSED int64_t add_host(const char *name)
{
	return add_host_for(&alice, name);
}

static struct tw_step fix_steps[] = {
	{ .k = 1, .name = (char *)"one", .kind = (char *)"run",
	    .undoable = (char *)"script", .timeout = 600000 },
	{ .k = 2, .name = (char *)"two", .kind = (char *)"run",
	    .undoable = (char *)"none", .timeout = 600000, .retries = 2 },
	{ .k = 3, .name = (char *)"three", .kind = (char *)"file",
	    .undoable = (char *)"auto", .timeout = 600000, .has_check = true },
};

static UNUSED struct tw_filing filing(void)
{
	struct tw_filing f = { .title = "a title", .params = "{}",
	    .file = "file", .file_len = 4, .program = "program",
	    .program_len = 7, .room = 4096, .steps = fix_steps, .nsteps = 3 };

	return f;
}

/* Files for one host; the change's number. */
static UNUSED int64_t file_with(const struct tw_who *who, const char *host,
    const struct tw_filing *f)
{
	struct tw_host h;
	int64_t num = 0;
	bool again;

	OK(tw_host_get(store, who, host, &h, &err));
	OK(tw_change_file(store, who, f, &h, 1, &num, &again, &err));
	ck_assert(!again);
	tw_host_release(&h);
	return num;
}

static UNUSED int64_t file_for(const char *host)
{
	struct tw_filing f = filing();

	return file_with(&alice, host, &f);
}

static UNUSED enum tw_change_status status_of(int64_t num, char reason[64])
{
	enum tw_change_status status;
	struct tw_change c;

	OK(tw_change_get(store, &alice, num, &c, &err));
	status = c.status;
	if (reason)
		snprintf(reason, 64, "%s", c.reason ? c.reason : "");
	tw_change_release(&c);
	return status;
}

/* The change of the host that runs, or starts now; its number. */
static UNUSED int64_t claim(int64_t host, int64_t now)
{
	struct tw_change c;
	int64_t num, gone;

	if (tw_change_claim(store, host, now, &c, &gone, &err) == TW_NO)
		return 0;
	num = c.num;
	tw_change_release(&c);
	return num;
}

static UNUSED void end_as(int64_t num, enum tw_change_status status,
    const char *hold)
{
	struct tw_change c;

	OK(tw_change_get(store, &alice, num, &c, &err));
	OK(tw_store_begin(store, &err));
	OK(tw_change_end(store, &c, status, NULL, tw_clock_now(), hold,
	    &err));
	OK(tw_store_commit(store, &err));
	tw_change_release(&c);
}

/* The last record of a chain about action, as "WHO HOST NUM DETAIL"; "" when
 * there is none.  Whoever may see it. */
struct fix_found {
	const char *action;
	char text[600];
	int count;
};

static UNUSED struct fix_found audit_of(int64_t chain, const char *action)
{
	static const char sql[] = "SELECT operator, coalesce(host, '-'),"
	    " coalesce(change_num, 0), detail FROM audit"
	    " WHERE chain = ?1 AND action = ?2 ORDER BY seq";
	struct fix_found f = { .action = action };
	struct tw_stmt *st;

	OK(tw_stmt_get(store, sql, &st, &err));
	tw_stmt_int(st, 1, chain);
	tw_stmt_text(st, 2, action);
	while (tw_stmt_step(st, &err) == TW_OK) {
		snprintf(f.text, sizeof f.text, "%s %s %lld %s",
		    tw_stmt_col_text(st, 0), tw_stmt_col_text(st, 1),
		    (long long)tw_stmt_col_int(st, 2),
		    tw_stmt_col_text(st, 3));
		f.count++;
	}
	return f;
}

/* Makes login a member of alice's organisation, with no permission. */
static UNUSED struct tw_who add_member(const char *login)
{
	char sql[400];

	snprintf(sql, sizeof sql, "INSERT OR IGNORE INTO operator (login,"
	    " created) VALUES ('%s', 1); INSERT INTO member (org_id,"
	    " operator_id, since) SELECT %lld, id, 1 FROM operator"
	    " WHERE login = '%s'", login, (long long)alice.org_id, login);
	raw(sql);
	return who_is(login, alice.org);
}

/* Gives who a permission on hosts (NULL: the organisation; one name alone is
 * found by the index), until 0: for good; the grant's number. */
static UNUSED int64_t permit(const struct tw_who *who, const char *permission,
    const char *hosts, int64_t until)
{
	bool is_name = hosts && !strpbrk(hosts, "*?@!,[ ");
	int64_t num = number("SELECT next_grant FROM org WHERE name ="
	    " 'default'");
	char sql[600];

	snprintf(sql, sizeof sql, "INSERT INTO permit (org_id, num,"
	    " operator_id, permission, hosts, host, until, created,"
	    " created_by) VALUES (%lld, %lld, %lld, '%s', %s%s%s, %s%s%s,"
	    " nullif(%lld, 0), 1, 'alice');"
	    " UPDATE org SET next_grant = next_grant + 1 WHERE id = %lld",
	    (long long)who->org_id, (long long)num,
	    (long long)who->operator_id, permission, hosts ? "'" : "",
	    hosts ? hosts : "NULL", hosts ? "'" : "", is_name ? "'" : "",
	    is_name ? hosts : "NULL", is_name ? "'" : "", (long long)until,
	    (long long)who->org_id);
	raw(sql);
	return num;
}

static UNUSED int run_suite(Suite *s)
{
	SRunner *sr = srunner_create(s);
	int failed;

	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
