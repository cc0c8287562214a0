/* test_fetch_rules.c - fetch.yaml */
#include "spec_util.h"

#include "spec/fetch_rules.h"

static void rules_are(const char *text, const char *wanted,
    struct tw_fetch_rules *out)
{
	struct tw_diags ds = { .file = "f" };
	enum tw_status st;
	char *said;

	st = tw_fetch_rules_parse(text, strlen(text), &ds, out, NULL);
	said = problems(&ds);
	ck_assert_str_eq(said, wanted);
	ck_assert_int_eq(st, *wanted ? TW_DATA : TW_OK);
	ck_assert_int_eq(out->doc == NULL, st != TW_OK);
	free(said);
	tw_diags_release(&ds);
}

START_TEST(good_rules)
{
	struct tw_fetch_rules r;

	rules_are("towerify-fetch: 1\n", "", &r);
	ck_assert_ptr_null(r.allow);
	ck_assert_int_eq(r.timeout, 0);
	tw_fetch_rules_release(&r);
	rules_are("towerify-fetch: 1\nallow: []\n", "", &r);
	ck_assert_ptr_nonnull(r.allow);
	ck_assert_ptr_null(r.allow[0]);
	tw_fetch_rules_release(&r);
	rules_are("towerify-fetch: 1\nallow:\n  - https://a.org/\n"
	    "  - 'http://[::1]:80/x/y'\ntimeout: 1m30s\n", "", &r);
	ck_assert_str_eq(r.allow[0], "https://a.org/");
	ck_assert_str_eq(r.allow[1], "http://[::1]:80/x/y");
	ck_assert_ptr_null(r.allow[2]);
	ck_assert_int_eq(r.timeout, 90000);
	tw_fetch_rules_release(&r);
}
END_TEST

START_TEST(bad_rules_are_refused_with_positions)
{
#define ADDRESS(at, what) "f:" at ": an address must be https://HOST/PATH or " \
	"http://HOST/PATH, not '" what "'\n" \
	"hint: such as https://example.org/pool/\n"
	struct tw_fetch_rules r;

	rules_are("allow: x\ntimeuot: 1s\n",
	    "f:1:1: the version is missing\n"
	    "hint: begin the file with `towerify-fetch: 1`\n"
	    "f:1:8: allow must be a list ('- '), not a text\n"
	    "f:2:1: unknown key 'timeuot' in the file\n"
	    "hint: did you mean 'timeout'?\n", &r);
	rules_are("towerify-fetch: 2\ntimeout: 0s\nallow:\n"
	    "  - a.org\n  - https://a.org\n  - ftp://a/\n  - https:///x\n"
	    "  - https://u@a/\n  - https://a/?b\n  - []\n",
	    "f:1:17: version '2' of the file is not known here\n"
	    "hint: this version reads `towerify-fetch: 1`\n"
	    "f:2:10: timeout must be whole seconds from 1s to 24h, not '0s'\n"
	    ADDRESS("4:5", "a.org") ADDRESS("5:5", "https://a.org")
	    ADDRESS("6:5", "ftp://a/") ADDRESS("7:5", "https:///x")
	    ADDRESS("8:5", "https://u@a/") ADDRESS("9:5", "https://a/?b")
	    "f:10:5: an address must be text, not a list\n", &r);
	rules_are("x", "f:1:1: the file must be a mapping ('key: value'), not "
	    "a text\n", &r);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		good_rules,
		bad_rules_are_refused_with_positions,
	};

	return run_tests("fetch_rules", tests, sizeof tests / sizeof *tests);
}
