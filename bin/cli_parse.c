/*
 * cli_parse.c - argv against the tables of options
 *
 * Not getopt_long(): options depend on the verb, common ones stand on both
 * sides of it, and a wrong word gets the nearest right one.  Long options are
 * not abbreviated, so that a new one can't break a script.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "cli_private.h"

#define WORDS_MAX 128		/* candidates for the nearest word */

const struct tw_option tw_cli_common[] = {
	{ "state", 0, "DIR", N_("the state directory (TOWERIFY_STATE)"),
	    false },
	{ "org", 0, "NAME", N_("the organisation (TOWERIFY_ORG)"), false },
	{ "json", 'J', NULL, N_("print JSON"), false },
	{ "output", 'o', "COL,...", N_("print these columns; +COL,... adds"),
	    false },
	{ "noheadings", 'n', NULL, N_("print no headings"), false },
	{ "tsv", 0, NULL, N_("print tab-separated values"), false },
	{ "null", '0', NULL,
	    N_("print the first column, each value ended by NUL"), false },
	{ "list-columns", 0, NULL, N_("print the columns for -o"), false },
	{ "quiet", 'q', NULL, N_("say nothing but errors"), false },
	{ "verbose", 'v', NULL, N_("say more"), true },
	{ "color", 0, "WHEN", N_("auto, always or never"), false },
	{ "help", 'h', NULL, N_("print this help"), false },
	{ "version", 'V', NULL, N_("print the version"), false },
	{ NULL, 0, NULL, NULL, false },
};

/* Not in any help: what tests and completion are made from. */
static const struct tw_option dump_option = { "dump-cli", 0, NULL, "", false };

struct parser {
	struct tw_cli *cli;
	char **argv;		/* what is left to read */
	char **args;		/* the verb's arguments so far */
	int nargs;
	bool is_end;		/* "--" was seen */
};

static bool is_optional(const struct tw_option *o)
{
	return o->arg && o->arg[0] == '[';
}

static const struct tw_option *find_in(const struct tw_option *o,
    const char *name, size_t n, char letter)
{
	for (; o && o->name; o++)
		if (name ? strlen(o->name) == n &&
		    memcmp(o->name, name, n) == 0 : o->letter == letter)
			return o;
	return NULL;
}

/* By name of n bytes, or with NULL by letter; the verb's own come first. */
static const struct tw_option *find_option(const struct tw_cli *cli,
    const char *name, size_t n, char letter)
{
	const struct tw_option *o = NULL;

	if (cli->verb)
		o = find_in(cli->verb->options, name, n, letter);
	if (!o)
		o = find_in(tw_cli_common, name, n, letter);
	if (!o && name && n == strlen(dump_option.name) &&
	    memcmp(name, dump_option.name, n) == 0)
		o = &dump_option;
	return o;
}

static void hint_help(const struct tw_cli *cli, struct tw_err *err)
{
	const char *verb = cli->verb ? cli->verb->name : NULL;

	tw_err_hint(err, "%s%s%s --help says more", cli->tool->name,
	    verb ? " " : "", verb ? verb : "");
}

static enum tw_status unknown_option(const struct tw_cli *cli,
    const char *word, struct tw_err *err)
{
	const char *words[WORDS_MAX + 1], *near = NULL;
	const struct tw_option *o;
	char name[TW_NAME_MAX + 1];
	size_t n = 0, len = strcspn(word + 1, "=");

	if (word[1] != '-') {
		tw_err_set(err, TW_USAGE, "unknown option '-%c'", word[1]);
		hint_help(cli, err);
		return TW_USAGE;
	}
	tw_err_set(err, TW_USAGE, "unknown option '%.*s'", (int)len + 1,
	    word);
	for (o = cli->verb ? cli->verb->options : NULL; o && o->name; o++)
		if (n < WORDS_MAX)
			words[n++] = o->name;
	for (o = tw_cli_common; o->name; o++)
		if (n < WORDS_MAX)
			words[n++] = o->name;
	words[n] = NULL;
	if (len - 1 <= TW_NAME_MAX) {
		memcpy(name, word + 2, len - 1);
		name[len - 1] = '\0';
		near = tw_name_nearest(name, words);
	}
	if (near)
		tw_err_hint(err, "did you mean '--%s'?", near);
	else
		hint_help(cli, err);
	return TW_USAGE;
}

