/*
 * libssh2.c - the transport for most hosts: many links on one loop
 *
 * This file holds the link itself: its way to the host (a TCP connection, or a
 * proxy's socket pair), its one timer, the turns of its state, its end.  It
 * never blocks the loop, but for the agent (agent.h).  See libssh2_link.h for
 * the other files.
 */
#include "ssh/libssh2_link.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ssh/hostkey.h"
#include "ssh/sshargs.h"

#define PROXY_WORDS_MAX 4096	/* bytes kept of a proxy's stderr */
#define PROXY_WORDS_MS 2000	/* how long they are waited for */

static void on_timer(uv_timer_t *t);
static void advance(struct tw_link *l);

/* ---- the end ---- */

enum tw_l2_step tw_l2_end(struct tw_link *l, enum tw_link_end end,
    const struct tw_err *err)
{
	struct tw_err short_err;

	/* What libssh2 makes of that (a refused login, no common cipher) is
	 * nothing that the host said. */
	if (l->has_no_memory && (end == TW_LINK_PERSON ||
	    end == TW_LINK_REFUSED || end == TW_LINK_UNSUPPORTED)) {
		end = TW_LINK_TEMPORARY;
		tw_err_set(&short_err, TW_AGAIN, "out of memory");
		err = &short_err;
	}
	l->state = TW_L2_ENDED;
	if (l->socket)
		uv_poll_stop(&l->socket->poll);
	uv_timer_stop(&l->timer);
	l->events->ended(l->arg, end, err);
	return TW_L2_STOP;
}

static enum tw_status end_status(enum tw_link_end end)
{
	switch (end) {
	case TW_LINK_PERSON:
	case TW_LINK_REFUSED:
		return TW_DENIED;
	case TW_LINK_UNSUPPORTED:
		return TW_CONFIG;
	default:
		return TW_AGAIN;
	}
}

enum tw_link_end tw_l2_end_of(const struct tw_err *err)
{
	return err->status == TW_NOMEM ? TW_LINK_TEMPORARY : TW_LINK_PERSON;
}

enum tw_l2_step tw_l2_fail(struct tw_link *l, enum tw_link_end end,
    const char *fmt, ...)
{
	struct tw_err err;
	va_list ap;

	va_start(ap, fmt);
	tw_err_setv(&err, end_status(end), fmt, ap);
	va_end(ap);
	return tw_l2_end(l, end, &err);
}

static enum tw_l2_step fail_sys(struct tw_link *l, const char *what, int e)
{
	struct tw_err err;

	tw_err_sys(&err, end_status(TW_LINK_TEMPORARY), e, "%s", what);
	return tw_l2_end(l, TW_LINK_TEMPORARY, &err);
}

static enum tw_l2_step proxy_verdict(struct tw_link *l)
{
	struct tw_err err;
	enum tw_link_end end;
	char what[256];

	if (l->target->via)
		snprintf(what, sizeof what, "%s%s",
		    W_("cannot get through "), l->target->via);
	else
		snprintf(what, sizeof what, "%s",
		    W_("the proxy command failed"));
	end = tw_sshargs_verdict(what, tw_buf_str(&l->proxy_words),
	    l->target->name, &err);
	/* Another transport would go through the same jump host. */
	if (end == TW_LINK_UNSUPPORTED)
		end = TW_LINK_PERSON;
	return tw_l2_end(l, end, &err);
}

/* The socket ended: closed by the other side, or with an error. */
static enum tw_l2_step socket_ended(struct tw_link *l, const char *what)
{
	const char *hello = libssh2_session_banner_get(l->session);

	if (l->proxy && l->state == TW_L2_HANDSHAKE) {
		if (l->proxy_done)
			return proxy_verdict(l);
		l->state = TW_L2_PROXY_LOST;
		uv_poll_stop(&l->socket->poll);
		uv_timer_start(&l->timer, on_timer, PROXY_WORDS_MS, 0);
		return TW_L2_STOP;
	}
	if (l->cut_errno)
		return fail_sys(l, what, l->cut_errno);
	if (l->state == TW_L2_HANDSHAKE &&
	    (!hello || strncmp(hello, "SSH-", 4) != 0))
		return tw_l2_fail(l, TW_LINK_TEMPORARY, "the host closed the "
		    "connection before it said hello (too many logins at "
		    "once, or no SSH there)");
	return tw_l2_fail(l, TW_LINK_TEMPORARY, "%s: the host closed the "
	    "connection", what);
}

