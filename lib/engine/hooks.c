/*
 * hooks.c - programs that are told of events; see hooks.h
 *
 * A hook gets its event from a file in memory and is heard by a pipe that is
 * read as long as it lives, so that it can neither wait for us nor we for it.
 * It has a process group of its own, which ends with it.
 */
#include "engine/hooks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "engine/event_text.h"
#include "spec/diag.h"

#define SAFE_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define NAMES "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
#define HOOKS_MAX 100
#define READ_MAX (1 << 20)	/* bytes of each hook a turn, and in its pipe */
#define REST_MS 60000		/* for a hook that asks to be told again */
#define TEMPORARY 75		/* exit status: the same */
#define ENV_MAX 12
#define LOOKS_MAX 16		/* at events, for one that can be told now */

struct job {
	pid_t pid;		/* 0: this place is free */
	size_t hook;
	struct tw_event event;
	int out;
	int64_t began;
	bool is_late;		/* ended for its time was up */
	bool has_ended;
	int status;		/* as of waitpid() */
	struct tw_buf said;	/* the last bytes */
};

struct tw_hooks {
	struct tw_hooks_options o;
	char *names[HOOKS_MAX + 1];
	int64_t rest[HOOKS_MAX];	/* tw_clock_mono(): not before */
	size_t n;
	struct job jobs[TW_HOOKS_AT_ONCE];
};

/* --- which there are -------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* NULL: it may run; else why not. */
static const char *is_wrong(const struct stat *st)
{
	if (!S_ISREG(st->st_mode) || !(st->st_mode & 0111))
		return "";	/* as run-parts does: no hook, no word */
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "belongs to another user: not run";
	if (st->st_mode & 022)
		return "others can write to it: not run";
	return NULL;
}

static enum tw_status read_dir(struct tw_hooks *h, struct tw_err *err)
{
	const char *why;
	struct dirent *e;
	struct stat st;
	DIR *d;

	d = h->o.dir ? opendir(h->o.dir) : NULL;
	if (!d && (!h->o.dir || errno == ENOENT))
		return TW_OK;
	if (!d)
		return tw_err_sys(err, TW_CONFIG, errno, "%s", h->o.dir);
	while (h->n < HOOKS_MAX && (e = readdir(d))) {
		if (e->d_name[strspn(e->d_name, NAMES)] ||
		    fstatat(dirfd(d), e->d_name, &st, 0) < 0)
			continue;
		why = is_wrong(&st);
		if (why && *why)
			h->o.complain(h->o.arg, e->d_name, why);
		if (!why && (h->names[h->n] = strdup(e->d_name)))
			h->n++;
	}
	closedir(d);
	qsort(h->names, h->n, sizeof *h->names, compare);
	return TW_OK;
}

enum tw_status tw_hooks_new(const struct tw_hooks_options *o,
    struct tw_hooks **out, struct tw_err *err)
{
	struct tw_hooks *h = calloc(1, sizeof *h);
	enum tw_status st;

	*out = NULL;
	if (!h)
		return tw_err_nomem(err);
	h->o = *o;
	st = read_dir(h, err);
	if (st)
		tw_hooks_free(h);
	else
		*out = h;
	return st;
}

/* --- one is started --------------------------------------------------------- */

struct start {			/* all that a child needs, made before */
	char *path, *argv[2], *env[ENV_MAX];
	size_t nenv;
	int in, out, parent_out;
	bool failed;
};

static void add_env(struct start *s, const char *name, const char *value)
{
	if (value && asprintf(&s->env[s->nenv], "%s=%s", name, value) >= 0)
		s->nenv++;
	else
		s->failed |= value != NULL;
}

static void make_env(struct start *s, const struct tw_hooks *h,
    const struct tw_event *e)
{
	struct tw_buf subject = TW_BUF_INIT, text = TW_BUF_INIT;
	const struct passwd *pw = getpwuid(geteuid());

	tw_event_subject(e, &subject);
	tw_event_text(e, &text);
	add_env(s, "PATH", SAFE_PATH);
	add_env(s, "LC_ALL", "C.UTF-8");
	add_env(s, "HOME", pw ? pw->pw_dir : "/");
	add_env(s, "USER", pw ? pw->pw_name : NULL);
	add_env(s, "TOWERIFY_STATE", tw_store_dir(h->o.store));
	add_env(s, "TOWERIFY_ORG", e->org);
	add_env(s, "TOWERIFY_EVENT", e->what);
	add_env(s, "TOWERIFY_SUBJECT", tw_buf_str(&subject));
	add_env(s, "TOWERIFY_TEXT", tw_buf_str(&text));
	add_env(s, "TOWERIFY_MAIL", h->o.mail);
	add_env(s, "TOWERIFY_WEBHOOK", h->o.webhook);
	s->failed |= subject.failed || text.failed;
	tw_buf_release(&subject);
	tw_buf_release(&text);
}

