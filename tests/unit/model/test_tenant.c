/*
 * test_tenant.c - rights where things are seen, done and started: what the
 *                 caller may not see is not there, what is refused leaves
 *                 nothing behind, what lost its right never starts
 */
#include "model/fixture.h"
#include "model/tenant.h"

static struct tw_who bob;	/* a member of "default", without permissions */
static int64_t now;

static int64_t add_labelled(const char *name, const char *label)
{
	struct tw_host h = { 0 };
	int64_t id = add_host(name);

	OK(tw_host_get(store, &alice, name, &h, &err));
	h.labels = calloc(2, sizeof *h.labels);
	h.labels[0] = strdup(label);
	OK(tw_host_save(store, &alice, NULL, &h, "{}", &err));
	tw_host_release(&h);
	return id;
}

static void relabel(const char *name, const char *label)
{
	struct tw_host h = { 0 };

	OK(tw_host_get(store, &alice, name, &h, &err));
	free(h.labels[0]);
	h.labels[0] = strdup(label);
	OK(tw_host_save(store, &alice, NULL, &h, "{}", &err));
	tw_host_release(&h);
}

static void start(void)
{
	setup();
	bob = add_member("bob");
	now = tw_clock_now() + 1000;
}

static void end(void)
{
	tw_who_release(&bob);
	teardown();
}

/* --- seeing ------------------------------------------------------------ */

static const char nothing[] =
    "bob may not view anything in organisation 'default'";

/* Names that expr selects for bob, joined; or the message. */
static const char *selected(const char *expr)
{
	static char text[TW_ERR_MSG_MAX];
	struct tw_host *hosts;
	size_t n, i, at = 0;

	text[0] = '\0';
	if (tw_host_select(store, &bob, expr, &hosts, &n, &err) != TW_OK) {
		snprintf(text, sizeof text, "%s", err.msg);
		return text;
	}
	for (i = 0; i < n; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, "%s ",
		    hosts[i].name);
	tw_host_list_free(hosts, n);
	return text;
}

/* "ok", or the message and the hint. */
static const char *got(const char *name)
{
	static char text[TW_ERR_MSG_MAX + TW_ERR_HINT_MAX + 4];
	struct tw_host h;

	if (tw_host_get(store, &bob, name, &h, &err) == TW_OK) {
		tw_host_release(&h);
		return "ok";
	}
	snprintf(text, sizeof text, "%d %s|%s", (int)err.status, err.msg,
	    err.hint);
	return text;
}

START_TEST(hosts_are_seen_within_the_scope)
{
	struct tw_who other = other_tenant();

	add_labelled("web1", "role=front");
	add_labelled("web2", "role=front");
	add_labelled("db1", "role=back");
	add_host_for(&other, "web9");
	ck_assert_str_eq(selected(NULL), nothing);
	ck_assert_int_eq(err.status, TW_DENIED);
	ck_assert_str_eq(got("web1"), "77 bob may not view anything in "
	    "organisation 'default'|");
	ck_assert_str_eq(got("nope"), "77 bob may not view anything in "
	    "organisation 'default'|");
	permit(&bob, "view", "@role=front", 0);
	ck_assert_str_eq(selected(NULL), "web1 web2 ");
	ck_assert_str_eq(selected("*"), "web1 web2 ");
	ck_assert_str_eq(selected("!web1"), "web2 ");
	ck_assert_str_eq(selected("web1,db1,db7"), "unknown host: db1, db7");
	ck_assert_str_eq(selected("@role=back"),
	    "no host matches: @role=back");
	ck_assert_str_eq(got("web1"), "ok");
	ck_assert_str_eq(got("db1"), "1 no host 'db1'|");
	/* hints name only what can be seen */
	ck_assert_str_eq(got("db2"), "1 no host 'db2'|");
	ck_assert_str_eq(got("web9"), "1 no host 'web9'|did you mean "
	    "'web1'?");
	ck_assert_str_eq(got("web3"), "1 no host 'web3'|did you mean "
	    "'web1'?");
	/* each of these three includes the look */
	permit(&bob, "host", "db1", 0);
	ck_assert_str_eq(got("db1"), "ok");
	ck_assert_str_eq(selected(NULL), "db1 web1 web2 ");
	tw_who_release(&other);
}
END_TEST

