/* host_add.c - the verbs of towerify-host that reach hosts: add, set, check */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/name.h"
#include "engine/reach.h"
#include "engine/survey.h"
#include "gate.h"
#include "host.h"
#include "out/escape.h"
#include "ssh/hostkey.h"

#define SET_TRIES 100		/* while others set the same host */

/* --- the host key --------------------------------------------------------------- */

/* The key the host shows now; h->transport_used is set too.  A person accepts
 * it, and with it the way there. */
static enum tw_status learn_key(struct tower *t, struct tw_host *h, char **key,
    struct tw_err *err)
{
	char *used;
	struct tw_reach reach = { 0 };
	const char *transport = NULL;
	enum tw_status st;

	*key = NULL;
	st = tw_reach_make(t->store, h, isatty(STDERR_FILENO), &reach, err);
	reach.target.pin_jumps = true;
	if (!st)
		st = tw_hostkey_learn(&reach.target, h->transport, key,
		    &transport, err);
	if (!st) {
		used = strdup(transport);
		free(h->transport_used);
		h->transport_used = used;
		st = used ? TW_OK : tw_err_nomem(err);
	} else {
		tw_err_prefix(err, "%s", h->name);
	}
	tw_reach_release(&reach);
	return st;
}

/* Is this the key the operator expects?  Asks where nothing was said. */
static enum tw_status accept_key(struct tw_cli *cli, const struct tw_host *h,
    const char *key, struct tw_err *err)
{
	const char *wanted = tw_cli_opt(cli, "host-key");
	char shown[TW_FINGERPRINT_MAX], question[512];
	enum tw_status st;

	st = tw_hostkey_fingerprint(key, shown, err);
	if (st)
		return st;
	if (wanted && strcmp(wanted, shown) != 0) {
		st = tw_err_set(err, TW_NO, "%s: the host shows another key: "
		    "%.*s %s", h->name, (int)strcspn(key, " "), key, shown);
		tw_err_hint(err, "compare it on the host: ssh-keygen -lf "
		    "/etc/ssh/ssh_host_ed25519_key.pub");
		return st;
	}
	if (wanted)
		return TW_OK;
	if (tw_cli_flag(cli, "accept-host-key")) {
		tw_cli_say(cli, "%s: host key %.*s %s", h->name,
		    (int)strcspn(key, " "), key, shown);
		return TW_OK;
	}
	snprintf(question, sizeof question, tw_text("%s (%s port %d) shows "
	    "the host key %.*s\n%s\nIs it the right one?"), h->name, h->address,
	    h->port,
	    (int)strcspn(key, " "), key, shown);
	st = tw_cli_confirm(cli, question, err);
	if (st == TW_USAGE) {
		st = tw_err_set(err, TW_USAGE, "%s: its host key %s can't be "
		    "asked about without a terminal", h->name, shown);
		tw_err_hint(err, "--host-key %s, or --accept-host-key", shown);
	}
	return st;
}

/* --- facts ----------------------------------------------------------------------------- */

enum { C_HOST, C_RESULT, C_OS, C_VERSION, C_ARCH, C_KERNEL, C_MEMORY, C_DISK,
	C_USER, C_SUDO, C_SYSTEMD, C_MISSING, C_TRANSPORT, C_SPOOL, C_ERROR };
const struct tw_column host_check_columns[] = {
	{ "host", N_("HOST"), TW_COL_TEXT, true, N_("the host") },
	{ "result", N_("RESULT"), TW_COL_WORD, true,
	    N_("ok, unreachable, or refused: a person must act") },
	{ "os", N_("OS"), TW_COL_TEXT, true, N_("ID of its os-release") },
	{ "os_version", N_("VERSION"), TW_COL_TEXT, true,
	    N_("VERSION_ID of it") },
	{ "arch", N_("ARCH"), TW_COL_TEXT, true, N_("machine, as uname -m") },
	{ "kernel", N_("KERNEL"), TW_COL_TEXT, false,
	    N_("release, as uname -r") },
	{ "memory_kb", N_("MEMORY KB"), TW_COL_INT, true, N_("memory, KiB") },
	{ "disk_free_kb", N_("DISK KB"), TW_COL_INT, true,
	    N_("free where the spool is, KiB") },
	{ "user", N_("USER"), TW_COL_TEXT, true, N_("steps run as") },
	{ "sudo", N_("SUDO"), TW_COL_BOOL, true, N_("root, or may become it") },
	{ "systemd", N_("SYSTEMD"), TW_COL_BOOL, false,
	    N_("it runs as PID 1") },
	{ "missing", N_("MISSING"), TW_COL_TEXT, true,
	    N_("tools that the executor needs") },
	{ "transport", N_("TRANSPORT"), TW_COL_TEXT, false,
	    N_("libssh2 or ssh") },
	{ "spool_id", N_("SPOOL ID"), TW_COL_TEXT, false,
	    N_("id of its spool") },
	{ "error", N_("ERROR"), TW_COL_TEXT, false, N_("what went wrong") },
	{ 0 }
};

