/*
 * mask.c - secrets out of a stream: none in what is given, however it is split
 * or taken up again; and nothing else is masked
 *
 * The input: a part for each secret, and the stream as the last one.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/mask.h"
#include "fuzz.h"

#define SECRETS_MAX 4
#define SECRET_MAX 40		/* bytes: the model is not linear */
#define STREAM_MAX 2000

const char *const fuzz_plants[] = { "secret", "split", "model", "again",
	"text", NULL };

static void keep(void *arg, const char *p, size_t n)
{
	tw_buf_add(arg, p, n);
}

static bool has(const struct tw_buf *b, const char *form)
{
	return b->len && memmem(b->data, b->len, form, strlen(form));
}

/* A form with a "*" may stand there by accident, by that of a mask. */
static void check_clean(const struct tw_mask_forms *f, const struct tw_buf *b,
    const char *how)
{
	const char *form;
	size_t i;

	for (i = 0; i < tw_mask_forms_count(f); i++) {
		form = tw_mask_form(f, i);
		HOLDS(strlen(form) >= TW_MASK_MIN, "a form of %zu bytes",
		    strlen(form));
		if (!strchr(form, '*'))
			HOLDS(!has(b, form), "%s, '%s' is in '%s'", how, form,
			    tw_buf_str(b));
	}
}

/* The longest end of the stream that begins a form without being all of it. */
static size_t unfinished(const struct tw_mask_forms *f, const char *s, size_t n)
{
	size_t i, len, longest = 0;
	const char *form;

	for (i = 0; i < tw_mask_forms_count(f); i++) {
		form = tw_mask_form(f, i);
		len = strlen(form) - 1;
		for (len = len < n ? len : n; len > longest; len--)
			if (memcmp(s + n - len, form, len) == 0)
				longest = len;
	}
	return longest;
}

/* By the words of mask.h: what forms cover, those that overlap as one. */
static void model(const struct tw_mask_forms *f, const char *s, size_t n,
    bool is_torn, struct tw_buf *out)
{
	size_t *end = calloc(n + 1, sizeof *end), i, k, len, to = 0;
	const char *form;

	HOLDS(end, "no memory");
	for (k = 0; k < tw_mask_forms_count(f); k++) {
		form = tw_mask_form(f, k);
		len = strlen(form);
		for (i = 0; i + len <= n; i++)
			if (memcmp(s + i, form, len) == 0 && end[i] < i + len)
				end[i] = i + len;
	}
	len = unfinished(f, s, n);
	if (len >= (is_torn ? 1 : TW_MASK_MIN))
		end[n - len] = n;
	for (i = 0; i < n; i++) {
		if (end[i] && i >= to)
			tw_buf_adds(out, TW_MASK_TEXT);
		if (end[i] > to)
			to = end[i];
		if (i >= to)
			tw_buf_addc(out, s[i]);
	}
	free(end);
}

static struct tw_mask *begin(const struct tw_mask_forms *f, struct tw_buf *out)
{
	struct tw_mask *m;
	struct tw_err err;

	HOLDS(tw_mask_new(f, keep, out, &m, &err) == TW_OK, "%s", err.msg);
	return m;
}

static void same(const struct tw_buf *a, const struct tw_buf *b,
    const char *how)
{
	HOLDS(a->len == b->len && (!a->len ||
	    memcmp(a->data, b->data, a->len) == 0),
	    "%s: '%s' instead of '%s'", how, tw_buf_str(b), tw_buf_str(a));
}

static void without_stars(const struct tw_buf *b, struct tw_buf *out)
{
	size_t i;

	for (i = 0; i < b->len; i++)
		if (b->data[i] != '*')
			tw_buf_addc(out, b->data[i]);
}

/* At byte `at` the tower ends; another takes the stream up from the position
 * that was stored.  Both together give what one does, but for a mask that may
 * stand there twice. */
static void take_up(const struct tw_mask_forms *f, const char *s, size_t n,
    size_t at, bool is_torn, const struct tw_buf *whole)
{
	struct tw_buf one = TW_BUF_INIT, two = TW_BUF_INIT;
	struct tw_buf out = TW_BUF_INIT;
	struct tw_mask *m = begin(f, &out);
	size_t back;

	tw_mask_feed(m, s, at);
	back = tw_mask_back(m);
	HOLDS(back <= at, "%zu bytes back from byte %zu", back, at);
	tw_mask_free(m);
	if (fuzz_planted("again"))
		back = 0;
	m = begin(f, &out);
	tw_mask_feed(m, s + at - back, n - at + back);
	tw_mask_end(m, is_torn);
	tw_mask_free(m);
	check_clean(f, &out, "taken up again");
	without_stars(whole, &one);
	without_stars(&out, &two);
	same(&one, &two, "taken up again");
	tw_buf_release(&one);
	tw_buf_release(&two);
	tw_buf_release(&out);
}