static enum tw_status list_change(void *arg, const struct tw_change *c,
    struct tw_err *e)
{
	char *text = arg;

	(void)e;
	snprintf(text + strlen(text), 100 - strlen(text), "%lld ",
	    (long long)c->num);
	return TW_OK;
}

/* Numbers of the changes that who sees; or the message. */
static const char *changes_of(const struct tw_who *who)
{
	struct tw_change_filter f = { .all = true };
	static char text[TW_ERR_MSG_MAX];

	text[0] = '\0';
	if (tw_change_each(store, who, &f, list_change, text, &err) != TW_OK)
		snprintf(text, sizeof text, "%s", err.msg);
	return text;
}

/* Every way to one change, by number or id, says that; TW_OK: it is seen. */
static void check_change(const struct tw_who *who, int64_t num, int64_t id,
    enum tw_status want)
{
	struct tw_buf b = TW_BUF_INIT;
	struct tw_step *steps;
	struct tw_change c;
	int64_t after = 0;
	char text[100];
	size_t n;

	ck_assert_int_eq(tw_change_get(store, who, num, &c, &err), want);
	if (want != TW_OK) {
		snprintf(text, sizeof text, "no change %d", (int)num);
		ck_assert_str_eq(err.msg, want == TW_NO ? text : nothing);
		ck_assert_ptr_null(c.title);
	}
	tw_change_release(&c);
	ck_assert_int_eq(tw_change_steps(store, who, id, &steps, &n, &err),
	    want);
	ck_assert_uint_eq(n, want == TW_OK ? 3 : 0);
	tw_step_list_free(steps, n);
	ck_assert_int_eq(tw_output_each(store, who, id, &after, NULL, NULL,
	    &err), want);
	ck_assert_int_eq(tw_change_source(store, who, id, &b, &err), want);
	ck_assert_uint_eq(b.len, want == TW_OK ? 4 : 0);
	tw_buf_release(&b);
}

START_TEST(changes_are_seen_through_their_hosts)
{
	struct tw_filing f = filing();
	struct tw_who carol = add_member("carol");

	add_host("web1");
	add_host("db1");
	add_host("old");
	ck_assert_int_eq(file_for("web1"), 1);
	ck_assert_int_eq(file_for("db1"), 2);
	ck_assert_int_eq(file_with(&alice, "old", &f), 3);
	OK(tw_host_remove(store, &alice, "old", &err));
	ck_assert_str_eq(changes_of(&bob), nothing);
	ck_assert_int_eq(err.status, TW_DENIED);
	check_change(&bob, 1, 1, TW_DENIED);
	permit(&bob, "view", "web*,old", 0);
	ck_assert_str_eq(changes_of(&bob), "1 ");
	check_change(&bob, 1, 1, TW_OK);
	check_change(&bob, 2, 2, TW_NO);
	/* what is left of a removed host, and a new one of its name */
	check_change(&bob, 3, 3, TW_NO);
	add_host("old");
	check_change(&bob, 3, 3, TW_NO);
	ck_assert_str_eq(changes_of(&bob), "1 ");
	permit(&carol, "view", NULL, 0);
	ck_assert_str_eq(changes_of(&carol), "1 2 3 ");
	check_change(&carol, 3, 3, TW_OK);
	tw_who_release(&carol);
}
END_TEST

