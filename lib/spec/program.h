/*
 * program.h - a checked change and its values, as the executor reads them
 *
 * The program text is shell words for the executor, every value one
 * single-quoted word; contents of files travel apart, in the blob.
 */
#ifndef TW_SPEC_PROGRAM_H
#define TW_SPEC_PROGRAM_H

#include "base/buf.h"
#include "base/err.h"
#include "spec/change_spec.h"
#include "spec/param.h"

/* A secret's value, to travel apart from the program; borrowed. */
struct tw_secret_value {
	const char *name, *value;
};

/* Appends the program to *text and the contents to *blob (both zeroed or
 * empty; their .max is set here), and says in *room how many bytes the host
 * must reserve for its events file.  values come from tw_params_check() with
 * the spec's own params, and tw_change_spec_fill() comes before.  Of a secret
 * that was given only the name stands in the program, and which steps get it;
 * one that is absent is an empty parameter, as any other.  TW_OK, TW_NOMEM. */
enum tw_status tw_program_make(const struct tw_change_spec *spec,
    const struct tw_param_values *values, struct tw_buf *text,
    struct tw_buf *blob, long *room, struct tw_err *err);

/* Appends what a host needs beside a program with secrets: the n given ones as
 * assignments for a shell.  *out is grown once, so that no copy stays behind;
 * whoever releases it wipes it.  TW_OK, TW_NOMEM. */
enum tw_status tw_secrets_text(const struct tw_secret_value *v, size_t n,
    struct tw_buf *out, struct tw_err *err);

/* The reserve alone, bytes; see program.c for how it is counted. */
long tw_program_room(const struct tw_change_spec *spec);

/* Appends n bytes as one word of a POSIX shell; s holds no NUL. */
void tw_program_quote(struct tw_buf *out, const char *s, size_t n);

/* Appends the steps for a person to read, escaped for a terminal: parameters,
 * "(secret)" for the value of one, each step with its commands, secrets and
 * limits, and at the end which steps have no undo. */
void tw_program_describe(const struct tw_change_spec *spec,
    const struct tw_param_values *values, struct tw_buf *out);

#endif
