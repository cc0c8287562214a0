/*
 * test_cli.c - bin/cli*.c: options, verbs, help, the life of a tool
 *
 * Each call of tw_cli_main() runs in a child with its three standard
 * descriptors in files, so exit statuses and both outputs are seen whole.
 */
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "bin/cli.h"

#define WORDS_MAX 24

static const struct tw_column columns[] = {
	{ "name", "NAME", TW_COL_TEXT, true, "the host" },
	{ "count", "COUNT", TW_COL_INT, false, "its changes" },
	{ NULL, NULL, TW_COL_TEXT, false, NULL },
};

static const struct tw_option add_options[] = {
	{ "param", 'p', "K=V", "a parameter", true },
	{ "key", 0, "KEY", "the same key files nothing twice", false },
	{ "wait", 'w', "[DURATION]", "wait for the end", false },
	{ "follow", 'f', NULL, "follow the output", false },
	{ NULL, 0, NULL, NULL, false },
};

/* Prints what it was given. */
static int run_add(struct tw_cli *cli, int argc, char **argv)
{
	const char *s;
	size_t i;

	printf("%s state=%s org=%s%s%s", cli->verb->name ? cli->verb->name :
	    "(none)", cli->state ? cli->state : "-",
	    cli->org ? cli->org : "-", cli->is_quiet ? " quiet" : "",
	    cli->is_verbose ? " verbose" : "");
	for (i = 0; (s = tw_cli_opt_each(cli, "param", i)); i++)
		printf(" p:%s", s);
	if ((s = tw_cli_opt(cli, "key")))
		printf(" key:%s", s);
	if ((s = tw_cli_opt(cli, "wait")))
		printf(" wait:%s", s);
	if (tw_cli_flag(cli, "follow"))
		printf(" follow");
	for (i = 0; i < (size_t)argc; i++)
		printf(" [%s]", argv[i]);
	putchar('\n');
	return argv[argc] ? TW_BUG : TW_OK;
}

static int run_list(struct tw_cli *cli, int argc, char **argv)
{
	struct tw_table *t;
	struct tw_err err;
	long i, n = argc ? atol(argv[0]) : 1;

	cli->table.noun = "hosts";
	if (tw_table_new(columns, &cli->table, &t, &err))
		return tw_cli_error(cli, &err);
	for (i = 0; i < n; i++) {
		tw_table_cell_text(t, 0, "web1");
		tw_table_cell_int(t, 1, i);
		tw_table_row_end(t, NULL);
	}
	tw_table_print(t, stdout, NULL);
	tw_table_free(t);
	return TW_OK;
}

static int run_fail(struct tw_cli *cli, int argc, char **argv)
{
	struct tw_err err;

	(void)argc;
	(void)argv;
	tw_cli_say(cli, "said");
	tw_cli_warn(cli, "warned %d", 1);
	tw_err_set(&err, TW_FAILED, "web1: bad\x1b[2J\nbytes\xff");
	tw_err_hint(&err, "try\nagain");
	return tw_cli_error(cli, &err);
}

static int run_read(struct tw_cli *cli, int argc, char **argv)
{
	struct tw_buf b = TW_BUF_INIT;
	struct tw_err err;

	(void)argc;
	if (tw_cli_targets_text(cli, argv[0], &b, &err))
		return tw_cli_error(cli, &err);
	printf("<%s>\n", tw_buf_str(&b));
	tw_buf_release(&b);
	return cli->context ? TW_OK : TW_BUG;
}

static int run_nomem(struct tw_cli *cli, int argc, char **argv)
{
	(void)cli;
	(void)argc;
	(void)argv;
	return TW_NOMEM;
}

static int run_confirm(struct tw_cli *cli, int argc, char **argv)
{
	struct tw_err err;

	(void)argc;
	(void)argv;
	if (tw_cli_confirm(cli, "Sure?", &err))
		return tw_cli_error(cli, &err);
	return TW_OK;
}

static enum tw_status open_state(struct tw_cli *cli, enum tw_cli_needs needs,
    struct tw_err *err)
{
	if (cli->state && strcmp(cli->state, "/bad") == 0)
		return tw_err_set(err, TW_DENIED, "%s: not yours",
		    cli->state);
	fprintf(stderr, "open %d\n", (int)needs);
	cli->context = cli;
	return TW_OK;
}

