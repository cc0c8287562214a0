/*
 * output.c - the output of steps: raw bytes in chunks, and how long they stay
 *
 * How much of a step's output is kept is decided on the host; nothing is capped
 * here.
 */
#include "model/change_private.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_MAX 65536		/* bytes; the schema checks it */
#define PAGE_CHUNKS 16		/* 1 MiB at most */

/* --- adding ------------------------------------------------------------ */

static const char add_sql[] =
    "INSERT INTO output (change_id, k, phase, at, cut, data)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
static const char count_sql[] =
    "UPDATE step SET out_bytes = out_bytes + ?3, out_cut = out_cut + ?4"
    " WHERE change_id = ?1 AND k = ?2";

static enum tw_status count_output(struct tw_store *s, int64_t change_id,
    int64_t k, size_t n, int64_t cut, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, count_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, change_id);
	tw_stmt_int(st, 2, k);
	tw_stmt_int(st, 3, (int64_t)n);
	tw_stmt_int(st, 4, cut);
	return tw_stmt_run(st, err);
}

enum tw_status tw_output_add(struct tw_store *s, const struct tw_change *c,
    int64_t k, bool in_undo, int64_t at, int64_t cut, const void *p, size_t n,
    struct tw_err *err)
{
	const char *from = n ? p : "";
	size_t done = 0, len;
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tx_need(s, err);
	if (status != TW_OK || (n == 0 && cut == 0))
		return status;
	do {
		len = n - done < CHUNK_MAX ? n - done : CHUNK_MAX;
		status = tw_stmt_get(s, add_sql, &st, err);
		if (status != TW_OK)
			return status;
		tw_stmt_int(st, 1, c->id);
		tw_stmt_int(st, 2, k);
		tw_stmt_text(st, 3, in_undo ? "undo" : "do");
		tw_stmt_int(st, 4, at);
		tw_stmt_int(st, 5, done ? 0 : cut);
		tw_stmt_blob(st, 6, from + done, len);
		status = tw_stmt_run(st, err);
		done += len;
	} while (status == TW_OK && done < n);
	if (status == TW_OK)
		status = count_output(s, c->id, k, n, cut, err);
	return status;
}

/* --- reading ----------------------------------------------------------- */

static const char each_sql[] =
    "SELECT id, k, phase = 'undo', at, cut, data FROM output"
    " WHERE change_id = (SELECT id FROM change WHERE org_id = ?1 AND id = ?4)"
    "    AND id > ?2 ORDER BY id LIMIT ?3";
enum { ID, K, IN_UNDO, AT, CUT, DATA };

static enum tw_status read_chunk(struct tw_stmt *st, struct tw_output *o,
    struct tw_err *err)
{
	const void *p;
	void *copy;

	o->id = tw_stmt_col_int(st, ID);
	o->k = tw_stmt_col_int(st, K);
	o->in_undo = tw_stmt_col_int(st, IN_UNDO) != 0;
	o->at = tw_stmt_col_int(st, AT);
	o->cut = tw_stmt_col_int(st, CUT);
	p = tw_stmt_col_blob(st, DATA, &o->len);
	copy = malloc(o->len + 1);
	o->data = copy;
	if (!copy)
		return tw_err_nomem(err);
	if (o->len)
		memcpy(copy, p, o->len);
	return TW_OK;
}

static enum tw_status read_page(struct tw_store *s, const struct tw_who *who,
    int64_t change_id, int64_t after, struct tw_output *page, size_t *n,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	*n = 0;
	status = tw_tenant_stmt(s, who, each_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, after);
	tw_stmt_int(st, 3, PAGE_CHUNKS);
	tw_stmt_int(st, 4, change_id);
	while ((status = tw_stmt_step(st, err)) == TW_OK) {
		status = read_chunk(st, &page[*n], err);
		++*n;
		if (status != TW_OK) {
			tw_stmt_reset(st);
			return status;
		}
	}
	return status == TW_NO ? TW_OK : status;
}

enum tw_status tw_output_each(struct tw_store *s, const struct tw_who *who,
    int64_t change_id, int64_t *after,
    enum tw_status (*fn)(void *arg, const struct tw_output *o,
    struct tw_err *err), void *arg, struct tw_err *err)
{
	struct tw_output page[PAGE_CHUNKS];
	enum tw_status status;
	size_t i, n;

	status = tw_change_visible(s, who, change_id, err);
	if (status != TW_OK)
		return status;
	do {
		status = read_page(s, who, change_id, *after, page, &n, err);
		for (i = 0; i < n; i++) {
			if (status == TW_OK) {
				*after = page[i].id;
				status = fn(arg, &page[i], err);
			}
			free((void *)page[i].data);
		}
	} while (status == TW_OK && n == PAGE_CHUNKS);
	return status;
}

static const char hash_sql[] =
    "SELECT data FROM output WHERE change_id = ?1 AND k = ?2 AND phase = 'do'"
    " ORDER BY id";

enum tw_status tw_output_hash(struct tw_store *s, int64_t change_id, int64_t k,
    char out[65], struct tw_err *err)
{
	uint8_t digest[TW_SHA256_LEN];
	enum tw_status status;
	struct tw_sha256 *h;
	struct tw_stmt *st;
	size_t total = 0, n;
	const void *p;

	out[0] = '\0';
	h = tw_sha256_new();
	if (!h)
		return tw_err_nomem(err);
	status = tw_stmt_get(s, hash_sql, &st, err);
	if (status != TW_OK)
		goto out;
	tw_stmt_int(st, 1, change_id);
	tw_stmt_int(st, 2, k);
	while ((status = tw_stmt_step(st, err)) == TW_OK) {
		p = tw_stmt_col_blob(st, 0, &n);
		tw_sha256_add(h, p, n);
		total += n;
	}
	if (status != TW_NO)
		goto out;
	status = TW_OK;
	if (total) {
		tw_sha256_get(h, digest);
		tw_hex(digest, sizeof digest, out);
	}
out:
	tw_sha256_free(h);
	return status;
}
