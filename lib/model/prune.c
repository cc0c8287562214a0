/*
 * prune.c - old history goes, a little at a time; see prune.h
 *
 * What is to go is looked for in pages and without a lock: a chain only grows
 * at its end.
 */
#include "model/prune.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "model/audit_private.h"
#include "model/org_private.h"

/* --- what is to go ------------------------------------------------------- */

/* One number; 0 where there is none. */
static enum tw_status number(struct tw_stmt *st, int64_t *out,
    struct tw_err *err)
{
	enum tw_status status = tw_stmt_step(st, err);

	*out = 0;
	if (status != TW_OK)
		return status == TW_NO ? TW_OK : status;
	*out = tw_stmt_col_int(st, 0);
	tw_stmt_reset(st);
	return TW_OK;
}

static enum tw_status chain_number(struct tw_store *s,
    const struct tw_who *who, const struct tw_prune *p, const char *sql,
    int64_t a, int64_t b, int64_t *out, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tenant_chain(s, who, p->is_tower, sql, &st, err);
	if (status != TW_OK)
		return status;
	if (a)
		tw_stmt_int(st, 2, a);
	if (b)
		tw_stmt_int(st, 3, b);
	return number(st, out, err);
}

static const char first_sql[] =
    "SELECT seq FROM audit WHERE chain = ?1 ORDER BY seq LIMIT 1";
static const char last_sql[] =
    "SELECT seq FROM audit WHERE chain = ?1 ORDER BY seq DESC LIMIT 1";
static const char young_sql[] =
    "SELECT seq FROM audit WHERE chain = ?1 AND seq >= ?2"
    "    AND seq < ?2 + ?4 AND at >= ?3 ORDER BY seq LIMIT 1";

/* The records before the first that is young: the clock may have been set back
 * since, so the others are not asked. */
static enum tw_status find_old(struct tw_store *s, const struct tw_who *who,
    struct tw_prune *p, int64_t first, int64_t last, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;
	int64_t young = 0;

	for (; first <= last; first += TW_LOOK_ROWS) {
		status = tw_tenant_chain(s, who, p->is_tower, young_sql, &st,
		    err);
		if (status != TW_OK)
			return status;
		tw_stmt_int(st, 2, first);
		tw_stmt_int(st, 3, p->before);
		tw_stmt_int(st, 4, TW_LOOK_ROWS);
		status = number(st, &young, err);
		if (status != TW_OK)
			return status;
		if (young)
			break;
	}
	p->through = young ? young - 1 : last;
	return TW_OK;
}

/* Numbers and records are given in the same order, so the first change that has
 * not ended has the first of the records that stay; all do when it has none. */
static const char unended_sql[] =
    "SELECT num FROM change WHERE org_id = ?1"
    "    AND status IN ('queued', 'running') ORDER BY num LIMIT 1";
static const char filed_sql[] =
    "SELECT seq FROM audit WHERE chain = ?1 AND change_num = ?2"
    " ORDER BY seq LIMIT 1";

static enum tw_status keep_unended(struct tw_store *s,
    const struct tw_who *who, struct tw_prune *p, struct tw_err *err)
{
	int64_t num = 0, seq = 0;
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tenant_stmt(s, who, unended_sql, &st, err);
	if (status == TW_OK)
		status = number(st, &num, err);
	if (status == TW_OK && num)
		status = chain_number(s, who, p, filed_sql, num, 0, &seq, err);
	if (status != TW_OK || num == 0 || seq > p->through)
		return status;
	p->through = seq > 0 ? seq - 1 : 0;
	p->stopped_by = num;
	return TW_OK;
}

static enum tw_status find_records(struct tw_store *s,
    const struct tw_who *who, struct tw_prune *p, struct tw_err *err)
{
	int64_t first = 0, last = 0;
	enum tw_status status;

	p->through = p->stopped_by = 0;
	status = chain_number(s, who, p, first_sql, 0, 0, &first, err);
	if (status == TW_OK)
		status = chain_number(s, who, p, last_sql, 0, 0, &last, err);
	if (status == TW_OK && first)
		status = find_old(s, who, p, first, last, err);
	if (status == TW_OK && !p->is_tower)
		status = keep_unended(s, who, p, err);
	if (p->through < first)
		p->through = 0;
	return status;
}

