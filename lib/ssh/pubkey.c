/* pubkey.c - an operator's public key; see pubkey.h */
#include "ssh/pubkey.h"

#include <stdlib.h>
#include <string.h>

#include "ssh/blob.h"

#define BLANKS " \t"
#define COMMENT_MAX 256

/* What follows the type inside a key: so many strings, the first of a stated
 * length where it has but one. */
static const struct kind {
	const char *type;
	int strings;
	size_t first;		/* bytes; 0: any */
} kinds[] = {
	{ "ssh-ed25519", 1, 32 },
	{ "ecdsa-sha2-nistp256", 2, 0 },
	{ "ecdsa-sha2-nistp384", 2, 0 },
	{ "ecdsa-sha2-nistp521", 2, 0 },
	{ "ssh-rsa", 2, 0 },
	{ "sk-ssh-ed25519@openssh.com", 2, 32 },
	{ "sk-ecdsa-sha2-nistp256@openssh.com", 3, 0 },
};
#define NKINDS (sizeof kinds / sizeof *kinds)

struct word {
	const char *p;
	size_t n;
};

/* The next word of what is left; n 0: none. */
static struct word take_word(const char **at, const char *end)
{
	struct word w = { *at, 0 };

	while (w.p < end && strchr(BLANKS, *w.p))
		w.p++;
	while (w.p + w.n < end && !strchr(BLANKS, w.p[w.n]))
		w.n++;
	*at = w.p + w.n;
	return w;
}

static bool word_is(struct word w, const char *s)
{
	return w.n == strlen(s) && memcmp(w.p, s, w.n) == 0;
}

static const struct kind *find_kind(struct word w)
{
	size_t i;

	for (i = 0; i < NKINDS; i++)
		if (word_is(w, kinds[i].type))
			return &kinds[i];
	return NULL;
}

/* --- why it is none ------------------------------------------------------ */

static enum tw_status refuse(struct tw_err *err, const char *name,
    const char *what)
{
	return tw_err_set(err, TW_DATA, "%s: %s", name, what);
}

static bool begins(struct word w, const char *text)
{
	return w.n >= strlen(text) && memcmp(w.p, text, strlen(text)) == 0;
}

static bool holds(const char *p, size_t n, const char *text)
{
	return memmem(p, n, text, strlen(text)) != NULL;
}

/* Other things that people have in files beside their public key. */
static enum tw_status check_format(const char *name, const char *p, size_t n,
    struct tw_err *err)
{
	if (holds(p, n, "PRIVATE KEY-----") || holds(p, n, "PuTTY-User-Key-File")) {
		refuse(err, name, W_("this is a private key, which its owner "
		    "must not give away"));
		tw_err_hint(err, "the public key is wanted; ssh-keygen put "
		    "it beside, in a file whose name ends in .pub");
		return TW_DATA;
	}
	if (holds(p, n, "BEGIN SSH2 PUBLIC KEY") ||
	    holds(p, n, "BEGIN PUBLIC KEY") ||
	    holds(p, n, "BEGIN RSA PUBLIC KEY")) {
		refuse(err, name, W_("not in OpenSSH's format"));
		tw_err_hint(err, "ssh-keygen -i converts it; see -m there");
		return TW_DATA;
	}
	if (memchr(p, '\0', n))
		return refuse(err, name,
		    W_("holds NUL bytes, so it is no key"));
	return TW_OK;
}

/* The first word is no type that is taken. */
static enum tw_status refuse_first(const char *name, struct word first,
    const char *rest, const char *end, struct tw_err *err)
{
	struct word w;

	for (w = take_word(&rest, end); w.n; w = take_word(&rest, end))
		if (find_kind(w)) {
			refuse(err, name,
			    W_("there are options before the key"));
			tw_err_hint(err, "give the key alone; the tower "
			    "writes the options");
			return TW_DATA;
		}
	if (first.n < TW_HOSTKEY_TYPE_MAX && (begins(first, "ssh-") ||
	    begins(first, "ecdsa-") || begins(first, "sk-")))
		tw_err_set(err, TW_DATA, "%s: keys of type '%.*s' are not "
		    "taken", name, (int)first.n, first.p);
	else
		refuse(err, name, W_("not an OpenSSH public key "
		    "(\"TYPE BASE64 COMMENT\")"));
	tw_err_hint(err, "ssh-keygen -t ed25519 makes a key that is");
	return TW_DATA;
}

static enum tw_status check_comment(const char *name, struct word w,
    struct tw_err *err)
{
	size_t i;

	if (w.n > COMMENT_MAX)
		return tw_err_set(err, TW_DATA, "%s: the comment has more "
		    "than %d bytes", name, COMMENT_MAX);
	for (i = 0; i < w.n; i++)
		if ((w.p[i] < ' ' && w.p[i] != '\t') || w.p[i] > '~' ||
		    strchr("\"'`\\", w.p[i])) {
			refuse(err, name, W_("the comment holds a quote, a "
			    "backslash or what is not printable ASCII"));
			tw_err_hint(err, "the comment may go: keep the first "
			    "two words of the line");
			return TW_DATA;
		}
	return TW_OK;
}

