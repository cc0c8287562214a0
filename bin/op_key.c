/*
 * op_key.c - the keys that operators reach towerify-shell with; see op.h
 *
 * A key lets in only as a line of the owner's authorized_keys whose forced
 * command names the operator.  What stands in that file otherwise is left as it
 * is, byte for byte.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "gate.h"
#include "op.h"

#define SHELL "towerify-shell"
#define KEYS_MAX ((size_t)16 << 20)	/* bytes of an authorized_keys */

/* --- the line -------------------------------------------------------------- */

/*
 * A path as a word of the forced command: sshd takes it out of double quotes,
 * then the owner's login shell reads it.  Single quotes keep all but
 * themselves, in every shell, where no backslash is within.
 */
static enum tw_status add_path(struct tw_buf *b, const char *path,
    struct tw_err *err)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-";
	const char *s;

	for (s = path; *s; s++)
		if ((*s > 0 && *s < ' ') || *s == 0x7f || strchr("'\"\\", *s))
			return tw_err_set(err, TW_CONFIG, "%s: a quote, a "
			    "backslash or a control character in this path "
			    "can't stand in authorized_keys", path);
	if (path[strspn(path, plain)])
		tw_buf_addf(b, "'%s'", path);
	else
		tw_buf_adds(b, path);
	return tw_buf_check(b, err);
}

/* towerify-shell of the same directory as this tool. */
static enum tw_status add_shell(struct tw_buf *b, struct tw_err *err)
{
	char path[4096], *slash;
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
	struct tw_buf shell = TW_BUF_INIT;
	enum tw_status st;

	if (n < 0)
		return tw_err_sys(err, TW_CONFIG, errno,
		    "/proc/self/exe: cannot read where the tools are");
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return tw_err_set(err, TW_CONFIG,
		    "/proc/self/exe: is no path: %s", path);
	tw_buf_addf(&shell, "%.*s/" SHELL, (int)(slash - path), path);
	st = tw_buf_check(&shell, err);
	if (!st)
		st = add_path(b, tw_buf_str(&shell), err);
	tw_buf_release(&shell);
	return st;
}

static enum tw_status make_line(struct tower *t, struct op_key *k,
    struct tw_err *err)
{
	struct tw_buf options = TW_BUF_INIT, line = TW_BUF_INIT;
	const char *dir = tw_store_dir(t->store);
	const struct tw_pubkey *p = &k->public;
	enum tw_status st;

	tw_buf_adds(&options, "restrict,command=\"");
	st = add_shell(&options, err);
	if (!st && strcmp(dir, TW_STATE_SYSTEM) != 0) {
		tw_buf_adds(&options, " --state ");
		st = add_path(&options, dir, err);
	}
	tw_buf_addf(&options, " %s\"", k->login);
	tw_buf_addf(&line, "%s %s%s%s\n", tw_buf_str(&options), p->key,
	    p->comment ? " " : "", p->comment ? p->comment : "");
	k->options = tw_buf_detach(&options);
	k->line = tw_buf_detach(&line);
	if (!st && (!k->options || !k->line))
		st = tw_err_nomem(err);
	return st;
}

enum tw_status op_key_read(struct tower *t, const char *file,
    const char *login, struct op_key *out, struct tw_err *err)
{
	const char *name = strcmp(file, "-") == 0 ? "standard input" : file;
	struct tw_buf text = TW_BUF_INIT;
	enum tw_status st;

	memset(out, 0, sizeof *out);
	out->login = login;
	text.max = TW_PUBKEY_FILE_MAX;
	st = gate_read(file, &text, err);
	if (!st)
		st = tw_pubkey_read(name, tw_buf_str(&text), text.len,
		    &out->public, err);
	if (!st)
		st = make_line(t, out, err);
	/* perhaps a private key, given by mistake */
	if (text.data)
		explicit_bzero(text.data, text.cap);
	tw_buf_release(&text);
	if (st)
		op_key_release(out);
	return st;
}

