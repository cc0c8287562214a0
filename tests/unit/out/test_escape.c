/* test_escape.c - lib/out/escape.c: hostile bytes, whole and in pieces */
#include <check.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "out/escape.h"

#define L TW_ESCAPE_ONE_LINE
#define A TW_ESCAPE_ASCII
#define TEXT(s) s, sizeof s - 1

static const struct {
	unsigned flags;
	const char *in;
	size_t n;
	const char *wanted;
} cases[] = {
	{ 0, TEXT(""), "" },
	{ 0, TEXT("plain text ~ \\ 'x'"), "plain text ~ \\ 'x'" },
	{ 0, TEXT("a\nb\tc\n"), "a\nb\tc\n" },
	{ L, TEXT("a\nb\tc\n"), "a\\nb\\tc\\n" },
	{ 0, TEXT("a\r\nb\r\n"), "a\nb\n" },
	{ L, TEXT("a\r\nb"), "a\\nb" },
	{ 0, TEXT("10%\r20%\r"), "10%\\r20%\\r" },
	{ 0, TEXT("\r\r\n"), "\\r\n" },
	{ 0, TEXT("\r\xc3\xa9"), "\\r\xc3\xa9" },
	{ 0, TEXT("\x1b]0;title\x07\x1b[2J"), "\\x1b]0;title\\x07\\x1b[2J" },
	{ 0, TEXT("a\0b\x08\x7f"), "a\\x00b\\x08\\x7f" },
	{ 0, TEXT("\xc2\x9b" "31m\xc2\x85"), "\\u009b31m\\u0085" },
	{ 0, TEXT("\x9b" "31m"), "\\x9b31m" },
	{ 0, TEXT("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"),
	    "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80" },
	{ A, TEXT("\xc3\xbc \xf0\x9f\x98\x80"), "\\u00fc \\U0001f600" },
	/* the marks that reorder, hide or separate */
	{ 0, TEXT("\xe2\x80\xaa\xe2\x80\xae"), "\\u202a\\u202e" },
	{ 0, TEXT("\xe2\x81\xa6\xe2\x81\xa9"), "\\u2066\\u2069" },
	{ 0, TEXT("\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c"),
	    "\\u200e\\u200f\\u061c" },
	{ 0, TEXT("\xe2\x80\x8b\xe2\x80\x8d\xe2\x81\xa0\xef\xbb\xbf"),
	    "\\u200b\\u200d\\u2060\\ufeff" },
	{ 0, TEXT("\xe2\x80\xa8\xe2\x80\xa9"), "\\u2028\\u2029" },
	{ 0, TEXT("\xf3\xa0\x81\x81"), "\\U000e0041" },
	{ 0, TEXT("\xc2\xad\xe2\x80\x90"), "\\u00ad\xe2\x80\x90" },
	/* what is not UTF-8 */
	{ 0, TEXT("\x80\xbf\xc0\xc1\xf5\xff"),
	    "\\x80\\xbf\\xc0\\xc1\\xf5\\xff" },
	{ 0, TEXT("\xc3"), "\\xc3" },
	{ 0, TEXT("\xc3" "A"), "\\xc3A" },
	{ 0, TEXT("\xe2\x82"), "\\xe2\\x82" },
	{ 0, TEXT("\xe2\x82\n"), "\\xe2\\x82\n" },
	{ 0, TEXT("\xe2\xc3\xa9"), "\\xe2\xc3\xa9" },
	{ 0, TEXT("\xc0\x9b"), "\\xc0\\x9b" },		/* overlong */
	{ 0, TEXT("\xe0\x82\x9b"), "\\xe0\\x82\\x9b" },
	{ 0, TEXT("\xf0\x80\x80\x9b"), "\\xf0\\x80\\x80\\x9b" },
	{ 0, TEXT("\xed\xa0\x80"), "\\xed\\xa0\\x80" },	/* surrogate */
	{ 0, TEXT("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80" },
	{ 0, TEXT("\xf0\x9f\x98" "A\xf0\x9f"), "\\xf0\\x9f\\x98A\\xf0\\x9f" },
};

#define NCASES (sizeof cases / sizeof cases[0])

START_TEST(bytes_are_shown_safely)
{
	struct tw_buf b = TW_BUF_INIT;

	tw_escape(cases[_i].in, cases[_i].n, cases[_i].flags, &b);
	ck_assert_str_eq(tw_buf_str(&b), cases[_i].wanted);
	tw_buf_release(&b);
}
END_TEST

START_TEST(pieces_give_what_the_whole_gives)
{
	struct tw_buf b = TW_BUF_INIT;
	struct tw_escape e = { .flags = cases[_i].flags };
	size_t i, cut;

	for (i = 0; i < cases[_i].n; i++)
		tw_escape_add(&e, cases[_i].in + i, 1, &b);
	tw_escape_end(&e, &b);
	ck_assert_str_eq(tw_buf_str(&b), cases[_i].wanted);
	for (cut = 0; cut <= cases[_i].n; cut++) {
		tw_buf_reset(&b);
		tw_escape_add(&e, cases[_i].in, cut, &b);
		tw_escape_add(&e, cases[_i].in + cut, cases[_i].n - cut, &b);
		tw_escape_end(&e, &b);
		ck_assert_str_eq(tw_buf_str(&b), cases[_i].wanted);
	}
	tw_buf_release(&b);
}
END_TEST

/* Is every byte printable ASCII, newline, tab or part of UTF-8? */
static void assert_safe(const char *s)
{
	for (; *s; s++)
		ck_assert_msg((unsigned char)*s >= 0x80 || *s == '\n' ||
		    *s == '\t' || (*s >= ' ' && *s < 0x7f),
		    "byte %02x came through", (unsigned char)*s);
}

START_TEST(no_two_bytes_bring_a_control_character_through)
{
	struct tw_buf b = TW_BUF_INIT;
	unsigned char in[2];
	unsigned i;

	for (i = 0; i < 65536; i++) {
		in[0] = (unsigned char)(i >> 8);
		in[1] = (unsigned char)i;
		tw_buf_reset(&b);
		tw_escape(in, 2, 0, &b);
		assert_safe(tw_buf_str(&b));
		ck_assert_ptr_null(strstr(tw_buf_str(&b), "\xc2\x9b"));
	}
	tw_buf_release(&b);
}
END_TEST

START_TEST(json_text_is_utf8_whatever_comes)
{
	struct tw_buf b = TW_BUF_INIT;

	tw_escape_utf8(TEXT("a\xff\xe2\x82 \x1b\xc3\xa9\xed\xa0\x80"), &b);
	ck_assert_str_eq(tw_buf_str(&b), "a\xef\xbf\xbd\xef\xbf\xbd \x1b"
	    "\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	tw_buf_reset(&b);
	tw_escape_utf8(TEXT("a\0b"), &b);
	ck_assert_uint_eq(b.len, 3);
	tw_buf_release(&b);
}
END_TEST

static const struct {
	const char *in;
	size_t columns;
	const char *wanted;
} cuts[] = {
	{ "abc", 3, "abc" }, { "abcd", 3, "ab~" }, { "abcd", 1, "~" },
	{ "abcd", 0, "" }, { "", 0, "" },
	{ "\xc3\xa9\xc3\xa9\xc3\xa9", 3, "\xc3\xa9\xc3\xa9\xc3\xa9" },
	{ "\xc3\xa9\xc3\xa9\xc3\xa9", 2, "\xc3\xa9~" },
	{ "\xe6\xbc\xa2\xe5\xad\x97", 4, "\xe6\xbc\xa2\xe5\xad\x97" },
	{ "\xe6\xbc\xa2\xe5\xad\x97", 3, "\xe6\xbc\xa2~" },
	{ "\xe6\xbc\xa2\xe5\xad\x97", 2, "~" },
	{ "e\xcc\x81x", 2, "e\xcc\x81x" },
	{ "a\nb", 3, "a\\~" },
	{ "\x1b[2J", 20, "\\x1b[2J" },
};

START_TEST(a_cut_fits_its_columns)
{
	struct tw_buf b = TW_BUF_INIT;

	ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
	tw_escape_cut(cuts[_i].in, cuts[_i].columns, 0, &b);
	ck_assert_str_eq(tw_buf_str(&b), cuts[_i].wanted);
	ck_assert_uint_le(tw_escape_width(tw_buf_str(&b)), cuts[_i].columns);
	tw_buf_release(&b);
}
END_TEST

START_TEST(the_locale_decides_between_utf8_and_ascii)
{
	ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
	ck_assert_uint_eq(tw_escape_locale(), 0);
	ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C"));
	ck_assert_uint_eq(tw_escape_locale(), TW_ESCAPE_ASCII);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("escape");
	TCase *tc = tcase_create("escape");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc, bytes_are_shown_safely, 0, NCASES);
	tcase_add_loop_test(tc, pieces_give_what_the_whole_gives, 0, NCASES);
	tcase_add_test(tc, no_two_bytes_bring_a_control_character_through);
	tcase_add_test(tc, json_text_is_utf8_whatever_comes);
	tcase_add_loop_test(tc, a_cut_fits_its_columns, 0,
	    sizeof cuts / sizeof cuts[0]);
	tcase_add_test(tc, the_locale_decides_between_utf8_and_ascii);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
