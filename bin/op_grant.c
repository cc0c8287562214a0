/* op_grant.c - who may do what: grant, ungrant, grants, can; see op.h */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "model/grant.h"
#include "model/operator.h"
#include "op.h"
#include "out/escape.h"

enum { COL_NUM, COL_OPERATOR, COL_PERMISSION, COL_HOSTS, COL_APP, COL_UNTIL,
	COL_STATE, COL_SCOPE, COL_CREATED, COL_BY };
const struct tw_column op_grants_columns[] = {
	{ "num", N_("NUM"), TW_COL_INT, true, N_("its number") },
	{ "operator", N_("OPERATOR"), TW_COL_TEXT, true, N_("who may") },
	{ "permission", N_("MAY"), TW_COL_TEXT, true,
	    N_("view, deploy, change, host, audit or admin") },
	{ "hosts", N_("HOSTS"), TW_COL_TEXT, true, N_("on these only") },
	{ "app", N_("APP"), TW_COL_TEXT, true, N_("these apps only") },
	{ "until", N_("UNTIL"), TW_COL_TIME, true, N_("holds before then") },
	{ "state", N_("STATE"), TW_COL_WORD, true, N_("live, or over") },
	{ "scope", N_("SCOPE"), TW_COL_TEXT, false,
	    N_("hosts and apps, for --on") },
	{ "created", N_("CREATED"), TW_COL_TIME, false,
	    N_("when it was given") },
	{ "by", N_("BY"), TW_COL_TEXT, false, N_("who gave it") },
	{ 0 }
};

static enum tw_status fill(struct tw_table *t, const struct tw_grant *g,
    struct tw_err *err)
{
	struct tw_buf scope = TW_BUF_INIT;

	tw_scope_write(&g->scope, &scope);
	tw_table_cell_int(t, COL_NUM, g->num);
	tw_table_cell_text(t, COL_OPERATOR, g->login);
	tw_table_cell_text(t, COL_PERMISSION,
	    tw_permission_name(g->permission));
	tw_table_cell_text(t, COL_HOSTS, g->scope.hosts);
	tw_table_cell_text(t, COL_APP, g->scope.app);
	tw_table_cell_time(t, COL_UNTIL, g->until);
	tw_table_cell_text(t, COL_STATE, g->is_over ?
	    NC_("word", "over") : NC_("word", "live"));
	tw_table_cell_buf(t, COL_SCOPE, &scope);
	tw_buf_release(&scope);
	tw_table_cell_time(t, COL_CREATED, g->created);
	tw_table_cell_text(t, COL_BY, g->created_by);
	return tw_table_row_end(t, err);
}

enum tw_status op_grants_table(struct tower *t, const char *login,
    const struct tw_table_options *options, struct tw_table **out, size_t *n,
    struct tw_err *err)
{
	struct tw_grant *list = NULL;
	enum tw_status st;
	size_t i;

	*n = 0;
	st = tw_table_new(op_grants_columns, options, out, err);
	if (!st)
		st = tw_grant_list(t->store, &t->who, login, &list, n, err);
	for (i = 0; i < *n && !st; i++)
		st = fill(*out, &list[i], err);
	tw_grant_list_free(list, *n);
	return st;
}

int op_grants(struct tw_cli *cli, int argc, char **argv)
{
	struct tw_table_options o = cli->table;
	struct tower *t = cli->context;
	struct tw_table *table = NULL;
	struct tw_err err = { 0 };
	enum tw_status st;
	size_t n;

	o.noun = "grants";
	st = op_grants_table(t, argc > 0 ? argv[0] : NULL, &o, &table, &n,
	    &err);
	if (st == TW_DENIED && argc == 0)
		tw_err_hint(&err, "yours are: towerify-op grants %s",
		    t->who.login);
	if (!st)
		st = tw_table_print(table, stdout, &err);
	tw_table_free(table);
	return st ? tw_cli_error(cli, &err) : TW_OK;
}

/* --- what the command line says --------------------------------------------- */

struct wanted {			/* release with wanted_release() */
	enum tw_permission permissions[TW_PERMISSIONS];
	size_t n;
	struct tw_scope scope;
};

