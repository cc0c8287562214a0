/* op.h - the verbs of towerify-op, by file */
#ifndef TW_BIN_OP_H
#define TW_BIN_OP_H

#include "cli.h"
#include "ssh/pubkey.h"
#include "tower.h"

/* op_org.c: organisations */
int op_org_add(struct tw_cli *cli, int argc, char **argv);
int op_org_list(struct tw_cli *cli, int argc, char **argv);
int op_org_show(struct tw_cli *cli, int argc, char **argv);
int op_org_remove(struct tw_cli *cli, int argc, char **argv);
extern const struct tw_column op_org_columns[];

/* op_backup.c: the tower in one file */
int op_backup(struct tw_cli *cli, int argc, char **argv);
int op_config(struct tw_cli *cli, int argc, char **argv);
extern const struct tw_column op_config_columns[];
int op_restore(struct tw_cli *cli, int argc, char **argv);

/* op_grant.c: grants */
int op_grant(struct tw_cli *cli, int argc, char **argv);
int op_ungrant(struct tw_cli *cli, int argc, char **argv);
int op_grants(struct tw_cli *cli, int argc, char **argv);
int op_can(struct tw_cli *cli, int argc, char **argv);
extern const struct tw_column op_grants_columns[], op_can_columns[];
/* A table of login's grants (NULL: of everybody's), and how many there are. */
enum tw_status op_grants_table(struct tower *t, const char *login,
    const struct tw_table_options *options, struct tw_table **out, size_t *n,
    struct tw_err *err);

/* op_key.c: the keys that operators reach towerify-shell with */

struct op_key {			/* release with op_key_release() */
	struct tw_pubkey public;
	const char *login;	/* not owned */
	char *options;		/* restrict,command="…" */
	char *line;		/* of authorized_keys, with its newline */
};
/* Reads FILE ("-": standard input) and makes the line for login. */
enum tw_status op_key_read(struct tower *t, const char *file,
    const char *login, struct op_key *out, struct tw_err *err);
void op_key_release(struct op_key *k);

/* The authorized_keys of the state's owner. */
struct op_keys {		/* release with op_keys_release() */
	char *path;
	struct tw_buf text;	/* what it is to hold */
	bool has_dir;
};
/* Looks at the file; *there is true when the key is in it for the same login.
 * TW_NO when it is there otherwise; TW_CONFIG when the file or its directory
 * is not ours alone. */
enum tw_status op_keys_look(const struct op_key *k, struct op_keys *out,
    bool *there, struct tw_err *err);
/* Adds the line, as one replacement of the file. */
enum tw_status op_keys_put(struct op_keys *keys, const struct op_key *k,
    struct tw_err *err);
void op_keys_release(struct op_keys *keys);

#endif
