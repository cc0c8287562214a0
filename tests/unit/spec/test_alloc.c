/* test_alloc.c - no allocation may fail without a status */
#include "spec_util.h"

#include <stdio.h>

#include "alloc_util.h"
#include "spec/app_spec.h"
#include "spec/program.h"

static const char change[] =
    "towerify: 1\n"
    "title: t\n"
    "params:\n"
    "  a: {type: string, min: 1, default: b}\n"
    "  c: {type: enum, values: [x, y]}\n"
    "steps:\n"
    "  - check: test 'x' = \"$a\"\n"
    "    run: r\n"
    "  - file: {path: /a, source: s}\n";

static const char pattern[] =
    "towerify: 1\n"
    "params: {c: {type: string, pattern: '^[a-z]{1,3}$'}}\n"
    "steps: [{reboot: {}}]\n";

static const char wrong[] =
    "towerify: 1\n"
    "titel: t\n"
    "params: {a: {type: string, pattern: '('}}\n"
    "steps:\n"
    "  - run: ! fi\n"
    "    run: fi\n"
    "  - file: {path: a}\n";

static const char app[] =
    "towerify-app: 1\n"
    "app: wiki\n"
    "version: 1\n"
    "params: {port: {type: integer, default: 80}, pw: {type: secret}}\n"
    "requires: {os: [debian, x], memory: 1G}\n"
    "exports: {url: 'http://x:{{port}}/'}\n"
    "health: {tcp: '{{port}}', timeout: 9s, successes: 2}\n"
    "deploy: [{run: 'x $pw'}]\n"
    "upgrade: [{run: x}]\n"
    "undeploy: [{run: x}]\n"
    "backup: [{run: x}]\n"
    "restore: [{run: x, check: y}]\n";

static const char wrong_app[] =
    "towerify-app: 1\n"
    "app: a b\n"
    "params: {app_from: {type: string}}\n"
    "requires: {os: a b, memory: 1}\n"
    "exports: {url: 'http://x:{{port}}/'}\n"
    "health: {tcp: '{{port}}', timeout: 9}\n"
    "restore: [{reboot: {}}]\n";

static enum tw_status read_source(void *arg, const char *path,
    struct tw_buf *out, struct tw_err *err)
{
	(void)arg;
	tw_buf_adds(out, path);
	return tw_buf_check(out, err);
}

static enum tw_status whole_change(const char *file, size_t len)
{
	const struct tw_spec_reader reader = { .read = read_source };
	struct tw_buf text = TW_BUF_INIT, blob = TW_BUF_INIT;
	struct tw_buf shown = TW_BUF_INIT;
	const struct tw_param_given c = { "c", 1, "y", 1, false };
	struct tw_param_values v = { NULL, 0 };
	struct tw_change_spec *s;
	struct tw_diags ds = { 0 };
	enum tw_status st;
	struct tw_err err;
	long room;

	st = tw_change_spec_parse(file, len, &reader, &ds, &s, &err);
	if (st == TW_OK)
		st = tw_params_check(&s->params, &c, 1, &ds, &v, &err);
	if (st == TW_OK)
		st = tw_program_make(s, &v, &text, &blob, &room, &err);
	if (st == TW_OK) {
		tw_program_describe(s, &v, &shown);
		st = tw_buf_check(&shown, &err);
	}
	tw_diags_print(&ds, &shown);
	tw_buf_release(&text);
	tw_buf_release(&blob);
	tw_buf_release(&shown);
	tw_param_values_release(&v);
	tw_diags_release(&ds);
	tw_change_spec_free(s);
	return st;
}

/* An upgrade of an app. */
static enum tw_status compile(struct tw_app_spec *a, struct tw_err *err)
{
	struct tw_app_act act = { TW_APP_UPGRADE, "w", "0", false };
	struct tw_buf text = TW_BUF_INIT, blob = TW_BUF_INIT;
	struct tw_param_values v = { NULL, 0 };
	struct tw_diags ds = { 0 };
	struct tw_change_spec *s;
	enum tw_status st;
	long room;

