/* queue_look.c - looking at changes: list, show, log, why; see queue.h */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "out/escape.h"
#include "queue.h"
#include "tower.h"

/* --- list -------------------------------------------------------------------------- */

enum { L_ID, L_HOST, L_STATUS, L_STEP, L_STEPS, L_TITLE, L_OPERATOR, L_FILED,
	L_STARTED, L_ENDED, L_TIME, L_NOT_BEFORE, L_NOT_AFTER, L_REASON, L_WHY,
	L_KEY, L_RETRY_OF, L_UID };
const struct tw_column queue_list_columns[] = {
	{ "id", N_("ID"), TW_COL_INT, true, N_("number of the change") },
	{ "host", N_("HOST"), TW_COL_TEXT, true, N_("its host") },
	{ "status", N_("STATUS"), TW_COL_WORD, true,
	    N_("queued, held, running, succeeded, rolled-back, failed, "
	    "cancelled, unknown") },
	{ "step", N_("STEP"), TW_COL_INT, true, N_("steps that have ended") },
	{ "steps", N_("OF"), TW_COL_INT, true, N_("steps there are") },
	{ "title", N_("TITLE"), TW_COL_TEXT, true, N_("title of the change") },
	{ "operator", N_("OPERATOR"), TW_COL_TEXT, false, N_("who filed it") },
	{ "filed", N_("FILED"), TW_COL_TIME, true, N_("when it was filed") },
	{ "started", N_("STARTED"), TW_COL_TIME, false, N_("when it started") },
	{ "ended", N_("ENDED"), TW_COL_TIME, false, N_("when it ended") },
	{ "time", N_("TIME"), TW_COL_SPAN, false, N_("how long it ran") },
	{ "not_before", N_("NOT BEFORE"), TW_COL_TIME, false,
	    N_("joins the queue then") },
	{ "not_after", N_("NOT AFTER"), TW_COL_TIME, false,
	    N_("expires then") },
	{ "reason", N_("REASON"), TW_COL_TEXT, false, N_("why it ended so") },
	{ "why", N_("WHY"), TW_COL_TEXT, false, N_("the operator's reason") },
	{ "key", N_("KEY"), TW_COL_TEXT, false, N_("the operator's key") },
	{ "retry_of", N_("RETRY OF"), TW_COL_INT, false,
	    N_("the change it repeats") },
	{ "uid", N_("UID"), TW_COL_TEXT, false, N_("its name on the host") },
	{ 0 }
};

static const char *status_of(const struct tw_change *c)
{
	return c->is_held ? NC_("word", "held") :
	    tw_change_status_name(c->status);
}

static int64_t ran_for(const struct tw_change *c)
{
	return (c->ended ? c->ended : tw_clock_now()) - c->started;
}

static void fill_list(struct tw_table *t, const struct tw_change *c)
{
	tw_table_cell_int(t, L_ID, c->num);
	tw_table_cell_text(t, L_HOST, c->host_name);
	tw_table_cell_text(t, L_STATUS, status_of(c));
	tw_table_cell_int(t, L_STEP, c->steps_done);
	tw_table_cell_int(t, L_STEPS, c->nsteps);
	tw_table_cell_text(t, L_TITLE, c->title);
	tw_table_cell_text(t, L_OPERATOR, c->operator);
	tw_table_cell_time(t, L_FILED, c->filed);
	tw_table_cell_time(t, L_STARTED, c->started);
	tw_table_cell_time(t, L_ENDED, c->ended);
	if (c->started)
		tw_table_cell_span(t, L_TIME, ran_for(c));
	tw_table_cell_time(t, L_NOT_BEFORE, c->not_before);
	tw_table_cell_time(t, L_NOT_AFTER, c->not_after);
	tw_table_cell_text(t, L_REASON, c->reason);
	tw_table_cell_text(t, L_WHY, c->why);
	tw_table_cell_text(t, L_KEY, c->batch_key);
	if (c->retry_of)
		tw_table_cell_int(t, L_RETRY_OF, c->retry_of);
	tw_table_cell_text(t, L_UID, c->uid);
}

struct listing {
	struct tw_table *table;
	bool no_held;		/* what is shown as held was not asked for */
	struct tower_page page;
};

