/* step_read.c - one step of a change file; see change_read.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/change_read.h"
#include "spec/node.h"

static const char *const step_keys[] = {
	"name", "check", "unless", "verify", "run", "undo", "timeout",
	"retries", "retry_delay", "confirm", "file", "reboot", NULL
};

static const char *const reboot_keys[] = { "timeout", NULL };

/* What only a run step takes. */
static const char *const run_only[] = {
	"check", "unless", "verify", "undo", NULL
};

static const char *const confirm_keys[] = { "confirm", NULL };

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

void tw_step_refuse_keys(struct tw_change_read *r,
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

const char *tw_step_read_command(struct tw_change_read *r,
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
			tw_diags_add(r->ds, n->line, n->col, N_("write nothing "
			    "(nothing to undo), impossible (irreversible), or "
			    "leave undo out"),
			    "undo cannot be the command 'none'");
		if (is_word(n->text, "nothing") ||
		    is_word(n->text, "impossible") || is_word(n->text, "none"))
			return;
	}
	if (out->kind == TW_STEP_KIND) {
		tw_diags_add(r->ds, n->line, n->col, N_("write nothing "
		    "(nothing to undo), impossible (irreversible), or leave "
		    "undo out"), "a %s step knows its undo itself",
		    out->use->name);
		return;
	}
	out->undo = tw_step_read_command(r, map, "undo");
	if (out->undo)
		out->undo_kind = TW_UNDO_SCRIPT;
}

static void read_run(struct tw_change_read *r, const struct tw_yaml_node *map,
    struct tw_step_spec *out)
{
	const struct tw_yaml_node *check = tw_node_get(map, "check");

	out->kind = TW_STEP_RUN;
	out->check = tw_step_read_command(r, map, "check");
	out->unless = tw_step_read_command(r, map, "unless");
	out->verify = tw_step_read_command(r, map, "verify");
	out->run = tw_step_read_command(r, map, "run");
	read_undo(r, map, out);
	if (check && (tw_node_get(map, "unless") || tw_node_get(map, "verify")))
		tw_diags_add(r->ds, check->key->line, check->key->col,
		    N_("check is asked before and after: use it alone, or "
		    "unless "
		    "(before) and verify (after)"),
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
	tw_step_refuse_keys(r, map, run_only, "reboot", NULL);
	tw_step_refuse_keys(r, map, confirm_keys, "reboot",
	    N_("it is done when the tower gets in again"));
	tw_step_refuse_keys(r, map, not_reboot, "reboot",
	    N_("its time is written `reboot: {timeout: 5m}`"));
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
	char name[40];
	int len;

	len = snprintf(name, sizeof name, "%s %zu",
	    strcmp(r->list, "steps") == 0 ? "step" : r->list, num);
	out->name = tw_arena_copy(tw_yaml_arena(r->spec->doc), name,
	    (size_t)len);
	if (!out->name)
		r->st = tw_err_nomem(r->err);
	n = map->type == TW_YAML_MAPPING ? tw_node_get(map, "name") : NULL;
	if (n)
		tw_node_line(n, "name", TW_STEP_NAME_MAX, &out->name, r->ds);
}

static const char *const own_kinds[] = { "run", "file", "reboot", NULL };

static const char *const *kind_names(const struct tw_change_read *r)
{
	return r->reader && r->reader->kinds ?
	    tw_kinds_names(r->reader->kinds) : NULL;
}

/* What a step says that is neither a key of it nor a kind. */
static void refuse_unknown(struct tw_change_read *r,
    const struct tw_yaml_node *key)
{
	const char *const *names = kind_names(r);
	struct tw_buf words = TW_BUF_INIT;
	char near[TW_NEAREST_MAX];
	const char *hint;
	struct tw_quote q;
	size_t i;

	hint = tw_nearest_hint(key->text, step_keys, near);
	if (!hint && names)
		hint = tw_nearest_hint(key->text, names, near);
	if (!hint && !r->has_listed) {
		r->has_listed = true;
		tw_buf_adds(&words, tw_text("known here: "));
		for (i = 0; step_keys[i]; i++)
			tw_buf_addf(&words, "%s%s", i ? ", " : "",
			    step_keys[i]);
		for (i = 0; names && names[i]; i++)
			tw_buf_addf(&words, ", %s", names[i]);
		if (names)
			tw_buf_addf(&words,
			    tw_text("; step kinds are looked for in %s"),
			    tw_kinds_where(r->reader->kinds));
		hint = tw_buf_str(&words);
	}
	tw_diags_add(r->ds, key->line, key->col, hint,
	    "unknown key %s in a step", tw_quote(&q, key->text, key->len));
	tw_buf_release(&words);
}

/* False when there are unknown keys, one of which may be meant for a kind. */
static bool check_keys(struct tw_change_read *r,
    const struct tw_yaml_node *map)
{
	const struct tw_yaml_node *n;
	bool ok = true;

	for (n = map->first; n; n = n->next) {
		if (n->key->broken || tw_kind_lists(step_keys, n->key->text) ||
		    tw_kind_lists(kind_names(r), n->key->text))
			continue;
		refuse_unknown(r, n->key);
		ok = false;
	}
	return ok;
}

/* Of run, file, reboot and the kinds the one that is there; NULL when there is
 * none, which is said unless it was said before, or more than one. */
static const struct tw_yaml_node *find_kind(struct tw_change_read *r,
    const struct tw_yaml_node *map, bool say)
{
	const struct tw_yaml_node *n, *found = NULL;

	for (n = map->first; n; n = n->next) {
		if (n->key->broken || (!tw_kind_lists(own_kinds, n->key->text) &&
		    (tw_kind_lists(step_keys, n->key->text) ||
		    !tw_kind_lists(kind_names(r), n->key->text))))
			continue;
		if (found) {
			tw_diags_add(r->ds, n->key->line, n->key->col,
			    N_("make it two steps"), "a step takes only one of "
			    "run, file, reboot and step kinds");
			return NULL;
		}
		found = n;
	}
	if (!found && say)
		tw_diags_add(r->ds, map->line, map->col, NULL, "this step does "
		    "nothing: it needs run, file, reboot or a step kind");
	return found;
}

static void read_use(struct tw_change_read *r,
    const struct tw_yaml_node *map, const struct tw_yaml_node *n,
    struct tw_step_spec *out)
{
	static const char *const not_use[] = {
		"check", "unless", "verify", NULL
	};
	const char *name = n->key->text;

