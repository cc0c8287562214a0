/*
 * check_end.c - when all is over: everything has come to its end, and what each
 *               tower says of it is what the hosts did
 */
#include "sim.h"

#include "base/clock.h"
#include "store/store_private.h"

bool all_ended(void)
{
	for (const struct tower *t = towers; t < towers + TOWERS; t++)
		for (int i = 1; t->life && i <= t->nknown; i++)
			if (is_pending(&t->known[i]))
				return false;
	return true;
}

static sqlite3 *db;

static sqlite3_stmt *query(const char *sql, int64_t id)
{
	sqlite3_stmt *st;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		broken(0, "the checker: %s", sqlite3_errmsg(db));
	sqlite3_bind_int64(st, 1, id);
	return st;
}

static const char *text(sqlite3_stmt *st, int i)
{
	const char *s = (const char *)sqlite3_column_text(st, i);

	return s ? s : "";
}

/* What a job came to, as the host has it. */
struct came {
	struct tw_auto_step step[STEPS_MAX + 1];
	struct tw_automaton a;
	enum tw_verdict verdict;
};

/* Are the steps in the state what they came to?  If they must be, they are. */
static bool has_steps(const struct known *k, const struct came *c, bool must)
{
	const struct filed *f = k->filed;
	sqlite3_stmt *st = query("SELECT k, state, attempts, undo_state"
	    " FROM step WHERE change_id = ?1", f->id);
	const struct tw_auto_step *s;
	const char *undo;
	bool same = true;

	while (same && sqlite3_step(st) == SQLITE_ROW) {
		s = &c->step[sqlite3_column_int64(st, 0)];
		undo = s->undone != TW_STEP_WAITING ?
		    tw_step_state_name(s->undone) : "";
		same = strcmp(text(st, 1), tw_step_state_name(s->state)) == 0 &&
		    sqlite3_column_int64(st, 2) == s->attempts &&
		    strcmp(text(st, 3), undo) == 0;
		if (!same && must)
			broken(5, "change %" PRId64 " step %d: %s, %d attempts, "
			    "undo %s; on %s: %s, %" PRId64 ", %s", f->num,
			    sqlite3_column_int(st, 0), text(st, 1),
			    sqlite3_column_int(st, 2), text(st, 3),
			    f->host->name, tw_step_state_name(s->state),
			    s->attempts, undo);
	}
	sqlite3_finalize(st);
	return same;
}

static bool is_told(const struct known *k, const struct job *j, bool with_steps,
    bool must)
{
	struct came c;

	job_load(j, &c.a, c.step, &c.verdict);
	if (strcmp(k->seen.status, tw_verdict_name(c.verdict)) == 0)
		return !with_steps || has_steps(k, &c, must);
	if (must)
		broken(5, "change %" PRId64 " is %s, but on %s it was %s",
		    k->filed->num, k->seen.status, k->filed->host->name,
		    tw_verdict_name(c.verdict));
	return false;
}

/* What the tower tells is the change's last job on the host; or, where a spool was
 * lost and another tower sent it once more, one before. */
static void check_told(const struct known *k, bool with_steps)
{
	const struct filed *f = k->filed;

	for (const struct job *j = f->host->jobs; j; j = j->next)
		if (j->filed == f && j->is_wiped && is_told(k, j, with_steps,
		    false))
			return;
	is_told(k, f->job, with_steps, true);
}

