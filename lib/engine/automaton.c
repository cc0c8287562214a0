/* automaton.c - the life of a change on its host; see automaton.h */
#include "engine/automaton.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = {
	"idle", "checking", "running", "retrying", "confirming", "undo",
	"undoing", "ended",
};

const char *tw_auto_state_name(enum tw_auto_state s)
{
	return s < TW_AUTO_STATES ? names[s] : "?";
}

enum tw_back tw_back_of(const char *name)
{
	if (strcmp(name, "script") == 0 || strcmp(name, "auto") == 0)
		return TW_BACK_SCRIPT;
	if (strcmp(name, "nothing") == 0)
		return TW_BACK_NOTHING;
	return strcmp(name, "impossible") == 0 ? TW_BACK_IMPOSSIBLE :
	    TW_BACK_NONE;
}

void tw_automaton_init(struct tw_automaton *a, struct tw_auto_step *step,
    int64_t n)
{
	memset(a, 0, sizeof *a);
	a->step = step;
	a->n = n;
	a->k = 1;
}

static bool is_good(enum tw_step_state s)
{
	return s == TW_STEP_DONE || s == TW_STEP_UNCHANGED;
}

static bool is_bad(enum tw_step_state s)
{
	return s == TW_STEP_FAILED || s == TW_STEP_TIMED_OUT ||
	    s == TW_STEP_INTERRUPTED;
}

void tw_automaton_restore(struct tw_automaton *a, bool in_undo, int64_t lives)
{
	struct tw_auto_step *st;

	a->lives = lives;
	a->is_restored = true;
	a->state = in_undo ? TW_AUTO_UNDO : TW_AUTO_IDLE;
	for (a->k = 1; a->k <= a->n; a->k++) {
		st = &a->step[a->k];
		if (st->undo_begun && st->undone == TW_STEP_WAITING) {
			a->state = TW_AUTO_UNDOING;
			return;
		}
		if (is_bad(st->state)) {
			in_undo = true;
			a->state = TW_AUTO_UNDO;
		}
		if (in_undo || is_good(st->state))
			continue;
		if (st->state == TW_STEP_CHECKING)
			a->state = TW_AUTO_CHECKING;
		else if (st->state == TW_STEP_RUNNING)
			a->state = TW_AUTO_RUNNING;
		else if (st->state == TW_STEP_RETRYING)
			a->state = TW_AUTO_RETRYING;
		else if (st->state == TW_STEP_CONFIRMING)
			a->state = TW_AUTO_CONFIRMING;
		return;
	}
}

int64_t tw_automaton_to_undo(const struct tw_automaton *a)
{
	const struct tw_auto_step *st;
	int64_t k;

	for (k = a->n; k > 0; k--) {
		st = &a->step[k];
		if (st->ran && !st->undo_begun &&
		    st->undone == TW_STEP_WAITING &&
		    st->undo != TW_BACK_NOTHING)
			return k;
	}
	return 0;
}

static enum tw_verdict verdict_due(const struct tw_automaton *a)
{
	const struct tw_auto_step *st;
	int64_t k;

	if (a->state == TW_AUTO_IDLE)
		return a->k > a->n && !a->cancelled ? TW_VERDICT_SUCCEEDED :
		    TW_VERDICT_NONE;
	if (a->state != TW_AUTO_UNDO || tw_automaton_to_undo(a) != 0)
		return TW_VERDICT_NONE;
	for (k = 1; k <= a->n; k++) {
		st = &a->step[k];
		if (st->ran && st->undo != TW_BACK_NOTHING &&
		    st->undone != TW_STEP_DONE)
			return TW_VERDICT_FAILED;
	}
	return TW_VERDICT_ROLLED_BACK;
}

/* --- following: one function an event, tried in the states of the table --- */

static bool on_life(struct tw_automaton *a, const struct tw_event *ev)
{
	/* == lives: the position was stored between a stream's begin and
	 * its life event; and if the streams before it were lost with the
	 * power, that tells of their lives first */
	if (ev->life < 1 || ev->life > a->lives + 1 ||
	    (ev->life < a->lives && !a->is_restored))
		return false;
	a->lives = ev->life;
	a->is_restored = false;
	return true;
}

