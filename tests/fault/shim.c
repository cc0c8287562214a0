/*
 * shim.c - preloaded into a tool: makes the n-th call of a kind fail, or kills
 *          the tool there; records what happens to the files of a directory
 *
 * Told what to do by a struct fault_plan (shim.h).  Without one, or in a
 * program of another name, every call goes through as it is.  Children are
 * started without the shim.
 *
 * A call counts by who makes it: libcrypto, libsodium, libc and the loader may
 * do as they like; of libuv the calls on sockets and files count, not those on
 * its own pipes, for whose failure it aborts.  What stdio does inside libc
 * can't be intercepted: a full standard output is the driver's business.
 */
#include "shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <spawn.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define CALLER ((uintptr_t)__builtin_return_address(0))

/* libc's allocator by its other names: there before any constructor. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

enum owner { OWN, SQLITE, LIBS, UV, NOBODY };

#define RANGES_MAX 64

static struct range {
	uintptr_t from, to;
	enum owner owner;
} ranges[RANGES_MAX];
static size_t nranges;
static struct fault_plan *plan;
static pid_t plan_pid;
static int log_fd = -1;
static size_t below_len;
static _Thread_local bool is_inside;

/* --- the functions behind ours ------------------------------------------- */

#define REAL(type, name, ...) \
	static type (*real_##name)(__VA_ARGS__)
REAL(int, openat, int, const char *, int, ...);
REAL(int, mkstemp, char *);
REAL(ssize_t, read, int, void *, size_t);
REAL(ssize_t, pread64, int, void *, size_t, off64_t);
REAL(ssize_t, readv, int, const struct iovec *, int);
REAL(ssize_t, recv, int, void *, size_t, int);
REAL(ssize_t, recvmsg, int, struct msghdr *, int);
REAL(ssize_t, write, int, const void *, size_t);
REAL(ssize_t, writev, int, const struct iovec *, int);
REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
REAL(ssize_t, send, int, const void *, size_t, int);
REAL(ssize_t, sendmsg, int, const struct msghdr *, int);
REAL(int, fsync, int);
REAL(int, fdatasync, int);
REAL(int, ftruncate64, int, off64_t);
REAL(int, rename, const char *, const char *);
REAL(int, unlink, const char *);
REAL(int, mkdir, const char *, mode_t);
REAL(int, connect, int, const struct sockaddr *, socklen_t);
REAL(pid_t, fork, void);
REAL(int, posix_spawn, pid_t *, const char *,
    const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
    char *const [], char *const []);
REAL(int, posix_spawnp, pid_t *, const char *,
    const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
    char *const [], char *const []);
REAL(int, vasprintf, char **, const char *, va_list);
REAL(char *, realpath, const char *, char *);

/* A function may be wanted before our constructor has run. */
#define FIND(name) do { \
		if (!real_##name) \
			*(void **)&real_##name = dlsym(RTLD_NEXT, #name); \
	} while (0)

/* --- whether this call is the one ---------------------------------------- */

static enum owner owner_of(uintptr_t at)
{
	size_t i;

	for (i = 0; i < nranges; i++)
		if (at >= ranges[i].from && at < ranges[i].to)
			return ranges[i].owner;
	return NOBODY;
}

static void keep_trace(void)
{
	void *frames[FAULT_TRACE + 2];
	int i, n = backtrace(frames, FAULT_TRACE + 2);

	plan->ntrace = 0;
	for (i = 2; i < n; i++)
		plan->trace[plan->ntrace++] = (uint64_t)(uintptr_t)frames[i] -
		    plan->base;
}

static _Noreturn void die(void)
{
	syscall(SYS_kill, plan_pid, SIGKILL);
	for (;;)
		pause();
}

/* Counts a call.  True: it is to fail now (or, FAULT_SHORT, be cut); errno is
 * set.  *is_last: the tool is to die behind it. */
static bool hit(enum fault_kind kind, bool *is_last)
{
	int64_t n;

	*is_last = false;
	if (!plan || is_inside || getpid() != plan_pid)
		return false;
	n = __atomic_add_fetch(&plan->calls[kind], 1, __ATOMIC_RELAXED);
	if (plan->kind != (int)kind || !plan->n || n < plan->n ||
	    (n > plan->n && !plan->forever))
		return false;
	is_inside = true;
	if (__atomic_fetch_add(&plan->fired, 1, __ATOMIC_RELAXED) == 0)
		keep_trace();
	is_inside = false;
	if (plan->act == FAULT_KILL_BEFORE)
		die();
	if (plan->act == FAULT_KILL_AFTER) {
		*is_last = true;
		return false;
	}
	errno = plan->error;
	return true;
}

static bool counts(uintptr_t caller)
{
	return plan && owner_of(caller) != NOBODY;
}

/* Which kind a read or write of fd is; FAULT_NONE: nobody's business. */
static enum fault_kind kind_of(int fd, bool is_write, uintptr_t caller)
{
	struct stat st;

	if (!counts(caller) || fstat(fd, &st) < 0)
		return FAULT_NONE;
	if (S_ISSOCK(st.st_mode))
		return is_write ? FAULT_SEND : FAULT_RECV;
	if (!S_ISREG(st.st_mode) && owner_of(caller) == UV)
		return FAULT_NONE;
	return is_write ? FAULT_WRITE : FAULT_READ;
}

#define AFTER(is_last) do { if (is_last) die(); } while (0)

/* --- the record ----------------------------------------------------------- */

static void record(enum fault_op op, const struct stat *st, uint64_t offset,
    const char *path, const char *to, const void *p, size_t n)
{
	struct fault_record r = { .op = op, .offset = offset,
		.len = (uint32_t)n };
	struct iovec v[4] = { { &r, sizeof r } };

	if (st) {
		r.ino = st->st_ino;
		r.is_dir = S_ISDIR(st->st_mode);
	}
	r.path_len = path ? (uint32_t)strlen(path) : 0;
	r.to_len = to ? (uint32_t)strlen(to) : 0;
	v[1].iov_base = (void *)(uintptr_t)path;
	v[1].iov_len = r.path_len;
	v[2].iov_base = (void *)(uintptr_t)to;
	v[2].iov_len = r.to_len;
	v[3].iov_base = (void *)(uintptr_t)p;
	v[3].iov_len = n;
	(void)!real_writev(log_fd, v, 4);
}

/* The path of a name below the directory, relative to it; NULL: elsewhere. */
static const char *below(const char *path)
{
	if (log_fd < 0 || getpid() != plan_pid ||
	    strncmp(path, plan->below, below_len) != 0)
		return NULL;
	if (!path[below_len])
		return ".";
	return path[below_len] == '/' ? path + below_len + 1 : NULL;
}

/* The same of an open file; room is PATH_MAX bytes. */
static const char *fd_below(int fd, char *room, struct stat *st)
{
	char link[64];
	ssize_t n;

	if (log_fd < 0 || getpid() != plan_pid)
		return NULL;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, room, PATH_MAX - 1);
	if (n < 0 || fstat(fd, st) < 0)
		return NULL;
	room[n] = '\0';
	return below(room);
}

