/* fill.c - texts with {{name}} in them; see fill.h */
#include "spec/fill.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool tw_hole_next(const char *s, size_t n, size_t from, struct tw_hole *out)
{
	const char *at, *end, *line;

	if (from >= n)
		return false;
	at = memmem(s + from, n - from, "{{", 2);
	if (!at)
		return false;
	out->at = (size_t)(at - s);
	out->end = out->at + 2;
	out->name = at + 2;
	out->len = 0;
	if (n - out->end >= 2 && memcmp(at + 2, "{{", 2) == 0) {
		out->kind = TW_HOLE_BRACES;
		out->end += 2;
		return true;
	}
	line = memchr(at, '\n', n - out->at);
	end = memmem(at + 2, (line ? (size_t)(line - s) : n) - out->end, "}}",
	    2);
	if (!end) {
		out->kind = TW_HOLE_OPEN;
		return true;
	}
	out->kind = TW_HOLE_NAME;
	out->end = (size_t)(end - s) + 2;
	while (out->name < end && is_blank(*out->name))
		out->name++;
	while (end > out->name && is_blank(end[-1]))
		end--;
	out->len = (size_t)(end - out->name);
	return true;
}

bool tw_hole_names(const char *s, size_t n, const char *name)
{
	struct tw_hole h;
	size_t at;

	for (at = 0; tw_hole_next(s, n, at, &h); at = h.end)
		if (h.kind == TW_HOLE_NAME && h.len == strlen(name) &&
		    memcmp(h.name, name, h.len) == 0)
			return true;
	return false;
}
