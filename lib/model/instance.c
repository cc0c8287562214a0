/*
 * instance.c - the states of instances, and looking at them; see instance.h
 */
#include "model/instance_private.h"

#include <stdlib.h>
#include <string.h>

static const char *const action_names[TW_INSTANCE_ACTIONS] = {
	[TW_INSTANCE_DEPLOY] = "deploy",
	[TW_INSTANCE_START] = "start",
	[TW_INSTANCE_STOP] = "stop",
	[TW_INSTANCE_UPGRADE] = "upgrade",
	[TW_INSTANCE_UNDEPLOY] = "undeploy",
	[TW_INSTANCE_BACKUP] = "backup",
	[TW_INSTANCE_RESTORE] = "restore",
	[TW_INSTANCE_CHECK] = "check",
};
static const char *const state_names[TW_INSTANCE_STATES] = {
	[TW_INSTANCE_GONE] = "gone",
	[TW_INSTANCE_DEPLOYING] = "deploying",
	[TW_INSTANCE_RUNNING] = "running",
	[TW_INSTANCE_STOPPED] = "stopped",
	[TW_INSTANCE_UPGRADING] = "upgrading",
	[TW_INSTANCE_UNDEPLOYING] = "undeploying",
	[TW_INSTANCE_FAILED] = "failed",
};

const char *tw_instance_action_name(enum tw_instance_action a)
{
	return (unsigned)a < TW_INSTANCE_ACTIONS ? action_names[a] : "?";
}

const char *tw_instance_state_name(enum tw_instance_state s)
{
	return (unsigned)s < TW_INSTANCE_STATES ? state_names[s] : "?";
}

static bool parse(const char *name, const char *const *names, unsigned n,
    unsigned *out)
{
	for (*out = 0; *out < n; ++*out)
		if (strcmp(name, names[*out]) == 0)
			return true;
	return false;
}

bool tw_instance_action_parse(const char *name, enum tw_instance_action *out)
{
	unsigned i;
	bool found = parse(name, action_names, TW_INSTANCE_ACTIONS, &i);

	*out = found ? (enum tw_instance_action)i : TW_INSTANCE_DEPLOY;
	return found;
}

bool tw_instance_state_parse(const char *name, enum tw_instance_state *out)
{
	unsigned i;
	bool found = parse(name, state_names, TW_INSTANCE_STATES, &i);

	*out = found ? (enum tw_instance_state)i : TW_INSTANCE_GONE;
	return found;
}

/* --- the automaton ----------------------------------------------------- */

#define WAS (-1)		/* as before the change */
#define SAME WAS
#define BIT(s) (1u << (s))
#define SETTLED (BIT(TW_INSTANCE_RUNNING) | BIT(TW_INSTANCE_STOPPED) | \
	BIT(TW_INSTANCE_FAILED))

/* For each action: the states it starts from, the state meanwhile, and the one
 * after each end.  A rollback took back all that the change did, and what was
 * cancelled never reached the host.  What was put back is as good as deployed; a
 * backup and a look change nothing, whatever they find. */
static const struct {
	unsigned from;
	int during;
	int succeeded, rolled_back, failed, cancelled, unknown;
} moves[TW_INSTANCE_ACTIONS] = {
	[TW_INSTANCE_DEPLOY] = { BIT(TW_INSTANCE_GONE),
		TW_INSTANCE_DEPLOYING, TW_INSTANCE_RUNNING, WAS,
		TW_INSTANCE_FAILED, WAS, TW_INSTANCE_FAILED },
	[TW_INSTANCE_START] = { SETTLED, SAME, TW_INSTANCE_RUNNING, WAS,
		TW_INSTANCE_FAILED, WAS, TW_INSTANCE_FAILED },
	[TW_INSTANCE_STOP] = { SETTLED, SAME, TW_INSTANCE_STOPPED, WAS,
		TW_INSTANCE_FAILED, WAS, TW_INSTANCE_FAILED },
	[TW_INSTANCE_UPGRADE] = { SETTLED, TW_INSTANCE_UPGRADING,
		TW_INSTANCE_RUNNING, WAS, TW_INSTANCE_FAILED, WAS,
		TW_INSTANCE_FAILED },
	[TW_INSTANCE_UNDEPLOY] = { SETTLED, TW_INSTANCE_UNDEPLOYING,
		TW_INSTANCE_GONE, WAS, TW_INSTANCE_FAILED, WAS,
		TW_INSTANCE_FAILED },
	[TW_INSTANCE_BACKUP] = { SETTLED, SAME, WAS, WAS,
		TW_INSTANCE_FAILED, WAS, TW_INSTANCE_FAILED },
	[TW_INSTANCE_RESTORE] = { SETTLED, SAME, TW_INSTANCE_RUNNING, WAS,
		TW_INSTANCE_FAILED, WAS, TW_INSTANCE_FAILED },
	[TW_INSTANCE_CHECK] = { SETTLED, SAME, WAS, WAS,
		TW_INSTANCE_FAILED, WAS, TW_INSTANCE_FAILED },
};