static void record_fd(enum fault_op op, int fd, uint64_t offset,
    const void *p, size_t n)
{
	char room[PATH_MAX];
	struct stat st;
	const char *path;
	int e = errno;

	path = fd_below(fd, room, &st);
	if (path)
		record(op, &st, offset, path, NULL, p, n);
	errno = e;
}

/* Where the n bytes just written to fd have gone to. */
static void record_written(int fd, const void *p, ssize_t n)
{
	off_t at;

	if (log_fd < 0 || n <= 0)
		return;
	at = lseek(fd, 0, SEEK_CUR);
	if (at >= n)
		record_fd(FAULT_OP_WRITE, fd, (uint64_t)(at - n), p,
		    (size_t)n);
}

static void record_said(ssize_t n)
{
	if (log_fd >= 0 && n > 0 && getpid() == plan_pid)
		record(FAULT_OP_SAID, NULL, 0, NULL, NULL, NULL, 0);
}

/* --- open ----------------------------------------------------------------- */

static int open_at(int dir, const char *path, int flags, mode_t mode,
    uintptr_t caller)
{
	bool is_last = false, was_there = true;
	struct stat st;
	int fd;

	if (counts(caller) && hit(FAULT_OPEN, &is_last))
		return -1;
	if (log_fd >= 0 && flags & O_CREAT)
		was_there = fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
	FIND(openat);
	fd = real_openat(dir, path, flags, mode);
	if (fd >= 0 && flags & O_CREAT && !was_there)
		record_fd(FAULT_OP_CREATE, fd, 0, NULL, 0);
	else if (fd >= 0 && flags & O_TRUNC)
		record_fd(FAULT_OP_TRUNCATE, fd, 0, NULL, 0);
	AFTER(is_last);
	return fd;
}

