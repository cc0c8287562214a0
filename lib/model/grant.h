/*
 * grant.h - grants: operator x permission x scope, and whether one allows an
 *           act
 *
 * Nothing is allowed without a grant.  A scope is the organisation, or hosts
 * (a TARGETS expression, evaluated when it is used, where names that do not
 * exist just don't match), or apps (a pattern), or hosts and apps both.  A
 * permission on hosts or the organisation to deploy, change or host includes
 * `view' there (on hosts and apps: of these hosts; on apps alone: of none);
 * nothing else includes anything.  An administrator of the tower
 * has `admin' everywhere.
 */
#ifndef TW_MODEL_GRANT_H
#define TW_MODEL_GRANT_H

#include "base/buf.h"
#include "model/who.h"

enum tw_permission {
	TW_MAY_VIEW,		/* see hosts, changes, their output */
	TW_MAY_DEPLOY,		/* apps of the catalogue */
	TW_MAY_CHANGE,		/* any change file: root on the host */
	TW_MAY_HOST,		/* add, set, check, hold, release, remove */
	TW_MAY_AUDIT,		/* read the organisation's trail */
	TW_MAY_ADMIN,		/* operators and grants */
};
#define TW_PERMISSIONS 6
const char *tw_permission_name(enum tw_permission p);
/* TW_USAGE with the nearest name as the hint. */
enum tw_status tw_permission_parse(const char *name, enum tw_permission *out,
    struct tw_err *err);

struct tw_scope {		/* zeroed: the organisation */
	char *hosts;		/* TARGETS, or NULL */
	char *app;		/* name or pattern with * and ?, or NULL */
};
/* Adds a text to a scope: "org" (nothing), "hosts:TARGETS", "app:PATTERN", or
 * TARGETS alone.  TW_USAGE: a bad one, or a part given twice. */
enum tw_status tw_scope_parse(const char *text, struct tw_scope *out,
    struct tw_err *err);
/* "org", "hosts:web*", "hosts:web* app:shop", as parse reads it. */
void tw_scope_write(const struct tw_scope *s, struct tw_buf *out);
void tw_scope_release(struct tw_scope *s);

struct tw_grant {		/* strings owned */
	int64_t num;		/* within the organisation */
	char *login;
	enum tw_permission permission;
	struct tw_scope scope;
	int64_t until;		/* 0: for good */
	int64_t created;
	char *created_by;
	bool is_over;		/* until has passed */
};
void tw_grant_list_free(struct tw_grant *g, size_t n);

/* Gives login (a member) a permission; the same one there already gets the new
 * until.  Audit "op.grant" with num, permission, scope, until, and the grant
 * of the caller.  audit and admin take no scope but the organisation, app only
 * deploy (TW_USAGE).  *num: its number.  TW_NO: no such operator here, or the
 * last `admin' for good would end.  Needs `admin'. */
enum tw_status tw_grant_add(struct tw_store *s, const struct tw_who *who,
    const char *login, enum tw_permission p, const struct tw_scope *scope,
    int64_t until, int64_t *num, struct tw_err *err);
/* Takes away the grant of exactly that scope; scope NULL: every one of that
 * permission.  Audit "op.ungrant" for each.  TW_NO: there is none, or it is
 * the last `admin' for good.  Needs `admin'. */
enum tw_status tw_grant_remove(struct tw_store *s, const struct tw_who *who,
    const char *login, enum tw_permission p, const struct tw_scope *scope,
    struct tw_err *err);
/* Of login, or of all (NULL), by login and number.  Needs `admin', but for
 * oneself. */
enum tw_status tw_grant_list(struct tw_store *s, const struct tw_who *who,
    const char *login, struct tw_grant **out, size_t *n, struct tw_err *err);

/* Why or why not: appends lines for a person ("grant 3 allows it: change on
 * hosts:web*, until …"; or what each grant of that permission lacks), for
 * tw_text_settle().  TW_OK:
 * allowed now on every host of the scope; TW_NO: not, and the lines say why, or
 * (nothing appended) there is no such operator or host.  Hosts that the asking
 * person can't see count as not existing, but for who has `admin'.  Needs
 * `admin', but for oneself. */
enum tw_status tw_grant_explain(struct tw_store *s, const struct tw_who *who,
    const char *login, enum tw_permission p, const struct tw_scope *scope,
    struct tw_buf *out, struct tw_err *err);

/* --- for the model's own acts ------------------------------------------ */

struct tw_grant_used {		/* which grant allowed an act, for its audit */
	char text[24];		/* "12", or "tower" for its administrators */
};

/* May the caller, on the organisation as a whole?  TW_DENIED: "alice may not
 * audit in organisation 'default'", hint: what to ask for. */
enum tw_status tw_may(struct tw_store *s, const struct tw_who *who,
    enum tw_permission p, struct tw_grant_used *used, struct tw_err *err);
/* On a host, by name and labels ("k=v", NULL-terminated, or NULL); app NULL:
 * none.  TW_DENIED: "alice may not change web1". */
enum tw_status tw_may_host(struct tw_store *s, const struct tw_who *who,
    enum tw_permission p, const char *host, const char *const *labels,
    const char *app, struct tw_grant_used *used, struct tw_err *err);

/* The same for many hosts at once: the grants are read once. */
struct tw_rights;
enum tw_status tw_rights_load(struct tw_store *s, const struct tw_who *who,
    enum tw_permission p, struct tw_rights **out, struct tw_err *err);
void tw_rights_free(struct tw_rights *r);
bool tw_rights_are_none(const struct tw_rights *r);	/* nothing at all */
bool tw_rights_are_all(const struct tw_rights *r);	/* the organisation */
/* used may be NULL. */
bool tw_rights_on(const struct tw_rights *r, const char *host,
    const char *const *labels, const char *app, struct tw_grant_used *used);
/* With or without an app, whichever it is? */
bool tw_rights_on_some(const struct tw_rights *r, const char *host,
    const char *const *labels);

#endif
