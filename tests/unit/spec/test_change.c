/* test_change.c - the change file: what is read, what is refused, and where */
#include "spec_util.h"

#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "spec/shell.h"

#define HINT_RUN "hint: write `run: |` and the command on the next lines\n"
#define S HEAD "  - "

static const char whole[] =
    "towerify: 1                          # format version, required\n"
    "title: Serve the shop's front page\n"
    "params:\n"
    "  domain: {type: string, required: true, pattern: '^[a-z0-9.-]+$'}\n"
    "  workers: {type: integer, default: 4, min: 1, max: 64}\n"
    "defaults: {timeout: 15m, retries: 1, retry_delay: 1h}\n"
    "steps:\n"
    "  - name: nginx is installed\n"
    "    check: |                         # the target state\n"
    "      dpkg-query -W nginx | grep -q '^.i'\n"
    "    run: apt-get install -y nginx\n"
    "    undo: apt-get purge -y nginx     # reserved words: nothing\n"
    "    timeout: 5m\n"
    "    retries: 2                       # three runs at most\n"
    "    retry_delay: 0s\n"
    "  - name: front page\n"
    "    file: {path: /var/www/index.html, content: \"x\", mode: \"0644\"}\n"
    "  - name: new kernel\n"
    "    reboot: {timeout: 24h}\n"
    "  - unless: test -e /x\n"
    "    verify: test -e /y\n"
    "    run: >\n"
    "      make\n"
    "      all\n"
    "    undo: ' nothing '\n"
    "  - run: x\n"
    "    undo: |\n"
    "      impossible\n"
    "  - file: {path: /a, content: '', mode: 644, owner: www-data:adm}\n"
    "    timeout: 1s\n"
    "    retries: 100\n"
    "  - reboot: {}\n"
    "  - run: 'true'\n";

static void check_run_steps(const struct tw_change_spec *s)
{
	const struct tw_step_spec *p = &s->steps[0];

	ck_assert_str_eq(p->name, "nginx is installed");
	ck_assert_int_eq(p->kind, TW_STEP_RUN);
	ck_assert_str_eq(p->check, "dpkg-query -W nginx | grep -q '^.i'\n");
	ck_assert_str_eq(p->run, "apt-get install -y nginx");
	ck_assert_str_eq(p->undo, "apt-get purge -y nginx");
	ck_assert_int_eq(p->undo_kind, TW_UNDO_SCRIPT);
	ck_assert_int_eq(p->timeout_ms, 300000);
	ck_assert_int_eq(p->retries, 2);
	ck_assert_int_eq(p->retry_delay_ms, 0);
	ck_assert_uint_eq(p->line, 8);
	p = &s->steps[3];
	ck_assert_str_eq(p->name, "step 4");
	ck_assert_str_eq(p->unless, "test -e /x");
	ck_assert_str_eq(p->verify, "test -e /y");
	ck_assert_str_eq(p->run, "make all\n");
	ck_assert_int_eq(p->undo_kind, TW_UNDO_NOTHING);
	ck_assert_ptr_null(p->undo);
	ck_assert_int_eq(p->timeout_ms, 900000);
	ck_assert_int_eq(p->retries, 1);
	ck_assert_int_eq(p->retry_delay_ms, 3600000);
	ck_assert_int_eq(s->steps[4].undo_kind, TW_UNDO_IMPOSSIBLE);
	ck_assert_int_eq(s->steps[7].undo_kind, TW_UNDO_NONE);
}

