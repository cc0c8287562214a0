/* spec.c - what the targets share that read files of steps; see spec.h */
#include "spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "spec/program.h"
#include "spec/shell.h"

#include <jansson.h>

#define SECRET "Qz7'secret\\Wert"
#define BROKEN "((("		/* what the sh of this file finds wrong */

enum tw_status __wrap_tw_shell_check(struct tw_shell_text *v, size_t n,
    struct tw_err *err);

/* In sh's place: positions as sh might give them, without a process. */
enum tw_status __wrap_tw_shell_check(struct tw_shell_text *v, size_t n,
    struct tw_err *err)
{
	const char *bad, *p;
	size_t i;

	(void)err;
	for (i = 0; i < n; i++) {
		bad = strstr(v[i].text, BROKEN);
		v[i].line = bad ? 1 : 0;
		for (p = v[i].text; bad && p < bad; p++)
			v[i].line += *p == '\n';
		memcpy(v[i].why, "syntax error", sizeof "syntax error");
	}
	return TW_OK;
}

static enum tw_status read_made_up(void *arg, const char *path,
    struct tw_buf *out, struct tw_err *err)
{
	(void)arg;
	if (strchr(path, '!'))
		return tw_err_set(err, TW_NO, "not there");
	tw_buf_addf(out, "what is in %s: {{fact.os}}\n", path);
	if (strchr(path, '{'))
		tw_buf_adds(out, "{{a}} {{key}}\n");
	return tw_buf_check(out, err);
}

const struct tw_spec_reader *fuzz_reader(void)
{
	static struct tw_spec_reader reader = { .read = read_made_up };
	const char *dirs[] = { getenv("TOWERIFY_KINDS"), NULL };
	struct tw_err err;

	if (reader.kinds)
		return &reader;
	HOLDS(dirs[0], "TOWERIFY_KINDS does not say where the kinds are");
	HOLDS(tw_kinds_new(dirs, &reader.kinds, &err) == TW_OK, "%s", err.msg);
	HOLDS(*tw_kinds_names(reader.kinds), "%s: no kinds", dirs[0]);
	return &reader;
}

/* --- what comes of a change ------------------------------------------------- */

static void has_no_secret(const char *what, const struct tw_buf *b)
{
	HOLDS(!b->len || !memmem(b->data, b->len, SECRET, strlen(SECRET)),
	    "a secret is in the %s", what);
}

/* A value is always within single quotes, and nothing else is anything but a
 * plain word: so no value can become a command. */
static void check_program(const struct tw_change_spec *s,
    const struct tw_buf *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _.:/-\n";
	const char *p = tw_buf_str(text), *end = p + text->len;
	bool is_quoted = false, is_start = true;
	size_t steps = fuzz_planted("steps") ? 1 : 0;

	HOLDS(strlen(p) == text->len, "a NUL in the program");
	for (; p < end; p++) {
		if (!is_quoted && is_start)
			HOLDS(strncmp(p, "s_", 2) == 0, "no word: %.40s", p);
		if (!is_quoted && is_start && strncmp(p, "s_step ", 7) == 0)
			steps++;
		is_start = !is_quoted && *p == '\n';
		if (*p == '\'' && !fuzz_planted("quote")) {
			is_quoted = !is_quoted;
			continue;
		}
		if (is_quoted)
			continue;
		if (p[0] == '\\' && p[1] == '\'')
			p++;
		else
			HOLDS(strchr(plain, *p), "outside of quotes: %.40s",
			    p);
	}
	HOLDS(!is_quoted, "a quote without its end");
	HOLDS(steps == s->nsteps, "%zu steps of %zu", steps, s->nsteps);
}

/* A text that its pattern and limits let through, where one is found. */
static const char *find_text(const struct tw_param *p)
{
	static const char *const texts[] = { "a'b\t\xc3\xa9$(x)\\", "",
		"a.org", "/a", "x1", "10.0.0.1/24", "a:1", "8080", "Ab Cd", "10m",
		"https://a.org/x", "ssh-ed25519 AAAA",
		"0123456789abcdef0123456789abcdef"
		"0123456789abcdef0123456789abcdef", NULL };
	char why[TW_PARAM_WHY_MAX];
	struct tw_diags ds = { 0 };
	size_t i;

	for (i = 0; texts[i]; i++)
		if (!tw_param_why_not(p, texts[i], why, &ds))
			return texts[i];
	return texts[0];
}

