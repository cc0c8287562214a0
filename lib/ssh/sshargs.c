/*
 * sshargs.c - how ssh and sh are called, and what ssh's last words mean; see
 * sshargs.h
 *
 * Jump hosts are reached by an `ssh -W` of our own in both transports rather
 * than by -J, because -J hands none of our options (identities, no questions)
 * to the ssh it starts.
 */
#include "ssh/sshargs.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/name.h"
#include "ssh/text.h"

void tw_argv_add(struct tw_argv *a, const char *fmt, ...)
{
	char **v, *s;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0) {
		a->failed = true;
		return;
	}
	v = realloc(a->v, (a->n + 2) * sizeof *v);
	if (!v) {
		free(s);
		a->failed = true;
		return;
	}
	a->v = v;
	a->v[a->n++] = s;
	a->v[a->n] = NULL;
}

void tw_argv_release(struct tw_argv *a)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		free(a->v[i]);
	free(a->v);
	memset(a, 0, sizeof *a);
}

static enum tw_status argv_check(const struct tw_argv *a, struct tw_err *err)
{
	return a->failed ? tw_err_nomem(err) : TW_OK;
}

/* ---- grammars ---- */

static bool port_ok(const char *s)
{
	long v = 0;

	for (; *s >= '0' && *s <= '9' && v <= 65535; s++)
		v = v * 10 + (*s - '0');
	return *s == '\0' && v >= 1 && v <= 65535;
}

/* One of via: [user@]host[:port], host in brackets when it is IPv6. */
static bool hop_ok(const char *hop)
{
	char copy[512], *host, *port = NULL, *at;
	size_t n = strlen(hop);

	if (n == 0 || n >= sizeof copy)
		return false;
	memcpy(copy, hop, n + 1);
	host = copy;
	at = strrchr(copy, '@');
	if (at) {
		*at = '\0';
		if (!tw_name_ok(copy))
			return false;
		host = at + 1;
	}
	if (*host == '[') {
		char *end = strchr(host, ']');

		if (!end || (end[1] != '\0' && end[1] != ':'))
			return false;
		*end = '\0';
		port = end[1] == ':' ? end + 2 : NULL;
		host++;
	} else if ((port = strrchr(host, ':'))) {
		*port++ = '\0';
		if (strchr(host, ':'))
			return false;
	}
	return tw_name_address_ok(host) && (!port || port_ok(port));
}

static bool via_ok(const char *via)
{
	char copy[1024], *hop, *save = NULL;
	size_t n = strlen(via);

	if (n == 0 || n >= sizeof copy || via[0] == ',' ||
	    via[n - 1] == ',' || strstr(via, ",,"))
		return false;
	memcpy(copy, via, n + 1);
	for (hop = strtok_r(copy, ",", &save); hop;
	    hop = strtok_r(NULL, ",", &save))
		if (!hop_ok(hop))
			return false;
	return true;
}

enum tw_status tw_sshargs_check(const struct tw_ssh_target *t,
    struct tw_err *err)
{
	if (!t->address || !tw_name_address_ok(t->address))
		return tw_err_set(err, TW_USAGE, "the address is not a host "
		    "name or an IP address");
	if (!t->user || !tw_name_ok(t->user))
		return tw_err_set(err, TW_USAGE, "the user's name is not one "
		    "of letters, digits, '.', '_' and '-'");
	if (t->port < 1 || t->port > 65535)
		return tw_err_set(err, TW_USAGE, "port %d is not in 1..65535",
		    t->port);
	if (t->via && !via_ok(t->via))
		return tw_err_set(err, TW_USAGE, "the jump host is not "
		    "[user@]host[:port], several separated by commas");
	if (t->config_alias && !tw_name_address_ok(t->config_alias))
		return tw_err_set(err, TW_USAGE, "the name for ssh is not a "
		    "host name");
	return TW_OK;
}

/* ---- argument lists ---- */

static void add_option(struct tw_argv *a, const char *s)
{
	tw_argv_add(a, "-o");
	tw_argv_add(a, "%s", s);
}

/* IdentityFile=none keeps the default ones out even when a file given by -i is
 * not there. */
static void add_no_configuration(struct tw_argv *a)
{
	tw_argv_add(a, "-F");
	tw_argv_add(a, "none");
	add_option(a, "IdentityFile=none");
	add_option(a, "IdentitiesOnly=yes");
	add_option(a, "IdentityAgent=none");
}

static void add_common(struct tw_argv *a, const struct tw_ssh_target *t)
{
	static const char *const options[] = {
		"BatchMode=yes", "ControlMaster=no", "ControlPath=none",
		"ControlPersist=no", "ServerAliveInterval=10",
		"ServerAliveCountMax=3", "LogLevel=ERROR", "ForwardAgent=no",
		"ForwardX11=no", "PermitLocalCommand=no", "RequestTTY=no",
		"EscapeChar=none", "UpdateHostKeys=no",
	};
	int limit = tw_link_limit(TW_LINK_CONNECT);
	size_t i;

	tw_argv_add(a, "ssh");
	tw_argv_add(a, "-T");
	if (t->known_hosts)
		add_no_configuration(a);
	for (i = 0; i < sizeof options / sizeof options[0]; i++)
		add_option(a, options[i]);
	tw_argv_add(a, "-o");
	tw_argv_add(a, "ConnectTimeout=%d", (limit + 999) / 1000);
}

