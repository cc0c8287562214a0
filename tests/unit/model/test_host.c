/*
 * test_host.c - hosts: added, found, held, removed
 */
#include "model/fixture.h"

START_TEST(a_host_comes_back_as_it_was_added)
{
	char *labels[] = { (char *)"role=front", (char *)"dc=a=b", NULL };
	struct tw_host h = { .name = (char *)"web1",
	    .address = (char *)"2001:db8::7", .port = 2222,
	    .user = (char *)"deploy", .via = (char *)"jump",
	    .identity = (char *)"/k", .spool = (char *)"/var/x",
	    .transport = (char *)"ssh", .sshconfig = (char *)"{}",
	    .hostkey = (char *)"ssh-ed25519 AAAA", .sudo = true,
	    .port_given = true, .own_config = true, .labels = labels }, got;

	OK(tw_host_add(store, &alice, &h, &err));
	ck_assert_int_eq(strlen(h.queue_id), 32);
	OK(tw_host_get(store, &alice, "web1", &got, &err));
	ck_assert_int_eq(got.id, h.id);
	ck_assert_str_eq(got.address, "2001:db8::7");
	ck_assert_int_eq(got.port, 2222);
	ck_assert_str_eq(got.user, "deploy");
	ck_assert_str_eq(got.via, "jump");
	ck_assert_str_eq(got.identity, "/k");
	ck_assert_str_eq(got.spool, "/var/x");
	ck_assert_str_eq(got.transport, "ssh");
	ck_assert_str_eq(got.sshconfig, "{}");
	ck_assert_str_eq(got.hostkey, "ssh-ed25519 AAAA");
	ck_assert_str_eq(got.queue_id, h.queue_id);
	ck_assert_ptr_null(got.spool_id);
	ck_assert_ptr_null(got.held_reason);
	ck_assert(got.sudo && got.port_given && !got.user_given &&
	    got.own_config);
	ck_assert_str_eq(got.labels[0], "dc=a=b");
	ck_assert_str_eq(got.labels[1], "role=front");
	ck_assert_ptr_null(got.labels[2]);
	ck_assert_int_eq(got.epoch, 1);
	tw_host_release(&got);
	ck_assert_int_eq(tw_host_add(store, &alice, &h, &err), TW_NO);
	ck_assert_str_eq(err.msg, "there is a host 'web1' already");
	ck_assert_int_eq(audit_of(alice.org_id, "host.add").count, 1);
	ck_assert_int_eq(number("SELECT count(*) FROM audit WHERE action ="
	    " 'host.add' AND detail ->> 'labels' = 'role=front,dc=a=b'"), 1);
	free(h.queue_id);
}
END_TEST

START_TEST(without_the_owners_configuration_nothing_of_it_is_stored)
{
	struct tw_host h = { .name = (char *)"web1", .address = (char *)"a",
	    .port = 22, .user = (char *)"u", .hostkey = (char *)"k" }, got;

	h.identity = (char *)"/k";
	ck_assert_int_ne(tw_host_add(store, &alice, &h, &err), TW_OK);
	h.identity = NULL;
	h.sshconfig = (char *)"{}";
	ck_assert_int_ne(tw_host_add(store, &alice, &h, &err), TW_OK);
	h.sshconfig = NULL;
	OK(tw_host_add(store, &alice, &h, &err));
	free(h.queue_id);
	OK(tw_host_get(store, &alice, "web1", &got, &err));
	ck_assert(!got.own_config);
	got.own_config = true;
	OK(tw_host_save(store, &alice, NULL, &got, "{}", &err));
	tw_host_release(&got);
	OK(tw_host_get(store, &alice, "web1", &got, &err));
	ck_assert(got.own_config);
	tw_host_release(&got);
}
END_TEST

START_TEST(a_bad_label_adds_nothing)
{
	char *labels[] = { (char *)"role", NULL };
	struct tw_host h = { .name = (char *)"web1", .address = (char *)"a",
	    .port = 22, .user = (char *)"u", .hostkey = (char *)"k",
	    .labels = labels };

	ck_assert_int_eq(tw_host_add(store, &alice, &h, &err), TW_USAGE);
	ck_assert_int_eq(number("SELECT count(*) FROM host"), 0);
	ck_assert_int_eq(audit_of(alice.org_id, "host.add").count, 0);
	free(h.queue_id);
}
END_TEST