	st = tw_app_compile(a, &act, &s, err);
	if (st == TW_OK)
		st = tw_params_check(&s->params, NULL, 0, &ds, &v, err);
	if (st == TW_OK)
		st = tw_change_spec_fill(s, &v, &ds, err);
	if (st == TW_OK)
		st = tw_program_make(s, &v, &text, &blob, &room, err);
	if (st == TW_OK)
		st = tw_app_exports(a, "w", "{}", &text, err);
	tw_diags_release(&ds);
	tw_param_values_release(&v);
	tw_buf_release(&text);
	tw_buf_release(&blob);
	tw_change_spec_free(s);
	return st;
}

static enum tw_status whole_app(const char *file, size_t len)
{
	const char *top = getenv("abs_top_srcdir"), *dirs[2] = { NULL, NULL };
	struct tw_spec_reader reader = { .read = read_source };
	struct tw_buf misses = TW_BUF_INIT;
	struct tw_app_spec *a = NULL;
	struct tw_diags ds = { 0 };
	enum tw_status st;
	struct tw_err err;
	char where[512];

	snprintf(where, sizeof where, "%s/share/kinds", top ? top : ".");
	dirs[0] = where;
	st = tw_kinds_new(dirs, &reader.kinds, &err);
	if (st == TW_OK)
		st = tw_app_spec_parse(file, len, &reader, &ds, &a, &err);
	if (st == TW_OK)
		st = compile(a, &err);
	if (st == TW_OK)
		st = tw_requires_check(&a->requires, "h", NULL, &misses, &err);
	tw_buf_release(&misses);
	tw_diags_release(&ds);
	tw_app_spec_free(a);
	tw_kinds_free(reader.kinds);
	return st;
}

/* Each allocation in turn fails: no crash, and never another answer than also
 * (TW_NOMEM where there is none). */
static void fail_each(enum tw_status (*whole)(const char *, size_t),
    const char *file, size_t len, enum tw_status end, enum tw_status also,
    bool on)
{
	enum tw_status st;
	size_t n;

	for (n = 1; ; n++) {
		alloc_fail(n, on);
		st = whole(file, len);
		if (!alloc_failed())
			break;
		ck_assert_msg(st == TW_NOMEM || st == end || st == also,
		    "status %d when allocation %zu fails", st, n);
		ck_assert_msg(!on || end != TW_OK || st != TW_OK,
		    "success without memory from allocation %zu on", n);
	}
	ck_assert_int_eq(st, end);
	ck_assert_uint_ge(n, ALLOC_LEAST);
}

START_TEST(an_allocation_that_fails_gives_a_status)
{
	fail_each(whole_change, change, sizeof change - 1, TW_OK,
	    TW_NOMEM, false);
	fail_each(whole_change, wrong, sizeof wrong - 1, TW_DATA,
	    TW_NOMEM, false);
}
END_TEST

START_TEST(memory_that_is_gone_gives_a_status)
{
	fail_each(whole_change, change, sizeof change - 1, TW_OK,
	    TW_NOMEM, true);
	fail_each(whole_change, wrong, sizeof wrong - 1, TW_DATA,
	    TW_NOMEM, true);
}
END_TEST

/* glibc's regexec() may answer "no match" where it finds no memory: a good
 * value is refused then, which does no harm. */
START_TEST(a_pattern_without_memory_never_accepts)
{
	fail_each(whole_change, pattern, sizeof pattern - 1, TW_OK,
	    TW_USAGE, false);
	fail_each(whole_change, pattern, sizeof pattern - 1, TW_OK,
	    TW_USAGE, true);
}
END_TEST

/* Its kind has patterns: a good value may be refused, as above. */
START_TEST(an_app_without_memory_gives_a_status)
{
	fail_each(whole_app, app, sizeof app - 1, TW_NO, TW_DATA, false);
	fail_each(whole_app, wrong_app, sizeof wrong_app - 1, TW_DATA,
	    TW_NOMEM, false);
	fail_each(whole_app, wrong_app, sizeof wrong_app - 1, TW_DATA,
	    TW_NOMEM, true);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		an_allocation_that_fails_gives_a_status,
		memory_that_is_gone_gives_a_status,
		a_pattern_without_memory_never_accepts,
		an_app_without_memory_gives_a_status,
	};

	return run_tests("alloc", tests, sizeof tests / sizeof *tests);
}
