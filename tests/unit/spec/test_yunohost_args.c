/* test_yunohost_args.c - YunoHost's catalogue: the arguments of an install */
#include "yunohost_util.h"

static struct tw_yunohost_catalog *questions(const char *install)
{
	struct tw_buf b = TW_BUF_INIT;
	struct tw_yunohost_catalog *c;

	tw_buf_addf(&b, "id = 'app'\n%s", install);
	c = good_with(tw_yunohost_manifest, tw_buf_str(&b), b.len);
	tw_buf_release(&b);
	return c;
}

#define GIVEN_MAX 20

/* What NAME=VALUE words, NULL-terminated, come to; problems when refused. */
static char *args_of(const struct tw_yunohost_app *a,
    const char *const *words, enum tw_status wanted)
{
	struct tw_param_given given[GIVEN_MAX];
	struct tw_buf out = TW_BUF_INIT;
	struct tw_diags ds = { 0 };
	struct tw_err err;
	size_t n = 0;
	char *said;

	for (; words[n]; n++)
		ck_assert_int_eq(tw_param_given_split(words[n], &given[n],
		    &err), TW_OK);
	ck_assert_int_eq(tw_yunohost_args(a, given, n, &ds, &out, &err),
	    wanted);
	if (wanted == TW_OK) {
		ck_assert_uint_eq(ds.n, 0);
		said = strdup(tw_buf_str(&out));
	} else {
		ck_assert_uint_eq(out.len, 0);
		said = problems(&ds);
	}
	tw_buf_release(&out);
	tw_diags_release(&ds);
	return said;
}

static void args_are(const char *install, const char *const *words,
    enum tw_status st, const char *wanted)
{
	struct tw_yunohost_catalog *c = questions(install);
	char *said = args_of(c->apps, words, st);

	ck_assert_str_eq(said, wanted);
	free(said);
	tw_yunohost_free(c);
}

#define ONE(type) "[install.x]\ntype = '" type "'\n"
#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define NONE ((const char *const[]){ NULL })

START_TEST(values_are_encoded_as_pythons_quote_does)
{
	args_are(ONE("string"), LIST("x=azAZ09_.-~/"), TW_OK,
	    "x=azAZ09_.-~/");
	args_are(ONE("string"), LIST("x=a b&c=d+e%f#g;h'\"\\"), TW_OK,
	    "x=a%20b%26c%3Dd%2Be%25f%23g%3Bh%27%22%5C");
	args_are(ONE("string"), LIST("x=\xc3\x89t\xc3\xa9"), TW_OK,
	    "x=%C3%89t%C3%A9");
	args_are(ONE("text"), LIST("x=a\n\tb"), TW_OK, "x=a%0A%09b");
	args_are("", NONE, TW_OK, "");
}
END_TEST

START_TEST(defaults_are_put_in)
{
	static const char install[] = "[install.b]\ntype = 'boolean'\n"
	    "default = true\n[install.a]\ndefault = 'x y'\n"
	    "[install.g]\ntype = 'group'\n[install.o]\noptional = true\n"
	    "[install.v]\nvisible = 'a == 1'\ndefault = 'z'\n"
	    "[install.n]\ntype = 'number'\ndefault = 3\n"
	    "[install.m]\ntype = 'markdown'\nask = 'Look'\n";

	args_are(install, NONE, TW_OK, "b=1&a=x%20y&n=3");
	args_are(install, LIST("n=4", "o=", "v=q", "b=no", "g=admins"), TW_OK,
	    "b=0&a=x%20y&g=admins&o=&v=q&n=4");
	/* Nothing but blanks is no answer to YunoHost either. */
	args_are(install, LIST("a= \t"), TW_OK, "b=1&a=x%20y&n=3");
}
END_TEST

START_TEST(all_problems_of_the_values_come_at_once)
{
	static const char install[] = "[install.domain]\ntype = 'domain'\n"
	    "[install.path]\ntype = 'path'\nask.en = 'Where?'\n"
	    "[install.admin]\ntype = 'user'\n"
	    "[install.note]\ntype = 'alert'\n"
	    "[install.name]\nask.en = 'Which name?'\n";

	args_are(install, LIST("domian=a.org", "path=x", "admin=a", "admin=b",
	    "note=1", "name="), TW_USAGE,
	    "app asks nothing called 'domian'\nhint: did you mean 'domain'?\n"
	    "admin is given twice\n"
	    "note is shown only and takes no value\n"
	    "app needs domain, of type domain\n"
	    "path must begin with '/'\nhint: Where?\n"
	    "name is empty\nhint: Which name?\n");
}
END_TEST

