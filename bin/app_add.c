/* app_add.c - apps of files: into the catalogue, and read again; see app.h */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app.h"
#include "base/io.h"
#include "file.h"
#include "filing.h"
#include "gate.h"
#include "kinds.h"
#include "spec/bundle.h"

#define FILE_MAX ((size_t)1 << 20)	/* bytes of an app file */
#define BUNDLE_MAX ((size_t)65 << 20)	/* of the files its steps name */
#define APP_FILE "app.yaml"		/* in a directory */

/* --- what steps name ---------------------------------------------------------------- */

struct sources {
	const char *dir;	/* where they are read from; NULL: only bundle */
	struct tw_buf *bundle;
};

static enum tw_status read_from(const struct sources *s, const char *path,
    struct tw_buf *out, struct tw_err *err)
{
	struct tw_buf full = TW_BUF_INIT;
	size_t had = out->len;
	enum tw_status st;

	st = gate_refuse(W_("a source file"), err);
	if (st)
		return st;
	if (!tw_bundle_name_ok(path))
		return tw_err_set(err, TW_DATA, "%s: is not inside the "
		    "directory of the app", path);
	tw_buf_addf(&full, "%s/%s", s->dir, path);
	st = tw_buf_check(&full, err);
	if (!st)
		st = tw_io_read_file(full.data, out, err);
	tw_buf_release(&full);
	if (!st)
		st = tw_bundle_add(s->bundle, path, out->data ?
		    out->data + had : NULL, out->len - had, err);
	return st;
}

static enum tw_status read_source(void *arg, const char *path,
    struct tw_buf *out, struct tw_err *err)
{
	const struct sources *s = arg;
	const void *p;
	size_t n;

	if (tw_bundle_find(s->bundle->data, s->bundle->len, path, &p, &n)) {
		tw_buf_add(out, p, n);
		return tw_buf_check(out, err);
	}
	if (!s->dir)
		return tw_err_set(err, TW_CONFIG, "the state lacks %s", path);
	return read_from(s, path, out, err);
}

static enum tw_status parse(struct tw_cli *cli, const char *name,
    struct sources *sources, struct app_text *x, struct tw_err *err)
{
	struct tw_spec_reader reader = { .read = read_source,
	    .arg = sources };
	struct tw_diags ds = { .file = name };
	enum tw_status st;

	st = kinds_open(&x->kinds, err);
	reader.kinds = x->kinds;
	if (!st)
		st = tw_app_spec_parse(tw_buf_str(&x->file), x->file.len,
		    &reader, &ds, &x->spec, err);
	if (st)
		change_file_problems(cli, &ds, err);
	tw_diags_release(&ds);
	return st;
}

enum tw_status app_text_parse(struct tw_cli *cli, const char *name,
    struct app_text *x, struct tw_err *err)
{
	struct sources sources = { .bundle = &x->bundle };

	return parse(cli, name, &sources, x, err);
}

enum tw_status app_text_read(struct tw_cli *cli, struct tower *t,
    const struct tw_app *a, struct app_text *out, struct tw_err *err)
{
	struct tw_buf name = TW_BUF_INIT;
	enum tw_status st;

	memset(out, 0, sizeof *out);
	out->bundle.max = BUNDLE_MAX;
	tw_buf_addf(&name, "%s@%s", a->name, a->version);
	st = tw_app_read(t->store, a, &out->file, &out->bundle, err);
	if (!st)
		st = app_text_parse(cli, tw_buf_str(&name), out, err);
	tw_buf_release(&name);
	if (st)
		app_text_release(out);
	return st;
}

void app_text_release(struct app_text *x)
{
	tw_app_spec_free(x->spec);
	tw_kinds_free(x->kinds);
	tw_buf_release(&x->file);
	tw_buf_release(&x->bundle);
	memset(x, 0, sizeof *x);
}

/* --- add ------------------------------------------------------------------------------ */

/* FILE, or DIR/app.yaml; malloc'd.  Behind a gate nothing is looked at. */
static char *file_of(const char *path)
{
	struct tw_buf b = TW_BUF_INIT;
	struct stat st;

	tw_buf_adds(&b, path);
	if (strcmp(path, "-") != 0 && !gate_is_there() &&
	    stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		tw_buf_adds(&b, "/" APP_FILE);
	return tw_buf_detach(&b);
}

static bool is_stdin(const char *path)
{
	return strcmp(path, "-") == 0;
}

static enum tw_status read_app(struct tw_cli *cli, const char *path,
    struct app_text *x, struct tw_err *err)
{
	struct sources sources = { .bundle = &x->bundle };
	char *copy = strdup(path);
	enum tw_status st = TW_OK;

	if (!copy)
		return tw_err_nomem(err);
	x->bundle.max = BUNDLE_MAX;
	sources.dir = dirname(copy);	/* of "-": "." */
	if (!st)
		st = parse(cli, is_stdin(path) ? "standard input" : path,
		    &sources, x, err);
	free(copy);
	return st;
}

static enum tw_status read_file(const char *path, struct app_text *x,
    struct tw_err *err)
{
	enum tw_status st;

	x->file.max = FILE_MAX;
	st = gate_read(path, &x->file, err);
	if (st == TW_CONFIG)	/* an input file, not the state */
		st = err->status = TW_DATA;
	return st;
}

static enum tw_status add(struct tw_cli *cli, const struct app_text *x,
    struct tw_err *err)
{
	const struct tw_app_spec *s = x->spec;
	struct tw_buf archs = TW_BUF_INIT;
	struct tower *t = cli->context;
	struct tw_app_entry e = {
		.name = s->app, .version = s->version,
		.title = s->title[0] ? s->title : s->app,
		.description = s->description[0] ? s->description : NULL,
		.level = -1, .file = x->file.data, .file_len = x->file.len,
		.bundle = x->bundle.data, .bundle_len = x->bundle.len,
	};
	bool again = false;
	enum tw_status st;
	size_t i;

	for (i = 0; s->requires.arch && s->requires.arch[i]; i++)
		tw_buf_addf(&archs, "%s%s", i ? "," : "",
		    s->requires.arch[i]);
	if (archs.len)
		e.archs = tw_buf_str(&archs);
	st = tw_buf_check(&archs, err);
	if (!st)
		st = tw_app_add(t->store, &t->who, &e, &again, err);
	tw_buf_release(&archs);
	if (st)
		return st;
	printf("%s@%s\n", s->app, s->version);
	if (again)
		tw_cli_say(cli, "it was there already");
	return TW_OK;
}

int app_add(struct tw_cli *cli, int argc, char **argv)
{
	char *path = file_of(argv[0]);
	struct app_text x = { 0 };
	struct tw_err err = { 0 };
	enum tw_status st;

	(void)argc;
	st = path ? read_file(path, &x, &err) : tw_err_nomem(&err);
	if (!st && app_is_manifest(&x.file)) {
		st = app_manifest(cli, is_stdin(path) ? "standard input" :
		    path, &x.file, &err);
	} else if (!st) {
		st = read_app(cli, path, &x, &err);
		if (!st)
			st = add(cli, &x, &err);
	}
	app_text_release(&x);
	free(path);
	return filing_finish(cli, st, &err);
}

int app_remove(struct tw_cli *cli, int argc, char **argv)
{
	struct tower *t = cli->context;
	struct tw_err err = { 0 };
	enum tw_status st;

	(void)argc;
	st = tw_app_remove(t->store, &t->who, argv[0], &err);
	return filing_finish(cli, st, &err);
}
