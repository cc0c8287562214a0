/* journal.c - the stream of a host into events and output; see journal.h */
#include "engine/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

static const char *const words[] = {
	"life", "start", "run", "try", "await", "end", "cancel", "undo",
	"undone", "verdict",
};
static const char *const states[] = {
	NC_("word", "waiting"), NC_("word", "checking"),
	NC_("word", "running"), NC_("word", "retrying"),
	NC_("word", "confirming"), NC_("word", "done"),
	NC_("word", "unchanged"), NC_("word", "failed"),
	NC_("word", "timed-out"), NC_("word", "interrupted"),
	NC_("word", "impossible"),
};
static const char *const verdicts[] = {
	"none", "succeeded", "rolled-back", "failed",
};
static const char *const phases[] = {
	"check", "run", "verify", "confirm", "file", "reboot", "prepare",
};

/* No honest number is longer (it counts bytes, seconds, events), and sums of
 * these stay far from what an int64_t holds. */
#define NUMBER_DIGITS 14

#define COUNT(a) (sizeof (a) / sizeof (a)[0])

const char *tw_event_word_name(enum tw_event_word w)
{
	return (size_t)w < COUNT(words) ? words[w] : "?";
}

const char *tw_step_state_name(enum tw_step_state s)
{
	return (size_t)s < COUNT(states) ? states[s] : "?";
}

const char *tw_verdict_name(enum tw_verdict v)
{
	return (size_t)v < COUNT(verdicts) ? verdicts[v] : "?";
}

static int find(const char *s, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(s, list[i]) == 0)
			return (int)i;
	return -1;
}

bool tw_verdict_parse(const char *s, enum tw_verdict *out)
{
	int i = find(s, verdicts, COUNT(verdicts));

	if (i <= TW_VERDICT_NONE)
		return false;
	*out = (enum tw_verdict)i;
	return true;
}

/* --- one event line ------------------------------------------------------ */

/* Each takes a field off *s, which fields are parted by one blank. */
static bool take_word(char **s, char *out, size_t size)
{
	size_t n;

	if (!*s)
		return false;
	n = strcspn(*s, " ");
	if (n == 0 || n >= size)
		return false;
	memcpy(out, *s, n);
	out[n] = '\0';
	*s = (*s)[n] ? *s + n + 1 : NULL;
	return true;
}

static bool take_int(char **s, int64_t *out)
{
	char field[20];

	if (!take_word(s, field, sizeof field) ||
	    strspn(field, "0123456789") != strlen(field) ||
	    strlen(field) > NUMBER_DIGITS)
		return false;
	*out = strtoll(field, NULL, 10);
	return true;
}

static bool take_state(char **s, enum tw_step_state *out)
{
	char field[16];
	int i;

	if (!take_word(s, field, sizeof field))
		return false;
	i = find(field, states, COUNT(states));
	if (i < TW_STEP_DONE)
		return false;
	*out = (enum tw_step_state)i;
	return true;
}

static bool take_phase(char **s, struct tw_event *ev)
{
	return take_word(s, ev->phase, sizeof ev->phase) &&
	    find(ev->phase, phases, COUNT(phases)) >= 0;
}

static bool take_args(char **s, struct tw_event *ev)
{
	char field[16];

	switch (ev->word) {
	case TW_EV_LIFE:
		return take_int(s, &ev->life) &&
		    take_word(s, ev->text, sizeof ev->text) &&
		    take_int(s, &ev->epoch_s);
	case TW_EV_START:
	case TW_EV_UNDO:
		return take_int(s, &ev->k);
	case TW_EV_RUN:
		return take_int(s, &ev->k) && take_int(s, &ev->attempt);
	case TW_EV_TRY:
		return take_int(s, &ev->k) && take_int(s, &ev->attempt) &&
		    take_state(s, &ev->state) && take_phase(s, ev) &&
		    take_int(s, &ev->code);
	case TW_EV_AWAIT:
		return take_int(s, &ev->k) && take_int(s, &ev->limit);
	case TW_EV_END:
		return take_int(s, &ev->k) && take_state(s, &ev->state) &&
		    take_phase(s, ev) && take_int(s, &ev->code);
	case TW_EV_CANCEL:
		return take_word(s, ev->text, sizeof ev->text);
	case TW_EV_UNDONE:
		return take_int(s, &ev->k) && take_state(s, &ev->state) &&
		    take_int(s, &ev->code);
	case TW_EV_VERDICT:
		break;
	}
	return take_word(s, field, sizeof field) &&
	    tw_verdict_parse(field, &ev->verdict);
}

