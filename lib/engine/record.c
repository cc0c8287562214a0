/*
 * record.c - the runner's writes, in groups
 *
 * The host's journal is the durable copy until a verdict is acknowledged, so
 * events and output are gathered in memory and written together: after 50 ms,
 * 256 events or 1 MiB; what must not wait (accepted, verdicts) with the loop's
 * next group (runner.c).  No transaction is open while anything is waited for.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/runner_private.h"

#define FLUSH_MS 50
#define FLUSH_AGAIN_MS 250	/* the state was busy */
#define FLUSH_EVENTS 256
#define FLUSH_BYTES (1024 * 1024)
#define CHUNK 65536	/* bytes of a row of output, at most */
#define CHUNK_MIN 2048	/* room for small writes to join */

static void on_flush(uv_timer_t *t)
{
	struct runner *r = t->data;

	r->flush_set = false;
	record_flush(r);
	runner_turn(r);
}

static void set_timer(struct runner *r, int ms)
{
	if (r->flush_set)
		return;
	r->flush_set = true;
	uv_timer_start(&r->flush, on_flush, (uint64_t)ms, 0);
}

void record_soon(struct visit *v, bool urgent)
{
	struct runner *r = v->runner;

	if (!v->dirty)
		TAILQ_INSERT_TAIL(&r->dirty, v, unwritten);
	v->dirty = true;
	if (urgent || r->pending_events >= FLUSH_EVENTS ||
	    r->pending_bytes >= FLUSH_BYTES)
		r->urgent = true;
	else
		set_timer(r, FLUSH_MS);
}

static struct record *add(struct visit *v, size_t room)
{
	struct record *rec = calloc(1, sizeof *rec + room);

	if (!rec) {
		struct tw_err err = { 0 };

		tw_err_nomem(&err);
		runner_fail(v->runner, &err);
		return NULL;
	}
	if (!v->first)
		v->last = &v->first;
	*v->last = rec;
	v->last = &rec->next;
	return rec;
}

/* The last record, when it is output of the same place with room left. */
static struct record *tail_of(struct visit *v, size_t n, int64_t cut)
{
	struct record *rec = v->first;

	while (rec && rec->next)
		rec = rec->next;
	if (!rec || rec->what != RECORD_OUTPUT || cut || rec->len + n > rec->cap ||
	    rec->k != v->change.cur_step || rec->in_undo != v->change.in_undo)
		return NULL;
	return rec;
}

/* Output of the step under way; what passes the cap was counted by visit.c. */
void record_output(struct visit *v, const char *p, size_t n, int64_t cut)
{
	struct record *rec;
	size_t take, cap;

	while (n > 0 || cut > 0) {
		rec = tail_of(v, n, cut);
		if (!rec) {
			cap = n < CHUNK_MIN ? CHUNK_MIN : n > CHUNK ? CHUNK : n;
			rec = add(v, cap);
			if (!rec)
				return;
			rec->what = RECORD_OUTPUT;
			rec->cap = cap;
			rec->k = v->change.cur_step;
			rec->in_undo = v->change.in_undo;
			rec->at = tw_clock_now();
			rec->cut = cut;
		}
		take = n < rec->cap - rec->len ? n : rec->cap - rec->len;
		memcpy(rec->data + rec->len, p, take);
		rec->len += take;
		p += take;
		n -= take;
		cut = 0;
		v->runner->pending_bytes += (int64_t)take;
	}
	record_soon(v, false);
}

static const char *undo_state(const struct tw_auto_step *st)
{
	if (st->undone != TW_STEP_WAITING)
		return tw_step_state_name(st->undone);
	return st->undo_begun ? "running" : NULL;
}

/* A snapshot of step k as it stands now. */
void record_step(struct visit *v, int64_t k, bool audit, bool in_undo)
{
	const struct tw_auto_step *a = &v->auto_steps[k];
	const struct live_step *l = &v->live[k];
	struct record *rec = add(v, 0);

	if (!rec)
		return;
	rec->what = RECORD_STEP;
	rec->k = k;
	rec->audit = audit;
	rec->in_undo = in_undo;
	rec->step = v->steps[k - 1];
	rec->step.state = (char *)tw_step_state_name(a->state);
	rec->step.decided = l->decided[0] ? (char *)l->decided : NULL;
	rec->step.code = l->code;
	rec->step.attempts = a->attempts;
	rec->step.started = l->started;
	rec->step.awaited = l->awaited;
	rec->step.ended = l->ended;
	rec->step.undo_state = (char *)undo_state(a);
	rec->step.undo_code = l->undo_code;
	rec->step.undo_started = l->undo_started;
	rec->step.undo_ended = l->undo_ended;
	rec->step.out_cut = l->cut;
	v->runner->pending_events++;
	record_soon(v, false);
}

