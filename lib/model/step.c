/*
 * step.c - what became of each step, and how far a change's stream is stored
 */
#include "model/change_private.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

void tw_step_list_free(struct tw_step *steps, size_t n)
{
	size_t i;

	for (i = 0; steps && i < n; i++) {
		free(steps[i].name);
		free(steps[i].kind);
		free(steps[i].undoable);
		free(steps[i].state);
		free(steps[i].decided);
		free(steps[i].undo_state);
	}
	free(steps);
}

/* --- reading ----------------------------------------------------------- */

#define COLUMNS \
	"SELECT k, name, kind, undoable, has_check, retries, timeout, state," \
	"    decided, coalesce(code, -1), attempts, started, ended," \
	"    undo_state, coalesce(undo_code, -1), undo_started, undo_ended," \
	"    out_bytes, out_cut, out_hash, confirm, awaited FROM step"
static const char list_sql[] =
    COLUMNS " WHERE change_id = (SELECT id FROM change WHERE org_id = ?1"
    "    AND id = ?2) ORDER BY k";
static const char list_any_sql[] = COLUMNS " WHERE change_id = ?2 ORDER BY k";
enum {
	K, NAME, KIND, UNDOABLE, HAS_CHECK, RETRIES, TIMEOUT, STATE, DECIDED,
	CODE, ATTEMPTS, STARTED, ENDED, UNDO_STATE, UNDO_CODE, UNDO_STARTED,
	UNDO_ENDED, OUT_BYTES, OUT_CUT, OUT_HASH, CONFIRM, AWAITED,
};

static enum tw_status read_row(struct tw_stmt *st, struct tw_step *step,
    struct tw_err *err)
{
	const void *hash;
	size_t n;
	bool ok;

	step->k = tw_stmt_col_int(st, K);
	step->has_check = tw_stmt_col_int(st, HAS_CHECK) != 0;
	step->retries = tw_stmt_col_int(st, RETRIES);
	step->timeout = tw_stmt_col_int(st, TIMEOUT);
	step->confirm = tw_stmt_col_int(st, CONFIRM);
	step->awaited = tw_stmt_col_int(st, AWAITED);
	step->code = tw_stmt_col_int(st, CODE);
	step->attempts = tw_stmt_col_int(st, ATTEMPTS);
	step->started = tw_stmt_col_int(st, STARTED);
	step->ended = tw_stmt_col_int(st, ENDED);
	step->undo_code = tw_stmt_col_int(st, UNDO_CODE);
	step->undo_started = tw_stmt_col_int(st, UNDO_STARTED);
	step->undo_ended = tw_stmt_col_int(st, UNDO_ENDED);
	step->out_bytes = tw_stmt_col_int(st, OUT_BYTES);
	step->out_cut = tw_stmt_col_int(st, OUT_CUT);
	hash = tw_stmt_col_blob(st, OUT_HASH, &n);
	if (n == TW_SHA256_LEN)
		tw_hex(hash, n, step->out_hash);
	ok = tw_col_dup(st, NAME, &step->name);
	ok &= tw_col_dup(st, KIND, &step->kind);
	ok &= tw_col_dup(st, UNDOABLE, &step->undoable);
	ok &= tw_col_dup(st, STATE, &step->state);
	ok &= tw_col_dup(st, DECIDED, &step->decided);
	ok &= tw_col_dup(st, UNDO_STATE, &step->undo_state);
	return ok ? TW_OK : tw_err_nomem(err);
}

enum tw_status tw_change_steps(struct tw_store *s, const struct tw_who *who,
    int64_t change_id, struct tw_step **out, size_t *n, struct tw_err *err)
{
	struct tw_step *steps;
	enum tw_status status;
	struct tw_stmt *st;
	size_t cap = 0;

	*out = NULL;
	*n = 0;
	status = tw_change_visible(s, who, change_id, err);
	if (status == TW_OK)
		status = tw_tenant_or_any(s, who, list_sql, list_any_sql, &st,
		    err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, change_id);
	while ((status = tw_stmt_step(st, err)) == TW_OK) {
		if (*n == cap) {
			cap = cap ? cap * 2 : 16;
			steps = realloc(*out, cap * sizeof *steps);
			if (!steps) {
				status = tw_err_nomem(err);
				break;
			}
			*out = steps;
		}
		memset(&(*out)[*n], 0, sizeof **out);
		status = read_row(st, &(*out)[(*n)++], err);
		if (status != TW_OK)
			break;
	}
	if (status == TW_NO)
		return TW_OK;
	tw_stmt_reset(st);
	tw_step_list_free(*out, *n);
	*out = NULL;
	*n = 0;
	return status;
}

