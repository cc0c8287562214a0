/*
 * change_file.c - filing: one change for each of many hosts, in one transaction
 *
 * A key makes filing repeatable: the same again files nothing.  What counts as
 * the same is hashed once and kept with each change.
 */
#include "model/change_private.h"
#include "model/instance_private.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

struct batch {			/* one filing under way */
	const struct tw_who *who;
	const struct tw_filing *const *each;	/* n, one for each host */
	const struct tw_filing *f;	/* the one at hand, at first the first */
	const struct tw_host *hosts;
	size_t n;
	uint8_t file[TW_SHA256_LEN], program[TW_SHA256_LEN],
	    blob[TW_SHA256_LEN];	/* of f */
	uint8_t hash[TW_SHA256_LEN];	/* of all that must be the same */
	struct tw_grant_used *used;	/* n: what allows it on each host */
	struct tw_grant_used *login;	/* n: and the successor; or NULL */
	struct tw_seal *seal;		/* NULL: there are no secrets */
	int64_t now;
	int64_t first;			/* the first number */
};

/* --- the key ----------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	const struct tw_host *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static void add_bytes(struct tw_sha256 *h, const void *p, size_t n)
{
	uint64_t len = n;

	tw_sha256_add(h, &len, sizeof len);
	tw_sha256_add(h, p, n);
}

static void add_int(struct tw_sha256 *h, int64_t v)
{
	add_bytes(h, &v, sizeof v);
}

static void add_secrets(struct tw_sha256 *h, const struct batch *b)
{
	const struct tw_filing *f = b->f;
	uint8_t hash[TW_SEAL_HASH_LEN];

	if (!b->seal || (f->asked && !f->napart))
		return;
	if (f->asked)
		tw_secrets_hash(b->seal, f->apart, f->napart, hash);
	else
		tw_secrets_hash(b->seal, f->secrets, f->nsecrets, hash);
	add_bytes(h, hash, sizeof hash);
}

static enum tw_status add_hosts(struct tw_sha256 *h, const struct batch *b,
    struct tw_err *err)
{
	const struct tw_host **sorted = calloc(b->n + 1, sizeof *sorted);
	size_t i;

	if (!sorted)
		return tw_err_nomem(err);
	for (i = 0; i < b->n; i++)
		sorted[i] = &b->hosts[i];
	qsort(sorted, b->n, sizeof *sorted, by_name);
	add_int(h, (int64_t)b->n);
	for (i = 0; i < b->n; i++)
		add_bytes(h, sorted[i]->name, strlen(sorted[i]->name));
	free(sorted);
	return TW_OK;
}

/* The hosts in any order, the file and what it names, parameters, times,
 * options.  Not the program: another version may write it differently. */
static enum tw_status hash_batch(struct batch *b, struct tw_err *err)
{
	const struct tw_filing *f = b->f;
	const char *times = f->times ? f->times : "";
	struct tw_sha256 *h = tw_sha256_new();
	enum tw_status status = TW_OK;

	if (!h)
		return tw_err_nomem(err);
	if (f->asked) {
		add_bytes(h, f->asked, strlen(f->asked));
	} else {
		status = add_hosts(h, b, err);
		add_bytes(h, f->params, strlen(f->params));
		add_bytes(h, f->file, f->file_len);
		add_bytes(h, f->blob, f->blob_len);
	}
	add_bytes(h, times, strlen(times));
	add_int(h, f->hold_after_failure);
	add_int(h, f->retry_of);
	add_secrets(h, b);
	tw_sha256_get(h, b->hash);
	tw_sha256_free(h);
	return status;
}

struct filed {			/* a change filed under the key before */
	char *host, *app;	/* app NULL: of none */
	int64_t num;
};

struct before {			/* all of them; release with before_release() */
	struct filed *rows;
	size_t n;
};

static void before_release(struct before *f)
{
	size_t i;

	for (i = 0; i < f->n; i++) {
		free(f->rows[i].host);
		free(f->rows[i].app);
	}
	free(f->rows);
}

