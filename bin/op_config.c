/* op_config.c - what the tower is set to, and where from; see op.h */
#include <stdio.h>

#include "config.h"
#include "gate.h"
#include "op.h"

enum { COL_KEY, COL_VALUE, COL_FROM, COL_LINE, COL_DEFAULT, COL_ABOUT };
const struct tw_column op_config_columns[] = {
	{ "key", N_("KEY"), TW_COL_TEXT, true, N_("its name in the file") },
	{ "value", N_("VALUE"), TW_COL_TEXT, true, N_("what holds") },
	{ "from", N_("FROM"), TW_COL_WORD, true,
	    N_("the file that says so, or default") },
	{ "line", N_("LINE"), TW_COL_INT, true, N_("and where it does") },
	{ "default", N_("DEFAULT"), TW_COL_TEXT, false,
	    N_("what holds without the file") },
	{ "about", N_("ABOUT"), TW_COL_WORD, false, N_("what it is") },
	{ 0 }
};

static void add_value(struct tw_table *table, size_t col,
    const struct tw_config *c, enum tw_config_key key)
{
	struct tw_buf b = TW_BUF_INIT;

	tw_config_write(c, key, &b);
	if (b.len)
		tw_table_cell_text(table, col, tw_buf_str(&b));
	tw_buf_release(&b);
}

static enum tw_status add_row(struct tw_table *table,
    const struct tw_config *c, const struct tw_config *usual,
    enum tw_config_key key, struct tw_err *err)
{
	tw_table_cell_text(table, COL_KEY, tw_config_name(key));
	add_value(table, COL_VALUE, c, key);
	tw_table_cell_text(table, COL_FROM, c->line[key] ? config_path() :
	    NC_("word", "default"));
	if (c->line[key])
		tw_table_cell_int(table, COL_LINE, (int64_t)c->line[key]);
	add_value(table, COL_DEFAULT, usual, key);
	tw_table_cell_text(table, COL_ABOUT, tw_config_about(key));
	return tw_table_row_end(table, err);
}

/* Where mail goes and events are posted is no other organisation's to know. */
static enum tw_status check_gate(struct tw_cli *cli, struct tw_err *err)
{
	struct tower t = { .store = NULL };
	enum tw_status st;

	if (!gate_is_there() || gate_is_sudo_of_root())
		return TW_OK;
	st = tower_open(cli, TW_STORE_READ, false, &t, err);
	if (!st && !t.who.is_admin)
		st = tw_err_set(err, TW_DENIED, "%s is no administrator of "
		    "the tower", t.who.login);
	tower_close(&t);
	return st;
}

int op_config(struct tw_cli *cli, int argc, char **argv)
{
	struct tw_table_options o = cli->table;
	struct tw_config config, usual;
	struct tw_table *table = NULL;
	struct tw_err err = { 0 };
	enum tw_status st;
	size_t k;

	(void)argc;
	(void)argv;
	tw_config_defaults(&config);
	tw_config_defaults(&usual);
	st = check_gate(cli, &err);
	if (!st)
		st = config_read(cli, &config, &err);
	o.noun = "settings";
	if (!st)
		st = tw_table_new(op_config_columns, &o, &table, &err);
	for (k = 0; k < TW_CONFIG_KEYS && !st; k++)
		st = add_row(table, &config, &usual, (enum tw_config_key)k,
		    &err);
	if (!st)
		st = tw_table_print(table, stdout, &err);
	tw_table_free(table);
	tw_config_release(&config);
	return st && err.msg[0] ? tw_cli_error(cli, &err) : (int)st;
}
