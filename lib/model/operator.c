/*
 * operator.c - operators: members of organisations, administrators of the tower
 *
 * A login that is not a member of the caller's organisation is "no operator",
 * whether there is one elsewhere or not.
 */
#include "model/org_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/name.h"

static const char find_sql[] =
    "SELECT id, admin FROM operator WHERE login = ?1";
enum { FIND_ID, FIND_ADMIN };

enum tw_status tw_operator_find(struct tw_store *s, const char *login,
    int64_t *id, bool *is_admin, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	*id = 0;
	*is_admin = false;
	status = tw_stmt_get(s, find_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_text(st, 1, login);
	status = tw_stmt_step(st, err);
	if (status == TW_OK) {
		*id = tw_stmt_col_int(st, FIND_ID);
		*is_admin = tw_stmt_col_int(st, FIND_ADMIN) != 0;
		tw_stmt_reset(st);
	}
	return status;
}

static const char put_sql[] =
    "INSERT INTO operator (login, created) VALUES (?1, ?2)";

enum tw_status tw_operator_put(struct tw_store *s, const char *login,
    int64_t *id, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;
	bool is_admin;

	if (strcmp(login, TW_TOWER) == 0)
		return tw_err_set(err, TW_USAGE, "'%s' can't be an "
		    "operator: it is who acts when no person does", TW_TOWER);
	status = tw_operator_find(s, login, id, &is_admin, err);
	if (status != TW_NO)
		return status;
	status = tw_stmt_get(s, put_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_text(st, 1, login);
	tw_stmt_int(st, 2, tw_clock_now());
	status = tw_stmt_run(st, err);
	*id = tw_store_last_id(s);
	return status;
}

static const char mark_sql[] = "UPDATE operator SET admin = ?2 WHERE id = ?1";

enum tw_status tw_operator_mark(struct tw_store *s, const char *by,
    const char *login, int64_t id, bool is_admin, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, mark_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, id);
	tw_stmt_int(st, 2, is_admin);
	status = tw_stmt_run(st, err);
	if (status != TW_OK)
		return status;
	return tw_org_record(s, TW_AUDIT_TOWER, by, "op.set-admin",
	    tw_audit_detail("login", login, "admin", is_admin ? "yes" : "no",
	    "grant", TW_TOWER, (char *)NULL), err);
}

static const char is_tower_sql[] =
    "SELECT 1 FROM operator WHERE id = ?1 AND admin";

enum tw_status tw_tower_may(struct tw_store *s, const struct tw_who *who,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, is_tower_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, who->operator_id);
	status = tw_stmt_step(st, err);
	if (status == TW_NO)
		return tw_err_set(err, TW_DENIED,
		    "%s is not an administrator of the tower", who->login);
	if (status == TW_OK)
		tw_stmt_reset(st);
	return status;
}

/* --- members ----------------------------------------------------------- */

static const char member_sql[] =
    "INSERT INTO member (org_id, operator_id, since) VALUES (?1, ?2, ?3)"
    " ON CONFLICT DO NOTHING";

enum tw_status tw_member_put(struct tw_store *s, const struct tw_who *who,
    const struct tw_grant_used *used, const char *login, int64_t id,
    bool *added, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	*added = false;
	status = tw_tenant_stmt(s, who, member_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, id);
	tw_stmt_int(st, 3, tw_clock_now());
	status = tw_stmt_run(st, err);
	if (status != TW_OK || tw_store_changes(s) == 0)
		return status;
	*added = true;
	return tw_org_record(s, who->org_id, who->login, "op.add",
	    tw_audit_detail("login", login, "grant", used->text,
	    (char *)NULL), err);
}

static const char member_find_sql[] =
    "SELECT m.operator_id FROM member m JOIN operator o"
    " ON o.id = m.operator_id WHERE m.org_id = ?1 AND o.login = ?2";

