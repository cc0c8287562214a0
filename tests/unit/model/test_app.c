/* test_app.c - the catalogue: added, imported, looked at, removed */
#include "model/app.h"
#include "model/fixture.h"
#include "model/instance.h"

static const uint8_t a_hash[TW_SHA256_LEN] = { 7 };

static struct tw_app_entry entry(const char *name, const char *version)
{
	struct tw_app_entry e = { .name = name, .version = version,
	    .title = "a title", .level = -1, .file = "file", .file_len = 4 };

	return e;
}

static void add(const char *name, const char *version)
{
	struct tw_app_entry e = entry(name, version);
	bool again;

	OK(tw_app_add(store, &alice, &e, &again, &err));
	ck_assert(!again);
}

static struct tw_app_entry yuno(const char *name, const char *version)
{
	struct tw_app_entry e = { .name = name, .version = version,
	    .title = name, .state = "working", .level = 8,
	    .category = "wikis", .archs = "amd64,arm64", .detail = "{}" };

	return e;
}

/* What is selected, as "name@version …". */
static const char *list(const struct tw_who *who, struct tw_app_filter f)
{
	static char text[600];
	struct tw_app *apps;
	size_t n, i, at = 0;

	OK(tw_app_select(store, who, &f, &apps, &n, &err));
	text[0] = '\0';
	for (i = 0; i < n; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, "%s%s@%s",
		    i ? " " : "", apps[i].name, apps[i].version);
	tw_apps_free(apps, n);
	return text;
}
#define LIST(who, ...) list(who, (struct tw_app_filter){ __VA_ARGS__ })

static const char *found(const char *name)
{
	static char text[200];
	struct tw_app a;

	if (tw_app_find(store, &alice, name, &a, &err) != TW_OK) {
		snprintf(text, sizeof text, "%.90s; %.90s", err.msg, err.hint);
		return text;
	}
	snprintf(text, sizeof text, "%s@%s %s", a.name, a.version,
	    tw_app_source_name(a.source));
	tw_app_release(&a);
	return text;
}

START_TEST(a_version_is_never_changed)
{
	struct tw_app_entry e = entry("wiki", "1.0");
	struct tw_buf file = TW_BUF_INIT, bundle = TW_BUF_INIT;
	struct tw_app a;
	bool again;

	e.bundle = "bundle";
	e.bundle_len = 6;
	OK(tw_app_add(store, &alice, &e, &again, &err));
	ck_assert(!again);
	OK(tw_app_add(store, &alice, &e, &again, &err));
	ck_assert(again);
	ck_assert_int_eq(audit_of(alice.org_id, "app.add").count, 1);
	e.file = "FILE";
	ck_assert_int_eq(tw_app_add(store, &alice, &e, &again, &err), TW_NO);
	ck_assert_str_eq(err.msg, "wiki@1.0 is there with another content");
	e.file = "file";
	e.bundle = "BUNDLE";
	ck_assert_int_eq(tw_app_add(store, &alice, &e, &again, &err), TW_NO);
	OK(tw_app_find(store, &alice, "wiki", &a, &err));
	OK(tw_app_read(store, &a, &file, &bundle, &err));
	ck_assert_str_eq(tw_buf_str(&file), "file");
	ck_assert_str_eq(tw_buf_str(&bundle), "bundle");
	ck_assert_str_eq(a.added_by, "alice");
	tw_app_release(&a);
	tw_buf_release(&file);
	tw_buf_release(&bundle);
}
END_TEST

START_TEST(contents_stay_while_an_app_names_them)
{
	struct tw_app_entry e = entry("wiki", "1.0");
	struct tw_buf b = TW_BUF_INIT;
	struct tw_app a;
	bool again;

	e.bundle = "bundle";
	e.bundle_len = 6;
	OK(tw_app_add(store, &alice, &e, &again, &err));
	e.name = (char *)"shop";
	e.bundle_len = 0;
	OK(tw_app_add(store, &alice, &e, &again, &err));
	ck_assert_int_eq(number("SELECT count(*) FROM content"), 2);
	OK(tw_app_remove(store, &alice, "wiki", &err));
	ck_assert_int_eq(number("SELECT count(*) FROM content"), 1);
	OK(tw_app_find(store, &alice, "shop", &a, &err));
	OK(tw_app_read(store, &a, &b, &b, &err));
	OK(tw_app_remove(store, &alice, "shop", &err));
	ck_assert_int_eq(number("SELECT count(*) FROM content"), 0);
	tw_app_release(&a);
	tw_buf_release(&b);
}
END_TEST

