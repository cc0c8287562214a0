/*
 * grant_check.c - may an operator do this there?
 *
 * Three kinds of grants are looked at in this order: those that hold for every
 * host, those on just this name, patterns of hosts.  Only the last cost
 * anything: a name is found by the index permit_operator, so ten thousand
 * grants on single hosts are no slower than one.  Expiry, names and labels are
 * judged when a grant is used.
 */
#include "model/grant_private.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

struct right {
	int64_t num;
	char *host;			/* just this one, or NULL */
	struct tw_targets *hosts;	/* or these; NULL: every one */
	char *app;			/* NULL: every one, and none */
};

struct tw_rights {
	struct right *v;	/* every host; one host, by name; patterns */
	size_t n, cap;
	size_t nwide, nexact;	/* of the first two kinds */
	bool is_all;		/* v[0] holds for the organisation */
	bool is_tower;		/* an administrator of the tower asks */
};

/* --- reading ----------------------------------------------------------- */

#define LIVE " WHERE org_id = ?1 AND operator_id = ?2" \
	" AND permission IN (?3, ?4, ?5, ?6)" \
	" AND (until IS NULL OR until > ?7)"
#define ORDER " ORDER BY hosts IS NOT NULL, host IS NULL, host, num"

static const char all_sql[] =
    "SELECT num, hosts, host, app FROM permit" LIVE ORDER;
static const char host_sql[] =
    "SELECT num, hosts, host, app FROM ("
    "    SELECT num, hosts, host, app FROM permit" LIVE " AND host IS NULL"
    "    UNION ALL"
    "    SELECT num, hosts, host, app FROM permit" LIVE " AND host = ?8)"
    ORDER;
enum { NUM, HOSTS, HOST, APP };

void tw_rights_free(struct tw_rights *r)
{
	size_t i;

	if (!r)
		return;
	for (i = 0; i < r->n; i++) {
		free(r->v[i].host);
		free(r->v[i].app);
		tw_targets_free(r->v[i].hosts);
	}
	free(r->v);
	free(r);
}

static struct right *add_right(struct tw_rights *r)
{
	size_t cap = r->cap ? r->cap * 2 : 8;
	struct right *v;

	if (r->n == r->cap) {
		v = reallocarray(r->v, cap, sizeof *v);
		if (!v)
			return NULL;
		r->v = v;
		r->cap = cap;
	}
	v = &r->v[r->n++];
	memset(v, 0, sizeof *v);
	return v;
}

/* Apps do not narrow what is seen of a host that stands in the scope; a grant
 * on apps alone names no host to see. */
static enum tw_status read_right(struct tw_rights *r, struct tw_stmt *st,
    enum tw_permission p, struct tw_err *err)
{
	bool is_wide = tw_stmt_col_is_null(st, HOSTS);
	bool is_exact = !tw_stmt_col_is_null(st, HOST);
	enum tw_status status = TW_OK;
	struct right *v;

	if (p == TW_MAY_VIEW && is_wide && !tw_stmt_col_is_null(st, APP))
		return TW_OK;
	v = add_right(r);
	if (!v)
		return tw_err_nomem(err);
	v->num = tw_stmt_col_int(st, NUM);
	if (!tw_col_dup(st, HOST, &v->host) ||
	    (p != TW_MAY_VIEW && !tw_col_dup(st, APP, &v->app)))
		return tw_err_nomem(err);
	if (is_wide)
		r->nwide++;
	else if (is_exact)
		r->nexact++;
	else
		status = tw_targets_parse(tw_stmt_col_text(st, HOSTS),
		    &v->hosts, err);
	if (status == TW_USAGE) {
		tw_err_prefix(err, "the state holds a bad grant %lld",
		    (long long)v->num);
		status = TW_CONFIG;
	}
	if (is_wide && !v->app && !r->is_all) {
		struct right first = r->v[0];

		r->v[0] = *v;
		*v = first;
		r->is_all = true;
	}
	return status;
}