START_TEST(a_whole_file_is_read)
{
	struct tw_change_spec *s = good(whole, sizeof whole - 1);
	struct tw_buf b = TW_BUF_INIT;
	const struct tw_step_spec *p;

	ck_assert_str_eq(s->title, "Serve the shop's front page");
	ck_assert_uint_eq(s->params.n, 2);
	ck_assert_uint_eq(s->nsteps, 8);
	check_run_steps(s);
	p = &s->steps[1];
	ck_assert_int_eq(p->kind, TW_STEP_FILE);
	ck_assert_str_eq(p->file.path, "/var/www/index.html");
	ck_assert_uint_eq(p->file.len, 1);
	ck_assert_str_eq(p->file.mode, "0644");
	ck_assert_ptr_null(p->file.owner);
	ck_assert_int_eq(p->undo_kind, TW_UNDO_AUTO);
	p = &s->steps[2];
	ck_assert_int_eq(p->kind, TW_STEP_REBOOT);
	ck_assert_int_eq(p->timeout_ms, 86400000);
	ck_assert_int_eq(p->retries, 0);
	ck_assert_int_eq(p->undo_kind, TW_UNDO_NOTHING);
	p = &s->steps[5];
	ck_assert_str_eq(p->file.mode, "0644");
	ck_assert_str_eq(p->file.owner, "www-data:adm");
	ck_assert_uint_eq(p->file.len, 0);
	ck_assert_int_eq(p->retries, 100);
	ck_assert_int_eq(s->steps[6].timeout_ms, 900000);
	ck_assert_uint_eq(tw_change_spec_without_undo(s, &b), 2);
	ck_assert_str_eq(b.data,
	    "step 5: step 5, declared impossible\nstep 8: step 8\n");
	tw_buf_release(&b);
	tw_change_spec_free(s);
}
END_TEST

START_TEST(defaults_are_what_the_page_says)
{
	struct tw_change_spec *s = good(S "run: 'true'\n",
	    sizeof S "run: 'true'\n" - 1);

	ck_assert_str_eq(s->title, "");
	ck_assert_int_eq(s->steps[0].timeout_ms, 600000);
	ck_assert_int_eq(s->steps[0].retries, 0);
	ck_assert_int_eq(s->steps[0].retry_delay_ms, 5000);
	ck_assert_int_eq(s->steps[0].confirm_ms, 0);
	tw_change_spec_free(s);
}
END_TEST

#define HINT_CONFIRM "hint: the step is undone when the tower can't get in " \
	"to confirm it: say how\n"

struct refusal {
	const char *text, *wanted;
};

static const struct refusal of_the_file[] = {
	{ "x\n", "f:1:1: the file must be a mapping ('key: value'), not a "
	    "text\n" },
	{ "steps: [{run: a}]\n", "f:1:1: the version is missing\n"
	    "hint: begin the file with `towerify: 1`\n" },
	{ "towerify: 2\nfoo: 1\n", "f:1:11: version '2' of the change file is "
	    "not known here\nhint: this version reads `towerify: 1`\n" },
	{ "towerify: 1.0\nsteps: [{run: a}]\n",
	    "f:1:11: towerify must be a whole number, not '1.0'\n" },
	{ "towerify: 1\n", "f:1:1: there are no steps: 'steps' is missing\n" },
	{ "towerify: 1\nsteps: []\n", "f:2:8: steps is empty\n" },
	{ "towerify: 1\nparams:\n  pw: {type: secret}\n"
	    "  key: {type: secret}\nsteps:\n"
	    "  - file: {path: /a, content: $pw}\n  - run: x $pwd ${key}\n",
	    "f:3:3: no step uses secret 'pw'\n"
	    "hint: name it in a command, as \"$pw\"\n" },
	{ "towerify: 1\nparams: {pw: {type: secret}}\nsteps: [{run: ''}]\n",
	    "f:3:15: run is empty\n" HINT_RUN },
	{ "towerify: 1\nsteps: x\n",
	    "f:2:8: steps must be a list ('- '), not a text\n" },
	{ "towerify: 1\nstep: x\nsteps: [{run: a}]\nzzz: 1\n",
	    "f:2:1: unknown key 'step' in the file\n"
	    "hint: did you mean 'steps'?\n"
	    "f:4:1: unknown key 'zzz' in the file\n"
	    "hint: known here: towerify, title, params, requires, successor, "
	    "defaults, steps\n" },
	{ "towerify: 1\ntitle: [a]\ndefaults: x\nparams: []\n"
	    "steps: [{run: a}]\n",
	    "f:2:8: title must be text, not a list\n"
	    "f:3:11: defaults must be a mapping ('key: value'), not a text\n"
	    "f:4:9: params must be a mapping ('key: value'), not a list\n" },
	{ "towerify: 1\ntitle:\nsteps: [{run: a}]\n",
	    "f:2:7: title is empty\n" },
	{ "towerify: 1\ntitle: \"a\\u202eb\"\nsteps: [{run: a}]\n",
	    "f:2:8: title must be one line without control characters\n" },
	{ "towerify: 1\ndefaults: {timeout: 0s, retries: 101, "
	    "retry_delay: 3601s, x: 1}\nsteps: [{run: a}]\n",
	    "f:2:21: timeout must be whole seconds from 1s to 24h, not '0s'\n"
	    "f:2:34: retries must be 0 to 100, not 101\n"
	    "f:2:52: retry_delay must be whole seconds from 0s to 1h, not "
	    "'3601s'\n"
	    "f:2:59: unknown key 'x' in defaults\n"
	    "hint: known here: timeout, retries, retry_delay\n" },
};

