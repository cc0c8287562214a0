/*
 * queue_claim.c - taking the head of a host's queue, where its operator still
 *                 may
 *
 * What was filed with a right that is gone since never starts: it is cancelled
 * by the tower, at the latest in the transaction that would have started it.
 * A running change is followed to its end, whatever became of rights.
 */
#include "model/change_private.h"

#include <stdlib.h>
#include <string.h>

static const char running_sql[] =
    "SELECT id FROM change WHERE host_id = ?1 AND status = 'running'";

/* TW_NO: none; err is not filled then. */
static enum tw_status find_running(struct tw_store *s, int64_t host_id,
    int64_t *id, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, running_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, host_id);
	status = tw_stmt_step(st, err);
	if (status == TW_OK) {
		*id = tw_stmt_col_int(st, 0);
		tw_stmt_reset(st);
	}
	return status;
}

/* --- the head ---------------------------------------------------------- */

static const char head_sql[] =
    "SELECT c.id, c.org_id, c.num, c.host_name, c.operator_id, o.login,"
    "    c.needs, c.app, c.successor_user IS NOT NULL"
    "        OR c.successor_port IS NOT NULL"
    " FROM change c JOIN host h ON h.id = c.host_id"
    " JOIN operator o ON o.id = c.operator_id"
    " WHERE c.host_id = ?1 AND c.status IN ('queued', 'running')"
    "    AND c.status = 'queued' AND h.held_reason IS NULL"
    "    AND h.spool_id IS NOT NULL"
    "    AND (c.not_before IS NULL OR c.not_before <= ?2)"
    "    AND (c.not_after IS NULL OR c.not_after > ?2)"
    " ORDER BY c.joins, c.id LIMIT 1";
enum { HEAD_ID, HEAD_ORG, HEAD_NUM, HEAD_HOST, HEAD_OPERATOR, HEAD_LOGIN,
	HEAD_NEEDS, HEAD_APP, HEAD_SUCCESSOR };

struct head {
	struct tw_queued q;	/* host_name owned */
	int64_t operator_id;
	char *login, *app;	/* app NULL: none */
	enum tw_permission needs;
	bool has_successor;	/* which needs `host' as well */
	struct tw_grant_used used;	/* what lets it start */
};

static void head_release(struct head *h)
{
	free(h->q.host_name);
	free(h->login);
	free(h->app);
	memset(h, 0, sizeof *h);
}

static enum tw_status read_head(struct tw_stmt *st, struct head *h,
    struct tw_err *err)
{
	bool ok = true;

	h->q.id = tw_stmt_col_int(st, HEAD_ID);
	h->q.org_id = tw_stmt_col_int(st, HEAD_ORG);
	h->q.num = tw_stmt_col_int(st, HEAD_NUM);
	h->operator_id = tw_stmt_col_int(st, HEAD_OPERATOR);
	h->has_successor = tw_stmt_col_int(st, HEAD_SUCCESSOR) != 0;
	ok &= tw_col_dup(st, HEAD_HOST, &h->q.host_name);
	ok &= tw_col_dup(st, HEAD_LOGIN, &h->login);
	ok &= tw_col_dup(st, HEAD_APP, &h->app);
	if (!ok)
		return tw_err_nomem(err);
	if (tw_permission_parse(tw_stmt_col_text(st, HEAD_NEEDS), &h->needs,
	    NULL) == TW_OK)
		return TW_OK;
	return tw_err_set(err, TW_CONFIG, "change %lld needs the unknown "
	    "permission '%s'", (long long)h->q.num,
	    tw_stmt_col_text(st, HEAD_NEEDS));
}

/* The due one at the head, and whether it may start: TW_DENIED with the reason
 * in err.  TW_NO: none; err is not filled then. */
