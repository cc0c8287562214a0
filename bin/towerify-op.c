/* towerify-op.c - the operators of a tower: towerify-op(1) */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/name.h"
#include "gate.h"
#include "model/operator.h"
#include "op.h"

/* --- list, show ------------------------------------------------------------ */

enum { COL_OPERATOR, COL_ADMIN, COL_SINCE, COL_GRANTS };
static const struct tw_column list_columns[] = {
	{ "operator", N_("OPERATOR"), TW_COL_TEXT, true, N_("the login") },
	{ "admin", N_("ADMINISTRATOR"), TW_COL_BOOL, true,
	    N_("of this tower") },
	{ "since", N_("SINCE"), TW_COL_TIME, true,
	    N_("member of the organisation") },
	{ "grants", N_("GRANTS"), TW_COL_INT, true, N_("live ones") },
	{ 0 }
};
static const struct tw_column show_columns[] = {
	{ "operator", N_("Operator"), TW_COL_TEXT, true, N_("the login") },
	{ "admin", N_("Administrator"), TW_COL_BOOL, true,
	    N_("of this tower") },
	{ "since", N_("Since"), TW_COL_TIME, true,
	    N_("member of the organisation") },
	{ "grants", N_("Grants"), TW_COL_JSON, false,
	    N_("as grants lists them") },
	{ 0 }
};

static void fill(struct tw_table *t, const struct tw_operator *o)
{
	tw_table_cell_text(t, COL_OPERATOR, o->login);
	tw_table_cell_bool(t, COL_ADMIN, o->is_admin);
	tw_table_cell_time(t, COL_SINCE, o->since);
}

static int list(struct tw_cli *cli, int argc, char **argv)
{
	struct tw_table_options o = cli->table;
	struct tower *t = cli->context;
	struct tw_operator *ops = NULL;
	struct tw_table *table = NULL;
	struct tw_err err = { 0 };
	enum tw_status st;
	size_t n = 0, i;

	(void)argc;
	(void)argv;
	o.noun = "operators";
	st = tw_table_new(list_columns, &o, &table, &err);
	if (!st)
		st = tw_operator_list(t->store, &t->who, NULL, &ops, &n,
		    &err);
	for (i = 0; i < n && !st; i++) {
		fill(table, &ops[i]);
		tw_table_cell_int(table, COL_GRANTS, ops[i].grants);
		st = tw_table_row_end(table, &err);
	}
	if (!st)
		st = tw_table_print(table, stdout, &err);
	tw_table_free(table);
	tw_operator_list_free(ops, n);
	return st ? tw_cli_error(cli, &err) : TW_OK;
}

/* For people the grants are a table of their own, below. */
static enum tw_status show_one(struct tw_cli *cli,
    const struct tw_operator *op, struct tw_err *err)
{
	bool is_people = cli->table.mode == TW_TABLE_PEOPLE &&
	    !cli->table.output;
	struct tw_table *table = NULL, *grants = NULL;
	struct tw_table_options o = cli->table, go = cli->table;
	struct tw_buf json = TW_BUF_INIT;
	enum tw_status st;
	size_t n = 0;

	o.noun = "operators";
	o.all_columns = !is_people;
	go.noun = "grants";
	go.output = is_people ? "num,permission,hosts,app,until,state" : NULL;
	go.all_columns = true;
	st = tw_table_new(show_columns, &o, &table, err);
	if (!st)
		st = op_grants_table(cli->context, op->login, &go, &grants,
		    &n, err);
	if (!st && !is_people)
		st = tw_table_array(grants, &json, err);
	if (!st) {
		fill(table, op);
		if (!is_people)
			tw_table_cell_json(table, COL_GRANTS,
			    tw_buf_str(&json));
		st = tw_table_row_end(table, err);
	}
	if (!st)
		st = tw_table_show(table, stdout, err);
	if (!st && is_people && n > 0) {
		putchar('\n');
		st = tw_table_print(grants, stdout, err);
	}
	tw_buf_release(&json);
	tw_table_free(grants);
	tw_table_free(table);
	return st;
}