static enum tw_status on_change(void *arg, const struct tw_change *c,
    struct tw_err *err)
{
	struct listing *l = arg;

	if (c->is_held && l->no_held)
		return TW_OK;
	if (!tower_page_takes(&l->page, c->num))
		return TW_NO;
	fill_list(l->table, c);
	return tw_table_row_end(l->table, err);
}

/* "queued,held" into the filter. */
static enum tw_status parse_statuses(const char *s, struct tw_change_filter *f,
    struct tw_err *err)
{
	char *copy = strdup(s), *word, *save = NULL;
	enum tw_status st = TW_OK;
	enum tw_change_status status;

	if (!copy)
		return tw_err_nomem(err);
	for (word = strtok_r(copy, ",", &save); word && !st;
	    word = strtok_r(NULL, ",", &save)) {
		if (strcmp(word, "held") == 0)
			f->held_only = true;
		else if (tw_change_status_parse(word, &status))
			f->statuses |= 1u << status;
		else
			st = tw_err_set(err, TW_USAGE, "'%s' is not a status: "
			    "queued, held, running, succeeded, rolled-back, "
			    "failed, cancelled, unknown", word);
	}
	free(copy);
	f->all = true;
	return st;
}

int queue_list(struct tw_cli *cli, int argc, char **argv)
{
	const char *statuses = tw_cli_opt(cli, "status");
	struct tw_table_options o = cli->table;
	struct tw_change_filter f = { 0 };
	struct tower *t = cli->context;
	struct listing l = { 0 };
	struct tw_err err = { 0 };
	enum tw_status st = TW_OK;
	char **names = NULL;

	f.all = tw_cli_flag(cli, "all");
	st = tower_page_read(cli, &l.page, &err);
	f.after = l.page.after;
	if (!st && statuses)
		st = parse_statuses(statuses, &f, &err);
	if (!st)
		st = tower_select_names(cli, argc > 0 ? argv[0] : NULL,
		    &names, &err);
	l.no_held = statuses && !f.held_only;
	f.hosts = (const char *const *)names;
	o.noun = "changes";
	if (!st)
		st = tw_table_new(queue_list_columns, &o, &l.table, &err);
	if (!st)
		st = tower_page_end(&l.page, tw_change_each(t->store, &t->who,
		    &f, on_change, &l, &err));
	if (!st)
		st = tw_table_print(l.table, stdout, &err);
	tw_table_free(l.table);
	tw_strv_free(names);
	if (!st)
		tower_page_say(cli, &l.page);
	return st ? tw_cli_error(cli, &err) : TW_OK;
}

/* --- show --------------------------------------------------------------------------- */

enum { S_ID, S_HOST, S_STATUS, S_TITLE, S_REASON, S_OPERATOR, S_WHY, S_FILED,
	S_NOT_BEFORE, S_NOT_AFTER, S_STARTED, S_ENDED, S_TIME, S_PARAMS,
	S_APP, S_ACTION, S_INSTANCE, S_LOGIN, S_LOGIN_AT, S_AFTER_FAILURE,
	S_RETRY_OF,
	S_CANCELLED_BY, S_KEY, S_UID, S_LIST };
