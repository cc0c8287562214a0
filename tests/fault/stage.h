/*
 * stage.h - where the drivers of tests/fault play: a scene that is put back
 *           before each run, tools run under the shim, and what must hold
 *
 * The scene (scene.sh) is a directory with the tower's state, the hosts'
 * spools and the log that steps write.  stage_save() keeps a copy beside it, or
 * finds that of an earlier driver; stage_restore() puts that back.
 *
 * A driver ends with a message when its own work fails: these functions then
 * don't return.
 */
#ifndef FAULT_STAGE_H
#define FAULT_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "shim.h"

struct stage {
	char *dir;		/* the scene */
	char *state;		/* DIR/state */
	char *saved;		/* DIR/saved: the copy */
	char *shim;		/* the shared object */
	struct fault_plan *plan;	/* shared with the tool */
	struct tw_buf out, err;	/* of the last tool */
};

#define STAGE_HUNG (-1)		/* instead of a status: it was ended */

_Noreturn void stage_die(const char *fmt, ...) TW_PRINTF(1, 2);

void stage_init(struct stage *s, const char *dir, const char *shim);
void stage_release(struct stage *s);
void stage_save(struct stage *s);
void stage_restore(struct stage *s);
/* What is left of a change on the hosts has ended. */
void stage_settle(struct stage *s);

/* Makes the directory, empty. */
void stage_empty(const char *dir);

/* Copies the directory from, whole, to to, which is made or emptied first. */
void stage_copy(const char *from, const char *to);

/* Runs the tool and waits for it: its wait status, or STAGE_HUNG.  With a
 * plan it goes through the shim, which then holds the counts; .tool and the
 * paths are filled in here.  out: a file for its standard output, or NULL. */
int stage_run(struct stage *s, char *const argv[],
    const struct fault_plan *plan, const char *out);

/* The state's contents as text, without what differs from run to run: times,
 * random names, attempts. */
void stage_digest(const char *state, struct tw_buf *b);

/* Is the state sound: SQLite's own check, foreign keys, every audit chain.
 * False: why says what is wrong. */
bool stage_sound(struct stage *s, const char *state, struct tw_buf *why);

/* The log of what steps did, sorted by host and change. */
void stage_log(struct stage *s, struct tw_buf *b);

/* The first line in which two texts differ, as "- OLD" and "+ NEW". */
void stage_diff(const char *was, const char *is, struct tw_buf *b);

#endif