START_TEST(the_newest_is_found)
{
	struct tw_app_entry e = yuno("wiki", "9.0");
	struct tw_app_import r;

	add("wiki", "1.9");
	add("wiki", "1.10");
	add("wiki", "1.10~rc1");
	OK(tw_app_import(store, &alice, &e, 1, a_hash, &r, &err));
	ck_assert_str_eq(found("wiki"), "wiki@1.10 file");
	ck_assert_str_eq(found("wiki@9.0"), "wiki@9.0 yunohost");
	ck_assert_str_eq(found("wiki@1.9"), "wiki@1.9 file");
	ck_assert_str_eq(LIST(&alice, .pattern = "wiki"), "wiki@9.0 wiki@1.10 "
	    "wiki@1.10~rc1 wiki@1.9");
	ck_assert_str_eq(found("wiki@2"),
	    "no version '2' of app 'wiki'; the newest is wiki@9.0");
	ck_assert_str_eq(found("wikki"),
	    "no app 'wikki'; did you mean 'wiki'?");
	ck_assert_str_eq(found("@1"), "'@1' is not an app: APP or "
	    "APP@VERSION; ");
	ck_assert_str_eq(found("wiki@"), "'wiki@' is not an app: APP or "
	    "APP@VERSION; ");
}
END_TEST

START_TEST(equal_versions_have_an_order)
{
	add("wiki", "1.00");
	add("wiki", "1.0");
	add("wiki", "0:1.0");
	ck_assert_str_eq(LIST(&alice, 0), "wiki@0:1.0 wiki@1.0 wiki@1.00");
	ck_assert_str_eq(found("wiki"), "wiki@0:1.0 file");
}
END_TEST

START_TEST(a_manifest_is_one_app_of_the_catalogue)
{
	struct tw_who bob = add_member("bob");
	struct tw_app_entry e[] = { yuno("a", "1"), yuno("b", "1") };
	struct tw_app_import r;
	bool again;

	OK(tw_app_import(store, &alice, e, 1, a_hash, &r, &err));
	e[0].version = "2";
	OK(tw_app_manifest(store, &alice, &e[0], a_hash, &again, &err));
	ck_assert(!again);
	OK(tw_app_manifest(store, &alice, &e[0], a_hash, &again, &err));
	ck_assert(again);
	OK(tw_app_manifest(store, &alice, &e[1], a_hash, &again, &err));
	ck_assert(!again);
	ck_assert_int_eq(audit_of(alice.org_id, "app.manifest").count, 2);
	ck_assert_str_eq(LIST(&alice, 0), "a@2 b@1");
	ck_assert_int_eq(tw_app_manifest(store, &bob, &e[1], a_hash, &again,
	    &err), TW_DENIED);
	tw_who_release(&bob);
}
END_TEST

START_TEST(an_import_takes_the_place_of_the_one_before)
{
	struct tw_app_entry e[] = { yuno("a", "1"), yuno("b", "1"),
		yuno("c", NULL) };
	struct tw_app_import r;

	add("own", "1");
	OK(tw_app_import(store, &alice, e, 3, a_hash, &r, &err));
	ck_assert_uint_eq(r.before, 0);
	ck_assert_uint_eq(r.added, 3);
	OK(tw_app_import(store, &alice, e, 3, a_hash, &r, &err));
	ck_assert_uint_eq(r.before, 3);
	ck_assert_uint_eq(r.added + r.changed + r.removed, 0);
	ck_assert_int_eq(audit_of(alice.org_id, "app.import").count, 1);
	e[1].version = "2";
	e[2].description = "now it says";
	OK(tw_app_import(store, &alice, e + 1, 2, a_hash, &r, &err));
	ck_assert_uint_eq(r.added, 0);
	ck_assert_uint_eq(r.changed, 2);
	ck_assert_uint_eq(r.removed, 1);
	ck_assert_str_eq(LIST(&alice, 0), "b@2 c@ own@1");
	ck_assert_ptr_nonnull(strstr(audit_of(alice.org_id,
	    "app.import").text, "\"changed\":\"2\""));
}
END_TEST

