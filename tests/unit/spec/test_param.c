/* test_param.c - parameters: definitions and the values given for them */
#include "spec_util.h"

#include <stdio.h>

#include "spec/param.h"
#include "spec/pattern.h"

#define STEP "steps: [{run: 'true'}]\n"
#define P "towerify: 1\n" STEP "params:\n"

START_TEST(bad_definitions_are_refused)
{
	static const struct {
		const char *text, *wanted;
	} t[] = {
		{ P "  a: {type: string, min: 3, max: 2}\n",
		  "f:4:34: max is less than min\n" },
		{ P "  a: {type: strin}\n",
		  "f:4:13: type must be one of string, integer, boolean, enum, "
		  "secret, not 'strin'\nhint: did you mean 'string'?\n" },
		{ P "  a: {min: 1}\n", "f:4:3: parameter 'a' has no type\n"
		  "hint: one of string, integer, boolean, enum, secret\n" },
		{ P "  a: {type: secret, default: Zq9, values: [Zq9]}\n",
		  "f:4:3: no step uses secret 'a'\n"
		  "hint: name it in a command, as \"$a\"\n"
		  "f:4:21: a parameter of type secret takes no 'default'\n"
		  "f:4:35: a parameter of type secret takes no 'values'\n" },
		{ P "  a: {type: secret, min: 9, max: 2, pattern: '('}\n",
		  "f:4:3: no step uses secret 'a'\n"
		  "hint: name it in a command, as \"$a\"\n"
		  "f:4:34: max is less than min\n"
		  "f:4:46: pattern is no extended regular expression: "
		  "Unmatched ( or \\(\n" },
		{ P "  a: string\n", "f:4:6: the parameter's definition must "
		  "be a mapping ('key: value'), not a text\n" },
		{ P "  A: {type: string}\n  a-b: {type: string}\n",
		  "f:4:3: 'A' cannot name a parameter\nhint: small letters, "
		  "digits and '_', a letter first, at most 31\n"
		  "f:5:3: 'a-b' cannot name a parameter\nhint: small letters, "
		  "digits and '_', a letter first, at most 31\n" },
		{ P "  a: {type: string, requird: true}\n",
		  "f:4:21: unknown key 'requird' in the parameter's "
		  "definition\nhint: did you mean 'required'?\n" },
		{ P "  a: {type: string, required: yes}\n",
		  "f:4:31: required must be true or false, not 'yes'\n" },
		{ P "  a: {type: string, required: true, default: x}\n",
		  "f:4:37: a required parameter takes no default\n"
		  "hint: leave out one of the two\n" },
		{ P "  a: {type: boolean, min: 1, pattern: x, values: [b]}\n",
		  "f:4:22: a parameter of type boolean takes no 'min'\n"
		  "f:4:30: a parameter of type boolean takes no 'pattern'\n"
		  "f:4:42: a parameter of type boolean takes no 'values'\n" },
		{ P "  a: {type: enum}\n",
		  "f:4:3: parameter 'a' is an enum without values\n"
		  "hint: add values: [a, b]\n" },
		{ P "  a: {type: enum, values: []}\n",
		  "f:4:27: values must be 1 to 256 texts\n" },
		{ P "  a: {type: enum, values: [x, [y], x]}\n",
		  "f:4:31: a value must be text, not a list\n"
		  "f:4:36: the value 'x' is there twice\n" },
		{ P "  a: {type: enum, values: [x], default: y}\n",
		  "f:4:41: default must be one of 'x', not 'y'\n" },
		{ P "  a: {type: boolean, default: yes}\n",
		  "f:4:31: default must be true or false, not 'yes'\n" },
		{ P "  a: {type: integer, default: 1.10}\n",
		  "f:4:31: default must be a whole number, not '1.10'\n" },
		{ P "  a: {type: integer, default: 0x10, max: 9}\n",
		  "f:4:31: default must be a whole number, not '0x10'\n" },
		{ P "  a: {type: integer, default: 10, max: 9}\n",
		  "f:4:31: default must be at most 9, not '10'\n" },
		{ P "  a: {type: integer, min: 010}\n",
		  "f:4:27: min must be a whole number, not '010'\n" },
		{ P "  a: {type: string, min: -1}\n",
		  "f:4:26: min must be 0 to 65536, not -1\n" },
		{ P "  a: {type: string, pattern: 'a(', default: b}\n",
		  "f:4:30: pattern is no extended regular expression: "
		  "Unmatched ( or \\(\n" },
		{ P "  a: {type: string, pattern: '^a+$', default: b}\n",
		  "f:4:47: default must match the pattern '^a+$', not 'b'\n" },
		{ P "  a: {type: string, pattern: '(a)\\1'}\n",
		  "f:4:30: pattern is no extended regular expression: "
		  "back-references are not allowed\n" },
		{ P "  a: {type: string, pattern: '((a{99}){99}){99}'}\n",
		  "f:4:30: pattern is no extended regular expression: "
		  "its repetitions are too large together\n" },
		{ P "  a: {type: string, pattern: 'a{10001}'}\n",
		  "f:4:30: pattern is no extended regular expression: "
		  "a repetition is too large\n" },
		{ P "  a: {type: string, description: \"x\\ny\"}\n",
		  "f:4:34: description must be one line without control "
		  "characters\n" },
	};
	size_t i;

	for (i = 0; i < sizeof t / sizeof *t; i++)
		bad(t[i].text, t[i].wanted);
}
END_TEST

