/*
 * org.c - organisations and operators; who is calling
 *
 * What an operator may do within an organisation is not decided here.
 */
#include "model/model_private.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/name.h"

#define PASSWD_MAX 16384	/* bytes for the strings of a passwd entry */
#define DEFAULT_ORG "default"

/* The number of $SUDO_UID.  False: it is not one. */
static bool parse_uid(const char *s, uid_t *out)
{
	unsigned long v;
	char *end;

	if (s[0] < '0' || s[0] > '9')
		return false;
	errno = 0;
	v = strtoul(s, &end, 10);
	if (errno || *end || v >= (uid_t)-1)
		return false;
	*out = (uid_t)v;
	return true;
}

enum tw_status tw_who_login(char **out, struct tw_err *err)
{
	const char *sudo = getenv("SUDO_UID");
	struct passwd pw, *found = NULL;
	enum tw_status status = TW_OK;
	uid_t uid = getuid();
	char *buf;

	*out = NULL;
	if (sudo && !parse_uid(sudo, &uid))
		return tw_err_set(err, TW_DENIED,
		    "SUDO_UID is set, but is not a user's number");
	buf = malloc(PASSWD_MAX);
	if (!buf)
		return tw_err_nomem(err);
	if (getpwuid_r(uid, &pw, buf, PASSWD_MAX, &found) != 0 || !found)
		status = tw_err_set(err, TW_DENIED,
		    "there is no user with the number %lu",
		    (unsigned long)uid);
	else if (!(*out = strdup(pw.pw_name)))
		status = tw_err_nomem(err);
	free(buf);
	return status;
}

/* --- making ------------------------------------------------------------ */

static enum tw_status record(struct tw_store *s, const char *by,
    const char *action, const char *key, const char *value, const char *org,
    struct tw_err *err)
{
	struct tw_audit a = { .chain = TW_AUDIT_TOWER, .operator = by,
	    .action = action };
	enum tw_status status;
	char *detail;

	detail = tw_audit_detail(key, value, "org", org, (char *)NULL);
	if (!detail)
		return tw_err_nomem(err);
	a.detail = detail;
	status = tw_audit_add(s, &a, err);
	free(detail);
	return status;
}

static const char org_find_sql[] = "SELECT id FROM org WHERE name = ?1";