START_TEST(another_organisations_changes_are_not_there)
{
	struct tw_who other = other_tenant();
	struct tw_filing f = filing();
	enum tw_cancel_result result;
	struct tw_change c;
	int64_t count, first;

	add_host("web1");
	add_host_for(&other, "web1");
	file_for("web1");
	ck_assert_int_eq(file_with(&other, "web1", &f), 1);
	ck_assert_int_eq(file_with(&other, "web1", &f), 2);
	ck_assert_int_eq(number("SELECT id FROM change WHERE num = 2"), 3);
	check_change(&alice, 2, 3, TW_NO);
	ck_assert_int_eq(tw_change_cancel(store, &alice, 2, &result, &err),
	    TW_NO);
	ck_assert_str_eq(err.msg, "no change 2");
	ck_assert_int_eq(tw_change_abandon(store, &alice, 2, "x", &err),
	    TW_NO);
	/* a queue is asked about through one's own change alone */
	OK(tw_change_get(store, &other, 2, &c, &err));
	OK(tw_change_ahead(store, &other, &c, now, &count, &first, &err));
	ck_assert_int_eq(count, 1);
	OK(tw_change_ahead(store, &alice, &c, now, &count, &first, &err));
	ck_assert_int_eq(count, 0);
	tw_change_release(&c);
	ck_assert_int_eq(number("SELECT count(*) FROM change"
	    " WHERE status = 'queued'"), 3);
	tw_who_release(&other);
}
END_TEST

START_TEST(a_key_of_an_unseen_change_tells_no_number)
{
	struct tw_filing f = filing();
	struct tw_host h = { 0 };
	int64_t num;
	bool again;

	add_host("web1");
	add_host("db1");
	f.key = "key";
	file_with(&alice, "db1", &f);
	permit(&bob, "change", "web1", 0);
	OK(tw_host_get(store, &bob, "web1", &h, &err));
	ck_assert_int_eq(tw_change_file(store, &bob, &f, &h, 1, &num, &again,
	    &err), TW_NO);
	ck_assert_str_eq(err.msg,
	    "the key 'key' was used for something else");
	tw_host_release(&h);
}
END_TEST

/* --- doing ------------------------------------------------------------- */

static int64_t rows(void)
{
	return number("SELECT (SELECT count(*) FROM audit)"
	    " + 1000 * (SELECT count(*) FROM change)"
	    " + 1000000 * (SELECT count(*) FROM host)"
	    " + (SELECT coalesce(sum(next_change), 0) FROM org) * 100000000"
	    " + (SELECT count(*) FROM content) * 10000000000");
}

static void check_denied(enum tw_status status, const char *message,
    int64_t before)
{
	ck_assert_int_eq(status, TW_DENIED);
	ck_assert_str_eq(err.msg, message);
	ck_assert_int_eq(rows(), before);
	ck_assert(!tw_store_in_tx(store));
}

START_TEST(denied_acts_on_hosts_leave_nothing)
{
	struct tw_host h = { 0 }, copy = { 0 };
	int64_t id = add_host("web1"), before = rows();
	static const char no[] = "bob may not host web1";

	permit(&bob, "view", NULL, 0);
	permit(&bob, "change", NULL, 0);
	OK(tw_host_get(store, &bob, "web1", &h, &err));
	check_denied(tw_host_save(store, &bob, NULL, &h, "{}", &err), no, before);
	check_denied(tw_host_remove(store, &bob, "web1", &err), no, before);
	check_denied(tw_host_hold(store, &bob, "web1", "x", &err), no, before);
	check_denied(tw_host_release_hold(store, &bob, "web1", &err), no,
	    before);
	check_denied(tw_host_checked(store, &bob, id, "{}", "s", "t", &err),
	    no, before);
	check_denied(tw_host_permit(store, &bob, TW_MAY_HOST, &h, 1, NULL,
	    &err), no, before);
	check_denied(tw_host_permit_any(store, &bob, TW_MAY_HOST, &err),
	    "bob may not host any host of organisation 'default'", before);
	copy = h;
	copy.id = 0;
	copy.name = (char *)"web2";
	copy.queue_id = NULL;
	check_denied(tw_host_add(store, &bob, &copy, &err),
	    "bob may not host web2", before);
	free(copy.queue_id);
	/* hosts that can't be seen are not refused: they are not there */
	raw("DELETE FROM permit WHERE operator_id ="
	    " (SELECT id FROM operator WHERE login = 'bob')");
	permit(&bob, "view", "web7", 0);
	ck_assert_int_eq(tw_host_hold(store, &bob, "web1", "x", &err), TW_NO);
	ck_assert_str_eq(err.msg, "no host 'web1'");
	ck_assert_int_eq(tw_host_permit(store, &bob, TW_MAY_HOST, &h, 1, NULL,
	    &err), TW_NO);
	ck_assert_str_eq(err.msg, "no host 'web1'");
	ck_assert_int_eq(rows(), before);
	tw_host_release(&h);
}
END_TEST