void op_key_release(struct op_key *k)
{
	tw_pubkey_release(&k->public);
	free(k->options);
	free(k->line);
	memset(k, 0, sizeof *k);
}

/* --- the file -------------------------------------------------------------- */

/* The owner's home: $HOME where it is theirs (root, who has become the owner,
 * may still have root's), else what the system says. */
static enum tw_status find_home(char **out, struct tw_err *err)
{
	const char *home = getenv("HOME");
	const struct passwd *pw;
	struct stat sb;

	if (!home || home[0] != '/' || stat(home, &sb) != 0 ||
	    sb.st_uid != geteuid()) {
		pw = getpwuid(geteuid());
		home = pw ? pw->pw_dir : NULL;
	}
	if (!home || home[0] != '/')
		return tw_err_set(err, TW_CONFIG, "the owner of the state "
		    "(uid %lu) has no home directory for authorized_keys",
		    (unsigned long)geteuid());
	*out = strdup(home);
	return *out ? TW_OK : tw_err_nomem(err);
}

/* What sshd would not trust it does not get.  *there is false when nothing is
 * at path. */
static enum tw_status check_path(const char *path, mode_t kind, bool *there,
    struct tw_err *err)
{
	struct stat sb;

	*there = false;
	if (lstat(path, &sb) != 0) {
		if (errno == ENOENT)
			return TW_OK;
		return tw_err_sys(err, TW_CONFIG, errno, "%s", path);
	}
	*there = true;
	if (S_ISLNK(sb.st_mode))
		return tw_err_set(err, TW_CONFIG, "%s: is a symbolic link, "
		    "which is not accepted here", path);
	if ((sb.st_mode & S_IFMT) != kind)
		return tw_err_set(err, TW_CONFIG, "%s: is not a %s", path,
		    kind == S_IFDIR ? W_("directory") : W_("regular file"));
	if (sb.st_uid != geteuid())
		return tw_err_set(err, TW_CONFIG, "%s: belongs to another "
		    "user (uid %lu)", path, (unsigned long)sb.st_uid);
	if (sb.st_mode & 022) {
		tw_err_set(err, TW_CONFIG, "%s: others may write to it, so "
		    "sshd does not trust it (mode %04o)", path,
		    (unsigned)(sb.st_mode & 07777));
		tw_err_hint(err, "chmod go-w '%s'", path);
		return TW_CONFIG;
	}
	return TW_OK;
}

/* The operator whom a line's options name: the last word of the command;
 * n 0: they are not ours. */
static const char *login_of(const char *options, size_t n, int *len)
{
	const char *end = options + n, *start;

	*len = 0;
	if (n == 0 || end[-1] != '"' ||
	    !memmem(options, n, SHELL, strlen(SHELL)))
		return "";
	for (start = --end; start > options && start[-1] != ' ';)
		start--;
	*len = (int)(end - start);
	return start;
}

/* The key stands in a line with these options. */
static enum tw_status judge_line(const struct op_key *k, const char *path,
    int number, const char *options, size_t n, bool *there,
    struct tw_err *err)
{
	const char *login;
	int len;

	if (n == strlen(k->options) && memcmp(options, k->options, n) == 0) {
		*there = true;
		return TW_OK;
	}
	login = login_of(options, n, &len);
	if (len == 0)
		tw_err_set(err, TW_NO, "%s:%d: this key lets its owner in "
		    "already, without towerify-shell", path, number);
	else if ((size_t)len == strlen(k->login) &&
	    memcmp(login, k->login, (size_t)len) == 0)
		tw_err_set(err, TW_NO, "%s:%d: this key is there already for "
		    "%s, with another command", path, number, k->login);
	else
		tw_err_set(err, TW_NO, "%s:%d: this key is there already, "
		    "for operator %.*s", path, number, len, login);
	tw_err_hint(err, "a key is one operator's: take that line out, or "
	    "give another key");
	return TW_NO;
}

