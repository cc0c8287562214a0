/*
 * host_contact.c - what contact with a host teaches the tower about it
 *
 * No tenant's limit where the runner calls, which looks after all of them; a
 * check is a person's.
 */
#include "model/host_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"


static const char brief_sql[] =
    "SELECT org_id, name, held_reason FROM host"
    " WHERE org_id = ?1 AND id = ?2";
static const char brief_any_sql[] =
    "SELECT org_id, name, held_reason FROM host WHERE id = ?2";
enum { BRIEF_ORG, BRIEF_NAME, BRIEF_HELD };

/* *name is malloc'd.  who NULL: the runner. */
static enum tw_status find_brief(struct tw_store *s, const struct tw_who *who,
    int64_t id, int64_t *org_id, char **name, bool *is_held,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	*name = NULL;
	status = tw_tenant_or_any(s, who, brief_sql, brief_any_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, id);
	status = tw_stmt_step(st, err);
	if (status == TW_NO)
		return tw_err_set(err, TW_NO, "the host is gone");
	if (status != TW_OK)
		return status;
	*org_id = tw_stmt_col_int(st, BRIEF_ORG);
	*is_held = !tw_stmt_col_is_null(st, BRIEF_HELD);
	if (!tw_col_dup(st, BRIEF_NAME, name))
		status = tw_err_nomem(err);
	tw_stmt_reset(st);
	return status;
}

static const char checked_sql[] =
    "UPDATE host SET facts = coalesce(?2, facts),"
    "    facts_at = CASE WHEN ?2 IS NULL THEN facts_at ELSE ?3 END,"
    "    spool_id = coalesce(spool_id, ?4),"
    "    transport_used = coalesce(?5, transport_used), last_seen = ?3,"
    "    failures = 0, next_attempt = NULL"
    " WHERE org_id = ?1 AND id = ?6";

