/* towerify-host.c - the hosts of a tower: towerify-host(1) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "filing.h"
#include "host.h"
#include "ssh/hostkey.h"

enum { COL_NAME, COL_ADDRESS, COL_PORT, COL_USER, COL_STATUS, COL_QUEUED,
	COL_RUNNING, COL_LABELS, COL_HELD_REASON, COL_HELD_SINCE, COL_HELD_BY,
	COL_SUDO, COL_VIA, COL_IDENTITY, COL_CONFIG, COL_SPOOL, COL_SPOOL_ID,
	COL_TRANSPORT, COL_USED, COL_HOSTKEY, COL_FINGERPRINT, COL_SEEN,
	COL_ERROR, COL_ERROR_AT, COL_NEXT, COL_FACTS, COL_FACTS_AT,
	COL_CREATED, COL_REVOKED, COL_REVOKED_BY };
static const struct tw_column columns[] = {
	{ "name", N_("NAME"), TW_COL_TEXT, true, N_("the host") },
	{ "address", N_("ADDRESS"), TW_COL_TEXT, true, N_("as it was added") },
	{ "port", N_("PORT"), TW_COL_INT, true, N_("of its sshd") },
	{ "user", N_("USER"), TW_COL_TEXT, true, N_("login there") },
	{ "status", N_("STATUS"), TW_COL_WORD, true,
	    N_("ready, running, held, new, unreachable, revoked") },
	{ "queued", N_("QUEUED"), TW_COL_INT, true, N_("changes that wait") },
	{ "running", N_("RUNNING"), TW_COL_INT, true,
	    N_("the change that runs") },
	{ "labels", N_("LABELS"), TW_COL_TEXT, true, N_("K=V,...") },
	{ "held_reason", N_("HELD BECAUSE"), TW_COL_TEXT, false,
	    N_("why it is held") },
	{ "held_since", N_("HELD SINCE"), TW_COL_TIME, false,
	    N_("since when") },
	{ "held_by", N_("HELD BY"), TW_COL_TEXT, false,
	    N_("a login, or tower") },
	{ "sudo", N_("SUDO"), TW_COL_BOOL, false,
	    N_("become root by sudo -n") },
	{ "via", N_("VIA"), TW_COL_TEXT, false, N_("jump host") },
	{ "identity", N_("IDENTITY"), TW_COL_TEXT, false,
	    N_("private key file") },
	{ "ssh_config", N_("SSH CONFIG"), TW_COL_BOOL, false,
	    N_("the tower's own ~/.ssh counts") },
	{ "spool", N_("SPOOL"), TW_COL_TEXT, false, N_("directory there") },
	{ "spool_id", N_("SPOOL ID"), TW_COL_TEXT, false,
	    N_("pinned id of it") },
	{ "transport", N_("TRANSPORT"), TW_COL_TEXT, false,
	    N_("auto, libssh2 or ssh") },
	{ "transport_used", N_("USED"), TW_COL_TEXT, false,
	    N_("what auto came to") },
	{ "host_key", N_("HOST KEY"), TW_COL_TEXT, false, N_("pinned key") },
	{ "fingerprint", N_("FINGERPRINT"), TW_COL_TEXT, false,
	    N_("SHA-256 of it") },
	{ "last_seen", N_("LAST SEEN"), TW_COL_TIME, false,
	    N_("when it answered") },
	{ "last_error", N_("LAST ERROR"), TW_COL_TEXT, false,
	    N_("of a contact") },
	{ "last_error_at", N_("ERROR AT"), TW_COL_TIME, false, N_("when") },
	{ "next_attempt", N_("NEXT ATTEMPT"), TW_COL_TIME, false,
	    N_("no contact before") },
	{ "facts", N_("FACTS"), TW_COL_JSON, false, N_("gathered by check") },
	{ "facts_at", N_("FACTS AT"), TW_COL_TIME, false, N_("when") },
	{ "created", N_("ADDED"), TW_COL_TIME, false, N_("when it was added") },
	{ "revoked", N_("REVOKED"), TW_COL_TIME, false,
	    N_("when the tower left it") },
	{ "revoked_by", N_("REVOKED BY"), TW_COL_TEXT, false, N_("a login") },
	{ 0 }
};

static const char *status_of(const struct tw_host *h)
{
	if (h->revoked)
		return NC_("word", "revoked");
	if (h->held_reason)
		return NC_("word", "held");
	if (h->running)
		return NC_("word", "running");
	if (!h->spool_id)
		return NC_("word", "new");
	return h->failures ? NC_("word", "unreachable") : NC_("word", "ready");
}

static void cell_labels(struct tw_table *t, const struct tw_host *h)
{
	struct tw_buf b = TW_BUF_INIT;
	size_t i;

	for (i = 0; h->labels && h->labels[i]; i++)
		tw_buf_addf(&b, "%s%s", i ? "," : "", h->labels[i]);
	tw_table_cell_text(t, COL_LABELS, b.len ? b.data : NULL);
	tw_buf_release(&b);
}

static enum tw_status fill(struct tw_table *t, const struct tw_host *h,
    struct tw_err *err)
{
	char fingerprint[TW_FINGERPRINT_MAX] = "";

	tw_table_cell_text(t, COL_NAME, h->name);
	tw_table_cell_text(t, COL_ADDRESS, h->address);
	tw_table_cell_int(t, COL_PORT, h->port);
	tw_table_cell_text(t, COL_USER, h->user);
	tw_table_cell_text(t, COL_STATUS, status_of(h));
	tw_table_cell_int(t, COL_QUEUED, h->queued);
	if (h->running)
		tw_table_cell_int(t, COL_RUNNING, h->running);
	cell_labels(t, h);
	tw_table_cell_text(t, COL_HELD_REASON, h->held_reason);
	tw_table_cell_time(t, COL_HELD_SINCE, h->held_since);
	tw_table_cell_text(t, COL_HELD_BY, h->held_by);
	tw_table_cell_bool(t, COL_SUDO, h->sudo);
	tw_table_cell_text(t, COL_VIA, h->via);
	tw_table_cell_text(t, COL_IDENTITY, h->identity);
	tw_table_cell_bool(t, COL_CONFIG, h->own_config);
	tw_table_cell_text(t, COL_SPOOL, h->spool);
	tw_table_cell_text(t, COL_SPOOL_ID, h->spool_id);
	tw_table_cell_text(t, COL_TRANSPORT, h->transport);
	tw_table_cell_text(t, COL_USED, h->transport_used);
	tw_table_cell_text(t, COL_HOSTKEY, h->hostkey);
	if (tw_table_wants(t, COL_FINGERPRINT) &&
	    tw_hostkey_fingerprint(h->hostkey, fingerprint, NULL) == TW_OK)
		tw_table_cell_text(t, COL_FINGERPRINT, fingerprint);
	tw_table_cell_time(t, COL_SEEN, h->last_seen);
	tw_table_cell_text(t, COL_ERROR, h->last_error);
	tw_table_cell_time(t, COL_ERROR_AT, h->last_error_at);
	tw_table_cell_time(t, COL_NEXT, h->next_attempt);
	tw_table_cell_json(t, COL_FACTS, h->facts);
	tw_table_cell_time(t, COL_FACTS_AT, h->facts_at);
	tw_table_cell_time(t, COL_CREATED, h->created);
	tw_table_cell_time(t, COL_REVOKED, h->revoked);
	tw_table_cell_text(t, COL_REVOKED_BY, h->revoked_by);
	return tw_table_row_end(t, err);
}

static int list(struct tw_cli *cli, int argc, char **argv)
{
	struct tw_table_options o = cli->table;
	struct tw_table *table = NULL;
	struct tw_host *hosts = NULL;
	struct tw_err err = { 0 };
	enum tw_status st = TW_OK;
	size_t n = 0, i;

	o.noun = "hosts";
	st = tw_table_new(columns, &o, &table, &err);
	if (!st)
		st = tower_select(cli, argc > 0 ? argv[0] : NULL, &hosts, &n,
		    &err);
	for (i = 0; i < n && !st; i++)
		st = fill(table, &hosts[i], &err);
	if (!st)
		st = tw_table_print(table, stdout, &err);
	tw_table_free(table);
	tw_host_list_free(hosts, n);
	return st ? tw_cli_error(cli, &err) : TW_OK;
}

static int show(struct tw_cli *cli, int argc, char **argv)
{
	struct tw_table_options o = cli->table;
	struct tower *t = cli->context;
	struct tw_table *table = NULL;
	struct tw_host h = { 0 };
	struct tw_err err = { 0 };
	enum tw_status st;

	(void)argc;
	o.noun = "hosts";
	o.all_columns = true;
	st = tw_table_new(columns, &o, &table, &err);
	if (!st)
		st = tw_host_get(t->store, &t->who, argv[0], &h, &err);
	if (!st)
		st = fill(table, &h, &err);
	if (!st)
		st = tw_table_show(table, stdout, &err);
	tw_table_free(table);
	tw_host_release(&h);
	return st ? tw_cli_error(cli, &err) : TW_OK;
}

static int hold(struct tw_cli *cli, int argc, char **argv)
{
	const char *reason = tw_cli_opt(cli, "reason");
	struct tower *t = cli->context;
	struct tw_err err = { 0 };

	(void)argc;
	if (tw_host_hold(t->store, &t->who, argv[0], reason && *reason ?
	    reason : "no reason given", &err))
		return tw_cli_error(cli, &err);
	return TW_OK;
}

static int release(struct tw_cli *cli, int argc, char **argv)
{
	struct tower *t = cli->context;
	struct tw_err err = { 0 };

	(void)argc;
	if (tw_host_release_hold(t->store, &t->who, argv[0], &err))
		return tw_cli_error(cli, &err);
	return TW_OK;
}

static int remove_host(struct tw_cli *cli, int argc, char **argv)
{
	struct tower *t = cli->context;
	struct tw_err err = { 0 };

	(void)argc;
	if (tw_host_remove(t->store, &t->who, argv[0], &err))
		return tw_cli_error(cli, &err);
	return TW_OK;
}

/* The organisation's public key. */
static int key(struct tw_cli *cli, int argc, char **argv)
{
	struct tower *t = cli->context;
	struct tw_buf text = TW_BUF_INIT;
	struct tw_err err = { 0 };
	enum tw_status st;

	(void)argc;
	(void)argv;
	if (tw_host_permit_any(t->store, &t->who, TW_MAY_HOST, &err))
		return tw_cli_error(cli, &err);
	st = host_public_key(t, &text, &err);
	if (!st)
		fwrite(text.data, 1, text.len, stdout);
	tw_buf_release(&text);
	return st ? tw_cli_error(cli, &err) : TW_OK;
}