static const struct refusal of_a_step[] = {
	{ S "apt-get update\n", "f:3:5: a step must be a mapping ('key: "
	    "value'), not a text\n" },
	{ S "name: x\n",
	    "f:3:5: this step does nothing: it needs run, file, reboot or a step kind\n" },
	{ S "run: a\n    reboot: {}\n",
	    "f:4:5: a step takes only one of run, file, reboot and step kinds\n"
	    "hint: make it two steps\n" },
	{ S "run: a\n    chek: b\n", "f:4:5: unknown key 'chek' in a step\n"
	    "hint: did you mean 'check'?\n" },
	{ S "check: ! test -f x\n    run: a\n",
	    "f:3:12: tags ('!') are refused\nhint: write `check: |` and the "
	    "command on the next lines\n" },
	{ S "run: [ -f x ]\n",
	    "f:3:10: run must be a command, not a list\n" HINT_RUN },
	{ S "run: { a; }\n",
	    "f:3:10: run must be a command, not a mapping\n" HINT_RUN },
	{ S "run: a\n      b\n", "f:3:10: run goes over several lines, which "
	    "YAML would join\n" HINT_RUN },
	{ S "run:\n", "f:3:9: run is empty\n" HINT_RUN },
	{ S "run: '  '\n", "f:3:10: run is empty\n" HINT_RUN },
	{ S "run: a\n    check: b\n    verify: c\n",
	    "f:4:5: check cannot stand beside unless or verify\n"
	    "hint: check is asked before and after: use it alone, or unless "
	    "(before) and verify (after)\n" },
	{ S "run: a\n    undo: none\n",
	    "f:4:11: undo cannot be the command 'none'\n"
	    "hint: write nothing (nothing to undo), impossible "
	    "(irreversible), or leave undo out\n" },
	{ S "run: a\n    undo:\n", "f:4:10: undo is empty\n"
	    "hint: write `undo: |` and the command on the next lines\n" },
	{ S "run: a\n    timeout: 10\n",
	    "f:4:14: timeout must be a duration, not '10'\n"
	    "hint: a duration needs a unit: 90s, 10m, 2h\n" },
	{ S "run: a\n    timeout: 500ms\n", "f:4:14: timeout must be whole "
	    "seconds from 1s to 24h, not '500ms'\n" },
	{ S "run: a\n    timeout: 1s500ms\n", "f:4:14: timeout must be whole "
	    "seconds from 1s to 24h, not '1s500ms'\n" },
	{ S "run: a\n    timeout: 24h1s\n", "f:4:14: timeout must be whole "
	    "seconds from 1s to 24h, not '24h1s'\n" },
	{ S "run: a\n    retries: -1\n    retry_delay: 1h1s\n",
	    "f:4:14: retries must be 0 to 100, not -1\n"
	    "f:5:18: retry_delay must be whole seconds from 0s to 1h, not "
	    "'1h1s'\n" },
	{ S "run: a\n    confirm: 1m\n",
	    "f:4:5: confirm needs an undo\n" HINT_CONFIRM },
	{ S "run: a\n    undo: nothing\n    confirm: 1m\n",
	    "f:5:5: confirm needs an undo\n" HINT_CONFIRM },
	{ S "run: a\n    confirm: 1m\n    undo: impossible\n",
	    "f:4:5: confirm needs an undo\n" HINT_CONFIRM },
	{ S "run: a\n    undo:\n    confirm: 1m\n", "f:4:10: undo is empty\n"
	    "hint: write `undo: |` and the command on the next lines\n" },
	{ S "run: a\n    undo: b\n    confirm: 4s\n", "f:5:14: confirm must "
	    "be whole seconds from 5s to 1h, not '4s'\n" },
	{ S "run: a\n    undo: b\n    confirm: 1h1s\n", "f:5:14: confirm must "
	    "be whole seconds from 5s to 1h, not '1h1s'\n" },
	{ S "run: a\n    undo: b\n    confirm: 60\n",
	    "f:5:14: confirm must be a duration, not '60'\n"
	    "hint: a duration needs a unit: 90s, 10m, 2h\n" },
	{ S "reboot: {}\n    confirm: 1m\n",
	    "f:4:5: a reboot step takes no 'confirm'\n"
	    "hint: it is done when the tower gets in again\n" },
	{ "towerify: 1\ndefaults: {confirm: 1m}\nsteps: [{run: a}]\n",
	    "f:2:12: unknown key 'confirm' in defaults\n"
	    "hint: known here: timeout, retries, retry_delay\n" },
	{ S "name: \"\"\n    run: a\n", "f:3:11: name is empty\n" },
	{ S "name: \"a\\nb\"\n    run: a\n",
	    "f:3:11: name must be one line without control characters\n" },
	{ S "reboot: {}\n    check: a\n    undo: b\n    timeout: 5m\n"
	    "    retries: 1\n",
	    "f:4:5: a reboot step takes no 'check'\n"
	    "f:5:5: a reboot step takes no 'undo'\n"
	    "f:6:5: a reboot step takes no 'timeout'\n"
	    "hint: its time is written `reboot: {timeout: 5m}`\n"
	    "f:7:5: a reboot step takes no 'retries'\n"
	    "hint: its time is written `reboot: {timeout: 5m}`\n" },
	{ S "reboot: now\n", "f:3:13: reboot must be a mapping ('key: "
	    "value'), not a text\n" },
	{ S "reboot: {timeout: 0s, after: 1}\n",
	    "f:3:23: timeout must be whole seconds from 1s to 24h, not '0s'\n"
	    "f:3:27: unknown key 'after' in reboot\n"
	    "hint: known here: timeout\n" },
};

