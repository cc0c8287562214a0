/*
 * exec.c - an executor: carries out a job's steps as the automaton leads,
 *          writing each decision before it acts on it
 *
 * What it decides is tw_automaton_decide()'s, which tests compare with the
 * real one in sh.  The model's own is what surrounds a decision: the record is
 * written, synced, shown and acted upon one after the other, and the executor,
 * the steps' processes and the power can fail between any two.
 */
#include "sim.h"

#include <assert.h>

const char *const part_names[PARTS] = { "check", "run", "verify", "undo" };

/* --- the record ------------------------------------------------------------- */

void job_load(const struct job *j, struct tw_automaton *a,
    struct tw_auto_step *step, enum tw_verdict *verdict)
{
	const struct program *p = j->program;

	memcpy(step, p->step, sizeof p->step);
	tw_automaton_init(a, step, p->n);
	for (int64_t i = 0; i < j->nevents; i++)
		if (!tw_automaton_apply(a, &j->events[i]) &&
		    sim.bug == BUG_NONE)
			broken(0, "the record of change %" PRId64 " has %s "
			    "where it can't be", j->change,
			    tw_event_word_name(j->events[i].word));
	*verdict = a->verdict;
}

void event_line(const struct job *j, const struct tw_event *ev,
    struct tw_buf *out)
{
	tw_buf_addf(out, "\n@%s %" PRId64 " %" PRId64 " ", j->nonce, ev->n,
	    ev->t);
	tw_event_format(ev, out);
	if (ev->word == TW_EV_LIFE)
		tw_buf_addf(out, " %s %" PRId64, ev->text, ev->epoch_s);
	tw_buf_adds(out, " .\n");
}

void stream_add(struct job *j, int life, const char *p, size_t n)
{
	if (j->is_wiped || life > j->nstreams)
		return;
	tw_buf_add(&j->streams[life].data, p, n);
	follow_news(j);
}

bool exec_is_alive(const struct job *j)
{
	return j->exec && !j->exec->is_dead;
}

static void collect(void *arg, const struct tw_event *ev)
{
	struct exec *e = arg;

	assert((size_t)e->nbatch < sizeof e->batch / sizeof *e->batch);
	e->batch[e->nbatch++] = *ev;
}

static void decide(struct exec *e, enum tw_auto_action action,
    enum tw_auto_outcome outcome)
{
	struct tw_auto_step step[STEPS_MAX + 1];
	struct tw_automaton a = e->a;
	bool verifying = e->verifying;
	int first = e->nbatch;
	struct tw_event ev;

	memcpy(step, e->step, sizeof step);
	tw_automaton_decide(&e->a, action, outcome, e->job->cancel ?
	    e->job->cancel : "-", &e->verifying, collect, e);
	/* between two steps a cancel is looked for */
	if (!e->job->cancel || e->nbatch < first + 2 ||
	    e->batch[first + 1].word != TW_EV_START || outcome == TW_WAS_CRASH)
		return;
	ev = e->batch[first];
	e->a = a;
	memcpy(e->step, step, sizeof step);
	e->verifying = verifying;
	e->nbatch = first;
	tw_automaton_apply(&e->a, &ev);
	collect(e, &ev);
	tw_automaton_decide(&e->a, TW_DO_NOTHING, TW_WAS_CANCEL,
	    e->job->cancel, &e->verifying, collect, e);
}

/* --- its end ------------------------------------------------------------------- */

static void stop(struct exec *e)
{
	struct host *h = e->job->host;

	e->is_dead = true;
	if (h->lock == e)
		h->lock = NULL;
	h->last_end = sim.now;
	follow_news(e->job);
}

void exec_kill(struct exec *e)
{
	if (e->is_dead)
		return;
	trace("%s: the executor of change %" PRId64 " is killed",
	    e->job->host->name, e->job->change);
	if (e->phase)
		e->phase->exec = NULL;
	e->phase = NULL;
	e->job->host->last_spoilt = sim.now;
	stop(e);
}