const struct tw_column queue_show_columns[] = {
	{ "id", N_("ID"), TW_COL_INT, true, N_("number of the change") },
	{ "host", N_("Host"), TW_COL_TEXT, true, N_("its host") },
	{ "status", N_("Status"), TW_COL_WORD, true, N_("as in list") },
	{ "title", N_("Title"), TW_COL_TEXT, true, N_("title of the change") },
	{ "reason", N_("Reason"), TW_COL_TEXT, true, N_("why it ended so") },
	{ "operator", N_("Operator"), TW_COL_TEXT, true, N_("who filed it") },
	{ "why", N_("Why"), TW_COL_TEXT, true, N_("the operator's reason") },
	{ "filed", N_("Filed"), TW_COL_TIME, true, N_("when it was filed") },
	{ "not_before", N_("Not before"), TW_COL_TIME, true,
	    N_("joins the queue then") },
	{ "not_after", N_("Not after"), TW_COL_TIME, true, N_("expires then") },
	{ "started", N_("Started"), TW_COL_TIME, true, N_("when it started") },
	{ "ended", N_("Ended"), TW_COL_TIME, true, N_("when it ended") },
	{ "time", N_("Time"), TW_COL_SPAN, true, N_("how long it ran") },
	{ "params", N_("Parameters"), TW_COL_JSON, true,
	    N_("the values given") },
	{ "app", N_("App"), TW_COL_TEXT, true,
	    N_("APP@VERSION, of an app's change") },
	{ "action", N_("Action"), TW_COL_TEXT, true,
	    N_("what it does: deploy, start, stop, upgrade, undeploy, "
	    "backup, restore, check") },
	{ "instance", N_("Instance"), TW_COL_TEXT, true,
	    N_("with which instance") },
	{ "successor", N_("Successor"), TW_COL_TEXT, true,
	    N_("the login that takes the place of its host's") },
	{ "successor_at", N_("Let in"), TW_COL_TIME, true,
	    N_("when the host let that one in first") },
	{ "after_failure", N_("After failure"), TW_COL_TEXT, true,
	    N_("go-on, or hold") },
	{ "retry_of", N_("Retry of"), TW_COL_INT, true,
	    N_("the change it repeats") },
	{ "cancelled_by", N_("Cancelled by"), TW_COL_TEXT, true,
	    N_("who asked") },
	{ "key", N_("Key"), TW_COL_TEXT, true, N_("the operator's key") },
	{ "uid", N_("UID"), TW_COL_TEXT, true, N_("its name on the host") },
	{ "steps", N_("Steps"), TW_COL_JSON, false, N_("its steps") },
	{ 0 }
};

enum { T_K, T_NAME, T_KIND, T_STATE, T_DECIDED, T_CODE, T_ATTEMPTS, T_UNDO,
	T_UNDOABLE, T_UNDO_CODE, T_STARTED, T_ENDED, T_TIME, T_BYTES, T_CUT,
	T_HASH, T_CONFIRM, T_AWAITED };
static const struct tw_column step_columns[] = {
	{ "k", N_("STEP"), TW_COL_INT, true, N_("its number") },
	{ "name", N_("NAME"), TW_COL_TEXT, true, N_("its name") },
	{ "kind", N_("KIND"), TW_COL_TEXT, false,
	    N_("run, file, reboot or a step kind") },
	{ "state", N_("STATE"), TW_COL_WORD, true, N_("what became of it") },
	{ "decided", N_("BY"), TW_COL_TEXT, true,
	    N_("the phase that decided") },
	{ "code", N_("CODE"), TW_COL_INT, true,
	    N_("exit status of that phase") },
	{ "attempts", N_("TRIES"), TW_COL_INT, true, N_("times it was run") },
	{ "undo", N_("UNDO"), TW_COL_WORD, true,
	    N_("what became of its undo") },
	{ "undoable", N_("UNDOABLE"), TW_COL_TEXT, false,
	    N_("how it is undone") },
	{ "undo_code", N_("UNDO CODE"), TW_COL_INT, false,
	    N_("its exit status") },
	{ "started", N_("STARTED"), TW_COL_TIME, false, N_("when it started") },
	{ "ended", N_("ENDED"), TW_COL_TIME, false, N_("when it ended") },
	{ "time", N_("TIME"), TW_COL_SPAN, true, N_("how long it took") },
	{ "bytes", N_("BYTES"), TW_COL_INT, true, N_("of output kept") },
	{ "cut", N_("CUT"), TW_COL_INT, false, N_("bytes of output dropped") },
	{ "hash", N_("HASH"), TW_COL_TEXT, false, N_("SHA-256 of its output") },
	{ "confirm", N_("CONFIRM"), TW_COL_SPAN, false,
	    N_("how long it may take to be confirmed") },
	{ "awaited", N_("AWAITED"), TW_COL_TIME, false,
	    N_("when it began to wait for that") },
	{ 0 }
};

