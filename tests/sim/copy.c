/*
 * copy.c - copies of a tower's state: a backup that is put back, a machine that
 *          is turned back, a copy that is run beside the first
 *
 * What is kept is the state in SQLite, and what the checkers know of it.  A
 * restore is the product's own (tw_backup_restore()); it finds its file in
 * memory.
 */
#include "sim.h"

#include <assert.h>

#include "model/backup.h"
#include "store/backup.h"
#include "store/store_private.h"

static struct copy {
	sqlite3 *db;		/* NULL: none was made */
	struct known *known;
	int nknown;
	struct watch *watch;
	bool bob_may;
} copy;

static struct known *copy_known(const struct known *from)
{
	size_t n = (size_t)known_max();
	struct known *k = calloc(n, sizeof *k);

	assert(k);
	memcpy(k, from, n * sizeof *k);
	return k;
}

static void copy_pages(sqlite3 *from, sqlite3 *to)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");

	if (!b || sqlite3_backup_step(b, -1) != SQLITE_DONE ||
	    sqlite3_backup_finish(b) != SQLITE_OK)
		broken(0, "no copy of the state: %s", sqlite3_errmsg(to));
}

static void take_copy(const struct tower *t)
{
	if (!copy.db)
		copy.db = state_open("copy");
	copy_pages(t->keeper, copy.db);
	copy.known = copy_known(t->known);
	copy.nknown = t->nknown;
	copy.watch = check_copy(t->watch);
	copy.bob_may = t->bob_may;
	trace("the state is copied");
}

enum tw_status __wrap_tw_store_restore(const char *dir, const char *path,
    enum tw_status (*settle)(struct tw_store *s, void *arg,
    struct tw_err *err), void *arg, struct tw_err *err);

enum tw_status __wrap_tw_store_restore(const char *dir, const char *path,
    enum tw_status (*settle)(struct tw_store *s, void *arg,
    struct tw_err *err), void *arg, struct tw_err *err)
{
	struct tw_store *s;
	enum tw_status st;

	(void)path;
	st = tw_store_open(dir, TW_STORE_WRITE, &s, err);
	if (st)
		return st;
	check_watch(s);
	st = tw_store_begin(s, err);
	if (!st)
		st = settle(s, arg, err);
	if (!st)
		st = tw_store_commit(s, err);
	tw_store_close(s);
	return st;
}

/* The tower whose turn it is goes on from the copy. */
static void begin_from_copy(bool is_restored)
{
	static int lives = 1;
	struct tw_err err = { 0 };
	int64_t n;

	copy_pages(copy.db, tower->keeper);
	tower->life = ++lives;
	tower->known = copy_known(copy.known);
	tower->nknown = copy.nknown;
	tower->watch = check_copy(copy.watch);
	tower->bob_may = copy.bob_may;
	if (is_restored && tw_backup_restore(tower->dir, "backup", "alice", &n,
	    &err))
		broken(0, "the backup is not put back: %s", err.msg);
	people_enter();
}

static void put_back(void)
{
	bool is_restored = one_in(2);

	tower = towers;
	trace("the tower is %s", is_restored ? "put back from a backup" :
	    "turned back");
	tower_stop(tower);
	sim.restores++;
	begin_from_copy(is_restored);
}

static void run_copy(void)
{
	bool is_restored = one_in(2);

	tower = &towers[1];
	trace("a %s of the tower begins", is_restored ? "restored copy" :
	    "copy");
	sim.clones++;
	tower_place(tower);
	tower->keeper = state_open("sim1");
	begin_from_copy(is_restored);
	cron_begin(tower);
	tower = towers;
}

static void on_copied(void *arg)
{
	(void)arg;
	if (sim.calm)
		return;
	if (!towers[1].life && one_in(2))
		run_copy();
	else
		put_back();
}

static void on_copy(void *arg)
{
	(void)arg;
	if (sim.calm)
		return;
	take_copy(towers);
	/* some are put back twice, or run beside a tower that was put back */
	for (uint64_t n = 1 + chance(2); n > 0; n--)
		later(one_in(3) ? 0 : between(0, 2 * MINUTE), on_copied, NULL);
}

void copies_begin(void)
{
	if (!sim.is_large && fixed_chance(0, 0, 3) == 0)
		later(between(0, 90 * SECOND), on_copy, NULL);
}

void copies_end(void)
{
	struct tower *t = &towers[fixed_chance(0, 1, 2)];

	if (!towers[1].life || fixed_chance(0, 2, 2) == 0)
		return;
	/* one of the two is the tower from now on */
	trace("%s tower is no more", t == towers ? "the first" : "the copied");
	tower_stop(t);
	t->life = 0;
}
