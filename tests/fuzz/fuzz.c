/* fuzz.c - what the targets share; see fuzz.h */
#include "fuzz.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/utf8.h"

const char *fuzz_plant;

bool fuzz_planted(const char *word)
{
	return fuzz_plant && strcmp(fuzz_plant, word) == 0;
}

_Noreturn void fuzz_broken(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%d: ", file, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}

bool fuzz_has_part(const struct fuzz_in *in)
{
	return in->at != NULL;
}

char *fuzz_part(struct fuzz_in *in, size_t *len)
{
	const char *at = in->at ? in->at : in->end;
	size_t n = (size_t)(in->end - at);
	const char *sep = n ? memchr(at, 0xff, n) : NULL;
	char *part;

	*len = sep ? (size_t)(sep - at) : n;
	part = malloc(*len + 1);
	HOLDS(part, "no memory");
	if (*len)
		memcpy(part, at, *len);
	part[*len] = '\0';
	in->at = sep ? sep + 1 : NULL;
	return part;
}

void fuzz_is_plain(const char *what, const char *s, size_t n,
    const char *allowed)
{
	size_t i, len;
	uint32_t cp = 0;

	for (i = 0; i < n; i += len) {
		len = tw_utf8_next(s + i, n - i, &cp);
		HOLDS(len, "%s: no UTF-8 at byte %zu", what, i);
		HOLDS(tw_utf8_is_plain(cp) ||
		    (cp && cp < 0x20 && strchr(allowed, (int)cp)),
		    "%s: U+%04x at byte %zu", what, (unsigned)cp, i);
	}
}

/* The number of lines, one being begun by each newline, and the characters of
 * line number nth. */
static size_t count_lines(const char *text, size_t len, size_t nth,
    size_t *chars)
{
	size_t i, line = 1;

	*chars = 0;
	for (i = 0; i < len; i++) {
		if (line == nth && ((unsigned char)text[i] & 0xc0) != 0x80)
			++*chars;
		line += text[i] == '\n';
	}
	return line;
}

static void check_place(const struct tw_diag *d, const char *text, size_t len,
    bool has_text)
{
	size_t line = d->line, col = d->col, lines, chars;

	if (fuzz_planted("place"))
		line += len + 2;
	if (!has_text)
		HOLDS(!line, "%s: a position", d->msg);
	if (!line)
		return;
	lines = count_lines(text, len, line, &chars);
	HOLDS(line <= lines, "%s: line %zu of %zu", d->msg, line, lines);
	HOLDS(col >= 1 && col <= chars + 1, "%s: line %zu, column %zu of %zu",
	    d->msg, line, col, chars);
}

void fuzz_check_diags(const struct tw_diags *ds, const char *text, size_t len,
    bool has_text)
{
	struct tw_buf b = TW_BUF_INIT;
	const struct tw_diag *d, *before;
	size_t i;

	HOLDS(ds->n <= TW_DIAG_KEPT, "%zu problems", ds->n);
	HOLDS(!ds->more || ds->n == TW_DIAG_KEPT, "more than %zu problems",
	    ds->n);
	for (i = 0; i < ds->n; i++) {
		d = &ds->v[i];
		HOLDS(d->msg && *d->msg, "no message");
		fuzz_is_plain("message", d->msg, strlen(d->msg), "");
		if (d->hint)
			fuzz_is_plain("hint", d->hint, strlen(d->hint), "");
		if (d->file != ds->file)
			continue;
		check_place(d, text, len, has_text);
		before = i ? d - 1 : NULL;
		if (before && before->file == d->file)
			HOLDS(before->line < d->line ||
			    (before->line == d->line && before->col <= d->col),
			    "%s: not in order", d->msg);
	}
	tw_diags_print(ds, &b);
	HOLDS(!b.failed, "cannot be printed");
	if (getenv("FUZZ_SAY"))
		fputs(tw_buf_str(&b), stderr);
	HOLDS(!b.len == !ds->n, "%zu problems, %zu bytes", ds->n, b.len);
	tw_buf_release(&b);
}

void fuzz_check_status(enum tw_status st, enum tw_status bad,
    const struct tw_diags *ds, const void *out, const struct tw_err *err)
{
	if (fuzz_planted("status"))
		st = st ? TW_OK : bad;
	HOLDS(st == TW_OK || st == bad, "status %d: %s", (int)st, err->msg);
	HOLDS((st == TW_OK) == (out != NULL), "status %d and %s", (int)st,
	    out ? "a result" : "no result");
	HOLDS((st == TW_OK) == (ds->n == 0), "status %d and %zu problems",
	    (int)st, ds->n);
	if (st != TW_OK)
		HOLDS(err->status == st && err->msg[0], "no message");
}

uint32_t fuzz_hash(const void *p, size_t n)
{
	const unsigned char *s = p;
	uint32_t h = 2166136261u;

	while (n--)
		h = (h ^ *s++) * 16777619u;
	return h;
}
