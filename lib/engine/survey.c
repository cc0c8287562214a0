/* survey.c - ask many hosts at once; see survey.h */
#include "engine/survey.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "engine/contact.h"
#include "engine/runner.h"

struct survey;

static void on_wake(uv_timer_t *t);

struct ask {			/* one host being asked */
	struct survey *survey;
	struct tw_survey_host *h;
	struct tw_reach reach;
	struct tw_contact *contact;
	json_t *facts;
	size_t mark;		/* of facts: tw_json_mark() */
	struct tw_buf output;	/* of the check under way */
	struct tw_mask *mask;	/* or NULL */
	bool is_over;
};

struct survey {
	const struct tw_survey_options *o;
	struct tw_survey_host *hosts;
	struct ask *asks;
	size_t n, next;
	int jobs, active;
	uv_loop_t loop;
	uv_timer_t wake;	/* defers what must not happen in a call */
};

static void finish(struct ask *a, enum tw_status status,
    const struct tw_err *why)
{
	if (a->is_over)
		return;
	a->is_over = true;
	a->h->status = status;
	if (status) {
		char masked[TW_ERR_MSG_MAX];

		tw_mask_text(a->survey->o->forms, why->msg, masked,
		    sizeof masked);
		tw_err_set(&a->h->err, status, "%s", masked);
		tw_mask_text(a->survey->o->forms, tw_err_text(why), masked,
		    sizeof masked);
		tw_err_say(&a->h->err, masked);
	}
	uv_timer_start(&a->survey->wake, on_wake, 0, 0);
}

static void on_hello(void *arg, const struct tw_hello *h)
{
	struct ask *a = arg;

	a->h->has_answered = true;
	snprintf(a->h->spool_id, sizeof a->h->spool_id, "%s", h->spool);
}

static void add_fact(struct ask *a, const char *rest)
{
	size_t n = strcspn(rest, " ");
	char key[32];

	if (n == 0 || n >= sizeof key || json_object_size(a->facts) > 64)
		return;
	snprintf(key, sizeof key, "%.*s", (int)n, rest);
	/* what is no UTF-8 is left out: facts are words of our own program */
	json_object_set_new(a->facts, key,
	    json_string(rest + n + (rest[n] != '\0')));
}

static void add_plan(struct ask *a, const char *rest)
{
	struct tw_survey_step *st;
	int64_t k, code;
	char state[12];

	if (sscanf(rest, "%18" SCNd64 " %11s %18" SCNd64, &k, state,
	    &code) != 3 || k < 1 || (uint64_t)k > a->h->nsteps)
		return;
	if (a->mask)
		tw_mask_end(a->mask, false);
	st = &a->h->steps[k - 1];
	snprintf(st->state, sizeof st->state, "%s", state);
	st->code = code;
	tw_buf_release(&st->output);
	st->output = a->output;
	memset(&a->output, 0, sizeof a->output);
}

/* "LINES SPOOL TEXT" */
static void add_stop(struct tw_survey_host *h, const char *rest)
{
	size_t n = strcspn(rest, " ");

	n += rest[n] ? 1 + strcspn(rest + n + 1, " ") : 0;
	snprintf(h->taken, sizeof h->taken, "%.*s", (int)n, rest);
	snprintf(h->stopped, sizeof h->stopped, "%s",
	    rest[n] ? rest + n + 1 : W_("it did not say why"));
}

static void on_control(void *arg, const char *word, const char *rest)
{
	struct ask *a = arg;
	struct tw_err err = { 0 };

	if (strcmp(word, "fact") == 0) {
		add_fact(a, rest);
	} else if (strcmp(word, "plan") == 0) {
		add_plan(a, rest);
	} else if (strcmp(word, "revoked") == 0) {
		snprintf(a->h->taken, sizeof a->h->taken, "%s", rest);
	} else if (strcmp(word, "stopped") == 0) {
		add_stop(a->h, rest);
	} else if (strcmp(word, "refused") == 0) {
		bool persons;
		char first[16];

		snprintf(first, sizeof first, "%.*s",
		    (int)strcspn(rest, " "), rest);
		persons = tw_refusal_is_persons(first);
		a->h->has_refused = true;
		tw_err_set(&err, persons ? TW_NO : TW_AGAIN,
		    "the host refused: %s", rest);
		finish(a, err.status, &err);
	} else if (strcmp(word, "over") == 0) {
		finish(a, TW_OK, NULL);
	}
}

static void on_event(void *arg, const struct tw_event *ev)
{
	(void)arg;
	(void)ev;
}

static void keep_output(void *arg, const char *p, size_t n)
{
	struct ask *a = arg;

	if (a->output.len + n > TW_SURVEY_OUTPUT_MAX)
		n = TW_SURVEY_OUTPUT_MAX - a->output.len;
	tw_buf_add(&a->output, p, n);
}

static void on_output(void *arg, const char *p, size_t n)
{
	struct ask *a = arg;

	if (a->mask)
		tw_mask_feed(a->mask, p, n);
	else
		keep_output(a, p, n);
}

static void on_cut(void *arg, int64_t bytes)
{
	struct ask *a = arg;

	(void)bytes;
	if (a->mask) {
		tw_mask_end(a->mask, true);
		tw_mask_after_cut(a->mask);
	}
}

