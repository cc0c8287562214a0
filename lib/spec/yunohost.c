/* yunohost.c - YunoHost's catalogue of apps: the apps; see yunohost.h */
#include "spec/yunohost_private.h"

#include <stdlib.h>
#include <string.h>

#include "spec/utf8.h"

static const char lower[] = "abcdefghijklmnopqrstuvwxyz";
static const char digits[] = "0123456789";

bool tw_yunohost_id_ok(const char *s)
{
	size_t n = strlen(s), i;

	if (n == 0 || n > TW_YUNOHOST_ID_MAX || strstr(s, "__"))
		return false;
	for (i = 0; i < n; i++)
		if (!strchr(lower, s[i]) && !strchr(digits, s[i]) &&
		    (i == 0 || !strchr("_-", s[i])))
			return false;
	return true;
}

struct tw_yunohost_catalog *tw_yunohost_new(size_t n)
{
	struct tw_yunohost_catalog *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->apps = tw_arena_alloc(&c->arena, (n ? n : 1) * sizeof *c->apps);
	if (!c->apps) {
		tw_yunohost_free(c);
		return NULL;
	}
	return c;
}

void tw_yunohost_free(struct tw_yunohost_catalog *c)
{
	if (!c)
		return;
	tw_arena_release(&c->arena);
	free(c);
}

static int by_id(const void *a, const void *b)
{
	const struct tw_yunohost_app *x = a, *y = b;

	return strcmp(x->id, y->id);
}

void tw_yunohost_sort(struct tw_yunohost_catalog *c, struct tw_diags *ds)
{
	struct tw_quote q;
	size_t i;

	qsort(c->apps, c->n, sizeof *c->apps, by_id);
	for (i = 1; i < c->n; i++)
		if (by_id(&c->apps[i - 1], &c->apps[i]) == 0)
			tw_diags_add(ds, 0, 0, NULL, "app %s is there twice",
			    tw_quote(&q, c->apps[i].id,
			    strlen(c->apps[i].id)));
}

const struct tw_yunohost_app *tw_yunohost_find(
    const struct tw_yunohost_catalog *c, const char *id)
{
	struct tw_yunohost_app key = { .id = id };

	return bsearch(&key, c->apps, c->n, sizeof key, by_id);
}

enum tw_status tw_yunohost_done(struct tw_yunohost_read *r,
    struct tw_yunohost_catalog *c, struct tw_yunohost_catalog **out,
    struct tw_err *err)
{
	enum tw_status st = r->nomem ? tw_err_nomem(err) :
	    tw_diags_check(r->ds, TW_DATA, err);

	if (st == TW_OK)
		*out = c;
	else
		tw_yunohost_free(c);
	return st;
}

void tw_yunohost_app_init(struct tw_yunohost_app *a)
{
	*a = (struct tw_yunohost_app){
		.level = -1,
		.disk = -1,
		.ram_build = -1,
		.ram_runtime = -1,
		.maintained = true,
	};
}

const char *tw_yunohost_copy(struct tw_yunohost_read *r, const char *s)
{
	const char *copy = tw_arena_copy(r->arena, s, strlen(s));

	if (!copy)
		r->nomem = true;
	return copy;
}

void tw_yunohost_line(struct tw_yunohost_read *r,
    const struct tw_tree_node *table, const char *key, size_t max,
    const char **out)
{
	const char *s;

	if (tw_tree_line(table, key, max, &s, r->ds))
		*out = tw_yunohost_copy(r, s);
}

static bool is_word(const struct tw_tree_node *n)
{
	return n->type == TW_TREE_TEXT && n->len > 0 &&
	    n->len <= TW_YUNOHOST_NAME_MAX && tw_tree_is_line(n->text, n->len);
}

void tw_yunohost_words(struct tw_yunohost_read *r,
    const struct tw_tree_node *table, const char *key,
    struct tw_yunohost_words *out)
{
	const struct tw_tree_node *list, *item;
	const char **v;

	if (!tw_tree_list(table, key, &list, r->ds) || list->count == 0)
		return;
	if (list->count > TW_YUNOHOST_LIST_MAX) {
		tw_tree_bad(r->ds, list, NULL, "has %zu items, more than %d",
		    list->count, TW_YUNOHOST_LIST_MAX);
		return;
	}
	v = tw_arena_alloc(r->arena, list->count * sizeof *v);
	if (!v) {
		r->nomem = true;
		return;
	}
	for (item = list->first; item; item = item->next) {
		if (!is_word(item)) {
			tw_tree_bad(r->ds, item, NULL, "must be one line of "
			    "text, 1 to %d bytes", TW_YUNOHOST_NAME_MAX);
			continue;
		}
		v[out->n] = tw_yunohost_copy(r, item->text);
		if (v[out->n])
			out->n++;
	}
	out->v = v;
}

/* The text without blanks at its ends, each run of blanks and line breaks
 * inside as one blank (the catalogue's people write over several lines), what
 * must not reach a terminal as '?'. */
