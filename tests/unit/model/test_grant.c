/*
 * test_grant.c - grants: scopes in and out of text, given and taken away, and
 *                what they allow where
 */
#include "model/fixture.h"
#include "store/store_private.h"

static struct tw_who carol;	/* a member with no grant at first */

static void setup_carol(void)
{
	bool added;

	setup();
	OK(tw_operator_add(store, &alice, "carol", &added, &err));
	carol = who_is("carol", NULL);
}

static void teardown_carol(void)
{
	tw_who_release(&carol);
	teardown();
}

/* --- words ------------------------------------------------------------- */

START_TEST(permissions_have_names)
{
	enum tw_permission p;
	int i;

	for (i = 0; i < TW_PERMISSIONS; i++) {
		OK(tw_permission_parse(tw_permission_name(
		    (enum tw_permission)i), &p, &err));
		ck_assert_int_eq(p, i);
	}
	ck_assert_int_eq(tw_permission_parse("chnge", &p, &err), TW_USAGE);
	ck_assert_str_eq(err.msg, "unknown permission 'chnge'");
	ck_assert_str_eq(err.hint, "did you mean 'change'?");
	ck_assert_int_eq(tw_permission_parse("", &p, &err), TW_USAGE);
	ck_assert_str_eq(err.hint,
	    "one of view, deploy, change, host, audit, admin");
}
END_TEST

static const struct {
	const char *first, *second;	/* texts of one scope */
	const char *wanted;		/* as written, or the message */
} scopes[] = {
	{ "org", NULL, "org" },
	{ "web*", NULL, "hosts:web*" },
	{ "hosts:web1, web2", NULL, "hosts:web1,web2" },
	{ "hosts:org", NULL, "hosts:org" },
	{ " @role=front !web2 ", NULL, "hosts:@role=front,!web2" },
	{ "hosts:web*", "app:shop", "hosts:web* app:shop" },
	{ "app:shop", "hosts:web*", "hosts:web* app:shop" },
	{ "hosts:web1 web2 app:sh?p", NULL, "hosts:web1,web2 app:sh?p" },
	{ "app:*", NULL, "app:*" },
	{ "@k=app:x", NULL, "hosts:@k=app:x" },
	{ "web1", "web2", "the scope names hosts twice" },
	{ "hosts:web1 hosts:web2", NULL, "the scope names hosts twice" },
	{ "app:a", "app:b", "the scope names apps twice" },
	{ "app:a app:b", NULL, "the scope names apps twice" },
	{ "web1 app:a web2", NULL, "the scope names hosts twice" },
	{ "app:", NULL, "bad scope: '' is not a name or a pattern of apps" },
	{ "app:.x", NULL,
	    "bad scope: '.x' is not a name or a pattern of apps" },
	{ "app:a/b", NULL,
	    "bad scope: 'a/b' is not a name or a pattern of apps" },
	{ "", NULL, "bad scope: no targets given" },
	{ "hosts:", NULL, "bad scope: no targets given" },
	{ "host:web1", NULL, "bad scope: bad target 'host:web1': not a name" },
	{ "-", NULL, "bad scope: bad target '-': standard input must be the "
	    "only target" },
};

START_TEST(a_scope_is_read_and_written)
{
	struct tw_scope s = { NULL, NULL }, again = { NULL, NULL };
	struct tw_buf b = TW_BUF_INIT, c = TW_BUF_INIT;
	enum tw_status st;

	st = tw_scope_parse(scopes[_i].first, &s, &err);
	if (!st && scopes[_i].second)
		st = tw_scope_parse(scopes[_i].second, &s, &err);
	if (st) {
		ck_assert_int_eq(st, TW_USAGE);
		ck_assert_str_eq(err.msg, scopes[_i].wanted);
	} else {
		tw_scope_write(&s, &b);
		ck_assert_str_eq(tw_buf_str(&b), scopes[_i].wanted);
		OK(tw_scope_parse(tw_buf_str(&b), &again, &err));
		tw_scope_write(&again, &c);
		ck_assert_str_eq(tw_buf_str(&c), scopes[_i].wanted);
	}
	tw_scope_release(&s);
	tw_scope_release(&again);
	tw_buf_release(&b);
	tw_buf_release(&c);
}
END_TEST

/* --- giving and taking ------------------------------------------------- */

static enum tw_status give(const struct tw_who *who, enum tw_permission p,
    const char *scope, int64_t until, int64_t *num)
{
	struct tw_scope s = { NULL, NULL };
	enum tw_status st;

	OK(tw_scope_parse(scope, &s, &err));
	st = tw_grant_add(store, who, "carol", p, &s, until, num, &err);
	tw_scope_release(&s);
	return st;
}