START_TEST(the_number_of_parameters_is_limited)
{
	struct tw_buf b = TW_BUF_INIT;
	struct tw_change_spec *s;
	size_t i;

	tw_buf_adds(&b, P);
	for (i = 0; i < TW_PARAMS_MAX; i++)
		tw_buf_addf(&b, "  p%zu: {type: string}\n", i);
	s = good(b.data, b.len);
	ck_assert_uint_eq(s->params.n, TW_PARAMS_MAX);
	tw_change_spec_free(s);
	tw_buf_adds(&b, "  q: {type: string}\n");
	bad(b.data, "f:4:3: 257 parameters, more than 256\n");
	tw_buf_release(&b);
}
END_TEST

#define DEFS P \
	"  domain: {type: string, required: true, pattern: '^[a-z.]+$', " \
	"description: the shop's name}\n" \
	"  workers: {type: integer, default: 4, min: 1, max: 64}\n" \
	"  debug: {type: boolean}\n" \
	"  level: {type: enum, values: [low, high], default: high}\n" \
	"  note: {type: string, min: 2, max: 3}\n"

struct values {
	const char *args[6];
	const char *wanted;		/* problems, or "" */
	const char *values[5];
};

static const struct values given[] = {
	{ { "domain=a.b" }, "", { "a.b", "4", "", "high", "" } },
	{ { "domain=a", "workers=64", "debug=false", "level=low",
	    "note=\xc3\xa9\xc3\xa9\xc3\xa9" }, "",
	  { "a", "64", "false", "low", "\xc3\xa9\xc3\xa9\xc3\xa9" } },
	{ { "workers=65", "debug=1", "level=mid", "note=x", "wrkers=2" },
	  "parameter 'workers' must be at most 64, not '65'\n"
	  "parameter 'debug' must be true or false, not '1'\n"
	  "parameter 'level' must be one of 'low', 'high', not 'mid'\n"
	  "parameter 'note' must have at least 2 characters, not 'x'\n"
	  "unknown parameter 'wrkers'\nhint: did you mean 'workers'?\n"
	  "parameter 'domain' is required\nhint: the shop's name\n", { NULL } },
	{ { "domain=A", "domain=b", "workers=04", "note=abcd" },
	  "parameter 'domain' must match the pattern '^[a-z.]+$', not 'A'\n"
	  "hint: the shop's name\n"
	  "parameter 'domain' is given twice\n"
	  "parameter 'workers' must be a whole number, not '04'\n"
	  "parameter 'note' must have at most 3 characters, not 'abcd'\n",
	  { NULL } },
	{ { "domain=", "note=\xff\xff", "=x" },
	  "parameter 'domain' must match the pattern '^[a-z.]+$', not ''\n"
	  "hint: the shop's name\n"
	  "parameter 'note' is not UTF-8\n"
	  "unknown parameter ''\n", { NULL } },
	{ { "domain=a\nb", "workers=", "debug=" },
	  "parameter 'domain' must match the pattern '^[a-z.]+$', not "
	  "'a\\x0ab'\nhint: the shop's name\n"
	  "parameter 'workers' must be a whole number, not ''\n"
	  "parameter 'debug' must be true or false, not ''\n", { NULL } },
	{ { "domain=a", "workers=9223372036854775808", "note=aa" },
	  "parameter 'workers' must be a whole number, not "
	  "'9223372036854775808'\n", { NULL } },
	{ { "domain=a", "workers=-9223372036854775808", "note=aa" },
	  "parameter 'workers' must be at least 1, not "
	  "'-9223372036854775808'\n", { NULL } },
};

