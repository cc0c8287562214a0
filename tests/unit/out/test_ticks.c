/* test_ticks.c - lib/out/ticks.c: round instants of the local time */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "out/ticks.h"

static const struct {
	const char *zone, *since, *until;
	size_t most;
	const char *wanted;	/* each as "TIME" or "TIME DAY", in one line */
} cases[] = {
	{ "UTC", "2026-11-21T05:46:00Z", "2026-11-21T05:46:04.5Z", 10,
	    "05:46:00 2026-11-21|05:46:01|05:46:02|05:46:03|05:46:04" },
	{ "UTC", "2026-11-21T05:46:00.1Z", "2026-11-21T05:47:00Z", 5,
	    "05:46:15 2026-11-21|05:46:30|05:46:45|05:47:00" },
	{ "UTC", "2026-11-21T22:46:00Z", "2026-11-22T01:00:00Z", 6,
	    "23:00 2026-11-21|23:30|00:00 2026-11-22|00:30|01:00" },
	{ "Europe/Paris", "2026-11-20T22:00:00Z", "2026-11-21T22:00:00Z", 10,
	    "00:00 2026-11-21|03:00|06:00|09:00|12:00|15:00|18:00|21:00" },
	{ "Asia/Kathmandu", "2026-11-20T22:00:00Z", "2026-11-21T00:00:00Z", 5,
	    "04:00 2026-11-21|04:30|05:00|05:30" },
	/* the clock goes forward, then back */
	{ "Europe/Paris", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", 5,
	    "00:00 2026-03-29|06:00|12:00|18:00|00:00 2026-03-30" },
	{ "Europe/Paris", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", 5,
	    "00:00 2026-10-25|06:00|12:00|18:00|00:00 2026-10-26" },
	{ "Europe/Paris", "2026-10-24T10:00:00Z", "2026-10-28T10:00:00Z", 5,
	    "2026-10-25|2026-10-26|2026-10-27|2026-10-28" },
	/* weeks begin with Monday */
	{ "UTC", "2026-11-01T00:00:00Z", "2026-11-30T00:00:00Z", 5,
	    "2026-11-02|2026-11-09|2026-11-16|2026-11-23|2026-11-30" },
	{ "America/New_York", "2026-01-15T00:00:00Z", "2026-04-15T00:00:00Z",
	    5, "2026-02|2026-03|2026-04" },
	{ "UTC", "2020-05-01T00:00:00Z", "2026-04-15T00:00:00Z", 10,
	    "2021-01|2022-01|2023-01|2024-01|2025-01|2026-01" },
	/* no room for any two */
	{ "UTC", "1971-01-01T00:00:00Z", "2026-01-01T00:00:00Z", 1,
	    "2000-01" },
	{ "UTC", "2026-11-21T05:46:00.1Z", "2026-11-21T05:46:00.2Z", 10, "" },
};
#define NCASES (int)(sizeof cases / sizeof *cases)

START_TEST(ticks_are_round)
{
	struct tw_tick ticks[TW_TICKS_MAX];
	struct tw_buf b = TW_BUF_INIT;
	int64_t since, until;
	size_t i, n;

	setenv("TZ", cases[_i].zone, 1);
	tzset();
	ck_assert_int_eq(tw_time_parse(cases[_i].since, 0, &since, NULL),
	    TW_OK);
	ck_assert_int_eq(tw_time_parse(cases[_i].until, 0, &until, NULL),
	    TW_OK);
	n = tw_ticks(since, until, cases[_i].most, ticks);
	ck_assert_uint_le(n, cases[_i].most);
	for (i = 0; i < n; i++) {
		tw_buf_addf(&b, "%s%s%s%s", i ? "|" : "", ticks[i].time,
		    ticks[i].day[0] ? " " : "", ticks[i].day);
		ck_assert_int_ge(ticks[i].at, since);
		ck_assert_int_le(ticks[i].at, until);
	}
	ck_assert_str_eq(tw_buf_str(&b), cases[_i].wanted);
	tw_buf_release(&b);
}
END_TEST

/* Whatever the time: no more than asked for, in order, some where there is
 * room. */
START_TEST(any_time_has_its_ticks)
{
	struct tw_tick ticks[TW_TICKS_MAX];
	int64_t span, since = INT64_C(1795239960123);
	size_t i, n;

	setenv("TZ", "Europe/Paris", 1);
	for (span = 3000; span < INT64_C(1) << 41; span += span / 7) {
		n = tw_ticks(since, since + span, 10, ticks);
		ck_assert_uint_ge(n, 1);
		ck_assert_uint_le(n, 10);
		for (i = 1; i < n; i++)
			ck_assert_int_gt(ticks[i].at, ticks[i - 1].at);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ticks");
	TCase *tc = tcase_create("ticks");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc, ticks_are_round, 0, NCASES);
	tcase_add_test(tc, any_time_has_its_ticks);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
