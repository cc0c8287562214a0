/*
 * yunohost_question.c - YunoHost's catalogue of apps: the questions of an
 * install; see yunohost.h
 *
 * The types and what they hold are those of YunoHost's documentation of forms
 * and of its src/utils/form.py.
 */
#include "spec/yunohost_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ID_MAX 64		/* bytes of a question's id */

static const struct {
	const char *word;
	enum tw_yunohost_type type;
} types[] = {
	{ "string", TW_YUNOHOST_STRING },
	{ "text", TW_YUNOHOST_TEXT },
	{ "password", TW_YUNOHOST_PASSWORD },
	{ "color", TW_YUNOHOST_COLOR },
	{ "number", TW_YUNOHOST_NUMBER },
	{ "range", TW_YUNOHOST_NUMBER },
	{ "boolean", TW_YUNOHOST_BOOLEAN },
	{ "date", TW_YUNOHOST_DATE },
	{ "time", TW_YUNOHOST_TIME },
	{ "email", TW_YUNOHOST_EMAIL },
	{ "path", TW_YUNOHOST_PATH },
	{ "url", TW_YUNOHOST_URL },
	{ "file", TW_YUNOHOST_FILE },
	{ "select", TW_YUNOHOST_SELECT },
	{ "tags", TW_YUNOHOST_TAGS },
	{ "domain", TW_YUNOHOST_DOMAIN },
	{ "app", TW_YUNOHOST_APP },
	{ "user", TW_YUNOHOST_USER },
	{ "group", TW_YUNOHOST_GROUP },
	{ "display_text", TW_YUNOHOST_SHOWN },
	{ "markdown", TW_YUNOHOST_SHOWN },
	{ "alert", TW_YUNOHOST_SHOWN },
	{ "button", TW_YUNOHOST_SHOWN },
};

bool tw_yunohost_question_ok(const char *s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	size_t n = strlen(s);

	return n > 0 && n <= ID_MAX && strspn(s, letters) == n && *s != '-';
}

/* A value of any simple type as text, in buf where it has none; NULL with a
 * problem for others. */
static const char *as_text(struct tw_yunohost_read *r,
    const struct tw_tree_node *n, char buf[32])
{
	switch (n->type) {
	case TW_TREE_TEXT:
	case TW_TREE_TIME:
		if (n->len <= TW_YUNOHOST_TEXT_MAX)
			return n->text;
		tw_tree_bad(r->ds, n, NULL, "has %zu bytes, more than %zu",
		    n->len, TW_YUNOHOST_TEXT_MAX);
		return NULL;
	case TW_TREE_BOOLEAN:
		return n->boolean ? "1" : "0";
	case TW_TREE_INTEGER:
		snprintf(buf, 32, "%" PRId64, n->integer);
		return buf;
	case TW_TREE_FLOAT:
		snprintf(buf, 32, "%g", n->number);
		return buf;
	default:
		tw_tree_bad(r->ds, n, NULL, "must be a simple value, not %s",
		    tw_tree_type_word(n->type));
		return NULL;
	}
}

static void read_value(struct tw_yunohost_read *r,
    const struct tw_tree_node *table, const char *key, const char **out)
{
	const struct tw_tree_node *n = tw_tree_get(table, key);
	const char *s;
	char buf[32];

	if (!n || n->type == TW_TREE_NULL)
		return;
	s = as_text(r, n, buf);
	if (s && *s)
		*out = tw_yunohost_copy(r, s);
}

/* Of tags: a list, which YunoHost joins. */
static void read_default(struct tw_yunohost_read *r,
    const struct tw_tree_node *table, struct tw_yunohost_question *q)
{
	const struct tw_tree_node *n = tw_tree_get(table, "default");
	const struct tw_tree_node *item;
	struct tw_buf b = TW_BUF_INIT;
	const char *s;
	char buf[32];

	if (!n || n->type != TW_TREE_LIST) {
		read_value(r, table, "default", &q->fallback);
		return;
	}
	for (item = n->first; item; item = item->next) {
		s = as_text(r, item, buf);
		if (s)
			tw_buf_addf(&b, "%s%s", b.len ? "," : "", s);
	}
	if (b.failed)
		r->nomem = true;
	else if (b.len > TW_YUNOHOST_TEXT_MAX)
		tw_tree_bad(r->ds, n, NULL, "is too long");
	else if (b.len)
		q->fallback = tw_yunohost_copy(r, b.data);
	tw_buf_release(&b);
}

static void add_choice(struct tw_yunohost_read *r, const char **v, size_t *n,
    const char *s)
{
	v[*n] = tw_yunohost_copy(r, s);
	if (v[*n])
		++*n;
}

/* "a, b, c": YunoHost takes this too. */
static void split_choices(struct tw_yunohost_read *r, const char *s,
    const char **v, size_t *n)
{
	char one[TW_YUNOHOST_NAME_MAX + 1];
	size_t len;

	for (; *s && *n < TW_YUNOHOST_CHOICES_MAX; s += len) {
		s += strspn(s, ", ");
		len = strcspn(s, ",");
		if (len == 0 || len >= sizeof one)
			continue;
		snprintf(one, sizeof one, "%.*s", (int)len, s);
		add_choice(r, v, n, one);
	}
}

