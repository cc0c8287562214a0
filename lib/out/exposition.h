/*
 * exposition.h - samples in the text format that Prometheus and node_exporter's
 *                textfile collector read (version 0.0.4)
 *
 * All samples of a family follow its head; names are the caller's own, values
 * of labels may hold any bytes.
 */
#ifndef TW_OUT_EXPOSITION_H
#define TW_OUT_EXPOSITION_H

#include <stdint.h>

#include "base/buf.h"

struct tw_label {		/* arrays end with a NULL name */
	const char *name, *value;
};

/* HELP and TYPE; type: "gauge", "counter", "summary". */
void tw_exposition_family(struct tw_buf *b, const char *name,
    const char *type, const char *help);
/* name with suffix ("", "_sum"); labels or NULL. */
void tw_exposition_int(struct tw_buf *b, const char *name,
    const char *suffix, const struct tw_label *labels, int64_t value);
/* The same for an instant or a span in milliseconds (not negative), written in
 * seconds. */
void tw_exposition_seconds(struct tw_buf *b, const char *name,
    const char *suffix, const struct tw_label *labels, int64_t ms);

#endif
