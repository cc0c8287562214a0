/*
 * targets.c - TARGETS: the parser; see targets.h
 *
 * Ranges stay ranges: `web[1-1000000]` costs one struct here, and the n-th
 * name is computed when it is asked for.  Whether a host exists is not known
 * in this file (targets_eval.c).
 */
#include "base/targets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/targets_private.h"

#define BLANKS " \t\r\n\v\f"
#define DIGITS "0123456789"
#define DIGITS_MAX (sizeof(long) == 8 ? 18 : 9)	/* fits an unsigned long */
#define GLOBS_MAX 1000		/* patterns one word may expand to: each is
				 * compared with every host */
#define BAD_TEXT_MAX 900	/* bytes of bad tokens in one message */

struct parser {
	struct tw_targets *t;
	struct tw_buf bad;	/* "'web[3-1]': why; …" */
	size_t nbad, ncut;
	bool nomem;
};

/* The array with room for one more element, zeroed; NULL: no memory, and the
 * array is as it was. */
static void *grown(void *array, size_t n, size_t size)
{
	char *p = reallocarray(array, n + 1, size);

	if (p)
		memset(p + n * size, 0, size);
	return p;
}

/* Keeps a bad token for the one message there will be. */
static void complain(struct parser *p, const char *token, size_t n,
    const char *why)
{
	struct tw_buf one = TW_BUF_INIT;

	p->nbad++;
	tw_buf_addf(&one, "%s'%.*s': %s", p->bad.len ? "; " : "",
	    (int)(n < 200 ? n : 200), token, why);
	if (one.failed)
		p->nomem = true;
	else if (p->ncut || p->bad.len + one.len > BAD_TEXT_MAX)
		p->ncut++;
	else
		tw_buf_add(&p->bad, one.data, one.len);
	tw_buf_release(&one);
}

static bool parse_number(const char *s, size_t n, unsigned long *out)
{
	size_t i;

	if (n == 0 || n > DIGITS_MAX || strspn(s, DIGITS) < n)
		return false;
	*out = 0;
	for (i = 0; i < n; i++)
		*out = *out * 10 + (unsigned long)(s[i] - '0');
	return true;
}

/* One of the ranges between brackets, "7" or "08-10"; what is wrong or NULL. */
static const char *parse_range(const char *s, size_t n,
    struct target_range *r)
{
	const char *dash = memchr(s, '-', n), *hi;
	size_t nlo, nhi;

	nlo = dash ? (size_t)(dash - s) : n;
	hi = dash ? dash + 1 : s;
	nhi = dash ? n - nlo - 1 : n;
	if (n == 0)
		return W_("empty range");
	if (!parse_number(s, nlo, &r->lo) || !parse_number(hi, nhi, &r->hi))
		return W_("a range is made of numbers");
	if (r->lo > r->hi)
		return W_("the range runs backwards");
	if (nlo == nhi)
		r->width = (int)nlo;
	else if ((nlo > 1 && s[0] == '0') || (nhi > 1 && hi[0] == '0'))
		return W_("both ends of a padded range must be equally wide");
	return NULL;
}

/* The comma-separated ranges between s and end. */
static const char *parse_ranges(struct parser *p, const char *s,
    const char *end, struct target_part *part)
{
	struct target_range *r;
	const char *comma, *why;

	for (;; s = comma + 1) {
		comma = memchr(s, ',', (size_t)(end - s));
		r = grown(part->ranges, part->nranges, sizeof *r);
		if (!r) {
			p->nomem = true;
			return NULL;
		}
		part->ranges = r;
		r += part->nranges++;
		why = parse_range(s, (size_t)((comma ? comma : end) - s), r);
		if (why || !comma)
			return why;
	}
}

static bool is_name_text(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!s[i] || !strchr("abcdefghijklmnopqrstuvwxyz"
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "._-*?", s[i]))
			return false;
	return true;
}

/* How many names, and how long the longest: what is wrong or NULL. */
static const char *measure(struct target_word *w)
{
	size_t i, j, each, wide, len = 0, count = 1;
	const struct target_range *r;

	for (i = 0; i < w->nparts; i++) {
		len += strlen(w->parts[i].text);
		each = wide = 0;
		for (j = 0; j < w->parts[i].nranges; j++) {
			r = &w->parts[i].ranges[j];
			if (r->hi - r->lo >= TW_TARGETS_MAX - each)
				return W_("too many names");
			each += r->hi - r->lo + 1;
			if ((size_t)snprintf(NULL, 0, "%0*lu", r->width,
			    r->hi) > wide)
				wide = (size_t)snprintf(NULL, 0, "%0*lu",
				    r->width, r->hi);
		}
		len += wide;
		if (each && count > TW_TARGETS_MAX / each)
			return W_("too many names");
		count *= each ? each : 1;
	}
	if (len > TW_NAME_MAX)
		return W_("the name is too long");
	if (w->is_glob && count > GLOBS_MAX)
		return W_("too many patterns");
	w->count = count;
	return NULL;
}

static const char *parse_parts(struct parser *p, struct target_word *w)
{
	const char *s = w->source, *end, *why;
	struct target_part *part;
	size_t n;

	if (strchr("._-", s[0]))
		return W_("a name starts with a letter or a digit");
	for (;;) {
		n = strcspn(s, "[]");
		if (!is_name_text(s, n))
			return W_("not a name");
		part = grown(w->parts, w->nparts, sizeof *part);
		if (part) {
			w->parts = part;
			part += w->nparts++;
			part->text = strndup(s, n);
		}
		if (!part || !part->text) {
			p->nomem = true;
			return NULL;
		}
		w->is_glob |= strpbrk(part->text, "*?") != NULL;
		s += n;
		if (!*s)
			return measure(w);
		end = strpbrk(s + 1, "[]");
		if (*s == ']' || !end || *end == '[')
			return W_("brackets do not match");
		why = parse_ranges(p, s + 1, end, part);
		if (why || p->nomem)
			return why;
		s = end + 1;
	}
}

