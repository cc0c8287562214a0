/* test_metrics.c - lib/model/metrics.c: the tower in numbers */
#include "fixture.h"

#include "model/metrics.h"
#include "model/prune.h"

static struct tw_metrics m;

static const struct tw_metrics_org *read_org(const char *name)
{
	size_t i;

	tw_metrics_release(&m);
	OK(tw_metrics_read(store, &alice, &m, &err));
	for (i = 0; i < m.norgs; i++)
		if (strcmp(m.orgs[i].name, name) == 0)
			return &m.orgs[i];
	ck_abort_msg("no organisation %s", name);
	return NULL;
}

START_TEST(hosts_and_queues_are_counted_by_organisation)
{
	const struct tw_metrics_org *o;
	struct tw_who bob = other_tenant();

	add_host("web1");
	add_host("db1");
	add_host("old1");
	add_host_for(&bob, "other");
	file_for("web1");
	file_for("web1");
	file_for("db1");
	claim(number("SELECT id FROM host WHERE name = 'web1'"),
	    tw_clock_now());
	raw("UPDATE host SET revoked = 1 WHERE name = 'old1';"
	    "UPDATE host SET held_reason = 'x', held_by = 'tower', failures ="
	    " 3, last_seen = 5 WHERE name = 'db1';"
	    "UPDATE change SET joins = 1000 WHERE num = 2;"
	    "UPDATE change SET joins = 7 WHERE num = 3");
	o = read_org("default");
	ck_assert_uint_eq(m.norgs, 2);
	ck_assert_int_eq(o->hosts, 2);
	ck_assert_int_eq(o->held_by_tower, 1);
	ck_assert_int_eq(o->held_by_people, 0);
	ck_assert_int_eq(o->queued, 2);
	ck_assert_int_eq(o->running, 1);
	/* what waits on a held host waits for a person */
	ck_assert_int_eq(o->oldest, 1000);
	ck_assert_uint_eq(m.nhosts, 3);
	ck_assert_str_eq(m.hosts[0].name, "other");
	ck_assert_str_eq(m.hosts[1].name, "db1");
	ck_assert(m.hosts[1].is_held);
	ck_assert_int_eq(m.hosts[1].failures, 3);
	ck_assert_int_eq(m.hosts[1].last_seen, 5);
	ck_assert_str_eq(m.orgs[m.hosts[2].org].name, "default");
	raw("UPDATE host SET held_by = 'alice' WHERE name = 'db1'");
	o = read_org("default");
	ck_assert_int_eq(o->held_by_tower, 0);
	ck_assert_int_eq(o->held_by_people, 1);
	ck_assert_int_eq(read_org("acme")->hosts, 1);
	ck_assert_int_eq(read_org("acme")->oldest, 0);
	tw_metrics_release(&m);
	tw_who_release(&bob);
}
END_TEST

/* Every way to an end is counted once, for good. */
START_TEST(ends_are_counted_and_pruning_takes_nothing)
{
	struct tw_prune p = { .before = INT64_MAX };
	int64_t host = add_host("web1"), now = tw_clock_now(), num;
	const struct tw_metrics_org *o;
	enum tw_cancel_result result;
	bool any, more;

	num = file_for("web1");
	ck_assert_int_eq(claim(host, now), num);
	raw("UPDATE change SET joins = started - 40, started = started - 10;"
	    "UPDATE step SET attempts = 3 WHERE k = 2");
	end_as(num, TW_CHANGE_SUCCEEDED, NULL);
	num = file_for("web1");
	OK(tw_change_cancel(store, &alice, num, &result, &err));
	num = file_for("web1");
	claim(host, tw_clock_now());
	end_as(num, TW_CHANGE_FAILED, NULL);
	o = read_org("default");
	ck_assert_int_eq(o->ends[TW_CHANGE_SUCCEEDED].changes, 1);
	ck_assert_int_eq(o->ends[TW_CHANGE_SUCCEEDED].ran, 1);
	ck_assert_int_eq(o->ends[TW_CHANGE_SUCCEEDED].wait, 30);
	ck_assert_int_ge(o->ends[TW_CHANGE_SUCCEEDED].run, 10);
	ck_assert_int_eq(o->ends[TW_CHANGE_CANCELLED].changes, 1);
	ck_assert_int_eq(o->ends[TW_CHANGE_CANCELLED].ran, 0);
	ck_assert_int_eq(o->ends[TW_CHANGE_FAILED].changes, 1);
	ck_assert_int_eq(o->ends[TW_CHANGE_ROLLED_BACK].changes, 0);
	ck_assert_int_eq(o->retries, 2);
	OK(tw_prune_begin(store, &alice, &p, &any, &err));
	for (more = any; more;)
		OK(tw_prune_some(store, &alice, &p, 100, &more, &err));
	ck_assert_int_eq(number("SELECT count(*) FROM change"), 0);
	o = read_org("default");
	ck_assert_int_eq(o->ends[TW_CHANGE_SUCCEEDED].changes, 1);
	ck_assert_int_eq(o->retries, 2);
	tw_metrics_release(&m);
}
END_TEST

START_TEST(behind_a_gate_it_is_for_administrators)
{
	struct tw_who mia = add_member("mia"), owner = { 0 };

	OK(tw_metrics_read(store, &owner, &m, &err));
	tw_metrics_release(&m);
	OK(tw_metrics_read(store, &mia, &m, &err));
	tw_metrics_release(&m);
	permit(&mia, "audit", NULL, 0);
	permit(&mia, "admin", NULL, 0);
	mia.is_gated = true;
	ck_assert_int_eq(tw_metrics_read(store, &mia, &m, &err), TW_DENIED);
	ck_assert_str_eq(err.msg, "mia may not use metrics: they are about "
	    "the whole tower");
	ck_assert_uint_eq(m.norgs, 0);
	alice.is_gated = true;
	OK(tw_metrics_read(store, &alice, &m, &err));
	tw_metrics_release(&m);
	tw_who_release(&mia);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("metrics");
	TCase *tc = tcase_create("metrics");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, hosts_and_queues_are_counted_by_organisation);
	tcase_add_test(tc, ends_are_counted_and_pruning_takes_nothing);
	tcase_add_test(tc, behind_a_gate_it_is_for_administrators);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