START_TEST(labels_are_judged_before_and_after)
{
	struct tw_host h = { 0 };
	int64_t before;

	add_labelled("web1", "role=front");
	add_labelled("db1", "role=back");
	permit(&bob, "view", NULL, 0);
	permit(&bob, "host", "@role=front", 0);
	before = rows();
	OK(tw_host_get(store, &bob, "web1", &h, &err));
	free(h.labels[0]);
	h.labels[0] = strdup("role=back");
	check_denied(tw_host_save(store, &bob, NULL, &h, "{}", &err),
	    "bob may not host web1", before);
	tw_host_release(&h);
	OK(tw_host_get(store, &bob, "db1", &h, &err));
	free(h.labels[0]);
	h.labels[0] = strdup("role=front");
	check_denied(tw_host_save(store, &bob, NULL, &h, "{}", &err),
	    "bob may not host db1", before);
	tw_host_release(&h);
	OK(tw_host_get(store, &bob, "web1", &h, &err));
	OK(tw_host_save(store, &bob, NULL, &h, "{\"port\":1}", &err));
	ck_assert_str_eq(audit_of(alice.org_id, "host.set").text,
	    "bob web1 0 {\"port\":1,\"grant\":\"8\"}");
	tw_host_release(&h);
}
END_TEST

START_TEST(denied_acts_on_changes_leave_nothing)
{
	enum tw_cancel_result result;
	int64_t id = add_host("web1"), num = file_for("web1"), before;
	const int64_t nums[] = { num, 99 };

	permit(&bob, "view", NULL, 0);
	permit(&bob, "host", NULL, 0);
	before = rows();
	check_denied(tw_change_cancel(store, &bob, num, &result, &err),
	    "bob may not change web1", before);
	check_denied(tw_change_permit(store, &bob, nums, 2, &err),
	    "bob may not change web1", before);
	claim(id, now);
	before = rows();
	check_denied(tw_change_cancel(store, &bob, num, &result, &err),
	    "bob may not change web1", before);
	check_denied(tw_change_abandon(store, &bob, num, "x", &err),
	    "bob may not change web1", before);
	ck_assert_int_eq(number("SELECT count(*) FROM change"
	    " WHERE cancel_by IS NULL AND status = 'running'"), 1);
	permit(&bob, "change", "web1", 0);
	OK(tw_change_permit(store, &bob, nums, 2, &err));
	OK(tw_change_cancel(store, &bob, num, &result, &err));
	ck_assert_str_eq(audit_of(alice.org_id, "change.cancel").text,
	    "bob web1 1 {\"was\":\"running\",\"grant\":\"9\"}");
}
END_TEST

