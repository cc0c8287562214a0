/*
 * test_org.c - organisations and operators: added, listed, removed; what one
 *              tenant learns of another; who is the last
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "model/fixture.h"

/* --- organisations ----------------------------------------------------- */

START_TEST(an_organisation_begins_with_an_administrator)
{
	struct tw_who bob, there;
	int64_t org;
	char want[200];

	OK(tw_org_add(store, &alice, "acme", "bob", &org, &err));
	snprintf(want, sizeof want, "alice - 0 {\"name\":\"acme\",\"chain\":"
	    "\"%lld\",\"grant\":\"tower\"}", (long long)org);
	ck_assert_str_eq(audit_of(TW_AUDIT_TOWER, "org.add").text, want);
	ck_assert_str_eq(audit_of(org, "op.add").text,
	    "alice - 0 {\"login\":\"bob\",\"grant\":\"tower\"}");
	ck_assert_int_eq(audit_of(org, "op.grant").count, 6);
	bob = who_is("bob", NULL);
	ck_assert_int_eq(bob.org_id, org);
	ck_assert(!bob.is_admin);
	OK(tw_may(store, &bob, TW_MAY_CHANGE, NULL, &err));
	tw_who_release(&bob);
	there = who_is("alice", "acme");
	OK(tw_may(store, &there, TW_MAY_ADMIN, NULL, &err));
	ck_assert_int_eq(tw_may(store, &there, TW_MAY_VIEW, NULL, &err),
	    TW_DENIED);
	tw_who_release(&there);
	OK(tw_org_add(store, &alice, "mine", NULL, &org, &err));
	there = who_is("alice", "mine");
	OK(tw_may(store, &there, TW_MAY_CHANGE, NULL, &err));
	tw_who_release(&there);
}
END_TEST

START_TEST(what_is_no_organisation_is_not_added)
{
	struct tw_who bob = other_tenant();
	int64_t org = 7;

	ck_assert_int_eq(tw_org_add(store, &alice, "../x", NULL, &org, &err),
	    TW_USAGE);
	ck_assert_str_eq(err.msg,
	    "'../x' is not a name for an organisation");
	ck_assert_int_eq(org, 0);
	ck_assert_int_eq(tw_org_add(store, &alice, "x", "a b", &org, &err),
	    TW_USAGE);
	ck_assert_str_eq(err.msg, "'a b' is not a login");
	ck_assert_int_eq(tw_org_add(store, &alice, "acme", NULL, &org, &err),
	    TW_NO);
	ck_assert_str_eq(err.msg, "there is an organisation 'acme' already");
	ck_assert_int_eq(org, 0);
	ck_assert_int_eq(tw_org_add(store, &bob, "acme", NULL, &org, &err),
	    TW_DENIED);
	ck_assert_str_eq(err.msg, "bob is not an administrator of the tower");
	ck_assert_int_eq(tw_org_add(store, &bob, "new", NULL, &org, &err),
	    TW_DENIED);
	ck_assert_str_eq(err.msg, "bob is not an administrator of the tower");
	ck_assert_int_eq(number("SELECT count(*) FROM org"), 2);
	tw_who_release(&bob);
}
END_TEST

START_TEST(numbers_of_organisations_tell_nothing)
{
	int64_t org, least = INT64_MAX, most = 0;
	char name[20];
	int i;

	for (i = 0; i < 64; i++) {
		snprintf(name, sizeof name, "org%d", i);
		OK(tw_org_add(store, &alice, name, "bob", &org, &err));
		ck_assert_int_gt(org, 0);
		ck_assert_int_lt(org, (int64_t)1 << 53);
		least = org < least ? org : least;
		most = org > most ? org : most;
	}
	/* by chance once in 2^64 */
	ck_assert_int_lt(least, (int64_t)1 << 52);
	ck_assert_int_gt(most, (int64_t)1 << 52);
}
END_TEST

