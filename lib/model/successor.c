/* successor.c - the login that takes the place of a host's; see successor.h */
#include "model/change_private.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

void tw_successor_release(struct tw_successor *s)
{
	free(s->user);
	memset(s, 0, sizeof *s);
}

bool tw_successor_is_there(const struct tw_successor *s)
{
	return s->user || s->port;
}

void tw_successor_describe(const struct tw_successor *s, struct tw_buf *out)
{
	if (s->user)
		tw_buf_adds(out, s->user);
	if (s->port)
		tw_buf_addf(out, "%sport %d", s->user ? ", " : "", s->port);
	if (s->has_sudo)
		tw_buf_addf(out, ", %s sudo", s->sudo ? "with" : "without");
}

static bool is_root(const char *user, bool sudo)
{
	return sudo || strcmp(user, "root") == 0;
}

enum tw_status tw_successor_check(const struct tw_successor *s,
    const struct tw_host *h, struct tw_err *err)
{
	const char *user = s->user ? s->user : h->user;
	bool sudo = s->has_sudo ? s->sudo : h->sudo;

	if (!tw_successor_is_there(s))
		return TW_OK;
	if (is_root(h->user, h->sudo)) {
		if (is_root(user, sudo))
			return TW_OK;
		tw_err_set(err, TW_NO, "%s: its successor login %s would not "
		    "be root there: the spool is root's", h->name, user);
		tw_err_hint(err, "say sudo: true");
		return TW_NO;
	}
	if (!sudo && strcmp(user, h->user) == 0)
		return TW_OK;
	return tw_err_set(err, TW_NO, "%s: its successor login %s%s would not "
	    "be %s there: the spool is that user's", h->name, user,
	    sudo ? W_(" with sudo") : "", h->user);
}

/* --- rows -------------------------------------------------------------- */

enum { OF_USER, OF_PORT, OF_SUDO, OF_AT, OF_ID };

void tw_successor_read(struct tw_stmt *st, int col, struct tw_successor *out)
{
	out->port = (int)tw_stmt_col_int(st, col + OF_PORT);
	out->has_sudo = !tw_stmt_col_is_null(st, col + OF_SUDO);
	out->sudo = tw_stmt_col_int(st, col + OF_SUDO) != 0;
	out->at = tw_stmt_col_int(st, col + OF_AT);
}

void tw_successor_bind(struct tw_stmt *st, int place,
    const struct tw_successor *s)
{
	if (!s || !tw_successor_is_there(s))
		return;
	tw_stmt_text(st, place + OF_USER, s->user);
	if (s->port)
		tw_stmt_int(st, place + OF_PORT, s->port);
	if (s->has_sudo)
		tw_stmt_int(st, place + OF_SUDO, s->sudo);
}

static const char running_sql[] =
    "SELECT successor_user, successor_port, successor_sudo, successor_at, id"
    " FROM change WHERE host_id = ?1 AND status = 'running'"
    "    AND (successor_user IS NOT NULL OR successor_port IS NOT NULL)";

enum tw_status tw_successor_running(struct tw_store *s, int64_t host_id,
    struct tw_successor *out, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	memset(out, 0, sizeof *out);
	status = tw_stmt_get(s, running_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, host_id);
	status = tw_stmt_step(st, err);
	if (status != TW_OK)
		return status;
	tw_successor_read(st, 0, out);
	out->change_id = tw_stmt_col_int(st, OF_ID);
	if (!tw_col_dup(st, OF_USER, &out->user))
		status = tw_err_nomem(err);
	tw_stmt_reset(st);
	return status;
}

/* {"user":…,"port":…,"sudo":…}; NULL: no memory. */
static json_t *login_json(const char *user, int64_t port, bool sudo)
{
	return json_pack("{s:o,s:I,s:b}", "user", tw_model_text(user), "port",
	    (json_int_t)port, "sudo", sudo);
}

static const char of_change_sql[] =
    "SELECT org_id, num, host_name FROM change"
    " WHERE id = ?1 AND status = 'running'";
static const char let_in_sql[] =
    "UPDATE change SET successor_at = ?2"
    " WHERE id = ?1 AND successor_at IS NULL";

static enum tw_status record_let_in(struct tw_store *s,
    const struct tw_successor *login, int64_t now, struct tw_err *err)
{
	struct tw_buf text = TW_BUF_INIT;
	enum tw_status status;
	int64_t org_id, num;
	struct tw_stmt *st;
	char *host = NULL;

	status = tw_stmt_get(s, of_change_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, login->change_id);
	status = tw_stmt_step(st, err);
	if (status != TW_OK)
		return status == TW_NO ? tw_err_set(err, TW_NO,
		    "the change is not running any more") : status;
	org_id = tw_stmt_col_int(st, 0);
	num = tw_stmt_col_int(st, 1);
	if (!tw_col_dup(st, 2, &host))
		status = tw_err_nomem(err);
	tw_stmt_reset(st);
	tw_successor_describe(login, &text);
	if (status == TW_OK)
		status = tw_change_record(s, org_id, TW_TOWER, host, num,
		    "change.login", now, tw_audit_detail("login",
		    tw_buf_str(&text), (char *)NULL), err);
	tw_buf_release(&text);
	free(host);
	return status;
}