static enum tw_status look_for(const struct op_key *k,
    const struct op_keys *keys, bool *there, struct tw_err *err)
{
	const char *at = tw_buf_str(&keys->text), *end = at + keys->text.len;
	enum tw_status st = TW_OK;
	size_t n, options;
	bool is_in;
	int number;

	for (number = 1; at < end && !st; number++) {
		n = strcspn(at, "\n");
		st = tw_pubkey_in_line(&k->public, at, n, &is_in, &options,
		    err);
		if (!st && is_in)
			st = judge_line(k, keys->path, number, at, options,
			    there, err);
		at += n + (at[n] == '\n');
	}
	return st;
}

enum tw_status op_keys_look(const struct op_key *k, struct op_keys *out,
    bool *there, struct tw_err *err)
{
	char *home = NULL, *dir = NULL;
	enum tw_status st;
	bool has_file = false;

	memset(out, 0, sizeof *out);
	out->text.max = KEYS_MAX;
	*there = false;
	st = find_home(&home, err);
	if (!st && asprintf(&dir, "%s/.ssh", home) < 0) {
		dir = NULL;	/* undefined now */
		st = tw_err_nomem(err);
	}
	if (!st && asprintf(&out->path, "%s/authorized_keys", dir) < 0) {
		out->path = NULL;
		st = tw_err_nomem(err);
	}
	if (!st)
		st = check_path(dir, S_IFDIR, &out->has_dir, err);
	if (!st && out->has_dir)
		st = check_path(out->path, S_IFREG, &has_file, err);
	if (!st && has_file)
		st = tw_io_read_file(out->path, &out->text, err);
	if (!st && out->text.len &&
	    memchr(out->text.data, '\0', out->text.len))
		st = tw_err_set(err, TW_CONFIG, "%s: holds NUL bytes",
		    out->path);
	if (st == TW_DATA)	/* the owner's own file, not an input */
		st = err->status = TW_CONFIG;
	if (!st)
		st = look_for(k, out, there, err);
	free(home);
	free(dir);
	if (st)
		op_keys_release(out);
	return st;
}

/* ~/.ssh, and its name made durable. */
static enum tw_status make_dir(const char *path, struct tw_err *err)
{
	char *dir = strndup(path, (size_t)(strrchr(path, '/') - path));
	enum tw_status st = TW_OK;
	int fd;

	if (!dir)
		return tw_err_nomem(err);
	if (mkdir(dir, 0700) != 0 || chmod(dir, 0700) != 0)
		st = tw_err_sys(err, TW_CONFIG, errno,
		    "%s: cannot make the directory", dir);
	*strrchr(dir, '/') = '\0';
	if (!st) {
		fd = open(*dir ? dir : "/", O_RDONLY | O_DIRECTORY |
		    O_CLOEXEC);
		if (fd < 0 || fsync(fd) != 0)
			st = tw_err_sys(err, TW_CONFIG, errno,
			    "%s: cannot sync", dir);
		if (fd >= 0)
			close(fd);
	}
	free(dir);
	return st;
}

enum tw_status op_keys_put(struct op_keys *keys, const struct op_key *k,
    struct tw_err *err)
{
	struct tw_buf *b = &keys->text;
	enum tw_status st = TW_OK;

	if (b->len && b->data[b->len - 1] != '\n')
		tw_buf_addc(b, '\n');
	tw_buf_adds(b, k->line);
	st = tw_buf_check(b, err);
	if (!st && !keys->has_dir)
		st = make_dir(keys->path, err);
	if (!st)
		st = tw_io_write_file(keys->path, b->data, b->len, 0600, err);
	return st;
}

void op_keys_release(struct op_keys *keys)
{
	free(keys->path);
	tw_buf_release(&keys->text);
	memset(keys, 0, sizeof *keys);
}