static enum tw_status add_value(struct tw_cli *cli,
    const struct tw_option *o, const char *arg, struct tw_err *err)
{
	struct tw_cli_value *v;
	size_t i;

	for (i = 0; i < cli->nvalues; i++)
		if (cli->values[i].option == o && o->arg && !o->is_repeatable)
			return tw_err_set(err, TW_USAGE,
			    "option '--%s' is given twice", o->name);
	v = reallocarray(cli->values, cli->nvalues + 1, sizeof *v);
	if (!v)
		return tw_err_nomem(err);
	cli->values = v;
	v[cli->nvalues].option = o;
	v[cli->nvalues++].arg = arg;
	return TW_OK;
}

/* The argument of an option that needs one is the next word. */
static enum tw_status next_word(struct parser *p, const char *dashes,
    const struct tw_option *o, const char **arg, struct tw_err *err)
{
	if (!*p->argv)
		return tw_err_set(err, TW_USAGE,
		    "option '%s' needs an argument: %s", dashes, o->arg);
	*arg = *p->argv++;
	return TW_OK;
}

/* "--name", "--name=value", "--name value". */
static enum tw_status parse_long(struct parser *p, const char *word,
    struct tw_err *err)
{
	size_t n = strcspn(word + 2, "=");
	const char *eq = word[2 + n] ? word + 2 + n : NULL, *arg = NULL;
	const struct tw_option *o;
	enum tw_status s = TW_OK;

	o = find_option(p->cli, word + 2, n, 0);
	if (!o)
		return unknown_option(p->cli, word, err);
	if (eq && !o->arg)
		return tw_err_set(err, TW_USAGE,
		    "option '--%s' takes no argument", o->name);
	if (eq)
		arg = eq + 1;
	else if (o->arg && !is_optional(o))
		s = next_word(p, word, o, &arg, err);
	return s ? s : add_value(p->cli, o, arg, err);
}

/* "-qv", "-oCOL", "-o COL", "-qo COL". */
static enum tw_status parse_short(struct parser *p, const char *word,
    struct tw_err *err)
{
	const char *at, *arg;
	char dashed[3] = "-";
	const struct tw_option *o;
	enum tw_status s;

	for (at = word + 1; *at; at++) {
		dashed[1] = *at;
		arg = NULL;
		o = find_option(p->cli, NULL, 0, *at);
		if (!o)
			return unknown_option(p->cli, dashed, err);
		if (o->arg && !is_optional(o)) {
			s = TW_OK;
			if (at[1])
				arg = at + 1;
			else
				s = next_word(p, dashed, o, &arg, err);
			return s ? s : add_value(p->cli, o, arg, err);
		}
		s = add_value(p->cli, o, NULL, err);
		if (s)
			return s;
	}
	return TW_OK;
}

/* Reads words up to the first that is no option, or with take_all to the end,
 * keeping those that are none. */
static enum tw_status parse_words(struct parser *p, bool take_all,
    struct tw_err *err)
{
	enum tw_status s = TW_OK;
	char *word;

	while (!s && (word = *p->argv)) {
		if (!p->is_end && strcmp(word, "--") == 0) {
			p->argv++;
			p->is_end = true;
		} else if (p->is_end || word[0] != '-' || !word[1]) {
			if (!take_all)
				return TW_OK;
			p->args[p->nargs++] = word;
			p->argv++;
		} else {
			p->argv++;
			s = word[1] == '-' ? parse_long(p, word, err) :
			    parse_short(p, word, err);
		}
	}
	return s;
}

/* What follows a word that only begins verbs, "org": "add, list". */
static bool hint_second_words(const struct tw_tool *tool, const char *word,
    struct tw_err *err)
{
	struct tw_buf b = TW_BUF_INIT;
	size_t i, n = strlen(word);
	const char *name;

	for (i = 0; i < tool->nverbs; i++) {
		name = tool->verbs[i].name;
		if (strncmp(name, word, n) == 0 && name[n] == ' ')
			tw_buf_addf(&b, "%s%s", b.len ? ", " : "",
			    name + n + 1);
	}
	if (b.len)
		tw_err_hint(err, "after '%s' comes one of: %s", word,
		    tw_buf_str(&b));
	i = b.len;
	tw_buf_release(&b);
	return i > 0;
}