/* The listing as "NAME OPERATORS HOSTS PENDING; …". */
static const char *orgs(const struct tw_who *who, const char *name)
{
	static char text[400];
	struct tw_org *o;
	size_t n, i, at = 0;

	text[0] = '\0';
	if (tw_org_list(store, who, name, &o, &n, &err) != TW_OK) {
		ck_assert_int_eq(err.status, TW_NO);
		ck_assert_ptr_null(o);
		return err.msg;
	}
	for (i = 0; i < n; i++)
		at += (size_t)snprintf(text + at, sizeof text - at,
		    "%s%s %d %d %d", i ? "; " : "", o[i].name,
		    (int)o[i].operators, (int)o[i].hosts, (int)o[i].pending);
	tw_org_list_free(o, n);
	return text;
}

START_TEST(who_lists_organisations_sees_their_own)
{
	struct tw_who bob = other_tenant(), carol;
	bool added;

	add_host("web1");
	add_host("web2");
	file_for("web1");
	OK(tw_operator_add(store, &alice, "carol", &added, &err));
	carol = who_is("carol", NULL);
	ck_assert_str_eq(orgs(&alice, NULL), "acme 1 0 0; default 2 2 1");
	ck_assert_str_eq(orgs(&alice, "acme"), "acme 1 0 0");
	ck_assert_str_eq(orgs(&bob, NULL), "acme 1 0 0");
	ck_assert_str_eq(orgs(&bob, "default"),
	    "organisation 'default' not found");
	ck_assert_str_eq(orgs(&bob, "nowhere"),
	    "organisation 'nowhere' not found");
	ck_assert_str_eq(orgs(&carol, NULL), "default -1 -1 -1");
	tw_who_release(&bob);
	tw_who_release(&carol);
}
END_TEST

static void key_path(const char *org, const char *file, char out[400])
{
	snprintf(out, 400, "%s/keys/%s%s", fix_dir, org, file);
}

static void make_key(const char *org)
{
	static const char *const files[] = { "/id_ed25519", "/id_ed25519.pub",
	    "/known_hosts" };
	char path[400];
	size_t i;
	int fd;

	key_path("", "", path);
	mkdir(path, 0700);
	key_path(org, "", path);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	for (i = 0; i < sizeof files / sizeof *files; i++) {
		key_path(org, files[i], path);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
		ck_assert_int_ge(fd, 0);
		close(fd);
	}
}

static bool has_key(const char *org)
{
	char path[400];

	key_path(org, "", path);
	return access(path, F_OK) == 0;
}

START_TEST(a_removed_organisation_leaves_its_history_alone)
{
	struct tw_who bob = other_tenant();
	int64_t again;
	char want[200];

	make_key("acme");
	make_key("default");
	OK(tw_org_remove(store, &alice, "acme", &err));
	snprintf(want, sizeof want, "alice - 0 {\"name\":\"acme\",\"chain\":"
	    "\"%lld\",\"grant\":\"tower\"}", (long long)bob.org_id);
	ck_assert_str_eq(audit_of(TW_AUDIT_TOWER, "org.remove").text, want);
	ck_assert(!has_key("acme"));
	ck_assert(has_key("default"));
	ck_assert_int_eq(audit_of(bob.org_id, "op.add").count, 1);
	ck_assert_int_eq(number("SELECT count(*) FROM permit"), 6);
	ck_assert_int_eq(who_refused("bob", NULL, TW_WHO_OPERATOR), TW_DENIED);
	ck_assert_int_eq(who_refused("alice", "acme", TW_WHO_OPERATOR), TW_NO);
	ck_assert_int_eq(tw_may(store, &bob, TW_MAY_ADMIN, NULL, &err),
	    TW_DENIED);
	ck_assert_str_eq(orgs(&alice, NULL), "default 1 0 0");
	ck_assert_int_eq(tw_org_remove(store, &alice, "acme", &err), TW_NO);
	ck_assert_str_eq(err.msg, "organisation 'acme' not found");
	OK(tw_org_add(store, &alice, "acme", NULL, &again, &err));
	ck_assert_int_ne(again, bob.org_id);
	tw_who_release(&bob);
}
END_TEST

START_TEST(a_new_organisation_inherits_no_key)
{
	int64_t org;

	make_key("acme");
	OK(tw_org_add(store, &alice, "acme", NULL, &org, &err));
	ck_assert(!has_key("acme"));
}
END_TEST

