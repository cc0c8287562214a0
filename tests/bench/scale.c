/*
 * scale.c - a tower past one machine: real state and runner, hosts made up
 *
 *	scale fill DIR HOSTS CHANGES		a new state: HOSTS hosts, and so
 *						many changes queued on them
 *	scale run DIR JOBS STEP_MS SECONDS	a pass of so many seconds
 *
 * The hosts are a transport that answers as they would, each step STEP_MS after
 * the one before and the login after as long, with a line of output a step, and
 * costs next to nothing.  So what is measured is the tower's own work: queue,
 * claims, records, audit.  fill prints microseconds of CPU and bytes of state a
 * change; run prints changes ended, how many a second, microseconds of CPU each
 * (of what begins and does not end too), KiB at the most, and the longest time
 * in ms in which nothing was heard.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/name.h"
#include "engine/runner.h"
#include "model/host.h"
#include "store/store_private.h"

#define STEPS 3			/* of each change */
#define AT_ONCE 10000		/* hosts of one filing */
#define BOOT "00000000-0000-4000-8000-000000000000"

static struct tw_err err;
static int64_t latency;

static void must(enum tw_status st)
{
	if (st == TW_OK)
		return;
	fprintf(stderr, "scale: %s\n", err.msg);
	exit(1);
}

static double cpu_us(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e6 +
	    (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
}

/* --- hosts ------------------------------------------------------------------- */

struct tw_link {
	const struct tw_link_events *events;
	void *arg;
	uv_timer_t timer;
	bool is_open;
	int64_t step, number;
	char nonce[TW_ID_HEX], spool_id[TW_ID_HEX];
	char fence[48];
};

static size_t event(struct tw_link *l, char *to, size_t n, const char *what,
    int64_t k, const char *more)
{
	l->number++;
	return (size_t)snprintf(to, n, "\n@%s %" PRId64 " %" PRId64
	    " %s %" PRId64 "%s .\n", l->nonce, l->number, l->number, what, k,
	    more);
}

static size_t begin(struct tw_link *l, char *to, size_t n)
{
	return (size_t)snprintf(to, n, "\n@%s hello 1 boot=" BOOT
	    " spool=%s machine=m fence=%s\n\n@%s accepted\n\n@%s stream 1 0\n"
	    "\n@%s %" PRId64 " 1 life 1 " BOOT " 1795000000 .\n", l->nonce,
	    l->spool_id, l->fence, l->nonce, l->nonce, l->nonce, ++l->number);
}

static size_t finish(struct tw_link *l, char *to, size_t n)
{
	return (size_t)snprintf(to, n, "\n@%s %" PRId64 " 9 verdict succeeded .\n"
	    "\n@%s over verdict\n", l->nonce, ++l->number, l->nonce);
}

/* What a host says when its next step has ended. */
static void on_turn(uv_timer_t *t)
{
	struct tw_link *l = t->data;
	char text[1024];
	size_t n = 0, max = sizeof text;

	if (!l->is_open) {
		l->is_open = true;
		l->events->opened(l->arg);
		return;
	}
	if (l->step == 0)
		n = begin(l, text, max);
	else
		n = (size_t)snprintf(text, max, "step %" PRId64 " was here, "
		    "and had this to say\n", l->step);
	if (l->step > 0)
		n += event(l, text + n, max - n, "end", l->step,
		    " done run 0");
	if (l->step++ < STEPS) {
		n += event(l, text + n, max - n, "start", l->step, "");
		n += event(l, text + n, max - n, "run", l->step, " 1");
		uv_timer_start(t, on_turn, (uint64_t)latency, 0);
	} else {
		n += finish(l, text + n, max - n);
	}
	l->events->data(l->arg, 1, text, n);
}

static enum tw_status host_open(uv_loop_t *loop,
    const struct tw_ssh_target *target, const char *command,
    const struct tw_link_events *events, void *arg, struct tw_link **out,
    struct tw_err *e)
{
	struct tw_link *l = calloc(1, sizeof *l);

	(void)target;
	(void)command;
	*out = l;
	if (!l)
		return tw_err_nomem(e);
	l->events = events;
	l->arg = arg;
	uv_timer_init(loop, &l->timer);
	l->timer.data = l;
	uv_timer_start(&l->timer, on_turn, (uint64_t)latency, 0);
	return TW_OK;
}

static enum tw_status host_send(struct tw_link *l, const void *p, size_t n,
    struct tw_err *e)
{
	int64_t epoch, ack;
	const char *line;

	(void)e;
	line = memmem(p, n, "\ntowerify1 start ", 17);
	line = line ? line : memmem(p, n, "towerify1 start nonce=", 22);
	if (!line || sscanf(strstr(line, "nonce="), "nonce=%32s spool=%*s "
	    "id=%32s queue=%*s epoch=%" SCNd64 " ack=%" SCNd64, l->nonce,
	    l->spool_id, &epoch, &ack) != 4) {
		fprintf(stderr, "scale: no start\n");
		exit(1);
	}
	snprintf(l->fence, sizeof l->fence, "%" PRId64 ".%" PRId64,
	    ack ? epoch : 0, ack);
	uv_timer_start(&l->timer, on_turn, (uint64_t)latency, 0);
	return TW_OK;
}

static void on_closed(uv_handle_t *h)
{
	free(h->data);
}

static void host_close(struct tw_link *l)
{
	uv_close((uv_handle_t *)&l->timer, on_closed);
}

static const struct tw_transport made_up = {
	.name = "made-up",
	.open = host_open,
	.send = host_send,
	.close = host_close,
};

/* --- a state ------------------------------------------------------------------- */

/* The founder's, for fill; else it is there. */
static struct tw_store *open_state(const char *dir, bool is_new,
    struct tw_who *who)
{
	struct tw_caller caller = { 0 };
	struct tw_store *s = NULL;

	must(tw_store_open(dir, is_new ? TW_STORE_CREATE : TW_STORE_WRITE, &s,
	    &err));
	must(tw_caller_get(&caller, &err));
	must(tw_who_get(s, &caller, NULL,
	    is_new ? TW_WHO_FOUNDER : TW_WHO_OPERATOR, who, &err));
	tw_caller_release(&caller);
	return s;
}

static struct tw_host *add_hosts(struct tw_store *s, const struct tw_who *who,
    size_t n)
{
	struct tw_host *hosts = calloc(n, sizeof *hosts);
	char name[32], id[TW_ID_HEX];
	size_t i;

	if (!hosts)
		must(tw_err_nomem(&err));
	must(tw_store_begin(s, &err));
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof name, "node%zu", i);
		tw_random_id(id);
		hosts[i] = (struct tw_host){ .name = strdup(name),
		    .address = strdup("198.18.0.1"), .user = strdup("root"),
		    .port = 22, .transport = strdup("auto"),
		    .own_config = false,
		    .hostkey = strdup("ssh-ed25519 AAAA") };
		must(tw_host_add(s, who, &hosts[i], &err));
		must(tw_host_checked(s, who, hosts[i].id, "{}", id, "libssh2",
		    &err));
	}
	must(tw_store_commit(s, &err));
	return hosts;
}