static const struct tw_option add_options[] = {
	{ "host-key", 0, "SHA256:...", N_("the fingerprint it must show"),
	    false },
	{ "accept-host-key", 0, NULL, N_("pin whatever key it shows now"),
	    false },
	{ "via", 0, "JUMP", N_("reach it through this host"), false },
	{ "identity", 0, "FILE", N_("log in with this private key"), false },
	{ "sudo", 0, NULL, N_("become root there by sudo -n"), false },
	{ "label", 0, "K=V", N_("a label, for @K=V in TARGETS"), true },
	{ "spool", 0, "DIR", N_("the executor's directory there"), false },
	{ "transport", 0, "auto|libssh2|ssh", N_("how to speak SSH"), false },
	{ 0 }
};
static const struct tw_option hold_options[] = {
	{ "reason", 0, "TEXT", N_("why, for all who look"), false },
	{ 0 }
};
static const struct tw_option revoke_options[] = {
	{ "yes", 0, NULL, N_("also where that takes more with it"), false },
	{ 0 }
};
static const struct tw_option provision_options[] = {
	FILING_OPTIONS,
	{ "yes", 0, NULL, N_("do what can't be undone, without a question"),
	    false },
	{ 0 }
};
static const struct tw_option check_options[] = {
	{ "jobs", 0, "N", N_("hosts asked at once"), false },
	{ 0 }
};

