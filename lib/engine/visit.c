/*
 * visit.c - the runner and one host: from the first packet to the verdict
 *
 * A visit connects, waits for its turn, claims the head of the host's queue
 * (or takes up the change that runs there), sends it and follows the stream.
 * What it learns goes to record.c; what went wrong is sorted into "again
 * later" (the host's next attempt) and "a person must act" (the host is held).
 * A contact is never closed from within its own calls: the visit is marked
 * over and the runner releases it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/runner_private.h"

#define SILENCE_MS 15000	/* half as much again as between two beats, of a host that
				   follows; before that it has reason to be quiet */

/* --- ends ------------------------------------------------------------------ */

void visit_over(struct visit *v)
{
	struct runner *r = v->runner;

	if (v->state == VISIT_CONNECTING)
		r->connecting--;
	else if (v->state == VISIT_ASKED)
		r->asked--;
	else if (v->state == VISIT_READY)
		TAILQ_REMOVE(&r->ready, v, turn);
	if (v->state != VISIT_OVER)
		TAILQ_INSERT_TAIL(&r->over, v, turn);
	r->ask = true;
	v->state = VISIT_OVER;
}

/* What is pending is written first: the position in the state is then never
 * behind what a later contact assumes. */
static void settle(struct visit *v)
{
	if (v->dirty)
		record_flush(v->runner);
}

/* A failure that was not noted would be tried again at once: this waits longer
 * for a busy state than the loop does.  A host that is gone needs no note. */
static void note(struct visit *v, const char *text, enum tw_status (*fn)(
    struct visit *v, const char *text, struct tw_err *err))
{
	struct tw_store *s = v->runner->o.store;
	struct tw_err err = { 0 };
	enum tw_status st;

	tw_store_busy_limit(s, TW_STORE_BUSY_MS);
	st = fn(v, text, &err);
	tw_store_busy_limit(s, TW_RUNNER_BUSY_MS);
	if (st && st != TW_AGAIN && st != TW_NO)
		runner_fail(v->runner, &err);
}

static enum tw_status note_trouble(struct visit *v, const char *text,
    struct tw_err *err)
{
	return (visit_is_refused(v) ? tw_host_refused : tw_host_unreachable)(
	    v->runner->o.store, v->host.id, tw_clock_now(), text,
	    v->runner->o.delays, err);
}

static enum tw_status note_hold(struct visit *v, const char *text,
    struct tw_err *err)
{
	return tw_host_hold_tower(v->runner->o.store, v->host.id, text, err);
}

void visit_trouble(struct visit *v, const char *said)
{
	char text[TW_ERR_MSG_MAX];

	tw_mask_text(v->forms, said, text, sizeof text);
	settle(v);
	/* where the state was busy it is written after what is noted now, and
	 * would say that the host is well; the next hello brings it again */
	v->answered = false;
	v->runner->result->unreachable++;
	note(v, text, note_trouble);
	visit_report(v, TW_REPORT_TROUBLE, text);
	visit_over(v);
}

/* Nothing is wrong with the host; it is left alone for a while all the same,
 * or this would be tried again at once. */
void visit_own_trouble(struct visit *v, struct tw_err *err)
{
	note(v, err->msg, note_trouble);
	if (v->runner->o.watch)
		visit_report(v, TW_REPORT_TROUBLE, err->msg);
	runner_complain(v->runner, err);
	visit_over(v);
}

void visit_hold(struct visit *v, const char *said)
{
	char text[TW_ERR_MSG_MAX];

	tw_mask_text(v->forms, said, text, sizeof text);
	settle(v);
	note(v, text, note_hold);
	v->runner->result->held++;
	visit_report(v, TW_REPORT_HELD, text);
	visit_over(v);
}

/* Did the host refuse this login, where there is another? */
static bool tries_other(struct visit *v, const char *said)
{
	char text[TW_ERR_MSG_MAX];

	if (!visit_may_try_other(v))
		return false;
	visit_login_text(v, said, text);
	memcpy(v->refused, text, sizeof v->refused);
	v->was_denied = visit_is_refused(v);
	settle(v);
	v->restart = v->try_other = true;
	visit_report(v, TW_REPORT_IDLE, NULL);
	visit_over(v);
	return true;
}