START_TEST(an_unknown_host_gets_the_nearest_name_offered)
{
	struct tw_host h;

	add_host("web1");
	ck_assert_int_eq(tw_host_get(store, &alice, "wbe1", &h, &err), TW_NO);
	ck_assert_str_eq(err.msg, "no host 'wbe1'");
	ck_assert_str_eq(err.hint, "did you mean 'web1'?");
	ck_assert_int_eq(tw_host_get(store, &alice, "zzzzzz", &h, &err),
	    TW_NO);
	ck_assert_str_eq(err.hint, "");
	ck_assert_int_eq(tw_host_load(store, 4711, &h, &err), TW_NO);
}
END_TEST

START_TEST(another_tenants_hosts_are_not_found)
{
	struct tw_who bob = other_tenant();
	struct tw_host h, *list;
	size_t n;

	add_host("web1");
	ck_assert_int_eq(tw_host_get(store, &bob, "web1", &h, &err), TW_NO);
	ck_assert_str_eq(err.msg, "no host 'web1'");
	ck_assert_str_eq(err.hint, "");
	ck_assert_int_eq(tw_host_get(store, &bob, "web2", &h, &err), TW_NO);
	ck_assert_str_eq(err.hint, "");		/* not even as a hint */
	ck_assert_int_eq(tw_host_remove(store, &bob, "web1", &err), TW_NO);
	ck_assert_int_eq(tw_host_hold(store, &bob, "web1", "x", &err), TW_NO);
	ck_assert_int_eq(tw_host_release_hold(store, &bob, "web1", &err),
	    TW_NO);
	OK(tw_host_get(store, &alice, "web1", &h, &err));
	ck_assert_int_eq(tw_host_save(store, &bob, NULL, &h, NULL, &err), TW_NO);
	OK(tw_host_select(store, &bob, NULL, &list, &n, &err));
	ck_assert_uint_eq(n, 0);
	tw_host_list_free(list, n);
	ck_assert_int_eq(tw_host_select(store, &bob, "web1", &list, &n,
	    &err), TW_NO);
	tw_host_release(&h);
	/* the same name in both */
	add_host_for(&bob, "web1");
	OK(tw_host_get(store, &bob, "web1", &h, &err));
	ck_assert_int_eq(h.org_id, bob.org_id);
	tw_host_release(&h);
	tw_who_release(&bob);
}
END_TEST

START_TEST(what_somebody_else_has_changed_is_not_overwritten)
{
	char *labels[] = { (char *)"role=front", NULL };
	struct tw_host was, h, other;

	add_host("web1");
	OK(tw_host_get(store, &alice, "web1", &was, &err));
	OK(tw_host_get(store, &alice, "web1", &h, &err));
	ck_assert(tw_host_is_same(&was, &h));
	h.port = 2222;
	ck_assert(!tw_host_is_same(&was, &h));
	OK(tw_host_get(store, &alice, "web1", &other, &err));
	other.labels = labels;
	OK(tw_host_save(store, &alice, &was, &other, "{}", &err));
	other.labels = NULL;
	tw_host_release(&other);
	ck_assert_int_eq(tw_host_save(store, &alice, &was, &h, "{}", &err),
	    TW_AGAIN);
	ck_assert_str_eq(err.msg,
	    "web1: was changed by somebody else just now");
	tw_host_release(&was);
	OK(tw_host_get(store, &alice, "web1", &was, &err));
	ck_assert_int_eq(was.port, 22);
	ck_assert_str_eq(was.labels[0], "role=front");
	ck_assert(!tw_host_is_same(&was, &h));
	tw_host_release(&was);
	tw_host_release(&h);
}
END_TEST