static const char *fact(json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s && *s ? s : NULL;
}

static void fact_int(struct tw_table *t, size_t col, json_t *o,
    const char *key)
{
	const char *s = fact(o, key);

	if (s)
		tw_table_cell_int(t, col, strtoll(s, NULL, 10));
}

static void fact_bool(struct tw_table *t, size_t col, json_t *o,
    const char *key)
{
	const char *s = fact(o, key);

	if (s)
		tw_table_cell_bool(t, col, strcmp(s, "yes") == 0);
}

static enum tw_status fill_check(struct tw_table *t, bool is_people,
    const struct tw_survey_host *h, struct tw_err *err)
{
	json_t *o = json_loads(h->facts ? h->facts : "{}", 0, NULL);

	tw_table_cell_text(t, C_HOST, h->host->name);
	tw_table_cell_text(t, C_RESULT, h->status == TW_OK ?
	    NC_("word", "ok") : h->status == TW_AGAIN ?
	    NC_("word", "unreachable") : NC_("word", "refused"));
	tw_table_cell_text(t, C_OS, fact(o, "os"));
	tw_table_cell_text(t, C_VERSION, fact(o, "os_version"));
	tw_table_cell_text(t, C_ARCH, fact(o, "arch"));
	tw_table_cell_text(t, C_KERNEL, fact(o, "kernel"));
	fact_int(t, C_MEMORY, o, "memory_kb");
	fact_int(t, C_DISK, o, "disk_free_kb");
	tw_table_cell_text(t, C_USER, fact(o, "user"));
	fact_bool(t, C_SUDO, o, "sudo");
	fact_bool(t, C_SYSTEMD, o, "systemd");
	tw_table_cell_text(t, C_MISSING, fact(o, "missing"));
	if (h->status == TW_OK) {
		tw_table_cell_text(t, C_TRANSPORT, h->transport);
		tw_table_cell_text(t, C_SPOOL, h->spool_id);
	} else {
		tw_table_cell_text(t, C_ERROR, is_people ?
		    tw_err_text(&h->err) : h->err.msg);
	}
	json_decref(o);
	return tw_table_row_end(t, err);
}

/* What the hosts said goes into the state. */
static enum tw_status store_check(struct tower *t,
    const struct tw_survey_host *h, struct tw_err *err)
{
	if (h->status || strcmp(h->spool_id, "-") == 0 || !h->spool_id[0])
		return TW_OK;
	return tw_host_checked(t->store, &t->who, h->host->id, h->facts,
	    h->spool_id, h->transport, err);
}

static const char *missing_tools(const struct tw_survey_host *h, char *out,
    size_t size)
{
	json_t *o = json_loads(h->facts ? h->facts : "{}", 0, NULL);
	const char *s = fact(o, "missing");

	snprintf(out, size, "%s", s ? s : "");
	json_decref(o);
	return out;
}

/* Asks hosts of one kind: those whose spool is pinned, or the others, where it
 * is made. */
static enum tw_status ask(struct tower *t, struct tw_survey_host *asked,
    size_t n, const char *verb, int jobs, struct tw_err *err)
{
	struct tw_survey_options o = {
		.store = t->store,
		.verb = verb,
		.jobs = jobs,
		.agent = isatty(STDERR_FILENO),
	};

	return n > 0 ? tw_survey(asked, n, &o, err) : TW_OK;
}

/* asked[] is ordered: new hosts first. */
static enum tw_status ask_all(struct tower *t, const struct tw_host *hosts,
    size_t n, int jobs, struct tw_survey_host *asked, struct tw_err *err)
{
	size_t nnew = 0, k = 0, i;
	enum tw_status st;

	for (i = 0; i < n; i++)
		if (!hosts[i].spool_id)
			asked[k++].host = &hosts[i];
	nnew = k;
	for (i = 0; i < n; i++)
		if (hosts[i].spool_id)
			asked[k++].host = &hosts[i];
	st = ask(t, asked, nnew, "init", jobs, err);
	if (!st)
		st = ask(t, asked + nnew, n - nnew, "facts", jobs, err);
	for (i = 0; i < n && !st; i++)
		st = store_check(t, &asked[i], err);
	return st;
}

