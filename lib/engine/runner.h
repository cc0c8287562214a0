/*
 * runner.h - a pass: carry out what is due, on all hosts at once
 *
 * The runner connects to every host with something to do, claims the head of
 * its queue once logged in, sends it, follows the host's journal and stores
 * what it says.  It decides nothing about steps: the host does.  One thread,
 * one libuv loop; the state is written in groups (record.c).
 */
#ifndef TW_ENGINE_RUNNER_H
#define TW_ENGINE_RUNNER_H

#include "engine/journal.h"
#include "model/change.h"
#include "ssh/transport.h"

#define TW_RUNNER_JOBS 256	/* hosts at work at once, by default */
#define TW_RUNNER_CONNECTING 1024	/* connections being made at once */
#define TW_RUNNER_JUMP 8	/* at once through one jump host (sshd's
				   MaxStartups begins to drop at 10) */
#define TW_RUNNER_LINGER_MS (10 * 60 * 1000)	/* how long a pass waits for
				   a host that vanished in mid-change */
#define TW_OUTPUT_CAP (1024 * 1024)	/* bytes kept of a step's output, by
				   default */

enum tw_report_kind {
	TW_REPORT_CONNECT,	/* a contact begins */
	TW_REPORT_CHANGE,	/* a change was started, or is followed again */
	TW_REPORT_STEP,		/* step k came into `state` */
	TW_REPORT_UNDO,		/* the undo of k came into `state` */
	TW_REPORT_END,		/* the change ended: status, text the reason */
	TW_REPORT_TROUBLE,	/* a temporary failure: text */
	TW_REPORT_HELD,		/* the host is held now: text */
	TW_REPORT_IDLE,		/* the contact ended without a change's end */
};

struct tw_report {		/* strings live for the call */
	enum tw_report_kind kind;
	int64_t host_id;
	const char *host;
	int64_t change;		/* number, 0: none */
	const char *title;
	int64_t k, n;
	const char *step;	/* name, or NULL */
	const char *state;	/* a step's state, or NULL */
	int64_t code;		/* -1: none */
	enum tw_change_status status;
	int64_t started;	/* of the change */
	const char *text;
	int64_t active, waiting;	/* hosts at work; hosts yet to come */
};

struct tw_pass_result {
	int64_t succeeded, rolled_back, failed, cancelled, lost;
	int64_t unreachable;	/* temporary failures that were not overcome */
	int64_t held;		/* hosts this pass held */
	int64_t still_running;	/* left for the next pass */
	bool interrupted;	/* by a signal */
	bool stepped_aside;	/* for a pass over all hosts: it goes on */
	enum tw_status worst;	/* of the changes that ended: 0, 3, 4 */
};

struct tw_runner_options {
	struct tw_store *store;		/* open for writing, no transaction */
	struct tw_runlock *lock;	/* touched every 10 s, yielded when
					   asked; or NULL (tests) */
	int64_t org_id;			/* 0: all organisations */
	const char *const *hosts;	/* only these (needs org_id), or NULL */
	int jobs;			/* 0: TW_RUNNER_JOBS */
	int64_t output_limit;		/* 0: TW_OUTPUT_CAP */
	const struct tw_host_delays *delays;	/* after failures; or NULL */
	bool watch;			/* stay when nothing is due */
	int64_t until;			/* detach then (tw_clock_mono()); 0 */
	bool agent;			/* a person waits: try ssh-agent */
	const struct tw_transport *transport;	/* tests; or NULL */
	void (*report)(void *arg, const struct tw_report *r);	/* or NULL */
	void (*tick)(void *arg);	/* 10 times a second, when report is
					   given; or NULL */
	bool (*stays)(void *arg);	/* is there a reason to stay at work
					   when nothing is due?  Or NULL */
	void *arg;
};

/* Runs until nothing is due (or a signal, with watch).  TW_OK when the pass
 * itself went well, whatever became of its changes.  TW_CONFIG also when all
 * was done but for changes whose secrets can't be opened: they wait. */
enum tw_status tw_runner_pass(const struct tw_runner_options *o,
    struct tw_pass_result *result, struct tw_err *err);

/* Would a pass for these hosts (as in the options) stay at work now? */
enum tw_status tw_runner_has_work(struct tw_store *s, int64_t org_id,
    const char *const *hosts, bool *has, struct tw_err *err);

#endif
