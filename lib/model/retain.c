/*
 * retain.c - how long output stays: so many days, so many bytes
 *
 * What to remove is looked up first, without a lock; a call that finds nothing
 * writes nothing.  Changes, their steps and the audit trail stay: prune.c.
 */
#include "model/change_private.h"

#include <stdlib.h>

struct retain {
	int64_t before, max_bytes;
	int limit;
	int64_t total;		/* bytes of output that would be left */
	int64_t *ids;		/* changes whose output goes */
	size_t n;
};

static const char total_sql[] = "SELECT output FROM usage";

static enum tw_status find_total(struct tw_store *s, struct retain *r,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, total_sql, &st, err);
	if (status == TW_OK)
		status = tw_stmt_one(st, err);
	if (status == TW_OK) {
		r->total = tw_stmt_col_int(st, 0);
		tw_stmt_reset(st);
	}
	return status;
}

/* The next change with output, in the order of filing. */
static const char next_sql[] =
    "SELECT o.change_id, c.ended, c.filed FROM output o"
    " JOIN change c ON c.id = o.change_id"
    " WHERE o.change_id > ?1 ORDER BY o.change_id LIMIT 1";
enum { NEXT_ID, NEXT_ENDED, NEXT_FILED };

static const char size_sql[] =
    "SELECT coalesce(sum(length(data)), 0) FROM output WHERE change_id = ?1";

static enum tw_status size_of(struct tw_store *s, int64_t id, int64_t *size,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, size_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, id);
	status = tw_stmt_one(st, err);
	if (status == TW_OK) {
		*size = tw_stmt_col_int(st, 0);
		tw_stmt_reset(st);
	}
	return status;
}

/* TW_NO: there is no further one. */
static enum tw_status next_change(struct tw_store *s, int64_t *id,
    int64_t *ended, int64_t *filed, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, next_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, *id);
	status = tw_stmt_step(st, err);
	if (status != TW_OK)
		return status;
	*id = tw_stmt_col_int(st, NEXT_ID);
	*ended = tw_stmt_col_int(st, NEXT_ENDED);
	*filed = tw_stmt_col_int(st, NEXT_FILED);
	tw_stmt_reset(st);
	return TW_OK;
}

/* Which changes lose their output.  Nothing that was filed after `before` can
 * have ended before it. */
static enum tw_status choose(struct tw_store *s, struct retain *r,
    struct tw_err *err)
{
	int64_t id = 0, ended = 0, filed = 0, size;
	enum tw_status status;
	bool too_much;

	for (;;) {
		too_much = r->total > r->max_bytes;
		if (r->n == (size_t)r->limit)
			return TW_OK;
		status = next_change(s, &id, &ended, &filed, err);
		if (status != TW_OK)
			return status == TW_NO ? TW_OK : status;
		if (!too_much && filed >= r->before)
			return TW_OK;
		if (!ended || (!too_much && ended >= r->before))
			continue;
		status = size_of(s, id, &size, err);
		if (status != TW_OK)
			return status;
		r->total -= size;
		r->ids[r->n++] = id;
	}
}

static const char remove_sql[] = "DELETE FROM output WHERE change_id = ?1";

static enum tw_status remove_chosen(struct tw_store *s, const struct retain *r,
    int64_t *removed, struct tw_err *err)
{
	enum tw_status status = TW_OK;
	int64_t size = 0;
	size_t i;

	for (i = 0; status == TW_OK && i < r->n; i++) {
		status = size_of(s, r->ids[i], &size, err);
		if (status == TW_OK)
			status = tw_run_int(s, remove_sql, r->ids[i], err);
		*removed += size;
	}
	return status;
}

static enum tw_status remove_all(struct tw_store *s, const struct retain *r,
    int64_t *removed, struct tw_err *err)
{
	enum tw_status status;
	struct tw_tx tx;

	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = remove_chosen(s, r, removed, err);
	status = tw_tx_end(&tx, status, err);
	if (status != TW_OK)
		*removed = 0;
	return status;
}

enum tw_status tw_output_retain(struct tw_store *s, int64_t before,
    int64_t max_bytes, int limit, int64_t *removed, struct tw_err *err)
{
	struct retain r = { .before = before, .max_bytes = max_bytes,
	    .limit = limit };
	enum tw_status status;

	*removed = 0;
	if (limit <= 0)
		return TW_OK;
	r.ids = calloc((size_t)limit, sizeof *r.ids);
	if (!r.ids)
		return tw_err_nomem(err);
	status = find_total(s, &r, err);
	if (status == TW_OK)
		status = choose(s, &r, err);
	if (status == TW_OK && r.n)
		status = remove_all(s, &r, removed, err);
	free(r.ids);
	return status;
}