static bool on_start(struct tw_automaton *a, const struct tw_event *ev)
{
	if (ev->k != a->k || a->k > a->n || a->cancelled || a->lives == 0)
		return false;
	a->step[a->k].state = TW_STEP_CHECKING;
	a->state = TW_AUTO_CHECKING;
	return true;
}

static bool on_run(struct tw_automaton *a, const struct tw_event *ev)
{
	struct tw_auto_step *st = &a->step[a->k];

	if (ev->k != a->k || ev->attempt != st->attempts + 1 ||
	    ev->attempt > st->retries + 1 || a->cancelled)
		return false;
	st->attempts = ev->attempt;
	st->ran = true;
	st->state = TW_STEP_RUNNING;
	a->state = TW_AUTO_RUNNING;
	return true;
}

static bool on_try(struct tw_automaton *a, const struct tw_event *ev)
{
	struct tw_auto_step *st = &a->step[a->k];

	if (ev->k != a->k || ev->attempt != st->attempts ||
	    ev->attempt > st->retries || a->cancelled ||
	    (ev->state != TW_STEP_FAILED && ev->state != TW_STEP_TIMED_OUT))
		return false;
	st->state = TW_STEP_RETRYING;
	a->state = TW_AUTO_RETRYING;
	return true;
}

/* It went well, by its own word; or its check holds after an attempt. */
static bool on_await(struct tw_automaton *a, const struct tw_event *ev)
{
	struct tw_auto_step *st = &a->step[a->k];

	if (ev->k != a->k || st->confirm == 0 || ev->limit != st->confirm ||
	    a->cancelled)
		return false;
	st->state = TW_STEP_CONFIRMING;
	a->state = TW_AUTO_CONFIRMING;
	return true;
}

/* How a step may end depends on what was under way. */
static bool can_end(const struct tw_automaton *a, enum tw_step_state s)
{
	if (a->state == TW_AUTO_CONFIRMING && s == TW_STEP_FAILED)
		return false;
	if (is_bad(s))
		return true;
	if (a->cancelled)
		return false;
	if (a->state == TW_AUTO_CHECKING)
		return s == TW_STEP_UNCHANGED;
	return s == TW_STEP_DONE && (a->step[a->k].confirm == 0 ||
	    a->state == TW_AUTO_CONFIRMING);
}

static bool on_end(struct tw_automaton *a, const struct tw_event *ev)
{
	if (ev->k != a->k || !can_end(a, ev->state))
		return false;
	a->step[a->k].state = ev->state;
	if (is_good(ev->state)) {
		a->state = TW_AUTO_IDLE;
		a->k++;
	} else {
		a->state = TW_AUTO_UNDO;
	}
	return true;
}

static bool on_cancel(struct tw_automaton *a, const struct tw_event *ev)
{
	(void)ev;
	if (a->cancelled || a->lives == 0)
		return false;
	a->cancelled = true;
	if (a->state == TW_AUTO_IDLE)
		a->state = TW_AUTO_UNDO;
	return true;
}

static bool on_undo(struct tw_automaton *a, const struct tw_event *ev)
{
	if (ev->k == 0 || ev->k != tw_automaton_to_undo(a) ||
	    a->step[ev->k].undo != TW_BACK_SCRIPT)
		return false;
	a->k = ev->k;
	a->step[a->k].undo_begun = true;
	a->state = TW_AUTO_UNDOING;
	return true;
}

static bool on_undone(struct tw_automaton *a, const struct tw_event *ev)
{
	if (a->state == TW_AUTO_UNDO) {
		if (ev->k == 0 || ev->k != tw_automaton_to_undo(a) ||
		    a->step[ev->k].undo == TW_BACK_SCRIPT ||
		    ev->state != TW_STEP_IMPOSSIBLE)
			return false;
		a->k = ev->k;
	} else if (ev->k != a->k || (ev->state != TW_STEP_DONE &&
	    !is_bad(ev->state))) {
		return false;
	}
	a->step[a->k].undone = ev->state;
	a->state = TW_AUTO_UNDO;
	return true;
}

