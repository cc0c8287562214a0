/*
 * err.h - status codes and the error value
 *
 * Every function of the library that can fail returns an enum tw_status and,
 * when it is not TW_OK, fills the struct tw_err given as its last argument
 * (NULL where the caller does not care).  On success the error value is
 * untouched.  The statuses are the exit statuses of the tools, so that a tool
 * returns what the library told it; TW_NOMEM alone is mapped, by
 * tw_status_exit().
 *
 * A message is kept twice: in English, in which it may be stored (the reason of
 * a change, the last error of a host) and reach programs; and in the language
 * of the person at the tool, for whom tools print tw_err_text().  So that what
 * stores can't be wrong by the locale of whoever runs it, .msg is the English
 * one.  Formats are English in the source and looked up here: see base/text.h.
 * Hints are never stored: they exist in the reader's language alone.
 */
#ifndef TW_BASE_ERR_H
#define TW_BASE_ERR_H

#include <stdarg.h>

#include "base/text.h"	/* N_(), W_(): messages are made of them */

enum tw_status {
	TW_OK = 0,		/* done */
	TW_NO = 1,		/* it does not hold, or was not found */
	TW_USAGE = 2,		/* the command line is wrong */
	TW_ROLLED_BACK = 3,	/* a change was rolled back */
	TW_FAILED = 4,		/* a change failed, its host is held */
	TW_WAITING = 5,		/* not yet run, held, or the wait timed out */
	TW_DATA = 65,		/* an input file is wrong */
	TW_BUG = 70,		/* a bug of ours */
	TW_AGAIN = 75,		/* busy or unreachable: try again */
	TW_DENIED = 77,		/* not permitted */
	TW_CONFIG = 78,		/* configuration or state directory is wrong */
	TW_NOMEM = 200,		/* out of memory; a tool exits 75 */
};

#define TW_ERR_MSG_MAX 1024	/* longer messages are cut */
#define TW_ERR_HINT_MAX 512

struct tw_err {
	enum tw_status status;
	char msg[TW_ERR_MSG_MAX];	/* lower case, no full stop; English */
	char said[TW_ERR_MSG_MAX];	/* the same translated, or "" */
	char hint[TW_ERR_HINT_MAX];	/* what to do next, or "" */
};

#define TW_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* Fills err (if not NULL) and clears its hint; returns status. */
enum tw_status tw_err_set(struct tw_err *err, enum tw_status status,
    const char *fmt, ...) TW_PRINTF(3, 4);

enum tw_status tw_err_setv(struct tw_err *err, enum tw_status status,
    const char *fmt, va_list ap) TW_PRINTF(3, 0);

/* The same of a text with a number in it: one for n = 1, many else.  Both take
 * the same arguments. */
enum tw_status tw_err_set_n(struct tw_err *err, enum tw_status status,
    unsigned long n, const char *one, const char *many, ...)
    TW_PRINTF(4, 6) TW_PRINTF(5, 6);

/* The same with the text of errno value e appended: "FMT: strerror". */
enum tw_status tw_err_sys(struct tw_err *err, enum tw_status status, int e,
    const char *fmt, ...) TW_PRINTF(4, 5);

/* Adds the one obvious next step to an error already set. */
void tw_err_hint(struct tw_err *err, const char *fmt, ...) TW_PRINTF(2, 3);

/* Puts "FMT: " before the message already set; returns its status. */
enum tw_status tw_err_prefix(struct tw_err *err, const char *fmt, ...)
    TW_PRINTF(2, 3);

/* What the message already set, put together from parts, is in the reader's
 * language. */
void tw_err_say(struct tw_err *err, const char *said);

/* The message for a person; "" where none is set. */
const char *tw_err_text(const struct tw_err *err);

/* "out of memory"; returns TW_NOMEM. */
enum tw_status tw_err_nomem(struct tw_err *err);

/* The exit status for a status. */
int tw_status_exit(enum tw_status status);

/* Of two results the worse: 4 > 3 > 75 > 5 > 1 > 0; any other error (2, 65,
 * 70, 77, 78) is worse than all of these. */
enum tw_status tw_status_worse(enum tw_status a, enum tw_status b);

#endif