static enum tw_status fill_step(struct tw_table *t, const struct tw_step *s,
    struct tw_err *err)
{
	tw_table_cell_int(t, T_K, s->k);
	tw_table_cell_text(t, T_NAME, s->name);
	tw_table_cell_text(t, T_KIND, s->kind);
	tw_table_cell_text(t, T_STATE, s->state);
	tw_table_cell_text(t, T_DECIDED, s->decided);
	if (s->decided)
		tw_table_cell_int(t, T_CODE, s->code);
	tw_table_cell_int(t, T_ATTEMPTS, s->attempts);
	tw_table_cell_text(t, T_UNDO, s->undo_state);
	tw_table_cell_text(t, T_UNDOABLE, s->undoable);
	if (s->undo_ended)
		tw_table_cell_int(t, T_UNDO_CODE, s->undo_code);
	tw_table_cell_time(t, T_STARTED, s->started);
	tw_table_cell_time(t, T_ENDED, s->ended);
	if (s->started)
		tw_table_cell_span(t, T_TIME, (s->ended ? s->ended :
		    tw_clock_now()) - s->started);
	tw_table_cell_int(t, T_BYTES, s->out_bytes);
	tw_table_cell_int(t, T_CUT, s->out_cut);
	tw_table_cell_text(t, T_HASH, s->out_hash[0] ? s->out_hash : NULL);
	if (s->confirm)
		tw_table_cell_span(t, T_CONFIRM, s->confirm);
	tw_table_cell_time(t, T_AWAITED, s->awaited);
	return tw_table_row_end(t, err);
}

static void fill_app(struct tw_table *t, const struct tw_change *c)
{
	struct tw_buf b = TW_BUF_INIT;

	if (!c->app)
		return;
	tw_buf_addf(&b, "%s@%s", c->app, c->app_version);
	tw_table_cell_buf(t, S_APP, &b);
	tw_buf_release(&b);
	tw_table_cell_text(t, S_ACTION, c->action);
	tw_table_cell_text(t, S_INSTANCE, c->instance);
}

static void fill_successor(struct tw_table *t, const struct tw_change *c)
{
	struct tw_buf b = TW_BUF_INIT;

	if (!tw_successor_is_there(&c->successor))
		return;
	tw_successor_describe(&c->successor, &b);
	tw_table_cell_buf(t, S_LOGIN, &b);
	tw_table_cell_time(t, S_LOGIN_AT, c->successor.at);
	tw_buf_release(&b);
}

static void fill_show(struct tw_table *t, const struct tw_change *c,
    const char *steps)
{
	fill_app(t, c);
	fill_successor(t, c);
	tw_table_cell_int(t, S_ID, c->num);
	tw_table_cell_text(t, S_HOST, c->host_name);
	tw_table_cell_text(t, S_STATUS, status_of(c));
	tw_table_cell_text(t, S_TITLE, c->title);
	tw_table_cell_text(t, S_REASON, c->reason);
	tw_table_cell_text(t, S_OPERATOR, c->operator);
	tw_table_cell_text(t, S_WHY, c->why);
	tw_table_cell_time(t, S_FILED, c->filed);
	tw_table_cell_time(t, S_NOT_BEFORE, c->not_before);
	tw_table_cell_time(t, S_NOT_AFTER, c->not_after);
	tw_table_cell_time(t, S_STARTED, c->started);
	tw_table_cell_time(t, S_ENDED, c->ended);
	if (c->started)
		tw_table_cell_span(t, S_TIME, ran_for(c));
	tw_table_cell_json(t, S_PARAMS, c->params);
	tw_table_cell_text(t, S_AFTER_FAILURE, c->hold_after_failure ?
	    "hold" : "go-on");
	if (c->retry_of)
		tw_table_cell_int(t, S_RETRY_OF, c->retry_of);
	tw_table_cell_text(t, S_CANCELLED_BY, c->cancel_by);
	tw_table_cell_text(t, S_KEY, c->batch_key);
	tw_table_cell_text(t, S_UID, c->uid);
	tw_table_cell_json(t, S_LIST, steps);
}

