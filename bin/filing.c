/* filing.c - what verbs that file changes have in common; see filing.h */
#include "filing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "start.h"

const struct tw_option filing_options[] = {
	FILING_OPTIONS,
	{ 0 }
};

/* What --wait, --run and --jobs ask for after filing. */
struct after {
	bool run, wait;
	int64_t limit;		/* ms, -1: for ever */
	int jobs;
};

static enum tw_status read_after(struct tw_cli *cli, struct tower *t,
    struct after *a, struct tw_err *err)
{
	const char *wait = tw_cli_opt(cli, "wait");
	enum tw_status st = TW_OK;

	memset(a, 0, sizeof *a);
	a->run = tw_cli_flag(cli, "run");
	a->wait = wait != NULL;
	a->limit = -1;
	if (wait && *wait)
		st = tw_span_parse(wait, &a->limit, err);
	if (!st)
		st = tower_jobs(cli, t, &a->jobs, err);
	return st;
}

enum tw_status filing_read(struct tw_cli *cli, struct tw_filing *f,
    char times[FILING_TIMES], struct tw_err *err)
{
	const char *before = tw_cli_opt(cli, "not-before");
	const char *after = tw_cli_opt(cli, "not-after");
	const char *failure = tw_cli_opt(cli, "after-failure");
	int64_t now = tw_clock_now();
	enum tw_status st = TW_OK;

	f->why = tw_cli_opt(cli, "reason");
	f->key = tw_cli_opt(cli, "key");
	if (f->key && !*f->key)	/* an unset variable of a script */
		return tw_err_set(err, TW_USAGE, "option '--key' is empty");
	/* as they were given: the same words under the same key are the same */
	snprintf(times, FILING_TIMES, "%s %s", before ? before : "",
	    after ? after : "");
	f->times = times;
	if (before)
		st = tw_time_parse(before, now, &f->not_before, err);
	if (!st && after)
		st = tw_time_parse(after, now, &f->not_after, err);
	if (st)
		return st;
	if (failure && strcmp(failure, "hold") != 0)
		return tw_err_set(err, TW_USAGE, "--after-failure takes "
		    "'hold', not '%s'", failure);
	f->hold_after_failure = failure != NULL;
	if (f->not_after && f->not_after <= now)
		return tw_err_set(err, TW_USAGE, "--not-after is in the past");
	if (f->not_after && f->not_after <= f->not_before)
		return tw_err_set(err, TW_USAGE,
		    "--not-after is not after --not-before");
	return TW_OK;
}

/* One pass over the changes, without waiting for those that can't start. */
static enum tw_status run_once(struct tw_cli *cli, struct tower *t,
    const struct tw_host *hosts, size_t n, const struct after *a,
    struct tw_err *err)
{
	const char **names = calloc(n + 1, sizeof *names);
	enum tw_status st;
	size_t i;

	if (!names)
		return tw_err_nomem(err);
	for (i = 0; i < n; i++)
		names[i] = hosts[i].name;
	st = tower_pass_through(cli, t, names, a->jobs, err);
	free(names);
	return st;
}

/* What was filed runs now, or is waited for, or both. */
static enum tw_status follow(struct tw_cli *cli, struct tower *t,
    const struct tw_host *hosts, const int64_t *nums, size_t n,
    const struct after *a, struct tw_err *err)
{
	enum tw_status st;

	if (a->wait)
		return tower_wait(cli, t, nums, n, a->limit, a->run, a->jobs,
		    err);
	if (!a->run)
		return TW_OK;
	st = run_once(cli, t, hosts, n, a, err);
	if (st)
		return st;
	st = tower_wait(cli, t, nums, n, 0, false, 0, err);
	return st;
}

/* 75 from `add` says that nothing was filed: that is not so any more. */
static enum tw_status after_filing(struct tw_cli *cli, enum tw_status st,
    struct tw_err *err)
{
	if (st != TW_AGAIN)
		return st;
	if (err->msg[0])
		tw_cli_error(cli, err);
	err->msg[0] = '\0';
	return TW_WAITING;
}

