/*
 * test_runner.c - the runner against the real executor, over the fake transport
 *
 * Hosts are directories: the fake runs the remote command here, with HOME set
 * to the host's address.  Each step writes a line into a log of its host, which
 * is what "exactly once" is judged by.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/io.h"
#include "engine/runner.h"
#include "engine/survey.h"
#include "engine/wire.h"
#include "model/fixture.h"
#include "spec/change_spec.h"
#include "spec/program.h"
#include "ssh/fake.h"

static char home[3][300], log_path[3][320];
static struct tw_pass_result result;

/* What reach.c compares, so that no `ssh -G` runs. */
static char *config_json(void)
{
	struct stat sb;
	char *json;
	long long t = 0;

	if (stat("/etc/ssh/ssh_config", &sb) == 0)
		t = (long long)sb.st_mtim.tv_sec * 1000000000 +
		    sb.st_mtim.tv_nsec;
	ck_assert_int_gt(asprintf(&json, "{\"mtime\":%lld}", t), 0);
	return json;
}

static void pin_spool(struct tw_host *h)
{
	struct tw_survey_options o = { .store = store, .verb = "init",
	    .transport = &tw_transport_fake };
	struct tw_survey_host asked = { .host = h };

	OK(tw_survey(&asked, 1, &o, &err));
	ck_assert_msg(asked.status == TW_OK, "%s", asked.err.msg);
	ck_assert_ptr_nonnull(strstr(asked.facts, "\"missing\":\"\""));
	OK(tw_host_checked(store, &alice, h->id, asked.facts, asked.spool_id,
	    "fake", &err));
	tw_survey_release(&asked, 1);
}

static void make_host(int i)
{
	struct tw_host h = { 0 };
	char name[8];

	ck_assert_int_lt(snprintf(home[i], sizeof home[i], "%s/host%d",
	    fix_root, i), sizeof home[i]);
	ck_assert_int_lt(snprintf(log_path[i], sizeof log_path[i], "%s/log",
	    home[i]), sizeof log_path[i]);
	ck_assert_int_lt(snprintf(name, sizeof name, "h%d", i), sizeof name);
	ck_assert_int_eq(mkdir(home[i], 0700), 0);
	h.name = strdup(name);
	h.address = strdup(home[i]);
	h.port = 22;
	h.user = strdup("root");
	h.hostkey = strdup("ssh-ed25519 AAAA");
	h.transport = strdup("auto");
	ck_assert_int_gt(asprintf(&h.spool, "%s/spool", home[i]), 0);
	h.own_config = true;
	h.sshconfig = config_json();
	OK(tw_host_add(store, &alice, &h, &err));
	pin_spool(&h);
	tw_host_release(&h);
}

static void begin(void)
{
	setup();
	setenv("HOME", fix_root, 1);
	tw_fake_faults = (struct tw_fake_faults){ .cut_sent = -1,
	    .cut_received = -1 };
	for (int i = 0; i < 3; i++)
		make_host(i);
}

/* --- changes ----------------------------------------------------------------- */

static const char *fix_secret;	/* the value of parameter "pw", or NULL */

/* Compiles yaml and files it for host i; "LOG" in it is the host's log. */
static int64_t file_yaml(int i, const char *yaml)
{
	struct tw_param_given pw = { "pw", 2, fix_secret, fix_secret ?
	    strlen(fix_secret) : 0, true };
	struct tw_secret secret = { "pw", fix_secret };
	struct tw_successor next = { 0 };
	struct tw_buf source = TW_BUF_INIT, text = TW_BUF_INIT,
	    blob = TW_BUF_INIT;
	struct tw_change_spec *spec = NULL;
	struct tw_param_values values = { 0 };
	struct tw_diags ds = { .file = "test" };
	struct tw_step steps[8] = { { 0 } };
	struct tw_filing f = filing();
	int64_t num;
	const char *p, *at;
	char host[8];
	long room = 0;
	size_t k;

	for (p = yaml; (at = strstr(p, "LOG")); p = at + 3) {
		tw_buf_add(&source, p, (size_t)(at - p));
		tw_buf_adds(&source, log_path[i]);
	}
	tw_buf_adds(&source, p);
	ck_assert_msg(tw_change_spec_parse(source.data, source.len, NULL, &ds,
	    &spec, &err) == TW_OK, "%s", ds.n ? ds.v[0].msg : err.msg);
	OK(tw_params_check(&spec->params, &pw, fix_secret != NULL, &ds,
	    &values, &err));
	OK(tw_program_make(spec, &values, &text, &blob, &room, &err));
	ck_assert(spec->nsteps <= 8);
	for (k = 0; k < spec->nsteps; k++) {
		const struct tw_step_spec *s = &spec->steps[k];

		steps[k].k = (int64_t)k + 1;
		steps[k].name = (char *)s->name;
		steps[k].kind = (char *)(s->kind == TW_STEP_FILE ? "file" :
		    "run");
		steps[k].undoable = (char *)(s->undo_kind == TW_UNDO_SCRIPT ?
		    "script" : s->undo_kind == TW_UNDO_AUTO ? "auto" :
		    s->undo_kind == TW_UNDO_NOTHING ? "nothing" : "none");
		steps[k].has_check = s->check || s->unless ||
		    s->kind == TW_STEP_FILE;
		steps[k].retries = s->retries;
		steps[k].timeout = s->timeout_ms;
		steps[k].longest = tw_step_spec_longest(s);
		steps[k].confirm = s->confirm_ms;
	}
	f.file = source.data;
	f.file_len = source.len;
	f.program = text.data;
	f.program_len = text.len;
	f.blob = blob.data;
	f.blob_len = blob.len;
	f.room = room;
	f.steps = steps;
	f.nsteps = spec->nsteps;
	next.port = (int)spec->successor.port;
	f.successor = &next;
	f.secrets = &secret;
	f.nsecrets = fix_secret != NULL;
	snprintf(host, sizeof host, "h%d", i);
	num = file_with(&alice, host, &f);
	tw_param_values_release(&values);
	tw_change_spec_free(spec);
	tw_diags_release(&ds);
	tw_buf_release(&source);
	tw_buf_release(&text);
	tw_buf_release(&blob);
	return num;
}