START_TEST(an_expression_selects_in_its_order)
{
	char *labels[] = { (char *)"role=front", NULL };
	struct tw_host h, *list;
	size_t n;

	add_host("web2");
	add_host("web1");
	add_host("db");
	OK(tw_host_get(store, &alice, "web2", &h, &err));
	h.labels = labels;
	OK(tw_host_save(store, &alice, NULL, &h, "{\"label\":1}", &err));
	h.labels = NULL;
	tw_host_release(&h);
	OK(tw_host_select(store, &alice, NULL, &list, &n, &err));
	ck_assert_uint_eq(n, 3);
	ck_assert_str_eq(list[0].name, "db");
	tw_host_list_free(list, n);
	OK(tw_host_select(store, &alice, "web[1-2],db", &list, &n, &err));
	ck_assert_uint_eq(n, 3);
	ck_assert_str_eq(list[0].name, "web1");
	ck_assert_str_eq(list[1].name, "web2");
	ck_assert_str_eq(list[1].labels[0], "role=front");
	ck_assert_ptr_null(list[0].labels);
	ck_assert_str_eq(list[2].name, "db");
	tw_host_list_free(list, n);
	OK(tw_host_select(store, &alice, "@role=front", &list, &n, &err));
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(list[0].name, "web2");
	tw_host_list_free(list, n);
	ck_assert_int_eq(tw_host_select(store, &alice, "web7", &list, &n,
	    &err), TW_NO);
	ck_assert_ptr_null(list);
	ck_assert_int_eq(tw_host_select(store, &alice, "web[3-1]", &list, &n,
	    &err), TW_USAGE);
}
END_TEST

START_TEST(holding_and_releasing)
{
	struct tw_host h;
	int64_t id = add_host("web1");

	ck_assert_int_eq(tw_host_release_hold(store, &alice, "web1", &err),
	    TW_NO);
	ck_assert_str_eq(err.msg, "web1: is not held");
	OK(tw_host_hold(store, &alice, "web1", "disk", &err));
	OK(tw_host_hold(store, &alice, "web1", "another", &err));
	OK(tw_host_get(store, &alice, "web1", &h, &err));
	ck_assert_str_eq(h.held_reason, "disk");
	ck_assert_str_eq(h.held_by, "alice");
	ck_assert_int_gt(h.held_since, 0);
	ck_assert(!h.unhold);
	tw_host_release(&h);
	ck_assert_int_eq(audit_of(alice.org_id, "host.hold").count, 1);
	/* or a running change would be followed into the same trouble again
	 * and again */
	OK(tw_host_hold_tower(store, id, "the login is refused", &err));
	OK(tw_host_hold_tower(store, id, "and more", &err));
	OK(tw_host_hold(store, &alice, "web1", "and yet more", &err));
	OK(tw_host_get(store, &alice, "web1", &h, &err));
	ck_assert_str_eq(h.held_reason, "the login is refused; held before by "
	    "alice: disk");
	ck_assert_str_eq(h.held_by, "tower");
	tw_host_release(&h);
	ck_assert_int_eq(audit_of(alice.org_id, "host.hold").count, 2);
	OK(tw_host_unreachable(store, id, 1000, "refused", NULL, &err));
	OK(tw_host_release_hold(store, &alice, "web1", &err));
	OK(tw_host_get(store, &alice, "web1", &h, &err));
	ck_assert_ptr_null(h.held_reason);
	ck_assert_ptr_null(h.held_by);
	ck_assert_int_eq(h.failures, 0);
	ck_assert_int_eq(h.next_attempt, 0);
	ck_assert(h.unhold);
	tw_host_release(&h);
	OK(tw_host_answered(store, id, 2000, 0, 0, false, &err));
	ck_assert_int_eq(number("SELECT unhold FROM host"), 1);
	OK(tw_host_answered(store, id, 2000, 0, 0, true, &err));
	ck_assert_int_eq(number("SELECT unhold FROM host"), 0);
	ck_assert_str_eq(audit_of(alice.org_id, "host.release").text,
	    "alice web1 0 {\"was\":\"the login is refused; held before "
	    "by alice: disk\",\"grant\":\"4\"}");
}
END_TEST

/* A change that runs, but was not accepted yet: would it be sent once more? */
static bool is_sent_again(const char *name, const char *spool_id)
{
	struct tw_host h;

	OK(tw_host_get(store, &alice, name, &h, &err));
	free(h.spool_id);
	h.spool_id = strdup(spool_id);
	OK(tw_host_save(store, &alice, NULL, &h, "{}", &err));
	tw_host_release(&h);
	return number("SELECT accepted IS NULL FROM change WHERE status ="
	    " 'running'");
}

