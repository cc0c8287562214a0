/* step_read.c - one step of a change file; see change_read.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/change_read.h"
#include "spec/node.h"

static const char *const step_keys[] = {
	"name", "check", "unless", "verify", "run", "undo", "timeout",
	"retries", "retry_delay", "file", "reboot", NULL
};

static const char *const reboot_keys[] = { "timeout", NULL };

/* What only a run step takes. */
static const char *const run_only[] = {
	"check", "unless", "verify", "undo", NULL
};

/* What belongs into the mapping of a reboot step, or nowhere. */
static const char *const not_reboot[] = {
	"timeout", "retries", "retry_delay", NULL
};

void tw_step_read_limits(struct tw_change_read *r,
    const struct tw_yaml_node *map, int64_t *timeout, int *retries,
    int64_t *delay)
{
	const struct tw_yaml_node *n;
	int64_t v;

	n = tw_node_get(map, "timeout");
	if (n)
		tw_node_span(n, "timeout", TW_TIMEOUT_MIN, TW_TIMEOUT_MAX,
		    timeout, r->ds);
	n = tw_node_get(map, "retries");
	if (n && tw_node_int(n, "retries", 0, TW_RETRIES_MAX, &v, r->ds))
		*retries = (int)v;
	n = tw_node_get(map, "retry_delay");
	if (n)
		tw_node_span(n, "retry_delay", 0, TW_RETRY_DELAY_MAX, delay,
		    r->ds);
}

static void refuse_keys(struct tw_change_read *r,
    const struct tw_yaml_node *map, const char *const *keys, const char *kind,
    const char *hint)
{
	const struct tw_yaml_node *n;

	for (; *keys; keys++) {
		n = tw_node_get(map, *keys);
		if (n)
			tw_diags_add(r->ds, n->key->line, n->key->col, hint,
			    "a %s step takes no '%s'", kind, *keys);
	}
}

static const char *read_command(struct tw_change_read *r,
    const struct tw_yaml_node *map, const char *key)
{
	const struct tw_yaml_node *n = tw_node_get(map, key);
	struct tw_command *p;
	const char *text;
	size_t cap;

	if (!n || !tw_node_command(n, key, &text, r->ds))
		return NULL;
	if (r->ncommands == r->cap) {
		cap = r->cap ? r->cap * 2 : 64;
		p = reallocarray(r->commands, cap, sizeof *p);
		if (!p) {
			r->st = tw_err_nomem(r->err);
			return NULL;
		}
		r->commands = p;
		r->cap = cap;
	}
	r->commands[r->ncommands].n = n;
	r->commands[r->ncommands].what = key;
	r->ncommands++;
	return text;
}

/* Whether a text, without the white space around it, is a word. */
static bool is_word(const char *text, const char *word)
{
	static const char blank[] = " \t\r\n";
	size_t n = strlen(word);

	text += strspn(text, blank);
	return strncmp(text, word, n) == 0 &&
	    text[n + strspn(text + n, blank)] == '\0';
}

static void read_undo(struct tw_change_read *r,
    const struct tw_yaml_node *map, struct tw_step_spec *out)
{
	const struct tw_yaml_node *n = tw_node_get(map, "undo");

	if (!n)
		return;
	if (!n->broken && n->type == TW_YAML_SCALAR) {
		if (is_word(n->text, "nothing"))
			out->undo_kind = TW_UNDO_NOTHING;
		else if (is_word(n->text, "impossible"))
			out->undo_kind = TW_UNDO_IMPOSSIBLE;
		else if (is_word(n->text, "none"))
			tw_diags_add(r->ds, n->line, n->col, "write nothing "
			    "(nothing to undo), impossible (irreversible), or "
			    "leave undo out",
			    "undo cannot be the command 'none'");
		if (out->undo_kind != TW_UNDO_NONE || is_word(n->text, "none"))
			return;
	}
	out->undo = read_command(r, map, "undo");
	if (out->undo)
		out->undo_kind = TW_UNDO_SCRIPT;
}

static void read_run(struct tw_change_read *r, const struct tw_yaml_node *map,
    struct tw_step_spec *out)
{
	const struct tw_yaml_node *check = tw_node_get(map, "check");

