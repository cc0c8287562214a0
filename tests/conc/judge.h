/*
 * judge.h - the invariants of towerify(7), held against a history
 *
 * Each is judged by what was recorded on the hosts and by who acted; the tower's
 * own word is only compared with that.
 *
 *  1  At most one step runs on a host at any instant.  hosts.c: each phase of a
 *     step takes a lock at its begin, which its processes hold as long as any of
 *     them lives, and finds it free; after its begin nothing but itself is
 *     recorded until its end, or until what broke it off (a cancel, its timeout)
 *     lets the next one begin, and then nothing more of it; stamps only grow;
 *     the records of a change stand together.
 *  2  Changes of a host start in the order they joined its queue.  hosts.c: the
 *     place is taken between begin and end of the act that files (or when its
 *     hour comes); no change starts before one whose act had ended when its own
 *     began.  people.c: where both acts follow each other the numbers do, too.
 *     On a held host nothing starts but what was started when it was held.
 *  3  An attempt of a step starts at most once.  hosts.c: a run begins only once
 *     its predecessors are done, never after one that ended well, and after one
 *     that failed only where the program tries again; one job for a change, on
 *     its own host; nothing of what nobody filed, was refused, or was cancelled
 *     in the queue.
 *  4  Undo only of what this change started, in reverse, each at most once.
 *     hosts.c: of steps that ran (after a cancel also of the one that was next:
 *     it may have died before its first record), from the last to the first,
 *     once, to its end, only after a failure or a cancel, and then all of them;
 *     nothing else runs after the first undo.
 *  5  Every change reaches a final state or says what it waits for.  ends.c: all
 *     have one at the end, the one that follows from the records of the hosts,
 *     and so have steps, attempts and undos; why always has an answer.
 *  6  Exit 0 of `queue add': it is there; 2, 65, 75, 77: it is not; anything
 *     else: its key settles it.  people.c: each number that was given out is
 *     there with its host and reason, nothing else is, nothing twice; a key has
 *     one change a host, whoever asks.
 *  7  ends.c: the audit trail has each transition once.
 *
 * 0 is what must not happen in any case: exit statuses and messages that the
 * manual does not know.
 */
#ifndef CONC_JUDGE_H
#define CONC_JUDGE_H

#include "history.h"

/* Counts and tells. */
__attribute__((format(printf, 2, 3)))
void broken(int invariant, const char *fmt, ...);

/* In this order: who is what, then what became of it. */
void judge_people(void);
void judge_host(const struct host *h);
void judge_ends(void);

/* Was the host of this act, a hold, held for sure between two stamps? */
bool people_hold(const struct act *a, int64_t *from, int64_t *to);
/* Did somebody, or its own program, give it a reason to be undone? */
bool has_trouble(const struct change *c);
bool is_complete(const struct change *c);	/* all steps done, by the hosts */

#endif