/* What was heard last stands for when such a step began, since a step that cuts
 * the host off is faster than the news of it.  But nobody may have listened since:
 * what has not ended by then, up to that step, takes its time before it. */
static const char confirming_sql[] =
    "SELECT s.confirm, s.timeout, (SELECT sum(p.longest) FROM step p"
    "    WHERE p.change_id = c.id AND p.k <= s.k AND p.ended IS NULL),"
    "    max(c.accepted, (SELECT"
    "    max(max(coalesce(p.started, 0), coalesce(p.awaited, 0),"
    "    coalesce(p.ended, 0))) FROM step p WHERE p.change_id = c.id))"
    " FROM change c JOIN step s ON s.change_id = c.id"
    " WHERE c.host_id = ?1 AND c.status = 'running'"
    "    AND c.accepted IS NOT NULL AND c.phase = 'do'"
    "    AND s.confirm > 0 AND s.ended IS NULL ORDER BY s.k LIMIT 1";
enum {
	CONFIRMING_SPAN, CONFIRMING_TIMEOUT, CONFIRMING_AHEAD, CONFIRMING_SINCE,
};

#define CONFIRM_SLACK 30000	/* what else takes time, milliseconds */
#define CONFIRM_TRIES 10	/* in the time there is */
#define CONFIRM_EVERY_MIN 1000
#define CONFIRM_EVERY_MAX 10000

enum tw_status tw_change_confirming(struct tw_store *s, int64_t host_id,
    int64_t *until, int64_t *every, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;
	int64_t span;

	*until = *every = 0;
	status = tw_stmt_get(s, confirming_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, host_id);
	status = tw_stmt_step(st, err);
	if (status != TW_OK)
		return status;
	span = tw_stmt_col_int(st, CONFIRMING_SPAN);
	/* it runs, is waited for, and is undone */
	*until = tw_stmt_col_int(st, CONFIRMING_SINCE) +
	    tw_stmt_col_int(st, CONFIRMING_AHEAD) + span + CONFIRM_SLACK +
	    tw_stmt_col_int(st, CONFIRMING_TIMEOUT);
	*every = span / CONFIRM_TRIES;
	if (*every < CONFIRM_EVERY_MIN)
		*every = CONFIRM_EVERY_MIN;
	else if (*every > CONFIRM_EVERY_MAX)
		*every = CONFIRM_EVERY_MAX;
	tw_stmt_reset(st);
	return TW_OK;
}

/* --- writing ----------------------------------------------------------- */

static const char position_sql[] =
    "UPDATE change SET life = ?2, offset = ?3, next_event = ?4, clock = ?5,"
    "    cur_step = ?6, phase = ?7 WHERE id = ?1";

enum tw_status tw_change_save_position(struct tw_store *s,
    const struct tw_change *c, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tx_need(s, err);
	if (status == TW_OK)
		status = tw_stmt_get(s, position_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, c->id);
	tw_stmt_int(st, 2, c->life);
	tw_stmt_int(st, 3, c->offset);
	tw_stmt_int(st, 4, c->next_event);
	tw_stmt_int(st, 5, c->clock);
	tw_stmt_int(st, 6, c->cur_step);
	tw_stmt_text(st, 7, c->in_undo ? "undo" : "do");
	return tw_stmt_run(st, err);
}

/* Output counts its bytes itself; a caller that keeps count of what was cut
 * says the same number, one that doesn't says 0. */