static enum tw_status say_result(struct tw_cli *cli,
    struct tw_survey_host *h)
{
	char tools[256];

	if (h->status) {
		tw_err_prefix(&h->err, "%s", h->host->name);
		tw_cli_error(cli, &h->err);
		return h->status;
	}
	if (*missing_tools(h, tools, sizeof tools)) {
		tw_cli_warn(cli, "%s: lacks tools the executor needs: %s",
		    h->host->name, tools);
		return TW_NO;
	}
	return TW_OK;
}

int host_check(struct tw_cli *cli, int argc, char **argv)
{
	struct tw_table_options o = cli->table;
	struct tw_survey_host *asked = NULL;
	enum tw_status st, worst = TW_OK;
	struct tower *t = cli->context;
	struct tw_table *table = NULL;
	struct tw_host *hosts = NULL;
	struct tw_err err = { 0 };
	size_t n = 0, i;
	int jobs = 0;

	(void)argc;
	o.noun = "hosts";
	st = tw_table_new(host_check_columns, &o, &table, &err);
	if (!st)
		st = tower_jobs(cli, t, &jobs, &err);
	if (!st)
		st = tower_select_live(cli, argv[0], &hosts, &n, &err);
	if (!st)
		st = tw_host_permit(t->store, &t->who, TW_MAY_HOST, hosts, n,
		    NULL, &err);
	if (!st) {
		asked = calloc(n + 1, sizeof *asked);
		st = asked ? ask_all(t, hosts, n, jobs, asked, &err) :
		    tw_err_nomem(&err);
	}
	for (i = 0; i < n && !st; i++) {
		st = fill_check(table,
		    o.mode == TW_TABLE_PEOPLE, &asked[i], &err);
		worst = tw_status_worse(worst, say_result(cli, &asked[i]));
	}
	if (!st)
		st = tw_table_print(table, stdout, &err);
	if (asked)
		tw_survey_release(asked, n);
	free(asked);
	tw_table_free(table);
	tw_host_list_free(hosts, n);
	return st ? tw_cli_error(cli, &err) : tw_status_exit(worst);
}

/* --- add ---------------------------------------------------------------------------------- */

static enum tw_status set_option(struct tw_cli *cli, struct tw_host *h,
    const char *option, const char *key, struct tw_err *err)
{
	const char *value = tw_cli_opt(cli, option);
	char *old = NULL;
	enum tw_status st;

	if (!value)
		return TW_OK;
	if (!*value)
		return tw_err_set(err, TW_USAGE, "--%s is empty", option);
	st = host_set_key(h, key, value, &old, err);
	free(old);
	return st;
}

static enum tw_status set_labels(struct tw_cli *cli, struct tw_host *h,
    struct tw_err *err)
{
	enum tw_status st = TW_OK;
	char key[TW_NAME_MAX + 8], *old;
	const char *arg, *eq;
	size_t i;

	for (i = 0; !st && (arg = tw_cli_opt_each(cli, "label", i)); i++) {
		eq = strchr(arg, '=');
		if (!eq || !eq[1] || (size_t)(eq - arg) > TW_NAME_MAX)
			return tw_err_set(err, TW_USAGE,
			    "--label takes K=V, not '%s'", arg);
		snprintf(key, sizeof key, "label.%.*s", (int)(eq - arg), arg);
		st = host_set_key(h, key, eq + 1, &old, err);
		free(old);
	}
	return st;
}

/* What the owner's ~/.ssh/config says of the host, where that counts. */
static enum tw_status ask_config(struct tw_host *h, struct tw_err *err)
{
	enum tw_status st = TW_OK;

	free(h->sshconfig);
	h->sshconfig = NULL;
	if (h->own_config)
		st = tw_reach_config(h->address, h->user_given ? h->user :
		    NULL, h->port_given ? h->port : 0, &h->sshconfig, err);
	return st ? st : tw_reach_defaults(h, err);
}

/* What the command line says of the host, and ~/.ssh/config. */
static enum tw_status describe_host(struct tw_cli *cli, const char *name,
    const char *address, struct tw_host *h, struct tw_err *err)
{
	enum tw_status st;

	if (!tw_name_ok(name))
		return tw_err_set(err, TW_USAGE, "'%s' can't be the name of a "
		    "host: letters, digits, dots, dashes, underscores", name);
	h->name = strdup(name);
	h->transport = strdup("auto");
	if (!h->name || !h->transport)
		return tw_err_nomem(err);
	h->sudo = tw_cli_flag(cli, "sudo");
	h->own_config = !gate_is_there();
	st = host_parse_address(address, h, err);
	if (!st)
		st = set_option(cli, h, "via", "via", err);
	if (!st)
		st = set_option(cli, h, "identity", "identity", err);
	if (!st)
		st = set_option(cli, h, "spool", "spool", err);
	if (!st)
		st = set_option(cli, h, "transport", "transport", err);
	if (!st)
		st = set_labels(cli, h, err);
	return st ? st : ask_config(h, err);
}

