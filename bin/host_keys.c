/* host_keys.c - what an operator may set of a host, and its grammar */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/name.h"
#include "gate.h"
#include "host.h"

static enum tw_status replace(char **to, const char *value, struct tw_err *err)
{
	char *copy = *value ? strdup(value) : NULL;

	if (*value && !copy)
		return tw_err_nomem(err);
	free(*to);
	*to = copy;
	return TW_OK;
}

static enum tw_status set_address(struct tw_host *h, const char *v,
    struct tw_err *err)
{
	if (!tw_name_address_ok(v))
		return tw_err_set(err, TW_USAGE, "'%s' is not a host name or "
		    "an address", v);
	return replace(&h->address, v, err);
}

static enum tw_status set_user(struct tw_host *h, const char *v,
    struct tw_err *err)
{
	h->user_given = *v != '\0';
	if (*v && !tw_name_ok(v))
		return tw_err_set(err, TW_USAGE, "'%s' is not a login", v);
	return replace(&h->user, v, err);
}

static enum tw_status set_port(struct tw_host *h, const char *v,
    struct tw_err *err)
{
	h->port_given = *v != '\0';
	return *v ? tower_count("port", v, 1, 65535, &h->port, err) : TW_OK;
}

/* [USER@]HOST[:PORT],… */
static enum tw_status set_via(struct tw_host *h, const char *v,
    struct tw_err *err)
{
	char *copy = strdup(v), *one, *save = NULL;
	struct tw_host jump = { 0 };
	enum tw_status st = TW_OK;

	if (!copy)
		return tw_err_nomem(err);
	for (one = strtok_r(copy, ",", &save); one && !st;
	    one = strtok_r(NULL, ",", &save)) {
		st = host_parse_address(one, &jump, err);
		tw_host_release(&jump);
		memset(&jump, 0, sizeof jump);
	}
	free(copy);
	return st ? st : replace(&h->via, v, err);
}

void host_leave_config(struct tw_host *h)
{
	h->own_config = false;
	free(h->identity);
	free(h->sshconfig);
	h->identity = h->sshconfig = NULL;
}

static enum tw_status set_ssh_config(struct tw_host *h, const char *v,
    struct tw_err *err)
{
	if (gate_refuse("ssh-config", err))
		return TW_DENIED;
	if (strcmp(v, "yes") != 0 && strcmp(v, "no") != 0)
		return tw_err_set(err, TW_USAGE,
		    "ssh-config is yes or no, not '%s'", v);
	if (strcmp(v, "yes") == 0)
		h->own_config = true;
	else
		host_leave_config(h);
	return TW_OK;
}

static enum tw_status set_identity(struct tw_host *h, const char *v,
    struct tw_err *err)
{
	char *full;
	enum tw_status st;

	if (!*v)
		return replace(&h->identity, v, err);
	st = gate_refuse(W_("an identity file"), err);
	if (st) {
		tw_err_hint(err, "the organisation's key logs in: "
		    "towerify-host key");
		return st;
	}
	if (!h->own_config) {
		st = tw_err_set(err, TW_USAGE, "the organisation's key alone "
		    "logs in here");
		tw_err_hint(err, "ssh-config=yes before identity=");
		return st;
	}
	full = realpath(v, NULL);
	if (!full)
		return tw_err_set(err, TW_USAGE, "cannot read the private key "
		    "%s", v);
	st = replace(&h->identity, full, err);
	free(full);
	return st;
}

static enum tw_status set_sudo(struct tw_host *h, const char *v,
    struct tw_err *err)
{
	if (strcmp(v, "true") != 0 && strcmp(v, "false") != 0)
		return tw_err_set(err, TW_USAGE,
		    "sudo is true or false, not '%s'", v);
	h->sudo = strcmp(v, "true") == 0;
	return TW_OK;
}

static enum tw_status set_spool(struct tw_host *h, const char *v,
    struct tw_err *err)
{
	if (*v && !tw_name_spool_ok(v))
		return tw_err_set(err, TW_USAGE, "'%s' can't be a spool: an "
		    "absolute path of letters, digits, dots, dashes, "
		    "underscores", v);
	return replace(&h->spool, v, err);
}

static enum tw_status set_transport(struct tw_host *h, const char *v,
    struct tw_err *err)
{
	if (strcmp(v, "auto") != 0 && strcmp(v, "libssh2") != 0 &&
	    strcmp(v, "ssh") != 0)
		return tw_err_set(err, TW_USAGE, "transport is auto, libssh2 "
		    "or ssh, not '%s'", v);
	return replace(&h->transport, v, err);
}

static char *text_of(const char *s)
{
	return strdup(s ? s : "");
}

static char *old_address(const struct tw_host *h) { return text_of(h->address); }
static char *old_user(const struct tw_host *h) { return text_of(h->user); }
static char *old_via(const struct tw_host *h) { return text_of(h->via); }
static char *old_identity(const struct tw_host *h)
{
	return text_of(h->identity);
}
static char *old_spool(const struct tw_host *h) { return text_of(h->spool); }
static char *old_transport(const struct tw_host *h)
{
	return text_of(h->transport);
}
static char *old_sudo(const struct tw_host *h)
{
	return text_of(h->sudo ? "true" : "false");
}
static char *old_ssh_config(const struct tw_host *h)
{
	return text_of(h->own_config ? "yes" : "no");
}
static char *old_port(const struct tw_host *h)
{
	char text[16];

	snprintf(text, sizeof text, "%d", h->port);
	return strdup(text);
}

