/*
 * cli.c - the life of a tool, from argv to the exit status; see cli.h
 *
 * cli_parse.c reads argv, cli_help.c explains it, cli_talk.c speaks.
 */
#include "cli.h"

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/text.h"
#include "beside.h"
#include "cli_private.h"
#include "gate.h"
#include "out/close.h"

#ifndef PACKAGE_VERSION		/* the build gives it */
#define PACKAGE_VERSION "unknown"
#endif

const char *tw_cli_version(void)
{
	return PACKAGE_VERSION;
}

/*
 * A tool started with a standard descriptor closed must not get the state
 * file in its place.  The substitutes fail on use, as the closed ones would.
 */
static void fill_standard_fds(void)
{
	int fd, flags;

	for (fd = 0; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		flags = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;
		if (open("/dev/null", flags) != fd)
			_exit(TW_BUG);
	}
}

/* A build finds its own translations before it is installed. */
void tw_cli_language(void)
{
	char *own;

	setlocale(LC_CTYPE, "");
	if (!tw_text_is_wanted())
		return;
	own = beside("../share/locale");
	tw_text_begin(own ? own : TW_LOCALE_DIR);
	free(own);
}

/* No core file: it would hold secrets.  No death by SIGPIPE in mid-act, nor by
 * a caller's limit on the size of files. */
static void prepare_process(void)
{
	const struct rlimit none = { 0, 0 };

	fill_standard_fds();
	setrlimit(RLIMIT_CORE, &none);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	gate_enter();
	tw_cli_language();
}

/* Whoever read stdout has seen enough: end as other filters do. */
static void end_by_sigpipe(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(SIGPIPE);
}

/* Prints what put() made. */
static enum tw_status print_buf(struct tw_buf *b, struct tw_err *err)
{
	enum tw_status s = tw_buf_check(b, err);

	if (!s)
		fwrite(tw_buf_str(b), 1, b->len, stdout);
	tw_buf_release(b);
	return s;
}

static enum tw_status run_verb(struct tw_cli *cli, int argc, char **argv,
    int *status, struct tw_err *err)
{
	const struct tw_tool *tool = cli->tool;
	enum tw_cli_needs needs = cli->verb->needs;
	enum tw_status s = TW_OK;
	bool is_open = needs != TW_NEEDS_NONE && tool->open_state;

	if (cli->state)
		s = gate_check_state(tw_cli_flag(cli, "state"), err);
	if (s)
		return s;
	if (is_open)
		s = tool->open_state(cli, needs, err);
	if (!s)
		*status = tw_status_exit(
		    (enum tw_status)cli->verb->run(cli, argc, argv));
	if (is_open && tool->close_state)
		tool->close_state(cli);
	return s;
}

static enum tw_status act(struct tw_cli *cli, enum tw_cli_action action,
    int argc, char **argv, int *status, struct tw_err *err)
{
	struct tw_buf b = TW_BUF_INIT;

	switch (action) {
	case TW_ACTION_RUN:
		return run_verb(cli, argc, argv, status, err);
	case TW_ACTION_HELP:
		tw_cli_put_help(cli->tool, cli->verb, &b);
		return print_buf(&b, err);
	case TW_ACTION_VERSION:
		tw_buf_addf(&b, "%s %s\n", cli->tool->name, tw_cli_version());
		return print_buf(&b, err);
	case TW_ACTION_COLUMNS:
		return tw_table_list_columns(cli->verb->columns, &cli->table,
		    stdout, err);
	case TW_ACTION_DUMP:
		tw_cli_put_dump(cli->tool, &b);
		return print_buf(&b, err);
	default:
		return tw_err_set(err, TW_BUG, "unknown action");
	}
}

int tw_cli_main(int argc, char **argv, const struct tw_tool *tool)
{
	struct tw_cli cli = { .tool = tool };
	enum tw_cli_action action;
	struct tw_err err;
	char **args = NULL;
	int nargs, status = 0;
	enum tw_status s;
	bool pipe;

	prepare_process();
	s = tw_cli_parse(&cli, argc, argv, &action, &args, &nargs, &err);
	if (!s)
		s = act(&cli, action, nargs, args, &status, &err);
	if (s)
		status = err.msg[0] ? tw_cli_error(&cli, &err) :
		    tw_status_exit(s);
	s = tw_out_close(stdout, &pipe, &err);
	if (pipe)
		end_by_sigpipe();
	else if (s)
		status = tw_cli_error(&cli, &err);
	free(args);
	tw_cli_release(&cli);
	return status;
}
