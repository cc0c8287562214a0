/* err.c - status codes and the error value; see err.h */
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* One text into its place; one too long is cut between two characters. */
static void TW_PRINTF(4, 0) put(char *to, size_t size, bool own,
    const char *fmt, va_list ap)
{
	char text[2 * TW_ERR_MSG_MAX];

	if (vsnprintf(text, sizeof text, fmt, ap) < 0)
		text[0] = '\0';
	tw_text_settle(to, size, text, own);
}

static void TW_PRINTF(4, 5) putf(char *to, size_t size, bool own,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(to, size, own, fmt, ap);
	va_end(ap);
}

/* The message in English and, where that is another, in the reader's. */
static void TW_PRINTF(2, 0) put_both(struct tw_err *err, const char *fmt,
    va_list ap)
{
	va_list again;

	err->said[0] = '\0';
	va_copy(again, ap);
	put(err->msg, sizeof err->msg, false, fmt, ap);
	if (tw_text_is_on())
		put(err->said, sizeof err->said, true, tw_text(fmt), again);
	va_end(again);
}

/* "WHAT: REASON" into the message's place and, as the reader's language joins
 * the two, into said's. */
static void join(struct tw_err *err, const struct tw_err *what,
    const char *reason, const char *own_reason)
{
	putf(err->msg, sizeof err->msg, false, "%s: %s", what->msg, reason);
	err->said[0] = '\0';
	if (tw_text_is_on())
		putf(err->said, sizeof err->said, true,
		    /* what failed: the reason */
		    tw_text_in("reason", "%s: %s"), tw_err_text(what),
		    own_reason);
}

enum tw_status tw_err_set(struct tw_err *err, enum tw_status status,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tw_err_setv(err, status, fmt, ap);
	va_end(ap);
	return status;
}

enum tw_status tw_err_setv(struct tw_err *err, enum tw_status status,
    const char *fmt, va_list ap)
{
	if (!err)
		return status;
	err->status = status;
	err->hint[0] = '\0';
	put_both(err, fmt, ap);
	return status;
}

enum tw_status tw_err_set_n(struct tw_err *err, enum tw_status status,
    unsigned long n, const char *one, const char *many, ...)
{
	va_list ap;

	if (!err)
		return status;
	err->status = status;
	err->hint[0] = err->said[0] = '\0';
	va_start(ap, many);
	put(err->msg, sizeof err->msg, false, n == 1 ? one : many, ap);
	va_end(ap);
	if (!tw_text_is_on())
		return status;
	va_start(ap, many);
	put(err->said, sizeof err->said, true, tw_text_n(one, many, n), ap);
	va_end(ap);
	return status;
}

enum tw_status tw_err_sys(struct tw_err *err, enum tw_status status, int e,
    const char *fmt, ...)
{
	struct tw_err what = { 0 };
	const char *why = strerrordesc_np(e);
	char text[128];
	va_list ap;

	if (!err)
		return status;
	err->status = status;
	err->hint[0] = '\0';
	va_start(ap, fmt);
	put_both(&what, fmt, ap);
	va_end(ap);
	/* GNU's: may not use text, and knows languages */
	join(err, &what, why ? why : strerror_r(e, text, sizeof text),
	    strerror_r(e, text, sizeof text));
	return status;
}

void tw_err_hint(struct tw_err *err, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return;
	va_start(ap, fmt);
	put(err->hint, sizeof err->hint, true, tw_text(fmt), ap);
	va_end(ap);
}

enum tw_status tw_err_prefix(struct tw_err *err, const char *fmt, ...)
{
	struct tw_err what = { 0 }, old;
	va_list ap;

	if (!err)
		return TW_BUG;
	old = *err;
	old.msg[sizeof old.msg - 1] = '\0';
	va_start(ap, fmt);
	put_both(&what, fmt, ap);
	va_end(ap);
	join(err, &what, old.msg, tw_err_text(&old));
	return err->status;
}

void tw_err_say(struct tw_err *err, const char *said)
{
	if (err && strcmp(said, err->msg) != 0)
		tw_text_settle(err->said, sizeof err->said, said, true);
}

const char *tw_err_text(const struct tw_err *err)
{
	return err->msg[0] && err->said[0] ? err->said : err->msg;
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