static int64_t grant(enum tw_permission p, const char *scope)
{
	int64_t num;

	OK(give(&alice, p, scope, 0, &num));
	return num;
}

static enum tw_status take(enum tw_permission p, const char *scope)
{
	struct tw_scope s = { NULL, NULL };
	enum tw_status st;

	if (scope)
		OK(tw_scope_parse(scope, &s, &err));
	st = tw_grant_remove(store, &alice, "carol", p, scope ? &s : NULL,
	    &err);
	tw_scope_release(&s);
	return st;
}

START_TEST(a_grant_is_numbered_within_its_organisation)
{
	struct tw_who bob = other_tenant();

	ck_assert_int_eq(grant(TW_MAY_CHANGE, "web*"), 7);
	ck_assert_int_eq(grant(TW_MAY_DEPLOY, "hosts:web* app:shop"), 8);
	ck_assert_str_eq(audit_of(alice.org_id, "op.grant").text,
	    "alice - 0 {\"login\":\"carol\",\"num\":\"8\",\"permission\":"
	    "\"deploy\",\"scope\":\"hosts:web* app:shop\",\"grant\":\"6\"}");
	ck_assert_int_eq(number("SELECT max(num) FROM permit p JOIN org o"
	    " ON o.id = p.org_id WHERE o.name = 'acme'"), 6);
	OK(take(TW_MAY_DEPLOY, NULL));
	ck_assert_int_eq(grant(TW_MAY_DEPLOY, "app:shop"), 9);
	tw_who_release(&bob);
}
END_TEST

START_TEST(the_same_grant_again_gets_the_new_end)
{
	int64_t num, again;
	char want[300];

	OK(give(&alice, TW_MAY_CHANGE, "web1, web2", 0, &num));
	OK(give(&alice, TW_MAY_CHANGE, "web1,web2", 4102444800000, &again));
	ck_assert_int_eq(again, num);
	snprintf(want, sizeof want, "alice - 0 {\"login\":\"carol\",\"num\":"
	    "\"%d\",\"permission\":\"change\",\"scope\":\"hosts:web1,web2\","
	    "\"until\":\"2100-01-01T00:00:00Z\",\"grant\":\"6\"}", (int)num);
	ck_assert_str_eq(audit_of(alice.org_id, "op.grant").text, want);
	ck_assert_int_eq(number("SELECT until FROM permit WHERE num = 7"),
	    4102444800000);
	ck_assert_int_eq(grant(TW_MAY_CHANGE, "web1"), num + 1);
	ck_assert_int_eq(grant(TW_MAY_VIEW, "web1"), num + 2);
}
END_TEST

START_TEST(a_grant_that_makes_no_sense_is_refused)
{
	struct tw_scope bad = { .hosts = (char *)"web[2-1]" };
	int64_t num = 5;

	ck_assert_int_eq(give(&alice, TW_MAY_AUDIT, "web1", 0, &num),
	    TW_USAGE);
	ck_assert_str_eq(err.msg, "audit holds for the organisation: it takes "
	    "no hosts and no apps");
	ck_assert_int_eq(give(&alice, TW_MAY_ADMIN, "app:a", 0, &num),
	    TW_USAGE);
	ck_assert_int_eq(give(&alice, TW_MAY_CHANGE, "web1 app:a", 0, &num),
	    TW_USAGE);
	ck_assert_str_eq(err.msg, "change takes no apps, only deploy does");
	ck_assert_int_eq(tw_grant_add(store, &alice, "carol", TW_MAY_VIEW,
	    &bad, 0, &num, &err), TW_USAGE);
	ck_assert_int_eq(num, 0);
	ck_assert_int_eq(give(&carol, TW_MAY_VIEW, "org", 0, &num),
	    TW_DENIED);
	ck_assert_str_eq(err.msg,
	    "carol may not admin in organisation 'default'");
	ck_assert_str_eq(err.hint,
	    "ask an administrator for: towerify-op grant carol admin");
	ck_assert_int_eq(number("SELECT count(*) FROM permit"), 6);
}
END_TEST

