/*
 * app_private.h - what app.c and app_add.c share; nobody else includes it
 */
#ifndef TW_MODEL_APP_PRIVATE_H
#define TW_MODEL_APP_PRIVATE_H

#include "model/app.h"
#include "model/model_private.h"

bool tw_app_source_parse(const char *name, enum tw_app_source *out);

/* "NAME" or "NAME@VERSION" in parts, owned; *version NULL: none was said. */
struct tw_app_name {
	char *name, *version;
};
enum tw_status tw_app_name_split(const char *text, struct tw_app_name *out,
    struct tw_err *err);
void tw_app_name_release(struct tw_app_name *n);
/* Says that there is none, with what is near. */
enum tw_status tw_app_none(struct tw_store *s, const struct tw_who *who,
    const struct tw_app_name *n, struct tw_err *err);

/* An audit record of the organisation; detail is freed, and NULL means that
 * there was no memory for it (transaction open). */
enum tw_status tw_app_record(struct tw_store *s, const struct tw_who *who,
    const char *action, char *detail, struct tw_err *err);

#endif
