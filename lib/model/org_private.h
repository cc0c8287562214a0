/*
 * org_private.h - what who.c, org.c, operator.c and the grant*.c files share;
 *                 nobody else includes it
 *
 * "Transaction open" is said where a function writes.
 */
#ifndef TW_MODEL_ORG_PRIVATE_H
#define TW_MODEL_ORG_PRIVATE_H

#include "model/grant.h"
#include "model/model_private.h"
#include "model/operator.h"
#include "model/org.h"

/* Organisations that have not been removed.  TW_NO: none of that name; err is
 * not filled then. */
enum tw_status tw_org_lookup(struct tw_store *s, const char *name,
    int64_t *id, struct tw_err *err);
/* "organisation 'x' not found": the same words whether it does not exist or is
 * another's. */
enum tw_status tw_org_not_found(const char *name, struct tw_err *err);
/* A row with its audit record (transaction open); TW_NO: the name is taken. */
enum tw_status tw_org_insert(struct tw_store *s, const char *by,
    const char *name, int64_t *id, struct tw_err *err);

/* TW_NO when there is none; err is not filled then. */
enum tw_status tw_operator_find(struct tw_store *s, const char *login,
    int64_t *id, bool *is_admin, struct tw_err *err);
/* The operator of that login, made where there is none (transaction open).
 * TW_USAGE for "tower": records name who acted, and that is the tower itself. */
enum tw_status tw_operator_put(struct tw_store *s, const char *login,
    int64_t *id, struct tw_err *err);
/* Administrator of the tower or no longer, with its audit record (transaction
 * open). */
enum tw_status tw_operator_mark(struct tw_store *s, const char *by,
    const char *login, int64_t id, bool is_admin, struct tw_err *err);
/* A member, with its audit record (transaction open); *added: was none yet. */
enum tw_status tw_member_put(struct tw_store *s, const struct tw_who *who,
    const struct tw_grant_used *used, const char *login, int64_t id,
    bool *added, struct tw_err *err);
/* The operator of that login who is a member of the caller's organisation.
 * TW_NO: "no operator 'x'", as for one who does not exist. */
enum tw_status tw_member_find(struct tw_store *s, const struct tw_who *who,
    const char *login, int64_t *id, struct tw_err *err);
/* Is the caller an administrator of the tower now?  TW_DENIED when not. */
enum tw_status tw_tower_may(struct tw_store *s, const struct tw_who *who,
    struct tw_err *err);

/* May the caller ask about login's rights (NULL: everybody's)?  Needs `admin',
 * but for oneself. */
enum tw_status tw_may_ask(struct tw_store *s, const struct tw_who *who,
    const char *login, struct tw_err *err);

/* All six permissions on the organisation (transaction open). */
enum tw_status tw_grant_all(struct tw_store *s, const struct tw_who *who,
    const struct tw_grant_used *used, const char *login, int64_t id,
    struct tw_err *err);
/* A member with all permissions: the founder, or who gets a new organisation
 * (transaction open). */
enum tw_status tw_org_staff(struct tw_store *s, const struct tw_who *who,
    const char *login, int64_t id, struct tw_err *err);
/* May this operator lose `admin' for good?  TW_NO: nobody else has it. */
enum tw_status tw_admin_stays(struct tw_store *s, const struct tw_who *who,
    const char *login, int64_t id, struct tw_err *err);

/* An audit record; detail is freed, and NULL means that there was no memory
 * for it (transaction open). */
enum tw_status tw_org_record(struct tw_store *s, int64_t chain,
    const char *by, const char *action, char *detail, struct tw_err *err);

#endif
