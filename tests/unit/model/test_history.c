/* test_history.c - lib/model/history.c and stats.c: what ran, and its figures */
#include "fixture.h"

#include "model/history.h"

#define MAX 20

static int64_t web, db;

static void setup_hosts(void)
{
	setup();
	web = add_host("web");
	db = add_host("db");
}

/* A change of web or db that joined, started (0: never) and ended then. */
static int64_t past(const char *host, const char *status, int64_t joins,
    int64_t started, int64_t ended)
{
	int64_t num = file_for(host);
	char sql[400];

	snprintf(sql, sizeof sql, "UPDATE change SET status = '%s', joins ="
	    " %lld, started = nullif(%lld, 0), ended = nullif(%lld, 0)"
	    " WHERE num = %lld", status, (long long)joins, (long long)started,
	    (long long)ended, (long long)num);
	raw(sql);
	return num;
}

static int64_t seen[MAX];
static int nseen;

static enum tw_status on_change(void *arg, const struct tw_history_change *c,
    struct tw_err *e)
{
	(void)arg;
	(void)e;
	ck_assert_int_lt(nseen, MAX);
	seen[nseen++] = c->num;
	return TW_OK;
}

/* The numbers, ended by 0. */
static void sees(struct tw_history_filter f, const int64_t *wanted)
{
	int i;

	nseen = 0;
	OK(tw_history_each(store, &alice, &f, on_change, NULL, &err));
	for (i = 0; wanted[i]; i++) {
		ck_assert_int_lt(i, nseen);
		ck_assert_int_eq(seen[i], wanted[i]);
	}
	ck_assert_int_eq(nseen, i);
}
#define SEES(filter, ...) \
	sees((struct tw_history_filter)filter, (int64_t[]){ __VA_ARGS__, 0 })
#define F(...) { __VA_ARGS__ }

START_TEST(what_ended_in_a_time_comes_the_latest_first)
{
	static const char *const names[] = { "web", "gone", NULL };

	past("web", "succeeded", 100, 110, 120);	/* 1 */
	past("db", "failed", 100, 150, 300);		/* 2 */
	past("web", "cancelled", 100, 0, 200);		/* 3 */
	past("web", "succeeded", 100, 290, 300);	/* 4: the same end */
	past("db", "running", 100, 310, 0);		/* 5 */
	file_for("web");				/* 6: queued */
	SEES(F(0), 4, 2, 3, 1);
	SEES(F(.since = 200), 4, 2, 3);
	SEES(F(.until = 300), 3, 1);
	SEES(F(.since = 120, .until = 201), 3, 1);
	SEES(F(.hosts = names), 4, 3, 1);
	/* what ran at any moment of it */
	SEES(F(.is_running = true), 5, 4, 2, 1);
	SEES(F(.is_running = true, .until = 310), 4, 2, 1);
	SEES(F(.is_running = true, .since = 121, .until = 290), 2);
	SEES(F(.is_running = true, .hosts = names), 4, 1);
}
END_TEST

START_TEST(a_page_ends_where_the_next_begins)
{
	struct tw_history_filter f = { 0 };
	struct tw_stats *stats;
	size_t n;

	past("web", "succeeded", 100, 110, 120);
	/* all with one end, more than a page of them */
	raw("WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n"
	    "    WHERE i <= 500)"
	    " INSERT INTO change (org_id, num, uid, nonce, host_name,"
	    "    operator_id, status, title, program, room, nsteps, filed,"
	    "    joins, started, ended) SELECT org_id, i, i, '', 'web',"
	    "    operator_id, status, title, program, room, nsteps, filed,"
	    "    joins, started, ended FROM n, change WHERE num = 1");
	OK(tw_stats_read(store, &alice, &f, TW_STATS_HOST, &stats, &n, &err));
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(stats[0].changes, 501);
	tw_stats_free(stats, n);
}
END_TEST