enum tw_status tw_member_find(struct tw_store *s, const struct tw_who *who,
    const char *login, int64_t *id, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	*id = 0;
	status = tw_tenant_stmt(s, who, member_find_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_text(st, 2, login);
	status = tw_stmt_step(st, err);
	if (status == TW_NO)
		return tw_err_set(err, TW_NO, "no operator '%s'", login);
	if (status == TW_OK) {
		*id = tw_stmt_col_int(st, 0);
		tw_stmt_reset(st);
	}
	return status;
}

/* --- acts -------------------------------------------------------------- */

static enum tw_status add_operator(struct tw_store *s,
    const struct tw_who *who, const char *login, bool *added,
    struct tw_err *err)
{
	struct tw_grant_used used;
	enum tw_status status;
	int64_t id;

	status = tw_may(s, who, TW_MAY_ADMIN, &used, err);
	if (status == TW_OK)
		status = tw_operator_put(s, login, &id, err);
	if (status == TW_OK)
		status = tw_member_put(s, who, &used, login, id, added, err);
	return status;
}

enum tw_status tw_operator_add(struct tw_store *s, const struct tw_who *who,
    const char *login, bool *added, struct tw_err *err)
{
	enum tw_status status;
	struct tw_tx tx;

	*added = false;
	if (!tw_name_ok(login))
		return tw_err_set(err, TW_USAGE, "'%s' is not a login", login);
	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = add_operator(s, who, login, added, err);
	status = tw_tx_end(&tx, status, err);
	if (status != TW_OK)
		*added = false;
	return status;
}

/* Grants go with the member (ON DELETE CASCADE). */
static const char leave_sql[] =
    "DELETE FROM member WHERE org_id = ?1 AND operator_id = ?2";

static enum tw_status remove_operator(struct tw_store *s,
    const struct tw_who *who, const char *login, struct tw_err *err)
{
	struct tw_grant_used used;
	enum tw_status status;
	struct tw_stmt *st;
	int64_t id;

	status = tw_may(s, who, TW_MAY_ADMIN, &used, err);
	if (status == TW_OK)
		status = tw_member_find(s, who, login, &id, err);
	if (status == TW_OK)
		status = tw_admin_stays(s, who, login, id, err);
	if (status == TW_OK)
		status = tw_tenant_stmt(s, who, leave_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, id);
	status = tw_stmt_run(st, err);
	if (status != TW_OK)
		return status;
	return tw_org_record(s, who->org_id, who->login, "op.remove",
	    tw_audit_detail("login", login, "grant", used.text,
	    (char *)NULL), err);
}

enum tw_status tw_operator_remove(struct tw_store *s,
    const struct tw_who *who, const char *login, struct tw_err *err)
{
	enum tw_status status;
	struct tw_tx tx;

	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = remove_operator(s, who, login, err);
	return tw_tx_end(&tx, status, err);
}

static const char other_tower_sql[] =
    "SELECT 1 FROM operator WHERE admin AND id <> ?1 LIMIT 1";

/* TW_NO when there is no other administrator of the tower. */
static enum tw_status tower_stays(struct tw_store *s, const char *login,
    int64_t id, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, other_tower_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, id);
	status = tw_stmt_step(st, err);
	if (status == TW_NO)
		return tw_err_set(err, TW_NO,
		    "%s is the only administrator of the tower", login);
	if (status == TW_OK)
		tw_stmt_reset(st);
	return status;
}

static enum tw_status set_admin(struct tw_store *s, const struct tw_who *who,
    const char *login, bool is_admin, struct tw_err *err)
{
	enum tw_status status;
	bool was_admin = false;
	int64_t id;

	status = tw_tower_may(s, who, err);
	if (status != TW_OK)
		return status;
	status = tw_operator_find(s, login, &id, &was_admin, err);
	if (status == TW_NO)
		return tw_err_set(err, TW_NO, "no operator '%s'", login);
	if (status != TW_OK || was_admin == is_admin)
		return status;
	if (!is_admin)
		status = tower_stays(s, login, id, err);
	if (status == TW_OK)
		status = tw_operator_mark(s, who->login, login, id, is_admin,
		    err);
	return status;
}

