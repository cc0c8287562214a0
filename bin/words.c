/*
 * words.c - a command line as words; see words.h
 *
 * No word is longer than its text, so all are written one after the other
 * into one block that is as long as the line.
 */
#include "words.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SHELL_SIGNS ";|&<>()$`"
#define QUOTED_SIGNS "$`"	/* what "…" does not quote */
#define ESCAPABLE "$`\"\\"	/* what a backslash quotes within "…" */

struct splitter {
	const char *at, *end;
	char *to;		/* where the next byte of a word goes */
	char **words;
	size_t count;
};

static enum tw_status no_shell(char sign, struct tw_err *err)
{
	tw_err_set(err, TW_USAGE, "'%c' is for a shell, and there is no shell "
	    "here", sign);
	tw_err_hint(err, "one tool and its arguments; to mean the sign "
	    "itself: '%c'", sign);
	return TW_USAGE;
}

static enum tw_status check_text(const char *line, size_t n,
    struct tw_err *err)
{
	unsigned char c;
	size_t i;

	if (n > TW_WORDS_MAX)
		return tw_err_set(err, TW_USAGE, "the command is longer than "
		    "%zu bytes", TW_WORDS_MAX);
	for (i = 0; i < n; i++) {
		c = (unsigned char)line[i];
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return tw_err_set(err, TW_USAGE, "the command holds "
			    "a control character, number %u", c);
	}
	return TW_OK;
}

/* After the opening quote, to the one that closes it. */
static enum tw_status take_quoted(struct splitter *s, char quote,
    struct tw_err *err)
{
	char c;

	while (s->at < s->end && *s->at != quote) {
		c = *s->at++;
		if (quote == '"' && strchr(QUOTED_SIGNS, c))
			return no_shell(c, err);
		if (quote == '"' && c == '\\' && s->at < s->end &&
		    strchr(ESCAPABLE, *s->at))
			c = *s->at++;
		*s->to++ = c;
	}
	if (s->at == s->end)
		return tw_err_set(err, TW_USAGE, "a quote %c has no end",
		    quote);
	s->at++;
	return TW_OK;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static enum tw_status take_word(struct splitter *s, struct tw_err *err)
{
	enum tw_status st = TW_OK;
	char c;

	s->words[s->count++] = s->to;
	while (!st && s->at < s->end && !is_blank(*s->at)) {
		c = *s->at++;
		if (strchr(SHELL_SIGNS, c))
			return no_shell(c, err);
		if (c == '\'' || c == '"') {
			st = take_quoted(s, c, err);
		} else if (c != '\\') {
			*s->to++ = c;
		} else if (s->at < s->end) {
			*s->to++ = *s->at++;
		} else {
			st = tw_err_set(err, TW_USAGE,
			    "the command ends with a backslash");
		}
	}
	*s->to++ = '\0';
	return st;
}

enum tw_status tw_words_split(const char *line, size_t n, char ***words,
    size_t *count, struct tw_err *err)
{
	struct splitter s = { .at = line, .end = line + n };
	enum tw_status st;
	size_t room;

	*words = NULL;
	*count = 0;
	st = check_text(line, n, err);
	if (st)
		return st;
	/* every other byte a word, and the NULL; then their bytes and NULs */
	room = (n / 2 + 2) * sizeof *s.words;
	s.words = malloc(room + n + 1);
	if (!s.words)
		return tw_err_nomem(err);
	s.to = (char *)s.words + room;
	while (!st) {
		while (s.at < s.end && is_blank(*s.at))
			s.at++;
		if (s.at == s.end)
			break;
		st = take_word(&s, err);
	}
	s.words[s.count] = NULL;
	if (st) {
		free(s.words);
		return st;
	}
	*words = s.words;
	*count = s.count;
	return TW_OK;
}

void tw_words_free(char **words)
{
	free(words);
}