static void on_opened(void *arg)
{
	struct ask *a = arg;
	const struct tw_survey_options *o = a->survey->o;
	const struct tw_host *h = a->h->host;
	char nonce[TW_ID_HEX];
	struct tw_err err = { 0 };
	struct tw_request r = {
		.verb = o->verb,
		.nonce = nonce,
		.spool = h->spool,
		.spool_id = h->spool_id,
		.queue_id = h->queue_id,
		.epoch = h->epoch,
		.ack = h->acked_seq,
		.host = h->name,
		.text = o->text,
		.text_len = o->text_len,
		.blob = o->blob,
		.blob_len = o->blob_len,
		.secret = o->secret,
		.secret_len = o->secret_len,
		.keys = o->keys,
		.shared = o->shared,
	};

	tw_random_id(nonce);
	a->h->transport = tw_contact_transport(a->contact);
	a->h->was_asked = true;
	if (tw_contact_send(a->contact, &r, 1, &err))
		finish(a, err.status, &err);
}

static void on_ended(void *arg, enum tw_contact_end how,
    const struct tw_err *err)
{
	struct ask *a = arg;
	struct tw_err over = { 0 };

	if (how == TW_CONTACT_OVER) {
		tw_err_set(&over, TW_AGAIN, "the host ended the session early");
		finish(a, TW_AGAIN, &over);
		return;
	}
	a->h->is_refused = tw_contact_refusal(a->contact) == TW_REFUSAL_LOGIN;
	if (!err)
		tw_err_set(&over, TW_AGAIN, "the session ended");
	finish(a, how == TW_CONTACT_PERSON ? TW_NO : TW_AGAIN,
	    err ? err : &over);
	if (err && err->hint[0])
		tw_err_hint(&a->h->err, "%s", err->hint);
}

static const struct tw_contact_calls calls = {
	.opened = on_opened,
	.hello = on_hello,
	.control = on_control,
	.event = on_event,
	.output = on_output,
	.cut = on_cut,
	.ended = on_ended,
};

static enum tw_status open_one(struct ask *a, struct tw_err *err)
{
	const struct tw_survey_options *o = a->survey->o;
	enum tw_status st;

	a->mark = tw_json_mark();
	a->facts = json_object();
	a->h->steps = calloc(o->nsteps + 1, sizeof *a->h->steps);
	a->h->nsteps = o->nsteps;
	if (!a->facts || !a->h->steps)
		return tw_err_nomem(err);
	st = tw_reach_make(o->store, a->h->host, o->agent, &a->reach, err);
	if (!st && o->forms)
		st = tw_mask_new(o->forms, keep_output, a, &a->mask, err);
	if (!st)
		st = tw_contact_open(&a->survey->loop, &a->reach,
		    o->transport, &calls, a, &a->contact, err);
	return st;
}

static void start_more(struct survey *s)
{
	struct tw_err err = { 0 };
	struct ask *a;
	enum tw_status st;

	while (s->next < s->n && s->active < s->jobs) {
		a = &s->asks[s->next];
		a->survey = s;
		a->h = &s->hosts[s->next++];
		s->active++;
		st = open_one(a, &err);
		if (st)
			finish(a, st, &err);
	}
}

static void release_ask(struct survey *s, struct ask *a)
{
	tw_contact_close(a->contact);
	a->contact = NULL;
	tw_reach_release(&a->reach);
	tw_buf_release(&a->output);
	tw_mask_free(a->mask);
	a->mask = NULL;
	if (json_object_size(a->facts) > 0)
		a->h->facts = tw_json_dump(a->facts, JSON_COMPACT |
		    JSON_SORT_KEYS, a->mark);
	if (json_object_size(a->facts) > 0 && !a->h->facts && !a->h->status)
		a->h->status = tw_err_set(&a->h->err, TW_AGAIN,
		    "out of memory");
	json_decref(a->facts);
	a->facts = NULL;
	a->survey = NULL;
	s->active--;
	if (s->o->done)
		s->o->done(s->o->arg, a->h);
}

static void on_wake(uv_timer_t *t)
{
	struct survey *s = t->data;
	size_t i;

	for (i = 0; i < s->next; i++)
		if (s->asks[i].survey && s->asks[i].is_over)
			release_ask(s, &s->asks[i]);
	start_more(s);
	if (s->active == 0)
		uv_close((uv_handle_t *)t, NULL);
}

enum tw_status tw_survey(struct tw_survey_host *hosts, size_t n,
    const struct tw_survey_options *o, struct tw_err *err)
{
	struct survey s = { .o = o, .hosts = hosts, .n = n };

	s.jobs = o->jobs > 0 ? o->jobs : TW_RUNNER_JOBS;
	s.asks = calloc(n + 1, sizeof *s.asks);
	if (!s.asks)
		return tw_err_nomem(err);
	if (uv_loop_init(&s.loop)) {
		free(s.asks);
		return tw_err_set(err, TW_AGAIN, "cannot start the event loop");
	}
	uv_timer_init(&s.loop, &s.wake);
	s.wake.data = &s;
	uv_timer_start(&s.wake, on_wake, 0, 0);
	uv_run(&s.loop, UV_RUN_DEFAULT);
	uv_loop_close(&s.loop);
	free(s.asks);
	return TW_OK;
}

void tw_survey_release(struct tw_survey_host *hosts, size_t n)
{
	size_t i, k;

	for (i = 0; i < n; i++) {
		for (k = 0; hosts[i].steps && k < hosts[i].nsteps; k++)
			tw_buf_release(&hosts[i].steps[k].output);
		free(hosts[i].steps);
		free(hosts[i].facts);
		hosts[i].steps = NULL;
		hosts[i].facts = NULL;
	}
}
