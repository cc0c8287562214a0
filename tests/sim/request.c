/*
 * request.c - the executor's side of a request
 *
 * A model of share/host/executor.sh up to the launch (towerify-executor(7)):
 * the same questions in the same order, each in an event of its own, so that
 * power and sessions can fail in between.
 */
#include "sim.h"

#include <assert.h>
#include <stdarg.h>

#include "base/hash.h"

struct session {		/* one request */
	struct host *host;
	struct tw_link *link;
	int boot;
	int64_t came;
	bool is_start, is_confirm;
	int64_t step;
	char nonce[33], id[33], queue[33], uid[33];
	int64_t epoch, ack, seq, seen_epoch, seen_seq, life, offset, event,
	    change;
	bool unhold;
	char *cancel;
	struct filed *filed;
	/* found at the gate */
	struct fence *fence;
	bool is_busy;
	struct job *given_up;	/* it stands in the way */
	bool is_behind;		/* the tower: there is one it does not know */
	bool went_back;		/* the host */
};

/* --- small things ------------------------------------------------------------- */

void say(struct tw_link *l, const char *nonce, const char *fmt, ...)
{
	struct tw_buf b = TW_BUF_INIT;
	va_list ap;

	tw_buf_addf(&b, "\n@%s ", nonce);
	va_start(ap, fmt);
	tw_buf_addv(&b, fmt, ap);
	va_end(ap);
	tw_buf_addc(&b, '\n');
	link_write(l, 1, b.data, b.len);
	tw_buf_release(&b);
}

static void hello(struct session *s, bool has_fence)
{
	char fence[64] = "-";

	if (has_fence)
		snprintf(fence, sizeof fence, "%" PRId64 ".%" PRId64,
		    s->fence->epoch, s->fence->seq);
	say(s->link, s->nonce, "hello 1 boot=%08x spool=%s machine=%032d "
	    "fence=%s", s->host->boot, s->host->spool_id[0] ?
	    s->host->spool_id : "-", s->host->index, fence);
}

static void leave(struct session *s)
{
	if (s->host->gate == s)
		s->host->gate = NULL;
}

static void refuse(struct session *s, const char *word, const char *text)
{
	trace("%s: refuses %" PRId64 ": %s %s", s->host->name, s->change, word,
	    text);
	say(s->link, s->nonce, "refused %s %s", word, text);
	link_close(s->link);
	leave(s);
}

static void deny(struct session *s, const char *word, const char *text)
{
	hello(s, false);
	refuse(s, word, text);
}

static bool is_there(const struct session *s)
{
	return s->host->is_on && s->host->boot == s->boot;
}

/* The next part of a request; a session may be killed before any. */
static void next(struct session *s, int64_t from, int64_t to,
    void (*fn)(void *arg))
{
	if (s->host->trouble && !sim.calm && one_in(300)) {
		trace("%s: a session is killed", s->host->name);
		s->boot = -1;
		leave(s);
		link_close(s->link);
		return;
	}
	later(between(from, to), fn, s);
}

static struct fence *fence_of(struct host *h, const char *queue)
{
	struct fence *f;

	for (f = h->fences; f; f = f->next)
		if (strcmp(f->queue, queue) == 0)
			return f;
	f = calloc(1, sizeof *f);
	assert(f);
	snprintf(f->queue, sizeof f->queue, "%s", queue);
	f->next = h->fences;
	h->fences = f;
	return f;
}

static bool is_after(const struct session *s, int64_t epoch, int64_t seq)
{
	return epoch > s->fence->epoch ||
	    (epoch == s->fence->epoch && seq > s->fence->seq);
}

static struct done *find_done(const struct host *h, const char *uid)
{
	struct done *d, *first = NULL;

	for (d = h->done; d; d = d->next)
		if (strcmp(d->uid, uid) == 0)
			first = d;
	return first;
}

static enum tw_verdict verdict_of(const struct job *j)
{
	struct tw_auto_step step[STEPS_MAX + 1];
	struct tw_automaton a;
	enum tw_verdict v;

	job_load(j, &a, step, &v);
	return v;
}

/* --- start --------------------------------------------------------------------- */

static void enter_follow(struct session *s, struct job *j,
    struct exec *launched)
{
	leave(s);
	follow_begin(s->host, s->link, j, (int)(s->life > 0 ? s->life : 1),
	    s->life > 0 ? s->offset : 0, launched);
}

/* It was renamed into place; now that is synced. */
static void on_accepted(void *arg)
{
	struct session *s = arg;
	struct job *j;

	if (!is_there(s))
		return;
	j = host_job(s->host, s->uid);
	if (!j) {		/* wiped just now */
		refuse(s, "space", "cannot write to the spool");
		return;
	}
	j->is_unsynced = false;
	say(s->link, s->nonce, "accepted");
	if (s->cancel)
		j->cancel = s->cancel;
	enter_follow(s, j, job_launch(j));
}