	out->kind = TW_STEP_RUN;
	out->check = read_command(r, map, "check");
	out->unless = read_command(r, map, "unless");
	out->verify = read_command(r, map, "verify");
	out->run = read_command(r, map, "run");
	read_undo(r, map, out);
	if (check && (tw_node_get(map, "unless") || tw_node_get(map, "verify")))
		tw_diags_add(r->ds, check->key->line, check->key->col,
		    "check is asked before and after: use it alone, or unless "
		    "(before) and verify (after)",
		    "check cannot stand beside unless or verify");
}

static void read_reboot(struct tw_change_read *r,
    const struct tw_yaml_node *map, const struct tw_yaml_node *n,
    struct tw_step_spec *out)
{
	const struct tw_yaml_node *t;

	out->kind = TW_STEP_REBOOT;
	out->undo_kind = TW_UNDO_NOTHING;
	out->retries = 0;
	refuse_keys(r, map, run_only, "reboot", NULL);
	refuse_keys(r, map, not_reboot, "reboot",
	    "its time is written `reboot: {timeout: 5m}`");
	if (!tw_node_mapping(n, "reboot", reboot_keys, r->ds))
		return;
	t = tw_node_get(n, "timeout");
	if (t)
		tw_node_span(t, "timeout", TW_TIMEOUT_MIN, TW_TIMEOUT_MAX,
		    &out->timeout_ms, r->ds);
}

static void read_name(struct tw_change_read *r,
    const struct tw_yaml_node *map, size_t num, struct tw_step_spec *out)
{
	const struct tw_yaml_node *n;
	char name[32];
	int len;

	len = snprintf(name, sizeof name, "step %zu", num);
	out->name = tw_arena_copy(tw_yaml_arena(r->spec->doc), name,
	    (size_t)len);
	if (!out->name)
		r->st = tw_err_nomem(r->err);
	n = map->type == TW_YAML_MAPPING ? tw_node_get(map, "name") : NULL;
	if (n)
		tw_node_line(n, "name", TW_STEP_NAME_MAX, &out->name, r->ds);
}

/* Of run, file and reboot the one that is there; NULL with a message. */
static const struct tw_yaml_node *find_kind(struct tw_change_read *r,
    const struct tw_yaml_node *map)
{
	static const char *const kinds[] = { "run", "file", "reboot" };
	const struct tw_yaml_node *n, *found = NULL;
	size_t i;

	for (i = 0; i < 3; i++) {
		n = tw_node_get(map, kinds[i]);
		if (n && found) {
			tw_diags_add(r->ds, n->key->line, n->key->col,
			    "make it two steps",
			    "a step takes only one of run, file and reboot");
			return NULL;
		}
		if (n)
			found = n;
	}
	if (!found)
		tw_diags_add(r->ds, map->line, map->col, NULL,
		    "this step does nothing: it needs run, file or reboot");
	return found;
}

void tw_step_read(struct tw_change_read *r, const struct tw_yaml_node *n,
    size_t num, struct tw_step_spec *out)
{
	const struct tw_yaml_node *kind;

	out->line = n->line;
	out->timeout_ms = r->timeout_ms;
	out->retries = r->retries;
	out->retry_delay_ms = r->retry_delay_ms;
	read_name(r, n, num, out);
	if (r->st != TW_OK || !tw_node_mapping(n, "a step", step_keys, r->ds))
		return;
	kind = find_kind(r, n);
	if (!kind)
		return;
	if (strcmp(kind->key->text, "reboot") == 0) {
		read_reboot(r, n, kind, out);
		return;
	}
	tw_step_read_limits(r, n, &out->timeout_ms, &out->retries,
	    &out->retry_delay_ms);
	if (strcmp(kind->key->text, "run") == 0) {
		read_run(r, n, out);
		return;
	}
	out->kind = TW_STEP_FILE;
	out->undo_kind = TW_UNDO_AUTO;
	refuse_keys(r, n, run_only, "file", NULL);
	tw_file_read(r, kind, &out->file);
}
