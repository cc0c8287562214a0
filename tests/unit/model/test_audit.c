/*
 * test_audit.c - the chain of records: kept, verified; and what breaks
 *                it is found
 */
#include "model/fixture.h"

#define CHAIN 7

static struct tw_who seven;	/* alice, for the organisation of CHAIN */

static void begin(void)
{
	char sql[400];

	setup();
	snprintf(sql, sizeof sql, "INSERT INTO org (id, name, created)"
	    " VALUES (7, 'seven', 1);"
	    "INSERT INTO member VALUES (7, %lld, 1);"
	    "INSERT INTO permit (org_id, num, operator_id, permission, created,"
	    " created_by) VALUES (7, 1, %lld, 'audit', 1, 'x')",
	    (long long)alice.operator_id, (long long)alice.operator_id);
	raw(sql);
	seven = alice;
	seven.org_id = 7;
	seven.org = (char *)"seven";
}

static void add(int64_t chain, const char *action, const char *host,
    int64_t change)
{
	struct tw_audit a = { .chain = chain, .at = 1790000000000,
	    .operator = "alice", .action = action, .host = host,
	    .change_num = change, .detail = "{\"a\":\"b\"}" };
	bool own = !tw_store_in_tx(store);

	if (own)
		OK(tw_store_begin(store, &err));
	OK(tw_audit_add(store, &a, &err));
	if (own)
		OK(tw_store_commit(store, &err));
}

/* Five records in CHAIN: with and without a host and a change. */
static void five(void)
{
	add(CHAIN, "one", NULL, 0);
	add(CHAIN, "two", "web1", 0);
	add(CHAIN, "three", "web1", 12);
	add(CHAIN, "four", NULL, 12);
	add(CHAIN, "five", "web2", 0);
}

static enum tw_status verify(int64_t *count, int64_t *bad)
{
	return tw_audit_verify(store, &seven, false, 0, NULL, count, bad,
	    NULL, &err);
}

static void expect_bad(int64_t want, const char *message)
{
	int64_t count, bad;

	ck_assert_int_eq(verify(&count, &bad), TW_NO);
	ck_assert_msg(bad == want, "bad %d, not %d: %s", (int)bad, (int)want,
	    err.msg);
	ck_assert_str_eq(err.msg, message);
}

static void no_triggers(void)
{
	raw("DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete;"
	    "DROP TRIGGER audit_append_only;"
	    "DROP TRIGGER audit_anchor_no_way_back;"
	    "DROP TRIGGER audit_anchor_no_delete");
}

START_TEST(a_chain_is_whole)
{
	int64_t count, bad, seq;
	uint8_t hash[32], zero[32] = { 0 };

	OK(verify(&count, &bad));
	ck_assert_int_eq(count, 0);
	OK(tw_audit_head(store, &seven, false, &seq, hash, &err));
	ck_assert_int_eq(seq, 0);
	ck_assert_mem_eq(hash, zero, 32);
	five();
	add(CHAIN + 1, "another chain", NULL, 0);
	OK(verify(&count, &bad));
	ck_assert_int_eq(count, 5);
	ck_assert_int_eq(bad, 0);
	OK(tw_audit_head(store, &seven, false, &seq, hash, &err));
	ck_assert_int_eq(seq, 5);
}
END_TEST

/* The hash by the letter of audit.h, put together by hand. */
START_TEST(the_hash_is_what_the_header_says)
{
	char text[600], prev[65], want[65], hash[65];
	uint8_t first[32], second[32];
	int64_t seq;

	add(CHAIN, "change.file", NULL, 0);
	OK(tw_audit_head(store, &seven, false, &seq, first, &err));
	snprintf(text, sizeof text, "16:towerify-audit-1,1:7,1:1,"
	    "13:1790000000000,5:alice,11:change.file,-,-,9:{\"a\":\"b\"},"
	    "64:%064d,", 0);
	tw_sha256_hex(text, strlen(text), want);
	tw_hex(first, 32, prev);
	ck_assert_str_eq(prev, want);
	add(CHAIN, "x", "web1", 12);
	OK(tw_audit_head(store, &seven, false, &seq, second, &err));
	snprintf(text, sizeof text, "16:towerify-audit-1,1:7,1:2,"
	    "13:1790000000000,5:alice,1:x,4:web1,2:12,9:{\"a\":\"b\"},"
	    "64:%s,", prev);
	tw_sha256_hex(text, strlen(text), want);
	tw_hex(second, 32, hash);
	ck_assert_str_eq(hash, want);
}
END_TEST

START_TEST(a_record_needs_a_transaction)
{
	struct tw_audit a = { .chain = CHAIN, .operator = "x",
	    .action = "y" };

	ck_assert_int_eq(tw_audit_add(store, &a, &err), TW_BUG);
}
END_TEST