START_TEST(what_may_have_run_is_not_sent_to_another_spool)
{
	int64_t id = add_host("web1"), cancelled;
	struct tw_change c;

	file_for("web1");
	OK(tw_change_claim(store, id, tw_clock_now(), &c, &cancelled, &err));
	ck_assert(!c.in_doubt);
	/* the host said that it took nothing */
	OK(tw_change_not_taken(store, &c, &err));
	tw_change_release(&c);
	ck_assert(is_sent_again("web1", "11111111111111111111111111111111"));
	OK(tw_change_claim(store, id, tw_clock_now(), &c, &cancelled, &err));
	ck_assert(!c.in_doubt);
	tw_change_release(&c);
	/* no answer; the next request can't know */
	OK(tw_change_claim(store, id, tw_clock_now(), &c, &cancelled, &err));
	ck_assert(c.in_doubt);
	tw_change_release(&c);
	ck_assert(is_sent_again("web1", "11111111111111111111111111111111"));
	ck_assert(!is_sent_again("web1", "22222222222222222222222222222222"));
}
END_TEST

START_TEST(failures_delay_the_next_attempt)
{
	static const int64_t most[] = {
		5000, 10000, 20000, 40000, 80000, 160000, 300000, 300000,
	};
	int64_t id = add_host("web1"), next, before;
	size_t i;

	before = number("SELECT count(*) FROM audit");
	for (i = 0; i < 8; i++) {
		OK(tw_host_unreachable(store, id, 1000000, "no route", NULL, &err));
		next = number("SELECT next_attempt FROM host") - 1000000;
		ck_assert_int_le(next, most[i]);
		ck_assert_int_ge(next, most[i] * 3 / 4 - 1);
	}
	ck_assert_int_eq(number("SELECT failures FROM host"), 8);
	OK(tw_host_answered(store, id, 2000000, 1, 5, false, &err));
	ck_assert_int_eq(number("SELECT failures FROM host"), 0);
	ck_assert_int_eq(number("SELECT next_attempt IS NULL FROM host"), 1);
	ck_assert_int_eq(number("SELECT last_seen FROM host"), 2000000);
	ck_assert_int_eq(number("SELECT count(*) FROM audit"), before);
}
END_TEST

/* The step's limit is 30 s; it runs and is undone in 10 s each, at most. */
START_TEST(a_host_is_tried_often_while_a_step_may_have_cut_it_off)
{
	int64_t id = add_host("web1"), until, every, gone, i;
	struct tw_step step = { .k = 1, .state = (char *)"confirming",
	    .code = -1, .undo_code = -1, .started = 5000, .awaited = 7000 };
	struct tw_change c;

	file_for("web1");
	raw("UPDATE step SET confirm = 30000, timeout = 10000, longest = 10000");
	ck_assert_int_eq(tw_change_confirming(store, id, &until, &every, &err),
	    TW_NO);
	OK(tw_change_claim(store, id, tw_clock_now(), &c, &gone, &err));
	ck_assert_int_eq(tw_change_confirming(store, id, &until, &every, &err),
	    TW_NO);
	OK(tw_change_accepted(store, &c, 1000, &err));
	OK(tw_change_confirming(store, id, &until, &every, &err));
	ck_assert_int_eq(until, 1000 + 30000 + 20000 + 30000);
	ck_assert_int_eq(every, 3000);
	OK(tw_store_begin(store, &err));
	OK(tw_step_save(store, &c, &step, false, &err));
	OK(tw_store_commit(store, &err));
	OK(tw_change_confirming(store, id, &until, &every, &err));
	ck_assert_int_eq(until, 7000 + 80000);
	for (i = 0; i < 8; i++)
		OK(tw_host_unreachable(store, id, 86999, "refused", NULL, &err));
	ck_assert_int_eq(number("SELECT next_attempt FROM host"), 89999);
	OK(tw_host_unreachable(store, id, 87000, "refused", NULL, &err));
	ck_assert_int_gt(number("SELECT next_attempt FROM host"), 200000);
	raw("UPDATE step SET confirm = 5000");
	OK(tw_change_confirming(store, id, &until, &every, &err));
	ck_assert_int_eq(every, 1000);
	raw("UPDATE step SET confirm = 3600000");
	OK(tw_change_confirming(store, id, &until, &every, &err));
	ck_assert_int_eq(every, 10000);
	raw("UPDATE change SET phase = 'undo'");
	ck_assert_int_eq(tw_change_confirming(store, id, &until, &every, &err),
	    TW_NO);
	raw("UPDATE change SET phase = 'do'; UPDATE step SET ended = 1");
	ck_assert_int_eq(tw_change_confirming(store, id, &until, &every, &err),
	    TW_NO);
	tw_change_release(&c);
}
END_TEST

