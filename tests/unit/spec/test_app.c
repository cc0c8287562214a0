/* test_app.c - app files: what is read of them, and what is refused */
#include "app_util.h"

/* --- good ones ------------------------------------------------------------ */

static const char whole[] =
    "towerify-app: 1\n"
    "app: wiki\n"
    "version: 1.10\n"
    "title: A wiki\n"
    "description: |\n"
    "  Pages that all\n"
    "  may change.\n"
    "params:\n"
    "  domain: {type: string, required: true}\n"
    "  port: {type: integer, default: 8080}\n"
    "  pw: {type: secret, required: true}\n"
    "requires: {os: debian, os_version: ['12', 13], arch: x86_64,\n"
    "  memory: 512M, disk: 2G, systemd: true, root: true}\n"
    "exports:\n"
    "  url: https://{{domain}}:{{ port }}/{{app_instance}}\n"
    "  plain: x\n"
    "health: {http: 'http://127.0.0.1:{{port}}/', interval: 2s,\n"
    "  timeout: 1m, successes: 3, status: 204}\n"
    "defaults: {timeout: 2m}\n"
    "deploy:\n"
    "  - run: 'install \"$pw\"'\n"
    "    undo: remove\n"
    "  - package: {name: nginx}\n"
    "start:\n"
    "  - service: {name: wiki, state: running}\n"
    "stop:\n"
    "  - name: stopped\n"
    "    service: {name: wiki, state: stopped}\n"
    "upgrade:\n"
    "  - run: up\n"
    "undeploy:\n"
    "  - run: down\n"
    "backup:\n"
    "  - run: save\n"
    "restore:\n"
    "  - run: load\n"
    "check:\n"
    "  - run: look\n";

START_TEST(a_whole_file_is_read)
{
	struct tw_app_spec *a;
	size_t i;

	a = good_app(whole);
	ck_assert_str_eq(a->app, "wiki");
	ck_assert_str_eq(a->version, "1.10");
	ck_assert_str_eq(a->title, "A wiki");
	ck_assert_str_eq(a->description, "Pages that all\nmay change.\n");
	ck_assert_uint_eq(a->params.n, 3);
	ck_assert_str_eq(a->params.v[2].name, "pw");
	ck_assert_str_eq(a->requires.os[0], "debian");
	ck_assert_str_eq(a->requires.os_version[1], "13");
	ck_assert_ptr_null(a->requires.os_version[2]);
	ck_assert_int_eq(a->requires.memory_kb, 512 * 1024);
	ck_assert_int_eq(a->requires.disk_kb, 2 * 1024 * 1024);
	ck_assert(a->requires.systemd && a->requires.root);
	ck_assert_uint_eq(a->nexports, 2);
	ck_assert_str_eq(a->exports[1].name, "plain");
	ck_assert_str_eq(a->health.use->name, "wait");
	ck_assert_uint_eq(a->whole->nsteps, 9);
	for (i = 0; i < TW_APP_ACTIONS; i++)
		ck_assert_uint_eq(a->actions[i].n, i == 0 ? 2 : 1);
	ck_assert_str_eq(a->whole->steps[1].name, "deploy 2");
	ck_assert_int_eq(a->whole->steps[1].timeout_ms, 120000);
	ck_assert_str_eq(a->whole->steps[3].name, "stopped");
	tw_app_spec_free(a);
	tw_app_spec_free(NULL);
}
END_TEST

START_TEST(little_is_enough)
{
	struct tw_app_spec *a = good_app(APP LIFE);

	ck_assert_str_eq(a->title, "");
	ck_assert_str_eq(a->description, "");
	ck_assert_uint_eq(a->params.n, 0);
	ck_assert_ptr_null(a->health.use);
	ck_assert_uint_eq(a->actions[TW_APP_STOP].n, 0);
	tw_app_spec_free(a);
}
END_TEST

