/* event.c - what hooks are to be told, and what they were; see event.h */
#include "model/event.h"

#include <stdlib.h>
#include <string.h>

#include "model/change_private.h"
#include "model/org.h"

#define PAUSE_MIN INT64_C(60000)	/* ms until a hook is told again */
#define PAUSE_MAX INT64_C(3600000)
#define TAIL_CHUNKS 64			/* of output, looked at for its end */

static const char add_sql[] =
    "INSERT INTO event (org_id, at, what, host, change_id, reason)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

enum tw_status tw_event_add(struct tw_store *s, int64_t org_id,
    const char *what, const char *host, int64_t change_id, const char *reason,
    int64_t now, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, add_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, org_id);
	tw_stmt_int(st, 2, now);
	tw_stmt_text(st, 3, what);
	tw_stmt_text(st, 4, host);
	if (change_id)
		tw_stmt_int(st, 5, change_id);
	tw_stmt_text(st, 6, reason);
	return tw_stmt_run(st, err);
}

/* --- whose turn it is ---------------------------------------------------- */

static const char next_sql[] =
    "SELECT e.id, h.value FROM event e CROSS JOIN json_each(?1) h"
    " WHERE (?2 = 0 OR e.org_id = ?2) AND NOT EXISTS (SELECT 1"
    "    FROM delivery d WHERE d.event_id = e.id AND d.hook = h.value"
    "    AND (d.next IS NULL OR d.next > ?3))"
    " AND e.id NOT IN (SELECT value FROM json_each(?4))"
    " ORDER BY e.id, h.key LIMIT 1";

enum tw_status tw_event_next(struct tw_store *s, int64_t org_id,
    const char *const *hooks, const int64_t *busy, size_t nbusy, int64_t now,
    int64_t *id, char **hook, struct tw_err *err)
{
	char *names = tw_json_names(hooks), *ids = tw_json_ids(busy, nbusy);
	enum tw_status status;
	struct tw_stmt *st;

	*hook = NULL;
	status = names && ids ? tw_stmt_get(s, next_sql, &st, err) :
	    tw_err_nomem(err);
	if (status == TW_OK) {
		tw_stmt_text(st, 1, names);
		tw_stmt_int(st, 2, org_id);
		tw_stmt_int(st, 3, now);
		tw_stmt_text(st, 4, ids);
		status = tw_stmt_step(st, err);
	}
	if (status == TW_OK) {
		*id = tw_stmt_col_int(st, 0);
		if (!tw_col_dup(st, 1, hook))
			status = tw_err_nomem(err);
		tw_stmt_reset(st);
	}
	free(names);
	free(ids);
	return status;
}

/* --- loaded --------------------------------------------------------------- */

static const char load_sql[] =
    "SELECT e.org_id, e.at, e.what, e.host, e.change_id, e.reason,"
    "    h.held_reason, h.held_by FROM event e"
    " LEFT JOIN host h ON h.org_id = e.org_id AND h.name = e.host"
    " WHERE e.id = ?1";
enum { LOAD_ORG, LOAD_AT, LOAD_WHAT, LOAD_HOST, LOAD_CHANGE, LOAD_REASON,
	LOAD_HELD, LOAD_HELD_BY };

static enum tw_status load_row(struct tw_store *s, struct tw_event *e,
    int64_t *change_id, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, load_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, e->id);
	status = tw_stmt_step(st, err);
	if (status != TW_OK)
		return status;
	e->org_id = tw_stmt_col_int(st, LOAD_ORG);
	e->at = tw_stmt_col_int(st, LOAD_AT);
	*change_id = tw_stmt_col_int(st, LOAD_CHANGE);
	if (!tw_col_dup(st, LOAD_WHAT, &e->what) ||
	    !tw_col_dup(st, LOAD_HOST, &e->host) ||
	    !tw_col_dup(st, LOAD_REASON, &e->reason) ||
	    !tw_col_dup(st, LOAD_HELD, &e->held_reason) ||
	    !tw_col_dup(st, LOAD_HELD_BY, &e->held_by))
		status = tw_err_nomem(err);
	tw_stmt_reset(st);
	return status;
}

static const char tail_sql[] =
    "SELECT data FROM (SELECT id, data FROM output WHERE change_id = ?1"
    "    AND k = ?2 AND phase = 'do' ORDER BY id DESC LIMIT ?3) ORDER BY id";

static enum tw_status load_tail(struct tw_store *s, struct tw_event *e,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;
	const void *p;
	size_t n;

	status = tw_stmt_get(s, tail_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, e->change.id);
	tw_stmt_int(st, 2, e->step.k);
	tw_stmt_int(st, 3, TAIL_CHUNKS);
	while ((status = tw_stmt_step(st, err)) == TW_OK) {
		p = tw_stmt_col_blob(st, 0, &n);
		tw_buf_add(&e->output, p, n);
		if (e->output.len > TW_EVENT_TAIL)
			tw_buf_drop(&e->output, e->output.len - TW_EVENT_TAIL);
	}
	return status == TW_NO ? tw_buf_check(&e->output, err) : status;
}

static enum tw_status load_change(struct tw_store *s, int64_t id,
    struct tw_event *e, struct tw_err *err)
{
	enum tw_status status;
	size_t i;

	status = tw_change_load(s, id, &e->change, err);
	if (status != TW_OK)
		return status;
	e->has_change = true;
	status = tw_change_steps(s, NULL, id, &e->steps, &e->nsteps, err);
	for (i = 0; status == TW_OK && i < e->nsteps && !e->step.k; i++)
		if (strcmp(e->steps[i].state, "failed") == 0 ||
		    strcmp(e->steps[i].state, "timed-out") == 0 ||
		    strcmp(e->steps[i].state, "interrupted") == 0)
			e->step = e->steps[i];
	if (status == TW_OK && e->step.k)
		status = load_tail(s, e, err);
	return status;
}

