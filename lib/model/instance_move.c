/*
 * instance_move.c - what filing a change and its end make of an instance
 *
 * Both are part of the change's own transaction, so that an instance never says
 * anything else than its latest change.
 */
#include "model/instance_private.h"

#include "model/change_private.h"

#include <stdlib.h>
#include <string.h>

static const char insert_sql[] =
    "INSERT INTO instance (org_id, host_id, name, app, version, source,"
    "    params, state, created, changed)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)";

static enum tw_status insert(struct tw_store *s, const struct tw_who *who,
    const struct tw_filing *f, const struct tw_host *host, int64_t now,
    int64_t *id, struct tw_err *err)
{
	const struct tw_instance_act *a = f->act;
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tenant_stmt(s, who, insert_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, host->id);
	tw_stmt_text(st, 3, a->instance);
	tw_stmt_text(st, 4, a->app);
	tw_stmt_text(st, 5, a->version);
	tw_stmt_text(st, 6, tw_app_source_name(a->source));
	tw_stmt_text(st, 7, f->params);
	tw_stmt_text(st, 8, tw_instance_state_name(tw_instance_during(
	    TW_INSTANCE_DEPLOY, TW_INSTANCE_GONE)));
	tw_stmt_int(st, 9, now);
	status = tw_stmt_run(st, err);
	*id = tw_store_last_id(s);
	return status;
}

/* The catalogue may have changed since the caller read it.  Of YunoHost's
 * there is only the latest version, whatever is deployed. */
static const char there_sql[] =
    "SELECT file FROM app WHERE org_id = ?1 AND name = ?2 AND version = ?3"
    "    AND source = 'file'";

