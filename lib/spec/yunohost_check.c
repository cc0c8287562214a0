/*
 * yunohost_check.c - YunoHost's catalogue of apps: one answer; see yunohost.h
 *
 * The rules are those that YunoHost would apply later, on the host, when an
 * install has begun (src/utils/form.py and the patterns of share/actionsmap.yml
 * in github.com/YunoHost/yunohost).  What only the host knows, such as which
 * domains there are, is left to it; so are `pattern' (Python's expressions)
 * and types that are not known here.
 */
#include "spec/yunohost.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "spec/utf8.h"
#include "spec/yunohost_private.h"

#define PASSWORD_MIN 8		/* YunoHost's weakest rule for users */
#define PASSWORD_MAX 127	/* beyond it YunoHost's own tools fail */
#define DOMAIN_MAX 253
#define LABEL_MAX 63

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

struct value {
	const struct tw_yunohost_question *q;
	const char *s;		/* n bytes and a NUL */
	size_t n;
	char *why;		/* TW_YUNOHOST_WHY_MAX */
};

static bool spans(const char *s, size_t n, const char *set)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (s[i] == '\0' || !strchr(set, s[i]))
			return false;
	return true;
}

static const char *say(struct value *v, const char *must)
{
	snprintf(v->why, TW_YUNOHOST_WHY_MAX, "%s", must);
	return v->why;
}

static const char *check_line(struct value *v)
{
	return tw_tree_is_line(v->s, v->n) ? NULL :
	    say(v, "must be one line without control characters");
}

static const char *check_text(struct value *v)
{
	size_t i;

	for (i = 0; i < v->n; i++)
		if ((unsigned char)v->s[i] < 0x20 &&
		    !strchr("\t\r\n", v->s[i]))
			return say(v, W_("must have no control characters"));
	return NULL;
}

/* Blanks at the ends: YunoHost would cut them off, and the password would be
 * another one. */
static const char *check_password(struct value *v)
{
	size_t count = tw_utf8_count(v->s, v->n);

	if (memchr(v->s, '{', v->n) || memchr(v->s, '}', v->n))
		return say(v, W_("must not have { or }"));
	if (v->s[0] == ' ' || v->s[v->n - 1] == ' ')
		return say(v, W_("must not begin or end with a blank"));
	if (count < PASSWORD_MIN || count > PASSWORD_MAX) {
		snprintf(v->why, TW_YUNOHOST_WHY_MAX,
		    "%s%d%s%d%s", W_("must have "), PASSWORD_MIN,
		    W_(" to "), PASSWORD_MAX, W_(" characters"));
		return v->why;
	}
	return check_line(v);
}

static const char *check_color(struct value *v)
{
	if (v->s[0] == '#' && (v->n == 4 || v->n == 7) &&
	    spans(v->s + 1, v->n - 1, DIGITS "abcdefABCDEF"))
		return NULL;
	return say(v, W_("must be a colour such as #0af or #00aaff"));
}

/* YunoHost takes digits alone, no sign. */
static const char *check_number(struct value *v)
{
	const struct tw_yunohost_question *q = v->q;
	int64_t number = 0;
	size_t i;

	if (v->n > 18 || !spans(v->s, v->n, DIGITS))
		return say(v, W_("must be a whole number of digits alone"));
	for (i = 0; i < v->n; i++)
		number = number * 10 + (v->s[i] - '0');
	if (q->has_min && number < q->min)
		snprintf(v->why, TW_YUNOHOST_WHY_MAX,
		    "%s%" PRId64, W_("must be at least "), q->min);
	else if (q->has_max && number > q->max)
		snprintf(v->why, TW_YUNOHOST_WHY_MAX,
		    "%s%" PRId64, W_("must be at most "), q->max);
	else
		return NULL;
	return v->why;
}

static const char *check_boolean(struct value *v)
{
	if (tw_yunohost_is_yes(v->q, v->s) || tw_yunohost_is_no(v->q, v->s))
		return NULL;
	return say(v, W_("must be yes or no"));
}

static int two(const char *s)
{
	return (s[0] - '0') * 10 + (s[1] - '0');
}

