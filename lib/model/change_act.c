/*
 * change_act.c - what people do to changes that are filed: cancel, declare
 *                lost; and how a change ends
 */
#include "model/change_private.h"
#include "model/instance_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum tw_status tw_change_record(struct tw_store *s, int64_t org_id,
    const char *login, const char *host, int64_t num, const char *action,
    int64_t at, char *detail, struct tw_err *err)
{
	struct tw_audit a = { .chain = org_id, .at = at, .operator = login,
	    .action = action, .host = host, .change_num = num,
	    .detail = detail };
	enum tw_status status;

	if (!detail)
		return tw_err_nomem(err);
	status = tw_audit_add(s, &a, err);
	free(detail);
	return status;
}

/* Every end passes here.  The condition keeps what has ended as it is. */
#define END \
	"UPDATE change SET status = ?3, reason = ?4, ended = ?5" \
	" WHERE id = ?2 AND status IN ('queued', 'running')"
static const char end_sql[] = END " AND org_id = ?1";
static const char end_any_sql[] = END;

/* who NULL: the tower ends it. */
static enum tw_status end_row(struct tw_store *s, const struct tw_who *who,
    int64_t id, enum tw_change_status to, const char *reason, int64_t now,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tenant_or_any(s, who, end_sql, end_any_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, id);
	tw_stmt_text(st, 3, tw_change_status_name(to));
	tw_stmt_text(st, 4, reason);
	tw_stmt_int(st, 5, now);
	status = tw_stmt_run(st, err);
	if (status == TW_OK && tw_store_changes(s) != 1)
		status = tw_err_set(err, TW_BUG, "the change has ended before");
	if (status == TW_OK)
		status = tw_secrets_erase(s, id, err);
	if (status == TW_OK)
		status = tw_instance_ended(s, who, id, to, now, err);
	if (status == TW_OK)
		status = tw_successor_ended(s, who, id, now, err);
	return status;
}

enum tw_status tw_queued_cancel(struct tw_store *s, const struct tw_who *who,
    const struct tw_queued *q, const char *action, const char *reason,
    int64_t now, struct tw_err *err)
{
	enum tw_status status;

	status = end_row(s, who, q->id, TW_CHANGE_CANCELLED, reason, now, err);
	if (status == TW_OK)
		status = tw_change_record(s, q->org_id, who ? who->login :
		    TW_TOWER, q->host_name, q->num, action, now,
		    tw_audit_detail("reason", reason, "grant", q->grant,
		    (char *)NULL), err);
	return status;
}

/* --- cancel ------------------------------------------------------------ */

static const char ask_sql[] =
    "UPDATE change SET cancel_by = ?3, cancel_at = ?4"
    " WHERE org_id = ?1 AND id = ?2";

static enum tw_status ask_cancel(struct tw_store *s, const struct tw_who *who,
    const struct tw_change *c, const struct tw_grant_used *used, int64_t now,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tenant_stmt(s, who, ask_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, c->id);
	tw_stmt_text(st, 3, who->login);
	tw_stmt_int(st, 4, now);
	status = tw_stmt_run(st, err);
	if (status == TW_OK)
		status = tw_change_record(s, c->org_id, who->login,
		    c->host_name, c->num, "change.cancel", now,
		    tw_audit_detail("was", "running", "grant", used->text,
		    (char *)NULL), err);
	return status;
}

static enum tw_status cancel_queued(struct tw_store *s,
    const struct tw_who *who, const struct tw_change *c,
    const struct tw_grant_used *used, int64_t now, struct tw_err *err)
{
	struct tw_queued q = { c->id, c->org_id, c->num, c->host_name,
	    used->text };
	char reason[TW_ERR_MSG_MAX];

	snprintf(reason, sizeof reason, "cancelled by %s", who->login);
	return tw_queued_cancel(s, who, &q, "change.cancel", reason, now, err);
}

/* Who may `deploy' the app may act on its changes as well. */
static enum tw_status may_act(struct tw_store *s, const struct tw_who *who,
    const struct tw_change *c, struct tw_grant_used *used, struct tw_err *err)
{
	enum tw_status status = TW_DENIED;

	if (c->app && c->host_id)
		status = tw_host_may_app(s, who, TW_MAY_DEPLOY, c->app,
		    c->host_id, c->host_name, used, err);
	return status != TW_DENIED ? status : tw_host_may(s, who,
	    TW_MAY_CHANGE, c->host_id, c->host_name, used, err);
}

/* The change, where the caller may act on it. */
static enum tw_status get_for(struct tw_store *s, const struct tw_who *who,
    int64_t num, struct tw_change *c, struct tw_grant_used *used,
    struct tw_err *err)
{
	enum tw_status status;

	status = tw_change_get(s, who, num, c, err);
	if (status == TW_OK)
		status = may_act(s, who, c, used, err);
	return status;
}

enum tw_status tw_change_cancel(struct tw_store *s, const struct tw_who *who,
    int64_t num, enum tw_cancel_result *result, struct tw_err *err)
{
	struct tw_change c = { 0 };
	int64_t now = tw_clock_now();
	struct tw_grant_used used;
	enum tw_status status;
	struct tw_tx tx;

	*result = TW_CANCEL_TOO_LATE;
	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = get_for(s, who, num, &c, &used, err);
	if (status == TW_OK && c.status == TW_CHANGE_QUEUED) {
		*result = TW_CANCELLED;
		status = cancel_queued(s, who, &c, &used, now, err);
	} else if (status == TW_OK && c.status == TW_CHANGE_RUNNING &&
	    !c.in_undo) {
		*result = TW_CANCEL_ASKED;
		/* who asked first stands */
		if (!c.cancel_by)
			status = ask_cancel(s, who, &c, &used, now, err);
	}
	tw_change_release(&c);
	return tw_tx_end(&tx, status, err);
}