static int show(struct tw_cli *cli, int argc, char **argv)
{
	struct tower *t = cli->context;
	struct tw_operator *ops = NULL;
	struct tw_err err = { 0 };
	enum tw_status st;
	size_t n = 0;

	(void)argc;
	st = tw_operator_list(t->store, &t->who, argv[0], &ops, &n, &err);
	if (!st)
		st = show_one(cli, &ops[0], &err);
	tw_operator_list_free(ops, n);
	return st ? tw_cli_error(cli, &err) : TW_OK;
}

/* --- add, remove, set ------------------------------------------------------- */

/* The record of a key that is to go into the owner's authorized_keys (transaction
 * open).  *there: it was in already. */
static enum tw_status record_key(struct tower *t, const struct op_key *key,
    struct op_keys *keys, bool *there, struct tw_err *err)
{
	enum tw_status st = TW_OK;

	if (!t->who.is_admin) {
		tw_err_set(err, TW_DENIED, "%s may not install keys: that is "
		    "for administrators of the tower", t->who.login);
		tw_err_hint(err, "without --install the line is printed: "
		    "give it to one of them");
		return TW_DENIED;
	}
	st = op_keys_look(key, keys, there, err);
	if (!st && !*there)
		st = tw_operator_key(t->store, &t->who, key->login,
		    key->public.fingerprint, err);
	return st;
}

/* The key goes in once its record is kept: killed between them, a key that lets
 * in would have none.  A transaction that writes nothing keeps others out while
 * the file is read and replaced. */
static enum tw_status install(struct tower *t, const struct op_key *key,
    struct tw_err *err)
{
	struct op_keys keys = { 0 };
	enum tw_status st;
	bool there;

	st = tw_store_begin(t->store, err);
	if (st)
		return st;
	st = op_keys_look(key, &keys, &there, err);
	if (!st && !there)
		st = op_keys_put(&keys, key, err);
	op_keys_release(&keys);
	tw_store_rollback(t->store);
	return st;
}

/* One transaction for the member and the record of the key; then the key. */
static enum tw_status add_with_key(struct tw_cli *cli, const char *login,
    const struct op_key *key, bool *added, struct tw_err *err)
{
	bool wants_install = tw_cli_flag(cli, "install"), there = false;
	struct tower *t = cli->context;
	struct op_keys keys = { 0 };
	enum tw_status st;

	st = tw_store_begin(t->store, err);
	if (st)
		return st;
	st = tw_operator_add(t->store, &t->who, login, added, err);
	if (!st && wants_install)
		st = record_key(t, key, &keys, &there, err);
	if (!st)
		st = tw_store_commit(t->store, err);
	if (st)
		tw_store_rollback(t->store);
	if (!st && wants_install && !there)
		st = install(t, key, err);
	if (!st && wants_install)
		tw_cli_say(cli, "%s: %s for %s %s", keys.path,
		    key->public.fingerprint, login, there ?
		    W_("was there already") : W_("is in"));
	op_keys_release(&keys);
	return st;
}

static int add(struct tw_cli *cli, int argc, char **argv)
{
	const char *file = tw_cli_opt(cli, "ssh-key"), *login = argv[0];
	bool wants_install = tw_cli_flag(cli, "install"), added = false;
	struct tower *t = cli->context;
	struct op_key key = { 0 };
	struct tw_err err = { 0 };
	enum tw_status st;

	(void)argc;
	if (!tw_name_ok(login))
		return tw_cli_usage(cli, "'%s' is not a login", login);
	if (wants_install && !file)
		return tw_cli_usage(cli, "--install needs --ssh-key: which "
		    "key is to be installed?");
	st = file ? op_key_read(t, file, login, &key, &err) : TW_OK;
	if (!st)
		st = file ? add_with_key(cli, login, &key, &added, &err) :
		    tw_operator_add(t->store, &t->who, login, &added, &err);
	if (!st && file && !wants_install)
		fputs(key.line, stdout);
	op_key_release(&key);
	if (st)
		return tw_cli_error(cli, &err);
	if (added)
		tw_cli_say(cli, "%s may do nothing yet in organisation '%s': "
		    "see towerify-op grant", login, t->who.org);
	else if (!file)
		tw_cli_say(cli, "%s is an operator of organisation '%s' "
		    "already", login, t->who.org);
	return TW_OK;
}

