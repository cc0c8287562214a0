/*
 * metrics.c - the whole tower in numbers; see metrics.h
 *
 * Nothing here reads the history: how changes ended is counted as they end, by
 * a trigger of the schema.
 */
#include "model/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "model/model_private.h"

/* ?1 now */
static const char orgs_sql[] =
    "SELECT o.id, o.name,"
    "    (SELECT count(*) FROM change c WHERE c.org_id = o.id"
    "        AND c.status IN ('queued', 'running')"
    "        AND c.status = 'queued'),"
    "    (SELECT count(*) FROM change c WHERE c.org_id = o.id"
    "        AND c.status IN ('queued', 'running')"
    "        AND c.status = 'running'),"
    "    (SELECT min(c.joins) FROM change c JOIN host h ON h.id = c.host_id"
    "        WHERE c.org_id = o.id AND c.status IN ('queued', 'running')"
    "        AND c.status = 'queued' AND c.joins <= ?1"
    "        AND h.held_reason IS NULL)"
    " FROM org o WHERE o.removed IS NULL ORDER BY o.name";
enum { ORG_ID, ORG_NAME, ORG_QUEUED, ORG_RUNNING, ORG_OLDEST };

static const char hosts_sql[] =
    "SELECT org_id, name, held_reason IS NOT NULL,"
    "    coalesce(held_by = 'tower', 0), failures, last_seen"
    " FROM host each_host WHERE revoked IS NULL";
enum { HOST_ORG, HOST_NAME, HOST_HELD, HOST_BY_TOWER, HOST_FAILURES,
	HOST_SEEN };

static const char tally_sql[] =
    "SELECT org_id, status, changes, ran, wait, run, retries FROM tally";
enum { TALLY_ORG, TALLY_STATUS, TALLY_CHANGES, TALLY_RAN, TALLY_WAIT,
	TALLY_RUN, TALLY_RETRIES };

static const char output_sql[] = "SELECT output FROM usage";

static enum tw_status read_org(struct tw_stmt *st, void *to,
    struct tw_err *err)
{
	struct tw_metrics_org *o = to;

	o->id = tw_stmt_col_int(st, ORG_ID);
	o->queued = tw_stmt_col_int(st, ORG_QUEUED);
	o->running = tw_stmt_col_int(st, ORG_RUNNING);
	o->oldest = tw_stmt_col_int(st, ORG_OLDEST);
	return tw_col_dup(st, ORG_NAME, &o->name) ? TW_OK : tw_err_nomem(err);
}

static struct tw_metrics_org *org_of(const struct tw_metrics *m, int64_t id)
{
	size_t i;

	for (i = 0; i < m->norgs; i++)
		if (m->orgs[i].id == id)
			return &m->orgs[i];
	return NULL;
}

static enum tw_status add_host(struct tw_metrics *m, size_t *cap,
    struct tw_stmt *st, struct tw_err *err)
{
	struct tw_metrics_org *o = org_of(m, tw_stmt_col_int(st, HOST_ORG));
	bool is_held = tw_stmt_col_int(st, HOST_HELD) != 0;
	struct tw_metrics_host *more, *h;

	if (!o)
		return TW_OK;
	if (m->nhosts == *cap) {
		*cap = *cap ? *cap * 2 : 64;
		more = reallocarray(m->hosts, *cap, sizeof *more);
		if (!more)
			return tw_err_nomem(err);
		m->hosts = more;
	}
	h = &m->hosts[m->nhosts];
	memset(h, 0, sizeof *h);
	if (!tw_col_dup(st, HOST_NAME, &h->name))
		return tw_err_nomem(err);
	m->nhosts++;
	h->org = (size_t)(o - m->orgs);
	h->is_held = is_held;
	h->failures = tw_stmt_col_int(st, HOST_FAILURES);
	h->last_seen = tw_stmt_col_int(st, HOST_SEEN);
	o->hosts++;
	if (is_held && tw_stmt_col_int(st, HOST_BY_TOWER))
		o->held_by_tower++;
	else if (is_held)
		o->held_by_people++;
	return TW_OK;
}

