/*
 * host.c - a host: its power and its spool
 *
 * What was not synced may be lost with the power.
 */
#include "sim.h"

#include <assert.h>

struct host *hosts;
int nhosts;

/* --- hosts ------------------------------------------------------------------ */

void hosts_make(int n)
{
	hosts = calloc((size_t)n, sizeof *hosts);
	assert(hosts);
	nhosts = n;
	for (int i = 0; i < n; i++) {
		struct host *h = &hosts[i];

		h->index = i;
		snprintf(h->name, sizeof h->name, "h%d", i);
		h->is_healthy = i == 0;
		h->rtt = h->is_healthy ? 4 : 2 * between(1, one_in(5) ? 400 : 30);
		h->is_on = true;
		h->boot = 1;
		h->booted = -between(MINUTE, 1000 * HOUR);
		h->wall = between(-5000, 5000);
		if (!h->is_healthy && !one_in(4))
			h->trouble = (int)between(1, 6);
		make_id(h->spool_id);
	}
}

struct host *host_find(const char *address)
{
	int i = -1;

	if (sscanf(address, "h%d", &i) != 1 || i < 0 || i >= nhosts)
		return NULL;
	return &hosts[i];
}

struct job *host_job(const struct host *h, const char *uid)
{
	struct job *j;

	for (j = h->jobs; j; j = j->next)
		if (!j->is_gone && !j->is_wiped && strcmp(j->uid, uid) == 0)
			return j;
	return NULL;
}

const char *host_init(struct host *h)
{
	if (!h->is_on || h->net != NET_OK)
		return NULL;
	if (!h->spool_id[0])
		make_id(h->spool_id);
	return h->spool_id;
}

static void on_boot(void *arg)
{
	struct host *h = arg;

	h->is_on = true;
	h->booted = sim.now;
	trace("%s: is up again", h->name);
}

/* What was written and not synced is there or not. */
static void lose_unsynced(struct job *j)
{
	struct stream *s;
	size_t left;

	if (j->nevents > j->nsynced)
		j->nevents = between(j->nsynced, j->nevents);
	for (int i = 1; i <= j->nstreams; i++) {
		s = &j->streams[i];
		if (s->data.len == s->synced)
			continue;
		left = s->synced + (one_in(3) ? 0 :
		    chance(s->data.len - s->synced + 1));
		if (left < s->data.len) {
			j->filed->lost_output = true;
			s->data.len = left;
		}
		s->synced = s->data.len;
	}
	if (j->cancel && one_in(2))
		j->cancel = NULL;
	for (int64_t k = 1; k <= STEPS_MAX; k++)
		if (j->confirmed[k] && one_in(2))
			j->confirmed[k] = j->heard[k] = false;
	if (j->shown && one_in(2))
		j->shown = 0;
}

void host_cut_power(struct host *h, int64_t off)
{
	trace("%s: its power is cut", h->name);
	sim.reboots++;
	h->is_on = false;
	h->boot++;
	h->gate = NULL;
	h->last_spoilt = sim.now + off;
	while (h->nphases > 0)
		phase_kill(h->phases[0]);
	for (struct job *j = h->jobs; j; j = j->next) {
		if (j->exec)
			exec_kill(j->exec);
		if (j->is_unsynced && one_in(2))
			j->is_wiped = true;
		j->is_unsynced = false;
		if (!j->is_wiped)
			lose_unsynced(j);
		/* a directory's removal is not synced */
		if (j->is_gone && !j->is_wiped && one_in(6))
			j->is_gone = false;
	}
	later(off, on_boot, h);
}

void host_wipe_spool(struct host *h)
{
	trace("%s: its spool is wiped", h->name);
	h->spool_id[0] = '\0';
	h->was_wiped = true;
	h->done = NULL;
	h->fences = NULL;
	h->held = false;
	for (struct job *j = h->jobs; j; j = j->next) {
		j->filed->was_wiped = true;
		j->is_wiped = true;	/* its executor stops at its next event */
	}
}
