/*
 * backup_sum.c - the checksum at the end of a backup; see backup_private.h
 *
 * What integrity_check finds is what breaks the structure; a bit that fell over
 * within a text or a key is none of that.
 */
#include "store/backup_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/io.h"

#define PIECE_MAX 65536		/* bytes read at once */
#define LINE_PREFIX "towerify-backup-1 "
#define LINE_LEN ((off_t)(sizeof LINE_PREFIX - 1 + TW_SHA256_HEX))

/* The line that belongs behind the first `size' bytes of fd, with its newline
 * and a NUL. */
static enum tw_status make_line(int fd, const char *path, off_t size,
    char out[LINE_LEN + 1], struct tw_err *err)
{
	struct tw_sha256 *h = tw_sha256_new();
	enum tw_status status = TW_OK;
	uint8_t sum[TW_SHA256_LEN];
	char bytes[PIECE_MAX], hex[TW_SHA256_HEX];
	off_t at = 0;
	ssize_t n;

	if (!h)
		return tw_err_nomem(err);
	while (at < size) {
		off_t left = size - at;

		n = pread(fd, bytes, left < PIECE_MAX ? (size_t)left :
		    PIECE_MAX, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			status = tw_err_sys(err, TW_CONFIG, n < 0 ? errno : EIO,
			    "%s", path);
			break;
		}
		tw_sha256_add(h, bytes, (size_t)n);
		at += n;
	}
	tw_sha256_get(h, sum);
	tw_sha256_free(h);
	tw_hex(sum, sizeof sum, hex);
	snprintf(out, LINE_LEN + 1, LINE_PREFIX "%s\n", hex);
	return status;
}

enum tw_status tw_backup_add_sum(const char *path, struct tw_err *err)
{
	char line[LINE_LEN + 1];
	enum tw_status status;
	struct stat st;
	int fd, e;

	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) < 0) {
		status = tw_err_sys(err, TW_CONFIG, errno, "%s", path);
		goto out;
	}
	status = make_line(fd, path, st.st_size, line, err);
	if (status != TW_OK)
		goto out;
	e = lseek(fd, 0, SEEK_END) < 0 ? errno :
	    tw_io_write_all(fd, line, (size_t)LINE_LEN);
	if (!e && fsync(fd) < 0)
		e = errno;
	if (e)
		status = tw_err_sys(err, TW_CONFIG, e, "%s", path);
out:
	if (fd >= 0)
		close(fd);
	return status;
}

enum tw_status tw_backup_check_sum(const char *path, struct tw_err *err)
{
	char line[LINE_LEN + 1], have[LINE_LEN + 1] = "";
	enum tw_status status = TW_OK;
	struct stat st;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		status = tw_err_sys(err, TW_CONFIG, errno, "%s", path);
		goto out;
	}
	if (st.st_size < LINE_LEN || pread(fd, have, (size_t)LINE_LEN,
	    st.st_size - LINE_LEN) != LINE_LEN || strncmp(have, LINE_PREFIX,
	    sizeof LINE_PREFIX - 1) != 0)
		status = tw_err_set(err, TW_CONFIG, "%s: is cut short, or "
		    "something was added to it", path);
	if (status == TW_OK)
		status = make_line(fd, path, st.st_size - LINE_LEN, line, err);
	if (status == TW_OK && memcmp(line, have, (size_t)LINE_LEN) != 0)
		status = tw_err_set(err, TW_CONFIG, "%s: is damaged: its "
		    "checksum differs", path);
out:
	if (fd >= 0)
		close(fd);
	return status;
}
