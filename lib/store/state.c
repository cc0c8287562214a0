/*
 * state.c - which directory holds the state, and becoming its owner
 *
 * The first of: the one named, the system's, one under the caller's home.
 * Nothing is made or opened here.
 */
#include "store/store_private.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PASSWD_MAX 16384	/* bytes for the strings of a passwd entry */

/* $HOME where it is absolute, else what the system says; malloc'd. */
static char *home_dir(void)
{
	const char *home = getenv("HOME");
	struct passwd pw, *found = NULL;
	char *buf, *out = NULL;

	if (home && home[0] == '/')
		return strdup(home);
	buf = malloc(PASSWD_MAX);
	if (buf && getpwuid_r(geteuid(), &pw, buf, PASSWD_MAX, &found) == 0 &&
	    found && found->pw_dir[0] == '/')
		out = strdup(found->pw_dir);
	free(buf);
	return out;
}

/* A relative XDG_STATE_HOME is to be ignored, its specification says. */
static enum tw_status dir_under_home(char **out, struct tw_err *err)
{
	const char *xdg = getenv("XDG_STATE_HOME");
	char *home;
	int n;

	if (xdg && xdg[0] == '/') {
		n = asprintf(out, "%s/towerify", xdg);
	} else {
		home = home_dir();
		if (!home)
			return tw_err_set(err, TW_CONFIG,
			    "no home directory to keep a state in");
		n = asprintf(out, "%s/.local/state/towerify", home);
		free(home);
	}
	if (n < 0) {
		*out = NULL;
		return tw_err_nomem(err);
	}
	return TW_OK;
}

static enum tw_status deny_system(const char *system, uid_t owner,
    struct tw_err *err)
{
	struct passwd pw, *found = NULL;
	char *buf;

	tw_err_set(err, TW_DENIED, "%s: belongs to another user", system);
	buf = malloc(PASSWD_MAX);
	if (buf && getpwuid_r(owner, &pw, buf, PASSWD_MAX, &found) == 0 &&
	    found)
		tw_err_hint(err, "sudo -u %s %s …", found->pw_name,
		    program_invocation_short_name);
	else
		tw_err_hint(err, "sudo %s …", program_invocation_short_name);
	free(buf);
	return TW_DENIED;
}

enum tw_status tw_state_dir_from(const char *system, const char *dir,
    char **out, bool *home, struct tw_err *err)
{
	struct stat st;

	*out = NULL;
	*home = false;
	if (dir && !*dir)
		return tw_err_set(err, TW_USAGE,
		    "the name of the state directory is empty");
	if (!dir && lstat(system, &st) == 0) {
		if (geteuid() != 0 && st.st_uid != geteuid())
			return deny_system(system, st.st_uid, err);
		dir = system;
	}
	if (!dir) {
		*home = true;
		return dir_under_home(out, err);
	}
	*out = strdup(dir);
	return *out ? TW_OK : tw_err_nomem(err);
}

enum tw_status tw_state_dir(const char *dir, char **out, bool *home,
    struct tw_err *err)
{
	return tw_state_dir_from(TW_STATE_SYSTEM, dir, out, home, err);
}

/* Is there surely no such name in dir? */
static bool is_absent(const char *dir, const char *name)
{
	struct stat st;
	bool is = false;
	char *path;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return false;
	is = lstat(path, &st) < 0 && errno == ENOENT;
	free(path);
	return is;
}

bool tw_state_is_unborn(const char *dir)
{
	return is_absent(dir, TW_STORE_FILE) && is_absent(dir, TW_STORE_LOCK);
}

enum tw_status tw_state_become(const char *dir, struct tw_err *err)
{
	struct passwd pw, *found = NULL;
	struct stat st;
	gid_t gid;
	char *buf;

	if (geteuid() != 0 || lstat(dir, &st) < 0)
		return TW_OK;
	if (S_ISLNK(st.st_mode))
		return tw_err_set(err, TW_CONFIG,
		    "%s: is a symbolic link, which is not accepted here", dir);
	if (st.st_uid == 0)
		return TW_OK;
	gid = st.st_gid;
	buf = malloc(PASSWD_MAX);
	if (!buf)
		return tw_err_nomem(err);
	if (getpwuid_r(st.st_uid, &pw, buf, PASSWD_MAX, &found) == 0 && found)
		gid = found->pw_gid;
	free(buf);
	if (setgroups(1, &gid) < 0 || setresgid(gid, gid, gid) < 0 ||
	    setresuid(st.st_uid, st.st_uid, st.st_uid) < 0)
		return tw_err_sys(err, TW_CONFIG, errno,
		    "%s: cannot become its owner, uid %lu", dir,
		    (unsigned long)st.st_uid);
	return TW_OK;
}