/* The connection is gone in mid-change: at once again when it had brought
 * news, else after the growing delay. */
static void lost(struct visit *v, const char *text)
{
	if (v->state == VISIT_OVER)
		return;
	if (v->progressed && !v->runner->stop) {
		settle(v);
		v->restart = true;
		visit_report(v, TW_REPORT_IDLE, NULL);
		visit_over(v);
		return;
	}
	visit_trouble(v, text);
}

void visit_again(struct visit *v)
{
	settle(v);
	if (v->state == VISIT_OVER)
		return;
	v->restart = true;
	visit_over(v);
}

void visit_confirm(struct visit *v)
{
	if (v->state == VISIT_ASKED && v->has_change &&
	    v->automaton.state == TW_AUTO_CONFIRMING &&
	    v->confirms != v->automaton.k && !v->change.cancel_by)
		visit_again(v);
}

/* Its news may have been cut off with it. */
static bool has_to_confirm(const struct visit *v)
{
	int64_t k;

	if (v->automaton.state >= TW_AUTO_UNDO)
		return false;
	for (k = v->automaton.k; k <= v->automaton.n; k++)
		if (v->auto_steps[k].confirm > 0)
			return true;
	return false;
}

void visit_probe(struct visit *v)
{
	if (v->state == VISIT_ASKED && v->has_change && !v->has_ended &&
	    v->is_followed && v->change.accepted && has_to_confirm(v) &&
	    tw_clock_mono() - tw_contact_heard(v->contact) > SILENCE_MS)
		visit_again(v);
}

void visit_report(struct visit *v, enum tw_report_kind kind, const char *text)
{
	struct tw_report rep = {
		.kind = kind,
		.host_id = v->host.id,
		.host = v->host.name,
		.change = v->change.num,
		.title = v->change.title,
		.n = v->change.nsteps,
		.k = v->change.cur_step,
		.started = v->change.started,
		.status = v->end_status,
		.text = text,
		.code = -1,
		.active = v->runner->active,
		.waiting = v->runner->waiting,
	};

	if (v->runner->o.report)
		v->runner->o.report(v->runner->o.arg, &rep);
}

/* --- what the host says of the request ---------------------------------------- */

static void on_hello(void *arg, const struct tw_hello *h)
{
	struct visit *v = arg;
	struct tw_host *host = &v->host;
	char text[400];

	/* without a fence it refuses, and says why */
	if (v->state != VISIT_ASKED || !h->has_fence)
		return;
	if (v->is_successor && !v->successor.at) {
		v->let_in = true;
		record_soon(v, true);
	}
	if (h->fence_epoch < host->fence_epoch ||
	    (h->fence_epoch == host->fence_epoch &&
	    h->fence_seq < host->fence_seq)) {
		snprintf(text, sizeof text, "the host went back in time: it "
		    "knows changes up to %" PRId64 ".%" PRId64 ", the tower "
		    "saw it know %" PRId64 ".%" PRId64 " (once it was "
		    "looked at: towerify-host set %s spool-id=accept)",
		    h->fence_epoch, h->fence_seq, host->fence_epoch,
		    host->fence_seq, host->name);
		visit_hold(v, text);
		return;
	}
	if (!host->failures && !v->unheld && h->fence_seq == host->fence_seq &&
	    h->fence_epoch == host->fence_epoch)
		return;
	host->fence_epoch = h->fence_epoch;
	host->fence_seq = h->fence_seq;
	host->failures = 0;
	v->answered = true;
	record_soon(v, false);
}

/* The host never had this change: it may end as cancelled, or be held. */
static void on_lost(struct visit *v, const char *text)
{
	char reason[256];

	if (!v->change.accepted && v->change.cancel_by) {
		snprintf(reason, sizeof reason, "by %s, before the host had it",
		    v->change.cancel_by);
		visit_end_change(v, TW_CHANGE_CANCELLED, reason, NULL);
		return;
	}
	snprintf(reason, sizeof reason, "the host lost change %" PRId64
	    "%s%s", v->change.num, *text ? ": " : "", text);
	visit_hold(v, reason);
}

