/*
 * sshconfig.c - what ~/.ssh/config says of a host, asked of `ssh -G`; see
 * sshconfig.h
 *
 * ssh prints what it would use, but leaves "~" and the tokens of file names and
 * of ProxyCommand as they were written; those are expanded here.
 */
#include "ssh/sshconfig.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/name.h"
#include "ssh/identity.h"
#include "ssh/pipes.h"
#include "ssh/sshargs.h"
#include "ssh/text.h"

#define OUTPUT_MAX ((size_t)1 << 20)
#define RUN_LIMIT_MS 20000	/* a `Match exec` of the user's may take long */
#define IDENTITIES_MAX 64

struct parsing {
	struct tw_sshconfig *c;
	const char *alias;	/* the line "host", or NULL */
	char home[512];
	char login[128];
	struct tw_argv files;	/* identityfile, as written */
};

/* ---- expansion ---- */

/* What the token %t stands for, or NULL. */
static const char *token(const struct parsing *k, char t, char number[16])
{
	switch (t) {
	case '%':
		return "%";
	case 'h':
		return k->c->hostname;
	case 'n':
		return k->alias ? k->alias : k->c->hostname;
	case 'p':
		snprintf(number, 16, "%d", k->c->port);
		return number;
	case 'r':
		return k->c->user;
	case 'u':
		return k->login;
	case 'd':
		return k->home;
	case 'i':
		snprintf(number, 16, "%u", (unsigned)getuid());
		return number;
	default:
		return NULL;
	}
}

/* Appends the value of ${NAME} at s; returns what follows, or NULL. */
static const char *add_variable(struct tw_buf *out, const char *s)
{
	char name[128];
	size_t n = strcspn(s, "}");
	const char *value;

	if (s[n] != '}' || n == 0 || n >= sizeof name)
		return NULL;
	memcpy(name, s, n);
	name[n] = '\0';
	value = getenv(name);
	if (!value)
		return NULL;
	tw_buf_adds(out, value);
	return s + n + 1;
}

/* Appends s with its tokens expanded, and ${NAME} too in file names. */
static bool expand(const struct parsing *k, const char *s, bool is_file,
    struct tw_buf *out)
{
	char number[16];
	const char *value;

	if (is_file && s[0] == '~' && s[1] == '/') {
		tw_buf_adds(out, k->home);
		s++;
	}
	while (*s) {
		if (is_file && s[0] == '$' && s[1] == '{') {
			s = add_variable(out, s + 2);
			if (!s)
				return false;
			continue;
		}
		if (*s != '%') {
			tw_buf_addc(out, *s++);
			continue;
		}
		value = token(k, s[1], number);
		if (!value)
			return false;
		tw_buf_adds(out, value);
		s += 2;
	}
	return !out->failed;
}

/* ---- lines ---- */

static enum tw_status set_string(char **out, const char *value,
    struct tw_err *err)
{
	free(*out);
	*out = NULL;
	if (strcmp(value, "none") == 0)
		return TW_OK;
	*out = strdup(value);
	return *out ? TW_OK : tw_err_nomem(err);
}

static enum tw_status set_port(struct tw_sshconfig *c, const char *value,
    struct tw_err *err)
{
	char *end;
	long v = strtol(value, &end, 10);

	if (end == value || *end || v < 1 || v > 65535)
		return tw_err_set(err, TW_CONFIG, "ssh -G: the port is not a "
		    "number in 1..65535");
	c->port = (int)v;
	return TW_OK;
}

static enum tw_status take_line(struct parsing *k, const char *key,
    const char *value, struct tw_err *err)
{
	struct tw_sshconfig *c = k->c;

	if (strcmp(key, "host") == 0)
		k->alias = value;
	else if (strcmp(key, "hostname") == 0)
		return set_string(&c->hostname, value, err);
	else if (strcmp(key, "user") == 0)
		return set_string(&c->user, value, err);
	else if (strcmp(key, "port") == 0)
		return set_port(c, value, err);
	else if (strcmp(key, "proxyjump") == 0)
		return set_string(&c->proxyjump, value, err);
	else if (strcmp(key, "proxycommand") == 0)
		return set_string(&c->proxycommand, value, err);
	else if (strcmp(key, "certificatefile") == 0)
		c->has_certificate |= strcmp(value, "none") != 0;
	else if (strcmp(key, "identityfile") == 0 &&
	    strcmp(value, "none") != 0 && k->files.n < IDENTITIES_MAX)
		tw_argv_add(&k->files, "%s", value);
	return k->files.failed ? tw_err_nomem(err) : TW_OK;
}

static enum tw_status take_lines(struct parsing *k, char *text,
    struct tw_err *err)
{
	enum tw_status st = TW_OK;
	char *line, *value, *save = NULL;

