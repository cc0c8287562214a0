/*
 * queue.c - the runner's side of the queue: who is next, and what expires
 *
 * Order within a host is (joins, id).  A change whose not_before lies ahead has
 * not joined: it blocks nobody.  A new one starts only on a host that is pinned
 * and not held.  A running one is followed even when a person holds its host,
 * but not when the tower does: then the host could not be dealt with, and every
 * further attempt would fail as well.  Taking the next one is in queue_claim.c.
 */
#include "model/change_private.h"

#include <stdlib.h>
#include <string.h>

#define EXPIRE_ROWS 1000	/* changes that one transaction ends */

/* --- due --------------------------------------------------------------- */

/* The first of a host's queue that may start, ?1 being now. */
#define HEAD \
	"(SELECT c.joins FROM change c WHERE c.host_id = h.id" \
	"    AND c.status IN ('queued', 'running')" \
	"    AND c.status = 'queued'" \
	"    AND (c.not_before IS NULL OR c.not_before <= ?1)" \
	"    AND (c.not_after IS NULL OR c.not_after > ?1)"

/*
 * p walks the index change_queue from host to host, so that the cost grows with
 * the hosts that have something pending and not with the length of queues: what
 * has not joined stands behind what has, unless the clock was set back behind
 * the host's latest filing, which no other of the host is later than.
 * ?1 now, ?2 org or 0, ?3 names as JSON or NULL.
 */
#define PENDING_HOSTS \
	"WITH RECURSIVE p (id) AS (" \
	"    SELECT * FROM (SELECT host_id FROM change" \
	"        WHERE status IN ('queued', 'running')" \
	"        AND host_id IS NOT NULL ORDER BY host_id LIMIT 1)" \
	"    UNION ALL" \
	"    SELECT (SELECT host_id FROM change" \
	"        WHERE status IN ('queued', 'running') AND host_id > p.id" \
	"        ORDER BY host_id LIMIT 1) FROM p WHERE p.id IS NOT NULL)," \
	" d AS (SELECT h.id, h.failures, h.next_attempt, h.last_error_at," \
	"    (h.held_by IS NULL OR h.held_by <> 'tower') AND EXISTS (SELECT 1" \
	"        FROM change c WHERE c.host_id = h.id" \
	"        AND c.status = 'running') AS is_running," \
	"    CASE WHEN h.held_reason IS NULL AND h.spool_id IS NOT NULL THEN" \
	"        coalesce(" HEAD " AND c.joins <= ?1" \
	"            ORDER BY c.joins, c.id LIMIT 1)," \
	"        CASE WHEN (SELECT l.filed FROM change l WHERE l.host_id" \
	"            = h.id ORDER BY l.id DESC LIMIT 1) > ?1 THEN" \
	"        " HEAD " ORDER BY c.joins, c.id LIMIT 1) END) END AS head" \
	"    FROM p JOIN host h ON h.id = p.id" \
	"    WHERE (?2 = 0 OR h.org_id = ?2) AND (?3 IS NULL" \
	"        OR h.name IN (SELECT value FROM json_each(?3))))"

/* Those that waited longest come first, after those under way. */
static const char due_sql[] =
    PENDING_HOSTS
    " SELECT id, next_attempt, last_error_at FROM d WHERE is_running OR head IS NOT NULL"
    " ORDER BY failures > 0, is_running DESC, head, id";
enum { DUE_ID, DUE_NEXT, DUE_FAILED };

/* The clock alone changes that too: a change joins, one expires.  The first asks
 * each host that could start one for its next. */
static const char joins_sql[] =
    "WITH RECURSIVE p (id) AS ("
    "    SELECT * FROM (SELECT host_id FROM change"
    "        WHERE status = 'queued' AND not_before IS NOT NULL"
    "        AND host_id IS NOT NULL ORDER BY host_id LIMIT 1)"
    "    UNION ALL"
    "    SELECT (SELECT host_id FROM change"
    "        WHERE status = 'queued' AND not_before IS NOT NULL"
    "        AND host_id > p.id ORDER BY host_id LIMIT 1)"
    "    FROM p WHERE p.id IS NOT NULL)"
    " SELECT min((SELECT c.not_before FROM change c WHERE c.host_id = h.id"
    "    AND c.status = 'queued' AND c.not_before IS NOT NULL"
    "    AND c.not_before > ?1 ORDER BY c.not_before LIMIT 1))"
    " FROM p JOIN host h ON h.id = p.id"
    " WHERE h.held_reason IS NULL AND h.spool_id IS NOT NULL"
    "    AND (?2 = 0 OR h.org_id = ?2)"
    "    AND (?3 IS NULL OR h.name IN (SELECT value FROM json_each(?3)))";
static const char expires_sql[] =
    "SELECT c.not_after FROM change c"
    " WHERE c.status = 'queued' AND c.not_after IS NOT NULL"
    "    AND c.not_after > ?1 AND (?2 = 0 OR c.org_id = ?2)"
    "    AND (?3 IS NULL OR c.host_name IN (SELECT value FROM json_each(?3)))"
    " ORDER BY c.not_after LIMIT 1";

static void bind_limits(struct tw_stmt *st, int64_t now, int64_t org_id,
    const char *names)
{
	tw_stmt_int(st, 1, now);
	tw_stmt_int(st, 2, org_id);
	tw_stmt_text(st, 3, names);
}