static const struct {
	const char *install;
	const char *good[6], *bad[8];
	const char *why;
} types[] = {
	{ ONE("domain"), { "a.org", "x-1.sub.example.co" },
	  { "a", "A.org", "-a.org", "a-.org", "a..org", ".a.org", "a.org.",
	    "https://a.org" },
	  "must be a domain in small letters, such as app.example.org" },
	{ ONE("path"), { "/", "/blog", "/a/b~c" }, { "blog", "blog/" },
	  "must begin with '/'" },
	{ ONE("path"), { "/a.b/..c" }, { "/a b", "//a", "/../a", "/a/..",
	  "/a/.", "/a/./b", "/\xc3\xa9" }, "must be a path of a URL without "
	  "blanks, '.', '..' or empty parts" },
	{ ONE("user"), { "alice", "a.b_1" }, { "Alice", "a b", "a-b" },
	  "must be a user of small letters, digits, '_' and '.'" },
	{ ONE("group"), { "visitors", "all_users" }, { "All", "a.b" },
	  "must be a group such as visitors, all_users or admins" },
	{ ONE("boolean"), { "1", "yes", "TRUE", "on", "no", "0" },
	  { "2", "ja", "truee" }, "must be yes or no" },
	{ ONE("number"), { "0", "42", "007" }, { "-1", "+1", "1.5", "a",
	  "1e3", "0x1", "9999999999999999999" },
	  "must be a whole number of digits alone" },
	{ ONE("range") "min = 5\n", { "5", "6" }, { "4", "0" },
	  "must be at least 5" },
	{ ONE("range") "max = 5\n", { "5", "0" }, { "6" },
	  "must be at most 5" },
	{ ONE("date"), { "2026-02-28", "2024-02-29", "2000-02-29" },
	  { "2026-02-29", "1900-02-29", "2026-13-01", "2026-00-10",
	    "2026-1-1", "2026-04-31", "28.02.2026" },
	  "must be a date such as 2026-02-28" },
	{ ONE("time"), { "00:00", "23:59" }, { "24:00", "7:30", "07:60",
	  "0730" }, "must be a time of day such as 07:30" },
	{ ONE("color"), { "#fff", "#00AAff" }, { "red", "#ffff", "#ggg" },
	  "must be a colour such as #0af or #00aaff" },
	{ ONE("email"), { "me@example.org", "a.b+c@x-y.org" },
	  { "me", "@a.org", "me@", "me@host", "a b@c.org", "a@b@c.org" },
	  "must be an address such as me@example.org" },
	{ ONE("url"), { "https://a.org", "http://localhost:8080/x?y#z" },
	  { "a.org", "ftp://a.org", "http://", "https:///x", "http://a b" },
	  "must be a URL with http:// or https://" },
	{ ONE("file"), { "/etc/x" }, { "x", "./x" },
	  "must be the absolute path of a file on the host" },
	{ ONE("select") "choices = ['a', 'b c', 3]\n", { "a", "b c", "3" },
	  { "A", "a,b", "d" }, "must be one of 'a', 'b c', '3'" },
	{ ONE("tags") "choices = ['a', 'b']\n", { "a", "a,b", "b , a ,", "," },
	  { "c", "a,c", "a b" },
	  "must be, with commas, some of 'a', 'b'" },
	{ ONE("tags"), { "x,y" }, { "a\nb" },
	  "must be one line without control characters" },
	{ ONE("app"), { "blog__2", "_none" }, { "Blog", "a b" },
	  "must be the id of an app on the host" },
	{ ONE("string"), { "x" }, { "a\nb", "a\x1b[2J", "\xe2\x80\xae" },
	  "must be one line without control characters" },
	{ ONE("string"), { "x" }, { "\xff", "a\xc3" }, "must be UTF-8" },
	{ ONE("text"), { "a\r\nb" }, { "a\x1b" },
	  "must have no control characters" },
	{ ONE("password"), { "12345678", "a b c d e" },
	  { "1234567", "abc", "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9" },
	  "must have 8 to 127 characters" },
	{ ONE("password"), { "12345678" }, { "12345678{", "}12345678" },
	  "must not have { or }" },
	{ ONE("password"), { "12345678" }, { " 12345678", "12345678 " },
	  "must not begin or end with a blank" },
	{ ONE("novel"), { "any \xc3\xa9" }, { "\x01" },
	  "must have no control characters" },
};