START_TEST(a_grant_is_taken_by_its_scope_or_all_at_once)
{
	grant(TW_MAY_CHANGE, "web1");
	grant(TW_MAY_CHANGE, "web*");
	grant(TW_MAY_CHANGE, "org");
	grant(TW_MAY_VIEW, "org");
	ck_assert_int_eq(take(TW_MAY_CHANGE, "web2"), TW_NO);
	ck_assert_str_eq(err.msg, "carol has no grant of change on hosts:web2");
	ck_assert_int_eq(take(TW_MAY_HOST, NULL), TW_NO);
	ck_assert_str_eq(err.msg, "carol has no grant of host");
	ck_assert_int_eq(take(TW_MAY_ADMIN, "web1"), TW_NO);
	ck_assert_str_eq(err.msg, "carol has no grant of admin on hosts:web1");
	OK(take(TW_MAY_CHANGE, "web*"));
	ck_assert_str_eq(audit_of(alice.org_id, "op.ungrant").text,
	    "alice - 0 {\"login\":\"carol\",\"num\":\"8\",\"permission\":"
	    "\"change\",\"scope\":\"hosts:web*\",\"grant\":\"6\"}");
	ck_assert_int_eq(number("SELECT count(*) FROM permit"), 9);
	OK(take(TW_MAY_CHANGE, NULL));
	ck_assert_int_eq(audit_of(alice.org_id, "op.ungrant").count, 3);
	ck_assert_int_eq(number("SELECT count(*) FROM permit"), 7);
	ck_assert_int_eq(tw_grant_remove(store, &carol, "alice", TW_MAY_VIEW,
	    NULL, &err), TW_DENIED);
}
END_TEST

START_TEST(grants_are_listed)
{
	int64_t until = tw_clock_now() - 1000, num;
	struct tw_grant *g;
	size_t n;

	grant(TW_MAY_DEPLOY, "web* app:shop");
	OK(give(&alice, TW_MAY_VIEW, "org", until, &num));
	OK(tw_grant_list(store, &alice, NULL, &g, &n, &err));
	ck_assert_uint_eq(n, 8);
	ck_assert_str_eq(g[5].login, "alice");
	ck_assert_int_eq(g[5].num, 6);
	ck_assert_str_eq(g[6].login, "carol");
	tw_grant_list_free(g, n);
	OK(tw_grant_list(store, &carol, "carol", &g, &n, &err));
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(g[0].permission, TW_MAY_DEPLOY);
	ck_assert_str_eq(g[0].scope.hosts, "web*");
	ck_assert_str_eq(g[0].scope.app, "shop");
	ck_assert_str_eq(g[0].created_by, "alice");
	ck_assert_int_eq(g[0].until, 0);
	ck_assert(!g[0].is_over);
	ck_assert_int_gt(g[0].created, 0);
	ck_assert_ptr_null(g[1].scope.hosts);
	ck_assert_int_eq(g[1].until, until);
	ck_assert(g[1].is_over);
	tw_grant_list_free(g, n);
	ck_assert_int_eq(tw_grant_list(store, &carol, NULL, &g, &n, &err),
	    TW_DENIED);
	ck_assert_ptr_null(g);
	ck_assert_int_eq(tw_grant_list(store, &carol, "alice", &g, &n, &err),
	    TW_DENIED);
	ck_assert_int_eq(tw_grant_list(store, &carol, "nobody", &g, &n, &err),
	    TW_DENIED);
	ck_assert_int_eq(tw_grant_list(store, &alice, "nobody", &g, &n, &err),
	    TW_NO);
}
END_TEST

/* --- what is allowed --------------------------------------------------- */

static const char *const front[] = { "role=front", NULL };

/* The number of the grant that lets carol do it, "" when none does; both ways
 * to ask must agree. */
static const char *may(enum tw_permission p, const char *host,
    const char *const *labels, const char *app)
{
	static struct tw_grant_used used;
	struct tw_grant_used again = { "" };
	struct tw_rights *r;
	enum tw_status st;
	bool yes;

	used.text[0] = '\0';
	OK(tw_rights_load(store, &carol, p, &r, &err));
	yes = tw_rights_on(r, host, labels, app, &again);
	ck_assert_int_eq(tw_rights_on(r, host, labels, app, NULL), yes);
	st = tw_may_host(store, &carol, p, host, labels, app, &used, &err);
	ck_assert_int_eq(st, yes ? TW_OK : TW_DENIED);
	ck_assert_str_eq(used.text, again.text);
	if (yes)
		ck_assert(!tw_rights_are_none(r));
	else
		ck_assert(!tw_rights_are_all(r));
	tw_rights_free(r);
	return used.text;
}

