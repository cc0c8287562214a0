/* app_util.h - what the tests of app files share */
#ifndef TW_TEST_APP_UTIL_H
#define TW_TEST_APP_UTIL_H

#include "spec_util.h"

#include <stdio.h>

#include "spec/app_spec.h"
#include "spec/program.h"

#define APP "towerify-app: 1\napp: wiki\nversion: '1.0'\n"
#define LIFE "deploy:\n  - {run: d, undo: u}\nundeploy:\n  - run: u\n"

static struct tw_kinds *kinds;

/* Those that are shipped; false when they can't be read. */
static inline bool open_kinds(void)
{
	const char *top = getenv("abs_top_srcdir");
	const char *dirs[2] = { NULL, NULL };
	char where[512];

	snprintf(where, sizeof where, "%s/share/kinds", top ? top : ".");
	dirs[0] = where;
	return tw_kinds_new(dirs, &kinds, NULL) == TW_OK;
}

/* Reads an app file; the problems, which the caller frees. */
static inline char *read_app(const char *text, struct tw_app_spec **out)
{
	struct tw_spec_reader reader = { NULL, NULL, kinds, false };
	struct tw_diags ds = { .file = "f" };
	enum tw_status st;
	char *said;

	st = tw_app_spec_parse(text, strlen(text), &reader, &ds, out, NULL);
	said = problems(&ds);
	ck_assert_int_eq(st, *said ? TW_DATA : TW_OK);
	ck_assert_int_eq(*out == NULL, *said != '\0');
	tw_diags_release(&ds);
	return said;
}

static inline void app_is(const char *text, const char *wanted)
{
	struct tw_app_spec *app;
	char *said = read_app(text, &app);

	ck_assert_str_eq(said, wanted);
	free(said);
	tw_app_spec_free(app);
}

static inline struct tw_app_spec *good_app(const char *text)
{
	struct tw_app_spec *app;
	char *said = read_app(text, &app);

	ck_assert_str_eq(said, "");
	free(said);
	return app;
}

#endif
