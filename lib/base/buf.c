/* buf.c - a growing byte buffer with a stated maximum; see buf.h */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* realloc() may leave a copy behind. */
static char *move_secret(struct tw_buf *b, size_t cap)
{
	char *p = malloc(cap);

	if (!p)
		return NULL;
	if (b->data) {
		memcpy(p, b->data, b->len);
		explicit_bzero(b->data, b->cap);
		free(b->data);
	}
	return p;
}

bool tw_buf_reserve(struct tw_buf *b, size_t n)
{
	size_t max = b->max ? b->max : TW_BUF_MAX_DEFAULT, cap;
	char *p;

	if (b->failed)
		return false;
	if (n > max || b->len > max - n) {
		b->failed = true;
		return false;
	}
	if (b->len + n < b->cap)
		return true;
	cap = b->cap ? b->cap * 2 : 64;
	if (cap < b->len + n + 1)
		cap = b->len + n + 1;
	if (cap > max + 1)
		cap = max + 1;
	p = b->is_secret ? move_secret(b, cap) : realloc(b->data, cap);
	if (!p) {
		b->failed = true;
		return false;
	}
	b->data = p;
	b->cap = cap;
	b->data[b->len] = '\0';
	return true;
}

bool tw_buf_add(struct tw_buf *b, const void *p, size_t n)
{
	if (!tw_buf_reserve(b, n))
		return false;
	if (n)
		memcpy(b->data + b->len, p, n);
	b->len += n;
	b->data[b->len] = '\0';
	return true;
}

bool tw_buf_adds(struct tw_buf *b, const char *s)
{
	return tw_buf_add(b, s, strlen(s));
}

bool tw_buf_addc(struct tw_buf *b, char c)
{
	return tw_buf_add(b, &c, 1);
}

bool tw_buf_addv(struct tw_buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		b->failed = true;
	if (n < 0 || !tw_buf_reserve(b, (size_t)n))
		return false;
	vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	b->len += (size_t)n;
	return true;
}

bool tw_buf_addf(struct tw_buf *b, const char *fmt, ...)
{
	va_list ap;
	bool ok;

	va_start(ap, fmt);
	ok = tw_buf_addv(b, fmt, ap);
	va_end(ap);
	return ok;
}

void tw_buf_drop(struct tw_buf *b, size_t n)
{
	if (n == 0)
		return;
	memmove(b->data, b->data + n, b->len - n + 1);
	b->len -= n;
}

const char *tw_buf_str(const struct tw_buf *b)
{
	return b->data ? b->data : "";
}

enum tw_status tw_buf_check(const struct tw_buf *b, struct tw_err *err)
{
	if (!b->failed)
		return TW_OK;
	return tw_err_set(err, TW_NOMEM, "out of memory, or more than %zu bytes",
	    b->max ? b->max : TW_BUF_MAX_DEFAULT);
}

char *tw_buf_detach(struct tw_buf *b)
{
	char *p;

	if (!b->failed && !b->data)
		tw_buf_add(b, "", 0);
	if (b->failed) {
		tw_buf_release(b);
		return NULL;
	}
	p = b->data;
	b->data = NULL;
	b->len = b->cap = 0;
	return p;
}

void tw_buf_reset(struct tw_buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data)
		b->data[0] = '\0';
}

void tw_buf_release(struct tw_buf *b)
{
	if (b->is_secret && b->data)
		explicit_bzero(b->data, b->cap);
	free(b->data);
	b->data = NULL;
	b->len = b->cap = 0;
	b->failed = false;
}
