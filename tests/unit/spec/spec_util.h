/* spec_util.h - what the tests of lib/spec share */
#ifndef TW_TEST_SPEC_UTIL_H
#define TW_TEST_SPEC_UTIL_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "spec/change_spec.h"

#define HEAD "towerify: 1\nsteps:\n"

/* The problems as they are printed; the caller frees. */
static inline char *problems(const struct tw_diags *ds)
{
	struct tw_buf b = TW_BUF_INIT;
	char *s;

	tw_diags_print(ds, &b);
	s = tw_buf_detach(&b);
	ck_assert_ptr_nonnull(s);
	return s;
}

/* Reads a change file that must be good. */
static inline struct tw_change_spec *good(const char *text, size_t len)
{
	struct tw_change_spec *spec;
	struct tw_diags ds = { 0 };
	enum tw_status st;
	struct tw_err err;
	char *said;

	ds.file = "f";
	st = tw_change_spec_parse(text, len, NULL, &ds, &spec, &err);
	said = problems(&ds);
	ck_assert_str_eq(said, "");
	ck_assert_int_eq(st, TW_OK);
	ck_assert_ptr_nonnull(spec);
	free(said);
	tw_diags_release(&ds);
	return spec;
}

/* Reads a change file that must be refused with exactly these problems. */
static inline void bad_len(const char *text, size_t len,
    const struct tw_spec_reader *reader, const char *wanted)
{
	struct tw_change_spec *spec;
	struct tw_diags ds = { 0 };
	enum tw_status st;
	struct tw_err err;
	char *said;

	ds.file = "f";
	st = tw_change_spec_parse(text, len, reader, &ds, &spec, &err);
	said = problems(&ds);
	ck_assert_str_eq(said, wanted);
	ck_assert_int_eq(st, TW_DATA);
	ck_assert_int_eq(err.status, TW_DATA);
	ck_assert_ptr_null(spec);
	free(said);
	tw_diags_release(&ds);
}

static inline void bad(const char *text, const char *wanted)
{
	bad_len(text, strlen(text), NULL, wanted);
}

/* Runs a suite of test functions; the program's exit status. */
static inline int run_tests(const char *name, const TTest *const *tests,
    size_t n)
{
	Suite *s = suite_create(name);
	TCase *c = tcase_create(name);
	SRunner *sr;
	int failed;
	size_t i;

	tcase_set_timeout(c, 0);
	for (i = 0; i < n; i++)
		tcase_add_test(c, tests[i]);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