enum tw_status tw_change_permit(struct tw_store *s, const struct tw_who *who,
    const int64_t *nums, size_t n, struct tw_err *err)
{
	struct tw_host *hosts = calloc(n + 1, sizeof *hosts);
	struct tw_change c = { 0 };
	enum tw_status status;
	size_t i, k = 0, at;

	status = hosts ? TW_OK : tw_err_nomem(err);
	for (i = 0; status == TW_OK && i < n; i++) {
		status = tw_change_get(s, who, nums[i], &c, err);
		if (status == TW_OK)
			status = may_act(s, who, &c, NULL, err);
		for (at = 0; status == TW_DENIED && at < k; at++)
			if (hosts[at].id == c.host_id)
				break;
		if (status == TW_DENIED && at == k && c.host_id) {
			hosts[k].id = c.host_id;
			hosts[k++].name = c.host_name;
			c.host_name = NULL;
		}
		tw_change_release(&c);
		/* what is not there, or has lost its host, is for the act */
		if (status == TW_NO || status == TW_DENIED)
			status = TW_OK;
	}
	if (status == TW_OK && k > 0)
		status = tw_host_permit(s, who, TW_MAY_CHANGE, hosts, k, NULL,
		    err);
	tw_host_list_free(hosts, k);
	return status;
}

/* --- given up ----------------------------------------------------------- */

static const char acked_sql[] =
    "UPDATE host SET acked_seq = max(acked_seq, ?2) WHERE id = ?1";

static enum tw_status raise_acked(struct tw_store *s,
    const struct tw_change *c, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, acked_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, c->host_id);
	tw_stmt_int(st, 2, c->seq);
	return tw_stmt_run(st, err);
}

static enum tw_status lose(struct tw_store *s, const struct tw_who *who,
    const struct tw_change *c, const struct tw_grant_used *used,
    const char *reason, struct tw_err *err)
{
	int64_t now = tw_clock_now();
	enum tw_status status;
	char *hold;

	if (c->status != TW_CHANGE_RUNNING)
		return tw_err_set(err, TW_NO, "change %lld is not running, "
		    "but %s", (long long)c->num,
		    tw_change_status_name(c->status));
	status = end_row(s, who, c->id, TW_CHANGE_UNKNOWN, reason, now, err);
	if (status == TW_OK)
		status = raise_acked(s, c, err);
	if (status == TW_OK)
		status = tw_change_record(s, c->org_id, who->login,
		    c->host_name, c->num, "change.abandon", now,
		    tw_audit_detail("reason", reason, "grant", used->text,
		    (char *)NULL), err);
	if (status != TW_OK)
		return status;
	if (asprintf(&hold, "change %lld was abandoned",
	    (long long)c->num) < 0)
		return tw_err_nomem(err);
	status = tw_host_hold_row(s, who, c->host_id, hold, used->text, err);
	free(hold);
	return status;
}

enum tw_status tw_change_abandon(struct tw_store *s,
    const struct tw_who *who, int64_t num, const char *reason,
    struct tw_err *err)
{
	struct tw_change c = { 0 };
	struct tw_grant_used used;
	enum tw_status status;
	struct tw_tx tx;

	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = get_for(s, who, num, &c, &used, err);
	if (status == TW_OK)
		status = lose(s, who, &c, &used, reason, err);
	tw_change_release(&c);
	return tw_tx_end(&tx, status, err);
}

/* --- the end ----------------------------------------------------------- */

enum tw_status tw_change_end(struct tw_store *s, struct tw_change *c,
    enum tw_change_status to, const char *reason, int64_t now,
    const char *hold_reason, struct tw_err *err)
{
	enum tw_status status;
	char *copy = NULL;

	status = tw_tx_need(s, err);
	if (status != TW_OK)
		return status;
	if (!tw_text_dup(reason, &copy))
		return tw_err_nomem(err);
	status = end_row(s, NULL, c->id, to, reason, now, err);
	if (status == TW_OK)
		status = raise_acked(s, c, err);
	if (status == TW_OK)
		status = tw_change_record(s, c->org_id, TW_TOWER,
		    c->host_name, c->num, "change.end", now,
		    tw_audit_detail("status", tw_change_status_name(to),
		    "reason", reason, (char *)NULL), err);
	if (status == TW_OK && (to == TW_CHANGE_SUCCEEDED ||
	    to == TW_CHANGE_ROLLED_BACK || to == TW_CHANGE_FAILED))
		status = tw_event_add(s, c->org_id, tw_change_status_name(to),
		    c->host_name, c->id, reason, now, err);
	if (status == TW_OK && hold_reason)
		status = tw_host_hold_row(s, NULL, c->host_id, hold_reason,
		    NULL, err);
	if (status != TW_OK) {
		free(copy);
		return status;
	}
	free(c->reason);
	c->reason = copy;
	c->status = to;
	c->ended = now;
	return TW_OK;
}
