/*
 * test_automaton_all.c - lib/engine/automaton.c: all runs of small programs
 *
 * Every program of one and two steps, and some of three, is led through every
 * combination of outcomes, with a cancel or a crash at every point: while an
 * action is under way, and between any two events of one batch, where a power
 * cut may tear it.  What must hold of every run is checked at every event, by
 * a second automaton that follows and by an account that is kept here.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "engine/automaton.h"

#define STEPS 3
#define BATCH_MAX 8

struct account {		/* what the events said */
	bool cancelled, bad, ended;
	bool open;		/* a step */
	bool awaited;		/* its confirmation */
	bool orphaned;		/* a step or undo whose executor has died */
	int64_t started;	/* the last one */
	int64_t undone;		/* the last one; 0: none yet */
	int64_t attempts[STEPS + 1];
	int undos[STEPS + 1], undones[STEPS + 1];
	bool undone_well[STEPS + 1];
	int events;
};

struct world {
	struct tw_auto_step step[STEPS + 1];
	struct tw_automaton a;	/* .step is set anew at each use */
	bool verifying;
	int cancels, crashes;	/* still to come, at most */
	struct account account;
	char trail[1200];	/* for messages: the events so far */
};

struct batch {			/* the events of one decision */
	struct world follower;
	struct world after[BATCH_MAX];
	int n;
	bool torn;		/* keep what stands between them */
};

static long runs;
static bool all_outcomes;
static struct batch batches[60];	/* of the decisions under way */
static int depth;

