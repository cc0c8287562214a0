/* name.c - the grammars of names, and the nearest known word; see name.h */
#include "base/name.h"

#include <stdint.h>
#include <string.h>

#define SPOOL_MAX 255
#define ADDRESS_MAX 255		/* a DNS name has at most 253 */

/* Not <ctype.h>: the grammars are ASCII whatever the locale says. */
static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z');
}

/* True when s has 1 to max bytes, each alphanumeric or one of extra. */
static bool made_of(const char *s, const char *extra, size_t max)
{
	size_t i;

	for (i = 0; s[i]; i++)
		if (i >= max || (!is_alnum(s[i]) && !strchr(extra, s[i])))
			return false;
	return i > 0;
}

bool tw_name_ok(const char *s)
{
	return is_alnum(s[0]) && made_of(s, "._-", TW_NAME_MAX);
}

bool tw_name_param_ok(const char *s)
{
	size_t i;

	if (!is_lower(s[0]))
		return false;
	for (i = 1; s[i]; i++)
		if (i >= TW_PARAM_NAME_MAX ||
		    (!is_lower(s[i]) && !is_digit(s[i]) && s[i] != '_'))
			return false;
	return true;
}

bool tw_name_address_ok(const char *s)
{
	return s[0] != '-' && made_of(s, "._:%-", ADDRESS_MAX);
}

/* Empty parts are refused too: one spool has one spelling. */
bool tw_name_spool_ok(const char *s)
{
	const char *part, *end;
	size_t n;

	if (s[0] != '/' || !made_of(s, "._/-", SPOOL_MAX))
		return false;
	for (part = s + 1;; part = end + 1) {
		end = strchrnul(part, '/');
		n = (size_t)(end - part);
		if (n == 0 || (n == 1 && part[0] == '.') ||
		    (n == 2 && part[0] == '.' && part[1] == '.'))
			return false;
		if (!*end)
			return true;
	}
}

bool tw_name_label_value_ok(const char *s)
{
	size_t i;

	for (i = 0; s[i]; i++)
		if (i >= TW_NAME_MAX || s[i] <= ' ' || s[i] > '~' ||
		    strchr(",\"'`", s[i]))
			return false;
	return i > 0;
}

static uint8_t min3(uint8_t a, uint8_t b, uint8_t c)
{
	uint8_t m = a < b ? a : b;

	return m < c ? m : c;
}

/*
 * Edits (insert, delete, replace, swap of neighbours) that turn a into b,
 * both at most TW_NAME_MAX bytes: three rows of the usual table, the third
 * for swaps.
 */
static size_t distance(const char *a, size_t na, const char *b, size_t nb)
{
	uint8_t rows[3][TW_NAME_MAX + 1], *before = rows[0], *last = rows[1],
	    *row = rows[2], *spare;
	size_t i, j;

	for (j = 0; j <= nb; j++)
		before[j] = last[j] = (uint8_t)j;
	for (i = 1; i <= na; i++) {
		row[0] = (uint8_t)i;
		for (j = 1; j <= nb; j++) {
			row[j] = min3((uint8_t)(last[j] + 1),
			    (uint8_t)(row[j - 1] + 1),
			    (uint8_t)(last[j - 1] + (a[i - 1] != b[j - 1])));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && before[j - 2] + 1 < row[j])
				row[j] = (uint8_t)(before[j - 2] + 1);
		}
		spare = before;
		before = last;
		last = row;
		row = spare;
	}
	return last[nb];
}

const char *tw_name_nearest(const char *s, const char *const *words)
{
	size_t n = strlen(s), best = SIZE_MAX, longer, nw, d;
	const char *found = NULL;

	if (n == 0 || n > TW_NAME_MAX)
		return NULL;
	for (; *words; words++) {
		nw = strlen(*words);
		if (nw > TW_NAME_MAX)
			continue;
		longer = n > nw ? n : nw;
		d = distance(s, n, *words, nw);
		if (d * 3 <= longer && d < best) {
			best = d;
			found = *words;
		}
	}
	return found;
}
