/*
 * app.c - looking at the catalogue; see app.h
 */
#include "model/app_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "base/version.h"

static const char *const sources[] = {
	[TW_APP_FILE] = "file",
	[TW_APP_YUNOHOST] = "yunohost",
};

const char *tw_app_source_name(enum tw_app_source s)
{
	return s == TW_APP_FILE || s == TW_APP_YUNOHOST ? sources[s] : "?";
}

bool tw_app_source_parse(const char *name, enum tw_app_source *out)
{
	*out = strcmp(name, sources[TW_APP_FILE]) == 0 ? TW_APP_FILE :
	    TW_APP_YUNOHOST;
	return strcmp(name, sources[*out]) == 0;
}

void tw_app_release(struct tw_app *a)
{
	char *strings[] = {
		a->name, a->version, a->title, a->description, a->state,
		a->category, a->archs, a->added_by, a->detail,
	};
	size_t i;

	for (i = 0; i < sizeof strings / sizeof *strings; i++)
		free(strings[i]);
	memset(a, 0, sizeof *a);
}

void tw_apps_free(struct tw_app *a, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		tw_app_release(&a[i]);
	free(a);
}

/* --- names ------------------------------------------------------------- */

enum tw_status tw_app_name_split(const char *text, struct tw_app_name *out,
    struct tw_err *err)
{
	size_t n = strcspn(text, "@");

	memset(out, 0, sizeof *out);
	out->name = strndup(text, n);
	if (text[n])
		out->version = strdup(text + n + 1);
	if (!out->name || (text[n] && !out->version)) {
		tw_app_name_release(out);
		return tw_err_nomem(err);
	}
	if (tw_name_ok(out->name) && (!out->version || out->version[0]))
		return TW_OK;
	tw_app_name_release(out);
	return tw_err_set(err, TW_USAGE, "'%s' is not an app: APP or "
	    "APP@VERSION", text);
}

void tw_app_name_release(struct tw_app_name *n)
{
	free(n->name);
	free(n->version);
	memset(n, 0, sizeof *n);
}

/* The words of the rows, NULL-terminated, for tw_strv_free(). */
static enum tw_status read_words(struct tw_stmt *st, char ***out,
    struct tw_err *err)
{
	enum tw_status status;
	char **v = NULL, **more;
	size_t n = 0;

	*out = NULL;
	for (;;) {
		more = reallocarray(v, n + 2, sizeof *v);
		if (!more)
			break;
		v = more;
		v[n] = v[n + 1] = NULL;
		status = tw_stmt_step(st, err);
		if (status == TW_NO) {
			*out = v;
			return TW_OK;
		}
		if (status != TW_OK) {
			tw_strv_free(v);
			return status;
		}
		if (!tw_col_dup(st, 0, &v[n++]))
			break;
	}
	tw_stmt_reset(st);
	tw_strv_free(v);
	return tw_err_nomem(err);
}

static const char names_sql[] =
    "SELECT DISTINCT name FROM app WHERE org_id = ?1 AND ?2 IS ?2";
static const char versions_sql[] =
    "SELECT version FROM app WHERE org_id = ?1 AND name = ?2"
    " AND version <> ''";

/* words holds at least one. */
static const char *newest(char *const *words)
{
	const char *best = words[0];

	while (*++words)
		if (tw_version_cmp(*words, best) > 0)
			best = *words;
	return best;
}

