/*
 * yunohost_args.c - YunoHost's catalogue of apps: the arguments of an install;
 * see yunohost.h
 *
 * `yunohost app install --args' takes name=value pairs joined by &, which
 * YunoHost decodes with Python's
 *	dict(urllib.parse.parse_qsl(args, keep_blank_values=True))
 * (ask_questions_and_parse_answers() in src/utils/form.py of
 * github.com/YunoHost/yunohost, 11.2 to 12): & separates, + is a blank, %XX
 * a byte of UTF-8, and of two pairs of one name the last counts.
 *
 * What is written here is exactly what Python's urllib.parse.quote() would:
 * all but letters, digits, and _.-~/ as %XX in capitals.  YunoHost hides
 * passwords in its logs by looking for the password and for its quote(); a
 * password that is encoded otherwise (its / as %2F) would stay readable there.
 *
 * Defaults are put in, so that what was filed is what gets installed though the
 * host may know a newer manifest; but for passwords and questions whose
 * "visible" YunoHost alone can work out.
 */
#include "spec/yunohost_private.h"

#include <string.h>

#include "spec/node.h"

struct answer {
	const char *text;	/* a NUL-terminated copy, or the default */
	bool given;
};

struct args {
	const struct tw_yunohost_app *app;
	struct tw_diags *ds;
	struct answer v[TW_YUNOHOST_QUESTIONS_MAX];
	struct tw_buf copies;	/* all given values, each with its NUL */
};

static void refuse_unknown(const struct args *a,
    const struct tw_param_given *g)
{
	const char *names[TW_YUNOHOST_QUESTIONS_MAX + 1];
	char near[TW_NEAREST_MAX], word[TW_NEAREST_MAX];
	const char *hint = NULL;
	struct tw_quote q;
	size_t i;

	for (i = 0; i < a->app->nquestions; i++)
		names[i] = a->app->questions[i].id;
	names[i] = NULL;
	if (g->name_len < sizeof word) {
		memcpy(word, g->name, g->name_len);
		word[g->name_len] = '\0';
		hint = tw_nearest_hint(word, names, near);
	}
	tw_diags_add(a->ds, 0, 0, hint, "%s asks nothing called %s",
	    a->app->id, tw_quote(&q, g->name, g->name_len));
}

static void take(struct args *a, const struct tw_param_given *g)
{
	const struct tw_yunohost_question *q = a->app->questions;
	struct answer *answer;
	size_t i;

	for (i = 0; i < a->app->nquestions; i++)
		if (strlen(q[i].id) == g->name_len &&
		    memcmp(q[i].id, g->name, g->name_len) == 0)
			break;
	if (i == a->app->nquestions) {
		refuse_unknown(a, g);
		return;
	}
	answer = &a->v[i];
	if (q[i].type == TW_YUNOHOST_SHOWN)
		tw_diags_add(a->ds, 0, 0, NULL,
		    "%s is shown only and takes no value", q[i].id);
	else if (answer->given)
		tw_diags_add(a->ds, 0, 0, NULL, "%s is given twice", q[i].id);
	else if (memchr(g->value, '\0', g->len))
		tw_diags_add(a->ds, 0, 0, NULL, "%s holds a NUL", q[i].id);
	else {
		answer->text = a->copies.data + a->copies.len;
		tw_buf_add(&a->copies, g->value, g->len);
		tw_buf_addc(&a->copies, '\0');
	}
	answer->given = true;
}

static bool is_blank(const char *s)
{
	return s[strspn(s, " \t\r\n")] == '\0';
}

/* Nothing but blanks is no answer to YunoHost: the default holds then. */
static void check(const struct args *a, const struct tw_yunohost_question *q,
    struct answer *answer)
{
	char why[TW_YUNOHOST_WHY_MAX];

	if (is_blank(answer->text)) {
		answer->text = q->fallback ? q->fallback : "";
		if (!q->optional && !q->fallback)
			tw_diags_add(a->ds, 0, 0, q->ask, "%s is empty",
			    q->id);
	} else if (tw_yunohost_why_not(q, answer->text, why)) {
		tw_diags_add(a->ds, 0, 0, q->ask, "%s %s", q->id, why);
	}
}