#define F S "file: "

static const struct refusal of_a_file[] = {
	{ F "/etc/x\n", "f:3:11: file must be a mapping ('key: value'), not a "
	    "text\n" },
	{ F "{path: /a, content: x}\n    check: a\n    unless: a\n"
	    "    verify: a\n    undo: a\n",
	    "f:4:5: a file step takes no 'check'\n"
	    "f:5:5: a file step takes no 'unless'\n"
	    "f:6:5: a file step takes no 'verify'\n"
	    "f:7:5: a file step takes no 'undo'\n" },
	{ F "{content: x}\n", "f:3:5: file needs a path\n" },
	{ F "{path: /a}\n", "f:3:5: file needs content or source\n" },
	{ F "{path: /a, content: x, source: y}\n",
	    "f:3:34: file takes only one of content and source\n" },
	{ F "{path: /a, source: y}\n",
	    "f:3:30: source files cannot be read here\n"
	    "hint: write the text itself under content\n" },
	{ F "{path: a/b, content: x}\n",
	    "f:3:18: path must be absolute, not 'a/b'\n" },
	{ F "{path: /a/../b, content: x}\n", "f:3:18: path must name a file, "
	    "without '.', '..' or empty parts, not '/a/../b'\n" },
	{ F "{path: /a/, content: x}\n", "f:3:18: path must name a file, "
	    "without '.', '..' or empty parts, not '/a/'\n" },
	{ F "{path: /, content: x}\n", "f:3:18: path must name a file, "
	    "without '.', '..' or empty parts, not '/'\n" },
	{ F "{path: /a/./b, content: x}\n", "f:3:18: path must name a file, "
	    "without '.', '..' or empty parts, not '/a/./b'\n" },
	{ F "{path: \"/a\\nb\", content: x}\n",
	    "f:3:18: path must be one line without control characters\n" },
	{ F "{path: /a, content: x, mode: u+x, owner: 'a b'}\n",
	    "f:3:40: mode must be three or four octal digits, such as 0644, "
	    "not 'u+x'\n"
	    "f:3:52: owner must be USER or USER:GROUP, not 'a b'\n" },
	{ F "{path: /a, content: x, mode: 0o644, owner: ':a'}\n",
	    "f:3:40: mode must be three or four octal digits, such as 0644, "
	    "not '0o644'\n"
	    "f:3:54: owner must be USER or USER:GROUP, not ':a'\n" },
	{ F "{path: /a, content: x, mode: 10644, owner: 'a:'}\n",
	    "f:3:40: mode must be three or four octal digits, such as 0644, "
	    "not '10644'\n"
	    "f:3:54: owner must be USER or USER:GROUP, not 'a:'\n" },
	{ F "{path: /a, content: x, mode: 0648, owner: -}\n",
	    "f:3:40: mode must be three or four octal digits, such as 0644, "
	    "not '0648'\n"
	    "f:3:53: owner must be USER or USER:GROUP, not '-'\n" },
	{ F "{path: /a, content: [x]}\n",
	    "f:3:31: content must be text, not a list\n" },
	{ F "\n      path: /a\n      content: a\n        b\n",
	    "f:5:16: content goes over several lines, which YAML would join\n"
	    "hint: write `content: |` and the text on the next lines\n" },
};