/* Killed, or its host has no power. */
static bool is_gone(const struct exec *e)
{
	return e->is_dead || e->boot != e->job->host->boot;
}

static void on_shown(void *arg)
{
	struct exec *e = arg;

	if (is_gone(e))
		return;
	if (!e->job->is_wiped)
		e->job->shown = e->job->host->boot;
	stop(e);
}

/* --- phases --------------------------------------------------------------------- */

static enum tw_auto_outcome come_out(const struct program *p, int64_t k,
    enum part part, int use)
{
	int roll = (int)fixed_chance(p->number, (uint64_t)(k * 1000 + part * 100 +
	    use), 100);

	if (p->is_calm)
		return part == PART_CHECK ? TW_WAS_NOT : TW_WAS_OK;
	if (roll >= 97)
		return TW_WAS_TIMEOUT;
	switch (part) {
	case PART_CHECK:
		return roll < 20 ? TW_WAS_OK : roll < 92 ? TW_WAS_NOT :
		    TW_WAS_BROKEN;
	case PART_UNDO:
		return roll < 88 ? TW_WAS_OK : roll < 93 ? TW_WAS_NOT :
		    TW_WAS_BROKEN;
	default:
		return roll < 85 ? TW_WAS_OK : roll < 93 ? TW_WAS_NOT :
		    TW_WAS_BROKEN;
	}
}

static void remove_phase(struct phase *p)
{
	struct host *h = p->job->host;
	int i;

	p->is_over = true;
	for (i = 0; i < h->nphases && h->phases[i] != p; i++)
		;
	if (i < h->nphases)
		h->phases[i] = h->phases[--h->nphases];
}

void phase_kill(struct phase *p)
{
	if (p->exec)
		p->exec->phase = NULL;
	p->exec = NULL;
	remove_phase(p);
}

static void commit(struct exec *e);

static void came_out(struct exec *e, struct phase *p)
{
	static const enum tw_auto_action of[PARTS] = {
		TW_DO_CHECK, TW_DO_RUN, TW_DO_VERIFY, TW_DO_UNDO,
	};

	e->phase = NULL;
	decide(e, of[p->part], p->outcome);
	commit(e);
}

static void on_phase_end(void *arg)
{
	struct phase *p = arg;
	struct exec *e = p->exec;

	if (p->is_over || sim.now < p->ends)
		return;
	remove_phase(p);
	if (e)
		came_out(e, p);
}

/* What a step prints may look like anything. */
static void on_print(void *arg)
{
	static const char *const texts[] = {
		"hello\n", "two\nlines\n", "no newline", "\n@", "\n",
		"\n@0123456789abcdef0123456789abcdef 1 1 verdict failed .\n",
		"\n@0123456789abcdef0123456789abcdef over verdict\n", "@\n@\n",
	};
	struct phase *p = arg;
	struct job *j = p->job;
	struct filed *f = j->filed;
	struct tw_buf *all = &f->output[p->k][p->part == PART_UNDO];
	struct tw_buf b = TW_BUF_INIT;

	if (p->is_over)
		return;
	tw_buf_adds(&b, texts[chance(sizeof texts / sizeof *texts)]);
	if (one_in(3))
		tw_buf_addf(&b, "%" PRId64 " %s %d", p->k, part_names[p->part],
		    p->use);
	/* beyond its executor's end nobody answers for it */
	if (!p->exec)
		f->lost_output = true;
	tw_buf_add(all, b.data, b.len);
	if (sim.bug != BUG_EAT || !one_in(10))
		stream_add(j, p->life, b.data, b.len);
	tw_buf_release(&b);
}

/* Each second: was the change cancelled? */
static void on_tick(void *arg)
{
	struct phase *p = arg;
	int64_t in;

	if (p->is_over || !p->exec || p->part == PART_UNDO)
		return;
	if (!p->job->cancel) {
		later(SECOND, on_tick, p);
		return;
	}
	/* TERM, and KILL where that was not enough */
	in = one_in(3) ? between(2 * SECOND, 2100) : between(1, 60);
	if (sim.now + in >= p->ends)
		return;
	p->outcome = TW_WAS_CANCEL;
	p->ends = sim.now + in;
	later(in, on_phase_end, p);
}

