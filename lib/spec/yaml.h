/*
 * yaml.h - YAML text to a tree of nodes with positions, within limits
 *
 * The tree says what was written, never what it means: a scalar is text, and
 * node.h turns it into what a schema wants.  What invites mistakes in files of
 * commands is refused here: anchors, aliases, tags (a bare "!" too), duplicate
 * keys, several documents, %TAG, characters that cannot be seen.
 */
#ifndef TW_SPEC_YAML_H
#define TW_SPEC_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "spec/arena.h"
#include "spec/diag.h"

#define TW_YAML_BYTES_MAX ((size_t)1 << 20) /* bytes in a file */
#define TW_YAML_DEPTH_MAX 64		/* levels, the root is one */
#define TW_YAML_NODES_MAX 100000	/* keys and values */

enum tw_yaml_type {
	TW_YAML_SCALAR,
	TW_YAML_SEQUENCE,
	TW_YAML_MAPPING,
};

enum tw_yaml_style {		/* of a scalar */
	TW_YAML_PLAIN,
	TW_YAML_QUOTED,		/* single or double */
	TW_YAML_BLOCK,		/* literal "|" */
	TW_YAML_FOLDED,		/* folded ">" */
};

struct tw_yaml_node {
	enum tw_yaml_type type;
	enum tw_yaml_style style;
	bool broken;		/* refused with a message: say no more */
	bool lines;		/* a flow scalar over several lines */
	size_t line, col;	/* from 1, columns in characters */
	const char *text;	/* scalars: UTF-8 without NUL */
	size_t len;		/* bytes of text */
	struct tw_yaml_node *first;	/* items, or values in order */
	size_t count;			/* how many */
	const struct tw_yaml_node *key;	/* a mapping's value: its key */
	struct tw_yaml_node *next;	/* the next item or value */
};

struct tw_yaml_doc;	/* owns the nodes, their text and the source */

/* Reads len bytes.  commands (NULL-terminated, or NULL) names the keys whose
 * values are commands, for the hint.  Problems go to ds; *out (freed by the
 * caller) is there even when there were some, unless nothing more can be said
 * of the file.  TW_OK: see ds; TW_DATA: *out is NULL and ds says why;
 * TW_NOMEM. */
enum tw_status tw_yaml_parse(const char *text, size_t len,
    const char *const *commands, struct tw_diags *ds,
    struct tw_yaml_doc **out, struct tw_err *err);
void tw_yaml_free(struct tw_yaml_doc *doc);	/* NULL is fine */

/* Never NULL; lives as long as the document. */
const struct tw_yaml_node *tw_yaml_root(const struct tw_yaml_doc *doc);

/* For text that belongs to the document: freed with it. */
struct tw_arena *tw_yaml_arena(struct tw_yaml_doc *doc);

/* Where line number nth (from 0) of a scalar's text stands in the file. */
void tw_yaml_text_pos(const struct tw_yaml_doc *doc,
    const struct tw_yaml_node *n, size_t nth, size_t *line, size_t *col);

/* The hint for a command that YAML misread, "write `run: |` ..."; key as in
 * commands above.  Empty when key is not one of commands. */
#define TW_YAML_HINT_MAX 80
void tw_yaml_command_hint(const char *key, char out[TW_YAML_HINT_MAX]);

#endif
