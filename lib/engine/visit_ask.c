/*
 * visit_ask.c - the turn of a host that is logged in: claim, and request
 *
 * Claims are durable before anything is sent.  Many hosts may have logged in
 * since the last commit: their claims are one transaction.  Should one of them
 * fail, all are taken back and each claims for itself.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/runner_private.h"

static enum tw_step_state state_of(const char *name)
{
	int s;

	for (s = TW_STEP_WAITING; name && s <= TW_STEP_IMPOSSIBLE; s++)
		if (strcmp(name, tw_step_state_name((enum tw_step_state)s)) == 0)
			return (enum tw_step_state)s;
	return TW_STEP_WAITING;
}

static void restore_step(struct visit *v, size_t i)
{
	const struct tw_step *st = &v->steps[i];
	struct tw_auto_step *a = &v->auto_steps[i + 1];
	struct live_step *l = &v->live[i + 1];

	a->has_check = st->has_check;
	a->is_reboot = strcmp(st->kind, "reboot") == 0;
	a->retries = st->retries;
	a->confirm = st->confirm / 1000;
	a->undo = tw_back_of(st->undoable);
	a->state = state_of(st->state);
	a->attempts = st->attempts;
	a->ran = st->attempts > 0;
	a->undo_begun = st->undo_state != NULL &&
	    strcmp(st->undo_state, "impossible") != 0;
	a->undone = st->undo_state && strcmp(st->undo_state, "running") != 0 ?
	    state_of(st->undo_state) : TW_STEP_WAITING;
	snprintf(l->decided, sizeof l->decided, "%s",
	    st->decided ? st->decided : "");
	l->code = st->code;
	l->started = st->started;
	l->awaited = st->awaited;
	l->ended = st->ended;
	l->undo_code = st->undo_code;
	l->undo_started = st->undo_started;
	l->undo_ended = st->undo_ended;
	l->kept = st->out_bytes;
	l->cut = st->out_cut;
}

/* The steps of the change as the state knows them. */
static enum tw_status load_steps(struct visit *v, struct tw_err *err)
{
	enum tw_status st;
	size_t i;

	st = tw_change_steps(v->runner->o.store, NULL, v->change.id,
	    &v->steps, &v->nsteps, err);
	if (st)
		return st;
	v->auto_steps = calloc(v->nsteps + 1, sizeof *v->auto_steps);
	v->live = calloc(v->nsteps + 1, sizeof *v->live);
	if (!v->auto_steps || !v->live)
		return tw_err_nomem(err);
	for (i = 0; i < v->nsteps; i++)
		restore_step(v, i);
	tw_automaton_init(&v->automaton, v->auto_steps, (int64_t)v->nsteps);
	tw_automaton_restore(&v->automaton, v->change.in_undo,
	    v->change.life);
	return TW_OK;
}

static enum tw_status send_request(struct visit *v, struct tw_err *err)
{
	struct tw_buf text = TW_BUF_INIT, blob = { .max = (size_t)80 << 20 };
	struct tw_buf secret = { .is_secret = true };
	static const uint8_t none[32];
	struct tw_change *c = &v->change;
	struct tw_host *h = &v->host;
	struct tw_request req = {
		.verb = "resume",
		.nonce = c->nonce,
		.spool = h->spool,
		.spool_id = h->spool_id,
		.queue_id = h->queue_id,
		.epoch = c->epoch,
		.ack = h->acked_seq,
		.fence_epoch = h->fence_epoch,
		.fence_seq = h->fence_seq,
		.unhold = h->unhold,
		.job = c->uid,
		.seq = c->seq,
		.life = c->life,
		.offset = c->offset,
		.events = c->next_event - 1,
		.cancel = c->cancel_by,
		.tower = v->runner->name,
		.host = c->host_name,
		.change = c->num,
		.room = c->room,
		.steps = c->nsteps,
	};
	enum tw_status st = TW_OK;

