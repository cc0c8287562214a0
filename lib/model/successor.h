/*
 * successor.h - the login that takes the place of a host's, by a change
 *
 * A change may close the login that the tower came by: it names the one that
 * follows.  While the change runs that one is tried where the host refuses the
 * old one; when the change has succeeded it is the host's.  The spool stays
 * where it is, so both must work there as the same user.
 */
#ifndef TW_MODEL_SUCCESSOR_H
#define TW_MODEL_SUCCESSOR_H

#include "base/buf.h"
#include "model/host.h"

struct tw_successor {		/* zeroed: none */
	char *user;		/* owned; NULL: as it is */
	int port;		/* 0: as it is */
	bool has_sudo, sudo;	/* not has_sudo: as it is */
	int64_t at;		/* when the host let it in first; 0: never */
	int64_t change_id;	/* whose it is */
};
void tw_successor_release(struct tw_successor *s);
bool tw_successor_is_there(const struct tw_successor *s);
/* Appends "admin, port 2222, with sudo". */
void tw_successor_describe(const struct tw_successor *s, struct tw_buf *out);

/* Can it follow the host's login?  TW_NO: it would be another user on the host,
 * whose spool is another. */
enum tw_status tw_successor_check(const struct tw_successor *s,
    const struct tw_host *h, struct tw_err *err);

/* --- the runner's side (no tenant's limit) -------------------------------- */

/* Of the change that runs on the host.  TW_NO: there is none; err is not filled
 * then. */
enum tw_status tw_successor_running(struct tw_store *s, int64_t host_id,
    struct tw_successor *out, struct tw_err *err);
/* The host has let it in, and no longer the old one: audit "change.login" by
 * "tower", the first time.  In the open transaction.  TW_NO: the change does not
 * run any more. */
enum tw_status tw_successor_let_in(struct tw_store *s,
    const struct tw_successor *login, int64_t now, struct tw_err *err);

#endif