static enum tw_status check_app(struct tw_store *s, const struct tw_who *who,
    const struct tw_filing *f, struct tw_err *err)
{
	const struct tw_instance_act *a = f->act;
	uint8_t hash[TW_SHA256_LEN], is[TW_SHA256_LEN];
	enum tw_status status;
	struct tw_stmt *st;

	if (a->source != TW_APP_FILE)
		return TW_OK;
	status = tw_tenant_stmt(s, who, there_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_text(st, 2, a->app);
	tw_stmt_text(st, 3, a->version);
	status = tw_stmt_step(st, err);
	if (status == TW_OK) {
		tw_sha256(f->file, f->file_len, hash);
		tw_col_hash(st, 0, is);
		tw_stmt_reset(st);
		if (memcmp(hash, is, sizeof is) != 0)
			status = TW_NO;
	}
	return status == TW_NO ? tw_err_set(err, TW_AGAIN, "%s@%s was removed "
	    "from the catalogue in the meantime", a->app, a->version) : status;
}

static const char move_sql[] =
    "UPDATE instance SET state = ?3, was = ?4,"
    "    changed = CASE WHEN state = ?3 THEN changed ELSE ?5 END"
    " WHERE org_id = ?1 AND id = ?2";

static enum tw_status move(struct tw_store *s, const struct tw_who *who,
    const struct tw_filing *f, const struct tw_instance *i, int64_t now,
    struct tw_err *err)
{
	enum tw_instance_action a = f->act->action;
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tenant_stmt(s, who, move_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, i->id);
	tw_stmt_text(st, 3, tw_instance_state_name(tw_instance_during(a,
	    i->state)));
	tw_stmt_text(st, 4, tw_instance_state_name(i->state));
	tw_stmt_int(st, 5, now);
	return tw_stmt_run(st, err);
}

enum tw_status tw_instance_begin(struct tw_store *s, const struct tw_who *who,
    const struct tw_filing *f, const struct tw_host *host, int64_t now,
    int64_t *id, struct tw_err *err)
{
	const struct tw_instance_act *a = f->act;
	struct tw_instance_filter filter = { .hosts = host, .nhosts = 1,
	    .name = a->instance };
	struct tw_instance *i;
	enum tw_status status;
	size_t n;

	status = check_app(s, who, f, err);
	if (status == TW_OK)
		status = tw_instance_select(s, who, &filter, &i, &n, err);
	if (status != TW_OK)
		return status;
	status = tw_instance_check(n ? i : NULL, a->action,
	    a->instance, host->name, err);
	if (status == TW_OK && n && i->latest != a->latest)
		status = tw_err_set(err, TW_AGAIN, "%s on %s was changed in "
		    "the meantime", a->instance, host->name);
	if (status == TW_OK && n) {
		*id = i->id;
		status = move(s, who, f, i, now, err);
	} else if (status == TW_OK) {
		status = insert(s, who, f, host, now, id, err);
	}
	tw_instances_free(i, n);
	return status;
}

static const char bind_sql[] =
    "UPDATE instance SET change_id = ?3 WHERE org_id = ?1 AND id = ?2";

enum tw_status tw_instance_bind(struct tw_store *s, const struct tw_who *who,
    int64_t id, int64_t change_id, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tenant_stmt(s, who, bind_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, id);
	tw_stmt_int(st, 3, change_id);
	return tw_stmt_run(st, err);
}

/* --- the end ----------------------------------------------------------- */

#define OF_CHANGE \
	"SELECT i.id, i.org_id, h.name, c.num, c.action, i.name, i.app," \
	"    i.version, c.app_version, i.state, i.was" \
	" FROM change c JOIN instance i ON i.id = c.instance_id" \
	" JOIN host h ON h.id = i.host_id WHERE c.id = ?2"
static const char of_change_sql[] = OF_CHANGE " AND c.org_id = ?1";
static const char of_change_any_sql[] = OF_CHANGE;
enum {
	E_ID, E_ORG_ID, E_HOST, E_NUM, E_ACTION, E_NAME, E_APP, E_VERSION,
	E_TO_VERSION, E_STATE, E_WAS,
};

struct end {			/* of a change, for its instance */
	int64_t id, org_id, num, change_id;
	char *host;
	enum tw_instance_action action;
	enum tw_instance_state was, to;
	bool arrived;		/* at what an upgrade was to bring */
	bool got_stuck;		/* on the way there */
	char *detail;		/* of the audit record */
};

static enum tw_status read_end(struct tw_stmt *st, enum tw_change_status end,
    struct end *e, struct tw_err *err)
{
	const char *version;

	if (!tw_instance_action_parse(tw_stmt_col_text(st, E_ACTION),
	    &e->action))
		return tw_err_set(err, TW_CONFIG, "change %lld has the unknown "
		    "action '%s'", (long long)tw_stmt_col_int(st, E_NUM),
		    tw_stmt_col_text(st, E_ACTION));
	tw_instance_state_parse(tw_stmt_col_text(st, E_WAS), &e->was);
	e->id = tw_stmt_col_int(st, E_ID);
	e->org_id = tw_stmt_col_int(st, E_ORG_ID);
	e->num = tw_stmt_col_int(st, E_NUM);
	e->to = tw_instance_after(e->action, end, e->was);
	e->arrived = e->action == TW_INSTANCE_UPGRADE &&
	    end == TW_CHANGE_SUCCEEDED;
	e->got_stuck = e->action == TW_INSTANCE_UPGRADE &&
	    (end == TW_CHANGE_FAILED || end == TW_CHANGE_UNKNOWN);
	version = tw_stmt_col_text(st, e->arrived ? E_TO_VERSION : E_VERSION);
	e->detail = tw_audit_detail("instance", tw_stmt_col_text(st, E_NAME),
	    "app", tw_stmt_col_text(st, E_APP), "version", version,
	    "was", tw_stmt_col_text(st, E_STATE),
	    "state", tw_instance_state_name(e->to), (char *)NULL);
	return tw_col_dup(st, E_HOST, &e->host) ? TW_OK : tw_err_nomem(err);
}

/* TW_NO: the change is of no instance; err is not filled then. */
static enum tw_status find_end(struct tw_store *s, const struct tw_who *who,
    int64_t change_id, enum tw_change_status end, struct end *e,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	memset(e, 0, sizeof *e);
	status = tw_tenant_or_any(s, who, of_change_sql, of_change_any_sql,
	    &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, change_id);
	status = tw_stmt_step(st, err);
	if (status != TW_OK)
		return status;
	e->change_id = change_id;
	status = read_end(st, end, e, err);
	tw_stmt_reset(st);
	return status;
}

/* next_version stays until an upgrade succeeds: a start of what got stuck does
 * not make it whole. */
#define SETTLE \
	"UPDATE instance SET state = ?3, was = NULL," \
	"    version = iif(?4, c.app_version, version)," \
	"    params = iif(?4, c.params, instance.params)," \
	"    next_version = iif(?4, NULL, iif(?5, c.app_version," \
	"        next_version))," \
	"    changed = iif(state = ?3, changed, ?6)" \
	" FROM (SELECT app_version, params FROM change WHERE id = ?7) c" \
	" WHERE id = ?2"
static const char settle_sql[] = SETTLE " AND org_id = ?1";
static const char settle_any_sql[] = SETTLE;

static enum tw_status settle(struct tw_store *s, const struct tw_who *who,
    const struct end *e, int64_t now, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tenant_or_any(s, who, settle_sql, settle_any_sql, &st,
	    err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, e->id);
	tw_stmt_text(st, 3, tw_instance_state_name(e->to));
	tw_stmt_int(st, 4, e->arrived);
	tw_stmt_int(st, 5, e->got_stuck);
	tw_stmt_int(st, 6, now);
	tw_stmt_int(st, 7, e->change_id);
	return tw_stmt_run(st, err);
}

enum tw_status tw_instance_ended(struct tw_store *s, const struct tw_who *who,
    int64_t change_id, enum tw_change_status end, int64_t now,
    struct tw_err *err)
{
	enum tw_status status;
	struct end e;

	status = find_end(s, who, change_id, end, &e, err);
	if (status == TW_OK)
		status = settle(s, who, &e, now, err);
	if (status == TW_OK) {
		status = tw_change_record(s, e.org_id, who ? who->login :
		    TW_TOWER, e.host, e.num, "instance.state", now, e.detail,
		    err);
		e.detail = NULL;
	}
	free(e.detail);
	free(e.host);
	return status == TW_NO ? TW_OK : status;
}
