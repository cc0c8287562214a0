/*
 * test_automaton.c - lib/engine/automaton.c: every state with every event
 *
 * States are reached by histories a host could have written, as text.  The
 * program in all of them: three steps, each with a check before; 1 and 3 have
 * an undo command, that of 2 is impossible; each may be tried twice.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/automaton.h"

#define STEPS 3

struct change {
	struct tw_automaton a;
	struct tw_auto_step step[STEPS + 1];
};

static const struct tw_auto_step program[STEPS + 1] = {
	[1] = { .has_check = true, .retries = 1, .undo = TW_BACK_SCRIPT },
	[2] = { .has_check = true, .retries = 1, .undo = TW_BACK_IMPOSSIBLE },
	[3] = { .has_check = true, .retries = 1, .undo = TW_BACK_SCRIPT },
};

static void begin(struct change *c)
{
	memset(c, 0, sizeof *c);
	memcpy(c->step, program, sizeof program);
	tw_automaton_init(&c->a, c->step, STEPS);
}

static bool apply(struct change *c, const char *text)
{
	struct tw_event ev;
	char line[200];

	snprintf(line, sizeof line, "1 1 %s", text);
	ck_assert_msg(tw_event_parse(line, &ev), "no event: %s", text);
	return tw_automaton_apply(&c->a, &ev);
}

#define CONFIRMED "confirm"	/* no event: from here on all steps need it */

/* The events of a history are parted by ";". */
static void replay(struct change *c, const char *history)
{
	char copy[600], *save = NULL, *p;

	snprintf(copy, sizeof copy, "%s", history);
	for (p = strtok_r(copy, ";", &save); p; p = strtok_r(NULL, ";", &save)) {
		if (strcmp(p, CONFIRMED) != 0) {
			ck_assert_msg(apply(c, p), "\"%s\" of \"%s\"", p,
			    history);
			continue;
		}
		for (int k = 1; k <= STEPS; k++)
			c->step[k].confirm = 60;
	}
}

/* --- the table --- */

#define NO TW_AUTO_STATES	/* this event cannot happen there */
#define BEGUN "life 1 boot 7"
#define RAN1 BEGUN ";start 1;run 1 1"
#define DID1 RAN1 ";end 1 done verify 0"
#define DID2 DID1 ";start 2;run 2 1;end 2 done verify 0"
#define RAN3 DID2 ";start 3;run 3 1"
#define ASKED CONFIRMED ";" RAN1 ";await 1 60"

struct row {
	const char *history;
	enum tw_auto_state state;
	struct {
		const char *event;	/* the one that fits best */
		enum tw_auto_state then;
	} on[TW_EV_WORDS];
};

