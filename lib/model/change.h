/*
 * change.h - change requests and their steps: filing, the queue, what became
 *            of them
 *
 * A change belongs to one host's queue.  Statuses: queued, running, succeeded,
 * rolled-back, failed, cancelled, unknown.  "held" is computed: a queued
 * change of a held host.
 */
#ifndef TW_MODEL_CHANGE_H
#define TW_MODEL_CHANGE_H

#include "model/host.h"
#include "model/secret.h"
#include "model/successor.h"

enum tw_change_status {
	TW_CHANGE_QUEUED,
	TW_CHANGE_RUNNING,
	TW_CHANGE_SUCCEEDED,
	TW_CHANGE_ROLLED_BACK,
	TW_CHANGE_FAILED,
	TW_CHANGE_CANCELLED,
	TW_CHANGE_UNKNOWN,
};
const char *tw_change_status_name(enum tw_change_status s);
/* False when name is none. */
bool tw_change_status_parse(const char *name, enum tw_change_status *out);
bool tw_change_status_is_ended(enum tw_change_status s);
/* 0, 3, 4, 1, 5: what a tool that waited for it exits with. */
enum tw_status tw_change_result(enum tw_change_status s);

struct tw_change {		/* strings owned; NULL where none */
	int64_t id, num, org_id, host_id;	/* host_id 0: host removed */
	char *uid, *nonce, *host_name, *operator;
	enum tw_change_status status;
	bool is_held;		/* queued, and its host is held */
	char *reason, *title, *why, *batch_key, *params;
	bool hold_after_failure;
	int64_t filed, joins, not_before, not_after;
	int64_t retry_of;	/* its num, or 0 */
	char *app, *app_version;	/* of an app's change; else NULL */
	char *action;		/* and what it does with */
	char *instance;		/* this one; NULL: gone with its host */
	struct tw_successor successor;
	char *cancel_by;
	int64_t cancel_at, started, accepted, ended;
	int64_t epoch, seq, room, nsteps;
	int64_t life, offset, next_event, clock, cur_step;
	bool in_undo;
	bool in_doubt;		/* not accepted, but an earlier request may
				   have reached the host, unheard */
	uint8_t program[32], blob[32];	/* hashes; blob all 0: none */
	/* filled by list and show */
	int64_t steps_done;	/* ended steps */
	char *step_name;	/* of the step under way, or NULL */
};
void tw_change_release(struct tw_change *c);

struct tw_step {		/* strings owned */
	int64_t k;
	char *name, *kind, *undoable, *state, *decided, *undo_state;
	bool has_check;
	int64_t retries, timeout;
	int64_t confirm, awaited;	/* how long it may take; since when */
	int64_t code, attempts, started, ended;	/* code -1: none */
	int64_t undo_code, undo_started, undo_ended;
	int64_t out_bytes, out_cut;
	char out_hash[65];	/* hex or "" */
};
void tw_step_list_free(struct tw_step *s, size_t n);
/* Of the change that runs on a host, where a step that is to be confirmed has
 * not ended: until when that may shut the tower out (it is undone by then), and
 * how often to try to get in, milliseconds (not where the login is
 * refused).  TW_NO: there is none. */
enum tw_status tw_change_confirming(struct tw_store *s, int64_t host_id,
    int64_t *until, int64_t *every, struct tw_err *err);

/* --- filing --------------------------------------------------------- */

struct tw_instance_act;

