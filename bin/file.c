/* file.c - a change file of the command line; see file.h */
#include "file.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/seal.h"
#include "base/text.h"
#include "engine/mask.h"
#include "fetch.h"
#include "gate.h"
#include "given.h"
#include "kinds.h"
#include "spec/change_spec.h"
#include "spec/program.h"

#define FILE_MAX ((size_t)1 << 20)	/* bytes of a change file */

/* --- sources -------------------------------------------------------------------- */

/* `source:` is relative to the change file, or absolute. */
static enum tw_status read_source(void *arg, const char *path,
    struct tw_buf *out, struct tw_err *err)
{
	struct tw_buf full = TW_BUF_INIT;
	const char *dir = arg;
	enum tw_status st;

	st = gate_refuse(W_("a source file"), err);
	if (st) {
		tw_err_hint(err, "write the text itself under content");
		return st;
	}
	if (path[0] != '/')
		tw_buf_addf(&full, "%s/", dir);
	tw_buf_adds(&full, path);
	st = tw_buf_check(&full, err);
	if (!st)
		st = tw_io_read_file(full.data, out, err);
	tw_buf_release(&full);
	return st;
}

static enum tw_status no_sources(void *arg, const char *path,
    struct tw_buf *out, struct tw_err *err)
{
	(void)arg;
	(void)path;
	(void)out;
	return tw_err_set(err, TW_DATA, "source files are not read again: file "
	    "the change anew with towerify-queue add");
}

/* Their contents don't matter. */
static enum tw_status any_source(void *arg, const char *path,
    struct tw_buf *out, struct tw_err *err)
{
	(void)arg;
	(void)path;
	(void)out;
	(void)err;
	return TW_OK;
}

/* --- parameters ------------------------------------------------------------------- */

static enum tw_status params_json(const struct tw_params *p,
    const struct tw_param_values *values, char **out, struct tw_err *err)
{
	struct tw_buf b = TW_BUF_INIT;
	bool is_first = true;
	size_t i;

	tw_buf_addc(&b, '{');
	for (i = 0; i < p->n; i++) {
		if (!values->v[i].given || p->v[i].type == TW_PARAM_SECRET)
			continue;
		if (!is_first)
			tw_buf_addc(&b, ',');
		is_first = false;
		tw_json_text(&b, p->v[i].name, strlen(p->v[i].name));
		tw_buf_addc(&b, ':');
		tw_json_text(&b, values->v[i].text,
		    strlen(values->v[i].text));
	}
	tw_buf_addc(&b, '}');
	*out = tw_buf_detach(&b);
	return *out ? TW_OK : tw_err_nomem(err);
}

/* --- secrets ------------------------------------------------------------------------ */

static enum tw_status take_secrets(struct tw_cli *cli,
    const struct tw_params *p, const struct tw_param_values *values,
    struct change_file *out, struct tw_err *err)
{
	struct tw_secret *s;
	size_t i;

	out->secrets = calloc(p->n + 1, sizeof *out->secrets);
	if (!out->secrets)
		return tw_err_nomem(err);
	for (i = 0; i < p->n; i++) {
		if (p->v[i].type != TW_PARAM_SECRET || !values->v[i].given)
			continue;
		s = &out->secrets[out->nsecrets++];
		s->name = strdup(p->v[i].name);
		s->value = strdup(values->v[i].text);
		if (!s->name || !s->value)
			return tw_err_nomem(err);
		if (strlen(s->value) < TW_MASK_MIN)
			tw_cli_say(cli, "note: secret '%s' is shorter than %d "
			    "bytes: it is not masked in what steps print",
			    s->name, TW_MASK_MIN);
	}
	return TW_OK;
}

static void release_secrets(struct change_file *f)
{
	char *value;
	size_t i;

	for (i = 0; i < f->nsecrets; i++) {
		value = (char *)f->secrets[i].value;
		if (value)
			tw_seal_wipe(value, strlen(value));
		free(value);
		free((char *)f->secrets[i].name);
	}
	free(f->secrets);
}

/* --- compiling ----------------------------------------------------------------------- */

