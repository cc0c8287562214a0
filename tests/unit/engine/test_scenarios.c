/*
 * test_scenarios.c - the executor decides as the automaton does
 *
 * Each scenario (scenario.h) is led by the automaton and carried out by the
 * real executor, in a home and a spool of its own, through the command line
 * that goes to hosts.  The events must be the same, each phase must have been
 * used as often and in the same order, and its output stand where it belongs.
 *
 * TW_SCENARIOS=N does so many (a few dozen when not set), TW_SCENARIO=N from
 * that number on; a failure names its number.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/wire.h"
#include "scenario.h"

#define WORKERS 5
#define SCENARIOS 60
#define PATIENCE 120	/* seconds a scenario may take on a slow machine */

struct session {		/* one connection to the host */
	pid_t pid;
	int out;
	struct tw_journal j;
	struct tw_buf events;	/* of this and the sessions it went on from */
	struct tw_buf output[STEPS_MAX + 1][2];
	struct tw_buf said;	/* control lines */
	int64_t k;
	int64_t awaited;	/* a step, to be confirmed */
	bool asks;		/* its executor has just begun to wait */
	int undoing;
	bool streaming, other_output;
};

struct trial {
	struct scenario s;
	char dir[200], spool[230], spool_id[40], id[40], nonce[40];
	int there, go;		/* the FIFOs of a phase that waits */
	struct session first, again, confirming;
	bool came;		/* what comes in between, at a confirmation */
	jmp_buf out;
	char why[8000];
};

__attribute__((format(printf, 2, 3), noreturn))
static void give_up(struct trial *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t->why, sizeof t->why, fmt, ap);
	va_end(ap);
	longjmp(t->out, 1);
}

/* --- a session --- */

static void on_output(void *arg, const char *p, size_t n)
{
	struct session *s = arg;

	if (s->j.in_stream && s->k > 0)
		tw_buf_add(&s->output[s->k][s->undoing], p, n);
	else
		s->other_output = true;
}

static void on_cut(void *arg, int64_t bytes)
{
	struct session *s = arg;

	(void)bytes;
	s->other_output = true;
}

static void on_event(void *arg, const struct tw_event *ev)
{
	struct session *s = arg;

	tw_event_format(ev, &s->events);
	tw_buf_addc(&s->events, '\n');
	if (ev->word == TW_EV_AWAIT)
		s->awaited = ev->k;
	else if (ev->word != TW_EV_LIFE)
		s->awaited = 0;
	s->asks = s->awaited > 0;
	if (ev->word == TW_EV_START || ev->word == TW_EV_UNDO) {
		s->k = ev->k;
		s->undoing = ev->word == TW_EV_UNDO;
	}
}

static void on_control(void *arg, const char *word, const char *rest)
{
	struct session *s = arg;

	tw_buf_addf(&s->said, "%s %s\n", word, rest);
	if (strcmp(word, "stream") == 0)
		s->streaming = true;
}

static const struct tw_journal_calls calls = {
	on_output, on_cut, on_event, on_control,
};

static int open_in(const struct trial *t, const char *name, int flags)
{
	char path[300];

	snprintf(path, sizeof path, "%s/%s", t->dir, name);
	return open(path, flags | O_CLOEXEC, 0600);
}

static void put_file(struct trial *t, const char *name, const void *p,
    size_t n)
{
	int fd = open_in(t, name, O_WRONLY | O_CREAT | O_TRUNC);

	if (fd < 0 || write(fd, p, n) != (ssize_t)n || close(fd) != 0)
		give_up(t, "%s: %s", name, strerror(errno));
}

static void get_file(struct trial *t, const char *name, struct tw_buf *out)
{
	int fd = open_in(t, name, O_RDONLY);
	char part[4096];
	ssize_t n;

	if (fd < 0)
		give_up(t, "%s: %s", name, strerror(errno));
	tw_buf_reset(out);
	while ((n = read(fd, part, sizeof part)) > 0)
		tw_buf_add(out, part, (size_t)n);
	close(fd);
}

