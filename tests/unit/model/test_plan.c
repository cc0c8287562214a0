/*
 * test_plan.c - what is done often costs the same however long the history is
 *
 * Two ways: SQLite's plan of every statement that was run holds no scan but
 * those of short lists, and its virtual machine takes as many steps with a long
 * history as with a short one.
 */
#include "fixture.h"

#include "model/history.h"
#include "model/metrics.h"
#include "model/prune.h"
#include "store/store_private.h"

#define HOSTS 10
#define ROWS 5			/* of each list */

static int64_t hosts[HOSTS];

/* --- history ----------------------------------------------------------------- */

static void carry_out(int64_t host)
{
	int64_t now = tw_clock_now(), gone;
	struct tw_step st = fix_steps[0];
	struct tw_change c;

	OK(tw_change_claim(store, host, now, &c, &gone, &err));
	OK(tw_change_accepted(store, &c, now, &err));
	st.state = (char *)"done";
	st.started = st.ended = now;
	OK(tw_output_add(store, &c, 1, false, now, 0, "text", 4, &err));
	OK(tw_step_save(store, &c, &st, true, &err));
	OK(tw_change_end(store, &c, TW_CHANGE_SUCCEEDED, NULL, now, NULL,
	    &err));
	tw_change_release(&c);
}

/* Ended changes, so many on each host; each of a program of its own. */
static void history(int rounds)
{
	static int nth;
	struct tw_filing f = filing();
	char program[32], name[20];
	int i;

	OK(tw_store_begin(store, &err));
	for (; rounds > 0; rounds--) {
		f.program_len = (size_t)snprintf(program, sizeof program,
		    "program %d", nth++);
		f.program = program;
		for (i = 0; i < HOSTS; i++) {
			snprintf(name, sizeof name, "web%d", i);
			file_with(&alice, name, &f);
			carry_out(hosts[i]);
		}
	}
	OK(tw_store_commit(store, &err));
}

/* --- what is done often ------------------------------------------------------ */

static int left;		/* rows that are still wanted */

static enum tw_status on_change(void *arg, const struct tw_change *c,
    struct tw_err *e)
{
	(void)arg;
	(void)c;
	(void)e;
	return --left ? TW_OK : TW_NO;
}

static enum tw_status on_record(void *arg, const struct tw_audit *a,
    struct tw_err *e)
{
	(void)arg;
	(void)a;
	(void)e;
	return --left ? TW_OK : TW_NO;
}

static enum tw_status on_output(void *arg, const struct tw_output *o,
    struct tw_err *e)
{
	(void)arg;
	(void)o;
	(void)e;
	return TW_OK;
}

static void list(bool all, const char *const *names, int64_t after)
{
	struct tw_change_filter f = { .all = all, .hosts = names,
	    .after = after };
	enum tw_status status;

	left = ROWS;
	status = tw_change_each(store, &alice, &f, on_change, NULL, &err);
	ck_assert(status == TW_OK || status == TW_NO);
}

static void audit(struct tw_audit_filter f)
{
	enum tw_status status;

	left = ROWS;
	status = tw_audit_each(store, &alice, &f, on_record, NULL, &err);
	ck_assert(status == TW_OK || status == TW_NO);
}

static enum tw_status on_past(void *arg, const struct tw_history_change *c,
    struct tw_err *e)
{
	(void)arg;
	(void)c;
	(void)e;
	return --left ? TW_OK : TW_NO;
}

/* Of what is asked for, not of all there is; the numbers for monitoring look at
 * no history at all. */
static void watch(void)
{
	struct tw_history_filter f = { .since = tw_clock_now() + 60000 };
	struct tw_stats *stats;
	struct tw_metrics m;
	size_t n;

	left = ROWS;
	OK(tw_stats_read(store, &alice, &f, TW_STATS_HOST, &stats, &n, &err));
	tw_stats_free(stats, n);
	f = (struct tw_history_filter){ .until = 1 };
	OK(tw_stats_read(store, &alice, &f, TW_STATS_APP, &stats, &n, &err));
	tw_stats_free(stats, n);
	f = (struct tw_history_filter){ .since = tw_clock_now() + 60000,
	    .is_running = true };
	OK(tw_history_each(store, &alice, &f, on_past, NULL, &err));
	OK(tw_metrics_read(store, &alice, &m, &err));
	tw_metrics_release(&m);
}