START_TEST(nothing_is_allowed_without_a_grant)
{
	struct tw_rights *r;
	int p;

	for (p = 0; p < TW_PERMISSIONS; p++) {
		ck_assert_str_eq(may((enum tw_permission)p, "web1", front,
		    "shop"), "");
		OK(tw_rights_load(store, &carol, (enum tw_permission)p, &r,
		    &err));
		ck_assert(tw_rights_are_none(r));
		tw_rights_free(r);
		ck_assert_int_eq(tw_may(store, &carol, (enum tw_permission)p,
		    NULL, &err), TW_DENIED);
	}
	ck_assert_int_eq(tw_may_host(store, &carol, TW_MAY_CHANGE, "web1",
	    NULL, NULL, NULL, &err), TW_DENIED);
	ck_assert_str_eq(err.msg, "carol may not change web1");
	ck_assert_str_eq(err.hint, "ask an administrator for: towerify-op "
	    "grant carol change --on hosts:web1");
	ck_assert_int_eq(tw_may_host(store, &carol, TW_MAY_DEPLOY, "web1",
	    NULL, "shop", NULL, &err), TW_DENIED);
	ck_assert_str_eq(err.msg, "carol may not deploy shop on web1");
}
END_TEST

START_TEST(the_founder_may_everything)
{
	struct tw_grant_used used;
	char want[8];
	int p;

	for (p = 0; p < TW_PERMISSIONS; p++) {
		OK(tw_may(store, &alice, (enum tw_permission)p, &used, &err));
		snprintf(want, sizeof want, "%d", p == TW_MAY_VIEW ? 1 :
		    p + 1);
		ck_assert_str_eq(used.text, want);
	}
}
END_TEST

/* What each kind of scope covers; asked about web1 (role=front), web2 and
 * db1, and about the organisation. */
static const struct {
	enum tw_permission given;
	const char *scope;
	enum tw_permission asked;
	const char *app;
	bool web1, web2, db1, org;
} covers[] = {
	{ TW_MAY_CHANGE, "org", TW_MAY_CHANGE, NULL, 1, 1, 1, 1 },
	{ TW_MAY_CHANGE, "org", TW_MAY_VIEW, NULL, 1, 1, 1, 1 },
	{ TW_MAY_CHANGE, "org", TW_MAY_DEPLOY, "shop", 0, 0, 0, 0 },
	{ TW_MAY_CHANGE, "org", TW_MAY_HOST, NULL, 0, 0, 0, 0 },
	{ TW_MAY_CHANGE, "org", TW_MAY_AUDIT, NULL, 0, 0, 0, 0 },
	{ TW_MAY_CHANGE, "org", TW_MAY_ADMIN, NULL, 0, 0, 0, 0 },
	{ TW_MAY_VIEW, "org", TW_MAY_CHANGE, NULL, 0, 0, 0, 0 },
	{ TW_MAY_AUDIT, "org", TW_MAY_AUDIT, NULL, 1, 1, 1, 1 },
	{ TW_MAY_AUDIT, "org", TW_MAY_VIEW, NULL, 0, 0, 0, 0 },
	{ TW_MAY_ADMIN, "org", TW_MAY_VIEW, NULL, 0, 0, 0, 0 },
	{ TW_MAY_HOST, "web1", TW_MAY_HOST, NULL, 1, 0, 0, 0 },
	{ TW_MAY_HOST, "web1", TW_MAY_VIEW, NULL, 1, 0, 0, 0 },
	{ TW_MAY_CHANGE, "web*", TW_MAY_CHANGE, NULL, 1, 1, 0, 0 },
	{ TW_MAY_CHANGE, "*", TW_MAY_CHANGE, NULL, 1, 1, 1, 0 },
	{ TW_MAY_CHANGE, "@role=front", TW_MAY_CHANGE, NULL, 1, 0, 0, 0 },
	{ TW_MAY_CHANGE, "!@role=front", TW_MAY_CHANGE, NULL, 0, 1, 1, 0 },
	{ TW_MAY_CHANGE, "!web2", TW_MAY_CHANGE, NULL, 1, 0, 1, 0 },
	{ TW_MAY_CHANGE, "web*,!web1", TW_MAY_CHANGE, NULL, 0, 1, 0, 0 },
	{ TW_MAY_CHANGE, "gone,x*,@a=b,web2", TW_MAY_CHANGE, NULL, 0, 1, 0,
	    0 },
	{ TW_MAY_CHANGE, "gone", TW_MAY_CHANGE, NULL, 0, 0, 0, 0 },
	{ TW_MAY_DEPLOY, "app:shop", TW_MAY_DEPLOY, "shop", 1, 1, 1, 0 },
	{ TW_MAY_DEPLOY, "app:shop", TW_MAY_DEPLOY, "shop2", 0, 0, 0, 0 },
	{ TW_MAY_DEPLOY, "app:shop", TW_MAY_DEPLOY, NULL, 0, 0, 0, 0 },
	{ TW_MAY_DEPLOY, "app:shop", TW_MAY_VIEW, NULL, 0, 0, 0, 0 },
	{ TW_MAY_DEPLOY, "app:sh*p", TW_MAY_DEPLOY, "shop", 1, 1, 1, 0 },
	{ TW_MAY_DEPLOY, "app:sh?", TW_MAY_DEPLOY, "shop", 0, 0, 0, 0 },
	{ TW_MAY_DEPLOY, "app:*", TW_MAY_DEPLOY, "shop", 1, 1, 1, 0 },
	{ TW_MAY_DEPLOY, "org", TW_MAY_DEPLOY, "shop", 1, 1, 1, 1 },
	{ TW_MAY_DEPLOY, "web1 app:shop", TW_MAY_DEPLOY, "shop", 1, 0, 0, 0 },
	{ TW_MAY_DEPLOY, "web1 app:shop", TW_MAY_DEPLOY, "x", 0, 0, 0, 0 },
	{ TW_MAY_DEPLOY, "web1 app:shop", TW_MAY_VIEW, NULL, 1, 0, 0, 0 },
	{ TW_MAY_DEPLOY, "web* app:s*", TW_MAY_DEPLOY, "shop", 1, 1, 0, 0 },
	{ TW_MAY_DEPLOY, "web* app:s*", TW_MAY_CHANGE, NULL, 0, 0, 0, 0 },
};