/* An instance that is gone names its last change; it goes first. */
static const char gone_sql[] =
    "SELECT id FROM instance WHERE org_id = ?1 AND state = 'gone'"
    " AND changed < ?2 LIMIT ?3";

/* Backwards, so that what was tried again comes after what tried it again, mostly:
 * another round finds what stands in the same page. */
static const char ended_sql[] =
    "SELECT id, ended, program, file, blob FROM change"
    " WHERE org_id = ?1 AND ended IS NOT NULL AND ended < ?2"
    "    AND (ended, id) < (?3, ?4)"
    "    AND status NOT IN ('queued', 'running')"
    "    AND NOT EXISTS (SELECT 1 FROM change r"
    "        WHERE r.retry_of = change.id)"
    "    AND NOT EXISTS (SELECT 1 FROM instance i"
    "        WHERE i.change_id = change.id)"
    " ORDER BY ended DESC, id DESC LIMIT ?5";
enum { ENDED_ID, ENDED_AT, ENDED_PROGRAM, ENDED_FILE, ENDED_BLOB };

static enum tw_status get_gone(struct tw_store *s, const struct tw_who *who,
    const struct tw_prune *p, int limit, struct tw_stmt **st,
    struct tw_err *err)
{
	enum tw_status status;

	status = tw_tenant_stmt(s, who, gone_sql, st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(*st, 2, p->before);
	tw_stmt_int(*st, 3, limit);
	return TW_OK;
}

static enum tw_status get_ended(struct tw_store *s, const struct tw_who *who,
    const struct tw_prune *p, int limit, struct tw_stmt **st,
    struct tw_err *err)
{
	enum tw_status status;

	status = tw_tenant_stmt(s, who, ended_sql, st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(*st, 2, p->before);
	tw_stmt_int(*st, 3, p->ended);
	tw_stmt_int(*st, 4, p->id);
	tw_stmt_int(*st, 5, limit);
	return TW_OK;
}

static void begin_round(struct tw_prune *p)
{
	p->ended = p->before;
	p->id = INT64_MAX;
	p->in_round = 0;
}

static enum tw_status find_any(struct tw_store *s, const struct tw_who *who,
    struct tw_prune *p, bool *any, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;
	int64_t id = 0;

	status = find_records(s, who, p, err);
	*any = p->through > 0;
	begin_round(p);
	if (status != TW_OK || p->is_tower || *any)
		return status;
	status = get_ended(s, who, p, 1, &st, err);
	if (status == TW_OK)
		status = number(st, &id, err);
	if (status == TW_OK && !id)
		status = get_gone(s, who, p, 1, &st, err);
	if (status == TW_OK && !id)
		status = number(st, &id, err);
	*any = id != 0;
	return status;
}

/* --- telling it ------------------------------------------------------------ */

static enum tw_status may(struct tw_store *s, const struct tw_who *who,
    const struct tw_prune *p, struct tw_grant_used *used, struct tw_err *err)
{
	int64_t first;

	if (!p->is_tower)
		return tw_may(s, who, TW_MAY_ADMIN, used, err);
	snprintf(used->text, sizeof used->text, "tower");
	return chain_number(s, who, p, first_sql, 0, 0, &first, err);
}

static const char hash_sql[] =
    "SELECT hash FROM audit WHERE chain = ?1 AND seq = ?2";

static enum tw_status find_hash(struct tw_store *s, const struct tw_who *who,
    const struct tw_prune *p, int64_t seq, uint8_t hash[TW_SHA256_LEN],
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tenant_chain(s, who, p->is_tower, hash_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, seq);
	status = tw_stmt_step(st, err);
	if (status == TW_NO)
		return tw_err_set(err, TW_AGAIN, "record %lld is gone: another "
		    "pruning is at work", (long long)seq);
	if (status == TW_OK) {
		tw_col_hash(st, 0, hash);
		tw_stmt_reset(st);
	}
	return status;
}

static enum tw_status record(struct tw_store *s, const struct tw_who *who,
    const struct tw_prune *p, const struct tw_grant_used *used,
    struct tw_err *err)
{
	char number[24], hex[TW_SHA256_HEX], before[TW_TIME_MAX];
	bool has_records = p->through > 0;
	uint8_t hash[TW_SHA256_LEN];
	enum tw_status status = TW_OK;

