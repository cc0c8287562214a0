/* reach.c - from a host of the state to a way to reach it; see reach.h */
#include "engine/reach.h"

#include <jansson.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "ssh/sshconfig.h"

#define DEFAULT_PORT 22

static void newer(const char *dir, const char *name, int64_t *newest)
{
	char path[4096];
	struct stat sb;
	int64_t t;
	int n;

	n = dir ? snprintf(path, sizeof path, "%s/%s", dir, name) : -1;
	if (n < 0 || (size_t)n >= sizeof path || stat(path, &sb))
		return;
	t = (int64_t)sb.st_mtim.tv_sec * 1000000000 + sb.st_mtim.tv_nsec;
	if (t > *newest)
		*newest = t;
}

/* The newest change of the files that `ssh -G` reads, as nanoseconds.  It looks
 * in the home of the password file; a wrapper may use $HOME's. */
static int64_t config_mtime(void)
{
	struct passwd *pw = getpwuid(getuid());
	int64_t newest = 0;

	newer(pw ? pw->pw_dir : NULL, ".ssh/config", &newest);
	newer(getenv("HOME"), ".ssh/config", &newest);
	newer("/etc/ssh", "ssh_config", &newest);
	return newest;
}

static json_t *text_or_null(const char *s)
{
	return s ? json_string(s) : json_null();
}

static char *config_json(const struct tw_sshconfig *c, int64_t mtime)
{
	size_t mark = tw_json_mark();
	json_t *ids = json_array(), *o;
	char *text;
	size_t i;

	for (i = 0; c->identities && c->identities[i]; i++)
		json_array_append_new(ids, json_string(c->identities[i]));
	o = json_pack("{s:o,s:o,s:i,s:o,s:o,s:b,s:I,s:o}",
	    "hostname", text_or_null(c->hostname),
	    "user", text_or_null(c->user),
	    "port", c->port,
	    "proxyjump", text_or_null(c->proxyjump),
	    "proxycommand", text_or_null(c->proxycommand),
	    "certificate", c->has_certificate,
	    "mtime", (json_int_t)mtime,
	    "identities", ids);
	text = tw_json_dump(o, JSON_COMPACT, mark);
	json_decref(o);
	return text;
}

enum tw_status tw_reach_config(const char *address, const char *user, int port,
    char **json, struct tw_err *err)
{
	int64_t mtime = config_mtime();
	struct tw_sshconfig c = { 0 };
	enum tw_status st;

	*json = NULL;
	st = tw_sshconfig_get(address, user, port, NULL, &c, err);
	if (st)
		return st;
	*json = config_json(&c, mtime);
	tw_sshconfig_release(&c);
	return *json ? TW_OK : tw_err_nomem(err);
}

static const char *get_text(json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s && *s ? s : NULL;
}

/* What the owner's configuration said of the host when it was last asked. */
static enum tw_status load(const struct tw_host *h, json_t **o,
    struct tw_err *err)
{
	return tw_json_load(h->own_config ? h->sshconfig : NULL, h->name, o,
	    err);
}

enum tw_status tw_reach_defaults(struct tw_host *h, struct tw_err *err)
{
	struct passwd *pw = getpwuid(geteuid());
	enum tw_status st;
	const char *user;
	json_int_t port;
	json_t *o;

	st = load(h, &o, err);
	if (st)
		return st;
	user = get_text(o, "user");
	port = json_integer_value(json_object_get(o, "port"));
	if (!h->port_given)
		h->port = port > 0 && port < 65536 ? (int)port : DEFAULT_PORT;
	if (!h->user_given || !h->user) {
		free(h->user);
		h->user = strdup(user ? user : pw ? pw->pw_name : "root");
		if (!h->user)
			st = tw_err_nomem(err);
	}
	json_decref(o);
	return st;
}

static bool is_copied(const char *from, char **to)
{
	*to = NULL;
	if (!from)
		return true;
	*to = strdup(from);
	return *to != NULL;
}

/* --identity alone when it was given; else the organisation's key, then those
 * of ~/.ssh/config; where that does not count the organisation's key alone. */
static bool add_identities(const struct tw_host *h, const char *key, json_t *o,
    struct tw_reach *r)
{
	json_t *ids = json_object_get(o, "identities"), *id;
	size_t n = json_array_size(ids), i, k = 0;

	r->identities = calloc(n + 2, sizeof *r->identities);
	if (!r->identities)
		return false;
	if (!is_copied(h->own_config && h->identity ? h->identity : key,
	    &r->identities[k++]))
		return false;
	if (!h->own_config || h->identity)
		return true;
	json_array_foreach(ids, i, id)
		if (json_is_string(id) &&
		    !is_copied(json_string_value(id), &r->identities[k++]))
			return false;
	return true;
}

static enum tw_status fill(const struct tw_host *h, const char *key, json_t *o,
    struct tw_reach *r, struct tw_err *err)
{
	const char *address = get_text(o, "hostname");
	const char *user = h->user_given ? NULL : get_text(o, "user");
	json_int_t port = h->port_given ? 0 :
	    json_integer_value(json_object_get(o, "port"));

