/*
 * test_json.c - jansson without memory: a text is whole, or there is none
 *
 * malloc is replaced for the whole process, so the n-th one can be made to
 * fail.
 */
#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

static size_t count, fail_at;		/* 0: none fails */

#ifdef SANITIZED
#define LEAST 0			/* a sanitizer has its own: nothing fails */
#else
#define LEAST 10

void *__libc_malloc(size_t n);

void *malloc(size_t n)
{
	if (fail_at && ++count == fail_at) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_malloc(n);
}
#endif

static const char whole[] = "{\"login\":\"a name that is not short\","
    "\"permission\":\"view\",\"scope\":\"hosts web[1-20]\",\"num\":\"12\"}";

/* As careless as can be. */
static char *build(void)
{
	size_t mark = tw_json_mark();
	json_t *o = json_object();
	char *text;

	json_object_set_new(o, "login", json_string("a name that is not short"));
	json_object_set_new(o, "permission", json_string("view"));
	json_object_set_new(o, "scope", json_string("hosts web[1-20]"));
	json_object_set_new(o, "num", json_string("12"));
	text = tw_json_dump(o, JSON_COMPACT | JSON_PRESERVE_ORDER, mark);
	json_decref(o);
	return text;
}

START_TEST(a_text_is_whole_or_there_is_none)
{
	size_t failures = 0;
	bool is_over = false;
	char *text;

	for (fail_at = 1; !is_over; fail_at++) {
		count = 0;
		text = build();
		is_over = count < fail_at;
		ck_assert(!is_over || text);
		if (text)
			ck_assert_str_eq(text, whole);
		failures += !text;
		free(text);
	}
	fail_at = 0;
	ck_assert_uint_ge(failures, LEAST);
}
END_TEST

START_TEST(no_memory_is_no_syntax_error)
{
	enum tw_status st = TW_NOMEM;
	struct tw_err err;
	json_t *o;

	for (fail_at = 1; st != TW_OK; fail_at++) {
		count = 0;
		st = tw_json_load(whole, "change 1", &o, &err);
		ck_assert(st == TW_OK || st == TW_NOMEM);
	}
	fail_at = 0;
	ck_assert_uint_eq(json_object_size(o), 4);
	json_decref(o);
}
END_TEST

START_TEST(what_is_stored_is_read)
{
	struct tw_err err;
	json_t *o;

	ck_assert_int_eq(tw_json_load(NULL, "change 1", &o, &err), TW_OK);
	ck_assert_uint_eq(json_object_size(o), 0);
	json_decref(o);
	ck_assert_int_eq(tw_json_load("{\"a\":", "change 1", &o, &err),
	    TW_CONFIG);
	ck_assert_ptr_null(o);
	ck_assert_int_eq(strncmp(err.msg, "change 1: is stored as what is "
	    "no JSON: ", 40), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("json");
	TCase *tc = tcase_create("json");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, a_text_is_whole_or_there_is_none);
	tcase_add_test(tc, no_memory_is_no_syntax_error);
	tcase_add_test(tc, what_is_stored_is_read);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
