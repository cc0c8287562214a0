/*
 * host.c - reading hosts: one, or those that an expression selects
 *
 * Adding and changing them is in host_act.c, what contact with them teaches in
 * host_contact.c.
 */
#include "model/host_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/name.h"

void tw_host_release(struct tw_host *h)
{
	char **strings[] = {
		&h->name, &h->address, &h->user, &h->via, &h->identity,
		&h->spool, &h->transport, &h->transport_used, &h->sshconfig,
		&h->hostkey, &h->spool_id, &h->queue_id, &h->held_reason,
		&h->held_by, &h->last_error, &h->facts, &h->revoked_by,
	};
	size_t i;

	for (i = 0; i < sizeof strings / sizeof *strings; i++)
		free(*strings[i]);
	tw_strv_free(h->labels);
	memset(h, 0, sizeof *h);
}

void tw_host_list_free(struct tw_host *h, size_t n)
{
	size_t i;

	for (i = 0; h && i < n; i++)
		tw_host_release(&h[i]);
	free(h);
}

/* --- rows -------------------------------------------------------------- */

/* The index condition is repeated in full, so that the planner sees it. */
#define COLUMNS \
	"SELECT h.id, h.org_id, h.name, h.address, h.port, h.user, h.via," \
	"    h.identity, h.sudo, h.spool, h.transport, h.transport_used," \
	"    h.port_given, h.user_given, h.own_config, h.sshconfig, h.hostkey," \
	"    h.spool_id, h.queue_id, h.epoch, h.acked_seq, h.fence_epoch," \
	"    h.fence_seq, h.held_reason, h.held_since, h.held_by, h.unhold," \
	"    h.failures, h.next_attempt, h.last_error, h.last_error_at," \
	"    h.last_seen, h.facts, h.facts_at, h.created, h.leaving," \
	"    h.revoked, h.revoked_by," \
	"    (SELECT count(*) FROM change c WHERE c.host_id = h.id" \
	"        AND c.status IN ('queued', 'running')" \
	"        AND c.status = 'queued')," \
	"    (SELECT c.num FROM change c WHERE c.host_id = h.id" \
	"        AND c.status = 'running')" \
	" FROM json_each(?2) j CROSS JOIN host h ON h.id = j.value"
static const char load_sql[] =
    COLUMNS " WHERE h.org_id = ?1 ORDER BY j.key";
static const char load_any_sql[] = COLUMNS " ORDER BY j.key";
enum {
	ID, ORG_ID, NAME, ADDRESS, PORT, USER, VIA, IDENTITY, SUDO, SPOOL,
	TRANSPORT, TRANSPORT_USED, PORT_GIVEN, USER_GIVEN, OWN_CONFIG,
	SSHCONFIG, HOSTKEY, SPOOL_ID, QUEUE_ID, EPOCH, ACKED_SEQ, FENCE_EPOCH,
	FENCE_SEQ, HELD_REASON, HELD_SINCE, HELD_BY, UNHOLD, FAILURES,
	NEXT_ATTEMPT, LAST_ERROR, LAST_ERROR_AT, LAST_SEEN, FACTS, FACTS_AT,
	CREATED, LEAVING, REVOKED, REVOKED_BY, QUEUED, RUNNING,
};

/* False: no memory. */
static bool read_texts(struct tw_stmt *st, struct tw_host *h)
{
	const struct {
		int col;
		char **to;
	} texts[] = {
		{ NAME, &h->name }, { ADDRESS, &h->address },
		{ USER, &h->user }, { VIA, &h->via },
		{ IDENTITY, &h->identity }, { SPOOL, &h->spool },
		{ TRANSPORT, &h->transport },
		{ TRANSPORT_USED, &h->transport_used },
		{ SSHCONFIG, &h->sshconfig }, { HOSTKEY, &h->hostkey },
		{ SPOOL_ID, &h->spool_id }, { QUEUE_ID, &h->queue_id },
		{ HELD_REASON, &h->held_reason }, { HELD_BY, &h->held_by },
		{ LAST_ERROR, &h->last_error }, { FACTS, &h->facts },
		{ REVOKED_BY, &h->revoked_by },
	};
	bool ok = true;
	size_t i;

	for (i = 0; i < sizeof texts / sizeof *texts; i++)
		ok &= tw_col_dup(st, texts[i].col, texts[i].to);
	return ok;
}

