/*
 * tower.h - what the mains share beside the command line: the open state, who
 *           is calling, a pass with its progress, waiting for changes
 */
#ifndef TW_BIN_TOWER_H
#define TW_BIN_TOWER_H

#include "cli.h"
#include "config.h"
#include "engine/runner.h"
#include "model/change.h"

struct tower {
	struct tw_store *store;
	struct tw_who who;
	struct tw_err unopened;	/* towerify-run --cron: why store is NULL */
	struct tw_config config;
};

/* The whole of a tool whose verbs work on a state as an operator. */
int tower_main(int argc, char **argv, const char *name, const char *summary,
    const struct tw_verb *verbs, size_t nverbs);

/* For struct tw_tool: open_state into cli->context, and its end. */
enum tw_status tower_open_state(struct tw_cli *cli, enum tw_cli_needs needs,
    struct tw_err *err);
/* The same for passes, which the state's owner may run without being an
 * operator: t->who.operator_id is 0 then. */
enum tw_status tower_open_pass(struct tw_cli *cli, enum tw_cli_needs needs,
    struct tw_err *err);
void tower_close_state(struct tw_cli *cli);

/* Opens the state that the options and the environment name, as its owner, reads
 * the configuration, and finds the operator and the organisation.  TW_STORE_CREATE makes what is
 * missing: state, administrator, the organisation's key.  is_pass: see
 * tower_open_pass(). */
enum tw_status tower_open(struct tw_cli *cli, enum tw_store_mode mode,
    bool is_pass, struct tower *t, struct tw_err *err);
void tower_close(struct tower *t);

/* The organisation's key pair, unless it is there. */
enum tw_status tower_make_key(struct tw_store *s, const char *org,
    struct tw_err *err);

/* The hosts that TARGETS select (arg; "-": what stdin holds; NULL: all), for
 * tw_host_list_free(). */
enum tw_status tower_select(struct tw_cli *cli, const char *arg,
    struct tw_host **hosts, size_t *n, struct tw_err *err);
/* The same for what needs them: without those that are revoked, but where they
 * are named one by one. */
enum tw_status tower_select_live(struct tw_cli *cli, const char *arg,
    struct tw_host **hosts, size_t *n, struct tw_err *err);
/* Their names, NULL-terminated, for tw_strv_free(); NULL for arg NULL. */
enum tw_status tower_select_names(struct tw_cli *cli, const char *arg,
    char ***names, struct tw_err *err);

/* Runs a pass for these hosts (names, NULL-terminated; NULL: every host of
 * every organisation), with progress as the terminal and the options say.
 * until: detach then (tw_clock_mono()), 0: at the end.  *busy is true when
 * another pass is at work (nothing was done then).  A pass for every host takes
 * over from one for some, which steps aside. */
enum tw_status tower_pass(struct tw_cli *cli, struct tower *t,
    const char *const *hosts, int jobs, bool watch, int64_t until, bool *busy,
    struct tw_pass_result *result, struct tw_err *err);

/* What is known of passes for the whole tower. */
struct tower_last {
	bool is_running;	/* one is at work */
	int64_t age;		/* then: milliseconds since it moved */
	bool is_known;		/* one has ended: */
	int64_t started, ended, status;	/* when, and its exit status */
	int64_t succeeded, rolled_back, failed;	/* changes */
	int64_t unreachable;	/* contacts that failed */
};
enum tw_status tower_last_pass(struct tower *t, struct tower_last *out,
    struct tw_err *err);

/* A pass for these hosts that lasts until they have nothing more to do, even
 * where another takes over from it meanwhile.  Does nothing when another one is
 * at work at the beginning. */
enum tw_status tower_pass_through(struct tw_cli *cli, struct tower *t,
    const char *const *hosts, int jobs, struct tw_err *err);

/* Waits until the changes (numbers) have ended, at most limit ms (-1: for
 * ever).  run: passes are run meanwhile.  The result is the worst of them:
 * TW_OK, TW_NO, TW_ROLLED_BACK, TW_FAILED; TW_WAITING when some have not. */
enum tw_status tower_wait(struct tw_cli *cli, struct tower *t,
    const int64_t *nums, size_t n, int64_t limit, bool run, int jobs,
    struct tw_err *err);

/* "12" → 12.  TW_USAGE otherwise. */
enum tw_status tower_number(const char *s, int64_t *out, struct tw_err *err);
/* A whole number in [min, max] of option `name`. */
enum tw_status tower_count(const char *name, const char *s, long min, long max,
    int *out, struct tw_err *err);
/* --jobs, else what the configuration says. */
enum tw_status tower_jobs(const struct tw_cli *cli, const struct tower *t,
    int *out, struct tw_err *err);

/* Part of a list: --limit and --after of the verbs that have them. */
#define TOWER_PAGE_OPTIONS(id) \
	{ "limit", 0, "N", N_("at most so many"), false }, \
	{ "after", 0, id, N_("those behind this one"), false }
struct tower_page {
	int64_t after;		/* a number; 0: from the beginning */
	/* internal */
	int64_t limit, n, last;
	bool has_more;
};
enum tw_status tower_page_read(struct tw_cli *cli, struct tower_page *p,
    struct tw_err *err);
/* Is the row with that number one of them?  False: the list is at its end. */
bool tower_page_takes(struct tower_page *p, int64_t num);
/* A walk that ended because the page was full ended well. */
enum tw_status tower_page_end(const struct tower_page *p, enum tw_status st);
/* Says where to go on, where there is more. */
void tower_page_say(struct tw_cli *cli, const struct tower_page *p);

/* A line of `why` for a change that has not ended: what it waits for. */
enum tw_status tower_why(struct tower *t, const struct tw_change *c,
    struct tw_buf *out, struct tw_err *err);

#endif
