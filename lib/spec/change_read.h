/*
 * change_read.h - what the parts of the change file's reader share
 *
 * Private to change_spec.c, step_read.c, file_read.c, use_read.c, use_fill.c,
 * successor_read.c, and to app_spec.c and app_read.c, whose files have the same steps.
 */
#ifndef TW_SPEC_CHANGE_READ_H
#define TW_SPEC_CHANGE_READ_H

#include "spec/change_spec.h"
#include "spec/yaml.h"

struct tw_command {			/* to be read by sh -n */
	const struct tw_yaml_node *n;
	const char *what;		/* its key */
};

struct tw_change_read {
	struct tw_change_spec *spec;
	const struct tw_spec_reader *reader;
	struct tw_diags *ds;
	struct tw_err *err;
	enum tw_status st;		/* not TW_OK: give up */
	int64_t timeout_ms;		/* the file's defaults */
	int64_t retry_delay_ms;
	int retries;
	const char *list;		/* the key of the steps being read */
	bool has_listed;		/* a hint said what a step may have */
	size_t total;			/* bytes of contents so far */
	struct tw_command *commands;	/* owned */
	size_t ncommands, cap;
};

/* What r begins with; spec is the caller's. */
void tw_change_read_init(struct tw_change_read *r, struct tw_change_spec *spec,
    const struct tw_spec_reader *reader, struct tw_diags *ds,
    struct tw_err *err);

/* The keys whose values are commands, NULL-terminated. */
extern const char *const tw_command_keys[];

/* The version under key of a file called what; false, with a message, when it
 * is another one, whose keys are not known. */
bool tw_version_read(struct tw_change_read *r, const struct tw_yaml_node *root,
    const char *key, const char *what);

/* The mapping under "defaults:", if there is one. */
void tw_defaults_read(struct tw_change_read *r,
    const struct tw_yaml_node *root);

/* Adds the steps of a list, whose key is said in messages, to the spec. */
void tw_steps_read(struct tw_change_read *r, const struct tw_yaml_node *n,
    const char *key);

/* The mapping under "successor:". */
void tw_successor_read_spec(struct tw_change_read *r,
    const struct tw_yaml_node *n);
/* Its user with the values put in; what is wrong then is in ds. */
enum tw_status tw_successor_fill(struct tw_change_spec *spec,
    const struct tw_param_values *values, struct tw_diags *ds,
    struct tw_err *err);

/* Has sh -n read the commands noted so far. */
void tw_commands_check(struct tw_change_read *r);

/* Complains of secrets that no step names; the file's params are n.  To be asked
 * only of a file that is good so far: what can't be read may name any. */
void tw_secrets_check(struct tw_change_read *r, const struct tw_yaml_node *n,
    const struct tw_step_spec *more);

/* Reads one item of a list of steps into *out; num counts from 1. */
void tw_step_read(struct tw_change_read *r, const struct tw_yaml_node *n,
    size_t num, struct tw_step_spec *out);

/* timeout, retries and retry_delay of a step or of the defaults; what is not
 * there leaves its out argument alone. */
void tw_step_read_limits(struct tw_change_read *r,
    const struct tw_yaml_node *map, int64_t *timeout, int *retries,
    int64_t *delay);

/* Complains of each of keys (NULL-terminated) in a step; hint may be NULL. */
void tw_step_refuse_keys(struct tw_change_read *r,
    const struct tw_yaml_node *map, const char *const *keys, const char *kind,
    const char *hint);

/* The value of a key as shell text, noted for sh -n; NULL: not there, or
 * wrong. */
const char *tw_step_read_command(struct tw_change_read *r,
    const struct tw_yaml_node *map, const char *key);

/* The mapping under "file:". */
void tw_file_read(struct tw_change_read *r, const struct tw_yaml_node *n,
    struct tw_file_spec *out);

/* What is in the file that a text names; both untouched with a message. */
void tw_file_read_source(struct tw_change_read *r,
    const struct tw_yaml_node *n, const char **content, size_t *len);

/* Room for n more bytes of contents; false with a message. */
bool tw_file_count(struct tw_change_read *r, const struct tw_yaml_node *n,
    size_t len);

/* The mapping under the name of kind. */
void tw_use_read(struct tw_change_read *r, const struct tw_yaml_node *n,
    const struct tw_kind *kind, struct tw_step_spec *out);

/* Looks at the holes of an argument that was given, whose node is n: those of
 * a template may name facts and secrets, others nothing but parameters. */
void tw_use_check_holes(struct tw_change_read *r, const struct tw_kind *kind,
    const struct tw_yaml_node *n, struct tw_arg_spec *arg);

/* Makes text of the raw value of an argument with holes; values may be NULL
 * where none of them is a name.  Of what gets longer than max bytes it keeps
 * just enough to show that: a short text may name a long value very often. */
enum tw_status tw_use_fill(struct tw_change_spec *spec,
    const struct tw_param_values *values, struct tw_arg_spec *arg,
    size_t max, struct tw_err *err);

#endif