#define THREE_STEPS \
	"towerify: 1\n" \
	"steps:\n" \
	"  - {run: echo one >>LOG, undo: echo back one >>LOG}\n" \
	"  - {run: echo two >>LOG; echo hello, undo: echo back two >>LOG}\n" \
	"  - {run: echo three >>LOG, undo: echo back three >>LOG}\n"
#define THREE_LINES "one\ntwo\nthree\n"

static char *log_of(int i)
{
	struct tw_buf b = TW_BUF_INIT;

	tw_io_read_file(log_path[i], &b, NULL);
	return tw_buf_detach(&b);
}

static void check_log(int i, const char *want)
{
	char *text = log_of(i);

	ck_assert_str_eq(text, want);
	free(text);
}

/* A trouble ends the pass here: the next one starts without the fault. */
static void stop_at_trouble(void *arg, const struct tw_report *r)
{
	(void)arg;
	if (r->kind == TW_REPORT_TROUBLE)
		raise(SIGTERM);
}

/* Ends the pass once the host has the change. */
static void stop_at_step(void *arg, const struct tw_report *r)
{
	(void)arg;
	if (r->kind == TW_REPORT_STEP)
		raise(SIGTERM);
}

static void pass_with(void (*report)(void *, const struct tw_report *))
{
	struct tw_runner_options o = { .store = store,
	    .transport = &tw_transport_fake, .report = report };

	OK(tw_runner_pass(&o, &result, &err));
}

static void pass(void)
{
	pass_with(NULL);
}

/* The next attempt need not be waited for. */
static void attempt_now(void)
{
	raw("UPDATE host SET next_attempt = NULL");
}

static void check_status(int64_t num, enum tw_change_status want,
    const char *reason)
{
	char text[64];

	ck_assert_str_eq(tw_change_status_name(status_of(num, text)),
	    tw_change_status_name(want));
	ck_assert_str_eq(text, reason);
}

START_TEST(a_change_succeeds_and_all_of_it_is_stored)
{
	int64_t num = file_yaml(0, THREE_STEPS), count = 0, bad = 0;
	uint8_t none[32] = { 0 };

	pass();
	check_status(num, TW_CHANGE_SUCCEEDED, "");
	check_log(0, THREE_LINES);
	ck_assert_int_eq(result.succeeded, 1);
	ck_assert_int_eq(number("SELECT count(*) FROM step WHERE state = "
	    "'done' AND started IS NOT NULL AND ended >= started"), 3);
	/* in one chunk or two, as the stream came */
	ck_assert_int_eq(number("SELECT group_concat(CAST(data AS TEXT), '') ="
	    " 'hello' || char(10) FROM (SELECT data FROM output WHERE k = 2"
	    " ORDER BY id)"), 1);
	ck_assert_int_eq(audit_of(alice.org_id, "step.end").count, 3);
	ck_assert_int_eq(audit_of(alice.org_id, "change.end").count, 1);
	OK(tw_audit_verify(store, &alice, false, 0, none, &count, &bad,
	    NULL, &err));
}
END_TEST

START_TEST(a_failure_is_undone_in_reverse)
{
	int64_t num = file_yaml(0, "towerify: 1\n"
	    "steps:\n"
	    "  - {run: echo one >>LOG, undo: echo back one >>LOG}\n"
	    "  - {run: echo two >>LOG, undo: nothing}\n"
	    "  - name: third\n"
	    "    run: echo three >>LOG; exit 7\n"
	    "    undo: echo back three >>LOG\n"
	    "  - {run: echo four >>LOG, undo: nothing}\n");

	pass();
	check_status(num, TW_CHANGE_ROLLED_BACK,
	    "step 3 'third': run failed, exit status 7");
	check_log(0, "one\ntwo\nthree\nback three\nback one\n");
	ck_assert_int_eq(result.worst, TW_ROLLED_BACK);
	ck_assert_int_eq(audit_of(alice.org_id, "step.undone").count, 2);
	ck_assert_int_eq(number("SELECT count(*) FROM host WHERE held_reason "
	    "IS NOT NULL"), 0);
}
END_TEST

START_TEST(what_cannot_be_undone_fails_and_holds)
{
	int64_t num = file_yaml(0, "towerify: 1\n"
	    "steps:\n"
	    "  - {run: echo one >>LOG}\n"
	    "  - {run: 'false', undo: nothing}\n");
	int64_t next = file_yaml(0, THREE_STEPS);

	pass();
	ck_assert_int_eq(status_of(num, NULL), TW_CHANGE_FAILED);
	ck_assert_int_eq(status_of(next, NULL), TW_CHANGE_QUEUED);
	check_log(0, "one\n");
	ck_assert_int_eq(result.held, 1);
	ck_assert_int_eq(number("SELECT count(*) FROM host WHERE held_by = "
	    "'tower' AND name = 'h0'"), 1);
	/* released, the queue goes on; the host is told to drop its mark */
	OK(tw_host_release_hold(store, &alice, "h0", &err));
	pass();
	check_status(next, TW_CHANGE_SUCCEEDED, "");
	check_log(0, "one\n" THREE_LINES);
}
END_TEST

START_TEST(changes_of_a_host_run_in_order_hosts_side_by_side)
{
	int64_t nums[6];

	for (int i = 0; i < 6; i++)
		nums[i] = file_yaml(i % 3, i < 3 ?
		    "towerify: 1\nsteps: [{run: echo a >>LOG}]\n" :
		    "towerify: 1\nsteps: [{run: echo b >>LOG}]\n");
	pass();
	for (int i = 0; i < 6; i++)
		check_status(nums[i], TW_CHANGE_SUCCEEDED, "");
	for (int i = 0; i < 3; i++)
		check_log(i, "a\nb\n");
}
END_TEST

START_TEST(an_unreachable_host_keeps_its_queue)
{
	int64_t num = file_yaml(0, THREE_STEPS);

	tw_fake_faults.refuse = true;
	pass();
	ck_assert_int_eq(status_of(num, NULL), TW_CHANGE_QUEUED);
	ck_assert_int_eq(result.unreachable, 1);
	ck_assert_int_eq(number("SELECT failures FROM host WHERE name = "
	    "'h0'"), 1);
	tw_fake_faults.refuse = false;
	pass();			/* its next attempt is not due yet */
	ck_assert_int_eq(status_of(num, NULL), TW_CHANGE_QUEUED);
	attempt_now();
	pass();
	check_status(num, TW_CHANGE_SUCCEEDED, "");
}
END_TEST

