/* source.c - the text of a file; see source.h */
#include "spec/source.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "spec/utf8.h"

static const char invisible[] =
    N_("remove it, or write it as an escape in a double-quoted text");

/* What is wrong with a character, or NULL. */
static const char *refused(uint32_t cp, const char *next, size_t n)
{
	if (cp == '\r')
		return n && *next == '\n' ? NULL :
		    W_("a carriage return without a line feed");
	if (cp == '\t' || cp == '\n' || (cp >= 0x20 && cp < 0x7f))
		return NULL;
	if (cp == 0)
		return W_("a NUL byte");
	if (cp == 0x85)
		return W_("a next-line character (U+0085)");
	if (cp == 0x2028)
		return W_("a line separator (U+2028)");
	if (cp == 0x2029)
		return W_("a paragraph separator (U+2029)");
	if (cp == 0xfeff)
		return W_("a byte order mark (U+FEFF) inside the file");
	if (cp == 0xfffe || cp == 0xffff)
		return W_("a character that is none (U+FFFE or U+FFFF)");
	if (cp < 0xa0)
		return W_("a control character");
	return NULL;
}

static bool check_characters(const struct tw_source *s, struct tw_diags *ds)
{
	size_t i, len, line = 1, col = 1;
	struct tw_quote q;
	const char *bad;
	bool ok = true;
	uint32_t cp = 0;

	for (i = 0; i < s->len; i += len) {
		len = tw_utf8_next(s->text + i, s->len - i, &cp);
		if (!len) {
			tw_diags_add(ds, line, col,
			    N_("save the file as UTF-8"),
			    "this is not UTF-8: %s",
			    tw_quote(&q, s->text + i, 1));
			return false;
		}
		bad = refused(cp, s->text + i + len, s->len - i - len);
		if (bad) {
			tw_diags_add(ds, line, col, cp ? invisible : NULL,
			    "%s is not allowed here", bad);
			ok = false;
		}
		col++;
		if (cp == '\n') {
			line++;
			col = 1;
		}
	}
	return ok;
}

static bool find_lines(struct tw_source *s, struct tw_diags *ds)
{
	size_t i, n = 1;

	for (i = 0; i < s->len; i++)
		n += s->text[i] == '\n';
	s->lines = calloc(n, sizeof *s->lines);
	if (!s->lines) {
		ds->failed = true;
		return false;
	}
	for (i = 0, s->nlines = 1; i < s->len; i++)
		if (s->text[i] == '\n')
			s->lines[s->nlines++] = i + 1;
	return true;
}

bool tw_source_init(struct tw_source *s, const char *text, size_t len,
    size_t max, struct tw_diags *ds)
{
	memset(s, 0, sizeof *s);
	if (len > max) {
		tw_diags_add(ds, 1, 1, NULL,
		    "the file has %zu bytes, more than %zu", len, max);
		return false;
	}
	if (len >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 ||
	    memcmp(text, "\xfe\xff", 2) == 0)) {
		tw_diags_add(ds, 1, 1, N_("save the file as UTF-8"),
		    "this is UTF-16, not UTF-8");
		return false;
	}
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	s->text = malloc(len + 1);
	if (!s->text) {
		ds->failed = true;
		return false;
	}
	if (len)
		memcpy(s->text, text, len);
	s->text[len] = '\0';
	s->len = len;
	if (check_characters(s, ds) && find_lines(s, ds))
		return true;
	tw_source_release(s);
	return false;
}

void tw_source_release(struct tw_source *s)
{
	free(s->text);
	free(s->lines);
	memset(s, 0, sizeof *s);
}

const char *tw_source_line(const struct tw_source *s, size_t line, size_t *len)
{
	size_t from, to;

	*len = 0;
	if (line == 0 || line > s->nlines)
		return "";
	from = s->lines[line - 1];
	to = line < s->nlines ? s->lines[line] : s->len;
	*len = to - from;
	return s->text + from;
}
