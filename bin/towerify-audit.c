/* towerify-audit.c - who did what: towerify-audit(1) */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "audit.h"
#include "base/clock.h"
#include "gate.h"
#include "model/audit.h"
#include "model/prune.h"

enum { COL_SEQ, COL_TIME, COL_OPERATOR, COL_ACTION, COL_HOST, COL_CHANGE,
	COL_DETAIL, COL_CHAIN, COL_PREV, COL_HASH };
static const struct tw_column columns[] = {
	{ "seq", N_("SEQ"), TW_COL_INT, true, N_("number in the chain") },
	{ "time", N_("TIME"), TW_COL_TIME, true, N_("when") },
	{ "operator", N_("OPERATOR"), TW_COL_TEXT, true,
	    N_("who; tower itself") },
	{ "action", N_("ACTION"), TW_COL_TEXT, true, N_("what was done") },
	{ "host", N_("HOST"), TW_COL_TEXT, true, N_("to which host") },
	{ "change", N_("CHANGE"), TW_COL_INT, true, N_("to which change") },
	{ "detail", N_("DETAIL"), TW_COL_JSON, true,
	    N_("the particulars, JSON") },
	{ "chain", N_("CHAIN"), TW_COL_INT, false,
	    N_("the chain's number, which is hashed too") },
	{ "prev", N_("PREVIOUS"), TW_COL_TEXT, false,
	    N_("SHA-256 of the record before") },
	{ "hash", N_("HASH"), TW_COL_TEXT, false,
	    N_("SHA-256 of this record") },
	{ 0 }
};

static void fill(struct tw_table *t, const struct tw_audit *a)
{
	char hex[TW_SHA256_HEX];

	tw_table_cell_int(t, COL_SEQ, a->seq);
	tw_table_cell_time(t, COL_TIME, a->at);
	tw_table_cell_text(t, COL_OPERATOR, a->operator);
	tw_table_cell_text(t, COL_ACTION, a->action);
	tw_table_cell_text(t, COL_HOST, a->host);
	if (a->change_num)
		tw_table_cell_int(t, COL_CHANGE, a->change_num);
	tw_table_cell_json(t, COL_DETAIL, a->detail);
	tw_table_cell_int(t, COL_CHAIN, a->chain);
	tw_hex(a->prev, sizeof a->prev, hex);
	tw_table_cell_text(t, COL_PREV, hex);
	tw_hex(a->hash, sizeof a->hash, hex);
	tw_table_cell_text(t, COL_HASH, hex);
}

struct listing {
	struct tw_cli *cli;
	struct tw_table *table;
	bool is_stream;
	struct tower_page page;
	int64_t n;
};

static enum tw_status on_record(void *arg, const struct tw_audit *a,
    struct tw_err *err)
{
	struct listing *l = arg;
	enum tw_status st;

	if (!tower_page_takes(&l->page, a->seq))
		return TW_NO;
	fill(l->table, a);
	l->n++;
	st = tw_table_row_end(l->table, err);
	if (!st && l->is_stream) {
		st = tw_table_stream(l->table, stdout, err);
		if (!st && ferror(stdout))
			st = TW_NO;
	}
	return st;
}

static bool wants_tower(const struct tw_cli *cli)
{
	return tw_cli_flag(cli, "tower");
}

static int list(struct tw_cli *cli, int argc, char **argv)
{
	struct tw_audit_filter f = { .is_tower = wants_tower(cli) };
	struct tower *t = cli->context;
	struct tw_table_options o = cli->table;
	struct listing l = { .cli = cli };
	const char *since = tw_cli_opt(cli, "since");
	const char *until = tw_cli_opt(cli, "until");
	const char *host = tw_cli_opt(cli, "host");
	const char *change = tw_cli_opt(cli, "change");
	struct tw_err err = { 0 };
	char **names = NULL;
	enum tw_status st = TW_OK;

	(void)argc;
	(void)argv;
	f.operator = tw_cli_opt(cli, "operator");
	st = tower_page_read(cli, &l.page, &err);
	f.after = l.page.after;
	if (!st && since)
		st = audit_time(since, &f.since, &err);
	if (!st && until)
		st = audit_time(until, &f.until, &err);
	if (!st && change)
		st = tower_number(change, &f.change_num, &err);
	if (!st)
		st = audit_hosts(cli, host, &names, &err);
	f.hosts = (const char *const *)names;
	o.noun = "records";
	if (!st)
		st = tw_table_new(columns, &o, &l.table, &err);
	if (!st)
		st = tower_page_end(&l.page, tw_audit_each(t->store, &t->who,
		    &f, on_record, &l, &err));
	if (!st)
		st = tw_table_print(l.table, stdout, &err);
	tw_table_free(l.table);
	tw_strv_free(names);
	if (!st)
		tower_page_say(cli, &l.page);
	return st ? tw_cli_error(cli, &err) : TW_OK;
}

