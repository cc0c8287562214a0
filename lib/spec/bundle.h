/*
 * bundle.h - files of a directory as one piece of data, to be kept
 *
 * Each file is its name and its content, both as netstrings ("LENGTH:BYTES,"),
 * in the order in which they were added.  Names are relative and stay inside
 * the directory.
 */
#ifndef TW_SPEC_BUNDLE_H
#define TW_SPEC_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* A relative path without empty, "." and ".." parts. */
bool tw_bundle_name_ok(const char *name);

/* Appends a file.  TW_DATA when name is none; TW_NOMEM. */
enum tw_status tw_bundle_add(struct tw_buf *b, const char *name,
    const void *p, size_t n, struct tw_err *err);
/* The file of that name, within data.  False: there is none. */
bool tw_bundle_find(const void *data, size_t len, const char *name,
    const void **p, size_t *n);

#endif