void record_set_clean(struct visit *v)
{
	if (v->dirty)
		TAILQ_REMOVE(&v->runner->dirty, v, unwritten);
	v->dirty = false;
}

void record_drop(struct visit *v)
{
	struct record *rec;

	while ((rec = v->first)) {
		v->first = rec->next;
		free(rec);
	}
	v->last = &v->first;
}

static enum tw_status write_record(struct tw_store *s, struct visit *v,
    struct record *rec, struct tw_err *err)
{
	enum tw_status st;

	if (rec->what == RECORD_OUTPUT)
		return tw_output_add(s, &v->change, rec->k, rec->in_undo,
		    rec->at, rec->cut, rec->data, rec->len, err);
	if (rec->audit && !rec->in_undo) {
		st = tw_output_hash(s, v->change.id, rec->k,
		    rec->step.out_hash, err);
		if (st)
			return st;
	}
	return tw_step_save(s, &v->change, &rec->step, rec->audit, err);
}

/* With its end.  Once it is told that this is stored, the host raises its fence to
 * the change's number before it looks at anything else: one whose fence is not
 * there by then was put back to before the end. */
static enum tw_status write_end(struct tw_store *s, struct visit *v,
    int64_t now, struct tw_err *err)
{
	enum tw_status st;

	st = tw_change_end(s, &v->change, v->end_status,
	    v->end_reason[0] ? v->end_reason : NULL, now,
	    v->hold[0] ? v->hold : NULL, err);
	if (st || v->token_seq == 0 || v->token_seq > v->change.seq)
		return st;
	return tw_host_answered(s, v->host.id, now, v->token_epoch,
	    v->token_seq, false, err);
}

static enum tw_status write_visit(struct tw_store *s, struct visit *v,
    int64_t now, struct tw_err *err)
{
	struct record *rec;
	enum tw_status st;

	if (v->accepted && !v->change.accepted) {
		st = tw_change_accepted(s, &v->change, now, err);
		if (st)
			return st;
		v->change.accepted = 0;	/* until the commit */
	}
	if (v->answered) {
		st = tw_host_answered(s, v->host.id, now, v->host.fence_epoch,
		    v->host.fence_seq, v->unheld, err);
		if (st)
			return st;
	}
	if (v->let_in) {
		st = tw_successor_let_in(s, &v->successor, now, err);
		if (st)
			return st;
	}
	for (rec = v->first; rec; rec = rec->next) {
		st = write_record(s, v, rec, err);
		if (st)
			return st;
	}
	st = tw_change_save_position(s, &v->change, err);
	if (st || !v->has_ended)
		return st;
	return write_end(s, v, now, err);
}

static void count_end(struct runner *r, const struct visit *v)
{
	struct tw_pass_result *res = r->result;

	switch (v->end_status) {
	case TW_CHANGE_SUCCEEDED:
		res->succeeded++;
		break;
	case TW_CHANGE_ROLLED_BACK:
		res->rolled_back++;
		break;
	case TW_CHANGE_FAILED:
		res->failed++;
		break;
	case TW_CHANGE_CANCELLED:
		res->cancelled++;
		break;
	default:
		res->lost++;
		break;
	}
	res->worst = tw_status_worse(res->worst,
	    tw_change_result(v->end_status));
}

static void written(struct runner *r, struct visit *v)
{
	record_drop(v);
	record_set_clean(v);
	if (v->accepted && !v->change.accepted)
		v->change.accepted = tw_clock_now();
	if (v->let_in)
		v->successor.at = tw_clock_now();
	v->let_in = v->answered = false;
	if (!v->has_ended) {
		visit_confirm(v);
		return;
	}
	count_end(r, v);
	v->has_ended = false;
	v->has_change = false;
	visit_report(v, TW_REPORT_END, v->end_reason);
	if (v->hold[0]) {
		r->result->held++;
		visit_report(v, TW_REPORT_HELD, v->hold);
	}
	visit_over(v);
}