/* Nobody was there as the steps before it ran. */
START_TEST(the_time_of_the_steps_before_counts)
{
	int64_t id = add_host("web1"), until, every, gone;
	struct tw_change c;

	file_for("web1");
	raw("UPDATE step SET timeout = 1200000, longest = 3600000 WHERE k = 1;"
	    "UPDATE step SET timeout = 10000, longest = 30000, confirm = 30000"
	    "    WHERE k = 2");
	OK(tw_change_claim(store, id, tw_clock_now(), &c, &gone, &err));
	OK(tw_change_accepted(store, &c, 1000, &err));
	OK(tw_change_confirming(store, id, &until, &every, &err));
	/* the steps, confirm, undo, slack */
	ck_assert_int_eq(until, 1000 + 3600000 + 30000 + 30000 + 10000 +
	    30000);
	raw("UPDATE step SET started = 5000 WHERE k = 1");
	OK(tw_change_confirming(store, id, &until, &every, &err));
	ck_assert_int_eq(until, 5000 + 3600000 + 100000);
	raw("UPDATE step SET ended = 9000 WHERE k = 1;"
	    "UPDATE step SET started = 9000 WHERE k = 2");
	OK(tw_change_confirming(store, id, &until, &every, &err));
	ck_assert_int_eq(until, 9000 + 100000);
	tw_change_release(&c);
}
END_TEST

/* Hosts shut out who comes too often by a login that they refuse. */
START_TEST(a_login_that_is_refused_is_never_tried_often)
{
	static const int64_t most[] = {
		5000, 10000, 20000, 40000, 80000, 160000, 300000, 300000,
	};
	int64_t id = add_host("web1"), gone, i, next;
	struct tw_change c;

	file_for("web1");
	raw("UPDATE step SET confirm = 10000, timeout = 3600000");
	OK(tw_change_claim(store, id, tw_clock_now(), &c, &gone, &err));
	OK(tw_change_accepted(store, &c, 1000, &err));
	/* whatever came before */
	for (i = 0; i < 20; i++)
		OK(tw_host_unreachable(store, id, 2000, "no route", NULL, &err));
	ck_assert_int_eq(number("SELECT next_attempt FROM host"), 3000);
	for (i = 0; i < 8; i++) {
		OK(tw_host_refused(store, id, 3000, "refused", NULL, &err));
		next = number("SELECT next_attempt FROM host") - 3000;
		ck_assert_int_le(next, most[i]);
		ck_assert_int_ge(next, most[i] * 3 / 4);
	}
	tw_change_release(&c);
}
END_TEST

START_TEST(a_fence_only_rises)
{
	int64_t id = add_host("web1");

	OK(tw_host_answered(store, id, 1, 1, 5, false, &err));
	OK(tw_host_answered(store, id, 1, 1, 3, false, &err));
	ck_assert_int_eq(number("SELECT fence_seq FROM host"), 5);
	OK(tw_host_answered(store, id, 1, 2, 1, false, &err));
	ck_assert_int_eq(number("SELECT fence_epoch FROM host"), 2);
	ck_assert_int_eq(number("SELECT fence_seq FROM host"), 1);
	OK(tw_host_answered(store, id, 1, 1, 9, false, &err));
	ck_assert_int_eq(number("SELECT fence_epoch * 100 + fence_seq"
	    " FROM host"), 201);
}
END_TEST

/* A copy of the state has taken its place, and has given lower numbers. */
START_TEST(a_release_overtakes_a_later_epoch)
{
	int64_t id = add_host("web1");

	raw("UPDATE host SET next_seq = 9, acked_seq = 4");
	OK(tw_host_answered(store, id, 1, 3, 6, false, &err));
	OK(tw_host_hold_tower(store, id, "an old copy", &err));
	OK(tw_host_release_hold(store, &alice, "web1", &err));
	ck_assert_int_eq(number("SELECT epoch * 100 + next_seq FROM host"),
	    409);
	/* what it has and this state does not know is given up */
	ck_assert_int_eq(number("SELECT acked_seq FROM host"), 6);
	OK(tw_host_hold_tower(store, id, "something else", &err));
	OK(tw_host_release_hold(store, &alice, "web1", &err));
	ck_assert_int_eq(number("SELECT epoch * 100 + next_seq FROM host"),
	    409);
}
END_TEST

