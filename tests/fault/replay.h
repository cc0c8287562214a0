/*
 * replay.h - the shim's record of a run, played back as a power cut would have
 *            left it
 *
 * What a disk has after power was lost at some point of the record: everything
 * that had been synced, and of the rest any part.  A file's writes and
 * truncations count as one each, may be kept or lost on their own and in any
 * order, and a write may be torn between sectors of 512 bytes.  Names (made,
 * renamed, removed) keep their order, as every journalling file system
 * has it: a beginning of those not yet synced is kept.  Syncing a file says
 * nothing about its name; syncing a directory settles the names in it.
 *
 * SQLite is promised by its own settings what is assumed here: a write that is
 * torn leaves the bytes around it alone (powersafe overwrite).
 */
#ifndef FAULT_REPLAY_H
#define FAULT_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct replay;

/* Reads the record; base is the directory as it was before.  is_lying: the
 * disk says synced and does nothing (a planted fault). */
struct replay *replay_open(const char *log, const char *base, bool is_lying);
void replay_free(struct replay *r);

/* How many operations the record has. */
size_t replay_size(const struct replay *r);

/* Goes on to the moment after the first n operations; only forwards. */
void replay_to(struct replay *r, size_t n);

/* Then: how many writes and truncations are not yet synced. */
size_t replay_pending(const struct replay *r);

enum replay_keep {
	REPLAY_NONE,		/* of what is not synced */
	REPLAY_ALL,
	REPLAY_DATA,		/* all writes, no names */
	REPLAY_NAMES,		/* all names, no writes */
	REPLAY_ONE,		/* names, and the i-th write */
	REPLAY_BUT_ONE,		/* all but that */
	REPLAY_RANDOM,		/* by seed i, torn writes too */
};

/* Writes what is left into the directory dir, which is emptied first.  Returns
 * a number that tells what it holds: equal contents, equal numbers.  dir NULL:
 * only the number. */
uint64_t replay_image(struct replay *r, enum replay_keep keep,
    unsigned long i, const char *dir);

#endif