bool tw_event_parse(const char *line, struct tw_event *ev)
{
	char copy[256], field[16], *s = copy;
	int word;

	memset(ev, 0, sizeof *ev);
	if (strlen(line) >= sizeof copy)
		return false;
	memcpy(copy, line, strlen(line) + 1);
	if (!take_int(&s, &ev->n) || !take_int(&s, &ev->t) ||
	    !take_word(&s, field, sizeof field))
		return false;
	word = find(field, words, COUNT(words));
	if (word < 0)
		return false;
	ev->word = (enum tw_event_word)word;
	return take_args(&s, ev) && s == NULL;
}

void tw_event_format(const struct tw_event *ev, struct tw_buf *out)
{
	tw_buf_adds(out, tw_event_word_name(ev->word));
	switch (ev->word) {
	case TW_EV_LIFE:
		tw_buf_addf(out, " %" PRId64, ev->life);
		break;
	case TW_EV_START:
	case TW_EV_UNDO:
		tw_buf_addf(out, " %" PRId64, ev->k);
		break;
	case TW_EV_RUN:
		tw_buf_addf(out, " %" PRId64 " %" PRId64, ev->k, ev->attempt);
		break;
	case TW_EV_TRY:
		tw_buf_addf(out, " %" PRId64 " %" PRId64 " %s %s %" PRId64,
		    ev->k, ev->attempt, tw_step_state_name(ev->state),
		    ev->phase, ev->code);
		break;
	case TW_EV_AWAIT:
		tw_buf_addf(out, " %" PRId64 " %" PRId64, ev->k, ev->limit);
		break;
	case TW_EV_END:
		tw_buf_addf(out, " %" PRId64 " %s %s %" PRId64, ev->k,
		    tw_step_state_name(ev->state), ev->phase, ev->code);
		break;
	case TW_EV_CANCEL:
		tw_buf_addf(out, " %s", ev->text);
		break;
	case TW_EV_UNDONE:
		tw_buf_addf(out, " %" PRId64 " %s %" PRId64, ev->k,
		    tw_step_state_name(ev->state), ev->code);
		break;
	case TW_EV_VERDICT:
		tw_buf_addf(out, " %s", tw_verdict_name(ev->verdict));
		break;
	}
}

/* --- the stream ---------------------------------------------------------- */

void tw_journal_init(struct tw_journal *j, const char *nonce, int64_t next,
    const struct tw_journal_calls *calls, void *arg)
{
	memset(j, 0, offsetof(struct tw_journal, line));
	j->line[0] = '\0';
	j->stopped = j->shared = false;
	j->prefix_len = (size_t)snprintf(j->prefix, sizeof j->prefix,
	    "\n@%.32s ", nonce);
	j->next = next;
	j->calls = calls;
	j->arg = arg;
}

void tw_journal_stop(struct tw_journal *j)
{
	j->stopped = true;
}

static void give_output(struct tw_journal *j, const char *p, size_t n)
{
	if (n == 0 || j->stopped)
		return;
	if (j->in_stream)
		j->offset += (int64_t)n;
	j->calls->output(j->arg, p, n);
}

/* What was held back as a possible line is output after all. */
static void give_held(struct tw_journal *j)
{
	size_t matched = j->matched, len = j->line_len;
	size_t skip = j->shared ? 1 : 0;

	j->matched = j->line_len = 0;
	j->in_line = j->shared = false;
	give_output(j, j->prefix + skip, matched - skip);
	give_output(j, j->line, len);
}

/* What stands before the mark at the end of s; false when there is none. */
static bool unmark(const char *s, char *out, size_t size)
{
	size_t n = strlen(s);

	if (n < 2 || n - 2 >= size || strcmp(s + n - 2, " .") != 0)
		return false;
	memcpy(out, s, n - 2);
	out[n - 2] = '\0';
	return true;
}

