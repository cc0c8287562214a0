/*
 * progress.c - what a pass is doing; see progress.h
 *
 * The live block is always the last lines on the screen, the cursor in the
 * first column below it.  To redraw, the cursor goes up to the block's first
 * line; what is to stay is written there, the new block under it, all in one
 * write.  The cursor is never hidden, so a killed tool leaves no mess.
 */
#include "out/progress.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "out/escape.h"
#include "out/offer.h"

#define NAME_COLUMNS 24		/* a longer host name is cut */
#define ABOVE_MAX ((size_t)64 << 10)	/* bytes that wait to be drawn */
#define LINES_MAX 200		/* of the block, however tall the terminal */

#define GREEN "\x1b[32m"
#define YELLOW "\x1b[33m"
#define RED "\x1b[1;31m"
#define PLAIN "\x1b[m"

struct host_line {
	char *host;		/* owned, as the next one */
	char *step;
	int64_t change, k, n, since;
};

struct tw_progress {
	struct tw_progress_options options;
	unsigned escape;	/* flags */
	struct host_line *hosts;
	size_t nhosts, capacity;
	int64_t begun, drawn;	/* when */
	int64_t waiting, done, failed, rolled_back;
	struct tw_buf above;	/* lines that stay, not yet drawn */
	size_t widths[LINES_MAX];	/* of the lines on the screen */
	size_t nlines;
};

enum tw_status tw_progress_new(const struct tw_progress_options *options,
    int64_t now, struct tw_progress **out, struct tw_err *err)
{
	*out = calloc(1, sizeof **out);
	if (!*out)
		return tw_err_nomem(err);
	(*out)->options = *options;
	if (options->never_waits &&
	    !tw_offer_is_possible(fileno(options->out))) {
		(*out)->options.mode = TW_PROGRESS_QUIET;
		(*out)->options.out = NULL;
	}
	(*out)->escape = TW_ESCAPE_ONE_LINE | tw_escape_locale();
	(*out)->begun = now;
	return TW_OK;
}

static void flush(struct tw_progress *p, struct tw_buf *b)
{
	FILE *out = p->options.out;

	if (out && p->options.never_waits) {
		tw_offer(fileno(out), b->data, b->len);
	} else if (out) {
		if (b->len)
			fwrite(b->data, 1, b->len, out);
		fflush(out);
	}
	tw_buf_reset(b);
}

static void put_safe(struct tw_progress *p, struct tw_buf *b, const char *s)
{
	tw_escape(s, strlen(s), p->escape, b);
}

/* What was added to p->above stays: at once where nothing is redrawn. */
static void above_done(struct tw_progress *p)
{
	if (p->options.mode != TW_PROGRESS_LIVE)
		flush(p, &p->above);
	else if (p->above.len > ABOVE_MAX && p->options.never_waits)
		tw_buf_reset(&p->above);
}

/* --- the hosts ------------------------------------------------------- */

static struct host_line *find_host(struct tw_progress *p, const char *host)
{
	size_t i;

	for (i = 0; i < p->nhosts; i++)
		if (strcmp(p->hosts[i].host, host) == 0)
			return &p->hosts[i];
	return NULL;
}

static struct host_line *add_host(struct tw_progress *p, const char *host,
    int64_t now)
{
	size_t capacity = p->capacity ? p->capacity * 2 : 16;
	struct host_line *hosts, *h;

	if (p->nhosts == p->capacity) {
		hosts = reallocarray(p->hosts, capacity, sizeof *hosts);
		if (!hosts)
			return NULL;
		p->hosts = hosts;
		p->capacity = capacity;
	}
	h = &p->hosts[p->nhosts];
	memset(h, 0, sizeof *h);
	h->host = strdup(host);
	if (!h->host)
		return NULL;
	h->since = now;
	p->nhosts++;
	return h;
}

void tw_progress_idle(struct tw_progress *p, const char *host)
{
	struct host_line *h = find_host(p, host);
	size_t i;

	if (!h)
		return;
	i = (size_t)(h - p->hosts);
	free(h->host);
	free(h->step);
	memmove(h, h + 1, (p->nhosts - i - 1) * sizeof *h);
	p->nhosts--;
}

void tw_progress_waiting(struct tw_progress *p, int64_t waiting)
{
	p->waiting = waiting;
}