enum tw_l2_step tw_l2_broken(struct tw_link *l, const char *what)
{
	char text[160];

	if (l->farewell)
		return tw_l2_fail(l, TW_LINK_TEMPORARY, "%s: the host ended "
		    "it: %s", what, l->farewell_text);
	if (l->cut)
		return socket_ended(l, what);
	tw_l2_session_error(l, text, sizeof text);
	return tw_l2_fail(l, TW_LINK_TEMPORARY, "%s: %s", what, text);
}

/* ---- turns ---- */

static void on_poll(uv_poll_t *h, int status, int events)
{
	struct tw_link *l = h->data;

	(void)events;
	if (status < 0)
		l->watched = 0;		/* libuv has stopped it */
	advance(l);
}

static void wait_socket(struct tw_link *l)
{
	int dirs, wants = 0, r;

	if (l->state == TW_L2_OPEN) {
		wants = tw_l2_stream_wants(l);
	} else {
		dirs = libssh2_session_block_directions(l->session);
		if (dirs & LIBSSH2_SESSION_BLOCK_OUTBOUND)
			wants |= UV_WRITABLE;
		if ((dirs & LIBSSH2_SESSION_BLOCK_INBOUND) || !wants)
			wants |= UV_READABLE;
	}
	if (wants == l->watched)
		return;
	l->watched = wants;
	r = uv_poll_start(&l->socket->poll, wants, on_poll);
	if (r != 0)
		tw_l2_fail(l, TW_LINK_TEMPORARY, "cannot watch the "
		    "connection: %s", uv_strerror(r));
}

static enum tw_l2_step step_once(struct tw_link *l)
{
	switch (l->state) {
	case TW_L2_HANDSHAKE:
		return tw_l2_handshake(l);
	case TW_L2_LOGIN:
		return tw_l2_login(l);
	case TW_L2_CHANNEL:
		return tw_l2_channel(l);
	case TW_L2_EXEC:
		return tw_l2_exec(l);
	case TW_L2_OPEN:
		return tw_l2_stream(l);
	default:
		return TW_L2_STOP;
	}
}

/* sshd sends its host keys before it answers to the channel, and has Nagle's
 * algorithm on until then: an acknowledgement that is delayed delays that
 * answer, by 40 ms. */
static void acknowledge(const struct tw_link *l)
{
	int one = 1;

	setsockopt(l->socket->fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof one);
}

static void advance(struct tw_link *l)
{
	enum tw_l2_step step;

	l->budget = TW_L2_TURN;
	do
		step = step_once(l);
	while (step == TW_L2_NEXT);
	if (step == TW_L2_STOP)
		return;
	if (l->cut)
		tw_l2_broken(l, l->state == TW_L2_OPEN ? W_("connection lost") :
		    W_("no login"));
	else if (l->memory > TW_L2_MEMORY_MAX)
		tw_l2_fail(l, TW_LINK_TEMPORARY, "the host floods the "
		    "connection");
	else
		wait_socket(l);
	if (l->state == TW_L2_CHANNEL)
		acknowledge(l);
}

/* ---- time ---- */

/* One timer for both limits: it is not moved at each arrival, but looks when it
 * fires and waits for the rest.  While the command runs it looks more often: a
 * host that takes what it is sent is alive, however long it has nothing to
 * say. */
static void on_timer(uv_timer_t *t)
{
	struct tw_link *l = t->data;
	uint64_t now = uv_now(l->loop), until = l->deadline, rest = UINT64_MAX;
	int idle = tw_link_limit(TW_LINK_IDLE);

	if (l->state == TW_L2_PROXY_LOST) {
		proxy_verdict(l);
		return;
	}
	if (l->state == TW_L2_OPEN) {
		if (tw_l2_session_moves(l))
			l->heard = now;
		until = l->heard + (uint64_t)idle;
		rest = tw_link_look(idle);
	}
	if (now < until)
		uv_timer_start(t, on_timer, until - now < rest ? until - now :
		    rest, 0);
	else if (l->state == TW_L2_OPEN)
		tw_l2_fail(l, TW_LINK_TEMPORARY, "no answer for %d s",
		    (idle + 999) / 1000);
	else
		tw_l2_fail(l, TW_LINK_TEMPORARY, l->state == TW_L2_HANDSHAKE ?
		    N_("no SSH handshake in time") : N_("no login in time"));
}

