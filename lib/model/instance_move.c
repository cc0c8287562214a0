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

static const char move_sql[] =
    "UPDATE instance SET state = ?3, was = ?4, next_version = ?5,"
    "    next_params = ?6,"
    "    changed = CASE WHEN state = ?3 THEN changed ELSE ?7 END"
    " WHERE org_id = ?1 AND id = ?2";

static enum tw_status move(struct tw_store *s, const struct tw_who *who,
    const struct tw_filing *f, const struct tw_instance *i, int64_t now,
    struct tw_err *err)
{
	enum tw_instance_action a = f->act->action;
	bool is_upgrade = a == TW_INSTANCE_UPGRADE;
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tenant_stmt(s, who, move_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, i->id);
	tw_stmt_text(st, 3, tw_instance_state_name(tw_instance_during(a,
	    i->state)));
	tw_stmt_text(st, 4, tw_instance_state_name(i->state));
	tw_stmt_text(st, 5, is_upgrade ? f->act->version : NULL);
	tw_stmt_text(st, 6, is_upgrade ? f->params : NULL);
	tw_stmt_int(st, 7, now);
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
	"    i.version, i.next_version, i.state, i.was" \
	" FROM change c JOIN instance i ON i.id = c.instance_id" \
	" JOIN host h ON h.id = i.host_id WHERE c.id = ?2"
static const char of_change_sql[] = OF_CHANGE " AND c.org_id = ?1";
static const char of_change_any_sql[] = OF_CHANGE;
enum {
	E_ID, E_ORG_ID, E_HOST, E_NUM, E_ACTION, E_NAME, E_APP, E_VERSION,
	E_NEXT_VERSION, E_STATE, E_WAS,
};

struct end {			/* of a change, for its instance */
	int64_t id, org_id, num;
	char *host;
	enum tw_instance_action action;
	enum tw_instance_state was, to;
	bool takes_next, drops_next;
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
	e->takes_next = e->action == TW_INSTANCE_UPGRADE &&
	    end == TW_CHANGE_SUCCEEDED;
	/* where it failed one may want to know what it was to be */
	e->drops_next = e->to != TW_INSTANCE_FAILED;
	version = tw_stmt_col_text(st, e->takes_next ? E_NEXT_VERSION : E_VERSION);
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
	status = read_end(st, end, e, err);
	tw_stmt_reset(st);
	return status;
}

#define SETTLE \
	"UPDATE instance SET state = ?3, was = NULL," \
	"    version = iif(?4, next_version, version)," \
	"    params = iif(?4, next_params, params)," \
	"    next_version = iif(?5, NULL, next_version)," \
	"    next_params = iif(?5, NULL, next_params)," \
	"    changed = iif(state = ?3, changed, ?6) WHERE id = ?2"
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
	tw_stmt_int(st, 4, e->takes_next);
	tw_stmt_int(st, 5, e->drops_next);
	tw_stmt_int(st, 6, now);
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
