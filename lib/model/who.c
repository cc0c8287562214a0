/*
 * who.c - who is calling, through which gate, and for which organisation
 *
 * What an operator may do there is decided in grant_check.c.
 */
#include "model/org_private.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/name.h"

#define PASSWD_MAX 16384	/* bytes for the strings of a passwd entry */

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

static enum tw_status user_name(uid_t uid, char **out, struct tw_err *err)
{
	struct passwd pw, *found = NULL;
	enum tw_status status = TW_OK;
	char *buf;

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

enum tw_status tw_caller_get(struct tw_caller *out, struct tw_err *err)
{
	const char *sudo = getenv("SUDO_UID");
	const char *login = getenv("TOWERIFY_OPERATOR");
	uid_t uid = getuid();

	memset(out, 0, sizeof *out);
	if (sudo && !parse_uid(sudo, &uid))
		return tw_err_set(err, TW_DENIED,
		    "SUDO_UID is set, but is not a user's number");
	if (sudo && uid != getuid()) {
		out->gate = TW_GATE_SUDO;
		return user_name(uid, &out->login, err);
	}
	if (!login)
		return user_name(uid, &out->login, err);
	if (!tw_name_ok(login))
		return tw_err_set(err, TW_DENIED,
		    "TOWERIFY_OPERATOR is set, but is not an operator's name");
	out->gate = TW_GATE_SHELL;
	return tw_text_dup(login, &out->login) ? TW_OK : tw_err_nomem(err);
}

void tw_caller_release(struct tw_caller *c)
{
	free(c->login);
	memset(c, 0, sizeof *c);
}

/* --- founding ---------------------------------------------------------- */

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

static enum tw_status found(struct tw_store *s, const char *login,
    struct tw_err *err)
{
	struct tw_who who = { .login = (char *)login, .is_admin = true };
	enum tw_status status;

	status = tw_operator_put(s, login, &who.operator_id, err);
	if (status == TW_OK)
		status = tw_operator_mark(s, login, login, who.operator_id,
		    true, err);
	if (status == TW_OK)
		status = tw_org_lookup(s, TW_ORG_DEFAULT, &who.org_id, err);
	if (status == TW_NO)
		status = tw_org_insert(s, login, TW_ORG_DEFAULT, &who.org_id,
		    err);
	if (status == TW_OK)
		status = tw_org_staff(s, &who, login, who.operator_id, err);
	return status;
}

/* The first caller becomes the administrator, unless somebody was faster. */
static enum tw_status found_once(struct tw_store *s, const char *login,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_tx tx;

	status = has_operators(s, err);
	if (status != TW_NO)
		return status;
	if (!tw_name_ok(login))
		return tw_err_set(err, TW_DENIED, "'%s' is not a login", login);
	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = has_operators(s, err);
	if (status == TW_NO)
		status = found(s, login, err);
	return tw_tx_end(&tx, status, err);
}

/* --- finding ----------------------------------------------------------- */

/* Their organisations, then for administrators of the tower the others. */
static const char org_named_sql[] =
    "SELECT o.id, o.name FROM org o"
    " WHERE o.name = ?1 AND o.removed IS NULL AND (?3 OR EXISTS (SELECT 1"
    "    FROM member m WHERE m.org_id = o.id AND m.operator_id = ?2))";
/* their only one, else the default */
static const char org_usual_sql[] =
    "SELECT o.id, o.name FROM org o JOIN member m ON m.org_id = o.id"
    " WHERE o.removed IS NULL AND m.operator_id = ?2 AND (o.name = ?1 OR"
    "    (SELECT count(*) FROM member WHERE operator_id = ?2) = 1)";
enum { ORG_ID, ORG_NAME };

/* TW_NO: none; err is not filled then. */
static enum tw_status read_org(struct tw_store *s, const char *sql,
    const char *name, struct tw_who *w, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_text(st, 1, name);
	tw_stmt_int(st, 2, w->operator_id);
	if (sql == org_named_sql)
		tw_stmt_int(st, 3, w->is_admin);
	status = tw_stmt_step(st, err);
	if (status != TW_OK)
		return status;
	w->org_id = tw_stmt_col_int(st, ORG_ID);
	if (!tw_col_dup(st, ORG_NAME, &w->org))
		status = tw_err_nomem(err);
	tw_stmt_reset(st);
	return status;
}

static const char names_sql[] =
    "SELECT o.name FROM org o WHERE o.removed IS NULL AND (?2 OR EXISTS"
    "    (SELECT 1 FROM member m WHERE m.org_id = o.id"
    "        AND m.operator_id = ?1)) ORDER BY o.name LIMIT 10";

/* Who can't act without naming one can't ask for the list either. */
static enum tw_status hint_orgs(struct tw_store *s, const struct tw_who *w,
    struct tw_err *err)
{
	struct tw_buf b = TW_BUF_INIT;
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, names_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, w->operator_id);
	tw_stmt_int(st, 2, w->is_admin);
	while ((status = tw_stmt_step(st, err)) == TW_OK)
		tw_buf_addf(&b, "%s%s", b.len ? ", " : "",
		    tw_stmt_col_text(st, 0));
	if (status == TW_NO)
		tw_err_hint(err, "name one of yours with --org: %s",
		    tw_buf_str(&b));
	tw_buf_release(&b);
	return status;
}

