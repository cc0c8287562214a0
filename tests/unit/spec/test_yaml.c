/* test_yaml.c - documents: the tree, positions, limits, what is refused */
#include "spec_util.h"

#include "spec/utf8.h"
#include "spec/yaml.h"

static const char *const commands[] = { "run", "check", NULL };

struct refusal {
	const char *text;
	size_t len;		/* 0: strlen */
	const char *wanted;
};

static const struct refusal refused[] = {
	{ "", 0, "f:1:1: the file is empty\n" },
	{ "# nothing\n", 0, "f:1:1: the file is empty\n" },
	/* libyaml is on line 2 then, which isn't there */
	{ "[a, \xc3\xa9", 0,
	    "f:1:6: the list in '[ ]' lacks a ',' or its ']' here\n" },
	{ "a:\n  - {b: c", 0,
	    "f:2:10: the mapping in '{ }' lacks a ',' or its '}' here\n" },
	{ "a: &x 1\n", 0, "f:1:4: anchors ('&') are refused\n"
	    "hint: put the text in quotes\n" },
	{ "a: *x\n", 0, "f:1:4: aliases ('*') are refused\n"
	    "hint: put the text in quotes\n" },
	{ "run: *x\n", 0, "f:1:6: aliases ('*') are refused\n"
	    "hint: write `run: |` and the command on the next lines\n" },
	{ "- run: *.log\n", 0, "f:1:8: aliases ('*') are refused\n"
	    "hint: write `run: |` and the command on the next lines\n" },
	{ "run: &\n", 0, "f:1:6: anchors ('&') are refused\n"
	    "hint: write `run: |` and the command on the next lines\n" },
	{ "check: ! test -f x\n", 0, "f:1:8: tags ('!') are refused\n"
	    "hint: write `check: |` and the command on the next lines\n" },
	{ "\xc3\xa9: ok\ncheck: ! 'x'\n", 0, "f:2:8: tags ('!') are refused\n"
	    "hint: write `check: |` and the command on the next lines\n" },
	{ "\xef\xbb\xbf\xc3\xa9: ! x\n", 0, "f:1:4: tags ('!') are refused\n"
	    "hint: put the text in quotes\n" },
	{ "a: !!str 1\n", 0, "f:1:4: tags ('!') are refused\n"
	    "hint: put the text in quotes\n" },
	{ "a: !x!y 1\n", 0, "f:1:4: tags ('!') are refused\n"
	    "hint: put the text in quotes\n" },
	{ "a: ![1]\n", 0, "f:1:4: tags ('!') are refused\n"
	    "hint: put the text in quotes\n" },
	{ "a: ! [1]\n", 0, "f:1:4: tags ('!') are refused\n"
	    "hint: put the text in quotes\n" },
	{ "! a: 1\n", 0, "f:1:1: tags ('!') are refused\n"
	    "hint: put the text in quotes\n" },
	{ "%TAG !e! tag:x,2000:\n--- 1\n", 0,
	    "f:1:1: tags ('!') are refused\n" },
	{ "a: 1\nb: 2\na: 3\n\"a\": 4\n", 0,
	    "f:3:1: the key 'a' stands here again, after line 1\n"
	    "f:4:1: the key 'a' stands here again, after line 3\n" },
	{ "a: 1\n---\nb: 1\n", 0, "f:2:1: a second document begins here\n"
	    "hint: make it a file of its own\n" },
	{ "? [a]\n: 1\n? {b: c}\n: 2\n", 0,
	    "f:1:3: a key must be text, not a list\n"
	    "f:3:3: a key must be text, not a mapping\n" },
	{ "{[a]: 1}\n", 0, "f:1:2: a key must be text, not a list\n" },
	{ "a: x\0y\n", 7, "f:1:5: a NUL byte is not allowed here\n" },
	{ "a: \"x\\0y\"\n", 0,
	    "f:1:4: a NUL character is not allowed in a text\n" },
	{ "a: \xff\n", 0, "f:1:4: this is not UTF-8: '\\xff'\n"
	    "hint: save the file as UTF-8\n" },
	{ "a: \xc3\xa9\xed\xa0\x80\n", 0,
	    "f:1:5: this is not UTF-8: '\\xed'\n"
	    "hint: save the file as UTF-8\n" },
	{ "\xff\xfe\x61\x00", 4, "f:1:1: this is UTF-16, not UTF-8\n"
	    "hint: save the file as UTF-8\n" },
	{ "a: x\xc2\x85y\nb: \xe2\x80\xa8\nc: \xe2\x80\xa9\n", 0,
	    "f:1:5: a next-line character (U+0085) is not allowed here\n"
	    "hint: remove it, or write it as an escape in a double-quoted "
	    "text\n"
	    "f:2:4: a line separator (U+2028) is not allowed here\n"
	    "hint: remove it, or write it as an escape in a double-quoted "
	    "text\n"
	    "f:3:4: a paragraph separator (U+2029) is not allowed here\n"
	    "hint: remove it, or write it as an escape in a double-quoted "
	    "text\n" },
	{ "a: \x1b[2J\n", 0, "f:1:4: a control character is not allowed here\n"
	    "hint: remove it, or write it as an escape in a double-quoted "
	    "text\n" },
	{ "a: 1\rb: 2\n", 0, "f:1:5: a carriage return without a line feed is "
	    "not allowed here\n"
	    "hint: remove it, or write it as an escape in a double-quoted "
	    "text\n" },
	{ "a: \xef\xbb\xbf\n", 0,
	    "f:1:4: a byte order mark (U+FEFF) inside the file is not allowed "
	    "here\n"
	    "hint: remove it, or write it as an escape in a double-quoted "
	    "text\n" },
	{ "a: \"x\nb: 1\n", 0,
	    "f:1:4: the quoted text that begins here has no end\n" },
	{ "a: 'x\n", 0,
	    "f:1:4: the quoted text that begins here has no end\n" },
	{ "a: \"\\q\"\n", 0,
	    "f:1:5: an unknown escape in a double-quoted text\n"
	    "hint: single quotes take a backslash as it is\n" },
	{ "a: b: c\n", 0, "f:1:5: a ':' is not allowed here\n"
	    "hint: put text that holds ': ' in quotes\n" },
	{ "- run: echo a: b\n", 0, "f:1:14: a ':' is not allowed here\n"
	    "hint: write `run: |` and the command on the next lines\n" },
	{ "run: `x`\n", 0,
	    "f:1:6: a value cannot begin with this character\n"
	    "hint: write `run: |` and the command on the next lines\n" },
	{ "run: \"a\" && b\n", 0, "f:1:10: anchors ('&') are refused\n"
	    "hint: write `run: |` and the command on the next lines\n" },
	{ "check: [ a = b ] && c\n", 0,
	    "f:1:18: anchors ('&') are refused\n"
	    "hint: write `check: |` and the command on the next lines\n" },
	{ "run: |x\n", 0, "f:1:7: nothing may follow '|' or '>' on its line\n"
	    "hint: write `run: |` and the command on the next lines\n" },
	{ "a: |0\n", 0, "f:1:5: the indentation after '|' or '>' is 1 to 9\n" },
	{ "a:\n\t- b\n", 0,
	    "f:2:1: a value cannot begin with this character\n"
	    "hint: put the text in quotes\n" },
	{ "a: |\n\tb\n", 0, "f:2:1: a tab cannot indent\nhint: use spaces\n" },
	{ "a: 1\nb\nc: 2\n", 0, "f:2:1: this line is no 'key: value'\n" },
	{ "a: [1, 2\nb: 3\n", 0,
	    "f:2:2: the list in '[ ]' lacks a ',' or its ']' here\n" },
	{ "a: {b: 1 ]\n", 0,
	    "f:1:10: the mapping in '{ }' lacks a ',' or its '}' here\n" },
	{ "run: \"a\" b\n", 0, "f:1:10: a key is expected here\n"
	    "hint: write `run: |` and the command on the next lines\n" },
	{ "- a\nb: c\n", 0, "f:2:1: a list item ('- ') is expected here\n"
	    "hint: look at the indentation of this line and of the one "
	    "before\n" },
	{ "a: - b\n", 0, "f:1:4: a list item ('- ') is not allowed here\n"
	    "hint: look at the indentation of this line and of the one "
	    "before\n" },
	{ "%FOO\n---\na: 1\n", 0, "f:1:1: a line cannot begin with '%'\n"
	    "hint: put the text in quotes\n" },
	{ "%YAML 3.0\n---\na: 1\n", 0,
	    "f:1:1: this version of YAML is not known\n" },
	{ "'a'\nb: 1\n", 0, "f:2:1: the document ends before this\n"
	    "hint: look at the indentation of this line and of the one "
	    "before\n" },
};

