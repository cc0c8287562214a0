/*
 * dir.c - the state directory as a thing of the file system: made, checked
 *
 * Who may open the directory is trusted with all that it holds, so it is used
 * only when it is ours alone; everything inside then is as safe as it.  What
 * holds of the file's contents is store.c's business.
 */
#include "store/store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Network file systems whose locks SQLite must not rely on; the last two are
 * SMB's, which <linux/magic.h> of Debian 12 lacks in part. */
static const unsigned long network_magic[] = {
	NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, 0xff534d42UL, 0xfe534d42UL,
};

enum tw_status tw_store_sync_dir(const char *dir, struct tw_err *err)
{
	int fd, e = 0;

	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		e = errno;
	if (fd >= 0)
		close(fd);
	if (e)
		return tw_err_sys(err, TW_CONFIG, e, "%s: cannot sync", dir);
	return TW_OK;
}

/* Makes one directory and its name durable; there already is fine. */
static enum tw_status make_one(const char *dir, struct tw_err *err)
{
	const char *slash = strrchr(dir, '/');
	enum tw_status status;
	char *parent;

	if (mkdir(dir, 0700) < 0) {
		if (errno == EEXIST)
			return TW_OK;
		return tw_err_sys(err, TW_CONFIG, errno,
		    "%s: cannot make the directory", dir);
	}
	/* whatever the umask took away */
	if (chmod(dir, 0700) < 0)
		return tw_err_sys(err, TW_CONFIG, errno,
		    "%s: cannot set its mode", dir);
	if (!slash)
		parent = strdup(".");
	else
		parent = strndup(dir,
		    slash == dir ? 1 : (size_t)(slash - dir));
	if (!parent)
		return tw_err_nomem(err);
	status = tw_store_sync_dir(parent, err);
	free(parent);
	return status;
}

/* Makes dir and the directories above it that are missing. */
static enum tw_status make_all(const char *dir, struct tw_err *err)
{
	enum tw_status status = TW_OK;
	struct stat st;
	char *path, *at;

	path = strdup(dir);
	if (!path)
		return tw_err_nomem(err);
	for (at = path + 1; status == TW_OK && *at; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		if (stat(path, &st) < 0)
			status = make_one(path, err);
		*at = '/';
	}
	if (status == TW_OK)
		status = make_one(path, err);
	free(path);
	return status;
}

enum tw_status tw_store_check_file(const char *path, struct tw_err *err)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return tw_err_sys(err, TW_CONFIG, errno, "%s", path);
	if (S_ISLNK(st.st_mode))
		return tw_err_set(err, TW_CONFIG,
		    "%s: is a symbolic link, which is not accepted here",
		    path);
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return tw_err_set(err, TW_CONFIG,
		    "%s: is not a file or directory", path);
	if (st.st_uid != geteuid())
		return tw_err_set(err, TW_CONFIG,
		    "%s: belongs to another user (uid %lu)", path,
		    (unsigned long)st.st_uid);
	if (st.st_mode & 077) {
		tw_err_set(err, TW_CONFIG,
		    "%s: is open to others (mode %04o)", path,
		    (unsigned)(st.st_mode & 07777));
		tw_err_hint(err, "chmod go= '%s'", path);
		return TW_CONFIG;
	}
	if (S_ISREG(st.st_mode) && st.st_nlink != 1)
		return tw_err_set(err, TW_CONFIG,
		    "%s: has %lu hard links instead of one", path,
		    (unsigned long)st.st_nlink);
	return TW_OK;
}

static enum tw_status check_file_system(const char *dir, struct tw_err *err)
{
	struct statfs fs;
	size_t i;

	if (statfs(dir, &fs) < 0)
		return tw_err_sys(err, TW_CONFIG, errno, "%s", dir);
	for (i = 0; i < sizeof network_magic / sizeof *network_magic; i++)
		if ((unsigned long)fs.f_type == network_magic[i])
			return tw_err_set(err, TW_CONFIG,
			    "%s: is on a network file system, whose locks "
			    "cannot be relied on", dir);
	return TW_OK;
}

/* A copy without slashes at its end: lstat("link/") would follow the link. */
static char *without_slashes(const char *dir)
{
	size_t n = strlen(dir);

	while (n > 1 && dir[n - 1] == '/')
		n--;
	return strndup(dir, n);
}

enum tw_status tw_store_prepare_dir(const char *dir, enum tw_store_mode mode,
    char **out, struct tw_err *err)
{
	enum tw_status status = TW_OK;
	struct stat st;
	char *path;

	*out = NULL;
	path = without_slashes(dir);
	if (!path)
		return tw_err_nomem(err);
	if (lstat(path, &st) < 0 && errno == ENOENT) {
		if (mode == TW_STORE_CREATE) {
			status = make_all(path, err);
		} else {
			status = tw_err_set(err, TW_CONFIG,
			    "%s: there is no state here yet", path);
			tw_err_hint(err, "`towerify-host add` makes it");
		}
	}
	if (status == TW_OK)
		status = tw_store_check_file(path, err);
	if (status == TW_OK && lstat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		status = tw_err_set(err, TW_CONFIG, "%s: is not a directory",
		    path);
	if (status == TW_OK)
		status = check_file_system(path, err);
	if (status == TW_OK) {
		*out = realpath(path, NULL);
		if (!*out)
			status = tw_err_sys(err, TW_CONFIG, errno, "%s", path);
	}
	free(path);
	return status;
}
