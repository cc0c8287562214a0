/*
 * audit.h - the audit trail: one hash chain per organisation, one for the tower
 *
 * Anybody can verify an export.  A record's hash is the SHA-256 of these fields
 * in this order: the text "towerify-audit-1", chain, seq, at, operator, action,
 * host, change_num, detail, prev.  Each field is written as a netstring: its
 * length in bytes (decimal), ":", its bytes, ","; one that is absent (NULL) as
 * "-,".  Numbers are decimal, at is milliseconds since 1970 UTC, detail is the
 * text as it is stored (not parsed and written again), prev is the hash of the
 * record before in lower-case hexadecimal.  The first record of a chain has
 * seq 1 and a prev of 64 zeros.  "alice filed change 12 for web1" hashes
 *	16:towerify-audit-1,1:1,2:42,13:1790000000000,5:alice,11:change.file,
 *	4:web1,2:12,2:{},64:…,
 * without the line's break.
 *
 * The chain shows what was changed, put in or taken out, but at its end: that
 * records are missing there shows only against a checkpoint kept elsewhere, and
 * so does a chain that was computed anew as a whole.  Where its beginning was
 * pruned, that is as trustworthy as the record which allows it: nothing else
 * vouches for what has gone but an export or a checkpoint kept elsewhere.
 */
#ifndef TW_MODEL_AUDIT_H
#define TW_MODEL_AUDIT_H

#include "base/buf.h"
#include "base/hash.h"
#include "base/name.h"
#include "model/who.h"

#define TW_AUDIT_TOWER 0	/* the number of the tower's own chain */

struct tw_audit {		/* a record; strings live for the callback */
	int64_t chain;
	int64_t seq;
	int64_t at;
	const char *operator;
	const char *action;
	const char *host;	/* or NULL */
	int64_t change_num;	/* 0: none */
	const char *detail;	/* a JSON object, never NULL */
	uint8_t prev[TW_SHA256_LEN], hash[TW_SHA256_LEN];
};

/* Appends a record within the transaction that is open (TW_BUG when none is):
 * a->chain, operator, action, host, change_num, detail (NULL: "{}") and at (0:
 * now) are read; seq and hashes are made here. */
enum tw_status tw_audit_add(struct tw_store *s, const struct tw_audit *a,
    struct tw_err *err);

/* A small JSON object for .detail from NULL-terminated key, value pairs of
 * strings (a NULL value is left out); malloc'd, NULL: no memory. */
char *tw_audit_detail(const char *key, ...) __attribute__((sentinel));

/* Looking needs the permission `audit' in the caller's organisation, whose
 * chain it is; is_tower: the tower's own, for its administrators alone. */

struct tw_audit_filter {	/* zeroed: everything of the organisation */
	bool is_tower;
	int64_t since;
	int64_t until;	/* before that; 0: no end */
	int64_t after;		/* a record's number: those behind it */
	const char *const *hosts;	/* names, NULL-terminated; NULL: any */
	const char *operator;
	int64_t change_num;
	int64_t seq;		/* only this one */
};
/* Calls fn for each record in order.  Rows are read in pages and no statement
 * is open while fn runs; fn returns other than TW_OK to stop with that. */
enum tw_status tw_audit_each(struct tw_store *s, const struct tw_who *who,
    const struct tw_audit_filter *f,
    enum tw_status (*fn)(void *arg, const struct tw_audit *a,
    struct tw_err *err), void *arg, struct tw_err *err);

struct tw_audit_cut {		/* where a chain begins */
	int64_t seq;		/* the last record pruned; 0: none */
	/* the pruning that allowed it */
	int64_t at;
	char operator[TW_NAME_MAX + 1];
};

/* Is the chain whole, from its beginning or from where a pruning left it
 * (prune.h)?  TW_OK; TW_NO with the first bad record in err and *bad.  count:
 * records verified.  With a checkpoint (check_seq > 0) the record of that number
 * must still have that hash: truncation shows; TW_NO too when it was pruned, once
 * the rest was verified.  cut may be NULL; it is filled when the chain is whole. */
enum tw_status tw_audit_verify(struct tw_store *s, const struct tw_who *who,
    bool is_tower, int64_t check_seq, const uint8_t check_hash[TW_SHA256_LEN],
    int64_t *count, int64_t *bad, struct tw_audit_cut *cut,
    struct tw_err *err);

/* The last record's seq and hash (0 and zeros when empty; the anchor's when all
 * before it was pruned). */
enum tw_status tw_audit_head(struct tw_store *s, const struct tw_who *who,
    bool is_tower, int64_t *seq, uint8_t hash[TW_SHA256_LEN],
    struct tw_err *err);

/* The number of the chain, as it is hashed: 0 is the tower's, else it is the
 * organisation's id. */
int64_t tw_audit_chain(const struct tw_who *who, bool is_tower);

#endif
