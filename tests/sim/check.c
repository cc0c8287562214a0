/*
 * check.c - the invariants of towerify(7), held against what happens
 *
 * What steps did is judged by what the hosts did, not by what the tower says of
 * it; what the tower says is compared with that at the end.  The audit trail is
 * judged by the rows that a transaction changes, just before it commits.
 */
#include "sim.h"

#include <assert.h>

#include "base/clock.h"
#include "store/store_private.h"

#define LATE (3 * SECOND)	/* at most, where nothing is in the way */
#define ACTS_MAX 8000		/* of one transaction */

/* --- 1 to 4: from the hosts ------------------------------------------------------ */

/* Its executor may have died before it began what it had written down. */
static bool was_announced(const struct job *j, int64_t k)
{
	for (int64_t i = 0; i < j->nevents; i++)
		if (j->events[i].word == TW_EV_RUN && j->events[i].k == k)
			return true;
	return false;
}

/* 1: one step at a time.  3: an attempt starts once.  4: what was begun is
 * undone, in reverse, once. */
void check_phase(const struct phase *p)
{
	const struct host *h = p->job->host;
	struct filed *f = p->job->filed;
	const char *part = part_names[p->part];

	if (h->nphases > 0)
		broken(1, "%s: %s of step %" PRId64 " of change %" PRId64
		    " while a %s of change %" PRId64 " runs", h->name, part,
		    p->k, f->num, part_names[h->phases[0]->part],
		    h->phases[0]->job->change);
	if (p->part != PART_UNDO && f->last_undo)
		broken(4, "%s: %s of step %" PRId64 " of change %" PRId64
		    " after an undo", h->name, part, p->k, f->num);
	if (p->part == PART_RUN) {
		if (p->attempt <= f->ran[p->k] || p->k < f->last_run)
			broken(3, "%s: attempt %" PRId64 " of step %" PRId64
			    " of change %" PRId64 " starts again", h->name,
			    p->attempt, p->k, f->num);
		f->ran[p->k] = p->attempt;
		f->last_run = p->k;
	} else if (p->part == PART_UNDO) {
		if (!f->ran[p->k] && !was_announced(p->job, p->k))
			broken(4, "%s: step %" PRId64 " of change %" PRId64
			    " is undone, but never ran", h->name, p->k, f->num);
		if (f->undone[p->k]++ ||
		    (f->last_undo && p->k >= f->last_undo))
			broken(4, "%s: step %" PRId64 " of change %" PRId64
			    " is undone again, or out of order", h->name, p->k,
			    f->num);
		f->last_undo = p->k;
	}
}

/* A host that has lost all it knew, a person who accepts that, and a state from
 * before: it is as if it had never run. */
static void forget_runs(struct filed *f)
{
	memset(f->ran, 0, sizeof f->ran);
	memset(f->undone, 0, sizeof f->undone);
	f->last_run = f->last_undo = 0;
	f->has_begun = false;
	f->lost_output = true;
}

/* 3: a host takes a change once, and no number of a queue twice, nor an older
 * one, whatever copy of the state it comes from. */
void check_accepted(struct job *j, const struct proc *sender)
{
	struct filed *f = j->filed;
	const struct known *k = sender->life == sender->tower->life ?
	    tower_knows(sender->tower, f) : NULL;

	if (k && k->was_cancelled)
		broken(3, "change %" PRId64 " was cancelled, and %s accepts it",
		    f->num, j->host->name);
	if (f->job && !f->job->is_wiped)
		broken(3, "change %" PRId64 " is accepted again by %s", f->num,
		    j->host->name);
	for (const struct job *o = j->next; o; o = o->next)
		if (!o->is_wiped && strcmp(o->queue, j->queue) == 0 &&
		    (o->seq >= j->seq || o->epoch > j->epoch))
			broken(3, "%s accepts %" PRId64 ".%" PRId64 " after %"
			    PRId64 ".%" PRId64, j->host->name, j->epoch, j->seq,
			    o->epoch, o->seq);
	if (f->job && f->job->tower_life != j->tower_life)
		forget_runs(f);
	f->job = j;
}

/* --- what the state says, as it was last committed ----------------------------------- */

struct touched {
	int64_t id;
	struct touched *next;
};

struct watch {			/* of one state */
	char (*held)[24];	/* by the index of the host: by whom */
	int64_t last_seq;
};