static void close_state(struct tw_cli *cli)
{
	fprintf(stderr, "close %d\n", cli->context != NULL);
}

static const struct tw_verb verbs[] = {
	{ "add", run_add, add_options, "TARGETS FILE", 2, 2, TW_NEEDS_NONE,
	    "file a change", NULL },
	{ "list", run_list, NULL, "[N]", 0, 1, TW_NEEDS_NONE,
	    "list the hosts", columns },
	{ "fail", run_fail, NULL, NULL, 0, 0, TW_NEEDS_NONE, "fail", NULL },
	{ "read", run_read, NULL, "TARGETS", 1, 1, TW_NEEDS_WRITE,
	    "read the targets", NULL },
	{ "nomem", run_nomem, NULL, "...", 0, -1, TW_NEEDS_NONE,
	    "have no memory", NULL },
	{ "confirm", run_confirm, NULL, NULL, 0, 0, TW_NEEDS_NONE,
	    "ask a question", NULL },
	{ "org add", run_add, add_options, "NAME", 1, 1, TW_NEEDS_NONE,
	    "add an organisation", NULL },
	{ "org list", run_list, NULL, NULL, 0, 0, TW_NEEDS_NONE,
	    "list the organisations", columns },
};

static const struct tw_tool tool = { "towerify-test", "test the command line",
	verbs, sizeof verbs / sizeof verbs[0], open_state, close_state };

static const struct tw_verb only[] = {
	{ NULL, run_add, add_options, "[ARGS]", 0, -1, TW_NEEDS_NONE, "run",
	    NULL },
};

static const struct tw_tool verbless = { "towerify-only", "run a pass", only,
	1, NULL, NULL };

/* --- running ------------------------------------------------------------ */

static char dir[256];
static struct tw_buf text_out, text_err;
static const char *stdin_text, *stdout_path;