static const struct row rows[] = {
	{ "", TW_AUTO_IDLE, {
		{ "life 1 boot 7", TW_AUTO_IDLE },
		{ "start 1", NO },
		{ "run 1 1", NO },
		{ "try 1 1 failed run 1", NO },
		{ "await 1 60", NO },
		{ "end 1 done run 0", NO },
		{ "cancel ann", NO },
		{ "undo 1", NO },
		{ "undone 1 done 0", NO },
		{ "verdict succeeded", NO },
	} },
	{ BEGUN, TW_AUTO_IDLE, {
		{ "life 2 boot 7", TW_AUTO_IDLE },
		{ "start 1", TW_AUTO_CHECKING },
		{ "run 1 1", NO },
		{ "try 1 1 failed run 1", NO },
		{ "await 1 60", NO },
		{ "end 1 unchanged check 0", NO },
		{ "cancel ann", TW_AUTO_UNDO },
		{ "undo 1", NO },
		{ "undone 1 done 0", NO },
		{ "verdict succeeded", NO },
	} },
	{ DID1, TW_AUTO_IDLE, {
		{ "life 2 boot 7", TW_AUTO_IDLE },
		{ "start 2", TW_AUTO_CHECKING },
		{ "run 1 2", NO },
		{ "try 1 1 failed run 1", NO },
		{ "await 1 60", NO },
		{ "end 1 done run 0", NO },
		{ "cancel ann", TW_AUTO_UNDO },
		{ "undo 1", NO },
		{ "undone 1 done 0", NO },
		{ "verdict rolled-back", NO },
	} },
	{ RAN3 ";end 3 done verify 0", TW_AUTO_IDLE, {
		{ "life 2 boot 7", TW_AUTO_IDLE },
		{ "start 3", NO },
		{ "run 3 2", NO },
		{ "try 3 1 failed run 1", NO },
		{ "await 3 60", NO },
		{ "end 3 done run 0", NO },
		{ "cancel ann", TW_AUTO_UNDO },
		{ "undo 3", NO },
		{ "undone 3 done 0", NO },
		{ "verdict succeeded", TW_AUTO_ENDED },
	} },
	{ BEGUN ";start 1", TW_AUTO_CHECKING, {
		{ "life 2 boot 7", TW_AUTO_CHECKING },
		{ "start 1", NO },
		{ "run 1 1", TW_AUTO_RUNNING },
		{ "try 1 1 failed check 1", NO },
		{ "await 1 60", NO },
		{ "end 1 unchanged check 0", TW_AUTO_IDLE },
		{ "cancel ann", TW_AUTO_CHECKING },
		{ "undo 1", NO },
		{ "undone 1 done 0", NO },
		{ "verdict failed", NO },
	} },
	{ RAN1, TW_AUTO_RUNNING, {
		{ "life 2 boot 7", TW_AUTO_RUNNING },
		{ "start 1", NO },
		{ "run 1 2", NO },
		{ "try 1 1 failed run 1", TW_AUTO_RETRYING },
		{ "await 1 60", NO },
		{ "end 1 done run 0", TW_AUTO_IDLE },
		{ "cancel ann", TW_AUTO_RUNNING },
		{ "undo 1", NO },
		{ "undone 1 done 0", NO },
		{ "verdict failed", NO },
	} },
	{ RAN1 ";try 1 1 failed run 1", TW_AUTO_RETRYING, {
		{ "life 2 boot 7", TW_AUTO_RETRYING },
		{ "start 1", NO },
		{ "run 1 2", TW_AUTO_RUNNING },
		{ "try 1 1 failed run 1", NO },
		{ "await 1 60", NO },
		{ "end 1 done check 0", TW_AUTO_IDLE },
		{ "cancel ann", TW_AUTO_RETRYING },
		{ "undo 1", NO },
		{ "undone 1 done 0", NO },
		{ "verdict failed", NO },
	} },
	{ CONFIRMED ";" RAN1, TW_AUTO_RUNNING, {
		{ "life 2 boot 7", TW_AUTO_RUNNING },
		{ "start 1", NO },
		{ "run 1 2", NO },
		{ "try 1 1 failed run 1", TW_AUTO_RETRYING },
		{ "await 1 60", TW_AUTO_CONFIRMING },
		{ "end 1 done run 0", NO },
		{ "cancel ann", TW_AUTO_RUNNING },
		{ "undo 1", NO },
		{ "undone 1 done 0", NO },
		{ "verdict failed", NO },
	} },
	{ CONFIRMED ";" RAN1 ";try 1 1 failed run 1", TW_AUTO_RETRYING, {
		{ "life 2 boot 7", TW_AUTO_RETRYING },
		{ "start 1", NO },
		{ "run 1 2", TW_AUTO_RUNNING },
		{ "try 1 1 failed run 1", NO },
		{ "await 1 60", TW_AUTO_CONFIRMING },
		{ "end 1 done check 0", NO },
		{ "cancel ann", TW_AUTO_RETRYING },
		{ "undo 1", NO },
		{ "undone 1 done 0", NO },
		{ "verdict failed", NO },
	} },
	{ ASKED, TW_AUTO_CONFIRMING, {
		{ "life 2 boot 7", TW_AUTO_CONFIRMING },
		{ "start 1", NO },
		{ "run 1 2", NO },
		{ "try 1 1 failed run 1", NO },
		{ "await 1 60", NO },
		{ "end 1 done confirm 0", TW_AUTO_IDLE },
		{ "cancel ann", TW_AUTO_CONFIRMING },
		{ "undo 1", NO },
		{ "undone 1 done 0", NO },
		{ "verdict succeeded", NO },
	} },
	{ RAN1 ";end 1 interrupted run 0", TW_AUTO_UNDO, {
		{ "life 2 boot 7", TW_AUTO_UNDO },
		{ "start 1", NO },
		{ "run 1 2", NO },
		{ "try 1 1 failed run 1", NO },
		{ "await 1 60", NO },
		{ "end 1 failed run 1", NO },
		{ "cancel ann", NO },
		{ "undo 1", TW_AUTO_UNDOING },
		{ "undone 1 done 0", NO },
		{ "verdict rolled-back", NO },
	} },
	{ DID2 ";cancel ann", TW_AUTO_UNDO, {
		{ "life 2 boot 7", TW_AUTO_UNDO },
		{ "start 3", NO },
		{ "run 3 1", NO },
		{ "try 2 1 failed run 1", NO },
		{ "await 2 60", NO },
		{ "end 2 interrupted run 0", NO },
		{ "cancel bob", NO },
		{ "undo 2", NO },
		{ "undone 2 impossible 0", TW_AUTO_UNDO },
		{ "verdict failed", NO },
	} },
	{ DID1 ";start 2;end 2 failed check 127;undo 1;undone 1 done 0",
	    TW_AUTO_UNDO, {
		{ "life 2 boot 7", TW_AUTO_UNDO },
		{ "start 2", NO },
		{ "run 2 1", NO },
		{ "try 2 1 failed run 1", NO },
		{ "await 2 60", NO },
		{ "end 2 failed check 127", NO },
		{ "cancel ann", NO },
		{ "undo 1", NO },
		{ "undone 1 done 0", NO },
		{ "verdict rolled-back", TW_AUTO_ENDED },
	} },
	{ RAN1 ";end 1 failed run 1;undo 1", TW_AUTO_UNDOING, {
		{ "life 2 boot 7", TW_AUTO_UNDOING },
		{ "start 1", NO },
		{ "run 1 2", NO },
		{ "try 1 1 failed run 1", NO },
		{ "await 1 60", NO },
		{ "end 1 failed run 1", NO },
		{ "cancel ann", NO },
		{ "undo 1", NO },
		{ "undone 1 done 0", TW_AUTO_UNDO },
		{ "verdict failed", NO },
	} },
	{ BEGUN ";cancel ann;verdict rolled-back", TW_AUTO_ENDED, {
		{ "life 2 boot 7", NO },
		{ "start 1", NO },
		{ "run 1 1", NO },
		{ "try 1 1 failed run 1", NO },
		{ "await 1 60", NO },
		{ "end 1 done run 0", NO },
		{ "cancel ann", NO },
		{ "undo 1", NO },
		{ "undone 1 done 0", NO },
		{ "verdict rolled-back", NO },
	} },
};
#define ROWS (sizeof rows / sizeof rows[0])

