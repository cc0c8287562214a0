/*
 * tower.c - the tower: passes of the real runner, each a process; and what the
 *           product's own functions are wrapped in to be simulated
 *
 * The linker sends calls of NAME to __wrap_NAME (--wrap): clocks, random
 * numbers, the state's locks.  A transaction of SQLite is real, on a file; that
 * others hold the state is made up, since no two processes here ever run at
 * the same time.
 */
#include "sim.h"

#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "model/audit.h"
#include "store/store_private.h"

#define ASIDE (15 * SECOND)	/* for a limited pass to step aside */
#define EPOCH INT64_C(1795000000000)	/* when each simulation begins */

struct tower towers[TOWERS];
struct tower *tower;
int64_t last_busy;

/* --- time and chance ---------------------------------------------------------- */

int64_t __wrap_tw_clock_now(void);
int64_t __wrap_tw_clock_mono(void);
void __wrap_tw_random(void *p, size_t n);
void __wrap_tw_random_id(char out[TW_ID_HEX]);
int __wrap_gethostname(char *name, size_t n);

int64_t __wrap_tw_clock_now(void)
{
	return EPOCH + sim.now + sim.wall;
}

int64_t __wrap_tw_clock_mono(void)
{
	return 1000 + sim.now;
}

void __wrap_tw_random(void *p, size_t n)
{
	unsigned char *b = p;

	while (n-- > 0)
		*b++ = (unsigned char)chance(256);
}

void __wrap_tw_random_id(char out[TW_ID_HEX])
{
	make_id(out);
}

int __wrap_gethostname(char *name, size_t n)
{
	snprintf(name, n, "tower");
	return 0;
}

/* --- death ---------------------------------------------------------------------- */

void kill_point(const char *what)
{
	if (!current || current->kill_in <= 0 || --current->kill_in > 0 ||
	    sim.calm)
		return;
	sim.kills++;
	trace("dies as it %s", what);
	proc_kill(current);
}

static void sleep_until(int64_t until)
{
	while (sim.now < until)
		proc_block(until);
}

/* --- the state is busy -------------------------------------------------------------- */

static int64_t busy_from, busy_until;	/* somebody else holds it */
static bool busy_for_all;		/* readers too */

static void was_busy(int64_t until)
{
	if (last_busy < until)
		last_busy = until;
}

static void make_busy(int64_t span)
{
	busy_from = sim.now;
	busy_until = sim.now + span;
	busy_for_all = one_in(2);
	sim.busies++;
	trace("somebody holds the state for %" PRId64 " ms", span);
}

/* Waits as SQLite would; true: in vain. */
static bool is_busy(void)
{
	int64_t limit;

	if (!current || sim.now >= busy_until)
		return false;
	was_busy(busy_until);
	limit = sim.now + current->busy_limit;
	sleep_until(limit < busy_until ? limit : busy_until);
	was_busy(sim.now);
	return sim.now < busy_until;
}

enum tw_status __real_tw_store_begin(struct tw_store *s, struct tw_err *err);
enum tw_status __wrap_tw_store_begin(struct tw_store *s, struct tw_err *err);
enum tw_status __real_tw_store_commit(struct tw_store *s, struct tw_err *err);
enum tw_status __wrap_tw_store_commit(struct tw_store *s, struct tw_err *err);
void __real_tw_store_busy_limit(struct tw_store *s, int ms);
void __wrap_tw_store_busy_limit(struct tw_store *s, int ms);

/* In earnest nobody is ever busy here: that would be a lock that somebody holds
 * while waiting. */
static void not_really(enum tw_status st, const struct tw_err *err)
{
	if (st == TW_AGAIN)
		broken(0, "the state is locked by one who waits: %s",
		    err ? err->msg : "?");
}

enum tw_status __wrap_tw_store_begin(struct tw_store *s, struct tw_err *err)
{
	enum tw_status st;

	kill_point("is about to begin a transaction");
	if (is_busy())
		return tw_err_set(err, TW_AGAIN, "the state is busy");
	st = __real_tw_store_begin(s, err);
	not_really(st, err);
	return st;
}

