/*
 * audit.c - adding to the audit trail and looking at it; see audit.h for what
 *           is hashed.  Verifying and pruning are in audit_verify.c.
 */
#include "model/audit_private.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define HASH_TAG "towerify-audit-1"

static void hash_field(struct tw_sha256 *h, const void *p, size_t n)
{
	char head[24];
	int len;

	len = snprintf(head, sizeof head, "%zu:", n);
	tw_sha256_add(h, head, (size_t)len);
	tw_sha256_add(h, p, n);
	tw_sha256_add(h, ",", 1);
}

static void hash_text(struct tw_sha256 *h, const struct tw_audit_text *t)
{
	if (t->is_null)
		tw_sha256_add(h, "-,", 2);
	else
		hash_field(h, t->p, t->n);
}

static void hash_int(struct tw_sha256 *h, int64_t v)
{
	char text[24];
	int len;

	len = snprintf(text, sizeof text, "%lld", (long long)v);
	hash_field(h, text, (size_t)len);
}

enum tw_status tw_audit_hash(const struct tw_audit_row *r,
    uint8_t out[TW_SHA256_LEN], struct tw_err *err)
{
	char prev[TW_SHA256_HEX];
	struct tw_sha256 *h;

	h = tw_sha256_new();
	if (!h)
		return tw_err_nomem(err);
	hash_field(h, HASH_TAG, sizeof HASH_TAG - 1);
	hash_int(h, r->chain);
	hash_int(h, r->seq);
	hash_int(h, r->at);
	hash_text(h, &r->operator);
	hash_text(h, &r->action);
	hash_text(h, &r->host);
	if (r->change_is_null)
		tw_sha256_add(h, "-,", 2);
	else
		hash_int(h, r->change_num);
	hash_text(h, &r->detail);
	tw_hex(r->prev, TW_SHA256_LEN, prev);
	hash_field(h, prev, TW_SHA256_HEX - 1);
	tw_sha256_get(h, out);
	tw_sha256_free(h);
	return TW_OK;
}

int64_t tw_audit_chain(const struct tw_who *who, bool is_tower)
{
	return is_tower ? TW_AUDIT_TOWER : who->org_id;
}

enum tw_status tw_audit_may(struct tw_store *s, const struct tw_who *who,
    bool is_tower, struct tw_err *err)
{
	struct tw_grant_used used;

	/* the tower's own is kept by tw_tenant_chain() */
	return is_tower ? TW_OK : tw_may(s, who, TW_MAY_AUDIT, &used, err);
}

static const char head_sql[] =
    "SELECT seq, hash FROM ("
    "    SELECT seq, hash FROM (SELECT seq, hash FROM audit"
    "        WHERE chain = ?1 ORDER BY seq DESC LIMIT 1)"
    "    UNION ALL SELECT seq, hash FROM audit_anchor WHERE chain = ?1"
    ") ORDER BY seq DESC LIMIT 1";
enum { HEAD_SEQ, HEAD_HASH };

/* Of a statement whose chain is bound. */
static enum tw_status read_head(struct tw_stmt *st, int64_t *seq,
    uint8_t hash[TW_SHA256_LEN], struct tw_err *err)
{
	enum tw_status status;

	*seq = 0;
	memset(hash, 0, TW_SHA256_LEN);
	status = tw_stmt_step(st, err);
	if (status != TW_OK)
		return status == TW_NO ? TW_OK : status;
	*seq = tw_stmt_col_int(st, HEAD_SEQ);
	tw_col_hash(st, HEAD_HASH, hash);
	tw_stmt_reset(st);
	return TW_OK;
}

enum tw_status tw_audit_head(struct tw_store *s, const struct tw_who *who,
    bool is_tower, int64_t *seq, uint8_t hash[TW_SHA256_LEN],
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_audit_may(s, who, is_tower, err);
	if (status == TW_OK)
		status = tw_tenant_chain(s, who, is_tower, head_sql, &st, err);
	return status == TW_OK ? read_head(st, seq, hash, err) : status;
}

/* --- adding ------------------------------------------------------------ */

static void set_text(struct tw_audit_text *t, const char *s)
{
	t->p = s;
	t->n = s ? strlen(s) : 0;
	t->is_null = !s;
}

static const char add_sql[] =
    "INSERT INTO audit (chain, seq, at, operator, action, host, change_num,"
    "    detail, prev, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

enum tw_status tw_audit_add(struct tw_store *s, const struct tw_audit *a,
    struct tw_err *err)
{
	struct tw_audit_row r = { .chain = a->chain };
	uint8_t prev[TW_SHA256_LEN], hash[TW_SHA256_LEN];
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tx_need(s, err);
	if (status == TW_OK)
		status = tw_stmt_get(s, head_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, a->chain);
	status = read_head(st, &r.seq, prev, err);
	if (status != TW_OK)
		return status;
	r.seq++;
	r.at = a->at ? a->at : tw_clock_now();
	set_text(&r.operator, a->operator);
	set_text(&r.action, a->action);
	set_text(&r.host, a->host);
	set_text(&r.detail, a->detail ? a->detail : "{}");
	r.change_num = a->change_num;
	r.change_is_null = a->change_num == 0;
	r.prev = prev;
	status = tw_audit_hash(&r, hash, err);
	if (status == TW_OK)
		status = tw_stmt_get(s, add_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, r.chain);
	tw_stmt_int(st, 2, r.seq);
	tw_stmt_int(st, 3, r.at);
	tw_stmt_text(st, 4, r.operator.p);
	tw_stmt_text(st, 5, r.action.p);
	tw_stmt_text(st, 6, r.host.p);
	tw_stmt_time(st, 7, r.change_num);
	tw_stmt_text(st, 8, r.detail.p);
	tw_stmt_blob(st, 9, prev, sizeof prev);
	tw_stmt_blob(st, 10, hash, sizeof hash);
	return tw_stmt_run(st, err);
}

