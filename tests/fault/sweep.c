/*
 * sweep.c - makes the n-th call of each kind fail in each verb of a table, or
 *           kills the tool there, n = 1, 2, 3 …, and looks at what is left
 *
 *   sweep SCENE SHIM TABLE [OPTION=VALUE…]
 *
 *   do=fail        (the default)
 *   do=kill        SIGKILL before and after the call
 *   do=power       the same, and of the state's files all is lost that was not
 *                  synced; the hosts go on
 *   verb=NAME      that one alone
 *   kind=NAME      those calls alone
 *   sample=N       about N of each kind's calls, not all
 *   n=N            the N-th call alone; last=N: the last N
 *   few=yes        of each kind's errors one, not all
 *   seed=N         for the sample
 *   plant=NAME     a fault in the test itself, which must be found: see
 *                  planted() below
 *
 * Prints TAP, a line for each verb and kind, without the plan; what is wrong
 * is explained with the command that shows it alone.  The last line counts.
 *
 * Of a run in which a call failed, this must hold:
 *
 *   - it ended by itself: no signal, not hung;
 *   - its exit status is 0, or one that says whose fault it was (65, 75, 78;
 *     5 of a pass that leaves work behind), and a message came with it;
 *   - the state is sound and says what it said before, or what it says after
 *     a run without faults, nothing between; after exit status 0 the latter
 *     (a pass takes several commits, and may leave work for the next);
 *   - run again, without faults, it comes to the same end;
 *   - each step left its traces on the host exactly once.
 *
 * Of a run that was killed: the last three.
 */
#include <errno.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "replay.h"
#include "stage.h"
#include "table.h"

#define PASSES_MAX 6		/* until nothing is left to do */

static const char *const kind_names[FAULT_KINDS] = {
	[FAULT_OPEN] = "open", [FAULT_READ] = "read", [FAULT_WRITE] = "write",
	[FAULT_SYNC] = "sync", [FAULT_RENAME] = "rename",
	[FAULT_UNLINK] = "unlink", [FAULT_CONNECT] = "connect",
	[FAULT_RECV] = "recv", [FAULT_SEND] = "send", [FAULT_FORK] = "fork",
	[FAULT_MEM] = "mem", [FAULT_LIBMEM] = "libmem",
	[FAULT_SQLMEM] = "sqlmem",
};

struct fault {
	enum fault_kind kind;
	enum fault_act act;
	int error;
	bool is_forever;
	bool is_first;		/* of its kind: with few=yes these alone */
};

#define ONCE_AND_EVER(kind, error, first) \
	{ kind, FAULT_FAIL, error, false, first }, \
	{ kind, FAULT_FAIL, error, true, false }

static const struct fault fails[] = {
	ONCE_AND_EVER(FAULT_OPEN, EIO, true),
	ONCE_AND_EVER(FAULT_OPEN, ENOMEM, false),
	ONCE_AND_EVER(FAULT_OPEN, ENOSPC, false),
	ONCE_AND_EVER(FAULT_OPEN, EDQUOT, false),
	ONCE_AND_EVER(FAULT_READ, EIO, true),
	ONCE_AND_EVER(FAULT_READ, ENOMEM, false),
	{ FAULT_READ, FAULT_FAIL, EINTR, false, false },
	ONCE_AND_EVER(FAULT_WRITE, ENOSPC, true),
	ONCE_AND_EVER(FAULT_WRITE, EIO, false),
	ONCE_AND_EVER(FAULT_WRITE, EDQUOT, false),
	{ FAULT_WRITE, FAULT_FAIL, EINTR, false, false },
	{ FAULT_WRITE, FAULT_SHORT, 0, false, true },
	ONCE_AND_EVER(FAULT_SYNC, EIO, true),
	ONCE_AND_EVER(FAULT_SYNC, ENOSPC, false),
	ONCE_AND_EVER(FAULT_SYNC, EDQUOT, false),
	ONCE_AND_EVER(FAULT_RENAME, EIO, true),
	ONCE_AND_EVER(FAULT_RENAME, ENOSPC, false),
	ONCE_AND_EVER(FAULT_RENAME, EDQUOT, false),
	ONCE_AND_EVER(FAULT_UNLINK, EIO, true),
	ONCE_AND_EVER(FAULT_CONNECT, ECONNRESET, true),
	ONCE_AND_EVER(FAULT_CONNECT, ENOMEM, false),
	{ FAULT_CONNECT, FAULT_FAIL, EINTR, false, false },
	ONCE_AND_EVER(FAULT_RECV, ECONNRESET, true),
	ONCE_AND_EVER(FAULT_RECV, ENOMEM, false),
	{ FAULT_RECV, FAULT_FAIL, EINTR, false, false },
	ONCE_AND_EVER(FAULT_SEND, ECONNRESET, true),
	ONCE_AND_EVER(FAULT_SEND, ENOMEM, false),
	{ FAULT_SEND, FAULT_FAIL, EINTR, false, false },
	{ FAULT_SEND, FAULT_SHORT, 0, false, false },
	ONCE_AND_EVER(FAULT_FORK, ENOMEM, true),
	ONCE_AND_EVER(FAULT_MEM, ENOMEM, true),
	ONCE_AND_EVER(FAULT_LIBMEM, ENOMEM, true),
	ONCE_AND_EVER(FAULT_SQLMEM, ENOMEM, true),
};

