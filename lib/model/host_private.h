/*
 * host_private.h - what the host_*.c files share; nobody else includes it
 */
#ifndef TW_MODEL_HOST_PRIVATE_H
#define TW_MODEL_HOST_PRIVATE_H

#include "model/model_private.h"

/* The id of a host of the caller's organisation that the caller may see.
 * TW_NO: "no host 'x'", with the nearest name as the hint; TW_DENIED: the
 * caller may not see anything. */
enum tw_status tw_host_find(struct tw_store *s, const struct tw_who *who,
    const char *name, int64_t *id, struct tw_err *err);
/* The same, and the caller has that permission there (TW_DENIED). */
enum tw_status tw_host_find_for(struct tw_store *s, const struct tw_who *who,
    enum tw_permission p, const char *name, int64_t *id,
    struct tw_grant_used *used, struct tw_err *err);

/* As tw_host_select(), but of every host of the organisation: for those who
 * give rights away. */
enum tw_status tw_host_select_every(struct tw_store *s,
    const struct tw_who *who, const char *expr, struct tw_host **out,
    size_t *n, struct tw_err *err);

/* Labels of the hosts whose ids stand in the JSON array into hosts[n], in its
 * order; who NULL: the runner. */
enum tw_status tw_host_read_labels(struct tw_store *s,
    const struct tw_who *who, const char *ids, struct tw_host *hosts,
    size_t n, struct tw_err *err);

/* Appends a copy to the NULL-terminated list of *n.  False: no memory. */
bool tw_label_append(char ***labels, size_t *n, const char *text);

/* TW_NO: "web1 is revoked", with the hint what can be done. */
enum tw_status tw_host_refuse_revoked(struct tw_store *s,
    const struct tw_who *who, int64_t id, const char *name,
    struct tw_err *err);
enum tw_status tw_host_say_revoked(const char *names, bool are_many,
    struct tw_err *err);

/* Adds an audit row about a host to its organisation's chain; detail is freed,
 * and NULL means that there was no memory for it. */
enum tw_status tw_host_record(struct tw_store *s, int64_t org_id,
    const char *login, const char *name, const char *action, char *detail,
    struct tw_err *err);

#endif
