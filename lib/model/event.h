/*
 * event.h - what hooks are to be told (towerify-hooks(7)), and what they were
 *
 * An event is written in the transaction of what it tells: a change has
 * succeeded, was rolled back, has failed; the tower holds a host.  It stays until
 * each hook has had it, so that one that was under way when a pass died comes
 * again.  For the runner alone: nobody's rights are asked for.
 */
#ifndef TW_MODEL_EVENT_H
#define TW_MODEL_EVENT_H

#include "base/buf.h"
#include "model/change.h"

#define TW_EVENT_LIFE (INT64_C(24) * 3600 * 1000) /* ms in which a hook that
				   asks for it is tried again */
#define TW_EVENT_TAIL 4000	/* bytes of output, at most */

struct tw_event {		/* strings owned; tw_event_release() */
	int64_t id, org_id, at;
	char *what;		/* succeeded, rolled-back, failed, held */
	char *org, *host;
	char *reason;		/* or NULL */
	char *held_reason, *held_by;	/* the host's, now; NULL: it is not */
	bool has_change;
	struct tw_change change;
	struct tw_step step;	/* borrowed: the one that decided; k 0: none */
	struct tw_step *steps;
	size_t nsteps;
	struct tw_buf output;	/* its last bytes */
};
void tw_event_release(struct tw_event *e);

/* The oldest event of the organisation (0: of any) that one of the hooks
 * (names, NULL-terminated, in order) has yet to be told, with the first of them;
 * events in busy are left out.  TW_NO: there is none. */
enum tw_status tw_event_next(struct tw_store *s, int64_t org_id,
    const char *const *hooks, const int64_t *busy, size_t nbusy, int64_t now,
    int64_t *id, char **hook, struct tw_err *err);
/* TW_NO: it is gone. */
enum tw_status tw_event_load(struct tw_store *s, int64_t id,
    struct tw_event *out, struct tw_err *err);

/* What a hook made of it, in a transaction of its own.  why NULL: it went well.
 * is_temporary: it is told again, later and later, until TW_EVENT_LIFE has
 * passed.  hooks are all there are: what each of them has had goes.  Audit
 * "hook.fail" for a failure, of those that are temporary for the first and the
 * last; *is_news then. */
enum tw_status tw_event_note(struct tw_store *s, const struct tw_event *e,
    const char *hook, const char *const *hooks, const char *why,
    bool is_temporary, int64_t now, bool *is_news, struct tw_err *err);

/* There are no hooks: nobody is to be told.  Writes only where there is one. */
enum tw_status tw_event_clear(struct tw_store *s, int64_t org_id,
    struct tw_err *err);

#endif