static const char *check_date(struct value *v)
{
	static const int days[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
	};
	int year, month, day;

	if (v->n == 10 && spans(v->s, 4, DIGITS) && v->s[4] == '-' &&
	    spans(v->s + 5, 2, DIGITS) && v->s[7] == '-' &&
	    spans(v->s + 8, 2, DIGITS)) {
		year = two(v->s) * 100 + two(v->s + 2);
		month = two(v->s + 5);
		day = two(v->s + 8);
		if (year >= 1 && month >= 1 && month <= 12 && day >= 1 &&
		    (day <= days[month - 1] || (month == 2 && day == 29 &&
		    year % 4 == 0 && (year % 100 || year % 400 == 0))))
			return NULL;
	}
	return say(v, W_("must be a date such as 2026-02-28"));
}

static const char *check_time(struct value *v)
{
	if (v->n == 5 && spans(v->s, 2, DIGITS) && v->s[2] == ':' &&
	    spans(v->s + 3, 2, DIGITS) && two(v->s) < 24 &&
	    two(v->s + 3) < 60)
		return NULL;
	return say(v, W_("must be a time of day such as 07:30"));
}

/* Labels of small letters, digits and inner hyphens, at least two of them. */
static bool is_domain(const char *s, size_t n)
{
	size_t labels = 0, len = 0, i;

	if (n > DOMAIN_MAX || !spans(s, n, LOWER DIGITS "-."))
		return false;
	for (i = 0; i < n; i += len + 1, labels++) {
		len = strcspn(s + i, ".");
		if (len > n - i)
			len = n - i;
		if (len == 0 || len > LABEL_MAX || s[i] == '-' ||
		    s[i + len - 1] == '-')
			return false;
	}
	return labels >= 2 && s[n - 1] != '.' && len >= 2;
}

static const char *check_domain(struct value *v)
{
	return is_domain(v->s, v->n) ? NULL : say(v,
	    W_("must be a domain in small letters, such as app.example.org"));
}

static const char *check_email(struct value *v)
{
	const char *at = memchr(v->s, '@', v->n);
	size_t local = at ? (size_t)(at - v->s) : 0;

	if (local > 0 && spans(v->s, local, LOWER UPPER DIGITS "._+-") &&
	    is_domain(at + 1, v->n - local - 1))
		return NULL;
	return say(v, W_("must be an address such as me@example.org"));
}

static const char *check_path(struct value *v)
{
	static const char set[] = LOWER UPPER DIGITS "-._~!$&'()*+,;=:@%/";

	if (v->s[0] != '/')
		return say(v, W_("must begin with '/'"));
	if (!spans(v->s, v->n, set) || strstr(v->s, "//") ||
	    strstr(v->s, "/../") || strstr(v->s, "/./") ||
	    (v->n >= 3 && strcmp(v->s + v->n - 3, "/..") == 0) ||
	    (v->n >= 2 && strcmp(v->s + v->n - 2, "/.") == 0))
		return say(v, W_("must be a path of a URL without blanks, '.', "
		    "'..' or empty parts"));
	return NULL;
}

static const char *check_url(struct value *v)
{
	static const char *const schemes[] = { "http://", "https://" };
	size_t i, len;

	for (i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		len = strlen(schemes[i]);
		if (strncmp(v->s, schemes[i], len) == 0 && v->s[len] &&
		    !strchr("/ :?#", v->s[len]) && !memchr(v->s, ' ', v->n))
			return check_line(v);
	}
	return say(v, W_("must be a URL with http:// or https://"));
}

static const char *check_file(struct value *v)
{
	return v->s[0] == '/' ? check_line(v) :
	    say(v, W_("must be the absolute path of a file on the host"));
}

static bool is_choice(const struct tw_yunohost_words *choices, const char *s,
    size_t n)
{
	size_t i;

	for (i = 0; i < choices->n; i++)
		if (strlen(choices->v[i]) == n &&
		    memcmp(choices->v[i], s, n) == 0)
			return true;
	return false;
}

static const char *wants_choice(struct value *v, const char *start)
{
	const struct tw_yunohost_words *c = &v->q->choices;
	size_t i, n, len = TW_YUNOHOST_WHY_MAX;
	struct tw_quote q;

	n = (size_t)snprintf(v->why, len, "%s", start);
	for (i = 0; i < c->n && n < len; i++)
		n += (size_t)snprintf(v->why + n, len - n, "%s%s",
		    i ? ", " : "", tw_quote(&q, c->v[i], strlen(c->v[i])));
	return v->why;
}

