/*
 * prune.h - old history goes: audit records behind an anchor, ended changes
 *           with their steps and output
 *
 * What goes is told first: a record "audit.prune" by the caller at the end of
 * the chain names the last record to go (detail: older_than, through, hash, the
 * last two where records go; grant).  An anchor (number and hash) then stands in
 * for what is gone, and moves on with each batch, never past that record.  A
 * chain verifies from its anchor, which must be one that such a record names or
 * leads to; so what is killed in between leaves a whole chain, and the next
 * pruning goes on.
 *
 * What has not ended stays: a change that is queued or running, and of the
 * chain all from its first record on.  Of what has ended stays what is named by
 * something that stays: the latest change of an instance that is there, a
 * change that was tried again.
 */
#ifndef TW_MODEL_PRUNE_H
#define TW_MODEL_PRUNE_H

#include "model/audit.h"

struct tw_prune {		/* zeroed but for the first two */
	bool is_tower;		/* the tower's own chain, and no changes */
	int64_t before;		/* what is older than that instant goes */
	/* found at the beginning */
	int64_t through;	/* the last record to go; 0: none goes */
	int64_t stopped_by;	/* the change whose records stop it there,
				   while older ones stand behind; 0: none */
	/* what has gone so far */
	int64_t records, changes;
	/* internal: where the next batch of changes begins, and how many have
	 * gone since the walk along them began */
	int64_t ended, id, in_round;
};

/* Needs the permission `admin' (is_tower: an administrator of the tower).  Finds
 * what is to go and records it, in a transaction of its own; *any: there is
 * something, else nothing was written.  TW_NO: the chain is broken within what
 * would go, in the words of tw_audit_verify(). */
enum tw_status tw_prune_begin(struct tw_store *s, const struct tw_who *who,
    struct tw_prune *p, bool *any, struct tw_err *err);

/* Removes at most so many records, or a tenth of that of changes, in a
 * transaction of its own; *more: there may be more.  Others may write between
 * two calls.  tw_store_trim() then gives the space back. */
enum tw_status tw_prune_some(struct tw_store *s, const struct tw_who *who,
    struct tw_prune *p, int limit, bool *more, struct tw_err *err);

#endif
