/*
 * runner.c - the pass: which hosts to visit now, until nothing is due
 *
 * The loop turns on events of the visits; at the end of each turn what must be
 * written is written, visits that are over are released, and the queue is
 * asked again where something may have changed.  Once a second it is asked
 * anyway: for changes filed meanwhile, cancels, and hosts whose next attempt
 * is due.
 *
 * To ask costs as much as there are hosts with something pending.  What it named
 * and could not start yet is taken from that list for a second, and asking gets
 * no more than a fifth of the time.
 *
 * A commit is the dearest thing the tower does.  So two are some time apart,
 * and what many hosts say meanwhile, and the claims of those that have logged
 * in, are written together; a host that is alone waits for nothing.
 */
#include "engine/runner.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/runner_private.h"

#define TICK_MS 100		/* progress */
#define LOOK_MS 1000		/* at people's acts and at the queue */
#define LOOK_SHARE 4		/* this many times as long as it took, between */
#define TURN_MS 50		/* of contacts or claims, in which nothing
				   is heard */
#define BUSY_MS 250		/* until the state is asked again */
#define TOUCH_MS 10000

void runner_fail(struct runner *r, const struct tw_err *err)
{
	if (!r->status) {
		r->status = err->status ? err->status : TW_BUG;
		r->err = *err;
	}
	r->stop = true;
}

void runner_complain(struct runner *r, const struct tw_err *err)
{
	if (!r->complaint.status)
		r->complaint = *err;
}