/* Says what was filed, and follows it. */
static enum tw_status filed(struct tw_cli *cli, struct tower *t,
    const struct tw_host *hosts, const int64_t *nums, size_t n,
    const struct after *after, struct tw_err *err)
{
	size_t i;

	if (n && !after->run)
		start_pass(t);
	for (i = 0; i < n; i++)
		printf("%" PRId64 "\n", nums[i]);
	if (!tw_cli_flush(cli))
		return TW_OK;	/* nobody reads: filed all the same */
	for (i = 0; i < n; i++)
		if (hosts[i].held_reason)
			tw_cli_say(cli, "note: %s is held: %s", hosts[i].name,
			    hosts[i].held_reason);
	return after_filing(cli, follow(cli, t, hosts, nums, n, after, err),
	    err);
}

/* The same for what was filed before, perhaps not for every host: 0. */
static enum tw_status filed_before(struct tw_cli *cli, struct tower *t,
    const struct tw_host *hosts, const int64_t *nums, size_t n,
    const struct after *after, struct tw_err *err)
{
	struct tw_host *some = calloc(n + 1, sizeof *some);	/* borrowed */
	int64_t *numbers = calloc(n + 1, sizeof *numbers);
	enum tw_status st;
	size_t k = 0, i;

	st = some && numbers ? TW_OK : tw_err_nomem(err);
	for (i = 0; i < n && !st; i++)
		if (nums[i]) {
			some[k] = hosts[i];
			some[k].held_reason = NULL;	/* was said then */
			numbers[k++] = nums[i];
		}
	if (!st) {
		tw_cli_say(cli, "filed before under this key");
		st = filed(cli, t, some, numbers, k, after, err);
	}
	free(some);
	free(numbers);
	return st;
}

enum tw_status filing_each(struct tw_cli *cli, struct tower *t,
    const struct tw_filing *const *f, const struct tw_host *hosts, size_t n,
    struct tw_err *err)
{
	int64_t *nums = calloc(n + 1, sizeof *nums);
	struct after after;
	enum tw_status st;
	bool again = false;

	if (!nums)
		return tw_err_nomem(err);
	st = read_after(cli, t, &after, err);
	if (!st)
		st = tw_change_file_each(t->store, &t->who, f, hosts, n, nums,
		    &again, err);
	if (!st)
		st = (again ? filed_before : filed)(cli, t, hosts, nums, n,
		    &after, err);
	free(nums);
	return st;
}

enum tw_status filing_all(struct tw_cli *cli, struct tower *t,
    const struct tw_filing *f, const struct tw_host *hosts, size_t n,
    struct tw_err *err)
{
	const struct tw_filing **each = calloc(n + 1, sizeof *each);
	enum tw_status st;
	size_t i;

	if (!each)
		return tw_err_nomem(err);
	for (i = 0; i < n; i++)
		each[i] = f;
	st = filing_each(cli, t, each, hosts, n, err);
	free(each);
	return st;
}

enum tw_status filing_again(struct tw_cli *cli, struct tower *t,
    const struct tw_filing *f, const struct tw_host *hosts, size_t n,
    bool *again, struct tw_err *err)
{
	struct after after;
	enum tw_status st;
	int64_t *nums;

	*again = false;
	if (!f->key)
		return TW_OK;
	nums = calloc(n + 1, sizeof *nums);
	if (!nums)
		return tw_err_nomem(err);
	st = read_after(cli, t, &after, err);
	if (!st)
		st = tw_change_filed(t->store, &t->who, f, hosts, n, nums,
		    again, err);
	if (!st && *again)
		st = filed_before(cli, t, hosts, nums, n, &after, err);
	free(nums);
	return st;
}

int filing_finish(struct tw_cli *cli, enum tw_status st,
    const struct tw_err *err)
{
	return st && err->msg[0] ? tw_cli_error(cli, err) :
	    tw_status_exit(st);
}
