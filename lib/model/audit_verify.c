/*
 * audit_verify.c - is a chain whole, and pruning it
 *
 * Verifying computes every hash anew from the bytes that are stored.  Rows are
 * read in pages so that nobody waits for it.
 */
#include "model/audit_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERIFY_ROWS 1000	/* rows read before others may write */

/* Where the chain begins: behind the anchor, or at 1. */
static const char anchor_sql[] =
    "SELECT seq, hash FROM audit_anchor WHERE chain = ?1";
enum { ANCHOR_SEQ, ANCHOR_HASH };

struct chain {			/* a walk along a chain */
	const struct tw_who *who;
	bool is_tower;
	int64_t last;		/* the record before */
	uint8_t hash[TW_SHA256_LEN];	/* and its hash */
	int64_t check_seq;
	const uint8_t *check_hash;
	bool is_checked;	/* the checkpoint was met */
	int64_t bad;		/* the first bad record, 0: none */
};

static enum tw_status find_start(struct tw_store *s, struct chain *c,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tenant_chain(s, c->who, c->is_tower, anchor_sql, &st, err);
	if (status != TW_OK)
		return status;
	status = tw_stmt_step(st, err);
	if (status == TW_NO)
		return TW_OK;
	if (status == TW_OK) {
		c->last = tw_stmt_col_int(st, ANCHOR_SEQ);
		tw_col_hash(st, ANCHOR_HASH, c->hash);
		tw_stmt_reset(st);
	}
	return status;
}

static enum tw_status bad(struct chain *c, int64_t seq, const char *what,
    struct tw_err *err)
{
	c->bad = seq;
	return tw_err_set(err, TW_NO, "record %lld %s", (long long)seq, what);
}

/* A record is where a checkpoint points: does it agree? */
static enum tw_status meet_checkpoint(struct chain *c, struct tw_err *err)
{
	if (c->check_seq == 0 || c->last != c->check_seq)
		return TW_OK;
	c->is_checked = true;
	if (memcmp(c->hash, c->check_hash, TW_SHA256_LEN) != 0)
		return bad(c, c->last, "is not the one of the checkpoint",
		    err);
	return TW_OK;
}

static void col_bytes(struct tw_stmt *st, int col, struct tw_audit_text *t)
{
	t->p = tw_stmt_col_blob(st, col, &t->n);
	t->is_null = tw_stmt_col_is_null(st, col);
}

static enum tw_status verify_row(struct chain *c, struct tw_stmt *st,
    struct tw_err *err)
{
	uint8_t prev[TW_SHA256_LEN], hash[TW_SHA256_LEN], want[TW_SHA256_LEN];
	struct tw_audit_row r = { .prev = prev,
	    .chain = tw_audit_chain(c->who, c->is_tower) };
	enum tw_status status;

	r.seq = tw_stmt_col_int(st, AUDIT_SEQ);
	if (r.seq != c->last + 1)
		return bad(c, c->last + 1, "is missing", err);
	tw_col_hash(st, AUDIT_PREV, prev);
	tw_col_hash(st, AUDIT_HASH, hash);
	if (memcmp(prev, c->hash, sizeof prev) != 0)
		return bad(c, r.seq, "does not follow the one before it", err);
	r.at = tw_stmt_col_int(st, AUDIT_AT);
	col_bytes(st, AUDIT_OPERATOR, &r.operator);
	col_bytes(st, AUDIT_ACTION, &r.action);
	col_bytes(st, AUDIT_HOST, &r.host);
	col_bytes(st, AUDIT_DETAIL, &r.detail);
	r.change_num = tw_stmt_col_int(st, AUDIT_CHANGE);
	r.change_is_null = tw_stmt_col_is_null(st, AUDIT_CHANGE);
	status = tw_audit_hash(&r, want, err);
	if (status != TW_OK)
		return status;
	if (memcmp(hash, want, sizeof hash) != 0)
		return bad(c, r.seq, "was changed", err);
	c->last = r.seq;
	memcpy(c->hash, hash, sizeof hash);
	return meet_checkpoint(c, err);
}

static const char verify_sql[] =
    "SELECT chain, seq, at, operator, action, host, change_num, detail,"
    "    prev, hash"
    " FROM audit WHERE chain = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";

/* Up to VERIFY_ROWS records; *n is how many were good. */
static enum tw_status verify_page(struct tw_store *s, struct chain *c,
    int64_t *n, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	*n = 0;
	status = tw_tenant_chain(s, c->who, c->is_tower, verify_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, c->last);
	tw_stmt_int(st, 3, VERIFY_ROWS);
	while ((status = tw_stmt_step(st, err)) == TW_OK) {
		status = verify_row(c, st, err);
		if (status != TW_OK) {
			tw_stmt_reset(st);
			return status;
		}
		++*n;
	}
	return status == TW_NO ? TW_OK : status;
}

