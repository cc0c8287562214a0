/*
 * timeline.c - what ran where and when, as an SVG picture; see timeline.h
 *
 * No script, no font, nothing from elsewhere: the picture may be mailed, and
 * opened from a disk.  Colours are written out for both schemes, since not
 * every program that draws SVG knows CSS variables.
 */
#include "out/timeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "out/escape.h"
#include "out/ticks.h"

#define WIDTH 1200
#define MARGIN 20
#define TOP 126			/* where the first row begins */
#define ROW 26
#define BAR_Y 10		/* in its row */
#define BAR_HEIGHT 13
#define LABEL_MOST 32		/* characters of a host's name */
#define CHARACTER 7.3		/* how wide one is */
#define HAIR 8.0		/* a bar so narrow has no room for a pattern */
#define TICKS 10
#define PERIOD_MAX 160
#define FAR_AXIS 20		/* rows from which the axis stands below too */

static const char style[] =
    "<style>\n"
    "svg{color-scheme:light dark}\n"
    "text{font:12px ui-sans-serif,system-ui,\"DejaVu Sans\",sans-serif;"
    "fill:#1f2328}\n"
    ".host{font-family:ui-monospace,\"DejaVu Sans Mono\",monospace}\n"
    ".head{font-size:17px;font-weight:600}\n"
    ".dim{fill:#59636e}\n"
    ".page{fill:#ffffff}\n"
    ".odd{fill:#f3f5f8}\n"
    ".grid{stroke:#c8d0d8;stroke-width:1}\n"
    ".bar{stroke:#ffffff;stroke-width:.5}\n"
    ".bar:hover{stroke:#1f2328;stroke-width:1.5}\n"
    ".mark{fill:none;stroke:#1f2328;stroke-width:1.6}\n"
    ".c0{fill:#2f9e54}.c1{fill:#f0a92b}.c2{fill:#d1242f}\n"
    ".c3{fill:#8c959f}.c4{fill:#9a5bd1}.c5{fill:#3b8ae6}\n"
    ".on{stroke:#ffffff;stroke-width:1.6;stroke-opacity:.75}\n"
    ".dot{fill:#ffffff;fill-opacity:.75}\n"
    "@media (prefers-color-scheme:dark){\n"
    "text{fill:#e6edf3}\n"
    ".dim{fill:#9da7b1}\n"
    ".page{fill:#0d1117}\n"
    ".odd{fill:#161b22}\n"
    ".grid{stroke:#343b44}\n"
    ".bar{stroke:#0d1117}\n"
    ".bar:hover{stroke:#e6edf3}\n"
    ".mark{stroke:#e6edf3}\n"
    ".c0{fill:#3fb968}.c1{fill:#e3a12f}.c2{fill:#f0525a}\n"
    ".c3{fill:#7d8590}.c4{fill:#b083f0}.c5{fill:#4c9bf5}\n"
    ".on{stroke:#0d1117}.dot{fill:#0d1117}\n"
    "}\n"
    "</style>\n";

/* Each kind's word, and what its pattern has over its colour. */
static const struct {
	const char *name, *over;
} kinds[TW_BAR_KINDS] = {
	[TW_BAR_SUCCEEDED] = { NC_("word", "succeeded"), "" },
	[TW_BAR_ROLLED_BACK] = { NC_("word", "rolled back"),
	    "<path class=\"on\" d=\"M-2 10L10-2M-2 2L2-2M6 10L10 6\"/>" },
	[TW_BAR_FAILED] = { NC_("word", "failed"),
	    "<path class=\"on\" d=\"M-1-1L9 9M9-1L-1 9\"/>" },
	[TW_BAR_CANCELLED] = { NC_("word", "cancelled"),
	    "<circle class=\"dot\" cx=\"4\" cy=\"4\" r=\"1.8\"/>" },
	[TW_BAR_LOST] = { NC_("word", "lost"),
	    "<path class=\"on\" d=\"M2 0V8M6 0V8\"/>" },
	[TW_BAR_RUNNING] = { NC_("word", "running"),
	    "<path class=\"on\" d=\"M0 4H8\"/>" },
};

