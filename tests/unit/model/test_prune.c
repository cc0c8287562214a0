/*
 * test_prune.c - old history goes: what goes, what stays, and a chain that
 *                verifies at every moment of it
 *
 * What is old here was recorded now, and what is young in a year.
 */
#include "fixture.h"

#include "model/app.h"
#include "model/instance.h"
#include "model/prune.h"
#include "store/store_private.h"

#define YEAR (INT64_C(365) * 24 * 3600 * 1000)

static int64_t soon(void)
{
	return tw_clock_now() + YEAR / 2;
}

static void add_record(const char *action, int64_t at)
{
	struct tw_audit a = { .chain = alice.org_id, .operator = "alice",
	    .action = action, .at = at };

	OK(tw_store_begin(store, &err));
	OK(tw_audit_add(store, &a, &err));
	OK(tw_store_commit(store, &err));
}

static int64_t head(uint8_t hash[32])
{
	uint8_t unused[32];
	int64_t seq;

	OK(tw_audit_head(store, &alice, false, &seq, hash ? hash : unused,
	    &err));
	return seq;
}

/* How many records a whole chain has. */
static int64_t whole(void)
{
	int64_t count, bad;

	OK(tw_audit_verify(store, &alice, false, 0, NULL, &count, &bad,
	    NULL, &err));
	return count;
}

static void expect_bad(int64_t want, const char *message)
{
	int64_t count, bad;

	ck_assert_int_eq(tw_audit_verify(store, &alice, false, 0, NULL, &count,
	    &bad, NULL, &err), TW_NO);
	ck_assert_str_eq(err.msg, message);
	ck_assert_int_eq(bad, want);
}

static const char *record_n(int64_t n, const char *what)
{
	static char text[200];

	snprintf(text, sizeof text, "record %lld %s", (long long)n, what);
	return text;
}

static struct tw_prune begin(int64_t before)
{
	struct tw_prune p = { .before = before };
	bool any;

	OK(tw_prune_begin(store, &alice, &p, &any, &err));
	ck_assert(any);
	return p;
}

static struct tw_prune prune(int64_t before, int limit)
{
	struct tw_prune p = begin(before);
	bool more = true;

	while (more)
		OK(tw_prune_some(store, &alice, &p, limit, &more, &err));
	OK(tw_store_check(store, &err));
	return p;
}

START_TEST(a_pruned_chain_verifies)
{
	int64_t old = head(NULL), count, bad;
	uint8_t kept[32], last[32];
	struct tw_audit_cut cut;
	struct tw_prune p;
	char want[300], hex[65];

	OK(tw_audit_verify(store, &alice, false, 0, NULL, &count, &bad, &cut,
	    &err));
	ck_assert_int_eq(cut.seq, 0);
	add_record("old", 0);
	old = head(last);
	add_record("young", soon() + YEAR);
	add_record("old again", 0);
	head(kept);
	p = prune(soon(), 2);
	ck_assert_int_eq(p.through, old);
	ck_assert_int_eq(p.records, old);
	ck_assert_int_eq(p.changes, 0);
	/* two and that it was pruned */
	ck_assert_int_eq(whole(), 3);
	tw_hex(last, 32, hex);
	snprintf(want, sizeof want, "\"through\":\"%lld\",\"hash\":\"%s\","
	    "\"grant\":\"6\"}", (long long)old, hex);
	ck_assert_ptr_nonnull(strstr(audit_of(alice.org_id,
	    "audit.prune").text, want));
	ck_assert_int_eq(strncmp(audit_of(alice.org_id, "audit.prune").text,
	    "alice - 0 {\"older_than\":\"", 25), 0);
	/* checkpoints: of what stayed, of the last that went, before it */
	OK(tw_audit_verify(store, &alice, false, old + 2, kept, &count, &bad,
	    NULL, &err));
	OK(tw_audit_verify(store, &alice, false, old, last, &count, &bad, NULL,
	    &err));
	ck_assert_int_eq(tw_audit_verify(store, &alice, false, old, kept,
	    &count, &bad, NULL, &err), TW_NO);
	ck_assert_int_eq(tw_audit_verify(store, &alice, false, old - 1, last,
	    &count, &bad, NULL, &err), TW_NO);
	ck_assert_int_eq(bad, old - 1);
	/* the rest was looked at before that was said */
	ck_assert_int_eq(count, 3);
	ck_assert_str_eq(err.msg, record_n(old - 1, "of the checkpoint was "
	    "pruned, so nothing can be said about it"));
	/* who has allowed it */
	OK(tw_audit_verify(store, &alice, false, 0, NULL, &count, &bad, &cut,
	    &err));
	ck_assert_int_eq(cut.seq, old);
	ck_assert_str_eq(cut.operator, "alice");
	ck_assert_int_eq(cut.at, number("SELECT at FROM audit WHERE action ="
	    " 'audit.prune'"));
	/* and once more */
	p = prune(soon() + 2 * YEAR, 1);
	ck_assert_int_eq(p.records, 3);
	ck_assert_int_eq(whole(), 1);
	add_record("goes on", 0);
	ck_assert_int_eq(whole(), 2);
}
END_TEST