static int by_host(const void *a, const void *b)
{
	const struct filed *x = a, *y = b;

	return strcmp(x->host, y->host);
}

/* The + keeps to the index of keys. */
static const char key_sql[] =
    "SELECT host_name, num, batch_hash, app FROM change"
    " WHERE org_id = ?1 AND batch_key = ?2 ORDER BY +num";
enum { KEY_HOST, KEY_NUM, KEY_HASH, KEY_APP };

/* The number only to who may see that change. */
static enum tw_status key_taken(struct tw_store *s, const struct batch *b,
    int64_t num, struct tw_err *err)
{
	struct tw_change c = { 0 };
	enum tw_status status;

	status = tw_change_get(s, b->who, num, &c, err);
	tw_change_release(&c);
	if (status != TW_OK && status != TW_NO)
		return status;
	if (status == TW_OK)
		return tw_err_set(err, TW_NO, "the key '%s' was used for "
		    "something else (change %lld)", b->f->key, (long long)num);
	return tw_err_set(err, TW_NO, "the key '%s' was used for something "
	    "else", b->f->key);
}

static enum tw_status read_one(struct tw_stmt *st, struct before *f,
    struct tw_err *err)
{
	struct filed *more = reallocarray(f->rows, f->n + 1, sizeof *more);

	if (!more)
		return tw_err_nomem(err);
	f->rows = more;
	more += f->n++;
	memset(more, 0, sizeof *more);
	more->num = tw_stmt_col_int(st, KEY_NUM);
	return tw_col_dup(st, KEY_HOST, &more->host) &&
	    tw_col_dup(st, KEY_APP, &more->app) ? TW_OK : tw_err_nomem(err);
}

/* What was filed under the key, by host; TW_NO: something else was. */
static enum tw_status read_filed(struct tw_store *s, const struct batch *b,
    struct before *f, struct tw_err *err)
{
	uint8_t hash[TW_SHA256_LEN];
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_tenant_stmt(s, b->who, key_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_text(st, 2, b->f->key);
	while ((status = tw_stmt_step(st, err)) == TW_OK) {
		tw_col_hash(st, KEY_HASH, hash);
		if (memcmp(hash, b->hash, sizeof hash) != 0)
			status = key_taken(s, b, tw_stmt_col_int(st, KEY_NUM),
			    err);
		else
			status = read_one(st, f, err);
		if (status != TW_OK) {
			tw_stmt_reset(st);
			return status;
		}
	}
	if (f->n)
		qsort(f->rows, f->n, sizeof *f->rows, by_host);
	return status == TW_NO ? TW_OK : status;
}

static const struct filed *on_host(const struct before *f, const char *host)
{
	const struct filed want = { .host = (char *)host };

	return f->n ? bsearch(&want, f->rows, f->n, sizeof *f->rows, by_host) :
	    NULL;
}

/* Was this filed under the key before?  Then *again, and its numbers in the
 * order of the hosts; 0: that host had nothing to do. */
static enum tw_status find_again(struct tw_store *s, const struct batch *b,
    struct before *f, int64_t *nums, bool *again, struct tw_err *err)
{
	const struct filed *row;
	enum tw_status status;
	size_t i;

