/*
 * test_queue.c - who is next: order, holds, times, claiming by several
 */
#include "model/fixture.h"

#include <sys/stat.h>

#include "store/store_private.h"

#define HOUR 3600000

static int64_t now;

static void start(void)
{
	setup();
	now = tw_clock_now() + 1000;	/* after all that the test files */
}

static int64_t file_between(const char *host, int64_t not_before,
    int64_t not_after)
{
	struct tw_filing f = filing();

	f.not_before = not_before;
	f.not_after = not_after;
	return file_with(&alice, host, &f);
}

/* Runs the head of the host's queue to its end; its number. */
static int64_t run_one(int64_t host, int64_t at)
{
	int64_t num = claim(host, at);

	if (num)
		end_as(num, TW_CHANGE_SUCCEEDED, NULL);
	return num;
}

struct due {
	int64_t *ids, wake;
	size_t n;
};

static struct due due_for(int64_t at, int64_t org,
    const char *const *hosts)
{
	struct due d;

	OK(tw_queue_due(store, at, org, hosts, &d.ids, &d.n, &d.wake, &err));
	return d;
}

/* The hosts due, as text. */
static const char *due(int64_t at, char out[200])
{
	struct due d = due_for(at, 0, NULL);
	size_t i, len = 0;

	out[0] = '\0';
	for (i = 0; i < d.n; i++)
		len += (size_t)snprintf(out + len, 200 - len, "%s%d",
		    i ? " " : "", (int)d.ids[i]);
	free(d.ids);
	return out;
}

static int64_t wake(int64_t at)
{
	struct due d = due_for(at, 0, NULL);

	free(d.ids);
	return d.wake;
}

/* --- order ------------------------------------------------------------- */

START_TEST(changes_start_in_the_order_they_were_filed)
{
	int64_t id = add_host("web1"), i;

	for (i = 1; i <= 5; i++)
		ck_assert_int_eq(file_for("web1"), i);
	for (i = 1; i <= 5; i++)
		ck_assert_int_eq(run_one(id, now), i);
	ck_assert_int_eq(run_one(id, now), 0);
	ck_assert_str_eq(err.msg, "nothing is due");
}
END_TEST

START_TEST(a_clock_set_back_lets_nobody_overtake)
{
	int64_t id = add_host("web1");

	file_for("web1");
	/* as if it had been filed a day later than it is now */
	raw("UPDATE change SET filed = filed + 86400000,"
	    " joins = joins + 86400000");
	file_for("web1");
	file_for("web1");
	ck_assert_int_eq(number("SELECT count(DISTINCT joins) FROM change"),
	    1);
	ck_assert_int_eq(run_one(id, now), 1);
	ck_assert_int_eq(run_one(id, now), 2);
	ck_assert_int_eq(run_one(id, now), 3);
}
END_TEST

START_TEST(one_that_waits_for_its_time_blocks_nobody)
{
	int64_t id = add_host("web1");

	ck_assert_int_eq(file_between("web1", now + HOUR, 0), 1);
	ck_assert_int_eq(file_for("web1"), 2);
	ck_assert_int_eq(run_one(id, now), 2);
	ck_assert_int_eq(run_one(id, now), 0);
	ck_assert_int_eq(run_one(id, now + HOUR - 1), 0);
	ck_assert_int_eq(run_one(id, now + HOUR), 1);
}
END_TEST

START_TEST(it_joins_at_its_time_behind_those_that_wait)
{
	int64_t id = add_host("web1");

	ck_assert_int_eq(file_between("web1", now + HOUR, 0), 1);
	ck_assert_int_eq(file_for("web1"), 2);
	/* at that time both wait: the other one joined first */
	ck_assert_int_eq(run_one(id, now + 2 * HOUR), 2);
	ck_assert_int_eq(run_one(id, now + 2 * HOUR), 1);
}
END_TEST

START_TEST(a_not_before_in_the_past_gains_nothing)
{
	int64_t id = add_host("web1");

	ck_assert_int_eq(file_for("web1"), 1);
	ck_assert_int_eq(file_between("web1", 1000, 0), 2);
	ck_assert_int_eq(run_one(id, now), 1);
	ck_assert_int_eq(run_one(id, now), 2);
}
END_TEST

