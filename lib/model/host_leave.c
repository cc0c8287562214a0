/*
 * host_leave.c - hosts that the tower leaves: removed, or revoked
 *
 * A revoked host stays for its history.  What takes the tower off it lies in
 * between: the host is held first, so that nothing starts there, and is revoked
 * when it was seen that the tower no longer gets in.
 */
#include "model/host_private.h"

#include <stdio.h>

#include "base/clock.h"

/* The + keeps to the index of the host's queue, not of the organisation. */
static const char running_sql[] =
    "SELECT num FROM change WHERE +org_id = ?1 AND host_id = ?2"
    " AND status = 'running'";
static const char queued_sql[] =
    "SELECT id, num FROM change WHERE +org_id = ?1 AND host_id = ?2"
    " AND status IN ('queued', 'running') AND status = 'queued'"
    " ORDER BY joins, id LIMIT 1";
enum { QUEUED_ID, QUEUED_NUM };
static const char queued_count_sql[] =
    "SELECT count(*) FROM change WHERE +org_id = ?1 AND host_id = ?2"
    " AND status IN ('queued', 'running') AND status = 'queued'";
static const char delete_sql[] =
    "DELETE FROM host WHERE org_id = ?1 AND id = ?2";

static enum tw_status refuse_running(struct tw_store *s,
    const struct tw_who *who, int64_t id, const char *name,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tenant_stmt(s, who, running_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, id);
	status = tw_stmt_step(st, err);
	if (status == TW_NO)
		return TW_OK;
	if (status == TW_OK) {
		status = tw_err_set(err, TW_NO, "%s: change %lld is running",
		    name, (long long)tw_stmt_col_int(st, 0));
		tw_stmt_reset(st);
	}
	return status;
}

/* Cancels the host's queued changes one by one, in their order. */
static enum tw_status cancel_queued(struct tw_store *s,
    const struct tw_who *who, int64_t id, const char *name,
    const char *reason, const struct tw_grant_used *used, struct tw_err *err)
{
	struct tw_queued q = { .org_id = who->org_id,
	    .host_name = (char *)name, .grant = used->text };
	int64_t now = tw_clock_now();
	enum tw_status status;
	struct tw_stmt *st;

	for (;;) {
		status = tw_tenant_stmt(s, who, queued_sql, &st, err);
		if (status != TW_OK)
			return status;
		tw_stmt_int(st, 2, id);
		status = tw_stmt_step(st, err);
		if (status != TW_OK)
			return status == TW_NO ? TW_OK : status;
		q.id = tw_stmt_col_int(st, QUEUED_ID);
		q.num = tw_stmt_col_int(st, QUEUED_NUM);
		tw_stmt_reset(st);
		status = tw_queued_cancel(s, who, &q, "change.cancel",
		    reason, now, err);
		if (status != TW_OK)
			return status;
	}
}

/* --- remove ------------------------------------------------------------ */

static enum tw_status remove_host(struct tw_store *s,
    const struct tw_who *who, const char *name, struct tw_err *err)
{
	struct tw_grant_used used;
	enum tw_status status;
	int64_t id;

	status = tw_host_find_for(s, who, TW_MAY_HOST, name, &id, &used, err);
	if (status == TW_OK)
		status = refuse_running(s, who, id, name, err);
	if (status == TW_OK)
		status = cancel_queued(s, who, id, name, "host removed", &used,
		    err);
	if (status == TW_OK)
		status = tw_tenant_run(s, who, delete_sql, id, err);
	if (status == TW_OK)
		status = tw_host_record(s, who->org_id, who->login, name,
		    "host.remove", tw_audit_detail("grant", used.text,
		    (char *)NULL), err);
	return status;
}

enum tw_status tw_host_remove(struct tw_store *s, const struct tw_who *who,
    const char *name, struct tw_err *err)
{
	enum tw_status status;
	struct tw_tx tx;

	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = remove_host(s, who, name, err);
	return tw_tx_end(&tx, status, err);
}

/* --- revoke ------------------------------------------------------------ */

static const char revoked_sql[] =
    "SELECT revoked IS NOT NULL FROM host WHERE org_id = ?1 AND id = ?2";
/* Whether another organisation's is told to nobody but the host. */
static const char shared_sql[] =
    "SELECT EXISTS (SELECT 1 FROM host o WHERE o.spool_id = h.spool_id"
    "    AND o.id <> h.id AND o.revoked IS NULL)"
    " FROM host h WHERE h.org_id = ?1 AND h.id = ?2";

/* A statement of one number. */
static enum tw_status ask(struct tw_store *s, const struct tw_who *who,
    const char *sql, int64_t id, int64_t *out, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	*out = 0;
	status = tw_tenant_stmt(s, who, sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, id);
	status = tw_stmt_one(st, err);
	if (status != TW_OK)
		return status;
	*out = tw_stmt_col_int(st, 0);
	tw_stmt_reset(st);
	return TW_OK;
}

