/*
 * app_add.c - adding to the catalogue, taking over YunoHost's, and removing;
 *             see app.h
 */
#include "model/app_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum tw_status tw_app_record(struct tw_store *s, const struct tw_who *who,
    const char *action, char *detail, struct tw_err *err)
{
	struct tw_audit a = { .chain = who->org_id, .operator = who->login,
	    .action = action, .detail = detail };
	enum tw_status status;

	if (!detail)
		return tw_err_nomem(err);
	status = tw_audit_add(s, &a, err);
	free(detail);
	return status;
}

static const char insert_sql[] =
    "INSERT INTO app (org_id, name, version, source, title, description,"
    "    state, level, category, archs, file, bundle, detail, added,"
    "    added_by)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,"
    "    ?15)";

static void bind_entry(struct tw_stmt *st, const struct tw_who *who,
    const struct tw_app_entry *a, enum tw_app_source source)
{
	tw_stmt_text(st, 2, a->name);
	tw_stmt_text(st, 3, a->version ? a->version : "");
	tw_stmt_text(st, 4, tw_app_source_name(source));
	tw_stmt_text(st, 5, a->title);
	tw_stmt_text(st, 6, a->description);
	tw_stmt_text(st, 7, a->state);
	if (a->level >= 0)
		tw_stmt_int(st, 8, a->level);
	tw_stmt_text(st, 9, a->category);
	tw_stmt_text(st, 10, a->archs);
	tw_stmt_text(st, 13, a->detail);
	tw_stmt_int(st, 14, tw_clock_now());
	tw_stmt_text(st, 15, who->login);
}

/* --- an app of a file ---------------------------------------------------- */

struct contents {		/* hashes; bundle zeros: none */
	uint8_t file[TW_SHA256_LEN], bundle[TW_SHA256_LEN];
};

static const char there_sql[] =
    "SELECT file, bundle FROM app WHERE org_id = ?1 AND name = ?2"
    " AND version = ?3 AND source = 'file'";