/* Values for the parameters, all or what must have one; how many. */
static size_t give(const struct tw_change_spec *s, bool all,
    struct tw_param_given *v)
{
	static const char *const own[] = { "app_instance", "app_version",
		"app_from", NULL };
	static char numbers[TW_PARAMS_MAX][24];
	const struct tw_param *p;
	size_t i, n = 0;

	for (i = 0; i < s->params.n && n < TW_PARAMS_MAX; i++) {
		p = &s->params.v[i];
		if (tw_kind_lists(own, p->name) ||
		    (!all && !p->required && p->type != TW_PARAM_SECRET))
			continue;
		v[n] = (struct tw_param_given){ .name = p->name,
		    .name_len = strlen(p->name), .is_private = true };
		switch (p->type) {
		case TW_PARAM_INTEGER:
			snprintf(numbers[n], sizeof numbers[n], "%lld",
			    (long long)(p->has_min ? p->min : 7));
			v[n].value = numbers[n];
			break;
		case TW_PARAM_BOOLEAN:
			v[n].value = "true";
			break;
		case TW_PARAM_ENUM:
			v[n].value = p->values && p->values[0] ?
			    p->values[0] : "x";
			break;
		case TW_PARAM_SECRET:
			v[n].value = SECRET;
			break;
		default:
			v[n].value = find_text(p);
			break;
		}
		v[n].len = strlen(v[n].value);
		n++;
	}
	return n;
}

static void check_output(const struct tw_change_spec *s,
    const struct tw_param_values *v, bool may_tell)
{
	struct tw_buf text = TW_BUF_INIT, blob = TW_BUF_INIT;
	struct tw_buf shown = TW_BUF_INIT;
	struct tw_err err;
	enum tw_status st;
	long room = 0;
	size_t i, len = 0;

	st = tw_program_make(s, v, &text, &blob, &room, &err);
	HOLDS(st == TW_OK, "program: %s", err.msg);
	check_program(s, &text);
	HOLDS(room > 0 && room == tw_program_room(s), "room %ld", room);
	for (i = 0; i < s->nsteps; i++)
		len += s->steps[i].kind == TW_STEP_FILE ?
		    s->steps[i].file.len : 0;
	HOLDS(blob.len >= len, "%zu bytes of %zu", blob.len, len);
	tw_program_describe(s, v, &shown);
	if (fuzz_planted("plain"))
		tw_buf_addc(&shown, 7);
	HOLDS(!shown.failed, "no description");
	fuzz_is_plain("description", tw_buf_str(&shown), shown.len, "\n\t");
	if (fuzz_planted("secret"))
		tw_buf_adds(&shown, SECRET);
	if (!may_tell) {
		has_no_secret("program", &text);
		has_no_secret("contents", &blob);
		has_no_secret("description", &shown);
	}
	tw_buf_release(&text);
	tw_buf_release(&blob);
	tw_buf_release(&shown);
}

static void check_steps(const struct tw_change_spec *s, const char *text,
    size_t len)
{
	struct tw_buf b = TW_BUF_INIT;
	size_t i, lines = 1, n = 0;

	for (i = 0; i < len; i++)
		lines += text[i] == '\n';
	HOLDS(s->nsteps >= 1 && s->nsteps <= 3 * TW_STEPS_MAX, "%zu steps",
	    s->nsteps);
	for (i = 0; i < s->nsteps; i++) {
		HOLDS(s->steps[i].line <= lines, "step at line %zu of %zu",
		    s->steps[i].line, lines);
		HOLDS(s->steps[i].name && *s->steps[i].name, "no name");
		n += !tw_step_spec_has_undo(&s->steps[i]);
	}
	HOLDS(tw_change_spec_without_undo(s, &b) == n, "without undo");
	HOLDS(!b.len == !n, "%zu without undo", n);
	tw_buf_release(&b);
}

