/*
 * ticks.c - where the marks of a time axis stand; see ticks.h
 *
 * Up to half a day they are counted from local midnight; where the clock is put
 * forward or back a step meanwhile, the next one goes to where it belongs.
 */
#include "out/ticks.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY INT64_C(86400)	/* seconds */

enum unit { SECONDS, DAYS, MONTHS };

static const struct step {
	enum unit unit;
	int64_t n;
} steps[] = {
	{ SECONDS, 1 }, { SECONDS, 2 }, { SECONDS, 5 }, { SECONDS, 10 },
	{ SECONDS, 15 }, { SECONDS, 30 }, { SECONDS, 60 }, { SECONDS, 120 },
	{ SECONDS, 300 }, { SECONDS, 600 }, { SECONDS, 900 },
	{ SECONDS, 1800 }, { SECONDS, 3600 }, { SECONDS, 7200 },
	{ SECONDS, 10800 }, { SECONDS, 21600 }, { SECONDS, 43200 },
	{ DAYS, 1 }, { DAYS, 2 }, { DAYS, 7 }, { DAYS, 14 }, { MONTHS, 1 },
	{ MONTHS, 2 }, { MONTHS, 3 }, { MONTHS, 6 }, { MONTHS, 12 },
	{ MONTHS, 24 }, { MONTHS, 60 }, { MONTHS, 120 }, { MONTHS, 600 },
};
#define NSTEPS (sizeof steps / sizeof *steps)

static int64_t length(const struct step *s)
{
	static const int64_t of[] = { 1, DAY, 28 * DAY };

	return s->n * of[s->unit];
}

static int64_t floor_to(int64_t v, int64_t n)
{
	return v - ((v % n) + n) % n;
}

static int64_t offset_at(int64_t t)
{
	time_t at = (time_t)t;
	struct tm tm = { 0 };

	localtime_r(&at, &tm);
	return tm.tm_gmtoff;
}

/* Local midnight of the day that is so many behind 1970-01-01. */
static int64_t midnight(int64_t day)
{
	struct tm tm = { .tm_year = 70, .tm_mday = 1, .tm_isdst = -1 };

	tm.tm_mday += (int)day;
	return mktime(&tm);
}

static int64_t first_of_month(int64_t month)	/* since 1900-01 */
{
	struct tm tm = { .tm_mday = 1, .tm_isdst = -1 };

	tm.tm_year = (int)(month / 12);
	tm.tm_mon = (int)(month % 12);
	return mktime(&tm);
}

/* The tick at or before t, and the one behind a tick. */
static int64_t tick_before(const struct step *s, int64_t t)
{
	int64_t offset = offset_at(t);
	time_t at = (time_t)t;
	struct tm tm = { 0 };

	switch (s->unit) {
	case SECONDS:
		return floor_to(t + offset, s->n) - offset;
	case DAYS:	/* weeks begin with Monday, 1970-01-05 */
		return midnight(floor_to(floor_to(t + offset, DAY) / DAY - 4,
		    s->n) + 4);
	default:
		localtime_r(&at, &tm);
		return first_of_month(floor_to(tm.tm_year * INT64_C(12) +
		    tm.tm_mon, s->n));
	}
}

static int64_t tick_behind(const struct step *s, int64_t t)
{
	int64_t next, over;

	if (s->unit != SECONDS)	/* the middle of the next one's first day */
		return tick_before(s, t + s->n * (s->unit == DAYS ? DAY :
		    31 * DAY) + DAY / 2);
	next = t + s->n;
	over = next + offset_at(next) - floor_to(next + offset_at(next),
	    s->n);
	return over > s->n / 2 ? next + s->n - over : next - over;
}

static void label(const struct step *s, int64_t t, const char *last_day,
    struct tw_tick *out)
{
	time_t at = (time_t)t;
	struct tm tm = { 0 };

	localtime_r(&at, &tm);
	out->at = t * 1000;
	if (s->unit == MONTHS)
		strftime(out->time, sizeof out->time, "%Y-%m", &tm);
	else if (s->unit == DAYS)
		strftime(out->time, sizeof out->time, "%Y-%m-%d", &tm);
	else if (s->n % 60)
		strftime(out->time, sizeof out->time, "%H:%M:%S", &tm);
	else
		strftime(out->time, sizeof out->time, "%H:%M", &tm);
	strftime(out->day, sizeof out->day, "%Y-%m-%d", &tm);
	if (s->unit != SECONDS || strcmp(out->day, last_day) == 0)
		out->day[0] = '\0';
}

size_t tw_ticks(int64_t since, int64_t until, size_t most,
    struct tw_tick out[TW_TICKS_MAX])
{
	int64_t from = floor_to(since, 1000) / 1000, to = until / 1000, t;
	const struct step *s = steps;
	char day[sizeof out->day] = "";
	size_t n = 0;

	tzset();
	if (most > TW_TICKS_MAX)
		most = TW_TICKS_MAX;
	while (s < steps + NSTEPS - 1 && (to - from) / length(s) + 1 >
	    (int64_t)most)
		s++;
	for (t = tick_before(s, from); t <= to && n < most;
	    t = tick_behind(s, t)) {
		if (t * 1000 < since)
			continue;
		label(s, t, day, &out[n]);
		if (out[n].day[0])
			memcpy(day, out[n].day, sizeof day);
		n++;
	}
	return n;
}
