/*
 * net.c - the network: a transport whose links are slow, silent, or cut after
 *         so many bytes
 *
 * Bytes arrive in order, in pieces of any size, after half a round trip.  A
 * bad link is cut at a byte of its own choice, on its way to the host or from
 * it; then either end is told, or nobody is (half open).  The time limits are
 * those of the real transports.
 */
#include "sim.h"

#include <assert.h>
#include <stdarg.h>

struct tw_link {
	struct tw_link *next;	/* of the process */
	struct proc *proc;
	struct loop *loop;
	struct host *host;
	const struct tw_link_events *events;
	void *arg;
	int boot;		/* of the host, when it began */
	bool is_open, is_closed, has_ended;
	bool tower_gone;	/* nobody reads any more, and the host knows */
	bool host_gone;		/* the host closed it */
	bool is_mute;		/* half open: nothing passes */
	int64_t up_left, down_left;	/* bytes until it is cut; < 0: never */
	int how;		/* of the cut: 0 reset, 1 end, 2 half open */
	int64_t began;
	int64_t heard;		/* when something arrived */
	int64_t arrives;	/* when the last bytes do */
};

struct arrival {
	struct tw_link *link;
	int fd;			/* 0: it ends */
	enum tw_link_end end;
	const char *why;
	size_t n;
	char data[];
};

const struct proc *link_proc(const struct tw_link *l)
{
	return l->proc;
}

int64_t link_began(const struct tw_link *l)
{
	return l->began;
}

/* --- to the tower --------------------------------------------------------- */

static void on_arrival(void *arg)
{
	struct arrival *a = arg;
	struct tw_link *l = a->link;
	struct tw_err err = { 0 };

	if (l->is_closed || l->has_ended)
		return;
	kill_point("receives");
	l->heard = sim.now;
	if (a->fd > 0) {
		l->events->data(l->arg, a->fd, a->data, a->n);
		return;
	}
	l->has_ended = true;
	if (a->end == TW_LINK_EOF) {
		l->events->ended(l->arg, a->end, NULL);
		return;
	}
	tw_err_set(&err, a->end == TW_LINK_PERSON ? TW_DENIED : TW_AGAIN,
	    "%s", a->why);
	l->events->ended(l->arg, a->end, &err);
}

static void deliver(void *arg)
{
	struct arrival *a = arg;

	if (!a->link->is_closed && !a->link->proc->is_dead)
		loop_post(a->link->loop, on_arrival, a);
}

static void send_down(struct tw_link *l, int64_t in, int fd,
    enum tw_link_end end, const char *why, const char *p, size_t n)
{
	struct arrival *a = calloc(1, sizeof *a + n);

	assert(a);
	a->link = l;
	a->fd = fd;
	a->end = end;
	a->why = why;
	a->n = n;
	if (n > 0)
		memcpy(a->data, p, n);
	if (l->arrives < sim.now + in)
		l->arrives = sim.now + in;
	later(l->arrives - sim.now, deliver, a);
}

static void fail_in(struct tw_link *l, int64_t in, enum tw_link_end end,
    const char *why)
{
	send_down(l, in, 0, end, why, NULL, 0);
}

static void cut(struct tw_link *l)
{
	sim.cuts++;
	trace("%s: the link is cut, %s", l->host->name, l->how == 0 ? "reset" :
	    l->how == 1 ? "in order" : "half open");
	l->is_mute = true;
	if (l->how == 0)
		fail_in(l, l->host->rtt / 2, TW_LINK_TEMPORARY,
		    "the connection was reset");
	else if (l->how == 1)
		fail_in(l, l->host->rtt / 2, TW_LINK_EOF, NULL);
}

/* No progress for 30 s, whatever was the reason. */
static void on_idle(void *arg)
{
	struct tw_link *l = arg;
	int64_t left = l->heard + TW_LINK_IDLE_MS - sim.now;

	if (l->is_closed || l->has_ended || l->proc->is_dead)
		return;
	if (left > 0) {
		later(left, on_idle, l);
		return;
	}
	trace("%s: nothing was heard for 30 s", l->host->name);
	fail_in(l, 0, TW_LINK_TEMPORARY, "the host has not answered for 30 s");
}

/* --- the host's end --------------------------------------------------------- */

bool link_is_there(const struct tw_link *l)
{
	return !l->tower_gone && !l->host_gone &&
	    (!l->is_mute || l->how == 2) && l->host->boot == l->boot;
}

bool link_write(struct tw_link *l, int fd, const char *p, size_t n)
{
	size_t part;

	if (!link_is_there(l))
		return false;
	if (l->is_mute)
		return true;	/* into the kernel's buffer */
	if (fd == 1 && l->down_left >= 0 && (int64_t)n > l->down_left) {
		n = (size_t)l->down_left;
		l->down_left = -1;
		send_down(l, l->host->rtt / 2, fd, 0, NULL, p, n);
		cut(l);
		return true;
	}
	if (fd == 1 && l->down_left >= 0)
		l->down_left -= (int64_t)n;
	while (n > 0) {
		part = one_in(4) ? 1 + chance(n) : n;
		send_down(l, l->host->rtt / 2, fd, 0, NULL, p, part);
		p += part;
		n -= part;
	}
	return true;
}

void link_close(struct tw_link *l)
{
	if (!link_is_there(l))
		return;
	if (!l->is_mute)
		fail_in(l, l->host->rtt / 2, TW_LINK_EOF, NULL);
	l->host_gone = true;
}

/* --- beginnings ---------------------------------------------------------------- */

