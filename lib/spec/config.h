/*
 * config.h - how a tower works: towerify.yaml (towerify.yaml(5))
 *
 * A mapping of keys to plain values; what the file does not say has its
 * default.  Each value knows the line that set it.
 */
#ifndef TW_SPEC_CONFIG_H
#define TW_SPEC_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "spec/diag.h"
#include "spec/yaml.h"

enum tw_config_key {
	TW_CONFIG_JOBS,
	TW_CONFIG_START,	/* 0 or 1 */
	TW_CONFIG_CONNECT_TIMEOUT,	/* spans are milliseconds */
	TW_CONFIG_LOGIN_TIMEOUT,
	TW_CONFIG_SILENCE_TIMEOUT,
	TW_CONFIG_RETRY_FIRST,
	TW_CONFIG_RETRY_MOST,
	TW_CONFIG_OUTPUT_LIMIT,	/* sizes are bytes */
	TW_CONFIG_OUTPUT_TOTAL,
	TW_CONFIG_RETENTION,
	TW_CONFIG_MAIL,
	TW_CONFIG_WEBHOOK,
	TW_CONFIG_HOOKS,
	TW_CONFIG_HOOK_TIMEOUT,
	TW_CONFIG_KEYS		/* how many there are */
};

#define TW_CONFIG_ENDLESS INT64_MAX	/* "forever", "unlimited" */

struct tw_config {		/* release with tw_config_release() */
	int64_t number[TW_CONFIG_KEYS];
	const char *text[TW_CONFIG_KEYS];	/* MAIL, WEBHOOK, HOOKS; NULL:
						 * none */
	size_t line[TW_CONFIG_KEYS];	/* that set it; 0: the default */
	struct tw_yaml_doc *doc;	/* owned; texts live in it; or NULL */
};

void tw_config_defaults(struct tw_config *out);

/* Of an empty file, or one of comments, all is default.  TW_DATA: every
 * problem is in ds, *out is the defaults; TW_NOMEM. */
enum tw_status tw_config_parse(const char *text, size_t len,
    struct tw_diags *ds, struct tw_config *out, struct tw_err *err);
void tw_config_release(struct tw_config *c);

const char *tw_config_name(enum tw_config_key key);
/* One line, no full stop, English; in tables for people a TW_COL_WORD. */
const char *tw_config_about(enum tw_config_key key);
/* Appends a value as a file would say it; nothing where there is none. */
void tw_config_write(const struct tw_config *c, enum tw_config_key key,
    struct tw_buf *out);

#endif