/* next: the word after it, or NULL. */
static enum tw_status unknown_verb(const struct tw_cli *cli,
    const char *first, const char *next, struct tw_err *err)
{
	const struct tw_tool *tool = cli->tool;
	const char *words[WORDS_MAX + 1], *word = first, *near;
	char both[TW_NAME_MAX];
	size_t i;

	tw_err_set(err, TW_USAGE, "unknown verb '%s'", word);
	if (hint_second_words(tool, word, err)) {
		if (!next || next[0] == '-' || snprintf(both, sizeof both,
		    "%s %s", word, next) >= (int)sizeof both)
			return TW_USAGE;
		word = both;
		tw_err_set(err, TW_USAGE, "unknown verb '%s'", word);
	}
	for (i = 0; i < tool->nverbs && i < WORDS_MAX; i++)
		words[i] = tool->verbs[i].name;
	words[i] = NULL;
	near = tw_name_nearest(word, words);
	if (near)
		tw_err_hint(err, "did you mean '%s'?", near);
	else if (word != both || !hint_second_words(tool, first, err))
		hint_help(cli, err);
	return TW_USAGE;
}

/* Takes the words of a verb's name, "add" or "org add". */
static bool take_verb(struct parser *p, const char *name)
{
	size_t n = strcspn(name, " ");

	if (strncmp(p->argv[0], name, n) != 0 || p->argv[0][n])
		return false;
	if (name[n] && (!p->argv[1] || strcmp(p->argv[1], name + n + 1) != 0))
		return false;
	p->argv += name[n] ? 2 : 1;
	return true;
}

static enum tw_status parse_verb(struct parser *p, struct tw_err *err)
{
	const struct tw_tool *tool = p->cli->tool;
	size_t i;

	for (i = 0; *p->argv && i < tool->nverbs; i++)
		if (take_verb(p, tool->verbs[i].name)) {
			p->cli->verb = &tool->verbs[i];
			return TW_OK;
		}
	if (!*p->argv)
		return TW_OK;
	return unknown_verb(p->cli, p->argv[0], p->argv[1], err);
}

static enum tw_status find_action(struct tw_cli *cli,
    enum tw_cli_action *action, struct tw_err *err)
{
	*action = TW_ACTION_RUN;
	if (tw_cli_flag(cli, "help"))
		*action = TW_ACTION_HELP;
	else if (tw_cli_flag(cli, "version"))
		*action = TW_ACTION_VERSION;
	else if (tw_cli_flag(cli, dump_option.name))
		*action = TW_ACTION_DUMP;
	else if (!cli->verb) {
		tw_err_set(err, TW_USAGE, "a verb is missing");
		hint_help(cli, err);
		return TW_USAGE;
	} else if (tw_cli_flag(cli, "list-columns"))
		*action = TW_ACTION_COLUMNS;
	return TW_OK;
}

static enum tw_status check_count(const struct tw_cli *cli, int nargs,
    struct tw_err *err)
{
	const struct tw_verb *v = cli->verb;
	struct tw_buf usage = TW_BUF_INIT;

	if (nargs >= v->min_args && (v->max_args < 0 || nargs <= v->max_args))
		return TW_OK;
	tw_err_set(err, TW_USAGE, nargs < v->min_args ?
	    N_("too few arguments") : N_("too many arguments"));
	tw_cli_put_usage(cli->tool, v, &usage);
	tw_err_hint(err, "usage: %s", tw_buf_str(&usage));
	tw_buf_release(&usage);
	return TW_USAGE;
}

static enum tw_status read_color(struct tw_cli *cli, struct tw_err *err)
{
	static const char *const words[] = { "auto", "always", "never" };
	const char *when = tw_cli_opt(cli, "color");
	size_t i;

	if (!when)
		return TW_OK;
	for (i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(when, words[i]) == 0) {
			cli->color = (enum tw_cli_color)i;
			return TW_OK;
		}
	return tw_err_set(err, TW_USAGE,
	    "bad --color '%s': wanted auto, always or never", when);
}

/* -o, -J, --tsv, -0, -n.  A verb without columns may still print JSON. */
static enum tw_status read_table(struct tw_cli *cli, struct tw_err *err)
{
	static const struct {
		const char *name;
		enum tw_table_mode mode;
	} modes[] = {
		{ "json", TW_TABLE_JSON }, { "tsv", TW_TABLE_TSV },
		{ "null", TW_TABLE_NUL }, { "output", TW_TABLE_PEOPLE },
	};
	const char *first = NULL;
	size_t i;

