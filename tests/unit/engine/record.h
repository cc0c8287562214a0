/*
 * record.h - a simulated host, and a log of what the decoder says of its bytes
 *
 * For the tests of lib/engine/journal.c.  Every call is logged as text and
 * checked against the bytes of the file that it claims to stand for.
 */
#ifndef TEST_ENGINE_RECORD_H
#define TEST_ENGINE_RECORD_H

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "engine/journal.h"

#define NONCE "00112233445566778899aabbccddeeff"
#define AT "\n@" NONCE " "
#define OTHER "\n@00112233445566778899aabbccddeefe "
#define LIVES 3

/* An assertion that says nothing as long as it holds: Check writes to a file at
 * each of its own, and these are met a million times. */
#define MUST(what) do { if (!(what)) ck_abort_msg("not so: " #what); } while (0)

struct host {			/* what lies on it */
	struct tw_buf file[LIVES + 1];	/* from 1 */
	int lives;
};

/* The calls of a decoder as text: outputs that follow one another are one,
 * in hex; a new life begins a new one. */
struct record {
	struct tw_buf text;
	struct tw_journal j;
	const struct host *host;	/* NULL: positions are not checked */
	int64_t out_life;		/* of an output under way; 0: none */
	long calls, stop_at;		/* stop at the call of this number */
};

static void count(struct record *r)
{
	MUST(!r->stop_at || r->calls < r->stop_at);
	if (++r->calls == r->stop_at)
		tw_journal_stop(&r->j);
}

static const char *behind(const struct record *r, size_t n)
{
	const struct tw_buf *f;

	if (!r->host || !r->j.in_stream)
		return NULL;
	MUST(r->j.life >= 1);
	MUST(r->j.life <= r->host->lives);
	f = &r->host->file[r->j.life];
	MUST(r->j.offset <= (int64_t)f->len);
	MUST(r->j.offset >= (int64_t)n);
	return f->data + r->j.offset - n;
}

static void on_output(void *arg, const char *p, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	struct record *r = arg;
	const char *there = behind(r, n);
	int64_t life = r->j.in_stream ? r->j.life : -1;

	MUST(n > 0);
	MUST(!there || memcmp(p, there, n) == 0);
	if (r->out_life != life)
		tw_buf_addf(&r->text, "\noutput %" PRId64 " ", life);
	r->out_life = life;
	for (size_t i = 0; i < n; i++) {
		tw_buf_addc(&r->text, hex[(unsigned char)p[i] >> 4]);
		tw_buf_addc(&r->text, hex[(unsigned char)p[i] & 15]);
	}
	count(r);
}

/* The line of the file that ends at the position, without "@NONCE " and the
 * mark that it must bear. */
static bool line_behind(const struct record *r, char *line, size_t size)
{
	const char *end = behind(r, 1), *p;
	size_t n;

	if (!end || *end != '\n')
		return false;
	for (p = end; p > r->host->file[r->j.life].data && p[-1] != '\n'; p--)
		continue;
	n = (size_t)(end - p);
	MUST(n > strlen(AT) - 1 + strlen(" ."));
	MUST(memcmp(p, &AT[1], strlen(AT) - 1) == 0);
	MUST(memcmp(end - 2, " .", 2) == 0);
	n -= strlen(AT) - 1 + strlen(" .");
	MUST(n < size);
	memcpy(line, p + strlen(AT) - 1, n);
	line[n] = '\0';
	return true;
}

static void on_cut(void *arg, int64_t bytes)
{
	struct record *r = arg;
	char line[80];

	if (line_behind(r, line, sizeof line)) {
		MUST(strncmp(line, "cut ", 4) == 0);
		MUST(strtoll(line + 4, NULL, 10) == bytes);
	}
	r->out_life = 0;
	tw_buf_addf(&r->text, "\ncut %" PRId64, bytes);
	count(r);
}

