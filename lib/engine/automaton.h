/*
 * automaton.h - the life of a change on its host, as a pure function
 *
 * Two faces over one state.  tw_automaton_apply() follows: given a state and
 * an event of the host's journal it gives the next state, or says that this
 * event cannot happen there.  tw_automaton_next() and tw_automaton_decide()
 * lead: what an executor does next, and which events it writes when that came
 * out so or so; the executor in sh must decide the same, which tests compare.
 *
 * Nothing here knows of time, hosts, files or the state of the tower.
 */
#ifndef TW_ENGINE_AUTOMATON_H
#define TW_ENGINE_AUTOMATON_H

#include "engine/journal.h"

enum tw_back {
	TW_BACK_NONE,		/* there is none */
	TW_BACK_IMPOSSIBLE,	/* declared so */
	TW_BACK_NOTHING,	/* there is nothing to undo */
	TW_BACK_SCRIPT,		/* a command, or automatic */
};
/* "none", "impossible", "nothing", "script", "auto". */
enum tw_back tw_back_of(const char *name);

struct tw_auto_step {		/* the program: what never changes */
	bool has_check;		/* something is asked before */
	bool has_verify;	/* something is asked after */
	bool is_reboot;
	int64_t retries;
	int64_t confirm;	/* seconds; 0: it needs no confirmation */
	enum tw_back undo;
	/* what became of it */
	enum tw_step_state state;
	bool ran;		/* a `run` was written: it may have applied */
	int64_t attempts;
	bool undo_begun;
	enum tw_step_state undone;	/* WAITING: not (yet) */
};

enum tw_auto_state {
	TW_AUTO_IDLE,		/* between steps; the next one is .k */
	TW_AUTO_CHECKING,	/* step .k started, nothing applied */
	TW_AUTO_RUNNING,	/* an attempt of .k is under way */
	TW_AUTO_RETRYING,	/* an attempt of .k failed; another will come */
	TW_AUTO_CONFIRMING,	/* .k went well, and is to be confirmed */
	TW_AUTO_UNDO,		/* rolling back, between undos */
	TW_AUTO_UNDOING,	/* the undo of .k is under way */
	TW_AUTO_ENDED,
	TW_AUTO_STATES
};
const char *tw_auto_state_name(enum tw_auto_state s);

struct tw_automaton {
	struct tw_auto_step *step;	/* [1 … n]; [0] is unused; the caller's */
	int64_t n;
	enum tw_auto_state state;
	int64_t k;
	int64_t lives;
	bool is_restored;	/* lives is no more than how far streams were
				   read, until the next life event */
	bool cancelled;
	enum tw_verdict verdict;
};

/* A fresh change of n steps; step has room for n + 1 and is the caller's, with
 * the program part filled. */
void tw_automaton_init(struct tw_automaton *a, struct tw_auto_step *step,
    int64_t n);

/* The state as the tower stored it.  Steps' states, attempts, undo states are
 * filled by the caller; this derives .state and .k. */
void tw_automaton_restore(struct tw_automaton *a, bool in_undo, int64_t lives);

/* False, and a unchanged, when ev cannot happen in this state. */
bool tw_automaton_apply(struct tw_automaton *a, const struct tw_event *ev);

enum tw_auto_action {
	TW_DO_CHECK,		/* ask the check of .k */
	TW_DO_RUN,		/* apply .k */
	TW_DO_VERIFY,		/* ask the check after .k */
	TW_DO_UNDO,
	TW_DO_REBOOT,
	TW_DO_CONFIRM,		/* wait until .k is confirmed */
	TW_DO_NOTHING,		/* ended */
};
enum tw_auto_outcome {
	TW_WAS_OK,		/* exit 0; a check: it holds; a reboot: the
				   host came back (another life); a
				   confirmation: it came in time */
	TW_WAS_NOT,		/* exit 1; a check: it does not hold */
	TW_WAS_BROKEN,		/* exit 127 */
	TW_WAS_TIMEOUT,
	TW_WAS_CANCEL,		/* a cancel came while this ran; an undo is
				   not cancelled: it was ok; a reboot neither:
				   it is still under way */
	TW_WAS_CRASH,		/* the executor died; another takes over */
};

/* What a live executor does now, with `verifying` telling whether the run of
 * this attempt has just succeeded. */
enum tw_auto_action tw_automaton_next(const struct tw_automaton *a,
    bool verifying);

/* The events an executor writes (applied to a as well) when `action` came out
 * so: fn is called for each, with n and t 0.  *verifying is updated.  The first
 * decision is TW_DO_NOTHING with TW_WAS_CRASH: an executor begins. */
void tw_automaton_decide(struct tw_automaton *a, enum tw_auto_action action,
    enum tw_auto_outcome outcome, const char *who, bool *verifying,
    void (*fn)(void *arg, const struct tw_event *ev), void *arg);

/* The highest step that is still to be undone (or said to be impossible), 0:
 * none. */
int64_t tw_automaton_to_undo(const struct tw_automaton *a);

#endif
