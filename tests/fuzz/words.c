/*
 * words.c - the gate's splitter: against another one, and joined again
 */
#include <stdlib.h>
#include <string.h>

#include "../../bin/words.h"
#include "fuzz.h"
#include "spec/program.h"

const char *const fuzz_plants[] = { "status", "word", "count", "joined",
	NULL };

/* The rules of words.h once more, a character at a time: appends each word and
 * a NUL.  False: they refuse it. */
static bool model(const char *s, size_t n, struct tw_buf *out, size_t *count)
{
	enum { OUT, PLAIN, SINGLE, DOUBLE } in = OUT;
	size_t i;
	char c;

	*count = 0;
	for (i = 0; i < n; i++)
		if (((unsigned char)s[i] < 0x20 && s[i] != '\t') ||
		    s[i] == 0x7f)
			return false;
	for (i = 0; i < n; i++) {
		c = s[i];
		if ((in == OUT || in == PLAIN) && (c == ' ' || c == '\t')) {
			if (in == PLAIN)
				tw_buf_addc(out, '\0');
			in = OUT;
			continue;
		}
		if (in == OUT) {
			++*count;
			in = PLAIN;
		}
		if (in == SINGLE) {
			if (c == '\'')
				in = PLAIN;
			else
				tw_buf_addc(out, c);
		} else if (c == '\\') {
			if (i + 1 == n)
				return false;
			if (in == PLAIN || strchr("$`\"\\", s[i + 1]))
				c = s[++i];
			tw_buf_addc(out, c);
		} else if (c == '"') {
			in = in == DOUBLE ? PLAIN : DOUBLE;
		} else if (c == '$' || c == '`') {
			return false;
		} else if (in == PLAIN && strchr(";|&<>()", c)) {
			return false;
		} else if (in == PLAIN && c == '\'') {
			in = SINGLE;
		} else {
			tw_buf_addc(out, c);
		}
	}
	if (in == PLAIN)
		tw_buf_addc(out, '\0');
	return in == OUT || in == PLAIN;
}

static void check_words(char **words, size_t count, const struct tw_buf *wanted)
{
	const char *at = tw_buf_str(wanted);
	size_t i;

	for (i = 0; i < count; i++) {
		if (fuzz_planted("word") && words[i][0])
			words[i][0] ^= 1;
		HOLDS(words[i] && strcmp(words[i], at) == 0,
		    "word %zu is '%s', not '%s'", i, words[i], at);
		at += strlen(at) + 1;
	}
	HOLDS(!words[count], "no NULL behind the words");
	HOLDS(at == tw_buf_str(wanted) + wanted->len, "words are missing");
}

/* Each quoted, with blanks between, they are the same words. */
static void check_joined(char **words, size_t count)
{
	struct tw_buf line = TW_BUF_INIT, wanted = TW_BUF_INIT;
	enum tw_status st;
	struct tw_err err;
	char **again;
	size_t i, n;

	for (i = 0; i < count; i++) {
		tw_program_quote(&line, words[i], strlen(words[i]));
		tw_buf_addc(&line, fuzz_planted("joined") ? 'x' : ' ');
		tw_buf_add(&wanted, words[i], strlen(words[i]) + 1);
	}
	if (line.len <= TW_WORDS_MAX) {
		st = tw_words_split(tw_buf_str(&line), line.len, &again, &n,
		    &err);
		HOLDS(st == TW_OK, "joined again: %s", err.msg);
		HOLDS(n == count, "joined again: %zu words, not %zu", n,
		    count);
		check_words(again, n, &wanted);
		tw_words_free(again);
	}
	tw_buf_release(&line);
	tw_buf_release(&wanted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tw_buf wanted = TW_BUF_INIT;
	struct tw_err err = { 0 };
	char **words, *line = calloc(1, size ? size : 1);
	enum tw_status st;
	size_t n, want = 0;
	bool is_good;

	HOLDS(line, "no memory");
	if (size)
		memcpy(line, data, size);
	st = tw_words_split(line, size, &words, &n, &err);
	is_good = size <= TW_WORDS_MAX && model(line, size, &wanted, &want);
	if (fuzz_planted("status"))
		is_good = !is_good;
	HOLDS(st == (is_good ? TW_OK : TW_USAGE), "status %d: %s", (int)st,
	    err.msg);
	if (st == TW_OK) {
		if (fuzz_planted("count"))
			want++;
		HOLDS(n == want, "%zu words, not %zu", n, want);
		check_words(words, n, &wanted);
		check_joined(words, n);
	} else {
		HOLDS(!words && !n, "words though refused");
		fuzz_is_plain("message", err.msg, strlen(err.msg), "");
		fuzz_is_plain("hint", err.hint, strlen(err.hint), "");
	}
	tw_words_free(words);
	tw_buf_release(&wanted);
	free(line);
	return 0;
}