START_TEST(several_hosts_are_all_or_none)
{
	struct tw_filing f = filing();
	struct tw_host *hosts;
	int64_t before, nums[4];
	bool again;
	size_t n;

	add_host("web1");
	add_host("web2");
	add_host("db1");
	add_host("db2");
	permit(&bob, "view", NULL, 0);
	permit(&bob, "change", "web*", 0);
	before = rows();
	OK(tw_host_select(store, &bob, "web1,db2,web2,db1", &hosts, &n,
	    &err));
	check_denied(tw_change_file(store, &bob, &f, hosts, n, nums, &again,
	    &err), "bob may not change db2, db1", before);
	ck_assert_ptr_nonnull(strstr(err.hint, "towerify-op grant bob change"));
	check_denied(tw_change_plan(store, &bob, &f, hosts, n, &err),
	    "bob may not change db2, db1", before);
	tw_host_list_free(hosts, n);
	OK(tw_host_select(store, &bob, "web*", &hosts, &n, &err));
	OK(tw_change_plan(store, &bob, &f, hosts, n, &err));
	ck_assert_int_eq(audit_of(alice.org_id, "change.plan").count, 2);
	OK(tw_change_file(store, &bob, &f, hosts, n, nums, &again, &err));
	ck_assert_int_eq(audit_of(alice.org_id, "change.file").count, 2);
	ck_assert_ptr_nonnull(strstr(audit_of(alice.org_id,
	    "change.file").text, "\"grant\":\"8\""));
	tw_host_list_free(hosts, n);
}
END_TEST

START_TEST(a_limited_pass_takes_what_may_be_changed_or_deployed)
{
	struct tw_host *hosts;
	char **names;
	size_t n;

	add_host("app1");
	add_host("db1");
	add_host("web1");
	permit(&bob, "view", NULL, 0);
	OK(tw_host_select(store, &bob, NULL, &hosts, &n, &err));
	ck_assert_int_eq(tw_host_runnable(store, &bob, hosts, n, false,
	    &names, &err), TW_DENIED);
	ck_assert_str_eq(err.msg,
	    "bob may not change any host of organisation 'default'");
	permit(&bob, "change", "web1", 0);
	permit(&bob, "deploy", "app*", 0);
	OK(tw_host_runnable(store, &bob, hosts, n, false, &names, &err));
	ck_assert_str_eq(names[0], "app1");
	ck_assert_str_eq(names[1], "web1");
	ck_assert_ptr_null(names[2]);
	tw_strv_free(names);
	ck_assert_int_eq(tw_host_runnable(store, &bob, hosts, n, true,
	    &names, &err), TW_DENIED);
	ck_assert_str_eq(err.msg, "bob may not change db1");
	ck_assert_ptr_null(names);
	tw_host_list_free(hosts, n);
}
END_TEST

START_TEST(a_limited_pass_takes_hosts_where_some_app_may_be_deployed)
{
	struct tw_host *hosts;
	char **names;
	size_t n;

	add_host("app1");
	add_host("db1");
	add_host("web1");
	permit(&bob, "view", NULL, 0);
	permit(&bob, "deploy", "app1", 0);
	permit(&bob, "deploy", "web*", 0);
	raw("UPDATE permit SET app = 'wiki' WHERE permission = 'deploy'"
	    " AND operator_id = (SELECT id FROM operator"
	    " WHERE login = 'bob')");
	OK(tw_host_select(store, &bob, NULL, &hosts, &n, &err));
	OK(tw_host_runnable(store, &bob, hosts, n, false, &names, &err));
	ck_assert_str_eq(names[0], "app1");
	ck_assert_str_eq(names[1], "web1");
	ck_assert_ptr_null(names[2]);
	tw_strv_free(names);
	tw_host_list_free(hosts, n);
}
END_TEST

/* --- starting ---------------------------------------------------------- */

/* Bob's change 1 and alice's 2 on web1, which bob may change by its label. */
static int64_t two_changes(int64_t until)
{
	int64_t id = add_labelled("web1", "role=front");
	struct tw_filing f = filing();

	permit(&bob, "change", "@role=front", until);
	ck_assert_int_eq(file_with(&bob, "web1", &f), 1);
	ck_assert_int_eq(file_with(&alice, "web1", &f), 2);
	return id;
}

