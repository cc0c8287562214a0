/* stats.c - the ended changes in figures; see history.h */
#include "model/history.h"

#include <stdlib.h>
#include <string.h>

#include "model/model_private.h"

struct group {
	struct tw_stats stats;
	struct tw_ids waits, runs;	/* milliseconds of each */
};

struct groups {
	enum tw_stats_by by;
	struct group *v;	/* sorted by name, one without comes last */
	size_t n, cap;
};

static int compare(const char *a, const char *b)
{
	if (!a || !b)
		return !a - !b;
	return strcmp(a, b);
}

/* The place of a name, its own or where it is to be. */
static size_t find(const struct groups *g, const char *name, bool *is_there)
{
	size_t low = 0, high = g->n, middle;
	int way;

	*is_there = false;
	while (low < high && !*is_there) {
		middle = low + (high - low) / 2;
		way = compare(name, g->v[middle].stats.name);
		*is_there = way == 0;
		if (way > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return high;
}

static enum tw_status group_of(struct groups *g, const char *name,
    struct group **out, struct tw_err *err)
{
	bool is_there;
	size_t cap, at = find(g, name, &is_there);
	struct group *more;
	char *copy;

	if (is_there) {
		*out = &g->v[at];
		return TW_OK;
	}
	if (!tw_text_dup(name, &copy))
		return tw_err_nomem(err);
	if (g->n == g->cap) {
		cap = g->cap ? g->cap * 2 : 32;
		more = reallocarray(g->v, cap, sizeof *more);
		if (!more) {
			free(copy);
			return tw_err_nomem(err);
		}
		g->v = more;
		g->cap = cap;
	}
	*out = g->v + at;
	memmove(*out + 1, *out, (g->n++ - at) * sizeof **out);
	memset(*out, 0, sizeof **out);
	(*out)->stats.name = copy;
	return TW_OK;
}

/* A clock that was set back makes no time negative. */
static enum tw_status add_span(struct tw_ids *spans, int64_t from, int64_t to,
    struct tw_err *err)
{
	return tw_ids_add(spans, to > from ? to - from : 0, err);
}

static enum tw_status on_change(void *arg, const struct tw_history_change *c,
    struct tw_err *err)
{
	struct groups *g = arg;
	const char *name = g->by == TW_STATS_HOST ? c->host :
	    g->by == TW_STATS_APP ? c->app : c->operator;
	struct group *group = NULL;
	enum tw_status status;

	status = group_of(g, name, &group, err);
	if (status != TW_OK)
		return status;
	group->stats.changes++;
	group->stats.ends[c->status]++;
	group->stats.retries += c->retries;
	group->stats.retried += c->is_retry;
	if (!c->started)
		return TW_OK;
	group->stats.ran++;
	status = add_span(&group->waits, c->joins, c->started, err);
	if (status == TW_OK)
		status = add_span(&group->runs, c->started, c->ended, err);
	return status;
}

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* The least that so many of a hundred do not exceed. */
static int64_t rank(const struct tw_ids *spans, size_t percent)
{
	return spans->v[(spans->n * percent + 99) / 100 - 1];
}

static struct tw_stats_spans summarise(struct tw_ids *spans)
{
	struct tw_stats_spans out = { -1, -1 };

	if (spans->n) {
		qsort(spans->v, spans->n, sizeof *spans->v, by_number);
		out.p50 = rank(spans, 50);
		out.p95 = rank(spans, 95);
	}
	return out;
}

/* Hands the names over, or frees them where out is NULL. */
static void finish(struct groups *g, struct tw_stats *out)
{
	size_t i;

	for (i = 0; i < g->n; i++) {
		if (out) {
			out[i] = g->v[i].stats;
			out[i].wait = summarise(&g->v[i].waits);
			out[i].run = summarise(&g->v[i].runs);
		} else {
			free(g->v[i].stats.name);
		}
		free(g->v[i].waits.v);
		free(g->v[i].runs.v);
	}
	free(g->v);
}

enum tw_status tw_stats_read(struct tw_store *s, const struct tw_who *who,
    const struct tw_history_filter *f, enum tw_stats_by by,
    struct tw_stats **out, size_t *n, struct tw_err *err)
{
	struct groups g = { .by = by };
	enum tw_status status;

	*out = NULL;
	*n = 0;
	status = tw_history_each(s, who, f, on_change, &g, err);
	if (status == TW_OK && !(*out = calloc(g.n + 1, sizeof **out)))
		status = tw_err_nomem(err);
	if (status == TW_OK)
		*n = g.n;
	finish(&g, *out);
	return status;
}

void tw_stats_free(struct tw_stats *stats, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		free(stats[i].name);
	free(stats);
}