#define BOTH_SIDES(kind) \
	{ kind, FAULT_KILL_BEFORE, 0, false, false }, \
	{ kind, FAULT_KILL_AFTER, 0, false, true }

/* Each state commit is writes and syncs; a message is sent or received. */
static const struct fault kills[] = {
	BOTH_SIDES(FAULT_OPEN), BOTH_SIDES(FAULT_WRITE),
	BOTH_SIDES(FAULT_SYNC), BOTH_SIDES(FAULT_RENAME),
	BOTH_SIDES(FAULT_UNLINK), BOTH_SIDES(FAULT_CONNECT),
	BOTH_SIDES(FAULT_RECV), BOTH_SIDES(FAULT_SEND),
	BOTH_SIDES(FAULT_FORK),
};

struct sweep {
	struct stage stage;
	const struct fault *faults;
	size_t nfaults;
	const char *scene, *only_kind, *plant;
	long sample, only, last;
	unsigned long seed;
	bool is_few, is_power;

	const struct table_verb *verb;	/* now */
	struct tw_buf before, after, log_after;
	int64_t calls[FAULT_KINDS];	/* of its run without faults */

	struct tw_buf now, log_now, told, why;
	size_t ntests, nfailed;
	long nfaults_done, nuntouched;
};

/* --- the fault in the test ------------------------------------------------------ */

/* Each checker must find what it is for.  plant=NAME does, behind the tool's
 * back and after each of its runs with a fault:
 *   damage   a page of the state is overwritten
 *   audit    an audit record is changed
 *   between  half of an act: an event of the queue without its record
 *   twice    a step has run twice on the host
 *   lost     the rerun is not done
 *   signal   the tool seems to have been ended by a signal
 *   status   the tool seems to have said 70
 *   silence  its message is lost
 *   short    half of what it says is lost */
static bool planted(const struct sweep *w, const char *name)
{
	return w->plant && strcmp(w->plant, name) == 0;
}

static void sql(struct sweep *w, const char *text)
{
	sqlite3 *db = NULL;
	char *path;

	if (asprintf(&path, "%s/state.db", w->stage.state) < 0)
		stage_die("no memory");
	if (sqlite3_open(path, &db) != SQLITE_OK ||
	    sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		stage_die("%s: %s", text, sqlite3_errmsg(db));
	sqlite3_close(db);
	free(path);
}

static void append(struct sweep *w, const char *name, const char *text,
    long at)
{
	char *path;
	FILE *f;

	if (asprintf(&path, "%s/%s", w->stage.dir, name) < 0)
		stage_die("no memory");
	f = fopen(path, at < 0 ? "ae" : "r+e");
	if (!f || (at >= 0 && fseek(f, at, SEEK_SET) < 0) ||
	    fputs(text, f) == EOF || fclose(f) == EOF)
		stage_die("%s", path);
	free(path);
}

static void plant(struct sweep *w)
{
	static const char junk[] = "junk junk junk junk junk junk junk";

	if (planted(w, "damage"))
		append(w, "state/state.db", junk, 4096L * 3);
	if (planted(w, "audit"))
		sql(w, "DROP TRIGGER audit_no_update; UPDATE audit SET "
		    "detail = '{}' WHERE seq = 2; CREATE TRIGGER "
		    "audit_no_update BEFORE UPDATE ON audit BEGIN "
		    "SELECT raise(ABORT, 'audit records are never changed'); "
		    "END");
	if (planted(w, "between"))
		sql(w, "UPDATE change SET title = title || '?' "
		    "WHERE num = 1");
	if (planted(w, "twice"))
		append(w, "traces/log", "h1 9 1 again\n", -1);
}

/* --- one run ------------------------------------------------------------------------ */

static void prepare(struct sweep *w)
{
	stage_restore(&w->stage);
	if (w->verb->is_empty) {
		char *nothing;

		if (asprintf(&nothing, "%s/nothing", w->stage.dir) < 0)
			stage_die("no memory");
		stage_copy(nothing, w->stage.state);
		free(nothing);
	}
	if (w->verb->is_child)
		sql(w, "UPDATE host SET transport = 'ssh'");
	if (w->verb->is_keyless) {
		char *key;

		sql(w, "UPDATE secret SET sealed = NULL");
		if (asprintf(&key, "%s/secret.key", w->stage.state) < 0)
			stage_die("no memory");
		if (unlink(key) < 0)
			stage_die("%s", key);
		free(key);
	}
}

static int run(struct sweep *w, const struct fault_plan *plan)
{
	return stage_run(&w->stage, w->verb->words, plan, NULL);
}

/* A pass tells with 3 and 4 what became of its changes, with 5 that some
 * wait. */
static bool is_good(const struct sweep *w, int status)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

	return code == 0 || (w->verb->is_pass && (code == 3 || code == 5));
}

