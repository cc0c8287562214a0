/*
 * test_who.c - who is calling, through which gate, for which organisation; the
 *              founder
 */
#include "model/fixture.h"

#include <pwd.h>

/* --- the caller -------------------------------------------------------- */

/* The caller as "LOGIN GATE", or the message. */
static const char *caller_text(const char *sudo, const char *operator)
{
	static char text[TW_ERR_MSG_MAX + 20];
	struct tw_caller c;

	unsetenv("SUDO_UID");
	unsetenv("TOWERIFY_OPERATOR");
	if (sudo)
		setenv("SUDO_UID", sudo, 1);
	if (operator)
		setenv("TOWERIFY_OPERATOR", operator, 1);
	if (tw_caller_get(&c, &err) == TW_OK) {
		snprintf(text, sizeof text, "%s %d", c.login, (int)c.gate);
		tw_caller_release(&c);
		ck_assert_ptr_null(c.login);
	} else {
		ck_assert_int_eq(err.status, TW_DENIED);
		snprintf(text, sizeof text, "%s", err.msg);
	}
	return text;
}

static uid_t another_uid(void)
{
	struct passwd *pw = getpwnam(getuid() == 0 ? "daemon" : "root");

	ck_assert_ptr_nonnull(pw);
	return pw->pw_uid;
}

START_TEST(the_caller_is_sudos_or_the_shells_or_the_real_user)
{
	char other[80], me[80], uid[24];

	snprintf(me, sizeof me, "%s %d", getpwuid(getuid())->pw_name,
	    (int)TW_GATE_NONE);
	snprintf(other, sizeof other, "%s %d",
	    getpwuid(another_uid())->pw_name, (int)TW_GATE_SUDO);
	setenv("SUDO_USER", "mallory", 1);
	setenv("USER", "mallory", 1);
	ck_assert_str_eq(caller_text(NULL, NULL), me);
	ck_assert_str_eq(caller_text(NULL, "robot.7"), "robot.7 2");
	snprintf(uid, sizeof uid, "%u", (unsigned)another_uid());
	ck_assert_str_eq(caller_text(uid, NULL), other);
	ck_assert_str_eq(caller_text(uid, "robot"), other);
	snprintf(uid, sizeof uid, "%u", (unsigned)getuid());
	ck_assert_str_eq(caller_text(uid, NULL), me);
	ck_assert_str_eq(caller_text(uid, "robot"), "robot 2");
}
END_TEST

