/* describe.c - a checked change for a person to read; see program.h */
#include <string.h>

#include "base/text.h"
#include "spec/node.h"
#include "spec/program.h"

#define INDENT "        "
#define VALUE_SHOWN 200		/* characters of a value */

/* A line, escaped but for its tabs. */
static void add_line(struct tw_buf *out, const char *s, size_t n)
{
	const char *tab;

	while ((tab = n ? memchr(s, '\t', n) : NULL)) {
		tw_diag_escape(out, s, (size_t)(tab - s), 0);
		tw_buf_addc(out, '\t');
		n -= (size_t)(tab - s) + 1;
		s = tab + 1;
	}
	tw_diag_escape(out, s, n, 0);
}

static void add_lines(struct tw_buf *out, const char *indent,
    const char *text, size_t len)
{
	const char *end;
	size_t n;

	while (len) {
		end = memchr(text, '\n', len);
		n = end ? (size_t)(end - text) : len;
		tw_buf_adds(out, n ? indent : "");
		add_line(out, text, n);
		tw_buf_addc(out, '\n');
		n += end != NULL;
		text += n;
		len -= n;
	}
}

static void add_command(struct tw_buf *out, const char *what, const char *text)
{
	if (!text)
		return;
	tw_buf_addf(out, "    %s\n", what);
	add_lines(out, INDENT, text, strlen(text));
}

static void add_params(const struct tw_change_spec *spec,
    const struct tw_param_values *values, struct tw_buf *out)
{
	const struct tw_param *p;
	const char *text;
	size_t i;

	if (spec->params.n == 0)
		return;
	tw_buf_adds(out, "parameters\n");
	for (i = 0; i < spec->params.n; i++) {
		p = &spec->params.v[i];
		if (p->type == TW_PARAM_SECRET && values->v[i].given) {
			tw_buf_addf(out, "    %s=(secret)\n", p->name);
			continue;
		}
		text = values->v[i].text;
		tw_buf_addf(out, "    %s='", p->name);
		tw_diag_escape(out, text, strlen(text), VALUE_SHOWN);
		tw_buf_adds(out, "'");
		if (!values->v[i].given)
			tw_buf_adds(out, p->fallback ? " (default)" :
			    " (absent)");
		tw_buf_addc(out, '\n');
	}
}

static void add_host(const struct tw_change_spec *spec, struct tw_buf *out)
{
	const struct tw_successor_spec *s = &spec->successor;
	struct tw_buf needs = TW_BUF_INIT;

	tw_requires_describe(&spec->requires, &needs);
	if (needs.len)
		tw_buf_addf(out, tw_text("requires: %s\n"), tw_buf_str(&needs));
	out->failed |= needs.failed;
	tw_buf_release(&needs);
	if (!s->given)
		return;
	tw_buf_adds(out, tw_text("successor login:"));
	if (s->user.given)
		tw_buf_addf(out, tw_text(" user %s"), s->user.text);
	if (s->port)
		tw_buf_addf(out, s->user.given ? tw_text(", port %lld") :
		    tw_text(" port %lld"), (long long)s->port);
	if (s->has_sudo)
		tw_buf_adds(out, s->sudo ? tw_text(", with sudo") :
		    tw_text(", without sudo"));
	tw_buf_addc(out, '\n');
}

static void add_limits(const struct tw_step_spec *s, struct tw_buf *out)
{
	char span[TW_SPAN_MAX];

	tw_span_write(s->timeout_ms, span);
	tw_buf_addf(out, tw_text("    timeout %s"), span);
	if (s->retries) {
		tw_span_write(s->retry_delay_ms, span);
		tw_buf_addf(out, tw_text(", retries %d after %s each"),
		    s->retries,
		    span);
	}
	tw_buf_addc(out, '\n');
	if (!s->confirm_ms)
		return;
	tw_span_write(s->confirm_ms, span);
	tw_buf_addf(out,
	    tw_text("    confirm within %s, over a new connection, or it "
	    "is undone\n"), span);
}

static void add_file(const struct tw_file_spec *f, struct tw_buf *out)
{
	tw_buf_adds(out, tw_text("    file "));
	tw_diag_escape(out, f->path, strlen(f->path), 0);
	tw_buf_addf(out, tw_text(", %zu bytes"), f->len);
	if (f->mode[0])
		tw_buf_addf(out, tw_text(", mode %s"), f->mode);
	if (f->owner)
		tw_buf_addf(out, tw_text(", owner %s"), f->owner);
	tw_buf_addc(out, '\n');
}

