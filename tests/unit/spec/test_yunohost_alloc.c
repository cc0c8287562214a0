/*
 * test_yunohost_alloc.c - YunoHost's catalogue: no allocation may fail without
 * a status
 *
 * C++'s operator new stands on malloc.  What is no TOML at all is left out: see
 * toml.h.
 */
#include "yunohost_util.h"

#include "alloc_util.h"

static struct tw_buf good_json, good_toml;
static const char bad_json[] = "{\"apps\": {\"B\": {}, \"a\": {\"level\": \"x\"}}}";
static const char bad_toml[] = "id = 'a'\nname = 3\n[install]\nx = 1\n";

/* Reads, and makes arguments where there are questions. */
static enum tw_status whole(parse_fn parse, const char *text, size_t len)
{
	static const struct tw_param_given given[] = {
		{ "domain", 6, "a.org", 5, false },
		{ "admin", 5, "me", 2, false },
		{ "password", 8, "12345678", 8, true },
	};
	struct tw_yunohost_catalog *c;
	struct tw_buf out = TW_BUF_INIT;
	struct tw_diags ds = { 0 };
	enum tw_status st;
	struct tw_err err;

	st = parse(text, len, &ds, &c, &err);
	if (st == TW_OK && c->apps->has_questions)
		st = tw_yunohost_args(c->apps, given, 3, &ds, &out, &err);
	tw_buf_release(&out);
	tw_diags_release(&ds);
	tw_yunohost_free(c);
	return st;
}

/* Each allocation in turn fails: no crash, and no other answer than TW_NOMEM,
 * what it is with memory, or also. */
static void fail_each(parse_fn parse, const char *text, size_t len,
    enum tw_status end, enum tw_status also, bool on)
{
	enum tw_status st;
	size_t n;

	for (n = 1; ; n++) {
		alloc_fail(n, on);
		st = whole(parse, text, len);
		if (!alloc_failed())
			break;
		ck_assert_msg(st == TW_NOMEM || st == also ||
		    (st == end && !on), "status %d when allocation %zu fails", st, n);
	}
	ck_assert_int_eq(st, end);
	ck_assert_uint_ge(n, ALLOC_LEAST);
}

static void all(bool on)
{
	fail_each(tw_yunohost_json, good_json.data, good_json.len, TW_OK,
	    TW_DATA, on);
	fail_each(tw_yunohost_json, bad_json, sizeof bad_json - 1, TW_DATA,
	    TW_DATA, on);
	fail_each(tw_yunohost_manifest, good_toml.data, good_toml.len, TW_OK,
	    TW_NOMEM, on);
	fail_each(tw_yunohost_manifest, bad_toml, sizeof bad_toml - 1,
	    TW_DATA, TW_DATA, on);
}

START_TEST(an_allocation_that_fails_gives_a_status)
{
	all(false);
}
END_TEST

START_TEST(memory_that_is_gone_gives_a_status)
{
	all(true);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		an_allocation_that_fails_gives_a_status,
		memory_that_is_gone_gives_a_status,
	};
	struct tw_err err;
	int status;

	if (read_under(data_dir(), "apps.json", &good_json, &err) != TW_OK ||
	    read_under(data_dir(), "manifests/blog.toml", &good_toml, &err) !=
	    TW_OK)
		return EXIT_FAILURE;
	status = run_tests("yunohost_alloc", tests,
	    sizeof tests / sizeof *tests);
	tw_buf_release(&good_json);
	tw_buf_release(&good_toml);
	return status;
}