/* "change,audit": each once, in the order given. */
static enum tw_status read_permissions(const char *text, struct wanted *w,
    struct tw_err *err)
{
	char *copy = strdup(text), *rest = copy, *word;
	enum tw_status st = TW_OK;
	enum tw_permission p;
	size_t i;

	if (!copy)
		return tw_err_nomem(err);
	while (!st && (word = strsep(&rest, ","))) {
		st = tw_permission_parse(word, &p, err);
		for (i = 0; !st && i < w->n && w->permissions[i] != p;)
			i++;
		if (!st && i == w->n)
			w->permissions[w->n++] = p;
	}
	free(copy);
	return st;
}

static enum tw_status read_scope(struct tw_cli *cli, struct tw_scope *scope,
    struct tw_err *err)
{
	enum tw_status st = TW_OK;
	const char *text;
	size_t i;

	for (i = 0; !st && (text = tw_cli_opt_each(cli, "on", i)); i++)
		st = tw_scope_parse(text, scope, err);
	return st;
}

static void wanted_release(struct wanted *w)
{
	tw_scope_release(&w->scope);
}

static enum tw_status read_until(struct tw_cli *cli, int64_t *until,
    struct tw_err *err)
{
	const char *text = tw_cli_opt(cli, "until");
	int64_t now = tw_clock_now();
	enum tw_status st;

	*until = 0;
	if (!text)
		return TW_OK;
	st = tw_time_parse(text, now, until, err);
	if (!st && *until <= now)
		st = tw_err_set(err, TW_USAGE,
		    "--until %s: that time has passed", text);
	return st;
}

/* Commits, or undoes all that the verb did. */
static int end(struct tw_cli *cli, struct tower *t, enum tw_status st,
    struct tw_err *err)
{
	if (!st)
		st = tw_store_commit(t->store, err);
	if (!st)
		return TW_OK;
	tw_store_rollback(t->store);
	return tw_cli_error(cli, err);
}

/* --- grant -------------------------------------------------------------------- */

/* All of them or none. */
int op_grant(struct tw_cli *cli, int argc, char **argv)
{
	int64_t until = 0, nums[TW_PERMISSIONS] = { 0 };
	struct tower *t = cli->context;
	struct wanted w = { 0 };
	struct tw_err err = { 0 };
	enum tw_status st;
	int result;
	size_t i;

	(void)argc;
	st = read_permissions(argv[1], &w, &err);
	if (!st)
		st = read_scope(cli, &w.scope, &err);
	if (!st)
		st = read_until(cli, &until, &err);
	if (!st)
		st = tw_store_begin(t->store, &err);
	if (st) {
		wanted_release(&w);
		return tw_cli_error(cli, &err);
	}
	for (i = 0; i < w.n && !st; i++)
		st = tw_grant_add(t->store, &t->who, argv[0],
		    w.permissions[i], &w.scope, until, &nums[i], &err);
	result = end(cli, t, st, &err);
	for (i = 0; i < w.n && result == TW_OK; i++)
		printf("%" PRId64 "\n", nums[i]);
	wanted_release(&w);
	return result;
}

/* --- ungrant ------------------------------------------------------------------ */

/* Does the grant still give the permission, itself or by including it? */
static bool still_gives(const struct tw_grant *g, enum tw_permission p)
{
	if (g->is_over)
		return false;
	return g->permission == p || (p == TW_MAY_VIEW &&
	    g->permission != TW_MAY_AUDIT && g->permission != TW_MAY_ADMIN);
}

/* What was taken away may be there by another grant: nobody should have to find
 * that out later. */