static enum tw_status add_tally(struct tw_metrics *m, size_t *cap,
    struct tw_stmt *st, struct tw_err *err)
{
	struct tw_metrics_org *o = org_of(m, tw_stmt_col_int(st, TALLY_ORG));
	enum tw_change_status status;
	struct tw_metrics_end *end;

	(void)cap;
	if (!o)
		return TW_OK;
	if (!tw_change_status_parse(tw_stmt_col_text(st, TALLY_STATUS),
	    &status))
		return tw_err_set(err, TW_CONFIG,
		    "a change has the unknown status '%s'",
		    tw_stmt_col_text(st, TALLY_STATUS));
	end = &o->ends[status];
	end->changes = tw_stmt_col_int(st, TALLY_CHANGES);
	end->ran = tw_stmt_col_int(st, TALLY_RAN);
	end->wait = tw_stmt_col_int(st, TALLY_WAIT);
	end->run = tw_stmt_col_int(st, TALLY_RUN);
	o->retries += tw_stmt_col_int(st, TALLY_RETRIES);
	return TW_OK;
}

/* Each row of a statement to add(). */
static enum tw_status read_rows(struct tw_store *s, const char *sql,
    struct tw_metrics *m, enum tw_status (*add)(struct tw_metrics *m,
    size_t *cap, struct tw_stmt *st, struct tw_err *err), struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;
	size_t cap = 0;

	status = tw_stmt_get(s, sql, &st, err);
	if (status != TW_OK)
		return status;
	while ((status = tw_stmt_step(st, err)) == TW_OK) {
		status = add(m, &cap, st, err);
		if (status != TW_OK) {
			tw_stmt_reset(st);
			return status;
		}
	}
	return status == TW_NO ? TW_OK : status;
}

static enum tw_status read_orgs(struct tw_store *s, struct tw_metrics *m,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;
	void *rows = NULL;

	status = tw_stmt_get(s, orgs_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, tw_clock_now());
	status = tw_rows_read(st, sizeof *m->orgs, read_org, &rows, &m->norgs,
	    err);
	m->orgs = rows;
	return status;
}

static enum tw_status read_output(struct tw_store *s, struct tw_metrics *m,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, output_sql, &st, err);
	if (status == TW_OK)
		status = tw_stmt_one(st, err);
	if (status != TW_OK)
		return status;
	m->output = tw_stmt_col_int(st, 0);
	tw_stmt_reset(st);
	return TW_OK;
}

static int by_place(const void *a, const void *b)
{
	const struct tw_metrics_host *x = a, *y = b;

	if (x->org != y->org)
		return x->org < y->org ? -1 : 1;
	return strcmp(x->name, y->name);
}

static enum tw_status read_all(struct tw_store *s, struct tw_metrics *m,
    struct tw_err *err)
{
	enum tw_status status;

	status = read_orgs(s, m, err);
	if (status == TW_OK)
		status = read_rows(s, hosts_sql, m, add_host, err);
	if (status == TW_OK)
		status = read_rows(s, tally_sql, m, add_tally, err);
	if (status == TW_OK)
		status = read_output(s, m, err);
	if (m->nhosts)
		qsort(m->hosts, m->nhosts, sizeof *m->hosts, by_place);
	return status;
}

enum tw_status tw_metrics_read(struct tw_store *s, const struct tw_who *who,
    struct tw_metrics *out, struct tw_err *err)
{
	enum tw_status status;

	memset(out, 0, sizeof *out);
	if (who->is_gated && !who->is_admin)
		return tw_err_set(err, TW_DENIED, "%s may not use metrics: "
		    "they are about the whole tower", who->login);
	status = read_all(s, out, err);
	if (status != TW_OK)
		tw_metrics_release(out);
	return status;
}

void tw_metrics_release(struct tw_metrics *m)
{
	size_t i;

	for (i = 0; i < m->norgs; i++)
		free(m->orgs[i].name);
	for (i = 0; i < m->nhosts; i++)
		free(m->hosts[i].name);
	free(m->orgs);
	free(m->hosts);
	memset(m, 0, sizeof *m);
}
