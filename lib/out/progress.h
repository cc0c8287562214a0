/*
 * progress.h - what a pass is doing, live on a terminal or as plain lines
 *
 * The caller tells what happens and calls tw_progress_tick() often; nothing
 * here has a thread or a timer.  Times are wall-clock milliseconds
 * (tw_clock_now()).  Lack of memory loses a line, never the pass.
 */
#ifndef TW_OUT_PROGRESS_H
#define TW_OUT_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

#define TW_PROGRESS_INTERVAL 100	/* ms between redraws, at least */

enum tw_progress_mode {
	TW_PROGRESS_QUIET,	/* alarms only */
	TW_PROGRESS_PLAIN,	/* a line a result: terminals that can't move */
	TW_PROGRESS_LINES,	/* key=value lines for logs, steps too */
	TW_PROGRESS_LIVE,	/* redrawn in place by ANSI sequences */
};

struct tw_progress_options {
	enum tw_progress_mode mode;
	FILE *out;		/* stderr */
	bool color;
	bool verbose;		/* PLAIN, LIVE: a line for each step too */
	bool never_waits;	/* what out can't take at once is dropped */
	size_t width, height;	/* 0: ask the terminal at each redraw */
};

struct tw_progress;

enum tw_progress_outcome {
	TW_PROGRESS_GOOD,
	TW_PROGRESS_ROLLED_BACK,
	TW_PROGRESS_FAILED,
	TW_PROGRESS_OTHER,	/* cancelled, expired */
};

struct tw_progress_step {	/* strings live for the call */
	const char *host;
	int64_t change;		/* number; 0: none yet */
	int64_t k, n;		/* step k of n; 0: none yet */
	const char *step;	/* its name, or what is being done */
	const char *state;	/* "running", "done", "undo"…; NULL: nothing
				 * to report, only to show */
};

struct tw_progress_end {	/* strings live for the call */
	const char *host;
	int64_t change;
	const char *status;	/* "succeeded"… */
	enum tw_progress_outcome outcome;
	int64_t steps;		/* how many ran */
	int64_t span;		/* of the change */
	const char *text;	/* the reason, or NULL */
};

enum tw_status tw_progress_new(const struct tw_progress_options *options,
    int64_t now, struct tw_progress **out, struct tw_err *err);
/* Draws what is pending, takes the live lines away; NULL is fine. */
void tw_progress_free(struct tw_progress *p);

/* Hosts that have not begun. */
void tw_progress_waiting(struct tw_progress *p, int64_t waiting);
/* A host's line appears or changes. */
void tw_progress_step(struct tw_progress *p,
    const struct tw_progress_step *step, int64_t now);
/* A change ended: its result stays on the screen, the host's line goes. */
void tw_progress_end(struct tw_progress *p,
    const struct tw_progress_end *end, int64_t now);
/* The host is not worked on any more: its line goes. */
void tw_progress_idle(struct tw_progress *p, const char *host);
/* A message of one line that stays; an alarm is printed in every mode. */
void tw_progress_note(struct tw_progress *p, const char *host,
    const char *text, bool is_alarm, int64_t now);

/* Redraws when it is time. */
void tw_progress_tick(struct tw_progress *p, int64_t now);

#endif