struct tw_filing {		/* what is filed, for each host */
	const char *title, *why, *key;	/* why, key: or NULL */
	const char *params;	/* JSON object */
	const void *file; size_t file_len;	/* the change file's text */
	const void *program; size_t program_len;
	const void *blob; size_t blob_len;	/* 0: none */
	int64_t room, not_before, not_after;
	const char *times;	/* the two as the operator gave them, or NULL:
				   what --key compares */
	const char *asked;	/* what --key compares in place of hosts, file,
				   blob, params and secrets; or NULL */
	const struct tw_secret *apart; size_t napart;	/* and these beside
				   asked: never stored */
	const struct tw_instance_act *act;	/* of an app, or NULL */
	const struct tw_successor *successor;	/* or NULL */
	bool hold_after_failure;
	int64_t retry_of;	/* id (not num) of the change, or 0 */
	const struct tw_step *steps; size_t nsteps;	/* k name kind undoable
					has_check retries timeout confirm are
					read */
	const struct tw_secret *secrets; size_t nsecrets;	/* not in params;
					sealed for each change by itself */
};
/* The caller needs `change' on each host, for an app `deploy' with that app, and
 * `host' as well where a successor is named; all where not are named in one
 * TW_DENIED.  TW_NO: a successor can't follow the login of a host.  filed is never less than the
 * host's latest, so that a clock set back lets nobody overtake.  The key
 * compares hosts (in any order), file, blob, params, times, after-failure and
 * retry_of; not why, and not the program, which another version may write
 * differently.  TW_NO: a host is gone.
 * Files one change for each of hosts in ONE transaction with their audit rows
 * ("change.file").  nums (n of them, caller's) receives the numbers.  With a
 * key that was used before in this organisation: files nothing, gives the
 * first filing's numbers (*again true) when everything is the same (hosts,
 * file, parameters, times, options), else TW_NO. */
enum tw_status tw_change_file(struct tw_store *s, const struct tw_who *who,
    const struct tw_filing *f, const struct tw_host *hosts, size_t n,
    int64_t *nums, bool *again, struct tw_err *err);
/* The same with a filing for each host: f[n], all of instances or none.  Key,
 * times, asked, apart, after-failure and successor are those of f[0]. */
enum tw_status tw_change_file_each(struct tw_store *s,
    const struct tw_who *who, const struct tw_filing *const *f,
    const struct tw_host *hosts, size_t n, int64_t *nums, bool *again,
    struct tw_err *err);
/* Was that, with .asked, filed under its key before?  Asks alone: key, asked,
 * apart, times, after-failure and retry_of of f are read.  nums[i] 0: nothing
 * was filed for that host then.  TW_DENIED as for filing it. */
enum tw_status tw_change_filed(struct tw_store *s, const struct tw_who *who,
    const struct tw_filing *f, const struct tw_host *hosts, size_t n,
    int64_t *nums, bool *again, struct tw_err *err);
/* To be called before only the checks of f (title, params and program are read)
 * are asked on hosts: rights as for filing; audit "change.plan" for each host.
 * Own transaction. */
enum tw_status tw_change_plan(struct tw_store *s, const struct tw_who *who,
    const struct tw_filing *f, const struct tw_host *hosts, size_t n,
    struct tw_err *err);

/* --- looking -------------------------------------------------------- */

/* What is on hosts the caller may not see, and what is left of removed hosts
 * unless the caller may see the whole organisation, is not there.  TW_DENIED:
 * the caller may not see anything.  Where who may be NULL, that is the runner,
 * which has no limit. */

struct tw_change_filter {	/* zeroed: pending ones */
	const char *const *hosts;	/* names, NULL-terminated; NULL: any */
	unsigned statuses;	/* bits 1 << enum; 0: see all */
	bool held_only;		/* --status held: these alone, or with the
				   statuses where some are given */
	bool all;		/* the ended ones too */
};
/* Calls fn for each in queue order by number; pages, no statement open while
 * fn runs. */
enum tw_status tw_change_each(struct tw_store *s, const struct tw_who *who,
    const struct tw_change_filter *f,
    enum tw_status (*fn)(void *arg, const struct tw_change *c,
    struct tw_err *err), void *arg, struct tw_err *err);
/* TW_NO: "no change 12". */
enum tw_status tw_change_get(struct tw_store *s, const struct tw_who *who,
    int64_t num, struct tw_change *out, struct tw_err *err);
enum tw_status tw_change_load(struct tw_store *s, int64_t id,
    struct tw_change *out, struct tw_err *err);
