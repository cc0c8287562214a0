/*
 * hostkey.h - a host's public key: reading it once, its fingerprint
 */
#ifndef TW_SSH_HOSTKEY_H
#define TW_SSH_HOSTKEY_H

#include "base/buf.h"
#include "ssh/transport.h"

#define TW_FINGERPRINT_MAX 64	/* "SHA256:" + 43 characters + NUL */
#define TW_HOSTKEY_TYPE_MAX 64	/* a type's name, NUL included */

/* "SHA256:…" of a key given as "TYPE BASE64"; TW_USAGE when it is not one. */
enum tw_status tw_hostkey_fingerprint(const char *key,
    char out[TW_FINGERPRINT_MAX], struct tw_err *err);

/* Takes a key "TYPE BASE64" (a comment may follow) apart: its type, and its
 * bytes, appended to blob, whose own type must be the same.  TW_USAGE when it
 * is not one, TW_NOMEM when that can't be told. */
enum tw_status tw_hostkey_decode(const char *key,
    char type[TW_HOSTKEY_TYPE_MAX], struct tw_buf *blob, struct tw_err *err);

/* The other way: appends "TYPE BASE64" for the bytes of a key, and writes its
 * fingerprint.  TW_DATA when they are not a key. */
enum tw_status tw_hostkey_encode(const void *blob, size_t n,
    struct tw_buf *key, char fingerprint[TW_FINGERPRINT_MAX],
    struct tw_err *err);

/* Connects, reads the key the host shows, and leaves (target->hostkey is not
 * looked at).  *key: "TYPE BASE64", the caller frees; *transport: the one that
 * can speak to the host ("libssh2", else "ssh"); wanted may force one of them
 * ("auto" or NULL: choose).  Synchronous, on a loop of its own, within the
 * limits of transport.h.  TW_AGAIN when it can't be reached, TW_DENIED when a
 * jump host refuses, TW_CONFIG when the wanted transport can't speak to it. */
enum tw_status tw_hostkey_learn(const struct tw_ssh_target *target,
    const char *wanted, char **key, const char **transport,
    struct tw_err *err);

#endif