	status = read_filed(s, b, f, err);
	if (status != TW_OK || f->n == 0)
		return status;
	*again = true;
	for (i = 0; i < b->n; i++) {
		row = on_host(f, b->hosts[i].name);
		nums[i] = row ? row->num : 0;
	}
	return TW_OK;
}

/* Who asks for what was filed before must have the right to file it. */
static enum tw_status permit_before(struct tw_store *s, const struct batch *b,
    const struct before *f, struct tw_err *err)
{
	struct tw_host *hosts = calloc(b->n + 1, sizeof *hosts);
	const char **apps = calloc(b->n + 1, sizeof *apps);
	enum tw_status status = TW_OK;
	const struct filed *row;
	size_t n = 0, i;

	if (!hosts || !apps)
		status = tw_err_nomem(err);
	for (i = 0; status == TW_OK && i < b->n; i++) {
		row = on_host(f, b->hosts[i].name);
		if (!row)
			continue;
		hosts[n] = b->hosts[i];	/* borrowed */
		apps[n++] = row->app;
	}
	if (status == TW_OK)
		status = tw_host_permit_apps(s, b->who, TW_MAY_DEPLOY, apps,
		    hosts, n, NULL, err);
	free(hosts);
	free(apps);
	return status;
}

/* --- rows -------------------------------------------------------------- */

static const char number_sql[] =
    "SELECT next_change FROM org WHERE id = ?1";
static const char number_up_sql[] =
    "UPDATE org SET next_change = next_change + ?2 WHERE id = ?1";

static enum tw_status take_numbers(struct tw_store *s, struct batch *b,
    struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;

	status = tw_stmt_get(s, number_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, b->who->org_id);
	status = tw_stmt_one(st, err);
	if (status != TW_OK)
		return status;
	b->first = tw_stmt_col_int(st, 0);
	tw_stmt_reset(st);
	status = tw_stmt_get(s, number_up_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 1, b->who->org_id);
	tw_stmt_int(st, 2, (int64_t)b->n);
	return tw_stmt_run(st, err);
}

static enum tw_status put_contents(struct tw_store *s, struct batch *b,
    struct tw_err *err)
{
	const struct tw_filing *f = b->f;
	enum tw_status status;