/* Before the contact: bob's is cancelled, alice's is left. */
static void check_settled(int64_t id)
{
	int64_t gone;
	char reason[64];

	OK(tw_queue_settle(store, id, now, &gone, &err));
	ck_assert_int_eq(gone, 1);
	ck_assert_int_eq(status_of(1, reason), TW_CHANGE_CANCELLED);
	ck_assert_str_eq(reason, "bob may no longer change web1");
	ck_assert_str_eq(audit_of(alice.org_id, "change.cancel").text,
	    "tower web1 1 {\"reason\":\"bob may no longer change web1\"}");
	OK(tw_queue_settle(store, id, now, &gone, &err));
	ck_assert_int_eq(gone, 0);
	ck_assert_int_eq(claim(id, now), 2);
	ck_assert_str_eq(audit_of(alice.org_id, "change.start").text,
	    "tower web1 2 {\"grant\":\"3\"}");
	ck_assert_int_eq(audit_of(alice.org_id, "change.start").count, 1);
}

START_TEST(nothing_starts_once_the_grant_is_gone)
{
	int64_t id = two_changes(0);

	raw("DELETE FROM permit WHERE num > 6");
	check_settled(id);
}
END_TEST

START_TEST(nothing_starts_once_the_grant_has_run_out)
{
	int64_t id = two_changes(tw_clock_now() + 3600000), gone;

	OK(tw_queue_settle(store, id, now, &gone, &err));
	ck_assert_int_eq(gone, 0);
	raw("UPDATE permit SET until = 1000 WHERE num > 6");
	check_settled(id);
}
END_TEST

START_TEST(nothing_starts_once_its_operator_was_removed)
{
	int64_t id = two_changes(0);

	raw("PRAGMA foreign_keys = ON; DELETE FROM member WHERE operator_id ="
	    " (SELECT id FROM operator WHERE login = 'bob')");
	check_settled(id);
}
END_TEST

START_TEST(nothing_starts_once_the_host_lost_its_label)
{
	int64_t id = two_changes(0);

	relabel("web1", "role=back");
	check_settled(id);
}
END_TEST

START_TEST(a_narrower_right_that_is_left_lets_it_start)
{
	int64_t id = two_changes(0), gone;

	raw("DELETE FROM permit WHERE num > 6");
	permit(&bob, "change", "web1", 0);
	OK(tw_queue_settle(store, id, now, &gone, &err));
	ck_assert_int_eq(gone, 0);
	ck_assert_int_eq(claim(id, now), 1);
	ck_assert_str_eq(audit_of(alice.org_id, "change.start").text,
	    "tower web1 1 {\"grant\":\"8\"}");
}
END_TEST

/* Lost after the look, before the start: the claim asks again. */
START_TEST(a_claim_passes_over_what_lost_its_right)
{
	int64_t id = two_changes(0), gone;
	struct tw_change c;

	OK(tw_queue_settle(store, id, now, &gone, &err));
	raw("DELETE FROM permit WHERE num > 6");
	OK(tw_change_claim(store, id, now, &c, &gone, &err));
	ck_assert_int_eq(c.num, 2);
	ck_assert_int_eq(gone, 1);
	ck_assert_int_eq(c.seq, 1);	/* none was taken for the other */
	tw_change_release(&c);
	ck_assert_int_eq(status_of(1, NULL), TW_CHANGE_CANCELLED);
}
END_TEST

START_TEST(a_queue_may_be_empty_afterwards)
{
	int64_t id = add_host("web1"), gone;
	struct tw_filing f = filing();
	struct tw_change c;
	int i;

	permit(&bob, "change", NULL, 0);
	for (i = 0; i < 3; i++)
		file_with(&bob, "web1", &f);
	raw("DELETE FROM permit WHERE num > 6");
	ck_assert_int_eq(tw_change_claim(store, id, now, &c, &gone, &err),
	    TW_NO);
	ck_assert_int_eq(gone, 3);
	ck_assert_int_eq(number("SELECT count(*) FROM change"
	    " WHERE status = 'cancelled' AND ended IS NOT NULL"), 3);
	ck_assert(!tw_store_in_tx(store));
	ck_assert_int_eq(tw_queue_settle(store, id, now, &gone, &err), TW_NO);
	ck_assert_int_eq(gone, 0);
	ck_assert_int_eq(audit_of(alice.org_id, "change.cancel").count, 3);
}
END_TEST

