/*
 * change_private.h - what the files about changes share; nobody else includes
 *                    it
 */
#ifndef TW_MODEL_CHANGE_PRIVATE_H
#define TW_MODEL_CHANGE_PRIVATE_H

#include "base/seal.h"
#include "model/model_private.h"
#include "model/secret.h"
#include "model/successor.h"

/* Adds an audit row about a change to its organisation's chain (transaction
 * open); detail is freed, and NULL means that there was no memory for it. */
enum tw_status tw_change_record(struct tw_store *s, int64_t org_id,
    const char *login, const char *host, int64_t num, const char *action,
    int64_t at, char *detail, struct tw_err *err);

/* May the caller see the change with that id?  TW_NO: there is none, for the
 * caller.  who NULL: the runner, which may. */
enum tw_status tw_change_visible(struct tw_store *s, const struct tw_who *who,
    int64_t id, struct tw_err *err);

/* successor.c.  Columns user, port, sudo, at from col on; not the user. */
void tw_successor_read(struct tw_stmt *st, int col, struct tw_successor *out);
/* Places user, port, sudo from place on; NULL is none. */
void tw_successor_bind(struct tw_stmt *st, int place,
    const struct tw_successor *s);
/* A change has just ended: its successor becomes its host's login where the old
 * one is closed for good; audit "host.login".  Transaction open; who NULL: the
 * tower. */
enum tw_status tw_successor_ended(struct tw_store *s, const struct tw_who *who,
    int64_t change_id, int64_t now, struct tw_err *err);

/* secret.c, all with the transaction open.  The key, made where no secret was
 * ever sealed, for tw_seal_free(). */
enum tw_status tw_secrets_key(struct tw_store *s, struct tw_seal **out,
    struct tw_err *err);
/* A hash that only this tower can make. */
void tw_secrets_hash(const struct tw_seal *seal, const struct tw_secret *v,
    size_t n, uint8_t out[TW_SEAL_HASH_LEN]);
enum tw_status tw_secrets_add(struct tw_store *s, const struct tw_seal *seal,
    int64_t change_id, const struct tw_secret *v, size_t n,
    struct tw_err *err);
/* For good; the names stay. */
enum tw_status tw_secrets_erase(struct tw_store *s, int64_t change_id,
    struct tw_err *err);

#endif
