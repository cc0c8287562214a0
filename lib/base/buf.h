/*
 * buf.h - a growing byte buffer with a stated maximum
 *
 * A zeroed struct tw_buf is valid and empty, with the maximum
 * TW_BUF_MAX_DEFAULT; set .max for another.  Failure is sticky: after an
 * addition that would pass the maximum or found no memory, .failed stays true
 * and further additions do nothing, so a caller may check once at the end.
 *
 * With .is_secret set before the first addition, memory is overwritten before
 * it is given back, when the buffer grows and when it is released.
 */
#ifndef TW_BASE_BUF_H
#define TW_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define TW_BUF_MAX_DEFAULT ((size_t)64 << 20)	/* bytes */

struct tw_buf {
	char *data;	/* NUL-terminated when not NULL; owned */
	size_t len;	/* bytes, without the NUL */
	size_t cap;
	size_t max;	/* 0: TW_BUF_MAX_DEFAULT */
	bool failed;
	bool is_secret;
};

#define TW_BUF_INIT { NULL, 0, 0, 0, false, false }

/* Each returns false when the buffer has failed, now or before. */
bool tw_buf_add(struct tw_buf *b, const void *p, size_t n);
bool tw_buf_adds(struct tw_buf *b, const char *s);
bool tw_buf_addc(struct tw_buf *b, char c);
bool tw_buf_addf(struct tw_buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
bool tw_buf_addv(struct tw_buf *b, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* Room for n more bytes at data + len; the caller then raises len. */
bool tw_buf_reserve(struct tw_buf *b, size_t n);

/* Removes the first n bytes (n <= len). */
void tw_buf_drop(struct tw_buf *b, size_t n);

/* The text: never NULL, "" when empty; lives until the next change. */
const char *tw_buf_str(const struct tw_buf *b);

/* TW_OK, or an error that says the buffer failed. */
enum tw_status tw_buf_check(const struct tw_buf *b, struct tw_err *err);

/* Hands the bytes to the caller, who frees them; the buffer is empty after.
 * NULL when the buffer failed (it is released then). */
char *tw_buf_detach(struct tw_buf *b);

/* Empties and forgets failure, keeps the memory. */
void tw_buf_reset(struct tw_buf *b);
/* Frees; the struct is as if zeroed, .max and .is_secret kept. */
void tw_buf_release(struct tw_buf *b);

#endif
