/*
 * targets_eval.c - TARGETS: which of the existing hosts an expression selects
 *
 * Names are looked up in a sorted index; a pattern or a label walks over all
 * items.  Everything that matches nothing is collected first and reported in
 * one error.
 */
#include <fnmatch.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/targets_private.h"

#define MISSING_TEXT_MAX 450	/* bytes of each list in the message */

struct missing {		/* a list for the message, cut when long */
	struct tw_buf text;
	size_t ncut;
};

struct evaluation {
	const struct tw_target_item *items;
	size_t n;
	size_t *by_name;	/* indices of items, sorted by name */
	size_t *order;		/* indices selected, in order */
	size_t norder;
	bool *chosen, *gone;	/* per item */
	struct missing hosts, patterns;
};

static int compare_items(const void *a, const void *b, void *items)
{
	const struct tw_target_item *item = items;

	return strcmp(item[*(const size_t *)a].name,
	    item[*(const size_t *)b].name);
}

static bool find_name(const struct evaluation *e, const char *name,
    size_t *index)
{
	size_t lo = 0, hi = e->n, mid;
	int c;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		c = strcmp(name, e->items[e->by_name[mid]].name);
		if (c == 0) {
			*index = e->by_name[mid];
			return true;
		}
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return false;
}

static void add_missing(struct missing *m, const char *what)
{
	if (m->ncut || m->text.len + strlen(what) > MISSING_TEXT_MAX)
		m->ncut++;
	else
		tw_buf_addf(&m->text, "%s%s", m->text.len ? ", " : "", what);
}

static void mark(struct evaluation *e, const struct target_word *w, size_t i)
{
	if (w && w->is_negative) {
		e->gone[i] = true;
	} else if (!e->chosen[i]) {
		e->chosen[i] = true;
		e->order[e->norder++] = i;
	}
}

bool tw_target_item_has(const struct tw_target_item *item, const char *label)
{
	const char *const *l;

	for (l = item->labels; l && *l; l++)
		if (strcmp(*l, label) == 0)
			return true;
	return false;
}

/* Marks what a pattern, or with NULL the word's label, matches. */
static void mark_matches(struct evaluation *e, const struct target_word *w,
    const char *pattern)
{
	bool any = false, hit;
	size_t i;

	for (i = 0; i < e->n; i++) {
		hit = pattern ? fnmatch(pattern, e->items[i].name, 0) == 0 :
		    tw_target_item_has(&e->items[i], w->source + 1);
		if (!hit)
			continue;
		any = true;
		mark(e, w, i);
	}
	if (!any)
		add_missing(&e->patterns, pattern ? pattern : w->source);
}

static void eval_word(struct evaluation *e, const struct target_word *w)
{
	char name[TW_NAME_MAX + 1];
	size_t i, index;

	if (w->is_label) {
		mark_matches(e, w, NULL);
		return;
	}
	for (i = 0; i < w->count; i++) {
		tw_target_word_name(w, i, name);
		if (w->is_glob)
			mark_matches(e, w, name);
		else if (find_name(e, name, &index))
			mark(e, w, index);
		else
			add_missing(&e->hosts, name);
	}
}

static enum tw_status start(struct evaluation *e)
{
	size_t i;

	/* One more than needed: calloc(0) may be NULL. */
	e->by_name = calloc(e->n + 1, sizeof *e->by_name);
	e->order = calloc(e->n + 1, sizeof *e->order);
	e->chosen = calloc(e->n + 1, sizeof *e->chosen);
	e->gone = calloc(e->n + 1, sizeof *e->gone);
	if (!e->by_name || !e->order || !e->chosen || !e->gone)
		return TW_NOMEM;
	for (i = 0; i < e->n; i++)
		e->by_name[i] = i;
	qsort_r(e->by_name, e->n, sizeof *e->by_name, compare_items,
	    (void *)(uintptr_t)e->items);
	return TW_OK;
}

static void print_missing(struct tw_buf *b, const char *title,
    const struct missing *m)
{
	if (!m->text.len && !m->ncut)
		return;
	tw_buf_addf(b, "%s%s: %s", b->len ? "; " : "", title,
	    tw_buf_str(&m->text));
	if (m->ncut)
		tw_buf_addf(b, "%s%zu%s", W_(" and "), m->ncut,
		    W_(" more"));
}

static enum tw_status check_missing(const struct evaluation *e,
    struct tw_err *err)
{
	struct tw_buf b = TW_BUF_INIT;
	enum tw_status s = TW_OK;