static const char save_sql[] =
    "UPDATE step SET state = ?3, decided = ?4, code = ?5, attempts = ?6,"
    "    started = ?7, ended = ?8, undo_state = ?9, undo_code = ?10,"
    "    undo_started = ?11, undo_ended = ?12,"
    "    out_cut = max(out_cut, ?13), out_hash = coalesce(?14, out_hash),"
    "    awaited = ?15"
    " WHERE change_id = ?1 AND k = ?2";

static void bind_code(struct tw_stmt *st, int i, int64_t code)
{
	if (code < 0)
		tw_stmt_null(st, i);
	else
		tw_stmt_int(st, i, code);
}

static enum tw_status save_row(struct tw_store *s, const struct tw_change *c,
    const struct tw_step *step, const char *hash_hex, struct tw_err *err)
{
	uint8_t hash[TW_SHA256_LEN];
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, save_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, c->id);
	tw_stmt_int(st, 2, step->k);
	tw_stmt_text(st, 3, step->state);
	tw_stmt_text(st, 4, step->decided);
	bind_code(st, 5, step->code);
	tw_stmt_int(st, 6, step->attempts);
	tw_stmt_time(st, 7, step->started);
	tw_stmt_time(st, 8, step->ended);
	tw_stmt_text(st, 9, step->undo_state);
	bind_code(st, 10, step->undo_code);
	tw_stmt_time(st, 11, step->undo_started);
	tw_stmt_time(st, 12, step->undo_ended);
	tw_stmt_int(st, 13, step->out_cut);
	if (tw_unhex(hash_hex, hash, sizeof hash))
		tw_stmt_blob(st, 14, hash, sizeof hash);
	tw_stmt_time(st, 15, step->awaited);
	status = tw_stmt_run(st, err);
	if (status == TW_OK && tw_store_changes(s) != 1)
		status = tw_err_set(err, TW_BUG, "change %lld has no step "
		    "%lld", (long long)c->num, (long long)step->k);
	return status;
}

static char *step_detail(const struct tw_step *step, bool is_undo,
    const char *hash_hex)
{
	const char *state = is_undo ? step->undo_state : step->state;
	int64_t code = is_undo ? step->undo_code : step->code;
	size_t mark = tw_json_mark();
	json_t *o = json_object();
	bool failed = !o;
	char *out = NULL;

	failed |= json_object_set_new(o, "k", json_integer(step->k)) != 0;
	if (step->name)
		failed |= json_object_set_new(o, "name",
		    tw_model_text(step->name)) != 0;
	failed |= json_object_set_new(o, "state", tw_model_text(state)) != 0;
	if (!is_undo && step->decided)
		failed |= json_object_set_new(o, "decided",
		    tw_model_text(step->decided)) != 0;
	if (code >= 0)
		failed |= json_object_set_new(o, "code",
		    json_integer(code)) != 0;
	if (!is_undo)
		failed |= json_object_set_new(o, "attempts",
		    json_integer(step->attempts)) != 0;
	if (!is_undo && *hash_hex)
		failed |= json_object_set_new(o, "output_sha256",
		    json_string(hash_hex)) != 0;
	if (!failed)
		out = tw_json_dump(o, JSON_COMPACT | JSON_PRESERVE_ORDER,
		    mark);
	json_decref(o);
	return out;
}

enum tw_status tw_step_save(struct tw_store *s, const struct tw_change *c,
    const struct tw_step *step, bool audit, struct tw_err *err)
{
	bool is_undo = step->undo_state != NULL;
	char hash[TW_SHA256_HEX] = "";
	enum tw_status status;

	status = tw_tx_need(s, err);
	if (status != TW_OK)
		return status;
	memcpy(hash, step->out_hash, sizeof hash);
	if (audit && !is_undo && !*hash)
		status = tw_output_hash(s, c->id, step->k, hash, err);
	if (status == TW_OK)
		status = save_row(s, c, step, hash, err);
	if (status == TW_OK && audit)
		status = tw_change_record(s, c->org_id, TW_TOWER,
		    c->host_name, c->num, is_undo ? "step.undone" : "step.end",
		    0, step_detail(step, is_undo, hash), err);
	return status;
}
