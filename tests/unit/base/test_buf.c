/* test_buf.c - lib/base/buf.c: growth, the maximum, sticky failure */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

START_TEST(a_zeroed_buffer_is_empty_text)
{
	struct tw_buf b = TW_BUF_INIT;

	ck_assert_str_eq(tw_buf_str(&b), "");
	ck_assert_int_eq(tw_buf_check(&b, NULL), TW_OK);
	tw_buf_drop(&b, 0);
	tw_buf_reset(&b);
	tw_buf_release(&b);
}
END_TEST

START_TEST(additions_append_and_terminate)
{
	struct tw_buf b = TW_BUF_INIT;

	ck_assert(tw_buf_adds(&b, "web"));
	ck_assert(tw_buf_addc(&b, '-'));
	ck_assert(tw_buf_addf(&b, "%03d", 7));
	ck_assert(tw_buf_add(&b, "\0x", 2));
	ck_assert_uint_eq(b.len, 9);
	ck_assert_int_eq(memcmp(b.data, "web-007\0x", 10), 0);
	tw_buf_drop(&b, 4);
	ck_assert_str_eq(tw_buf_str(&b), "007");
	ck_assert_uint_eq(b.len, 5);
	tw_buf_drop(&b, 5);
	ck_assert_str_eq(tw_buf_str(&b), "");
	tw_buf_release(&b);
}
END_TEST

START_TEST(the_maximum_is_exact_and_failure_sticks)
{
	struct tw_buf b = TW_BUF_INIT;
	struct tw_err err;

	b.max = 10;
	ck_assert(tw_buf_adds(&b, "0123456789"));
	ck_assert(tw_buf_add(&b, "", 0));
	ck_assert(!tw_buf_addc(&b, 'x'));
	ck_assert(!tw_buf_add(&b, "", 0));
	ck_assert(!tw_buf_addf(&b, "%s", ""));
	ck_assert_str_eq(tw_buf_str(&b), "0123456789");
	ck_assert_int_eq(tw_buf_check(&b, &err), TW_NOMEM);
	ck_assert_str_eq(err.msg, "out of memory, or more than 10 bytes");
	ck_assert_ptr_null(tw_buf_detach(&b));
	ck_assert_uint_eq(b.max, 10);
	ck_assert(tw_buf_addc(&b, 'y'));
	tw_buf_release(&b);
}
END_TEST

START_TEST(a_formatted_text_over_the_maximum_adds_nothing)
{
	struct tw_buf b = TW_BUF_INIT;

	b.max = 4;
	ck_assert(tw_buf_adds(&b, "ab"));
	ck_assert(!tw_buf_addf(&b, "%d", 123));
	ck_assert_str_eq(tw_buf_str(&b), "ab");
	tw_buf_reset(&b);
	ck_assert(tw_buf_addf(&b, "%d", 1234));
	ck_assert_str_eq(tw_buf_str(&b), "1234");
	tw_buf_release(&b);
}
END_TEST

START_TEST(a_reserve_that_overflows_fails)
{
	struct tw_buf b = TW_BUF_INIT;

	ck_assert(tw_buf_adds(&b, "x"));
	ck_assert(!tw_buf_reserve(&b, (size_t)-1));
	ck_assert(b.failed);
	tw_buf_release(&b);
	ck_assert(!b.failed);
}
END_TEST

START_TEST(many_small_additions_reach_a_large_text)
{
	struct tw_buf b = TW_BUF_INIT;
	size_t i;
	char *p;

	for (i = 0; i < 100000; i++)
		ck_assert(tw_buf_addc(&b, (char)('a' + i % 26)));
	p = tw_buf_detach(&b);
	ck_assert_uint_eq(strlen(p), 100000);
	ck_assert_int_eq(p[99999], 'a' + 99999 % 26);
	free(p);
	p = tw_buf_detach(&b);
	ck_assert_str_eq(p, "");
	free(p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("buf");
	TCase *tc = tcase_create("buf");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, a_zeroed_buffer_is_empty_text);
	tcase_add_test(tc, additions_append_and_terminate);
	tcase_add_test(tc, the_maximum_is_exact_and_failure_sticks);
	tcase_add_test(tc, a_formatted_text_over_the_maximum_adds_nothing);
	tcase_add_test(tc, a_reserve_that_overflows_fails);
	tcase_add_test(tc, many_small_additions_reach_a_large_text);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
