/*
 * org.c - organisations: made, looked at, removed
 */
#include "model/org_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/name.h"

#define ID_BITS 53		/* numbers that JSON readers keep exact */

enum tw_status tw_org_record(struct tw_store *s, int64_t chain,
    const char *by, const char *action, char *detail, struct tw_err *err)
{
	struct tw_audit a = { .chain = chain, .operator = by,
	    .action = action, .detail = detail };
	enum tw_status status;

	if (!detail)
		return tw_err_nomem(err);
	status = tw_audit_add(s, &a, err);
	free(detail);
	return status;
}

static const char lookup_sql[] =
    "SELECT id FROM org WHERE name = ?1 AND removed IS NULL";

enum tw_status tw_org_lookup(struct tw_store *s, const char *name,
    int64_t *id, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	*id = 0;
	status = tw_stmt_get(s, lookup_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_text(st, 1, name);
	status = tw_stmt_step(st, err);
	if (status == TW_OK) {
		*id = tw_stmt_col_int(st, 0);
		tw_stmt_reset(st);
	}
	return status;
}

enum tw_status tw_org_not_found(const char *name, struct tw_err *err)
{
	return tw_err_set(err, TW_NO, "organisation '%s' not found", name);
}

static const char name_sql[] = "SELECT name FROM org WHERE id = ?1";

enum tw_status tw_org_name(struct tw_store *s, int64_t org_id, char **out,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	*out = NULL;
	status = tw_stmt_get(s, name_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, org_id);
	status = tw_stmt_one(st, err);
	if (status == TW_OK) {
		if (!tw_col_dup(st, 0, out))
			status = tw_err_nomem(err);
		tw_stmt_reset(st);
	}
	return status;
}

/* A file of the organisation's directory of keys, malloc'd. */
static char *key_file(const char *state_dir, const char *org, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/keys/%s/%s", state_dir, org, name) < 0)
		return NULL;
	return path;
}

char *tw_org_key_path(const char *state_dir, const char *org)
{
	return key_file(state_dir, org, "id_ed25519");
}

char *tw_org_known_hosts_path(const char *state_dir, const char *org)
{
	return key_file(state_dir, org, "known_hosts");
}

/* --- the key pair ------------------------------------------------------ */

/* The entries that went must stay gone, whatever happens to the machine. */
static enum tw_status sync_dir(const char *path, struct tw_err *err)
{
	enum tw_status status = TW_OK;
	int fd;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return TW_OK;
	if (fd < 0 || fsync(fd) != 0)
		status = tw_err_sys(err, TW_CONFIG, errno, "%s", path);
	if (fd >= 0)
		close(fd);
	return status;
}

static enum tw_status remove_file(const char *path, struct tw_err *err)
{
	if (unlink(path) == 0 || errno == ENOENT || errno == ENOTDIR)
		return TW_OK;
	return tw_err_sys(err, TW_CONFIG, errno, "cannot remove %s", path);
}

/* An organisation's key pair, pinned jump hosts, and their directory: the next
 * one of that name must not inherit them.  What else lies in the directory is
 * left. */
static enum tw_status remove_key(struct tw_store *s, const char *org,
    struct tw_err *err)
{
	static const char *const names[] = { "id_ed25519", "id_ed25519.pub",
	    "id_ed25519.new", "id_ed25519.new.pub", "known_hosts" };
	char *dir = key_file(tw_store_dir(s), org, ""), *path;
	enum tw_status status = dir ? TW_OK : tw_err_nomem(err);
	size_t i;

	for (i = 0; i < sizeof names / sizeof *names && !status; i++) {
		path = key_file(tw_store_dir(s), org, names[i]);
		status = path ? remove_file(path, err) : tw_err_nomem(err);
		free(path);
	}
	if (status == TW_OK)
		status = sync_dir(dir, err);
	if (dir)
		rmdir(dir);
	free(dir);
	return status;
}

/* --- making ------------------------------------------------------------ */

static const char taken_id_sql[] = "SELECT 1 FROM org WHERE id = ?1";

/* A number that nothing can be told from; those of removed ones stay taken. */
static enum tw_status new_id(struct tw_store *s, int64_t *id,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;
	uint64_t v;

	do {
		do {
			tw_random(&v, sizeof v);
			v >>= 64 - ID_BITS;
		} while (v == 0);
		*id = (int64_t)v;
		status = tw_stmt_get(s, taken_id_sql, &st, err);
		if (status != TW_OK)
			return status;
		tw_stmt_int(st, 1, *id);
		status = tw_stmt_step(st, err);
		if (status == TW_OK)
			tw_stmt_reset(st);
	} while (status == TW_OK);
	return status == TW_NO ? TW_OK : status;
}

static const char add_sql[] =
    "INSERT INTO org (id, name, created) VALUES (?1, ?2, ?3)";

enum tw_status tw_org_insert(struct tw_store *s, const char *by,
    const char *name, int64_t *id, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;
	char chain[24];

	status = tw_org_lookup(s, name, id, err);
	if (status == TW_OK)
		return tw_err_set(err, TW_NO,
		    "there is an organisation '%s' already", name);
	if (status == TW_NO)
		status = new_id(s, id, err);
	if (status == TW_OK)
		status = tw_stmt_get(s, add_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, *id);
	tw_stmt_text(st, 2, name);
	tw_stmt_int(st, 3, tw_clock_now());
	status = tw_stmt_run(st, err);
	if (status != TW_OK)
		return status;
	snprintf(chain, sizeof chain, "%lld", (long long)*id);
	return tw_org_record(s, TW_AUDIT_TOWER, by, "org.add",
	    tw_audit_detail("name", name, "chain", chain, "grant", TW_TOWER,
	    (char *)NULL), err);
}

enum tw_status tw_org_staff(struct tw_store *s, const struct tw_who *who,
    const char *login, int64_t id, struct tw_err *err)
{
	static const struct tw_grant_used used = { TW_TOWER };
	enum tw_status status;
	bool added;

	status = tw_member_put(s, who, &used, login, id, &added, err);
	if (status == TW_OK)
		status = tw_grant_all(s, who, &used, login, id, err);
	return status;
}

static enum tw_status add_org(struct tw_store *s, const struct tw_who *who,
    const char *name, const char *admin, int64_t *id, struct tw_err *err)
{
	struct tw_who there = *who;
	enum tw_status status;
	int64_t operator_id;

	status = tw_tower_may(s, who, err);
	if (status == TW_OK)
		status = tw_org_insert(s, who->login, name, id, err);
	if (status == TW_OK)
		status = tw_operator_put(s, admin, &operator_id, err);
	there.org_id = *id;
	there.org = (char *)name;
	if (status == TW_OK)
		status = tw_org_staff(s, &there, admin, operator_id, err);
	if (status == TW_OK)
		status = remove_key(s, name, err);
	return status;
}

enum tw_status tw_org_add(struct tw_store *s, const struct tw_who *who,
    const char *name, const char *admin, int64_t *id, struct tw_err *err)
{
	enum tw_status status;
	struct tw_tx tx;

	*id = 0;
	if (!admin)
		admin = who->login;
	if (!tw_name_ok(name))
		return tw_err_set(err, TW_USAGE,
		    "'%s' is not a name for an organisation", name);
	if (!tw_name_ok(admin))
		return tw_err_set(err, TW_USAGE, "'%s' is not a login", admin);
	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = add_org(s, who, name, admin, id, err);
	status = tw_tx_end(&tx, status, err);
	if (status != TW_OK)
		*id = 0;
	return status;
}

/* --- looking ----------------------------------------------------------- */

void tw_org_list_free(struct tw_org *o, size_t n)
{
	size_t i;

	for (i = 0; o && i < n; i++)
		free(o[i].name);
	free(o);
}

static const char list_sql[] =
    "SELECT o.id, o.name, o.created FROM org o WHERE o.removed IS NULL"
    " AND (?2 IS NULL OR o.name = ?2)"
    " AND (EXISTS (SELECT 1 FROM operator p WHERE p.id = ?1 AND p.admin)"
    "    OR EXISTS (SELECT 1 FROM member m WHERE m.org_id = o.id"
    "        AND m.operator_id = ?1))"
    " ORDER BY o.name";
enum { LIST_ID, LIST_NAME, LIST_CREATED };

static enum tw_status read_list(struct tw_stmt *st, struct tw_org **out,
    size_t *n, struct tw_err *err)
{
	enum tw_status status;
	struct tw_org *v;

	while ((status = tw_stmt_step(st, err)) == TW_OK) {
		v = reallocarray(*out, *n + 1, sizeof *v);
		if (!v)
			break;
		*out = v;
		v += *n;
		memset(v, 0, sizeof *v);
		v->id = tw_stmt_col_int(st, LIST_ID);
		v->created = tw_stmt_col_int(st, LIST_CREATED);
		if (!tw_col_dup(st, LIST_NAME, &v->name))
			break;
		++*n;
	}
	if (status == TW_OK) {
		tw_stmt_reset(st);
		return tw_err_nomem(err);
	}
	return status == TW_NO ? TW_OK : status;
}

static const char members_sql[] =
    "SELECT count(*) FROM member WHERE org_id = ?1";
static const char hosts_sql[] = "SELECT count(*) FROM host WHERE org_id = ?1";
static const char pending_sql[] =
    "SELECT count(*) FROM change WHERE org_id = ?1"
    " AND status IN ('queued', 'running')";

static enum tw_status count(struct tw_store *s, const char *sql, int64_t org_id,
    int64_t *out, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, org_id);
	status = tw_stmt_one(st, err);
	if (status != TW_OK)
		return status;
	*out = tw_stmt_col_int(st, 0);
	tw_stmt_reset(st);
	return TW_OK;
}

