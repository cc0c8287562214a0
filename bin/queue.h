/* queue.h - the verbs of towerify-queue, by file */
#ifndef TW_BIN_QUEUE_H
#define TW_BIN_QUEUE_H

#include "cli.h"

/* queue_file.c: filing and trying */
int queue_add(struct tw_cli *cli, int argc, char **argv);
int queue_retry(struct tw_cli *cli, int argc, char **argv);
int queue_check(struct tw_cli *cli, int argc, char **argv);
/* Says so when TARGETS (argv[0]) is standard input, and FILE or a -p too. */
bool queue_is_stdin_taken(struct tw_cli *cli, char **argv);
/* queue_plan.c */
int queue_plan(struct tw_cli *cli, int argc, char **argv);
/* queue_look.c: looking */
int queue_list(struct tw_cli *cli, int argc, char **argv);
int queue_show(struct tw_cli *cli, int argc, char **argv);
int queue_log(struct tw_cli *cli, int argc, char **argv);
int queue_why(struct tw_cli *cli, int argc, char **argv);

extern const struct tw_column queue_list_columns[];
extern const struct tw_column queue_show_columns[];
extern const struct tw_column queue_log_columns[];
extern const struct tw_column queue_plan_columns[];

#endif
