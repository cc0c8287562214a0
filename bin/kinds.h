/*
 * kinds.h - where the tools look for step kinds
 */
#ifndef TW_BIN_KINDS_H
#define TW_BIN_KINDS_H

#include "base/err.h"
#include "spec/kind.h"

/* Those of /etc/towerify/kinds, then those that came with the tools, of a build
 * its own.  In the
 * environment TOWERIFY_KINDS may name other directories, with colons between;
 * not behind a gate.  The caller frees *out with tw_kinds_free().  TW_OK,
 * TW_NOMEM. */
enum tw_status kinds_open(struct tw_kinds **out, struct tw_err *err);

#endif
