/*
 * metrics.h - the whole tower in numbers, for a monitoring system
 *
 * It tells of every organisation, so it is for the state's owner and for
 * administrators of the tower.
 */
#ifndef TW_MODEL_METRICS_H
#define TW_MODEL_METRICS_H

#include "model/change.h"

struct tw_metrics_end {		/* changes that ended so, ever */
	int64_t changes;
	int64_t ran;		/* those of them that had started */
	int64_t wait, run;	/* of those: milliseconds in all */
};

struct tw_metrics_org {
	int64_t id;
	char *name;
	int64_t hosts;		/* without the revoked ones, as below */
	int64_t held_by_tower, held_by_people;
	int64_t queued, running;
	int64_t oldest;		/* since when the change that may start and
				   has waited longest waits; 0: none */
	struct tw_metrics_end ends[TW_CHANGE_UNKNOWN + 1];
	int64_t retries;	/* attempts of steps beyond the first, ever */
};

struct tw_metrics_host {
	char *name;
	size_t org;		/* its index */
	bool is_held;
	int64_t failures;	/* contacts that failed, in a row */
	int64_t last_seen;	/* 0: never */
};

struct tw_metrics {		/* for tw_metrics_release() */
	struct tw_metrics_org *orgs;	/* by name */
	size_t norgs;
	struct tw_metrics_host *hosts;	/* by organisation and name */
	size_t nhosts;
	int64_t output;		/* bytes of stored output */
};

/* TW_DENIED: "alice may not use metrics: …", behind a gate for who is no
 * administrator of the tower. */
enum tw_status tw_metrics_read(struct tw_store *s, const struct tw_who *who,
    struct tw_metrics *out, struct tw_err *err);
void tw_metrics_release(struct tw_metrics *m);

#endif