/* The marks above bars, 7 wide around 0. */
static const char marks[] =
    "<path id=\"m1\" class=\"mark\" d=\"M3-3L-3 0L3 3\"/>\n"
    "<path id=\"m2\" class=\"mark\" d=\"M-3-3L3 3M3-3L-3 3\"/>\n"
    "<path id=\"m3\" class=\"mark\" d=\"M-3-3H3V3H-3Z\"/>\n"
    "<path id=\"m4\" class=\"mark\" d=\"M0-3.5L3.5 0L0 3.5L-3.5 0Z\"/>\n"
    "<path id=\"m5\" class=\"mark\" d=\"M-3-3L3 0L-3 3\"/>\n";

/* Text of any bytes as what stands between tags; newlines stay. */
static void put_text(struct tw_buf *b, const char *s)
{
	struct tw_buf safe = TW_BUF_INIT;
	size_t i;

	tw_escape(s, strlen(s), 0, &safe);
	for (i = 0; i < safe.len; i++) {
		if (safe.data[i] == '&')
			tw_buf_adds(b, "&amp;");
		else if (safe.data[i] == '<')
			tw_buf_adds(b, "&lt;");
		else if (safe.data[i] == '>')
			tw_buf_adds(b, "&gt;");
		else
			tw_buf_addc(b, safe.data[i]);
	}
	b->failed |= safe.failed;
	tw_buf_release(&safe);
}

/* --- rows ---------------------------------------------------------------------- */

struct drawing {
	const struct tw_timeline *t;
	struct tw_buf *b;
	const char **rows;	/* in their order, each once */
	size_t nrows, hidden;	/* drawn, and not */
	size_t counts[TW_BAR_KINDS];
	size_t left;		/* where the time begins */
};

/* web2 stands before web10. */
static int by_row(const void *a, const void *b)
{
	return strverscmp(*(const char *const *)a, *(const char *const *)b);
}

static enum tw_status collect_rows(struct drawing *d, struct tw_err *err)
{
	const struct tw_timeline *t = d->t;
	size_t i, n = 0, wide = 4, len;

	d->rows = calloc(t->n + 1, sizeof *d->rows);
	if (!d->rows)
		return tw_err_nomem(err);
	for (i = 0; i < t->n; i++) {
		d->rows[i] = t->bars[i].row;
		d->counts[t->bars[i].kind]++;
	}
	qsort(d->rows, t->n, sizeof *d->rows, by_row);
	for (i = 0; i < t->n; i++)
		if (!n || strcmp(d->rows[n - 1], d->rows[i]) != 0)
			d->rows[n++] = d->rows[i];
	d->nrows = n < TW_TIMELINE_ROWS ? n : TW_TIMELINE_ROWS;
	d->hidden = n - d->nrows;
	for (i = 0; i < d->nrows; i++) {
		len = tw_escape_width(d->rows[i]);
		wide = len > wide ? len : wide;
	}
	if (wide > LABEL_MOST)
		wide = LABEL_MOST;
	d->left = MARGIN + (size_t)((double)wide * CHARACTER) + 12;
	return TW_OK;
}

/* The row's index; nrows: it is not drawn. */
static size_t row_of(const struct drawing *d, const char *name)
{
	const char **at = bsearch(&name, d->rows, d->nrows, sizeof *d->rows,
	    by_row);

	return at ? (size_t)(at - d->rows) : d->nrows;
}

static double x_of(const struct drawing *d, int64_t at)
{
	const struct tw_timeline *t = d->t;
	double part = (double)(at - t->since) / (double)(t->until - t->since);

	part = part < 0 ? 0 : part > 1 ? 1 : part;
	return (double)d->left + part * (double)(WIDTH - MARGIN - d->left);
}

/* --- around the bars ----------------------------------------------------------- */

static size_t bottom(const struct drawing *d)
{
	return TOP + (d->nrows ? d->nrows : 1) * ROW;
}

static size_t height(const struct drawing *d)
{
	return bottom(d) + (d->nrows >= FAR_AXIS ? 46 : 12);
}

