/*
 * param.h - parameters: their definitions in a file, and the values given
 *
 * Values are text: a step sees them as environment variables, and nothing is
 * ever pasted into a command.
 */
#ifndef TW_SPEC_PARAM_H
#define TW_SPEC_PARAM_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "spec/diag.h"
#include "spec/yaml.h"

#define TW_PARAMS_MAX 256			/* in one file */
#define TW_PARAM_VALUE_MAX ((size_t)64 << 10)	/* bytes of one value */
/* Bytes of all values: the environment of a step must fit in what the kernel
 * takes (a quarter of an 8 MiB stack on Linux). */
#define TW_PARAM_TOTAL_MAX ((size_t)1 << 20)
/* Bytes of all secrets: a pass looks for each in dozens of forms, on each of
 * many hosts (engine/mask.h). */
#define TW_SECRET_TOTAL_MAX TW_PARAM_VALUE_MAX

enum tw_param_type {
	TW_PARAM_STRING,
	TW_PARAM_INTEGER,
	TW_PARAM_BOOLEAN,
	TW_PARAM_ENUM,
	TW_PARAM_SECRET,		/* a string that nobody may see */
	/* of arguments of step kinds only: */
	TW_PARAM_FILE,			/* a file of the tower, by its name */
	TW_PARAM_COMMAND,		/* shell text, into which nothing is
					 * ever pasted */
};

struct tw_param {			/* text lives with the document */
	const char *name;
	enum tw_param_type type;
	bool required;
	const char *fallback;		/* its default, or NULL */
	const char *description;	/* or NULL */
	bool has_min, has_max;
	int64_t min, max;		/* of an integer; of a string's or a
					 * secret's length in characters */
	const char *const *values;	/* of an enum, NULL-terminated */
	const char *pattern;		/* or NULL */
	regex_t *re;			/* owned; of the pattern, or NULL */
};

struct tw_params {
	struct tw_param *v;		/* owned; in the file's order */
	size_t n;
};

/* A value as it was given; borrowed, not NUL-terminated. */
struct tw_param_given {
	const char *name;
	size_t name_len;
	const char *value;
	size_t len;
	bool is_private;		/* came from a file or standard input,
					 * and not from the command line */
};

struct tw_param_value {
	char *text;			/* owned; "" when absent */
	bool given;			/* else the default, or absent */
};

struct tw_param_values {		/* parallel to the definitions */
	struct tw_param_value *v;	/* owned */
	size_t n;
};

/* Reads the mapping under "params:" of doc; what is wrong is added to ds.
 * TW_OK (see ds) or TW_NOMEM; *out is to be released either way and lives no
 * longer than doc. */
enum tw_status tw_params_read(struct tw_yaml_doc *doc,
    const struct tw_yaml_node *n, struct tw_diags *ds, struct tw_params *out,
    struct tw_err *err);
/* The same for the arguments of a step kind: their types are string, integer,
 * boolean, enum, file and command. */
enum tw_status tw_args_read(struct tw_yaml_doc *doc,
    const struct tw_yaml_node *n, struct tw_diags *ds, struct tw_params *out,
    struct tw_err *err);
void tw_params_release(struct tw_params *p);

/* Splits "K=V" (which must outlive *out).  TW_USAGE without a "=". */
enum tw_status tw_param_given_split(const char *arg,
    struct tw_param_given *out, struct tw_err *err);

/* Checks n given values against the definitions and fills *out, one value a
 * definition, defaults put in.  A secret must be private.  TW_USAGE: every
 * problem is in ds, without position and without any value given for a secret,
 * and *out is empty; TW_NOMEM. */
enum tw_status tw_params_check(const struct tw_params *p,
    const struct tw_param_given *given, size_t n, struct tw_diags *ds,
    struct tw_param_values *out, struct tw_err *err);
/* Overwrites the values before it frees them. */
void tw_param_values_release(struct tw_param_values *v);

/* One value against one definition.  NULL: fine; else what it must be, in
 * why ("must be at most 64", for tw_text_settle()), which never holds text.  text is UTF-8 without
 * NUL.  Finding no memory is said to ds, as NULL; nothing else is added to
 * it. */
#define TW_PARAM_WHY_MAX 400
const char *tw_param_why_not(const struct tw_param *p, const char *text,
    char why[TW_PARAM_WHY_MAX], struct tw_diags *ds);

#endif