bool tw_instance_can(enum tw_instance_action a, enum tw_instance_state s)
{
	return (unsigned)a < TW_INSTANCE_ACTIONS && moves[a].from & BIT(s);
}

enum tw_instance_state tw_instance_during(enum tw_instance_action a,
    enum tw_instance_state s)
{
	return moves[a].during == SAME ? s :
	    (enum tw_instance_state)moves[a].during;
}

enum tw_instance_state tw_instance_after(enum tw_instance_action a,
    enum tw_change_status end, enum tw_instance_state was)
{
	int to = moves[a].unknown;

	switch (end) {
	case TW_CHANGE_SUCCEEDED:
		to = moves[a].succeeded;
		break;
	case TW_CHANGE_ROLLED_BACK:
		to = moves[a].rolled_back;
		break;
	case TW_CHANGE_FAILED:
		to = moves[a].failed;
		break;
	case TW_CHANGE_CANCELLED:
		to = moves[a].cancelled;
		break;
	case TW_CHANGE_QUEUED:
	case TW_CHANGE_RUNNING:
	case TW_CHANGE_UNKNOWN:
		break;
	}
	return to == WAS ? was : (enum tw_instance_state)to;
}

enum tw_status tw_instance_check(const struct tw_instance *i,
    enum tw_instance_action a, const char *name, const char *host,
    struct tw_err *err)
{
	enum tw_instance_state s = i ? i->state : TW_INSTANCE_GONE;

	if (i && i->is_busy)
		return tw_err_set(err, TW_NO, "change %lld, which is to %s "
		    "%s on %s, has not ended", (long long)i->change,
		    i->action, name, host);
	if (tw_instance_can(a, s))
		return TW_OK;
	if (s == TW_INSTANCE_GONE)
		return tw_err_set(err, TW_NO, "no instance '%s' on %s", name,
		    host);
	tw_err_set(err, TW_NO, "%s on %s is there already, %s", name, host,
	    tw_instance_state_name(s));
	tw_err_hint(err, "deploy another one under its own name with --name, "
	    "or use towerify-app upgrade");
	return TW_NO;
}

/* --- rows -------------------------------------------------------------- */

void tw_instance_release(struct tw_instance *i)
{
	free(i->host);
	free(i->name);
	free(i->app);
	free(i->version);
	free(i->params);
	free(i->next_version);
	free(i->action);
	memset(i, 0, sizeof *i);
}

void tw_instances_free(struct tw_instance *i, size_t n)
{
	size_t k;

	for (k = 0; k < n; k++)
		tw_instance_release(&i[k]);
	free(i);
}

static const char select_sql[] =
    "SELECT i.id, i.host_id, h.name, i.name, i.app, i.version, i.source,"
    "    i.params, i.state, iif(i.state = 'upgrading', c.app_version,"
    "    i.next_version), i.change_id, c.num, c.action,"
    "    c.status IN ('queued', 'running'), i.created, i.changed"
    " FROM instance i JOIN host h ON h.id = i.host_id"
    " LEFT JOIN change c ON c.id = i.change_id"
    " WHERE i.org_id = ?1"
    "    AND (?2 IS NULL OR i.host_id IN (SELECT value FROM json_each(?2)))"
    "    AND (?3 IS NULL OR i.host_id IN (SELECT value FROM json_each(?3)))"
    "    AND (?4 IS NULL OR i.name = ?4) AND (?5 IS NULL OR i.app = ?5)"
    "    AND (?6 OR i.state <> 'gone')"
    " ORDER BY h.name, i.name, i.id";