START_TEST(killed_at_any_batch_the_chain_is_whole)
{
	int64_t all = head(NULL);
	struct tw_prune p, again;
	bool more = true;

	p = begin(soon());
	ck_assert_int_eq(whole(), all + 1);
	while (more) {
		OK(tw_prune_some(store, &alice, &p, 2, &more, &err));
		ck_assert_int_eq(whole(), all + 1 - p.records);
		if (p.records == 2) {
			/* another comes, for less: it goes on */
			again = begin(soon());
			ck_assert_int_eq(again.through, all + 1);
			OK(tw_prune_some(store, &alice, &again, 1, &more,
			    &err));
			ck_assert_int_eq(whole(), all - 1);
		}
	}
	ck_assert_int_eq(number("SELECT min(seq) FROM audit WHERE chain <> 0"),
	    p.through + 1);
}
END_TEST

START_TEST(an_anchor_that_no_pruning_left_is_found)
{
	struct tw_prune p;
	char sql[300];

	add_record("one", 0);
	add_record("two", 0);
	raw("CREATE TABLE copy AS SELECT * FROM audit WHERE chain <> 0;"
	    "DROP TRIGGER audit_no_delete; DROP TRIGGER audit_no_update;"
	    "DROP TRIGGER audit_append_only;"
	    "DROP TRIGGER audit_anchor_no_way_back;"
	    "DROP TRIGGER audit_anchor_no_delete");
	raw("INSERT INTO audit_anchor SELECT chain, seq, hash FROM copy"
	    "    WHERE seq = 3;"
	    "DELETE FROM audit WHERE chain <> 0 AND seq <= 3");
	expect_bad(3, "record 3 is where the chain begins behind, but no "
	    "record tells of pruning that far");
	raw("INSERT INTO audit SELECT * FROM copy WHERE seq <= 3;"
	    "DELETE FROM audit_anchor");
	whole();
	/* further than a pruning said */
	p = prune(soon(), 100);
	add_record("three", 0);
	add_record("four", 0);
	snprintf(sql, sizeof sql, "UPDATE audit_anchor SET seq = %lld,"
	    " hash = (SELECT hash FROM audit WHERE seq = %lld AND chain <> 0);"
	    "DELETE FROM audit WHERE chain <> 0 AND seq = %lld",
	    (long long)p.through + 1, (long long)p.through + 1,
	    (long long)p.through + 1);
	raw(sql);
	snprintf(sql, sizeof sql, "record %lld is where the chain begins "
	    "behind, but no record tells of pruning that far",
	    (long long)p.through + 1);
	expect_bad(p.through + 1, sql);
}
END_TEST

START_TEST(an_anchor_of_another_record_is_found)
{
	int64_t first;
	char want[100];

	add_record("one", 0);
	first = prune(soon(), 100).through + 1;
	raw("DROP TRIGGER audit_anchor_no_way_back;"
	    "UPDATE audit_anchor SET hash = zeroblob(32)");
	snprintf(want, sizeof want, "record %lld does not follow the one "
	    "before it", (long long)first);
	expect_bad(first, want);
}
END_TEST