START_TEST(a_refused_login_holds_the_host)
{
	int64_t num = file_yaml(0, THREE_STEPS);

	tw_fake_faults.deny = true;
	pass();
	ck_assert_int_eq(status_of(num, NULL), TW_CHANGE_QUEUED);
	ck_assert_int_eq(number("SELECT count(*) FROM host WHERE held_by = "
	    "'tower'"), 1);
	tw_fake_faults.deny = false;
	pass();
	ck_assert_int_eq(status_of(num, NULL), TW_CHANGE_QUEUED);
}
END_TEST

START_TEST(a_lost_spool_holds_the_host_and_runs_nothing)
{
	int64_t num = file_yaml(0, THREE_STEPS);
	char path[400];

	snprintf(path, sizeof path, "%s/spool/id", home[0]);
	ck_assert_int_eq(unlink(path), 0);
	/* that its fence is gone too is not what to say of it */
	raw("UPDATE host SET fence_epoch = 1, fence_seq = 1");
	pass();
	ck_assert_int_eq(status_of(num, NULL), TW_CHANGE_RUNNING);
	ck_assert_int_eq(number("SELECT count(*) FROM host WHERE held_reason "
	    "LIKE 'spool lost or host replaced%'"), 1);
	check_log(0, "");
	/* a further pass makes no further attempt */
	pass();
	ck_assert_int_eq(result.held, 0);
}
END_TEST

/* Another process locks the state while the host works, until it is done. */
static pid_t locker;

static void lock_state(const char *log)
{
	char path[400];
	struct tw_buf b = TW_BUF_INIT;
	sqlite3 *db;
	bool done = false;

	snprintf(path, sizeof path, "%s/state.db", fix_dir);
	/* who waits for this lock holds it for moments itself */
	if (sqlite3_open(path, &db) || sqlite3_busy_timeout(db, 10000) ||
	    sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL))
		_exit(1);
	while (!done) {
		tw_buf_reset(&b);
		tw_io_read_file(log, &b, NULL);
		done = strstr(tw_buf_str(&b), "three") != NULL;
		usleep(10000);
	}
	/* longer than the runner's patience with the last of it */
	usleep(600000);
	sqlite3_close(db);
	_exit(0);
}

static void lock_at_start(void *arg, const struct tw_report *r)
{
	char path[400];
	sqlite3 *db;
	int rc;

	(void)arg;
	if (r->kind != TW_REPORT_CHANGE || locker)
		return;
	locker = fork();
	if (locker == 0)
		lock_state(log_path[0]);
	/* until it has the lock */
	snprintf(path, sizeof path, "%s/state.db", fix_dir);
	do {
		ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
		rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
		sqlite3_close(db);
	} while (rc != SQLITE_BUSY);
}

START_TEST(a_busy_state_is_waited_for)
{
	int64_t num = file_yaml(0, THREE_STEPS);
	int status;

	locker = 0;
	pass_with(lock_at_start);
	ck_assert_int_eq(waitpid(locker, &status, 0), locker);
	ck_assert_int_eq(status, 0);
	check_status(num, TW_CHANGE_SUCCEEDED, "");
	check_log(0, THREE_LINES);
	ck_assert_int_eq(number("SELECT count(*) FROM change WHERE accepted "
	    "IS NOT NULL"), 1);
	ck_assert_int_eq(audit_of(alice.org_id, "change.accept").count, 1);
}
END_TEST

/* A root step that knows the nonce can lie about its own host, not harm others. */
START_TEST(a_lying_host_harms_no_other)
{
	int64_t liar = file_yaml(0, "towerify: 1\n"
	    "steps:\n"
	    "  - run: |\n"
	    "      read -r _ _ _ nonce _ <\"$KEEP/../../meta\"\n"
	    "      for i in 1 2 3 4 5 6 7 8 9 10 11 12; do\n"
	    "        printf '\\n@%s cut 99999999999999 .\\n' \"$nonce\"\n"
	    "        printf '\\n@%s cut 999999999999999999 .\\n' "
	    "\"$nonce\"\n"
	    "      done >>\"$KEEP/../../stream.1\"\n"
	    "    undo: nothing\n");
	int64_t other = file_yaml(1, THREE_STEPS), later;

	pass();
	ck_assert(tw_change_status_is_ended(status_of(liar, NULL)));
	check_status(other, TW_CHANGE_SUCCEEDED, "");
	later = file_yaml(1, THREE_STEPS);
	pass();
	check_status(later, TW_CHANGE_SUCCEEDED, "");
}
END_TEST

static int64_t lost_num;

static void lose_at_start(void *arg, const struct tw_report *r)
{
	struct tw_err e = { 0 };

	(void)arg;
	if (r->kind == TW_REPORT_STEP && r->change == lost_num)
		ck_assert_msg(tw_change_abandon(store, &alice, lost_num,
		    "gone", &e) == TW_OK || e.status == TW_NO, "%s", e.msg);
}

START_TEST(a_change_declared_lost_ends_no_pass)
{
	int64_t other;

	lost_num = file_yaml(0, THREE_STEPS);
	other = file_yaml(1, THREE_STEPS);
	pass_with(lose_at_start);
	ck_assert_int_eq(status_of(lost_num, NULL), TW_CHANGE_UNKNOWN);
	check_status(other, TW_CHANGE_SUCCEEDED, "");
}
END_TEST

static void remove_at_connect(void *arg, const struct tw_report *r)
{
	struct tw_err e = { 0 };

	(void)arg;
	if (r->kind == TW_REPORT_CONNECT && strcmp(r->host, "h0") == 0)
		ck_assert_msg(tw_host_remove(store, &alice, "h0", &e) ==
		    TW_OK, "%s", e.msg);
}

START_TEST(a_host_removed_meanwhile_ends_no_pass)
{
	int64_t num = file_yaml(0, THREE_STEPS);

	tw_fake_faults.refuse = true;
	pass_with(remove_at_connect);
	ck_assert_int_eq(status_of(num, NULL), TW_CHANGE_CANCELLED);
}
END_TEST

