/*
 * journal.c - the stream of a host: any split says the same, events come in
 * their order, no byte gets lost
 *
 * In the input the byte 0xff stands for the beginning of a line of the host,
 * with the nonce that the decoder waits for.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/journal.h"
#include "fuzz.h"

#define NONCE "00112233445566778899aabbccddeeff"
#define AT "\n@" NONCE " "

const char *const fuzz_plants[] = { "split", "number", "format", "offset",
	NULL };

struct record {
	struct tw_buf text;	/* what was called */
	struct tw_journal j;
	bool is_output;		/* the last call, whose pieces are one */
	int64_t next;
	size_t given;		/* bytes of output */
};

static void begin(struct record *r, const char *word)
{
	r->is_output = false;
	tw_buf_addf(&r->text, "\n%s %" PRId64 ":%" PRId64 ":%d ", word,
	    r->j.life, r->j.offset, r->j.in_stream);
}

static void on_output(void *arg, const char *p, size_t n)
{
	struct record *r = arg;

	HOLDS(n, "output of nothing");
	if (!r->is_output)
		tw_buf_adds(&r->text, "\noutput ");
	r->is_output = true;
	tw_buf_add(&r->text, p, n);
	r->given += n;
}

static void on_cut(void *arg, int64_t bytes)
{
	struct record *r = arg;

	HOLDS(bytes >= 0 && r->j.in_stream, "a cut of %" PRId64, bytes);
	begin(r, "cut");
	tw_buf_addf(&r->text, "%" PRId64, bytes);
}

static void on_event(void *arg, const struct tw_event *ev)
{
	struct record *r = arg;
	struct tw_buf line = TW_BUF_INIT;
	struct tw_event again;

	if (fuzz_planted("number"))
		r->next++;
	HOLDS(ev->n == r->next++, "event %" PRId64, ev->n);
	HOLDS(r->j.in_stream, "an event outside");
	HOLDS((size_t)ev->word < TW_EV_WORDS && ev->k >= 0 && ev->t >= 0 &&
	    ev->attempt >= 0 && ev->code >= 0 && ev->life >= 0,
	    "what none says");
	HOLDS(memchr(ev->text, 0, sizeof ev->text) &&
	    memchr(ev->phase, 0, sizeof ev->phase), "a text without an end");
	begin(r, "event");
	tw_buf_addf(&line, "%" PRId64 " %" PRId64 " ", ev->n, ev->t);
	tw_event_format(ev, &line);
	if (ev->word == TW_EV_LIFE)	/* not written by the tower */
		tw_buf_addf(&line, " %s %" PRId64, ev->text, ev->epoch_s);
	if (fuzz_planted("format"))
		tw_buf_addc(&line, ' ');
	HOLDS(tw_event_parse(tw_buf_str(&line), &again), "not read again: %s",
	    tw_buf_str(&line));
	HOLDS(memcmp(&again, ev, sizeof again) == 0, "read otherwise: %s",
	    tw_buf_str(&line));
	tw_buf_adds(&r->text, tw_buf_str(&line));
	tw_buf_release(&line);
}

static void on_control(void *arg, const char *word, const char *rest)
{
	struct record *r = arg;

	HOLDS(*word && strlen(word) < 16, "a control line without a word");
	begin(r, "control");
	tw_buf_addf(&r->text, "%s|%s", word, rest);
}

static const struct tw_journal_calls calls = {
	.output = on_output, .cut = on_cut, .event = on_event,
	.control = on_control,
};

static void start(struct record *r)
{
	memset(r, 0, sizeof *r);
	tw_journal_init(&r->j, NONCE, 1, &calls, r);
	r->next = 1;
}

static void feed(struct record *r, const struct tw_buf *b, size_t at, size_t n)
{
	char *piece = malloc(n ? n : 1);

	HOLDS(piece, "no memory");
	if (n)
		memcpy(piece, b->data + at, n);
	tw_journal_feed(&r->j, piece, n);
	free(piece);
}

static void same(const struct record *a, const struct record *b,
    const char *how)
{
	HOLDS(a->text.len == b->text.len && (a->text.len == 0 ||
	    memcmp(a->text.data, b->text.data, a->text.len) == 0),
	    "%s it says something else: %s\ninstead of %s", how,
	    tw_buf_str(&b->text), tw_buf_str(&a->text));
	HOLDS(a->j.next == b->j.next && a->j.life == b->j.life &&
	    a->j.offset == b->j.offset && a->j.in_stream == b->j.in_stream,
	    "%s it ends elsewhere", how);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tw_buf sent = TW_BUF_INIT;
	struct record whole, halves, bytes;
	size_t i, at;

	for (i = 0; i < size; i++)
		if (data[i] == 0xff)
			tw_buf_adds(&sent, AT);
		else
			tw_buf_addc(&sent, (char)data[i]);
	start(&whole);
	feed(&whole, &sent, 0, sent.len);
	HOLDS(whole.given <= sent.len, "%zu bytes out of %zu", whole.given,
	    sent.len);
	if (fuzz_planted("offset"))
		whole.j.life = -1;
	HOLDS(whole.j.life >= 0, "life %" PRId64, whole.j.life);
	start(&halves);
	at = sent.len ? fuzz_hash(data, size) % (sent.len + 1) : 0;
	feed(&halves, &sent, 0, at);
	feed(&halves, &sent, at, sent.len - at);
	if (fuzz_planted("split"))
		tw_buf_addc(&halves.text, 'x');
	same(&whole, &halves, "in two pieces");
	start(&bytes);
	for (i = 0; i < sent.len; i++)
		feed(&bytes, &sent, i, 1);
	same(&whole, &bytes, "byte by byte");
	tw_buf_release(&whole.text);
	tw_buf_release(&halves.text);
	tw_buf_release(&bytes.text);
	tw_buf_release(&sent);
	return 0;
}