/* "2026-11-21 06:00:00 to 2026-11-22 06:00:00, UTC+01:00" */
static void make_period(const struct drawing *d, char out[PERIOD_MAX])
{
	char from[TW_TIME_MAX], to[TW_TIME_MAX], zone[8] = "";
	time_t at = (time_t)(d->t->until / 1000);
	struct tm tm = { 0 };

	tw_time_local(d->t->since, from);
	tw_time_local(d->t->until, to);
	localtime_r(&at, &tm);
	strftime(zone, sizeof zone, "%z", &tm);
	snprintf(out, PERIOD_MAX, tw_text("%s to %s, UTC%.3s:%s"), from, to,
	    zone, zone + 3);
}

static void put_head(struct drawing *d)
{
	struct tw_buf *b = d->b;
	char period[PERIOD_MAX];
	size_t k;

	make_period(d, period);
	tw_buf_addf(b, "<svg xmlns=\"http://www.w3.org/2000/svg\" "
	    "width=\"%d\" height=\"%zu\" viewBox=\"0 0 %d %zu\" "
	    "role=\"img\" aria-labelledby=\"name\">\n"
	    "<title id=\"name\">", WIDTH, height(d), WIDTH, height(d));
	tw_buf_addf(b, tw_text("What ran where and when: %s"), period);
	tw_buf_addf(b, "</title>\n%s<defs>\n", style);
	for (k = 0; k < TW_BAR_KINDS; k++)
		tw_buf_addf(b, "<pattern id=\"p%zu\" width=\"8\" height=\"8\" "
		    "patternUnits=\"userSpaceOnUse\"><rect class=\"c%zu\" "
		    "width=\"8\" height=\"8\"/>%s</pattern>\n", k, k,
		    kinds[k].over);
	tw_buf_addf(b, "%s</defs>\n<rect class=\"page\" width=\"%d\" "
	    "height=\"%zu\"/>\n", marks, WIDTH, height(d));
	tw_buf_addf(b, "<text class=\"head\" x=\"%d\" y=\"30\">%s</text>\n"
	    "<text class=\"dim\" x=\"%d\" y=\"50\">%s", MARGIN,
	    tw_text("What ran where and when"), MARGIN, period);
	if (d->hidden)
		tw_buf_addf(b, tw_text_n("; %zu more host is not shown",
		    "; %zu more hosts are not shown", d->hidden), d->hidden);
	if (d->t->note) {
		tw_buf_adds(b, "; ");
		put_text(b, d->t->note);
	}
	tw_buf_adds(b, "</text>\n");
}

static void put_mark(struct tw_buf *b, size_t kind, double x, double y)
{
	if (kind != TW_BAR_SUCCEEDED)
		tw_buf_addf(b, "<use href=\"#m%zu\" x=\"%.1f\" y=\"%.1f\"/>",
		    kind, x, y);
}

static void put_legend(struct drawing *d)
{
	double x = MARGIN;
	struct tw_buf *b = d->b;
	const char *name;
	size_t k;

	for (k = 0; k < TW_BAR_KINDS; k++) {
		name = tw_text_in(TW_TEXT_WORD, kinds[k].name);
		tw_buf_addf(b, "<rect class=\"bar\" fill=\"url(#p%zu)\" "
		    "x=\"%.0f\" y=\"66\" width=\"26\" height=\"%d\"/>", k, x,
		    BAR_HEIGHT);
		put_mark(b, k, x + 35, 72);
		x += k == TW_BAR_SUCCEEDED ? 32 : 44;
		tw_buf_addf(b, "<text x=\"%.0f\" y=\"77\">%s <tspan "
		    "class=\"dim\">%zu</tspan></text>\n", x, name,
		    d->counts[k]);
		x += (double)tw_escape_width(name) * CHARACTER + 54;
	}
}

static void put_labels(struct tw_buf *b, const struct tw_tick *tick, double x,
    size_t y)
{
	tw_buf_addf(b, "<text class=\"dim\" text-anchor=\"middle\" "
	    "x=\"%.1f\" y=\"%zu\">%s</text>", x, y, tick->time);
	if (tick->day[0])
		tw_buf_addf(b, "<text class=\"dim\" text-anchor=\"middle\" "
		    "x=\"%.1f\" y=\"%zu\">%s</text>", x, y - 14, tick->day);
	tw_buf_addc(b, '\n');
}