static void look(int64_t num)
{
	static const char *const names[] = { "web1", "web2", NULL };
	uint8_t hash[32];
	struct tw_change c;
	struct tw_step *steps;
	struct tw_host h;
	int64_t seq, n, first, after = 0;
	size_t nsteps;

	list(false, NULL, 0);
	list(false, names, 0);
	list(true, NULL, num - ROWS);
	list(true, names, num - ROWS * HOSTS);
	OK(tw_change_get(store, &alice, num, &c, &err));
	OK(tw_change_ahead(store, &alice, &c, tw_clock_now(), &n, &first,
	    &err));
	OK(tw_change_steps(store, &alice, c.id, &steps, &nsteps, &err));
	OK(tw_output_each(store, &alice, c.id, &after, on_output, NULL,
	    &err));
	tw_step_list_free(steps, nsteps);
	tw_change_release(&c);
	OK(tw_host_get(store, &alice, "web1", &h, &err));
	tw_host_release(&h);
	OK(tw_audit_head(store, &alice, false, &seq, hash, &err));
	audit((struct tw_audit_filter){ .after = seq - ROWS });
	audit((struct tw_audit_filter){ .hosts = names, .after = seq - 50 });
	audit((struct tw_audit_filter){ .operator = "nobody",
	    .after = seq - 50 });
	audit((struct tw_audit_filter){ .change_num = num });
	audit((struct tw_audit_filter){ .since = tw_clock_now() + 60000 });
	audit((struct tw_audit_filter){ .seq = seq });
	watch();
}

/* A pass that finds nothing, one that finds a change, and what follows. */
static int64_t act(void)
{
	int64_t now = tw_clock_now(), *ids, wake, n, since, num;
	struct tw_prune p = { .before = 1 };
	struct tw_filing f = filing();
	struct tw_running *running;
	enum tw_status status;
	size_t count;
	bool any;

	OK(tw_queue_expire(store, now, &n, &err));
	OK(tw_queue_due(store, now, 0, NULL, &ids, &count, &wake, &err));
	ck_assert_uint_eq(count, 0);
	OK(tw_queue_running(store, 0, NULL, &n, &since, &err));
	OK(tw_queue_running_list(store, &running, &count, &err));
	free(running);
	num = file_for("web1");
	f.not_before = now + 3600000;
	f.not_after = f.not_before + 1;
	f.key = "once";
	file_with(&alice, "web2", &f);
	OK(tw_queue_due(store, now, 0, NULL, &ids, &count, &wake, &err));
	ck_assert_uint_eq(count, 1);
	free(ids);
	look(num);
	status = tw_queue_settle(store, hosts[1], now, &n, &err);
	ck_assert(status == TW_OK);
	OK(tw_store_begin(store, &err));
	carry_out(hosts[1]);
	OK(tw_store_commit(store, &err));
	look(num);
	OK(tw_output_retain(store, 1, INT64_MAX, 10, &n, &err));
	OK(tw_prune_begin(store, &alice, &p, &any, &err));
	ck_assert(!any);
	raw("UPDATE change SET status = 'cancelled', ended = 1, batch_key ="
	    " NULL WHERE status = 'queued'");
	return num;
}

/* --- far apart --------------------------------------------------------------- */

static int64_t seen[4];
static int nseen;
static long most;		/* steps of a statement that looks at rows */

static enum tw_status on_seen(void *arg, const struct tw_audit *a,
    struct tw_err *e)
{
	(void)arg;
	(void)e;
	ck_assert_int_lt(nseen, 4);
	seen[nseen++] = a->seq;
	return TW_OK;
}

static enum tw_status on_seen_change(void *arg, const struct tw_change *c,
    struct tw_err *e)
{
	(void)arg;
	(void)e;
	ck_assert_int_lt(nseen, 4);
	seen[nseen++] = c->num;
	return TW_OK;
}

static int on_profile(unsigned type, void *arg, void *p, void *x)
{
	long n = sqlite3_stmt_status(p, SQLITE_STMTSTATUS_VM_STEP, 1);

	(void)type;
	(void)arg;
	(void)x;
	if (n > most)
		most = n;
	return 0;
}

/* A million rows of which none is wanted are not looked at in one go. */
START_TEST(what_is_rare_is_found_a_piece_at_a_time)
{
	struct tw_change_filter f = { .statuses = 1U << TW_CHANGE_FAILED };

	file_for("web1");
	raw("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
	    "    WHERE i < 60000)"
	    " INSERT INTO audit SELECT (SELECT max(chain) FROM audit),"
	    "    100 + i, 1, iif(i IN (1, 30000), 'mia', 'alice'), 'x', NULL,"
	    "    NULL, '{}', zeroblob(32), zeroblob(32) FROM n");
	sqlite3_trace_v2(store->db, SQLITE_TRACE_PROFILE, on_profile, NULL);
	most = nseen = 0;
	OK(tw_audit_each(store, &alice, &(struct tw_audit_filter){
	    .operator = "mia" }, on_seen, NULL, &err));
	ck_assert_int_eq(nseen, 2);
	ck_assert_int_eq(seen[0], 101);
	ck_assert_int_eq(seen[1], 30100);
	ck_assert_int_lt(most, 150000);
	/* numbers that are gone are passed over */
	sqlite3_trace_v2(store->db, 0, NULL, NULL);
	end_as(file_for("web1"), TW_CHANGE_FAILED, NULL);
	raw("UPDATE change SET num = 50000 WHERE status = 'failed'");
	nseen = 0;
	OK(tw_change_each(store, &alice, &f, on_seen_change, NULL, &err));
	ck_assert_int_eq(nseen, 1);
	ck_assert_int_eq(seen[0], 50000);
}
END_TEST

