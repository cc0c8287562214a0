/*
 * filing.h - what verbs that file changes have in common: their options, ids
 *            on stdout, --run and --wait
 */
#ifndef TW_BIN_FILING_H
#define TW_BIN_FILING_H

#include "cli.h"
#include "tower.h"

/* Their options. */
#define FILING_PARAM { "param", 'p', "K=V", \
	N_("a parameter; K@FILE reads its value from a file"), true }
#define FILING_JOBS { "jobs", 0, "N", N_("hosts at work at once"), false }
#define FILING_OPTIONS \
	FILING_PARAM, \
	{ "key", 0, "KEY", N_("file once: the same key prints the first ids"), \
	    false }, \
	{ "reason", 0, "TEXT", N_("why, for the record"), false }, \
	{ "not-before", 0, "T", N_("join the queue then"), false }, \
	{ "not-after", 0, "T", N_("cancel what could not start by then"), \
	    false }, \
	{ "after-failure", 0, "hold", N_("a rollback holds the host"), \
	    false }, \
	{ "run", 0, NULL, N_("run a pass for these hosts now"), false }, \
	{ "wait", 0, "[DURATION]", \
	    N_("wait for the end, exit with the result"), \
	    false }, \
	FILING_JOBS
extern const struct tw_option filing_options[];	/* and no others */

#define FILING_TIMES 128	/* bytes */

/* Reason, key, times, after-failure; f->times points into times then. */
enum tw_status filing_read(struct tw_cli *cli, struct tw_filing *f,
    char times[FILING_TIMES], struct tw_err *err);
/* Files f[i] for hosts[i], prints the numbers, and does what --run and --wait
 * say.  err is empty where all was said already. */
enum tw_status filing_each(struct tw_cli *cli, struct tower *t,
    const struct tw_filing *const *f, const struct tw_host *hosts, size_t n,
    struct tw_err *err);
enum tw_status filing_all(struct tw_cli *cli, struct tower *t,
    const struct tw_filing *f, const struct tw_host *hosts, size_t n,
    struct tw_err *err);
/* Where that was filed under its key before: the same with what was. */
enum tw_status filing_again(struct tw_cli *cli, struct tower *t,
    const struct tw_filing *f, const struct tw_host *hosts, size_t n,
    bool *again, struct tw_err *err);
/* The exit status; says err where it is not empty. */
int filing_finish(struct tw_cli *cli, enum tw_status st,
    const struct tw_err *err);

#endif