static int64_t length_of(struct exec *e, const struct phase *p)
{
	int64_t limit = e->job->program->limit[p->k];

	if (p->outcome == TW_WAS_TIMEOUT)
		return limit + between(0, 2 * SECOND);
	if (e->job->host->is_healthy || sim.is_large)
		return between(1, 200);
	return between(1, one_in(6) ? limit : limit < 500 ? limit : 500);
}

static void begin_phase(struct exec *e, int64_t k, enum part part)
{
	struct phase *p = calloc(1, sizeof *p);
	struct job *j = e->job;
	struct host *h = j->host;
	int64_t span;

	assert(p && h->nphases < 8);
	p->job = j;
	p->exec = e;
	p->k = k;
	p->part = part;
	p->life = e->life;
	p->attempt = e->step[k].attempts;
	p->use = ++j->used[k][part];
	p->outcome = come_out(j->program, k, part, p->use);
	if (sim.bug == BUG_UNDO_ALL && part == PART_UNDO && k < j->program->n)
		p->k = j->program->n;
	e->phase = p;
	sim.phases++;
	trace("%s: change %" PRId64 " step %" PRId64 " %s %d", h->name,
	    j->change, k, part_names[part], p->use);
	check_phase(p);
	h->phases[h->nphases++] = p;
	span = length_of(e, p);
	p->ends = sim.now + span;
	for (uint64_t n = sim.is_large ? 0 : chance(4); n > 0; n--)
		later(between(0, span - 1), on_print, p);
	later(SECOND, on_tick, p);
	later(span, on_phase_end, p);
}

/* --- a reboot ---------------------------------------------------------------------- */

static void on_no_reboot(void *arg)
{
	struct exec *e = arg;

	if (is_gone(e))
		return;
	decide(e, TW_DO_REBOOT, TW_WAS_TIMEOUT);
	commit(e);
}

static void on_reboot(void *arg)
{
	struct exec *e = arg;

	if (!is_gone(e))
		host_cut_power(e->job->host, between(5, 40) * SECOND);
}

static void reboot(struct exec *e)
{
	struct job *j = e->job;
	int64_t k = e->a.k;
	struct phase asked = { .job = j, .k = k, .part = PART_RUN,
	    .attempt = e->step[k].attempts };

	if (e->has_asked) {
		later(j->program->limit[k], on_no_reboot, e);
		return;
	}
	e->has_asked = true;
	check_phase(&asked);
	if (one_in(5))
		later(j->program->limit[k], on_no_reboot, e);
	else
		later(between(10, 900), on_reboot, e);
}

/* --- a confirmation ------------------------------------------------------------------ */

/* Has a tower still to hear of its end?  Not where a person has given it up. */
static bool is_awaited(const struct job *j)
{
	const struct known *k;

	for (const struct tower *t = towers; t < towers + TOWERS; t++) {
		k = t->life ? tower_knows(t, j->filed) : NULL;
		if (k && is_pending(k))
			return true;
	}
	return false;
}

/* Nobody hinders it; in that time several passes begin. */
static bool must_be_confirmed(const struct job *j, int64_t k)
{
	return sim.calm && is_awaited(j) && j->await_at > sim.calm_since &&
	    j->await_boot == j->host->boot &&
	    j->program->step[k].confirm * SECOND >= 3 * MINUTE;
}

static void on_wait(void *arg)
{
	struct exec *e = arg;
	struct job *j = e->job;
	int64_t k = e->a.k;

	if (is_gone(e))
		return;
	if (j->confirmed[k]) {
		decide(e, TW_DO_CONFIRM, TW_WAS_OK);
	} else if (j->cancel) {
		decide(e, TW_DO_CONFIRM, TW_WAS_CANCEL);
	} else if (job_time_left(j) > 0) {
		later(SECOND, on_wait, e);
		return;
	} else {
		if (j->heard[k])
			broken(4, "%s: change %" PRId64 " step %" PRId64
			    " is confirmed, and is undone", j->host->name,
			    j->change, k);
		if (must_be_confirmed(j, k))
			broken(5, "%s: nobody confirms change %" PRId64,
			    j->host->name, j->change);
		decide(e, TW_DO_CONFIRM, TW_WAS_TIMEOUT);
	}
	commit(e);
}

