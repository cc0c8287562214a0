/*
 * identity.h - what kind of private key a file holds
 *
 * So that it is known without trying which transport can log in with it: the
 * libssh2 of Debian 12 signs with RSA by SHA-1 only, which current sshd
 * refuses, and knows neither certificates nor security keys.
 */
#ifndef TW_SSH_IDENTITY_H
#define TW_SSH_IDENTITY_H

#include <stdbool.h>

enum tw_identity_kind {
	TW_IDENTITY_MISSING,	/* no such file, or unreadable */
	TW_IDENTITY_FAILED,	/* could not be read just now: no descriptor
				   left, no memory, a disk that fails */
	TW_IDENTITY_PLAIN,	/* ed25519 or ECDSA: any transport */
	TW_IDENTITY_RSA,	/* only the ssh transport */
	TW_IDENTITY_FIDO,	/* security key: only the ssh transport */
	TW_IDENTITY_ENCRYPTED,	/* has a passphrase: only through an agent */
	TW_IDENTITY_OTHER,	/* not a key we know */
};

/* Looks into the file at path. */
enum tw_identity_kind tw_identity_inspect(const char *path);

/* Whether PATH-cert.pub is there, which ssh would use with it. */
bool tw_identity_has_certificate(const char *path);

#endif
