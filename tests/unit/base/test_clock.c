/* test_clock.c - lib/base/clock.c: times and spans, in and out */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define T0 INT64_C(1795239960000)	/* 2026-11-21T05:46:00Z */
#define HOUR INT64_C(3600000)

static void zone(const char *name)
{
	setenv("TZ", name, 1);
	tzset();
}

START_TEST(rfc3339_has_milliseconds_only_when_there_are_any)
{
	char s[TW_TIME_MAX];

	tw_time_rfc3339(T0, s);
	ck_assert_str_eq(s, "2026-11-21T05:46:00Z");
	tw_time_rfc3339(T0 + 7, s);
	ck_assert_str_eq(s, "2026-11-21T05:46:00.007Z");
	tw_time_rfc3339(-1, s);
	ck_assert_str_eq(s, "1969-12-31T23:59:59.999Z");
	tw_time_rfc3339(0, s);
	ck_assert_str_eq(s, "1970-01-01T00:00:00Z");
	tw_time_rfc3339(INT64_MAX, s);
	ck_assert_uint_lt(strlen(s), TW_TIME_MAX);
	tw_time_rfc3339(INT64_MIN, s);
	ck_assert_uint_lt(strlen(s), TW_TIME_MAX);
}
END_TEST

START_TEST(people_get_their_own_time)
{
	char s[TW_TIME_MAX];

	zone("CET-1CEST,M3.5.0,M10.5.0/3");
	tw_time_local(T0, s);
	ck_assert_str_eq(s, "2026-11-21 06:46:00");
	zone("UTC");
	tw_time_local(T0 + 999, s);
	ck_assert_str_eq(s, "2026-11-21 05:46:00");
}
END_TEST

static const struct {
	int64_t span;
	const char *text;
} spans[] = {
	{ 0, "0.0s" }, { 99, "0.0s" }, { 1250, "1.2s" }, { 59999, "59.9s" },
	{ 60000, "1m00s" }, { 190000, "3m10s" }, { 3599999, "59m59s" },
	{ 2 * HOUR + 5 * 60000, "2h05m" }, { 24 * HOUR - 1, "23h59m" },
	{ 24 * HOUR, "1d00h" }, { 99 * HOUR, "4d03h" }, { -1500, "-1.5s" },
};

START_TEST(spans_are_short)
{
	char s[TW_TIME_MAX];
	size_t i;

	for (i = 0; i < sizeof spans / sizeof spans[0]; i++) {
		tw_span_format(spans[i].span, s);
		ck_assert_str_eq(s, spans[i].text);
	}
	tw_span_format(INT64_MIN, s);
	ck_assert_str_eq(s, "-106751991167d07h");
}
END_TEST

static const struct {
	const char *text;
	int64_t wanted;		/* -1: refused */
} times[] = {
	{ "2026-11-21T05:46:00Z", T0 },
	{ "2026-11-21t05:46:00z", T0 },
	{ "2026-11-21 05:46:00Z", T0 },
	{ "2026-11-21T06:46:00+01:00", T0 },
	{ "2026-11-21T00:16:00-05:30", T0 },
	{ "2026-11-21T05:46:00.5Z", T0 + 500 },
	{ "2026-11-21T05:46:00.0079999Z", T0 + 7 },
	{ "2024-02-29T00:00:00Z", INT64_C(1709164800000) },
	{ "2026-02-29T00:00:00Z", -1 },
	{ "2026-13-01T00:00:00Z", -1 },
	{ "2026-00-01T00:00:00Z", -1 },
	{ "2026-01-00T00:00:00Z", -1 },
	{ "2026-01-32T00:00:00Z", -1 },
	{ "2026-11-21T24:00:00Z", -1 },
	{ "2026-11-21T05:60:00Z", -1 },
	{ "2026-11-21T05:46:60Z", -1 },
	{ "2026-11-21T05:46:00", -1 },
	{ "2026-11-21T05:46Z", -1 },
	{ "2026-11-21T05:46:00.Z", -1 },
	{ "2026-11-21T05:46:00+0100", -1 },
	{ "2026-11-21T05:46:00+24:00", -1 },
	{ "2026-11-21T05:46:00Zx", -1 },
	{ "2026-11-21", -1 },
	{ "26-11-21T05:46:00Z", -1 },
	{ "", -1 },
	{ "now", -1 },
	{ "2h", -1 },
	{ "+2h", T0 + 2 * HOUR },
	{ "+0s", T0 },
	{ "22:00", T0 + 16 * HOUR + 14 * 60000 },
	{ "22:00:30", T0 + 16 * HOUR + 14 * 60000 + 30000 },
	{ "05:46", T0 + 24 * HOUR },	/* this very minute: tomorrow */
	{ "05:46:01", T0 + 1000 },
	{ "05:45", T0 + 24 * HOUR - 60000 },
	{ "24:00", -1 },
	{ "5:45", -1 },
	{ "22:00Z", -1 },
	{ "22:0", -1 },
};