START_TEST(an_organisation_in_use_is_not_removed)
{
	struct tw_who bob = other_tenant();
	struct tw_filing f = filing();

	make_key("acme");
	ck_assert_int_eq(tw_org_remove(store, &bob, "acme", &err), TW_DENIED);
	ck_assert_str_eq(err.msg, "bob is not an administrator of the tower");
	ck_assert_int_eq(tw_org_remove(store, &bob, "nowhere", &err),
	    TW_DENIED);
	ck_assert_str_eq(err.msg, "bob is not an administrator of the tower");
	add_host_for(&bob, "web1");
	ck_assert_int_eq(tw_org_remove(store, &alice, "acme", &err), TW_NO);
	ck_assert_str_eq(err.msg, "acme: has 1 host");
	add_host_for(&bob, "web2");
	file_with(&bob, "web1", &f);
	ck_assert_int_eq(tw_org_remove(store, &alice, "acme", &err), TW_NO);
	ck_assert_str_eq(err.msg, "acme: has 2 hosts");
	raw("UPDATE change SET host_id = NULL; DELETE FROM host");
	ck_assert_int_eq(tw_org_remove(store, &alice, "acme", &err), TW_NO);
	ck_assert_str_eq(err.msg, "acme: has 1 pending change");
	raw("UPDATE change SET status = 'cancelled'");
	ck_assert(has_key("acme"));
	OK(tw_org_remove(store, &alice, "acme", &err));
	ck_assert_int_eq(tw_org_remove(store, &alice, "default", &err),
	    TW_NO);
	ck_assert_str_eq(err.msg, "default: is the only organisation");
	tw_who_release(&bob);
}
END_TEST

START_TEST(an_organisation_whose_key_cannot_go_stays)
{
	struct tw_who bob = other_tenant();
	char path[400];

	key_path("", "", path);
	mkdir(path, 0700);
	key_path("acme", "", path);
	mkdir(path, 0700);
	key_path("acme", "/id_ed25519", path);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(tw_org_remove(store, &alice, "acme", &err),
	    TW_CONFIG);
	ck_assert_str_eq(orgs(&bob, NULL), "acme 1 0 0");
	ck_assert_int_eq(audit_of(TW_AUDIT_TOWER, "org.remove").count, 0);
	tw_who_release(&bob);
}
END_TEST

/* --- operators --------------------------------------------------------- */

/* The listing as "LOGIN GRANTS ADMIN; …", or the message. */
static const char *operators(const struct tw_who *who, const char *login)
{
	static char text[400];
	struct tw_operator *o;
	size_t n, i, at = 0;

	text[0] = '\0';
	if (tw_operator_list(store, who, login, &o, &n, &err) != TW_OK) {
		ck_assert_ptr_null(o);
		return err.msg;
	}
	for (i = 0; i < n; i++) {
		ck_assert_int_gt(o[i].since, 0);
		at += (size_t)snprintf(text + at, sizeof text - at,
		    "%s%s %d%s", i ? "; " : "", o[i].login, (int)o[i].grants,
		    o[i].is_admin ? " tower" : "");
	}
	tw_operator_list_free(o, n);
	return text;
}

START_TEST(an_operator_is_added_once)
{
	bool added;

	OK(tw_operator_add(store, &alice, "carol", &added, &err));
	ck_assert(added);
	OK(tw_operator_add(store, &alice, "carol", &added, &err));
	ck_assert(!added);
	ck_assert_int_eq(audit_of(alice.org_id, "op.add").count, 2);
	ck_assert_str_eq(audit_of(alice.org_id, "op.add").text,
	    "alice - 0 {\"login\":\"carol\",\"grant\":\"6\"}");
	ck_assert_int_eq(tw_operator_add(store, &alice, "-x", &added, &err),
	    TW_USAGE);
	ck_assert_str_eq(err.msg, "'-x' is not a login");
	ck_assert(!added);
	ck_assert_str_eq(operators(&alice, NULL), "alice 6 tower; carol 0");
}
END_TEST

