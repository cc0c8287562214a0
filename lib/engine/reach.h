/*
 * reach.h - from a host of the state to a way to reach it
 *
 * Joins what the operator said of a host (address, port, user, jump, identity)
 * with what ~/.ssh/config says of it and the organisation's key.  A host that
 * was added behind a gate (own_config is false) is reached with the
 * organisation's key alone, and nothing of the owner's ~/.ssh: who may add
 * hosts must not get in with the keys of somebody else.
 */
#ifndef TW_ENGINE_REACH_H
#define TW_ENGINE_REACH_H

#include "model/successor.h"
#include "ssh/transport.h"

struct tw_reach {
	struct tw_ssh_target target;	/* strings owned by the reach */
	const struct tw_transport *transport;
	bool may_fall_back;	/* "auto": try `ssh` when libssh2 can't */
	bool sudo;
	/* private */
	char *alias, *address, *user, *via, *command, *hostkey, *known_hosts;
	char **identities;
};

/* What `ssh -G` says of address (with user and port where given, else NULL and
 * 0) as the JSON text stored with a host; malloc'd.  TW_CONFIG with ssh's own
 * words when it refuses. */
enum tw_status tw_reach_config(const char *address, const char *user, int port,
    char **json, struct tw_err *err);

/* Fills h->user and h->port from h->sshconfig where they were not given; without
 * one they are the caller's own login and 22. */
enum tw_status tw_reach_defaults(struct tw_host *h, struct tw_err *err);

/* h->sshconfig is asked for again when ~/.ssh/config is newer than it.  agent:
 * try ssh-agent too (a person waits at a terminal).  Without own_config neither
 * is done. */
enum tw_status tw_reach_make(struct tw_store *s, const struct tw_host *h,
    bool agent, struct tw_reach *out, struct tw_err *err);
/* The same with another login: the successor's where that says something, else
 * the host's. */
enum tw_status tw_reach_make_as(struct tw_store *s, const struct tw_host *h,
    const struct tw_successor *login, bool agent, struct tw_reach *out,
    struct tw_err *err);
void tw_reach_release(struct tw_reach *r);

#endif
