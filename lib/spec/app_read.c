/*
 * app_read.c - parameters, exports and health of an app file; see app_read.h
 *
 * Health is a step of the kind wait, which knows how to ask: its mapping is
 * read as the arguments of that kind, under the names they have there.
 */
#include "spec/app_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "spec/node.h"

#define EXPORT_MAX 1000			/* bytes as it is written */
#define SUCCESSES_MAX 1000
#define SPARE_MS INT64_C(10000)		/* beyond what the kind needs */

/* --- parameters ----------------------------------------------------------- */

const char *const tw_app_own_names[TW_APP_OWN + 1] = {
	"app_instance", "app_version", "app_from", NULL
};

static void refuse_own(struct tw_change_read *r, const struct tw_yaml_node *n)
{
	const struct tw_yaml_node *def;
	size_t i;

	for (i = 0; i < TW_APP_OWN; i++) {
		def = tw_node_get(n, tw_app_own_names[i]);
		if (def)
			tw_diags_add(r->ds, def->key->line, def->key->col,
			    N_("rename it"), "every app has the parameter '%s'",
			    tw_app_own_names[i]);
	}
}

void tw_app_read_params(struct tw_change_read *r, const struct tw_yaml_node *n,
    struct tw_app_spec *app)
{
	struct tw_params *all = &r->spec->params;
	struct tw_param *p;
	size_t i;

	if (n) {
		r->st = tw_params_read(r->spec->doc, n, r->ds, all, r->err);
		if (r->st == TW_OK && n->type == TW_YAML_MAPPING)
			refuse_own(r, n);
	}
	if (r->st != TW_OK)
		return;
	if (all->n > TW_PARAMS_MAX - TW_APP_OWN) {
		tw_diags_add(r->ds, n->line, n->col, NULL,
		    "%zu parameters, more than %d", all->n,
		    TW_PARAMS_MAX - TW_APP_OWN);
		return;
	}
	p = reallocarray(all->v, all->n + TW_APP_OWN, sizeof *p);
	if (!p) {
		r->st = tw_err_nomem(r->err);
		return;
	}
	all->v = p;
	app->params.v = p;
	app->params.n = all->n;
	memset(p + all->n, 0, TW_APP_OWN * sizeof *p);
	for (i = 0; i < TW_APP_OWN; i++) {
		p[all->n].name = tw_app_own_names[i];
		p[all->n].type = TW_PARAM_ENUM;
		all->n++;
	}
}

/* --- exports -------------------------------------------------------------- */

static void read_export(struct tw_change_read *r, const struct tw_yaml_node *n,
    struct tw_app_export *out)
{
	static const struct tw_kind no_kind = { .name = "exports" };
	struct tw_arg_spec *arg = &out->text;
	struct tw_param *def;
	struct tw_quote q;

	if (!tw_name_param_ok(n->key->text))
		tw_diags_add(r->ds, n->key->line, n->key->col,
		    N_("small letters, digits and '_', a letter first, at most "
		    "31"),
		    "%s cannot name an export",
		    tw_quote(&q, n->key->text, n->key->len));
	def = tw_arena_alloc(tw_yaml_arena(r->spec->doc), sizeof *def);
	if (!def) {
		r->st = tw_err_nomem(r->err);
		return;
	}
	out->name = def->name = n->key->text;
	def->type = TW_PARAM_STRING;
	arg->def = def;
	if (!tw_node_line(n, out->name, EXPORT_MAX, &arg->raw, r->ds))
		return;
	arg->given = true;
	arg->text = arg->content = arg->raw;
	arg->len = n->len;
	tw_use_check_holes(r, &no_kind, n, arg);
}

void tw_app_read_exports(struct tw_change_read *r,
    const struct tw_yaml_node *n, struct tw_app_spec *app)
{
	const struct tw_yaml_node *item;

	if (!tw_node_mapping(n, "exports", NULL, r->ds))
		return;
	if (n->count > TW_APP_EXPORTS_MAX) {
		tw_diags_add(r->ds, n->line, n->col, NULL,
		    "%zu exports, more than %d", n->count, TW_APP_EXPORTS_MAX);
		return;
	}
	app->exports = tw_arena_alloc(tw_yaml_arena(r->spec->doc),
	    (n->count + 1) * sizeof *app->exports);
	if (!app->exports) {
		r->st = tw_err_nomem(r->err);
		return;
	}
	for (item = n->first; item && r->st == TW_OK; item = item->next)
		if (!item->key->broken)
			read_export(r, item, &app->exports[app->nexports++]);
}

/* --- health --------------------------------------------------------------- */

enum { TEXT, NUMBER, SPAN };

/* The keys of health, and the arguments of wait that they become. */
static const struct part {
	const char *key, *arg;
	int type;
	int64_t min, max, fallback;	/* of SPAN, NUMBER */
} parts[] = {
	{ "command", "command", TEXT, 0, 0, 0 },
	{ "http", "http", TEXT, 0, 0, 0 },
	{ "tcp", "port", TEXT, 0, 0, 0 },
	{ "host", "host", TEXT, 0, 0, 0 },
	{ "status", "status", TEXT, 0, 0, 0 },
	{ "interval", "interval", SPAN, 1000, 3600000, 1000 },
	{ "timeout", "seconds", SPAN, 1000, 43200000, 60000 },
	{ "patience", "patience", SPAN, 1000, 3600000, 5000 },
	{ "successes", "in_a_row", NUMBER, 1, SUCCESSES_MAX, 1 },
};
#define PARTS (sizeof parts / sizeof *parts)
enum { COMMAND, HTTP, TCP, HOST, STATUS, INTERVAL, TIMEOUT, PATIENCE, SUCCESSES };

