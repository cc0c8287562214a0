/*
 * mask.c - secrets out of a stream; see mask.h
 *
 * Bytes are numbered from the last end.  All forms are matched at once, each by
 * its border table; `safe` is where the earliest unfinished match begins: what
 * lies before it is decided.  Bytes from there on are held, with the spans in
 * them that are secret (found, but perhaps part of something longer).
 *
 * A span that `safe` has passed the beginning of is given as "***" at once.  It
 * may still grow, by secrets that overlap it; until `safe` has passed its end,
 * tw_mask_back() counts from its beginning, so that a new mask sees it whole.
 */
#include "engine/mask.h"

#include <stdlib.h>
#include <string.h>

#include "base/seal.h"
#include "engine/mask_private.h"

#define GIVEN_MAX 4096		/* bytes gathered for a call of fn */

struct span {
	uint64_t from, to;
};

struct tw_mask {
	const struct tw_mask_forms *forms;
	tw_mask_fn *fn;
	void *arg;
	size_t *matched;	/* of each form */
	char *held;		/* bytes safe … pos, from held[head] on */
	size_t head, cap;
	struct span *spans;	/* disjoint, in order; all past safe */
	size_t nspans, first_span, span_cap;
	struct span given;	/* the last one that became "***" */
	uint64_t pos, safe;
	bool is_after_cut;	/* held, but not looked at: see cut_decided() */
	uint64_t steps;
	char out[GIVEN_MAX];
	size_t out_len;
};

/* --- out ------------------------------------------------------------------- */

static void flush_out(struct tw_mask *m)
{
	if (m->out_len)
		m->fn(m->arg, m->out, m->out_len);
	m->out_len = 0;
}

static void give(struct tw_mask *m, const char *p, size_t n)
{
	if (n > sizeof m->out - m->out_len)
		flush_out(m);
	if (n > sizeof m->out) {
		m->fn(m->arg, p, n);
		return;
	}
	memcpy(m->out + m->out_len, p, n);
	m->out_len += n;
}

/* The held bytes up to `to` are decided, and none of them is secret. */
static void give_plain(struct tw_mask *m, uint64_t to)
{
	uint64_t from = m->safe;

	if (from < m->given.to)
		from = m->given.to < to ? m->given.to : to;
	give(m, m->held + m->head + (from - m->safe), (size_t)(to - from));
	m->head += (size_t)(to - m->safe);
	m->safe = to;
}

/* All before `to` is decided. */
static void release(struct tw_mask *m, uint64_t to)
{
	struct span *s;

	while (m->first_span < m->nspans) {
		s = &m->spans[m->first_span];
		if (s->from >= to)
			break;
		give_plain(m, s->from);
		give(m, TW_MASK_TEXT, sizeof TW_MASK_TEXT - 1);
		m->given = *s;
		m->first_span++;
	}
	if (m->first_span == m->nspans)
		m->first_span = m->nspans = 0;
	give_plain(m, to);
}

/* --- in --------------------------------------------------------------------- */

static void hold(struct tw_mask *m, char c)
{
	size_t len = (size_t)(m->pos - m->safe);

	if (m->head + len == m->cap) {
		memmove(m->held, m->held + m->head, len);
		m->head = 0;
	}
	m->held[m->head + len] = c;
	m->pos++;
}

/* Later spans end later, so only the last ones can overlap. */
static void add_span(struct tw_mask *m, uint64_t from, uint64_t to)
{
	if (from < m->given.to) {
		if (to > m->given.to)
			m->given.to = to;
		m->first_span = m->nspans = 0;
		return;
	}
	while (m->nspans > m->first_span &&
	    m->spans[m->nspans - 1].to > from) {
		m->nspans--;
		if (m->spans[m->nspans].from < from)
			from = m->spans[m->nspans].from;
	}
	if (m->nspans == m->span_cap) {
		m->nspans -= m->first_span;
		memmove(m->spans, m->spans + m->first_span,
		    m->nspans * sizeof *m->spans);
		m->first_span = 0;
	}
	m->spans[m->nspans++] = (struct span){ from, to };
}

/* One byte more for one form; true: it is complete. */
static bool step(struct tw_mask *m, size_t i, char c)
{
	const struct form *f = &m->forms->v[i];
	size_t k = m->matched[i];
	bool is_whole;

	m->steps++;
	while (k > 0 && f->text[k] != c) {
		k = f->border[k - 1];
		m->steps++;
	}
	if (f->text[k] == c)
		k++;
	is_whole = k == f->len;
	m->matched[i] = is_whole ? f->border[k - 1] : k;
	return is_whole;
}

static void take(struct tw_mask *m, char c)
{
	size_t i, whole = 0, longest = 0;

	hold(m, c);
	for (i = 0; i < m->forms->n; i++) {
		if (step(m, i, c) && m->forms->v[i].len > whole)
			whole = m->forms->v[i].len;
		if (m->matched[i] > longest)
			longest = m->matched[i];
	}
	if (whole)
		add_span(m, m->pos - whole, m->pos);
	release(m, m->pos - longest);
}

/* Bytes that begin no form, while nothing is held, need no second look. */
static size_t take_plain(struct tw_mask *m, const char *p, size_t n)
{
	size_t i = 0;

	if (m->safe != m->pos || m->pos < m->given.to)
		return 0;
	while (i < n && !m->forms->begins[(unsigned char)p[i]])
		i++;
	give(m, p, i);
	m->pos += i;
	m->safe = m->pos;
	m->head = 0;
	return i;
}