static const char *parse_label(struct target_word *w)
{
	const char *eq = strchr(w->source, '=');
	char key[TW_NAME_MAX + 1];
	size_t n;

	w->is_label = true;
	w->count = 1;
	n = eq ? (size_t)(eq - w->source) - 1 : 0;
	if (!eq || n > TW_NAME_MAX || !tw_name_label_value_ok(eq + 1))
		return W_("a label is @KEY=VALUE");
	memcpy(key, w->source + 1, n);
	key[n] = '\0';
	return tw_name_ok(key) ? NULL : W_("a label is @KEY=VALUE");
}

static void parse_word(struct parser *p, const char *s, size_t n)
{
	struct target_word *w;
	const char *why;
	bool is_negative = *s == '!';

	w = grown(p->t->words, p->t->nwords, sizeof *w);
	if (w) {
		p->t->words = w;
		w += p->t->nwords++;
		w->source = strndup(s + is_negative, n - is_negative);
	}
	if (!w || !w->source) {
		p->nomem = true;
		return;
	}
	w->is_negative = is_negative;
	if (!*w->source)
		why = W_("nothing after the !");
	else if (strcmp(w->source, "-") == 0)
		why = W_("standard input must be the only target");
	else if (*w->source == '@')
		why = parse_label(w);
	else
		why = parse_parts(p, w);
	if (!why && w->count > TW_TARGETS_MAX - p->t->count)
		why = W_("too many names");
	if (why)
		complain(p, s, n, why);
	else
		p->t->count += w->count;
}

/* The length of the word at s: commas between brackets belong to it, except in
 * a label, where a bracket is a character like any other. */
static size_t word_length(const char *s)
{
	bool is_label = *s == '@' || (*s == '!' && s[1] == '@');
	bool inside = false;
	size_t n;

	for (n = 0; s[n]; n++) {
		if (!is_label && s[n] == '[')
			inside = true;
		else if (!is_label && s[n] == ']')
			inside = false;
		else if (s[n] == ',' ? !inside : !!strchr(BLANKS, s[n]))
			break;
	}
	return n;
}

static enum tw_status parse_result(struct parser *p, struct tw_err *err)
{
	if (p->nomem || p->bad.failed)
		return tw_err_nomem(err);
	if (p->nbad && p->ncut)
		return tw_err_set(err, TW_USAGE,
		    "bad target %s; and %zu more", tw_buf_str(&p->bad),
		    p->ncut);
	if (p->nbad)
		return tw_err_set(err, TW_USAGE, "bad target %s",
		    tw_buf_str(&p->bad));
	if (!p->t->nwords)
		return tw_err_set(err, TW_USAGE, "no targets given");
	return TW_OK;
}

enum tw_status tw_targets_parse(const char *expr, struct tw_targets **out,
    struct tw_err *err)
{
	struct parser p = { .t = NULL };
	enum tw_status s;
	size_t n;

	*out = NULL;
	p.t = calloc(1, sizeof *p.t);
	if (!p.t)
		return tw_err_nomem(err);
	while (!p.nomem) {
		expr += strspn(expr, BLANKS ",");
		if (!*expr)
			break;
		n = word_length(expr);
		parse_word(&p, expr, n);
		expr += n;
	}
	s = parse_result(&p, err);
	tw_buf_release(&p.bad);
	if (s)
		tw_targets_free(p.t);
	else
		*out = p.t;
	return s;
}

void tw_targets_free(struct tw_targets *t)
{
	struct target_word *w;
	size_t i, j;

	if (!t)
		return;
	for (i = 0; i < t->nwords; i++) {
		w = &t->words[i];
		for (j = 0; j < w->nparts; j++) {
			free(w->parts[j].text);
			free(w->parts[j].ranges);
		}
		free(w->parts);
		free(w->source);
	}
	free(t->words);
	free(t);
}

void tw_target_word_name(const struct target_word *word, size_t i,
    char out[TW_NAME_MAX + 1])
{
	const struct target_part *part;
	const struct target_range *r;
	size_t rest = word->count, each, k, n = 0;

	out[0] = '\0';
	for (part = word->parts; part < word->parts + word->nparts; part++) {
		n += (size_t)snprintf(out + n, TW_NAME_MAX + 1 - n, "%s",
		    part->text);
		if (!part->nranges)
			continue;
		for (each = 0, r = part->ranges;
		    r < part->ranges + part->nranges; r++)
			each += r->hi - r->lo + 1;
		rest /= each;
		k = i / rest;
		i %= rest;
		for (r = part->ranges; k > r->hi - r->lo; r++)
			k -= r->hi - r->lo + 1;
		n += (size_t)snprintf(out + n, TW_NAME_MAX + 1 - n, "%0*lu",
		    r->width, r->lo + (unsigned long)k);
	}
}

bool tw_targets_is_name(const struct tw_targets *t, char out[TW_NAME_MAX + 1])
{
	const struct target_word *w = t->words;

	if (t->nwords != 1 || w->is_negative || w->is_label || w->is_glob ||
	    w->count != 1)
		return false;
	tw_target_word_name(w, 0, out);
	return true;
}

void tw_targets_write(const struct tw_targets *t, struct tw_buf *out)
{
	const struct target_word *w;

	for (w = t->words; w < t->words + t->nwords; w++)
		tw_buf_addf(out, "%s%s%s", w > t->words ? "," : "",
		    w->is_negative ? "!" : "", w->source);
}