static void add_identities(struct tw_argv *a, const struct tw_ssh_target *t)
{
	const char *const *id;

	for (id = t->identities; id && *id; id++) {
		tw_argv_add(a, "-i");
		tw_argv_add(a, "%s", *id);
	}
}

/* Where an ssh that is itself a ProxyCommand is to connect to. */
#define TOKENS "[%h]:%p"

/* For the value of ProxyCommand: quoted for sh, and % doubled for ssh. */
static void add_quoted(struct tw_buf *b, const char *s)
{
	bool tokens = strcmp(s, TOKENS) == 0;

	tw_buf_addc(b, '\'');
	for (; *s; s++) {
		if (*s == '\'')
			tw_buf_adds(b, "'\\''");
		else if (*s == '%' && !tokens)
			tw_buf_adds(b, "%%");
		else
			tw_buf_addc(b, *s);
	}
	tw_buf_addc(b, '\'');
}

static void add_command_option(struct tw_argv *a, const struct tw_argv *command)
{
	struct tw_buf b = TW_BUF_INIT;
	size_t i;

	for (i = 0; i < command->n; i++) {
		if (i > 0)
			tw_buf_addc(&b, ' ');
		add_quoted(&b, command->v[i]);
	}
	if (b.failed || command->failed)
		a->failed = true;
	tw_argv_add(a, "-o");
	tw_argv_add(a, "ProxyCommand=%s", tw_buf_str(&b));
	tw_buf_release(&b);
}

/* Whose key a jump host must show. */
static void add_jump_keys(struct tw_argv *a, const struct tw_ssh_target *t)
{
	if (!t->known_hosts)
		return;
	add_option(a, t->pin_jumps ? "StrictHostKeyChecking=accept-new" :
	    "StrictHostKeyChecking=yes");
	add_option(a, "GlobalKnownHostsFile=/dev/null");
	tw_argv_add(a, "-o");
	tw_argv_add(a, "UserKnownHostsFile=\"%s\"", t->known_hosts);
	add_option(a, "HashKnownHosts=no");
	add_option(a, "CheckHostIP=no");
}

/* An ssh through the first n bytes of via to the place.  Each further jump host
 * is the ProxyCommand of the next; there are few enough to recurse. */
static void add_jump(struct tw_argv *a, const struct tw_ssh_target *t,
    size_t n, const char *place)
{
	struct tw_argv before = { 0 };
	size_t start = n;

	while (start > 0 && t->via[start - 1] != ',')
		start--;
	add_common(a, t);
	add_jump_keys(a, t);
	add_identities(a, t);
	if (start > 0) {
		add_jump(&before, t, start - 1, TOKENS);
		add_command_option(a, &before);
		tw_argv_release(&before);
	}
	tw_argv_add(a, "-W");
	tw_argv_add(a, "%s", place);
	tw_argv_add(a, "--");
	tw_argv_add(a, "ssh://%.*s", (int)(n - start), t->via + start);
}

static void add_via(struct tw_argv *a, const struct tw_ssh_target *t)
{
	char place[300];

	snprintf(place, sizeof place, "[%s]:%d", t->address, t->port);
	add_jump(a, t, strlen(t->via), place);
}

enum tw_status tw_sshargs_proxy(const struct tw_ssh_target *t,
    struct tw_argv *a, struct tw_err *err)
{
	if (t->via) {
		add_via(a, t);
	} else {
		tw_argv_add(a, "sh");
		tw_argv_add(a, "-c");
		tw_argv_add(a, "exec %s", t->proxy_command);
	}
	return argv_check(a, err);
}

static void add_proxy_option(struct tw_argv *a, const struct tw_ssh_target *t)
{
	struct tw_argv jump = { 0 };
	struct tw_buf b = TW_BUF_INIT;
	const char *s;

	if (t->via) {
		add_via(&jump, t);
		add_command_option(a, &jump);
		tw_argv_release(&jump);
		return;
	}
	for (s = t->proxy_command; *s; s++) {
		if (*s == '%')
			tw_buf_addc(&b, '%');
		tw_buf_addc(&b, *s);
	}
	a->failed |= b.failed;
	tw_argv_add(a, "-o");
	tw_argv_add(a, "ProxyCommand=%s", tw_buf_str(&b));
	tw_buf_release(&b);
}

enum tw_status tw_sshargs_base(const struct tw_ssh_target *t,
    struct tw_argv *a, struct tw_err *err)
{
	const char *zone;

