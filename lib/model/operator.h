/*
 * operator.h - operators: the members of an organisation, and administrators
 *              of the tower
 *
 * An operator is one for the whole tower, by login; what others see of one is
 * what concerns their own organisation.
 */
#ifndef TW_MODEL_OPERATOR_H
#define TW_MODEL_OPERATOR_H

#include "model/who.h"

struct tw_operator {		/* strings owned */
	int64_t id;
	char *login;
	bool is_admin;		/* of the tower; false to those who are not */
	int64_t since;		/* member of the organisation */
	int64_t grants;		/* live ones there */
};
void tw_operator_list_free(struct tw_operator *o, size_t n);

/* Makes login a member of the caller's organisation, an operator first where
 * there is none; member already: TW_OK, *added false.  Audit "op.add" on the
 * organisation's chain.  Needs `admin'.  TW_USAGE: not a login. */
enum tw_status tw_operator_add(struct tw_store *s, const struct tw_who *who,
    const char *login, bool *added, struct tw_err *err);
/* Takes a member and the grants out of the caller's organisation; pending
 * changes become cancelled when they would start.  Audit "op.remove".  Needs
 * `admin'.  TW_NO: no such operator here, or the only one with an
 * organisation-wide `admin' for good. */
enum tw_status tw_operator_remove(struct tw_store *s,
    const struct tw_who *who, const char *login, struct tw_err *err);
/* Administrator of the tower, or no longer (TW_NO for the last).  Audit
 * "op.set-admin" on the tower's chain.  For administrators of the tower; login
 * need not be a member of anything; TW_NO also: no such operator. */
enum tw_status tw_operator_set_admin(struct tw_store *s,
    const struct tw_who *who, const char *login, bool is_admin,
    struct tw_err *err);
/* The members by login; login not NULL: that one, or TW_NO.  Needs `admin',
 * but for oneself. */
enum tw_status tw_operator_list(struct tw_store *s, const struct tw_who *who,
    const char *login, struct tw_operator **out, size_t *n,
    struct tw_err *err);
/* Records "op.key" on the tower's chain: the key of that fingerprint lets login
 * in through towerify-shell from now on.  Within the caller's transaction, or
 * its own.  For administrators of the tower; TW_NO: no such operator. */
enum tw_status tw_operator_key(struct tw_store *s, const struct tw_who *who,
    const char *login, const char *fingerprint, struct tw_err *err);

#endif
