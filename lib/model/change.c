/*
 * change.c - reading changes: one, or a list; how many stand before one
 *
 * Filing is in change_file.c, what people do to changes in change_act.c, the
 * runner's side in queue.c and step.c.
 */
#include "base/text.h"
#include "model/change_private.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *const status_names[] = {
	[TW_CHANGE_QUEUED] = NC_("word", "queued"),
	[TW_CHANGE_RUNNING] = NC_("word", "running"),
	[TW_CHANGE_SUCCEEDED] = NC_("word", "succeeded"),
	[TW_CHANGE_ROLLED_BACK] = NC_("word", "rolled-back"),
	[TW_CHANGE_FAILED] = NC_("word", "failed"),
	[TW_CHANGE_CANCELLED] = NC_("word", "cancelled"),
	[TW_CHANGE_UNKNOWN] = NC_("word", "unknown"),
};
#define NSTATUSES (sizeof status_names / sizeof *status_names)
#define BIT(s) (1u << (s))
#define PENDING (BIT(TW_CHANGE_QUEUED) | BIT(TW_CHANGE_RUNNING))

const char *tw_change_status_name(enum tw_change_status s)
{
	return (unsigned)s < NSTATUSES ? status_names[s] : "?";
}

bool tw_change_status_parse(const char *name, enum tw_change_status *out)
{
	size_t i;

	for (i = 0; i < NSTATUSES; i++)
		if (strcmp(name, status_names[i]) == 0) {
			*out = (enum tw_change_status)i;
			return true;
		}
	return false;
}

bool tw_change_status_is_ended(enum tw_change_status s)
{
	return s != TW_CHANGE_QUEUED && s != TW_CHANGE_RUNNING;
}

enum tw_status tw_change_result(enum tw_change_status s)
{
	static const enum tw_status results[] = {
		[TW_CHANGE_QUEUED] = TW_WAITING,
		[TW_CHANGE_RUNNING] = TW_WAITING,
		[TW_CHANGE_SUCCEEDED] = TW_OK,
		[TW_CHANGE_ROLLED_BACK] = TW_ROLLED_BACK,
		[TW_CHANGE_FAILED] = TW_FAILED,
		[TW_CHANGE_CANCELLED] = TW_NO,
		[TW_CHANGE_UNKNOWN] = TW_FAILED,
	};

	return (unsigned)s < NSTATUSES ? results[s] : TW_BUG;
}

void tw_change_release(struct tw_change *c)
{
	char *strings[] = {
		c->uid, c->nonce, c->host_name, c->operator, c->reason,
		c->title, c->why, c->batch_key, c->params, c->app,
		c->app_version, c->action, c->instance, c->cancel_by,
		c->step_name,
	};
	size_t i;

	for (i = 0; i < sizeof strings / sizeof *strings; i++)
		free(strings[i]);
	tw_successor_release(&c->successor);
	memset(c, 0, sizeof *c);
}

/* --- rows -------------------------------------------------------------- */

#define COLUMNS \
	"SELECT c.id, c.num, c.org_id, c.host_id, c.uid, c.nonce," \
	"    c.host_name, o.login, c.status, h.held_reason IS NOT NULL," \
	"    c.reason, c.title, c.why, c.batch_key, c.params," \
	"    c.after_failure = 'hold', c.filed, c.joins, c.not_before," \
	"    c.not_after," \
	"    (SELECT r.num FROM change r WHERE r.id = c.retry_of)," \
	"    c.cancel_by, c.cancel_at, c.started, c.accepted, c.ended," \
	"    c.epoch, c.seq, c.room, c.nsteps, c.life, c.offset," \
	"    c.next_event, c.clock, c.cur_step, c.phase = 'undo', c.program," \
	"    c.blob," \
	"    (SELECT count(*) FROM step s WHERE s.change_id = c.id" \
	"        AND s.ended IS NOT NULL)," \
	"    (SELECT s.name FROM step s WHERE s.change_id = c.id" \
	"        AND (s.state IN ('checking', 'running', 'retrying'," \
	"                'confirming')" \
	"            OR s.undo_state = 'running') ORDER BY s.k DESC LIMIT 1)," \
	"    c.app, c.app_version, c.action," \
	"    (SELECT i.name FROM instance i WHERE i.id = c.instance_id)," \
	"    c.doubt, c.successor_user, c.successor_port, c.successor_sudo," \
	"    c.successor_at"