START_TEST(operators_need_admin_but_for_oneself)
{
	struct tw_who carol;
	bool added;

	OK(tw_operator_add(store, &alice, "carol", &added, &err));
	carol = who_is("carol", NULL);
	ck_assert_str_eq(operators(&carol, "carol"), "carol 0");
	ck_assert_str_eq(operators(&carol, NULL),
	    "carol may not admin in organisation 'default'");
	ck_assert_int_eq(err.status, TW_DENIED);
	ck_assert_str_eq(operators(&carol, "alice"),
	    "carol may not admin in organisation 'default'");
	ck_assert_str_eq(operators(&carol, "nobody"),
	    "carol may not admin in organisation 'default'");
	ck_assert_int_eq(tw_operator_add(store, &carol, "dave", &added, &err),
	    TW_DENIED);
	ck_assert_int_eq(tw_operator_remove(store, &carol, "alice", &err),
	    TW_DENIED);
	ck_assert_int_eq(tw_operator_remove(store, &carol, "nobody", &err),
	    TW_DENIED);
	ck_assert_int_eq(tw_operator_set_admin(store, &carol, "carol", true,
	    &err), TW_DENIED);
	ck_assert_str_eq(err.msg,
	    "carol is not an administrator of the tower");
	ck_assert_int_eq(number("SELECT count(*) FROM operator"), 2);
	tw_who_release(&carol);
}
END_TEST

START_TEST(another_tenants_operator_is_no_operator)
{
	struct tw_who bob = other_tenant();
	struct tw_scope org = { NULL, NULL };
	struct tw_buf b = TW_BUF_INIT;
	static const char *const logins[] = { "alice", "nobody" };
	struct tw_grant *g;
	char want[60];
	int64_t num;
	size_t i, n;

	for (i = 0; i < 2; i++) {
		snprintf(want, sizeof want, "no operator '%s'", logins[i]);
		ck_assert_str_eq(operators(&bob, logins[i]), want);
		ck_assert_int_eq(err.status, TW_NO);
		ck_assert_int_eq(tw_operator_remove(store, &bob, logins[i],
		    &err), TW_NO);
		ck_assert_str_eq(err.msg, want);
		ck_assert_int_eq(tw_grant_add(store, &bob, logins[i],
		    TW_MAY_VIEW, &org, 0, &num, &err), TW_NO);
		ck_assert_str_eq(err.msg, want);
		ck_assert_int_eq(tw_grant_remove(store, &bob, logins[i],
		    TW_MAY_VIEW, NULL, &err), TW_NO);
		ck_assert_str_eq(err.msg, want);
		ck_assert_int_eq(tw_grant_list(store, &bob, logins[i], &g, &n,
		    &err), TW_NO);
		ck_assert_str_eq(err.msg, want);
		ck_assert_int_eq(tw_grant_explain(store, &bob, logins[i],
		    TW_MAY_VIEW, &org, &b, &err), TW_NO);
		ck_assert_str_eq(err.msg, want);
		ck_assert_uint_eq(b.len, 0);
		ck_assert_str_eq(err.hint, "");
	}
	ck_assert_str_eq(operators(&bob, NULL), "bob 6");
	tw_who_release(&bob);
}
END_TEST

START_TEST(the_tower_is_not_shown_to_those_below_it)
{
	struct tw_who bob = other_tenant();
	bool added;

	OK(tw_operator_add(store, &bob, "alice", &added, &err));
	ck_assert(added);
	ck_assert_str_eq(operators(&bob, NULL), "alice 0; bob 6");
	tw_who_release(&bob);
}
END_TEST

START_TEST(a_removed_operator_leaves_what_was_granted)
{
	struct tw_scope org = { NULL, NULL };
	struct tw_who carol;
	int64_t num;
	bool added;

	OK(tw_operator_add(store, &alice, "carol", &added, &err));
	OK(tw_grant_add(store, &alice, "carol", TW_MAY_CHANGE, &org, 0, &num,
	    &err));
	carol = who_is("carol", NULL);
	OK(tw_may(store, &carol, TW_MAY_CHANGE, NULL, &err));
	OK(tw_operator_remove(store, &alice, "carol", &err));
	ck_assert_str_eq(audit_of(alice.org_id, "op.remove").text,
	    "alice - 0 {\"login\":\"carol\",\"grant\":\"6\"}");
	ck_assert_int_eq(tw_may(store, &carol, TW_MAY_CHANGE, NULL, &err),
	    TW_DENIED);
	ck_assert_int_eq(tw_operator_remove(store, &alice, "carol", &err),
	    TW_NO);
	ck_assert_str_eq(err.msg, "no operator 'carol'");
	OK(tw_operator_add(store, &alice, "carol", &added, &err));
	ck_assert(added);
	ck_assert_int_eq(tw_may(store, &carol, TW_MAY_CHANGE, NULL, &err),
	    TW_DENIED);
	tw_who_release(&carol);
}
END_TEST

