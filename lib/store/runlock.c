/*
 * runlock.c - one active runner per state
 *
 * DIR/run.lock is locked by the kernel for as long as the runner lives, so a
 * killed one leaves nothing behind.  Its time stamp shows that the runner is
 * moving, its text is the note of the last pass that ended.  The lock belongs
 * to the open file (F_OFD_*), not to the process: a library that opens and
 * closes the same file can't drop it, and --status can ask without taking it.
 */
#include "store/store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/io.h"

#define NOTE_MAX 4096		/* bytes of a note that are read */

struct tw_runlock {
	int fd;
};

static char *lock_path(const char *dir)
{
	char *path;

	return asprintf(&path, "%s/%s", dir, TW_STORE_LOCK) < 0 ? NULL : path;
}

/* Milliseconds since the file was touched; a clock set back gives 0. */
static int64_t age_of(int fd)
{
	struct stat st;
	int64_t age;

	if (fstat(fd, &st) < 0)
		return 0;
	age = tw_clock_now() - ((int64_t)st.st_mtim.tv_sec * 1000 +
	    st.st_mtim.tv_nsec / 1000000);
	return age < 0 ? 0 : age;
}

enum tw_status tw_runlock_take(const char *dir, struct tw_runlock **out,
    int64_t *age, struct tw_err *err)
{
	struct flock lk = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	enum tw_status status = TW_OK;
	struct tw_runlock *l;
	char *path;

	*out = NULL;
	*age = 0;
	path = lock_path(dir);
	l = calloc(1, sizeof *l);
	if (!path || !l) {
		free(path);
		free(l);
		return tw_err_nomem(err);
	}
	l->fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC |
	    O_NONBLOCK, 0600);
	if (l->fd < 0)
		status = tw_err_sys(err, TW_CONFIG, errno, "%s: cannot open",
		    path);
	else if (fcntl(l->fd, F_OFD_SETLK, &lk) == 0)
		tw_runlock_touch(l);
	else if (errno == EAGAIN || errno == EACCES) {
		*age = age_of(l->fd);
		status = tw_err_set(err, TW_AGAIN,
		    "%s: a runner is active", path);
	} else {
		status = tw_err_sys(err, TW_CONFIG, errno, "%s: cannot lock",
		    path);
	}
	free(path);
	if (status == TW_OK) {
		*out = l;
	} else {
		if (l->fd >= 0)
			close(l->fd);
		free(l);
	}
	return status;
}

void tw_runlock_touch(struct tw_runlock *l)
{
	/* A stamp that can't be set makes the runner look stale, no more. */
	(void)!futimens(l->fd, NULL);
}

void tw_runlock_release(struct tw_runlock *l, const char *note)
{
	if (!l)
		return;
	if (note && ftruncate(l->fd, 0) == 0 &&
	    lseek(l->fd, 0, SEEK_SET) == 0)
		(void)tw_io_write_all(l->fd, note, strlen(note));
	close(l->fd);
	free(l);
}

enum tw_status tw_runlock_note(const char *dir, char **note, bool *running,
    int64_t *age, struct tw_err *err)
{
	struct flock lk = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct tw_buf b = { .max = NOTE_MAX };
	enum tw_status status = TW_OK;
	char *path;
	int fd;

	*note = NULL;
	*running = false;
	*age = 0;
	path = lock_path(dir);
	if (!path)
		return tw_err_nomem(err);
	fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		/* no pass yet: an empty note */
		if (errno != ENOENT)
			status = tw_err_sys(err, TW_CONFIG, errno,
			    "%s: cannot open", path);
		goto out;
	}
	if (fcntl(fd, F_OFD_GETLK, &lk) < 0) {
		status = tw_err_sys(err, TW_CONFIG, errno,
		    "%s: cannot ask for its lock", path);
		goto out;
	}
	*running = lk.l_type != F_UNLCK;
	*age = age_of(fd);
	status = tw_io_read_fd(fd, path, &b, err);
out:
	if (fd >= 0)
		close(fd);
	free(path);
	if (status == TW_OK) {
		*note = strdup(tw_buf_str(&b));
		if (!*note)
			status = tw_err_nomem(err);
	}
	tw_buf_release(&b);
	return status;
}
