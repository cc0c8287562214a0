/*
 * json.h - JSON that others wrote, as a tree
 */
#ifndef TW_SPEC_JSON_H
#define TW_SPEC_JSON_H

#include "spec/tree.h"

#define TW_JSON_BYTES_MAX ((size_t)32 << 20)	/* bytes of a document */

/* Reads len bytes into *out (zeroed; the caller releases it, on failure too).
 * Refused: what is no JSON or no UTF-8, a key that is there twice, NUL in a
 * text, numbers beyond 64 bits, more than TW_TREE_DEPTH_MAX levels or
 * TW_JSON_BYTES_MAX.  Nodes have no line and column: the parser (jansson)
 * keeps none.  TW_OK; TW_DATA: ds says why; TW_NOMEM, but short of memory the
 * parser may also take a good document for a bad one. */
enum tw_status tw_json_parse(const char *text, size_t len,
    struct tw_diags *ds, struct tw_tree *out, struct tw_err *err);

#endif
