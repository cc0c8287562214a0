/* contact.c - one contact with one host; see contact.h */
#include "engine/contact.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define STDERR_KEPT 512

struct tw_contact {
	uv_loop_t *loop;
	const struct tw_reach *reach;
	const struct tw_transport *transport;
	bool may_fall_back;
	struct tw_link *link;
	const struct tw_contact_calls *calls;
	void *arg;
	struct tw_journal journal;
	bool has_request, has_hello, is_over, has_ended;
	enum tw_contact_refusal refusal;
	size_t noise;
	char talk[STDERR_KEPT + 1];	/* the end of what came on stderr */
	size_t talk_len;
	int64_t heard;
};

bool tw_refusal_is_persons(const char *word)
{
	static const char *const temporary[] = { "busy", "bad", "start",
		"early" };

	for (size_t i = 0; i < sizeof temporary / sizeof *temporary; i++)
		if (strcmp(word, temporary[i]) == 0)
			return false;
	return true;
}

static void end(struct tw_contact *c, enum tw_contact_end how,
    const struct tw_err *err)
{
	if (c->has_ended)
		return;
	c->has_ended = true;
	tw_journal_stop(&c->journal);
	c->calls->ended(c->arg, how, how == TW_CONTACT_OVER ? NULL : err);
}

static void end_with(struct tw_contact *c, enum tw_contact_end how,
    const char *text)
{
	struct tw_err err = { 0 };

	tw_err_set(&err, how == TW_CONTACT_PERSON ? TW_NO : TW_AGAIN, "%s",
	    text);
	end(c, how, &err);
}

/* --- what the decoder says ------------------------------------------------ */

static bool is_ours(struct tw_contact *c, size_t n)
{
	if (c->has_hello)
		return true;
	c->noise += n;
	if (c->noise > TW_CONTACT_NOISE_MAX)
		end_with(c, TW_CONTACT_PERSON, W_("the login prints more "
		    "than 64 KiB before the executor answers"));
	return false;
}

static void on_output(void *arg, const char *p, size_t n)
{
	struct tw_contact *c = arg;

	if (is_ours(c, n))
		c->calls->output(c->arg, p, n);
}

static void on_cut(void *arg, int64_t bytes)
{
	struct tw_contact *c = arg;

	c->calls->cut(c->arg, bytes);
}

static void on_event(void *arg, const struct tw_event *ev)
{
	struct tw_contact *c = arg;

	c->calls->event(c->arg, ev);
}

/* "1 boot=… spool=… machine=… fence=E.S"; fence=- of a host that refuses before
 * it has looked */
static bool parse_hello(const char *rest, struct tw_hello *h)
{
	char copy[TW_JOURNAL_LINE_MAX + 1], *save = NULL, *w;

	memset(h, 0, sizeof *h);
	snprintf(copy, sizeof copy, "%s", rest);
	w = strtok_r(copy, " ", &save);
	if (!w || strcmp(w, "1") != 0)
		return false;
	while ((w = strtok_r(NULL, " ", &save))) {
		if (strncmp(w, "boot=", 5) == 0)
			snprintf(h->boot, sizeof h->boot, "%s", w + 5);
		else if (strncmp(w, "spool=", 6) == 0)
			snprintf(h->spool, sizeof h->spool, "%s", w + 6);
		else if (strncmp(w, "machine=", 8) == 0)
			snprintf(h->machine, sizeof h->machine, "%s", w + 8);
		else if (strcmp(w, "fence=-") == 0)
			continue;
		else if (sscanf(w, "fence=%18" SCNd64 ".%18" SCNd64,
		    &h->fence_epoch, &h->fence_seq) == 2)
			h->has_fence = true;
		else if (strncmp(w, "fence=", 6) == 0)
			return false;
	}
	return true;
}

static void on_control(void *arg, const char *word, const char *rest)
{
	struct tw_contact *c = arg;
	struct tw_hello hello;

	if (strcmp(word, "hello") == 0) {
		if (!parse_hello(rest, &hello)) {
			end_with(c, TW_CONTACT_PERSON,
			    W_("the host's executor speaks another "
			    "protocol"));
			return;
		}
		c->has_hello = true;
		c->calls->hello(c->arg, &hello);
		return;
	}
	if (!c->has_hello && strcmp(word, "refused") != 0)
		return;
	if (strcmp(word, "over") == 0 || strcmp(word, "refused") == 0 ||
	    strcmp(word, "done") == 0)
		c->is_over = true;
	c->calls->control(c->arg, word, rest);
}

static const struct tw_journal_calls journal_calls = {
	.output = on_output,
	.cut = on_cut,
	.event = on_event,
	.control = on_control,
};

/* --- what the link says ---------------------------------------------------- */

static void on_opened(void *arg)
{
	struct tw_contact *c = arg;

	c->calls->opened(c->arg);
}

static void on_data(void *arg, int fd, const void *p, size_t n)
{
	struct tw_contact *c = arg;
	const char *s = p;
	size_t i;

	if (c->has_ended)
		return;
	c->heard = tw_clock_mono();
	if (fd == 1) {
		if (c->has_request)
			tw_journal_feed(&c->journal, p, n);
		return;
	}
	/* beats are dots; anything else may explain a failure */
	for (i = 0; i < n; i++) {
		if (s[i] == '.' && c->talk_len == 0)
			continue;
		if (c->talk_len == STDERR_KEPT) {
			memmove(c->talk, c->talk + STDERR_KEPT / 2,
			    STDERR_KEPT / 2);
			c->talk_len = STDERR_KEPT / 2;
		}
		c->talk[c->talk_len++] = s[i] ? s[i] : '?';
		c->talk[c->talk_len] = '\0';
	}
}