/* --- lines that stay ------------------------------------------------- */

/* time=… change=… host=… step=… status=… for a log; hosts' names and states
 * have no blanks. */
static void put_log_line(struct tw_progress *p, const char *host,
    int64_t change, int64_t k, const char *status, int64_t now)
{
	char time[TW_TIME_MAX];

	tw_time_rfc3339(now, time);
	tw_buf_addf(&p->above, "time=%s change=", time);
	if (change)
		tw_buf_addf(&p->above, "%" PRId64, change);
	tw_buf_adds(&p->above, " host=");
	put_safe(p, &p->above, host);
	tw_buf_adds(&p->above, " step=");
	if (k)
		tw_buf_addf(&p->above, "%" PRId64, k);
	tw_buf_adds(&p->above, " status=");
	put_safe(p, &p->above, status);
}

static void put_step_line(struct tw_progress *p,
    const struct tw_progress_step *s)
{
	put_safe(p, &p->above, s->host);
	tw_buf_addf(&p->above, tw_text(" change %" PRId64 " step %" PRId64
	    "/%" PRId64 " "), s->change, s->k, s->n);
	put_safe(p, &p->above, tw_text_in(TW_TEXT_WORD, s->state));
	tw_buf_adds(&p->above, ": ");
	put_safe(p, &p->above, s->step ? s->step : "");
	tw_buf_addc(&p->above, '\n');
}

void tw_progress_step(struct tw_progress *p,
    const struct tw_progress_step *step, int64_t now)
{
	struct host_line *h;

	if (p->options.mode == TW_PROGRESS_LIVE) {
		h = find_host(p, step->host);
		if (!h)
			h = add_host(p, step->host, now);
		if (!h)
			return;
		if (h->change != step->change)
			h->since = now;
		h->change = step->change;
		h->k = step->k;
		h->n = step->n;
		free(h->step);
		h->step = strdup(step->step ? step->step : "");
	}
	if (!step->state)
		return;
	if (p->options.mode == TW_PROGRESS_LINES) {
		put_log_line(p, step->host, step->change, step->k,
		    step->state, now);
		tw_buf_addc(&p->above, '\n');
	} else if (p->options.verbose && p->options.mode) {
		put_step_line(p, step);
	}
	above_done(p);
}

static const char *outcome_color(enum tw_progress_outcome outcome)
{
	switch (outcome) {
	case TW_PROGRESS_GOOD:
		return GREEN;
	case TW_PROGRESS_ROLLED_BACK:
		return YELLOW;
	case TW_PROGRESS_FAILED:
		return RED;
	case TW_PROGRESS_OTHER:
	default:
		return PLAIN;
	}
}

static void put_end_line(struct tw_progress *p,
    const struct tw_progress_end *e)
{
	char span[TW_TIME_MAX];

	tw_span_format(e->span, span);
	put_safe(p, &p->above, e->host);
	tw_buf_addf(&p->above, tw_text(" change %" PRId64 " "), e->change);
	if (p->options.color)
		tw_buf_adds(&p->above, outcome_color(e->outcome));
	put_safe(p, &p->above, tw_text_in(TW_TEXT_WORD, e->status));
	if (p->options.color)
		tw_buf_adds(&p->above, PLAIN);
	tw_buf_addf(&p->above, tw_text_n(" %" PRId64 " step %s",
	    " %" PRId64 " steps %s", (unsigned long)e->steps), e->steps, span);
	if (e->text && *e->text) {
		tw_buf_adds(&p->above, ": ");
		put_safe(p, &p->above, e->text);
	}
	tw_buf_addc(&p->above, '\n');
}

void tw_progress_end(struct tw_progress *p,
    const struct tw_progress_end *end, int64_t now)
{
	tw_progress_idle(p, end->host);
	p->done++;
	p->failed += end->outcome == TW_PROGRESS_FAILED;
	p->rolled_back += end->outcome == TW_PROGRESS_ROLLED_BACK;
	if (p->options.mode == TW_PROGRESS_LINES) {
		put_log_line(p, end->host, end->change, 0, end->status, now);
		tw_buf_addc(&p->above, '\n');
	} else if (p->options.mode != TW_PROGRESS_QUIET) {
		put_end_line(p, end);
	}
	above_done(p);
}

