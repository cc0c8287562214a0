/*
 * blob.h - base64, and the length-prefixed strings of SSH (RFC 4251)
 */
#ifndef TW_SSH_BLOB_H
#define TW_SSH_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct tw_blob {		/* what is left to read; not owned */
	const uint8_t *p;
	size_t n;
};

/* Takes a 32-bit number, or a string (32-bit length and bytes, which stay in
 * the blob's memory).  False when it is too short; nothing is taken then. */
bool tw_blob_u32(struct tw_blob *b, uint32_t *out);
bool tw_blob_string(struct tw_blob *b, struct tw_blob *out);
/* Whether the blob's bytes are exactly the text s. */
bool tw_blob_is(const struct tw_blob *b, const char *s);

bool tw_blob_add_u32(struct tw_buf *out, uint32_t v);
bool tw_blob_add_string(struct tw_buf *out, const void *p, size_t n);

/* Appends what n characters of base64 stand for; blanks and newlines between
 * them are skipped.  False when they are not base64, with its padding. */
bool tw_blob_decode(const char *s, size_t n, struct tw_buf *out);
/* Appends the base64 of n bytes, padded. */
bool tw_blob_encode(const void *p, size_t n, struct tw_buf *out);

#endif