static struct touched *touched, *touched_hosts;
static int64_t new_seq;

static struct news {			/* of the transaction under way */
	int64_t num;
	struct seen now;
} *news;
static int nnews, news_cap;
static struct { int host; char by[24]; } *host_news;
static int nhost_news;

static char (*want)[64], (*got)[64];	/* acts: "change.end 12" */
static int nwant, ngot;

static void on_update(void *arg, int op, const char *db, const char *table,
    sqlite3_int64 id)
{
	struct touched **list = strcmp(table, "change") == 0 ? &touched :
	    strcmp(table, "host") == 0 ? &touched_hosts : NULL, *t;

	(void)arg;
	(void)op;
	(void)db;
	if (!list || (*list && (*list)->id == id))
		return;
	t = calloc(1, sizeof *t);
	assert(t);
	t->id = id;
	t->next = *list;
	*list = t;
}

static struct watch *watch_new(void)
{
	struct watch *w = calloc(1, sizeof *w);

	assert(w);
	w->held = calloc((size_t)nhosts, sizeof *w->held);
	assert(w->held);
	return w;
}

struct watch *check_copy(const struct watch *from)
{
	struct watch *w = watch_new();

	memcpy(w->held, from->held, (size_t)nhosts * sizeof *w->held);
	w->last_seq = from->last_seq;
	return w;
}

void check_watch(struct tw_store *s)
{
	sqlite3_update_hook(s->db, on_update, NULL);
	if (!tower->watch)
		tower->watch = watch_new();
	if (news)
		return;
	news_cap = known_max() + 100;
	news = calloc((size_t)news_cap, sizeof *news);
	host_news = calloc((size_t)nhosts, sizeof *host_news);
	want = calloc(ACTS_MAX, sizeof *want);
	got = calloc(ACTS_MAX, sizeof *got);
	assert(news && host_news && want && got);
}

static struct tw_stmt *ask(struct tw_store *s, const char *sql, int64_t id)
{
	struct tw_err err = { 0 };
	struct tw_stmt *st;

	if (tw_stmt_get(s, sql, &st, &err))
		broken(0, "the checker: %s", err.msg);
	tw_stmt_int(st, 1, id);
	return st;
}

static bool more(struct tw_stmt *st)
{
	struct tw_err err = { 0 };
	enum tw_status status = tw_stmt_step(st, &err);

	if (status != TW_OK && status != TW_NO)
		broken(0, "the checker: %s", err.msg);
	return status == TW_OK;
}

/* --- 7: no act without its row, no row without its act --------------------------------- */

__attribute__((format(printf, 1, 2)))
static void expect(const char *fmt, ...)
{
	va_list ap;

	assert(nwant < ACTS_MAX);
	va_start(ap, fmt);
	vsnprintf(want[nwant++], sizeof *want, fmt, ap);
	va_end(ap);
}

static const char change_sql[] =
    "SELECT num, status, accepted IS NOT NULL AND doubt = 0,"
    " cancel_by IS NOT NULL,"
    " coalesce(reason, '') FROM change WHERE id = ?1";
static const char steps_sql[] =
    "SELECT k, state, coalesce(undo_state, '') FROM step WHERE change_id = ?1";

static bool is_one_of(const char *word, const char *list)
{
	const char *p = word[0] ? strstr(list, word) : NULL;

	return p && p[-1] == ' ' && p[strlen(word)] == ' ';
}

static void expect_of_steps(struct tw_store *s, int64_t id, struct news *n)
{
	struct tw_stmt *st = ask(s, steps_sql, id);
	const struct seen *old = &tower->known[n->num].seen;
	int64_t k;

	while (more(st)) {
		k = tw_stmt_col_int(st, 0);
		n->now.step[k].has_ended = is_one_of(tw_stmt_col_text(st, 1),
		    " done unchanged failed timed-out interrupted ");
		n->now.step[k].is_undone = is_one_of(tw_stmt_col_text(st, 2),
		    " done failed timed-out interrupted impossible ");
		if (n->now.step[k].has_ended && !old->step[k].has_ended)
			expect("step.end %" PRId64, n->num);
		if (n->now.step[k].is_undone && !old->step[k].is_undone)
			expect("step.undone %" PRId64, n->num);
	}
}

