/*
 * sshargs.h - how the programs ssh and sh are called, and what ssh's last words
 * mean
 */
#ifndef TW_SSH_SSHARGS_H
#define TW_SSH_SSHARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "ssh/transport.h"

struct tw_argv {		/* zeroed: empty */
	char **v;		/* NULL-terminated; owned */
	size_t n;
	bool failed;		/* no memory */
};

void tw_argv_add(struct tw_argv *a, const char *fmt, ...) TW_PRINTF(2, 3);
void tw_argv_release(struct tw_argv *a);

/* TW_USAGE when a part of the target does not keep to its grammar (base/name.h)
 * and so must not come near a command line. */
enum tw_status tw_sshargs_check(const struct tw_ssh_target *t,
    struct tw_err *err);

/* The program whose standard input and output are the way to the target's
 * sshd: for via an `ssh -W`, else `sh -c` with the proxy command. */
enum tw_status tw_sshargs_proxy(const struct tw_ssh_target *t,
    struct tw_argv *a, struct tw_err *err);

/* Adds what each call of ssh for the target has: no questions, no sharing, no
 * forwarding, the limits, address, port, user, identities, the way there.
 * The caller adds the host key options, then tw_sshargs_dest(). */
enum tw_status tw_sshargs_base(const struct tw_ssh_target *t,
    struct tw_argv *a, struct tw_err *err);
void tw_sshargs_dest(const struct tw_ssh_target *t, struct tw_argv *a);

/* Makes a temporary file, 0600, with n bytes; *path is the caller's to unlink
 * and free. */
enum tw_status tw_sshargs_temp(const void *p, size_t n, char **path,
    struct tw_err *err);

/* What an ssh that failed with this text on stderr means.  Fills err: "WHAT:
 * last line", with a hint where a person must act. */
enum tw_link_end tw_sshargs_verdict(const char *what, const char *text,
    const char *name, struct tw_err *err);

/* The same of the ssh that was to log in to t itself, and so tells also whether
 * it was t that refused; of its port only where there is nothing between. */
enum tw_link_end tw_sshargs_verdict_of(const struct tw_ssh_target *t,
    const char *text, struct tw_err *err);

/* The hint for a changed host key. */
void tw_sshargs_hint_changed(struct tw_err *err, const char *name);

#endif
