/*
 * test_targets.c - lib/base/targets*.c: expressions, exact errors, selection
 *
 * Each case runs against the same fleet; "→" in a wanted selection is the
 * list of names in order.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/name.h"
#include "base/targets.h"

static const char *const front[] = { "role=front", "zone=a", NULL };
static const char *const back[] = { "role=back", "zone=a", "x=[1,", NULL };
static const char *const none[] = { NULL };

static const struct tw_target_item fleet[] = {
	{ "web3", front }, { "web1", front }, { "web2", front },
	{ "web10", NULL }, { "db1", back }, { "node-08.lan", none },
	{ "node-09.lan", none }, { "node-10.lan", back },
};

#define NFLEET (sizeof fleet / sizeof fleet[0])

static const struct {
	const char *expr;
	enum tw_status status;
	const char *wanted;	/* names, or the message */
} cases[] = {
	{ "web1", TW_OK, "web1" },
	{ "web1,web2", TW_OK, "web1 web2" },
	{ " web2\n\tweb1 ,, db1\r\n", TW_OK, "web2 web1 db1" },
	{ "web[1-3]", TW_OK, "web1 web2 web3" },
	{ "web[3,1-2]", TW_OK, "web3 web1 web2" },
	{ "web[1-3,10]", TW_OK, "web1 web2 web3 web10" },
	{ "web2,web1,web2,web[1-3]", TW_OK, "web2 web1 web3" },
	{ "node-[08-10].lan", TW_OK, "node-08.lan node-09.lan node-10.lan" },
	{ "node-[09].lan", TW_OK, "node-09.lan" },
	{ "node-[0-1][08,0].lan,!node-0*", TW_NO,
	    "unknown host: node-008.lan, node-00.lan, node-108.lan" },
	{ "node-[0][8-9].lan", TW_OK, "node-08.lan node-09.lan" },
	{ "web*", TW_OK, "web3 web1 web2 web10" },
	{ "web?", TW_OK, "web3 web1 web2" },
	{ "*", TW_OK, "web3 web1 web2 web10 db1 node-08.lan node-09.lan "
	    "node-10.lan" },
	{ "?*[1-2]", TW_OK, "web1 db1 web2" },
	{ "@role=front", TW_OK, "web3 web1 web2" },
	{ "db1,@zone=a", TW_OK, "db1 web3 web1 web2 node-10.lan" },
	{ "@x=[1", TW_NO, "no host matches: @x=[1" },
	{ "@role=fro", TW_NO, "no host matches: @role=fro" },
	{ "web*,!web2", TW_OK, "web3 web1 web10" },
	{ "!web2,web*", TW_OK, "web3 web1 web10" },
	{ "!web*", TW_OK, "db1 node-08.lan node-09.lan node-10.lan" },
	{ "!@zone=a !web10", TW_OK, "node-08.lan node-09.lan" },
	{ "web1,!web1", TW_OK, "" },
	{ "!web[1-3],web[1-3],db1", TW_OK, "db1" },

	{ "web7", TW_NO, "unknown host: web7" },
	{ "web1,web[7-8],web2,db2", TW_NO, "unknown host: web7, web8, db2" },
	{ "!web7", TW_NO, "unknown host: web7" },
	{ "WEB1", TW_NO, "unknown host: WEB1" },
	{ "web[01]", TW_NO, "unknown host: web01" },
	{ "x*", TW_NO, "no host matches: x*" },
	{ "x*,web7,@a=b,!y?", TW_NO,
	    "unknown host: web7; no host matches: x*, @a=b, y?" },

	{ "", TW_USAGE, "no targets given" },
	{ " , ,", TW_USAGE, "no targets given" },
	{ "web[3-1]", TW_USAGE,
	    "bad target 'web[3-1]': the range runs backwards" },
	{ "web[]", TW_USAGE, "bad target 'web[]': empty range" },
	{ "[]", TW_USAGE, "bad target '[]': empty range" },
	{ "web[1,]", TW_USAGE, "bad target 'web[1,]': empty range" },
	{ "web[,1]", TW_USAGE, "bad target 'web[,1]': empty range" },
	{ "web[a-b]", TW_USAGE,
	    "bad target 'web[a-b]': a range is made of numbers" },
	{ "web[1-]", TW_USAGE,
	    "bad target 'web[1-]': a range is made of numbers" },
	{ "web[-1]", TW_USAGE,
	    "bad target 'web[-1]': a range is made of numbers" },
	{ "web[1-2-3]", TW_USAGE,
	    "bad target 'web[1-2-3]': a range is made of numbers" },
	{ "web[+1]", TW_USAGE,
	    "bad target 'web[+1]': a range is made of numbers" },
	{ "web[9999999999999999999]", TW_USAGE, "bad target "
	    "'web[9999999999999999999]': a range is made of numbers" },
	{ "web[08-100]", TW_USAGE, "bad target 'web[08-100]': "
	    "both ends of a padded range must be equally wide" },
	{ "web[1-02]", TW_USAGE, "bad target 'web[1-02]': "
	    "both ends of a padded range must be equally wide" },
	{ "web[1", TW_USAGE, "bad target 'web[1': brackets do not match" },
	{ "web1]", TW_USAGE, "bad target 'web1]': brackets do not match" },
	{ "web[[1]]", TW_USAGE,
	    "bad target 'web[[1]]': brackets do not match" },
	{ "web[1, 2]", TW_USAGE, "bad target 'web[1,': brackets do not match"
	    "; '2]': brackets do not match" },
	{ "-", TW_USAGE,
	    "bad target '-': standard input must be the only target" },
	{ "web1,-", TW_USAGE,
	    "bad target '-': standard input must be the only target" },
	{ "!", TW_USAGE, "bad target '!': nothing after the !" },
	{ "!!web1", TW_USAGE, "bad target '!!web1': not a name" },
	{ "-rf", TW_USAGE,
	    "bad target '-rf': a name starts with a letter or a digit" },
	{ ".x", TW_USAGE,
	    "bad target '.x': a name starts with a letter or a digit" },
	{ "a/b", TW_USAGE, "bad target 'a/b': not a name" },
	{ "a;b", TW_USAGE, "bad target 'a;b': not a name" },
	{ "a\x1b[1m", TW_USAGE, "bad target 'a\x1b[1m': not a name" },
	{ "@role", TW_USAGE, "bad target '@role': a label is @KEY=VALUE" },
	{ "@=x", TW_USAGE, "bad target '@=x': a label is @KEY=VALUE" },
	{ "@role=", TW_USAGE, "bad target '@role=': a label is @KEY=VALUE" },
	{ "!@-a=b", TW_USAGE, "bad target '!@-a=b': a label is @KEY=VALUE" },
	{ "web1,web[3-1],db1,x[],@y,z[a]", TW_USAGE,
	    "bad target 'web[3-1]': the range runs backwards; 'x[]': empty "
	    "range; '@y': a label is @KEY=VALUE; 'z[a]': a range is made of "
	    "numbers" },
	{ "web[0-999999999999999999]", TW_USAGE,
	    "bad target 'web[0-999999999999999999]': too many names" },
	{ "w[1-1000][1-1000][1-2]", TW_USAGE,
	    "bad target 'w[1-1000][1-1000][1-2]': too many names" },
	{ "w[1-600000] v[1-600000]", TW_USAGE,
	    "bad target 'v[1-600000]': too many names" },
	{ "w*[1-1001]", TW_USAGE,
	    "bad target 'w*[1-1001]': too many patterns" },
};