/* --- acting --------------------------------------------------------------------------- */

static void act(void *arg)
{
	struct exec *e = arg;
	int64_t k = e->a.k;

	if (is_gone(e))
		return;

	if (e->a.state == TW_AUTO_ENDED) {
		later(between(1, 10), on_shown, e);
		return;
	}
	switch (tw_automaton_next(&e->a, e->verifying)) {
	case TW_DO_CHECK:
		begin_phase(e, k, PART_CHECK);
		break;
	case TW_DO_RUN:
		begin_phase(e, k, PART_RUN);
		break;
	case TW_DO_VERIFY:
		begin_phase(e, k, PART_VERIFY);
		break;
	case TW_DO_UNDO:
		begin_phase(e, k, PART_UNDO);
		break;
	case TW_DO_REBOOT:
		reboot(e);
		break;
	case TW_DO_CONFIRM:
		on_wait(e);
		break;
	default:
		broken(0, "%s: an executor has nothing to do", e->job->host->name);
	}
}

/* It is on disk: shown, and acted upon. */
static void on_synced(void *arg)
{
	struct exec *e = arg;
	struct job *j = e->job;
	struct tw_buf b = TW_BUF_INIT;
	int i;

	if (is_gone(e))
		return;
	if (j->is_wiped) {
		stop(e);
		return;
	}
	j->nsynced = j->nevents;
	for (i = 0; i < e->nbatch; i++)
		event_line(j, &e->batch[i], &b);
	e->nbatch = 0;
	stream_add(j, e->life, b.data, b.len);
	tw_buf_release(&b);
	later(between(0, 3), act, e);
}

static void write_event(struct exec *e, struct tw_event *ev)
{
	struct job *j = e->job;
	struct host *h = j->host;

	ev->n = j->nevents + 1;
	ev->t = (sim.now - h->booted) / 10;
	if (ev->word == TW_EV_LIFE) {
		snprintf(ev->text, sizeof ev->text, "%d", h->boot);
		ev->epoch_s = (sim.now + h->wall) / 1000 + 1000000;
		j->streams[e->life].boot = h->boot;
	} else if (ev->word == TW_EV_RUN) {
		j->run_wall = sim.now + h->wall;
		j->run_boot = h->boot;
	} else if (ev->word == TW_EV_AWAIT) {
		j->await_at = sim.now;
		j->await_wall = sim.now + h->wall;
		j->await_boot = h->boot;
	} else if (ev->word == TW_EV_VERDICT &&
	    ev->verdict == TW_VERDICT_FAILED) {
		h->held = true;
	}
	j->events = realloc(j->events, (size_t)(j->nevents + 1) *
	    sizeof *j->events);
	assert(j->events);
	j->events[j->nevents++] = *ev;
	if (ev->word == TW_EV_VERDICT)
		trace("%s: change %" PRId64 " %s", h->name, j->change,
		    tw_verdict_name(ev->verdict));
}

static void on_write(void *arg)
{
	struct exec *e = arg;

	if (is_gone(e))
		return;
	if (e->job->is_wiped) {
		stop(e);
		return;
	}
	for (int i = 0; i < e->nbatch; i++)
		write_event(e, &e->batch[i]);
	later(between(1, 6), on_synced, e);
}

static void commit(struct exec *e)
{
	later(between(0, 3), on_write, e);
}

/* --- its beginning ----------------------------------------------------------------------- */

static void another_life(struct exec *e)
{
	struct tw_event ev = { .word = TW_EV_LIFE, .life = e->a.lives + 1 };

	tw_automaton_apply(&e->a, &ev);
	collect(e, &ev);
}