START_TEST(a_grant_covers_its_scope_and_no_more)
{
	const char *app = covers[_i].app;

	grant(covers[_i].given, covers[_i].scope);
	ck_assert_str_eq(may(covers[_i].asked, "web1", front, app),
	    covers[_i].web1 ? "7" : "");
	ck_assert_str_eq(may(covers[_i].asked, "web2", NULL, app),
	    covers[_i].web2 ? "7" : "");
	ck_assert_str_eq(may(covers[_i].asked, "db1", NULL, app),
	    covers[_i].db1 ? "7" : "");
	ck_assert_int_eq(tw_may(store, &carol, covers[_i].asked, NULL, &err),
	    covers[_i].org ? TW_OK : TW_DENIED);
}
END_TEST

START_TEST(a_grant_on_the_organisation_counts_first_then_a_name)
{
	grant(TW_MAY_CHANGE, "web*");
	ck_assert_str_eq(may(TW_MAY_CHANGE, "web1", NULL, NULL), "7");
	grant(TW_MAY_CHANGE, "web1");
	ck_assert_str_eq(may(TW_MAY_CHANGE, "web1", NULL, NULL), "8");
	grant(TW_MAY_HOST, "web1");
	ck_assert_str_eq(may(TW_MAY_VIEW, "web1", NULL, NULL), "8");
	grant(TW_MAY_DEPLOY, "app:shop");
	ck_assert_str_eq(may(TW_MAY_DEPLOY, "web1", NULL, "shop"), "10");
	grant(TW_MAY_DEPLOY, "org");
	ck_assert_str_eq(may(TW_MAY_DEPLOY, "web1", NULL, "shop"), "11");
	ck_assert_str_eq(may(TW_MAY_DEPLOY, "web1", NULL, "x"), "11");
	grant(TW_MAY_CHANGE, "org");
	ck_assert_str_eq(may(TW_MAY_CHANGE, "web1", NULL, NULL), "12");
}
END_TEST

START_TEST(a_grant_ends_at_its_instant)
{
	int64_t now = tw_clock_now(), num;

	OK(give(&alice, TW_MAY_CHANGE, "org", now + 3600000, &num));
	ck_assert_str_eq(may(TW_MAY_CHANGE, "web1", NULL, NULL), "7");
	OK(give(&alice, TW_MAY_CHANGE, "org", now, &num));
	ck_assert_str_eq(may(TW_MAY_CHANGE, "web1", NULL, NULL), "");
	ck_assert_str_eq(may(TW_MAY_VIEW, "web1", NULL, NULL), "");
	ck_assert_int_eq(tw_may(store, &carol, TW_MAY_CHANGE, NULL, &err),
	    TW_DENIED);
	OK(give(&alice, TW_MAY_CHANGE, "org", 0, &num));
	ck_assert_int_eq(num, 7);
	ck_assert_str_eq(may(TW_MAY_CHANGE, "web1", NULL, NULL), "7");
}
END_TEST