#define MODE_OF(flags, mode) do { \
		if ((flags) & (O_CREAT | O_TMPFILE)) { \
			va_list ap; \
			va_start(ap, flags); \
			mode = va_arg(ap, mode_t); \
			va_end(ap); \
		} \
	} while (0)

EXPORT int open(const char *path, int flags, ...)
{
	mode_t mode = 0;

	MODE_OF(flags, mode);
	return open_at(AT_FDCWD, path, flags, mode, CALLER);
}

EXPORT int open64(const char *path, int flags, ...)
{
	mode_t mode = 0;

	MODE_OF(flags, mode);
	return open_at(AT_FDCWD, path, flags, mode, CALLER);
}

EXPORT int openat(int dir, const char *path, int flags, ...)
{
	mode_t mode = 0;

	MODE_OF(flags, mode);
	return open_at(dir, path, flags, mode, CALLER);
}

EXPORT int mkstemp(char *path)
{
	bool is_last = false;
	int fd;

	if (counts(CALLER) && hit(FAULT_OPEN, &is_last))
		return -1;
	FIND(mkstemp);
	fd = real_mkstemp(path);
	if (fd >= 0)
		record_fd(FAULT_OP_CREATE, fd, 0, NULL, 0);
	AFTER(is_last);
	return fd;
}

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);

EXPORT int __open_2(const char *path, int flags)
{
	return open_at(AT_FDCWD, path, flags, 0, CALLER);
}

EXPORT int __open64_2(const char *path, int flags)
{
	return open_at(AT_FDCWD, path, flags, 0, CALLER);
}

/* --- reading --------------------------------------------------------------- */

#define READING(caller, fd, call) do { \
		enum fault_kind kind_ = kind_of(fd, false, caller); \
		bool is_last_ = false; \
		ssize_t n_; \
		if (kind_ && hit(kind_, &is_last_)) \
			return -1; \
		n_ = call; \
		AFTER(is_last_); \
		return n_; \
	} while (0)

EXPORT ssize_t read(int fd, void *p, size_t n)
{
	FIND(read);
	READING(CALLER, fd, real_read(fd, p, n));
}

EXPORT ssize_t pread64(int fd, void *p, size_t n, off64_t at)
{
	FIND(pread64);
	READING(CALLER, fd, real_pread64(fd, p, n, at));
}

EXPORT ssize_t pread(int fd, void *p, size_t n, off_t at)
{
	FIND(pread64);
	READING(CALLER, fd, real_pread64(fd, p, n, at));
}

EXPORT ssize_t readv(int fd, const struct iovec *v, int count)
{
	FIND(readv);
	READING(CALLER, fd, real_readv(fd, v, count));
}

EXPORT ssize_t recv(int fd, void *p, size_t n, int flags)
{
	FIND(recv);
	READING(CALLER, fd, real_recv(fd, p, n, flags));
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
	FIND(recvmsg);
	READING(CALLER, fd, real_recvmsg(fd, m, flags));
}

/* What code compiled with _FORTIFY_SOURCE calls. */
ssize_t __read_chk(int fd, void *p, size_t n, size_t size);
ssize_t __pread64_chk(int fd, void *p, size_t n, off64_t at, size_t size);
ssize_t __recv_chk(int fd, void *p, size_t n, size_t size, int flags);

EXPORT ssize_t __read_chk(int fd, void *p, size_t n, size_t size)
{
	FIND(read);
	if (n > size)
		abort();
	READING(CALLER, fd, real_read(fd, p, n));
}

EXPORT ssize_t __pread64_chk(int fd, void *p, size_t n, off64_t at,
    size_t size)
{
	FIND(pread64);
	if (n > size)
		abort();
	READING(CALLER, fd, real_pread64(fd, p, n, at));
}

EXPORT ssize_t __recv_chk(int fd, void *p, size_t n, size_t size, int flags)
{
	FIND(recv);
	if (n > size)
		abort();
	READING(CALLER, fd, real_recv(fd, p, n, flags));
}

