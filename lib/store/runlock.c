/*
 * runlock.c - one active runner per state
 *
 * DIR/run.lock is locked by the kernel for as long as the runner lives, so a
 * killed one leaves nothing behind.  Its time stamp shows that the runner is
 * moving, its text is the note of the last pass that ended.  The lock belongs
 * to the open file (F_OFD_*), not to the process: a library that opens and
 * closes the same file can't drop it, and --status can ask without taking it.
 *
 * Each of the file's first bytes has a lock of its own, whatever they hold:
 *
 *   BYTE_RUNNER   the runner's
 *   BYTE_LIMITED  a limited runner takes it too, with the first, at once
 *   BYTE_ASKED    shared by those who wait for a limited one to step aside
 *
 * So what a killed one asked for is gone with it as well.
 */
#include "store/store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/io.h"

#define NOTE_MAX 4096		/* bytes of a note that are read */

#define NAP_MS 50		/* between attempts of who waits */

enum { BYTE_RUNNER, BYTE_LIMITED, BYTE_ASKED };

struct tw_runlock {
	int fd;
	bool is_limited;
	bool is_yielded;
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

/* TW_AGAIN when somebody else has one of the n bytes. */
static enum tw_status lock_bytes(int fd, short type, off_t first, off_t n)
{
	struct flock lk = { .l_type = type, .l_whence = SEEK_SET,
		.l_start = first, .l_len = n };

	if (fcntl(fd, F_OFD_SETLK, &lk) == 0)
		return TW_OK;
	return errno == EAGAIN || errno == EACCES ? TW_AGAIN : TW_CONFIG;
}

/* Has somebody else locked that byte? */
static enum tw_status ask_byte(int fd, off_t byte, bool *is_locked)
{
	struct flock lk = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
		.l_start = byte, .l_len = 1 };

	*is_locked = false;
	if (fcntl(fd, F_OFD_GETLK, &lk) < 0)
		return TW_CONFIG;
	*is_locked = lk.l_type != F_UNLCK;
	return TW_OK;
}

/* Who waits for the lock goes before another limited runner. */
static enum tw_status take_limited(struct tw_runlock *l)
{
	enum tw_status st;
	bool is_asked;

	st = lock_bytes(l->fd, F_WRLCK, BYTE_RUNNER, 2);
	if (st)
		return st;
	l->is_limited = true;
	st = ask_byte(l->fd, BYTE_ASKED, &is_asked);
	return st ? st : is_asked ? TW_AGAIN : TW_OK;
}

/* TW_WAITING: a limited one has not stepped aside in time. */
static enum tw_status take_whole(struct tw_runlock *l, int64_t wait)
{
	const struct timespec nap = { 0, NAP_MS * 1000000L };
	int64_t until = tw_clock_mono() + wait;
	bool is_limited, is_second = false;
	enum tw_status st;

	for (;;) {
		st = lock_bytes(l->fd, F_WRLCK, BYTE_RUNNER, 1);
		if (st != TW_AGAIN || !wait)
			return st;
		st = ask_byte(l->fd, BYTE_LIMITED, &is_limited);
		if (st)
			return st;
		/* none may be one that has ended just now */
		if (!is_limited && is_second)
			return TW_AGAIN;
		is_second = !is_limited;
		if (!is_limited)
			continue;
		if (tw_clock_mono() >= until)
			return TW_WAITING;
		st = lock_bytes(l->fd, F_RDLCK, BYTE_ASKED, 1);
		if (st == TW_CONFIG)
			return st;
		nanosleep(&nap, NULL);
	}
}

static enum tw_status take(struct tw_runlock *l, const char *path,
    bool is_limited, int64_t wait, int64_t *age, struct tw_err *err)
{
	enum tw_status st;

	l->fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC |
	    O_NONBLOCK, 0600);
	if (l->fd < 0)
		return tw_err_sys(err, TW_CONFIG, errno, "%s: cannot open",
		    path);
	st = is_limited ? take_limited(l) : take_whole(l, wait);
	if (st == TW_OK) {
		tw_runlock_touch(l);
		return TW_OK;
	}
	if (st == TW_CONFIG)
		return tw_err_sys(err, st, errno, "%s: cannot lock", path);
	*age = age_of(l->fd);
	return tw_err_set(err, st, st == TW_AGAIN ?
	    N_("%s: a runner is active") :
	    N_("%s: a runner for some hosts has not stepped aside"), path);
}

enum tw_status tw_runlock_take(const char *dir, bool is_limited, int64_t wait,
    struct tw_runlock **out, int64_t *age, struct tw_err *err)
{
	enum tw_status status;
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
	status = take(l, path, is_limited, wait, age, err);
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

bool tw_runlock_is_asked(const struct tw_runlock *l)
{
	bool is_asked;

	return l->is_limited && ask_byte(l->fd, BYTE_ASKED, &is_asked) ==
	    TW_OK && is_asked;
}

void tw_runlock_yield(struct tw_runlock *l)
{
	l->is_yielded = lock_bytes(l->fd, F_UNLCK, BYTE_RUNNER, 2) == TW_OK;
}

void tw_runlock_release(struct tw_runlock *l, const char *note)
{
	if (!l)
		return;
	if (note && !l->is_yielded && ftruncate(l->fd, 0) == 0 &&
	    lseek(l->fd, 0, SEEK_SET) == 0)
		(void)tw_io_write_all(l->fd, note, strlen(note));
	close(l->fd);
	free(l);
}

enum tw_status tw_runlock_note(const char *dir, char **note, bool *running,
    int64_t *age, struct tw_err *err)
{
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
	if (ask_byte(fd, BYTE_RUNNER, running)) {
		status = tw_err_sys(err, TW_CONFIG, errno,
		    "%s: cannot ask for its lock", path);
		goto out;
	}
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