static bool on_verdict(struct tw_automaton *a, const struct tw_event *ev)
{
	if (ev->verdict == TW_VERDICT_NONE || ev->verdict != verdict_due(a))
		return false;
	a->verdict = ev->verdict;
	a->state = TW_AUTO_ENDED;
	return true;
}

typedef bool handler(struct tw_automaton *a, const struct tw_event *ev);

/* NULL: the event cannot happen in that state. */
static handler *const table[TW_AUTO_STATES][TW_EV_WORDS] = {
	[TW_AUTO_IDLE] = {
		[TW_EV_LIFE] = on_life, [TW_EV_START] = on_start,
		[TW_EV_CANCEL] = on_cancel, [TW_EV_VERDICT] = on_verdict,
	},
	[TW_AUTO_CHECKING] = {
		[TW_EV_LIFE] = on_life, [TW_EV_RUN] = on_run,
		[TW_EV_END] = on_end, [TW_EV_CANCEL] = on_cancel,
	},
	[TW_AUTO_RUNNING] = {
		[TW_EV_LIFE] = on_life, [TW_EV_TRY] = on_try,
		[TW_EV_AWAIT] = on_await, [TW_EV_END] = on_end,
		[TW_EV_CANCEL] = on_cancel,
	},
	[TW_AUTO_RETRYING] = {
		[TW_EV_LIFE] = on_life, [TW_EV_RUN] = on_run,
		[TW_EV_AWAIT] = on_await, [TW_EV_END] = on_end,
		[TW_EV_CANCEL] = on_cancel,
	},
	[TW_AUTO_CONFIRMING] = {
		[TW_EV_LIFE] = on_life, [TW_EV_END] = on_end,
		[TW_EV_CANCEL] = on_cancel,
	},
	[TW_AUTO_UNDO] = {
		[TW_EV_LIFE] = on_life, [TW_EV_UNDO] = on_undo,
		[TW_EV_UNDONE] = on_undone, [TW_EV_VERDICT] = on_verdict,
	},
	[TW_AUTO_UNDOING] = {
		[TW_EV_LIFE] = on_life, [TW_EV_UNDONE] = on_undone,
	},
};

bool tw_automaton_apply(struct tw_automaton *a, const struct tw_event *ev)
{
	handler *fn;

	if (ev->word >= TW_EV_WORDS || a->state >= TW_AUTO_STATES)
		return false;
	fn = table[a->state][ev->word];
	return fn && fn(a, ev);
}

/* --- leading: what an executor does --------------------------------------- */

enum tw_auto_action tw_automaton_next(const struct tw_automaton *a,
    bool verifying)
{
	switch (a->state) {
	case TW_AUTO_CHECKING:
	case TW_AUTO_RETRYING:	/* without a check it runs at once */
		return TW_DO_CHECK;
	case TW_AUTO_RUNNING:
		if (verifying)
			return TW_DO_VERIFY;
		return a->step[a->k].is_reboot ? TW_DO_REBOOT : TW_DO_RUN;
	case TW_AUTO_CONFIRMING:
		return TW_DO_CONFIRM;
	case TW_AUTO_UNDOING:
		return TW_DO_UNDO;
	default:
		return TW_DO_NOTHING;
	}
}

struct writer {			/* where the events of a decision go */
	struct tw_automaton *a;
	void (*fn)(void *arg, const struct tw_event *ev);
	void *arg;
};

static void put(struct writer *w, struct tw_event ev)
{
	/* an event it may not write is shown all the same: tests see it */
	tw_automaton_apply(w->a, &ev);
	w->fn(w->arg, &ev);
}

static struct tw_event event(enum tw_event_word word, int64_t k)
{
	struct tw_event ev = { .word = word, .k = k };

	return ev;
}

