/*
 * fetch_rules.h - what a tower may download: fetch.yaml (towerify-fetch(8))
 */
#ifndef TW_SPEC_FETCH_RULES_H
#define TW_SPEC_FETCH_RULES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "spec/diag.h"
#include "spec/yaml.h"

#define TW_FETCH_ALLOW_MAX 1000			/* addresses in a list */
#define TW_FETCH_TIMEOUT_MIN INT64_C(1000)	/* ms */
#define TW_FETCH_TIMEOUT_MAX INT64_C(86400000)

struct tw_fetch_rules {		/* zeroed: no rules */
	const char *const *allow;	/* beginnings of addresses, NULL-
					 * terminated; NULL: any */
	int64_t timeout;		/* ms; 0: the file does not say */
	struct tw_yaml_doc *doc;	/* owned; texts live in it */
};

/* TW_DATA: every problem is in ds, *out is empty; TW_NOMEM. */
enum tw_status tw_fetch_rules_parse(const char *text, size_t len,
    struct tw_diags *ds, struct tw_fetch_rules *out, struct tw_err *err);
void tw_fetch_rules_release(struct tw_fetch_rules *r);

#endif