START_TEST(a_broken_import_leaves_what_was)
{
	struct tw_app_entry good = yuno("a", "1"), bad[] = { yuno("b", "1"),
		yuno("c", "1") };
	struct tw_app_import r;

	OK(tw_app_import(store, &alice, &good, 1, a_hash, &r, &err));
	bad[1].title = NULL;	/* the state refuses that */
	ck_assert_int_ne(tw_app_import(store, &alice, bad, 2, a_hash, &r,
	    &err), TW_OK);
	ck_assert_str_eq(LIST(&alice, 0), "a@1");
	ck_assert(!tw_store_in_tx(store));
}
END_TEST

START_TEST(a_list_is_limited)
{
	struct tw_app_entry e[] = { yuno("alpha", "1"), yuno("beta", "1"),
		yuno("gamma", "1") };
	struct tw_app_import r;

	e[1].state = "notworking";
	e[1].level = 3;
	e[2].category = "iot";
	e[2].archs = NULL;
	e[2].level = -1;
	OK(tw_app_import(store, &alice, e, 3, a_hash, &r, &err));
	ck_assert_str_eq(LIST(&alice, .pattern = "*a"),
	    "alpha@1 beta@1 gamma@1");
	ck_assert_str_eq(LIST(&alice, .pattern = "?eta"), "beta@1");
	ck_assert_str_eq(LIST(&alice, .pattern = "[ab]*"), "");
	ck_assert_str_eq(LIST(&alice, .state = "working"), "alpha@1 gamma@1");
	ck_assert_str_eq(LIST(&alice, .level = 3), "alpha@1 beta@1");
	ck_assert_str_eq(LIST(&alice, .level = 4), "alpha@1");
	ck_assert_str_eq(LIST(&alice, .category = "iot"), "gamma@1");
	ck_assert_str_eq(LIST(&alice, .arch = "arm64"),
	    "alpha@1 beta@1 gamma@1");
	ck_assert_str_eq(LIST(&alice, .arch = "arm"), "gamma@1");
}
END_TEST

START_TEST(another_tenants_is_not_there)
{
	struct tw_who bob = other_tenant();
	struct tw_app a;

	add("wiki", "1.0");
	ck_assert_str_eq(LIST(&bob, 0), "");
	ck_assert_int_eq(tw_app_find(store, &bob, "wiki", &a, &err), TW_NO);
	ck_assert_str_eq(err.msg, "no app 'wiki'");
	ck_assert_int_eq(tw_app_remove(store, &bob, "wiki", &err), TW_NO);
	ck_assert_str_eq(err.msg, "no app 'wiki'");
	ck_assert_str_eq(LIST(&alice, 0), "wiki@1.0");
	tw_who_release(&bob);
}
END_TEST

START_TEST(adding_needs_change_everywhere)
{
	struct tw_who bob = add_member("bob");
	struct tw_app_entry e = entry("wiki", "1.0");
	struct tw_app_filter f = { 0 };
	struct tw_app_import r;
	struct tw_app *apps;
	bool again;
	size_t n;

	ck_assert_int_eq(tw_app_select(store, &bob, &f, &apps, &n, &err),
	    TW_DENIED);
	permit(&bob, "change", "web1", 0);
	permit(&bob, "deploy", NULL, 0);
	ck_assert_int_eq(tw_app_add(store, &bob, &e, &again, &err),
	    TW_DENIED);
	ck_assert_str_eq(err.msg, "bob may not change in organisation "
	    "'default'");
	ck_assert_int_eq(tw_app_import(store, &bob, &e, 1, a_hash, &r, &err),
	    TW_DENIED);
	add("wiki", "1.0");
	ck_assert_int_eq(tw_app_remove(store, &bob, "wiki", &err), TW_DENIED);
	ck_assert_str_eq(LIST(&bob, 0), "wiki@1.0");
	permit(&bob, "change", NULL, 0);
	OK(tw_app_remove(store, &bob, "wiki", &err));
	ck_assert_str_eq(LIST(&bob, 0), "");
	tw_who_release(&bob);
}
END_TEST