/* The rest is not read once a grant holds for the organisation. */
static enum tw_status read_rights(struct tw_rights *r, struct tw_store *s,
    const struct tw_who *who, int64_t operator_id, enum tw_permission p,
    const char *host, struct tw_err *err)
{
	struct tw_permission_set by = tw_permission_givers(p);
	enum tw_status status;
	struct tw_stmt *st;
	int i;

	if (!who->org_id)	/* the state's owner, for none */
		return TW_OK;
	status = tw_tenant_stmt(s, who, host ? host_sql : all_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, operator_id);
	for (i = 0; i < 4; i++)
		tw_stmt_text(st, 3 + i, by.name[i]);
	tw_stmt_int(st, 7, tw_clock_now());
	if (host)
		tw_stmt_text(st, 8, host);
	while (!r->is_all && (status = tw_stmt_step(st, err)) == TW_OK) {
		status = read_right(r, st, p, err);
		if (status != TW_OK)
			break;
	}
	tw_stmt_reset(st);
	return status == TW_NO ? TW_OK : status;
}

static const char tower_sql[] =
    "SELECT 1 FROM org o, operator p"
    " WHERE o.id = ?1 AND o.removed IS NULL AND p.id = ?2 AND p.admin";

static enum tw_status read_tower(struct tw_rights *r, struct tw_store *s,
    const struct tw_who *who, int64_t operator_id, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, tower_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, who->org_id);
	tw_stmt_int(st, 2, operator_id);
	status = tw_stmt_step(st, err);
	if (status == TW_NO)
		return TW_OK;
	if (status == TW_OK) {
		r->is_tower = true;
		tw_stmt_reset(st);
	}
	return status;
}

/* host NULL: for every host. */
static enum tw_status load(struct tw_store *s, const struct tw_who *who,
    int64_t operator_id, enum tw_permission p, const char *host,
    struct tw_rights **out, struct tw_err *err)
{
	struct tw_rights *r;
	enum tw_status status;

	*out = NULL;
	r = calloc(1, sizeof *r);
	if (!r)
		return tw_err_nomem(err);
	status = read_rights(r, s, who, operator_id, p, host, err);
	if (status == TW_OK && p == TW_MAY_ADMIN && !r->is_all)
		status = read_tower(r, s, who, operator_id, err);
	if (status == TW_OK)
		*out = r;
	else
		tw_rights_free(r);
	return status;
}

enum tw_status tw_rights_of(struct tw_store *s, const struct tw_who *who,
    int64_t operator_id, enum tw_permission p, struct tw_rights **out,
    struct tw_err *err)
{
	return load(s, who, operator_id, p, NULL, out, err);
}

enum tw_status tw_rights_load(struct tw_store *s, const struct tw_who *who,
    enum tw_permission p, struct tw_rights **out, struct tw_err *err)
{
	return load(s, who, who->operator_id, p, NULL, out, err);
}

/* --- asking ------------------------------------------------------------ */

bool tw_rights_are_none(const struct tw_rights *r)
{
	return r->n == 0 && !r->is_tower;
}

bool tw_rights_are_all(const struct tw_rights *r)
{
	return r->is_all || r->is_tower;
}

bool tw_grant_covers_app(const char *pattern, const char *app)
{
	if (!pattern || strcmp(pattern, "*") == 0)
		return true;
	if (!app)
		return false;
	if (strpbrk(app, "*?"))
		return strcmp(pattern, app) == 0;
	return fnmatch(pattern, app, 0) == 0;
}

static bool use(const struct right *v, struct tw_grant_used *used)
{
	if (used)
		snprintf(used->text, sizeof used->text, "%lld",
		    (long long)v->num);
	return true;
}

