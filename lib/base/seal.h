/*
 * seal.h - secrets at rest and in memory: a key file, sealing, a keyed hash,
 *          wiping (libsodium)
 *
 * The key is 32 random bytes in a file of its own.  What is sealed is bound to
 * a context (what it is, of what), so that one sealed text put in the place of
 * another does not open.  XChaCha20-Poly1305; a format byte and a mark of the
 * key stand before it, so that a wrong key is told from a changed text.
 */
#ifndef TW_BASE_SEAL_H
#define TW_BASE_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define TW_SEAL_KEY_LEN 32	/* bytes of the key file */
#define TW_SEAL_HASH_LEN 32
/* Bytes that sealing adds: format, mark of the key, nonce, tag. */
#define TW_SEAL_EXTRA (1 + 8 + 24 + 16)

struct tw_seal;			/* a key, in memory that is never swapped */

/* Reads the key of path, whose directory must exist.  TW_CONFIG: it is not a
 * plain file of ours alone (owner, mode 0600, one link) of that length, or
 * can't be read; TW_NO: there is none ("PATH is gone").  From then on the
 * process leaves no core file (tw_seal_hold).  For tw_seal_free(). */
enum tw_status tw_seal_load(const char *path, struct tw_seal **out,
    struct tw_err *err);
/* The same; where there is none it is made first: whole under another name,
 * synced, renamed.  Of two who come at once one makes it. */
enum tw_status tw_seal_make(const char *path, struct tw_seal **out,
    struct tw_err *err);
void tw_seal_free(struct tw_seal *s);		/* NULL is fine */

/* Appends p, sealed for context (a text), to out. */
enum tw_status tw_seal_close(const struct tw_seal *s, const char *context,
    const void *p, size_t n, struct tw_buf *out, struct tw_err *err);
/* Appends what was sealed to out, whose is_secret should be set.  TW_CONFIG:
 * sealed with another key, or changed since, or for another context. */
enum tw_status tw_seal_open(const struct tw_seal *s, const char *context,
    const void *p, size_t n, struct tw_buf *out, struct tw_err *err);

/* BLAKE2b with this key: the same for the same bytes, and nobody without the
 * key can try values against it. */
void tw_seal_hash(const struct tw_seal *s, const void *p, size_t n,
    uint8_t out[TW_SEAL_HASH_LEN]);

/* To be called before a secret comes into the process: no core file from now
 * on, and no other process of the same user may look into its memory. */
void tw_seal_hold(void);
/* Overwrites, in a way that no compiler leaves out; NULL with 0 is fine. */
void tw_seal_wipe(void *p, size_t n);

#endif