START_TEST(records_are_never_changed_or_deleted)
{
	five();
	raw_refused("UPDATE audit SET detail = 'x'",
	    "audit records are never changed");
	raw_refused("UPDATE audit SET at = at WHERE seq = 5",
	    "audit records are never changed");
	raw_refused("DELETE FROM audit WHERE chain = 7 AND seq = 5",
	    "audit records are never deleted");
	raw_refused("INSERT OR REPLACE INTO audit SELECT chain, seq, at,"
	    " 'mallory', action, host, change_num, detail, prev, hash"
	    " FROM audit WHERE chain = 7 AND seq = 2",
	    "audit records are only added at the end");
	raw("INSERT INTO audit_anchor VALUES (7, 3, zeroblob(32))");
	raw_refused("UPDATE audit_anchor SET seq = 2",
	    "an audit anchor only moves on");
	raw_refused("DELETE FROM audit_anchor",
	    "audit anchors are never deleted");
}
END_TEST

/* Every byte of every column of a record in the middle. */
START_TEST(every_byte_that_is_changed_is_found)
{
	static const char *const columns[] = {
		"operator", "action", "host", "detail", "prev", "hash",
	};
	static const int lengths[] = { 5, 5, 4, 9, 32, 32 };
	char sql[500];
	size_t i;
	int k;

	five();
	no_triggers();
	raw("CREATE TABLE copy AS SELECT * FROM audit WHERE chain = 7");
	for (i = 0; i < sizeof columns / sizeof *columns; i++)
		for (k = 1; k <= lengths[i]; k++) {
			bool is_blob = i >= 4;
			int64_t count, bad;

			/* one bit of byte k is turned, through hexadecimal */
			snprintf(sql, sizeof sql, "UPDATE audit SET %s ="
			    " CAST(substr(CAST(%s AS BLOB), 1, %d - 1)"
			    " || CASE hex(substr(CAST(%s AS BLOB), %d, 1))"
			    " WHEN '41' THEN x'42' ELSE x'41' END"
			    " || substr(CAST(%s AS BLOB), %d + 1) AS %s)"
			    " WHERE chain = 7 AND seq = 3", columns[i],
			    columns[i], k, columns[i], k, columns[i], k,
			    is_blob ? "BLOB" : "TEXT");
			raw(sql);
			ck_assert_msg(verify(&count, &bad) == TW_NO,
			    "%s byte %d", columns[i], k);
			ck_assert_int_eq(bad, 3);
			snprintf(sql, sizeof sql, "UPDATE audit SET %s ="
			    " (SELECT %s FROM copy WHERE seq = 3)"
			    " WHERE chain = 7 AND seq = 3", columns[i],
			    columns[i]);
			raw(sql);
			OK(verify(&count, &bad));
		}
}
END_TEST

/* Changes that a careless serialisation would not see. */
START_TEST(other_changes_are_found)
{
	static const struct {
		const char *sql, *undo;
		int64_t bad;
	} cases[] = {
		{ "at = at + 1", "at = at - 1", 3 },
		{ "at = -at", "at = -at", 3 },
		{ "change_num = 13", "change_num = 12", 3 },
		{ "change_num = NULL", "change_num = 12", 3 },
		{ "host = NULL", "host = 'web1'", 3 },
		{ "host = ''", "host = 'web1'", 3 },
		{ "host = 'web1' || char(0)", "host = 'web1'", 3 },
		{ "detail = detail || char(0) || 'x'",
		    "detail = '{\"a\":\"b\"}'", 3 },
		{ "operator = '', action = 'alicethree'",
		    "operator = 'alice', action = 'three'", 3 },
		{ "operator = 'alicet', action = 'hree'",
		    "operator = 'alice', action = 'three'", 3 },
		{ "operator = action, action = operator",
		    "operator = action, action = operator", 3 },
		{ "chain = 8", "chain = 7", 3 },
		{ "seq = 99", "seq = 3", 3 },
	};
	int64_t count, bad;
	char sql[400];
	size_t i;

	five();
	no_triggers();
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(sql, sizeof sql, "UPDATE audit SET %s"
		    " WHERE action IN ('three', 'alice', 'alicethree', 'hree')"
		    , cases[i].sql);
		raw(sql);
		ck_assert_msg(verify(&count, &bad) == TW_NO, "%s",
		    cases[i].sql);
		ck_assert_int_eq(bad, cases[i].bad);
		snprintf(sql, sizeof sql, "UPDATE audit SET %s"
		    " WHERE action IN ('three', 'alice', 'alicethree', 'hree')"
		    , cases[i].undo);
		raw(sql);
		ck_assert_msg(verify(&count, &bad) == TW_OK, "%s: %s",
		    cases[i].undo, err.msg);
	}
	raw("UPDATE audit SET host = '' WHERE chain = 7 AND seq = 1");
	expect_bad(1, "record 1 was changed");
}
END_TEST