	add_common(a, t);
	add_option(a, "GlobalKnownHostsFile=/dev/null");
	add_option(a, "CheckHostIP=no");
	add_option(a, "VerifyHostKeyDNS=no");
	add_option(a, "ClearAllForwardings=yes");
	zone = strchr(t->address, '%');
	tw_argv_add(a, "-o");
	if (zone)
		tw_argv_add(a, "HostName=%.*s%%%s", (int)(zone - t->address),
		    t->address, zone);
	else
		tw_argv_add(a, "HostName=%s", t->address);
	tw_argv_add(a, "-p");
	tw_argv_add(a, "%d", t->port);
	tw_argv_add(a, "-l");
	tw_argv_add(a, "%s", t->user);
	add_identities(a, t);
	if (!t->use_agent) {
		add_option(a, "IdentityAgent=none");
		if (t->identities && t->identities[0])
			add_option(a, "IdentitiesOnly=yes");
	}
	if (t->via || t->proxy_command)
		add_proxy_option(a, t);
	return argv_check(a, err);
}

void tw_sshargs_dest(const struct tw_ssh_target *t, struct tw_argv *a)
{
	tw_argv_add(a, "--");
	tw_argv_add(a, "%s", t->config_alias ? t->config_alias : t->address);
}

enum tw_status tw_sshargs_temp(const void *p, size_t n, char **path,
    struct tw_err *err)
{
	const char *dir = getenv("TMPDIR");
	int fd, e;

	*path = NULL;
	if (asprintf(path, "%s/towerify-hosts-XXXXXX",
	    dir && *dir == '/' ? dir : "/tmp") < 0) {
		*path = NULL;
		return tw_err_nomem(err);
	}
	fd = mkstemp(*path);
	if (fd < 0) {
		e = errno;
		tw_err_sys(err, TW_AGAIN, e, "cannot make %s", *path);
		free(*path);
		*path = NULL;
		return TW_AGAIN;
	}
	e = tw_io_write_all(fd, p, n);
	if (close(fd) != 0 && e == 0)
		e = errno;
	if (e == 0)
		return TW_OK;
	tw_err_sys(err, TW_AGAIN, e, "cannot write %s", *path);
	unlink(*path);
	free(*path);
	*path = NULL;
	return TW_AGAIN;
}

/* ---- last words ---- */

void tw_sshargs_hint_changed(struct tw_err *err, const char *name)
{
	tw_err_hint(err, "find out why it changed; if the host was really "
	    "reinstalled: towerify-host set %s host-key=accept", name);
}

enum tw_link_end tw_sshargs_verdict(const char *what, const char *text,
    const char *name, struct tw_err *err)
{
	static const char *const persons[] = {
		"Permission denied", "Host key verification failed",
		"Too many authentication failures", "passphrase",
	};
	const char *at;
	char line[256];
	size_t i;

	if (strstr(text, "REMOTE HOST IDENTIFICATION HAS CHANGED")) {
		tw_err_set(err, TW_DENIED, "%s: HOST KEY HAS CHANGED, or "
		    "somebody listens in", what);
		tw_sshargs_hint_changed(err, name);
		return TW_LINK_PERSON;
	}
	for (i = 0; i < sizeof persons / sizeof persons[0]; i++) {
		at = strstr(text, persons[i]);
		if (!at)
			continue;
		tw_text_line_at(line, sizeof line, text, at);
		tw_err_set(err, TW_DENIED, "%s: %s", what, line);
		return TW_LINK_PERSON;
	}
	at = strstr(text, "Unable to negotiate");
	if (at) {
		tw_text_line_at(line, sizeof line, text, at);
		tw_err_set(err, TW_CONFIG, "%s: %s", what, line);
		return TW_LINK_UNSUPPORTED;
	}
	tw_text_last_line(line, sizeof line, text);
	tw_err_set(err, TW_AGAIN, "%s: %s", what,
	    *line ? line : W_("the connection was dropped"));
	return TW_LINK_TEMPORARY;
}

/* A jump host refuses in the same words, but the ssh that was to log in has the
 * last one.  Without a key of ours the host has refused nothing of ours. */
static bool is_refused(const char *text)
{
	char last[256];

	tw_text_last_line(last, sizeof last, text);
	return strstr(last, ": Permission denied (") &&
	    !strstr(text, "Load key ") && !strstr(text, "Identity file ");
}

enum tw_link_end tw_sshargs_verdict_of(const struct tw_ssh_target *t,
    const char *text, struct tw_err *err)
{
	enum tw_link_end end = tw_sshargs_verdict("ssh", text, t->name, err);
	bool is_closed = !t->via && !t->proxy_command &&
	    strstr(text, "ssh: connect to host ") &&
	    strstr(text, ": Connection refused");

	if (end == TW_LINK_PERSON && is_refused(text))
		return TW_LINK_REFUSED;
	return end == TW_LINK_TEMPORARY && is_closed ? TW_LINK_CLOSED : end;
}
