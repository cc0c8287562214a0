/* test_kind.c - step kinds: their files, their arguments, and {{name}} */
#include "spec_util.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "spec/fill.h"
#include "spec/program.h"

static char dir[] = "/tmp/towerify-test-XXXXXX", second[64];
static struct tw_kinds *kinds;

#define BODY "check() { true; }\nrun() { true; }\nundo() { true; }\n"

static void write_kind(const char *where, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", where, name);
	ck_assert_int_eq(tw_io_write_file(path, text, strlen(text), 0644,
	    NULL), TW_OK);
}

static void remove_kind(const char *where, const char *name)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", where, name);
	ck_assert_int_eq(unlink(path), 0);
}

static void open_kinds(void)
{
	const char *dirs[] = { dir, "/nowhere/at/all", second, NULL };

	ck_assert_int_eq(tw_kinds_new(dirs, &kinds, NULL), TW_OK);
}

static enum tw_status read_any(void *arg, const char *path,
    struct tw_buf *out, struct tw_err *err)
{
	(void)err;
	ck_assert_str_eq(path, "a.tmpl");
	tw_buf_adds(out, arg);
	return TW_OK;
}

/* --- files --------------------------------------------------------------- */

/* The problems of a kind's file; NULL text: of one that is there. */
static void kind_is(const char *name, const char *text, const char *wanted)
{
	const struct tw_kind *k;
	struct tw_diags ds = { .file = "f" };
	char *said, *at;

	if (text)
		write_kind(dir, name, text);
	open_kinds();
	ck_assert_int_eq(tw_kinds_find(kinds, name, &ds, &k, NULL), TW_OK);
	said = problems(&ds);
	/* the directory's name is not worth repeating */
	while ((at = strstr(said, dir)))
		memmove(at, at + strlen(dir) + 1,
		    strlen(at + strlen(dir)));
	ck_assert_str_eq(said, wanted);
	ck_assert_int_eq(k == NULL, *wanted != '\0');
	ck_assert_str_eq(ds.file, "f");
	/* said once */
	free(said);
	tw_diags_release(&ds);
	ck_assert_int_eq(tw_kinds_find(kinds, name, &ds, &k, NULL), TW_OK);
	ck_assert_uint_eq(ds.n, 0);
	tw_diags_release(&ds);
	tw_kinds_free(kinds);
	if (text)
		remove_kind(dir, name);
}

START_TEST(bad_files_are_refused_with_positions)
{
	kind_is("k", "# k - x\n#: towerify-kind: 1\n#: undo: auto\n" BODY, "");
	kind_is("k", "# k - x\n#: towerify-kind: 1\n#: undo: nothing\n"
	    "check() {\n:\n}\nrun() { :; }\n", "");
	kind_is("k", "", "k:1:1: a kind begins with `# k - ` and what it is "
	    "for\nk:1:1: the header is missing\nhint: write it below the first "
	    "line, each line of it behind `#: `\n"
	    "k:1:1: there is no function check: no line begins with `check()`\n"
	    "k:1:1: there is no function run: no line begins with `run()`\n");
	kind_is("k", "#!/bin/sh\n# other - x\n\n#: towerify-kind: 1\n" BODY,
	    "k:1:1: a kind begins with `# k - ` and what it is for\n"
	    "k:1:1: the header is missing\nhint: write it below the first "
	    "line, each line of it behind `#: `\n");
	kind_is("k", "# k - x\n#:towerify-kind: 1\n#: towerify-kind: 2\n"
	    "#: undo: maybe\n#: nudo: x\n"
	    "#: args: {a: {type: secret}, b: {type: string, min: x}, B: 1}\n"
	    "#: one_of: [a, c]\n#: facts: [Not]\n#: templates: a\n"
	    "check() { if; }\n run() { :; }\n",
	    "k:1:1: there is no function run: no line begins with `run()`\n"
	    "k:2:1: a line of the header needs a blank after `#:`\n"
	    "hint: write `#: ` and the text\n"
	    "k:3:19: version '2' of the kind file is not known here\n"
	    "hint: this version reads `towerify-kind: 1`\n"
	    "k:4:10: undo must be one of auto, nothing, impossible, not "
	    "'maybe'\n"
	    "k:5:4: unknown key 'nudo' in the header\n"
	    "hint: did you mean 'undo'?\n"
	    "k:6:21: type must be one of string, integer, boolean, enum, file, "
	    "command, not 'secret'\n"
	    "k:6:53: min must be a whole number, not 'x'\n"
	    "k:6:57: 'B' cannot name a parameter\n"
	    "hint: small letters, digits and '_', a letter first, at most 31\n"
	    "k:6:60: the parameter's definition must be a mapping ('key: "
	    "value'), not a text\n"
	    "k:7:16: one_of: there is no argument 'c'\n"
	    "k:8:12: facts: 'Not' is no name\n"
	    "k:9:15: templates must be a list ('- '), not a text\n"
	    "k:10:1: syntax error: \";\" unexpected\n");
}
END_TEST

