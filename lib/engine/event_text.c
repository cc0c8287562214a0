/* event_text.c - an event as hooks get it; see event_text.h */
#include "engine/event_text.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "spec/diag.h"

#define LINES_MAX 20		/* of output that are told */

/* The last lines of the output; *n of them, pointers into it. */
static size_t last_lines(const struct tw_event *e, const char *lines[LINES_MAX],
    size_t lens[LINES_MAX])
{
	const char *begin = tw_buf_str(&e->output);
	const char *end = begin + e->output.len, *at;
	size_t n = 0, i;

	if (end > begin && end[-1] == '\n')
		end--;
	while (end > begin && n < LINES_MAX) {
		for (at = end; at > begin && at[-1] != '\n'; at--)
			;
		lines[n] = at;
		lens[n++] = (size_t)(end - at);
		end = at > begin ? at - 1 : begin;
	}
	for (i = 0; i < n / 2; i++) {
		const char *s = lines[i];
		size_t len = lens[i];

		lines[i] = lines[n - 1 - i];
		lens[i] = lens[n - 1 - i];
		lines[n - 1 - i] = s;
		lens[n - 1 - i] = len;
	}
	return n;
}

/* --- JSON ---------------------------------------------------------------- */

static json_t *text_of(const char *s, size_t n)
{
	struct tw_buf b = TW_BUF_INIT;
	json_t *v;

	tw_diag_escape(&b, s, n, 0);
	v = b.failed ? NULL : json_string(tw_buf_str(&b));
	tw_buf_release(&b);
	return v;
}

static json_t *text(const char *s)
{
	return s ? text_of(s, strlen(s)) : json_null();
}

static json_t *instant(int64_t t)
{
	char s[TW_TIME_MAX];

	if (!t)
		return json_null();
	tw_time_rfc3339(t, s);
	return json_string(s);
}

static json_t *change_of(const struct tw_event *e)
{
	const struct tw_change *c = &e->change;

	if (!e->has_change)
		return json_null();
	return json_pack("{s:I,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}",
	    "id", (json_int_t)c->num,
	    "status", tw_change_status_name(c->status),
	    "title", text(c->title),
	    "why", text(c->why),
	    "operator", text(c->operator),
	    "app", text(c->app),
	    "action", text(c->action),
	    "instance", text(c->instance),
	    "filed", instant(c->filed),
	    "started", instant(c->started),
	    "ended", instant(c->ended));
}

static json_t *step_of(const struct tw_event *e)
{
	const char *lines[LINES_MAX];
	size_t lens[LINES_MAX], n, i;
	json_t *output;

	if (!e->step.k)
		return json_null();
	output = json_array();
	n = last_lines(e, lines, lens);
	for (i = 0; i < n; i++)
		json_array_append_new(output, text_of(lines[i], lens[i]));
	return json_pack("{s:I,s:o,s:o,s:o,s:o,s:o}",
	    "k", (json_int_t)e->step.k,
	    "name", text(e->step.name),
	    "state", text(e->step.state),
	    "code", e->step.code < 0 ? json_null() :
	    json_integer(e->step.code),
	    "undo", text(e->step.undo_state),
	    "output", output);
}

/* The same for each delivery, and no other event's. */
static json_t *name_of(const struct tw_event *e)
{
	return e->has_change ? json_sprintf("%s.%s", e->change.uid, e->what) :
	    json_sprintf("%s.%s.%" PRId64 ".%s", e->org, e->host, e->at,
	    e->what);
}

enum tw_status tw_event_json(const struct tw_event *e, struct tw_buf *out,
    struct tw_err *err)
{
	size_t mark = tw_json_mark();
	char tower[256] = "", *line;
	json_t *o;

