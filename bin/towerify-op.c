/* towerify-op.c - the operators of a tower: towerify-op(1) */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/name.h"
#include "tower.h"

enum { COL_OPERATOR, COL_ORG, COL_ADMIN, COL_STATE };
static const struct tw_column columns[] = {
	{ "operator", "OPERATOR", TW_COL_TEXT, true, "who you are" },
	{ "org", "ORGANISATION", TW_COL_TEXT, true, "for whom you act" },
	{ "admin", "ADMINISTRATOR", TW_COL_BOOL, true, "of this tower" },
	{ "state", "STATE", TW_COL_TEXT, true, "its directory" },
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
	st = tw_table_new(columns, &o, &table, &err);
	if (!st) {
		tw_table_cell_text(table, COL_OPERATOR, t->who.login);
		tw_table_cell_text(table, COL_ORG, t->who.org);
		tw_table_cell_bool(table, COL_ADMIN, t->who.is_admin);
		tw_table_cell_text(table, COL_STATE, tw_store_dir(t->store));
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

static const struct tw_verb verbs[] = {
	{ "whoami", whoami, NULL, NULL, 0, 0, TW_NEEDS_READ,
	    "who is calling, and for whom", columns },
	{ "init", init, NULL, "LOGIN", 1, 1, TW_NEEDS_NONE,
	    "make a tower and its administrator", NULL },
};

static const struct tw_tool tool = {
	.name = "towerify-op",
	.summary = "the operators of a tower",
	.verbs = verbs,
	.nverbs = sizeof verbs / sizeof *verbs,
	.open_state = tower_open_state,
	.close_state = tower_close_state,
};

int main(int argc, char **argv)
{
	return tw_cli_main(argc, argv, &tool);
}
