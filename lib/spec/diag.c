/* diag.c - the problems found in a file; see diag.h */
#include "spec/diag.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "spec/utf8.h"

#define MSG_MAX 900		/* bytes: leaves room for FILE:LINE:COL */
#define ELLIPSIS "\xe2\x80\xa6"

static void diag_release(struct tw_diag *d)
{
	free(d->msg);
	free(d->said);
	free(d->hint);
}

static int diag_cmp(const struct tw_diag *a, const struct tw_diag *b)
{
	int c;

	if (a->file != b->file) {
		if (!a->file || !b->file)
			return a->file ? 1 : -1;
		c = strcmp(a->file, b->file);
		if (c)
			return c;
	}
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->col != b->col)
		return a->col < b->col ? -1 : 1;
	return 0;
}

/* Where d belongs: after those with its position; *same when it is there. */
static size_t place(const struct tw_diags *ds, const struct tw_diag *d,
    bool *same)
{
	size_t at = ds->n, i;

	*same = false;
	while (at > 0 && diag_cmp(&ds->v[at - 1], d) > 0)
		at--;
	for (i = at; i > 0 && diag_cmp(&ds->v[i - 1], d) == 0; i--)
		if (strcmp(ds->v[i - 1].msg, d->msg) == 0)
			*same = true;
	return at;
}

static bool insert(struct tw_diags *ds, const struct tw_diag *d)
{
	bool same;
	size_t i;

	if (!ds->v) {
		ds->v = calloc(TW_DIAG_KEPT, sizeof *ds->v);
		if (!ds->v) {
			ds->failed = true;
			return false;
		}
	}
	i = place(ds, d, &same);
	if (same)
		return false;
	if (ds->n == TW_DIAG_KEPT) {
		ds->more++;
		if (i == ds->n)
			return false;
		diag_release(&ds->v[--ds->n]);
	}
	memmove(&ds->v[i + 1], &ds->v[i], (ds->n - i) * sizeof *ds->v);
	ds->v[i] = *d;
	ds->n++;
	return true;
}

/* A copy with its parts settled, or NULL. */
static char *settled(const char *text, bool own)
{
	size_t n = tw_text_settle(NULL, 0, text, own) + 1;
	char *copy = malloc(n);

	if (copy)
		tw_text_settle(copy, n, text, own);
	return copy;
}

void tw_diags_add_text(struct tw_diags *ds, size_t line, size_t col,
    const char *hint, const char *msg, const char *said)
{
	struct tw_diag d = { .file = ds->file, .line = line, .col = col };

	d.msg = settled(msg, false);
	if (tw_text_is_on())
		d.said = settled(said, true);
	if (hint)
		d.hint = strdup(tw_text(hint));
	if (!d.msg || (hint && !d.hint)) {
		ds->failed = true;
		diag_release(&d);
		return;
	}
	if (!insert(ds, &d))
		diag_release(&d);
}

void tw_diags_add(struct tw_diags *ds, size_t line, size_t col,
    const char *hint, const char *fmt, ...)
{
	struct tw_buf plain = TW_BUF_INIT, own = TW_BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	tw_buf_addv(&plain, fmt, ap);
	va_end(ap);
	va_start(ap, fmt);
	tw_buf_addv(&own, tw_text(fmt), ap);
	va_end(ap);
	if (plain.failed || own.failed)
		ds->failed = true;
	else
		tw_diags_add_text(ds, line, col, hint, tw_buf_str(&plain),
		    tw_buf_str(&own));
	tw_buf_release(&plain);
	tw_buf_release(&own);
}

static void print_where(const struct tw_diag *d, struct tw_buf *out)
{
	if (!d->file)
		return;
	tw_diag_escape(out, d->file, strlen(d->file), 0);
	if (d->line)
		tw_buf_addf(out, ":%zu:%zu", d->line, d->col);
	tw_buf_adds(out, ": ");
}