START_TEST(every_state_takes_every_event_as_the_table_says)
{
	const struct row *row = &rows[_i / TW_EV_WORDS];
	int word = _i % TW_EV_WORDS;
	const char *event = row->on[word].event;
	enum tw_auto_state then = row->on[word].then;
	struct change c, before;
	struct tw_event ev;
	char line[200];

	begin(&c);
	replay(&c, row->history);
	ck_assert_str_eq(tw_auto_state_name(c.a.state),
	    tw_auto_state_name(row->state));
	snprintf(line, sizeof line, "1 1 %s", event);
	ck_assert(tw_event_parse(line, &ev));
	ck_assert_int_eq((int)ev.word, word);
	before = c;
	ck_assert_msg(apply(&c, event) == (then != NO), "%s, after \"%s\"",
	    event, row->history);
	if (then != NO) {
		ck_assert_str_eq(tw_auto_state_name(c.a.state),
		    tw_auto_state_name(then));
		return;
	}
	before.a.step = c.a.step;
	ck_assert_mem_eq(&c.a, &before.a, sizeof c.a);
	ck_assert_mem_eq(c.step, before.step, sizeof c.step);
}
END_TEST

START_TEST(the_table_has_every_state)
{
	bool seen[TW_AUTO_STATES] = { false };

	for (size_t i = 0; i < ROWS; i++)
		seen[rows[i].state] = true;
	for (int s = 0; s < TW_AUTO_STATES; s++)
		ck_assert_msg(seen[s], "no row for %s",
		    tw_auto_state_name((enum tw_auto_state)s));
}
END_TEST