/* --- plans ------------------------------------------------------------------- */

/* Lists the caller gave, hosts with something pending, one row. */
static bool is_short(const char *step)
{
	static const char *const all[] = {
		"SCAN json_each VIRTUAL TABLE", "SCAN j VIRTUAL TABLE",
		"SCAN p", "SCAN CONSTANT ROW", "SCAN usage",
		/* by LIMIT 1 */
		"SCAN change USING COVERING INDEX change_queue",
		"SCAN change USING COVERING INDEX change_not_before",
		/* those that run, one a host */
		"SCAN c USING INDEX change_running",
		"SCAN change USING INDEX change_running",
		"SCAN operator USING COVERING INDEX",
		/* a row an organisation, a few for each, a host */
		"SCAN o USING INDEX org_name", "SCAN tally", "SCAN each_host",
		"SCAN (subquery",
	};
	size_t i;

	for (i = 0; i < sizeof all / sizeof *all; i++)
		if (strncmp(step, all[i], strlen(all[i])) == 0)
			return true;
	return false;
}

/* How many scans a statement's plan has; they are told. */
static int scans(const char *sql)
{
	sqlite3_stmt *st = NULL;
	char *explain;
	int n = 0;

	explain = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
	ck_assert_int_eq(sqlite3_prepare_v2(store->db, explain, -1, &st,
	    NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		const char *step = (const char *)sqlite3_column_text(st, 3);

		if (strncmp(step, "SCAN ", 5) != 0 || is_short(step))
			continue;
		fprintf(stderr, "%s\n\tin: %s\n", step, sql);
		n++;
	}
	sqlite3_finalize(st);
	sqlite3_free(explain);
	return n;
}

static bool is_planned(const char *sql)
{
	return strncmp(sql, "PRAGMA", 6) != 0;
}

START_TEST(nothing_that_is_done_often_scans)
{
	size_t i, n = 0;
	int found = 0;

	history(1);
	act();
	for (i = 0; i < store->cap; i++)
		if (store->stmts[i] && is_planned(store->stmts[i]->sql)) {
			found += scans(store->stmts[i]->sql);
			n++;
		}
	ck_assert_uint_gt(n, 60);
	ck_assert_int_eq(found, 0);
	/* a test that can fail */
	fprintf(stderr, "# planted: ");
	ck_assert_int_eq(scans("SELECT 1 FROM change WHERE title = ?1"), 1);
}
END_TEST

/* Steps of SQLite's machine since the last time, by statement. */
static long steps_of(size_t i)
{
	struct tw_stmt *st = store->stmts[i];

	return st ? sqlite3_stmt_status(st->st, SQLITE_STMTSTATUS_VM_STEP,
	    1) : 0;
}

START_TEST(the_cost_is_the_same_with_a_long_history)
{
	long shortly[1024], now;
	int grew = 0;
	size_t i, cap;

	history(6);
	act();			/* all are prepared */
	cap = store->cap;
	ck_assert_uint_le(cap, 1024);
	for (i = 0; i < cap; i++)
		steps_of(i);
	act();
	for (i = 0; i < cap; i++)
		shortly[i] = steps_of(i);
	history(60);
	for (i = 0; i < cap; i++)
		steps_of(i);
	act();
	ck_assert_uint_eq(store->cap, cap);
	for (i = 0; i < cap; i++) {
		now = steps_of(i);
		if (now <= shortly[i] + shortly[i] / 5 + 40)
			continue;
		fprintf(stderr, "%ld steps, then %ld: %s\n", shortly[i], now,
		    store->stmts[i]->sql);
		grew++;
	}
	ck_assert_int_eq(grew, 0);
}
END_TEST

static void setup_hosts(void)
{
	char name[20];
	int i;

	setup();
	for (i = 0; i < HOSTS; i++) {
		snprintf(name, sizeof name, "web%d", i);
		hosts[i] = add_host(name);
	}
}

int main(void)
{
	Suite *s = suite_create("plan");
	TCase *tc = tcase_create("plan");

	tcase_add_checked_fixture(tc, setup_hosts, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, nothing_that_is_done_often_scans);
	tcase_add_test(tc, what_is_rare_is_found_a_piece_at_a_time);
	tcase_add_test(tc, the_cost_is_the_same_with_a_long_history);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
