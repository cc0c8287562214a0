/*
 * audit_private.h - a row of the audit table as it is hashed, shared by audit.c
 *                   and audit_verify.c; nobody else includes it
 */
#ifndef TW_MODEL_AUDIT_PRIVATE_H
#define TW_MODEL_AUDIT_PRIVATE_H

#include "model/model_private.h"

/* columns of every SELECT of whole records */
enum {
	AUDIT_CHAIN, AUDIT_SEQ, AUDIT_AT, AUDIT_OPERATOR, AUDIT_ACTION,
	AUDIT_HOST, AUDIT_CHANGE, AUDIT_DETAIL, AUDIT_PREV, AUDIT_HASH,
};

/* Bytes, not a C string: a NUL put in by somebody must count too. */
struct tw_audit_text {
	const void *p;
	size_t n;
	bool is_null;
};

struct tw_audit_row {
	int64_t chain, seq, at, change_num;
	bool change_is_null;
	struct tw_audit_text operator, action, host, detail;
	const uint8_t *prev;	/* TW_SHA256_LEN bytes */
};

/* May the caller look at the organisation's chain? */
enum tw_status tw_audit_may(struct tw_store *s, const struct tw_who *who,
    bool is_tower, struct tw_err *err);

/* As tw_audit_verify(), as far as the record seq, and without a permission: for
 * what is about to be pruned. */
enum tw_status tw_audit_verify_until(struct tw_store *s,
    const struct tw_who *who, bool is_tower, int64_t seq, struct tw_err *err);

#define TW_AUDIT_PRUNE "audit.prune"	/* the action of such a record */
#define TW_AUDIT_MAX ((size_t)2 << 30)	/* no record can be longer, to SQLite */

/* The record's hash; text is room for what is hashed, used again and again. */
enum tw_status tw_audit_hash(const struct tw_audit_row *r,
    struct tw_buf *text, uint8_t out[TW_SHA256_LEN], struct tw_err *err);

#endif