/* TW_NO when there is none; err is not filled then. */
static enum tw_status org_lookup(struct tw_store *s, const char *name,
    int64_t *id, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	*id = 0;
	status = tw_stmt_get(s, org_find_sql, &st, err);
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

enum tw_status tw_org_find(struct tw_store *s, const char *name, int64_t *id,
    struct tw_err *err)
{
	enum tw_status status = org_lookup(s, name, id, err);

	if (status == TW_NO)
		tw_err_set(err, TW_NO, "no organisation '%s'", name);
	return status;
}

static const char org_add_sql[] =
    "INSERT INTO org (name, created) VALUES (?1, ?2)";

static enum tw_status org_insert(struct tw_store *s, const char *by,
    const char *name, int64_t *id, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = org_lookup(s, name, id, err);
	if (status == TW_OK)
		return tw_err_set(err, TW_NO,
		    "there is an organisation '%s' already", name);
	if (status == TW_NO)
		status = tw_stmt_get(s, org_add_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_text(st, 1, name);
	tw_stmt_int(st, 2, tw_clock_now());
	status = tw_stmt_run(st, err);
	*id = tw_store_last_id(s);
	if (status == TW_OK)
		status = record(s, by, "org.add", "name", name, NULL, err);
	return status;
}

enum tw_status tw_org_add(struct tw_store *s, const char *by,
    const char *name, int64_t *id, struct tw_err *err)
{
	enum tw_status status;
	struct tw_tx tx;

	*id = 0;
	if (!tw_name_ok(name))
		return tw_err_set(err, TW_USAGE,
		    "'%s' is not a name for an organisation", name);
	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = org_insert(s, by, name, id, err);
	return tw_tx_end(&tx, status, err);
}

static const char op_find_sql[] =
    "SELECT id, admin FROM operator WHERE login = ?1";
enum { OP_ID, OP_ADMIN };

/* TW_NO when there is none; err is not filled then. */
static enum tw_status op_find(struct tw_store *s, const char *login,
    int64_t *id, bool *is_admin, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	*id = 0;
	*is_admin = false;
	status = tw_stmt_get(s, op_find_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_text(st, 1, login);
	status = tw_stmt_step(st, err);
	if (status == TW_OK) {
		*id = tw_stmt_col_int(st, OP_ID);
		*is_admin = tw_stmt_col_int(st, OP_ADMIN) != 0;
		tw_stmt_reset(st);
	}
	return status;
}

static const char op_put_sql[] =
    "INSERT INTO operator (login, admin, created) VALUES (?1, ?2, ?3)"
    " ON CONFLICT (login) DO UPDATE SET admin = max(admin, excluded.admin)";
static const char member_sql[] =
    "INSERT INTO member (org_id, operator_id) VALUES (?1, ?2)"
    " ON CONFLICT DO NOTHING";

static enum tw_status op_join(struct tw_store *s, const char *by,
    const char *login, int64_t id, int64_t org_id, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;
	char *org = NULL;

	status = tw_stmt_get(s, member_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, org_id);
	tw_stmt_int(st, 2, id);
	status = tw_stmt_run(st, err);
	if (status != TW_OK || tw_store_changes(s) == 0)
		return status;
	status = tw_org_name(s, org_id, &org, err);
	if (status == TW_OK)
		status = record(s, by, "op.join", "login", login, org, err);
	free(org);
	return status;
}

static enum tw_status op_put(struct tw_store *s, const char *by,
    const char *login, bool is_admin, int64_t org_id, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;
	bool was_admin;
	int64_t id;

	status = op_find(s, login, &id, &was_admin, err);
	if (status == TW_NO || (status == TW_OK && is_admin && !was_admin)) {
		status = tw_stmt_get(s, op_put_sql, &st, err);
		if (status != TW_OK)
			return status;
		tw_stmt_text(st, 1, login);
		tw_stmt_int(st, 2, is_admin);
		tw_stmt_int(st, 3, tw_clock_now());
		status = tw_stmt_run(st, err);
		if (status == TW_OK)
			status = record(s, by, is_admin ? "op.add-admin" :
			    "op.add", "login", login, NULL, err);
		if (status == TW_OK)
			status = op_find(s, login, &id, &was_admin, err);
	}
	if (status == TW_OK && org_id)
		status = op_join(s, by, login, id, org_id, err);
	return status;
}

enum tw_status tw_operator_add(struct tw_store *s, const char *by,
    const char *login, bool is_admin, int64_t org_id, struct tw_err *err)
{
	enum tw_status status;
	struct tw_tx tx;

	if (!tw_name_ok(login))
		return tw_err_set(err, TW_USAGE, "'%s' is not a login", login);
	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = op_put(s, by, login, is_admin, org_id, err);
	return tw_tx_end(&tx, status, err);
}

/* --- finding ----------------------------------------------------------- */

static const char any_op_sql[] = "SELECT 1 FROM operator LIMIT 1";

/* TW_OK: there is an operator; TW_NO: nobody yet. */
static enum tw_status has_operators(struct tw_store *s, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, any_op_sql, &st, err);
	if (status == TW_OK)
		status = tw_stmt_step(st, err);
	if (status == TW_OK)
		tw_stmt_reset(st);
	return status;
}

/* The first caller becomes the administrator, unless somebody was faster. */
static enum tw_status found(struct tw_store *s, const char *login,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_tx tx;
	int64_t org = 0;

	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = has_operators(s, err);
	if (status == TW_NO) {
		status = org_lookup(s, DEFAULT_ORG, &org, err);
		if (status == TW_NO)
			status = org_insert(s, login, DEFAULT_ORG, &org, err);
		if (status == TW_OK)
			status = op_put(s, login, login, true, org, err);
	}
	return tw_tx_end(&tx, status, err);
}

static const char member_of_sql[] =
    "SELECT o.id, o.name FROM org o JOIN member m ON m.org_id = o.id"
    " WHERE m.operator_id = ?1 AND o.name = ?2";
/* their only one, else the default */
static const char member_only_sql[] =
    "SELECT o.id, o.name FROM org o JOIN member m ON m.org_id = o.id"
    " WHERE m.operator_id = ?1 AND (o.name = '" DEFAULT_ORG "' OR"
    "    (SELECT count(*) FROM member WHERE operator_id = ?1) = 1)";
enum { MEMBER_ORG, MEMBER_NAME };

static enum tw_status choose_org(struct tw_store *s, const char *org,
    struct tw_who *w, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, org ? member_of_sql : member_only_sql, &st,
	    err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, w->operator_id);
	if (org)
		tw_stmt_text(st, 2, org);
	status = tw_stmt_step(st, err);
	if (status == TW_NO) {
		tw_err_set(err, TW_NO, "organisation '%s' not found",
		    org ? org : DEFAULT_ORG);
		if (!org)
			tw_err_hint(err, "name one of yours with --org");
		return TW_NO;
	}
	if (status != TW_OK)
		return status;
	w->org_id = tw_stmt_col_int(st, MEMBER_ORG);
	if (!tw_col_dup(st, MEMBER_NAME, &w->org))
		status = tw_err_nomem(err);
	tw_stmt_reset(st);
	return status;
}

enum tw_status tw_who_get(struct tw_store *s, const char *login,
    const char *org, bool first, struct tw_who *out, struct tw_err *err)
{
	enum tw_status status = TW_OK;

	memset(out, 0, sizeof *out);
	if (first && tw_store_can_write(s)) {
		status = has_operators(s, err);
		if (status == TW_NO)
			status = found(s, login, err);
	}
	if (status == TW_OK)
		status = op_find(s, login, &out->operator_id, &out->is_admin,
		    err);
	if (status == TW_NO)
		status = tw_err_set(err, TW_DENIED,
		    "%s is not an operator of this tower", login);
	if (status == TW_OK && !tw_text_dup(login, &out->login))
		status = tw_err_nomem(err);
	if (status == TW_OK)
		status = choose_org(s, org, out, err);
	if (status != TW_OK)
		tw_who_release(out);
	return status;
}

void tw_who_release(struct tw_who *w)
{
	free(w->login);
	free(w->org);
	memset(w, 0, sizeof *w);
}

char *tw_org_key_path(const char *state_dir, const char *org)
{
	char *path;

	if (asprintf(&path, "%s/keys/%s/id_ed25519", state_dir, org) < 0)
		return NULL;
	return path;
}

static const char org_name_sql[] = "SELECT name FROM org WHERE id = ?1";

enum tw_status tw_org_name(struct tw_store *s, int64_t org_id, char **out,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	*out = NULL;
	status = tw_stmt_get(s, org_name_sql, &st, err);
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
