/*
 * org.h - organisations and operators: who is calling, and for whom
 *
 * Every query of the model takes the caller's struct tw_who: the one place
 * where things are limited to an organisation.
 */
#ifndef TW_MODEL_ORG_H
#define TW_MODEL_ORG_H

#include "store/store.h"

struct tw_who {			/* who acts; release with tw_who_release() */
	int64_t operator_id;
	char *login;
	bool is_admin;
	int64_t org_id;
	char *org;
};

/* The login of the caller: the user of SUDO_UID where it is set (nothing else
 * counts then), else of the real uid.  TW_DENIED when there is no such user. */
enum tw_status tw_who_login(char **out, struct tw_err *err);

/* Finds operator and organisation (org NULL: the operator's only one, else
 * "default").  first: the state was just made under one's own home, or by its
 * owner's first call: when there is no operator at all the caller becomes the
 * administrator and org "default" is made, with audit rows; transaction of its
 * own.  TW_DENIED for an unknown operator ("alice is not an operator of this
 * tower"); TW_NO for an organisation that does not exist or is not the
 * operator's ("not found", the same words). */
enum tw_status tw_who_get(struct tw_store *s, const char *login,
    const char *org, bool first, struct tw_who *out, struct tw_err *err);
void tw_who_release(struct tw_who *w);

/* An operator, by login; admin: of the whole tower.  There already: becomes an
 * administrator if told so, TW_OK.  org_id: the organisation to work for, 0
 * none.  by: who does it (a login, or "root" for a package's set-up).  Audit
 * "op.add" or "op.add-admin", and "op.join", on the tower's chain, when
 * something changed.
 * TW_USAGE: not a login.  Own transaction. */
enum tw_status tw_operator_add(struct tw_store *s, const char *by,
    const char *login, bool is_admin, int64_t org_id, struct tw_err *err);
/* A new organisation; audit "org.add" on the tower's chain.  TW_NO: the name is
 * taken; TW_USAGE: it is none.  Own transaction. */
enum tw_status tw_org_add(struct tw_store *s, const char *by,
    const char *name, int64_t *id, struct tw_err *err);
/* TW_NO: "no organisation 'x'".  For administrators: without a tenant's
 * limit. */
enum tw_status tw_org_find(struct tw_store *s, const char *name, int64_t *id,
    struct tw_err *err);

/* Path of the organisation's private key, malloc'd: DIR/keys/ORG/id_ed25519.
 * The key is made by the tools when absent (lib/ssh does that). */
char *tw_org_key_path(const char *state_dir, const char *org);
enum tw_status tw_org_name(struct tw_store *s, int64_t org_id, char **out,
    struct tw_err *err);

#endif
