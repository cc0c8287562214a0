/*
 * cache.c - downloads by their SHA-256; see fetch.h
 *
 * In the directory a file SHA256 is a whole one, come there by a rename.  While
 * it is downloaded it is SHA256.URL.part, locked by flock(2), where URL is the
 * beginning of the address's own hash: who wants the same waits for the lock,
 * but nobody is kept waiting by an address that another person gave for the same
 * file.  A .part whose lock is free is what a killed process left; whoever
 * downloads next removes it.  The lock counts for the file that bears the name:
 * who gets it looks whether it still does.
 */
#include "fetch/fetch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"

#define CHUNK 65536
#define PART ".part"
#define URL_HEX 16		/* digits of the address's hash in a name */

struct item {			/* one file that is wanted */
	const struct tw_fetch *f;
	const char *url, *sha256;
	size_t max;
	int dir;
	char part[TW_SHA256_HEX + 1 + URL_HEX + sizeof PART];
};

static enum tw_status cannot(const struct item *it, const char *what, int e,
    struct tw_err *err)
{
	return tw_err_sys(err, TW_AGAIN, e, "%s: cannot %s", it->f->cache,
	    what);
}

/* --- reading -------------------------------------------------------------------- */

/* Appends what fd holds to out, as much as max, and hashes all of it. */
static enum tw_status read_hashed(const struct item *it, int fd,
    struct tw_buf *out, char hex[TW_SHA256_HEX], bool *too_large,
    struct tw_err *err)
{
	struct tw_sha256 *h = tw_sha256_new();
	char *chunk = malloc(CHUNK);
	enum tw_status st = TW_OK;
	uint8_t digest[TW_SHA256_LEN];
	size_t total = 0;
	off_t at = 0;
	ssize_t n = 1;

	if (!h || !chunk)
		st = tw_err_nomem(err);
	while (!st && n > 0) {
		n = pread(fd, chunk, CHUNK, at);
		if (n < 0 && errno != EINTR)
			st = cannot(it, W_("read a file of the cache"), errno,
			    err);
		if (n < 0)
			n = !st;	/* once more */
		else if (n > 0) {
			tw_sha256_add(h, chunk, (size_t)n);
			at += n;
			total += (size_t)n;
			if (total <= it->max &&
			    !tw_buf_add(out, chunk, (size_t)n))
				st = tw_err_nomem(err);
		}
	}
	*too_large = total > it->max;
	if (h)
		tw_sha256_get(h, digest);
	if (h)
		tw_hex(digest, sizeof digest, hex);
	tw_sha256_free(h);
	free(chunk);
	return st;
}

/* Takes out what a failed read has added. */
static void shorten(struct tw_buf *out, size_t len)
{
	if (out->len > len) {
		out->len = len;
		out->data[len] = '\0';
	}
}

/* TW_NO: it is not in the cache.  One that is not what its name says is
 * removed. */
static enum tw_status from_cache(const struct item *it, struct tw_buf *out,
    struct tw_err *err)
{
	size_t had = out->len;
	char hex[TW_SHA256_HEX];
	bool too_large = false;
	enum tw_status st;
	struct stat is;
	int fd;