START_TEST(fetch_names_two_texts)
{
#define FETCHES(fetch, type, more) "# k - x\n#: towerify-kind: 1\n" \
	"#: args: {a: {type: " type "}, b: {type: string}" more "}\n" \
	"#: fetch: " fetch "\n#: undo: nothing\n" BODY
	kind_is("k", FETCHES("[a, b]", "string", ""), "");
	kind_is("k", FETCHES("[a]", "string", ""),
	    "k:4:11: fetch names two arguments: one with the address, one with "
	    "the SHA-256\n");
	kind_is("k", FETCHES("[a, b, a]", "string", ""),
	    "k:4:11: fetch names two arguments: one with the address, one with "
	    "the SHA-256\n");
	kind_is("k", FETCHES("[a, c]", "file", ", fetched: {type: string}"),
	    "k:4:11: fetch: 'a' is not of type string\n"
	    "k:4:11: the argument 'fetched' stands for what is fetched\n"
	    "k:4:15: fetch: there is no argument 'c'\n");
	kind_is("k", FETCHES("a", "string", ""),
	    "k:4:11: fetch must be a list ('- '), not a text\n");
#undef FETCHES
}
END_TEST

START_TEST(a_library_comes_before_what_uses_it)
{
	struct tw_diags ds = { 0 };
	const struct tw_kind *k;
	char lib[80];

	kind_is("k", "# k - x\n#: towerify-kind: 1\n#: undo: auto\n"
	    "#: uses: help\n" BODY, "k:4:10: there is no library 'help'\n"
	    "hint: it is lib/NAME in a directory of kinds\n");
	kind_is("k", "# k - x\n#: towerify-kind: 1\n#: undo: auto\n"
	    "#: uses: ../k\n" BODY, "k:4:10: there is no library '../k'\n"
	    "hint: it is lib/NAME in a directory of kinds\n");
	snprintf(lib, sizeof lib, "%s/lib", second);
	ck_assert_int_eq(mkdir(lib, 0755), 0);
	write_kind(lib, "help", "help() { :; }");
	write_kind(dir, "a-kind", "# a-kind - x\n#: towerify-kind: 1\n"
	    "#: undo: auto\n#: uses: help\n" BODY);
	write_kind(dir, "a-", "");
	open_kinds();
	ck_assert_str_eq(tw_kinds_names(kinds)[0], "a-kind");
	ck_assert_ptr_null(tw_kinds_names(kinds)[1]);
	ck_assert_int_eq(tw_kinds_find(kinds, "a-kind", &ds, &k, NULL),
	    TW_OK);
	ck_assert_ptr_nonnull(k);
	ck_assert_str_eq(k->text, "help() { :; }\n# a-kind - x\n"
	    "#: towerify-kind: 1\n#: undo: auto\n#: uses: help\n" BODY);
	tw_kinds_free(kinds);
	write_kind(lib, "help", ":\nhelp() {\n");
	open_kinds();
	ck_assert_int_eq(tw_kinds_find(kinds, "a-kind", &ds, &k, NULL),
	    TW_OK);
	ck_assert_ptr_null(k);
	ck_assert_ptr_nonnull(strstr(ds.v[0].msg, "/lib/help:"));
	tw_diags_release(&ds);
	tw_kinds_free(kinds);
	remove_kind(dir, "a-kind");
	remove_kind(dir, "a-");
	remove_kind(lib, "help");
	ck_assert_int_eq(rmdir(lib), 0);
}
END_TEST

