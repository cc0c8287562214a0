/*
 * compile.c - an action of an app file as a program for the executor, for tests
 *
 * compile FILE ACTION FROM PROGRAM BLOB KEYS [NAME=VALUE]...
 *
 * Kinds are those of TOWERIFY_KINDS; files are read relative to FILE.  Values
 * of secrets go into KEYS.  The problems are on standard error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "spec/app_spec.h"
#include "spec/program.h"

#define GIVEN_MAX 32

static enum tw_status read_beside(void *arg, const char *path,
    struct tw_buf *out, struct tw_err *err)
{
	const char *file = arg, *slash = strrchr(file, '/');
	char full[4096];

	snprintf(full, sizeof full, "%.*s%s",
	    slash ? (int)(slash - file + 1) : 0, file, path);
	return tw_io_read_file(full, out, err);
}

static enum tw_status write_file(const char *path, const struct tw_buf *b,
    struct tw_err *err)
{
	return tw_io_write_file(path, tw_buf_str(b), b->len, 0600, err);
}

static enum tw_status write_all(const struct tw_change_spec *s,
    const struct tw_param_values *v, char **paths, struct tw_err *err)
{
	struct tw_buf text = TW_BUF_INIT, blob = TW_BUF_INIT;
	struct tw_buf keys = TW_BUF_INIT;
	struct tw_secret_value secret;
	enum tw_status st;
	long room;
	size_t i;

	st = tw_program_make(s, v, &text, &blob, &room, err);
	for (i = 0; i < s->params.n && st == TW_OK; i++) {
		if (s->params.v[i].type != TW_PARAM_SECRET || !v->v[i].given)
			continue;
		secret.name = s->params.v[i].name;
		secret.value = v->v[i].text;
		st = tw_secrets_text(&secret, 1, &keys, err);
	}
	if (st == TW_OK)
		st = write_file(paths[0], &text, err);
	if (st == TW_OK)
		st = write_file(paths[1], &blob, err);
	if (st == TW_OK)
		st = write_file(paths[2], &keys, err);
	tw_buf_release(&text);
	tw_buf_release(&blob);
	tw_buf_release(&keys);
	return st;
}

static enum tw_status compile(struct tw_app_spec *app, char **argv,
    const struct tw_param_given *given, size_t n, struct tw_diags *ds,
    struct tw_err *err)
{
	struct tw_app_act act = { TW_APP_DEPLOY, "one", argv[3], false };
	struct tw_param_values v = { NULL, 0 };
	struct tw_change_spec *s = NULL;
	enum tw_status st;
	int i;

	for (i = 0; i < TW_APP_ACTIONS; i++)
		if (strcmp(tw_app_action_words[i], argv[2]) == 0)
			act.action = (enum tw_app_action)i;
	st = tw_app_compile(app, &act, &s, err);
	if (st == TW_OK)
		st = tw_params_check(&s->params, given, n, ds, &v, err);
	if (st == TW_OK)
		st = tw_change_spec_fill(s, &v, ds, err);
	if (st == TW_OK)
		st = write_all(s, &v, argv + 4, err);
	tw_param_values_release(&v);
	tw_change_spec_free(s);
	return st;
}

int main(int argc, char **argv)
{
	const char *dirs[] = { getenv("TOWERIFY_KINDS"), NULL };
	struct tw_spec_reader reader = { .read = read_beside };
	struct tw_param_given given[GIVEN_MAX];
	struct tw_buf text = TW_BUF_INIT, said = TW_BUF_INIT;
	struct tw_app_spec *app = NULL;
	struct tw_err err = { 0 };
	struct tw_diags ds = { 0 };
	enum tw_status st = TW_OK;
	int i;

	if (argc < 7 || argc - 7 > GIVEN_MAX)
		return 2;
	for (i = 7; i < argc && st == TW_OK; i++) {
		st = tw_param_given_split(argv[i], &given[i - 7], &err);
		given[i - 7].is_private = true;
	}
	ds.file = argv[1];
	reader.arg = argv[1];
	if (st == TW_OK)
		st = tw_kinds_new(dirs, &reader.kinds, &err);
	if (st == TW_OK)
		st = tw_io_read_file(argv[1], &text, &err);
	if (st == TW_OK)
		st = tw_app_spec_parse(tw_buf_str(&text), text.len, &reader,
		    &ds, &app, &err);
	if (st == TW_OK)
		st = compile(app, argv, given, (size_t)(argc - 7), &ds, &err);
	tw_diags_print(&ds, &said);
	fputs(tw_buf_str(&said), stderr);
	if (st != TW_OK && said.len == 0)
		fprintf(stderr, "%s\n", err.msg);
	tw_app_spec_free(app);
	tw_kinds_free(reader.kinds);
	tw_diags_release(&ds);
	tw_buf_release(&text);
	tw_buf_release(&said);
	return tw_status_exit(st);
}