enum {
	I_ID, I_HOST_ID, I_HOST, I_NAME, I_APP, I_VERSION, I_SOURCE, I_PARAMS,
	I_STATE, I_NEXT_VERSION, I_LATEST, I_CHANGE, I_ACTION, I_BUSY,
	I_CREATED, I_CHANGED,
};

static enum tw_status read_row(struct tw_stmt *st, void *row,
    struct tw_err *err)
{
	struct tw_instance *i = row;
	bool ok = true;

	if (!tw_instance_state_parse(tw_stmt_col_text(st, I_STATE), &i->state))
		return tw_err_set(err, TW_CONFIG,
		    "an instance has the unknown state '%s'",
		    tw_stmt_col_text(st, I_STATE));
	i->source = strcmp(tw_stmt_col_text(st, I_SOURCE),
	    tw_app_source_name(TW_APP_YUNOHOST)) == 0 ? TW_APP_YUNOHOST :
	    TW_APP_FILE;
	i->id = tw_stmt_col_int(st, I_ID);
	i->host_id = tw_stmt_col_int(st, I_HOST_ID);
	i->latest = tw_stmt_col_int(st, I_LATEST);
	i->change = tw_stmt_col_int(st, I_CHANGE);
	i->is_busy = tw_stmt_col_int(st, I_BUSY) != 0;
	i->created = tw_stmt_col_int(st, I_CREATED);
	i->changed = tw_stmt_col_int(st, I_CHANGED);
	ok &= tw_col_dup(st, I_HOST, &i->host);
	ok &= tw_col_dup(st, I_NAME, &i->name);
	ok &= tw_col_dup(st, I_APP, &i->app);
	ok &= tw_col_dup(st, I_VERSION, &i->version);
	ok &= tw_col_dup(st, I_PARAMS, &i->params);
	ok &= tw_col_dup(st, I_NEXT_VERSION, &i->next_version);
	ok &= tw_col_dup(st, I_ACTION, &i->action);
	return ok ? TW_OK : tw_err_nomem(err);
}

/* The hosts asked for, as JSON; NULL for every one. */
static enum tw_status asked_hosts(const struct tw_instance_filter *f,
    char **json, struct tw_err *err)
{
	int64_t *ids;
	size_t i;

	*json = NULL;
	if (!f->hosts)
		return TW_OK;
	ids = calloc(f->nhosts + 1, sizeof *ids);
	for (i = 0; ids && i < f->nhosts; i++)
		ids[i] = f->hosts[i].id;
	if (ids)
		*json = tw_json_ids(ids, f->nhosts);
	free(ids);
	return *json ? TW_OK : tw_err_nomem(err);
}

enum tw_status tw_instance_select(struct tw_store *s,
    const struct tw_who *who, const struct tw_instance_filter *f,
    struct tw_instance **out, size_t *n, struct tw_err *err)
{
	char *asked = NULL, *visible = NULL;
	enum tw_status status;
	struct tw_stmt *st;
	void *rows = NULL;

	*out = NULL;
	*n = 0;
	status = tw_host_visible_json(s, who, &visible, err);
	if (status == TW_OK)
		status = asked_hosts(f, &asked, err);
	if (status == TW_OK)
		status = tw_tenant_stmt(s, who, select_sql, &st, err);
	if (status == TW_OK) {
		tw_stmt_text(st, 2, asked);
		tw_stmt_text(st, 3, visible);
		tw_stmt_text(st, 4, f->name);
		tw_stmt_text(st, 5, f->app);
		tw_stmt_int(st, 6, f->all);
		status = tw_rows_read(st, sizeof **out, read_row, &rows, n,
		    err);
	}
	*out = rows;
	free(asked);
	free(visible);
	if (status == TW_OK)
		return TW_OK;
	tw_instances_free(*out, *n);
	*out = NULL;
	*n = 0;
	return status;
}