static void check_given(const struct tw_params *p, const struct values *t)
{
	struct tw_param_values v = { NULL, 0 };
	struct tw_param_given g[6];
	struct tw_diags ds = { 0 };
	enum tw_status st;
	struct tw_err err;
	char *said;
	size_t n, i;

	for (n = 0; n < 6 && t->args[n]; n++)
		ck_assert_int_eq(tw_param_given_split(t->args[n], &g[n], &err),
		    TW_OK);
	st = tw_params_check(p, g, n, &ds, &v, &err);
	said = problems(&ds);
	ck_assert_str_eq(said, t->wanted);
	ck_assert_int_eq(st, *t->wanted ? TW_USAGE : TW_OK);
	ck_assert_uint_eq(v.n, *t->wanted ? 0 : 5);
	for (i = 0; i < v.n; i++)
		ck_assert_str_eq(v.v[i].text, t->values[i]);
	free(said);
	tw_diags_release(&ds);
	tw_param_values_release(&v);
}

START_TEST(given_values_are_checked_all_at_once)
{
	struct tw_change_spec *s = good(DEFS, strlen(DEFS));
	size_t i;

	for (i = 0; i < sizeof given / sizeof *given; i++)
		check_given(&s->params, &given[i]);
	tw_change_spec_free(s);
}
END_TEST

/* The problems of one value of n bytes for the parameter x of type string. */
static void check_size(size_t n, char fill, size_t count, const char *wanted)
{
	struct tw_param_given g[20];
	struct tw_param_values v = { NULL, 0 };
	struct tw_buf b = TW_BUF_INIT;
	struct tw_change_spec *s;
	struct tw_diags ds = { 0 };
	char names[20][24], *text, *said;
	size_t i;

	text = malloc(n + 1);
	ck_assert_ptr_nonnull(text);
	memset(text, fill, n);
	tw_buf_adds(&b, P);
	for (i = 0; i < count; i++) {
		snprintf(names[i], sizeof names[i], "x%zu", i);
		tw_buf_addf(&b, "  %s: {type: string}\n", names[i]);
		g[i].name = names[i];
		g[i].name_len = strlen(names[i]);
		g[i].value = text;
		g[i].len = n;
		g[i].is_private = false;
	}
	s = good(b.data, b.len);
	tw_params_check(&s->params, g, count, &ds, &v, NULL);
	said = problems(&ds);
	ck_assert_str_eq(said, wanted);
	ck_assert_uint_eq(v.n, *wanted ? 0 : count);
	free(said);
	free(text);
	tw_param_values_release(&v);
	tw_diags_release(&ds);
	tw_change_spec_free(s);
	tw_buf_release(&b);
}

START_TEST(sizes_and_bytes_of_values_are_limited)
{
	check_size(65536, 'x', 1, "");
	check_size(65537, 'x', 1, "parameter 'x0' is longer than 64 KiB\n");
	check_size(3, '\0', 1, "parameter 'x0' holds a NUL byte\n");
	check_size(65536, 'x', 16, "");
	check_size(65536, 'x', 17, "the parameters have 1114112 bytes "
	    "together, more than 1048576\n");
}
END_TEST

#define SECRETS \
	"  pw: {type: secret, required: true, min: 4, max: 6, " \
	"pattern: '^[^x]*$', description: the key}\n" \
	"  opt: {type: secret}\n"

/* One value for pw; what is wrong with it never holds it. */
static void check_secret(const char *value, size_t len, bool is_private,
    const char *wanted)
{
	static const char text[] = "towerify: 1\n"
	    "steps: [{run: 'a $pw', undo: 'b $opt'}]\nparams:\n";
	const struct tw_param_given g = { "pw", 2, value, len, is_private };
	struct tw_param_values v = { NULL, 0 };
	struct tw_buf b = TW_BUF_INIT;
	struct tw_diags ds = { 0 };
	struct tw_change_spec *s;
	enum tw_status st;
	struct tw_err err = { 0 };
	char *said;

	tw_buf_adds(&b, text);
	tw_buf_adds(&b, SECRETS);
	s = good(b.data, b.len);
	st = tw_params_check(&s->params, &g, 1, &ds, &v, &err);
	said = problems(&ds);
	ck_assert_str_eq(said, wanted);
	ck_assert_int_eq(st, *wanted ? TW_USAGE : TW_OK);
	ck_assert_ptr_null(strstr(said, "Zq9"));
	ck_assert_ptr_null(strstr(err.msg, "Zq9"));
	ck_assert_ptr_null(strstr(err.hint, "Zq9"));
	if (st == TW_OK)
		ck_assert_str_eq(v.v[0].text, value);
	free(said);
	tw_diags_release(&ds);
	tw_param_values_release(&v);
	tw_change_spec_free(s);
	tw_buf_release(&b);
}