START_TEST(seq_is_taken_at_the_start_and_grows)
{
	int64_t gone;
	int64_t id = add_host("web1");
	struct tw_change c;

	file_for("web1");
	file_for("web1");
	ck_assert_int_eq(number("SELECT count(seq) FROM change"), 0);
	OK(tw_change_claim(store, id, now, &c, &gone, &err));
	ck_assert_int_eq(c.seq, 1);
	ck_assert_int_eq(c.epoch, 1);
	ck_assert_int_eq(c.started, now);
	ck_assert_int_eq(c.status, TW_CHANGE_RUNNING);
	tw_change_release(&c);
	end_as(1, TW_CHANGE_ROLLED_BACK, NULL);
	ck_assert_int_eq(number("SELECT acked_seq FROM host"), 1);
	OK(tw_change_claim(store, id, now, &c, &gone, &err));
	ck_assert_int_eq(c.seq, 2);
	tw_change_release(&c);
	ck_assert_str_eq(audit_of(alice.org_id, "change.start").text,
	    "tower web1 2 {\"grant\":\"3\"}");
	ck_assert_int_eq(audit_of(alice.org_id, "change.start").count, 2);
}
END_TEST

START_TEST(what_runs_is_told_at_once)
{
	enum tw_cancel_result result;
	struct tw_change c[2];
	struct tw_running *all;
	int64_t gone, ids[2];
	size_t n;

	ids[0] = add_host("web1");
	ids[1] = add_host("web2");
	OK(tw_queue_running_list(store, &all, &n, &err));
	ck_assert_uint_eq(n, 0);
	free(all);
	file_for("web1");
	file_for("web2");
	file_for("web1");
	OK(tw_change_claim(store, ids[1], now, &c[1], &gone, &err));
	OK(tw_change_claim(store, ids[0], now, &c[0], &gone, &err));
	OK(tw_change_accepted(store, &c[1], now, &err));
	OK(tw_change_cancel(store, &alice, c[1].num, &result, &err));
	OK(tw_queue_running_list(store, &all, &n, &err));
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(all[0].id, c[0].id);
	ck_assert(!all[0].is_cancelled);
	ck_assert_int_eq(all[1].id, c[1].id);
	ck_assert(all[1].is_cancelled);
	free(all);
	end_as(1, TW_CHANGE_SUCCEEDED, NULL);
	OK(tw_queue_running_list(store, &all, &n, &err));
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(all[0].id, c[1].id);
	free(all);
	tw_change_release(&c[0]);
	tw_change_release(&c[1]);
}
END_TEST

/* --- what holds it up -------------------------------------------------- */

START_TEST(a_held_host_starts_nothing_but_is_followed)
{
	int64_t id = add_host("web1");
	char text[200];

	file_for("web1");
	file_for("web1");
	ck_assert_int_eq(claim(id, now), 1);
	OK(tw_host_hold(store, &alice, "web1", "stop", &err));
	ck_assert_str_eq(due(now, text), "1");
	ck_assert_int_eq(claim(id, now), 1);
	end_as(1, TW_CHANGE_SUCCEEDED, NULL);
	ck_assert_str_eq(due(now, text), "");
	ck_assert_int_eq(claim(id, now), 0);
	OK(tw_host_release_hold(store, &alice, "web1", &err));
	ck_assert_str_eq(due(now, text), "1");
	ck_assert_int_eq(claim(id, now), 2);
}
END_TEST

START_TEST(a_failure_holds_the_host_in_the_same_transaction)
{
	int64_t id = add_host("web1");
	struct tw_host h;

	file_for("web1");
	file_for("web1");
	ck_assert_int_eq(claim(id, now), 1);
	end_as(1, TW_CHANGE_FAILED, "change 1 failed");
	OK(tw_host_get(store, &alice, "web1", &h, &err));
	ck_assert_str_eq(h.held_reason, "change 1 failed");
	ck_assert_str_eq(h.held_by, "tower");
	ck_assert_int_eq(h.queued, 1);
	tw_host_release(&h);
	ck_assert_int_eq(claim(id, now), 0);
	ck_assert_str_eq(audit_of(alice.org_id, "change.end").text,
	    "tower web1 1 {\"status\":\"failed\"}");
}
END_TEST