/* --- guards --- */

static const struct {
	const char *history, *event;
	bool allowed;
} guards[] = {
	/* whose step */
	{ BEGUN, "start 0", false },
	{ BEGUN, "start 2", false },
	{ BEGUN, "start 4", false },
	{ DID1, "start 1", false },
	{ DID1, "start 3", false },
	{ BEGUN ";start 1", "run 2 1", false },
	{ BEGUN ";start 1", "run 0 1", false },
	{ BEGUN ";start 1", "end 2 unchanged check 0", false },
	{ DID1 ";start 2", "end 1 unchanged check 0", false },
	{ RAN1, "end 2 done run 0", false },
	{ RAN1, "try 2 1 failed run 1", false },
	{ DID1 ";start 2", "end 99999999999999 failed run 1", false },
	/* which attempt */
	{ BEGUN ";start 1", "run 1 0", false },
	{ BEGUN ";start 1", "run 1 2", false },
	{ RAN1 ";try 1 1 failed run 1", "run 1 1", false },
	{ RAN1 ";try 1 1 failed run 1", "run 1 3", false },
	{ RAN1, "try 1 0 failed run 1", false },
	{ RAN1, "try 1 2 failed run 1", false },
	{ RAN1 ";try 1 1 failed run 1;run 1 2", "try 1 2 failed run 1", false },
	{ RAN1 ";try 1 1 failed run 1;run 1 2", "try 1 1 failed run 1", false },
	{ RAN1 ";try 1 1 failed run 1;run 1 2", "end 1 failed run 1", true },
	{ RAN1 ";try 1 1 failed run 1;run 1 2", "end 1 done run 0", true },
	/* how an attempt and a step may end */
	{ RAN1, "try 1 1 timed-out verify 0", true },
	{ RAN1, "try 1 1 done run 0", false },
	{ RAN1, "try 1 1 interrupted run 0", false },
	{ RAN1, "try 1 1 unchanged run 0", false },
	{ RAN1, "end 1 unchanged check 0", false },
	{ RAN1, "end 1 impossible run 0", false },
	{ RAN1, "end 1 failed run 1", true },
	{ RAN1, "end 1 timed-out run 0", true },
	{ RAN1, "end 1 interrupted run 0", true },
	{ BEGUN ";start 1", "end 1 done check 0", false },
	{ BEGUN ";start 1", "end 1 impossible check 0", false },
	{ BEGUN ";start 1", "end 1 failed check 127", true },
	{ BEGUN ";start 1", "end 1 timed-out check 0", true },
	{ BEGUN ";start 1", "end 1 interrupted check 0", true },
	{ RAN1 ";try 1 1 failed run 1", "end 1 unchanged check 0", false },
	/* what is to be confirmed, how long, and how that may end */
	{ CONFIRMED ";" RAN1, "await 2 60", false },
	{ CONFIRMED ";" RAN1, "await 1 59", false },
	{ CONFIRMED ";" RAN1, "await 1 0", false },
	{ RAN1, "await 1 0", false },
	{ CONFIRMED ";" RAN1 ";cancel ann", "await 1 60", false },
	{ CONFIRMED ";" RAN1, "end 1 failed run 1", true },
	{ CONFIRMED ";" BEGUN ";start 1", "end 1 unchanged check 0", true },
	{ ASKED, "end 2 done confirm 0", false },
	{ ASKED, "end 1 unchanged confirm 0", false },
	{ ASKED, "end 1 failed confirm 1", false },
	{ ASKED, "end 1 timed-out confirm 0", true },
	{ ASKED, "end 1 interrupted confirm 0", true },
	{ ASKED ";cancel ann", "end 1 done confirm 0", false },
	{ ASKED ";cancel ann", "end 1 interrupted confirm 0", true },
	{ ASKED ";end 1 timed-out confirm 0", "undo 1", true },
	{ RAN1 ";try 1 1 failed run 1", "end 1 failed check 127", true },
	{ RAN1 ";try 1 1 failed run 1", "end 1 interrupted run 0", true },
	/* nothing goes forward after a cancel */
	{ BEGUN ";cancel ann", "start 1", false },
	{ BEGUN ";cancel ann", "verdict rolled-back", true },
	{ BEGUN ";cancel ann", "verdict succeeded", false },
	{ BEGUN ";cancel ann", "cancel ann", false },
	{ BEGUN ";start 1;cancel ann", "run 1 1", false },
	{ BEGUN ";start 1;cancel ann", "end 1 unchanged check 0", false },
	{ BEGUN ";start 1;cancel ann", "end 1 interrupted check 0", true },
	{ BEGUN ";start 1;cancel ann", "cancel ann", false },
	{ RAN1 ";cancel ann", "try 1 1 failed run 1", false },
	{ RAN1 ";cancel ann", "end 1 done run 0", false },
	{ RAN1 ";cancel ann", "end 1 interrupted run 0", true },
	{ RAN1 ";try 1 1 failed run 1;cancel ann", "run 1 2", false },
	{ RAN1 ";try 1 1 failed run 1;cancel ann", "end 1 done check 0",
	    false },
	{ RAN3 ";end 3 done run 0;cancel ann", "verdict succeeded", false },
	/* lives */
	{ "", "life 0 boot 7", false },
	{ "", "life 2 boot 7", false },
	{ BEGUN, "life 1 boot 7", true },	/* its stream was seen first */
	{ BEGUN, "life 3 boot 7", false },
	{ BEGUN ";life 2 b 1", "life 1 boot 7", false },
	/* undo: of what ran, in reverse, once, by the program's kind */
	{ RAN3 ";end 3 failed run 1", "undo 1", false },
	{ RAN3 ";end 3 failed run 1", "undo 2", false },
	{ RAN3 ";end 3 failed run 1", "undone 2 impossible 0", false },
	{ RAN3 ";end 3 failed run 1", "undone 3 impossible 0", false },
	{ RAN3 ";end 3 failed run 1", "undo 3", true },
	{ RAN3 ";end 3 failed run 1", "undo 0", false },
	{ RAN3 ";end 3 failed run 1", "undo 4", false },
	{ RAN3 ";end 3 failed run 1", "verdict failed", false },
	{ RAN3 ";end 3 failed run 1;undo 3", "undone 3 impossible 0", false },
	{ RAN3 ";end 3 failed run 1;undo 3", "undone 2 done 0", false },
	{ RAN3 ";end 3 failed run 1;undo 3", "undone 3 unchanged 0", false },
	{ RAN3 ";end 3 failed run 1;undo 3", "undone 3 failed 1", true },
	{ RAN3 ";end 3 failed run 1;undo 3", "undone 3 timed-out 0", true },
	{ RAN3 ";end 3 failed run 1;undo 3", "undone 3 interrupted 0", true },
	{ RAN3 ";end 3 failed run 1;undo 3;undone 3 failed 1", "undo 3",
	    false },
	{ RAN3 ";end 3 failed run 1;undo 3;undone 3 failed 1", "undo 2",
	    false },
	{ RAN3 ";end 3 failed run 1;undo 3;undone 3 failed 1", "undo 1",
	    false },
	{ RAN3 ";end 3 failed run 1;undo 3;undone 3 failed 1",
	    "undone 2 done 0", false },
	{ RAN3 ";end 3 failed run 1;undo 3;undone 3 failed 1",
	    "undone 2 impossible 0", true },
	{ RAN3 ";end 3 failed run 1;undo 3;undone 3 done 0;"
	    "undone 2 impossible 0", "undone 2 impossible 0", false },
	{ RAN3 ";end 3 failed run 1;undo 3;undone 3 done 0;"
	    "undone 2 impossible 0", "undo 1", true },
	{ RAN3 ";end 3 failed run 1;undo 3;undone 3 done 0;"
	    "undone 2 impossible 0;undo 1;undone 1 done 0", "undo 1", false },
	/* which verdict is due */
	{ RAN3 ";end 3 failed run 1;undo 3;undone 3 done 0;"
	    "undone 2 impossible 0;undo 1;undone 1 done 0",
	    "verdict rolled-back", false },
	{ RAN3 ";end 3 failed run 1;undo 3;undone 3 done 0;"
	    "undone 2 impossible 0;undo 1;undone 1 done 0",
	    "verdict failed", true },
	{ RAN1 ";end 1 failed run 1;undo 1;undone 1 done 0",
	    "verdict failed", false },
	{ RAN1 ";end 1 failed run 1;undo 1;undone 1 done 0",
	    "verdict succeeded", false },
	{ RAN1 ";end 1 failed run 1;undo 1;undone 1 done 0",
	    "verdict rolled-back", true },
	{ RAN1 ";end 1 failed run 1;undo 1;undone 1 timed-out 0",
	    "verdict rolled-back", false },
	{ RAN1 ";end 1 failed run 1;undo 1;undone 1 timed-out 0",
	    "verdict failed", true },
	{ BEGUN ";start 1;end 1 failed check 126", "undo 1", false },
	{ BEGUN ";start 1;end 1 failed check 126", "verdict rolled-back",
	    true },
	{ BEGUN ";start 1;end 1 unchanged check 0;start 2;run 2 1;"
	    "end 2 failed run 1;undone 2 impossible 0", "undo 1", false },
	{ BEGUN ";start 1;end 1 unchanged check 0;start 2;run 2 1;"
	    "end 2 failed run 1;undone 2 impossible 0", "verdict failed",
	    true },
	{ RAN3 ";end 3 done run 0", "verdict rolled-back", false },
	{ RAN3 ";end 3 done run 0", "verdict failed", false },
};