START_TEST(records_go_only_behind_an_anchor)
{
	raw("INSERT INTO audit_anchor VALUES (7, 3, zeroblob(32))");
	raw_refused("DELETE FROM audit WHERE chain <> 0 AND seq = 1",
	    "audit records are never deleted");
	add_record("one", 0);
	prune(soon(), 100);
	raw_refused("DELETE FROM audit WHERE chain <> 0",
	    "audit records are never deleted");
}
END_TEST

/* Of what has not ended, all records stay, and those behind them. */
START_TEST(what_has_not_ended_stays)
{
	int64_t before, one, two;
	struct tw_prune p;
	bool any;

	add_host("web1");
	one = file_for("web1");
	before = head(NULL);
	two = file_for("web1");
	end_as(one, TW_CHANGE_SUCCEEDED, NULL);
	p = prune(soon(), 100);
	ck_assert_int_eq(p.through, before);
	ck_assert_int_eq(p.stopped_by, two);
	ck_assert_int_eq(p.changes, 1);
	ck_assert_int_eq(number("SELECT num FROM change"), two);
	whole();
	/* it runs */
	ck_assert_int_eq(claim(1, tw_clock_now()), two);
	p = (struct tw_prune){ .before = soon() };
	OK(tw_prune_begin(store, &alice, &p, &any, &err));
	ck_assert(!any);
	ck_assert_int_eq(p.stopped_by, two);
	end_as(two, TW_CHANGE_FAILED, NULL);
	p = prune(soon() + YEAR, 100);
	ck_assert_int_eq(p.stopped_by, 0);
	ck_assert_int_eq(p.changes, 1);
	ck_assert_int_eq(number("SELECT count(*) FROM change"), 0);
	ck_assert_int_eq(whole(), 1);
	/* numbers are not given again */
	ck_assert_int_eq(file_for("web1"), two + 1);
}
END_TEST

START_TEST(a_change_goes_with_all_that_is_its_own)
{
	struct tw_filing f = filing();
	struct tw_change c;
	int64_t num, kept;

	add_host("web1");
	f.program = "another";
	num = file_with(&alice, "web1", &f);
	kept = file_for("web1");
	OK(tw_change_get(store, &alice, num, &c, &err));
	OK(tw_store_begin(store, &err));
	OK(tw_output_add(store, &c, 1, false, 1, 0, "text", 4, &err));
	OK(tw_change_end(store, &c, TW_CHANGE_SUCCEEDED, NULL,
	    tw_clock_now(), NULL, &err));
	OK(tw_store_commit(store, &err));
	tw_change_release(&c);
	ck_assert_int_eq(number("SELECT output FROM usage"), 4);
	ck_assert_int_eq(number("SELECT count(*) FROM content"), 3);
	prune(soon(), 100);
	ck_assert_int_eq(number("SELECT num FROM change"), kept);
	ck_assert_int_eq(number("SELECT count(*) FROM step"), 3);
	ck_assert_int_eq(number("SELECT count(*) FROM output"), 0);
	ck_assert_int_eq(number("SELECT output FROM usage"), 0);
	/* the file's text is of both */
	ck_assert_int_eq(number("SELECT count(*) FROM content"), 2);
}
END_TEST

/* 1 was tried again by 2, and 2 by 3. */
START_TEST(what_was_tried_again_goes_last)
{
	struct tw_filing f = filing();
	struct tw_prune p;
	int64_t i;
	char sql[100];

	add_host("web1");
	for (i = 1; i <= 3; i++) {
		f.retry_of = i - 1;
		ck_assert_int_eq(file_with(&alice, "web1", &f), i);
		end_as(i, TW_CHANGE_FAILED, NULL);
	}
	snprintf(sql, sizeof sql, "UPDATE change SET ended = %lld"
	    " WHERE num = 3", (long long)(soon() + YEAR));
	raw(sql);
	p = prune(soon(), 100);
	ck_assert_int_eq(p.changes, 0);
	raw("UPDATE change SET ended = filed");
	p = prune(soon(), 1);
	ck_assert_int_eq(p.changes, 3);
	ck_assert_int_eq(number("SELECT count(*) FROM change"), 0);
}
END_TEST