/* --- writing --------------------------------------------------------------- */

/* True: the write is not to happen, -1 is to be returned.  *n may become 1. */
static bool write_hit(int fd, size_t *n, uintptr_t caller, bool *is_last)
{
	enum fault_kind kind = kind_of(fd, true, caller);

	*is_last = false;
	if (!kind || !hit(kind, is_last))
		return false;
	if (plan->act != FAULT_SHORT)
		return true;
	if (*n > 1)
		*n = 1;
	return false;
}

EXPORT ssize_t write(int fd, const void *p, size_t n)
{
	bool is_last;
	ssize_t done;

	if (write_hit(fd, &n, CALLER, &is_last))
		return -1;
	FIND(write);
	done = real_write(fd, p, n);
	record_written(fd, p, done);
	AFTER(is_last);
	return done;
}

static ssize_t pwrite_(int fd, const void *p, size_t n, off64_t at,
    uintptr_t caller)
{
	bool is_last;
	ssize_t done;

	if (write_hit(fd, &n, caller, &is_last))
		return -1;
	FIND(pwrite64);
	done = real_pwrite64(fd, p, n, at);
	if (done > 0)
		record_fd(FAULT_OP_WRITE, fd, (uint64_t)at, p, (size_t)done);
	AFTER(is_last);
	return done;
}

EXPORT ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	return pwrite_(fd, p, n, at, CALLER);
}

EXPORT ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	return pwrite_(fd, p, n, at, CALLER);
}

EXPORT ssize_t writev(int fd, const struct iovec *v, int count)
{
	size_t n = 2;
	bool is_last;
	ssize_t done;

	if (write_hit(fd, &n, CALLER, &is_last))
		return -1;
	FIND(writev);
	FIND(write);
	done = n == 1 && count > 0 && v[0].iov_len > 0 ?
	    real_write(fd, v[0].iov_base, 1) : real_writev(fd, v, count);
	record_said(done);
	AFTER(is_last);
	return done;
}

EXPORT ssize_t send(int fd, const void *p, size_t n, int flags)
{
	bool is_last;
	ssize_t done;

	if (write_hit(fd, &n, CALLER, &is_last))
		return -1;
	FIND(send);
	done = real_send(fd, p, n, flags);
	record_said(done);
	AFTER(is_last);
	return done;
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	size_t n = 1;
	bool is_last;
	ssize_t done;

	if (write_hit(fd, &n, CALLER, &is_last))
		return -1;
	FIND(sendmsg);
	done = real_sendmsg(fd, m, flags);
	record_said(done);
	AFTER(is_last);
	return done;
}

/* --- names and syncs -------------------------------------------------------- */

static int sync_(int fd, bool is_data, uintptr_t caller)
{
	bool is_last = false;
	int r;

	if (counts(caller) && hit(FAULT_SYNC, &is_last))
		return -1;
	FIND(fdatasync);
	FIND(fsync);
	r = is_data ? real_fdatasync(fd) : real_fsync(fd);
	if (r == 0)
		record_fd(FAULT_OP_SYNC, fd, 0, NULL, 0);
	AFTER(is_last);
	return r;
}

EXPORT int fsync(int fd)
{
	return sync_(fd, false, CALLER);
}

EXPORT int fdatasync(int fd)
{
	return sync_(fd, true, CALLER);
}

static int truncate_(int fd, off64_t n)
{
	int r;

	FIND(ftruncate64);
	r = real_ftruncate64(fd, n);
	if (r == 0)
		record_fd(FAULT_OP_TRUNCATE, fd, (uint64_t)n, NULL, 0);
	return r;
}

EXPORT int ftruncate(int fd, off_t n)
{
	return truncate_(fd, n);
}

EXPORT int ftruncate64(int fd, off64_t n)
{
	return truncate_(fd, n);
}

EXPORT int rename(const char *from, const char *to)
{
	const char *was, *is;
	bool is_last = false;
	int r;

	if (counts(CALLER) && hit(FAULT_RENAME, &is_last))
		return -1;
	FIND(rename);
	r = real_rename(from, to);
	was = r == 0 ? below(from) : NULL;
	is = was ? below(to) : NULL;
	if (is)
		record(FAULT_OP_RENAME, NULL, 0, was, is, NULL, 0);
	AFTER(is_last);
	return r;
}

