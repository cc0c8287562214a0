/* test_timeline.c - lib/out/timeline.c: bars in their places, nothing from
 * outside is markup */
#include <check.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "out/timeline.h"

#define T0 INT64_C(1795239960000)	/* 2026-11-21T05:46:00Z */
#define HOUR INT64_C(3600000)

static struct tw_buf out;

static void setup(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	setenv("TZ", "UTC", 1);
	tzset();
}

static void teardown(void)
{
	tw_buf_release(&out);
}

static const char *draw(const struct tw_timeline_bar *bars, size_t n,
    const char *note)
{
	struct tw_timeline t = { .since = T0, .until = T0 + 10 * HOUR,
		.bars = bars, .n = n, .note = note };

	tw_buf_reset(&out);
	ck_assert_int_eq(tw_timeline_draw(&t, &out, NULL), TW_OK);
	return tw_buf_str(&out);
}

static int count(const char *text, const char *what)
{
	int n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

START_TEST(each_bar_has_its_place_and_its_sign)
{
	const struct tw_timeline_bar bars[] = {
		{ "web10", TW_BAR_SUCCEEDED, T0, T0 + 5 * HOUR, "good" },
		{ "web2", TW_BAR_FAILED, T0 + 5 * HOUR, T0 + 10 * HOUR,
		    "bad" },
		{ "web2", TW_BAR_RUNNING, T0 - HOUR, T0 + 99 * HOUR, "on" },
		{ "web10", TW_BAR_LOST, T0 + HOUR, T0 + HOUR, "lost" },
	};
	const char *svg = draw(bars, 4, NULL);
	const char *two = strstr(svg, ">web2<"), *ten = strstr(svg, ">web10<");

	ck_assert_ptr_nonnull(two);
	ck_assert_ptr_nonnull(ten);
	ck_assert(two < ten);
	/* from the middle to the end, below the edge of its row */
	ck_assert_int_eq(count(svg, "<g><title>bad</title><rect class=\"bar\" "
	    "fill=\"url(#p2)\" x=\"624.0\" y=\"136\" width=\"556.0\" "
	    "height=\"13\"/><use href=\"#m2\""), 1);
	/* what lasts longer than the picture is cut to it */
	ck_assert_int_eq(count(svg, "<g><title>on</title><rect class=\"bar\" "
	    "fill=\"url(#p5)\" x=\"68.0\" y=\"136\" width=\"1112.0\""), 1);
	/* a hair is there, in plain colour with its mark */
	ck_assert_int_eq(count(svg, "<g><title>lost</title><rect class=\"c4\" "
	    "x=\"179.2\" y=\"162\" width=\"2.0\" height=\"13\"/><use "
	    "href=\"#m4\""), 1);
	ck_assert_int_eq(count(svg, "<use href=\"#m0\""), 0);
	ck_assert_ptr_nonnull(strstr(svg, "prefers-color-scheme:dark"));
	ck_assert_ptr_nonnull(strstr(svg, "2026-11-21 05:46:00 to 2026-11-21 "
	    "15:46:00, UTC+00:00</text>"));
	ck_assert_ptr_nonnull(strstr(svg, ">succeeded <tspan class=\"dim\">1<"));
}
END_TEST

START_TEST(nothing_from_outside_is_markup)
{
	const struct tw_timeline_bar bars[] = {
		{ "<b>&\"'\x1b[2J\xff", TW_BAR_FAILED, T0, T0 + HOUR,
		    "</title><script>x()</script>\none & two \x01\xe2\x80\xae"
		    "\xef\xbf\xbe ]]>" },
	};
	const char *svg = draw(bars, 1, "a < b");
	const unsigned char *s;

	ck_assert_ptr_null(strstr(svg, "<script"));
	ck_assert_ptr_null(strstr(svg, "]]>"));
	ck_assert_ptr_nonnull(strstr(svg, "&lt;/title&gt;&lt;script&gt;x()"
	    "&lt;/script&gt;\none &amp; two \\x01\\u202e\\ufffe ]]&gt;<"));
	ck_assert_ptr_nonnull(strstr(svg, ">&lt;b&gt;&amp;\"'\\x1b[2J\\xff<"));
	ck_assert_ptr_nonnull(strstr(svg, "; a &lt; b</text>"));
	for (s = (const unsigned char *)svg; *s; s++)
		ck_assert_msg(*s == '\n' || (*s >= ' ' && *s < 0x7f),
		    "byte %02x", *s);
}
END_TEST

START_TEST(more_hosts_than_rows_are_counted)
{
	struct tw_timeline_bar bars[TW_TIMELINE_ROWS + 5];
	char names[TW_TIMELINE_ROWS + 5][8];
	const char *svg;
	size_t i;

	for (i = 0; i < TW_TIMELINE_ROWS + 5; i++) {
		snprintf(names[i], sizeof names[i], "h%zu", i);
		bars[i] = (struct tw_timeline_bar){ names[i],
		    TW_BAR_SUCCEEDED, T0, T0 + HOUR, "tip" };
	}
	svg = draw(bars, TW_TIMELINE_ROWS + 5, NULL);
	ck_assert_ptr_nonnull(strstr(svg, "; 5 more hosts are not shown<"));
	ck_assert_int_eq(count(svg, "class=\"host\""), TW_TIMELINE_ROWS);
	ck_assert_int_eq(count(svg, "<g><title>"), TW_TIMELINE_ROWS);
	ck_assert_ptr_nonnull(strstr(svg, ">205<"));
}
END_TEST

START_TEST(nothing_is_said_too)
{
	const char *svg = draw(NULL, 0, NULL);

	ck_assert_ptr_nonnull(strstr(svg, ">nothing ran in this time<"));
	ck_assert_int_eq(count(svg, "<g>"), 0);
}
END_TEST

START_TEST(a_buffer_that_is_full_is_no_picture)
{
	struct tw_timeline t = { .since = T0, .until = T0 + 1 };
	struct tw_buf small = { .max = 3000 };
	struct tw_err err;

	ck_assert_int_ne(tw_timeline_draw(&t, &small, &err), TW_OK);
	tw_buf_release(&small);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("timeline");
	TCase *tc = tcase_create("timeline");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, each_bar_has_its_place_and_its_sign);
	tcase_add_test(tc, nothing_from_outside_is_markup);
	tcase_add_test(tc, more_hosts_than_rows_are_counted);
	tcase_add_test(tc, nothing_is_said_too);
	tcase_add_test(tc, a_buffer_that_is_full_is_no_picture);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
