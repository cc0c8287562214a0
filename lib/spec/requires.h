/*
 * requires.h - what an app needs of a host, and whether the host's facts say it
 * is there
 */
#ifndef TW_SPEC_REQUIRES_H
#define TW_SPEC_REQUIRES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "spec/diag.h"
#include "spec/yaml.h"

/* What the fact `software' tells of a host, and so what it can be wanted to be
 * without; NULL-terminated. */
extern const char *const tw_requires_software[];

struct tw_requires {		/* zeroed: nothing; text lives with the document */
	/* NULL-terminated, any of them will do; or NULL */
	const char *const *os, *const *os_version, *const *arch;
	const char *const *without;	/* none of them may be there */
	int64_t memory_kb, disk_kb;	/* at least; 0: any */
	bool systemd, root;		/* it must be there; it must be root */
};

/* Reads the mapping under "requires:" of doc; what is wrong is added to ds.
 * TW_OK (see ds) or TW_NOMEM. */
enum tw_status tw_requires_read(struct tw_yaml_doc *doc,
    const struct tw_yaml_node *n, struct tw_diags *ds,
    struct tw_requires *out, struct tw_err *err);

/* Appends a line for each thing that host's facts (a JSON object of texts, as
 * the model keeps it; NULL or "": none are known) do not say is there: "memory:
 * needs 512 MiB, has 256 MiB", for tw_text_settle().  A fact that is not known is missing.  TW_OK:
 * nothing is missing; TW_NO; TW_BUG: facts is no such object; TW_NOMEM. */
enum tw_status tw_requires_check(const struct tw_requires *r, const char *host,
    const char *facts, struct tw_buf *misses, struct tw_err *err);

bool tw_requires_is_any(const struct tw_requires *r);

/* Appends "os debian, os_version 12 or 13, memory 512 MiB"; nothing where
 * nothing is required. */
void tw_requires_describe(const struct tw_requires *r, struct tw_buf *out);

#endif