EXPORT int unlink(const char *path)
{
	bool is_last = false;
	int r;

	if (counts(CALLER) && hit(FAULT_UNLINK, &is_last))
		return -1;
	FIND(unlink);
	r = real_unlink(path);
	if (r == 0 && below(path))
		record(FAULT_OP_UNLINK, NULL, 0, below(path), NULL, NULL, 0);
	AFTER(is_last);
	return r;
}

EXPORT int mkdir(const char *path, mode_t mode)
{
	int r;

	FIND(mkdir);
	r = real_mkdir(path, mode);
	if (r == 0 && below(path))
		record(FAULT_OP_MKDIR, NULL, 0, below(path), NULL, NULL, 0);
	return r;
}

EXPORT int connect(int fd, const struct sockaddr *to, socklen_t n)
{
	bool is_last = false;
	int r;

	if (counts(CALLER) && hit(FAULT_CONNECT, &is_last))
		return -1;
	FIND(connect);
	r = real_connect(fd, to, n);
	AFTER(is_last);
	return r;
}

/* --- processes ---------------------------------------------------------------- */

EXPORT pid_t fork(void)
{
	bool is_last = false;
	pid_t pid;

	if (counts(CALLER) && hit(FAULT_FORK, &is_last))
		return -1;
	FIND(fork);
	pid = real_fork();
	if (pid > 0)
		AFTER(is_last);
	return pid;
}

EXPORT int posix_spawn(pid_t *pid, const char *path,
    const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attr,
    char *const argv[], char *const env[])
{
	bool is_last = false;
	int r;

	if (counts(CALLER) && hit(FAULT_FORK, &is_last))
		return errno;
	FIND(posix_spawn);
	r = real_posix_spawn(pid, path, actions, attr, argv, env);
	AFTER(is_last);
	return r;
}

EXPORT int posix_spawnp(pid_t *pid, const char *path,
    const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attr,
    char *const argv[], char *const env[])
{
	bool is_last = false;
	int r;

	if (counts(CALLER) && hit(FAULT_FORK, &is_last))
		return errno;
	FIND(posix_spawnp);
	r = real_posix_spawnp(pid, path, actions, attr, argv, env);
	AFTER(is_last);
	return r;
}

/* --- memory --------------------------------------------------------------------- */

static bool no_memory(uintptr_t caller)
{
	enum owner who;
	bool is_last;

	if (!plan)
		return false;
	who = owner_of(caller);
	return (who == OWN && hit(FAULT_MEM, &is_last)) ||
	    (who == LIBS && hit(FAULT_LIBMEM, &is_last));
}

EXPORT void *malloc(size_t n)
{
	return no_memory(CALLER) ? NULL : __libc_malloc(n);
}

EXPORT void *calloc(size_t n, size_t size)
{
	return no_memory(CALLER) ? NULL : __libc_calloc(n, size);
}

EXPORT void *realloc(void *p, size_t n)
{
	return no_memory(CALLER) ? NULL : __libc_realloc(p, n);
}

EXPORT void *reallocarray(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return no_memory(CALLER) ? NULL : __libc_realloc(p, bytes);
}

