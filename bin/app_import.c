/* app_import.c - YunoHost's catalogue into the tower's; see app.h */
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app.h"
#include "base/io.h"
#include "base/json.h"
#include "fetch.h"
#include "fetch/fetch.h"
#include "file.h"
#include "filing.h"
#include "gate.h"
#include "model/grant.h"
#include "spec/arena.h"
#include "spec/yunohost.h"

#define CATALOG_MAX ((size_t)32 << 20)	/* bytes of apps.json */

struct source {			/* what is read, and the hash of all of it */
	const char *dir;	/* a checkout, or NULL: */
	struct tw_buf *text;	/* apps.toml alone */
	struct tw_sha256 *hash;
};

/* For tw_yunohost_checkout(): TW_NO where there is no such file. */
static enum tw_status read_checkout(void *arg, const char *path,
    struct tw_buf *out, struct tw_err *err)
{
	struct source *s = arg;
	struct tw_buf full = TW_BUF_INIT;
	size_t had = out->len;
	enum tw_status st;
	struct stat is;

	if (!s->dir) {
		if (strcmp(path, "apps.toml") != 0)
			return TW_NO;
		tw_buf_add(out, s->text->data, s->text->len);
		return tw_buf_check(out, err);
	}
	tw_buf_addf(&full, "%s/%s", s->dir, path);
	st = tw_buf_check(&full, err);
	if (!st && lstat(full.data, &is) != 0)
		st = tw_err_set(err, TW_NO, "%s is not there", path);
	if (!st)
		st = tw_io_read_file(full.data, out, err);
	tw_buf_release(&full);
	if (!st)
		tw_sha256_add(s->hash, out->data + had, out->len - had);
	return st;
}

static bool is_json(const struct tw_buf *b)
{
	size_t i = 0;

	while (i < b->len && isspace((unsigned char)b->data[i]))
		i++;
	return i < b->len && b->data[i] == '{';
}

/* The parts of PATH: a directory, or the text of a file or an address. */
static enum tw_status open_source(struct tw_cli *cli, const char *path,
    struct source *s, struct tw_err *err)
{
	struct tower *t = cli->context;
	enum tw_status st;
	struct stat is;

	s->text->max = CATALOG_MAX;
	if (tw_fetch_is_url(path)) {
		/* the tower goes nowhere for those who may not import */
		st = tw_may(t->store, &t->who, TW_MAY_CHANGE, NULL, err);
		if (!st)
			st = fetch_url(cli, path, CATALOG_MAX, s->text, err);
		goto out;
	}
	if (strcmp(path, "-") != 0 && !gate_is_there() &&
	    stat(path, &is) == 0 && S_ISDIR(is.st_mode)) {
		s->dir = path;
		return TW_OK;
	}
	st = gate_read(path, s->text, err);
	if (st == TW_CONFIG)	/* an input file, not the state */
		st = err->status = TW_DATA;
out:
	if (!st && s->text->len)
		tw_sha256_add(s->hash, s->text->data, s->text->len);
	return st;
}

/* --- an app as the state keeps it ---------------------------------------------------- */

/* The members of an object, each absent where there is nothing to say. */
struct text {
	const char *key, *text;
};
static void set_texts(json_t *o, const struct text *v, size_t n)
{
	for (; n; n--, v++)
		if (v->text)
			json_object_set_new(o, v->key, json_string(v->text));
}

struct number {
	const char *key;
	bool is_there;
	int64_t n;
};
static void set_numbers(json_t *o, const struct number *v, size_t n)
{
	for (; n; n--, v++)
		if (v->is_there)
			json_object_set_new(o, v->key, json_integer(v->n));
}

struct flag {
	const char *key;
	bool flag;
};
static void set_flags(json_t *o, const struct flag *v, size_t n)
{
	for (; n; n--, v++)
		json_object_set_new(o, v->key, json_boolean(v->flag));
}

static void set_words(json_t *o, const char *key,
    const struct tw_yunohost_words *w)
{
	json_t *list;
	size_t i;

	if (w->n == 0)
		return;
	list = json_array();
	for (i = 0; i < w->n; i++)
		json_array_append_new(list, json_string(w->v[i]));
	json_object_set_new(o, key, list);
}

#define COUNT(a) (sizeof (a) / sizeof *(a))

static json_t *question(const struct tw_yunohost_question *q)
{
	const struct text texts[] = {
		{ "id", q->id },
		{ "type", q->type == TW_YUNOHOST_SHOWN ? "display_text" :
		    q->type_word },
		{ "ask", q->ask },
		{ "help", q->help }, { "example", q->example },
		{ "default", q->fallback }, { "pattern", q->pattern },
		{ "yes", q->yes }, { "no", q->no },
	};
	const struct number numbers[] = {
		{ "min", q->has_min, q->min }, { "max", q->has_max, q->max },
	};
	const struct flag flags[] = {
		{ "optional", q->optional },
		{ "conditional", q->conditional },
	};
	json_t *o = json_object();

	set_texts(o, texts, COUNT(texts));
	set_words(o, "choices", &q->choices);
	set_numbers(o, numbers, COUNT(numbers));
	set_flags(o, flags, COUNT(flags));
	return o;
}

