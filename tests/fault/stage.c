/*
 * stage.c - see stage.h
 *
 * The state is read with SQLite itself and not with our own model: what is to
 * be found out is whether that is right.
 */
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"

#define HUNG_MS 60000		/* a tool that takes longer hangs */
#define SETTLE_MS 20000		/* what a change left on its host has ended */
#define NAP_MS 20

void stage_die(const char *fmt, ...)
{
	va_list ap;

	fputs("Bail out! ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf(": %s\n", strerror(errno));
	exit(99);
}

static char *path_of(const char *dir, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		stage_die("no memory");
	return path;
}

void stage_init(struct stage *s, const char *dir, const char *shim)
{
	char *path = path_of(dir, "plan");
	int fd;

	memset(s, 0, sizeof *s);
	s->dir = strdup(dir);
	s->shim = strdup(shim);
	s->state = path_of(dir, "state");
	s->saved = path_of(dir, "saved");
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof *s->plan) < 0)
		stage_die("%s", path);
	s->plan = mmap(NULL, sizeof *s->plan, PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	if (s->plan == MAP_FAILED)
		stage_die("%s", path);
	close(fd);
	free(path);
}

void stage_release(struct stage *s)
{
	munmap(s->plan, sizeof *s->plan);
	tw_buf_release(&s->out);
	tw_buf_release(&s->err);
	free(s->dir);
	free(s->shim);
	free(s->state);
	free(s->saved);
}

/* --- the scene and its copy ------------------------------------------------ */

/* Who may still be at work there is nobody's child: what vanishes or comes
 * meanwhile is met by trying again. */
static int remove_one(const char *path, const struct stat *st, int flag,
    struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (flag == FTW_DP)
		(void)rmdir(path);
	else
		(void)unlink(path);
	return 0;
}

static void copy_file(const char *from, const char *to, mode_t mode)
{
	struct tw_buf b = TW_BUF_INIT;
	struct tw_err err;
	int fd;

	if (tw_io_read_file(from, &b, &err) != TW_OK)
		stage_die("%s", err.msg);
	fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0 || fchmod(fd, mode) < 0 ||
	    tw_io_write_all(fd, b.data, b.len) != 0)
		stage_die("%s", to);
	close(fd);
	tw_buf_release(&b);
}

static const char *copy_from, *copy_to;

static int copy_one(const char *path, const struct stat *st, int flag,
    struct FTW *ftw)
{
	char *to;

	(void)ftw;
	if (asprintf(&to, "%s%s", copy_to, path + strlen(copy_from)) < 0)
		stage_die("no memory");
	if (flag == FTW_D) {
		if (mkdir(to, 0700) < 0 || chmod(to, st->st_mode & 07777) < 0)
			stage_die("%s", to);
	} else if (S_ISFIFO(st->st_mode)) {
		if (mkfifo(to, st->st_mode & 07777) < 0)
			stage_die("%s", to);
	} else {
		copy_file(path, to, st->st_mode & 07777);
	}
	free(to);
	return 0;
}

static void remove_tree(const char *path)
{
	int tries = 0;

	while (access(path, F_OK) == 0) {
		nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
		if (access(path, F_OK) < 0)
			break;
		if (tries++ > SETTLE_MS / NAP_MS)
			stage_die("%s: cannot remove", path);
		poll(NULL, 0, NAP_MS);
	}
}

void stage_empty(const char *dir)
{
	remove_tree(dir);
	if (mkdir(dir, 0700) < 0)
		stage_die("%s", dir);
}

void stage_copy(const char *from, const char *to)
{
	remove_tree(to);
	copy_from = from;
	copy_to = to;
	if (nftw(from, copy_one, 16, FTW_PHYS) < 0)
		stage_die("%s: cannot copy", from);
}

/* What a run may change.  The scene's other files stay as they are. */
static const char *const parts[] = { "state", "spool-h1", "spool-h2",
	"spool-h3", "spool-h4", "traces" };

static void each_part(struct stage *s, bool is_saving)
{
	size_t i;

	if (is_saving && mkdir(s->saved, 0700) < 0 && errno != EEXIST)
		stage_die("%s", s->saved);
	for (i = 0; i < sizeof parts / sizeof *parts; i++) {
		char *here = path_of(s->dir, parts[i]);
		char *there = path_of(s->saved, parts[i]);
		const char *from = is_saving ? here : there;
		const char *to = is_saving ? there : here;

		if (access(from, F_OK) == 0)
			stage_copy(from, to);
		else
			remove_tree(to);
		free(here);
		free(there);
	}
}

void stage_save(struct stage *s)
{
	/* by an earlier driver, whose last run is what is there now */
	if (access(s->saved, F_OK) == 0) {
		stage_restore(s);
		return;
	}
	stage_settle(s);
	each_part(s, true);
}

void stage_restore(struct stage *s)
{
	stage_settle(s);
	each_part(s, false);
}

static void unlocked(struct stage *s, const char *name)
{
	char *path = path_of(s->dir, name);
	int fd = open(path, O_RDWR | O_CLOEXEC), waited;

	for (waited = 0; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;
	    waited += NAP_MS) {
		if (waited > SETTLE_MS)
			stage_die("%s: still locked", path);
		poll(NULL, 0, NAP_MS);
	}
	if (fd >= 0)
		close(fd);
	free(path);
}