static char *copy(const char *s, size_t n)
{
	char *p = __libc_malloc(n + 1);

	if (!p)
		return NULL;
	memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

EXPORT char *strdup(const char *s)
{
	return no_memory(CALLER) ? NULL : copy(s, strlen(s));
}

EXPORT char *__strdup(const char *s);
EXPORT char *__strdup(const char *s)
{
	return no_memory(CALLER) ? NULL : copy(s, strlen(s));
}

EXPORT char *strndup(const char *s, size_t n)
{
	return no_memory(CALLER) ? NULL : copy(s, strnlen(s, n));
}

static int print(char **out, const char *fmt, va_list ap, uintptr_t caller)
{
	if (no_memory(caller)) {
		/* POSIX leaves it undefined, and so it is */
		*out = (char *)(uintptr_t)0x5a5a5a5a;
		return -1;
	}
	FIND(vasprintf);
	return real_vasprintf(out, fmt, ap);
}

EXPORT int vasprintf(char **out, const char *fmt, va_list ap)
{
	return print(out, fmt, ap, CALLER);
}

EXPORT int asprintf(char **out, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = print(out, fmt, ap, CALLER);
	va_end(ap);
	return n;
}

int __asprintf_chk(char **out, int flag, const char *fmt, ...);
int __vasprintf_chk(char **out, int flag, const char *fmt, va_list ap);

EXPORT int __vasprintf_chk(char **out, int flag, const char *fmt, va_list ap)
{
	(void)flag;
	return print(out, fmt, ap, CALLER);
}

EXPORT int __asprintf_chk(char **out, int flag, const char *fmt, ...)
{
	va_list ap;
	int n;

	(void)flag;
	va_start(ap, fmt);
	n = print(out, fmt, ap, CALLER);
	va_end(ap);
	return n;
}

EXPORT char *realpath(const char *path, char *out)
{
	if (!out && no_memory(CALLER))
		return NULL;
	FIND(realpath);
	return real_realpath(path, out);
}

char *__realpath_chk(const char *path, char *out, size_t size);

EXPORT char *__realpath_chk(const char *path, char *out, size_t size)
{
	(void)size;
	FIND(realpath);
	return real_realpath(path, out);
}

/* SQLite's own. */
static sqlite3_mem_methods sql_mem;

static void *sql_malloc(int n)
{
	bool is_last;

	return hit(FAULT_SQLMEM, &is_last) ? NULL : sql_mem.xMalloc(n);
}

static void *sql_realloc(void *p, int n)
{
	bool is_last;

	return hit(FAULT_SQLMEM, &is_last) ? NULL : sql_mem.xRealloc(p, n);
}

static void hook_sqlite(void)
{
	sqlite3_mem_methods ours;
	int (*config)(int, ...);

	*(void **)&config = dlsym(RTLD_DEFAULT, "sqlite3_config");
	if (!config || config(SQLITE_CONFIG_GETMALLOC, &sql_mem) != SQLITE_OK)
		return;
	ours = sql_mem;
	ours.xMalloc = sql_malloc;
	ours.xRealloc = sql_realloc;
	config(SQLITE_CONFIG_MALLOC, &ours);
}

/* --- the beginning ----------------------------------------------------------------- */

static enum owner owner_named(const char *path)
{
	static const struct {
		const char *part;
		enum owner owner;
	} known[] = {
		{ "/libsqlite3.", SQLITE }, { "/libuv.", UV },
		{ "/libyaml-", LIBS }, { "/libjansson.", LIBS },
		{ "/libssh2.", LIBS },
	};
	size_t i;

	if (!path[0])
		return OWN;
	for (i = 0; i < sizeof known / sizeof *known; i++)
		if (strstr(path, known[i].part))
			return known[i].owner;
	return NOBODY;
}

static int note_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	enum owner who = owner_named(info->dlpi_name);
	int i;

	(void)size;
	(void)arg;
	if (who == OWN)
		plan->base = info->dlpi_addr;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];

		if (h->p_type != PT_LOAD || !(h->p_flags & PF_X) ||
		    who == NOBODY || nranges == RANGES_MAX)
			continue;
		ranges[nranges].from = info->dlpi_addr + h->p_vaddr;
		ranges[nranges].to = ranges[nranges].from + h->p_memsz;
		ranges[nranges++].owner = who;
	}
	return 0;
}

__attribute__((constructor))
static void start(void)
{
	const char *path = getenv(FAULT_PLAN_ENV);
	struct fault_plan *p;
	void *warm[1];
	int fd;

	if (!path)
		return;
	FIND(openat);
	FIND(writev);
	fd = real_openat(AT_FDCWD, path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	p = mmap(NULL, sizeof *p, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	unsetenv(FAULT_PLAN_ENV);
	unsetenv("LD_PRELOAD");
	if (p == MAP_FAILED ||
	    strcmp(p->tool, program_invocation_short_name) != 0)
		return;
	backtrace(warm, 1);	/* loads what it needs now */
	if (p->log[0])
		log_fd = real_openat(AT_FDCWD, p->log, O_WRONLY | O_CREAT |
		    O_APPEND | O_CLOEXEC, 0600);
	below_len = strlen(p->below);
	plan_pid = getpid();
	plan = p;
	dl_iterate_phdr(note_object, NULL);
	hook_sqlite();
}
