/*
 * audit_verify.c - is a chain whole?
 *
 * Verifying computes every hash anew from the bytes that are stored.  Rows are
 * read in pages so that nobody waits for it.
 */
#include "model/audit_private.h"

#include <jansson.h>
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
	int64_t anchor;		/* what is pruned, 0: nothing */
	uint8_t anchor_hash[TW_SHA256_LEN];
	int64_t allowed;	/* how far prunings may have come */
	struct tw_audit_cut cut;	/* the first that allows the anchor */
	int64_t until;		/* no further than need be; 0: to the end */
	struct tw_buf text;	/* of the record at hand */
};

/* *moved: it stands behind what was verified, which is where to go on. */
static enum tw_status find_anchor(struct tw_store *s, struct chain *c,
    bool *moved, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	*moved = false;
	status = tw_tenant_chain(s, c->who, c->is_tower, anchor_sql, &st, err);
	if (status != TW_OK)
		return status;
	status = tw_stmt_step(st, err);
	if (status == TW_NO)
		return TW_OK;
	if (status != TW_OK)
		return status;
	c->anchor = tw_stmt_col_int(st, ANCHOR_SEQ);
	tw_col_hash(st, ANCHOR_HASH, c->anchor_hash);
	tw_stmt_reset(st);
	*moved = c->anchor > c->last;
	if (*moved) {
		c->last = c->anchor;
		memcpy(c->hash, c->anchor_hash, sizeof c->hash);
	}
	return TW_OK;
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
		return bad(c, c->last, W_("is not the one of the checkpoint"),
		    err);
	return TW_OK;
}

static void col_bytes(struct tw_stmt *st, int col, struct tw_audit_text *t)
{
	t->p = tw_stmt_col_blob(st, col, &t->n);
	t->is_null = tw_stmt_col_is_null(st, col);
}

/* Prunings are met in order, each behind what it names: so when the anchor moves
 * on meanwhile, who has allowed that is still to come. */
static void keep_cut(struct chain *c, const struct tw_audit_row *r, int64_t seq)
{
	int n = r->operator.n < TW_NAME_MAX ? (int)r->operator.n : TW_NAME_MAX;

	if (c->cut.seq >= c->anchor || seq < c->anchor)
		return;
	c->cut.seq = seq;
	c->cut.at = r->at;
	snprintf(c->cut.operator, sizeof c->cut.operator, "%.*s", n,
	    (const char *)r->operator.p);
}

/* A record of a pruning allows an anchor up to the record it names, which it
 * knows by its hash. */
static enum tw_status meet_prune(struct chain *c, const struct tw_audit_row *r,
    struct tw_err *err)
{
	json_t *o = json_loadb(r->detail.p, r->detail.n, 0, NULL);
	const char *through = json_string_value(json_object_get(o, "through"));
	const char *hex = json_string_value(json_object_get(o, "hash"));
	int64_t seq = through ? strtoll(through, NULL, 10) : 0;
	enum tw_status status = TW_OK;
	uint8_t hash[TW_SHA256_LEN];

	if (seq > c->allowed)
		c->allowed = seq;
	keep_cut(c, r, seq);
	if (seq && seq == c->anchor && (!hex ||
	    !tw_unhex(hex, hash, sizeof hash) ||
	    memcmp(hash, c->anchor_hash, sizeof hash) != 0))
		status = bad(c, seq, W_("was pruned, but is not the one of the "
		    "anchor"), err);
	json_decref(o);
	return status;
}

static bool is_text(const struct tw_audit_text *t, const char *want)
{
	return !t->is_null && t->n == strlen(want) &&
	    memcmp(t->p, want, t->n) == 0;
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
		return bad(c, c->last + 1, W_("is missing"), err);
	tw_col_hash(st, AUDIT_PREV, prev);
	tw_col_hash(st, AUDIT_HASH, hash);
	if (memcmp(prev, c->hash, sizeof prev) != 0)
		return bad(c, r.seq, W_("does not follow the one before it"),
		    err);
	r.at = tw_stmt_col_int(st, AUDIT_AT);
	col_bytes(st, AUDIT_OPERATOR, &r.operator);
	col_bytes(st, AUDIT_ACTION, &r.action);
	col_bytes(st, AUDIT_HOST, &r.host);
	col_bytes(st, AUDIT_DETAIL, &r.detail);
	r.change_num = tw_stmt_col_int(st, AUDIT_CHANGE);
	r.change_is_null = tw_stmt_col_is_null(st, AUDIT_CHANGE);
	status = tw_audit_hash(&r, &c->text, want, err);
	if (status != TW_OK)
		return status;
	if (memcmp(hash, want, sizeof hash) != 0)
		return bad(c, r.seq, W_("was changed"), err);
	c->last = r.seq;
	memcpy(c->hash, hash, sizeof hash);
	if (is_text(&r.action, TW_AUDIT_PRUNE))
		status = meet_prune(c, &r, err);
	return status == TW_OK ? meet_checkpoint(c, err) : status;
}