/* The delays between attempts grow to minutes. */
static void hurry(struct sweep *w)
{
	sql(w, "UPDATE host SET next_attempt = NULL");
}

static bool is_same(struct sweep *w, const struct tw_buf *wanted)
{
	stage_digest(w->stage.state, &w->now);
	return strcmp(tw_buf_str(&w->now), tw_buf_str(wanted)) == 0;
}

static void baseline(struct sweep *w)
{
	struct fault_plan none = { .n = 0 };
	int status;

	prepare(w);
	stage_digest(w->stage.state, &w->before);
	status = run(w, &none);
	if (!is_good(w, status))
		stage_die("%s: status %x: %s", w->verb->name,
		    (unsigned)status, tw_buf_str(&w->stage.err));
	memcpy(w->calls, w->stage.plan->calls, sizeof w->calls);
	tw_buf_reset(&w->told);
	tw_buf_adds(&w->told, tw_buf_str(&w->stage.out));
	stage_settle(&w->stage);
	stage_digest(w->stage.state, &w->after);
	stage_log(&w->stage, &w->log_after);
}

/* The tower's disk after a power cut: nothing but what was synced. */
static void lose_unsynced(struct sweep *w, const char *log)
{
	struct replay *r;
	char *base;

	if (asprintf(&base, "%s/state", w->stage.saved) < 0)
		stage_die("no memory");
	r = replay_open(log, base, false);
	replay_to(r, replay_size(r));
	replay_image(r, REPLAY_NONE, 0, w->stage.state);
	replay_free(r);
	free(base);
}

/* --- what must hold --------------------------------------------------------------- */

static void wrong(struct sweep *w, const char *what)
{
	tw_buf_addf(&w->why, "%s\n", what);
}

/* Is there a line of the tool's own? */
static bool has_message(const struct sweep *w)
{
	const char *at = tw_buf_str(&w->stage.err);
	size_t n = strlen(w->verb->words[0]);

	for (; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, w->verb->words[0], n) == 0 && at[n] == ':')
			return true;
	}
	return false;
}

static void check_end(struct sweep *w, int status)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	char text[80];

	if (planted(w, "signal"))
		status = 11, code = -1;
	if (planted(w, "status"))
		status = 70 << 8, code = 70;
	if (planted(w, "silence"))
		tw_buf_reset(&w->stage.err);
	if (status == STAGE_HUNG)
		wrong(w, "it hung");
	else if (code < 0) {
		snprintf(text, sizeof text, "ended by signal %d",
		    WTERMSIG(status));
		wrong(w, text);
	} else if (!is_good(w, status) && code != 65 && code != 75 &&
	    code != 78) {
		snprintf(text, sizeof text, "exit status %d", code);
		wrong(w, text);
	} else if (!is_good(w, status) && !has_message(w)) {
		wrong(w, "no message came with the exit status");
	}
	if (planted(w, "short") && w->stage.out.len)
		w->stage.out.data[w->stage.out.len / 2] = '\0';
	if (code == 0 && w->verb->is_read &&
	    strcmp(tw_buf_str(&w->told), tw_buf_str(&w->stage.out)) != 0)
		wrong(w, "exit status 0, but it has not said all");
	if (code == 0 && !w->verb->is_pass && !w->verb->finish[0] &&
	    !is_same(w, &w->after)) {
		wrong(w, "exit status 0, but it was not done:");
		stage_diff(tw_buf_str(&w->after), tw_buf_str(&w->now),
		    &w->why);
	}
}

