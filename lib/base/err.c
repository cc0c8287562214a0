/* err.c - status codes and the error value; see err.h */
#include "base/err.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum tw_status tw_err_set(struct tw_err *err, enum tw_status status,
    const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return status;
	err->status = status;
	err->hint[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	return status;
}

enum tw_status tw_err_sys(struct tw_err *err, enum tw_status status, int e,
    const char *fmt, ...)
{
	va_list ap;
	char text[128];
	const char *why;
	size_t n;

	if (!err)
		return status;
	err->status = status;
	err->hint[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	n = strlen(err->msg);
	why = strerror_r(e, text, sizeof text);	/* GNU's: may not use text */
	snprintf(err->msg + n, sizeof err->msg - n, ": %s", why);
	return status;
}

void tw_err_hint(struct tw_err *err, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return;
	va_start(ap, fmt);
	vsnprintf(err->hint, sizeof err->hint, fmt, ap);
	va_end(ap);
}

enum tw_status tw_err_prefix(struct tw_err *err, const char *fmt, ...)
{
	char old[TW_ERR_MSG_MAX];
	va_list ap;
	size_t n;

	if (!err)
		return TW_BUG;
	memcpy(old, err->msg, sizeof old);
	old[sizeof old - 1] = '\0';
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	n = strlen(err->msg);
	snprintf(err->msg + n, sizeof err->msg - n, ": %s", old);
	return err->status;
}

enum tw_status tw_err_nomem(struct tw_err *err)
{
	return tw_err_set(err, TW_NOMEM, "out of memory");
}

int tw_status_exit(enum tw_status status)
{
	return status == TW_NOMEM ? TW_AGAIN : (int)status;
}

static int rank(enum tw_status s)
{
	switch (s) {
	case TW_OK:
		return 0;
	case TW_NO:
		return 1;
	case TW_WAITING:
		return 2;
	case TW_AGAIN:
	case TW_NOMEM:
		return 3;
	case TW_ROLLED_BACK:
		return 4;
	case TW_FAILED:
		return 5;
	default:
		return 6;
	}
}

enum tw_status tw_status_worse(enum tw_status a, enum tw_status b)
{
	return rank(a) >= rank(b) ? a : b;
}
