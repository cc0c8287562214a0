/*
 * cut.c - cuts the connection after byte k, k = 0, 1, 2 …, in either direction,
 *         and looks at what the tower and the host make of it
 *
 *   cut SCENE HOST WAY [OPTION=VALUE…]
 *
 * SCENE is as tests/wire/cut.t makes it, HOST one of its hosts with what waits
 * there.  The runner is the real one, and so is the executor, which runs here on
 * pipes (ssh/fake.h).  WAY says which connection is cut where: see ways[].
 *
 *   sample=N       about N places, not all
 *   seed=N         for the sample, and for where earlier connections are cut
 *   k=N            that place alone
 *   from=N         without a sample: from there on
 *   chain=N        as long as less than the executor's text was sent, of which
 *                  a host makes nothing, so many places in turn on one change
 *                  (default 1)
 *   plant=NAME     a fault in the test itself, which must be found: see plant()
 *
 * Prints TAP: one line and the counts, without the plan.
 *
 * After the cut there are passes until nothing is left to do.  Then this must
 * hold:
 *
 *   - the state says what it says after a run that was not cut: how each change
 *     and step ended, all of their output, each audit record once;
 *   - it is sound, and the audit trail verifies;
 *   - each step and each undo left its line on the host exactly once;
 *   - with the next request the host keeps nothing but its verdicts.
 */
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../fault/stage.h"
#include "../fault/table.h"
#include "engine/runner.h"
#include "engine/survey.h"
#include "engine/wire.h"
#include "ssh/fake.h"

#define PASSES_MAX 8		/* after the cuts, until nothing is left */
#define CONTACTS 300
#define SESSIONS_MS 60000	/* what was cut off has ended on the host */
#define NAP_MS 10
#define SHOWN_MAX 5

struct way {
	const char *name;
	bool is_sent;		/* to the host, or from it */
	int contact;		/* that one, from 0 */
	int times;		/* and as many after it */
	bool is_resume;		/* the one before is cut in mid-answer */
};

static const struct way ways[] = {
	{ "start-sent", true, 0, 1, false },
	{ "start-received", false, 0, 1, false },
	{ "resume-sent", true, 1, 1, true },
	{ "resume-received", false, 1, 1, true },
	{ "each-received", false, 0, 6, false },
	/* the second change's start, which acknowledges the first */
	{ "next-sent", true, 1, 1, false },
	{ "next-received", false, 1, 1, false },
};

struct contact {
	struct tw_fake_faults faults;
	struct tw_fake_counts counts;	/* of it, in the last run */
};

static struct {
	struct stage stage;
	const struct way *way;
	const char *host, *plant;
	long sample, only, from, chain;
	unsigned long seed;

	struct tw_store *store;
	struct contact contacts[CONTACTS];
	int at;			/* the contact that comes next */
	int cut_last;		/* the last one that is to be cut */
	struct tw_fake_counts seen;	/* when the last one began */
	long answer;		/* bytes of the first one's, without a cut */

	struct tw_buf after, log_after, done_after, now, log_now, why;
	long nplaces, nruns, ncuts, nuntouched, nbad;
} c;

static void wrong(const char *what)
{
	tw_buf_addf(&c.why, "%s\n", what);
}

/* --- the state, behind the library's back ----------------------------------------- */

/* The first column of the first row, or 0. */
static sqlite3_int64 sql(const char *text)
{
	sqlite3_int64 value = 0;
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	char *path;
	int rc;

	if (asprintf(&path, "%s/state.db", c.stage.state) < 0)
		stage_die("no memory");
	if (sqlite3_open(path, &db) != SQLITE_OK ||
	    sqlite3_busy_timeout(db, 10000) != SQLITE_OK ||
	    sqlite3_prepare_v2(db, text, -1, &st, NULL) != SQLITE_OK)
		stage_die("%s: %s", text, sqlite3_errmsg(db));
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		value = sqlite3_column_int64(st, 0);
	else if (rc != SQLITE_DONE)
		stage_die("%s: %s", text, sqlite3_errmsg(db));
	sqlite3_finalize(st);
	sqlite3_close(db);
	free(path);
	return value;
}

/* Is something left to do there? */
static bool is_pending(void)
{
	char text[160];

	snprintf(text, sizeof text, "SELECT count(*) FROM change WHERE status "
	    "IN ('queued', 'running') AND host_name = '%s'", c.host);
	return sql(text) > 0;
}

/* --- the host ---------------------------------------------------------------------- */