/* Visits from v on (one alone: only that one) in one transaction. */
static enum tw_status write_group(struct tw_store *s, struct visit *v,
    bool alone, struct tw_err *err)
{
	int64_t now = tw_clock_now();
	enum tw_status st;

	st = tw_store_begin(s, err);
	for (; v && !st; v = alone ? NULL : TAILQ_NEXT(v, unwritten))
		st = write_visit(s, v, now, err);
	if (!st)
		st = tw_store_commit(s, err);
	if (st)
		tw_store_rollback(s);
	return st;
}

bool record_was_ended(const struct visit *v)
{
	struct tw_err err = { 0 };
	struct tw_change c = { 0 };
	bool is;

	is = tw_change_load(v->runner->o.store, v->change.id, &c, &err) ==
	    TW_OK && tw_change_status_is_ended(c.status);
	tw_change_release(&c);
	return is;
}

static void forget(struct visit *v)
{
	record_drop(v);
	record_set_clean(v);
	v->has_ended = v->let_in = v->answered = false;
}

void record_leave(struct visit *v)
{
	forget(v);
	visit_over(v);
}

/* What a host said can't be recorded, or its change was ended by a person
 * meanwhile: that visit is over, nobody else's. */
static void give_up(struct visit *v, enum tw_status st,
    const struct tw_err *err)
{
	char text[sizeof v->hold];

	if (st == TW_NO || (st == TW_BUG && record_was_ended(v))) {
		record_leave(v);
		return;
	}
	forget(v);
	snprintf(text, sizeof text, "what the host says can't be recorded: "
	    "%.400s", err->msg);
	visit_hold(v, text);
}

/* A commit that failed because of the disk may be there all the same: when the
 * last sync fails the journal is gone already.  To write these records again
 * might store them twice, so the pass ends, and the next one goes on where the
 * state stands then. */
static void give_all_up(struct runner *r, const struct tw_err *err)
{
	struct visit *v;

	while ((v = TAILQ_FIRST(&r->dirty))) {
		record_drop(v);
		record_set_clean(v);
		v->has_ended = v->answered = false;
		visit_over(v);
	}
	runner_fail(r, err);
}

/* The group failed: each for itself. */
static void write_apart(struct runner *r)
{
	struct visit *v, *next, *last = TAILQ_LAST(&r->dirty, visits);
	struct tw_err err = { 0 };
	enum tw_status st;

	for (v = TAILQ_FIRST(&r->dirty); v && !r->status; v = next) {
		next = v == last ? NULL : TAILQ_NEXT(v, unwritten);
		st = write_group(r->o.store, v, true, &err);
		if (!st)
			written(r, v);
		else if (st == TW_AGAIN)
			set_timer(r, FLUSH_AGAIN_MS);
		else if (st == TW_CONFIG || st == TW_NOMEM)
			give_all_up(r, &err);	/* no matter whose it is */
		else
			give_up(v, st, &err);
	}
}

void record_flush(struct runner *r)
{
	struct visit *v = TAILQ_FIRST(&r->dirty), *next;
	struct visit *last = TAILQ_LAST(&r->dirty, visits);
	struct tw_err err = { 0 };
	enum tw_status st;

	r->urgent = false;
	if (!v)
		return;
	/* a record may be missing, which no position may pass */
	if (r->status) {
		give_all_up(r, &r->err);
		return;
	}
	st = write_group(r->o.store, v, false, &err);
	r->committed = tw_clock_mono();
	if (st == TW_AGAIN) {
		set_timer(r, FLUSH_AGAIN_MS);
		return;
	}
	r->pending_events = r->pending_bytes = 0;
	if (st == TW_CONFIG || st == TW_NOMEM) {
		give_all_up(r, &err);
		return;
	}
	if (st) {
		write_apart(r);
		return;
	}
	for (; v; v = next) {
		/* what that makes dirty again comes with the next group */
		next = v == last ? NULL : TAILQ_NEXT(v, unwritten);
		written(r, v);
	}
}