START_TEST(an_administrator_of_the_tower_may_admin_and_nothing_else)
{
	struct tw_grant_used used;
	int p;

	OK(tw_operator_set_admin(store, &alice, "carol", true, &err));
	for (p = 0; p < TW_PERMISSIONS; p++)
		ck_assert_int_eq(tw_may(store, &carol, (enum tw_permission)p,
		    NULL, &err), p == TW_MAY_ADMIN ? TW_OK : TW_DENIED);
	OK(tw_may(store, &carol, TW_MAY_ADMIN, &used, &err));
	ck_assert_str_eq(used.text, "tower");
	ck_assert_str_eq(may(TW_MAY_ADMIN, "web1", NULL, NULL), "tower");
	grant(TW_MAY_ADMIN, "org");
	OK(tw_may(store, &carol, TW_MAY_ADMIN, &used, &err));
	ck_assert_str_eq(used.text, "7");
}
END_TEST

START_TEST(a_grant_of_another_organisation_counts_there_alone)
{
	struct tw_who bob = other_tenant(), there;
	bool added;

	OK(tw_operator_add(store, &bob, "carol", &added, &err));
	ck_assert(added);
	there = who_is("carol", "acme");
	grant(TW_MAY_CHANGE, "org");
	ck_assert_str_eq(may(TW_MAY_CHANGE, "web1", NULL, NULL), "7");
	ck_assert_int_eq(tw_may(store, &there, TW_MAY_CHANGE, NULL, &err),
	    TW_DENIED);
	ck_assert_str_eq(err.msg,
	    "carol may not change in organisation 'acme'");
	tw_who_release(&there);
	tw_who_release(&bob);
}
END_TEST

START_TEST(a_grant_that_cannot_be_read_allows_nothing)
{
	struct tw_rights *r;

	grant(TW_MAY_CHANGE, "web*");
	raw("UPDATE permit SET hosts = 'web[2-1]' WHERE num = 7");
	ck_assert_int_eq(tw_may_host(store, &carol, TW_MAY_CHANGE, "web1",
	    NULL, NULL, NULL, &err), TW_CONFIG);
	ck_assert_str_eq(err.msg, "the state holds a bad grant 7: bad target "
	    "'web[2-1]': the range runs backwards");
	ck_assert_int_eq(tw_rights_load(store, &carol, TW_MAY_CHANGE, &r,
	    &err), TW_CONFIG);
	ck_assert_ptr_null(r);
}
END_TEST

/* --- many -------------------------------------------------------------- */

#define MANY 10000

static int count_step(void *steps)
{
	++*(int *)steps;
	return 0;
}

/* Steps of SQLite's virtual machine for a check. */
static int cost(const struct tw_who *who, const char *host,
    enum tw_status want)
{
	int steps = 0;

	sqlite3_progress_handler(store->db, 1, count_step, &steps);
	ck_assert_int_eq(tw_may_host(store, who, TW_MAY_CHANGE, host, front,
	    NULL, NULL, &err), want);
	sqlite3_progress_handler(store->db, 0, NULL, NULL);
	return steps;
}

START_TEST(ten_thousand_grants_of_one_operator_cost_no_more_than_one)
{
	struct tw_rights *r;
	int i, n = 0;
	char host[40];

	raw("WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i"
	    "    WHERE n < 10000)"
	    " INSERT INTO permit (org_id, num, operator_id, permission, hosts,"
	    "    host, created, created_by)"
	    " SELECT m.org_id, 100 + n, m.operator_id, 'change', 'h' || n,"
	    "    'h' || n, 1, 'alice' FROM i, member m JOIN operator o"
	    "    ON o.id = m.operator_id WHERE o.login = 'carol'");
	grant(TW_MAY_CHANGE, "@role=back,x[1-100000]");
	ck_assert_int_gt(cost(&carol, "h9999", TW_OK), 0);
	ck_assert_int_lt(cost(&carol, "h9999", TW_OK), 1000);
	ck_assert_int_lt(cost(&carol, "h10001", TW_DENIED), 1000);
	ck_assert_int_lt(cost(&alice, "h1", TW_OK), 1000);
	OK(tw_rights_load(store, &carol, TW_MAY_CHANGE, &r, &err));
	for (i = 0; i <= MANY + 1; i++) {
		snprintf(host, sizeof host, "h%d", i);
		n += tw_rights_on(r, host, NULL, NULL, NULL);
	}
	ck_assert_int_eq(n, MANY);
	ck_assert(tw_rights_on(r, "x77", NULL, NULL, NULL));
	tw_rights_free(r);
}
END_TEST