	if (has_records)
		status = find_hash(s, who, p, p->through, hash, err);
	if (status != TW_OK)
		return status;
	snprintf(number, sizeof number, "%lld", (long long)p->through);
	if (has_records)
		tw_hex(hash, TW_SHA256_LEN, hex);
	tw_time_rfc3339(p->before, before);
	return tw_org_record(s, tw_audit_chain(who, p->is_tower), who->login,
	    TW_AUDIT_PRUNE, tw_audit_detail("older_than", before, "through",
	    has_records ? number : NULL, "hash", has_records ? hex : NULL,
	    "grant", used->text, (char *)NULL), err);
}

enum tw_status tw_prune_begin(struct tw_store *s, const struct tw_who *who,
    struct tw_prune *p, bool *any, struct tw_err *err)
{
	struct tw_grant_used used = { 0 };
	enum tw_status status;
	struct tw_tx tx;

	*any = false;
	status = may(s, who, p, &used, err);
	if (status == TW_OK)
		status = find_any(s, who, p, any, err);
	/* what is gone can't be verified any more */
	if (status == TW_OK && p->through)
		status = tw_audit_verify_until(s, who, p->is_tower, p->through,
		    err);
	if (status != TW_OK || !*any)
		return status;
	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = may(s, who, p, &used, err);
	if (status == TW_OK)
		status = record(s, who, p, &used, err);
	return tw_tx_end(&tx, status, err);
}

/* --- records --------------------------------------------------------------- */

static const char anchor_sql[] =
    "INSERT INTO audit_anchor (chain, seq, hash) SELECT ?1, ?2, hash"
    "    FROM audit WHERE chain = ?1 AND seq = ?2"
    " ON CONFLICT (chain) DO UPDATE SET seq = excluded.seq,"
    "    hash = excluded.hash";
static const char remove_sql[] =
    "DELETE FROM audit WHERE chain = ?1 AND seq <= ?2";

static enum tw_status run_through(struct tw_store *s,
    const struct tw_who *who, const struct tw_prune *p, const char *sql,
    int64_t seq, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tenant_chain(s, who, p->is_tower, sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, seq);
	return tw_stmt_run(st, err);
}

/* *more: there were some. */
static enum tw_status remove_records(struct tw_store *s,
    const struct tw_who *who, struct tw_prune *p, int limit, bool *more,
    struct tw_err *err)
{
	int64_t first = 0, last;
	enum tw_status status;

	status = chain_number(s, who, p, first_sql, 0, 0, &first, err);
	if (status != TW_OK || first > p->through)
		return status;
	*more = true;
	last = first + limit - 1 < p->through ? first + limit - 1 : p->through;
	status = run_through(s, who, p, anchor_sql, last, err);
	if (status == TW_OK)
		status = run_through(s, who, p, remove_sql, last, err);
	if (status == TW_OK)
		p->records += last - first + 1;
	return status;
}

/* --- changes --------------------------------------------------------------- */

static const char instance_sql[] =
    "DELETE FROM instance WHERE org_id = ?1 AND id = ?2 AND state = 'gone'";
static const char change_sql[] =
    "DELETE FROM change WHERE org_id = ?1 AND id = ?2"
    " AND status NOT IN ('queued', 'running')";

static enum tw_status remove_instances(struct tw_store *s,
    const struct tw_who *who, struct tw_prune *p, int limit, bool *more,
    struct tw_err *err)
{
	struct tw_ids ids = { NULL, 0, 0 };
	enum tw_status status;
	struct tw_stmt *st;
	size_t i;