START_TEST(names_and_versions)
{
	ck_assert(tw_app_name_ok("nginx-site"));
	ck_assert(!tw_app_name_ok("a@b"));
	ck_assert(!tw_app_name_ok("a2345678901234567890123456789012"
	    "345678901234567890123456789012345"));
	ck_assert(tw_app_version_ok("1.0"));
	ck_assert(tw_app_version_ok("2024.01~ynh1"));
	ck_assert(tw_app_version_ok("1:2.3+dfsg-1_a"));
	ck_assert(!tw_app_version_ok(""));
	ck_assert(!tw_app_version_ok("-1"));
	ck_assert(!tw_app_version_ok("1 0"));
	ck_assert(!tw_app_version_ok("1.0/2"));
	ck_assert(tw_app_version_ok(
	    "123456789012345678901234567890123456789012345678"));
	ck_assert(!tw_app_version_ok(
	    "1234567890123456789012345678901234567890123456789"));
}
END_TEST

/* --- bad ones ------------------------------------------------------------- */

#define KNOWN "hint: known here: towerify-app, app, version, title, " \
	"description, params, requires, exports, health, defaults, deploy, " \
	"start, stop, upgrade, undeploy, backup, restore, check\n"

START_TEST(the_top_level_is_strict)
{
	app_is("- x\n", "f:1:1: the file must be a mapping ('key: value'), not "
	    "a list\n");
	app_is("title: x\n",
	    "f:1:1: the version is missing\n"
	    "hint: begin the file with `towerify-app: 1`\n"
	    "f:1:1: 'app' is missing\n"
	    "f:1:1: 'version' is missing\n"
	    "f:1:1: 'deploy' is missing: an app needs a list of steps there\n"
	    "f:1:1: 'undeploy' is missing: an app needs a list of steps "
	    "there\n");
	app_is("towerify-app: 2\nfuture: x\n",
	    "f:1:15: version '2' of the app file is not known here\n"
	    "hint: this version reads `towerify-app: 1`\n");
	app_is("towerify-app: 1\napp: a@b\nversion: 1 0\ntitle: ''\n"
	    "dploy: x\nsteps: []\n" LIFE,
	    "f:2:6: 'a@b' cannot be the name of an app\n"
	    "hint: letters, digits and . _ -, a letter or digit first, at most "
	    "64\n"
	    "f:3:10: '1 0' cannot be the version of an app\n"
	    "hint: letters, digits and . + ~ : _ -, a letter or digit first, "
	    "at most 48\n"
	    "f:4:8: title is empty\n"
	    "f:5:1: unknown key 'dploy' in the file\n"
	    "hint: did you mean 'deploy'?\n"
	    "f:6:1: unknown key 'steps' in the file\n"
	    KNOWN);
	app_is("towerify: 1\nsteps:\n  - run: x\n",
	    "f:1:1: the version is missing\n"
	    "hint: begin the file with `towerify-app: 1`\n"
	    "f:1:1: unknown key 'towerify' in the file\n"
	    "hint: did you mean 'towerify-app'?\n"
	    "f:1:1: 'app' is missing\n"
	    "f:1:1: 'version' is missing\n"
	    "f:1:1: 'deploy' is missing: an app needs a list of steps there\n"
	    "f:1:1: 'undeploy' is missing: an app needs a list of steps there\n"
	    "f:2:1: unknown key 'steps' in the file\n" KNOWN);
}
END_TEST

START_TEST(lists_are_those_of_a_change_file)
{
	app_is(APP "deploy: []\nundeploy: x\nstart:\n  - rum: x\n"
	    "stop:\n  - run: 'if'\n  - run: x\n    reboot: {}\n"
	    "defaults: {timeout: 5}\n",
	    "f:4:9: deploy is empty\n"
	    "f:5:11: undeploy must be a list ('- '), not a text\n"
	    "f:7:5: unknown key 'rum' in a step\nhint: did you mean 'run'?\n"
	    "f:9:10: run: syntax error: end of file unexpected (expecting "
	    "\"then\")\n"
	    "f:11:5: a step takes only one of run, file, reboot and step "
	    "kinds\nhint: make it two steps\n"
	    "f:12:21: timeout must be a duration, not '5'\n"
	    "hint: a duration needs a unit: 90s, 10m, 2h\n");
	app_is(APP LIFE "restore:\n  - run: x\n  - reboot: {}\n"
	    "  - directory: {path: /x}\nbackup:\n  - run: x\n",
	    "f:10:5: restore takes run steps only: the rollback of an upgrade "
	    "is made of them\nhint: write what it does as commands\n"
	    "f:11:5: restore takes run steps only: the rollback of an upgrade "
	    "is made of them\nhint: write what it does as commands\n");
	app_is(APP LIFE "restore:\n  - run: x\n",
	    "f:9:3: 'restore' without 'backup': nothing would make what it "
	    "puts back\n");
}
END_TEST