static void check_refused(const char *text, size_t len, const char *wanted)
{
	struct tw_diags ds = { 0 };
	struct tw_yaml_doc *doc;
	struct tw_err err;
	char *said;

	ds.file = "f";
	tw_yaml_parse(text, len, commands, &ds, &doc, &err);
	said = problems(&ds);
	ck_assert_msg(strcmp(said, wanted) == 0,
	    "for <%s>\nsaid   <%s>\nwanted <%s>", text, said, wanted);
	free(said);
	tw_yaml_free(doc);
	tw_diags_release(&ds);
}

START_TEST(each_refusal_has_its_position_and_words)
{
	size_t i;

	for (i = 0; i < sizeof refused / sizeof *refused; i++)
		check_refused(refused[i].text, refused[i].len ?
		    refused[i].len : strlen(refused[i].text),
		    refused[i].wanted);
}
END_TEST

static struct tw_yaml_doc *parse(const char *text, struct tw_diags *ds)
{
	struct tw_yaml_doc *doc;
	struct tw_err err;

	ck_assert_int_eq(tw_yaml_parse(text, strlen(text), NULL, ds, &doc,
	    &err), TW_OK);
	ck_assert_uint_eq(ds->n, 0);
	return doc;
}

START_TEST(the_tree_has_styles_and_positions)
{
	static const char text[] = "\xef\xbb\xbf" "a: plain\r\n"
	    "\xc3\xa9: 'q'\r\n"
	    "c:\r\n  - |\r\n    one\r\n      two\r\n  - >\n    f\n    g\n"
	    "d: {e: \"1\n  2\"}\nf:\n";
	const struct tw_yaml_node *n;
	struct tw_diags ds = { 0 };
	struct tw_yaml_doc *doc = parse(text, &ds);
	size_t line, col;

	n = tw_yaml_root(doc);
	ck_assert_int_eq(n->type, TW_YAML_MAPPING);
	ck_assert_uint_eq(n->count, 5);
	n = n->first;
	ck_assert_str_eq(n->key->text, "a");
	ck_assert_str_eq(n->text, "plain");
	ck_assert_int_eq(n->style, TW_YAML_PLAIN);
	ck_assert_uint_eq(n->line, 1);
	ck_assert_uint_eq(n->col, 4);
	n = n->next;
	ck_assert_uint_eq(n->col, 4);
	ck_assert_int_eq(n->style, TW_YAML_QUOTED);
	n = n->next;
	ck_assert_int_eq(n->type, TW_YAML_SEQUENCE);
	ck_assert_str_eq(n->first->text, "one\n  two\n");
	ck_assert_int_eq(n->first->style, TW_YAML_BLOCK);
	tw_yaml_text_pos(doc, n->first, 1, &line, &col);
	ck_assert_uint_eq(line, 6);
	ck_assert_uint_eq(col, 7);
	ck_assert_str_eq(n->first->next->text, "f g\n");
	ck_assert_int_eq(n->first->next->style, TW_YAML_FOLDED);
	n = n->next;
	ck_assert(n->first->lines);
	ck_assert_str_eq(n->first->text, "1 2");
	n = n->next;
	ck_assert_str_eq(n->text, "");
	ck_assert_uint_eq(n->len, 0);
	ck_assert_ptr_null(n->next);
	tw_yaml_free(doc);
}
END_TEST

