/*
 * change_private.h - what the files about changes share; nobody else includes
 *                    it
 */
#ifndef TW_MODEL_CHANGE_PRIVATE_H
#define TW_MODEL_CHANGE_PRIVATE_H

#include "model/model_private.h"

/* Adds an audit row about a change to its organisation's chain (transaction
 * open); detail is freed, and NULL means that there was no memory for it. */
enum tw_status tw_change_record(struct tw_store *s, int64_t org_id,
    const char *login, const char *host, int64_t num, const char *action,
    int64_t at, char *detail, struct tw_err *err);

/* May the caller see the change with that id?  TW_NO: there is none, for the
 * caller.  who NULL: the runner, which may. */
enum tw_status tw_change_visible(struct tw_store *s, const struct tw_who *who,
    int64_t id, struct tw_err *err);

#endif
