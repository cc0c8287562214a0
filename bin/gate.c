/* gate.c - what a caller who came through a gate may not do; see gate.h */
#include "gate.h"

#include <ctype.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "model/who.h"

#define SAFE_PATH "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"

/* What can't be told is a gate, and the stricter of them. */
static enum tw_gate gate_kind(void)
{
	struct tw_caller caller;
	enum tw_gate gate = TW_GATE_SUDO;

	if (!getenv("SUDO_UID") && !getenv("TOWERIFY_OPERATOR"))
		return TW_GATE_NONE;
	if (tw_caller_get(&caller, NULL) == TW_OK) {
		gate = caller.gate;
		tw_caller_release(&caller);
	}
	return gate;
}

bool gate_is_there(void)
{
	return gate_kind() != TW_GATE_NONE;
}

bool gate_is_sudo_of_root(void)
{
	return getuid() == 0 && gate_kind() == TW_GATE_SUDO;
}

/* --- the process ------------------------------------------------------------ */

/* Locales, terminals and time zones name files: below directories of the
 * system's, if they are of these letters and lead nowhere else. */
static bool is_tame(const char *value)
{
	const char *s;

	if (value[0] == '/' || strncmp(value, ":/", 2) == 0 ||
	    strstr(value, ".."))
		return false;
	for (s = value; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("_-+.,:@/<>", *s))
			return false;
	return true;
}

static bool is_kept(const char *entry)
{
	static const struct {
		const char *name;
		bool is_file;	/* libraries open what it names */
	} kept[] = {
		{ "SUDO_UID", false }, { "TOWERIFY_OPERATOR", false },
		{ "TOWERIFY_STATE", false }, { "TOWERIFY_ORG", false },
		{ "NO_COLOR", false }, { "COLUMNS", false },
		{ "LINES", false }, { "TERM", true }, { "TZ", true },
		{ "LANG", true }, { "LC_ALL", true }, { "LC_CTYPE", true },
		{ "LC_MESSAGES", true }, { "LANGUAGE", true },
	};
	size_t i, n = strcspn(entry, "=");

	for (i = 0; entry[n] && i < sizeof kept / sizeof *kept; i++)
		if (strlen(kept[i].name) == n &&
		    memcmp(kept[i].name, entry, n) == 0)
			return !kept[i].is_file || is_tame(entry + n + 1);
	return false;
}

void gate_enter(void)
{
	static const int stops[] = { SIGTSTP, SIGTTIN, SIGTTOU };
	const struct passwd *pw;
	char **from, **to;
	size_t i;

	if (!gate_is_there())
		return;
	for (from = to = environ; *from; from++)
		if (is_kept(*from))
			*to++ = *from;
	*to = NULL;
	pw = getpwuid(geteuid());
	if (setenv("PATH", SAFE_PATH, 1) != 0 ||
	    setenv("HOME", pw && pw->pw_dir[0] == '/' ? pw->pw_dir : "/",
	    1) != 0)
		_exit(tw_status_exit(TW_NOMEM));
	umask(077);
	/* stopped, it would keep its locks from everybody else */
	for (i = 0; i < sizeof stops / sizeof *stops; i++)
		signal(stops[i], SIG_IGN);
}

/* --- what is refused -------------------------------------------------------- */

enum tw_status gate_refuse(const char *what, struct tw_err *err)
{
	if (!gate_is_there())
		return TW_OK;
	return tw_err_set(err, TW_DENIED, "%s can't be used behind a gate",
	    what);
}

enum tw_status gate_check_state(bool is_option, struct tw_err *err)
{
	if (is_option)
		return gate_refuse("--state", err);
	return gate_kind() == TW_GATE_SUDO ?
	    gate_refuse("TOWERIFY_STATE", err) : TW_OK;
}

enum tw_status gate_read(const char *path, struct tw_buf *out,
    struct tw_err *err)
{
	enum tw_status st;

	if (strcmp(path, "-") == 0)
		return tw_io_read_fd(STDIN_FILENO, W_("standard input"), out,
		    err);
	st = gate_refuse(W_("a file"), err);
	if (st) {
		tw_err_hint(err, "give it on standard input, as '-'");
		return st;
	}
	return tw_io_read_file(path, out, err);
}
