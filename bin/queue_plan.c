/* queue_plan.c - what a change would do: asks only its checks, on the hosts */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/survey.h"
#include "fetch.h"
#include "file.h"
#include "queue.h"
#include "spec/program.h"
#include "tower.h"

enum { COL_HOST, COL_K, COL_STEP, COL_KIND, COL_PLAN, COL_UNDO, COL_CONFIRM,
	COL_CODE, COL_OUTPUT, COL_ERROR };
const struct tw_column queue_plan_columns[] = {
	{ "host", N_("HOST"), TW_COL_TEXT, true, N_("the host") },
	{ "k", N_("STEP"), TW_COL_INT, true, N_("number of the step") },
	{ "name", N_("NAME"), TW_COL_TEXT, true, N_("name of the step") },
	{ "kind", N_("KIND"), TW_COL_TEXT, false,
	    N_("run, file, reboot or a step kind") },
	{ "plan", N_("PLAN"), TW_COL_WORD, true,
	    N_("unchanged, would run, no undo here, cannot tell, or "
	    "unreachable") },
	{ "undo", N_("UNDO"), TW_COL_WORD, true,
	    N_("script, auto, nothing, impossible or none") },
	{ "confirm", N_("CONFIRM"), TW_COL_SPAN, true,
	    N_("how long it may take to be confirmed") },
	{ "code", N_("CODE"), TW_COL_INT, false,
	    N_("exit status of the check") },
	{ "output", N_("OUTPUT"), TW_COL_TEXT, false,
	    N_("output of the check") },
	{ "error", N_("ERROR"), TW_COL_TEXT, false,
	    N_("why the host did not answer") },
	{ 0 }
};

static const char *words_for(const struct tw_survey_step *s)
{
	if (strcmp(s->state, "holds") == 0)
		return NC_("word", "unchanged");
	if (strcmp(s->state, "noundo") == 0)
		return NC_("word", "no undo here");
	return strcmp(s->state, "would") == 0 ?
	    NC_("word", "would run") : NC_("word", "cannot tell");
}

static enum tw_status fill_host(struct tw_table *table, bool is_people,
    const struct change_file *file, const struct tw_survey_host *h,
    struct tw_err *err)
{
	enum tw_status st = TW_OK;
	size_t k;

	for (k = 0; k < file->nsteps && !st; k++) {
		const struct tw_step *s = &file->steps[k];

		tw_table_cell_text(table, COL_HOST, h->host->name);
		tw_table_cell_int(table, COL_K, s->k);
		tw_table_cell_text(table, COL_STEP, s->name);
		tw_table_cell_text(table, COL_KIND, s->kind);
		tw_table_cell_text(table, COL_UNDO, s->undoable);
		if (s->confirm)
			tw_table_cell_span(table, COL_CONFIRM, s->confirm);
		if (h->status) {
			tw_table_cell_text(table, COL_PLAN,
			    NC_("word", "unreachable"));
			tw_table_cell_text(table, COL_ERROR, is_people ?
			    tw_err_text(&h->err) : h->err.msg);
		} else {
			tw_table_cell_text(table, COL_PLAN,
			    words_for(&h->steps[k]));
			if (strcmp(h->steps[k].state, "unknown") != 0)
				tw_table_cell_int(table, COL_CODE,
				    h->steps[k].code);
			tw_table_cell_bytes(table, COL_OUTPUT,
			    tw_buf_str(&h->steps[k].output),
			    h->steps[k].output.len);
		}
		st = tw_table_row_end(table, err);
	}
	return st;
}

/* The secrets as hosts get them, and what hides them in what hosts say. */
static enum tw_status make_secrets(const struct change_file *file,
    struct tw_buf *text, struct tw_mask_forms **forms, struct tw_err *err)
{
	size_t i, n = file->nsecrets;
	struct tw_secret_value *v = calloc(n + 1, sizeof *v);
	const char **values = calloc(n + 1, sizeof *values);
	enum tw_status st = TW_OK;

