/* towerify-run.c - carry out what is due: towerify-run(1) */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cron.h"
#include "gate.h"
#include "model/metrics.h"
#include "tower.h"

static const struct tw_option options[] = {
	{ "hosts", 0, "TARGETS", N_("only these hosts"), false },
	{ "jobs", 0, "N", N_("hosts at work at once"), false },
	{ "watch", 0, NULL, N_("stay and wait for more"), false },
	{ "cron", 0, NULL,
	    N_("silent unless a person must act, once a problem"), false },
	{ "status", 0, NULL, N_("is all well, and when the last pass ended"),
	    false },
	{ "within", 0, "DURATION",
	    N_("with --status: fail when none ended so lately (default 5m)"),
	    false },
	{ 0 }
};

enum { COL_RUNNING, COL_STARTED, COL_ENDED, COL_STATUS, COL_SUCCEEDED,
	COL_ROLLED_BACK, COL_FAILED, COL_UNREACHABLE, COL_HELD };
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
	{ "held", N_("HELD"), TW_COL_INT, true,
	    N_("hosts that are held now and want a person") },
	{ 0 }
};

#define WITHIN_MS (INT64_C(5) * 60 * 1000)

/* What is wrong, into b; nothing when all is well.  For checks as the line is:
 * English in every locale. */
static void find_wrong(const struct tower_last *last, int64_t held,
    int64_t within, struct tw_buf *b)
{
	int64_t since = last->is_running ? last->age :
	    tw_clock_now() - last->ended;
	char span[TW_TIME_MAX];

	tw_span_format(since, span);
	if (!last->is_running && !last->is_known)
		tw_buf_adds(b, "no pass has ended yet");
	else if (since > within)
		tw_buf_addf(b, last->is_running ?
		    "a pass is at work, but has not moved for %s" :
		    "no pass has ended for %s", span);
	else if (!last->is_running && last->status)
		tw_buf_addf(b, "the last pass exited with %" PRId64,
		    last->status);
	if (held)
		tw_buf_addf(b, "%s%" PRId64 " host%s held and want%s a person",
		    b->len ? "; " : "", held, held == 1 ? " is" : "s are",
		    held == 1 ? "s" : "");
}

/* For checks: one line, whose first word says it all. */
static void put_line(const struct tower_last *last, const char *wrong,
    struct tw_buf *b)
{
	char span[TW_TIME_MAX];

	tw_buf_adds(b, *wrong ? "trouble: " : "well: ");
	tw_buf_adds(b, *wrong ? wrong : last->is_running ?
	    "a pass is at work" : "");
	if (!last->is_known)
		return;
	tw_span_format(tw_clock_now() - last->ended, span);
	tw_buf_addf(b, "%sthe last pass ended %s ago: %" PRId64
	    " succeeded, %" PRId64 " rolled back, %" PRId64 " failed, %"
	    PRId64 " unreachable", *wrong || last->is_running ? "; " : "",
	    span, last->succeeded, last->rolled_back, last->failed,
	    last->unreachable);
}

static enum tw_status print_table(struct tw_cli *cli,
    const struct tower_last *last, int64_t held, struct tw_err *err)
{
	struct tw_table_options o = cli->table;
	struct tw_table *table = NULL;
	enum tw_status st;

	o.noun = "passes";
	o.all_columns = true;
	st = tw_table_new(columns, &o, &table, err);
	if (st)
		return st;
	tw_table_cell_bool(table, COL_RUNNING, last->is_running);
	if (last->is_known) {
		tw_table_cell_time(table, COL_STARTED, last->started);
		tw_table_cell_time(table, COL_ENDED, last->ended);
		tw_table_cell_int(table, COL_STATUS, last->status);
		tw_table_cell_int(table, COL_SUCCEEDED, last->succeeded);
		tw_table_cell_int(table, COL_ROLLED_BACK, last->rolled_back);
		tw_table_cell_int(table, COL_FAILED, last->failed);
		tw_table_cell_int(table, COL_UNREACHABLE, last->unreachable);
	}
	tw_table_cell_int(table, COL_HELD, held);
	st = tw_table_row_end(table, err);
	if (!st)
		st = tw_table_show(table, stdout, err);
	tw_table_free(table);
	return st;
}

static enum tw_status count_held(struct tower *t, int64_t *held,
    struct tw_err *err)
{
	struct tw_metrics m;
	enum tw_status st;
	size_t i;

	*held = 0;
	st = tw_metrics_read(t->store, &t->who, &m, err);
	for (i = 0; i < m.norgs; i++)
		*held += m.orgs[i].held_by_tower;
	tw_metrics_release(&m);
	return st;
}

