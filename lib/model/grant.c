/*
 * grant.c - grants: given, taken away, listed
 */
#include "model/grant_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* A grant as it is written down. */
struct giving {
	const struct tw_who *who;
	const struct tw_grant_used *used;
	const char *login;		/* who gets it */
	int64_t operator_id;
	enum tw_permission permission;
	const struct tw_scope *scope;
	const char *host;		/* the name, where hosts is just one */
	int64_t until;
};

static enum tw_status record(struct tw_store *s, const struct giving *g,
    const char *action, int64_t num, struct tw_err *err)
{
	char number[24], until[TW_TIME_MAX];
	struct tw_buf scope = TW_BUF_INIT;
	enum tw_status status;

	snprintf(number, sizeof number, "%lld", (long long)num);
	tw_scope_write(g->scope, &scope);
	if (g->until)
		tw_time_rfc3339(g->until, until);
	if (scope.failed)
		status = tw_err_nomem(err);
	else
		status = tw_org_record(s, g->who->org_id, g->who->login,
		    action, tw_audit_detail("login", g->login, "num", number,
		    "permission", tw_permission_name(g->permission), "scope",
		    scope.data, "until", g->until ? until : NULL, "grant",
		    g->used->text, (char *)NULL), err);
	tw_buf_release(&scope);
	return status;
}

/* --- giving ------------------------------------------------------------ */

static const char next_sql[] = "SELECT next_grant FROM org WHERE id = ?1";
static const char took_sql[] =
    "UPDATE org SET next_grant = next_grant + 1 WHERE id = ?1";

static enum tw_status take_number(struct tw_store *s, int64_t org_id,
    int64_t *num, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, next_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, org_id);
	status = tw_stmt_one(st, err);
	if (status != TW_OK)
		return status;
	*num = tw_stmt_col_int(st, 0);
	tw_stmt_reset(st);
	return tw_run_int(s, took_sql, org_id, err);
}

static const char same_sql[] =
    "SELECT num FROM permit WHERE org_id = ?1 AND operator_id = ?2"
    " AND permission = ?3 AND host IS ?4 AND hosts IS ?5 AND app IS ?6";
static const char renew_sql[] =
    "UPDATE permit SET until = ?3 WHERE org_id = ?1 AND num = ?2";
static const char give_sql[] =
    "INSERT INTO permit (org_id, operator_id, permission, host, hosts, app,"
    "    num, until, created, created_by)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

/* The first six places of same_sql and give_sql. */
static void bind_grant(struct tw_stmt *st, const struct giving *g)
{
	tw_stmt_int(st, 1, g->who->org_id);
	tw_stmt_int(st, 2, g->operator_id);
	tw_stmt_text(st, 3, tw_permission_name(g->permission));
	tw_stmt_text(st, 4, g->host);
	tw_stmt_text(st, 5, g->scope->hosts);
	tw_stmt_text(st, 6, g->scope->app);
}

/* TW_NO: there is none; err is not filled then. */
static enum tw_status find_same(struct tw_store *s, const struct giving *g,
    int64_t *num, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, same_sql, &st, err);
	if (status != TW_OK)
		return status;
	bind_grant(st, g);
	status = tw_stmt_step(st, err);
	if (status == TW_OK) {
		*num = tw_stmt_col_int(st, 0);
		tw_stmt_reset(st);
	}
	return status;
}

static enum tw_status renew(struct tw_store *s, const struct giving *g,
    int64_t num, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, renew_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, g->who->org_id);
	tw_stmt_int(st, 2, num);
	tw_stmt_time(st, 3, g->until);
	return tw_stmt_run(st, err);
}

static enum tw_status insert(struct tw_store *s, const struct giving *g,
    int64_t *num, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = take_number(s, g->who->org_id, num, err);
	if (status == TW_OK)
		status = tw_stmt_get(s, give_sql, &st, err);
	if (status != TW_OK)
		return status;
	bind_grant(st, g);
	tw_stmt_int(st, 7, *num);
	tw_stmt_time(st, 8, g->until);
	tw_stmt_int(st, 9, tw_clock_now());
	tw_stmt_text(st, 10, g->who->login);
	return tw_stmt_run(st, err);
}

static enum tw_status give(struct tw_store *s, const struct giving *g,
    int64_t *num, struct tw_err *err)
{
	enum tw_status status;

	status = find_same(s, g, num, err);
	if (status == TW_OK)
		status = renew(s, g, *num, err);
	else if (status == TW_NO)
		status = insert(s, g, num, err);
	if (status == TW_OK)
		status = record(s, g, "op.grant", *num, err);
	return status;
}

enum tw_status tw_grant_all(struct tw_store *s, const struct tw_who *who,
    const struct tw_grant_used *used, const char *login, int64_t id,
    struct tw_err *err)
{
	static const struct tw_scope org;
	struct giving g = { .who = who, .used = used, .login = login,
	    .operator_id = id, .scope = &org };
	enum tw_status status = TW_OK;
	int64_t num;
	int p;

	for (p = 0; status == TW_OK && p < TW_PERMISSIONS; p++) {
		g.permission = (enum tw_permission)p;
		status = give(s, &g, &num, err);
	}
	return status;
}