static const char verify_sql[] =
    "SELECT chain, seq, at, operator, action, host, change_num, detail,"
    "    prev, hash"
    " FROM audit WHERE chain = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";

/* Up to so many records; *n is how many were good. */
static enum tw_status verify_page(struct tw_store *s, struct chain *c,
    int64_t rows, int64_t *n, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	*n = 0;
	status = tw_tenant_chain(s, c->who, c->is_tower, verify_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, c->last);
	tw_stmt_int(st, 3, rows);
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
		    W_("stands before the anchor"), err);
		tw_stmt_reset(st);
	}
	return status;
}

/* As many as a page has, but not past where it may end. */
static int64_t rows_wanted(const struct chain *c)
{
	int64_t left = c->until - c->last;

	return left > 0 && left < VERIFY_ROWS ? left : VERIFY_ROWS;
}

/* What comes behind need not be looked at. */
static bool is_far_enough(const struct chain *c)
{
	return c->until && c->last >= c->until && c->anchor <= c->allowed;
}

/* All records there are, or as far as wanted. */
static enum tw_status verify_all(struct tw_store *s, struct chain *c,
    int64_t *count, struct tw_err *err)
{
	enum tw_status status;
	int64_t n, rows;
	bool moved;

	do {
		rows = rows_wanted(c);
		status = verify_page(s, c, rows, &n, err);
		*count += n;
		/* missing in front of a page: has it been pruned meanwhile? */
		if (status != TW_NO || n > 0 || c->bad != c->last + 1)
			continue;
		if (find_anchor(s, c, &moved, NULL) != TW_OK || !moved)
			continue;
		c->bad = 0;
		n = rows;
		status = meet_checkpoint(c, err);
	} while (status == TW_OK && n == rows && !is_far_enough(c));
	if (status == TW_OK && c->anchor > c->allowed)
		status = bad(c, c->anchor,
		    W_("is where the chain begins behind, "
		    "but no record tells of pruning that far"), err);
	return status;
}

/* From the anchor on. */
static enum tw_status verify_chain(struct tw_store *s, struct chain *c,
    int64_t *count, struct tw_err *err)
{
	enum tw_status status;
	bool moved;

	c->text.max = TW_AUDIT_MAX;
	status = find_anchor(s, c, &moved, err);
	if (status == TW_OK)
		status = check_below(s, c, err);
	if (status == TW_OK)
		status = meet_checkpoint(c, err);
	if (status == TW_OK)
		status = verify_all(s, c, count, err);
	tw_buf_release(&c->text);
	return status;
}

enum tw_status tw_audit_verify_until(struct tw_store *s,
    const struct tw_who *who, bool is_tower, int64_t seq, struct tw_err *err)
{
	struct chain c = { .who = who, .is_tower = is_tower, .until = seq };
	int64_t count = 0;

	return verify_chain(s, &c, &count, err);
}

/* The checkpoint's record is not among those that were verified. */
static enum tw_status miss_checkpoint(struct chain *c, struct tw_err *err)
{
	if (c->check_seq < c->anchor)
		return bad(c, c->check_seq,
		    W_("of the checkpoint was pruned, so "
		    "nothing can be said about it"), err);
	return bad(c, c->last + 1, W_("is missing: the chain ends before the "
	    "checkpoint"), err);
}

enum tw_status tw_audit_verify(struct tw_store *s, const struct tw_who *who,
    bool is_tower, int64_t check_seq, const uint8_t check_hash[TW_SHA256_LEN],
    int64_t *count, int64_t *first_bad, struct tw_audit_cut *cut,
    struct tw_err *err)
{
	struct chain c = { .who = who, .is_tower = is_tower,
	    .check_seq = check_seq, .check_hash = check_hash };
	enum tw_status status;

	*count = *first_bad = 0;
	if (cut)
		memset(cut, 0, sizeof *cut);
	status = tw_audit_may(s, who, is_tower, err);
	if (status == TW_OK)
		status = verify_chain(s, &c, count, err);
	if (status == TW_OK && check_seq && !c.is_checked)
		status = miss_checkpoint(&c, err);
	if (status == TW_OK && cut && c.anchor) {
		*cut = c.cut;
		cut->seq = c.anchor;
	}
	*first_bad = c.bad;
	return status;
}