/* The text between quotes; quotes and backslashes in it get a backslash. */
static void put_quoted(struct tw_progress *p, const char *text)
{
	struct tw_buf safe = TW_BUF_INIT;
	size_t i;

	put_safe(p, &safe, text);
	tw_buf_adds(&p->above, " text=\"");
	for (i = 0; i < safe.len; i++) {
		if (strchr("\"\\", safe.data[i]))
			tw_buf_addc(&p->above, '\\');
		tw_buf_addc(&p->above, safe.data[i]);
	}
	tw_buf_adds(&p->above, "\"\n");
	tw_buf_release(&safe);
}

void tw_progress_note(struct tw_progress *p, const char *host,
    const char *text, bool is_alarm, int64_t now)
{
	if (p->options.mode == TW_PROGRESS_LINES) {
		put_log_line(p, host, 0, 0, is_alarm ? "alarm" : "note", now);
		put_quoted(p, text);
	} else if (is_alarm || p->options.mode != TW_PROGRESS_QUIET) {
		put_safe(p, &p->above, host);
		tw_buf_adds(&p->above, ": ");
		put_safe(p, &p->above, text);
		tw_buf_addc(&p->above, '\n');
	}
	above_done(p);
}

/* --- the live block -------------------------------------------------- */

static void terminal_size(const struct tw_progress *p, size_t *width,
    size_t *height)
{
	struct winsize w = { 0 };

	*width = p->options.width;
	*height = p->options.height;
	if (*width && *height)
		return;
	if (ioctl(fileno(p->options.out), TIOCGWINSZ, &w) < 0 ||
	    w.ws_col == 0 || w.ws_row == 0) {
		w.ws_col = 80;
		w.ws_row = 24;
	}
	*width = *width ? *width : w.ws_col;
	*height = *height ? *height : w.ws_row;
}

/* Rows the block takes on the screen.  A terminal made narrower since has
 * wrapped its lines: each may take several now. */
static size_t block_rows(const struct tw_progress *p, size_t width)
{
	size_t i, rows = 0;

	for (i = 0; i < p->nlines; i++)
		rows += p->widths[i] ? (p->widths[i] + width - 1) / width : 1;
	return rows;
}

static void put_cursor_up(size_t rows, struct tw_buf *b)
{
	tw_buf_addc(b, '\r');
	if (rows)
		tw_buf_addf(b, "\x1b[%zuA", rows);
}

/* The lines that stay, written over the old block.  The row is erased before a
 * line, and after it only where it wraps: some terminals count erased cells as
 * text when they are made narrower. */
static void put_above(struct tw_progress *p, size_t width, struct tw_buf *b)
{
	char *line = p->above.data, *end;

	if (!line)
		return;
	for (; line < p->above.data + p->above.len; line = end + 1) {
		end = strchrnul(line, '\n');
		*end = '\0';
		tw_buf_addf(b, "\x1b[K%s%s\n", line,
		    tw_escape_width(line) >= width ? "\x1b[K" : "");
	}
	tw_buf_reset(&p->above);
}

/* One line of the block, cut to fit: left, and right at the end if there is
 * room for both. */
static void put_block_line(struct tw_progress *p, const char *left,
    const char *right, size_t width, struct tw_buf *b)
{
	size_t max = width - 1, nright = strlen(right), nleft = max, w;
	struct tw_buf cut = TW_BUF_INIT;

	if (p->nlines >= LINES_MAX)
		return;
	if (nright && nright + 10 < max)
		nleft = max - nright - 1;
	tw_escape_cut(left, nleft, p->escape, &cut);
	tw_buf_addf(b, "\x1b[K%s", tw_buf_str(&cut));
	w = tw_escape_width(tw_buf_str(&cut));
	tw_buf_release(&cut);
	if (nleft < max) {
		tw_buf_addf(b, "%*s%s", (int)(max - nright - w), "", right);
		w = max;
	}
	p->widths[p->nlines++] = w;
	tw_buf_addc(b, '\n');
}

