/*
 * change_read.h - what the parts of the change file's reader share
 *
 * Private to change_spec.c and step_read.c.
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
	size_t total;			/* bytes of contents so far */
	struct tw_command *commands;	/* owned */
	size_t ncommands, cap;
};

/* Reads one item of "steps:" into *out; num counts from 1. */
void tw_step_read(struct tw_change_read *r, const struct tw_yaml_node *n,
    size_t num, struct tw_step_spec *out);

/* timeout, retries and retry_delay of a step or of the defaults; what is not
 * there leaves its out argument alone. */
void tw_step_read_limits(struct tw_change_read *r,
    const struct tw_yaml_node *map, int64_t *timeout, int *retries,
    int64_t *delay);

/* The mapping under "file:". */
void tw_file_read(struct tw_change_read *r, const struct tw_yaml_node *n,
    struct tw_file_spec *out);

#endif