/* A text of one part repeated, with something before and after. */
static char *repeated(const char *before, const char *part, size_t n,
    const char *after, size_t *len)
{
	struct tw_buf b = TW_BUF_INIT;
	char *s;

	tw_buf_adds(&b, before);
	while (n--)
		tw_buf_adds(&b, part);
	tw_buf_adds(&b, after);
	*len = b.len;
	s = tw_buf_detach(&b);
	ck_assert_ptr_nonnull(s);
	return s;
}

START_TEST(limits_hold_exactly)
{
	static const struct {
		const char *before, *part, *after;
		size_t n;
		const char *wanted;
	} t[] = {
		{ "", "[", "", 65, "f:1:65: more than 64 levels\n" },
		{ "", "- ", "x", 64, "" },
		{ "", "- ", "x", 65, "f:1:129: more than 64 levels\n" },
		{ "", "- x\n", "", 99999, "" },
		{ "", "- x\n", "", 100000,
		    "f:100000:3: more than 100000 keys and values\n" },
		{ "a: ", "x", "\n", 1048572, "" },
		{ "a: ", "x", "\n", 1048573,
		    "f:1:1: the file has 1048577 bytes, more than 1048576\n" },
	};
	size_t i, len;
	char *text;

	for (i = 0; i < sizeof t / sizeof *t; i++) {
		text = repeated(t[i].before, t[i].part, t[i].n, t[i].after,
		    &len);
		check_refused(text, len, t[i].wanted);
		free(text);
	}
}
END_TEST