	print_missing(&b, W_("unknown host"), &e->hosts);
	print_missing(&b, W_("no host matches"), &e->patterns);
	if (b.failed || e->hosts.text.failed || e->patterns.text.failed)
		s = tw_err_nomem(err);
	else if (b.len)
		s = tw_err_set(err, TW_NO, "%s", b.data);
	tw_buf_release(&b);
	return s;
}

enum tw_status tw_targets_eval(const struct tw_targets *t,
    const struct tw_target_item *items, size_t n, size_t **out,
    size_t *nout, struct tw_err *err)
{
	struct evaluation e = { .items = items, .n = n };
	enum tw_status s;
	bool only_negative = true;
	size_t i, kept = 0;

	*out = NULL;
	*nout = 0;
	s = start(&e);
	if (s) {
		tw_err_nomem(err);
		goto out;
	}
	for (i = 0; i < t->nwords; i++) {
		only_negative &= t->words[i].is_negative;
		eval_word(&e, &t->words[i]);
	}
	s = check_missing(&e, err);
	if (s)
		goto out;
	for (i = 0; only_negative && i < n; i++)
		mark(&e, NULL, i);
	for (i = 0; i < e.norder; i++)
		if (!e.gone[e.order[i]])
			e.order[kept++] = e.order[i];
	*out = e.order;
	*nout = kept;
	e.order = NULL;
out:
	tw_buf_release(&e.hosts.text);
	tw_buf_release(&e.patterns.text);
	free(e.by_name);
	free(e.order);
	free(e.chosen);
	free(e.gone);
	return s;
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* True when sorted, a NULL-terminated vector of n strings, holds name. */
static bool holds(char **sorted, size_t n, const char *name)
{
	return bsearch(&name, sorted, n, sizeof *sorted, compare_strings);
}

/* All names of the words with this sign, in order, duplicates too. */
static char **expand(const struct tw_targets *t, bool negative, size_t *n)
{
	char name[TW_NAME_MAX + 1], **v;
	size_t i, k, count = 0;

	*n = 0;
	v = calloc(t->count + 1, sizeof *v);
	for (i = 0; v && i < t->nwords; i++) {
		if (t->words[i].is_negative != negative)
			continue;
		for (k = 0; k < t->words[i].count; k++) {
			tw_target_word_name(&t->words[i], k, name);
			v[count] = strdup(name);
			if (!v[count++]) {
				tw_strv_free(v);
				return NULL;
			}
		}
	}
	*n = count;
	return v;
}

static int compare_places(const void *a, const void *b, void *names)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	char *const *v = names;
	int c = strcmp(v[x], v[y]);

	return c ? c : (x > y) - (x < y);
}

/* Frees and closes up the names that stood before or are in minus. */
static bool thin_out(char **v, size_t n, char **minus, size_t nminus)
{
	size_t *place = calloc(n + 1, sizeof *place), i, kept = 0;
	bool *drop = calloc(n + 1, sizeof *drop), ok = place && drop;

	for (i = 0; ok && i < n; i++)
		place[i] = i;
	if (ok)
		qsort_r(place, n, sizeof *place, compare_places, v);
	for (i = 0; ok && i < n; i++)
		drop[place[i]] = holds(minus, nminus, v[place[i]]) ||
		    (i && strcmp(v[place[i - 1]], v[place[i]]) == 0);
	for (i = 0; ok && i < n; i++) {
		if (drop[i])
			free(v[i]);
		else
			v[kept++] = v[i];
	}
	if (ok)
		v[kept] = NULL;
	free(place);
	free(drop);
	return ok;
}

enum tw_status tw_targets_names(const struct tw_targets *t, char ***out,
    struct tw_err *err)
{
	char **plus = NULL, **minus = NULL;
	size_t i, nplus, nminus;
	enum tw_status s = TW_OK;

	*out = NULL;
	for (i = 0; i < t->nwords; i++)
		if (t->words[i].is_glob || t->words[i].is_label)
			return tw_err_set(err, TW_USAGE, "bad target '%s': "
			    "only names and ranges can be used here",
			    t->words[i].source);
	plus = expand(t, false, &nplus);
	minus = expand(t, true, &nminus);
	if (plus && minus)
		qsort(minus, nminus, sizeof *minus, compare_strings);
	if (!plus || !minus || !thin_out(plus, nplus, minus, nminus)) {
		s = tw_err_nomem(err);
		goto out;
	}
	*out = plus;
	plus = NULL;
out:
	tw_strv_free(plus);
	tw_strv_free(minus);
	return s;
}

void tw_strv_free(char **v)
{
	size_t i;

	for (i = 0; v && v[i]; i++)
		free(v[i]);
	free(v);
}
