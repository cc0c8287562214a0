/*
 * audit_metrics.c - the tower for a monitoring system: towerify-audit metrics
 *
 * Names follow Prometheus's conventions: base units, counters end in _total.
 * What the counters count is kept apart from the history, so that pruning does
 * not set them back.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "audit.h"
#include "base/clock.h"
#include "base/io.h"
#include "gate.h"
#include "model/metrics.h"
#include "out/exposition.h"

#define METRICS_MAX ((size_t)256 << 20)	/* bytes */

enum unit { UNIT_ONE, UNIT_SECONDS };

struct family {
	const char *name, *type, *help;
	size_t at;		/* of an int64_t in its struct */
	enum unit unit;		/* seconds are left out where they are 0 */
};

static void put(struct tw_buf *b, const struct family *f,
    const struct tw_label *labels, const void *from)
{
	int64_t v;

	memcpy(&v, (const char *)from + f->at, sizeof v);
	if (f->unit == UNIT_ONE)
		tw_exposition_int(b, f->name, "", labels, v);
	else if (v)
		tw_exposition_seconds(b, f->name, "", labels, v);
}

static void put_head(struct tw_buf *b, const struct family *f)
{
	tw_exposition_family(b, f->name, f->type, f->help);
}

/* --- the pass ------------------------------------------------------------------ */

#define AT(member) offsetof(struct tower_last, member)
static const struct family last_families[] = {
	{ "towerify_pass_last_start_timestamp_seconds", "gauge",
	    "When the last pass that ended began.", AT(started),
	    UNIT_SECONDS },
	{ "towerify_pass_last_end_timestamp_seconds", "gauge",
	    "When the last pass ended.", AT(ended), UNIT_SECONDS },
	{ "towerify_pass_last_exit_status", "gauge",
	    "What the last pass exited with.", AT(status), UNIT_ONE },
	{ "towerify_pass_last_unreachable_contacts", "gauge",
	    "Contacts that failed in the last pass.", AT(unreachable),
	    UNIT_ONE },
};
#undef AT

static void put_pass(struct tw_buf *b, const struct tower_last *last)
{
	size_t i;

	tw_exposition_family(b, "towerify_pass_running", "gauge",
	    "Whether a pass is at work.");
	tw_exposition_int(b, "towerify_pass_running", "", NULL,
	    last->is_running);
	for (i = 0; last->is_known &&
	    i < sizeof last_families / sizeof *last_families; i++) {
		put_head(b, &last_families[i]);
		put(b, &last_families[i], NULL, last);
	}
}

/* --- organisations ------------------------------------------------------------- */

#define AT(member) offsetof(struct tw_metrics_org, member)
static const struct family org_families[] = {
	{ "towerify_hosts", "gauge", "Hosts of the organisation.", AT(hosts),
	    UNIT_ONE },
	{ "towerify_step_retries_total", "counter",
	    "Attempts of steps beyond the first, of changes that ended.",
	    AT(retries), UNIT_ONE },
	{ "towerify_queue_oldest_timestamp_seconds", "gauge",
	    "Since when the change waits that could start and has waited "
	    "longest.", AT(oldest), UNIT_SECONDS },
};
#undef AT

/* Two of a kind, told apart by a label. */
struct pair {
	const char *name, *help, *label;
	struct {
		const char *value;
		size_t at;
	} of[2];
};

#define AT(member) offsetof(struct tw_metrics_org, member)
static const struct pair pairs[] = {
	{ "towerify_hosts_held", "Hosts whose queue is held.", "by",
	    { { "tower", AT(held_by_tower) },
	    { "person", AT(held_by_people) } } },
	{ "towerify_changes_pending", "Changes that have not ended.",
	    "status", { { "queued", AT(queued) },
	    { "running", AT(running) } } },
};
#undef AT

static void put_orgs(struct tw_buf *b, const struct tw_metrics *m)
{
	struct tw_label labels[] = { { "organisation", NULL }, { 0 }, { 0 } };
	struct family of_pair;
	size_t i, j, k;

	for (i = 0; i < sizeof org_families / sizeof *org_families; i++) {
		put_head(b, &org_families[i]);
		for (j = 0; j < m->norgs; j++) {
			labels[0].value = m->orgs[j].name;
			put(b, &org_families[i], labels, &m->orgs[j]);
		}
	}
	for (i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		of_pair = (struct family){ pairs[i].name, "gauge",
		    pairs[i].help, 0, UNIT_ONE };
		put_head(b, &of_pair);
		labels[1].name = pairs[i].label;
		for (j = 0; j < m->norgs; j++)
			for (k = 0; k < 2; k++) {
				labels[0].value = m->orgs[j].name;
				labels[1].value = pairs[i].of[k].value;
				of_pair.at = pairs[i].of[k].at;
				put(b, &of_pair, labels, &m->orgs[j]);
			}
	}
}

/* --- how changes ended --------------------------------------------------------- */

static void put_summary(struct tw_buf *b, const char *name,
    const struct tw_label *labels, int64_t sum, int64_t count)
{
	tw_exposition_seconds(b, name, "_sum", labels, sum);
	tw_exposition_int(b, name, "_count", labels, count);
}

