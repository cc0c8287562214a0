/* test_catalog.c - the catalogue that is shipped: every file of it is good, and
 * every action compiles */
#include "app_util.h"

#include <dirent.h>

#include "base/io.h"

static enum tw_status read_shipped(void *arg, const char *path,
    struct tw_buf *out, struct tw_err *err)
{
	char full[1024];

	snprintf(full, sizeof full, "%s/%s", (const char *)arg, path);
	return tw_io_read_file(full, out, err);
}

static void compile_all(struct tw_app_spec *app)
{
	struct tw_app_act act = { TW_APP_DEPLOY, "one", "0", false };
	struct tw_buf text = TW_BUF_INIT;
	struct tw_change_spec *change;
	int i;

	for (i = 0; i < TW_APP_ACTIONS; i++) {
		if (app->actions[i].n == 0)
			continue;
		act.action = (enum tw_app_action)i;
		ck_assert_int_eq(tw_app_compile(app, &act, &change, NULL),
		    TW_OK);
		ck_assert_uint_ge(change->nsteps, app->actions[i].n);
		/* a restore can only be made again */
		if (i == TW_APP_RESTORE) {
			tw_change_spec_free(change);
			continue;
		}
		ck_assert_msg(tw_change_spec_without_undo(change, &text) == 0,
		    "%s: %s: %s", app->app, tw_app_action_words[i],
		    tw_buf_str(&text));
		tw_change_spec_free(change);
	}
	tw_buf_release(&text);
}

static void read_one(const char *dir, const char *name)
{
	struct tw_spec_reader reader = { read_shipped, (void *)dir, kinds,
	    false };
	struct tw_buf text = TW_BUF_INIT;
	struct tw_diags ds = { .file = name };
	struct tw_change_spec *change = NULL;
	struct tw_app_spec *app = NULL;
	char path[1024], *said;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	ck_assert_int_eq(tw_io_read_file(path, &text, NULL), TW_OK);
	if (strncmp(text.data, "towerify-app:", 13) == 0)
		tw_app_spec_parse(text.data, text.len, &reader, &ds, &app,
		    NULL);
	else
		tw_change_spec_parse(text.data, text.len, &reader, &ds,
		    &change, NULL);
	said = problems(&ds);
	ck_assert_str_eq(said, "");
	if (app)
		compile_all(app);
	free(said);
	tw_app_spec_free(app);
	tw_change_spec_free(change);
	tw_diags_release(&ds);
	tw_buf_release(&text);
}

START_TEST(the_shipped_catalogue_is_good)
{
	const char *top = getenv("abs_top_srcdir");
	char dir[512];
	struct dirent *e;
	size_t n = 0;
	DIR *d;

	snprintf(dir, sizeof dir, "%s/share/catalog", top ? top : ".");
	d = opendir(dir);
	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d))) {
		if (*e->d_name == '.')
			continue;
		read_one(dir, e->d_name);
		n++;
	}
	closedir(d);
	ck_assert_uint_ge(n, 5);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { the_shipped_catalogue_is_good };
	int status;

	if (!open_kinds())
		return EXIT_FAILURE;
	status = run_tests("catalog", tests, sizeof tests / sizeof *tests);
	tw_kinds_free(kinds);
	return status;
}