START_TEST(what_is_missing_or_put_in_is_found)
{
	int64_t count, bad;

	five();
	no_triggers();
	raw("CREATE TABLE copy AS SELECT * FROM audit WHERE chain = 7;"
	    "DELETE FROM audit WHERE chain = 7 AND seq = 2");
	expect_bad(2, "record 2 is missing");
	raw("INSERT INTO audit SELECT * FROM copy WHERE seq = 2;"
	    "DELETE FROM audit WHERE chain = 7 AND seq = 1");
	expect_bad(1, "record 1 is missing");
	raw("INSERT INTO audit SELECT * FROM copy WHERE seq = 1");
	OK(verify(&count, &bad));
	/* the order of two records swapped */
	raw("UPDATE audit SET seq = 99 WHERE chain = 7 AND seq = 2;"
	    "UPDATE audit SET seq = 2 WHERE chain = 7 AND seq = 3;"
	    "UPDATE audit SET seq = 3 WHERE chain = 7 AND seq = 99");
	expect_bad(2, "record 2 does not follow the one before it");
}
END_TEST

START_TEST(a_chain_cut_short_shows_only_against_a_checkpoint)
{
	int64_t count, bad, seq;
	uint8_t hash[32];

	five();
	OK(tw_audit_head(store, &seven, false, &seq, hash, &err));
	OK(tw_audit_verify(store, &seven, false, seq, hash, &count, &bad, NULL,
	    &err));
	add(CHAIN, "six", NULL, 0);
	OK(tw_audit_verify(store, &seven, false, seq, hash, &count, &bad, NULL,
	    &err));
	no_triggers();
	raw("DELETE FROM audit WHERE chain = 7 AND seq >= 4");
	OK(verify(&count, &bad));
	ck_assert_int_eq(count, 3);
	ck_assert_int_eq(tw_audit_verify(store, &seven, false, seq, hash, &count,
	    &bad, NULL, &err), TW_NO);
	ck_assert_int_eq(bad, 4);
	ck_assert_str_eq(err.msg, "record 4 is missing: the chain ends "
	    "before the checkpoint");
	/* written anew: whole in itself, but not the one of the checkpoint */
	add(CHAIN, "4", NULL, 0);
	add(CHAIN, "5", NULL, 0);
	OK(verify(&count, &bad));
	ck_assert_int_eq(tw_audit_verify(store, &seven, false, seq, hash, &count,
	    &bad, NULL, &err), TW_NO);
	ck_assert_int_eq(bad, 5);
	ck_assert_str_eq(err.msg, "record 5 is not the one of the checkpoint");
}
END_TEST

/* --- looking ----------------------------------------------------------- */

struct seen {
	int n;
	int64_t last;
	bool can_write;
	int stop_at;
};

static enum tw_status see(void *arg, const struct tw_audit *a,
    struct tw_err *e)
{
	struct seen *s = arg;

	ck_assert_int_gt(a->seq, s->last);
	s->last = a->seq;
	s->n++;
	if (s->can_write) {
		/* no statement is open: a transaction goes through */
		OK(tw_store_begin(store, &err));
		OK(tw_store_commit(store, &err));
		s->can_write = false;
	}
	if (s->n == s->stop_at)
		return tw_err_set(e, TW_AGAIN, "enough");
	return TW_OK;
}

static struct seen look(const struct tw_audit_filter *f)
{
	struct seen s = { .can_write = true };

	OK(tw_audit_each(store, &seven, f, see, &s, &err));
	return s;
}

START_TEST(records_are_listed_by_pages_and_filters)
{
	struct tw_audit_filter f = { .since = 0 };
	const char *const hosts[] = { "web1", "nope\xff", NULL };
	struct seen s = { .stop_at = 250 };
	int i;

	OK(tw_store_begin(store, &err));
	for (i = 0; i < 100; i++)
		five();
	OK(tw_store_commit(store, &err));
	ck_assert_int_eq(look(&f).n, 500);
	ck_assert_int_eq(tw_audit_each(store, &seven, &f, see, &s,
	    &err), TW_AGAIN);
	ck_assert_int_eq(s.n, 250);
	f.hosts = hosts;
	ck_assert_int_eq(look(&f).n, 200);
	f.change_num = 12;
	ck_assert_int_eq(look(&f).n, 100);
	f.hosts = NULL;
	ck_assert_int_eq(look(&f).n, 200);
	f.operator = "bob";
	ck_assert_int_eq(look(&f).n, 0);
	f = (struct tw_audit_filter){ .seq = 321 };
	ck_assert_int_eq(look(&f).last, 321);
	ck_assert_int_eq(look(&f).n, 1);
	f.seq = 501;
	ck_assert_int_eq(look(&f).n, 0);
	f = (struct tw_audit_filter){ .since = 1790000000001 };
	ck_assert_int_eq(look(&f).n, 0);
}
END_TEST