/* People and checks get a line; who names columns, or a format, gets them. */
static enum tw_status show_status(struct tw_cli *cli, struct tower *t,
    int64_t within, struct tw_err *err)
{
	bool is_line = cli->table.mode == TW_TABLE_PEOPLE &&
	    !cli->table.output;
	struct tw_buf wrong = TW_BUF_INIT, line = TW_BUF_INIT;
	struct tower_last last;
	int64_t held = 0;
	enum tw_status st;

	st = tower_last_pass(t, &last, err);
	if (!st)
		st = count_held(t, &held, err);
	if (st)
		return st;
	find_wrong(&last, held, within, &wrong);
	st = tw_buf_check(&wrong, err);
	if (!st && is_line) {
		put_line(&last, tw_buf_str(&wrong), &line);
		st = tw_buf_check(&line, err);
		if (!st)
			printf("%s\n", tw_buf_str(&line));
	} else if (!st) {
		st = print_table(cli, &last, held, err);
		if (!st && wrong.len)
			tw_cli_say(cli, "%s", tw_buf_str(&wrong));
	}
	if (!st && wrong.len)
		st = TW_NO;
	tw_buf_release(&wrong);
	tw_buf_release(&line);
	return st;
}

static enum tw_status exit_status(const struct tw_pass_result *r,
    bool is_watched)
{
	enum tw_status st = r->worst;

	if ((r->interrupted && r->still_running) || r->stepped_aside)
		st = tw_status_worse(st, TW_WAITING);
	if (r->unreachable && is_watched)
		st = tw_status_worse(st, TW_AGAIN);
	if (r->held)
		st = tw_status_worse(st, TW_WAITING);
	return st;
}

/* What a pass leaves undone is retention's turn, a little at a time. */
static enum tw_status retain(struct tower *t, struct tw_err *err)
{
	const int64_t *n = t->config.number;
	int64_t now = tw_clock_now(), removed = 0;
	int64_t before = n[TW_CONFIG_RETENTION] < now ?
	    now - n[TW_CONFIG_RETENTION] : 0;
	enum tw_status st;
	bool more;

	st = tw_output_retain(t->store, before, n[TW_CONFIG_OUTPUT_TOTAL],
	    100, &removed, err);
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

static int show_pass(struct tw_cli *cli, struct tower *t)
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

/* A pass over the whole tower, or for the hosts that are named. */
static enum tw_status pass(struct tw_cli *cli, struct tower *t,
    bool is_watched, int *status, struct tw_err *err)
{
	struct tw_pass_result result;
	char **hosts = NULL;
	bool busy = false;
	enum tw_status st;
	int jobs = 0;

	st = tower_jobs(cli, t, &jobs, err);
	if (!st)
		st = choose_hosts(cli, t, &hosts, err);
	if (!st)
		st = tower_pass(cli, t, (const char *const *)hosts, jobs,
		    tw_cli_flag(cli, "watch"), 0, &busy, &result, err);
	tw_strv_free(hosts);
	if (!st && !busy && result.succeeded + result.rolled_back +
	    result.failed > 0)
		st = retain(t, err);
	if (st)
		return st;
	if (busy && is_watched)
		tw_cli_say(cli, "another pass is at work; it takes up what is "
		    "filed meanwhile");
	if (!busy && result.stepped_aside && is_watched)
		tw_cli_say(cli, "a pass over the whole tower goes on with these "
		    "hosts");
	*status = busy ? TW_OK : (int)exit_status(&result, is_watched);
	return TW_OK;
}

static int run_cron(struct tw_cli *cli, struct tower *t)
{
	struct tw_err err = t->unopened;
	int status = 0;

	if (err.status || pass(cli, t, false, &status, &err))
		return cron_error(cli, &err);
	cron_well(cli);
	return status;
}

static int run(struct tw_cli *cli, int argc, char **argv)
{
	struct tower *t = cli->context;
	struct tw_err err = { 0 };
	enum tw_status st;
	int status = 0;

	(void)argc;
	(void)argv;
	if (tw_cli_flag(cli, "cron"))
		return run_cron(cli, t);
	st = refuse_whole(cli, t, "status", &err);
	if (!st)
		st = refuse_whole(cli, t, "watch", &err);
	if (st)
		return tw_cli_error(cli, &err);
	if (tw_cli_flag(cli, "status"))
		return show_pass(cli, t);
	if (tw_cli_opt(cli, "within"))
		return tw_cli_usage(cli, "--within needs --status");
	st = pass(cli, t, isatty(STDERR_FILENO), &status, &err);
	return st ? tw_cli_error(cli, &err) : status;
}

/* For cron the error is told by cron_error(). */
static enum tw_status open_state(struct tw_cli *cli, enum tw_cli_needs needs,
    struct tw_err *err)
{
	static const char *const others[] = {
		"hosts", "watch", "status", "within",
	};
	struct tower *t;
	size_t i;

	if (!tw_cli_flag(cli, "cron"))
		return tower_open_pass(cli, needs, err);
	cli->is_quiet = true;
	if (gate_refuse("--cron", err))
		return err->status;
	for (i = 0; i < sizeof others / sizeof *others; i++)
		if (tw_cli_opt(cli, others[i]) || tw_cli_flag(cli, others[i]))
			return tw_err_set(err, TW_USAGE,
			    "--cron and --%s don't go together", others[i]);
	if (!tower_open_pass(cli, needs, err) || !cli->context)
		return cli->context ? TW_OK : err->status;
	t = cli->context;
	t->unopened = *err;
	return TW_OK;
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
	.open_state = open_state,
	.close_state = tower_close_state,
};

int main(int argc, char **argv)
{
	return tw_cli_main(argc, argv, &tool);
}