START_TEST(what_is_no_text_is_no_kind)
{
	kind_is("k", "# k - x\n#: towerify-kind: 1\n#: undo: auto\n" BODY
	    "# \x01\xff\n", "k:7:3: a control character is not allowed here\n"
	    "hint: remove it, or write it as an escape in a double-quoted text\n"
	    "k:7:4: this is not UTF-8: '\\xff'\nhint: save the file as UTF-8\n");
	kind_is("k", "# k - x\n#: a: [\n" BODY,
	    "k:3:1: a value is expected here\n");
}
END_TEST

START_TEST(the_first_directory_wins)
{
	struct tw_diags ds = { 0 };
	const struct tw_kind *k;

	write_kind(second, "k", "# k - 2\n#: towerify-kind: 1\n#: undo: auto\n"
	    BODY);
	write_kind(second, "only", "# only - 2\n#: towerify-kind: 1\n"
	    "#: undo: impossible\n" BODY);
	write_kind(dir, "k", "# k - 1\n#: towerify-kind: 1\n#: undo: nothing\n"
	    BODY);
	write_kind(dir, "README.txt", "not a kind\n");
	open_kinds();
	ck_assert_str_eq(tw_kinds_names(kinds)[0], "k");
	ck_assert_str_eq(tw_kinds_names(kinds)[1], "only");
	ck_assert_ptr_null(tw_kinds_names(kinds)[2]);
	ck_assert_int_eq(tw_kinds_find(kinds, "k", &ds, &k, NULL), TW_OK);
	ck_assert_int_eq(k->undo, TW_UNDO_NOTHING);
	ck_assert_int_eq(tw_kinds_find(kinds, "only", &ds, &k, NULL), TW_OK);
	ck_assert_int_eq(k->undo, TW_UNDO_IMPOSSIBLE);
	ck_assert_int_eq(tw_kinds_find(kinds, "none", &ds, &k, NULL), TW_OK);
	ck_assert_ptr_null(k);
	ck_assert_uint_eq(ds.n, 0);
	tw_kinds_free(kinds);
	remove_kind(second, "k");
	remove_kind(second, "only");
	remove_kind(dir, "k");
	remove_kind(dir, "README.txt");
}
END_TEST

START_TEST(the_shipped_kinds_are_good)
{
	const char *top = getenv("abs_top_srcdir");
	struct tw_diags ds = { 0 };
	const struct tw_kind *k;
	const char *dirs[2] = { NULL, NULL };
	char where[512], *said;
	size_t i;

	snprintf(where, sizeof where, "%s/share/kinds", top ? top : ".");
	dirs[0] = where;
	ck_assert_int_eq(tw_kinds_new(dirs, &kinds, NULL), TW_OK);
	for (i = 0; tw_kinds_names(kinds)[i]; i++)
		ck_assert_int_eq(tw_kinds_find(kinds, tw_kinds_names(kinds)[i],
		    &ds, &k, NULL), TW_OK);
	said = problems(&ds);
	ck_assert_str_eq(said, "");
	ck_assert_uint_ge(i, 7);
	free(said);
	tw_diags_release(&ds);
	tw_kinds_free(kinds);
}
END_TEST

/* --- steps --------------------------------------------------------------- */

static const char thing[] =
    "# thing - x\n"
    "#: towerify-kind: 1\n"
    "#: args:\n"
    "#:   name: {type: string, required: true, pattern: '^[^;]*$',\n"
    "#:     description: what it is}\n"
    "#:   n: {type: integer, min: 1, max: 9, default: 5}\n"
    "#:   is: {type: boolean}\n"
    "#:   how: {type: enum, values: [a, b]}\n"
    "#:   text: {type: string}\n"
    "#:   from: {type: file}\n"
    "#:   do: {type: command}\n"
    "#:   mode: {type: string}\n"
    "#: one_of: [text, from, do]\n"
    "#: templates: [text, from]\n"
    "#: facts: [arch]\n"
    "#: undo: auto\n" BODY;

#define PARAMS "towerify: 1\n" \
	"params: {p: {type: string}, num: {type: integer}, s: {type: secret}}\n" \
	"steps:\n"

