/*
 * dial.c - a TCP connection to a name or address, on a loop; see dial.h
 *
 * A look-up in a thread can't be stopped once begun, so the memory is held
 * until it returns: `holds` counts what is still under way.  Each attempt has a
 * poll handle of its own, as one can't be given another fd.
 */
#include "ssh/dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct attempt {		/* freed by its own close callback */
	uv_poll_t poll;
	int fd;			/* closed with it, unless -1 */
};

struct tw_dial {
	uv_loop_t *loop;
	uv_timer_t timer;
	uv_getaddrinfo_t lookup;
	struct addrinfo *list;
	struct addrinfo *next;		/* to try */
	struct attempt *attempt;	/* the one under way */
	uint64_t deadline;		/* of all connects, uv_now() */
	int limit;
	int holds;
	bool closed;
	bool looked;
	bool refused;	/* by one of the addresses */
	bool ours;	/* list is getaddrinfo()'s, not libuv's */
	tw_dial_done *done;
	void *arg;
	int port;
	struct tw_err err;
	char address[];
};

static void connect_next(struct tw_dial *d);

static void release(struct tw_dial *d)
{
	if (--d->holds > 0)
		return;
	if (d->ours)
		freeaddrinfo(d->list);
	else
		uv_freeaddrinfo(d->list);
	free(d);
}

static void on_timer_closed(uv_handle_t *h)
{
	release(h->data);
}

static void on_attempt_closed(uv_handle_t *h)
{
	struct attempt *a = (struct attempt *)h;

	if (a->fd >= 0)
		close(a->fd);
	free(a);
}

static void drop_attempt(struct tw_dial *d)
{
	if (d->attempt)
		uv_close((uv_handle_t *)&d->attempt->poll, on_attempt_closed);
	d->attempt = NULL;
}

static void finish(struct tw_dial *d, int fd)
{
	uv_timer_stop(&d->timer);
	d->done(d->arg, fd, fd >= 0 ? NULL : &d->err);
}

static void address_text(const struct addrinfo *ai, char *out, size_t n)
{
	if (getnameinfo(ai->ai_addr, ai->ai_addrlen, out, (socklen_t)n, NULL,
	    0, NI_NUMERICHOST) != 0)
		snprintf(out, n, "?");
}

/* The attempt at d->next failed with errno value e: notes it, and goes on. */
static void attempt_failed(struct tw_dial *d, int e)
{
	char text[128];

	d->refused |= e == ECONNREFUSED;
	address_text(d->next, text, sizeof text);
	tw_err_sys(&d->err, TW_AGAIN, e, "cannot connect to %s port %d", text,
	    d->port);
	d->next = d->next->ai_next;
	connect_next(d);
}

static void on_connected(uv_poll_t *h, int status, int events)
{
	struct tw_dial *d = h->data;
	struct attempt *a = d->attempt;
	socklen_t n = sizeof(int);
	int e = 0, fd;

	(void)events;
	uv_poll_stop(h);
	if (getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &e, &n) != 0)
		e = errno;
	if (e == 0 && status < 0)
		e = -status;
	if (e == 0) {
		fd = a->fd;
		a->fd = -1;
		drop_attempt(d);
		finish(d, fd);
		return;
	}
	drop_attempt(d);
	attempt_failed(d, e);
}

static void on_slow(uv_timer_t *t)
{
	struct tw_dial *d = t->data;

	drop_attempt(d);
	attempt_failed(d, ETIMEDOUT);
}

/* Returns 0 when the attempt is under way, else an errno value. */
static int start_attempt(struct tw_dial *d)
{
	const struct addrinfo *ai = d->next;
	struct attempt *a;
	int one = 1, e = 0, fd;

	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);
	if (fd < 0)
		return errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	a = calloc(1, sizeof *a);
	if (!a)
		e = ENOMEM;
	else if (connect(fd, ai->ai_addr, ai->ai_addrlen) != 0 &&
	    errno != EINPROGRESS)
		e = errno;
	else
		e = -uv_poll_init(d->loop, &a->poll, fd);
	if (e) {
		free(a);
		close(fd);
		return e;
	}
	a->fd = fd;
	a->poll.data = d;
	d->attempt = a;
	e = -uv_poll_start(&a->poll, UV_WRITABLE, on_connected);
	if (e)
		drop_attempt(d);
	return e;
}

