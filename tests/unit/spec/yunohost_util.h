/* yunohost_util.h - what the tests of YunoHost's catalogue share */
#ifndef TW_TEST_YUNOHOST_UTIL_H
#define TW_TEST_YUNOHOST_UTIL_H

#include "spec_util.h"

#include <stdio.h>

#include "spec/yunohost.h"

typedef enum tw_status (*parse_fn)(const char *text, size_t len,
    struct tw_diags *ds, struct tw_yunohost_catalog **out,
    struct tw_err *err);

/* Reads a catalogue or manifest that must be good. */
static inline struct tw_yunohost_catalog *good_with(parse_fn parse,
    const char *text, size_t len)
{
	struct tw_yunohost_catalog *c;
	struct tw_diags ds = { 0 };
	enum tw_status st;
	struct tw_err err;
	char *said;

	ds.file = "f";
	st = parse(text, len, &ds, &c, &err);
	said = problems(&ds);
	ck_assert_str_eq(said, "");
	ck_assert_int_eq(st, TW_OK);
	ck_assert_ptr_nonnull(c);
	free(said);
	tw_diags_release(&ds);
	return c;
}

/* Reads one that must be refused with exactly these problems. */
static inline void bad_with(parse_fn parse, const char *text, size_t len,
    const char *wanted)
{
	struct tw_yunohost_catalog *c;
	struct tw_diags ds = { 0 };
	enum tw_status st;
	struct tw_err err;
	char *said;

	ds.file = "f";
	st = parse(text, len, &ds, &c, &err);
	said = problems(&ds);
	ck_assert_str_eq(said, wanted);
	ck_assert_int_eq(st, TW_DATA);
	ck_assert_int_eq(err.status, TW_DATA);
	ck_assert_ptr_null(c);
	free(said);
	tw_diags_release(&ds);
}

/* A file of tests/data, or of another directory. */
static inline enum tw_status read_under(const char *dir, const char *path,
    struct tw_buf *out, struct tw_err *err)
{
	struct tw_buf name = TW_BUF_INIT;
	char block[4096];
	size_t n;
	FILE *f;

	tw_buf_addf(&name, "%s/%s", dir, path);
	f = fopen(tw_buf_str(&name), "rb");
	tw_buf_release(&name);
	if (!f)
		return tw_err_set(err, TW_NO, "%s: not there", path);
	while ((n = fread(block, 1, sizeof block, f)) > 0)
		tw_buf_add(out, block, n);
	fclose(f);
	return TW_OK;
}

static inline const char *data_dir(void)
{
	static char dir[4096];
	const char *top = getenv("abs_top_srcdir");

	snprintf(dir, sizeof dir, "%s/tests/data/yunohost", top ? top : ".");
	return dir;
}

static inline const struct tw_yunohost_app *app_of(
    const struct tw_yunohost_catalog *c, const char *id)
{
	const struct tw_yunohost_app *a = tw_yunohost_find(c, id);

	ck_assert_ptr_nonnull(a);
	ck_assert_str_eq(a->id, id);
	return a;
}

#endif