static const struct refusal of_the_shell[] = {
	{ S "run: if true\n", "f:3:10: run: syntax error: end of file "
	    "unexpected (expecting \"then\")\n" },
	{ S "run: |\n      true\n      fi\n    undo: \"echo )\"\n"
	    "    check: |\n\n      echo 'a\n",
	    "f:5:7: run: syntax error: \"fi\" unexpected\n"
	    "f:6:11: undo: syntax error: \")\" unexpected\n"
	    "f:9:7: check: syntax error: Unterminated quoted string\n" },
	{ S "run: if a; then\n  - run: fi\n",
	    "f:3:10: run: syntax error: end of file unexpected (expecting "
	    "\"fi\")\n"
	    "f:4:10: run: syntax error: \"fi\" unexpected\n" },
};

static void check_refusals(const struct refusal *t, size_t n)
{
	for (; n--; t++)
		bad(t->text, t->wanted);
}

START_TEST(what_is_wrong_with_the_file_is_said)
{
	check_refusals(of_the_file, sizeof of_the_file / sizeof *of_the_file);
}
END_TEST

START_TEST(what_is_wrong_with_a_step_is_said)
{
	check_refusals(of_a_step, sizeof of_a_step / sizeof *of_a_step);
}
END_TEST

START_TEST(what_is_wrong_with_a_file_step_is_said)
{
	check_refusals(of_a_file, sizeof of_a_file / sizeof *of_a_file);
}
END_TEST

START_TEST(what_sh_cannot_read_is_said)
{
	check_refusals(of_the_shell,
	    sizeof of_the_shell / sizeof *of_the_shell);
}
END_TEST