/* False: the values were refused. */
static bool check_values(struct tw_change_spec *s, bool all, bool may_tell)
{
	static struct tw_param_given given[TW_PARAMS_MAX];
	struct tw_param_values v = { NULL, 0 };
	struct tw_diags ds = { 0 };
	struct tw_buf said = TW_BUF_INIT;
	struct tw_err err = { 0 };
	enum tw_status st;

	st = tw_params_check(&s->params, given, give(s, all, given), &ds, &v,
	    &err);
	HOLDS((st == TW_OK) == (ds.n == 0), "values: %d, %zu problems",
	    (int)st, ds.n);
	if (st == TW_OK)
		st = tw_change_spec_fill(s, &v, &ds, &err);
	HOLDS(st == TW_OK || st == TW_USAGE, "values: %d, %s", (int)st,
	    err.msg);
	HOLDS((st == TW_OK) == (ds.n == 0), "fill: %d, %zu problems", (int)st,
	    ds.n);
	fuzz_check_diags(&ds, NULL, 0, false);
	tw_diags_print(&ds, &said);
	if (!may_tell)
		has_no_secret("problems", &said);
	if (st == TW_OK)
		check_output(s, &v, may_tell);
	tw_buf_release(&said);
	tw_param_values_release(&v);
	tw_diags_release(&ds);
	return st == TW_OK;
}

void fuzz_check_change(struct tw_change_spec *s, const char *text, size_t len)
{
	bool may_tell = len && memmem(text, len, "Qz7", 3);

	check_steps(s, text, len);
	if (!check_values(s, true, may_tell))
		check_values(s, false, may_tell);
}

/* --- what comes of an app ------------------------------------------------------ */

static void check_exports(struct tw_app_spec *app, const char *instance)
{
	struct tw_buf b = TW_BUF_INIT;
	struct tw_err err;
	json_t *v = NULL;

	HOLDS(tw_app_exports(app, instance, instance ? "{}" : NULL, &b,
	    &err) == TW_OK, "exports: %s", err.msg);
	HOLDS(tw_json_load(tw_buf_str(&b), "exports", &v, &err) == TW_OK,
	    "exports: %s", err.msg);
	HOLDS(json_object_size(v) == app->nexports, "%zu exports, not %zu",
	    json_object_size(v), app->nexports);
	json_decref(v);
	tw_buf_release(&b);
}

void fuzz_check_app(struct tw_app_spec *app, const char *text, size_t len)
{
	struct tw_app_act act = { .instance = "one", .from = "0.9" };
	struct tw_change_spec *s;
	struct tw_err err;
	enum tw_status st;
	int i;

	HOLDS(tw_app_name_ok(app->app) && tw_app_version_ok(app->version),
	    "'%s' '%s'", app->app, app->version);
	check_exports(app, NULL);
	for (i = 0; i < TW_APP_ACTIONS; i++) {
		act.action = (enum tw_app_action)i;
		act.from = i == TW_APP_UPGRADE ? "0.9" : NULL;
		st = tw_app_compile(app, &act, &s, &err);
		HOLDS(st == TW_OK || st == TW_NO, "%s: %s",
		    tw_app_action_words[i], err.msg);
		if (i != TW_APP_CHECK)
			HOLDS((st == TW_OK) == (app->actions[i].n > 0),
			    "%s: %d, %zu steps", tw_app_action_words[i],
			    (int)st, app->actions[i].n);
		if (st == TW_OK)
			fuzz_check_change(s, text, len);
		tw_change_spec_free(s);
	}
	check_exports(app, "one");
}

void fuzz_change_file(const char *text, size_t len,
    const struct tw_spec_reader *reader)
{
	struct tw_diags ds = { .file = "f" };
	struct tw_change_spec *s = NULL;
	struct tw_err err = { 0 };
	enum tw_status st;

	st = tw_change_spec_parse(text, len, reader, &ds, &s, &err);
	fuzz_check_status(st, TW_DATA, &ds, s, &err);
	fuzz_check_diags(&ds, text, len, true);
	if (s)
		fuzz_check_change(s, text, len);
	tw_change_spec_free(s);
	tw_diags_release(&ds);
}
