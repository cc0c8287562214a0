/*
 * grant_explain.c - why an operator may do something, or why not, for a person
 */
#include "model/grant_private.h"
#include "model/host_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define NAMES_MAX 20		/* hosts named in one line */
#define LINES_MAX 20		/* grants listed that do not allow it */

struct question {
	const struct tw_scope *scope;
	enum tw_permission permission;
	struct tw_host *hosts;		/* of the scope, where it has hosts */
	size_t nhosts;
	struct tw_grant_used *by;	/* per host; "": none allows it */
	struct tw_grant *grants;	/* those that could allow it */
	size_t ngrants;
	bool any_denied;
};

/* Names of the hosts that were allowed by this grant ("": by none), as
 * " on web1, web2"; nothing where no hosts were asked about. */
static void add_names(const struct question *q, const char *by,
    struct tw_buf *out)
{
	size_t i, n = 0;

	for (i = 0; q->scope->hosts && i < q->nhosts; i++) {
		if (strcmp(q->by[i].text, by) != 0)
			continue;
		if (n < NAMES_MAX)
			tw_buf_addf(out, "%s%s", n ? ", " : W_(" on "),
			    q->hosts[i].name);
		n++;
	}
	if (n > NAMES_MAX)
		tw_buf_addf(out, "%s%zu%s", W_(" and "), n - NAMES_MAX,
		    W_(" more"));
}

static void add_grant(const struct tw_grant *g, struct tw_buf *out)
{
	char until[TW_TIME_MAX];

	tw_buf_addf(out, "%s%s%s", W_(": "),
	    tw_permission_name(g->permission), W_(" on "));
	tw_scope_write(&g->scope, out);
	if (g->until && !g->is_over) {
		tw_time_local(g->until, until);
		tw_buf_addf(out, "%s%s", W_(", until "), until);
	}
	tw_buf_addc(out, '\n');
}

static void add_allowing(const struct question *q, const char *by,
    struct tw_buf *out)
{
	size_t i;

	if (strcmp(by, TW_TOWER) == 0) {
		tw_buf_adds(out, W_("an administrator of the tower may"));
		add_names(q, by, out);
		tw_buf_addc(out, '\n');
		return;
	}
	tw_buf_addf(out, "%s%s%s", W_("grant "), by, W_(" allows it"));
	add_names(q, by, out);
	for (i = 0; i < q->ngrants; i++)
		if (q->grants[i].num == strtoll(by, NULL, 10))
			add_grant(&q->grants[i], out);
}

static bool is_used(const struct question *q, int64_t num)
{
	size_t i;

	for (i = 0; i == 0 || i < q->nhosts; i++)
		if (strtoll(q->by[i].text, NULL, 10) == num)
			return true;
	return false;
}

static void add_lacking(const struct question *q, const struct tw_grant *g,
    struct tw_buf *out)
{
	const struct tw_scope *scope = &g->scope;
	char until[TW_TIME_MAX];

	tw_buf_addf(out, "%s%lld%s", W_("grant "), (long long)g->num,
	    W_(" does not"));
	if (g->is_over) {
		tw_time_local(g->until, until);
		tw_buf_addf(out, "%s%s", W_(", it ended "), until);
	} else if (q->permission == TW_MAY_VIEW && scope->app &&
	    !scope->hosts) {
		tw_buf_adds(out, W_(", apps alone let nobody view hosts"));
	} else if (q->permission != TW_MAY_VIEW &&
	    !tw_grant_covers_app(scope->app, q->scope->app)) {
		tw_buf_adds(out, q->scope->app ?
		    W_(", it is for other apps") :
		    W_(", it is for some apps alone"));
	} else if (!q->scope->hosts) {
		tw_buf_adds(out, W_(", it is for some hosts alone"));
	} else {
		tw_buf_adds(out, W_(", it is for other hosts"));
	}
	add_grant(g, out);
}

static void add_denied(const struct question *q, const char *login,
    struct tw_buf *out)
{
	size_t i, n = 0;

	tw_buf_adds(out, W_("no grant allows it"));
	add_names(q, "", out);
	tw_buf_addc(out, '\n');
	for (i = 0; i < q->ngrants; i++) {
		if (is_used(q, q->grants[i].num))
			continue;
		if (n < LINES_MAX)
			add_lacking(q, &q->grants[i], out);
		n++;
	}
	if (n > LINES_MAX)
		tw_buf_addf(out, "%s%zu%s\n", W_("nor do "), n - LINES_MAX,
		    W_(" more grants"));
	if (q->ngrants == 0)
		tw_buf_addf(out, "%s%s%s\n", login, W_(" has no grant of "),
		    tw_permission_name(q->permission));
}

