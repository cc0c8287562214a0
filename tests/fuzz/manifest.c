/*
 * manifest.c - any bytes as an app's manifest.toml; what can be installed of it
 * is an app file like another
 */
#include "spec.h"

#include <stdlib.h>
#include <string.h>

#include "spec/yunohost.h"
#include "spec/yunohost_compile.h"

const char *const fuzz_plants[] = { FUZZ_SPEC_PLANTS, "type", "compiled",
	NULL };

static void check_answer(const struct tw_yunohost_question *q,
    const char *answer)
{
	char why[TW_YUNOHOST_WHY_MAX], plain[TW_YUNOHOST_WHY_MAX];
	const char *said = tw_yunohost_why_not(q, answer, why);

	if (!said)
		return;
	tw_text_settle(plain, sizeof plain, said, false);
	fuzz_is_plain("why not", plain, strlen(plain), "");
}

static void check_question(const struct tw_yunohost_app *a, size_t i)
{
	const struct tw_yunohost_question *q = &a->questions[i];
	char name[TW_PARAM_NAME_MAX + 1], other[TW_PARAM_NAME_MAX + 1];
	size_t k;

	HOLDS(q->id && *q->id && q->type_word, "a question without a name");
	HOLDS(q->type <= TW_YUNOHOST_OTHER && !fuzz_planted("type"),
	    "type %d", (int)q->type);
	for (k = 0; k < i; k++)
		HOLDS(strcmp(a->questions[k].id, q->id) != 0, "'%s' twice",
		    q->id);
	tw_yunohost_param(a, i, name);
	HOLDS(tw_name_param_ok(name), "'%s' is no parameter", name);
	for (k = 0; k < i; k++) {
		tw_yunohost_param(a, k, other);
		HOLDS(strcmp(name, other) != 0, "parameter '%s' twice", name);
	}
	check_answer(q, "a\n\xc3\xa9");
	check_answer(q, "-9223372036854775809");
}

/* An app with a version compiles, for each action, to a file that is good. */
static void check_compiled(const struct tw_yunohost_app *a)
{
	struct tw_yunohost_act act = { .instance = a->id };
	struct tw_buf text = TW_BUF_INIT;
	struct tw_diags ds = { .file = "f" };
	struct tw_app_spec *app;
	struct tw_err err = { 0 };
	enum tw_status st;
	int i;

	for (i = 0; i < TW_APP_ACTIONS; i++) {
		act.action = (enum tw_app_action)i;
		tw_buf_reset(&text);
		st = tw_yunohost_compile(a, &act, &text, &err);
		HOLDS(st == TW_OK || st == TW_NO, "compile: %s", err.msg);
		if (st != TW_OK)
			continue;
		if (fuzz_planted("compiled"))
			tw_buf_adds(&text, "more: x\n");
		st = tw_app_spec_parse(tw_buf_str(&text), text.len,
		    fuzz_reader(), &ds, &app, &err);
		HOLDS(st == TW_OK, "%s:\n%s", err.msg, tw_buf_str(&text));
		fuzz_check_app(app, tw_buf_str(&text), text.len);
		tw_app_spec_free(app);
	}
	tw_buf_release(&text);
	tw_diags_release(&ds);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tw_diags ds = { .file = "f" };
	struct tw_yunohost_catalog *c = NULL;
	struct tw_err err = { 0 };
	char *text = malloc(size ? size : 1);
	enum tw_status st;
	size_t i;

	HOLDS(text, "no memory");
	if (size)
		memcpy(text, data, size);
	st = tw_yunohost_manifest(text, size, &ds, &c, &err);
	fuzz_check_status(st, TW_DATA, &ds, c, &err);
	fuzz_check_diags(&ds, text, size, true);
	if (c) {
		HOLDS(c->n == 1, "%zu apps", c->n);
		HOLDS(c->apps->nquestions <= TW_YUNOHOST_QUESTIONS_MAX,
		    "%zu questions", c->apps->nquestions);
		for (i = 0; i < c->apps->nquestions; i++)
			check_question(c->apps, i);
		if (tw_yunohost_install_check(c->apps, &err) == TW_OK)
			check_compiled(c->apps);
	}
	tw_yunohost_free(c);
	tw_diags_release(&ds);
	free(text);
	return 0;
}
