/* test_successor.c - the login that follows a host's: who may name it, whether it
 * can follow, and what each end of its change makes of it */
#include "model/fixture.h"

static int64_t host;

static void begin(void)
{
	setup();
	host = add_host("web1");
}

static struct tw_filing moving(const struct tw_successor *s)
{
	struct tw_filing f = filing();

	f.successor = s;
	return f;
}

static const struct tw_successor admin = { .user = (char *)"admin",
    .has_sudo = true, .sudo = true };

/* "USER PORT SUDO" of the host. */
static void login_is(const char *want)
{
	struct tw_host h;
	char text[80];

	OK(tw_host_get(store, &alice, "web1", &h, &err));
	snprintf(text, sizeof text, "%s %d %d", h.user, h.port, h.sudo);
	ck_assert_str_eq(text, want);
	tw_host_release(&h);
}

static enum tw_status try_file(const struct tw_who *who,
    const struct tw_filing *f)
{
	enum tw_status status;
	struct tw_host h;
	int64_t num;
	bool again;

	OK(tw_host_get(store, who, "web1", &h, &err));
	status = tw_change_file(store, who, f, &h, 1, &num, &again, &err);
	tw_host_release(&h);
	return status;
}

START_TEST(it_is_stored_with_its_change)
{
	const struct tw_successor s = { .user = (char *)"admin", .port = 2222,
	    .has_sudo = true, .sudo = true };
	struct tw_filing f = moving(&s);
	int64_t num = file_with(&alice, "web1", &f);
	struct tw_buf b = TW_BUF_INIT;
	struct tw_change c;

	OK(tw_change_get(store, &alice, num, &c, &err));
	ck_assert(tw_successor_is_there(&c.successor));
	tw_successor_describe(&c.successor, &b);
	ck_assert_str_eq(b.data, "admin, port 2222, with sudo");
	ck_assert_ptr_nonnull(strstr(audit_of(alice.org_id, "change.file").text,
	    "\"successor\":\"admin, port 2222, with sudo\""));
	ck_assert_ptr_nonnull(strstr(audit_of(alice.org_id, "change.file").text,
	    "\"host_grant\":"));
	tw_buf_release(&b);
	tw_change_release(&c);
	f.successor = NULL;
	OK(tw_change_get(store, &alice, file_with(&alice, "web1", &f), &c,
	    &err));
	ck_assert(!tw_successor_is_there(&c.successor));
	tw_change_release(&c);
}
END_TEST

START_TEST(it_needs_host_as_well)
{
	struct tw_filing f = moving(&admin);
	struct tw_who bob = add_member("bob");

	permit(&bob, "change", "web1", 0);
	ck_assert_int_eq(try_file(&bob, &f), TW_DENIED);
	ck_assert_str_eq(err.msg, "bob may not host web1");
	ck_assert_int_eq(number("SELECT count(*) FROM change"), 0);
	f.successor = NULL;
	OK(try_file(&bob, &f));
	f.successor = &admin;
	permit(&bob, "host", "web1", 0);
	OK(try_file(&bob, &f));
	tw_who_release(&bob);
}
END_TEST

START_TEST(a_right_that_is_gone_starts_nothing)
{
	struct tw_filing f = moving(&admin);
	struct tw_who bob = add_member("bob");
	char reason[64];

	permit(&bob, "change", "web1", 0);
	permit(&bob, "host", "web1", 0);
	OK(try_file(&bob, &f));
	raw("DELETE FROM permit WHERE permission = 'host' AND hosts = 'web1'");
	ck_assert_int_eq(claim(host, tw_clock_now()), 0);
	ck_assert_int_eq(status_of(1, reason), TW_CHANGE_CANCELLED);
	ck_assert_str_eq(reason, "bob may no longer host web1");
	tw_who_release(&bob);
}
END_TEST

/* What the host is logged in to with, the successor, and why not. */
static const struct {
	const char *user;
	int sudo;
	struct tw_successor next;
	const char *message;
} fits[] = {
	{ "root", 0, { .user = (char *)"admin" },
	    "web1: its successor login admin would not be root there: the "
	    "spool is root's" },
	{ "root", 0, { .user = (char *)"admin", .has_sudo = true, .sudo = true },
	    NULL },
	{ "deploy", 1, { .user = (char *)"root", .has_sudo = true }, NULL },
	{ "deploy", 1, { .user = (char *)"other" }, NULL },
	{ "deploy", 1, { .port = 2222, .has_sudo = true },
	    "web1: its successor login deploy would not be root there: the "
	    "spool is root's" },
	{ "deploy", 0, { .port = 2222 }, NULL },
	{ "deploy", 0, { .user = (char *)"other" },
	    "web1: its successor login other would not be deploy there: the "
	    "spool is that user's" },
	{ "deploy", 0, { .port = 2222, .has_sudo = true, .sudo = true },
	    "web1: its successor login deploy with sudo would not be deploy "
	    "there: the spool is that user's" },
};

