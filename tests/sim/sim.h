/*
 * sim.h - a tower, its hosts and the network between them, in one process and
 *         on one clock that nobody waits for
 *
 * The tower's part is the product's own: lib/model, lib/store, lib/engine over
 * a real SQLite file.  What surrounds it is made up: libuv (uv.c), the network
 * (net.c), hosts (host.c, exec.c, follow.c), people (people.c), and whatever
 * goes wrong (tower.c, faults.c).  All chance comes from one number, the seed;
 * the same seed gives the same run, to the byte of its trace.
 *
 * Nothing is freed: each seed has a process of its own.
 */
#ifndef TEST_SIM_SIM_H
#define TEST_SIM_SIM_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <uv.h>

#include "base/buf.h"
#include "engine/automaton.h"
#include "engine/runner.h"
#include "model/who.h"
#include "store/store.h"

#define SECOND INT64_C(1000)	/* the simulation counts milliseconds */
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

#define STEPS_MAX 4
#define TOWERS 2
#define USES_MAX 16

/* --- core.c: time, chance, processes ------------------------------------- */

enum bug {			/* planted, so that a checker is seen to fail */
	BUG_NONE,
	/* of the simulated hosts */
	BUG_TWICE,		/* no lock: two executors of one job */
	BUG_LEFT,		/* a take-over ends nothing */
	BUG_RERUN,		/* a take-over runs the open step again */
	BUG_UNDO_TWICE,		/* a take-over undoes again */
	BUG_UNDO_ALL,		/* steps that never ran are undone */
	BUG_NO_FENCE,		/* what comes late is accepted */
	BUG_EAT,		/* output is lost */
	BUG_DEAF,		/* a confirmation is not heard */
	BUG_SILENT,		/* nor sent, as it were */
	BUG_BEHIND,		/* a tower that is behind is let in */
	BUG_LEAVE,		/* what was given up is not undone */
	/* of the tower: its functions are wrapped */
	BUG_LIFO,		/* the last one filed starts first */
	BUG_NO_AUDIT,		/* an end without its audit row */
	BUG_AUDIT_MORE,		/* a row without an act */
	BUG_FORGET,		/* a host is never looked at again */
	BUG_SERIAL,		/* one host after the other */
	BUG_IDLE_WRITE,		/* an idle pass writes */
	BUG_AHEAD,		/* the position stored is too far on */
	BUG_VERDICT,		/* rolled back is called succeeded */
	BUG_STUCK,		/* a release does not overtake */
	BUG_STRAY,		/* a limited pass forgets its limit */
	BUG_MAY,		/* nobody asks whether a change may still start */
	BUGS
};
extern const char *const bug_names[BUGS];

struct sim {
	uint64_t seed;
	enum bug bug;
	bool trace;
	int64_t now;		/* since the run began */
	int64_t wall;		/* the tower's clock is this much ahead */
	int64_t jumped;		/* when that was last set */
	bool calm;		/* nothing goes wrong any more */
	int64_t calm_since;
	bool is_large;
	/* what the run counts, for the summary */
	int64_t events, kills, cuts, reboots, busies, commits, changes, phases,
	    requests, restores, clones, behind, abandons,
	    limited, withdrawn;
};
extern struct sim sim;

void chance_begin(uint64_t seed);
/* Below n; the next of the seed's numbers. */
uint64_t chance(uint64_t n);
bool one_in(uint64_t n);
int64_t between(int64_t from, int64_t to);	/* both may come */
/* The same for the same arguments, whatever happened before. */
uint64_t fixed_chance(uint64_t a, uint64_t b, uint64_t n);
void make_id(char out[33]);

__attribute__((format(printf, 1, 2))) void trace(const char *fmt, ...);
/* An invariant is broken: says so and ends the run.  rule: its number. */
__attribute__((format(printf, 2, 3), noreturn))
void broken(int rule, const char *fmt, ...);