/* The health as it is read. */
struct health {
	struct tw_change_read *r;
	struct tw_yaml_node *map;	/* what wait is to read */
	int64_t number[PARTS];		/* milliseconds, or how many */
};

/* Adds an argument to the mapping: a copy of n under another key; text, if not
 * NULL, in place of its own. */
static void add_arg(struct health *h, const struct tw_yaml_node *n,
    const char *name, const char *text)
{
	struct tw_arena *arena = tw_yaml_arena(h->r->spec->doc);
	struct tw_yaml_node *value, *key, **end;

	value = tw_arena_alloc(arena, sizeof *value);
	key = tw_arena_alloc(arena, sizeof *key);
	if (!value || !key) {
		h->r->st = tw_err_nomem(h->r->err);
		return;
	}
	*value = *n;
	value->key = key;
	value->next = NULL;
	if (text) {
		value->text = text;
		value->len = strlen(text);
	}
	*key = *n->key;
	key->text = name;
	key->len = strlen(name);
	for (end = &h->map->first; *end; end = &(*end)->next)
		;
	*end = value;
	h->map->count++;
}

static void read_part(struct health *h, const struct tw_yaml_node *n, size_t i)
{
	const struct part *p = &parts[i];
	char text[24];
	const char *copy;
	bool ok;

	h->number[i] = p->fallback;
	if (!n)
		return;
	if (p->type == TEXT) {
		add_arg(h, n, p->arg, NULL);
		return;
	}
	if (p->type == SPAN)
		ok = tw_node_span(n, p->key, p->min, p->max, &h->number[i],
		    h->r->ds);
	else
		ok = tw_node_int(n, p->key, p->min, p->max, &h->number[i],
		    h->r->ds);
	if (!ok)
		return;
	snprintf(text, sizeof text, "%" PRId64,
	    p->type == SPAN ? h->number[i] / 1000 : h->number[i]);
	copy = tw_arena_copy(tw_yaml_arena(h->r->spec->doc), text,
	    strlen(text));
	if (copy)
		add_arg(h, n, p->arg, copy);
	else
		h->r->st = tw_err_nomem(h->r->err);
}

/* Whether there is just one thing to ask, and nothing that is no part of it. */
static bool check_parts(struct tw_change_read *r, const struct tw_yaml_node *n)
{
	const struct tw_yaml_node *command = tw_node_get(n, "command");
	const struct tw_yaml_node *http = tw_node_get(n, "http");
	const struct tw_yaml_node *tcp = tw_node_get(n, "tcp");
	const struct tw_yaml_node *host = tw_node_get(n, "host");
	const struct tw_yaml_node *status = tw_node_get(n, "status");
	int count = !!command + !!http + !!tcp;

	if (count != 1) {
		tw_diags_add(r->ds, n->key->line, n->key->col, NULL,
		    "health needs %s of command, http, tcp",
		    count ? W_("only one") : W_("one"));
		return false;
	}
	if (host && !tcp)
		tw_diags_add(r->ds, host->key->line, host->key->col, NULL,
		    "health takes host only with tcp");
	if (status && !http)
		tw_diags_add(r->ds, status->key->line, status->key->col, NULL,
		    "health takes status only with http");
	return true;
}

/* The kind's own limit never comes before the one the file sets. */
static int64_t limit(const struct health *h)
{
	int64_t each = h->number[INTERVAL] + h->number[PATIENCE];
	int64_t all = h->number[TIMEOUT] + SPARE_MS;

	if (each > (TW_TIMEOUT_MAX - all) / h->number[SUCCESSES])
		return TW_TIMEOUT_MAX;
	return all + each * h->number[SUCCESSES];
}

static const struct tw_kind *find_wait(struct tw_change_read *r,
    const struct tw_yaml_node *n)
{
	struct tw_kinds *kinds = r->reader ? r->reader->kinds : NULL;
	const struct tw_kind *kind = NULL;
	size_t before = r->ds->n + r->ds->more;

	if (kinds)
		r->st = tw_kinds_find(kinds, "wait", r->ds, &kind, r->err);
	if (!kind && r->st == TW_OK && r->ds->n + r->ds->more == before)
		tw_diags_add(r->ds, n->key->line, n->key->col, NULL,
		    "health needs the step kind wait, which is not there");
	return kind;
}

void tw_app_read_health(struct tw_change_read *r, const struct tw_yaml_node *n,
    struct tw_app_spec *app)
{
	const char *keys[PARTS + 1] = { NULL };
	struct health h = { .r = r };
	const struct tw_kind *kind;
	size_t i;

	for (i = 0; i < PARTS; i++)
		keys[i] = parts[i].key;
	if (!tw_node_mapping(n, "health", keys, r->ds) || !check_parts(r, n))
		return;
	kind = find_wait(r, n);
	h.map = tw_arena_alloc(tw_yaml_arena(r->spec->doc), sizeof *h.map);
	if (!h.map)
		r->st = tw_err_nomem(r->err);
	if (!kind || r->st != TW_OK)
		return;
	*h.map = *n;
	h.map->first = NULL;
	h.map->count = 0;
	for (i = 0; i < PARTS && r->st == TW_OK; i++)
		read_part(&h, tw_node_get(n, parts[i].key), i);
	if (r->st != TW_OK)
		return;
	app->health.name = "health";
	app->health.kind = TW_STEP_KIND;
	app->health.use = kind;
	app->health.undo_kind = TW_UNDO_NOTHING;
	app->health.timeout_ms = limit(&h);
	app->health.line = n->line;
	tw_use_read(r, h.map, kind, &app->health);
}