/* --- what it is ------------------------------------------------------------ */

static bool has_its_parts(const struct kind *kind, struct tw_blob rest)
{
	struct tw_blob part;
	int i;

	for (i = 0; i < kind->strings; i++) {
		if (!tw_blob_string(&rest, &part) || part.n == 0)
			return false;
		if (i == 0 && kind->first && part.n != kind->first)
			return false;
	}
	return rest.n == 0;
}

static enum tw_status read_blob(const char *name, const struct kind *kind,
    struct word base64, struct tw_pubkey *out, struct tw_err *err)
{
	struct tw_buf raw = TW_BUF_INIT, key = TW_BUF_INIT;
	struct tw_blob rest, type;
	enum tw_status st = TW_OK;

	if (base64.n == 0)
		return tw_err_set(err, TW_DATA, "%s: after %s the key itself "
		    "is missing", name, kind->type);
	if (!tw_blob_decode(base64.p, base64.n, &raw)) {
		st = raw.failed ? tw_err_nomem(err) :
		    refuse(err, name, W_("the key is not base64: was it cut or "
		    "broken when it was copied?"));
		goto out;
	}
	rest.p = (const uint8_t *)raw.data;
	rest.n = raw.len;
	if (!tw_blob_string(&rest, &type))
		st = refuse(err, name, W_("the key is cut short"));
	else if (!tw_blob_is(&type, kind->type))
		st = tw_err_set(err, TW_DATA, "%s: the key is called %s but "
		    "is of another type", name, kind->type);
	else if (!has_its_parts(kind, rest))
		st = refuse(err, name, W_("the key is cut short, or damaged"));
	if (!st)
		st = tw_hostkey_encode(raw.data, raw.len, &key,
		    out->fingerprint, err);
	if (!st && !(out->key = tw_buf_detach(&key)))
		st = tw_err_nomem(err);
out:
	tw_buf_release(&raw);
	tw_buf_release(&key);
	return st;
}

static enum tw_status read_line(const char *name, const char *line,
    const char *end, struct tw_pubkey *out, struct tw_err *err)
{
	struct word first = take_word(&line, end), base64, comment;
	const struct kind *kind = find_kind(first);
	enum tw_status st;

	if (!kind)
		return refuse_first(name, first, line, end, err);
	base64 = take_word(&line, end);
	comment = take_word(&line, end);
	while (end > comment.p && strchr(BLANKS, end[-1]))
		end--;
	comment.n = (size_t)(end - comment.p);
	st = check_comment(name, comment, err);
	if (!st)
		st = read_blob(name, kind, base64, out, err);
	if (!st && comment.n &&
	    !(out->comment = strndup(comment.p, comment.n)))
		st = tw_err_nomem(err);
	return st;
}

enum tw_status tw_pubkey_read(const char *name, const char *p, size_t n,
    struct tw_pubkey *out, struct tw_err *err)
{
	enum tw_status st;
	const char *end;

	memset(out, 0, sizeof *out);
	st = check_format(name, p, n, err);
	if (st)
		return st;
	while (n > 0 && strchr(BLANKS "\r\n", p[n - 1]))
		n--;
	if (n == 0)
		return refuse(err, name, W_("there is no key in it"));
	end = p + n;
	if (memchr(p, '\n', n) || memchr(p, '\r', n)) {
		refuse(err, name, W_("more than one line: one key is wanted"));
		tw_err_hint(err, "give each key with a call of its own");
		return TW_DATA;
	}
	st = read_line(name, p, end, out, err);
	if (st)
		tw_pubkey_release(out);
	return st;
}

void tw_pubkey_release(struct tw_pubkey *k)
{
	free(k->key);
	free(k->comment);
	memset(k, 0, sizeof *k);
}

/* A type may stand within quoted options too: the key decides. */
enum tw_status tw_pubkey_in_line(const struct tw_pubkey *k, const char *line,
    size_t n, bool *is_in, size_t *options, struct tw_err *err)
{
	const char *at = line, *end = line + n, *next;
	struct tw_pubkey other = { 0 };
	struct word w = take_word(&at, end), base64;
	const struct kind *kind;
	enum tw_status st;

	*is_in = false;
	*options = 0;
	if (w.n == 0 || w.p[0] == '#')
		return TW_OK;
	for (; w.n && !*is_in; w = take_word(&at, end)) {
		kind = find_kind(w);
		next = at;
		base64 = take_word(&next, end);
		if (!kind)
			continue;
		st = read_blob("", kind, base64, &other, NULL);
		if (st == TW_NOMEM)
			return tw_err_nomem(err);
		if (st)
			continue;
		*is_in = strcmp(other.key, k->key) == 0;
		for (next = w.p; next > line && strchr(BLANKS, next[-1]);)
			next--;
		*options = (size_t)(next - line);
		tw_pubkey_release(&other);
	}
	return TW_OK;
}
