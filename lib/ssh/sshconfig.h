/*
 * sshconfig.h - what ~/.ssh/config says of a host, asked of `ssh -G`
 */
#ifndef TW_SSH_SSHCONFIG_H
#define TW_SSH_SSHCONFIG_H

#include <stdbool.h>

#include "base/err.h"

struct tw_sshconfig {		/* strings owned; NULL: not set */
	char *hostname;
	char *user;
	int port;
	char *proxyjump;
	char *proxycommand;	/* with %h %p %r %n %% expanded */
	char **identities;	/* that exist; NULL-terminated; or NULL */
	bool has_certificate;	/* a certificate or FIDO key is configured:
				   only the ssh transport can use it */
};

/* Runs `ssh -G` for alias (a checked name or address), with user and port on
 * its command line where not NULL / 0.  file: another configuration file
 * (-F), or NULL.  TW_CONFIG with ssh's own words when it fails. */
enum tw_status tw_sshconfig_get(const char *alias, const char *user, int port,
    const char *file, struct tw_sshconfig *out, struct tw_err *err);
/* The decoder of `ssh -G` output alone (for tests and fuzzing). */
enum tw_status tw_sshconfig_parse(const char *text, struct tw_sshconfig *out,
    struct tw_err *err);
void tw_sshconfig_release(struct tw_sshconfig *c);

/* Makes an ed25519 key pair without passphrase at path and path.pub (0600),
 * by ssh-keygen; comment goes into it.  TW_CONFIG when it can't. */
enum tw_status tw_sshkey_make(const char *path, const char *comment,
    struct tw_err *err);

#endif