/* who may be NULL. */
enum tw_status tw_change_steps(struct tw_store *s, const struct tw_who *who,
    int64_t change_id, struct tw_step **out, size_t *n, struct tw_err *err);
/* Content by hash; TW_CONFIG when it is missing or does not match. */
enum tw_status tw_content_get(struct tw_store *s, const uint8_t hash[32],
    struct tw_buf *out, struct tw_err *err);
/* The text of the change file it was filed with. */
enum tw_status tw_change_source(struct tw_store *s, const struct tw_who *who,
    int64_t change_id, struct tw_buf *out, struct tw_err *err);
/* Chunks of output with id > after in order of arrival; the last id seen is
 * left in *after. */
struct tw_output {
	int64_t id, k, at, cut;
	bool in_undo;
	const void *data; size_t len;
};
enum tw_status tw_output_each(struct tw_store *s, const struct tw_who *who,
    int64_t change_id, int64_t *after,
    enum tw_status (*fn)(void *arg, const struct tw_output *o,
    struct tw_err *err), void *arg, struct tw_err *err);
/* How many stand before it in its host's queue (running one included), and
 * the number of the first of them (0: none). */
enum tw_status tw_change_ahead(struct tw_store *s, const struct tw_who *who,
    const struct tw_change *c, int64_t now, int64_t *count, int64_t *first,
    struct tw_err *err);

/* --- acts -------------------------------------------------------------- */

/* They need `change' on the change's host; for an app's `deploy' with that app
 * will do. */

enum tw_cancel_result {
	TW_CANCELLED,		/* was queued: cancelled now */
	TW_CANCEL_ASKED,	/* runs: the host will be told */
	TW_CANCEL_TOO_LATE,	/* ended, or undoing already: nothing */
};
/* Audit "change.cancel" (not when too late, nor when asked before: the first
 * who asked stands). */
enum tw_status tw_change_cancel(struct tw_store *s, const struct tw_who *who,
    int64_t num, enum tw_cancel_result *result, struct tw_err *err);
/* May the caller act on these?  TW_DENIED names all hosts where not.  Numbers
 * that are not there are left to the acts to complain of. */
enum tw_status tw_change_permit(struct tw_store *s, const struct tw_who *who,
    const int64_t *nums, size_t n, struct tw_err *err);
/* A person gives up a running change: unknown, audit "change.abandon"; its host
 * is held.  acked_seq goes up to c->seq: should the host come back with the
 * change unfinished, it undoes it before it takes another one.  TW_NO: it is
 * not running. */
enum tw_status tw_change_abandon(struct tw_store *s, const struct tw_who *who,
    int64_t num, const char *reason, struct tw_err *err);

/* --- the runner's side (no tenant's limit) ---------------------------- */

/* Hosts with something to do now: a running change to follow, or a due queued
 * one, not held, pinned, next_attempt passed.  Ids in *out (caller frees):
 * hosts without recent failures first, within them those under way, then by
 * how long the head of the queue has waited.  hosts: names to limit to, or NULL
 * (with org_id then; org_id 0: all).  *wake: the earliest instant > now at
 * which this will change by the clock alone (0: never); expiry counts. */
enum tw_status tw_queue_due(struct tw_store *s, int64_t now, int64_t org_id,
    const char *const *hosts, int64_t **out, size_t *n, int64_t *wake,
    struct tw_err *err);
/* How many changes run there (limits as above), and when, of those that their
 * hosts have accepted, the one heard of most recently was: the latest of
 * `started` and its host's last_seen; 0: no host has one. */
enum tw_status tw_queue_running(struct tw_store *s, int64_t org_id,
    const char *const *hosts, int64_t *count, int64_t *since,
    struct tw_err *err);
/* Ids (changes) of the running ones that were asked to stop, sorted; caller
 * frees. */
enum tw_status tw_queue_cancels(struct tw_store *s, int64_t **out, size_t *n,
    struct tw_err *err);
/* The same of all running ones. */
enum tw_status tw_queue_running_ids(struct tw_store *s, int64_t **out,
    size_t *n, struct tw_err *err);
