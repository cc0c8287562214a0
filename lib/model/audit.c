/*
 * audit.c - adding to the audit trail and looking at it; see audit.h for what
 *           is hashed.  Verifying is in audit_verify.c, pruning in prune.c.
 */
#include "model/audit_private.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define HASH_TAG "towerify-audit-1"

/* The decimal digits of v before end; where they begin. */
static char *digits(char *end, uint64_t v)
{
	do
		*--end = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	return end;
}

/* As a netstring. */
static void add_field(struct tw_buf *b, const void *p, size_t n)
{
	char head[24], *end = head + sizeof head, *at, *to;
	size_t len;

	*--end = ':';
	at = digits(end, n);
	len = (size_t)(head + sizeof head - at);
	if (!tw_buf_reserve(b, len + n + 1))
		return;
	to = b->data + b->len;
	memcpy(to, at, len);
	if (n)
		memcpy(to + len, p, n);
	to[len + n] = ',';
	b->len += len + n + 1;
}

static void add_text(struct tw_buf *b, const struct tw_audit_text *t)
{
	if (t->is_null)
		tw_buf_add(b, "-,", 2);
	else
		add_field(b, t->p, t->n);
}

static void add_int(struct tw_buf *b, int64_t v)
{
	char text[24], *end = text + sizeof text, *at;

	at = digits(end, v < 0 ? -(uint64_t)v : (uint64_t)v);
	if (v < 0)
		*--at = '-';
	add_field(b, at, (size_t)(end - at));
}

/* Millions are verified in one go, so no printf, and hashed in one piece. */
enum tw_status tw_audit_hash(const struct tw_audit_row *r,
    struct tw_buf *text, uint8_t out[TW_SHA256_LEN], struct tw_err *err)
{
	char prev[TW_SHA256_HEX];

