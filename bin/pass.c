/*
 * pass.c - a pass with its progress, and waiting for changes; see tower.h
 */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "engine/hooks.h"
#include "tower.h"

#define STALE_MS (2 * 60 * 1000)	/* a pass that has not moved so long */
#define POLL_MS 200			/* between looks while waiting */
#define ASIDE_MS 15000			/* for a limited pass to step aside */
#define LATE_MAX 3			/* passes more, for what came late */

/* --- progress --------------------------------------------------------------- */

struct show {
	struct tw_progress *progress;
	bool is_watched;	/* a person looks: temporary trouble is news */
	bool is_quiet;		/* alarms only */
	struct tw_hooks *hooks;
	char *hooks_dir;
	bool is_deaf;		/* hooks are none of the caller's business */
};

static void show_step(struct show *s, const struct tw_report *r,
    const char *state)
{
	struct tw_progress_step step = {
		.host = r->host,
		.change = r->change,
		.k = r->k,
		.n = r->n,
		.step = r->step ? r->step : r->title,
		.state = state,
	};

	tw_progress_step(s->progress, &step, tw_clock_now());
}

static void show_undo(struct show *s, const struct tw_report *r)
{
	char state[32];

	snprintf(state, sizeof state, "undo-%s", r->state);
	show_step(s, r, state);
}

static enum tw_progress_outcome outcome_of(enum tw_change_status status)
{
	switch (status) {
	case TW_CHANGE_SUCCEEDED:
		return TW_PROGRESS_GOOD;
	case TW_CHANGE_ROLLED_BACK:
		return TW_PROGRESS_ROLLED_BACK;
	case TW_CHANGE_FAILED:
	case TW_CHANGE_UNKNOWN:
		return TW_PROGRESS_FAILED;
	default:
		return TW_PROGRESS_OTHER;
	}
}

static void TW_PRINTF(3, 4) show_alarm(struct show *s,
    const struct tw_report *r, const char *fmt, ...)
{
	char text[TW_ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, tw_text(fmt), ap);
	va_end(ap);
	tw_text_trim(text);
	tw_progress_note(s->progress, r->host, text, true, tw_clock_now());
}

static void show_end(struct show *s, const struct tw_report *r)
{
	int64_t now = tw_clock_now();
	struct tw_progress_end end = {
		.host = r->host,
		.change = r->change,
		.status = tw_change_status_name(r->status),
		.outcome = outcome_of(r->status),
		.steps = r->n,
		.span = r->started ? now - r->started : 0,
		.text = r->text && *r->text ? r->text : NULL,
	};

	tw_progress_end(s->progress, &end, now);
	/* What failed holds its host and is told as that; a roll-back wants a
	 * person too, and has no other line where nobody watches. */
	if (s->is_quiet && end.outcome == TW_PROGRESS_ROLLED_BACK)
		show_alarm(s, r, "change %" PRId64 " was rolled back: %s",
		    r->change, end.text ? end.text :
		    tw_text("no reason is known"));
}

static void on_report(void *arg, const struct tw_report *r)
{
	struct show *s = arg;
	int64_t now = tw_clock_now();

	tw_progress_waiting(s->progress, r->waiting);
	switch (r->kind) {
	case TW_REPORT_CHANGE:
		show_step(s, r, NULL);
		break;
	case TW_REPORT_STEP:
		show_step(s, r, r->state);
		break;
	case TW_REPORT_UNDO:
		show_undo(s, r);
		break;
	case TW_REPORT_END:
		show_end(s, r);
		break;
	case TW_REPORT_TROUBLE:
		tw_progress_note(s->progress, r->host, r->text, s->is_watched,
		    now);
		break;
	case TW_REPORT_HELD:
		show_alarm(s, r, "is held: %s", r->text);
		break;
	case TW_REPORT_IDLE:
		tw_progress_idle(s->progress, r->host);
		break;
	case TW_REPORT_CONNECT:
		break;
	}
}

