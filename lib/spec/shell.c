/*
 * shell.c - is this shell text? see shell.h
 *
 * Each text gets a shell of its own: put together, "if a; then" in one and
 * "fi" in the next would pass.  The text goes in as stdin from a memory file,
 * so none of it is in an argument, and -n keeps sh from running it.
 */
#include "spec/shell.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "spec/diag.h"

#define AT_ONCE 4
#define SAID_MAX 4095		/* bytes looked at of what sh says */
#define SAID_SHOWN 200		/* characters of it in a message */

struct child {
	pid_t pid;		/* 0: none */
	int said;		/* memory file with its stderr, or -1 */
};

static enum tw_status spawn(const char *text, struct child *c,
    struct tw_err *err)
{
	static char sh[] = "sh", n[] = "-n", path[] = "PATH=/usr/bin:/bin";
	static char locale[] = "LC_ALL=C";
	char *argv[] = { sh, n, NULL }, *envp[] = { path, locale, NULL };
	posix_spawn_file_actions_t acts;
	int in = -1, e;

	if (posix_spawn_file_actions_init(&acts) != 0)
		return tw_err_nomem(err);
	c->said = memfd_create("towerify-said", MFD_CLOEXEC);
	in = memfd_create("towerify-text", MFD_CLOEXEC);
	e = c->said < 0 || in < 0 ? errno : 0;
	if (!e)
		e = tw_io_write_all(in, text, strlen(text));
	if (!e && lseek(in, 0, SEEK_SET) < 0)
		e = errno;
	if (!e)
		e = posix_spawn_file_actions_adddup2(&acts, in, 0);
	if (!e)
		e = posix_spawn_file_actions_addopen(&acts, 1, "/dev/null",
		    O_WRONLY, 0);
	if (!e)
		e = posix_spawn_file_actions_adddup2(&acts, c->said, 2);
	if (!e)
		e = posix_spawn(&c->pid, "/bin/sh", &acts, NULL, argv, envp);
	if (e)
		c->pid = 0;
	posix_spawn_file_actions_destroy(&acts);
	if (in >= 0)
		close(in);
	if (!e)
		return TW_OK;
	return tw_err_sys(err, e == ENOMEM || e == EAGAIN ? TW_NOMEM :
	    TW_CONFIG, e, "cannot run /bin/sh to check the commands");
}

/* "sh: 3: Syntax error: ..." (dash) or "sh: line 3: syntax error ...". */
static const char *find_line(const char *said, size_t *line)
{
	const char *p = strstr(said, ": "), *d;
	char *end;

	*line = 1;
	if (!p)
		return said;
	d = p + 2;
	if (strncmp(d, "line ", 5) == 0)
		d += 5;
	if (!isdigit((unsigned char)*d))
		return p + 2;
	*line = strtoul(d, &end, 10);
	return strncmp(end, ": ", 2) == 0 ? end + 2 : end;
}

static void read_said(int fd, struct tw_shell_text *t)
{
	struct tw_buf b = TW_BUF_INIT;
	char said[SAID_MAX + 1];
	size_t line, lines = 1;
	const char *what, *p;
	ssize_t got;

	got = pread(fd, said, SAID_MAX, 0);
	said[got > 0 ? got : 0] = '\0';
	said[strcspn(said, "\n")] = '\0';
	what = find_line(said, &line);
	for (p = t->text; *p; p++)
		lines += *p == '\n' && p[1] != '\0';
	t->line = line < 1 ? 1 : line > lines ? lines : line;
	b.max = sizeof t->why - 1;
	if (*what) {
		tw_buf_addc(&b, (char)tolower((unsigned char)*what));
		tw_diag_escape(&b, what + 1, strlen(what + 1), SAID_SHOWN);
	} else {
		tw_buf_adds(&b, W_("sh cannot read this"));
	}
	memcpy(t->why, tw_buf_str(&b), b.len);
	t->why[b.len] = '\0';
	tw_buf_release(&b);
}

static enum tw_status collect(struct child *c, struct tw_shell_text *t,
    struct tw_err *err)
{
	enum tw_status st = TW_OK;
	int status;
	pid_t pid;

	if (c->pid) {
		do
			pid = waitpid(c->pid, &status, 0);
		while (pid < 0 && errno == EINTR);
		if (pid < 0)
			st = tw_err_sys(err, TW_CONFIG, errno,
			    "cannot wait for /bin/sh");
		else if (!WIFEXITED(status) || WEXITSTATUS(status) == 127)
			st = tw_err_set(err, TW_CONFIG,
			    "/bin/sh ended without checking a command");
		else if (WEXITSTATUS(status) != 0)
			read_said(c->said, t);
		c->pid = 0;
	}
	if (c->said >= 0)
		close(c->said);
	c->said = -1;
	return st;
}

enum tw_status tw_shell_check(struct tw_shell_text *v, size_t n,
    struct tw_err *err)
{
	enum tw_status st = TW_OK, one;
	struct child c[AT_ONCE];
	size_t i, k, some;

	for (i = 0; i < n && st == TW_OK; i += AT_ONCE) {
		some = n - i < AT_ONCE ? n - i : AT_ONCE;
		for (k = 0; k < some; k++) {
			c[k].pid = 0;
			c[k].said = -1;
			v[i + k].line = 0;
			if (st == TW_OK)
				st = spawn(v[i + k].text, &c[k], err);
		}
		for (k = 0; k < some; k++) {
			one = collect(&c[k], &v[i + k],
			    st == TW_OK ? err : NULL);
			if (st == TW_OK)
				st = one;
		}
	}
	return st;
}