void tw_l2_watch(struct tw_link *l)
{
	l->heard = uv_now(l->loop);
	tw_l2_session_moves(l);
	uv_timer_start(&l->timer, on_timer,
	    tw_link_look(tw_link_limit(TW_LINK_IDLE)), 0);
}

static void limit_login(struct tw_link *l, int ms)
{
	l->deadline = uv_now(l->loop) + (uint64_t)ms;
	uv_timer_start(&l->timer, on_timer, (uint64_t)ms, 0);
}

/* ---- the way to the host ---- */

static void on_socket_closed(uv_handle_t *h)
{
	struct tw_l2_socket *s = (struct tw_l2_socket *)h;

	close(s->fd);
	free(s);
}

/* Takes fd over, and begins the handshake. */
static void take_socket(struct tw_link *l, int fd)
{
	char type[TW_HOSTKEY_TYPE_MAX] = "";
	struct tw_l2_socket *s;
	struct tw_err err;

	s = calloc(1, sizeof *s);
	if (!s || uv_poll_init(l->loop, &s->poll, fd) != 0) {
		free(s);
		close(fd);
		tw_l2_fail(l, TW_LINK_TEMPORARY, "no memory for a connection");
		return;
	}
	s->fd = fd;
	s->poll.data = l;
	l->socket = s;
	if (l->command)
		snprintf(type, sizeof type, "%.*s",
		    (int)strcspn(l->target->hostkey, " "),
		    l->target->hostkey);
	if (tw_l2_session_new(l, type, &err) != TW_OK) {
		tw_l2_end(l, TW_LINK_TEMPORARY, &err);
		return;
	}
	l->state = TW_L2_HANDSHAKE;
	advance(l);
}

static void on_dialled(void *arg, int fd, const struct tw_err *err)
{
	struct tw_link *l = arg;

	if (fd < 0) {
		tw_l2_end(l, tw_dial_was_refused(l->dial) ? TW_LINK_CLOSED :
		    TW_LINK_TEMPORARY, err);
		return;
	}
	limit_login(l, tw_link_limit(TW_LINK_LOGIN));
	take_socket(l, fd);
}

static void on_proxy_words(void *arg, int fd, const void *p, size_t n)
{
	struct tw_link *l = arg;

	(void)fd;
	if (l->proxy_words.len + n > 2 * PROXY_WORDS_MAX)
		tw_buf_drop(&l->proxy_words, l->proxy_words.len);
	if (n > PROXY_WORDS_MAX) {
		p = (const char *)p + n - PROXY_WORDS_MAX;
		n = PROXY_WORDS_MAX;
	}
	tw_buf_add(&l->proxy_words, p, n);
}

static void on_proxy_done(void *arg, int status, int sig)
{
	struct tw_link *l = arg;

	(void)status;
	(void)sig;
	l->proxy_done = true;
	if (l->state == TW_L2_PROXY_LOST)
		proxy_verdict(l);
}

static const struct tw_pipes_events proxy_events = {
	on_proxy_words, NULL, on_proxy_done,
};