	fd = openat(it->dir, it->sha256, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return TW_NO;
	if (fd < 0 && errno != ELOOP)
		return cannot(it, W_("open a file of the cache"), errno, err);
	if (fd < 0 || fstat(fd, &is) < 0 || !S_ISREG(is.st_mode)) {
		st = TW_NO;
	} else {
		st = read_hashed(it, fd, out, hex, &too_large, err);
		if (!st && strcmp(hex, it->sha256) != 0)
			st = TW_NO;
		else if (!st && too_large)
			st = tw_err_set(err, TW_DATA, "%s: larger than %zu "
			    "bytes", it->url, it->max);
		else if (!st)
			futimens(fd, NULL);	/* used just now */
	}
	if (fd >= 0)
		close(fd);
	if (st)
		shorten(out, had);
	if (st == TW_NO && unlinkat(it->dir, it->sha256, 0) < 0 &&
	    errno == EISDIR)
		return cannot(it, W_("use it: a directory bears the name of a "
		    "file"), EISDIR, err);
	return st;
}

/* --- what is there ---------------------------------------------------------------- */

static bool has_end(const char *name, const char *end)
{
	size_t n = strlen(name), k = strlen(end);

	return n >= k && strcmp(name + n - k, end) == 0;
}

static DIR *list(const struct item *it)
{
	int fd = openat(it->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d && fd >= 0)
		close(fd);
	return d;
}

/* Is fd, whose lock we have, still the file of that name? */
static bool bears_name(const struct item *it, int fd, const char *name)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 &&
	    fstatat(it->dir, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Removes the beginnings that nobody works at. */
static void sweep(const struct item *it)
{
	DIR *d = list(it);
	struct dirent *e;
	int fd;

	while (d && (e = readdir(d))) {
		if (!has_end(e->d_name, PART))
			continue;
		fd = openat(it->dir, e->d_name, O_RDONLY | O_NOFOLLOW |
		    O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (flock(fd, LOCK_EX | LOCK_NB) == 0 &&
		    bears_name(it, fd, e->d_name))
			unlinkat(it->dir, e->d_name, 0);
		close(fd);
	}
	if (d)
		closedir(d);
}

struct old {
	char name[TW_SHA256_HEX];
	struct timespec used;
	uint64_t size;
};

static int by_age(const void *a, const void *b)
{
	const struct old *x = a, *y = b;

	if (x->used.tv_sec != y->used.tv_sec)
		return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
	return (x->used.tv_nsec > y->used.tv_nsec) -
	    (x->used.tv_nsec < y->used.tv_nsec);
}

/* Makes room: the file that came last stays.  What fails here fails again, and
 * is no harm but for the room it takes. */
static void prune(const struct item *it)
{
	struct old *v = NULL, *more;
	DIR *d = list(it);
	struct dirent *e;
	uint64_t total = 0;
	struct stat is;
	size_t i, n = 0;

	while (d && (e = readdir(d))) {
		if (strlen(e->d_name) != TW_SHA256_HEX - 1 ||
		    fstatat(it->dir, e->d_name, &is, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		more = reallocarray(v, n + 1, sizeof *v);
		if (!more)
			break;
		v = more;
		memcpy(v[n].name, e->d_name, TW_SHA256_HEX);
		v[n].used = is.st_mtim;
		v[n].size = (uint64_t)is.st_size;
		total += v[n++].size;
	}
	if (d)
		closedir(d);
	if (n)
		qsort(v, n, sizeof *v, by_age);
	for (i = 0; i < n && total > it->f->cache_max; i++) {
		if (strcmp(v[i].name, it->sha256) == 0)
			continue;
		if (unlinkat(it->dir, v[i].name, 0) == 0)
			total -= v[i].size;
	}
	free(v);
}

/* --- downloading ------------------------------------------------------------------- */

/* Opens and locks the beginning that bears the name now. */
static int open_part(const struct item *it)
{
	int fd, e;

	for (;;) {
		fd = openat(it->dir, it->part, O_RDWR | O_CREAT | O_NOFOLLOW |
		    O_CLOEXEC, 0600);
		if (fd < 0)
			return -1;
		while ((e = flock(fd, LOCK_EX)) < 0 && errno == EINTR)
			;
		if (e < 0) {
			e = errno;
			close(fd);
			errno = e;
			return -1;
		}
		if (bears_name(it, fd, it->part))
			return fd;
		close(fd);
	}
}

/* Downloads into fd, and looks at what came. */
static enum tw_status download(const struct item *it, int fd,
    struct tw_buf *out, struct tw_err *err)
{
	char hex[TW_SHA256_HEX];
	bool too_large = false;
	enum tw_status st;

	if (ftruncate(fd, 0) < 0)
		return cannot(it, W_("write a file of the cache"), errno, err);
	st = tw_fetch_to(it->f, it->url, fd, it->max, err);
	if (!st)
		st = read_hashed(it, fd, out, hex, &too_large, err);
	if (!st && (too_large || strcmp(hex, it->sha256) != 0)) {
		st = tw_err_set(err, TW_DATA, "%s: its SHA-256 is not the one "
		    "given, but %s", it->url, hex);
		tw_err_hint(err, "see whether the address or the hash is "
		    "wrong, or the file was changed");
	}
	if (!st && fsync(fd) < 0)
		st = cannot(it, W_("write a file of the cache"), errno, err);
	if (!st && (renameat(it->dir, it->part, it->dir, it->sha256) < 0 ||
	    fsync(it->dir) < 0))
		st = cannot(it, W_("put a file into the cache"), errno, err);
	return st;
}

static enum tw_status into_cache(const struct item *it, struct tw_buf *out,
    struct tw_err *err)
{
	size_t had = out->len;
	enum tw_status st;
	int fd;

	sweep(it);
	fd = open_part(it);
	if (fd < 0)
		return cannot(it, W_("make a file in the cache"), errno, err);
	/* the one that was waited for may have brought it */
	st = from_cache(it, out, err);
	if (st == TW_NO) {
		st = download(it, fd, out, err);
		if (!st)
			prune(it);
	}
	if (st)
		shorten(out, had);
	if (bears_name(it, fd, it->part))
		unlinkat(it->dir, it->part, 0);
	close(fd);
	return st;
}

static int open_dir(const char *path)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

enum tw_status tw_fetch_cached(const struct tw_fetch *f, const char *url,
    const char *sha256, size_t max, struct tw_buf *out, struct tw_err *err)
{
	struct item it = { .f = f, .url = url, .sha256 = sha256, .max = max };
	char name[TW_SHA256_HEX], lower[TW_SHA256_HEX] = "";
	uint8_t digest[TW_SHA256_LEN];
	enum tw_status st;

	if (!tw_unhex(sha256, digest, sizeof digest))
		return tw_err_set(err, TW_DATA, "%s: a SHA-256 has 64 "
		    "hexadecimal digits", url);
	tw_hex(digest, sizeof digest, lower);
	it.sha256 = lower;
	tw_sha256_hex(url, strlen(url), name);
	snprintf(it.part, sizeof it.part, "%s.%.*s" PART, lower, URL_HEX,
	    name);
	it.dir = open_dir(f->cache);
	if (it.dir < 0)
		return cannot(&it, W_("open the cache"), errno, err);
	st = from_cache(&it, out, err);
	if (st == TW_NO)
		st = into_cache(&it, out, err);
	close(it.dir);
	return st;
}