START_TEST(the_last_lasting_administrator_stays)
{
	static const char only[] = "alice is the only one who may admin in "
	    "organisation 'default' for good";
	struct tw_scope org = { NULL, NULL };
	int64_t num;
	bool added;

	OK(tw_operator_add(store, &alice, "carol", &added, &err));
	OK(tw_grant_add(store, &alice, "carol", TW_MAY_ADMIN, &org,
	    tw_clock_now() + 3600000, &num, &err));
	ck_assert_int_eq(tw_operator_remove(store, &alice, "alice", &err),
	    TW_NO);
	ck_assert_str_eq(err.msg, only);
	ck_assert_int_eq(tw_grant_remove(store, &alice, "alice", TW_MAY_ADMIN,
	    &org, &err), TW_NO);
	ck_assert_str_eq(err.msg, only);
	ck_assert_int_eq(tw_grant_remove(store, &alice, "alice", TW_MAY_ADMIN,
	    NULL, &err), TW_NO);
	ck_assert_str_eq(err.msg, only);
	ck_assert_int_eq(tw_grant_add(store, &alice, "alice", TW_MAY_ADMIN,
	    &org, tw_clock_now() + 3600000, &num, &err), TW_NO);
	ck_assert_str_eq(err.msg, only);
	OK(tw_grant_remove(store, &alice, "carol", TW_MAY_ADMIN, NULL, &err));
	OK(tw_grant_add(store, &alice, "carol", TW_MAY_ADMIN, &org, 0, &num,
	    &err));
	OK(tw_operator_remove(store, &alice, "alice", &err));
}
END_TEST

START_TEST(the_last_administrator_of_the_tower_stays)
{
	struct tw_who dave;
	bool added;

	ck_assert_int_eq(tw_operator_set_admin(store, &alice, "alice", false,
	    &err), TW_NO);
	ck_assert_str_eq(err.msg,
	    "alice is the only administrator of the tower");
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(tw_operator_set_admin(store, &alice, "dave",
		    i == 1, &err), TW_NO);
		ck_assert_str_eq(err.msg, "no operator 'dave'");
		ck_assert_int_eq(tw_operator_set_admin(store, &alice, "dave",
		    i == 0, &err), TW_NO);
	}
	ck_assert_int_eq(number("SELECT count(*) FROM operator"
	    " WHERE login = 'dave'"), 0);
	OK(tw_operator_add(store, &alice, "dave", &added, &err));
	ck_assert_int_eq(tw_operator_set_admin(store, &alice, "a b", true,
	    &err), TW_USAGE);
	OK(tw_operator_set_admin(store, &alice, "dave", true, &err));
	OK(tw_operator_set_admin(store, &alice, "dave", true, &err));
	ck_assert_int_eq(audit_of(TW_AUDIT_TOWER, "op.set-admin").count, 2);
	ck_assert_str_eq(audit_of(TW_AUDIT_TOWER, "op.set-admin").text,
	    "alice - 0 {\"login\":\"dave\",\"admin\":\"yes\","
	    "\"grant\":\"tower\"}");
	dave = who_is("dave", NULL);
	ck_assert(dave.is_admin);
	OK(tw_operator_set_admin(store, &dave, "alice", false, &err));
	ck_assert_int_eq(tw_operator_set_admin(store, &alice, "alice", true,
	    &err), TW_DENIED);
	ck_assert_int_eq(tw_operator_set_admin(store, &dave, "dave", false,
	    &err), TW_NO);
	tw_who_release(&dave);
}
END_TEST