static const char *undo_name(const struct tw_step_spec *s)
{
	switch (s->undo_kind) {
	case TW_UNDO_NOTHING:
		return "nothing";
	case TW_UNDO_IMPOSSIBLE:
		return "impossible";
	case TW_UNDO_SCRIPT:
		return "script";
	case TW_UNDO_AUTO:
		return "auto";
	case TW_UNDO_NONE:
		break;
	}
	return "none";
}

static const char *kind_name(const struct tw_step_spec *s)
{
	return s->kind == TW_STEP_KIND ? s->use->name :
	    s->kind == TW_STEP_FILE ? "file" :
	    s->kind == TW_STEP_REBOOT ? "reboot" : "run";
}

static enum tw_status make_steps(const struct tw_change_spec *spec,
    struct change_file *out, struct tw_err *err)
{
	struct tw_step *st;
	size_t i;

	out->steps = calloc(spec->nsteps + 1, sizeof *out->steps);
	if (!out->steps)
		return tw_err_nomem(err);
	for (i = 0; i < spec->nsteps; i++) {
		st = &out->steps[i];
		out->nsteps = i + 1;
		st->k = (int64_t)i + 1;
		st->name = strdup(spec->steps[i].name);
		st->kind = strdup(kind_name(&spec->steps[i]));
		st->undoable = strdup(undo_name(&spec->steps[i]));
		st->has_check = spec->steps[i].check ||
		    spec->steps[i].unless ||
		    spec->steps[i].kind == TW_STEP_FILE ||
		    spec->steps[i].kind == TW_STEP_KIND;
		st->retries = spec->steps[i].retries;
		st->timeout = spec->steps[i].timeout_ms;
		st->longest = tw_step_spec_longest(&spec->steps[i]);
		st->confirm = spec->steps[i].confirm_ms;
		if (!st->name || !st->kind || !st->undoable)
			return tw_err_nomem(err);
	}
	return TW_OK;
}

static enum tw_status make_all(const struct tw_change_spec *spec,
    const struct tw_param_values *values, struct change_file *out,
    struct tw_err *err)
{
	enum tw_status st;

	st = tw_program_make(spec, values, &out->program, &out->blob,
	    &out->room, err);
	if (!st)
		st = params_json(&spec->params, values, &out->params, err);
	if (!st)
		st = make_steps(spec, out, err);
	if (!st) {
		out->title = strdup(spec->title[0] ? spec->title :
		    spec->steps[0].name);
		st = out->title ? TW_OK : tw_err_nomem(err);
	}
	if (!st) {
		tw_program_describe(spec, values, &out->describe);
		out->nwithout = tw_change_spec_without_undo(spec,
		    &out->without_undo);
		st = tw_buf_check(&out->describe, err);
	}
	return st ? st : tw_buf_check(&out->without_undo, err);
}

static enum tw_status take_successor(const struct tw_successor_spec *s,
    struct tw_successor *out, struct tw_err *err)
{
	if (!s->given)
		return TW_OK;
	out->port = (int)s->port;
	out->has_sudo = s->has_sudo;
	out->sudo = s->sudo;
	if (!s->user.given)
		return TW_OK;
	out->user = strdup(s->user.text);
	return out->user ? TW_OK : tw_err_nomem(err);
}

/* How a file is compiled. */
struct way {
	bool is_same;		/* the program is there already, only its
				 * secrets are wanted */
	const struct fetch_for *to;	/* NULL: nothing is downloaded */
};

static enum tw_status compile(struct tw_cli *cli,
    struct tw_change_spec *spec, const struct given *given,
    const struct way *way, struct tw_diags *ds, struct change_file *out,
    struct tw_err *err)
{
	struct tw_param_values values = { 0 };
	enum tw_status st;

	st = tw_params_check(&spec->params, given->v, given->n, ds, &values,
	    err);
	if (!st && !way->is_same)
		st = tw_change_spec_fill(spec, &values, ds, err);
	if (!st && !way->is_same && way->to)
		st = fetch_for_change(cli, way->to, spec, err);
	if (!st && !way->is_same)
		st = make_all(spec, &values, out, err);
	if (!st && !way->is_same)
		st = take_successor(&spec->successor, &out->successor, err);
	if (!st)
		st = take_secrets(cli, &spec->params, &values, out, err);
	tw_param_values_release(&values);
	return st;
}

