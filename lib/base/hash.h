/*
 * hash.h - SHA-256, hexadecimal, random bytes (libcrypto and the kernel)
 */
#ifndef TW_BASE_HASH_H
#define TW_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define TW_SHA256_LEN 32
#define TW_SHA256_HEX 65	/* with the NUL */
#define TW_ID_HEX 33		/* a random 128-bit id in hex, with the NUL */

struct tw_sha256;		/* a running hash */

struct tw_sha256 *tw_sha256_new(void);			/* NULL: no memory */
void tw_sha256_add(struct tw_sha256 *h, const void *p, size_t n);
/* The digest of what was added so far; more may be added after. */
void tw_sha256_get(const struct tw_sha256 *h, uint8_t out[TW_SHA256_LEN]);
void tw_sha256_free(struct tw_sha256 *h);		/* NULL is fine */

/* In one go. */
void tw_sha256(const void *p, size_t n, uint8_t out[TW_SHA256_LEN]);
void tw_sha256_hex(const void *p, size_t n, char out[TW_SHA256_HEX]);

/* Lower case; out holds 2 * n + 1 bytes. */
void tw_hex(const void *p, size_t n, char *out);
/* False when s is not exactly 2 * n hexadecimal digits. */
int tw_unhex(const char *s, void *out, size_t n);

/* Fills p from the kernel's generator; aborts when there is none. */
void tw_random(void *p, size_t n);
void tw_random_id(char out[TW_ID_HEX]);

#endif
