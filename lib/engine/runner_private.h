/*
 * runner_private.h - what runner.c (the pass), visit.c (one host) and record.c
 *                    (writing it down) share
 */
#ifndef TW_ENGINE_RUNNER_PRIVATE_H
#define TW_ENGINE_RUNNER_PRIVATE_H

#include <sys/queue.h>

#include "base/name.h"
#include "engine/automaton.h"
#include "engine/contact.h"
#include "engine/mask.h"
#include "engine/runner.h"

#define TW_RUNNER_BUSY_MS 250	/* the loop never stands still for longer on a
				   busy state; the write is tried again */
#define TW_RUNNER_GROUP_MS 20	/* from one commit to the next, at least: what
				   many hosts say meanwhile goes in one */
#define TW_RUNNER_CLAIMS 64	/* in one transaction, at most */

enum visit_state {
	VISIT_CONNECTING,
	VISIT_READY,		/* logged in, waits for its turn */
	VISIT_ASKED,		/* request sent */
	VISIT_OVER,		/* to be released by the runner */
};

struct live_step {		/* what is known of a step while it runs */
	char decided[12];
	int64_t code, started, awaited, ended;
	int64_t undo_code, undo_started, undo_ended;
	int64_t kept, cut;	/* bytes of output */
};

/* Something to write with the next commit, in order. */
struct record {
	struct record *next;
	enum { RECORD_OUTPUT, RECORD_STEP } what;
	int64_t k;
	bool in_undo;
	bool audit;
	int64_t at, cut;
	struct tw_step step;	/* RECORD_STEP: strings are borrowed */
	size_t len, cap;
	char data[];
};

struct visit {
	TAILQ_ENTRY(visit) all;
	TAILQ_ENTRY(visit) turn;	/* READY: of `ready'; OVER: of `over' */
	TAILQ_ENTRY(visit) unwritten;	/* of `dirty' */
	struct runner *runner;
	enum visit_state state;
	struct tw_host host;
	struct tw_reach reach;
	struct tw_contact *contact;
	bool progressed;	/* this contact brought news */
	bool restart;		/* contact the host again at once */
	struct tw_successor successor;	/* of the change that ran already when
				   this began; or none */
	bool is_successor;	/* it is the one that logs in here */
	bool let_in;		/* and for the first time: to be written */
	bool try_other;		/* restart with the other login */
	char refused[TW_ERR_MSG_MAX];	/* "", or what the login was told that
				   was tried just before: the other one, or
				   with try_other this one */
	bool was_denied;	/* and that was by the host, not a closed port */
	bool unheld;		/* this request lifts the host's mark */
	int64_t confirms;	/* and confirms this step; 0: none */
	bool answered;		/* as the host is now: to be written */
	bool is_followed;	/* it was answered: beats come from now on */

	bool has_change;
	struct tw_change change;
	int64_t cancelled;	/* others, when this one was claimed */
	struct tw_step *steps;
	size_t nsteps;
	struct tw_auto_step *auto_steps;	/* [1 … nsteps] */
	struct live_step *live;			/* [1 … nsteps] */
	struct tw_automaton automaton;
	struct tw_secrets secrets;	/* n 0: it has none, and no mask */
	struct tw_mask_forms *forms;
	struct tw_mask *mask;
	int64_t heard;		/* the stream's position, held back or not */
	int64_t gap, since;	/* see visit_secret.c */

	/* to be written (record.c) */
	struct record *first, **last;
	bool dirty;		/* and so in the runner's list of these */
	bool accepted;		/* write "accepted" */
	int64_t token_epoch, token_seq;	/* under which the host has it; 0.0:
				   it did not say */
	bool has_ended;		/* write the end */
	enum tw_change_status end_status;
	char end_reason[512];
	char hold[640];		/* hold the host for this; "" : no */
};

TAILQ_HEAD(visits, visit);

/* Nothing of what is done each turn walks all visits. */
struct runner {
	struct tw_runner_options o;
	char name[TW_NAME_MAX + 1];	/* this tower's, for the hosts */
	uv_loop_t loop;
	uv_timer_t tick, flush, group, turn;
	uv_check_t check;
	uv_signal_t term, intr;
	struct visits visits, ready, over, dirty;
	int64_t active, asked, connecting;
	bool urgent;		/* flush with the next group */
	bool ask;		/* somebody has logged in, or has left */
	int64_t committed;	/* the last time, tw_clock_mono() */
	bool flush_set;
	bool look;		/* start more, or ask the queue again */
	bool stop;
	int64_t pending_events, pending_bytes;
	int64_t waiting, wake;
	int64_t *due;		/* hosts that the queue named last */
	size_t ndue, next_due;	/* from here on they have yet to start */
	int64_t last_look, look_took, last_heed, last_touch;
	struct tw_pass_result *result;
	enum tw_status status;	/* of the pass */
	struct tw_err err;
	struct tw_err complaint;	/* the first; the pass goes on */
};