static int show(struct tw_cli *cli, int argc, char **argv)
{
	struct tw_audit_filter f = { .is_tower = wants_tower(cli) };
	struct tower *t = cli->context;
	struct tw_table_options o = cli->table;
	struct listing l = { .cli = cli };
	struct tw_err err = { 0 };
	enum tw_status st;

	(void)argc;
	o.noun = "records";
	o.all_columns = true;
	st = tower_number(argv[0], &f.seq, &err);
	if (!st)
		st = tw_table_new(columns, &o, &l.table, &err);
	if (!st)
		st = tw_audit_each(t->store, &t->who, &f, on_record, &l,
		    &err);
	if (!st && l.n == 0)
		st = tw_err_set(&err, TW_NO, "no record %s", argv[0]);
	if (!st)
		st = tw_table_show(l.table, stdout, &err);
	tw_table_free(l.table);
	return st ? tw_cli_error(cli, &err) : TW_OK;
}

/* Every record of the chain, an object a line. */
static int export(struct tw_cli *cli, int argc, char **argv)
{
	struct tw_audit_filter f = { .is_tower = wants_tower(cli) };
	struct tower *t = cli->context;
	struct tw_table_options o = cli->table;
	struct listing l = { .cli = cli, .is_stream = true };
	struct tw_err err = { 0 };
	enum tw_status st;

	(void)argc;
	(void)argv;
	o.mode = TW_TABLE_JSON;
	o.noun = "records";
	st = tw_table_new(columns, &o, &l.table, &err);
	if (!st)
		st = tw_audit_each(t->store, &t->who, &f, on_record, &l,
		    &err);
	tw_table_free(l.table);
	return st && err.msg[0] ? tw_cli_error(cli, &err) : TW_OK;
}

/* "towerify-checkpoint 1 CHAIN SEQ HASH", the last such line of a file. */
static enum tw_status read_checkpoint(const char *path, int64_t chain,
    bool is_tower, int64_t *seq, uint8_t hash[TW_SHA256_LEN],
    struct tw_err *err)
{
	struct tw_buf b = { .max = 1 << 20 };
	char hex[TW_SHA256_HEX], *line, *save = NULL;
	int64_t c, n;
	enum tw_status st;

	*seq = 0;
	st = gate_read(path, &b, err);
	if (st)
		goto out;
	/* nothing was read: there is no text to split */
	for (line = b.len ? strtok_r(b.data, "\n", &save) : NULL; line;
	    line = strtok_r(NULL, "\n", &save))
		if (sscanf(line, "towerify-checkpoint 1 %18" SCNd64 " %18"
		    SCNd64 " %64s", &c, &n, hex) == 3 && c == chain &&
		    tw_unhex(hex, hash, TW_SHA256_LEN))
			*seq = n;
	if (*seq == 0)
		st = tw_err_set(err, TW_DATA, "%s: holds no checkpoint of "
		    "%s", path, is_tower ? W_("the tower's own chain") :
		    W_("this organisation"));
out:
	tw_buf_release(&b);
	return st;
}