static enum tw_status select_from_fleet(const char *expr, struct tw_buf *b,
    struct tw_err *err)
{
	struct tw_targets *t;
	size_t *out, n, i;
	enum tw_status s;

	s = tw_targets_parse(expr, &t, err);
	if (s) {
		ck_assert_ptr_null(t);
		return s;
	}
	s = tw_targets_eval(t, fleet, NFLEET, &out, &n, err);
	if (s)
		ck_assert_ptr_null(out);
	for (i = 0; i < n; i++)
		tw_buf_addf(b, "%s%s", i ? " " : "", fleet[out[i]].name);
	free(out);
	tw_targets_free(t);
	return s;
}

START_TEST(every_expression_selects_or_says_why_not)
{
	struct tw_buf b = TW_BUF_INIT;
	struct tw_err err;
	enum tw_status s;

	s = select_from_fleet(cases[_i].expr, &b, &err);
	ck_assert_msg(s == cases[_i].status, "'%s' gave %d: %s",
	    cases[_i].expr, s, s ? err.msg : tw_buf_str(&b));
	if (s) {
		ck_assert_str_eq(err.msg, cases[_i].wanted);
		ck_assert_str_eq(err.hint, "");
	} else {
		ck_assert_str_eq(tw_buf_str(&b), cases[_i].wanted);
	}
	tw_buf_release(&b);
}
END_TEST