static void step_is(const char *steps, const char *wanted)
{
	char template[] = "{{s}}\n\n {{nobody}}\n";
	struct tw_spec_reader reader = { read_any, template, NULL, false };
	struct tw_buf b = TW_BUF_INIT, w = TW_BUF_INIT;
	const char *at, *end;

	write_kind(dir, "thing", thing);
	open_kinds();
	reader.kinds = kinds;
	tw_buf_adds(&b, PARAMS);
	tw_buf_adds(&b, steps);
	for (at = wanted; (end = strstr(at, "DIR")); at = end + 3) {
		tw_buf_add(&w, at, (size_t)(end - at));
		tw_buf_adds(&w, dir);
	}
	tw_buf_adds(&w, at);
	bad_len(b.data, b.len, &reader, tw_buf_str(&w));
	tw_buf_release(&b);
	tw_buf_release(&w);
	tw_kinds_free(kinds);
	remove_kind(dir, "thing");
}

START_TEST(bad_arguments_are_refused_with_positions)
{
	step_is("  - thing: {}\n",
	    "f:4:5: thing needs 'name'\nhint: what it is\n"
	    "f:4:5: thing needs one of text, from, do\n");
	step_is("  - thing: {name: a;b, n: 10, is: yes, how: c, text: [], "
	    "from: a.tmpl, nam: x}\n",
	    "f:4:5: thing needs only one of text, from, do\n"
	    "f:4:5: thing with secret 's' needs a mode: who may read it\n"
	    "hint: such as mode: 0600\n"
	    "f:4:19: name must match the pattern '^[^;]*$', not 'a;b'\n"
	    "hint: what it is\n"
	    "f:4:27: n must be at most 9, not '10'\n"
	    "f:4:35: is must be true or false, not 'yes'\n"
	    "f:4:45: how must be one of 'a', 'b', not 'c'\n"
	    "f:4:54: text must be text, not a list\n"
	    "f:4:64: from line 3: unknown parameter 'nobody'\n"
	    "f:4:72: unknown key 'nam' in thing\nhint: did you mean 'name'?\n");
}
END_TEST

START_TEST(bad_steps_are_refused_with_positions)
{
	step_is("  - thing: {name: a, text: x}\n"
	    "    check: c\n    unless: u\n    verify: v\n    undo: u\n"
	    "    run: r\n",
	    "f:9:5: a step takes only one of run, file, reboot and step kinds\n"
	    "hint: make it two steps\n");
	step_is("  - thing: {name: a, text: x}\n"
	    "    check: c\n    unless: u\n    verify: v\n    undo: none\n"
	    "  - thing: {name: a, text: x}\n    undo: rm x\n"
	    "    confirm: 1m\n"
	    "  - thnig: {name: a}\n"
	    "  - thing: a\n"
	    "  - thing: {name: a, do: fi}\n",
	    "f:5:5: a thing step takes no 'check'\n"
	    "f:6:5: a thing step takes no 'unless'\n"
	    "f:7:5: a thing step takes no 'verify'\n"
	    "f:8:11: undo cannot be the command 'none'\n"
	    "hint: write nothing (nothing to undo), impossible (irreversible), "
	    "or leave undo out\n"
	    "f:10:11: a thing step knows its undo itself\n"
	    "hint: write nothing (nothing to undo), impossible (irreversible), "
	    "or leave undo out\n"
	    "f:12:5: unknown key 'thnig' in a step\n"
	    "hint: did you mean 'thing'?\n"
	    "f:13:12: thing must be a mapping ('key: value'), not a text\n"
	    "f:14:26: do: syntax error: \"fi\" unexpected\n");
	step_is("  - thing: {name: a, text: x}\n    confirm: 1m\n"
	    "    undo: nothing\n",
	    "f:5:5: confirm needs an undo\n"
	    "hint: the step is undone when the tower can't get in to confirm "
	    "it: say how\n");
}
END_TEST

/* What is known is told once, at the first word that is near nothing. */
START_TEST(a_long_hint_is_given_once)
{
	step_is("  - zzzzzzzz: {}\n  - thnig: {}\n  - yyyyyyyy: {}\n",
	    "f:4:5: unknown key 'zzzzzzzz' in a step\n"
	    "hint: known here: name, check, unless, verify, run, undo, timeout, "
	    "retries, retry_delay, confirm, file, reboot, thing; step kinds "
	    "are looked for in DIR, /nowhere/at/all, DIR/second\n"
	    "f:5:5: unknown key 'thnig' in a step\n"
	    "hint: did you mean 'thing'?\n"
	    "f:6:5: unknown key 'yyyyyyyy' in a step\n");
}
END_TEST

