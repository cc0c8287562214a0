/*
 * dial.h - a TCP connection to a name or address, on a loop
 */
#ifndef TW_SSH_DIAL_H
#define TW_SSH_DIAL_H

#include <stdbool.h>
#include <uv.h>

#include "base/err.h"

struct tw_dial;

/* fd: connected, non-blocking, close-on-exec, TCP_NODELAY, the receiver's to
 * close; or -1, and err says why no address would do ("cannot connect to
 * 192.0.2.7 port 22: Connection refused").  Called once, never from within
 * tw_dial_open(). */
typedef void tw_dial_done(void *arg, int fd, const struct tw_err *err);

/* Looks address up and tries what it stands for, one after the other, within
 * limit_ms for the look-up and limit_ms for all connects together. */
enum tw_status tw_dial_open(uv_loop_t *loop, const char *address, int port,
    int limit_ms, tw_dial_done *done, void *arg, struct tw_dial **out,
    struct tw_err *err);

/* Once done without a connection: did one of the addresses refuse it? */
bool tw_dial_was_refused(const struct tw_dial *d);

/* Gives up if not done yet, and lets go; memory is freed when the loop has
 * closed its handles.  NULL is fine. */
void tw_dial_close(struct tw_dial *d);

#endif