START_TEST(a_long_list_of_errors_is_cut_with_a_count)
{
	struct tw_buf b = TW_BUF_INIT;
	struct tw_err err;
	const char *tail;

	ck_assert_int_eq(select_from_fleet("zz[1-1000000]", &b, &err), TW_NO);
	ck_assert_int_eq(strncmp(err.msg, "unknown host: zz1, zz2, ", 24), 0);
	tail = strstr(err.msg, " and ");
	ck_assert_ptr_nonnull(tail);
	ck_assert_int_gt(atol(tail + 5), 999000);
	ck_assert_ptr_nonnull(strstr(tail, " more"));

	while (b.len < 5000)
		tw_buf_adds(&b, "x[] ");
	ck_assert_int_eq(select_from_fleet(b.data, &b, &err), TW_USAGE);
	tail = strstr(err.msg, "; and ");
	ck_assert_ptr_nonnull(tail);
	ck_assert_uint_gt(strlen(err.msg), 800);
	tw_buf_release(&b);
}
END_TEST

START_TEST(a_name_may_be_as_long_as_names_may_be)
{
	char expr[TW_NAME_MAX + 16];
	struct tw_buf b = TW_BUF_INIT;
	struct tw_err err;

	memset(expr, 'a', sizeof expr);
	snprintf(expr + TW_NAME_MAX - 3, 16, "[001]");
	ck_assert_int_eq(select_from_fleet(expr, &b, &err), TW_NO);
	ck_assert_uint_eq(strlen(err.msg), 14 + TW_NAME_MAX);
	expr[TW_NAME_MAX - 3] = 'a';
	snprintf(expr + TW_NAME_MAX - 2, 16, "[001]");
	ck_assert_int_eq(select_from_fleet(expr, &b, &err), TW_USAGE);
	ck_assert_ptr_nonnull(strstr(err.msg, "the name is too long"));
	tw_buf_release(&b);
}
END_TEST

START_TEST(an_empty_fleet_has_no_hosts)
{
	struct tw_targets *t;
	struct tw_err err;
	size_t *out, n = 7;

	ck_assert_int_eq(tw_targets_parse("*", &t, &err), TW_OK);
	ck_assert_int_eq(tw_targets_eval(t, NULL, 0, &out, &n, &err), TW_NO);
	ck_assert_str_eq(err.msg, "no host matches: *");
	ck_assert_uint_eq(n, 0);
	tw_targets_free(t);
	tw_targets_free(NULL);
}
END_TEST

static const struct {
	const char *expr;
	enum tw_status status;
	const char *wanted;
} names[] = {
	{ "web[1-3,7]", TW_OK, "web1 web2 web3 web7" },
	{ "b,a,b,a[1-2],a1", TW_OK, "b a a1 a2" },
	{ "n[1-4],!n[2-3],!zz", TW_OK, "n1 n4" },
	{ "!a", TW_OK, "" },
	{ "x,web*", TW_USAGE,
	    "bad target 'web*': only names and ranges can be used here" },
	{ "@a=b", TW_USAGE,
	    "bad target '@a=b': only names and ranges can be used here" },
};

START_TEST(names_expand_without_a_fleet)
{
	struct tw_buf b = TW_BUF_INIT;
	struct tw_targets *t;
	struct tw_err err;
	enum tw_status s;
	char **v;
	size_t i;

	ck_assert_int_eq(tw_targets_parse(names[_i].expr, &t, &err), TW_OK);
	s = tw_targets_names(t, &v, &err);
	ck_assert_int_eq(s, names[_i].status);
	for (i = 0; v && v[i]; i++)
		tw_buf_addf(&b, "%s%s", i ? " " : "", v[i]);
	ck_assert_str_eq(s ? err.msg : tw_buf_str(&b), names[_i].wanted);
	tw_strv_free(v);
	tw_targets_free(t);
	tw_buf_release(&b);
}
END_TEST