/* All in the same page, and one that is older and none of theirs. */
START_TEST(what_was_tried_again_goes_in_the_same_run)
{
	struct tw_filing f = filing();
	int64_t i;

	add_host("web1");
	end_as(file_for("web1"), TW_CHANGE_FAILED, NULL);
	for (i = 2; i <= 4; i++) {
		f.retry_of = i > 2 ? i - 1 : 0;
		ck_assert_int_eq(file_with(&alice, "web1", &f), i);
		end_as(i, TW_CHANGE_FAILED, NULL);
	}
	raw("UPDATE change SET ended = num");
	ck_assert_int_eq(prune(soon(), 2000).changes, 4);
	ck_assert_int_eq(number("SELECT count(*) FROM change"), 0);
}
END_TEST

/* What is pruned can't be verified any more. */
static void expect_no_prune(int64_t bad, const char *what)
{
	struct tw_prune p = { .before = soon() };
	int64_t n = number("SELECT count(*) FROM audit");
	bool any;

	ck_assert_int_eq(tw_prune_begin(store, &alice, &p, &any, &err), TW_NO);
	ck_assert_str_eq(err.msg, record_n(bad, what));
	ck_assert_int_eq(number("SELECT count(*) FROM audit"), n);
}

START_TEST(a_broken_chain_is_not_pruned)
{
	int64_t last;

	add_record("one", 0);
	add_record("two", 0);
	add_record("young", soon() + YEAR);
	add_record("not to go", 0);
	last = head(NULL);
	raw("CREATE TABLE copy AS SELECT * FROM audit WHERE chain <> 0;"
	    "DROP TRIGGER audit_no_delete; DROP TRIGGER audit_no_update;"
	    "DROP TRIGGER audit_append_only;"
	    "UPDATE audit SET operator = 'mallory' WHERE seq = 2 AND"
	    "    chain <> 0");
	expect_no_prune(2, "was changed");
	/* the last that would go, and none of them */
	raw("UPDATE audit SET operator = 'alice' WHERE seq = 2 AND chain <> 0;"
	    "DELETE FROM audit WHERE seq = (SELECT max(seq) - 2 FROM copy)"
	    "    AND chain <> 0");
	expect_no_prune(last - 2, "is missing");
	raw("DELETE FROM audit WHERE chain <> 0;"
	    "INSERT INTO audit SELECT * FROM copy WHERE seq > 1");
	expect_no_prune(1, "is missing");
	/* a beginning that no pruning has allowed */
	raw("INSERT INTO audit_anchor SELECT chain, seq, hash FROM copy"
	    "    WHERE seq = 1");
	expect_no_prune(1, "is where the chain begins behind, but no record "
	    "tells of pruning that far");
	raw("DROP TRIGGER audit_anchor_no_delete; DELETE FROM audit_anchor;"
	    "DELETE FROM audit WHERE chain <> 0;"
	    "INSERT INTO audit SELECT * FROM copy;"
	    "UPDATE audit SET host = 'x' WHERE chain <> 0 AND"
	    "    seq = (SELECT max(seq) FROM copy)");
	/* what stays is not its business: it can still be verified */
	ck_assert_int_eq(prune(soon(), 3).records, last - 2);
	expect_bad(last, record_n(last, "was changed"));
}
END_TEST

/* The pruning whose record is behind what goes has allowed the beginning. */
START_TEST(a_pruning_that_was_stopped_goes_on)
{
	struct tw_prune p, again;
	int64_t left;
	bool more;

	p = begin(soon());
	OK(tw_prune_some(store, &alice, &p, 2, &more, &err));
	left = p.through - p.records;
	add_record("young", soon() + YEAR);
	again = prune(soon(), 2);
	ck_assert_int_eq(again.records, left + 1);
	whole();
}
END_TEST

START_TEST(no_record_goes_when_an_unended_change_has_none)
{
	struct tw_prune p = { .before = soon() };
	int64_t num;
	bool any;

	add_host("web1");
	num = file_for("web1");
	raw("DROP TRIGGER audit_no_update;"
	    "UPDATE audit SET change_num = NULL WHERE change_num > 0");
	OK(tw_prune_begin(store, &alice, &p, &any, &err));
	ck_assert(!any);
	ck_assert_int_eq(p.stopped_by, num);
}
END_TEST

