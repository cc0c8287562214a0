/*
 * secret.c - secret parameters of changes; see secret.h
 *
 * What was erased is overwritten in the state's file (secure_delete), but old
 * pages of it, sealed, may stand in the journal and on the disk for a while.
 */
#include "model/change_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_FILE "secret.key"
#define CONTEXT_MAX 128		/* "secret", a uid, a parameter's name */

static const char cannot[] = W_("secrets can't be opened");

static void make_context(const char *uid, const char *name,
    char out[CONTEXT_MAX])
{
	snprintf(out, CONTEXT_MAX, "secret %s %s", uid, name);
}

/* --- the key ------------------------------------------------------------- */

static char *key_path(struct tw_store *s)
{
	char *path;

	return asprintf(&path, "%s/" KEY_FILE, tw_store_dir(s)) < 0 ? NULL :
	    path;
}

static enum tw_status cannot_open(enum tw_status status, struct tw_err *err)
{
	if (status == TW_NOMEM || status == TW_BUG)
		return status;
	tw_err_prefix(err, "%s", cannot);
	if (err)
		err->status = TW_CONFIG;
	return TW_CONFIG;
}

static enum tw_status load_key(struct tw_store *s, struct tw_seal **out,
    struct tw_err *err)
{
	enum tw_status status;
	char *path;

	*out = NULL;
	path = key_path(s);
	if (!path)
		return tw_err_nomem(err);
	status = tw_seal_load(path, out, err);
	free(path);
	if (status == TW_NO) {
		status = cannot_open(status, err);
		tw_err_hint(err, "put it back from a copy, or end the changes "
		    "that need it: towerify-queue cancel ID");
	} else if (status != TW_OK) {
		status = cannot_open(status, err);
	}
	return status;
}

static const char sealed_sql[] =
    "SELECT EXISTS (SELECT 1 FROM secret WHERE sealed IS NOT NULL)";

enum tw_status tw_secrets_key(struct tw_store *s, struct tw_seal **out,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;
	bool is_needed;
	char *path;

	*out = NULL;
	status = tw_stmt_get(s, sealed_sql, &st, err);
	if (status == TW_OK)
		status = tw_stmt_one(st, err);
	if (status != TW_OK)
		return status;
	is_needed = tw_stmt_col_int(st, 0) != 0;
	tw_stmt_reset(st);
	if (is_needed)		/* another key would open none of them */
		return load_key(s, out, err);
	path = key_path(s);
	if (!path)
		return tw_err_nomem(err);
	status = tw_seal_make(path, out, err);
	free(path);
	return status;
}

/* --- filing --------------------------------------------------------------- */

void tw_secrets_hash(const struct tw_seal *seal, const struct tw_secret *v,
    size_t n, uint8_t out[TW_SEAL_HASH_LEN])
{
	uint8_t all[3][TW_SEAL_HASH_LEN];
	size_t i;

	/* of hashes: their lengths are fixed, so no two lists give the same */
	memset(out, 0, TW_SEAL_HASH_LEN);
	for (i = 0; i < n; i++) {
		memcpy(all[0], out, sizeof all[0]);
		tw_seal_hash(seal, v[i].name, strlen(v[i].name), all[1]);
		tw_seal_hash(seal, v[i].value, strlen(v[i].value), all[2]);
		tw_seal_hash(seal, all, sizeof all, out);
	}
}

static const char uid_sql[] = "SELECT uid FROM change WHERE id = ?1";

static enum tw_status read_uid(struct tw_store *s, int64_t change_id,
    char out[TW_ID_HEX], struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, uid_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, change_id);
	status = tw_stmt_one(st, err);
	if (status != TW_OK)
		return status;
	snprintf(out, TW_ID_HEX, "%s", tw_stmt_col_text(st, 0));
	tw_stmt_reset(st);
	return TW_OK;
}

static const char add_sql[] =
    "INSERT INTO secret (change_id, name, sealed) VALUES (?1, ?2, ?3)";

enum tw_status tw_secrets_add(struct tw_store *s, const struct tw_seal *seal,
    int64_t change_id, const struct tw_secret *v, size_t n,
    struct tw_err *err)
{
	char uid[TW_ID_HEX], context[CONTEXT_MAX];
	enum tw_status status;
	struct tw_stmt *st;
	size_t i;

	status = read_uid(s, change_id, uid, err);
	for (i = 0; status == TW_OK && i < n; i++) {
		struct tw_buf sealed = TW_BUF_INIT;

		make_context(uid, v[i].name, context);
		status = tw_seal_close(seal, context, v[i].value,
		    strlen(v[i].value), &sealed, err);
		if (status == TW_OK)
			status = tw_stmt_get(s, add_sql, &st, err);
		if (status == TW_OK) {
			tw_stmt_int(st, 1, change_id);
			tw_stmt_text(st, 2, v[i].name);
			tw_stmt_blob(st, 3, sealed.data, sealed.len);
			status = tw_stmt_run(st, err);
		}
		tw_buf_release(&sealed);
	}
	return status;
}