static int remove_operator(struct tw_cli *cli, int argc, char **argv)
{
	struct tower *t = cli->context;
	struct tw_err err = { 0 };

	(void)argc;
	if (tw_operator_remove(t->store, &t->who, argv[0], &err))
		return tw_cli_error(cli, &err);
	return TW_OK;
}

static int set(struct tw_cli *cli, int argc, char **argv)
{
	bool is_admin = strcmp(argv[1], "admin=yes") == 0;
	struct tower *t = cli->context;
	struct tw_err err = { 0 };

	(void)argc;
	if (!is_admin && strcmp(argv[1], "admin=no") != 0)
		return tw_cli_usage(cli, "'%s' can't be set: wanted "
		    "admin=yes or admin=no", argv[1]);
	if (tw_operator_set_admin(t->store, &t->who, argv[0], is_admin, &err))
		return tw_cli_error(cli, &err);
	return TW_OK;
}

/* --- whoami, init ------------------------------------------------------------- */

enum { WHO_OPERATOR, WHO_ORG, WHO_ADMIN, WHO_STATE };
static const struct tw_column whoami_columns[] = {
	{ "operator", N_("OPERATOR"), TW_COL_TEXT, true, N_("who you are") },
	{ "org", N_("ORGANISATION"), TW_COL_TEXT, true,
	    N_("for whom you act") },
	{ "admin", N_("ADMINISTRATOR"), TW_COL_BOOL, true,
	    N_("of this tower") },
	{ "state", N_("STATE"), TW_COL_TEXT, true, N_("its directory") },
	{ 0 }
};

static int whoami(struct tw_cli *cli, int argc, char **argv)
{
	struct tw_table_options o = cli->table;
	struct tower *t = cli->context;
	struct tw_table *table = NULL;
	struct tw_err err = { 0 };
	enum tw_status st;

	(void)argc;
	(void)argv;
	o.noun = "operators";
	o.all_columns = true;
	st = tw_table_new(whoami_columns, &o, &table, &err);
	if (!st) {
		tw_table_cell_text(table, WHO_OPERATOR, t->who.login);
		tw_table_cell_text(table, WHO_ORG, t->who.org);
		tw_table_cell_bool(table, WHO_ADMIN, t->who.is_admin);
		tw_table_cell_text(table, WHO_STATE, tw_store_dir(t->store));
		st = tw_table_row_end(table, &err);
	}
	if (!st)
		st = tw_table_show(table, stdout, &err);
	tw_table_free(table);
	return st ? tw_cli_error(cli, &err) : TW_OK;
}

/* A packaged tower is given its administrator; the state is made.  Opens the
 * state itself: there is no operator yet who could. */
static int init(struct tw_cli *cli, int argc, char **argv)
{
	struct tw_store *store = NULL;
	struct tw_caller founder = { .login = argv[0] };
	struct tw_who who = { 0 };
	struct tw_err err = { 0 };
	char *dir = NULL;
	enum tw_status st;
	bool home;

	(void)argc;
	if (!gate_is_sudo_of_root() && gate_refuse("init", &err))
		return tw_cli_error(cli, &err);
	if (!tw_name_ok(argv[0]))
		return tw_cli_usage(cli, "'%s' is not a login", argv[0]);
	/* A tower whose administrator nobody can be would stay shut. */
	if (!getpwnam(argv[0])) {
		tw_err_set(&err, TW_NO, "there is no user '%s'", argv[0]);
		return tw_cli_error(cli, &err);
	}
	st = tw_state_dir(cli->state, &dir, &home, &err);
	if (!st)
		st = tw_state_become(dir, &err);
	if (!st)
		st = tw_store_open(dir, TW_STORE_CREATE, &store, &err);
	if (!st)
		st = tw_who_get(store, &founder, NULL, TW_WHO_FOUNDER, &who,
		    &err);
	if (st == TW_DENIED || (!st && !who.is_admin))
		st = tw_err_set(&err, TW_NO,
		    "this tower has another administrator already");
	if (!st)
		tw_cli_say(cli, "%s is the administrator of %s", who.login,
		    tw_store_dir(store));
	tw_who_release(&who);
	tw_store_close(store);
	free(dir);
	return st ? tw_cli_error(cli, &err) : TW_OK;
}