static enum tw_status store_check(struct tw_store *s,
    const struct tw_who *who, int64_t host_id, const char *facts,
    const char *spool_id, const char *transport_used, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tenant_stmt(s, who, checked_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_text(st, 2, facts);
	tw_stmt_int(st, 3, tw_clock_now());
	tw_stmt_text(st, 4, spool_id);
	tw_stmt_text(st, 5, transport_used);
	tw_stmt_int(st, 6, host_id);
	return tw_stmt_run(st, err);
}

enum tw_status tw_host_checked(struct tw_store *s, const struct tw_who *who,
    int64_t host_id, const char *facts, const char *spool_id,
    const char *transport_used, struct tw_err *err)
{
	struct tw_grant_used used;
	enum tw_status status;
	int64_t org_id = 0;
	char *name = NULL;
	struct tw_tx tx;
	bool is_held;

	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = find_brief(s, who, host_id, &org_id, &name, &is_held, err);
	if (status == TW_OK)
		status = tw_host_may(s, who, TW_MAY_HOST, host_id, name, &used,
		    err);
	if (status == TW_OK)
		status = store_check(s, who, host_id, facts, spool_id,
		    transport_used, err);
	if (status == TW_OK)
		status = tw_host_record(s, org_id, who->login, name,
		    "host.check", tw_audit_detail("spool_id", spool_id,
		    "transport", transport_used, "grant", used.text,
		    (char *)NULL), err);
	free(name);
	return tw_tx_end(&tx, status, err);
}

static const char answered_sql[] =
    "UPDATE host SET failures = 0, next_attempt = NULL, last_seen = ?2,"
    "    fence_seq = CASE WHEN ?3 > fence_epoch THEN ?4"
    "        WHEN ?3 = fence_epoch THEN max(fence_seq, ?4)"
    "        ELSE fence_seq END,"
    "    fence_epoch = max(fence_epoch, ?3),"
    "    unhold = CASE WHEN ?5 THEN 0 ELSE unhold END"
    " WHERE id = ?1";

enum tw_status tw_host_answered(struct tw_store *s, int64_t host_id,
    int64_t now, int64_t fence_epoch, int64_t fence_seq, bool unheld,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;
	struct tw_tx tx;

	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = tw_stmt_get(s, answered_sql, &st, err);
	if (status == TW_OK) {
		tw_stmt_int(st, 1, host_id);
		tw_stmt_int(st, 2, now);
		tw_stmt_int(st, 3, fence_epoch);
		tw_stmt_int(st, 4, fence_seq);
		tw_stmt_int(st, 5, unheld);
		status = tw_stmt_run(st, err);
	}
	return tw_tx_end(&tx, status, err);
}

/* Doubles with each failure, then up to a quarter less, so that hosts that
 * failed together don't come back together. */
static int64_t delay_after(const struct tw_host_delays *d, int64_t failures)
{
	int64_t delay = d->first, i;
	uint32_t r;

	for (i = 1; i < failures && delay < d->most; i++)
		delay *= 2;
	if (delay > d->most)
		delay = d->most;
	tw_random(&r, sizeof r);
	return delay - delay * (int64_t)(r % 251) / 1000;
}

/* Twice the last one, whatever that was; it may have been a short one. */
static int64_t delay_grown(const struct tw_host_delays *d, int64_t last)
{
	int64_t n = 1, delay;

	for (delay = d->first; delay < d->most && delay * 3 / 4 <= last;
	    delay *= 2)
		n++;		/* a quarter less at most, see above */
	return delay_after(d, n);
}

static const char failures_sql[] =
    "SELECT failures, coalesce(next_attempt - last_error_at, 0) FROM host"
    " WHERE id = ?1";
static const char unreachable_sql[] =
    "UPDATE host SET failures = ?2, next_attempt = ?3, last_error = ?4,"
    "    last_error_at = ?5 WHERE id = ?1";

/* While a step may have cut the host off, a network that is down is tried often.
 * A login that is refused is not: hosts shut out who fails too often. */
static enum tw_status count_failure(struct tw_store *s, int64_t host_id,
    int64_t now, bool is_refusal, const char *error,
    const struct tw_host_delays *delays, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;
	int64_t failures, last, delay, until, every;

	status = tw_stmt_get(s, failures_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, host_id);
	status = tw_stmt_step(st, err);
	if (status == TW_NO)
		return tw_err_set(err, TW_NO, "the host is gone");
	if (status != TW_OK)
		return status;
	failures = tw_stmt_col_int(st, 0) + 1;
	last = tw_stmt_col_int(st, 1);
	tw_stmt_reset(st);
	delay = delay_after(delays, failures);
	status = tw_change_confirming(s, host_id, &until, &every, err);
	if (status == TW_OK && now < until && is_refusal)
		delay = delay_grown(delays, last);
	else if (status == TW_OK && now < until && delay > every)
		delay = every;
	if (status == TW_OK || status == TW_NO)
		status = tw_stmt_get(s, unreachable_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, host_id);
	tw_stmt_int(st, 2, failures);
	tw_stmt_int(st, 3, now + delay);
	tw_stmt_text(st, 4, error);
	tw_stmt_int(st, 5, now);
	return tw_stmt_run(st, err);
}

static enum tw_status note_failure(struct tw_store *s, int64_t host_id,
    int64_t now, bool is_refusal, const char *error,
    const struct tw_host_delays *delays, struct tw_err *err)
{
	static const struct tw_host_delays usual = { TW_HOST_DELAY_MIN,
		TW_HOST_DELAY_MAX };
	enum tw_status status;
	struct tw_tx tx;

	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = count_failure(s, host_id, now, is_refusal, error,
	    delays ? delays : &usual, err);
	return tw_tx_end(&tx, status, err);
}

enum tw_status tw_host_unreachable(struct tw_store *s, int64_t host_id,
    int64_t now, const char *error, const struct tw_host_delays *delays,
    struct tw_err *err)
{
	return note_failure(s, host_id, now, false, error, delays, err);
}

enum tw_status tw_host_refused(struct tw_store *s, int64_t host_id,
    int64_t now, const char *error, const struct tw_host_delays *delays,
    struct tw_err *err)
{
	return note_failure(s, host_id, now, true, error, delays, err);
}

/* --- holding ----------------------------------------------------------- */

#define HOLD \
	"UPDATE host SET held_reason = ?3, held_since = ?4, held_by = ?5," \
	"    unhold = 0"
static const char hold_sql[] = HOLD " WHERE org_id = ?1 AND id = ?2";
static const char hold_any_sql[] = HOLD " WHERE id = ?2";

static const char person_sql[] =
    "SELECT held_by, held_reason FROM host"
    " WHERE id = ?1 AND held_by <> '" TW_TOWER "'";
enum { PERSON_BY, PERSON_REASON };

/* A person's hold does not keep the tower from following a running change, so
 * what that runs into must be able to stop it: the tower's hold takes its
 * place, with its words.  *both is malloc'd; TW_NO: it is no person's. */
static enum tw_status join_reasons(struct tw_store *s, int64_t host_id,
    const char *reason, char **both, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, person_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, host_id);
	status = tw_stmt_step(st, err);
	if (status != TW_OK)
		return status;
	if (asprintf(both, "%s; held before by %s: %s", reason ? reason : "",
	    tw_stmt_col_text(st, PERSON_BY),
	    tw_stmt_col_text(st, PERSON_REASON)) < 0) {
		*both = NULL;
		status = tw_err_nomem(err);
	}
	tw_stmt_reset(st);
	return status;
}