static void put_axis(struct drawing *d)
{
	const double edge = 36;	/* half of a label */
	struct tw_tick ticks[TW_TICKS_MAX];
	size_t i, n = tw_ticks(d->t->since, d->t->until, TICKS, ticks);
	double x, at;

	for (i = 0; i < n; i++) {
		x = x_of(d, ticks[i].at);
		at = x > WIDTH - edge ? WIDTH - edge : x;
		tw_buf_addf(d->b, "<path class=\"grid\" d=\"M%.1f %dV%zu\"/>",
		    x, TOP - 4, bottom(d) + 4);
		put_labels(d->b, &ticks[i], at, TOP - 9);
		if (d->nrows >= FAR_AXIS)
			put_labels(d->b, &ticks[i], at, bottom(d) + 34);
	}
}

static void put_rows(struct drawing *d)
{
	struct tw_buf *b = d->b, name = TW_BUF_INIT;
	size_t i, y;

	for (i = 0; i < d->nrows; i++) {
		y = TOP + i * ROW;
		if (i % 2 == 0)
			tw_buf_addf(b, "<rect class=\"odd\" x=\"%d\" "
			    "y=\"%zu\" width=\"%d\" height=\"%d\"/>\n",
			    MARGIN / 2, y, WIDTH - MARGIN, ROW);
		tw_buf_reset(&name);
		tw_escape_cut(d->rows[i], LABEL_MOST, 0, &name);
		tw_buf_addf(b, "<text class=\"host\" x=\"%d\" y=\"%zu\">",
		    MARGIN, y + BAR_Y + 10);
		put_text(b, tw_buf_str(&name));
		tw_buf_adds(b, "<title>");
		put_text(b, d->rows[i]);
		tw_buf_adds(b, "</title></text>\n");
		b->failed |= name.failed;
	}
	if (!d->nrows)
		tw_buf_addf(b, "<text class=\"dim\" x=\"%d\" y=\"%d\">%s"
		    "</text>\n", MARGIN, TOP + 20,
		    tw_text("nothing ran in this time"));
	tw_buf_release(&name);
}

/* --- bars ---------------------------------------------------------------------- */

static void put_bar(struct drawing *d, const struct tw_timeline_bar *bar)
{
	double from = x_of(d, bar->from), wide = x_of(d, bar->to) - from;
	size_t row = row_of(d, bar->row), y = TOP + row * ROW;

	if (row == d->nrows)
		return;
	if (wide < 2)
		wide = 2;
	tw_buf_adds(d->b, "<g><title>");
	put_text(d->b, bar->tip);
	tw_buf_adds(d->b, "</title><rect ");
	if (wide < HAIR)
		tw_buf_addf(d->b, "class=\"c%d\"", (int)bar->kind);
	else
		tw_buf_addf(d->b, "class=\"bar\" fill=\"url(#p%d)\"",
		    (int)bar->kind);
	tw_buf_addf(d->b, " x=\"%.1f\" y=\"%zu\" width=\"%.1f\" "
	    "height=\"%d\"/>", from, y + BAR_Y, wide, BAR_HEIGHT);
	put_mark(d->b, bar->kind, bar->kind == TW_BAR_RUNNING ? from + wide - 4
	    : from + (wide < 10 ? wide / 2 : 5), (double)y + 5);
	tw_buf_adds(d->b, "</g>\n");
}

/* What did not succeed is drawn last, and so never covered. */
static void put_bars(struct drawing *d)
{
	size_t i;
	int round;

	for (round = 0; round < 2; round++)
		for (i = 0; i < d->t->n; i++)
			if ((d->t->bars[i].kind != TW_BAR_SUCCEEDED) == round)
				put_bar(d, &d->t->bars[i]);
}

enum tw_status tw_timeline_draw(const struct tw_timeline *t, struct tw_buf *b,
    struct tw_err *err)
{
	struct drawing d = { .t = t, .b = b };
	enum tw_status status;

	status = collect_rows(&d, err);
	if (status == TW_OK) {
		put_head(&d);
		put_legend(&d);
		put_rows(&d);
		put_axis(&d);
		put_bars(&d);
		tw_buf_adds(b, "</svg>\n");
		status = tw_buf_check(b, err);
	}
	free(d.rows);
	return status;
}