static void start_proxy(struct tw_link *l)
{
	struct tw_pipes_how how = { .io_fd = -1 };
	struct tw_argv argv = { 0 };
	enum tw_status st;
	struct tw_err err;
	int fds[2];

	/* Only our end is non-blocking: the proxy may be a simple program. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0 ||
	    fcntl(fds[0], F_SETFL, O_NONBLOCK) != 0) {
		tw_l2_fail(l, TW_LINK_TEMPORARY, "no socket for the proxy");
		return;
	}
	st = tw_sshargs_proxy(l->target, &argv, &err);
	if (st == TW_OK) {
		how.argv = (const char *const *)argv.v;
		how.io_fd = fds[1];
		st = tw_pipes_open(l->loop, &how, &proxy_events, l, &l->proxy,
		    &err);
	}
	tw_argv_release(&argv);
	close(fds[1]);
	if (st != TW_OK) {
		close(fds[0]);
		tw_l2_end(l, TW_LINK_TEMPORARY, &err);
		return;
	}
	limit_login(l, tw_link_limit(TW_LINK_CONNECT) +
	    tw_link_limit(TW_LINK_LOGIN));
	take_socket(l, fds[0]);
}

static void on_start(uv_timer_t *t)
{
	struct tw_link *l = t->data;
	const struct tw_ssh_target *target = l->target;
	char type[TW_HOSTKEY_TYPE_MAX];
	struct tw_buf blob = TW_BUF_INIT;
	struct tw_err err;
	bool bad;

	if (l->command) {
		bad = tw_hostkey_decode(target->hostkey, type, &blob, &err) !=
		    TW_OK;
		tw_buf_release(&blob);
		if (bad) {
			tw_l2_end(l, tw_l2_end_of(&err), &err);
			return;
		}
		if (!tw_l2_type_ok(type)) {
			tw_l2_fail(l, TW_LINK_UNSUPPORTED, "libssh2 can't "
			    "check a host key of the type %s", type);
			return;
		}
	}
	if (target->via || target->proxy_command)
		start_proxy(l);
	else if (tw_dial_open(l->loop, target->address, target->port,
	    tw_link_limit(TW_LINK_CONNECT), on_dialled, l, &l->dial,
	    &err) != TW_OK)
		tw_l2_end(l, TW_LINK_TEMPORARY, &err);
}

/* ---- open, send, close ---- */

enum tw_status tw_l2_open(uv_loop_t *loop, const struct tw_ssh_target *target,
    const char *command, const struct tw_link_events *events, void *arg,
    struct tw_link **out, struct tw_err *err)
{
	struct tw_link *l;
	enum tw_status st;

	*out = NULL;
	st = tw_sshargs_check(target, err);
	if (st != TW_OK)
		return st;
	l = calloc(1, sizeof *l);
	if (!l)
		return tw_err_nomem(err);
	if (command && !(l->command = strdup(command))) {
		free(l);
		return tw_err_nomem(err);
	}
	l->loop = loop;
	l->target = target;
	l->events = events;
	l->arg = arg;
	uv_timer_init(loop, &l->timer);
	l->timer.data = l;
	uv_timer_start(&l->timer, on_start, 0, 0);
	*out = l;
	return TW_OK;
}

static enum tw_status l2_open(uv_loop_t *loop,
    const struct tw_ssh_target *target, const char *command,
    const struct tw_link_events *events, void *arg, struct tw_link **out,
    struct tw_err *err)
{
	if (!target->hostkey) {
		*out = NULL;
		return tw_err_set(err, TW_USAGE, "no host key is pinned");
	}
	return tw_l2_open(loop, target, command, events, arg, out, err);
}

static enum tw_status l2_send(struct tw_link *l, const void *p, size_t n,
    struct tw_err *err)
{
	struct tw_l2_chunk *c;

	if (l->state == TW_L2_ENDED || l->closed)
		return tw_err_set(err, TW_AGAIN, "the connection has ended");
	if (n == 0)
		return TW_OK;
	c = malloc(sizeof *c + n);
	if (!c)
		return tw_err_nomem(err);
	c->next = NULL;
	c->len = n;
	c->sent = 0;
	memcpy(c->data, p, n);
	if (l->tail)
		l->tail->next = c;
	else
		l->head = c;
	l->tail = c;
	if (l->state == TW_L2_OPEN)
		wait_socket(l);
	return TW_OK;
}

static void on_timer_closed(uv_handle_t *h)
{
	free(h->data);
}

static void l2_close(struct tw_link *l)
{
	struct tw_l2_chunk *c;

	l->closed = true;
	l->state = TW_L2_ENDED;
	tw_dial_close(l->dial);
	if (l->socket)
		shutdown(l->socket->fd, SHUT_RDWR);
	tw_l2_session_free(l);
	if (l->socket)
		uv_close((uv_handle_t *)&l->socket->poll, on_socket_closed);
	tw_pipes_close(l->proxy);
	tw_agent_close(l->login.agent);
	tw_buf_release(&l->proxy_words);
	tw_buf_release(&l->learned);
	while ((c = l->head)) {
		l->head = c->next;
		explicit_bzero(c->data, c->len);
		free(c);
	}
	free(l->command);
	l->command = NULL;
	uv_close((uv_handle_t *)&l->timer, on_timer_closed);
}

const struct tw_transport tw_transport_libssh2 = {
	.name = "libssh2",
	.open = l2_open,
	.send = l2_send,
	.close = l2_close,
};