START_TEST(a_release_gives_up_nothing_that_runs_here)
{
	int64_t id = add_host("web1"), num = file_for("web1");

	ck_assert_int_eq(claim(id, tw_clock_now()), num);
	raw("UPDATE change SET accepted = started");
	raw("UPDATE change SET seq = 5");
	raw("UPDATE host SET next_seq = 6, acked_seq = 2");
	OK(tw_host_answered(store, id, 1, 1, 5, false, &err));
	OK(tw_host_hold_tower(store, id, "something", &err));
	OK(tw_host_release_hold(store, &alice, "web1", &err));
	ck_assert_int_eq(number("SELECT acked_seq FROM host"), 4);
}
END_TEST

START_TEST(a_fence_that_came_meanwhile_stays)
{
	struct tw_host was, h;
	int64_t id = add_host("web1");

	OK(tw_host_get(store, &alice, "web1", &was, &err));
	OK(tw_host_get(store, &alice, "web1", &h, &err));
	OK(tw_host_answered(store, id, 1, 1, 3, false, &err));
	OK(tw_host_save(store, &alice, &was, &h, "{}", &err));
	ck_assert_int_eq(number("SELECT fence_seq FROM host"), 3);
	tw_host_release(&was);
	tw_host_release(&h);
	/* whoever accepts the spool as it is now sets it to 0 */
	OK(tw_host_get(store, &alice, "web1", &was, &err));
	OK(tw_host_get(store, &alice, "web1", &h, &err));
	h.fence_epoch = h.fence_seq = 0;
	OK(tw_host_save(store, &alice, &was, &h, "{}", &err));
	ck_assert_int_eq(number("SELECT fence_seq FROM host"), 0);
	tw_host_release(&was);
	tw_host_release(&h);
}
END_TEST

START_TEST(a_check_pins_the_spool_once)
{
	int64_t id = add_host("web1");
	struct tw_host h;

	raw("UPDATE host SET spool_id = NULL");
	OK(tw_host_checked(store, &alice, id, "{\"os\":\"debian\"}", "one",
	    "libssh2", &err));
	OK(tw_host_checked(store, &alice, id, NULL, "two", NULL, &err));
	OK(tw_host_get(store, &alice, "web1", &h, &err));
	ck_assert_str_eq(h.spool_id, "one");
	ck_assert_str_eq(h.facts, "{\"os\":\"debian\"}");
	ck_assert_str_eq(h.transport_used, "libssh2");
	ck_assert_int_gt(h.facts_at, 0);
	tw_host_release(&h);
	ck_assert_int_eq(audit_of(alice.org_id, "host.check").count, 2);
	ck_assert_int_eq(tw_host_checked(store, &alice, 4711, NULL, NULL,
	    NULL, &err), TW_NO);
}
END_TEST

/* --- removing ---------------------------------------------------------- */

START_TEST(removing_a_host_cancels_what_waits)
{
	int64_t id = add_host("web1"), first, second;
	char reason[64];

	first = file_for("web1");
	second = file_for("web1");
	ck_assert_int_eq(claim(id, tw_clock_now()), first);
	ck_assert_int_eq(tw_host_remove(store, &alice, "web1", &err), TW_NO);
	ck_assert_str_eq(err.msg, "web1: change 1 is running");
	ck_assert_int_eq(status_of(second, NULL), TW_CHANGE_QUEUED);
	end_as(first, TW_CHANGE_SUCCEEDED, NULL);
	OK(tw_host_remove(store, &alice, "web1", &err));
	ck_assert_int_eq(status_of(first, NULL), TW_CHANGE_SUCCEEDED);
	ck_assert_int_eq(status_of(second, reason), TW_CHANGE_CANCELLED);
	ck_assert_str_eq(reason, "host removed");
	ck_assert_str_eq(audit_of(alice.org_id, "change.cancel").text,
	    "alice web1 2 {\"reason\":\"host removed\",\"grant\":\"4\"}");
	ck_assert_int_eq(audit_of(alice.org_id, "host.remove").count, 1);
	ck_assert_int_eq(number("SELECT count(*) FROM change"
	    " WHERE host_id IS NULL AND host_name = 'web1'"), 2);
	ck_assert_int_eq(number("SELECT count(*) FROM label"), 0);
	/* the name is free again, with a queue of its own */
	id = add_host("web1");
	ck_assert_int_eq(claim(id, tw_clock_now()), 0);
	OK(tw_store_check(store, &err));
}
END_TEST