/* --- cuts ---------------------------------------------------------------------- */

static long upload_size(void)
{
	return number("SELECT 40 + length(data) FROM content c JOIN change ch "
	    "ON ch.program = c.hash ORDER BY ch.id DESC LIMIT 1") +
	    (long)tw_executor_text_len + 700;
}

/* One change per cut, on one host: it must have run exactly once. */
static void cut_and_finish(long sent, long received)
{
	int64_t num;
	char *text;

	unlink(log_path[0]);
	num = file_yaml(0, THREE_STEPS);
	attempt_now();
	tw_fake_faults.cut_sent = sent;
	tw_fake_faults.cut_received = received;
	pass_with(stop_at_trouble);
	tw_fake_faults.cut_sent = tw_fake_faults.cut_received = -1;
	attempt_now();
	pass();
	text = log_of(0);
	ck_assert_msg(status_of(num, NULL) == TW_CHANGE_SUCCEEDED &&
	    strcmp(text, THREE_LINES) == 0,
	    "cut after %ld sent, %ld received: change %s, log:\n%s", sent,
	    received, tw_change_status_name(status_of(num, NULL)), text);
	free(text);
}

static bool is_long(void)
{
	return getenv("TOWERIFY_LONG_TESTS") != NULL;
}

START_TEST(an_upload_cut_anywhere_runs_once)
{
	long size, k;

	file_yaml(0, THREE_STEPS);
	size = upload_size();
	pass();
	/* the executor's text is cut here and there, what follows it closely */
	for (k = 0; k < (long)tw_executor_text_len - 100;
	    k += is_long() ? 1 : 2500)
		cut_and_finish(k, -1);
	for (; k < size; k += is_long() ? 1 : 37)
		cut_and_finish(k, -1);
}
END_TEST

START_TEST(an_answer_cut_anywhere_runs_once)
{
	long k;

	/* a short change answers with some 1,100 bytes */
	for (k = 0; k < 1400; k += is_long() ? 1 : 61)
		cut_and_finish(-1, k);
}
END_TEST

/* --- secrets --------------------------------------------------------------------- */

#define SECRET "s3cr3t'of\"the shop"
#define SECRET_STEPS \
	"towerify: 1\n" \
	"params: {pw: {type: secret}}\n" \
	"steps:\n" \
	"  - run: 'echo a\"$pw\"b\"$pw$pw\"c; echo one >>LOG'\n" \
	"    undo: nothing\n" \
	"  - run: 'printf d%s \"$pw\"; test \"$pw\" = \"$(cat LOG.pw)\"'\n" \
	"    undo: nothing\n"

static enum tw_status add_output(void *arg, const struct tw_output *o,
    struct tw_err *e)
{
	(void)e;
	tw_buf_add(arg, o->data, o->len);
	return TW_OK;
}

/* Secrets that were heard twice leave more stars. */
static void check_output(int64_t num, const char *want)
{
	struct tw_buf out = TW_BUF_INIT;
	struct tw_change c;
	size_t i, n = 0;
	int64_t after = 0;

	OK(tw_change_get(store, &alice, num, &c, &err));
	OK(tw_output_each(store, &alice, c.id, &after, add_output, &out,
	    &err));
	for (i = 0; i < out.len; i++)
		if (out.data[i] != '*' || n == 0 || out.data[n - 1] != '*')
			out.data[n++] = out.data[i];
	out.data[n] = '\0';
	ck_assert_str_eq(out.data, want);
	tw_change_release(&c);
	tw_buf_release(&out);
}

static void write_secret(void)
{
	char path[400];

	fix_secret = SECRET;
	snprintf(path, sizeof path, "%s.pw", log_path[0]);
	OK(tw_io_write_file(path, SECRET, strlen(SECRET), 0600, &err));
}

/* Each time with one byte more before the break. */
static void cut_secret_at(long k)
{
	int64_t num = file_yaml(0, SECRET_STEPS);

	attempt_now();
	tw_fake_faults.cut_received = k;
	pass_with(stop_at_trouble);
	tw_fake_faults.cut_received = -1;
	attempt_now();
	pass();
	check_status(num, TW_CHANGE_SUCCEEDED, "");
	check_output(num, "a*b*c\nd*");
}

START_TEST(an_answer_cut_anywhere_shows_no_secret)
{
	long k;

	write_secret();
	for (k = 0; k < 1400; k += is_long() ? 1 : 17)
		cut_secret_at(k);
	ck_assert_int_eq(number("SELECT count(sealed) FROM secret"), 0);
}
END_TEST

/* The host's filter may be behind: an event can stand within what a check has
 * printed.  Here the check prints one half and the run the other. */
#define HALVES \
	"towerify: 1\n" \
	"params: {pw: {type: secret}}\n" \
	"steps:\n" \
	"  - name: halves\n" \
	"    unless: 'printf a%s \"${pw%?????????}\"; exit 1'\n" \
	"    run: 'echo \"${pw#?????????}b\"'\n" \
	"    undo: nothing\n"

START_TEST(an_event_within_a_secret_hides_nothing_of_it)
{
	int64_t num;
	long k;

	fix_secret = SECRET;
	for (k = -1; k < 1000; k += is_long() ? 1 : 29) {
		num = file_yaml(0, HALVES);
		attempt_now();
		tw_fake_faults.cut_received = k;
		pass_with(stop_at_trouble);
		tw_fake_faults.cut_received = -1;
		attempt_now();
		pass();
		check_status(num, TW_CHANGE_SUCCEEDED, "");
		check_output(num, "a*b\n");
	}
}
END_TEST

