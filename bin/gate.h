/*
 * gate.h - what a caller who came through a gate may not do
 *
 * Behind a gate (sudo to the state's owner, towerify-shell) the tool has more
 * rights than its caller.  So no path of the caller's is opened or looked at,
 * not even to say that there is nothing: a FILE is standard input.
 */
#ifndef TW_BIN_GATE_H
#define TW_BIN_GATE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* True also where the environment is not what a gate makes it (SUDO_UID that
 * is no number): the act fails then, but opens nothing before. */
bool gate_is_there(void);

/* Makes the process independent of its caller where there is a gate: the
 * environment keeps only what the tools read and a library can't be led astray
 * by; PATH and HOME (of the effective uid) are ours, the umask is 077, and no
 * key of a terminal stops it in mid-act.  Call it first, and again once the
 * effective uid has changed. */
void gate_enter(void);

/* Which state is not the caller's to say: TW_DENIED for --state (is_option),
 * and for TOWERIFY_STATE behind sudo; towerify-shell sets that itself. */
enum tw_status gate_check_state(bool is_option, struct tw_err *err);

/* TW_OK without a gate, else TW_DENIED "WHAT can't be used behind a gate". */
enum tw_status gate_refuse(const char *what, struct tw_err *err);

/* Appends the file to out (up to out->max); path "-": standard input, which
 * alone is read behind a gate.  TW_DENIED there for any other path, in the
 * same words for all; otherwise as tw_io_read_file(). */
enum tw_status gate_read(const char *path, struct tw_buf *out,
    struct tw_err *err);

#endif