/* Where the chain begins, when not at 1, and who has seen to that. */
static void say_whole(struct tw_cli *cli, int64_t count,
    const struct tw_audit_cut *cut, const char *held)
{
	char at[TW_TIME_MAX];

	if (!cut->seq) {
		tw_cli_say_n(cli, (unsigned long)count,
		    "%" PRId64 " records, the chain is whole%s",
		    "%" PRId64 " records, the chain is whole%s", count, held);
		return;
	}
	tw_time_rfc3339(cut->at, at);
	tw_cli_say_n(cli, (unsigned long)count,
	    "%" PRId64 " records from record %" PRId64 " on, the "
	    "chain is whole%s; 1 to %" PRId64 " were pruned by %s at %s",
	    "%" PRId64 " records from record %" PRId64 " on, the "
	    "chain is whole%s; 1 to %" PRId64 " were pruned by %s at %s",
	    count, cut->seq + 1, held, cut->seq, cut->operator, at);
}

static int verify(struct tw_cli *cli, int argc, char **argv)
{
	const char *path = tw_cli_opt(cli, "checkpoint");
	bool is_tower = wants_tower(cli);
	uint8_t hash[TW_SHA256_LEN] = { 0 };
	struct tower *t = cli->context;
	int64_t seq = 0, count = 0, bad = 0;
	struct tw_audit_cut cut = { 0 };
	struct tw_err err = { 0 };
	enum tw_status st = TW_OK;

	(void)argc;
	(void)argv;
	if (path)
		st = read_checkpoint(path, tw_audit_chain(&t->who, is_tower),
		    is_tower, &seq, hash, &err);
	if (!st)
		st = tw_audit_verify(t->store, &t->who, is_tower, seq, hash,
		    &count, &bad, &cut, &err);
	if (st)
		return tw_cli_error(cli, &err);
	say_whole(cli, count, &cut, path ?
	    W_(" and holds the checkpoint") : "");
	return TW_OK;
}

static int checkpoint(struct tw_cli *cli, int argc, char **argv)
{
	bool is_tower = wants_tower(cli);
	uint8_t hash[TW_SHA256_LEN];
	struct tower *t = cli->context;
	char hex[TW_SHA256_HEX];
	struct tw_err err = { 0 };
	int64_t seq = 0;

	(void)argc;
	(void)argv;
	if (tw_audit_head(t->store, &t->who, is_tower, &seq, hash, &err))
		return tw_cli_error(cli, &err);
	tw_hex(hash, sizeof hash, hex);
	printf("towerify-checkpoint 1 %" PRId64 " %" PRId64 " %s\n",
	    tw_audit_chain(&t->who, is_tower), seq, hex);
	return TW_OK;
}

/* --- prune ----------------------------------------------------------------------- */

#define PRUNE_ROWS 2000		/* records that go in one transaction */
#define PRUNE_PAGES 500		/* of the file, given back in one */
#define PAUSE_MAX 100		/* ms; others write meanwhile */

/* As long as the work took, so that a pass finds the state free half the
 * time. */
static void pause_after(int64_t started)
{
	int64_t ms = tw_clock_mono() - started;
	struct timespec nap = { 0, (ms < PAUSE_MAX ? ms : PAUSE_MAX) *
	    1000000 };

	nanosleep(&nap, NULL);
}

/* Also gives back what one that was stopped before had left. */
static enum tw_status prune_all(struct tower *t, struct tw_prune *p, bool any,
    struct tw_err *err)
{
	enum tw_status st = TW_OK;
	bool more = any;
	int64_t started;

	while (!st && more) {
		started = tw_clock_mono();
		st = tw_prune_some(t->store, &t->who, p, PRUNE_ROWS, &more,
		    err);
		pause_after(started);
	}
	for (more = true; !st && more; pause_after(started)) {
		started = tw_clock_mono();
		st = tw_store_trim(t->store, PRUNE_PAGES, &more, err);
	}
	return st;
}

