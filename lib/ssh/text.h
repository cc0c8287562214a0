/*
 * text.h - making what a peer wrote fit for an error message
 */
#ifndef TW_SSH_TEXT_H
#define TW_SSH_TEXT_H

#include <stddef.h>

/* Copies up to n bytes of s into out (size bytes, NUL included), cut where it
 * is full; anything but printable ASCII becomes '?'. */
void tw_text_clean(char *out, size_t size, const void *s, size_t n);

/* The line of s that at (a place in s) is in, cleaned. */
void tw_text_line_at(char *out, size_t size, const char *s, const char *at);

/* The last line of s that is not blank, cleaned; "" when there is none. */
void tw_text_last_line(char *out, size_t size, const char *s);

#endif
