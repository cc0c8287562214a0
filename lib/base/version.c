/*
 * version.c - the order of version numbers; see version.h
 */
#include "base/version.h"

#include <string.h>

struct part {			/* of a version; not NUL-terminated */
	const char *p;
	const char *end;
};

static int is_digit(const struct part *v)
{
	return v->p < v->end && *v->p >= '0' && *v->p <= '9';
}

/* The weight of the next character where no number stands: "~", then the end
 * or a number, letters, the others. */
static int weight(const struct part *v)
{
	unsigned char c;

	if (v->p == v->end || is_digit(v))
		return 0;
	c = (unsigned char)*v->p;
	if (c == '~')
		return -1;
	if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
		return c;
	return c + 256;
}

static int compare_text(struct part *a, struct part *b)
{
	int x, y;

	while ((a->p < a->end && !is_digit(a)) ||
	    (b->p < b->end && !is_digit(b))) {
		x = weight(a);
		y = weight(b);
		if (x != y)
			return x < y ? -1 : 1;
		a->p++;
		b->p++;
	}
	return 0;
}

/* However many digits they have. */
static int compare_number(struct part *a, struct part *b)
{
	int first = 0;

	while (a->p < a->end && *a->p == '0')
		a->p++;
	while (b->p < b->end && *b->p == '0')
		b->p++;
	for (; is_digit(a) && is_digit(b); a->p++, b->p++)
		if (!first)
			first = (*a->p > *b->p) - (*a->p < *b->p);
	if (is_digit(a) || is_digit(b))
		return is_digit(a) ? 1 : -1;
	return first;
}

static int compare_part(struct part a, struct part b)
{
	int order = 0;

	while (!order && (a.p < a.end || b.p < b.end)) {
		order = compare_text(&a, &b);
		if (!order)
			order = compare_number(&a, &b);
	}
	return order;
}

/* Cuts off the epoch, and into *revision what follows the last "-". */
static struct part take_epoch(struct part *v, struct part *revision)
{
	size_t n = (size_t)(v->end - v->p);
	const char *colon = memchr(v->p, ':', n), *dash;
	struct part epoch = { v->p, v->p };

	if (colon) {
		epoch.end = colon;
		v->p = colon + 1;
		n = (size_t)(v->end - v->p);
	}
	dash = memrchr(v->p, '-', n);
	*revision = (struct part){ v->end, v->end };
	if (dash) {
		revision->p = dash + 1;
		v->end = dash;
	}
	return epoch;
}

int tw_version_cmp(const char *a, const char *b)
{
	struct part x = { a, a + strlen(a) }, y = { b, b + strlen(b) };
	struct part x_epoch, y_epoch, x_revision, y_revision;
	int order;

	x_epoch = take_epoch(&x, &x_revision);
	y_epoch = take_epoch(&y, &y_revision);
	order = compare_part(x_epoch, y_epoch);
	if (!order)
		order = compare_part(x, y);
	return order ? order : compare_part(x_revision, y_revision);
}