START_TEST(a_key_that_is_gone_holds_nobody)
{
	struct tw_runner_options o = { .store = store,
	    .transport = &tw_transport_fake };
	char key[400], away[400];
	int64_t num, other;

	write_secret();
	num = file_yaml(0, SECRET_STEPS);
	fix_secret = NULL;
	other = file_yaml(1, THREE_STEPS);
	snprintf(key, sizeof key, "%s/secret.key", fix_dir);
	snprintf(away, sizeof away, "%s/away", fix_root);
	ck_assert_int_eq(rename(key, away), 0);
	ck_assert_int_eq(tw_runner_pass(&o, &result, &err), TW_CONFIG);
	ck_assert_ptr_nonnull(strstr(err.msg, "secrets can't be opened: "));
	ck_assert_ptr_nonnull(strstr(err.msg, "/secret.key is gone"));
	ck_assert_int_eq(result.held, 0);
	check_status(num, TW_CHANGE_QUEUED, "");
	check_status(other, TW_CHANGE_SUCCEEDED, "");
	ck_assert_int_eq(rename(away, key), 0);
	attempt_now();
	pass();
	check_status(num, TW_CHANGE_SUCCEEDED, "");
	check_output(num, "a*b*c\nd*");
}
END_TEST

/* The start request of change num, as an earlier attempt of it may still be on
 * its way; what the host answers. */
static char *late_start(int64_t num)
{
	struct tw_buf text = TW_BUF_INIT, all = TW_BUF_INIT, out = TW_BUF_INIT;
	char path[400], *line;
	struct tw_change c;
	struct tw_host h;
	FILE *f;

	OK(tw_change_get(store, &alice, num, &c, &err));
	OK(tw_host_get(store, &alice, c.host_name, &h, &err));
	OK(tw_content_get(store, c.program, &text, &err));
	struct tw_request r = { .verb = "start", .nonce = c.nonce,
	    .spool = h.spool, .spool_id = h.spool_id,
	    .queue_id = h.queue_id, .epoch = c.epoch, .job = c.uid,
	    .seq = c.seq, .host = h.name, .change = num, .room = 4096,
	    .text = text.data, .text_len = text.len, .blob = "" };
	OK(tw_wire_request(&r, &all, &err));
	snprintf(path, sizeof path, "%s/late", fix_root);
	OK(tw_io_write_file(path, all.data, all.len, 0600, &err));
	ck_assert_int_gt(asprintf(&line, "%s <%s", tw_wire_command, path), 0);
	f = popen(line, "r");
	ck_assert_ptr_nonnull(f);
	OK(tw_io_read_fd(fileno(f), "answer", &out, &err));
	pclose(f);
	free(line);
	tw_buf_release(&all);
	tw_buf_release(&text);
	tw_host_release(&h);
	tw_change_release(&c);
	return tw_buf_detach(&out);
}

/* --- rights ------------------------------------------------------------------ */

static int contacts[3];

static void count_contacts(void *arg, const struct tw_report *r)
{
	(void)arg;
	if (r->kind == TW_REPORT_CONNECT)
		contacts[r->host[1] - '0']++;
}

/* Changes as alice files them become bob's, who may do nothing. */
static void give_to_bob(int64_t num)
{
	char sql[200];

	snprintf(sql, sizeof sql, "UPDATE change SET operator_id = (SELECT id"
	    " FROM operator WHERE login = 'bob') WHERE num = %lld",
	    (long long)num);
	raw(sql);
}

START_TEST(a_host_hears_nothing_of_what_lost_its_right)
{
	struct tw_who bob = add_member("bob");
	int64_t lost = file_yaml(0, THREE_STEPS);
	int64_t first = file_yaml(1, THREE_STEPS);
	int64_t second = file_yaml(1, THREE_STEPS);

	give_to_bob(lost);
	give_to_bob(first);
	pass_with(count_contacts);
	check_status(lost, TW_CHANGE_CANCELLED, "bob may no longer change h0");
	check_status(first, TW_CHANGE_CANCELLED,
	    "bob may no longer change h1");
	check_status(second, TW_CHANGE_SUCCEEDED, "");
	ck_assert_int_eq(contacts[0], 0);
	ck_assert_int_eq(contacts[1], 1);
	ck_assert_int_eq(result.cancelled, 2);
	ck_assert_int_eq(result.succeeded, 1);
	ck_assert_int_eq(result.worst, TW_OK);
	check_log(0, "");
	check_log(1, THREE_LINES);
	tw_who_release(&bob);
}
END_TEST

/* A right lost while the visit waits for its turn. */
static void take_away(void *arg, const struct tw_report *r)
{
	(void)arg;
	if (r->kind == TW_REPORT_CONNECT)
		raw("DELETE FROM permit WHERE permission = 'change'");
}

START_TEST(a_right_lost_during_the_login_starts_nothing)
{
	int64_t num = file_yaml(0, THREE_STEPS);

	pass_with(take_away);
	check_status(num, TW_CHANGE_CANCELLED, "alice may no longer change h0");
	ck_assert_int_eq(result.cancelled, 1);
	check_log(0, "");
}
END_TEST

START_TEST(a_cancel_before_the_host_has_it_never_runs)
{
	char *answer;
	enum tw_cancel_result r;
	int64_t num = file_yaml(0, THREE_STEPS);

	tw_fake_faults.cut_sent = 1000;
	pass_with(stop_at_trouble);
	ck_assert_int_eq(status_of(num, NULL), TW_CHANGE_RUNNING);
	OK(tw_change_cancel(store, &alice, num, &r, &err));
	ck_assert_int_eq(r, TW_CANCEL_ASKED);
	tw_fake_faults.cut_sent = -1;
	attempt_now();
	pass();
	check_status(num, TW_CHANGE_CANCELLED,
	    "by alice, before the host had it");
	check_log(0, "");
	/* nor when what was sent of it arrives after all */
	answer = late_start(num);
	ck_assert_msg(strstr(answer, "refused stale") != NULL, "%s", answer);
	free(answer);
	check_log(0, "");
	/* and the queue goes on */
	num = file_yaml(0, THREE_STEPS);
	pass();
	check_status(num, TW_CHANGE_SUCCEEDED, "");
}
END_TEST