void change_file_problems(const struct tw_cli *cli,
    const struct tw_diags *ds, struct tw_err *err)
{
	struct tw_buf b = TW_BUF_INIT;
	enum tw_status st = TW_OK;
	size_t i;

	if (ds->n == 0)
		return;
	if (ds->file) {
		tw_diags_print(ds, &b);
		fputs(tw_buf_str(&b), stderr);
		st = tw_buf_check(&b, err);
		tw_buf_release(&b);
	}
	for (i = 0; !ds->file && i < ds->n; i++) {
		tw_cli_warn(cli, "%s", tw_diag_text(&ds->v[i]));
		if (ds->v[i].hint)
			fprintf(stderr, tw_text("hint: %s\n"),
			    ds->v[i].hint);
	}
	if (err && !st)
		err->msg[0] = '\0';
}

static enum tw_status parse(struct tw_cli *cli, const char *name,
    struct tw_spec_reader *reader, const struct given *given,
    const struct way *way, struct change_file *out, struct tw_err *err)
{
	struct tw_change_spec *spec = NULL;
	struct tw_diags ds = { .file = name };
	enum tw_status st;

	st = kinds_open(&reader->kinds, err);
	if (!st)
		st = tw_change_spec_parse(tw_buf_str(&out->source),
		    out->source.len, reader, &ds, &spec, err);
	if (!st) {
		ds.file = NULL;
		st = compile(cli, spec, given, way, &ds, out, err);
	}
	if (st)
		change_file_problems(cli, &ds, err);
	tw_diags_release(&ds);
	out->spec = spec;
	out->kinds = reader->kinds;
	return st;
}

enum tw_status change_file_of(struct tw_cli *cli,
    struct tw_change_spec *spec, const struct given *given,
    struct change_file *out, struct tw_err *err)
{
	static const struct fetch_for granted = { NULL, 0 };
	const struct way way = { .to = &granted };
	struct tw_diags ds = { 0 };
	enum tw_status st;

	st = compile(cli, spec, given, &way, &ds, out, err);
	if (st) {
		change_file_problems(cli, &ds, err);
		change_file_release(out);
	}
	tw_diags_release(&ds);
	return st;
}

enum tw_status change_file_read(struct tw_cli *cli, const char *path,
    const struct fetch_for *to, struct change_file *out, struct tw_err *err)
{
	const struct way way = { .to = to };
	bool is_stdin = strcmp(path, "-") == 0;
	char *copy = strdup(path);
	struct tw_spec_reader reader = { .read = read_source };
	struct given given = { 0 };
	enum tw_status st;

	memset(out, 0, sizeof *out);
	if (!copy)
		return tw_err_nomem(err);
	out->source.max = FILE_MAX;
	reader.arg = dirname(copy);	/* of "-": "." */
	st = given_read(cli, is_stdin, NULL, 0, &given, err);
	if (!st)
		st = is_stdin ? given_rest(&given, &out->source, err) :
		    gate_read(path, &out->source, err);
	if (st == TW_CONFIG && err)	/* an input file, not the state */
		st = err->status = TW_DATA;
	if (!st)
		st = parse(cli, is_stdin ? "standard input" : path, &reader,
		    &given, &way, out, err);
	if (st)
		change_file_release(out);
	given_release(&given);
	free(copy);
	return st;
}

enum tw_status change_file_own(struct tw_cli *cli, const char *path,
    const struct tw_param_given *base, size_t nbase, struct change_file *out,
    struct tw_err *err)
{
	struct tw_spec_reader reader = { .read = NULL };
	const struct way way = { .to = NULL };
	struct given given = { 0 };
	enum tw_status st;
	const char *arg;
	size_t i, k;