/* --- revoking ---------------------------------------------------------- */

static enum tw_status begin(const char *name, bool may_cancel, bool *shared)
{
	return tw_host_revoke_begin(store, &alice, name, may_cancel, shared,
	    &err);
}

START_TEST(a_host_is_held_while_the_tower_leaves_it)
{
	int64_t id = add_host("web1"), num = file_for("web1");
	bool shared;

	ck_assert_int_eq(begin("web1", false, &shared), TW_NO);
	ck_assert_str_eq(err.msg, "web1: 1 change is queued");
	ck_assert_int_eq(audit_of(alice.org_id, "host.hold").count, 0);
	OK(begin("web1", true, &shared));
	ck_assert(!shared);
	ck_assert_int_eq(claim(id, tw_clock_now()), 0);
	ck_assert_int_eq(status_of(num, NULL), TW_CHANGE_QUEUED);
	OK(tw_host_release_hold(store, &alice, "web1", &err));
	ck_assert_int_eq(claim(id, tw_clock_now()), num);
	ck_assert_int_eq(begin("web1", true, &shared), TW_NO);
	ck_assert_str_eq(err.msg, "web1: change 1 is running");
	ck_assert_int_eq(tw_host_revoke(store, &alice, "web1", "1", "gone",
	    &err), TW_NO);
}
END_TEST

START_TEST(a_spool_of_two_hosts_is_shared)
{
	bool shared;

	add_host("web1");
	add_host("web2");
	raw("UPDATE host SET spool_id = 'x'");
	OK(begin("web1", false, &shared));
	ck_assert(shared);
	OK(tw_host_revoke(store, &alice, "web1", "1", "shared", &err));
	OK(begin("web2", false, &shared));
	ck_assert(!shared);
}
END_TEST

START_TEST(a_revoked_host_keeps_its_history_alone)
{
	int64_t id = add_host("web1"), num = file_for("web1");
	struct tw_filing f = filing();
	struct tw_host h;
	char reason[64];
	bool again;

	OK(tw_host_leaving(store, &alice, "web1", &err));
	ck_assert_int_eq(number("SELECT leaving FROM host"), 1);
	OK(tw_host_revoke(store, &alice, "web1", "2", "gone", &err));
	ck_assert_int_eq(status_of(num, reason), TW_CHANGE_CANCELLED);
	ck_assert_str_eq(reason, "host revoked");
	ck_assert_str_eq(audit_of(alice.org_id, "host.revoke").text,
	    "alice web1 0 {\"keys\":\"2\",\"spool\":\"gone\",\"grant\":\"4\"}");
	OK(tw_host_get(store, &alice, "web1", &h, &err));
	ck_assert_int_eq(h.id, id);
	ck_assert(h.revoked && !h.leaving && !h.held_reason);
	ck_assert_str_eq(h.revoked_by, "alice");
	ck_assert_int_eq(tw_change_file(store, &alice, &f, &h, 1, &num, &again,
	    &err), TW_NO);
	ck_assert_str_eq(err.msg, "web1 is revoked");
	ck_assert_int_eq(tw_host_save(store, &alice, NULL, &h, "{}", &err), TW_NO);
	ck_assert_int_eq(tw_host_hold(store, &alice, "web1", "x", &err), TW_NO);
	ck_assert_int_eq(tw_host_revoke(store, &alice, "web1", NULL, NULL,
	    &err), TW_NO);
	ck_assert_str_eq(err.msg, "web1 is revoked");
	tw_host_release(&h);
}
END_TEST

