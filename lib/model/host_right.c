/*
 * host_right.c - what the caller may do on hosts: on one, on many at once, and
 *                whether what was filed may still start
 *
 * Grants are judged by name and labels as they are stored now, in the
 * transaction that is open, never by what the caller read before.
 */
#include "model/host_private.h"

#include <stdlib.h>
#include <string.h>

enum tw_status tw_view_load(struct tw_store *s, const struct tw_who *who,
    struct tw_rights **out, struct tw_err *err)
{
	enum tw_status status;

	status = tw_rights_load(s, who, TW_MAY_VIEW, out, err);
	if (status != TW_OK || !tw_rights_are_none(*out))
		return status;
	tw_rights_free(*out);
	*out = NULL;
	return tw_err_set(err, TW_DENIED, "%s may not view anything in "
	    "organisation '%s'", who->login, who->org);
}

/* The labels of a host; who NULL: the runner.  *h holds them, to release. */
static enum tw_status read_labels(struct tw_store *s,
    const struct tw_who *who, int64_t id, struct tw_host *h,
    struct tw_err *err)
{
	enum tw_status status;
	char *json;

	memset(h, 0, sizeof *h);
	json = tw_json_ids(&id, 1);
	if (!json)
		return tw_err_nomem(err);
	status = tw_host_read_labels(s, who, json, h, 1, err);
	free(json);
	if (status != TW_OK)
		tw_host_release(h);
	return status;
}

enum tw_status tw_host_may_app(struct tw_store *s, const struct tw_who *who,
    enum tw_permission p, const char *app, int64_t id, const char *name,
    struct tw_grant_used *used, struct tw_err *err)
{
	struct tw_grant_used unused;
	enum tw_status status;
	struct tw_host h;

	if (!used)
		used = &unused;
	if (id == 0)
		return tw_may(s, who, p, used, err);
	status = read_labels(s, who, id, &h, err);
	if (status != TW_OK)
		return status;
	status = tw_may_host(s, who, p, name, (const char *const *)h.labels,
	    app, used, err);
	tw_host_release(&h);
	return status;
}

enum tw_status tw_host_may(struct tw_store *s, const struct tw_who *who,
    enum tw_permission p, int64_t id, const char *name,
    struct tw_grant_used *used, struct tw_err *err)
{
	return tw_host_may_app(s, who, p, NULL, id, name, used, err);
}

enum tw_status tw_host_find_for(struct tw_store *s, const struct tw_who *who,
    enum tw_permission p, const char *name, int64_t *id,
    struct tw_grant_used *used, struct tw_err *err)
{
	enum tw_status status;

	status = tw_host_find(s, who, name, id, err);
	if (status == TW_OK)
		status = tw_host_may(s, who, p, *id, name, used, err);
	return status;
}

/* --- many at once ------------------------------------------------------ */

/* CROSS JOIN: the list is walked once, not once for each host there is. */
static const char names_sql[] =
    "SELECT j.key, h.name, h.revoked FROM json_each(?2) j"
    " CROSS JOIN host h ON h.id = j.value WHERE h.org_id = ?1";
enum { NAMES_INDEX, NAMES_NAME, NAMES_REVOKED };

/* Names (NULL: not there) and labels as they are stored into out[n]. */
static enum tw_status read_stored(struct tw_store *s,
    const struct tw_who *who, const struct tw_host *hosts, size_t n,
    struct tw_host *out, struct tw_err *err)
{
	int64_t *ids = calloc(n + 1, sizeof *ids);
	enum tw_status status;
	struct tw_stmt *st;
	char *json = NULL;
	size_t i;

	for (i = 0; ids && i < n; i++)
		ids[i] = hosts[i].id;
	if (ids)
		json = tw_json_ids(ids, n);
	status = json ? tw_tenant_stmt(s, who, names_sql, &st, err) :
	    tw_err_nomem(err);
	if (status != TW_OK)
		goto out;
	tw_stmt_text(st, 2, json);
	while ((status = tw_stmt_step(st, err)) == TW_OK) {
		i = (size_t)tw_stmt_col_int(st, NAMES_INDEX);
		if (i < n)
			out[i].revoked = tw_stmt_col_int(st, NAMES_REVOKED);
		if (i < n && !out[i].name &&
		    !tw_col_dup(st, NAMES_NAME, &out[i].name)) {
			tw_stmt_reset(st);
			status = tw_err_nomem(err);
			goto out;
		}
	}
	if (status == TW_NO)
		status = tw_host_read_labels(s, who, json, out, n, err);
out:
	free(json);
	free(ids);
	return status;
}

/* What a host is judged by: what is stored, or itself when it is new. */
static const struct tw_host *judged(const struct tw_host *h,
    const struct tw_host *stored)
{
	return h->id ? stored : h;
}

static bool is_gone(const struct tw_host *h, const struct tw_host *stored)
{
	return h->id && (!stored->name || strcmp(stored->name, h->name) != 0);
}