static enum tw_status choose_org(struct tw_store *s, const char *org,
    struct tw_who *w, struct tw_err *err)
{
	enum tw_status status = TW_NO;

	if (!org)
		status = read_org(s, org_usual_sql, TW_ORG_DEFAULT, w, err);
	if (status == TW_NO && (org || w->is_admin))
		status = read_org(s, org_named_sql, org ? org : TW_ORG_DEFAULT,
		    w, err);
	if (status == TW_NO) {
		tw_org_not_found(org ? org : TW_ORG_DEFAULT, err);
		if (!org)
			status = hint_orgs(s, w, err);
	}
	return status;
}

static const char any_member_sql[] =
    "SELECT 1 FROM member WHERE operator_id = ?1 LIMIT 1";

/* Who has left every organisation is unknown again: the row stays for what was
 * done.  TW_NO: unknown; err is not filled then. */
static enum tw_status find_operator(struct tw_store *s, struct tw_who *w,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_operator_find(s, w->login, &w->operator_id, &w->is_admin,
	    err);
	if (status != TW_OK || w->is_admin)
		return status;
	status = tw_stmt_get(s, any_member_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, w->operator_id);
	status = tw_stmt_step(st, err);
	if (status == TW_OK)
		tw_stmt_reset(st);
	return status;
}

enum tw_status tw_who_get(struct tw_store *s, const struct tw_caller *caller,
    const char *org, enum tw_who_mode mode, struct tw_who *out,
    struct tw_err *err)
{
	bool is_gated = caller->gate != TW_GATE_NONE;
	enum tw_status status = TW_OK;

	memset(out, 0, sizeof *out);
	if (!tw_text_dup(caller->login, &out->login))
		return tw_err_nomem(err);
	out->is_gated = is_gated;
	if (mode == TW_WHO_FOUNDER && !is_gated && tw_store_can_write(s))
		status = found_once(s, caller->login, err);
	if (status == TW_OK)
		status = find_operator(s, out, err);
	if (status == TW_NO)
		status = tw_err_set(err, TW_DENIED,
		    "%s is not an operator of this tower", caller->login);
	if (status == TW_OK)
		status = choose_org(s, org, out, err);
	if (mode == TW_WHO_OWNER && !is_gated && !org &&
	    (status == TW_DENIED || status == TW_NO)) {
		out->operator_id = 0;
		out->is_admin = false;
		status = TW_OK;
	}
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
