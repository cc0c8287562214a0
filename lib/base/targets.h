/*
 * targets.h - TARGETS: node sets and labels (cli.md, "TARGETS")
 *
 * An expression is parsed first, then evaluated against the hosts that exist.
 * All bad tokens are listed in one error, and nothing is selected then.
 */
#ifndef TW_BASE_TARGETS_H
#define TW_BASE_TARGETS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/name.h"

#define TW_TARGETS_MAX 1000000	/* names one expression may expand to */

struct tw_target_item {		/* one host that exists */
	const char *name;
	const char *const *labels;	/* "key=value", NULL-terminated, or NULL */
};

struct tw_targets;		/* a parsed expression */

/* expr may hold several words, separated by commas or blanks.  "-" inside is
 * refused here: the tool reads stdin and passes what it read.
 * TW_USAGE: "bad target 'web[3-1]': …", every bad token listed. */
enum tw_status tw_targets_parse(const char *expr, struct tw_targets **out,
    struct tw_err *err);
void tw_targets_free(struct tw_targets *t);

/* Fills *out (malloc'd, caller frees) with the indices of the items selected,
 * in the order of the expression, without duplicates; a pattern's or label's
 * matches come in the items' order.  An exact name or range element that does
 * not exist is an error (TW_NO: "unknown host: web7, web8"); so is a pattern
 * or label that matches nothing (TW_NO).  "!x" takes away, wherever it stands;
 * an expression of only negations starts from all. */
enum tw_status tw_targets_eval(const struct tw_targets *t,
    const struct tw_target_item *items, size_t n, size_t **out,
    size_t *nout, struct tw_err *err);

/* Does the expression select this one?  Leniently: what names nothing that
 * exists just does not match.  "!x" takes away, wherever it stands; only
 * negations are all but those. */
bool tw_targets_has(const struct tw_targets *t,
    const struct tw_target_item *item);

/* True when the expression is one name and nothing else; it is copied. */
bool tw_targets_is_name(const struct tw_targets *t,
    char out[TW_NAME_MAX + 1]);
/* Appends the expression, its words joined by commas. */
void tw_targets_write(const struct tw_targets *t, struct tw_buf *out);

/* Expands an expression of plain names and ranges alone into names (for
 * creating hosts); free with tw_strv_free(). */
enum tw_status tw_targets_names(const struct tw_targets *t, char ***out,
    struct tw_err *err);
void tw_strv_free(char **v);

#endif