static enum tw_status say_rest(struct tw_cli *cli, const char *login,
    const struct wanted *w, struct tw_err *err)
{
	struct tower *t = cli->context;
	struct tw_grant *list = NULL;
	struct tw_buf scope = TW_BUF_INIT;
	enum tw_status st;
	size_t n = 0, i, k;

	st = tw_grant_list(t->store, &t->who, login, &list, &n, err);
	for (k = 0; k < w->n && !st; k++)
		for (i = 0; i < n; i++) {
			if (!still_gives(&list[i], w->permissions[k]))
				continue;
			tw_buf_reset(&scope);
			tw_scope_write(&list[i].scope, &scope);
			st = tw_buf_check(&scope, err);
			if (st)
				break;
			tw_cli_say(cli, "%s may still %s, by grant %" PRId64
			    ": %s on %s", login,
			    tw_permission_name(w->permissions[k]),
			    list[i].num,
			    tw_permission_name(list[i].permission),
			    tw_buf_str(&scope));
		}
	tw_buf_release(&scope);
	tw_grant_list_free(list, n);
	return st;
}

/* The permissions that login has any grant of. */
static enum tw_status all_permissions(struct tower *t, const char *login,
    struct wanted *w, struct tw_err *err)
{
	bool has[TW_PERMISSIONS] = { false };
	struct tw_grant *list = NULL;
	enum tw_status st;
	size_t n = 0, i;

	st = tw_grant_list(t->store, &t->who, login, &list, &n, err);
	for (i = 0; i < n; i++)
		has[list[i].permission] = true;
	for (i = 0; i < TW_PERMISSIONS; i++)
		if (has[i])
			w->permissions[w->n++] = (enum tw_permission)i;
	tw_grant_list_free(list, n);
	if (!st && w->n == 0)
		st = tw_err_set(err, TW_NO, "%s has no grants in "
		    "organisation '%s'", login, t->who.org);
	return st;
}

/* Where else the permission is granted is what to name instead. */
static void hint_scopes(struct tower *t, const char *login,
    enum tw_permission p, struct tw_err *err)
{
	struct tw_buf b = TW_BUF_INIT;
	struct tw_grant *list = NULL;
	size_t n = 0, i;

	if (tw_grant_list(t->store, &t->who, login, &list, &n, NULL) ==
	    TW_OK) {
		for (i = 0; i < n; i++) {
			if (list[i].permission != p)
				continue;
			tw_buf_adds(&b, b.len ? "; " : "");
			tw_scope_write(&list[i].scope, &b);
		}
		if (b.len && !b.failed)
			tw_err_hint(err, "%s has %s on: %s; name one with "
			    "--on, or give --all", login,
			    tw_permission_name(p), tw_buf_str(&b));
	}
	tw_buf_release(&b);
	tw_grant_list_free(list, n);
}

static enum tw_status read_ungrant(struct tw_cli *cli, int argc, char **argv,
    struct wanted *w, struct tw_err *err)
{
	bool all = tw_cli_flag(cli, "all");
	enum tw_status st = TW_OK;

	if (all && tw_cli_opt(cli, "on"))
		return tw_err_set(err, TW_USAGE,
		    "--all and --on exclude each other");
	if (argc < 2 && !all) {
		tw_err_set(err, TW_USAGE, "which permission?");
		tw_err_hint(err, "name it after %s, or give --all for every "
		    "grant", argv[0]);
		return TW_USAGE;
	}
	if (argc > 1)
		st = read_permissions(argv[1], w, err);
	return st ? st : read_scope(cli, &w->scope, err);
}

int op_ungrant(struct tw_cli *cli, int argc, char **argv)
{
	const struct tw_scope *scope;
	struct tower *t = cli->context;
	struct wanted w = { 0 };
	struct tw_err err = { 0 };
	enum tw_status st;
	int result;
	size_t i;

	st = read_ungrant(cli, argc, argv, &w, &err);
	if (!st)
		st = tw_store_begin(t->store, &err);
	if (st) {
		wanted_release(&w);
		return tw_cli_error(cli, &err);
	}
	if (w.n == 0)
		st = all_permissions(t, argv[0], &w, &err);
	scope = tw_cli_flag(cli, "all") ? NULL : &w.scope;
	for (i = 0; i < w.n && !st; i++) {
		st = tw_grant_remove(t->store, &t->who, argv[0],
		    w.permissions[i], scope, &err);
		if (st == TW_NO && !err.hint[0])
			hint_scopes(t, argv[0], w.permissions[i], &err);
	}
	result = end(cli, t, st, &err);
	if (result == TW_OK && say_rest(cli, argv[0], &w, &err))
		result = tw_cli_error(cli, &err);
	wanted_release(&w);
	return result;
}