/* Is that version there, and the same?  TW_NO: not with this content. */
static enum tw_status look(struct tw_store *s, const struct tw_who *who,
    const struct tw_app_entry *a, const struct contents *c, bool *again,
    struct tw_err *err)
{
	struct contents is;
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tenant_stmt(s, who, there_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_text(st, 2, a->name);
	tw_stmt_text(st, 3, a->version);
	status = tw_stmt_step(st, err);
	if (status != TW_OK)
		return status == TW_NO ? TW_OK : status;
	tw_col_hash(st, 0, is.file);
	tw_col_hash(st, 1, is.bundle);
	tw_stmt_reset(st);
	*again = memcmp(&is, c, sizeof is) == 0;
	if (*again)
		return TW_OK;
	tw_err_set(err, TW_NO, "%s@%s is there with another content", a->name,
	    a->version);
	tw_err_hint(err, "a version is never changed: give it another "
	    "'version'");
	return TW_NO;
}

static enum tw_status insert(struct tw_store *s, const struct tw_who *who,
    const struct tw_app_entry *a, struct contents *c, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_content_put(s, a->file, a->file_len, c->file, err);
	if (status == TW_OK && a->bundle_len)
		status = tw_content_put(s, a->bundle, a->bundle_len, c->bundle,
		    err);
	if (status == TW_OK)
		status = tw_tenant_stmt(s, who, insert_sql, &st, err);
	if (status != TW_OK)
		return status;
	bind_entry(st, who, a, TW_APP_FILE);
	tw_stmt_blob(st, 11, c->file, sizeof c->file);
	if (a->bundle_len)
		tw_stmt_blob(st, 12, c->bundle, sizeof c->bundle);
	return tw_stmt_run(st, err);
}

static enum tw_status add(struct tw_store *s, const struct tw_who *who,
    const struct tw_app_entry *a, bool *again, struct tw_err *err)
{
	char file[TW_SHA256_HEX], bundle[TW_SHA256_HEX];
	struct tw_grant_used used;
	struct contents c = { 0 };
	enum tw_status status;

	status = tw_may(s, who, TW_MAY_CHANGE, &used, err);
	if (status != TW_OK)
		return status;
	tw_sha256(a->file, a->file_len, c.file);
	if (a->bundle_len)
		tw_sha256(a->bundle, a->bundle_len, c.bundle);
	status = look(s, who, a, &c, again, err);
	if (status != TW_OK || *again)
		return status;
	status = insert(s, who, a, &c, err);
	if (status != TW_OK)
		return status;
	tw_hex(c.file, sizeof c.file, file);
	tw_hex(c.bundle, sizeof c.bundle, bundle);
	return tw_app_record(s, who, "app.add", tw_audit_detail("app",
	    a->name, "version", a->version, "file", file, "files",
	    a->bundle_len ? bundle : NULL, "grant", used.text,
	    (char *)NULL), err);
}

enum tw_status tw_app_add(struct tw_store *s, const struct tw_who *who,
    const struct tw_app_entry *a, bool *again, struct tw_err *err)
{
	enum tw_status status;
	struct tw_tx tx;

	*again = false;
	status = tw_tx_begin(&tx, s, err);
	if (status == TW_OK)
		status = tw_tx_end(&tx, add(s, who, a, again, err), err);
	return status;
}

/* --- YunoHost's catalogue ------------------------------------------------- */

static const char count_sql[] =
    "SELECT count(*) FROM app WHERE org_id = ?1 AND source = 'yunohost'";
/* What only a manifest tells stays, where the catalogue that comes has the same
 * version of the app and does not know it. */
#define DETAIL \
    "CASE WHEN version = ?3 AND ?3 <> ''" \
    "    AND json_type(?13, '$.questions') IS NULL" \
    "    AND json_type(detail, '$.questions') IS NOT NULL" \
    "    AND coalesce(json_extract(detail, '$.revision')" \
    "        = json_extract(?13, '$.revision'), 1)" \
    " THEN json_set(?13, '$.questions'," \
    "    json_extract(detail, '$.questions'), '$.has_data_dir'," \
    "    json(iif(json_extract(detail, '$.has_data_dir'), 'true', 'false')))" \
    " ELSE ?13 END"
static const char change_sql[] =
    "UPDATE app SET version = ?3, title = ?5, description = ?6, state = ?7,"
    "    level = ?8, category = ?9, archs = ?10, detail = " DETAIL ","
    "    added = ?14, added_by = ?15"
    " WHERE org_id = ?1 AND name = ?2 AND source = ?4"
    "    AND (version, title, description, state, level, category, archs,"
    "    detail) IS NOT (?3, ?5, ?6, ?7, ?8, ?9, ?10, " DETAIL ")";
#undef DETAIL
static const char known_sql[] =
    "SELECT 1 FROM app WHERE org_id = ?1 AND name = ?2"
    " AND source = 'yunohost'";
static const char forget_sql[] =
    "DELETE FROM app WHERE org_id = ?1 AND source = 'yunohost'"
    " AND name NOT IN (SELECT value FROM json_each(?2))";

static enum tw_status count(struct tw_store *s, const struct tw_who *who,
    size_t *n, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tenant_stmt(s, who, count_sql, &st, err);
	if (status == TW_OK)
		status = tw_stmt_one(st, err);
	if (status == TW_OK) {
		*n = (size_t)tw_stmt_col_int(st, 0);
		tw_stmt_reset(st);
	}
	return status;
}

static enum tw_status is_known(struct tw_store *s, const struct tw_who *who,
    const char *name, bool *known, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tenant_stmt(s, who, known_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_text(st, 2, name);
	status = tw_stmt_step(st, err);
	*known = status == TW_OK;
	if (*known)
		tw_stmt_reset(st);
	return status == TW_NO ? TW_OK : status;
}

static enum tw_status put(struct tw_store *s, const struct tw_who *who,
    const struct tw_app_entry *a, struct tw_app_import *r,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;
	bool known;

	status = is_known(s, who, a->name, &known, err);
	if (status == TW_OK)
		status = tw_tenant_stmt(s, who, known ? change_sql :
		    insert_sql, &st, err);
	if (status != TW_OK)
		return status;
	bind_entry(st, who, a, TW_APP_YUNOHOST);
	status = tw_stmt_run(st, err);
	if (status != TW_OK)
		return status;
	if (known)
		r->changed += (size_t)tw_store_changes(s);
	else
		r->added++;
	return TW_OK;
}

static enum tw_status forget_others(struct tw_store *s,
    const struct tw_who *who, const struct tw_app_entry *apps, size_t n,
    struct tw_app_import *r, struct tw_err *err)
{
	const char **names = calloc(n + 1, sizeof *names);
	enum tw_status status;
	struct tw_stmt *st;
	char *json = NULL;
	size_t i;

	for (i = 0; names && i < n; i++)
		names[i] = apps[i].name;
	if (names)
		json = tw_json_names(names);
	free(names);
	status = json ? tw_tenant_stmt(s, who, forget_sql, &st, err) :
	    tw_err_nomem(err);
	if (status == TW_OK) {
		tw_stmt_text(st, 2, json);
		status = tw_stmt_run(st, err);
	}
	if (status == TW_OK)
		r->removed = (size_t)tw_store_changes(s);
	free(json);
	return status;
}

static enum tw_status record_import(struct tw_store *s,
    const struct tw_who *who, const struct tw_app_import *r, size_t n,
    const uint8_t hash[TW_SHA256_LEN], const char *grant,
    struct tw_err *err)
{
	char hex[TW_SHA256_HEX], number[4][24];

	tw_hex(hash, TW_SHA256_LEN, hex);
	snprintf(number[0], sizeof number[0], "%zu", n);
	snprintf(number[1], sizeof number[1], "%zu", r->added);
	snprintf(number[2], sizeof number[2], "%zu", r->changed);
	snprintf(number[3], sizeof number[3], "%zu", r->removed);
	return tw_app_record(s, who, "app.import", tw_audit_detail("apps",
	    number[0], "added", number[1], "changed", number[2], "removed",
	    number[3], "sha256", hex, "grant", grant, (char *)NULL), err);
}

static enum tw_status import(struct tw_store *s, const struct tw_who *who,
    const struct tw_app_entry *apps, size_t n,
    const uint8_t hash[TW_SHA256_LEN], struct tw_app_import *r,
    struct tw_err *err)
{
	struct tw_grant_used used;
	enum tw_status status;
	size_t i;

	status = tw_may(s, who, TW_MAY_CHANGE, &used, err);
	if (status == TW_OK)
		status = count(s, who, &r->before, err);
	for (i = 0; status == TW_OK && i < n; i++)
		status = put(s, who, &apps[i], r, err);
	if (status == TW_OK)
		status = forget_others(s, who, apps, n, r, err);
	if (status == TW_OK && r->added + r->changed + r->removed > 0)
		status = record_import(s, who, r, n, hash, used.text, err);
	return status;
}

enum tw_status tw_app_import(struct tw_store *s, const struct tw_who *who,
    const struct tw_app_entry *apps, size_t n,
    const uint8_t hash[TW_SHA256_LEN], struct tw_app_import *result,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_tx tx;

	memset(result, 0, sizeof *result);
	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = import(s, who, apps, n, hash, result, err);
	return tw_tx_end(&tx, status, err);
}

static enum tw_status describe(struct tw_store *s, const struct tw_who *who,
    const struct tw_app_entry *a, const uint8_t hash[TW_SHA256_LEN],
    bool *again, struct tw_err *err)
{
	struct tw_app_import r = { 0 };
	struct tw_grant_used used;
	char hex[TW_SHA256_HEX];
	enum tw_status status;

	status = tw_may(s, who, TW_MAY_CHANGE, &used, err);
	if (status == TW_OK)
		status = put(s, who, a, &r, err);
	*again = r.added + r.changed == 0;
	if (status != TW_OK || *again)
		return status;
	tw_hex(hash, TW_SHA256_LEN, hex);
	return tw_app_record(s, who, "app.manifest", tw_audit_detail("app",
	    a->name, "version", a->version, "sha256", hex, "grant", used.text,
	    (char *)NULL), err);
}

enum tw_status tw_app_manifest(struct tw_store *s, const struct tw_who *who,
    const struct tw_app_entry *a, const uint8_t hash[TW_SHA256_LEN],
    bool *again, struct tw_err *err)
{
	enum tw_status status;
	struct tw_tx tx;

	*again = false;
	status = tw_tx_begin(&tx, s, err);
	if (status == TW_OK)
		status = tw_tx_end(&tx, describe(s, who, a, hash, again, err),
		    err);
	return status;
}

/* --- removing ------------------------------------------------------------- */

/* What an upgrade under way goes to counts too. */
static const char used_sql[] =
    "SELECT coalesce(?3, i.version), h.name, count(*) OVER (),"
    "    coalesce(?3, i.version) = i.version"
    " FROM instance i JOIN host h ON h.id = i.host_id"
    " LEFT JOIN change c ON c.id = i.change_id AND i.state = 'upgrading'"
    " WHERE i.org_id = ?1 AND i.app = ?2 AND i.state <> 'gone'"
    "    AND EXISTS (SELECT 1 FROM app a WHERE a.org_id = i.org_id"
    "        AND a.name = i.app AND a.source = i.source"
    "        AND a.version IN (i.version, c.app_version)"
    "        AND (?3 IS NULL OR a.version = ?3))"
    " ORDER BY h.name LIMIT 1";
enum { USED_VERSION, USED_HOST, USED_COUNT, USED_IS_THERE };

static enum tw_status refuse_used(struct tw_store *s,
    const struct tw_who *who, const struct tw_app_name *n,
    struct tw_err *err)
{
	enum tw_status status;
	const char *how;
	struct tw_stmt *st;
	int64_t more;

	status = tw_tenant_stmt(s, who, used_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_text(st, 2, n->name);
	tw_stmt_text(st, 3, n->version);
	status = tw_stmt_step(st, err);
	if (status != TW_OK)
		return status == TW_NO ? TW_OK : status;
	more = tw_stmt_col_int(st, USED_COUNT) - 1;
	how = tw_stmt_col_int(st, USED_IS_THERE) ? W_("is deployed on") :
	    W_("is what an upgrade brings to");
	tw_err_set(err, TW_NO, "%s@%s %s %s", n->name,
	    tw_stmt_col_text(st, USED_VERSION), how,
	    tw_stmt_col_text(st, USED_HOST));
	if (more > 0)
		tw_err_set(err, TW_NO, "%s@%s %s %s, and %lld more", n->name,
		    tw_stmt_col_text(st, USED_VERSION), how,
		    tw_stmt_col_text(st, USED_HOST), (long long)more);
	tw_stmt_reset(st);
	return TW_NO;
}

static const char next_sql[] =
    "SELECT id, version, source, file, bundle FROM app"
    " WHERE org_id = ?1 AND name = ?2"
    " AND (?3 IS NULL OR version = ?3) ORDER BY id LIMIT 1";
enum { NEXT_ID, NEXT_VERSION, NEXT_SOURCE, NEXT_FILE, NEXT_BUNDLE };
static const char remove_sql[] =
    "DELETE FROM app WHERE org_id = ?1 AND id = ?2";

/* TW_NO: there is none; err is not filled then. */
static enum tw_status remove_next(struct tw_store *s,
    const struct tw_who *who, const struct tw_app_name *n,
    const char *grant, struct tw_err *err)
{
	uint8_t file[TW_SHA256_LEN], bundle[TW_SHA256_LEN];
	enum tw_status status;
	struct tw_stmt *st;
	char *detail;
	int64_t id;

	status = tw_tenant_stmt(s, who, next_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_text(st, 2, n->name);
	tw_stmt_text(st, 3, n->version);
	status = tw_stmt_step(st, err);
	if (status != TW_OK)
		return status;
	id = tw_stmt_col_int(st, NEXT_ID);
	detail = tw_audit_detail("app", n->name, "version",
	    tw_stmt_col_text(st, NEXT_VERSION), "source",
	    tw_stmt_col_text(st, NEXT_SOURCE), "grant", grant, (char *)NULL);
	tw_col_hash(st, NEXT_FILE, file);
	tw_col_hash(st, NEXT_BUNDLE, bundle);
	tw_stmt_reset(st);
	status = tw_app_record(s, who, "app.remove", detail, err);
	if (status == TW_OK)
		status = tw_tenant_run(s, who, remove_sql, id, err);
	if (status == TW_OK)
		status = tw_content_drop(s, file, err);
	if (status == TW_OK)
		status = tw_content_drop(s, bundle, err);
	return status;
}

static enum tw_status remove_all(struct tw_store *s, const struct tw_who *who,
    const struct tw_app_name *n, struct tw_err *err)
{
	struct tw_grant_used used;
	enum tw_status status;
	size_t count = 0;

	status = tw_may(s, who, TW_MAY_CHANGE, &used, err);
	if (status == TW_OK)
		status = refuse_used(s, who, n, err);
	if (status != TW_OK)
		return status;
	while ((status = remove_next(s, who, n, used.text, err)) == TW_OK)
		count++;
	if (status != TW_NO)
		return status;
	return count > 0 ? TW_OK : tw_app_none(s, who, n, err);
}

enum tw_status tw_app_remove(struct tw_store *s, const struct tw_who *who,
    const char *name_version, struct tw_err *err)
{
	struct tw_app_name n;
	enum tw_status status;
	struct tw_tx tx;

	status = tw_app_name_split(name_version, &n, err);
	if (status != TW_OK)
		return status;
	status = tw_tx_begin(&tx, s, err);
	if (status == TW_OK)
		status = tw_tx_end(&tx, remove_all(s, who, &n, err), err);
	tw_app_name_release(&n);
	return status;
}
