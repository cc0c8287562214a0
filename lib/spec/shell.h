/*
 * shell.h - is this shell text? asked of sh itself, which runs none of it
 */
#ifndef TW_SPEC_SHELL_H
#define TW_SPEC_SHELL_H

#include <stddef.h>

#include "base/err.h"

#define TW_SHELL_WHY_MAX 256

struct tw_shell_text {
	const char *text;		/* in: borrowed */
	size_t line;			/* out: from 1, 0: it is fine */
	char why[TW_SHELL_WHY_MAX];	/* out: what sh said, safe to show */
};

/* Reads n texts with `sh -n`, one child each, a few at a time.  TW_OK: see
 * each text's line; TW_CONFIG when sh cannot be run; TW_NOMEM when there
 * is no memory or no room for a process. */
enum tw_status tw_shell_check(struct tw_shell_text *v, size_t n,
    struct tw_err *err);

#endif
