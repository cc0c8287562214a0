/* test_app_compile.c - the actions of an app as changes */
#include "app_util.h"

static const char wiki[] =
    "towerify-app: 1\n"
    "app: wiki\n"
    "version: '2.0'\n"
    "params:\n"
    "  port: {type: integer, default: 8080}\n"
    "  pw: {type: secret, required: true}\n"
    "  tool: {type: secret}\n"
    "health: {tcp: '{{port}}', interval: 2s, timeout: 1m, successes: 3}\n"
    "exports: {url: 'http://x:{{port}}/{{app_instance}}', v: '\"'}\n"
    "deploy:\n"
    "  - {run: 'd \"$pw\"', undo: 'ud'}\n"
    "start:\n"
    "  - {run: sta, undo: sto}\n"
    "stop:\n"
    "  - {run: sto, undo: sta}\n"
    "upgrade:\n"
    "  - {run: 'up \"$app_from\"'}\n"
    "  - {run: up2, undo: uu}\n"
    "  - {run: up3, undo: impossible}\n"
    "undeploy:\n"
    "  - {run: down}\n"
    "backup:\n"
    "  - {run: save}\n"
    "  - {run: 'save2 $tool', undo: us}\n"
    "restore:\n"
    "  - {run: \"l 'l'\", timeout: 1h}\n"
    "  - {run: l2, check: c, timeout: 2h}\n"
    "  - {run: l3, unless: u, verify: v, retries: 3}\n"
    "  - {run: l4, verify: w}\n"
    "check:\n"
    "  - {run: look}\n";

struct compiled {
	struct tw_app_spec *app;
	struct tw_change_spec *change;
	struct tw_param_values values;
	struct tw_buf text, blob, shown;
};

static void compile(struct compiled *c, const char *file,
    const struct tw_app_act *act, const struct tw_param_given *given, size_t n)
{
	struct tw_diags ds = { 0 };
	struct tw_err err;
	char *said;
	long room;

	memset(c, 0, sizeof *c);
	c->app = good_app(file);
	ck_assert_int_eq(tw_app_compile(c->app, act, &c->change, &err), TW_OK);
	tw_params_check(&c->change->params, given, n, &ds, &c->values, &err);
	said = problems(&ds);
	ck_assert_str_eq(said, "");
	free(said);
	ck_assert_int_eq(tw_change_spec_fill(c->change, &c->values, &ds, &err),
	    TW_OK);
	ck_assert_int_eq(tw_program_make(c->change, &c->values, &c->text,
	    &c->blob, &room, &err), TW_OK);
	ck_assert(room > 0);
	tw_program_describe(c->change, &c->values, &c->shown);
	tw_buf_adds(&c->text, "");
}

static void release(struct compiled *c)
{
	tw_buf_release(&c->text);
	tw_buf_release(&c->blob);
	tw_buf_release(&c->shown);
	tw_param_values_release(&c->values);
	tw_change_spec_free(c->change);
	tw_app_spec_free(c->app);
}

/* The program, but for the text of the kind and of health's own step, which
 * are not of this file. */
static void program_is(const struct tw_app_act *act,
    const struct tw_param_given *given, size_t n, bool has_health,
    const char *wanted)
{
	struct compiled c;
	char *at, *end;

	compile(&c, wiki, act, given, n);
	at = strstr(tw_buf_str(&c.text), "s_kind wait ");
	ck_assert_int_eq(at != NULL, has_health);
	if (at) {
		end = strstr(at, "\ns_step 1 ") + 1;
		memmove(at, end, strlen(end) + 1);
		at = strstr(at, " 'health'\n");
		end = strstr(at, "\ns_end") + 1;
		at += strlen(" 'health'\n");
		memmove(at, end, strlen(end) + 1);
	}
	ck_assert_str_eq(tw_buf_str(&c.text), wanted);
	release(&c);
}

static const struct tw_param_given secrets[] = {
	{ "pw", 2, "hush hush", 9, true },
	{ "tool", 4, "hidden", 6, true },
};

#define OWN(from) "s_param app_instance 'w1'\ns_param app_version '2.0'\n" \
	"s_param app_from '" from "'\n"
#define BACKUP \
	"s_step 1 run 600 0 5 'backup 1'\ns_text 1 run 'save'\n" \
	"s_undo 1 nothing\n" \
	"s_step 2 run 600 0 5 'backup 2'\ns_text 2 run 'save2 $tool'\n" \
	"s_text 2 undo 'us'\ns_undo 2 script\ns_uses 2 tool\n"