START_TEST(ten_thousand_grants_of_many_operators_cost_no_more)
{
	raw("WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i"
	    "    WHERE n < 1000)"
	    " INSERT INTO operator (login, created) SELECT 'o' || n, 1 FROM i");
	raw("INSERT INTO member (org_id, operator_id, since)"
	    " SELECT org.id, o.id, 1 FROM operator o, org"
	    " WHERE o.login GLOB 'o[0-9]*'");
	raw("WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i"
	    "    WHERE n < 10)"
	    " INSERT INTO permit (org_id, num, operator_id, permission, hosts,"
	    "    created, created_by)"
	    " SELECT m.org_id, 100 + m.operator_id * 10 + n, m.operator_id,"
	    "    'change', 'h' || n || '*', 1, 'alice' FROM i, member m"
	    "    JOIN operator o ON o.id = m.operator_id"
	    " WHERE o.login GLOB 'o[0-9]*'");
	ck_assert_int_eq(number("SELECT count(*) FROM permit"), MANY + 6);
	grant(TW_MAY_CHANGE, "h7*");
	ck_assert_int_lt(cost(&carol, "h77", TW_OK), 1000);
	ck_assert_int_lt(cost(&carol, "h1", TW_DENIED), 1000);
}
END_TEST

START_TEST(numbers_are_given_once_by_many_at_a_time)
{
	struct tw_scope s = { NULL, NULL };
	int i, j, status;
	char host[40];
	int64_t num;

	tw_store_close(store);
	for (i = 0; i < 4; i++) {
		if (fork())
			continue;
		if (tw_store_open(fix_dir, TW_STORE_WRITE, &store, &err))
			_exit(9);
		for (j = 0; j < 20; j++) {
			snprintf(host, sizeof host, "h%d-%d", i, j);
			s.hosts = host;
			if (tw_grant_add(store, &alice, "carol", TW_MAY_VIEW,
			    &s, 0, &num, &err))
				_exit(1);
		}
		_exit(0);
	}
	while (wait(&status) > 0)
		ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	OK(tw_store_open(fix_dir, TW_STORE_WRITE, &store, &err));
	ck_assert_int_eq(number("SELECT count(DISTINCT num) FROM permit"), 86);
	ck_assert_int_eq(number("SELECT max(num) FROM permit"), 86);
	ck_assert_int_eq(audit_of(alice.org_id, "op.grant").count, 86);
}
END_TEST

/* --- why --------------------------------------------------------------- */

static const char *explain(const struct tw_who *who, enum tw_permission p,
    const char *scope, enum tw_status want)
{
	static char text[2000];
	struct tw_buf b = TW_BUF_INIT;
	struct tw_scope s = { NULL, NULL };

	OK(tw_scope_parse(scope, &s, &err));
	ck_assert_int_eq(tw_grant_explain(store, who, "carol", p, &s, &b,
	    &err), want);
	tw_text_settle(text, sizeof text, tw_buf_str(&b), false);
	tw_scope_release(&s);
	tw_buf_release(&b);
	return text;
}

START_TEST(it_says_why)
{
	setenv("TZ", "UTC", 1);
	add_host("web1");
	add_host("web2");
	add_host("db1");
	ck_assert_str_eq(explain(&alice, TW_MAY_CHANGE, "web1", TW_NO),
	    "no grant allows it on web1\ncarol has no grant of change\n");
	ck_assert_str_eq(err.msg, "carol may not change there");
	ck_assert_str_eq(explain(&alice, TW_MAY_AUDIT, "org", TW_NO),
	    "no grant allows it\ncarol has no grant of audit\n");
	grant(TW_MAY_CHANGE, "web*");
	ck_assert_str_eq(explain(&alice, TW_MAY_CHANGE, "web1,web2", TW_OK),
	    "grant 7 allows it on web1, web2: change on hosts:web*\n");
	ck_assert_str_eq(explain(&alice, TW_MAY_CHANGE, "*", TW_NO),
	    "grant 7 allows it on web1, web2: change on hosts:web*\n"
	    "no grant allows it on db1\n");
	ck_assert_str_eq(explain(&alice, TW_MAY_CHANGE, "db1", TW_NO),
	    "no grant allows it on db1\n"
	    "grant 7 does not, it is for other hosts: change on hosts:web*\n");
	ck_assert_str_eq(explain(&alice, TW_MAY_CHANGE, "org", TW_NO),
	    "no grant allows it\n"
	    "grant 7 does not, it is for some hosts alone: change on "
	    "hosts:web*\n");
	ck_assert_str_eq(explain(&alice, TW_MAY_VIEW, "web1", TW_OK),
	    "grant 7 allows it on web1: change on hosts:web*\n");
}
END_TEST

