/* towerify-run.c - carry out what is due: towerify-run(1) */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tower.h"

static const struct tw_option options[] = {
	{ "hosts", 0, "TARGETS", N_("only these hosts"), false },
	{ "jobs", 0, "N", N_("hosts at work at once (default 256)"), false },
	{ "watch", 0, NULL, N_("stay and wait for more"), false },
	{ "status", 0, NULL, N_("when the last pass ended, and how"), false },
	{ "within", 0, "DURATION",
	    N_("with --status: fail when none ended so lately (default 5m)"),
	    false },
	{ 0 }
};

enum { COL_RUNNING, COL_STARTED, COL_ENDED, COL_STATUS, COL_SUCCEEDED,
	COL_ROLLED_BACK, COL_FAILED, COL_UNREACHABLE };
static const struct tw_column columns[] = {
	{ "running", N_("RUNNING"), TW_COL_BOOL, true,
	    N_("a pass is at work now") },
	{ "started", N_("STARTED"), TW_COL_TIME, true,
	    N_("when the last one began") },
	{ "ended", N_("ENDED"), TW_COL_TIME, true, N_("and ended") },
	{ "status", N_("STATUS"), TW_COL_INT, true, N_("its exit status") },
	{ "succeeded", N_("SUCCEEDED"), TW_COL_INT, true,
	    N_("changes that did") },
	{ "rolled_back", N_("ROLLED BACK"), TW_COL_INT, true,
	    N_("changes that were") },
	{ "failed", N_("FAILED"), TW_COL_INT, true, N_("changes that did") },
	{ "unreachable", N_("UNREACHABLE"), TW_COL_INT, true,
	    N_("contacts that failed") },
	{ 0 }
};

#define WITHIN_MS (INT64_C(5) * 60 * 1000)

/* Is cron still at it?  age: since a running pass moved; ended: 0, or when the
 * last one did, with its exit status. */
static bool is_well(struct tw_cli *cli, bool running, int64_t age,
    int64_t ended, int64_t exit_status, int64_t within)
{
	char span[TW_TIME_MAX];
	int64_t since;

	since = running ? age : tw_clock_now() - ended;
	if (!running && !ended) {
		tw_cli_say(cli, "no pass has ended yet");
		return false;
	}
	if (since <= within)
		return running || exit_status == 0;
	tw_span_format(since, span);
	tw_cli_say(cli, running ?
	    N_("a pass is at work, but has not moved for %s") :
	    N_("no pass has ended for %s"), span);
	return false;
}

/* The note that bin/pass.c wrote. */
static enum tw_status show_status(struct tw_cli *cli, struct tower *t,
    int64_t within, struct tw_err *err)
{
	int64_t v[7] = { 0 }, age = 0;
	struct tw_table *table = NULL;
	struct tw_table_options o = cli->table;
	bool running = false, known;
	char *note = NULL;
	enum tw_status st;
	int i;

	st = tw_runlock_note(tw_store_dir(t->store), &note, &running, &age,
	    err);
	if (st)
		return st;
	known = note && sscanf(note, "%18" SCNd64 " %18" SCNd64 " %18" SCNd64
	    " %18" SCNd64 " %18" SCNd64 " %18" SCNd64 " %18" SCNd64, &v[0],
	    &v[1], &v[2], &v[3], &v[4], &v[5], &v[6]) == 7;
	free(note);
	o.noun = "passes";
	o.all_columns = true;
	st = tw_table_new(columns, &o, &table, err);
	if (st)
		return st;
	tw_table_cell_bool(table, COL_RUNNING, running);
	if (known) {
		tw_table_cell_time(table, COL_STARTED, v[0]);
		tw_table_cell_time(table, COL_ENDED, v[1]);
		for (i = 2; i < 7; i++)
			tw_table_cell_int(table, (size_t)(COL_STATUS + i - 2),
			    v[i]);
	}
	st = tw_table_row_end(table, err);
	if (!st)
		st = tw_table_show(table, stdout, err);
	tw_table_free(table);
	if (st)
		return st;
	return is_well(cli, running, age, known ? v[1] : 0, v[2], within) ?
	    TW_OK : TW_NO;
}

static enum tw_status exit_status(const struct tw_pass_result *r)
{
	enum tw_status st = r->worst;

	if ((r->interrupted && r->still_running) || r->stepped_aside)
		st = tw_status_worse(st, TW_WAITING);
	if (r->unreachable && isatty(STDERR_FILENO))
		st = tw_status_worse(st, TW_AGAIN);
	if (r->held)
		st = tw_status_worse(st, TW_WAITING);
	return st;
}