/* What waits for its time, or on a held host, is not due: it is judged when it
 * would start. */
START_TEST(what_is_not_due_is_not_judged_yet)
{
	int64_t id = add_host("web1"), gone;
	struct tw_filing f = filing();

	permit(&bob, "change", NULL, 0);
	f.not_before = now + 3600000;
	file_with(&bob, "web1", &f);
	raw("DELETE FROM permit WHERE num > 6");
	ck_assert_int_eq(tw_queue_settle(store, id, now, &gone, &err), TW_NO);
	ck_assert_int_eq(gone, 0);
	ck_assert_int_eq(tw_queue_settle(store, id, now + 7200000, &gone,
	    &err), TW_NO);
	ck_assert_int_eq(gone, 1);
}
END_TEST

START_TEST(what_runs_is_followed_whatever_became_of_rights)
{
	int64_t id = two_changes(0), gone;
	struct tw_change c;

	ck_assert_int_eq(claim(id, now), 1);
	raw("DELETE FROM permit WHERE num > 6");
	OK(tw_queue_settle(store, id, now, &gone, &err));
	OK(tw_change_claim(store, id, now, &c, &gone, &err));
	ck_assert_int_eq(c.num, 1);
	ck_assert_int_eq(gone, 0);
	tw_change_release(&c);
	end_as(1, TW_CHANGE_SUCCEEDED, NULL);
	ck_assert_int_eq(status_of(1, NULL), TW_CHANGE_SUCCEEDED);
}
END_TEST

START_TEST(a_statement_without_its_tenant_is_a_bug)
{
	static const char all[] = "SELECT id FROM host";
	static const char own[] = "SELECT id FROM host WHERE org_id = ?1";
	struct tw_who owner = { .login = (char *)"cron" };
	struct tw_stmt *st;

	ck_assert_int_eq(tw_tenant_stmt(store, &alice, all, &st, &err),
	    TW_BUG);
	OK(tw_tenant_stmt(store, &alice, own, &st, &err));
	ck_assert_int_eq(tw_tenant_stmt(store, &owner, own, &st, &err),
	    TW_BUG);
	ck_assert_int_eq(tw_tenant_chain(store, &alice, false, own, &st,
	    &err), TW_BUG);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tenant");
	TCase *t = tcase_create("tenant");

	tcase_add_checked_fixture(t, start, end);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, hosts_are_seen_within_the_scope);
	tcase_add_test(t, changes_are_seen_through_their_hosts);
	tcase_add_test(t, another_organisations_changes_are_not_there);
	tcase_add_test(t, a_key_of_an_unseen_change_tells_no_number);
	tcase_add_test(t, denied_acts_on_hosts_leave_nothing);
	tcase_add_test(t, labels_are_judged_before_and_after);
	tcase_add_test(t, denied_acts_on_changes_leave_nothing);
	tcase_add_test(t, several_hosts_are_all_or_none);
	tcase_add_test(t, a_limited_pass_takes_what_may_be_changed_or_deployed);
	tcase_add_test(t,
	    a_limited_pass_takes_hosts_where_some_app_may_be_deployed);
	tcase_add_test(t, nothing_starts_once_the_grant_is_gone);
	tcase_add_test(t, nothing_starts_once_the_grant_has_run_out);
	tcase_add_test(t, nothing_starts_once_its_operator_was_removed);
	tcase_add_test(t, nothing_starts_once_the_host_lost_its_label);
	tcase_add_test(t, a_narrower_right_that_is_left_lets_it_start);
	tcase_add_test(t, a_claim_passes_over_what_lost_its_right);
	tcase_add_test(t, a_queue_may_be_empty_afterwards);
	tcase_add_test(t, what_is_not_due_is_not_judged_yet);
	tcase_add_test(t, what_runs_is_followed_whatever_became_of_rights);
	tcase_add_test(t, a_statement_without_its_tenant_is_a_bug);
	suite_add_tcase(s, t);
	return run_suite(s);
}