static bool give_cut(struct tw_journal *j, const char *rest, size_t size)
{
	char bare[24], *s = bare;
	int64_t bytes;

	if (!j->in_stream || !unmark(rest, bare, sizeof bare) ||
	    !take_int(&s, &bytes) || s)
		return false;
	j->offset += (int64_t)size;
	j->calls->cut(j->arg, bytes);
	return true;
}

/* "stream L O": from the next byte on the host's stream file L at offset O. */
static bool is_stream(struct tw_journal *j, const char *rest)
{
	char copy[48], *s = copy;
	int64_t life, offset;

	if (strlen(rest) >= sizeof copy)
		return false;
	memcpy(copy, rest, strlen(rest) + 1);
	if (!take_int(&s, &life) || !take_int(&s, &offset) || s)
		return false;
	j->in_stream = true;
	j->life = life;
	j->offset = offset;
	return true;
}

static bool give_event(struct tw_journal *j, size_t size)
{
	char bare[256];		/* no event is longer */
	struct tw_event ev;

	if (!j->in_stream || !unmark(j->line, bare, sizeof bare) ||
	    !tw_event_parse(bare, &ev) || ev.n > j->next)
		return false;
	j->offset += (int64_t)size;
	if (ev.n == j->next) {
		j->next++;
		j->calls->event(j->arg, &ev);
	}
	return true;
}

/*
 * A whole line stands in j->line; false: it is output.  *in_file: it and its
 * newline were bytes of the stream file.  At the file's end a full disk or a
 * power cut may have taken no more of a line than its newline.  Then that of
 * the control line after it ends it, so that one is taken without, and the
 * newline not counted.
 */
static bool give_line(struct tw_journal *j, bool *in_file)
{
	size_t size = j->prefix_len + j->line_len + 1;
	bool shared = j->shared;
	char word[16], *rest;
	size_t n;

	*in_file = true;
	if (strlen(j->line) != j->line_len)
		return false;
	if (j->line[0] >= '0' && j->line[0] <= '9')
		return !shared && give_event(j, size);
	n = strcspn(j->line, " ");
	if (n == 0 || n >= sizeof word)
		return false;
	memcpy(word, j->line, n);
	word[n] = '\0';
	rest = j->line + n + (j->line[n] != '\0');
	if (strcmp(word, "cut") == 0)
		return !shared && give_cut(j, rest, size);
	*in_file = false;
	if (strcmp(word, "stream") == 0) {
		if (!is_stream(j, rest))
			return false;
	} else if (strcmp(word, "over") == 0) {
		j->offset -= shared ? 1 : 0;
		j->in_stream = false;
	} else if (j->in_stream) {
		return false;	/* nothing else comes amid a stream */
	}
	j->calls->control(j->arg, word, rest);
	return true;
}

static void feed_line(struct tw_journal *j, char c)
{
	bool in_file;

	if (c != '\n') {
		if (j->line_len == TW_JOURNAL_LINE_MAX)
			give_held(j);
		if (j->in_line)
			j->line[j->line_len++] = c;
		else
			give_output(j, &c, 1);
		return;
	}
	j->line[j->line_len] = '\0';
	if (give_line(j, &in_file)) {
		j->in_line = false;
		j->line_len = 0;
		j->matched = in_file ? 1 : 0;
		j->shared = in_file;
		return;
	}
	give_held(j);
	j->matched = 1;		/* this newline may begin the next line */
}

void tw_journal_feed(struct tw_journal *j, const void *data, size_t n)
{
	const char *p = data, *end = p + n, *nl;

	while (p < end && !j->stopped) {
		if (j->in_line) {
			feed_line(j, *p++);
			continue;
		}
		if (j->matched == 0) {
			nl = memchr(p, '\n', (size_t)(end - p));
			give_output(j, p, (size_t)((nl ? nl : end) - p));
			j->matched = nl ? 1 : 0;
			p = nl ? nl + 1 : end;
			continue;
		}
		if (*p == j->prefix[j->matched]) {
			p++;
			if (++j->matched == j->prefix_len)
				j->in_line = true;
			continue;
		}
		/* a mismatch: only a newline can begin the prefix again */
		give_held(j);
	}
}