	tw_buf_reset(text);
	add_field(text, HASH_TAG, sizeof HASH_TAG - 1);
	add_int(text, r->chain);
	add_int(text, r->seq);
	add_int(text, r->at);
	add_text(text, &r->operator);
	add_text(text, &r->action);
	add_text(text, &r->host);
	if (r->change_is_null)
		tw_buf_add(text, "-,", 2);
	else
		add_int(text, r->change_num);
	add_text(text, &r->detail);
	tw_hex(r->prev, TW_SHA256_LEN, prev);
	add_field(text, prev, TW_SHA256_HEX - 1);
	tw_sha256(tw_buf_str(text), text->len, out);
	return tw_buf_check(text, err);
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
    "SELECT seq, hash FROM audit WHERE chain = ?1 ORDER BY seq DESC LIMIT 1";
enum { HEAD_SEQ, HEAD_HASH };

/* What an emptied chain goes on from. */
static const char anchor_sql[] =
    "SELECT seq, hash FROM audit_anchor WHERE chain = ?1";

/* Of a statement whose chain is bound; TW_NO: there is none. */
static enum tw_status read_head(struct tw_stmt *st, int64_t *seq,
    uint8_t hash[TW_SHA256_LEN], struct tw_err *err)
{
	enum tw_status status;

	*seq = 0;
	memset(hash, 0, TW_SHA256_LEN);
	status = tw_stmt_step(st, err);
	if (status != TW_OK)
		return status;
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
	if (status != TW_OK)
		return status;
	status = read_head(st, seq, hash, err);
	if (status != TW_NO)
		return status;
	status = tw_tenant_chain(s, who, is_tower, anchor_sql, &st, err);
	if (status != TW_OK)
		return status;
	status = read_head(st, seq, hash, err);
	return status == TW_NO ? TW_OK : status;
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

/* The last record of a chain; 0: it has none. */
static enum tw_status find_head(struct tw_store *s, int64_t chain,
    int64_t *seq, uint8_t hash[TW_SHA256_LEN], struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, head_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, chain);
	status = read_head(st, seq, hash, err);
	if (status != TW_NO)
		return status;
	status = tw_stmt_get(s, anchor_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, chain);
	status = read_head(st, seq, hash, err);
	return status == TW_NO ? TW_OK : status;
}

enum tw_status tw_audit_add(struct tw_store *s, const struct tw_audit *a,
    struct tw_err *err)
{
	struct tw_audit_row r = { .chain = a->chain };
	uint8_t prev[TW_SHA256_LEN], hash[TW_SHA256_LEN];
	struct tw_buf text = { .max = TW_AUDIT_MAX };
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tx_need(s, err);
	if (status == TW_OK)
		status = find_head(s, a->chain, &r.seq, prev, err);
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
	status = tw_audit_hash(&r, &text, hash, err);
	tw_buf_release(&text);
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

#define LIMITS \
	" AND at >= ?3 AND at < ?7 AND (?4 IS NULL OR operator = ?4)"

static const char each_sql[] =
    "SELECT " COLUMNS " FROM audit WHERE chain = ?1 AND seq > ?2"
    " AND seq <= ?2 + ?6" LIMITS " ORDER BY seq LIMIT ?5";
static const char next_sql[] =
    "SELECT seq FROM audit WHERE chain = ?1 AND seq > ?2 + ?3"
    " ORDER BY seq LIMIT 1";
/* one that is known by its number */
static const char one_sql[] =
    "SELECT " COLUMNS " FROM audit WHERE chain = ?1 AND seq = ?2" LIMITS;

/*
 * What an index finds comes as numbers, and each record by its number then: the
 * indexes hold the numbers, so that records that are not wanted aren't read.
 */
static const char of_hosts_sql[] =
    "SELECT seq FROM audit WHERE chain = ?1 AND seq > ?2"
    " AND host IN (SELECT value FROM json_each(?3))";
static const char of_change_sql[] =
    "SELECT seq FROM audit WHERE chain = ?1 AND seq > ?2"
    " AND change_num = ?3";
/* the + keeps to the index of times */
static const char of_times_sql[] =
    "SELECT seq FROM audit WHERE chain = ?1 AND +seq > ?2"
    " AND at >= ?3 AND at < ?4";

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

struct walk {			/* along a chain, or along some numbers */
	const struct tw_who *who;
	const struct tw_audit_filter *f;
	int64_t after;		/* the record before the next page */
	struct tw_ids seqs;	/* where hosts, a change or times are asked for */
	bool has_seqs;
	size_t at;		/* in seqs */
};

static int64_t end_of(const struct tw_audit_filter *f)
{
	return f->until ? f->until : INT64_MAX;
}

static enum tw_status bind(struct tw_store *s, const struct walk *w,
    const char *sql, int64_t seq, struct tw_stmt **st, struct tw_err *err)
{
	enum tw_status status;

	status = tw_tenant_chain(s, w->who, w->f->is_tower, sql, st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(*st, 2, seq);
	tw_stmt_int(*st, 3, w->f->since);
	tw_stmt_text(*st, 4, w->f->operator);
	tw_stmt_int(*st, 7, end_of(w->f));
	return TW_OK;
}

/* Rows of a statement that is bound. */
static enum tw_status page_rows(struct page *p, struct tw_stmt *st,
    struct tw_err *err)
{
	enum tw_status status;

	while ((status = tw_stmt_step(st, err)) == TW_OK) {
		status = page_add(p, st, err);
		if (status != TW_OK) {
			tw_stmt_reset(st);
			return status;
		}
	}
	return status == TW_NO ? TW_OK : status;
}

/* No more of those that a statement looks at: those behind them, if any. */
static enum tw_status page_skip(struct tw_store *s, struct walk *w,
    bool *is_last, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tenant_chain(s, w->who, w->f->is_tower, next_sql, &st,
	    err);
	if (status != TW_OK)
		return status;
	return tw_look_behind(st, &w->after, is_last, err);
}

/* The next page; *is_last: there is none behind it. */
static enum tw_status page_read(struct page *p, struct tw_store *s,
    struct walk *w, bool *is_last, struct tw_err *err)
{
	enum tw_status status = TW_OK;
	struct tw_stmt *st;

	page_clear(p);
	if (!w->has_seqs) {
		status = bind(s, w, each_sql, w->after, &st, err);
		if (status != TW_OK)
			return status;
		tw_stmt_int(st, 5, TW_PAGE_ROWS);
		tw_stmt_int(st, 6, TW_LOOK_ROWS);
		status = page_rows(p, st, err);
		if (status == TW_OK && p->n < TW_PAGE_ROWS)
			return page_skip(s, w, is_last, err);
		if (p->n)
			w->after = p->rows[p->n - 1].seq;
		return status;
	}
	while (status == TW_OK && p->n < TW_PAGE_ROWS && w->at < w->seqs.n) {
		status = bind(s, w, one_sql, w->seqs.v[w->at++], &st, err);
		if (status == TW_OK)
			status = page_rows(p, st, err);
	}
	*is_last = w->at == w->seqs.n;
	return status;
}

static enum tw_status find_seqs(struct tw_store *s, struct walk *w,
    struct tw_err *err)
{
	const struct tw_audit_filter *f = w->f;
	const char *sql = f->hosts ? of_hosts_sql : f->change_num ?
	    of_change_sql : of_times_sql;
	char *hosts = NULL;
	enum tw_status status;
	struct tw_stmt *st;

	if (f->hosts && !(hosts = tw_json_names(f->hosts)))
		return tw_err_nomem(err);
	w->has_seqs = true;
	status = tw_tenant_chain(s, w->who, f->is_tower, sql, &st, err);
	if (status == TW_OK) {
		tw_stmt_int(st, 2, w->after);
		if (f->hosts)
			tw_stmt_text(st, 3, hosts);
		else
			tw_stmt_int(st, 3, f->change_num ? f->change_num :
			    f->since);
		if (sql == of_times_sql)
			tw_stmt_int(st, 4, end_of(f));
		status = tw_ids_read(&w->seqs, st, err);
	}
	free(hosts);
	return status;
}

static enum tw_status walk_begin(struct tw_store *s, struct walk *w,
    struct tw_err *err)
{
	w->after = w->f->after;
	if (w->f->seq) {
		w->has_seqs = true;
		return tw_ids_add(&w->seqs, w->f->seq, err);
	}
	if (w->f->hosts || w->f->change_num || w->f->since ||
	    w->f->until)
		return find_seqs(s, w, err);
	return TW_OK;
}

/* Of hosts and a change at once: found by the host, told by the change. */
static bool is_wanted(const struct tw_audit_filter *f,
    const struct tw_audit *a)
{
	return !f->change_num || a->change_num == f->change_num;
}

enum tw_status tw_audit_each(struct tw_store *s, const struct tw_who *who,
    const struct tw_audit_filter *f,
    enum tw_status (*fn)(void *arg, const struct tw_audit *a,
    struct tw_err *err), void *arg, struct tw_err *err)
{
	struct walk w = { .who = who, .f = f };
	struct page page = { NULL, 0 };
	enum tw_status status;
	bool is_last = false;
	size_t i;

	status = tw_audit_may(s, who, f->is_tower, err);
	if (status != TW_OK)
		return status;
	page.rows = calloc(TW_PAGE_ROWS, sizeof *page.rows);
	status = page.rows ? walk_begin(s, &w, err) : tw_err_nomem(err);
	while (status == TW_OK && !is_last) {
		status = page_read(&page, s, &w, &is_last, err);
		for (i = 0; status == TW_OK && i < page.n; i++)
			if (is_wanted(f, &page.rows[i]))
				status = fn(arg, &page.rows[i], err);
	}
	if (page.rows)
		page_clear(&page);
	free(page.rows);
	free(w.seqs.v);
	return status;
}
