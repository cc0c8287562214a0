/*
 * cli_private.h - what the files of the command line share; the tools include
 * cli.h alone
 */
#ifndef TW_BIN_CLI_PRIVATE_H
#define TW_BIN_CLI_PRIVATE_H

#include "cli.h"

struct tw_cli_value {		/* an option found on the command line */
	const struct tw_option *option;
	const char *arg;	/* NULL: none given */
};

enum tw_cli_action {		/* what the command line asks for */
	TW_ACTION_RUN,
	TW_ACTION_HELP,
	TW_ACTION_VERSION,
	TW_ACTION_COLUMNS,
	TW_ACTION_DUMP,
};

extern const struct tw_option tw_cli_common[];

/* Fills cli from argv, argument texts not copied.  *args (malloc'd, caller
 * frees, NULL-ended) are the verb's arguments.  TW_USAGE with message and
 * hint. */
enum tw_status tw_cli_parse(struct tw_cli *cli, int argc, char **argv,
    enum tw_cli_action *action, char ***args, int *nargs,
    struct tw_err *err);
void tw_cli_release(struct tw_cli *cli);

/* "towerify-queue add [options] TARGETS FILE"; verb NULL: of the tool. */
void tw_cli_put_usage(const struct tw_tool *tool, const struct tw_verb *verb,
    struct tw_buf *b);
/* The whole help of the tool or of one verb, 80 columns wide. */
void tw_cli_put_help(const struct tw_tool *tool, const struct tw_verb *verb,
    struct tw_buf *b);
/* Verbs, options and columns as TSV, for tests and completion. */
void tw_cli_put_dump(const struct tw_tool *tool, struct tw_buf *b);

#endif