START_TEST(a_caller_that_cannot_be_is_refused)
{
	static const char *const bad[] = {
		"0x0", "", "-1", " 0", "0 ", "4294967295",
		"99999999999999999999",
	};
	size_t i;

	for (i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_str_eq(caller_text(bad[i], "robot"),
		    "SUDO_UID is set, but is not a user's number");
	ck_assert_str_eq(caller_text("4123456789", "robot"),
	    "there is no user with the number 4123456789");
	ck_assert_str_eq(caller_text(NULL, ""),
	    "TOWERIFY_OPERATOR is set, but is not an operator's name");
	ck_assert_str_eq(caller_text(NULL, "a b"),
	    "TOWERIFY_OPERATOR is set, but is not an operator's name");
}
END_TEST

/* --- the founder ------------------------------------------------------- */

START_TEST(the_first_caller_becomes_administrator_of_an_empty_state)
{
	ck_assert_str_eq(alice.login, "alice");
	ck_assert_str_eq(alice.org, "default");
	ck_assert(alice.is_admin);
	ck_assert(!alice.is_gated);
	ck_assert_int_eq(audit_of(TW_AUDIT_TOWER, "org.add").count, 1);
	ck_assert_str_eq(audit_of(TW_AUDIT_TOWER, "op.set-admin").text,
	    "alice - 0 {\"login\":\"alice\",\"admin\":\"yes\","
	    "\"grant\":\"tower\"}");
	ck_assert_str_eq(audit_of(alice.org_id, "op.add").text,
	    "alice - 0 {\"login\":\"alice\",\"grant\":\"tower\"}");
	ck_assert_int_eq(audit_of(alice.org_id, "op.grant").count, 6);
	ck_assert_str_eq(audit_of(alice.org_id, "op.grant").text,
	    "alice - 0 {\"login\":\"alice\",\"num\":\"6\",\"permission\":"
	    "\"admin\",\"scope\":\"org\",\"grant\":\"tower\"}");
	ck_assert_int_eq(who_refused("bob", NULL, TW_WHO_FOUNDER), TW_DENIED);
	ck_assert_str_eq(err.msg, "bob is not an operator of this tower");
}
END_TEST

static void empty(void)
{
	raw("DELETE FROM permit; DELETE FROM member; DELETE FROM operator");
}

START_TEST(nobody_becomes_administrator_without_being_first_and_told_so)
{
	struct tw_caller gated = { .login = (char *)"bob",
	    .gate = TW_GATE_SHELL };
	struct tw_who who;

	empty();
	ck_assert_int_eq(who_refused("bob", NULL, TW_WHO_OPERATOR), TW_DENIED);
	ck_assert_int_eq(tw_who_get(store, &gated, NULL, TW_WHO_FOUNDER, &who,
	    &err), TW_DENIED);
	ck_assert_str_eq(err.msg, "bob is not an operator of this tower");
	ck_assert_int_eq(who_refused("a b", NULL, TW_WHO_FOUNDER), TW_DENIED);
	ck_assert_int_eq(number("SELECT count(*) FROM operator"), 0);
	who = who_is("bob", NULL);
	ck_assert(who.is_admin);
	ck_assert_int_eq(who.org_id, alice.org_id);
	tw_who_release(&who);
}
END_TEST

START_TEST(the_owner_need_not_be_an_operator)
{
	struct tw_caller owner = { .login = (char *)"towerify" };
	struct tw_who who;

	OK(tw_who_get(store, &owner, NULL, TW_WHO_OWNER, &who, &err));
	ck_assert_int_eq(who.operator_id, 0);
	ck_assert_int_eq(who.org_id, 0);
	ck_assert_ptr_null(who.org);
	ck_assert_str_eq(who.login, "towerify");
	ck_assert_int_eq(tw_may(store, &who, TW_MAY_VIEW, NULL, &err),
	    TW_DENIED);
	tw_who_release(&who);
	ck_assert_int_eq(who_refused("towerify", "default", TW_WHO_OWNER),
	    TW_DENIED);
	owner.gate = TW_GATE_SUDO;
	ck_assert_int_eq(tw_who_get(store, &owner, NULL, TW_WHO_OWNER, &who,
	    &err), TW_DENIED);
	owner.gate = TW_GATE_NONE;
	owner.login = (char *)"alice";
	OK(tw_who_get(store, &owner, NULL, TW_WHO_OWNER, &who, &err));
	ck_assert_int_eq(who.operator_id, alice.operator_id);
	ck_assert_int_eq(who.org_id, alice.org_id);
	tw_who_release(&who);
}
END_TEST

/* --- the organisation -------------------------------------------------- */

START_TEST(an_operator_sees_their_own_organisation_alone)
{
	struct tw_who bob = other_tenant();
	static const char *const names[] = { "default", "nowhere" };
	char want[80];
	size_t i;

	ck_assert_str_eq(bob.org, "acme");
	ck_assert(!bob.is_admin);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(who_refused("bob", names[i],
		    TW_WHO_OPERATOR), TW_NO);
		snprintf(want, sizeof want, "organisation '%s' not found",
		    names[i]);
		ck_assert_str_eq(err.msg, want);
		ck_assert_str_eq(err.hint, "");
	}
	tw_who_release(&bob);
}
END_TEST

START_TEST(an_administrator_may_name_any_organisation)
{
	struct tw_who bob = other_tenant(), who = who_is("alice", "acme");

	ck_assert_int_eq(who.org_id, bob.org_id);
	ck_assert(who.is_admin);
	tw_who_release(&who);
	who = who_is("alice", NULL);
	ck_assert_str_eq(who.org, "default");
	tw_who_release(&who);
	ck_assert_int_eq(who_refused("alice", "nowhere", TW_WHO_OPERATOR),
	    TW_NO);
	raw("DELETE FROM permit; DELETE FROM member");
	who = who_is("alice", NULL);
	ck_assert_str_eq(who.org, "default");
	tw_who_release(&who);
	tw_who_release(&bob);
}
END_TEST

START_TEST(who_has_left_every_organisation_is_unknown)
{
	struct tw_who bob = other_tenant();

	raw("DELETE FROM permit; DELETE FROM member");
	ck_assert_int_eq(who_refused("bob", NULL, TW_WHO_OPERATOR), TW_DENIED);
	ck_assert_str_eq(err.msg, "bob is not an operator of this tower");
	ck_assert_int_eq(who_refused("bob", "acme", TW_WHO_OPERATOR),
	    TW_DENIED);
	tw_who_release(&bob);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("who");
	TCase *t = tcase_create("who");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t,
	    the_caller_is_sudos_or_the_shells_or_the_real_user);
	tcase_add_test(t, a_caller_that_cannot_be_is_refused);
	tcase_add_test(t,
	    the_first_caller_becomes_administrator_of_an_empty_state);
	tcase_add_test(t,
	    nobody_becomes_administrator_without_being_first_and_told_so);
	tcase_add_test(t, the_owner_need_not_be_an_operator);
	tcase_add_test(t, an_operator_sees_their_own_organisation_alone);
	tcase_add_test(t, an_administrator_may_name_any_organisation);
	tcase_add_test(t, who_has_left_every_organisation_is_unknown);
	suite_add_tcase(s, t);
	return run_suite(s);
}