/* Sends the request as an SSH session would, with a command for sh. */
static void session_start(struct trial *t, struct session *s,
    struct tw_request *r)
{
	struct tw_buf sent = TW_BUF_INIT;
	char home[230];
	int in, err, out[2];

	r->nonce = t->nonce;
	r->spool = t->spool;
	if (tw_wire_request(r, &sent, NULL))
		give_up(t, "no memory");
	put_file(t, "request", sent.data, sent.len);
	tw_buf_release(&sent);
	in = open_in(t, "request", O_RDONLY);
	err = open_in(t, "stderr", O_WRONLY | O_CREAT | O_APPEND);
	if (in < 0 || err < 0 || pipe2(out, O_CLOEXEC) != 0)
		give_up(t, "session: %s", strerror(errno));
	s->pid = fork();
	if (s->pid == 0) {
		setsid();	/* as sshd does */
		snprintf(home, sizeof home, "%s/home", t->dir);
		setenv("HOME", home, 1);
		dup2(in, 0);
		dup2(out[1], 1);
		dup2(err, 2);
		execl("/bin/sh", "sh", "-c", tw_wire_command, (char *)NULL);
		_exit(127);
	}
	close(in);
	close(err);
	close(out[1]);
	s->out = out[0];
	s->streaming = false;
	if (s->pid < 0)
		give_up(t, "fork: %s", strerror(errno));
}

/* Reads what there is; false at the end. */
static bool session_read(struct trial *t, struct session *s)
{
	char part[4096];
	ssize_t n = read(s->out, part, sizeof part);

	if (n < 0)
		give_up(t, "read: %s", strerror(errno));
	tw_journal_feed(&s->j, part, (size_t)n);
	return n > 0;
}

static void answer(struct trial *t, struct session *s);

static void session_end(struct trial *t, struct session *s)
{
	while (session_read(t, s))
		answer(t, s);
	close(s->out);
	waitpid(s->pid, NULL, 0);
	s->pid = 0;
}

/* One that is read to its end; what it said stands in ->said. */
static void session_whole(struct trial *t, struct session *s,
    struct tw_request *r)
{
	tw_buf_reset(&s->said);
	session_start(t, s, r);
	session_end(t, s);
}

static void session_init(struct trial *t, struct session *s)
{
	memset(s, 0, sizeof *s);
	tw_journal_init(&s->j, t->nonce, 1, &calls, s);
}

static void session_release(struct session *s)
{
	if (s->pid > 0) {
		kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
	}
	tw_buf_release(&s->events);
	tw_buf_release(&s->said);
	for (int k = 0; k <= STEPS_MAX; k++)
		for (int u = 0; u < 2; u++)
			tw_buf_release(&s->output[k][u]);
}

/* --- a trial --- */

static void reset_uses(struct trial *t)
{
	char name[40];

	for (int64_t k = 1; k <= t->s.n; k++) {
		for (int part = 0; part < PARTS; part++) {
			snprintf(name, sizeof name, "%" PRId64 ".%s", k,
			    part_names[part]);
			put_file(t, name, "0\n", 2);
		}
	}
	put_file(t, "uses", "", 0);
}