START_TEST(a_guard_holds)
{
	struct change c, before;

	begin(&c);
	replay(&c, guards[_i].history);
	before = c;
	ck_assert_msg(apply(&c, guards[_i].event) == guards[_i].allowed,
	    "%s, after \"%s\"", guards[_i].event, guards[_i].history);
	if (guards[_i].allowed)
		return;
	ck_assert_mem_eq(&c.a, &before.a, sizeof c.a);
	ck_assert_mem_eq(c.step, before.step, sizeof c.step);
}
END_TEST

START_TEST(words_and_states_beyond_the_table_are_refused)
{
	struct tw_event ev = { .word = TW_EV_WORDS };
	struct change c;

	begin(&c);
	ck_assert(!tw_automaton_apply(&c.a, &ev));
	ev.word = TW_EV_LIFE;
	ev.life = 1;
	c.a.state = TW_AUTO_STATES;
	ck_assert(!tw_automaton_apply(&c.a, &ev));
	ck_assert_str_eq(tw_auto_state_name(TW_AUTO_STATES), "?");
}
END_TEST

START_TEST(nothing_to_undo_is_passed_over_in_silence)
{
	struct change c;

	begin(&c);
	c.step[2].undo = TW_BACK_NOTHING;
	replay(&c, RAN3 ";end 3 failed run 1;undo 3;undone 3 done 0");
	ck_assert_int_eq(tw_automaton_to_undo(&c.a), 1);
	ck_assert(!apply(&c, "undone 2 impossible 0"));
	replay(&c, "undo 1;undone 1 done 0;verdict rolled-back");
	ck_assert_int_eq(c.a.verdict, TW_VERDICT_ROLLED_BACK);
}
END_TEST