/* The host has done more for this queue than this state knows.  A person's
 * release makes the tower give later numbers: nothing else does. */
static void on_stale(struct visit *v, const char *rest)
{
	char text[400];

	snprintf(text, sizeof text, "this state is an old copy: the host has "
	    "seen later changes of this queue%s%s (look at what was done "
	    "there, cancel what must not be done again, then: towerify-host "
	    "release %s)", *rest ? ": " : "", rest, v->host.name);
	visit_hold(v, text);
}

/* Refused before anything was looked at; what was sent before, and never heard
 * of, remains in doubt. */
static void on_other_spool(struct visit *v)
{
	struct tw_err err = { 0 };
	enum tw_status st;

	if (v->change.accepted || v->change.in_doubt)
		return;
	st = tw_change_not_taken(v->runner->o.store, &v->change, &err);
	if (st && st != TW_AGAIN)
		runner_fail(v->runner, &err);
}

static void on_refused(struct visit *v, const char *rest)
{
	char word[16], text[400];
	size_t n = strcspn(rest, " ");

	snprintf(word, sizeof word, "%.*s", (int)n, rest);
	rest += n + (rest[n] != '\0');
	if (strcmp(word, "lost") == 0) {
		on_lost(v, rest);
		return;
	}
	if (strcmp(word, "stale") == 0) {
		on_stale(v, rest);
		return;
	}
	if (strcmp(word, "spool") == 0)
		on_other_spool(v);
	snprintf(text, sizeof text, "%s%s%s",
	    strcmp(word, "spool") == 0 ? "spool lost or host replaced" :
	    strcmp(word, "held") == 0 ? "the host bears a mark" :
	    strcmp(word, "space") == 0 ? "no room on the host" :
	    strcmp(word, "secret") == 0 ? "no place in memory for secrets" :
	    strcmp(word, "needs") == 0 ? "the host lacks tools" :
	    strcmp(word, "busy") == 0 ? "the host is busy" :
	    strcmp(word, "start") == 0 ? "the executor can't be started" :
	    "the host refused", *rest ? ": " : "", rest);
	if (tw_refusal_is_persons(word))
		visit_hold(v, text);
	else
		visit_trouble(v, text);
}

/* "done VERDICT SEQ": long ended and acknowledged, but this state forgot. */
static void on_done(struct visit *v, const char *rest)
{
	enum tw_verdict verdict;
	char word[16];

	snprintf(word, sizeof word, "%.*s", (int)strcspn(rest, " "), rest);
	if (!tw_verdict_parse(word, &verdict))
		visit_hold(v, "the host gives no verdict of a change it has done");
	else
		visit_end_change(v, verdict == TW_VERDICT_SUCCEEDED ?
		    TW_CHANGE_SUCCEEDED : verdict == TW_VERDICT_FAILED ?
		    TW_CHANGE_FAILED : TW_CHANGE_ROLLED_BACK,
		    "the host had carried it out before; its steps' record is "
		    "gone", verdict == TW_VERDICT_FAILED ||
		    (verdict == TW_VERDICT_ROLLED_BACK &&
		    v->change.hold_after_failure) ? "it failed" : NULL);
}

static void on_over(struct visit *v, const char *rest)
{
	if (strcmp(rest, "gone") == 0)
		lost(v, "the executor stopped");
	else
		visit_hold(v, "the host says it has ended, but its journal holds no "
		    "verdict");
}

/* The number that it was accepted by; another copy of this state may have given
 * it. */
static void on_token(struct visit *v, const char *rest)
{
	int64_t epoch, seq;

	if (sscanf(rest, "%18" SCNd64 ".%18" SCNd64, &epoch, &seq) != 2)
		return;
	v->token_epoch = epoch;
	v->token_seq = seq;
}