START_TEST(deploy_ends_with_health)
{
	struct tw_app_act act = { TW_APP_DEPLOY, "w1", NULL, false };

	program_is(&act, secrets, 1, true, "s_param port '8080'\n" OWN("")
	    "s_secret pw\n"
	    "s_step 1 run 600 0 5 'deploy 1'\ns_text 1 run 'd \"$pw\"'\n"
	    "s_text 1 undo 'ud'\ns_undo 1 script\ns_uses 1 pw\n"
	    "s_step 2 run 91 0 0 'health'\ns_end 2\n");
}
END_TEST

START_TEST(start_and_stop)
{
	struct tw_app_act act = { TW_APP_START, "w1", NULL, false };

	program_is(&act, NULL, 0, true, "s_param port '8080'\n" OWN("")
	    "s_step 1 run 600 0 5 'start 1'\ns_text 1 run 'sta'\n"
	    "s_text 1 undo 'sto'\ns_undo 1 script\n"
	    "s_step 2 run 91 0 0 'health'\ns_end 2\n");
	act.action = TW_APP_STOP;
	program_is(&act, NULL, 0, false, "s_param port '8080'\n" OWN("")
	    "s_step 1 run 600 0 5 'stop 1'\ns_text 1 run 'sto'\n"
	    "s_text 1 undo 'sta'\ns_undo 1 script\ns_end 1\n");
}
END_TEST

START_TEST(an_upgrade_saves_first_and_knows_its_way_back)
{
	struct tw_app_act act = { TW_APP_UPGRADE, "w1", "1.0", false };

	program_is(&act, secrets + 1, 1, true, "s_param port '8080'\n"
	    OWN("1.0") "s_secret tool\n" BACKUP
	    "s_step 3 run 28200 0 0 'way back to what runs now'\n"
	    "s_text 3 run ':'\n"
	    "s_text 3 undo 'sh -euc '\\''l '\\''\\'\\'''\\''l'\\''\\'\\'''\\'''\\''\n"
	    "if ! sh -euc '\\''c'\\''; then\n"
	    "sh -euc '\\''l2'\\''\n"
	    "sh -euc '\\''c'\\''\n"
	    "fi\n"
	    "if ! sh -euc '\\''u'\\''; then\n"
	    "sh -euc '\\''l3'\\''\n"
	    "sh -euc '\\''v'\\''\n"
	    "fi\n"
	    "sh -euc '\\''l4'\\''\n"
	    "sh -euc '\\''w'\\''\n"
	    "'\n"
	    "s_undo 3 script\n"
	    "s_step 4 run 600 0 5 'upgrade 1'\n"
	    "s_text 4 run 'up \"$app_from\"'\ns_undo 4 nothing\n"
	    "s_step 5 run 600 0 5 'upgrade 2'\ns_text 5 run 'up2'\n"
	    "s_text 5 undo 'uu'\ns_undo 5 script\n"
	    "s_step 6 run 600 0 5 'upgrade 3'\ns_text 6 run 'up3'\n"
	    "s_undo 6 impossible\n"
	    "s_step 7 run 91 0 0 'health'\ns_end 7\n");
}
END_TEST

START_TEST(undeploy_saves_first_unless_told_not_to)
{
	struct tw_app_act act = { TW_APP_UNDEPLOY, "w1", NULL, false };

	program_is(&act, secrets + 1, 1, false, "s_param port '8080'\n" OWN("")
	    "s_secret tool\n" BACKUP
	    "s_step 3 run 600 0 5 'undeploy 1'\ns_text 3 run 'down'\n"
	    "s_undo 3 none\ns_end 3\n");
	act.no_backup = true;
	program_is(&act, NULL, 0, false, "s_param port '8080'\n" OWN("")
	    "s_step 1 run 600 0 5 'undeploy 1'\ns_text 1 run 'down'\n"
	    "s_undo 1 none\ns_end 1\n");
}
END_TEST

