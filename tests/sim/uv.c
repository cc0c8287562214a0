/*
 * uv.c - the part of libuv that the engine uses, over simulated time
 *
 * Linked in its place: what a program defines itself is not taken from a
 * shared library.  The order within a turn is libuv's: timers, what has come
 * in, check handles, handles that close.  Time stands still within a turn,
 * unless a callback blocks.
 */
#include "sim.h"

#include <assert.h>

#define LARGE_TURN 25	/* ms */

struct handle {
	struct handle *next;
	uv_handle_t *uv;
	enum { TIMER, CHECK, SIGNAL } kind;
	bool is_active, is_closing;
	int64_t due, repeat;
	uint64_t n;		/* order of timers that are due together */
	uv_timer_cb on_time;
	uv_check_cb on_check;
	uv_signal_cb on_signal;
	int signum;
	uv_close_cb on_close;
};

struct post {
	struct post *next;
	void (*fn)(void *arg);
	void *arg;
};

struct loop {
	struct proc *proc;
	uv_loop_t *uv;
	struct handle *handles;
	struct post *first, **last;
	int links;
	int64_t now;
	uint64_t starts;
	bool stop, is_closed;
};

int64_t loops_started;

/* --- handles ----------------------------------------------------------------- */

static struct loop *loop_of(const uv_loop_t *uv)
{
	return uv->internal_fields;
}

static struct handle *find(const void *uv)
{
	struct loop *l = loop_of(((const uv_handle_t *)uv)->loop);
	struct handle *h;

	for (h = l->handles; h && (const void *)h->uv != uv; h = h->next)
		;
	assert(h);
	return h;
}

static int add(uv_loop_t *loop, void *uv, int kind)
{
	struct loop *l = loop_of(loop);
	struct handle *h = calloc(1, sizeof *h), **p = &l->handles;
	uv_handle_t *handle = uv;

	assert(h);
	handle->loop = loop;
	h->uv = handle;
	h->kind = kind;
	while (*p)
		p = &(*p)->next;
	*p = h;
	return 0;
}

int uv_timer_init(uv_loop_t *loop, uv_timer_t *t)
{
	return add(loop, t, TIMER);
}

int uv_check_init(uv_loop_t *loop, uv_check_t *c)
{
	return add(loop, c, CHECK);
}

int uv_signal_init(uv_loop_t *loop, uv_signal_t *s)
{
	return add(loop, s, SIGNAL);
}

int uv_timer_start(uv_timer_t *t, uv_timer_cb cb, uint64_t timeout,
    uint64_t repeat)
{
	struct handle *h = find(t);
	struct loop *l = loop_of(t->loop);

	h->is_active = true;
	h->on_time = cb;
	h->due = l->now + (int64_t)timeout;
	h->repeat = (int64_t)repeat;
	h->n = l->starts++;
	return 0;
}

int uv_timer_stop(uv_timer_t *t)
{
	find(t)->is_active = false;
	return 0;
}

int uv_check_start(uv_check_t *c, uv_check_cb cb)
{
	struct handle *h = find(c);

	h->is_active = true;
	h->on_check = cb;
	return 0;
}

int uv_signal_start(uv_signal_t *s, uv_signal_cb cb, int signum)
{
	struct handle *h = find(s);

	h->is_active = true;
	h->on_signal = cb;
	h->signum = signum;
	return 0;
}

int uv_is_closing(const uv_handle_t *uv)
{
	return find(uv)->is_closing;
}

void uv_close(uv_handle_t *uv, uv_close_cb cb)
{
	struct handle *h = find(uv);

	assert(!h->is_closing);
	h->is_closing = true;
	h->is_active = false;
	h->on_close = cb;
}

void uv_walk(uv_loop_t *loop, uv_walk_cb cb, void *arg)
{
	struct handle *h, *next;

	for (h = loop_of(loop)->handles; h; h = next) {
		next = h->next;
		cb(h->uv, arg);
	}
}

/* --- the loop ------------------------------------------------------------------- */

int uv_loop_init(uv_loop_t *loop)
{
	struct loop *l = calloc(1, sizeof *l);

	assert(l && current);
	memset(loop, 0, sizeof *loop);
	loop->internal_fields = l;
	l->uv = loop;
	l->proc = current;
	l->last = &l->first;
	l->now = sim.now;
	current->loop = l;
	loops_started++;
	return 0;
}

