/*
 * words.h - a command line as words, by the quoting of the shell and without
 *           a shell
 *
 * For commands that come over SSH as one text.  Blanks separate; '…', "…" and
 * a backslash quote as POSIX says.  Nothing is expanded: ~, *, ?, [ and # are
 * letters like others.  What a shell would act on (; | & < > ( ) $ and `) must
 * be quoted; in "…" $ and ` still want a backslash.
 */
#ifndef TW_BIN_WORDS_H
#define TW_BIN_WORDS_H

#include <stddef.h>

#include "base/err.h"

#define TW_WORDS_MAX ((size_t)64 << 10)	/* bytes of a line */

/* Splits n bytes; *words is NULL-ended, for tw_words_free(), its first word at
 * index 0; *count may be 0.  TW_USAGE: too long, a control character other than
 * tab, a quote without its end, something only a shell could do. */
enum tw_status tw_words_split(const char *line, size_t n, char ***words,
    size_t *count, struct tw_err *err);
void tw_words_free(char **words);

#endif