START_TEST(large_hostile_files_end)
{
	static const char *const parts[] = {
		"[", "{", "? ", "- ", "\"", "'", "!", "&a ", "*a ", "a: ",
		"{a: ", "[[],", "\n", "- a\n", "a:\n", "|\n", "%", "#", "\t",
		"a\n", "---\n", "? a\n", "{? ",
	};
	struct tw_yaml_doc *doc;
	struct tw_diags ds;
	size_t i, len;
	char *text;

	for (i = 0; i < sizeof parts / sizeof *parts; i++) {
		memset(&ds, 0, sizeof ds);
		text = repeated("", parts[i],
		    TW_YAML_BYTES_MAX / strlen(parts[i]), "", &len);
		tw_yaml_parse(text, len, commands, &ds, &doc, NULL);
		ck_assert_uint_le(ds.n, TW_DIAG_KEPT);
		ck_assert(doc || ds.n);
		tw_yaml_free(doc);
		tw_diags_release(&ds);
		free(text);
	}
}
END_TEST

START_TEST(problems_are_sorted_kept_and_counted)
{
	struct tw_diags ds = { 0 };
	struct tw_err err;
	char *said;
	size_t i;

	ds.file = "a\nb";
	for (i = 150; i > 0; i--)
		tw_diags_add(&ds, i, 1, NULL, "p%zu", i);
	tw_diags_add(&ds, 7, 1, "do", "again");
	tw_diags_add(&ds, 7, 1, "do", "again");
	tw_diags_add(&ds, 3, 2, NULL, "col");
	ck_assert_uint_eq(ds.n, 100);
	ck_assert_uint_eq(ds.more, 52);
	ck_assert_str_eq(ds.v[0].msg, "p1");
	ck_assert_str_eq(ds.v[3].msg, "col");
	ck_assert_str_eq(ds.v[99].msg, "p98");
	said = problems(&ds);
	ck_assert_ptr_nonnull(strstr(said, "a\\x0ab:7:1: p7\n"
	    "a\\x0ab:7:1: again\nhint: do\na\\x0ab:8:1: p8\n"));
	ck_assert_ptr_nonnull(strstr(said, "p98\nand 52 more\n"));
	free(said);
	ck_assert_int_eq(tw_diags_check(&ds, TW_DATA, &err), TW_DATA);
	ck_assert_str_eq(err.msg, "a\\x0ab:1:1: p1 (and 151 more)");
	tw_diags_release(&ds);
	ck_assert_int_eq(tw_diags_check(&ds, TW_DATA, &err), TW_OK);
}
END_TEST

START_TEST(quotes_are_safe_and_cut)
{
	static const char wide[] = "\xf0\x9f\x98\x80";
	struct tw_quote q;
	char text[4 * 70];
	size_t i;

	ck_assert_str_eq(tw_quote(&q, "a\x1b[\n\xff\xc3", 6),
	    "'a\\x1b[\\x0a\\xff\\xc3'");
	ck_assert_str_eq(tw_quote(&q, "\xe2\x80\xae\xc2\x9b", 5),
	    "'\\xe2\\x80\\xae\\xc2\\x9b'");
	for (i = 0; i < 70; i++)
		memcpy(text + 4 * i, wide, 4);
	tw_quote(&q, text, sizeof text);
	ck_assert_uint_eq(strlen(q.s), 60 * 4 + 2 + 3);
	memset(text, 1, sizeof text);
	ck_assert_uint_eq(strlen(tw_quote(&q, text, 61)), 60 * 4 + 2 + 3);
	ck_assert_uint_eq(strlen(tw_quote(&q, text, 60)), 60 * 4 + 2);
}
END_TEST

START_TEST(utf8_is_strict)
{
	static const char *const wrong[] = {
		"\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xe0\x9f\xbf",
		"\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80", "\xe2\x82", "\xc3(", "\xfe",
	};
	size_t i;

	for (i = 0; i < sizeof wrong / sizeof *wrong; i++)
		ck_assert(!tw_utf8_ok(wrong[i], strlen(wrong[i])));
	ck_assert(tw_utf8_ok("a\xc3\xa9\xe2\x82\xac\xf4\x8f\xbf\xbf", 10));
	ck_assert_uint_eq(tw_utf8_count("a\xc3\xa9\xe2\x82\xac", 6), 3);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		each_refusal_has_its_position_and_words,
		the_tree_has_styles_and_positions,
		limits_hold_exactly,
		large_hostile_files_end,
		problems_are_sorted_kept_and_counted,
		quotes_are_safe_and_cut,
		utf8_is_strict,
	};

	return run_tests("yaml", tests, sizeof tests / sizeof *tests);
}
