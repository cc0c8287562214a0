/*
 * history.h - what ran where and when, and the figures of it
 *
 * A look over a stretch of time, for people who answer for a tower: it needs
 * the permission `audit' in the caller's organisation, as the records do.
 */
#ifndef TW_MODEL_HISTORY_H
#define TW_MODEL_HISTORY_H

#include "model/change.h"

struct tw_history_filter {	/* zeroed: all that ended */
	int64_t since;		/* from then on; 0: from the beginning */
	int64_t until;		/* and before that; 0: no end */
	const char *const *hosts;	/* names, NULL-terminated; NULL: any */
	bool is_running;	/* what ran at any moment of that time, the
				   running ones too; else what ended in it */
};

struct tw_history_change {	/* strings live for the callback */
	int64_t num;
	enum tw_change_status status;
	int64_t joins;		/* when it might have started first */
	int64_t started, ended;	/* 0: not */
	int64_t retries;	/* attempts of its steps beyond the first */
	bool is_retry;		/* of an earlier change */
	char *host, *operator, *title;
	char *app, *reason;	/* or NULL */
};

/* Calls fn for each, those that run first, then the latest end first.  Rows are
 * read in pages and no statement is open while fn runs; fn returns other than
 * TW_OK to stop with that.  What is looked at are the ends from since on, with
 * is_running up to now, else up to until. */
enum tw_status tw_history_each(struct tw_store *s, const struct tw_who *who,
    const struct tw_history_filter *f,
    enum tw_status (*fn)(void *arg, const struct tw_history_change *c,
    struct tw_err *err), void *arg, struct tw_err *err);

enum tw_stats_by { TW_STATS_HOST, TW_STATS_APP, TW_STATS_OPERATOR };

struct tw_stats_spans {		/* milliseconds; -1: there are none */
	int64_t p50, p95;	/* by nearest rank */
};

struct tw_stats {
	char *name;		/* NULL: those of no app */
	int64_t changes;	/* that ended */
	int64_t ends[TW_CHANGE_UNKNOWN + 1];	/* by status */
	int64_t ran;		/* those that started: what can fail */
	int64_t retries, retried;	/* attempts of steps; changes */
	struct tw_stats_spans wait, run;	/* of those that started */
};

/* The ended changes in figures, by name, those without one last; for
 * tw_stats_free(). */
enum tw_status tw_stats_read(struct tw_store *s, const struct tw_who *who,
    const struct tw_history_filter *f, enum tw_stats_by by,
    struct tw_stats **out, size_t *n, struct tw_err *err);
void tw_stats_free(struct tw_stats *stats, size_t n);

#endif
