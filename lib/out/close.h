/* close.h - the end of standard output: a full disk is an error */
#ifndef TW_OUT_CLOSE_H
#define TW_OUT_CLOSE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"

/* Flushes and closes f.  TW_CONFIG "cannot write standard output: REASON" when
 * any of what was written to it did not arrive; *pipe is true when the reader
 * went away (EPIPE; SIGPIPE must be ignored), which ends a tool quietly.
 * Closing what was never open is no error unless something was written. */
enum tw_status tw_out_close(FILE *f, bool *pipe, struct tw_err *err);

#endif
