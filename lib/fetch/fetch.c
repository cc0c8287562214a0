/*
 * fetch.c - runs towerify-fetch; see fetch.h
 *
 * The request goes in as a memory file on standard input (an address in argv
 * would show in ps), the body comes out where standard output leads, and what
 * went wrong is a line, or two with the hint, on standard error; the exit status
 * is an enum tw_status.
 */
#include "fetch/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"

#define SAID_MAX 1500		/* bytes of what the helper says */
#define HINT "hint: "

bool tw_fetch_is_url(const char *text)
{
	return strncasecmp(text, "https://", 8) == 0 ||
	    strncasecmp(text, "http://", 7) == 0;
}

/* Printable, without blanks: one line of the request, one word of a message. */
static enum tw_status check_url(const char *url, struct tw_err *err)
{
	const unsigned char *p;

	for (p = (const unsigned char *)url; *p > ' ' && *p < 0x7f; p++)
		;
	if (*p)
		return tw_err_set(err, TW_DATA, "an address holds no blanks "
		    "and nothing beyond ASCII");
	if (strlen(url) > TW_FETCH_URL_MAX)
		return tw_err_set(err, TW_DATA, "an address has at most %d "
		    "bytes", TW_FETCH_URL_MAX);
	if (!tw_fetch_is_url(url))
		return tw_err_set(err, TW_DATA, "%s: not fetched: only https "
		    "and http are", url);
	return TW_OK;
}

static void write_request(const struct tw_fetch *f, const char *url,
    size_t max, struct tw_buf *out)
{
	const char *const *a;

	tw_buf_addf(out, "parent %ld\nurl %s\nmax %zu\ntimeout %" PRId64 "\n",
	    (long)getpid(), url, max, f->timeout);
	if (f->is_public)
		tw_buf_adds(out, "public\n");
	if (f->allow)
		tw_buf_adds(out, "listed\n");
	for (a = f->allow; a && *a; a++)
		tw_buf_addf(out, "allow %s\n", *a);
}

static int memory_file(const char *name, const struct tw_buf *text)
{
	int fd = memfd_create(name, MFD_CLOEXEC);
	int e = 0;

	if (fd >= 0 && text)
		e = tw_io_write_all(fd, tw_buf_str(text), text->len);
	if (fd >= 0 && !e && lseek(fd, 0, SEEK_SET) < 0)
		e = errno;
	if (!e)
		return fd;
	close(fd);
	errno = e;
	return -1;
}

/* 0 or an errno value. */
static int spawn(const char *helper, int in, int out, int said, pid_t *pid)
{
	static char name[] = "towerify-fetch";
	posix_spawn_file_actions_t acts;
	char *argv[] = { name, NULL };
	int e;

	e = posix_spawn_file_actions_init(&acts);
	if (e)
		return e;
	e = posix_spawn_file_actions_adddup2(&acts, in, 0);
	if (!e)
		e = posix_spawn_file_actions_adddup2(&acts, out, 1);
	if (!e)
		e = posix_spawn_file_actions_adddup2(&acts, said, 2);
	if (!e)
		e = posix_spawn(pid, helper, &acts, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&acts);
	return e;
}

/* What the helper said becomes the message: in English, so that all of it is a
 * part to be looked up. */
static enum tw_status take_said(int fd, enum tw_status status,
    const char *url, struct tw_err *err)
{
	char part[SAID_MAX + 3], said[SAID_MAX + 1], *rest = said, *p;
	const char *line;
	ssize_t got = pread(fd, said, SAID_MAX, 0);

	said[got > 0 ? got : 0] = '\0';
	for (p = said; *p; p++)
		if (*p != '\n' && (*p < ' ' || *p > '~'))
			*p = '?';
	line = strsep(&rest, "\n");
	if (!*line)
		line = N_("the download failed without a reason");
	snprintf(part, sizeof part, W_("%s"), line);
	tw_err_set(err, status, "%s: %s", url, part);
	if (rest && strncmp(rest, HINT, sizeof HINT - 1) == 0) {
		rest += sizeof HINT - 1;
		tw_err_hint(err, "%s", tw_text(strsep(&rest, "\n")));
	}
	return status;
}

static enum tw_status collect(pid_t pid, int said, const char *url,
    struct tw_err *err)
{
	int status;
	pid_t got;

	do
		got = waitpid(pid, &status, 0);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return tw_err_sys(err, TW_CONFIG, errno,
		    "cannot wait for towerify-fetch");
	if (WIFSIGNALED(status))
		return tw_err_set(err, TW_AGAIN, "%s: the download was "
		    "killed by signal %d", url, WTERMSIG(status));
	switch (WEXITSTATUS(status)) {
	case TW_OK:
		return TW_OK;
	case TW_DATA:
	case TW_AGAIN:
	case TW_DENIED:
	case TW_CONFIG:
		return take_said(said, (enum tw_status)WEXITSTATUS(status),
		    url, err);
	default:
		return tw_err_set(err, TW_CONFIG, "towerify-fetch ended with "
		    "status %d", WEXITSTATUS(status));
	}
}

enum tw_status tw_fetch_to(const struct tw_fetch *f, const char *url, int fd,
    size_t max, struct tw_err *err)
{
	struct tw_buf request = TW_BUF_INIT;
	int in = -1, said = -1, e = 0;
	enum tw_status st;
	pid_t pid = 0;

	st = check_url(url, err);
	if (st)
		return st;
	write_request(f, url, max, &request);
	st = tw_buf_check(&request, err);
	if (st)
		goto out;
	if (f->begin)
		f->begin(f->arg, url);
	in = memory_file("towerify-request", &request);
	said = in < 0 ? -1 : memory_file("towerify-said", NULL);
	e = in < 0 || said < 0 ? errno :
	    spawn(f->helper, in, fd, said, &pid);
	if (e)
		st = tw_err_sys(err, e == ENOMEM || e == EAGAIN ? TW_NOMEM :
		    TW_CONFIG, e, "cannot run %s", f->helper);
	else
		st = collect(pid, said, url, err);
out:
	if (in >= 0)
		close(in);
	if (said >= 0)
		close(said);
	tw_buf_release(&request);
	return st;
}

enum tw_status tw_fetch_read(const struct tw_fetch *f, const char *url,
    size_t max, struct tw_buf *out, struct tw_err *err)
{
	int fd = memory_file("towerify-fetched", NULL);
	enum tw_status st;

	if (fd < 0)
		return tw_err_nomem(err);
	st = tw_fetch_to(f, url, fd, max, err);
	if (!st && lseek(fd, 0, SEEK_SET) < 0)
		st = tw_err_sys(err, TW_CONFIG, errno, "%s: cannot read", url);
	if (!st)
		st = tw_io_read_fd(fd, url, out, err);
	close(fd);
	return st;
}