enum tw_status tw_operator_set_admin(struct tw_store *s,
    const struct tw_who *who, const char *login, bool is_admin,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_tx tx;

	if (!tw_name_ok(login))
		return tw_err_set(err, TW_USAGE, "'%s' is not a login", login);
	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = set_admin(s, who, login, is_admin, err);
	return tw_tx_end(&tx, status, err);
}

/* --- looking ----------------------------------------------------------- */

void tw_operator_list_free(struct tw_operator *o, size_t n)
{
	size_t i;

	for (i = 0; o && i < n; i++)
		free(o[i].login);
	free(o);
}

static const char list_sql[] =
    "SELECT o.id, o.login, o.admin, m.since,"
    "    (SELECT count(*) FROM permit p WHERE p.org_id = ?1"
    "        AND p.operator_id = o.id AND (p.until IS NULL OR p.until > ?3))"
    " FROM member m JOIN operator o ON o.id = m.operator_id"
    " WHERE m.org_id = ?1 AND (?2 IS NULL OR o.login = ?2)"
    " ORDER BY o.login";
enum { LIST_ID, LIST_LOGIN, LIST_ADMIN, LIST_SINCE, LIST_GRANTS };

static enum tw_status read_list(struct tw_stmt *st, const struct tw_who *who,
    struct tw_operator **out, size_t *n, struct tw_err *err)
{
	enum tw_status status;
	struct tw_operator *v;

	while ((status = tw_stmt_step(st, err)) == TW_OK) {
		v = reallocarray(*out, *n + 1, sizeof *v);
		if (!v)
			break;
		*out = v;
		v += *n;
		v->id = tw_stmt_col_int(st, LIST_ID);
		v->is_admin = who->is_admin &&
		    tw_stmt_col_int(st, LIST_ADMIN) != 0;
		v->since = tw_stmt_col_int(st, LIST_SINCE);
		v->grants = tw_stmt_col_int(st, LIST_GRANTS);
		if (!tw_col_dup(st, LIST_LOGIN, &v->login))
			break;
		++*n;
	}
	if (status == TW_OK) {
		tw_stmt_reset(st);
		return tw_err_nomem(err);
	}
	return status == TW_NO ? TW_OK : status;
}

enum tw_status tw_operator_list(struct tw_store *s, const struct tw_who *who,
    const char *login, struct tw_operator **out, size_t *n,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	*out = NULL;
	*n = 0;
	status = tw_may_ask(s, who, login, err);
	if (status == TW_OK)
		status = tw_tenant_stmt(s, who, list_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_text(st, 2, login);
	tw_stmt_int(st, 3, tw_clock_now());
	status = read_list(st, who, out, n, err);
	if (status == TW_OK && login && *n == 0)
		status = tw_err_set(err, TW_NO, "no operator '%s'", login);
	if (status != TW_OK) {
		tw_operator_list_free(*out, *n);
		*out = NULL;
		*n = 0;
	}
	return status;
}

/* --- keys -------------------------------------------------------------- */

static enum tw_status let_key_in(struct tw_store *s, const struct tw_who *who,
    const char *login, const char *fingerprint, struct tw_err *err)
{
	enum tw_status status;
	bool is_admin;
	int64_t id;

	status = tw_tower_may(s, who, err);
	if (status == TW_OK) {
		status = tw_operator_find(s, login, &id, &is_admin, err);
		if (status == TW_NO)
			tw_err_set(err, TW_NO, "no operator '%s'", login);
	}
	if (status != TW_OK)
		return status;
	return tw_org_record(s, TW_AUDIT_TOWER, who->login, "op.key",
	    tw_audit_detail("login", login, "fingerprint", fingerprint,
	    "grant", TW_TOWER, (char *)NULL), err);
}

enum tw_status tw_operator_key(struct tw_store *s, const struct tw_who *who,
    const char *login, const char *fingerprint, struct tw_err *err)
{
	enum tw_status status;
	struct tw_tx tx;

	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = let_key_in(s, who, login, fingerprint, err);
	return tw_tx_end(&tx, status, err);
}