START_TEST(kinds_of_undo_have_their_names)
{
	ck_assert_int_eq(tw_back_of("none"), TW_BACK_NONE);
	ck_assert_int_eq(tw_back_of("impossible"), TW_BACK_IMPOSSIBLE);
	ck_assert_int_eq(tw_back_of("nothing"), TW_BACK_NOTHING);
	ck_assert_int_eq(tw_back_of("script"), TW_BACK_SCRIPT);
	ck_assert_int_eq(tw_back_of("auto"), TW_BACK_SCRIPT);
}
END_TEST

/* What the tower stored in another order than it was told. */
START_TEST(a_failed_step_is_restored_as_rolling_back)
{
	struct change c;

	begin(&c);
	replay(&c, DID1 ";start 2;run 2 1;end 2 failed run 1");
	tw_automaton_restore(&c.a, false, 1);
	ck_assert_str_eq(tw_auto_state_name(c.a.state), "undo");
	ck_assert(!apply(&c, "start 2"));
	replay(&c, "undone 2 impossible 0;undo 1");
}
END_TEST

/* The tower had read no more of stream 3 than where it begins, and the power has
 * eaten those before it. */
START_TEST(lives_whose_streams_were_lost_are_told_of_later)
{
	struct change c;

	begin(&c);
	tw_automaton_restore(&c.a, false, 3);
	ck_assert(!apply(&c, "life 5 boot 7"));
	ck_assert(!apply(&c, "life 0 boot 7"));
	replay(&c, "life 1 boot 7");
	ck_assert(!apply(&c, "life 3 boot 7"));
	replay(&c, "start 1;life 2 boot 7;run 1 1;life 3 boot 7");
	ck_assert(!apply(&c, "life 2 boot 7"));
	tw_automaton_restore(&c.a, false, 3);
	replay(&c, "life 4 boot 7");
}
END_TEST

