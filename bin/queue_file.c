/* queue_file.c - filing changes, and trying files: see queue.h */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/targets.h"
#include "file.h"
#include "given.h"
#include "queue.h"
#include "tower.h"

/* What --wait, --run and --jobs ask for after filing. */
struct after {
	bool run, wait;
	int64_t limit;		/* ms, -1: for ever */
	int jobs;
};

static enum tw_status read_after(struct tw_cli *cli, struct after *a,
    struct tw_err *err)
{
	const char *wait = tw_cli_opt(cli, "wait");
	const char *jobs = tw_cli_opt(cli, "jobs");
	enum tw_status st = TW_OK;

	memset(a, 0, sizeof *a);
	a->run = tw_cli_flag(cli, "run");
	a->wait = wait != NULL;
	a->limit = -1;
	if (wait && *wait)
		st = tw_span_parse(wait, &a->limit, err);
	if (!st && jobs)
		st = tower_count("jobs", jobs, 1, 100000, &a->jobs, err);
	return st;
}

static enum tw_status read_times(struct tw_cli *cli, struct tw_filing *f,
    char *times, size_t size, struct tw_err *err)
{
	const char *before = tw_cli_opt(cli, "not-before");
	const char *after = tw_cli_opt(cli, "not-after");
	const char *failure = tw_cli_opt(cli, "after-failure");
	int64_t now = tw_clock_now();
	enum tw_status st = TW_OK;

	/* as they were given: the same words under the same key are the same */
	snprintf(times, size, "%s %s", before ? before : "",
	    after ? after : "");
	f->times = times;
	if (before)
		st = tw_time_parse(before, now, &f->not_before, err);
	if (!st && after)
		st = tw_time_parse(after, now, &f->not_after, err);
	if (st)
		return st;
	if (failure && strcmp(failure, "hold") != 0)
		return tw_err_set(err, TW_USAGE, "--after-failure takes "
		    "'hold', not '%s'", failure);
	f->hold_after_failure = failure != NULL;
	if (f->not_after && f->not_after <= now)
		return tw_err_set(err, TW_USAGE, "--not-after is in the past");
	if (f->not_after && f->not_after <= f->not_before)
		return tw_err_set(err, TW_USAGE,
		    "--not-after is not after --not-before");
	return TW_OK;
}

static void fill_filing(const struct change_file *file, struct tw_filing *f)
{
	f->title = file->title;
	f->params = file->params;
	f->file = file->source.data;
	f->file_len = file->source.len;
	f->program = file->program.data;
	f->program_len = file->program.len;
	f->blob = file->blob.data;
	f->blob_len = file->blob.len;
	f->room = file->room;
	f->steps = file->steps;
	f->nsteps = file->nsteps;
	f->secrets = file->secrets;
	f->nsecrets = file->nsecrets;
}

/* One pass over the changes, without waiting for those that can't start. */
static enum tw_status run_once(struct tw_cli *cli, struct tower *t,
    const struct tw_host *hosts, size_t n, const struct after *a,
    struct tw_err *err)
{
	const char **names = calloc(n + 1, sizeof *names);
	enum tw_status st;
	size_t i;

	if (!names)
		return tw_err_nomem(err);
	for (i = 0; i < n; i++)
		names[i] = hosts[i].name;
	st = tower_pass_through(cli, t, names, a->jobs, err);
	free(names);
	return st;
}

/* What was filed runs now, or is waited for, or both. */
static enum tw_status follow(struct tw_cli *cli, struct tower *t,
    const struct tw_host *hosts, const int64_t *nums, size_t n,
    const struct after *a, struct tw_err *err)
{
	enum tw_status st;

	if (a->wait)
		return tower_wait(cli, t, nums, n, a->limit, a->run, a->jobs,
		    err);
	if (!a->run)
		return TW_OK;
	st = run_once(cli, t, hosts, n, a, err);
	if (st)
		return st;
	st = tower_wait(cli, t, nums, n, 0, false, 0, err);
	return st;
}

/* 75 from `add` says that nothing was filed: that is not so any more. */
static enum tw_status after_filing(struct tw_cli *cli, enum tw_status st,
    struct tw_err *err)
{
	if (st != TW_AGAIN)
		return st;
	if (err->msg[0])
		tw_cli_error(cli, err);
	err->msg[0] = '\0';
	return TW_WAITING;
}

static enum tw_status file_and_follow(struct tw_cli *cli, struct tower *t,
    const struct tw_filing *f, const struct tw_host *hosts, size_t n,
    struct tw_err *err)
{
	int64_t *nums = calloc(n + 1, sizeof *nums);
	struct after after;
	enum tw_status st;
	bool again = false;
	size_t i;