static void sooner(int64_t *wake, int64_t t)
{
	if (t && (!*wake || t < *wake))
		*wake = t;
}

static enum tw_status read_due(struct tw_store *s, int64_t now,
    int64_t org_id, const char *names, int64_t **out, size_t *n,
    int64_t *wake, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;
	size_t cap = 0;
	int64_t next, failed, *ids;

	status = tw_stmt_get(s, due_sql, &st, err);
	if (status != TW_OK)
		return status;
	bind_limits(st, now, org_id, names);
	while ((status = tw_stmt_step(st, err)) == TW_OK) {
		next = tw_stmt_col_int(st, DUE_NEXT);
		failed = tw_stmt_col_int(st, DUE_FAILED);
		/* else the clock was set back */
		if (next > now && (next <= now + TW_HOST_DELAY_MAX ||
		    (failed && failed <= now))) {
			sooner(wake, next);
			continue;
		}
		if (*n == cap) {
			cap = cap ? cap * 2 : 64;
			ids = realloc(*out, cap * sizeof *ids);
			if (!ids) {
				tw_stmt_reset(st);
				return tw_err_nomem(err);
			}
			*out = ids;
		}
		(*out)[(*n)++] = tw_stmt_col_int(st, DUE_ID);
	}
	return status == TW_NO ? TW_OK : status;
}

static enum tw_status read_wake(struct tw_store *s, const char *sql,
    int64_t now, int64_t org_id, const char *names, int64_t *wake,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, sql, &st, err);
	if (status != TW_OK)
		return status;
	bind_limits(st, now, org_id, names);
	status = tw_stmt_step(st, err);
	if (status != TW_OK)
		return status == TW_NO ? TW_OK : status;
	sooner(wake, tw_stmt_col_int(st, 0));
	tw_stmt_reset(st);
	return TW_OK;
}

enum tw_status tw_queue_due(struct tw_store *s, int64_t now, int64_t org_id,
    const char *const *hosts, int64_t **out, size_t *n, int64_t *wake,
    struct tw_err *err)
{
	enum tw_status status;
	char *names = NULL;

	*out = NULL;
	*n = 0;
	*wake = 0;
	if (hosts && !(names = tw_json_names(hosts)))
		return tw_err_nomem(err);
	status = read_due(s, now, org_id, names, out, n, wake, err);
	if (status == TW_OK)
		status = read_wake(s, joins_sql, now, org_id, names, wake,
		    err);
	if (status == TW_OK)
		status = read_wake(s, expires_sql, now, org_id, names, wake,
		    err);
	free(names);
	if (status != TW_OK) {
		free(*out);
		*out = NULL;
		*n = 0;
	}
	return status;
}

/* --- expired ----------------------------------------------------------- */

static const char expired_sql[] =
    "SELECT id, org_id, num, host_name FROM change"
    " WHERE status = 'queued' AND not_after IS NOT NULL AND not_after <= ?1"
    " ORDER BY not_after, id LIMIT 1";
enum { EXPIRED_ID, EXPIRED_ORG, EXPIRED_NUM, EXPIRED_HOST };

/* TW_NO: none.  The name is malloc'd. */
static enum tw_status find_expired(struct tw_store *s, int64_t now,
    struct tw_queued *q, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	q->host_name = NULL;
	status = tw_stmt_get(s, expired_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, now);
	status = tw_stmt_step(st, err);
	if (status != TW_OK)
		return status;
	q->id = tw_stmt_col_int(st, EXPIRED_ID);
	q->org_id = tw_stmt_col_int(st, EXPIRED_ORG);
	q->num = tw_stmt_col_int(st, EXPIRED_NUM);
	if (!tw_col_dup(st, EXPIRED_HOST, &q->host_name))
		status = tw_err_nomem(err);
	tw_stmt_reset(st);
	return status;
}

/* Up to EXPIRE_ROWS of them; *count is how many. */
static enum tw_status expire_some(struct tw_store *s, int64_t now,
    int64_t *count, struct tw_err *err)
{
	struct tw_queued q = { 0 };
	enum tw_status status;
	struct tw_tx tx;

	*count = 0;
	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	while (status == TW_OK && *count < EXPIRE_ROWS) {
		status = find_expired(s, now, &q, err);
		if (status == TW_OK)
			status = tw_queued_cancel(s, NULL, &q,
			    "change.expire", "expired", now, err);
		if (status == TW_OK)
			++*count;
		free(q.host_name);
	}
	if (status == TW_NO)
		status = TW_OK;
	return tw_tx_end(&tx, status, err);
}

enum tw_status tw_queue_expire(struct tw_store *s, int64_t now,
    int64_t *count, struct tw_err *err)
{
	struct tw_queued q = { 0 };
	enum tw_status status;
	int64_t n;

	*count = 0;
	status = find_expired(s, now, &q, err);
	free(q.host_name);
	if (status != TW_OK)
		return status == TW_NO ? TW_OK : status;
	do {
		status = expire_some(s, now, &n, err);
		if (status == TW_OK)
			*count += n;
	} while (status == TW_OK && n == EXPIRE_ROWS);
	return status;
}
