/* op_backup.c - the tower in one file: backup, restore; see op.h */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "gate.h"
#include "model/backup.h"
#include "op.h"
#include "store/backup.h"

#define COPY_MAX 65536		/* bytes read at once */

/* Both are for who owns the state: a backup holds every key. */
static enum tw_status check_gate(const char *what, struct tw_err *err)
{
	return gate_is_sudo_of_root() ? TW_OK : gate_refuse(what, err);
}

static enum tw_status copy_to_stdout(int fd, const char *path,
    struct tw_err *err)
{
	char bytes[COPY_MAX];
	ssize_t n;
	int e;

	while ((n = read(fd, bytes, sizeof bytes)) > 0) {
		e = tw_io_write_all(STDOUT_FILENO, bytes, (size_t)n);
		if (e)
			return tw_err_sys(err, TW_CONFIG, e,
			    "standard output");
	}
	return n < 0 ? tw_err_sys(err, TW_CONFIG, errno, "%s", path) : TW_OK;
}

/* Opens the directory, makes it where it is missing, and locks it: what is in it
 * is a killed one's then.  -1: see errno. */
static int lock_dir(const char *dir)
{
	struct stat a, b;
	int fd, e;

	for (;;) {
		if (mkdir(dir, 0700) < 0 && errno != EEXIST)
			return -1;
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
		    O_CLOEXEC);
		if (fd < 0 && errno != ENOENT)
			return -1;
		if (fd < 0)
			continue;
		while ((e = flock(fd, LOCK_EX)) < 0 && errno == EINTR)
			;
		if (e < 0) {
			e = errno;
			close(fd);
			errno = e;
			return -1;
		}
		/* who had it before has removed it */
		if (fstat(fd, &a) == 0 && lstat(dir, &b) == 0 &&
		    a.st_dev == b.st_dev && a.st_ino == b.st_ino)
			return fd;
		close(fd);
	}
}

static void empty_dir(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
}

/* By way of a file in the state's own directory, where there are as many bytes
 * again and nobody else looks.  It has no name any more when it is written out:
 * who kills us then leaves no keys behind. */
static enum tw_status backup_to_stdout(struct tower *t, struct tw_err *err)
{
	char *dir = NULL, *path = NULL;
	enum tw_status st = TW_OK;
	int lock = -1, fd = -1;

	if (asprintf(&dir, "%s/" TW_BACKUP_DIR, tw_store_dir(t->store)) < 0) {
		dir = NULL;
		return tw_err_nomem(err);
	}
	if (asprintf(&path, "%s/%ld", dir, (long)getpid()) < 0) {
		path = NULL;
		st = tw_err_nomem(err);
	}
	if (!st && (lock = lock_dir(dir)) < 0)
		st = tw_err_sys(err, TW_CONFIG, errno, "%s", dir);
	if (st)
		goto out;
	empty_dir(dir);
	st = tw_backup_make(t->store, t->who.login, path, err);
	if (!st && (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		st = tw_err_sys(err, TW_CONFIG, errno, "%s", path);
	empty_dir(dir);
	rmdir(dir);
	close(lock);
	if (!st)
		st = copy_to_stdout(fd, path, err);
	if (fd >= 0)
		close(fd);
out:
	free(path);
	free(dir);
	return st;
}

int op_backup(struct tw_cli *cli, int argc, char **argv)
{
	const char *file = argv[0];
	struct tw_err err = { 0 };
	struct tower t = { 0 };
	struct stat sb = { 0 };
	enum tw_status st;

	(void)argc;
	st = check_gate("backup", &err);
	if (!st && strcmp(file, "-") == 0 && isatty(STDOUT_FILENO))
		return tw_cli_usage(cli, "a backup holds keys and is not for "
		    "a terminal: name a file, or redirect it");
	if (!st)
		st = tower_open(cli, TW_STORE_WRITE, true, &t, &err);
	if (st)
		return tw_cli_error(cli, &err);
	if (strcmp(file, "-") == 0)
		st = backup_to_stdout(&t, &err);
	else
		st = tw_backup_make(t.store, t.who.login, file, &err);
	if (!st && strcmp(file, "-") != 0 && stat(file, &sb) == 0)
		tw_cli_say(cli, "%s: %" PRIdMAX " bytes, with every key of "
		    "the tower: keep it safe", file, (intmax_t)sb.st_size);
	tower_close(&t);
	return st ? tw_cli_error(cli, &err) : TW_OK;
}

int op_restore(struct tw_cli *cli, int argc, char **argv)
{
	struct tw_caller caller = { 0 };
	struct tw_err err = { 0 };
	int64_t hosts = 0;
	char *dir = NULL;
	enum tw_status st;
	bool home;

	(void)argc;
	st = check_gate("restore", &err);
	if (!st)
		st = tw_caller_get(&caller, &err);
	if (!st)
		st = tw_state_dir(cli->state, &dir, &home, &err);
	if (!st && access(dir, F_OK) == 0)
		st = tw_state_become(dir, &err);
	if (!st)
		st = tw_backup_restore(dir, argv[0], caller.login, &hosts,
		    &err);
	if (!st)
		tw_cli_say(cli, "%s is as it was when the backup was made; "
		    "what its %" PRId64 " hosts have done since, they say "
		    "themselves: one that is ahead is held until you have "
		    "looked", dir, hosts);
	tw_caller_release(&caller);
	free(dir);
	return st ? tw_cli_error(cli, &err) : TW_OK;
}