START_TEST(backup_restore_and_check)
{
	struct tw_app_act act = { TW_APP_BACKUP, "w1", NULL, false };

	program_is(&act, secrets + 1, 1, false, "s_param port '8080'\n" OWN("")
	    "s_secret tool\n" BACKUP "s_end 2\n");
	act.action = TW_APP_RESTORE;
	program_is(&act, NULL, 0, true, "s_param port '8080'\n" OWN("")
	    "s_step 1 run 3600 0 5 'restore 1'\n"
	    "s_text 1 run 'l '\\''l'\\'''\ns_undo 1 none\n"
	    "s_step 2 run 7200 0 5 'restore 2'\ns_text 2 check 'c'\n"
	    "s_text 2 run 'l2'\ns_undo 2 none\n"
	    "s_step 3 run 600 3 5 'restore 3'\ns_text 3 unless 'u'\n"
	    "s_text 3 verify 'v'\ns_text 3 run 'l3'\ns_undo 3 none\n"
	    "s_step 4 run 600 0 5 'restore 4'\ns_text 4 verify 'w'\n"
	    "s_text 4 run 'l4'\ns_undo 4 none\n"
	    "s_step 5 run 91 0 0 'health'\ns_end 5\n");
	act.action = TW_APP_CHECK;
	program_is(&act, NULL, 0, true, "s_param port '8080'\n" OWN("")
	    "s_step 1 run 600 0 5 'check 1'\ns_text 1 run 'look'\n"
	    "s_undo 1 nothing\n"
	    "s_step 2 run 91 0 0 'health'\ns_end 2\n");
}
END_TEST

START_TEST(health_asks_what_it_was_told)
{
	static const struct tw_param_given port = { "port", 4, "99", 2, true };
	struct tw_app_act act = { TW_APP_START, NULL, NULL, false };
	struct compiled c;

	compile(&c, wiki, &act, &port, 1);
	ck_assert_ptr_nonnull(strstr(c.text.data, "\ns_arg 2 port '99'\n"));
	ck_assert_ptr_nonnull(strstr(c.text.data, "\ns_arg 2 interval '2'\n"));
	ck_assert_ptr_nonnull(strstr(c.text.data, "\ns_arg 2 seconds '60'\n"));
	ck_assert_ptr_nonnull(strstr(c.text.data, "\ns_arg 2 patience '5'\n"));
	ck_assert_ptr_nonnull(strstr(c.text.data, "\ns_arg 2 in_a_row '3'\n"));
	ck_assert_ptr_nonnull(strstr(c.text.data,
	    "\ns_param app_instance 'wiki'\n"));
	ck_assert_ptr_nonnull(strstr(c.shown.data,
	    "step 2: health\n    wait\n        port: 99\n"
	    "        seconds: 60\n        interval: 2\n"
	    "        in_a_row: 3\n    undo: nothing\n    timeout 1m31s\n"));
	ck_assert_str_eq(c.change->title, "start wiki 2.0");
	release(&c);
	act.action = TW_APP_DEPLOY;
	compile(&c, APP LIFE "health: {command: 'a; b'}\n", &act, NULL, 0);
	ck_assert_ptr_nonnull(strstr(c.text.data,
	    "\ns_arg 2 command 'a; b'\n"));
	ck_assert_ptr_nonnull(strstr(c.text.data, "\ns_arg 2 in_a_row '1'\n"));
	ck_assert_ptr_nonnull(strstr(c.text.data, "\ns_step 2 run 76 "));
	release(&c);
	compile(&c, APP LIFE "health: {http: 'https://[::1]/x', status: 401,\n"
	    "  timeout: 12h, successes: 1000, interval: 1h}\n", &act, NULL, 0);
	ck_assert_ptr_nonnull(strstr(c.text.data,
	    "\ns_arg 2 http 'https://[::1]/x'\n"));
	ck_assert_ptr_nonnull(strstr(c.text.data, "\ns_arg 2 status '401'\n"));
	ck_assert_ptr_nonnull(strstr(c.text.data, "\ns_step 2 run 86400 "));
	release(&c);
	compile(&c, APP LIFE "health: {tcp: 80, host: db.local}\n", &act, NULL,
	    0);
	ck_assert_ptr_nonnull(strstr(c.text.data, "\ns_arg 2 port '80'\n"));
	ck_assert_ptr_nonnull(strstr(c.text.data, "\ns_arg 2 host 'db.local'\n"));
	release(&c);
}
END_TEST

START_TEST(without_restore_an_upgrade_is_what_its_steps_say)
{
	struct tw_app_act act = { TW_APP_UPGRADE, NULL, "0.9", false };
	struct compiled c;

	compile(&c, APP LIFE "upgrade:\n  - {run: up}\n", &act, NULL, 0);
	ck_assert_ptr_nonnull(strstr(c.text.data,
	    "s_step 1 run 600 0 5 'upgrade 1'\ns_text 1 run 'up'\n"
	    "s_undo 1 none\ns_end 1\n"));
	ck_assert_str_eq(c.change->title, "upgrade wiki to 1.0");
	release(&c);
}
END_TEST