START_TEST(every_expanded_name_obeys_the_grammar)
{
	struct tw_targets *t;
	char **v;
	size_t i;

	ck_assert_int_eq(tw_targets_parse("[0-9][00-99]-x[1-100]", &t, NULL),
	    TW_OK);
	ck_assert_int_eq(tw_targets_names(t, &v, NULL), TW_OK);
	for (i = 0; v[i]; i++)
		ck_assert(tw_name_ok(v[i]));
	ck_assert_uint_eq(i, 100000);
	ck_assert_str_eq(v[0], "000-x1");
	ck_assert_str_eq(v[99999], "999-x100");
	tw_strv_free(v);
	tw_targets_free(t);
}
END_TEST

/* --- one host ---------------------------------------------------------- */

static bool has(const char *expr, const char *name, const char *const *labels)
{
	const struct tw_target_item item = { name, labels };
	struct tw_targets *t;
	struct tw_err err;
	bool yes;

	ck_assert_msg(tw_targets_parse(expr, &t, &err) == TW_OK, "%s",
	    err.msg);
	yes = tw_targets_has(t, &item);
	tw_targets_free(t);
	return yes;
}

static bool is_in(char **v, const char *name)
{
	for (; *v; v++)
		if (strcmp(*v, name) == 0)
			return true;
	return false;
}

START_TEST(one_host_is_selected_as_in_a_fleet)
{
	size_t i, j, *at, n;
	struct tw_targets *t;
	bool in;

	if (cases[_i].status != TW_OK)
		return;
	ck_assert_int_eq(tw_targets_parse(cases[_i].expr, &t, NULL), TW_OK);
	ck_assert_int_eq(tw_targets_eval(t, fleet, NFLEET, &at, &n, NULL),
	    TW_OK);
	for (i = 0; i < NFLEET; i++) {
		for (j = 0, in = false; j < n; j++)
			in |= at[j] == i;
		ck_assert_msg(tw_targets_has(t, &fleet[i]) == in, "%s: %s",
		    cases[_i].expr, fleet[i].name);
	}
	free(at);
	tw_targets_free(t);
}
END_TEST

static const struct {
	const char *expr, *name;
	bool wanted;
} ones[] = {
	{ "web7", "web7", true },
	{ "web7", "web70", false },
	{ "web7", "web", false },
	{ "nobody,x*,@a=b,web1", "web1", true },
	{ "nobody,x*,@a=b", "web1", false },
	{ "!nobody", "web1", true },
	{ "!web1", "web1", false },
	{ "!web1,web1", "web1", false },
	{ "!web[2-9],!x*", "web1", true },
	{ "!web2,web1", "web3", false },
	{ "@role=front", "web1", true },
	{ "@role=front,!@zone=a", "web1", false },
	{ "!@zone=b", "web1", true },
	{ "web[1-1000000]", "web1", true },
	{ "web[1-1000000]", "web01", false },
	{ "web[1-999999]", "web1000000", false },
	{ "web[0-9]", "web99999999999999999999999999999999", false },
	{ "web[001-100]", "web001", true },
	{ "web[001-100]", "web1", false },
	{ "web[1,01,001]", "web01", true },
	{ "n[1-20][1-20]x", "n111x", true },
	{ "n[1-20][1-20]x", "n201x", true },
	{ "n[1-20][1-20]x", "n2121x", false },
	{ "n[1-20][1-20]x", "n11", false },
	{ "n[1-2]0[0-9]", "n200", true },
	{ "n[1-2]*", "n2-anything", true },
	{ "n[1-2]*", "n3", false },
	{ "[0-99]", "", false },
	{ "*", "", true },
};

START_TEST(names_that_do_not_exist_just_do_not_match)
{
	ck_assert_msg(has(ones[_i].expr, ones[_i].name, front) ==
	    ones[_i].wanted, "%s: %s", ones[_i].expr, ones[_i].name);
}
END_TEST