START_TEST(each_type_has_its_rule)
{
	const struct tw_yunohost_question *q;
	struct tw_yunohost_catalog *c;
	char why[TW_YUNOHOST_WHY_MAX], plain[TW_YUNOHOST_WHY_MAX];
	const char *said;
	size_t i;

	c = questions(types[_i].install);
	q = c->apps->questions;
	for (i = 0; i < 6 && types[_i].good[i]; i++)
		ck_assert_ptr_null(tw_yunohost_why_not(q, types[_i].good[i],
		    why));
	for (i = 0; i < 8 && types[_i].bad[i]; i++) {
		said = tw_yunohost_why_not(q, types[_i].bad[i], why);
		ck_assert_msg(said, "'%s' was taken", types[_i].bad[i]);
		tw_text_settle(plain, sizeof plain, said, false);
		ck_assert_str_eq(plain, types[_i].why);
	}
	tw_yunohost_free(c);
}
END_TEST

START_TEST(booleans_and_paths_have_one_form)
{
	args_are(ONE("boolean"), LIST("x=Yes"), TW_OK, "x=1");
	args_are(ONE("boolean"), LIST("x=off"), TW_OK, "x=0");
	args_are(ONE("boolean") "yes = 'enable'\nno = 'disable'\n",
	    LIST("x=Enable"), TW_OK, "x=1");
	args_are(ONE("boolean") "yes = 'enable'\nno = 'disable'\n",
	    LIST("x=disable"), TW_OK, "x=0");
	args_are(ONE("path"), LIST("x=/blog/"), TW_OK, "x=/blog");
	args_are(ONE("path"), LIST("x=/"), TW_OK, "x=/");
}
END_TEST

START_TEST(no_password_is_in_a_problem)
{
	static const char *const values[] = {
		"x=hunter2", "x={hunter2hunter2", "x= hunter2hunter2",
		"x=hunter2\nhunter2", "x=hunter2\xff",
	};
	struct tw_yunohost_catalog *c = questions(ONE("password"));
	char *said;
	size_t i;

	for (i = 0; i < sizeof values / sizeof *values; i++) {
		said = args_of(c->apps, LIST(values[i]), TW_USAGE);
		ck_assert_ptr_null(strstr(said, "hunter"));
		free(said);
	}
	said = args_of(c->apps, LIST("x=hunter2hunter2", "x=hunter3hunter3",
	    "y=hunter4"), TW_USAGE);
	ck_assert_str_eq(said, "x is given twice\napp asks nothing called "
	    "'y'\n");
	free(said);
	tw_yunohost_free(c);
}
END_TEST

START_TEST(an_app_whose_questions_are_unknown_is_refused)
{
	static const char text[] = "{\"apps\": {\"a\": {\"state\": \"working\", "
	    "\"git\": {\"url\": \"https://example.org/x\"}}}}";
	struct tw_yunohost_catalog *c = good_with(tw_yunohost_json, text,
	    sizeof text - 1);
	char *said = args_of(c->apps, NONE, TW_USAGE);

	ck_assert_str_eq(said, "what a asks is not known\n"
	    "hint: import a checkout that holds its manifest.toml\n");
	free(said);
	tw_yunohost_free(c);
}
END_TEST

START_TEST(a_nul_in_a_value_is_refused)
{
	const struct tw_param_given given = { "x", 1, "a\0b", 3, false };
	struct tw_yunohost_catalog *c = questions(ONE("string"));
	struct tw_buf out = TW_BUF_INIT;
	struct tw_diags ds = { 0 };
	struct tw_err err;

	ck_assert_int_eq(tw_yunohost_args(c->apps, &given, 1, &ds, &out,
	    &err), TW_USAGE);
	ck_assert_str_eq(err.msg, "x holds a NUL");
	tw_buf_release(&out);
	tw_diags_release(&ds);
	tw_yunohost_free(c);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("yunohost_args");
	TCase *c = tcase_create("yunohost_args");
	SRunner *sr;
	int failed;

	tcase_add_test(c, values_are_encoded_as_pythons_quote_does);
	tcase_add_test(c, defaults_are_put_in);
	tcase_add_test(c, all_problems_of_the_values_come_at_once);
	tcase_add_loop_test(c, each_type_has_its_rule, 0,
	    (int)(sizeof types / sizeof *types));
	tcase_add_test(c, booleans_and_paths_have_one_form);
	tcase_add_test(c, no_password_is_in_a_problem);
	tcase_add_test(c, an_app_whose_questions_are_unknown_is_refused);
	tcase_add_test(c, a_nul_in_a_value_is_refused);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