static void setup(void)
{
	const char *tmp = getenv("TMPDIR");

	unsetenv("TOWERIFY_STATE");
	unsetenv("TOWERIFY_ORG");
	snprintf(dir, sizeof dir, "%s/test_cli.XXXXXX", tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	stdin_text = "";
	stdout_path = NULL;
}

static const char *in_dir(const char *name)
{
	static char path[300];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static void teardown(void)
{
	unlink(in_dir("in"));
	unlink(in_dir("out"));
	unlink(in_dir("err"));
	rmdir(dir);
	tw_buf_release(&text_out);
	tw_buf_release(&text_err);
}

static void redirect(int fd, const char *path, int flags)
{
	int got = open(path, flags, 0600);

	if (got < 0 || dup2(got, fd) < 0)
		_exit(99);
	close(got);
}

static int split(const char *line, char *copy, size_t size, char **argv)
{
	char *word, *rest = copy;
	int argc = 0;

	snprintf(copy, size, "%s", line);
	argv[argc++] = copy + strlen(copy);	/* argv[0]: "" */
	while ((word = strsep(&rest, "|")) && argc < WORDS_MAX - 1)
		if (*word || rest)
			argv[argc++] = word;
	argv[argc] = NULL;
	return argc;
}

/* Runs a tool with the words of line, separated by "|"; the wait status. */
static int run_status(const struct tw_tool *t, const char *line)
{
	char copy[512], *argv[WORDS_MAX];
	int argc = split(line, copy, sizeof copy, argv), status;
	pid_t pid;

	tw_buf_reset(&text_out);
	tw_buf_reset(&text_err);
	ck_assert_int_eq(tw_io_write_file(in_dir("in"), stdin_text,
	    strlen(stdin_text), 0600, NULL), TW_OK);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		setsid();	/* no terminal to ask on */
		redirect(0, in_dir("in"), O_RDONLY);
		redirect(1, stdout_path ? stdout_path : in_dir("out"),
		    O_WRONLY | O_CREAT | O_TRUNC);
		redirect(2, in_dir("err"), O_WRONLY | O_CREAT | O_TRUNC);
		status = tw_cli_main(argc, argv, t);
		fflush(stderr);
		_exit(status);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (!stdout_path)
		ck_assert_int_eq(tw_io_read_file(in_dir("out"), &text_out,
		    NULL), TW_OK);
	ck_assert_int_eq(tw_io_read_file(in_dir("err"), &text_err, NULL),
	    TW_OK);
	return status;
}

static int run(const struct tw_tool *t, const char *line)
{
	int status = run_status(t, line);

	ck_assert_msg(WIFEXITED(status), "'%s' ended by signal %d", line,
	    WTERMSIG(status));
	return WEXITSTATUS(status);
}

#define OUT tw_buf_str(&text_out)
#define ERR tw_buf_str(&text_err)

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* --- tests -------------------------------------------------------------- */

static const struct {
	const char *line, *wanted;
} good[] = {
	{ "add|T|F", "add state=- org=- [T] [F]\n" },
	{ "add|-|F", "add state=- org=- [-] [F]\n" },
	{ "--state|/s|add|T|--org=o|F|-q",
	    "add state=/s org=o quiet [T] [F]\n" },
	{ "-v|add|T|F|-q", "add state=- org=- quiet verbose [T] [F]\n" },
	{ "add|-p|a=b|T|--param=c=d|F|-pe=f",
	    "add state=- org=- p:a=b p:c=d p:e=f [T] [F]\n" },
	{ "add|-fqp|a=b|T|F",
	    "add state=- org=- quiet p:a=b follow [T] [F]\n" },
	{ "add|-fvw|T|F", "add state=- org=- verbose wait: follow [T] [F]\n" },
	{ "add|--wait|T|F", "add state=- org=- wait: [T] [F]\n" },
	{ "add|--wait=5m|T|F", "add state=- org=- wait:5m [T] [F]\n" },
	{ "add|--wait=|T|F", "add state=- org=- wait: [T] [F]\n" },
	{ "add|--key|--x|T|F", "add state=- org=- key:--x [T] [F]\n" },
	{ "add|--key=a=b|T|F", "add state=- org=- key:a=b [T] [F]\n" },
	{ "add|--|-f|--key", "add state=- org=- [-f] [--key]\n" },
	{ "add|T|--|--", "add state=- org=- [T] [--]\n" },
	{ "--|add|T|-f", "add state=- org=- [T] [-f]\n" },
	{ "org|add|x|-f", "org add state=- org=- follow [x]\n" },
	{ "--org|o|org|add|x", "org add state=- org=o [x]\n" },
	{ "add|--json|-n|T|F", "add state=- org=- [T] [F]\n" },
	{ "list|-o|count,name", "COUNT NAME\n    0 web1\n" },
	{ "list|-no+count", "web1 0\n" },
	{ "list|-J", "{\"schema\":1,\"hosts\":[\n"
	    "{\"name\":\"web1\",\"count\":0}\n]}\n" },
	{ "--tsv|list|2", "name\tcount\nweb1\t0\nweb1\t1\n" },
	{ "list|--list-columns|--tsv", "name\ttype\tdefault\thelp\n"
	    "name\ttext\ttrue\tthe host\ncount\tint\tfalse\tits changes\n" },
};

START_TEST(words_find_their_place)
{
	ck_assert_int_eq(run(&tool, good[_i].line), 0);
	ck_assert_str_eq(OUT, good[_i].wanted);
	ck_assert_str_eq(ERR, "");
}
END_TEST

#define HELP "hint: towerify-test --help says more\n"
#define ADD_HELP "hint: towerify-test add --help says more\n"
#define ADD_USAGE "hint: usage: towerify-test add [options] TARGETS FILE\n"

static const struct {
	const char *line, *wanted;
} bad[] = {
	{ "", "a verb is missing\n" HELP },
	{ "-q", "a verb is missing\n" HELP },
	{ "lst", "unknown verb 'lst'\nhint: did you mean 'list'?\n" },
	{ "destroy", "unknown verb 'destroy'\n" HELP },
	{ "li\x1b[2J", "unknown verb 'li\\x1b[2J'\n" HELP },
	{ "org", "unknown verb 'org'\n"
	    "hint: after 'org' comes one of: add, list\n" },
	{ "org|-q", "unknown verb 'org'\n"
	    "hint: after 'org' comes one of: add, list\n" },
	{ "org|lst", "unknown verb 'org lst'\n"
	    "hint: did you mean 'org list'?\n" },
	{ "org|frob", "unknown verb 'org frob'\n"
	    "hint: after 'org' comes one of: add, list\n" },
	{ "--sate|x|add", "unknown option '--sate'\n"
	    "hint: did you mean '--state'?\n" },
	{ "add|--parm=x", "unknown option '--parm'\n"
	    "hint: did you mean '--param'?\n" },
	{ "add|--jsn", "unknown option '--jsn'\n"
	    "hint: did you mean '--json'?\n" },
	{ "--param|x|add", "unknown option '--param'\n" HELP },
	{ "add|--=x", "unknown option '--'\n" ADD_HELP },
	{ "add|-x", "unknown option '-x'\n" ADD_HELP },
	{ "add|-fx", "unknown option '-x'\n" ADD_HELP },
	{ "add|--quie", "unknown option '--quie'\n"
	    "hint: did you mean '--quiet'?\n" },
	{ "add|T|F|--key", "option '--key' needs an argument: KEY\n" },
	{ "add|T|F|-p", "option '-p' needs an argument: K=V\n" },
	{ "--state", "option '--state' needs an argument: DIR\n" },
	{ "add|--follow=yes|T|F", "option '--follow' takes no argument\n" },
	{ "add|--key|a|--key|b|T|F", "option '--key' is given twice\n" },
	{ "add|T", "too few arguments\n" ADD_USAGE },
	{ "add|T|F|G", "too many arguments\n" ADD_USAGE },
	{ "list|1|2", "too many arguments\n"
	    "hint: usage: towerify-test list [options] [N]\n" },
	{ "list|-J|--tsv", "--json and --tsv exclude each other\n" },
	{ "list|-0J", "--json and --null exclude each other\n" },
	{ "list|-o|nam", "unknown column 'nam'\n"
	    "hint: did you mean 'name'?\n" },
	{ "add|-o|name|T|F", "option '--output': nothing is listed here\n" },
	{ "add|--tsv|T|F", "option '--tsv': nothing is listed here\n" },
	{ "add|--list-columns",
	    "option '--list-columns': nothing is listed here\n" },
	{ "list|--color=red",
	    "bad --color 'red': wanted auto, always or never\n" },
	{ "add|--state=|T|F", "option '--state' is empty\n" },
	{ "confirm", "there is no terminal to ask on\n" },
};

START_TEST(a_wrong_command_line_is_explained)
{
	char wanted[600];

	stdin_text = "yes\n";
	ck_assert_int_eq(run(&tool, bad[_i].line), TW_USAGE);
	snprintf(wanted, sizeof wanted, "towerify-test: %s", bad[_i].wanted);
	ck_assert_str_eq(ERR, wanted);
	ck_assert_str_eq(OUT, "");
}
END_TEST

START_TEST(a_tool_without_verbs_has_arguments_alone)
{
	ck_assert_int_eq(run(&verbless, "-f|add|--org=o"), 0);
	ck_assert_str_eq(OUT, "(none) state=- org=o follow [add]\n");
	ck_assert_int_eq(run(&verbless, "--folow"), TW_USAGE);
	ck_assert_str_eq(ERR, "towerify-only: unknown option '--folow'\n"
	    "hint: did you mean '--follow'?\n");
	ck_assert_int_eq(run(&verbless, "--help"), 0);
	ck_assert(begins(OUT, "Usage: towerify-only [options] [ARGS]\n"
	    "run a pass\n\nOptions:\n"));
	ck_assert_ptr_nonnull(strstr(OUT, "\nCommon options:\n"));
	ck_assert_ptr_null(strstr(OUT, "VERB"));
}
END_TEST

START_TEST(options_win_over_the_environment)
{
	setenv("TOWERIFY_STATE", "/env", 1);
	setenv("TOWERIFY_ORG", "", 1);
	ck_assert_int_eq(run(&tool, "add|T|F"), 0);
	ck_assert_str_eq(OUT, "add state=/env org=- [T] [F]\n");
	ck_assert_int_eq(run(&tool, "add|T|F|--state=/opt"), 0);
	ck_assert_str_eq(OUT, "add state=/opt org=- [T] [F]\n");
}
END_TEST

START_TEST(errors_are_escaped_and_keep_their_status)
{
	ck_assert_int_eq(run(&tool, "fail"), TW_FAILED);
	ck_assert_str_eq(ERR, "said\ntowerify-test: warned 1\n"
	    "towerify-test: web1: bad\\x1b[2J\\nbytes\\xff\n"
	    "hint: try\\nagain\n");
	ck_assert_int_eq(run(&tool, "-q|fail"), TW_FAILED);
	ck_assert_str_eq(ERR, "towerify-test: warned 1\n"
	    "towerify-test: web1: bad\\x1b[2J\\nbytes\\xff\n"
	    "hint: try\\nagain\n");
	ck_assert_int_eq(run(&tool, "nomem"), TW_AGAIN);
}
END_TEST

START_TEST(the_state_is_opened_and_closed_around_the_verb)
{
	ck_assert_int_eq(run(&tool, "read|web1"), 0);
	ck_assert_str_eq(ERR, "open 2\nclose 1\n");
	ck_assert_str_eq(OUT, "<web1>\n");
	ck_assert_int_eq(run(&tool, "read|web1|--state=/bad"), TW_DENIED);
	ck_assert_str_eq(ERR, "close 0\ntowerify-test: /bad: not yours\n");
	ck_assert_str_eq(OUT, "");
	ck_assert_int_eq(run(&tool, "read|--help"), 0);
	ck_assert_str_eq(ERR, "");
}
END_TEST

START_TEST(targets_come_from_stdin_for_a_dash)
{
	stdin_text = "web1\nweb2\n";
	ck_assert_int_eq(run(&tool, "read|-"), 0);
	ck_assert_str_eq(OUT, "<web1\nweb2\n>\n");
	stdin_text = "";
	ck_assert_int_eq(run(&tool, "read|-"), 0);
	ck_assert_str_eq(OUT, "<>\n");
}
END_TEST

static void assert_narrow(const char *text)
{
	size_t n;

	for (; *text; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		ck_assert_uint_le(n, 80);
	}
}

START_TEST(help_goes_to_stdout)
{
	ck_assert_int_eq(run(&tool, "--help"), 0);
	ck_assert(begins(OUT, "Usage: towerify-test [common options] "
	    "VERB [options] [arguments]\ntest the command line\n\nVerbs:\n"
	    "  add TARGETS FILE        file a change\n"));
	ck_assert_ptr_nonnull(strstr(OUT,
	    "\n  org list                list the organisations\n"));
	ck_assert_ptr_nonnull(strstr(OUT,
	    "\n  -J, --json              print JSON\n"));
	ck_assert_ptr_null(strstr(OUT, "dump"));
	assert_narrow(OUT);
	ck_assert_str_eq(ERR, "");
	ck_assert_int_eq(run(&tool, "add|-h"), 0);
	ck_assert_str_eq(OUT,
	    "Usage: towerify-test add [options] TARGETS FILE\n"
	    "file a change\n\nOptions:\n"
	    "  -p, --param K=V...      a parameter\n"
	    "  --key KEY               the same key files nothing twice\n"
	    "  -w, --wait[=DURATION]   wait for the end\n"
	    "  -f, --follow            follow the output\n\n"
	    "Common options: towerify-test --help.  See also "
	    "towerify-test(1).\n");
}
END_TEST

START_TEST(the_version_is_one_line)
{
	ck_assert_int_eq(run(&tool, "-V"), 0);
	ck_assert(begins(OUT, "towerify-test "));
	ck_assert_uint_eq(strcspn(OUT, "\n"), text_out.len - 1);
}
END_TEST

START_TEST(the_dump_holds_verbs_options_and_columns)
{
	ck_assert_int_eq(run(&tool, "--dump-cli"), 0);
	ck_assert(begins(OUT, "tool\ttowerify-test\ttest the command line\n"
	    "option\t\tstate\t\tDIR\t\tthe state directory "
	    "(TOWERIFY_STATE)\n"));
	ck_assert_ptr_nonnull(strstr(OUT,
	    "\nverb\tadd\tTARGETS FILE\tfile a change\n"
	    "option\tadd\tparam\tp\tK=V\trepeatable\ta parameter\n"));
	ck_assert_ptr_nonnull(strstr(OUT,
	    "\nverb\tlist\t[N]\tlist the hosts\n"
	    "column\tlist\tname\ttext\tdefault\tthe host\n"
	    "column\tlist\tcount\tint\t\tits changes\n"));
	ck_assert_ptr_nonnull(strstr(OUT, "\nverb\torg list\t\t"));
}
END_TEST

START_TEST(a_full_stdout_is_an_error)
{
	stdout_path = "/dev/full";
	ck_assert_int_eq(run(&tool, "add|T|F"), TW_CONFIG);
	ck_assert_str_eq(ERR, "towerify-test: cannot write standard output: "
	    "No space left on device\n");
	ck_assert_int_eq(run(&tool, "--help"), TW_CONFIG);
}
END_TEST

/* Runs the tool with this stdout (-1: closed); the wait status. */
static int run_with_stdout(int fd, const char *line)
{
	char copy[512], *argv[WORDS_MAX];
	int argc = split(line, copy, sizeof copy, argv), status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		redirect(2, in_dir("err"), O_WRONLY | O_CREAT | O_TRUNC);
		if (fd < 0)
			close(1);
		else
			dup2(fd, 1);
		_exit(tw_cli_main(argc, argv, &tool));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	tw_buf_reset(&text_err);
	ck_assert_int_eq(tw_io_read_file(in_dir("err"), &text_err, NULL),
	    TW_OK);
	return status;
}

START_TEST(a_reader_that_left_ends_the_tool_quietly)
{
	const char *lines[] = { "list|1", "list|20000", "--help" };
	int fds[2], status;

	ck_assert_int_eq(pipe(fds), 0);
	close(fds[0]);
	status = run_with_stdout(fds[1], lines[_i]);
	close(fds[1]);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGPIPE);
	ck_assert_str_eq(ERR, "");
}
END_TEST

START_TEST(a_closed_stdout_is_an_error_when_written_to)
{
	int status = run_with_stdout(-1, "add|T|F");

	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), TW_CONFIG);
	ck_assert_str_eq(ERR, "towerify-test: cannot write standard output: "
	    "Bad file descriptor\n");
	status = run_with_stdout(-1, "-q|list|0");
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

