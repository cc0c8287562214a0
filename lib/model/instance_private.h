/*
 * instance_private.h - how the files about changes move instances; nobody else
 *                      includes it
 */
#ifndef TW_MODEL_INSTANCE_PRIVATE_H
#define TW_MODEL_INSTANCE_PRIVATE_H

#include "model/instance.h"
#include "model/model_private.h"

/* A change of f->act is about to be filed for host: the instance is made or
 * moved; *id: its own (transaction open).  TW_NO as tw_instance_check();
 * TW_AGAIN: another change was filed since the caller looked, or the app is not
 * in the catalogue any more. */
enum tw_status tw_instance_begin(struct tw_store *s, const struct tw_who *who,
    const struct tw_filing *f, const struct tw_host *host, int64_t now,
    int64_t *id, struct tw_err *err);
/* That change is filed. */
enum tw_status tw_instance_bind(struct tw_store *s, const struct tw_who *who,
    int64_t id, int64_t change_id, struct tw_err *err);
/* A change has ended; where it is one of an instance, that moves, with an audit
 * record "instance.state" (transaction open).  who NULL: the tower ended it. */
enum tw_status tw_instance_ended(struct tw_store *s, const struct tw_who *who,
    int64_t change_id, enum tw_change_status end, int64_t now,
    struct tw_err *err);

#endif
