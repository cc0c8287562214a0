/*
 * tenant.c - the one place where a person's statements get their limit; see
 *            tenant.h
 */
#include "model/tenant.h"

#include <string.h>

#include "model/audit.h"

static enum tw_status get(struct tw_store *s, const char *sql, bool is_limited,
    int64_t v, struct tw_stmt **st, struct tw_err *err)
{
	enum tw_status status;

	*st = NULL;
	if (!is_limited)
		return tw_err_set(err, TW_BUG,
		    "a statement without its tenant: %.60s", sql);
	status = tw_stmt_get(s, sql, st, err);
	if (status == TW_OK)
		tw_stmt_int(*st, 1, v);
	return status;
}

enum tw_status tw_tenant_stmt(struct tw_store *s, const struct tw_who *who,
    const char *sql, struct tw_stmt **st, struct tw_err *err)
{
	bool is_limited = strstr(sql, "org_id = ?1") || strstr(sql, "(org_id");

	return get(s, sql, is_limited && who->org_id > 0, who->org_id, st, err);
}

enum tw_status tw_tenant_run(struct tw_store *s, const struct tw_who *who,
    const char *sql, int64_t v, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tenant_stmt(s, who, sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, v);
	return tw_stmt_run(st, err);
}

enum tw_status tw_tenant_or_any(struct tw_store *s, const struct tw_who *who,
    const char *sql, const char *any_sql, struct tw_stmt **st,
    struct tw_err *err)
{
	return who ? tw_tenant_stmt(s, who, sql, st, err) :
	    tw_stmt_get(s, any_sql, st, err);
}

enum tw_status tw_tenant_chain(struct tw_store *s, const struct tw_who *who,
    bool is_tower, const char *sql, struct tw_stmt **st, struct tw_err *err)
{
	int64_t chain = is_tower ? TW_AUDIT_TOWER : who->org_id;

	*st = NULL;
	if (is_tower && !who->is_admin)
		return tw_err_set(err, TW_DENIED,
		    "%s is not an administrator of the tower", who->login);
	return get(s, sql, strstr(sql, "chain = ?1") &&
	    (is_tower || chain > 0), chain, st, err);
}