char *tw_audit_detail(const char *key, ...)
{
	size_t mark = tw_json_mark();
	json_t *object = json_object();
	const char *value;
	char *out = NULL;
	bool failed = !object;
	va_list ap;

	va_start(ap, key);
	for (; key && !failed; key = va_arg(ap, const char *)) {
		value = va_arg(ap, const char *);
		if (value)
			failed = json_object_set_new(object, key,
			    tw_model_text(value)) != 0;
	}
	va_end(ap);
	if (!failed)
		out = tw_json_dump(object, JSON_COMPACT | JSON_PRESERVE_ORDER,
		    mark);
	json_decref(object);
	return out;
}

/* --- looking ----------------------------------------------------------- */

#define COLUMNS "chain, seq, at, operator, action, host, change_num, detail," \
	" prev, hash"

static const char each_sql[] =
    "SELECT " COLUMNS " FROM audit"
    " WHERE chain = ?1 AND seq > ?2 AND at >= ?3"
    " AND (?4 IS NULL OR host IN (SELECT value FROM json_each(?4)))"
    " AND (?5 IS NULL OR operator = ?5)"
    " AND (?6 IS NULL OR change_num = ?6)"
    " ORDER BY seq LIMIT ?7";
/* the same through the index of changes */
static const char each_change_sql[] =
    "SELECT " COLUMNS " FROM audit"
    " WHERE chain = ?1 AND seq > ?2 AND at >= ?3"
    " AND (?4 IS NULL OR host IN (SELECT value FROM json_each(?4)))"
    " AND (?5 IS NULL OR operator = ?5)"
    " AND change_num = ?6"
    " ORDER BY seq LIMIT ?7";

struct page {
	struct tw_audit *rows;
	size_t n;
};

static void page_clear(struct page *p)
{
	size_t i;

	for (i = 0; i < p->n; i++) {
		free((char *)p->rows[i].operator);
		free((char *)p->rows[i].action);
		free((char *)p->rows[i].host);
		free((char *)p->rows[i].detail);
	}
	p->n = 0;
}

static enum tw_status page_add(struct page *p, struct tw_stmt *st,
    struct tw_err *err)
{
	char *operator, *action, *host, *detail;
	struct tw_audit *a = &p->rows[p->n];
	bool ok;

	ok = tw_col_dup(st, AUDIT_OPERATOR, &operator);
	ok &= tw_col_dup(st, AUDIT_ACTION, &action);
	ok &= tw_col_dup(st, AUDIT_HOST, &host);
	ok &= tw_col_dup(st, AUDIT_DETAIL, &detail);
	a->chain = tw_stmt_col_int(st, AUDIT_CHAIN);
	a->seq = tw_stmt_col_int(st, AUDIT_SEQ);
	a->at = tw_stmt_col_int(st, AUDIT_AT);
	a->change_num = tw_stmt_col_int(st, AUDIT_CHANGE);
	tw_col_hash(st, AUDIT_PREV, a->prev);
	tw_col_hash(st, AUDIT_HASH, a->hash);
	a->operator = operator;
	a->action = action;
	a->host = host;
	a->detail = detail;
	p->n++;
	return ok ? TW_OK : tw_err_nomem(err);
}

/* The next page behind record `after`. */
static enum tw_status page_read(struct page *p, struct tw_store *s,
    const struct tw_who *who, const struct tw_audit_filter *f,
    const char *hosts, int64_t after, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	page_clear(p);
	status = tw_tenant_chain(s, who, f->is_tower, f->change_num ?
	    each_change_sql : each_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, after);
	tw_stmt_int(st, 3, f->since);
	tw_stmt_text(st, 4, hosts);
	tw_stmt_text(st, 5, f->operator);
	tw_stmt_time(st, 6, f->change_num);
	tw_stmt_int(st, 7, f->seq ? 1 : TW_PAGE_ROWS);
	while ((status = tw_stmt_step(st, err)) == TW_OK) {
		status = page_add(p, st, err);
		if (status != TW_OK) {
			tw_stmt_reset(st);
			return status;
		}
	}
	return status == TW_NO ? TW_OK : status;
}

enum tw_status tw_audit_each(struct tw_store *s, const struct tw_who *who,
    const struct tw_audit_filter *f,
    enum tw_status (*fn)(void *arg, const struct tw_audit *a,
    struct tw_err *err), void *arg, struct tw_err *err)
{
	struct page page = { NULL, 0 };
	int64_t after = f->seq ? f->seq - 1 : 0;
	enum tw_status status;
	char *hosts = NULL;
	bool is_last;
	size_t i;

	status = tw_audit_may(s, who, f->is_tower, err);
	if (status != TW_OK)
		return status;
	page.rows = calloc(TW_PAGE_ROWS, sizeof *page.rows);
	if (f->hosts)
		hosts = tw_json_names(f->hosts);
	if (!page.rows || (f->hosts && !hosts)) {
		status = tw_err_nomem(err);
		goto out;
	}
	do {
		status = page_read(&page, s, who, f, hosts, after, err);
		is_last = page.n < TW_PAGE_ROWS;
		for (i = 0; status == TW_OK && i < page.n; i++) {
			after = page.rows[i].seq;
			if (!f->seq || after == f->seq)
				status = fn(arg, &page.rows[i], err);
		}
	} while (status == TW_OK && !is_last);
out:
	if (page.rows)
		page_clear(&page);
	free(page.rows);
	free(hosts);
	return status;
}