	if (!v || !values)
		st = tw_err_nomem(err);
	for (i = 0; i < n && !st; i++) {
		v[i].name = file->secrets[i].name;
		v[i].value = values[i] = file->secrets[i].value;
	}
	if (!st && n > 0)
		st = tw_secrets_text(v, n, text, err);
	if (!st && n > 0)
		st = tw_mask_forms_new(values, n, forms, err);
	free(values);
	free(v);
	return st;
}

static enum tw_status plan(struct tw_cli *cli, struct tower *t,
    const struct change_file *file, const struct tw_host *hosts, size_t n,
    int jobs, enum tw_status *worst, struct tw_err *err)
{
	struct tw_survey_options o = {
		.store = t->store,
		.verb = "plan",
		.jobs = jobs,
		.agent = isatty(STDERR_FILENO),
		.text = file->program.data,
		.text_len = file->program.len,
		.blob = file->blob.data,
		.blob_len = file->blob.len,
		.nsteps = file->nsteps,
	};
	struct tw_filing f = { .title = file->title, .params = file->params,
	    .program = file->program.data,
	    .program_len = file->program.len };
	struct tw_table_options to = cli->table;
	struct tw_survey_host *asked = calloc(n + 1, sizeof *asked);
	struct tw_buf secret = { .is_secret = true };
	struct tw_mask_forms *forms = NULL;
	struct tw_table *table = NULL;
	enum tw_status st;
	size_t i;

	if (!asked)
		return tw_err_nomem(err);
	for (i = 0; i < n; i++)
		asked[i].host = &hosts[i];
	to.noun = "steps";
	st = tw_table_new(queue_plan_columns, &to, &table, err);
	if (!st)
		st = tw_change_plan(t->store, &t->who, &f, hosts, n, err);
	if (!st)
		st = make_secrets(file, &secret, &forms, err);
	o.secret = tw_buf_str(&secret);
	o.secret_len = secret.len;
	o.forms = forms;
	if (!st)
		st = tw_survey(asked, n, &o, err);
	for (i = 0; i < n && !st; i++) {
		if (asked[i].status) {
			tw_err_prefix(&asked[i].err, "%s", hosts[i].name);
			tw_cli_error(cli, &asked[i].err);
			*worst = tw_status_worse(*worst, asked[i].status);
		}
		st = fill_host(table, to.mode == TW_TABLE_PEOPLE, file,
		    &asked[i], err);
	}
	if (!st)
		st = tw_table_print(table, stdout, err);
	tw_survey_release(asked, n);
	tw_buf_release(&secret);
	tw_mask_forms_free(forms);
	tw_table_free(table);
	free(asked);
	return st;
}

int queue_plan(struct tw_cli *cli, int argc, char **argv)
{
	struct tower *t = cli->context;
	struct change_file file = { 0 };
	struct tw_host *hosts = NULL;
	enum tw_status st, worst = TW_OK;
	struct tw_err err = { 0 };
	struct fetch_for to;
	int jobs = 0;
	size_t n = 0;

	(void)argc;
	if (queue_is_stdin_taken(cli, argv))
		return TW_USAGE;
	st = tower_jobs(cli, t, &jobs, &err);
	if (!st)
		st = tower_select_live(cli, argv[0], &hosts, &n, &err);
	to = (struct fetch_for){ hosts, n };
	if (!st)
		st = change_file_read(cli, argv[1], &to, &file, &err);
	if (!st)
		st = plan(cli, t, &file, hosts, n, jobs, &worst, &err);
	if (!st)
		change_file_say(cli, &file);
	tw_host_list_free(hosts, n);
	change_file_release(&file);
	if (st)
		return err.msg[0] ? tw_cli_error(cli, &err) :
		    tw_status_exit(st);
	return tw_status_exit(worst);
}