/* A group has a default of YunoHost's own, a boolean is no, and whether a
 * conditional question is asked isn't known. */
bool tw_yunohost_is_required(const struct tw_yunohost_question *q)
{
	return !q->optional && !q->conditional && !q->fallback &&
	    q->type != TW_YUNOHOST_SHOWN && q->type != TW_YUNOHOST_GROUP &&
	    q->type != TW_YUNOHOST_BOOLEAN;
}

static void settle(struct args *a)
{
	const struct tw_yunohost_question *q;
	struct answer *answer;
	size_t i;

	for (i = 0; i < a->app->nquestions; i++) {
		q = &a->app->questions[i];
		answer = &a->v[i];
		if (answer->text)
			check(a, q, answer);
		else if (answer->given)
			continue;
		else if (tw_yunohost_is_required(q))
			tw_diags_add(a->ds, 0, 0, q->ask, "%s needs %s%s%s",
			    a->app->id, q->id, q->ask ? "" : W_(", of type "),
			    q->ask ? "" : q->type_word);
		else if (!q->conditional && q->type != TW_YUNOHOST_SHOWN)
			answer->text = q->fallback;
	}
}

/* Room is there: each byte takes three at most. */
static void add_quoted(struct tw_buf *out, const char *s, size_t n)
{
	static const char hex[] = "0123456789ABCDEF";
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-~/";
	size_t i;

	for (i = 0; i < n; i++) {
		if (strchr(plain, s[i])) {
			tw_buf_addc(out, s[i]);
			continue;
		}
		tw_buf_addc(out, '%');
		tw_buf_addc(out, hex[(unsigned char)s[i] >> 4]);
		tw_buf_addc(out, hex[(unsigned char)s[i] & 15]);
	}
}

static void add_answer(struct tw_buf *out,
    const struct tw_yunohost_question *q, const char *text)
{
	size_t n = strlen(text);

	if (q->type == TW_YUNOHOST_BOOLEAN && n) {
		text = tw_yunohost_is_yes(q, text) ? "1" : "0";
		n = 1;
	}
	while (q->type == TW_YUNOHOST_PATH && n > 1 && text[n - 1] == '/')
		n--;
	add_quoted(out, q->id, strlen(q->id));
	tw_buf_addc(out, '=');
	add_quoted(out, text, n);
}

static void write_all(const struct args *a, struct tw_buf *out)
{
	size_t room = 0, start = out->len, i;

	for (i = 0; i < a->app->nquestions; i++)
		if (a->v[i].text)
			room += 3 * (strlen(a->v[i].text) +
			    strlen(a->app->questions[i].id)) + 2;
	if (!tw_buf_reserve(out, room + 1))
		return;
	for (i = 0; i < a->app->nquestions; i++) {
		if (!a->v[i].text)
			continue;
		if (out->len > start)
			tw_buf_addc(out, '&');
		add_answer(out, &a->app->questions[i], a->v[i].text);
	}
}

enum tw_status tw_yunohost_args(const struct tw_yunohost_app *app,
    const struct tw_param_given *given, size_t n, struct tw_diags *ds,
    struct tw_buf *out, struct tw_err *err)
{
	struct args a = { .app = app, .ds = ds };
	enum tw_status st;
	size_t room = 1, i;

	for (i = 0; i < n; i++)
		room += given[i].len + 1;
	if (!app->has_questions) {
		tw_diags_add(ds, 0, 0, N_("import a checkout that holds its "
		    "manifest.toml"), "what %s asks is not known", app->id);
		return tw_diags_check(ds, TW_USAGE, err);
	}
	/* At once: a buffer that grows leaves copies behind. */
	if (!tw_buf_reserve(&a.copies, room))
		return tw_err_nomem(err);
	for (i = 0; i < n; i++)
		take(&a, &given[i]);
	settle(&a);
	st = tw_diags_check(ds, TW_USAGE, err);
	if (st == TW_OK) {
		write_all(&a, out);
		st = tw_buf_check(out, err);
	}
	explicit_bzero(a.copies.data, a.copies.cap);
	tw_buf_release(&a.copies);
	return st;
}