enum tw_status __wrap_tw_store_commit(struct tw_store *s, struct tw_err *err)
{
	struct proc *p = current;
	enum tw_status st;

	kill_point("is about to commit");
	check_commit(s);
	if (p && !sim.calm && one_in(400)) {
		tw_store_rollback(s);
		was_busy(sim.now);
		return tw_err_set(err, TW_AGAIN, "the state is busy");
	}
	st = __real_tw_store_commit(s, err);
	not_really(st, err);
	if (st == TW_OK) {
		sim.commits++;
		check_committed();
		if (p)
			p->commits++;
	}
	kill_point("has committed");
	/* what a disk takes its time for */
	if (p && !sim.is_large && one_in(3))
		sleep_until(sim.now + between(1, 8));
	return st;
}

void __wrap_tw_store_busy_limit(struct tw_store *s, int ms)
{
	if (current)
		current->busy_limit = ms;
	__real_tw_store_busy_limit(s, 0);
}

/* A statement that is fresh and in no transaction has yet to get its lock. */
static struct tw_stmt *fresh;

enum tw_status __real_tw_stmt_get(struct tw_store *s, const char *sql,
    struct tw_stmt **out, struct tw_err *err);
enum tw_status __wrap_tw_stmt_get(struct tw_store *s, const char *sql,
    struct tw_stmt **out, struct tw_err *err);
enum tw_status __real_tw_stmt_step(struct tw_stmt *st, struct tw_err *err);
enum tw_status __wrap_tw_stmt_step(struct tw_stmt *st, struct tw_err *err);

enum tw_status __wrap_tw_stmt_get(struct tw_store *s, const char *sql,
    struct tw_stmt **out, struct tw_err *err)
{
	enum tw_status st;

	st = __real_tw_stmt_get(s, bug_sql(sql), out, err);
	fresh = st == TW_OK && !tw_store_in_tx(s) ? *out : NULL;
	return st;
}

enum tw_status __wrap_tw_stmt_step(struct tw_stmt *st, struct tw_err *err)
{
	enum tw_status status;

	if (st == fresh && busy_for_all && is_busy()) {
		fresh = NULL;
		tw_stmt_reset(st);
		return tw_err_set(err, TW_AGAIN, "the state is busy");
	}
	fresh = NULL;
	status = __real_tw_stmt_step(st, err);
	not_really(status, err);
	return status;
}

/* --- passes ------------------------------------------------------------------------ */

static void on_report(void *arg, const struct tw_report *r)
{
	static const char *const kinds[] = { "connects", "change", "step",
		"undo", "end", "trouble", "held", "idle" };

	(void)arg;
	trace("  %s %s %" PRId64 " %s %s", r->host, kinds[r->kind], r->change,
	    r->state ? r->state : r->kind == TW_REPORT_END ?
	    tw_change_status_name(r->status) : "", r->text ? r->text : "");
}

/* A pass that ended in order leaves its connection to the next one: to parse
 * the schema and each statement takes longer than most passes. */
static void leave(struct proc *p)
{
	if (tower->runner == p)
		tower->runner = NULL;
	tw_runlock_release(p->lock, NULL);
	p->lock = NULL;
	if (tower->spare || tw_store_in_tx(p->store))
		tw_store_close(p->store);
	else
		tower->spare = p->store;
	p->store = NULL;
}

static void open_state(struct proc *p)
{
	struct tw_err err = { 0 };

	p->store = tower->spare;
	tower->spare = NULL;
	if (!p->store && tw_store_open(tower->dir, TW_STORE_WRITE, &p->store,
	    &err))
		broken(0, "the state can't be opened: %s", err.msg);
	tw_store_busy_limit(p->store, TW_STORE_BUSY_MS);
}

