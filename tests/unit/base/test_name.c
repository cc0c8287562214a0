/* test_name.c - lib/base/name.c: the grammars and the nearest word */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/name.h"

static const struct {
	bool (*ok)(const char *);
	const char *text;
	bool wanted;
} cases[] = {
	{ tw_name_ok, "web1", true },
	{ tw_name_ok, "0", true },
	{ tw_name_ok, "A.b_c-d", true },
	{ tw_name_ok, "", false },
	{ tw_name_ok, "-rf", false },
	{ tw_name_ok, ".hidden", false },
	{ tw_name_ok, "_x", false },
	{ tw_name_ok, "a b", false },
	{ tw_name_ok, "a/b", false },
	{ tw_name_ok, "a\n", false },
	{ tw_name_ok, "a;b", false },
	{ tw_name_ok, "\xc3\xa9", false },
	{ tw_name_param_ok, "admin_password", true },
	{ tw_name_param_ok, "a2", true },
	{ tw_name_param_ok, "", false },
	{ tw_name_param_ok, "2a", false },
	{ tw_name_param_ok, "_a", false },
	{ tw_name_param_ok, "Domain", false },
	{ tw_name_param_ok, "aB", false },
	{ tw_name_param_ok, "a-b", false },
	{ tw_name_param_ok, "abcdefghijabcdefghijabcdefghija", true },
	{ tw_name_param_ok, "abcdefghijabcdefghijabcdefghijab", false },
	{ tw_name_address_ok, "192.0.2.7", true },
	{ tw_name_address_ok, "fe80::1%eth0", true },
	{ tw_name_address_ok, "::1", true },
	{ tw_name_address_ok, "web1.example.org", true },
	{ tw_name_address_ok, "-oProxyCommand=x", false },
	{ tw_name_address_ok, "-x", false },
	{ tw_name_address_ok, "a$b", false },
	{ tw_name_address_ok, "a`b", false },
	{ tw_name_address_ok, "", false },
	{ tw_name_spool_ok, "/var/spool/towerify", true },
	{ tw_name_spool_ok, "/a", true },
	{ tw_name_spool_ok, "/...", true },
	{ tw_name_spool_ok, "/.x/..y", true },
	{ tw_name_spool_ok, "/", false },
	{ tw_name_spool_ok, "//", false },
	{ tw_name_spool_ok, "/a/", false },
	{ tw_name_spool_ok, "/a//b", false },
	{ tw_name_spool_ok, "/a/./b", false },
	{ tw_name_spool_ok, "/a/..", false },
	{ tw_name_spool_ok, "a/b", false },
	{ tw_name_spool_ok, "", false },
	{ tw_name_spool_ok, "/a b", false },
	{ tw_name_spool_ok, "/a'b", false },
	{ tw_name_label_value_ok, "front", true },
	{ tw_name_label_value_ok, "a=b/c:d", true },
	{ tw_name_label_value_ok, "", false },
	{ tw_name_label_value_ok, "a b", false },
	{ tw_name_label_value_ok, "a,b", false },
	{ tw_name_label_value_ok, "a\"b", false },
	{ tw_name_label_value_ok, "a'b", false },
	{ tw_name_label_value_ok, "a\x7f", false },
	{ tw_name_label_value_ok, "\xff", false },
};

START_TEST(each_grammar_takes_only_its_own)
{
	size_t i;

	for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
		ck_assert_msg(cases[i].ok(cases[i].text) == cases[i].wanted,
		    "case %zu: '%s'", i, cases[i].text);
}
END_TEST

START_TEST(lengths_are_limited)
{
	char s[400];

	memset(s, 'a', sizeof s);
	s[TW_NAME_MAX] = '\0';
	ck_assert(tw_name_ok(s) && tw_name_label_value_ok(s));
	s[TW_NAME_MAX] = 'a';
	s[TW_NAME_MAX + 1] = '\0';
	ck_assert(!tw_name_ok(s) && !tw_name_label_value_ok(s));
	s[TW_NAME_MAX + 1] = 'a';
	s[0] = '/';
	s[255] = '\0';
	ck_assert(tw_name_spool_ok(s));
	s[255] = 'a';
	s[256] = '\0';
	ck_assert(!tw_name_spool_ok(s));
}
END_TEST

static const char *const verbs[] = { "add", "list", "show", "remove",
	"cancel", NULL };

START_TEST(the_nearest_word_is_offered_when_near)
{
	ck_assert_str_eq(tw_name_nearest("lst", verbs), "list");
	ck_assert_str_eq(tw_name_nearest("lsit", verbs), "list");
	ck_assert_str_eq(tw_name_nearest("ad", verbs), "add");
	ck_assert_str_eq(tw_name_nearest("remvoe", verbs), "remove");
	ck_assert_str_eq(tw_name_nearest("cancle", verbs), "cancel");
	ck_assert_str_eq(tw_name_nearest("list", verbs), "list");
}
END_TEST

START_TEST(nothing_is_offered_when_all_are_far)
{
	char s[TW_NAME_MAX + 2];
	const char *const none[] = { NULL };

	ck_assert_ptr_null(tw_name_nearest("destroy", verbs));
	ck_assert_ptr_null(tw_name_nearest("x", verbs));
	ck_assert_ptr_null(tw_name_nearest("", verbs));
	ck_assert_ptr_null(tw_name_nearest("add", none));
	memset(s, 'a', sizeof s - 1);
	s[sizeof s - 1] = '\0';
	ck_assert_ptr_null(tw_name_nearest(s, verbs));
	s[TW_NAME_MAX] = '\0';
	ck_assert_ptr_null(tw_name_nearest(s, verbs));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("name");
	TCase *tc = tcase_create("name");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, each_grammar_takes_only_its_own);
	tcase_add_test(tc, lengths_are_limited);
	tcase_add_test(tc, the_nearest_word_is_offered_when_near);
	tcase_add_test(tc, nothing_is_offered_when_all_are_far);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