static struct tw_event ended(int64_t k, enum tw_step_state state,
    const char *phase, int64_t code)
{
	struct tw_event ev = event(TW_EV_END, k);

	ev.state = state;
	ev.code = code;
	snprintf(ev.phase, sizeof ev.phase, "%s", phase);
	return ev;
}

/* Undos that need no command, the next one that does, or the verdict. */
static void go_on_undoing(struct writer *w)
{
	struct tw_event ev;
	int64_t k;

	while ((k = tw_automaton_to_undo(w->a)) != 0) {
		if (w->a->step[k].undo == TW_BACK_SCRIPT) {
			put(w, event(TW_EV_UNDO, k));
			return;
		}
		ev = event(TW_EV_UNDONE, k);
		ev.state = TW_STEP_IMPOSSIBLE;
		put(w, ev);
	}
	ev = event(TW_EV_VERDICT, 0);
	ev.verdict = verdict_due(w->a);
	put(w, ev);
}

static void run(struct writer *w)
{
	struct tw_event ev = event(TW_EV_RUN, w->a->k);

	ev.attempt = w->a->step[w->a->k].attempts + 1;
	put(w, ev);
}

/* The next step, or the verdict. */
static void go_on(struct writer *w)
{
	struct tw_event ev;

	if (w->a->k <= w->a->n) {
		put(w, event(TW_EV_START, w->a->k));
		if (!w->a->step[w->a->k].has_check)
			run(w);
		return;
	}
	ev = event(TW_EV_VERDICT, 0);
	ev.verdict = TW_VERDICT_SUCCEEDED;
	put(w, ev);
}

static void good(struct writer *w, enum tw_step_state state, const char *phase)
{
	put(w, ended(w->a->k, state, phase, 0));
	go_on(w);
}

/* All of a step went well that it does by itself. */
static void carried_out(struct writer *w, const char *phase)
{
	struct tw_event ev = event(TW_EV_AWAIT, w->a->k);

	ev.limit = w->a->step[w->a->k].confirm;
	if (ev.limit > 0)
		put(w, ev);
	else
		good(w, TW_STEP_DONE, phase);
}

static void bad(struct writer *w, enum tw_step_state state, const char *phase,
    int64_t code)
{
	put(w, ended(w->a->k, state, phase, code));
	go_on_undoing(w);
}

static int64_t code_of(enum tw_auto_outcome o)
{
	return o == TW_WAS_BROKEN ? 127 : o == TW_WAS_NOT ? 1 : 0;
}

static void attempt_failed(struct writer *w, enum tw_auto_outcome outcome,
    const char *phase)
{
	struct tw_auto_step *st = &w->a->step[w->a->k];
	struct tw_event ev;

	ev = ended(w->a->k, outcome == TW_WAS_TIMEOUT ? TW_STEP_TIMED_OUT :
	    TW_STEP_FAILED, phase, code_of(outcome));
	if (st->attempts > st->retries) {
		bad(w, ev.state, phase, ev.code);
		return;
	}
	ev.word = TW_EV_TRY;
	ev.attempt = st->attempts;
	put(w, ev);
	if (!st->has_check)
		run(w);
}

static void check_came_out(struct writer *w, enum tw_auto_outcome o)
{
	bool ran = w->a->step[w->a->k].ran;

	if (o == TW_WAS_OK && ran)
		carried_out(w, "check");
	else if (o == TW_WAS_OK)
		good(w, TW_STEP_UNCHANGED, "check");
	else if (o == TW_WAS_NOT)
		run(w);
	else
		bad(w, o == TW_WAS_TIMEOUT ? TW_STEP_TIMED_OUT :
		    TW_STEP_FAILED, "check", code_of(o));
}

static void undo_came_out(struct writer *w, enum tw_auto_outcome o)
{
	struct tw_event ev = event(TW_EV_UNDONE, w->a->k);

	ev.state = o == TW_WAS_OK ? TW_STEP_DONE : o == TW_WAS_TIMEOUT ?
	    TW_STEP_TIMED_OUT : TW_STEP_FAILED;
	ev.code = code_of(o);
	put(w, ev);
	go_on_undoing(w);
}