static void pass(struct proc *p, bool watch)
{
	struct tw_runner_options o = { .watch = watch,
	    .transport = &sim_transport, .report = on_report,
	    .jobs = sim.bug == BUG_SERIAL ? 1 : 0,
	    .hosts = p->only[0] && sim.bug != BUG_STRAY ? p->only : NULL,
	    .org_id = p->only[0] ? tower->alice.org_id : 0 };
	struct tw_pass_result result;
	struct tw_err err = { 0 };
	enum tw_status st;
	int64_t age;

	if (sim.now < busy_until && busy_for_all)
		return;
	open_state(p);
	st = tw_runlock_take(tower->dir, p->only[0], p->only[0] ? 0 : ASIDE,
	    &p->lock, &age, &err);
	if ((st == TW_AGAIN && (tower->runner || p->only[0])) ||
	    st == TW_WAITING) {
		trace("another one is at work");
		leave(p);
		return;
	}
	if (st || tower->runner)
		broken(0, "the runner's lock: %s", st ? err.msg :
		    "two have it");
	tower->runner = p;
	check_watch(p->store);
	o.store = p->store;
	o.lock = p->lock;
	trace("a pass begins");
	st = tw_runner_pass(&o, &result, &err);
	if (st)
		broken(0, "a pass ended badly: %s", err.msg);
	trace("the pass ended");
	leave(p);
}

/* Who waits for a limited pass to step aside. */
int __wrap_nanosleep(const struct timespec *span, struct timespec *left);

int __wrap_nanosleep(const struct timespec *span, struct timespec *left)
{
	(void)left;
	assert(current);
	proc_block(sim.now + span->tv_sec * 1000 + span->tv_nsec / 1000000);
	return 0;
}

/* Another one may begin before it has ended. */
void __real_tw_runlock_yield(struct tw_runlock *l);
void __wrap_tw_runlock_yield(struct tw_runlock *l);

void __wrap_tw_runlock_yield(struct tw_runlock *l)
{
	trace("steps aside");
	__real_tw_runlock_yield(l);
	if (tower->runner == current)
		tower->runner = NULL;
}

static void run_pass(struct proc *p)
{
	pass(p, false);
}

static void run_watch(struct proc *p)
{
	pass(p, true);
}

static void stop_or_kill(void *arg)
{
	struct proc *p = arg;
	int64_t until;

	if (p->is_dead || sim.calm || p->tower->runner != p)
		return;
	if (p->loop && one_in(4)) {
		trace("SIGTERM");
		loop_signal(p->loop, SIGTERM);
	} else if (one_in(2)) {
		until = sim.now + between(SECOND, 4 * MINUTE);
		/* no sooner than it would have been woken already */
		if (until > p->paused)
			p->paused = until;
		was_busy(p->paused);
		trace("the runner is stopped for %" PRId64 " s",
		    (p->paused - sim.now) / 1000);
		later(between(SECOND, 5 * MINUTE), stop_or_kill, p);
	} else {
		sim.kills++;
		proc_kill(p);
	}
}

static struct proc *started;

void runner_start(bool watch)
{
	struct proc *p = proc_start(watch ? run_watch : run_pass);

	started = p;
	p->busy_limit = TW_STORE_BUSY_MS;
	if (sim.calm || sim.is_large)
		return;
	if (one_in(2))
		p->kill_in = between(1, one_in(3) ? 20 : 400);
	if (one_in(3))
		later(between(100, 3 * MINUTE), stop_or_kill, p);
}

void runner_start_limited(void)
{
	int first = (int)chance((uint64_t)nhosts);

	runner_start(false);
	for (int i = 0; i < 2 && i <= (int)chance(2); i++)
		started->only[i] = hosts[(first + i) % nhosts].name;
	sim.limited++;
}

void tower_trouble(void)
{
	if (sim.now >= busy_until)
		make_busy(one_in(3) ? between(SECOND, 15 * SECOND) :
		    between(20, SECOND));
}

/* --- a pass with nothing to do --------------------------------------------------------- */

/* A copy of the file as it is; free with sqlite3_free(). */
static unsigned char *read_state(sqlite3_int64 *n)
{
	unsigned char *p = sqlite3_serialize(tower->keeper, "main", n, 0);

	assert(p);
	return p;
}

static bool is_over(void)
{
	return started->is_dead;
}