	if (!is_copied(address ? address : h->address, &r->address) ||
	    !is_copied(h->own_config ? h->address : NULL, &r->alias) ||
	    !is_copied(user ? user : h->user, &r->user) ||
	    !is_copied(h->via ? h->via : get_text(o, "proxyjump"), &r->via) ||
	    !is_copied(h->via || r->via ? NULL : get_text(o, "proxycommand"),
	    &r->command) ||
	    !is_copied(h->hostkey, &r->hostkey) ||
	    !add_identities(h, key, o, r))
		return tw_err_nomem(err);
	r->target = (struct tw_ssh_target) {
		.name = h->name,
		.address = r->address,
		.port = port > 0 && port < 65536 ? (int)port : h->port,
		.user = r->user,
		.via = r->via,
		.proxy_command = r->command,
		.identities = (const char *const *)r->identities,
		.known_hosts = r->known_hosts,
		.hostkey = r->hostkey,
		.config_alias = r->alias,
	};
	r->sudo = h->sudo;
	return TW_OK;
}

static void choose_transport(const struct tw_host *h, json_t *o,
    struct tw_reach *r)
{
	bool is_auto = strcmp(h->transport, "auto") == 0;
	const char *name = is_auto ? h->transport_used : h->transport;

	if (is_auto && json_is_true(json_object_get(o, "certificate")))
		name = "ssh";
	r->transport = name ? tw_transport_find(name) : NULL;
	if (!r->transport)
		r->transport = &tw_transport_libssh2;
	r->may_fall_back = is_auto && r->transport == &tw_transport_libssh2;
}

/* The private key file of the host's organisation, and its own known_hosts
 * where the owner's does not count. */
static enum tw_status files_of(struct tw_store *s, const struct tw_host *h,
    char **key, char **known_hosts, struct tw_err *err)
{
	const char *dir = tw_store_dir(s);
	char *org = NULL;
	enum tw_status st;

	st = tw_org_name(s, h->org_id, &org, err);
	if (st)
		return st;
	*key = tw_org_key_path(dir, org);
	if (!h->own_config)
		*known_hosts = tw_org_known_hosts_path(dir, org);
	free(org);
	return *key && (h->own_config || *known_hosts) ? TW_OK :
	    tw_err_nomem(err);
}

/* *o is what the owner's configuration says of the host: as stored, or anew. */
static enum tw_status load_config(const struct tw_host *h, json_t **o,
    struct tw_err *err)
{
	char *fresh = NULL;
	enum tw_status st;

	st = load(h, o, err);
	if (st)
		return st;
	if (!h->own_config || (h->sshconfig &&
	    json_integer_value(json_object_get(*o, "mtime")) ==
	    (json_int_t)config_mtime()))
		return TW_OK;
	st = tw_reach_config(h->address, h->user_given ? h->user : NULL,
	    h->port_given ? h->port : 0, &fresh, err);
	if (st)
		return st;
	json_decref(*o);
	st = tw_json_load(fresh, h->name, o, err);
	free(fresh);
	return st;
}

enum tw_status tw_reach_make(struct tw_store *s, const struct tw_host *h,
    bool agent, struct tw_reach *out, struct tw_err *err)
{
	enum tw_status st;
	char *key = NULL;
	json_t *o = NULL;

	memset(out, 0, sizeof *out);
	st = files_of(s, h, &key, &out->known_hosts, err);
	if (!st)
		st = load_config(h, &o, err);
	if (!st)
		st = fill(h, key, o, out, err);
	if (!st) {
		out->target.use_agent = agent && h->own_config;
		choose_transport(h, o, out);
	}
	json_decref(o);
	free(key);
	if (st)
		tw_reach_release(out);
	return st;
}

/* ssh's configuration may say other things of another user or port, and the
 * stored ProxyCommand names the old ones: it is asked. */
enum tw_status tw_reach_make_as(struct tw_store *s, const struct tw_host *h,
    const struct tw_successor *login, bool agent, struct tw_reach *out,
    struct tw_err *err)
{
	struct tw_host as = *h;		/* all of it is h's */

	as.sshconfig = NULL;
	if (login->user) {
		as.user = login->user;
		as.user_given = true;
	}
	if (login->port) {
		as.port = login->port;
		as.port_given = true;
	}
	if (login->has_sudo)
		as.sudo = login->sudo;
	return tw_reach_make(s, &as, agent, out, err);
}

void tw_reach_release(struct tw_reach *r)
{
	size_t i;

	for (i = 0; r->identities && r->identities[i]; i++)
		free(r->identities[i]);
	free(r->identities);
	free(r->alias);
	free(r->address);
	free(r->user);
	free(r->via);
	free(r->command);
	free(r->hostkey);
	free(r->known_hosts);
	memset(r, 0, sizeof *r);
}