START_TEST(what_an_upgrade_brings_stays)
{
	struct tw_instance_act act = { .action = TW_INSTANCE_DEPLOY,
	    .app = "wiki", .version = "1.0", .instance = "wiki" };
	struct tw_filing f = filing();
	int64_t num;

	f.act = &act;
	add("wiki", "1.0");
	add("wiki", "1.1");
	add_host("web1");
	num = file_with(&alice, "web1", &f);
	end_as(num, TW_CHANGE_SUCCEEDED, NULL);
	act.action = TW_INSTANCE_UPGRADE;
	act.version = "1.1";
	act.latest = number("SELECT change_id FROM instance");
	num = file_with(&alice, "web1", &f);
	ck_assert_int_eq(tw_app_remove(store, &alice, "wiki@1.1", &err),
	    TW_NO);
	ck_assert_str_eq(err.msg, "wiki@1.1 is what an upgrade brings to "
	    "web1");
	ck_assert_int_eq(tw_app_remove(store, &alice, "wiki", &err), TW_NO);
	ck_assert_str_eq(err.msg, "wiki@1.0 is deployed on web1");
	/* one that does not work may go */
	end_as(num, TW_CHANGE_FAILED, NULL);
	OK(tw_app_remove(store, &alice, "wiki@1.1", &err));
	ck_assert_int_eq(tw_app_remove(store, &alice, "wiki", &err), TW_NO);
}
END_TEST

START_TEST(instances_that_can_not_be_seen_do_not_count)
{
	struct tw_instance_act act = { .action = TW_INSTANCE_DEPLOY,
	    .app = "wiki", .version = "1.0", .instance = "wiki" };
	struct tw_who bob = add_member("bob");
	struct tw_filing f = filing();
	struct tw_app a;

	f.act = &act;
	add("wiki", "1.0");
	add_host("web1");
	add_host("db1");
	file_with(&alice, "web1", &f);
	permit(&bob, "view", "db1", 0);
	OK(tw_app_find(store, &bob, "wiki", &a, &err));
	ck_assert_int_eq(a.instances, 0);
	tw_app_release(&a);
	permit(&bob, "view", "web1", 0);
	OK(tw_app_find(store, &bob, "wiki", &a, &err));
	ck_assert_int_eq(a.instances, 1);
	tw_app_release(&a);
	tw_who_release(&bob);
}
END_TEST

START_TEST(what_is_deployed_stays)
{
	struct tw_instance_act act = { .action = TW_INSTANCE_DEPLOY,
	    .app = "wiki", .version = "1.0", .instance = "wiki" };
	struct tw_filing f = filing();
	struct tw_app a;
	int64_t num;

	f.act = &act;
	add("wiki", "1.0");
	add("wiki", "1.1");
	add_host("web1");
	num = file_with(&alice, "web1", &f);
	ck_assert_int_eq(tw_app_remove(store, &alice, "wiki", &err), TW_NO);
	ck_assert_str_eq(err.msg, "wiki@1.0 is deployed on web1");
	OK(tw_app_remove(store, &alice, "wiki@1.1", &err));
	OK(tw_app_find(store, &alice, "wiki", &a, &err));
	ck_assert_int_eq(a.instances, 1);
	tw_app_release(&a);
	end_as(num, TW_CHANGE_CANCELLED, NULL);
	OK(tw_app_remove(store, &alice, "wiki@1.0", &err));
	ck_assert_str_eq(LIST(&alice, 0), "");
	ck_assert_int_eq(audit_of(alice.org_id, "app.remove").count, 2);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("app");
	TCase *tc = tcase_create("catalogue");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_version_is_never_changed);
	tcase_add_test(tc, contents_stay_while_an_app_names_them);
	tcase_add_test(tc, the_newest_is_found);
	tcase_add_test(tc, equal_versions_have_an_order);
	tcase_add_test(tc, a_manifest_is_one_app_of_the_catalogue);
	tcase_add_test(tc, an_import_takes_the_place_of_the_one_before);
	tcase_add_test(tc, a_broken_import_leaves_what_was);
	tcase_add_test(tc, a_list_is_limited);
	tcase_add_test(tc, another_tenants_is_not_there);
	tcase_add_test(tc, adding_needs_change_everywhere);
	tcase_add_test(tc, instances_that_can_not_be_seen_do_not_count);
	tcase_add_test(tc, what_is_deployed_stays);
	tcase_add_test(tc, what_an_upgrade_brings_stays);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
