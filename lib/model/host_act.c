/*
 * host_act.c - what operators do with hosts: add, change, hold, release
 */
#include "model/host_private.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum tw_status tw_host_record(struct tw_store *s, int64_t org_id,
    const char *login, const char *name, const char *action, char *detail,
    struct tw_err *err)
{
	struct tw_audit a = { .chain = org_id, .operator = login,
	    .action = action, .host = name, .detail = detail };
	enum tw_status status;

	if (!detail)
		return tw_err_nomem(err);
	status = tw_audit_add(s, &a, err);
	free(detail);
	return status;
}

/* --- add and set ------------------------------------------------------- */

static const char label_clear_sql[] =
    "DELETE FROM label WHERE host_id ="
    " (SELECT id FROM host WHERE org_id = ?1 AND id = ?2)";
static const char label_add_sql[] =
    "INSERT INTO label (host_id, key, value)"
    " SELECT id, ?3, ?4 FROM host WHERE org_id = ?1 AND id = ?2"
    " ON CONFLICT DO UPDATE SET value = excluded.value";

static enum tw_status put_label(struct tw_store *s, const struct tw_who *who,
    int64_t id, const char *label, struct tw_err *err)
{
	const char *equals = strchr(label, '=');
	enum tw_status status;
	struct tw_stmt *st;
	char *key;

	if (!equals || equals == label || !equals[1])
		return tw_err_set(err, TW_USAGE,
		    "label '%s' is not KEY=VALUE", label);
	key = strndup(label, (size_t)(equals - label));
	if (!key)
		return tw_err_nomem(err);
	status = tw_tenant_stmt(s, who, label_add_sql, &st, err);
	if (status == TW_OK) {
		tw_stmt_int(st, 2, id);
		tw_stmt_text(st, 3, key);
		tw_stmt_text(st, 4, equals + 1);
		status = tw_stmt_run(st, err);
	}
	free(key);
	return status;
}

static enum tw_status put_labels(struct tw_store *s,
    const struct tw_who *who, const struct tw_host *h, struct tw_err *err)
{
	enum tw_status status;
	size_t i;

	status = tw_tenant_run(s, who, label_clear_sql, h->id, err);
	for (i = 0; status == TW_OK && h->labels && h->labels[i]; i++)
		status = put_label(s, who, h->id, h->labels[i], err);
	return status;
}

static const char add_sql[] =
    "INSERT INTO host (org_id, address, port, user, via, identity, sudo,"
    "    spool, transport, transport_used, port_given, user_given, sshconfig,"
    "    hostkey, spool_id, own_config, name, queue_id, created)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,"
    "    ?15, ?16, ?17, ?18, ?19)";
/* The fence is forgotten (?18, or another spool): the spool was accepted anew.  A
 * host that was changed is tried again at once. */
static const char save_sql[] =
    "UPDATE host SET"
    "    fence_epoch = CASE WHEN ?18 OR spool_id IS NOT ?15 THEN 0"
    "        ELSE fence_epoch END,"
    "    fence_seq = CASE WHEN ?18 OR spool_id IS NOT ?15 THEN 0"
    "        ELSE fence_seq END,"
    "    failures = 0, next_attempt = NULL, address = ?2, port = ?3,"
    "    user = ?4, via = ?5, identity = ?6, sudo = ?7, spool = ?8,"
    "    transport = ?9, transport_used = ?10, port_given = ?11,"
    "    user_given = ?12, sshconfig = ?13, hostkey = ?14, spool_id = ?15,"
    "    own_config = ?16"
    " WHERE org_id = ?1 AND id = ?17";

/* Another spool than the one that a running change was sent to, unheard: it may
 * have begun there, so from now on it is only asked for. */
static const char not_again_sql[] =
    "UPDATE change SET accepted = ?4"
    " WHERE org_id = ?1 AND host_id = ?2"
    "    AND status IN ('queued', 'running') AND status = 'running'"
    "    AND accepted IS NULL AND doubt = 1"
    "    AND (SELECT spool_id FROM host WHERE id = ?2) IS NOT ?3";

