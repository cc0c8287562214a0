/*
 * sim.c - seeds: each a run of its own in a process of its own
 *
 *	sim [--from N] [--seeds N] [--jobs N] [--bug NAME]
 *	sim --seed N [--trace] [--bug NAME]	one again, in this process
 *	sim --list-bugs
 *
 * Exit status: 0, no invariant was broken; 1, one was, and the seed that did
 * it was printed with the command that plays it again; 2, wrong usage.
 */
#include "sim.h"

#include <assert.h>
#include <getopt.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "model/who.h"
#include "store/store_private.h"

#define LARGE_EVERY 500		/* seeds, one of which has thousands of hosts */
#define PATIENCE 300		/* real seconds a seed may take */
#define GIVE_UP (4 * HOUR)	/* simulated, for what must come to an end */

char root[200];

/* --- what goes wrong ------------------------------------------------------------ */

static void net_heals(void *arg)
{
	struct host *h = arg;

	h->net = NET_OK;
	h->last_spoilt = sim.now;
}

static void disk_heals(void *arg)
{
	((struct host *)arg)->is_full = false;
}

static void spoil_host(struct host *h)
{
	switch (chance(20)) {
	case 0:
	case 1:
	case 2:
		if (h->is_on)
			host_cut_power(h, between(5, 120) * SECOND);
		break;
	case 3:
	case 4:
	case 5:
	case 6:
		if (h->lock && !h->lock->is_dead)
			exec_kill(h->lock);
		break;
	case 7:
		h->wall += one_in(2) ? between(-24 * HOUR, 24 * HOUR) :
		    between(-MINUTE, MINUTE);
		trace("%s: its clock was set", h->name);
		break;
	case 8:
		h->is_full = true;
		trace("%s: its disk is full", h->name);
		later(between(SECOND, 2 * MINUTE), disk_heals, h);
		break;
	case 9:
		if (one_in(6))
			host_wipe_spool(h);
		break;
	default:
		h->net = one_in(2) ? NET_SILENT : NET_REFUSES;
		trace("%s: the network %s", h->name, h->net == NET_SILENT ?
		    "is silent" : "refuses");
		later(between(SECOND, one_in(5) ? 10 * MINUTE : MINUTE),
		    net_heals, h);
		break;
	}
}

static void set_clock(void)
{
	sim.wall += one_in(2) ? between(-24 * HOUR, 24 * HOUR) :
	    between(-MINUTE, MINUTE);
	sim.jumped = sim.now;
	trace("the tower's clock was set");
}

static void on_trouble(void *arg)
{
	struct host *h = &hosts[chance((uint64_t)nhosts)];

	(void)arg;
	if (sim.calm)
		return;
	if (one_in(8))
		tower_trouble();
	else if (one_in(60))
		set_clock();
	else if (!h->is_healthy)
		spoil_host(h);
	later(between(50, sim.is_large ? 300 : 6 * SECOND), on_trouble, NULL);
}

/* --- people and passes, by the clock ---------------------------------------------- */

static void on_person(void *arg)
{
	(void)arg;
	if (sim.calm)
		return;
	tower = towers[1].life && one_in(2) ? &towers[1] : towers;
	people_act();
	tower = towers;
	later(between(10, one_in(6) ? 40 * SECOND : 6 * SECOND), on_person,
	    NULL);
}

static void on_cron(void *arg)
{
	struct tower *was = tower;

	tower = arg;
	if (tower->life && (!tower->runner || one_in(8)))
		runner_start(!sim.calm && one_in(6));
	if (tower->life && !sim.calm && !sim.is_large && one_in(8))
		runner_start_limited();
	tower = was;
	later(sim.calm ? 30 * SECOND : between(200, 15 * SECOND), on_cron, arg);
}

void cron_begin(struct tower *t)
{
	later(0, on_cron, t);
}

static void on_mend(void *arg)
{
	(void)arg;
	for (tower = towers; tower < towers + TOWERS; tower++)
		if (tower->life)
			people_mend();
	tower = towers;
	later(30 * SECOND, on_mend, NULL);
}

/* --- a seed ----------------------------------------------------------------------------- */

static void begin_seed(void)
{
	sim.is_large = sim.seed % LARGE_EVERY == LARGE_EVERY - 1;
	hosts_make((int)(sim.is_large ? between(1000, 2000) : between(3, 8)));
	tower_begin();
	people_begin();
	tower_idle_pass();
	if (sim.is_large)
		for (int i = 0; i < nhosts; i++) {
			people_file(&hosts[i]);
			if (one_in(20) && i > 0)
				hosts[i].net = NET_SILENT;
		}
	else
		for (int64_t n = between(0, 3 * nhosts); n > 0; n--)
			people_file(&hosts[chance((uint64_t)nhosts)]);
}