static void check_status(struct runner *r, enum tw_status st,
    const struct tw_err *err)
{
	if (st && st != TW_AGAIN)
		runner_fail(r, err);
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Ids of the hosts being visited, sorted; NULL when there are none. */
static int64_t *visited(struct runner *r, size_t *n)
{
	int64_t *ids = r->active ? calloc((size_t)r->active, sizeof *ids) :
	    NULL;
	struct visit *v;

	*n = 0;
	if (!ids)
		return NULL;
	TAILQ_FOREACH(v, &r->visits, all)
		ids[(*n)++] = v->host.id;
	qsort(ids, *n, sizeof *ids, compare);
	return ids;
}

static void on_turn(uv_timer_t *t)
{
	struct runner *r = t->data;

	r->ask = true;
	runner_turn(r);
}

/* The loop turns, and comes back by then. */
static void come_back(struct runner *r, uint64_t ms)
{
	if (!uv_is_active((uv_handle_t *)&r->turn))
		uv_timer_start(&r->turn, on_turn, ms, 0);
}

/* Is there time left?  If not, the loop turns, and comes back soon. */
static bool has_time(struct runner *r, int64_t began)
{
	if (tw_clock_mono() - began < TURN_MS)
		return true;
	come_back(r, 1);
	return false;
}

/* Logged-in visits whose turn has come, the first that came first. */
static void ask_ready(struct runner *r)
{
	struct visit *v, *turn[TW_RUNNER_CLAIMS];
	int64_t began = tw_clock_mono();
	size_t n, room;

	r->ask = false;
	while (!r->stop && r->asked < r->o.jobs && !TAILQ_EMPTY(&r->ready)) {
		if (!has_time(r, began))
			return;
		room = (size_t)(r->o.jobs - r->asked);
		if (room > TW_RUNNER_CLAIMS)
			room = TW_RUNNER_CLAIMS;
		n = 0;
		TAILQ_FOREACH(v, &r->ready, turn)
			if (n < room)
				turn[n++] = v;
			else
				break;
		if (!visit_ask(turn, n)) {
			come_back(r, BUSY_MS);
			return;
		}
		r->committed = tw_clock_mono();
	}
}

bool runner_is_jump_full(const struct runner *r, const char *via)
{
	const struct visit *v;
	int n = 0;

	if (!via)
		return false;
	TAILQ_FOREACH(v, &r->visits, all)
		if (v->state != VISIT_OVER && v->reach.target.via &&
		    strcmp(v->reach.target.via, via) == 0)
			n++;
	return n >= TW_RUNNER_JUMP;
}

/* Is there still something for it, by the rights of those who filed?  What lost
 * them ends here, before the host hears of it. */
static bool has_right(struct runner *r, int64_t host_id, int64_t now)
{
	struct tw_err err = { 0 };
	int64_t cancelled = 0;
	enum tw_status st;

	st = tw_queue_settle(r->o.store, host_id, now, &cancelled, &err);
	r->result->cancelled += cancelled;
	if (st == TW_AGAIN)
		r->waiting++;	/* the next look asks again */
	else if (st != TW_NO)
		check_status(r, st, &err);
	return st == TW_OK;
}

/* Asks the queue; hosts that are visited already are left out. */
static void ask_queue(struct runner *r, int64_t now)
{
	int64_t expired = 0, *busy;
	struct tw_err err = { 0 };
	size_t n, nbusy, i;
	enum tw_status st;

	free(r->due);
	st = tw_queue_expire(r->o.store, now, &expired, &err);
	check_status(r, st, &err);
	r->result->cancelled += expired;
	st = tw_queue_due(r->o.store, now, r->o.org_id, r->o.hosts, &r->due,
	    &n, &r->wake, &err);
	check_status(r, st, &err);
	r->look = st == TW_AGAIN;
	busy = visited(r, &nbusy);
	r->ndue = r->next_due = 0;
	for (i = 0; i < n; i++)
		if (!busy || !bsearch(&r->due[i], busy, nbusy, sizeof *busy,
		    compare))
			r->due[r->ndue++] = r->due[i];
	r->waiting = (int64_t)r->ndue;
	free(busy);
}

/* Contacts hosts of the list, as many as there is room and time for. */
static void start_due(struct runner *r, int64_t now)
{
	int64_t began = tw_clock_mono(), id;

	while (r->next_due < r->ndue && !r->stop && r->asked < r->o.jobs &&
	    r->connecting < TW_RUNNER_CONNECTING) {
		if (!has_time(r, began)) {
			r->look = true;
			return;
		}
		id = r->due[r->next_due++];
		r->waiting--;
		if (has_right(r, id, now))
			visit_start(r, id, NULL);
	}
}

static void look(struct runner *r)
{
	int64_t now = tw_clock_now(), began = tw_clock_mono();
	bool is_early = began - r->last_look < LOOK_SHARE * r->look_took;

	if (r->next_due < r->ndue &&
	    (began - r->last_look < LOOK_MS || is_early)) {
		r->look = false;
		start_due(r, now);
		if (r->next_due < r->ndue)
			return;
		r->look = true;
	}
	if (r->stop || is_early)
		return;
	r->last_look = tw_clock_mono();
	ask_queue(r, now);
	r->look_took = tw_clock_mono() - r->last_look;
	start_due(r, now);
}

/* Those that are over, but for what has yet to be written. */
static void sweep(struct runner *r)
{
	struct visit *v, *next, *last = TAILQ_LAST(&r->over, visits);
	int64_t id;

	for (v = TAILQ_FIRST(&r->over); v; v = next) {
		next = v == last ? NULL : TAILQ_NEXT(v, turn);
		if (v->dirty)
			continue;
		TAILQ_REMOVE(&r->over, v, turn);
		TAILQ_REMOVE(&r->visits, v, all);
		r->active--;
		id = v->restart && !r->stop ? v->host.id : 0;
		visit_report(v, TW_REPORT_IDLE, NULL);
		if (id)
			visit_start(r, id, v->try_other ? v : NULL);
		visit_free(v);
		r->look = true;
	}
}

/* A host that vanished in mid-change is waited for a while. */
static bool is_worth_waiting(struct runner *r)
{
	return r->wake && !r->o.watch &&
	    r->wake - tw_clock_now() < TW_RUNNER_LINGER_MS;
}

/* How many changes run; when one was heard of last. */
static int64_t count_running(struct runner *r)
{
	struct tw_err err = { 0 };
	int64_t since = 0;
	enum tw_status st;

	st = tw_queue_running(r->o.store, r->o.org_id, r->o.hosts,
	    &r->result->still_running, &since, &err);
	check_status(r, st, &err);
	return since;
}

/* Something that its host has accepted still waits for the next attempt?  (What
 * was only claimed goes on in any later pass.) */
static bool lingers(struct runner *r)
{
	int64_t since = count_running(r);

	return r->result->still_running > 0 && is_worth_waiting(r) &&
	    !r->complaint.status && tw_clock_now() - since < TW_RUNNER_LINGER_MS;
}

/* Does somebody need the loop? */
static bool stays(const struct runner *r)
{
	return r->o.stays && r->o.stays(r->o.arg);
}

static void on_group(uv_timer_t *t)
{
	runner_turn(t->data);
}

/* Is it time for the next group?  If not, a timer is set for it. */
static bool is_group_due(struct runner *r)
{
	int64_t wait = r->committed + TW_RUNNER_GROUP_MS - tw_clock_mono();

	if (r->stop || !r->committed || wait <= 0)
		return true;
	if (!uv_is_active((uv_handle_t *)&r->group))
		uv_timer_start(&r->group, on_group, (uint64_t)wait, 0);
	return false;
}

void runner_turn(struct runner *r)
{
	if ((r->urgent || r->ask || (r->stop && !r->status)) &&
	    is_group_due(r)) {
		record_flush(r);
		ask_ready(r);
	}
	sweep(r);
	if (r->look && !r->stop)
		look(r);
	if (r->stop && (r->status || TAILQ_EMPTY(&r->dirty)))
		uv_stop(&r->loop);
	else if (!r->active && !r->look && !r->waiting && !r->o.watch &&
	    !lingers(r) && !stays(r))
		uv_stop(&r->loop);
}

static void on_check(uv_check_t *h)
{
	runner_turn(h->data);
}

static int by_id(const void *a, const void *b)
{
	const struct tw_running *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* Of what was cancelled while it runs the host is to hear.  What runs no more,
 * for a person declared it lost, is followed no more: its host is free for what
 * comes next. */
static void heed_people(struct runner *r)
{
	struct tw_running *all = NULL, key = { 0 }, *found;
	struct tw_err err = { 0 };
	enum tw_status st;
	struct visit *v;
	size_t n = 0;

	st = tw_queue_running_list(r->o.store, &all, &n, &err);
	check_status(r, st, &err);
	TAILQ_FOREACH(v, &r->visits, all) {
		if (st || v->state != VISIT_ASKED || !v->has_change)
			continue;
		key.id = v->change.id;
		found = n ? bsearch(&key, all, n, sizeof *all, by_id) : NULL;
		if (found && found->is_cancelled && !v->change.cancel_by)
			visit_again(v);
		else if (!found && record_was_ended(v))
			record_leave(v);
	}
	free(all);
}

static void on_tick(uv_timer_t *t)
{
	struct runner *r = t->data;
	int64_t now = tw_clock_mono();
	struct visit *v;

	if (r->o.tick)
		r->o.tick(r->o.arg);
	if (r->o.lock && now - r->last_touch >= TOUCH_MS) {
		r->last_touch = now;
		tw_runlock_touch(r->o.lock);
	}
	if (r->o.until && now >= r->o.until)
		r->stop = true;
	if (r->o.lock && tw_runlock_is_asked(r->o.lock))
		r->stop = r->result->stepped_aside = true;
	if (now - r->last_heed < LOOK_MS)
		return;
	r->last_heed = now;
	if (r->active)
		heed_people(r);
	TAILQ_FOREACH(v, &r->visits, all)
		visit_probe(v);
	r->look = true;
}

static void on_signal(uv_signal_t *h, int signum)
{
	struct runner *r = h->data;

	(void)signum;
	r->result->interrupted = true;
	r->stop = true;
}

static void close_handle(uv_handle_t *h, void *arg)
{
	(void)arg;
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

static void begin(struct runner *r)
{
	uv_timer_init(&r->loop, &r->tick);
	uv_timer_init(&r->loop, &r->flush);
	uv_timer_init(&r->loop, &r->group);
	uv_timer_init(&r->loop, &r->turn);
	uv_check_init(&r->loop, &r->check);
	uv_signal_init(&r->loop, &r->term);
	uv_signal_init(&r->loop, &r->intr);
	r->tick.data = r->flush.data = r->group.data = r;
	r->turn.data = r->check.data = r;
	r->term.data = r->intr.data = r;
	uv_timer_start(&r->tick, on_tick, TICK_MS, TICK_MS);
	uv_check_start(&r->check, on_check);
	uv_signal_start(&r->term, on_signal, SIGTERM);
	uv_signal_start(&r->intr, on_signal, SIGINT);
}

/* Hosts go on by themselves; what we know is written, the rest is left. */
static void detach(struct runner *r)
{
	struct visit *v;

	count_running(r);
	r->stop = true;
	while ((v = TAILQ_FIRST(&r->visits))) {
		TAILQ_REMOVE(&r->visits, v, all);
		visit_free(v);
	}
	/* a name that is not resolved yet can hold up the loop's end */
	if (r->result->stepped_aside)
		tw_runlock_yield(r->o.lock);
	uv_walk(&r->loop, close_handle, NULL);
	uv_run(&r->loop, UV_RUN_DEFAULT);
	uv_loop_close(&r->loop);
}

/* Nothing due and nothing to wait for: found out without a loop. */
static bool is_idle(struct runner *r)
{
	int64_t *ids = NULL;
	struct tw_err err = { 0 };
	size_t n = 0;
	enum tw_status st;

	st = tw_queue_expire(r->o.store, tw_clock_now(),
	    &r->result->cancelled, &err);
	if (!st)
		st = tw_queue_due(r->o.store, tw_clock_now(), r->o.org_id,
		    r->o.hosts, &ids, &n, &r->wake, &err);
	check_status(r, st, &err);
	free(ids);
	if (st == TW_AGAIN)
		return false;	/* the loop asks again */
	return r->status || (n == 0 && !r->o.watch && !lingers(r) &&
	    !stays(r));
}

enum tw_status tw_runner_pass(const struct tw_runner_options *o,
    struct tw_pass_result *result, struct tw_err *err)
{
	struct runner *r;
	enum tw_status st;

	memset(result, 0, sizeof *result);
	r = calloc(1, sizeof *r);
	if (!r)
		return tw_err_nomem(err);
	TAILQ_INIT(&r->visits);
	TAILQ_INIT(&r->ready);
	TAILQ_INIT(&r->over);
	TAILQ_INIT(&r->dirty);
	r->o = *o;
	r->result = result;
	if (gethostname(r->name, sizeof r->name - 1) != 0 ||
	    !tw_name_ok(r->name))
		snprintf(r->name, sizeof r->name, "towerify");
	if (r->o.jobs <= 0)
		r->o.jobs = TW_RUNNER_JOBS;
	if (r->o.output_limit <= 0)
		r->o.output_limit = TW_OUTPUT_CAP;
	tw_store_busy_limit(o->store, TW_RUNNER_BUSY_MS);
	if (!is_idle(r)) {
		if (uv_loop_init(&r->loop)) {
			r->status = tw_err_set(&r->err, TW_AGAIN,
			    "cannot start the event loop");
		} else {
			begin(r);
			look(r);
			uv_run(&r->loop, UV_RUN_DEFAULT);
			detach(r);
		}
	}
	tw_store_busy_limit(o->store, TW_STORE_BUSY_MS);
	st = r->status ? r->status : r->complaint.status;
	if (st && err)
		*err = r->status ? r->err : r->complaint;
	free(r->due);
	free(r);
	return st;
}

enum tw_status tw_runner_has_work(struct tw_store *s, int64_t org_id,
    const char *const *hosts, bool *has, struct tw_err *err)
{
	int64_t *ids = NULL, wake = 0, running = 0, since = 0;
	int64_t now = tw_clock_now();
	enum tw_status st;
	size_t n = 0;

	st = tw_queue_due(s, now, org_id, hosts, &ids, &n, &wake, err);
	free(ids);
	if (!st)
		st = tw_queue_running(s, org_id, hosts, &running, &since, err);
	*has = st == TW_AGAIN || n > 0 ||
	    (running > 0 && now - since < TW_RUNNER_LINGER_MS);
	return st == TW_AGAIN ? TW_OK : st;
}
