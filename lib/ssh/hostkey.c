/*
 * hostkey.c - a host's public key: its forms, reading it once; see hostkey.h
 *
 * libssh2 is asked first; where it has nothing in common with the host, `ssh`
 * reads the key into a temporary known_hosts file, without trying to log in.
 */
#include "ssh/hostkey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/io.h"
#include "ssh/blob.h"
#include "ssh/identity.h"
#include "ssh/libssh2_link.h"
#include "ssh/pipes.h"
#include "ssh/sshargs.h"

#define ALIAS "towerify-learn"
#define KEY_MAX 65536		/* characters of base64 */

static enum tw_status not_a_key(struct tw_err *err)
{
	return tw_err_set(err, TW_USAGE, "not a public host key (\"TYPE "
	    "BASE64\")");
}

/* What a type's name may hold, so that it can pass a command line. */
static bool type_ok(const char *type, size_t n)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@.-";

	return n > 0 && n < TW_HOSTKEY_TYPE_MAX && type[0] != '-' &&
	    memchr(type, '\0', n) == NULL && strspn(type, chars) >= n;
}

enum tw_status tw_hostkey_decode(const char *key,
    char type[TW_HOSTKEY_TYPE_MAX], struct tw_buf *blob, struct tw_err *err)
{
	struct tw_buf raw = TW_BUF_INIT;
	enum tw_status st = TW_OK;
	struct tw_blob rest, inner;
	size_t n = strcspn(key, " ");
	const char *data;

	if (key[n] != ' ' || !type_ok(key, n))
		return not_a_key(err);
	memcpy(type, key, n);
	type[n] = '\0';
	data = key + n + 1;
	n = strcspn(data, " \n");
	if (n > KEY_MAX || !tw_blob_decode(data, n, &raw) || raw.len == 0) {
		st = raw.failed ? tw_err_nomem(err) : not_a_key(err);
		tw_buf_release(&raw);
		return st;
	}
	rest.p = (const uint8_t *)raw.data;
	rest.n = raw.len;
	if (!tw_blob_string(&rest, &inner) || !tw_blob_is(&inner, type) ||
	    rest.n == 0)
		st = not_a_key(err);
	else if (!tw_buf_add(blob, raw.data, raw.len))
		st = tw_err_nomem(err);
	tw_buf_release(&raw);
	return st;
}

enum tw_status tw_hostkey_encode(const void *blob, size_t n,
    struct tw_buf *key, char fingerprint[TW_FINGERPRINT_MAX],
    struct tw_err *err)
{
	struct tw_blob rest = { blob, n }, type;
	struct tw_buf b = TW_BUF_INIT;
	uint8_t digest[TW_SHA256_LEN];
	enum tw_status st = TW_OK;
	char name[TW_HOSTKEY_TYPE_MAX];

	if (!tw_blob_string(&rest, &type) || rest.n == 0 ||
	    type.n >= sizeof name)
		return tw_err_set(err, TW_DATA, "the host's key is malformed");
	memcpy(name, type.p, type.n);
	name[type.n] = '\0';
	if (!type_ok(name, type.n))
		return tw_err_set(err, TW_DATA, "the host's key is malformed");
	tw_buf_addf(key, "%s ", name);
	tw_blob_encode(blob, n, key);
	tw_sha256(blob, n, digest);
	tw_blob_encode(digest, sizeof digest, &b);
	if (key->failed || b.failed || b.len < 43)
		st = tw_err_nomem(err);
	else
		snprintf(fingerprint, TW_FINGERPRINT_MAX, "SHA256:%.43s",
		    b.data);
	tw_buf_release(&b);
	return st;
}

enum tw_status tw_hostkey_fingerprint(const char *key,
    char out[TW_FINGERPRINT_MAX], struct tw_err *err)
{
	struct tw_buf blob = TW_BUF_INIT, again = TW_BUF_INIT;
	char type[TW_HOSTKEY_TYPE_MAX];
	enum tw_status st;

	out[0] = '\0';
	st = tw_hostkey_decode(key, type, &blob, err);
	if (st == TW_OK)
		st = tw_hostkey_encode(blob.data, blob.len, &again, out, err);
	tw_buf_release(&blob);
	tw_buf_release(&again);
	return st;
}

/* ---- learning ---- */

struct learning {
	struct tw_link *link;
	char *key;
	enum tw_link_end end;
	struct tw_err err;
};

static void learn_ended(void *arg, enum tw_link_end end,
    const struct tw_err *err)
{
	struct learning *k = arg;

	k->end = end;
	if (err)
		k->err = *err;
	else if (!(k->key = tw_buf_detach(&k->link->learned)))
		tw_err_nomem(&k->err);
	tw_transport_libssh2.close(k->link);
}

/* *end says why there is no key, when the status is not TW_OK. */
static enum tw_status learn_libssh2(const struct tw_ssh_target *t, char **key,
    enum tw_link_end *end, struct tw_err *err)
{
	static const struct tw_link_events events =
	    { NULL, NULL, NULL, learn_ended };
	struct learning k;
	enum tw_status st;
	uv_loop_t loop;
	int r;