static void fill(struct tw_store *s, const struct tw_who *who, size_t n,
    size_t changes)
{
	static int64_t nums[AT_ONCE];
	struct tw_host *hosts = add_hosts(s, who, n);
	struct tw_step step[STEPS];
	struct tw_filing f = { .title = "one of many", .params = "{}",
	    .file = "x", .file_len = 1, .program = "s_end 0\n",
	    .program_len = 8, .room = 4096, .steps = step,
	    .nsteps = STEPS };
	size_t done, from, some;
	bool again;
	int64_t k;

	for (k = 0; k < STEPS; k++)
		step[k] = (struct tw_step){ .k = k + 1, .name = strdup("true"),
		    .kind = strdup("run"), .undoable = strdup("nothing"),
		    .timeout = 1000 };
	for (done = from = 0; done < changes; done += some) {
		some = n - from < AT_ONCE ? n - from : AT_ONCE;
		some = changes - done < some ? changes - done : some;
		must(tw_change_file(s, who, &f, hosts + from, some, nums,
		    &again, &err));
		from = (from + some) % n;
	}
}

static int do_fill(char **argv)
{
	size_t n = strtoul(argv[3], NULL, 10);
	size_t changes = strtoul(argv[4], NULL, 10);
	struct tw_who who = { 0 };
	struct tw_store *s;
	double began;
	char path[4096];
	struct stat sb;

	s = open_state(argv[2], true, &who);
	began = cpu_us();
	fill(s, &who, n, changes);
	snprintf(path, sizeof path, "%s/%s", argv[2], TW_STORE_FILE);
	if (stat(path, &sb) != 0)
		return 1;
	printf("%.1f %.0f\n", (cpu_us() - began) / (double)changes,
	    (double)sb.st_size / (double)changes);
	tw_who_release(&who);
	tw_store_close(s);
	return 0;
}

/* --- a pass --------------------------------------------------------------------- */

static int64_t last_tick, longest;

static void on_report(void *arg, const struct tw_report *r)
{
	(void)arg;
	(void)r;
}

static void on_tick(void *arg)
{
	int64_t now = tw_clock_mono();

	(void)arg;
	if (last_tick && now - last_tick > longest)
		longest = now - last_tick;
	last_tick = now;
}

static int do_run(char **argv)
{
	struct tw_runner_options o = { .transport = &made_up,
	    .report = on_report, .tick = on_tick,
	    .jobs = (int)strtol(argv[3], NULL, 10) };
	struct tw_pass_result result;
	struct rusage use;
	int64_t began;
	double cpu;

	latency = strtol(argv[4], NULL, 10);
	must(tw_store_open(argv[2], TW_STORE_WRITE, &o.store, &err));
	cpu = cpu_us();
	began = tw_clock_mono();
	o.until = began + strtol(argv[5], NULL, 10) * 1000;
	must(tw_runner_pass(&o, &result, &err));
	cpu = cpu_us() - cpu;
	getrusage(RUSAGE_SELF, &use);
	printf("%" PRId64 " %.1f %.0f %ld %" PRId64 "\n", result.succeeded,
	    (double)result.succeeded * 1e3 /
	    (double)(tw_clock_mono() - began),
	    result.succeeded ? cpu / (double)result.succeeded : 0,
	    use.ru_maxrss, longest);
	tw_store_close(o.store);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "fill") == 0)
		return do_fill(argv);
	if (argc == 6 && strcmp(argv[1], "run") == 0)
		return do_run(argv);
	fprintf(stderr, "usage: scale fill DIR HOSTS CHANGES\n"
	    "       scale run DIR JOBS STEP_MS SECONDS\n");
	return 2;
}