static const struct tw_option org_add_options[] = {
	{ "admin", 0, "LOGIN", N_("who administers it, instead of you"),
	    false },
	{ 0 }
};
static const struct tw_option add_options[] = {
	{ "ssh-key", 0, "FILE",
	    N_("print the line of authorized_keys for this public key"),
	    false },
	{ "install", 0, NULL, N_("put that line in place"), false },
	{ 0 }
};
static const struct tw_option grant_options[] = {
	{ "on", 0, "SCOPE", N_("only there"), true },
	{ "until", 0, "T", N_("only before then"), false },
	{ 0 }
};
static const struct tw_option ungrant_options[] = {
	{ "on", 0, "SCOPE", N_("the grant of exactly this scope"), true },
	{ "all", 0, NULL, N_("whatever the scope"), false },
	{ 0 }
};

static const struct tw_verb verbs[] = {
	{ "org add", op_org_add, org_add_options, "NAME", 1, 1,
	    TW_NEEDS_CREATE, N_("make an organisation and its key"), NULL },
	{ "org list", op_org_list, NULL, NULL, 0, 0, TW_NEEDS_READ,
	    N_("your organisations"), op_org_columns },
	{ "org show", op_org_show, NULL, "NAME", 1, 1, TW_NEEDS_READ,
	    N_("one of them"), op_org_columns },
	{ "org remove", op_org_remove, NULL, "NAME", 1, 1, TW_NEEDS_WRITE,
	    N_("forget one that is empty, and its key"), NULL },
	{ "add", add, add_options, "LOGIN", 1, 1, TW_NEEDS_CREATE,
	    N_("make a login an operator of the organisation"), NULL },
	{ "list", list, NULL, NULL, 0, 0, TW_NEEDS_READ,
	    N_("the organisation's operators"), list_columns },
	{ "show", show, NULL, "LOGIN", 1, 1, TW_NEEDS_READ,
	    N_("an operator and the grants"), show_columns },
	{ "remove", remove_operator, NULL, "LOGIN", 1, 1, TW_NEEDS_WRITE,
	    N_("take an operator out of the organisation"), NULL },
	{ "set", set, NULL, "LOGIN admin=yes|no", 2, 2, TW_NEEDS_WRITE,
	    N_("make an administrator of the tower, or no more"), NULL },
	{ "grant", op_grant, grant_options, "LOGIN PERMISSION,...", 2, 2,
	    TW_NEEDS_WRITE, N_("let an operator do something"), NULL },
	{ "ungrant", op_ungrant, ungrant_options, "LOGIN [PERMISSION,...]", 1,
	    2, TW_NEEDS_WRITE, N_("take grants away"), NULL },
	{ "grants", op_grants, NULL, "[LOGIN]", 0, 1, TW_NEEDS_READ,
	    N_("who may do what"), op_grants_columns },
	{ "can", op_can, NULL, "LOGIN PERMISSION SCOPE...", 3, -1,
	    TW_NEEDS_READ, N_("may an operator do that, and why"),
	    op_can_columns },
	{ "whoami", whoami, NULL, NULL, 0, 0, TW_NEEDS_READ,
	    N_("who is calling, and for whom"), whoami_columns },
	{ "init", init, NULL, "LOGIN", 1, 1, TW_NEEDS_NONE,
	    N_("make a tower and its administrator"), NULL },
	{ "config", op_config, NULL, NULL, 0, 0, TW_NEEDS_NONE,
	    N_("what the tower is set to, and where from"), op_config_columns },
	{ "backup", op_backup, NULL, "FILE", 1, 1, TW_NEEDS_NONE,
	    N_("write the whole tower to a file, while it works"), NULL },
	{ "restore", op_restore, NULL, "FILE", 1, 1, TW_NEEDS_NONE,
	    N_("make a tower from a backup"), NULL },
};

int main(int argc, char **argv)
{
	return tower_main(argc, argv, "towerify-op",
	    "the operators of a tower", verbs,
	    sizeof verbs / sizeof *verbs);
}