#define TABLES \
	" FROM change c JOIN operator o ON o.id = c.operator_id" \
	" LEFT JOIN host h ON h.id = c.host_id"
enum {
	ID, NUM, ORG_ID, HOST_ID, UID, NONCE, HOST_NAME, OPERATOR, STATUS,
	HELD, REASON, TITLE, WHY, BATCH_KEY, PARAMS, HOLD_AFTER, FILED, JOINS,
	NOT_BEFORE, NOT_AFTER, RETRY_OF, CANCEL_BY, CANCEL_AT, STARTED,
	ACCEPTED, ENDED, EPOCH, SEQ, ROOM, NSTEPS, LIFE, OFFSET, NEXT_EVENT,
	CLOCK, CUR_STEP, IN_UNDO, PROGRAM, BLOB, STEPS_DONE, STEP_NAME,
	C_APP, C_APP_VERSION, C_ACTION, C_INSTANCE, DOUBT, C_SUCCESSOR,
};

/* False: no memory. */
static bool read_texts(struct tw_stmt *st, struct tw_change *c)
{
	const struct {
		int col;
		char **to;
	} texts[] = {
		{ UID, &c->uid }, { NONCE, &c->nonce },
		{ HOST_NAME, &c->host_name }, { OPERATOR, &c->operator },
		{ REASON, &c->reason }, { TITLE, &c->title },
		{ WHY, &c->why }, { BATCH_KEY, &c->batch_key },
		{ PARAMS, &c->params }, { CANCEL_BY, &c->cancel_by },
		{ STEP_NAME, &c->step_name }, { C_APP, &c->app },
		{ C_APP_VERSION, &c->app_version }, { C_ACTION, &c->action },
		{ C_INSTANCE, &c->instance },
		{ C_SUCCESSOR, &c->successor.user },
	};
	bool ok = true;
	size_t i;

	for (i = 0; i < sizeof texts / sizeof *texts; i++)
		ok &= tw_col_dup(st, texts[i].col, texts[i].to);
	return ok;
}

static void read_numbers(struct tw_stmt *st, struct tw_change *c)
{
	const struct {
		int col;
		int64_t *to;
	} numbers[] = {
		{ ID, &c->id }, { NUM, &c->num }, { ORG_ID, &c->org_id },
		{ HOST_ID, &c->host_id }, { FILED, &c->filed },
		{ JOINS, &c->joins }, { NOT_BEFORE, &c->not_before },
		{ NOT_AFTER, &c->not_after }, { RETRY_OF, &c->retry_of },
		{ CANCEL_AT, &c->cancel_at }, { STARTED, &c->started },
		{ ACCEPTED, &c->accepted }, { ENDED, &c->ended },
		{ EPOCH, &c->epoch }, { SEQ, &c->seq }, { ROOM, &c->room },
		{ NSTEPS, &c->nsteps }, { LIFE, &c->life },
		{ OFFSET, &c->offset }, { NEXT_EVENT, &c->next_event },
		{ CLOCK, &c->clock }, { CUR_STEP, &c->cur_step },
		{ STEPS_DONE, &c->steps_done },
	};
	size_t i;

	for (i = 0; i < sizeof numbers / sizeof *numbers; i++)
		*numbers[i].to = tw_stmt_col_int(st, numbers[i].col);
}

static enum tw_status read_row(struct tw_stmt *st, struct tw_change *c,
    struct tw_err *err)
{
	if (!tw_change_status_parse(tw_stmt_col_text(st, STATUS), &c->status))
		return tw_err_set(err, TW_CONFIG,
		    "a change has the unknown status '%s'",
		    tw_stmt_col_text(st, STATUS));
	read_numbers(st, c);
	c->is_held = c->status == TW_CHANGE_QUEUED &&
	    tw_stmt_col_int(st, HELD) != 0;
	c->hold_after_failure = tw_stmt_col_int(st, HOLD_AFTER) != 0;
	c->in_doubt = tw_stmt_col_int(st, DOUBT) != 0;
	c->in_undo = tw_stmt_col_int(st, IN_UNDO) != 0;
	tw_col_hash(st, PROGRAM, c->program);
	tw_col_hash(st, BLOB, c->blob);
	tw_successor_read(st, C_SUCCESSOR, &c->successor);
	return read_texts(st, c) ? TW_OK : tw_err_nomem(err);
}