static void make_files(struct start *s, const struct tw_event *e)
{
	struct tw_buf json = TW_BUF_INIT;
	int fds[2] = { -1, -1 };

	s->in = memfd_create("towerify-event", MFD_CLOEXEC);
	if (s->in < 0 || tw_event_json(e, &json, NULL) ||
	    tw_io_write_all(s->in, json.data, json.len) ||
	    lseek(s->in, 0, SEEK_SET) < 0 ||
	    pipe2(fds, O_CLOEXEC) < 0 ||
	    fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0)
		s->failed = true;
	/* where that is not allowed, it waits for us more often */
	(void)!fcntl(fds[0], F_SETPIPE_SZ, READ_MAX);
	s->parent_out = fds[0];
	s->out = fds[1];
	tw_buf_release(&json);
}

static void run_child(const struct start *s, pid_t parent)
{
	sigset_t none;
	int sig;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(TEMPORARY);
	for (sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(077);
	if (dup2(s->in, STDIN_FILENO) < 0 ||
	    dup2(s->out, STDOUT_FILENO) < 0 ||
	    dup2(s->out, STDERR_FILENO) < 0 || chdir("/") < 0)
		_exit(TEMPORARY);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	execve(s->path, s->argv, s->env);
	dprintf(STDERR_FILENO, "cannot run: %s\n", strerror(errno));
	_exit(126);
}

static void start(struct tw_hooks *h, struct job *j)
{
	struct start s = { .in = -1, .out = -1, .parent_out = -1 };
	pid_t parent = getpid();
	size_t i;

	make_env(&s, h, &j->event);
	make_files(&s, &j->event);
	if (asprintf(&s.path, "%s/%s", h->o.dir, h->names[j->hook]) < 0)
		s.path = NULL;
	s.argv[0] = s.path;
	j->began = tw_clock_mono();
	j->out = s.parent_out;
	j->pid = s.failed || !s.path ? -1 : fork();
	if (j->pid == 0)
		run_child(&s, parent);
	if (j->pid > 0)
		setpgid(j->pid, j->pid);
	for (i = 0; i < s.nenv; i++)
		free(s.env[i]);
	free(s.path);
	if (s.in >= 0)
		close(s.in);
	if (s.out >= 0)
		close(s.out);
}

/* --- one runs, and ends -------------------------------------------------------- */

static void release(struct job *j)
{
	if (j->out >= 0)
		close(j->out);
	tw_event_release(&j->event);
	tw_buf_release(&j->said);
	memset(j, 0, sizeof *j);
}

static void hear(struct job *j)
{
	char bytes[4096];
	size_t all = 0;
	ssize_t n;

	while (all < READ_MAX && (n = read(j->out, bytes, sizeof bytes)) > 0) {
		all += (size_t)n;
		tw_buf_add(&j->said, bytes, (size_t)n);
		if (j->said.len > TW_HOOKS_SAID)
			tw_buf_drop(&j->said, j->said.len - TW_HOOKS_SAID);
	}
}

/* Its group goes with it, while its number can't be another's yet. */
static bool has_ended(struct tw_hooks *h, struct job *j)
{
	siginfo_t info = { 0 };

	if (j->has_ended)
		return true;
	hear(j);
	if (!j->is_late && tw_clock_mono() - j->began >= h->o.timeout) {
		j->is_late = true;
		kill(-j->pid, SIGKILL);
	}
	if (waitid(P_PID, (id_t)j->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0
	    && info.si_pid == 0)
		return false;
	kill(-j->pid, SIGKILL);
	waitpid(j->pid, &j->status, 0);
	hear(j);
	j->has_ended = true;
	return true;
}

/* "exit status 3: its last line"; NULL: it went well. */
static const char *why_of(const struct tw_hooks *h, const struct job *j,
    char out[TW_ERR_MSG_MAX])
{
	const char *s = tw_buf_str(&j->said), *last = s;
	struct tw_buf line = TW_BUF_INIT;
	size_t len = j->said.len;

	if (!j->is_late && WIFEXITED(j->status) && WEXITSTATUS(j->status) == 0)
		return NULL;
	while (len && (s[len - 1] == '\n' || s[len - 1] == '\r'))
		len--;
	for (last = s + len; last > s && last[-1] != '\n'; last--)
		;
	tw_diag_escape(&line, last, (size_t)(s + len - last), 300);
	if (j->is_late)
		snprintf(out, TW_ERR_MSG_MAX, "took longer than %lld s",
		    (long long)(h->o.timeout / 1000));
	else if (WIFSIGNALED(j->status))
		snprintf(out, TW_ERR_MSG_MAX, "ended by signal %d",
		    WTERMSIG(j->status));
	else
		snprintf(out, TW_ERR_MSG_MAX, "exit status %d",
		    WEXITSTATUS(j->status));
	if (line.len)
		snprintf(out + strlen(out), TW_ERR_MSG_MAX - strlen(out),
		    ": %s", tw_buf_str(&line));
	tw_buf_release(&line);
	return out;
}

/* A state that is busy is asked again with the next turn. */
static void finish(struct tw_hooks *h, struct job *j)
{
	bool is_temporary = j->is_late || (WIFEXITED(j->status) &&
	    WEXITSTATUS(j->status) == TEMPORARY), is_news = false;
	char text[TW_ERR_MSG_MAX];
	const char *why = why_of(h, j, text);
	enum tw_status st;

	st = tw_event_note(h->o.store, &j->event, h->names[j->hook],
	    (const char *const *)h->names, why, is_temporary, tw_clock_now(),
	    &is_news, NULL);
	if (st == TW_AGAIN)
		return;
	if (st || (why && is_temporary))
		h->rest[j->hook] = tw_clock_mono() + REST_MS;
	if (is_news)
		h->o.complain(h->o.arg, h->names[j->hook], why);
	release(j);
}

/* --- the turn ----------------------------------------------------------------- */

static size_t index_of(const struct tw_hooks *h, const char *name)
{
	size_t i;

	for (i = 0; i < h->n && strcmp(h->names[i], name) != 0; i++)
		;
	return i;
}

static bool runs(const struct tw_hooks *h, size_t hook)
{
	size_t i;

	for (i = 0; i < TW_HOOKS_AT_ONCE; i++)
		if (h->jobs[i].pid > 0 && h->jobs[i].hook == hook)
			return true;
	return false;
}

/* The next event and the hook that is to be told it; TW_NO: there is none now.
 * An event whose turn it is with a hook that has another one still waits for
 * it, for the sake of the order of hooks. */
static enum tw_status find_next(struct tw_hooks *h, int64_t *id, size_t *hook)
{
	const char *awake[HOOKS_MAX + 1] = { NULL };
	int64_t busy[TW_HOOKS_AT_ONCE + LOOKS_MAX], now = tw_clock_mono();
	size_t n = 0, nbusy = 0, i;
	enum tw_status st;
	char *name = NULL;

	for (i = 0; i < h->n; i++)
		if (h->rest[i] <= now)
			awake[n++] = h->names[i];
	for (i = 0; i < TW_HOOKS_AT_ONCE; i++)
		if (h->jobs[i].pid > 0)
			busy[nbusy++] = h->jobs[i].event.id;
	for (i = 0; n > 0 && i < LOOKS_MAX; i++) {
		st = tw_event_next(h->o.store, h->o.org_id, awake, busy, nbusy,
		    tw_clock_now(), id, &name, NULL);
		if (st)
			return st;
		*hook = index_of(h, name);
		free(name);
		if (!runs(h, *hook))
			return TW_OK;
		busy[nbusy++] = *id;
	}
	return TW_NO;
}

void tw_hooks_turn(struct tw_hooks *h)
{
	int64_t id = 0;
	struct job *j;

	for (j = h->jobs; j < h->jobs + TW_HOOKS_AT_ONCE; j++)
		if (j->pid > 0 && has_ended(h, j))
			finish(h, j);
	for (j = h->jobs; j < h->jobs + TW_HOOKS_AT_ONCE; j++) {
		if (j->pid > 0)
			continue;
		if (find_next(h, &id, &j->hook) ||
		    tw_event_load(h->o.store, id, &j->event, NULL))
			return;
		start(h, j);
		if (j->pid < 0) {	/* no memory, no process: later */
			h->rest[j->hook] = tw_clock_mono() + REST_MS;
			release(j);
			return;
		}
	}
}

bool tw_hooks_is_busy(struct tw_hooks *h)
{
	size_t i, hook;
	int64_t id;

	for (i = 0; i < TW_HOOKS_AT_ONCE; i++)
		if (h->jobs[i].pid > 0)
			return true;
	return find_next(h, &id, &hook) == TW_OK;
}

void tw_hooks_free(struct tw_hooks *h)
{
	struct job *j;
	size_t i;

	if (!h)
		return;
	for (j = h->jobs; j < h->jobs + TW_HOOKS_AT_ONCE; j++) {
		if (j->pid > 0 && !j->has_ended) {
			kill(-j->pid, SIGKILL);
			waitpid(j->pid, NULL, 0);
		}
		if (j->pid > 0)
			release(j);
	}
	if (h->n == 0)
		tw_event_clear(h->o.store, h->o.org_id, NULL);
	for (i = 0; i < h->n; i++)
		free(h->names[i]);
	free(h);
}