static void on_tick(void *arg)
{
	struct show *s = arg;

	tw_progress_tick(s->progress, tw_clock_now());
	tw_hooks_turn(s->hooks);
}

static bool on_stay(void *arg)
{
	struct show *s = arg;

	return tw_hooks_is_busy(s->hooks);
}

static void on_complaint(void *arg, const char *hook, const char *text)
{
	struct show *s = arg;
	char name[TW_NAME_MAX + 1];

	snprintf(name, sizeof name, "hook %s", hook);
	if (!s->is_deaf)
		tw_progress_note(s->progress, name, text, true,
		    tw_clock_now());
}

/* Hundreds of hosts are as many sockets; names are resolved in threads. */
static void raise_limits(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) == 0 &&
	    lim.rlim_cur < lim.rlim_max) {
		lim.rlim_cur = lim.rlim_max;
		setrlimit(RLIMIT_NOFILE, &lim);
	}
	setenv("UV_THREADPOOL_SIZE", "64", 0);
}

/* --- a pass -------------------------------------------------------------------- */

/* *busy: another pass is at work, and all is well. */
static enum tw_status take_lock(struct tower *t, bool is_limited,
    struct tw_runlock **lock, bool *busy, struct tw_err *err)
{
	struct tw_err why = { 0 };
	enum tw_status st;
	int64_t age = 0;

	st = tw_runlock_take(tw_store_dir(t->store), is_limited, is_limited ?
	    0 : ASIDE_MS, lock, &age, &why);
	*busy = st == TW_AGAIN && age < STALE_MS;
	if (!st || *busy)
		return TW_OK;
	if (st != TW_AGAIN && st != TW_WAITING) {
		*err = why;
		return st;
	}
	if (age >= STALE_MS)
		return tw_err_set(err, TW_AGAIN, "another pass is at work but "
		    "has not moved for %d s", (int)(age / 1000));
	return tw_err_set(err, TW_AGAIN, "a pass for some hosts is at work and "
	    "has not stepped aside for %d s", ASIDE_MS / 1000);
}

/* "STARTED ENDED STATUS SUCCEEDED ROLLED-BACK FAILED UNREACHABLE" */
static void make_note(char *out, size_t size, int64_t started,
    enum tw_status status, const struct tw_pass_result *r)
{
	snprintf(out, size, "%" PRId64 " %" PRId64 " %d %" PRId64 " %" PRId64
	    " %" PRId64 " %" PRId64, started, tw_clock_now(),
	    tw_status_exit(status), r->succeeded, r->rolled_back, r->failed,
	    r->unreachable);
}

enum tw_status tower_last_pass(struct tower *t, struct tower_last *out,
    struct tw_err *err)
{
	enum tw_status st;
	char *note = NULL;

	memset(out, 0, sizeof *out);
	st = tw_runlock_note(tw_store_dir(t->store), &note, &out->is_running,
	    &out->age, err);
	out->is_known = !st && note && sscanf(note, "%18" SCNd64 " %18" SCNd64
	    " %18" SCNd64 " %18" SCNd64 " %18" SCNd64 " %18" SCNd64 " %18"
	    SCNd64, &out->started, &out->ended, &out->status,
	    &out->succeeded, &out->rolled_back, &out->failed,
	    &out->unreachable) == 7;
	free(note);
	return st;
}

static enum tw_status open_hooks(struct tower *t, int64_t org_id,
    struct show *show, struct tw_err *err)
{
	const struct tw_config *c = &t->config;
	struct tw_hooks_options o = {
		.store = t->store,
		.org_id = org_id,
		.timeout = c->number[TW_CONFIG_HOOK_TIMEOUT],
		.mail = c->text[TW_CONFIG_MAIL],
		.webhook = c->text[TW_CONFIG_WEBHOOK],
		.complain = on_complaint,
		.arg = show,
	};
	enum tw_status st;
	char *dir = NULL;

	st = config_hooks(c, &dir, err);
	o.dir = dir;
	show->is_deaf = t->who.is_gated && !t->who.is_admin;
	if (!st)
		st = tw_hooks_new(&o, &show->hooks, err);
	if (st)
		free(dir);
	else
		show->hooks_dir = dir;
	return st;
}

