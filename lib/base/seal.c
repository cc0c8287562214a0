/*
 * seal.c - secrets at rest and in memory; see seal.h
 *
 * The file's key seals nothing itself: one key is derived for sealing, one for
 * hashing, and a mark that names the key without telling of it.
 */
#include "base/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

#define FORMAT 1
#define MARK_LEN 8
#define NONCE_LEN crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_LEN crypto_aead_xchacha20poly1305_ietf_ABYTES

static const char kdf_context[crypto_kdf_CONTEXTBYTES + 1] = "towerify";
enum { KDF_SEAL = 1, KDF_HASH, KDF_MARK };

struct tw_seal {		/* from sodium_malloc() */
	uint8_t seal[crypto_aead_xchacha20poly1305_ietf_KEYBYTES];
	uint8_t hash[crypto_generichash_KEYBYTES];
	uint8_t mark[16];	/* the least that can be derived */
};

_Static_assert(TW_SEAL_EXTRA == 1 + MARK_LEN + NONCE_LEN + TAG_LEN,
    "the header says what sealing adds");
_Static_assert(TW_SEAL_KEY_LEN == crypto_kdf_KEYBYTES,
    "the file holds a key to derive from");

void tw_seal_hold(void)
{
	/* it can fail in no way that could be answered */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void tw_seal_wipe(void *p, size_t n)
{
	if (n)
		explicit_bzero(p, n);
}

/* --- the key file -------------------------------------------------------- */

static enum tw_status check_file(int fd, const char *path, struct tw_err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return tw_err_sys(err, TW_CONFIG, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return tw_err_set(err, TW_CONFIG, "%s: is not a file", path);
	if (st.st_uid != geteuid())
		return tw_err_set(err, TW_CONFIG,
		    "%s: belongs to another user (uid %lu)", path,
		    (unsigned long)st.st_uid);
	if (st.st_mode & 077) {
		tw_err_set(err, TW_CONFIG, "%s: is open to others (mode %04o)",
		    path, (unsigned)(st.st_mode & 07777));
		tw_err_hint(err, "chmod go= '%s'", path);
		return TW_CONFIG;
	}
	if (st.st_nlink != 1)
		return tw_err_set(err, TW_CONFIG,
		    "%s: has %lu hard links instead of one", path,
		    (unsigned long)st.st_nlink);
	if (st.st_size != TW_SEAL_KEY_LEN)
		return tw_err_set(err, TW_CONFIG,
		    "%s: has %lld bytes instead of %d", path,
		    (long long)st.st_size, TW_SEAL_KEY_LEN);
	return TW_OK;
}

static enum tw_status read_key(const char *path,
    uint8_t key[TW_SEAL_KEY_LEN], struct tw_err *err)
{
	struct tw_buf b = { .max = TW_SEAL_KEY_LEN, .is_secret = true };
	enum tw_status status;
	int fd;

	/* O_NONBLOCK: a FIFO must not make it wait */
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return tw_err_set(err, TW_NO, "%s is gone", path);
	if (fd < 0 && errno == ELOOP)
		return tw_err_set(err, TW_CONFIG, "%s: is a symbolic link, "
		    "which is not accepted here", path);
	if (fd < 0)
		return tw_err_sys(err, TW_CONFIG, errno, "%s", path);
	status = check_file(fd, path, err);
	if (status == TW_OK)
		status = tw_io_read_fd(fd, path, &b, err);
	if (status == TW_OK && b.len != TW_SEAL_KEY_LEN)
		status = tw_err_set(err, TW_CONFIG, "%s: was cut short", path);
	if (status == TW_OK)
		memcpy(key, b.data, TW_SEAL_KEY_LEN);
	tw_buf_release(&b);
	close(fd);
	return status;
}

static enum tw_status derive(const uint8_t key[TW_SEAL_KEY_LEN],
    struct tw_seal **out, struct tw_err *err)
{
	struct tw_seal *s = sodium_malloc(sizeof *s);

	if (!s)
		return tw_err_nomem(err);
	crypto_kdf_derive_from_key(s->seal, sizeof s->seal, KDF_SEAL,
	    kdf_context, key);
	crypto_kdf_derive_from_key(s->hash, sizeof s->hash, KDF_HASH,
	    kdf_context, key);
	crypto_kdf_derive_from_key(s->mark, sizeof s->mark, KDF_MARK,
	    kdf_context, key);
	sodium_mprotect_readonly(s);
	*out = s;
	return TW_OK;
}

enum tw_status tw_seal_load(const char *path, struct tw_seal **out,
    struct tw_err *err)
{
	uint8_t key[TW_SEAL_KEY_LEN];
	enum tw_status status;

	*out = NULL;
	if (sodium_init() < 0)
		return tw_err_set(err, TW_BUG, "libsodium can't be used here");
	tw_seal_hold();
	status = read_key(path, key, err);
	if (status == TW_OK)
		status = derive(key, out, err);
	tw_seal_wipe(key, sizeof key);
	return status;
}

/* The directory is locked: whoever comes second finds the file. */
static enum tw_status make_locked(const char *path, struct tw_err *err)
{
	uint8_t key[TW_SEAL_KEY_LEN];
	enum tw_status status;
	struct stat st;

	if (lstat(path, &st) == 0)
		return TW_OK;
	if (errno != ENOENT)
		return tw_err_sys(err, TW_CONFIG, errno, "%s", path);
	crypto_kdf_keygen(key);
	status = tw_io_write_file(path, key, sizeof key, 0600, err);
	tw_seal_wipe(key, sizeof key);
	return status;
}

static enum tw_status make(const char *path, struct tw_err *err)
{
	const char *slash = strrchr(path, '/');
	enum tw_status status = TW_OK;
	char *dir;
	int fd;

	dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	if (!dir)
		return tw_err_nomem(err);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		status = tw_err_sys(err, TW_CONFIG, errno, "%s", dir);
	while (fd >= 0 && status == TW_OK && flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			status = tw_err_sys(err, TW_CONFIG, errno,
			    "%s: cannot lock", dir);
	if (status == TW_OK)
		status = make_locked(path, err);
	if (fd >= 0)
		close(fd);
	free(dir);
	return status;
}

enum tw_status tw_seal_make(const char *path, struct tw_seal **out,
    struct tw_err *err)
{
	struct tw_err why = { 0 };
	enum tw_status status = tw_seal_load(path, out, &why);

	if (status != TW_NO) {
		if (status != TW_OK && err)
			*err = why;
		return status;
	}
	status = make(path, err);
	return status == TW_OK ? tw_seal_load(path, out, err) : status;
}

void tw_seal_free(struct tw_seal *s)
{
	sodium_free(s);		/* wipes */
}

/* --- sealing --------------------------------------------------------------- */

enum tw_status tw_seal_close(const struct tw_seal *s, const char *context,
    const void *p, size_t n, struct tw_buf *out, struct tw_err *err)
{
	uint8_t *at;

	if (!tw_buf_reserve(out, n + TW_SEAL_EXTRA))
		return tw_buf_check(out, err);
	at = (uint8_t *)out->data + out->len;
	*at++ = FORMAT;
	memcpy(at, s->mark, MARK_LEN);
	at += MARK_LEN;
	randombytes_buf(at, NONCE_LEN);
	crypto_aead_xchacha20poly1305_ietf_encrypt(at + NONCE_LEN, NULL,
	    p ? p : "", n, (const uint8_t *)context, strlen(context), NULL, at,
	    s->seal);
	out->len += n + TW_SEAL_EXTRA;
	out->data[out->len] = '\0';
	return TW_OK;
}

enum tw_status tw_seal_open(const struct tw_seal *s, const char *context,
    const void *p, size_t n, struct tw_buf *out, struct tw_err *err)
{
	const uint8_t *at = p;
	size_t len;

	if (n < TW_SEAL_EXTRA || at[0] != FORMAT)
		return tw_err_set(err, TW_CONFIG, "is not what was sealed");
	if (memcmp(at + 1, s->mark, MARK_LEN) != 0)
		return tw_err_set(err, TW_CONFIG, "was sealed with another "
		    "key");
	at += 1 + MARK_LEN;
	len = n - TW_SEAL_EXTRA;
	if (!tw_buf_reserve(out, len))
		return tw_buf_check(out, err);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt((uint8_t *)out->data +
	    out->len, NULL, NULL, at + NONCE_LEN, len + TAG_LEN,
	    (const uint8_t *)context, strlen(context), at, s->seal) != 0)
		return tw_err_set(err, TW_CONFIG, "was changed since it was "
		    "sealed");
	out->len += len;
	out->data[out->len] = '\0';
	return TW_OK;
}

void tw_seal_hash(const struct tw_seal *s, const void *p, size_t n,
    uint8_t out[TW_SEAL_HASH_LEN])
{
	crypto_generichash(out, TW_SEAL_HASH_LEN, p ? p : "", n, s->hash,
	    sizeof s->hash);
}
