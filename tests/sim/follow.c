/*
 * follow.c - the follower: shows a job's streams to whoever asked for them
 *
 * One stream after the other, from the place asked for; the last one as long
 * as its executor lives, with the delay of a tail that looks every 50 ms.  A
 * dot every 10 s tells that somebody is there.
 */
#include "sim.h"

#include <assert.h>

#define PIECE ((size_t)16384)

struct follow {
	struct follow *next;
	struct host *host;
	struct tw_link *link;
	struct job *job;
	struct exec *live;	/* whose end is waited for; NULL: none */
	struct exec *launched;	/* by the request */
	int boot, life;
	size_t at;
	bool is_set, is_over;
};

static struct follow *all;

static bool is_there(struct follow *f)
{
	if (f->host->boot != f->boot || !link_is_there(f->link))
		f->is_over = true;
	return !f->is_over;
}

static void show(struct follow *f)
{
	const struct tw_buf *b = &f->job->streams[f->life].data;
	size_t n;

	while (!f->job->is_wiped && f->at < b->len) {
		n = b->len - f->at < PIECE ? b->len - f->at : PIECE;
		link_write(f->link, 1, b->data + f->at, n);
		f->at += n;
	}
}

static void over(struct follow *f)
{
	struct tw_auto_step step[STEPS_MAX + 1];
	enum tw_verdict verdict = TW_VERDICT_NONE;
	struct tw_automaton a;

	if (!f->job->is_wiped)
		job_load(f->job, &a, step, &verdict);
	say(f->link, f->job->nonce, "over %s", verdict != TW_VERDICT_NONE &&
	    f->job->shown == f->host->boot ? "verdict" : "gone");
	link_close(f->link);
	f->is_over = true;
}

static bool has_newer(const struct follow *f)
{
	return !f->job->is_wiped && f->job->nstreams > f->life;
}

static void go_on(struct follow *f)
{
	while (!f->job->is_wiped && f->life <= f->job->nstreams) {
		say(f->link, f->job->nonce, "stream %d %zu", f->life, f->at);
		if (!has_newer(f)) {
			f->live = f->launched ? f->launched :
			    exec_is_alive(f->job) ? f->job->exec : NULL;
			f->launched = NULL;
		}
		show(f);
		if (f->live && !f->live->is_dead)
			return;
		f->live = NULL;
		if (!has_newer(f))
			break;
		f->life++;
		f->at = 0;
	}
	over(f);
}

static void on_look(void *arg)
{
	struct follow *f = arg;

	f->is_set = false;
	if (!is_there(f))
		return;
	show(f);
	if (f->live && !f->live->is_dead)
		return;
	f->live = NULL;
	if (has_newer(f)) {
		f->life++;
		f->at = 0;
		go_on(f);
	} else {
		over(f);
	}
}

void follow_news(struct job *j)
{
	for (struct follow *f = all; f; f = f->next) {
		if (f->job != j || f->is_set || f->is_over)
			continue;
		f->is_set = true;
		later(between(1, 50), on_look, f);
	}
}

static void on_beat(void *arg)
{
	struct follow *f = arg;

	if (!is_there(f))
		return;
	link_write(f->link, 2, ".", 1);
	later(10 * SECOND, on_beat, f);
}

void follow_begin(struct host *h, struct tw_link *l, struct job *j, int life,
    int64_t offset, struct exec *launched)
{
	struct follow *f = calloc(1, sizeof *f), **p;

	assert(f);
	for (p = &all; *p;) {
		if ((*p)->is_over && !(*p)->is_set)
			*p = (*p)->next;
		else
			p = &(*p)->next;
	}
	f->host = h;
	f->link = l;
	f->job = j;
	f->boot = h->boot;
	f->life = life;
	f->at = (size_t)offset;
	f->launched = launched;
	f->next = all;
	all = f;
	later(10 * SECOND, on_beat, f);
	say(l, j->nonce, "token %" PRId64 ".%" PRId64, j->epoch, j->seq);
	go_on(f);
}