START_TEST(checking_a_command_runs_nothing)
{
	char dir[] = "/tmp/towerify-test-XXXXXX", path[64];
	struct tw_buf b = TW_BUF_INIT;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/made", dir);
	tw_buf_addf(&b, S "run: |\n      echo x > %s\n      exit 3\n"
	    "  - run: $(echo x > %s)\n", path, path);
	tw_change_spec_free(good(b.data, b.len));
	ck_assert_int_eq(access(path, F_OK), -1);
	ck_assert_int_eq(rmdir(dir), 0);
	tw_buf_release(&b);
}
END_TEST

START_TEST(many_commands_keep_their_places)
{
	static struct tw_shell_text v[11];
	struct tw_err err;
	size_t i;

	for (i = 0; i < 11; i++)
		v[i].text = i % 3 ? "true" : "\n\nfi";
	ck_assert_int_eq(tw_shell_check(v, 11, &err), TW_OK);
	for (i = 0; i < 11; i++)
		ck_assert_uint_eq(v[i].line, i % 3 ? 0 : 3);
	ck_assert_str_eq(v[9].why, "syntax error: \"fi\" unexpected");
}
END_TEST

/* A file with n steps that run a command, and a name of len bytes. */
static char *with_steps(size_t n, size_t len)
{
	struct tw_buf b = TW_BUF_INIT;
	size_t i;

	tw_buf_adds(&b, HEAD "  - name: ");
	for (i = 0; i < len; i++)
		tw_buf_addc(&b, 'x');
	tw_buf_adds(&b, "\n    reboot: {}\n");
	for (i = 1; i < n; i++)
		tw_buf_adds(&b, "  - {reboot: {}}\n");
	return tw_buf_detach(&b);
}

START_TEST(steps_and_names_are_limited)
{
	struct tw_change_spec *s;
	char *text;

	text = with_steps(TW_STEPS_MAX, TW_STEP_NAME_MAX);
	s = good(text, strlen(text));
	ck_assert_uint_eq(s->nsteps, TW_STEPS_MAX);
	ck_assert_str_eq(s->steps[999].name, "step 1000");
	tw_change_spec_free(s);
	free(text);
	text = with_steps(TW_STEPS_MAX + 1, 1);
	bad(text, "f:3:3: 1001 steps, more than 1000\n");
	free(text);
	text = with_steps(1, TW_STEP_NAME_MAX + 1);
	bad(text, "f:3:11: name has 201 bytes, more than 200\n");
	free(text);
}
END_TEST

/* "size:N" gives N bytes, "no" an error, "mem" no memory. */
static enum tw_status fake_read(void *arg, const char *path,
    struct tw_buf *out, struct tw_err *err)
{
	size_t n = strncmp(path, "size:", 5) == 0 ?
	    strtoul(path + 5, NULL, 10) : 0;
	enum tw_status st;

	(*(int *)arg)++;
	if (strcmp(path, "no") == 0) {
		st = tw_err_set(err, TW_CONFIG, "not allowed");
		tw_err_hint(err, "ask");
		return st;
	}
	if (strcmp(path, "mem") == 0)
		return tw_err_nomem(err);
	if (tw_buf_reserve(out, n)) {
		memset(out->data + out->len, '\0', n);
		out->len += n;
	}
	return TW_OK;
}