START_TEST(a_revoked_host_comes_back_by_its_name)
{
	struct tw_who bob = add_member("bob");
	int64_t id = add_host("web1"), num = file_for("web1");
	struct tw_host h;

	OK(tw_host_answered(store, id, tw_clock_now(), 1, 7, false, &err));
	OK(tw_host_revoke(store, &alice, "web1", "1", "gone", &err));
	OK(tw_host_get(store, &alice, "web1", &h, &err));
	/* not by who may only add what bears another label */
	raw("INSERT INTO label VALUES (1, 'role', 'old')");
	permit(&bob, "host", "@role=new", 0);
	tw_strv_free(h.labels);
	h.labels = calloc(2, sizeof *h.labels);
	h.labels[0] = strdup("role=new");
	ck_assert_int_eq(tw_host_add(store, &bob, &h, &err), TW_NO);
	ck_assert_str_eq(err.msg, "there is a host 'web1' already");
	OK(tw_host_add(store, &alice, &h, &err));
	ck_assert_int_eq(h.id, id);
	tw_host_release(&h);
	OK(tw_host_get(store, &alice, "web1", &h, &err));
	ck_assert_int_eq(h.id, id);
	ck_assert(!h.revoked && !h.revoked_by && !h.fence_seq);
	ck_assert_str_eq(h.labels[0], "role=new");
	ck_assert_int_eq(number("SELECT count(*) FROM change"
	    " WHERE host_id IS NOT NULL"), 1);
	ck_assert_int_eq(file_for("web1"), num + 1);
	ck_assert_ptr_nonnull(strstr(audit_of(alice.org_id, "host.add").text,
	    "\"was\":\"revoked\""));
	tw_host_release(&h);
	tw_who_release(&bob);
}
END_TEST

START_TEST(a_check_ends_the_wait_for_the_next_attempt)
{
	int64_t id = add_host("web1");

	OK(tw_host_unreachable(store, id, tw_clock_now(), "refused", NULL, &err));
	ck_assert_int_eq(number("SELECT failures FROM host WHERE next_attempt "
	    "IS NOT NULL"), 1);
	OK(tw_host_checked(store, &alice, id, NULL, NULL, NULL, &err));
	ck_assert_int_eq(number("SELECT count(*) FROM host WHERE failures = 0 "
	    "AND next_attempt IS NULL"), 1);
}
END_TEST

START_TEST(an_accepted_spool_begins_without_a_fence)
{
	struct tw_host h;
	int64_t id = add_host("web1");

	OK(tw_host_answered(store, id, tw_clock_now(), 1, 7, false, &err));
	OK(tw_host_get(store, &alice, "web1", &h, &err));
	OK(tw_host_save(store, &alice, NULL, &h, "{}", &err));
	ck_assert_int_eq(number("SELECT fence_seq FROM host"), 7);
	h.fence_epoch = h.fence_seq = 0;
	OK(tw_host_save(store, &alice, NULL, &h, "{}", &err));
	ck_assert_int_eq(number("SELECT fence_seq + fence_epoch FROM host"),
	    0);
	tw_host_release(&h);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("host");
	TCase *t = tcase_create("host");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_host_comes_back_as_it_was_added);
	tcase_add_test(t,
	    without_the_owners_configuration_nothing_of_it_is_stored);
	tcase_add_test(t, a_bad_label_adds_nothing);
	tcase_add_test(t, what_somebody_else_has_changed_is_not_overwritten);
	tcase_add_test(t, an_unknown_host_gets_the_nearest_name_offered);
	tcase_add_test(t, another_tenants_hosts_are_not_found);
	tcase_add_test(t, an_expression_selects_in_its_order);
	tcase_add_test(t, holding_and_releasing);
	tcase_add_test(t, what_may_have_run_is_not_sent_to_another_spool);
	tcase_add_test(t, failures_delay_the_next_attempt);
	tcase_add_test(t,
	    a_host_is_tried_often_while_a_step_may_have_cut_it_off);
	tcase_add_test(t, the_time_of_the_steps_before_counts);
	tcase_add_test(t, a_login_that_is_refused_is_never_tried_often);
	tcase_add_test(t, a_fence_only_rises);
	tcase_add_test(t, a_release_overtakes_a_later_epoch);
	tcase_add_test(t, a_release_gives_up_nothing_that_runs_here);
	tcase_add_test(t, a_fence_that_came_meanwhile_stays);
	tcase_add_test(t, a_check_pins_the_spool_once);
	tcase_add_test(t, removing_a_host_cancels_what_waits);
	tcase_add_test(t, a_host_is_held_while_the_tower_leaves_it);
	tcase_add_test(t, a_spool_of_two_hosts_is_shared);
	tcase_add_test(t, a_revoked_host_keeps_its_history_alone);
	tcase_add_test(t, a_revoked_host_comes_back_by_its_name);
	tcase_add_test(t, a_check_ends_the_wait_for_the_next_attempt);
	tcase_add_test(t, an_accepted_spool_begins_without_a_fence);
	suite_add_tcase(s, t);
	return run_suite(s);
}
