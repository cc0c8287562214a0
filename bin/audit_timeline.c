/* audit_timeline.c - what ran where and when, as a picture: towerify-audit
 * timeline */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "base/clock.h"
#include "out/escape.h"
#include "out/timeline.h"

#define BARS_MAX 5000		/* what a browser shows at ease */
#define DEFAULT_MS (INT64_C(24) * 3600 * 1000)

struct picture {
	struct tw_timeline_bar *bars;
	size_t n, cap;
	bool is_full;
	int64_t now;
};

static const enum tw_timeline_kind kinds[] = {
	[TW_CHANGE_QUEUED] = TW_BAR_RUNNING,
	[TW_CHANGE_RUNNING] = TW_BAR_RUNNING,
	[TW_CHANGE_SUCCEEDED] = TW_BAR_SUCCEEDED,
	[TW_CHANGE_ROLLED_BACK] = TW_BAR_ROLLED_BACK,
	[TW_CHANGE_FAILED] = TW_BAR_FAILED,
	[TW_CHANGE_CANCELLED] = TW_BAR_CANCELLED,
	[TW_CHANGE_UNKNOWN] = TW_BAR_LOST,
};

/* A line of a tooltip: nothing in it breaks it. */
static void put_line(struct tw_buf *b, const char *text)
{
	tw_buf_addc(b, '\n');
	tw_escape(text, strlen(text), TW_ESCAPE_ONE_LINE, b);
}

static char *make_tip(const struct picture *p,
    const struct tw_history_change *c)
{
	char from[TW_TIME_MAX], to[TW_TIME_MAX], span[TW_TIME_MAX];
	struct tw_buf b = TW_BUF_INIT;

	tw_time_local(c->started, from);
	tw_time_local(c->ended, to);
	tw_span_format((c->ended ? c->ended : p->now) - c->started, span);
	tw_buf_addf(&b, tw_text("%s: change %" PRId64 " %s"), c->host, c->num,
	    tw_text_in(TW_TEXT_WORD, tw_change_status_name(c->status)));
	put_line(&b, c->title);
	if (c->reason)
		put_line(&b, c->reason);
	tw_buf_addc(&b, '\n');
	if (c->app)
		tw_buf_addf(&b, tw_text("by %s, app %s"), c->operator, c->app);
	else
		tw_buf_addf(&b, tw_text("by %s"), c->operator);
	tw_buf_addc(&b, '\n');
	if (c->ended)
		tw_buf_addf(&b, tw_text("%s to %s (%s)"), from, to, span);
	else
		tw_buf_addf(&b, tw_text("%s to now (%s)"), from, span);
	return tw_buf_detach(&b);
}

static enum tw_status on_change(void *arg, const struct tw_history_change *c,
    struct tw_err *err)
{
	struct picture *p = arg;
	struct tw_timeline_bar *bar;

	if (p->n == BARS_MAX) {
		p->is_full = true;
		return TW_NO;
	}
	if (p->n == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 64;
		bar = reallocarray(p->bars, p->cap, sizeof *bar);
		if (!bar)
			return tw_err_nomem(err);
		p->bars = bar;
	}
	bar = &p->bars[p->n];
	bar->row = strdup(c->host);
	bar->tip = make_tip(p, c);
	bar->kind = kinds[c->status];
	bar->from = c->started;
	bar->to = c->ended ? c->ended : p->now;
	if (!bar->row || !bar->tip) {
		free((char *)bar->row);
		free((char *)bar->tip);
		return tw_err_nomem(err);
	}
	p->n++;
	return TW_OK;
}

static void release(struct picture *p)
{
	size_t i;

	for (i = 0; i < p->n; i++) {
		free((char *)p->bars[i].row);
		free((char *)p->bars[i].tip);
	}
	free(p->bars);
}

/* Without --since the last day, or the one before --until. */
static enum tw_status read_period(struct tw_cli *cli,
    struct tw_history_filter *f, int64_t now, char ***hosts,
    struct tw_err *err)
{
	enum tw_status st = audit_filter(cli, f, hosts, err);

	f->is_running = true;
	if (!f->until)
		f->until = now;
	if (!tw_cli_opt(cli, "since"))
		f->since = f->until - DEFAULT_MS;
	if (!st && f->since >= f->until)
		st = tw_err_set(err, TW_USAGE, "--since is not in the past");
	return st;
}

static enum tw_status draw(struct tw_cli *cli, const struct picture *p,
    const struct tw_history_filter *f, struct tw_err *err)
{
	struct tw_buf b = TW_BUF_INIT;
	enum tw_status st;
	char note[200];
	struct tw_timeline t = {
		.since = f->since,
		.until = f->until,
		.bars = p->bars,
		.n = p->n,
	};

	if (p->is_full) {
		snprintf(note, sizeof note, tw_text("only the latest %d "
		    "changes are shown"), BARS_MAX);
		t.note = note;
		tw_cli_say(cli, "only the latest %d changes are shown: "
		    "--since, --until and --host choose", BARS_MAX);
	}
	st = tw_timeline_draw(&t, &b, err);
	if (!st)
		fwrite(tw_buf_str(&b), 1, b.len, stdout);
	tw_buf_release(&b);
	return st;
}

int audit_timeline(struct tw_cli *cli, int argc, char **argv)
{
	struct picture p = { .now = tw_clock_now() };
	struct tower *t = cli->context;
	struct tw_history_filter f = { 0 };
	struct tw_err err = { 0 };
	char **hosts = NULL;
	enum tw_status st;

	(void)argc;
	(void)argv;
	st = read_period(cli, &f, p.now, &hosts, &err);
	if (!st)
		st = tw_history_each(t->store, &t->who, &f, on_change, &p,
		    &err);
	if (st == TW_NO && p.is_full)
		st = TW_OK;
	if (!st)
		st = draw(cli, &p, &f, &err);
	release(&p);
	tw_strv_free(hosts);
	return st ? tw_cli_error(cli, &err) : TW_OK;
}