	if (!c->accepted && c->cancel_by) {
		/* whatever of it still travels must arrive stale */
		req.ack = c->seq;
	} else if (!c->accepted) {
		req.verb = "start";
		st = tw_content_get(v->runner->o.store, c->program, &text, err);
		if (!st && memcmp(c->blob, none, sizeof none) != 0)
			st = tw_content_get(v->runner->o.store, c->blob, &blob,
			    err);
		req.text = tw_buf_str(&text);
		req.text_len = text.len;
		req.blob = tw_buf_str(&blob);
		req.blob_len = blob.len;
		if (v->runner->o.output_limit != TW_OUTPUT_CAP)
			req.cap = v->runner->o.output_limit / 2;
	} else if (v->automaton.state == TW_AUTO_CONFIRMING && !c->cancel_by) {
		req.verb = "confirm";
		req.step = v->confirms = v->automaton.k;
	}
	v->unheld = h->unhold;
	if (!st)
		st = visit_secrets_text(v, &secret, err);
	req.secret = tw_buf_str(&secret);
	req.secret_len = secret.len;
	if (!st)
		st = tw_contact_send(v->contact, &req, c->next_event, err);
	tw_buf_release(&text);
	tw_buf_release(&blob);
	tw_buf_release(&secret);
	return st;
}

/* Takes the head of the queue, and reads what the request needs. */
static enum tw_status claim(struct visit *v, struct tw_err *err)
{
	enum tw_status st;

	st = tw_change_claim(v->runner->o.store, v->host.id, tw_clock_now(),
	    &v->change, &v->cancelled, err);
	if (st)
		return st;
	v->has_change = true;
	st = load_steps(v, err);
	if (!st)
		st = visit_load_secrets(v, err);
	return st;
}

static void unclaim(struct visit *v)
{
	visit_drop_secrets(v);
	tw_step_list_free(v->steps, v->nsteps);
	free(v->auto_steps);
	free(v->live);
	tw_change_release(&v->change);
	v->steps = NULL;
	v->nsteps = 0;
	v->auto_steps = NULL;
	v->live = NULL;
	v->has_change = false;
	v->cancelled = 0;
}

/* The claim is stored, or has failed. */
static void ask(struct visit *v, enum tw_status st, struct tw_err *err)
{
	v->runner->result->cancelled += v->cancelled;
	if (st == TW_NO) {
		visit_over(v);
		return;
	}
	if (st == TW_CONFIG) {
		visit_own_trouble(v, err);
		return;
	}
	if (!st && v->is_successor && v->change.id != v->successor.change_id) {
		/* that one was ended meanwhile: this one has its own login */
		visit_again(v);
		return;
	}
	if (!st) {
		TAILQ_REMOVE(&v->runner->ready, v, turn);
		v->state = VISIT_ASKED;
		v->runner->asked++;
		visit_report(v, TW_REPORT_CHANGE, NULL);
		st = send_request(v, err);
	}
	if (st)
		visit_trouble(v, err->msg);
}

static enum tw_status claim_all(struct tw_store *s, struct visit **v, size_t n,
    enum tw_status *claimed, struct tw_err *err)
{
	enum tw_status st = tw_store_begin(s, err);
	size_t i;

	for (i = 0; i < n && !st; i++) {
		claimed[i] = claim(v[i], err);
		if (claimed[i] != TW_NO)
			st = claimed[i];
	}
	if (!st)
		return tw_store_commit(s, err);
	tw_store_rollback(s);
	return st;
}

bool visit_ask(struct visit **v, size_t n)
{
	struct tw_store *s = v[0]->runner->o.store;
	enum tw_status claimed[TW_RUNNER_CLAIMS], st = TW_NO;
	struct tw_err err = { 0 };
	size_t i;

	if (n > 1)
		st = claim_all(s, v, n, claimed, &err);
	for (i = 0; i < n && st; i++) {
		unclaim(v[i]);
		claimed[i] = st;
	}
	if (st == TW_AGAIN)
		return false;
	for (i = 0; i < n; i++) {
		if (st)
			claimed[i] = claim(v[i], &err);
		if (claimed[i] == TW_AGAIN) {
			unclaim(v[i]);
			return false;
		}
		ask(v[i], claimed[i], &err);
	}
	return true;
}