static void set_questions(json_t *o, const struct tw_yunohost_app *a)
{
	json_t *list;
	size_t i;

	if (!a->has_questions)
		return;
	list = json_array();
	for (i = 0; i < a->nquestions; i++)
		json_array_append_new(list, question(&a->questions[i]));
	json_object_set_new(o, "questions", list);
}

/* Lack of memory shows at the end. */
static char *detail(const struct tw_yunohost_app *a)
{
	const struct text texts[] = {
		{ "url", a->url && a->url[0] ? a->url : NULL },
		{ "branch", a->branch },
		{ "revision", a->revision }, { "yunohost", a->yunohost },
	};
	const struct number sizes[] = {
		{ "disk", a->disk >= 0, a->disk },
		{ "ram_build", a->ram_build >= 0, a->ram_build },
		{ "ram_runtime", a->ram_runtime >= 0, a->ram_runtime },
	};
	const struct flag flags[] = {
		{ "multi_instance", a->multi_instance },
		{ "high_quality", a->high_quality },
		{ "maintained", a->maintained },
		{ "has_data_dir", a->has_data_dir },
		{ "ram_swap", a->ram_swap },
	};
	size_t mark = tw_json_mark();
	json_t *o = json_object();
	char *out;

	set_texts(o, texts, COUNT(texts));
	set_numbers(o, sizes, COUNT(sizes));
	set_words(o, "subtags", &a->subtags);
	set_words(o, "antifeatures", &a->antifeatures);
	set_flags(o, flags, COUNT(flags));
	set_questions(o, a);
	out = tw_json_dump(o, JSON_COMPACT | JSON_PRESERVE_ORDER, mark);
	json_decref(o);
	return out;
}

struct entries {		/* release with entries_release() */
	struct tw_app_entry *v;
	char **owned;		/* two for each: detail, archs */
	size_t n;
};

static void entries_release(struct entries *e)
{
	size_t i;

	for (i = 0; e->owned && i < 2 * e->n; i++)
		free(e->owned[i]);
	free(e->owned);
	free(e->v);
}

static enum tw_status make_entry(const struct tw_yunohost_app *a,
    struct tw_app_entry *e, char **owned, struct tw_err *err)
{
	const struct tw_yunohost_words *w = &a->architectures;
	struct tw_buf archs = TW_BUF_INIT;
	size_t i;

	for (i = 0; i < w->n; i++)
		tw_buf_addf(&archs, "%s%s", i ? "," : "", w->v[i]);
	owned[0] = detail(a);
	if (w->n)
		owned[1] = tw_buf_detach(&archs);
	if (!owned[0] || (w->n && !owned[1]))
		return tw_err_nomem(err);
	*e = (struct tw_app_entry){
		.name = a->id, .version = a->version, .title = a->name,
		.description = a->description, .state = a->state,
		.category = a->category, .archs = owned[1],
		.detail = owned[0], .level = a->level,
	};
	return TW_OK;
}

/* --- a manifest ------------------------------------------------------------------------ */

bool app_is_manifest(const struct tw_buf *b)
{
	static const char key[] = "packaging_format";
	const char *p = tw_buf_str(b);

	for (; p; p = strchr(p, '\n')) {
		p += strspn(p, "\n");
		if (strncmp(p, key, sizeof key - 1) == 0)
			return true;
	}
	return false;
}

/* A manifest does not say what the catalogue thinks of the app, nor where it
 * comes from. */
static enum tw_status keep_known(const struct tw_app *had,
    struct tw_app_entry *e, char **owned, struct tw_err *err)
{
	json_t *old = had->detail ? json_loads(had->detail, 0, NULL) : NULL;
	json_t *o = json_loads(e->detail, 0, NULL);
	static const char *const keys[] = { "url", "branch", "revision",
		"subtags", "antifeatures", "high_quality", "maintained" };
	size_t i;

	e->state = had->state;
	e->category = had->category;
	e->level = had->level;
	for (i = 0; i < sizeof keys / sizeof *keys; i++)
		if (json_object_get(old, keys[i]))
			json_object_set(o, keys[i],
			    json_object_get(old, keys[i]));
	free(owned[0]);
	e->detail = owned[0] = o ? json_dumps(o, JSON_COMPACT |
	    JSON_PRESERVE_ORDER) : NULL;
	json_decref(old);
	json_decref(o);
	return owned[0] ? TW_OK : tw_err_nomem(err);
}