static void check_stream(const struct tw_mask_forms *f, const char *s, size_t n)
{
	struct tw_buf out = TW_BUF_INIT, wanted = TW_BUF_INIT;
	struct tw_buf split = TW_BUF_INIT;
	uint32_t h = fuzz_hash(s, n);
	bool is_torn = h & 1;
	struct tw_mask *m = begin(f, &out);
	size_t i, step;

	tw_mask_feed(m, s, n);
	tw_mask_end(m, is_torn);
	HOLDS(tw_mask_back(m) == 0, "back after the end");
	HOLDS(tw_mask_steps(m) <= 2 * (n + 1) * (tw_mask_forms_count(f) + 1),
	    "not linear");
	tw_mask_free(m);
	if (fuzz_planted("secret") && tw_mask_forms_count(f))
		tw_buf_adds(&out, tw_mask_form(f, 0));
	check_clean(f, &out, "whole");
	model(f, s, n, is_torn, &wanted);
	if (fuzz_planted("model"))
		tw_buf_addc(&wanted, 'x');
	same(&wanted, &out, "by the model");
	m = begin(f, &split);
	for (i = 0; i < n; i += step) {
		h = h * 1664525 + 1013904223;
		step = 1 + (h >> 16) % 9;
		if (step > n - i)
			step = n - i;
		tw_mask_feed(m, s + i, step);
	}
	tw_mask_end(m, is_torn);
	/* the same mask again: what was before must be forgotten */
	if (fuzz_planted("split"))
		tw_buf_addc(&split, 'x');
	same(&wanted, &split, "in pieces");
	tw_buf_reset(&split);
	tw_mask_feed(m, s, n);
	tw_mask_end(m, is_torn);
	same(&wanted, &split, "once more");
	tw_mask_free(m);
	for (i = 0; i < 6 && n; i++, h = h * 1664525 + 1013904223)
		take_up(f, s, n, (h >> 8) % n, is_torn, &wanted);
	tw_buf_release(&out);
	tw_buf_release(&wanted);
	tw_buf_release(&split);
}

/* Bytes were dropped before the middle: neither half shows a secret, nor the
 * rest of one. */
static void check_cut(const struct tw_mask_forms *f, const char *s, size_t n)
{
	struct tw_buf out = TW_BUF_INIT;
	struct tw_mask *m = begin(f, &out);
	size_t at = n / 2, i, len, k;
	const char *form;

	tw_mask_feed(m, s, at);
	tw_mask_end(m, true);
	check_clean(f, &out, "before a cut");
	tw_buf_reset(&out);
	tw_mask_after_cut(m);
	for (i = at; i < n; i++)
		tw_mask_feed(m, s + i, 1);
	tw_mask_end(m, false);
	tw_mask_free(m);
	check_clean(f, &out, "after a cut");
	/* the end of a form at the beginning became a mask */
	for (k = 0; k < tw_mask_forms_count(f); k++) {
		form = tw_mask_form(f, k);
		len = strlen(form) - 1;
		if (len > n - at)
			len = n - at;
		for (; len; len--)
			if (memcmp(s + at, form + strlen(form) - len, len) == 0)
				HOLDS(out.len >= 3 && memcmp(out.data,
				    TW_MASK_TEXT, 3) == 0,
				    "the rest of '%s' after a cut", form);
	}
	tw_buf_release(&out);
}

/* A text in one go: no secret, and cut to its room. */
static void check_text(const struct tw_mask_forms *f, const char *s)
{
	char room[64];
	struct tw_buf out = TW_BUF_INIT;

	tw_mask_text(f, s, room, sizeof room);
	tw_buf_adds(&out, room);
	if (fuzz_planted("text") && tw_mask_forms_count(f))
		tw_buf_adds(&out, tw_mask_form(f, 0));
	check_clean(f, &out, "as a text");
	tw_buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { (const char *)data, (const char *)data + size };
	char *part[SECRETS_MAX + 1];
	const char *values[SECRETS_MAX];
	struct tw_mask_forms *f;
	struct tw_err err;
	size_t len = 0, n = 0, i;

	do {
		part[n++] = fuzz_part(&in, &len);
	} while (fuzz_has_part(&in) && n <= SECRETS_MAX);
	n--;
	for (i = 0; i < n; i++) {
		if (strlen(part[i]) > SECRET_MAX)
			part[i][SECRET_MAX] = '\0';
		values[i] = part[i];
	}
	if (len > STREAM_MAX)
		len = STREAM_MAX;
	part[n][len] = '\0';
	HOLDS(tw_mask_forms_new(values, n, &f, &err) == TW_OK, "%s", err.msg);
	check_stream(f, part[n], len);
	check_cut(f, part[n], len);
	check_text(f, part[n]);
	tw_mask_forms_free(f);
	for (i = 0; i <= n; i++)
		free(part[i]);
	return 0;
}