	for (line = strtok_r(text, "\r\n", &save); line && st == TW_OK;
	    line = strtok_r(NULL, "\r\n", &save)) {
		value = strchr(line, ' ');
		if (!value)
			continue;
		*value++ = '\0';
		if (*value)
			st = take_line(k, line, value, err);
	}
	return st;
}

/* ---- what the lines mean together ---- */

/* Keeps the identity files that exist. */
static enum tw_status take_identities(struct parsing *k, struct tw_err *err)
{
	struct tw_argv found = { 0 };
	struct tw_buf path = TW_BUF_INIT;
	enum tw_identity_kind kind;
	size_t i;

	for (i = 0; i < k->files.n; i++) {
		tw_buf_reset(&path);
		if (!expand(k, k->files.v[i], true, &path))
			continue;
		kind = tw_identity_inspect(tw_buf_str(&path));
		if (kind == TW_IDENTITY_MISSING)
			continue;
		if (kind == TW_IDENTITY_FIDO ||
		    tw_identity_has_certificate(tw_buf_str(&path)))
			k->c->has_certificate = true;
		tw_argv_add(&found, "%s", tw_buf_str(&path));
	}
	tw_buf_release(&path);
	if (found.failed) {
		tw_argv_release(&found);
		return tw_err_nomem(err);
	}
	k->c->identities = found.v;
	return TW_OK;
}

static enum tw_status expand_proxy(struct parsing *k, struct tw_err *err)
{
	struct tw_buf b = TW_BUF_INIT;

	if (!k->c->proxycommand)
		return TW_OK;
	if (!expand(k, k->c->proxycommand, false, &b)) {
		tw_buf_release(&b);
		return tw_err_set(err, TW_CONFIG, "the ProxyCommand of "
		    "~/.ssh/config has a token other than %%%%, %%h, %%n, "
		    "%%p, %%r, %%u, %%d, %%i");
	}
	free(k->c->proxycommand);
	k->c->proxycommand = tw_buf_detach(&b);
	return k->c->proxycommand ? TW_OK : tw_err_nomem(err);
}

static enum tw_status finish(struct parsing *k, struct tw_err *err)
{
	enum tw_status st;

	if (!k->c->hostname || !tw_name_address_ok(k->c->hostname))
		return tw_err_set(err, TW_CONFIG, "ssh -G names no usable "
		    "HostName");
	if (k->c->user && !tw_name_ok(k->c->user))
		return tw_err_set(err, TW_CONFIG, "ssh -G names no usable "
		    "User");
	if (k->alias && !tw_name_address_ok(k->alias))
		return tw_err_set(err, TW_CONFIG, "ssh -G names no usable "
		    "Host");
	st = expand_proxy(k, err);
	return st == TW_OK ? take_identities(k, err) : st;
}

static void find_login(struct parsing *k)
{
	struct passwd pw, *found = NULL;
	char room[4096];

	if (getpwuid_r(getuid(), &pw, room, sizeof room, &found) == 0 &&
	    found) {
		snprintf(k->home, sizeof k->home, "%s", pw.pw_dir);
		snprintf(k->login, sizeof k->login, "%s", pw.pw_name);
	}
}

enum tw_status tw_sshconfig_parse(const char *text, struct tw_sshconfig *out,
    struct tw_err *err)
{
	struct parsing k;
	enum tw_status st;
	char *copy;

	memset(out, 0, sizeof *out);
	memset(&k, 0, sizeof k);
	copy = strdup(text);
	if (!copy)
		return tw_err_nomem(err);
	k.c = out;
	find_login(&k);
	st = take_lines(&k, copy, err);
	if (st == TW_OK)
		st = finish(&k, err);
	if (st != TW_OK)
		tw_sshconfig_release(out);
	tw_argv_release(&k.files);
	free(copy);
	return st;
}

enum tw_status tw_sshconfig_get(const char *alias, const char *user, int port,
    const char *file, struct tw_sshconfig *out, struct tw_err *err)
{
	struct tw_buf text = TW_BUF_INIT, words = TW_BUF_INIT;
	struct tw_argv a = { 0 };
	enum tw_status st;
	char line[256];
	int status = 0;

	memset(out, 0, sizeof *out);
	if (!tw_name_address_ok(alias) || (user && !tw_name_ok(user)))
		return tw_err_set(err, TW_USAGE, "not a host's name");
	text.max = OUTPUT_MAX;
	words.max = 65536;
	tw_argv_add(&a, "ssh");
	tw_argv_add(&a, "-TG");
	if (file) {
		tw_argv_add(&a, "-F");
		tw_argv_add(&a, "%s", file);
	}
	if (user) {
		tw_argv_add(&a, "-l");
		tw_argv_add(&a, "%s", user);
	}
	if (port) {
		tw_argv_add(&a, "-p");
		tw_argv_add(&a, "%d", port);
	}
	tw_argv_add(&a, "--");
	tw_argv_add(&a, "%s", alias);
	/* Older versions of ssh do not print it. */
	tw_buf_addf(&text, "host %s\n", alias);
	st = a.failed ? tw_err_nomem(err) : tw_pipes_run(
	    (const char *const *)a.v, RUN_LIMIT_MS, &text, &words, &status,
	    err);
	if (st == TW_OK && status != 0) {
		tw_text_last_line(line, sizeof line, tw_buf_str(&words));
		st = tw_err_set(err, TW_CONFIG, "ssh -G: %s", *line ? line :
		    W_("failed"));
	}
	if (st == TW_OK)
		st = tw_sshconfig_parse(tw_buf_str(&text), out, err);
	tw_argv_release(&a);
	tw_buf_release(&text);
	tw_buf_release(&words);
	return st;
}