static bool check_state(struct sweep *w)
{
	bool is_after;

	if (access(w->stage.state, F_OK) < 0 ||
	    (w->verb->is_empty && is_same(w, &w->before)))
		return false;
	if (!stage_sound(&w->stage, w->stage.state, &w->why))
		return false;
	is_after = is_same(w, &w->after);
	if (!is_after && !w->verb->is_pass && !w->verb->is_empty &&
	    !w->verb->finish[0] && !is_same(w, &w->before)) {
		wrong(w, "the state is neither as before nor as after:");
		stage_diff(tw_buf_str(&w->before), tw_buf_str(&w->now),
		    &w->why);
	}
	return is_after;
}

static void check_rerun(struct sweep *w, bool is_after)
{
	int status = 0, i;

	if (planted(w, "lost"))
		goto end;
	if (!is_after && w->verb->finish[0] && !is_same(w, &w->before))
		status = stage_run(&w->stage, w->verb->finish, NULL, NULL);
	else if (!is_after || w->verb->is_again || w->verb->is_pass)
		status = run(w, NULL);
	for (i = 0; w->verb->is_pass && i < PASSES_MAX &&
	    !is_same(w, &w->after); i++) {
		hurry(w);
		status = run(w, NULL);
	}
	if (!is_good(w, status)) {
		tw_buf_addf(&w->why, "run again: status %x: %s",
		    (unsigned)status, tw_buf_str(&w->stage.err));
	}
end:
	stage_settle(&w->stage);
	if (!is_same(w, &w->after)) {
		wrong(w, "run again, it does not come to the same end:");
		stage_diff(tw_buf_str(&w->after), tw_buf_str(&w->now),
		    &w->why);
	}
	stage_log(&w->stage, &w->log_now);
	if (strcmp(tw_buf_str(&w->log_now), tw_buf_str(&w->log_after)) != 0) {
		wrong(w, "steps have not run exactly once:");
		stage_diff(tw_buf_str(&w->log_after),
		    tw_buf_str(&w->log_now), &w->why);
	}
}

/* --- explaining -------------------------------------------------------------------- */

static const char *act_name(const struct fault *f)
{
	switch (f->act) {
	case FAULT_SHORT:
		return "short";
	case FAULT_KILL_BEFORE:
		return "killed before";
	case FAULT_KILL_AFTER:
		return "killed after";
	default:
		return strerrorname_np(f->error);
	}
}

static void explain(struct sweep *w, const struct fault *f, long n,
    int status, const struct tw_buf *said, const struct fault_plan *p)
{
	char *text = strdup(tw_buf_str(&w->why)), *save = NULL, *line;
	int i;

	printf("# %s: %s %ld %s%s: status %x\n", w->verb->name,
	    kind_names[f->kind], n, act_name(f), f->is_forever ?
	    " for ever" : "", (unsigned)status);
	for (line = strtok_r(text, "\n", &save); line;
	    line = strtok_r(NULL, "\n", &save))
		printf("#   %.300s\n", line);
	printf("#   it said: %.300s%s", tw_buf_str(said),
	    said->len ? "" : "nothing\n");
	printf("#   at:");
	for (i = 0; i < p->ntrace; i++)
		printf(" %#llx", (unsigned long long)p->trace[i]);
	printf("\n");
	free(text);
}

/* --- the sweep --------------------------------------------------------------------- */

/* False: the run was untouched. */
static bool one(struct sweep *w, const struct fault *f, long n,
    bool *is_wrong)
{
	struct fault_plan plan = { .kind = (int32_t)f->kind,
		.act = (int32_t)f->act, .error = f->error, .n = n,
		.forever = f->is_forever };
	bool is_kill = f->act == FAULT_KILL_BEFORE ||
	    f->act == FAULT_KILL_AFTER, is_after;
	struct tw_buf said = TW_BUF_INIT;
	int status;

	prepare(w);
	tw_buf_reset(&w->why);
	if (w->is_power)
		snprintf(plan.log, sizeof plan.log, "%s/record", w->scene);
	unlink(plan.log);
	status = run(w, &plan);
	plan = *w->stage.plan;
	if (w->is_power && plan.fired)
		lose_unsynced(w, plan.log);
	tw_buf_adds(&said, tw_buf_str(&w->stage.err));
	if (plan.fired)
		plant(w);
	if (!plan.fired && !is_good(w, status))
		wrong(w, "untouched, and yet it fails");
	else if (!plan.fired && !is_same(w, &w->after))
		wrong(w, "untouched, and yet it is not done");
	else if (is_kill && plan.fired && (status == STAGE_HUNG ||
	    !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL))
		wrong(w, "it was not killed");
	else if (!is_kill)
		check_end(w, status);
	is_after = check_state(w);
	if (!w->why.len || !planted(w, "damage"))
		check_rerun(w, is_after);
	*is_wrong = w->why.len > 0;
	if (*is_wrong)
		explain(w, f, n, status, &said, &plan);
	tw_buf_release(&said);
	return plan.fired > 0;
}

