/* ticks.h - where the marks of a time axis stand, in local time */
#ifndef TW_OUT_TICKS_H
#define TW_OUT_TICKS_H

#include <stddef.h>
#include <stdint.h>

#define TW_TICKS_MAX 16

struct tw_tick {
	int64_t at;
	char time[24];		/* "06:30"; from days on "2026-11-21" */
	char day[24];		/* "2026-11-21" where a day is new; or "" */
};

/* Round instants within [since, until], at most `most' (no more than
 * TW_TICKS_MAX): of seconds, minutes, hours, days, weeks, months or years.
 * How many there are. */
size_t tw_ticks(int64_t since, int64_t until, size_t most,
    struct tw_tick out[TW_TICKS_MAX]);

#endif