/* fn(arg) when `in` has passed. */
void later(int64_t in, void (*fn)(void *arg), void *arg);
/* Runs what is due, in order, until time `until` or fn says it is enough. */
void run_events(int64_t until, bool (*enough)(void));

struct proc {			/* a runner */
	int id;
	bool is_dead, is_blocked;
	int64_t paused;		/* stopped until then */
	int64_t born;
	ucontext_t context;
	void (*main)(struct proc *p);
	uint64_t turn;		/* counts blocks: wakers know theirs */
	/* tower.c */
	struct tower *tower;
	int life;		/* of the tower, when it began */
	struct tw_store *store;
	struct tw_runlock *lock;
	bool is_locked;		/* a pass is at work */
	const char *only[3];	/* hosts that it is limited to; NULL: none */
	int busy_limit;
	int64_t kill_in;	/* dies at this many steps from now; 0: no */
	int64_t commits;
	struct loop *loop;
	struct tw_link *links;	/* of net.c */
};
extern struct proc *current;	/* NULL: nobody's turn, or an operator's */

struct proc *proc_start(void (*fn)(struct proc *p));
/* Gives way until somebody calls proc_wake(), at most until `until` (< 0: for
 * ever).  Only from within. */
void proc_block(int64_t until);
void proc_wake(struct proc *p);
/* SIGKILL.  From within it does not return. */
void proc_kill(struct proc *p);

/* --- uv.c ------------------------------------------------------------------ */

/* fn(arg) on the loop's thread; nothing once the loop is gone. */
void loop_post(struct loop *l, void (*fn)(void *arg), void *arg);
void loop_count(struct loop *l, int links);	/* that keep it alive */
void loop_signal(struct loop *l, int signum);
extern int64_t loops_started;

/* --- net.c ------------------------------------------------------------------ */

struct host;
extern const struct tw_transport sim_transport;

/* The host's end of a link. */
bool link_is_there(const struct tw_link *l);
const struct proc *link_proc(const struct tw_link *l);
int64_t link_began(const struct tw_link *l);
bool link_write(struct tw_link *l, int fd, const char *p, size_t n);
void link_close(struct tw_link *l);
/* All links of a process that died. */
void links_of_dead(struct proc *p);

/* --- host.c, request.c, exec.c, follow.c ------------------------------------ */

struct program {		/* what a change does */
	int64_t n;
	struct tw_auto_step step[STEPS_MAX + 1];
	bool is_reboot[STEPS_MAX + 1];
	int64_t limit[STEPS_MAX + 1];	/* ms a phase may take */
	uint64_t number;	/* of its outcomes */
	bool is_calm;		/* all goes well */
};

enum part { PART_CHECK, PART_RUN, PART_VERIFY, PART_UNDO, PARTS };
extern const char *const part_names[PARTS];

struct phase {			/* a process of a step */
	struct job *job;
	struct exec *exec;	/* who waits for it; NULL: it was left */
	int64_t k, attempt;
	enum part part;
	int use;
	bool is_over;
	int life;
	enum tw_auto_outcome outcome;
	int64_t ends;
};

struct stream {
	struct tw_buf data;
	size_t synced;
	int boot;
};

struct job {
	struct host *host;
	char uid[33], queue[33], nonce[33];
	int64_t epoch, seq, change;
	int tower_life;		/* of the tower that sent it */
	const struct program *program;
	bool is_gone;		/* acknowledged and removed */
	bool is_wiped;		/* its spool was lost */
	struct tw_event *events;
	int64_t nevents, nsynced;
	struct stream *streams;	/* [1 … nstreams] */
	int nstreams;
	int shown;		/* boot in which the verdict was shown; 0 */
	char *cancel;
	struct exec *exec;	/* that has the lock */
	int used[STEPS_MAX + 1][PARTS];
	struct job *next;
	bool is_unsynced;	/* renamed, and that not synced yet */
	int64_t run_wall;	/* host's clock when a reboot was asked for */
	int run_boot;
	int64_t await_at, await_wall;	/* the same of a confirmation */
	int await_boot;
	bool confirmed[STEPS_MAX + 1], heard[STEPS_MAX + 1];	/* by the host;
								   to be */
	struct filed *filed;
};

