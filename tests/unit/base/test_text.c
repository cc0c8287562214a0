/* test_text.c - texts in the reader's language, as far as English goes; French
 * is tests/cli/french.t's */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"

START_TEST(a_cut_leaves_whole_characters)
{
	static const struct {
		const char *cut, *left;
	} cases[] = {
		{ "", "" },
		{ "abc", "abc" },
		{ "h\xc3\xb4", "h\xc3\xb4" },
		{ "h\xc3", "h" },
		{ "a\xe2\x80\xa6", "a\xe2\x80\xa6" },
		{ "a\xe2\x80", "a" },
		{ "a\xe2", "a" },
		{ "a\xf0\x9f\x98\x80", "a\xf0\x9f\x98\x80" },
		{ "a\xf0\x9f\x98", "a" },
		{ "\xc3", "" },
		{ "\x80\x80\x80", "\x80\x80\x80" },
	};
	char text[16];
	size_t i;

	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(text, sizeof text, "%s", cases[i].cut);
		tw_text_trim(text);
		ck_assert_str_eq(text, cases[i].left);
	}
}
END_TEST

START_TEST(parts_are_settled)
{
	char out[32];

	ck_assert_uint_eq(tw_text_settle(out, sizeof out,
	    "a " W_("b c") ": " W_("d"), true), 8);
	ck_assert_str_eq(out, "a b c: d");
	ck_assert_uint_eq(tw_text_settle(NULL, 0, W_("abc"), false), 3);
	/* what is not whole, and what nobody has opened */
	ck_assert_uint_eq(tw_text_settle(out, sizeof out, "a\016b", true), 2);
	ck_assert_str_eq(out, "ab");
	ck_assert_uint_eq(tw_text_settle(out, sizeof out, "a\017b", true), 2);
	ck_assert_str_eq(out, "ab");
}
END_TEST

START_TEST(a_text_too_long_is_cut_between_characters)
{
	char out[4];

	ck_assert_uint_eq(tw_text_settle(out, sizeof out,
	    "ab" W_("\xc3\xa9") "d", true), 5);
	ck_assert_str_eq(out, "ab");
	ck_assert_uint_eq(tw_text_settle(out, sizeof out, "abcd", true), 4);
	ck_assert_str_eq(out, "abc");
}
END_TEST

START_TEST(a_text_is_settled_in_place)
{
	char text[] = "a " W_("b") " c " W_("d") ".";

	tw_text_settle(text, sizeof text, text, false);
	ck_assert_str_eq(text, "a b c d.");
}
END_TEST

START_TEST(locales_without_translations_cost_nothing)
{
	static const char *const none[] = { "", "C", "POSIX", "C.UTF-8",
		"C.utf8" };
	size_t i;

	unsetenv("LC_ALL");
	unsetenv("LC_MESSAGES");
	unsetenv("LANG");
	ck_assert(!tw_text_is_wanted());
	for (i = 0; i < sizeof none / sizeof *none; i++) {
		setenv("LANG", none[i], 1);
		ck_assert(!tw_text_is_wanted());
	}
	setenv("LC_MESSAGES", "fr_FR.UTF-8", 1);
	ck_assert(tw_text_is_wanted());
	setenv("LC_ALL", "C.UTF-8", 1);
	ck_assert(!tw_text_is_wanted());
	setenv("LC_ALL", "", 1);
	ck_assert(tw_text_is_wanted());
}
END_TEST

START_TEST(nothing_is_looked_up_before_the_beginning)
{
	ck_assert(!tw_text_is_on());
	ck_assert_str_eq(tw_text(""), "");
	ck_assert_str_eq(tw_text("no host '%s'"), "no host '%s'");
	ck_assert_str_eq(tw_text_in(TW_TEXT_WORD, "held"), "held");
	ck_assert_str_eq(tw_text_n("one", "many", 1), "one");
	ck_assert_str_eq(tw_text_n("one", "many", 0), "many");
}
END_TEST

START_TEST(an_error_says_its_parts_in_english)
{
	struct tw_err err;

	tw_err_set(&err, TW_NO, "%s: %s", "f", W_("is missing"));
	ck_assert_str_eq(err.msg, "f: is missing");
	ck_assert_str_eq(tw_err_text(&err), "f: is missing");
	tw_err_set_n(&err, TW_NO, 2, "%d host", "%d hosts", 2);
	ck_assert_str_eq(err.msg, "2 hosts");
	tw_err_set_n(&err, TW_NO, 1, "%d host", "%d hosts", 1);
	ck_assert_str_eq(err.msg, "1 host");
}
END_TEST

START_TEST(what_is_said_goes_with_what_is_stored)
{
	struct tw_err err;

	tw_err_set(&err, TW_NO, "is missing");
	tw_err_say(&err, "manque");
	ck_assert_str_eq(err.msg, "is missing");
	ck_assert_str_eq(tw_err_text(&err), "manque");
	err.msg[0] = '\0';
	ck_assert_str_eq(tw_err_text(&err), "");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("text");
	TCase *tc = tcase_create("text");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, a_cut_leaves_whole_characters);
	tcase_add_test(tc, parts_are_settled);
	tcase_add_test(tc, a_text_too_long_is_cut_between_characters);
	tcase_add_test(tc, a_text_is_settled_in_place);
	tcase_add_test(tc, locales_without_translations_cost_nothing);
	tcase_add_test(tc, nothing_is_looked_up_before_the_beginning);
	tcase_add_test(tc, an_error_says_its_parts_in_english);
	tcase_add_test(tc, what_is_said_goes_with_what_is_stored);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