/* --- one change -------------------------------------------------------- */

/* Reads the row of a statement that is bound; TW_NO: none. */
static enum tw_status read_one(struct tw_stmt *st, struct tw_change *out,
    struct tw_err *err)
{
	enum tw_status status;

	status = tw_stmt_step(st, err);
	if (status != TW_OK)
		return status;
	status = read_row(st, out, err);
	tw_stmt_reset(st);
	if (status != TW_OK)
		tw_change_release(out);
	return status;
}

static const char get_sql[] =
    COLUMNS TABLES " WHERE c.org_id = ?1 AND c.num = ?2";
static const char load_sql[] = COLUMNS TABLES " WHERE c.id = ?1";

/* The same words whether there is none or it can't be seen. */
static enum tw_status no_change(struct tw_store *s, const struct tw_who *who,
    int64_t num, struct tw_err *err)
{
	struct tw_rights *view = NULL;
	enum tw_status status;

	status = tw_view_load(s, who, &view, err);
	tw_rights_free(view);
	return status == TW_OK ? tw_err_set(err, TW_NO, "no change %lld",
	    (long long)num) : status;
}

enum tw_status tw_change_get(struct tw_store *s, const struct tw_who *who,
    int64_t num, struct tw_change *out, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	memset(out, 0, sizeof *out);
	status = tw_tenant_stmt(s, who, get_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, num);
	status = read_one(st, out, err);
	if (status == TW_OK) {
		status = tw_host_may(s, who, TW_MAY_VIEW, out->host_id,
		    out->host_name, NULL, err);
		if (status != TW_OK)
			tw_change_release(out);
	}
	return status == TW_NO || status == TW_DENIED ?
	    no_change(s, who, num, err) : status;
}

static const char num_sql[] =
    "SELECT num FROM change WHERE org_id = ?1 AND id = ?2";

enum tw_status tw_change_visible(struct tw_store *s, const struct tw_who *who,
    int64_t id, struct tw_err *err)
{
	struct tw_change c = { 0 };
	enum tw_status status;
	struct tw_stmt *st;
	int64_t num;

	if (!who)
		return TW_OK;
	status = tw_tenant_stmt(s, who, num_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, id);
	status = tw_stmt_step(st, err);
	if (status == TW_NO)
		return tw_err_set(err, TW_NO, "the change is gone");
	if (status != TW_OK)
		return status;
	num = tw_stmt_col_int(st, 0);
	tw_stmt_reset(st);
	status = tw_change_get(s, who, num, &c, err);
	tw_change_release(&c);
	return status;
}

enum tw_status tw_change_load(struct tw_store *s, int64_t id,
    struct tw_change *out, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	memset(out, 0, sizeof *out);
	status = tw_stmt_get(s, load_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, id);
	status = read_one(st, out, err);
	if (status == TW_NO)
		tw_err_set(err, TW_NO, "the change is gone");
	return status;
}

/* --- lists ------------------------------------------------------------- */

#define FILTER \
	" AND (c.status IN (SELECT value FROM json_each(?3)) OR (?4" \
	"     AND c.status = 'queued' AND h.held_reason IS NOT NULL))"

static const char all_sql[] =
    COLUMNS TABLES " WHERE c.org_id = ?1 AND c.num > ?2"
    " AND c.num <= ?2 + ?6" FILTER " ORDER BY c.num LIMIT ?5";
static const char next_sql[] =
    "SELECT num FROM change WHERE org_id = ?1 AND num > ?2 + ?3"
    " ORDER BY num LIMIT 1";
/* the same through the index of pending ones */
static const char pending_sql[] =
    COLUMNS TABLES " WHERE c.org_id = ?1 AND c.num > ?2"
    " AND c.status IN ('queued', 'running')" FILTER
    " ORDER BY c.num LIMIT ?5";
static const char one_sql[] =
    COLUMNS TABLES " WHERE c.org_id = ?1 AND c.num = ?2" FILTER;

/* Those of some hosts come as numbers out of an index, and each row by its
 * number then. */