static void take_all(struct tw_mask *m, const char *p, size_t n)
{
	size_t i = 0;

	while (i < n) {
		i += take_plain(m, p + i, n - i);
		if (i < n)
			take(m, p[i++]);
	}
}

/* --- after a cut -------------------------------------------------------------- */

/*
 * The longest beginning of the held bytes that is the end of a form: its rest,
 * had the form begun in what was dropped.  With the held bytes as the pattern
 * that is where the form leaves a matcher.
 */
static size_t rest_of_secret(struct tw_mask *m, const char *held, size_t n,
    uint32_t *border)
{
	const struct form *f;
	size_t i, j, k, longest = 0;

	mask_borders(held, n, border);
	for (i = 0; i < m->forms->n; i++) {
		f = &m->forms->v[i];
		for (j = 1, k = 0; j < f->len; j++) {
			while (k > 0 && (k == n || held[k] != f->text[j])) {
				k = border[k - 1];
				m->steps++;
			}
			if (held[k] == f->text[j])
				k++;
			m->steps++;
		}
		if (k > longest)
			longest = k;
	}
	return longest;
}

/* Enough is held to know what the cut has left. */
static void cut_decided(struct tw_mask *m)
{
	size_t n = (size_t)(m->pos - m->safe), rest;
	char *text = m->held + m->cap;		/* the other half */
	uint32_t *border;

	m->is_after_cut = false;
	if (n == 0)
		return;
	memcpy(text, m->held + m->head, n);
	border = (uint32_t *)(void *)m->spans;	/* none are there yet */
	rest = rest_of_secret(m, text, n, border);
	m->pos = m->safe;
	m->head = 0;
	if (rest > 0) {
		give(m, TW_MASK_TEXT, sizeof TW_MASK_TEXT - 1);
		m->given = (struct span){ m->pos, m->pos + rest };
	}
	take_all(m, text, n);
	tw_seal_wipe(text, n);
}

static size_t gather(struct tw_mask *m, const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n && m->is_after_cut; i++) {
		hold(m, p[i]);
		if (m->pos - m->safe >= m->forms->longest)
			cut_decided(m);
	}
	return i;
}

/* --- for the caller ------------------------------------------------------------- */

void tw_mask_feed(struct tw_mask *m, const char *p, size_t n)
{
	size_t i;

	if (m->forms->n == 0) {
		m->fn(m->arg, p, n);
		return;
	}
	i = gather(m, p, n);
	take_all(m, p + i, n - i);
	flush_out(m);
}

void tw_mask_end(struct tw_mask *m, bool is_torn)
{
	size_t i, longest = 0;

	if (m->is_after_cut)
		cut_decided(m);
	for (i = 0; i < m->forms->n; i++)
		if (m->matched[i] > longest)
			longest = m->matched[i];
	if (longest >= (is_torn ? 1 : TW_MASK_MIN))
		add_span(m, m->pos - longest, m->pos);
	release(m, m->pos);
	flush_out(m);
	memset(m->matched, 0, m->forms->n * sizeof *m->matched);
	m->pos = m->safe = 0;
	m->head = 0;
	m->given = (struct span){ 0, 0 };
}

void tw_mask_after_cut(struct tw_mask *m)
{
	m->is_after_cut = m->forms->n > 0;
}

size_t tw_mask_back(const struct tw_mask *m)
{
	return (size_t)(m->pos -
	    (m->safe < m->given.to ? m->given.from : m->safe));
}

uint64_t tw_mask_steps(const struct tw_mask *m)
{
	return m->steps;
}

enum tw_status tw_mask_new(const struct tw_mask_forms *f, tw_mask_fn *fn,
    void *arg, struct tw_mask **out, struct tw_err *err)
{
	struct tw_mask *m = calloc(1, sizeof *m);

	*out = NULL;
	if (!m)
		return tw_err_nomem(err);
	m->forms = f;
	m->fn = fn;
	m->arg = arg;
	/* room to move in: what is held is moved once in so many bytes */
	m->cap = 2 * f->longest + 2;
	m->held = malloc(2 * m->cap);
	m->matched = calloc(f->n + 1, sizeof *m->matched);
	m->span_cap = f->longest + 2;
	m->spans = calloc(m->span_cap, sizeof *m->spans);
	if (!m->held || !m->matched || !m->spans) {
		tw_mask_free(m);
		return tw_err_nomem(err);
	}
	*out = m;
	return TW_OK;
}

void tw_mask_free(struct tw_mask *m)
{
	if (!m)
		return;
	if (m->held)
		tw_seal_wipe(m->held, 2 * m->cap);
	free(m->held);
	free(m->matched);
	free(m->spans);
	free(m);
}

/* --- a text ------------------------------------------------------------------- */

struct text {
	char *at;
	size_t len, size;
};

static void add_text(void *arg, const char *p, size_t n)
{
	struct text *t = arg;

	if (n > t->size - 1 - t->len)
		n = t->size - 1 - t->len;
	memcpy(t->at + t->len, p, n);
	t->len += n;
	t->at[t->len] = '\0';
}

void tw_mask_text(const struct tw_mask_forms *f, const char *text, char *out,
    size_t size)
{
	struct text t = { out, 0, size };
	struct tw_mask *m;

	out[0] = '\0';
	if (!f) {
		add_text(&t, text, strlen(text));
		return;
	}
	/* better nothing than a secret */
	if (tw_mask_new(f, add_text, &t, &m, NULL))
		return;
	tw_mask_feed(m, text, strlen(text));
	tw_mask_end(m, false);
	tw_mask_free(m);
}