static const char erase_sql[] =
    "UPDATE secret SET sealed = NULL"
    " WHERE change_id = ?1 AND sealed IS NOT NULL";

enum tw_status tw_secrets_erase(struct tw_store *s, int64_t change_id,
    struct tw_err *err)
{
	return tw_run_int(s, erase_sql, change_id, err);
}

/* --- reading ---------------------------------------------------------------- */

static const char count_sql[] =
    "SELECT count(*) FROM secret WHERE change_id = ?1";
static const char read_sql[] =
    "SELECT name, sealed FROM secret WHERE change_id = ?1 ORDER BY name";
enum { READ_NAME, READ_SEALED };

static enum tw_status count(struct tw_store *s, int64_t change_id, size_t *n,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	*n = 0;
	status = tw_stmt_get(s, count_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, change_id);
	status = tw_stmt_one(st, err);
	if (status != TW_OK)
		return status;
	*n = (size_t)tw_stmt_col_int(st, 0);
	tw_stmt_reset(st);
	return TW_OK;
}

/* The row that st stands on. */
static enum tw_status open_row(struct tw_stmt *st, const struct tw_change *c,
    const struct tw_seal *seal, struct tw_secret *out, struct tw_err *err)
{
	struct tw_buf value = { .is_secret = true };
	const char *name = tw_stmt_col_text(st, READ_NAME);
	char context[CONTEXT_MAX];
	enum tw_status status;
	const void *sealed;
	size_t len;

	if (tw_stmt_col_is_null(st, READ_SEALED))
		return tw_err_set(err, TW_NO, "change %lld has ended",
		    (long long)c->num);
	make_context(c->uid, name, context);
	sealed = tw_stmt_col_blob(st, READ_SEALED, &len);
	status = tw_seal_open(seal, context, sealed, len, &value, err);
	if (status == TW_CONFIG) {
		tw_err_prefix(err, "'%s' of change %lld", name,
		    (long long)c->num);
		status = cannot_open(status, err);
	}
	if (status == TW_OK && (!(out->name = strdup(name)) ||
	    !(out->value = tw_buf_detach(&value))))
		status = tw_err_nomem(err);
	tw_buf_release(&value);
	return status;
}

static enum tw_status open_all(struct tw_store *s, const struct tw_change *c,
    const struct tw_seal *seal, struct tw_secrets *out, size_t n,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, read_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, c->id);
	while (out->n < n && (status = tw_stmt_step(st, err)) == TW_OK) {
		status = open_row(st, c, seal, &out->v[out->n], err);
		out->n++;
		if (status != TW_OK)
			break;
	}
	tw_stmt_reset(st);
	return status;
}

enum tw_status tw_secrets_open(struct tw_store *s, const struct tw_change *c,
    struct tw_secrets *out, struct tw_err *err)
{
	struct tw_seal *seal = NULL;
	enum tw_status status;
	size_t n;

	memset(out, 0, sizeof *out);
	status = count(s, c->id, &n, err);
	if (status != TW_OK || n == 0)
		return status;
	out->v = calloc(n, sizeof *out->v);
	if (!out->v)
		return tw_err_nomem(err);
	status = load_key(s, &seal, err);
	if (status == TW_OK)
		status = open_all(s, c, seal, out, n, err);
	tw_seal_free(seal);
	if (status != TW_OK)
		tw_secrets_release(out);
	return status;
}

void tw_secrets_release(struct tw_secrets *v)
{
	size_t i;

	for (i = 0; i < v->n; i++) {
		char *value = (char *)v->v[i].value;

		if (value)
			tw_seal_wipe(value, strlen(value));
		free(value);
		free((char *)v->v[i].name);
	}
	free(v->v);
	v->v = NULL;
	v->n = 0;
}

static enum tw_status read_names(struct tw_store *s, int64_t change_id,
    char **names, size_t n, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;
	size_t i = 0;

	status = tw_stmt_get(s, read_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, change_id);
	while (i < n && status == TW_OK) {
		status = tw_stmt_step(st, err);
		if (status == TW_OK &&
		    !tw_col_dup(st, READ_NAME, &names[i++]))
			status = tw_err_nomem(err);
	}
	tw_stmt_reset(st);
	return status == TW_NO ? TW_OK : status;
}

enum tw_status tw_secrets_names(struct tw_store *s, const struct tw_who *who,
    int64_t change_id, char ***out, struct tw_err *err)
{
	enum tw_status status;
	size_t n;

	*out = NULL;
	status = tw_change_visible(s, who, change_id, err);
	if (status == TW_OK)
		status = count(s, change_id, &n, err);
	if (status != TW_OK)
		return status;
	*out = calloc(n + 1, sizeof **out);
	if (!*out)
		return tw_err_nomem(err);
	status = read_names(s, change_id, *out, n, err);
	if (status != TW_OK) {
		tw_strv_free(*out);
		*out = NULL;
	}
	return status;
}