static enum tw_status start_not_again(struct tw_store *s,
    const struct tw_who *who, const struct tw_host *h, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tenant_stmt(s, who, not_again_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, h->id);
	tw_stmt_text(st, 3, h->spool_id);
	tw_stmt_int(st, 4, tw_clock_now());
	return tw_stmt_run(st, err);
}

/* Places 2 to 16 of both statements. */
static void bind_settable(struct tw_stmt *st, const struct tw_host *h)
{
	tw_stmt_text(st, 2, h->address);
	tw_stmt_int(st, 3, h->port);
	tw_stmt_text(st, 4, h->user);
	tw_stmt_text(st, 5, h->via);
	tw_stmt_text(st, 6, h->identity);
	tw_stmt_int(st, 7, h->sudo);
	tw_stmt_text(st, 8, h->spool);
	tw_stmt_text(st, 9, h->transport ? h->transport : "auto");
	tw_stmt_text(st, 10, h->transport_used);
	tw_stmt_int(st, 11, h->port_given);
	tw_stmt_int(st, 12, h->user_given);
	tw_stmt_text(st, 13, h->sshconfig);
	tw_stmt_text(st, 14, h->hostkey);
	tw_stmt_text(st, 15, h->spool_id);
	tw_stmt_int(st, 16, h->own_config);
}

static const char taken_sql[] =
    "SELECT id, revoked FROM host WHERE org_id = ?1 AND name = ?2";
enum { TAKEN_ID, TAKEN_REVOKED };

/* *id: a host of that name that is revoked, which can come back; 0: there is
 * none. */
static enum tw_status refuse_taken(struct tw_store *s,
    const struct tw_who *who, const char *name, int64_t *id,
    struct tw_err *err)
{
	bool is_revoked = false;
	enum tw_status status;
	struct tw_stmt *st;

