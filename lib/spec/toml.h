/*
 * toml.h - TOML as a tree
 *
 * In an archive of its own (TW_TOML_LIBS): the parser is C++ (toml++), and
 * only the tool that reads catalogues is to carry it.
 */
#ifndef TW_SPEC_TOML_H
#define TW_SPEC_TOML_H

#include "spec/tree.h"

#define TW_TOML_BYTES_MAX ((size_t)4 << 20)	/* bytes of a document */
#define TW_TOML_KEY_PARTS_MAX 16		/* parts of a dotted key */

/* Reads len bytes into *out (zeroed; the caller releases it, on failure too).
 * Every node has its line and column; members and tables stand in the order
 * in which they were first named.  Refused: what is no TOML 1.0 or no UTF-8,
 * NUL in a text, and what would need a deep stack: more than
 * TW_TREE_DEPTH_MAX levels, keys of more than TW_TOML_KEY_PARTS_MAX parts.
 * TW_OK; TW_DATA: ds says why; TW_NOMEM, but toml++ ends the process when it
 * finds no memory for the text of an error of its own. */
enum tw_status tw_toml_parse(const char *text, size_t len,
    struct tw_diags *ds, struct tw_tree *out, struct tw_err *err);

#endif