static const char *check_select(struct value *v)
{
	return is_choice(&v->q->choices, v->s, v->n) ? NULL :
	    wants_choice(v, "must be one of ");
}

static const char *check_tags(struct value *v)
{
	size_t i, len;

	for (i = 0; v->q->choices.n && i < v->n; i += len) {
		i += strspn(v->s + i, ", ");
		len = strcspn(v->s + i, ",");
		while (len && v->s[i + len - 1] == ' ')
			len--;
		if (len && !is_choice(&v->q->choices, v->s + i, len))
			return wants_choice(v, W_("must be, with commas, some "
			    "of "));
		len += strspn(v->s + i + len, " ");
	}
	return check_line(v);
}

static const char *check_app(struct value *v)
{
	return spans(v->s, v->n, LOWER DIGITS "_-") ? NULL :
	    say(v, W_("must be the id of an app on the host"));
}

static const char *check_user(struct value *v)
{
	return spans(v->s, v->n, LOWER DIGITS "_.") ? NULL :
	    say(v, W_("must be a user of small letters, digits, '_' and '.'"));
}

static const char *check_group(struct value *v)
{
	return spans(v->s, v->n, LOWER DIGITS "_") ? NULL :
	    say(v, W_("must be a group such as visitors, all_users or admins"));
}

static const char *(*const checks[])(struct value *) = {
	[TW_YUNOHOST_SHOWN] = check_line,
	[TW_YUNOHOST_STRING] = check_line,
	[TW_YUNOHOST_TEXT] = check_text,
	[TW_YUNOHOST_PASSWORD] = check_password,
	[TW_YUNOHOST_COLOR] = check_color,
	[TW_YUNOHOST_NUMBER] = check_number,
	[TW_YUNOHOST_BOOLEAN] = check_boolean,
	[TW_YUNOHOST_DATE] = check_date,
	[TW_YUNOHOST_TIME] = check_time,
	[TW_YUNOHOST_EMAIL] = check_email,
	[TW_YUNOHOST_PATH] = check_path,
	[TW_YUNOHOST_URL] = check_url,
	[TW_YUNOHOST_FILE] = check_file,
	[TW_YUNOHOST_SELECT] = check_select,
	[TW_YUNOHOST_TAGS] = check_tags,
	[TW_YUNOHOST_DOMAIN] = check_domain,
	[TW_YUNOHOST_APP] = check_app,
	[TW_YUNOHOST_USER] = check_user,
	[TW_YUNOHOST_GROUP] = check_group,
	[TW_YUNOHOST_OTHER] = check_text,
};

static bool is_one_of(const char *s, const char *const *words,
    const char *more)
{
	for (; *words; words++)
		if (strcasecmp(s, *words) == 0)
			return true;
	return more && strcasecmp(s, more) == 0;
}

bool tw_yunohost_is_yes(const struct tw_yunohost_question *q, const char *s)
{
	static const char *const words[] = {
		"1", "yes", "y", "true", "t", "on", NULL
	};

	return is_one_of(s, words, q->yes);
}

bool tw_yunohost_is_no(const struct tw_yunohost_question *q, const char *s)
{
	static const char *const words[] = {
		"0", "no", "n", "false", "f", "off", NULL
	};

	return is_one_of(s, words, q->no);
}

const char *tw_yunohost_why_not(const struct tw_yunohost_question *q,
    const char *value, char why[TW_YUNOHOST_WHY_MAX])
{
	struct value v = { q, value, strlen(value), why };

	if (v.n > TW_YUNOHOST_TEXT_MAX) {
		snprintf(why, TW_YUNOHOST_WHY_MAX,
		    "%s%zu%s", W_("must have at most "), TW_YUNOHOST_TEXT_MAX,
		    W_(" bytes"));
		return why;
	}
	if (!tw_utf8_ok(v.s, v.n))
		return say(&v, W_("must be UTF-8"));
	return v.n ? checks[q->type](&v) : NULL;
}
