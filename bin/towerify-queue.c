/* towerify-queue.c - file changes and follow them: towerify-queue(1) */
#include "queue.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "filing.h"
#include "tower.h"

/* Numbers from arguments; "-" reads them from stdin.  Caller frees. */
static enum tw_status read_numbers(struct tw_cli *cli, int argc, char **argv,
    int64_t **out, size_t *n, struct tw_err *err)
{
	struct tw_buf b = TW_BUF_INIT;
	char *word, *save = NULL;
	enum tw_status st = TW_OK;
	int i;

	*out = NULL;
	*n = 0;
	for (i = 0; i < argc && !st; i++) {
		st = tw_cli_targets_text(cli, argv[i], &b, err);
		tw_buf_addc(&b, ' ');
	}
	if (!st)
		st = tw_buf_check(&b, err);
	if (!st) {
		*out = calloc(b.len + 1, sizeof **out);
		if (!*out)
			st = tw_err_nomem(err);
	}
	for (word = st ? NULL : strtok_r(b.data, " ,\t\n", &save); word && !st;
	    word = strtok_r(NULL, " ,\t\n", &save))
		st = tower_number(word, &(*out)[(*n)++], err);
	tw_buf_release(&b);
	if (!st && *n == 0)
		st = tw_err_set(err, TW_USAGE, "no change was named");
	return st;
}

static int wait_for(struct tw_cli *cli, int argc, char **argv)
{
	const char *timeout = tw_cli_opt(cli, "timeout");
	struct tower *t = cli->context;
	struct tw_err err = { 0 };
	int64_t *nums = NULL, limit = -1;
	enum tw_status st = TW_OK;
	size_t n = 0;

	if (timeout)
		st = tw_span_parse(timeout, &limit, &err);
	if (!st)
		st = read_numbers(cli, argc, argv, &nums, &n, &err);
	if (!st)
		st = tower_wait(cli, t, nums, n, limit, false, 0, &err);
	free(nums);
	return st && err.msg[0] ? tw_cli_error(cli, &err) :
	    tw_status_exit(st);
}

static enum tw_status cancel_one(struct tw_cli *cli, int64_t num,
    struct tw_err *err)
{
	enum tw_cancel_result r = TW_CANCEL_TOO_LATE;
	struct tower *t = cli->context;
	enum tw_status st;

	st = tw_change_cancel(t->store, &t->who, num, &r, err);
	if (st)
		return st;
	switch (r) {
	case TW_CANCELLED:
		tw_cli_say(cli, "change %" PRId64 " is cancelled", num);
		return TW_OK;
	case TW_CANCEL_ASKED:
		tw_cli_say(cli, "change %" PRId64 " runs: its host is told "
		    "to stop and to undo it", num);
		return TW_OK;
	case TW_CANCEL_TOO_LATE:
		break;
	}
	return tw_err_set(err, TW_NO, "change %" PRId64 " has ended or is "
	    "being undone: nothing was changed", num);
}

static enum tw_status abandon_one(struct tw_cli *cli, int64_t num,
    struct tw_err *err)
{
	struct tower *t = cli->context;
	enum tw_status st;

	st = tw_change_abandon(t->store, &t->who, num,
	    tw_cli_opt(cli, "reason"), err);
	if (!st)
		tw_cli_say(cli, "change %" PRId64 " is given up, its host is "
		    "held: nobody knows how far it came", num);
	return st;
}

/* Acts on each of the changes; what can't be done of one is said, and the
 * others go on. */
static int act(struct tw_cli *cli, int argc, char **argv,
    enum tw_status (*one)(struct tw_cli *cli, int64_t num, struct tw_err *err))
{
	struct tower *t = cli->context;
	struct tw_err err = { 0 };
	enum tw_status st, worst = TW_OK;
	int64_t *nums = NULL;
	size_t n = 0, i;

