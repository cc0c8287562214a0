/*
 * libssh2_stream.c - bytes in and out once the command runs
 *
 * libssh2 has one outgoing packet.  A call that stopped half-way through it is
 * .pending and is repeated, as it was, before any other call.  A write that
 * stopped because the host's window is full left no packet behind, and reading
 * must go on then, as the host may wait for us to read.
 */
#include "ssh/libssh2_link.h"

#include <stdlib.h>
#include <string.h>

#define READ_SIZE 16384		/* bytes, on the stack */

static bool half_sent(const struct tw_link *l)
{
	return libssh2_session_block_directions(l->session) &
	    LIBSSH2_SESSION_BLOCK_OUTBOUND;
}

static void drop_head(struct tw_link *l)
{
	struct tw_l2_chunk *c = l->head;

	l->head = c->next;
	if (!l->head)
		l->tail = NULL;
	explicit_bzero(c->data, c->len);
	free(c);
}

/* Sends of the queue what fits.  TW_L2_AGAIN: half a packet is stuck. */
static enum tw_l2_step write_queue(struct tw_link *l)
{
	bool wrote = false;
	size_t turn = 0;
	ssize_t r;

	l->window_full = false;
	while (l->head && turn < TW_L2_TURN) {
		r = libssh2_channel_write(l->channel,
		    l->head->data + l->head->sent,
		    l->head->len - l->head->sent);
		if (r == LIBSSH2_ERROR_EAGAIN && half_sent(l)) {
			l->pending = TW_L2_WRITE;
			return TW_L2_AGAIN;
		}
		if (r == LIBSSH2_ERROR_EAGAIN || r == 0) {
			l->window_full = true;
			break;
		}
		if (r < 0)
			return tw_l2_broken(l, W_("cannot send"));
		turn += (size_t)r;
		wrote = true;
		l->head->sent += (size_t)r;
		if (l->head->sent == l->head->len)
			drop_head(l);
	}
	l->pending = TW_L2_NONE;
	if (wrote && !l->head)
		l->events->drained(l->arg);
	return l->closed ? TW_L2_STOP : TW_L2_NEXT;
}

/* Reads one stream until it would block.  *some: bytes came. */
static enum tw_l2_step read_stream(struct tw_link *l, int id, bool *some)
{
	char buf[READ_SIZE];
	ssize_t r;

	for (;;) {
		r = libssh2_channel_read_ex(l->channel, id, buf, sizeof buf);
		if (r == LIBSSH2_ERROR_EAGAIN && half_sent(l)) {
			l->pending = id ? TW_L2_READ_ERR : TW_L2_READ_OUT;
			return TW_L2_AGAIN;
		}
		l->pending = TW_L2_NONE;
		if (r == LIBSSH2_ERROR_EAGAIN || r == 0)
			return TW_L2_NEXT;
		if (r < 0)
			return tw_l2_broken(l, W_("cannot receive"));
		*some = true;
		l->events->data(l->arg, id ? 2 : 1, buf, (size_t)r);
		if (l->closed)
			return TW_L2_STOP;
	}
}

/* Reading one stream brings in packets of the other, so both until neither
 * has any; the turn's budget ends it. */
static enum tw_l2_step read_both(struct tw_link *l)
{
	enum tw_l2_step step = TW_L2_NEXT;
	bool some, out = l->pending != TW_L2_READ_ERR;

	do {
		some = false;
		if (out)
			step = read_stream(l, 0, &some);
		if (step == TW_L2_NEXT)
			step = read_stream(l, SSH_EXTENDED_DATA_STDERR, &some);
		out = true;
	} while (step == TW_L2_NEXT && some);
	return step;
}

enum tw_l2_step tw_l2_stream(struct tw_link *l)
{
	enum tw_l2_step step;

	if (l->pending == TW_L2_READ_OUT || l->pending == TW_L2_READ_ERR) {
		step = read_both(l);
		if (step != TW_L2_NEXT)
			return step;
	}
	step = write_queue(l);
	if (step == TW_L2_NEXT)
		step = read_both(l);
	if (step != TW_L2_NEXT)
		return step;
	if (libssh2_channel_eof(l->channel) == 1)
		return tw_l2_end(l, TW_LINK_EOF, NULL);
	if (l->farewell)
		return tw_l2_broken(l, W_("connection lost"));
	return TW_L2_AGAIN;
}

int tw_l2_stream_wants(const struct tw_link *l)
{
	if (l->pending != TW_L2_NONE)
		return UV_WRITABLE;
	return UV_READABLE | (l->head && !l->window_full ? UV_WRITABLE : 0);
}