START_TEST(a_host_is_matched_by_the_names_a_range_expands_to_alone)
{
	static const char *const exprs[] = {
		"a[1-12,007-011][0-3]", "[9-11]b[01-10]", "x[0,10-12,5]y",
		"[1-3][10-12][1-2]",
	};
	char name[TW_NAME_MAX + 1];
	struct tw_targets *t;
	size_t e, i;
	char **v;

	for (e = 0; e < sizeof exprs / sizeof *exprs; e++) {
		ck_assert_int_eq(tw_targets_parse(exprs[e], &t, NULL), TW_OK);
		ck_assert_int_eq(tw_targets_names(t, &v, NULL), TW_OK);
		for (i = 0; v[i]; i++) {
			ck_assert(has(exprs[e], v[i], NULL));
			snprintf(name, sizeof name, "%s0", v[i]);
			ck_assert_int_eq(has(exprs[e], name, NULL),
			    is_in(v, name));
			snprintf(name, sizeof name, "0%s", v[i]);
			ck_assert_int_eq(has(exprs[e], name, NULL),
			    is_in(v, name));
		}
		tw_strv_free(v);
		tw_targets_free(t);
	}
}
END_TEST

START_TEST(a_name_longer_than_names_may_be_is_nobodys)
{
	char name[TW_NAME_MAX + 2];

	memset(name, '1', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	ck_assert(!has("[1-9]", name, NULL));
}
END_TEST

START_TEST(an_expression_of_one_name_is_told_apart)
{
	static const struct {
		const char *expr, *name, *written;
	} tries[] = {
		{ "web1", "web1", "web1" },
		{ " web1, ", "web1", "web1" },
		{ "web[07]", "web07", "web[07]" },
		{ "web1 web2", NULL, "web1,web2" },
		{ "web1,web1", NULL, "web1,web1" },
		{ "web[1-2,4] !web2", NULL, "web[1-2,4],!web2" },
		{ "!web1", NULL, "!web1" },
		{ "web*", NULL, "web*" },
		{ "@role=front,!@zone=a", NULL, "@role=front,!@zone=a" },
	};
	struct tw_buf b = TW_BUF_INIT;
	char name[TW_NAME_MAX + 1];
	struct tw_targets *t;
	size_t i;

	for (i = 0; i < sizeof tries / sizeof *tries; i++) {
		ck_assert_int_eq(tw_targets_parse(tries[i].expr, &t, NULL),
		    TW_OK);
		ck_assert_int_eq(tw_targets_is_name(t, name),
		    tries[i].name != NULL);
		if (tries[i].name)
			ck_assert_str_eq(name, tries[i].name);
		tw_buf_reset(&b);
		tw_targets_write(t, &b);
		ck_assert_str_eq(tw_buf_str(&b), tries[i].written);
		tw_targets_free(t);
	}
	tw_buf_release(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("targets");
	TCase *tc = tcase_create("targets");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc, every_expression_selects_or_says_why_not, 0,
	    sizeof cases / sizeof cases[0]);
	tcase_add_test(tc, a_long_list_of_errors_is_cut_with_a_count);
	tcase_add_test(tc, a_name_may_be_as_long_as_names_may_be);
	tcase_add_test(tc, an_empty_fleet_has_no_hosts);
	tcase_add_loop_test(tc, names_expand_without_a_fleet, 0,
	    sizeof names / sizeof names[0]);
	tcase_add_test(tc, every_expanded_name_obeys_the_grammar);
	tcase_add_loop_test(tc, one_host_is_selected_as_in_a_fleet, 0,
	    sizeof cases / sizeof cases[0]);
	tcase_add_loop_test(tc, names_that_do_not_exist_just_do_not_match, 0,
	    sizeof ones / sizeof ones[0]);
	tcase_add_test(tc,
	    a_host_is_matched_by_the_names_a_range_expands_to_alone);
	tcase_add_test(tc, a_name_longer_than_names_may_be_is_nobodys);
	tcase_add_test(tc, an_expression_of_one_name_is_told_apart);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