/* A list, a table (its keys are what is chosen), or a text with commas. */
static void read_choices(struct tw_yunohost_read *r,
    const struct tw_tree_node *table, struct tw_yunohost_words *out)
{
	const struct tw_tree_node *n = tw_tree_get(table, "choices"), *item;
	const char **v, *s;
	size_t room;
	char buf[32];

	if (!n || n->type == TW_TREE_NULL)
		return;
	if (n->type != TW_TREE_LIST && n->type != TW_TREE_TABLE &&
	    n->type != TW_TREE_TEXT) {
		tw_tree_bad(r->ds, n, NULL, "must be a list, not %s",
		    tw_tree_type_word(n->type));
		return;
	}
	if (n->count > TW_YUNOHOST_CHOICES_MAX) {
		tw_tree_bad(r->ds, n, NULL, "has %zu items, more than %d",
		    n->count, TW_YUNOHOST_CHOICES_MAX);
		return;
	}
	room = n->type == TW_TREE_TEXT ? TW_YUNOHOST_CHOICES_MAX : n->count;
	v = tw_arena_alloc(r->arena, (room + 1) * sizeof *v);
	if (!v) {
		r->nomem = true;
		return;
	}
	out->v = v;
	if (n->type == TW_TREE_TEXT)
		split_choices(r, n->text, v, &out->n);
	for (item = n->first; item; item = item->next) {
		s = item->key ? item->key : as_text(r, item, buf);
		if (s)
			add_choice(r, v, &out->n, s);
	}
}

static void read_type(struct tw_yunohost_read *r,
    const struct tw_tree_node *n, struct tw_yunohost_question *q)
{
	bool readonly = false;
	size_t i;

	q->type_word = tw_tree_get(n, "choices") ? "select" : "string";
	tw_yunohost_line(r, n, "type", TW_YUNOHOST_WORD_MAX, &q->type_word);
	q->type = TW_YUNOHOST_OTHER;
	for (i = 0; i < sizeof types / sizeof *types; i++)
		if (q->type_word && strcmp(types[i].word, q->type_word) == 0)
			q->type = types[i].type;
	/* As hydrate_option_type() in YunoHost. */
	if (q->type == TW_YUNOHOST_STRING && tw_tree_get(n, "choices"))
		q->type = TW_YUNOHOST_SELECT;
	tw_tree_boolean(n, "readonly", &readonly, r->ds);
	if (readonly)
		q->type = TW_YUNOHOST_SHOWN;
}

/* "visible" is a boolean or an expression over other answers. */
static void read_visible(struct tw_yunohost_read *r,
    const struct tw_tree_node *table, struct tw_yunohost_question *q)
{
	const struct tw_tree_node *n = tw_tree_get(table, "visible");
	bool visible = true;

	if (n && n->type == TW_TREE_TEXT)
		visible = false;
	else
		tw_tree_boolean(table, "visible", &visible, r->ds);
	q->conditional = !visible;
}

void tw_yunohost_question(struct tw_yunohost_read *r,
    const struct tw_tree_node *n, const char *id,
    struct tw_yunohost_question *q)
{
	const struct tw_tree_node *pattern = tw_tree_get(n, "pattern");

	q->id = tw_yunohost_copy(r, id);
	read_type(r, n, q);
	tw_yunohost_translated(r, n, "ask", &q->ask);
	tw_yunohost_translated(r, n, "help", &q->help);
	read_value(r, n, "example", &q->example);
	read_default(r, n, q);
	read_choices(r, n, &q->choices);
	tw_tree_boolean(n, "optional", &q->optional, r->ds);
	read_visible(r, n, q);
	if (pattern && pattern->type == TW_TREE_TABLE)
		read_value(r, pattern, "regexp", &q->pattern);
	else
		read_value(r, n, "pattern", &q->pattern);
	if (q->type == TW_YUNOHOST_NUMBER) {
		q->has_min = tw_tree_integer(n, "min", &q->min, r->ds);
		q->has_max = tw_tree_integer(n, "max", &q->max, r->ds);
	}
	if (q->type == TW_YUNOHOST_BOOLEAN) {
		read_value(r, n, "yes", &q->yes);
		read_value(r, n, "no", &q->no);
	}
	if (q->type == TW_YUNOHOST_PASSWORD && q->fallback)
		tw_tree_bad(r->ds, tw_tree_get(n, "default"), NULL,
		    "a password takes no default");
}

void tw_yunohost_questions(struct tw_yunohost_read *r,
    const struct tw_tree_node *manifest, struct tw_yunohost_app *a)
{
	const struct tw_tree_node *install, *n;
	int64_t format = 2;

	tw_tree_integer(manifest, "packaging_format", &format, r->ds);
	if (format != 2)
		return;
	a->has_questions = true;
	if (!tw_tree_table(manifest, "install", &install, r->ds) ||
	    install->count == 0)
		return;
	if (install->count > TW_YUNOHOST_QUESTIONS_MAX) {
		tw_tree_bad(r->ds, install, NULL,
		    "has %zu questions, more than %d", install->count,
		    TW_YUNOHOST_QUESTIONS_MAX);
		return;
	}
	a->questions = tw_arena_alloc(r->arena,
	    install->count * sizeof *a->questions);
	if (!a->questions) {
		r->nomem = true;
		return;
	}
	for (n = install->first; n; n = n->next) {
		if (!tw_yunohost_question_ok(n->key))
			tw_tree_bad(r->ds, n, NULL,
			    "is no name of a question");
		else if (n->type != TW_TREE_TABLE)
			tw_tree_bad(r->ds, n, NULL, "must be a table, not %s",
			    tw_tree_type_word(n->type));
		else
			tw_yunohost_question(r, n, n->key,
			    &a->questions[a->nquestions++]);
	}
}
