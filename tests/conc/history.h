/*
 * history.h - what people did, what hosts did, and what the tower says of it,
 *             read for the checker
 *
 * Everything lives as long as the process; what can't be read ends it with 2.
 */
#ifndef CONC_HISTORY_H
#define CONC_HISTORY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define STEPS_MAX 8
#define WORDS_MAX 12

/*
 * Programs, a line each: "program NAME LETTERS...", the letters of a step being
 *   c  a check, which does not hold before and holds after
 *   h  a check that holds: nothing runs
 *   r  the first attempt fails, the second does not
 *   x  fails      t  runs into its timeout      l  takes its time
 *   n  nothing to undo      s  its undo fails    -  none of these
 */
struct program {
	char *name;
	int nsteps;
	char *letters[STEPS_MAX + 1];	/* from 1 */
};

enum part { PART_CHECK, PART_RUN, PART_UNDO, PART_N };
enum word { WORD_BEGIN, WORD_MID, WORD_END, WORD_FAIL, WORD_N };
extern const char *const part_names[PART_N], *const word_names[WORD_N];

struct record {			/* of a step, on its host (note.c) */
	int64_t at;
	int change, step;
	enum part part;
	enum word word;
	bool is_taken;
	char *job;
};

struct host {
	char *name;
	struct record *records;
	size_t n;
};

enum { STATUS_KILLED = -1, STATUS_SIGNAL = -2 };

struct act {			/* of somebody (act.c) */
	int64_t begin, end, wall;
	int status;
	char *words[WORDS_MAX];
	int nwords;
	char *out, *err;
};

struct tower_step {		/* what `show' says */
	char *state, *undo;
	int tries;
};

enum audit { AUDIT_FILE, AUDIT_START, AUDIT_ACCEPT, AUDIT_END, AUDIT_CANCEL,
	AUDIT_EXPIRE, AUDIT_N };
extern const char *const audit_names[AUDIT_N];

struct change {
	int id;
	/* by the acts */
	bool is_promised;	/* somebody was given its number */
	const struct program *program;
	const char *host;
	int64_t join_begin, join_end;	/* its place in the queue was taken
					   between these stamps */
	bool was_asked, was_cancelled;	/* told to stop; ended in the queue */
	bool may_expire;
	/* by the tower */
	char *status;		/* NULL: it does not know it */
	char *uid, *tower_host, *tag, *key;
	int retry_of;
	struct tower_step steps[STEPS_MAX + 1];
	int audit[AUDIT_N];
	/* by the hosts */
	const struct host *seen_on;
	int64_t seen_at;
	char *job;
	struct progress {
		int attempts, checks;
		bool runs, has_run, has_failed, holds;
		bool is_undone, undo_ended, undo_failed;
	} at[STEPS_MAX + 1];
	int last_undo;
};

extern struct host *hosts;
extern size_t nhosts;
extern struct act *acts;
extern size_t nacts;
extern struct change *changes;	/* by number; 0 is none */
extern int nchanges;		/* the highest number + 1 */

void read_programs(const char *path);
void read_acts(const char *path);
void read_tower(const char *path);
/* One host's; its name is in each record. */
void read_log(const char *path);

const struct program *program_find(const char *name);
struct change *change_get(int id);	/* made where there is none */
bool step_is(const struct change *c, int k, char letter);
bool act_is(const struct act *a, const char *verb);
/* The n-th word of what it printed, or NULL; malloc'd. */
char *act_out(const struct act *a, int n);

#endif
