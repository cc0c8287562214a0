/*
 * towerify-shell.c - the gate for keys: towerify-shell(1)
 *
 * sshd runs it in place of what a key's owner asked for.  That command becomes
 * words without a shell; its first must be one of the tools, and the tool
 * beside this program is executed with an environment made here.  So the owner
 * of the key can do what the tools let this operator do, and nothing else.
 */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/name.h"
#include "cli.h"
#include "words.h"

#define SAFE_PATH "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
#define ENV_MAX 9		/* entries, and the NULL */
#define TERM_MAX_LEN 64

static const char *const tools[] = {
	"towerify-host", "towerify-app", "towerify-op", "towerify-queue",
	"towerify-run", "towerify-audit", NULL
};

static const struct tw_tool tool = { .name = "towerify-shell" };
static const struct tw_cli cli = { .tool = &tool };

struct gate {
	const char *lang;	/* a locale, or NULL */
	const char *operator;
	const char *state;	/* or NULL */
};

static int print_help(FILE *f, int status)
{
	fputs(tw_text(
	    "Usage: towerify-shell [--lang LOCALE] [--state DIR] OPERATOR\n"
	    "the forced command of an operator's key, in authorized_keys:\n\n"
	    "  restrict,command=\"towerify-shell LOGIN\" ssh-ed25519 ...\n\n"
	    "With that key, on another machine:\n\n"
	    "  ssh towerify@TOWER towerify-queue list\n"
	    "  ssh towerify@TOWER towerify-queue add web1 - < page.yaml\n\n"
	    "The tools: towerify-host, towerify-app, towerify-op,\n"
	    "towerify-queue, towerify-run, towerify-audit; --help says "
	    "more.\n"),
	    f);
	return status;
}

/* --- our own command line --------------------------------------------------- */

/* What can name no other file than a locale's. */
static bool is_locale(const char *name)
{
	return *name && strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789_-.@") == strlen(name) &&
	    name[0] != '.';
}

/* Asked of sshd's configuration, not of people: no nearest words. */
static enum tw_status read_args(char **argv, struct gate *g,
    struct tw_err *err)
{
	if (*argv && strcmp(*argv, "--lang") == 0) {
		g->lang = *++argv;
		if (!g->lang || !is_locale(g->lang))
			return tw_err_set(err, TW_USAGE, "--lang needs the "
			    "name of a locale, such as fr_FR.UTF-8");
		setenv("LC_ALL", g->lang, 1);
		unsetenv("LANGUAGE");
		tw_cli_language();
		argv++;
	}
	if (*argv && strcmp(*argv, "--state") == 0) {
		g->state = *++argv;
		if (!g->state || g->state[0] != '/')
			return tw_err_set(err, TW_USAGE, "--state needs the "
			    "full path of a directory");
		argv++;
	}
	g->operator = *argv;
	if (!g->operator || argv[1])
		return tw_err_set(err, TW_USAGE,
		    "usage: towerify-shell [--lang LOCALE] [--state DIR] "
		    "OPERATOR");
	if (!tw_name_ok(g->operator))
		return tw_err_set(err, TW_USAGE, "'%s' can't be the login of "
		    "an operator", g->operator);
	return TW_OK;
}

/* --- the tool ---------------------------------------------------------------- */

static enum tw_status check_tool(const char *name, struct tw_err *err)
{
	const char *nearest;
	size_t i;

	for (i = 0; tools[i]; i++)
		if (strcmp(name, tools[i]) == 0)
			return TW_OK;
	nearest = tw_name_nearest(name, tools);
	tw_err_set(err, TW_USAGE, "'%s' is none of the tools", name);
	if (nearest)
		tw_err_hint(err, "did you mean '%s'?", nearest);
	else
		tw_err_hint(err, "a command begins with the name of a tool, "
		    "such as towerify-queue, without a path");
	return TW_USAGE;
}

/* The tools lie beside this program. */
static enum tw_status tool_path(const char *name, char *path, size_t size,
    struct tw_err *err)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self);
	int len;

	if (n < 0 || (size_t)n >= sizeof self)
		return tw_err_sys(err, TW_CONFIG, n < 0 ? errno : ENAMETOOLONG,
		    "cannot tell where the tools are");
	self[n] = '\0';
	len = snprintf(path, size, "%s/%s", dirname(self), name);
	if (len < 0 || (size_t)len >= size)
		return tw_err_set(err, TW_CONFIG, "the path of the tools is "
		    "too long");
	return TW_OK;
}

static bool is_sane_term(const char *term)
{
	return term && strlen(term) <= TERM_MAX_LEN && tw_name_ok(term);
}

/* env[ENV_MAX] is all NULL; what is put there is to be freed. */
static enum tw_status make_env(const struct gate *g, char **env,
    struct tw_err *err)
{
	const struct passwd *pw = getpwuid(geteuid());
	const char *term = getenv("TERM");
	const struct {
		const char *name, *value;
	} entries[] = {
		{ "PATH", SAFE_PATH },
		{ "HOME", pw ? pw->pw_dir : "/" },
		{ "USER", pw ? pw->pw_name : NULL },
		{ "LOGNAME", pw ? pw->pw_name : NULL },
		{ "LANG", g->lang ? g->lang : "C.UTF-8" },
		{ "TERM", is_sane_term(term) ? term : NULL },
		{ "TOWERIFY_OPERATOR", g->operator },
		{ "TOWERIFY_STATE", g->state },
	};
	size_t i, n = 0;

	_Static_assert(sizeof entries / sizeof *entries < ENV_MAX, "room");
	for (i = 0; i < sizeof entries / sizeof *entries; i++)
		if (entries[i].value && asprintf(&env[n++], "%s=%s",
		    entries[i].name, entries[i].value) < 0) {
			env[n - 1] = NULL;	/* undefined now */
			return tw_err_nomem(err);
		}
	return TW_OK;
}

/* Returns only when it fails. */
static enum tw_status run_tool(const struct gate *g, char **words,
    struct tw_err *err)
{
	char path[PATH_MAX], *env[ENV_MAX] = { NULL };
	enum tw_status st;
	size_t i;

	st = check_tool(words[0], err);
	if (!st)
		st = tool_path(words[0], path, sizeof path, err);
	if (!st)
		st = make_env(g, env, err);
	if (!st) {
		execve(path, words, env);
		st = errno == ENOENT ? tw_err_set(err, TW_CONFIG,
		    "%s is not installed on this tower", words[0]) :
		    tw_err_sys(err, TW_CONFIG, errno, "cannot run %s",
		    words[0]);
	}
	for (i = 0; i < ENV_MAX; i++)
		free(env[i]);
	return st;
}

int main(int argc, char **argv)
{
	const char *line = getenv("SSH_ORIGINAL_COMMAND");
	struct gate g = { 0 };
	char **words = NULL;
	struct tw_err err;
	enum tw_status st;
	size_t n = 0;

	if (argc == 2 && (strcmp(argv[1], "--help") == 0 ||
	    strcmp(argv[1], "-h") == 0))
		return print_help(stdout, TW_OK);
	/* Who came by sudo has a name already and must not take another. */
	if (getenv("SUDO_UID"))
		st = tw_err_set(&err, TW_DENIED, "this is a gate for sshd, "
		    "not for sudo");
	else
		st = read_args(argv + (argc > 0), &g, &err);
	if (!st && line)
		st = tw_words_split(line, strlen(line), &words, &n, &err);
	if (!st && n > 0)
		st = run_tool(&g, words, &err);
	tw_words_free(words);
	return st ? tw_cli_error(&cli, &err) : print_help(stderr, TW_USAGE);
}
