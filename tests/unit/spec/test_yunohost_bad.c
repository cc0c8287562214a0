/* test_yunohost_bad.c - YunoHost's catalogue: what is refused, and how */
#include "yunohost_util.h"

#define GIT "\"git\": {\"url\": \"https://example.org/x/a_ynh\"}"
#define OK_APP "\"state\": \"working\", " GIT
#define APPS(text) "{\"apps\": {" text "}}"
#define APP(text) APPS("\"a\": {" OK_APP ", " text "}")

static void json(const char *text, const char *wanted)
{
	bad_with(tw_yunohost_json, text, strlen(text), wanted);
}

static void manifest(const char *text, const char *wanted)
{
	bad_with(tw_yunohost_manifest, text, strlen(text), wanted);
}

/* Where the words are a library's: refused at once, in one problem that has
 * part in it. */
static void refused(parse_fn parse, const char *text, size_t len,
    const char *part)
{
	struct tw_yunohost_catalog *c;
	struct tw_diags ds = { 0 };
	struct tw_err err;

	ck_assert_int_eq(parse(text, len, &ds, &c, &err), TW_DATA);
	ck_assert_ptr_null(c);
	ck_assert_uint_eq(ds.n, 1);
	ck_assert_msg(strstr(ds.v[0].msg, part), "%s", ds.v[0].msg);
	tw_diags_release(&ds);
}

START_TEST(what_is_no_catalogue_is_refused)
{
	static const char no_json[] = "this is no JSON that can be read: ";

	refused(tw_yunohost_json, "", 0, no_json);
	refused(tw_yunohost_json, NULL, 0, no_json);
	refused(tw_yunohost_json, "{\"apps\": {", 10, no_json);
	refused(tw_yunohost_json, "<html>", 6, no_json);
	refused(tw_yunohost_json, "{} x", 4, no_json);
	json("[]", "f: a catalogue is a JSON object, not a list\n");
	json("{}", "f: this is no catalogue of YunoHost: no \"apps\"\n");
	json("{\"apps\": []}", "f: apps: must be a table, not a list\n");
	json("{\"apps\": {}}", "f: apps: is empty\n");
	json("{\"from_api_version\": 2, \"apps\": {\"a\": {" OK_APP "}}}",
	    "f: from_api_version: is not 3, the version that is understood\n"
	    "hint: fetch .../default/v3/apps.json\n");
}
END_TEST

START_TEST(names_that_are_none_are_refused)
{
	static const char *const ids[] = {
		"", "A", "../x", "-x", "_x", "a b", "a__2", "a.b", "\\u00e9",
	};
	char text[400], wanted[200];
	size_t i;

	for (i = 0; i < sizeof ids / sizeof *ids; i++) {
		snprintf(text, sizeof text, APPS("\"%s\": {" OK_APP "}"),
		    ids[i]);
		snprintf(wanted, sizeof wanted,
		    "f: apps.%s: is no name of an app\n",
		    strcmp(ids[i], "\\u00e9") ? ids[i] : "\xc3\xa9");
		json(text, wanted);
	}
	json(APPS("\"" "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaa\": {}"), "f: apps.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaa\xe2\x80\xa6: is no name of an app\n");
	json(APPS("\"a\\u001b[2J\": {}"),
	    "f: apps.a\\x1b[2J: is no name of an app\n");
}
END_TEST

START_TEST(wrong_types_are_refused_with_their_path)
{
	json(APPS("\"a\": 7"), "f: apps.a: must be a table, not a whole "
	    "number\n");
	json(APP("\"level\": \"high\""),
	    "f: apps.a.level: must be a whole number, not a text\n");
	json(APP("\"level\": 8.5"),
	    "f: apps.a.level: must be a whole number, not a number\n");
	json(APP("\"level\": 99"), "f: apps.a.level: must be -1 to 10\n");
	json(APP("\"category\": []"),
	    "f: apps.a.category: must be a text, not a list\n");
	json(APP("\"category\": \"\""), "f: apps.a.category: is empty\n");
	json(APP("\"category\": \"a\\nb\""), "f: apps.a.category: must be "
	    "one line without control characters\n");
	json(APP("\"subtags\": [\"x\", 1, {}]"),
	    "f: apps.a.subtags[1]: must be one line of text, 1 to 200 bytes\n"
	    "f: apps.a.subtags[2]: must be one line of text, 1 to 200 "
	    "bytes\n");
	json(APP("\"id\": \"b\""), "f: apps.a.id: is not the app's name\n");
	json(APP("\"high_quality\": 1"), "f: apps.a.high_quality: must be a "
	    "boolean, not a whole number\n");
	json(APP("\"manifest\": []"),
	    "f: apps.a.manifest: must be a table, not a list\n");
	json(APP("\"manifest\": {\"id\": \"b\"}"), "f: apps.a.manifest.id: is "
	    "another app's: the catalogue has this manifest for a\n");
	json(APP("\"manifest\": {\"integration\": {\"ram\": 5, "
	    "\"disk\": 5, \"multi_instance\": \"yes\"}}"),
	    "f: apps.a.manifest.integration.multi_instance: must be a "
	    "boolean, not a text\n"
	    "f: apps.a.manifest.integration.disk: must be a text, not a "
	    "whole number\n"
	    "f: apps.a.manifest.integration.ram: must be a table, not a whole "
	    "number\n");
}
END_TEST