/* The directory, the FIFOs and a spool. */
static void prepare(struct trial *t)
{
	struct tw_request r = { .verb = "init" };
	const char *tmp = getenv("TMPDIR"), *p;
	char path[300];
	size_t n;

	snprintf(t->dir, sizeof t->dir, "%s/tw-scenario.XXXXXX",
	    tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(t->dir))
		give_up(t, "%s: %s", t->dir, strerror(errno));
	snprintf(path, sizeof path, "%s/home", t->dir);
	mkdir(path, 0700);
	snprintf(t->spool, sizeof t->spool, "%s/home/spool", t->dir);
	snprintf(path, sizeof path, "%s/there", t->dir);
	mkfifo(path, 0600);
	snprintf(path, sizeof path, "%s/go", t->dir);
	mkfifo(path, 0600);
	t->there = open_in(t, "there", O_RDWR | O_NONBLOCK);
	t->go = open_in(t, "go", O_RDWR | O_NONBLOCK);
	if (t->there < 0 || t->go < 0)
		give_up(t, "fifo: %s", strerror(errno));
	reset_uses(t);
	session_whole(t, &t->first, &r);
	p = strstr(tw_buf_str(&t->first.said), " spool=");
	if (!p || !strstr(p, "over facts"))
		give_up(t, "init: %s", tw_buf_str(&t->first.said));
	n = strcspn(p + 7, " ");
	snprintf(t->spool_id, sizeof t->spool_id, "%.*s", (int)n, p + 7);
	tw_buf_reset(&t->first.said);
}

static struct tw_request job_request(const struct trial *t, const char *verb,
    const struct session *s)
{
	struct tw_request r = {
		.verb = verb,
		.spool_id = t->spool_id,
		.queue_id = "0123456789abcdef0123456789abcdef",
		.epoch = 1,
		.job = t->id,
		.seq = 1,
		.life = s->j.life,
		.offset = s->j.offset,
		.events = s->j.next - 1,
	};

	return r;
}

static pid_t executor_pid(struct trial *t)
{
	struct tw_buf b = TW_BUF_INIT;
	char name[100];
	int pid;

	snprintf(name, sizeof name, "home/spool/jobs/%s/pid", t->id);
	get_file(t, name, &b);
	if (sscanf(tw_buf_str(&b), "%*d %d", &pid) != 1 || pid <= 1)
		give_up(t, "pid: %s", tw_buf_str(&b));
	tw_buf_release(&b);
	return pid;
}

/* The phase at which it comes has begun. */
static void comes_between(struct trial *t)
{
	struct tw_request r = job_request(t, "resume", &t->again);

	if (t->s.between == CRASH) {
		if (kill(executor_pid(t), SIGKILL) != 0)
			give_up(t, "the executor is gone");
		return;
	}
	r.cancel = "ann";
	session_start(t, &t->again, &r);
	while (!t->again.streaming)
		if (!session_read(t, &t->again))
			give_up(t, "cancel: %s", tw_buf_str(&t->again.said));
	/* the cancel is there now; an undo takes no notice of it */
	if (t->s.at_part == UNDO && write(t->go, "go\n", 3) != 3)
		give_up(t, "go: %s", strerror(errno));
}

/* A step waits to be confirmed: it is, or something else comes instead. */
static void answer(struct trial *t, struct session *s)
{
	struct tw_request r = job_request(t, "confirm", s);

	if (!s->asks || s != &t->first)
		return;
	s->asks = false;
	if (t->s.at_part == CONFIRM && t->s.at_k == s->awaited && !t->came) {
		t->came = true;
		comes_between(t);
		return;
	}
	if (t->s.step[s->awaited].confirm == NEVER)
		return;
	r.step = s->awaited;
	session_init(t, &t->confirming);
	session_start(t, &t->confirming, &r);
	while (!t->confirming.streaming)
		if (!session_read(t, &t->confirming))
			give_up(t, "confirm: %s",
			    tw_buf_str(&t->confirming.said));
	close(t->confirming.out);
	session_release(&t->confirming);
}