/* --- what is fetched ------------------------------------------------------ */

struct served {			/* how a fake download goes */
	const char *text;
	size_t len;
	enum tw_status st;
	size_t max;		/* what the last one was limited to */
	int n;
};

static enum tw_status serve(void *arg, const char *url, const char *sha256,
    size_t max, struct tw_buf *out, struct tw_err *err)
{
	struct served *s = arg;

	ck_assert_str_eq(url, "http://it's/x");
	ck_assert(strcmp(sha256, "h1") == 0 || strcmp(sha256, "h2") == 0);
	s->max = max;
	s->n++;
	if (s->st)
		return tw_err_set(err, s->st, "no way");
	if (s->text)
		tw_buf_add(out, s->text, s->len);
	return tw_buf_check(out, err);
}

static void fetches(struct served *s, enum tw_status wanted,
    const char *message, const char *program)
{
	static const char text[] = "towerify: 1\n"
	    "params: {p: {type: string}}\nsteps:\n"
	    "  - file: {path: /a, content: abc}\n"
	    "  - get: {url: 'http://{{p}}/x', sum: h1}\n"
	    "  - get: {url: '', sum: ''}\n"
	    "  - get: {url: 'http://{{p}}/x', sum: h1}\n"
	    "  - get: {url: 'http://{{p}}/x', sum: h2}\n";
	struct tw_spec_reader reader = { NULL, NULL, NULL, false };
	const struct tw_param_given given = { "p", 1, "it's", 4, false };
	struct tw_buf out = TW_BUF_INIT, blob = TW_BUF_INIT;
	struct tw_param_values values = { NULL, 0 };
	struct tw_diags ds = { .file = "f" };
	struct tw_change_spec *spec;
	struct tw_err err;
	const char *at;
	long room;

	write_kind(dir, "get", "# get - x\n#: towerify-kind: 1\n"
	    "#: args: {url: {type: string}, sum: {type: string}}\n"
	    "#: fetch: [url, sum]\n#: undo: nothing\n" BODY);
	open_kinds();
	reader.kinds = kinds;
	ck_assert_int_eq(tw_change_spec_parse(text, sizeof text - 1, &reader,
	    &ds, &spec, NULL), TW_OK);
	ck_assert_int_eq(tw_params_check(&spec->params, &given, 1, &ds,
	    &values, NULL), TW_OK);
	ck_assert_int_eq(tw_change_spec_fill(spec, &values, &ds, NULL),
	    TW_OK);
	ck_assert(tw_change_spec_wants_fetch(spec));
	ck_assert_int_eq(tw_change_spec_fetch(spec, serve, s, &err), wanted);
	if (message)
		ck_assert_str_eq(err.msg, message);
	ck_assert_int_eq(tw_program_make(spec, &values, &out, &blob, &room,
	    NULL), TW_OK);
	for (at = tw_buf_str(&out); (at = strstr(at, "s_content")); at++) {
		ck_assert_ptr_nonnull(program);
		ck_assert_int_eq(strncmp(at, program, strcspn(program, "\n")),
		    0);
		program += strcspn(program, "\n") + 1;
	}
	ck_assert(!program || !*program);
	tw_buf_release(&out);
	tw_buf_release(&blob);
	tw_param_values_release(&values);
	tw_diags_release(&ds);
	tw_change_spec_free(spec);
	tw_kinds_free(kinds);
	remove_kind(dir, "get");
}

START_TEST(what_is_fetched_travels_as_content)
{
	struct served s = { .text = "x\0y", .len = 3 };

	fetches(&s, TW_OK, NULL, "s_content 2 fetched 3 3\n"
	    "s_content 4 fetched 6 3\ns_content 5 fetched 9 3\n");
	ck_assert_int_eq(s.n, 2);
	ck_assert_uint_eq(s.max, TW_FILES_TOTAL_MAX - 9);
	s.text = NULL;
	fetches(&s, TW_OK, NULL, "s_content 2 fetched 3 0\n"
	    "s_content 4 fetched 3 0\ns_content 5 fetched 3 0\n");
}
END_TEST