static enum tw_status read_row(struct tw_stmt *st, struct tw_host *h,
    struct tw_err *err)
{
	h->id = tw_stmt_col_int(st, ID);
	h->org_id = tw_stmt_col_int(st, ORG_ID);
	h->port = (int)tw_stmt_col_int(st, PORT);
	h->sudo = tw_stmt_col_int(st, SUDO) != 0;
	h->port_given = tw_stmt_col_int(st, PORT_GIVEN) != 0;
	h->user_given = tw_stmt_col_int(st, USER_GIVEN) != 0;
	h->own_config = tw_stmt_col_int(st, OWN_CONFIG) != 0;
	h->epoch = tw_stmt_col_int(st, EPOCH);
	h->acked_seq = tw_stmt_col_int(st, ACKED_SEQ);
	h->fence_epoch = tw_stmt_col_int(st, FENCE_EPOCH);
	h->fence_seq = tw_stmt_col_int(st, FENCE_SEQ);
	h->held_since = tw_stmt_col_int(st, HELD_SINCE);
	h->unhold = tw_stmt_col_int(st, UNHOLD) != 0;
	h->failures = (int)tw_stmt_col_int(st, FAILURES);
	h->next_attempt = tw_stmt_col_int(st, NEXT_ATTEMPT);
	h->last_error_at = tw_stmt_col_int(st, LAST_ERROR_AT);
	h->last_seen = tw_stmt_col_int(st, LAST_SEEN);
	h->facts_at = tw_stmt_col_int(st, FACTS_AT);
	h->created = tw_stmt_col_int(st, CREATED);
	h->leaving = tw_stmt_col_int(st, LEAVING) != 0;
	h->revoked = tw_stmt_col_int(st, REVOKED);
	h->queued = tw_stmt_col_int(st, QUEUED);
	h->running = tw_stmt_col_int(st, RUNNING);
	return read_texts(st, h) ? TW_OK : tw_err_nomem(err);
}

/* --- labels ------------------------------------------------------------ */

#define LABELS \
	"SELECT j.key, l.key || '=' || l.value FROM json_each(?2) j" \
	" CROSS JOIN host h ON h.id = j.value" \
	" JOIN label l ON l.host_id = h.id"
static const char labels_sql[] =
    LABELS " WHERE h.org_id = ?1 ORDER BY j.key, l.key";
static const char labels_any_sql[] = LABELS " ORDER BY j.key, l.key";
enum { LABEL_INDEX, LABEL_TEXT };

bool tw_label_append(char ***labels, size_t *n, const char *text)
{
	char **v, *copy;

	copy = strdup(text);
	v = copy ? realloc(*labels, (*n + 2) * sizeof *v) : NULL;
	if (!v) {
		free(copy);
		return false;
	}
	v[*n] = copy;
	v[++*n] = NULL;
	*labels = v;
	return true;
}