	memset(out, 0, sizeof *out);
	for (i = 0; (arg = tw_cli_opt_each(cli, "param", i)); i++)
		for (k = 0; k < nbase; k++)
			if (strcspn(arg, "=@") == base[k].name_len &&
			    strncmp(arg, base[k].name, base[k].name_len) == 0)
				return tw_err_set(err, TW_USAGE, "parameter "
				    "'%s' is the tower's to give",
				    base[k].name);
	out->source.max = FILE_MAX;
	st = tw_io_read_file(path, &out->source, err);
	if (st == TW_DATA && err)	/* part of the installation, no input */
		st = err->status = TW_CONFIG;
	if (!st)
		st = given_read(cli, false, base, nbase, &given, err);
	if (!st)
		st = parse(cli, path, &reader, &given, &way, out, err);
	if (st)
		change_file_release(out);
	given_release(&given);
	return st;
}

enum tw_status change_file_again(struct tw_cli *cli, const char *name,
    const struct tw_buf *source, const struct tw_param_given *base,
    size_t nbase, const struct fetch_for *to, struct change_file *out,
    struct tw_err *err)
{
	struct tw_spec_reader reader = { .read = no_sources };
	const struct way way = { .to = to };
	struct given given = { 0 };
	enum tw_status st;

	memset(out, 0, sizeof *out);
	if (!tw_buf_add(&out->source, source->data, source->len))
		return tw_err_nomem(err);
	st = given_read(cli, false, base, nbase, &given, err);
	if (!st)
		st = parse(cli, name, &reader, &given, &way, out, err);
	if (st)
		change_file_release(out);
	given_release(&given);
	return st;
}

enum tw_status change_file_secrets(struct tw_cli *cli, const char *name,
    const struct tw_param_given *base, size_t nbase, struct change_file *out,
    struct tw_err *err)
{
	struct tw_spec_reader reader = { .read = any_source,
		.is_blind = true };
	const struct way way = { .is_same = true };
	struct given given = { 0 };
	enum tw_status st;

	st = given_read(cli, false, base, nbase, &given, err);
	if (!st)
		st = parse(cli, name, &reader, &given, &way, out, err);
	given_release(&given);
	return st;
}

void change_file_filing(const struct change_file *file, struct tw_filing *f)
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
	f->successor = &file->successor;
}

void change_file_say(struct tw_cli *cli, const struct change_file *file)
{
	struct tw_buf login = TW_BUF_INIT;

	if (file->nwithout > 0 && !cli->is_quiet)
		fprintf(stderr, tw_text("no undo, a failure after these holds "
		    "the host:\n%s"), tw_buf_str(&file->without_undo));
	if (tw_successor_is_there(&file->successor)) {
		tw_successor_describe(&file->successor, &login);
		tw_cli_say(cli, "successor login: %s", tw_buf_str(&login));
	}
	tw_buf_release(&login);
}

enum tw_status requires_say(struct tw_cli *cli, const struct tw_requires *r,
    const struct tw_host *h, struct tw_err *err)
{
	struct tw_buf misses = TW_BUF_INIT;
	char *line, *save = NULL;
	enum tw_status st;

	st = tw_requires_check(r, h->name, h->facts, &misses, err);
	for (line = st == TW_NO ? strtok_r(misses.data, "\n", &save) : NULL;
	    line; line = strtok_r(NULL, "\n", &save))
		tw_cli_warn(cli, "%s: %s", h->name, line);
	tw_buf_release(&misses);
	if (st == TW_NO)
		err->msg[0] = '\0';
	return st;
}

enum tw_status change_file_requires(struct tw_cli *cli,
    const struct change_file *file, const struct tw_host *hosts, size_t n,
    struct tw_err *err)
{
	enum tw_status st, worst = TW_OK;
	size_t i;

	for (i = 0; file->spec && i < n; i++) {
		st = requires_say(cli, &file->spec->requires, &hosts[i], err);
		if (st && st != TW_NO)
			return st;
		worst = tw_status_worse(worst, st);
	}
	return worst;
}

void change_file_release(struct change_file *f)
{
	tw_buf_release(&f->source);
	tw_buf_release(&f->program);
	tw_buf_release(&f->blob);
	tw_buf_release(&f->describe);
	tw_buf_release(&f->without_undo);
	free(f->title);
	free(f->params);
	release_secrets(f);
	tw_successor_release(&f->successor);
	tw_change_spec_free(f->spec);
	tw_kinds_free(f->kinds);
	tw_step_list_free(f->steps, f->nsteps);
	memset(f, 0, sizeof *f);
}