	if (!nums)
		return tw_err_nomem(err);
	st = read_after(cli, &after, err);
	if (!st)
		st = tw_change_file(t->store, &t->who, f, hosts, n, nums,
		    &again, err);
	for (i = 0; i < n && !st; i++)
		printf("%" PRId64 "\n", nums[i]);
	if (!st && !tw_cli_flush(cli))
		st = TW_OK;	/* nobody reads: filed all the same */
	if (!st && again)
		tw_cli_say(cli, "filed before under this key");
	for (i = 0; i < n && !st && !again; i++)
		if (hosts[i].held_reason)
			tw_cli_say(cli, "note: %s is held: %s", hosts[i].name,
			    hosts[i].held_reason);
	if (!st)
		st = after_filing(cli, follow(cli, t, hosts, nums, n, &after,
		    err), err);
	free(nums);
	return st;
}

static void say_without_undo(struct tw_cli *cli,
    const struct change_file *file)
{
	if (file->nwithout > 0 && !cli->is_quiet)
		fprintf(stderr, "no undo, a failure after these holds the "
		    "host:\n%s", tw_buf_str(&file->without_undo));
}

/* err may be empty: then all was said already. */
static int finish(struct tw_cli *cli, enum tw_status st,
    const struct tw_err *err)
{
	return st && err->msg[0] ? tw_cli_error(cli, err) :
	    tw_status_exit(st);
}

bool queue_is_stdin_taken(struct tw_cli *cli, char **argv)
{
	if (strcmp(argv[0], "-") != 0)
		return false;
	if (strcmp(argv[1], "-") == 0)
		tw_cli_usage(cli,
		    "standard input can't be both TARGETS and FILE");
	else if (given_wants_stdin(cli))
		tw_cli_usage(cli, "standard input can't be both TARGETS and "
		    "a parameter");
	else
		return false;
	return true;
}

int queue_add(struct tw_cli *cli, int argc, char **argv)
{
	struct tower *t = cli->context;
	struct change_file file = { 0 };
	struct tw_host *hosts = NULL;
	struct tw_filing f = { 0 };
	struct tw_err err = { 0 };
	char times[128];
	enum tw_status st;
	size_t n = 0;

	(void)argc;
	if (queue_is_stdin_taken(cli, argv))
		return TW_USAGE;
	f.why = tw_cli_opt(cli, "reason");
	f.key = tw_cli_opt(cli, "key");
	if (f.key && !*f.key)	/* an unset variable of a script */
		return tw_cli_usage(cli, "option '--key' is empty");
	st = read_times(cli, &f, times, sizeof times, &err);
	if (!st)
		st = tower_select(cli, argv[0], &hosts, &n, &err);
	if (!st && n == 0)
		st = tw_err_set(&err, TW_NO, "'%s' selects no host: nothing "
		    "was filed", argv[0]);
	if (!st)
		st = change_file_read(cli, argv[1], &file, &err);
	if (!st) {
		say_without_undo(cli, &file);
		fill_filing(&file, &f);
		st = file_and_follow(cli, t, &f, hosts, n, &err);
	}
	change_file_release(&file);
	tw_host_list_free(hosts, n);
	return finish(cli, st, &err);
}

/* --- retry ------------------------------------------------------------------------- */

/* The stored values as -p would have given them; they borrow from o. */
static struct tw_param_given *base_values(json_t *o, size_t *n)
{
	struct tw_param_given *v = calloc(json_object_size(o) + 1, sizeof *v);
	const char *key;
	json_t *value;

	*n = 0;
	json_object_foreach(o, key, value) {
		if (!v || !json_is_string(value))
			continue;
		v[(*n)++] = (struct tw_param_given){ key, strlen(key),
		    json_string_value(value), json_string_length(value),
		    false };
	}
	return v;
}

/* is_same: *file is the program as it was sent, and gets its secrets; else it
 * is compiled anew. */
static enum tw_status compile_again(struct tw_cli *cli, struct tower *t,
    const struct tw_change *c, bool is_same, struct change_file *file,
    struct tw_err *err)
{
	struct tw_buf source = TW_BUF_INIT;
	json_t *o = json_loads(c->params ? c->params : "{}", 0, NULL);
	struct tw_param_given *base;
	enum tw_status st;
	char name[40];
	size_t n = 0;

	base = base_values(o, &n);
	snprintf(name, sizeof name, "change %" PRId64, c->num);
	st = base ? TW_OK : tw_err_nomem(err);
	if (!st && is_same)
		st = change_file_secrets(cli, name, base, n, file, err);
	else if (!st)
		st = tw_change_source(t->store, &t->who, c->id, &source, err);
	if (!st && !is_same)
		st = change_file_again(cli, name, &source, base, n, file, err);
	tw_buf_release(&source);
	free(base);
	json_decref(o);
	return st;
}

