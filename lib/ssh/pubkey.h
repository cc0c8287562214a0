/*
 * pubkey.h - an operator's public key, as ssh-keygen writes it, and whether a
 *            line of authorized_keys holds it
 *
 * What is read here becomes a line that lets somebody in, so anything but one
 * plain key is refused: no options, no second line, no private key.
 */
#ifndef TW_SSH_PUBKEY_H
#define TW_SSH_PUBKEY_H

#include "ssh/hostkey.h"

#define TW_PUBKEY_FILE_MAX 16384	/* bytes; RSA with 16384 bits has 2.8k */

struct tw_pubkey {		/* release with tw_pubkey_release() */
	char *key;		/* "TYPE BASE64" */
	char *comment;		/* or NULL */
	char fingerprint[TW_FINGERPRINT_MAX];
};

/* The one OpenSSH public key that the n bytes hold: ssh-ed25519, ssh-rsa,
 * ecdsa-sha2-nistp256, 384, 521, and their security key kinds.  The comment is
 * printable ASCII without quotes and backslashes.  TW_DATA otherwise; name, of
 * the file, is for messages, which never hold anything of a private key. */
enum tw_status tw_pubkey_read(const char *name, const char *p, size_t n,
    struct tw_pubkey *out, struct tw_err *err);
void tw_pubkey_release(struct tw_pubkey *k);

/* Does the line of an authorized_keys hold the same key?  *options is the
 * length of what stands before it, without the blanks.  TW_NOMEM. */
enum tw_status tw_pubkey_in_line(const struct tw_pubkey *k, const char *line,
    size_t n, bool *is_in, size_t *options, struct tw_err *err);

#endif