	st = read_numbers(cli, argc, argv, &nums, &n, &err);
	if (!st)
		st = tw_change_permit(t->store, &t->who, nums, n, &err);
	if (st)
		worst = (enum tw_status)tw_cli_error(cli, &err);
	for (i = 0; i < n && !st; i++) {
		enum tw_status result = one(cli, nums[i], &err);

		if (result)
			tw_cli_error(cli, &err);
		worst = tw_status_worse(worst, result);
	}
	free(nums);
	return tw_status_exit(worst);
}

static int cancel(struct tw_cli *cli, int argc, char **argv)
{
	return act(cli, argc, argv, cancel_one);
}

static int abandon(struct tw_cli *cli, int argc, char **argv)
{
	const char *reason = tw_cli_opt(cli, "reason");

	if (!reason || !*reason)
		return tw_cli_usage(cli, "abandon needs --reason TEXT: why is "
		    "the change lost?");
	return act(cli, argc, argv, abandon_one);
}

static const struct tw_option list_options[] = {
	{ "status", 0, "S,...", N_("only these: queued, held, running, "
	    "succeeded, rolled-back, failed, cancelled, unknown"), false },
	{ "all", 0, NULL, N_("the ended ones too"), false },
	TOWER_PAGE_OPTIONS("ID"),
	{ 0 }
};
static const struct tw_option log_options[] = {
	{ "follow", 'f', NULL, N_("go on until the change ends"), false },
	{ 0 }
};
static const struct tw_option wait_options[] = {
	{ "timeout", 0, "DURATION", N_("wait no longer than that"), false },
	{ 0 }
};
static const struct tw_option abandon_options[] = {
	{ "reason", 0, "TEXT", N_("why, for the record"), false },
	{ 0 }
};
static const struct tw_option param_options[] = {
	FILING_PARAM,
	{ 0 }
};
static const struct tw_option plan_options[] = {
	FILING_PARAM,
	FILING_JOBS,
	{ 0 }
};

static const struct tw_verb verbs[] = {
	{ "add", queue_add, filing_options, "TARGETS FILE", 2, 2,
	    TW_NEEDS_WRITE,
	    N_("file a change for each host, print their ids"), NULL },
	{ "list", queue_list, list_options, "[TARGETS]", 0, 1, TW_NEEDS_READ,
	    N_("the pending changes"), queue_list_columns },
	{ "show", queue_show, NULL, "ID", 1, 1, TW_NEEDS_READ,
	    N_("a change with its steps"), queue_show_columns },
	{ "log", queue_log, log_options, "ID", 1, 1, TW_NEEDS_READ,
	    N_("the output of its steps"), queue_log_columns },
	{ "why", queue_why, NULL, "ID", 1, 1, TW_NEEDS_READ,
	    N_("what it waits for"), NULL },
	{ "wait", wait_for, wait_options, "ID...", 1, -1, TW_NEEDS_READ,
	    N_("wait for the end, exit with the worst result"), NULL },
	{ "cancel", cancel, NULL, "ID...", 1, -1, TW_NEEDS_WRITE,
	    N_("stop and undo"), NULL },
	{ "abandon", abandon, abandon_options, "ID...", 1, -1, TW_NEEDS_WRITE,
	    N_("give up a running change whose host won't come back"), NULL },
	{ "retry", queue_retry, param_options, "ID", 1, 1, TW_NEEDS_WRITE,
	    N_("file it again, print the new id"), NULL },
	{ "check", queue_check, param_options, "FILE", 1, 1, TW_NEEDS_NONE,
	    N_("is the file good? prints the steps"), NULL },
	{ "plan", queue_plan, plan_options, "TARGETS FILE", 2, 2,
	    TW_NEEDS_WRITE, N_("ask only the checks, on the hosts"),
	    queue_plan_columns },
};

int main(int argc, char **argv)
{
	return tower_main(argc, argv, "towerify-queue",
	    "file changes and see what becomes of them", verbs,
	    sizeof verbs / sizeof *verbs);
}