enum tw_status tw_host_read_labels(struct tw_store *s,
    const struct tw_who *who, const char *ids, struct tw_host *hosts,
    size_t n, struct tw_err *err)
{
	size_t i, last = (size_t)-1, count = 0;
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tenant_or_any(s, who, labels_sql, labels_any_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_text(st, 2, ids);
	while ((status = tw_stmt_step(st, err)) == TW_OK) {
		i = (size_t)tw_stmt_col_int(st, LABEL_INDEX);
		if (i >= n)
			continue;
		if (i != last)
			count = 0;
		last = i;
		if (!tw_label_append(&hosts[i].labels, &count,
		    tw_stmt_col_text(st, LABEL_TEXT))) {
			tw_stmt_reset(st);
			return tw_err_nomem(err);
		}
	}
	return status == TW_NO ? TW_OK : status;
}

/* Fills out[n] in the order of ids; *got is less than n when some are gone. */
static enum tw_status load_ids(struct tw_store *s, const struct tw_who *who,
    const int64_t *ids, size_t n, struct tw_host *out, size_t *got,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;
	char *json;

	*got = 0;
	json = tw_json_ids(ids, n);
	if (!json)
		return tw_err_nomem(err);
	status = tw_tenant_or_any(s, who, load_sql, load_any_sql, &st, err);
	if (status != TW_OK)
		goto out;
	tw_stmt_text(st, 2, json);
	while (*got < n && (status = tw_stmt_step(st, err)) == TW_OK) {
		status = read_row(st, &out[*got], err);
		++*got;
		if (status != TW_OK)
			break;
	}
	tw_stmt_reset(st);
	if (status == TW_NO)
		status = TW_OK;
	if (status == TW_OK && *got == n)
		status = tw_host_read_labels(s, who, json, out, n, err);
out:
	free(json);
	return status;
}

/* --- one host ---------------------------------------------------------- */

/* who NULL: the runner. */
static enum tw_status load_one(struct tw_store *s, const struct tw_who *who,
    int64_t id, struct tw_host *out, struct tw_err *err)
{
	enum tw_status status;
	size_t got = 0;

	memset(out, 0, sizeof *out);
	status = load_ids(s, who, &id, 1, out, &got, err);
	if (status == TW_OK && got == 0)
		status = tw_err_set(err, TW_NO, "the host is gone");
	if (status != TW_OK)
		tw_host_release(out);
	return status;
}

enum tw_status tw_host_load(struct tw_store *s, int64_t id,
    struct tw_host *out, struct tw_err *err)
{
	return load_one(s, NULL, id, out, err);
}

struct brief {			/* hosts as far as selecting needs them */
	int64_t *ids;
	struct tw_host *hosts;	/* name and labels alone */
	size_t n;
};

static void brief_free(struct brief *b)
{
	tw_host_list_free(b->hosts, b->n);
	free(b->ids);
	memset(b, 0, sizeof *b);
}

static const char brief_sql[] =
    "SELECT id, name FROM host WHERE org_id = ?1 ORDER BY name";
enum { BRIEF_ID, BRIEF_NAME };

/* Room for one more; doubles. */
static bool brief_grow(struct brief *b, size_t *cap)
{
	size_t want = *cap ? *cap * 2 : 64;
	struct tw_host *hosts;
	int64_t *ids;

	if (b->n < *cap)
		return true;
	ids = realloc(b->ids, want * sizeof *ids);
	if (ids)
		b->ids = ids;
	hosts = realloc(b->hosts, want * sizeof *hosts);
	if (hosts)
		b->hosts = hosts;
	if (!ids || !hosts)
		return false;
	*cap = want;
	return true;
}

/* All hosts of the organisation. */
static enum tw_status brief_rows(struct tw_store *s, const struct tw_who *who,
    struct brief *b, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;
	size_t cap = 0;

	status = tw_tenant_stmt(s, who, brief_sql, &st, err);
	while (status == TW_OK && (status = tw_stmt_step(st, err)) == TW_OK) {
		if (!brief_grow(b, &cap)) {
			status = tw_err_nomem(err);
			break;
		}
		memset(&b->hosts[b->n], 0, sizeof *b->hosts);
		b->ids[b->n] = tw_stmt_col_int(st, BRIEF_ID);
		if (!tw_col_dup(st, BRIEF_NAME, &b->hosts[b->n++].name))
			status = tw_err_nomem(err);
		if (status != TW_OK)
			break;
	}
	if (status == TW_NO)
		return TW_OK;
	if (st)
		tw_stmt_reset(st);
	return status;
}

static enum tw_status brief_labels(struct tw_store *s,
    const struct tw_who *who, struct brief *b, struct tw_err *err)
{
	char *json = tw_json_ids(b->ids, b->n);
	enum tw_status status;

	if (!json)
		return tw_err_nomem(err);
	status = tw_host_read_labels(s, who, json, b->hosts, b->n, err);
	free(json);
	return status;
}

/* What the caller may not see does not exist. */
static void brief_hide(struct brief *b, const struct tw_rights *view)
{
	struct tw_host *h;
	size_t i, n = 0;

	for (i = 0; i < b->n; i++) {
		h = &b->hosts[i];
		if (!tw_rights_on(view, h->name,
		    (const char *const *)h->labels, NULL, NULL)) {
			tw_host_release(h);
			continue;
		}
		b->ids[n] = b->ids[i];
		b->hosts[n++] = *h;
	}
	b->n = n;
}

/* The hosts of the organisation that view allows (NULL: every one), by
 * name. */
static enum tw_status brief_read(struct tw_store *s, const struct tw_who *who,
    const struct tw_rights *view, bool with_labels, struct brief *b,
    struct tw_err *err)
{
	bool is_all = !view || tw_rights_are_all(view);
	enum tw_status status;

	status = brief_rows(s, who, b, err);
	if (status == TW_OK && (with_labels || !is_all))
		status = brief_labels(s, who, b, err);
	if (status == TW_OK && !is_all)
		brief_hide(b, view);
	return status;
}

/* "no host 'x'", in the same words whether there is none or it can't be seen;
 * the nearest name is one that can. */
static enum tw_status no_host(struct tw_store *s, const struct tw_who *who,
    const char *name, struct tw_err *err)
{
	const char **words = NULL, *nearest;
	struct brief b = { NULL, NULL, 0 };
	struct tw_rights *view = NULL;
	enum tw_status status;
	size_t i;

	status = tw_view_load(s, who, &view, err);
	if (status == TW_OK)
		status = brief_read(s, who, view, false, &b, err);
	if (status == TW_OK) {
		status = tw_err_set(err, TW_NO, "no host '%s'", name);
		words = calloc(b.n + 1, sizeof *words);
	}
	for (i = 0; words && i < b.n; i++)
		words[i] = b.hosts[i].name;
	nearest = words ? tw_name_nearest(name, words) : NULL;
	if (nearest)
		tw_err_hint(err, "did you mean '%s'?", nearest);
	free(words);
	brief_free(&b);
	tw_rights_free(view);
	return status;
}

static const char find_sql[] =
    "SELECT id FROM host WHERE org_id = ?1 AND name = ?2";

enum tw_status tw_host_find(struct tw_store *s, const struct tw_who *who,
    const char *name, int64_t *id, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	*id = 0;
	status = tw_tenant_stmt(s, who, find_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_text(st, 2, name);
	status = tw_stmt_step(st, err);
	if (status == TW_OK) {
		*id = tw_stmt_col_int(st, 0);
		tw_stmt_reset(st);
		status = tw_host_may(s, who, TW_MAY_VIEW, *id, name, NULL,
		    err);
	}
	if (status == TW_NO || status == TW_DENIED) {
		*id = 0;
		status = no_host(s, who, name, err);
	}
	return status;
}

enum tw_status tw_host_get(struct tw_store *s, const struct tw_who *who,
    const char *name, struct tw_host *out, struct tw_err *err)
{
	enum tw_status status;
	int64_t id;

	memset(out, 0, sizeof *out);
	status = tw_host_find(s, who, name, &id, err);
	if (status == TW_OK)
		status = load_one(s, who, id, out, err);
	return status;
}

enum tw_status tw_host_visible(struct tw_store *s, const struct tw_who *who,
    int64_t **ids, size_t *n, bool *is_all, struct tw_err *err)
{
	struct brief b = { NULL, NULL, 0 };
	struct tw_rights *view = NULL;
	enum tw_status status;

	*ids = NULL;
	*n = 0;
	*is_all = false;
	status = tw_view_load(s, who, &view, err);
	if (status == TW_OK && tw_rights_are_all(view)) {
		*is_all = true;
	} else if (status == TW_OK) {
		status = brief_read(s, who, view, false, &b, err);
		*ids = b.ids;
		*n = b.n;
		b.ids = NULL;
	}
	brief_free(&b);
	tw_rights_free(view);
	return status;
}

enum tw_status tw_host_visible_json(struct tw_store *s,
    const struct tw_who *who, char **json, struct tw_err *err)
{
	enum tw_status status;
	int64_t *ids = NULL;
	bool is_all = false;
	size_t n = 0;

	*json = NULL;
	status = tw_host_visible(s, who, &ids, &n, &is_all, err);
	if (status == TW_OK && !is_all && !(*json = tw_json_ids(ids, n)))
		status = tw_err_nomem(err);
	free(ids);
	return status;
}

/* --- selecting --------------------------------------------------------- */

/* The ids that expr selects, in its order; free *ids. */
static enum tw_status select_ids(const struct brief *b, const char *expr,
    int64_t **ids, size_t *n, struct tw_err *err)
{
	struct tw_target_item *items;
	struct tw_targets *targets = NULL;
	enum tw_status status;
	size_t *chosen = NULL, i;

	items = calloc(b->n + 1, sizeof *items);
	if (!items)
		return tw_err_nomem(err);
	for (i = 0; i < b->n; i++) {
		items[i].name = b->hosts[i].name;
		items[i].labels = (const char *const *)b->hosts[i].labels;
	}
	status = tw_targets_parse(expr, &targets, err);
	if (status == TW_OK)
		status = tw_targets_eval(targets, items, b->n, &chosen, n,
		    err);
	if (status == TW_OK) {
		*ids = calloc(*n + 1, sizeof **ids);
		if (!*ids)
			status = tw_err_nomem(err);
		for (i = 0; *ids && i < *n; i++)
			(*ids)[i] = b->ids[chosen[i]];
	}
	free(chosen);
	tw_targets_free(targets);
	free(items);
	return status;
}

static enum tw_status select_hosts(struct tw_store *s,
    const struct tw_who *who, const struct tw_rights *view, const char *expr,
    struct tw_host **out, size_t *n, struct tw_err *err)
{
	struct brief b = { NULL, NULL, 0 };
	enum tw_status status;
	int64_t *ids = NULL;
	size_t count = 0;

	*out = NULL;
	*n = 0;
	status = brief_read(s, who, view, expr && strchr(expr, '@'), &b, err);
	if (status == TW_OK && expr) {
		status = select_ids(&b, expr, &ids, &count, err);
	} else if (status == TW_OK) {
		ids = b.ids;
		count = b.n;
		b.ids = NULL;
	}
	if (status == TW_OK) {
		*out = calloc(count + 1, sizeof **out);
		if (!*out)
			status = tw_err_nomem(err);
		else
			status = load_ids(s, who, ids, count, *out, n,
			    err);
	}
	if (status == TW_OK && *n < count)
		status = tw_err_set(err, TW_AGAIN,
		    "a host was removed just now");
	if (status != TW_OK) {
		tw_host_list_free(*out, *n);
		*out = NULL;
		*n = 0;
	}
	free(ids);
	brief_free(&b);
	return status;
}

enum tw_status tw_host_select(struct tw_store *s, const struct tw_who *who,
    const char *expr, struct tw_host **out, size_t *n, struct tw_err *err)
{
	struct tw_rights *view = NULL;
	enum tw_status status;

	*out = NULL;
	*n = 0;
	status = tw_view_load(s, who, &view, err);
	if (status == TW_OK)
		status = select_hosts(s, who, view, expr, out, n, err);
	tw_rights_free(view);
	return status;
}

enum tw_status tw_host_select_every(struct tw_store *s,
    const struct tw_who *who, const char *expr, struct tw_host **out,
    size_t *n, struct tw_err *err)
{
	return select_hosts(s, who, NULL, expr, out, n, err);
}