/* The same program as it was sent, contents of files included. */
static enum tw_status copy_program(struct tower *t, const struct tw_change *c,
    struct change_file *file, struct tw_err *err)
{
	static const uint8_t none[32];
	enum tw_status st;

	file->program.max = file->blob.max = (size_t)160 << 20;
	st = tw_change_source(t->store, &t->who, c->id, &file->source, err);
	if (!st)
		st = tw_content_get(t->store, c->program, &file->program, err);
	if (!st && memcmp(c->blob, none, sizeof none) != 0)
		st = tw_content_get(t->store, c->blob, &file->blob, err);
	if (!st)
		st = tw_change_steps(t->store, &t->who, c->id, &file->steps,
		    &file->nsteps, err);
	if (st)
		return st;
	file->room = (long)c->room;
	file->title = strdup(c->title);
	file->params = strdup(c->params ? c->params : "{}");
	return file->title && file->params ? TW_OK : tw_err_nomem(err);
}

static bool is_param_given(const struct tw_cli *cli, const char *name)
{
	const char *arg;
	size_t i;

	for (i = 0; (arg = tw_cli_opt_each(cli, "param", i)); i++)
		if (strcspn(arg, "=@") == strlen(name) &&
		    strncmp(arg, name, strlen(name)) == 0)
			return true;
	return false;
}

/* What -p must give again, since it was erased at the end. */
static enum tw_status check_secrets(const struct tw_cli *cli,
    const struct tw_change *c, char *const *names, struct tw_err *err)
{
	struct tw_buf missing = TW_BUF_INIT;
	enum tw_status st;
	size_t i;

	for (i = 0; names[i]; i++)
		if (!is_param_given(cli, names[i]))
			tw_buf_addf(&missing, " -p %s@FILE", names[i]);
	st = tw_buf_check(&missing, err);
	if (!st && missing.len > 0)
		st = tw_err_set(err, TW_USAGE, "change %" PRId64 " needs its "
		    "secrets again: give%s", c->num, tw_buf_str(&missing));
	tw_buf_release(&missing);
	return st;
}

/* With no parameters but its secrets it is the same program again, contents of
 * files included. */
static enum tw_status make_again(struct tw_cli *cli, struct tower *t,
    const struct tw_change *c, struct change_file *file, struct tw_err *err)
{
	size_t nsecrets = 0, nparams = 0;
	char **names = NULL;
	enum tw_status st;

	st = tw_secrets_names(t->store, &t->who, c->id, &names, err);
	if (!st)
		st = check_secrets(cli, c, names, err);
	for (; !st && names[nsecrets]; nsecrets++)
		;
	while (tw_cli_opt_each(cli, "param", nparams))
		nparams++;
	if (!st && nparams > nsecrets) {
		st = compile_again(cli, t, c, false, file, err);
	} else if (!st) {
		st = copy_program(t, c, file, err);
		if (!st && nsecrets)
			st = compile_again(cli, t, c, true, file, err);
	}
	tw_strv_free(names);
	return st;
}

static enum tw_status retry_on(struct tw_cli *cli, struct tower *t,
    const struct tw_change *c, struct tw_err *err)
{
	struct change_file file = { 0 };
	struct tw_host host = { 0 };
	struct tw_filing f = { 0 };
	enum tw_status st;

	if (!tw_change_status_is_ended(c->status))
		return tw_err_set(err, TW_NO, "change %" PRId64
		    " has not ended", c->num);
	st = tw_host_get(t->store, &t->who, c->host_name, &host, err);
	if (!st)
		st = make_again(cli, t, c, &file, err);
	if (!st) {
		fill_filing(&file, &f);
		f.why = c->why;
		f.hold_after_failure = c->hold_after_failure;
		f.retry_of = c->id;
		st = file_and_follow(cli, t, &f, &host, 1, err);
	}
	change_file_release(&file);
	tw_host_release(&host);
	return st;
}

int queue_retry(struct tw_cli *cli, int argc, char **argv)
{
	struct tower *t = cli->context;
	struct tw_change c = { 0 };
	struct tw_err err = { 0 };
	enum tw_status st;
	int64_t num = 0;

	(void)argc;
	st = tower_number(argv[0], &num, &err);
	if (!st)
		st = tw_change_get(t->store, &t->who, num, &c, &err);
	if (!st)
		st = retry_on(cli, t, &c, &err);
	tw_change_release(&c);
	return finish(cli, st, &err);
}

/* --- check ---------------------------------------------------------------------------- */

int queue_check(struct tw_cli *cli, int argc, char **argv)
{
	struct change_file file = { 0 };
	struct tw_err err = { 0 };
	enum tw_status st;

	(void)argc;
	st = change_file_read(cli, argv[0], &file, &err);
	if (!st)
		fwrite(tw_buf_str(&file.describe), 1, file.describe.len,
		    stdout);
	change_file_release(&file);
	return finish(cli, st, &err);
}