static char *spool(const char *name)
{
	char *path;

	if (asprintf(&path, "%s/spool-%s/%s", c.stage.dir, c.host, name) < 0)
		stage_die("no memory");
	return path;
}

/* Waits for the directory of the spool to be empty. */
static bool is_emptied(const char *name, int limit_ms)
{
	char *path = spool(name);
	bool is_empty = false;
	struct dirent *e;
	int waited;
	DIR *d;

	for (waited = 0; !is_empty && waited <= limit_ms; waited += NAP_MS) {
		if (waited)
			poll(NULL, 0, NAP_MS);
		d = opendir(path);
		if (!d)
			stage_die("%s", path);
		is_empty = true;
		while ((e = readdir(d)))
			is_empty = is_empty && e->d_name[0] == '.';
		closedir(d);
	}
	free(path);
	return is_empty;
}

/* Sessions that were cut off go on as on a host; a loop does not wait for them.
 * They must come to their end. */
static void end_sessions(void)
{
	int waited;
	pid_t pid;

	for (waited = 0; waited < SESSIONS_MS; waited += NAP_MS) {
		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (pid < 0)
			return;
		poll(NULL, 0, NAP_MS);
	}
	wrong("a session that nobody hears does not end");
}

/* Verdicts in the order they came: "SEQ VERDICT". */
static void read_done(struct tw_buf *b)
{
	char *path = spool("done"), line[256], verdict[32];
	FILE *f = fopen(path, "re");
	long seq;

	tw_buf_reset(b);
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "%*s %*s %ld %*s %31s", &seq, verdict) == 2)
			tw_buf_addf(b, "%ld %s\n", seq, verdict);
	if (f)
		fclose(f);
	free(path);
}

/* --- passes ------------------------------------------------------------------------- */

static void count_contact(void)
{
	struct tw_fake_counts now = tw_fake_counts;

	if (c.at > 0)
		c.contacts[c.at - 1].counts = (struct tw_fake_counts){
			now.sent - c.seen.sent, now.received - c.seen.received,
			now.cuts - c.seen.cuts };
	c.seen = now;
}

static void arm(void)
{
	static const struct tw_fake_faults none = { .cut_sent = -1,
		.cut_received = -1 };

	tw_fake_faults = c.at < CONTACTS ? c.contacts[c.at].faults : none;
}

/* The link has taken the faults that were set. */
static void on_report(void *arg, const struct tw_report *r)
{
	(void)arg;
	if (r->kind == TW_REPORT_CONNECT) {
		if (c.at < CONTACTS)
			count_contact();
		c.at++;
		arm();
	} else if (r->kind == TW_REPORT_TROUBLE) {
		raise(SIGTERM);
	}
}

static void open_store(void)
{
	struct tw_err err = { 0 };

	if (tw_store_open(c.stage.state, TW_STORE_WRITE, &c.store, &err))
		stage_die("%s", err.msg);
}