/* --- can ------------------------------------------------------------------------ */

enum { CAN_OPERATOR, CAN_PERMISSION, CAN_SCOPE, CAN_ALLOWED, CAN_WHY };
const struct tw_column op_can_columns[] = {
	{ "operator", N_("OPERATOR"), TW_COL_TEXT, false,
	    N_("of whom it is asked") },
	{ "permission", N_("PERMISSION"), TW_COL_TEXT, false, N_("what") },
	{ "scope", N_("SCOPE"), TW_COL_TEXT, false, N_("on what") },
	{ "allowed", N_("ALLOWED"), TW_COL_BOOL, true, N_("the answer") },
	{ "why", N_("WHY"), TW_COL_TEXT, true, N_("the grants that say so") },
	{ 0 }
};

/* The explanation with its parts (W_) in the reader's language, or plain. */
static void settle(const struct tw_buf *why, bool own, struct tw_buf *out)
{
	size_t n = tw_text_settle(NULL, 0, tw_buf_str(why), own) + 1;

	if (tw_buf_reserve(out, n))
		out->len = tw_text_settle(out->data, n, tw_buf_str(why), own);
}

static enum tw_status print_can(struct tw_cli *cli, const char *login,
    enum tw_permission p, const struct tw_scope *s, bool allowed,
    const struct tw_buf *why, struct tw_err *err)
{
	struct tw_table_options o = cli->table;
	struct tw_buf scope = TW_BUF_INIT, safe = TW_BUF_INIT,
	    said = TW_BUF_INIT;
	struct tw_table *table = NULL;
	enum tw_status st;

	settle(why, o.mode == TW_TABLE_PEOPLE, &said);
	st = tw_buf_check(&said, err);
	if (st)
		goto out;
	if (o.mode == TW_TABLE_PEOPLE && !o.output) {
		tw_escape(tw_buf_str(&said), said.len, tw_escape_locale(),
		    &safe);
		st = tw_buf_check(&safe, err);
		if (!st)
			fputs(tw_buf_str(&safe), stdout);
		goto out;
	}
	o.all_columns = true;
	st = tw_table_new(op_can_columns, &o, &table, err);
	if (st)
		goto out;
	tw_scope_write(s, &scope);
	tw_table_cell_text(table, CAN_OPERATOR, login);
	tw_table_cell_text(table, CAN_PERMISSION, tw_permission_name(p));
	tw_table_cell_buf(table, CAN_SCOPE, &scope);
	tw_table_cell_bool(table, CAN_ALLOWED, allowed);
	tw_table_cell_bytes(table, CAN_WHY, tw_buf_str(&said), said.len -
	    (said.len > 0));
	st = tw_table_row_end(table, err);
	if (!st)
		st = tw_table_show(table, stdout, err);
out:
	tw_table_free(table);
	tw_buf_release(&scope);
	tw_buf_release(&safe);
	tw_buf_release(&said);
	return st;
}

int op_can(struct tw_cli *cli, int argc, char **argv)
{
	struct tower *t = cli->context;
	struct tw_buf why = TW_BUF_INIT;
	struct tw_scope scope = { 0 };
	struct tw_err err = { 0 };
	enum tw_permission p = TW_MAY_VIEW;
	enum tw_status st, answer = TW_OK;
	int i;

	st = tw_permission_parse(argv[1], &p, &err);
	for (i = 2; i < argc && !st; i++)
		st = tw_scope_parse(argv[i], &scope, &err);
	if (!st)
		answer = tw_grant_explain(t->store, &t->who, argv[0], p,
		    &scope, &why, &err);
	/* without reasons it is no answer, but an error */
	if (answer && (answer != TW_NO || why.len == 0))
		st = answer;
	if (!st)
		st = tw_buf_check(&why, &err);
	if (!st)
		st = print_can(cli, argv[0], p, &scope, answer == TW_OK, &why,
		    &err);
	tw_scope_release(&scope);
	tw_buf_release(&why);
	return st ? tw_cli_error(cli, &err) : (int)answer;
}
