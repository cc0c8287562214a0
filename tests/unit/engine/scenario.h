/*
 * scenario.h - a change made by chance, and what the automaton says of it
 *
 * From a number: steps, how each phase of each of them comes out at each use,
 * and at most one thing that comes in between.  scenario_lead() has the
 * automaton carry it out; scenario_text() is the same as a program for the
 * executor, whose phases count their uses in files and come out as planned.
 * Both must write the same events.
 */
#ifndef TEST_ENGINE_SCENARIO_H
#define TEST_ENGINE_SCENARIO_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "engine/automaton.h"

#define STEPS_MAX 4
#define USES_MAX 9
#define NEVER 3			/* seconds: not confirmed in that time */
#define PATIENTLY 300

enum part { CHECK, UNLESS, RUN, VERIFY, UNDO, CONFIRM, PARTS };
static const char *const part_names[PARTS] = {
	"check", "unless", "run", "verify", "undo", "confirm",
};

enum between {			/* what comes in between */
	NOTHING,
	CANCEL,			/* an operator, while a phase runs */
	CRASH,			/* the executor is killed while a phase runs */
	CUT,			/* the record ends after some event */
	TIMEOUT,		/* nothing, but phases may take too long */
};
static const char *const between_names[] = {
	"nothing", "cancel", "crash", "cut", "timeout",
};

struct scenario {
	uint64_t number;
	enum between between;
	int64_t n;
	struct tw_auto_step step[STEPS_MAX + 1];	/* from 1 */
	bool has[STEPS_MAX + 1][PARTS];
	bool too_slow[STEPS_MAX + 1];	/* some phase takes too long */
	/* of each use of each phase, from 1 */
	enum tw_auto_outcome outcome[STEPS_MAX + 1][PARTS][USES_MAX + 1];
	int at;			/* the action at which it comes; -1: none */
	enum part at_part;	/* of what phase that is */
	int64_t at_k;
	int cut_after;		/* CUT: events that are left */
	/* what must come of it */
	struct tw_buf events, uses;
	struct tw_buf output[STEPS_MAX + 1][2];	/* of the step, of its undo */
	int n_events, actions;
	int undos;		/* of the actions, the last ones */
};

/* --- chance --- */

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

/* Below n; the same for the same scenario and place. */
static int chance(const struct scenario *s, int place, int n)
{
	return (int)(mix(mix(s->number) ^ (uint64_t)place) % (uint64_t)n);
}

static enum tw_auto_outcome come_out(const struct scenario *s, int64_t k,
    enum part part, int use)
{
	int roll = chance(s, (int)k * 1000 + (int)part * 100 + use, 100);

	if (s->between == TIMEOUT && roll >= 80 && part != CONFIRM)
		return TW_WAS_TIMEOUT;
	switch (part) {
	case CHECK:	/* also asked after: then it had better hold */
		return use == 1 ? roll < 15 ? TW_WAS_OK : roll < 93 ?
		    TW_WAS_NOT : TW_WAS_BROKEN : roll < 65 ? TW_WAS_OK :
		    roll < 95 ? TW_WAS_NOT : TW_WAS_BROKEN;
	case CONFIRM:
		return s->step[k].confirm == NEVER ? TW_WAS_TIMEOUT : TW_WAS_OK;
	case UNLESS:
		return roll < 20 ? TW_WAS_OK : roll < 93 ? TW_WAS_NOT :
		    TW_WAS_BROKEN;
	case RUN:
	case VERIFY:
		return roll < 75 ? TW_WAS_OK : roll < 93 ? TW_WAS_NOT :
		    TW_WAS_BROKEN;
	default:
		return roll < 80 ? TW_WAS_OK : roll < 93 ? TW_WAS_NOT :
		    TW_WAS_BROKEN;
	}
}

static void make_step(struct scenario *s, int64_t k)
{
	static const enum tw_back undos[] = {
		TW_BACK_SCRIPT, TW_BACK_SCRIPT, TW_BACK_SCRIPT,
		TW_BACK_SCRIPT, TW_BACK_NOTHING, TW_BACK_IMPOSSIBLE,
		TW_BACK_NONE,
	};
	struct tw_auto_step *st = &s->step[k];
	int shape = chance(s, 100 + (int)k, 6);

	s->has[k][CHECK] = shape == 1 || shape == 2;
	s->has[k][UNLESS] = shape == 3 || shape == 5;
	s->has[k][VERIFY] = shape == 4 || shape == 5;
	s->has[k][RUN] = true;
	st->has_check = s->has[k][CHECK] || s->has[k][UNLESS];
	st->has_verify = s->has[k][CHECK] || s->has[k][VERIFY];
	st->retries = chance(s, 200 + (int)k, 3);
	st->undo = undos[chance(s, 300 + (int)k, 7)];
	s->has[k][UNDO] = st->undo == TW_BACK_SCRIPT;
	if (chance(s, 400 + (int)k, 3) > 0)
		return;
	/* what comes in between must not come too late */
	st->confirm = s->between != CANCEL && s->between != CRASH &&
	    chance(s, 500 + (int)k, 4) == 0 ? NEVER : PATIENTLY;
}