static void on_drained(void *arg)
{
	(void)arg;
}

static const char *last_line(char *s)
{
	char *nl;

	while (*s && (s[strlen(s) - 1] == '\n' || s[strlen(s) - 1] == '\r'))
		s[strlen(s) - 1] = '\0';
	nl = strrchr(s, '\n');
	return nl ? nl + 1 : s;
}

/* The session ended in order, but not with the words we wait for. */
static void ended_early(struct tw_contact *c)
{
	const char *line = last_line(c->talk);
	char text[STDERR_KEPT + 80];

	if (c->has_hello) {
		end_with(c, TW_CONTACT_TEMPORARY, W_("the session ended"));
		return;
	}
	if (c->reach->sudo && strncmp(line, "sudo:", 5) == 0) {
		c->refusal = TW_REFUSAL_SUDO;
		snprintf(text, sizeof text, "%s%s",
		    W_("sudo is refused: "), line + 6);
		end_with(c, TW_CONTACT_PERSON, text);
		return;
	}
	snprintf(text, sizeof text, "%s%s%s",
	    W_("the executor did not answer"), *line ? ": " : "", line);
	end_with(c, TW_CONTACT_TEMPORARY, text);
}

static enum tw_status open_link(struct tw_contact *c, struct tw_err *err);

static void on_ended(void *arg, enum tw_link_end how, const struct tw_err *err)
{
	struct tw_contact *c = arg;
	struct tw_err own = { 0 };

	if (how == TW_LINK_UNSUPPORTED && c->may_fall_back) {
		c->may_fall_back = false;
		c->transport->close(c->link);
		c->link = NULL;
		c->transport = &tw_transport_ssh;
		if (open_link(c, &own))
			end(c, TW_CONTACT_TEMPORARY, &own);
		return;
	}
	c->refusal = how == TW_LINK_REFUSED ? TW_REFUSAL_LOGIN :
	    how == TW_LINK_CLOSED ? TW_REFUSAL_PORT : TW_REFUSAL_NONE;
	if (c->is_over)
		end(c, TW_CONTACT_OVER, NULL);
	else if (how == TW_LINK_EOF)
		ended_early(c);
	else
		end(c, how == TW_LINK_TEMPORARY || how == TW_LINK_CLOSED ?
		    TW_CONTACT_TEMPORARY : TW_CONTACT_PERSON, err);
}

static const struct tw_link_events link_events = {
	.opened = on_opened,
	.data = on_data,
	.drained = on_drained,
	.ended = on_ended,
};

static enum tw_status open_link(struct tw_contact *c, struct tw_err *err)
{
	return c->transport->open(c->loop, &c->reach->target,
	    c->reach->sudo ? tw_wire_command_sudo : tw_wire_command,
	    &link_events, c, &c->link, err);
}

/* --- for the caller --------------------------------------------------------- */

enum tw_status tw_contact_open(uv_loop_t *loop, const struct tw_reach *reach,
    const struct tw_transport *transport, const struct tw_contact_calls *calls,
    void *arg, struct tw_contact **out, struct tw_err *err)
{
	struct tw_contact *c = calloc(1, sizeof *c);
	enum tw_status st;

	*out = NULL;
	if (!c)
		return tw_err_nomem(err);
	c->loop = loop;
	c->reach = reach;
	c->transport = transport ? transport : reach->transport;
	c->may_fall_back = !transport && reach->may_fall_back;
	c->calls = calls;
	c->arg = arg;
	c->heard = tw_clock_mono();
	st = open_link(c, err);
	if (st) {
		free(c);
		return st;
	}
	*out = c;
	return TW_OK;
}

enum tw_status tw_contact_send(struct tw_contact *c,
    const struct tw_request *r, int64_t next, struct tw_err *err)
{
	struct tw_buf b = { .max = (size_t)160 << 20 };
	enum tw_status st;

	tw_journal_init(&c->journal, r->nonce, next, &journal_calls, c);
	c->has_request = true;
	st = tw_wire_request(r, &b, err);
	if (!st)
		st = c->transport->send(c->link, b.data, b.len, err);
	if (r->secret_len && b.data)
		explicit_bzero(b.data, b.cap);
	tw_buf_release(&b);
	return st;
}

void tw_contact_position(const struct tw_contact *c, int64_t *life,
    int64_t *offset, int64_t *next)
{
	*life = c->journal.life;
	*offset = c->journal.offset;
	*next = c->journal.next;
}

int64_t tw_contact_heard(const struct tw_contact *c)
{
	return c->heard;
}

const char *tw_contact_transport(const struct tw_contact *c)
{
	return c->transport->name;
}

enum tw_contact_refusal tw_contact_refusal(const struct tw_contact *c)
{
	return c->refusal;
}

void tw_contact_close(struct tw_contact *c)
{
	if (!c)
		return;
	c->has_ended = true;
	if (c->link)
		c->transport->close(c->link);
	free(c);
}
