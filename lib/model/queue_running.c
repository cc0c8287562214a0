/*
 * queue_running.c - the changes that run: how many, heard of when, and which
 *                   of them were asked to stop
 */
#include "model/change_private.h"

#include <stdlib.h>

/* All by the index change_running, however long queues are. */

/* ?1 org or 0, ?2 names as JSON or NULL. */
static const char running_sql[] =
    "SELECT count(*), max(CASE WHEN c.accepted IS NULL THEN 0"
    "    ELSE max(c.started, coalesce(h.last_seen, 0)) END)"
    " FROM change c INDEXED BY change_running JOIN host h ON h.id = c.host_id"
    " WHERE c.status = 'running'"
    "    AND (h.held_by IS NULL OR h.held_by <> 'tower')"
    "    AND (?1 = 0 OR c.org_id = ?1)"
    "    AND (?2 IS NULL OR h.name IN (SELECT value FROM json_each(?2)))";
enum { RUNNING_COUNT, RUNNING_SINCE };

enum tw_status tw_queue_running(struct tw_store *s, int64_t org_id,
    const char *const *hosts, int64_t *count, int64_t *since,
    struct tw_err *err)
{
	char *names = hosts ? tw_json_names(hosts) : NULL;
	enum tw_status status;
	struct tw_stmt *st;

	*count = *since = 0;
	if (hosts && !names)
		return tw_err_nomem(err);
	status = tw_stmt_get(s, running_sql, &st, err);
	if (status == TW_OK) {
		tw_stmt_int(st, 1, org_id);
		tw_stmt_text(st, 2, names);
		status = tw_stmt_one(st, err);
	}
	if (status == TW_OK) {
		*count = tw_stmt_col_int(st, RUNNING_COUNT);
		*since = tw_stmt_col_int(st, RUNNING_SINCE);
		tw_stmt_reset(st);
	}
	free(names);
	return status;
}

static const char ids_sql[] =
    "SELECT id FROM change INDEXED BY change_running"
    " WHERE status = 'running' ORDER BY id";
static const char cancels_sql[] =
    "SELECT id FROM change INDEXED BY change_running"
    " WHERE status = 'running' AND cancel_by IS NOT NULL ORDER BY id";

static enum tw_status read_ids(struct tw_store *s, const char *sql,
    int64_t **out, size_t *n, struct tw_err *err)
{
	size_t cap = 0;
	enum tw_status status;
	struct tw_stmt *st;
	int64_t *more;

	*out = NULL;
	*n = 0;
	status = tw_stmt_get(s, sql, &st, err);
	while (status == TW_OK &&
	    (status = tw_stmt_step(st, err)) == TW_OK) {
		if (*n == cap) {
			cap = cap ? cap * 2 : 16;
			more = realloc(*out, cap * sizeof **out);
			if (!more) {
				status = tw_err_nomem(err);
				break;
			}
			*out = more;
		}
		(*out)[(*n)++] = tw_stmt_col_int(st, 0);
	}
	if (status == TW_NO)
		return TW_OK;
	tw_stmt_reset(st);
	free(*out);
	*out = NULL;
	*n = 0;
	return status;
}

enum tw_status tw_queue_cancels(struct tw_store *s, int64_t **out, size_t *n,
    struct tw_err *err)
{
	return read_ids(s, cancels_sql, out, n, err);
}

enum tw_status tw_queue_running_ids(struct tw_store *s, int64_t **out,
    size_t *n, struct tw_err *err)
{
	return read_ids(s, ids_sql, out, n, err);
}
