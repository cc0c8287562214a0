/*
 * cli_help.c - --help and --dump-cli, both from the tables
 */
#include <string.h>

#include "base/text.h"
#include "cli_private.h"
#include "out/escape.h"

#define WIDTH 80
#define INDENT 2
#define TEXT_COLUMN 26		/* where an explanation begins */

/* Appends text, broken at blanks to stay within WIDTH; the first line begins
 * at column at, the others at column indent. */
static void put_wrapped(struct tw_buf *b, const char *text, size_t at,
    size_t indent)
{
	struct tw_buf word = TW_BUF_INIT;
	size_t n, w;
	bool is_first = true;

	while (*text) {
		n = strcspn(text, " ");
		tw_buf_reset(&word);
		tw_buf_add(&word, text, n);
		w = tw_escape_width(tw_buf_str(&word));
		if (!is_first && at + 1 + w >= WIDTH) {
			tw_buf_addf(b, "\n%*s", (int)indent, "");
			at = indent;
		} else if (!is_first) {
			tw_buf_addc(b, ' ');
			at++;
		}
		tw_buf_add(b, text, n);
		at += w;
		text += n;
		text += strspn(text, " ");
		is_first = false;
	}
	tw_buf_addc(b, '\n');
	b->failed |= word.failed;
	tw_buf_release(&word);
}

/* "  LEFT     text", the text on the next line where left is long. */
static void put_entry(struct tw_buf *b, const char *left, const char *text)
{
	size_t n = strlen(left);

	if (INDENT + n + 2 > TEXT_COLUMN)
		tw_buf_addf(b, "%*s%s\n%*s", INDENT, "", left, TEXT_COLUMN,
		    "");
	else
		tw_buf_addf(b, "%*s%-*s", INDENT, "", TEXT_COLUMN - INDENT,
		    left);
	put_wrapped(b, text, TEXT_COLUMN, TEXT_COLUMN);
}

static void put_options(struct tw_buf *b, const struct tw_option *o)
{
	struct tw_buf left = TW_BUF_INIT;

	for (; o && o->name; o++) {
		tw_buf_reset(&left);
		if (o->letter)
			tw_buf_addf(&left, "-%c, ", o->letter);
		tw_buf_addf(&left, "--%s", o->name);
		if (o->arg && o->arg[0] == '[')
			tw_buf_addf(&left, "[=%s", o->arg + 1);
		else if (o->arg)
			tw_buf_addf(&left, " %s", o->arg);
		if (o->is_repeatable && o->arg)
			tw_buf_adds(&left, "...");
		put_entry(b, tw_buf_str(&left), tw_text(o->help));
		b->failed |= left.failed;
	}
	tw_buf_release(&left);
}

void tw_cli_put_usage(const struct tw_tool *tool, const struct tw_verb *verb,
    struct tw_buf *b)
{
	tw_buf_adds(b, tool->name);
	if (!verb) {
		tw_buf_adds(b, tw_text(" [common options] VERB [options] "
		    "[arguments]"));
		return;
	}
	if (verb->name)
		tw_buf_addf(b, " %s", verb->name);
	tw_buf_adds(b, tw_text(" [options]"));
	if (verb->args)
		tw_buf_addf(b, " %s", verb->args);
}

static void put_verbs(const struct tw_tool *tool, struct tw_buf *b)
{
	struct tw_buf left = TW_BUF_INIT;
	const struct tw_verb *v;

	tw_buf_adds(b, tw_text("\nVerbs:\n"));
	for (v = tool->verbs; v < tool->verbs + tool->nverbs; v++) {
		tw_buf_reset(&left);
		tw_buf_adds(&left, v->name);
		if (v->args)
			tw_buf_addf(&left, " %s", v->args);
		put_entry(b, tw_buf_str(&left), tw_text(v->summary));
		b->failed |= left.failed;
	}
	tw_buf_release(&left);
}

void tw_cli_put_help(const struct tw_tool *tool, const struct tw_verb *verb,
    struct tw_buf *b)
{
	struct tw_buf usage = TW_BUF_INIT;
	bool is_whole = !verb || !verb->name;
	const char *intro;
	size_t indent;

	tw_cli_put_usage(tool, verb, &usage);
	intro = tw_text("Usage: ");
	tw_buf_adds(b, intro);
	indent = tw_escape_width(intro);
	put_wrapped(b, tw_buf_str(&usage), indent, indent);
	b->failed |= usage.failed;
	tw_buf_release(&usage);
	put_wrapped(b, tw_text(is_whole ? tool->summary : verb->summary), 0, 0);
	if (!verb)
		put_verbs(tool, b);
	if (verb && verb->options && verb->options->name) {
		tw_buf_adds(b, tw_text("\nOptions:\n"));
		put_options(b, verb->options);
	}
	if (is_whole) {
		tw_buf_adds(b, tw_text("\nCommon options:\n"));
		put_options(b, tw_cli_common);
	}
	tw_buf_adds(b, "\n");
	if (!verb)
		tw_buf_addf(b, tw_text("%s VERB --help says more on a verb, "
		    "and so does %s(1).\n"), tool->name, tool->name);
	else if (!is_whole)
		tw_buf_addf(b, tw_text("Common options: %s --help.  See also "
		    "%s(1).\n"), tool->name, tool->name);
	else
		tw_buf_addf(b, tw_text("See also %s(1).\n"), tool->name);
}

static void dump_options(struct tw_buf *b, const char *verb,
    const struct tw_option *o)
{
	char letter[2] = "";

	for (; o && o->name; o++) {
		letter[0] = o->letter;
		tw_buf_addf(b, "option\t%s\t%s\t%s\t%s\t%s\t%s\n", verb,
		    o->name, letter, o->arg ? o->arg : "",
		    o->is_repeatable ? "repeatable" : "", o->help);
	}
}

/* Lines of: tool NAME SUMMARY; verb NAME ARGS SUMMARY; option VERB NAME LETTER
 * ARG repeatable HELP (common ones with an empty VERB, first); column VERB
 * NAME TYPE default HELP. */
void tw_cli_put_dump(const struct tw_tool *tool, struct tw_buf *b)
{
	const struct tw_verb *v;
	const struct tw_column *c;
	const char *name;

	tw_buf_addf(b, "tool\t%s\t%s\n", tool->name, tool->summary);
	dump_options(b, "", tw_cli_common);
	for (v = tool->verbs; v < tool->verbs + tool->nverbs; v++) {
		name = v->name ? v->name : "";
		tw_buf_addf(b, "verb\t%s\t%s\t%s\n", name,
		    v->args ? v->args : "", v->summary);
		dump_options(b, name, v->options);
		for (c = v->columns; c && c->name; c++)
			tw_buf_addf(b, "column\t%s\t%s\t%s\t%s\t%s\n", name,
			    c->name, tw_column_type_name(c->type),
			    c->is_default ? "default" : "", c->help);
	}
}