static void on_event(void *arg, const struct tw_event *ev)
{
	struct record *r = arg;
	struct tw_event there;
	char line[300];

	if (line_behind(r, line, sizeof line)) {
		MUST(tw_event_parse(line, &there));
		MUST(memcmp(&there, ev, sizeof there) == 0);
	}
	MUST(r->j.next == ev->n + 1);
	r->out_life = 0;
	tw_buf_addf(&r->text, "\n%" PRId64 " %" PRId64 " ", ev->n, ev->t);
	tw_event_format(ev, &r->text);
	if (ev->word == TW_EV_LIFE)
		tw_buf_addf(&r->text, " %s %" PRId64, ev->text, ev->epoch_s);
	count(r);
}

static void on_control(void *arg, const char *word, const char *rest)
{
	struct record *r = arg;

	if (strcmp(word, "stream") != 0 && strcmp(word, "hello") != 0) {
		r->out_life = 0;
		tw_buf_addf(&r->text, "\ncontrol %s|%s", word, rest);
	}
	count(r);
}

static const struct tw_journal_calls calls = {
	on_output, on_cut, on_event, on_control,
};

__attribute__((unused))
static void record_init(struct record *r, const struct host *h)
{
	memset(r, 0, sizeof *r);
	r->host = h;
	tw_journal_init(&r->j, NONCE, 1, &calls, r);
}

/* Another connection goes on where this record stands. */
static void record_copy(struct record *to, const struct record *from)
{
	*to = *from;
	memset(&to->text, 0, sizeof to->text);
	tw_buf_add(&to->text, tw_buf_str(&from->text), from->text.len);
	tw_journal_init(&to->j, NONCE, from->j.next, &calls, to);
}

#define SAY(f, s) tw_buf_add(f, s, sizeof (s) - 1)
#define FEED(r, s) tw_journal_feed(&(r)->j, s, sizeof (s) - 1)

/* Shows where two long texts part (Check cuts long messages). */
__attribute__((unused))
static void same(const struct tw_buf *got, const struct tw_buf *want)
{
	const char *a = tw_buf_str(got), *b = tw_buf_str(want);
	size_t i = 0;

	while (a[i] && a[i] == b[i])
		i++;
	if (a[i] != b[i])
		ck_abort_msg("at %zu: \"%.80s\", not \"%.80s\"", i,
		    a + (i < 40 ? 0 : i - 40), b + (i < 40 ? 0 : i - 40));
}

__attribute__((unused))
static void feed_by(struct record *r, const struct tw_buf *b, size_t size)
{
	size_t at, n;

	for (at = 0; at < b->len; at += n) {
		n = b->len - at < size ? b->len - at : size;
		tw_journal_feed(&r->j, b->data + at, n);
	}
}

/* What a follower sends, from (life, offset) on; 0: from the beginning.  An
 * offset beyond the file's end gives nothing of it. */
__attribute__((unused))
static void transmit(const struct host *h, int64_t life, int64_t offset,
    struct tw_buf *out)
{
	tw_buf_adds(out, AT "hello 1 boot=b spool=s machine=m fence=0.0\n");
	for (int64_t l = life ? life : 1; l <= h->lives; l++) {
		tw_buf_addf(out, AT "stream %" PRId64 " %" PRId64 "\n", l,
		    offset);
		if ((size_t)offset < h->file[l].len)
			tw_buf_add(out, tw_buf_str(&h->file[l]) + offset,
			    h->file[l].len - (size_t)offset);
		offset = 0;
	}
	tw_buf_adds(out, AT "over verdict\n");
}

__attribute__((unused))
static void host_release(struct host *h)
{
	for (int l = 1; l <= LIVES; l++)
		tw_buf_release(&h->file[l]);
}

/* Drops the connection and goes on from the stored position. */
__attribute__((unused))
static void take_up(struct record *r, const struct host *h)
{
	struct tw_buf rest = TW_BUF_INIT;
	struct record again;

	transmit(h, r->j.life, r->j.offset, &rest);
	record_copy(&again, r);
	feed_by(&again, &rest, rest.len);
	tw_buf_release(&r->text);
	tw_buf_release(&rest);
	*r = again;
}

#endif