/* A state that lies: what is stored must not let a step begin once more. */
START_TEST(a_restored_state_keeps_the_guards)
{
	struct change c;

	begin(&c);
	c.step[1].state = TW_STEP_RETRYING;
	c.step[1].attempts = 2;
	c.step[1].ran = true;
	tw_automaton_restore(&c.a, false, 1);
	ck_assert_str_eq(tw_auto_state_name(c.a.state), "retrying");
	ck_assert(!apply(&c, "run 1 3"));
	begin(&c);
	c.a.cancelled = true;
	tw_automaton_restore(&c.a, false, 1);
	ck_assert_str_eq(tw_auto_state_name(c.a.state), "idle");
	ck_assert(!apply(&c, "start 1"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("automaton");
	TCase *tc = tcase_create("automaton");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc,
	    every_state_takes_every_event_as_the_table_says, 0,
	    (int)ROWS * TW_EV_WORDS);
	tcase_add_test(tc, the_table_has_every_state);
	tcase_add_loop_test(tc, a_guard_holds, 0,
	    (int)(sizeof guards / sizeof guards[0]));
	tcase_add_test(tc, words_and_states_beyond_the_table_are_refused);
	tcase_add_test(tc, nothing_to_undo_is_passed_over_in_silence);
	tcase_add_test(tc, kinds_of_undo_have_their_names);
	tcase_add_test(tc, a_failed_step_is_restored_as_rolling_back);
	tcase_add_test(tc, a_restored_state_keeps_the_guards);
	tcase_add_test(tc, lives_whose_streams_were_lost_are_told_of_later);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
