/* op_org.c - organisations: add, list, show, remove; see op.h */
#include <stdio.h>

#include "base/name.h"
#include "model/org.h"
#include "op.h"

enum { COL_NAME, COL_CREATED, COL_OPERATORS, COL_HOSTS, COL_PENDING,
	COL_CHAIN };
const struct tw_column op_org_columns[] = {
	{ "name", N_("NAME"), TW_COL_TEXT, true, N_("the organisation") },
	{ "created", N_("CREATED"), TW_COL_TIME, true,
	    N_("when it was added") },
	{ "operators", N_("OPERATORS"), TW_COL_INT, true, N_("its members") },
	{ "hosts", N_("HOSTS"), TW_COL_INT, true, N_("its hosts") },
	{ "pending", N_("PENDING"), TW_COL_INT, true,
	    N_("changes that have not ended") },
	{ "chain", N_("CHAIN"), TW_COL_INT, false,
	    N_("number of its audit chain") },
	{ 0 }
};

static enum tw_status fill(struct tw_table *t, const struct tw_org *o,
    struct tw_err *err)
{
	tw_table_cell_text(t, COL_NAME, o->name);
	tw_table_cell_time(t, COL_CREATED, o->created);
	/* what is not for the caller to know is null */
	if (o->operators >= 0)
		tw_table_cell_int(t, COL_OPERATORS, o->operators);
	if (o->hosts >= 0)
		tw_table_cell_int(t, COL_HOSTS, o->hosts);
	if (o->pending >= 0)
		tw_table_cell_int(t, COL_PENDING, o->pending);
	tw_table_cell_int(t, COL_CHAIN, o->id);
	return tw_table_row_end(t, err);
}

/* name NULL: all, as a list. */
static int look(struct tw_cli *cli, const char *name)
{
	struct tw_table_options o = cli->table;
	struct tower *t = cli->context;
	struct tw_table *table = NULL;
	struct tw_org *orgs = NULL;
	struct tw_err err = { 0 };
	enum tw_status st;
	size_t n = 0, i;

	o.noun = "organisations";
	o.all_columns = name != NULL;
	st = tw_table_new(op_org_columns, &o, &table, &err);
	if (!st)
		st = tw_org_list(t->store, &t->who, name, &orgs, &n, &err);
	for (i = 0; i < n && !st; i++)
		st = fill(table, &orgs[i], &err);
	if (!st)
		st = name ? tw_table_show(table, stdout, &err) :
		    tw_table_print(table, stdout, &err);
	tw_table_free(table);
	tw_org_list_free(orgs, n);
	return st ? tw_cli_error(cli, &err) : TW_OK;
}

int op_org_list(struct tw_cli *cli, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return look(cli, NULL);
}

int op_org_show(struct tw_cli *cli, int argc, char **argv)
{
	(void)argc;
	return look(cli, argv[0]);
}

/* The organisation and its key pair come together; a key that an earlier one of
 * that name left behind is not used. */
int op_org_add(struct tw_cli *cli, int argc, char **argv)
{
	const char *admin = tw_cli_opt(cli, "admin"), *name = argv[0];
	struct tower *t = cli->context;
	struct tw_err err = { 0 };
	enum tw_status st;
	int64_t id;

	(void)argc;
	if (admin && !tw_name_ok(admin))
		return tw_cli_usage(cli, "'%s' is not a login", admin);
	st = tw_store_begin(t->store, &err);
	if (st)
		return tw_cli_error(cli, &err);
	st = tw_org_add(t->store, &t->who, name, admin, &id, &err);
	if (!st)
		st = tower_make_key(t->store, name, &err);
	if (!st)
		st = tw_store_commit(t->store, &err);
	if (st) {
		tw_store_rollback(t->store);
		return tw_cli_error(cli, &err);
	}
	tw_cli_say(cli, "%s administers organisation '%s', and gets its key "
	    "by: towerify-host key --org %s", admin ? admin : t->who.login,
	    name, name);
	return TW_OK;
}

int op_org_remove(struct tw_cli *cli, int argc, char **argv)
{
	struct tower *t = cli->context;
	struct tw_err err = { 0 };

	(void)argc;
	if (tw_org_remove(t->store, &t->who, argv[0], &err))
		return tw_cli_error(cli, &err);
	return TW_OK;
}