static enum tw_status find_head(struct tw_store *s, int64_t host_id,
    int64_t now, struct head *h, struct tw_err *err)
{
	struct tw_filer filer;
	enum tw_status status;
	struct tw_stmt *st;

	memset(h, 0, sizeof *h);
	status = tw_stmt_get(s, head_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, host_id);
	tw_stmt_int(st, 2, now);
	status = tw_stmt_step(st, err);
	if (status != TW_OK)
		return status;
	status = read_head(st, h, err);
	tw_stmt_reset(st);
	filer = (struct tw_filer){ h->q.org_id, h->operator_id, h->login };
	if (status == TW_OK)
		status = tw_host_may_start(s, &filer, h->needs, h->app,
		    host_id, h->q.host_name, &h->used, err);
	if (status == TW_OK && h->has_successor)
		status = tw_host_may_start(s, &filer, TW_MAY_HOST, NULL,
		    host_id, h->q.host_name, NULL, err);
	if (status != TW_OK && status != TW_DENIED)
		head_release(h);
	return status;
}

/* Cancels one head after the other whose operator lost the right (transaction
 * open); h is the first that may start.  TW_NO: none does. */
static enum tw_status settle_head(struct tw_store *s, int64_t host_id,
    int64_t now, struct head *h, int64_t *cancelled, struct tw_err *err)
{
	struct tw_err why = { 0 };
	enum tw_status status;

	for (;;) {
		status = find_head(s, host_id, now, h, &why);
		if (status != TW_DENIED)
			break;
		status = tw_queued_cancel(s, NULL, &h->q, "change.cancel",
		    why.msg, now, err);
		head_release(h);
		if (status != TW_OK)
			return status;
		++*cancelled;
	}
	if (status != TW_OK && status != TW_NO && err)
		*err = why;
	return status;
}

/* What was cancelled stays so, also where nothing is left to start. */
static enum tw_status end_settled(struct tw_tx *tx, enum tw_status status,
    int64_t cancelled, struct tw_err *err)
{
	enum tw_status end;

	if (status != TW_NO || cancelled == 0)
		return tw_tx_end(tx, status, err);
	end = tw_tx_end(tx, TW_OK, err);
	return end == TW_OK ? TW_NO : end;
}

enum tw_status tw_queue_settle(struct tw_store *s, int64_t host_id,
    int64_t now, int64_t *cancelled, struct tw_err *err)
{
	enum tw_status status;
	struct tw_tx tx;
	struct head h;
	int64_t id;

	*cancelled = 0;
	status = find_running(s, host_id, &id, err);
	if (status != TW_NO)
		return status;
	status = find_head(s, host_id, now, &h, err);
	head_release(&h);
	if (status != TW_DENIED)
		return status;
	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = settle_head(s, host_id, now, &h, cancelled, err);
	head_release(&h);
	status = end_settled(&tx, status, *cancelled, err);
	if (status != TW_OK && status != TW_NO)
		*cancelled = 0;
	return status;
}

/* --- claim ------------------------------------------------------------- */

static const char start_sql[] =
    "UPDATE change SET status = 'running', started = ?2, doubt = 1,"
    "    (epoch, seq) = (SELECT epoch, next_seq FROM host WHERE id = host_id)"
    " WHERE id = ?1 AND status = 'queued'";
static const char seq_sql[] =
    "UPDATE host SET next_seq = next_seq + 1 WHERE id = ?1";

/* What could not be sent stays queued, where it can still be cancelled. */
static enum tw_status try_secrets(struct tw_store *s,
    const struct tw_change *c, struct tw_err *err)
{
	struct tw_secrets secrets;
	enum tw_status status = tw_secrets_open(s, c, &secrets, err);

	tw_secrets_release(&secrets);
	return status;
}

/* The change becomes running; its row is read again into out. */
static enum tw_status start(struct tw_store *s, int64_t host_id,
    const struct head *h, int64_t now, struct tw_change *out,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, start_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, h->q.id);
	tw_stmt_int(st, 2, now);
	status = tw_stmt_run(st, err);
	if (status == TW_OK)
		status = tw_run_int(s, seq_sql, host_id, err);
	if (status == TW_OK)
		status = tw_change_load(s, h->q.id, out, err);
	out->in_doubt = false;		/* nothing was sent yet */
	if (status == TW_OK)
		status = try_secrets(s, out, err);
	if (status == TW_OK)
		status = tw_change_record(s, out->org_id, TW_TOWER,
		    out->host_name, out->num, "change.start", now,
		    tw_audit_detail("grant", h->used.text, (char *)NULL), err);
	return status;
}