static void calm_down(void)
{
	trace("--- all is well from now on");
	sim.calm = true;
	sim.calm_since = sim.now;
	sim.wall = 0;
	sim.jumped = last_busy = sim.now;
	for (int i = 0; i < nhosts; i++) {
		hosts[i].net = NET_OK;
		hosts[i].is_full = false;
	}
	for (struct tower *t = towers; t < towers + TOWERS; t++) {
		if (t->runner && t->runner->loop)
			loop_signal(t->runner->loop, SIGTERM);
		if (t->runner && t->runner->paused > sim.now)
			t->runner->paused = sim.now;
	}
}

/* Trouble; then all is well, and everything must come to its end. */
static void play(uint64_t seed)
{
	int64_t until;

	chance_begin(seed);
	begin_seed();
	cron_begin(towers);
	copies_begin();
	later(SECOND, on_trouble, NULL);
	if (!sim.is_large)
		later(between(0, 5 * SECOND), on_person, NULL);
	run_events(sim.is_large ? between(10, 60) * SECOND :
	    between(20 * SECOND, one_in(6) ? 12 * MINUTE : 3 * MINUTE), NULL);
	calm_down();
	copies_end();
	later(20 * SECOND, on_mend, NULL);
	until = sim.now + GIVE_UP;
	while (!all_ended() && sim.now < until)
		run_events(sim.now + 10 * SECOND, NULL);
	/* what is late still has to come in vain */
	run_events(sim.now + 2 * MINUTE, NULL);
	run_events(sim.now + HOUR, towers_are_idle);
	check_end();
	for (tower = towers; tower < towers + TOWERS; tower++)
		if (tower->life)
			tower_idle_pass();
	tower = towers;
	trace("%" PRId64 " changes, %" PRId64 " commits, %" PRId64 " requests,"
	    " %" PRId64 " phases", sim.changes, sim.commits, sim.requests,
	    sim.phases);
}

/* --- many ---------------------------------------------------------------------------------- */

static void make_template(void)
{
	struct tw_caller caller = { .login = (char *)"alice" };
	struct tw_store *s = NULL;
	struct tw_err err = { 0 };
	struct tw_who who;
	const char *dir = access("/dev/shm", W_OK) == 0 ? "/dev/shm" :
	    getenv("TMPDIR");
	char path[300];

	snprintf(root, sizeof root, "%s/tw-sim.XXXXXX", dir ? dir : "/tmp");
	if (!mkdtemp(root)) {
		perror(root);
		exit(2);
	}
	tower_keep();
	snprintf(path, sizeof path, "%s/template", root);
	if (tw_store_open(path, TW_STORE_CREATE, &s, &err) ||
	    tw_who_get(s, &caller, NULL, TW_WHO_FOUNDER, &who, &err)) {
		fprintf(stderr, "%s\n", err.msg);
		exit(2);
	}
	tw_who_release(&who);
	tw_store_close(s);
}

static void remove_root(void)
{
	static const char *const names[] = { TW_STORE_FILE,
		TW_STORE_FILE "-journal", TW_STORE_LOCK };
	char path[400];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/template/%s", root, names[i]);
		unlink(path);
	}
	snprintf(path, sizeof path, "%s/template", root);
	rmdir(path);
	rmdir(root);
}

struct total {
	struct sim sum;		/* in memory that all share */
	int64_t time;
};

static void add_up(struct total *t)
{
	int64_t *to[] = { &t->sum.kills, &t->sum.cuts, &t->sum.reboots,
		&t->sum.busies, &t->sum.commits, &t->sum.changes,
		&t->sum.phases, &t->sum.requests, &t->sum.events,
		&t->sum.restores, &t->sum.clones, &t->sum.behind,
		&t->sum.abandons, &t->sum.limited, &t->sum.withdrawn,
		&t->time };
	const int64_t from[] = { sim.kills, sim.cuts, sim.reboots, sim.busies,
		sim.commits, sim.changes, sim.phases, sim.requests,
		sim.events, sim.restores, sim.clones, sim.behind, sim.abandons,
		sim.limited, sim.withdrawn, sim.now };

	for (size_t i = 0; i < sizeof from / sizeof *from; i++)
		__atomic_fetch_add(to[i], from[i], __ATOMIC_RELAXED);
}

