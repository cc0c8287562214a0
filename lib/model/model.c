/*
 * model.c - the small things that every file of the model needs: transactions
 *           that may be nested in the caller's, columns copied, lists for SQL
 */
#include "model/model_private.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum tw_status tw_tx_begin(struct tw_tx *tx, struct tw_store *s,
    struct tw_err *err)
{
	tx->store = s;
	tx->is_own = !tw_store_in_tx(s);
	return tx->is_own ? tw_store_begin(s, err) : TW_OK;
}

enum tw_status tw_tx_end(struct tw_tx *tx, enum tw_status status,
    struct tw_err *err)
{
	if (!tx->is_own)
		return status;
	if (status == TW_OK)
		return tw_store_commit(tx->store, err);
	tw_store_rollback(tx->store);
	return status;
}

enum tw_status tw_tx_need(struct tw_store *s, struct tw_err *err)
{
	if (tw_store_in_tx(s))
		return TW_OK;
	return tw_err_set(err, TW_BUG, "no transaction is open");
}

bool tw_text_dup(const char *s, char **out)
{
	*out = s ? strdup(s) : NULL;
	return !s || *out;
}

bool tw_col_dup(struct tw_stmt *st, int c, char **out)
{
	return tw_text_dup(tw_stmt_col_is_null(st, c) ? NULL :
	    tw_stmt_col_text(st, c), out);
}

void tw_col_hash(struct tw_stmt *st, int c, uint8_t out[TW_SHA256_LEN])
{
	const void *p;
	size_t n;

	p = tw_stmt_col_blob(st, c, &n);
	if (n == TW_SHA256_LEN)
		memcpy(out, p, n);
	else
		memset(out, 0, TW_SHA256_LEN);
}

enum tw_status tw_stmt_one(struct tw_stmt *st, struct tw_err *err)
{
	enum tw_status status = tw_stmt_step(st, err);

	if (status == TW_NO)
		return tw_err_set(err, TW_CONFIG,
		    "the state lacks a row that must be there");
	return status;
}

enum tw_status tw_rows_read(struct tw_stmt *st, size_t size,
    enum tw_status (*read)(struct tw_stmt *st, void *row, struct tw_err *err),
    void **out, size_t *n, struct tw_err *err)
{
	enum tw_status status;
	char *more, *row;
	size_t cap = 0;

	*out = NULL;
	*n = 0;
	while ((status = tw_stmt_step(st, err)) == TW_OK) {
		if (*n == cap) {
			cap = cap ? cap * 2 : 16;
			more = reallocarray(*out, cap, size);
			if (!more) {
				status = tw_err_nomem(err);
				break;
			}
			*out = more;
		}
		row = (char *)*out + (*n)++ * size;
		memset(row, 0, size);
		status = read(st, row, err);
		if (status != TW_OK)
			break;
	}
	if (status == TW_NO)
		return TW_OK;
	tw_stmt_reset(st);
	return status;
}

enum tw_status tw_run_int(struct tw_store *s, const char *sql, int64_t v,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, v);
	return tw_stmt_run(st, err);
}

enum tw_status tw_ids_add(struct tw_ids *ids, int64_t id, struct tw_err *err)
{
	size_t cap = ids->cap ? ids->cap * 2 : 64;
	int64_t *more;

	if (ids->n == ids->cap) {
		more = reallocarray(ids->v, cap, sizeof *more);
		if (!more)
			return tw_err_nomem(err);
		ids->v = more;
		ids->cap = cap;
	}
	ids->v[ids->n++] = id;
	return TW_OK;
}

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

enum tw_status tw_ids_read(struct tw_ids *ids, struct tw_stmt *st,
    struct tw_err *err)
{
	enum tw_status status;

	while ((status = tw_stmt_step(st, err)) == TW_OK) {
		status = tw_ids_add(ids, tw_stmt_col_int(st, 0), err);
		if (status != TW_OK) {
			tw_stmt_reset(st);
			return status;
		}
	}
	if (ids->n)
		qsort(ids->v, ids->n, sizeof *ids->v, by_number);
	return status == TW_NO ? TW_OK : status;
}

enum tw_status tw_look_behind(struct tw_stmt *st, int64_t *after,
    bool *is_last, struct tw_err *err)
{
	enum tw_status status;

	tw_stmt_int(st, 2, *after);
	tw_stmt_int(st, 3, TW_LOOK_ROWS);
	status = tw_stmt_step(st, err);
	*is_last = status == TW_NO;
	if (status != TW_OK)
		return status == TW_NO ? TW_OK : status;
	*after = tw_stmt_col_int(st, 0) - 1;
	tw_stmt_reset(st);
	return TW_OK;
}

char *tw_json_ids(const int64_t *ids, size_t n)
{
	struct tw_buf b = TW_BUF_INIT;
	size_t i;

	tw_buf_addc(&b, '[');
	for (i = 0; i < n; i++)
		tw_buf_addf(&b, "%s%lld", i ? "," : "", (long long)ids[i]);
	tw_buf_addc(&b, ']');
	return tw_buf_detach(&b);
}

struct json_t *tw_model_text(const char *s)
{
	json_t *v = json_string(s);
	char *copy, *at;

	if (v)
		return v;
	copy = strdup(s);
	if (!copy)
		return NULL;
	for (at = copy; *at; at++)
		if ((unsigned char)*at >= 0x80)
			*at = '?';
	v = json_string(copy);
	free(copy);
	return v;
}

char *tw_json_names(const char *const *names)
{
	size_t mark = tw_json_mark();
	json_t *array = json_array();
	bool failed = !array;
	char *out = NULL;
	size_t i;

	for (i = 0; !failed && names[i]; i++)
		failed = json_array_append_new(array,
		    tw_model_text(names[i])) != 0;
	if (!failed)
		out = tw_json_dump(array, JSON_COMPACT, mark);
	json_decref(array);
	return out;
}
