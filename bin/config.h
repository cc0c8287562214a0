/*
 * config.h - the tower's configuration file: where it is, read at each start
 */
#ifndef TW_BIN_CONFIG_H
#define TW_BIN_CONFIG_H

#include <stdbool.h>

#include "cli.h"
#include "spec/config.h"

/* The file: TOWERIFY_CONFIG, which does not count behind a gate, else the
 * system's.  NULL: there is to be none (TOWERIFY_CONFIG is empty). */
const char *config_path(void);

/* Reads it; where the system's is absent, all is default.  TW_CONFIG: every
 * problem is on stderr, and err is empty; behind a gate how many there are is
 * all that is said.  *out (tw_config_release()) is valid in any case. */
enum tw_status config_read(const struct tw_cli *cli, struct tw_config *out,
    struct tw_err *err);

/* Is the system's file that of another user's tower, who keeps it to himself?  It
 * says nothing of ours then. */
bool config_is_anothers(void);

/* The directory of hooks: what the file says, else hooks.d beside it; NULL where
 * there is to be no file.  The caller frees it. */
enum tw_status config_hooks(const struct tw_config *c, char **out,
    struct tw_err *err);

#endif