static void check_output(const struct filed *f)
{
	sqlite3_stmt *st = query("SELECT k, phase = 'undo', data FROM output"
	    " WHERE change_id = ?1 ORDER BY id", f->id);
	struct tw_buf out[STEPS_MAX + 1][2] = { { TW_BUF_INIT } };
	const struct tw_buf *was;
	int k, u;

	while (sqlite3_step(st) == SQLITE_ROW)
		tw_buf_add(&out[sqlite3_column_int(st, 0)]
		    [sqlite3_column_int(st, 1)], sqlite3_column_blob(st, 2),
		    (size_t)sqlite3_column_bytes(st, 2));
	sqlite3_finalize(st);
	for (k = 1; k <= f->program.n; k++) {
		for (u = 0; u < 2; u++) {
			was = &f->output[k][u];
			if (!f->lost_output && (was->len != out[k][u].len ||
			    memcmp(tw_buf_str(was), tw_buf_str(&out[k][u]),
			    was->len) != 0))
				broken(5, "change %" PRId64 " step %d%s "
				    "printed %zu bytes, %zu others are stored",
				    f->num, k, u ? "'s undo" : "", was->len,
				    out[k][u].len);
			tw_buf_release(&out[k][u]);
		}
	}
}

static void still_pending(const struct known *k)
{
	const struct filed *f = k->filed;
	sqlite3_stmt *st = query("SELECT held_reason, last_error, next_attempt,"
	    " failures FROM host WHERE id = ?1", f->host->id);

	sqlite3_step(st);
	broken(5, "change %" PRId64 " of %s is still %s (held: %s; error: %s; "
	    "next attempt in %lld ms; %d failures)", f->num, f->host->name,
	    k->seen.status, text(st, 0), text(st, 1),
	    (long long)(sqlite3_column_int64(st, 2) - tw_clock_now()),
	    sqlite3_column_int(st, 3));
}

/* Another tower, or this one in a life that it has forgotten. */
static bool another_had(const struct filed *f)
{
	return f->job && f->job->tower_life != tower->life;
}

/* All that is left on the host is the verdict; so it may be only where the tower
 * has forgotten what it had been told, or another has heard it. */
static bool is_hearsay(const struct known *k)
{
	const struct filed *f = k->filed;
	sqlite3_stmt *st = query("SELECT coalesce(reason, '') FROM change"
	    " WHERE id = ?1", f->id);
	bool is = false;

	if (sqlite3_step(st) == SQLITE_ROW)
		is = strstr(text(st, 0), "had carried it out before");
	sqlite3_finalize(st);
	if (!is)
		return false;
	if (sim.clones == 0 && sim.restores == 0)
		broken(5, "change %" PRId64 " was told to nobody else", f->num);
	check_told(k, false);
	return true;
}

static void check_change(const struct known *k)
{
	const struct filed *f = k->filed;
	const char *s = k->seen.status;

	if (is_pending(k))
		still_pending(k);
	if (k->was_cancelled && strcmp(s, "cancelled") != 0)
		broken(5, "change %" PRId64 " was cancelled, and is %s", f->num,
		    s);
	if (strcmp(s, "cancelled") == 0) {
		if (f->has_begun && !another_had(f))
			broken(5, "change %" PRId64 " is cancelled, but %s "
			    "had begun with it", f->num, f->host->name);
	} else if (strcmp(s, "unknown") == 0) {
		if (!f->host->was_wiped && !k->was_abandoned)
			broken(5, "%s lost change %" PRId64 ", which it has",
			    f->host->name, f->num);
	} else {
		if (!f->job)
			broken(5, "change %" PRId64 " is %s, but was never on "
			    "%s", f->num, s, f->host->name);
		if (is_hearsay(k))
			return;
		check_told(k, true);
		check_output(f);
	}
}

static void check_tower(void)
{
	char path[400];

	snprintf(path, sizeof path, "%s/%s", tower->dir, TW_STORE_FILE);
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) !=
	    SQLITE_OK)
		broken(0, "the checker: %s", sqlite3_errmsg(db));
	for (int i = 1; i <= tower->nknown; i++)
		check_change(&tower->known[i]);
	if (tower->runner)
		broken(9, "nothing is left to do, and the runner stays");
	sqlite3_close(db);
	people_verify();
}

void check_end(void)
{
	for (tower = towers; tower < towers + TOWERS; tower++)
		if (tower->life)
			check_tower();
	tower = towers;
}
