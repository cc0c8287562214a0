/*
 * visit_login.c - which login the runner comes by, where a change that runs
 *                 names a successor
 *
 * The host's own login is tried until the host itself refuses it: then the
 * successor is, with the same key, the same pinned host key and the same spool.
 * From the moment the successor was let in it is tried first, for each refusal
 * counts against the tower where a host bans who fails too often.  A network
 * that is down refuses nothing.
 */
#include <string.h>

#include "base/clock.h"
#include "engine/runner_private.h"

#define PATIENCE 3	/* contacts that may find neither login open, while the
			   change makes the new one */

enum tw_status visit_choose_login(struct visit *v, const struct visit *before,
    struct tw_err *err)
{
	enum tw_status st;

	st = tw_successor_running(v->runner->o.store, v->host.id,
	    &v->successor, err);
	if (st == TW_NO)
		return TW_OK;
	if (st)
		return st;
	v->is_successor = v->successor.at != 0;
	/* not when another change runs by now */
	if (before && before->successor.change_id == v->successor.change_id) {
		v->is_successor = !before->is_successor;
		memcpy(v->refused, before->refused, sizeof v->refused);
		v->was_denied = before->was_denied;
	}
	return TW_OK;
}

/* The host itself said no; and to a port, where the other login has another. */
static bool is_refused(const struct visit *v)
{
	switch (tw_contact_refusal(v->contact)) {
	case TW_REFUSAL_LOGIN:
		return true;
	case TW_REFUSAL_PORT:
		return v->successor.port &&
		    v->successor.port != v->host.port;
	default:
		return false;
	}
}

bool visit_may_try_other(const struct visit *v)
{
	return tw_successor_is_there(&v->successor) && !v->refused[0] &&
	    !v->runner->stop && is_refused(v);
}

static bool is_denied(const struct visit *v)
{
	enum tw_contact_refusal why = v->contact ?
	    tw_contact_refusal(v->contact) : TW_REFUSAL_NONE;

	return why == TW_REFUSAL_LOGIN || why == TW_REFUSAL_SUDO;
}

bool visit_is_refused(const struct visit *v)
{
	return v->was_denied || is_denied(v);
}

/* A step that is to be confirmed may have done this. */
static bool is_shut_out(const struct visit *v)
{
	struct tw_err err = { 0 };
	int64_t until, every;

	return is_denied(v) && tw_change_confirming(v->runner->o.store,
	    v->host.id, &until, &every, &err) == TW_OK &&
	    tw_clock_now() < until;
}

bool visit_is_early(const struct visit *v)
{
	if (is_shut_out(v))
		return true;
	return v->refused[0] && !v->successor.at && is_refused(v) &&
	    v->host.failures < PATIENCE;
}

void visit_login_text(const struct visit *v, const char *said,
    char out[TW_ERR_MSG_MAX])
{
	struct tw_buf b = TW_BUF_INIT;

	if (v->refused[0])
		tw_buf_addf(&b, "%s; ", v->refused);
	if (v->is_successor)
		tw_buf_adds(&b, "the successor login: ");
	tw_buf_adds(&b, said);
	snprintf(out, TW_ERR_MSG_MAX, "%s", tw_buf_str(&b));
	tw_buf_release(&b);
}