static void carry_out(struct trial *t)
{
	struct tw_request r = job_request(t, "start", &t->first);
	struct tw_buf text = TW_BUF_INIT;
	struct pollfd fds[2];

	scenario_text(&t->s, t->dir, &text);
	r.tower = "here";
	r.host = "there";
	r.change = 7;
	r.room = 65536;
	r.text = text.data;
	r.text_len = text.len;
	session_start(t, &t->first, &r);
	tw_buf_release(&text);
	fds[0] = (struct pollfd) { .fd = t->first.out, .events = POLLIN };
	fds[1] = (struct pollfd) { .fd = t->there, .events = POLLIN };
	for (;;) {
		poll(fds, 2, -1);
		if (fds[1].revents) {
			fds[1].fd = -1;
			fds[1].revents = 0;
			comes_between(t);
		}
		if (fds[0].revents && !session_read(t, &t->first))
			break;
		answer(t, &t->first);
	}
	session_end(t, &t->first);
	if (t->again.pid > 0)
		session_end(t, &t->again);
}

/* Another executor takes over; the session goes on where it was. */
static void take_over(struct trial *t)
{
	struct tw_request r = job_request(t, "resume", &t->first);

	if (!strstr(tw_buf_str(&t->first.said), "over gone\n"))
		give_up(t, "killed, but: %s", tw_buf_str(&t->first.said));
	session_whole(t, &t->first, &r);
}

static void spool_write(struct trial *t, const char *name, const char *p,
    size_t n)
{
	char path[120];

	snprintf(path, sizeof path, "home/spool/jobs/%s/%s", t->id, name);
	put_file(t, path, p, n);
}

/* As if the power had gone after some event, its stream not yet on disk. */
static void cut(struct trial *t)
{
	struct tw_buf b = TW_BUF_INIT;
	struct tw_request r;
	char path[260];
	size_t n = 0;

	snprintf(path, sizeof path, "home/spool/jobs/%s/events", t->id);
	get_file(t, path, &b);
	for (int i = 0; i < t->s.cut_after; i++)
		n += strcspn(b.data + n, "\n") + 1;
	b.len = n;
	if (chance(&t->s, 3, 2))	/* the next one is torn */
		b.len += strcspn(b.data + n, "\n") / 2;
	spool_write(t, "events", b.data, b.len);
	spool_write(t, "stream.1", "", 0);
	tw_buf_release(&b);
	snprintf(path, sizeof path, "%s/held", t->spool);
	unlink(path);
	reset_uses(t);
	session_release(&t->first);
	session_init(t, &t->first);
	r = job_request(t, "resume", &t->first);
	session_whole(t, &t->first, &r);
}

/* --- what must have come of it --- */

static void compare(struct trial *t, const char *what, const struct tw_buf *got,
    const struct tw_buf *want)
{
	if (strcmp(tw_buf_str(got), tw_buf_str(want)) != 0)
		give_up(t, "%s of the executor:\n%s%s of the automaton:\n%s",
		    what, tw_buf_str(got), what, tw_buf_str(want));
}

static void compare_session(struct trial *t, const struct session *s)
{
	char what[60];

	compare(t, "events", &s->events, &t->s.events);
	if (!strstr(tw_buf_str(&s->said), "over verdict\n"))
		give_up(t, "no verdict: %s", tw_buf_str(&s->said));
	if (s->other_output)
		give_up(t, "output of no step");
	for (int64_t k = 1; k <= t->s.n; k++) {
		for (int u = 0; u < 2; u++) {
			snprintf(what, sizeof what, "output of step %" PRId64
			    "%s\n", k, u ? "'s undo" : "");
			compare(t, what, &s->output[k][u],
			    &t->s.output[k][u]);
		}
	}
}

static void verify(struct trial *t)
{
	struct tw_buf b = TW_BUF_INIT;
	struct tw_request r;
	int lock;

	compare_session(t, &t->first);
	get_file(t, "uses", &b);
	compare(t, "phases", &b, &t->s.uses);
	tw_buf_release(&b);
	if (t->s.between == CANCEL)
		compare_session(t, &t->again);
	/* once more from the beginning */
	session_release(&t->again);
	session_init(t, &t->again);
	r = job_request(t, "resume", &t->again);
	session_whole(t, &t->again, &r);
	compare_session(t, &t->again);
	/* nobody is there any more */
	lock = open_in(t, "home/spool/lock", O_RDWR);
	if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) != 0)
		give_up(t, "the lock: %s", strerror(errno));
	close(lock);
}