/* How many sessions the scene's sshd has; 0 without one. */
static bool has_sessions(struct stage *s)
{
	char *path = path_of(s->dir, "sshd/sshd.pid"), list[64];
	struct tw_buf b = TW_BUF_INIT;
	bool has = false;
	long pid;

	if (tw_io_read_file(path, &b, NULL) == TW_OK) {
		pid = strtol(tw_buf_str(&b), NULL, 10);
		snprintf(list, sizeof list, "/proc/%ld/task/%ld/children",
		    pid, pid);
		tw_buf_reset(&b);
		has = tw_io_read_file(list, &b, NULL) == TW_OK && b.len > 0;
	}
	tw_buf_release(&b);
	free(path);
	return has;
}

/* A request holds its spool's gate, an executor its lock for as long as it
 * lives. */
void stage_settle(struct stage *s)
{
	char name[32];
	int i, waited;

	for (waited = 0; has_sessions(s) && waited < SETTLE_MS;
	    waited += NAP_MS)
		poll(NULL, 0, NAP_MS);
	for (i = 1; i <= 4; i++) {
		snprintf(name, sizeof name, "spool-h%d/gate", i);
		unlocked(s, name);
		snprintf(name, sizeof name, "spool-h%d/lock", i);
		unlocked(s, name);
	}
}

/* --- running ---------------------------------------------------------------- */

static void child(struct stage *s, char *const argv[], bool has_plan,
    int out, int err)
{
	char *plan = path_of(s->dir, "plan");
	int null = open("/dev/null", O_RDONLY);
	sigset_t none;

	if (dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		_exit(99);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0);
	if (has_plan) {
		setenv(FAULT_PLAN_ENV, plan, 1);
		setenv("LD_PRELOAD", s->shim, 1);
	}
	execvp(argv[0], argv);
	_exit(99);
}

static int wait_for(pid_t pid)
{
	struct pollfd p = { .events = POLLIN };
	bool is_hung;
	int status = 0;

	p.fd = pidfd_open(pid, 0);
	if (p.fd < 0)
		stage_die("pidfd_open");
	is_hung = poll(&p, 1, HUNG_MS) == 0;
	if (is_hung)
		kill(-pid, SIGKILL);
	close(p.fd);
	if (waitpid(pid, &status, 0) < 0)
		stage_die("waitpid");
	return is_hung ? STAGE_HUNG : status;
}

static void take(int fd, struct tw_buf *b)
{
	struct tw_err err;

	tw_buf_reset(b);
	if (lseek(fd, 0, SEEK_SET) < 0 ||
	    tw_io_read_fd(fd, "output", b, &err) != TW_OK)
		tw_buf_reset(b);
	close(fd);
}

int stage_run(struct stage *s, char *const argv[],
    const struct fault_plan *plan, const char *out_path)
{
	int out, err, status;
	pid_t pid;

	if (plan) {
		*s->plan = *plan;
		snprintf(s->plan->tool, sizeof s->plan->tool, "%s", argv[0]);
		snprintf(s->plan->below, sizeof s->plan->below, "%s",
		    s->state);
	}
	out = out_path ? open(out_path, O_WRONLY | O_CLOEXEC) :
	    memfd_create("out", MFD_CLOEXEC);
	err = memfd_create("err", MFD_CLOEXEC);
	if (out < 0 || err < 0)
		stage_die("cannot catch the output");
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		stage_die("fork");
	if (pid == 0)
		child(s, argv, plan != NULL, out, err);
	status = wait_for(pid);
	if (out_path) {
		close(out);
		tw_buf_reset(&s->out);
	} else {
		take(out, &s->out);
	}
	take(err, &s->err);
	return status;
}

/* --- what steps did ------------------------------------------------------------ */

static int by_line(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Each host's lines are in its own order already; hosts mix. */
void stage_log(struct stage *s, struct tw_buf *b)
{
	char *path = path_of(s->dir, "traces/log"), *lines[4096], *save = NULL;
	struct tw_buf text = TW_BUF_INIT;
	struct tw_err err;
	size_t n = 0, i;
	char *line;

	tw_buf_reset(b);
	if (access(path, F_OK) == 0 &&
	    tw_io_read_file(path, &text, &err) != TW_OK)
		stage_die("%s", err.msg);
	for (line = text.len ? strtok_r(text.data, "\n", &save) : NULL;
	    line && n < 4096; line = strtok_r(NULL, "\n", &save))
		lines[n++] = line;
	qsort(lines, n, sizeof *lines, by_line);
	for (i = 0; i < n; i++)
		tw_buf_addf(b, "%s\n", lines[i]);
	tw_buf_release(&text);
	free(path);
}

void stage_diff(const char *was, const char *is, struct tw_buf *b)
{
	size_t n, m;

	for (;;) {
		n = strcspn(was, "\n");
		m = strcspn(is, "\n");
		if (n != m || strncmp(was, is, n) != 0)
			break;
		if (!was[n] || !is[m])
			break;
		was += n + 1;
		is += m + 1;
	}
	tw_buf_addf(b, "- %.*s\n+ %.*s\n", (int)n, was, (int)m, is);
}
