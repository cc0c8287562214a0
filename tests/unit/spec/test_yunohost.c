/* test_yunohost.c - YunoHost's catalogue: what is read of it */
#include "yunohost_util.h"

static struct tw_yunohost_catalog *read_json(const char *dir,
    const char *path)
{
	struct tw_yunohost_catalog *c;
	struct tw_buf b = TW_BUF_INIT;
	struct tw_err err;

	ck_assert_int_eq(read_under(dir, path, &b, &err), TW_OK);
	c = good_with(tw_yunohost_json, tw_buf_str(&b), b.len);
	tw_buf_release(&b);
	return c;
}

static enum tw_status read_dir(void *arg, const char *path,
    struct tw_buf *out, struct tw_err *err)
{
	return read_under(arg, path, out, err);
}

static struct tw_yunohost_catalog *read_checkout(const char *dir)
{
	const struct tw_spec_reader reader = { .read = read_dir,
	    .arg = (void *)dir };
	struct tw_arena names = { NULL };
	struct tw_yunohost_catalog *c;
	struct tw_diags ds = { 0 };
	enum tw_status st;
	struct tw_err err;
	char *said;

	st = tw_yunohost_checkout(&reader, &names, &ds, &c, &err);
	said = problems(&ds);
	ck_assert_str_eq(said, "");
	ck_assert_int_eq(st, TW_OK);
	free(said);
	tw_diags_release(&ds);
	tw_arena_release(&names);
	return c;
}

static void words_are(const struct tw_yunohost_words *w, const char *wanted)
{
	struct tw_buf b = TW_BUF_INIT;
	size_t i;

	for (i = 0; i < w->n; i++)
		tw_buf_addf(&b, "%s%s", i ? "," : "", w->v[i]);
	ck_assert_str_eq(tw_buf_str(&b), wanted);
	tw_buf_release(&b);
}

START_TEST(apps_json_is_read)
{
	struct tw_yunohost_catalog *c = read_json(data_dir(), "apps.json");
	const struct tw_yunohost_app *a;

	ck_assert_uint_eq(c->n, 3);
	ck_assert_str_eq(c->apps[0].id, "13ft");
	a = app_of(c, "wiki");
	ck_assert_str_eq(a->name, "Wiki");
	ck_assert_str_eq(a->version, "1.0~ynh1");
	ck_assert_str_eq(a->state, "working");
	ck_assert_str_eq(a->category, "office");
	ck_assert_str_eq(a->description, "It is wiki");
	ck_assert_str_eq(a->url, "https://github.com/YunoHost-Apps/wiki_ynh");
	ck_assert_str_eq(a->branch, "master");
	ck_assert_str_eq(a->revision,
	    "bed693562fa8cc1aaafe1bcef09938130db1aad9");
	ck_assert_str_eq(a->yunohost, ">= 11.2");
	ck_assert_int_eq(a->level, 8);
	ck_assert_int_eq(a->disk, 50 << 20);
	ck_assert_int_eq(a->ram_build, 50 << 20);
	ck_assert_int_eq(a->ram_runtime, 70 << 20);
	words_are(&a->architectures, "amd64,armhf");
	words_are(&a->subtags, "text");
	ck_assert(!a->multi_instance && !a->high_quality && a->maintained);
	ck_assert(a->has_manifest && !a->has_questions);
	tw_yunohost_free(c);
}
END_TEST

START_TEST(what_apps_json_leaves_out_is_unknown)
{
	struct tw_yunohost_catalog *c = read_json(data_dir(), "apps.json");
	const struct tw_yunohost_app *a = app_of(c, "13ft");

	ck_assert(!a->has_manifest);
	ck_assert_str_eq(a->name, "13ft");
	ck_assert_ptr_null(a->version);
	ck_assert_ptr_null(a->category);
	ck_assert_int_eq(a->disk, -1);
	a = app_of(c, "etherpad");
	ck_assert_int_eq(a->level, -1);
	ck_assert(a->high_quality && !a->maintained);
	words_are(&a->architectures, "");
	ck_assert_ptr_null(tw_yunohost_find(c, "none"));
	tw_yunohost_free(c);
}
END_TEST