/* For people the steps are a table of their own, below. */
static enum tw_status show(struct tw_cli *cli, struct tower *t,
    const struct tw_change *c, struct tw_err *err)
{
	bool is_people = cli->table.mode == TW_TABLE_PEOPLE &&
	    !cli->table.output;
	struct tw_table *table = NULL, *steps = NULL;
	struct tw_table_options o = cli->table, so = cli->table;
	struct tw_buf json = TW_BUF_INIT;
	struct tw_step *list = NULL;
	enum tw_status st;
	size_t n = 0, i;

	so.output = NULL;
	so.noun = "steps";
	so.all_columns = !is_people;
	o.noun = "changes";
	o.all_columns = !is_people;	/* they see the steps below */
	st = tw_table_new(queue_show_columns, &o, &table, err);
	if (!st)
		st = tw_table_new(step_columns, &so, &steps, err);
	if (!st)
		st = tw_change_steps(t->store, &t->who, c->id, &list, &n,
		    err);
	for (i = 0; i < n && !st; i++)
		st = fill_step(steps, &list[i], err);
	if (!st && !is_people)
		st = tw_table_array(steps, &json, err);
	if (!st) {
		fill_show(table, c, is_people ? NULL : tw_buf_str(&json));
		st = tw_table_row_end(table, err);
	}
	if (!st)
		st = tw_table_show(table, stdout, err);
	if (!st && is_people) {
		putchar('\n');
		st = tw_table_print(steps, stdout, err);
	}
	tw_step_list_free(list, n);
	tw_buf_release(&json);
	tw_table_free(steps);
	tw_table_free(table);
	return st;
}

static enum tw_status get_change(struct tw_cli *cli, const char *arg,
    struct tw_change *c, struct tw_err *err)
{
	struct tower *t = cli->context;
	enum tw_status st;
	int64_t num = 0;

	st = tower_number(arg, &num, err);
	return st ? st : tw_change_get(t->store, &t->who, num, c, err);
}

int queue_show(struct tw_cli *cli, int argc, char **argv)
{
	struct tw_change c = { 0 };
	struct tw_err err = { 0 };
	enum tw_status st;

	(void)argc;
	st = get_change(cli, argv[0], &c, &err);
	if (!st)
		st = show(cli, cli->context, &c, &err);
	tw_change_release(&c);
	return st ? tw_cli_error(cli, &err) : TW_OK;
}

int queue_why(struct tw_cli *cli, int argc, char **argv)
{
	struct tw_buf text = TW_BUF_INIT, safe = TW_BUF_INIT;
	struct tw_change c = { 0 };
	struct tw_err err = { 0 };
	enum tw_status st;

	(void)argc;
	st = get_change(cli, argv[0], &c, &err);
	if (!st)
		st = tower_why(cli->context, &c, &text, &err);
	if (!st) {
		tw_escape(text.data, text.len, TW_ESCAPE_ONE_LINE |
		    tw_escape_locale(), &safe);
		st = tw_buf_check(&safe, &err);
	}
	if (!st)
		puts(tw_buf_str(&safe));
	tw_buf_release(&text);
	tw_buf_release(&safe);
	tw_change_release(&c);
	return st ? tw_cli_error(cli, &err) : TW_OK;
}

/* --- log ------------------------------------------------------------------------------ */

enum { G_K, G_PHASE, G_TIME, G_CUT, G_DATA };
const struct tw_column queue_log_columns[] = {
	{ "k", N_("STEP"), TW_COL_INT, true, N_("number of the step") },
	{ "phase", N_("PHASE"), TW_COL_TEXT, true, N_("do, or undo") },
	{ "time", N_("TIME"), TW_COL_TIME, true, N_("when it arrived") },
	{ "cut", N_("CUT"), TW_COL_INT, false, N_("bytes dropped before it") },
	{ "data", N_("DATA"), TW_COL_TEXT, true, N_("the bytes") },
	{ 0 }
};

struct log {
	struct tw_cli *cli;
	struct tw_step *steps;
	size_t nsteps;
	struct tw_table *table;	/* JSON, TSV: rows; NULL: text */
	struct tw_escape escape;
	int64_t k;		/* whose heading was printed */
	bool in_undo, at_start;
	bool has_failed;	/* some of it found no memory */
};

static void print(struct log *l, struct tw_buf *b)
{
	if (b->len > 0) {
		fwrite(b->data, 1, b->len, stdout);
		l->at_start = b->data[b->len - 1] == '\n';
	}
	l->has_failed |= b->failed;
	tw_buf_release(b);
}

static void print_safe(struct log *l, const void *p, size_t n)
{
	struct tw_buf b = TW_BUF_INIT;

	tw_escape_add(&l->escape, p, n, &b);
	print(l, &b);
}

static void end_text(struct log *l)
{
	struct tw_buf b = TW_BUF_INIT;

	tw_escape_end(&l->escape, &b);
	print(l, &b);
	if (!l->at_start)
		putchar('\n');
	l->at_start = true;
}

