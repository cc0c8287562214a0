/* why.c - what a change waits for, in words; see tower.h */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "tower.h"

static void say_time(struct tw_buf *out, const char *what, int64_t t)
{
	char text[TW_TIME_MAX];

	tw_time_local(t, text);
	tw_buf_addf(out, "%s%s", tw_text(what), text);
}

static void why_held(const struct tw_host *h, struct tw_buf *out)
{
	tw_buf_addf(out, tw_text("%s is held"), h->name);
	say_time(out, N_(" since "), h->held_since);
	tw_buf_addf(out, tw_text(" by %s: %s"),
	    h->held_by ? h->held_by : "tower", h->held_reason ?
	    h->held_reason : tw_text("no reason given"));
}

/* A step that waits until the tower gets in by a new connection. */
static enum tw_status why_confirming(struct tower *t,
    const struct tw_change *c, struct tw_buf *out, struct tw_err *err)
{
	struct tw_step *steps = NULL;
	enum tw_status st;
	size_t n = 0, i;

	st = tw_change_steps(t->store, &t->who, c->id, &steps, &n, err);
	for (i = 0; i < n; i++) {
		if (strcmp(steps[i].state, "confirming") != 0)
			continue;
		say_time(out,
		    N_(", which is undone unless the tower gets in to "
		    "confirm it before "), steps[i].awaited +
		    steps[i].confirm);
	}
	tw_step_list_free(steps, n);
	return st;
}

static enum tw_status why_running(struct tower *t, const struct tw_change *c,
    const struct tw_host *h, struct tw_buf *out, struct tw_err *err)
{
	enum tw_status st = TW_OK;

	if (!c->accepted) {
		say_time(out, N_("it was to start at "), c->started);
		tw_buf_adds(out, tw_text(", but its host has not taken it "
		    "yet"));
	} else {
		say_time(out, N_("it runs since "), c->started);
		if (c->cur_step > 0)
			tw_buf_addf(out, c->in_undo ?
			    tw_text(", undoing step %" PRId64 " of %" PRId64) :
			    tw_text(", step %" PRId64 " of %" PRId64),
			    c->cur_step, c->nsteps);
		st = why_confirming(t, c, out, err);
	}
	if (c->cancel_by)
		tw_buf_addf(out, tw_text("; %s asked to cancel it"),
		    c->cancel_by);
	if (h->held_reason) {
		tw_buf_adds(out, "; ");
		why_held(h, out);
	} else if (h->failures) {
		tw_buf_addf(out, tw_text("; %s can't be reached"), h->name);
		if (h->last_error)
			tw_buf_addf(out, ": %s", h->last_error);
		say_time(out, N_("; next attempt at "), h->next_attempt);
	}
	return st;
}

static enum tw_status why_queued(struct tower *t, const struct tw_change *c,
    const struct tw_host *h, struct tw_buf *out, struct tw_err *err)
{
	int64_t now = tw_clock_now(), ahead = 0, first = 0;
	enum tw_status st;

	if (c->not_before > now) {
		say_time(out, N_("it joins the queue at "), c->not_before);
		return TW_OK;
	}
	if (h->held_reason) {
		why_held(h, out);
		return TW_OK;
	}
	if (!h->spool_id) {
		tw_buf_addf(out, tw_text("the tower has never logged in to "
		    "%s: run towerify-host check %s"), h->name, h->name);
		return TW_OK;
	}
	st = tw_change_ahead(t->store, &t->who, c, now, &ahead, &first, err);
	if (st)
		return st;
	if (ahead > 0) {
		tw_buf_addf(out, tw_text_n("it waits behind %" PRId64 " other "
		    "on %s, first change %" PRId64, "it waits behind %" PRId64
		    " others on %s, first change %" PRId64,
		    (unsigned long)ahead), ahead, h->name, first);
	} else if (h->failures) {
		tw_buf_addf(out, tw_text("%s can't be reached: %s"), h->name,
		    h->last_error ? h->last_error : tw_text("unknown"));
		say_time(out, N_("; next attempt at "), h->next_attempt);
	} else {
		say_time(out, N_("it is next on its host and waits for a pass "
		    "(towerify-run), since "), c->joins);
	}
	if (c->not_after)
		say_time(out, N_("; it expires at "), c->not_after);
	return TW_OK;
}

static void why_ended(const struct tw_change *c, struct tw_buf *out)
{
	tw_buf_addf(out, tw_text("it ended: %s"), tw_text_in(TW_TEXT_WORD,
	    tw_change_status_name(c->status)));
	say_time(out, N_(" at "), c->ended);
	if (c->reason)
		tw_buf_addf(out, ": %s", c->reason);
}

enum tw_status tower_why(struct tower *t, const struct tw_change *c,
    struct tw_buf *out, struct tw_err *err)
{
	struct tw_host h = { 0 };
	enum tw_status st;

	if (tw_change_status_is_ended(c->status)) {
		why_ended(c, out);
		return tw_buf_check(out, err);
	}
	st = tw_host_get(t->store, &t->who, c->host_name, &h, err);
	if (st)
		return st;
	if (c->status == TW_CHANGE_RUNNING)
		st = why_running(t, c, &h, out, err);
	else
		st = why_queued(t, c, &h, out, err);
	tw_host_release(&h);
	return st ? st : tw_buf_check(out, err);
}