struct exec {			/* an executor's process */
	struct job *job;
	bool is_dead;
	int life, boot;
	struct tw_automaton a;
	struct tw_auto_step step[STEPS_MAX + 1];
	bool verifying;
	struct tw_event batch[4 * STEPS_MAX + 8];	/* decided, to be written */
	int nbatch;
	struct phase *phase;
	int64_t waited;		/* for the lock */
	bool has_asked;		/* for the reboot, in an earlier life */
};

struct done {
	char queue[33], uid[33];
	int64_t epoch, seq;
	enum tw_verdict verdict;
	struct done *next;
};

struct fence {
	char queue[33];
	int64_t epoch, seq;
	struct fence *next;
};

struct host {
	int index;
	char name[16];
	int64_t id;		/* in the state */
	bool is_healthy;	/* nothing ever happens to it */
	int64_t rtt;
	char spool_id[33];	/* "" : there is none */
	bool is_on;
	int boot;
	int64_t booted;
	int64_t wall;		/* its clock is this much ahead */
	enum { NET_OK, NET_REFUSES, NET_SILENT } net;
	int trouble;		/* one in so many links is bad; 0: none */
	bool is_full;		/* its disk */
	bool held;
	bool was_wiped;		/* its spool, ever */
	struct session *gate;
	struct exec *lock;
	struct job *jobs;
	struct done *done;
	struct fence *fences;
	struct phase *phases[8];	/* running now */
	int nphases;
	/* for the checkers */
	int64_t last_end;	/* of a change's executor */
	int64_t last_spoilt;	/* something else kept it from going on */
};
extern struct host *hosts;
extern int nhosts;

void hosts_make(int n);
struct host *host_find(const char *address);
/* A request's bytes have arrived, all of them. */
void host_request(struct host *h, struct tw_link *l, const char *p, size_t n);
void host_cut_power(struct host *h, int64_t off);
void host_wipe_spool(struct host *h);
/* As `towerify-host set NAME spool-id=accept' finds it. */
const char *host_init(struct host *h);
struct job *host_job(const struct host *h, const char *uid);
/* How long the step that is awaited may still be confirmed; below 0: no more. */
int64_t job_time_left(const struct job *j);

/* The record as it would be loaded: into a and step. */
void job_load(const struct job *j, struct tw_automaton *a,
    struct tw_auto_step *step, enum tw_verdict *verdict);
struct exec *job_launch(struct job *j);
bool exec_is_alive(const struct job *j);
void exec_kill(struct exec *e);
void phase_kill(struct phase *p);
void stream_add(struct job *j, int life, const char *p, size_t n);
void event_line(const struct job *j, const struct tw_event *ev,
    struct tw_buf *out);

void follow_begin(struct host *h, struct tw_link *l, struct job *j, int life,
    int64_t offset, struct exec *launched);
