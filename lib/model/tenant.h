/*
 * tenant.h - the one place where a person's statements get their limit
 *
 * What organisations own (hosts, labels, changes with their steps and output,
 * grants, members, audit chains) is read and written for a person by these
 * statements alone: ?1 is bound to the caller's organisation, so that nothing
 * of another can be reached by mistake.  Whoever has a `who' uses them; a lint
 * test checks it.
 */
#ifndef TW_MODEL_TENANT_H
#define TW_MODEL_TENANT_H

#include "model/who.h"

/* As tw_stmt_get(), with ?1 bound to the caller's organisation.  TW_BUG when
 * the text does not limit by it ("org_id = ?1", "(org_id" of an INSERT), or
 * the caller has no organisation. */
enum tw_status tw_tenant_stmt(struct tw_store *s, const struct tw_who *who,
    const char *sql, struct tw_stmt **st, struct tw_err *err);
/* Runs a statement that gives no rows, with ?2 bound to v. */
enum tw_status tw_tenant_run(struct tw_store *s, const struct tw_who *who,
    const char *sql, int64_t v, struct tw_err *err);

/* For what people and the runner both read: who NULL is the runner, which gets
 * any_sql, the same without the limit (its places count from 2 too). */
enum tw_status tw_tenant_or_any(struct tw_store *s, const struct tw_who *who,
    const char *sql, const char *any_sql, struct tw_stmt **st,
    struct tw_err *err);

/* For statements about an audit chain ("chain = ?1"): the organisation's, or
 * the tower's own, which TW_DENIED keeps from all but its administrators. */
enum tw_status tw_tenant_chain(struct tw_store *s, const struct tw_who *who,
    bool is_tower, const char *sql, struct tw_stmt **st, struct tw_err *err);

#endif