	for (i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		if (!tw_cli_flag(cli, modes[i].name))
			continue;
		if (!cli->verb->columns && modes[i].mode != TW_TABLE_JSON)
			return tw_err_set(err, TW_USAGE,
			    "option '--%s': nothing is listed here",
			    modes[i].name);
		if (modes[i].mode == TW_TABLE_PEOPLE)
			break;
		if (first)
			return tw_err_set(err, TW_USAGE,
			    "--%s and --%s exclude each other", first,
			    modes[i].name);
		first = modes[i].name;
		cli->table.mode = modes[i].mode;
	}
	cli->table.no_headings = tw_cli_flag(cli, "noheadings");
	cli->table.output = tw_cli_opt(cli, "output");
	return TW_OK;
}

/* A wrong -o shows before the verb has done anything. */
static enum tw_status check_columns(const struct tw_cli *cli,
    struct tw_err *err)
{
	struct tw_table *t;
	enum tw_status s;

	if (!cli->verb->columns)
		return TW_OK;
	s = tw_table_new(cli->verb->columns, &cli->table, &t, err);
	tw_table_free(t);
	return s;
}

/* The option, else the environment, else NULL; empty is absent. */
static const char *option_or_env(const struct tw_cli *cli, const char *name,
    const char *env)
{
	const char *s = tw_cli_opt(cli, name);

	if (!s)
		s = getenv(env);
	return s && *s ? s : NULL;
}

static enum tw_status read_common(struct tw_cli *cli, struct tw_err *err)
{
	const char *state = tw_cli_opt(cli, "state");
	enum tw_status s;

	/* An unset variable of a script must not mean another tower. */
	if (state && !*state)
		return tw_err_set(err, TW_USAGE, "option '--state' is empty");
	cli->state = option_or_env(cli, "state", "TOWERIFY_STATE");
	cli->org = option_or_env(cli, "org", "TOWERIFY_ORG");
	cli->is_quiet = tw_cli_flag(cli, "quiet");
	cli->is_verbose = tw_cli_flag(cli, "verbose");
	s = read_color(cli, err);
	if (!s)
		s = read_table(cli, err);
	if (!s)
		s = check_columns(cli, err);
	return s;
}

enum tw_status tw_cli_parse(struct tw_cli *cli, int argc, char **argv,
    enum tw_cli_action *action, char ***args, int *nargs,
    struct tw_err *err)
{
	struct parser p = { .cli = cli, .argv = argv + (argc > 0) };
	enum tw_status s = TW_OK;

	*args = NULL;
	*nargs = 0;
	p.args = calloc((size_t)argc + 1, sizeof *p.args);
	if (!p.args)
		return tw_err_nomem(err);
	if (!cli->tool->verbs[0].name) {
		cli->verb = &cli->tool->verbs[0];
	} else {
		s = parse_words(&p, false, err);
		if (!s)
			s = parse_verb(&p, err);
	}
	if (!s)
		s = parse_words(&p, true, err);
	if (!s)
		s = find_action(cli, action, err);
	if (!s && *action == TW_ACTION_COLUMNS && !cli->verb->columns)
		s = tw_err_set(err, TW_USAGE,
		    "option '--list-columns': nothing is listed here");
	if (!s && *action == TW_ACTION_RUN)
		s = check_count(cli, p.nargs, err);
	if (!s && (*action == TW_ACTION_RUN || *action == TW_ACTION_COLUMNS))
		s = read_common(cli, err);
	if (s) {
		free(p.args);
		return s;
	}
	*args = p.args;
	*nargs = p.nargs;
	return TW_OK;
}

void tw_cli_release(struct tw_cli *cli)
{
	free(cli->values);
	cli->values = NULL;
	cli->nvalues = 0;
}

static const char *value_text(const struct tw_cli_value *v)
{
	return v->arg ? v->arg : "";
}

const char *tw_cli_opt(const struct tw_cli *cli, const char *name)
{
	size_t i;

	for (i = cli->nvalues; i-- > 0;)
		if (strcmp(cli->values[i].option->name, name) == 0)
			return value_text(&cli->values[i]);
	return NULL;
}

bool tw_cli_flag(const struct tw_cli *cli, const char *name)
{
	return tw_cli_opt(cli, name) != NULL;
}

const char *tw_cli_opt_each(const struct tw_cli *cli, const char *name,
    size_t i)
{
	size_t k;

	for (k = 0; k < cli->nvalues; k++)
		if (strcmp(cli->values[k].option->name, name) == 0 &&
		    i-- == 0)
			return value_text(&cli->values[k]);
	return NULL;
}
