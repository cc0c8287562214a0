/* op_org.c - organisations: add, list, show, remove; see op.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/name.h"
#include "model/org.h"
#include "op.h"

enum { COL_NAME, COL_CREATED, COL_OPERATORS, COL_HOSTS, COL_PENDING,
	COL_CHAIN };
const struct tw_column op_org_columns[] = {
	{ "name", "NAME", TW_COL_TEXT, true, "the organisation" },
	{ "created", "CREATED", TW_COL_TIME, true, "when it was added" },
	{ "operators", "OPERATORS", TW_COL_INT, true, "its members" },
	{ "hosts", "HOSTS", TW_COL_INT, true, "its hosts" },
	{ "pending", "PENDING", TW_COL_INT, true,
	    "changes that have not ended" },
	{ "chain", "CHAIN", TW_COL_INT, false,
	    "number of its audit chain" },
	{ 0 }
};

static enum tw_status fill(struct tw_table *t, const struct tw_org *o,
    struct tw_err *err)
{
	tw_table_cell_text(t, COL_NAME, o->name);
	tw_table_cell_time(t, COL_CREATED, o->created);
	tw_table_cell_int(t, COL_OPERATORS, o->operators);
	tw_table_cell_int(t, COL_HOSTS, o->hosts);
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

/* Both files of a key pair and its directory; what is not there is fine. */
static enum tw_status remove_key(struct tw_store *s, const char *org,
    struct tw_err *err)
{
	char *path = tw_org_key_path(tw_store_dir(s), org), *public = NULL;
	enum tw_status st = TW_OK;

	if (!path || asprintf(&public, "%s.pub", path) < 0) {
		st = tw_err_nomem(err);
		goto out;
	}
	if (unlink(path) != 0 && errno != ENOENT)
		st = tw_err_sys(err, TW_CONFIG, errno, "%s: cannot remove "
		    "the key", path);
	unlink(public);
	*strrchr(path, '/') = '\0';
	rmdir(path);
out:
	free(public);
	free(path);
	return st;
}

/* A key that is there is an earlier organisation's, whose hosts it opens. */
static enum tw_status refuse_old_key(struct tw_store *s, const char *org,
    struct tw_err *err)
{
	char *path = tw_org_key_path(tw_store_dir(s), org);
	enum tw_status st = TW_OK;

	if (!path)
		return tw_err_nomem(err);
	if (access(path, F_OK) == 0 || errno != ENOENT) {
		st = tw_err_set(err, TW_CONFIG, "%s: an earlier "
		    "organisation's key is still there", path);
		tw_err_hint(err, "move it away: it opens that one's hosts");
	}
	free(path);
	return st;
}

/* The organisation and its key pair come together. */
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
		st = refuse_old_key(t->store, name, &err);
	if (!st) {
		st = tower_make_key(t->store, name, &err);
		if (!st)
			st = tw_store_commit(t->store, &err);
		if (st)
			remove_key(t->store, name, NULL);
	}
	if (st) {
		tw_store_rollback(t->store);
		return tw_cli_error(cli, &err);
	}
	tw_cli_say(cli, "%s administers organisation '%s'; its key: "
	    "towerify-host key --org %s", admin ? admin : t->who.login, name,
	    name);
	return TW_OK;
}

int op_org_remove(struct tw_cli *cli, int argc, char **argv)
{
	struct tower *t = cli->context;
	struct tw_err err = { 0 };
	enum tw_status st;

	(void)argc;
	st = tw_org_remove(t->store, &t->who, argv[0], &err);
	if (st)
		return tw_cli_error(cli, &err);
	st = remove_key(t->store, argv[0], &err);
	if (st) {
		tw_err_hint(&err, "the organisation is gone; remove this "
		    "file by hand");
		return tw_cli_error(cli, &err);
	}
	return TW_OK;
}
