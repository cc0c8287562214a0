/*
 * history.c - what ran where and when; see history.h
 *
 * Ended changes are walked from the latest end backwards by the index
 * change_ended: what is read lies in the time that is asked for.
 */
#include "model/history.h"

#include <stdlib.h>
#include <string.h>

#include "model/audit_private.h"
#include "model/change_private.h"

#define COLUMNS \
	"SELECT c.id, c.num, c.status, c.joins, c.started, c.ended," \
	"    c.retry_of IS NOT NULL, c.host_name, o.login, c.title, c.app," \
	"    c.reason, (SELECT sum(s.attempts - 1) FROM step s" \
	"        WHERE s.change_id = c.id AND s.attempts > 1)"
enum { ID, NUM, STATUS, JOINS, STARTED, ENDED, IS_RETRY, HOST, OPERATOR,
	TITLE, APP, REASON, RETRIES };

static const char ended_sql[] =
    COLUMNS " FROM change c JOIN operator o ON o.id = c.operator_id"
    " WHERE c.org_id = ?1 AND c.ended >= ?2 AND (c.ended, c.id) < (?3, ?4)"
    " ORDER BY c.ended DESC, c.id DESC LIMIT ?5";
/* one a host */
static const char running_sql[] =
    COLUMNS " FROM change c INDEXED BY change_running"
    " JOIN operator o ON o.id = c.operator_id"
    " WHERE c.org_id = ?1 AND c.status = 'running' ORDER BY c.started DESC";

struct row {
	int64_t id;
	struct tw_history_change c;
};

static void rows_free(struct row *rows, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		free(rows[i].c.host);
		free(rows[i].c.operator);
		free(rows[i].c.title);
		free(rows[i].c.app);
		free(rows[i].c.reason);
	}
	free(rows);
}

static enum tw_status read_row(struct tw_stmt *st, void *to,
    struct tw_err *err)
{
	struct row *r = to;
	bool ok;

	if (!tw_change_status_parse(tw_stmt_col_text(st, STATUS),
	    &r->c.status))
		return tw_err_set(err, TW_CONFIG,
		    "a change has the unknown status '%s'",
		    tw_stmt_col_text(st, STATUS));
	r->id = tw_stmt_col_int(st, ID);
	r->c.num = tw_stmt_col_int(st, NUM);
	r->c.joins = tw_stmt_col_int(st, JOINS);
	r->c.started = tw_stmt_col_int(st, STARTED);
	r->c.ended = tw_stmt_col_int(st, ENDED);
	r->c.retries = tw_stmt_col_int(st, RETRIES);
	r->c.is_retry = tw_stmt_col_int(st, IS_RETRY) != 0;
	ok = tw_col_dup(st, HOST, &r->c.host);
	ok &= tw_col_dup(st, OPERATOR, &r->c.operator);
	ok &= tw_col_dup(st, TITLE, &r->c.title);
	ok &= tw_col_dup(st, APP, &r->c.app);
	ok &= tw_col_dup(st, REASON, &r->c.reason);
	return ok ? TW_OK : tw_err_nomem(err);
}

struct walk {
	const struct tw_history_filter *f;
	const char **hosts;	/* sorted, or NULL: any */
	size_t nhosts;
	enum tw_status (*fn)(void *arg, const struct tw_history_change *c,
	    struct tw_err *err);
	void *arg;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum tw_status sort_hosts(struct walk *w, struct tw_err *err)
{
	const char *const *names = w->f->hosts;

	if (!names)
		return TW_OK;
	while (names[w->nhosts])
		w->nhosts++;
	w->hosts = calloc(w->nhosts + 1, sizeof *w->hosts);
	if (!w->hosts)
		return tw_err_nomem(err);
	memcpy(w->hosts, names, w->nhosts * sizeof *w->hosts);
	qsort(w->hosts, w->nhosts, sizeof *w->hosts, by_name);
	return TW_OK;
}

static bool is_wanted(const struct walk *w, const struct tw_history_change *c)
{
	const struct tw_history_filter *f = w->f;

	if (f->is_running && (!c->started ||
	    (f->until && c->started >= f->until)))
		return false;
	return !w->hosts || bsearch(&c->host, w->hosts, w->nhosts,
	    sizeof *w->hosts, by_name);
}

/* Reads a statement that is bound, and tells of its rows; *n is how many there
 * were, *last the last one's place. */
static enum tw_status tell(struct walk *w, struct tw_stmt *st, size_t *n,
    int64_t *ended, int64_t *id, struct tw_err *err)
{
	enum tw_status status;
	void *all = NULL;
	struct row *rows;
	size_t i;

	status = tw_rows_read(st, sizeof *rows, read_row, &all, n, err);
	rows = all;
	for (i = 0; status == TW_OK && i < *n; i++) {
		*ended = rows[i].c.ended;
		*id = rows[i].id;
		if (is_wanted(w, &rows[i].c))
			status = w->fn(w->arg, &rows[i].c, err);
	}
	rows_free(rows, *n);
	return status;
}

static enum tw_status tell_ended(struct tw_store *s, const struct tw_who *who,
    struct walk *w, struct tw_err *err)
{
	int64_t id = 0, ended = INT64_MAX;
	enum tw_status status = TW_OK;
	struct tw_stmt *st;
	size_t n = TW_PAGE_ROWS;

	if (w->f->until && !w->f->is_running)
		ended = w->f->until;
	while (status == TW_OK && n == TW_PAGE_ROWS) {
		status = tw_tenant_stmt(s, who, ended_sql, &st, err);
		if (status != TW_OK)
			break;
		tw_stmt_int(st, 2, w->f->since);
		tw_stmt_int(st, 3, ended);
		tw_stmt_int(st, 4, id);
		tw_stmt_int(st, 5, TW_PAGE_ROWS);
		status = tell(w, st, &n, &ended, &id, err);
	}
	return status;
}

enum tw_status tw_history_each(struct tw_store *s, const struct tw_who *who,
    const struct tw_history_filter *f,
    enum tw_status (*fn)(void *arg, const struct tw_history_change *c,
    struct tw_err *err), void *arg, struct tw_err *err)
{
	struct walk w = { .f = f, .fn = fn, .arg = arg };
	int64_t ended, id;
	enum tw_status status;
	struct tw_stmt *st;
	size_t n;

	status = tw_audit_may(s, who, false, err);
	if (status == TW_OK)
		status = sort_hosts(&w, err);
	if (status == TW_OK && f->is_running) {
		status = tw_tenant_stmt(s, who, running_sql, &st, err);
		if (status == TW_OK)
			status = tell(&w, st, &n, &ended, &id, err);
	}
	if (status == TW_OK)
		status = tell_ended(s, who, &w, err);
	free(w.hosts);
	return status;
}
