/* test_exposition.c - lib/out/exposition.c: samples, quoted */
#include <check.h>
#include <stdlib.h>

#include "out/exposition.h"

START_TEST(a_family_is_its_head_and_its_samples)
{
	const struct tw_label labels[] = { { "host", "web1" },
		{ "by", "me" }, { 0 } };
	const struct tw_label none[] = { { 0 } };
	struct tw_buf b = TW_BUF_INIT;

	tw_exposition_family(&b, "a_total", "counter", "Some \"text\".");
	tw_exposition_int(&b, "a_total", "", labels, -3);
	tw_exposition_int(&b, "a_total", "", NULL, INT64_MAX);
	tw_exposition_seconds(&b, "b_seconds", "_sum", none, 1005);
	tw_exposition_seconds(&b, "b_seconds", "_sum", labels, 0);
	ck_assert_str_eq(tw_buf_str(&b),
	    "# HELP a_total Some \"text\".\n# TYPE a_total counter\n"
	    "a_total{host=\"web1\",by=\"me\"} -3\n"
	    "a_total 9223372036854775807\n"
	    "b_seconds_sum 1.005\n"
	    "b_seconds_sum{host=\"web1\",by=\"me\"} 0.000\n");
	tw_buf_release(&b);
}
END_TEST

START_TEST(no_value_ends_its_label)
{
	const struct tw_label labels[] = {
		{ "x", "a\"} 1\nb\\n \xff\xc3\xa9" }, { 0 } };
	struct tw_buf b = TW_BUF_INIT;

	tw_exposition_family(&b, "a", "gauge", "one\ntwo\\");
	tw_exposition_int(&b, "a", "", labels, 1);
	ck_assert_str_eq(tw_buf_str(&b),
	    "# HELP a one\\ntwo\\\\\n# TYPE a gauge\n"
	    "a{x=\"a\\\"} 1\\nb\\\\n \xef\xbf\xbd\xc3\xa9\"} 1\n");
	tw_buf_release(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("exposition");
	TCase *tc = tcase_create("exposition");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, a_family_is_its_head_and_its_samples);
	tcase_add_test(tc, no_value_ends_its_label);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