static const char *one_line(struct tw_yunohost_read *r, const char *s,
    size_t len)
{
	char *line = tw_arena_alloc(r->arena, len + 1);
	size_t n = 0, i, step;
	uint32_t cp = 0;

	if (!line) {
		r->nomem = true;
		return NULL;
	}
	for (i = 0; i < len; i += step) {
		step = tw_utf8_next(s + i, len - i, &cp);
		if (strchr(" \t\r\n", s[i])) {
			if (n && line[n - 1] != ' ')
				line[n++] = ' ';
			continue;
		}
		if (!step || !tw_utf8_is_plain(cp)) {
			line[n++] = '?';
			step = step ? step : 1;
			continue;
		}
		memcpy(line + n, s + i, step);
		n += step;
	}
	while (n && line[n - 1] == ' ')
		n--;
	line[n] = '\0';
	return line;
}

void tw_yunohost_translated(struct tw_yunohost_read *r,
    const struct tw_tree_node *table, const char *key, const char **out)
{
	const struct tw_tree_node *n = tw_tree_get(table, key);

	if (n && n->type == TW_TREE_TABLE) {
		table = n;
		n = tw_tree_get(table, "en");
		if (!n)
			n = table->first;
	}
	if (!n || n->type == TW_TREE_NULL)
		return;
	if (n->type != TW_TREE_TEXT)
		tw_tree_bad(r->ds, n, NULL, "must be a text, not %s",
		    tw_tree_type_word(n->type));
	else if (n->len > TW_YUNOHOST_TEXT_MAX)
		tw_tree_bad(r->ds, n, NULL, "has %zu bytes, more than %zu",
		    n->len, TW_YUNOHOST_TEXT_MAX);
	else
		*out = one_line(r, n->text, n->len);
}

/* Has been "?" or null for apps that no test has seen yet. */
static void read_level(struct tw_yunohost_read *r,
    const struct tw_tree_node *table, struct tw_yunohost_app *a)
{
	const struct tw_tree_node *n = tw_tree_get(table, "level");
	int64_t level;

	if (!n || (n->type == TW_TREE_TEXT && strcmp(n->text, "?") == 0))
		return;
	if (!tw_tree_integer(table, "level", &level, r->ds))
		return;
	if (level < -1 || level > 10)
		tw_tree_bad(r->ds, n, NULL, "must be -1 to 10");
	else
		a->level = (int)level;
}

static bool has_word(const struct tw_yunohost_words *w, const char *s)
{
	size_t i;

	for (i = 0; i < w->n; i++)
		if (strcmp(w->v[i], s) == 0)
			return true;
	return false;
}

void tw_yunohost_entry(struct tw_yunohost_read *r,
    const struct tw_tree_node *n, struct tw_yunohost_app *a)
{
	const struct tw_tree_node *state = tw_tree_get(n, "state");

	if (!state || state->type == TW_TREE_NULL)
		tw_tree_bad(r->ds, n, NULL, "has no state");
	tw_yunohost_line(r, n, "state", TW_YUNOHOST_WORD_MAX, &a->state);
	tw_yunohost_line(r, n, "category", TW_YUNOHOST_WORD_MAX,
	    &a->category);
	read_level(r, n, a);
	tw_yunohost_words(r, n, "subtags", &a->subtags);
	tw_yunohost_words(r, n, "antifeatures", &a->antifeatures);
	tw_tree_boolean(n, "high_quality", &a->high_quality, r->ds);
	/* apps.json says it; from apps.toml it is computed like this. */
	a->maintained = !has_word(&a->antifeatures, "package-not-maintained");
	tw_tree_boolean(n, "maintained", &a->maintained, r->ds);
}

static bool only(const char *s, const char *others)
{
	static const char upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	for (; *s; s++)
		if (!strchr(lower, *s) && !strchr(upper, *s) &&
		    !strchr(digits, *s) && !strchr(others, *s))
			return false;
	return true;
}

/* As YunoHost's own APP_REPO_URL (src/app.py): nothing that a shell, git or a
 * terminal could take for more than a URL. */
static bool url_ok(const char *s)
{
	static const char scheme[] = "https://";
	const char *host = s + sizeof scheme - 1;

	return strncmp(s, scheme, sizeof scheme - 1) == 0 &&
	    only(host, "-_./~:") && host[strcspn(host, "/")] == '/' &&
	    strspn(host, "-/.:") == 0 && !strstr(host, "..");
}

static bool branch_ok(const char *s)
{
	return only(s, "-_./") && *s != '-' && *s != '/' && !strstr(s, "..");
}

void tw_yunohost_git(struct tw_yunohost_read *r, const struct tw_tree_node *n,
    struct tw_yunohost_app *a)
{
	tw_yunohost_line(r, n, "url", TW_YUNOHOST_URL_MAX, &a->url);
	tw_yunohost_line(r, n, "branch", TW_YUNOHOST_NAME_MAX, &a->branch);
	tw_yunohost_line(r, n, "revision", TW_YUNOHOST_NAME_MAX,
	    &a->revision);
	if (!tw_tree_get(n, "url"))
		tw_tree_bad(r->ds, n, NULL, "has no url");
	if (a->url && !url_ok(a->url))
		tw_tree_bad(r->ds, tw_tree_get(n, "url"), NULL,
		    "must be an https URL of letters, digits and -_./~:");
	if (a->branch && !branch_ok(a->branch))
		tw_tree_bad(r->ds, tw_tree_get(n, "branch"), NULL,
		    "is no name of a branch");
	if (a->revision && !branch_ok(a->revision))
		tw_tree_bad(r->ds, tw_tree_get(n, "revision"), NULL,
		    "is no name of a revision");
}