START_TEST(an_old_copy_of_the_state_does_no_harm)
{
	int64_t num = file_yaml(0, THREE_STEPS);

	pass();
	num = file_yaml(0, THREE_STEPS);
	pass();			/* acknowledges the first, fences it */
	check_log(0, THREE_LINES THREE_LINES);
	/* as a restored copy would be: the seqs are given out again */
	raw("UPDATE host SET next_seq = 1, acked_seq = 0, fence_epoch = 0, "
	    "fence_seq = 0");
	num = file_yaml(0, THREE_STEPS);
	pass();
	ck_assert_int_eq(status_of(num, NULL), TW_CHANGE_RUNNING);
	ck_assert_int_eq(number("SELECT count(*) FROM host WHERE held_reason "
	    "LIKE '%this state is an old copy%'"), 1);
	check_log(0, THREE_LINES THREE_LINES);
	/* a person has looked */
	OK(tw_host_release_hold(store, &alice, "h0", &err));
	pass();
	check_status(num, TW_CHANGE_SUCCEEDED, "");
	check_log(0, THREE_LINES THREE_LINES THREE_LINES);
	ck_assert_int_eq(number("SELECT epoch FROM host"), 2);
}
END_TEST

START_TEST(a_host_gone_back_in_time_is_held)
{
	int64_t num = file_yaml(0, THREE_STEPS);

	pass();
	raw("UPDATE host SET fence_epoch = 1, fence_seq = 99");
	num = file_yaml(0, THREE_STEPS);
	pass();
	ck_assert_int_eq(status_of(num, NULL), TW_CHANGE_RUNNING);
	ck_assert_int_eq(number("SELECT count(*) FROM host WHERE held_reason "
	    "LIKE 'the host went back in time%'"), 1);
}
END_TEST

START_TEST(a_host_put_back_to_before_a_stored_end_is_held)
{
	int64_t num = file_yaml(0, THREE_STEPS);
	char command[400];

	pass();
	check_status(num, TW_CHANGE_SUCCEEDED, "");
	ck_assert_int_eq(number("SELECT fence_epoch * 100 + fence_seq"
	    " FROM host"), 101);
	/* as a copy of its disk has it */
	snprintf(command, sizeof command,
	    "sed -i '/ verdict /d' %s/spool/jobs/*/events", home[0]);
	ck_assert_int_eq(system(command), 0);
	num = file_yaml(0, THREE_STEPS);
	pass();
	ck_assert_int_eq(status_of(num, NULL), TW_CHANGE_RUNNING);
	ck_assert_int_eq(number("SELECT count(*) FROM host WHERE held_reason "
	    "LIKE 'the host went back in time%'"), 1);
	check_log(0, THREE_LINES);
}
END_TEST

/* --- what is to be confirmed ----------------------------------------------------- */

#define CONFIRMED(limit) \
	"towerify: 1\n" \
	"steps:\n" \
	"  - {run: echo one >>LOG, undo: echo back one >>LOG}\n" \
	"  - {name: net, run: echo two >>LOG, undo: echo back two >>LOG, " \
	"confirm: " limit "}\n" \
	"  - {run: echo three >>LOG, undo: echo back three >>LOG}\n"

static int logins, waits, refusals;
static int64_t second_delay;
static bool shuts, opens_again;

/* The step to be confirmed shuts the host; at the second refusal it is opened
 * again, where it is to be. */
static void while_confirming(void *arg, const struct tw_report *r)
{
	(void)arg;
	if (r->kind == TW_REPORT_CONNECT)
		logins++;
	if (r->kind == TW_REPORT_STEP && strcmp(r->state, "confirming") == 0) {
		ck_assert_int_eq(r->k, 2);
		waits++;
		tw_fake_faults.deny = shuts;
	}
	if (r->kind == TW_REPORT_TROUBLE && ++refusals == 2 && opens_again) {
		second_delay = number("SELECT next_attempt - last_error_at "
		    "FROM host WHERE name = 'h0'");
		tw_fake_faults.deny = false;
	}
}

static void confirming(bool does_shut, bool does_open)
{
	logins = waits = refusals = 0;
	shuts = does_shut;
	opens_again = does_open;
	pass_with(while_confirming);
}

START_TEST(a_step_is_confirmed_by_a_login_of_its_own)
{
	int64_t num = file_yaml(0, CONFIRMED("1m"));

	confirming(false, false);
	check_status(num, TW_CHANGE_SUCCEEDED, "");
	check_log(0, THREE_LINES);
	ck_assert_int_eq(logins, 2);
	ck_assert_int_eq(waits, 1);
	ck_assert_int_eq(result.unreachable, 0);
	ck_assert_int_eq(number("SELECT count(*) FROM step WHERE k = 2 AND "
	    "state = 'done' AND decided = 'confirm' AND awaited >= started "
	    "AND ended >= awaited"), 1);
	ck_assert_int_eq(number("SELECT count(*) FROM step WHERE awaited IS "
	    "NULL AND decided = 'run'"), 2);
}
END_TEST

START_TEST(a_login_that_is_refused_meanwhile_holds_nobody)
{
	int64_t num = file_yaml(0, CONFIRMED("1m"));

	confirming(true, true);
	check_status(num, TW_CHANGE_SUCCEEDED, "");
	ck_assert_int_ge(second_delay, 7500);	/* not 60 s / 10 */
	check_log(0, THREE_LINES);
	ck_assert_int_eq(refusals, 2);
	ck_assert_int_eq(result.unreachable, 2);
	ck_assert_int_eq(result.held, 0);
}
END_TEST

/* The undo opens the host again, which nobody sees from without. */
static void once_undone(void *arg, const struct tw_report *r)
{
	char *log = log_of(0);

	while_confirming(arg, r);
	if (strstr(log, "back one"))
		tw_fake_faults.deny = false;
	free(log);
}

START_TEST(what_is_not_confirmed_is_undone)
{
	int64_t num = file_yaml(0, CONFIRMED("5s"));

	logins = waits = refusals = 0;
	shuts = true;
	opens_again = false;
	pass_with(once_undone);
	check_status(num, TW_CHANGE_ROLLED_BACK,
	    "step 2 'net': not confirmed within 5 s");
	check_log(0, "one\ntwo\nback two\nback one\n");
	ck_assert_int_gt(refusals, 1);
	ck_assert_int_eq(result.held, 0);
}
END_TEST

/* Somebody else is at the host's gate, for longer than a host that is followed
 * may be silent: it is not asked anew meanwhile, or nothing would ever begin. */
static pid_t keeper;

