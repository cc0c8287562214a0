/*
 * targets_has.c - TARGETS: does an expression select this one host?
 *
 * For scopes, which are asked about one host at a time.  A name is matched
 * against the ranges as they are written, without expanding them: a scope of a
 * million names costs no more than its text.
 */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/targets_private.h"

/* May the n digits at s be a number of the part's ranges, as it is written? */
static bool in_ranges(const struct target_part *part, const char *s, size_t n)
{
	const struct target_range *r;
	char text[TW_NAME_MAX + 1];
	unsigned long v = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (v > (unsigned long)-1 / 10 - 1)
			return false;
		v = v * 10 + (unsigned long)(s[i] - '0');
	}
	for (r = part->ranges; r < part->ranges + part->nranges; r++) {
		if (v < r->lo || v > r->hi)
			continue;
		snprintf(text, sizeof text, "%0*lu", r->width, v);
		if (strlen(text) == n && memcmp(text, s, n) == 0)
			return true;
	}
	return false;
}

/* Where the part may end when it starts at s: marks the places. */
static void match_part(const struct target_part *part, const char *name,
    size_t at, bool *ends)
{
	size_t text = strlen(part->text), n;

	if (strncmp(name + at, part->text, text) != 0)
		return;
	at += text;
	if (!part->nranges)
		ends[at] = true;
	for (n = 1; part->nranges && name[at + n - 1] >= '0' &&
	    name[at + n - 1] <= '9'; n++)
		if (in_ranges(part, name + at, n))
			ends[at + n] = true;
}

/* A word of names and ranges.  Two ranges side by side may share the digits in
 * several ways: all places where a part may end are followed. */
static bool has_name(const struct target_word *w, const char *name)
{
	bool starts[TW_NAME_MAX + 1] = { true }, ends[TW_NAME_MAX + 1];
	size_t len = strlen(name), at, i;

	if (len > TW_NAME_MAX)
		return false;
	for (i = 0; i < w->nparts; i++) {
		memset(ends, 0, sizeof ends);
		for (at = 0; at <= len; at++)
			if (starts[at])
				match_part(&w->parts[i], name, at, ends);
		memcpy(starts, ends, sizeof starts);
	}
	return starts[len];
}

static bool has_glob(const struct target_word *w, const char *name)
{
	char pattern[TW_NAME_MAX + 1];
	size_t i;

	for (i = 0; i < w->count; i++) {
		tw_target_word_name(w, i, pattern);
		if (fnmatch(pattern, name, 0) == 0)
			return true;
	}
	return false;
}

bool tw_targets_has(const struct tw_targets *t,
    const struct tw_target_item *item)
{
	const struct target_word *w;
	bool any = false, only_negative = true, hit;

	for (w = t->words; w < t->words + t->nwords; w++) {
		if (any && !w->is_negative)
			continue;
		hit = w->is_label ? tw_target_item_has(item, w->source + 1) :
		    w->is_glob ? has_glob(w, item->name) :
		    has_name(w, item->name);
		if (w->is_negative && hit)
			return false;
		only_negative &= w->is_negative;
		any |= !w->is_negative && hit;
	}
	return any || only_negative;
}