START_TEST(a_host_never_logged_in_to_starts_nothing)
{
	int64_t id = add_host("web1");
	char text[200];

	file_for("web1");
	raw("UPDATE host SET spool_id = NULL");
	ck_assert_str_eq(due(now, text), "");
	ck_assert_int_eq(claim(id, now), 0);
	OK(tw_host_checked(store, &alice, id, NULL, "id", NULL, &err));
	ck_assert_str_eq(due(now, text), "1");
	ck_assert_int_eq(claim(id, now), 1);
}
END_TEST

START_TEST(hosts_that_failed_come_last_and_after_their_delay)
{
	int64_t one = add_host("web1"), two = add_host("web2");
	int64_t three = add_host("web3"), next;
	char text[200];

	file_for("web1");
	file_for("web2");
	file_for("web3");
	raw("UPDATE change SET joins = joins - 5000 WHERE host_id = 3");
	ck_assert_str_eq(due(now, text), "3 1 2");
	OK(tw_host_unreachable(store, three, now, "x", NULL, &err));
	next = number("SELECT next_attempt FROM host WHERE id = 3");
	ck_assert_str_eq(due(now, text), "1 2");
	ck_assert_int_eq(wake(now), next);
	ck_assert_str_eq(due(next, text), "1 2 3");
	ck_assert_int_eq(wake(next), 0);
	/* the clock was set back: not to be waited for */
	ck_assert_str_eq(due(now - 86400000, text), "1 2 3");
	ck_assert_int_eq(claim(two, now), 2);
	ck_assert_str_eq(due(now, text), "2 1");	/* under way first */
	(void)one;
}
END_TEST

START_TEST(the_clock_wakes_for_what_joins_or_expires)
{
	struct tw_who bob = other_tenant();
	const char *const web1[] = { "web1", NULL };
	struct tw_filing f = filing();
	struct due d;

	add_host("web1");
	add_host("web2");
	add_host_for(&bob, "db");
	ck_assert_int_eq(wake(now), 0);
	file_between("web1", now + 3 * HOUR, now + 9 * HOUR);
	ck_assert_int_eq(wake(now), now + 3 * HOUR);
	file_between("web2", now + 2 * HOUR, 0);
	ck_assert_int_eq(wake(now), now + 2 * HOUR);
	f.not_before = now + HOUR;
	file_with(&bob, "db", &f);
	ck_assert_int_eq(wake(now), now + HOUR);
	d = due_for(now, alice.org_id, NULL);
	ck_assert_int_eq(d.wake, now + 2 * HOUR);
	free(d.ids);
	d = due_for(now, alice.org_id, web1);
	ck_assert_int_eq(d.wake, now + 3 * HOUR);
	free(d.ids);
	OK(tw_host_hold(store, &alice, "web1", "x", &err));
	d = due_for(now, alice.org_id, web1);
	ck_assert_int_eq(d.wake, now + 9 * HOUR);	/* it expires still */
	free(d.ids);
	tw_who_release(&bob);
}
END_TEST

START_TEST(due_is_limited_to_names_and_an_organisation)
{
	const char *const names[] = { "web2", "nope", NULL };
	struct tw_who bob = other_tenant();
	struct tw_filing f = filing();
	struct due d;
	int64_t id;

	add_host("web1");
	id = add_host("web2");
	file_for("web1");
	file_for("web2");
	add_host_for(&bob, "web2");
	file_with(&bob, "web2", &f);
	d = due_for(now, 0, NULL);
	ck_assert_uint_eq(d.n, 3);
	free(d.ids);
	d = due_for(now, bob.org_id, NULL);
	ck_assert_uint_eq(d.n, 1);
	free(d.ids);
	d = due_for(now, alice.org_id, names);
	ck_assert_uint_eq(d.n, 1);
	ck_assert_int_eq(d.ids[0], id);
	free(d.ids);
	tw_who_release(&bob);
}
END_TEST

