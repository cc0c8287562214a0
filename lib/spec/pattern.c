/* pattern.c - POSIX extended regular expressions; see pattern.h */
#include "spec/pattern.h"

#include <locale.h>
#include <stddef.h>
#include <string.h>

#define GROUPS_MAX 32		/* groups inside one another */

struct sizer {
	size_t sum[GROUPS_MAX + 1];	/* atoms so far in each open group */
	size_t last[GROUPS_MAX + 1];	/* atoms of the last item there */
	size_t depth;
};

static void add_item(struct sizer *z, size_t n)
{
	z->sum[z->depth] += n;
	z->last[z->depth] = n;
}

/* Past a bracket expression that begins at p. */
static const char *skip_bracket(const char *p)
{
	const char *end;
	char close[3];

	p++;
	if (*p == '^')
		p++;
	if (*p == ']')
		p++;
	while (*p && *p != ']') {
		if (*p == '[' && p[1] && strchr(".:=", p[1])) {
			close[0] = p[1];
			close[1] = ']';
			close[2] = '\0';
			end = strstr(p + 2, close);
			if (!end)
				return p + strlen(p);
			p = end + 2;
		} else {
			p++;
		}
	}
	return *p ? p + 1 : p;
}

/* Past "{n,m}" at p; the last item counts that often.  NULL: too large. */
static const char *repeat(struct sizer *z, const char *p)
{
	size_t v = 0, most = 1, last = z->last[z->depth];

	for (p++; *p && *p != '}'; p++) {
		if (*p >= '0' && *p <= '9')
			v = v * 10 + (size_t)(*p - '0');
		else
			v = 0;
		if (v > TW_PATTERN_SIZE)
			return NULL;
		if (v > most)
			most = v;
	}
	z->sum[z->depth] += last * (most - 1);
	z->last[z->depth] = last * most;
	return *p ? p + 1 : p;
}

static const char *size_step(struct sizer *z, const char *p, const char **why)
{
	switch (*p) {
	case '\\':
		if (p[1] >= '1' && p[1] <= '9') {
			*why = W_("back-references are not allowed");
			return NULL;
		}
		add_item(z, 1);
		return p[1] ? p + 2 : p + 1;
	case '[':
		add_item(z, 1);
		return skip_bracket(p);
	case '(':
		if (z->depth == GROUPS_MAX) {
			*why = W_("more than 32 groups inside one another");
			return NULL;
		}
		z->depth++;
		z->sum[z->depth] = 0;
		z->last[z->depth] = 0;
		return p + 1;
	case ')':
		if (z->depth) {
			z->depth--;
			add_item(z, z->sum[z->depth + 1] + 1);
		}
		return p + 1;
	case '{':
		p = repeat(z, p);
		if (!p)
			*why = W_("a repetition is too large");
		return p;
	case '*':
	case '+':
	case '?':
		return p + 1;
	default:
		add_item(z, 1);
		return p + 1;
	}
}

/* NULL when a pattern is small enough, else why not. */
static const char *too_large(const char *p)
{
	const char *why = NULL;
	struct sizer z;

	memset(&z, 0, sizeof z);
	if (strlen(p) > TW_PATTERN_MAX)
		return W_("it has more than 1024 bytes");
	while (*p) {
		p = size_step(&z, p, &why);
		if (!p)
			return why;
		if (z.sum[z.depth] > TW_PATTERN_SIZE)
			return W_("its repetitions are too large together");
	}
	return NULL;
}

enum tw_status tw_pattern_compile(const char *pattern, regex_t *re,
    struct tw_err *err)
{
	const char *why = too_large(pattern);
	char text[256];
	locale_t plain, own;
	int e;

	if (why)
		return tw_err_set(err, TW_DATA, "%s", why);
	e = regcomp(re, pattern, REG_EXTENDED | REG_NOSUB);
	if (e == 0)
		return TW_OK;
	if (e == REG_ESPACE)
		return tw_err_nomem(err);
	/* libc's words know languages */
	plain = newlocale(LC_MESSAGES_MASK, "C", (locale_t)0);
	if (!plain)
		return tw_err_nomem(err);
	own = uselocale(plain);
	regerror(e, re, text, sizeof text);
	uselocale(own);
	freelocale(plain);
	tw_err_set(err, TW_DATA, "%s", text);
	regerror(e, re, text, sizeof text);
	tw_err_say(err, text);
	return TW_DATA;
}

enum tw_status tw_pattern_match(const regex_t *re, const char *text,
    struct tw_err *err)
{
	int e = regexec(re, text, 0, NULL, 0);

	if (e == 0)
		return TW_OK;
	return e == REG_NOMATCH ? TW_NO : tw_err_nomem(err);
}