START_TEST(the_latest_change_of_an_instance_stays)
{
	int64_t i;

	add_host("web1");
	for (i = 1; i <= 4; i++)
		end_as(file_for("web1"), TW_CHANGE_SUCCEEDED, NULL);
	raw("INSERT INTO instance (id, org_id, host_id, name, app, version,"
	    "    source, params, state, change_id, created, changed)"
	    " SELECT id, org_id, host_id, 'i' || num, 'wiki', '1', 'file',"
	    "    '{}', CASE id WHEN 2 THEN 'running' ELSE 'gone' END, id, 1, 1"
	    " FROM change WHERE id > 1;"
	    "UPDATE change SET instance_id = id WHERE id > 1");
	ck_assert_int_eq(prune(soon(), 1).changes, 3);
	ck_assert_int_eq(number("SELECT num FROM change"), 2);
	ck_assert_int_eq(number("SELECT id FROM instance"), 2);
}
END_TEST

START_TEST(another_organisation_keeps_its_own)
{
	struct tw_who bob = other_tenant();
	int64_t count, bad, theirs;

	add_host_for(&bob, "web1");
	theirs = file_with(&bob, "web1", &(struct tw_filing){ .title = "t",
	    .params = "{}", .file = "f", .file_len = 1, .program = "p",
	    .program_len = 1, .steps = fix_steps, .nsteps = 1 });
	raw("UPDATE change SET status = 'failed', ended = 1");
	count = number("SELECT count(*) FROM audit");
	prune(soon(), 100);
	ck_assert_int_eq(theirs, number("SELECT num FROM change"));
	OK(tw_audit_verify(store, &bob, false, 0, NULL, &count, &bad,
	    NULL, &err));
	ck_assert_int_eq(number("SELECT min(seq) FROM audit WHERE chain ="
	    " (SELECT id FROM org WHERE name = 'acme')"), 1);
	ck_assert_int_eq(number("SELECT min(seq) FROM audit WHERE chain = 0"),
	    1);
	tw_who_release(&bob);
}
END_TEST

START_TEST(an_administrator_prunes)
{
	struct tw_prune p = { .before = soon() };
	struct tw_who carol = add_member("carol");
	int64_t n, count, bad;
	bool any, more;

	permit(&carol, "audit", NULL, 0);
	permit(&carol, "change", NULL, 0);
	n = number("SELECT count(*) FROM audit");
	ck_assert_int_eq(tw_prune_begin(store, &carol, &p, &any, &err),
	    TW_DENIED);
	p.is_tower = true;
	ck_assert_int_eq(tw_prune_begin(store, &carol, &p, &any, &err),
	    TW_DENIED);
	ck_assert_str_eq(err.msg, "carol is not an administrator of the "
	    "tower");
	p.through = 3;
	ck_assert_int_eq(tw_prune_some(store, &carol, &p, 10, &more, &err),
	    TW_DENIED);
	p.is_tower = false;
	ck_assert_int_eq(tw_prune_some(store, &carol, &p, 10, &more, &err),
	    TW_DENIED);
	ck_assert_int_eq(number("SELECT count(*) FROM audit"), n);
	/* the tower's own */
	p = (struct tw_prune){ .is_tower = true, .before = soon() };
	OK(tw_prune_begin(store, &alice, &p, &any, &err));
	ck_assert(any);
	OK(tw_prune_some(store, &alice, &p, 100, &more, &err));
	OK(tw_audit_verify(store, &alice, true, 0, NULL, &count, &bad,
	    NULL, &err));
	ck_assert_int_eq(count, 1);
	tw_who_release(&carol);
}
END_TEST

START_TEST(nothing_to_prune_writes_nothing)
{
	struct tw_prune p = { .before = 1 };
	int64_t n = head(NULL);
	bool any = true;

	add_host("web1");
	n = head(NULL);
	OK(tw_prune_begin(store, &alice, &p, &any, &err));
	ck_assert(!any);
	ck_assert_int_eq(head(NULL), n);
}
END_TEST