START_TEST(a_checkout_is_read)
{
	struct tw_yunohost_catalog *c = read_checkout(data_dir());
	const struct tw_yunohost_app *a;

	ck_assert_uint_eq(c->n, 4);
	a = app_of(c, "blog");
	ck_assert_str_eq(a->name, "A blog");
	ck_assert_str_eq(a->version, "2.1~ynh3");
	ck_assert_str_eq(a->description, "Writes, and is read");
	ck_assert_str_eq(a->yunohost, ">= 12.1.17");
	ck_assert_int_eq(a->disk, INT64_C(1536) << 20);
	ck_assert_int_eq(a->ram_runtime, -1);
	ck_assert(a->has_manifest && a->has_questions && a->has_data_dir);
	ck_assert(a->multi_instance && a->maintained);
	words_are(&a->subtags, "blog,website");
	a = app_of(c, "old-chat");
	ck_assert(!a->maintained && !a->has_manifest);
	ck_assert_str_eq(a->state, "notworking");
	a = app_of(c, "new_thing");
	ck_assert_int_eq(a->level, -1);
	ck_assert(a->high_quality);
	ck_assert_ptr_null(a->branch);
	ck_assert_str_eq(a->revision, "HEAD");
	tw_yunohost_free(c);
}
END_TEST

START_TEST(questions_keep_the_files_order)
{
	static const char *const ids[] = {
		"note", "domain", "path", "init_main_permission", "admin",
		"password", "title", "language", "theme", "comments",
		"posts", "topics", "begin"
	};
	struct tw_yunohost_catalog *c = read_checkout(data_dir());
	const struct tw_yunohost_app *a = app_of(c, "blog");
	size_t i;

	ck_assert_uint_eq(a->nquestions, sizeof ids / sizeof *ids);
	for (i = 0; i < a->nquestions; i++)
		ck_assert_str_eq(a->questions[i].id, ids[i]);
	tw_yunohost_free(c);
}
END_TEST

START_TEST(questions_are_read)
{
	struct tw_yunohost_catalog *c = read_checkout(data_dir());
	const struct tw_yunohost_question *q = app_of(c, "blog")->questions;

	ck_assert_int_eq(q[0].type, TW_YUNOHOST_SHOWN);
	ck_assert_int_eq(q[1].type, TW_YUNOHOST_DOMAIN);
	ck_assert_ptr_null(q[1].ask);
	ck_assert_str_eq(q[2].fallback, "/blog");
	ck_assert_str_eq(q[5].help, "For the editor");
	ck_assert_int_eq(q[6].type, TW_YUNOHOST_STRING);
	ck_assert_str_eq(q[6].ask, "Le titre");
	ck_assert(q[6].optional);
	words_are(&q[7].choices, "en,fr");
	ck_assert_str_eq(q[8].ask, "Which theme?");
	words_are(&q[8].choices, "dark,light");
	ck_assert_str_eq(q[9].fallback, "0");
	ck_assert_str_eq(q[10].fallback, "10");
	ck_assert(q[10].has_min && q[10].has_max);
	ck_assert_int_eq(q[10].max, 100);
	ck_assert_str_eq(q[10].pattern, "^\\d+$");
	ck_assert_str_eq(q[11].fallback, "a,c");
	ck_assert_str_eq(q[12].fallback, "2026-02-03");
	ck_assert(q[12].conditional);
	tw_yunohost_free(c);
}
END_TEST