/* Ends queued changes whose not_after has passed: cancelled, "expired", audit
 * "change.expire".  Writes nothing when there are none. */
enum tw_status tw_queue_expire(struct tw_store *s, int64_t now, int64_t *count,
    struct tw_err *err);
/* To be called before a due host is contacted.  Cancels what stands at the head
 * of its queue as long as the operator who filed it may no longer `change' the
 * host (or `deploy' the app there): reason "alice may no longer change web1",
 * audit "change.cancel" by
 * "tower"; *cancelled: how many.  TW_NO: nothing is left to do there.  Writes
 * nothing when there are none. */
enum tw_status tw_queue_settle(struct tw_store *s, int64_t host_id,
    int64_t now, int64_t *cancelled, struct tw_err *err);
/* Running change of the host, else its head of queue made running (seq, epoch,
 * started; audit "change.start" by "tower", with the grant); TW_NO: nothing
 * due.  Rights are asked again: what lost them is cancelled as above.  TW_CONFIG:
 * the head's secrets can't be opened (secret.h); it stays queued. */
enum tw_status tw_change_claim(struct tw_store *s, int64_t host_id,
    int64_t now, struct tw_change *out, int64_t *cancelled,
    struct tw_err *err);
/* The host said that it took nothing of what was sent now, nor was anything sent
 * before: c is not in doubt.  (What is in doubt when its host's spool is accepted
 * anew may have run there, so it is not sent again: tw_host_save().)  Own
 * transaction. */
enum tw_status tw_change_not_taken(struct tw_store *s,
    const struct tw_change *c, struct tw_err *err);
/* The host has it; audit "change.accept".  Own transaction. */
enum tw_status tw_change_accepted(struct tw_store *s, struct tw_change *c,
    int64_t now, struct tw_err *err);

/* Progress of the stream.  These only run statements: the caller groups them
 * into a transaction (TW_BUG when none is open). */
/* Position, next event, clock, cur_step, in_undo of c as they stand in it. */
enum tw_status tw_change_save_position(struct tw_store *s,
    const struct tw_change *c, struct tw_err *err);
/* All fields of st that change (state … undo_ended, attempts, out_hash where
 * it is not ""; out_cut only if larger than what is stored).  When audit is
 * true with a row: "step.undone" where undo_state is not NULL, else "step.end"
 * (detail: k, name, state, decided, code, attempts, output_sha256, which is
 * computed where st has none). */
enum tw_status tw_step_save(struct tw_store *s, const struct tw_change *c,
    const struct tw_step *st, bool audit, struct tw_err *err);
/* Appends output, split into chunks, and counts it in the step's row. */
enum tw_status tw_output_add(struct tw_store *s, const struct tw_change *c,
    int64_t k, bool in_undo, int64_t at, int64_t cut, const void *p, size_t n,
    struct tw_err *err);
/* SHA-256 of the do-output stored for step k, hex ("" when none). */
enum tw_status tw_output_hash(struct tw_store *s, int64_t change_id, int64_t k,
    char out[65], struct tw_err *err);
/* Final: status to, reason, ended; audit "change.end"; raises the host's
 * acked_seq to c->seq; hold_reason not NULL: holds the host in the same
 * transaction.  Runs in the open transaction. */
enum tw_status tw_change_end(struct tw_store *s, struct tw_change *c,
    enum tw_change_status to, const char *reason, int64_t now,
    const char *hold_reason, struct tw_err *err);

/* Retention: removes output of changes ended before `before`, then the oldest
 * output until at most max_bytes remain; content no change or app names.  At
 * most `limit` changes a call.  *removed: bytes.  Own transaction; writes nothing
 * when there is nothing to do.  The steps' out_bytes stay, so that one sees
 * that there was some.  tw_store_trim() then gives the space back. */
enum tw_status tw_output_retain(struct tw_store *s, int64_t before,
    int64_t max_bytes, int limit, int64_t *removed, struct tw_err *err);

#endif
