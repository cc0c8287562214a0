/*
 * bugs.c - planted bugs of the tower: each shows that a checker can fail
 *
 * They stand where a function of the product is called (--wrap), so nothing of
 * it is built anew.  Those of the simulated hosts are in exec.c and host.c.
 */
#include "sim.h"

#include "model/audit.h"
#include "model/change.h"
#include "model/model_private.h"

enum tw_status __real_tw_host_may_start(struct tw_store *s,
    const struct tw_filer *filer, enum tw_permission p, const char *app,
    int64_t host_id, const char *host, struct tw_grant_used *used,
    struct tw_err *err);
enum tw_status __wrap_tw_host_may_start(struct tw_store *s,
    const struct tw_filer *filer, enum tw_permission p, const char *app,
    int64_t host_id, const char *host, struct tw_grant_used *used,
    struct tw_err *err);

enum tw_status __wrap_tw_host_may_start(struct tw_store *s,
    const struct tw_filer *filer, enum tw_permission p, const char *app,
    int64_t host_id, const char *host, struct tw_grant_used *used,
    struct tw_err *err)
{
	enum tw_status st = __real_tw_host_may_start(s, filer, p, app, host_id,
	    host, used, err);

	return sim.bug == BUG_MAY && st == TW_DENIED ? TW_OK : st;
}

const char *bug_sql(const char *sql)
{
	static char text[4096];
	const char *p;

	if (sim.bug == BUG_STUCK && strstr(sql, "SET epoch = max(epoch,"))
		return "UPDATE host SET epoch = epoch"
		    " WHERE org_id = ?1 AND id = ?2 AND 0";
	p = sim.bug == BUG_LIFO && strncmp(sql, "SELECT c.id, c.org_id", 21) ==
	    0 ? strstr(sql, "ORDER BY c.joins, c.id LIMIT 1") : NULL;
	if (!p)
		return sql;
	if (!text[0])
		snprintf(text, sizeof text, "%.*sORDER BY c.joins DESC, c.id "
		    "DESC LIMIT 1", (int)(p - sql), sql);
	return text;
}

enum tw_status __real_tw_audit_add(struct tw_store *s,
    const struct tw_audit *a, struct tw_err *err);
enum tw_status __wrap_tw_audit_add(struct tw_store *s,
    const struct tw_audit *a, struct tw_err *err);
enum tw_status __real_tw_queue_due(struct tw_store *s, int64_t now,
    int64_t org_id, const char *const *names, int64_t **out, size_t *n,
    int64_t *wake, struct tw_err *err);
enum tw_status __wrap_tw_queue_due(struct tw_store *s, int64_t now,
    int64_t org_id, const char *const *names, int64_t **out, size_t *n,
    int64_t *wake, struct tw_err *err);
enum tw_status __real_tw_change_save_position(struct tw_store *s,
    const struct tw_change *c, struct tw_err *err);
enum tw_status __wrap_tw_change_save_position(struct tw_store *s,
    const struct tw_change *c, struct tw_err *err);
enum tw_status __real_tw_change_end(struct tw_store *s, struct tw_change *c,
    enum tw_change_status to, const char *reason, int64_t now,
    const char *hold_reason, struct tw_err *err);
enum tw_status __wrap_tw_change_end(struct tw_store *s, struct tw_change *c,
    enum tw_change_status to, const char *reason, int64_t now,
    const char *hold_reason, struct tw_err *err);
enum tw_status __wrap_tw_audit_add(struct tw_store *s,
    const struct tw_audit *a, struct tw_err *err)
{
	enum tw_status st;

	if (sim.bug == BUG_NO_AUDIT && strcmp(a->action, "change.end") == 0)
		return TW_OK;
	st = __real_tw_audit_add(s, a, err);
	if (st == TW_OK && sim.bug == BUG_AUDIT_MORE &&
	    strcmp(a->action, "step.end") == 0)
		st = __real_tw_audit_add(s, a, err);
	return st;
}

enum tw_status __wrap_tw_queue_due(struct tw_store *s, int64_t now,
    int64_t org_id, const char *const *names, int64_t **out, size_t *n,
    int64_t *wake, struct tw_err *err)
{
	enum tw_status st;
	size_t k = 0;

	if (sim.bug == BUG_IDLE_WRITE && tw_store_begin(s, err) == TW_OK)
		tw_store_commit(s, err);
	st = __real_tw_queue_due(s, now, org_id, names, out, n, wake, err);
	if (sim.bug != BUG_FORGET || st)
		return st;
	for (size_t i = 0; i < *n; i++)
		if ((*out)[i] % 3 != 0)
			(*out)[k++] = (*out)[i];
	*n = k;
	return st;
}

enum tw_status __wrap_tw_change_save_position(struct tw_store *s,
    const struct tw_change *c, struct tw_err *err)
{
	struct tw_change other = *c;

	if (sim.bug == BUG_AHEAD && c->offset > 100)
		other.offset += 3;
	return __real_tw_change_save_position(s, &other, err);
}

enum tw_status __wrap_tw_change_end(struct tw_store *s, struct tw_change *c,
    enum tw_change_status to, const char *reason, int64_t now,
    const char *hold_reason, struct tw_err *err)
{
	if (sim.bug == BUG_VERDICT && to == TW_CHANGE_ROLLED_BACK)
		to = TW_CHANGE_SUCCEEDED;
	return __real_tw_change_end(s, c, to, reason, now, hold_reason, err);
}