static void expect_of_status(const struct news *n, const char *reason)
{
	const struct seen *old = &tower->known[n->num].seen, *now = &n->now;
	const char *s = now->status;
	struct known *k = &tower->known[n->num];

	if (!old->status[0])
		expect("change.file %" PRId64, n->num);
	if (now->is_accepted && !old->is_accepted)
		expect("change.accept %" PRId64, n->num);
	if (now->is_cancelled && !old->is_cancelled)
		expect("change.cancel %" PRId64, n->num);
	if (strcmp(old->status, s) == 0)
		return;
	if (strcmp(s, "running") == 0) {
		expect("change.start %" PRId64, n->num);
		if (k->filed->is_bobs && !tower->bob_may)
			broken(0, "change %" PRId64 " starts, though bob may no "
			    "longer", n->num);
		if (!k->claimed) {
			k->claimed = nfiled;
			k->claim_clock = tw_clock_now();
		}
	} else if (strcmp(s, "unknown") == 0) {
		expect("change.abandon %" PRId64, n->num);
	} else if (strcmp(old->status, "queued") == 0) {
		expect("change.%s %" PRId64, strcmp(reason, "expired") == 0 ?
		    "expire" : "cancel", n->num);
	} else if (strcmp(s, "queued") != 0) {
		expect("change.end %" PRId64, n->num);
	}
	if (is_one_of(old->status, " succeeded rolled-back failed cancelled "
	    "unknown "))
		broken(5, "change %" PRId64 " was %s and becomes %s", n->num,
		    old->status, s);
}

static void look_at_change(struct tw_store *s, int64_t id)
{
	struct tw_stmt *st = ask(s, change_sql, id);
	struct news *n = &news[nnews];
	char reason[60];

	if (!more(st))
		return;
	memset(n, 0, sizeof *n);
	n->num = tw_stmt_col_int(st, 0);
	snprintf(n->now.status, sizeof n->now.status, "%s",
	    tw_stmt_col_text(st, 1));
	n->now.is_accepted = tw_stmt_col_int(st, 2);
	n->now.is_cancelled = tw_stmt_col_int(st, 3);
	snprintf(reason, sizeof reason, "%s", tw_stmt_col_text(st, 4));
	tw_stmt_reset(st);
	for (int i = 0; i < nnews; i++)
		if (news[i].num == n->num)
			return;
	assert(n->num < news_cap && nnews + 1 < news_cap);
	nnews++;
	expect_of_status(n, reason);
	expect_of_steps(s, id, n);
}

static const char host_sql[] =
    "SELECT name, coalesce(held_by, ''), coalesce(held_reason, '')"
    " FROM host WHERE id = ?1";

static void look_at_host(struct tw_store *s, int64_t id)
{
	struct tw_stmt *st = ask(s, host_sql, id);
	struct host *h;
	char by[24];

	if (!more(st))
		return;
	h = host_find(tw_stmt_col_text(st, 0));
	snprintf(by, sizeof by, "%s", tw_stmt_col_text(st, 1));
	/* 5: whoever waits knows what for */
	if (by[0] && !tw_stmt_col_text(st, 2)[0])
		broken(5, "%s is held for no reason", h->name);
	tw_stmt_reset(st);
	for (int i = 0; i < nhost_news; i++)
		if (host_news[i].host == h->index)
			return;
	host_news[nhost_news].host = h->index;
	memcpy(host_news[nhost_news++].by, by, sizeof by);
	if (strcmp(by, tower->watch->held[h->index]) != 0)
		expect("host.%s %s", by[0] ? "hold" : "release", h->name);
}

static const char audit_sql[] =
    "SELECT seq, action, coalesce(change_num, 0), coalesce(host, '')"
    " FROM audit WHERE chain <> 0 AND seq > ?1 ORDER BY seq";