static int remove_one(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* Few that take too long, since those take long. */
static enum between between_of(uint64_t number)
{
	static const enum between of[] = {
		NOTHING, CANCEL, CRASH, CUT, TIMEOUT, CRASH, CUT, NOTHING,
		CANCEL, CRASH,
	};

	return of[number % 10];
}

/* False: why not stands in t->why. */
static bool try_out(struct trial *t, uint64_t number)
{
	memset(t, 0, sizeof *t);
	t->there = t->go = -1;
	scenario_make(&t->s, number, between_of(number));
	scenario_lead(&t->s);
	if (t->s.between == CUT)
		scenario_lead_cut(&t->s);
	snprintf(t->id, sizeof t->id, "%032" PRIx64, mix(number));
	snprintf(t->nonce, sizeof t->nonce, "%032" PRIx64, mix(mix(number)));
	session_init(t, &t->first);
	session_init(t, &t->again);
	if (setjmp(t->out) == 0) {
		prepare(t);
		carry_out(t);
		if (t->s.between == CRASH)
			take_over(t);
		else if (t->s.between == CUT)
			cut(t);
		verify(t);
	}
	session_release(&t->first);
	session_release(&t->again);
	scenario_release(&t->s);
	close(t->there);
	close(t->go);
	if (t->why[0] == '\0' &&
	    nftw(t->dir, remove_one, 10, FTW_DEPTH | FTW_PHYS) != 0)
		snprintf(t->why, sizeof t->why, "cannot remove it: %s",
		    strerror(errno));
	return t->why[0] == '\0';
}

/* --- all of them --- */

static uint64_t setting(const char *name, uint64_t otherwise)
{
	const char *p = getenv(name);

	return p && *p ? strtoull(p, NULL, 10) : otherwise;
}

/* Every WORKERS-th scenario, in a process of its own. */
static void work(uint64_t first, uint64_t last, int out)
{
	static struct trial t;
	static char text[9000];
	int n;

	for (uint64_t number = first; number < last; number += WORKERS) {
		alarm(PATIENCE);
		if (try_out(&t, number))
			continue;
		n = snprintf(text, sizeof text, "TW_SCENARIO=%" PRIu64
		    " (%s, in %s): %s\n", number,
		    between_names[between_of(number)], t.dir, t.why);
		if (write(out, text, (size_t)n) != n)
			_exit(3);
	}
	_exit(0);
}

START_TEST(executor_and_automaton_write_the_same_events)
{
	uint64_t first = setting("TW_SCENARIO", 0);
	uint64_t n = setting("TW_SCENARIOS", getenv("TW_SCENARIO") ? 1 :
	    SCENARIOS);
	static char text[4000];
	size_t len = 0;
	ssize_t got;
	int fds[2], status, bad = 0;

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	for (int i = 0; i < WORKERS; i++) {
		pid_t pid = fork();

		ck_assert_int_ge(pid, 0);
		if (pid == 0)
			work(first + (uint64_t)i, first + n, fds[1]);
	}
	close(fds[1]);
	while ((got = read(fds[0], text + len, sizeof text - 1 - len)) > 0) {
		len += (size_t)got;
		fwrite(text + len - got, 1, (size_t)got, stderr);
		if (len == sizeof text - 1)
			len = sizeof text / 2;	/* the first are enough */
	}
	while (wait(&status) > 0)
		bad += status != 0;
	text[len] = '\0';
	ck_assert_msg(len == 0, "%s", text);
	ck_assert_msg(bad == 0, "%d workers ended badly", bad);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("scenarios");
	TCase *tc = tcase_create("scenarios");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 0);
	tcase_add_test(tc, executor_and_automaton_write_the_same_events);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
