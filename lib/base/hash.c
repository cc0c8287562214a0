/*
 * hash.c - SHA-256, hexadecimal, random bytes; see hash.h
 *
 * libcrypto's SHA256_* calls are used, not EVP: they need no memory and no
 * provider, so a digest cannot fail, and a tool that hashes one short text
 * does not pay for loading libcrypto's configuration.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/hash.h"

#include <errno.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct tw_sha256 {
	SHA256_CTX ctx;
};

struct tw_sha256 *tw_sha256_new(void)
{
	struct tw_sha256 *h = malloc(sizeof *h);

	if (h)
		SHA256_Init(&h->ctx);
	return h;
}

void tw_sha256_add(struct tw_sha256 *h, const void *p, size_t n)
{
	if (n)
		SHA256_Update(&h->ctx, p, n);
}

void tw_sha256_get(const struct tw_sha256 *h, uint8_t out[TW_SHA256_LEN])
{
	SHA256_CTX copy = h->ctx;

	SHA256_Final(out, &copy);
}

void tw_sha256_free(struct tw_sha256 *h)
{
	free(h);
}

void tw_sha256(const void *p, size_t n, uint8_t out[TW_SHA256_LEN])
{
	struct tw_sha256 h;

	SHA256_Init(&h.ctx);
	tw_sha256_add(&h, p, n);
	SHA256_Final(out, &h.ctx);
}

void tw_sha256_hex(const void *p, size_t n, char out[TW_SHA256_HEX])
{
	uint8_t digest[TW_SHA256_LEN];

	tw_sha256(p, n, digest);
	tw_hex(digest, sizeof digest, out);
}

void tw_hex(const void *p, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *b = p;
	size_t i;

	for (i = 0; i < n; i++) {
		out[2 * i] = digits[b[i] >> 4];
		out[2 * i + 1] = digits[b[i] & 15];
	}
	out[2 * n] = '\0';
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int tw_unhex(const char *s, void *out, size_t n)
{
	uint8_t *b = out;
	size_t i;
	int hi, lo;

	if (strlen(s) != 2 * n)
		return 0;
	for (i = 0; i < n; i++) {
		hi = digit(s[2 * i]);
		lo = digit(s[2 * i + 1]);
		if (hi < 0 || lo < 0)
			return 0;
		b[i] = (uint8_t)(hi << 4 | lo);
	}
	return 1;
}

void tw_random(void *p, size_t n)
{
	char *at = p;
	ssize_t got;

	while (n > 0) {
		got = getrandom(at, n, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			abort();
		at += got;
		n -= (size_t)got;
	}
}

void tw_random_id(char out[TW_ID_HEX])
{
	uint8_t id[(TW_ID_HEX - 1) / 2];

	tw_random(id, sizeof id);
	tw_hex(id, sizeof id, out);
}
