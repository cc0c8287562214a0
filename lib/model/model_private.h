/*
 * model_private.h - what the files of lib/model share; nobody else includes it
 */
#ifndef TW_MODEL_PRIVATE_H
#define TW_MODEL_PRIVATE_H

#include "base/json.h"
#include "model/audit.h"
#include "model/change.h"
#include "model/grant.h"
#include "model/tenant.h"

#define TW_PAGE_ROWS 200	/* rows read before a callback runs */
#define TW_LOOK_ROWS 10000	/* rows one statement looks at, so that none
				   holds the state for long */
#define TW_TOWER "tower"	/* who acts when no person does */

/* A transaction of one's own, or the one that is open already. */
struct tw_tx {
	struct tw_store *store;
	bool is_own;
};
enum tw_status tw_tx_begin(struct tw_tx *tx, struct tw_store *s,
    struct tw_err *err);
/* With status TW_OK commits (when own), else rolls back; the status to
 * return. */
enum tw_status tw_tx_end(struct tw_tx *tx, enum tw_status status,
    struct tw_err *err);
/* TW_BUG when no transaction is open. */
enum tw_status tw_tx_need(struct tw_store *s, struct tw_err *err);

/* A copy of a text column, NULL for NULL.  False: no memory. */
bool tw_col_dup(struct tw_stmt *st, int c, char **out);
/* A copy of text, NULL for NULL.  False: no memory. */
bool tw_text_dup(const char *s, char **out);
/* A hash column into out, zeros for NULL or another length. */
void tw_col_hash(struct tw_stmt *st, int c, uint8_t out[TW_SHA256_LEN]);

/* A row that is wanted: TW_NO becomes an error of the state. */
enum tw_status tw_stmt_one(struct tw_stmt *st, struct tw_err *err);
/* All rows into an array of elements of that size, each zeroed and then filled
 * by read().  What was read when it fails is the caller's to free, too. */
enum tw_status tw_rows_read(struct tw_stmt *st, size_t size,
    enum tw_status (*read)(struct tw_stmt *st, void *row, struct tw_err *err),
    void **out, size_t *n, struct tw_err *err);
/* Runs a static statement with one integer bound. */
enum tw_status tw_run_int(struct tw_store *s, const char *sql, int64_t v,
    struct tw_err *err);

/* A JSON string; text from a host may be any bytes, and in what is no UTF-8
 * each byte that is not ASCII becomes "?".  NULL: no memory. */
struct json_t *tw_model_text(const char *s);
/* Whole numbers, in memory of the caller's to free (v). */
struct tw_ids {
	int64_t *v;
	size_t n, cap;
};
enum tw_status tw_ids_add(struct tw_ids *ids, int64_t id, struct tw_err *err);
/* Adds the first column of each row of a statement that is bound; all are
 * sorted then. */
enum tw_status tw_ids_read(struct tw_ids *ids, struct tw_stmt *st,
    struct tw_err *err);

/* Where rows that are wanted are rare: in the TW_LOOK_ROWS numbers behind *after
 * there are no more of them.  st asks for the first number behind ?2 + ?3 of what
 * ?1, bound already, names: *after becomes what is before it; *is_last: none is
 * there. */
enum tw_status tw_look_behind(struct tw_stmt *st, int64_t *after,
    bool *is_last, struct tw_err *err);

/* JSON arrays for json_each(); malloc'd, NULL: no memory. */
char *tw_json_ids(const int64_t *ids, size_t n);
char *tw_json_names(const char *const *names);	/* NULL-terminated */

/* Stores bytes under their hash, once (transaction open). */
enum tw_status tw_content_put(struct tw_store *s, const void *p, size_t n,
    uint8_t hash[TW_SHA256_LEN], struct tw_err *err);
/* Removes them where no change and no app names them any more: to be called
 * behind the removal of what did (transaction open). */
enum tw_status tw_content_drop(struct tw_store *s,
    const uint8_t hash[TW_SHA256_LEN], struct tw_err *err);

/* Holds a host that is not held; audit row (transaction open).  who NULL: the
 * tower does; else grant is what allowed it. */
enum tw_status tw_host_hold_row(struct tw_store *s, const struct tw_who *who,
    int64_t host_id, const char *reason, const char *grant,
    struct tw_err *err);

/* Something that hooks are to be told (transaction open); change_id 0: of no
 * change; reason may be NULL. */
enum tw_status tw_event_add(struct tw_store *s, int64_t org_id,
    const char *what, const char *host, int64_t change_id, const char *reason,
    int64_t now, struct tw_err *err);

/* --- rights on hosts (host_right.c) -------------------------------------- */

/* What the caller may see.  TW_DENIED: "alice may not view anything in
 * organisation 'default'". */
enum tw_status tw_view_load(struct tw_store *s, const struct tw_who *who,
    struct tw_rights **out, struct tw_err *err);
/* May the caller, on that host, by its labels as they stand?  id 0 is a host
 * that was removed: then on the organisation.  used may be NULL. */
enum tw_status tw_host_may(struct tw_store *s, const struct tw_who *who,
    enum tw_permission p, int64_t id, const char *name,
    struct tw_grant_used *used, struct tw_err *err);
/* The same for an app (NULL: none). */
enum tw_status tw_host_may_app(struct tw_store *s, const struct tw_who *who,
    enum tw_permission p, const char *app, int64_t id, const char *name,
    struct tw_grant_used *used, struct tw_err *err);
/* The ids of the hosts that the caller may see (caller frees), or *is_all. */
enum tw_status tw_host_visible(struct tw_store *s, const struct tw_who *who,
    int64_t **ids, size_t *n, bool *is_all, struct tw_err *err);
/* The same ids as a JSON array, malloc'd; NULL: every host. */
enum tw_status tw_host_visible_json(struct tw_store *s,
    const struct tw_who *who, char **json, struct tw_err *err);
/* Does the filer of a change still have what it needs (p; app NULL: of none) on
 * that host?  For the runner, which has no limit.  TW_DENIED: no (err has the
 * reason: "alice may no longer change web1", "alice may no longer deploy wiki on
 * web1"). */
struct tw_filer {
	int64_t org_id, operator_id;
	const char *login;
};
enum tw_status tw_host_may_start(struct tw_store *s,
    const struct tw_filer *filer, enum tw_permission p, const char *app,
    int64_t host_id, const char *name, struct tw_grant_used *used,
    struct tw_err *err);

/* A queued change ends as cancelled, with its audit row (transaction open).
 * who NULL: the tower does it. */
struct tw_queued {
	int64_t id, org_id, num;
	char *host_name;
	const char *grant;	/* that allowed it to a person, or NULL */
};
enum tw_status tw_queued_cancel(struct tw_store *s, const struct tw_who *who,
    const struct tw_queued *q, const char *action, const char *reason,
    int64_t now, struct tw_err *err);

#endif