START_TEST(a_detail_is_json_whatever_the_bytes)
{
	char *d = tw_audit_detail("a", "x\"y", "none", NULL, "b",
	    "\xff\x1b[2J", (char *)NULL);

	/* the NULL value ends nothing: it is left out */
	ck_assert_str_eq(d, "{\"a\":\"x\\\"y\",\"b\":\"?\\u001B[2J\"}");
	free(d);
}
END_TEST

START_TEST(a_long_chain_is_verified_across_pages)
{
	int64_t count, bad;
	int i;

	OK(tw_store_begin(store, &err));
	for (i = 0; i < 401; i++)
		five();
	OK(tw_store_commit(store, &err));
	OK(verify(&count, &bad));
	ck_assert_int_eq(count, 2005);
	no_triggers();
	raw("DELETE FROM audit WHERE chain = 7 AND seq = 1001");
	expect_bad(1001, "record 1001 is missing");
}
END_TEST

/* What every look at a chain says to who. */
static void check_looks(const struct tw_who *who, bool is_tower,
    const char *message)
{
	struct tw_audit_filter f = { .is_tower = is_tower };
	struct seen s = { .can_write = false };
	uint8_t hash[32] = { 0 };
	int64_t seq, bad;

	ck_assert_int_eq(tw_audit_each(store, who, &f, see, &s, &err),
	    TW_DENIED);
	ck_assert_str_eq(err.msg, message);
	ck_assert_int_eq(s.n, 0);
	ck_assert_int_eq(tw_audit_head(store, who, is_tower, &seq, hash,
	    &err), TW_DENIED);
	ck_assert_str_eq(err.msg, message);
	ck_assert_int_eq(tw_audit_verify(store, who, is_tower, 0, hash, &seq,
	    &bad, NULL, &err), TW_DENIED);
	ck_assert_str_eq(err.msg, message);
}

START_TEST(a_chain_is_for_who_may_audit_it)
{
	struct tw_who bob = other_tenant(), carol = add_member("carol");
	struct tw_audit_filter f = { .is_tower = true };
	struct seen s = { .can_write = false };
	int64_t seq, other;
	uint8_t hash[32];

	permit(&carol, "view", NULL, 0);
	permit(&carol, "change", NULL, 0);
	permit(&carol, "host", NULL, 0);
	permit(&carol, "admin", NULL, 0);
	check_looks(&carol, false,
	    "carol may not audit in organisation 'default'");
	permit(&carol, "audit", NULL, 0);
	OK(tw_audit_head(store, &carol, false, &seq, hash, &err));
	OK(tw_audit_head(store, &bob, false, &other, hash, &err));
	ck_assert_int_eq(seq, 7);	/* member and six grants */
	ck_assert_int_eq(other, 7);
	/* the tower's own: no grant gives it */
	check_looks(&carol, true,
	    "carol is not an administrator of the tower");
	check_looks(&bob, true, "bob is not an administrator of the tower");
	OK(tw_audit_each(store, &alice, &f, see, &s, &err));
	ck_assert_int_gt(s.n, 0);
	ck_assert_int_eq(tw_audit_chain(&alice, true), 0);
	ck_assert_int_eq(tw_audit_chain(&alice, false), alice.org_id);
	tw_who_release(&bob);
	tw_who_release(&carol);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("audit");
	TCase *t = tcase_create("audit");

	tcase_add_checked_fixture(t, begin, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_chain_is_whole);
	tcase_add_test(t, the_hash_is_what_the_header_says);
	tcase_add_test(t, a_record_needs_a_transaction);
	tcase_add_test(t, records_are_never_changed_or_deleted);
	tcase_add_test(t, every_byte_that_is_changed_is_found);
	tcase_add_test(t, other_changes_are_found);
	tcase_add_test(t, what_is_missing_or_put_in_is_found);
	tcase_add_test(t, a_chain_cut_short_shows_only_against_a_checkpoint);
	tcase_add_test(t, records_are_listed_by_pages_and_filters);
	tcase_add_test(t, a_detail_is_json_whatever_the_bytes);
	tcase_add_test(t, a_long_chain_is_verified_across_pages);
	tcase_add_test(t, a_chain_is_for_who_may_audit_it);
	suite_add_tcase(s, t);
	return run_suite(s);
}