static void keep_gate(void)
{
	char path[400];
	int fd[2], gate;
	char c;

	snprintf(path, sizeof path, "%s/spool/gate", home[0]);
	ck_assert_int_eq(pipe(fd), 0);
	keeper = fork();
	ck_assert_int_ge(keeper, 0);
	if (keeper == 0) {
		gate = open(path, O_RDWR | O_CREAT, 0600);
		if (gate < 0 || flock(gate, LOCK_EX) || write(fd[1], "", 1) != 1)
			_exit(1);
		sleep(18);
		_exit(0);
	}
	ck_assert_int_eq(read(fd[0], &c, 1), 1);
	close(fd[0]);
	close(fd[1]);
}

START_TEST(a_host_that_has_not_answered_yet_may_be_silent)
{
	int64_t num = file_yaml(0, CONFIRMED("1m"));
	int status;

	if (_i == 1) {
		pass_with(stop_at_step);
		ck_assert_int_eq(status_of(num, NULL), TW_CHANGE_RUNNING);
		attempt_now();
	}
	keep_gate();
	confirming(false, false);
	ck_assert_int_eq(waitpid(keeper, &status, 0), keeper);
	ck_assert_int_eq(status, 0);
	check_status(num, TW_CHANGE_SUCCEEDED, "");
	check_log(0, THREE_LINES);
	ck_assert_int_le(logins, 2);
	ck_assert_int_eq(result.unreachable, 0);
}
END_TEST

/* Too long for a step to be the cause. */
START_TEST(a_login_refused_for_long_holds_the_host)
{
	int64_t num = file_yaml(0, CONFIRMED("1m"));

	pass_with(stop_at_step);
	ck_assert_int_eq(status_of(num, NULL), TW_CHANGE_RUNNING);
	raw("UPDATE change SET started = 1, accepted = 1;"
	    "UPDATE step SET started = 2, awaited = 3, ended = NULL");
	tw_fake_faults.deny = true;
	pass();
	ck_assert_int_eq(number("SELECT held_reason = 'login refused on "
	    "request' FROM host WHERE name = 'h0'"), 1);
}
END_TEST

/* --- another login -------------------------------------------------------------- */

#define MOVED "successor: {port: 2222}\n"

/* A change with a successor that is under way on h0, whose login is closed now;
 * its number. */
static int64_t moving(void)
{
	int64_t num;

	raw("UPDATE host SET own_config = 0, sshconfig = NULL");
	num = file_yaml(0, THREE_STEPS MOVED);
	pass_with(stop_at_step);
	ck_assert_int_eq(status_of(num, NULL), TW_CHANGE_RUNNING);
	return num;
}

static void login_is(int port)
{
	ck_assert_int_eq(number("SELECT port FROM host WHERE name = 'h0'"),
	    port);
}

START_TEST(the_successor_takes_over_where_the_login_is_refused)
{
	int64_t num = moving(), next;

	tw_fake_faults.deny_port = _i == 0 ? 22 : 0;
	tw_fake_faults.closed_port = _i == 1 ? 22 : 0;
	pass();
	check_status(num, TW_CHANGE_SUCCEEDED, "");
	check_log(0, THREE_LINES);
	ck_assert_int_eq(audit_of(alice.org_id, "change.login").count, 1);
	ck_assert_str_eq(audit_of(alice.org_id, "host.login").text,
	    "tower h0 1 {\"old\":{\"user\":\"root\",\"port\":22,"
	    "\"sudo\":false},\"new\":{\"user\":\"root\",\"port\":2222,"
	    "\"sudo\":false}}");
	login_is(2222);
	next = file_yaml(0, THREE_STEPS);
	pass();
	check_status(next, TW_CHANGE_SUCCEEDED, "");
	check_log(0, THREE_LINES THREE_LINES);
}
END_TEST

START_TEST(a_network_that_is_down_refuses_nothing)
{
	int64_t num = moving();

	tw_fake_faults.refuse = true;
	pass_with(stop_at_trouble);
	ck_assert_int_eq(status_of(num, NULL), TW_CHANGE_RUNNING);
	ck_assert_int_eq(result.unreachable, 1);
	ck_assert_int_eq(audit_of(alice.org_id, "change.login").count, 0);
	ck_assert_int_eq(number("SELECT count(*) FROM host WHERE last_error"
	    " LIKE '%successor%'"), 0);
	tw_fake_faults.refuse = false;
	attempt_now();
	pass();
	check_status(num, TW_CHANGE_SUCCEEDED, "");
	login_is(2222);
}
END_TEST

START_TEST(neither_login_is_waited_for_and_then_held)
{
	int64_t num = moving();
	int i;

	tw_fake_faults.deny = true;
	for (i = 1; i <= 3; i++) {
		pass_with(stop_at_trouble);
		ck_assert_int_eq(number("SELECT failures FROM host WHERE name"
		    " = 'h0' AND held_by IS NULL"), i);
		attempt_now();
	}
	pass();
	ck_assert_int_eq(number("SELECT held_reason = 'login refused on "
	    "request; the successor login: login refused on request'"
	    " FROM host WHERE name = 'h0'"), 1);
	tw_fake_faults.deny = false;
	tw_fake_faults.deny_port = 22;
	OK(tw_host_release_hold(store, &alice, "h0", &err));
	pass();
	check_status(num, TW_CHANGE_SUCCEEDED, "");
	check_log(0, THREE_LINES);
}
END_TEST

START_TEST(another_key_at_the_successors_port_holds)
{
	int64_t num = moving();

	tw_fake_faults.deny_port = 22;
	tw_fake_faults.no_key_port = 2222;
	pass();
	ck_assert_int_eq(status_of(num, NULL), TW_CHANGE_RUNNING);
	ck_assert_int_eq(number("SELECT held_reason LIKE '%; the successor "
	    "login: another host key%' FROM host WHERE name = 'h0'"), 1);
	login_is(22);
}
END_TEST

START_TEST(what_has_not_begun_has_no_successor)
{
	int64_t num;

	raw("UPDATE host SET own_config = 0, sshconfig = NULL");
	num = file_yaml(0, THREE_STEPS MOVED);
	tw_fake_faults.deny_port = 22;
	pass();
	ck_assert_int_eq(status_of(num, NULL), TW_CHANGE_QUEUED);
	ck_assert_int_eq(number("SELECT held_reason = 'login refused on "
	    "request' FROM host WHERE name = 'h0'"), 1);
}
END_TEST