START_TEST(sources_come_from_the_reader_and_are_limited)
{
	int calls = 0;
	const struct tw_spec_reader reader = { .read = fake_read, .arg = &calls };
	struct tw_diags ds = { 0 };
	struct tw_change_spec *s;
	struct tw_err err;
	static const char fine[] = F "{path: /a, source: 'size:16777216'}\n";
	static const char two[] = F "{path: /a, source: no}\n"
	    "  - file: {path: /a, source: 'size:16777217'}\n";
	static const char five[] =
	    F "{path: /a, source: 'size:16777216'}\n"
	    "  - file: {path: /b, source: 'size:16777216'}\n"
	    "  - file: {path: /c, source: 'size:16777216'}\n"
	    "  - file: {path: /d, source: 'size:16777216'}\n"
	    "  - file: {path: /e, source: 'size:1'}\n"
	    "  - file: {path: /f, content: x}\n";
	static const char mem[] = F "{path: /a, source: mem}\n";

	ck_assert_int_eq(tw_change_spec_parse(fine, strlen(fine), &reader, &ds,
	    &s, &err), TW_OK);
	ck_assert_uint_eq(s->steps[0].file.len, 16777216);
	ck_assert_int_eq(s->steps[0].file.content[16777215], 0);
	tw_change_spec_free(s);
	bad_len(two, strlen(two), &reader,
	    "f:3:30: source 'no': not allowed\nhint: ask\n"
	    "f:4:30: source 'size:16777217': more than 16 MiB\n");
	bad_len(five, strlen(five), &reader, "f:7:30: the contents up to here "
	    "have more than 64 MiB together\n");
	ck_assert_int_eq(calls, 8);
	ck_assert_int_eq(tw_change_spec_parse(mem, strlen(mem), &reader, &ds,
	    &s, &err), TW_NOMEM);
	ck_assert_str_eq(err.msg, "out of memory");
	ck_assert_ptr_null(s);
	tw_diags_release(&ds);
}
END_TEST

START_TEST(all_errors_come_at_once)
{
	bad("towerify: 1\n"
	    "titel: x\n"
	    "params: {a: {type: secre}}\n"
	    "steps:\n"
	    "  - check: ! test -f x\n"
	    "    run: *log\n"
	    "  - run: |\n"
	    "      done\n"
	    "    timeout: 10\n"
	    "  - file: {path: a}\n"
	    "    run: x\n"
	    "    run: y\n",
	    "f:2:1: unknown key 'titel' in the file\n"
	    "hint: did you mean 'title'?\n"
	    "f:3:20: type must be one of string, integer, boolean, enum, "
	    "secret, not 'secre'\nhint: did you mean 'secret'?\n"
	    "f:5:12: tags ('!') are refused\n"
	    "hint: write `check: |` and the command on the next lines\n"
	    "f:6:10: aliases ('*') are refused\n" HINT_RUN
	    "f:8:7: run: syntax error: \"done\" unexpected\n"
	    "f:9:14: timeout must be a duration, not '10'\n"
	    "hint: a duration needs a unit: 90s, 10m, 2h\n"
	    "f:11:5: a step takes only one of run, file, reboot and step kinds\n"
	    "hint: make it two steps\n"
	    "f:12:5: the key 'run' stands here again, after line 11\n");
}
END_TEST

START_TEST(no_truncation_or_changed_byte_is_harmful)
{
	static const char bytes[] = "\0\n\t !&*[{:-#'\"%\\\xff\x85?|>";
	char text[sizeof whole];
	struct tw_change_spec *s;
	struct tw_diags ds;
	enum tw_status st;
	size_t i, n;

	for (i = 0; i < 2 * (sizeof whole - 1); i++) {
		memcpy(text, whole, sizeof whole);
		n = i % (sizeof whole - 1);
		if (i >= sizeof whole - 1) {
			text[n] = bytes[i % (sizeof bytes - 1)];
			n = sizeof whole - 1;
		}
		memset(&ds, 0, sizeof ds);
		st = tw_change_spec_parse(text, n, NULL, &ds, &s, NULL);
		ck_assert(st == TW_OK || st == TW_DATA);
		ck_assert((st == TW_OK) == (s != NULL));
		ck_assert((st == TW_OK) == (ds.n == 0));
		tw_change_spec_free(s);
		tw_diags_release(&ds);
	}
}
END_TEST

/* The examples beside the sources: every one must be good. */
static enum tw_status read_beside(void *arg, const char *path,
    struct tw_buf *out, struct tw_err *err)
{
	char full[4096];

	snprintf(full, sizeof full, "%s/%s", (const char *)arg, path);
	return tw_io_read_file(full, out, err);
}