/* The step under way ends as interrupted. */
static void interrupt(struct writer *w)
{
	if (w->a->state == TW_AUTO_CHECKING)
		bad(w, TW_STEP_INTERRUPTED, "check", 0);
	else if (w->a->state == TW_AUTO_RUNNING ||
	    w->a->state == TW_AUTO_RETRYING)
		bad(w, TW_STEP_INTERRUPTED, "run", 0);
	else if (w->a->state == TW_AUTO_CONFIRMING)
		bad(w, TW_STEP_INTERRUPTED, "confirm", 0);
	else
		go_on_undoing(w);
}

static void cancelled(struct writer *w, const char *who)
{
	struct tw_event ev = event(TW_EV_CANCEL, 0);

	snprintf(ev.text, sizeof ev.text, "%s", who);
	put(w, ev);
	interrupt(w);
}

static void another_life(struct writer *w)
{
	struct tw_event ev = event(TW_EV_LIFE, 0);

	ev.life = w->a->lives + 1;
	put(w, ev);
}

/* Another executor: what was under way is interrupted; but a reboot that has
 * not happened yet is waited for, and so is a confirmation. */
static void taken_over(struct writer *w)
{
	struct tw_automaton *a = w->a;
	struct tw_event ev;

	if (a->state == TW_AUTO_ENDED)
		return;
	another_life(w);
	if ((a->state == TW_AUTO_CONFIRMING && !a->cancelled) ||
	    (a->state == TW_AUTO_RUNNING && a->step[a->k].is_reboot))
		return;
	if (a->state == TW_AUTO_IDLE) {
		go_on(w);
	} else if (a->state == TW_AUTO_UNDOING) {
		ev = event(TW_EV_UNDONE, a->k);
		ev.state = TW_STEP_INTERRUPTED;
		put(w, ev);
		go_on_undoing(w);
	} else {
		interrupt(w);
	}
}

/* A reboot ends its executor: the next one finds that it has happened. */
static void reboot_came_out(struct writer *w, enum tw_auto_outcome o)
{
	if (o == TW_WAS_OK) {
		another_life(w);
		good(w, TW_STEP_DONE, "reboot");
	} else {
		bad(w, TW_STEP_TIMED_OUT, "reboot", 0);
	}
}

void tw_automaton_decide(struct tw_automaton *a, enum tw_auto_action action,
    enum tw_auto_outcome outcome, const char *who, bool *verifying,
    void (*fn)(void *arg, const struct tw_event *ev), void *arg)
{
	struct writer w = { a, fn, arg };
	bool was_verifying = *verifying;

	*verifying = false;
	if (outcome == TW_WAS_CRASH) {
		taken_over(&w);
		return;
	}
	if (outcome == TW_WAS_CANCEL && action == TW_DO_REBOOT)
		return;
	if (outcome == TW_WAS_CANCEL && a->state < TW_AUTO_UNDO) {
		cancelled(&w, who);
		return;
	}
	switch (action) {
	case TW_DO_CHECK:
		check_came_out(&w, outcome);
		break;
	case TW_DO_RUN:
		if (outcome != TW_WAS_OK)
			attempt_failed(&w, outcome, "run");
		else if (a->step[a->k].has_verify)
			*verifying = true;
		else
			carried_out(&w, "run");
		break;
	case TW_DO_VERIFY:
		if (outcome == TW_WAS_OK)
			carried_out(&w, "verify");
		else
			attempt_failed(&w, outcome, "verify");
		break;
	case TW_DO_REBOOT:
		reboot_came_out(&w, outcome);
		break;
	case TW_DO_CONFIRM:
		if (outcome == TW_WAS_OK)
			good(&w, TW_STEP_DONE, "confirm");
		else
			bad(&w, TW_STEP_TIMED_OUT, "confirm", 0);
		break;
	case TW_DO_UNDO:
		undo_came_out(&w, outcome == TW_WAS_CANCEL ? TW_WAS_OK :
		    outcome);
		break;
	case TW_DO_NOTHING:
		*verifying = was_verifying;
		break;
	}
}