static void connect_next(struct tw_dial *d)
{
	const struct addrinfo *ai;
	uint64_t now = uv_now(d->loop), share, left = 0;
	int e;

	if (!d->next) {
		finish(d, -1);
		return;
	}
	for (ai = d->next; ai; ai = ai->ai_next)
		left++;
	share = now < d->deadline ? (d->deadline - now) / left : 0;
	e = start_attempt(d);
	if (e)
		attempt_failed(d, e);
	else
		uv_timer_start(&d->timer, on_slow, share, 0);
}

static void got_list(struct tw_dial *d, struct addrinfo *list)
{
	d->looked = true;
	d->list = d->next = list;
	d->deadline = uv_now(d->loop) + (uint64_t)d->limit;
	connect_next(d);
}

static void on_lookup(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
	struct tw_dial *d = req->data;
	bool late = d->looked || d->closed;

	if (late) {
		uv_freeaddrinfo(list);
	} else if (status != 0 || !list) {
		d->looked = true;
		uv_freeaddrinfo(list);
		tw_err_set(&d->err, TW_AGAIN, "cannot look up %s: %s",
		    d->address, uv_strerror(status ? status : UV_EAI_NODATA));
		finish(d, -1);
	} else {
		got_list(d, list);
	}
	release(d);
}

static void on_lookup_slow(uv_timer_t *t)
{
	struct tw_dial *d = t->data;

	d->looked = true;
	uv_cancel((uv_req_t *)&d->lookup);
	tw_err_set(&d->err, TW_AGAIN, "cannot look up %s: no answer in time",
	    d->address);
	finish(d, -1);
}

/* The first turn: an address needs no look-up in a thread. */
static void on_start(uv_timer_t *t)
{
	struct tw_dial *d = t->data;
	struct addrinfo hints, *list = NULL;
	char service[16];
	int r;

	memset(&hints, 0, sizeof hints);
	hints.ai_socktype = SOCK_STREAM;
	hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
	snprintf(service, sizeof service, "%d", d->port);
	if (getaddrinfo(d->address, service, &hints, &list) == 0) {
		d->ours = true;
		got_list(d, list);
		return;
	}
	hints.ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG;
	d->lookup.data = d;
	r = uv_getaddrinfo(d->loop, &d->lookup, on_lookup, d->address, service,
	    &hints);
	if (r != 0) {
		tw_err_set(&d->err, TW_AGAIN, "cannot look up %s: %s",
		    d->address, uv_strerror(r));
		finish(d, -1);
		return;
	}
	d->holds++;
	uv_timer_start(&d->timer, on_lookup_slow, (uint64_t)d->limit, 0);
}

enum tw_status tw_dial_open(uv_loop_t *loop, const char *address, int port,
    int limit_ms, tw_dial_done *done, void *arg, struct tw_dial **out,
    struct tw_err *err)
{
	size_t n = strlen(address) + 1;
	struct tw_dial *d = calloc(1, sizeof *d + n);

	*out = NULL;
	if (!d)
		return tw_err_nomem(err);
	memcpy(d->address, address, n);
	d->loop = loop;
	d->port = port;
	d->limit = limit_ms;
	d->done = done;
	d->arg = arg;
	d->holds = 1;
	uv_timer_init(loop, &d->timer);
	d->timer.data = d;
	uv_timer_start(&d->timer, on_start, 0, 0);
	*out = d;
	return TW_OK;
}

bool tw_dial_was_refused(const struct tw_dial *d)
{
	return d->refused;
}

void tw_dial_close(struct tw_dial *d)
{
	if (!d)
		return;
	d->closed = true;
	drop_attempt(d);
	if (!d->looked && d->holds > 1)
		uv_cancel((uv_req_t *)&d->lookup);
	uv_close((uv_handle_t *)&d->timer, on_timer_closed);
}