static pid_t start_seed(uint64_t seed, struct total *t)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	assert(pid >= 0);
	if (pid > 0)
		return pid;
	alarm(PATIENCE);
	play(seed);
	add_up(t);
	tower_end(seed);
	fflush(stdout);
	_exit(0);
}

static int reap(uint64_t *running, pid_t *pids, int jobs)
{
	int status, i;
	pid_t pid = wait(&status);

	for (i = 0; i < jobs && pids[i] != pid; i++)
		;
	assert(i < jobs);
	pids[i] = 0;
	if (status == 0)
		return 0;
	if (WIFSIGNALED(status))
		printf("seed %" PRIu64 ": killed by signal %d\n", running[i],
		    WTERMSIG(status));
	printf("replay: tests/sim/sim --trace --seed %" PRIu64 "%s%s\n",
	    running[i], sim.bug ? " --bug " : "", sim.bug ?
	    bug_names[sim.bug] : "");
	tower_end(running[i]);
	return 1;
}

static int run_many(uint64_t from, uint64_t n, int jobs)
{
	struct total *t = mmap(NULL, sizeof *t, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t next = from, running[64];
	pid_t pids[64] = { 0 };
	time_t began = time(NULL);
	int failed = 0, active = 0, enough = sim.bug ? 1 : 5;

	assert(t != MAP_FAILED && jobs <= 64);
	while (active > 0 || (next < from + n && failed < enough)) {
		for (int i = 0; i < jobs && next < from + n && failed < enough; i++) {
			if (pids[i])
				continue;
			running[i] = next++;
			pids[i] = start_seed(running[i], t);
			active++;
		}
		failed += reap(running, pids, jobs);
		active--;
	}
	printf("seeds %" PRIu64 "..%" PRIu64 ": %d failed; %" PRId64
	    " events, %" PRId64 " restores, %" PRId64 " copies beside, %"
	    PRId64 " times told it is behind, %" PRId64 " abandoned, %" PRId64
	    " limited passes, %" PRId64 " rights withdrawn, %" PRId64
	    " changes, %" PRId64 " phases, %" PRId64 " commits, %" PRId64
	    " requests, %" PRId64 " kills, %" PRId64 " cuts, %" PRId64
	    " power cuts, %" PRId64 " times busy; %" PRId64
	    " h simulated in %ld s\n", from, next - 1, failed, t->sum.events, t->sum.restores,
	    t->sum.clones, t->sum.behind, t->sum.abandons,
	    t->sum.limited, t->sum.withdrawn, t->sum.changes,
	    t->sum.phases, t->sum.commits, t->sum.requests, t->sum.kills,
	    t->sum.cuts, t->sum.reboots, t->sum.busies, t->time / HOUR,
	    (long)(time(NULL) - began));
	return failed > 0;
}

static enum bug find_bug(const char *name)
{
	for (int b = BUG_NONE; b < BUGS; b++)
		if (strcmp(bug_names[b], name) == 0)
			return (enum bug)b;
	fprintf(stderr, "no bug '%s'\n", name);
	exit(2);
}

static int list_bugs(void)
{
	for (int b = BUG_NONE + 1; b < BUGS; b++)
		puts(bug_names[b]);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "seeds", required_argument, NULL, 'n' },
		{ "from", required_argument, NULL, 'f' },
		{ "jobs", required_argument, NULL, 'j' },
		{ "bug", required_argument, NULL, 'b' },
		{ "trace", no_argument, NULL, 't' },
		{ "list-bugs", no_argument, NULL, 'l' },
		{ 0 }
	};
	uint64_t from = 1, n = 100;
	bool one = false;
	int jobs = 2, c, status;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 's':
			from = strtoull(optarg, NULL, 10);
			one = true;
			break;
		case 'n':
			n = strtoull(optarg, NULL, 10);
			break;
		case 'f':
			from = strtoull(optarg, NULL, 10);
			break;
		case 'j':
			jobs = (int)strtol(optarg, NULL, 10);
			break;
		case 'b':
			sim.bug = find_bug(optarg);
			break;
		case 't':
			sim.trace = true;
			break;
		case 'l':
			return list_bugs();
		default:
			return 2;
		}
	}
	unsetenv("SUDO_UID");
	unsetenv("TOWERIFY_OPERATOR");
	make_template();
	if (one) {
		play(from);
		tower_end(from);
		printf("seed %" PRIu64 ": all is well\n", sim.seed);
		status = 0;
	} else {
		status = run_many(from, n, jobs);
	}
	remove_root();
	return status;
}
