/*
 * app_read.h - what the parts of the app file's reader share
 *
 * Private to app_spec.c, app_read.c and app_compile.c.
 */
#ifndef TW_SPEC_APP_READ_H
#define TW_SPEC_APP_READ_H

#include "spec/app_spec.h"
#include "spec/change_read.h"

/* The parameters of every app, the last ones of app->whole. */
enum tw_app_own {
	TW_APP_OWN_INSTANCE,
	TW_APP_OWN_VERSION,
	TW_APP_OWN_FROM,
};
#define TW_APP_OWN 3
extern const char *const tw_app_own_names[TW_APP_OWN + 1];

/* The mapping under "params:" (NULL: there is none), and those of every app. */
void tw_app_read_params(struct tw_change_read *r, const struct tw_yaml_node *n,
    struct tw_app_spec *app);

/* The mapping under "exports:". */
void tw_app_read_exports(struct tw_change_read *r,
    const struct tw_yaml_node *n, struct tw_app_spec *app);

/* The mapping under "health:". */
void tw_app_read_health(struct tw_change_read *r, const struct tw_yaml_node *n,
    struct tw_app_spec *app);

#endif