/* --- led by the automaton --- */

struct lead {
	struct scenario *s;
	struct tw_auto_step step[STEPS_MAX + 1];
	struct tw_automaton a;
	bool verifying;
	int used[STEPS_MAX + 1][PARTS];
	int follow;		/* only so many events more, then a crash */
};

static void on_lead(void *arg, const struct tw_event *ev)
{
	struct lead *l = arg;

	if (l->follow > 0 && --l->follow == 0)
		l->follow = -1;
	else if (l->follow < 0)
		return;		/* the power was cut before this one */
	tw_event_format(ev, &l->s->events);
	tw_buf_addc(&l->s->events, '\n');
	l->s->n_events++;
}

static enum part part_of(const struct lead *l, enum tw_auto_action action)
{
	const bool *has = l->s->has[l->a.k];

	switch (action) {
	case TW_DO_CHECK:
		return has[CHECK] ? CHECK : UNLESS;
	case TW_DO_VERIFY:
		return has[CHECK] ? CHECK : VERIFY;
	case TW_DO_UNDO:
		return UNDO;
	case TW_DO_CONFIRM:
		return CONFIRM;
	default:
		return RUN;
	}
}

static void act(struct lead *l, enum tw_auto_action action)
{
	struct scenario *s = l->s;
	enum part part = part_of(l, action);
	int64_t k = l->a.k;
	int use = ++l->used[k][part];
	enum tw_auto_outcome out;

	if (use > USES_MAX)
		abort();
	out = come_out(s, k, part, use);
	if (s->actions++ == s->at) {
		out = s->between == CANCEL ? TW_WAS_CANCEL : TW_WAS_CRASH;
		s->at_part = part;
		s->at_k = k;
	}
	s->outcome[k][part][use] = out;
	s->undos += part == UNDO;
	if (part != CONFIRM) {
		s->too_slow[k] = s->too_slow[k] || out == TW_WAS_TIMEOUT;
		tw_buf_addf(&s->uses, "%" PRId64 " %s %d\n", k,
		    part_names[part], use);
		tw_buf_addf(&s->output[k][part == UNDO], "%s %d\n",
		    part_names[part], use);
	}
	tw_automaton_decide(&l->a, action, out, "ann", &l->verifying, on_lead,
	    l);
}

static void lead_on(struct lead *l)
{
	while (l->a.state != TW_AUTO_ENDED && l->follow >= 0)
		act(l, tw_automaton_next(&l->a, l->verifying));
}

static void lead_init(struct lead *l, struct scenario *s, int follow)
{
	memset(l, 0, sizeof *l);
	l->s = s;
	memcpy(l->step, s->step, sizeof s->step);
	l->follow = follow;
	tw_automaton_init(&l->a, l->step, s->n);
	s->n_events = s->actions = s->undos = 0;
	tw_buf_reset(&s->events);
	tw_buf_reset(&s->uses);
	for (int64_t k = 1; k <= s->n; k++)
		for (int u = 0; u < 2; u++)
			tw_buf_reset(&s->output[k][u]);
	tw_automaton_decide(&l->a, TW_DO_NOTHING, TW_WAS_CRASH, "-",
	    &l->verifying, on_lead, l);
}

static void scenario_lead(struct scenario *s)
{
	struct lead l;

	lead_init(&l, s, 0);
	lead_on(&l);
}

/* Follows the events that are left with a fresh automaton, then leads on; the
 * phases count their uses from 1 again.  After scenario_lead(). */