#define SHOWN_MAX 5		/* explanations a verb and kind */

static void sweep_kind(struct sweep *w, enum fault_kind kind)
{
	long *list, done = 0, bad = 0;
	bool is_wrong;
	size_t i, k, n;

	list = table_choose((long)w->calls[kind], w->sample, &w->seed, &n);
	for (i = 0; i < w->nfaults; i++) {
		const struct fault *f = &w->faults[i];

		if (f->kind != kind || (w->is_few && !f->is_first))
			continue;
		for (k = 0; k < n && bad < SHOWN_MAX; k++) {
			if ((w->only && list[k] != w->only) || (w->last &&
			    list[k] <= (long)w->calls[kind] - w->last))
				continue;
			if (one(w, f, list[k], &is_wrong))
				done++;
			else
				w->nuntouched++;
			bad += is_wrong;
		}
		/* a run may make more calls than the first did */
		for (k = (size_t)w->calls[kind] + 1; !w->sample &&
		    !w->only && bad < SHOWN_MAX && one(w, f, (long)k, &is_wrong); k++) {
			done++;
			bad += is_wrong;
		}
	}
	free(list);
	w->ntests++;
	w->nfaults_done += done;
	if (bad)
		w->nfailed++;
	printf("%sok %zu - %s: %s: %lld calls, %ld faults\n", bad ? "not " :
	    "", w->ntests, w->verb->name, kind_names[kind],
	    (long long)w->calls[kind], done);
	fflush(stdout);
}

static void sweep_verb(struct sweep *w)
{
	int kind;

	baseline(w);
	for (kind = FAULT_NONE + 1; kind < FAULT_KINDS; kind++) {
		size_t i;

		for (i = 0; i < w->nfaults &&
		    (int)w->faults[i].kind != kind; i++)
			;
		if (i < w->nfaults && w->calls[kind] && (!w->only_kind ||
		    strcmp(w->only_kind, kind_names[kind]) == 0))
			sweep_kind(w, (enum fault_kind)kind);
	}
}

static const char *option(int argc, char **argv, const char *name)
{
	size_t n = strlen(name);
	int i;

	for (i = 4; i < argc; i++)
		if (strncmp(argv[i], name, n) == 0 && argv[i][n] == '=')
			return argv[i] + n + 1;
	return NULL;
}

int main(int argc, char **argv)
{
	const char *sample, *seed, *how, *n_, *last;
	struct sweep w = { .seed = 1 };
	struct table_verb *verbs;
	size_t n, i;

	if (argc < 4)
		stage_die("usage: sweep SCENE SHIM TABLE [OPTION=VALUE...]");
	sample = option(argc, argv, "sample");
	seed = option(argc, argv, "seed");
	how = option(argc, argv, "do");
	n_ = option(argc, argv, "n");
	last = option(argc, argv, "last");
	w.only = n_ ? atol(n_) : 0;
	w.last = last ? atol(last) : 0;
	w.sample = sample ? atol(sample) : 0;
	w.seed = seed ? strtoul(seed, NULL, 10) : 1;
	w.is_few = option(argc, argv, "few") != NULL;
	w.only_kind = option(argc, argv, "kind");
	w.plant = option(argc, argv, "plant");
	w.faults = fails;
	w.nfaults = sizeof fails / sizeof *fails;
	w.scene = argv[1];
	w.is_power = how && strcmp(how, "power") == 0;
	if (w.is_power || (how && strcmp(how, "kill") == 0)) {
		w.faults = kills;
		w.nfaults = sizeof kills / sizeof *kills;
	}
	stage_init(&w.stage, argv[1], argv[2]);
	stage_save(&w.stage);
	verbs = table_read(argv[3], option(argc, argv, "verb"), &n);
	for (i = 0; i < n; i++) {
		w.verb = &verbs[i];
		if (w.is_power && (w.verb->is_child || w.verb->is_keyless))
			stage_die("%s: not from the scene as it was saved",
			    w.verb->name);
		sweep_verb(&w);
	}
	printf("1..%zu\n# seed %s\n# figures: %ld %s, %ld runs untouched\n",
	    w.ntests, seed ? seed : "1", w.nfaults_done,
	    w.is_power ? "kills and losses of power" :
	    w.faults == kills ? "kills" : "failed calls", w.nuntouched);
	stage_release(&w.stage);
	return w.nfailed > 0;
}
