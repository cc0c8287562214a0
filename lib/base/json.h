/*
 * json.h - what jansson does when memory runs out
 *
 * Jansson 2.14 drops an object's key from the text, calls a text that it had
 * no room to read a syntax error, and lets an addition fail whose result
 * nobody looked at; what it gives then looks whole and is not.  So its
 * allocations are watched: a job notes where they stand, and asks at its end
 * whether one of them has failed since.
 */
#ifndef TW_BASE_JSON_H
#define TW_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct json_t;

/* How many of jansson's allocations have failed in this process. */
size_t tw_json_mark(void);

/* Has one failed since that mark? */
bool tw_json_missed(size_t mark);

/* The value's text, malloc'd; NULL: there is no value, or memory was short
 * since mark, which is from before the value was made. */
char *tw_json_dump(const struct json_t *v, size_t flags, size_t mark);

/* Reads text that we have written (NULL or empty: "{}"); what: whose it is, for
 * the message.  *out is the caller's.  TW_CONFIG: it can't be read. */
enum tw_status tw_json_load(const char *text, const char *what,
    struct json_t **out, struct tw_err *err);

#endif