START_TEST(a_download_that_fails_names_its_step)
{
	struct served s = { .st = TW_AGAIN };

	fetches(&s, TW_AGAIN, "step 2: no way", NULL);
	ck_assert_int_eq(s.n, 1);
	s.st = TW_NOMEM;
	fetches(&s, TW_NOMEM, NULL, NULL);
}
END_TEST

START_TEST(bad_holes_are_refused_with_positions)
{
	step_is("  - thing: {name: '{{q}}{{s}}{{fact.arch}}', mode: 0600, "
	    "text: '{{s}}'}\n",
	    "f:4:19: unknown parameter 'q'\n"
	    "f:4:19: secret 's' cannot stand in an argument: it would be "
	    "stored\nhint: a secret goes into a template, or into the "
	    "environment of a command\n"
	    "f:4:19: unknown fact 'arch'\n"
	    "hint: facts of a host are filled in by a template only\n");
	step_is("  - thing:\n      name: '{{'\n      text: |\n"
	    "        {{s}}\n\n"
	    "          {{fact.arhc}} {{nump}}\n"
	    "        {{p\n        }}\n",
	    "f:4:5: thing with secret 's' needs a mode: who may read it\n"
	    "hint: such as mode: 0600\n"
	    "f:5:13: {{ is not closed on its line\n"
	    "hint: write {{name}}, or {{{{ for two braces\n"
	    "f:9:11: unknown fact 'arhc'\nhint: did you mean 'arch'?\n"
	    "f:9:11: unknown parameter 'nump'\nhint: did you mean 'num'?\n"
	    "f:10:9: {{ is not closed on its line\n"
	    "hint: write {{name}}, or {{{{ for two braces\n");
	step_is("  - thing: {name: a, from: a.tmpl, mode: 0600}\n",
	    "f:4:28: from line 3: unknown parameter 'nobody'\n");
	step_is("  - thing: {name: {{p}}, text: '{{s}}', mode: 0}\n",
	    "f:4:19: name must be text, not a mapping\n"
	    "hint: a value that begins with {{ needs quotes\n"
	    "f:4:20: a key must be text, not a mapping\n");
}
END_TEST

static enum tw_status read_nul(void *arg, const char *path,
    struct tw_buf *out, struct tw_err *err)
{
	(void)arg;
	(void)path;
	(void)err;
	tw_buf_add(out, "a\0{{s}}", 7);
	return TW_OK;
}

START_TEST(a_template_that_is_no_text_is_refused)
{
	static const char text[] = PARAMS
	    "  - thing: {name: a, from: \"a\\nb\", mode: 0600}\n"
	    "  - thing: {name: a, from: a.bin, mode: 0600}\n";
	struct tw_spec_reader reader = { read_nul, NULL, NULL, false };

	write_kind(dir, "thing", thing);
	open_kinds();
	reader.kinds = kinds;
	bad_len(text, sizeof text - 1, &reader,
	    "f:4:28: from must be one line without control characters\n"
	    "f:5:28: a.bin: holds a NUL: a template must be text\n");
	tw_kinds_free(kinds);
	remove_kind(dir, "thing");
}
END_TEST

/* Reads a change with kind thing, and its values; what they make of it. */
static void compile(const char *steps, const char *p, const char *num,
    const char *wanted_problems, const char *wanted_program)
{
	char template[] = "a {{s}} {{fact.arch}}\n";
	struct tw_spec_reader reader = { read_any, template, NULL, false };
	struct tw_param_given given[] = {
		{ "p", 1, p, strlen(p), false },
		{ "num", 3, num, strlen(num), false },
		{ "s", 1, "hush", 4, true },
	};
	struct tw_buf b = TW_BUF_INIT, text = TW_BUF_INIT, blob = TW_BUF_INIT;
	struct tw_param_values values = { NULL, 0 };
	struct tw_diags ds = { .file = "f" };
	struct tw_change_spec *spec;
	enum tw_status st;
	char *said, *at;
	long room;

	write_kind(dir, "thing", thing);
	open_kinds();
	reader.kinds = kinds;
	tw_buf_adds(&b, PARAMS);
	tw_buf_adds(&b, steps);
	tw_buf_adds(&b, "  - run: 'test $s'\n    undo: nothing\n");
	st = tw_change_spec_parse(b.data, b.len, &reader, &ds, &spec, NULL);
	said = problems(&ds);
	ck_assert_str_eq(said, "");
	free(said);
	ck_assert_int_eq(st, TW_OK);
	ds.file = NULL;
	ck_assert_int_eq(tw_params_check(&spec->params, given, 3, &ds, &values,
	    NULL), TW_OK);
	st = tw_change_spec_fill(spec, &values, &ds, NULL);
	said = problems(&ds);
	ck_assert_str_eq(said, wanted_problems);
	ck_assert_int_eq(st, *said ? TW_USAGE : TW_OK);
	free(said);
	if (st == TW_OK) {
		ck_assert_int_eq(tw_program_make(spec, &values, &text, &blob,
		    &room, NULL), TW_OK);
		at = strstr(tw_buf_str(&text), "s_step 1");
		ck_assert_ptr_nonnull(at);
		*strstr(at, "s_step 2") = '\0';
		ck_assert_str_eq(at, wanted_program);
	}
	tw_buf_release(&b);
	tw_buf_release(&text);
	tw_buf_release(&blob);
	tw_param_values_release(&values);
	tw_diags_release(&ds);
	tw_change_spec_free(spec);
	tw_kinds_free(kinds);
	remove_kind(dir, "thing");
}

