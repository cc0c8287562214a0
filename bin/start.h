/*
 * start.h - a pass of its own for what was just filed (key start of
 *           towerify.yaml(5))
 */
#ifndef TW_BIN_START_H
#define TW_BIN_START_H

#include "tower.h"

/* Starts a pass over the whole tower as who owns the state, where the
 * configuration says so: detached, with nothing of ours open.  That it can't is
 * no error, for any later pass does the same. */
void start_pass(const struct tower *t);

#endif