static int prune(struct tw_cli *cli, int argc, char **argv)
{
	const char *text = tw_cli_opt(cli, "older-than");
	struct tw_prune p = { .is_tower = wants_tower(cli) };
	struct tower *t = cli->context;
	struct tw_err err = { 0 };
	enum tw_status st;
	bool any = false;
	int64_t span;

	(void)argc;
	(void)argv;
	if (!text)
		return tw_cli_usage(cli, "prune needs --older-than");
	st = tw_span_parse(text, &span, &err);
	p.before = tw_clock_now() - span;
	if (!st)
		st = tw_prune_begin(t->store, &t->who, &p, &any, &err);
	if (!st)
		st = prune_all(t, &p, any, &err);
	if (st)
		return tw_cli_error(cli, &err);
	if (p.stopped_by)
		tw_cli_say(cli, "note: change %" PRId64 " has not ended: its "
		    "records stay, and all behind them", p.stopped_by);
	if (p.changes == 1)
		tw_cli_say_n(cli, (unsigned long)p.records,
		    "%" PRId64 " record and 1 change went",
		    "%" PRId64 " records and 1 change went", p.records);
	else
		tw_cli_say_n(cli, (unsigned long)p.records,
		    "%" PRId64 " record and %" PRId64 " changes went",
		    "%" PRId64 " records and %" PRId64 " changes went",
		    p.records, p.changes);
	return TW_OK;
}

#define TOWER_OPTION \
	{ "tower", 0, NULL, \
	    N_("the tower's own chain, for its administrators"), false }

#define PERIOD_OPTIONS \
	{ "since", 0, "T", N_("from then on; 2h: the last two hours"), false }, \
	{ "until", 0, "T", N_("and before that"), false }, \
	{ "host", 0, "TARGETS", N_("of these hosts"), false }

static const struct tw_option list_options[] = {
	PERIOD_OPTIONS,
	{ "operator", 0, "LOGIN", N_("by this operator"), false },
	{ "change", 0, "ID", N_("of this change"), false },
	TOWER_PAGE_OPTIONS("SEQ"),
	TOWER_OPTION,
	{ 0 }
};
static const struct tw_option stats_options[] = {
	{ "by", 0, "host|app|operator",
	    N_("a row for each; default host"), false },
	PERIOD_OPTIONS,
	{ 0 }
};
static const struct tw_option timeline_options[] = {
	PERIOD_OPTIONS,
	{ 0 }
};
static const struct tw_option prune_options[] = {
	{ "older-than", 0, "SPAN", N_("what goes: 90d"), false },
	TOWER_OPTION,
	{ 0 }
};
static const struct tw_option verify_options[] = {
	{ "checkpoint", 0, "FILE",
	    N_("the chain must still hold this record"), false },
	TOWER_OPTION,
	{ 0 }
};
static const struct tw_option tower_options[] = {
	TOWER_OPTION,
	{ 0 }
};

static const struct tw_verb verbs[] = {
	{ "list", list, list_options, NULL, 0, 0, TW_NEEDS_READ,
	    N_("the records, oldest first"), columns },
	{ "show", show, tower_options, "SEQ", 1, 1, TW_NEEDS_READ,
	    N_("one record, whole"), columns },
	{ "verify", verify, verify_options, NULL, 0, 0, TW_NEEDS_READ,
	    N_("is the chain whole?"), NULL },
	{ "checkpoint", checkpoint, tower_options, NULL, 0, 0, TW_NEEDS_READ,
	    N_("print a record to keep elsewhere"), NULL },
	{ "export", export, tower_options, NULL, 0, 0, TW_NEEDS_READ,
	    N_("every record, JSON an object a line"), columns },
	{ "stats", audit_stats, stats_options, NULL, 0, 0, TW_NEEDS_READ,
	    N_("what ended, in figures"), audit_stats_columns },
	{ "metrics", audit_metrics, NULL, "[FILE]", 0, 1, TW_NEEDS_NONE,
	    N_("the whole tower for Prometheus"), NULL },
	{ "timeline", audit_timeline, timeline_options, NULL, 0, 0,
	    TW_NEEDS_READ, N_("what ran where and when, as an SVG picture"),
	    NULL },
	{ "prune", prune, prune_options, NULL, 0, 0, TW_NEEDS_WRITE,
	    N_("remove old records and ended changes"), NULL },
};

int main(int argc, char **argv)
{
	return tower_main(argc, argv, "towerify-audit",
	    "who did what, and whether the record is whole", verbs,
	    sizeof verbs / sizeof *verbs);
}
