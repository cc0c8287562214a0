/* test_yunohost_compile.c - an app of YunoHost's catalogue as an app file */
#include "yunohost_util.h"

#include "spec/yunohost_compile.h"

static struct tw_kinds *kinds;

static void open_kinds(void)
{
	const char *top = getenv("abs_top_srcdir");
	const char *dirs[] = { NULL, NULL };
	static char dir[4096];

	snprintf(dir, sizeof dir, "%s/share/kinds", top ? top : ".");
	dirs[0] = dir;
	ck_assert_int_eq(tw_kinds_new(dirs, &kinds, NULL), TW_OK);
}

static void close_kinds(void)
{
	tw_kinds_free(kinds);
}

/* What the state would keep of a row with that detail. */
static struct tw_yunohost_catalog *stored(const char *detail)
{
	const struct tw_yunohost_row row = { .id = "blog", .name = "A \"blog\"",
	    .version = "2.1~ynh3", .description = "It\nblogs: {{all}} day",
	    .state = "working", .archs = "amd64,arm64,other", .level = 8,
	    .detail = detail };
	struct tw_yunohost_catalog *c;
	struct tw_err err;

	ck_assert_msg(tw_yunohost_stored(&row, &c, &err) == TW_OK, "%s",
	    err.msg);
	return c;
}

/* Its file, read; *text is the caller's to release. */
static struct tw_app_spec *compiled(const struct tw_yunohost_app *a,
    const struct tw_yunohost_act *act, struct tw_buf *text)
{
	struct tw_spec_reader reader = { .kinds = kinds };
	struct tw_diags ds = { .file = "f" };
	struct tw_app_spec *app = NULL;
	struct tw_err err;
	char *said;

	ck_assert_int_eq(tw_yunohost_compile(a, act, text, &err), TW_OK);
	tw_app_spec_parse(tw_buf_str(text), text->len, &reader, &ds, &app,
	    &err);
	said = problems(&ds);
	ck_assert_str_eq(said, "");
	ck_assert_ptr_nonnull(app);
	free(said);
	tw_diags_release(&ds);
	return app;
}

static const struct tw_yunohost_act deploy = { .action = TW_APP_DEPLOY,
	.instance = "blog" };

#define DETAIL \
	"{\"url\":\"https://example.org/blog_ynh\",\"branch\":\"main\"," \
	"\"disk\":52428800,\"ram_build\":104857600,\"ram_runtime\":1048576," \
	"\"multi_instance\":true,\"questions\":[" \
	"{\"id\":\"note\",\"type\":\"display_text\",\"ask\":\"Read\"}," \
	"{\"id\":\"domain\",\"type\":\"domain\"}," \
	"{\"id\":\"path\",\"type\":\"path\",\"default\":\"/b\"}," \
	"{\"id\":\"Pass-Word\",\"type\":\"password\",\"ask\":\"Wei\\u00df " \
	"\\ud83d\\ude00 \\\"?\\\"\"}," \
	"{\"id\":\"arg_id\",\"type\":\"string\",\"optional\":true}," \
	"{\"id\":\"app_version\",\"type\":\"string\",\"default\":\"a\\\\b\\n{{c}}\"}," \
	"{\"id\":\"on\",\"type\":\"boolean\",\"default\":\"1\"}," \
	"{\"id\":\"n\",\"type\":\"number\",\"min\":1,\"max\":9,\"default\":\"5\"}," \
	"{\"id\":\"m\",\"type\":\"number\",\"min\":1,\"default\":\"many\"}," \
	"{\"id\":\"lang\",\"type\":\"string\",\"choices\":[\"en\",\"a'b\",\"en\"]," \
	"\"default\":\"en\"}," \
	"{\"id\":\"sort\",\"type\":\"select\",\"choices\":[\"x\"],\"default\":\"y\"}," \
	"{\"id\":\"later\",\"type\":\"date\",\"default\":\"2026-01-01\"," \
	"\"conditional\":true}]}"

