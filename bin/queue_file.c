/* queue_file.c - filing changes, and trying files: see queue.h */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/targets.h"
#include "fetch.h"
#include "file.h"
#include "filing.h"
#include "given.h"
#include "queue.h"
#include "tower.h"

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

/* What the file requires of the hosts; what was filed before need not find it
 * any more. */
static enum tw_status check_hosts(struct tw_cli *cli,
    const struct change_file *file, const struct tw_filing *f,
    const struct tw_host *hosts, size_t n, bool *again, struct tw_err *err)
{
	struct tower *t = cli->context;
	enum tw_status st;

	if (!tw_requires_is_any(&file->spec->requires))
		return TW_OK;
	st = tw_host_permit(t->store, &t->who, TW_MAY_CHANGE, hosts, n, NULL,
	    err);
	if (!st)
		st = filing_again(cli, t, f, hosts, n, again, err);
	if (!st && !*again)
		st = change_file_requires(cli, file, hosts, n, err);
	return st;
}

int queue_add(struct tw_cli *cli, int argc, char **argv)
{
	struct tower *t = cli->context;
	struct change_file file = { 0 };
	struct tw_host *hosts = NULL;
	struct tw_filing f = { 0 };
	struct tw_err err = { 0 };
	char times[FILING_TIMES];
	struct fetch_for to;
	enum tw_status st;
	bool again = false;
	size_t n = 0;

	(void)argc;
	if (queue_is_stdin_taken(cli, argv))
		return TW_USAGE;
	st = filing_read(cli, &f, times, &err);
	if (!st)
		st = tower_select_live(cli, argv[0], &hosts, &n, &err);
	if (!st && n == 0)
		st = tw_err_set(&err, TW_NO, "'%s' selects no host: nothing "
		    "was filed", argv[0]);
	to = (struct fetch_for){ hosts, n };
	if (!st)
		st = change_file_read(cli, argv[1], &to, &file, &err);
	if (!st) {
		change_file_filing(&file, &f);
		st = check_hosts(cli, &file, &f, hosts, n, &again, &err);
	}
	if (!st && !again) {
		change_file_say(cli, &file);
		st = filing_all(cli, t, &f, hosts, n, &err);
	}
	change_file_release(&file);
	tw_host_list_free(hosts, n);
	return filing_finish(cli, st, &err);
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
    const struct tw_change *c, bool is_same, const struct fetch_for *to,
    struct change_file *file, struct tw_err *err)
{
	struct tw_buf source = TW_BUF_INIT;
	struct tw_param_given *base = NULL;
	enum tw_status st;
	char name[40];
	json_t *o = NULL;
	size_t n = 0;

	snprintf(name, sizeof name, "change %" PRId64, c->num);
	st = tw_json_load(c->params, name, &o, err);
	if (!st) {
		base = base_values(o, &n);
		st = base ? TW_OK : tw_err_nomem(err);
	}
	if (!st && is_same)
		st = change_file_secrets(cli, name, base, n, file, err);
	else if (!st)
		st = tw_change_source(t->store, &t->who, c->id, &source, err);
	if (!st && !is_same)
		st = change_file_again(cli, name, &source, base, n, to, file,
		    err);
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
	file->successor = c->successor;
	file->successor.user = c->successor.user ?
	    strdup(c->successor.user) : NULL;
	return file->title && file->params &&
	    !file->successor.user == !c->successor.user ? TW_OK :
	    tw_err_nomem(err);
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
    const struct tw_change *c, const struct fetch_for *to,
    struct change_file *file, struct tw_err *err)
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
		st = compile_again(cli, t, c, false, to, file, err);
	} else if (!st) {
		st = copy_program(t, c, file, err);
		if (!st && nsecrets)
			st = compile_again(cli, t, c, true, to, file, err);
	}
	tw_strv_free(names);
	return st;
}

/* The command that does it again, as things are now. */
static enum tw_status refuse_app(const struct tw_change *c,
    struct tw_err *err)
{
	const char *instance = c->instance ? c->instance : c->app;
	bool is_deploy = strcmp(c->action, "deploy") == 0;
	bool is_upgrade = strcmp(c->action, "upgrade") == 0;
	bool has_name = is_deploy && strcmp(instance, c->app) != 0;

	tw_err_set(err, TW_NO, "change %" PRId64 " is of an app: it depends on "
	    "what is there now", c->num);
	tw_err_hint(err, "towerify-app %s %s%s%s %s%s%s", c->action,
	    is_deploy ? c->app : instance,
	    is_deploy || is_upgrade ? "@" : "",
	    is_deploy || is_upgrade ? c->app_version : "", c->host_name,
	    has_name ? " --name " : "", has_name ? instance : "");
	return TW_NO;
}

static enum tw_status retry_on(struct tw_cli *cli, struct tower *t,
    const struct tw_change *c, struct tw_err *err)
{
	struct change_file file = { 0 };
	struct tw_host host = { 0 };
	const struct fetch_for to = { &host, 1 };
	struct tw_filing f = { 0 };
	enum tw_status st;

	if (!tw_change_status_is_ended(c->status))
		return tw_err_set(err, TW_NO, "change %" PRId64
		    " has not ended", c->num);
	if (c->app)
		return refuse_app(c, err);
	st = tw_host_get(t->store, &t->who, c->host_name, &host, err);
	if (!st)
		st = make_again(cli, t, c, &to, &file, err);
	if (!st) {
		change_file_filing(&file, &f);
		f.why = c->why;
		f.hold_after_failure = c->hold_after_failure;
		f.retry_of = c->id;
		st = filing_all(cli, t, &f, &host, 1, err);
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
	return filing_finish(cli, st, &err);
}

/* --- check ---------------------------------------------------------------------------- */

int queue_check(struct tw_cli *cli, int argc, char **argv)
{
	struct change_file file = { 0 };
	struct tw_err err = { 0 };
	enum tw_status st;

	(void)argc;
	st = change_file_read(cli, argv[0], NULL, &file, &err);
	if (!st)
		fwrite(tw_buf_str(&file.describe), 1, file.describe.len,
		    stdout);
	change_file_release(&file);
	return filing_finish(cli, st, &err);
}
