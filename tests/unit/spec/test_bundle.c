/* test_bundle.c - files of a directory as one piece of data */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "spec/bundle.h"

static struct tw_err err;

START_TEST(files_come_back)
{
	struct tw_buf b = TW_BUF_INIT;
	const void *p;
	size_t n;

	ck_assert_int_eq(tw_bundle_add(&b, "a/b.txt", "one", 3, &err), TW_OK);
	ck_assert_int_eq(tw_bundle_add(&b, "zero", NULL, 0, &err), TW_OK);
	ck_assert_int_eq(tw_bundle_add(&b, "b", "\0,3:x", 5, &err), TW_OK);
	ck_assert(tw_bundle_find(b.data, b.len, "a/b.txt", &p, &n));
	ck_assert_uint_eq(n, 3);
	ck_assert_int_eq(memcmp(p, "one", 3), 0);
	ck_assert(tw_bundle_find(b.data, b.len, "zero", &p, &n));
	ck_assert_uint_eq(n, 0);
	ck_assert(tw_bundle_find(b.data, b.len, "b", &p, &n));
	ck_assert_uint_eq(n, 5);
	ck_assert_int_eq(memcmp(p, "\0,3:x", 5), 0);
	ck_assert(!tw_bundle_find(b.data, b.len, "one", &p, &n));
	ck_assert(!tw_bundle_find(b.data, b.len, "a", &p, &n));
	ck_assert(!tw_bundle_find(NULL, 0, "a", &p, &n));
	tw_buf_release(&b);
}
END_TEST

START_TEST(what_is_cut_or_odd_is_not_read_beyond)
{
	static const char *const odd[] = { "", "1", "1:", "1:a", "1:a,",
		"1:a,2", "1:a,5:abc,", "1:a,99999999999999999999:b,",
		"18446744073709551615:a,1:b,", "x:a,1:b,", ":a,1:b,",
		"1:a;1:b," };
	struct tw_buf b = TW_BUF_INIT;
	const void *p;
	size_t i, n;
	char *exact;

	for (i = 0; i < sizeof odd / sizeof *odd; i++)
		ck_assert_msg(!tw_bundle_find(odd[i], strlen(odd[i]), "a", &p,
		    &n), "%s", odd[i]);
	ck_assert_int_eq(tw_bundle_add(&b, "a", "content", 7, &err), TW_OK);
	for (i = 0; i < b.len; i++) {
		exact = malloc(i + 1);	/* for what looks at each access */
		memcpy(exact, b.data, i);
		ck_assert(!tw_bundle_find(exact, i, "a", &p, &n));
		free(exact);
	}
	tw_buf_release(&b);
}
END_TEST

START_TEST(names_stay_inside)
{
	static const char *const bad[] = { "", "/etc/passwd", "../x", "a/../b",
		"a//b", "a/", ".", "./a", "..", "a/.." };
	struct tw_buf b = TW_BUF_INIT;
	size_t i;

	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		ck_assert_msg(!tw_bundle_name_ok(bad[i]), "%s", bad[i]);
		ck_assert_int_eq(tw_bundle_add(&b, bad[i], "x", 1, &err),
		    TW_DATA);
	}
	ck_assert_uint_eq(b.len, 0);
	ck_assert(tw_bundle_name_ok("a"));
	ck_assert(tw_bundle_name_ok("..a/.b/c.."));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("bundle");
	TCase *tc = tcase_create("files");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, files_come_back);
	tcase_add_test(tc, what_is_cut_or_odd_is_not_read_beyond);
	tcase_add_test(tc, names_stay_inside);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