/* --- two at once ------------------------------------------------------- */

START_TEST(what_another_connection_took_away_is_gone_at_once)
{
	struct tw_scope org = { NULL, NULL };
	struct tw_store *mine = store, *other;
	struct tw_who carol;
	int64_t num;
	bool added;

	OK(tw_operator_add(store, &alice, "carol", &added, &err));
	OK(tw_grant_add(store, &alice, "carol", TW_MAY_ADMIN, &org, 0, &num,
	    &err));
	carol = who_is("carol", NULL);
	OK(tw_store_open(fix_dir, TW_STORE_WRITE, &other, &err));
	OK(tw_grant_remove(mine, &alice, "carol", TW_MAY_ADMIN, NULL, &err));
	ck_assert_int_eq(tw_operator_remove(other, &carol, "alice", &err),
	    TW_DENIED);
	OK(tw_grant_add(mine, &alice, "carol", TW_MAY_ADMIN, &org, 0, &num,
	    &err));
	OK(tw_operator_remove(other, &carol, "alice", &err));
	ck_assert_int_eq(tw_operator_remove(mine, &alice, "carol", &err),
	    TW_NO);
	ck_assert_str_eq(err.msg, "carol is the only one who may admin in "
	    "organisation 'default' for good");
	OK(tw_store_begin(other, &err));
	tw_store_busy_limit(mine, 0);
	ck_assert_int_eq(tw_operator_add(mine, &carol, "dave", &added, &err),
	    TW_AGAIN);
	ck_assert(!added);
	tw_store_rollback(other);
	tw_store_close(other);
	tw_who_release(&carol);
}
END_TEST

START_TEST(of_two_founders_one_was_faster)
{
	char login[] = "a";
	struct tw_caller caller = { .login = login };
	struct tw_who who;
	int i, status, won = 0;

	raw("DELETE FROM permit; DELETE FROM member; DELETE FROM operator");
	tw_store_close(store);
	for (i = 0; i < 4; i++) {
		if (fork())
			continue;
		login[0] = (char)('a' + i);
		if (tw_store_open(fix_dir, TW_STORE_WRITE, &store, &err))
			_exit(9);
		_exit(tw_who_get(store, &caller, NULL, TW_WHO_FOUNDER, &who,
		    &err) ? 1 : 0);
	}
	while (wait(&status) > 0) {
		ck_assert(WIFEXITED(status) && WEXITSTATUS(status) < 2);
		won += WEXITSTATUS(status) == 0;
	}
	OK(tw_store_open(fix_dir, TW_STORE_WRITE, &store, &err));
	ck_assert_int_eq(won, 1);
	ck_assert_int_eq(number("SELECT count(*) FROM operator"), 1);
	ck_assert_int_eq(number("SELECT count(*) FROM permit"), 6);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("org");
	TCase *t = tcase_create("org");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, an_organisation_begins_with_an_administrator);
	tcase_add_test(t, what_is_no_organisation_is_not_added);
	tcase_add_test(t, numbers_of_organisations_tell_nothing);
	tcase_add_test(t, who_lists_organisations_sees_their_own);
	tcase_add_test(t, a_removed_organisation_leaves_its_history_alone);
	tcase_add_test(t, a_new_organisation_inherits_no_key);
	tcase_add_test(t, an_organisation_in_use_is_not_removed);
	tcase_add_test(t, an_organisation_whose_key_cannot_go_stays);
	tcase_add_test(t, an_operator_is_added_once);
	tcase_add_test(t, operators_need_admin_but_for_oneself);
	tcase_add_test(t, another_tenants_operator_is_no_operator);
	tcase_add_test(t, the_tower_is_not_shown_to_those_below_it);
	tcase_add_test(t, a_removed_operator_leaves_what_was_granted);
	tcase_add_test(t, the_last_lasting_administrator_stays);
	tcase_add_test(t, the_last_administrator_of_the_tower_stays);
	tcase_add_test(t,
	    what_another_connection_took_away_is_gone_at_once);
	tcase_add_test(t, of_two_founders_one_was_faster);
	suite_add_tcase(s, t);
	return run_suite(s);
}