static void heading(struct log *l, const struct tw_output *o)
{
	struct tw_buf name = TW_BUF_INIT;

	if (o->k == l->k && o->in_undo == l->in_undo)
		return;
	end_text(l);
	l->k = o->k;
	l->in_undo = o->in_undo;
	if (o->k > 0 && (size_t)o->k <= l->nsteps)
		tw_escape(l->steps[o->k - 1].name,
		    strlen(l->steps[o->k - 1].name), TW_ESCAPE_ONE_LINE |
		    tw_escape_locale(), &name);
	printf(o->in_undo ? tw_text("== undo of step %" PRId64 ": %s\n") :
	    tw_text("== step %" PRId64 ": %s\n"), o->k, tw_buf_str(&name));
	l->has_failed |= name.failed;
	tw_buf_release(&name);
}

static enum tw_status on_output(void *arg, const struct tw_output *o,
    struct tw_err *err)
{
	struct log *l = arg;

	if (l->table) {
		tw_table_cell_int(l->table, G_K, o->k);
		tw_table_cell_text(l->table, G_PHASE,
		    o->in_undo ? "undo" : "do");
		tw_table_cell_time(l->table, G_TIME, o->at);
		tw_table_cell_int(l->table, G_CUT, o->cut);
		tw_table_cell_bytes(l->table, G_DATA, o->data, o->len);
		if (tw_table_row_end(l->table, err))
			return err->status;
		return tw_table_stream(l->table, stdout, err);
	}
	heading(l, o);
	if (o->cut) {
		end_text(l);
		printf(tw_text_n("== %" PRId64 " byte was dropped here\n",
		    "== %" PRId64 " bytes were dropped here\n",
		    (unsigned long)o->cut), o->cut);
	}
	print_safe(l, o->data, o->len);
	if (l->has_failed)
		return tw_err_nomem(err);
	return ferror(stdout) ? TW_NO : TW_OK;
}

static bool has_ended(struct tower *t, int64_t num, enum tw_status *st,
    struct tw_err *err)
{
	struct tw_change c = { 0 };
	bool ended;

	*st = tw_change_get(t->store, &t->who, num, &c, err);
	ended = *st || tw_change_status_is_ended(c.status);
	tw_change_release(&c);
	return ended;
}

static enum tw_status print_log(struct log *l, const struct tw_change *c,
    bool follow, struct tw_err *err)
{
	const struct timespec nap = { 0, 200000000 };
	struct tower *t = l->cli->context;
	enum tw_status st = TW_OK;
	int64_t after = 0;
	bool ended;

	do {
		/* asked first: what came before the end is then all there */
		ended = !follow || has_ended(t, c->num, &st, err);
		if (!st)
			st = tw_output_each(t->store, &t->who, c->id, &after,
			    on_output, l, err);
		if (!st && !tw_cli_flush(l->cli))
			return TW_OK;
		if (!st && !ended)
			nanosleep(&nap, NULL);
	} while (!st && !ended);
	if (!l->table)
		end_text(l);
	return !st && l->has_failed ? tw_err_nomem(err) : st;
}

int queue_log(struct tw_cli *cli, int argc, char **argv)
{
	struct log l = { .cli = cli, .at_start = true };
	struct tw_table_options o = cli->table;
	struct tower *t = cli->context;
	struct tw_change c = { 0 };
	struct tw_err err = { 0 };
	enum tw_status st;

	(void)argc;
	o.noun = "output";
	l.escape.flags = tw_escape_locale();
	st = get_change(cli, argv[0], &c, &err);
	if (!st)
		st = tw_change_steps(t->store, &t->who, c.id, &l.steps,
		    &l.nsteps, &err);
	if (!st && (o.mode != TW_TABLE_PEOPLE || o.output))
		st = tw_table_new(queue_log_columns, &o, &l.table, &err);
	if (!st)
		st = print_log(&l, &c, tw_cli_flag(cli, "follow"), &err);
	tw_table_free(l.table);
	tw_step_list_free(l.steps, l.nsteps);
	tw_change_release(&c);
	return st && err.msg[0] ? tw_cli_error(cli, &err) :
	    tw_status_exit(st);
}