/* visit.c */
/* before: the visit whose other login is to be tried, or NULL. */
void visit_start(struct runner *r, int64_t host_id, const struct visit *before);
/* visit_ask.c */
/* Their turn has come, n of them (1 to TW_RUNNER_CLAIMS): each claims a change and
 * sends the request.  False: the state is busy, and who has not had it yet still
 * waits for it. */
bool visit_ask(struct visit **v, size_t n);

/* visit.c */
/* The host is left alone for a while: what happened, or what is wrong here. */
void visit_trouble(struct visit *v, const char *said);
void visit_own_trouble(struct visit *v, struct tw_err *err);
/* Drops the contact to make it anew, so that the host hears of a cancel. */
void visit_again(struct visit *v);
/* What is known is stored: a step that waits to be confirmed is, by a login of
 * its own, that this contact gives way to. */
void visit_confirm(struct visit *v);
/* A step that is to be confirmed may have cut this connection: looks for another
 * when nothing more was heard by it for a while.  Before the host has answered
 * it may take the upload, or wait for its gate: the transport's limit counts. */
void visit_probe(struct visit *v);
/* Marks it for release; the runner may then contact the host again. */
void visit_over(struct visit *v);
void visit_free(struct visit *v);
void visit_report(struct visit *v, enum tw_report_kind kind, const char *text);

/* A person must act: the host is held for this. */
void visit_hold(struct visit *v, const char *said);

/* visit_login.c */
/* Which login a contact begins with: v->successor, is_successor, refused. */
enum tw_status visit_choose_login(struct visit *v, const struct visit *before,
    struct tw_err *err);
/* The host won't have this login, and there is another one to try. */
bool visit_may_try_other(const struct visit *v);
/* The host would not have a login, this one or the one tried just before. */
bool visit_is_refused(const struct visit *v);
/* It won't have either of them, and the new one may not be ready yet; or it
 * won't have this one, and what may be the cause of that has yet to be undone. */
bool visit_is_early(const struct visit *v);
/* What is to be said of a contact that ended, both logins told apart. */
void visit_login_text(const struct visit *v, const char *said,
    char out[TW_ERR_MSG_MAX]);

/* visit_stream.c */
void visit_on_event(void *arg, const struct tw_event *ev);
void visit_on_output(void *arg, const char *p, size_t n);
void visit_on_cut(void *arg, int64_t bytes);
/* Where the stream stands becomes the change's position. */
void visit_save_position(struct visit *v);
/* The change has ended so; hold_reason not NULL: its host is held. */
void visit_end_change(struct visit *v, enum tw_change_status status,
    const char *reason, const char *hold_reason);

/* Output that may be stored (tw_mask_fn). */
void visit_keep_output(void *arg, const char *p, size_t n);

/* visit_secret.c */
/* TW_CONFIG: they can't be opened; TW_NO: the change ended meanwhile. */
enum tw_status visit_load_secrets(struct visit *v, struct tw_err *err);
/* What the request says of them: nothing where there are none. */
enum tw_status visit_secrets_text(const struct visit *v, struct tw_buf *out,
    struct tw_err *err);
void visit_drop_secrets(struct visit *v);
/* A stream begins, where the last contact left it or with another life. */
void visit_mask_begin(struct visit *v);
/* Output just heard, by way of the mask. */
void visit_mask_output(struct visit *v, const char *p, size_t n);
/* An event just heard. */
void visit_mask_event(struct visit *v, const struct tw_event *ev);
/* How far behind v->heard the position to go on from must stay. */
int64_t visit_mask_back(const struct visit *v);

/* record.c */
void record_output(struct visit *v, const char *p, size_t n, int64_t cut);
void record_step(struct visit *v, int64_t k, bool audit, bool in_undo);
/* Writes all that is pending in one transaction. */
void record_flush(struct runner *r);
void record_soon(struct visit *v, bool urgent);
void record_drop(struct visit *v);
/* Nothing of it waits to be written any more. */
void record_set_clean(struct visit *v);
/* Has a person ended the change of this visit (towerify-queue abandon)? */
bool record_was_ended(const struct visit *v);
/* The visit is over; what is pending of it is not written. */
void record_leave(struct visit *v);

/* runner.c */
/* What a turn of the loop ends with: writes, releases, looks at the queue. */
void runner_turn(struct runner *r);
/* As many as it takes go through this jump host (NULL: none) already. */
bool runner_is_jump_full(const struct runner *r, const char *via);
void runner_fail(struct runner *r, const struct tw_err *err);
/* What is wrong with the tower, but stops one host alone: the pass goes on, and
 * says so at its end. */
void runner_complain(struct runner *r, const struct tw_err *err);

#endif