/* Something was added to the job's streams, or its executor has gone. */
void follow_news(struct job *j);
void say(struct tw_link *l, const char *nonce, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* --- tower.c ---------------------------------------------------------------- */

struct watch;
struct known;

struct tower {
	int life;		/* no other state ever had this number; 0: there
				   is no such tower */
	char dir[300];
	struct sqlite3 *keeper;	/* for as long as it is open, so is the state */
	struct proc *runner;	/* the one that has the lock, or NULL */
	struct tw_store *spare;	/* of a pass that ended */
	struct tw_store *state;	/* the operators' */
	struct tw_who alice;
	struct known *known;	/* [1 … nknown]: its changes by number */
	int nknown;
	struct watch *watch;	/* check.c */
	bool bob_may;		/* change hosts: alice lets him, or not */
};
extern struct tower towers[TOWERS];
extern struct tower *tower;	/* whose turn it is */
void tower_keep(void);		/* before the first state is opened */
void tower_begin(void);
/* Its place in the file system; and the state in memory. */
void tower_place(struct tower *t);
struct sqlite3 *state_open(const char *name);
void tower_stop(struct tower *t);	/* kills its runner, closes its state */
bool towers_are_idle(void);
void runner_start(bool watch);
/* A pass for a few hosts. */
void runner_start_limited(void);
void tower_end(uint64_t seed);
/* A pass with nothing to do. */
void tower_idle_pass(void);
/* Somebody else holds the state for a while. */
void tower_trouble(void);
/* The runner may die here.  what: for the trace. */
void kill_point(const char *what);
extern int64_t last_busy;	/* when the state was last busy, or the runner
				   stopped */
/* bugs.c: what is run in place of sql. */
const char *bug_sql(const char *sql);

/* --- copy.c ------------------------------------------------------------------ */

void copies_begin(void);
void copies_end(void);		/* when all is well */

/* --- sim.c ------------------------------------------------------------------- */

extern char root[200];		/* where states have their place */
void cron_begin(struct tower *t);	/* passes, by the clock */

/* --- people.c ---------------------------------------------------------------- */

struct filed {			/* a change as its operator knows it */
	int64_t num, id;
	char uid[33];
	struct host *host;
	struct program program;
	int64_t filed, joins, not_before, not_after;	/* tower's clock */
	int64_t ready;		/* when it had joined, if no clock was set */
	bool hold_after;
	struct job *job;	/* on its host, once it was there */
	/* what happened there: never forgotten, whatever a host forgets */
	bool has_begun;
	int64_t ran[STEPS_MAX + 1], last_run, last_undo;
	int undone[STEPS_MAX + 1];
	struct tw_buf output[STEPS_MAX + 1][2];	/* of a step, of its undo */
	bool is_bobs;		/* he filed it; else alice */
	bool lost_output;	/* a power cut or a crash may have eaten some */
	bool was_wiped;		/* its spool was lost while it was there */
};
extern struct filed *filed;	/* [0 … nfiled) */
extern int nfiled;
struct filed *filed_by_uid(const char *uid);

struct seen_step {
	bool has_ended, is_undone;
};

struct seen {			/* as it was last committed */
	char status[12];	/* "" : not there */
	bool is_accepted, is_cancelled;
	struct seen_step step[STEPS_MAX + 1];
};

struct known {			/* what one tower knows of a change */
	struct filed *filed;
	int claimed;		/* nfiled when it was first taken; 0: not yet */
	int64_t claim_clock;	/* and what the tower's clock said */
	bool was_cancelled;	/* an operator was told it is */
	bool was_abandoned;	/* an operator has given it up */
	struct seen seen;
};
/* NULL: it does not know it. */
struct known *tower_knows(const struct tower *t, const struct filed *f);
int known_max(void);

void people_begin(void);
void people_enter(void);	/* open the state of the tower whose turn it is */
void people_act(void);		/* something by chance */
void people_file(struct host *h);
void people_mend(void);		/* looks after what is held */
void people_verify(void);	/* the audit trail, and the file */

/* --- check.c: the invariants --------------------------------------------------- */

/* From the hosts' logs. */
void check_accepted(struct job *j, const struct proc *sender);
void check_begins(struct job *j);
void check_phase(const struct phase *p);
/* The transaction of s is about to be committed. */
void check_commit(struct tw_store *s);
void check_committed(void);
/* A connection to the state, to be watched. */
void check_watch(struct tw_store *s);
/* What is known of the state of a tower, to be known of another. */
struct watch *check_copy(const struct watch *w);
bool is_pending(const struct known *k);
bool all_ended(void);
void check_end(void);

#endif