void tower_idle_pass(void)
{
	unsigned char *before, *after;
	sqlite3_int64 n, m;
	int64_t loops = loops_started, commits = sim.commits, now;

	before = read_state(&n);
	now = sim.now;
	runner_start(false);
	run_events(sim.now, is_over);
	after = read_state(&m);
	if (!started->is_dead)
		broken(9, "a pass with nothing to do stays");
	if (loops_started != loops)
		broken(9, "a pass with nothing to do starts its loop");
	if (sim.commits != commits || n != m ||
	    memcmp(before, after, (size_t)n) != 0)
		broken(9, "a pass with nothing to do writes");
	if (sim.now != now)
		broken(9, "a pass with nothing to do takes %" PRId64 " ms",
		    sim.now - now);
	sqlite3_free(before);
	sqlite3_free(after);
}

/* --- a state of its own ---------------------------------------------------------------- */

/*
 * The file is in memory: SQLite's own memdb, with a name, is shared by the
 * connections of a process for as long as there is one; who forks takes a copy
 * along.  What the store looks at beside SQLite is an empty file.
 */
int __real_sqlite3_open_v2(const char *path, sqlite3 **db, int flags,
    const char *vfs);
int __wrap_sqlite3_open_v2(const char *path, sqlite3 **db, int flags,
    const char *vfs);

static const struct tower *tower_of(const char *path)
{
	size_t n;

	for (const struct tower *t = towers; t < towers + TOWERS; t++) {
		n = strlen(t->dir);
		if (n > 0 && strncmp(path, t->dir, n) == 0 && path[n] == '/')
			return t;
	}
	return towers;
}

int __wrap_sqlite3_open_v2(const char *path, sqlite3 **db, int flags,
    const char *vfs)
{
	char name[60];

	(void)vfs;
	snprintf(name, sizeof name, "file:/tw-sim%d?vfs=memdb",
	    (int)(tower_of(path) - towers));
	return __real_sqlite3_open_v2(name, db,
	    (flags & ~SQLITE_OPEN_NOFOLLOW) | SQLITE_OPEN_URI |
	    SQLITE_OPEN_CREATE, NULL);
}

struct sqlite3 *state_open(const char *name)
{
	char uri[60];
	sqlite3 *db;

	snprintf(uri, sizeof uri, "file:/tw-%s?vfs=memdb", name);
	if (__real_sqlite3_open_v2(uri, &db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_URI | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK)
		broken(0, "no memory for the state");
	return db;
}

void tower_keep(void)
{
	/* one thread: a tenth of the time goes into locks otherwise */
	sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	tower = towers;
	tower->keeper = state_open("sim0");
}

void tower_place(struct tower *t)
{
	char path[400];
	int fd;

	snprintf(t->dir, sizeof t->dir, "%s/%" PRIu64 "-%d", root, sim.seed,
	    (int)(t - towers));
	snprintf(path, sizeof path, "%s/%s", t->dir, TW_STORE_FILE);
	if (mkdir(t->dir, 0700) != 0)
		broken(0, "%s can't be made", t->dir);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert(fd >= 0);
	close(fd);
}

void tower_begin(void)
{
	tower->life = 1;
	tower_place(tower);
}

void tower_stop(struct tower *t)
{
	if (t->runner)
		proc_kill(t->runner);
	tw_store_close(t->spare);
	t->spare = NULL;
	tw_store_close(t->state);
	t->state = NULL;
}

bool towers_are_idle(void)
{
	for (const struct tower *t = towers; t < towers + TOWERS; t++)
		if (t->runner)
			return false;
	return true;
}

/* Their directories, whoever made them. */
void tower_end(uint64_t seed)
{
	static const char *const names[] = { TW_STORE_FILE,
		TW_STORE_FILE "-journal", TW_STORE_LOCK, "secret.key" };
	char path[400];

	for (int t = 0; t < TOWERS; t++) {
		for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
			snprintf(path, sizeof path, "%s/%" PRIu64 "-%d/%s",
			    root, seed, t, names[i]);
			unlink(path);
		}
		snprintf(path, sizeof path, "%s/%" PRIu64 "-%d", root, seed, t);
		rmdir(path);
	}
}