static const char doubt_sql[] = "UPDATE change SET doubt = 1 WHERE id = ?1";
static const char not_taken_sql[] =
    "UPDATE change SET doubt = 0 WHERE id = ?1 AND accepted IS NULL";

static enum tw_status set_doubt(struct tw_store *s, const char *sql,
    const struct tw_change *c, struct tw_err *err)
{
	enum tw_status status;
	struct tw_tx tx;

	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	return tw_tx_end(&tx, tw_run_int(s, sql, c->id, err), err);
}

enum tw_status tw_change_not_taken(struct tw_store *s,
    const struct tw_change *c, struct tw_err *err)
{
	return set_doubt(s, not_taken_sql, c, err);
}

/* One that runs; it is in doubt from the moment it may be sent again. */
static enum tw_status take_running(struct tw_store *s, int64_t id,
    struct tw_change *out, struct tw_err *err)
{
	enum tw_status status;

	status = tw_change_load(s, id, out, err);
	if (status == TW_OK && !out->accepted && !out->in_doubt)
		status = set_doubt(s, doubt_sql, out, err);
	return status;
}

/* Looks again with the state locked, and takes what is there. */
static enum tw_status claim_locked(struct tw_store *s, int64_t host_id,
    int64_t now, struct tw_change *out, int64_t *cancelled,
    struct tw_err *err)
{
	enum tw_status status;
	int64_t id = 0;
	struct head h;

	status = find_running(s, host_id, &id, err);
	if (status == TW_OK)
		return take_running(s, id, out, err);
	if (status != TW_NO)
		return status;
	status = settle_head(s, host_id, now, &h, cancelled, err);
	if (status == TW_OK)
		status = start(s, host_id, &h, now, out, err);
	head_release(&h);
	return status;
}

enum tw_status tw_change_claim(struct tw_store *s, int64_t host_id,
    int64_t now, struct tw_change *out, int64_t *cancelled,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_tx tx;
	struct head h;
	int64_t id = 0;

	memset(out, 0, sizeof *out);
	*cancelled = 0;
	status = find_running(s, host_id, &id, err);
	if (status == TW_OK) {
		status = take_running(s, id, out, err);
		if (status != TW_OK)
			tw_change_release(out);
		return status;
	}
	if (status == TW_NO) {
		status = find_head(s, host_id, now, &h, err);
		head_release(&h);
	}
	if (status == TW_OK || status == TW_DENIED) {
		status = tw_tx_begin(&tx, s, err);
		if (status != TW_OK)
			return status;
		status = claim_locked(s, host_id, now, out, cancelled, err);
		status = end_settled(&tx, status, *cancelled, err);
	}
	if (status != TW_OK && status != TW_NO)
		*cancelled = 0;
	if (status == TW_NO)
		tw_err_set(err, TW_NO, "nothing is due");
	if (status != TW_OK)
		tw_change_release(out);
	return status;
}

static const char accepted_sql[] =
    "UPDATE change SET accepted = ?2, doubt = 0"
    " WHERE id = ?1 AND status = 'running'";

static enum tw_status accept_row(struct tw_store *s,
    const struct tw_change *c, int64_t now, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, accepted_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, c->id);
	tw_stmt_int(st, 2, now);
	status = tw_stmt_run(st, err);
	if (status == TW_OK && tw_store_changes(s) != 1)
		status = tw_err_set(err, TW_NO, "change %lld is not running "
		    "any more", (long long)c->num);
	if (status == TW_OK)
		status = tw_change_record(s, c->org_id, TW_TOWER,
		    c->host_name, c->num, "change.accept", now, strdup("{}"),
		    err);
	return status;
}

enum tw_status tw_change_accepted(struct tw_store *s, struct tw_change *c,
    int64_t now, struct tw_err *err)
{
	enum tw_status status;
	struct tw_tx tx;

	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = accept_row(s, c, now, err);
	status = tw_tx_end(&tx, status, err);
	if (status == TW_OK)
		c->accepted = now;
	return status;
}