static void read_audit(struct tw_store *s)
{
	struct tw_stmt *st = ask(s, audit_sql, tower->watch->last_seq);
	const char *action;

	new_seq = tower->watch->last_seq;
	while (more(st)) {
		new_seq = tw_stmt_col_int(st, 0);
		action = tw_stmt_col_text(st, 1);
		assert(ngot < ACTS_MAX);
		if (strncmp(action, "change.", 7) == 0 ||
		    strncmp(action, "step.", 5) == 0)
			snprintf(got[ngot++], sizeof *got, "%s %" PRId64,
			    action, tw_stmt_col_int(st, 2));
		else if (is_one_of(action, " host.hold host.release "))
			snprintf(got[ngot++], sizeof *got, "%s %s", action,
			    tw_stmt_col_text(st, 3));
	}
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

void check_commit(struct tw_store *s)
{
	int i;

	if (!tower->watch)	/* the state that all begin with is made */
		return;
	nwant = ngot = nnews = nhost_news = 0;
	for (struct touched *t = touched; t; t = t->next)
		look_at_change(s, t->id);
	for (struct touched *t = touched_hosts; t; t = t->next)
		look_at_host(s, t->id);
	read_audit(s);
	qsort(want, (size_t)nwant, sizeof *want, compare);
	qsort(got, (size_t)ngot, sizeof *got, compare);
	for (i = 0; i < nwant || i < ngot; i++) {
		if (i < nwant && (i >= ngot || strcmp(want[i], got[i]) < 0))
			broken(7, "no audit row of %s", want[i]);
		if (i >= nwant || strcmp(want[i], got[i]) != 0)
			broken(7, "an audit row of %s, which did not happen",
			    got[i]);
	}
}

static void forget(struct touched **list)
{
	struct touched *t;

	while ((t = *list)) {
		*list = t->next;
		free(t);
	}
}

void check_committed(void)
{
	if (!tower->watch)
		return;
	for (int i = 0; i < nnews; i++)
		tower->known[news[i].num].seen = news[i].now;
	for (int i = 0; i < nhost_news; i++)
		memcpy(tower->watch->held[host_news[i].host], host_news[i].by,
		    sizeof *tower->watch->held);
	nnews = nhost_news = 0;
	tower->watch->last_seq = new_seq;
	forget(&touched);
	forget(&touched_hosts);
}

/* --- 2 and 8: when a change begins ------------------------------------------------------ */

bool is_pending(const struct known *k)
{
	return strcmp(k->seen.status, "queued") == 0 ||
	    strcmp(k->seen.status, "running") == 0;
}

/* Was g there to be taken, when the other was? */
static bool was_due(const struct filed *g, const struct known *k)
{
	return g - filed < k->claimed && g->not_before <= k->claim_clock &&
	    (!g->not_after || g->not_after > k->claim_clock);
}

static void check_order(const struct tower *t, const struct filed *f)
{
	const struct known *k = tower_knows(t, f), *other;
	const struct filed *g;

	if (!k)
		return;
	for (int i = 1; i <= t->nknown; i++) {
		other = &t->known[i];
		g = other->filed;
		if (g->host != f->host || g == f || g->has_begun ||
		    !is_pending(other) || !was_due(g, k))
			continue;
		if (g->joins < f->joins ||
		    (g->joins == f->joins && g->num < f->num))
			broken(2, "%s: change %" PRId64 " starts before %"
			    PRId64 ", which had joined before it",
			    f->host->name, f->num, g->num);
	}
}

/* A host with which nothing is wrong waits for no other. */
static void check_late(const struct tower *t, const struct filed *f)
{
	const struct host *h = f->host;
	int64_t since = f->ready;

	if (!h->is_healthy || sim.is_large || !t->runner ||
	    (f->not_before && sim.jumped))
		return;
	if (since < h->last_end)
		since = h->last_end;
	if (since < h->last_spoilt)
		since = h->last_spoilt;
	if (since < last_busy)
		since = last_busy;
	if (since < t->runner->born)
		since = t->runner->born;
	if (since < sim.jumped)
		since = sim.jumped;
	if (sim.now - since > LATE)
		broken(8, "%s: change %" PRId64 " starts %" PRId64 " ms after "
		    "it could have", h->name, f->num, sim.now - since);
}

/* An executor that died before its first event has begun nothing. */
static bool has_acted(const struct job *j)
{
	for (int k = 1; k <= STEPS_MAX; k++)
		for (int part = 0; part < PARTS; part++)
			if (j->used[k][part] > 0)
				return true;
	return j->filed->job != j;
}

void check_begins(struct job *j)
{
	struct filed *f = j->filed;

	if (f->has_begun && !f->was_wiped && has_acted(j))
		broken(3, "change %" PRId64 " begins again on %s", f->num,
		    j->host->name);
	for (const struct tower *t = towers; t < towers + TOWERS; t++) {
		if (t->life != j->tower_life)
			continue;
		if (!sim.is_large)
			check_order(t, f);
		check_late(t, f);
	}
	f->has_begun = true;
}
