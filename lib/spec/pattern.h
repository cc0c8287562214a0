/*
 * pattern.h - POSIX extended regular expressions from files
 *
 * A pattern is compiled only after its size is bounded: repetition counts
 * multiply when nested, and back-references take exponential time, so that a
 * careless or hostile pattern would otherwise take all memory or never end.
 * Matching is by bytes, and "^" and "$" are the ends of the whole text.
 */
#ifndef TW_SPEC_PATTERN_H
#define TW_SPEC_PATTERN_H

#include <regex.h>
#include <stdbool.h>

#include "base/err.h"

#define TW_PATTERN_MAX 1024	/* bytes */
#define TW_PATTERN_SIZE 10000	/* atoms, repetitions written out */

/* TW_OK and *re to be released with regfree(); TW_DATA with the reason as the
 * message; TW_NOMEM. */
enum tw_status tw_pattern_compile(const char *pattern, regex_t *re,
    struct tw_err *err);

/* Whether a text without NUL matches.  TW_OK, TW_NO, TW_NOMEM. */
enum tw_status tw_pattern_match(const regex_t *re, const char *text,
    struct tw_err *err);

#endif
