/*
 * node.h - what a schema wants of a node of a document
 *
 * Types come from the schema, never from the scalar's looks: each function
 * here takes a scalar's text and makes of it what the caller wants, or adds to
 * ds what is wrong and returns false.  "what" names the value in messages
 * (its key).  A node that is broken was complained about already: false, and
 * nothing is added.
 */
#ifndef TW_SPEC_NODE_H
#define TW_SPEC_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spec/diag.h"
#include "spec/yaml.h"

/* A mapping with no other keys than those in known (NULL-terminated; NULL:
 * any); unknown ones are reported with the nearest known one, and do not make
 * the result false. */
bool tw_node_mapping(const struct tw_yaml_node *n, const char *what,
    const char *const *known, struct tw_diags *ds);

bool tw_node_sequence(const struct tw_yaml_node *n, const char *what,
    struct tw_diags *ds);

/* The value of a key of a mapping, or NULL. */
const struct tw_yaml_node *tw_node_get(const struct tw_yaml_node *map,
    const char *key);

/* Any text without NUL. */
bool tw_node_text(const struct tw_yaml_node *n, const char *what,
    const char **out, struct tw_diags *ds);

/* One line for people: not empty, no control characters, at most max bytes. */
bool tw_node_line(const struct tw_yaml_node *n, const char *what, size_t max,
    const char **out, struct tw_diags *ds);

/* Shell text; what YAML could have mangled is refused with the hint. */
bool tw_node_command(const struct tw_yaml_node *n, const char *what,
    const char **out, struct tw_diags *ds);

/* A whole number: an optional "-" and digits without leading zeros. */
bool tw_node_int(const struct tw_yaml_node *n, const char *what, int64_t min,
    int64_t max, int64_t *out, struct tw_diags *ds);

/* "true" or "false". */
bool tw_node_bool(const struct tw_yaml_node *n, const char *what, bool *out,
    struct tw_diags *ds);

/* A duration of whole seconds with a unit; all in milliseconds. */
bool tw_node_span(const struct tw_yaml_node *n, const char *what, int64_t min,
    int64_t max, int64_t *out, struct tw_diags *ds);

/* One of words (NULL-terminated); *out is its index. */
bool tw_node_enum(const struct tw_yaml_node *n, const char *what,
    const char *const *words, size_t *out, struct tw_diags *ds);

/* The same whole number rule for text that comes from elsewhere. */
bool tw_int_parse(const char *s, int64_t *out);

/* "1h30m" for a span of whole seconds (milliseconds), as it would be written
 * in a file. */
#define TW_SPAN_MAX 48
void tw_span_write(int64_t span, char out[TW_SPAN_MAX]);

/* The hint "did you mean 'NEAREST'?" in out, or NULL when no word is near. */
#define TW_NEAREST_MAX 256
const char *tw_nearest_hint(const char *s, const char *const *words,
    char out[TW_NEAREST_MAX]);

#endif