static void on_control(void *arg, const char *word, const char *rest)
{
	struct visit *v = arg;

	if (v->state != VISIT_ASKED || v->has_ended)
		return;
	if (strcmp(word, "accepted") == 0 || strcmp(word, "stream") == 0) {
		v->is_followed = true;
		visit_mask_begin(v);
		visit_save_position(v);
		if (v->change.accepted)
			return;
		v->accepted = true;
		v->progressed = true;
		record_soon(v, true);
	} else if (strcmp(word, "token") == 0) {
		on_token(v, rest);
	} else if (strcmp(word, "refused") == 0) {
		on_refused(v, rest);
	} else if (strcmp(word, "done") == 0) {
		on_done(v, rest);
	} else if (strcmp(word, "over") == 0) {
		on_over(v, rest);
	}
}

static void on_opened(void *arg)
{
	struct visit *v = arg;
	struct runner *r = v->runner;

	if (v->state != VISIT_CONNECTING)
		return;
	v->state = VISIT_READY;
	TAILQ_INSERT_TAIL(&r->ready, v, turn);
	r->connecting--;
	r->ask = true;
	/* room for one more that is to connect */
	r->look |= r->next_due < r->ndue;
}

static void on_ended(void *arg, enum tw_contact_end how,
    const struct tw_err *err)
{
	struct visit *v = arg;
	const char *said = err ? err->msg : "the session ended";
	char text[TW_ERR_MSG_MAX];

	if (v->state == VISIT_OVER || v->has_ended)
		return;
	if (v->state == VISIT_READY) {
		/* dropped while it waited for its turn: no failure */
		visit_over(v);
		return;
	}
	if (tries_other(v, said))
		return;
	visit_login_text(v, said, text);
	if (how == TW_CONTACT_PERSON && !visit_is_early(v))
		visit_hold(v, text);
	else
		lost(v, text);
}

static const struct tw_contact_calls calls = {
	.opened = on_opened,
	.hello = on_hello,
	.control = on_control,
	.event = visit_on_event,
	.output = visit_on_output,
	.cut = visit_on_cut,
	.ended = on_ended,
};

/* --- beginnings ----------------------------------------------------------------- */

void visit_start(struct runner *r, int64_t host_id, const struct visit *before)
{
	struct visit *v = calloc(1, sizeof *v);
	struct tw_err err = { 0 };
	enum tw_status st;

	if (!v) {
		tw_err_nomem(&err);
		runner_fail(r, &err);
		return;
	}
	v->runner = r;
	v->last = &v->first;
	st = tw_host_load(r->o.store, host_id, &v->host, &err);
	if (st) {
		free(v);
		if (st != TW_NO && st != TW_AGAIN)
			runner_fail(r, &err);
		return;
	}
	st = visit_choose_login(v, before, &err);
	if (!st && v->is_successor)
		st = tw_reach_make_as(r->o.store, &v->host, &v->successor,
		    r->o.agent, &v->reach, &err);
	else if (!st)
		st = tw_reach_make(r->o.store, &v->host, r->o.agent, &v->reach,
		    &err);
	if (!st && runner_is_jump_full(r, v->reach.target.via)) {
		r->waiting++;
		visit_free(v);
		return;
	}
	TAILQ_INSERT_HEAD(&r->visits, v, all);
	r->active++;
	r->connecting++;
	if (!st)
		st = tw_contact_open(&r->loop, &v->reach, r->o.transport,
		    &calls, v, &v->contact, &err);
	if (st)
		visit_trouble(v, err.msg);
	else
		visit_report(v, TW_REPORT_CONNECT, NULL);
}

void visit_free(struct visit *v)
{
	tw_contact_close(v->contact);
	record_drop(v);
	visit_drop_secrets(v);
	tw_reach_release(&v->reach);
	tw_step_list_free(v->steps, v->nsteps);
	free(v->auto_steps);
	free(v->live);
	tw_change_release(&v->change);
	tw_successor_release(&v->successor);
	tw_host_release(&v->host);
	free(v);
}