START_TEST(a_manifest_alone_is_an_app)
{
	static const char text[] = "packaging_format = 2\nid = 'solo'\n"
	    "[install.x]\nchoices = 'a, b'\ntype = 'novel'\n"
	    "[install.y]\nreadonly = true\n"
	    "[integration]\narchitectures = 'arm64'\ndisk = 'much'\n";
	struct tw_yunohost_catalog *c = good_with(tw_yunohost_manifest, text,
	    sizeof text - 1);
	const struct tw_yunohost_app *a = app_of(c, "solo");

	ck_assert_str_eq(a->name, "solo");
	ck_assert_ptr_null(a->state);
	ck_assert_int_eq(a->questions[0].type, TW_YUNOHOST_OTHER);
	ck_assert_str_eq(a->questions[0].type_word, "novel");
	words_are(&a->questions[0].choices, "a,b");
	ck_assert_int_eq(a->questions[1].type, TW_YUNOHOST_SHOWN);
	words_are(&a->architectures, "arm64");
	ck_assert_int_eq(a->disk, -1);
	tw_yunohost_free(c);
}
END_TEST

START_TEST(a_text_for_a_terminal_is_made_safe)
{
	static const char text[] = "id = 'a'\ndescription = "
	    "\"  red\\u001b[31m\\n\\n and\\u202e on \"\n";
	struct tw_yunohost_catalog *c = good_with(tw_yunohost_manifest, text,
	    sizeof text - 1);

	ck_assert_str_eq(c->apps->description, "red?[31m and? on");
	tw_yunohost_free(c);
}
END_TEST

static size_t count_good(const struct tw_yunohost_catalog *c)
{
	size_t i, n = 0;

	for (i = 0; i < c->n; i++)
		n += strcmp(c->apps[i].state, "working") == 0 &&
		    c->apps[i].level >= 5;
	return n;
}

#define MANY 706		/* what the real catalogue has */

static void make_many(struct tw_buf *b)
{
	int i;

	tw_buf_adds(b, "{\"apps\": {");
	for (i = 0; i < MANY; i++)
		tw_buf_addf(b, "%s\"app%d\": {\"id\": \"app%d\", "
		    "\"state\": \"working\", \"level\": %d, \"git\": {\"url\": "
		    "\"https://example.org/x/app%d_ynh\"}, \"manifest\": "
		    "{\"name\": \"App %d\", \"description\": {\"en\": \"Text\"}, "
		    "\"integration\": {\"disk\": \"50M\"}}}", i ? "," : "", i,
		    i, i % 9, i, i);
	tw_buf_adds(b, "}}");
}

START_TEST(a_large_catalogue_is_read)
{
	struct tw_yunohost_catalog *c;
	struct tw_buf b = TW_BUF_INIT;
	size_t i, wanted = 0;

	for (i = 0; i < MANY; i++)
		wanted += i % 9 >= 5;
	make_many(&b);
	c = good_with(tw_yunohost_json, tw_buf_str(&b), b.len);
	ck_assert_uint_eq(c->n, MANY);
	ck_assert_uint_eq(count_good(c), wanted);
	tw_yunohost_free(c);
	tw_buf_release(&b);
}
END_TEST

/* The real catalogue, where somebody has it: it isn't ours to copy. */
START_TEST(the_real_catalogue_is_read)
{
	const char *dir = getenv("TOWERIFY_YUNOHOST_DATA");
	struct tw_yunohost_catalog *c;

	if (!dir)
		return;
	c = read_checkout(dir);
	ck_assert_uint_ge(c->n, 600);
	ck_assert_uint_ge(count_good(c), 500);
	printf("# %s: %zu apps, %zu work at level 5 or more\n", dir, c->n,
	    count_good(c));
	tw_yunohost_free(c);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		apps_json_is_read,
		what_apps_json_leaves_out_is_unknown,
		a_checkout_is_read,
		questions_keep_the_files_order,
		questions_are_read,
		a_manifest_alone_is_an_app,
		a_text_for_a_terminal_is_made_safe,
		a_large_catalogue_is_read,
		the_real_catalogue_is_read,
	};

	return run_tests("yunohost", tests, sizeof tests / sizeof *tests);
}