START_TEST(colour_follows_the_options)
{
	struct tw_cli cli = { .color = TW_COLOR_ALWAYS };
	struct tw_progress_options o;
	FILE *f = fopen("/dev/null", "w");

	ck_assert(tw_cli_has_color(&cli, f));
	cli.color = TW_COLOR_NEVER;
	ck_assert(!tw_cli_has_color(&cli, f));
	cli.color = TW_COLOR_AUTO;
	ck_assert(!tw_cli_has_color(&cli, f));
	fclose(f);
	cli.is_quiet = true;
	tw_cli_progress_options(&cli, &o);
	ck_assert_int_eq(o.mode, TW_PROGRESS_QUIET);
	ck_assert_ptr_eq(o.out, stderr);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cli");
	TCase *tc = tcase_create("cli");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, words_find_their_place, 0,
	    sizeof good / sizeof good[0]);
	tcase_add_loop_test(tc, a_wrong_command_line_is_explained, 0,
	    sizeof bad / sizeof bad[0]);
	tcase_add_test(tc, a_tool_without_verbs_has_arguments_alone);
	tcase_add_test(tc, options_win_over_the_environment);
	tcase_add_test(tc, errors_are_escaped_and_keep_their_status);
	tcase_add_test(tc, the_state_is_opened_and_closed_around_the_verb);
	tcase_add_test(tc, targets_come_from_stdin_for_a_dash);
	tcase_add_test(tc, help_goes_to_stdout);
	tcase_add_test(tc, the_version_is_one_line);
	tcase_add_test(tc, the_dump_holds_verbs_options_and_columns);
	tcase_add_test(tc, a_full_stdout_is_an_error);
	tcase_add_loop_test(tc, a_reader_that_left_ends_the_tool_quietly, 0,
	    3);
	tcase_add_test(tc, a_closed_stdout_is_an_error_when_written_to);
	tcase_add_test(tc, colour_follows_the_options);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