/* is_event: hooks are told, where it is news. */
static enum tw_status hold_row(struct tw_store *s, const struct tw_who *who,
    int64_t host_id, const char *reason, const char *grant, bool is_event,
    struct tw_err *err)
{
	const char *login = who ? who->login : TW_TOWER;
	enum tw_status status;
	int64_t org_id = 0;
	bool is_held = false;
	struct tw_stmt *st;
	char *name = NULL, *both = NULL;

	status = find_brief(s, who, host_id, &org_id, &name, &is_held, err);
	if (status == TW_OK && is_held)
		status = who ? TW_NO : join_reasons(s, host_id, reason, &both,
		    err);
	if (status == TW_NO && is_held)	/* the first hold stays */
		status = TW_OK;
	if (status != TW_OK || (is_held && !both))
		goto out;
	status = tw_tenant_or_any(s, who, hold_sql, hold_any_sql, &st, err);
	if (status != TW_OK)
		goto out;
	if (both)
		reason = both;
	tw_stmt_int(st, 2, host_id);
	tw_stmt_text(st, 3, reason ? reason : "");
	tw_stmt_int(st, 4, tw_clock_now());
	tw_stmt_text(st, 5, login);
	status = tw_stmt_run(st, err);
	if (status == TW_OK)
		status = tw_host_record(s, org_id, login, name, "host.hold",
		    tw_audit_detail("reason", reason, "grant", grant,
		    (char *)NULL), err);
	if (status == TW_OK && is_event)
		status = tw_event_add(s, org_id, "held", name, 0, reason,
		    tw_clock_now(), err);
out:
	free(name);
	free(both);
	return status;
}

enum tw_status tw_host_hold_row(struct tw_store *s, const struct tw_who *who,
    int64_t host_id, const char *reason, const char *grant,
    struct tw_err *err)
{
	return hold_row(s, who, host_id, reason, grant, false, err);
}

enum tw_status tw_host_hold_tower(struct tw_store *s, int64_t host_id,
    const char *reason, struct tw_err *err)
{
	enum tw_status status;
	struct tw_tx tx;

	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = hold_row(s, NULL, host_id, reason, NULL, true, err);
	return tw_tx_end(&tx, status, err);
}