static void accept_job(struct session *s)
{
	struct job *j = calloc(1, sizeof *j);

	assert(j);
	j->host = s->host;
	snprintf(j->uid, sizeof j->uid, "%s", s->uid);
	snprintf(j->queue, sizeof j->queue, "%s", s->queue);
	snprintf(j->nonce, sizeof j->nonce, "%s", s->nonce);
	j->epoch = s->epoch;
	j->seq = s->seq;
	j->change = s->change;
	j->filed = s->filed;
	j->program = &s->filed->program;
	j->nstreams = 1;
	j->streams = calloc(2, sizeof *j->streams);
	j->is_unsynced = true;
	j->next = s->host->jobs;
	s->host->jobs = j;
	trace("%s: accepts change %" PRId64 " as %" PRId64 ".%" PRId64,
	    s->host->name, j->change, j->epoch, j->seq);
	j->tower_life = link_proc(s->link)->life;
	check_accepted(j, link_proc(s->link));
	next(s, 1, 8, on_accepted);
}

static bool was_done(struct session *s)
{
	struct done *d = find_done(s->host, s->uid);

	if (!d)
		return false;
	say(s->link, s->nonce, "done %s %" PRId64, tw_verdict_name(d->verdict),
	    d->seq);
	trace("%s: has done %" PRId64, s->host->name, s->change);
	link_close(s->link);
	leave(s);
	return true;
}

/* --- a job that is here already --------------------------------------------------- */

static bool went_back(const struct session *s, const struct job *j)
{
	const struct stream *st;

	if (s->life > j->nstreams || s->event > j->nevents)
		return true;
	if (s->life <= 0 || s->offset <= 0)
		return false;
	st = &j->streams[s->life];
	return s->offset > (int64_t)st->data.len + 1 &&
	    st->boot == s->host->boot;
}

/* The verdict was written, but perhaps never shown: in a stream of its own. */
static void show_verdict(struct job *j)
{
	struct tw_buf b = TW_BUF_INIT;
	struct stream *st;

	if (j->shown == j->host->boot || exec_is_alive(j) || j->nstreams == 0)
		return;
	j->nstreams++;
	j->streams = realloc(j->streams, (size_t)(j->nstreams + 1) *
	    sizeof *j->streams);
	assert(j->streams);
	st = &j->streams[j->nstreams];
	memset(st, 0, sizeof *st);
	for (int64_t i = 0; i < j->nevents; i++)
		event_line(j, &j->events[i], &b);
	stream_add(j, j->nstreams, b.data, b.len);
	st->synced = st->data.len;
	j->nsynced = j->nevents;
	j->shown = j->host->boot;
	tw_buf_release(&b);
}

int64_t job_time_left(const struct job *j)
{
	struct tw_auto_step step[STEPS_MAX + 1];
	struct tw_automaton a;
	enum tw_verdict v;
	int64_t limit, left;

	job_load(j, &a, step, &v);
	limit = step[a.k].confirm * SECOND;
	if (j->await_boot == j->host->boot)
		return j->await_at + limit - sim.now;
	left = j->await_wall + limit - (sim.now + j->host->wall);
	return left < limit ? left : limit;
}

/* The tower has never reason to come by a login that was there before. */
static void confirm(struct session *s, struct job *j)
{
	struct tw_auto_step step[STEPS_MAX + 1];
	struct tw_automaton a;
	enum tw_verdict v;

	job_load(j, &a, step, &v);
	if (a.state != TW_AUTO_CONFIRMING || a.k != s->step)
		return;
	if (j->await_boot == s->host->boot &&
	    link_began(s->link) < j->await_at)
		broken(0, "%s: change %" PRId64 " is confirmed by a login that "
		    "is older than its step", s->host->name, j->change);
	if (job_time_left(j) <= 0)
		return;
	trace("%s: change %" PRId64 " step %" PRId64 " is confirmed",
	    s->host->name, j->change, s->step);
	j->heard[s->step] = true;
	j->confirmed[s->step] = sim.bug != BUG_DEAF;
}

static void attach(struct session *s, struct job *j)
{
	struct exec *e = NULL;

	memcpy(s->nonce, j->nonce, sizeof s->nonce);
	if (went_back(s, j)) {
		refuse(s, "lost", "the host went back in time");
		return;
	}
	if (verdict_of(j) != TW_VERDICT_NONE) {
		show_verdict(j);
	} else {
		if (s->cancel)
			j->cancel = s->cancel;
		if (s->is_confirm && sim.bug != BUG_SILENT)
			confirm(s, j);
		if (!exec_is_alive(j) || sim.bug == BUG_TWICE) {
			j->is_unsynced = false;
			e = job_launch(j);
		}
	}
	enter_follow(s, j, e);
}

