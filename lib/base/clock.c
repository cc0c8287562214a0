/*
 * clock.c - time; see clock.h
 *
 * The only file that asks the kernel what time it is.  Times are parsed by
 * hand: strptime() accepts too much and knows no fractions.
 */
#include "base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t tw_clock_now(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t tw_clock_mono(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

/* Whole seconds, rounded down before 1970 too; *ms gets the rest. */
static time_t seconds_of(int64_t t, int *ms)
{
	time_t sec = (time_t)(t / 1000);

	*ms = (int)(t % 1000);
	if (*ms < 0) {
		*ms += 1000;
		sec--;
	}
	return sec;
}

void tw_time_rfc3339(int64_t t, char out[TW_TIME_MAX])
{
	struct tm tm;
	time_t sec;
	size_t n;
	int ms;

	sec = seconds_of(t, &ms);
	if (!gmtime_r(&sec, &tm)) {
		snprintf(out, TW_TIME_MAX, "?");
		return;
	}
	n = strftime(out, TW_TIME_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	if (ms)
		snprintf(out + n, TW_TIME_MAX - n, ".%03dZ", ms);
	else
		snprintf(out + n, TW_TIME_MAX - n, "Z");
}

void tw_time_local(int64_t t, char out[TW_TIME_MAX])
{
	struct tm tm;
	time_t sec;
	int ms;

	sec = seconds_of(t, &ms);
	if (!localtime_r(&sec, &tm) ||
	    !strftime(out, TW_TIME_MAX, "%Y-%m-%d %H:%M:%S", &tm))
		snprintf(out, TW_TIME_MAX, "?");
}

void tw_span_format(int64_t span, char out[TW_TIME_MAX])
{
	const char *sign = span < 0 ? "-" : "";
	uint64_t ms = span < 0 ? 0 - (uint64_t)span : (uint64_t)span;
	unsigned long long s = ms / 1000;

	if (s < 60)
		snprintf(out, TW_TIME_MAX, "%s%llu.%llus", sign, s,
		    (unsigned long long)(ms % 1000 / 100));
	else if (s < 3600)
		snprintf(out, TW_TIME_MAX, "%s%llum%02llus", sign, s / 60,
		    s % 60);
	else if (s < 86400)
		snprintf(out, TW_TIME_MAX, "%s%lluh%02llum", sign, s / 3600,
		    s % 3600 / 60);
	else
		snprintf(out, TW_TIME_MAX, "%s%llud%02lluh", sign, s / 86400,
		    s % 86400 / 3600);
}

/* Exactly n digits at *s into *out; *s moves on. */
static bool take_digits(const char **s, int n, int *out)
{
	int v = 0;

	for (; n > 0; n--, (*s)++) {
		if (**s < '0' || **s > '9')
			return false;
		v = v * 10 + (**s - '0');
	}
	*out = v;
	return true;
}

static bool take_char(const char **s, const char *any)
{
	if (!**s || !strchr(any, **s))
		return false;
	(*s)++;
	return true;
}

/* HH:MM and, where there is more, :SS. */
static bool take_clock(const char **s, struct tm *tm, bool seconds_needed)
{
	if (!take_digits(s, 2, &tm->tm_hour) || !take_char(s, ":") ||
	    !take_digits(s, 2, &tm->tm_min))
		return false;
	tm->tm_sec = 0;
	if (seconds_needed || **s == ':') {
		if (!take_char(s, ":") || !take_digits(s, 2, &tm->tm_sec))
			return false;
	}
	return tm->tm_hour <= 23 && tm->tm_min <= 59 && tm->tm_sec <= 59;
}

/* ".123": milliseconds; further digits are dropped. */
static bool take_fraction(const char **s, int *ms)
{
	int unit = 100;

	*ms = 0;
	if (!take_char(s, "."))
		return true;
	if (**s < '0' || **s > '9')
		return false;
	for (; **s >= '0' && **s <= '9'; (*s)++, unit /= 10)
		*ms += (**s - '0') * unit;
	return true;
}

/* "Z" or "+HH:MM": seconds east of UTC. */
static bool take_zone(const char **s, int *east)
{
	int sign, h, m;

	*east = 0;
	if (take_char(s, "Zz"))
		return true;
	sign = **s == '-' ? -1 : 1;
	if (!take_char(s, "+-") || !take_digits(s, 2, &h) ||
	    !take_char(s, ":") || !take_digits(s, 2, &m) || h > 23 || m > 59)
		return false;
	*east = sign * (h * 3600 + m * 60);
	return true;
}

static bool parse_rfc3339(const char *s, int64_t *out)
{
	struct tm tm = { 0 };
	int year, day, ms, east;
	time_t t;

	if (!take_digits(&s, 4, &year) || !take_char(&s, "-") ||
	    !take_digits(&s, 2, &tm.tm_mon) || !take_char(&s, "-") ||
	    !take_digits(&s, 2, &day) || !take_char(&s, "Tt ") ||
	    !take_clock(&s, &tm, true) || !take_fraction(&s, &ms) ||
	    !take_zone(&s, &east) || *s)
		return false;
	if (tm.tm_mon < 1 || tm.tm_mon > 12 || day < 1 || day > 31)
		return false;
	tm.tm_year = year - 1900;
	tm.tm_mon--;
	tm.tm_mday = day;
	t = timegm(&tm);
	if (tm.tm_mday != day)		/* 30 February became March */
		return false;
	*out = ((int64_t)t - east) * 1000 + ms;
	return true;
}

/* The next instant after now when clocks on the wall show s. */
static bool parse_wall_clock(const char *s, int64_t now, int64_t *out)
{
	struct tm tm, want = { 0 };
	time_t sec, t;
	int ms, ahead;

	if (!take_clock(&s, &want, false) || *s)
		return false;
	sec = seconds_of(now, &ms);
	for (ahead = 0; ahead < 2; ahead++) {
		if (!localtime_r(&sec, &tm))
			return false;
		tm.tm_mday += ahead;
		tm.tm_hour = want.tm_hour;
		tm.tm_min = want.tm_min;
		tm.tm_sec = want.tm_sec;
		tm.tm_isdst = -1;
		t = mktime(&tm);
		*out = (int64_t)t * 1000;
		if (*out > now)
			return true;
	}
	return false;
}

/* 9999-12-31T23:59:59.999Z: RFC 3339 has four digits for a year. */
#define TIME_MAX INT64_C(253402300799999)

enum tw_status tw_time_parse(const char *s, int64_t now, int64_t *out,
    struct tw_err *err)
{
	enum tw_status status;
	int64_t span;

	*out = 0;
	if (s[0] == '+') {
		status = tw_span_parse(s + 1, &span, err);
		if (status)
			return status;
		if (__builtin_add_overflow(now, span, out) ||
		    *out > TIME_MAX) {
			*out = 0;
			return tw_err_set(err, TW_USAGE,
			    "bad time '%s': too far away", s);
		}
		return TW_OK;
	}
	if (parse_rfc3339(s, out) || parse_wall_clock(s, now, out))
		return TW_OK;
	return tw_err_set(err, TW_USAGE, "bad time '%s': wanted "
	    "2026-11-21T22:00:00Z, +2h or 22:00", s);
}

/* Largest first, the order in which they may be joined. */
static const struct unit {
	const char *name;
	int64_t ms;
} units[] = {
	{ "d", 86400000 }, { "h", 3600000 }, { "m", 60000 },
	{ "s", 1000 }, { "ms", 1 },
};

#define NUNITS (sizeof units / sizeof units[0])

static const char *parse_part(const char *s, size_t *next, int64_t *sum,
    const char **why)
{
	int64_t v = 0;
	size_t n, i;

	*why = W_("a number was expected");
	if (*s < '0' || *s > '9')
		return NULL;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(v, (int64_t)10, &v) ||
		    __builtin_add_overflow(v, (int64_t)(*s - '0'), &v)) {
			*why = W_("too long");
			return NULL;
		}
	n = strcspn(s, "0123456789");
	*why = n ? W_("the unit is one of d h m s ms, larger ones first") :
	    W_("a unit is missing: d h m s ms");
	for (i = *next; i < NUNITS; i++)
		if (strlen(units[i].name) == n &&
		    memcmp(units[i].name, s, n) == 0)
			break;
	if (i == NUNITS)
		return NULL;
	if (__builtin_mul_overflow(v, units[i].ms, &v) ||
	    __builtin_add_overflow(*sum, v, sum)) {
		*why = W_("too long");
		return NULL;
	}
	*next = i + 1;
	return s + n;
}

enum tw_status tw_span_parse(const char *s, int64_t *out, struct tw_err *err)
{
	const char *at = s, *why;
	int64_t sum = 0;
	size_t next = 0;

	*out = 0;
	do {
		at = parse_part(at, &next, &sum, &why);
		if (!at)
			return tw_err_set(err, TW_USAGE,
			    "bad duration '%s': %s", s, why);
	} while (*at);
	*out = sum;
	return TW_OK;
}