static bool allows(const struct tw_rights *r, const struct tw_host *h,
    const char *app, struct tw_grant_used *used)
{
	return tw_rights_on(r, h->name, (const char *const *)h->labels, app,
	    used);
}

struct wanted {			/* on many hosts */
	enum tw_permission p;
	const char *const *apps;	/* of each; NULL: of none */
};

static const char *app_of(const struct wanted *w, size_t i)
{
	return w->apps ? w->apps[i] : NULL;
}

struct denied {			/* release names */
	struct tw_buf names;	/* "wiki on web1, web2, shop on web3" */
	const struct tw_host *first;	/* as stored; NULL: none is */
	const char *first_app, *last_app;
};

static void add_denied(struct denied *d, const struct tw_host *h,
    const char *app)
{
	tw_buf_adds(&d->names, d->first ? ", " : "");
	if (app && (!d->first || strcmp(app, d->last_app) != 0))
		tw_buf_addf(&d->names, "%s on ", app);
	tw_buf_adds(&d->names, h->name);
	if (!d->first) {
		d->first = h;
		d->first_app = app;
	}
	d->last_app = app;
}

/* All that are denied, in one message; the hint is the first one's. */
static enum tw_status deny(struct tw_store *s, const struct tw_who *who,
    const struct wanted *w, const struct denied *d, struct tw_err *err)
{
	struct tw_grant_used used;
	struct tw_err one = { 0 };

	tw_may_host(s, who, w->p, d->first->name,
	    (const char *const *)d->first->labels, d->first_app, &used, &one);
	tw_err_set(err, TW_DENIED, "%s may not %s %s", who->login,
	    tw_permission_name(w->p), tw_buf_str(&d->names));
	if (one.hint[0])
		tw_err_hint(err, "%s", one.hint);
	return TW_DENIED;
}

/* A host without the permission: is it there at all, for the caller? */
static enum tw_status judge(const struct tw_host *h,
    const struct tw_host *stored, const struct tw_rights *rights,
    const char *app, const struct tw_rights *view,
    struct tw_grant_used *used, struct tw_err *err)
{
	const struct tw_host *by = judged(h, stored);

	if (!is_gone(h, stored) && allows(rights, by, app, used))
		return TW_OK;
	if (is_gone(h, stored) || (h->id && !allows(view, by, NULL, NULL)))
		return tw_err_set(err, TW_NO, "no host '%s'", h->name);
	return TW_DENIED;
}

static enum tw_status permit_all(struct tw_store *s,
    const struct tw_who *who, const struct wanted *w,
    const struct tw_host *hosts, const struct tw_host *stored, size_t n,
    struct tw_grant_used *used, struct tw_err *err)
{
	struct tw_rights *rights = NULL, *view = NULL;
	struct denied denied = { TW_BUF_INIT, NULL, NULL, NULL };
	enum tw_status status;
	size_t i;

	status = tw_rights_load(s, who, w->p, &rights, err);
	if (status == TW_OK)
		status = tw_rights_load(s, who, TW_MAY_VIEW, &view, err);
	for (i = 0; status == TW_OK && i < n; i++) {
		status = judge(&hosts[i], &stored[i], rights, app_of(w, i),
		    view, used ? &used[i] : NULL, err);
		if (status != TW_DENIED)
			continue;
		status = TW_OK;
		add_denied(&denied, judged(&hosts[i], &stored[i]),
		    app_of(w, i));
	}
	if (status == TW_OK && denied.first)
		status = deny(s, who, w, &denied, err);
	tw_buf_release(&denied.names);
	tw_rights_free(rights);
	tw_rights_free(view);
	return status;
}

/* One is found by the index, however many grants on others there are. */
static enum tw_status permit_one(struct tw_store *s, const struct tw_who *who,
    const struct wanted *w, const struct tw_host *h,
    const struct tw_host *stored, struct tw_grant_used *used,
    struct tw_err *err)
{
	const struct tw_host *by = judged(h, stored);
	const char *const *labels = (const char *const *)by->labels;
	enum tw_status status = TW_NO;

	if (!is_gone(h, stored))
		status = tw_may_host(s, who, w->p, h->name, labels,
		    app_of(w, 0), used, err);
	if (status == TW_DENIED && h->id && tw_may_host(s, who, TW_MAY_VIEW,
	    h->name, labels, NULL, NULL, NULL) == TW_DENIED)
		status = TW_NO;
	return status == TW_NO ? tw_err_set(err, TW_NO, "no host '%s'",
	    h->name) : status;
}

/* Nothing can be done with what the tower has left: all of those are named. */
static enum tw_status refuse_revoked(const struct tw_host *stored, size_t n,
    struct tw_err *err)
{
	struct tw_buf names = TW_BUF_INIT;
	enum tw_status status = TW_OK;
	size_t i, count = 0;

	for (i = 0; i < n; i++)
		if (stored[i].revoked)
			tw_buf_addf(&names, "%s%s", count++ ? ", " : "",
			    stored[i].name);
	if (count)
		status = tw_host_say_revoked(tw_buf_str(&names), count > 1,
		    err);
	tw_buf_release(&names);
	return status;
}

