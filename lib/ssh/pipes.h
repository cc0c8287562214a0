/*
 * pipes.h - a child process with its standard streams on a loop
 *
 * What the ssh child, the proxies of libssh2 and the fake transport share.
 * The child is a session leader without a terminal, so that it can't ask
 * anybody anything, Ctrl-C doesn't reach it, and it is killed with all it
 * started.  A process that uses this ignores SIGPIPE from then on.
 */
#ifndef TW_SSH_PIPES_H
#define TW_SSH_PIPES_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/buf.h"
#include "base/err.h"

struct tw_pipes;

struct tw_pipes_events {
	/* Bytes of the child's fd 1 or 2; at most 256 KiB a turn of the
	 * loop and stream. */
	void (*data)(void *arg, int fd, const void *p, size_t n);
	/* All that was given to tw_pipes_send() was taken by the kernel; NULL
	 * if of no interest. */
	void (*drained)(void *arg);
	/* Once, last: the child has exited (status, or signal when not 0) and
	 * its output was read to the end. */
	void (*done)(void *arg, int status, int signal);
};

struct tw_pipes_how {
	const char *const *argv;	/* looked up in PATH */
	const char *const *env;		/* NULL: ours */
	int io_fd;	/* >= 0: the child's fds 0 and 1, and no pipes for them
			   (the caller closes it after); -1: pipes */
	bool spare;	/* tw_pipes_close() closes the pipes but lets the child
			   live, as sshd does when a connection drops */
};

/* Starts the child; no event comes from within this call.  TW_AGAIN when it
 * can't be started (too many processes), TW_CONFIG when it isn't there. */
enum tw_status tw_pipes_open(uv_loop_t *loop, const struct tw_pipes_how *how,
    const struct tw_pipes_events *events, void *arg, struct tw_pipes **out,
    struct tw_err *err);

/* Queues a copy of n bytes for the child's stdin. */
enum tw_status tw_pipes_send(struct tw_pipes *p, const void *data, size_t n,
    struct tw_err *err);

/* Bytes of those that the kernel has not taken yet. */
size_t tw_pipes_unsent(const struct tw_pipes *p);

/* Closes the child's stdin once all that was sent has left. */
void tw_pipes_finish(struct tw_pipes *p);

/* Kills the child (but see .spare) and lets go: no more events.  Memory is
 * freed when the loop has reaped it.  NULL is fine. */
void tw_pipes_close(struct tw_pipes *p);

/* Runs a child to its end on a loop of its own, stdin empty: *status is its
 * exit status, 128 + the signal when it was killed.  out and errout (either
 * may be NULL) are appended to, up to their maximum, the rest is dropped.
 * TW_AGAIN when it took longer than limit_ms; it is killed then. */
enum tw_status tw_pipes_run(const char *const *argv, int limit_ms,
    struct tw_buf *out, struct tw_buf *errout, int *status,
    struct tw_err *err);

#endif