START_TEST(a_time_is_one_of_three_forms)
{
	struct tw_err err;
	enum tw_status s;
	int64_t t;
	size_t i;

	zone("UTC");
	for (i = 0; i < sizeof times / sizeof times[0]; i++) {
		t = 5;
		s = tw_time_parse(times[i].text, T0, &t, &err);
		ck_assert_msg(s == (times[i].wanted < 0 ? TW_USAGE : TW_OK),
		    "'%s' gave %d", times[i].text, s);
		ck_assert_msg(t == (s ? 0 : times[i].wanted),
		    "'%s' gave %lld", times[i].text, (long long)t);
	}
	ck_assert_int_eq(tw_time_parse("soon", T0, &t, &err), TW_USAGE);
	ck_assert_str_eq(err.msg, "bad time 'soon': wanted "
	    "2026-11-21T22:00:00Z, +2h or 22:00");
	ck_assert_int_eq(tw_time_parse("+2", T0, &t, &err), TW_USAGE);
	ck_assert_str_eq(err.msg,
	    "bad duration '2': a unit is missing: d h m s ms");
	ck_assert_int_eq(tw_time_parse("+106751991167d", T0, &t, &err),
	    TW_USAGE);
	ck_assert_str_eq(err.msg,
	    "bad time '+106751991167d': too far away");
	/* a year of five digits is no RFC 3339 */
	ck_assert_int_eq(tw_time_parse("+300000000h", 0, &t, &err), TW_USAGE);
}
END_TEST

START_TEST(a_wall_clock_time_follows_the_zone)
{
	int64_t t;

	zone("CET-1CEST,M3.5.0,M10.5.0/3");
	ck_assert_int_eq(tw_time_parse("22:00", T0, &t, NULL), TW_OK);
	ck_assert_int_eq(t, T0 + 15 * HOUR + 14 * 60000);
}
END_TEST

static const struct {
	const char *text;
	int64_t wanted;		/* -1: refused */
	const char *why;
} durations[] = {
	{ "90s", 90000, NULL }, { "10m", 600000, NULL },
	{ "2h", 2 * HOUR, NULL }, { "500ms", 500, NULL },
	{ "1d", 24 * HOUR, NULL }, { "1h30m", 3 * HOUR / 2, NULL },
	{ "1d1h1m1s1ms", 25 * HOUR + 61001, NULL }, { "0s", 0, NULL },
	{ "007s", 7000, NULL },
	{ "", -1, "bad duration '': a number was expected" },
	{ "s", -1, "bad duration 's': a number was expected" },
	{ "-1s", -1, "bad duration '-1s': a number was expected" },
	{ "10", -1, "bad duration '10': a unit is missing: d h m s ms" },
	{ "1h30", -1, "bad duration '1h30': a unit is missing: d h m s ms" },
	{ "10min", -1, "bad duration '10min': the unit is one of d h m s ms, "
	    "larger ones first" },
	{ "1m1h", -1, "bad duration '1m1h': the unit is one of d h m s ms, "
	    "larger ones first" },
	{ "1s1s", -1, "bad duration '1s1s': the unit is one of d h m s ms, "
	    "larger ones first" },
	{ "1.5h", -1, "bad duration '1.5h': the unit is one of d h m s ms, "
	    "larger ones first" },
	{ "99999999999999999999ms", -1,
	    "bad duration '99999999999999999999ms': too long" },
	{ "106751991168d", -1, "bad duration '106751991168d': too long" },
	{ "106751991167d24h", -1, "bad duration '106751991167d24h': too long" },
};

START_TEST(a_duration_needs_its_unit)
{
	struct tw_err err;
	enum tw_status s;
	int64_t t;
	size_t i;

	for (i = 0; i < sizeof durations / sizeof durations[0]; i++) {
		s = tw_span_parse(durations[i].text, &t, &err);
		if (durations[i].wanted >= 0) {
			ck_assert_int_eq(s, TW_OK);
			ck_assert_int_eq(t, durations[i].wanted);
		} else {
			ck_assert_int_eq(s, TW_USAGE);
			ck_assert_int_eq(t, 0);
			ck_assert_str_eq(err.msg, durations[i].why);
		}
	}
}
END_TEST

START_TEST(the_clocks_run_forward)
{
	int64_t a = tw_clock_mono(), b = tw_clock_mono();

	ck_assert_int_ge(b, a);
	ck_assert_int_gt(tw_clock_now(), INT64_C(1577836800000));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("clock");
	TCase *tc = tcase_create("clock");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, rfc3339_has_milliseconds_only_when_there_are_any);
	tcase_add_test(tc, people_get_their_own_time);
	tcase_add_test(tc, spans_are_short);
	tcase_add_test(tc, a_time_is_one_of_three_forms);
	tcase_add_test(tc, a_wall_clock_time_follows_the_zone);
	tcase_add_test(tc, a_duration_needs_its_unit);
	tcase_add_test(tc, the_clocks_run_forward);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