/* --- the gate --------------------------------------------------------------------- */

static void undo_given_up(struct job *j)
{
	j->cancel = strdup("tower");
	assert(j->cancel);
	if (!exec_is_alive(j)) {
		j->is_unsynced = false;
		job_launch(j);
	}
}

static void at_gate(void *arg)
{
	struct session *s = arg;
	struct host *h = s->host;
	struct job *j;

	if (!is_there(s))
		return;
	if (s->went_back) {
		hello(s, true);
		refuse(s, "lost", "the host went back in time");
		return;
	}
	if (s->unhold)
		h->held = false;
	hello(s, true);
	j = host_job(h, s->uid);
	if (j) {
		attach(s, j);
	} else if (sim.bug == BUG_NO_FENCE && s->is_start) {
		accept_job(s);
	} else if (was_done(s)) {
		return;
	} else if (!s->is_start) {
		refuse(s, "lost", "the host does not know this change");
	} else if (sim.bug != BUG_BEHIND && (!is_after(s, s->epoch, s->seq) ||
	    s->seq <= s->fence->seq || s->is_behind)) {
		refuse(s, "stale", "it is not after the fence");
	} else if (s->is_busy) {
		if (s->given_up && sim.bug != BUG_LEAVE)
			undo_given_up(s->given_up);
		/* until the tower tries again: 5 s and what chance adds */
		if (h->last_spoilt < sim.now + 8 * SECOND)
			h->last_spoilt = sim.now + 8 * SECOND;
		refuse(s, "busy", "another change is not finished");
	} else if (h->held) {
		refuse(s, "held", "a change was not wholly rolled back");
	} else if (h->is_full) {
		refuse(s, "space", "no room for the record");
	} else {
		accept_job(s);
	}
}

static void raise_fence(struct session *s, int64_t epoch, int64_t seq)
{
	if (epoch > s->fence->epoch)
		s->fence->epoch = epoch;
	if (seq > s->fence->seq)
		s->fence->seq = seq;
}

static bool can_leave(const struct session *s, const struct job *j)
{
	return !j->is_gone && !j->is_wiped && strcmp(j->queue, s->queue) == 0 &&
	    strcmp(j->uid, s->uid) != 0 && j->seq <= s->ack && verdict_of(j) != TW_VERDICT_NONE;
}

/* Can't the tower have heard of it? */
static bool is_news(const struct session *s, const struct job *j)
{
	return j->seq >= s->seq || j->epoch > s->epoch ||
	    (verdict_of(j) == TW_VERDICT_NONE && j->epoch != s->epoch &&
	    j->seq > s->ack);
}

/* done is synced before the fence counts on it. */
static void on_fence(void *arg)
{
	struct session *s = arg;

	if (!is_there(s))
		return;
	for (struct job *j = s->host->jobs; j; j = j->next) {
		if (!can_leave(s, j))
			continue;
		raise_fence(s, j->epoch, j->seq);
		j->is_gone = true;
		trace("%s: takes leave of change %" PRId64, s->host->name,
		    j->change);
	}
	for (struct job *j = s->host->jobs; j; j = j->next)
		if (!j->is_gone && !j->is_wiped && s->seq > 0 &&
		    strcmp(j->queue, s->queue) == 0 &&
		    strcmp(j->uid, s->uid) != 0 &&
		    is_news(s, j)) {
			raise_fence(s, j->epoch, j->seq);
			s->is_behind = true;
		}
	s->went_back = is_after(s, s->seen_epoch, s->seen_seq);
	if (s->seq > 0 && s->ack >= s->seq && !s->went_back)
		raise_fence(s, s->epoch, s->ack);
	next(s, 1, 5, at_gate);
}

static void acknowledge(struct session *s)
{
	struct host *h = s->host;
	struct done *d;

	s->fence = fence_of(h, s->queue);
	for (struct job *j = h->jobs; j; j = j->next) {
		if (j->is_gone || j->is_wiped)
			continue;
		if (verdict_of(j) == TW_VERDICT_NONE) {
			if (strcmp(j->uid, s->uid) == 0)
				continue;
			s->is_busy = true;
			if (strcmp(j->queue, s->queue) == 0 &&
			    j->seq <= s->ack)
				s->given_up = j;
			continue;
		}
		if (!can_leave(s, j))
			continue;
		d = calloc(1, sizeof *d);
		assert(d);
		memcpy(d->queue, j->queue, sizeof d->queue);
		memcpy(d->uid, j->uid, sizeof d->uid);
		d->epoch = j->epoch;
		d->seq = j->seq;
		d->verdict = verdict_of(j);
		d->next = h->done;
		h->done = d;
	}
	next(s, 1, 5, on_fence);
}

