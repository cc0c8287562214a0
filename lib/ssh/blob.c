/* blob.c - base64, and the length-prefixed strings of SSH; see blob.h */
#include "ssh/blob.h"

#include <string.h>

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool tw_blob_u32(struct tw_blob *b, uint32_t *out)
{
	if (b->n < 4)
		return false;
	*out = (uint32_t)b->p[0] << 24 | (uint32_t)b->p[1] << 16 |
	    (uint32_t)b->p[2] << 8 | b->p[3];
	b->p += 4;
	b->n -= 4;
	return true;
}

bool tw_blob_string(struct tw_blob *b, struct tw_blob *out)
{
	struct tw_blob rest = *b;
	uint32_t n;

	if (!tw_blob_u32(&rest, &n) || n > rest.n)
		return false;
	out->p = rest.p;
	out->n = n;
	b->p = rest.p + n;
	b->n = rest.n - n;
	return true;
}

bool tw_blob_is(const struct tw_blob *b, const char *s)
{
	size_t n = strlen(s);

	return b->n == n && memcmp(b->p, s, n) == 0;
}

bool tw_blob_add_u32(struct tw_buf *out, uint32_t v)
{
	const uint8_t b[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16),
		(uint8_t)(v >> 8), (uint8_t)v };

	return tw_buf_add(out, b, sizeof b);
}

bool tw_blob_add_string(struct tw_buf *out, const void *p, size_t n)
{
	return tw_blob_add_u32(out, (uint32_t)n) && tw_buf_add(out, p, n);
}

bool tw_blob_decode(const char *s, size_t n, struct tw_buf *out)
{
	uint32_t bits = 0;
	unsigned count = 0, pad = 0;
	const char *at;
	size_t i;

	for (i = 0; i < n; i++) {
		if (s[i] == '\0')
			return false;
		if (strchr(" \t\r\n", s[i]))
			continue;
		if (s[i] == '=') {
			pad++;
			continue;
		}
		at = strchr(alphabet, s[i]);
		if (!at || pad > 0)
			return false;
		bits = bits << 6 | (uint32_t)(at - alphabet);
		if (++count % 4 != 0)
			continue;
		tw_buf_addc(out, (char)(bits >> 16 & 0xff));
		tw_buf_addc(out, (char)(bits >> 8 & 0xff));
		tw_buf_addc(out, (char)(bits & 0xff));
	}
	count %= 4;
	if (count == 1 || pad != (4 - count) % 4)
		return false;
	if (count >= 2)
		tw_buf_addc(out, (char)(bits >> (count == 2 ? 4 : 10) & 0xff));
	if (count == 3)
		tw_buf_addc(out, (char)(bits >> 2 & 0xff));
	return !out->failed;
}

bool tw_blob_encode(const void *p, size_t n, struct tw_buf *out)
{
	const uint8_t *b = p;
	uint32_t bits;
	size_t i, left;

	for (i = 0; i < n; i += 3) {
		left = n - i;
		bits = (uint32_t)b[i] << 16;
		if (left > 1)
			bits |= (uint32_t)b[i + 1] << 8;
		if (left > 2)
			bits |= b[i + 2];
		tw_buf_addc(out, alphabet[bits >> 18]);
		tw_buf_addc(out, alphabet[bits >> 12 & 63]);
		tw_buf_addc(out, left > 1 ? alphabet[bits >> 6 & 63] : '=');
		tw_buf_addc(out, left > 2 ? alphabet[bits & 63] : '=');
	}
	return !out->failed;
}