/* --- meanwhile --------------------------------------------------------------- */

static struct tw_prune meanwhile;
static struct tw_store *other;
static int pages;

/* Before the second page is read, all before it goes, and more. */
static int on_statement(unsigned type, void *arg, void *p, void *x)
{
	const char *sql = sqlite3_sql(p);
	bool more;

	(void)type;
	(void)arg;
	(void)x;
	if (strstr(sql, "prev, hash FROM audit") && ++pages == 2)
		OK(tw_prune_some(other, &alice, &meanwhile, 1500, &more,
		    &err));
	return 0;
}

START_TEST(verifying_goes_on_where_pruning_has_come)
{
	struct tw_audit a = { .chain = alice.org_id, .operator = "alice",
	    .action = "one of many" };
	int64_t n = head(NULL), i;

	OK(tw_store_begin(store, &err));
	for (i = n; i < 2500; i++)
		OK(tw_audit_add(store, &a, &err));
	OK(tw_store_commit(store, &err));
	meanwhile = begin(soon());
	ck_assert_int_eq(meanwhile.through, 2500);
	OK(tw_store_open(fix_dir, TW_STORE_WRITE, &other, &err));
	sqlite3_trace_v2(store->db, SQLITE_TRACE_STMT, on_statement, NULL);
	ck_assert_int_eq(whole(), 1000 + 1001);
	sqlite3_trace_v2(store->db, 0, NULL, NULL);
	ck_assert_int_eq(pages, 4);
	tw_store_close(other);
}
END_TEST

START_TEST(a_checkpoint_that_goes_meanwhile_was_pruned)
{
	struct tw_audit a = { .chain = alice.org_id, .operator = "alice",
	    .action = "one of many" };
	int64_t n = head(NULL), i, count, bad;
	uint8_t hash[32] = { 0 };

	OK(tw_store_begin(store, &err));
	for (i = n; i < 2500; i++)
		OK(tw_audit_add(store, &a, &err));
	OK(tw_store_commit(store, &err));
	meanwhile = begin(soon());
	OK(tw_store_open(fix_dir, TW_STORE_WRITE, &other, &err));
	sqlite3_trace_v2(store->db, SQLITE_TRACE_STMT, on_statement, NULL);
	ck_assert_int_eq(tw_audit_verify(store, &alice, false, 1200, hash,
	    &count, &bad, NULL, &err), TW_NO);
	sqlite3_trace_v2(store->db, 0, NULL, NULL);
	ck_assert_str_eq(err.msg, "record 1200 of the checkpoint was pruned, "
	    "so nothing can be said about it");
	ck_assert_int_eq(bad, 1200);
	ck_assert_int_eq(count, 1000 + 1001);
	tw_store_close(other);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("prune");
	TCase *tc = tcase_create("prune");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_pruned_chain_verifies);
	tcase_add_test(tc, killed_at_any_batch_the_chain_is_whole);
	tcase_add_test(tc, an_anchor_that_no_pruning_left_is_found);
	tcase_add_test(tc, an_anchor_of_another_record_is_found);
	tcase_add_test(tc, records_go_only_behind_an_anchor);
	tcase_add_test(tc, what_has_not_ended_stays);
	tcase_add_test(tc, a_change_goes_with_all_that_is_its_own);
	tcase_add_test(tc, what_was_tried_again_goes_last);
	tcase_add_test(tc, what_was_tried_again_goes_in_the_same_run);
	tcase_add_test(tc, a_broken_chain_is_not_pruned);
	tcase_add_test(tc, a_pruning_that_was_stopped_goes_on);
	tcase_add_test(tc, no_record_goes_when_an_unended_change_has_none);
	tcase_add_test(tc, the_latest_change_of_an_instance_stays);
	tcase_add_test(tc, another_organisation_keeps_its_own);
	tcase_add_test(tc, an_administrator_prunes);
	tcase_add_test(tc, nothing_to_prune_writes_nothing);
	tcase_add_test(tc, verifying_goes_on_where_pruning_has_come);
	tcase_add_test(tc, a_checkpoint_that_goes_meanwhile_was_pruned);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
