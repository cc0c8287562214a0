/* app_params.c - what an app asks for, as JSON and as a table; see app.h */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "app.h"
#include "base/json.h"

static const char *type_name(enum tw_param_type type)
{
	static const char *const names[] = {
		[TW_PARAM_STRING] = "string", [TW_PARAM_INTEGER] = "integer",
		[TW_PARAM_BOOLEAN] = "boolean", [TW_PARAM_ENUM] = "enum",
		[TW_PARAM_SECRET] = "secret", [TW_PARAM_FILE] = "file",
		[TW_PARAM_COMMAND] = "command",
	};

	return names[type];
}

static void set_text(json_t *o, const char *key, const char *text)
{
	if (text)
		json_object_set_new(o, key, json_string(text));
}

static json_t *as_json(const struct tw_param *p)
{
	json_t *o = json_object(), *list;
	size_t i;

	set_text(o, "name", p->name);
	set_text(o, "type", type_name(p->type));
	json_object_set_new(o, "required", json_boolean(p->required));
	set_text(o, "default", p->fallback);
	if (p->values) {
		list = json_array();
		for (i = 0; p->values[i]; i++)
			json_array_append_new(list, json_string(p->values[i]));
		json_object_set_new(o, "values", list);
	}
	if (p->has_min)
		json_object_set_new(o, "min", json_integer(p->min));
	if (p->has_max)
		json_object_set_new(o, "max", json_integer(p->max));
	set_text(o, "pattern", p->pattern);
	set_text(o, "description", p->description);
	return o;
}

char *app_params_json(const struct tw_params *p)
{
	size_t i, mark = tw_json_mark();
	json_t *list = json_array();
	char *out;

	for (i = 0; i < p->n; i++)
		json_array_append_new(list, as_json(&p->v[i]));
	out = tw_json_dump(list, JSON_COMPACT | JSON_PRESERVE_ORDER, mark);
	json_decref(list);
	return out;
}

/* --- for people -------------------------------------------------------------- */

enum { P_NAME, P_TYPE, P_DEFAULT, P_LIMITS, P_DESCRIPTION };
static const struct tw_column columns[] = {
	{ "param", N_("PARAMETER"), TW_COL_TEXT, true, N_("for -p") },
	{ "type", N_("TYPE"), TW_COL_TEXT, true, N_("what it is") },
	{ "default", N_("DEFAULT"), TW_COL_TEXT, true,
	    N_("when it is not given") },
	{ "limits", N_("LIMITS"), TW_COL_TEXT, true, N_("what it may be") },
	{ "description", N_("DESCRIPTION"), TW_COL_TEXT, true,
	    N_("what it is for") },
	{ 0 }
};

/* "1 to 64", "a, b or c"; of a text or secret its length. */
static void limits(const struct tw_param *p, struct tw_buf *out)
{
	const char *unit = p->type == TW_PARAM_INTEGER ? "" :
	    tw_text(" characters");
	size_t i;

	for (i = 0; p->values && p->values[i]; i++)
		tw_buf_addf(out, "%s%s", i == 0 ? "" : p->values[i + 1] ? ", " :
		    tw_text(" or "), p->values[i]);
	if (p->has_min && p->has_max)
		tw_buf_addf(out, tw_text("%" PRId64 " to %" PRId64 "%s"),
		    p->min, p->max, unit);
	else if (p->has_min)
		tw_buf_addf(out, tw_text("at least %" PRId64 "%s"), p->min,
		    unit);
	else if (p->has_max)
		tw_buf_addf(out, tw_text("at most %" PRId64 "%s"), p->max,
		    unit);
}

enum tw_status app_params_print(struct tw_cli *cli, const struct tw_params *p,
    struct tw_err *err)
{
	struct tw_table_options o = cli->table;
	struct tw_buf text = TW_BUF_INIT;
	struct tw_table *table = NULL;
	enum tw_status st;
	size_t i;

	o.noun = "params";
	st = tw_table_new(columns, &o, &table, err);
	for (i = 0; i < p->n && !st; i++) {
		tw_buf_reset(&text);
		limits(&p->v[i], &text);
		tw_table_cell_text(table, P_NAME, p->v[i].name);
		tw_table_cell_text(table, P_TYPE, type_name(p->v[i].type));
		tw_table_cell_text(table, P_DEFAULT, p->v[i].required &&
		    !p->v[i].fallback ? tw_text("(required)") :
		    p->v[i].fallback);
		tw_table_cell_text(table, P_LIMITS, text.len ?
		    tw_buf_str(&text) : NULL);
		tw_table_cell_text(table, P_DESCRIPTION, p->v[i].description);
		st = tw_buf_check(&text, err);
		if (!st)
			st = tw_table_row_end(table, err);
	}
	if (!st) {
		putchar('\n');
		st = tw_table_print(table, stdout, err);
	}
	tw_table_free(table);
	tw_buf_release(&text);
	return st;
}
