/*
 * utf8.h - UTF-8, one character at a time
 */
#ifndef TW_SPEC_UTF8_H
#define TW_SPEC_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length in bytes of the character at s (n bytes are there) and its code
 * point in *cp; 0 when the bytes are no UTF-8 (overlong forms and surrogates
 * are none) or n is 0. */
size_t tw_utf8_next(const char *s, size_t n, uint32_t *cp);

/* Whether all n bytes are UTF-8. */
bool tw_utf8_ok(const char *s, size_t n);

/* The number of characters in n bytes of UTF-8. */
size_t tw_utf8_count(const char *s, size_t n);

/* False for what must not reach a terminal as it is: control characters,
 * line and paragraph separators, marks that reorder text, and the byte order
 * mark. */
bool tw_utf8_is_plain(uint32_t cp);

#endif