	tw_step_refuse_keys(r, map, not_use, name, NULL);
	r->st = tw_kinds_find(r->reader->kinds, name, r->ds, &out->use,
	    r->err);
	if (r->st != TW_OK || !out->use)
		return;
	out->kind = TW_STEP_KIND;
	out->undo_kind = out->use->undo;
	read_undo(r, map, out);
	tw_use_read(r, n, out->use, out);
}

/* A step that can't be confirmed is undone, so there must be a way back. */
static void read_confirm(struct tw_change_read *r,
    const struct tw_yaml_node *map, struct tw_step_spec *out)
{
	const struct tw_yaml_node *n = tw_node_get(map, "confirm");
	const struct tw_yaml_node *undo = tw_node_get(map, "undo");

	if (!n || !tw_node_span(n, "confirm", TW_CONFIRM_MIN, TW_CONFIRM_MAX,
	    &out->confirm_ms, r->ds))
		return;
	if (out->undo_kind == TW_UNDO_SCRIPT ||
	    out->undo_kind == TW_UNDO_AUTO ||
	    (undo && out->undo_kind == TW_UNDO_NONE))	/* which is wrong */
		return;
	tw_diags_add(r->ds, n->key->line, n->key->col, N_("the step is undone "
	    "when the tower can't get in to confirm it: say how"),
	    "confirm needs an undo");
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
	if (r->st != TW_OK || !tw_node_mapping(n, W_("a step"), NULL, r->ds))
		return;
	kind = find_kind(r, n, check_keys(r, n));
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
	} else if (strcmp(kind->key->text, "file") == 0) {
		out->kind = TW_STEP_FILE;
		out->undo_kind = TW_UNDO_AUTO;
		tw_step_refuse_keys(r, n, run_only, "file", NULL);
		tw_file_read(r, kind, &out->file);
	} else {
		read_use(r, n, kind, out);
		if (!out->use)
			return;
	}
	read_confirm(r, n, out);
}