/* The first of the grants on just this host. */
static const struct right *find_exact(const struct tw_rights *r,
    const char *host)
{
	const struct right *v = r->v + r->nwide;
	size_t lo = 0, hi = r->nexact, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (strcmp(v[mid].host, host) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return v + lo;
}

bool tw_rights_everywhere(const struct tw_rights *r, const char *app,
    struct tw_grant_used *used)
{
	size_t i;

	if (tw_rights_are_all(r))
		return tw_rights_on(r, "", NULL, app, used);
	for (i = 0; i < r->nwide; i++)
		if (tw_grant_covers_app(r->v[i].app, app))
			return use(&r->v[i], used);
	return false;
}

/* What must hold of a right's apps. */
struct apps {
	bool is_any;		/* nothing */
	const char *app;	/* it covers this one; NULL: none */
};

static bool covers(const struct right *v, const struct apps *a)
{
	return a->is_any || tw_grant_covers_app(v->app, a->app);
}

static bool is_on(const struct tw_rights *r, const char *host,
    const char *const *labels, const struct apps *a,
    struct tw_grant_used *used)
{
	const struct tw_target_item item = { host, labels };
	const struct right *v = r->v, *end;

	if (r->is_all)
		return use(v, used);
	if (r->is_tower) {
		if (used)
			snprintf(used->text, sizeof used->text, TW_TOWER);
		return true;
	}
	if (!r->n)
		return false;
	for (end = v + r->nwide; v < end; v++)
		if (covers(v, a))
			return use(v, used);
	end += r->nexact;
	for (v = find_exact(r, host); v < end && strcmp(v->host, host) == 0;
	    v++)
		if (covers(v, a))
			return use(v, used);
	for (v = end; v < r->v + r->n; v++)
		if (covers(v, a) && tw_targets_has(v->hosts, &item))
			return use(v, used);
	return false;
}

bool tw_rights_on(const struct tw_rights *r, const char *host,
    const char *const *labels, const char *app, struct tw_grant_used *used)
{
	const struct apps a = { .app = app };

	return is_on(r, host, labels, &a, used);
}

bool tw_rights_on_some(const struct tw_rights *r, const char *host,
    const char *const *labels)
{
	const struct apps a = { .is_any = true };

	return is_on(r, host, labels, &a, NULL);
}

/* --- one question ------------------------------------------------------ */

enum tw_status tw_may(struct tw_store *s, const struct tw_who *who,
    enum tw_permission p, struct tw_grant_used *used, struct tw_err *err)
{
	struct tw_rights *r;
	enum tw_status status;

	/* "" is no host's name: patterns alone could hold for it. */
	status = load(s, who, who->operator_id, p, "", &r, err);
	if (status != TW_OK)
		return status;
	if (!tw_rights_are_all(r)) {
		status = tw_err_set(err, TW_DENIED,
		    "%s may not %s in organisation '%s'", who->login,
		    tw_permission_name(p), who->org ? who->org : "");
		tw_err_hint(err, "ask an administrator for: towerify-op grant %s "
		    "%s", who->login, tw_permission_name(p));
	} else if (used) {
		tw_rights_on(r, "", NULL, NULL, used);
	}
	tw_rights_free(r);
	return status;
}

enum tw_status tw_may_ask(struct tw_store *s, const struct tw_who *who,
    const char *login, struct tw_err *err)
{
	if (login && strcmp(login, who->login) == 0)
		return TW_OK;
	return tw_may(s, who, TW_MAY_ADMIN, NULL, err);
}

static enum tw_status refuse(const struct tw_who *who, enum tw_permission p,
    const char *host, const char *app, struct tw_err *err)
{
	const char *name = tw_permission_name(p);

	if (app)
		tw_err_set(err, TW_DENIED, "%s may not %s %s on %s",
		    who->login, name, app, host);
	else
		tw_err_set(err, TW_DENIED, "%s may not %s %s", who->login,
		    name, host);
	tw_err_hint(err, "ask an administrator for: towerify-op grant %s %s --on "
	    "hosts:%s%s%s", who->login, name, host, app ? " --on app:" : "",
	    app ? app : "");
	return TW_DENIED;
}

enum tw_status tw_may_host(struct tw_store *s, const struct tw_who *who,
    enum tw_permission p, const char *host, const char *const *labels,
    const char *app, struct tw_grant_used *used, struct tw_err *err)
{
	struct tw_rights *r;
	enum tw_status status;

	status = load(s, who, who->operator_id, p, host, &r, err);
	if (status != TW_OK)
		return status;
	if (!tw_rights_on(r, host, labels, app, used))
		status = refuse(who, p, host, app, err);
	tw_rights_free(r);
	return status;
}