enum { ENDED, WAITED, RAN };
static const struct family end_families[] = {
	[ENDED] = { "towerify_changes_ended_total", "counter",
	    "Changes that ended, by how.", 0, UNIT_ONE },
	[WAITED] = { "towerify_change_wait_seconds", "summary",
	    "From when a change could start first to its start, by how it "
	    "ended.", 0, UNIT_SECONDS },
	[RAN] = { "towerify_change_run_seconds", "summary",
	    "From the start of a change to its end, by how it ended.", 0,
	    UNIT_SECONDS },
};

static void put_end(struct tw_buf *b, size_t family,
    const struct tw_label *labels, const struct tw_metrics_end *e)
{
	const char *name = end_families[family].name;

	if (family == ENDED)
		tw_exposition_int(b, name, "", labels, e->changes);
	else
		put_summary(b, name, labels, family == WAITED ? e->wait :
		    e->run, e->ran);
}

static void put_ends(struct tw_buf *b, const struct tw_metrics *m)
{
	struct tw_label labels[] = { { "organisation", NULL },
		{ "status", NULL }, { 0 } };
	size_t i, j, k;

	for (i = 0; i < sizeof end_families / sizeof *end_families; i++) {
		put_head(b, &end_families[i]);
		for (j = 0; j < m->norgs; j++)
			for (k = TW_CHANGE_SUCCEEDED; k <= TW_CHANGE_UNKNOWN;
			    k++) {
				labels[0].value = m->orgs[j].name;
				labels[1].value = tw_change_status_name(
				    (enum tw_change_status)k);
				put_end(b, i, labels, &m->orgs[j].ends[k]);
			}
	}
}

/* --- hosts --------------------------------------------------------------------- */

enum { HELD, FAILURES, SEEN };
static const struct family host_families[] = {
	[HELD] = { "towerify_host_held", "gauge",
	    "Whether the host's queue is held.", 0, UNIT_ONE },
	[FAILURES] = { "towerify_host_failed_contacts", "gauge",
	    "Contacts that failed, in a row.",
	    offsetof(struct tw_metrics_host, failures), UNIT_ONE },
	[SEEN] = { "towerify_host_last_seen_timestamp_seconds", "gauge",
	    "When the host answered last.",
	    offsetof(struct tw_metrics_host, last_seen), UNIT_SECONDS },
};

static void put_hosts(struct tw_buf *b, const struct tw_metrics *m)
{
	struct tw_label labels[] = { { "organisation", NULL },
		{ "host", NULL }, { 0 } };
	const struct tw_metrics_host *h;
	size_t i, k;

	for (i = 0; i < sizeof host_families / sizeof *host_families; i++) {
		put_head(b, &host_families[i]);
		for (k = 0; k < m->nhosts; k++) {
			h = &m->hosts[k];
			labels[0].value = m->orgs[h->org].name;
			labels[1].value = h->name;
			if (i == HELD)
				tw_exposition_int(b, host_families[i].name,
				    "", labels, h->is_held);
			else
				put(b, &host_families[i], labels, h);
		}
	}
}

/* --- the verb ------------------------------------------------------------------ */

static void put_tower(struct tw_buf *b, const struct tw_metrics *m)
{
	const struct tw_label version[] = { { "version", tw_cli_version() },
		{ 0 } };

	tw_exposition_family(b, "towerify_build_info", "gauge",
	    "The version of towerify that told this.");
	tw_exposition_int(b, "towerify_build_info", "", version, 1);
	tw_exposition_family(b, "towerify_output_bytes", "gauge",
	    "Output of steps that is stored.");
	tw_exposition_int(b, "towerify_output_bytes", "", NULL, m->output);
}

static enum tw_status write_out(const char *file, const struct tw_buf *b,
    struct tw_err *err)
{
	if (strcmp(file, "-") != 0)
		return tw_io_write_file(file, tw_buf_str(b), b->len, 0644,
		    err);
	fwrite(tw_buf_str(b), 1, b->len, stdout);
	return TW_OK;
}

int audit_metrics(struct tw_cli *cli, int argc, char **argv)
{
	const char *file = argc ? argv[0] : "-";
	struct tw_buf b = { .max = METRICS_MAX };
	struct tower_last last = { 0 };
	struct tw_metrics m = { 0 };
	struct tw_err err = { 0 };
	struct tower t = { 0 };
	enum tw_status st = TW_OK;

	if (strcmp(file, "-") != 0)
		st = gate_refuse(W_("a file"), &err);
	if (!st)
		st = tower_open(cli, TW_STORE_READ, true, &t, &err);
	if (st)
		return tw_cli_error(cli, &err);
	st = tw_metrics_read(t.store, &t.who, &m, &err);
	if (!st)
		st = tower_last_pass(&t, &last, &err);
	if (!st) {
		put_tower(&b, &m);
		put_pass(&b, &last);
		put_orgs(&b, &m);
		put_ends(&b, &m);
		put_hosts(&b, &m);
		st = tw_buf_check(&b, &err);
	}
	if (!st)
		st = write_out(file, &b, &err);
	tw_buf_release(&b);
	tw_metrics_release(&m);
	tower_close(&t);
	return st ? tw_cli_error(cli, &err) : TW_OK;
}