START_TEST(a_file_has_only_so_many_steps)
{
	struct tw_buf b = TW_BUF_INIT;
	int i;

	tw_buf_adds(&b, APP LIFE "start:\n");
	for (i = 0; i < 998; i++)
		tw_buf_adds(&b, "  - reboot: {}\n");
	app_is(tw_buf_str(&b), "");
	tw_buf_adds(&b, "stop:\n  - reboot: {}\n");
	app_is(tw_buf_str(&b),
	    "f:7:3: 1001 steps, more than 1000\n");
	tw_buf_release(&b);
}
END_TEST

START_TEST(parameters_of_every_app_are_taken)
{
	struct tw_buf b = TW_BUF_INIT;
	int i;

	app_is(APP LIFE "params:\n  app_from: {type: string}\n"
	    "  app_x: {type: string}\n",
	    "f:9:3: every app has the parameter 'app_from'\n"
	    "hint: rename it\n");
	tw_buf_adds(&b, APP LIFE "params:\n");
	for (i = 0; i < 254; i++)
		tw_buf_addf(&b, "  p%d: {type: string}\n", i);
	app_is(tw_buf_str(&b), "f:9:3: 254 parameters, more than 253\n");
	tw_buf_release(&b);
}
END_TEST

START_TEST(a_secret_must_reach_a_step)
{
	app_is(APP LIFE "params:\n  pw: {type: secret}\n",
	    "f:9:3: no step uses secret 'pw'\n"
	    "hint: name it in a command, as \"$pw\"\n");
	app_is(APP LIFE "params:\n  pw: {type: secret}\n"
	    "health: {command: 'ask \"$pw\"'}\n", "");
}
END_TEST

START_TEST(bad_exports_are_refused)
{
	app_is(APP LIFE "params:\n  pw: {type: secret}\n"
	    "stop:\n  - run: 'x $pw'\n"
	    "exports:\n  url: 'x{{domian}}'\n  Bad: x\n  no: {{pw}}\n"
	    "  s: '{{pw}}'\n  f: '{{fact.ip}}'\n  e: ''\n  o: '{{'\n",
	    "f:13:8: unknown parameter 'domian'\n"
	    "f:14:3: 'Bad' cannot name an export\n"
	    "hint: small letters, digits and '_', a letter first, at most 31\n"
	    "f:15:7: no must be text, not a mapping\n"
	    "f:15:8: a key must be text, not a mapping\n"
	    "f:16:6: secret 'pw' cannot stand in an argument: it would be "
	    "stored\nhint: a secret goes into a template, or into the "
	    "environment of a command\n"
	    "f:17:6: unknown fact 'ip'\n"
	    "hint: facts of a host are filled in by a template only\n"
	    "f:18:6: e is empty\n"
	    "f:19:6: {{ is not closed on its line\n"
	    "hint: write {{name}}, or {{{{ for two braces\n");
	app_is(APP LIFE "exports: x\n",
	    "f:8:10: exports must be a mapping ('key: value'), not a text\n");
}
END_TEST