/* What one pass, begun with *o, comes to: adds to the result. */
static enum tw_status pass_once(struct tower *t, struct tw_runner_options *o,
    struct show *show, int64_t started, bool *busy, struct tw_pass_result *result,
    struct tw_err *err)
{
	struct tw_runlock *lock = NULL;
	struct tw_pass_result r;
	enum tw_status st;
	char note[160];

	st = take_lock(t, o->hosts != NULL, &lock, busy, err);
	if (st || *busy)
		return st;
	o->lock = lock;
	memset(&r, 0, sizeof r);
	st = open_hooks(t, o->org_id, show, err);
	if (!st)
		st = tw_runner_pass(o, &r, err);
	tw_hooks_free(show->hooks);
	show->hooks = NULL;
	free(show->hooks_dir);
	show->hooks_dir = NULL;
	r.succeeded += result->succeeded;
	r.rolled_back += result->rolled_back;
	r.failed += result->failed;
	r.cancelled += result->cancelled;
	r.lost += result->lost;
	r.unreachable += result->unreachable;
	r.held += result->held;
	r.worst = tw_status_worse(r.worst, result->worst);
	*result = r;
	make_note(note, sizeof note, started, st ? st : r.worst, &r);
	/* a pass for some hosts that did nothing is not what --status is about */
	tw_runlock_release(lock, !o->hosts || st || r.worst || r.succeeded ?
	    note : NULL);
	return st;
}

/* Who files while the lock is held leaves that to who holds it (bin/start.c), who
 * may just have asked the queue for the last time. */
static bool came_late(const struct tw_runner_options *o,
    const struct tw_pass_result *r)
{
	bool has_work = false;

	return !o->hosts && !r->interrupted && !r->still_running &&
	    tw_runner_has_work(o->store, 0, NULL, &has_work, NULL) == TW_OK &&
	    has_work;
}

enum tw_status tower_pass(struct tw_cli *cli, struct tower *t,
    const char *const *hosts, int jobs, bool watch, int64_t until, bool *busy,
    struct tw_pass_result *result, struct tw_err *err)
{
	struct tw_progress_options popt = { 0 };
	struct show show = { 0 };
	const int64_t *set = t->config.number;
	const struct tw_host_delays delays = { set[TW_CONFIG_RETRY_FIRST],
		set[TW_CONFIG_RETRY_MOST] };
	struct tw_runner_options o = {
		.store = t->store,
		.org_id = hosts ? t->who.org_id : 0,
		.hosts = hosts,
		.jobs = jobs,
		.output_limit = set[TW_CONFIG_OUTPUT_LIMIT],
		.delays = &delays,
		.watch = watch,
		.until = until,
		.agent = isatty(STDERR_FILENO),
		.report = on_report,
		.tick = on_tick,
		.stays = on_stay,
		.arg = &show,
	};
	int64_t started = tw_clock_now();
	enum tw_status st;
	bool is_late = false;
	int again = 0;

	*busy = false;
	raise_limits();
	memset(result, 0, sizeof *result);
	/* whoever holds the lock asks nothing more of the caller's files */
	tw_cli_progress_options(cli, &popt);
	show.is_quiet = popt.mode == TW_PROGRESS_QUIET;
	show.is_watched = !show.is_quiet;
	st = tw_progress_new(&popt, started, &show.progress, err);
	if (!st)
		st = pass_once(t, &o, &show, started, busy, result, err);
	while (!st && !*busy && again++ < LATE_MAX && came_late(&o, result)) {
		st = pass_once(t, &o, &show, started, &is_late, result, err);
		if (is_late)	/* and somebody else has it now */
			break;
	}
	tw_progress_free(show.progress);
	return st;
}

/* --- waiting ----------------------------------------------------------------------- */

static volatile sig_atomic_t is_interrupted;

static void on_sigint(int sig)
{
	(void)sig;
	is_interrupted = 1;
}