START_TEST(every_question_is_a_parameter)
{
	static const char *const wanted[] = { "domain string required",
		"path string /b", "q4_pass_word secret required",
		"q5_arg_id string", "q6_app_version string a\\b\n{{c}}",
		"on boolean true", "n integer 5", "m string many",
		"lang enum en", "sort string y", "later string" };
	static const char *const types[] = { "string", "integer", "boolean",
		"enum", "secret" };
	struct tw_yunohost_catalog *c = stored(DETAIL);
	struct tw_buf text = TW_BUF_INIT;
	struct tw_app_spec *app = compiled(c->apps, &deploy, &text);
	const struct tw_params *p = &app->params;
	char line[200];
	size_t i;

	ck_assert_uint_eq(p->n, sizeof wanted / sizeof *wanted);
	for (i = 0; i < p->n; i++) {
		snprintf(line, sizeof line, "%s %s%s%s", p->v[i].name,
		    types[p->v[i].type], p->v[i].required ? " required" :
		    p->v[i].fallback ? " " : "",
		    p->v[i].fallback ? p->v[i].fallback : "");
		ck_assert_str_eq(line, wanted[i]);
	}
	ck_assert_str_eq(p->v[2].description, "Wei\xc3\x9f \xf0\x9f\x98\x80 "
	    "\"?\"");
	ck_assert_str_eq(app->title, "A \"blog\"");
	ck_assert_str_eq(app->description, "It\nblogs: {{all}} day");
	tw_app_spec_free(app);
	tw_buf_release(&text);
	tw_yunohost_free(c);
}
END_TEST

START_TEST(the_steps_are_those_of_the_kinds)
{
	struct tw_yunohost_catalog *c = stored(DETAIL);
	struct tw_buf text = TW_BUF_INIT, all = TW_BUF_INIT;
	struct tw_app_spec *app = compiled(c->apps, &deploy, &text);

	ck_assert_ptr_nonnull(strstr(tw_buf_str(&text), "requires: {os: "
	    "debian, systemd: true, root: true, arch: [x86_64, aarch64], "
	    "memory: 100M, disk: 50M}\n"));
	ck_assert_ptr_nonnull(strstr(tw_buf_str(&text), "args: \"domain="
	    "{{domain}}&path={{path}}&Pass-Word={{q4_pass_word}}&arg_id="));
	ck_assert_uint_eq(app->actions[TW_APP_DEPLOY].n, 1);
	ck_assert_ptr_nonnull(strstr(app->whole->steps[0].use->text,
	    "\noperate() {"));
	ck_assert(tw_step_spec_names(&app->whole->steps[0], "q4_pass_word"));
	tw_app_spec_free(app);
	tw_buf_release(&text);
	tw_buf_release(&all);
	tw_yunohost_free(c);
}
END_TEST

START_TEST(what_an_instance_keeps_is_optional)
{
	static const char *const kept[] = { "domain", "title" };
	const struct tw_yunohost_act act = { .action = TW_APP_UPGRADE,
		.instance = "blog__2", .kept = kept, .nkept = 2 };
	const struct tw_yunohost_act undeploy = { .action = TW_APP_UNDEPLOY,
		.instance = "blog__2", .no_backup = true };
	struct tw_yunohost_catalog *c = stored(NULL);
	struct tw_buf text = TW_BUF_INIT;
	struct tw_app_spec *app = compiled(c->apps, &act, &text);

	ck_assert_uint_eq(app->params.n, 2);
	ck_assert(!app->params.v[0].required && !app->params.v[1].required);
	ck_assert_ptr_null(strstr(tw_buf_str(&text), "args:"));
	tw_app_spec_free(app);
	tw_buf_release(&text);
	app = compiled(c->apps, &undeploy, &text);
	ck_assert_ptr_nonnull(strstr(tw_buf_str(&text), "    undo: impossible\n"
	    "    yunohost-app: {id: blog__2, state: absent, backup: false}\n"));
	tw_app_spec_free(app);
	tw_buf_release(&text);
	tw_yunohost_free(c);
}
END_TEST

static void given_are(const struct tw_yunohost_app *a,
    const char *const *words, const char *wanted)
{
	struct tw_param_given given[20], out[20];
	struct tw_buf said = TW_BUF_INIT;
	struct tw_diags ds = { 0 };
	size_t n = 0, nout, i;
	enum tw_status st;
	struct tw_err err;

	for (; words[n]; n++)
		ck_assert_int_eq(tw_param_given_split(words[n], &given[n],
		    &err), TW_OK);
	st = tw_yunohost_given(a, given, n, &ds, out, &nout, &err);
	for (i = 0; i < nout; i++)
		tw_buf_addf(&said, "%.*s=%.*s ", (int)out[i].name_len,
		    out[i].name, (int)out[i].len, out[i].value);
	if (st != TW_OK)
		tw_diags_print(&ds, &said);
	ck_assert_str_eq(tw_buf_str(&said), wanted);
	ck_assert_int_eq(st, ds.n ? TW_USAGE : TW_OK);
	tw_buf_release(&said);
	tw_diags_release(&ds);
}
#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