START_TEST(bad_health_is_refused)
{
	app_is(APP LIFE "health: {}\n",
	    "f:8:1: health needs one of command, http, tcp\n");
	app_is(APP LIFE "health: {command: x, tcp: 1}\n",
	    "f:8:1: health needs only one of command, http, tcp\n");
	app_is(APP LIFE "health: {command: x, host: h, status: 200}\n",
	    "f:8:22: health takes host only with tcp\n"
	    "f:8:31: health takes status only with http\n");
	app_is(APP LIFE "health: {tcp: 70000, host: 'a b', interval: 1,\n"
	    "  timeout: 13h, successes: 0, retries: 3}\n",
	    "f:8:15: port must be at most 65535, not '70000'\n"
	    "hint: a TCP port\n"
	    "f:8:28: host must match the pattern '^[A-Za-z0-9._:%-]+$', not "
	    "'a b'\nhint: where the port is\n"
	    "f:8:45: interval must be a duration, not '1'\n"
	    "hint: a duration needs a unit: 90s, 10m, 2h\n"
	    "f:9:12: timeout must be whole seconds from 1s to 12h, not '13h'\n"
	    "f:9:28: successes must be 1 to 1000, not 0\n"
	    "f:9:31: unknown key 'retries' in health\n"
	    "hint: known here: command, http, tcp, host, status, interval, "
	    "timeout, patience, successes\n");
	app_is(APP LIFE "health: {http: ftp://x, status: abc}\n"
	    "params: {arg_http: {type: string}}\n",
	    "f:8:1: parameter 'arg_http' would hide argument 'http' of wait\n"
	    "hint: rename the parameter\n"
	    "f:8:16: http must match the pattern '^(https?://[^[:cntrl:] ]+)?$', "
	    "not 'ftp://x'\nhint: a URL, answered with 2xx or 3xx\n"
	    "f:8:33: status must be a whole number, not 'abc'\n"
	    "hint: the status that http must answer with\n");
	app_is(APP LIFE "health: {command: 'fi'}\n",
	    "f:8:19: command: syntax error: \"fi\" unexpected\n");
}
END_TEST

START_TEST(health_needs_its_kind)
{
	struct tw_kinds *all = kinds;

	kinds = NULL;
	app_is(APP LIFE "health: {tcp: 80}\n",
	    "f:8:1: health needs the step kind wait, which is not there\n");
	kinds = all;
}
END_TEST

START_TEST(bad_needs_are_refused)
{
	app_is(APP LIFE "requires: {os: [], os_version: [a b, {}], arch: amd64,\n"
	    "  memory: 512, disk: 0G, systemd: yes, ram: 1G}\n",
	    "f:8:16: os must be a text, or a list of 1 to 32\n"
	    "f:8:33: os_version must be letters, digits and . _ -, not 'a b'\n"
	    "f:8:38: os_version must be text, not a mapping\n"
	    "f:8:49: amd64 is Debian's name of an architecture\n"
	    "hint: write x86_64, as uname -m does\n"
	    "f:9:11: memory must be a whole number of K, M, G or T, not '512'\n"
	    "hint: a size needs a unit: 512M, 2G\n"
	    "f:9:22: disk must be a whole number of K, M, G or T, not '0G'\n"
	    "hint: a size needs a unit: 512M, 2G\n"
	    "f:9:35: systemd must be true or false, not 'yes'\n"
	    "f:9:40: unknown key 'ram' in requires\n"
	    "hint: known here: os, os_version, arch, memory, disk, systemd, "
	    "root, without\n");
	app_is(APP LIFE "requires: debian\n",
	    "f:8:11: requires must be a mapping ('key: value'), not a text\n");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_whole_file_is_read,
		little_is_enough,
		names_and_versions,
		the_top_level_is_strict,
		lists_are_those_of_a_change_file,
		a_file_has_only_so_many_steps,
		parameters_of_every_app_are_taken,
		a_secret_must_reach_a_step,
		bad_exports_are_refused,
		bad_health_is_refused,
		health_needs_its_kind,
		bad_needs_are_refused,
	};
	int status;

	if (!open_kinds())
		return EXIT_FAILURE;
	status = run_tests("app", tests, sizeof tests / sizeof *tests);
	tw_kinds_free(kinds);
	return status;
}