static void wait_gate(void *arg)
{
	struct session *s = arg;

	if (!is_there(s))
		return;
	if (s->host->gate && sim.now - s->came > 20 * SECOND) {
		deny(s, "start", "the gate stays locked");
	} else if (s->host->gate) {
		later(20, wait_gate, s);
	} else {
		s->host->gate = s;
		acknowledge(s);
	}
}

/* --- a request ------------------------------------------------------------------------ */

static void on_request(void *arg)
{
	struct session *s = arg;
	struct host *h = s->host;

	if (!is_there(s))
		return;
	if (!h->spool_id[0])
		deny(s, "spool", "absent: there is none");
	else if (strcmp(h->spool_id, s->id) != 0)
		deny(s, "spool", "different: it has another id");
	else if (h->is_full && s->is_start)
		deny(s, "space", "no room for the upload");
	else if (h->trouble && !sim.calm && one_in(200))
		deny(s, "start", "systemd-run: it would not");
	else
		wait_gate(s);
}

static void set_word(struct session *s, const char *key, const char *v)
{
	int64_t *const numbers[] = { &s->epoch, &s->ack, &s->seq, &s->life,
		&s->offset, &s->event, &s->change, &s->step };
	static const char *const names[] = { "epoch", "ack", "seq", "life",
		"offset", "event", "change", "step" };
	char *const ids[] = { s->nonce, s->id, s->queue, s->uid };
	static const char *const id_names[] = { "nonce", "id", "queue",
		"job" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(key, names[i]) == 0)
			*numbers[i] = strtoll(v, NULL, 10);
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
		if (strcmp(key, id_names[i]) == 0)
			snprintf(ids[i], 33, "%s", v);
	if (strcmp(key, "unhold") == 0)
		s->unhold = true;
	else if (strcmp(key, "cancel") == 0)
		s->cancel = strdup(v);
	else if (strcmp(key, "fence") == 0 && sscanf(v, "%" SCNd64 ".%" SCNd64,
	    &s->seen_epoch, &s->seen_seq) != 2)
		broken(0, "the request's fence is %s", v);
}

/* Words of the request line; the program's text must be there, whole. */
static void parse(struct session *s, const char *p, size_t n)
{
	char line[4096], sha[TW_SHA256_HEX], want[TW_SHA256_HEX] = "";
	char *word, *save = NULL, *eq, *end;
	size_t skip, len, text = 0;

	skip = strtoul(p, &end, 10) + (size_t)(end - p) + 1;
	assert(skip < n);
	p += skip;
	n -= skip;
	len = (size_t)((const char *)memchr(p, '\n', n) - p);
	assert(len < sizeof line);
	snprintf(line, sizeof line, "%.*s", (int)len, p);
	p += len + 1;
	n -= len + 1;
	word = strtok_r(line, " ", &save);
	assert(word && strcmp(word, "towerify1") == 0);
	word = strtok_r(NULL, " ", &save);
	s->is_start = strcmp(word, "start") == 0;
	s->is_confirm = strcmp(word, "confirm") == 0;
	assert(s->is_start || s->is_confirm || strcmp(word, "resume") == 0);
	while ((word = strtok_r(NULL, " ", &save))) {
		eq = strchr(word, '=');
		assert(eq);
		*eq = '\0';
		if (strcmp(word, "text") == 0)
			text = strtoul(eq + 1, NULL, 10);
		else if (strcmp(word, "textsha") == 0)
			snprintf(want, sizeof want, "%s", eq + 1);
		else
			set_word(s, word, eq + 1);
	}
	if (!s->is_start)
		return;
	tw_sha256_hex(p, text, sha);
	if (n != text || strcmp(sha, want) != 0)
		broken(0, "the program of change %" PRId64 " is not whole",
		    s->change);
}

void host_request(struct host *h, struct tw_link *l, const char *p, size_t n)
{
	struct session *s = calloc(1, sizeof *s);
	struct filed *f;

	assert(s);
	s->host = h;
	s->link = l;
	s->boot = h->boot;
	s->came = sim.now;
	parse(s, p, n);
	f = filed_by_uid(s->uid);
	if (!f || f->host != h)
		broken(1, "%s was sent a change of another host", h->name);
	s->filed = f;
	trace("%s: hears %s of change %" PRId64 ", life %" PRId64 " offset %"
	    PRId64 " event %" PRId64 " ack %" PRId64 "%s%s", h->name,
	    s->is_start ? "start" : s->is_confirm ? "confirm" : "resume",
	    s->change, s->life, s->offset,
	    s->event, s->ack, s->cancel ? " cancel" : "", s->unhold ?
	    " unhold" : "");
	next(s, 5, 30, on_request);
}
