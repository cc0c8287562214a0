/*
 * tree.h - a document in somebody else's format, as a tree
 *
 * JSON (json.h) and TOML (toml.h) become the same nodes, so that what is
 * published in both is read by one reader.  Unlike yaml.h, types come from the
 * document: these formats have them.
 *
 * The getters take what a reader wants of a table's member or add to ds what
 * is wrong with it, "apps.nextcloud.level: must be a whole number, not a
 * text", with line and column where the format's parser knew them.
 */
#ifndef TW_SPEC_TREE_H
#define TW_SPEC_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "spec/arena.h"
#include "spec/diag.h"

#define TW_TREE_DEPTH_MAX 32		/* levels, the root is one */
#define TW_TREE_NODES_MAX 400000	/* values of any type */
#define TW_TREE_PATH_MAX 200		/* bytes of a path in a message */

enum tw_tree_type {
	TW_TREE_NULL,		/* JSON only */
	TW_TREE_BOOLEAN,
	TW_TREE_INTEGER,
	TW_TREE_FLOAT,
	TW_TREE_TEXT,
	TW_TREE_TIME,		/* TOML only: a date, a time of day or both */
	TW_TREE_LIST,
	TW_TREE_TABLE,
};

struct tw_tree_node {
	enum tw_tree_type type;
	bool boolean;
	int64_t integer;
	double number;			/* finite or not */
	const char *text;		/* TEXT, TIME (as in RFC 3339) */
	size_t len;			/* bytes of text; it has no NUL */
	size_t line, col;		/* from 1; 0: not known */
	size_t index;			/* of an item, from 0 */
	const char *key;		/* of a table's member, or NULL */
	size_t count;			/* items or members */
	struct tw_tree_node *first;	/* in the document's order */
	struct tw_tree_node *last;
	struct tw_tree_node *next;
	const struct tw_tree_node *parent;
};

/* Owns nodes and text.  A zeroed one is valid and empty. */
struct tw_tree {
	struct tw_arena arena;
	const struct tw_tree_node *root;
	size_t nodes;
};

void tw_tree_release(struct tw_tree *t);

/* For parsers: a new node at the end of parent's (NULL: the root); key (NULL:
 * an item) has key_len bytes and is copied.  NULL: no memory, or
 * TW_TREE_NODES_MAX is reached. */
struct tw_tree_node *tw_tree_add(struct tw_tree *t,
    struct tw_tree_node *parent, enum tw_tree_type type, const char *key,
    size_t key_len);

/* Adds a problem of a node: "PATH: " and the text. */
void tw_tree_bad(struct tw_diags *ds, const struct tw_tree_node *n,
    const char *hint, const char *fmt, ...) TW_PRINTF(4, 5);

/* "a text", "a table": what a node is, for messages. */
const char *tw_tree_type_word(enum tw_tree_type type);

/* The member of a table, or NULL. */
const struct tw_tree_node *tw_tree_get(const struct tw_tree_node *table,
    const char *key);

/* Each returns whether *out was set: false, with nothing added, for a member
 * that is absent or null, and false with a problem for another type. */
bool tw_tree_text(const struct tw_tree_node *table, const char *key,
    const char **out, struct tw_diags *ds);
bool tw_tree_integer(const struct tw_tree_node *table, const char *key,
    int64_t *out, struct tw_diags *ds);
bool tw_tree_boolean(const struct tw_tree_node *table, const char *key,
    bool *out, struct tw_diags *ds);
bool tw_tree_table(const struct tw_tree_node *table, const char *key,
    const struct tw_tree_node **out, struct tw_diags *ds);
bool tw_tree_list(const struct tw_tree_node *table, const char *key,
    const struct tw_tree_node **out, struct tw_diags *ds);

/* One line for people, of at most max bytes and not empty: as tw_tree_text(),
 * and other text is a problem. */
bool tw_tree_line(const struct tw_tree_node *table, const char *key,
    size_t max, const char **out, struct tw_diags *ds);

/* Whether n bytes are one line without what must not reach a terminal. */
bool tw_tree_is_line(const char *s, size_t n);

#endif