static void answer(struct question *q, const char *login, struct tw_buf *out)
{
	size_t i, j;

	for (i = 0; i == 0 || i < q->nhosts; i++) {
		for (j = 0; j < i; j++)
			if (strcmp(q->by[j].text, q->by[i].text) == 0)
				break;
		if (j == i && q->by[i].text[0])
			add_allowing(q, q->by[i].text, out);
		q->any_denied |= !q->by[i].text[0];
	}
	if (q->any_denied)
		add_denied(q, login, out);
}

static enum tw_status judge(struct tw_store *s, const struct tw_who *who,
    int64_t operator_id, struct question *q, struct tw_err *err)
{
	struct tw_rights *r;
	enum tw_status status;
	size_t i;

	status = tw_rights_of(s, who, operator_id, q->permission, &r, err);
	if (status != TW_OK)
		return status;
	q->by = calloc(q->nhosts + 1, sizeof *q->by);
	if (!q->by)
		status = tw_err_nomem(err);
	else if (!q->scope->hosts)
		tw_rights_everywhere(r, q->scope->app, &q->by[0]);
	for (i = 0; status == TW_OK && i < q->nhosts; i++)
		tw_rights_on(r, q->hosts[i].name,
		    (const char *const *)q->hosts[i].labels, q->scope->app,
		    &q->by[i]);
	tw_rights_free(r);
	return status;
}

/* Oneself, who need not be a member, or a member. */
static enum tw_status find(struct tw_store *s, const struct tw_who *who,
    const char *login, int64_t *id, struct tw_err *err)
{
	enum tw_status status;

	status = tw_may_ask(s, who, login, err);
	if (status != TW_OK)
		return status;
	*id = who->operator_id;
	if (strcmp(login, who->login) == 0)
		return TW_OK;
	return tw_member_find(s, who, login, id, err);
}

/* The hosts that are asked about.  Who gives rights away may ask about every
 * one.  Who sees nothing has the answer by that. */
static enum tw_status find_hosts(struct tw_store *s, const struct tw_who *who,
    struct question *q, struct tw_buf *out, struct tw_err *err)
{
	const char *expr = q->scope->hosts;
	enum tw_status status;

	status = tw_may(s, who, TW_MAY_ADMIN, NULL, err);
	if (status == TW_OK)
		return tw_host_select_every(s, who, expr, &q->hosts,
		    &q->nhosts, err);
	if (status == TW_DENIED)
		status = tw_host_select(s, who, expr, &q->hosts, &q->nhosts,
		    err);
	if (status != TW_DENIED)
		return status;
	tw_buf_addf(out, "%s%s%s\n", who->login, W_(" has no grant of "),
	    tw_permission_name(TW_MAY_VIEW));
	return tw_err_set(err, TW_NO, "%s may not %s there", who->login,
	    tw_permission_name(q->permission));
}

enum tw_status tw_grant_explain(struct tw_store *s, const struct tw_who *who,
    const char *login, enum tw_permission p, const struct tw_scope *scope,
    struct tw_buf *out, struct tw_err *err)
{
	struct question q = { .scope = scope, .permission = p };
	enum tw_status status;
	int64_t id;

	status = find(s, who, login, &id, err);
	if (status == TW_OK && scope->hosts)
		status = find_hosts(s, who, &q, out, err);
	if (status == TW_OK && scope->hosts && q.nhosts == 0)
		status = tw_err_set(err, TW_NO, "no host is selected");
	if (status == TW_OK)
		status = judge(s, who, id, &q, err);
	if (status == TW_OK)
		status = tw_grant_read(s, who, id, &p, &q.grants, &q.ngrants,
		    err);
	if (status == TW_OK) {
		answer(&q, login, out);
		status = tw_buf_check(out, err);
	}
	if (status == TW_OK && q.any_denied)
		status = tw_err_set(err, TW_NO, "%s may not %s there", login,
		    tw_permission_name(p));
	tw_host_list_free(q.hosts, q.nhosts);
	tw_grant_list_free(q.grants, q.ngrants);
	free(q.by);
	return status;
}