START_TEST(values_go_into_arguments_and_nowhere_else)
{
	compile("  - thing: {name: '<{{p}}|{{ p }}|{{{{p}}>', "
	    "n: '{{num}}', do: 'echo {{p}} \"$p\"'}\n",
	    "it's \"$(id)\" `id`\n{{num}} {{{{", "3", "",
	    "s_step 1 run 600 0 5 'step 1'\n"
	    "s_use 1 thing\n"
	    "s_arg 1 name '<it'\\''s \"$(id)\" `id`\n{{num}} {{{{|"
	    "it'\\''s \"$(id)\" `id`\n{{num}} {{{{|{{p}}>'\n"
	    "s_arg 1 n '3'\n"
	    "s_arg 1 is ''\n"
	    "s_arg 1 how ''\n"
	    "s_arg 1 text ''\n"
	    "s_arg 1 from ''\n"
	    "s_arg 1 do 'echo {{p}} \"$p\"'\n"
	    "s_arg 1 mode ''\n"
	    "s_undo 1 auto\n");
}
END_TEST

START_TEST(templates_travel_as_they_are)
{
	compile("  - thing: {name: a, text: '{{p}} {{{{ {{s}}', mode: 0600}\n"
	    "    undo: impossible\n", "x", "1", "",
	    "s_step 1 run 600 0 5 'step 1'\n"
	    "s_use 1 thing\n"
	    "s_arg 1 name 'a'\n"
	    "s_arg 1 n '5'\n"
	    "s_arg 1 is ''\n"
	    "s_arg 1 how ''\n"
	    "s_arg 1 text '{{p}} {{{{ {{s}}'\n"
	    "s_arg 1 from ''\n"
	    "s_arg 1 do ''\n"
	    "s_arg 1 mode '0600'\n"
	    "s_undo 1 impossible\n"
	    "s_uses 1 s\n");
	compile("  - thing: {name: a, from: a.tmpl, mode: 0600}\n", "x", "1",
	    "",
	    "s_step 1 run 600 0 5 'step 1'\n"
	    "s_use 1 thing\n"
	    "s_arg 1 name 'a'\n"
	    "s_arg 1 n '5'\n"
	    "s_arg 1 is ''\n"
	    "s_arg 1 how ''\n"
	    "s_arg 1 text ''\n"
	    "s_content 1 from 0 22\n"
	    "s_arg 1 do ''\n"
	    "s_arg 1 mode '0600'\n"
	    "s_undo 1 auto\n"
	    "s_uses 1 s\n");
}
END_TEST

START_TEST(values_are_judged_where_they_end)
{
	static char big[60001];

	compile("  - thing: {name: 'a{{p}}', n: '{{num}}0', do: 'true'}\n",
	    ";", "3",
	    "step 1: thing: name must match the pattern '^[^;]*$', not 'a;'\n"
	    "hint: what it is\n"
	    "step 1: thing: n must be at most 9, not '30'\n", NULL);
	memset(big, 'x', sizeof big - 1);
	compile("  - thing: {name: '{{p}}{{p}}', do: 'true'}\n", big, "3",
	    "step 1: thing: name is longer than 64 KiB\n", NULL);
}
END_TEST

