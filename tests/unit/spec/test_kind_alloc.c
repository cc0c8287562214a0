/*
 * test_kind_alloc.c - step kinds and fetch.yaml: no allocation may fail without
 * a status
 *
 * As in test_alloc.c.  No pattern is in it: what becomes of those is looked at
 * there.
 */
#include "alloc_util.h"
#include "spec_util.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "spec/fetch_rules.h"
#include "spec/program.h"

#define BODY "check() { true; }\nrun() { true; }\nundo() { true; }\n"

static char dir[] = "/tmp/towerify-test-XXXXXX";

static const char thing[] =
    "# thing - x\n"
    "#: towerify-kind: 1\n"
    "#: args:\n"
    "#:   name: {type: string, required: true, description: what}\n"
    "#:   how: {type: enum, values: [a, b], default: a}\n"
    "#:   text: {type: string}\n"
    "#:   from: {type: file}\n"
    "#:   do: {type: command}\n"
    "#:   mode: {type: string}\n"
    "#: one_of: [text, from, do]\n"
    "#: templates: [text, from]\n"
    "#: facts: [arch]\n"
    "#: fetch: [name, mode]\n"
    "#: undo: auto\n" BODY;

/* Its header is wrong in all that a header has. */
static const char wrong_kind[] =
    "# other - x\n"
    "#: towerify-kind: 2\n"
    "#: args: {fetched: {type: file}, B: 1}\n"
    "#: one_of: [c]\n"
    "#: facts: [Not]\n"
    "#: fetch: [fetched]\n"
    "#: nudo: x\n"
    "check() { fi; }\n";

#define HEADER "towerify: 1\n" \
	"params: {p: {type: string, default: x}, s: {type: secret}}\nsteps:\n"

static const char good_change[] = HEADER
    "  - thing: {name: 'a {{p}} {{{{', text: '{{s}} {{fact.arch}}', mode: 1}\n"
    "  - thing: {name: n, from: s}\n"
    "  - thing: {name: n, do: x}\n";

static const char wrong_change[] = HEADER
    "  - thing: {name: '{{q}} {{ {{s}}', text: '{{fact.x}}', from: s, how: c}\n"
    "  - thing: {do: fi}\n"
    "  - bad: {}\n"
    "  - zzzzzzzz: {}\n"
    "  - thing: {name: {{p}}, text: {{p}}}\n";

static enum tw_status read_source(void *arg, const char *path,
    struct tw_buf *out, struct tw_err *err)
{
	(void)arg;
	tw_buf_adds(out, path);
	tw_buf_adds(out, "{{p}}\n");
	return tw_buf_check(out, err);
}

static enum tw_status serve(void *arg, const char *url, const char *sha256,
    size_t max, struct tw_buf *out, struct tw_err *err)
{
	(void)arg;
	(void)max;
	tw_buf_adds(out, url);
	tw_buf_adds(out, sha256);
	return tw_buf_check(out, err);
}

static enum tw_status compile(struct tw_change_spec *s, struct tw_diags *ds,
    struct tw_err *err)
{
	struct tw_buf text = TW_BUF_INIT, blob = TW_BUF_INIT;
	const struct tw_param_given given = { "s", 1, "hush", 4, true };
	struct tw_buf shown = TW_BUF_INIT;
	struct tw_param_values v = { NULL, 0 };
	enum tw_status st;
	long room;

	st = tw_params_check(&s->params, &given, 1, ds, &v, err);
	if (st == TW_OK)
		st = tw_change_spec_fill(s, &v, ds, err);
	if (st == TW_OK)
		st = tw_change_spec_fetch(s, serve, NULL, err);
	if (st == TW_OK)
		st = tw_program_make(s, &v, &text, &blob, &room, err);
	if (st == TW_OK) {
		tw_program_describe(s, &v, &shown);
		st = tw_buf_check(&shown, err);
	}
	tw_buf_release(&text);
	tw_buf_release(&blob);
	tw_buf_release(&shown);
	tw_param_values_release(&v);
	return st;
}

/* With all that a tool does: kinds looked for, read, used, filled, fetched. */
static enum tw_status whole_change(const char *file, size_t len)
{
	struct tw_spec_reader reader = { .read = read_source };
	const char *dirs[] = { "/nowhere/at/all", dir, NULL };
	struct tw_change_spec *s = NULL;
	struct tw_buf said = TW_BUF_INIT;
	struct tw_diags ds = { .file = "f" };
	enum tw_status st;
	struct tw_err err;

	st = tw_kinds_new(dirs, &reader.kinds, &err);
	if (st == TW_OK)
		st = tw_change_spec_parse(file, len, &reader, &ds, &s, &err);
	if (st == TW_OK)
		st = compile(s, &ds, &err);
	tw_diags_print(&ds, &said);
	tw_buf_release(&said);
	tw_diags_release(&ds);
	tw_change_spec_free(s);
	tw_kinds_free(reader.kinds);
	return st;
}

static enum tw_status whole_rules(const char *file, size_t len)
{
	struct tw_diags ds = { .file = "f" };
	struct tw_fetch_rules r;
	enum tw_status st;
	struct tw_err err;

	st = tw_fetch_rules_parse(file, len, &ds, &r, &err);
	tw_fetch_rules_release(&r);
	tw_diags_release(&ds);
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

static void each_kind(bool on)
{
	fail_each(whole_change, good_change, sizeof good_change - 1, TW_OK,
	    TW_NOMEM, on);
	fail_each(whole_change, wrong_change, sizeof wrong_change - 1,
	    TW_DATA, TW_NOMEM, on);
}

static void each_rules(bool on)
{
	static const char good[] = "towerify-fetch: 1\n"
	    "allow: [http://a/, http://b/]\ntimeout: 9s\n";
	static const char wrong[] = "allow: [x, []]\ntimeuot: 9\n";

	fail_each(whole_rules, good, sizeof good - 1, TW_OK, TW_NOMEM, on);
	fail_each(whole_rules, wrong, sizeof wrong - 1, TW_DATA, TW_NOMEM,
	    on);
}

START_TEST(an_allocation_that_fails_gives_a_status)
{
	each_kind(false);
	each_rules(false);
}
END_TEST

START_TEST(memory_that_is_gone_gives_a_status)
{
	each_kind(true);
	each_rules(true);
}
END_TEST

static bool write_kind(const char *name, const char *text)
{
	char path[64];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	if (!text)
		return unlink(path) == 0;
	return tw_io_write_file(path, text, strlen(text), 0644, NULL) == TW_OK;
}

int main(void)
{
	const TTest *const tests[] = {
		an_allocation_that_fails_gives_a_status,
		memory_that_is_gone_gives_a_status,
	};
	int status;

	if (!mkdtemp(dir) || !write_kind("thing", thing) ||
	    !write_kind("bad", wrong_kind))
		return EXIT_FAILURE;
	status = run_tests("kind_alloc", tests, sizeof tests / sizeof *tests);
	write_kind("thing", NULL);
	write_kind("bad", NULL);
	rmdir(dir);
	return status;
}