START_TEST(what_nobody_could_deliver_expires)
{
	int64_t id = add_host("web1"), n;
	char text[200], reason[64];

	OK(tw_queue_expire(store, now, &n, &err));
	ck_assert_int_eq(n, 0);
	file_between("web1", 0, now + HOUR);
	file_between("web1", 0, now + HOUR);
	file_for("web1");
	ck_assert_int_eq(claim(id, now), 1);
	OK(tw_queue_expire(store, now + HOUR - 1, &n, &err));
	ck_assert_int_eq(n, 0);
	OK(tw_queue_expire(store, now + HOUR, &n, &err));
	ck_assert_int_eq(n, 1);		/* the running one goes on */
	ck_assert_int_eq(status_of(1, NULL), TW_CHANGE_RUNNING);
	ck_assert_int_eq(status_of(2, reason), TW_CHANGE_CANCELLED);
	ck_assert_str_eq(reason, "expired");
	ck_assert_str_eq(audit_of(alice.org_id, "change.expire").text,
	    "tower web1 2 {\"reason\":\"expired\"}");
	end_as(1, TW_CHANGE_SUCCEEDED, NULL);
	ck_assert_int_eq(claim(id, now), 3);
	ck_assert_str_eq(due(now, text), "1");
}
END_TEST

START_TEST(an_expired_one_is_not_started_before_it_is_swept)
{
	int64_t id = add_host("web1");
	char text[200];

	file_between("web1", 0, now + HOUR);
	ck_assert_str_eq(due(now + HOUR, text), "");
	ck_assert_int_eq(claim(id, now + HOUR), 0);
	file_for("web1");
	ck_assert_int_eq(claim(id, now + HOUR), 2);
}
END_TEST

START_TEST(more_than_one_transactions_worth_expires)
{
	struct tw_filing f = filing();
	struct tw_host *hosts;
	int64_t nums[1001], n;
	size_t nhosts, i;
	char name[20];
	bool again;

	OK(tw_store_begin(store, &err));
	for (i = 0; i < 1001; i++) {
		snprintf(name, sizeof name, "h%zu", i);
		add_host(name);
	}
	OK(tw_store_commit(store, &err));
	OK(tw_host_select(store, &alice, NULL, &hosts, &nhosts, &err));
	f.not_after = now;
	OK(tw_change_file(store, &alice, &f, hosts, nhosts, nums, &again,
	    &err));
	tw_host_list_free(hosts, nhosts);
	OK(tw_queue_expire(store, now, &n, &err));
	ck_assert_int_eq(n, 1001);
	ck_assert_int_eq(audit_of(alice.org_id, "change.expire").count, 1001);
}
END_TEST

START_TEST(a_pass_with_nothing_to_do_writes_nothing)
{
	int64_t gone;
	struct stat before[2], after[2];
	char path[2][400];
	struct tw_change c;
	int64_t n, id;
	char text[200];
	int i;

	id = add_host("web1");
	file_between("web1", now + HOUR, now + 2 * HOUR);
	tw_store_close(store);
	snprintf(path[0], sizeof path[0], "%s/state.db", fix_dir);
	snprintf(path[1], sizeof path[1], "%s/state.db-journal", fix_dir);
	for (i = 0; i < 2; i++)
		ck_assert_int_eq(stat(path[i], &before[i]), 0);
	OK(tw_store_open(fix_dir, TW_STORE_WRITE, &store, &err));
	OK(tw_queue_expire(store, now, &n, &err));
	ck_assert_str_eq(due(now, text), "");
	ck_assert_int_eq(tw_change_claim(store, id, now, &c, &gone, &err),
	    TW_NO);
	OK(tw_output_retain(store, now, (int64_t)1 << 32, 10, &n, &err));
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(stat(path[i], &after[i]), 0);
		ck_assert_int_eq(before[i].st_mtim.tv_sec,
		    after[i].st_mtim.tv_sec);
		ck_assert_int_eq(before[i].st_mtim.tv_nsec,
		    after[i].st_mtim.tv_nsec);
	}
}
END_TEST