enum tw_status tw_app_none(struct tw_store *s, const struct tw_who *who,
    const struct tw_app_name *n, struct tw_err *err)
{
	const char *near;
	enum tw_status status;
	struct tw_stmt *st;
	char **words;

	status = tw_tenant_stmt(s, who, versions_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_text(st, 2, n->name);
	status = read_words(st, &words, err);
	if (status == TW_OK && n->version && words[0]) {
		tw_err_set(err, TW_NO, "no version '%s' of app '%s'",
		    n->version, n->name);
		tw_err_hint(err, "the newest is %s@%s", n->name,
		    newest(words));
		tw_strv_free(words);
		return TW_NO;
	}
	if (status == TW_OK) {
		tw_strv_free(words);
		status = tw_tenant_stmt(s, who, names_sql, &st, err);
	}
	if (status == TW_OK)
		status = read_words(st, &words, err);
	if (status != TW_OK)
		return status;
	tw_err_set(err, TW_NO, "no app '%s'", n->name);
	near = tw_name_nearest(n->name, (const char *const *)words);
	if (near)
		tw_err_hint(err, "did you mean '%s'?", near);
	tw_strv_free(words);
	return TW_NO;
}

/* --- rows -------------------------------------------------------------- */

#define COLUMNS \
	"SELECT a.id, a.name, a.version, a.source, a.title, a.description," \
	"    a.state, a.category, a.archs, coalesce(a.level, -1), a.added," \
	"    a.added_by," \
	"    (SELECT count(*) FROM instance i WHERE i.org_id = a.org_id" \
	"        AND i.app = a.name AND i.version = a.version" \
	"        AND i.source = a.source AND i.state <> 'gone'" \
	"        AND (?2 IS NULL OR i.host_id IN" \
	"            (SELECT value FROM json_each(?2))))"
enum {
	A_ID, A_NAME, A_VERSION, A_SOURCE, A_TITLE, A_DESCRIPTION, A_STATE,
	A_CATEGORY, A_ARCHS, A_LEVEL, A_ADDED, A_ADDED_BY, A_INSTANCES,
	A_DETAIL, A_FILE_HASH, A_BUNDLE,
};

static enum tw_status read_row(struct tw_stmt *st, void *row,
    struct tw_err *err)
{
	struct tw_app *a = row;
	bool ok = true;

	if (!tw_app_source_parse(tw_stmt_col_text(st, A_SOURCE), &a->source))
		return tw_err_set(err, TW_CONFIG,
		    "an app has the unknown source '%s'",
		    tw_stmt_col_text(st, A_SOURCE));
	a->id = tw_stmt_col_int(st, A_ID);
	a->level = tw_stmt_col_int(st, A_LEVEL);
	a->added = tw_stmt_col_int(st, A_ADDED);
	a->instances = tw_stmt_col_int(st, A_INSTANCES);
	ok &= tw_col_dup(st, A_NAME, &a->name);
	ok &= tw_col_dup(st, A_VERSION, &a->version);
	ok &= tw_col_dup(st, A_TITLE, &a->title);
	ok &= tw_col_dup(st, A_DESCRIPTION, &a->description);
	ok &= tw_col_dup(st, A_STATE, &a->state);
	ok &= tw_col_dup(st, A_CATEGORY, &a->category);
	ok &= tw_col_dup(st, A_ARCHS, &a->archs);
	ok &= tw_col_dup(st, A_ADDED_BY, &a->added_by);
	return ok ? TW_OK : tw_err_nomem(err);
}

/* By name, the newest first; of the same version the file's.  1.0 and 1.00 are
 * the same to Debian: their order is that of their letters, as in pick(). */
static int by_name(const void *a, const void *b)
{
	const struct tw_app *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (!order)
		order = -tw_version_cmp(x->version, y->version);
	if (!order)
		order = (int)x->source - (int)y->source;
	return order ? order : strcmp(x->version, y->version);
}

static const char select_sql[] =
    COLUMNS " FROM app a WHERE a.org_id = ?1"
    " AND (?3 IS NULL OR a.name GLOB ?3) AND (?4 IS NULL OR a.state = ?4)"
    " AND (?5 IS NULL OR a.category = ?5)"
    " AND (?6 IS NULL OR a.archs IS NULL"
    "     OR instr(',' || a.archs || ',', ',' || ?6 || ',') > 0)"
    " AND (?7 = 0 OR a.level >= ?7)";

/* A pattern's brackets are letters like others. */
static char *make_glob(const char *pattern)
{
	struct tw_buf b = TW_BUF_INIT;

	for (; *pattern; pattern++)
		if (*pattern == '[')
			tw_buf_adds(&b, "[[]");
		else
			tw_buf_addc(&b, *pattern);
	return tw_buf_detach(&b);
}

enum tw_status tw_app_select(struct tw_store *s, const struct tw_who *who,
    const struct tw_app_filter *f, struct tw_app **out, size_t *n,
    struct tw_err *err)
{
	char *hosts = NULL, *glob = NULL;
	enum tw_status status;
	struct tw_stmt *st;
	void *rows = NULL;

	*out = NULL;
	*n = 0;
	if (f->pattern && *f->pattern && !(glob = make_glob(f->pattern)))
		return tw_err_nomem(err);
	status = tw_host_visible_json(s, who, &hosts, err);
	if (status == TW_OK)
		status = tw_tenant_stmt(s, who, select_sql, &st, err);
	if (status == TW_OK) {
		tw_stmt_text(st, 2, hosts);
		tw_stmt_text(st, 3, glob);
		tw_stmt_text(st, 4, f->state);
		tw_stmt_text(st, 5, f->category);
		tw_stmt_text(st, 6, f->arch);
		tw_stmt_int(st, 7, f->level);
		status = tw_rows_read(st, sizeof **out, read_row, &rows, n,
		    err);
	}
	*out = rows;
	free(hosts);
	free(glob);
	if (status == TW_OK && *n > 1)
		qsort(*out, *n, sizeof **out, by_name);
	if (status == TW_OK)
		return TW_OK;
	tw_apps_free(*out, *n);
	*out = NULL;
	*n = 0;
	return status;
}

/* --- one --------------------------------------------------------------- */

static const char id_sql[] =
    COLUMNS ", a.detail, a.file, a.bundle FROM app a"
    " WHERE a.org_id = ?1 AND a.id = ?3";
static const char candidates_sql[] =
    "SELECT id, version, source FROM app"
    " WHERE org_id = ?1 AND name = ?2 AND (?3 IS NULL OR version = ?3)"
    " AND (?4 IS NULL OR source = ?4)"
    " ORDER BY source <> 'file', version";
enum { CANDIDATE_ID, CANDIDATE_VERSION, CANDIDATE_SOURCE };

/* The newest of those of the first source; 0: none. */
static enum tw_status pick(struct tw_store *s, const struct tw_who *who,
    const struct tw_app_name *n, const char *source, int64_t *id,
    struct tw_err *err)
{
	char best[TW_NAME_MAX * 2] = "", first[16] = "";
	enum tw_status status;
	struct tw_stmt *st;
	const char *version;

	*id = 0;
	status = tw_tenant_stmt(s, who, candidates_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_text(st, 2, n->name);
	tw_stmt_text(st, 3, n->version);
	tw_stmt_text(st, 4, source);
	while ((status = tw_stmt_step(st, err)) == TW_OK) {
		if (*id && strcmp(first, tw_stmt_col_text(st,
		    CANDIDATE_SOURCE)) != 0)
			continue;
		version = tw_stmt_col_text(st, CANDIDATE_VERSION);
		if (*id && tw_version_cmp(version, best) <= 0)
			continue;
		*id = tw_stmt_col_int(st, CANDIDATE_ID);
		snprintf(best, sizeof best, "%s", version);
		snprintf(first, sizeof first, "%s",
		    tw_stmt_col_text(st, CANDIDATE_SOURCE));
	}
	return status == TW_NO ? TW_OK : status;
}

static enum tw_status read_id(struct tw_store *s, const struct tw_who *who,
    int64_t id, const char *hosts, struct tw_app *out, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tenant_stmt(s, who, id_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_text(st, 2, hosts);
	tw_stmt_int(st, 3, id);
	status = tw_stmt_one(st, err);
	if (status != TW_OK)
		return status;
	status = read_row(st, out, err);
	tw_col_hash(st, A_FILE_HASH, out->file);
	tw_col_hash(st, A_BUNDLE, out->bundle);
	if (status == TW_OK && !tw_col_dup(st, A_DETAIL, &out->detail))
		status = tw_err_nomem(err);
	tw_stmt_reset(st);
	if (status != TW_OK)
		tw_app_release(out);
	return status;
}

static enum tw_status find(struct tw_store *s, const struct tw_who *who,
    const struct tw_app_name *n, const char *source, struct tw_app *out,
    struct tw_err *err)
{
	enum tw_status status;
	char *hosts = NULL;
	int64_t id = 0;

	memset(out, 0, sizeof *out);
	status = tw_host_visible_json(s, who, &hosts, err);
	if (status == TW_OK)
		status = pick(s, who, n, source, &id, err);
	if (status == TW_OK)
		status = id ? read_id(s, who, id, hosts, out, err) :
		    tw_app_none(s, who, n, err);
	free(hosts);
	return status;
}

enum tw_status tw_app_find(struct tw_store *s, const struct tw_who *who,
    const char *name_version, struct tw_app *out, struct tw_err *err)
{
	struct tw_app_name n;
	enum tw_status status;

	memset(out, 0, sizeof *out);
	status = tw_app_name_split(name_version, &n, err);
	if (status != TW_OK)
		return status;
	status = find(s, who, &n, NULL, out, err);
	tw_app_name_release(&n);
	return status;
}

enum tw_status tw_app_get(struct tw_store *s, const struct tw_who *who,
    const char *name, const char *version, enum tw_app_source source,
    struct tw_app *out, struct tw_err *err)
{
	const struct tw_app_name n = { (char *)name, (char *)version };

	return find(s, who, &n, tw_app_source_name(source), out, err);
}

enum tw_status tw_app_read(struct tw_store *s, const struct tw_app *a,
    struct tw_buf *file, struct tw_buf *bundle, struct tw_err *err)
{
	static const uint8_t none[TW_SHA256_LEN];
	enum tw_status status;

	if (memcmp(a->file, none, sizeof none) == 0)
		return tw_err_set(err, TW_BUG, "%s has no file", a->name);
	status = tw_content_get(s, a->file, file, err);
	if (status == TW_OK && memcmp(a->bundle, none, sizeof none) != 0)
		status = tw_content_get(s, a->bundle, bundle, err);
	return status;
}