static const struct tw_verb verbs[] = {
	{ "add", host_add, add_options, "NAME [ssh://][USER@]HOST[:PORT]", 2,
	    2, TW_NEEDS_CREATE, N_("add a host, pin its key, log in once"),
	    NULL },
	{ "list", list, NULL, "[TARGETS]", 0, 1, TW_NEEDS_READ,
	    N_("the hosts there are"), columns },
	{ "show", show, NULL, "NAME", 1, 1, TW_NEEDS_READ,
	    N_("all that is known of a host"), columns },
	{ "set", host_set, NULL, "NAME KEY=VALUE...", 2, -1, TW_NEEDS_WRITE,
	    N_("change what is known"), NULL },
	{ "check", host_check, check_options, "TARGETS", 1, 1, TW_NEEDS_WRITE,
	    N_("reach each, gather facts"), host_check_columns },
	{ "hold", hold, hold_options, "NAME", 1, 1, TW_NEEDS_WRITE,
	    N_("stop its queue"), NULL },
	{ "release", release, NULL, "NAME", 1, 1, TW_NEEDS_WRITE,
	    N_("let its queue go on"), NULL },
	{ "revoke", host_revoke, revoke_options, "NAME", 1, 1, TW_NEEDS_WRITE,
	    N_("take the tower's key and files off it"), NULL },
	{ "remove", remove_host, NULL, "NAME", 1, 1, TW_NEEDS_WRITE,
	    N_("forget it; nothing changes there"), NULL },
	{ "provision", host_provision, provision_options, "NAME", 1, 1,
	    TW_NEEDS_WRITE, N_("turn a server into a YunoHost host"), NULL },
	{ "key", key, NULL, NULL, 0, 0, TW_NEEDS_CREATE,
	    N_("print the tower's public key"), NULL },
};

int main(int argc, char **argv)
{
	return tower_main(argc, argv, "towerify-host",
	    "the hosts of a tower", verbs,
	    sizeof verbs / sizeof *verbs);
}