/* --- several runners --------------------------------------------------- */

/* Two children take what they can of 40 hosts and print it; each change must
 * have been started once, by one of them. */
START_TEST(a_claim_is_exclusive_between_processes)
{
	int64_t gone;
	struct tw_filing f = filing();
	struct tw_change c;
	struct tw_store *s;
	int i, k, status;
	char name[20];
	pid_t pid;

	OK(tw_store_begin(store, &err));
	for (i = 0; i < 40; i++) {
		snprintf(name, sizeof name, "h%d", i);
		add_host(name);
		file_with(&alice, name, &f);
		file_with(&alice, name, &f);
	}
	OK(tw_store_commit(store, &err));
	for (k = 0; k < 2; k++) {
		pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid)
			continue;
		if (tw_store_open(fix_dir, TW_STORE_WRITE, &s, &err) != TW_OK)
			_exit(1);
		for (i = 1; i <= 40; i++) {
			if (tw_change_claim(s, i, now, &c, &gone, &err) != TW_OK)
				_exit(2);
			if (c.status != TW_CHANGE_RUNNING || c.seq != 1)
				_exit(3);
			tw_change_release(&c);
		}
		_exit(0);
	}
	for (k = 0; k < 2; k++) {
		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_int_eq(number("SELECT count(*) FROM change"
	    " WHERE status = 'running'"), 40);
	ck_assert_int_eq(audit_of(alice.org_id, "change.start").count, 40);
	ck_assert_int_eq(number("SELECT max(next_seq) FROM host"), 2);
}
END_TEST

START_TEST(the_schema_allows_one_running_change_per_host)
{
	int64_t id = add_host("web1");

	file_for("web1");
	file_for("web1");
	ck_assert_int_eq(claim(id, now), 1);
	raw_refused("UPDATE change SET status = 'running'",
	    "UNIQUE constraint failed: change.host_id");
}
END_TEST

/* --- plans ------------------------------------------------------------- */

/* Fails for a plan that walks through all of a table that grows. */
static void check_plan(sqlite3 *db, const char *sql)
{
	static const char *const allowed[] = {
		"SCAN j VIRTUAL TABLE", "SCAN json_each VIRTUAL TABLE",
		"SCAN p", "SCAN d", "SCAN (subquery", "SCAN change USING",
		"SCAN CONSTANT ROW",
	};
	char *text = NULL;
	const char *detail;
	sqlite3_stmt *st;
	size_t i;
	bool ok;

	ck_assert_int_gt(asprintf(&text, "EXPLAIN QUERY PLAN %s", sql), 0);
	ck_assert_int_eq(sqlite3_prepare_v2(db, text, -1, &st, NULL),
	    SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		detail = (const char *)sqlite3_column_text(st, 3);
		ok = strncmp(detail, "SCAN ", 5) != 0;
		for (i = 0; i < sizeof allowed / sizeof *allowed; i++)
			ok |= strncmp(detail, allowed[i],
			    strlen(allowed[i])) == 0;
		/* a walk along those pending or running reads one entry each */
		if (strncmp(detail, "SCAN change USING", 17) == 0)
			ok = strstr(detail, "INDEX change_queue") != NULL ||
			    strstr(detail, "INDEX change_running") != NULL;
		ck_assert_msg(ok, "%s in: %s", detail, sql);
		/* a queue is never sorted: its index has the order */
		if (strstr(sql, "ORDER BY c.joins, c.id LIMIT 1") &&
		    !strstr(sql, "RECURSIVE"))
			ck_assert_msg(!strstr(detail, "TEMP B-TREE"), "%s",
			    sql);
	}
	sqlite3_finalize(st);
	free(text);
}

static enum tw_status ignore(void *arg, const struct tw_change *c,
    struct tw_err *e)
{
	(void)arg;
	(void)c;
	(void)e;
	return TW_OK;
}