/* ck_assert writes to a file each time, which costs more than all else. */
#define HOLDS(w, e) \
	do { \
		if (!(e)) \
			ck_abort_msg("%s\n%s", #e, (w)->trail); \
	} while (0)

static void trail(struct world *w, const struct tw_event *ev)
{
	struct tw_buf b = TW_BUF_INIT;
	size_t len = strlen(w->trail);

	tw_event_format(ev, &b);
	snprintf(w->trail + len, sizeof w->trail - len, "%s; ",
	    tw_buf_str(&b));
	tw_buf_release(&b);
}

/* --- what must hold --- */

static void account_forward(struct world *w, const struct tw_event *ev)
{
	struct account *c = &w->account;

	HOLDS(w, !c->ended && !c->bad && !c->cancelled && !c->awaited);
	switch (ev->word) {
	case TW_EV_START:
		HOLDS(w, ev->k == c->started + 1);
		c->started = ev->k;
		c->open = true;
		break;
	case TW_EV_RUN:
		HOLDS(w, ev->k == c->started);
		HOLDS(w, ev->attempt == ++c->attempts[ev->k]);
		HOLDS(w, ev->attempt <= w->step[ev->k].retries + 1);
		break;
	case TW_EV_AWAIT:
		HOLDS(w, ev->k == c->started && c->open && !c->orphaned);
		HOLDS(w, c->attempts[ev->k] > 0);
		HOLDS(w, ev->limit > 0 && ev->limit == w->step[ev->k].confirm);
		c->awaited = true;
		break;
	default:
		HOLDS(w, ev->k == c->started);
		HOLDS(w, ev->attempt == c->attempts[ev->k]);
		HOLDS(w, ev->attempt <= w->step[ev->k].retries);
		break;
	}
}

static void account_back(struct world *w, const struct tw_event *ev)
{
	struct account *c = &w->account;
	enum tw_back kind = w->step[ev->k].undo;

	HOLDS(w, !c->ended && (c->bad || c->cancelled));
	HOLDS(w, c->attempts[ev->k] > 0);
	HOLDS(w, kind != TW_BACK_NOTHING);
	if (ev->word == TW_EV_UNDO) {
		HOLDS(w, kind == TW_BACK_SCRIPT);
		HOLDS(w, ++c->undos[ev->k] == 1);
		HOLDS(w, c->undone == 0 || ev->k < c->undone);
		return;
	}
	HOLDS(w, ++c->undones[ev->k] == 1);
	HOLDS(w, c->undos[ev->k] == (kind == TW_BACK_SCRIPT));
	HOLDS(w, (ev->state == TW_STEP_IMPOSSIBLE) == (kind != TW_BACK_SCRIPT));
	HOLDS(w, c->undone == 0 || ev->k < c->undone);
	HOLDS(w, (ev->state == TW_STEP_INTERRUPTED) == c->orphaned);
	c->orphaned = false;
	c->undone = ev->k;
	c->undone_well[ev->k] = ev->state == TW_STEP_DONE;
}

static void account_verdict(struct world *w, const struct tw_event *ev)
{
	struct account *c = &w->account;
	bool whole = true;

	HOLDS(w, !c->ended);
	c->ended = true;
	if (!c->bad && !c->cancelled) {
		HOLDS(w, c->started == w->a.n);
		HOLDS(w, ev->verdict == TW_VERDICT_SUCCEEDED);
		return;
	}
	for (int64_t k = 1; k <= w->a.n; k++) {
		if (c->attempts[k] == 0 || w->step[k].undo == TW_BACK_NOTHING)
			continue;
		HOLDS(w, c->undones[k] == 1);
		whole = whole && c->undone_well[k];
	}
	HOLDS(w, ev->verdict == (whole ? TW_VERDICT_ROLLED_BACK :
	    TW_VERDICT_FAILED));
}

/* Something is under way that ends with its executor. */
static bool is_open(const struct world *w)
{
	const struct account *c = &w->account;

	for (int64_t k = 1; k <= w->a.n; k++)
		if (c->undos[k] > c->undones[k])
			return true;
	return c->open && !c->awaited && !(w->step[c->started].is_reboot &&
	    c->attempts[c->started] > 0);
}

static void account_add(struct world *w, const struct tw_event *ev)
{
	struct account *c = &w->account;

	HOLDS(w, ++c->events < 60);
	switch (ev->word) {
	case TW_EV_LIFE:
		HOLDS(w, !c->ended);
		c->orphaned = is_open(w);
		break;
	case TW_EV_START:
	case TW_EV_RUN:
	case TW_EV_TRY:
	case TW_EV_AWAIT:
		account_forward(w, ev);
		break;
	case TW_EV_END:
		HOLDS(w, !c->ended && !c->bad && ev->k == c->started);
		HOLDS(w, (ev->state == TW_STEP_UNCHANGED) <=
		    (c->attempts[ev->k] == 0));
		HOLDS(w, (ev->state == TW_STEP_DONE) <=
		    (c->attempts[ev->k] > 0));
		c->bad = ev->state != TW_STEP_DONE &&
		    ev->state != TW_STEP_UNCHANGED;
		HOLDS(w, c->bad || !c->cancelled);
		HOLDS(w, (ev->state == TW_STEP_INTERRUPTED) ==
		    (c->orphaned || c->cancelled));
		HOLDS(w, (strcmp(ev->phase, "confirm") == 0) == c->awaited);
		HOLDS(w, ev->state != TW_STEP_DONE || c->awaited ==
		    (w->step[ev->k].confirm > 0));
		c->orphaned = false;
		c->open = c->awaited = false;
		break;
	case TW_EV_CANCEL:
		HOLDS(w, !c->ended && !c->bad && !c->cancelled);
		c->cancelled = true;
		break;
	case TW_EV_UNDO:
	case TW_EV_UNDONE:
		account_back(w, ev);
		break;
	default:
		account_verdict(w, ev);
		break;
	}
}

/* A restart of the tower at this point finds itself in the same state. */
static void restores(struct world *w)
{
	struct world c = *w;
	bool in_undo = w->a.state == TW_AUTO_UNDO ||
	    w->a.state == TW_AUTO_UNDOING;

	if (w->a.state == TW_AUTO_ENDED)
		return;
	tw_automaton_init(&c.a, c.step, w->a.n);
	tw_automaton_restore(&c.a, in_undo, w->a.lives);
	HOLDS(w, c.a.state == w->a.state);
	HOLDS(w, c.a.lives == w->a.lives);
	if (w->a.state != TW_AUTO_UNDO)	/* .k means nothing there */
		HOLDS(w, c.a.k == w->a.k);
	HOLDS(w, tw_automaton_to_undo(&c.a) == tw_automaton_to_undo(&w->a));
}

static void on_event(void *arg, const struct tw_event *ev)
{
	struct batch *b = arg;
	struct world *w = &b->follower;

	trail(w, ev);
	HOLDS(w, tw_automaton_apply(&w->a, ev));
	account_add(w, ev);
	restores(w);
	if (b->torn) {
		HOLDS(w, b->n < BATCH_MAX);
		b->after[b->n++] = *w;
	}
}

/* --- all runs --- */

static void explore(const struct world *from);

/* One decision, and all that can follow it. */
static void decide(const struct world *from, enum tw_auto_action action,
    enum tw_auto_outcome outcome)
{
	struct world lead = *from, *w;
	struct batch *b = &batches[depth++];
	int i;

	HOLDS(from, depth < 60);
	lead.a.step = lead.step;
	b->follower = *from;
	w = &b->follower;
	w->a.step = w->step;
	b->torn = from->crashes > 0;
	b->n = 0;
	w->cancels -= outcome == TW_WAS_CANCEL;
	w->crashes -= outcome == TW_WAS_CRASH && from->a.lives > 0;
	tw_automaton_decide(&lead.a, action, outcome, "ann", &lead.verifying,
	    on_event, b);
	w->verifying = lead.verifying;
	HOLDS(w, lead.a.state == w->a.state && lead.a.k == w->a.k);
	HOLDS(w, lead.a.lives == w->a.lives);
	HOLDS(w, lead.a.cancelled == w->a.cancelled);
	HOLDS(w, lead.a.verdict == w->a.verdict);
	HOLDS(w, memcmp(lead.step, w->step, sizeof lead.step) == 0);
	explore(w);
	/* the power goes between two events of the batch */
	for (i = 0; i + 1 < b->n; i++) {
		w = &b->after[i];
		w->verifying = false;
		if (w->crashes > 0)
			decide(w, TW_DO_NOTHING, TW_WAS_CRASH);
	}
	depth--;
}

static void explore(const struct world *from)
{
	struct tw_automaton a = from->a;
	enum tw_auto_action action;
	bool waits;

	a.step = (struct tw_auto_step *)from->step;
	action = tw_automaton_next(&a, from->verifying);
	if (a.state == TW_AUTO_ENDED) {
		runs++;
		HOLDS(from, action == TW_DO_NOTHING);
		HOLDS(from, from->account.ended);
		return;
	}
	HOLDS(from, action != TW_DO_NOTHING);
	waits = action == TW_DO_REBOOT || action == TW_DO_CONFIRM;
	decide(from, action, TW_WAS_OK);
	if (!waits)
		decide(from, action, TW_WAS_NOT);
	if (action == TW_DO_CHECK || (all_outcomes && action != TW_DO_CONFIRM))
		decide(from, action, TW_WAS_BROKEN);
	if (waits || all_outcomes)
		decide(from, action, TW_WAS_TIMEOUT);
	if (from->cancels > 0)
		decide(from, action, TW_WAS_CANCEL);
	if (from->crashes > 0)
		decide(from, action, TW_WAS_CRASH);
}

#define REBOOT 24
#define CONFIRM 25	/* and seven more, as those that begin with 0 */
#define KINDS 33

static struct tw_auto_step kind(int i)
{
	static const enum tw_back undos[] = {
		TW_BACK_SCRIPT, TW_BACK_IMPOSSIBLE, TW_BACK_NOTHING,
	};
	bool is_confirmed = i >= CONFIRM;
	struct tw_auto_step st = { 0 };

	i -= is_confirmed ? CONFIRM : 0;
	st = (struct tw_auto_step){
		.has_check = (i & 1) != 0,
		.has_verify = (i & 2) != 0,
		.retries = (i >> 2) & 1,
		.undo = undos[(i >> 3) % 3],
		.confirm = is_confirmed ? 60 : 0,
	};
	if (i == REBOOT) {
		st.has_check = st.has_verify = false;
		st.is_reboot = true;
		st.undo = TW_BACK_NOTHING;
		st.retries = 0;
	}
	return st;
}

static void lead(int n, const int kinds[], int cancels, int crashes)
{
	struct world w;

	memset(&w, 0, sizeof w);
	for (int k = 1; k <= n; k++) {
		w.step[k] = kind(kinds[k - 1]);
		snprintf(w.trail + strlen(w.trail), 20, "[%d] ", kinds[k - 1]);
	}
	w.cancels = cancels;
	w.crashes = crashes;
	tw_automaton_init(&w.a, w.step, n);
	ck_assert_int_eq(tw_automaton_next(&w.a, false), TW_DO_NOTHING);
	decide(&w, TW_DO_NOTHING, TW_WAS_CRASH);
}

START_TEST(one_step_with_all_outcomes)
{
	all_outcomes = true;
	for (int i = 0; i < KINDS; i++)
		lead(1, (int[]) { i }, 1, 2);
	ck_assert_int_gt(runs, 1000);
}
END_TEST

START_TEST(two_steps_of_every_kind)
{
	for (int i = 0; i < KINDS; i++) {
		lead(2, (int[]) { i, _i }, 1, 1);
	}
	ck_assert_int_gt(runs, 300);
}
END_TEST

/* With and without a check, with each kind of undo, and a reboot. */
START_TEST(three_steps_of_some_kinds)
{
	static const int some[] = { 0, 1, 7, 11, 16, REBOOT, CONFIRM + 3 };
	int a = _i % 7, b = _i / 7;

	for (int c = 0; c < 7; c++) {
		lead(3, (int[]) { some[a], some[b], some[c] }, 1, 0);
		lead(3, (int[]) { some[a], some[b], some[c] }, 0, 1);
	}
	ck_assert_int_gt(runs, 300);
}
END_TEST

/* --- what comes too late changes nothing --- */

static void no_event(void *arg, const struct tw_event *ev)
{
	(void)arg;
	ck_abort_msg("an event: %s", tw_event_word_name(ev->word));
}

START_TEST(after_the_verdict_nothing_is_written)
{
	struct tw_auto_step step[2] = { { 0 }, { 0 } };
	struct tw_event ev = { .word = TW_EV_LIFE, .life = 1 };
	struct tw_automaton a;
	bool verifying = false;

	tw_automaton_init(&a, step, 1);
	ck_assert(tw_automaton_apply(&a, &ev));
	ev.word = TW_EV_CANCEL;
	ck_assert(tw_automaton_apply(&a, &ev));
	ev.word = TW_EV_VERDICT;
	ev.verdict = TW_VERDICT_ROLLED_BACK;
	ck_assert(tw_automaton_apply(&a, &ev));
	for (int o = TW_WAS_OK; o <= TW_WAS_CRASH; o++)
		tw_automaton_decide(&a, TW_DO_NOTHING, (enum tw_auto_outcome)o,
		    "ann", &verifying, no_event, NULL);
	ck_assert_int_eq(a.state, TW_AUTO_ENDED);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("automaton, all runs");
	TCase *tc = tcase_create("runs");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, one_step_with_all_outcomes);
	tcase_add_loop_test(tc, two_steps_of_every_kind, 0, KINDS);
	tcase_add_loop_test(tc, three_steps_of_some_kinds, 0, 49);
	tcase_add_test(tc, after_the_verdict_nothing_is_written);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