START_TEST(urls_are_https_and_nothing_else)
{
	static const char *const urls[] = {
		"http://example.org/x", "file:///etc/passwd", "https://",
		"https://example.org", "https:///x", "https://-oProxy/x",
		"https://example.org/a b", "https://example.org/$(id)",
		"https://example.org/../x", "ext::sh -c id",
		"https://u@example.org/x",
	};
	char text[400];
	size_t i;

	for (i = 0; i < sizeof urls / sizeof *urls; i++) {
		snprintf(text, sizeof text, APPS("\"a\": {\"state\": "
		    "\"working\", \"git\": {\"url\": \"%s\"}}"), urls[i]);
		json(text, "f: apps.a.git.url: must be an https URL of "
		    "letters, digits and -_./~:\n");
	}
	json(APPS("\"a\": {\"state\": \"working\", \"git\": {\"url\": "
	    "\"https://example.org/x\", \"branch\": \"--upload-pack=id\", "
	    "\"revision\": \"a..b\"}}"),
	    "f: apps.a.git.branch: is no name of a branch\n"
	    "f: apps.a.git.revision: is no name of a revision\n");
}
END_TEST

START_TEST(all_problems_come_at_once)
{
	json(APPS("\"a\": {\"level\": true}, \"B\": {}, \"c\": {" OK_APP
	    "}, \"d\": {\"state\": 1, \"git\": {}}"),
	    "f: apps.a: has no state\n"
	    "f: apps.a.level: must be a whole number, not a boolean\n"
	    "f: apps.a: has no git\n"
	    "f: apps.B: is no name of an app\n"
	    "f: apps.d.state: must be a text, not a whole number\n"
	    "f: apps.d.git: has no url\n");
}
END_TEST

static void nested(struct tw_buf *b, const char *open, const char *shut,
    size_t depth)
{
	size_t i;

	for (i = 0; i < depth; i++)
		tw_buf_adds(b, open);
	for (i = 0; i < depth; i++)
		tw_buf_adds(b, shut);
}

START_TEST(hostile_json_is_refused)
{
	static const char utf8[] = "{\"apps\": {\"a\": \"\xff\"}}";
	struct tw_buf b = TW_BUF_INIT;

	refused(tw_yunohost_json, utf8, sizeof utf8 - 1, "byte 0xff");
	refused(tw_yunohost_json, "{\"a\0b\": 1}", 10,
	    "control character 0x0");
	json(APP("\"level\": 99999999999999999999"), "f:1:112: this is no "
	    "JSON that can be read: too big integer near "
	    "'99999999999999999999'\n");
	refused(tw_yunohost_json, "{\"a\": 1e999}", 12, "overflow");
	refused(tw_yunohost_json, "{\"apps\": {\"a\\u0000\": 1}}", 25,
	    "NUL byte in object key");
	refused(tw_yunohost_json, APPS("\"a\": {}, \"a\": {}"),
	    strlen(APPS("\"a\": {}, \"a\": {}")), "duplicate");
	tw_buf_adds(&b, "{\"apps\": ");
	nested(&b, "[", "]", 40);
	tw_buf_adds(&b, "}");
	refused(tw_yunohost_json, b.data, b.len, "nested deeper than 32");
	tw_buf_reset(&b);
	nested(&b, "[", "]", 200000);
	refused(tw_yunohost_json, b.data, b.len, "maximum parsing depth");
	tw_buf_release(&b);
}
END_TEST

