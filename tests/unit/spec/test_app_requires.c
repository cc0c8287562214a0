/* test_app_requires.c - what an app needs against the facts of a host */
#include "app_util.h"

#define FACTS(more) "{\"os\":\"debian\",\"os_version\":\"12\"," \
	"\"arch\":\"x86_64\",\"memory_kb\":\"262144\"," \
	"\"disk_free_kb\":\"1573000\",\"systemd\":\"no\",\"uid\":\"1000\"" \
	more "}"

static void misses_are(const char *requires, const char *facts,
    enum tw_status wanted, const char *misses, const char *message)
{
	struct tw_buf b = TW_BUF_INIT, text = TW_BUF_INIT;
	struct tw_app_spec *app;
	struct tw_err err = { 0 };

	tw_buf_addf(&text, APP LIFE "requires: %s\n", requires);
	app = good_app(text.data);
	ck_assert_int_eq(tw_requires_check(&app->requires, "web1", facts, &b,
	    &err), wanted);
	if (b.len)
		tw_text_settle(b.data, b.len + 1, b.data, false);
	ck_assert_str_eq(tw_buf_str(&b), misses);
	ck_assert_str_eq(err.msg, message);
	tw_app_spec_free(app);
	tw_buf_release(&text);
	tw_buf_release(&b);
}

START_TEST(what_is_there_is_no_miss)
{
	misses_are("{}", NULL, TW_OK, "", "");
	misses_are("{}", "broken", TW_OK, "", "");
	misses_are("{systemd: false, root: false}", NULL, TW_OK, "", "");
	misses_are("{os: debian, os_version: ['11', '12'], arch: x86_64, "
	    "memory: 256M, disk: 1G}", FACTS(""), TW_OK, "", "");
	misses_are("{systemd: true, root: true}",
	    "{\"systemd\":\"yes\",\"uid\":\"0\"}", TW_OK, "", "");
}
END_TEST

START_TEST(every_miss_is_named)
{
	misses_are("{os: [ubuntu, devuan], os_version: ['13', '14', '15'], "
	    "arch: aarch64, memory: 512M, disk: 2G, systemd: true, root: true}",
	    FACTS(""), TW_NO,
	    "os: needs ubuntu or devuan, has debian\n"
	    "os_version: needs 13, 14 or 15, has 12\n"
	    "arch: needs aarch64, has x86_64\n"
	    "memory: needs 512 MiB, has 256 MiB\n"
	    "disk: needs 2 GiB, has 1.5 GiB\n"
	    "systemd: needs it, has another init, or none\n"
	    "root: needs it, the tower works there as somebody else\n",
	    "web1: it lacks what is needed");
	misses_are("{os: debian}", "{\"os\":\"a\\u001bb\"}", TW_NO,
	    "os: needs debian, has a\\x1bb\n", "web1: it lacks what is needed");
	misses_are("{memory: 1025K}", "{\"memory_kb\":\"1024\"}", TW_NO,
	    "memory: needs 1.1 MiB, has 1 MiB\n", "web1: it lacks what is needed");
}
END_TEST

START_TEST(what_is_not_known_is_a_miss)
{
	static const char all[] =
	    "os: needs debian, which is not known: run towerify-host check "
	    "web1 first\n"
	    "memory: needs 3 TiB, which is not known: run towerify-host check "
	    "web1 first\n"
	    "systemd: needs it, which is not known: run towerify-host check "
	    "web1 first\n";
	static const char needs[] = "{os: debian, memory: 3T, systemd: true}";
	static const char why[] = "web1: it lacks what is needed";

	misses_are(needs, NULL, TW_NO, all, why);
	misses_are(needs, "", TW_NO, all, why);
	misses_are(needs, "{\"os\":\"\",\"memory_kb\":\"much\",\"systemd\":1}",
	    TW_NO, all, why);
}
END_TEST

START_TEST(facts_that_are_none_are_a_bug_of_ours)
{
	misses_are("{os: debian}", "[]", TW_BUG, "",
	    "web1: its facts are no JSON object");
	misses_are("{os: debian}", "{", TW_BUG, "",
	    "web1: its facts are no JSON object");
}
END_TEST

START_TEST(needs_are_described)
{
	struct tw_app_spec *app;
	struct tw_buf b = TW_BUF_INIT;

	tw_buf_adds(&b, "needs: ");
	app = good_app(APP LIFE);
	tw_requires_describe(&app->requires, &b);
	ck_assert_str_eq(b.data, "needs: ");
	tw_app_spec_free(app);
	app = good_app(APP LIFE "requires: {os: debian, os_version: [12, 13], "
	    "arch: [a, b, c], memory: 1536M, disk: 10G, systemd: true, "
	    "root: true}\n");
	tw_requires_describe(&app->requires, &b);
	ck_assert_str_eq(b.data, "needs: os debian, os_version 12 or 13, "
	    "arch a, b or c, memory 1.5 GiB, disk 10 GiB, systemd, root");
	tw_app_spec_free(app);
	tw_buf_release(&b);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		what_is_there_is_no_miss,
		every_miss_is_named,
		what_is_not_known_is_a_miss,
		facts_that_are_none_are_a_bug_of_ours,
		needs_are_described,
	};

	return run_tests("app_requires", tests, sizeof tests / sizeof *tests);
}