/* A few bytes each: what they cost must not grow with their number. */
START_TEST(holes_without_number_are_no_burden)
{
	static const char one[] =
	    PARAMS "  - thing: {name: a, from: a.tmpl, mode: 0600}\n";
	static char big[60001], many[1200 * 5 + 64], lines[170000 * 6 + 1];
	struct tw_spec_reader reader = { read_any, lines, NULL, false };
	size_t i, at;

	memset(big, 'x', sizeof big - 1);
	at = (size_t)snprintf(many, sizeof many, "  - thing: {name: '");
	for (i = 0; i < 1200; i++, at += 5)
		memcpy(many + at, "{{p}}", 6);
	memcpy(many + at, "', do: 'true'}\n", 16);
	compile(many, big, "3",
	    "step 1: thing: name is longer than 64 KiB\n", NULL);
	for (i = 0; i < 170000; i++)
		memcpy(lines + i * 6, "{{p}}\n", 7);
	memcpy(lines + 169999 * 6, "{{q}}\n", 7);
	write_kind(dir, "thing", thing);
	open_kinds();
	reader.kinds = kinds;
	bad_len(one, sizeof one - 1,
	    &reader, "f:4:28: from line 170000: unknown parameter 'q'\n");
	tw_kinds_free(kinds);
	remove_kind(dir, "thing");
}
END_TEST

START_TEST(holes_are_found)
{
	static const char s[] = "a{{b}}{{{{{{ c\t}}{{d\n}} {{}} }} {{";
	struct tw_hole h = { 0 };

	ck_assert(tw_hole_next(s, sizeof s - 1, 0, &h));
	ck_assert(h.kind == TW_HOLE_NAME && h.at == 1 && h.end == 6);
	ck_assert(h.len == 1 && *h.name == 'b');
	ck_assert(tw_hole_next(s, sizeof s - 1, h.end, &h));
	ck_assert(h.kind == TW_HOLE_BRACES && h.at == 6 && h.end == 10);
	ck_assert(tw_hole_next(s, sizeof s - 1, h.end, &h));
	ck_assert(h.kind == TW_HOLE_NAME && h.len == 1 && *h.name == 'c');
	ck_assert(tw_hole_next(s, sizeof s - 1, h.end, &h));
	ck_assert(h.kind == TW_HOLE_OPEN && h.at == 17);
	ck_assert(tw_hole_next(s, sizeof s - 1, h.end, &h));
	ck_assert(h.kind == TW_HOLE_NAME && h.len == 0);
	ck_assert(tw_hole_next(s, sizeof s - 1, h.end, &h));
	ck_assert(h.kind == TW_HOLE_OPEN && h.end == sizeof s - 1);
	ck_assert(!tw_hole_next(s, sizeof s - 1, h.end, &h));
	ck_assert(!tw_hole_next("{", 1, 0, &h));
	ck_assert(!tw_hole_next("", 0, 0, &h));
	ck_assert(tw_hole_names(s, sizeof s - 1, "c"));
	ck_assert(!tw_hole_names(s, sizeof s - 1, "d"));
	ck_assert(!tw_hole_names("{{{{a}}", 7, "a"));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		bad_files_are_refused_with_positions,
		fetch_names_two_texts,
		a_library_comes_before_what_uses_it,
		what_is_no_text_is_no_kind,
		the_first_directory_wins,
		the_shipped_kinds_are_good,
		bad_arguments_are_refused_with_positions,
		bad_steps_are_refused_with_positions,
		a_long_hint_is_given_once,
		what_is_fetched_travels_as_content,
		a_download_that_fails_names_its_step,
		bad_holes_are_refused_with_positions,
		values_go_into_arguments_and_nowhere_else,
		templates_travel_as_they_are,
		a_template_that_is_no_text_is_refused,
		values_are_judged_where_they_end,
		holes_without_number_are_no_burden,
		holes_are_found,
	};
	int status;

	if (!mkdtemp(dir))
		return EXIT_FAILURE;
	snprintf(second, sizeof second, "%s/second", dir);
	if (mkdir(second, 0700) != 0)
		return EXIT_FAILURE;
	status = run_tests("kind", tests, sizeof tests / sizeof *tests);
	rmdir(second);
	rmdir(dir);
	return status;
}