const char *tw_diag_text(const struct tw_diag *d)
{
	return d->said ? d->said : d->msg;
}

void tw_diags_print(const struct tw_diags *ds, struct tw_buf *out)
{
	size_t i;

	for (i = 0; i < ds->n; i++) {
		print_where(&ds->v[i], out);
		tw_buf_addf(out, "%s\n", tw_diag_text(&ds->v[i]));
		if (ds->v[i].hint)
			tw_buf_addf(out, tw_text("hint: %s\n"),
			    ds->v[i].hint);
	}
	if (ds->more)
		tw_buf_addf(out, tw_text("and %zu more\n"), ds->more);
}

/* The first problem, cut to fit into an error. */
static void put_first(const struct tw_diags *ds, const char *msg,
    struct tw_buf *out)
{
	print_where(&ds->v[0], out);
	tw_buf_adds(out, msg);
	if (out->len > MSG_MAX && !out->failed) {
		out->data[MSG_MAX] = '\0';
		tw_text_trim(out->data);
		out->len = strlen(out->data);
	}
}

enum tw_status tw_diags_check(const struct tw_diags *ds,
    enum tw_status status, struct tw_err *err)
{
	struct tw_buf plain = TW_BUF_INIT, own = TW_BUF_INIT;
	size_t others = ds->n - 1 + ds->more;

	if (ds->failed)
		return tw_err_nomem(err);
	if (ds->n == 0)
		return TW_OK;
	put_first(ds, ds->v[0].msg, &plain);
	put_first(ds, tw_diag_text(&ds->v[0]), &own);
	if (others) {
		tw_buf_addf(&plain, " (and %zu more)", others);
		tw_buf_addf(&own, tw_text(" (and %zu more)"), others);
	}
	if (plain.failed || own.failed) {
		status = tw_err_nomem(err);
	} else {
		tw_err_set(err, status, "%s", tw_buf_str(&plain));
		tw_err_say(err, tw_buf_str(&own));
		if (ds->v[0].hint)
			tw_err_hint(err, "%s", ds->v[0].hint);
	}
	tw_buf_release(&plain);
	tw_buf_release(&own);
	return status;
}

void tw_diags_release(struct tw_diags *ds)
{
	size_t i;

	for (i = 0; i < ds->n; i++)
		diag_release(&ds->v[i]);
	free(ds->v);
	ds->v = NULL;
	ds->n = ds->more = 0;
	ds->failed = false;
}

/* One character of s as it is shown, in out (5 bytes); returns the number of
 * its bytes used up (at least 1 of n). */
static size_t show(const char *s, size_t n, char out[5])
{
	uint32_t cp = 0;
	size_t len = tw_utf8_next(s, n, &cp);

	if (len && tw_utf8_is_plain(cp)) {
		memcpy(out, s, len);
		out[len] = '\0';
		return len;
	}
	snprintf(out, 5, "\\x%02x", (unsigned char)s[0]);
	return 1;
}

const char *tw_quote(struct tw_quote *q, const char *s, size_t n)
{
	size_t i, used, len = 0, count = 0;
	char one[5];

	q->s[len++] = '\'';
	for (i = 0; i < n && count < TW_DIAG_CUT; i += used, count++) {
		used = show(s + i, n - i, one);
		memcpy(q->s + len, one, strlen(one));
		len += strlen(one);
	}
	if (i < n) {
		memcpy(q->s + len, ELLIPSIS, sizeof ELLIPSIS - 1);
		len += sizeof ELLIPSIS - 1;
	}
	q->s[len++] = '\'';
	q->s[len] = '\0';
	return q->s;
}

void tw_diag_escape(struct tw_buf *out, const char *s, size_t n, size_t max)
{
	size_t i, used, count = 0;
	char one[5];

	for (i = 0; i < n && (!max || count < max); i += used, count++) {
		used = show(s + i, n - i, one);
		tw_buf_adds(out, one);
	}
	if (i < n)
		tw_buf_adds(out, ELLIPSIS);
}
