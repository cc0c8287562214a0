/*
 * grant_private.h - what the grant*.c files share; nobody else includes it
 */
#ifndef TW_MODEL_GRANT_PRIVATE_H
#define TW_MODEL_GRANT_PRIVATE_H

#include "base/targets.h"
#include "model/org_private.h"

/* What allows p: p itself, and for `view' what includes it. */
struct tw_permission_set {
	const char *name[4];	/* NULL: no more */
};
struct tw_permission_set tw_permission_givers(enum tw_permission p);

/* The permission of a row.  TW_CONFIG: none that we know. */
enum tw_status tw_permission_read(const char *name, enum tw_permission *out,
    struct tw_err *err);

/* Does a grant's pattern of apps (NULL: all) cover app (NULL: none)? */
bool tw_grant_covers_app(const char *pattern, const char *app);

/* Does a right cover every host, and app there (NULL: any)? */
bool tw_rights_everywhere(const struct tw_rights *r, const char *app,
    struct tw_grant_used *used);
/* The scope as it is stored.  TW_USAGE: a bad one. */
enum tw_status tw_scope_copy(const struct tw_scope *from, struct tw_scope *out,
    struct tw_err *err);

/* The grants in who's organisation of an operator (0: of all), by login and
 * number; p NULL: of all permissions, else those that allow *p. */
enum tw_status tw_grant_read(struct tw_store *s, const struct tw_who *who,
    int64_t operator_id, const enum tw_permission *p, struct tw_grant **out,
    size_t *n, struct tw_err *err);

/* The rights of an operator (id) of who's organisation. */
enum tw_status tw_rights_of(struct tw_store *s, const struct tw_who *who,
    int64_t operator_id, enum tw_permission p, struct tw_rights **out,
    struct tw_err *err);

#endif