/* The first login.  The host stays added when it fails. */
static enum tw_status first_login(struct tw_cli *cli, struct tower *t,
    const struct tw_host *h, struct tw_err *err)
{
	struct tw_survey_host asked = { .host = h };
	enum tw_status st;

	st = ask_all(t, h, 1, 1, &asked, err);
	if (st)
		return st;
	if (asked.status) {
		tw_err_prefix(&asked.err, "%s: added, but the tower can't log "
		    "in yet", h->name);
		if (!asked.err.hint[0] && asked.status == TW_NO)
			tw_err_hint(&asked.err, "append the tower's key to "
			    "%s's authorized_keys there (towerify-host key), "
			    "then: towerify-host check %s", h->user, h->name);
		else if (!asked.err.hint[0])
			tw_err_hint(&asked.err, "towerify-host check %s",
			    h->name);
		tw_cli_error(cli, &asked.err);
		st = asked.status;
	} else {
		st = say_result(cli, &asked);
		tw_cli_say(cli, "%s is added", h->name);
	}
	tw_survey_release(&asked, 1);
	if (st)
		err->msg[0] = '\0';
	return st;
}

int host_add(struct tw_cli *cli, int argc, char **argv)
{
	struct tower *t = cli->context;
	struct tw_host h = { 0 }, known = { 0 };
	struct tw_err err = { 0 };
	enum tw_status st;

	(void)argc;
	h.org_id = t->who.org_id;
	st = describe_host(cli, argv[0], argv[1], &h, &err);
	if (!st)
		st = tw_host_permit(t->store, &t->who, TW_MAY_HOST, &h, 1,
		    NULL, &err);
	if (!st && tw_host_get(t->store, &t->who, h.name, &known, NULL) ==
	    TW_OK && !known.revoked)
		st = tw_err_set(&err, TW_NO, "there is a host '%s' already",
		    h.name);
	if (!st)
		st = learn_key(t, &h, &h.hostkey, &err);
	if (!st)
		st = accept_key(cli, &h, h.hostkey, &err);
	if (!st)
		st = tw_host_add(t->store, &t->who, &h, &err);
	tw_host_release(&known);
	memset(&known, 0, sizeof known);
	if (!st)
		st = tw_host_get(t->store, &t->who, h.name, &known, &err);
	if (!st)
		st = first_login(cli, t, &known, &err);
	tw_host_release(&known);
	tw_host_release(&h);
	return st && err.msg[0] ? tw_cli_error(cli, &err) :
	    tw_status_exit(st);
}

/* --- set ------------------------------------------------------------------------------------ */

static enum tw_status accept_hostkey(struct tw_cli *cli, struct tower *t,
    struct tw_host *h, char **old, struct tw_err *err)
{
	char *key = NULL, shown[TW_FINGERPRINT_MAX];
	enum tw_status st;

	/* It may be another machine: its name is not the tower's to give. */
	if (gate_is_there())
		host_leave_config(h);
	st = learn_key(t, h, &key, err);
	if (st)
		return st;
	*old = h->hostkey;
	h->hostkey = key;
	st = tw_hostkey_fingerprint(key, shown, err);
	if (!st)
		tw_cli_say(cli, "%s: host key %.*s %s", h->name,
		    (int)strcspn(key, " "), key, shown);
	return st;
}

static enum tw_status accept_spool(struct tower *t, struct tw_host *h,
    char **old, struct tw_err *err)
{
	struct tw_survey_host asked = { .host = h };
	char *pinned = h->spool_id;
	enum tw_status st;

	h->spool_id = NULL;
	st = ask(t, &asked, 1, "init", 1, err);
	if (!st && asked.status) {
		*err = asked.err;
		st = tw_err_prefix(err, "%s", h->name);
	}
	if (!st) {
		h->fence_epoch = h->fence_seq = 0;
		h->spool_id = strdup(asked.spool_id);
		st = h->spool_id ? TW_OK : tw_err_nomem(err);
	}
	tw_survey_release(&asked, 1);
	*old = pinned;
	return st;
}

static void note(json_t *detail, const char *key, const char *old,
    const char *now)
{
	json_object_set_new(detail, key, json_pack("{s:s,s:s}", "old", old,
	    "new", now));
}