static enum tw_status result_of(struct tower *t, const int64_t *nums, size_t n,
    struct tw_err *err)
{
	enum tw_status worst = TW_OK, st;
	struct tw_change c = { 0 };
	size_t i;

	for (i = 0; i < n; i++) {
		st = tw_change_get(t->store, &t->who, nums[i], &c, err);
		if (st)
			return st;
		worst = tw_status_worse(worst, tw_change_result(c.status));
		tw_change_release(&c);
	}
	return worst;
}

static bool has_pending(struct tower *t, const int64_t *nums, size_t n,
    enum tw_status *status, struct tw_err *err)
{
	struct tw_change c = { 0 };
	bool is_ended;
	size_t i;

	for (i = 0; i < n; i++) {
		*status = tw_change_get(t->store, &t->who, nums[i], &c, err);
		if (*status)
			return *status == TW_AGAIN;
		is_ended = tw_change_status_is_ended(c.status);
		tw_change_release(&c);
		if (!is_ended)
			return true;
	}
	return false;
}

/* Names of the changes' hosts, NULL-terminated; free with tw_strv_free(). */
static char **hosts_of(struct tower *t, const int64_t *nums, size_t n)
{
	char **names = calloc(n + 1, sizeof *names);
	struct tw_change c = { 0 };
	size_t i, k = 0;

	for (i = 0; names && i < n; i++) {
		if (tw_change_get(t->store, &t->who, nums[i], &c, NULL))
			continue;
		names[k++] = c.host_name;
		c.host_name = NULL;
		tw_change_release(&c);
	}
	return names;
}

enum tw_status tower_pass_through(struct tw_cli *cli, struct tower *t,
    const char *const *hosts, int jobs, struct tw_err *err)
{
	const struct timespec nap = { 0, POLL_MS * 1000000L };
	struct sigaction act = { .sa_handler = on_sigint }, old;
	bool busy, has_more = true, was_aside = false;
	struct tw_pass_result r;
	enum tw_status st;

	is_interrupted = 0;
	sigaction(SIGINT, NULL, &old);
	do {
		st = tower_pass(cli, t, hosts, jobs, false, 0, &busy, &r, err);
		was_aside |= r.stepped_aside;
		if (st || r.interrupted || !was_aside ||
		    (!busy && !r.stepped_aside))
			break;
		sigaction(SIGINT, &act, NULL);
		nanosleep(&nap, NULL);
		st = tw_runner_has_work(t->store, t->who.org_id, hosts,
		    &has_more, err);
	} while (!st && has_more && !is_interrupted);
	sigaction(SIGINT, &old, NULL);
	return st;
}

enum tw_status tower_wait(struct tw_cli *cli, struct tower *t,
    const int64_t *nums, size_t n, int64_t limit, bool run, int jobs,
    struct tw_err *err)
{
	const struct timespec nap = { 0, POLL_MS * 1000000L };
	struct sigaction act = { .sa_handler = on_sigint }, old;
	int64_t until = limit < 0 ? INT64_MAX : tw_clock_mono() + limit;
	struct tw_pass_result result;
	enum tw_status st = TW_OK;
	char **hosts = NULL;
	bool busy;

	if (run)
		hosts = hosts_of(t, nums, n);
	is_interrupted = 0;
	sigaction(SIGINT, &act, &old);
	while (has_pending(t, nums, n, &st, err)) {
		if (is_interrupted || tw_clock_mono() >= until)
			break;
		if (hosts) {
			st = tower_pass(cli, t, (const char *const *)hosts,
			    jobs, false, limit < 0 ? 0 : until, &busy,
			    &result, err);
			if (st || result.interrupted)
				break;
			sigaction(SIGINT, &act, NULL);
		}
		nanosleep(&nap, NULL);
	}
	sigaction(SIGINT, &old, NULL);
	tw_strv_free(hosts);
	if (st)
		return st;
	err->msg[0] = '\0';	/* of a state that was busy for a while */
	return result_of(t, nums, n, err);
}