/* Numbers tell as much as lists: they are for those who may see the lists, and
 * for administrators of the tower, who see what keeps an organisation. */
static enum tw_status count_all(struct tw_store *s, const struct tw_who *who,
    struct tw_org *o, struct tw_err *err)
{
	struct tw_who there = *who;
	enum tw_status status;
	bool is_admin, is_viewer;

	there.org_id = o->id;
	there.org = o->name;
	o->operators = o->hosts = o->pending = -1;
	status = tw_may(s, &there, TW_MAY_ADMIN, NULL, err);
	is_admin = status == TW_OK;
	if (is_admin)
		status = count(s, members_sql, o->id, &o->operators, err);
	if (status == TW_OK || status == TW_DENIED)
		status = tw_may(s, &there, TW_MAY_VIEW, NULL, err);
	is_viewer = status == TW_OK || (status == TW_DENIED && is_admin &&
	    who->is_admin);
	if (status == TW_DENIED)
		status = TW_OK;
	if (is_viewer && status == TW_OK)
		status = count(s, hosts_sql, o->id, &o->hosts, err);
	if (is_viewer && status == TW_OK)
		status = count(s, pending_sql, o->id, &o->pending, err);
	return status;
}

enum tw_status tw_org_list(struct tw_store *s, const struct tw_who *who,
    const char *name, struct tw_org **out, size_t *n, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;
	size_t i;

	*out = NULL;
	*n = 0;
	status = tw_stmt_get(s, list_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, who->operator_id);
	tw_stmt_text(st, 2, name);
	status = read_list(st, out, n, err);
	for (i = 0; status == TW_OK && i < *n; i++)
		status = count_all(s, who, &(*out)[i], err);
	if (status == TW_OK && name && *n == 0)
		status = tw_org_not_found(name, err);
	if (status != TW_OK) {
		tw_org_list_free(*out, *n);
		*out = NULL;
		*n = 0;
	}
	return status;
}

