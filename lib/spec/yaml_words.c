/*
 * yaml_words.c - libyaml's complaints in plain words
 *
 * A table from libyaml 0.2.5's messages; one that is not in it is passed on
 * as it is, so a newer libyaml only reads a little rougher.
 */
#include "spec/yaml_words.h"

#include <stddef.h>
#include <string.h>

#include "base/text.h"

static const char no_tags[] = W_("tags ('!') are refused");
static const char no_anchors[] = W_("anchors ('&') are refused");
static const char no_aliases[] = W_("aliases ('*') are refused");
static const char quote_it[] = N_("put the text in quotes");
static const char indent_it[] =
    N_("look at the indentation of this line and of "
    "the one before");

static const struct {
	const char *context;	/* its beginning, or NULL: any */
	const char *problem;	/* NULL: any */
	struct tw_yaml_words words;
} table[] = {
	{ "while scanning a tag directive", NULL, { no_tags, NULL, false } },
	{ "while scanning a %TAG", NULL, { no_tags, NULL, false } },
	{ "while parsing a %TAG", NULL, { no_tags, NULL, false } },
	{ "while scanning a tag", NULL, { no_tags, quote_it, true } },
	{ "while parsing a tag", NULL, { no_tags, quote_it, true } },
	{ NULL, "found undefined tag handle", { no_tags, quote_it, false } },
	{ "while scanning an anchor", NULL, { no_anchors, quote_it, true } },
	{ "while scanning an alias", NULL, { no_aliases, quote_it, true } },
	{ "while scanning a quoted scalar", "found unexpected end of stream",
	    { W_("the quoted text that begins here has no end"), NULL, true } },
	{ "while scanning a quoted scalar",
	    "found unexpected document indicator",
	    { W_("the quoted text that begins here has no end"), NULL, true } },
	{ NULL, "found unknown escape character",
	    { W_("an unknown escape in a double-quoted text"),
	      N_("single quotes take a backslash as it is"), false } },
	{ NULL, "did not find expected hexdecimal number",
	    { W_("an escape that needs hexadecimal digits"),
	      N_("single quotes take a backslash as it is"), false } },
	{ NULL, "found invalid Unicode character escape code",
	    { W_("an escape for a character that does not exist"), NULL,
	    false } },
	{ NULL, "mapping values are not allowed in this context",
	    { W_("a ':' is not allowed here"),
	      N_("put text that holds ': ' in quotes"), false } },
	{ NULL, "mapping keys are not allowed in this context",
	    { W_("a key is not allowed here"), NULL, false } },
	{ NULL, "block sequence entries are not allowed in this context",
	    { W_("a list item ('- ') is not allowed here"), indent_it,
	    false } },
	{ NULL, "found character that cannot start any token",
	    { W_("a value cannot begin with this character"), quote_it,
	    false } },
	{ NULL, "could not find expected ':'",
	    { W_("this line is no 'key: value'"), NULL, true } },
	{ NULL, "did not find expected key",
	    { W_("a key is expected here"), indent_it, false } },
	{ NULL, "did not find expected '-' indicator",
	    { W_("a list item ('- ') is expected here"), indent_it, false } },
	{ NULL, "did not find expected ',' or ']'",
	    { W_("the list in '[ ]' lacks a ',' or its ']' here"), NULL,
	    false } },
	{ NULL, "did not find expected ',' or '}'",
	    { W_("the mapping in '{ }' lacks a ',' or its '}' here"), NULL,
	      false } },
	{ NULL, "did not find expected node content",
	    { W_("a value is expected here"), NULL, false } },
	{ NULL, "found a tab character that violates indentation",
	    { W_("a tab cannot indent"), N_("use spaces"), false } },
	{ NULL, "found a tab character where an indentation space is expected",
	    { W_("a tab cannot indent"), N_("use spaces"), false } },
	{ NULL, "found an indentation indicator equal to 0",
	    { W_("the indentation after '|' or '>' is 1 to 9"), NULL, false } },
	{ "while scanning a block scalar",
	    "did not find expected comment or line break",
	    { W_("nothing may follow '|' or '>' on its line"), NULL, false } },
	{ "while scanning a directive", NULL,
	    { W_("a line cannot begin with '%'"), quote_it, true } },
	{ "while scanning a %YAML", NULL,
	    { W_("this YAML directive is none"), NULL, false } },
	{ NULL, "found incompatible YAML document",
	    { W_("this version of YAML is not known"), NULL, false } },
	{ NULL, "found duplicate %YAML directive",
	    { W_("a second YAML directive"), NULL, false } },
	{ NULL, "did not find expected <document start>",
	    { W_("the document ends before this"), indent_it, false } },
};

void tw_yaml_words(const char *problem, const char *context,
    struct tw_yaml_words *out)
{
	size_t i;

	for (i = 0; i < sizeof table / sizeof *table; i++) {
		if (table[i].context && (!context || strncmp(context,
		    table[i].context, strlen(table[i].context)) != 0))
			continue;
		if (table[i].problem && (!problem ||
		    strcmp(problem, table[i].problem) != 0))
			continue;
		*out = table[i].words;
		return;
	}
	out->text = problem ? problem : W_("this cannot be read");
	out->hint = NULL;
	out->at_context = false;
}
