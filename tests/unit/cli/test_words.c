/* test_words.c - bin/words.c: a command line as words, without a shell */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "bin/words.h"

/* The words with "|" after each. */
static void joined(char **words, struct tw_buf *out)
{
	for (; *words; words++)
		tw_buf_addf(out, "%s|", *words);
}

static const struct {
	const char *line, *words;
} good[] = {
	{ "", "" },
	{ " \t ", "" },
	{ "a", "a|" },
	{ " a  b\tc ", "a|b|c|" },
	{ "'a b' \"c d\" e\\ f", "a b|c d|e f|" },
	{ "a'b'\"c\"\\d", "abcd|" },
	{ "'' \"\"", "||" },
	{ "a''b", "ab|" },
	{ "'it'\\''s'", "it's|" },
	{ "'\\' \"\\\\\" \\\\", "\\|\\|\\|" },
	{ "\"a\\b\\n\\'\"", "a\\b\\n\\'|" },
	{ "\"\\$\\`\\\"\"", "$`\"|" },
	{ "';|&<>()$`' \\; \\| \\& \\< \\> \\( \\) \\$ \\`",
	    ";|&<>()$`|;|||&|<|>|(|)|$|`|" },
	{ "\";|&<>()\"", ";|&<>()|" },
	{ "~ ~root /etc/* ? [a] {a,b} ! # #x a=b",
	    "~|~root|/etc/*|?|[a]|{a,b}|!|#|#x|a=b|" },
	{ "-p 'k=a\tb'", "-p|k=a\tb|" },
	{ "\xc3\xa4 \xff", "\xc3\xa4|\xff|" },
	{ "-- - --state=/x", "--|-|--state=/x|" },
};

START_TEST(quotes_as_posix_says)
{
	struct tw_buf text = TW_BUF_INIT;
	struct tw_err err;
	char **words, **w;
	size_t n, i = 0;

	ck_assert_int_eq(tw_words_split(good[_i].line, strlen(good[_i].line),
	    &words, &n, &err), TW_OK);
	for (w = words; *w; w++)
		i++;
	ck_assert_uint_eq(n, i);
	joined(words, &text);
	ck_assert_str_eq(tw_buf_str(&text), good[_i].words);
	tw_buf_release(&text);
	tw_words_free(words);
}
END_TEST

static const struct {
	const char *line, *msg, *hint;
} bad[] = {
	{ "a; id", "';' is for a shell, and there is no shell here",
	    "one tool and its arguments; to mean the sign itself: ';'" },
	{ "a | b", "'|' is for a shell, and there is no shell here", NULL },
	{ "a&", "'&' is for a shell, and there is no shell here", NULL },
	{ "a <x", "'<' is for a shell, and there is no shell here", NULL },
	{ "a >x", "'>' is for a shell, and there is no shell here", NULL },
	{ "a (x)", "'(' is for a shell, and there is no shell here", NULL },
	{ ")", "')' is for a shell, and there is no shell here", NULL },
	{ "a $(id)", "'$' is for a shell, and there is no shell here", NULL },
	{ "a `id`", "'`' is for a shell, and there is no shell here", NULL },
	{ "\"$HOME\"", "'$' is for a shell, and there is no shell here",
	    NULL },
	{ "\"`id`\"", "'`' is for a shell, and there is no shell here",
	    NULL },
	{ "a 'b", "a quote ' has no end", "" },
	{ "a \"b\\\"", "a quote \" has no end", "" },
	{ "\"\\", "a quote \" has no end", "" },
	{ "a\\", "the command ends with a backslash", "" },
	{ "a\nb", "the command holds a control character, number 10", "" },
	{ "a\\\nb", "the command holds a control character, number 10", "" },
	{ "'a\rb'", "the command holds a control character, number 13", "" },
	{ "\"\033[2J\"", "the command holds a control character, number 27",
	    "" },
	{ "\x7f", "the command holds a control character, number 127", "" },
};

START_TEST(refuses_what_only_a_shell_could_do)
{
	char **words = (char **)1;
	struct tw_err err;
	size_t n = 9;

	ck_assert_int_eq(tw_words_split(bad[_i].line, strlen(bad[_i].line),
	    &words, &n, &err), TW_USAGE);
	ck_assert_ptr_null(words);
	ck_assert_uint_eq(n, 0);
	ck_assert_str_eq(err.msg, bad[_i].msg);
	if (bad[_i].hint)
		ck_assert_str_eq(err.hint, bad[_i].hint);
}
END_TEST

START_TEST(refuses_a_nul)
{
	struct tw_err err;
	char **words;
	size_t n;

	ck_assert_int_eq(tw_words_split("a\0b", 3, &words, &n, &err),
	    TW_USAGE);
	ck_assert_str_eq(err.msg,
	    "the command holds a control character, number 0");
}
END_TEST

/* Every byte a word, one word of every byte, one byte too many. */
START_TEST(has_room_for_the_longest_line)
{
	char *line = malloc(TW_WORDS_MAX + 1);
	struct tw_err err;
	char **words;
	size_t n, i;

	ck_assert_ptr_nonnull(line);
	for (i = 0; i < TW_WORDS_MAX; i++)
		line[i] = i % 2 ? ' ' : 'a';
	ck_assert_int_eq(tw_words_split(line, TW_WORDS_MAX, &words, &n, &err),
	    TW_OK);
	ck_assert_uint_eq(n, TW_WORDS_MAX / 2);
	ck_assert_str_eq(words[n - 1], "a");
	tw_words_free(words);
	ck_assert_int_eq(tw_words_split(line, TW_WORDS_MAX - 1, &words, &n,
	    &err), TW_OK);
	ck_assert_uint_eq(n, TW_WORDS_MAX / 2);
	tw_words_free(words);
	memset(line, 'a', TW_WORDS_MAX + 1);
	ck_assert_int_eq(tw_words_split(line, TW_WORDS_MAX, &words, &n, &err),
	    TW_OK);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(strlen(words[0]), TW_WORDS_MAX);
	tw_words_free(words);
	ck_assert_int_eq(tw_words_split(line, TW_WORDS_MAX + 1, &words, &n,
	    &err), TW_USAGE);
	ck_assert_str_eq(err.msg, "the command is longer than 65536 bytes");
	free(line);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("words");
	TCase *tc = tcase_create("words");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tc, quotes_as_posix_says, 0,
	    (int)(sizeof good / sizeof *good));
	tcase_add_loop_test(tc, refuses_what_only_a_shell_could_do, 0,
	    (int)(sizeof bad / sizeof *bad));
	tcase_add_test(tc, refuses_a_nul);
	tcase_add_test(tc, has_room_for_the_longest_line);
	suite_add_tcase(s, tc);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