/* --- removing ---------------------------------------------------------- */

static const char others_sql[] =
    "SELECT count(*) FROM org WHERE removed IS NULL AND id <> ?1";
static const char leave_sql[] = "DELETE FROM member WHERE org_id = ?1";
static const char remove_sql[] = "UPDATE org SET removed = ?2 WHERE id = ?1";

static enum tw_status refuse_used(struct tw_store *s, int64_t id,
    const char *name, struct tw_err *err)
{
	enum tw_status status;
	int64_t n;

	status = count(s, hosts_sql, id, &n, err);
	if (status != TW_OK)
		return status;
	if (n)
		return tw_err_set_n(err, TW_NO, (unsigned long)n,
		    "%s: has %lld host", "%s: has %lld hosts", name,
		    (long long)n);
	status = count(s, pending_sql, id, &n, err);
	if (status != TW_OK)
		return status;
	if (n)
		return tw_err_set_n(err, TW_NO, (unsigned long)n,
		    "%s: has %lld pending change",
		    "%s: has %lld pending changes", name, (long long)n);
	status = count(s, others_sql, id, &n, err);
	if (status == TW_OK && n == 0)
		status = tw_err_set(err, TW_NO,
		    "%s: is the only organisation", name);
	return status;
}

static enum tw_status close_org(struct tw_store *s, int64_t id,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_run_int(s, leave_sql, id, err);
	if (status == TW_OK)
		status = tw_stmt_get(s, remove_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, id);
	tw_stmt_int(st, 2, tw_clock_now());
	return tw_stmt_run(st, err);
}

static enum tw_status remove_org(struct tw_store *s, const struct tw_who *who,
    const char *name, struct tw_err *err)
{
	enum tw_status status;
	char chain[24];
	int64_t id;

	status = tw_tower_may(s, who, err);
	if (status == TW_OK)
		status = tw_org_lookup(s, name, &id, err);
	if (status == TW_NO)
		return tw_org_not_found(name, err);
	if (status == TW_OK)
		status = refuse_used(s, id, name, err);
	if (status == TW_OK)
		status = close_org(s, id, err);
	if (status != TW_OK)
		return status;
	snprintf(chain, sizeof chain, "%lld", (long long)id);
	status = tw_org_record(s, TW_AUDIT_TOWER, who->login, "org.remove",
	    tw_audit_detail("name", name, "chain", chain, "grant", TW_TOWER,
	    (char *)NULL), err);
	if (status == TW_OK)
		status = remove_key(s, name, err);
	return status;
}

enum tw_status tw_org_remove(struct tw_store *s, const struct tw_who *who,
    const char *name, struct tw_err *err)
{
	enum tw_status status;
	struct tw_tx tx;

	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = remove_org(s, who, name, err);
	return tw_tx_end(&tx, status, err);
}