static const char below_sql[] =
    "SELECT seq FROM audit WHERE chain = ?1 AND seq <= ?2 ORDER BY seq"
    " LIMIT 1";

/* An anchor moved up by hand would hide the records that are still there. */
static enum tw_status check_below(struct tw_store *s, struct chain *c,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tenant_chain(s, c->who, c->is_tower, below_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, c->last);
	status = tw_stmt_step(st, err);
	if (status == TW_NO)
		return TW_OK;
	if (status == TW_OK) {
		status = bad(c, tw_stmt_col_int(st, 0),
		    "stands before the anchor", err);
		tw_stmt_reset(st);
	}
	return status;
}

enum tw_status tw_audit_verify(struct tw_store *s, const struct tw_who *who,
    bool is_tower, int64_t check_seq, const uint8_t check_hash[TW_SHA256_LEN],
    int64_t *count, int64_t *first_bad, struct tw_err *err)
{
	struct chain c = { .who = who, .is_tower = is_tower,
	    .check_seq = check_seq, .check_hash = check_hash };
	enum tw_status status;
	int64_t n = 0;

	*count = *first_bad = 0;
	status = tw_audit_may(s, who, is_tower, err);
	if (status == TW_OK)
		status = find_start(s, &c, err);
	if (status == TW_OK)
		status = check_below(s, &c, err);
	if (status == TW_OK && check_seq && check_seq < c.last)
		status = bad(&c, check_seq, "of the checkpoint was pruned, so "
		    "nothing can be said about it", err);
	if (status == TW_OK)
		status = meet_checkpoint(&c, err);
	while (status == TW_OK) {
		status = verify_page(s, &c, &n, err);
		*count += n;
		if (n < VERIFY_ROWS)
			break;
	}
	if (status == TW_OK && check_seq && !c.is_checked)
		status = bad(&c, c.last + 1, "is missing: the chain ends "
		    "before the checkpoint", err);
	*first_bad = c.bad;
	return status;
}

/* --- pruning ----------------------------------------------------------- */

static const char find_sql[] =
    "SELECT hash FROM audit WHERE chain = ?1 AND seq = ?2";
static const char anchor_put_sql[] =
    "INSERT INTO audit_anchor (chain, seq, hash) VALUES (?1, ?2, ?3)"
    " ON CONFLICT (chain) DO UPDATE SET seq = excluded.seq,"
    "    hash = excluded.hash";
static const char prune_sql[] =
    "DELETE FROM audit WHERE chain = ?1 AND seq <= ?2";

static enum tw_status find_hash(struct tw_store *s, int64_t chain,
    int64_t seq, uint8_t hash[TW_SHA256_LEN], struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, find_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, chain);
	tw_stmt_int(st, 2, seq);
	status = tw_stmt_step(st, err);
	if (status == TW_NO)
		return tw_err_set(err, TW_NO, "no record %lld",
		    (long long)seq);
	if (status == TW_OK) {
		tw_col_hash(st, 0, hash);
		tw_stmt_reset(st);
	}
	return status;
}

/* The record that says so comes first: it stays, being the last. */
static enum tw_status record_prune(struct tw_store *s, int64_t chain,
    int64_t seq, const uint8_t hash[TW_SHA256_LEN], struct tw_err *err)
{
	struct tw_audit a = { .chain = chain, .operator = TW_TOWER,
	    .action = "audit.prune" };
	char number[24], hex[TW_SHA256_HEX], *detail;
	enum tw_status status;

	snprintf(number, sizeof number, "%lld", (long long)seq);
	tw_hex(hash, TW_SHA256_LEN, hex);
	detail = tw_audit_detail("through", number, "hash", hex, (char *)NULL);
	if (!detail)
		return tw_err_nomem(err);
	a.detail = detail;
	status = tw_audit_add(s, &a, err);
	free(detail);
	return status;
}

enum tw_status tw_audit_prune(struct tw_store *s, int64_t chain, int64_t seq,
    struct tw_err *err)
{
	uint8_t hash[TW_SHA256_LEN];
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tx_need(s, err);
	if (status == TW_OK)
		status = find_hash(s, chain, seq, hash, err);
	if (status == TW_OK)
		status = record_prune(s, chain, seq, hash, err);
	if (status == TW_OK)
		status = tw_stmt_get(s, anchor_put_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, chain);
	tw_stmt_int(st, 2, seq);
	tw_stmt_blob(st, 3, hash, sizeof hash);
	status = tw_stmt_run(st, err);
	if (status == TW_OK)
		status = tw_stmt_get(s, prune_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, chain);
	tw_stmt_int(st, 2, seq);
	return tw_stmt_run(st, err);
}