enum tw_status tw_event_load(struct tw_store *s, int64_t id,
    struct tw_event *out, struct tw_err *err)
{
	int64_t change_id = 0;
	enum tw_status status;

	memset(out, 0, sizeof *out);
	out->id = id;
	status = load_row(s, out, &change_id, err);
	if (status == TW_OK)
		status = tw_org_name(s, out->org_id, &out->org, err);
	if (status == TW_OK && change_id)
		status = load_change(s, change_id, out, err);
	if (status != TW_OK)
		tw_event_release(out);
	return status;
}

void tw_event_release(struct tw_event *e)
{
	free(e->what);
	free(e->org);
	free(e->host);
	free(e->reason);
	free(e->held_reason);
	free(e->held_by);
	if (e->has_change)
		tw_change_release(&e->change);
	tw_step_list_free(e->steps, e->nsteps);
	tw_buf_release(&e->output);
	memset(e, 0, sizeof *e);
}

/* --- noted ------------------------------------------------------------------ */

static const char tries_sql[] =
    "SELECT tries FROM delivery WHERE event_id = ?1 AND hook = ?2";

static enum tw_status get_tries(struct tw_store *s, int64_t id,
    const char *hook, int64_t *out, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	*out = 0;
	status = tw_stmt_get(s, tries_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, id);
	tw_stmt_text(st, 2, hook);
	status = tw_stmt_step(st, err);
	if (status == TW_OK) {
		*out = tw_stmt_col_int(st, 0);
		tw_stmt_reset(st);
	}
	return status == TW_NO ? TW_OK : status;
}

static const char put_sql[] =
    "INSERT OR REPLACE INTO delivery (event_id, hook, tries, next)"
    " VALUES (?1, ?2, ?3, ?4)";

static enum tw_status put(struct tw_store *s, int64_t id, const char *hook,
    int64_t tries, int64_t next, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, put_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, id);
	tw_stmt_text(st, 2, hook);
	tw_stmt_int(st, 3, tries);
	tw_stmt_time(st, 4, next);
	return tw_stmt_run(st, err);
}

static const char drop_sql[] =
    "DELETE FROM event WHERE id = ?1 AND NOT EXISTS (SELECT 1"
    "    FROM json_each(?2) h WHERE NOT EXISTS (SELECT 1 FROM delivery d"
    "    WHERE d.event_id = event.id AND d.hook = h.value"
    "    AND d.next IS NULL))";

static enum tw_status drop_told(struct tw_store *s, int64_t id,
    const char *const *hooks, struct tw_err *err)
{
	char *names = tw_json_names(hooks);
	enum tw_status status;
	struct tw_stmt *st;

	status = names ? tw_stmt_get(s, drop_sql, &st, err) :
	    tw_err_nomem(err);
	if (status == TW_OK) {
		tw_stmt_int(st, 1, id);
		tw_stmt_text(st, 2, names);
		status = tw_stmt_run(st, err);
	}
	free(names);
	return status;
}

static enum tw_status note(struct tw_store *s, const struct tw_event *e,
    const char *hook, const char *why, bool is_temporary, int64_t now,
    bool *is_news, struct tw_err *err)
{
	int64_t tries = 0, pause = PAUSE_MIN, i;
	enum tw_status status;

	status = get_tries(s, e->id, hook, &tries, err);
	if (status != TW_OK)
		return status;
	for (i = 0; i < tries && pause < PAUSE_MAX; i++)
		pause *= 2;
	if (pause > PAUSE_MAX)
		pause = PAUSE_MAX;
	if (now + pause >= e->at + TW_EVENT_LIFE)
		is_temporary = false;
	*is_news = why && (!is_temporary || tries == 0);
	status = put(s, e->id, hook, tries + 1, why && is_temporary ?
	    now + pause : 0, err);
	if (status == TW_OK && *is_news)
		status = tw_change_record(s, e->org_id, TW_TOWER, e->host,
		    e->has_change ? e->change.num : 0, "hook.fail", now,
		    tw_audit_detail("hook", hook, "event", e->what, "why", why,
		    "again", is_temporary ? "yes" : NULL, (char *)NULL), err);
	return status;
}

enum tw_status tw_event_note(struct tw_store *s, const struct tw_event *e,
    const char *hook, const char *const *hooks, const char *why,
    bool is_temporary, int64_t now, bool *is_news, struct tw_err *err)
{
	enum tw_status status;
	struct tw_tx tx;

	*is_news = false;
	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = note(s, e, hook, why, is_temporary, now, is_news, err);
	if (status == TW_OK)
		status = drop_told(s, e->id, hooks, err);
	return tw_tx_end(&tx, status, err);
}

static const char any_sql[] =
    "SELECT 1 FROM event WHERE (?1 = 0 OR org_id = ?1) LIMIT 1";
static const char clear_sql[] =
    "DELETE FROM event WHERE (?1 = 0 OR org_id = ?1)";

enum tw_status tw_event_clear(struct tw_store *s, int64_t org_id,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;
	struct tw_tx tx;

	status = tw_stmt_get(s, any_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, org_id);
	status = tw_stmt_step(st, err);
	if (status != TW_OK)
		return status == TW_NO ? TW_OK : status;
	tw_stmt_reset(st);
	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = tw_run_int(s, clear_sql, org_id, err);
	return tw_tx_end(&tx, status, err);
}
