/*
 * clock.h - time
 *
 * Instants are int64_t milliseconds since 1970-01-01 UTC; spans are int64_t
 * milliseconds.  0 means "none" wherever an instant is optional.
 */
#ifndef TW_BASE_CLOCK_H
#define TW_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define TW_TIME_MAX 40		/* bytes for any formatted time, NUL included */

int64_t tw_clock_now(void);	/* wall clock */
int64_t tw_clock_mono(void);	/* monotonic, for spans only */

/* "2026-11-21T05:46:00Z" (milliseconds only when not 0), for machines. */
void tw_time_rfc3339(int64_t t, char out[TW_TIME_MAX]);
/* "2026-11-21 06:46:00" in local time, for people. */
void tw_time_local(int64_t t, char out[TW_TIME_MAX]);
/* "1.2s", "3m10s", "2h05m", "4d03h", for people. */
void tw_span_format(int64_t span, char out[TW_TIME_MAX]);

/* T of the command line: RFC 3339, "+2h" (from now), "22:00" (the next one,
 * local time; "22:00:30" too).  TW_USAGE with a message otherwise. */
enum tw_status tw_time_parse(const char *s, int64_t now, int64_t *out,
    struct tw_err *err);

/* A duration with a unit: "90s", "10m", "2h", "500ms", "1d", also joined as
 * "1h30m".  TW_USAGE with a message otherwise (missing unit, overflow). */
enum tw_status tw_span_parse(const char *s, int64_t *out, struct tw_err *err);

#endif