/* What a pass leaves undone is retention's turn, a little at a time. */
static enum tw_status retain(struct tower *t, struct tw_err *err)
{
	const int64_t days = INT64_C(90) * 24 * 3600 * 1000;
	const int64_t bytes = INT64_C(4) << 30;
	int64_t removed = 0;
	enum tw_status st;
	bool more;

	st = tw_output_retain(t->store, tw_clock_now() - days, bytes, 100,
	    &removed, err);
	if (!st && removed > 0)
		st = tw_store_trim(t->store, 1000, &more, err);
	return st == TW_AGAIN ? TW_OK : st;
}

/* Behind a gate, who is no administrator of the tower learns nothing of other
 * organisations: what stays or looks back is about all of them. */
static enum tw_status refuse_whole(struct tw_cli *cli, struct tower *t,
    const char *flag, struct tw_err *err)
{
	if (!tw_cli_flag(cli, flag) || !t->who.is_gated || t->who.is_admin)
		return TW_OK;
	return tw_err_set(err, TW_DENIED, "%s may not use --%s: it is about "
	    "the whole tower", t->who.login, flag);
}

/* The names of the hosts that the pass is for; NULL: the whole tower. */
static enum tw_status choose_hosts(struct tw_cli *cli, struct tower *t,
    char ***names, struct tw_err *err)
{
	const char *expr = tw_cli_opt(cli, "hosts");
	bool is_limited = t->who.is_gated && !t->who.is_admin;
	struct tw_host *hosts = NULL;
	enum tw_status st;
	size_t n = 0;

	*names = NULL;
	if (expr && !t->who.org_id)
		return tw_err_set(err, TW_DENIED, "%s is not an operator of "
		    "this tower, so --hosts can't be chosen", t->who.login);
	if (!is_limited)
		return tower_select_names(cli, expr, names, err);
	st = tower_select(cli, expr, &hosts, &n, err);
	if (!st)
		st = tw_host_runnable(t->store, &t->who, hosts, n,
		    expr != NULL, names, err);
	tw_host_list_free(hosts, n);
	return st;
}

static int status(struct tw_cli *cli, struct tower *t)
{
	const char *text = tw_cli_opt(cli, "within");
	int64_t within = WITHIN_MS;
	struct tw_err err = { 0 };
	enum tw_status st = TW_OK;

	if (text)
		st = tw_span_parse(text, &within, &err);
	if (!st)
		st = show_status(cli, t, within, &err);
	return st && err.msg[0] ? tw_cli_error(cli, &err) : (int)st;
}

static int run(struct tw_cli *cli, int argc, char **argv)
{
	const char *jobs_text = tw_cli_opt(cli, "jobs");
	struct tower *t = cli->context;
	struct tw_pass_result result;
	struct tw_err err = { 0 };
	char **hosts = NULL;
	bool busy = false;
	enum tw_status st;
	int jobs = 0;

	(void)argc;
	(void)argv;
	st = refuse_whole(cli, t, "status", &err);
	if (!st)
		st = refuse_whole(cli, t, "watch", &err);
	if (st)
		return tw_cli_error(cli, &err);
	if (tw_cli_flag(cli, "status"))
		return status(cli, t);
	if (tw_cli_opt(cli, "within"))
		return tw_cli_usage(cli, "--within needs --status");
	if (jobs_text) {
		st = tower_count("jobs", jobs_text, 1, 100000, &jobs, &err);
		if (st)
			return tw_cli_error(cli, &err);
	}
	st = choose_hosts(cli, t, &hosts, &err);
	if (!st)
		st = tower_pass(cli, t, (const char *const *)hosts, jobs,
		    tw_cli_flag(cli, "watch"), 0, &busy, &result, &err);
	tw_strv_free(hosts);
	if (!st && !busy && result.succeeded + result.rolled_back +
	    result.failed > 0)
		st = retain(t, &err);
	if (st)
		return tw_cli_error(cli, &err);
	if (busy && isatty(STDERR_FILENO))
		tw_cli_say(cli, "another pass is at work; it takes up what is "
		    "filed meanwhile");
	if (!busy && result.stepped_aside && isatty(STDERR_FILENO))
		tw_cli_say(cli, "a pass over the whole tower goes on with these "
		    "hosts");
	return busy ? TW_OK : (int)exit_status(&result);
}

static const struct tw_verb verbs[] = {
	{ NULL, run, options, NULL, 0, 0, TW_NEEDS_WRITE,
	    N_("carry out what is due"), columns },
};

static const struct tw_tool tool = {
	.name = "towerify-run",
	.summary = N_("carry out what is due, on all hosts at once"),
	.verbs = verbs,
	.nverbs = sizeof verbs / sizeof *verbs,
	.open_state = tower_open_pass,
	.close_state = tower_close_state,
};

int main(int argc, char **argv)
{
	return tw_cli_main(argc, argv, &tool);
}
