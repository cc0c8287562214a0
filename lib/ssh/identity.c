/*
 * identity.c - what kind of private key a file holds; see identity.h
 *
 * An OpenSSH key file names its cipher and holds its public key in the clear;
 * that suffices.  No secret is decoded beyond that, and what was read is wiped.
 */
#include "ssh/identity.h"

#include <stdio.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "ssh/blob.h"

#define KEY_FILE_MAX 65536	/* bytes; the largest RSA key is under 16 KiB */

static enum tw_identity_kind public_kind(const struct tw_blob *type)
{
	static const struct {
		const char *type;
		enum tw_identity_kind kind;
	} known[] = {
		{ "ssh-ed25519", TW_IDENTITY_PLAIN },
		{ "ecdsa-sha2-nistp256", TW_IDENTITY_PLAIN },
		{ "ecdsa-sha2-nistp384", TW_IDENTITY_PLAIN },
		{ "ecdsa-sha2-nistp521", TW_IDENTITY_PLAIN },
		{ "ssh-rsa", TW_IDENTITY_RSA },
		{ "sk-ssh-ed25519@openssh.com", TW_IDENTITY_FIDO },
		{ "sk-ecdsa-sha2-nistp256@openssh.com", TW_IDENTITY_FIDO },
	};
	size_t i;

	for (i = 0; i < sizeof known / sizeof known[0]; i++)
		if (tw_blob_is(type, known[i].type))
			return known[i].kind;
	return TW_IDENTITY_OTHER;
}

/* openssh-key-v1: magic, cipher, kdf, kdf options, count, public key, … */
static enum tw_identity_kind openssh_kind(const struct tw_buf *raw)
{
	static const char magic[] = "openssh-key-v1";	/* with its NUL */
	struct tw_blob b = { (const uint8_t *)raw->data, raw->len };
	struct tw_blob cipher, skip, key, type;
	enum tw_identity_kind kind;
	uint32_t count;

	if (b.n < sizeof magic || memcmp(b.p, magic, sizeof magic) != 0)
		return TW_IDENTITY_OTHER;
	b.p += sizeof magic;
	b.n -= sizeof magic;
	if (!tw_blob_string(&b, &cipher) || !tw_blob_string(&b, &skip) ||
	    !tw_blob_string(&b, &skip) || !tw_blob_u32(&b, &count) ||
	    !tw_blob_string(&b, &key) || !tw_blob_string(&key, &type))
		return TW_IDENTITY_OTHER;
	kind = public_kind(&type);
	if (kind != TW_IDENTITY_FIDO && !tw_blob_is(&cipher, "none"))
		return TW_IDENTITY_ENCRYPTED;
	return kind;
}

static enum tw_identity_kind text_kind(const char *text)
{
	static const char begin[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
	enum tw_identity_kind kind = TW_IDENTITY_OTHER;
	struct tw_buf raw = TW_BUF_INIT;
	const char *start, *end;

	if (strstr(text, "ENCRYPTED"))
		return TW_IDENTITY_ENCRYPTED;
	if (strstr(text, "-----BEGIN RSA PRIVATE KEY-----"))
		return TW_IDENTITY_RSA;
	if (strstr(text, "-----BEGIN EC PRIVATE KEY-----"))
		return TW_IDENTITY_PLAIN;
	start = strstr(text, begin);
	if (!start)
		return TW_IDENTITY_OTHER;
	start += sizeof begin - 1;
	end = strstr(start, "-----END");
	raw.max = KEY_FILE_MAX;
	if (end && tw_blob_decode(start, (size_t)(end - start), &raw))
		kind = openssh_kind(&raw);
	if (raw.data)
		explicit_bzero(raw.data, raw.cap);
	tw_buf_release(&raw);
	return kind;
}

enum tw_identity_kind tw_identity_inspect(const char *path)
{
	enum tw_identity_kind kind = TW_IDENTITY_MISSING;
	struct tw_buf text = TW_BUF_INIT;
	enum tw_status st;
	struct stat is;

	text.max = KEY_FILE_MAX;
	st = tw_io_read_file(path, &text, NULL);
	if (st == TW_OK)
		kind = text_kind(tw_buf_str(&text));
	else if (text.len)
		kind = TW_IDENTITY_OTHER;	/* too long */
	else if (stat(path, &is) == 0 && S_ISREG(is.st_mode) &&
	    access(path, R_OK) == 0)
		kind = TW_IDENTITY_FAILED;
	if (text.data)
		explicit_bzero(text.data, text.cap);
	tw_buf_release(&text);
	return kind;
}

bool tw_identity_has_certificate(const char *path)
{
	char cert[PATH_MAX];
	int n = snprintf(cert, sizeof cert, "%s-cert.pub", path);

	return n > 0 && (size_t)n < sizeof cert && access(cert, R_OK) == 0;
}