	*id = 0;
	status = tw_tenant_stmt(s, who, taken_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_text(st, 2, name);
	status = tw_stmt_step(st, err);
	if (status != TW_OK)
		return status == TW_NO ? TW_OK : status;
	*id = tw_stmt_col_int(st, TAKEN_ID);
	is_revoked = !tw_stmt_col_is_null(st, TAKEN_REVOKED);
	tw_stmt_reset(st);
	status = is_revoked ? tw_host_may(s, who, TW_MAY_HOST, *id, name,
	    NULL, err) : TW_DENIED;
	if (status != TW_DENIED)
		return status;
	return tw_err_set(err, TW_NO, "there is a host '%s' already", name);
}

/* What was known of it from contacts is forgotten; its changes and instances are
 * its own again. */
static const char back_sql[] =
    "UPDATE host SET address = ?2, port = ?3, user = ?4, via = ?5,"
    "    identity = ?6, sudo = ?7, spool = ?8, transport = ?9,"
    "    transport_used = ?10, port_given = ?11, user_given = ?12,"
    "    sshconfig = ?13, hostkey = ?14, spool_id = ?15, own_config = ?16,"
    "    queue_id = ?18, created = ?19, epoch = 1, next_seq = 1,"
    "    acked_seq = 0, fence_epoch = 0, fence_seq = 0, unhold = 0,"
    "    failures = 0, next_attempt = NULL, last_error = NULL,"
    "    last_error_at = NULL, last_seen = NULL, facts = NULL,"
    "    facts_at = NULL, held_reason = NULL, held_since = NULL,"
    "    held_by = NULL, leaving = 0, revoked = NULL, revoked_by = NULL"
    " WHERE org_id = ?1 AND name = ?17";

/* With the labels, by which the grant may have been judged. */
static char *add_detail(const struct tw_host *h, bool is_back,
    const struct tw_grant_used *used)
{
	struct tw_buf labels = TW_BUF_INIT;
	char port[16], *detail = NULL;
	size_t i;

	snprintf(port, sizeof port, "%d", h->port);
	for (i = 0; h->labels && h->labels[i]; i++)
		tw_buf_addf(&labels, "%s%s", i ? "," : "", h->labels[i]);
	if (tw_buf_check(&labels, NULL) == TW_OK)
		detail = tw_audit_detail("address", h->address, "port", port,
		    "user", h->user, "via", h->via, "identity", h->identity,
		    "sudo", h->sudo ? "yes" : "no", "spool", h->spool,
		    "hostkey", h->hostkey, "ssh-config",
		    h->own_config ? "yes" : "no", "labels",
		    labels.len ? labels.data : NULL, "was",
		    is_back ? "revoked" : NULL, "grant", used->text,
		    (char *)NULL);
	tw_buf_release(&labels);
	return detail;
}

static enum tw_status insert_host(struct tw_store *s,
    const struct tw_who *who, struct tw_host *h, struct tw_err *err)
{
	struct tw_grant_used used;
	enum tw_status status;
	struct tw_stmt *st;
	int64_t back = 0;

	status = tw_may_host(s, who, TW_MAY_HOST, h->name,
	    (const char *const *)h->labels, NULL, &used, err);
	if (status == TW_OK)
		status = refuse_taken(s, who, h->name, &back, err);
	if (status == TW_OK)
		status = tw_tenant_stmt(s, who, back ? back_sql : add_sql,
		    &st, err);
	if (status != TW_OK)
		return status;
	bind_settable(st, h);
	tw_stmt_text(st, 17, h->name);
	tw_stmt_text(st, 18, h->queue_id);
	tw_stmt_int(st, 19, h->created);
	status = tw_stmt_run(st, err);
	h->id = back ? back : tw_store_last_id(s);
	if (status == TW_OK)
		status = put_labels(s, who, h, err);
	if (status == TW_OK)
		status = tw_host_record(s, who->org_id, who->login, h->name,
		    "host.add", add_detail(h, back, &used), err);
	return status;
}

enum tw_status tw_host_add(struct tw_store *s, const struct tw_who *who,
    struct tw_host *h, struct tw_err *err)
{
	enum tw_status status;
	struct tw_tx tx;
	char *queue_id;

