/*
 * visit_stream.c - the runner and a host's stream: events into the change's
 *                  state, output into records, a verdict into its end
 *
 * Every event must be possible where the change stands (automaton.c); a host
 * whose journal says otherwise is held.
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "engine/runner_private.h"

#define CUT_MAX (INT64_C(1) << 60)	/* bytes; a host may say anything */

static void report_step(struct visit *v, int64_t k, bool undo)
{
	const struct tw_auto_step *st = &v->auto_steps[k];
	struct tw_report rep = {
		.kind = undo ? TW_REPORT_UNDO : TW_REPORT_STEP,
		.host_id = v->host.id,
		.host = v->host.name,
		.change = v->change.num,
		.title = v->change.title,
		.k = k,
		.n = v->change.nsteps,
		.step = v->steps[k - 1].name,
		.started = v->change.started,
		.active = v->runner->active,
		.waiting = v->runner->waiting,
	};

	if (undo) {
		rep.state = st->undone == TW_STEP_WAITING ? "running" :
		    tw_step_state_name(st->undone);
		rep.code = v->live[k].undo_code;
	} else {
		rep.state = tw_step_state_name(st->state);
		rep.code = v->live[k].code;
	}
	if (v->runner->o.report)
		v->runner->o.report(v->runner->o.arg, &rep);
}

void visit_save_position(struct visit *v)
{
	tw_contact_position(v->contact, &v->change.life, &v->change.offset,
	    &v->change.next_event);
	v->heard = v->change.offset;
	/* what the mask holds back is to be heard again, should this end here */
	if (v->mask)
		v->change.offset -= visit_mask_back(v);
}

/* When the host booted, by our clock.  It says whole seconds of its own, and is
 * heard after it spoke: what was heard at once tells more. */
static int64_t boot_time(const struct tw_event *life)
{
	int64_t told = life->epoch_s * 1000 + 999, heard = tw_clock_now();

	return (heard < told ? heard : told) - life->t * 10;
}

/* The host's word for when, within what is possible. */
static int64_t when(const struct visit *v, const struct tw_event *ev)
{
	int64_t now = tw_clock_now(), at = ev->t * 10 + v->change.clock;

	if (at < v->change.started)
		at = v->change.started;
	return at > now ? now : at;
}

void visit_end_change(struct visit *v, enum tw_change_status status,
    const char *reason, const char *hold_reason)
{
	v->has_ended = true;
	v->end_status = status;
	snprintf(v->end_reason, sizeof v->end_reason, "%s",
	    reason ? reason : "");
	if (hold_reason)
		snprintf(v->hold, sizeof v->hold, "change %" PRId64 ": %s",
		    v->change.num, hold_reason);
	record_soon(v, true);
}

/* "step 2 'front page': run failed, exit status 1" of the first bad step. */
static void describe(const struct visit *v, char *out, size_t size)
{
	const struct tw_auto_step *st = NULL;
	const struct live_step *l;
	int64_t k;
	int n;

	out[0] = '\0';
	for (k = 1; k <= v->change.nsteps; k++) {
		st = &v->auto_steps[k];
		if (st->state == TW_STEP_FAILED ||
		    st->state == TW_STEP_TIMED_OUT ||
		    st->state == TW_STEP_INTERRUPTED)
			break;
	}
	if (v->automaton.cancelled || (v->change.cancel_by &&
	    (k > v->change.nsteps || st->state == TW_STEP_INTERRUPTED))) {
		snprintf(out, size, "cancelled by %s",
		    v->change.cancel_by ? v->change.cancel_by : "an operator");
		return;
	}
	if (k > v->change.nsteps)
		return;
	l = &v->live[k];
	if (strcmp(l->decided, "confirm") == 0) {
		snprintf(out, size, "step %" PRId64 " '%s': not confirmed "
		    "within %" PRId64 " s", k, v->steps[k - 1].name,
		    v->steps[k - 1].confirm / 1000);
		return;
	}
	n = snprintf(out, size, "step %" PRId64 " '%s': %s %s", k,
	    v->steps[k - 1].name, l->decided, tw_step_state_name(st->state));
	if (l->code > 0 && n > 0 && (size_t)n < size)
		snprintf(out + n, size - (size_t)n,
		    l->code > 128 ? ", killed by signal %" PRId64 :
		    ", exit status %" PRId64,
		    l->code > 128 ? l->code - 128 : l->code);
}

/* Which undos are missing, for the reason of a failed change. */
static void describe_undos(const struct visit *v, char *out, size_t size)
{
	const struct tw_auto_step *st;
	size_t n = strlen(out);
	int64_t k;
	int w;

	for (k = v->change.nsteps; k > 0; k--) {
		st = &v->auto_steps[k];
		if (!st->ran || st->undo == TW_BACK_NOTHING ||
		    st->undone == TW_STEP_DONE)
			continue;
		w = snprintf(out + n, size - n, "%sundo of step %" PRId64
		    " %s", n ? "; " : "", k, tw_step_state_name(st->undone));
		if (w < 0 || (size_t)w >= size - n)
			return;
		n += (size_t)w;
	}
}