	status = tw_content_put(s, f->program, f->program_len, b->program,
	    err);
	if (status == TW_OK)
		status = tw_content_put(s, f->file, f->file_len, b->file, err);
	if (status == TW_OK && f->blob_len)
		status = tw_content_put(s, f->blob, f->blob_len, b->blob, err);
	return status;
}

static void set_time(json_t *o, const char *key, int64_t t, bool *failed)
{
	char text[TW_TIME_MAX];

	if (!t)
		return;
	tw_time_rfc3339(t, text);
	*failed |= json_object_set_new(o, key, json_string(text)) != 0;
}

static void set_text(json_t *o, const char *key, const char *v, bool *failed)
{
	if (v)
		*failed |= json_object_set_new(o, key, tw_model_text(v)) != 0;
}

static void set_successor(json_t *o, const struct tw_successor *s,
    bool *failed)
{
	struct tw_buf b = TW_BUF_INIT;

	if (s && tw_successor_is_there(s)) {
		tw_successor_describe(s, &b);
		set_text(o, "successor", tw_buf_str(&b), failed);
	}
	*failed |= b.failed;
	tw_buf_release(&b);
}

/* The audit row's of one host, malloc'd; NULL: no memory. */
static char *make_detail(const struct batch *b,
    const struct tw_grant_used *used, const struct tw_grant_used *login)
{
	char file[TW_SHA256_HEX], program[TW_SHA256_HEX];
	const struct tw_filing *f = b->f;
	size_t mark = tw_json_mark();
	json_t *o = json_object();
	bool failed = !o;
	char *out = NULL;

	tw_hex(b->file, sizeof b->file, file);
	tw_hex(b->program, sizeof b->program, program);
	set_text(o, "title", f->title, &failed);
	if (f->act) {
		set_text(o, "app", f->act->app, &failed);
		set_text(o, "version", f->act->version, &failed);
		set_text(o, "action", tw_instance_action_name(f->act->action),
		    &failed);
		set_text(o, "instance", f->act->instance, &failed);
	}
	set_text(o, "reason", f->why, &failed);
	set_text(o, "key", f->key, &failed);
	set_text(o, "file", file, &failed);
	set_text(o, "program", program, &failed);
	set_successor(o, f->successor, &failed);
	set_time(o, "not_before", f->not_before, &failed);
	set_time(o, "not_after", f->not_after, &failed);
	set_text(o, "after_failure", f->hold_after_failure ? "hold" : NULL,
	    &failed);
	set_text(o, "grant", used->text, &failed);
	set_text(o, "host_grant", login ? login->text : NULL, &failed);
	if (!failed)
		out = tw_json_dump(o, JSON_COMPACT | JSON_PRESERVE_ORDER,
		    mark);
	json_decref(o);
	return out;
}

/* The host must still be there; a clock set back must not let this change
 * overtake those filed before it. */
static const char latest_sql[] =
    "SELECT name, (SELECT filed FROM change WHERE host_id = h.id"
    "    ORDER BY id DESC LIMIT 1) FROM host h"
    " WHERE h.org_id = ?1 AND h.id = ?2";
enum { LATEST_NAME, LATEST_FILED };

static enum tw_status find_latest(struct tw_store *s, const struct batch *b,
    const struct tw_host *h, int64_t *filed, struct tw_err *err)
{
	enum tw_status status;
	struct tw_stmt *st;
	int64_t latest;

	status = tw_tenant_stmt(s, b->who, latest_sql, &st, err);
	if (status != TW_OK)
		return status;
	tw_stmt_int(st, 2, h->id);
	status = tw_stmt_step(st, err);
	if (status == TW_OK) {
		latest = tw_stmt_col_int(st, LATEST_FILED);
		*filed = latest > b->now ? latest : b->now;
		if (strcmp(tw_stmt_col_text(st, LATEST_NAME), h->name) != 0)
			status = TW_NO;
		tw_stmt_reset(st);
	}
	if (status == TW_NO)
		tw_err_set(err, TW_NO, "no host '%s'", h->name);
	return status;
}

static const char insert_sql[] =
    "INSERT INTO change (org_id, num, uid, nonce, host_id, host_name,"
    "    operator_id, title, why, batch_key, batch_hash, file, params,"
    "    program, blob, room, nsteps, after_failure, filed, joins,"
    "    not_before, not_after, retry_of, needs, app, app_version, action,"
    "    instance_id, successor_user, successor_port, successor_sudo)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,"
    "    ?15, ?16, ?17, ?18, ?19, max(?19, coalesce(?20, 0)), ?20, ?21,"
    "    (SELECT id FROM change WHERE id = ?22 AND org_id = ?1), ?23, ?24,"
    "    ?25, ?26, ?27, ?28, ?29, ?30)";

static void bind_act(struct tw_stmt *st, const struct tw_instance_act *a,
    int64_t instance)
{
	tw_stmt_text(st, 23, tw_permission_name(a ? TW_MAY_DEPLOY :
	    TW_MAY_CHANGE));
	if (!a)
		return;
	tw_stmt_text(st, 24, a->app);
	tw_stmt_text(st, 25, a->version);
	tw_stmt_text(st, 26, tw_instance_action_name(a->action));
	tw_stmt_int(st, 27, instance);
}

static void bind_change(struct tw_stmt *st, const struct batch *b,
    const struct tw_host *h, int64_t num, int64_t filed)
{
	const struct tw_filing *f = b->f;
	char uid[TW_ID_HEX], nonce[TW_ID_HEX];

	tw_random_id(uid);
	tw_random_id(nonce);
	tw_stmt_int(st, 2, num);
	tw_stmt_text(st, 3, uid);
	tw_stmt_text(st, 4, nonce);
	tw_stmt_int(st, 5, h->id);
	tw_stmt_text(st, 6, h->name);
	tw_stmt_int(st, 7, b->who->operator_id);
	tw_stmt_text(st, 8, f->title);
	tw_stmt_text(st, 9, f->why);
	tw_stmt_text(st, 10, f->key);
	if (f->key)
		tw_stmt_blob(st, 11, b->hash, sizeof b->hash);
	tw_stmt_blob(st, 12, b->file, sizeof b->file);
	tw_stmt_text(st, 13, f->params);
	tw_stmt_blob(st, 14, b->program, sizeof b->program);
	if (f->blob_len)
		tw_stmt_blob(st, 15, b->blob, sizeof b->blob);
	tw_stmt_int(st, 16, f->room);
	tw_stmt_int(st, 17, (int64_t)f->nsteps);
	tw_stmt_text(st, 18, f->hold_after_failure ? "hold" : "go-on");
	tw_stmt_int(st, 19, filed);
	tw_stmt_time(st, 20, f->not_before);
	tw_stmt_time(st, 21, f->not_after);
	tw_stmt_time(st, 22, f->retry_of);
	tw_successor_bind(st, 28, f->successor);
}

static const char step_sql[] =
    "INSERT INTO step (change_id, k, name, kind, undoable, has_check,"
    "    retries, timeout, longest, confirm)"
    " SELECT id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?11, ?10"
    " FROM change WHERE org_id = ?1 AND id = ?9";

static enum tw_status insert_steps(struct tw_store *s, const struct batch *b,
    int64_t change_id, struct tw_err *err)
{
	const struct tw_step *step;
	enum tw_status status;
	struct tw_stmt *st;
	size_t i;

	for (i = 0; i < b->f->nsteps; i++) {
		step = &b->f->steps[i];
		status = tw_tenant_stmt(s, b->who, step_sql, &st, err);
		if (status != TW_OK)
			return status;
		tw_stmt_int(st, 2, step->k);
		tw_stmt_text(st, 3, step->name);
		tw_stmt_text(st, 4, step->kind);
		tw_stmt_text(st, 5, step->undoable);
		tw_stmt_int(st, 6, step->has_check);
		tw_stmt_int(st, 7, step->retries);
		tw_stmt_int(st, 8, step->timeout);
		tw_stmt_int(st, 9, change_id);
		tw_stmt_int(st, 10, step->confirm);
		tw_stmt_int(st, 11, step->longest);
		status = tw_stmt_run(st, err);
		if (status != TW_OK)
			return status;
	}
	return TW_OK;
}

static enum tw_status file_one(struct tw_store *s, const struct batch *b,
    size_t i, int64_t num, struct tw_err *err)
{
	const struct tw_host *h = &b->hosts[i];
	int64_t filed = 0, id, instance = 0;
	enum tw_status status;
	struct tw_stmt *st;

	status = find_latest(s, b, h, &filed, err);
	if (status == TW_OK && b->login)
		status = tw_successor_check(b->f->successor, h, err);
	if (status == TW_OK && b->f->act)
		status = tw_instance_begin(s, b->who, b->f, h, b->now,
		    &instance, err);
	if (status == TW_OK)
		status = tw_tenant_stmt(s, b->who, insert_sql, &st, err);
	if (status != TW_OK)
		return status;
	bind_change(st, b, h, num, filed);
	bind_act(st, b->f->act, instance);
	status = tw_stmt_run(st, err);
	id = tw_store_last_id(s);
	if (status == TW_OK && instance)
		status = tw_instance_bind(s, b->who, instance, id, err);
	if (status == TW_OK)
		status = insert_steps(s, b, id, err);
	if (status == TW_OK && b->seal)
		status = tw_secrets_add(s, b->seal, id, b->f->secrets,
		    b->f->nsecrets, err);
	if (status == TW_OK)
		status = tw_change_record(s, b->who->org_id, b->who->login,
		    h->name, num, "change.file", b->now,
		    make_detail(b, &b->used[i], b->login ? &b->login[i] : NULL),
		    err);
	return status;
}

static enum tw_status file_rows(struct tw_store *s, struct batch *b,
    int64_t *nums, struct tw_err *err)
{
	const void *program = NULL;
	enum tw_status status;
	size_t i;

	status = take_numbers(s, b, err);
	for (i = 0; status == TW_OK && i < b->n; i++) {
		b->f = b->each[i];
		if (b->f->program != program)
			status = put_contents(s, b, err);
		program = b->f->program;
		nums[i] = b->first + (int64_t)i;
		if (status == TW_OK)
			status = file_one(s, b, i, nums[i], err);
	}
	return status;
}

/* Each host's own app: instances of one name need not be of one app. */
static enum tw_status permit(struct tw_store *s, const struct batch *b,
    struct tw_err *err)
{
	const char **apps;
	enum tw_status status;
	size_t i;