int uv_loop_close(uv_loop_t *loop)
{
	struct loop *l = loop_of(loop);

	if (l->handles || l->links)
		return UV_EBUSY;
	l->is_closed = true;
	if (current)
		current->loop = NULL;
	return 0;
}

void uv_stop(uv_loop_t *loop)
{
	loop_of(loop)->stop = true;
}

void loop_post(struct loop *l, void (*fn)(void *arg), void *arg)
{
	struct post *p = calloc(1, sizeof *p);

	assert(p);
	p->fn = fn;
	p->arg = arg;
	*l->last = p;
	l->last = &p->next;
	proc_wake(l->proc);
}

void loop_count(struct loop *l, int links)
{
	l->links += links;
	assert(l->links >= 0);
}

struct signal {
	struct handle *handle;
	int signum;
};

static void on_signal(void *arg)
{
	struct signal *s = arg;

	if (s->handle->is_active)
		s->handle->on_signal((uv_signal_t *)s->handle->uv, s->signum);
}

void loop_signal(struct loop *l, int signum)
{
	struct signal *s;

	for (struct handle *h = l->handles; h; h = h->next) {
		if (h->kind != SIGNAL || !h->is_active || h->signum != signum)
			continue;
		s = malloc(sizeof *s);
		assert(s);
		*s = (struct signal){ h, signum };
		loop_post(l, on_signal, s);
	}
}

static struct handle *next_timer(const struct loop *l)
{
	struct handle *h, *first = NULL;

	for (h = l->handles; h; h = h->next)
		if (h->kind == TIMER && h->is_active && (!first ||
		    h->due < first->due ||
		    (h->due == first->due && h->n < first->n)))
			first = h;
	return first;
}

static void run_timers(struct loop *l)
{
	struct handle *h;

	while ((h = next_timer(l)) && h->due <= l->now) {
		h->is_active = h->repeat > 0;
		if (h->is_active) {
			h->due = l->now + h->repeat;
			h->n = l->starts++;
		}
		h->on_time((uv_timer_t *)h->uv);
	}
}

static bool has_closing(const struct loop *l)
{
	for (const struct handle *h = l->handles; h; h = h->next)
		if (h->is_closing)
			return true;
	return false;
}

/* Waits for something to come, or the next timer. */
static void poll(struct loop *l)
{
	struct handle *t;
	struct post *p, *all;

	while (!l->first && !l->stop && !has_closing(l)) {
		t = next_timer(l);
		if (t && t->due <= sim.now)
			break;
		proc_block(t ? t->due : -1);
	}
	/* with thousands of hosts a turn takes its time, and finds more */
	while (sim.is_large && !l->stop && sim.now < l->now + LARGE_TURN)
		proc_block(l->now + LARGE_TURN);
	l->now = sim.now;
	all = l->first;
	l->first = NULL;
	l->last = &l->first;
	while ((p = all)) {
		all = p->next;
		p->fn(p->arg);
		free(p);
	}
}

static void run_checks(struct loop *l)
{
	struct handle *h, *next;

	for (h = l->handles; h; h = next) {
		next = h->next;
		if (h->kind == CHECK && h->is_active)
			h->on_check((uv_check_t *)h->uv);
	}
}

static void run_closing(struct loop *l)
{
	struct handle **p = &l->handles, *h;

	while ((h = *p)) {
		if (!h->is_closing) {
			p = &h->next;
			continue;
		}
		*p = h->next;
		if (h->on_close)
			h->on_close(h->uv);
	}
}

static bool is_alive(const struct loop *l)
{
	for (const struct handle *h = l->handles; h; h = h->next)
		if (h->is_active || h->is_closing)
			return true;
	return l->links > 0;
}

int uv_run(uv_loop_t *loop, uv_run_mode mode)
{
	struct loop *l = loop_of(loop);

	assert(mode == UV_RUN_DEFAULT && l->proc == current);
	while (is_alive(l) && !l->stop) {
		l->now = sim.now;
		run_timers(l);
		poll(l);
		run_checks(l);
		run_closing(l);
	}
	l->stop = false;
	return is_alive(l);
}
