/*
 * hosts.c - one host's records from the first to the last: one step at a time,
 *           in turn, once, and undone in reverse
 */
#include "judge.h"

#include <string.h>

#define TRIES_MAX 3		/* of a step with the letter r */

/* What of the phase that last began has not ended; none: change 0. */
static struct record open_phase, broken_off;
static struct change *current;
static int64_t last_at, latest_join;
static int latest_id;

static bool is_same_phase(const struct record *a, const struct record *b)
{
	return a->change == b->change && a->step == b->step &&
	    a->part == b->part;
}

static void complain(int invariant, const struct host *h,
    const struct record *r, const char *what)
{
	broken(invariant, "%s, record %d: %s %s of step %d of change %d: %s",
	    h->name, (int)(r - h->records) + 1, part_names[r->part],
	    word_names[r->word], r->step, r->change, what);
}

bool has_trouble(const struct change *c)
{
	for (int k = 1; k <= c->program->nsteps; k++)
		if (c->at[k].has_failed || (c->at[k].runs &&
		    step_is(c, k, 't')))
			return true;
	return c->was_asked;
}

static bool is_done(const struct change *c, int k)
{
	return c->at[k].has_run || c->at[k].holds;
}

bool is_complete(const struct change *c)
{
	for (int k = 1; k <= c->program->nsteps; k++)
		if (!is_done(c, k))
			return false;
	return true;
}

/* --- 1 -------------------------------------------------------------------------- */

/* A cancel ends a check or a run, a timeout a run; nothing ends an undo. */
static bool may_break_off(const struct record *r)
{
	const struct change *c = &changes[r->change];

	return r->part != PART_UNDO && (c->was_asked ||
	    (r->part == PART_RUN && step_is(c, r->step, 't')));
}

static void check_alone(const struct host *h, const struct record *r)
{
	if (r->at < last_at)
		complain(1, h, r, "earlier than what stands before it");
	last_at = r->at;
	if (r->word == WORD_BEGIN) {
		if (r->is_taken)
			complain(1, h, r, "another one's processes live");
		if (open_phase.change && !may_break_off(&open_phase))
			complain(1, h, r, "the one before has not ended");
		broken_off = open_phase;
		open_phase = *r;
		return;
	}
	if (open_phase.change && is_same_phase(r, &open_phase)) {
		if (r->word != WORD_MID)
			open_phase.change = 0;
	} else if (broken_off.change && is_same_phase(r, &broken_off)) {
		complain(1, h, r, "it goes on, though another began");
	} else {
		complain(1, h, r, "it did not begin");
	}
}

/* --- 2 -------------------------------------------------------------------------- */

static void check_turn(const struct host *h, const struct record *r,
    struct change *c)
{
	if (c == current)
		return;
	current = c;
	if (c->seen_on) {
		complain(1, h, r, "another change came between");
		return;
	}
	c->seen_on = h;
	c->seen_at = r->at;
	c->job = r->job;
	if (c->join_end < latest_join)
		broken(2, "%s: change %d starts after change %d, but was there"
		    " before it", h->name, c->id, latest_id);
	if (c->join_begin > latest_join) {
		latest_join = c->join_begin;
		latest_id = c->id;
	}
	if (r->at < c->join_begin)
		broken(2, "%s: change %d starts before it joins", h->name,
		    c->id);
}

/* --- 3 --------------------------------------------------------------------------- */

/* Whether its records can be judged at all. */
static bool check_known(const struct host *h, const struct record *r)
{
	const struct change *c = r->change > 0 && r->change < nchanges ?
	    &changes[r->change] : NULL;
	bool is_known = c && c->program && c->host;

	if (!is_known)
		complain(3, h, r, "nobody filed it");
	else if (strcmp(c->host, h->name) != 0)
		complain(3, h, r, "it was filed for another host");
	else if (c->was_cancelled)
		complain(3, h, r, "it was cancelled in the queue");
	else if (c->job && strcmp(c->job, r->job) != 0)
		complain(3, h, r, "it is another job than before");
	if (is_known && (r->step < 1 || r->step > c->program->nsteps)) {
		complain(3, h, r, "there is no such step");
		is_known = false;
	}
	return is_known;
}

static bool is_turn(const struct change *c, int k)
{
	for (int j = 1; j < k; j++)
		if (!is_done(c, j))
			return false;
	for (int j = k + 1; j <= c->program->nsteps; j++)
		if (c->at[j].attempts || c->at[j].checks)
			return false;
	return true;
}

static void check_check(const struct host *h, const struct record *r,
    struct change *c)
{
	struct progress *p = &c->at[r->step];