START_TEST(values_are_judged_by_the_questions)
{
	struct tw_yunohost_catalog *c = stored(DETAIL);

	given_are(c->apps, WORDS("domain=a.org", "on=Yes", "q5_arg_id= ",
	    "q4_pass_word=a long one", "n=3"),
	    "domain=a.org on=true q4_pass_word=a long one n=3 ");
	given_are(c->apps, WORDS("domain=A", "on=perhaps", "arg_id=x", "n=10",
	    "q4_pass_word=short", "lang=de", "note=x"),
	    "blog asks nothing called 'arg_id'\nhint: did you mean "
	    "'q5_arg_id'?\nnote is shown only and takes no value\n"
	    "domain must be a domain in small letters, such as "
	    "app.example.org\n"
	    "q4_pass_word must have 8 to 127 characters\nhint: "
	    "Wei\xc3\x9f \xf0\x9f\x98\x80 \"?\"\n"
	    "on must be yes or no\nn must be at most 9\n"
	    "lang must be one of 'en', 'a'b', 'en'\n");
	tw_yunohost_free(c);
}
END_TEST

static void refused(enum tw_status st, const struct tw_err *err,
    const char *wanted)
{
	ck_assert_int_eq(st, TW_NO);
	ck_assert_str_eq(err->msg, wanted);
}

START_TEST(instances_have_yunohosts_names)
{
	static const char *const bad[] = { "shop", "blog2", "blog__1",
		"blog__0", "blog__02", "blog__", "blog__x", "blog__12345" };
	struct tw_yunohost_catalog *c = stored(DETAIL);
	struct tw_err err;
	size_t i;

	ck_assert_int_eq(tw_yunohost_instance_check(c->apps, "blog", &err),
	    TW_OK);
	ck_assert_int_eq(tw_yunohost_instance_check(c->apps, "blog__10",
	    &err), TW_OK);
	for (i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_int_eq(tw_yunohost_instance_check(c->apps, bad[i],
		    &err), TW_NO);
	c->apps->multi_instance = false;
	refused(tw_yunohost_instance_check(c->apps, "blog__2", &err), &err,
	    "blog can be on a host only once");
	tw_yunohost_free(c);
}
END_TEST

START_TEST(what_needs_a_person_is_refused)
{
	struct tw_yunohost_catalog *c = stored(DETAIL);
	struct tw_err err;

	ck_assert_int_eq(tw_yunohost_install_check(c->apps, &err), TW_OK);
	c->apps->level = 4;
	refused(tw_yunohost_install_check(c->apps, &err), &err, "YunoHost "
	    "would ask a person before it installs blog: its state is "
	    "working, its level 4");
	c->apps->has_questions = false;
	refused(tw_yunohost_install_check(c->apps, &err), &err, "what blog "
	    "asks is not known: YunoHost's list of apps does not say");
	ck_assert_str_eq(err.hint, "curl -fsSL https://example.org/blog_ynh"
	    "/raw/main/manifest.toml | towerify-app add -");
	tw_yunohost_free(c);
}
END_TEST

START_TEST(what_no_import_wrote_is_refused)
{
	static const char *const bad[] = { "[]", "{", "{\"questions\":1}",
		"{\"questions\":[{\"id\":\"a b\"}]}", "{\"questions\":[1]}",
		"{\"disk\":\"x\"}" };
	struct tw_yunohost_row row = { .id = "blog", .level = -1 };
	struct tw_yunohost_catalog *c;
	struct tw_err err;
	size_t i;

	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		row.detail = bad[i];
		ck_assert_int_eq(tw_yunohost_stored(&row, &c, &err),
		    TW_CONFIG);
		ck_assert_ptr_null(c);
	}
	row.detail = "{}";
	ck_assert_int_eq(tw_yunohost_stored(&row, &c, &err), TW_OK);
	ck_assert(!c->apps->has_questions);
	refused(tw_yunohost_compile(c->apps, &deploy, &(struct tw_buf){ 0 },
	    &err), &err,
	    "blog has no version that can be told apart from others");
	tw_yunohost_free(c);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("yunohost_compile");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, open_kinds, close_kinds);
	tcase_add_test(t, every_question_is_a_parameter);
	tcase_add_test(t, the_steps_are_those_of_the_kinds);
	tcase_add_test(t, what_an_instance_keeps_is_optional);
	tcase_add_test(t, values_are_judged_by_the_questions);
	tcase_add_test(t, instances_have_yunohosts_names);
	tcase_add_test(t, what_needs_a_person_is_refused);
	tcase_add_test(t, what_no_import_wrote_is_refused);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