	if (!b->f->act)
		return tw_host_permit(s, b->who, TW_MAY_CHANGE, b->hosts, b->n,
		    b->used, err);
	apps = calloc(b->n, sizeof *apps);
	if (!apps)
		return tw_err_nomem(err);
	for (i = 0; i < b->n; i++)
		apps[i] = b->each[i]->act->app;
	status = tw_host_permit_apps(s, b->who, TW_MAY_DEPLOY, apps, b->hosts,
	    b->n, b->used, err);
	free(apps);
	return status;
}

static enum tw_status file_all(struct tw_store *s, struct batch *b,
    int64_t *nums, bool *again, struct tw_err *err)
{
	struct before before = { NULL, 0 };
	enum tw_status status;
	size_t i;

	status = permit(s, b, err);
	if (status == TW_OK && b->login)
		status = tw_host_permit(s, b->who, TW_MAY_HOST, b->hosts,
		    b->n, b->login, err);
	for (i = 0; status == TW_OK && !b->seal && i < b->n; i++)
		if (b->each[i]->nsecrets || b->f->napart)
			status = tw_secrets_key(s, &b->seal, err);
	if (status == TW_OK && b->f->key) {
		status = hash_batch(b, err);
		if (status == TW_OK)
			status = find_again(s, b, &before, nums, again, err);
		before_release(&before);
	}
	if (status != TW_OK || *again)
		return status;
	return file_rows(s, b, nums, err);
}

enum tw_status tw_change_file_each(struct tw_store *s,
    const struct tw_who *who, const struct tw_filing *const *f,
    const struct tw_host *hosts, size_t n, int64_t *nums, bool *again,
    struct tw_err *err)
{
	struct batch b = { .who = who, .each = f, .hosts = hosts, .n = n,
	    .now = tw_clock_now() };
	enum tw_status status;
	bool has_successor;
	struct tw_tx tx;