START_TEST(no_hot_statement_walks_through_all_changes)
{
	int64_t gone;
	int64_t id = add_host("web1"), n, first;
	struct tw_change_filter f = { 0 };
	struct tw_filing fl = filing();
	enum tw_cancel_result result;
	struct tw_running *running;
	struct tw_step *steps;
	struct tw_change c;
	sqlite3_stmt *st;
	char text[200];
	size_t count;
	int checked = 0;

	fl.key = "key";
	file_with(&alice, "web1", &fl);
	file_for("web1");
	OK(tw_change_get(store, &alice, 2, &c, &err));
	OK(tw_change_ahead(store, &alice, &c, now, &n, &first, &err));
	tw_change_release(&c);
	OK(tw_change_each(store, &alice, &f, ignore, NULL, &err));
	f.all = true;
	OK(tw_change_each(store, &alice, &f, ignore, NULL, &err));
	due(now, text);
	OK(tw_queue_expire(store, now, &n, &err));
	OK(tw_change_cancel(store, &alice, 2, &result, &err));
	OK(tw_change_claim(store, id, now, &c, &gone, &err));
	OK(tw_change_accepted(store, &c, now, &err));
	OK(tw_queue_running_list(store, &running, &count, &err));
	free(running);
	OK(tw_store_begin(store, &err));
	OK(tw_change_steps(store, &alice, c.id, &steps, &count, &err));
	OK(tw_output_add(store, &c, 1, false, now, 0, "x", 1, &err));
	OK(tw_change_save_position(store, &c, &err));
	OK(tw_step_save(store, &c, &steps[0], true, &err));
	OK(tw_change_end(store, &c, TW_CHANGE_FAILED, "x", now, "y", &err));
	OK(tw_store_commit(store, &err));
	OK(tw_host_answered(store, id, now, 1, 1, false, &err));
	OK(tw_host_unreachable(store, id, now, "x", NULL, &err));
	tw_step_list_free(steps, count);
	tw_change_release(&c);
	for (st = sqlite3_next_stmt(store->db, NULL); st;
	    st = sqlite3_next_stmt(store->db, st)) {
		const char *sql = sqlite3_sql(st);

		if (strncmp(sql, "EXPLAIN", 7) == 0 ||
		    strncmp(sql, "PRAGMA", 6) == 0 ||
		    strstr(sql, "FROM operator") ||
		    strstr(sql, "operator_id = ?1"))
			continue;	/* tables that stay small */
		check_plan(store->db, sql);
		checked++;
	}
	ck_assert_int_gt(checked, 25);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("queue");
	TCase *t = tcase_create("queue");

	tcase_add_checked_fixture(t, start, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, changes_start_in_the_order_they_were_filed);
	tcase_add_test(t, a_clock_set_back_lets_nobody_overtake);
	tcase_add_test(t, one_that_waits_for_its_time_blocks_nobody);
	tcase_add_test(t, it_joins_at_its_time_behind_those_that_wait);
	tcase_add_test(t, a_not_before_in_the_past_gains_nothing);
	tcase_add_test(t, seq_is_taken_at_the_start_and_grows);
	tcase_add_test(t, what_runs_is_told_at_once);
	tcase_add_test(t, a_held_host_starts_nothing_but_is_followed);
	tcase_add_test(t, a_failure_holds_the_host_in_the_same_transaction);
	tcase_add_test(t, a_host_never_logged_in_to_starts_nothing);
	tcase_add_test(t, hosts_that_failed_come_last_and_after_their_delay);
	tcase_add_test(t, the_clock_wakes_for_what_joins_or_expires);
	tcase_add_test(t, due_is_limited_to_names_and_an_organisation);
	tcase_add_test(t, what_nobody_could_deliver_expires);
	tcase_add_test(t, an_expired_one_is_not_started_before_it_is_swept);
	tcase_add_test(t, more_than_one_transactions_worth_expires);
	tcase_add_test(t, a_pass_with_nothing_to_do_writes_nothing);
	tcase_add_test(t, a_claim_is_exclusive_between_processes);
	tcase_add_test(t, the_schema_allows_one_running_change_per_host);
	tcase_add_test(t, no_hot_statement_walks_through_all_changes);
	suite_add_tcase(s, t);
	return run_suite(s);
}
