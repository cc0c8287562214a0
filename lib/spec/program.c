/*
 * program.c - a checked change as the executor reads it; see program.h
 *
 * Room for events.  The executor writes for one step at most: start; a run for
 * each attempt; a try for each attempt but the last; end; undo; undone.  With
 * r retries that is 1 + (r + 1) + r + 1 + 1 + 1 = 2r + 5 lines, and an await
 * where it is to be confirmed.  A change adds
 * its verdict, one cancel, and a life line for each time an executor begins:
 * one a step (reboots) and LIVES more for take-overs that come to nothing.  A
 * line has at most EVENT_MAX bytes, a cancel line CANCEL_MAX.
 */
#include "spec/program.h"

#include <inttypes.h>
#include <string.h>

#include "base/hash.h"

#define EVENT_MAX 80L
#define CANCEL_MAX 200L
#define LIVES 100L

#define TEXT_MAX ((size_t)16 << 20)	/* 1 MiB of file and of values, each
					 * byte at most four when quoted */

void tw_program_quote(struct tw_buf *out, const char *s, size_t n)
{
	const char *q;

	tw_buf_addc(out, '\'');
	while ((q = n ? memchr(s, '\'', n) : NULL)) {
		tw_buf_add(out, s, (size_t)(q - s));
		tw_buf_adds(out, "'\\''");
		n -= (size_t)(q - s) + 1;
		s = q + 1;
	}
	tw_buf_add(out, s, n);
	tw_buf_addc(out, '\'');
}

enum tw_status tw_secrets_text(const struct tw_secret_value *v, size_t n,
    struct tw_buf *out, struct tw_err *err)
{
	size_t i, room = 0;
	const char *q;

	for (i = 0; i < n; i++) {
		room += strlen(v[i].name) + strlen(v[i].value) + 6;
		for (q = v[i].value; (q = strchr(q, '\'')); q++)
			room += 3;
	}
	tw_buf_reserve(out, room);
	for (i = 0; i < n; i++) {
		tw_buf_addf(out, "P_%s=", v[i].name);
		tw_program_quote(out, v[i].value, strlen(v[i].value));
		tw_buf_addc(out, '\n');
	}
	return tw_buf_check(out, err);
}

static void add_text(struct tw_buf *out, size_t k, const char *part,
    const char *text)
{
	if (!text)
		return;
	tw_buf_addf(out, "s_text %zu %s ", k, part);
	tw_program_quote(out, text, strlen(text));
	tw_buf_addc(out, '\n');
}

static void add_file(struct tw_buf *out, size_t k,
    const struct tw_file_spec *f, struct tw_buf *blob)
{
	char sha[TW_SHA256_HEX];

	tw_sha256_hex(f->content, f->len, sha);
	tw_buf_addf(out, "s_file %zu ", k);
	tw_program_quote(out, f->path, strlen(f->path));
	tw_buf_addf(out, " %s %s %zu %zu %s\n", f->mode[0] ? f->mode : "-",
	    f->owner ? f->owner : "-", blob->len, f->len, sha);
	tw_buf_add(blob, f->content, f->len);
}

/* The text of each kind, before the first step of it. */
static void add_kinds(struct tw_buf *out, const struct tw_change_spec *spec)
{
	const struct tw_kind *kind;
	size_t i, k;

	for (i = 0; i < spec->nsteps; i++) {
		kind = spec->steps[i].use;
		for (k = 0; k < i && spec->steps[k].use != kind; k++)
			;
		if (!kind || k < i)
			continue;
		tw_buf_addf(out, "s_kind %s ", kind->name);
		tw_program_quote(out, kind->text, strlen(kind->text));
		tw_buf_addc(out, '\n');
	}
}

static void add_use(struct tw_buf *out, size_t k, const struct tw_step_spec *s,
    struct tw_buf *blob)
{
	const struct tw_arg_spec *a;
	size_t i;

	tw_buf_addf(out, "s_use %zu %s\n", k, s->use->name);
	for (i = 0; i < s->use->args.n; i++) {
		a = &s->args[i];
		if (a->def->type == TW_PARAM_FILE && a->given) {
			tw_buf_addf(out, "s_content %zu %s %zu %zu\n", k,
			    a->def->name, blob->len, a->len);
			tw_buf_add(blob, a->content, a->len);
			continue;
		}
		tw_buf_addf(out, "s_arg %zu %s ", k, a->def->name);
		tw_program_quote(out, a->text, strlen(a->text));
		tw_buf_addc(out, '\n');
	}
}

static void add_fetched(struct tw_buf *out, size_t k,
    const struct tw_step_spec *s, struct tw_buf *blob)
{
	if (!s->fetched)
		return;
	tw_buf_addf(out, "s_content %zu " TW_KIND_FETCHED " %zu %zu\n", k,
	    blob->len, s->fetched_len);
	tw_buf_add(blob, s->fetched, s->fetched_len);
}