	*again = false;
	if (n == 0)
		return TW_OK;
	b.f = f[0];
	has_successor = b.f->successor && tw_successor_is_there(b.f->successor);
	b.used = calloc(n, sizeof *b.used);
	b.login = has_successor ? calloc(n, sizeof *b.login) : NULL;
	status = b.used && (b.login || !has_successor) ?
	    tw_tx_begin(&tx, s, err) : tw_err_nomem(err);
	if (status == TW_OK) {
		status = file_all(s, &b, nums, again, err);
		status = tw_tx_end(&tx, status, err);
	}
	free(b.used);
	free(b.login);
	tw_seal_free(b.seal);
	if (status != TW_OK)
		*again = false;
	return status;
}

enum tw_status tw_change_filed(struct tw_store *s, const struct tw_who *who,
    const struct tw_filing *f, const struct tw_host *hosts, size_t n,
    int64_t *nums, bool *again, struct tw_err *err)
{
	struct batch b = { .who = who, .f = f, .hosts = hosts, .n = n };
	struct before before = { NULL, 0 };
	enum tw_status status;
	struct tw_tx tx;

	*again = false;
	status = tw_tx_begin(&tx, s, err);
	if (status != TW_OK)
		return status;
	if (f->asked ? f->napart : f->nsecrets)
		status = tw_secrets_key(s, &b.seal, err);
	if (status == TW_OK)
		status = hash_batch(&b, err);
	if (status == TW_OK)
		status = find_again(s, &b, &before, nums, again, err);
	if (status == TW_OK && *again)
		status = permit_before(s, &b, &before, err);
	before_release(&before);
	tw_seal_free(b.seal);
	return tw_tx_end(&tx, status, err);
}

enum tw_status tw_change_file(struct tw_store *s, const struct tw_who *who,
    const struct tw_filing *f, const struct tw_host *hosts, size_t n,
    int64_t *nums, bool *again, struct tw_err *err)
{
	const struct tw_filing **each = calloc(n + 1, sizeof *each);
	enum tw_status status;
	size_t i;

	if (!each)
		return tw_err_nomem(err);
	for (i = 0; i < n; i++)
		each[i] = f;
	status = tw_change_file_each(s, who, each, hosts, n, nums, again, err);
	free(each);
	return status;
}
