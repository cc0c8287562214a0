/*
 * cli_talk.c - what a tool says and asks: stderr, the terminal, stdin
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/text.h"
#include "cli_private.h"
#include "gate.h"
#include "out/escape.h"

#define STDIN_MAX ((size_t)16 << 20)	/* bytes of names or ids */
#define ANSWER_MAX 80

/* One line on stderr in one write, escaped. */
static void put_line(const char *prefix, const char *text)
{
	size_t n = tw_text_settle(NULL, 0, text, true);
	struct tw_buf b = TW_BUF_INIT, line = TW_BUF_INIT;

	if (tw_buf_reserve(&line, n + 1))
		line.len = tw_text_settle(line.data, n + 1, text, true);
	tw_buf_adds(&b, prefix);
	tw_escape(tw_buf_str(&line), line.len,
	    TW_ESCAPE_ONE_LINE | tw_escape_locale(), &b);
	tw_buf_release(&line);
	tw_buf_addc(&b, '\n');
	if (!b.failed)
		fwrite(b.data, 1, b.len, stderr);
	tw_buf_release(&b);
}

/* "TOOL: text". */
static void put_message(const struct tw_cli *cli, const char *text)
{
	char prefix[64];

	snprintf(prefix, sizeof prefix, "%s: ", cli->tool->name);
	put_line(prefix, text);
}

void tw_cli_say(const struct tw_cli *cli, const char *fmt, ...)
{
	struct tw_buf b = TW_BUF_INIT;
	va_list ap;

	if (cli->is_quiet)
		return;
	va_start(ap, fmt);
	tw_buf_addv(&b, tw_text(fmt), ap);
	va_end(ap);
	put_line("", tw_buf_str(&b));
	tw_buf_release(&b);
}

void tw_cli_say_n(const struct tw_cli *cli, unsigned long n,
    const char *one, const char *many, ...)
{
	struct tw_buf b = TW_BUF_INIT;
	va_list ap;

	if (cli->is_quiet)
		return;
	va_start(ap, many);
	tw_buf_addv(&b, tw_text_n(one, many, n), ap);
	va_end(ap);
	put_line("", tw_buf_str(&b));
	tw_buf_release(&b);
}

void tw_cli_warn(const struct tw_cli *cli, const char *fmt, ...)
{
	struct tw_buf b = TW_BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	tw_buf_addv(&b, tw_text(fmt), ap);
	va_end(ap);
	put_message(cli, tw_buf_str(&b));
	tw_buf_release(&b);
}

int tw_cli_error(const struct tw_cli *cli, const struct tw_err *err)
{
	put_message(cli, tw_err_text(err));
	if (err->hint[0])
		put_line(tw_text("hint: "), err->hint);
	return tw_status_exit(err->status);
}

int tw_cli_usage(const struct tw_cli *cli, const char *fmt, ...)
{
	struct tw_err err;
	va_list ap;

	va_start(ap, fmt);
	tw_err_setv(&err, TW_USAGE, fmt, ap);
	va_end(ap);
	return tw_cli_error(cli, &err);
}

/* A line from fd without its newline, cut to size; false at the end. */
static bool read_line(int fd, char *line, size_t size)
{
	size_t n = 0;
	ssize_t got;
	char c;

	for (;;) {
		got = read(fd, &c, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || c == '\n')
			break;
		if (n + 1 < size)
			line[n++] = c;
	}
	line[n] = '\0';
	return got > 0;
}

/* English is understood in every language. */
static bool is_yes(const char *answer)
{
	return strcasecmp(answer, "y") == 0 ||
	    strcasecmp(answer, "yes") == 0 ||
	    strcasecmp(answer, tw_text_in("answer", "y")) == 0 ||
	    strcasecmp(answer, tw_text_in("answer", "yes")) == 0;
}

enum tw_status tw_cli_confirm(const struct tw_cli *cli, const char *question,
    struct tw_err *err)
{
	struct tw_buf b = TW_BUF_INIT;
	char answer[ANSWER_MAX] = "";
	int fd;

	(void)cli;
	tw_escape(question, strlen(question), tw_escape_locale(), &b);
	tw_buf_adds(&b, tw_text(" [y/N] "));
	if (tw_buf_check(&b, err)) {
		tw_buf_release(&b);
		return err->status;
	}
	fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		tw_buf_release(&b);
		return tw_err_set(err, TW_USAGE,
		    "there is no terminal to ask on");
	}
	if (tw_io_write_all(fd, tw_buf_str(&b), b.len) != 0 ||
	    !read_line(fd, answer, sizeof answer))
		answer[0] = '\0';
	tw_buf_release(&b);
	close(fd);
	if (is_yes(answer))
		return TW_OK;
	return tw_err_set(err, TW_NO, "not confirmed");
}

enum tw_status tw_cli_targets_text(const struct tw_cli *cli, const char *arg,
    struct tw_buf *b, struct tw_err *err)
{
	size_t start = b->len, i;
	enum tw_status s;

	(void)cli;
	if (strcmp(arg, "-") != 0) {
		tw_buf_adds(b, arg);
		return tw_buf_check(b, err);
	}
	if (!b->max)
		b->max = STDIN_MAX;
	s = tw_io_read_fd(STDIN_FILENO, "standard input", b, err);
	for (i = start; i < b->len; i++)
		if (b->data[i] == '\0')
			b->data[i] = '\n';
	return s;
}

bool tw_cli_flush(const struct tw_cli *cli)
{
	(void)cli;
	return fflush(stdout) == 0 && !ferror(stdout);
}

/* A terminal that understands ANSI sequences. */
static bool is_capable(FILE *f)
{
	const char *term = getenv("TERM");

	return isatty(fileno(f)) && term && *term &&
	    strcmp(term, "dumb") != 0;
}

bool tw_cli_has_color(const struct tw_cli *cli, FILE *f)
{
	const char *no = getenv("NO_COLOR");

	if (cli->color != TW_COLOR_AUTO)
		return cli->color == TW_COLOR_ALWAYS;
	return is_capable(f) && !(no && *no);
}

void tw_cli_progress_options(const struct tw_cli *cli,
    struct tw_progress_options *out)
{
	memset(out, 0, sizeof *out);
	out->out = stderr;
	out->color = tw_cli_has_color(cli, stderr);
	out->verbose = cli->is_verbose;
	out->never_waits = gate_is_there();
	if (cli->is_quiet)
		out->mode = TW_PROGRESS_QUIET;
	else if (is_capable(stderr))
		out->mode = TW_PROGRESS_LIVE;
	else if (isatty(STDERR_FILENO))
		out->mode = TW_PROGRESS_PLAIN;
	else
		out->mode = cli->is_verbose ? TW_PROGRESS_LINES :
		    TW_PROGRESS_QUIET;
}
