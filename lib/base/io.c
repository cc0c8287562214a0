/*
 * io.c - whole files in and out, checked step by step; see io.h
 *
 * A file is replaced by one rename, so a reader sees the old or the new whole
 * content.  Not done: keeping an owner or extended attributes.
 */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"

#define READ_CHUNK 65536
#define WRITE_TRIES 8		/* random temporary names */

enum tw_status tw_io_read_fd(int fd, const char *name, struct tw_buf *b,
    struct tw_err *err)
{
	size_t max = b->max ? b->max : TW_BUF_MAX_DEFAULT;
	char *chunk;
	ssize_t n;
	enum tw_status s = TW_OK;

	chunk = malloc(READ_CHUNK);
	if (!chunk)
		return tw_err_nomem(err);
	for (;;) {
		n = read(fd, chunk, READ_CHUNK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			s = tw_err_sys(err, TW_CONFIG, errno,
			    "%s: cannot read", name);
		if (n <= 0)
			break;
		if (b->len > max || (size_t)n > max - b->len) {
			s = tw_err_set(err, TW_DATA,
			    "%s: larger than %zu bytes", name, max);
			break;
		}
		if (!tw_buf_add(b, chunk, (size_t)n)) {
			s = tw_err_nomem(err);
			break;
		}
	}
	if (b->is_secret)
		explicit_bzero(chunk, READ_CHUNK);
	free(chunk);
	return s;
}

enum tw_status tw_io_read_file(const char *path, struct tw_buf *b,
    struct tw_err *err)
{
	struct stat st;
	enum tw_status s;
	int fd;

	/* O_NONBLOCK: opening a FIFO must not wait for its other end. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return tw_err_sys(err, TW_DATA, errno, "%s: cannot open", path);
	if (fstat(fd, &st) < 0)
		s = tw_err_sys(err, TW_CONFIG, errno, "%s: cannot stat", path);
	else if (!S_ISREG(st.st_mode))
		s = tw_err_set(err, TW_DATA, "%s: not a regular file", path);
	else
		s = tw_io_read_fd(fd, path, b, err);
	close(fd);
	return s;
}

int tw_io_write_all(int fd, const void *p, size_t n)
{
	const char *at = p;
	ssize_t done;

	while (n > 0) {
		done = write(fd, at, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return errno;
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

/* Makes a new file beside path; *temp is its name, which the caller frees. */
static int open_temp(const char *path, char **temp)
{
	const char *base = strrchr(path, '/');
	char id[TW_ID_HEX];
	int dir, fd, i;

	base = base ? base + 1 : path;
	dir = (int)(base - path);
	for (i = 0; i < WRITE_TRIES; i++) {
		tw_random_id(id);
		if (asprintf(temp, "%.*s.towerify.%s", dir, path, id) < 0) {
			*temp = NULL;
			errno = ENOMEM;
			return -1;
		}
		fd = open(*temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
		    O_CLOEXEC, 0600);
		if (fd >= 0)
			return fd;
		free(*temp);
		*temp = NULL;
		if (errno != EEXIST)
			return -1;
	}
	return -1;
}

static int sync_directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir;
	int fd, e = 0;

	if (!slash)
		dir = strdup(".");
	else
		dir = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (!dir)
		return ENOMEM;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (fd < 0)
		return errno;
	if (fsync(fd) < 0)
		e = errno;
	close(fd);
	return e;
}

enum tw_status tw_io_make_dir(const char *path, mode_t mode,
    struct tw_err *err)
{
	int e;

	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return tw_err_sys(err, TW_CONFIG, errno, "cannot make %s",
		    path);
	/* one that is there may have been made just before a power cut */
	e = sync_directory_of(path);
	if (e)
		return tw_err_sys(err, TW_CONFIG, e,
		    "%s: cannot sync its directory", path);
	return TW_OK;
}

/* Content, mode, sync, close: 0 or an errno value; fd is closed either way. */
static int fill(int fd, const void *p, size_t n, mode_t mode)
{
	int e = tw_io_write_all(fd, p, n);

	if (!e && fchmod(fd, mode) < 0)
		e = errno;
	if (!e && fsync(fd) < 0)
		e = errno;
	if (close(fd) < 0 && !e)
		e = errno;
	return e;
}

enum tw_status tw_io_write_file(const char *path, const void *p, size_t n,
    mode_t mode, struct tw_err *err)
{
	char *temp = NULL;
	enum tw_status s = TW_OK;
	int fd, e;

	fd = open_temp(path, &temp);
	if (fd < 0)
		return tw_err_sys(err, TW_CONFIG, errno,
		    "%s: cannot create a file beside it", path);
	e = fill(fd, p, n, mode);
	if (e) {
		s = tw_err_sys(err, TW_CONFIG, e, "%s: cannot write", path);
		goto out;
	}
	if (rename(temp, path) < 0) {
		s = tw_err_sys(err, TW_CONFIG, errno,
		    "%s: cannot be replaced", path);
		goto out;
	}
	free(temp);
	temp = NULL;
	/* Past the rename there is no way back: the new content stands, and
	 * what failed is only the promise that it survives a power cut. */
	e = sync_directory_of(path);
	if (e)
		s = tw_err_sys(err, TW_CONFIG, e,
		    "%s: cannot sync its directory", path);
out:
	if (temp) {
		unlink(temp);
		free(temp);
	}
	return s;
}