static void on_open(void *arg)
{
	struct tw_link *l = arg;

	if (l->is_closed || l->has_ended)
		return;
	kill_point("logs in");
	l->is_open = true;
	l->heard = sim.now;
	later(TW_LINK_IDLE_MS, on_idle, l);
	l->events->opened(l->arg);
}

static void deliver_open(void *arg)
{
	struct tw_link *l = arg;

	if (l->is_closed || l->proc->is_dead)
		return;
	if (l->host->boot != l->boot) {
		fail_in(l, TW_LINK_LOGIN_MS, TW_LINK_TEMPORARY,
		    "the login takes too long");
		return;
	}
	loop_post(l->loop, on_open, l);
}

/* A fifth of a bad host's links never open; the others are cut somewhere. */
static bool choose_fate(struct tw_link *l)
{
	l->up_left = l->down_left = -1;
	if (sim.calm || !one_in((uint64_t)l->host->trouble))
		return true;
	l->how = (int)chance(3);
	switch (chance(5)) {
	case 0:
		fail_in(l, l->host->rtt, TW_LINK_TEMPORARY,
		    "dropped before the login");
		return false;
	case 1:
		l->up_left = (int64_t)chance(60000);
		return true;
	default:
		l->down_left = (int64_t)chance(one_in(2) ? 300 : 3000);
		return true;
	}
}

/* The SYN is there, or nowhere. */
static void on_syn(void *arg)
{
	struct tw_link *l = arg;
	struct host *h = l->host;

	if (l->is_closed || l->proc->is_dead)
		return;
	if (!h->is_on || h->net == NET_SILENT) {
		fail_in(l, TW_LINK_CONNECT_MS, TW_LINK_TEMPORARY,
		    "cannot connect: Connection timed out");
		return;
	}
	if (h->net == NET_REFUSES) {
		fail_in(l, h->rtt / 2, TW_LINK_TEMPORARY,
		    "cannot connect: Connection refused");
		return;
	}
	l->boot = h->boot;
	if (!choose_fate(l))
		return;
	if (!sim.calm && h->trouble && one_in(400)) {
		fail_in(l, 4 * h->rtt, TW_LINK_PERSON, "the login is refused");
		return;
	}
	later(4 * h->rtt + between(5, 40), deliver_open, l);
}

static enum tw_status net_open(uv_loop_t *loop,
    const struct tw_ssh_target *target, const char *command,
    const struct tw_link_events *events, void *arg, struct tw_link **out,
    struct tw_err *err)
{
	struct tw_link *l = calloc(1, sizeof *l);

	(void)loop;
	(void)command;
	(void)err;
	assert(l && current);
	l->proc = current;
	l->loop = current->loop;
	l->host = host_find(target->address);
	assert(l->host);
	l->events = events;
	l->arg = arg;
	l->began = sim.now;
	l->next = current->links;
	current->links = l;
	loop_count(l->loop, 1);
	for (int i = 0; current->only[0]; i++)
		if (!current->only[i])
			broken(0, "a pass for other hosts visits %s",
			    l->host->name);
		else if (strcmp(current->only[i], l->host->name) == 0)
			break;
	trace("%s: connects", l->host->name);
	kill_point("connects");
	later(l->host->rtt / 2, on_syn, l);
	*out = l;
	return TW_OK;
}

/* --- to the host ------------------------------------------------------------------ */

struct upload {
	struct tw_link *link;
	struct tw_buf data;
};

static void on_upload(void *arg)
{
	struct upload *u = arg;
	struct tw_link *l = u->link;

	if (l->host->is_on && l->host->boot == l->boot && !l->host_gone)
		host_request(l->host, l, u->data.data, u->data.len);
}

static enum tw_status net_send(struct tw_link *l, const void *p, size_t n,
    struct tw_err *err)
{
	struct upload *u;
	int64_t late;

	kill_point("is about to send");
	sim.requests++;
	if (l->has_ended)
		return tw_err_set(err, TW_AGAIN, "the session has ended");
	if (l->up_left >= 0 && (int64_t)n > l->up_left) {
		/* it is there in part: the executor finds it too short */
		cut(l);
		return TW_OK;
	}
	u = calloc(1, sizeof *u);
	assert(u);
	u->link = l;
	u->data = (struct tw_buf){ .max = (size_t)1 << 30 };
	tw_buf_add(&u->data, p, n);
	/* what is on its way arrives, even if who sent it dies now; and perhaps
	 * after a minute, when nobody counts on it any more */
	late = l->host->rtt / 2 + between(0, 3);
	if (l->host->trouble && !sim.calm && one_in(12)) {
		late = between(SECOND, 100 * SECOND);
		l->is_mute = true;
		l->how = 2;
		trace("%s: what is sent is under way for %" PRId64 " s",
		    l->host->name, late / SECOND);
	}
	later(late, on_upload, u);
	kill_point("has sent");
	return TW_OK;
}

static void on_fin(void *arg)
{
	struct tw_link *l = arg;

	l->tower_gone = true;
}

static void leave(struct tw_link *l)
{
	if (l->is_closed)
		return;
	l->is_closed = true;
	if (!l->is_mute)
		later(l->host->rtt / 2, on_fin, l);
}

static void net_close(struct tw_link *l)
{
	struct tw_link **p;

	if (l->is_closed)
		return;
	leave(l);
	for (p = &l->proc->links; *p && *p != l; p = &(*p)->next)
		;
	if (*p)
		*p = l->next;
	loop_count(l->loop, -1);
}

void links_of_dead(struct proc *p)
{
	struct tw_link *l;

	while ((l = p->links)) {
		p->links = l->next;
		leave(l);
	}
}

const struct tw_transport sim_transport = {
	.name = "sim",
	.open = net_open,
	.send = net_send,
	.close = net_close,
};