enum tw_status tw_host_permit_apps(struct tw_store *s,
    const struct tw_who *who, enum tw_permission p, const char *const *apps,
    const struct tw_host *hosts, size_t n, struct tw_grant_used *used,
    struct tw_err *err)
{
	struct tw_host *stored = calloc(n + 1, sizeof *stored);
	const struct wanted w = { p, apps };
	enum tw_status status;

	if (!stored)
		return tw_err_nomem(err);
	status = read_stored(s, who, hosts, n, stored, err);
	if (status == TW_OK && n == 1)
		status = permit_one(s, who, &w, hosts, stored, used, err);
	else if (status == TW_OK)
		status = permit_all(s, who, &w, hosts, stored, n, used, err);
	if (status == TW_OK)
		status = refuse_revoked(stored, n, err);
	tw_host_list_free(stored, n);
	return status;
}

enum tw_status tw_host_permit(struct tw_store *s, const struct tw_who *who,
    enum tw_permission p, const struct tw_host *hosts, size_t n,
    struct tw_grant_used *used, struct tw_err *err)
{
	return tw_host_permit_apps(s, who, p, NULL, hosts, n, used, err);
}

enum tw_status tw_host_permit_any(struct tw_store *s,
    const struct tw_who *who, enum tw_permission p, struct tw_err *err)
{
	struct tw_rights *rights = NULL;
	enum tw_status status;

	status = tw_rights_load(s, who, p, &rights, err);
	if (status == TW_OK && tw_rights_are_none(rights))
		status = tw_err_set(err, TW_DENIED, "%s may not %s any host "
		    "of organisation '%s'", who->login, tw_permission_name(p),
		    who->org);
	tw_rights_free(rights);
	return status;
}

/* --- a limited pass ---------------------------------------------------- */

enum tw_status tw_host_runnable(struct tw_store *s, const struct tw_who *who,
    const struct tw_host *hosts, size_t n, bool must_all, char ***names,
    struct tw_err *err)
{
	struct tw_rights *change = NULL, *deploy = NULL;
	struct tw_buf denied = TW_BUF_INIT;
	enum tw_status status;
	size_t k = 0, i;

	*names = NULL;
	status = tw_rights_load(s, who, TW_MAY_CHANGE, &change, err);
	if (status == TW_OK)
		status = tw_rights_load(s, who, TW_MAY_DEPLOY, &deploy, err);
	if (status == TW_OK && tw_rights_are_none(change) &&
	    tw_rights_are_none(deploy))
		status = tw_err_set(err, TW_DENIED, "%s may not change any "
		    "host of organisation '%s'", who->login, who->org);
	if (status == TW_OK && !(*names = calloc(n + 1, sizeof **names)))
		status = tw_err_nomem(err);
	for (i = 0; status == TW_OK && i < n; i++) {
		if (!allows(change, &hosts[i], NULL, NULL) &&
		    !tw_rights_on_some(deploy, hosts[i].name,
		    (const char *const *)hosts[i].labels))
			tw_buf_addf(&denied, "%s%s", denied.len ? ", " : "",
			    hosts[i].name);
		else if (!tw_text_dup(hosts[i].name, &(*names)[k++]))
			status = tw_err_nomem(err);
	}
	if (status == TW_OK && must_all && denied.len)
		status = tw_err_set(err, TW_DENIED, "%s may not change %s",
		    who->login, tw_buf_str(&denied));
	if (status != TW_OK) {
		tw_strv_free(*names);
		*names = NULL;
	}
	tw_buf_release(&denied);
	tw_rights_free(change);
	tw_rights_free(deploy);
	return status;
}

/* --- when a change would start ----------------------------------------- */

static void refuse_now(const char *login, enum tw_permission p,
    const char *app, const char *host, struct tw_err *err)
{
	if (app)
		tw_err_set(err, TW_DENIED, "%s may no longer %s %s on %s",
		    login, tw_permission_name(p), app, host);
	else
		tw_err_set(err, TW_DENIED, "%s may no longer %s %s", login,
		    tw_permission_name(p), host);
}

enum tw_status tw_host_may_start(struct tw_store *s,
    const struct tw_filer *filer, enum tw_permission p, const char *app,
    int64_t host_id, const char *name, struct tw_grant_used *used,
    struct tw_err *err)
{
	struct tw_who who = { .operator_id = filer->operator_id,
	    .org_id = filer->org_id, .login = (char *)filer->login,
	    .org = (char *)"" };
	enum tw_status status;
	struct tw_host h;

	status = read_labels(s, NULL, host_id, &h, err);
	if (status != TW_OK)
		return status;
	status = tw_may_host(s, &who, p, name, (const char *const *)h.labels,
	    app, used, err);
	tw_host_release(&h);
	if (status == TW_DENIED)
		refuse_now(filer->login, p, app, name, err);
	return status;
}