static const struct {
	const char *key;
	enum tw_status (*set)(struct tw_host *h, const char *v,
	    struct tw_err *err);
	char *(*old)(const struct tw_host *h);
	bool is_way;		/* decides where or how the host is reached */
} keys[] = {
	{ "address", set_address, old_address, true },
	{ "user", set_user, old_user, true },
	{ "port", set_port, old_port, true },
	{ "via", set_via, old_via, true },
	{ "identity", set_identity, old_identity, true },
	{ "ssh-config", set_ssh_config, old_ssh_config, true },
	{ "sudo", set_sudo, old_sudo, false },
	{ "spool", set_spool, old_spool, false },
	{ "transport", set_transport, old_transport, true },
};
static const char *const key_names[] = {
	"address", "user", "port", "via", "identity", "ssh-config", "sudo",
	"spool", "transport", "label.KEY", "host-key", "spool-id", NULL
};

/* "key=value" into the list, in place of another value of that key; an empty
 * value takes it out. */
static enum tw_status set_label(struct tw_host *h, const char *key,
    const char *value, char **old, struct tw_err *err)
{
	size_t n = 0, at = 0, len = strlen(key);
	char *item = NULL, **list;

	if (!tw_name_ok(key) || (*value && !tw_name_label_value_ok(value)))
		return tw_err_set(err, TW_USAGE, "'%s=%s' is not a label", key,
		    value);
	while (h->labels && h->labels[n])
		n++;
	if (*value && asprintf(&item, "%s=%s", key, value) < 0)
		return tw_err_nomem(err);
	list = realloc(h->labels, (n + 2) * sizeof *list);
	if (!list) {
		free(item);
		return tw_err_nomem(err);
	}
	h->labels = list;
	list[n] = list[n + 1] = NULL;
	while (at < n && (strncmp(list[at], key, len) != 0 ||
	    list[at][len] != '='))
		at++;
	if (at < n) {
		*old = strdup(list[at] + len + 1);
		free(list[at]);
		memmove(list + at, list + at + 1, (n - at) * sizeof *list);
		n--;
	} else {
		*old = strdup("");
	}
	if (item) {
		memmove(list + at + 1, list + at,
		    (n - at + 1) * sizeof *list);
		list[at] = item;
	}
	return *old ? TW_OK : tw_err_nomem(err);
}

enum tw_status host_set_key(struct tw_host *h, const char *key,
    const char *value, char **old, struct tw_err *err)
{
	const char *nearest;
	enum tw_status st;
	size_t i;

	*old = NULL;
	if (strncmp(key, "label.", 6) == 0)
		return set_label(h, key + 6, value, old, err);
	for (i = 0; i < sizeof keys / sizeof *keys; i++) {
		if (strcmp(key, keys[i].key) != 0)
			continue;
		*old = keys[i].old(h);
		st = *old ? keys[i].set(h, value, err) : tw_err_nomem(err);
		if (!st && keys[i].is_way && gate_is_there())
			host_leave_config(h);
		if (st) {
			free(*old);
			*old = NULL;
		}
		return st;
	}
	nearest = tw_name_nearest(key, key_names);
	st = tw_err_set(err, TW_USAGE, "'%s' is nothing that can be set", key);
	if (nearest)
		tw_err_hint(err, "did you mean '%s'?", nearest);
	return st;
}

enum tw_status host_parse_address(const char *text, struct tw_host *h,
    struct tw_err *err)
{
	const char *s = strncmp(text, "ssh://", 6) == 0 ? text + 6 : text;
	const char *at = strrchr(s, '@'), *colon;
	char *host = NULL, *user = NULL;
	enum tw_status st = TW_OK;

	if (at) {
		user = strndup(s, (size_t)(at - s));
		st = !user ? tw_err_nomem(err) : *user ?
		    set_user(h, user, err) :
		    tw_err_set(err, TW_USAGE, "'%s' has no user", text);
		s = at + 1;
	}
	if (st)
		goto out;
	/* [v6]:port, host:port, or an IPv6 address with no port */
	colon = s[0] == '[' && strchr(s, ']') ? strchr(s, ']') + 1 :
	    strchr(s, ':') == strrchr(s, ':') ? strchr(s, ':') : NULL;
	if (s[0] == '[' && colon)
		host = strndup(s + 1, (size_t)(colon - s) - 2);
	else
		host = colon ? strndup(s, (size_t)(colon - s)) : strdup(s);
	if (!host)
		st = tw_err_nomem(err);
	else if (colon && *colon && (*colon != ':' || !colon[1]))
		st = tw_err_set(err, TW_USAGE, "'%s' is not [USER@]HOST[:PORT]",
		    text);
	else if (colon && *colon == ':')
		st = set_port(h, colon + 1, err);
	if (!st)
		st = set_address(h, host, err);
out:
	free(host);
	free(user);
	return st;
}