	memset(&k, 0, sizeof k);
	*end = TW_LINK_TEMPORARY;
	r = uv_loop_init(&loop);
	if (r != 0)
		return tw_err_set(err, TW_AGAIN, "cannot make an event loop: "
		    "%s", uv_strerror(r));
	st = tw_l2_open(&loop, t, NULL, &events, &k, &k.link, err);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	if (st != TW_OK)
		return st;
	*end = k.end;
	*key = k.key;
	if (!k.key && err)
		*err = k.err;
	return k.key ? TW_OK : k.err.status;
}

/* Takes "ALIAS TYPE BASE64" out of what ssh wrote. */
static enum tw_status key_of_file(const char *path, char **key,
    struct tw_err *err)
{
	static const char prefix[] = ALIAS " ";
	struct tw_buf text = TW_BUF_INIT;
	enum tw_status st;
	const char *line;

	text.max = 65536;
	st = tw_io_read_file(path, &text, err);
	line = strstr(tw_buf_str(&text), prefix);
	if (st == TW_OK && !line)
		st = tw_err_set(err, TW_AGAIN, "ssh read no host key");
	if (st == TW_OK) {
		line += sizeof prefix - 1;
		*key = strndup(line, strcspn(line, "\r\n"));
		if (!*key)
			st = tw_err_nomem(err);
	}
	tw_buf_release(&text);
	return st;
}

static void learn_argv(const struct tw_ssh_target *t, const char *path,
    struct tw_argv *a)
{
	tw_argv_add(a, "-o");
	tw_argv_add(a, "StrictHostKeyChecking=accept-new");
	tw_argv_add(a, "-o");
	tw_argv_add(a, "UserKnownHostsFile=\"%s\"", path);
	tw_argv_add(a, "-o");
	tw_argv_add(a, "HostKeyAlias=" ALIAS);
	tw_argv_add(a, "-o");
	tw_argv_add(a, "HashKnownHosts=no");
	tw_argv_add(a, "-o");
	tw_argv_add(a, "PreferredAuthentications=none");
	tw_sshargs_dest(t, a);
	tw_argv_add(a, "exit");
}

static enum tw_status learn_ssh(const struct tw_ssh_target *t, char **key,
    struct tw_err *err)
{
	struct tw_buf words = TW_BUF_INIT;
	struct tw_argv argv = { 0 };
	char *path = NULL;
	enum tw_status st;
	int status;

	words.max = 65536;
	st = tw_sshargs_check(t, err);
	if (st == TW_OK)
		st = tw_sshargs_temp("", 0, &path, err);
	if (st == TW_OK)
		st = tw_sshargs_base(t, &argv, err);
	if (st != TW_OK)
		goto out;
	learn_argv(t, path, &argv);
	if (argv.failed) {
		st = tw_err_nomem(err);
		goto out;
	}
	st = tw_pipes_run((const char *const *)argv.v,
	    tw_link_limit(TW_LINK_CONNECT) +
	    tw_link_limit(TW_LINK_LOGIN), NULL, &words, &status, err);
	/* A refused login is what must come; only the file tells. */
	if (st == TW_OK && key_of_file(path, key, err) != TW_OK) {
		tw_sshargs_verdict(W_("cannot read the host key"),
		    tw_buf_str(&words), t->name, err);
		st = err ? err->status : TW_AGAIN;
	}
out:
	if (path)
		unlink(path);
	free(path);
	tw_argv_release(&argv);
	tw_buf_release(&words);
	return st;
}

/* Whether some identity is one that libssh2 can log in with; one that can't be
 * read just now may be. */
static bool libssh2_can_login(const struct tw_ssh_target *t)
{
	enum tw_identity_kind kind;
	const char *const *id;

	if (t->use_agent || !t->identities || !t->identities[0])
		return true;
	for (id = t->identities; *id; id++) {
		kind = tw_identity_inspect(*id);
		if (kind == TW_IDENTITY_PLAIN || kind == TW_IDENTITY_FAILED)
			return true;
	}
	return false;
}

enum tw_status tw_hostkey_learn(const struct tw_ssh_target *target,
    const char *wanted, char **key, const char **transport,
    struct tw_err *err)
{
	bool automatic = !wanted || strcmp(wanted, "auto") == 0;
	enum tw_link_end end;
	enum tw_status st;
	struct tw_err mine;

	if (!err)
		err = &mine;
	*key = NULL;
	*transport = "libssh2";
	if (automatic && !libssh2_can_login(target))
		*transport = "ssh";
	if (!automatic && strcmp(wanted, "ssh") == 0) {
		*transport = "ssh";
		return learn_ssh(target, key, err);
	}
	st = learn_libssh2(target, key, &end, err);
	if (st == TW_OK || !automatic || end != TW_LINK_UNSUPPORTED)
		return st;
	*transport = "ssh";
	return learn_ssh(target, key, err);
}