	status = get_gone(s, who, p, limit, &st, err);
	if (status == TW_OK)
		status = tw_ids_read(&ids, st, err);
	for (i = 0; status == TW_OK && i < ids.n; i++)
		status = tw_tenant_run(s, who, instance_sql, ids.v[i], err);
	*more = ids.n > 0;
	free(ids.v);
	return status;
}

struct ended {			/* a change that goes */
	int64_t id, at;
	uint8_t contents[3][TW_SHA256_LEN];	/* all 0: none */
};

static enum tw_status read_ended(struct tw_stmt *st, void *row,
    struct tw_err *err)
{
	struct ended *e = row;

	(void)err;
	e->id = tw_stmt_col_int(st, ENDED_ID);
	e->at = tw_stmt_col_int(st, ENDED_AT);
	tw_col_hash(st, ENDED_PROGRAM, e->contents[0]);
	tw_col_hash(st, ENDED_FILE, e->contents[1]);
	tw_col_hash(st, ENDED_BLOB, e->contents[2]);
	return TW_OK;
}

/* What it was of is dropped behind the last change that was of it. */
static enum tw_status drop_contents(struct tw_store *s, const struct ended *e,
    const struct ended *next, struct tw_err *err)
{
	static const uint8_t none[TW_SHA256_LEN];
	enum tw_status status = TW_OK;
	size_t i;

	for (i = 0; status == TW_OK && i < 3; i++)
		if (memcmp(e->contents[i], none, sizeof none) != 0 &&
		    (!next || memcmp(e->contents[i], next->contents[i],
		    sizeof none) != 0))
			status = tw_content_drop(s, e->contents[i], err);
	return status;
}

static enum tw_status remove_changes(struct tw_store *s,
    const struct tw_who *who, struct tw_prune *p, int limit, bool *more,
    struct tw_err *err)
{
	struct ended *rows = NULL;
	void *read = NULL;
	enum tw_status status;
	struct tw_stmt *st;
	size_t n = 0, i;

	status = get_ended(s, who, p, limit, &st, err);
	if (status == TW_OK)
		status = tw_rows_read(st, sizeof *rows, read_ended, &read, &n,
		    err);
	rows = read;
	for (i = 0; status == TW_OK && i < n; i++) {
		status = tw_tenant_run(s, who, change_sql, rows[i].id, err);
		if (status == TW_OK)
			status = drop_contents(s, &rows[i], i + 1 < n ?
			    &rows[i + 1] : NULL, err);
	}
	if (status == TW_OK && n) {
		p->ended = rows[n - 1].at;
		p->id = rows[n - 1].id;
		p->changes += (int64_t)n;
		p->in_round += (int64_t)n;
		*more = true;
	} else if (status == TW_OK && p->in_round) {
		begin_round(p);
		*more = true;
	}
	free(rows);
	return status;
}

static enum tw_status remove_some(struct tw_store *s,
    const struct tw_who *who, struct tw_prune *p, int limit, bool *more,
    struct tw_err *err)
{
	int few = limit < 10 ? 1 : limit / 10;
	struct tw_grant_used used;
	enum tw_status status;

	status = may(s, who, p, &used, err);
	if (status == TW_OK && p->through)
		status = remove_records(s, who, p, limit, more, err);
	if (status == TW_OK && !*more && !p->is_tower)
		status = remove_instances(s, who, p, few, more, err);
	if (status == TW_OK && !*more && !p->is_tower)
		status = remove_changes(s, who, p, few, more, err);
	return status;
}

enum tw_status tw_prune_some(struct tw_store *s, const struct tw_who *who,
    struct tw_prune *p, int limit, bool *more, struct tw_err *err)
{
	struct tw_prune was = *p;
	enum tw_status status;
	struct tw_tx tx;

	*more = false;
	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	status = remove_some(s, who, p, limit, more, err);
	status = tw_tx_end(&tx, status, err);
	if (status != TW_OK)
		*p = was;
	return status;
}