/* Where it stands, and what is open, are known; nothing of the last executor
 * runs any more. */
static void take_up(struct exec *e)
{
	struct job *j = e->job;
	struct host *h = j->host;
	enum tw_auto_state s = e->a.state;
	int64_t k = e->a.k;

	if (s == TW_AUTO_RUNNING && e->step[k].is_reboot) {
		e->has_asked = true;
		if (j->run_boot == h->boot) {
			decide(e, TW_DO_NOTHING, TW_WAS_CRASH);
		} else if (h->booted + h->wall - j->run_wall <=
		    j->program->limit[k]) {
			decide(e, TW_DO_REBOOT, TW_WAS_OK);
		} else {
			decide(e, TW_DO_NOTHING, TW_WAS_CRASH);
			decide(e, TW_DO_REBOOT, TW_WAS_TIMEOUT);
		}
	} else if ((sim.bug == BUG_RERUN && s == TW_AUTO_RUNNING) ||
	    (sim.bug == BUG_UNDO_TWICE && s == TW_AUTO_UNDOING)) {
		another_life(e);
	} else {
		decide(e, TW_DO_NOTHING, TW_WAS_CRASH);
	}
	commit(e);
}

static void on_left_ended(void *arg)
{
	struct exec *e = arg;
	struct host *h = e->job->host;

	if (is_gone(e))
		return;
	for (int i = h->nphases - 1; i >= 0 && sim.bug != BUG_LEFT; i--)
		if (h->phases[i]->job == e->job && !h->phases[i]->exec)
			phase_kill(h->phases[i]);
	take_up(e);
}

static void repeat(struct exec *e)
{
	struct job *j = e->job;
	struct tw_buf b = TW_BUF_INIT;

	j->nsynced = j->nevents;
	for (int64_t i = 0; i < j->nevents; i++)
		event_line(j, &j->events[i], &b);
	stream_add(j, e->life, b.data, b.len);
	tw_buf_release(&b);
}

/* It is made at the launch, and where another executor died while this one waited
 * for the lock, once it has it. */
static void need_stream(struct job *j, int64_t life)
{
	if (j->nstreams >= life)
		return;
	j->nstreams = (int)life;
	j->streams = realloc(j->streams, (size_t)(j->nstreams + 1) *
	    sizeof *j->streams);
	assert(j->streams);
	memset(&j->streams[j->nstreams], 0, sizeof *j->streams);
}

static void on_exec(void *arg)
{
	struct exec *e = arg;
	struct job *j = e->job;
	struct host *h = j->host;
	enum tw_verdict verdict;

	if (is_gone(e))
		return;
	if (j->is_wiped || j->is_gone) {
		stop(e);
		return;
	}
	if (h->lock && !h->lock->is_dead && sim.bug != BUG_TWICE) {
		e->waited += 50;
		if (e->waited >= 10 * SECOND)
			stop(e);
		else
			later(50, on_exec, e);
		return;
	}
	h->lock = e;
	job_load(j, &e->a, e->step, &verdict);
	if (verdict != TW_VERDICT_NONE) {
		stop(e);
		return;
	}
	e->life = (int)e->a.lives + 1;
	need_stream(j, e->life);
	j->exec = e;
	trace("%s: change %" PRId64 " life %d", h->name, j->change, e->life);
	if (j->nevents == 0) {
		check_begins(j);
		take_up(e);
		return;
	}
	repeat(e);
	later(h->nphases > 0 ? between(1, 2100) : 1, on_left_ended, e);
}

/* An executor is started; it waits for the lock, and ends if it is not needed. */
struct exec *job_launch(struct job *j)
{
	struct exec *e = calloc(1, sizeof *e);
	struct tw_auto_step step[STEPS_MAX + 1];
	struct tw_automaton a;
	enum tw_verdict verdict;

	assert(e);
	e->job = j;
	e->boot = j->host->boot;
	job_load(j, &a, step, &verdict);
	need_stream(j, a.lives + 1);
	later(between(2, 40), on_exec, e);
	return e;
}