	if (r->word == WORD_BEGIN) {
		if (c->last_undo)
			complain(4, h, r, "after an undo");
		if (!is_turn(c, r->step))
			complain(3, h, r, "it is not its turn");
		/* before each attempt, and after what ended well */
		if (++p->checks > (step_is(c, r->step, 'r') ? TRIES_MAX + 1 :
		    2) || (p->holds && step_is(c, r->step, 'h')))
			complain(3, h, r, "again");
	} else if (r->word == WORD_END && step_is(c, r->step, 'h')) {
		p->holds = true;
	}
}

static void check_run(const struct host *h, const struct record *r,
    struct change *c)
{
	struct progress *p = &c->at[r->step];
	bool tries_again = p->has_failed && !p->runs &&
	    step_is(c, r->step, 'r') && p->attempts < TRIES_MAX;

	if (r->word == WORD_BEGIN) {
		if (c->last_undo)
			complain(4, h, r, "after an undo");
		if (!is_turn(c, r->step) || p->holds)
			complain(3, h, r, "it is not its turn");
		if (p->attempts > 0 && !tries_again)
			complain(3, h, r, "it starts again");
		p->attempts++;
		p->runs = true;
		p->has_failed = false;
	} else if (r->word != WORD_MID) {
		p->runs = false;
		p->has_run = r->word == WORD_END;
		p->has_failed = r->word == WORD_FAIL;
	}
}

/* --- 4 ----------------------------------------------------------------------------- */

static bool was_next(const struct change *c, int k)
{
	return c->was_asked && !c->at[k].attempts && !c->at[k].holds &&
	    is_turn(c, k);
}

static void check_undo(const struct host *h, const struct record *r,
    struct change *c)
{
	struct progress *p = &c->at[r->step];

	if (r->word != WORD_BEGIN) {
		p->undo_ended = r->word != WORD_MID;
		p->undo_failed = r->word == WORD_FAIL;
		return;
	}
	if (p->is_undone)
		complain(4, h, r, "again");
	else if (c->last_undo && r->step >= c->last_undo)
		complain(4, h, r, "not in reverse");
	else if (!p->attempts && !was_next(c, r->step))
		complain(4, h, r, "it never ran");
	else if (!has_trouble(c))
		complain(4, h, r, "nothing had failed");
	p->is_undone = true;
	c->last_undo = r->step;
}

/* What was begun is undone when something went wrong, and only then. */
static void check_whole(const struct change *c)
{
	bool is_wanted = !is_complete(c) || c->last_undo;

	for (int k = 1; k <= c->program->nsteps; k++) {
		const struct progress *p = &c->at[k];

		if (is_wanted && p->attempts && !p->is_undone &&
		    !step_is(c, k, 'n'))
			broken(4, "%s: step %d of change %d ran and was not "
			    "undone", c->host, k, c->id);
		if (p->is_undone && !p->undo_ended)
			broken(4, "%s: the undo of step %d of change %d never "
			    "ended", c->host, k, c->id);
	}
	if (!is_complete(c) && !has_trouble(c))
		broken(4, "%s: change %d stopped half-way", c->host, c->id);
}

/* --- all ----------------------------------------------------------------------------- */

static void judge_record(const struct host *h, const struct record *r)
{
	struct change *c;

	if (!check_known(h, r))
		return;
	c = &changes[r->change];
	check_turn(h, r, c);
	check_alone(h, r);
	if (r->part == PART_CHECK)
		check_check(h, r, c);
	else if (r->part == PART_RUN)
		check_run(h, r, c);
	else
		check_undo(h, r, c);
}

/* On a host that is held one change may start: it was on its way. */
static void check_holds(const struct host *h)
{
	int64_t from, to;
	int n, last;

	for (size_t i = 0; i < nacts; i++) {
		if (!people_hold(&acts[i], &from, &to) ||
		    strcmp(acts[i].words[1], h->name) != 0)
			continue;
		n = last = 0;
		for (int id = 1; id < nchanges; id++)
			if (changes[id].seen_on == h &&
			    changes[id].seen_at > from &&
			    changes[id].seen_at < to) {
				n++;
				last = id;
			}
		if (n > 1)
			broken(2, "%s: %d changes start though it is held, "
			    "as %d", h->name, n, last);
	}
}

void judge_host(const struct host *h)
{
	memset(&open_phase, 0, sizeof open_phase);
	memset(&broken_off, 0, sizeof broken_off);
	current = NULL;
	last_at = latest_join = 0;
	latest_id = 0;
	for (size_t i = 0; i < h->n; i++)
		judge_record(h, &h->records[i]);
	if (open_phase.change && !may_break_off(&open_phase))
		broken(1, "%s: what began last never ended", h->name);
	for (int id = 1; id < nchanges; id++)
		if (changes[id].seen_on == h)
			check_whole(&changes[id]);
	check_holds(h);
}