START_TEST(it_says_why_of_apps_and_ends)
{
	int64_t num;

	setenv("TZ", "UTC", 1);
	add_host("web1");
	OK(give(&alice, TW_MAY_DEPLOY, "app:shop", 4102444800000, &num));
	ck_assert_str_eq(explain(&alice, TW_MAY_DEPLOY, "app:shop", TW_OK),
	    "grant 7 allows it: deploy on app:shop, until "
	    "2100-01-01 00:00:00\n");
	ck_assert_str_eq(explain(&alice, TW_MAY_DEPLOY, "web1 app:shop",
	    TW_OK), "grant 7 allows it on web1: deploy on app:shop, until "
	    "2100-01-01 00:00:00\n");
	ck_assert_str_eq(explain(&alice, TW_MAY_DEPLOY, "app:s*", TW_NO),
	    "no grant allows it\ngrant 7 does not, it is for other apps: "
	    "deploy on app:shop, until 2100-01-01 00:00:00\n");
	ck_assert_str_eq(explain(&alice, TW_MAY_DEPLOY, "org", TW_NO),
	    "no grant allows it\ngrant 7 does not, it is for some apps alone: "
	    "deploy on app:shop, until 2100-01-01 00:00:00\n");
	ck_assert_str_eq(explain(&alice, TW_MAY_VIEW, "org", TW_NO),
	    "no grant allows it\ngrant 7 does not, apps alone let nobody view "
	    "hosts: deploy on app:shop, until 2100-01-01 00:00:00\n");
	OK(give(&alice, TW_MAY_CHANGE, "org", 946684800000, &num));
	ck_assert_str_eq(explain(&alice, TW_MAY_CHANGE, "org", TW_NO),
	    "no grant allows it\ngrant 8 does not, it ended "
	    "2000-01-01 00:00:00: change on org\n");
	OK(tw_operator_set_admin(store, &alice, "carol", true, &err));
	ck_assert_str_eq(explain(&alice, TW_MAY_ADMIN, "org", TW_OK),
	    "an administrator of the tower may\n");
}
END_TEST

START_TEST(why_is_for_administrators_and_oneself)
{
	struct tw_scope org = { NULL, NULL };
	struct tw_buf b = TW_BUF_INIT;

	ck_assert_str_eq(explain(&carol, TW_MAY_VIEW, "org", TW_NO),
	    "no grant allows it\ncarol has no grant of view\n");
	ck_assert_int_eq(tw_grant_explain(store, &carol, "alice", TW_MAY_VIEW,
	    &org, &b, &err), TW_DENIED);
	ck_assert_int_eq(tw_grant_explain(store, &carol, "nobody",
	    TW_MAY_VIEW, &org, &b, &err), TW_DENIED);
	ck_assert_uint_eq(b.len, 0);
	ck_assert_str_eq(explain(&alice, TW_MAY_VIEW, "web9", TW_NO), "");
	ck_assert_str_eq(err.msg, "unknown host: web9");
	add_host("web1");
	ck_assert_str_eq(explain(&alice, TW_MAY_VIEW, "web1,!web1", TW_NO),
	    "");
	ck_assert_str_eq(err.msg, "no host is selected");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("grant");
	TCase *t = tcase_create("grant");

	tcase_add_checked_fixture(t, setup_carol, teardown_carol);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, permissions_have_names);
	tcase_add_loop_test(t, a_scope_is_read_and_written, 0,
	    sizeof scopes / sizeof *scopes);
	tcase_add_test(t, a_grant_is_numbered_within_its_organisation);
	tcase_add_test(t, the_same_grant_again_gets_the_new_end);
	tcase_add_test(t, a_grant_that_makes_no_sense_is_refused);
	tcase_add_test(t, a_grant_is_taken_by_its_scope_or_all_at_once);
	tcase_add_test(t, grants_are_listed);
	tcase_add_test(t, nothing_is_allowed_without_a_grant);
	tcase_add_test(t, the_founder_may_everything);
	tcase_add_loop_test(t, a_grant_covers_its_scope_and_no_more, 0,
	    sizeof covers / sizeof *covers);
	tcase_add_test(t,
	    a_grant_on_the_organisation_counts_first_then_a_name);
	tcase_add_test(t, a_grant_ends_at_its_instant);
	tcase_add_test(t,
	    an_administrator_of_the_tower_may_admin_and_nothing_else);
	tcase_add_test(t, a_grant_of_another_organisation_counts_there_alone);
	tcase_add_test(t, a_grant_that_cannot_be_read_allows_nothing);
	tcase_add_test(t,
	    ten_thousand_grants_of_one_operator_cost_no_more_than_one);
	tcase_add_test(t, ten_thousand_grants_of_many_operators_cost_no_more);
	tcase_add_test(t, numbers_are_given_once_by_many_at_a_time);
	tcase_add_test(t, it_says_why);
	tcase_add_test(t, it_says_why_of_apps_and_ends);
	tcase_add_test(t, why_is_for_administrators_and_oneself);
	suite_add_tcase(s, t);
	return run_suite(s);
}