static const char *kind_word(enum tw_step_kind kind)
{
	switch (kind) {
	case TW_STEP_FILE:
		return "file";
	case TW_STEP_REBOOT:
		return "reboot";
	default:
		return "run";
	}
}

static const char *undo_word(enum tw_undo undo)
{
	switch (undo) {
	case TW_UNDO_NOTHING:
		return "nothing";
	case TW_UNDO_IMPOSSIBLE:
		return "impossible";
	case TW_UNDO_SCRIPT:
		return "script";
	case TW_UNDO_AUTO:
		return "auto";
	default:
		return "none";
	}
}

static bool is_given_secret(const struct tw_change_spec *spec,
    const struct tw_param_values *values, size_t i)
{
	return spec->params.v[i].type == TW_PARAM_SECRET && values->v[i].given;
}

static void add_params(struct tw_buf *out, const struct tw_change_spec *spec,
    const struct tw_param_values *values)
{
	const char *value;
	size_t i;

	for (i = 0; i < spec->params.n; i++) {
		if (is_given_secret(spec, values, i))
			continue;
		value = values->v[i].text;
		tw_buf_addf(out, "s_param %s ", spec->params.v[i].name);
		tw_program_quote(out, value, strlen(value));
		tw_buf_addc(out, '\n');
	}
	for (i = 0; i < spec->params.n; i++)
		if (is_given_secret(spec, values, i))
			tw_buf_addf(out, "s_secret %s\n",
			    spec->params.v[i].name);
}

static void add_uses(struct tw_buf *out, const struct tw_change_spec *spec,
    const struct tw_param_values *values, size_t k)
{
	const char *name;
	bool is_first = true;
	size_t i;

	for (i = 0; i < spec->params.n; i++) {
		name = spec->params.v[i].name;
		if (!is_given_secret(spec, values, i) ||
		    !tw_step_spec_names(&spec->steps[k - 1], name))
			continue;
		if (is_first)
			tw_buf_addf(out, "s_uses %zu", k);
		tw_buf_addf(out, " %s", name);
		is_first = false;
	}
	if (!is_first)
		tw_buf_addc(out, '\n');
}

static void add_step(struct tw_buf *out, size_t k,
    const struct tw_step_spec *s, struct tw_buf *blob)
{
	tw_buf_addf(out, "s_step %zu %s %" PRId64 " %d %" PRId64 " ", k,
	    kind_word(s->kind), s->timeout_ms / 1000, s->retries,
	    s->retry_delay_ms / 1000);
	tw_program_quote(out, s->name, strlen(s->name));
	tw_buf_addc(out, '\n');
	add_text(out, k, "check", s->check);
	add_text(out, k, "unless", s->unless);
	add_text(out, k, "verify", s->verify);
	add_text(out, k, "run", s->run);
	add_text(out, k, "undo", s->undo);
	if (s->kind == TW_STEP_FILE)
		add_file(out, k, &s->file, blob);
	if (s->kind == TW_STEP_KIND) {
		add_use(out, k, s, blob);
		add_fetched(out, k, s, blob);
	}
	tw_buf_addf(out, "s_undo %zu %s\n", k, undo_word(s->undo_kind));
	if (s->confirm_ms)
		tw_buf_addf(out, "s_confirm %zu %" PRId64 "\n", k,
		    s->confirm_ms / 1000);
}

long tw_program_room(const struct tw_change_spec *spec)
{
	long lines = LIVES + (long)spec->nsteps + 1;
	size_t i;

	for (i = 0; i < spec->nsteps; i++)
		lines += 2L * spec->steps[i].retries + 5 +
		    (spec->steps[i].confirm_ms > 0);
	return lines * EVENT_MAX + CANCEL_MAX;
}

enum tw_status tw_program_make(const struct tw_change_spec *spec,
    const struct tw_param_values *values, struct tw_buf *text,
    struct tw_buf *blob, long *room, struct tw_err *err)
{
	enum tw_status st;
	size_t i;

	text->max = TEXT_MAX;
	blob->max = TW_FILES_TOTAL_MAX;
	add_params(text, spec, values);
	add_kinds(text, spec);
	for (i = 0; i < spec->nsteps; i++) {
		add_step(text, i + 1, &spec->steps[i], blob);
		add_uses(text, spec, values, i + 1);
	}
	tw_buf_addf(text, "s_end %zu\n", spec->nsteps);
	*room = tw_program_room(spec);
	st = tw_buf_check(text, err);
	if (st == TW_OK)
		st = tw_buf_check(blob, err);
	return st;
}