static void add_use(const struct tw_step_spec *s, struct tw_buf *out)
{
	const struct tw_arg_spec *a;
	size_t i;

	tw_buf_addf(out, "    %s\n", s->use->name);
	for (i = 0; i < s->use->args.n; i++) {
		a = &s->args[i];
		if (!a->given)
			continue;
		if (a->def->type == TW_PARAM_FILE) {
			tw_buf_addf(out, "        %s: ", a->def->name);
			tw_diag_escape(out, a->text, strlen(a->text), 0);
			tw_buf_addf(out, tw_text(", %zu bytes\n"), a->len);
		} else if (strchr(a->text, '\n')) {
			tw_buf_addf(out, "        %s:\n", a->def->name);
			add_lines(out, INDENT "    ", a->text,
			    strlen(a->text));
		} else {
			tw_buf_addf(out, "        %s: ", a->def->name);
			add_line(out, a->text, strlen(a->text));
			tw_buf_addc(out, '\n');
		}
	}
}

static void add_undo(const struct tw_step_spec *s, struct tw_buf *out)
{
	switch (s->undo_kind) {
	case TW_UNDO_SCRIPT:
		add_command(out, "undo", s->undo);
		break;
	case TW_UNDO_AUTO:
		tw_buf_adds(out,
		    tw_text("    undo: what was there is put back\n"));
		break;
	case TW_UNDO_NOTHING:
		tw_buf_adds(out, tw_text("    undo: nothing\n"));
		break;
	case TW_UNDO_IMPOSSIBLE:
		tw_buf_adds(out, tw_text("    undo: impossible\n"));
		break;
	case TW_UNDO_NONE:
		tw_buf_adds(out, tw_text("    undo: none\n"));
		break;
	}
}

static void add_secrets(const struct tw_change_spec *spec,
    const struct tw_step_spec *s, struct tw_buf *out)
{
	const struct tw_param *p;
	bool is_first = true;
	size_t i;

	for (i = 0; i < spec->params.n; i++) {
		p = &spec->params.v[i];
		if (p->type != TW_PARAM_SECRET || !tw_step_spec_names(s, p->name))
			continue;
		tw_buf_addf(out, "%s%s", is_first ? tw_text("    secrets: ") :
		    ", ",
		    p->name);
		is_first = false;
	}
	if (!is_first)
		tw_buf_addc(out, '\n');
}

static void add_step(const struct tw_change_spec *spec, size_t k,
    struct tw_buf *out)
{
	const struct tw_step_spec *s = &spec->steps[k - 1];

	tw_buf_addf(out, tw_text("step %zu: "), k);
	tw_diag_escape(out, s->name, strlen(s->name), 0);
	tw_buf_addc(out, '\n');
	if (s->kind == TW_STEP_REBOOT)
		tw_buf_adds(out, tw_text("    reboot\n"));
	if (s->kind == TW_STEP_FILE)
		add_file(&s->file, out);
	if (s->kind == TW_STEP_KIND)
		add_use(s, out);
	add_command(out, tw_text("check (before and after)"), s->check);
	add_command(out, "unless", s->unless);
	add_command(out, "run", s->run);
	add_command(out, "verify", s->verify);
	add_undo(s, out);
	add_secrets(spec, s, out);
	add_limits(s, out);
}

void tw_program_describe(const struct tw_change_spec *spec,
    const struct tw_param_values *values, struct tw_buf *out)
{
	struct tw_buf names = TW_BUF_INIT;
	size_t i;

	if (spec->title[0]) {
		tw_diag_escape(out, spec->title, strlen(spec->title), 0);
		tw_buf_addc(out, '\n');
	}
	add_params(spec, values, out);
	add_host(spec, out);
	for (i = 0; i < spec->nsteps; i++)
		add_step(spec, i + 1, out);
	if (tw_change_spec_without_undo(spec, &names)) {
		tw_buf_adds(out,
		    tw_text("without undo (a failure at or after one of "
		    "these holds the host):\n"));
		add_lines(out, INDENT, tw_buf_str(&names), names.len);
	}
	if (names.failed)
		out->failed = true;
	tw_buf_release(&names);
}