START_TEST(what_an_app_cannot_do)
{
	struct tw_app_act act = { TW_APP_STOP, "w", NULL, false };
	struct tw_app_spec *app = good_app(APP LIFE);
	struct tw_change_spec *change;
	struct tw_err err;

	ck_assert_int_eq(tw_app_compile(app, &act, &change, &err), TW_NO);
	ck_assert_ptr_null(change);
	ck_assert_str_eq(err.msg, "wiki 1.0 has no 'stop'");
	tw_app_spec_free(app);
}
END_TEST

/* Secrets are asked for where a step needs them, and what is set for every app
 * nobody can set otherwise. */
START_TEST(an_action_asks_for_its_own_parameters)
{
	static const struct tw_param_given other = { "app_instance", 12, "x",
	    1, true };
	struct tw_app_act act = { TW_APP_DEPLOY, "w1", NULL, false };
	struct tw_app_spec *app = good_app(wiki);
	struct tw_param_values values;
	struct tw_change_spec *change;
	struct tw_diags ds = { 0 };
	const char *names[2];
	char *said;

	ck_assert_int_eq(tw_app_compile(app, &act, &change, NULL), TW_OK);
	ck_assert_uint_eq(tw_change_spec_secrets(change, names, 2), 1);
	ck_assert_str_eq(names[0], "pw");
	ck_assert_int_eq(tw_params_check(&change->params, &other, 1, &ds,
	    &values, NULL), TW_USAGE);
	said = problems(&ds);
	ck_assert_str_eq(said, "parameter 'app_instance' must be one of 'w1', "
	    "not 'x'\nparameter 'pw' is required\n");
	free(said);
	tw_diags_release(&ds);
	tw_change_spec_free(change);
	act.action = TW_APP_STOP;
	ck_assert_int_eq(tw_app_compile(app, &act, &change, NULL), TW_OK);
	ck_assert_uint_eq(tw_change_spec_secrets(change, names, 2), 0);
	tw_change_spec_free(change);
	tw_app_spec_free(app);
}
END_TEST

START_TEST(a_secret_stands_nowhere)
{
	struct tw_app_act act = { TW_APP_DEPLOY, "w1", NULL, false };
	struct compiled c;

	compile(&c, wiki, &act, secrets, 1);
	ck_assert_ptr_null(strstr(c.text.data, "hush"));
	ck_assert_ptr_null(strstr(c.shown.data, "hush"));
	ck_assert_ptr_nonnull(strstr(c.shown.data, "    pw=(secret)\n"));
	release(&c);
}
END_TEST

START_TEST(exports_take_the_values)
{
	struct tw_app_spec *app = good_app(wiki);
	struct tw_buf b = TW_BUF_INIT;

	ck_assert_int_eq(tw_app_exports(app, "w1", "{\"port\":\"99\"}", &b,
	    NULL), TW_OK);
	ck_assert_str_eq(b.data, "{\"url\":\"http://x:99/w1\",\"v\":\"\\\"\"}");
	tw_buf_reset(&b);
	ck_assert_int_eq(tw_app_exports(app, "w2", "{\"old\":\"1\"}", &b,
	    NULL), TW_OK);
	ck_assert_str_eq(b.data,
	    "{\"url\":\"http://x:8080/w2\",\"v\":\"\\\"\"}");
	tw_buf_reset(&b);
	ck_assert_int_eq(tw_app_exports(app, NULL, NULL, &b, NULL), TW_OK);
	ck_assert_str_eq(b.data,
	    "{\"url\":\"http://x:{{port}}/{{app_instance}}\",\"v\":\"\\\"\"}");
	tw_buf_release(&b);
	tw_app_spec_free(app);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		deploy_ends_with_health,
		start_and_stop,
		an_upgrade_saves_first_and_knows_its_way_back,
		undeploy_saves_first_unless_told_not_to,
		backup_restore_and_check,
		health_asks_what_it_was_told,
		without_restore_an_upgrade_is_what_its_steps_say,
		what_an_app_cannot_do,
		an_action_asks_for_its_own_parameters,
		a_secret_stands_nowhere,
		exports_take_the_values,
	};
	int status;

	if (!open_kinds())
		return EXIT_FAILURE;
	status = run_tests("app_compile", tests, sizeof tests / sizeof *tests);
	tw_kinds_free(kinds);
	return status;
}