START_TEST(figures_are_of_what_ended)
{
	struct tw_history_filter f = { 0 };
	struct tw_stats *s;
	int64_t i;
	size_t n;

	/* waited 1 to 20, ran 10 to 200 */
	for (i = 1; i <= 20; i++)
		past("web", i == 7 ? "rolled-back" : i == 8 ? "failed" :
		    i == 9 ? "unknown" : "succeeded", 1000, 1000 + i,
		    1000 + i + 10 * i);
	past("web", "cancelled", 1000, 0, 5000);
	past("db", "succeeded", 1000, 900, 800);	/* clock set back */
	past("db", "running", 1000, 1000, 0);
	raw("UPDATE step SET attempts = 3 WHERE k = 1; UPDATE change SET"
	    " retry_of = 1 WHERE num IN (2, 3); UPDATE change SET app ="
	    " 'wiki' WHERE num = 1; DELETE FROM step WHERE change_id >"
	    " (SELECT id FROM change WHERE num = 4)");
	OK(tw_stats_read(store, &alice, &f, TW_STATS_HOST, &s, &n, &err));
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(s[0].name, "db");
	ck_assert_int_eq(s[0].changes, 1);
	ck_assert_int_eq(s[0].wait.p50, 0);
	ck_assert_int_eq(s[0].run.p95, 0);
	ck_assert_str_eq(s[1].name, "web");
	ck_assert_int_eq(s[1].changes, 21);
	ck_assert_int_eq(s[1].ran, 20);
	ck_assert_int_eq(s[1].ends[TW_CHANGE_SUCCEEDED], 17);
	ck_assert_int_eq(s[1].ends[TW_CHANGE_ROLLED_BACK], 1);
	ck_assert_int_eq(s[1].ends[TW_CHANGE_FAILED], 1);
	ck_assert_int_eq(s[1].ends[TW_CHANGE_UNKNOWN], 1);
	ck_assert_int_eq(s[1].ends[TW_CHANGE_CANCELLED], 1);
	ck_assert_int_eq(s[1].wait.p50, 10);
	ck_assert_int_eq(s[1].wait.p95, 19);
	ck_assert_int_eq(s[1].run.p50, 100);
	ck_assert_int_eq(s[1].run.p95, 190);
	ck_assert_int_eq(s[1].retries, 8);
	ck_assert_int_eq(s[1].retried, 2);
	tw_stats_free(s, n);
	OK(tw_stats_read(store, &alice, &f, TW_STATS_APP, &s, &n, &err));
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(s[0].name, "wiki");
	ck_assert_int_eq(s[0].changes, 1);
	ck_assert_ptr_null(s[1].name);
	ck_assert_int_eq(s[1].changes, 21);
	tw_stats_free(s, n);
	OK(tw_stats_read(store, &alice, &f, TW_STATS_OPERATOR, &s, &n, &err));
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(s[0].name, "alice");
	tw_stats_free(s, n);
}
END_TEST

START_TEST(what_never_started_has_no_spans)
{
	struct tw_history_filter f = { 0 };
	struct tw_stats *s;
	size_t n;

	OK(tw_stats_read(store, &alice, &f, TW_STATS_HOST, &s, &n, &err));
	ck_assert_uint_eq(n, 0);
	tw_stats_free(s, n);
	past("web", "cancelled", 1000, 0, 5000);
	OK(tw_stats_read(store, &alice, &f, TW_STATS_HOST, &s, &n, &err));
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(s[0].ran, 0);
	ck_assert_int_eq(s[0].wait.p50, -1);
	ck_assert_int_eq(s[0].run.p95, -1);
	tw_stats_free(s, n);
}
END_TEST

START_TEST(it_is_for_who_may_audit_and_of_their_organisation)
{
	struct tw_history_filter f = { .is_running = true };
	struct tw_who bob = other_tenant(), mia = add_member("mia");

	past("web", "succeeded", 100, 110, 120);
	past("db", "running", 100, 110, 0);
	nseen = 0;
	OK(tw_history_each(store, &bob, &f, on_change, NULL, &err));
	ck_assert_int_eq(nseen, 0);
	permit(&mia, "view", NULL, 0);
	ck_assert_int_eq(tw_history_each(store, &mia, &f, on_change, NULL,
	    &err), TW_DENIED);
	permit(&mia, "audit", NULL, 0);
	OK(tw_history_each(store, &mia, &f, on_change, NULL, &err));
	ck_assert_int_eq(nseen, 2);
	tw_who_release(&bob);
	tw_who_release(&mia);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("history");
	TCase *tc = tcase_create("history");

	tcase_add_checked_fixture(tc, setup_hosts, teardown);
	tcase_add_test(tc, what_ended_in_a_time_comes_the_latest_first);
	tcase_add_test(tc, a_page_ends_where_the_next_begins);
	tcase_add_test(tc, figures_are_of_what_ended);
	tcase_add_test(tc, what_never_started_has_no_spans);
	tcase_add_test(tc, it_is_for_who_may_audit_and_of_their_organisation);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