static void scenario_lead_cut(struct scenario *s)
{
	struct lead l, fresh;
	char line[200], *events, *p, *save = NULL;
	struct tw_event ev;

	lead_init(&l, s, s->cut_after);
	lead_on(&l);
	events = strdup(tw_buf_str(&s->events));
	lead_init(&fresh, s, 0);
	tw_automaton_init(&fresh.a, fresh.step, s->n);
	memcpy(fresh.step, s->step, sizeof s->step);
	tw_buf_reset(&s->events);
	tw_buf_adds(&s->events, events);
	s->n_events = s->cut_after;
	for (p = strtok_r(events, "\n", &save); p;
	    p = strtok_r(NULL, "\n", &save)) {
		snprintf(line, sizeof line, "1 1 %s%s", p,
		    strncmp(p, "life", 4) == 0 ? " boot 1" : "");
		if (!tw_event_parse(line, &ev) ||
		    !tw_automaton_apply(&fresh.a, &ev))
			abort();
	}
	free(events);
	tw_automaton_decide(&fresh.a, TW_DO_NOTHING, TW_WAS_CRASH, "-",
	    &fresh.verifying, on_lead, &fresh);
	lead_on(&fresh);
}

/* All of it but the events, which scenario_lead() fills. */
static void scenario_make(struct scenario *s, uint64_t number,
    enum between between)
{
	memset(s, 0, sizeof *s);
	s->number = number;
	s->between = between;
	s->n = 1 + chance(s, 1, STEPS_MAX);
	for (int64_t k = 1; k <= s->n; k++)
		make_step(s, k);
	s->at = -1;
	scenario_lead(s);
	if ((between == CANCEL || between == CRASH) && s->undos > 0 &&
	    number / 10 % 2 == 1)
		s->at = s->actions - 1 - chance(s, 2, s->undos);
	else if (between == CANCEL || between == CRASH)
		s->at = chance(s, 2, s->actions);
	else if (between == CUT)
		s->cut_after = 1 + chance(s, 2, s->n_events - 1);
}

static void scenario_release(struct scenario *s)
{
	tw_buf_release(&s->events);
	tw_buf_release(&s->uses);
	for (int64_t k = 1; k <= s->n; k++)
		for (int u = 0; u < 2; u++)
			tw_buf_release(&s->output[k][u]);
}

/* --- as a program --- */

static void add_phase(const struct scenario *s, int64_t k, enum part part,
    const char *dir, struct tw_buf *out)
{
	static const char *const how[] = {
		[TW_WAS_OK] = "exit 0", [TW_WAS_NOT] = "exit 1",
		[TW_WAS_BROKEN] = "exit 127",
		[TW_WAS_TIMEOUT] = "sleep 600 & sleep 600",
		[TW_WAS_CANCEL] = "wait_there", [TW_WAS_CRASH] = "wait_there",
	};
	/* long enough for the executor to see the cancel, and ignore it */
	const char *linger = part == UNDO && s->between == CANCEL ?
	    "; sleep 2" : "";

	tw_buf_addf(out, "s_text %" PRId64 " %s 'd=%s p=%" PRId64 ".%s\n", k,
	    part_names[part], dir, k, part_names[part]);
	tw_buf_adds(out,
	    "wait_there() { echo there >$d/there; read -r go <$d/go");
	tw_buf_adds(out, linger);
	tw_buf_adds(out, "; }\n"
	    "read -r n <$d/$p; n=$((n + 1)); echo $n >$d/$p\n"
	    "echo \"${p%.*} ${p#*.} $n\" >>$d/uses; echo \"${p#*.} $n\"\n"
	    "case $n in\n");
	for (int use = 1; use <= USES_MAX; use++)
		tw_buf_addf(out, "%d) %s ;;\n", use,
		    how[s->outcome[k][part][use]]);
	tw_buf_adds(out, "*) exit 99 ;;\nesac'\n");
}

/* dir: an absolute path without quotes or blanks, where the phases find their
 * counters and leave their traces. */
static void scenario_text(const struct scenario *s, const char *dir,
    struct tw_buf *out)
{
	static const char *const undos[] = {
		[TW_BACK_NONE] = "none", [TW_BACK_IMPOSSIBLE] = "impossible",
		[TW_BACK_NOTHING] = "nothing", [TW_BACK_SCRIPT] = "script",
	};

	for (int64_t k = 1; k <= s->n; k++) {
		tw_buf_addf(out, "s_step %" PRId64 " run %d %" PRId64
		    " 0 'step'\n", k, s->too_slow[k] ? 2 : 300,
		    s->step[k].retries);
		for (int part = 0; part < PARTS; part++)
			if (s->has[k][part])
				add_phase(s, k, (enum part)part, dir, out);
		tw_buf_addf(out, "s_undo %" PRId64 " %s\n", k,
		    undos[s->step[k].undo]);
		if (s->step[k].confirm)
			tw_buf_addf(out, "s_confirm %" PRId64 " %" PRId64 "\n",
			    k, s->step[k].confirm);
	}
	tw_buf_addf(out, "s_end %" PRId64 "\n", s->n);
}

#endif