void tw_sshconfig_release(struct tw_sshconfig *c)
{
	char **id;

	free(c->hostname);
	free(c->user);
	free(c->proxyjump);
	free(c->proxycommand);
	for (id = c->identities; id && *id; id++)
		free(*id);
	free(c->identities);
	memset(c, 0, sizeof *c);
}

static enum tw_status run_keygen(const char *path, const char *comment,
    struct tw_err *err)
{
	const char *argv[] = { "ssh-keygen", "-q", "-t", "ed25519", "-N", "",
		"-C", comment, "-f", path, NULL };
	struct tw_buf words = TW_BUF_INIT;
	enum tw_status st;
	char line[256];
	int status = 0;

	words.max = 65536;
	st = tw_pipes_run(argv, RUN_LIMIT_MS, NULL, &words, &status, err);
	if (st == TW_OK && status != 0) {
		tw_text_last_line(line, sizeof line, tw_buf_str(&words));
		st = tw_err_set(err, TW_CONFIG, "ssh-keygen: %s", *line ?
		    line : W_("failed"));
	}
	tw_buf_release(&words);
	return st;
}

/* A file of ssh-keygen's is not synced, and half of it may be there. */
static enum tw_status put_in_place(const char *from, const char *to,
    mode_t mode, struct tw_err *err)
{
	struct tw_buf b = { .max = 65536, .is_secret = true };
	enum tw_status st;

	st = tw_io_read_file(from, &b, err);
	if (st == TW_OK)
		st = tw_io_write_file(to, b.data, b.len, mode, err);
	tw_buf_release(&b);
	return st;
}

/* What those left who were killed here. */
static void sweep_new(const char *dir, const char *name)
{
	size_t n = strlen(name);
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (strncmp(e->d_name, name, n) == 0 &&
		    strncmp(e->d_name + n, ".new.", 5) == 0)
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
}

/* Under other names first; the private key comes last: where it is, all is.
 * Names of this process's own: the ssh-keygen of one that was killed may still be
 * at work. */
static enum tw_status make_pair(const char *path, const char *comment,
    struct tw_err *err)
{
	char *made = NULL, *made_pub = NULL, *pub = NULL;
	enum tw_status st;

	if (asprintf(&made, "%s.new.%ld", path, (long)getpid()) < 0)
		made = NULL;
	if (made && asprintf(&made_pub, "%s.pub", made) < 0)
		made_pub = NULL;
	if (asprintf(&pub, "%s.pub", path) < 0)
		pub = NULL;
	if (!made || !made_pub || !pub) {
		st = tw_err_nomem(err);
		goto out;
	}
	st = run_keygen(made, comment, err);
	if (st == TW_OK)
		st = put_in_place(made_pub, pub, 0644, err);
	if (st == TW_OK)
		st = put_in_place(made, path, 0600, err);
	unlink(made);
	unlink(made_pub);
out:
	free(made);
	free(made_pub);
	free(pub);
	return st;
}

enum tw_status tw_sshkey_make(const char *path, const char *comment,
    struct tw_err *err)
{
	const char *slash = strrchr(path, '/');
	enum tw_status st = TW_OK;
	struct stat sb;
	char *dir;
	int fd;

	if (lstat(path, &sb) == 0)
		return tw_err_set(err, TW_CONFIG, "%s is already there", path);
	dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	if (!dir)
		return tw_err_nomem(err);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (fd >= 0 && flock(fd, LOCK_EX) < 0 && errno == EINTR)
		;
	if (fd < 0) {
		st = tw_err_sys(err, TW_CONFIG, errno, "%s", dir);
	} else if (lstat(path, &sb) < 0) {	/* else somebody was faster */
		sweep_new(dir, slash ? slash + 1 : path);
		st = make_pair(path, comment, err);
	}
	if (fd >= 0)
		close(fd);
	free(dir);
	return st;
}
