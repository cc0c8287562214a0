/* host.h - the verbs of towerify-host, by file */
#ifndef TW_BIN_HOST_H
#define TW_BIN_HOST_H

#include "cli.h"
#include "tower.h"

/* host_add.c: verbs that reach hosts */
int host_add(struct tw_cli *cli, int argc, char **argv);
int host_set(struct tw_cli *cli, int argc, char **argv);
int host_check(struct tw_cli *cli, int argc, char **argv);

extern const struct tw_column host_check_columns[];
/* host_revoke.c: the tower leaves one */
int host_revoke(struct tw_cli *cli, int argc, char **argv);

/* host_provision.c */
int host_provision(struct tw_cli *cli, int argc, char **argv);
/* Appends the organisation's public key, as its file holds it. */
enum tw_status host_public_key(struct tower *t, struct tw_buf *out,
    struct tw_err *err);

/* "[ssh://][USER@]HOST[:PORT]" into h (user and port only where given).
 * TW_USAGE with what is wrong. */
enum tw_status host_parse_address(const char *text, struct tw_host *h,
    struct tw_err *err);
/* From now on h is reached with the organisation's key alone, without the
 * owner's ~/.ssh. */
void host_leave_config(struct tw_host *h);
/* Sets one settable key of h to value; *old is malloc'd, "" where there was
 * none.  TW_USAGE: unknown key (the nearest offered) or a bad value.  Behind a
 * gate, what decides where or how h is reached takes it out of the owner's
 * ssh configuration. */
enum tw_status host_set_key(struct tw_host *h, const char *key,
    const char *value, char **old, struct tw_err *err);

#endif
