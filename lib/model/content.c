/*
 * content.c - programs and files, each stored once under its SHA-256
 */
#include "model/change_private.h"

#include <stdlib.h>
#include <string.h>

static const char put_sql[] =
    "INSERT INTO content (hash, data) VALUES (?1, ?2) ON CONFLICT DO NOTHING";

enum tw_status tw_content_put(struct tw_store *s, const void *p, size_t n,
    uint8_t hash[TW_SHA256_LEN], struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	tw_sha256(p, n, hash);
	status = tw_stmt_get(s, put_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_blob(st, 1, hash, TW_SHA256_LEN);
	tw_stmt_blob(st, 2, p ? p : "", n);
	return tw_stmt_run(st, err);
}

static const char get_sql[] = "SELECT data FROM content WHERE hash = ?1";

enum tw_status tw_content_get(struct tw_store *s, const uint8_t hash[32],
    struct tw_buf *out, struct tw_err *err)
{
	uint8_t is[TW_SHA256_LEN];
	char hex[TW_SHA256_HEX];
	enum tw_status status;
	struct tw_stmt *st;
	const void *p;
	size_t n;

	tw_hex(hash, TW_SHA256_LEN, hex);
	status = tw_stmt_get(s, get_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_blob(st, 1, hash, TW_SHA256_LEN);
	status = tw_stmt_step(st, err);
	if (status == TW_NO)
		return tw_err_set(err, TW_CONFIG,
		    "the state lacks the content %s", hex);
	if (status != TW_OK)
		return status;
	p = tw_stmt_col_blob(st, 0, &n);
	tw_sha256(p, n, is);
	if (memcmp(is, hash, sizeof is) != 0) {
		status = tw_err_set(err, TW_CONFIG,
		    "the content %s was changed in the state", hex);
	} else {
		tw_buf_add(out, p ? p : "", n);
		status = tw_buf_check(out, err);
	}
	tw_stmt_reset(st);
	return status;
}

/* --- retention --------------------------------------------------------- */

static const char drop_sql[] =
    "DELETE FROM content WHERE hash = ?1"
    " AND NOT EXISTS (SELECT 1 FROM change WHERE program = ?1)"
    " AND NOT EXISTS (SELECT 1 FROM change WHERE file = ?1)"
    " AND NOT EXISTS (SELECT 1 FROM change WHERE blob = ?1)"
    " AND NOT EXISTS (SELECT 1 FROM app WHERE file = ?1)"
    " AND NOT EXISTS (SELECT 1 FROM app WHERE bundle = ?1)";

enum tw_status tw_content_drop(struct tw_store *s,
    const uint8_t hash[TW_SHA256_LEN], struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, drop_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_blob(st, 1, hash, TW_SHA256_LEN);
	return tw_stmt_run(st, err);
}

static const char source_sql[] =
    "SELECT file FROM change WHERE org_id = ?1 AND id = ?2";

enum tw_status tw_change_source(struct tw_store *s, const struct tw_who *who,
    int64_t change_id, struct tw_buf *out, struct tw_err *err)
{
	uint8_t hash[TW_SHA256_LEN];
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_change_visible(s, who, change_id, err);
	if (status == TW_OK)
		status = tw_tenant_stmt(s, who, source_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, change_id);
	status = tw_stmt_one(st, err);
	if (status != TW_OK)
		return status;
	tw_col_hash(st, 0, hash);
	tw_stmt_reset(st);
	return tw_content_get(s, hash, out, err);
}