static enum tw_status put_manifest(struct tw_cli *cli,
    const struct tw_yunohost_app *a, const struct tw_buf *text,
    struct tw_err *err)
{
	struct tower *t = cli->context;
	uint8_t hash[TW_SHA256_LEN];
	char *owned[2] = { NULL, NULL };
	struct tw_app had = { 0 };
	struct tw_app_entry e;
	bool again = false;
	enum tw_status st;

	st = make_entry(a, &e, owned, err);
	if (!st)
		st = tw_app_get(t->store, &t->who, a->id, NULL,
		    TW_APP_YUNOHOST, &had, err);
	if (!st)
		st = keep_known(&had, &e, owned, err);
	else if (st == TW_NO)
		st = TW_OK;
	tw_sha256(text->data, text->len, hash);
	if (!st)
		st = tw_app_manifest(t->store, &t->who, &e, hash, &again,
		    err);
	if (!st)
		printf("%s@%s\n", a->id, a->version ? a->version : "");
	if (!st && again)
		tw_cli_say(cli, "it was there already");
	tw_app_release(&had);
	free(owned[0]);
	free(owned[1]);
	return st;
}

enum tw_status app_manifest(struct tw_cli *cli, const char *name,
    const struct tw_buf *text, struct tw_err *err)
{
	struct tw_yunohost_catalog *c = NULL;
	struct tw_diags ds = { .file = name };
	enum tw_status st;

	st = tw_yunohost_manifest(tw_buf_str(text), text->len, &ds, &c, err);
	if (st)
		change_file_problems(cli, &ds, err);
	else
		st = put_manifest(cli, c->apps, text, err);
	err->msg[0] = st ? err->msg[0] : '\0';
	tw_yunohost_free(c);
	tw_diags_release(&ds);
	return st;
}

/* --- all of them -------------------------------------------------------------------------- */

static enum tw_status make_entries(const struct tw_yunohost_catalog *c,
    struct entries *e, struct tw_err *err)
{
	enum tw_status st = TW_OK;
	size_t i;

	e->v = calloc(c->n + 1, sizeof *e->v);
	e->owned = calloc(2 * c->n + 1, sizeof *e->owned);
	if (!e->v || !e->owned)
		return tw_err_nomem(err);
	e->n = c->n;
	for (i = 0; i < c->n && !st; i++)
		st = make_entry(&c->apps[i], &e->v[i], &e->owned[2 * i], err);
	return st;
}

/* --- import ------------------------------------------------------------------------------ */

static enum tw_status read_catalog(struct tw_cli *cli, const char *path,
    struct source *s, struct tw_yunohost_catalog **out, struct tw_err *err)
{
	const struct tw_spec_reader reader = { .read = read_checkout,
	    .arg = s };
	struct tw_arena names = { NULL };
	struct tw_diags ds = { 0 };
	enum tw_status st;

	ds.file = strcmp(path, "-") == 0 ? "standard input" : path;
	if (!s->dir && is_json(s->text))
		st = tw_yunohost_json(tw_buf_str(s->text), s->text->len, &ds,
		    out, err);
	else
		st = tw_yunohost_checkout(&reader, &names, &ds, out, err);
	if (st)
		change_file_problems(cli, &ds, err);
	tw_diags_release(&ds);
	tw_arena_release(&names);
	return st;
}

static enum tw_status import(struct tw_cli *cli,
    const struct tw_yunohost_catalog *c, const struct source *s,
    struct tw_err *err)
{
	struct tower *t = cli->context;
	uint8_t hash[TW_SHA256_LEN];
	struct tw_app_import r;
	struct entries e = { 0 };
	enum tw_status st;

	tw_sha256_get(s->hash, hash);
	st = make_entries(c, &e, err);
	if (!st)
		st = tw_app_import(t->store, &t->who, e.v, e.n, hash, &r,
		    err);
	entries_release(&e);
	if (!st)
		tw_cli_say(cli, "%zu apps: %zu added, %zu changed, %zu "
		    "removed", c->n, r.added, r.changed, r.removed);
	return st;
}

int app_import(struct tw_cli *cli, int argc, char **argv)
{
	struct tw_buf text = TW_BUF_INIT;
	struct tw_yunohost_catalog *c = NULL;
	struct source s = { .text = &text, .hash = tw_sha256_new() };
	struct tw_err err = { 0 };
	enum tw_status st;

	(void)argc;
	st = s.hash ? open_source(cli, argv[0], &s, &err) : tw_err_nomem(&err);
	if (!st)
		st = read_catalog(cli, argv[0], &s, &c, &err);
	if (!st)
		st = import(cli, c, &s, &err);
	tw_yunohost_free(c);
	tw_buf_release(&text);
	tw_sha256_free(s.hash);
	return filing_finish(cli, st, &err);
}
