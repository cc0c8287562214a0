/*
 * cron.h - a pass for cron: what keeps it from its work is said once
 *
 * cron mails what a command writes, each minute anew.  What a pass meets on its
 * way (a host held, a change rolled back) happens once and is said then.  An
 * error that ends the pass itself comes again with the next one: it is said
 * once, and again only when it is another, or came back after a pass that went
 * well.  What will pass by itself (TW_AGAIN) is said when two passes in a row
 * have met it.
 *
 * What was said is kept in the file "cron.said": in the state directory; where
 * that can't be written, in $XDG_RUNTIME_DIR or /run/towerify.  Where neither
 * can be, it is said each time.
 */
#ifndef TW_BIN_CRON_H
#define TW_BIN_CRON_H

#include "cli.h"

/* A pass ended well: what was said is forgotten. */
void cron_well(const struct tw_cli *cli);

/* A pass ended with err, which is said if it is time to.  A state that nobody
 * has begun is none: a tower that waits for its administrator has nothing due.
 * Returns the exit status. */
int cron_error(const struct tw_cli *cli, const struct tw_err *err);

#endif