enum tw_status tw_host_say_revoked(const char *names, bool are_many,
    struct tw_err *err)
{
	tw_err_set(err, TW_NO, are_many ? N_("%s are revoked") :
	    N_("%s is revoked"), names);
	tw_err_hint(err, "the tower has left: towerify-host add takes a host "
	    "back");
	return TW_NO;
}

enum tw_status tw_host_refuse_revoked(struct tw_store *s,
    const struct tw_who *who, int64_t id, const char *name,
    struct tw_err *err)
{
	enum tw_status status;
	int64_t is_revoked;

	status = ask(s, who, revoked_sql, id, &is_revoked, err);
	if (status == TW_OK && is_revoked)
		status = tw_host_say_revoked(name, false, err);
	return status;
}

static enum tw_status refuse_queued(struct tw_store *s,
    const struct tw_who *who, int64_t id, const char *name,
    struct tw_err *err)
{
	enum tw_status status;
	int64_t n;

	status = ask(s, who, queued_count_sql, id, &n, err);
	if (status != TW_OK || n == 0)
		return status;
	tw_err_set_n(err, TW_NO, (unsigned long)n,
	    "%s: %lld change is queued", "%s: %lld changes are queued", name,
	    (long long)n);
	tw_err_hint(err, "towerify-host revoke --yes cancels what is queued");
	return TW_NO;
}

/* The host, where the caller may revoke it now. */
static enum tw_status find_revocable(struct tw_store *s,
    const struct tw_who *who, const char *name, int64_t *id,
    struct tw_grant_used *used, struct tw_err *err)
{
	enum tw_status status;

	status = tw_host_find_for(s, who, TW_MAY_HOST, name, id, used, err);
	if (status == TW_OK)
		status = tw_host_refuse_revoked(s, who, *id, name, err);
	if (status == TW_OK)
		status = refuse_running(s, who, *id, name, err);
	return status;
}

static enum tw_status begin(struct tw_store *s, const struct tw_who *who,
    const char *name, bool may_cancel, bool *is_shared, struct tw_err *err)
{
	struct tw_grant_used used;
	int64_t id, shared = 0;
	enum tw_status status;

	status = find_revocable(s, who, name, &id, &used, err);
	if (status == TW_OK && !may_cancel)
		status = refuse_queued(s, who, id, name, err);
	if (status == TW_OK)
		status = ask(s, who, shared_sql, id, &shared, err);
	*is_shared = shared;
	if (status == TW_OK)
		status = tw_host_hold_row(s, who, id, "the tower is leaving it",
		    used.text, err);
	return status;
}

enum tw_status tw_host_revoke_begin(struct tw_store *s,
    const struct tw_who *who, const char *name, bool may_cancel,
    bool *is_shared, struct tw_err *err)
{
	enum tw_status status;
	struct tw_tx tx;

	*is_shared = false;
	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = begin(s, who, name, may_cancel, is_shared, err);
	return tw_tx_end(&tx, status, err);
}

static const char leaving_sql[] =
    "UPDATE host SET leaving = 1 WHERE org_id = ?1 AND id = ?2";

enum tw_status tw_host_leaving(struct tw_store *s, const struct tw_who *who,
    const char *name, struct tw_err *err)
{
	enum tw_status status;
	struct tw_tx tx;
	int64_t id;

	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = tw_host_find_for(s, who, TW_MAY_HOST, name, &id, NULL, err);
	if (status == TW_OK)
		status = tw_tenant_run(s, who, leaving_sql, id, err);
	return tw_tx_end(&tx, status, err);
}

static const char revoke_sql[] =
    "UPDATE host SET revoked = ?3, revoked_by = ?4, leaving = 0,"
    "    held_reason = NULL, held_since = NULL, held_by = NULL, unhold = 0,"
    "    failures = 0, next_attempt = NULL, last_error = NULL,"
    "    last_error_at = NULL"
    " WHERE org_id = ?1 AND id = ?2";

static enum tw_status revoke(struct tw_store *s, const struct tw_who *who,
    const char *name, const char *keys, const char *spool, struct tw_err *err)
{
	struct tw_grant_used used;
	enum tw_status status;
	struct tw_stmt *st;
	int64_t id;

	status = find_revocable(s, who, name, &id, &used, err);
	if (status == TW_OK)
		status = cancel_queued(s, who, id, name, "host revoked", &used,
		    err);
	if (status == TW_OK)
		status = tw_tenant_stmt(s, who, revoke_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, id);
	tw_stmt_int(st, 3, tw_clock_now());
	tw_stmt_text(st, 4, who->login);
	status = tw_stmt_run(st, err);
	if (status == TW_OK)
		status = tw_host_record(s, who->org_id, who->login, name,
		    "host.revoke", tw_audit_detail("keys", keys, "spool",
		    spool, "grant", used.text, (char *)NULL), err);
	return status;
}

enum tw_status tw_host_revoke(struct tw_store *s, const struct tw_who *who,
    const char *name, const char *keys, const char *spool, struct tw_err *err)
{
	enum tw_status status;
	struct tw_tx tx;

	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = revoke(s, who, name, keys, spool, err);
	return tw_tx_end(&tx, status, err);
}