static const char nums_sql[] =
    "SELECT num FROM change WHERE org_id = ?1 AND num > ?2"
    " AND host_name IN (SELECT value FROM json_each(?3))";
/* All have a place; that it is asked for keeps to the index of the queues. */
static const char pending_nums_sql[] =
    "SELECT num FROM change WHERE +num > ?2 AND joins >= 0"
    " AND status IN ('queued', 'running') AND host_id IN"
    "    (SELECT id FROM host WHERE org_id = ?1"
    "    AND name IN (SELECT value FROM json_each(?3)))";

struct query {
	const struct tw_who *who;
	bool is_pending;		/* no ended ones are asked for */
	char *statuses;			/* a JSON array */
	bool held;
	int64_t after;			/* the number before the next page */
	struct tw_ids nums;		/* where hosts are given */
	bool has_nums;
	size_t at;			/* in nums */
	int64_t *visible;		/* ids of hosts, sorted */
	size_t nvisible;
	bool sees_all;
};

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Those of removed hosts are for who sees everything. */
static bool is_visible(const struct query *q, const struct tw_change *c)
{
	return q->sees_all || (q->nvisible && bsearch(&c->host_id, q->visible,
	    q->nvisible, sizeof *q->visible, compare));
}

/* Which statuses, as bits. */
static unsigned wanted(const struct tw_change_filter *f)
{
	if (f->statuses)
		return f->statuses;
	if (f->held_only)
		return 0;
	return f->all ? (1u << NSTATUSES) - 1 : PENDING;
}

static enum tw_status find_nums(struct query *q, struct tw_store *s,
    const char *const *names, struct tw_err *err)
{
	char *hosts = tw_json_names(names);
	enum tw_status status;
	struct tw_stmt *st;

	if (!hosts)
		return tw_err_nomem(err);
	q->has_nums = true;
	status = tw_tenant_stmt(s, q->who, q->is_pending ? pending_nums_sql :
	    nums_sql, &st, err);
	if (status == TW_OK) {
		tw_stmt_int(st, 2, q->after);
		tw_stmt_text(st, 3, hosts);
		status = tw_ids_read(&q->nums, st, err);
	}
	free(hosts);
	return status;
}

static enum tw_status query_init(struct query *q, struct tw_store *s,
    const struct tw_who *who, const struct tw_change_filter *f,
    struct tw_err *err)
{
	enum tw_status status;
	const char *names[NSTATUSES + 1];
	unsigned bits = wanted(f);
	size_t i, n = 0;

	for (i = 0; i < NSTATUSES; i++)
		if (bits & BIT(i))
			names[n++] = status_names[i];
	names[n] = NULL;
	q->is_pending = !(bits & ~PENDING);
	q->who = who;
	q->held = f->held_only;
	q->after = f->after;
	status = tw_host_visible(s, who, &q->visible, &q->nvisible,
	    &q->sees_all, err);
	if (status != TW_OK)
		return status;
	if (q->nvisible)
		qsort(q->visible, q->nvisible, sizeof *q->visible, compare);
	q->statuses = tw_json_names(names);
	if (!q->statuses)
		return tw_err_nomem(err);
	return f->hosts ? find_nums(q, s, f->hosts, err) : TW_OK;
}