/* One KEY=VALUE; what changed goes into detail. */
static enum tw_status set_one(struct tw_cli *cli, struct tower *t,
    struct tw_host *h, const char *arg, json_t *detail, struct tw_err *err)
{
	const char *eq = strchr(arg, '=');
	char *key, *old = NULL;
	const char *now = eq ? eq + 1 : "";
	enum tw_status st;

	if (!eq)
		return tw_err_set(err, TW_USAGE, "'%s' is not KEY=VALUE", arg);
	key = strndup(arg, (size_t)(eq - arg));
	if (!key)
		return tw_err_nomem(err);
	if (strcmp(key, "host-key") != 0 && strcmp(key, "spool-id") != 0) {
		st = host_set_key(h, key, now, &old, err);
	} else if (strcmp(now, "accept") != 0) {
		st = tw_err_set(err, TW_USAGE, "%s takes 'accept', not '%s'",
		    key, now);
	} else if (strcmp(key, "host-key") == 0) {
		st = accept_hostkey(cli, t, h, &old, err);
		now = h->hostkey;
	} else {
		st = accept_spool(t, h, &old, err);
		now = h->spool_id;
	}
	if (!st)
		note(detail, key, old ? old : "", now);
	free(old);
	free(key);
	return st;
}

static bool wants_config(const char *arg)
{
	return strncmp(arg, "address=", 8) == 0 ||
	    strncmp(arg, "user=", 5) == 0 || strncmp(arg, "port=", 5) == 0;
}

/* set_one(), and what follows from it. */
static enum tw_status set_next(struct tw_cli *cli, struct tower *t,
    struct tw_host *h, const char *arg, json_t *detail, struct tw_err *err)
{
	char *identity = h->identity ? strdup(h->identity) : NULL;
	bool had_config = h->own_config;
	enum tw_status st;

	st = set_one(cli, t, h, arg, detail, err);
	if (!st && had_config != h->own_config) {
		note(detail, "ssh-config", had_config ? "yes" : "no",
		    had_config ? "no" : "yes");
		if (identity)
			note(detail, "identity", identity, "");
	}
	if (!st && (had_config != h->own_config || wants_config(arg)))
		st = ask_config(h, err);
	free(identity);
	return st;
}

/* As it is now, twice: *was stays so. */
static enum tw_status read_twice(struct tower *t, const char *name,
    struct tw_host *was, struct tw_host *h, struct tw_err *err)
{
	enum tw_status st;

	do {
		tw_host_release(was);
		tw_host_release(h);
		st = tw_host_get(t->store, &t->who, name, was, err);
		if (!st)
			st = tw_host_get(t->store, &t->who, name, h, err);
	} while (!st && !tw_host_is_same(was, h));
	return st;
}

static enum tw_status set_all(struct tw_cli *cli, struct tower *t, int argc,
    char **argv, struct tw_host *was, struct tw_err *err)
{
	size_t mark = tw_json_mark();
	json_t *detail = json_object();
	struct tw_host h = { 0 };
	enum tw_status st;
	char *text = NULL;
	int i;

	st = read_twice(t, argv[0], was, &h, err);
	if (!st)
		st = tw_host_permit(t->store, &t->who, TW_MAY_HOST, &h, 1,
		    NULL, err);
	for (i = 1; i < argc && !st; i++)
		st = set_next(cli, t, &h, argv[i], detail, err);
	if (!st) {
		text = tw_json_dump(detail, JSON_COMPACT | JSON_SORT_KEYS,
		    mark);
		st = text ? tw_host_save(t->store, &t->who, was, &h, text,
		    err) : tw_err_nomem(err);
	}
	free(text);
	json_decref(detail);
	tw_host_release(&h);
	return st;
}

/* What somebody else changes meanwhile is not lost: it begins again then. */
int host_set(struct tw_cli *cli, int argc, char **argv)
{
	struct tower *t = cli->context;
	struct tw_host was = { 0 }, now = { 0 };
	struct tw_err err = { 0 };
	enum tw_status st;
	bool is_changed;
	int tries = 0;

	do {
		st = set_all(cli, t, argc, argv, &was, &err);
		is_changed = st == TW_AGAIN && tw_host_get(t->store, &t->who,
		    argv[0], &now, NULL) == TW_OK &&
		    !tw_host_is_same(&was, &now);
		tw_host_release(&now);
		tw_host_release(&was);
	} while (is_changed && ++tries < SET_TRIES);
	return st ? tw_cli_error(cli, &err) : TW_OK;
}