START_TEST(the_examples_are_good)
{
	static const char *const names[] = {
		"hello.yaml", "nginx.yaml", "motd.yaml", "kernel.yaml",
	};
	const char *root = getenv("abs_top_srcdir");
	struct tw_spec_reader reader = { .read = read_beside };
	struct tw_buf b = TW_BUF_INIT;
	struct tw_change_spec *s;
	struct tw_diags ds = { 0 };
	char dir[3000], path[3100];
	struct tw_err err;
	size_t i;

	snprintf(dir, sizeof dir, "%.2900s/share/examples", root ? root : ".");
	reader.arg = dir;
	for (i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		tw_buf_reset(&b);
		ck_assert_msg(tw_io_read_file(path, &b, &err) == TW_OK, "%s",
		    err.msg);
		ck_assert_msg(tw_change_spec_parse(b.data, b.len, &reader, &ds,
		    &s, &err) == TW_OK, "%s: %s", path, err.msg);
		tw_change_spec_free(s);
	}
	tw_buf_release(&b);
}
END_TEST

/* Every literal block of the manual page is a whole file, and must be good. */
/* What doesn't begin as a file does is steps of one. */
START_TEST(the_manual_page_shows_good_files)
{
	static const char head[] = "towerify: 1\ntitle: x\nsteps:\n";
	const char *root = getenv("abs_top_srcdir"), *p, *end;
	struct tw_buf shown = TW_BUF_INIT;
	struct tw_buf b = TW_BUF_INIT;
	char path[3100];
	struct tw_err err;
	size_t n = 0;

	snprintf(path, sizeof path, "%.2900s/man/towerify-change.5",
	    root ? root : ".");
	ck_assert_msg(tw_io_read_file(path, &b, &err) == TW_OK, "%s", err.msg);
	for (p = b.data; (p = strstr(p, "\n.Bd ")); p = end) {
		p = strchr(p + 1, '\n') + 1;
		end = strstr(p, "\n.Ed");
		ck_assert_ptr_nonnull(end);
		tw_buf_reset(&shown);
		if (*p == ' ')
			tw_buf_adds(&shown, head);
		tw_buf_add(&shown, p, (size_t)(end + 1 - p));
		tw_change_spec_free(good(shown.data, shown.len));
		n++;
	}
	ck_assert_uint_eq(n, 7);
	tw_buf_release(&shown);
	tw_buf_release(&b);
}
END_TEST

START_TEST(the_longest_a_step_may_take)
{
	static const char text[] = "towerify: 1\n"
	    "defaults: {timeout: 10s}\n"
	    "steps:\n"
	    "  - {name: a, run: \"true\"}\n"
	    "  - {name: b, check: \"false\", run: \"true\", retries: 2,"
	    " retry_delay: 7s}\n"
	    "  - {name: c, unless: \"false\", run: \"true\", retries: 1,"
	    " retry_delay: 1m}\n"
	    "  - {name: d, verify: \"true\", run: \"true\"}\n"
	    "  - {name: e, reboot: {timeout: 5m}}\n";
	static const int64_t longest[] = {
		10000, 9 * 10000 + 2 * 7000, 4 * 10000 + 60000, 20000, 300000,
	};
	struct tw_change_spec *s = good(text, sizeof text - 1);
	size_t i;

	ck_assert_uint_eq(s->nsteps, 5);
	for (i = 0; i < s->nsteps; i++)
		ck_assert_int_eq(tw_step_spec_longest(&s->steps[i]),
		    longest[i]);
	tw_change_spec_free(s);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_whole_file_is_read,
		defaults_are_what_the_page_says,
		what_is_wrong_with_the_file_is_said,
		what_is_wrong_with_a_step_is_said,
		what_is_wrong_with_a_file_step_is_said,
		what_sh_cannot_read_is_said,
		checking_a_command_runs_nothing,
		the_longest_a_step_may_take,
		many_commands_keep_their_places,
		steps_and_names_are_limited,
		sources_come_from_the_reader_and_are_limited,
		all_errors_come_at_once,
		no_truncation_or_changed_byte_is_harmful,
		the_examples_are_good,
		the_manual_page_shows_good_files,
	};

	return run_tests("change", tests, sizeof tests / sizeof *tests);
}
