/*
 * org.c - organisations: made, looked at, removed
 */
#include "model/org_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/name.h"

#define ID_BITS 53		/* numbers that JSON readers keep exact */

enum tw_status tw_org_record(struct tw_store *s, int64_t chain,
    const char *by, const char *action, char *detail, struct tw_err *err)
{
	struct tw_audit a = { .chain = chain, .operator = by,
	    .action = action, .detail = detail };
	enum tw_status status;

	if (!detail)
		return tw_err_nomem(err);
	status = tw_audit_add(s, &a, err);
	free(detail);
	return status;
}

static const char lookup_sql[] =
    "SELECT id FROM org WHERE name = ?1 AND removed IS NULL";

enum tw_status tw_org_lookup(struct tw_store *s, const char *name,
    int64_t *id, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	*id = 0;
	status = tw_stmt_get(s, lookup_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_text(st, 1, name);
	status = tw_stmt_step(st, err);
	if (status == TW_OK) {
		*id = tw_stmt_col_int(st, 0);
		tw_stmt_reset(st);
	}
	return status;
}

enum tw_status tw_org_not_found(const char *name, struct tw_err *err)
{
	return tw_err_set(err, TW_NO, "organisation '%s' not found", name);
}

static const char name_sql[] = "SELECT name FROM org WHERE id = ?1";

enum tw_status tw_org_name(struct tw_store *s, int64_t org_id, char **out,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	*out = NULL;
	status = tw_stmt_get(s, name_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, org_id);
	status = tw_stmt_one(st, err);
	if (status == TW_OK) {
		if (!tw_col_dup(st, 0, out))
			status = tw_err_nomem(err);
		tw_stmt_reset(st);
	}
	return status;
}

char *tw_org_key_path(const char *state_dir, const char *org)
{
	char *path;

	if (asprintf(&path, "%s/keys/%s/id_ed25519", state_dir, org) < 0)
		return NULL;
	return path;
}

/* --- making ------------------------------------------------------------ */

static const char taken_id_sql[] = "SELECT 1 FROM org WHERE id = ?1";

/* A number that nothing can be told from; those of removed ones stay taken. */
static enum tw_status new_id(struct tw_store *s, int64_t *id,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;
	uint64_t v;

	do {
		do {
			tw_random(&v, sizeof v);
			v >>= 64 - ID_BITS;
		} while (v == 0);
		*id = (int64_t)v;
		status = tw_stmt_get(s, taken_id_sql, &st, err);
		if (status != TW_OK)
			return status;
		tw_stmt_int(st, 1, *id);
		status = tw_stmt_step(st, err);
		if (status == TW_OK)
			tw_stmt_reset(st);
	} while (status == TW_OK);
	return status == TW_NO ? TW_OK : status;
}

static const char add_sql[] =
    "INSERT INTO org (id, name, created) VALUES (?1, ?2, ?3)";

enum tw_status tw_org_insert(struct tw_store *s, const char *by,
    const char *name, int64_t *id, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;
	char chain[24];

	status = tw_org_lookup(s, name, id, err);
	if (status == TW_OK)
		return tw_err_set(err, TW_NO,
		    "there is an organisation '%s' already", name);
	if (status == TW_NO)
		status = new_id(s, id, err);
	if (status == TW_OK)
		status = tw_stmt_get(s, add_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, *id);
	tw_stmt_text(st, 2, name);
	tw_stmt_int(st, 3, tw_clock_now());
	status = tw_stmt_run(st, err);
	if (status != TW_OK)
		return status;
	snprintf(chain, sizeof chain, "%lld", (long long)*id);
	return tw_org_record(s, TW_AUDIT_TOWER, by, "org.add",
	    tw_audit_detail("name", name, "chain", chain, "grant", TW_TOWER,
	    (char *)NULL), err);
}

enum tw_status tw_org_staff(struct tw_store *s, const struct tw_who *who,
    const char *login, int64_t id, struct tw_err *err)
{
	static const struct tw_grant_used used = { TW_TOWER };
	enum tw_status status;
	bool added;

	status = tw_member_put(s, who, &used, login, id, &added, err);
	if (status == TW_OK)
		status = tw_grant_all(s, who, &used, login, id, err);
	return status;
}

static enum tw_status add_org(struct tw_store *s, const struct tw_who *who,
    const char *name, const char *admin, int64_t *id, struct tw_err *err)
{
	struct tw_who there = *who;
	enum tw_status status;
	int64_t operator_id;

	status = tw_tower_may(s, who, err);
	if (status == TW_OK)
		status = tw_org_insert(s, who->login, name, id, err);
	if (status == TW_OK)
		status = tw_operator_put(s, admin, &operator_id, err);
	there.org_id = *id;
	there.org = (char *)name;
	if (status == TW_OK)
		status = tw_org_staff(s, &there, admin, operator_id, err);
	return status;
}

enum tw_status tw_org_add(struct tw_store *s, const struct tw_who *who,
    const char *name, const char *admin, int64_t *id, struct tw_err *err)
{
	enum tw_status status;
	struct tw_tx tx;

	*id = 0;
	if (!admin)
		admin = who->login;
	if (!tw_name_ok(name))
		return tw_err_set(err, TW_USAGE,
		    "'%s' is not a name for an organisation", name);
	if (!tw_name_ok(admin))
		return tw_err_set(err, TW_USAGE, "'%s' is not a login", admin);
	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = add_org(s, who, name, admin, id, err);
	status = tw_tx_end(&tx, status, err);
	if (status != TW_OK)
		*id = 0;
	return status;
}
