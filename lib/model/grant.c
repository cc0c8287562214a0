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
	struct tw_grant_used used;
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
		    g->used.text, (char *)NULL), err);
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

/* Places 2 to 6 of same_sql and give_sql. */
static void bind_grant(struct tw_stmt *st, const struct giving *g)
{
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

	status = tw_tenant_stmt(s, g->who, same_sql, &st, err);
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

	status = tw_tenant_stmt(s, g->who, renew_sql, &st, err);
	if (status != TW_OK)
		return status;
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
		status = tw_tenant_stmt(s, g->who, give_sql, &st, err);
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
	struct giving g = { .who = who, .used = *used, .login = login,
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

/* --- adding ------------------------------------------------------------ */

static const char lasting_sql[] =
    "SELECT EXISTS (SELECT 1 FROM permit WHERE org_id = ?1"
    "    AND operator_id = ?2 AND permission = 'admin' AND until IS NULL),"
    " EXISTS (SELECT 1 FROM permit WHERE org_id = ?1"
    "    AND operator_id <> ?2 AND permission = 'admin' AND until IS NULL)";
enum { LASTING_HERE, LASTING_ELSEWHERE };

enum tw_status tw_admin_stays(struct tw_store *s, const struct tw_who *who,
    const char *login, int64_t id, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;
	bool stays;

	status = tw_tenant_stmt(s, who, lasting_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, id);
	status = tw_stmt_one(st, err);
	if (status != TW_OK)
		return status;
	stays = !tw_stmt_col_int(st, LASTING_HERE) ||
	    tw_stmt_col_int(st, LASTING_ELSEWHERE);
	tw_stmt_reset(st);
	if (stays)
		return TW_OK;
	tw_err_set(err, TW_NO, "%s is the only one who may admin in "
	    "organisation '%s' for good", login, who->org);
	tw_err_hint(err, "grant it to somebody else first");
	return TW_NO;
}

/* The name for the column `host', or NULL. */
static enum tw_status name_host(struct giving *g, char name[TW_NAME_MAX + 1],
    struct tw_err *err)
{
	struct tw_targets *t;
	enum tw_status status;

	g->host = NULL;
	if (!g->scope->hosts)
		return TW_OK;
	status = tw_targets_parse(g->scope->hosts, &t, err);
	if (status != TW_OK)
		return status;
	if (tw_targets_is_name(t, name))
		g->host = name;
	tw_targets_free(t);
	return TW_OK;
}

static bool is_org(const struct tw_scope *scope)
{
	return !scope->hosts && !scope->app;
}

static enum tw_status check_scope(enum tw_permission p,
    const struct tw_scope *scope, struct tw_err *err)
{
	const char *name = tw_permission_name(p);

	if ((p == TW_MAY_AUDIT || p == TW_MAY_ADMIN) && !is_org(scope))
		return tw_err_set(err, TW_USAGE, "%s holds for the "
		    "organisation: it takes no hosts and no apps", name);
	if (p != TW_MAY_DEPLOY && scope->app)
		return tw_err_set(err, TW_USAGE,
		    "%s takes no apps, only deploy does", name);
	return TW_OK;
}

/* The caller may, login is a member: who gets it, and by which grant. */
static enum tw_status begin(struct tw_store *s, struct giving *g,
    struct tw_err *err)
{
	enum tw_status status;

	status = tw_may(s, g->who, TW_MAY_ADMIN, &g->used, err);
	if (status == TW_OK)
		status = tw_member_find(s, g->who, g->login, &g->operator_id,
		    err);
	return status;
}

static enum tw_status add_grant(struct tw_store *s, struct giving *g,
    int64_t *num, struct tw_err *err)
{
	enum tw_status status;

	status = begin(s, g, err);
	if (status == TW_OK && g->permission == TW_MAY_ADMIN && g->until)
		status = tw_admin_stays(s, g->who, g->login, g->operator_id,
		    err);
	if (status == TW_OK)
		status = give(s, g, num, err);
	return status;
}

enum tw_status tw_grant_add(struct tw_store *s, const struct tw_who *who,
    const char *login, enum tw_permission p, const struct tw_scope *scope,
    int64_t until, int64_t *num, struct tw_err *err)
{
	struct giving g = { .who = who, .login = login, .permission = p,
	    .until = until };
	char host[TW_NAME_MAX + 1];
	struct tw_scope stored;
	enum tw_status status;
	struct tw_tx tx;

	*num = 0;
	status = tw_scope_copy(scope, &stored, err);
	if (status != TW_OK)
		return status;
	g.scope = &stored;
	status = check_scope(p, &stored, err);
	if (status == TW_OK)
		status = name_host(&g, host, err);
	if (status == TW_OK)
		status = tw_tx_begin(&tx, s, err);
	if (status == TW_OK) {
		status = add_grant(s, &g, num, err);
		status = tw_tx_end(&tx, status, err);
	}
	tw_scope_release(&stored);
	if (status != TW_OK)
		*num = 0;
	return status;
}

/* --- taking away ------------------------------------------------------- */

static const char next_of_sql[] =
    "SELECT num, hosts, app, until FROM permit WHERE org_id = ?1"
    " AND operator_id = ?2 AND permission = ?3"
    " AND (?4 OR (hosts IS ?5 AND app IS ?6)) ORDER BY num LIMIT 1";
enum { NEXT_NUM, NEXT_HOSTS, NEXT_APP, NEXT_UNTIL };
static const char take_sql[] =
    "DELETE FROM permit WHERE org_id = ?1 AND num = ?2";

/* The next grant to go.  TW_NO: none; err is not filled then. */
static enum tw_status find_next(struct tw_store *s, const struct giving *g,
    struct tw_scope *scope, int64_t *until, int64_t *num, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tenant_stmt(s, g->who, next_of_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, g->operator_id);
	tw_stmt_text(st, 3, tw_permission_name(g->permission));
	tw_stmt_int(st, 4, !g->scope);
	tw_stmt_text(st, 5, g->scope ? g->scope->hosts : NULL);
	tw_stmt_text(st, 6, g->scope ? g->scope->app : NULL);
	status = tw_stmt_step(st, err);
	if (status != TW_OK)
		return status;
	*num = tw_stmt_col_int(st, NEXT_NUM);
	*until = tw_stmt_col_int(st, NEXT_UNTIL);
	if (!tw_col_dup(st, NEXT_HOSTS, &scope->hosts) ||
	    !tw_col_dup(st, NEXT_APP, &scope->app))
		status = tw_err_nomem(err);
	tw_stmt_reset(st);
	return status;
}

static enum tw_status take(struct tw_store *s, const struct giving *g,
    int64_t num, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tenant_stmt(s, g->who, take_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, num);
	status = tw_stmt_run(st, err);
	if (status == TW_OK)
		status = record(s, g, "op.ungrant", num, err);
	return status;
}

static enum tw_status take_next(struct tw_store *s, const struct giving *g,
    struct tw_err *err)
{
	struct tw_scope scope = { NULL, NULL };
	struct giving one = *g;
	enum tw_status status;
	int64_t num;

	status = find_next(s, g, &scope, &one.until, &num, err);
	one.scope = &scope;
	if (status == TW_OK)
		status = take(s, &one, num, err);
	tw_scope_release(&scope);
	return status;
}

static enum tw_status refuse_none(const struct giving *g, struct tw_err *err)
{
	struct tw_buf b = TW_BUF_INIT;

	if (g->scope) {
		tw_buf_adds(&b, " on ");
		tw_scope_write(g->scope, &b);
	}
	tw_err_set(err, TW_NO, "%s has no grant of %s%s", g->login,
	    tw_permission_name(g->permission), tw_buf_str(&b));
	tw_buf_release(&b);
	return TW_NO;
}

static enum tw_status remove_grants(struct tw_store *s, struct giving *g,
    struct tw_err *err)
{
	enum tw_status status;
	bool any = false;

	status = begin(s, g, err);
	if (status == TW_OK && g->permission == TW_MAY_ADMIN &&
	    (!g->scope || is_org(g->scope)))
		status = tw_admin_stays(s, g->who, g->login, g->operator_id,
		    err);
	if (status != TW_OK)
		return status;
	while ((status = take_next(s, g, err)) == TW_OK)
		any = true;
	if (status != TW_NO)
		return status;
	return any ? TW_OK : refuse_none(g, err);
}

enum tw_status tw_grant_remove(struct tw_store *s, const struct tw_who *who,
    const char *login, enum tw_permission p, const struct tw_scope *scope,
    struct tw_err *err)
{
	struct giving g = { .who = who, .login = login, .permission = p };
	struct tw_scope stored = { NULL, NULL };
	enum tw_status status = TW_OK;
	struct tw_tx tx;

	if (scope) {
		status = tw_scope_copy(scope, &stored, err);
		g.scope = &stored;
	}
	if (status == TW_OK)
		status = tw_tx_begin(&tx, s, err);
	if (status == TW_OK) {
		status = remove_grants(s, &g, err);
		status = tw_tx_end(&tx, status, err);
	}
	tw_scope_release(&stored);
	return status;
}

/* --- looking ----------------------------------------------------------- */

void tw_grant_list_free(struct tw_grant *g, size_t n)
{
	size_t i;

	for (i = 0; g && i < n; i++) {
		free(g[i].login);
		free(g[i].created_by);
		tw_scope_release(&g[i].scope);
	}
	free(g);
}

static const char list_sql[] =
    "SELECT p.num, o.login, p.permission, p.hosts, p.app, p.until,"
    "    p.created, p.created_by"
    " FROM permit p JOIN operator o ON o.id = p.operator_id"
    " WHERE p.org_id = ?1 AND (?2 = 0 OR p.operator_id = ?2)"
    " AND (?3 IS NULL OR p.permission IN (?3, ?4, ?5, ?6))"
    " ORDER BY o.login, p.num";
enum {
	LIST_NUM, LIST_LOGIN, LIST_PERMISSION, LIST_HOSTS, LIST_APP,
	LIST_UNTIL, LIST_CREATED, LIST_CREATED_BY,
};

static enum tw_status read_grant(struct tw_stmt *st, int64_t now,
    struct tw_grant *g, struct tw_err *err)
{
	bool ok;

	memset(g, 0, sizeof *g);
	g->num = tw_stmt_col_int(st, LIST_NUM);
	g->until = tw_stmt_col_int(st, LIST_UNTIL);
	g->created = tw_stmt_col_int(st, LIST_CREATED);
	g->is_over = g->until && g->until <= now;
	ok = tw_col_dup(st, LIST_LOGIN, &g->login);
	ok &= tw_col_dup(st, LIST_HOSTS, &g->scope.hosts);
	ok &= tw_col_dup(st, LIST_APP, &g->scope.app);
	ok &= tw_col_dup(st, LIST_CREATED_BY, &g->created_by);
	if (!ok)
		return tw_err_nomem(err);
	return tw_permission_read(tw_stmt_col_text(st, LIST_PERMISSION),
	    &g->permission, err);
}

static enum tw_status read_grants(struct tw_stmt *st, struct tw_grant **out,
    size_t *n, struct tw_err *err)
{
	int64_t now = tw_clock_now();
	enum tw_status status;
	struct tw_grant *v;
	size_t cap = 0;

	while ((status = tw_stmt_step(st, err)) == TW_OK) {
		if (*n == cap) {
			cap = cap ? cap * 2 : 16;
			v = reallocarray(*out, cap, sizeof *v);
			if (!v) {
				status = tw_err_nomem(err);
				break;
			}
			*out = v;
		}
		status = read_grant(st, now, &(*out)[(*n)++], err);
		if (status != TW_OK)
			break;
	}
	tw_stmt_reset(st);
	return status == TW_NO ? TW_OK : status;
}

enum tw_status tw_grant_read(struct tw_store *s, const struct tw_who *who,
    int64_t operator_id, const enum tw_permission *p, struct tw_grant **out,
    size_t *n, struct tw_err *err)
{
	struct tw_permission_set by = { { NULL } };
	enum tw_status status;
	struct tw_stmt *st;
	int i;

	*out = NULL;
	*n = 0;
	if (p)
		by = tw_permission_givers(*p);
	status = tw_tenant_stmt(s, who, list_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, operator_id);
	for (i = 0; i < 4; i++)
		tw_stmt_text(st, 3 + i, by.name[i]);
	status = read_grants(st, out, n, err);
	if (status != TW_OK) {
		tw_grant_list_free(*out, *n);
		*out = NULL;
		*n = 0;
	}
	return status;
}

enum tw_status tw_grant_list(struct tw_store *s, const struct tw_who *who,
    const char *login, struct tw_grant **out, size_t *n, struct tw_err *err)
{
	enum tw_status status;
	int64_t id = 0;

	*out = NULL;
	*n = 0;
	status = tw_may_ask(s, who, login, err);
	if (status == TW_OK && login)
		status = tw_member_find(s, who, login, &id, err);
	if (status != TW_OK)
		return status;
	return tw_grant_read(s, who, id, NULL, out, n, err);
}