	queue_id = malloc(TW_ID_HEX);
	if (!queue_id)
		return tw_err_nomem(err);
	tw_random_id(queue_id);
	free(h->queue_id);
	h->queue_id = queue_id;
	h->org_id = who->org_id;
	h->epoch = 1;
	h->created = tw_clock_now();
	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = insert_host(s, who, h, err);
	status = tw_tx_end(&tx, status, err);
	if (status != TW_OK)
		h->id = 0;
	return status;
}

static bool is_same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool tw_host_is_same(const struct tw_host *a, const struct tw_host *b)
{
	const char *const texts[][2] = {
		{ a->address, b->address }, { a->user, b->user },
		{ a->via, b->via }, { a->identity, b->identity },
		{ a->spool, b->spool }, { a->transport, b->transport },
		{ a->transport_used, b->transport_used },
		{ a->sshconfig, b->sshconfig }, { a->hostkey, b->hostkey },
		{ a->spool_id, b->spool_id },
	};
	size_t i;

	for (i = 0; i < sizeof texts / sizeof *texts; i++)
		if (!is_same_text(texts[i][0], texts[i][1]))
			return false;
	for (i = 0; a->labels && b->labels && a->labels[i] && b->labels[i]; i++)
		if (strcmp(a->labels[i], b->labels[i]) != 0)
			return false;
	return !(a->labels && a->labels[i]) && !(b->labels && b->labels[i]) &&
	    a->port == b->port && a->sudo == b->sudo &&
	    a->port_given == b->port_given && a->user_given == b->user_given &&
	    a->own_config == b->own_config;
}

static enum tw_status refuse_changed(struct tw_store *s,
    const struct tw_host *was, struct tw_err *err)
{
	struct tw_host now = { 0 };
	enum tw_status status = tw_host_load(s, was->id, &now, err);

	if (status == TW_OK && !tw_host_is_same(was, &now))
		status = tw_err_set(err, TW_AGAIN, "%s: was changed by "
		    "somebody else just now", was->name);
	tw_host_release(&now);
	return status;
}

/* With the labels as they were, and as they become: nobody reaches for a host,
 * or gives one away, by relabelling it. */
static enum tw_status may_save(struct tw_store *s, const struct tw_who *who,
    const struct tw_host *h, struct tw_grant_used *used, struct tw_err *err)
{
	struct tw_grant_used after;
	enum tw_status status;

	status = tw_host_permit(s, who, TW_MAY_HOST, h, 1, used, err);
	if (status == TW_OK)
		status = tw_may_host(s, who, TW_MAY_HOST, h->name,
		    (const char *const *)h->labels, NULL, &after, err);
	return status;
}

/* The caller's detail and the grant, malloc'd. */
static char *save_detail(const char *detail, const struct tw_grant_used *used)
{
	size_t mark = tw_json_mark();
	json_t *o = json_loads(detail ? detail : "{}", 0, NULL);
	char *out = NULL;

	if (o && json_object_set_new(o, "grant",
	    json_string(used->text)) == 0)
		out = tw_json_dump(o, JSON_COMPACT | JSON_PRESERVE_ORDER,
		    mark);
	json_decref(o);
	return out;
}

static bool has_fence(const struct tw_host *h)
{
	return h->fence_epoch != 0 || h->fence_seq != 0;
}

static enum tw_status update_host(struct tw_store *s,
    const struct tw_who *who, const struct tw_host *was,
    const struct tw_host *h, const char *detail, struct tw_err *err)
{
	struct tw_grant_used used;
	enum tw_status status;
	struct tw_stmt *st;

	status = may_save(s, who, h, &used, err);
	if (status == TW_OK)
		status = start_not_again(s, who, h, err);
	if (status == TW_OK)
		status = tw_tenant_stmt(s, who, save_sql, &st, err);
	if (status != TW_OK)
		return status;
	bind_settable(st, h);
	tw_stmt_int(st, 17, h->id);
	tw_stmt_int(st, 18, !has_fence(h) && (!was || has_fence(was)));
	status = tw_stmt_run(st, err);
	if (status == TW_OK && tw_store_changes(s) == 0)
		status = tw_err_set(err, TW_NO, "no host '%s'", h->name);
	if (status == TW_OK)
		status = put_labels(s, who, h, err);
	if (status == TW_OK)
		status = tw_host_record(s, who->org_id, who->login, h->name,
		    "host.set", save_detail(detail, &used), err);
	return status;
}

enum tw_status tw_host_save(struct tw_store *s, const struct tw_who *who,
    const struct tw_host *was, const struct tw_host *h, const char *detail,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_tx tx;

	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	if (was)
		status = refuse_changed(s, was, err);
	if (status == TW_OK)
		status = update_host(s, who, was, h, detail, err);
	return tw_tx_end(&tx, status, err);
}

/* --- hold and release -------------------------------------------------- */

enum tw_status tw_host_hold(struct tw_store *s, const struct tw_who *who,
    const char *name, const char *reason, struct tw_err *err)
{
	struct tw_grant_used used;
	enum tw_status status;
	struct tw_tx tx;
	int64_t id;

	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = tw_host_find_for(s, who, TW_MAY_HOST, name, &id, &used, err);
	if (status == TW_OK)
		status = tw_host_refuse_revoked(s, who, id, name, err);
	if (status == TW_OK)
		status = tw_host_hold_row(s, who, id, reason, used.text, err);
	return tw_tx_end(&tx, status, err);
}

static const char held_sql[] =
    "SELECT held_reason FROM host WHERE org_id = ?1 AND id = ?2";
static const char release_sql[] =
    "UPDATE host SET held_reason = NULL, held_since = NULL, held_by = NULL,"
    "    unhold = 1, failures = 0, next_attempt = NULL"
    " WHERE org_id = ?1 AND id = ?2";

/* The host has seen later numbers of this queue than the state gave out, which
 * was restored or copied, or a later epoch, of the one that took its place: it
 * goes on beyond them, in an epoch that shuts the other tower out; so does a
 * change that was to start. */
static const char overtake_sql[] =
    "UPDATE host SET epoch = max(epoch, fence_epoch) + 1,"
    "    next_seq = max(next_seq, fence_seq + 1)"
    " WHERE org_id = ?1 AND id = ?2 AND (fence_seq >= next_seq"
    "    OR fence_epoch > epoch OR EXISTS"
    "    (SELECT 1 FROM change c WHERE c.host_id = host.id"
    "    AND c.status = 'running' AND c.accepted IS NULL"
    "    AND c.seq <= host.fence_seq))";
static const char renumber_sql[] =
    "UPDATE change SET (epoch, seq) ="
    "    (SELECT epoch, next_seq FROM host WHERE id = host_id)"
    " WHERE org_id = ?1 AND host_id = ?2 AND status = 'running'"
    "    AND accepted IS NULL";
/* What the host has of this queue and this state does not know is given up: where
 * it is not finished, it is undone before the next change begins.  A change that
 * runs there by this state's own word is none of that. */
static const char give_up_sql[] =
    "UPDATE host SET acked_seq = max(acked_seq, min(fence_seq, coalesce("
    "    (SELECT min(c.seq) - 1 FROM change c WHERE c.host_id = host.id"
    "    AND c.status = 'running' AND c.accepted IS NOT NULL), fence_seq)))"
    " WHERE org_id = ?1 AND id = ?2 AND acked_seq < fence_seq";
static const char next_sql[] =
    "UPDATE host SET next_seq = next_seq + 1 WHERE org_id = ?1 AND id = ?2";

static enum tw_status overtake(struct tw_store *s, const struct tw_who *who,
    int64_t id, struct tw_err *err)
{
	enum tw_status status;

	status = tw_tenant_run(s, who, give_up_sql, id, err);
	if (status == TW_OK)
		status = tw_tenant_run(s, who, overtake_sql, id, err);
	if (status != TW_OK || tw_store_changes(s) == 0)
		return status;
	status = tw_tenant_run(s, who, renumber_sql, id, err);
	if (status != TW_OK || tw_store_changes(s) == 0)
		return status;
	return tw_tenant_run(s, who, next_sql, id, err);
}

static enum tw_status release_host(struct tw_store *s,
    const struct tw_who *who, const char *name, struct tw_err *err)
{
	struct tw_grant_used used;
	enum tw_status status;
	char *reason = NULL;
	struct tw_stmt *st;
	int64_t id;

	status = tw_host_find_for(s, who, TW_MAY_HOST, name, &id, &used, err);
	if (status == TW_OK)
		status = tw_tenant_stmt(s, who, held_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, id);
	status = tw_stmt_one(st, err);
	if (status != TW_OK)
		return status;
	if (!tw_col_dup(st, 0, &reason))
		status = tw_err_nomem(err);
	tw_stmt_reset(st);
	if (status == TW_OK && !reason)
		status = tw_err_set(err, TW_NO, "%s: is not held", name);
	if (status == TW_OK)
		status = tw_tenant_run(s, who, release_sql, id, err);
	if (status == TW_OK)
		status = overtake(s, who, id, err);
	if (status == TW_OK)
		status = tw_host_record(s, who->org_id, who->login, name,
		    "host.release",
		    tw_audit_detail("was", reason, "grant", used.text,
		    (char *)NULL), err);
	free(reason);
	return status;
}

enum tw_status tw_host_release_hold(struct tw_store *s,
    const struct tw_who *who, const char *name, struct tw_err *err)
{
	enum tw_status status;
	struct tw_tx tx;

	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = release_host(s, who, name, err);
	return tw_tx_end(&tx, status, err);
}