static enum tw_status bind(struct tw_store *s, const struct query *q,
    const char *sql, int64_t num, struct tw_stmt **st, struct tw_err *err)
{
	enum tw_status status;

	status = tw_tenant_stmt(s, q->who, sql, st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(*st, 2, num);
	tw_stmt_text(*st, 3, q->statuses);
	tw_stmt_int(*st, 4, q->held);
	return TW_OK;
}

/* Rows of a statement that is bound, behind the *n that are there. */
static enum tw_status add_rows(struct tw_stmt *st, struct tw_change *rows,
    size_t *n, struct tw_err *err)
{
	enum tw_status status;

	while ((status = tw_stmt_step(st, err)) == TW_OK) {
		memset(&rows[*n], 0, sizeof *rows);
		status = read_row(st, &rows[*n], err);
		++*n;
		if (status != TW_OK) {
			tw_stmt_reset(st);
			return status;
		}
	}
	return status == TW_NO ? TW_OK : status;
}

/* No more of those that a statement looks at: those behind them, if any. */
static enum tw_status skip_rows(struct tw_store *s, struct query *q,
    bool *is_last, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tenant_stmt(s, q->who, next_sql, &st, err);
	if (status != TW_OK)
		return status;
	return tw_look_behind(st, &q->after, is_last, err);
}

/* The next page into rows[TW_PAGE_ROWS]; *is_last: none comes behind it. */
static enum tw_status read_page(struct tw_store *s, struct query *q,
    struct tw_change *rows, size_t *n, bool *is_last, struct tw_err *err)
{
	enum tw_status status = TW_OK;
	struct tw_stmt *st;

	*n = 0;
	if (!q->has_nums) {
		status = bind(s, q, q->is_pending ? pending_sql : all_sql,
		    q->after, &st, err);
		if (status != TW_OK)
			return status;
		tw_stmt_int(st, 5, TW_PAGE_ROWS);
		if (!q->is_pending)
			tw_stmt_int(st, 6, TW_LOOK_ROWS);
		status = add_rows(st, rows, n, err);
		if (status == TW_OK && !q->is_pending && *n < TW_PAGE_ROWS)
			return skip_rows(s, q, is_last, err);
		if (*n)
			q->after = rows[*n - 1].num;
		*is_last = *n < TW_PAGE_ROWS;
		return status;
	}
	while (status == TW_OK && *n < TW_PAGE_ROWS && q->at < q->nums.n) {
		status = bind(s, q, one_sql, q->nums.v[q->at++], &st, err);
		if (status == TW_OK)
			status = add_rows(st, rows, n, err);
	}
	*is_last = q->at == q->nums.n;
	return status;
}

enum tw_status tw_change_each(struct tw_store *s, const struct tw_who *who,
    const struct tw_change_filter *f,
    enum tw_status (*fn)(void *arg, const struct tw_change *c,
    struct tw_err *err), void *arg, struct tw_err *err)
{
	struct tw_change *rows;
	struct query q = { 0 };
	enum tw_status status;
	bool is_last = false;
	size_t i, n;

	rows = calloc(TW_PAGE_ROWS, sizeof *rows);
	status = rows ? query_init(&q, s, who, f, err) : tw_err_nomem(err);
	while (status == TW_OK && !is_last) {
		status = read_page(s, &q, rows, &n, &is_last, err);
		for (i = 0; i < n; i++) {
			if (status == TW_OK && is_visible(&q, &rows[i]))
				status = fn(arg, &rows[i], err);
			tw_change_release(&rows[i]);
		}
	}
	free(rows);
	free(q.statuses);
	free(q.nums.v);
	free(q.visible);
	return status;
}

/* --- the queue before one ---------------------------------------------- */

/* The index of the host's queue holds all that is counted. */
#define BEFORE \
	" FROM change WHERE host_id = h.id" \
	"    AND status IN ('queued', 'running') AND status = 'queued'" \
	"    AND (joins, id) < (?2, ?3)" \
	"    AND (not_before IS NULL OR not_before <= ?4)"
static const char ahead_sql[] =
    "SELECT coalesce(r.num, (SELECT num" BEFORE " ORDER BY joins, id"
    "    LIMIT 1)), (r.id IS NOT NULL) + (SELECT count(*)" BEFORE ")"
    " FROM host h LEFT JOIN change r ON r.host_id = h.id"
    "    AND r.status = 'running' AND r.id <> ?3"
    " WHERE h.org_id = ?1 AND h.id = ?5";
enum { AHEAD_NUM, AHEAD_COUNT };

enum tw_status tw_change_ahead(struct tw_store *s, const struct tw_who *who,
    const struct tw_change *c, int64_t now, int64_t *count, int64_t *first,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	*count = *first = 0;
	if (c->status != TW_CHANGE_QUEUED)
		return TW_OK;
	status = tw_tenant_stmt(s, who, ahead_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, c->joins);
	tw_stmt_int(st, 3, c->id);
	tw_stmt_int(st, 4, now);
	tw_stmt_int(st, 5, c->host_id);
	status = tw_stmt_step(st, err);
	if (status != TW_OK)
		return status == TW_NO ? TW_OK : status;
	*first = tw_stmt_col_int(st, AHEAD_NUM);
	*count = tw_stmt_col_int(st, AHEAD_COUNT);
	tw_stmt_reset(st);
	return TW_OK;
}