static void on_verdict(struct visit *v, const struct tw_event *ev)
{
	char text[sizeof v->end_reason];

	describe(v, text, sizeof text);
	switch (ev->verdict) {
	case TW_VERDICT_SUCCEEDED:
		visit_end_change(v, TW_CHANGE_SUCCEEDED, NULL, NULL);
		break;
	case TW_VERDICT_ROLLED_BACK:
		visit_end_change(v, TW_CHANGE_ROLLED_BACK, text,
		    v->change.hold_after_failure ? text : NULL);
		break;
	default:
		describe_undos(v, text, sizeof text);
		visit_end_change(v, TW_CHANGE_FAILED, text, text);
		break;
	}
}

static void on_step_event(struct visit *v, const struct tw_event *ev)
{
	struct live_step *l = &v->live[ev->k];
	bool is_undo = ev->word == TW_EV_UNDO || ev->word == TW_EV_UNDONE;
	int64_t at = when(v, ev);

	v->change.cur_step = ev->k;
	v->change.in_undo = is_undo;
	switch (ev->word) {
	case TW_EV_START:
		l->started = at;
		break;
	case TW_EV_TRY:
	case TW_EV_END:
		memcpy(l->decided, ev->phase, sizeof l->decided);
		l->code = ev->code;
		if (ev->word == TW_EV_END)
			l->ended = at;
		break;
	case TW_EV_AWAIT:
		l->awaited = at;
		break;
	case TW_EV_UNDO:
		l->undo_started = at;
		break;
	case TW_EV_UNDONE:
		l->undo_code = ev->code;
		l->undo_ended = at;
		if (!l->undo_started)
			l->undo_started = at;
		break;
	default:
		break;
	}
	record_step(v, ev->k, ev->word == TW_EV_END ||
	    ev->word == TW_EV_UNDONE, is_undo);
	report_step(v, ev->k, is_undo);
	if (ev->word == TW_EV_END && v->automaton.state == TW_AUTO_UNDO)
		v->change.in_undo = true;
}

void visit_on_event(void *arg, const struct tw_event *ev)
{
	struct visit *v = arg;

	if (v->state != VISIT_ASKED || v->has_ended)
		return;
	if (v->mask)
		visit_mask_event(v, ev);
	if (!tw_automaton_apply(&v->automaton, ev)) {
		char text[200];

		snprintf(text, sizeof text, "the host's journal says '%s' of "
		    "step %" PRId64 " while it was %s: not possible",
		    tw_event_word_name(ev->word), ev->k,
		    tw_auto_state_name(v->automaton.state));
		visit_hold(v, text);
		return;
	}
	v->progressed = true;
	if (ev->word == TW_EV_LIFE)
		v->change.clock = boot_time(ev);
	else if (ev->word == TW_EV_VERDICT)
		on_verdict(v, ev);
	else if (ev->word != TW_EV_CANCEL)
		on_step_event(v, ev);
	else
		v->change.in_undo = v->automaton.state == TW_AUTO_UNDO;
	visit_save_position(v);
	record_soon(v, ev->word == TW_EV_AWAIT);
}

static struct live_step *output_step(struct visit *v)
{
	return v->change.cur_step > 0 &&
	    v->change.cur_step <= v->change.nsteps ?
	    &v->live[v->change.cur_step] : NULL;
}

void visit_keep_output(void *arg, const char *p, size_t n)
{
	struct visit *v = arg;
	struct live_step *l = output_step(v);
	/* the host keeps to the cap for the run and for the undo; one that
	 * does not gets no more than both and some */
	int64_t cap = v->runner->o.output_limit, room;

	if (!l)			/* before the first step: nobody's */
		return;
	/* what was begun under another limit has at least the usual one */
	if (cap < TW_OUTPUT_CAP)
		cap = TW_OUTPUT_CAP;
	room = 2 * cap + cap / 8 - l->kept;
	if (room < (int64_t)n) {
		if (l->cut < CUT_MAX)
			l->cut += (int64_t)n - (room > 0 ? room : 0);
		n = room > 0 ? (size_t)room : 0;
	}
	l->kept += (int64_t)n;
	if (n > 0)
		record_output(v, p, n, 0);
}

void visit_on_output(void *arg, const char *p, size_t n)
{
	struct visit *v = arg;

	if (v->state != VISIT_ASKED || !v->has_change || v->has_ended)
		return;
	v->progressed = true;
	if (v->mask)
		visit_mask_output(v, p, n);
	else
		visit_keep_output(v, p, n);
	visit_save_position(v);
	record_soon(v, false);
}

void visit_on_cut(void *arg, int64_t bytes)
{
	struct visit *v = arg;
	struct live_step *l = output_step(v);

	if (v->state != VISIT_ASKED || !l || v->has_ended)
		return;
	if (v->mask) {
		tw_mask_end(v->mask, true);
		tw_mask_after_cut(v->mask);
	}
	if (bytes > CUT_MAX - l->cut)
		bytes = CUT_MAX - l->cut;
	l->cut += bytes;
	visit_save_position(v);
	record_output(v, "", 0, bytes);
}