START_TEST(too_many_values_are_refused)
{
	struct tw_buf b = TW_BUF_INIT;
	size_t i;

	tw_buf_adds(&b, "[0");
	for (i = 0; i < TW_TREE_NODES_MAX; i++)
		tw_buf_adds(&b, ",0");
	tw_buf_adds(&b, "]");
	refused(tw_yunohost_json, b.data, b.len, "has more than 400000 ");
	tw_buf_reset(&b);
	tw_buf_adds(&b, "a = [0");
	for (i = 0; i < TW_TREE_NODES_MAX; i++)
		tw_buf_adds(&b, ",0");
	tw_buf_adds(&b, "]");
	refused(tw_yunohost_manifest, b.data, b.len, "has more than 400000 ");
	tw_buf_release(&b);
}
END_TEST

START_TEST(a_manifest_has_lines_and_columns)
{
	manifest("packaging_format = 2\n", "f:1:1: has no id\n");
	manifest("id = 'a'\nname = 3\nversion = ''\n\n[install]\nx = 1\n"
	    "  [install.'y z']\n  [install.p]\n  type = 'password'\n"
	    "  default = 'secret'\n  optional = 'yes'\n"
	    "  [install.q]\n  choices = 3\n  default = [[]]\n",
	    "f:2:1: name: must be a text, not a whole number\n"
	    "f:3:1: version: is empty\n"
	    "f:6:1: install.x: must be a table, not a whole number\n"
	    "f:7:12: install.y z: is no name of a question\n"
	    "f:10:3: install.p.default: a password takes no default\n"
	    "f:11:3: install.p.optional: must be a boolean, not a text\n"
	    "f:13:3: install.q.choices: must be a list, not a whole number\n"
	    "f:14:14: install.q.default[0]: must be a simple value, not a "
	    "list\n");
}
END_TEST

START_TEST(hostile_toml_is_refused)
{
	static const char no_toml[] = "this is no TOML: ";
	parse_fn parse = tw_yunohost_manifest;
	struct tw_buf b = TW_BUF_INIT;
	size_t i;

	refused(parse, "id = \xff", 6, no_toml);
	refused(parse, "id = 'a\0'", 9, no_toml);
	refused(parse, "id = \"a\\u0000b\"", 15, "id: holds a NUL");
	refused(parse, "\"a\\u0000\" = 1", 13, "a key holds a NUL");
	refused(parse, "a = 1\na = 2", 11, no_toml);
	refused(parse, "a = 99999999999999999999", 24, no_toml);
	refused(parse, "a = \"x\n", 7, no_toml);
	refused(parse, "[[[a]]]", 7, "its parser gives up");
	for (i = 0; i < 100000; i++)
		tw_buf_adds(&b, "a.");
	tw_buf_adds(&b, "a = 1");
	refused(parse, b.data, b.len, "a key has more than 16 parts");
	tw_buf_reset(&b);
	tw_buf_adds(&b, "x = '''\n''''\ny = \"#\\\"\" # \"\n[");
	for (i = 0; i < 100000; i++)
		tw_buf_adds(&b, "\"a\" . ");
	tw_buf_adds(&b, "a]");
	refused(parse, b.data, b.len, "a key has more than 16 parts");
	tw_buf_reset(&b);
	tw_buf_adds(&b, "a = ");
	nested(&b, "[", "]", 100000);
	refused(parse, b.data, b.len, no_toml);
	tw_buf_reset(&b);
	tw_buf_adds(&b, "a.b.c.d.e.f.g.h.i.j.k = {a.b.c.d.e.f.g.h.i.j.k = "
	    "{a.b.c.d.e.f.g.h.i.j.k = 1}}");
	refused(parse, b.data, b.len, "is nested deeper than 32 levels");
	tw_buf_release(&b);
}
END_TEST

START_TEST(dots_in_texts_are_no_parts_of_keys)
{
	static const char text[] = "id = 'a' # a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p\n"
	    "description = \"\\\"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q\"\n"
	    "x = '''\n' a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q ''''\n"
	    "y = \"\"\"\\\"\"\" a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q\"\"\"\n"
	    "z = [1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 1.5, 2.5, 3.5,"
	    "4.5, 5.5, 6.5, 7.5, 8.5, 9.5]\n"
	    "[a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p]\n";

	tw_yunohost_free(good_with(tw_yunohost_manifest, text,
	    sizeof text - 1));
}
END_TEST

/* Files of a checkout, as pairs of name and text. */
static enum tw_status read_pairs(void *arg, const char *path,
    struct tw_buf *out, struct tw_err *err)
{
	const char *const *pair;

