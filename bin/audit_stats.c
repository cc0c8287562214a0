/* audit_stats.c - what ended, in figures: towerify-audit stats */
#include <stdio.h>
#include <string.h>

#include "audit.h"
#include "base/clock.h"

enum { COL_NAME, COL_CHANGES, COL_SUCCEEDED, COL_ROLLED_BACK, COL_FAILED,
	COL_UNKNOWN, COL_CANCELLED, COL_RATE, COL_WAIT_50, COL_WAIT_95,
	COL_RUN_50, COL_RUN_95, COL_RETRIES, COL_RETRIED };
const struct tw_column audit_stats_columns[] = {
	{ "name", N_("NAME"), TW_COL_TEXT, true,
	    N_("the host, app or operator; none: of no app") },
	{ "changes", N_("ENDED"), TW_COL_INT, true, N_("changes that ended") },
	{ "succeeded", N_("GOOD"), TW_COL_INT, true,
	    N_("of them, that succeeded") },
	{ "rolled_back", N_("BACK"), TW_COL_INT, true,
	    N_("that were rolled back") },
	{ "failed", N_("FAILED"), TW_COL_INT, true, N_("that failed") },
	{ "unknown", N_("LOST"), TW_COL_INT, false,
	    N_("that were declared lost") },
	{ "cancelled", N_("CANCELLED"), TW_COL_INT, false,
	    N_("that were cancelled, or expired, before they started") },
	{ "failure_rate", N_("RATE"), TW_COL_RATIO, true,
	    N_("of those that started, how many did not succeed") },
	{ "wait_p50", N_("WAIT"), TW_COL_SPAN, true,
	    N_("half of them waited at most so long to start") },
	{ "wait_p95", N_("WAIT 95%"), TW_COL_SPAN, true,
	    N_("and 95 of a hundred") },
	{ "run_p50", N_("RUN"), TW_COL_SPAN, true,
	    N_("half of them ran at most so long") },
	{ "run_p95", N_("RUN 95%"), TW_COL_SPAN, true,
	    N_("and 95 of a hundred") },
	{ "retries", N_("RETRIES"), TW_COL_INT, true,
	    N_("attempts of their steps beyond the first") },
	{ "retried", N_("RETRIED"), TW_COL_INT, false,
	    N_("that tried an earlier change again") },
	{ 0 }
};

enum tw_status audit_time(const char *s, int64_t *out, struct tw_err *err)
{
	int64_t now = tw_clock_now(), span;

	if (s[0] != '+' && tw_span_parse(s, &span, NULL) == TW_OK) {
		*out = now - span;
		return TW_OK;
	}
	return tw_time_parse(s, now, out, err);
}

enum tw_status audit_hosts(struct tw_cli *cli, const char *expr, char ***out,
    struct tw_err *err)
{
	struct tw_targets *targets = NULL;
	enum tw_status st;

	*out = NULL;
	if (!expr)
		return TW_OK;
	st = tw_targets_parse(expr, &targets, err);
	if (st)
		return st;
	if (tw_targets_names(targets, out, NULL) != TW_OK)
		st = tower_select_names(cli, expr, out, err);
	tw_targets_free(targets);
	return st;
}

enum tw_status audit_filter(struct tw_cli *cli, struct tw_history_filter *f,
    char ***hosts, struct tw_err *err)
{
	const char *since = tw_cli_opt(cli, "since");
	const char *until = tw_cli_opt(cli, "until");
	enum tw_status st = TW_OK;

	*hosts = NULL;
	if (since)
		st = audit_time(since, &f->since, err);
	if (!st && until)
		st = audit_time(until, &f->until, err);
	if (!st && since && until && f->until <= f->since)
		st = tw_err_set(err, TW_USAGE, "--until is not later than "
		    "--since");
	if (!st)
		st = audit_hosts(cli, tw_cli_opt(cli, "host"), hosts, err);
	f->hosts = (const char *const *)*hosts;
	return st;
}

static void fill_spans(struct tw_table *t, size_t col,
    const struct tw_stats_spans *spans)
{
	if (spans->p50 < 0)
		return;
	tw_table_cell_span(t, col, spans->p50);
	tw_table_cell_span(t, col + 1, spans->p95);
}

static void fill(struct tw_table *t, const struct tw_stats *s)
{
	int64_t good = s->ends[TW_CHANGE_SUCCEEDED];

	tw_table_cell_text(t, COL_NAME, s->name);
	tw_table_cell_int(t, COL_CHANGES, s->changes);
	tw_table_cell_int(t, COL_SUCCEEDED, good);
	tw_table_cell_int(t, COL_ROLLED_BACK,
	    s->ends[TW_CHANGE_ROLLED_BACK]);
	tw_table_cell_int(t, COL_FAILED, s->ends[TW_CHANGE_FAILED]);
	tw_table_cell_int(t, COL_UNKNOWN, s->ends[TW_CHANGE_UNKNOWN]);
	tw_table_cell_int(t, COL_CANCELLED, s->ends[TW_CHANGE_CANCELLED]);
	tw_table_cell_ratio(t, COL_RATE, s->ran - good, s->ran);
	fill_spans(t, COL_WAIT_50, &s->wait);
	fill_spans(t, COL_RUN_50, &s->run);
	tw_table_cell_int(t, COL_RETRIES, s->retries);
	tw_table_cell_int(t, COL_RETRIED, s->retried);
}

static enum tw_status read_by(const char *text, enum tw_stats_by *by,
    struct tw_err *err)
{
	static const char *const words[] = {
		[TW_STATS_HOST] = "host",
		[TW_STATS_APP] = "app",
		[TW_STATS_OPERATOR] = "operator",
	};
	size_t i;

	*by = TW_STATS_HOST;
	for (i = 0; text && i < sizeof words / sizeof *words; i++)
		if (strcmp(text, words[i]) == 0) {
			*by = (enum tw_stats_by)i;
			return TW_OK;
		}
	return !text ? TW_OK : tw_err_set(err, TW_USAGE,
	    "bad --by '%s': wanted host, app or operator", text);
}

int audit_stats(struct tw_cli *cli, int argc, char **argv)
{
	struct tw_table_options o = cli->table;
	struct tower *t = cli->context;
	struct tw_history_filter f = { 0 };
	struct tw_stats *stats = NULL;
	struct tw_table *table = NULL;
	struct tw_err err = { 0 };
	char **hosts = NULL;
	enum tw_stats_by by;
	enum tw_status st;
	size_t n = 0, i;

	(void)argc;
	(void)argv;
	o.noun = "stats";
	st = read_by(tw_cli_opt(cli, "by"), &by, &err);
	if (!st)
		st = audit_filter(cli, &f, &hosts, &err);
	if (!st)
		st = tw_table_new(audit_stats_columns, &o, &table, &err);
	if (!st)
		st = tw_stats_read(t->store, &t->who, &f, by, &stats, &n,
		    &err);
	for (i = 0; !st && i < n; i++) {
		fill(table, &stats[i]);
		st = tw_table_row_end(table, &err);
	}
	if (!st)
		st = tw_table_print(table, stdout, &err);
	tw_table_free(table);
	tw_stats_free(stats, n);
	tw_strv_free(hosts);
	return st ? tw_cli_error(cli, &err) : TW_OK;
}