static void put_host_line(struct tw_progress *p, const struct host_line *h,
    size_t name_width, size_t width, int64_t now, struct tw_buf *b)
{
	struct tw_buf left = TW_BUF_INIT;
	char span[TW_TIME_MAX];
	size_t w;

	tw_escape_cut(h->host, name_width, p->escape, &left);
	w = tw_escape_width(tw_buf_str(&left));
	tw_buf_addf(&left, "%*s", (int)(name_width - w), "");
	if (h->change)
		tw_buf_addf(&left, tw_text("  change %" PRId64), h->change);
	if (h->k)
		tw_buf_addf(&left, tw_text("  step %" PRId64 "/%" PRId64),
		    h->k, h->n);
	tw_buf_addf(&left, "  %s", h->step ? h->step : "");
	tw_span_format(now > h->since ? now - h->since : 0, span);
	put_block_line(p, tw_buf_str(&left), span, width, b);
	tw_buf_release(&left);
}

static void put_total_line(struct tw_progress *p, size_t width, int64_t now,
    struct tw_buf *b)
{
	struct tw_buf left = TW_BUF_INIT;
	char span[TW_TIME_MAX];

	tw_buf_addf(&left, tw_text("%" PRId64 " done, %zu running, %" PRId64
	    " waiting"), p->done, p->nhosts, p->waiting);
	if (p->failed)
		tw_buf_addf(&left, tw_text(", %" PRId64 " failed"), p->failed);
	if (p->rolled_back)
		tw_buf_addf(&left, tw_text(", %" PRId64 " rolled back"),
		    p->rolled_back);
	tw_span_format(now > p->begun ? now - p->begun : 0, span);
	put_block_line(p, tw_buf_str(&left), span, width, b);
	tw_buf_release(&left);
}

/* As many hosts as fit, how many more there are, and the total. */
static void put_block(struct tw_progress *p, size_t width, size_t height,
    int64_t now, struct tw_buf *b)
{
	size_t room = height > 2 ? height - 2 : 0, shown, i, w, name = 0;
	char more[80];

	if (room > LINES_MAX - 2)
		room = LINES_MAX - 2;
	shown = p->nhosts;
	if (shown > room)
		shown = room ? room - 1 : 0;
	for (i = 0; i < shown; i++) {
		w = strlen(p->hosts[i].host);
		if (w > name)
			name = w;
	}
	if (name > NAME_COLUMNS)
		name = NAME_COLUMNS;
	for (i = 0; i < shown; i++)
		put_host_line(p, &p->hosts[i], name, width, now, b);
	if (shown < p->nhosts && room) {
		snprintf(more, sizeof more, tw_text("... and %zu more"),
		    p->nhosts - shown);
		put_block_line(p, more, "", width, b);
	}
	put_total_line(p, width, now, b);
}

static void draw(struct tw_progress *p, bool with_block, int64_t now)
{
	struct tw_buf b = TW_BUF_INIT;
	size_t width, height, rows, i;

	/* a block that was not drawn would be looked for on the screen */
	if (p->options.never_waits &&
	    !tw_offer_is_welcome(fileno(p->options.out)))
		return;
	terminal_size(p, &width, &height);
	if (width < 2)
		width = 2;
	rows = block_rows(p, width);
	p->nlines = 0;
	put_cursor_up(rows, &b);
	if (with_block || p->above.len) {
		put_above(p, width, &b);
		if (with_block)
			put_block(p, width, height, now, &b);
		tw_buf_adds(&b, "\x1b[J");
	} else {
		/* Not \x1b[J: from the top left corner some terminals take
		 * it as a cleared screen and keep the old one. */
		for (i = 0; i < rows; i++)
			tw_buf_adds(&b, "\x1b[K\n");
		put_cursor_up(rows, &b);
	}
	flush(p, &b);
	tw_buf_release(&b);
}

void tw_progress_tick(struct tw_progress *p, int64_t now)
{
	if (p->options.mode != TW_PROGRESS_LIVE)
		return;
	/* Earlier than the last: the clock was set back; draw. */
	if (p->drawn && now >= p->drawn &&
	    now - p->drawn < TW_PROGRESS_INTERVAL)
		return;
	p->drawn = now;
	draw(p, true, now);
}

void tw_progress_free(struct tw_progress *p)
{
	size_t i;

	if (!p)
		return;
	if (p->options.mode == TW_PROGRESS_LIVE && (p->nlines || p->above.len))
		draw(p, false, 0);
	for (i = 0; i < p->nhosts; i++) {
		free(p->hosts[i].host);
		free(p->hosts[i].step);
	}
	free(p->hosts);
	tw_buf_release(&p->above);
	free(p);
}