/* One run of the runner; a trouble ends it. */
static void pass(void)
{
	const char *hosts[] = { c.host, NULL };
	struct tw_runner_options o = { .transport = &tw_transport_fake,
		.hosts = hosts, .report = on_report };
	struct tw_pass_result result;
	struct tw_err err = { 0 };

	sql("UPDATE host SET next_attempt = NULL");
	o.org_id = sql("SELECT id FROM org WHERE name = 'default'");
	open_store();
	o.store = c.store;
	if (tw_runner_pass(&o, &result, &err))
		tw_buf_addf(&c.why, "a pass ended with: %s\n", err.msg);
	tw_store_close(c.store);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* The next request, by which the host learns that all was stored. */
static void acknowledge(void)
{
	struct tw_survey_host asked = { 0 };
	struct tw_host host = { 0 };
	struct tw_survey_options o = { .verb = "facts",
		.transport = &tw_transport_fake };
	struct tw_err err = { 0 };
	char text[80];

	snprintf(text, sizeof text, "SELECT id FROM host WHERE name = '%s'",
	    c.host);
	open_store();
	o.store = c.store;
	c.at = CONTACTS;
	arm();
	asked.host = &host;
	if (tw_host_load(c.store, sql(text), &host, &err) ||
	    tw_survey(&asked, 1, &o, &err))
		stage_die("%s", err.msg);
	if (asked.status)
		tw_buf_addf(&c.why, "the host does not answer: %s\n",
		    asked.err.msg);
	tw_survey_release(&asked, 1);
	tw_host_release(&host);
	tw_store_close(c.store);
}

/* --- one run -------------------------------------------------------------------------- */

/* What is planted, after the run:
 *   twice    a step has run twice on the host
 *   output   a piece of output was stored twice
 *   lost     a piece of output was lost
 *   audit    an audit record was changed
 *   job      the host kept a job
 *   verdict  a change ended otherwise
 *   undone   no pass is run after the cut */
static bool planted(const char *name)
{
	return c.plant && strcmp(c.plant, name) == 0;
}

static void plant(void)
{
	char *path;
	FILE *f;

	if (planted("twice")) {
		if (asprintf(&path, "%s/traces/log", c.stage.dir) < 0 ||
		    !(f = fopen(path, "ae")))
			stage_die("log");
		fprintf(f, "%s 1 1\n", c.host);
		fclose(f);
		free(path);
	}
	if (planted("output"))
		sql("INSERT INTO output (change_id, k, phase, at, data) "
		    "SELECT change_id, k, phase, at, data FROM output "
		    "ORDER BY id DESC LIMIT 1");
	if (planted("lost"))
		sql("DELETE FROM output WHERE id = (SELECT max(id) FROM "
		    "output)");
	if (planted("audit")) {
		sql("DROP TRIGGER audit_no_update");
		sql("UPDATE audit SET at = at + 1 WHERE seq = 3");
	}
	if (planted("verdict"))
		sql("UPDATE change SET status = CASE status WHEN 'succeeded' "
		    "THEN 'failed' ELSE 'succeeded' END");
}

/* The places from k on, as many contacts as it takes. */
static void schedule(long k, long n)
{
	const struct way *w = c.way;
	struct tw_fake_faults none = { .cut_sent = -1, .cut_received = -1 };
	int i, first = w->contact;

	for (i = 0; i < CONTACTS; i++)
		c.contacts[i].faults = none;
	c.at = 0;
	c.cut_last = -1;
	if (k < 0)
		return;
	if (w->is_resume)
		c.contacts[0].faults.cut_received = c.answer / 3 +
		    (long)(table_random(&c.seed) %
		    (unsigned long)(c.answer / 3));
	for (i = first; i < first + (n > 1 ? (int)n : w->times); i++) {
		if (w->is_sent)
			c.contacts[i].faults.cut_sent = k;
		else
			c.contacts[i].faults.cut_received = k;
		k += n > 1;
		c.cut_last = i;
	}
}

static void compare(const struct tw_buf *was, const struct tw_buf *is,
    const char *what)
{
	if (strcmp(tw_buf_str(was), tw_buf_str(is)) == 0)
		return;
	wrong(what);
	stage_diff(tw_buf_str(was), tw_buf_str(is), &c.why);
}

/* No more than part of the executor came: the host has done nothing at all. */
static void check_nothing(long k)
{
	if (c.way->is_sent && c.way->contact == 0 &&
	    k < (long)tw_executor_text_len && !is_emptied("jobs", 0))
		wrong("half an executor was run");
}

static void check(void)
{
	if (is_pending())
		wrong("it does not come to its end");
	stage_digest(c.stage.state, &c.now);
	compare(&c.after, &c.now, "the state is not as without a cut:");
	stage_log(&c.stage, &c.log_now);
	compare(&c.log_after, &c.log_now, "steps have not run exactly once:");
	stage_sound(&c.stage, c.stage.state, &c.why);
	acknowledge();
	if (planted("job")) {
		char *path = spool("jobs/x");

		if (mkdir(path, 0700) < 0)
			stage_die("%s", path);
		free(path);
	}
	if (!is_emptied("jobs", planted("job") ? 0 : SESSIONS_MS))
		wrong("the host keeps a job that was acknowledged");
	end_sessions();
	if (!is_emptied("in", 0))
		wrong("the host keeps an upload");
	read_done(&c.now);
	compare(&c.done_after, &c.now, "the host's verdicts are others:");
}

static void run(long k, long n)
{
	int passes = 0;

	stage_restore(&c.stage);
	tw_buf_reset(&c.why);
	memset(&tw_fake_counts, 0, sizeof tw_fake_counts);
	memset(&c.seen, 0, sizeof c.seen);
	schedule(k, n);
	arm();
	do {
		pass();
		if (n > 1 && c.at == c.cut_last + 1)
			check_nothing(k + n - 1);
	} while (is_pending() && !planted("undone") &&
	    (c.at <= c.cut_last || passes++ < PASSES_MAX));
	count_contact();
	c.ncuts += tw_fake_counts.cuts;
	c.nruns++;
}

static void explain(long k, long n)
{
	char *text = strdup(tw_buf_str(&c.why)), *save = NULL, *line;

	printf("# %s: %s after %ld", c.host, c.way->name, k);
	if (n > 1)
		printf(" to %ld", k + n - 1);
	printf("\n");
	for (line = strtok_r(text, "\n", &save); line;
	    line = strtok_r(NULL, "\n", &save))
		printf("#   %.300s\n", line);
	fflush(stdout);
	free(text);
}

/* n places from k on; false: the connection that is meant was not cut. */
static bool one(long k, long n)
{
	bool is_cut;

	run(k, n);
	is_cut = c.contacts[c.way->contact].counts.cuts > 0;
	plant();
	check();
	c.nuntouched += !is_cut;
	c.nplaces += is_cut ? n : 0;
	if (c.why.len) {
		c.nbad++;
		if (c.nbad <= SHOWN_MAX)
			explain(k, n);
	}
	return is_cut;
}

/* The same without a cut where the way has one. */
static long baseline(void)
{
	struct contact *con = &c.contacts[c.way->contact];

	run(-1, 1);
	if (is_pending() || c.why.len)
		stage_die("%s: it does not end without a cut either: %s",
		    c.host, tw_buf_str(&c.why));
	stage_digest(c.stage.state, &c.after);
	stage_log(&c.stage, &c.log_after);
	acknowledge();
	if (!is_emptied("jobs", SESSIONS_MS))
		stage_die("%s: the job stays", c.host);
	read_done(&c.done_after);
	/* where an earlier one is cut, what this one brings is known then */
	if (c.way->is_resume) {
		c.answer = c.contacts[0].counts.received;
		run(1L << 40, 1);
		end_sessions();
	}
	return c.way->is_sent ? con->counts.sent : con->counts.received;
}

/* All, to the first run that is not cut beyond what the baseline had. */
static void sweep_all(long total)
{
	long k, n, executor = (long)tw_executor_text_len;

	for (k = c.from;; k += n) {
		n = c.chain > 1 && c.way->is_sent && k < executor ? c.chain : 1;
		if (n > executor - k && n > 1)
			n = executor - k;
		if (!one(k, n) && k > total)
			return;
	}
}

static void sweep(void)
{
	long total = baseline(), *list;
	size_t n = 0, i;

	c.nruns = c.ncuts = 0;
	if (c.only >= 0) {
		one(c.only, 1);
	} else if (c.sample <= 0) {
		sweep_all(total);
	} else {
		list = table_choose(total + 1, c.sample, &c.seed, &n);
		for (i = 0; i < n; i++)
			one(list[i] - 1, 1);
		free(list);
	}
	printf("%sok 1 - %s: %s: %ld bytes, %ld places\n", c.nbad ? "not " : "",
	    c.host, c.way->name, total, c.nplaces);
	printf("# figures: %ld cut connections, %ld runs with cuts\n", c.ncuts,
	    c.nruns);
}

/* --- options ------------------------------------------------------------------------- */

static void option(const char *arg)
{
	const char *value = strchr(arg, '=');

	if (!value)
		stage_die("%s: not an option", arg);
	value++;
	if (strncmp(arg, "sample=", 7) == 0)
		c.sample = strtol(value, NULL, 10);
	else if (strncmp(arg, "seed=", 5) == 0)
		c.seed = strtoul(value, NULL, 10);
	else if (strncmp(arg, "k=", 2) == 0)
		c.only = strtol(value, NULL, 10);
	else if (strncmp(arg, "from=", 5) == 0)
		c.from = strtol(value, NULL, 10);
	else if (strncmp(arg, "chain=", 6) == 0)
		c.chain = strtol(value, NULL, 10);
	else if (strncmp(arg, "plant=", 6) == 0)
		c.plant = value;
	else
		stage_die("%s: not an option", arg);
	if (c.chain < 1 || c.chain > CONTACTS - 2)
		stage_die("%s: 1 to %d", arg, CONTACTS - 2);
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc < 4)
		stage_die("usage: cut SCENE HOST WAY [OPTION=VALUE...]");
	stage_init(&c.stage, argv[1], "");
	c.host = argv[2];
	for (i = 0; i < sizeof ways / sizeof *ways; i++)
		if (strcmp(argv[3], ways[i].name) == 0)
			c.way = &ways[i];
	if (!c.way)
		stage_die("%s: no such way", argv[3]);
	c.only = -1;
	c.chain = 1;
	c.seed = 1;
	for (i = 4; i < (size_t)argc; i++)
		option(argv[i]);
	stage_save(&c.stage);
	sweep();
	printf("1..1\n");
	stage_release(&c.stage);
	return c.nbad ? 1 : 0;
}
