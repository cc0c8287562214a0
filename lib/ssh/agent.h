/*
 * agent.h - a client of ssh-agent
 *
 * Blocking, for a terminal only; no single answer is waited for longer than
 * TW_AGENT_LIMIT_MS.  libssh2's own client waits for ever.
 */
#ifndef TW_SSH_AGENT_H
#define TW_SSH_AGENT_H

#include <stdbool.h>

#include "base/buf.h"
#include "ssh/blob.h"

#define TW_AGENT_LIMIT_MS 5000

struct tw_agent;

/* Connects to SSH_AUTH_SOCK and asks for its keys; TW_NO when there is no
 * agent, TW_AGAIN when it doesn't answer. */
enum tw_status tw_agent_open(struct tw_agent **out, struct tw_err *err);
void tw_agent_close(struct tw_agent *a);	/* NULL is fine */

/* The next public key (valid until close), false after the last. */
bool tw_agent_next(struct tw_agent *a, struct tw_blob *key);

/* Lets the agent sign n bytes with that key; appends the signature, which is
 * a string (its type) and a string. */
enum tw_status tw_agent_sign(struct tw_agent *a, const struct tw_blob *key,
    const void *p, size_t n, struct tw_buf *out, struct tw_err *err);

#endif