/* The successor is let in, its change is declared lost before the runner asks:
 * the next one is not sent by a login that is not its host's. */
static void lose_at_connect(void *arg, const struct tw_report *r)
{
	static int seen;

	(void)arg;
	if (r->kind == TW_REPORT_CONNECT && ++seen == 2) {
		OK(tw_change_abandon(store, &alice, 1, "test", &err));
		OK(tw_host_release_hold(store, &alice, "h0", &err));
		tw_fake_faults.deny_port = 0;
	}
}

START_TEST(a_change_lost_meanwhile_leaves_no_login_behind)
{
	int64_t num = moving(), next = file_yaml(0, THREE_STEPS);

	tw_fake_faults.deny_port = 22;
	pass_with(lose_at_connect);
	ck_assert_int_eq(status_of(num, NULL), TW_CHANGE_UNKNOWN);
	ck_assert_int_ne(status_of(next, NULL), TW_CHANGE_QUEUED);
	ck_assert_int_eq(audit_of(alice.org_id, "change.login").count, 0);
	login_is(22);
}
END_TEST

static void cancel_in_step(void *arg, const struct tw_report *r)
{
	static bool done;
	enum tw_cancel_result how;

	(void)arg;
	if (done || r->kind != TW_REPORT_STEP || strcmp(r->host, "h0") != 0)
		return;
	done = true;
	OK(tw_change_cancel(store, &alice, 1, &how, &err));
}

/* Each end on another host asks the queue again, which must not put off what is
 * done once a second. */
START_TEST(a_cancel_is_passed_on_while_others_come_to_their_ends)
{
	file_yaml(0, "towerify: 1\nsteps:\n"
	    "  - {run: sleep 600, undo: nothing}\n");
	for (int i = 0; i < 60; i++)
		file_yaml(1, "towerify: 1\nsteps:\n"
		    "  - {run: 'true', undo: nothing}\n");
	pass_with(cancel_in_step);
	ck_assert_int_eq(result.succeeded, 60);
	ck_assert_int_gt(number("SELECT count(*) FROM change a JOIN change b"
	    " ON b.num = 1 WHERE a.num > 1 AND a.ended > b.ended"), 0);
}
END_TEST

/* Declared lost while a step of it runs, and followed. */
static void lose_in_step(void *arg, const struct tw_report *r)
{
	static bool done;

	(void)arg;
	if (r->kind != TW_REPORT_STEP || done)
		return;
	done = true;
	OK(tw_change_abandon(store, &alice, 1, "test", &err));
	OK(tw_host_release_hold(store, &alice, "h0", &err));
}

START_TEST(a_change_declared_lost_is_followed_no_more)
{
	int64_t num = file_yaml(0, "towerify: 1\nsteps:\n  - run: sleep 600\n"
	    "    undo: nothing\n"), next = file_yaml(0, THREE_STEPS);

	pass_with(lose_in_step);
	ck_assert_int_eq(status_of(num, NULL), TW_CHANGE_UNKNOWN);
	ck_assert_int_ne(status_of(next, NULL), TW_CHANGE_QUEUED);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("runner");
	TCase *t = tcase_create("passes"), *c = tcase_create("cuts");

	tcase_add_checked_fixture(t, begin, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, a_change_succeeds_and_all_of_it_is_stored);
	tcase_add_test(t, a_failure_is_undone_in_reverse);
	tcase_add_test(t, what_cannot_be_undone_fails_and_holds);
	tcase_add_test(t, changes_of_a_host_run_in_order_hosts_side_by_side);
	tcase_add_test(t, an_unreachable_host_keeps_its_queue);
	tcase_add_test(t, a_refused_login_holds_the_host);
	tcase_add_test(t, a_lost_spool_holds_the_host_and_runs_nothing);
	tcase_add_test(t, a_cancel_before_the_host_has_it_never_runs);
	tcase_add_test(t,
	    a_cancel_is_passed_on_while_others_come_to_their_ends);
	tcase_add_test(t, an_old_copy_of_the_state_does_no_harm);
	tcase_add_test(t, a_host_gone_back_in_time_is_held);
	tcase_add_test(t, a_host_put_back_to_before_a_stored_end_is_held);
	tcase_add_test(t, a_busy_state_is_waited_for);
	tcase_add_test(t, a_lying_host_harms_no_other);
	tcase_add_test(t, a_change_declared_lost_ends_no_pass);
	tcase_add_test(t, a_host_removed_meanwhile_ends_no_pass);
	tcase_add_test(t, a_key_that_is_gone_holds_nobody);
	tcase_add_test(t, a_host_hears_nothing_of_what_lost_its_right);
	tcase_add_test(t, a_right_lost_during_the_login_starts_nothing);
	tcase_add_test(t, a_step_is_confirmed_by_a_login_of_its_own);
	tcase_add_test(t, a_login_that_is_refused_meanwhile_holds_nobody);
	tcase_add_test(t, what_is_not_confirmed_is_undone);
	tcase_add_loop_test(t, a_host_that_has_not_answered_yet_may_be_silent,
	    0, 2);
	tcase_add_test(t, a_login_refused_for_long_holds_the_host);
	tcase_add_loop_test(t,
	    the_successor_takes_over_where_the_login_is_refused, 0, 2);
	tcase_add_test(t, a_network_that_is_down_refuses_nothing);
	tcase_add_test(t, neither_login_is_waited_for_and_then_held);
	tcase_add_test(t, another_key_at_the_successors_port_holds);
	tcase_add_test(t, what_has_not_begun_has_no_successor);
	tcase_add_test(t, a_change_lost_meanwhile_leaves_no_login_behind);
	tcase_add_test(t, a_change_declared_lost_is_followed_no_more);
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(c, begin, teardown);
	tcase_set_timeout(c, is_long() ? 7200 : 600);
	tcase_add_test(c, an_upload_cut_anywhere_runs_once);
	tcase_add_test(c, an_answer_cut_anywhere_runs_once);
	tcase_add_test(c, an_answer_cut_anywhere_shows_no_secret);
	tcase_add_test(c, an_event_within_a_secret_hides_nothing_of_it);
	suite_add_tcase(s, c);
	return run_suite(s);
}