	gethostname(tower, sizeof tower - 1);
	o = json_pack("{s:i,s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}",
	    "schema", 1,
	    "id", name_of(e),
	    "event", e->what,
	    "at", instant(e->at),
	    "tower", text(tower),
	    "org", text(e->org),
	    "host", text(e->host),
	    "reason", text(e->reason),
	    "change", change_of(e),
	    "step", step_of(e),
	    "held", e->held_reason ? json_pack("{s:o,s:o}",
	    "reason", text(e->held_reason), "by", text(e->held_by)) :
	    json_null());
	line = tw_json_dump(o, JSON_COMPACT, mark);
	json_decref(o);
	if (!line)
		return tw_err_nomem(err);
	tw_buf_adds(out, line);
	tw_buf_addc(out, '\n');
	free(line);
	return tw_buf_check(out, err);
}

/* --- words ------------------------------------------------------------------ */

static const char *verb_of(const struct tw_event *e)
{
	return strcmp(e->what, "succeeded") == 0 ? "has succeeded" :
	    strcmp(e->what, "rolled-back") == 0 ? "was rolled back" :
	    "has failed";
}

void tw_event_subject(const struct tw_event *e, struct tw_buf *out)
{
	if (e->has_change)
		tw_buf_addf(out, "%s: change %" PRId64 " %s", e->host,
		    e->change.num, verb_of(e));
	else
		tw_buf_addf(out, "%s: the host is held", e->host);
}

static void add_field(struct tw_buf *out, const char *name, const char *s)
{
	if (!s || !*s)
		return;
	tw_buf_addf(out, "%-14s", name);
	tw_diag_escape(out, s, strlen(s), 0);
	tw_buf_addc(out, '\n');
}

static void add_command(const struct tw_event *e, struct tw_buf *out,
    const char *tool, const char *verb)
{
	tw_buf_addf(out, "    %s", tool);
	if (strcmp(e->org, "default") != 0)
		tw_buf_addf(out, " --org %s", e->org);
	tw_buf_addf(out, " %s ", verb);
}

/* What a person does next. */
static void add_next(const struct tw_event *e, struct tw_buf *out)
{
	tw_buf_adds(out, "\nWhat to do next:\n\n");
	if (e->has_change) {
		add_command(e, out, "towerify-queue", "show");
		tw_buf_addf(out, "%" PRId64 "\n", e->change.num);
		add_command(e, out, "towerify-queue", "log");
		tw_buf_addf(out, "%" PRId64 "\n", e->change.num);
	} else {
		add_command(e, out, "towerify-host", "show");
		tw_buf_addf(out, "%s\n", e->host);
	}
	if (e->held_reason) {
		add_command(e, out, "towerify-host", "release");
		tw_buf_addf(out, "%s    # once it is as it should be\n",
		    e->host);
	}
	if (e->has_change && strcmp(e->what, "succeeded") != 0) {
		add_command(e, out, "towerify-queue", "retry");
		tw_buf_addf(out, "%" PRId64 "    # when the cause is gone\n",
		    e->change.num);
	}
}

void tw_event_text(const struct tw_event *e, struct tw_buf *out)
{
	const char *lines[LINES_MAX];
	size_t lens[LINES_MAX], n, i;

	tw_event_subject(e, out);
	tw_buf_adds(out, "\n\n");
	add_field(out, "Organisation:", strcmp(e->org, "default") ? e->org :
	    NULL);
	if (e->has_change) {
		add_field(out, "Title:", e->change.title);
		add_field(out, "Filed by:", e->change.operator);
		add_field(out, "Why:", e->change.why);
	}
	add_field(out, "Reason:", e->reason);
	add_field(out, "Host held:", e->held_reason);
	n = last_lines(e, lines, lens);
	if (n)
		tw_buf_addf(out, "\nThe last lines of step %" PRId64 ":\n\n",
		    e->step.k);
	for (i = 0; i < n; i++) {
		tw_buf_adds(out, "    ");
		tw_diag_escape(out, lines[i], lens[i], 0);
		tw_buf_addc(out, '\n');
	}
	add_next(e, out);
}