	for (pair = arg; *pair; pair += 2) {
		if (strcmp(*pair, path) != 0)
			continue;
		if (!pair[1][0])
			return tw_err_set(err, TW_DENIED, "permission denied");
		tw_buf_adds(out, pair[1]);
		return TW_OK;
	}
	return TW_NO;
}

static void checkout(const char *const *pairs, const char *wanted)
{
	const struct tw_spec_reader reader = { .read = read_pairs,
	    .arg = (void *)pairs };
	struct tw_yunohost_catalog *c;
	struct tw_arena names = { NULL };
	struct tw_diags ds = { 0 };
	struct tw_err err;
	char *said;

	ck_assert_int_eq(tw_yunohost_checkout(&reader, &names, &ds, &c, &err),
	    TW_DATA);
	ck_assert_ptr_null(c);
	said = problems(&ds);
	ck_assert_str_eq(said, wanted);
	free(said);
	tw_diags_release(&ds);
	tw_arena_release(&names);
}

#define ENTRY(id) "[" id "]\nstate = 'working'\n" \
	"url = 'https://example.org/x/y_ynh'\n"

START_TEST(a_bad_checkout_is_refused_with_its_files)
{
	static const char *const none[] = { NULL };
	static const char *const shut[] = { "apps.toml", "", NULL };
	static const char *const empty[] = { "apps.toml", "#\n", NULL };
	static const char *const bad[] = {
		"apps.toml", ENTRY("a") ENTRY("b") ENTRY("c") ENTRY("d")
		"[e]\nstate = 'working'\n",
		"manifests/a.toml", "id = 'b'\n",
		"b_ynh/manifest.toml", "id = \n",
		".apps_cache/c/manifest.toml", "version = 1\n",
		"manifests/d.toml", "", NULL
	};

	checkout(none, "apps.toml: there is no such file\n"
	    "hint: name the directory that holds it\n");
	checkout(shut, "apps.toml: cannot be read: permission denied\n");
	checkout(empty, "apps.toml:1:1: there is no app\n");
	checkout(bad,
	    ".apps_cache/c/manifest.toml:1:1: version: must be a text, not a "
	    "whole number\n"
	    "apps.toml:13:2: e: has no url\n"
	    "b_ynh/manifest.toml:1:6: this is no TOML: Error while parsing "
	    "key-value pair: expected value, saw '\\n'\n"
	    "manifests/a.toml:1:1: id: is another app's: the catalogue has "
	    "this manifest for a\n"
	    "manifests/d.toml: cannot be read: permission denied\n");
}
END_TEST

/* Every cut and every changed byte of a good file gives a result or a reason,
 * and never both. */
static void shake(parse_fn parse, const char *path)
{
	struct tw_buf b = TW_BUF_INIT;
	struct tw_yunohost_catalog *c;
	struct tw_diags ds = { 0 };
	enum tw_status st;
	struct tw_err err;
	size_t i;
	char kept;

	ck_assert_int_eq(read_under(data_dir(), path, &b, &err), TW_OK);
	for (i = 0; i < 2 * b.len; i++) {
		kept = b.data[i / 2];
		if (i % 2)
			b.data[i / 2] ^= 0x15;
		st = parse(b.data, i % 2 ? b.len : i / 2, &ds, &c, &err);
		ck_assert(st == TW_OK ? c && ds.n == 0 :
		    st == TW_DATA && !c && ds.n > 0);
		tw_yunohost_free(c);
		tw_diags_release(&ds);
		b.data[i / 2] = kept;
	}
	tw_buf_release(&b);
}

START_TEST(no_cut_or_changed_byte_is_harmful)
{
	shake(tw_yunohost_json, "apps.json");
	shake(tw_yunohost_manifest, "manifests/blog.toml");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		what_is_no_catalogue_is_refused,
		names_that_are_none_are_refused,
		wrong_types_are_refused_with_their_path,
		urls_are_https_and_nothing_else,
		all_problems_come_at_once,
		hostile_json_is_refused,
		too_many_values_are_refused,
		a_manifest_has_lines_and_columns,
		hostile_toml_is_refused,
		dots_in_texts_are_no_parts_of_keys,
		a_bad_checkout_is_refused_with_its_files,
		no_cut_or_changed_byte_is_harmful,
	};

	return run_tests("yunohost_bad", tests, sizeof tests / sizeof *tests);
}