/* Two secrets of 32 KiB, the second with n bytes more. */
static void check_secrets_size(size_t n, const char *wanted)
{
	static const char text[] = "towerify: 1\n"
	    "params: {a: {type: secret}, b: {type: secret}}\n"
	    "steps: [{run: 'c $a $b', undo: nothing}]\n";
	const size_t half = 32768;
	char *value = malloc(half + n);
	const struct tw_param_given g[] = {
		{ "a", 1, value, half, true },
		{ "b", 1, value, half + n, true },
	};
	struct tw_change_spec *s = good(text, strlen(text));
	struct tw_param_values v = { NULL, 0 };
	struct tw_diags ds = { 0 };
	char *said;

	ck_assert_ptr_nonnull(value);
	memset(value, 'x', half + n);
	tw_params_check(&s->params, g, 2, &ds, &v, NULL);
	said = problems(&ds);
	ck_assert_str_eq(said, wanted);
	free(said);
	free(value);
	tw_param_values_release(&v);
	tw_diags_release(&ds);
	tw_change_spec_free(s);
}

START_TEST(secrets_are_limited_together)
{
	check_secrets_size(0, "");
	check_secrets_size(1, "the secrets have 65537 bytes together, more "
	    "than 65536\n");
}
END_TEST

START_TEST(no_problem_of_a_secret_tells_it)
{
	char *large = malloc(65537);

	ck_assert_ptr_nonnull(large);
	memset(large, 'Z', 65537);
	memcpy(large, "Zq9", 3);
	check_secret("Zq9Z", 4, true, "");
	check_secret("Zq9\xc3\xa9", 5, true, "");
	check_secret("Zq9Z", 4, false, "parameter 'pw' is a secret: it would "
	    "show in ps\nhint: give it as -p pw@FILE or -p pw@-\n");
	check_secret("Zq9", 3, true, "parameter 'pw' must have at least 4 "
	    "characters\nhint: the key\n");
	check_secret("Zq9Zq9Z", 7, true, "parameter 'pw' must have at most 6 "
	    "characters\nhint: the key\n");
	check_secret("Zq9x", 4, true, "parameter 'pw' must match the pattern "
	    "'^[^x]*$'\nhint: the key\n");
	check_secret("Zq9\xff", 4, true, "parameter 'pw' is not UTF-8\n");
	check_secret("Zq9\0Z", 5, true, "parameter 'pw' holds a NUL byte\n");
	check_secret(large, 65537, true,
	    "parameter 'pw' is longer than 64 KiB\n");
	check_secret(large, 65537, false, "parameter 'pw' is a secret: it "
	    "would show in ps\nhint: give it as -p pw@FILE or -p pw@-\n");
	free(large);
}
END_TEST

START_TEST(a_value_needs_an_equals_sign)
{
	struct tw_param_given g;
	struct tw_err err;

	ck_assert_int_eq(tw_param_given_split("a\nb", &g, &err), TW_USAGE);
	ck_assert_str_eq(err.msg,
	    "parameter 'a\\x0ab' has no value: wanted NAME=VALUE");
	ck_assert_int_eq(tw_param_given_split("a=b=c", &g, &err), TW_OK);
	ck_assert_uint_eq(g.name_len, 1);
	ck_assert_str_eq(g.value, "b=c");
}
END_TEST

START_TEST(patterns_are_bounded_by_size_not_by_form)
{
	static const char *const fine[] = {
		"^[0-9]{1,3}(\\.[0-9]{1,3}){3}$", "[]{}]{9}", "[[:alpha:]{]+",
		"\\{2}", "(a{1,100}){1,90}", "[^]a]{1,}", "x{0,255}",
	};
	static const char *const wrong[] = {
		"[[:alpha:", "(a{100}){101}", "a{1", "\\", "(((",
		"[[.a", "a{2,1}", "\\(\\2",
	};
	struct tw_err err;
	regex_t re;
	size_t i;

	for (i = 0; i < sizeof fine / sizeof *fine; i++) {
		ck_assert_msg(tw_pattern_compile(fine[i], &re, &err) == TW_OK,
		    "%s: %s", fine[i], err.msg);
		regfree(&re);
	}
	for (i = 0; i < sizeof wrong / sizeof *wrong; i++)
		ck_assert_msg(tw_pattern_compile(wrong[i], &re, &err) ==
		    TW_DATA, "%s", wrong[i]);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		bad_definitions_are_refused,
		the_number_of_parameters_is_limited,
		given_values_are_checked_all_at_once,
		sizes_and_bytes_of_values_are_limited,
		no_problem_of_a_secret_tells_it,
		secrets_are_limited_together,
		a_value_needs_an_equals_sign,
		patterns_are_bounded_by_size_not_by_form,
	};

	return run_tests("param", tests, sizeof tests / sizeof *tests);
}