enum tw_status tw_successor_let_in(struct tw_store *s,
    const struct tw_successor *login, int64_t now, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tx_need(s, err);
	if (status == TW_OK)
		status = tw_stmt_get(s, let_in_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, login->change_id);
	tw_stmt_int(st, 2, now);
	status = tw_stmt_run(st, err);
	if (status != TW_OK || tw_store_changes(s) == 0)
		return status;
	return record_let_in(s, login, now, err);
}

/* --- the end ----------------------------------------------------------- */

/* Those whose login is another one now: what succeeded closed the old one, as
 * did what failed when the new one had been let in already; a rollback opened
 * it again. */
#define ENDED \
	"SELECT h.id, h.name, h.user, h.port, h.sudo," \
	"    coalesce(c.successor_user, h.user)," \
	"    coalesce(c.successor_port, h.port)," \
	"    coalesce(c.successor_sudo, h.sudo), c.org_id, c.num" \
	" FROM change c JOIN host h ON h.id = c.host_id" \
	" WHERE c.id = ?2 AND (c.successor_user IS NOT NULL" \
	"        OR c.successor_port IS NOT NULL)" \
	"    AND (c.status = 'succeeded' OR (c.successor_at IS NOT NULL" \
	"        AND c.status IN ('failed', 'unknown')))"
static const char ended_sql[] = ENDED " AND c.org_id = ?1";
static const char ended_any_sql[] = ENDED;
enum { E_HOST, E_NAME, E_OLD_USER, E_OLD_PORT, E_OLD_SUDO, E_USER, E_PORT,
	E_SUDO, E_ORG, E_NUM };

struct ended {			/* a login that is to be stored */
	int64_t host_id, org_id, num, port;
	char *name, *user;
	bool sudo;
	char *detail;
};

/* NULL: no memory. */
static char *make_detail(struct tw_stmt *st)
{
	json_t *o = json_pack("{s:o,s:o}",
	    "old", login_json(tw_stmt_col_text(st, E_OLD_USER),
	    tw_stmt_col_int(st, E_OLD_PORT),
	    tw_stmt_col_int(st, E_OLD_SUDO) != 0),
	    "new", login_json(tw_stmt_col_text(st, E_USER),
	    tw_stmt_col_int(st, E_PORT), tw_stmt_col_int(st, E_SUDO) != 0));
	char *text = o ? json_dumps(o, JSON_COMPACT | JSON_PRESERVE_ORDER) :
	    NULL;

	json_decref(o);
	return text;
}

/* TW_NO: nothing is to be stored; err is not filled then. */
static enum tw_status read_ended(struct tw_store *s, const struct tw_who *who,
    int64_t change_id, struct ended *e, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tenant_or_any(s, who, ended_sql, ended_any_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, change_id);
	status = tw_stmt_step(st, err);
	if (status != TW_OK)
		return status;
	e->host_id = tw_stmt_col_int(st, E_HOST);
	e->org_id = tw_stmt_col_int(st, E_ORG);
	e->num = tw_stmt_col_int(st, E_NUM);
	e->port = tw_stmt_col_int(st, E_PORT);
	e->sudo = tw_stmt_col_int(st, E_SUDO) != 0;
	e->detail = make_detail(st);
	if (!e->detail || !tw_col_dup(st, E_NAME, &e->name) ||
	    !tw_col_dup(st, E_USER, &e->user))
		status = tw_err_nomem(err);
	tw_stmt_reset(st);
	return status;
}

/* What ssh's configuration said was of the old login. */
#define STORE \
	"UPDATE host SET" \
	"    user_given = CASE WHEN user = ?3 THEN user_given ELSE 1 END," \
	"    port_given = CASE WHEN port = ?4 THEN port_given ELSE 1 END," \
	"    user = ?3, port = ?4, sudo = ?5, sshconfig = NULL" \
	" WHERE id = ?2"
static const char store_sql[] = STORE " AND org_id = ?1";
static const char store_any_sql[] = STORE;

static enum tw_status store_login(struct tw_store *s,
    const struct tw_who *who, const struct ended *e, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tenant_or_any(s, who, store_sql, store_any_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, e->host_id);
	tw_stmt_text(st, 3, e->user);
	tw_stmt_int(st, 4, e->port);
	tw_stmt_int(st, 5, e->sudo);
	return tw_stmt_run(st, err);
}

enum tw_status tw_successor_ended(struct tw_store *s, const struct tw_who *who,
    int64_t change_id, int64_t now, struct tw_err *err)
{
	struct ended e = { 0 };
	enum tw_status status;

	status = read_ended(s, who, change_id, &e, err);
	if (status == TW_OK)
		status = store_login(s, who, &e, err);
	if (status == TW_OK) {
		status = tw_change_record(s, e.org_id, who ? who->login :
		    TW_TOWER, e.name, e.num, "host.login", now, e.detail, err);
		e.detail = NULL;
	}
	free(e.detail);
	free(e.name);
	free(e.user);
	return status == TW_NO ? TW_OK : status;
}