START_TEST(the_spool_stays_whose_it_is)
{
	struct tw_filing f = moving(&fits[_i].next);
	char sql[100];

	snprintf(sql, sizeof sql, "UPDATE host SET user = '%s', sudo = %d",
	    fits[_i].user, fits[_i].sudo);
	raw(sql);
	if (!fits[_i].message) {
		OK(try_file(&alice, &f));
		return;
	}
	ck_assert_int_eq(try_file(&alice, &f), TW_NO);
	ck_assert_str_eq(err.msg, fits[_i].message);
	ck_assert_int_eq(number("SELECT count(*) FROM change"), 0);
}
END_TEST

START_TEST(only_what_runs_has_one)
{
	struct tw_filing f = moving(&admin);
	int64_t num = file_with(&alice, "web1", &f);
	struct tw_successor s;

	ck_assert_int_eq(tw_successor_running(store, host, &s, &err), TW_NO);
	claim(host, tw_clock_now());
	OK(tw_successor_running(store, host, &s, &err));
	ck_assert_str_eq(s.user, "admin");
	ck_assert(s.has_sudo && s.sudo && s.at == 0 && s.port == 0);
	OK(tw_store_begin(store, &err));
	OK(tw_successor_let_in(store, &s, 5000, &err));
	OK(tw_successor_let_in(store, &s, 6000, &err));
	OK(tw_store_commit(store, &err));
	tw_successor_release(&s);
	OK(tw_successor_running(store, host, &s, &err));
	ck_assert_int_eq(s.at, 5000);
	ck_assert_int_eq(audit_of(alice.org_id, "change.login").count, 1);
	ck_assert_str_eq(audit_of(alice.org_id, "change.login").text,
	    "tower web1 1 {\"login\":\"admin, with sudo\"}");
	end_as(num, TW_CHANGE_SUCCEEDED, NULL);
	raw_refused("UPDATE change SET successor_port = 0",
	    "CHECK constraint failed: successor_port BETWEEN 1 AND 65535");
	tw_successor_release(&s);
}
END_TEST

static const struct {
	enum tw_change_status status;
	bool was_let_in, is_stored;
} ends[] = {
	{ TW_CHANGE_SUCCEEDED, false, true },
	{ TW_CHANGE_SUCCEEDED, true, true },
	{ TW_CHANGE_ROLLED_BACK, false, false },
	{ TW_CHANGE_ROLLED_BACK, true, false },
	{ TW_CHANGE_FAILED, false, false },
	{ TW_CHANGE_FAILED, true, true },
	{ TW_CHANGE_CANCELLED, false, false },
	{ TW_CHANGE_UNKNOWN, false, false },
	{ TW_CHANGE_UNKNOWN, true, true },
};

START_TEST(every_end_leaves_the_login_that_is_open)
{
	struct tw_filing f = moving(&admin);
	int64_t num = file_with(&alice, "web1", &f);
	struct tw_successor s;

	claim(host, tw_clock_now());
	if (ends[_i].was_let_in) {
		OK(tw_successor_running(store, host, &s, &err));
		OK(tw_store_begin(store, &err));
		OK(tw_successor_let_in(store, &s, 5000, &err));
		OK(tw_store_commit(store, &err));
		tw_successor_release(&s);
	}
	if (ends[_i].status == TW_CHANGE_UNKNOWN)
		OK(tw_change_abandon(store, &alice, num, "x", &err));
	else
		end_as(num, ends[_i].status, NULL);
	login_is(ends[_i].is_stored ? "admin 22 1" : "root 22 0");
	ck_assert_int_eq(audit_of(alice.org_id, "host.login").count,
	    ends[_i].is_stored);
	if (!ends[_i].is_stored)
		return;
	ck_assert_int_eq(number("SELECT user_given AND NOT port_given FROM"
	    " host"), 1);
	ck_assert_ptr_nonnull(strstr(audit_of(alice.org_id, "host.login").text,
	    "{\"old\":{\"user\":\"root\",\"port\":22,\"sudo\":false},"
	    "\"new\":{\"user\":\"admin\",\"port\":22,\"sudo\":true}}"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("successor");
	TCase *t = tcase_create("successor");

	tcase_add_checked_fixture(t, begin, teardown);
	tcase_add_test(t, it_is_stored_with_its_change);
	tcase_add_test(t, it_needs_host_as_well);
	tcase_add_test(t, a_right_that_is_gone_starts_nothing);
	tcase_add_loop_test(t, the_spool_stays_whose_it_is, 0,
	    sizeof fits / sizeof *fits);
	tcase_add_test(t, only_what_runs_has_one);
	tcase_add_loop_test(t, every_end_leaves_the_login_that_is_open, 0,
	    sizeof ends / sizeof *ends);
	suite_add_tcase(s, t);
	return run_suite(s);
}
